"""Made-up scenes for the benchmark of stacks: DATES of one band, and SCENES of three.

Usage: make_stack.py FOLDER DATES SIDE SCENES SCENE_SIDE
"""
import datetime
import os
import sys

import numpy as np
import rasterio
from rasterio.transform import from_origin

folder, (dates, side, scenes, scene_side) = sys.argv[1], map(int, sys.argv[2:6])
random = np.random.default_rng(1)


def write(path, cells, **options):
    cells = np.atleast_3d(cells.T).T if cells.ndim == 2 else cells
    count, rows, cols = cells.shape
    tiles = dict(tiled=True, blockxsize=512, blockysize=512)
    place = dict(crs="EPSG:32633", transform=from_origin(500000, 5000000, 10, 10))
    options = {**tiles, **place, **options}
    with rasterio.open(path, "w", "GTiff", cols, rows, count, dtype=cells.dtype, **options) as out:
        out.write(cells)


def smooth(side):
    """Ground with some texture, so that it compresses about as scenes do."""
    y, x = np.mgrid[0:side, 0:side].astype("f4")
    return np.sin(x / 90) + np.cos(y / 70) + random.integers(0, 200, (side, side)).astype("f4") / 200


def of_each_day(count, side, bands):
    """Files of each date, compressed and plain. `bands` makes cells of a date from the ground and its number."""
    ground = smooth(side)
    start = datetime.date(2018, 1, 1)
    for number in range(count):
        day = f"{start + datetime.timedelta(days=365 * number // count):%Y%m%d}"
        cells = np.roll(ground, 37 * number, 1) * random.uniform(0.9, 1.1, ground.shape).astype("f4")
        for band, values in bands(cells, np.roll(ground, 91 * number, 0)).items():
            write(f"{folder}/deflate/{band}_{number:03}_{day}.tif", values, compress="deflate", num_threads=2)
            write(f"{folder}/plain/{band}_{number:03}_{day}.tif", values)


def scene(cells, clouds):
    """Red, near infrared, and a band of quality with clouds in bit 4."""
    red, nir = (cells * 1000 + 3000).astype("u2"), (cells * 1500 + 6000).astype("u2")
    return {"red": red, "nir": nir, "qa": np.where(clouds > 2, 16, 0).astype("u2")}


for name in ("deflate", "plain"):
    os.makedirs(f"{folder}/{name}", exist_ok=True)
of_each_day(dates, side, lambda cells, clouds: {"x": cells})
of_each_day(scenes, scene_side, scene)
large = smooth(10000)
bgr = np.stack([(large * 1000 + 3000 + 500 * band).astype("u2") for band in range(3)])
write(f"{folder}/bgr.tif", bgr, compress="zstd", zstd_level=1, predictor=2, num_threads=2, interleave="pixel")
index = ((bgr[2].astype("f4") - bgr[0]) / (bgr[2].astype("f4") + bgr[0])).astype("f4")
write(f"{folder}/ndvi.tif", index, compress="zstd", zstd_level=1, predictor=3, num_threads=2)
rgb = np.stack([(large[:5490, :5490] * 40 + 60 + 20 * band).astype("u1") for band in range(3)])
write(f"{folder}/rgb.tif", rgb, compress="zstd", zstd_level=1, predictor=2, num_threads=2, interleave="pixel")
classes = np.where(large[:5490, :5490] > 2, 9, 4).astype("u1")
write(f"{folder}/scl.tif", classes, compress="zstd", zstd_level=1, num_threads=2)
