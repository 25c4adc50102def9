"""Anisotropic sky-view factor. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


def anisotropic_sky_view_factor(
    agg: Raster,
    radius: Length = 10,
    directions: int = 16,
    noise: Literal["none", "low", "medium", "high"] = "none",
    azimuth: float = 315,
    anisotropy: Literal["low", "high"] = "low",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "anisotropic_sky_view_factor",
) -> Raster:
    """Anisotropic sky-view factor: Sky-view factor under a sky that is brighter on one side: looks more like a hillshade,
    yet hides less.

    Formula: sum w (1 - sin(max(g, 0))) / sum w, with w = (1 - m) cos((theta - azimuth) / 2)^p + m; low: p = 4, m = 0.4;
    high: p = 8, m = 0.1

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
    azimuth : float, default 315
        Brightest direction of the sky, clockwise from north. [degree] 0 to 360.
    anisotropy : one of ["low", "high"], default "low"
        How uneven the sky is.
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
    The same kind of array: Anisotropic sky-view factor.

    References
    ----------
    Zakšek, Oštir & Kokalj 2011, doi:10.3390/rs3020398
    """
    parameters = {
        "radius": radius,
        "directions": directions,
        "noise": noise,
        "azimuth": azimuth,
        "anisotropy": anisotropy,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "anisotropic_sky_view_factor", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def asvf(
    agg: Raster,
    radius: Length = 10,
    directions: int = 16,
    noise: Literal["none", "low", "medium", "high"] = "none",
    azimuth: float = 315,
    anisotropy: Literal["low", "high"] = "low",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "asvf",
) -> Raster:
    """Anisotropic sky-view factor: Sky-view factor under a sky that is brighter on one side: looks more like a hillshade,
    yet hides less.

    The same as `anisotropic_sky_view_factor`.

    Formula: sum w (1 - sin(max(g, 0))) / sum w, with w = (1 - m) cos((theta - azimuth) / 2)^p + m; low: p = 4, m = 0.4;
    high: p = 8, m = 0.1

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
    azimuth : float, default 315
        Brightest direction of the sky, clockwise from north. [degree] 0 to 360.
    anisotropy : one of ["low", "high"], default "low"
        How uneven the sky is.
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
    The same kind of array: Anisotropic sky-view factor.

    References
    ----------
    Zakšek, Oštir & Kokalj 2011, doi:10.3390/rs3020398
    """
    parameters = {
        "radius": radius,
        "directions": directions,
        "noise": noise,
        "azimuth": azimuth,
        "anisotropy": anisotropy,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "anisotropic_sky_view_factor", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
