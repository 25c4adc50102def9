"""Parameters of dialogs from the library's descriptions, and the values that users gave as the library's text."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
)

from . import catalog

UNITS = ["cells", "metres"]
RADIUS_UNIT = "RADIUS_UNIT"

Number = QgsProcessingParameterNumber.Type


def advanced(definition: QgsProcessingParameterDefinition) -> QgsProcessingParameterDefinition:
    """The parameter among those that a dialog folds away."""
    definition.setFlags(definition.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
    return definition


def helped(definition: QgsProcessingParameterDefinition, text: str) -> QgsProcessingParameterDefinition:
    """The parameter with its help."""
    definition.setHelp(text)
    return definition


def choice(name: str, label: str, words: list[str], default: int = 0) -> QgsProcessingParameterEnum:
    """One of several words; scripts give its number."""
    return QgsProcessingParameterEnum(name, label, options=words, defaultValue=default)


def number_text(value: float) -> str:
    """A number without the decimals it does not need: radii in cells are whole numbers."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def rows_of(cells: list[Any], headers: list[str]) -> list[dict[str, str]]:
    """Rows of a matrix by the names of its columns; cells that are not there are empty."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    texts += [""] * (-len(texts) % len(headers))
    return [dict(zip(headers, texts[start:start + len(headers)])) for start in range(0, len(texts), len(headers))]


class Field:
    """One parameter of an operation."""

    def __init__(self, operation: str, description: dict[str, Any]) -> None:
        self.name = description["name"]
        self.qgis_name = catalog.parameter_name(operation, self.name)
        self.kind = description["kind"]
        self.words = catalog.CHOICES.get((operation, self.name), description.get("choices", []))
        self._description = description

    def definition(self) -> QgsProcessingParameterDefinition:
        """The parameter for a dialog."""
        label, default = catalog.title(self.name), self._description["default"]
        if self.kind == "bool":
            made = QgsProcessingParameterBoolean(self.qgis_name, label, default)
        elif self.kind == "choice":
            made = choice(self.qgis_name, label, self.words, self.words.index(default))
        else:
            made = self._number(label, default)
        return helped(made, self._description["help"])

    def _number(self, label: str, default: float) -> QgsProcessingParameterNumber:
        unit = self._description["unit"]
        label = f"{label} ({unit})" if unit and self.kind != "length" else label
        kind = Number.Integer if self.kind == "int" else Number.Double
        made = QgsProcessingParameterNumber(self.qgis_name, label, kind, default)
        if self.kind == "length":
            # How many cells a length in metres is, only the library can tell.
            made.setMinimum(0)
        else:
            made.setMinimum(self._description["min"])
            made.setMaximum(self._description["max"])
        return made

    def text(self, algorithm: Any, parameters: dict[str, Any], context: Any) -> str:
        """The value as the library reads it."""
        if self.kind == "bool":
            return "true" if algorithm.parameterAsBool(parameters, self.qgis_name, context) else "false"
        if self.kind == "choice":
            return self.words[algorithm.parameterAsEnum(parameters, self.qgis_name, context)]
        if self.kind == "int":
            return str(algorithm.parameterAsInt(parameters, self.qgis_name, context))
        text = number_text(algorithm.parameterAsDouble(parameters, self.qgis_name, context))
        metres = self.kind == "length" and algorithm.parameterAsEnum(parameters, RADIUS_UNIT, context) == 1
        return text + "m" if metres else text


def of_operation(operation: str) -> list[Field]:
    """The parameters of an operation."""
    return [Field(operation, description) for description in catalog.OPERATIONS[operation]["parameters"]]


def radius_unit() -> QgsProcessingParameterDefinition:
    """Whether lengths are cells or metres."""
    made = choice(RADIUS_UNIT, "Unit of radii", UNITS)
    return advanced(helped(made, "What radii and distances are measured in. Metres are the unit of the coordinates."))
