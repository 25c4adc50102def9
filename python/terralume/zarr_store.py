"""Zarr of format 2, which GDAL 3.6 and QGIS 3.22 read: made empty by one process, filled chunk by chunk by many."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arrays import Tile
from .errors import WriteFailed, need
from .mosaic import Frame
from .supertiles import BLOCK

#: Name of the array in the store.
NAME = "result"


def create(store: str, frame: Frame) -> None:
    """Makes the store, with coordinates and reference system, and no chunks yet."""
    zarr = need("zarr", "writing Zarr")
    several = len(frame.bands) > 1
    shape = (*((len(frame.bands),) if several else ()), frame.rows, frame.cols)
    chunks = (*((len(frame.bands),) if several else ()), min(BLOCK, frame.rows), min(BLOCK, frame.cols))
    fill = frame.nodata if frame.nodata is not None else 0
    try:
        group = zarr.open_group(store, mode="w", zarr_format=2)
        array = group.create_array(
            NAME, shape=shape, chunks=chunks, dtype=frame.dtype, fill_value=math.nan if math.isnan(fill) else fill)
        array.attrs.update({
            "_ARRAY_DIMENSIONS": [*(["band"] if several else []), "y", "x"], "grid_mapping": "spatial_ref"})
        if several:
            _coordinate(group, "band", np.arange(1, len(frame.bands) + 1))
            array.attrs["long_name"] = list(frame.bands)
        if frame.transform is not None:
            left, width, _, top, _, height = frame.transform
            _coordinate(group, "x", left + width * (np.arange(frame.cols) + 0.5))
            _coordinate(group, "y", top + height * (np.arange(frame.rows) + 0.5))
        if frame.crs:
            array.attrs["_CRS"] = {"wkt": frame.crs}
            reference = group.create_array("spatial_ref", shape=(), dtype="int32")
            reference.attrs.update({"_ARRAY_DIMENSIONS": [], "crs_wkt": frame.crs, "spatial_ref": frame.crs})
    except OSError as error:
        raise WriteFailed(f"'{store}' cannot be written: {error}") from None


def _coordinate(group: Any, name: str, values: np.ndarray) -> None:
    array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=values.shape)
    array[:] = values
    array.attrs["_ARRAY_DIMENSIONS"] = [name]


def write(store: str, tile: Tile, cells: np.ndarray) -> None:
    """Writes whole chunks: nobody else has a part of them."""
    array = need("zarr", "writing Zarr").open_group(store, mode="r+", zarr_format=2)[NAME]
    rows, cols = slice(tile.row, tile.row + tile.rows), slice(tile.col, tile.col + tile.cols)
    if array.ndim == 3:
        array[:, rows, cols] = cells
    else:
        array[rows, cols] = cells[0]


def finish(store: str) -> None:
    """Puts all descriptions into one file, so that readers ask once."""
    need("zarr", "writing Zarr").consolidate_metadata(store, zarr_format=2)
