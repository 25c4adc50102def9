"""Bad input: one clear exception of a documented class, never a crash."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import terralume
from conftest import BUILT, DEM, ROOT
from terralume import errors, native

SMALL = np.zeros((30, 40), np.float32)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: terralume.svf([[1.0, 2.0]]), errors.BadArray, "list is no array; allowed: "),
        (lambda: terralume.svf(SMALL.astype(complex)), errors.BadArray, "complex128; allowed: "),
        (lambda: terralume.svf(SMALL > 0), errors.BadArray, "bool; allowed: "),
        (lambda: terralume.svf(SMALL.astype("datetime64[s]")), errors.BadArray, "allowed: "),
        (lambda: terralume.svf(np.array([["a"]])), errors.BadArray, "allowed: "),
        (lambda: terralume.svf(SMALL[0]), errors.BadArray, "1 dimensions.*allowed: "),
        (lambda: terralume.svf(np.zeros((2, 3, 4))), errors.BadArray, "3 dimensions.*allowed: "),
        (lambda: terralume.svf(SMALL[:0]), errors.BadArgument, "empty; allowed: "),
        (lambda: terralume.svf(SMALL, radius=-1), errors.BadArgument, "radius = '-1' is not allowed; allowed: "),
        (lambda: terralume.svf(SMALL, radius=float("nan")), errors.BadArgument, "radius.*allowed: "),
        (lambda: terralume.svf(SMALL, directions="many"), errors.BadArgument, "directions.*allowed: "),
        (lambda: terralume.svf(SMALL, noise=None), errors.BadArgument, "allowed: "),
        (lambda: terralume.svf(SMALL, cell_size=0), errors.BadArgument, "cell_size = 0; allowed: "),
        (lambda: terralume.svf(SMALL, cell_size=(1, 2, 3)), errors.BadArgument, "cell_size.*allowed: "),
        (lambda: terralume.svf(SMALL, threads=0), errors.BadArgument, "threads = 0; allowed: "),
        (lambda: terralume.svf(SMALL, dtype="int16"), errors.BadArgument, "dtype = 'int16'.*allowed: "),
        (lambda: terralume.svf(SMALL, compat="qgis"), errors.BadArgument, "compat = 'qgis'.*allowed: "),
        (lambda: terralume.render(SMALL, "no-such"), errors.BadArgument, "no-such.*allowed: "),
        (lambda: terralume.render(SMALL, {"layers": 3}), errors.BadArgument, "recipe.*allowed: "),
        (lambda: terralume.render(SMALL, "vat", {"slope.colour": 1}), errors.BadArgument, "allowed: "),
        (lambda: terralume.slope(xr.DataArray(SMALL, dims=("x", "y"))), errors.BadArray, r"transpose\('y', 'x'\)"),
        (lambda: terralume.slope(xr.DataArray(SMALL, dims=("y", "x"))), errors.NoCellSize, "allowed: cell_size="),
        (lambda: terralume.slope(xr.DataArray(SMALL[0], dims=("x",))), errors.BadArray, "allowed: rows and columns"),
        (lambda: terralume.slope(xr.DataArray(np.zeros((2, 3, 4)), dims=("band", "y", "x"))), errors.BadArray,
         r"band=2; allowed: .*isel\(band=0\)"),
        (lambda: terralume.slope(xr.DataArray(SMALL, dims=("y", "x"), attrs={"res": 1, "_FillValue": "x"})),
         errors.BadArgument, "_FillValue"),
        (lambda: terralume.run("slope", "/no/such.tif", "x.tif"), errors.ReadFailed, "/no/such.tif"),
        (lambda: terralume.run("slope", DEM, "/no/such/x.tif"), errors.WriteFailed, "/no/such"),
        (lambda: terralume.run("slope", DEM, "x.tif", colour="red"), errors.BadArgument, "allowed: threads"),
        (lambda: terralume.open("/no/such.tif"), errors.ReadFailed, "/no/such.tif"),
        (lambda: terralume.open("/no/*.tif"), errors.BadArgument, "allowed: a pattern"),
        (lambda: terralume.open(DEM, band=2), errors.BadArgument, "no band 2; allowed: 1 to 1"),
        (lambda: terralume.open(None), errors.BadArgument, "NoneType is no raster; allowed: "),
        (lambda: terralume.open([3]), errors.BadArgument, "int is no name of a raster; allowed: "),
        (lambda: terralume.open({}), errors.BadArgument, "allowed: at least one band"),
        (lambda: terralume.open(DEM, chunks="big"), errors.BadArgument, 'chunks = .big.; allowed: "auto"'),
        (lambda: terralume.open(DEM, chunks=0), errors.BadArgument, 'chunks = 0; allowed: "auto"'),
        (lambda: terralume.open(DEM, chunks={"lat": 3}), errors.BadArgument, "lat.*allowed: "),
        (lambda: terralume.open(DEM, band="1"), errors.BadArgument, "band = '1'; allowed: a whole number"),
        (lambda: terralume.open(DEM, nodata="x"), errors.BadArgument, "nodata = 'x'; allowed: a number"),
        (lambda: terralume.open(DEM, mask=5), errors.BadArgument, "mask = 5; allowed: texts"),
        (lambda: terralume.open(DEM, dates=["2020-01-01"]), errors.BadArgument, "dates of one file.*allowed: "),
        (lambda: terralume.compute(terralume.open(DEM), limit="much"), errors.BadArgument, "limit = 'much'; allowed: "),
        (lambda: terralume.run("slope", {"a": DEM}, "x.tif"), errors.BadArgument, "dict is no name of a raster; allowed: "),
        (lambda: terralume.run(5, DEM, "x.tif"), errors.BadArgument, "int is no recipe; allowed: "),
        (lambda: terralume.run(terralume.program("calc"), {"a": []}, "x.tif"), errors.BadArgument, "no files; allowed: "),
        (lambda: terralume.plan(terralume.program("frob"), {"a": DEM}), errors.BadArgument, "frob.*allowed: calc"),
        (lambda: terralume.blocks(DEM, len, size=0), errors.BadArgument, "allowed: "),
        (lambda: terralume.to_raster(SMALL, "x.tif"), errors.BadArray, "allowed: a DataArray"),
        (lambda: terralume.open(DEM).terralume.to_raster("x.png", driver="PNG"), errors.BadArgument, "GTiff, COG"),
    ],
)
def test_one_sentence_of_a_documented_class(call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert isinstance(caught.value, terralume.TerralumeError) and "\n" not in str(caught.value)
    assert type(caught.value).__name__ in errors.__doc__


def test_every_class_is_documented_and_public():
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.TerralumeError)
        assert name == "TerralumeError" or f"`{name}`" in errors.__doc__
        assert getattr(terralume, name) is getattr(errors, name)


def python(code, **environment):
    """What a fresh interpreter says."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "python"), **environment}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


TRY = """
import numpy, terralume
try:
    terralume.slope(numpy.zeros((9, 9), "f4"))
except terralume.LibraryMissing as error:
    print("refused:", error)
"""


def test_a_library_that_is_missing_or_of_another_kind(tmp_path):
    assert "refused: " in python(TRY, TERRALUME_LIBRARY="/no/such.so")
    other = tmp_path / "libterralume.so"
    for content, words in (("unsigned terralume_abi_version(void) { return 99; }", "interface 99"),
                           ("int something_else;", "is not the Terralume library"),
                           ("unsigned terralume_abi_version(void) { return 1; }", "too old: it lacks")):
        (tmp_path / "other.c").write_text(content)
        subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "other.c", "-o", other], check=True)
        said = python(TRY, TERRALUME_LIBRARY=str(other))
        assert "refused: " in said and words in said
    other.write_text("no library")
    assert "refused: " in python(TRY, TERRALUME_LIBRARY=str(other))


def test_arrays_need_no_gdal_and_files_say_that_they_do():
    code = f"""
import numpy, terralume
print(terralume.slope(numpy.zeros((9, 9), "f4")).shape)
print(terralume.calc(numpy.ones((9, 9)), "X + 1").sum())
try:
    terralume.run("slope", "{DEM}", "never.tif")
except terralume.GdalMissing as error:
    print("refused:", error)
"""
    said = python(code, TERRALUME_LIBRARY=str(BUILT / "libterralume.so"), TERRALUME_GDAL="/no/libgdal.so")
    assert said.startswith("(9, 9)\n162.0\nrefused: TERRALUME_GDAL = ")


def test_packages_that_only_some_functions_need():
    code = """
import sys
for name in ("xarray", "dask", "dask.array", "rasterio", "rioxarray", "distributed", "zarr", "tqdm"):
    sys.modules[name] = None
import numpy, terralume
print(terralume.slope(numpy.zeros((9, 9), "f4")).shape)
for call in (lambda: terralume.open("dem.tif"), lambda: terralume.dask):
    try:
        call()
    except terralume.DependencyMissing as error:
        print("refused:", error)
"""
    said = python(code, TERRALUME_LIBRARY=str(BUILT / "libterralume.so"))
    assert "refused: terralume.open needs the package xarray: pip install xarray" in said
    assert "refused: terralume.dask needs the package distributed" in said


def test_a_refused_option_leaves_no_job_behind(monkeypatch):
    made, freed = [], []
    begin, end = native.Job.__init__, native.Job.__exit__
    monkeypatch.setattr(native.Job, "__init__", lambda job, *given: (made.append(id(job)), begin(job, *given))[1])
    monkeypatch.setattr(native.Job, "__exit__", lambda job, *given: (freed.append(id(job)), end(job, *given))[1])
    for call in (
        lambda: terralume.run("slope", DEM, "x.tif", {"colour": 1}),
        lambda: terralume.run("slope", DEM, "x.tif", dtype="int7"),
        lambda: terralume.run("slope", DEM, "x.tif", threads=0),
        lambda: terralume.plan("slope", DEM, stretch="percent:200,1"),
    ):
        with pytest.raises(errors.BadArgument):
            call()
    assert len(made) == 4 and freed == made
