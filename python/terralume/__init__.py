"""Relief visualisation of elevation models and statistics of raster stacks, for NumPy, xarray and Dask.

    import terralume

    shade = terralume.hillshade(heights, cell_size=0.5)          # a NumPy array, a dask array, a DataArray
    dem = terralume.open("dem.tif")                              # lazy; knows its file
    dem.terralume.render("vat-combined", dtype="uint8").terralume.to_raster("vat.tif")

Functions of every operation are in `terralume.functions` and here: `terralume.svf`, `terralume.slope`, … Errors are in
`terralume.errors`; runs on clusters in `terralume.dask`. xarray, dask and rioxarray are needed only by what takes them.
"""

from __future__ import annotations

from typing import Any

from . import errors, functions
from .apply import apply as render
from .errors import *  # noqa: F403
from .files import blocks, compute, plan, run, to_raster, to_zarr
from .functions import *  # noqa: F403
from .native import load
from .opening import open
from .stack import calc, mask, program, reduce, rescale

__all__ = [
    *functions.__all__,
    *errors.__all__,
    "blocks",
    "calc",
    "compute",
    "describe",
    "errors",
    "mask",
    "open",
    "plan",
    "program",
    "reduce",
    "render",
    "rescale",
    "run",
    "to_raster",
    "to_zarr",
    "version",
]


def __getattr__(name: str) -> Any:
    """`terralume.dask` needs distributed, so it is imported when it is first used."""
    if name == "dask":
        import importlib

        return importlib.import_module("terralume.dask")
    raise AttributeError(f"module 'terralume' has no attribute '{name}'")


def describe() -> dict[str, Any]:
    """Everything the library can do: operations with parameters, presets, terrains, options."""
    return load().describe()


def version() -> str:
    """Version of the library."""
    return load().version()


def _register_accessor() -> None:
    """Gives arrays of xarray `.terralume`, if xarray is there."""
    try:
        import xarray
    except ImportError:
        return
    from .accessor import TerralumeAccessor

    xarray.register_dataarray_accessor("terralume")(TerralumeAccessor)
    xarray.register_dataset_accessor("terralume")(TerralumeAccessor)


_register_accessor()
