"""Band maths, masks, rescaling and statistics over time for arrays, by the same program as for files."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from . import georeference, labelled, native
from .arrays import Tile, check_type
from .errors import BadArgument, BadArray, need
from .native import Place

#: Types that the library knows, by name.
_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64")

#: One text, or several of which each counts.
Texts = Union[str, Sequence[str], None]


@dataclass(frozen=True)
class Program:
    """A command with its options, as on the command line."""

    command: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Variable:
    """A named band: rows x columns, or dates x rows x columns."""

    name: str
    data: Any
    nodata: float
    #: Seconds since 1970, one for each date; empty: rows x columns.
    times: tuple[float, ...] = ()
    #: What the data still is, and the band of it (from 0); None: an array like any other.
    origin: tuple[Any, int] | None = None


def program(command: str, **options: Any) -> Program:
    """A command over stacks with its options, for `terralume.run` and `terralume.dask.run`.

        terralume.program("reduce", stat="mean,count", group="season", expr="(nir - red) / (nir + red)", mask="qa: bits 0|4")

    `command`: calc, rescale, mask or reduce. Options are those of the command line with `_` for `-`; the formula of calc is
    `expr`. A list counts several times. They are checked when the program runs.
    """
    texts: list[tuple[str, str]] = []
    for name, value in options.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        texts += [(name.replace("_", "-"), _text(one)) for one in values if one is not None]
    return Program(command, tuple(texts))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(float(value)) if isinstance(value, float) else str(value)


def calc(
    agg: Any, expression: str, *, mask: Texts = None, dilate: int | None = None, where_masked: float | None = None,
    nodata_rule: str | None = None, dtype: Any = None, nodata: float | None = None, threads: int | None = None,
) -> Any:
    """Computes a formula over named bands, such as `"ndvi = (nir - red) / (nir + red)"`.

    Parameters
    ----------
    agg : Dataset, DataArray, or a dictionary of NumPy arrays
        The bands: variables of a Dataset, elements of the dimension `band`, or entries of the dictionary; a single array is
        called by its name, or `X`. Dates (dimension `time`) are computed one by one.
    expression : str
        As `terralume calc` takes it; several formulas, `a = …; b = …`, give several bands.
    mask, dilate, where_masked
        Cells to leave out first, see `terralume.mask`.
    nodata_rule : "strict" or "lazy"
        strict: a result needs all its inputs; lazy: coalesce(), isnan() and ?: may do without.
    dtype, nodata
        Type of the result (float32), and its value for cells without data.

    Returns
    -------
    The same kind of array, float32, NaN where there is no data; bands first where there are several results.

    Raises
    ------
    BadArgument, BadArray
    """
    options = program(
        "calc", expr=expression, mask=mask, dilate=dilate, where_masked=where_masked, nodata_rule=nodata_rule,
        type=type_name(dtype), dst_nodata=nodata)
    return apply(agg, options, threads, by_date=True)


def mask(
    agg: Any, spec: Texts, *, dilate: int | None = None, where_masked: float | None = None, outside: str | None = None,
    dtype: Any = None, nodata: float | None = None, threads: int | None = None,
) -> Any:
    """Leaves out cells: `"qa: bits 0|3|4"`, `"scl in (8, 9)"`, `"s2_scl:cloud_high"`, or any formula.

    A list of texts masks a cell that any of them covers. `dilate` lets masks grow by so many cells; `where_masked` is what
    masked cells get in place of having no data; `outside="keep"` keeps cells without mask data. The type of the cells stays,
    and so does their nodata value.

    Raises
    ------
    BadArgument, BadArray
    """
    options = program(
        "mask", mask=spec, dilate=dilate, where_masked=where_masked, mask_outside=outside, type=type_name(dtype),
        dst_nodata=nodata)
    return apply(agg, options, threads, by_date=True)


def rescale(
    agg: Any, scale: float | None = None, offset: float | None = None, min: float | None = None, max: float | None = None,
    *, source_nodata: float | None = None, dtype: Any = None, nodata: float | None = None, threads: int | None = None,
) -> Any:
    """`value * scale + offset`, limited to `min` and `max`, in another type. Cells without data stay without.

    Raises
    ------
    BadArgument, BadArray
    """
    options = program(
        "rescale", scale=scale, offset=offset, min=min, max=max, src_nodata=source_nodata, type=type_name(dtype),
        dst_nodata=nodata)
    return apply(agg, options, threads, by_date=True)


def reduce(
    agg: Any, statistics: str | Sequence[str] = "mean", group: str | None = None, *, expression: str | None = None,
    mask: Texts = None, dilate: int | None = None, merge_same: str | None = None, merge: str | None = None,
    min_count: int | None = None, nodata_rule: str | None = None, dtype: Any = None, nodata: float | None = None,
    times: Any = None, threads: int | None = None,
) -> Any:
    """Statistics over time.

    Parameters
    ----------
    agg : Dataset, DataArray, or a dictionary of NumPy arrays
        As for `calc`, with a dimension `time`; NumPy arrays are dates x rows x columns, with `times` beside them.
    statistics : str or list
        count mean sum min max range std var(ddof=1) median pNN first last which_min which_max prod any all mode
    group : str, optional
        season, year-season, month, year, year-month, day-of-year/N, "period 16D from 2018-01-01".
    expression, mask, dilate
        Computed for each date first.
    merge_same, merge
        "day" makes one image of those of a day: the "first" with data, or the "mean".
    min_count : int
        Fewer values are no data.

    Returns
    -------
    The same kind of array: bands x rows x columns, whose bands are called `group_statistic`; rows x columns where there is
    one result.

    Raises
    ------
    BadArgument, BadArray
    """
    wanted = statistics if isinstance(statistics, str) else ",".join(statistics)
    options = program(
        "reduce", stat=wanted, group=group, expr=expression, mask=mask, dilate=dilate, merge_same=merge_same, merge=merge,
        min_count=min_count, nodata_rule=nodata_rule, type=type_name(dtype), dst_nodata=nodata)
    return apply(agg, options, threads, times=times)


def type_name(dtype: Any) -> str | None:
    """What the library calls a type of cells."""
    return None if dtype is None else np.dtype(dtype).name


def apply(agg: Any, options: Program, threads: int | None, *, by_date: bool = False, times: Any = None) -> Any:
    """Runs a program over arrays of any kind. `by_date`: each date by itself."""
    variables = variables_of(agg, options, times)
    dates = {len(variable.times) for variable in variables if variable.times}
    if len(dates) > 1:
        raise BadArgument(f"bands with {sorted(dates)} dates; allowed: as many dates in each")
    count = dates.pop() if dates else 0
    stays = _attached(agg, variables, options, by_date)
    if stays is not None:
        return stays
    if by_date and count:
        return _by_date(agg, variables, options, threads, count)
    data, description = _compute(variables, options, threads)
    return _like(agg, data, description)


def _by_date(agg: Any, variables: Sequence[Variable], options: Program, threads: int | None, count: int) -> Any:
    results = []
    for number in range(count):
        one = [Variable(v.name, v.data[number] if v.times else v.data, v.nodata) for v in variables]
        data, description = _compute(one, options, threads)
        results.append(data)
    stacked = need("dask.array", "lazy arrays").stack(results) if labelled.is_dask(results[0]) else np.stack(results)
    return _like(agg, stacked, description, by_date=True)


def _attached(agg: Any, variables: Sequence[Variable], options: Program, by_date: bool) -> Any:
    """The result as a lazy array that knows its files; None: the variables are not what is in files."""
    if not all(labelled.is_dask(variable.data) and variable.origin for variable in variables):
        return None
    from . import attached

    times = next((variable.times for variable in variables if variable.times), ()) if by_date else ()
    one = [Variable(v.name, v.data[0] if by_date and v.times else v.data, v.nodata) for v in variables] if times else variables
    description = describe(one, options)
    origin = attached.result(variables, options, times, description)
    if origin is None:
        return None
    chunks = variables[0].data.chunks[-2:]
    data = attached.lazy(origin, chunks, len(description["bands"]) == 1)
    return _like(agg, data, description, by_date=bool(times), shaped=True)


def describe(variables: Sequence[Variable], options: Program) -> dict[str, Any]:
    """What a program gives: bands, type, nodata, halo. It does not depend on the cells: the library is asked with one of
    each."""
    small = [Variable(v.name, np.zeros((*v.data.shape[:-2], 1, 1), v.data.dtype), v.nodata, v.times) for v in variables]
    return run(small, options)[1]


def _compute(variables: Sequence[Variable], options: Program, threads: int | None) -> tuple[Any, dict[str, Any]]:
    """The result, bands first, and what the library says of it."""
    if any(labelled.is_dask(variable.data) for variable in variables):
        return _lazy(variables, options)
    return run(variables, options, threads=threads)


def run(
    variables: Sequence[Variable], options: Program, tile: Tile | None = None, threads: int | None = None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Computes a program over NumPy arrays: bands x rows x columns of `tile`, or of everything."""
    kept = []
    with native.load().stack(options.command) as stack:
        for name, value in options.options:
            stack.set_option(name, value)
        if threads is not None:
            stack.set_option("threads", str(threads))
        for variable in variables:
            kept += _add(stack, variable)
        description = stack.describe()
        rows, cols = (tile.rows, tile.cols) if tile else (description["rows"], description["cols"])
        out = np.empty((len(description["bands"]), rows, cols), description["type"])
        window = (tile.row, tile.col, tile.rows, tile.cols) if tile else None
        stack.run_array(Place(out.ctypes.data, rows, cols, (0, 0), out.nbytes), window)
    return out, description


def _add(stack: native.Stack, variable: Variable) -> list[np.ndarray]:
    """Hands a variable to the library, and gives the arrays that must live until the run has ended."""
    cells = np.asarray(variable.data)
    if cells.ndim != (3 if variable.times else 2):
        raise BadArray(f"'{variable.name}' has {cells.ndim} dimensions; allowed: rows x columns, or dates x rows x columns")
    check_type(cells.dtype)
    name = cells.dtype.name if cells.dtype.name in _TYPES else "float64"
    # What came from another process may begin at any byte.
    plain = np.require(cells, name, ["C", "A"])
    for number, plane in enumerate(plain if variable.times else [plain]):
        rows, cols = plane.shape
        place = Place(plane.ctypes.data, rows, cols, (0, 0), plane.nbytes)
        time = variable.times[number] if variable.times else math.nan
        stack.add_band(variable.name, name, place, variable.nodata, time)
    return [plain]


def _lazy(variables: Sequence[Variable], options: Program) -> tuple[Any, dict[str, Any]]:
    """One task for each chunk; all dates of it together."""
    dask_array = need("dask.array", "lazy arrays")
    description = describe(variables, options)
    halo = int(description["halo"])
    chunks = next(v.data for v in variables if labelled.is_dask(v.data)).chunks[-2:]
    _check_halo(chunks, halo)
    depths = halo if len(chunks[0]) > 1 else 0, halo if len(chunks[1]) > 1 else 0
    for variable in variables:
        own = variable.data.chunks[-2:] if labelled.is_dask(variable.data) else chunks
        if own != chunks:
            raise BadArgument(
                f"'{variable.name}' has chunks of {own[0][0]} x {own[1][0]} cells, others of {chunks[0][0]} x {chunks[1][0]}; "
                "allowed: one size, such as chunk({'y': 1024, 'x': 1024})")
    pairs: list[Any] = []
    for variable in variables:
        data = variable.data if labelled.is_dask(variable.data) else dask_array.from_array(variable.data)
        one = dict.fromkeys(range(data.ndim - 2), -1)
        # All dates of a place come together; rows and columns stay as they are, or are divided for the first time.
        data = data.rechunk({**one, data.ndim - 2: chunks[0], data.ndim - 1: chunks[1]})
        if halo:
            depth = {data.ndim - 2: depths[0], data.ndim - 1: depths[1]}
            data = need("dask.array.overlap", "lazy arrays").overlap(data, depth, boundary="none", allow_rechunk=False)
        pairs += [data, "tyx" if variable.times else "yx"]
    empty = tuple(Variable(v.name, None, v.nodata, v.times) for v in variables)
    dtype, bands = np.dtype(description["type"]), len(description["bands"])
    names = dask_array.arange(len(chunks[0]), chunks=1), "y", dask_array.arange(len(chunks[1]), chunks=1), "x"
    work = functools.partial(_block, empty, options, depths, (len(chunks[0]), len(chunks[1])))
    result = dask_array.blockwise(
        work, "byx", *names, *pairs, new_axes={"b": bands}, concatenate=True, dtype=dtype, align_arrays=False,
        adjust_chunks={"y": chunks[0], "x": chunks[1]}, meta=np.empty((0, 0, 0), dtype))
    return result, description


def _block(
    empty: Sequence[Variable], options: Program, depths: tuple[int, int], count: tuple[int, int], row: Any, col: Any,
    *arrays: np.ndarray,
) -> np.ndarray:
    place = int(row[0]), int(col[0])
    before = [depth if number > 0 else 0 for number, depth in zip(place, depths)]
    after = [depth if number + 1 < total else 0 for number, total, depth in zip(place, count, depths)]
    rows, cols = (size - first - last for size, first, last in zip(arrays[0].shape[-2:], before, after))
    filled = [Variable(v.name, cells, v.nodata, v.times) for v, cells in zip(empty, arrays)]
    return run(filled, options, Tile(before[0], before[1], rows, cols), threads=1)[0]


def _check_halo(chunks: Sequence[Sequence[int]], halo: int) -> None:
    from .lazy import check_chunks

    check_chunks(chunks, halo)


def variables_of(agg: Any, options: Program, times: Any = None) -> list[Variable]:
    """The named bands of what a user gives."""
    if isinstance(agg, Mapping) and not labelled.is_dataset(agg):
        seconds = seconds_of(times) if times is not None else ()
        return [_from_numpy(str(name), data, seconds) for name, data in agg.items()]
    if labelled.is_dataset(agg):
        return _named(
            [one for name, array in agg.data_vars.items() if array.ndim >= 2 for one in _from_array(str(name), array)], options)
    if labelled.is_data_array(agg):
        return _named(_from_array(agg.name if _is_named(agg.name, options) else "X", agg), options)
    if isinstance(agg, np.ndarray) or labelled.is_dask(agg):
        return [_from_numpy("X", agg, seconds_of(times) if times is not None else ())]
    raise BadArray(
        f"{type(agg).__module__}.{type(agg).__name__} holds no bands; allowed: a Dataset, a DataArray, a dictionary of arrays")


def _named(variables: list[Variable], options: Program) -> list[Variable]:
    """Those that a formula or mask takes; without a formula each is taken."""
    if all(option != "expr" for option, _ in options.options):
        return variables
    return [variable for variable in variables if _is_named(variable.name, options)] or variables


def _is_named(name: Any, options: Program) -> bool:
    """Whether a formula or a mask has this word."""
    if not isinstance(name, str) or not name:
        return False
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(word.search(text) for option, text in options.options if option in ("expr", "mask"))


def _from_numpy(name: str, data: Any, times: tuple[float, ...]) -> Variable:
    if labelled.is_data_array(data):
        found = _from_array(name, data)
        if len(found) != 1:
            raise BadArray(f"'{name}' has {len(found)} bands; allowed: one")
        return found[0]
    data = data if labelled.is_dask(data) else np.asarray(data)
    if data.ndim == 3 and len(times) != data.shape[0]:
        raise BadArgument(f"'{name}' has {data.shape[0]} dates, times has {len(times)}; allowed: as many")
    return Variable(name, data, math.nan, times if data.ndim == 3 else ())


def _from_array(name: str, array: Any) -> list[Variable]:
    """Bands of a labelled array."""
    rows, columns = georeference.spatial_dims(array)
    nodata = georeference.nodata_of(array, None)
    time = _date_dim(array)
    others = [dim for dim in array.dims[:-2] if dim != time]
    if len(others) > 1:
        raise BadArray(f"array with the dimensions {array.dims}; allowed: time, one for bands, {rows}, {columns}")
    seconds = seconds_of(array.coords[time].values) if time is not None else ()
    origin = _origin(array.data)
    if not others:
        return [Variable(name, array.data, nodata, seconds, origin and (origin, 0))]
    names = _band_names(name, array, others[0])
    pieces = (array.isel({others[0]: number}) for number in range(array.sizes[others[0]]))
    return [
        Variable(band, piece.data, nodata, seconds, origin and (origin, number))
        for number, (band, piece) in enumerate(zip(names, pieces))]


def _origin(data: Any) -> Any:
    """What a dask array still is; None: an array like any other."""
    from . import attached

    return attached.origin_of(data) if labelled.is_dask(data) else None


def _band_names(name: str, array: Any, dim: str) -> list[str]:
    count = array.sizes[dim]
    labels = array.coords[dim].values if dim in array.coords else np.arange(1, count + 1)
    if labels.dtype.kind in "UO":
        return [str(label) for label in labels]
    described = array.attrs.get("long_name")
    if isinstance(described, (tuple, list)) and len(described) == count:
        return [str(text) for text in described]
    return [name if count == 1 else f"{name}[{label}]" for label in labels]


def seconds_of(times: Iterable[Any]) -> tuple[float, ...]:
    """Dates as seconds since 1970."""
    try:
        moments = np.asarray(list(times), "datetime64[s]")
    except (TypeError, ValueError) as error:
        raise BadArgument(f"times: {error}; allowed: dates such as '2018-04-28' or datetime64") from None
    return tuple(float(moment) for moment in moments.astype(np.int64))


def _date_dim(array: Any) -> Any:
    """The dimension of dates; None: the array has none."""
    return next((dim for dim in array.dims[:-2] if dim in array.coords and array.coords[dim].dtype.kind == "M"), None)


def _pattern(dataset: Any, by_date: bool) -> Any:
    """The variable whose dimensions and coordinates the result has: not one of numbers that lie nowhere."""
    return next(
        array for array in dataset.data_vars.values() if array.ndim >= 2 and (not by_date or _date_dim(array) is not None))


def _like(agg: Any, data: Any, description: dict[str, Any], by_date: bool = False, shaped: bool = False) -> Any:
    """The result as the same kind of thing as the input: the axes are (time,) band, rows, columns; `shaped`: without that of
    bands where there is one."""
    names, nodata = description["bands"], description["nodata"]
    axis = 1 if by_date else 0
    single = len(names) == 1
    if not (labelled.is_dataset(agg) or labelled.is_data_array(agg)):
        return data[(slice(None),) * axis + (0,)] if single and not shaped else data
    xarray = need("xarray", "labelled arrays")
    first = _pattern(agg, by_date) if labelled.is_dataset(agg) else agg
    rows, columns = georeference.spatial_dims(first)
    dims: list[Any] = [rows, columns] if single else ["band", rows, columns]
    if by_date:
        time = _date_dim(first)
        dims.insert(0, time)
    keep = {key: value for key, value in first.coords.items() if set(value.dims) <= set(dims) and key != "band"}
    if not single:
        keep["band"] = ("band", np.asarray(names))
    code = math.nan if nodata == "nan" else nodata
    attrs = labelled.attributes(first.attrs, [{"name": name, "unit": ""} for name in names], code)
    attrs.pop("units", None)
    attrs.pop("long_name", None)
    name = names[0] if single else None
    cells = data[(slice(None),) * axis + (0,)] if single and not shaped else data
    return xarray.DataArray(cells, dims=dims, coords=keep, attrs=attrs, name=name)
