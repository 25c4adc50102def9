"""Multi-directional hillshade. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Raster, Stretch, apply
from ..georeference import CellSize


def multi_hillshade(
    agg: Raster,
    directions: int = 16,
    elevation: float = 35,
    form: Literal["bands", "rgb", "mean"] = "bands",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "multi_hillshade",
) -> Raster:
    """Multi-directional hillshade: Hillshades from several directions, as bands, as a colour picture or as their mean:
    linear relief shows whatever way it runs.

    Formula: hillshade from azimuth 360 / directions * i; form rgb: from 315 (red), 22.5 (green) and 90 (blue); form
    mean: the mean over all directions

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    directions : int, default 16
        Number of directions of the light; form rgb has its own three. 1 to 360.
    elevation : float, default 35
        Height of the light above the horizon. [degree] 0 to 90.
    form : one of ["bands", "rgb", "mean"], default "bands"
        A band per direction, three directions as a colour picture, or the mean.
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
    The same kind of array, bands x rows x columns: Hillshade, azimuth 0, Hillshade, azimuth 22.5, Hillshade, azimuth 45, Hillshade, azimuth 67.5, … (16 bands).

    References
    ----------
    Devereux, Amable & Crow 2008, doi:10.1017/S0003598X00096952
    """
    parameters = {
        "directions": directions,
        "elevation": elevation,
        "form": form,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "multi_hillshade", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
