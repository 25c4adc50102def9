"""Algorithms that run a job of the library on a layer: parameters of every run, checks, running, results."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingException,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from . import catalog, styles
from .base import TerralumeAlgorithm, tr
from .fields import Number, advanced, choice, helped
from .native import Cancelled, LibraryMissing, TerralumeError

FILLS = ["none", "idw", "nearest", "linear_row"]
FORMATS = ["GTiff", "COG"]
COMPATIBILITIES = ["none", "rvt"]

#: What to do about errors of the library that do not say what is allowed, by status.
NEXT_STEPS = {
    4: "choose another layer, or repair this one",
    5: "choose another output, or free some space there",
    7: "free some memory, or allow less with MEMORY_MB",
    8: "install GDAL 3.5 or newer",
    10: "please report this",
    11: "please report this, and start QGIS anew",
}


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


class RunAlgorithm(TerralumeAlgorithm):
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
        self.add_advanced(nodata, catalog.OPTION_HELP["nodata"] + tr("; by default what the file says."))
        fill = choice("FILL_NODATA", tr("Fill gaps before"), FILLS)
        self.add_advanced(fill, tr("Heights for missing cells before anything is computed."))
        if self.HAS_EXTENT:
            extent = QgsProcessingParameterExtent("EXTENT", tr("Extent"), None, True)
            self.add_advanced(extent, catalog.OPTION_HELP["extent"] + ".")
        stretch = QgsProcessingParameterString("STRETCH", tr("Stretch of 8 bit"), None, False, True)
        self.add_advanced(stretch, catalog.OPTION_HELP["stretch"].replace("--type uint8", tr("8 bit")))
        compat = choice("COMPATIBILITY", tr("Compatibility"), COMPATIBILITIES)
        self.add_advanced(compat, catalog.OPTION_HELP["compat"])

    def add_file_parameters(self) -> None:
        """Adds how the file is written and what the run may take."""
        self.add_advanced(choice("FORMAT", tr("Format"), FORMATS), catalog.OPTION_HELP["format"])
        creation = QgsProcessingParameterString("CREATION_OPTIONS", tr("Creation options"), "", False, True)
        if Qgis.QGIS_VERSION_INT >= 33000:
            widget = {"widget_type": "rasteroptions"}
        else:
            widget = {"class": "processing.algs.gdal.ui.RasterOptionsWidget.RasterOptionsWidgetWrapper"}
        creation.setMetadata({"widget_wrapper": widget})
        self.add_advanced(creation, tr("Options of the file's format, such as COMPRESS=LZW, with | between them."))
        overviews = QgsProcessingParameterBoolean("OVERVIEWS", tr("Overviews"), False)
        self.add_advanced(overviews, catalog.OPTION_HELP["overviews"])
        threads = QgsProcessingParameterNumber("THREADS", tr("Threads"), Number.Integer, 0, False, 0, 1024)
        self.add_advanced(threads, tr("Worker threads; 0: as QGIS is set."))
        memory = QgsProcessingParameterNumber("MEMORY_MB", tr("Memory (MiB)"), Number.Integer, 0, False, 0)
        self.add_advanced(memory, tr("Memory the run may take; 0: a quarter of the machine's, at most 1 GiB."))

    def add_advanced(self, definition: Any, text: str) -> None:
        """Adds a parameter that is folded away."""
        self.addParameter(advanced(helped(definition, text)))

    # ---- reading parameters

    def source(self, parameters: dict[str, Any], context: Any) -> str:
        """The elevations for GDAL to open."""
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        if layer is None:
            raise TerralumeError(tr("INPUT is no raster layer; choose one"))
        if layer.providerType() != "gdal":
            raise TerralumeError(tr(
                "layer '{}' comes from '{}', not from GDAL; export it to a GeoTIFF first (Export > Save As)"
            ).format(layer.name(), layer.providerType()))
        bands = layer.bandCount()
        if bands > 1 and parameters.get("BAND") is None:
            raise TerralumeError(tr("'{}' has {} bands; choose one with BAND").format(layer.name(), bands))
        return layer.source().split("|option:")[0]

    def options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """Options of the run as the library reads them."""
        given = [("overwrite", "true"), ("format", FORMATS[self.parameterAsEnum(parameters, "FORMAT", context)])]
        given.append(("compat", COMPATIBILITIES[self.parameterAsEnum(parameters, "COMPATIBILITY", context)]))
        given += [("co", option) for option in self.text(parameters, "CREATION_OPTIONS", context).split("|") if option]
        if self.parameterAsBool(parameters, "SAVE_AS_8BIT", context):
            given.append(("type", "uint8"))
        if self.text(parameters, "STRETCH", context):
            given.append(("stretch", self.text(parameters, "STRETCH", context)))
        if self.parameterAsBool(parameters, "OVERVIEWS", context):
            given.append(("overviews", "true"))
        if parameters.get("BAND") is not None:
            given.append(("band", str(self.parameterAsInt(parameters, "BAND", context))))
        if parameters.get("NODATA") is not None:
            given.append(("nodata", repr(self.parameterAsDouble(parameters, "NODATA", context))))
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        extent = self.parameterAsExtent(parameters, "EXTENT", context, layer.crs())
        if not extent.isNull():
            ends = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
            given.append(("extent", ",".join(map(repr, ends))))
        threads = self.parameterAsInt(parameters, "THREADS", context) or QgsApplication.maxThreads()
        if threads > 0:
            given.append(("threads", str(threads)))
        memory = self.parameterAsInt(parameters, "MEMORY_MB", context)
        return given + ([("memory", f"{memory}M")] if memory else [])

    def fill(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """How gaps are filled, as a setting of a recipe."""
        method = FILLS[self.parameterAsEnum(parameters, "FILL_NODATA", context)]
        return [] if method == "none" else [("fill", method)]

    def text(self, parameters: dict[str, Any], name: str, context: Any) -> str:
        """A text without blanks around it."""
        return (self.parameterAsString(parameters, name, context) or "").strip()

    def job(self, parameters: dict[str, Any], context: Any, pictures: list[Picture]) -> Any:
        """A job with everything set."""
        fill = self.fill(parameters, context)
        job = self.library().job(pictures[0].recipe)
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
        return job

    # ---- checking and running

    def plan(self, parameters: dict[str, Any], context: Any, pictures: list[Picture]) -> dict[str, Any]:
        """Checks everything but the outputs, and says what comes out."""
        with self.job(parameters, context, pictures) as job:
            return job.plan()

    def checkParameterValues(self, parameters: dict[str, Any], context: Any) -> tuple[bool, str]:
        fine, text = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, text
        try:
            self.plan(parameters, context, self.pictures(parameters, context))
        except (TerralumeError, LibraryMissing) as error:
            return False, sentence(error)
        return True, ""

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        self.warn_of_unknown(parameters, feedback)
        try:
            pictures = self.pictures(parameters, context)
            plan = self.plan(parameters, context, pictures)
            say_plan(plan, feedback)
            self.name_outputs(parameters, context, pictures, plan)
            warn_of_space(plan, pictures[0].output, feedback)
            with self.job(parameters, context, pictures) as job:
                job.run(Reporter(feedback))
        except Cancelled:
            raise QgsProcessingException(tr("Cancelled; no output was written")) from None
        except (TerralumeError, LibraryMissing) as error:
            raise QgsProcessingException(sentence(error)) from None
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


class Reporter:
    """Tells QGIS how far a run is, and the library whether the user wants no more."""

    def __init__(self, feedback: Any) -> None:
        self._feedback, self._stage = feedback, ""

    def __call__(self, share: float, stage: str) -> bool:
        if stage != self._stage:
            self._stage = stage
            self._feedback.setProgressText(tr(stage.capitalize()))
        self._feedback.setProgress(100 * share)
        return not self._feedback.isCanceled()


def sentence(error: Exception) -> str:
    """What went wrong, with a next step."""
    text, step = str(error), NEXT_STEPS.get(getattr(error, "status", 0), "")
    return f"{text}; {tr(step)}" if step and "; allowed: " not in text else text


def say_plan(plan: dict[str, Any], feedback: Any) -> None:
    """Writes into the log how a run is divided."""
    feedback.pushInfo(tr("{rows} x {cols} cells in {tiles} tiles, {radius} cells read around each").format(**plan))
    feedback.pushInfo(tr("{threads} threads, {mib} MiB").format(threads=plan["threads"], mib=plan["memory"] >> 20))
    for step in plan["steps"]:
        feedback.pushDebugInfo(step)


def warn_of_space(plan: dict[str, Any], output: str, feedback: Any) -> None:
    """Compressed files are smaller, so that too little space is no error yet."""
    folder = os.path.dirname(os.path.abspath(output))
    if os.path.isdir(folder) and shutil.disk_usage(folder).free < plan["output_bytes"]:
        text = tr("'{}' may be too small: up to {} MiB are written; free some space or choose another folder")
        feedback.pushWarning(text.format(folder, plan["output_bytes"] >> 20))
