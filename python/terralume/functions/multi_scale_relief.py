"""Multi-scale relief model. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Raster, Stretch, apply
from ..georeference import CellSize


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
