"""What a worker of a cluster does: one super-tile into one file, or into whole chunks of a Zarr store, and a note that it is
there."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Union

import numpy as np

from . import zarr_store
from .arrays import Tile
from .attached import Result
from .errors import ReadFailed
from .files import set_options
from .mosaic import Frame, write_tile, write_whole
from .sources import Record, Source

#: What the library says of a part of a raster without any data.
_EMPTY = "every cell is nodata"

#: Creation options of super-tiles.
_CREATION = ("COMPRESS=ZSTD",)


class Task(NamedTuple):
    """A super-tile and what its file must say to be taken for done."""

    tile: Tile
    #: File without its ending: NAME.tif and NAME.json.
    stem: str
    #: What makes the work the same: request, library, source, place.
    key: dict[str, Any]


class Done(NamedTuple):
    """What a task gives back."""

    empty: bool
    seconds: float
    #: Most bytes the worker's process has had so far.
    peak: int
    worker: int


@dataclass(frozen=True, eq=False)
class ReliefWork:
    """A recipe over one file."""

    record: Record
    frame: Frame

    @classmethod
    def of(cls, record: Record) -> ReliefWork:
        """With what the tiles will have in common, as the library writes them."""
        source, chain = record.source, record.steps[0].chain
        code = chain.description["nodata"]
        frame = Frame(
            source.rows, source.cols, record.steps[0].request.settings.cell_type,
            tuple(str(band["name"]) for band in chain.description["bands"]),
            float("nan") if code == "nan" else code, source.transform, source.crs)
        return cls(record, frame)

    @property
    def sources(self) -> list[Source]:
        """What is read."""
        return [self.record.source]

    def key(self) -> dict[str, Any]:
        """What makes the work the same."""
        record = self.record
        key = {"request": record.steps[0].request.digest(), "source": record.source.stamp(), "band": record.source.band,
               "nodata": repr(record.nodata)}
        return {**key, "survey": record.survey} if record.survey else key

    def cells(self, tile: Tile) -> np.ndarray:
        """Bands x rows x columns."""
        return self.record.compute(tile)

    def write(self, path: str, tile: Tile) -> bool:
        """Writes a file, block by block; False: there is nothing to write."""
        with self.record.job(tile) as job:
            set_options(job, {"overwrite": True, "co": list(_CREATION)})
            job.set_output(path)
            try:
                job.run()
            except ReadFailed as error:
                if _EMPTY not in str(error):
                    raise
                Path(path).unlink(missing_ok=True)
                return False
        return True


@dataclass(frozen=True, eq=False)
class StackWork:
    """A program over stacks of files."""

    result: Result
    frame: Frame
    version: str

    @classmethod
    def of(cls, result: Result, version: str) -> StackWork:
        """With what the tiles will have in common."""
        first, description = result.first, result.description
        code = description["nodata"]
        frame = Frame(
            first.rows, first.cols, result.dtype.name, tuple(description["bands"]),
            float("nan") if code == "nan" else code, first.transform, first.crs)
        return cls(result, frame, version)

    @property
    def sources(self) -> list[Source]:
        """What is read."""
        return self.result.sources()

    def key(self) -> dict[str, Any]:
        """What makes the work the same."""
        return {"library": self.version, "program": self.result.token()}

    def cells(self, tile: Tile) -> np.ndarray:
        """Bands x rows x columns."""
        return self.result.read(tile, 0)

    def write(self, path: str, tile: Tile) -> bool:
        """Writes a file."""
        write_tile(path, self.cells(tile), self.frame, tile)
        return True


#: What super-tiles can be made by.
Work = Union[ReliefWork, StackWork]


def state(task: Task, needs_file: bool) -> bool | None:
    """Of a tile that is there: whether it is empty; None: it is to be computed."""
    try:
        known = json.loads(Path(task.stem + ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if known.get("key") != json.loads(json.dumps(task.key)):
        return None
    if known["empty"] or not needs_file:
        return bool(known["empty"])
    with contextlib.suppress(OSError):
        return False if os.path.getsize(task.stem + ".tif") == known["bytes"] else None
    return None


def compute_file(work: Work, task: Task) -> Done:
    """One super-tile into one file."""
    began, path = time.monotonic(), task.stem + ".tif"
    _forget(task)
    there = work.write(path, task.tile)
    return _note(task, not there, began, os.path.getsize(path) if there else 0)


def compute_chunk(work: Work, task: Task, store: str) -> Done:
    """One super-tile into whole chunks of a Zarr store."""
    began = time.monotonic()
    _forget(task)
    zarr_store.write(store, task.tile, work.cells(task.tile))
    return _note(task, False, began, 0)


def task_of(tile: Tile, folder: str, key: Mapping[str, Any]) -> Task:
    """The task of a tile."""
    return Task(tile, os.path.join(folder, f"tile_{tile.row}_{tile.col}"), {**key, "tile": list(tile)})


def _forget(task: Task) -> None:
    """Takes back what an earlier run has said of the tile, which is about to change."""
    Path(task.stem + ".json").unlink(missing_ok=True)


def _note(task: Task, empty: bool, began: float, size: int) -> Done:
    write_whole(task.stem + ".json", json.dumps({"key": task.key, "empty": empty, "bytes": size}))
    return Done(empty, time.monotonic() - began, _peak(), os.getpid())


def _peak() -> int:
    """Most bytes that this process has had. Not `getrusage`, which also counts the process that started this one."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0
