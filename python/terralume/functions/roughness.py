"""Roughness. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Raster, Stretch, apply
from ..georeference import CellSize


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
