"""Positive openness. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def openness_positive(
    agg: Raster,
    radius: Length = 10,
    directions: int = 16,
    noise: Literal["none", "low", "medium", "high"] = "none",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "openness_positive",
) -> Raster:
    """Positive openness: Mean zenith angle of the horizon: crests and edges are bright, also on slopes, where the sky-view
    factor is dark.

    Formula: 90 - mean over directions of g in degrees, with the horizon g as for sky_view_factor

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 10
        How far the horizon is searched. [cells] 1 to 1000. Also with a unit: "10m".
    directions : int, default 16
        Number of directions searched. 1 to 360.
    noise : one of ["none", "low", "medium", "high"], default "none"
        Leaves out the nearest 0, 10, 20 or 40 % of the radius.
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
    The same kind of array: Positive openness [degree].

    References
    ----------
    Yokoyama, Shirasawa & Pike 2002, Photogrammetric Engineering & Remote Sensing 68(3)
    """
    parameters = {
        "radius": radius,
        "directions": directions,
        "noise": noise,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "openness_positive", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
