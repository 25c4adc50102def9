"""What all algorithms have in common: names, help, icons, and whether the library is there."""

from __future__ import annotations

import difflib
from typing import Any

from qgis.core import QgsProcessingAlgorithm, QgsProcessingParameterRasterDestination
from qgis.PyQt.QtCore import QCoreApplication, QUrl
from qgis.PyQt.QtGui import QIcon

from . import catalog
from .library import library
from .native import LibraryMissing


def tr(text: str) -> str:
    """The text in the user's language."""
    return QCoreApplication.translate("Terralume", text)


class TerralumeAlgorithm(QgsProcessingAlgorithm):
    """An algorithm of this plugin; knows its provider, from which it has the library."""

    NAME, TITLE, GROUP = "", "", ("", "")
    SUMMARY, REFERENCE, TAGS = "", "", ""

    def name(self) -> str:
        return self.NAME

    def displayName(self) -> str:
        return tr(self.TITLE)

    def group(self) -> str:
        return tr(self.GROUP[1])

    def groupId(self) -> str:
        return self.GROUP[0]

    def shortDescription(self) -> str:
        return tr(self.SUMMARY)

    def shortHelpString(self) -> str:
        rows = [f"<p>{tr(self.SUMMARY)}</p>"]
        if self.picture_file().endswith(".jpg"):
            rows.append(f'<p><img src="{QUrl.fromLocalFile(self.picture_file()).toString()}"></p>')
        explained = [item for item in self.parameterDefinitions() if item.help()]
        rows += [f"<b>{item.description()}</b>: {item.help()}<br>" for item in explained]
        rows += [self.details()] if self.details() else []
        return "\n".join(rows + ([f"<p><i>{self.REFERENCE}</i></p>"] if self.REFERENCE else []))

    def details(self) -> str:
        """What the help says below the parameters."""
        return ""

    def helpUrl(self) -> str:
        url = QUrl.fromLocalFile(str(catalog.FOLDER / "help.html"))
        url.setFragment(self.NAME)
        return url.toString()

    def tags(self) -> list[str]:
        return ["dem", "dtm", "lidar", "relief", "terrain", "archaeology", "rvt", "visualisation", *self.TAGS.split()]

    def picture_file(self) -> str:
        """A picture of what the algorithm shows, or the plugin's."""
        own = catalog.FOLDER / "pictures" / f"{self.NAME}.jpg"
        return str(own if own.exists() else catalog.FOLDER / "icon.svg")

    def svgIconPath(self) -> str:
        return str(catalog.FOLDER / "icon.svg")

    def icon(self) -> QIcon:
        return QIcon(self.picture_file())

    def createInstance(self) -> TerralumeAlgorithm:
        return type(self)()

    def canExecute(self) -> tuple[bool, str]:
        try:
            self.library()
        except LibraryMissing as error:
            return False, str(error).replace(": ", ":<br>", 1).replace("; ", "<br>")
        return True, ""

    def library(self) -> Any:
        """The library; LibraryMissing says why there is none."""
        return library()

    def checkParameterValues(self, parameters: dict[str, Any], context: Any) -> tuple[bool, str]:
        for item in self.destinationParameterDefinitions():
            if isinstance(item, QgsProcessingParameterRasterDestination) and parameters.get(item.name()):
                fine, text = self.provider().isSupportedOutputValue(parameters[item.name()], item, context)
                if not fine:
                    return False, tr("{}; choose a name that ends in .tif").format(text)
        return super().checkParameterValues(parameters, context)

    def warn_of_unknown(self, parameters: dict[str, Any], feedback: Any) -> None:
        """QGIS ignores names that it does not know: a script should hear of its mistake."""
        known = [item.name() for item in self.parameterDefinitions()]
        for name in parameters:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1) or known[:1]
                text = tr("Parameter {} is not known and has no effect; nearest: {}")
                feedback.pushWarning(text.format(name, near[0]))
