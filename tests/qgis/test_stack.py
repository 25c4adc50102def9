"""The group Raster stack: what the command line writes, from layers, tables of names and patterns."""

import itertools
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, bands, command, many_dates, qgis_process, refused
from osgeo import gdal
from qgis.core import QgsProject, QgsRasterLayer, QgsSingleBandPseudoColorRenderer
from terralume import catalog

#: A copy: QGIS writes statistics beside rasters.
SCENES = Path(shutil.copytree(ROOT / "tests" / "data" / "stack" / "scenes", "scenes", dirs_exist_ok=True)).absolute()
SERIES = SCENES / "l8ny18"
BGR = SCENES / "bgr.tif"
RED, NIR, QA = (SERIES / f"L8_013032_20180710_{band}.tif" for band in ("B4", "B5", "BQA"))
ALL_RED = sorted(SERIES.glob("*_B4.tif"))
OTHER_GRID = SCENES / "originals" / "LC08_L1TP_014031_20180106_B4.TIF"
NDVI = "(nir - red) / (nir + red)"
#: Named inputs as rows of the table, and as the command line has them.
TABLE = ["red", str(SERIES / "*_B4.tif"), "", "nir", str(SERIES / "*_B5.tif"), "1", "qa", str(SERIES / "*_BQA.tif"), ""]
PATTERNS = ["-i", f"red={SERIES}/*_B4.tif", "-i", f"nir={SERIES}/*_B5.tif:1", "-i", f"qa={SERIES}/*_BQA.tif"]
CLOUDS = "qa: landsat_c1:cloud,fill"


def texts(paths):
    return [str(path) for path in paths]


@pytest.fixture
def same(run, tmp_path):
    """Compares an algorithm with the command line; OUT stands for the output."""
    numbers = itertools.count()

    def compare(name, parameters, *arguments):
        expected = tmp_path / f"expected{next(numbers)}.tif"
        command(*(expected if argument == "OUT" else argument for argument in arguments))
        output = run(name, **{"INPUT": None, "OUTPUT": str(expected) + ".qgis.tif", **parameters})["OUTPUT"]
        assert bands(output) == bands(expected)
        found, wanted = (gdal.Open(str(path)) for path in (output, expected))
        for number in range(1, wanted.RasterCount + 1):
            mine, theirs = found.GetRasterBand(number), wanted.GetRasterBand(number)
            assert mine.DataType == theirs.DataType and mine.GetDescription() == theirs.GetDescription()
            assert repr(mine.GetNoDataValue()) == repr(theirs.GetNoDataValue())
        return output

    return compare


# ---- every algorithm with its defaults

def test_calc(same):
    same("calc", {"INPUT": [str(NIR), str(RED)], "INPUT_NAMES": "nir, red", "EXPR": NDVI},
         "calc", NDVI, "OUT", "-i", f"nir={NIR}", "-i", f"red={RED}")


def test_normdiff(same):
    same("normdiff", {"INPUT_A": str(RED), "INPUT_B": str(NIR)},
         "calc", "nd(a, b)", "OUT", "-i", f"a={RED}", "-i", f"b={NIR}")
    same("normdiff", {"INPUT_A": str(BGR), "INPUT_B": str(BGR), "BAND_B": 3, "NODATA": "0", "TYPE": 9},
         "calc", "nd(a, b)", "OUT", "-i", f"a={BGR}:1", "-i", f"b={BGR}:3", "--nodata", "0", "--type", "float64")


def test_rescale(same):
    same("rescale", {"INPUT": str(BGR)}, "rescale", BGR, "OUT")


def test_mask(same):
    same("mask", {"INPUT": str(BGR), "MASK": "X[1] < 9000"}, "mask", BGR, "OUT", "--mask", "X[1] < 9000")


def test_reduce(same):
    output = same("reduce", {"INPUT": texts(reversed(ALL_RED))}, "reduce", *ALL_RED, "OUT")
    assert gdal.Open(output).RasterCount == 1


@pytest.mark.parametrize("form", ["csv", "json"])
def test_statistics(run, tmp_path, form):
    files = [*ALL_RED, BGR]
    command("statistics", *files, "-o", tmp_path / "expected", "--as", form)
    expected = (tmp_path / "expected").read_text()
    for number, more in enumerate(({}, {"AS": ["csv", "json"].index(form)})):
        # The form is that of the name, unless one is chosen.
        output = tmp_path / (f"table.{form}" if not more else f"table{number}.txt")
        results = run("statistics", INPUT=texts(files), OUTPUT=str(output), **more)
        assert results["OUTPUT"] == str(output) and output.read_text() == expected


# ---- parameters

@pytest.mark.parametrize("name, parameters, arguments", [
    ("calc", {"INPUT": [str(BGR)], "INPUT_NAMES": "scene", "SENSOR": 0, "MASK": "red > 12000", "WHERE_MASKED": -1,
              "EXPR": "a = green - red;\nb = max(green, blue)", "TYPE": 3, "DST_NODATA": "-9999", "FORMAT": 1,
              "CREATION_OPTIONS": "COMPRESS=LZW", "THREADS": 1, "MEMORY_MB": 64},
     ["calc", "a = green - red; b = max(green, blue)", "OUT", "-i", f"scene={BGR}", "--sensor", "bgr", "--mask",
      "red > 12000", "--where-masked", "-1", "--type", "int16", "--dst-nodata", "-9999"]),
    ("calc", {"INPUTS": ["red", str(RED), "", "nir", str(NIR), "1"], "EXPR": "coalesce(ndvi(), 0)", "NODATA_RULE": 1,
              "NODATA": "nan"},
     ["calc", "coalesce(ndvi(), 0)", "OUT", "-i", f"red={RED}", "-i", f"nir={NIR}:1", "--nodata-rule", "lazy",
      "--nodata", "nan"]),
    ("rescale", {"INPUT": str(BGR), "SRC_NODATA": "0, 65535", "DST_NODATA": "65535", "SCALE": 1e-4, "OFFSET": 0.5,
                 "MIN": 0, "MAX": 1, "TYPE": 9},
     ["rescale", BGR, "OUT", "--src-nodata", "0,65535", "--dst-nodata", "65535", "--scale", "0.0001", "--offset",
      "0.5", "--min", "0", "--max", "1", "--type", "float64"]),
    ("mask", {"INPUT": str(RED), "INPUTS": ["qa", str(QA), ""], "MASK": "qa: bits 4\nqa: bits 5-6 >= 2", "DILATE": 2,
              "MASK_OUTSIDE": 1, "WHERE_MASKED": 0},
     ["mask", RED, "-i", f"qa={QA}", "OUT", "--mask", "qa: bits 4", "--mask", "qa: bits 5-6 >= 2", "--dilate", "2",
      "--mask-outside", "keep", "--where-masked", "0"]),
    ("reduce", {"INPUTS": TABLE, "EXPR": NDVI, "MASK": CLOUDS, "STAT": "mean,p90,count", "GROUP": "season",
                "MIN_COUNT": 2, "MERGE_SAME": 0, "MERGE": 1},
     ["reduce", *PATTERNS, "OUT", "--expr", NDVI, "--mask", CLOUDS, "--stat", "mean,p90,count", "--group", "season",
      "--min-count", "2", "--merge-same", "day", "--merge", "mean"]),
    ("reduce", {"INPUT": texts(ALL_RED[:4]), "GRID_OF": str(OTHER_GRID), "RESAMPLE": 1, "STAT": "which_max(day)",
                "DATE_REGEX": r"_(\d{8})_", "DATE_FORMAT": "%Y%m%d", "UNSCALE": True, "SKIP_BAD": True, "MAX_OPEN": 2},
     ["reduce", *ALL_RED[:4], "OUT", "--grid-of", OTHER_GRID, "--resample", "bilinear", "--stat", "which_max(day)",
      "--unscale"]),
])
def test_parameters_reach_the_library(same, name, parameters, arguments):
    same(name, parameters, *arguments)


def test_blocks_and_histograms(run, tmp_path):
    command("statistics", BGR, "-o", tmp_path / "expected.csv", "--block", "50", "--stat", "p10,count",
            "--histogram", "4,0,20000")
    run("statistics", INPUT=[str(BGR)], OUTPUT=str(tmp_path / "found.csv"), BLOCK=50, STAT="p10,count",
        HISTOGRAM="4,0,20000")
    assert (tmp_path / "found.csv").read_text() == (tmp_path / "expected.csv").read_text()


def test_every_option_of_the_registry_is_a_parameter(provider):
    from terralume import stack_options as stack
    for name, described in catalog.STACK_COMMANDS.items():
        known = {item.name() for item in provider.algorithm(name).parameterDefinitions()}
        assert not {stack.parameter_name(option) for option in set(described["options"]) - stack.LEFT_OUT} - known
        assert provider.algorithm(name).displayName() == described["title"]
        assert set(stack.UNFOLDED[name]) <= {*described["options"], "expr"}
    assert stack.LEFT_OUT <= set(catalog.STACK_OPTIONS) | set(catalog.OPTIONS)


def test_help_explains_the_language(provider):
    text = provider.algorithm("calc").shortHelpString()
    for word in ("coalesce(a, b, ...)", "ndvi(red, nir)", "_pi", "a where c is not 0"):
        assert word in text
    assert "landsat_c2" in provider.algorithm("mask").shortHelpString()
    assert "year-season" in provider.algorithm("reduce").shortHelpString()


# ---- names of inputs

def test_layers_are_called_as_in_the_project(run, same, tmp_path, qgis_new_project):
    layers = [QgsRasterLayer(str(path), name) for path, name in ((RED, "red 2018/07"), (NIR, "4 nir"))]
    QgsProject.instance().addMapLayers(layers)
    expected = ["calc", "a / b", "OUT", "-i", f"a={RED}", "-i", f"b={NIR}"]
    same("calc", {"INPUT": layers, "EXPR": '"red 2018_07" / "_4 nir"'}, *expected)
    # The same layers in the table, by name and by id.
    same("calc", {"INPUTS": ["a", layers[0].id(), "", "b", "4 nir", ""], "EXPR": "a / b"}, *expected)


def test_a_layer_on_the_fly_is_an_input(run, same, small, qgis_new_project):
    layer = run("livelayer", INPUT=small, OUTPUT=None, VISUALIZATION=0)["LAYER"]
    assert "\n" in layer.source()
    slope = run("slope", INPUT=small)["OUTPUT"]
    same("calc", {"INPUT": [layer], "EXPR": "2 * X", "INPUT_NAMES": "X"}, "calc", "2 * X", "OUT", "-i", f"X={slope}")
    QgsProject.instance().addMapLayer(layer)
    same("calc", {"INPUTS": ["X", layer.id(), ""], "EXPR": "2 * X"}, "calc", "2 * X", "OUT", "-i", f"X={slope}")


# ---- models, batches, the shell

def test_a_model(run, same, provider, small, tmp_path, feedback, qgis_new_project):
    from qgis.core import QgsProcessingModelChildParameterSource as Source
    from test_models import child, model_of, run_model
    first = child("terralume:slope", "first", None, INPUT=Source.fromModelParameter("DEM"))
    second = child("terralume:calc", "last", None, INPUT_NAMES=Source.fromStaticValue("slope"),
                   EXPR=Source.fromStaticValue("slope > 20"), TYPE=Source.fromStaticValue(0))
    second.addParameterSources("INPUT", [Source.fromChildOutput("first", "OUTPUT")])
    run_model(model_of(first, second), small, str(tmp_path / "out.tif"), feedback)
    slope = run("slope", INPUT=small)["OUTPUT"]
    command("calc", "slope > 20", tmp_path / "expected.tif", "-i", f"slope={slope}", "--type", "uint8")
    assert bands(tmp_path / "out.tif") == bands(tmp_path / "expected.tif")


def test_a_batch(run, provider, tmp_path):
    algorithm = provider.algorithm("rescale")
    defaults = {item.name(): item.defaultValue() for item in algorithm.parameterDefinitions()}
    for path in (RED, NIR):
        run("rescale", **{**defaults, "INPUT": str(path), "SCALE": 2, "OUTPUT": str(tmp_path / path.name)})
        command("rescale", path, tmp_path / "expected.tif", "--scale", "2", "--overwrite")
        assert bands(tmp_path / path.name) == bands(tmp_path / "expected.tif")


def test_in_qgis_process(environment, tmp_path):
    said = qgis_process(environment, "run", "terralume:reduce", "--", *(f"INPUT={path}" for path in ALL_RED),
                        "STAT=median", f"OUTPUT={tmp_path / 'out.tif'}")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "19 images" in said.stdout and "Traceback" not in said.stdout + said.stderr
    command("reduce", *ALL_RED, tmp_path / "expected.tif", "--stat", "median")
    assert bands(tmp_path / "out.tif") == bands(tmp_path / "expected.tif")


# ---- progress, notes, results

def test_what_was_done_is_told(run, feedback):
    run("calc", INPUT=texts([RED, NIR]), INPUT_NAMES="red,nir", EXPR="nir / (red - red)")
    assert any("divided by zero" in text for text in feedback.said)
    assert f"Input: red={RED}" in feedback.said
    assert feedback.shares == sorted(feedback.shares) and feedback.shares[-1] == 100
    assert feedback.stages == ["Opening", "Computing", "Finishing", "Done"]


def test_names_style_and_history(loaded):
    (layer,), _ = loaded("normdiff", INPUT=None, INPUT_A=str(RED), INPUT_B=str(NIR))
    assert layer.name().startswith("Normalised difference (")
    renderer = layer.renderer()
    assert isinstance(renderer, QgsSingleBandPseudoColorRenderer)
    assert (renderer.classificationMin(), renderer.classificationMax()) == (-1, 1)
    items = renderer.shader().rasterShaderFunction().colorRampItemList()
    assert items[0].color.red() > items[0].color.green() and items[-1].color.green() > items[-1].color.red()
    (layer,), _ = loaded("reduce", INPUT=texts(ALL_RED), STAT="mean,max")
    assert layer.name() == "Reduce over time (mean, max)"
    (history,) = layer.metadata().history()
    assert "'stat': 'mean,max'" in history and str(ALL_RED[0]) in history


# ---- what can go wrong

def test_bad_input(run, tmp_path):
    def text(name, **parameters):
        return refused(run, name, **{"INPUT": None, **parameters})

    pair = {"INPUT": texts([RED, NIR]), "INPUT_NAMES": "red,nir"}
    assert "no raster is given" in text("calc", EXPR="1")
    assert "green" in text("calc", **pair, EXPR="green / red")
    assert "column" in text("calc", **pair, EXPR="red +")
    assert "not used" in text("calc", **pair, EXPR="red")
    assert "1 names for 2 rasters" in text("calc", INPUT=pair["INPUT"], INPUT_NAMES="red", EXPR="red")
    assert "'L8_" in text("calc", INPUT=texts([RED, RED]), EXPR="1")
    assert "Incorrect parameter value for INPUT" in text("calc", INPUT=[str(RED), "/nowhere.tif"], EXPR="1")
    assert "no file matches" in text("reduce", INPUTS=["a", "/nowhere/*.tif", ""])
    assert "has no raster" in text("reduce", INPUTS=["a", "", ""])
    assert "grid" in text("calc", INPUT=texts([RED, BGR]), INPUT_NAMES="a,b", EXPR="a + b[1]")
    assert "has no date" in text("reduce", INPUT=[str(BGR), str(SCENES / "ndvi.tif")])
    assert "statistic" in text("reduce", INPUT=texts(ALL_RED), STAT="meen")
    assert "statistic" in text("statistics", INPUT=texts(ALL_RED), STAT="mode", OUTPUT=str(tmp_path / "t.csv"))
    assert "at least 1" in text("reduce", INPUT=texts(ALL_RED), MIN_COUNT=0)
    assert "whole number" in text("statistics", INPUT=[str(BGR)], BLOCK=0, OUTPUT=str(tmp_path / "t.csv"))
    assert "is the input" in text("rescale", INPUT=str(copy_of(BGR, tmp_path)), OUTPUT=str(tmp_path / BGR.name))
    assert "does not exist" in text("mask", INPUT=str(BGR), MASK="X[1] > 1", OUTPUT="/proc/nowhere/out.tif")
    assert "memory" in text("reduce", INPUT=texts(ALL_RED), MEMORY_MB=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [BGR.name]


def copy_of(path, folder):
    copied = folder / path.name
    copied.write_bytes(path.read_bytes())
    return copied


def test_a_layer_that_is_not_gdals(run, qgis_new_project):
    layer = QgsRasterLayer("type=xyz&url=file:///nowhere/{x}{y}{z}.png&zmax=3", "map", "wms")
    QgsProject.instance().addMapLayer(layer)
    assert "not from GDAL" in refused(run, "rescale", INPUT=layer)
    assert "not from GDAL" in refused(run, "calc", INPUT=[layer], EXPR="1")
    assert "not from GDAL" in refused(run, "reduce", INPUT=None, INPUTS=["a", layer.id(), ""])


def test_a_damaged_file_is_named_or_left_out(run, same, tmp_path, feedback):
    files = [copy_of(path, tmp_path) for path in ALL_RED[:3]]
    files[1].write_bytes(b"no raster")
    assert files[1].name in refused(run, "statistics", INPUT=None, INPUTS=["", str(tmp_path / "L8*.tif"), ""],
                                    OUTPUT=str(tmp_path / "t.csv"))
    same("reduce", {"INPUTS": ["", str(tmp_path / "L8*.tif"), ""], "SKIP_BAD": True},
         "reduce", files[0], files[2], "OUT")
    assert any("could not be read" in text and files[1].name in text for text in feedback.said)


@pytest.mark.parametrize("name, stage, parameters", [
    ("reduce", "Opening", {}), ("reduce", "Computing", {"STAT": "median,p10,p90,mode"}),
    ("statistics", "Opening", {}), ("statistics", "Reading", {"STAT": "median", "EXPR": "sqrt(X) ^ 1.5"}),
])
def test_cancel_leaves_nothing(run, feedback, tmp_path, name, stage, parameters):
    from qgis.core import QgsProcessingException
    many_dates(tmp_path / "in")
    (tmp_path / "out").mkdir()
    tell = feedback.setProgressText

    def tell_and_cancel(text):
        tell(text)
        if text == stage:
            feedback.cancel()

    feedback.setProgressText = tell_and_cancel
    with pytest.raises(QgsProcessingException, match="Cancelled; no output was written"):
        run(name, INPUT=None, INPUTS=["", str(tmp_path / "in" / "*.tif"), ""], **parameters,
            OUTPUT=str(tmp_path / "out" / "out.tif"))
    assert feedback.stages[-1] == stage
    assert list((tmp_path / "out").iterdir()) == []
