"""Cancelling: at once, with an exception, and nothing is left behind."""

import os
import signal
import subprocess
import threading

import pytest
from conftest import DEM, many_dates

#: Would take minutes.
LONG = {"MAX_RADIUS": 300, "ANGULAR_RES": 1}


@pytest.mark.parametrize("name, parameters", [
    ("localdominance", LONG), ("preset", {}), ("skyviewset", {}), ("visualizations", {}), ("materialize", {}),
])
def test_at_some_share(run, small, tmp_path, feedback, name, parameters):
    from qgis.core import QgsProcessingException
    folder = tmp_path / "results"
    folder.mkdir()
    output = str(folder / "out.tif")
    outputs = {"skyviewset": {"SVF": output}, "visualizations": {"FOLDER": str(folder)}}.get(name, {"OUTPUT": output})
    late = []

    def watch(share):
        if feedback.isCanceled():
            late.append(share)
        if share >= (1 if name == "localdominance" else 30):
            feedback.cancel()

    feedback.progressChanged.connect(watch)
    with pytest.raises(QgsProcessingException, match="Cancelled; no output was written"):
        run(name, INPUT=str(DEM), **parameters, **outputs)
    assert not late, "the first call after a cancel is the last one"
    assert not os.listdir(folder)


def test_from_another_thread(run, feedback, tmp_path):
    from qgis.core import QgsProcessingException
    feedback.progressChanged.connect(lambda _: started.set())
    started = threading.Event()
    thread = threading.Thread(target=lambda: started.wait(60) and feedback.cancel())
    thread.start()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("localdominance", INPUT=str(DEM), **LONG)
    thread.join()
    assert os.listdir(tmp_path) == []


def test_an_exception_in_a_script_stops_the_run(tmp_path):
    from terralume import native
    with native.load().job("local_dominance") as job:
        job.set_parameter("radius_max", "300")
        job.set_parameter("angular_step", "1")
        job.set_input(str(DEM))
        job.set_output(str(tmp_path / "out.tif"))

        def interrupted(share, stage):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            job.run(interrupted)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name, parameters", [
    ("localdominance", [f"INPUT={DEM}", *(f"{name}={value}" for name, value in LONG.items())]),
    ("reduce", ["STAT=median,p10,p90,mode", "THREADS=1"]),
])
def test_ctrl_c(environment, tmp_path, name, parameters):
    output = tmp_path / "out" / "out.tif"
    output.parent.mkdir()
    if name == "reduce":
        parameters = [*parameters, *(f"INPUT={path}" for path in many_dates(tmp_path / "dates"))]
    process = subprocess.Popen(["qgis_process.bin", "run", f"terralume:{name}", "--", f"OUTPUT={output}", *parameters],
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = b""
    while b"0..." not in said:
        more = process.stdout.read(1)
        assert more, said
        said += more
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert b"Cancelled; no output was written" in rest and b"Traceback" not in said + rest
    assert os.listdir(output.parent) == []
