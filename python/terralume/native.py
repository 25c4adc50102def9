"""The Terralume library through its C interface, with Python's own modules only.

The one place where Python meets the library: the QGIS plugin and the Python package use the same file. It finds the
library, checks that it fits, and turns status codes into exceptions whose text says what to do next.

    library = load()
    with library.job("vat-combined") as job:
        job.set_input("dem.tif")
        job.set_output("vat.tif")
        job.run(lambda share, stage: True)
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

#: Version of the binary interface that this file speaks; terralume.h calls it TERRALUME_ABI_VERSION.
ABI_VERSION = 1

#: Environment variable with the path of the library. A wrong value is an error: nothing else is tried.
VARIABLE = "TERRALUME_LIBRARY"

#: Hears the share done and the stage on the calling thread, ten times a second; False stops the run.
Progress = Callable[[float, str], bool]

_CANCELLED = 9
_NAMES = {
    "darwin": ("libterralume.dylib",),
    "win32": ("terralume.dll",),
}.get(sys.platform, ("libterralume.so.0", "libterralume.so"))
_PLUGIN_NAME = "gdal_terralume" + Path(_NAMES[0]).suffixes[0]
_ProgressFunction = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_double, ctypes.c_char_p, ctypes.c_void_p)


class TerralumeError(Exception):
    """What the library refused or could not do, in one sentence that says what is allowed."""

    def __init__(self, message: str, status: int = 0) -> None:
        """`status` is a terralume_status of the header; 0 when the library was not asked."""
        super().__init__(message)
        self.status = status


class Cancelled(TerralumeError):
    """The run was stopped by its caller; no output was left behind."""


class LibraryMissing(TerralumeError):
    """No usable library; the text names the places that were tried and the next step."""


class BadArgument(TerralumeError, ValueError):
    """A value, name or combination that is not allowed."""


class ReadFailed(TerralumeError, OSError):
    """The input cannot be opened or read."""


class WriteFailed(TerralumeError, OSError):
    """The output cannot be created or written."""


class Unsupported(TerralumeError, ValueError):
    """The input is well formed, but the operation cannot treat it rightly."""


class TooLarge(TerralumeError, MemoryError):
    """The memory, or the budget, is too small for the work; the text says how much is needed."""


class GdalMissing(TerralumeError, ImportError):
    """There is no usable GDAL, which files need and arrays do not."""


#: Statuses of the header that have a class of their own.
_CLASSES: dict[int, type[TerralumeError]] = {
    1: BadArgument, 2: BadArgument, 3: BadArgument, 4: ReadFailed, 5: WriteFailed, 6: Unsupported, 7: TooLarge,
    8: GdalMissing, _CANCELLED: Cancelled,
}


class _RunOptions(ctypes.Structure):
    """terralume_run_options"""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("progress", _ProgressFunction),
        ("progress_data", ctypes.c_void_p),
    ]


class _Grid(ctypes.Structure):
    """terralume_grid"""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("cell_width", ctypes.c_double),
        ("cell_height", ctypes.c_double),
        ("south_up", ctypes.c_int),
        ("reserved", ctypes.c_int),
    ]


class _ChainOptions(ctypes.Structure):
    """terralume_chain_options"""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("cell_type", ctypes.c_int),
        ("compatibility", ctypes.c_int),
        ("stretch_min", ctypes.c_double),
        ("stretch_max", ctypes.c_double),
        ("parameters", ctypes.POINTER(ctypes.c_char_p)),
        ("stretch", ctypes.c_char_p),
        ("alpha", ctypes.c_int),
        ("reserved", ctypes.c_int),
    ]


class _Array(ctypes.Structure):
    """terralume_array"""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("cells", ctypes.c_void_p),
        *((name, ctypes.c_size_t) for name in (
            "rows", "cols", "row_stride", "margin_top", "margin_bottom", "margin_left", "margin_right")),
        ("nodata", ctypes.c_double),
    ]


class _Band(ctypes.Structure):
    """terralume_band"""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("cells", ctypes.c_void_p),
        ("cell_type", ctypes.c_char_p),
        ("rows", ctypes.c_size_t),
        ("cols", ctypes.c_size_t),
        ("nodata", ctypes.c_double),
        ("time", ctypes.c_double),
    ]


_REPORTED = ("masked", "not_finite", "clipped", "saturated", "moved", "missing")


class _StackReport(ctypes.Structure):
    """terralume_stack_report"""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        *((name, ctypes.c_uint64) for name in _REPORTED),
    ]


class _Tile(ctypes.Structure):
    """terralume_tile"""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("index", "row", "column", "rows", "columns", "halo")),
        ("cells", ctypes.POINTER(ctypes.c_double)),
    ]


_TileFunction = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Tile), ctypes.c_void_p)
_TEXT, _HANDLE = ctypes.c_char_p, ctypes.c_void_p
_STATUS = ctypes.c_int
#: Results are pointers rather than texts: they are handed back to the library to be freed.
_RESULT = ctypes.POINTER(ctypes.c_void_p)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "last_error_message": (_TEXT, []),
    "version": (_TEXT, []),
    "describe": (_TEXT, []),
    "string_free": (None, [_HANDLE]),
    "gdal_describe": (_STATUS, [_RESULT]),
    "gdal_option": (_STATUS, [_TEXT, _RESULT]),
    "gdal_register": (_STATUS, []),
    "recipe_read": (_STATUS, [_TEXT, _RESULT]),
    "recipe_to_rvt": (_STATUS, [_TEXT, _RESULT]),
    "job_new": (_STATUS, [_TEXT, ctypes.POINTER(_HANDLE)]),
    "job_free": (None, [_HANDLE]),
    "job_add_picture": (_STATUS, [_HANDLE, _TEXT]),
    "job_set_parameter": (_STATUS, [_HANDLE, _TEXT, _TEXT]),
    "job_set_option": (_STATUS, [_HANDLE, _TEXT, _TEXT]),
    "job_set_input": (_STATUS, [_HANDLE, _TEXT]),
    "job_set_output": (_STATUS, [_HANDLE, _TEXT]),
    "job_plan": (_STATUS, [_HANDLE, _RESULT]),
    "job_run": (_STATUS, [_HANDLE, ctypes.POINTER(_RunOptions)]),
}

_SIZES = ctypes.POINTER(ctypes.c_size_t)
#: Functions on arrays and stacks: looked up when they are first used, so that hosts without them need no new library.
_LATER: dict[str, tuple[Any, list[Any]]] = {
    "recipe_describe": (_STATUS, [_TEXT, ctypes.POINTER(_Grid), ctypes.POINTER(_ChainOptions), _RESULT]),
    "chain_new": (_STATUS, [_TEXT, ctypes.POINTER(_Grid), ctypes.POINTER(_ChainOptions), ctypes.POINTER(_HANDLE)]),
    "chain_free": (None, [_HANDLE]),
    "chain_run_part": (_STATUS, [
        _HANDLE, ctypes.POINTER(_Array), _SIZES, ctypes.POINTER(_RunOptions), ctypes.c_size_t, ctypes.c_void_p]),
    "chain_survey": (_STATUS, [
        _HANDLE, ctypes.POINTER(_Array), ctypes.c_size_t, ctypes.POINTER(_RunOptions), ctypes.POINTER(_HANDLE)]),
    "job_survey": (_STATUS, [_HANDLE, ctypes.POINTER(_RunOptions), _RESULT]),
    "job_set_survey": (_STATUS, [_HANDLE, _TEXT]),
    "job_run_array": (_STATUS, [_HANDLE, ctypes.POINTER(_RunOptions), ctypes.c_size_t, ctypes.c_void_p]),
    "map_tiles": (_STATUS, [
        _TEXT, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, _TileFunction, ctypes.c_void_p]),
    "stack_new": (_STATUS, [_TEXT, ctypes.POINTER(_HANDLE)]),
    "stack_free": (None, [_HANDLE]),
    "stack_set_option": (_STATUS, [_HANDLE, _TEXT, _TEXT]),
    "stack_set_output": (_STATUS, [_HANDLE, _TEXT]),
    "stack_add_band": (_STATUS, [_HANDLE, _TEXT, ctypes.POINTER(_Band)]),
    "stack_describe": (_STATUS, [_HANDLE, _RESULT]),
    "stack_plan": (_STATUS, [_HANDLE, _RESULT]),
    "stack_outcome": (_STATUS, [_HANDLE, _RESULT]),
    "stack_write_statistics": (_STATUS, [_HANDLE, ctypes.POINTER(_RunOptions)]),
    "stack_run": (_STATUS, [_HANDLE, ctypes.POINTER(_RunOptions), ctypes.POINTER(_StackReport)]),
    "stack_run_array": (_STATUS, [
        _HANDLE, _SIZES, ctypes.POINTER(_RunOptions), ctypes.POINTER(_StackReport), ctypes.c_size_t, ctypes.c_void_p]),
}


class Library:
    """A loaded library. Loading the same file twice gives the same library of the process."""

    def __init__(self, path: str) -> None:
        """Loads the file at `path`, or what the system's loader finds under that name; OSError when it cannot."""
        self.path = path
        # CDLL lets other Python threads run during calls: the interface of a host stays alive.
        self._library = ctypes.CDLL(path)
        try:
            version = self._library.terralume_abi_version
        except AttributeError:
            raise LibraryMissing(f"'{path}' is not the Terralume library") from None
        version.restype = ctypes.c_uint32
        if version() != ABI_VERSION:
            newer = "this program" if version() > ABI_VERSION else "the library"
            raise LibraryMissing(
                f"'{path}' has interface {version()}, this program needs {ABI_VERSION}: update {newer}")
        for name, (result, arguments) in _FUNCTIONS.items():
            function = self._function(name)
            function.restype, function.argtypes = result, arguments

    def _function(self, name: str) -> Any:
        try:
            function = getattr(self._library, "terralume_" + name)
        except AttributeError:
            raise LibraryMissing(f"'{self.path}' is too old: it lacks terralume_{name}; update the library") from None
        if function.argtypes is None and name in _LATER:
            function.restype, function.argtypes = _LATER[name]
        return function

    def call(self, name: str, *arguments: Any) -> None:
        """Calls a function that gives a status; anything but success becomes an exception with the library's words."""
        status = self._function(name)(*arguments)
        if status:
            message = self._function("last_error_message")().decode()
            raise _CLASSES.get(status, TerralumeError)(message, status)

    def text(self, name: str, *arguments: Any) -> str:
        """Calls a function whose last argument receives a text."""
        place = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.byref(place))
        try:
            return (ctypes.cast(place, ctypes.c_char_p).value or b"").decode()
        finally:
            self._function("string_free")(place)

    def version(self) -> str:
        """Version of the library, such as "0.1.0"."""
        return self._function("version")().decode()

    def describe(self) -> dict[str, Any]:
        """Everything the library can do: operations, presets, terrains, blend modes, options."""
        return json.loads(self._function("describe")())

    def gdal(self) -> dict[str, str]:
        """The GDAL that jobs use: `release` and `library`."""
        return json.loads(self.text("gdal_describe"))

    def register_gdal(self) -> None:
        """Makes /vsiterralume/ and pixel functions known to the GDAL that jobs use."""
        self.call("gdal_register")

    def shares_gdal(self, set_option: Callable[[str, str | None], Any]) -> bool:
        """Whether jobs use the GDAL whose options `set_option` sets, such as `osgeo.gdal.SetConfigOption`.

        A process can hold two; files, layers and settings of one are unknown to the other."""
        name, token = "TERRALUME_PROBE", str(id(self))
        set_option(name, token)
        try:
            return self.text("gdal_option", name.encode()) == token
        finally:
            set_option(name, None)

    def read_recipe(self, name: str) -> dict[str, Any]:
        """A preset, an operation, or the recipe in a file (also RVT's, also `FILE#NAME`), spelled out."""
        return json.loads(self.text("recipe_read", name.encode()))

    def recipe_to_rvt(self, recipe: str) -> str:
        """A recipe as a blender combination of RVT, JSON text."""
        return self.text("recipe_to_rvt", recipe.encode())

    def job(self, recipe: str) -> Job:
        """A run of an operation, a preset or a recipe's JSON text."""
        return Job(self, recipe)

    def stack(self, command: str) -> Stack:
        """A run over a stack: calc, rescale, mask or reduce."""
        return Stack(self, command)

    def map_tiles(
        self, path: str, band: int, shape: tuple[int, int, int],
        take: Callable[[Any, tuple[int, int, int, int, int]], bool],
    ) -> None:
        """Hands every tile of a raster to `take`, from several threads: its cells as a NumPy array that is valid during
        the call, and its index, row, column, rows, columns. `shape`: side, halo, threads. False stops the run."""
        from numpy.ctypeslib import as_array

        def call(pointer: Any, _: Any) -> int:
            tile = pointer.contents
            size = (tile.rows + 2 * tile.halo, tile.columns + 2 * tile.halo)
            return int(take(as_array(tile.cells, size), (tile.index, tile.row, tile.column, tile.rows, tile.columns)))

        side, halo, threads = shape
        self.call("map_tiles", path.encode(), band, side, halo, threads, _TileFunction(call), None)

    def chain(self, recipe: str, grid: Grid, settings: Settings) -> Chain:
        """A recipe made ready for arrays on a grid. Needs no GDAL."""
        return Chain(self, recipe, grid, settings)


class Grid(NamedTuple):
    """Size of the cells of an array, in the unit of the heights."""

    cell_width: float = 1.0
    cell_height: float = 1.0
    #: The first row is the southernmost one.
    south_up: bool = False


class Settings(NamedTuple):
    """How a recipe becomes cells; hashable, so that chains can be kept."""

    #: Texts "name=value", such as "radius=20", or "layer.name=value".
    parameters: tuple[str, ...] = ()
    #: "float32" or "uint8"
    cell_type: str = "float32"
    #: Ends of the stretch to bytes, such as "0,45" or "percent:2,2"; empty: the operation's own.
    stretch: str = ""
    #: "none" or "rvt"
    compatibility: str = "none"
    #: With bytes: a band that is 0 where a cell is missing.
    alpha: bool = False


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> int:
    if value not in allowed:
        raise BadArgument(f"{name} = '{value}' is not allowed; allowed: {', '.join(allowed)}")
    return allowed.index(value)


class Chain:
    """A recipe ready for arrays. Never changes: any number of threads may use one at the same time."""

    def __init__(self, library: Library, recipe: str, grid: Grid, settings: Settings) -> None:
        self._library, self._handle = library, ctypes.c_void_p()
        place = _Grid(ctypes.sizeof(_Grid), grid.cell_width, grid.cell_height, int(grid.south_up), 0)
        texts = [text.encode() for text in settings.parameters]
        options = _ChainOptions(
            ctypes.sizeof(_ChainOptions), _choice("dtype", settings.cell_type, ("float32", "uint8")),
            _choice("compat", settings.compatibility, ("none", "rvt")), math.nan, math.nan,
            (ctypes.c_char_p * (len(texts) + 1))(*texts, None), settings.stretch.encode() or None,
            int(settings.alpha), 0)
        given = recipe.encode(), ctypes.byref(place), ctypes.byref(options)
        #: radius in cells, bands, cell_type, nodata, surveys, recipe
        self.description: dict[str, Any] = json.loads(library.text("recipe_describe", *given))
        library.call("chain_new", *given, ctypes.byref(self._handle))

    def __del__(self) -> None:
        if self._handle:
            self._library._function("chain_free")(self._handle)

    @property
    def radius(self) -> int:
        """Cells that are read around a cell in each direction."""
        return int(self.description["radius"])

    @property
    def bands(self) -> int:
        """Output bands."""
        return len(self.description["bands"])

    def settled(self, source: Place, nodata: float, threads: int) -> Chain:
        """The chain with everything found that depends on the whole raster, which is `source`: its parts can be
        computed by themselves then. Ctrl-C stops it."""
        size, shape = ctypes.sizeof(_Array), (source.rows, source.cols)
        array = _Array(size, source.address, *shape, source.strides[1], 0, 0, 0, 0, nodata)
        found = object.__new__(Chain)
        found._library, found._handle = self._library, ctypes.c_void_p()
        found.description = {**self.description, "surveys": 0}
        with _reporting(None) as options:
            self._library.call(
                "chain_survey", self._handle, ctypes.byref(array), threads, options, ctypes.byref(found._handle))
        return found

    def run(
        self, source: Place, output: Place, margins: tuple[int, int, int, int], nodata: float, watch: Any = None
    ) -> None:
        """Computes a tile. Other Python threads go on meanwhile.

        `watch`: what `watching` gives. `source` is the first of `source.rows` x `source.cols` float32 cells, margins
        (top, bottom, left, right) included; `output` the first cell of the tile in an array whose
        `output.strides` (band, row) are in cells."""
        top, bottom, left, right = margins
        array = _Array(
            ctypes.sizeof(_Array), source.address, source.rows - top - bottom, source.cols - left - right,
            source.strides[1], top, bottom, left, right, nodata)
        strides = (ctypes.c_size_t * 2)(*output.strides)
        self._library.call(
            "chain_run_part", self._handle, ctypes.byref(array), strides, watch, output.capacity, output.address)


@contextlib.contextmanager
def watching(proceed: Callable[[], bool] | None = None) -> Iterator[Any]:
    """What calls of `Chain.run` ask ten times a second, from any thread, whether to go on; None: this thread calls, and
    Ctrl-C stops it."""
    if proceed is None:
        with _reporting(None) as options:
            yield options
        return
    options = _RunOptions(
        ctypes.sizeof(_RunOptions), _ProgressFunction(lambda share, stage, data: int(bool(proceed()))), None)
    yield ctypes.byref(options)


class Place(NamedTuple):
    """Cells somewhere in memory."""

    address: int
    rows: int
    cols: int
    #: Cells from band to band, and from row to row.
    strides: tuple[int, int]
    #: Bytes from the address to the end.
    capacity: int


class Stack:
    """One run over a stack of rasters or arrays. Use it in a `with` statement, on one thread."""

    def __init__(self, library: Library, command: str) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        library.call("stack_new", command.encode(), ctypes.byref(self._handle))

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: Any) -> None:
        self._library._function("stack_free")(self._handle)
        self._handle = ctypes.c_void_p()

    def set_option(self, name: str, value: str) -> None:
        """Sets an option, as on the command line; "input" and "mask" add one each time."""
        self._library.call("stack_set_option", self._handle, name.encode(), value.encode())

    def add_band(self, name: str, cell_type: str, place: Place, nodata: float, time: float) -> None:
        """Adds an array without gaps as a band of a date; the caller keeps it until the run has ended.

        `time` in seconds since 1970, NaN where nobody knows."""
        band = _Band(ctypes.sizeof(_Band), place.address, cell_type.encode(), place.rows, place.cols, nodata, time)
        self._library.call("stack_add_band", self._handle, name.encode(), ctypes.byref(band))

    def describe(self) -> dict[str, Any]:
        """What a run into memory gives: rows, cols, bands, type, nodata, halo."""
        return json.loads(self._library.text("stack_describe", self._handle))

    def plan(self) -> dict[str, Any]:
        """Checks everything but the output and says what is read and written, and how the run would be divided."""
        return json.loads(self._library.text("stack_plan", self._handle))

    def outcome(self) -> dict[str, Any]:
        """What the last run did: files written, files that could not be read, counts of cells, notes, and its plan."""
        return json.loads(self._library.text("stack_outcome", self._handle))

    def write_statistics(self, output: str, progress: Progress | None = None) -> None:
        """Writes numbers that describe the inputs as a table."""
        self._library.call("stack_set_output", self._handle, output.encode())
        with _reporting(progress) as options:
            self._library.call("stack_write_statistics", self._handle, options)

    def run(self, output: str, progress: Progress | None = None) -> dict[str, int]:
        """Runs into a file, or a folder; says what was done to cells."""
        self._library.call("stack_set_output", self._handle, output.encode())
        return self._run("stack_run", (), (), progress)

    def run_array(
        self, place: Place, window: tuple[int, int, int, int] | None = None,
        progress: Progress | None = None,
    ) -> dict[str, int]:
        """Runs into memory: all of it, or the window (row, col, rows, cols)."""
        part = (ctypes.c_size_t * 4)(*window) if window else None
        return self._run("stack_run_array", (part,), (place.capacity, place.address), progress)

    def _run(
        self, name: str, first: tuple[Any, ...], last: tuple[Any, ...], progress: Progress | None
    ) -> dict[str, int]:
        report = _StackReport(ctypes.sizeof(_StackReport))
        with _reporting(progress) as options:
            self._library.call(name, self._handle, *first, options, ctypes.byref(report), *last)
        return {field: getattr(report, field) for field in _REPORTED}


@contextlib.contextmanager
def _reporting(progress: Progress | None) -> Iterator[Any]:
    """Options of a run that call `progress`. What it raises stops the run and is raised, and so does Ctrl-C."""
    if progress is None and threading.current_thread() is not threading.main_thread():
        # Nobody listens, and only the main thread hears Ctrl-C: no need to wait for Python's lock.
        yield None
        return
    raised: list[BaseException] = []
    with _interrupts() as interrupted:

        def report(share: float, stage: bytes, _: Any) -> int:
            try:
                return int((progress is None or bool(progress(share, stage.decode()))) and not interrupted)
            except BaseException as error:  # ctypes would print it and go on
                raised.append(error)
                return 0

        options = _RunOptions(ctypes.sizeof(_RunOptions), _ProgressFunction(report), None)
        try:
            yield ctypes.byref(options)
        except Cancelled:
            if raised:
                raise raised[0] from None
            raise


@contextlib.contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Notes Ctrl-C, which Python could raise between any two steps of a function that C calls, where it would be lost.

    What the host does on Ctrl-C happens when the block has ended; what it raises, such as KeyboardInterrupt, is raised
    in place of `Cancelled`."""
    noted: list[int] = []
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield noted
        return
    signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, handler)
        if noted:
            handler(noted[0], None)


class Job:
    """One run from raster to raster. Use it in a `with` statement, on one thread."""

    def __init__(self, library: Library, recipe: str) -> None:
        self._library = library
        self._handle = ctypes.c_void_p()
        library.call("job_new", recipe.encode(), ctypes.byref(self._handle))

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: Any) -> None:
        self._library._function("job_free")(self._handle)
        self._handle = ctypes.c_void_p()

    def add_picture(self, recipe: str) -> None:
        """Adds a picture from the same reading of the elevations; settings that follow are about it."""
        self._library.call("job_add_picture", self._handle, recipe.encode())

    def set_parameter(self, name: str, value: str) -> None:
        """Sets a parameter of the recipe, as `-p` on the command line."""
        self._library.call("job_set_parameter", self._handle, name.encode(), value.encode())

    def set_option(self, name: str, value: str) -> None:
        """Sets an option of the run, as on the command line."""
        self._library.call("job_set_option", self._handle, name.encode(), value.encode())

    def set_input(self, path: str) -> None:
        """Sets the elevations: a file, or anything else GDAL can open."""
        self._library.call("job_set_input", self._handle, path.encode())

    def set_output(self, path: str) -> None:
        """Sets the file to write."""
        self._library.call("job_set_output", self._handle, path.encode())

    def plan(self) -> dict[str, Any]:
        """Checks everything but the output and says how the run would be divided."""
        return json.loads(self._library.text("job_plan", self._handle))

    def survey(self, progress: Progress | None = None) -> str:
        """Finds what depends on the whole raster, for `set_survey` of runs over its parts, also in other processes.

        Raises `Unsupported` where that is more than a few numbers."""
        with _reporting(progress) as options:
            return self._library.text("job_survey", self._handle, options)

    def set_survey(self, survey: str) -> None:
        """Takes over what `survey` has said of the same recipe and raster."""
        self._library.call("job_set_survey", self._handle, survey.encode())

    def run(self, progress: Progress | None = None) -> None:
        """Runs to the end. What `progress` raises, KeyboardInterrupt as well, stops the run and is raised here."""
        with _reporting(progress) as options:
            self._library.call("job_run", self._handle, options)

    def run_array(self, place: Place, progress: Progress | None = None) -> None:
        """Runs into memory: bands x rows x columns of the plan, in the cell type of the option "type"."""
        with _reporting(progress) as options:
            self._library.call("job_run_array", self._handle, options, place.capacity, place.address)


_loaded: dict[str, Library] = {}


def load(setting: str = "", folders: Iterable[Path] = (), driver_path: str = "") -> Library:
    """The library of this process, found once.

    `TERRALUME_LIBRARY` goes first, then `setting`, a path that a user has chosen: each is an order, and a wrong one is
    an error. Otherwise the first usable one of: `folders` of the host, the Python package `terralume`, the folders of
    GDAL's plugins (`driver_path`, or GDAL_DRIVER_PATH), those of this Python, the system's loader."""
    order = os.environ.get(VARIABLE) or setting
    known = _loaded.get(order)
    if known is None:
        places = [order] if order else list(_places(folders, driver_path))
        known = _loaded[order] = _first_usable(places, order)
    return known


def _first_usable(places: Iterable[str], order: str) -> Library:
    reasons = []
    for place in places:
        if os.sep in place and not Path(place).is_file():
            reasons.append(f"'{place}' does not exist")
            continue
        try:
            return Library(place)
        except (OSError, LibraryMissing) as error:
            reasons.append(str(error))
    named = f"the path was set by {VARIABLE} or in the settings" if order else "none is usable"
    raise LibraryMissing(
        f"Terralume library: {named}; install it, or set the path of {_NAMES[0]} in the settings or in {VARIABLE}. "
        f"Tried: {'; '.join(dict.fromkeys(reasons))}")


def _places(folders: Iterable[Path], driver_path: str) -> Iterator[str]:
    """Where the library may be, the most likely place first. Folders that lack it are not worth a word."""
    package = importlib.util.find_spec("terralume")
    packages = [Path(place) for place in (package.submodule_search_locations or []) if package] if package else []
    plugins = (driver_path or os.environ.get("GDAL_DRIVER_PATH", "")).split(os.pathsep)
    system = [Path(sys.prefix, "lib"), Path.home() / ".local" / "lib", Path("/usr/local/lib")]
    for folder in [*folders, *packages, *(Path(place) for place in plugins if place), *system]:
        for name in (*_NAMES, _PLUGIN_NAME):
            if (folder / name).is_file():
                yield str(folder / name)
    yield from _NAMES
