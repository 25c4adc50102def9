"""Every algorithm runs with its defaults in a QGIS that has never run: no settings, no locale."""

import json
import subprocess
import sys
from pathlib import Path

from conftest import PLUGINS, fresh_profile
from osgeo import gdal


def test_every_algorithm(provider, small, tmp_path):
    elevations = tmp_path / "dem_20180101.tif"
    gdal.Translate(str(elevations), small, srcWin=[0, 0, 64, 64])
    environment = {name: value for name, value in fresh_profile(tmp_path).items() if name[:4] not in ("LANG", "LC_A")}
    script = Path(__file__).with_name("every_algorithm.py")
    said = subprocess.run([sys.executable, script, PLUGINS, elevations, tmp_path], env=environment, capture_output=True,
                          text=True, timeout=300, check=False)
    assert said.stdout.startswith("{"), said.stdout + said.stderr
    found = json.loads(said.stdout.splitlines()[0])
    assert set(found) == {algorithm.name() for algorithm in provider.algorithms()}
    written = 0
    for name, forms in found.items():
        for results in forms:
            for file in [value for value in results.values() if str(value).endswith(".tif")]:
                raster = gdal.Open(file)
                assert (raster.RasterXSize, raster.RasterYSize) == (64, 64), name
                written += 1
    assert written > len(found)
    assert "mean" in Path(found["statistics"][0]["OUTPUT"]).read_text()
