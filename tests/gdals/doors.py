"""One way of reading rasters, through each program that has a GDAL: `osgeo`, `rasterio`, `pyogrio`, or the path of a libgdal.

Every door has the same methods: `read` gives the bytes of a window, bands one after the other, and raises `Refused` with
GDAL's words. All that a door knows of Terralume is what GDAL_DRIVER_PATH tells its GDAL.
"""

import ctypes
import importlib.util
import os
from pathlib import Path

FLOAT32, BYTE = 6, 1


class Refused(Exception):
    """What GDAL said."""


class Osgeo:
    name = "osgeo"

    def __init__(self):
        from osgeo import gdal

        self.gdal = gdal
        gdal.UseExceptions()

    def version(self):
        return self.gdal.VersionInfo("RELEASE_NAME")

    def read(self, name, window=None):
        try:
            data = self.gdal.Open(name)
            window = window or (0, 0, data.RasterXSize, data.RasterYSize)
            return bytes(data.ReadRaster(*window))
        except RuntimeError as error:
            raise Refused(str(error)) from None

    def read_scaled(self, name, cols, rows):
        data = self.gdal.Open(name)
        return bytes(data.ReadRaster(0, 0, data.RasterXSize, data.RasterYSize, cols, rows))

    def last_error(self):
        return self.gdal.GetLastErrorMsg()

    def forget_errors(self):
        self.gdal.ErrorReset()


class Rasterio:
    name = "rasterio"

    def __init__(self):
        import rasterio
        import rasterio.windows

        self.rasterio = rasterio

    def version(self):
        return self.rasterio.__gdal_version__

    def read(self, name, window=None):
        try:
            with self.rasterio.open(name) as data:
                window = window and self.rasterio.windows.Window(*window)
                return data.read(window=window).tobytes()
        except self.rasterio.errors.RasterioError as error:
            words = []
            while error is not None:
                words.append(str(error))
                error = error.__cause__ or error.__context__
            raise Refused("; ".join(words)) from None

    def read_scaled(self, name, cols, rows):
        with self.rasterio.open(name) as data:
            return data.read(out_shape=(data.count, rows, cols)).tobytes()

    # rasterio takes errors off GDAL itself.
    def last_error(self):
        return ""

    def forget_errors(self):
        pass


class Bare:
    """A libgdal as it is, called as C calls it."""

    def __init__(self, path, name=None):
        self.name = name or str(path)
        self.library = library = ctypes.CDLL(str(path))
        library.GDALVersionInfo.restype = ctypes.c_char_p
        library.CPLGetLastErrorMsg.restype = ctypes.c_char_p
        for function in ("GDALOpen", "GDALOpenEx", "GDALGetRasterBand"):
            getattr(library, function).restype = ctypes.c_void_p
        library.GDALAllRegister()
        self.quiet = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_int, ctypes.c_char_p)(lambda *_: None)
        library.CPLSetErrorHandler(self.quiet)

    def version(self):
        return self.library.GDALVersionInfo(b"RELEASE_NAME").decode()

    def open(self, name, flags=0x02 | 0x40):
        self.library.CPLErrorReset()
        data = self.library.GDALOpenEx(name.encode(), flags, None, None, None)
        if not data:
            raise Refused(self.last_error())
        return ctypes.c_void_p(data)

    def read_scaled(self, name, cols, rows):
        data = self.open(name)
        try:
            return self.read_from(data, size=(cols, rows))
        finally:
            self.library.GDALClose(data)

    def read_from(self, data, window=None, size=None):
        library = self.library
        bands = library.GDALGetRasterCount(data)
        window = window or (0, 0, library.GDALGetRasterXSize(data), library.GDALGetRasterYSize(data))
        kind = library.GDALGetRasterDataType(ctypes.c_void_p(library.GDALGetRasterBand(data, 1)))
        size = size or window[2:]
        buffer = ctypes.create_string_buffer(bands * size[0] * size[1] * {FLOAT32: 4, BYTE: 1}[kind])
        library.CPLErrorReset()
        failed = library.GDALDatasetRasterIO(
            data, 0, *window, buffer, *size, kind, bands, None, 0, 0, 0
        )
        if failed:
            raise Refused(self.last_error())
        return buffer.raw

    def read(self, name, window=None):
        data = self.open(name)
        try:
            return self.read_from(data, window)
        finally:
            words = self.last_error()
            self.library.GDALClose(data)
            # What went wrong must still be there for those who ask.
            assert not words or self.last_error()

    def last_error(self):
        return self.library.CPLGetLastErrorMsg().decode()

    def forget_errors(self):
        self.library.CPLErrorReset()


def library_beside(package):
    """The libgdal of a wheel."""
    folder = Path(importlib.util.find_spec(package).origin).parent.parent / f"{package}.libs"
    (library,) = folder.glob("libgdal*.so*")
    return library


def door(name):
    if name == "osgeo":
        return Osgeo()
    if name == "rasterio":
        return Rasterio()
    if name == "pyogrio":
        # It reads no rasters, but its GDAL does.
        import pyogrio

        assert pyogrio.__gdal_version__
        return Bare(library_beside("pyogrio"), "pyogrio")
    # An unpacked wheel.
    folder = Path(name)
    for variable in ("PROJ_DATA", "PROJ_LIB"):
        os.environ[variable] = str(folder / "rasterio/proj_data")
    os.environ["GDAL_DATA"] = str(folder / "rasterio/gdal_data")
    (library,) = (folder / "rasterio.libs").glob("libgdal*.so*")
    return Bare(library, name)
