"""The wheel: for every Python 3 of the platform, with the library inside, and with whatever GDAL is there."""

import os
import platform
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import BUILT, DEM, ROOT, digest_of_file, terralume


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
    assert wheel.name.endswith(f"-py3-none-linux_{platform.machine()}.whl")
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
import numpy, terralume
{imports}
print(terralume.load().gdal()["library"])
terralume.run("slope", "{dem}", "{out}")
cells = {read}
print(numpy.nanmax(cells) if cells is not None else "")
"""


@pytest.fixture(scope="module")
def slope(tmp_path_factory):
    """Hash of what the command line writes."""
    path = tmp_path_factory.mktemp("native") / "slope.tif"
    terralume("visualize", "slope", DEM, path)
    return digest_of_file(path)


@pytest.mark.parametrize(
    ("imports", "library"),
    [
        ("import rasterio", "rasterio.libs"),
        ("from osgeo import gdal", "libgdal.so"),
        ("import rasterio; from osgeo import gdal", "libgdal"),
        ("from osgeo import gdal; import rasterio", "libgdal"),
    ],
)
def test_files_with_the_gdal_of_the_process(installed, slope, tmp_path, imports, library):
    interpreter = subprocess.run(
        [ROOT / "scripts" / "python-env.sh"], capture_output=True, text=True, check=True).stdout.strip()
    out = tmp_path / "out.tif"
    # The host's GDAL goes on working beside the library.
    reading = f'rasterio.open("{out}").read()' if "rasterio" in imports else f'gdal.Open("{out}").ReadAsArray()'
    used, highest = python(interpreter, FILES.format(imports=imports, dem=DEM, out=out, read=reading), installed)
    assert library in used and 0 < float(highest) < 90 and digest_of_file(out) == slope


def test_the_systems_gdal_when_the_process_has_none(installed, slope, tmp_path):
    out = tmp_path / "out.tif"
    used, _ = python(sys.executable, FILES.format(imports="", dem=DEM, out=out, read=None), installed)
    assert "libgdal.so" in used and "rasterio" not in used and digest_of_file(out) == slope
