"""NumPy arrays in, NumPy arrays out: no copy of contiguous float32 cells, several threads, no GDAL."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

import numpy as np

from . import native
from .errors import BadArgument, BadArray
from .native import Chain, Grid, Place
from .request import Request

#: Cells of a part: large enough that calls cost nothing, small enough that Ctrl-C is heard at once.
_PART = 1 << 18

#: Below so many cells threads cost more than they bring.
_SMALL = 1 << 17

#: Nobody counts coarser cells within this radius.
_NEAR = 16

#: Rows and columns at which parts begin: operations that look far count coarser cells from the corner of the raster.
_STEP = 64


class Tile(NamedTuple):
    """A part of a raster, in cells."""

    row: int
    col: int
    rows: int
    cols: int


def processors() -> int:
    """Processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def check_cells(cells: np.ndarray) -> None:
    """Refuses what are no heights.

    Raises `BadArray`."""
    if cells.ndim != 2:
        raise BadArray(f"array of {cells.ndim} dimensions, {cells.shape}; allowed: rows x columns, one band at a time")
    check_type(cells.dtype)


def check_type(dtype: np.dtype) -> None:
    """Refuses types of cells that are no real numbers.

    Raises `BadArray`."""
    if dtype.kind not in "iuf":
        raise BadArray(f"cells of type {dtype}; allowed: whole or real numbers, best float32")


def as_float(cells: np.ndarray, nodata: float = math.nan) -> np.ndarray:
    """Cells as float32 with the columns of a row side by side; the array itself where it is so already.

    Missing cells of other types than float32 become NaN, because their code need not exist in float32."""
    is_plain = cells.dtype == np.float32 and cells.dtype.isnative
    # What came from another process may begin at any byte.
    row, col = cells.strides
    if is_plain and cells.flags.aligned and col == 4 and row >= 4 * cells.shape[1] and row % 4 == 0:
        return cells
    with np.errstate(over="ignore", invalid="ignore"):
        plain = np.array(cells, dtype=np.float32, order="C")
    if not is_plain and not math.isnan(nodata):
        plain[cells == nodata] = np.nan
    return plain


def compute(
    cells: np.ndarray,
    request: Request,
    grid: Grid = Grid(),
    nodata: float = math.nan,
    threads: int | None = None,
) -> np.ndarray:
    """The result of `request` for a whole raster: rows x columns, or bands x rows x columns where there are several.

    `cells`: heights in the unit of the cell size. `threads`: None means one per processor."""
    check_cells(cells)
    if threads is not None and threads < 1:
        raise BadArgument(f"threads = {threads}; allowed: at least 1")
    chain = request.chain(grid)
    plain = as_float(cells, nodata)
    rows, cols = plain.shape
    out = np.empty((chain.bands, rows, cols), np.float32 if request.is_float else np.uint8)
    whole = Tile(0, 0, rows, cols)
    if chain.description["surveys"]:
        chain = chain.settled(_place(plain, whole), nodata, threads or processors())
    parts = [whole] if plain.size <= _SMALL else list(_parts(whole, chain.radius))
    workers = min(threads or processors(), len(parts))
    if len(parts) == 1:
        with native.watching() as watch:
            _run(chain, plain, whole, out, (nodata, watch))
    else:
        _share_out(workers, parts, lambda part, watch: _run(chain, plain, part, out, (nodata, watch)))
    return out[0] if chain.bands == 1 else out


def compute_tile(
    cells: np.ndarray, tile: Tile, request: Request, grid: Grid, nodata: float = math.nan
) -> np.ndarray:
    """The result for one tile of `cells`, bands x rows x columns, on the calling thread.

    What stands around the tile in `cells` are its real neighbours; where there are fewer than the radius, the raster ends
    there."""
    chain = request.chain(grid)
    plain = as_float(cells, nodata)
    out = np.empty((chain.bands, tile.rows, tile.cols), np.float32 if request.is_float else np.uint8)
    place = Place(out.ctypes.data, tile.rows, tile.cols, (tile.rows * tile.cols, tile.cols), out.nbytes)
    margins = (tile.row, plain.shape[0] - tile.row - tile.rows, tile.col, plain.shape[1] - tile.col - tile.cols)
    chain.run(_place(plain, Tile(0, 0, *plain.shape)), place, margins, nodata)
    return out


def _parts(whole: Tile, radius: int) -> Iterator[Tile]:
    """Parts of about equal size; wider than the radius, so that what is read around them does not count."""
    side = max(int(math.sqrt(_PART)), 2 * radius)
    cols = min(whole.cols, max(side, 4 * _STEP))
    cols = whole.cols if whole.cols <= 4096 else _up(cols)
    rows = max(_up(_PART // cols), _up(min(2 * radius, side)))
    for row in range(0, whole.rows, rows):
        for col in range(0, whole.cols, cols):
            yield Tile(row, col, min(rows, whole.rows - row), min(cols, whole.cols - col))


def aligned_reach(radius: int) -> int:
    """Cells that are read above and to the left, so that what looks far finds its coarser cells where the raster has them."""
    return radius if radius < _NEAR else _up(radius)


def aligned_start(start: int, radius: int) -> int:
    """First row or column of a window that is read for such a reach."""
    return start if radius < _NEAR else start // _STEP * _STEP


def _up(cells: int) -> int:
    """The next multiple of the step."""
    return -(-max(cells, 1) // _STEP) * _STEP


def _run(chain: Chain, cells: np.ndarray, tile: Tile, out: np.ndarray, how: tuple[float, Any]) -> None:
    """Computes one part of the whole raster into its place. `how`: nodata, and who is asked whether to go on."""
    nodata, watch = how
    rows, cols = cells.shape
    reach = aligned_reach(chain.radius)
    top, left = min(reach, tile.row), min(reach, tile.col)
    bottom = min(chain.radius, rows - tile.row - tile.rows)
    right = min(chain.radius, cols - tile.col - tile.cols)
    outer = Tile(tile.row - top, tile.col - left, tile.rows + top + bottom, tile.cols + left + right)
    target = out[:, tile.row:tile.row + tile.rows, tile.col:tile.col + tile.cols]
    size = out.itemsize
    end = out.ctypes.data + out.nbytes
    place = Place(
        target.ctypes.data, tile.rows, tile.cols, (out.strides[0] // size, out.strides[1] // size),
        end - target.ctypes.data)
    chain.run(_place(cells, outer), place, (top, bottom, left, right), nodata, watch)


def _place(cells: np.ndarray, tile: Tile) -> Place:
    row, col = cells.strides
    return Place(
        cells.ctypes.data + tile.row * row + tile.col * col, tile.rows, tile.cols, (0, row // 4), 0)


def _share_out(workers: int, parts: list[Any], run: Any) -> None:
    """Runs all parts on threads of this call alone, so that nothing is left that a forked child would wait for.

    The first error, or Ctrl-C, ends the others within a row."""
    todo = iter(parts)
    lock, stop = threading.Lock(), threading.Event()

    def work(watch: Any) -> None:
        while not stop.is_set():
            with lock:
                part = next(todo, None)
            if part is None:
                return
            run(part, watch)

    with native.watching(lambda: not stop.is_set()) as watch, ThreadPoolExecutor(workers, "terralume") as pool:
        running: set[Future[None]] = {pool.submit(work, watch) for _ in range(workers)}
        try:
            while running:
                # With a limit, because a wait without one does not hear Ctrl-C on every system.
                done, running = wait(running, 0.1, FIRST_COMPLETED)
                for future in done:
                    future.result()
        finally:
            stop.set()
