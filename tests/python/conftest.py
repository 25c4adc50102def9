"""What tests of the Python package share: data, a cluster, and hashes of cells."""

import hashlib
import logging
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio

ROOT = Path(__file__).resolve().parents[2]
DEM = ROOT / "tests" / "data" / "TM1_564_146.tif"
SCENES = ROOT / "tests" / "data" / "stack" / "scenes" / "l8ny18"
BUILT = Path(os.environ["TERRALUME_BUILT"])


@pytest.fixture(scope="session")
def heights():
    """The bundled elevation model: 1000 x 1000 float32 cells of 1 m."""
    with rasterio.open(DEM) as dataset:
        return dataset.read(1)


@pytest.fixture(scope="session")
def cluster():
    """A client of two worker processes with one thread each."""
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit="1GiB",
        silence_logs=logging.ERROR,
    ) as local, Client(local) as client:
        yield client


def digest(cells):
    """A hash of cells, bands first or not; every NaN counts as the same."""
    cells = np.ascontiguousarray(cells)
    if cells.dtype.kind == "f":
        cells = np.where(np.isnan(cells), np.float32("nan"), cells).astype(np.float32)
    return hashlib.sha256(cells.tobytes()).hexdigest()


def digest_of_file(path):
    """A hash of the decoded cells of a raster."""
    with rasterio.open(path) as dataset:
        cells = dataset.read()
    return digest(cells)


def terralume(*arguments):
    """Runs the command line that cargo has built."""
    subprocess.run([BUILT / "terralume", *map(str, arguments), "--quiet"], check=True)
