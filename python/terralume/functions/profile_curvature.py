"""Profile curvature. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Raster, Stretch, apply
from ..georeference import CellSize


def profile_curvature(
    agg: Raster,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "profile_curvature",
) -> Raster:
    """Profile curvature: How the surface bends up and down the slope: upper edges of banks and terraces are bright
    (convex, positive), their feet dark (concave, negative). 0 on level cells; beyond the edge and in holes the ground
    goes on straight. In one divided by the unit of the coordinates.

    Formula: -(r p² + 2 s p q + t q²) / (p² + q²), with p = (z_e - z_w) / 2w, q = (z_n - z_s) / 2h, r = (z_e + z_w - 2
    z) / w², t = (z_n + z_s - 2 z) / h², s = (z_ne + z_sw - z_nw - z_se) / 4wh, cells w wide and h high

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
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
    The same kind of array: Profile curvature [1/m].

    References
    ----------
    Zevenbergen & Thorne 1987, doi:10.1002/esp.3290120107; checked against SAGA 8.5.0, longitudinal curvature
    """
    parameters = {
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "profile_curvature", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
