"""Every algorithm, with its defaults, as values and as 8 bit, gives the bits of the command line."""

import json
import shutil

import numpy
import pytest
from conftest import ROOT, bands, command
from osgeo import gdal
from terralume import catalog

OPERATIONS = [name for name in catalog.OPERATIONS if not name.startswith("openness")]


@pytest.fixture(scope="module", params=[False, True], ids=["values", "bytes"])
def expected(request, small, tmp_path_factory):
    """All operations from the command line."""
    folder = tmp_path_factory.mktemp("expected")
    kind = ["--type", "uint8"] if request.param else []
    command("visualize", ",".join(catalog.OPERATIONS), small, folder, *kind)
    files = {}
    for path in folder.iterdir():
        recipe = json.loads(gdal.Open(str(path)).GetMetadataItem("TERRALUME_RECIPE"))
        files[recipe["name"]] = path
    assert set(files) == set(catalog.OPERATIONS)
    return request.param, files


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation(run, expected, operation):
    eight, files = expected
    output = run(catalog.algorithm_name(operation), SAVE_AS_8BIT=eight)["OUTPUT"]
    assert bands(output) == bands(files[operation])


def test_one_search_gives_them_all(run, expected, tmp_path):
    eight, files = expected
    from terralume.visualize import SkyViewSet
    outputs = {name: str(tmp_path / f"{name}.tif") for name in SkyViewSet.RESULTS}
    results = run("skyviewset", SAVE_AS_8BIT=eight, **outputs)
    for name, operation in SkyViewSet.RESULTS.items():
        assert bands(results[name]) == bands(files[operation])


def test_openness(run, expected, tmp_path):
    eight, files = expected
    for index, operation in enumerate(["openness_positive", "openness_negative"]):
        output = run("openness", OPNS_TYPE=index, SAVE_AS_8BIT=eight, OUTPUT=str(tmp_path / f"{index}.tif"))["OUTPUT"]
        assert bands(output) == bands(files[operation])


def test_several_from_one_reading(run, small, expected, tmp_path):
    eight, files = expected
    results = run("visualizations", SAVE_AS_8BIT=eight, FOLDER=str(tmp_path / "new" / "folder"))
    assert [bands(path) for path in results["OUTPUTS"]] == [
        bands(files[name]) for name in ("hillshade", "slope", "sky_view_factor", "openness_positive")]
    # Names are those of the command line as well.
    assert results["OUTPUTS"][0].endswith("small_HS_A315_H35_8bit.tif" if eight else "small_HS_A315_H35.tif")


@pytest.mark.parametrize("preset", catalog.PRESETS)
@pytest.mark.parametrize("eight", [False, True], ids=["values", "bytes"])
def test_preset(run, small, tmp_path, preset, eight):
    command("render", preset, small, tmp_path / "expected.tif", *(["--type", "uint8"] if eight else []))
    output = run("preset", BLEND_COMBINATION=catalog.PRESET_ORDER.index(preset), SAVE_AS_8BIT=eight)["OUTPUT"]
    assert bands(output) == bands(tmp_path / "expected.tif")


def test_terrain_and_changes(run, small, tmp_path):
    command("render", "vat", small, tmp_path / "expected.tif", "--terrain", "flat", "-p", "hillshade.azimuth=300")
    output = run("preset", BLEND_COMBINATION=0, TERRAIN_TYPE=1, PARAMETERS="hillshade.azimuth=300")["OUTPUT"]
    assert bands(output) == bands(tmp_path / "expected.tif")


def test_several_with_a_terrain(run, small, tmp_path):
    command("visualize", "slope", small, tmp_path / "expected.tif", "--terrain", "steep", "--type", "uint8")
    index = list(catalog.PICTURES).index("slope")
    results = run("visualizations", VISUALIZATIONS=[index], TERRAIN=3, SAVE_AS_8BIT=True, FOLDER=str(tmp_path / "f"))
    assert bands(results["OUTPUTS"][0]) == bands(tmp_path / "expected.tif")


def test_plan(run):
    plan = run("plan")
    assert plan["RADIUS"] == 10 and plan["TILES"] > 0 and json.loads(plan["PLAN"])["steps"]


@pytest.mark.parametrize("name, parameters, golden", [
    ("slope", {}, "slope_degree"), ("hillshade", {}, "hillshade"), ("slrm", {}, "slrm"), ("msrm", {}, "msrm"),
    ("skyviewfactor", {}, "svf"), ("openness", {}, "openness_pos"), ("openness", {"OPNS_TYPE": 1}, "openness_neg"),
    ("anisotropicsvf", {"COMPATIBILITY": 1}, "asvf"), ("localdominance", {}, "local_dominance"),
    ("mstp", {"COMPATIBILITY": 1}, "mstp"), ("preset", {}, "blend_vat_combined_fixed"),
    ("preset", {"COMPATIBILITY": 1}, "blend_vat_combined_rvt"), ("slope", {"SAVE_AS_8BIT": True}, "8bit_slope"),
])
def test_numbers_are_those_of_rvt(run, tmp_path, name, parameters, golden):
    """RVT's own results, within the tolerance that their list names."""
    goldens = ROOT / "tests" / "data" / "goldens"
    manifest = json.loads((goldens / "manifest.json").read_text())["goldens"]
    (entry,) = [entry for entry in manifest if entry["id"] == f"tm1_256__{golden}"]
    # A copy: QGIS writes statistics beside rasters.
    elevations = shutil.copy(goldens / "dem_tm1_256.tif", tmp_path)
    output = run(name, INPUT=elevations, **parameters)["OUTPUT"]
    found, expected = (gdal.Open(str(path)).ReadAsArray().astype(float) for path in (output, goldens / entry["file"]))
    above = (numpy.abs(found - expected) > entry["atol"]).mean()
    assert above <= entry["allowed_fraction_above_atol"]
