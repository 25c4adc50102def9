"""Figures of the Python package on this machine; scripts/bench_python.sh writes them to docs/benchmarks_python.md.

Medians of interleaved runs, so that what else the machine does falls on both. A run of 30 GB on a cluster, and 10,000 tiles
of two processes, once each."""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import terralume

ROOT = Path(__file__).resolve().parent.parent
DEM = ROOT / "tests" / "data" / "TM1_564_146.tif"


def medians(runs: int, **functions):
    """Median seconds of each function, run in turn."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(runs):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


def hills(side: int) -> np.ndarray:
    """The bundled DEM beside itself until it is large enough."""
    import rasterio

    with rasterio.open(DEM) as dataset:
        heights = dataset.read(1)
    count = -(-side // 1000)
    return np.tile(heights, (count, count))[:side, :side].copy()


def numba_sky():
    """The sky-view factor as a loop that numba compiles for all processors: what one would write without a library.

    xarray-spatial 0.5.3 has no sky-view factor. Same directions, same reach, cells nearest to each ray, float32 in and out."""
    import numba

    @numba.njit(parallel=True, fastmath=True, cache=False)
    def compute(heights, offsets, distances):
        rows, cols = heights.shape
        out = np.full((rows, cols), np.nan, np.float32)
        for row in numba.prange(10, rows - 10):
            for col in range(10, cols - 10):
                total = 0.0
                for direction in range(offsets.shape[0]):
                    steepest = 0.0
                    for step in range(offsets.shape[1]):
                        down, right = offsets[direction, step]
                        rise = heights[row + down, col + right] - heights[row, col]
                        steepest = max(steepest, rise / distances[direction, step])
                    total += 1 - steepest / np.sqrt(1 + steepest * steepest)
                out[row, col] = total / offsets.shape[0]
        return out

    angles = np.arange(16) * np.pi / 8
    steps = np.arange(1, 11)
    down = np.rint(-np.cos(angles)[:, None] * steps).astype(np.int64)
    right = np.rint(np.sin(angles)[:, None] * steps).astype(np.int64)
    offsets, distances = np.stack([down, right], axis=-1), np.hypot(down, right)
    return lambda heights: compute(heights, offsets, distances)


def sky(side: int) -> str:
    """Sky-view factor, 16 directions and radius 10."""
    heights, theirs = hills(side), numba_sky()
    found = medians(3, ours=lambda: terralume.svf(heights, threads=2), theirs=lambda: theirs(heights))
    ratio = found["theirs"] / found["ours"]
    return (f"| sky-view factor 16/10 on {side}² NumPy, 2 threads | {found['ours']:.2f} s | numba, 2 threads: "
            f"{found['theirs']:.2f} s | {ratio:.1f} × | ≥ 5 × |")


def overhead() -> str:
    """A call on 256 x 256 cells beyond the library's own time."""
    from terralume import arrays, native
    from terralume.request import make

    heights = hills(256)
    parameters = {"azimuth": 315, "elevation": 35, "vertical_exaggeration": 1}
    chain = make("hillshade", parameters).chain(native.Grid())
    out = np.empty((1, 256, 256), np.float32)
    found = medians(
        2001, call=lambda: terralume.hillshade(heights),
        kernel=lambda: arrays._run(chain, heights, arrays.Tile(0, 0, 256, 256), out, (float("nan"), None)))
    extra = (found["call"] - found["kernel"]) * 1e6
    return (f"| hillshade of 256² from NumPy, beyond the library's call | {extra:.0f} µs | the call alone "
            f"{found['kernel'] * 1e6:.0f} µs | | ≤ 100 µs |")


def lazy(side: int, folder: Path) -> str:
    """Slope of a file, chunks of 1024, two worker processes."""
    import rioxarray
    import xrspatial
    from distributed import Client, LocalCluster

    path = folder / "large.tif"
    write(path, hills(side))
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR
    ) as cluster, Client(cluster):
        ours = terralume.open(path, chunks=1024)
        theirs = rioxarray.open_rasterio(path, chunks={"band": 1, "y": 1024, "x": 1024}, lock=False).squeeze("band", drop=True)
        found = medians(
            3, ours=lambda: float(terralume.slope(ours).sum().compute()),
            theirs=lambda: float(xrspatial.slope(theirs).sum().compute()))
    ratio = found["theirs"] / found["ours"]
    return (f"| slope of a file of {side}², Dask, 2 processes | {found['ours']:.2f} s | xarray-spatial {found['theirs']:.2f} s "
            f"| {ratio:.1f} × | ≥ 2 × |")


def write(path: Path, cells: np.ndarray, block: int = 512) -> None:
    """A tiled GeoTIFF with cells of 1 m."""
    import rasterio

    rows, cols = cells.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=cols, height=rows, count=1, dtype="float32", tiled=True, blockxsize=block,
        blockysize=block, compress="DEFLATE", zlevel=1, crs="EPSG:3794", transform=rasterio.transform.from_origin(0, 0, 1, 1),
    ) as dataset:
        dataset.write(cells, 1)


def sparse(path: Path, rows: int, cols: int) -> None:
    """A VRT of the bundled DEM beside itself: heights of any size from 4 MB on the disk."""
    tile = path.with_suffix(".tif")
    subprocess.run(
        ["gdal_translate", "-q", "-co", "TILED=YES", "-co", "COMPRESS=DEFLATE", "-a_srs", "EPSG:3794", DEM, tile], check=True)
    place = "<SrcRect xOff='0' yOff='0' xSize='1000' ySize='1000'/><DstRect xOff='{}' yOff='{}' xSize='1000' ySize='1000'/>"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"<VRTDataset rasterXSize='{cols}' rasterYSize='{rows}'><SRS>EPSG:3794</SRS>"
                   "<GeoTransform>0,1,0,0,0,-1</GeoTransform><VRTRasterBand dataType='Float32' band='1'>")
        for y in range(0, rows, 1000):
            for x in range(0, cols, 1000):
                file.write(f"<SimpleSource><SourceFilename relativeToVRT='1'>{tile.name}</SourceFilename>"
                           f"<SourceBand>1</SourceBand>{place.format(x, y)}</SimpleSource>")
        file.write("</VRTRasterBand></VRTDataset>")


def large(rows: int, cols: int, folder: Path) -> str:
    """VAT combined in bytes of a raster larger than the memory, by two workers of 1 GiB."""
    from distributed import Client, LocalCluster

    source = folder / "large.vrt"
    sparse(source, rows, cols)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit="1GiB", silence_logs=logging.WARNING
    ) as cluster, Client(cluster) as client:
        report = terralume.dask.run("vat-combined", source, folder / "vat.vrt", dtype="uint8", client=client, progress=told)
        lines = repr(dict(client.get_worker_logs())).lower()
    bad = [word for word in ("pause", "spill") if word in lines]
    gigabytes = rows * cols * 4 / 1e9
    return (f"| VAT combined of {cols:,} × {rows:,} ({gigabytes:.0f} GB) by 2 workers of 1 GiB | {report.seconds:.0f} s, "
            f"{report.tiles} tasks | peak {report.peak >> 20} MiB | {bad or 'none'} paused or spilled "
            "| ≤ 200 tasks, < 700 MiB |")


def told(share: float, stage: str) -> None:
    """How far it is, for who waits."""
    print(f"\r{stage} {share:6.1%}", end="", file=sys.stderr, flush=True)


def many(tiles: int, folder: Path) -> str:
    """Small super-tiles of two processes in one folder, each compared with the whole."""
    import json

    import rasterio
    from distributed import Client, LocalCluster

    side = int(tiles**0.5) * 16
    heights = hills(side)
    # Small blocks: a task reads little more than it needs.
    write(folder / "many.tif", heights, block=64)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR
    ) as cluster, Client(cluster) as client:
        report = terralume.dask.run("slope", folder / "many.tif", folder / "many.vrt", client=client, supertile=16, progress=told)
    expected, bad, seen = terralume.slope(heights), 0, 0
    for note in (folder / "many.vrt.tiles").glob("*.json"):
        row, col, rows, cols = json.loads(note.read_text())["key"]["tile"]
        with rasterio.open(note.with_suffix(".tif")) as tile:
            seen += 1
            bad += not np.array_equal(tile.read(1), expected[row:row + rows, col:col + cols], equal_nan=True)
    assert seen == report.tiles == tiles and len(report.workers) == 2
    return f"| {report.tiles:,} tiles of two processes | {report.seconds:.0f} s | {bad} bad | | 0 bad |"


#: What is measured, the quick things first.
STEPS = ("sky", "overhead", "lazy", "tiles", "large")


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), help="some of the steps")
    parser.add_argument("--side", type=int, default=4096, help="side of the arrays")
    parser.add_argument("--large", default="86000x87000", help="rows and columns of the raster on the cluster")
    parser.add_argument("--tiles", type=int, default=10_000, help="small tiles of two processes")
    given = parser.parse_args()
    rows, cols = (int(text) for text in given.large.split("x"))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TERRALUME_BENCH", None)) as name:
        folder = Path(name)
        print("| work | ours | beside it | ratio | to reach |\n| --- | --- | --- | --- | --- |", flush=True)
        steps = {
            "sky": lambda: sky(given.side), "overhead": overhead, "lazy": lambda: lazy(2 * given.side, folder),
            "tiles": lambda: many(given.tiles, folder), "large": lambda: large(rows, cols, folder)}
        for name in STEPS:
            if name in given.only:
                print(steps[name](), flush=True)


if __name__ == "__main__":
    main()
