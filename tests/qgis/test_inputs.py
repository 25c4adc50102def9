"""Where elevations may lie: names of any kind, archives, layers with options."""

import os
import shutil

import pytest
from conftest import bands, command
from osgeo import gdal
from qgis.core import QgsRasterLayer


@pytest.fixture
def expected(run):
    """The slope of the small DEM."""
    return bands(run("slope")["OUTPUT"])


@pytest.mark.parametrize("name", ["Größe, Höhe/dem (1).tif", "a=b {c}/x,y.tif", "日本/高さ.tif", "100% #1.tif"])
def test_names(run, small, tmp_path, expected, name):
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    shutil.copy(small, path)
    output = tmp_path / "out" / name
    output.parent.mkdir(parents=True)
    assert bands(run("slope", INPUT=str(path), OUTPUT=str(output))["OUTPUT"]) == expected
    layer = run("livelayer", INPUT=str(path), OUTPUT=None, VISUALIZATION=0)["LAYER"]
    assert layer.isValid()
    assert bands(run("materialize", INPUT=layer)["OUTPUT"]) == expected


def layer_of(source):
    """A layer as QGIS's browser makes it."""
    layer = QgsRasterLayer(source, "dem", "gdal")
    assert layer.isValid(), source
    return layer


def test_an_archive(run, small, tmp_path, expected):
    shutil.make_archive(str(tmp_path / "dem"), "zip", os.path.dirname(small), "small.tif")
    layer = layer_of(f"/vsizip/{tmp_path / 'dem.zip'}/small.tif")
    assert bands(run("slope", INPUT=layer)["OUTPUT"]) == expected


def test_a_layer_with_options(run, small, expected):
    assert bands(run("slope", INPUT=layer_of(f"{small}|option:NUM_THREADS=1"))["OUTPUT"]) == expected


def test_a_raster_in_a_geopackage(run, small, tmp_path):
    source = f"GPKG:{tmp_path / 'dem.gpkg'}:heights"
    options = ["RASTER_TABLE=heights", "TILE_FORMAT=TIFF"]
    gdal.Translate(str(tmp_path / "dem.gpkg"), small, format="GPKG", creationOptions=options)
    command("visualize", "slope", source, tmp_path / "expected.tif")
    assert bands(run("slope", INPUT=layer_of(source))["OUTPUT"]) == bands(tmp_path / "expected.tif")
