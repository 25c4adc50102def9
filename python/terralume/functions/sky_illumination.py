"""Sky illumination. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def sky_illumination(
    agg: Raster,
    radius: Length = 100,
    model: Literal["overcast", "uniform"] = "overcast",
    directions: int = 32,
    shadow: bool = False,
    shadow_azimuth: float = 315,
    shadow_elevation: float = 35,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "sky_illumination",
) -> Raster:
    """Sky illumination: Light from the whole sky, without a sun: soft shading that hides no slope; hollows and steep
    slopes are dark.

    Formula: uniform: U / pi; overcast: (U + 2C) / 3 over its value on open level ground; U = cos s sum d cos² h + sin s
    sum W (pi/4 - h/2 - sin(2h)/4), C = cos s sum 2d (1 - sin³ h) / 3 + sin s sum W cos³ h / 3, with horizon h per
    direction of azimuth phi, slope s, aspect a, d = pi / directions, W = 2 sin d cos(phi - a)

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 100
        How far the horizon is searched. [cells] 1 to 1000. Also with a unit: "10m".
    model : one of ["overcast", "uniform"], default "overcast"
        Brightness of the sky.
    directions : int, default 32
        Number of directions searched. 1 to 360.
    shadow : bool, default False
        Adds sunlight: a fifth of the brightness.
    shadow_azimuth : float, default 315
        Direction of the sun, clockwise from north. [degree] 0 to 360.
    shadow_elevation : float, default 35
        Height of the sun above the horizon. [degree] 0 to 90.
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
    The same kind of array: Sky illumination.

    References
    ----------
    Kennelly & Stewart 2014, General sky models for illuminating terrains, IJGIS 28
    """
    parameters = {
        "radius": radius,
        "model": model,
        "directions": directions,
        "shadow": shadow,
        "shadow_azimuth": shadow_azimuth,
        "shadow_elevation": shadow_elevation,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "sky_illumination", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
