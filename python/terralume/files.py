"""Files: opened as lazy arrays, run through by the library, written from arrays."""

from __future__ import annotations

import builtins
import glob
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Union

import numpy as np

from . import labelled, lazy, native, output, sources
from .arrays import processors
from .errors import BadArgument, BadArray, TooLarge, need
from .progress import Progress, reporting
from .request import Recipe, Value, make
from .sources import Record, Source
from .stack import seconds_of

#: A file, a pattern, a list of files, or names of bands with one of these.
Files = Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]

#: Share of the free memory that a result may take without being asked for.
_SHARE = 0.25


def open(
    source: Files | Mapping[str, Files],
    chunks: Any = "auto",
    *,
    band: int | None = None,
    names: Sequence[str] | None = None,
    dates: Any = None,
    nodata: float | None = None,
) -> Any:
    """Opens rasters as a lazy array that knows its files: functions of this package then read window by window.

    Parameters
    ----------
    source
        A file: rows x columns, or bands x rows x columns where it has several and `band` chooses none. A list or a pattern:
        with `names` the bands of one image, else dates x rows x columns in order of time. A dictionary of names: a Dataset
        with a variable for each.
    chunks
        "auto": whole blocks of the file, about 2048 cells; a number, a pair, or `{"y": …, "x": …}`; None: NumPy at once,
        if it is not too large.
    dates
        Dates of the files of a list, where neither their metadata nor their names say them.
    nodata
        Value of cells without data in place of the file's own.

    Needs xarray, rioxarray and dask.

    Raises
    ------
    ReadFailed, BadArgument, TooLarge, DependencyMissing
    """
    if isinstance(source, Mapping):
        xarray = need("xarray", "terralume.open")
        opened = {name: open(files, chunks, dates=dates, nodata=nodata) for name, files in source.items()}
        return xarray.Dataset({name: array.rename(name) for name, array in opened.items()})
    listed = _listed(source)
    if listed is None:
        return _open_file(os.fspath(source), chunks, band, nodata)  # type: ignore[arg-type]
    return _open_list(listed, chunks, (band, nodata), names, dates)


def _listed(source: Files) -> list[str] | None:
    """The files of a list or a pattern; None: it is one file."""
    if isinstance(source, (str, os.PathLike)):
        text = os.fspath(source)
        if Path(text).exists() or not any(sign in text for sign in "*?["):
            return None
        found = sorted(glob.glob(text))
        if not found:
            raise BadArgument(f"no file is called '{text}'; allowed: a pattern of at least one")
        return found
    return [os.fspath(path) for path in source]


def _open_file(path: str, chunks: Any, band: int | None, nodata: float | None) -> Any:
    need("xarray", "terralume.open")
    rioxarray = need("rioxarray", "terralume.open")
    source = sources.source_of(path, 1 if band is None else band)
    if source.band < 1:
        raise BadArgument(f"'{path}' has no band {band}; allowed: 1 to {source.bands}")
    array = rioxarray.open_rasterio(path)
    if source.bands == 1 or band is not None:
        array = array.isel(band=(band or 1) - 1, drop=True)
        data = _lazy_band(source, path, chunks, nodata)
    else:
        stack = need("dask.array", "terralume.open").stack
        each = [sources.source_of(path, number + 1) for number in range(source.bands)]
        data = stack([_lazy_band(one, path, chunks, nodata) for one in each])
    result = array.copy(data=data)
    result.encoding.pop("preferred_chunks", None)
    _set_nodata(result, source, nodata)
    return compute(result) if chunks is None else result


def _set_nodata(array: Any, source: Source, nodata: float | None) -> None:
    """Says which value is nodata: what was given, else that of the band, where rioxarray has said that of the first."""
    if nodata is not None:
        array.attrs["_FillValue"] = nodata
    elif source.band > 1:
        array.attrs.pop("_FillValue", None)
        if source.nodata is not None:
            array.attrs["_FillValue"] = source.nodata


def _lazy_band(source: Source, path: str, chunks: Any, nodata: float | None) -> Any:
    rasterio = need("rasterio", "terralume.open")
    with rasterio.open(path) as dataset:
        block = dataset.block_shapes[source.band - 1]
    sizes = lazy.chunks_of(source, block, "auto" if chunks is None else chunks)
    return lazy.from_source(Record(source, nodata=nodata), sizes)


def _open_list(
    paths: list[str], chunks: Any, form: tuple[int | None, float | None], names: Sequence[str] | None, dates: Any
) -> Any:
    xarray = need("xarray", "terralume.open")
    band, nodata = form
    times: Any = None
    if names is not None:
        if len(names) != len(paths):
            raise BadArgument(f"{len(paths)} files with {len(names)} names; allowed: as many")
    elif dates is not None:
        seconds = seconds_of(dates)
        if len(seconds) != len(paths):
            raise BadArgument(f"{len(paths)} files with {len(seconds)} dates; allowed: as many")
        order = sorted(range(len(paths)), key=lambda index: (seconds[index], Path(paths[index]).name))
        paths, times = [paths[index] for index in order], [int(seconds[index]) for index in order]
    else:
        paths, times = _in_order_of_time(paths)
    opened = [_open_file(path, "auto" if chunks is None else chunks, band or 1, nodata) for path in paths]
    _check_grids(opened, paths)
    index: Any = xarray.IndexVariable("band", list(names)) if names is not None else xarray.IndexVariable(
        "time", np.asarray(times, "datetime64[s]").astype("datetime64[ns]"))
    result = xarray.concat(opened, index, coords="minimal", compat="override", join="override", combine_attrs="override")
    return compute(result) if chunks is None else result


def _in_order_of_time(paths: list[str]) -> tuple[list[str], list[int]]:
    """Files by their dates, as the library finds them in metadata and names."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.write("\n".join(os.path.abspath(path) if os.path.exists(path) else path for path in paths))
        listed.flush()
        with native.load().stack("reduce") as stack:
            stack.set_option("input", f"X=@{listed.name}")
            stack.set_option("stat", "count")
            images = stack.describe()["images"]
    texts = [str(image["time"]).replace("Z", "") for image in images]
    return [image["files"][0] for image in images], [int(np.datetime64(text, "s").astype(np.int64)) for text in texts]


def _check_grids(opened: Sequence[Any], paths: Sequence[str]) -> None:
    first = opened[0]
    for array, path in zip(opened, paths):
        same = array.shape == first.shape and np.allclose(
            array.rio.transform(), first.rio.transform(), rtol=0, atol=1e-6 * abs(first.rio.transform().a))
        if not same:
            raise BadArgument(
                f"'{path}' lies on another grid than '{paths[0]}': {array.shape}, {array.rio.transform().to_gdal()}; "
                f"{first.shape}, {first.rio.transform().to_gdal()}; allowed: one grid")


def free_memory() -> int:
    """Bytes that can be taken without pushing others out."""
    try:
        with builtins.open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return 4 << 30


def compute(agg: Any, limit: int | str | None = None) -> Any:
    """Brings a lazy array into memory, if it fits.

    `limit`: bytes it may take, or a text such as "2GiB"; without it a quarter of the free memory.

    Raises
    ------
    TooLarge
        With the size; nothing was computed.
    """
    check_size(agg, limit)
    return agg.compute() if hasattr(agg, "compute") else agg


def check_size(agg: Any, limit: int | str | None = None) -> None:
    """Refuses what would not fit into the memory."""
    if isinstance(limit, str):
        limit = int(need("dask.utils", "a limit as text").parse_bytes(limit))
    most = int(free_memory() * _SHARE) if limit is None else limit
    if agg.nbytes > most:
        raise TooLarge(
            f"the array takes {_size(agg.nbytes)} of memory; allowed: {_size(most)} (a quarter of what is free), a larger "
            "limit=…, or to_raster and to_zarr, which take little")


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MiB"


def run(
    recipe: Recipe,
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    parameters: Mapping[str, Value] | None = None,
    *,
    dtype: Any = "float32",
    stretch: str | tuple[float, float] | None = None,
    compat: str = "none",
    progress: Progress = None,
    **options: Any,
) -> str:
    """Computes a recipe from file to file in this process, with the tiles and threads of the library.

    `options` are those of the command line with `_` for `-`: threads, memory="512M", tile_size, format="COG",
    co=["COMPRESS=LZW"], overviews, overwrite, extent, band, nodata, alpha. Ctrl-C stops the run and leaves no file.

    Raises
    ------
    BadArgument, ReadFailed, WriteFailed, TooLarge, Unsupported, GdalMissing
    """
    request = make(recipe, parameters, dtype=dtype, stretch=stretch, compat=compat)
    target = os.fspath(destination)
    with request.job(os.fspath(source)) as job, reporting(progress, "terralume") as report:
        set_options(job, options)
        job.set_output(target)
        job.run(report)
    return target


def set_options(job: native.Job, options: Mapping[str, Any]) -> None:
    """Sets options of a run from keyword arguments; None is left out, a list counts several times."""
    for name, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is not None:
                text = str(one).lower() if isinstance(one, bool) else str(one)
                job.set_option(name.replace("_", "-"), text)


def plan(
    recipe: Recipe, source: str | os.PathLike[str], parameters: Mapping[str, Value] | None = None, *,
    dtype: Any = "float32", stretch: str | tuple[float, float] | None = None, compat: str = "none", **options: Any,
) -> dict[str, Any]:
    """How a run from file to file would be divided, without running it.

    rows, cols, bands, output_bytes; tiles, tile_rows, tile_cols, radius, overlap (cells read for each one written), threads,
    memory; supertile and tasks of a run on a cluster; and more.

    Raises
    ------
    BadArgument, ReadFailed, TooLarge, Unsupported, GdalMissing
    """
    from .supertiles import side

    request = make(recipe, parameters, dtype=dtype, stretch=stretch, compat=compat)
    with request.job(os.fspath(source)) as job:
        set_options(job, options)
        found = job.plan()
    found["supertile"] = side(found)
    found["tasks"] = -(-found["rows"] // found["supertile"]) * -(-found["cols"] // found["supertile"])
    return found


def to_raster(
    agg: Any, path: str | os.PathLike[str], driver: str = "GTiff", compute: bool = True, *, overwrite: bool = False,
    progress: Progress = None, **options: Any,
) -> Any:
    """Writes an array as a raster, which appears under its name when it is whole.

    What was made from a file by one operation or recipe is run by the library from file to file, with all threads; every
    other lazy array is computed chunk by chunk into files of their own, which are then put together. The cells are the same.

    Parameters
    ----------
    driver : "GTiff" or "COG"
    compute : bool
        False: gives a dask Delayed that writes the file when it is computed.
    options
        co=["COMPRESS=LZW"]; where the library runs from file to file, also its own: threads, memory="512M", overviews.

    Raises
    ------
    WriteFailed, BadArgument, BadArray, DependencyMissing
    """
    target = os.path.abspath(os.fspath(path))
    if driver not in ("GTiff", "COG"):
        raise BadArgument(f"driver = '{driver}'; allowed: GTiff, COG")
    if not labelled.is_data_array(agg):
        raise BadArray(f"{type(agg).__name__} has no place; allowed: a DataArray")
    output.check_target(target, overwrite)
    record = sources.record_of(agg.data)
    if record is not None and len(record.steps) == 1 and output.lies_as(agg, record.source.transform, record.source.crs):
        return _native(record, target, (driver, overwrite, options), compute, progress)
    creation = options.pop("co", None)
    if options:
        raise BadArgument(
            f"{', '.join(options)} = … for an array that is not one operation or recipe over a file; allowed: co, and "
            "terralume.run for the others")
    return output.write(agg, target, driver, compute, creation, progress)


def _native(
    record: Record, target: str, form: tuple[str, bool, Mapping[str, Any]], now: bool, progress: Progress
) -> Any:
    if not now:
        delayed = need("dask", "compute=False").delayed
        return delayed(_run_record, pure=False)(record, target, form, None)
    return _run_record(record, target, form, progress)


def _run_record(
    record: Record, target: str, form: tuple[str, bool, Mapping[str, Any]], progress: Progress
) -> str:
    driver, overwrite, options = form
    with replace(record, run=sources.Run()).job() as job, reporting(progress) as report:
        set_options(job, {"threads": processors(), **options, "format": driver, "overwrite": overwrite})
        job.set_output(target)
        job.run(report)
    return target


def to_zarr(agg: Any, store: Any, *, zarr_format: int = 2, compute: bool = True, overwrite: bool = False) -> Any:
    """Writes an array as Zarr, one chunk of the store for each chunk of the array, so that workers need no lock.

    Format 2 is what GDAL 3.6 and QGIS 3.22 read. `compute=False` gives a dask Delayed.

    Raises
    ------
    BadArgument, BadArray, DependencyMissing
    """
    return output.write_zarr(agg, store, zarr_format, compute, overwrite)


def blocks(
    source: Any, function: Any, size: int = 1024, halo: int = 0, workers: int | None = None, *, band: int = 1,
    progress: Progress = None,
) -> list[Any]:
    """`function` of every block of a raster or an array, in parallel; nothing is written.

    The function gets a `terralume.block.Block`: its cells as float64, NaN without data, with `halo` cells around it, and
    its place. It is called by several threads at once. The results come in row-major order of the blocks.

    Raises
    ------
    BadArgument, BadArray, ReadFailed, and what the function raises
    """
    from . import block

    return block.run(source, function, (size, halo), (workers, band), progress)
