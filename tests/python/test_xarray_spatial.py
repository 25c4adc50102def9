"""xarray-spatial's own tests with our functions in place of its own."""

import os
import re
import subprocess
import sys

from conftest import ROOT

MODULES = ("multispectral", "slope", "aspect", "hillshade", "dataset_support")

#: They compare with QGIS's numbers of slope and aspect from eight neighbours (Horn 1981); ours are from the four direct ones.
OTHER_FORMULA = ["test_aspect.py::test_numpy_equals_qgis", "test_slope.py::test_numpy_equals_qgis"]


def test_all_pass_but_those_of_another_formula():
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/python:{ROOT}/tests/python/xarray_spatial"}
    import xrspatial

    folder = os.path.join(os.path.dirname(xrspatial.__file__), "tests")
    files = [os.path.join(folder, f"test_{module}.py") for module in MODULES]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "patched", "-p", "no:cacheprovider", "--rootdir", folder, *files],
        capture_output=True, text=True, env=environment, check=False)
    failed = sorted(re.findall(r"^FAILED (?:\S*/)?(\S+::\S+)", found.stdout, re.MULTILINE))
    assert failed == OTHER_FORMULA, found.stdout[-4000:]
    passed = int(re.search(r"(\d+) passed", found.stdout).group(1))
    assert passed >= 90, found.stdout[-300:]
