"""Local dominance. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


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
