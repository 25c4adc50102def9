"""Every operation of the library as a function.

Written by scripts/python-functions.py from what the library says of itself; a test compares. Every function takes a NumPy
array, a dask array, or a DataArray or Dataset of xarray, and gives the same kind back.
"""

from __future__ import annotations

from typing import Any, Literal, Union

from .apply import Raster, apply
from .georeference import CellSize

#: A number of cells, or a text with a unit, such as "10m".
Length = Union[float, str]
Stretch = Union[str, "tuple[float, float]", None]

__all__ = [
    "anisotropic_sky_view_factor",
    "aspect",
    "asvf",
    "difference_from_mean_elevation",
    "differential_openness",
    "dme",
    "elevation_deviation",
    "fill_nodata",
    "hillshade",
    "horizon_angle",
    "local_dominance",
    "local_relief",
    "max_elevation_deviation",
    "msrm",
    "mstp",
    "multi_hillshade",
    "multi_scale_relief",
    "multi_scale_topographic_position",
    "openness_negative",
    "openness_positive",
    "plan_curvature",
    "profile_curvature",
    "roughness",
    "shadow",
    "sky_illumination",
    "sky_view_factor",
    "slope",
    "slrm",
    "svf",
    "terrain_ruggedness",
    "topographic_position",
    "tpi",
    "tri",
]


def slope(
    agg: Raster,
    unit: Literal["degree", "percent", "radian"] = "degree",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "slope",
) -> Raster:
    """Slope: Steepness of the surface. Shows banks, terraces and ditches whatever way they face.

    Formula: atan(sqrt(e² + n²)), with the fall e = (z_west - z_east) / 2w and n = (z_south - z_north) / 2h between the
    direct neighbours, cells w wide and h high

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    unit : one of ["degree", "percent", "radian"], default "degree"
        Unit of the slope.
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
    The same kind of array: Slope [degree].

    References
    ----------
    Horn 1981, doi:10.1109/PROC.1981.11918 (with the four direct neighbours)
    """
    parameters = {
        "unit": unit,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "slope", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def aspect(
    agg: Raster,
    unit: Literal["degree", "radian"] = "degree",
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "aspect",
) -> Raster:
    """Aspect: Azimuth of the descent, clockwise from north: 0 north, 90 east, 180 south, -90 west; 0 on level ground.

    Formula: atan2(e, n), with e and n as for slope

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    unit : one of ["degree", "radian"], default "degree"
        Unit of the azimuth.
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
    The same kind of array: Aspect [degree].

    References
    ----------
    Horn 1981, doi:10.1109/PROC.1981.11918 (with the four direct neighbours)
    """
    parameters = {
        "unit": unit,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "aspect", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def sky_view_factor(
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
    name: str | None = "sky_view_factor",
) -> Raster:
    """Sky-view factor: Share of the sky that is seen from the surface: ditches, pits and the feet of walls are dark,
    whatever way they run.

    Formula: mean over directions of 1 - sin(max(g, 0)), with the horizon g = atan(max (z_sample - z) / distance) over
    the cells nearest to the ray

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
    The same kind of array: Sky-view factor.

    References
    ----------
    Zakšek, Oštir & Kokalj 2011, doi:10.3390/rs3020398
    """
    parameters = {
        "radius": radius,
        "directions": directions,
        "noise": noise,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "sky_view_factor", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def svf(
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
    name: str | None = "svf",
) -> Raster:
    """Sky-view factor: Share of the sky that is seen from the surface: ditches, pits and the feet of walls are dark,
    whatever way they run.

    The same as `sky_view_factor`.

    Formula: mean over directions of 1 - sin(max(g, 0)), with the horizon g = atan(max (z_sample - z) / distance) over
    the cells nearest to the ray

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
    The same kind of array: Sky-view factor.

    References
    ----------
    Zakšek, Oštir & Kokalj 2011, doi:10.3390/rs3020398
    """
    parameters = {
        "radius": radius,
        "directions": directions,
        "noise": noise,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "sky_view_factor", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def openness_negative(
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
    name: str | None = "openness_negative",
) -> Raster:
    """Negative openness: Mean nadir angle under the surface: the lowest parts of hollows, ditches and channels stand out.

    Formula: openness_positive of -z

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
    The same kind of array: Negative openness [degree].

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
        agg, "openness_negative", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def differential_openness(
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
    name: str | None = "differential_openness",
) -> Raster:
    """Differential openness: Half of positive minus negative openness: crests and edges are bright, hollows and the feet
    of slopes dark, plane ground of any slope the same grey.

    Formula: (openness_positive - openness_negative) / 2

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
    The same kind of array: Differential openness [degree].

    References
    ----------
    Chiba, Kaneta & Suzuki 2008, Red relief image map: new visualization method for three dimensional data, ISPRS
    Archives 37 (B2)
    """
    parameters = {
        "radius": radius,
        "directions": directions,
        "noise": noise,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "differential_openness", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def local_relief(
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
    name: str | None = "local_relief",
) -> Raster:
    """Simple local relief model: Height above the mean of the surroundings: banks, ditches and mounds in metres, freed
    from the slope they lie on.

    Formula: z - mean(z) over the square of 2 radius + 1 cells, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 20
        Half the side of the square that is averaged. [cells] 1 to 2500. Also with a unit: "10m".
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
    The same kind of array: Local relief [m].

    References
    ----------
    Hesse 2010, doi:10.1002/arp.374
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "local_relief", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def slrm(
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
    name: str | None = "slrm",
) -> Raster:
    """Simple local relief model: Height above the mean of the surroundings: banks, ditches and mounds in metres, freed
    from the slope they lie on.

    The same as `local_relief`.

    Formula: z - mean(z) over the square of 2 radius + 1 cells, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 20
        Half the side of the square that is averaged. [cells] 1 to 2500. Also with a unit: "10m".
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
    The same kind of array: Local relief [m].

    References
    ----------
    Hesse 2010, doi:10.1002/arp.374
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "local_relief", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def difference_from_mean_elevation(
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
    name: str | None = "difference_from_mean_elevation",
) -> Raster:
    """Simple local relief model: Height above the mean of the surroundings: banks, ditches and mounds in metres, freed
    from the slope they lie on.

    The same as `local_relief`.

    Formula: z - mean(z) over the square of 2 radius + 1 cells, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 20
        Half the side of the square that is averaged. [cells] 1 to 2500. Also with a unit: "10m".
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
    The same kind of array: Local relief [m].

    References
    ----------
    Hesse 2010, doi:10.1002/arp.374
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "local_relief", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def dme(
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
    name: str | None = "dme",
) -> Raster:
    """Simple local relief model: Height above the mean of the surroundings: banks, ditches and mounds in metres, freed
    from the slope they lie on.

    The same as `local_relief`.

    Formula: z - mean(z) over the square of 2 radius + 1 cells, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 20
        Half the side of the square that is averaged. [cells] 1 to 2500. Also with a unit: "10m".
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
    The same kind of array: Local relief [m].

    References
    ----------
    Hesse 2010, doi:10.1002/arp.374
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "local_relief", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def multi_scale_relief(
    agg: Raster,
    feature_min: float = 0,
    feature_max: float = 20,
    scaling_factor: int = 2,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "multi_scale_relief",
) -> Raster:
    """Multi-scale relief model: Relief of all sizes between two, averaged: small and large earthworks in one picture,
    without the hills.

    Formula: mean over k = i … n - 1 of L_k - L_(k+1), L_k the mean over a square of radius k^s, i = floor(((min - c) /
    2c)^(1/s)), n = ceil(((max - c) / 2c)^(1/s)), cells of side c

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    feature_min : float, default 0
        Size of the smallest relief shown. [m] 0 to 10000.
    feature_max : float, default 20
        Size of the largest relief shown. [m] 0 to 10000.
    scaling_factor : int, default 2
        How fast the windows grow from one scale to the next. 1 to 20.
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
    The same kind of array: Multi-scale relief [m].

    References
    ----------
    Orengo & Petrie 2018, doi:10.1002/esp.4317
    """
    parameters = {
        "feature_min": feature_min,
        "feature_max": feature_max,
        "scaling_factor": scaling_factor,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "multi_scale_relief", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def msrm(
    agg: Raster,
    feature_min: float = 0,
    feature_max: float = 20,
    scaling_factor: int = 2,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "msrm",
) -> Raster:
    """Multi-scale relief model: Relief of all sizes between two, averaged: small and large earthworks in one picture,
    without the hills.

    The same as `multi_scale_relief`.

    Formula: mean over k = i … n - 1 of L_k - L_(k+1), L_k the mean over a square of radius k^s, i = floor(((min - c) /
    2c)^(1/s)), n = ceil(((max - c) / 2c)^(1/s)), cells of side c

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    feature_min : float, default 0
        Size of the smallest relief shown. [m] 0 to 10000.
    feature_max : float, default 20
        Size of the largest relief shown. [m] 0 to 10000.
    scaling_factor : int, default 2
        How fast the windows grow from one scale to the next. 1 to 20.
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
    The same kind of array: Multi-scale relief [m].

    References
    ----------
    Orengo & Petrie 2018, doi:10.1002/esp.4317
    """
    parameters = {
        "feature_min": feature_min,
        "feature_max": feature_max,
        "scaling_factor": scaling_factor,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "multi_scale_relief", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def multi_scale_topographic_position(
    agg: Raster,
    local_min: Length = 1,
    local_max: Length = 5,
    local_step: Length = 1,
    meso_min: Length = 5,
    meso_max: Length = 50,
    meso_step: Length = 5,
    broad_min: Length = 50,
    broad_max: Length = 500,
    broad_step: Length = 50,
    lightness: float = 0.9,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "multi_scale_topographic_position",
) -> Raster:
    """Multi-scale topographic position: A colour picture of what stands out at which scale: red for hills and valleys,
    green for terraces and large earthworks, blue for banks and ditches.

    Formula: 1 - exp(-lightness |max_elevation_deviation|) for each of three scales: red broad, green meso, blue local

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    local_min : float or str, default 1
        Local scale (blue): smallest radius. [cells] 1 to 2500. Also with a unit: "10m".
    local_max : float or str, default 5
        Local scale: largest radius. [cells] 1 to 2500. Also with a unit: "10m".
    local_step : float or str, default 1
        Local scale: from one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
    meso_min : float or str, default 5
        Middle scale (green): smallest radius. [cells] 1 to 2500. Also with a unit: "10m".
    meso_max : float or str, default 50
        Middle scale: largest radius. [cells] 1 to 2500. Also with a unit: "10m".
    meso_step : float or str, default 5
        Middle scale: from one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
    broad_min : float or str, default 50
        Broad scale (red): smallest radius. [cells] 1 to 2500. Also with a unit: "10m".
    broad_max : float or str, default 500
        Broad scale: largest radius. [cells] 1 to 2500. Also with a unit: "10m".
    broad_step : float or str, default 50
        Broad scale: from one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
    lightness : float, default 0.9
        How bright the picture is. 0.1 to 5.
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
    The same kind of array, bands x rows x columns: Topographic position, broad scale (red), Topographic position, middle scale (green), Topographic position, local scale (blue).

    References
    ----------
    Lindsay, Cockburn & Russell 2015, doi:10.1016/j.geomorph.2015.05.025
    """
    parameters = {
        "local_min": local_min,
        "local_max": local_max,
        "local_step": local_step,
        "meso_min": meso_min,
        "meso_max": meso_max,
        "meso_step": meso_step,
        "broad_min": broad_min,
        "broad_max": broad_max,
        "broad_step": broad_step,
        "lightness": lightness,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "multi_scale_topographic_position", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def mstp(
    agg: Raster,
    local_min: Length = 1,
    local_max: Length = 5,
    local_step: Length = 1,
    meso_min: Length = 5,
    meso_max: Length = 50,
    meso_step: Length = 5,
    broad_min: Length = 50,
    broad_max: Length = 500,
    broad_step: Length = 50,
    lightness: float = 0.9,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "mstp",
) -> Raster:
    """Multi-scale topographic position: A colour picture of what stands out at which scale: red for hills and valleys,
    green for terraces and large earthworks, blue for banks and ditches.

    The same as `multi_scale_topographic_position`.

    Formula: 1 - exp(-lightness |max_elevation_deviation|) for each of three scales: red broad, green meso, blue local

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    local_min : float or str, default 1
        Local scale (blue): smallest radius. [cells] 1 to 2500. Also with a unit: "10m".
    local_max : float or str, default 5
        Local scale: largest radius. [cells] 1 to 2500. Also with a unit: "10m".
    local_step : float or str, default 1
        Local scale: from one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
    meso_min : float or str, default 5
        Middle scale (green): smallest radius. [cells] 1 to 2500. Also with a unit: "10m".
    meso_max : float or str, default 50
        Middle scale: largest radius. [cells] 1 to 2500. Also with a unit: "10m".
    meso_step : float or str, default 5
        Middle scale: from one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
    broad_min : float or str, default 50
        Broad scale (red): smallest radius. [cells] 1 to 2500. Also with a unit: "10m".
    broad_max : float or str, default 500
        Broad scale: largest radius. [cells] 1 to 2500. Also with a unit: "10m".
    broad_step : float or str, default 50
        Broad scale: from one radius to the next. [cells] 1 to 2500. Also with a unit: "10m".
    lightness : float, default 0.9
        How bright the picture is. 0.1 to 5.
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
    The same kind of array, bands x rows x columns: Topographic position, broad scale (red), Topographic position, middle scale (green), Topographic position, local scale (blue).

    References
    ----------
    Lindsay, Cockburn & Russell 2015, doi:10.1016/j.geomorph.2015.05.025
    """
    parameters = {
        "local_min": local_min,
        "local_max": local_max,
        "local_step": local_step,
        "meso_min": meso_min,
        "meso_max": meso_max,
        "meso_step": meso_step,
        "broad_min": broad_min,
        "broad_max": broad_max,
        "broad_step": broad_step,
        "lightness": lightness,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "multi_scale_topographic_position", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def local_dominance(
    agg: Raster,
    radius_min: Length = 10,
    radius_max: Length = 20,
    radius_step: Length = 1,
    angular_step: float = 15,
    observer_height: float = 1.7,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "local_dominance",
) -> Raster:
    """Local dominance: How much an observer overlooks the surroundings: mounds and banks are bright, hollows dark; good
    for very faint relief.

    Formula: sum max(z + h - z_sample, 0) / d * (2d + step) over distances d and directions, divided by the same sum on
    a plain; observer height h

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius_min : float or str, default 10
        Nearest distance looked at. [cells] 1 to 1000. Also with a unit: "10m".
    radius_max : float or str, default 20
        Farthest distance looked at. [cells] 1 to 1000. Also with a unit: "10m".
    radius_step : float or str, default 1
        From one distance to the next. [cells] 1 to 1000. Also with a unit: "10m".
    angular_step : float, default 15
        From one direction to the next. [degree] 1 to 180.
    observer_height : float, default 1.7
        Height of the eyes above the ground. [m] 0.01 to 1000.
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
    The same kind of array: Local dominance.

    References
    ----------
    Hesse 2016, Visualisierung hochauflösender digitaler Geländemodelle mit LiVT
    """
    parameters = {
        "radius_min": radius_min,
        "radius_max": radius_max,
        "radius_step": radius_step,
        "angular_step": angular_step,
        "observer_height": observer_height,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "local_dominance", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def shadow(
    agg: Raster,
    radius: Length = 100,
    azimuth: float = 315,
    directions: int = 32,
    elevation: float = 35,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "shadow",
) -> Raster:
    """Shadow: Cast shadow: 1 where the sun shines, 0 where higher ground stands before it.

    Formula: 1 where horizon_angle < elevation of the sun, else 0

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
    elevation : float, default 35
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
    The same kind of array: Shadow.

    References
    ----------
    Zakšek, Oštir & Kokalj 2011, Sky-view factor as a relief visualization technique
    """
    parameters = {
        "radius": radius,
        "azimuth": azimuth,
        "directions": directions,
        "elevation": elevation,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "shadow", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def topographic_position(
    agg: Raster,
    radius: Length = 1,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "topographic_position",
) -> Raster:
    """Topographic position index: Height above the mean of the cells around: positive on crests, negative in hollows.

    Formula: z - mean(z) over the square of 2 radius + 1 cells without the cell itself, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 1
        Half the side of the square around the cell. [cells] 1 to 1000. Also with a unit: "10m".
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
    The same kind of array: Topographic position index [m].

    References
    ----------
    Weiss 2001, Topographic position and landforms analysis; radius 1 checked against gdaldem TPI
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "topographic_position", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def tpi(
    agg: Raster,
    radius: Length = 1,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "tpi",
) -> Raster:
    """Topographic position index: Height above the mean of the cells around: positive on crests, negative in hollows.

    The same as `topographic_position`.

    Formula: z - mean(z) over the square of 2 radius + 1 cells without the cell itself, valid cells only

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 1
        Half the side of the square around the cell. [cells] 1 to 1000. Also with a unit: "10m".
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
    The same kind of array: Topographic position index [m].

    References
    ----------
    Weiss 2001, Topographic position and landforms analysis; radius 1 checked against gdaldem TPI
    """
    parameters = {
        "radius": radius,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "topographic_position", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def roughness(
    agg: Raster,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "roughness",
) -> Raster:
    """Roughness: Largest difference of height among a cell and its eight neighbours: rubble, walls and edges.

    Formula: max(z) - min(z) over 3 x 3 cells

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
    The same kind of array: Roughness [m].

    References
    ----------
    Wilson et al. 2007, doi:10.1080/01490410701295962; checked against gdaldem roughness
    """
    parameters = {
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "roughness", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


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


def plan_curvature(
    agg: Raster,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "plan_curvature",
) -> Raster:
    """Plan curvature: How the surface bends across the slope: spurs and ridges that run downhill are bright (convex,
    positive), gullies and hollow ways dark (concave, negative). Nearly level ground shows the noise of its heights.
    Edges, unit and level cells as for profile_curvature.

    Formula: -(r q² - 2 s p q + t p²) / (p² + q²), with p, q, r, s and t as for profile_curvature

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
    The same kind of array: Plan curvature [1/m].

    References
    ----------
    Zevenbergen & Thorne 1987, doi:10.1002/esp.3290120107; checked against SAGA 8.5.0, cross-sectional curvature
    """
    parameters = {
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "plan_curvature", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)


def fill_nodata(
    agg: Raster,
    radius: Length = 20,
    method: Literal["idw", "nearest", "linear_row"] = "idw",
    power: float = 2,
    vertical_exaggeration: float = 1,
    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "fill_nodata",
) -> Raster:
    """Fill nodata: Heights for missing cells from the valid ones around them: lakes, gaps between flight strips, buildings
    taken out. Can also go before any picture (-p fill=idw).

    Formula: idw: sum(z / d^power) / sum(1 / d^power) over the valid cells of the square of 2 radius + 1 cells; nearest:
    z of the nearest valid cell within radius; linear_row: the line between the nearest valid cells of the row

    Parameters
    ----------
    agg : array
        Heights, rows x columns, in the unit of the cell size.
    radius : float or str, default 20
        How far valid cells are looked for. [cells] 1 to 1000. Also with a unit: "10m".
    method : one of ["idw", "nearest", "linear_row"], default "idw"
        How missing cells get a height.
    power : float, default 2
        Inverse distance weighting: the higher, the more near cells count. 0 to 10.
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
    The same kind of array: Height.

    References
    ----------
    Shepard 1968, doi:10.1145/800186.810616
    """
    parameters = {
        "radius": radius,
        "method": method,
        "power": power,
        "vertical_exaggeration": vertical_exaggeration,
    }
    return apply(
        agg, "fill_nodata", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype, stretch=stretch,
        compat=compat, threads=threads, name=name)
