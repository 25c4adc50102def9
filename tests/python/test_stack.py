"""Band maths, masks and statistics over time: the cells of the command line, NumPy's and xarray's numbers, lazy or not."""

import numpy as np
import pytest
import xarray as xr

import terralume as package
from conftest import SCENES, digest, digest_of_file, terralume

NDVI = "(nir - red) / (nir + red)"


@pytest.fixture(scope="module")
def scenes():
    """Red, near infrared and quality of the bundled scenes, opened lazily."""
    return package.open({"red": f"{SCENES}/*_B4.tif", "nir": f"{SCENES}/*_B5.tif", "qa": f"{SCENES}/*_BQA.tif"})


def random(seed, shape=(40, 50)):
    """Whole numbers like those of sensors; some are 0."""
    cells = np.random.default_rng(seed).integers(0, 4000, shape).astype("uint16")
    cells[..., :3, :] = 0
    return cells


def test_formulas_over_numpy_arrays():
    red, nir = random(1), random(2)
    result = package.calc({"red": red, "nir": nir}, NDVI)
    with np.errstate(invalid="ignore"):
        wide = (nir.astype(float) - red) / (nir.astype(float) + red)
    assert result.dtype == np.float32 and digest(result) == digest(wide.astype(np.float32))
    both = package.calc({"red": red, "nir": nir}, "sum = red + nir; more = max(red, nir)", dtype="uint16")
    assert both.dtype == np.uint16 and (both[0] == red + nir).all() and (both[1] == np.maximum(red, nir)).all()
    assert (package.calc(red, "X * 2") == red * 2).all()


def test_the_cells_of_the_command_line(scenes, tmp_path):
    inputs = [f"-ired={SCENES}/*_B4.tif", f"-inir={SCENES}/*_B5.tif", f"-iqa={SCENES}/*_BQA.tif"]
    terralume("reduce", *inputs, tmp_path / "s.tif", "--expr", NDVI, "--mask", "qa: bits 0|4", "--stat", "mean,median,count",
              "--group", "season")
    options = {"group": "season", "expression": NDVI, "mask": "qa: bits 0|4"}
    expected = digest_of_file(tmp_path / "s.tif")
    lazy = scenes.terralume.reduce("mean,median,count", **options)
    assert digest(lazy.values) == expected
    assert digest(scenes.compute().terralume.reduce(["mean", "median", "count"], **options).values) == expected
    assert digest(scenes.chunk({"y": 40, "x": 60}).terralume.reduce("mean,median,count", **options).values) == expected
    assert lazy.dims == ("band", "y", "x") and "DJF_mean" in lazy.band.values
    assert lazy.rio.crs == scenes.red.rio.crs and lazy.rio.transform() == scenes.red.rio.transform()


def test_seasons_are_those_of_xarray():
    times = np.array(["2018-01-05", "2018-02-05", "2018-04-05", "2018-07-09", "2018-12-30"], "datetime64[ns]")
    cube = np.random.default_rng(3).random((5, 30, 40))
    array = xr.DataArray(cube, {"time": times, "y": np.arange(30.0), "x": np.arange(40.0)}, ("time", "y", "x"), name="ndvi")
    mine = array.terralume.reduce("mean", group="season", dtype="float64")
    theirs = array.groupby("time.season").mean("time")
    for season in theirs.season.values:
        assert np.array_equal(theirs.sel(season=season), mine.sel(band=f"{season}_mean"))
    plain = package.reduce({"ndvi": cube}, "mean", group="season", dtype="float64", times=times)
    assert np.array_equal(plain, mine.values)


def test_masks_grow_across_chunks():
    cells = random(5, (60, 70)).astype("float32")
    array = xr.DataArray(cells, {"y": np.arange(60.0), "x": np.arange(70.0)}, ("y", "x"), name="band")
    whole = array.terralume.mask("band > 3980", dilate=3)
    assert 0 < int(whole.isnull().sum()) < whole.size
    for chunks in (20, {"y": 7, "x": 70}):
        assert digest(array.chunk(chunks).terralume.mask("band > 3980", dilate=3).values) == digest(whole)
    kept = array.terralume.mask("band > 3980", where_masked=0)
    assert not kept.isnull().any() and (kept.values[cells > 3980] == 0).all()


def test_each_date_by_itself(scenes):
    ndvi = scenes[["red", "nir"]].terralume.calc(NDVI)
    assert ndvi.dims == ("time", "y", "x") and ndvi.sizes["time"] == scenes.sizes["time"]
    one = scenes[["red", "nir"]].isel(time=2)
    assert digest(ndvi.isel(time=2).values) == digest(one.compute().terralume.calc(NDVI).values)


def test_variables_without_place_or_dates_may_come_first(scenes):
    expected = scenes[["red", "nir"]].compute().terralume.calc(NDVI)
    height = xr.ones_like(scenes.red.isel(time=0, drop=True).compute(), dtype="float64").drop_attrs(deep=False)
    with_others = xr.Dataset({"sensor": 8.0, "height": height, "red": scenes.red.compute(), "nir": scenes.nir.compute()})
    found = with_others.terralume.calc(f"height * {NDVI}")
    assert found.dims == ("time", "y", "x") and np.allclose(found, expected, equal_nan=True)
    assert found.rio.crs == scenes.red.rio.crs


@pytest.mark.parametrize("name", ["a", "ma", "X", None])
def test_the_name_of_an_array_is_a_word_of_the_formula_or_it_is_X(name):
    array = xr.DataArray(random(7).astype("float32"), dims=("y", "x"), name=name)
    assert digest(array.terralume.calc("max(X, 5)").values) == digest(np.maximum(array.values, 5))
    named = array.rename("red_2")
    assert digest(named.terralume.calc("max(red_2, 5)").values) == digest(np.maximum(array.values, 5))


def test_rescaling():
    cells = random(6)
    out = package.rescale(cells, scale=1e-4, source_nodata=0, dtype="float64")
    assert np.isnan(out[cells == 0]).all()
    assert np.array_equal(out[cells > 0], cells[cells > 0] * 1e-4)


def test_dates_come_from_names_or_the_caller(scenes):
    times = scenes.time.values
    assert (np.diff(times) >= np.timedelta64(0)).all()
    files = sorted(str(path) for path in SCENES.glob("*_B4.tif"))
    given = package.open(files[:2], dates=["2020-02-02", "2020-01-01"])
    assert [str(time)[:10] for time in given.time.values] == ["2020-01-01", "2020-02-02"]
    with pytest.raises(package.BadArgument, match="1 dates; allowed: as many"):
        package.open(files[:2], dates=["2020-02-02"])
    bands = package.open(files[:2], names=["a", "b"])
    assert list(bands.band.values) == ["a", "b"]
    total, (first, second) = bands.terralume.calc("a + b").values, bands.values.astype("float32")
    there = ~np.isnan(total)
    assert there.any() and np.array_equal(total[there], (first + second)[there])


def test_what_is_refused():
    for wrong, given, words in [
        ({"a": random(1)}, "a + b", "unknown input 'b'; allowed: a"),
        ({"a": random(1), "b": random(2, (3, 4))}, "a + b", "one size"),
        ({"a": random(1)}, "a +", "expression"),
    ]:
        with pytest.raises(package.BadArgument, match=words):
            package.calc(wrong, given)
    with pytest.raises(package.BadArray, match="holds no bands; allowed: "):
        package.calc([1, 2], "X")
    with pytest.raises(package.BadArray, match="complex128; allowed: "):
        package.calc(np.zeros((3, 3), complex), "X")
    with pytest.raises(package.BadArgument, match="3 dates, times has 1; allowed: as many"):
        package.reduce(np.zeros((3, 4, 4)), times=["2020-01-01"])


def test_chunks_of_another_size_are_refused_and_dates_come_together():
    red, nir = (xr.DataArray(random(seed, (3, 40, 60)), {"time": np.arange(3).astype("datetime64[D]")}, ("time", "y", "x"))
                for seed in (1, 2))
    both = {"red": red.chunk({"time": 1, "y": 20, "x": 30}), "nir": nir.chunk({"time": 2, "y": 20, "x": 30})}
    together = xr.Dataset({"red": red, "nir": nir}).terralume.reduce("mean", expression=NDVI)
    found = package.reduce(both, "mean", expression=NDVI)
    assert found.chunks[-2:] == ((20, 20), (30, 30)) and digest(found.compute()) == digest(together.values)
    with pytest.raises(package.BadArgument, match="'nir' has chunks of 10 x 30 cells, others of 20 x 30; allowed: one size"):
        package.reduce({**both, "nir": nir.chunk({"y": 10, "x": 30})}, "mean", expression=NDVI)
