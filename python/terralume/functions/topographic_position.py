"""Topographic position index. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def topographic_position(
    agg: Raster,
    radius: Length = 1,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "topographic_position",
) -> Raster:
    """Topographic position index: Height above the mean of the cells around: positive on crests, negative in hollows.

    Formula: z - mean(z) over the square of 2 radius + 1 cells without the cell itself, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 1
        Half the side of the square around the cell. [cells] 1 to 1000. Also with a unit: "10m".
    vertical_exaggeration : float, default 1
        Factor on the heights; a negative one turns hills into hollows. -10000 to 10000.
    cell_size : float or (float, float), optional
        Side of a cell, or width and height, in the unit of the heights. Without it: `rio.resolution()`, the attribute `res`,
        the coordinates; 1 for arrays without labels.
    nodata : float, optional
        Value of cells without data, beside NaN. Without it: what the array says (`rio.nodata`, `_FillValue`, `nodatavals`).
    dtype : "float32" or "uint8"
        The values, or a picture: stretched to 1 to 255, 0 where there is no data.
    stretch : (float, float) or str, optional
        Values shown as black and white in a picture; also "percent:2,2" and "deviations:2".
    compat : "none" or "rvt"
        The numbers of the Relief Visualization Toolbox also where they are known to be wrong.
    threads : int, optional
        Threads of a NumPy array. Without it: one for each processor.
    name : str
        Name of the result.

    Returns
    -------
    The same kind of array: Topographic position index [m].

    References
    ----------
    Weiss 2001, Topographic position and landforms analysis; radius 1 checked against gdaldem TPI
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "topographic_position", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def tpi(
    agg: Raster,
    radius: Length = 1,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "tpi",
) -> Raster:
    """Topographic position index: Height above the mean of the cells around: positive on crests, negative in hollows.

    The same as `topographic_position`.

    Formula: z - mean(z) over the square of 2 radius + 1 cells without the cell itself, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 1
        Half the side of the square around the cell. [cells] 1 to 1000. Also with a unit: "10m".
    vertical_exaggeration : float, default 1
        Factor on the heights; a negative one turns hills into hollows. -10000 to 10000.
    cell_size : float or (float, float), optional
        Side of a cell, or width and height, in the unit of the heights. Without it: `rio.resolution()`, the attribute `res`,
        the coordinates; 1 for arrays without labels.
    nodata : float, optional
        Value of cells without data, beside NaN. Without it: what the array says (`rio.nodata`, `_FillValue`, `nodatavals`).
    dtype : "float32" or "uint8"
        The values, or a picture: stretched to 1 to 255, 0 where there is no data.
    stretch : (float, float) or str, optional
        Values shown as black and white in a picture; also "percent:2,2" and "deviations:2".
    compat : "none" or "rvt"
        The numbers of the Relief Visualization Toolbox also where they are known to be wrong.
    threads : int, optional
        Threads of a NumPy array. Without it: one for each processor.
    name : str
        Name of the result.

    Returns
    -------
    The same kind of array: Topographic position index [m].

    References
    ----------
    Weiss 2001, Topographic position and landforms analysis; radius 1 checked against gdaldem TPI
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "topographic_position", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
