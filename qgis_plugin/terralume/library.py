"""The one library of the process, and the setting that says where it is."""

from __future__ import annotations

import platform
from pathlib import Path

from osgeo import gdal
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtCore import QCoreApplication

from . import native

#: Name of the setting among those of Processing.
SETTING = "TERRALUME_LIBRARY"

FOLDER = Path(__file__).parent


def library() -> native.Library:
    """The library, which shares QGIS's GDAL; LibraryMissing says what to do when there is none."""
    setting = QgsSettings().value(f"Processing/Configuration/{SETTING}", "") or ""
    folders = [FOLDER / "lib" / f"{platform.system()}-{platform.machine()}".lower(),
               Path(QgsApplication.prefixPath(), "lib")]
    found = native.load(setting, folders, gdal.GetConfigOption("GDAL_DRIVER_PATH") or "")
    if not found.shares_gdal(gdal.SetConfigOption):
        other = found.gdal()
        raise native.LibraryMissing(QCoreApplication.translate("Terralume", (
            "Terralume library '{}' uses GDAL {} at '{}', QGIS uses another one, {}: it would not see your layers; "
            "start QGIS without LD_PRELOAD, or install the library for QGIS's GDAL")
        ).format(found.path, other["release"], other["library"], gdal.VersionInfo("RELEASE_NAME")))
    found.register_gdal()
    return found
