"""The wheel: for every Python 3 of the platform, with the library inside, and with whatever GDAL is there."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import BUILT, DEM, ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    # setuptools keeps what it has built before, also what is no longer a part of the package.
    shutil.rmtree(ROOT / "python" / "build", ignore_errors=True)
    # Building the library takes minutes; `make wheel` does. Here the one of the tests goes in.
    environment = {**os.environ, "TERRALUME_PREBUILT": str(BUILT / "libterralume.so")}
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder,
         ROOT / "python"], check=True, env=environment)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name.endswith("-py3-none-linux_x86_64.whl") or "-py3-none-" in wheel.name
    target = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(target)
    assert {"terralume/libterralume.so", "terralume/py.typed", "terralume/native.py", "terralume/dask.py"} <= set(names)
    assert any(name.endswith("LICENSE-MIT") for name in names)
    return target


def python(interpreter, code, folder, **environment):
    """What an interpreter says that has the wheel and nothing else of ours."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("TERRALUME", "PYTHON"))}
    found = subprocess.run(
        [interpreter, "-c", code], capture_output=True, text=True, check=False, cwd=folder,
        env={**variables, "PYTHONPATH": str(folder), **environment})
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


ARRAYS = """
import numpy, terralume
print(terralume.load().path)
print(terralume.svf(numpy.random.default_rng(1).random((50, 60)).astype("f4")).shape)
"""


def test_arrays_without_any_gdal(installed):
    path, shape = python(sys.executable, ARRAYS, installed, TERRALUME_GDAL="/nowhere")
    assert path == str(installed / "terralume" / "libterralume.so") and shape == "(50, 60)"


FILES = """
import sys, terralume
{imports}
print(terralume.load().gdal()["library"])
terralume.run("slope", "{dem}", "{out}", overwrite=True)
print(rasterio.open("{out}").read().sum() if "rasterio" in sys.modules else gdal.Open("{out}").ReadAsArray is not None)
"""


@pytest.mark.parametrize(
    ("imports", "library"),
    [
        ("import rasterio", "rasterio.libs"),
        ("from osgeo import gdal", "libgdal.so"),
        ("import rasterio; from osgeo import gdal", "libgdal"),
        ("from osgeo import gdal; import rasterio", "libgdal"),
    ],
)
def test_files_with_the_gdal_of_the_process(installed, tmp_path, imports, library):
    interpreter = subprocess.run(
        [ROOT / "scripts" / "python-env.sh"], capture_output=True, text=True, check=True).stdout.strip()
    code = FILES.format(imports=imports, dem=DEM, out=tmp_path / "out.tif")
    used, read = python(interpreter, code, installed)
    assert library in used and read not in ("0.0", "False")


def test_the_systems_gdal_when_the_process_has_none(installed, tmp_path):
    code = FILES.format(imports="import types; gdal = types.SimpleNamespace(Open=lambda p: types.SimpleNamespace(ReadAsArray=1))",
                        dem=DEM, out=tmp_path / "out.tif")
    used, read = python(sys.executable, code, installed)
    assert "libgdal.so" in used and "rasterio" not in used and read == "True"
