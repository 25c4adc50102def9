"""Files: run through by the library, written from arrays."""

from __future__ import annotations

import builtins
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import labelled, native, output, sources
from .arrays import processors
from .errors import BadArgument, BadArray, TooLarge, need
from .progress import Progress, reporting
from .request import Recipe, Value, make
from .sources import Record
from .stack import Program, type_name

#: Share of the free memory that a result may take without being asked for.
_SHARE = 0.25


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
        try:
            limit = int(need("dask.utils", "a limit as text").parse_bytes(limit))
        except ValueError:
            raise BadArgument(f"limit = '{limit}'; allowed: a number of bytes, or a text such as '2GiB'") from None
    most = int(free_memory() * _SHARE) if limit is None else limit
    if agg.nbytes > most:
        raise TooLarge(
            f"the array takes {_size(agg.nbytes)} of memory; allowed: {_size(most)} (a quarter of what is free), a larger "
            "limit=…, or to_raster and to_zarr, which take little")


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MiB"


def run(
    recipe: Recipe | Program,
    source: Any,
    destination: str | os.PathLike[str],
    parameters: Mapping[str, Value] | None = None,
    *,
    dtype: Any = None,
    stretch: str | tuple[float, float] | None = None,
    compat: str = "none",
    progress: Progress = None,
    **options: Any,
) -> str:
    """Computes a recipe, or a program over stacks, from file to file in this process, with the tiles and threads of the library.

    `recipe`: as `terralume.render` takes it; then `source` is a raster. Or what `terralume.program` gives; then it is a
    dictionary of names and files, patterns or lists of files. `options` are those of the command line with `_` for `-`:
    threads, memory="512M", tile_size, format="COG", co=["COMPRESS=LZW"], overviews, overwrite, extent, band, nodata, alpha.
    Ctrl-C stops the run and leaves no file.

    Raises
    ------
    BadArgument, ReadFailed, WriteFailed, TooLarge, Unsupported, GdalMissing
    """
    target = os.fspath(destination)
    if isinstance(recipe, Program):
        if parameters or stretch is not None or compat != "none":
            raise BadArgument("parameters, stretch or compat of a program; allowed: options of terralume.program")
        return _run_program(recipe, source, target, {**options, "type": type_name(dtype)}, progress)
    request = make(recipe, parameters, dtype=dtype or "float32", stretch=stretch, compat=compat)
    with request.job(sources.path_of(source)) as job, reporting(progress, "terralume") as report:
        set_options(job, options)
        job.set_output(target)
        job.run(report)
    return target


def _run_program(program: Program, source: Any, target: str, options: Mapping[str, Any], progress: Progress) -> str:
    with native.load().stack(program.command) as stack, reporting(progress, "terralume") as report:
        _set_program(stack, program, source, options)
        stack.run(target, report)
    return target


def _set_program(stack: native.Stack, program: Program, source: Any, options: Mapping[str, Any]) -> None:
    """Sets options and inputs of a run over a stack."""
    if not isinstance(source, Mapping):
        raise BadArgument("a program over something else than names and files; allowed: {'red': 'scenes/*_B4.tif', …}")
    for name, value in program.options:
        stack.set_option(name, value)
    set_options(stack, options)
    for name, files in source.items():
        listed = [files] if isinstance(files, (str, os.PathLike)) else list(files)
        if not listed:
            raise BadArgument(f"'{name}' has no files; allowed: at least one")
        first, *others = (sources.path_of(path) for path in listed)
        stack.set_option("input", "\n".join([f"{name}={first}", *others]))


def set_options(job: native.Job | native.Stack, options: Mapping[str, Any]) -> None:
    """Sets options of a run from keyword arguments; None is left out, a list counts several times."""
    for name, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is not None:
                text = str(one).lower() if isinstance(one, bool) else str(one)
                job.set_option(name.replace("_", "-"), text)


def plan(
    recipe: Recipe | Program, source: Any, parameters: Mapping[str, Value] | None = None, *,
    dtype: Any = None, stretch: str | tuple[float, float] | None = None, compat: str = "none", **options: Any,
) -> dict[str, Any]:
    """How a run from file to file would be divided, without running it; arguments are those of `terralume.run`.

    rows, cols, bands, output_bytes; tiles, tile_rows, tile_cols, radius, overlap (cells read for each one written), threads,
    memory; supertile and tasks of a run on a cluster; and more.

    Raises
    ------
    BadArgument, ReadFailed, TooLarge, Unsupported, GdalMissing
    """
    from .supertiles import side

    if isinstance(recipe, Program):
        with native.load().stack(recipe.command) as stack:
            _set_program(stack, recipe, source, {**options, "type": type_name(dtype)})
            found = stack.plan()
    else:
        request = make(recipe, parameters, dtype=dtype or "float32", stretch=stretch, compat=compat)
        with request.job(sources.path_of(source)) as job:
            set_options(job, options)
            found = job.plan()
    # Those of programs are in memory whole before they are written.
    found["supertile"] = side(found, largest=2048) if isinstance(recipe, Program) else side(found)
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
        False: gives a dask Delayed that writes the file when it is computed. Where a chunk of it fails, the tiles of the others
        stay in the folder `PATH.NUMBER.tiles`, which nothing else uses: nobody is there to remove it.
    progress
        True: a bar; or a function of the share done and the stage.
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
