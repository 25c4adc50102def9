"""Runs from file to file on a Dask cluster: one task for each super-tile, a few tasks at a time, resumed where they stopped.

Every task reads its own window and what stands around it, computes with the library, writes a file of its own, and gives
back a few hundred bytes. No two processes ever write one file.

    from dask.distributed import Client
    import terralume.dask

    report = terralume.dask.run("vat-combined", "dem.tif", "vat.vrt", dtype="uint8", client=Client("scheduler:8786"))
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from . import attached, labelled, native, opening, sources, stack, supertiles, zarr_store
from .arrays import Tile, processors
from .errors import BadArgument, Cancelled, TilesFailed, WriteFailed, need
from .files import free_memory
from .mosaic import Frame, gather, write_vrt
from .progress import Progress, reporting
from .progress import Report as Tell
from .request import Recipe, Value, make
from .sources import Record, Run
from .stack import Program
from .steps import Step
from .tasks import Done, ReliefWork, StackWork, Task, Work, compute_chunk, compute_file, state, task_of

distributed = need("distributed", "terralume.dask")

#: Settings of GDAL on workers; those of the user win.
_SETTINGS = {"GDAL_NUM_THREADS": "1", "GDAL_CACHEMAX": "64"}
_REMOTE = {"GDAL_CACHEMAX": "256", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}

#: Share of a worker's memory that the library may take, and that all together may: Dask spills at 60 to 70 %.
_SHARE, _TOGETHER = 0.5, 0.6

#: What Python with NumPy, Dask, and GDAL with its own cache, takes before anything is computed.
_BASE = 200 << 20

#: M_TRIM_THRESHOLD of malloc.h.
_TRIM_THRESHOLD = -1

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
        _give_back_memory()
        native.load()


def _give_back_memory() -> None:
    """Lets the C library hand freed memory to the system: with its usual threshold, which grows, Dask would see a worker
    larger than it is. The variable MALLOC_TRIM_THRESHOLD_ is read only when a process starts."""
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        # Not there beside other C libraries than GNU's.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_TRIM_THRESHOLD, 1 << 16)


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
    recipe: Recipe | Program,
    source: Any,
    destination: str | os.PathLike[str],
    parameters: Mapping[str, Value] | None = None,
    *,
    client: Any = None,
    supertile: int | str = "auto",
    resume: bool = True,
    dtype: Any = None,
    stretch: str | tuple[float, float] | None = None,
    compat: str = "none",
    band: int | None = None,
    nodata: float | None = None,
    memory: str | None = None,
    tile_size: int | None = None,
    retries: int = 2,
    overwrite: bool = False,
    progress: Progress = None,
    co: list[str] | None = None,
) -> Report:
    """Computes a recipe, or a program over stacks, from files to files on the workers of a cluster.

    Parameters
    ----------
    recipe
        As `terralume.render` takes it, or what `terralume.program` gives.
    source
        A raster that all workers can open under this name. For a program what `terralume.open` takes, or has given.
    destination
        `NAME.vrt`: a mosaic over one GeoTIFF for each super-tile, which stand in the folder NAME.vrt.tiles; `NAME.tif`: the
        same (NAME.tif.tiles), gathered into one Cloud Optimized GeoTIFF; `NAME.zarr`: a Zarr store of format 2, which is
        there before it is whole. A place that all workers can write.
    parameters, dtype, stretch, compat
        Of a recipe, see `terralume.render`. What depends on the whole raster, such as `stretch="percent:2,2"`, is found by
        this process first. A program has its own options; `dtype` is its type.
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
    share = _run_of(cluster, memory, tile_size)
    with reporting(progress, "terralume") as tell:
        work: Work
        if isinstance(recipe, Program):
            if parameters or stretch is not None or compat != "none":
                raise BadArgument("parameters, stretch or compat of a program; allowed: options of terralume.program")
            work, plan = _of_stack(recipe, source, (dtype, band, nodata), share)
        else:
            request = make(recipe, parameters, dtype=dtype or "float32", stretch=stretch, compat=compat)
            found = sources.source_of(source, 1 if band is None else band)
            record = Record(found, (Step(request, found.grid),), nodata, share)
            work, plan = _of_relief(record, tell)
        form = _Form.of(os.fspath(destination), plan, work, max(sum(_threads(cluster).values()), 1), supertile)
        form.check([one.path for one in work.sources], overwrite, resume)
        cluster.register_plugin(TerralumePlugin(any(_is_remote(one.path) for one in work.sources)))
        report = Report(form.target, len(form.tasks), supertile=form.side)
        todo = []
        for task in form.tasks:
            known = state(task, form.needs_files) if resume else None
            if known is None:
                todo.append(task)
            else:
                report.kept += 1
                report.empty += int(known)
        form.prepare(report.kept == 0, overwrite)
        _drive(cluster, todo, lambda task: form.submit(cluster, work, task, retries), report, tell)
    if report.failed:
        report.seconds = time.monotonic() - began
        raise _failure(report)
    form.finish(co)
    report.seconds = time.monotonic() - began
    return report


def _is_remote(path: str) -> bool:
    return "://" in path or path.startswith("/vsi")


def _of_relief(record: Record, tell: Tell) -> tuple[ReliefWork, dict[str, Any]]:
    """The work of a recipe, and how it would be divided in one process. What depends on the whole raster is found here, once."""
    with record.job() as job:
        plan = job.plan()
        if plan["surveys"]:
            record = replace(record, survey=job.survey(lambda share, stage: tell(0.0, stage)))
    return ReliefWork.of(record), plan


def _of_stack(
    program: Program, source: Any, form: tuple[Any, int | None, float | None], share: Run
) -> tuple[StackWork, dict[str, Any]]:
    """The same of a program."""
    dtype, band, nodata = form
    if dtype is not None:
        program = Program(program.command, (*program.options, *stack.program("", type=stack.type_name(dtype)).options))
    is_opened = labelled.is_data_array(source) or labelled.is_dataset(source)
    if is_opened and (band is not None or nodata is not None):
        raise BadArgument("band or nodata of what was opened already; allowed: for names of files, or in terralume.open")
    opened = source if is_opened else opening.open(source, band=band, nodata=nodata)
    variables = stack.variables_of(opened, program)
    description = stack.describe(variables, program)
    result = attached.result(variables, program, (), description)
    if result is None:
        raise BadArgument(
            "the arrays are no longer what is in their files; allowed: what terralume.open gives, calc and mask of it, or "
            "to_raster for other arrays")
    work = StackWork.of(replace(result, run=share), native.load().version())
    rows, cols = work.frame.rows, work.frame.cols
    # Tiles are in memory whole before they are written.
    plan = {"rows": rows, "cols": cols, "output_bytes": rows * cols * result.bands * result.dtype.itemsize}
    return work, {**plan, "largest": 2048}


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


def _drive(cluster: Any, todo: list[Task], submit: Callable[[Task], Any], report: Report, tell: Tell) -> None:
    """Keeps two tasks for each thread under way: the graph stays small, and workers never wait. Clusters may grow and shrink
    meanwhile."""
    waiting, wanted = iter(todo), _Wanted(cluster)
    running = {submit(task): task for task in itertools.islice(waiting, wanted())}
    # Results come on their own way: asked for one by one, each would be a journey.
    queue = distributed.as_completed(list(running), with_results=True, raise_errors=False)
    total = max(len(todo), 1)
    try:
        for batch in queue.batches():
            for future, found in batch:
                _take(found, future.status, running.pop(future), report)
                future.release()
            for following in itertools.islice(waiting, max(wanted() - len(running), 0)):
                fresh = submit(following)
                running[fresh] = following
                queue.add(fresh)
            if not tell((report.computed + len(report.failed)) / total, "computing"):
                raise Cancelled("the run was cancelled; tiles that are there are kept")
    finally:
        cluster.cancel(list(running))


class _Wanted:
    """How many tasks should be under way."""

    #: Seconds after which threads are counted again.
    _AGAIN = 1.0

    def __init__(self, cluster: Any) -> None:
        self.cluster, self.tasks, self.counted = cluster, 0, -self._AGAIN

    def __call__(self) -> int:
        if time.monotonic() - self.counted >= self._AGAIN or not self.tasks:
            self.tasks, self.counted = 2 * max(sum(_threads(self.cluster).values()), 1), time.monotonic()
        return self.tasks


def _take(found: Any, status: str, task: Task, report: Report) -> None:
    """Notes what a task has given, or what its worker met: the others go on."""
    if status != "finished":
        error = found[1] if isinstance(found, tuple) else found
        report.failed.append((task.tile, str(error) or type(error).__name__))
        return
    done: Done = found
    report.computed += 1
    report.empty += int(done.empty)
    report.peak = max(report.peak, done.peak)
    report.workers.add(done.worker)


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
    def of(cls, destination: str, plan: dict[str, Any], work: Work, threads: int, supertile: int | str) -> _Form:
        """From the ending of the destination."""
        target = os.path.abspath(destination)
        kind = Path(target).suffix.lower()
        if kind not in (".vrt", ".tif", ".tiff", ".zarr"):
            raise BadArgument(f"destination '{destination}'; allowed: NAME.vrt, NAME.tif, NAME.zarr")
        side = _side(plan, threads, supertile, kind == ".zarr")
        folder = os.path.join(target, ".terralume") if kind == ".zarr" else f"{target}.tiles"
        frame, key = work.frame, work.key()
        tasks = [task_of(tile, folder, key) for tile in supertiles.tiles(frame.rows, frame.cols, side)]
        return cls(target, kind, folder, side, frame, tasks)

    @property
    def needs_files(self) -> bool:
        """Every tile has a file of its own."""
        return self.kind != ".zarr"

    def check(self, inputs: list[str], overwrite: bool, resume: bool) -> None:
        """Refuses a destination that is there, or cannot be."""
        if not os.path.isdir(os.path.dirname(self.target)):
            raise WriteFailed(f"'{self.target}': there is no such folder; allowed: a folder that is there")
        there = [path for path in inputs if os.path.exists(path)] if os.path.exists(self.target) else []
        if any(os.path.samefile(self.target, path) for path in there):
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

    def submit(self, cluster: Any, work: Work, task: Task, retries: int) -> Any:
        """Sends a task to the cluster."""
        if self.kind == ".zarr":
            return cluster.submit(compute_chunk, work, task, self.target, pure=False, retries=retries)
        return cluster.submit(compute_file, work, task, pure=False, retries=retries)

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
        return supertiles.side(plan, threads, 2048 if is_zarr else plan.get("largest", 8192))
    allowed = f"a multiple of {supertiles.BLOCK}, the chunks of Zarr" if is_zarr else "a number of cells from 16"
    if not isinstance(supertile, int) or supertile < 16 or (is_zarr and supertile % supertiles.BLOCK):
        raise BadArgument(f'supertile = {supertile!r}; allowed: "auto", or {allowed}')
    return supertile


__all__ = ["Report", "TerralumePlugin", "run"]
