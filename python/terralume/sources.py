"""Arrays that are files: chunks that read their own window, and how an array is known to be still a file."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import native
from . import steps as chains
from .arrays import Tile, aligned_reach, aligned_start
from .errors import BadArgument, ReadFailed, need
from .native import Place
from .steps import Step


@dataclass(frozen=True)
class Source:
    """A band of a raster that GDAL can open."""

    path: str
    #: From 1; 0: all bands, as they are.
    band: int
    rows: int
    cols: int
    #: Of GDAL: left, width, 0, top, 0, height; None: the raster has no place.
    transform: tuple[float, ...] | None
    dtype: str
    bands: int
    #: The file's own value; None: it has none.
    nodata: float | None = None
    #: Reference system as WKT; empty: none.
    crs: str = ""
    #: Its cells are heights, exact in float32, and nothing but their value says which are missing.
    is_plain: bool = False
    #: What tells whether the other files that belong to it are the same, such as those of a mosaic; empty: it has none.
    others: str = ""

    @property
    def grid(self) -> native.Grid:
        """Size of the cells, as the library takes it from the file."""
        if self.transform is None:
            return native.Grid()
        return native.Grid(abs(self.transform[1]), abs(self.transform[5]), self.transform[5] > 0)

    def has_grid(self, grid: native.Grid) -> bool:
        """Whether cells of this size and order are those of the file."""
        own = self.grid
        sizes = zip(own[:2], grid[:2])
        return own.south_up == grid.south_up and all(math.isclose(one, other, rel_tol=1e-9) for one, other in sizes)

    def extent(self, tile: Tile) -> str:
        """A rectangle that touches exactly the cells of the tile, as the option `extent` takes it."""
        left, width, _, top, _, height = self.transform or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
        xs = sorted(left + width * col for col in (tile.col + 0.25, tile.col + tile.cols - 0.25))
        ys = sorted(top + height * row for row in (tile.row + 0.25, tile.row + tile.rows - 0.25))
        return ",".join(repr(float(end)) for end in (xs[0], ys[0], xs[1], ys[1]))

    def stamp(self) -> list[Any]:
        """What tells whether the file is still the same: size and time of its last change. The other files are those that
        were there when it was opened."""
        return [*_stamp(self.path), *([self.others] if self.others else [])]

    def read(self, tile: Tile) -> np.ndarray:
        """Cells as they are in the file: bands x rows x columns."""
        rasterio = need("rasterio", "reading cells of a file")
        window = rasterio.windows.Window(tile.col, tile.row, tile.cols, tile.rows)
        try:
            return _handle(self).read([self.band] if self.band else None, window=window)
        except rasterio.errors.RasterioError as error:
            raise ReadFailed(f"'{self.path}' cannot be read: {error}") from None


#: Open files of each thread: neighbouring windows share blocks, which GDAL keeps with the file.
_handles = threading.local()

#: Files that a thread keeps open.
_MOST_OPEN = 4


def _handle(source: Source) -> Any:
    """The file, opened by this thread of this process; again, when it has changed."""
    if getattr(_handles, "process", None) != os.getpid():
        # A forked child does not touch what its parent has opened.
        _handles.process, _handles.files = os.getpid(), {}
    files, key = _handles.files, (source.path, *source.stamp())
    if key not in files:
        for old in [known for known in files if known[0] == source.path] or list(files)[: len(files) + 1 - _MOST_OPEN]:
            files.pop(old).close()
        files[key] = need("rasterio", "reading cells of a file").open(source.path, sharing=False)
    return files[key]


@dataclass(frozen=True)
class Run:
    """How much a run may take."""

    threads: int | None = None
    #: Such as "256M"; None: the library decides.
    memory: str | None = None
    tile_size: int | None = None

    def options(self) -> dict[str, str]:
        """As the library's options."""
        given = {"threads": self.threads, "memory": self.memory, "tile-size": self.tile_size}
        return {name: str(value) for name, value in given.items() if value is not None}


@dataclass(frozen=True, eq=False)
class Record:
    """A lazy array: steps over a source. Lives as long as a graph that has it."""

    source: Source
    steps: tuple[Step, ...] = ()
    #: Value that means nodata in place of the file's own.
    nodata: float | None = None
    run: Run = field(default_factory=lambda: Run(threads=1))
    #: What the first step must know of the whole file, found already.
    survey: str = ""

    def job(self, tile: Tile | None = None) -> native.Job:
        """The library's run of the first step over the file, or a part of it."""
        job = self.steps[0].request.job(self.source.path)
        with contextlib.ExitStack() as refused:
            refused.push(job)
            job.set_option("band", str(self.source.band))
            if self.nodata is not None:
                job.set_option("nodata", repr(self.nodata))
            for name, value in self.run.options().items():
                job.set_option(name, value)
            if tile is not None:
                job.set_option("extent", self.source.extent(tile))
            if self.survey:
                job.set_survey(self.survey)
            refused.pop_all()
        return job

    def result(self) -> tuple[int, np.dtype, float | None]:
        """Bands, type of the cells, and the value that means nodata; None: no other than NaN."""
        if self.steps:
            bands, dtype, _, nodata = chains.result(self.steps)
            return bands, dtype, None if isinstance(nodata, float) and math.isnan(nodata) else nodata  # type: ignore
        missing = self.source.nodata if self.nodata is None else self.nodata
        return 1 if self.source.band else self.source.bands, np.dtype(self.source.dtype), missing

    def compute(self, tile: Tile) -> np.ndarray:
        """Cells of a tile, bands x rows x columns: reads the window and what stands around it with handles of its own."""
        if not self.steps:
            return self.source.read(tile)
        if self.source.is_plain and not self.survey:
            return self._compute_plain(tile)
        first, later = self.steps[0], self.steps[1:]
        wide = chains.grown(tile, chains.reach(later), self.source.rows, self.source.cols)
        out = np.empty((first.chain.bands, wide.rows, wide.cols), first.request.settings.cell_type)
        with self.job(wide) as job:
            job.run_array(Place(out.ctypes.data, wide.rows, wide.cols, (0, 0), out.nbytes))
        if not later:
            return out
        inner = Tile(tile.row - wide.row, tile.col - wide.col, tile.rows, tile.cols)
        return chains.run(out[0], inner, later, math.nan)

    def _compute_plain(self, tile: Tile) -> np.ndarray:
        """The same from cells that are read in Python, where neighbours find blocks that were read before."""
        reach = chains.reach(self.steps)
        wide = chains.grown(tile, aligned_reach(reach), self.source.rows, self.source.cols)
        row, col = aligned_start(wide.row, reach), aligned_start(wide.col, reach)
        wide = Tile(row, col, wide.rows + wide.row - row, wide.cols + wide.col - col)
        nodata = self.source.nodata if self.nodata is None else self.nodata
        inner = Tile(tile.row - wide.row, tile.col - wide.col, tile.rows, tile.cols)
        return chains.run(self.source.read(wide)[0], inner, self.steps, math.nan if nodata is None else nodata)


#: Arrays that still are what was made here: attributes, coordinates, renaming and full slices keep the name of a dask
#: array, everything that changes cells or their order gives another one.
_records: weakref.WeakValueDictionary[str, Record] = weakref.WeakValueDictionary()


def remember(name: str, record: Record) -> None:
    """Notes that the dask array of this name is `record`, as long as its graph lives."""
    _records[name] = record


def record_of(data: Any) -> Record | None:
    """What a dask array was made from, if it still is that."""
    return _records.get(getattr(data, "name", ""))


def _is_plain(dataset: Any, band: int) -> bool:
    if band == 0 or dataset.dtypes[band - 1] not in ("uint8", "int8", "uint16", "int16", "float32"):
        return False
    if dataset.scales[band - 1] != 1 or dataset.offsets[band - 1] != 0:
        return False
    flags = {flag.name for flag in dataset.mask_flag_enums[band - 1]}
    return flags <= {"nodata"} or flags <= {"all_valid"}


def _stamp(path: str) -> list[Any]:
    try:
        found = os.stat(path)
    except OSError:  # not a plain file, such as an address or a name of GDAL's
        return [path]
    return [os.path.abspath(path), found.st_size, found.st_mtime_ns]


def _others(dataset: Any) -> str:
    """The stamps of all files but the first in a few letters: a mosaic may have thousands."""
    stamps = [_stamp(name) for name in sorted(dataset.files[1:])]
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:32] if stamps else ""


def path_of(source: Any) -> str:
    """The name of a raster.

    Raises `BadArgument` for what is no name."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    raise BadArgument(f"{type(source).__name__} is no name of a raster; allowed: one file, or what else GDAL can open")


def source_of(path: str | os.PathLike[str], band: int = 1) -> Source:
    """Looks at a raster without reading cells. Needs rasterio.

    Raises `ReadFailed`."""
    rasterio = need("rasterio", "looking at a file")
    name = path_of(path)
    if not isinstance(band, (int, np.integer)):
        raise BadArgument(f"band = {band!r}; allowed: a whole number from 1")
    try:
        with rasterio.open(name) as dataset:
            if dataset.count == 0:
                raise ReadFailed(f"'{name}' has no bands of its own; allowed: one of {', '.join(dataset.subdatasets)}")
            if band > dataset.count:
                raise BadArgument(f"'{name}' has no band {band}; allowed: 1 to {dataset.count}")
            placed = not dataset.transform.is_identity
            return Source(
                path=name if "://" in name or not Path(name).exists() else str(Path(name).resolve()), band=band,
                rows=dataset.height, cols=dataset.width,
                transform=tuple(dataset.transform.to_gdal()) if placed else None,
                dtype=dataset.dtypes[max(band, 1) - 1], bands=dataset.count, nodata=dataset.nodatavals[max(band, 1) - 1],
                crs=dataset.crs.to_wkt() if dataset.crs else "", is_plain=_is_plain(dataset, band), others=_others(dataset))
    except rasterio.errors.RasterioError as error:
        raise ReadFailed(f"'{name}' cannot be opened: {error}") from None
