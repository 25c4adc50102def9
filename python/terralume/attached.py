"""Stacks that are files: chunks that read their own window of every date, and programs that stay with the files.

An origin says what a lazy array was made from: `Files`, the `Result` of a program over other origins, or the `Relief` of a
lazy array of one file. Each can give the cells of any tile, so that a chunk of a chain of programs is one task.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import math
import os
import re
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Union

import numpy as np

from . import native, sources
from . import stack as stacks
from .arrays import Tile
from .errors import need
from .native import Place
from .sources import Record, Run, Source
from .stack import Program, Variable
from .steps import grown

#: What the library may take for a chunk, where nobody says otherwise.
_MEMORY = "256M"


@dataclass(frozen=True, eq=False)
class Files:
    """Bands of files, date by date, on one grid."""

    #: Images x bands.
    sources: tuple[tuple[Source, ...], ...]
    #: Seconds since 1970, one for each image; empty: there is one, without a date.
    times: tuple[float, ...] = ()
    #: Value that means nodata in place of the files' own.
    nodata: float | None = None

    @property
    def first(self) -> Source:
        """The file whose grid, type and nodata value count."""
        return self.sources[0][0]

    @property
    def bands(self) -> int:
        """Bands of an image."""
        return len(self.sources[0])

    @property
    def dtype(self) -> np.dtype:
        """Type of the cells."""
        return np.dtype(self.first.dtype)

    def missing(self) -> float | None:
        """Value that means nodata; None: no other than NaN."""
        return self.first.nodata if self.nodata is None else self.nodata

    def token(self) -> list[Any]:
        """What tells whether the cells are the same."""
        stamps = [[source.band, *source.stamp()] for image in self.sources for source in image]
        return ["files", stamps, self.times, repr(self.nodata)]

    def read(self, tile: Tile, image: int) -> np.ndarray:
        """Cells of a tile of one date: bands x rows x columns."""
        return np.concatenate([source.read(tile) for source in self.sources[image]])


@dataclass(frozen=True, eq=False)
class Relief:
    """Relief of one file, or the file itself."""

    record: Record
    times: tuple[float, ...] = ()

    @property
    def first(self) -> Source:
        """The file whose grid counts."""
        return self.record.source

    @property
    def dtype(self) -> np.dtype:
        """Type of the cells."""
        return self.record.result()[1]

    def missing(self) -> float | None:
        """Value that means nodata."""
        return self.record.result()[2]

    def token(self) -> list[Any]:
        """What tells whether the cells are the same."""
        record = self.record
        return ["relief", record.source.stamp(), record.source.band, repr(record.nodata), repr(record.steps)]

    def read(self, tile: Tile, image: int) -> np.ndarray:
        """Cells of a tile: bands x rows x columns."""
        return self.record.compute(tile)


class Operand(NamedTuple):
    """A named band of an origin."""

    name: str
    origin: Origin
    #: From 0.
    band: int

    def is_input(self) -> bool:
        """Whether the library can read it from files itself, and the same cells."""
        is_name = re.fullmatch(r"[^\W\d][\w .-]*", self.name) is not None
        return is_name and isinstance(self.origin, Files) and self.origin.nodata is None


@dataclass(frozen=True, eq=False)
class Result:
    """A program over bands of origins."""

    program: Program
    operands: tuple[Operand, ...]
    #: Of what comes out: bands, type, nodata, halo.
    description: dict[str, Any]
    #: Dates of the result, each computed by itself; empty: one image.
    times: tuple[float, ...] = ()
    run: Run = field(default_factory=lambda: Run(threads=1, memory=_MEMORY))

    @property
    def first(self) -> Source:
        """The file whose grid counts."""
        return self.operands[0].origin.first

    @property
    def bands(self) -> int:
        """Bands of an image."""
        return len(self.description["bands"])

    @property
    def dtype(self) -> np.dtype:
        """Type of the cells."""
        return np.dtype(self.description["type"])

    def missing(self) -> float | None:
        """Value that means nodata; None: no other than NaN."""
        code = self.description["nodata"]
        return None if code == "nan" else code

    def token(self) -> list[Any]:
        """What tells whether the cells are the same."""
        parts = [[operand.name, operand.band, operand.origin.token()] for operand in self.operands]
        return ["result", self.program.command, self.program.options, parts, self.times]

    def sources(self) -> list[Source]:
        """All files that are read."""
        found: list[Source] = []
        for operand in self.operands:
            origin = operand.origin
            if isinstance(origin, Files):
                found += [source for image in origin.sources for source in image]
            else:
                found += origin.sources() if isinstance(origin, Result) else [origin.record.source]
        return found

    def read(self, tile: Tile, image: int) -> np.ndarray:
        """Cells of a tile of one date: bands x rows x columns."""
        if all(operand.is_input() for operand in self.operands):
            return self._from_files(tile, image)
        wide = grown(tile, int(self.description["halo"]), self.first.rows, self.first.cols)
        inner = Tile(tile.row - wide.row, tile.col - wide.col, tile.rows, tile.cols)
        known: dict[tuple[int, int], np.ndarray] = {}
        variables = [self._variable(operand, wide, image, known) for operand in self.operands]
        return stacks.run(variables, self.program, inner, threads=self.run.threads)[0]

    def _variable(self, operand: Operand, tile: Tile, image: int, known: dict[tuple[int, int], np.ndarray]) -> Variable:
        origin = operand.origin
        missing = origin.missing()
        nodata = math.nan if missing is None else missing

        def cells(number: int) -> np.ndarray:
            key = id(origin), number
            if key not in known:
                known[key] = origin.read(tile, number)
            return known[key][operand.band]

        if not origin.times:
            return Variable(operand.name, cells(0), nodata)
        if self.times:
            return Variable(operand.name, cells(image), nodata)
        return Variable(operand.name, np.stack([cells(number) for number in range(len(origin.times))]), nodata, origin.times)

    def _from_files(self, tile: Tile, image: int) -> np.ndarray:
        """The library reads block by block and date by date: all dates of a chunk are never in memory together."""
        out = np.empty((self.bands, tile.rows, tile.cols), self.dtype)
        with self._stack(image) as stack:
            window = tile.row, tile.col, tile.rows, tile.cols
            stack.run_array(Place(out.ctypes.data, tile.rows, tile.cols, (0, 0), out.nbytes), window)
        return out

    @contextlib.contextmanager
    def _stack(self, image: int) -> Iterator[native.Stack]:
        with tempfile.TemporaryDirectory(prefix="terralume-") as folder, native.load().stack(self.program.command) as stack:
            for name, value in (*self.program.options, *self.run.options().items()):
                stack.set_option(name, value)
            for number, operand in enumerate(self.operands):
                files = operand.origin
                assert isinstance(files, Files)  # `read` has looked
                images = [files.sources[image if files.times else 0]] if self.times else files.sources
                source = images[0][operand.band]
                path = source.path
                if files.times and not self.times:
                    path = os.path.join(folder, f"{number}.csv")
                    _write_table(path, [(bands[operand.band].path, time) for bands, time in zip(images, files.times)])
                stack.set_option("input", f"{operand.name}={path}:{source.band}")
            yield stack


#: What chunks can be made from.
Origin = Union[Files, Relief, Result]


def _write_table(path: str, rows: Sequence[tuple[str, float]]) -> None:
    """A table of files and dates, as the library reads it."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "datetime"])
        for name, time in rows:
            writer.writerow([name, f"{np.datetime64(int(time), 's')}Z"])


@dataclass(frozen=True)
class Computed(Source):
    """An image of an origin that relief can be made from, as if it were a file."""

    origin: Any = None

    def read(self, tile: Tile) -> np.ndarray:
        """Cells of a tile: bands x rows x columns."""
        return self.origin.read(tile, 0)

    def has_grid(self, grid: native.Grid) -> bool:
        """The steps say how large cells are: no run of the library looks at the file."""
        return True

    def stamp(self) -> list[Any]:
        """What tells whether the cells are the same."""
        return self.origin.token()


#: As in `sources`: arrays that still are what was made here.
_origins: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def origin_of(data: Any) -> Origin | None:
    """What a dask array was made from, if it still is that."""
    found = _origins.get(getattr(data, "name", ""))
    if found is not None:
        return found
    record = sources.record_of(data)
    if record is None:
        return None
    if record.steps or not record.source.band:
        return Relief(record)
    return Files(((record.source,),), nodata=record.nodata)


def record_of(data: Any) -> Record | None:
    """What relief of a dask array can be made from without the array."""
    origin = _origins.get(getattr(data, "name", ""))
    if origin is None:
        return sources.record_of(data)
    if data.ndim != 2:
        return None
    first = origin.first
    source = Computed(
        path="", band=1, rows=first.rows, cols=first.cols, transform=first.transform, dtype=origin.dtype.name, bands=1,
        nodata=origin.missing(), crs=first.crs, is_plain=True, origin=origin)
    return Record(source)


def lazy(origin: Files | Result, chunks: Any, flat: bool) -> Any:
    """A lazy array, one task for each chunk: (dates) x (bands) x rows x columns. `flat`: without the axis of bands."""
    dask_array = need("dask.array", "lazy arrays")
    from dask.base import tokenize

    sizes = tuple(chunks)
    if not flat:
        # Files may be read band by band, programs give all bands at once.
        sizes = ((1,) * origin.bands if isinstance(origin, Files) else (origin.bands,), *sizes)
    if origin.times:
        sizes = ((1,) * len(origin.times), *sizes)
    name = f"terralume-{tokenize(origin.token(), sizes)}"
    result = dask_array.map_blocks(
        functools.partial(_block, origin, flat), chunks=sizes, dtype=origin.dtype, name=name,
        meta=np.empty((0,) * len(sizes), origin.dtype))
    _origins[result.name] = origin
    return result


def _block(origin: Files | Result, flat: bool, block_info: Any = None) -> np.ndarray:
    place = block_info[None]["array-location"]
    rows, cols = place[-2:]
    tile, image = Tile(rows[0], cols[0], rows[1] - rows[0], cols[1] - cols[0]), place[0][0] if origin.times else 0
    if isinstance(origin, Files) and not flat:
        band = slice(*place[-3])
        cells = Files((origin.sources[image][band],)).read(tile, 0)
    else:
        cells = origin.read(tile, image)
    cells = cells[0] if flat else cells
    return cells[None] if origin.times else cells


def result(
    variables: Sequence[Variable], program: Program, times: tuple[float, ...], description: dict[str, Any],
) -> Result | None:
    """The program over the files that variables were made from; None: at least one is no longer what is in files, or says
    of itself what they do not."""
    operands = []
    for variable in variables:
        if variable.origin is None:
            return None
        origin, band = variable.origin
        missing = origin.missing()
        agrees = math.isnan(variable.nodata) if missing is None else _same(missing, variable.nodata)
        if not agrees or tuple(variable.times) != tuple(origin.times):
            return None
        operands.append(Operand(variable.name, origin, band))
    firsts = (operand.origin.first for operand in operands)
    if len({(first.rows, first.cols, first.transform) for first in firsts}) > 1:
        return None
    return Result(program, tuple(operands), description, times)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
