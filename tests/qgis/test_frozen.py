"""What ships with the plugin is what the library says. `make qgis-data` rewrites it."""

import json
import os

from conftest import PLUGINS, ROOT, command
from terralume import catalog, native

FOLDER = PLUGINS / "terralume"
HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Terralume in QGIS</title>
<style>body{font-family:sans-serif;max-width:46em;margin:2em auto;line-height:1.4}
h2{border-top:1px solid #ccc;padding-top:1em}</style></head><body>
<h1>Terralume in QGIS</h1>
"""


def same(path, text):
    """Compares a file, or writes it."""
    if os.environ.get("TERRALUME_BLESS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"{path}: make qgis-data writes it"


def test_the_description_is_the_librarys():
    described = json.loads(command("list", "--json").stdout)
    assert described == native.load().describe()
    assert catalog.CATALOG == described, "make qgis-data writes algorithms.json"


def test_help(provider):
    parts = [HEAD]
    for algorithm in sorted(provider.algorithms(), key=lambda item: (item.group(), item.displayName())):
        text = algorithm.shortHelpString().replace(f"file://{FOLDER}/", "")
        parts.append(f'<h2 id="{algorithm.name()}">{algorithm.displayName()}</h2>\n')
        parts.append(f"<p><i>{algorithm.group()}</i>, <code>{algorithm.id()}</code></p>\n{text}\n")
    same(FOLDER / "help.html", "".join(parts) + "</body></html>\n")


def test_every_picture_is_there(provider):
    pictures = {path.stem for path in (FOLDER / "pictures").iterdir()}
    names = {algorithm.name() for algorithm in provider.algorithms()}
    assert pictures <= names
    shown = {catalog.algorithm_name(operation) for operation in catalog.OPERATIONS}
    assert shown - {"opennesspositive", "opennessnegative"} <= pictures


def test_one_native_module_for_all():
    assert (FOLDER / "native.py").resolve() == ROOT / "python" / "terralume" / "native.py"


def test_plugin_and_library_have_one_version():
    cargo = (ROOT / "Cargo.toml").read_text(encoding="utf-8").split('version = "')[1].split('"')[0]
    metadata = (FOLDER / "metadata.txt").read_text(encoding="utf-8")
    assert f"\nversion={cargo}\n" in metadata and native.load().version() == cargo
    header = (ROOT / "include" / "terralume.h").read_text(encoding="utf-8")
    assert f"#define TERRALUME_ABI_VERSION {native.ABI_VERSION}\n" in header
