"""Blends of one's own: the matrix, files of Terralume and RVT, other rasters."""

import json

import numpy
from conftest import bands, command, write_raster
from osgeo import gdal

LAYERS = [
    "sky_view_factor", "Value", "0.7", "1", "Multiply", "25", "no", "radius=15 noise=low",
    "Positive openness", "percent", "2", "2", "Soft light", "50", "", "",
    "slope", "value", "0", "50", "luminosity", "50", "", "",
    "vat-flat", "", "", "", "normal", "", "", "",
]
RECIPE = {"terralume_recipe": 1, "layers": [
    {"operation": "sky_view_factor", "min": 0.7, "max": 1, "mode": "multiply", "opacity": 25,
     "parameters": {"radius": 15, "noise": "low"}},
    {"operation": "openness_positive", "stretch": "percent:2,2", "mode": "soft_light", "opacity": 50},
    {"operation": "slope", "min": 0, "max": 50, "invert": True, "mode": "luminosity", "opacity": 50},
    {"recipe": "vat-flat"},
]}
RVT = {"combinations": [
    {"combination": {"name": "Other", "layers": []}},
    {"combination": {"name": "Own", "layers": [
        {"layer": "1", "visualization_method": "Slope gradient", "norm": "Value", "min": 0, "max": 40,
         "blend_mode": "Multiply", "opacity": 60},
        {"layer": "2", "visualization_method": "Hillshade", "norm": "Perc", "min": 2, "max": 2,
         "blend_mode": "Normal", "opacity": 100}]}}]}


def rendered(recipe, small, tmp_path, *arguments):
    """The command line's picture of a recipe or file."""
    if isinstance(recipe, dict):
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        recipe = tmp_path / "recipe.json"
    command("render", recipe, small, tmp_path / "expected.tif", "--overwrite", *arguments)
    return bands(tmp_path / "expected.tif")


def test_the_default_is_vat(run, small, tmp_path):
    assert bands(run("blend")["OUTPUT"]) == rendered("vat", small, tmp_path)


def test_matrix(run, small, tmp_path):
    assert bands(run("blend", LAYERS=LAYERS)["OUTPUT"]) == rendered(RECIPE, small, tmp_path)


def test_other_rasters(run, small, tmp_path, qgis_new_project):
    from qgis.core import QgsProject, QgsRasterLayer
    run("slope", OUTPUT=str(tmp_path / "degrees.tif"))
    layer = QgsRasterLayer(str(tmp_path / "degrees.tif"), "degrees")
    QgsProject.instance().addMapLayer(layer)
    rest = ["value", "0", "50", "overlay", "40", "", "", "hillshade", "", "", "", "", "", "", ""]
    recipe = {"terralume_recipe": 1, "layers": [
        {"raster": str(tmp_path / "degrees.tif"), "stretch": "0,50", "mode": "overlay", "opacity": 40},
        {"operation": "hillshade"}]}
    expected = rendered(recipe, small, tmp_path)
    for name in ("degrees", layer.id(), str(tmp_path / "degrees.tif")):
        assert bands(run("blend", LAYERS=[name, *rest])["OUTPUT"]) == expected


def test_recipe_files(run, small, tmp_path):
    own = tmp_path / "own.json"
    own.write_text(json.dumps(RECIPE))
    assert bands(run("blend", PRESET_FILE=str(own), TERRAIN=2, PARAMETERS="slope.opacity=20")["OUTPUT"]) == rendered(
        RECIPE, small, tmp_path, "--terrain", "flat", "-p", "slope.opacity=20")
    rvt = tmp_path / "rvt.json"
    rvt.write_text(json.dumps(RVT))
    output = run("blend", PRESET_FILE=f"{rvt}#Own")["OUTPUT"]
    assert bands(output) == rendered(f"{rvt}#Own", small, tmp_path)


def test_files_that_are_written(run, small, tmp_path):
    saved, rvt = tmp_path / "saved.json", tmp_path / "rvt.json"
    first = run("blend", LAYERS=LAYERS, PRESET_OUT=str(saved))
    assert first["PRESET_OUT"] == str(saved)
    again = run("blend", PRESET_FILE=str(saved), OUTPUT=str(tmp_path / "again.tif"))
    assert bands(again["OUTPUT"]) == bands(first["OUTPUT"])
    rows = [
        "slope", "value", "0", "40", "multiply", "60", "", "",
        "hillshade", "percent", "2", "2", "normal", "100", "no", "",
    ]
    ours = run("blend", LAYERS=rows, PRESET_FORMAT=1, PRESET_OUT=str(rvt))
    layers = json.loads(rvt.read_text())["combination"]["layers"]
    assert [layer["visualization_method"] for layer in layers] == ["Slope gradient", "Hillshade"]
    theirs = run("blend", PRESET_FILE=str(rvt), OUTPUT=str(tmp_path / "theirs.tif"))
    assert bands(theirs["OUTPUT"]) == bands(ours["OUTPUT"])


def test_normalize(run, tmp_path):
    ramp = numpy.arange(10000, dtype=numpy.float32).reshape(100, 100)
    raster = write_raster(tmp_path / "ramp.tif", [ramp, ramp * 2])
    values = run("normalize", INPUT=raster, BAND=2, NORM=0, MIN=0, MAX=19998)["OUTPUT"]
    assert numpy.allclose(gdal.Open(values).ReadAsArray(), ramp / 9999, atol=1e-6)
    cut = run("normalize", INPUT=raster, BAND=1, NORM=1, MIN=10, MAX=10, SAVE_AS_8BIT=True)["OUTPUT"]
    cells = gdal.Open(cut).ReadAsArray()
    assert 0.09 < (cells == 1).mean() < 0.12 and 0.09 < (cells == 255).mean() < 0.12
