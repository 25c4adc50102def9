"""Elevation deviation. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def elevation_deviation(
    agg: Raster,
    radius: Length = 20,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "elevation_deviation",
) -> Raster:
    """Elevation deviation: Height above the mean of the surroundings, divided by their roughness: faint banks on level
    ground show as clearly as hills among hills.

    Formula: (z - mean) / (sd + 1e-6), mean and standard deviation over the square of 2 radius + 1 cells, valid cells
    only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 20
        Half the side of the square compared with. [cells] 1 to 2500. Also with a unit: "10m".
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
    The same kind of array: Elevation deviation.

    References
    ----------
    De Reu et al. 2013, doi:10.1016/j.geomorph.2012.12.015
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "elevation_deviation", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
