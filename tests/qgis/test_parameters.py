"""Dialogs and scripts: names, defaults, help, and parameters that reach the library."""

import pytest
from conftest import DEM, bands, command, write_raster
from qgis.core import QgsProcessingAlgorithm, QgsProcessingParameterDefinition, QgsProcessingParameterEnum

#: Names of parameters that scripts for rvt-qgis use.
RVT_NAMES = {
    "hillshade": "VE_FACTOR SUN_AZIMUTH SUN_ELEVATION SAVE_AS_8BIT",
    "multihillshade": "VE_FACTOR NUM_DIRECTIONS SUN_ELEVATION SAVE_AS_8BIT",
    "slope": "VE_FACTOR UNIT SAVE_AS_8BIT",
    "slrm": "VE_FACTOR RADIUS SAVE_AS_8BIT",
    "msrm": "VE_FACTOR FEATURE_MIN FEATURE_MAX SCALING_FACTOR SAVE_AS_8BIT",
    "mstp": "LOCAL_SCALE_MIN LOCAL_SCALE_MAX LOCAL_SCALE_STEP MESO_SCALE_MIN BROAD_SCALE_STEP LIGHTNESS SAVE_AS_8BIT",
    "skyviewfactor": "VE_FACTOR RADIUS NUM_DIRECTIONS NOISE_REMOVE SAVE_AS_8BIT",
    "anisotropicsvf": "RADIUS NUM_DIRECTIONS NOISE_REMOVE ANISOTROPY_LVL ANISOTROPY_DIR SAVE_AS_8BIT",
    "openness": "RADIUS NUM_DIRECTIONS NOISE_REMOVE OPNS_TYPE SAVE_AS_8BIT",
    "localdominance": "VE_FACTOR MIN_RADIUS MAX_RADIUS ANGULAR_RES OBSERVER_H SAVE_AS_8BIT",
    "preset": "BLEND_COMBINATION TERRAIN_TYPE SAVE_AS_8BIT",
    "fillnodata": "METHOD RADIUS POWER",
    "skyillumination": "SKY_MODEL NUM_DIRECTIONS SHADOW_DIST SHADOW_AZIMUTH SHADOW_ELEVATION SAVE_AS_8BIT",
}


#: What only the user can know: rasters, the formula of a calculation, what a mask leaves out.
GIVEN = {"INPUT", "INPUT_A", "INPUT_B", "EXPR", "MASK"}


def algorithms(provider):
    found = provider.algorithms()
    assert len(found) >= 30
    return found


def test_every_default_is_acceptable(provider):
    for algorithm in algorithms(provider):
        for item in algorithm.parameterDefinitions():
            mandatory = not item.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional
            if item.name() not in GIVEN and not item.isDestination() and (mandatory or item.defaultValue() is not None):
                assert item.checkValueIsAcceptable(item.defaultValue()), (algorithm.name(), item.name())
            if isinstance(item, QgsProcessingParameterEnum):
                assert not isinstance(item.defaultValue(), str) and not item.usesStaticStrings()


def test_formats_are_those_of_one_file(provider):
    for name in ("slope", "blend", "calc", "reduce"):
        found = [item for item in provider.algorithm(name).parameterDefinitions() if item.name() == "FORMAT"]
        assert [item.options() for item in found] == [["GTiff", "COG"]]
        assert "Zarr" not in found[0].help() and "COG" in found[0].help()


def test_names_are_those_of_rvt_qgis(provider):
    for name, parameters in RVT_NAMES.items():
        known = {item.name() for item in provider.algorithm(name).parameterDefinitions()}
        assert not set(parameters.split()) - known, name
    unit = provider.algorithm("slope").parameterDefinition("UNIT").options()
    assert unit == ["degree", "radian", "percent"]
    preset = provider.algorithm("preset").parameterDefinition("BLEND_COMBINATION").options()
    assert [title.split()[0] for title in preset[:3]] == ["Visualisation", "Prismatic", "City"]


def test_everything_is_explained(provider):
    for algorithm in algorithms(provider):
        assert algorithm.name().isalnum() and algorithm.name().islower()
        assert algorithm.group() in {"Visualisations", "Blending", "On the fly", "Raster stack", "Tools"}
        assert algorithm.shortDescription() and len(algorithm.tags()) > 7 and not algorithm.icon().isNull()
        assert algorithm.flags() & QgsProcessingAlgorithm.Flag.FlagCanCancel
        address, anchor = algorithm.helpUrl().replace("file://", "").split("#")
        assert f'id="{anchor}"' in open(address, encoding="utf-8").read()
        for item in algorithm.parameterDefinitions():
            assert item.help() or item.isDestination(), (algorithm.name(), item.name())
            assert item.description() != item.name()


def test_only_what_everybody_needs_is_unfolded(provider):
    folded = QgsProcessingParameterDefinition.Flag.FlagAdvanced
    definitions = provider.algorithm("skyviewfactor").parameterDefinitions()
    names = [item.name() for item in definitions if not item.flags() & folded]
    assert names == ["INPUT", "VE_FACTOR", "NUM_DIRECTIONS", "RADIUS", "NOISE_REMOVE", "SAVE_AS_8BIT", "OUTPUT"]


@pytest.mark.parametrize("name, parameters, arguments", [
    ("slope", {"VE_FACTOR": 0.5, "UNIT": 2}, ["slope", "-p", "vertical_exaggeration=0.5", "-p", "unit=percent"]),
    ("mstp", {"LIGHTNESS": 1.9}, ["mstp", "-p", "lightness=1.9"]),
    ("skyviewfactor", {"RADIUS": 7.5, "RADIUS_UNIT": 1, "NOISE_REMOVE": 2},
     ["svf", "-p", "radius=7.5m", "-p", "noise=medium"]),
    ("openness", {"OPNS_TYPE": 1, "RADIUS": 60}, ["openness_negative", "-p", "radius=60"]),
    ("skyillumination", {"SHADOW": True, "SHADOW_DIST": 50},
     ["sky_illumination", "-p", "shadow=true", "-p", "radius=50"]),
    ("hillshade", {"SAVE_AS_8BIT": True, "STRETCH": "percent:2,2"},
     ["hillshade", "--type", "uint8", "--stretch", "percent:2,2"]),
    ("anisotropicsvf", {"COMPATIBILITY": 1}, ["asvf", "--compat", "rvt"]),
])
def test_parameters_reach_the_library(run, small, tmp_path, name, parameters, arguments):
    command("visualize", arguments[0], small, tmp_path / "expected.tif", *arguments[1:])
    assert bands(run(name, **parameters)["OUTPUT"]) == bands(tmp_path / "expected.tif")
    defaults = run(name, SAVE_AS_8BIT=parameters.get("SAVE_AS_8BIT", False))["OUTPUT"]
    assert bands(defaults) != bands(tmp_path / "expected.tif")


def test_nodata_and_filling(run, small, tmp_path):
    from osgeo import gdal
    height = repr(float(gdal.Open(small).ReadAsArray()[100, 100]))
    command("visualize", "slope", small, tmp_path / "expected.tif", "--nodata", height)
    command("visualize", "slope", small, tmp_path / "filled.tif", "--nodata", height, "--fill", "idw")
    assert bands(run("slope", NODATA=float(height))["OUTPUT"]) == bands(tmp_path / "expected.tif")
    assert bands(run("slope", NODATA=float(height), FILL_NODATA=1)["OUTPUT"]) == bands(tmp_path / "filled.tif")
    assert bands(tmp_path / "filled.tif") != bands(tmp_path / "expected.tif") != bands(run("slope")["OUTPUT"])


def test_memory_threads_and_files_change_no_bit(run, tmp_path):
    expected = bands(run("skyviewfactor")["OUTPUT"])
    options = {"THREADS": 1, "MEMORY_MB": 64, "FORMAT": 1, "CREATION_OPTIONS": "COMPRESS=DEFLATE|LEVEL=1"}
    output = run("skyviewfactor", OUTPUT=str(tmp_path / "other.tif"), **options)["OUTPUT"]
    assert bands(output) == expected
    from osgeo import gdal
    assert gdal.Open(output).GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE") == "DEFLATE"
    assert gdal.Open(output).GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"


def test_what_a_file_says(run, tmp_path):
    """Overviews, colours, nodata, and where it comes from: whatever QGIS or another program makes of it."""
    import json
    from osgeo import gdal
    output = run("mstp", SAVE_AS_8BIT=True, OUTPUT=str(tmp_path / "colours.tif"))["OUTPUT"]
    raster = gdal.Open(output)
    colours = [raster.GetRasterBand(number).GetColorInterpretation() for number in (1, 2, 3)]
    assert colours == [gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand]
    assert raster.GetRasterBand(1).GetNoDataValue() == 0
    assert raster.GetRasterBand(1).GetBlockSize() == [512, 512]
    (layer,) = json.loads(raster.GetMetadataItem("TERRALUME_RECIPE"))["layers"]
    assert layer["operation"] == "multi_scale_topographic_position"
    slope = run("slope", INPUT=str(DEM), OVERVIEWS=True)["OUTPUT"]
    assert gdal.Open(slope).GetRasterBand(1).GetOverviewCount()
    stack = run("calc", INPUT=[slope], INPUT_NAMES="X", EXPR="X + 1", OVERVIEWS=True)["OUTPUT"]
    assert gdal.Open(stack).GetRasterBand(1).GetOverviewCount()
    assert gdal.Open(stack).GetMetadataItem("TERRALUME_EXPRESSION") == "X + 1"


def test_creation_options_have_gdals_widget(provider):
    for algorithm in algorithms(provider):
        item = algorithm.parameterDefinition("CREATION_OPTIONS")
        if item is None:
            assert algorithm.name() in ("livelayer", "statistics")
        else:
            assert "asteroptions" in str(item.metadata()["widget_wrapper"]).replace("RasterOptions", "rasteroptions")


def test_band_and_extent(run, small, tmp_path):
    from osgeo import gdal
    heights = gdal.Open(small).ReadAsArray()
    two = write_raster(tmp_path / "two.tif", [heights * 0, heights])
    one = write_raster(tmp_path / "one.tif", heights)
    expected = bands(run("slope", INPUT=one)["OUTPUT"])
    assert bands(run("slope", INPUT=two, BAND=2, OUTPUT=str(tmp_path / "b.tif"))["OUTPUT"]) == expected
    part = run("slope", INPUT=one, EXTENT="500010,500040,99950,99980", OUTPUT=str(tmp_path / "e.tif"))["OUTPUT"]
    raster = gdal.Open(part)
    assert (raster.RasterXSize, raster.RasterYSize) == (60, 60)
    whole = gdal.Open(str(tmp_path / "slope.tif")).ReadAsArray()
    assert (raster.ReadAsArray() == whole[40:100, 20:80]).all()
    assert raster.GetGeoTransform()[0] == 500010 and raster.GetGeoTransform()[3] == 99980


def test_unknown_names_are_told(run, feedback):
    run("slope", VE_FACTR=2)
    assert any("VE_FACTR" in text and "VE_FACTOR" in text for text in feedback.said if text.startswith("warning"))


def test_progress_never_falls_and_has_stages(run, feedback):
    run("normalize")
    assert feedback.shares == sorted(feedback.shares) and feedback.shares[-1] == 100
    assert feedback.stages == ["Opening", "Surveying", "Computing", "Finishing", "Done"]
