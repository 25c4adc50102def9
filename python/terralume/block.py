"""A function of the caller for every block of a raster or an array."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Callable, NamedTuple

import numpy as np

from . import georeference, labelled, native
from .arrays import check_cells, processors
from .errors import BadArgument, Cancelled
from .progress import Progress, Report, reporting


class Block(NamedTuple):
    """A part of a raster."""

    #: (rows + 2 halo) x (cols + 2 halo) values, NaN without data and beyond the raster. Valid during the call.
    cells: np.ndarray
    #: Number of the block, row by row from the top left.
    number: int
    #: First row and column of the block, without the halo, in the raster.
    row: int
    col: int
    #: Size of the block, without the halo.
    rows: int
    cols: int
    halo: int

    @property
    def inner(self) -> np.ndarray:
        """The cells without the halo."""
        return self.cells[self.halo:self.halo + self.rows, self.halo:self.halo + self.cols]


def run(
    source: Any, function: Callable[[Block], Any], shape: tuple[int, int], how: tuple[int | None, int],
    progress: Progress,
) -> list[Any]:
    """Results of the function in order of the blocks."""
    (size, halo), (workers, band) = shape, how
    if size < 1 or halo < 0:
        raise BadArgument(f"blocks of {size} cells with {halo} around them; allowed: at least 1, and at least 0")
    with reporting(progress, "blocks") as report:
        if isinstance(source, (str, os.PathLike)):
            return _of_file(os.fspath(source), function, (size, halo), (workers or processors(), band), report)
        return _of_array(source, function, (size, halo), workers or processors(), report)


class _Results:
    """What threads put their results into, and the first error."""

    def __init__(self, function: Callable[[Block], Any]) -> None:
        self.function, self.found = function, {}  # type: ignore[var-annotated]
        self.error: BaseException | None = None
        self.stop = threading.Event()

    def take(self, block: Block) -> bool:
        """Calls the function; False when nothing more is wanted."""
        try:
            if not self.stop.is_set():
                self.found[block.number] = self.function(block)
        except BaseException as error:
            self.error = self.error or error
            self.stop.set()
        return not self.stop.is_set()

    def ordered(self) -> list[Any]:
        """All results, or the error."""
        if self.error is not None:
            raise self.error
        return [self.found[index] for index in sorted(self.found)]


def _of_file(
    path: str, function: Callable[[Block], Any], shape: tuple[int, int], how: tuple[int, int], report: Report
) -> list[Any]:
    (size, halo), (workers, band) = shape, how
    results = _Results(function)

    def take(cells: np.ndarray, place: tuple[int, int, int, int, int]) -> bool:
        index, row, col, rows, cols = place
        return results.take(Block(cells, index, row, col, rows, cols, halo))

    total = _count(path, band, size)

    with ThreadPoolExecutor(1, "terralume") as pool:
        running = pool.submit(native.load().map_tiles, path, band, (size, halo, workers), take)
        try:
            # The library calls from threads of its own: this one is free to hear Ctrl-C.
            while wait([running], 0.1).not_done:
                if not report(min(len(results.found) / total, 1.0), "blocks"):
                    raise Cancelled("the run was cancelled")
        finally:
            results.stop.set()
        try:
            running.result()
        except Cancelled:
            if results.error is None:
                raise
    report(1.0, "done")
    return results.ordered()


def _count(path: str, band: int, size: int) -> int:
    """How many blocks a file has."""
    with native.load().stack("calc") as stack:
        stack.set_option("input", f"X={path}:{band}")
        stack.set_option("expr", "X")
        found = stack.describe()
    return -(-found["rows"] // size) * -(-found["cols"] // size)


def _of_array(
    source: Any, function: Callable[[Block], Any], shape: tuple[int, int], workers: int, report: Report
) -> list[Any]:
    size, halo = shape
    nodata = float("nan")
    if labelled.is_data_array(source):
        plane = labelled.plane(source)
        nodata, source = georeference.nodata_of(plane, None), plane.data
    check_cells(source)
    rows, cols = source.shape
    results = _Results(function)
    corners = [(row, col) for row in range(0, rows, size) for col in range(0, cols, size)]

    def work(index: int) -> None:
        row, col = corners[index]
        height, width = min(size, rows - row), min(size, cols - col)
        cells = np.full((height + 2 * halo, width + 2 * halo), np.nan)
        top, left = max(row - halo, 0), max(col - halo, 0)
        part = np.asarray(source[top:row + height + halo, left:col + width + halo], np.float64)
        inside = cells[top - row + halo:, left - col + halo:][:part.shape[0], :part.shape[1]]
        inside[...] = np.where(part == nodata, np.nan, part)
        results.take(Block(cells, index, row, col, height, width, halo))

    with ThreadPoolExecutor(workers, "terralume") as pool:
        running = {pool.submit(work, index) for index in range(len(corners))}
        try:
            while running:
                _, running = wait(running, 0.1)
                if results.error is not None or not report(1 - len(running) / len(corners), "blocks"):
                    break
        finally:
            results.stop.set() if running else None
            for future in running:
                future.cancel()
    if results.error is None and len(results.found) < len(corners):
        raise Cancelled("the run was cancelled")
    report(1.0, "done")
    return results.ordered()
