"""Runs from file to file on a Dask cluster: one task for each super-tile, a few tasks at a time, resumed where they stopped.

Every task reads its own window and what stands around it, computes with the library, writes a file of its own, and gives
back a few hundred bytes. No two processes ever write one file.

    from dask.distributed import Client
    import terralume.dask

    report = terralume.dask.run("vat-combined", "dem.tif", "vat.vrt", dtype="uint8", client=Client("scheduler:8786"))
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, NamedTuple

from . import native, sources, supertiles, zarr_store
from .arrays import Tile, processors
from .errors import BadArgument, Cancelled, ReadFailed, TilesFailed, Unsupported, WriteFailed, need
from .files import free_memory, set_options
from .mosaic import Frame, gather, write_vrt, write_whole
from .progress import Progress, reporting
from .request import Recipe, Value, make
from .sources import Record, Run
from .steps import Step

distributed = need("distributed", "terralume.dask")

#: Settings of GDAL on workers; those of the user win.
_SETTINGS = {"GDAL_NUM_THREADS": "1", "GDAL_CACHEMAX": "64"}
_REMOTE = {"GDAL_CACHEMAX": "256", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}

#: What the library says of a part of a raster without any data.
_EMPTY = "every cell is nodata"

#: Share of a worker's memory that the library may take, and that all together may: Dask spills at 60 to 70 %.
_SHARE, _TOGETHER = 0.5, 0.6

#: What Python with NumPy, Dask, and GDAL with its own cache, takes before anything is computed.
_BASE = 200 << 20

#: The library does not work with less.
_LEAST = 80 << 20


class TerralumePlugin(distributed.WorkerPlugin):  # type: ignore[misc, name-defined]
    """Makes a worker ready: loads the library once, and gives GDAL settings that suit many processes."""

    name = "terralume"

    def __init__(self, remote: bool = False) -> None:
        """`remote`: rasters come over the network."""
        self.remote = remote

    def setup(self, worker: Any) -> None:
        """Called by Dask on each worker, also on those that come later."""
        for name, value in {**_SETTINGS, **(_REMOTE if self.remote else {})}.items():
            os.environ.setdefault(name, value)
        native.load()


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


@dataclass
class Report:
    """What a run did."""

    #: The mosaic, the gathered file, or the Zarr store.
    path: str
    tiles: int
    computed: int = 0
    #: Tiles that were there already.
    kept: int = 0
    #: Tiles without any data; they have no file.
    empty: int = 0
    seconds: float = 0.0
    supertile: int = 0
    #: Largest memory of a worker's process, in bytes.
    peak: int = 0
    workers: set[int] = field(default_factory=set)
    #: Tiles that could not be computed, and why.
    failed: list[tuple[Tile, str]] = field(default_factory=list)


def run(
    recipe: Recipe,
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    parameters: Mapping[str, Value] | None = None,
    *,
    client: Any = None,
    supertile: int | str = "auto",
    resume: bool = True,
    dtype: Any = "float32",
    stretch: str | tuple[float, float] | None = None,
    compat: str = "none",
    band: int = 1,
    nodata: float | None = None,
    memory: str | None = None,
    tile_size: int | None = None,
    retries: int = 2,
    overwrite: bool = False,
    progress: Progress = None,
    co: list[str] | None = None,
) -> Report:
    """Computes a recipe from file to file on the workers of a cluster.

    Parameters
    ----------
    source
        A raster that all workers can open under this name.
    destination
        `NAME.vrt`: a mosaic over one GeoTIFF for each super-tile, which stand in the folder NAME.vrt.tiles; `NAME.tif`: the
        same (NAME.tif.tiles), gathered into one Cloud Optimized GeoTIFF; `NAME.zarr`: a Zarr store of format 2, which is
        there before it is whole. A place that all workers can write.
    client
        A `distributed.Client`; without it the current one.
    supertile
        Side of a super-tile in cells; "auto": at most 1,000 of them.
    resume
        Keeps tiles of an earlier run with the same recipe, library and source.
    memory
        What the library may take for one task, such as "256M"; without it half of the worker's memory for each of its threads.
    retries
        How often a task that failed is tried again.
    overwrite
        Replaces a destination that is there.
    co
        Creation options of the COG.

    Raises
    ------
    TilesFailed
        With `report`: some tiles could not be computed. All others are there, and a second call computes the rest.
    BadArgument, ReadFailed, WriteFailed, Unsupported, GdalMissing
    """
    began = time.monotonic()
    cluster = client or _current_client()
    request = make(recipe, parameters, dtype=dtype, stretch=stretch, compat=compat)
    found = sources.source_of(source, band)
    record = Record(found, (Step(request, found.grid),), nodata, _run_of(cluster, memory, tile_size))
    plan = _plan(record)
    threads = max(sum(_threads(cluster).values()), 1)
    form = _Form.of(os.fspath(destination), plan, record, threads, supertile)
    form.check(found.path, overwrite, resume)
    cluster.register_plugin(TerralumePlugin("://" in found.path or found.path.startswith("/vsi")))
    report = Report(form.target, len(form.tasks), supertile=form.side)
    todo = []
    for task in form.tasks:
        state = _state(task, form.needs_files) if resume else None
        if state is None:
            todo.append(task)
        else:
            report.kept += 1
            report.empty += int(state)
    form.prepare(report.kept == 0, overwrite)
    with reporting(progress, "terralume") as tell:
        _drive(cluster, todo, lambda task: form.submit(cluster, record, task, retries), report, threads, tell)
    if report.failed:
        report.seconds = time.monotonic() - began
        raise _failure(report)
    form.finish(co)
    report.seconds = time.monotonic() - began
    return report


def _failure(report: Report) -> TilesFailed:
    # Not the one that happened to end first.
    report.failed.sort(key=lambda failure: (failure[0].row, failure[0].col))
    tile, reason = report.failed[0]
    error = TilesFailed(
        f"{len(report.failed)} of {report.tiles} tiles failed, the first at row {tile.row}, column {tile.col}: {reason}; "
        "the others are there, and the same call computes the rest")
    error.report = report  # type: ignore[attr-defined]
    return error


def _current_client() -> Any:
    try:
        return distributed.get_client()
    except ValueError:
        raise BadArgument("no cluster; allowed: client=distributed.Client(…), or terralume.run in this process") from None


def _threads(cluster: Any) -> dict[str, int]:
    return dict(cluster.nthreads())


def _run_of(cluster: Any, memory: str | None, tile_size: int | None) -> Run:
    """What one task may take: half of what a worker has for each of its threads."""
    if memory is None:
        workers = cluster.scheduler_info(n_workers=-1)["workers"].values()
        shares = [worker["memory_limit"] / worker["nthreads"] for worker in workers if worker["memory_limit"]]
        hosts = len(shares) < len(workers) or not shares
        share = free_memory() / max(processors(), 1) if hosts else min(shares)
        memory = str(max(min(int(share * _SHARE), int(share * _TOGETHER) - _BASE), _LEAST))
    return Run(1, memory, tile_size)


def _plan(record: Record) -> dict[str, Any]:
    with record.job() as job:
        plan = job.plan()
    if plan["surveys"]:
        raise Unsupported(
            "the recipe depends on the whole raster (percentiles, deviations, RVT's overcast sky), super-tiles are parts of it; "
            "allowed: stretch=(low, high) as numbers, or terralume.run in one process")
    return plan


def _drive(
    cluster: Any, todo: list[Task], submit: Callable[[Task], Any], report: Report, threads: int,
    tell: Callable[[float, str], bool],
) -> None:
    """Keeps two tasks for each thread under way: the graph stays small, and workers never wait."""
    waiting = iter(todo)
    running = {submit(task): task for task in itertools.islice(waiting, 2 * threads)}
    queue = distributed.as_completed(list(running))
    total = max(len(todo), 1)
    try:
        for future in queue:
            task = running.pop(future)
            _take(future, task, report)
            future.release()
            following = next(waiting, None)
            if following is not None:
                fresh = submit(following)
                running[fresh] = following
                queue.add(fresh)
            if not tell((report.computed + len(report.failed)) / total, "computing"):
                raise Cancelled("the run was cancelled; tiles that are there are kept")
    finally:
        cluster.cancel(list(running))


def _take(future: Any, task: Task, report: Report) -> None:
    try:
        done = future.result()
    except Exception as error:  # whatever a worker met: the others go on
        report.failed.append((task.tile, str(error) or type(error).__name__))
        return
    report.computed += 1
    report.empty += int(done.empty)
    report.peak = max(report.peak, done.peak)
    report.workers.add(done.worker)


def _state(task: Task, needs_file: bool) -> bool | None:
    """Of a tile that is there: whether it is empty; None: it is to be computed."""
    try:
        known = json.loads(Path(task.stem + ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if known.get("key") != json.loads(json.dumps(task.key)):
        return None
    if known["empty"] or not needs_file:
        return bool(known["empty"])
    try:
        return False if os.path.getsize(task.stem + ".tif") == known["bytes"] else None
    except OSError:
        return None


def _compute_file(record: Record, task: Task, creation: tuple[str, ...]) -> Done:
    """On a worker: one super-tile into one file."""
    began, path = time.monotonic(), task.stem + ".tif"
    empty = False
    _forget(task)
    with record.job(task.tile) as job:
        set_options(job, {"overwrite": True, "co": list(creation)})
        job.set_output(path)
        try:
            job.run()
        except ReadFailed as error:
            if _EMPTY not in str(error):
                raise
            empty = True
            Path(path).unlink(missing_ok=True)
    return _note(task, empty, began, 0 if empty else os.path.getsize(path))


def _compute_chunk(record: Record, task: Task, store: str) -> Done:
    """On a worker: one super-tile into whole chunks of a Zarr store."""
    began = time.monotonic()
    _forget(task)
    zarr_store.write(store, task.tile, record.compute(task.tile))
    return _note(task, False, began, 0)


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


@dataclass
class _Form:
    """Where the result goes."""

    target: str
    kind: str
    folder: str
    side: int
    frame: Frame
    tasks: list[Task]

    @classmethod
    def of(cls, destination: str, plan: dict[str, Any], record: Record, threads: int, supertile: int | str) -> _Form:
        """From the ending of the destination."""
        target = os.path.abspath(destination)
        kind = Path(target).suffix.lower()
        if kind not in (".vrt", ".tif", ".tiff", ".zarr"):
            raise BadArgument(f"destination '{destination}'; allowed: NAME.vrt, NAME.tif, NAME.zarr")
        side = _side(plan, threads, supertile, kind == ".zarr")
        folder = os.path.join(target, ".terralume") if kind == ".zarr" else f"{target}.tiles"
        frame = _frame(record, plan)
        key = {"request": record.steps[0].request.digest(), "source": record.source.stamp(), "band": record.source.band,
               "nodata": repr(record.nodata)}
        tasks = [
            Task(tile, os.path.join(folder, f"tile_{tile.row}_{tile.col}"), {**key, "tile": list(tile)})
            for tile in supertiles.tiles(frame.rows, frame.cols, side)]
        return cls(target, kind, folder, side, frame, tasks)

    @property
    def needs_files(self) -> bool:
        """Every tile has a file of its own."""
        return self.kind != ".zarr"

    def check(self, source: str, overwrite: bool, resume: bool) -> None:
        """Refuses a destination that is there, or cannot be."""
        if not os.path.isdir(os.path.dirname(self.target)):
            raise WriteFailed(f"'{self.target}': there is no such folder; allowed: a folder that is there")
        if os.path.exists(self.target) and os.path.exists(source) and os.path.samefile(self.target, source):
            raise WriteFailed(f"'{self.target}' is the source; allowed: another name")
        own = self.kind == ".zarr" and resume and os.path.isdir(self.folder)
        if os.path.exists(self.target) and not overwrite and not own:
            raise WriteFailed(f"'{self.target}' exists; allowed: another name, or overwrite=True")

    def prepare(self, fresh: bool, overwrite: bool) -> None:
        """Makes folders, and the empty store of Zarr. An older mosaic goes: its tiles are about to change."""
        if self.kind == ".zarr" and fresh and os.path.exists(self.target) and not overwrite:
            raise WriteFailed(
                f"'{self.target}' is the result of another run, of which nothing can be kept; allowed: another name, or "
                "overwrite=True")
        if self.kind == ".zarr" and (fresh or not os.path.exists(self.target)):
            zarr_store.create(self.target, self.frame)
        try:
            if self.kind == ".vrt":
                Path(self.target).unlink(missing_ok=True)
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise WriteFailed(f"'{self.folder}' cannot be made: {error}") from None

    def submit(self, cluster: Any, record: Record, task: Task, retries: int) -> Any:
        """Sends a task to the cluster."""
        if self.kind == ".zarr":
            return cluster.submit(_compute_chunk, record, task, self.target, pure=False, retries=retries)
        creation = ("COMPRESS=ZSTD",)
        return cluster.submit(_compute_file, record, task, creation, pure=False, retries=retries)

    def finish(self, creation: list[str] | None) -> None:
        """Makes one raster of the tiles."""
        if self.kind == ".zarr":
            zarr_store.finish(self.target)
            return
        vrt = self.target if self.kind == ".vrt" else os.path.join(self.folder, "mosaic.vrt")
        write_vrt(vrt, self.frame, list(self._files()))
        if vrt != self.target:
            gather(vrt, self.target, "COG", creation)

    def _files(self) -> Iterator[tuple[Tile, str]]:
        for task in self.tasks:
            if os.path.exists(task.stem + ".tif"):
                yield task.tile, task.stem + ".tif"


def _side(plan: dict[str, Any], threads: int, supertile: int | str, is_zarr: bool) -> int:
    if supertile == "auto":
        # A task of Zarr has its super-tile in memory, one of files a tile of it.
        return supertiles.side(plan, threads, 2048 if is_zarr else 8192)
    allowed = f"a multiple of {supertiles.BLOCK}, the chunks of Zarr" if is_zarr else "a number of cells from 16"
    if not isinstance(supertile, int) or supertile < 16 or (is_zarr and supertile % supertiles.BLOCK):
        raise BadArgument(f'supertile = {supertile!r}; allowed: "auto", or {allowed}')
    return supertile


def _frame(record: Record, plan: dict[str, Any]) -> Frame:
    """What the tiles will have in common, as the library writes them."""
    source = record.source
    chain = record.steps[0].chain
    code = chain.description["nodata"]
    names = tuple(str(band["name"]) for band in chain.description["bands"])
    return Frame(
        source.rows, source.cols, record.steps[0].request.settings.cell_type, names,
        float("nan") if code == "nan" else code, source.transform, source.crs)


__all__ = ["Report", "TerralumePlugin", "run"]
