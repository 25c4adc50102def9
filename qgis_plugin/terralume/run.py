"""Algorithms that run a job of the library on a layer: parameters of every run, checks, running, results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from qgis.core import (
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from . import catalog, styles
from .base import tr
from .fields import Number, choice, helped
from .files import FileAlgorithm, Reporter, accepted, errors_for_processing, gdal_source, warn_of_space
from .native import TerralumeError

#: Gaps stay, or are filled as one of the methods of the operation does.
FILLS = ["none", *catalog.choices("fill_nodata", "method")]
COMPATIBILITIES = catalog.words("compat")


@dataclass
class Picture:
    """One output of a run."""

    recipe: str
    #: Name of the output parameter.
    result: str = "OUTPUT"
    output: str = ""
    settings: list[tuple[str, str]] = field(default_factory=list)
    #: The operation whose values are shown; empty for a picture of layers.
    operation: str = ""


class RunAlgorithm(FileAlgorithm):
    """An algorithm that runs a job of the library on a layer of elevations."""

    INPUT_LABEL, HAS_EXTENT = "Elevation model", True
    #: What is to be computed, from parameters and context: every algorithm has its own.
    pictures: Callable[[dict[str, Any], Any], list[Picture]]

    def initAlgorithm(self, configuration: Any = None) -> None:
        made = QgsProcessingParameterRasterLayer("INPUT", tr(self.INPUT_LABEL))
        self.addParameter(helped(made, tr("Raster of heights, in the unit of its coordinates. Degrees are refused.")))
        self.add_parameters()
        self.add_run_parameters()
        self.add_outputs()

    def add_parameters(self) -> None:
        """Adds what is special about an algorithm."""

    def add_outputs(self) -> None:
        """Adds the destination of the result."""
        self.addParameter(QgsProcessingParameterRasterDestination("OUTPUT", tr(self.TITLE)))

    def add_run_parameters(self) -> None:
        """Adds what every run has, folded away but for the 8-bit form."""
        eight = QgsProcessingParameterBoolean("SAVE_AS_8BIT", tr("Save as 8 bit"), False)
        self.addParameter(helped(eight, tr("Bytes as they are shown, 1 to 255, instead of values; 0 is nodata.")))
        self.add_input_parameters()
        self.add_file_parameters()

    def add_input_parameters(self) -> None:
        """Adds how the elevations are read."""
        band = QgsProcessingParameterBand("BAND", tr("Band"), None, "INPUT", True)
        self.add_advanced(band, tr("Band of the heights. Needed when the raster has several."))
        nodata = QgsProcessingParameterNumber("NODATA", tr("Nodata value"), Number.Double, None, True)
        self.add_advanced(nodata, catalog.full_help("nodata"))
        fill = choice("FILL_NODATA", tr("Fill gaps before"), FILLS)
        self.add_advanced(fill, tr("Heights for missing cells before anything is computed."))
        if self.HAS_EXTENT:
            extent = QgsProcessingParameterExtent("EXTENT", tr("Extent"), None, True)
            self.add_advanced(extent, catalog.OPTION_HELP["extent"] + ".")
        stretch = QgsProcessingParameterString("STRETCH", tr("Stretch of 8 bit"), None, False, True)
        self.add_advanced(stretch, catalog.OPTION_HELP["stretch"].replace("--type uint8", tr("8 bit")))
        compat = choice("COMPATIBILITY", tr("Compatibility"), COMPATIBILITIES)
        self.add_advanced(compat, catalog.OPTION_HELP["compat"])

    # ---- reading parameters

    def source(self, parameters: dict[str, Any], context: Any) -> str:
        """The elevations for GDAL to open."""
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        source = gdal_source(layer, "INPUT")
        bands = layer.bandCount()
        if bands > 1 and parameters.get("BAND") is None:
            raise TerralumeError(tr("'{}' has {} bands; choose one with BAND").format(layer.name(), bands))
        return source

    def options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """Options of the run as the library reads them."""
        given = self.file_options(parameters, context)
        given.append(("compat", COMPATIBILITIES[self.parameterAsEnum(parameters, "COMPATIBILITY", context)]))
        if self.parameterAsBool(parameters, "SAVE_AS_8BIT", context):
            given.append(("type", "uint8"))
        if self.text(parameters, "STRETCH", context):
            given.append(("stretch", self.text(parameters, "STRETCH", context)))
        if parameters.get("BAND") is not None:
            given.append(("band", str(self.parameterAsInt(parameters, "BAND", context))))
        if parameters.get("NODATA") is not None:
            given.append(("nodata", repr(self.parameterAsDouble(parameters, "NODATA", context))))
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        extent = self.parameterAsExtent(parameters, "EXTENT", context, layer.crs())
        if not extent.isNull():
            ends = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
            given.append(("extent", ",".join(map(repr, ends))))
        return given

    def fill(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """How gaps are filled, as a setting of a recipe."""
        method = FILLS[self.parameterAsEnum(parameters, "FILL_NODATA", context)]
        return [] if method == "none" else [("fill", method)]

    @contextmanager
    def job(self, parameters: dict[str, Any], context: Any, pictures: list[Picture]) -> Iterator[Any]:
        """A job with everything set."""
        fill = self.fill(parameters, context)
        with self.library().job(pictures[0].recipe) as job:
            for index, picture in enumerate(pictures):
                if index:
                    job.add_picture(picture.recipe)
                for name, value in picture.settings + fill:
                    job.set_parameter(name, value)
                if picture.output:
                    job.set_output(picture.output)
            for name, value in self.options(parameters, context):
                job.set_option(name, value)
            job.set_input(self.source(parameters, context))
            yield job

    # ---- checking and running

    def plan(self, parameters: dict[str, Any], context: Any, pictures: list[Picture]) -> dict[str, Any]:
        """Checks everything but the outputs, and says what comes out."""
        with self.job(parameters, context, pictures) as job:
            return job.plan()

    def checkParameterValues(self, parameters: dict[str, Any], context: Any) -> tuple[bool, str]:
        fine, text = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, text
        return accepted(lambda: self.plan(parameters, context, self.pictures(parameters, context)))

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        self.warn_of_unknown(parameters, feedback)
        with errors_for_processing():
            pictures = self.pictures(parameters, context)
            plan = self.plan(parameters, context, pictures)
            say_plan(plan, feedback)
            self.name_outputs(parameters, context, pictures, plan)
            warn_of_space(plan, pictures[0].output, feedback)
            with self.job(parameters, context, pictures) as job:
                job.run(Reporter(feedback))
        return self.finish(parameters, context, pictures, plan)

    def name_outputs(
        self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: dict[str, Any]
    ) -> None:
        """Says where each picture goes."""
        pictures[0].output = self.parameterAsOutputLayer(parameters, "OUTPUT", context)

    def finish(
        self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: dict[str, Any]
    ) -> dict[str, Any]:
        """Prepares how results are shown, and names them."""
        self.style(parameters, context, pictures, plan)
        return {"OUTPUT": pictures[0].output}

    def style(
        self, parameters: dict[str, Any], context: Any, pictures: list[Picture], plan: dict[str, Any]
    ) -> None:
        """Results that are loaded get a name, a style, and where they come from."""
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        eight = self.parameterAsBool(parameters, "SAVE_AS_8BIT", context)
        for picture, description in zip(pictures, plan["pictures"]):
            look = styles.Look(description, eight, picture.operation, self.id(), picture.result)
            styles.on_completion(context, picture.output, look, f"{description['title']} - {layer.name()}")


def say_plan(plan: dict[str, Any], feedback: Any) -> None:
    """Writes into the log how a run is divided."""
    feedback.pushInfo(tr("{cols} x {rows} cells in {tiles} tiles, {radius} cells read around each").format(**plan))
    feedback.pushInfo(tr("{threads} threads, {mib} MiB").format(threads=plan["threads"], mib=plan["memory"] >> 20))
    for step in plan["steps"]:
        feedback.pushDebugInfo(step)
