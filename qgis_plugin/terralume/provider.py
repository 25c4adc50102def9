"""The provider: its algorithms and its setting."""

from __future__ import annotations

import os
from typing import Any

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import blend, catalog, live, native, stack, tools, visualize
from .base import tr
from .library import SETTING, library

FORMATS = ["tif"]
#: Algorithms that are more than one operation.
OTHERS = [
    visualize.OpennessAlgorithm, visualize.SkyViewSet, visualize.SeveralAlgorithm, blend.PresetAlgorithm,
    blend.BlendAlgorithm, blend.NormalizeAlgorithm, live.LiveLayer, live.Materialize, tools.PlanAlgorithm,
    stack.Calc, stack.NormalisedDifference, stack.Rescale, stack.Mask, stack.Reduce, stack.Statistics,
]


class TerralumeProvider(QgsProcessingProvider):
    """Terralume in the toolbox."""

    def id(self) -> str:
        return "terralume"

    def name(self) -> str:
        return "Terralume"

    def longName(self) -> str:
        return f"Terralume ({self.versionInfo() or tr('library missing')})"

    def versionInfo(self) -> str:
        try:
            return library().version()
        except native.LibraryMissing:
            return ""

    def warningMessage(self) -> str:
        try:
            library()
        except native.LibraryMissing as error:
            return str(error)
        return ""

    def icon(self) -> QIcon:
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        return str(catalog.FOLDER / "icon.svg")

    def load(self) -> bool:
        ProcessingConfig.settingIcons[self.name()] = self.icon()
        ProcessingConfig.addSetting(Setting(
            self.name(), SETTING, tr("Terralume library (empty: it is looked for)"), "",
            valuetype=Setting.FILE, validator=check_file))
        ProcessingConfig.readSettings()
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        ProcessingConfig.removeSetting(SETTING)

    def loadAlgorithms(self) -> None:
        hidden = ("fill_nodata", *visualize.OpennessAlgorithm.OPERATIONS)
        for operation in catalog.OPERATIONS:
            if operation not in hidden:
                self.addAlgorithm(visualize.OperationAlgorithm(operation))
        for made in OTHERS:
            self.addAlgorithm(made())
        self.addAlgorithm(visualize.OperationAlgorithm("fill_nodata", tools.GROUP))

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        return FORMATS

    def defaultRasterFileExtension(self) -> str:
        return FORMATS[0]

    def supportsNonFileBasedOutput(self) -> bool:
        return False


def check_file(value: Any) -> None:
    """The setting names a file, or nothing."""
    if value and not os.path.isfile(value):
        raise ValueError(tr("'{}' does not exist; choose the library's file, or leave it empty").format(value))
