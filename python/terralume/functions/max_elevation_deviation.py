"""Maximum elevation deviation. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def max_elevation_deviation(
    agg: Raster,
    radius_min: Length = 5,
    radius_max: Length = 50,
    radius_step: Length = 5,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "max_elevation_deviation",
) -> Raster:
    """Maximum elevation deviation: How far a place stands out from, or lies below, the surroundings at the scale where it
    does so most.

    Formula: the elevation_deviation of largest size, with its sign, over the radii radius_min, radius_min +
    radius_step, … <= radius_max; the smaller radius wins a tie

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius_min : float or str, default 5
        Half the side of the smallest square. [cells] 1 to 2500. Also with a unit: "10m".
    radius_max : float or str, default 50
        Half the side of the largest square. [cells] 1 to 2500. Also with a unit: "10m".
    radius_step : float or str, default 5
        From one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
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
    The same kind of array: Maximum elevation deviation.

    References
    ----------
    Lindsay, Cockburn & Russell 2015, doi:10.1016/j.geomorph.2015.05.025
    """
    parameters = {
        "radius_min": radius_min,
        "radius_max": radius_max,
        "radius_step": radius_step,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "max_elevation_deviation", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
