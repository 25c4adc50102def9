"""What can go wrong ends as one sentence with a next step: never a traceback, never half a file."""

import os
import resource
import subprocess
import sys

import numpy
import pytest
from conftest import BUILT, PLUGINS, qgis_process, refused, write_raster


@pytest.fixture
def hills():
    rows, columns = numpy.mgrid[:64, :64]
    return numpy.sin(rows / 5) + numpy.cos(columns / 7)


def test_degrees(run, hills, tmp_path):
    text = refused(run, INPUT=write_raster(tmp_path / "degrees.tif", hills, crs=4326))
    assert "gdalwarp" in text


def test_several_bands(run, hills, tmp_path):
    text = refused(run, INPUT=write_raster(tmp_path / "three.tif", [hills] * 3))
    assert "has 3 bands; choose one with BAND" in text
    text = refused(run, INPUT=str(tmp_path / "three.tif"), BAND=9)
    assert "3" in text


def test_a_layer_that_is_not_gdals(run, qgis_new_project):
    from qgis.core import QgsProject, QgsRasterLayer
    layer = QgsRasterLayer("type=xyz&url=file:///nowhere/{x}{y}{z}.png&zmax=3", "map", "wms")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    assert "not from GDAL" in refused(run, INPUT=layer)
    assert "not from GDAL" in refused(run, "livelayer", INPUT=layer)
    with pytest.raises(Exception, match="not from GDAL"):
        run("materialize", INPUT=layer)


def test_outputs(run, small, tmp_path):
    assert "does not exist" in refused(run, OUTPUT="/proc/nowhere/out.tif")
    assert "cannot write" in refused(run, OUTPUT="/proc/out.tif")
    assert "is the input" in refused(run, OUTPUT=small)
    text = refused(run, "visualizations", FOLDER="/proc/folder")
    assert "/proc/folder" in text and "choose another one" in text
    text = refused(run, "blend", PRESET_OUT="/proc/out.json")
    assert "/proc/out.json" in text
    assert "not" in refused(run, OUTPUT=str(tmp_path / "picture.png"))


def test_values(run, tmp_path):
    assert "1000" in refused(run, "skyviewfactor", RADIUS=5000)
    assert "whole number" in refused(run, "skyviewfactor", RADIUS=2.5)
    assert "STRETCH".lower() in refused(run, STRETCH="5,1", SAVE_AS_8BIT=True).lower()
    assert "memory" in refused(run, MEMORY_MB=1)
    assert "extent does not touch" in refused(run, EXTENT="0,10,0,10")
    assert "name=value" in refused(run, "preset", PARAMETERS="opacity")
    assert "unknown" in refused(run, "preset", PARAMETERS="nothing.opacity=3")
    assert "choose at least one" in refused(run, "skyviewset")
    assert "VISUALIZATIONS" in refused(run, "visualizations", VISUALIZATIONS=[], FOLDER=str(tmp_path))


def test_layers(run, small):
    row = ["slope", "value", "0", "50", "normal", "100", "no", ""]
    assert "LAYERS is empty" in refused(run, "blend", LAYERS=[""] * 8)
    assert "neither an operation" in refused(run, "blend", LAYERS=["slop", *row[1:]])
    assert "opacity 'much'" in refused(run, "blend", LAYERS=[*row[:5], "much", "no", ""])
    assert "burn" in refused(run, "blend", LAYERS=[*row[:4], "burn it", *row[5:]])
    assert "unknown" in refused(run, "blend", LAYERS=[*row[:7], "colour=3"])
    assert "nothing.json" in refused(run, "blend", PRESET_FILE="/nowhere/nothing.json")
    # RVT's files have no masks, no parameters.
    assert "RVT" in refused(run, "blend", LAYERS=[*row[:7], "vertical_exaggeration=3"], PRESET_FORMAT=1,
                            PRESET_OUT=small + ".json")


def test_too_large_for_the_fly(run):
    text = refused(run, "livelayer", PARAMETERS="radius=1000 directions=8", SAVE_AS_8BIT=True)
    assert "small" in text or "MiB" in text


def test_a_full_disk(run, tmp_path):
    """Writing fails in the middle: a limit on the size of files does what a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        text = refused(run, "multihillshade")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "multihillshade.tif" in text
    assert os.listdir(tmp_path) == []


def test_a_small_disk_is_warned_of(feedback, tmp_path):
    from terralume.files import warn_of_space
    warn_of_space({"output_bytes": 1}, str(tmp_path / "out.tif"), feedback)
    assert feedback.said == []
    warn_of_space({"output_bytes": 1 << 60}, str(tmp_path / "out.tif"), feedback)
    assert "may be too small" in feedback.said[0] and "choose another folder" in feedback.said[0]


def test_in_qgis_process(environment, hills, tmp_path):
    degrees = write_raster(tmp_path / "degrees.tif", hills, crs=4326)
    said = qgis_process(environment, "run", "terralume:slope", "--", f"INPUT={degrees}", f"OUTPUT={tmp_path / 'o.tif'}")
    assert said.returncode == 1 and "gdalwarp" in said.stdout + said.stderr
    assert "Traceback" not in said.stdout + said.stderr and not (tmp_path / "o.tif").exists()


# ---- the library

def stand_in(folder, *definitions):
    """A library of another version, compiled."""
    path = folder / "libterralume.so.0"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", path, *(f"-D{text}" for text in definitions),
                    str(PLUGINS.parent / "tests" / "qgis" / "stand_in.c")], check=True)
    return str(path)


def with_library(environment, path, small, tmp_path):
    """What qgis_process says with another library: (status, text)."""
    changed = {**environment, "TERRALUME_LIBRARY": path}
    said = qgis_process(changed, "run", "terralume:slope", "--", f"INPUT={small}", f"OUTPUT={tmp_path / 'out.tif'}")
    text = said.stdout + said.stderr
    assert "Traceback" not in text and not (tmp_path / "out.tif").exists()
    return said.returncode, text


def test_no_library(environment, small, tmp_path):
    status, text = with_library(environment, "/nowhere/libterralume.so.0", small, tmp_path)
    assert status == 1 and "'/nowhere/libterralume.so.0' does not exist" in text
    assert "set the path" in text
    # The toolbox is whole all the same.
    said = qgis_process({**environment, "TERRALUME_LIBRARY": "/nowhere/x"}, "list")
    assert "terralume:skyviewfactor" in said.stdout


def test_a_library_of_another_interface(environment, small, tmp_path):
    status, text = with_library(environment, stand_in(tmp_path, "ABI=99"), small, tmp_path)
    assert status == 1 and "has interface 99, this program needs 1: update this program" in text
    status, text = with_library(environment, stand_in(tmp_path, "ABI=0"), small, tmp_path)
    assert status == 1 and "update the library" in text
    status, text = with_library(environment, stand_in(tmp_path, "ABI=1"), small, tmp_path)
    assert status == 1 and "too old" in text and "update the library" in text


def test_a_library_with_another_gdal(environment, small, tmp_path):
    status, text = with_library(environment, stand_in(tmp_path, "ABI=1", 'OPTION="other"'), small, tmp_path)
    assert status == 1 and "uses GDAL 3.4.1 at '/opt/libgdal.so', QGIS uses another one" in text


def test_something_else_than_a_library(environment, small, tmp_path):
    status, text = with_library(environment, small, small, tmp_path)
    assert status == 1 and "set the path" in text


def test_can_execute_explains(provider, monkeypatch):
    monkeypatch.setenv("TERRALUME_LIBRARY", "/nowhere/libterralume.so.0")
    fine, text = provider.algorithm("slope").canExecute()
    assert not fine and "<br>" in text and "does not exist" in text
    assert "does not exist" in provider.warningMessage() and provider.longName() == "Terralume (library missing)"


def test_the_order_of_finding(tmp_path):
    """In a process of its own: a library stays loaded."""
    program = """
import sys, os
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import native
library, empty = sys.argv[2], Path(sys.argv[3])
del os.environ["TERRALUME_LIBRARY"]
try:
    native.load(setting="/nowhere/x.so", folders=[Path(library).parent])
except native.LibraryMissing as error:
    assert "'/nowhere/x.so' does not exist" in str(error)
found = native.load(folders=[empty, Path(library).parent])
assert found.path == library, found.path
assert native.load(folders=[]) is found
native._loaded.clear()
(empty / "gdal_terralume.so").symlink_to(library)
assert native.load(driver_path=str(empty)).path.endswith("gdal_terralume.so")
print(found.version())
"""
    said = subprocess.run(
        [sys.executable, "-c", program, PLUGINS / "terralume", BUILT / "libterralume.so", tmp_path],
        capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
