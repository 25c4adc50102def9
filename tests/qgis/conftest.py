"""What the tests of the QGIS plugin share. scripts/test-qgis.sh sets the environment."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from osgeo import gdal, osr

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "qgis_plugin"
DEM = ROOT / "tests" / "data" / "TM1_564_146.tif"
BUILT = Path(os.environ["TERRALUME_BUILT"])

sys.path[:0] = ["/usr/share/qgis/python/plugins", str(PLUGINS)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Layers in the frames of a failed test can outlive QGIS, which then crashes: the failure is told at once."""
    report = yield
    if report.failed:
        item.config.get_terminal_writer().line(f"\n{report.nodeid}\n{report.longrepr}")
    return report


def command(*arguments):
    """Runs the program; its files are what the plugin must give."""
    return subprocess.run([BUILT / "terralume", *map(str, arguments)], check=True, capture_output=True, text=True)


def bands(path):
    """All cells of a raster as bytes: equal means bit for bit."""
    raster = gdal.Open(str(path))
    assert raster is not None, path
    return [raster.GetRasterBand(number + 1).ReadAsArray().tobytes() for number in range(raster.RasterCount)]


def write_raster(path, cells, crs=3794, cell=0.5):
    """A raster of numbers, one array per band."""
    cells = numpy.atleast_3d(numpy.asarray(cells, dtype=numpy.float32).T).T
    count, rows, columns = cells.shape
    raster = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, count, gdal.GDT_Float32)
    raster.SetGeoTransform([500000, cell, 0, 100000, 0, -cell])
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(crs)
    raster.SetProjection(reference.ExportToWkt())
    for number, band in enumerate(cells, 1):
        raster.GetRasterBand(number).WriteArray(band)
    raster = None
    return str(path)


def many_dates(folder):
    """The DEM as if it had been taken every day of a year: work for a while."""
    folder.mkdir()
    days = [folder / f"dem_2018{1 + number // 28:02}{1 + number % 28:02}.tif" for number in range(300)]
    for day in days:
        day.symlink_to(DEM)
    return days


def fresh_profile(folder, plugin=PLUGINS / "terralume"):
    """The environment of a QGIS that has never run, with the plugin and nothing else: no locale, no settings."""
    profile = folder / "config" / "profiles" / "default"
    (profile / "python" / "plugins").mkdir(parents=True)
    (profile / "python" / "plugins" / "terralume").symlink_to(plugin)
    (profile / "QGIS").mkdir()
    (profile / "QGIS" / "QGIS3.ini").write_text("[PythonPlugins]\nterralume=true\n")
    return {**os.environ, "QGIS_CUSTOM_CONFIG_PATH": str(folder / "config"), "HOME": str(folder)}


def qgis_process(environment, *arguments):
    """Runs qgis_process; Debian 12's wrapper around it passes an argument that it does not know."""
    return subprocess.run(
        ["qgis_process.bin", *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=120)


#: What a sentence with a next step has.
NEXT_STEP = re.compile(
    r"; (allowed|choose|export|save|free|set|install|fill|reproject)|: update |Incorrect parameter value for")


def refused(run, name="slope", **parameters):
    """The text with which an algorithm refuses, in its check or in its run."""
    from qgis.core import QgsProcessingException
    with pytest.raises(QgsProcessingException) as caught:
        run(name, **parameters)
    text = str(caught.value).removeprefix("Unable to execute algorithm").strip()
    assert "Traceback" not in text and "\n" not in text and NEXT_STEP.search(text), text
    return text


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """A fresh profile for several runs."""
    return fresh_profile(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A part of the bundled DEM: 256 x 256 cells."""
    path = tmp_path_factory.mktemp("elevations") / "small.tif"
    gdal.Translate(str(path), str(DEM), srcWin=[380, 180, 256, 256])
    return str(path)


@pytest.fixture(scope="session")
def provider(qgis_app, qgis_processing):
    """The plugin as QGIS starts it in programs without windows."""
    from qgis.core import QgsApplication
    from terralume import classFactory

    plugin = classFactory(None)
    plugin.initProcessing()
    yield QgsApplication.processingRegistry().providerById("terralume")
    plugin.unload()


@pytest.fixture
def feedback(qgis_app):
    """Keeps what an algorithm says."""
    from qgis.core import QgsProcessingFeedback

    class Feedback(QgsProcessingFeedback):
        def __init__(self):
            super().__init__(False)
            self.said, self.stages, self.shares = [], [], []
            self.progressChanged.connect(self.shares.append)

        def setProgressText(self, text):
            self.stages.append(text)

        def pushInfo(self, text):
            self.said.append(text)

        def pushWarning(self, text):
            self.said.append("warning: " + text)

        def reportError(self, text, fatal=False):
            self.said.append("error: " + text)

    return Feedback()


@pytest.fixture
def run(provider, small, tmp_path, feedback):
    """Runs an algorithm by name, on the small DEM unless told otherwise."""
    import processing
    from qgis.core import QgsProcessingException

    def run_algorithm(name, **parameters):
        given = {"INPUT": small, **parameters}
        if provider.algorithm(name).parameterDefinition("OUTPUT") and "OUTPUT" not in given:
            given["OUTPUT"] = str(tmp_path / f"{name}.tif")
        try:
            return processing.run(f"terralume:{name}", given, feedback=feedback)
        except QgsProcessingException as error:
            said = str(error)
        # The error itself holds layers, by way of its frames; they must not outlive QGIS.
        raise QgsProcessingException(said)

    return run_algorithm


@pytest.fixture
def loaded(provider, small, tmp_path, feedback, qgis_new_project):
    """Runs an algorithm as the toolbox does, and loads its results."""
    from processing.gui.Postprocessing import handleAlgorithmResults
    from qgis.core import (
        QgsApplication,
        QgsProcessingContext,
        QgsProcessingOutputLayerDefinition,
        QgsProject,
        QgsRasterLayer,
    )

    elevations = QgsRasterLayer(small, "hill")
    QgsProject.instance().addMapLayer(elevations)
    numbers = itertools.count()

    def run_and_load(name, output="OUTPUT", **parameters):
        context = QgsProcessingContext()
        context.setProject(QgsProject.instance())
        context.setFeedback(feedback)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"terralume:{name}")
        if algorithm.parameterDefinition(output):
            # QGIS does not load a file again that is a layer already.
            destination = str(tmp_path / f"{name}{next(numbers)}.tif")
            parameters = {output: QgsProcessingOutputLayerDefinition(destination, QgsProject.instance()), **parameters}
        results, fine = algorithm.run({"INPUT": elevations, **parameters}, context, feedback)
        assert fine, feedback.said
        known = set(QgsProject.instance().mapLayers())
        handleAlgorithmResults(algorithm, context, feedback)
        added = set(QgsProject.instance().mapLayers()) - known
        return [QgsProject.instance().mapLayer(identity) for identity in added], results

    return run_and_load
