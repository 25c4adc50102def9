"""What QGIS starts: the provider, a menu, a word about a missing library."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsApplication
from qgis.PyQt.QtWidgets import QAction, QMenu, QPushButton

from . import native
from .base import tr
from .library import library
from .provider import TerralumeProvider

MENU = ["preset", "visualizations", "skyviewfactor", "openness", "hillshade", "multihillshade", "slope", "slrm",
        "localdominance", "livelayer"]


class TerralumePlugin:
    """The plugin; `iface` is None in programs without windows."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._provider: TerralumeProvider | None = None
        self._menu: QMenu | None = None

    def initProcessing(self) -> None:
        """Adds the provider: all that qgis_process needs. Layers on the fly of a project need the library at once."""
        self._provider = TerralumeProvider()
        QgsApplication.processingRegistry().addProvider(self._provider)
        try:
            library()
        except native.LibraryMissing as error:
            self._say_missing(str(error))

    def initGui(self) -> None:
        """Adds the provider and a menu."""
        self.initProcessing()
        self._menu = QMenu("Terralume", self._iface.mainWindow())
        self._menu.setIcon(self._provider.icon())
        for name in MENU:
            algorithm = self._provider.algorithm(name)
            action = QAction(algorithm.icon(), algorithm.displayName(), self._menu)
            action.triggered.connect(lambda _, identity=algorithm.id(): self._open(identity))
            self._menu.addAction(action)
        self._iface.rasterMenu().addMenu(self._menu)

    def unload(self) -> None:
        """Takes everything away again."""
        if self._menu is not None:
            self._iface.rasterMenu().removeAction(self._menu.menuAction())
            self._menu.deleteLater()
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)

    def _open(self, identity: str) -> None:
        import processing

        processing.execAlgorithmDialog(identity)

    def _say_missing(self, text: str) -> None:
        if self._iface is None:
            return
        bar = self._iface.messageBar()
        message = bar.createMessage("Terralume", tr("The library was not found: algorithms cannot run yet."))
        button = QPushButton(tr("Locate..."))
        button.setToolTip(text)
        button.clicked.connect(self._locate)
        message.layout().addWidget(button)
        bar.pushWidget(message, Qgis.MessageLevel.Warning)

    def _locate(self) -> None:
        self._iface.showOptionsDialog(self._iface.mainWindow(), "processingOptions")
