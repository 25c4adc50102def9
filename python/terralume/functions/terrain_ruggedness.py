"""Terrain ruggedness index. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Raster, Stretch, apply
from ..georeference import CellSize


def terrain_ruggedness(
    agg: Raster,
    method: Literal["riley", "wilson"] = "riley",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "terrain_ruggedness",
) -> Raster:
    """Terrain ruggedness index: How much a cell differs in height from its eight neighbours: rough ground is bright.

    Formula: riley: sqrt(sum (z_i - z)²) over the eight neighbours; wilson: mean |z_i - z|

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    method : one of ["riley", "wilson"], default "riley"
        Root of the sum of squared differences, or mean of their sizes.
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
    The same kind of array: Terrain ruggedness index [m].

    References
    ----------
    Riley, DeGloria & Elliot 1999, Intermountain Journal of Sciences 5; Wilson et al. 2007,
    doi:10.1080/01490410701295962; checked against gdaldem TRI
    """
    parameters = {
        "method": method,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "terrain_ruggedness", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def tri(
    agg: Raster,
    method: Literal["riley", "wilson"] = "riley",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "tri",
) -> Raster:
    """Terrain ruggedness index: How much a cell differs in height from its eight neighbours: rough ground is bright.

    The same as `terrain_ruggedness`.

    Formula: riley: sqrt(sum (z_i - z)²) over the eight neighbours; wilson: mean |z_i - z|

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    method : one of ["riley", "wilson"], default "riley"
        Root of the sum of squared differences, or mean of their sizes.
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
    The same kind of array: Terrain ruggedness index [m].

    References
    ----------
    Riley, DeGloria & Elliot 1999, Intermountain Journal of Sciences 5; Wilson et al. 2007,
    doi:10.1080/01490410701295962; checked against gdaldem TRI
    """
    parameters = {
        "method": method,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "terrain_ruggedness", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
