"""How a raster is divided among the tasks of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arrays import Tile

#: Blocks of the files that are written.
BLOCK = 512

#: Most tasks of a run: schedulers stay quick, and graphs small enough to be drawn.
MOST_TASKS = 1000

#: Most bytes of a file before compression.
_MOST_BYTES = 512 << 20

_LARGEST = 8192


def side(plan: Mapping[str, Any], threads: int = 1, largest: int = _LARGEST) -> int:
    """Side of a super-tile in cells: whole blocks; at most 1,000 of them, and some for each thread where the raster is
    not small."""
    rows, cols = int(plan["rows"]), int(plan["cols"])
    cell_bytes = max(int(plan["output_bytes"]) // (rows * cols), 1)
    while largest > BLOCK and largest * largest * cell_bytes > _MOST_BYTES:
        largest //= 2
    chosen = largest
    while chosen > 2 * BLOCK and count(rows, cols, chosen) < 4 * threads:
        chosen //= 2
    while count(rows, cols, chosen) > MOST_TASKS:
        chosen += BLOCK
    return chosen


def count(rows: int, cols: int, side_cells: int) -> int:
    """How many there are."""
    return -(-rows // side_cells) * -(-cols // side_cells)


def tiles(rows: int, cols: int, side_cells: int) -> list[Tile]:
    """All of them, row by row from the top left."""
    return [
        Tile(row, col, min(side_cells, rows - row), min(side_cells, cols - col))
        for row in range(0, rows, side_cells) for col in range(0, cols, side_cells)]
