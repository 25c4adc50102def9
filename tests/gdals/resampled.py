"""Zoomed-out reads through osgeo and rasterio: of NAME, and of the files that hold the pictures of coarser elevations.

    resampled.py NAME HALF QUARTER

At 50 and 25 % they are those pictures, at 10 % what GDAL makes of the smaller one.
"""

import sys

import numpy
import rasterio
from osgeo import gdal

gdal.UseExceptions()
name, half, quarter = sys.argv[1:]


def same(found, expected, *words):
    assert found.shape == expected.shape and numpy.array_equal(found, expected, equal_nan=True), (name, *words)


def main():
    for file, side in ((half, 300), (quarter, 150), (quarter, 60)):
        shown, coarse = gdal.Open(name), gdal.Open(file)
        expected = coarse.ReadAsArray(buf_xsize=side, buf_ysize=side)
        same(shown.ReadAsArray(buf_xsize=side, buf_ysize=side), expected, side, "osgeo")
        with rasterio.open(name) as data:
            # Through another GDAL: the file as well, which nearest cells are taken is its affair.
            with rasterio.open(file) as expected:
                sizes = {"out_shape": (data.count, side, side)}
                same(data.read(**sizes), expected.read(**sizes), side, "rasterio")
    # A part of the map: window and zoom at once.
    same(
        gdal.Open(name).ReadAsArray(120, 360, 240, 160, buf_xsize=60, buf_ysize=40),
        gdal.Open(quarter).ReadAsArray(30, 90, 60, 40),
        "window",
    )
    # Cells between full size and half come from full size.
    full = gdal.Open(name).ReadAsArray()
    near = gdal.Open(name).ReadAsArray(buf_xsize=400, buf_ysize=400)
    places = (numpy.arange(400) * 1.5 + 0.75).astype(int)
    same(near, full[..., places[:, None], places], "two thirds")


main()
