"""Multi-scale topographic position. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


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
