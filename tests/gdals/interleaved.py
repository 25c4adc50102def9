"""Requests of every shape through osgeo: what NAME gives is what FILE gives, bit for bit.

    interleaved.py NAME FILE
"""

import sys

import numpy
from osgeo import gdal

gdal.UseExceptions()


def strided(data, bands, pixel, line, band, kind):
    """A window in a buffer with room between its cells; what is not written stays 170."""
    window = (450, 440, 150, 160)
    size = line * window[3] if band < line else band * len(bands)
    buffer = bytearray(b"\xaa" * size)
    data.ReadRaster(
        *window,
        buf_type=kind,
        band_list=bands,
        buf_pixel_space=pixel,
        buf_line_space=line,
        buf_band_space=band,
        buf_obj=buffer,
    )
    return bytes(buffer)


def main():
    shown, file = gdal.Open(sys.argv[1]), gdal.Open(sys.argv[2])
    count = file.RasterCount
    assert shown.RasterCount == count and count in (3, 4), count
    for interleave in ("band", "pixel"):
        for kind in (gdal.GDT_Byte, gdal.GDT_UInt16, gdal.GDT_Float64):
            found, expected = (
                data.ReadAsArray(13, 501, 300, 40, buf_type=kind, interleave=interleave) for data in (shown, file)
            )
            assert found.shape == expected.shape and numpy.array_equal(found, expected), (interleave, kind)
    everything = list(range(1, count + 1))
    for bands in (everything, everything[::-1], [2], [3, 1], [1, 1, 2]):
        n = len(bands)
        for kind, size in ((gdal.GDT_Byte, 1), (gdal.GDT_Float32, 4)):
            for pixel, line, band in (
                (n * size, n * size * 150, size),
                (size, size * 150, size * 150 * 160),
                ((n + 2) * size, (n + 2) * size * 150 + 64, size),
                (3 * size, 3 * size * 150 + 8, (3 * size * 150 + 8) * 160),
            ):
                found, expected = (strided(data, bands, pixel, line, band, kind) for data in (shown, file))
                assert found == expected, (bands, kind, pixel, line, band)
    # One row after the other, and columns.
    for row in range(505, 520):
        assert shown.ReadRaster(0, row, 600, 1) == file.ReadRaster(0, row, 600, 1)
    for col in range(508, 516):
        assert shown.ReadRaster(col, 0, 1, 600) == file.ReadRaster(col, 0, 1, 600)
    # One cell: what a click in a map asks for.
    band, other = shown.GetRasterBand(count), file.GetRasterBand(count)
    for number in range(300):
        place = (number * 197 % 600, number * 389 % 600, 1, 1)
        assert shown.ReadRaster(*place) == file.ReadRaster(*place), place
        assert band.ReadRaster(*place) == other.ReadRaster(*place), place
    # GDAL's own threads.
    whole = file.ReadRaster()
    for threads in ("1", "3", "ALL_CPUS"):
        assert gdal.OpenEx(sys.argv[1], open_options=["NUM_THREADS=" + threads]).ReadRaster() == whole, threads
        gdal.SetConfigOption("GDAL_NUM_THREADS", threads)
        assert gdal.Open(sys.argv[1]).ReadRaster() == whole, threads
        gdal.SetConfigOption("GDAL_NUM_THREADS", None)


main()
