"""Pictures of several layers: presets, blends of one's own, and single rasters brought to a stretch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMatrix,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from . import catalog
from .base import tr
from .fields import Number, advanced, choice, helped, number_text, rows_of
from .native import TerralumeError
from .run import Picture, RunAlgorithm
from .visualize import terrain_parameter, terrain_setting

GROUP = ("blending", "Blending")
NORMS = ["value", "percent"]
HEADERS = ["Layer", "Norm", "Min", "Max", "Mode", "Opacity", "Inverted", "Parameters"]
FILE_FORMATS = ["Terralume", "RVT"]


def changes_parameter() -> Any:
    """Changes to parameters of layers, as on the command line."""
    made = QgsProcessingParameterString("PARAMETERS", tr("Changed parameters"), None, False, True)
    return advanced(helped(made, tr("Such as radius=20, or hillshade.azimuth=300 of one layer; blanks between them.")))


def recipe_file() -> Any:
    """A file instead of what is chosen. The filter lets names through that say which of several in a file."""
    made = QgsProcessingParameterFile(
        "PRESET_FILE", tr("Recipe file"), optional=True, fileFilter="JSON (*.json);;Any (*)")
    return helped(made, tr("A recipe or a blender combination of RVT instead; FILE#NAME is one of several in a file."))


def changes(text: str) -> list[tuple[str, str]]:
    """`radius=20 noise=low` as pairs."""
    pairs = [part.partition("=") for part in text.split()]
    for name, sign, _ in pairs:
        if not sign:
            raise TerralumeError(tr("'{}' is not allowed; allowed: name=value, with blanks between them").format(name))
    return [(name, value) for name, _, value in pairs]


class PresetAlgorithm(RunAlgorithm):
    """A preset of the library."""

    NAME, TITLE, GROUP = "preset", "Blend of a preset", GROUP
    SUMMARY = ("Pictures of several blended layers: visualisation for archaeological topography (VAT), VAT combined, "
               "prismatic openness, relief image maps, enhanced topographic positions.")
    TAGS = "blend blender vat cvat combined crim rrim e2mstp e3mstp e4mstp city prismatic"
    #: rvt-qgis numbers its three from 0.
    TERRAINS = ["general", "flat", "steep", "as the preset says"]

    def add_parameters(self) -> None:
        titles = [catalog.PRESETS[name]["title"] for name in catalog.PRESET_ORDER]
        preset = choice("BLEND_COMBINATION", tr("Preset"), titles, catalog.PRESET_ORDER.index("vat-combined"))
        self.addParameter(helped(preset, tr("What is blended.")))
        terrain = choice("TERRAIN_TYPE", tr("Terrain"), self.TERRAINS, 3)
        self.addParameter(helped(terrain, tr("Parameters and stretches that suit a kind of ground.")))
        self.addParameter(changes_parameter())

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        preset = catalog.PRESET_ORDER[self.parameterAsEnum(parameters, "BLEND_COMBINATION", context)]
        terrain = self.parameterAsEnum(parameters, "TERRAIN_TYPE", context)
        settings = [("terrain", self.TERRAINS[terrain])] if terrain < len(catalog.TERRAINS) else []
        return [Picture(preset, settings=settings + changes(self.text(parameters, "PARAMETERS", context)))]


def default_layers() -> list[str]:
    """The layers of VAT as rows of the matrix."""
    cells = []
    for layer in catalog.PRESETS["vat"]["layers"]:
        inverted = "yes" if layer["invert"] else "no"
        cells += [layer["operation"], "value", number_text(layer["min"]), number_text(layer["max"]), layer["mode"],
                  number_text(layer["opacity"]), inverted, ""]
    return cells


class BlendAlgorithm(RunAlgorithm):
    """A blend of any layers, or of a file of Terralume or RVT."""

    NAME, TITLE, GROUP = "blend", "Blend of any layers", GROUP
    SUMMARY = ("Stretches and blends any number of layers, the top one first: operations, presets, and other rasters. "
               "Reads and writes recipes of Terralume and blender combinations of RVT.")
    TAGS = "blender layers recipe combination json opacity multiply overlay screen luminosity"

    def add_parameters(self) -> None:
        layers = QgsProcessingParameterMatrix("LAYERS", tr("Layers"), 4, False, HEADERS, default_layers(), True)
        self.addParameter(helped(layers, tr(
            "A row is a layer. Layer: an operation, a preset, a layer of the project or a file. Norm: value or "
            "percent. Min, max: shown black and white; empty: the layer's own. Mode: {}. Opacity: in per cent. "
            "Inverted: yes or no. Parameters: such as radius=20 noise=low.").format(", ".join(catalog.BLEND_MODES))))
        self.addParameter(recipe_file())
        self.addParameter(terrain_parameter())
        self.addParameter(changes_parameter())

    def add_outputs(self) -> None:
        super().add_outputs()
        written = choice("PRESET_FORMAT", tr("Format of the saved recipe"), FILE_FORMATS)
        self.add_advanced(written, tr("Terralume's own, or RVT's where its files can say the same."))
        saved = QgsProcessingParameterFileDestination(
            "PRESET_OUT", tr("Saved recipe"), "JSON (*.json)", None, True, False)
        self.addParameter(helped(saved, tr("The recipe as a file, to be used again.")))

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        file = self.text(parameters, "PRESET_FILE", context)
        recipe = self.library().read_recipe(file) if file else self.recipe(parameters, context)
        settings = terrain_setting(self, parameters, context) + changes(self.text(parameters, "PARAMETERS", context))
        return [Picture(json.dumps(recipe), settings=settings)]

    def recipe(self, parameters: dict[str, Any], context: Any) -> dict[str, Any]:
        """The recipe that the matrix says."""
        rows = rows_of(self.parameterAsMatrix(parameters, "LAYERS", context), HEADERS)
        layers = [layer_of_row(row, context) for row in rows if row["Layer"]]
        if not layers:
            raise TerralumeError(tr("LAYERS is empty; fill in at least one row, or choose PRESET_FILE"))
        return {"terralume_recipe": 1, "name": "blend", "title": tr("Blend"), "layers": layers}

    def name_outputs(self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: Any) -> None:
        super().name_outputs(parameters, context, pictures, plan)
        path = self.parameterAsFileOutput(parameters, "PRESET_OUT", context)
        if path:
            recipe = plan["pictures"][0]["recipe"]
            rvt = self.parameterAsEnum(parameters, "PRESET_FORMAT", context) == 1
            text = self.library().recipe_to_rvt(json.dumps(recipe)) if rvt else json.dumps(recipe, indent=2)
            write(path, text)

    def finish(self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: Any) -> dict[str, Any]:
        path = self.parameterAsFileOutput(parameters, "PRESET_OUT", context)
        results = super().finish(parameters, context, pictures, plan)
        return {**results, "PRESET_OUT": path} if path else results


def write(path: str, text: str) -> None:
    """Writes a recipe."""
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise TerralumeError(tr("cannot write '{}': {}; choose another file").format(path, error.strerror)) from None


def layer_of_row(row: dict[str, str], context: Any) -> dict[str, Any]:
    """A layer of a recipe from a row of the matrix. The library checks all but what it is never told."""
    layer = content(row["Layer"], context)
    if row["Min"] or row["Max"]:
        kind = "percent:" if row["Norm"].lower().startswith("perc") else ""
        layer["stretch"] = f"{kind}{row['Min'] or 0},{row['Max'] or 0}"
        own = catalog.OPERATIONS.get(layer.get("operation", ""), {}).get("stretch", {})
        inverted = row["Inverted"].lower() in ("yes", "true", "1")
        layer["invert"] = inverted if row["Inverted"] else own.get("invert", False)
    if row["Parameters"]:
        layer["parameters"] = dict(changes(row["Parameters"]))
    if row["Mode"]:
        layer["mode"] = row["Mode"].lower().replace(" ", "_")
    if row["Opacity"]:
        try:
            layer["opacity"] = float(row["Opacity"])
        except ValueError:
            raise TerralumeError(tr("opacity '{}' is not allowed; allowed: 0 to 100").format(row["Opacity"])) from None
    return layer


def content(name: str, context: Any) -> dict[str, Any]:
    """What a layer shows: an operation, a preset, a layer of the project, or a file."""
    for operation, item in catalog.OPERATIONS.items():
        if name in (operation, item["title"], *item["aliases"]):
            return {"operation": operation}
    for preset, item in catalog.PRESETS.items():
        if name in (preset, item["title"]):
            return {"recipe": preset, "name": preset}
    layer = QgsProcessingUtils.mapLayerFromString(name, context)
    if layer is None:
        text = tr("layer '{}' is neither an operation, a preset, a layer of the project nor a file; allowed: {}")
        raise TerralumeError(text.format(name, ", ".join(catalog.PICTURES)))
    return {"raster": layer.source().split("|option:")[0], "name": layer.name()}


class NormalizeAlgorithm(RunAlgorithm):
    """Any raster, cut off and brought to 0 to 1 or to bytes."""

    NAME, TITLE, GROUP = "normalize", "Normalise a raster", GROUP
    SUMMARY = "Cuts a raster off at two values, or at shares of its cells, and brings it to 0 to 1, or to 8 bit."
    TAGS = "cut-off cutoff stretch byte percentile"
    INPUT_LABEL = "Raster"

    def add_parameters(self) -> None:
        norm = choice("NORM", tr("Norm"), NORMS, 1)
        self.addParameter(helped(norm, tr("Whether minimum and maximum are values, or per cent of the cells cut off.")))
        low = QgsProcessingParameterNumber("MIN", tr("Minimum"), Number.Double, 2)
        self.addParameter(helped(low, tr("Shown black; of per cent, cut off below.")))
        high = QgsProcessingParameterNumber("MAX", tr("Maximum"), Number.Double, 2)
        self.addParameter(helped(high, tr("Shown white; of per cent, cut off above.")))

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        norm = NORMS[self.parameterAsEnum(parameters, "NORM", context)]
        ends = [number_text(self.parameterAsDouble(parameters, name, context)) for name in ("MIN", "MAX")]
        stretch = ("percent:" if norm == "percent" else "") + ",".join(ends)
        band = self.parameterAsInt(parameters, "BAND", context) if parameters.get("BAND") is not None else 1
        layer = {"raster": self.source(parameters, context), "band": band, "stretch": stretch}
        recipe = {"terralume_recipe": 1, "name": "normalised", "title": tr("Normalised"), "layers": [layer]}
        return [Picture(json.dumps(recipe))]
