"""Every operation of the library as a function, a file for each.

Written by scripts/python-functions.py from what the library says of itself; a test compares. Every function takes a NumPy
array, a dask array, or a DataArray or Dataset of xarray, and gives the same kind back.
"""

from .anisotropic_sky_view_factor import anisotropic_sky_view_factor, asvf
from .aspect import aspect
from .differential_openness import differential_openness
from .elevation_deviation import elevation_deviation
from .fill_nodata import fill_nodata
from .hillshade import hillshade
from .horizon_angle import horizon_angle
from .local_dominance import local_dominance
from .local_relief import difference_from_mean_elevation, dme, local_relief, slrm
from .max_elevation_deviation import max_elevation_deviation
from .multi_hillshade import multi_hillshade
from .multi_scale_relief import msrm, multi_scale_relief
from .multi_scale_topographic_position import mstp, multi_scale_topographic_position
from .openness_negative import openness_negative
from .openness_positive import openness_positive
from .plan_curvature import plan_curvature
from .profile_curvature import profile_curvature
from .roughness import roughness
from .shadow import shadow
from .sky_illumination import sky_illumination
from .sky_view_factor import sky_view_factor, svf
from .slope import slope
from .terrain_ruggedness import terrain_ruggedness, tri
from .topographic_position import topographic_position, tpi

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
