"""Operations one after another, on one tile: what is read around it is the sum of their radii, and nothing stands between
them but memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import native
from .arrays import Tile, compute_tile
from .errors import BadArgument, Unsupported
from .request import Request


@dataclass(frozen=True)
class Step:
    """One operation or recipe on a grid."""

    request: Request
    grid: native.Grid

    @property
    def chain(self) -> native.Chain:
        """The library's form of it."""
        return self.request.chain(self.grid)


def reach(steps: Sequence[Step]) -> int:
    """Cells that all steps together read around a cell."""
    return sum(step.chain.radius for step in steps)


def result(steps: Sequence[Step]) -> tuple[int, np.dtype, list[dict], object]:
    """What the last step gives: bands, type of the cells, what is known of each band, and the nodata value."""
    last = steps[-1].chain
    nodata = last.description["nodata"]
    dtype = np.dtype(steps[-1].request.settings.cell_type)
    return last.bands, dtype, last.description["bands"], float("nan") if nodata == "nan" else nodata


def check(steps: Sequence[Step], of_file: bool = False) -> None:
    """Refuses what cannot be computed tile by tile. What the first one must know of a whole file can be found."""
    for number, step in enumerate(steps):
        description = step.chain.description
        if description["surveys"] and not (of_file and number == 0 and not description["ground"]):
            raise Unsupported(
                "the recipe depends on the whole raster (percentiles, deviations, RVT's overcast sky), chunks are parts of "
                "it; allowed: stretch=(low, high) as numbers, NumPy arrays, a run from file to file (to_raster), or "
                "percentiles and deviations of what terralume.open gives")
    for step in steps[:-1]:
        if step.chain.bands != 1 or not step.request.is_float:
            raise BadArgument(
                f"a step that gives {step.chain.bands} bands of {step.request.settings.cell_type} comes before another; "
                "allowed: one band of float32")


def grown(tile: Tile, cells: int, rows: int, cols: int) -> Tile:
    """The tile with so many cells around it, cut at the ends of `rows` x `cols`."""
    row, col = max(tile.row - cells, 0), max(tile.col - cells, 0)
    last_row = min(tile.row + tile.rows + cells, rows)
    last_col = min(tile.col + tile.cols + cells, cols)
    return Tile(row, col, last_row - row, last_col - col)


def run(cells: np.ndarray, tile: Tile, steps: Sequence[Step], nodata: float) -> np.ndarray:
    """The result of all steps for `tile` of `cells`: bands x rows x columns.

    Where `cells` end nearer than the steps reach, the raster ends."""
    for number, step in enumerate(steps):
        wanted = grown(tile, reach(steps[number + 1:]), *cells.shape)
        out = compute_tile(cells, wanted, step.request, step.grid, nodata)
        if number + 1 < len(steps):
            cells, nodata = out[0], float("nan")
            tile = Tile(tile.row - wanted.row, tile.col - wanted.col, tile.rows, tile.cols)
    return out
