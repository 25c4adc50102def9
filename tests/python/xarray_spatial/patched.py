"""A plugin of pytest: xarray-spatial's functions are ours while its own tests run.

Band indices are formulas, and pass whole. Slope, aspect and hillshade here take the four direct neighbours, theirs eight, so
tests that compare their numbers cannot pass; values at the edge, which theirs do not have, are taken away."""

import functools

import numpy as np
import xarray
import xrspatial
import xrspatial.multispectral

import terralume

#: Formulas of xarray-spatial's indices, by the names of its arguments.
INDICES = {
    "arvi": (("nir", "red", "blue"), "(nir - 2 * red + blue) / (nir + 2 * red + blue)"),
    "evi": (("nir", "red", "blue"), "{gain} * (nir - red) / (nir + {c1} * red - {c2} * blue + {soil_factor})"),
    "gci": (("nir", "green"), "nir / green - 1"),
    "nbr": (("nir", "swir2"), "(nir - swir2) / (nir + swir2)"),
    "nbr2": (("swir1", "swir2"), "(swir1 - swir2) / (swir1 + swir2)"),
    "ndmi": (("nir", "swir1"), "(nir - swir1) / (nir + swir1)"),
    "ndvi": (("nir", "red"), "(nir - red) / (nir + red)"),
    "savi": (("nir", "red"), "(nir - red) / ((nir + red + {soil_factor}) * (1 + {soil_factor}))"),
    "sipi": (("nir", "red", "blue"), "(nir - blue) / (nir - red)"),
    "ebbi": (("red", "swir", "tir"), "(swir - red) / (10 * sqrt(swir + tir))"),
}

#: Their defaults.
FACTORS = {"evi": {"c1": 6.0, "c2": 7.5, "soil_factor": 1.0, "gain": 2.5}, "savi": {"soil_factor": 1.0}}


def index(name):
    """One of xarray-spatial's indices as a formula of ours, with its arguments, checks and names."""
    bands, text = INDICES[name]
    theirs = getattr(xrspatial.multispectral, name)

    @functools.wraps(theirs)
    def ours(*arrays, name=name, **options):
        factors = {key: options.pop(key, value) for key, value in FACTORS.get(ours.__name__, {}).items()}
        arrays = list(arrays)
        if arrays and isinstance(arrays[0], xarray.Dataset):
            source = arrays.pop(0)
            chosen = {band: options.pop(band, None) for band in bands}
            if missing := [band for band, variable in chosen.items() if variable is None]:
                raise TypeError(f"'{missing[0]}' keyword required")
            if unknown := [variable for variable in chosen.values() if variable not in source]:
                raise ValueError(f"'{unknown[0]}' not in Dataset")
            given = {band: source[variable] for band, variable in chosen.items()}
        else:
            given = dict(zip(bands, arrays))
            given.update({band: options.pop(f"{band}_agg") for band in bands if f"{band}_agg" in options})
        if wrong := _wrong(factors):
            raise ValueError(wrong)
        first = given[bands[0]]
        result = terralume.calc(xarray.Dataset(given), text.format(**factors))
        return result.rename(name).assign_attrs(first.attrs)

    return ours


def _wrong(factors):
    """What xarray-spatial refuses before it computes."""
    for name, value in factors.items():
        if not isinstance(value, (int, float)):
            return f"{name} must be numeric"
    if not -1.0 <= factors.get("soil_factor", 0) <= 1.0:
        return "soil factor must be between [-1.0, 1.0]"
    if factors.get("gain", 0) < 0:
        return "gain must be greater than 0"
    return ""


def relief(name):
    """One of our operations with xarray-spatial's arguments."""

    def ours(agg, *arguments, name=name, **options):
        if options or (arguments and not isinstance(arguments[0], (int, str))):
            raise TypeError("an option of xarray-spatial only")
        if isinstance(agg, xarray.Dataset):
            return xarray.Dataset(
                {key: ours(array, name=key) for key, array in agg.items()}, coords=agg.coords, attrs=agg.attrs)
        has_size = "res" in agg.attrs or set(agg.dims) <= set(agg.coords)
        found = getattr(terralume, ours.operation)(agg, name=name, cell_size=None if has_size else 1)
        edge = np.ones(agg.shape, bool)
        edge[1:-1, 1:-1] = False
        return found.where(~edge)

    ours.operation = name
    return ours


def pytest_configure(config):
    """Before the tests import them."""
    for name in ("slope", "aspect", "hillshade"):
        setattr(xrspatial, name, relief(name))
    for name in INDICES:
        patched = index(name)
        setattr(xrspatial.multispectral, name, patched)
        setattr(xrspatial, name, patched)
