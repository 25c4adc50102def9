"""The zip: whole, pure Python, clean for the scanners of QGIS's plugin repository, and it works in a fresh QGIS."""

import json
import subprocess
import sys
import zipfile

import pytest
from conftest import PLUGINS, ROOT, bands, command, fresh_profile, qgis_process


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The zip and what is in it."""
    folder = tmp_path_factory.mktemp("package")
    said = subprocess.run([sys.executable, ROOT / "scripts" / "package_qgis_plugin.py", folder], check=True,
                          capture_output=True, text=True)
    path = said.stdout.strip()
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "unpacked")
    return path, folder / "unpacked" / "terralume"


def test_it_is_pure_python_and_whole(packed):
    path, folder = packed
    names = {entry.relative_to(folder).as_posix() for entry in folder.rglob("*") if entry.is_file()}
    assert {"metadata.txt", "LICENSE", "icon.svg", "__init__.py", "native.py", "algorithms.json", "help.html"} <= names
    assert {name.rsplit(".", 1)[-1] for name in names - {"LICENSE"}} == {"txt", "svg", "py", "json", "html", "jpg"}
    # What is in the folder is in the zip: nothing was forgotten in git.
    source = PLUGINS / "terralume"
    there = {entry.relative_to(source).as_posix() for entry in source.rglob("*") if entry.is_file()}
    assert {name for name in there if "__pycache__" not in name} == names
    assert not any(entry.is_symlink() for entry in folder.rglob("*"))
    assert (folder / "native.py").read_bytes() == (ROOT / "python" / "terralume" / "native.py").read_bytes()


def test_it_has_the_same_bytes_every_time(packed, tmp_path):
    subprocess.run([sys.executable, ROOT / "scripts" / "package_qgis_plugin.py", tmp_path], check=True,
                   capture_output=True)
    (again,) = tmp_path.iterdir()
    assert again.read_bytes() == open(packed[0], "rb").read()


def test_it_runs_in_a_fresh_profile(packed, small, tmp_path):
    environment = fresh_profile(tmp_path, packed[1])
    listed = qgis_process(environment, "list")
    assert "terralume:livelayer" in listed.stdout and "Traceback" not in listed.stdout + listed.stderr
    said = qgis_process(environment, "--json", "run", "terralume:preset", "--", f"INPUT={small}",
                        f"OUTPUT={tmp_path / 'out.tif'}")
    assert said.returncode == 0, said.stdout + said.stderr
    assert json.loads(said.stdout)["results"] == {"OUTPUT": str(tmp_path / "out.tif")}
    command("render", "vat-combined", small, tmp_path / "expected.tif")
    assert bands(tmp_path / "out.tif") == bands(tmp_path / "expected.tif")


def test_help_in_the_shell(environment):
    said = qgis_process(environment, "help", "terralume:skyviewfactor")
    assert said.returncode == 0 and "How far the horizon is searched." in said.stdout
    assert "NOISE_REMOVE" in said.stdout


@pytest.mark.parametrize("scanner", [
    ["flake8", "--isolated", "--max-line-length", "120", "."],
    ["bandit", "--quiet", "--recursive", "."],
])
def test_scanners_have_nothing_to_say(packed, scanner):
    said = subprocess.run([sys.executable, "-m", *scanner], cwd=packed[1], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


def test_no_secrets(packed):
    said = subprocess.run([sys.executable, "-m", "detect_secrets", "scan", "--all-files", "."], cwd=packed[1],
                          capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)["results"] == {}


def test_tests_and_scripts_are_tidy():
    """The Python package has a test of its own for this."""
    said = subprocess.run([sys.executable, "-m", "flake8", "--isolated", "--max-line-length", "130",
                           ROOT / "tests" / "qgis", ROOT / "scripts", PLUGINS],
                          capture_output=True, text=True)
    assert said.returncode == 0, said.stdout
