"""Pictures without pixels on disk: layers that are computed where somebody looks, and files made from them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from osgeo import gdal
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputRasterLayer,
    QgsProcessingOutputString,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsRasterLayer,
)

from . import catalog
from .base import tr
from .blend import changes, changes_parameter, recipe_file
from .fields import advanced, choice, helped
from .files import OUTPUT_ERROR, FileAlgorithm, Reporter, errors_for_processing, gdal_source
from .native import Cancelled, TerralumeError
from .run import Picture, RunAlgorithm
from .visualize import terrain_parameter, terrain_setting

GROUP = ("onthefly", "On the fly")

#: Options of a run that decide what a cell holds: those that the name of a virtual file may carry.
NAMED_OPTIONS = ("type", "compat", "stretch", "nodata", "band", "threads")


class PictureAlgorithm(RunAlgorithm):
    """An algorithm about one picture, whatever it is."""

    def add_parameters(self) -> None:
        picture = choice("VISUALIZATION", tr("Visualisation"), list(catalog.PICTURES.values()),
                         list(catalog.PICTURES).index("sky_view_factor"))
        self.addParameter(helped(picture, tr("What is shown: an operation or a preset.")))
        self.addParameter(advanced(recipe_file()))
        self.addParameter(terrain_parameter())
        self.addParameter(changes_parameter())

    def recipe(self, parameters: dict[str, Any], context: Any) -> str:
        """Name of an operation or preset, or of a file."""
        chosen = list(catalog.PICTURES)[self.parameterAsEnum(parameters, "VISUALIZATION", context)]
        return self.text(parameters, "PRESET_FILE", context) or chosen

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        name = self.recipe(parameters, context)
        settings = terrain_setting(self, parameters, context) + changes(self.text(parameters, "PARAMETERS", context))
        if name in catalog.PICTURES:
            return [Picture(name, settings=settings, operation=name if name in catalog.OPERATIONS else "")]
        return [Picture(json.dumps(self.library().read_recipe(name)), settings=settings)]


class LiveLayer(PictureAlgorithm):
    """A layer that is computed when it is drawn."""

    NAME, TITLE, GROUP = "livelayer", "Layer on the fly", GROUP
    HAS_EXTENT = False
    SUMMARY = ("Adds a visualisation that is computed where you look, at every zoom, without a file of pixels. It is "
               "saved with the project; 'File from a layer on the fly' writes it out.")
    TAGS = "live virtual vrt preview streaming"

    def add_file_parameters(self) -> None:
        """Nothing is written but a name."""

    def options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        return [pair for pair in super().options(parameters, context) if pair[0] in NAMED_OPTIONS]

    def add_outputs(self) -> None:
        made = QgsProcessingParameterFileDestination(
            "OUTPUT", tr("Virtual raster"), tr("Virtual rasters (*.vrt)"), None, True, False)
        self.addParameter(helped(made, tr(
            "A small text file that other programs on GDAL open too; without it the layer is part of the project.")))
        self.addOutput(QgsProcessingOutputRasterLayer("LAYER", tr("Layer")))
        self.addOutput(QgsProcessingOutputString("SOURCE", tr("Source of the layer")))

    def virtual_name(self, parameters: dict[str, Any], context: Any, picture: Picture) -> str:
        """The picture as a file of GDAL."""
        source = self.source(parameters, context)
        if not Path(source).exists():
            raise TerralumeError(tr("'{}' is no file; save the elevations as a file first").format(source))
        pairs = picture.settings + self.options(parameters, context)
        settings = [f"{name}={value}" for name, value in self.fill(parameters, context) + pairs]
        # Limits come from the plugin: nothing need be computed when the layer is added.
        recipe = ",".join([self.recipe(parameters, context), *settings, "statistics=false"])
        return f"/vsiterralume/{{{recipe}}}/{source}"

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        self.warn_of_unknown(parameters, feedback)
        with errors_for_processing():
            pictures = self.pictures(parameters, context)
            plan = self.plan(parameters, context, pictures)
            name = self.virtual_name(parameters, context, pictures[0])
            path = self.parameterAsFileOutput(parameters, "OUTPUT", context)
            source = virtual_raster(name, path, plan["pictures"][0]["stretch"])
        feedback.pushInfo(name)
        pictures[0].output, pictures[0].result = path or layer_in(context, source), "LAYER"
        if context.project():
            details = QgsProcessingContext.LayerDetails(
                "", context.project(), "LAYER", QgsProcessingUtils.LayerHint.Raster)
            context.addLayerToLoadOnCompletion(pictures[0].output, details)
        self.style(parameters, context, pictures, plan)
        return {"LAYER": pictures[0].output, "SOURCE": source, **({"OUTPUT": path} if path else {})}


def layer_in(context: Any, source: str) -> str:
    """The id of a new layer that the context owns: QGIS finds no layer by a source that is a text of XML."""
    layer = QgsRasterLayer(source, "live", "gdal")
    context.temporaryLayerStore().addMapLayer(layer)
    return layer.id()


def virtual_raster(name: str, path: str, stretch: dict[str, Any]) -> str:
    """Writes a virtual raster that shows the file `name`; without a path its text is the source of a layer."""
    try:
        raster = gdal.Translate(path, name, format="VRT")
    except RuntimeError:  # other plugins may have asked GDAL for exceptions
        raster = None
    if raster is None:
        reason = gdal.GetLastErrorMsg().removeprefix("terralume: ")
        raise TerralumeError(reason or tr("'{}' cannot be opened; choose another layer").format(name))
    if "min" in stretch:
        # Without statistics QGIS computes much of the raster when it adds the layer. The ends of the display serve it
        # as well, and cost nothing.
        for number in range(1, raster.RasterCount + 1):
            ends = (stretch["min"], stretch["max"], stretch["min"], 0)
            raster.GetRasterBand(number).SetStatistics(*ends)
    text = raster.GetMetadata("xml:VRT")[0]
    del raster  # writes the file
    return path or text


class Materialize(FileAlgorithm):
    """A file from a layer that is computed on the fly."""

    NAME, TITLE, GROUP = "materialize", "File from a layer on the fly", GROUP
    SUMMARY = "Computes a layer on the fly as a whole and writes it to a file."
    TAGS = "export save vrt virtual geotiff cog"
    OPTIONS = {
        "GTiff": {"COMPRESS": "ZSTD", "BIGTIFF": "IF_SAFER", "TILED": "YES", "BLOCKXSIZE": "512", "BLOCKYSIZE": "512"},
        "COG": {"COMPRESS": "ZSTD", "BIGTIFF": "IF_SAFER"},
    }

    def initAlgorithm(self, configuration: Any = None) -> None:
        layer = QgsProcessingParameterRasterLayer("INPUT", tr("Layer on the fly"))
        self.addParameter(helped(layer, tr("Or any other raster of GDAL.")))
        self.add_form_parameters()
        self.addParameter(QgsProcessingParameterRasterDestination("OUTPUT", tr("File")))

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        self.warn_of_unknown(parameters, feedback)
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        output = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        form = self.form(parameters, context)
        own = dict(option.partition("=")[::2] for option in self.creation_options(parameters, context))
        options = [f"{key}={value}" for key, value in {**self.OPTIONS[form], **own}.items()]
        with errors_for_processing():
            self.library()
            translate(gdal_source(layer, "INPUT"), output, form, options, Reporter(feedback))
        return {"OUTPUT": output}


def translate(source: str, output: str, form: str, options: list[str], reporter: Reporter) -> None:
    """Copies a raster; the file appears when it is whole."""
    going_on = [True]

    def progress(share: float, *_: Any) -> int:
        going_on[0] = going_on[0] and reporter(share, "computing")
        return int(going_on[0])

    try:
        made = tempfile.TemporaryDirectory(prefix=".terralume-", dir=os.path.dirname(os.path.abspath(output)))
    except OSError as error:
        raise TerralumeError(tr("cannot write '{}': {}; choose another file").format(output, error.strerror)) from None
    with made as place:
        part = os.path.join(place, "part.tif")
        # GDAL asks for progress between parts of this size: small ones, so that cancelling takes no time.
        before = gdal.GetThreadLocalConfigOption("GDAL_SWATH_SIZE", None)
        gdal.SetThreadLocalConfigOption("GDAL_SWATH_SIZE", "1000000")
        try:
            whole = gdal.Translate(part, source, format=form, creationOptions=options, callback=progress)
        except RuntimeError:  # other plugins may have asked GDAL for exceptions
            whole = None
        finally:
            gdal.SetThreadLocalConfigOption("GDAL_SWATH_SIZE", before)
        if not going_on[0]:
            raise Cancelled(tr("Cancelled; no output was written"))
        if whole is None:
            raise TerralumeError(gdal.GetLastErrorMsg() or tr("'{}' cannot be written").format(output), OUTPUT_ERROR)
        del whole
        os.replace(part, output)
