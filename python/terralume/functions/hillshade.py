"""Hillshade. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Raster, Stretch, apply
from ..georeference import CellSize


def hillshade(
    agg: Raster,
    azimuth: float = 315,
    elevation: float = 35,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "hillshade",
) -> Raster:
    """Hillshade: Brightness of the surface under one distant light. Reads like a photograph; relief along the light stays
    hidden.

    Formula: max(cos Z cos s + sin Z sin s cos(a - A), 0), for slope s, aspect a, and a light of azimuth A and zenith
    distance Z = 90 - elevation

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    azimuth : float, default 315
        Direction of the light, clockwise from north. [degree] 0 to 360.
    elevation : float, default 35
        Height of the light above the horizon. [degree] 0 to 90.
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
    The same kind of array: Hillshade.

    References
    ----------
    Horn 1981, doi:10.1109/PROC.1981.11918 (with the four direct neighbours)
    """
    parameters = {
        "azimuth": azimuth,
        "elevation": elevation,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "hillshade", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
