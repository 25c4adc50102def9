"""Single visualisations, one algorithm per operation of the library, and several from one reading of the elevations."""

from __future__ import annotations

import os
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterRasterDestination,
    QgsProcessingUtils,
)

from . import catalog
from .base import tr
from .fields import advanced, choice, helped, of_operation, radius_unit
from .native import TerralumeError
from .run import Picture, RunAlgorithm

GROUP = ("visualisations", "Visualisations")
TERRAINS = ["as the recipe says", *catalog.TERRAINS]


class OperationAlgorithm(RunAlgorithm):
    """An operation of the library with its own parameters."""

    def __init__(self, operation: str, group: tuple[str, str] = GROUP) -> None:
        super().__init__()
        description = catalog.OPERATIONS[operation]
        self._operation, self._fields = operation, of_operation(operation)
        self.NAME, self.TITLE, self.GROUP = catalog.algorithm_name(operation), description["title"], group
        self.SUMMARY, self.REFERENCE = description["summary"], description["reference"]
        self.TAGS = " ".join([operation, *description["aliases"]])

    def createInstance(self) -> OperationAlgorithm:
        return OperationAlgorithm(self._operation, self.GROUP)

    def add_parameters(self) -> None:
        add_fields(self, self._fields)

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        settings = [(field.name, field.text(self, parameters, context)) for field in self._fields]
        return [Picture(self._operation, settings=settings, operation=self._operation)]


def add_fields(algorithm: RunAlgorithm, fields: list[Any]) -> None:
    """Adds the parameters of an operation, and the unit of its lengths."""
    for field in fields:
        algorithm.addParameter(field.definition())
    if any(field.kind == "length" for field in fields):
        algorithm.addParameter(radius_unit())


class OpennessAlgorithm(RunAlgorithm):
    """Both opennesses, chosen as in rvt-qgis."""

    NAME, TITLE, GROUP = "openness", "Openness", GROUP
    SUMMARY = ("How far one sees over the horizon (positive: crests and edges are bright), or under it (negative: "
               "hollows are bright in the values, dark in the picture).")
    REFERENCE = catalog.OPERATIONS["openness_positive"]["reference"]
    TAGS = "opns openness_positive openness_negative"
    OPERATIONS = ["openness_positive", "openness_negative"]

    def add_parameters(self) -> None:
        kind = choice("OPNS_TYPE", tr("Kind"), ["positive", "negative"])
        self.addParameter(helped(kind, tr("Openness above the surface, or below it.")))
        add_fields(self, of_operation(self.OPERATIONS[0]))

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        operation = self.OPERATIONS[self.parameterAsEnum(parameters, "OPNS_TYPE", context)]
        settings = [(field.name, field.text(self, parameters, context)) for field in of_operation(operation)]
        return [Picture(operation, settings=settings, operation=operation)]


class SkyViewSet(RunAlgorithm):
    """All pictures of one horizon search."""

    NAME, TITLE, GROUP = "skyviewset", "Sky-view factors and opennesses, from one search", GROUP
    SUMMARY = "Sky-view factor, anisotropic sky-view factor and opennesses: the horizon is searched once for all."
    TAGS = "svf asvf openness horizon"
    RESULTS = {
        "SVF": "sky_view_factor", "ASVF": "anisotropic_sky_view_factor", "OPENNESS_POSITIVE": "openness_positive",
        "OPENNESS_NEGATIVE": "openness_negative", "DIFFERENTIAL_OPENNESS": "differential_openness",
    }

    def add_parameters(self) -> None:
        # The anisotropic one has all parameters that the others have.
        add_fields(self, of_operation("anisotropic_sky_view_factor"))

    def add_outputs(self) -> None:
        for name, operation in self.RESULTS.items():
            wanted = name != "DIFFERENTIAL_OPENNESS"
            title = catalog.OPERATIONS[operation]["title"]
            self.addParameter(QgsProcessingParameterRasterDestination(name, title, None, True, wanted))

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        wanted = {name: operation for name, operation in self.RESULTS.items() if parameters.get(name)}
        if not wanted:
            raise TerralumeError(tr("no output is wanted; choose at least one of {}").format(", ".join(self.RESULTS)))
        return [self.picture(name, operation, parameters, context) for name, operation in wanted.items()]

    def picture(self, name: str, operation: str, parameters: dict[str, Any], context: Any) -> Picture:
        """One of the outputs."""
        own = {item["name"] for item in catalog.OPERATIONS[operation]["parameters"]}
        fields = [field for field in of_operation("anisotropic_sky_view_factor") if field.name in own]
        settings = [(field.name, field.text(self, parameters, context)) for field in fields]
        return Picture(operation, name, settings=settings, operation=operation)

    def name_outputs(self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: Any) -> None:
        for picture in pictures:
            picture.output = self.parameterAsOutputLayer(parameters, picture.result, context)

    def finish(self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: Any) -> dict[str, Any]:
        self.style(parameters, context, pictures, plan)
        return {picture.result: picture.output for picture in pictures}


def terrain_parameter() -> Any:
    """Settings for a kind of ground."""
    made = choice("TERRAIN", tr("Terrain"), TERRAINS)
    return helped(made, tr("Parameters and stretches that suit a kind of ground."))


def terrain_setting(algorithm: RunAlgorithm, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
    """The terrain as a setting of a recipe, if one was chosen."""
    index = algorithm.parameterAsEnum(parameters, "TERRAIN", context)
    return [("terrain", TERRAINS[index])] if index else []


class SeveralAlgorithm(RunAlgorithm):
    """Several pictures into a folder, from one reading of the elevations."""

    NAME, TITLE, GROUP = "visualizations", "Several visualisations at once", GROUP
    SUMMARY = ("Computes several visualisations and presets into a folder. The elevations are read once, and what "
               "pictures have in common is computed once. Parameters are the defaults, or those of a terrain.")
    TAGS = "multiple batch folder all"
    DEFAULT = ["hillshade", "slope", "sky_view_factor", "openness_positive"]

    def add_parameters(self) -> None:
        names = list(catalog.PICTURES)
        made = QgsProcessingParameterEnum(
            "VISUALIZATIONS", tr("Visualisations"), list(catalog.PICTURES.values()), True,
            [names.index(name) for name in self.DEFAULT])
        self.addParameter(helped(made, tr("What to compute: operations, then presets.")))
        self.addParameter(terrain_parameter())

    def add_outputs(self) -> None:
        load = QgsProcessingParameterBoolean("LOAD", tr("Load the results"), True)
        self.addParameter(advanced(helped(load, tr("Adds the pictures to the project, named and styled."))))
        self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", tr("Folder")))
        self.addOutput(QgsProcessingOutputMultipleLayers("OUTPUTS", tr("Pictures")))

    def pictures(self, parameters: dict[str, Any], context: Any) -> list[Picture]:
        names = list(catalog.PICTURES)
        chosen = [names[index] for index in self.parameterAsEnums(parameters, "VISUALIZATIONS", context)]
        if not chosen:
            raise TerralumeError(tr("nothing is chosen; choose at least one of VISUALIZATIONS"))
        terrain = terrain_setting(self, parameters, context)
        operation = {name: name for name in catalog.OPERATIONS}
        return [Picture(name, settings=terrain, operation=operation.get(name, "")) for name in chosen]

    def name_outputs(self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: Any) -> None:
        folder = self.parameterAsString(parameters, "FOLDER", context)
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise TerralumeError(tr("cannot make folder '{}': {}; choose another one").format(
                folder, error.strerror)) from None
        for picture, description in zip(pictures, plan["pictures"]):
            picture.output = os.path.join(folder, description["file_name"])

    def finish(self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: Any) -> dict[str, Any]:
        outputs = [picture.output for picture in pictures]
        if self.parameterAsBool(parameters, "LOAD", context) and context.project():
            for output in outputs:
                details = QgsProcessingContext.LayerDetails(
                    output, context.project(), "OUTPUTS", QgsProcessingUtils.LayerHint.Raster)
                context.addLayerToLoadOnCompletion(output, details)
            self.style(parameters, context, pictures, plan)
        return {"FOLDER": self.parameterAsString(parameters, "FOLDER", context), "OUTPUTS": outputs}
