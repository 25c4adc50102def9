"""QGIS Server draws layers on the fly of a project, and tells their values."""

import os
import re
import subprocess
from urllib.parse import urlencode

import numpy
import pytest
from conftest import PLUGINS, command
from osgeo import gdal
from qgis.core import QgsProject
from qgis.PyQt.QtGui import QImage
from terralume import styles

SERVER = "/usr/lib/cgi-bin/qgis_mapserv.fcgi"
SIDE = 256
LIMITS = (0.5, 1)


@pytest.fixture
def project(run, small, tmp_path, qgis_new_project):
    """A saved project with one layer on the fly, and the request of a map with a pixel for each cell."""
    layer = run("livelayer", INPUT=small, OUTPUT=None)["LAYER"]
    layer.setName("sky")
    layer.setRenderer(styles.grey(layer.dataProvider(), LIMITS, False))
    QgsProject.instance().addMapLayer(layer)
    QgsProject.instance().setCrs(layer.crs())
    assert QgsProject.instance().write(str(tmp_path / "project.qgs"))
    extent = layer.extent()
    corners = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
    return {"MAP": tmp_path / "project.qgs", "SERVICE": "WMS", "VERSION": "1.1.1", "SRS": layer.crs().authid(),
            "LAYERS": "sky", "STYLES": "", "BBOX": ",".join(map(repr, corners)), "WIDTH": SIDE, "HEIGHT": SIDE}


def ask(query, plugins=PLUGINS):
    """What the server answers: head and body."""
    environment = {**os.environ, "QGIS_PLUGINPATH": str(plugins), "QUERY_STRING": urlencode(query),
                   "REQUEST_METHOD": "GET"}
    said = subprocess.run([SERVER], env=environment, capture_output=True, timeout=120, check=False)
    head, body = re.split(rb"\r?\n\r?\n", said.stdout, maxsplit=1)
    return head.decode(), body


@pytest.fixture
def values(small, tmp_path):
    """The cells that the program writes."""
    command("visualize", "svf", small, tmp_path / "file.tif")
    return gdal.Open(str(tmp_path / "file.tif")).ReadAsArray()


def test_a_map(project, values):
    head, body = ask({**project, "REQUEST": "GetMap", "FORMAT": "image/png"})
    assert "image/png" in head
    image = QImage.fromData(body)
    shown = numpy.array([[image.pixelColor(x, y).red() for x in range(SIDE)] for y in range(SIDE)])
    expected = numpy.clip((values - LIMITS[0]) / (LIMITS[1] - LIMITS[0]), 0, 1) * 255
    assert numpy.abs(shown - expected).max() <= 1


def test_values(project, values):
    for column, row in ((0, 0), (10, 20), (255, 128)):
        _, body = ask({**project, "REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "sky", "INFO_FORMAT": "text/xml",
                       "X": column, "Y": row})
        (value,) = re.findall(rb'value="([^"]+)"', body)
        assert float(value) == pytest.approx(values[row, column], abs=1e-5)


def test_without_the_plugin_there_is_no_map(project, tmp_path):
    head, _ = ask({**project, "REQUEST": "GetMap", "FORMAT": "image/png"}, tmp_path)
    assert re.search(r"^Status:\s+500", head, re.MULTILINE)
