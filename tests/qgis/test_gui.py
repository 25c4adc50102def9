"""A real QGIS window, under Xvfb: toolbox, dialog, run, cancel, layer on the fly."""

import json
import subprocess

from conftest import ROOT


def test_a_walk_through_qgis(tmp_path):
    subprocess.run([ROOT / "scripts" / "qgis-gui.sh", tmp_path], check=True, capture_output=True, timeout=240)
    found = json.loads((tmp_path / "found.json").read_text())
    assert "error" not in found, found["error"]
    assert found["toolbox"] and found["was_running"] and found["live_layer"]
    # The elevations and the run that ended; the cancelled one left nothing.
    assert found["layers_after_cancel"] == 2
    assert found["colours"] > 50
    for name in ("toolbox", "dialog", "cancelled", "blend", "live0", "live1", "live2"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    # Times depend on the machine: they are told, not judged.
    print({name: seconds for name, seconds in found.items() if name.startswith(("gap", "cancelled"))})
