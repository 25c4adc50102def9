"""A walk through a real QGIS window, with pictures of it: run by scripts/qgis-gui.sh, inside QGIS.

Opens the toolbox and a dialog, runs, cancels, adds a layer on the fly, zooms. What it finds is written as JSON; so is
what goes wrong. Environment: TERRALUME_SHOTS (folder), TERRALUME_DEM, TERRALUME_SCENES
(folder of a series)."""

import json
import os
import time
import traceback
from pathlib import Path

import processing
import qgis.utils
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QEventLoop, QPoint, QTimer
from qgis.PyQt.QtGui import QPixmap
from qgis.PyQt.QtWidgets import QPushButton, QTreeView, QWidget
from qgis.utils import iface

FOLDER = Path(os.environ["TERRALUME_SHOTS"])
DEM = os.environ["TERRALUME_DEM"]
SCENES = os.environ["TERRALUME_SCENES"]
found = {}


def wait(condition, seconds=60):
    """Lets QGIS live until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(condition.__code__.co_names)
        QgsApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        time.sleep(0.002)


def rest(seconds):
    """Lets QGIS live for a while."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end, seconds + 5)


def shoot(widget, name):
    """A picture of a widget."""
    rest(0.4)
    pixmap = QPixmap(widget.size())
    widget.render(pixmap, QPoint())
    pixmap.save(str(FOLDER / f"{name}.png"))


class Gap:
    """The longest time in which the interface answered nothing."""

    def __init__(self):
        self.longest, self._last = 0.0, None
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)

    def __enter__(self):
        self._last = time.monotonic()
        self._timer.start(1)
        return self

    def _tick(self):
        now = time.monotonic()
        self.longest, self._last = max(self.longest, now - self._last), now

    def __exit__(self, *_):
        self._timer.stop()


def dialog_of(name, **parameters):
    """The dialog of an algorithm, filled in."""
    dialog = processing.createAlgorithmDialog(f"terralume:{name}", parameters)
    dialog.resize(820, 560)
    dialog.show()
    rest(0.5)
    return dialog


def ended(dialog):
    """Whether Run can be pressed again."""
    return dialog.runButton().isEnabled()


def toolbox():
    """The algorithms in QGIS's toolbox."""
    from processing.gui.ProcessingToolbox import ProcessingToolbox
    dock = iface.mainWindow().findChild(ProcessingToolbox)
    dock.show()
    dock.setFloating(False)
    dock.searchBox.setText("terralume")
    rest(0.5)
    dock.algorithmTree.expandAll()
    tree = dock.findChild(QTreeView)
    found["toolbox"] = tree.model().rowCount() > 0
    shoot(dock, "toolbox")
    dock.searchBox.setText("")
    dock.hide()


def run_and_cancel():
    """A run that ends, and one that is cancelled."""
    with Gap() as gap:
        rest(2)
    # What the machine does to a window that has nothing to do: the measure for the others.
    found["gap_at_rest"] = round(gap.longest, 4)
    dialog = dialog_of("skyviewfactor")
    shoot(dialog, "dialog")
    with Gap() as gap:
        dialog.runButton().click()
        wait(lambda: not ended(dialog) or len(QgsProject.instance().mapLayers()) > 1)
        wait(lambda: ended(dialog) and len(QgsProject.instance().mapLayers()) > 1)
    found["gap_of_a_run"] = round(gap.longest, 4)
    shoot(dialog, "log")
    dialog.close()
    dialog = dialog_of("localdominance", MAX_RADIUS=300, ANGULAR_RES=1)
    with Gap() as gap:
        dialog.runButton().click()
        rest(2)
        running = not ended(dialog)
        before = time.monotonic()
        cancel_button(dialog).click()
        wait(lambda: ended(dialog))
        found["cancelled_after"] = round(time.monotonic() - before, 4)
    found["gap_of_a_cancelled_run"] = round(gap.longest, 4)
    found["was_running"] = running
    found["layers_after_cancel"] = len(QgsProject.instance().mapLayers())
    shoot(dialog, "cancelled")
    dialog.close()


def cancel_button(dialog):
    """The button that says Cancel."""
    return next(button for button in dialog.findChildren(QPushButton) if "Cancel" in button.text())


def on_the_fly():
    """A layer without pixels, at three zooms."""
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback
    from processing.gui.Postprocessing import handleAlgorithmResults
    from terralume import catalog
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("terralume:livelayer")
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(QgsProject.instance())
    picture = list(catalog.PICTURES).index("vat-combined")
    _, fine = algorithm.run({"INPUT": DEM, "VISUALIZATION": picture}, context, feedback)
    handleAlgorithmResults(algorithm, context, feedback)
    found["live_layer"] = fine
    canvas = iface.mapCanvas()
    canvas.zoomToFullExtent()
    for number, factor in enumerate((1, 0.4, 0.4)):
        canvas.zoomByFactor(factor)
        canvas.waitWhileRendering()
        rest(1.0)
        shoot(iface.mainWindow(), f"live{number}")
    image = canvas.grab().toImage()
    found["colours"] = len({image.pixel(x, y) for x in range(0, image.width(), 9) for y in range(0, image.height(), 9)})


def blend_dialog():
    """The dialog with the matrix."""
    dialog = dialog_of("blend")
    shoot(dialog, "blend")
    dialog.close()


def stack():
    """A dialog of a stack, filled in and run."""
    inputs = [cell for name, band in (("red", "B4"), ("nir", "B5"), ("qa", "BQA"))
              for cell in (name, f"{SCENES}/*_{band}.tif", "")]
    dialog = dialog_of("reduce", INPUTS=inputs, STAT="mean, count", GROUP="season", EXPR="(nir - red) / (nir + red)",
                       MASK="qa: landsat_c1:cloud,fill")
    dialog.resize(900, 740)
    shoot(dialog, "stack")
    before = len(QgsProject.instance().mapLayers())
    dialog.runButton().click()
    wait(lambda: ended(dialog) and len(QgsProject.instance().mapLayers()) > before)
    found["stack_layer"] = [layer.name() for layer in QgsProject.instance().mapLayers().values()
                            if layer.name().startswith("Reduce")]
    shoot(dialog, "stack_log")
    dialog.close()
    dialog = dialog_of("calc")
    shoot(dialog, "calc")
    dialog.close()


def missing_library():
    """The menu, and the word about a library that is not there."""
    bar = iface.messageBar()
    found["buttons"] = [button.text() for button in bar.findChildren(QPushButton) if button.text()]
    menus = [action.menu() for action in iface.rasterMenu().actions() if action.text() == "Terralume"]
    found["menu"] = [action.text() for action in menus[0].actions()]
    shoot(iface.mainWindow(), "missing")
    found["unloaded"] = qgis.utils.unloadPlugin("terralume")
    found["menus_left"] = sum(action.text() == "Terralume" for action in iface.rasterMenu().actions())
    found["provider_left"] = QgsApplication.processingRegistry().providerById("terralume") is not None


def walk():
    """All of it, once."""
    steps = (toolbox, run_and_cancel, blend_dialog, on_the_fly, stack)
    if not Path(os.environ["TERRALUME_LIBRARY"]).exists():
        steps = (missing_library,)
    try:
        iface.mainWindow().resize(1000, 640)
        iface.mainWindow().findChild(QWidget, "Browser").hide()
        QgsProject.instance().addMapLayer(QgsRasterLayer(DEM, "dem"))
        rest(1)
        for step in steps:
            step()
    except BaseException:
        found["error"] = traceback.format_exc()
    (FOLDER / "found.json").write_text(json.dumps(found, indent=1))
    os._exit(0)


QTimer.singleShot(1500, walk)
