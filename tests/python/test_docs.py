"""What the documentation tells people to type works, and the notebook runs."""

import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT


def run(script, folder, *arguments):
    """Runs a script in a folder that has the repository's tests."""
    (folder / "tests").symlink_to(ROOT / "tests")
    found = subprocess.run(
        [sys.executable, script, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    assert found.returncode == 0, found.stderr[-3000:]
    return found.stdout


@pytest.mark.parametrize("name", ["README.md", "docs/python.md"])
def test_examples_run(tmp_path, name):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    # All examples in one script, as a reader goes through them; what a worker imports again is guarded by itself.
    guarded = [block for block in blocks if "__main__" not in block]
    last = [block for block in blocks if "__main__" in block]
    body = "\n".join(guarded).replace("\n", "\n    ")
    script = tmp_path / "example.py"
    script.write_text(f"import terralume\nif __name__ == '__main__':\n    {body}\n" + "\n".join(last))
    run(script, tmp_path)


def test_the_notebook_runs_as_a_script(tmp_path):
    said = run(ROOT / "docs" / "python_tour.py", tmp_path)
    assert "DJF_mean" in said and "super-tiles" in said
    assert {"vat.tif", "vat.vrt", "seasons.tif"} <= set(os.listdir(tmp_path))


def test_the_notebook_is_one():
    import jupytext

    notebook = jupytext.read(ROOT / "docs" / "python_tour.py")
    kinds = [cell["cell_type"] for cell in notebook["cells"]]
    assert kinds.count("code") >= 6 and kinds.count("markdown") >= 5
