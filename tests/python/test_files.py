"""Files: runs of the library, plans, blocks, rasters and Zarr from arrays."""

import os
import subprocess
import threading
import time

import dask
import numpy as np
import pytest
import rasterio
import xarray as xr

import terralume
from conftest import DEM, digest, digest_of_file


def test_runs_hear_and_say_how_far_they_are(tmp_path, capsys):
    heard = []
    terralume.run("svf", DEM, tmp_path / "a.tif", {"radius": 5}, progress=lambda share, stage: heard.append((share, stage)))
    assert heard[-1] == (1.0, "done") and [share for share, _ in heard] == sorted(share for share, _ in heard)
    terralume.run("svf", DEM, tmp_path / "a.tif", {"radius": 5}, overwrite=True, progress=True)
    assert "100%" in capsys.readouterr().err
    with pytest.raises(terralume.Cancelled):
        terralume.run("svf", DEM, tmp_path / "b.tif", progress=lambda share, stage: False)
    assert os.listdir(tmp_path) == ["a.tif"]


def test_progress_without_tqdm(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    terralume.run("slope", DEM, tmp_path / "a.tif", progress=True)
    assert "terralume: 100 % done" in capsys.readouterr().err


def test_plans_say_tiles_memory_and_tasks():
    plan = terralume.plan("svf", DEM, {"radius": 20}, memory="128M", threads=1, dtype="uint8")
    assert plan["radius"] == 20 and plan["threads"] == 1 and plan["memory"] <= 128 << 20
    assert plan["output_bytes"] == 1_000_000 and plan["tasks"] == 1 and plan["overlap"] >= 1
    program = terralume.plan(terralume.program("calc", expr="z * 2"), {"z": DEM}, memory="200M", threads=1)
    assert (program["rows"], program["bands"], program["tasks"], program["halo"]) == (1000, ["result"], 1, 0)
    with pytest.raises(terralume.TooLarge, match="allowed: at least"):
        terralume.plan("svf", DEM, memory="1M")


@pytest.mark.parametrize("driver", ["GTiff", "COG"])
def test_rasters_from_every_kind_of_array(tmp_path, driver):
    opened = terralume.open(DEM, chunks=300)
    expected = digest(terralume.render(opened.compute(), "vat-combined", dtype="uint8").values)
    made = {}
    for name, array in (("file", opened), ("array", opened + 0), ("memory", opened.compute())):
        picture = array.terralume.render("vat-combined", dtype="uint8")
        path = str(tmp_path / f"{name}.tif")
        assert picture.terralume.to_raster(path, driver=driver) == path
        made[name] = path
        delayed = picture.terralume.to_raster(str(tmp_path / f"{name}2.tif"), driver=driver, compute=False)
        if name != "memory":
            assert not os.path.exists(tmp_path / f"{name}2.tif")
            delayed.compute()
        assert digest_of_file(tmp_path / f"{name}2.tif") == expected
    for path in made.values():
        assert digest_of_file(path) == expected
        with rasterio.open(path) as dataset, rasterio.open(DEM) as dem:
            assert (dataset.transform, dataset.crs, dataset.nodata) == (dem.transform, dem.crs, 0)
            assert dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == ("COG" if driver == "COG" else None)
    assert sorted(os.listdir(tmp_path)) == sorted(f"{name}{n}.tif" for name in made for n in ("", "2"))
    with pytest.raises(terralume.WriteFailed, match="exists; allowed: "):
        opened.terralume.slope().terralume.to_raster(made["file"])


@pytest.mark.parametrize("scheduler", ["threads", "cluster"])
def test_lazy_arrays_say_how_far_they_are(request, tmp_path, scheduler):
    client = request.getfixturevalue("cluster") if scheduler == "cluster" else None
    heard = []
    array = terralume.open(DEM, chunks=125) + 0
    with dask.config.set(scheduler=client or "threads"):
        array.terralume.to_raster(tmp_path / "out.tif", progress=lambda share, stage: heard.append((share, stage)))
        shares = [share for share, _ in heard]
        assert shares == sorted(shares) and shares[0] == 0 and heard[-1] == (1.0, "done")
        assert any(0 < share < 0.9 for share in shares), heard
        with pytest.raises(terralume.Cancelled):
            array.terralume.to_raster(tmp_path / "no.tif", progress=lambda share, stage: share < 0.3)
    assert digest_of_file(tmp_path / "out.tif") == digest(array.values)
    # A worker may be at a tile whose folder has gone.
    assert os.listdir(tmp_path) == ["out.tif"]


def test_blocks_say_how_far_they_are(heights):
    for source in (DEM, heights):
        heard = []
        hear = lambda *told, heard=heard: heard.append(told)  # noqa: E731
        terralume.blocks(source, lambda block: time.sleep(0.02), size=100, workers=2, progress=hear)
        shares = [share for share, _ in heard]
        assert shares == sorted(shares) and heard[-1] == (1.0, "done") and any(0.1 < share < 0.9 for share in shares), heard


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_lazy_array_that_fails_leaves_no_folder(tmp_path, error):
    def fail(cells, block_info=None):
        if block_info[0]["chunk-location"] == (2, 2):
            raise error("mine")
        return cells

    opened = terralume.open(DEM, chunks=250)
    failing = opened.copy(data=opened.data.map_blocks(fail, dtype=opened.dtype, meta=np.empty((0, 0), opened.dtype)))
    # Here, whatever cluster other tests have begun: its workers would die of a KeyboardInterrupt.
    with dask.config.set(scheduler="threads"), pytest.raises(error):
        failing.terralume.to_raster(tmp_path / "out.tif")
    with pytest.raises(terralume.Cancelled):
        (opened + 0).terralume.to_raster(tmp_path / "out.tif", progress=lambda share, stage: False)
    assert os.listdir(tmp_path) == []
    # Delayed twice, it is written twice.
    later = (opened + 0).terralume.to_raster(tmp_path / "out.tif", compute=False)
    assert later.compute() == later.compute() and os.listdir(tmp_path) == ["out.tif"]


def test_a_reference_system_that_was_set_is_written(tmp_path):
    slope = terralume.open(DEM, chunks=500).terralume.slope()
    slope.rio.write_crs("EPSG:3035").terralume.to_raster(tmp_path / "set.tif")
    slope.terralume.to_raster(tmp_path / "own.tif")
    with rasterio.open(tmp_path / "set.tif") as dataset, rasterio.open(tmp_path / "own.tif") as own, rasterio.open(DEM) as dem:
        assert dataset.crs.to_epsg() == 3035 and own.crs == dem.crs
        assert digest(dataset.read(1)) == digest(own.read(1))


def test_options_that_would_not_be_heard_are_refused(tmp_path):
    slope = terralume.open(DEM, chunks=500).terralume.slope()
    slope.terralume.to_raster(tmp_path / "file.tif", threads=1, overviews=True)
    with pytest.raises(terralume.BadArgument, match="threads, overviews = .*allowed: co"):
        (slope + 0).terralume.to_raster(tmp_path / "array.tif", threads=1, overviews=True, co=["COMPRESS=LZW"])
    assert os.listdir(tmp_path) == ["file.tif"]


@pytest.mark.parametrize("dtype", ["bool", "float16", "complex64"])
def test_types_that_rasters_do_not_have_are_refused_at_the_start(tmp_path, dtype):
    opened = terralume.open(DEM, chunks=500)
    for array in (opened.astype(dtype), opened.compute().astype(dtype)):
        with pytest.raises(terralume.BadArray, match=f"{dtype}; allowed: uint8, "):
            array.terralume.to_raster(tmp_path / "out.tif", compute=False)
    assert os.listdir(tmp_path) == []


def test_names_of_bands_and_dates_are_written(tmp_path):
    times = np.array(["2020-01-01", "2020-02-01"], "datetime64[ns]")
    array = xr.DataArray(np.zeros((2, 20, 30), "int16"), {"time": times, "y": -np.arange(20.0), "x": np.arange(30.0)},
                         ("time", "y", "x"), attrs={"_FillValue": -1})
    array.terralume.to_raster(tmp_path / "times.tif")
    with rasterio.open(tmp_path / "times.tif") as dataset:
        assert dataset.descriptions == ("2020-01-01T00:00:00", "2020-02-01T00:00:00") and dataset.nodata == -1


def test_zarr_has_the_chunks_of_the_array_and_gdal_reads_it(tmp_path):
    lazy = terralume.open(DEM, chunks=256).terralume.svf()
    lazy.terralume.to_zarr(tmp_path / "svf.zarr")
    again = xr.open_zarr(tmp_path / "svf.zarr")
    assert digest(again.svf.values) == digest(lazy.values) and again.svf.encoding["chunks"] == (256, 256)
    said = subprocess.run(
        ["gdalinfo", f'ZARR:"{tmp_path}/svf.zarr":/svf'], capture_output=True, text=True, check=True).stdout
    assert "Size is 1000, 1000" in said and "Block=256x256" in said and "NoData Value=nan" in said
    with pytest.raises(terralume.WriteFailed, match="exists; allowed: "):
        lazy.terralume.to_zarr(tmp_path / "svf.zarr")
    with pytest.raises(terralume.BadArgument, match="equal ones"):
        lazy.chunk({"x": (100, 300, 600)}).terralume.to_zarr(tmp_path / "b.zarr")


def test_blocks_of_files_and_arrays(heights):
    corners = [(row, col) for row in range(0, 1000, 300) for col in range(0, 1000, 300)]
    sums = [heights[row:row + 300, col:col + 300].astype(float).sum() for row, col in corners]
    add = lambda block: block.inner.sum()  # noqa: E731
    for source in (DEM, heights, terralume.open(DEM).compute()):
        assert np.allclose(terralume.blocks(source, add, size=300), sums, rtol=1e-12)
        assert np.allclose(terralume.blocks(source, add, size=300, halo=7, workers=3), sums, rtol=1e-12)
        shapes = terralume.blocks(source, lambda block: (block.number, block.row, block.col, block.cells.shape), 512, 2)
        assert shapes == [
            (0, 0, 0, (516, 516)), (1, 0, 512, (516, 492)), (2, 512, 0, (492, 516)), (3, 512, 512, (492, 492))]
        edges = terralume.blocks(source, lambda block: int(np.isnan(block.cells).sum()), 1000, 1)
        assert edges == [1002 * 1002 - 1000 * 1000]


def test_what_a_function_of_blocks_raises_is_raised(heights):
    calls = []

    def fail(block):
        calls.append(threading.get_ident())
        raise KeyError("mine")

    for source in (DEM, heights):
        calls.clear()
        with pytest.raises(KeyError, match="mine"):
            terralume.blocks(source, fail, size=50, workers=2)
        assert len(calls) < 400


def test_large_results_are_refused_with_their_size():
    import dask.array

    large = xr.DataArray(dask.array.zeros((60_000, 50_000), dtype="float32"), dims=("y", "x"))
    with pytest.raises(terralume.TooLarge, match=r"takes 11.2 GiB.*allowed: 2.0 GiB"):
        large.terralume.compute(limit="2GiB")
    assert large[:10, :10].terralume.compute(limit=1000).shape == (10, 10)


def test_a_list_of_files_on_other_grids_is_refused(tmp_path):
    subprocess.run(["gdal_translate", "-q", "-srcwin", "1", "0", "999", "1000", DEM, tmp_path / "shifted.tif"], check=True)
    with pytest.raises(terralume.BadArgument, match="shifted.tif.*another grid.*allowed: one grid"):
        terralume.open([DEM, tmp_path / "shifted.tif"], names=["a", "b"])
