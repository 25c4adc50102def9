"""Labelled arrays: what goes in with coordinates and attributes comes out with them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np

from . import georeference
from .errors import BadArray

#: Attributes of heights that are not true of what is made from them.
_OF_VALUES = (
    "scale_factor", "add_offset", "scales", "offsets", "STATISTICS_MINIMUM", "STATISTICS_MAXIMUM", "STATISTICS_MEAN",
    "STATISTICS_STDDEV", "STATISTICS_VALID_PERCENT", "statistics")


def is_data_array(agg: Any) -> bool:
    """Whether it is xarray's; xarray is not imported for the question."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(agg, xarray.DataArray)


def is_dataset(agg: Any) -> bool:
    """Whether it is xarray's set of arrays."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(agg, xarray.Dataset)


def is_dask(data: Any) -> bool:
    """Whether it is a dask array; dask is not imported for the question."""
    array = sys.modules.get("dask.array")
    return array is not None and isinstance(data, array.Array)


def over_dataset(agg: Any, function: Callable[[Any], Any]) -> Any:
    """A function of an array for every variable with rows and columns; others stay."""
    return agg.map(lambda array: function(array) if array.ndim >= 2 else array, keep_attrs=True)


def plane(array: Any) -> Any:
    """The array as rows x columns: leading dimensions of one element go.

    Raises `BadArray` where there are several."""
    georeference.spatial_dims(array)
    leading = list(array.dims[:-2])
    several = [f"{dim}={array.sizes[dim]}" for dim in leading if array.sizes[dim] != 1]
    if several:
        raise BadArray(
            f"array with {', '.join(several)}; allowed: one band of one date, such as isel({leading[0]}=0)")
    return array.isel(dict.fromkeys(leading, 0)) if leading else array


def like(array: Any, data: Any, name: str | None, bands: Sequence[dict[str, Any]], nodata: Any) -> Any:
    """A labelled array with the coordinates and attributes of `array`, which has rows x columns.

    `data`: rows x columns, or bands x rows x columns, whose first dimension becomes `band`."""
    xarray = sys.modules["xarray"]
    dims: tuple[Any, ...] = array.dims
    coords = dict(array.coords)
    if data.ndim == 3:
        dims = ("band", *dims)
        coords = {key: value for key, value in coords.items() if key != "band"}
        coords["band"] = ("band", np.arange(1, len(bands) + 1))
    attrs = attributes(array.attrs, bands, nodata)
    result = xarray.DataArray(data, dims=dims, coords=coords, attrs=attrs, name=name)
    mapping = array.encoding.get("grid_mapping")
    if mapping is not None:
        result.encoding["grid_mapping"] = mapping
    return result


def attributes(own: dict[Any, Any], bands: Sequence[dict[str, Any]], nodata: Any) -> dict[Any, Any]:
    """Attributes of a result: those of the input, but for what was true of its values only. Without nodata: None."""
    stale = _OF_VALUES if nodata is not None else {*_OF_VALUES, *georeference.NODATA_ATTRIBUTES}
    attrs = {key: value for key, value in own.items() if key not in stale}
    for key in georeference.NODATA_ATTRIBUTES:
        if key in attrs:
            attrs[key] = tuple(nodata for _ in bands) if key == "nodatavals" else nodata
    is_number = isinstance(nodata, (int, float)) and not math.isnan(nodata)
    if is_number and not any(key in attrs for key in georeference.NODATA_ATTRIBUTES):
        attrs["_FillValue"] = nodata
    for key, of in (("units", "unit"), ("long_name", "name")):
        if key in attrs or (key == "long_name" and len(bands) > 1):
            texts = tuple(str(band[of]) for band in bands)
            attrs[key] = texts[0] if len(texts) == 1 else texts
    return attrs
