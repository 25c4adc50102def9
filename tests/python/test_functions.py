"""Functions for arrays: what is generated, how arrays come in and go out, and the numbers of the command line."""

import importlib.util
import inspect
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

import terralume as package
from conftest import DEM, ROOT, digest, digest_of_file, terralume
from terralume import arrays, native
from terralume.request import make


def generator():
    """scripts/python-functions.py as a module."""
    spec = importlib.util.spec_from_file_location("generator", ROOT / "scripts" / "python-functions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_of_functions_are_what_the_library_says():
    module = generator()
    written = {path.name: path.read_text(encoding="utf-8") for path in module.TARGET.glob("*.py")}
    assert written == module.generate(native.load().describe()), "run: make python-functions"


def test_every_operation_and_alias_is_a_function_with_signature_and_help():
    for operation in package.describe()["operations"]:
        for name in [operation["id"], *operation["aliases"]]:
            function = getattr(package, name)
            parameters = inspect.signature(function).parameters
            assert list(parameters)[0] == "agg" and list(parameters)[-1] == "name"
            assert parameters["name"].default == name
            for parameter in operation["parameters"]:
                assert parameters[parameter["name"]].default == parameter["default"]
                assert parameter["help"].split(".")[0][:40] in " ".join(function.__doc__.split())
            assert operation["title"] in function.__doc__


@pytest.mark.parametrize("name", ["hillshade", "svf", "openness_positive", "local_relief", "multi_hillshade", "mstp"])
def test_arrays_give_the_cells_of_the_command_line(heights, tmp_path, name):
    terralume("visualize", name, DEM, tmp_path / "out.tif")
    assert digest(getattr(package, name)(heights)) == digest_of_file(tmp_path / "out.tif")


def test_parameters_and_pictures(heights, tmp_path):
    terralume("visualize", "svf", DEM, tmp_path / "svf.tif", "-p", "radius=15", "-p", "noise=low", "--type", "uint8")
    assert digest(package.svf(heights, radius=15, noise="low", dtype="uint8")) == digest_of_file(tmp_path / "svf.tif")
    terralume("render", "vat-combined", DEM, tmp_path / "vat.tif", "--type", "uint8")
    assert digest(package.render(heights, "vat-combined", dtype=np.uint8)) == digest_of_file(tmp_path / "vat.tif")
    terralume("visualize", "slope", DEM, tmp_path / "s.tif", "--type", "uint8", "--stretch", "percent:2,2")
    assert digest(package.slope(heights, dtype="uint8", stretch="percent:2,2")) == digest_of_file(tmp_path / "s.tif")


@pytest.mark.parametrize("name", ["slope", "svf", "local_relief", "multi_hillshade", "sky_illumination", "shadow"])
def test_parts_and_threads_do_not_show(heights, name, monkeypatch):
    function = getattr(package, name)
    monkeypatch.setattr(arrays, "_SMALL", 1 << 60)
    whole = function(heights)
    monkeypatch.setattr(arrays, "_SMALL", 1)
    monkeypatch.setattr(arrays, "_PART", 1 << 14)
    for threads in (1, 2, 5):
        assert digest(function(heights, threads=threads)) == digest(whole)


def test_threads_count_for_what_looks_at_the_whole_raster_first(heights):
    """The same limits and cells whatever the threads; as many of them as were asked for."""
    options = {"dtype": "uint8", "stretch": "percent:2,2"}
    digests, most = set(), {}
    for threads in (1, 3):
        stop, seen = threading.Event(), [0]

        def watch(stop=stop, seen=seen):
            while not stop.wait(0.001):
                names = [path.read_text().strip() for path in pathlib.Path("/proc/self/task").glob("*/comm") if path.exists()]
                seen[0] = max(seen[0], sum(name.startswith("terralume-") for name in names))

        observer = threading.Thread(target=watch)
        observer.start()
        try:
            digests.add(digest(package.local_dominance(heights, threads=threads, **options)))
        finally:
            stop.set()
            observer.join()
        most[threads] = seen[0]
    # One that ends may be seen beside one of the next look.
    assert len(digests) == 1 and most[1] <= 2 and most[3] >= 3


def test_contiguous_cells_are_used_where_they_stand(heights, monkeypatch):
    addresses = []
    run = native.Chain.run

    def spy(self, source, output, margins, nodata, watch=None):
        addresses.append((source.address, output.address))
        return run(self, source, output, margins, nodata, watch)

    monkeypatch.setattr(native.Chain, "run", spy)
    small = heights[:200, :300]
    for cells in (small, np.ascontiguousarray(small)):
        out = package.slope(cells)
        assert addresses.pop() == (cells.ctypes.data, out.ctypes.data)
    out = package.slope(np.asfortranarray(small))
    assert addresses.pop()[0] != small.ctypes.data
    assert digest(out) == digest(package.slope(small))


def test_other_types_of_cells(heights):
    whole = np.round(heights[:100, :100])
    expected = digest(package.slope(whole))
    for dtype in ("int16", "uint16", "int32", "float64", ">f4", ">i2"):
        assert digest(package.slope(whole.astype(dtype))) == expected
    missing = whole.astype("int16")
    missing[20:30, 20:40] = -9999
    gaps = np.where(missing == -9999, np.float32("nan"), missing.astype("float32"))
    assert digest(package.svf(missing, nodata=-9999)) == digest(package.svf(gaps))
    masked = np.ma.masked_equal(missing, -9999)
    assert digest(package.svf(masked)) == digest(package.svf(gaps))
    with_code = np.where(np.isnan(gaps), np.float32(-9999), gaps)
    assert digest(package.svf(with_code, nodata=-9999)) == digest(package.svf(gaps))


def test_other_threads_of_python_go_on_meanwhile(heights):
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    tall = np.tile(heights, (3, 1))
    chain = make("local_dominance").chain(native.Grid())
    out = np.empty((1, *tall.shape), np.float32)
    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = counted[0]
        arrays._run(chain, tall, arrays.Tile(0, 0, *tall.shape), out, (float("nan"), None))
        during = counted[0] - before
    finally:
        stop.set()
        thread.join()
    # With the lock held there would be a handful, when the call begins and when it ends.
    assert during > 10_000


def test_types_are_known_to_checkers(tmp_path):
    (tmp_path / "use.py").write_text(
        "import numpy as np\nimport terralume\n"
        "heights: np.ndarray = np.zeros((3, 3), np.float32)\n"
        "sky: np.ndarray = terralume.svf(heights, radius=10, noise='low', name='sky')\n"
        "wrong = terralume.svf(heights, noise='loud')\n")
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-version", "3.10", "--ignore-missing-imports", "use.py"], cwd=tmp_path,
        capture_output=True, text=True, check=False, env={"MYPYPATH": str(ROOT / "python"), "PATH": "/usr/bin"})
    assert found.stdout.count("error:") == 1 and 'use.py:5: error: Argument "noise"' in found.stdout, found.stdout
