"""QGIS Server: makes layers on the fly known to its GDAL."""

from __future__ import annotations

from typing import Any

from qgis.core import Qgis, QgsMessageLog

from . import native
from .library import library


class TerralumeServer:
    """Loads the library once."""

    def __init__(self, server_iface: Any) -> None:
        try:
            library()
        except native.LibraryMissing as error:
            QgsMessageLog.logMessage(str(error), "Terralume", Qgis.MessageLevel.Critical)
