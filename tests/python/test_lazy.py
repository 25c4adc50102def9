"""Lazy arrays: of files and of anything else, the same cells from few tasks; and when an array is still its file."""

import gc

import dask.array
import numpy as np
import pytest
import rasterio

import terralume as package
from conftest import DEM, digest, digest_of_file, terralume
from terralume import sources


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Hashes of what the command line writes."""
    folder = tmp_path_factory.mktemp("native")
    hashes = {}
    for name in ("slope", "svf", "multi_hillshade"):
        terralume("visualize", name, DEM, folder / "out.tif", "--overwrite")
        hashes[name] = digest_of_file(folder / "out.tif")
    terralume("render", "vat-combined", DEM, folder / "vat.tif", "--type", "uint8")
    return {**hashes, "vat-combined": digest_of_file(folder / "vat.tif")}


def forms(chunks):
    """The same heights as a file, as a dask array, and in memory."""
    opened = package.open(DEM, chunks=chunks)
    return {"file": opened, "array": opened + 0, "memory": opened.compute()}


@pytest.mark.parametrize("chunks", [256, 500, 512, 1000, (300, 700)])
def test_all_forms_and_chunks_give_the_cells_of_the_command_line(expected, chunks):
    for form, array in forms(chunks).items():
        for name in ("slope", "svf", "multi_hillshade"):
            assert digest(getattr(array.terralume, name)().values) == expected[name], (form, name)
        picture = array.terralume.render("vat-combined", dtype="uint8")
        assert picture.name == "vat-combined" and digest(picture.values) == expected["vat-combined"], form


def test_an_array_of_a_file_has_a_task_for_a_chunk():
    opened = package.open(DEM, chunks=256)
    assert len(opened.terralume.svf().__dask_graph__()) == 16
    assert len(opened.terralume.multi_hillshade().__dask_graph__()) == 16
    chain = opened.terralume.slope().terralume.svf().terralume.local_relief()
    assert len(chain.__dask_graph__()) == 16
    step_by_step = package.local_relief(package.svf(package.slope(opened.compute())))
    assert digest(chain.values) == digest(step_by_step)
    assert digest((opened + 0).terralume.slope().terralume.svf().terralume.local_relief().values) == digest(step_by_step)


def test_an_array_is_a_file_until_its_cells_change():
    opened = package.open(DEM, chunks=256)
    known = lambda array: sources.record_of(array.data) is not None  # noqa: E731
    for same in (opened.rename("z"), opened.assign_attrs(a=1), opened.assign_coords(x=opened.x + 1), opened[:, :], opened.copy()):
        assert known(same)
    for other in (opened + 0, opened[:500], opened.astype("float64"), opened.where(opened > 0), opened.chunk(512), opened.T):
        assert not known(other)
    name = opened.terralume.slope().data.name
    gc.collect()
    assert name not in sources._records


def test_another_nodata_value_than_the_files_own(heights):
    value = float(heights[10, 10])
    opened = package.open(DEM, chunks=500)
    gaps = np.where(heights == value, np.float32("nan"), heights)
    for array in (opened, opened + 0):
        assert digest(array.terralume.slope(nodata=value).values) == digest(package.slope(gaps))


def test_another_size_of_cells_or_place_than_the_files_own(heights, tmp_path):
    opened = package.open(DEM, chunks=500)
    expected = digest(package.slope(heights, cell_size=3))
    moved = opened.drop_vars("spatial_ref").assign_coords(x=opened.x * 3, y=opened.y * 3)
    assert digest(opened.terralume.slope(cell_size=3).values) == digest(moved.terralume.slope().values) == expected
    shifted = opened.terralume.slope().assign_coords(x=opened.x + 1000)
    shifted.rio.write_transform(shifted.rio.transform(recalc=True)).terralume.to_raster(tmp_path / "moved.tif")
    with rasterio.open(tmp_path / "moved.tif") as dataset, rasterio.open(DEM) as dem:
        assert dataset.transform.c == dem.transform.c + 1000
        assert digest(dataset.read(1)) == digest(package.slope(heights))


def test_one_row_of_chunks_needs_no_neighbours(heights):
    wide = dask.array.from_array(heights[:40], chunks=(40, 250))
    assert digest(package.local_relief(wide).compute()) == digest(package.local_relief(heights[:40]))


def test_whole_rasters_are_not_chunks(heights):
    lazy = dask.array.from_array(heights, chunks=500)
    with pytest.raises(package.Unsupported, match="whole raster.*allowed: "):
        package.slope(lazy, dtype="uint8", stretch="percent:2,2")


def test_chunks_smaller_than_the_radius_are_refused_with_a_size_that_will_do(heights):
    lazy = dask.array.from_array(heights[:160, :160], chunks=16)
    with pytest.raises(package.ChunkTooSmall, match=r"16 rows, and 24 are needed.*rechunk\(\{0: 160\}\)"):
        package.svf(lazy, radius=24)
    assert digest(package.svf(lazy.rechunk({0: 160, 1: 160}), radius=24).compute()) == digest(
        package.svf(heights[:160, :160], radius=24))


def test_default_chunks_are_whole_blocks(tmp_path):
    terralume("visualize", "slope", DEM, tmp_path / "tiled.tif", "--co", "BLOCKXSIZE=256", "--co", "BLOCKYSIZE=256")
    assert package.open(tmp_path / "tiled.tif").chunks == ((1000,), (1000,))
    from terralume.lazy import _whole_blocks

    assert [_whole_blocks(256, length) for length in (200, 5000, 86_000)] == [200, 2560, 2048]


@pytest.mark.parametrize("name", ["sky_illumination", "shadow", "horizon_angle"])
def test_what_looks_far_finds_its_coarser_cells(heights, name):
    function, whole = getattr(package, name), digest(getattr(package, name)(heights))
    for chunks in (300, 333):
        assert digest(function(package.open(DEM, chunks=chunks)).values) == whole


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float64", "int32"])
def test_files_of_other_types(heights, tmp_path, dtype):
    cells = np.round(heights - 200).astype(dtype)
    cells[100:120, 300:350] = 7
    with rasterio.open(DEM) as dem:
        profile = {**dem.profile, "dtype": dtype, "nodata": 7}
    with rasterio.open(tmp_path / "in.tif", "w", **profile) as file:
        file.write(cells, 1)
    terralume("visualize", "svf", tmp_path / "in.tif", tmp_path / "out.tif")
    opened = package.open(tmp_path / "in.tif", chunks=400)
    for array in (opened, opened + 0, opened.compute()):
        assert digest(array.terralume.svf().values) == digest_of_file(tmp_path / "out.tif")
    terralume("visualize", "svf", tmp_path / "in.tif", tmp_path / "other.tif", "--nodata", "9")
    assert digest(opened.terralume.svf(nodata=9).values) == digest_of_file(tmp_path / "other.tif")


def test_scale_and_offset_of_a_file_are_heights(heights, tmp_path):
    with rasterio.open(DEM) as dem, rasterio.open(
        tmp_path / "in.tif", "w", **{**dem.profile, "dtype": "int16", "nodata": None}) as file:
        file.write(np.round(heights * 10).astype("int16"), 1)
        file.scales, file.offsets = [0.1], [5.0]
    terralume("visualize", "slope", tmp_path / "in.tif", tmp_path / "out.tif")
    lazy = package.open(tmp_path / "in.tif", chunks=400).terralume.slope()
    assert digest(lazy.values) == digest_of_file(tmp_path / "out.tif")
    assert abs(float(lazy.mean()) - float(np.nanmean(package.slope(heights)))) < 1


def test_each_band_has_a_nodata_value_of_its_own(heights, tmp_path):
    cells = np.round(heights - 200).astype("int16")
    cells[:20], cells[40:60] = 7, 9
    with rasterio.open(DEM) as dem, rasterio.open(
        tmp_path / "one.tif", "w", **{**dem.profile, "dtype": "int16", "nodata": 9}) as file:
        file.write(cells, 1)
    bands = "".join(
        f"<VRTRasterBand dataType='Int16' band='{number}'><NoDataValue>{nodata}</NoDataValue><SimpleSource>"
        "<SourceFilename relativeToVRT='1'>one.tif</SourceFilename></SimpleSource></VRTRasterBand>"
        for number, nodata in ((1, 7), (2, 9)))
    (tmp_path / "two.vrt").write_text(
        f"<VRTDataset rasterXSize='1000' rasterYSize='1000'><GeoTransform>0,1,0,0,0,-1</GeoTransform>{bands}</VRTDataset>")
    opened = package.open(tmp_path / "two.vrt", chunks=400, band=2)
    assert opened.dtype == np.int16 and opened.attrs["_FillValue"] == 9
    expected = digest(package.open(tmp_path / "one.tif", chunks=400).terralume.slope().values)
    assert digest(opened.terralume.slope().values) == digest((opened + 0).terralume.slope().values) == expected
    both = package.open(tmp_path / "two.vrt", chunks=400)
    assert digest(both.values[1]) == digest(cells)
