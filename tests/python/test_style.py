"""Ruff and mypy find nothing to say."""

import subprocess
import sys

from conftest import ROOT


def say(*arguments, folder):
    found = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_ruff_is_content():
    say("ruff", "check", "--no-cache", ".", folder=ROOT / "python")
    say("ruff", "check", "--no-cache", ".", folder=ROOT / "tests" / "python")
    files = [ROOT / "scripts" / "python-functions.py", ROOT / "benches" / "python.py"]
    say("ruff", "check", "--no-cache", "--config", ROOT / "python" / "pyproject.toml", *files, folder=ROOT)


def test_types_agree(tmp_path):
    say("mypy", "--cache-dir", tmp_path, folder=ROOT / "python")
