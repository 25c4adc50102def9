"""The one way from a function's arguments to its result, for every kind of array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar, Union

import numpy as np

from . import arrays, georeference, labelled
from .errors import BadArray
from .georeference import CellSize
from .request import Recipe, Request, Value, make
from .steps import Step

#: A NumPy array, a dask array, or a DataArray or Dataset of xarray: what goes in comes out.
Raster = TypeVar("Raster")
#: A number of cells, or a text with a unit, such as "10m".
Length = Union[float, str]
Stretch = Union[str, "tuple[float, float]", None]


def apply(
    agg: Raster,
    recipe: Recipe,
    parameters: Mapping[str, Value] | None = None,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: str = "none",
    alpha: bool = False,
    threads: int | None = None,
    name: str | None = None,
) -> Raster:
    """Computes a recipe from heights.

    Parameters
    ----------
    agg
        Heights, rows x columns, the first row in the north unless coordinates say otherwise; in the unit of the cell size.
    recipe
        An operation, a preset, a recipe as a dictionary or JSON text, or a file with one.
    parameters
        Changes to the recipe, such as `{"radius": 20}`, or `{"slope.opacity": 40}` in a recipe of several layers.
    cell_size, nodata, dtype, stretch, compat, threads, name
        As in every function of this package; see `terralume.slope`.

    Raises
    ------
    BadArgument, BadArray, NoCellSize, ChunkTooSmall, Unsupported
    """
    request = make(recipe, parameters, dtype=dtype, stretch=stretch, compat=compat, alpha=alpha)
    return _apply(agg, request, cell_size, nodata, threads, name)


def _apply(
    agg: Any, request: Request, cell_size: CellSize, nodata: float | None, threads: int | None, name: str | None
) -> Any:
    if isinstance(agg, np.ndarray):
        return _numpy(agg, request, cell_size, nodata, threads)
    if labelled.is_data_array(agg):
        return _data_array(agg, request, (cell_size, nodata, threads), name)
    if labelled.is_dataset(agg):
        # The variables keep their names.
        return labelled.over_dataset(
            agg, lambda array: _data_array(array, request, (cell_size, nodata, threads), array.name))
    if labelled.is_dask(agg):
        step = Step(request, georeference.checked_grid(1.0 if cell_size is None else cell_size))
        return _lazy(agg, step, math.nan if nodata is None else nodata, nodata)
    raise BadArray(
        f"{type(agg).__module__}.{type(agg).__name__} is no array; allowed: numpy.ndarray, dask.array.Array, "
        "xarray.DataArray, xarray.Dataset")


def _numpy(agg: Any, request: Request, cell_size: CellSize, nodata: float | None, threads: int | None) -> Any:
    if isinstance(agg, np.ma.MaskedArray):
        arrays.check_cells(agg)
        agg = np.ma.filled(agg.astype(np.float32), np.nan)
    grid = georeference.checked_grid(1.0 if cell_size is None else cell_size)
    return arrays.compute(agg, request, grid, math.nan if nodata is None else float(nodata), threads)


def _data_array(
    agg: Any, request: Request, given: tuple[CellSize, float | None, int | None], name: str | None
) -> Any:
    cell_size, nodata, threads = given
    plane = labelled.plane(agg)
    step = Step(request, georeference.grid_of(plane, cell_size))
    missing = georeference.nodata_of(plane, nodata)
    if labelled.is_dask(plane.data):
        data = _lazy(plane.data, step, missing, nodata)
    elif isinstance(plane.data, np.ndarray):
        data = arrays.compute(plane.data, request, step.grid, missing, threads)
    else:
        raise BadArray(f"DataArray of {type(plane.data).__name__}; allowed: of NumPy or dask arrays")
    chain = step.chain
    code = chain.description["nodata"]
    return labelled.like(plane, data, name, chain.description["bands"], math.nan if code == "nan" else code)


def _lazy(data: Any, step: Step, missing: float, given: float | None) -> Any:
    from . import lazy

    return lazy.apply(data, step, missing, given)
