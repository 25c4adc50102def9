"""Arrays into files: every chunk into a file of its own, then all into one; and Zarr."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import georeference, labelled
from .arrays import Tile
from .errors import BadArgument, BadArray, Cancelled, WriteFailed, need
from .mosaic import GDAL_TYPES, Frame, gather, write_tile, write_vrt
from .progress import Progress, Report, reporting


def check_target(path: str, overwrite: bool) -> None:
    """Refuses what is there already, and folders that are not.

    Raises `WriteFailed`."""
    if os.path.exists(path) and not overwrite:
        raise WriteFailed(f"'{path}' exists; allowed: another name, or overwrite=True")
    if not os.path.isdir(os.path.dirname(path)):
        raise WriteFailed(f"'{path}': there is no such folder; allowed: a folder that is there")


def write(
    agg: Any, target: str, driver: str, now: bool, creation: Sequence[str] | None, progress: Progress
) -> Any:
    """Writes a labelled array; gives the path, or with `now=False` a Delayed that does."""
    frame = frame_of(agg)
    if not labelled.is_dask(agg.data):
        cells = np.asarray(agg.data).reshape(len(frame.bands), frame.rows, frame.cols)
        return _write_small(cells, frame, target, driver, creation)
    delayed = need("dask", "lazy arrays").delayed
    folder = f"{target}.{os.getpid()}.tiles"
    data = agg.data if agg.data.ndim == 3 else agg.data[None]
    data = data.rechunk({0: -1})
    blocks = data.to_delayed()[0]
    # Made once: a chunk that comes late must not bring back a folder that has gone.
    made = delayed(_make_folder, pure=False)(folder)
    tiles, tasks = [], []
    for row, blocks_of_row in zip(_starts(data.chunks[1]), blocks):
        for col, block in zip(_starts(data.chunks[2]), blocks_of_row):
            tile = Tile(row[0], col[0], row[1], col[1])
            tiles.append(tile)
            tasks.append(delayed(_write_block, pure=False)(made, block, frame, tile))
    whole = delayed(_finish, pure=False)(tasks, tiles, (folder, target, driver), frame, creation)
    if not now:
        return whole
    with reporting(progress, "terralume") as report:
        if not report(0.0, "computing"):
            raise Cancelled("the run was cancelled; no output was written")
        try:
            result = _computed(whole, tasks, report)
        except BaseException:  # Ctrl-C as well
            _remove_folder(folder)
            raise
        report(1.0, "done")
    return result


#: Share of the progress that computing takes; the rest is for putting tiles together.
_COMPUTING = 0.9


def _computed(whole: Any, tasks: Sequence[Any], report: Report) -> Any:
    """Computes with the scheduler that dask would take, and says how far it is.

    Raises `Cancelled` when nobody wants to go on."""
    done, count = 0, len(tasks)

    def tell() -> None:
        if not report(_COMPUTING * done / count, "computing" if done < count else "finishing"):
            raise Cancelled("the run was cancelled; no output was written")

    client = getattr(need("dask.base", "lazy arrays").get_scheduler(collections=[whole]), "__self__", None)
    if client is None:

        def count_tile(key: Any, *_: Any) -> None:
            nonlocal done
            done += str(key).startswith(_write_block.__name__)
            tell()

        with need("dask.callbacks", "lazy arrays").Callback(posttask=count_tile):
            return whole.compute()
    # A cluster: each tile is asked for, so that it is known when it is there.
    future, *tiles = client.compute([whole, *tasks])
    try:
        while not future.done():
            time.sleep(0.1)
            done = sum(tile.done() for tile in tiles)
            tell()
        return future.result()
    except BaseException:  # Ctrl-C as well
        client.cancel([future, *tiles])
        raise


def _starts(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """First cell and number of cells of every chunk."""
    ends = np.cumsum(sizes)
    return [(int(end - size), int(size)) for end, size in zip(ends, sizes)]


def _make_folder(folder: str) -> str:
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise WriteFailed(f"'{folder}' cannot be made: {error}") from None
    return folder


def _remove_folder(folder: str) -> None:
    """Removes it at once for others, who may still be writing a tile, and then from the disk."""
    gone = f"{folder}.gone"
    try:
        os.replace(folder, gone)
    except OSError:  # it was not made, or has been removed
        return
    shutil.rmtree(gone, ignore_errors=True)


def _write_block(folder: str, cells: np.ndarray, frame: Frame, tile: Tile) -> str:
    return write_tile(os.path.join(folder, f"tile_{tile.row}_{tile.col}.tif"), np.asarray(cells), frame, tile)


def _finish(
    paths: list[str], tiles: list[Tile], place: tuple[str, str, str], frame: Frame, creation: Sequence[str] | None
) -> str:
    folder, target, driver = place
    vrt = os.path.join(folder, "mosaic.vrt")
    try:
        write_vrt(vrt, frame, list(zip(tiles, paths)))
        return gather(vrt, target, driver, creation)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_small(cells: np.ndarray, frame: Frame, target: str, driver: str, creation: Sequence[str] | None) -> str:
    folder = f"{target}.{os.getpid()}.tiles"
    tile = Tile(0, 0, frame.rows, frame.cols)
    Path(folder).mkdir()
    try:
        path = write_tile(os.path.join(folder, "tile.tif"), cells, frame, tile)
        return _finish([path], [tile], (folder, target, driver), frame, creation)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def frame_of(agg: Any) -> Frame:
    """Size, type, place and names of a labelled array.

    Raises `BadArray` for more than one dimension beside rows and columns, and for types that rasters do not have."""
    need("rioxarray", "writing a raster")
    rows, columns = georeference.spatial_dims(agg)
    if agg.ndim > 3:
        raise BadArray(f"array with the dimensions {agg.dims}; allowed: rows and columns, and bands before them")
    count = agg.shape[0] if agg.ndim == 3 else 1
    nodata = georeference.nodata_of(agg, None)
    dtype = np.dtype(agg.dtype).name
    if dtype not in GDAL_TYPES:
        raise BadArray(f"array of {dtype}; allowed: {', '.join(GDAL_TYPES)}, such as astype(…)")
    place = agg.rio.set_spatial_dims(columns, rows)
    has_place = all(dim in agg.coords for dim in (rows, columns))
    return Frame(
        rows=agg.sizes[rows], cols=agg.sizes[columns], dtype=dtype, bands=_names(agg, count),
        nodata=None if np.isnan(nodata) and agg.dtype.kind != "f" else nodata,
        transform=tuple(place.rio.transform().to_gdal()) if has_place else None,
        crs=place.rio.crs.to_wkt() if place.rio.crs is not None else "")


def lies_as(agg: Any, transform: tuple[float, ...] | None, crs: str) -> bool:
    """Whether an array lies where a file does: its coordinates and reference system may have been changed."""
    frame = frame_of(agg)
    own = frame.transform
    if not _same_crs(frame.crs, crs):
        return False
    if own is None or transform is None:
        return own is None and transform is None
    return bool(np.allclose(own, transform, rtol=1e-9, atol=1e-6 * abs(transform[1])))


def _same_crs(one: str, other: str) -> bool:
    if one == other or not one or not other:
        return one == other
    parse = need("rasterio.crs", "writing a raster").CRS.from_wkt
    return bool(parse(one) == parse(other))


def _names(agg: Any, count: int) -> tuple[str, ...]:
    if agg.ndim == 3 and agg.dims[0] in agg.coords:
        labels = agg.coords[agg.dims[0]].values
        if labels.dtype.kind in "UO":
            return tuple(str(label) for label in labels)
        if labels.dtype.kind == "M":
            return tuple(np.datetime_as_string(labels, "s"))
    described = agg.attrs.get("long_name")
    if isinstance(described, (tuple, list)) and len(described) == count:
        return tuple(str(text) for text in described)
    name = str(agg.name or "")
    return (name,) if count == 1 else tuple(f"{name} {number}".strip() for number in range(1, count + 1))


def write_zarr(agg: Any, store: Any, zarr_format: int, now: bool, overwrite: bool) -> Any:
    """Writes Zarr whose chunks are those of the array: no two workers write one chunk."""
    need("zarr", "writing Zarr")
    if not labelled.is_data_array(agg):
        raise BadArray(f"{type(agg).__name__} has no place; allowed: a DataArray")
    if zarr_format not in (2, 3):
        raise BadArgument(f"zarr_format = {zarr_format}; allowed: 2, 3")
    encoding: dict[str, Any] = {}
    if agg.chunks is not None:
        for dim, sizes in zip(agg.dims, agg.chunks):
            if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
                raise BadArgument(f"chunks of {sizes} cells along '{dim}'; allowed: equal ones, the last one not larger")
        encoding["chunks"] = tuple(sizes[0] for sizes in agg.chunks)
    name = str(agg.name or "result")
    copy = agg.copy(deep=False)
    copy.attrs = {key: value for key, value in agg.attrs.items() if key not in georeference.NODATA_ATTRIBUTES}
    nodata = georeference.nodata_of(agg, None)
    copy.encoding = {}
    if agg.dtype.kind == "f" or not np.isnan(nodata):
        encoding["_FillValue"] = nodata if agg.dtype.kind == "f" else int(nodata)
    try:
        return copy.to_dataset(name=name).to_zarr(
            store, mode="w" if overwrite else "w-", zarr_format=zarr_format, compute=now, encoding={name: encoding},
            consolidated=zarr_format == 2)
    except FileExistsError:
        raise WriteFailed(f"'{store}' exists; allowed: another name, or overwrite=True") from None
