"""What all algorithms that write rasters share: the file's form, what a run may take, progress, errors."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessingException,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from . import catalog
from .base import TerralumeAlgorithm, tr
from .fields import Number, advanced, choice, helped
from .native import Cancelled, LibraryMissing, TerralumeError

#: Those of one file, which QGIS has names for.
FORMATS = [word for word in catalog.words("format") if word in ("GTiff", "COG")]

#: Status of the library: an output cannot be written.
OUTPUT_ERROR = 5

#: What to do about errors of the library that do not say what is allowed, by status.
NEXT_STEPS = {
    4: "choose another layer, or repair this one",
    OUTPUT_ERROR: "choose another output, or free some space there",
    7: "free some memory, or allow less with MEMORY_MB",
    8: "install GDAL 3.5 or newer",
    10: "please report this",
    11: "please report this, and start QGIS anew",
}


class FileAlgorithm(TerralumeAlgorithm):
    """An algorithm that writes rasters."""

    def add_advanced(self, definition: Any, text: str) -> None:
        """Adds a parameter that is folded away."""
        self.addParameter(advanced(helped(definition, text)))

    def add_form_parameters(self) -> None:
        """Adds how the file is written."""
        parts = catalog.OPTION_HELP["format"].split("; ")
        self.add_advanced(choice("FORMAT", tr("Format"), FORMATS),
                          "; ".join(part for part in parts if part.split(":")[0] in FORMATS))
        creation = QgsProcessingParameterString("CREATION_OPTIONS", tr("Creation options"), "", False, True)
        if Qgis.QGIS_VERSION_INT >= 33000:
            widget = {"widget_type": "rasteroptions"}
        else:
            widget = {"class": "processing.algs.gdal.ui.RasterOptionsWidget.RasterOptionsWidgetWrapper"}
        creation.setMetadata({"widget_wrapper": widget})
        self.add_advanced(creation, tr("Options of the file's format, such as COMPRESS=LZW, with | between them."))

    def add_file_parameters(self) -> None:
        """Adds how the file is written and what the run may take."""
        self.add_form_parameters()
        overviews = QgsProcessingParameterBoolean("OVERVIEWS", tr("Overviews"), False)
        self.add_advanced(overviews, catalog.OPTION_HELP["overviews"])
        self.add_machine_parameters()

    def add_machine_parameters(self) -> None:
        """Adds what the run may take."""
        threads = QgsProcessingParameterNumber("THREADS", tr("Threads"), Number.Integer, 0, False, 0)
        self.add_advanced(threads, tr("{}; 0: as QGIS is set.").format(catalog.OPTION_HELP["threads"]))
        memory = QgsProcessingParameterNumber("MEMORY_MB", tr("Memory (MiB)"), Number.Integer, 0, False, 0)
        self.add_advanced(memory, tr("{}; 0: {}.").format(
            catalog.OPTION_HELP["memory"].split(",")[0], catalog.OPTION_DEFAULT["memory"]))

    def text(self, parameters: dict[str, Any], name: str, context: Any) -> str:
        """A text without blanks around it."""
        return (self.parameterAsString(parameters, name, context) or "").strip()

    def creation_options(self, parameters: dict[str, Any], context: Any) -> list[str]:
        """Pairs of KEY=VALUE."""
        return [option for option in self.text(parameters, "CREATION_OPTIONS", context).split("|") if option]

    def form(self, parameters: dict[str, Any], context: Any) -> str:
        """The format of the file."""
        return FORMATS[self.parameterAsEnum(parameters, "FORMAT", context)]

    def file_options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """How the file is written and what the run may take, as the library reads it."""
        given = [("format", self.form(parameters, context))]
        given += [("co", option) for option in self.creation_options(parameters, context)]
        if self.parameterAsBool(parameters, "OVERVIEWS", context):
            given.append(("overviews", "true"))
        return given + self.machine_options(parameters, context)

    def machine_options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """What the run may take, as the library reads it. QGIS has asked before it replaces a file."""
        given = [("overwrite", "true")]
        threads = self.parameterAsInt(parameters, "THREADS", context) or QgsApplication.maxThreads()
        if threads > 0:
            given.append(("threads", str(threads)))
        memory = self.parameterAsInt(parameters, "MEMORY_MB", context)
        return given + ([("memory", f"{memory}M")] if memory else [])


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


def gdal_source(layer: Any, name: str) -> str:
    """What GDAL opens for the layer that was given as the parameter `name`."""
    if layer is None:
        raise TerralumeError(tr("{} is no raster layer; choose one").format(name))
    if layer.providerType() != "gdal":
        raise TerralumeError(tr(
            "layer '{}' comes from '{}', not from GDAL; export it to a GeoTIFF first (Export > Save As)"
        ).format(layer.name(), layer.providerType()))
    return layer.source().split("|option:")[0]


def sentence(error: Exception) -> str:
    """What went wrong, with a next step."""
    text, step = str(error), NEXT_STEPS.get(getattr(error, "status", 0), "")
    return f"{text}; {tr(step)}" if step and "; allowed: " not in text else text


@contextmanager
def errors_for_processing() -> Iterator[None]:
    """What goes wrong inside becomes QGIS's exception, which a dialog shows and qgis_process ends with."""
    try:
        yield
    except (Cancelled, KeyboardInterrupt):
        raise QgsProcessingException(tr("Cancelled; no output was written")) from None
    except (TerralumeError, LibraryMissing) as error:
        raise QgsProcessingException(sentence(error)) from None


def accepted(check: Any) -> tuple[bool, str]:
    """What QGIS wants to hear of a check before a run."""
    try:
        check()
    except (TerralumeError, LibraryMissing) as error:
        return False, sentence(error)
    return True, ""


def warn_of_space(plan: dict[str, Any], output: str, feedback: Any) -> None:
    """Compressed files are smaller, so that too little space is no error yet."""
    folder = os.path.dirname(os.path.abspath(output))
    if os.path.isdir(folder) and shutil.disk_usage(folder).free < plan["output_bytes"]:
        text = tr("'{}' may be too small: up to {} MiB are written; free some space or choose another folder")
        feedback.pushWarning(text.format(folder, plan["output_bytes"] >> 20))
