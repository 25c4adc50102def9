"""`array.terralume`: the functions of this package as methods of xarray's arrays and datasets."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable

from . import files, functions, stack
from .apply import apply
from .request import Recipe, Value


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose first argument is the array."""

    @functools.wraps(function)
    def call(self: TerralumeAccessor, *arguments: Any, **options: Any) -> Any:
        return function(self._array, *arguments, **options)

    signature = inspect.signature(function)
    first, *others = signature.parameters.values()
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *others])
    return call


class TerralumeAccessor:
    """Relief visualisation, band maths and statistics over time of this array."""

    def __init__(self, array: Any) -> None:
        """Made by xarray: `array.terralume`."""
        self._array = array

    def render(
        self, recipe: Recipe, parameters: Mapping[str, Value] | None = None, *, name: str | None = None, **options: Any
    ) -> Any:
        """A whole recipe or preset as one operation: layers, stretches, blends and colours; see `terralume.render`."""
        return apply(self._array, recipe, parameters, name=name or _name(recipe), **options)

    def chain(self, recipe: Recipe, parameters: Mapping[str, Value] | None = None, **options: Any) -> Any:
        """The same as `render`."""
        return self.render(recipe, parameters, **options)

    calc = _method(stack.calc)
    mask = _method(stack.mask)
    rescale = _method(stack.rescale)
    reduce = _method(stack.reduce)
    compute = _method(files.compute)
    to_raster = _method(files.to_raster)
    to_zarr = _method(files.to_zarr)
    blocks = _method(files.blocks)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]:
            """Every operation of `terralume.functions`."""


def _name(recipe: Recipe) -> str | None:
    return recipe if isinstance(recipe, str) and recipe.replace("-", "_").isidentifier() else None


for _operation in functions.__all__:
    setattr(TerralumeAccessor, _operation, _method(getattr(functions, _operation)))
