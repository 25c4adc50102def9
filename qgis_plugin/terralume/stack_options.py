"""Options of commands over stacks as parameters of dialogs, and the values that users gave as the library's text."""

from __future__ import annotations

import re
from typing import Any

from qgis.core import (
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from . import catalog
from .base import tr
from .fields import Number, helped, number_text
from .files import FileAlgorithm, gdal_source

#: Options that a dialog shows without unfolding anything, in its order.
UNFOLDED = {
    "calc": ["expr", "type"],
    "rescale": ["src-nodata", "dst-nodata", "scale", "offset", "min", "max", "type"],
    "mask": ["mask", "dilate", "where-masked"],
    "reduce": ["stat", "group", "expr", "mask", "min-count"],
    "statistics": ["stat", "block", "expr", "mask"],
}

#: Options without which a command has nothing to do.
NEEDED = {("calc", "expr"), ("mask", "mask")}

#: Options that other parameters stand for, or that are about more than one file.
LEFT_OUT = {
    "input",
    "by",
    "profile",
    "tile-size",
    "overwrite",
    "threads",
    "memory",
    "format",
    "co",
    "overviews",
    "overview-resampling",
}

LABELS = {
    "as": "Form of the table",
    "block": "Side of blocks (cells)",
    "dilate": "Grow masks by (cells)",
    "dst-nodata": "Nodata value of the output",
    "expr": "Formula",
    "mask": "Masks",
    "min-count": "Least number of values",
    "names": "Names of bands",
    "src-nodata": "Values without data",
    "stat": "Statistics",
    "type": "Type of the output",
}


def parameter_name(option: str) -> str:
    """`mask-outside` as QGIS calls it."""
    return option.replace("-", "_").upper()


class OptionField:
    """One option of a command as a parameter. Without a value the library's default counts."""

    def __init__(self, command: str, option: str) -> None:
        description = catalog.STACK_OPTIONS[option]
        self.option, self.qgis_name = option, parameter_name(option)
        self._repeated, self._allowed = description["repeated"], description["allowed"]
        self._words = description.get("choices", [])
        self._optional = (command, option) not in NEEDED
        formula = command == "calc" and option == "expr"
        self._help = catalog.STACK["calc"]["formula"] if formula else description["help"]

    def definition(self) -> Any:
        """The parameter for a dialog."""
        text = re.sub(r"--([a-z-]+)", lambda found: parameter_name(found[1]), self._help)
        text += tr("; one in each line") if self._repeated else ""
        return helped(self._made(tr(LABELS.get(self.option, catalog.title(self.option.replace("-", " "))))), text + ".")

    def _made(self, label: str) -> Any:
        name, optional = self.qgis_name, self._optional
        if self._words:
            return QgsProcessingParameterEnum(name, label, self._words, False, None, optional)
        if self._allowed == "true, false":
            return QgsProcessingParameterBoolean(name, label, False)
        if self._allowed == "a raster":
            return QgsProcessingParameterRasterLayer(name, label, None, optional)
        if self._allowed == "a file":
            return QgsProcessingParameterFile(name, label, optional=optional)
        if self._is_number():
            kind = Number.Integer if self._allowed.startswith("a whole number") else Number.Double
            return QgsProcessingParameterNumber(name, label, kind, None, optional)
        lines = self._repeated or self._allowed == "a formula"
        return QgsProcessingParameterString(name, label, None, lines, optional)

    def _is_number(self) -> bool:
        # A dialog has no number that is none, and none that may be something else.
        return re.match(r"a (whole )?number\b", self._allowed) is not None and ", or " not in self._allowed

    def values(self, algorithm: FileAlgorithm, parameters: dict[str, Any], context: Any) -> list[str]:
        """What was given, as the library reads it."""
        name = self.qgis_name
        if parameters.get(name) in (None, ""):
            return []
        if self._words:
            return [self._words[algorithm.parameterAsEnum(parameters, name, context)]]
        if self._allowed == "true, false":
            return ["true"] if algorithm.parameterAsBool(parameters, name, context) else []
        if self._allowed == "a raster":
            return [gdal_source(algorithm.parameterAsRasterLayer(parameters, name, context), name)]
        if self._is_number():
            return [number_text(algorithm.parameterAsDouble(parameters, name, context))]
        text = algorithm.text(parameters, name, context)
        return lines_of(text) if self._repeated else [text] if text else []


def lines_of(text: str) -> list[str]:
    """Lines that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]
