"""DataArrays: what they say of missing cells and sizes, and what comes out with the result."""

import numpy as np
import pytest
import rioxarray
import xarray as xr

import terralume
from conftest import DEM, digest
from terralume import georeference


@pytest.fixture
def plain(heights):
    """A small array with coordinates and nothing else."""
    rows, cols = 60, 80
    coords = {"y": 1000 - 0.5 * np.arange(rows), "x": 0.5 * np.arange(cols)}
    return xr.DataArray(heights[:rows, :cols], coords, ("y", "x"), name="dem", attrs={"units": "m", "source": "survey"})


def test_coordinates_dimensions_and_attributes_stay(plain):
    result = terralume.slope(plain.assign_coords(zone=7))
    assert result.name == "slope" and result.dims == plain.dims and result.dtype == np.float32
    assert result.coords["zone"] == 7 and result.x.values.tolist() == plain.x.values.tolist()
    assert result.attrs == {"units": "degree", "source": "survey"}
    assert digest(result) == digest(terralume.slope(plain.values, cell_size=0.5))
    assert plain.terralume.svf(radius=5, name="sky").name == "sky"
    assert terralume.svf(plain, name=None).name is None


def test_the_size_of_cells_comes_from_what_is_nearest(plain):
    size = lambda array, given=None: georeference.grid_of(array, given)[:2]  # noqa: E731
    assert size(plain) == (0.5, 0.5)
    assert size(plain.assign_attrs(res=(2.0, 3.0))) == (2.0, 3.0)
    assert size(plain.assign_attrs(res=2)) == (2.0, 2.0)
    metre = rioxarray.open_rasterio(DEM).rio.transform()
    placed = plain.assign_attrs(res=(2.0, 3.0)).drop_vars(["x", "y"]).rio.write_transform(metre)
    assert size(placed) == (1.0, 1.0)
    stale = plain.rio.write_transform(plain.rio.transform())
    assert size(stale) == (0.5, 0.5) and size(stale[::2, ::2]) == (1.0, 1.0)
    assert size(placed, 4) == (4.0, 4.0) and size(placed, (4, 5)) == (4.0, 5.0)


def test_missing_cells_are_known_by_what_is_nearest(plain):
    nodata = georeference.nodata_of
    assert np.isnan(nodata(plain, None))
    assert nodata(plain.assign_attrs(nodatavals=(-1.0, -2.0)), None) == -1
    assert nodata(plain.assign_attrs(nodatavals=(-1.0,), _FillValue=-9.0), None) == -9
    assert nodata(plain.assign_attrs(_FillValue=-9.0).rio.write_nodata(-8.0), None) == -8
    masked = plain.rio.write_nodata(-8.0, encoded=True)
    assert np.isnan(nodata(masked, None)) and nodata(masked, -3) == -3


def test_what_was_true_of_heights_only_goes(plain):
    given = plain.assign_attrs(_FillValue=-9999.0, nodatavals=(-9999.0,), scale_factor=1.0, STATISTICS_MEAN=4.0)
    given = given.where(given.x > 1, -9999.0)
    result = terralume.slope(given)
    assert np.isnan(result.attrs["_FillValue"]) and np.isnan(result.attrs["nodatavals"][0])
    assert "scale_factor" not in result.attrs and "STATISTICS_MEAN" not in result.attrs
    assert int(result.isnull().sum()) > 0
    picture = terralume.slope(given, dtype="uint8")
    assert picture.attrs["_FillValue"] == 0 and picture.rio.nodata == 0
    assert digest((picture == 0).values) == digest(result.isnull().values)


def test_rows_from_south_to_north(plain):
    turned = plain.isel(y=slice(None, None, -1))
    assert digest(terralume.hillshade(turned).isel(y=slice(None, None, -1))) == digest(terralume.hillshade(plain))


def test_bands_come_first(plain):
    result = plain.terralume.multi_hillshade(directions=8)
    assert result.dims == ("band", "y", "x") and result.sizes["band"] == 8
    assert list(result.band.values) == list(range(1, 9)) and len(result.attrs["long_name"]) == 8
    with_band = plain.expand_dims(band=[1])
    assert terralume.slope(with_band).dims == ("y", "x")


def test_datasets_keep_their_variables(plain):
    both = xr.Dataset({"a": plain, "b": plain * 2, "c": 3})
    result = both.terralume.slope()
    assert list(result) == ["a", "b", "c"]
    assert digest(result.a) == digest(terralume.slope(plain)) and result.c == 3


def test_the_system_of_reference_stays(plain):
    opened = rioxarray.open_rasterio(DEM).squeeze("band", drop=True)
    assert terralume.svf(opened).rio.crs == opened.rio.crs
    degrees = plain.rio.write_crs("EPSG:4326")
    with pytest.raises(terralume.Unsupported, match="degrees.*allowed: "):
        terralume.slope(degrees)
    assert terralume.slope(degrees, cell_size=0.5).rio.crs.to_epsg() == 4326
