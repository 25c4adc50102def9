"""A processed dataset, read zoomed out: as the picture of that scale, and further than pictures go.

    zoomed.py RASTER HALF
"""

import sys
from pathlib import Path

import numpy
import rasterio

raster, half = sys.argv[1:]
with rasterio.open(raster) as data:
    assert data.overviews(1) == [2, 4, 8], data.overviews(1)
    expected = numpy.frombuffer(Path(half).read_bytes(), "float32").reshape(300, 300)
    found = data.read(1, out_shape=(300, 300))
    assert numpy.array_equal(found, expected, equal_nan=True)
    window = data.read(1, window=((100, 300), (200, 400)), out_shape=(100, 100))
    assert numpy.array_equal(window, expected[50:150, 100:200], equal_nan=True)
    # Pictures end at 150 cells, the elevations' overviews at 75.
    quarter, eighth = (data.read(1, out_shape=(side, side)) for side in (150, 75))
    assert numpy.array_equal(eighth, quarter[1::2, 1::2], equal_nan=True)
