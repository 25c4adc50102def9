"""A real QGIS window, under Xvfb: toolbox, dialog, run, cancel, layer on the fly."""

import json
import os
import subprocess

from conftest import ROOT


def walk(folder, **changes):
    """What the walk finds."""
    subprocess.run([ROOT / "scripts" / "qgis-gui.sh", folder], check=True, capture_output=True, timeout=240,
                   env={**os.environ, **changes})
    found = json.loads((folder / "found.json").read_text())
    assert "error" not in found, found["error"]
    return found


def test_a_missing_library_is_told_once_and_everything_goes_again(tmp_path):
    found = walk(tmp_path, TERRALUME_LIBRARY="/nowhere/libterralume.so.0")
    # QGIS may have something to say as well.
    assert found["buttons"].count("Locate...") == 1
    assert "Layer on the fly" in found["menu"] and len(found["menu"]) == 10
    assert found["unloaded"] and found["menus_left"] == 0 and not found["provider_left"]


def test_a_walk_through_qgis(tmp_path):
    found = walk(tmp_path)
    assert found["toolbox"] and found["was_running"] and found["live_layer"]
    # The elevations and the run that ended; the cancelled one left nothing.
    assert found["layers_after_cancel"] == 2
    assert found["colours"] > 50
    assert found["stack_layer"] == ["Reduce over time (8 bands)"]
    for name in ("toolbox", "dialog", "cancelled", "blend", "stack", "calc", "live0", "live1", "live2"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    # Times depend on the machine: they are told, not judged.
    print({name: seconds for name, seconds in found.items() if name.startswith(("gap", "cancelled"))})
