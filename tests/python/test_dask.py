"""Runs on a cluster: the same cells as the command line, whatever dies on the way, and never two processes in a file."""

import json
import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import rasterio
import xarray as xr

import terralume as package
from conftest import DEM, ROOT, SCENES, digest, digest_of_file, terralume


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Hash of the command line's picture."""
    path = tmp_path_factory.mktemp("native") / "vat.tif"
    terralume("render", "vat-combined", DEM, path, "--type", "uint8")
    return digest_of_file(path)


def block_of(source):
    """Makes a file of blocks of 256 cells and says where the last one begins."""
    options = ["-co", "TILED=YES", "-co", "BLOCKXSIZE=256", "-co", "BLOCKYSIZE=256", "-co", "COMPRESS=DEFLATE"]
    subprocess.run(["gdal_translate", "-q", *options, DEM, source], check=True)
    with rasterio.open(source) as dataset:
        return int(dataset.get_tag_item("BLOCK_OFFSET_3_3", "TIFF", bidx=1))


def destroy(source, place):
    """Makes a block of a file unreadable."""
    with open(source, "r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 64)


def run(client, path, **options):
    """VAT combined in bytes."""
    return package.dask.run("vat-combined", DEM, path, dtype="uint8", client=client, **options)


@pytest.mark.parametrize("side", [256, 512, 1000])
@pytest.mark.parametrize("ending", ["vrt", "tif", "zarr"])
def test_every_form_and_size_gives_the_cells_of_the_command_line(cluster, expected, tmp_path, side, ending):
    if ending == "zarr" and side % 512:
        with pytest.raises(package.BadArgument, match="a multiple of 512, the chunks of Zarr"):
            run(cluster, tmp_path / "out.zarr", supertile=side)
        return
    path = tmp_path / f"out.{ending}"
    report = run(cluster, path, supertile=side)
    assert report.computed == report.tiles == (-(-1000 // side)) ** 2 and not report.failed
    if ending == "zarr":
        assert digest(xr.open_zarr(path, mask_and_scale=False).result.values) == expected
    else:
        assert digest_of_file(path) == expected
        with rasterio.open(path) as dataset, rasterio.open(DEM) as dem:
            assert dataset.nodata == 0 and dataset.crs == dem.crs and dataset.transform == dem.transform


def test_two_processes_and_one_give_the_same_lazy_cells(cluster, expected):
    import dask

    opened = package.open(DEM, chunks=256)
    for array in (opened, opened + 0):
        picture = array.terralume.render("vat-combined", dtype="uint8")
        assert digest(cluster.compute(picture.data).result()) == expected
        with dask.config.set(scheduler="sync"):
            assert digest(picture.data.compute()) == expected


def test_gdal_reads_mosaic_and_zarr(cluster, tmp_path):
    for name in ("out.vrt", "out.zarr"):
        run(cluster, tmp_path / name, supertile=512)
        place = f'ZARR:"{tmp_path}/{name}":/result' if name.endswith("zarr") else str(tmp_path / name)
        said = subprocess.run(["gdalinfo", place], capture_output=True, text=True, check=True).stdout
        assert "Size is 1000, 1000" in said and "NoData Value=0" in said and "Slovenia 1996" in said
        assert "(563999.5" in said.replace(" ", "") or "563999.5" in said


def test_a_second_run_computes_only_what_is_missing(cluster, expected, tmp_path):
    path = tmp_path / "out.tif"
    assert run(cluster, path, supertile=256).computed == 16
    tiles = tmp_path / "out.tif.tiles"
    (tiles / "tile_256_512.tif").unlink()
    (tiles / "tile_0_0.tif").write_bytes(b"half a file")
    (tiles / "tile_512_0.json").unlink()
    with pytest.raises(package.WriteFailed, match="exists; allowed: "):
        run(cluster, path, supertile=256)
    report = run(cluster, path, supertile=256, overwrite=True)
    assert (report.computed, report.kept) == (3, 13) and digest_of_file(path) == expected
    # Another recipe is other work.
    assert package.dask.run("slope", DEM, path, client=cluster, supertile=256, overwrite=True).computed == 16
    assert run(cluster, path, supertile=256, overwrite=True, resume=False).computed == 16


def test_a_mosaic_may_be_the_source_of_a_file_of_the_same_name(cluster, tmp_path):
    def slope(source, name, **options):
        return package.dask.run("slope", source, tmp_path / name, client=cluster, supertile=500, **options)

    slope(DEM, "x.vrt")
    before = digest_of_file(tmp_path / "x.vrt")
    slope(tmp_path / "x.vrt", "x.tif")
    assert digest_of_file(tmp_path / "x.vrt") == before != digest_of_file(tmp_path / "x.tif")
    with pytest.raises(package.WriteFailed, match="is the source; allowed: "):
        slope(tmp_path / "x.vrt", "x.vrt", overwrite=True)
    # A mosaic of tiles that are being replaced is not there.
    with pytest.raises(package.Cancelled):
        slope(DEM, "x.vrt", overwrite=True, resume=False, progress=lambda share, stage: False)
    assert not (tmp_path / "x.vrt").exists()


def test_a_store_of_another_run_is_not_replaced_without_being_asked_to(cluster, expected, tmp_path):
    path = tmp_path / "out.zarr"
    run(cluster, path, supertile=512)
    with pytest.raises(package.WriteFailed, match="another run.*allowed: another name, or overwrite=True"):
        package.dask.run("slope", DEM, path, client=cluster, supertile=512)
    assert run(cluster, path, supertile=512).kept == 4
    assert digest(xr.open_zarr(path, mask_and_scale=False).result.values) == expected
    assert package.dask.run("slope", DEM, path, client=cluster, supertile=512, overwrite=True).computed == 4


def test_a_tile_that_is_replaced_is_not_taken_for_done(cluster, tmp_path):
    """Its note goes before its cells do: whatever dies between leaves a tile that is to be computed."""
    source = tmp_path / "in.tif"
    place = block_of(source)
    package.dask.run("slope", source, tmp_path / "out.vrt", client=cluster, supertile=500)
    note = tmp_path / "out.vrt.tiles" / "tile_500_500.json"
    assert note.exists()
    destroy(source, place)
    with pytest.raises(package.TilesFailed, match="1 of 4 tiles failed"):
        package.dask.run("slope", source, tmp_path / "out.vrt", client=cluster, supertile=500, overwrite=True, retries=0)
    assert not note.exists() and note.with_name("tile_0_0.json").exists()


@pytest.mark.parametrize("ending", ["vrt", "zarr"])
def test_what_a_mosaic_is_made_of_belongs_to_the_source(cluster, heights, tmp_path, ending):
    tile, source, out = tmp_path / "tile.tif", tmp_path / "in.vrt", tmp_path / f"out.{ending}"
    subprocess.run(["gdal_translate", "-q", DEM, tile], check=True)
    subprocess.run(["gdal_translate", "-q", "-of", "VRT", tile, source], check=True)
    slope = lambda: package.dask.run("slope", source, out, client=cluster, supertile=512, overwrite=True)  # noqa: E731
    slope()
    assert slope().kept == 4
    with rasterio.open(tile, "r+") as dataset:
        dataset.write(heights[::-1], 1)
    assert slope().computed == 4
    found = xr.open_zarr(out, mask_and_scale=False).result.values if ending == "zarr" else rasterio.open(out).read(1)
    assert digest(found) == digest(package.slope(heights[::-1].copy()))


def test_parts_without_data_have_no_file(cluster, heights, tmp_path):
    gaps = heights.copy()
    gaps[:512, :512] = -9999
    source = tmp_path / "gaps.tif"
    with rasterio.open(DEM) as dem, rasterio.open(source, "w", **{**dem.profile, "nodata": -9999}) as dataset:
        dataset.write(gaps, 1)
    report = package.dask.run("slope", source, tmp_path / "out.vrt", client=cluster, supertile=500)
    assert (report.empty, report.computed) == (1, 4) and not (tmp_path / "out.vrt.tiles" / "tile_0_0.tif").exists()
    terralume("visualize", "slope", source, tmp_path / "native.tif")
    assert digest_of_file(tmp_path / "out.vrt") == digest_of_file(tmp_path / "native.tif")
    assert package.dask.run("slope", source, tmp_path / "out.vrt", client=cluster, supertile=500, overwrite=True).kept == 4


def test_a_tile_that_fails_is_named_and_the_others_go_on(cluster, tmp_path):
    source = tmp_path / "broken.tif"
    destroy(source, block_of(source))
    with pytest.raises(package.TilesFailed, match="4 of 16 tiles failed, the first at row 512, column 512: .*row 768") as caught:
        package.dask.run("slope", source, tmp_path / "out.vrt", client=cluster, supertile=256, retries=0)
    report = caught.value.report
    # The broken block is also read around its neighbours.
    assert report.computed == 12 and len(report.failed) == 4 and not (tmp_path / "out.vrt").exists()


def test_what_cannot_be_run_is_refused(cluster, tmp_path):
    for options, kind, words in [
        ({"destination": tmp_path / "out.png"}, package.BadArgument, "allowed: NAME.vrt, NAME.tif, NAME.zarr"),
        ({"destination": tmp_path / "no" / "out.vrt"}, package.WriteFailed, "no such folder"),
        ({"supertile": 3}, package.BadArgument, "supertile = 3; allowed: "),
        ({"source": "/no/such.tif"}, package.ReadFailed, "no/such.tif"),
        ({"parameters": {"colour": 1}}, package.BadArgument, "allowed: "),
    ]:
        given = {"recipe": "slope", "source": DEM, "destination": tmp_path / "out.vrt", "client": cluster, **options}
        with pytest.raises(kind, match=words):
            package.dask.run(**given)
    assert os.listdir(tmp_path) == []


def test_a_worker_that_is_killed_does_not_matter(expected, tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as local, Client(local) as client:
        pids = list(client.run(os.getpid).values())
        killed = []

        def kill(share, stage):
            if not killed and share > 0.1:
                os.kill(pids[0], signal.SIGKILL)
                killed.append(share)

        report = run(client, tmp_path / "out.vrt", supertile=64, progress=kill)
    assert killed and killed[0] < 0.9 and report.computed == 256 and not report.failed
    assert digest_of_file(tmp_path / "out.vrt") == expected


CLIENT = """
import sys, terralume
from distributed import Client, LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local, Client(local) as client:
        report = terralume.dask.run(
            "vat-combined", sys.argv[1], sys.argv[2], dtype="uint8", client=client, supertile=64,
            progress=lambda share, stage: print(share, flush=True))
"""


def test_a_client_that_is_killed_is_resumed(cluster, expected, tmp_path):
    script, path = tmp_path / "client.py", tmp_path / "out.vrt"
    script.write_text(CLIENT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    child = subprocess.Popen(
        [sys.executable, script, DEM, path], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    for line in child.stdout:
        if float(line) > 0.2:
            os.killpg(child.pid, signal.SIGKILL)
            break
    child.wait()
    tiles = tmp_path / "out.vrt.tiles"
    whole = [note for note in tiles.glob("*.json") if (tiles / note.stem).with_suffix(".tif").exists()]
    report = run(cluster, path, supertile=64)
    assert 0 < report.kept < 256 and report.kept == len(whole) and report.computed == 256 - report.kept
    assert digest_of_file(path) == expected and not list(tiles.glob("*.part"))


#: Small tiles of two workers in one folder; scripts/bench_python.sh takes 10,000, which is too long for a test.
MANY = int(os.environ.get("TERRALUME_TILES", "256"))


def test_many_small_tiles_of_two_workers(cluster, tmp_path):
    side = int(MANY**0.5)
    dem = np.random.default_rng(7).random((side * 16, side * 16)).astype("float32") * 9
    source = tmp_path / "dem.tif"
    with rasterio.open(source, "w", driver="GTiff", width=side * 16, height=side * 16, count=1, dtype="float32",
                       transform=rasterio.transform.from_origin(0, 0, 1, 1), tiled=True, blockxsize=256, blockysize=256) as file:
        file.write(dem, 1)
    report = package.dask.run("slope", source, tmp_path / "out.vrt", client=cluster, supertile=16)
    assert report.tiles == side * side and len(report.workers) == 2 and not report.failed
    expected = package.slope(dem)
    bad = 0
    for note in (tmp_path / "out.vrt.tiles").glob("*.json"):
        row, col, rows, cols = json.loads(note.read_text())["key"]["tile"]
        with rasterio.open(note.with_suffix(".tif")) as tile:
            bad += not np.array_equal(tile.read(1), expected[row:row + rows, col:col + cols], equal_nan=True)
    assert bad == 0


def test_workers_keep_within_their_memory(tmp_path):
    """12,000 x 12,000 cells of a sparse file: 576 MB of heights, workers of 400 MiB."""
    from distributed import Client, LocalCluster

    tile, source = tmp_path / "hills.tif", tmp_path / "dem.vrt"
    subprocess.run(["gdal_translate", "-q", "-co", "TILED=YES", "-co", "COMPRESS=ZSTD", DEM, tile], check=True)
    # The same hills twelve by twelve times.
    sources = "".join(
        f"<SimpleSource><SourceFilename relativeToVRT='1'>hills.tif</SourceFilename><SourceBand>1</SourceBand>"
        f"<SrcRect xOff='0' yOff='0' xSize='1000' ySize='1000'/><DstRect xOff='{x}' yOff='{y}' xSize='1000' ySize='1000'/>"
        "</SimpleSource>" for x in range(0, 12_000, 1000) for y in range(0, 12_000, 1000))
    source.write_text(
        "<VRTDataset rasterXSize='12000' rasterYSize='12000'><GeoTransform>0,1,0,0,0,-1</GeoTransform>"
        f"<VRTRasterBand dataType='Float32' band='1'>{sources}</VRTRasterBand></VRTDataset>")
    log, began = tmp_path / "log.txt", time.monotonic()
    handler = logging.FileHandler(log)
    logging.getLogger("distributed").addHandler(handler)
    try:
        with LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit="400MiB",
            silence_logs=logging.WARNING,
        ) as local, Client(local) as client:
            report = package.dask.run("vat-combined", source, tmp_path / "vat.vrt", dtype="uint8", client=client)
            lines = [line for _, line in client.get_worker_logs().items()]
    finally:
        logging.getLogger("distributed").removeHandler(handler)
    said = log.read_text() + repr(lines)
    assert report.tiles <= 200 and not report.failed
    assert "pause" not in said.lower() and "spill" not in said.lower(), said[-2000:]
    assert report.peak < 400 << 20
    with rasterio.open(tmp_path / "vat.vrt") as dataset:
        window = rasterio.windows.Window(2300, 4300, 500, 500)
        found = dataset.read(1, window=window)
    with rasterio.open(source) as dataset:
        around = dataset.read(1, window=rasterio.windows.Window(2280, 4280, 540, 540))
    whole = package.render(around, "vat-combined", dtype="uint8")
    assert np.array_equal(found, whole[20:520, 20:520])
    assert report.path == str(tmp_path / "vat.vrt") and report.computed == report.tiles
    assert 0 < report.seconds <= time.monotonic() - began


NDVI = "(nir - red) / (nir + red)"
INPUTS = {"red": f"{SCENES}/*_B4.tif", "nir": f"{SCENES}/*_B5.tif", "qa": f"{SCENES}/*_BQA.tif"}


@pytest.fixture(scope="module")
def seasons(tmp_path_factory):
    """Hash of the command line's statistics: masks, formula and groups in one pass."""
    path = tmp_path_factory.mktemp("native") / "seasons.tif"
    inputs = [f"-i{name}={files}" for name, files in INPUTS.items()]
    terralume("reduce", *inputs, path, "--expr", NDVI, "--mask", "qa: bits 0|4", "--dilate", 1, "--stat", "mean,median,count",
              "--group", "season")
    return digest_of_file(path)


def program():
    """The same for this package."""
    return package.program(
        "reduce", stat=["mean,median,count"], group="season", expr=NDVI, mask="qa: bits 0|4", dilate=1)


@pytest.mark.parametrize(("ending", "side"), [("vrt", 16), ("vrt", 1000), ("tif", 20), ("zarr", 512)])
def test_stacks_give_the_cells_of_the_command_line(cluster, seasons, tmp_path, ending, side):
    path = tmp_path / f"out.{ending}"
    report = package.dask.run(program(), INPUTS, path, client=cluster, supertile=side)
    assert report.computed == report.tiles == (-(-40 // side)) ** 2
    if ending == "zarr":
        assert digest(xr.open_zarr(path, mask_and_scale=False).result.values) == seasons
        return
    assert digest_of_file(path) == seasons
    with rasterio.open(path) as dataset, rasterio.open(next(SCENES.glob("*_B4.tif"))) as scene:
        assert dataset.descriptions[0] == "DJF_mean" and dataset.crs == scene.crs and dataset.transform == scene.transform
        assert np.isnan(dataset.nodata)


def test_stacks_are_resumed(cluster, seasons, tmp_path):
    path = tmp_path / "out.vrt"
    assert package.dask.run(program(), INPUTS, path, client=cluster, supertile=16).computed == 9
    (tmp_path / "out.vrt.tiles" / "tile_16_16.tif").unlink()
    report = package.dask.run(program(), INPUTS, path, client=cluster, supertile=16, overwrite=True)
    assert (report.computed, report.kept) == (1, 8) and digest_of_file(path) == seasons
    other = package.program("reduce", stat="max", expr=NDVI)
    two = {name: files for name, files in INPUTS.items() if name != "qa"}
    assert package.dask.run(other, two, path, client=cluster, supertile=16, overwrite=True).computed == 9


def test_what_was_opened_is_run_on(cluster, tmp_path):
    """Masks, formula and statistics one after another, each with its own type, as from one opened stack to the next."""
    opened = package.open(INPUTS, mask="qa: bits 0|4").terralume.calc(NDVI)
    package.dask.run(package.program("reduce", stat="mean,max"), opened, tmp_path / "out.tif", client=cluster, supertile=16)
    assert digest_of_file(tmp_path / "out.tif") == digest(opened.terralume.reduce("mean,max").values)
    for source, options, words in [
        (opened + 0, {}, "no longer what is in their files; allowed: "),
        (opened, {"band": 2}, "opened already; allowed: "),
        (INPUTS, {"stretch": "0,1"}, "allowed: options of terralume.program"),
    ]:
        with pytest.raises(package.BadArgument, match=words):
            package.dask.run(package.program("reduce", stat="mean"), source, tmp_path / "no.tif", client=cluster, **options)
    with pytest.raises(package.BadArgument, match="dates; allowed: one, or reduce"):
        package.dask.run(package.program("calc", expr="red"), {"red": INPUTS["red"]}, tmp_path / "no.tif", client=cluster)
    assert sorted(os.listdir(tmp_path)) == ["out.tif", "out.tif.tiles"]


def test_programs_run_in_this_process_too(seasons, tmp_path):
    heard = []
    package.run(program(), INPUTS, tmp_path / "all.tif", threads=2, progress=lambda *told: heard.append(told))
    assert digest_of_file(tmp_path / "all.tif") == seasons and heard[-1] == (1.0, "done")
    lists = {name: sorted(map(str, SCENES.glob(files.rsplit("/")[-1]))) for name, files in INPUTS.items()}
    package.run(program(), lists, tmp_path / "lists.tif")
    assert digest_of_file(tmp_path / "lists.tif") == seasons
    with pytest.raises(package.BadArgument, match="allowed: {'red': "):
        package.run(program(), DEM, tmp_path / "no.tif")


@pytest.mark.parametrize("recipe", ["slope", "nested"])
@pytest.mark.parametrize("ending", ["vrt", "zarr"])
def test_what_depends_on_the_whole_raster_is_found_once(cluster, tmp_path, recipe, ending):
    """Percentiles, also of a layer, and of the picture of an inner recipe."""
    inner = {"terralume_recipe": 1, "name": "inner", "layers": [
        {"operation": "local_relief", "stretch": "percent:1,1", "mode": "soft_light", "opacity": 40}, {"operation": "slope"}]}
    layers = [{"operation": "svf", "stretch": "percent:2,1", "opacity": 50}, {"recipe": inner}]
    options = {"dtype": "uint8"}
    if recipe == "slope":
        options["stretch"] = "percent:2,2"
        terralume("visualize", "slope", DEM, tmp_path / "native.tif", "--type", "uint8", "--stretch", "percent:2,2")
    else:
        recipe = {"terralume_recipe": 1, "name": "mine", "layers": layers}
        (tmp_path / "mine.json").write_text(json.dumps(recipe))
        terralume("render", tmp_path / "mine.json", DEM, tmp_path / "native.tif", "--type", "uint8")
    expected = digest_of_file(tmp_path / "native.tif")
    path = tmp_path / f"out.{ending}"
    report = package.dask.run(recipe, DEM, path, client=cluster, supertile=512, **options)
    found = xr.open_zarr(path, mask_and_scale=False).result.values if ending == "zarr" else rasterio.open(path).read()
    assert report.computed == 4 and digest(found) == expected
    again = package.dask.run(recipe, DEM, path, client=cluster, supertile=512, overwrite=ending == "vrt", **options)
    assert again.kept == 4
    lazy = package.open(DEM, chunks=300).terralume.render(recipe, **options)
    assert digest(lazy.values) == expected
    with pytest.raises(package.Unsupported, match="whole raster.*allowed: "):
        (package.open(DEM, chunks=300) + 0).terralume.render(recipe, **options)


def test_a_sky_that_needs_the_ground_is_refused(cluster, tmp_path):
    with pytest.raises(package.Unsupported, match="overcast sky.*allowed: a run over all of it"):
        package.dask.run("sky_illumination", DEM, tmp_path / "out.vrt", client=cluster, compat="rvt")
    with pytest.raises(package.Unsupported, match="whole raster.*allowed: "):
        package.open(DEM, chunks=300).terralume.sky_illumination(compat="rvt")


GIVEN_BACK = """
import sys
import numpy as np
from terralume import dask
def resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096
if sys.argv[1] == "set":
    dask._give_back_memory()
# After a large piece the C library keeps what is not much larger.
large = np.ones(30 << 20, np.uint8)
del large
before = resident()
pieces = [np.ones(5 << 20, np.uint8) for _ in range(8)]
del pieces
print(resident() - before)
"""


def test_workers_give_freed_memory_back_at_once():
    """The variable MALLOC_TRIM_THRESHOLD_ would be read only when they start."""
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_TRIM_THRESHOLD_"}
    kept = {
        how: int(subprocess.run(
            [sys.executable, "-c", GIVEN_BACK, how], capture_output=True, text=True, check=True, env=environment).stdout)
        for how in ("set", "left")}
    assert kept["set"] < 10 << 20 < 30 << 20 < kept["left"], kept


def test_a_cluster_that_grows_gets_more_tasks(tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as local, Client(local) as client:
        wanted = package.dask._Wanted(client)
        assert wanted() == 2
        local.scale(2)
        client.wait_for_workers(2)
        time.sleep(wanted._AGAIN)
        assert wanted() == 4
        report = run(client, tmp_path / "out.vrt", supertile=128)
    assert len(report.workers) == 2 and report.computed == 64
