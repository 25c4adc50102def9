"""What can go wrong, as classes. Each is a `TerralumeError` and one of Python's own kinds, and says in one sentence what
came and what is allowed.

| class | also a | when |
| --- | --- | --- |
| `BadArgument` | `ValueError` | a value, a name or a combination is not allowed |
| `BadArray` | `TypeError` | what was given is no array that can be treated: its kind, type, or order of dimensions |
| `NoCellSize` | `ValueError` | nothing says how large the cells of an array are |
| `ChunkTooSmall` | `ValueError` | chunks of a dask array are smaller than the radius |
| `TooLarge` | `MemoryError` | a result, or the work, does not fit into the memory |
| `ReadFailed`, `WriteFailed` | `OSError` | files |
| `Unsupported` | `ValueError` | the input is well formed, but the operation cannot treat it rightly |
| `GdalMissing` | `ImportError` | there is no usable GDAL, which files need and arrays do not |
| `DependencyMissing` | `ImportError` | a Python package that only some functions need |
| `LibraryMissing` | | there is no usable library; the text names the places that were tried |
| `TilesFailed` | | tiles of a distributed run could not be computed; the others are there |
| `Cancelled` | | the run was stopped by its caller; no output was left behind |
"""

from __future__ import annotations

import importlib
from typing import Any

from .native import (
    BadArgument,
    Cancelled,
    GdalMissing,
    LibraryMissing,
    ReadFailed,
    TerralumeError,
    TooLarge,
    Unsupported,
    WriteFailed,
)

__all__ = [
    "BadArgument",
    "BadArray",
    "Cancelled",
    "ChunkTooSmall",
    "DependencyMissing",
    "GdalMissing",
    "LibraryMissing",
    "NoCellSize",
    "ReadFailed",
    "TerralumeError",
    "TilesFailed",
    "TooLarge",
    "Unsupported",
    "WriteFailed",
]


class BadArray(TerralumeError, TypeError):
    """No array that can be treated: its kind, its type, or the order of its dimensions."""


class NoCellSize(BadArgument):
    """Nothing says how large the cells of an array are."""


class ChunkTooSmall(BadArgument):
    """Chunks of a dask array are smaller than the radius of the operation."""


class DependencyMissing(TerralumeError, ImportError):
    """A Python package that only some functions need."""


class TilesFailed(TerralumeError):
    """Tiles of a distributed run could not be computed; the others are there, and `resume` keeps them."""


def need(module: str, what: str) -> Any:
    """Imports a package that only some functions need.

    Raises `DependencyMissing` when it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise DependencyMissing(f"{what} needs the package {package}: pip install {package} ({error})") from None
