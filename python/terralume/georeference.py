"""What labelled arrays say of themselves: which dimensions are rows and columns, missing cells, size of a cell."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Union

from .errors import BadArgument, BadArray, NoCellSize, Unsupported
from .native import Grid

#: Side of a cell, or width and height of one, in the unit of the heights.
CellSize = Union[float, Sequence[float], None]

#: Attributes that say which value means nodata.
NODATA_ATTRIBUTES = ("_FillValue", "missing_value", "nodatavals", "nodata")

_ROWS = ("y", "lat", "latitude", "northing", "row")
_COLUMNS = ("x", "lon", "longitude", "easting", "col")


def spatial_dims(array: Any) -> tuple[str, str]:
    """Names of the dimensions of rows and columns: rioxarray's, else by name, else the last two.

    Raises `BadArray` when there are fewer than two, or when columns stand before rows."""
    dims = tuple(str(dim) for dim in array.dims)
    if len(dims) < 2:
        raise BadArray(f"array with the dimensions {dims}; allowed: rows and columns, such as ('y', 'x')")
    rows = _named(dims, _ROWS) or _rio_dim(array, "y_dim")
    columns = _named(dims, _COLUMNS) or _rio_dim(array, "x_dim")
    if rows is None or columns is None:
        rows, columns = dims[-2:]
    if dims[-2:] != (rows, columns):
        order = (*(dim for dim in dims if dim not in (rows, columns)), rows, columns)
        names = ", ".join(repr(dim) for dim in order)
        raise BadArray(f"array with the dimensions {dims}; allowed: rows, then columns: transpose({names})")
    return rows, columns


def _named(dims: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    return next((dim for dim in dims if dim.lower() in names), None)


def _rio(array: Any) -> Any:
    """The accessor of rioxarray, if the user has it."""
    return getattr(array, "rio", None) if "rioxarray" in sys.modules else None


def _rio_dim(array: Any, name: str) -> str | None:
    try:
        return str(getattr(_rio(array), name))
    except Exception:  # rioxarray's own kinds of error, or no rioxarray
        return None


def nodata_of(array: Any, given: float | None) -> float:
    """The value that means nodata in the cells as they are; NaN: none but NaN.

    What was given, else NaN where xarray or rioxarray have masked the cells already, else the attributes."""
    if given is not None:
        return float(given)
    if array.encoding.get("_FillValue") is not None:
        return math.nan
    return _nodata_attribute(array.attrs)


def _nodata_attribute(attributes: Mapping[str, Any]) -> float:
    for name in NODATA_ATTRIBUTES:
        value = attributes.get(name)
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if value is not None:
            try:
                return float(value)
            except (TypeError, ValueError):
                raise BadArgument(f"attribute {name} is {value!r}; allowed: a number, or nodata=…") from None
    return math.nan


def grid_of(array: Any, given: CellSize = None) -> Grid:
    """Size and orientation of the cells: what was given, else the transformation that rioxarray writes, else the
    attribute `res`, else coordinates.

    Raises `NoCellSize` when nothing says it, and `Unsupported` for cells in degrees, whose heights are in metres."""
    rows, columns = spatial_dims(array)
    south_up = _step(array, rows) > 0
    if given is not None:
        return checked_grid(given, south_up)
    refuse_degrees(array)
    found = _transform(array, rows, columns) or _attribute(array.attrs) or _coordinates(array, rows, columns)
    if found is None:
        raise NoCellSize(
            f"nothing says how large the cells of '{array.name or 'array'}' are; allowed: cell_size=…, the attribute "
            f"'res', or coordinates '{rows}' and '{columns}'")
    return checked_grid(found, south_up)


def checked_grid(size: CellSize, south_up: bool = False) -> Grid:
    """A grid from one side or two."""
    try:
        sides = [abs(float(side)) for side in size] if isinstance(size, Sequence) else [float(size)]  # type: ignore
    except (TypeError, ValueError):
        raise BadArgument(f"cell_size = {size!r}; allowed: a number, or (width, height)") from None
    if len(sides) not in (1, 2) or not all(math.isfinite(side) and side > 0 for side in sides):
        raise BadArgument(f"cell_size = {size!r}; allowed: a number greater than 0, or (width, height)")
    return Grid(sides[0], sides[-1], south_up)


def refuse_degrees(array: Any) -> None:
    """Refuses a geographic reference system, as runs on files do."""
    rio = _rio(array)
    try:
        degrees = rio is not None and rio.crs is not None and rio.crs.is_geographic
    except Exception:
        degrees = False
    if degrees:
        raise Unsupported(
            "the cells are in degrees, the heights are not; allowed: a projected reference system (rio.reproject), or "
            "cell_size=… in the unit of the heights")


def _transform(array: Any, rows: str, columns: str) -> tuple[float, float] | None:
    """Of the coordinate of the reference system. What selecting every second cell has made untrue does not count."""
    mapping = array.coords.get(array.encoding.get("grid_mapping", "spatial_ref"))
    try:
        numbers = [float(text) for text in mapping.attrs["GeoTransform"].split()]  # type: ignore[union-attr]
        _, width, tilt, _, shear, height = numbers
    except (AttributeError, KeyError, ValueError):
        return None
    found = math.hypot(width, shear), math.hypot(tilt, height)
    steps = _coordinates(array, rows, columns)
    agrees = steps is None or all(abs(one - other) <= 1e-3 * one for one, other in zip(found, steps))
    return found if agrees else None


def _attribute(attributes: Mapping[str, Any]) -> Any:
    found = attributes.get("res")
    return found if found is None or isinstance(found, (int, float)) else tuple(found)


def _coordinates(array: Any, rows: str, columns: str) -> tuple[float, float] | None:
    width, height = abs(_step(array, columns)), abs(_step(array, rows))
    return (width, height) if width > 0 and height > 0 else None


def _step(array: Any, dim: str) -> float:
    """Mean distance of the coordinates along a dimension; 0 where there are none."""
    if dim not in array.coords or array.sizes[dim] < 2:
        return 0.0
    ends = array.coords[dim].values[[0, -1]]
    try:
        step = float(ends[1] - ends[0]) / (array.sizes[dim] - 1)
    except (TypeError, ValueError):
        return 0.0
    return step if math.isfinite(step) else 0.0
