"""What is to be computed, as a small value that can be hashed, sent to other processes and written down."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

from . import native
from .errors import BadArgument

#: A value of a parameter.
Value = Union[str, int, float, bool]

#: An operation, a preset, the JSON text of a recipe, a recipe as a dictionary, or a file with one.
Recipe = Union[str, Mapping[str, Any], "os.PathLike[str]"]


@dataclass(frozen=True)
class Request:
    """A recipe with its changes, and the form of the result."""

    recipe: str
    settings: native.Settings = field(default_factory=native.Settings)

    def chain(self, grid: native.Grid) -> native.Chain:
        """Ready for arrays on this grid; kept for the next call."""
        return _chain(self.recipe, grid, self.settings)

    def job(self, path: str) -> native.Job:
        """A run over the raster at `path`."""
        job = native.load().job(self.recipe)
        with contextlib.ExitStack() as refused:
            refused.push(job)
            for text in self.settings.parameters:
                job.set_parameter(*text.split("=", 1))
            job.set_option("type", self.settings.cell_type)
            job.set_option("compat", self.settings.compatibility)
            if self.settings.stretch:
                job.set_option("stretch", self.settings.stretch)
            if self.settings.alpha:
                job.set_option("alpha", "true")
            job.set_input(path)
            refused.pop_all()
        return job

    @property
    def is_float(self) -> bool:
        """Whether the result has float32 cells, not bytes."""
        return self.settings.cell_type == "float32"

    def digest(self) -> str:
        """A short name of the whole request: the same for the same work."""
        text = json.dumps([native.load().version(), self.recipe, list(self.settings)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=128)
def _chain(recipe: str, grid: native.Grid, settings: native.Settings) -> native.Chain:
    return native.load().chain(recipe, grid, settings)


def make(
    recipe: Recipe,
    parameters: Mapping[str, Value] | None = None,
    *,
    dtype: Any = "float32",
    stretch: str | tuple[float, float] | None = None,
    compat: str = "none",
    alpha: bool = False,
) -> Request:
    """A request from what users write. Names and values are checked when it is used."""
    texts = tuple(f"{name}={_text(value)}" for name, value in sorted((parameters or {}).items()))
    name = getattr(dtype, "__name__", None) or str(dtype)
    cut = ",".join(str(end) for end in stretch) if isinstance(stretch, tuple) else stretch or ""
    return Request(_recipe_text(recipe), native.Settings(texts, name, cut, compat, alpha))


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    # Numbers of NumPy, and whatever else calls itself one.
    try:
        return repr(float(value))
    except (TypeError, ValueError):
        raise BadArgument(f"parameter value {value!r}; allowed: numbers, texts, booleans") from None


def _recipe_text(recipe: Recipe) -> str:
    if isinstance(recipe, Mapping):
        return json.dumps(dict(recipe))
    if not isinstance(recipe, (str, os.PathLike)):
        raise BadArgument(
            f"{type(recipe).__name__} is no recipe; allowed: an operation, a preset, a dictionary, JSON text, or a file with one")
    text = os.fspath(recipe)
    is_file = isinstance(recipe, os.PathLike) or (not text.lstrip().startswith("{") and text.endswith(".json"))
    if is_file or "#" in text.partition(".json")[2]:
        return json.dumps(native.load().read_recipe(str(Path(text))))
    return text
