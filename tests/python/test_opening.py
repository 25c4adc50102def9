"""What `terralume.open` gives: names of bands, dates, masks; and that what it gives stays with its files."""

import dask
import numpy as np
import pytest
import rasterio
import xarray as xr

import terralume as package
from conftest import SCENES, digest, digest_of_file, terralume
from terralume import attached

NDVI = "(nir - red) / (nir + red)"
INPUTS = {"red": f"{SCENES}/*_B4.tif", "nir": f"{SCENES}/*_B5.tif", "qa": f"{SCENES}/*_BQA.tif"}


def one_date(band):
    """The first scene of a band."""
    return sorted(SCENES.glob(f"*_{band}.tif"))[0]


@pytest.fixture(autouse=True)
def here():
    """In this process, whatever cluster other tests have begun."""
    with dask.config.set(scheduler="threads"):
        yield


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """Four bands in one file, written by rasterio."""
    path = tmp_path_factory.mktemp("bands") / "four_20180428.tif"
    with rasterio.open(one_date("B4")) as red, rasterio.open(one_date("B5")) as nir:
        bands = [red.read(1) + 1, red.read(1) + 2, red.read(1), nir.read(1)]
        with rasterio.open(path, "w", **{**red.profile, "count": 4, "driver": "GTiff"}) as dataset:
            dataset.write(np.stack(bands))
    return path


def test_sensors_name_bands(four, tmp_path):
    opened = package.open(four, sensor="PS")
    assert list(opened.band.values) == ["blue", "green", "red", "nir"] and opened.dims == ("band", "y", "x")
    with rasterio.open(four) as dataset:
        assert np.array_equal(opened.values, dataset.read())
    terralume("calc", NDVI, "-i", f"all={four}", "--sensor", "ps", tmp_path / "ndvi.tif")
    assert digest(opened.terralume.calc(NDVI).values) == digest_of_file(tmp_path / "ndvi.tif")
    assert list(package.open(four, names=["a", "b", "c", "d"]).band.values) == ["a", "b", "c", "d"]
    image = package.open([one_date("B2"), one_date("B3"), one_date("B4")] if list(SCENES.glob("*_B2.tif")) else
                         [one_date("B4"), one_date("B5"), one_date("BQA")], sensor="rgb")
    assert list(image.band.values) == ["red", "green", "blue"]


def test_files_of_several_bands_keep_dates_and_bands(four):
    opened = package.open([four, four], sensor="bgrn", dates=["2020-03-01", "2019-03-01"], chunks=20)
    assert opened.dims == ("time", "band", "y", "x") and opened.sizes["time"] == 2
    assert [str(time)[:4] for time in opened.time.values] == ["2019", "2020"]
    means = opened.terralume.reduce("mean", expression=NDVI)
    assert digest(means.values) == digest(opened.compute().terralume.reduce("mean", expression=NDVI).values)
    assert package.open([four, four], dates=["2020-03-01", "2019-03-01"], band=4).dims == ("time", "y", "x")


def test_a_dictionary_takes_the_band_of_each_file(four):
    opened = package.open({"a": four, "b": four}, band=4)
    with rasterio.open(four) as dataset:
        assert np.array_equal(opened.a.values, dataset.read(4)) and opened.a.dims == ("y", "x")


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("four", {"sensor": "spot"}, "sensor = 'spot'; allowed: bgr, rgb, "),
        ("four", {"sensor": "l8"}, "4 bands and 8 names: coastal, .*allowed: as many"),
        ("four", {"sensor": "ps", "names": ["a"]}, "allowed: one of them"),
        ("four", {"sensor": "ps", "band": 2}, "band = 2 and sensor = 'ps'; allowed: "),
        ("four", {"names": ["a", "b"]}, "4 bands and 2 names.*allowed: as many"),
        ("four", {"band": 5}, "no band 5; allowed: 1 to 4"),
        ("both", {"sensor": "ps"}, "dictionary.*allowed: one of them"),
        ("both", {"names": ["a", "b"]}, "dictionary.*allowed: one of them"),
        ("both", {"mask": "cloud > 1"}, "cloud.*allowed: "),
        ("place", {}, "a band called 'x', as a coordinate is; allowed: "),
        ("mixed", {}, "has 1 bands, .* 4; allowed: as many, or band="),
        ("none", {}, "an empty list of files; allowed: at least one"),
    ],
)
def test_what_is_refused(four, source, options, words):
    sources = {"place": {"x": four}, "four": four, "both": {"a": four, "b": four}, "mixed": [four, one_date("B4")], "none": []}
    with pytest.raises(package.BadArgument, match=words):
        package.open(sources[source], **options)


def test_masks_are_those_of_the_command_line(tmp_path):
    masked = package.open(INPUTS, mask="qa: bits 0|4", chunks=20)
    assert set(masked) == {"red", "nir"} and masked.red.dtype == np.uint16
    assert isinstance(attached.origin_of(masked.red.data), attached.Result)
    folder = tmp_path / "native"
    folder.mkdir()
    terralume("mask", "-i", f"red={INPUTS['red']}", "-i", f"qa={INPUTS['qa']}", "--mask", "qa: bits 0|4", "--by", "time", folder)
    found = {path.name: path for path in folder.iterdir()}
    assert len(found) == masked.sizes["time"]
    expected = sorted(digest_of_file(path) for path in found.values())
    assert sorted(digest(masked.red.isel(time=number).values[None]) for number in range(masked.sizes["time"])) == expected
    # Lazily or not, and with the mask in the reduction.
    inputs = [f"-i{name}={files}" for name, files in INPUTS.items()]
    terralume("reduce", *inputs, tmp_path / "s.tif", "--expr", NDVI, "--mask", "qa: bits 0|4", "--stat", "mean,count")
    reduced = masked.terralume.reduce("mean,count", expression=NDVI)
    assert digest(reduced.values) == digest_of_file(tmp_path / "s.tif")
    assert digest(package.open(INPUTS, mask="qa: bits 0|4", chunks=None).red.values) == digest(masked.red.values)


def test_masks_of_one_file():
    path = one_date("B4")
    with rasterio.open(path) as dataset:
        cells = dataset.read(1)
    some = int(np.median(cells))
    masked = package.open(path, mask=f"X > {some}", chunks=20)
    assert masked.dims == ("y", "x") and masked.rio.crs is not None
    kept = cells <= some
    assert np.array_equal(masked.values[kept], cells[kept])
    missing = masked.rio.nodata
    assert (masked.values[~kept] == missing).all()


def test_programs_stay_with_their_files():
    """One task for a chunk, whatever follows what, and the cells of arrays that have lost their files."""
    opened = package.open(INPUTS, chunks=20)
    count = len(opened.red.chunks[-2]) * len(opened.red.chunks[-1])
    masked = package.open(INPUTS, chunks=20, mask="qa: bits 0|4")
    ndvi = masked.terralume.calc(NDVI)
    made = {
        "reduce": opened.terralume.reduce("median,count", group="month", expression=NDVI, mask="qa: bits 0|4", dilate=2),
        "mask, calc, reduce": ndvi.terralume.reduce("mean"),
        "calc": ndvi,
        "relief": ndvi.terralume.reduce("mean").terralume.slope(cell_size=30.0),
        "rendered": ndvi.terralume.reduce("max").terralume.render("vat", dtype="uint8", cell_size=30.0),
    }
    lost = {name: array.copy(data=array.data.copy() + 0) for name, array in opened.items()}
    apart = xr.Dataset(lost)
    qa = {"mask": "qa: bits 0|4"}
    pieces = {name: apart[[name, "qa"]].terralume.mask(qa["mask"]).rename(name) for name in ("red", "nir")}
    other = xr.Dataset(pieces).terralume.calc(NDVI)
    expected = {
        "reduce": apart.terralume.reduce("median,count", group="month", expression=NDVI, dilate=2, **qa),
        "mask, calc, reduce": other.terralume.reduce("mean"),
        "calc": other,
        "relief": other.terralume.reduce("mean").compute().terralume.slope(cell_size=30.0),
        "rendered": other.terralume.reduce("max").compute().terralume.render("vat", dtype="uint8", cell_size=30.0),
    }
    for name, array in made.items():
        tasks = count * (array.sizes["time"] if "time" in array.dims else 1)
        (optimized,) = dask.optimize(array.data)
        assert len(dict(optimized.__dask_graph__())) <= tasks + 1, name
        assert digest(array.values) == digest(expected[name].values), name
        assert array.dims == expected[name].dims and array.rio.crs == opened.red.rio.crs


def test_what_no_longer_is_in_the_files_is_computed_from_the_array():
    opened = package.open(INPUTS, chunks=20)
    for changed in (opened.assign_coords(time=opened.time[::-1]), opened.map(lambda array: array + 0, keep_attrs=True)):
        result = changed.terralume.reduce("first", expression=NDVI)
        assert attached.origin_of(result.data) is None
        assert digest(result.values) == digest(changed.compute().terralume.reduce("first", expression=NDVI).values)
    other = opened.assign(red=opened.red.assign_attrs(_FillValue=7))
    assert attached.origin_of(other.terralume.reduce("mean", expression=NDVI).data) is None
