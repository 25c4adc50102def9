"""Horizon angle. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def horizon_angle(
    agg: Raster,
    radius: Length = 100,
    azimuth: float = 315,
    directions: int = 32,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "horizon_angle",
) -> Raster:
    """Horizon angle: Height of the horizon in one direction: how high the sun must stand there to reach the ground.

    Formula: atan(max(0, max (z_sample - z) / distance)) along one azimuth; beyond 20 cells on grids coarser by 2 that
    keep the highest cell

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 100
        How far the horizon is searched. [cells] 1 to 1000. Also with a unit: "10m".
    azimuth : float, default 315
        Direction looked at, clockwise from north. [degree] 0 to 360.
    directions : int, default 32
        Under RVT compatibility: the azimuth is the nearest of so many directions. 1 to 360.
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
    The same kind of array: Horizon angle [degree].

    References
    ----------
    Zakšek, Oštir & Kokalj 2011, Sky-view factor as a relief visualization technique
    """
    parameters = {
        "radius": radius,
        "azimuth": azimuth,
        "directions": directions,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "horizon_angle", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
