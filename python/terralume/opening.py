"""Rasters opened as lazy arrays that know their files."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

import numpy as np

from . import attached, labelled, lazy, native, sources, stack
from .errors import BadArgument, need
from .files import compute
from .sources import Record, Source
from .stack import Texts, seconds_of

#: A file, a pattern, a list of files, or names of bands with one of these.
Files = Union[str, "os.PathLike[str]", Sequence[Union[str, "os.PathLike[str]"]]]


def open(
    source: Files | Mapping[str, Files],
    chunks: Any = "auto",
    names: Sequence[str] | None = None,
    sensor: str | None = None,
    dates: Any = None,
    mask: Texts = None,
    *,
    band: int | None = None,
    nodata: float | None = None,
) -> Any:
    """Opens rasters as a lazy array that knows its files: functions of this package then read window by window.

    Parameters
    ----------
    source
        A file: rows x columns, or bands x rows x columns where it has several and `band` chooses none. A list or a pattern:
        dates x rows x columns in order of time, with bands after the dates where the files have several; with `names` or
        `sensor` files of one band are the bands of one image. A dictionary of names: a Dataset with a variable for each.
    chunks
        "auto": whole blocks of the file, about 2048 cells; a number, a pair, or `{"y": …, "x": …}`; None: NumPy at once,
        if it is not too large.
    names, sensor
        What the bands are called: given one by one, or by the sensor, such as "l8", "s2" or "ps".
    dates
        Dates of the files of a list, where neither their metadata nor their names say them.
    mask
        Cells to leave out, as `terralume.mask` and the command line take them: `"qa: bits 0|4"`; several texts mask what any
        of them covers. As there, bands that only masks name do not come out.
    band
        The band of each file, from 1.
    nodata
        Value of cells without data in place of the files' own.

    Needs xarray, rioxarray and dask.

    Raises
    ------
    ReadFailed, BadArgument, TooLarge, DependencyMissing
    """
    xarray = need("xarray", "terralume.open")
    if nodata is not None and not isinstance(nodata, (int, float, np.number)):
        raise BadArgument(f"nodata = {nodata!r}; allowed: a number")
    if isinstance(source, Mapping):
        if not source:
            raise BadArgument("a dictionary without names; allowed: at least one band")
        if names is not None or sensor is not None:
            raise BadArgument("names or sensor beside a dictionary, whose names are those of the bands; allowed: one of them")
        arrays = {name: open(files, _lazily(chunks), dates=dates, band=band, nodata=nodata) for name, files in source.items()}
        for name, array in arrays.items():
            if name in array.coords:
                raise BadArgument(f"a band called '{name}', as a coordinate is; allowed: any other name")
        opened = xarray.Dataset({name: array.rename(name) for name, array in arrays.items()})
    else:
        labels, listed = _labels(names, sensor, band), _listed(source)
        if listed is None:
            if dates is not None:
                raise BadArgument(f"dates of one file, '{source}'; allowed: of a list or a pattern of files")
            opened = _open_file(os.fspath(source), _lazily(chunks), (band, nodata), labels)  # type: ignore[arg-type]
        else:
            opened = _open_list(listed, _lazily(chunks), (band, nodata), labels, dates)
    result = opened if mask is None else _masked(opened, mask)
    return compute(result) if chunks is None else result


def _lazily(chunks: Any) -> Any:
    return "auto" if chunks is None else chunks


def _labels(names: Sequence[str] | None, sensor: str | None, band: int | None) -> list[str] | None:
    """What bands are called; None: nobody says."""
    if names is not None and sensor is not None:
        raise BadArgument(f"names and sensor = '{sensor}'; allowed: one of them")
    if sensor is None:
        return None if names is None else [str(name) for name in ([names] if isinstance(names, str) else names)]
    if band is not None:
        raise BadArgument(f"band = {band} and sensor = '{sensor}'; allowed: all bands, or names=[…]")
    known = {entry["name"]: entry["bands"] for entry in native.load().describe()["stack"]["sensors"]}
    found = known.get(str(sensor).strip().lower())
    if found is None:
        raise BadArgument(f"sensor = '{sensor}'; allowed: {', '.join(known)}")
    return list(found)


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
    if not isinstance(source, Iterable):
        raise BadArgument(f"{type(source).__name__} is no raster; allowed: a file, a pattern, a list of files, a dictionary")
    found = [sources.path_of(path) for path in source]
    if not found:
        raise BadArgument("an empty list of files; allowed: at least one")
    return found


def _sources_of(path: str, band: int | None) -> tuple[Source, ...]:
    """The bands of a file, or the one that is chosen."""
    first = sources.source_of(path, 1 if band is None else band)
    if first.band < 1:
        raise BadArgument(f"'{path}' has no band {band}; allowed: 1 to {first.bands}")
    if band is not None:
        return (first,)
    return (first, *(sources.source_of(path, number) for number in range(2, first.bands + 1)))


def _open_file(path: str, chunks: Any, form: tuple[int | None, float | None], labels: list[str] | None) -> Any:
    band, nodata = form
    bands = _sources_of(path, band)
    if labels is not None and len(labels) != len(bands):
        raise BadArgument(f"'{path}' with {len(bands)} bands and {len(labels)} names: {', '.join(labels)}; allowed: as many")
    array, sizes = _pattern(bands[0], path), _chunks(bands[0], path, chunks)
    if len(bands) == 1:
        array = array.isel(band=bands[0].band - 1, drop=True)
        array = array if labels is None else array.rename(labels[0])
        data = lazy.from_source(Record(bands[0], nodata=nodata), sizes)
    else:
        array = array if labels is None else _called(array, labels)
        data = attached.lazy(attached.Files((bands,), nodata=nodata), sizes, flat=False)
    return _filled(array, data, bands[0], nodata)


def _pattern(source: Source, path: str) -> Any:
    """Coordinates and attributes of a file, bands first. Its cells are not read."""
    return need("rioxarray", "terralume.open").open_rasterio(path)


def _called(array: Any, labels: list[str]) -> Any:
    """The array with names of its bands, which count from now on."""
    named = array.assign_coords(band=labels)
    named.attrs.pop("long_name", None)
    return named


def _filled(array: Any, data: Any, source: Source, nodata: float | None) -> Any:
    """The array with these cells."""
    result = array.copy(data=data)
    result.encoding.pop("preferred_chunks", None)
    _set_nodata(result, source, nodata)
    return result


def _set_nodata(array: Any, source: Source, nodata: float | None) -> None:
    """Says which value is nodata: what was given, else that of the band, where rioxarray has said that of the first."""
    if nodata is not None:
        array.attrs["_FillValue"] = nodata
    elif source.band > 1:
        array.attrs.pop("_FillValue", None)
        if source.nodata is not None:
            array.attrs["_FillValue"] = source.nodata


def _chunks(source: Source, path: str, chunks: Any) -> Any:
    rasterio = need("rasterio", "terralume.open")
    with rasterio.open(path) as dataset:
        block = dataset.block_shapes[source.band - 1]
    return lazy.chunks_of(source, block, chunks)


def _open_list(
    paths: list[str], chunks: Any, form: tuple[int | None, float | None], labels: list[str] | None, dates: Any
) -> Any:
    band, nodata = form
    bands = [_sources_of(path, band) for path in paths]
    _check_grids(bands, paths)
    first, single = bands[0][0], len(bands[0]) == 1
    sizes = _chunks(first, paths[0], chunks)
    if labels is not None and single:
        if len(labels) != len(paths):
            raise BadArgument(f"{len(paths)} files with {len(labels)} names; allowed: as many")
        array = _pattern(first, paths[0]).isel(band=first.band - 1, drop=True)
        array = _called(array.expand_dims(band=len(paths)), labels)
        image = tuple(source for each in bands for source in each)
        return _filled(array, attached.lazy(attached.Files((image,), nodata=nodata), sizes, flat=False), first, nodata)
    if labels is not None and len(labels) != len(bands[0]):
        raise BadArgument(
            f"'{paths[0]}' with {len(bands[0])} bands and {len(labels)} names: {', '.join(labels)}; allowed: as many")
    order, times = _in_order(paths, dates)
    array = _pattern(first, paths[0])
    array = array.isel(band=first.band - 1, drop=True) if single else array if labels is None else _called(array, labels)
    moments = np.asarray([int(time) for time in times], "datetime64[s]").astype("datetime64[ns]")
    array = array.expand_dims(time=moments)
    files = attached.Files(tuple(bands[index] for index in order), tuple(float(time) for time in times), nodata)
    return _filled(array, attached.lazy(files, sizes, flat=single), first, nodata)


def _in_order(paths: list[str], dates: Any) -> tuple[list[int], list[float]]:
    """Numbers of the files in order of time, and their dates."""
    if dates is None:
        listed, times = _dates_of(paths)
        places = {os.path.abspath(path): index for index, path in enumerate(paths)}
        return [places[os.path.abspath(path)] for path in listed], [float(time) for time in times]
    seconds = seconds_of(dates)
    if len(seconds) != len(paths):
        raise BadArgument(f"{len(paths)} files with {len(seconds)} dates; allowed: as many")
    order = sorted(range(len(paths)), key=lambda index: (seconds[index], Path(paths[index]).name))
    return order, [seconds[index] for index in order]


def _dates_of(paths: list[str]) -> tuple[list[str], list[int]]:
    """Files by their dates, as the library finds them in metadata and names."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.write("\n".join(os.path.abspath(path) if os.path.exists(path) else path for path in paths))
        listed.flush()
        with native.load().stack("reduce") as found:
            found.set_option("input", f"X=@{listed.name}")
            found.set_option("stat", "count")
            images = found.describe()["images"]
    texts = [str(image["time"]).replace("Z", "") for image in images]
    return [image["files"][0] for image in images], [int(np.datetime64(text, "s").astype(np.int64)) for text in texts]


def _check_grids(bands: Sequence[tuple[Source, ...]], paths: Sequence[str]) -> None:
    first = bands[0][0]
    for (source, *_), path, own in zip(bands, paths, bands):
        here, there = source.transform or (), first.transform or ()
        placed = len(here) == len(there) and np.allclose(here, there, rtol=0, atol=1e-6 * abs((there or (1, 1))[1]))
        if not placed or (source.rows, source.cols) != (first.rows, first.cols):
            raise BadArgument(
                f"'{path}' lies on another grid than '{paths[0]}': {source.rows} x {source.cols}, {source.transform}; "
                f"{first.rows} x {first.cols}, {first.transform}; allowed: one grid")
        if len(own) != len(bands[0]):
            raise BadArgument(f"'{path}' has {len(own)} bands, '{paths[0]}' {len(bands[0])}; allowed: as many, or band=…")


def _masked(opened: Any, spec: Texts) -> Any:
    """What was opened without the cells that masks cover."""
    texts = spec if isinstance(spec, (list, tuple)) else [spec]
    if not all(isinstance(text, str) for text in texts):
        raise BadArgument(f"mask = {spec!r}; allowed: texts such as 'qa: bits 0|4'")
    if not labelled.is_dataset(opened):
        return stack.mask(opened, spec)
    program = stack.program("mask", mask=spec)
    variables = stack.variables_of(opened, program)
    one = [stack.Variable(v.name, v.data[0] if v.times else v.data, v.nodata) for v in variables]
    kept = [name for name in stack.describe(one, program)["bands"] if name in opened]
    if len(kept) == len(opened):
        together = stack.mask(opened, spec)
        pieces = {name: together.sel(band=name, drop=True) for name in kept} if len(kept) > 1 else {kept[0]: together}
        return opened.assign({name: piece.rename(name) for name, piece in pieces.items()})
    masks = [name for name in opened if name not in kept]
    masked = {name: stack.mask(opened[[name, *masks]], spec).rename(name) for name in kept}
    return need("xarray", "terralume.open").Dataset(masked)
