"""Dask arrays: one task for a chunk where the array is a file, neighbours from other chunks where it is not."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from . import attached, sources
from . import steps as chains
from .arrays import Tile, check_type
from .errors import BadArgument, BadArray, ChunkTooSmall, need
from .sources import Record, Source
from .steps import Step


def apply(data: Any, step: Step, nodata: float, given_nodata: float | None) -> Any:
    """`step` for a dask array of rows x columns: a lazy array, bands first where there are several."""
    if data.ndim != 2:
        raise BadArray(f"dask array of {data.ndim} dimensions; allowed: rows x columns, one band at a time")
    check_type(data.dtype)
    if any(math.isnan(size) for sizes in data.chunks for size in sizes):
        raise BadArray("dask array with chunks of unknown size; allowed: compute_chunk_sizes() first")
    record = attached.record_of(data)
    if record is not None and _agrees(record, step, nodata, given_nodata):
        given = record.nodata if record.steps else given_nodata
        longer = replace(record, nodata=given, steps=(*record.steps, step))
        return from_source(longer, data.chunks)
    return overlapped(data, (step,), nodata)


def _agrees(record: Record, step: Step, nodata: float, given: float | None) -> bool:
    """Whether a run over the file takes the same size of cells, and the same cells for missing, as this call."""
    if record.steps:
        # What several bands or bytes would give to another step, it gives from arrays as well.
        return math.isnan(nodata)
    if not record.source.band or not record.source.has_grid(step.grid):
        return False
    return given is not None or math.isnan(nodata) or nodata == record.source.nodata


def from_source(record: Record, chunks: Any, name: str | None = None) -> Any:
    """A lazy array whose tasks read their own window of a file, one for each chunk."""
    dask_array = need("dask.array", "lazy arrays")
    from dask.base import tokenize

    source = record.source
    is_file = not isinstance(source, attached.Computed)
    chains.check(record.steps, of_file=is_file)
    bands, dtype, _ = record.result()
    flat = bands == 1 and (bool(record.steps) or bool(source.band))
    sizes = tuple(chunks) if flat else ((bands,), *chunks)
    token = tokenize(source.stamp(), source.band, record.nodata, repr(record.steps), sizes)
    more = {}
    if record.steps and record.steps[0].chain.description["surveys"]:
        # One more task, for all chunks.
        more["survey"] = need("dask", "lazy arrays").delayed(_survey, pure=False)(record)
    result = dask_array.map_blocks(
        functools.partial(_source_block, record, flat), chunks=sizes, dtype=dtype, name=f"terralume-{token}",
        meta=np.empty((0,) * len(sizes), dtype), **more)
    sources.remember(result.name, record)
    return result


def _survey(record: Record) -> str:
    """What the first step must know of the whole file."""
    with record.job() as job:
        return job.survey()


def _source_block(record: Record, flat: bool, block_info: Any = None, survey: str = "") -> np.ndarray:
    record = replace(record, survey=survey) if survey else record
    rows, cols = block_info[None]["array-location"][-2:]
    cells = record.compute(Tile(rows[0], cols[0], rows[1] - rows[0], cols[1] - cols[0]))
    return cells[0] if flat else cells


def overlapped(data: Any, steps: Sequence[Step], nodata: float) -> Any:
    """A lazy array whose tasks get what stands around their chunk from its neighbours.

    Raises `ChunkTooSmall` where a neighbour is smaller than what is needed of it."""
    overlap = need("dask.array.overlap", "lazy arrays").overlap
    chains.check(steps)
    depth = chains.reach(steps)
    check_chunks(data.chunks, depth)
    depths = depth if len(data.chunks[0]) > 1 else 0, depth if len(data.chunks[1]) > 1 else 0
    # Not NaN beyond the raster: there each operation has a rule of its own.
    wide = overlap(data, depth=dict(enumerate(depths)), boundary="none", allow_rechunk=False)
    bands, dtype, _, _ = chains.result(steps)
    work = functools.partial(_overlapped_block, tuple(steps), nodata, depths, bands == 1)
    if bands == 1:
        return wide.map_blocks(work, chunks=data.chunks, dtype=dtype, meta=np.empty((0, 0), dtype))
    return wide.map_blocks(
        work, chunks=((bands,), *data.chunks), new_axis=0, dtype=dtype, meta=np.empty((0, 0, 0), dtype))


def _overlapped_block(
    steps: tuple[Step, ...], nodata: float, depths: tuple[int, int], flat: bool, cells: np.ndarray, block_info: Any = None
) -> np.ndarray:
    place, count = block_info[0]["chunk-location"], block_info[0]["num-chunks"]
    before = [depth if number > 0 else 0 for number, depth in zip(place, depths)]
    after = [depth if number + 1 < total else 0 for number, total, depth in zip(place, count, depths)]
    rows, cols = (size - first - last for size, first, last in zip(cells.shape, before, after))
    out = chains.run(cells, Tile(before[0], before[1], rows, cols), steps, nodata)
    return out[0] if flat else out


def check_chunks(chunks: Sequence[Sequence[int]], depth: int) -> None:
    """Refuses chunks of which a neighbour needs more than there is.

    Raises `ChunkTooSmall`."""
    for axis, (name, sizes) in enumerate(zip(("rows", "columns"), chunks)):
        least = min(sizes)
        if len(sizes) > 1 and least < depth:
            size = max(512, -(-depth // 256) * 256)
            raise ChunkTooSmall(
                f"a chunk has {least} {name}, and {depth} are needed from each side; allowed: chunks of at least {depth}, "
                f"the last one too, such as rechunk({{{axis}: {_even(sum(sizes), size)}}})")


def _even(total: int, size: int) -> int:
    """A size of chunks not smaller than `size` whose last chunk is not much smaller than the others."""
    count = max(total // size, 1)
    return -(-total // count)


def chunks_of(source: Source, block: tuple[int, int], chunks: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sizes of chunks: whole blocks of the file of about 2048 cells where nobody says otherwise."""
    normalize = need("dask.array", "lazy arrays").core.normalize_chunks
    given = chunks
    if chunks == "auto":
        chunks = tuple(_whole_blocks(side, length) for side, length in zip(block, (source.rows, source.cols)))
    if isinstance(chunks, dict):
        if not set(chunks) <= {"y", "x"}:
            raise BadArgument(f"chunks = {given!r}; allowed: {{'y': …, 'x': …}}")
        chunks = (chunks.get("y", -1), chunks.get("x", -1))
    if isinstance(chunks, int):
        chunks = (chunks, chunks)
    try:
        return normalize(tuple(chunks), shape=(source.rows, source.cols), dtype=source.dtype)
    except (TypeError, ValueError, ZeroDivisionError):
        raise BadArgument(
            f'chunks = {given!r}; allowed: "auto", a number of cells, a pair of them, {{"y": …, "x": …}}') from None


def _whole_blocks(block: int, length: int, wanted: int = 2048) -> int:
    """A side of whole blocks; a chunk at the end of less than an eighth is left to the others."""
    side = min(max(wanted // block, 1) * block, length)
    count = max(round(length / side), 1)
    even = -(-length // count)
    return min(-(-even // block) * block, length)
