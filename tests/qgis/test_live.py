"""Layers on the fly: right at every place and zoom, saved with the project, written out as a file."""

import numpy
import pytest
from conftest import bands, command
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProcessingContext,
    QgsProject,
    QgsRaster,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize


@pytest.fixture
def dem(tmp_path):
    """A copy of the whole DEM."""
    from conftest import DEM
    path = tmp_path / "elevations" / "dem.tif"
    path.parent.mkdir()
    path.write_bytes(DEM.read_bytes())
    return str(path)


@pytest.fixture
def live(run, dem, qgis_new_project):
    """Makes a layer."""
    def make(**parameters):
        return made_layer(run("livelayer", INPUT=dem, **{"OUTPUT": None, **parameters}))
    return make


def made_layer(results):
    """The layer among results: itself, or its file."""
    layer = results["LAYER"]
    layer = QgsRasterLayer(layer, "live") if isinstance(layer, str) else layer
    assert layer.isValid() and layer.source() == results["SOURCE"]
    return layer


def cells(layer, extent, columns, rows):
    """What a layer gives for a map of this size."""
    block = layer.dataProvider().block(1, extent, columns, rows)
    assert block.isValid() and not layer.dataProvider().error().message()
    return numpy.frombuffer(bytes(block.data()), dtype=numpy.float32).reshape(rows, columns)


def test_cells_are_those_of_the_file(live, dem, tmp_path):
    command("visualize", "svf", dem, tmp_path / "file.tif", "-p", "radius=20")
    file, layer = QgsRasterLayer(str(tmp_path / "file.tif"), "file"), live(PARAMETERS="radius=20")
    whole = gdal.Open(str(tmp_path / "file.tif")).ReadAsArray()
    extent = layer.extent()
    assert extent == file.extent() and layer.crs() == file.crs()
    assert (cells(layer, extent, 1000, 1000) == whole).all()
    # A window from the middle, its edges included.
    size = layer.rasterUnitsPerPixelX()
    part = QgsRectangle(extent.xMinimum() + 300 * size, extent.yMinimum() + 200 * size,
                        extent.xMinimum() + 500 * size, extent.yMinimum() + 350 * size)
    assert (cells(layer, part, 200, 150) == whole[650:800, 300:500]).all()
    for column, row in ((0, 0), (511, 511), (512, 512), (999, 999)):
        point = QgsPointXY(extent.xMinimum() + (column + 0.5) * size, extent.yMaximum() - (row + 0.5) * size)
        found = layer.dataProvider().identify(point, QgsRaster.IdentifyFormatValue)
        assert found.isValid() and numpy.float32(found.results()[1]) == whole[row, column]


def test_three_zooms(live, dem):
    """Zoomed out it is the picture at that scale: of a 20 m window, not every fourth cell of a fine one."""
    layer = live(PARAMETERS="radius=20")
    shown = [cells(layer, layer.extent(), side, side) for side in (1000, 500, 250)]
    assert all(numpy.isfinite(cells).all() for cells in shown)
    means = [float(cells.mean()) for cells in shown]
    assert max(means) - min(means) < 0.02, means


def test_two_layers_drawn_at_once(live):
    layers = [live(), live(VISUALIZATION=2, SAVE_AS_8BIT=True)]
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setExtent(layers[0].extent())
    settings.setOutputSize(QSize(400, 400))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors()
    image = job.renderedImage()
    assert len({image.pixel(x, y) for x in range(0, 400, 7) for y in range(0, 400, 7)}) > 50


@pytest.mark.parametrize("path", [None, "live.vrt"])
def test_project_round_trip(live, tmp_path, path):
    layer = live(OUTPUT=path and str(tmp_path / path))
    expected = cells(layer, layer.extent(), 100, 100)
    QgsProject.instance().addMapLayer(layer)
    assert QgsProject.instance().write(str(tmp_path / "project.qgz"))
    QgsProject.instance().clear()
    assert QgsProject.instance().read(str(tmp_path / "project.qgz"))
    (again,) = QgsProject.instance().mapLayers().values()
    assert again.isValid() and (cells(again, again.extent(), 100, 100) == expected).all()


def test_adding_it_computes_nothing(run, provider, tmp_path, small, qgis_new_project):
    """Elevations that count how often they are read."""
    gdal.SetConfigOption("GDAL_VRT_ENABLE_PYTHON", "YES")
    counter = tmp_path / "counter"
    counter.write_text("")
    code = f"""
import numpy
def count(inputs, output, *rest):
    open({str(counter)!r}, "a").write("x")
    output[:] = inputs[0]
"""
    description = gdal.Translate("", small, format="VRT").GetMetadata("xml:VRT")[0]
    description = description.replace('band="1"', 'band="1" subClass="VRTDerivedRasterBand"').replace(
        "<SimpleSource>", "<PixelFunctionType>count</PixelFunctionType><PixelFunctionLanguage>Python"
        f"</PixelFunctionLanguage><PixelFunctionCode><![CDATA[{code}]]></PixelFunctionCode><SimpleSource>")
    elevations = tmp_path / "counting.vrt"
    elevations.write_text(description)
    dem = QgsRasterLayer(str(elevations), "elevations")
    before = counter.stat().st_size
    layer = made_layer(run("livelayer", INPUT=dem, OUTPUT=None))
    layer.setDefaultContrastEnhancement()
    QgsProject.instance().addMapLayer(layer)
    assert counter.stat().st_size == before
    cells(layer, layer.extent(), 256, 256)
    assert counter.stat().st_size > before
    gdal.SetConfigOption("GDAL_VRT_ENABLE_PYTHON", None)


def test_what_is_loaded_is_styled(provider, dem, feedback, qgis_new_project):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("terralume:livelayer")
    results, fine = algorithm.run({"INPUT": dem}, context, feedback)
    assert fine, feedback.said
    from processing.gui.Postprocessing import handleAlgorithmResults
    handleAlgorithmResults(algorithm, context, feedback)
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.name() == "Sky-view factor - dem" and layer.isValid()
    assert layer.renderer().contrastEnhancement().minimumValue() == 0.6375
    assert results["SOURCE"] == layer.source()


def test_recipes_and_terrains(live, dem, tmp_path):
    own = tmp_path / "own.json"
    own.write_text('{"terralume_recipe": 1, "layers": [{"operation": "slope", "min": 0, "max": 30, "invert": true}]}')
    command("render", own, dem, tmp_path / "own.tif", "--fill", "idw")
    layer = live(PRESET_FILE=str(own), FILL_NODATA=1)
    expected = gdal.Open(str(tmp_path / "own.tif")).ReadAsArray()
    assert (cells(layer, layer.extent(), 1000, 1000) == expected).all()


def test_materialize(run, live, dem, tmp_path):
    command("render", "vat", dem, tmp_path / "expected.tif", "--type", "uint8", "--terrain", "steep")
    from terralume import catalog
    index = list(catalog.PICTURES).index("vat")
    layer = live(VISUALIZATION=index, TERRAIN=3, SAVE_AS_8BIT=True)
    output = run("materialize", INPUT=layer, CREATION_OPTIONS="COMPRESS=LZW")["OUTPUT"]
    assert bands(output) == bands(tmp_path / "expected.tif")
    written = gdal.Open(output)
    assert written.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE") == "LZW"
    assert written.GetRasterBand(1).GetBlockSize() == [512, 512]


def test_as_input_of_another_algorithm(run, live):
    """Its cells are elevations to whom they are given."""
    output = run("normalize", INPUT=live(VISUALIZATION=2), NORM=0, MIN=0, MAX=1)["OUTPUT"]
    assert gdal.Open(output).RasterXSize == 1000
