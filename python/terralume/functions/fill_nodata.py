"""Fill nodata. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import Length, Raster, Stretch, apply
from ..georeference import CellSize


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
