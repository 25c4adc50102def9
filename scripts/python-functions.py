"""Writes python/terralume/functions: a file for every operation of the library, with its parameters, ranges and help.
 Run it with the built library: TERRALUME_LIBRARY=target/release/libterralume.so python scripts/python-functions.py"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "python" / "terralume" / "functions"

PACKAGE = '''"""Every operation of the library as a function, a file for each.

Written by scripts/python-functions.py from what the library says of itself; a test compares. Every function takes a NumPy
array, a dask array, or a DataArray or Dataset of xarray, and gives the same kind back.
"""

'''

HEAD = '''"""{title}. Written by scripts/python-functions.py."""

from __future__ import annotations

from typing import Any, Literal

from ..apply import {apply}
from ..georeference import CellSize


'''

COMMON = '''    *,
    cell_size: CellSize = None,
    nodata: float | None = None,
    dtype: Any = "float32",
    stretch: Stretch = None,
    compat: Literal["none", "rvt"] = "none",
    threads: int | None = None,
    name: str | None = "{name}",
'''

COMMON_HELP = '''cell_size : float or (float, float), optional
    Side of a cell, or width and height, in the unit of the heights. Without it: `rio.resolution()`, the attribute `res`,
    the coordinates; 1 for arrays without labels.
nodata : float, optional
    Value of cells without data, beside NaN. Without it: what the array says (`rio.nodata`, `_FillValue`, `nodatavals`).
dtype : "float32" or "uint8"
    The values, or a picture: stretched to 1 to 255, 0 where there is no data.
stretch : (float, float) or str, optional
    Values shown as black and white in a picture; also "percent:2,2" and "deviations:2".
compat : "none" or "rvt"
    The numbers of the Relief Visualization Toolbox also where they are known to be wrong.
threads : int, optional
    Threads of a NumPy array. Without it: one for each processor.
name : str
    Name of the result.'''


def annotation(parameter: dict) -> str:
    """Type of a parameter."""
    if parameter["kind"] == "choice":
        return f"Literal[{', '.join(quoted(choice) for choice in parameter['choices'])}]"
    return {"float": "float", "int": "int", "bool": "bool", "length": "Length"}[parameter["kind"]]


def quoted(value: object) -> str:
    """A value as Python writes it, texts in double quotes."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def ordered(operation: dict) -> list[dict]:
    """Parameters as users give them: how far first, the factor on the heights last."""
    def rank(parameter: dict) -> int:
        return 2 if parameter["name"] == "vertical_exaggeration" else 0 if parameter["kind"] == "length" else 1

    return sorted(operation["parameters"], key=rank)


def parameter_help(parameter: dict) -> str:
    """Two lines of a docstring."""
    unit = f" [{parameter['unit']}]" if parameter["unit"] else ""
    limits = f" {parameter['min']} to {parameter['max']}." if "min" in parameter else ""
    kind = annotation(parameter).replace("Literal", "one of ").replace("Length", "float or str")
    text = f"{parameter['help']}{unit}{limits}"
    if parameter["kind"] == "length":
        text += ' Also with a unit: "10m".'
    wrapped = textwrap.fill(text, 116, initial_indent="    ", subsequent_indent="    ")
    return f"{parameter['name']} : {kind}, default {quoted(parameter['default'])}\n{wrapped}"


def docstring(operation: dict, alias_of: str) -> str:
    """NumPy style, as xarray-spatial's."""
    bands = [f"{band['name']}{' [' + band['unit'] + ']' if band['unit'] else ''}" for band in operation["bands"]]
    names = ", ".join(bands[:4]) + (f", … ({len(bands)} bands)" if len(bands) > 4 else "")
    fill = lambda text: textwrap.fill(text, 116)  # noqa: E731
    parts = [
        fill(f"{operation['title']}: {operation['summary']}"),
        fill(f"The same as `{alias_of}`.") if alias_of else "",
        fill(f"Formula: {operation['formula']}") if operation.get("formula") else "",
        "Parameters\n----------\nagg : array\n    Heights, rows x columns, in the unit of the cell size.",
    ]
    body = "\n\n".join(part for part in parts if part)
    for parameter in ordered(operation):
        body += "\n" + parameter_help(parameter)
    body += "\n" + COMMON_HELP
    body += f"\n\nReturns\n-------\nThe same kind of array: {names}." if len(bands) == 1 else (
        f"\n\nReturns\n-------\nThe same kind of array, bands x rows x columns: {names}.")
    body = body.replace("\\", "\\\\")
    if operation.get("reference"):
        body += "\n\nReferences\n----------\n" + fill(operation["reference"])
    indented = textwrap.indent(body, "    ").lstrip()
    return f'    """{indented}\n    """\n'


def function(name: str, operation: dict, alias_of: str = "") -> str:
    """The text of one function."""
    text = f"def {name}(\n    agg: Raster,\n"
    for parameter in ordered(operation):
        text += f"    {parameter['name']}: {annotation(parameter)} = {quoted(parameter['default'])},\n"
    text += COMMON.format(name=name) + ") -> Raster:\n" + docstring(operation, alias_of)
    given = ",\n        ".join(f"\"{p['name']}\": {p['name']}" for p in ordered(operation))
    text += f"    parameters = {{\n        {given},\n    }}\n"
    text += f"    return apply(\n        agg, \"{operation['id']}\", parameters, cell_size=cell_size, nodata=nodata, dtype=dtype,"
    text += " stretch=stretch,\n        compat=compat, threads=threads, name=name)\n"
    return text


def generate(description: dict) -> dict[str, str]:
    """All files: names and texts."""
    files, modules = {}, {}
    for operation in description["operations"]:
        own = operation["id"]
        names = [own, *operation.get("aliases", [])]
        functions = [function(name, operation, "" if name == own else own) for name in names]
        lengths = any(parameter["kind"] == "length" for parameter in operation["parameters"])
        imported = "Length, Raster, Stretch, apply" if lengths else "Raster, Stretch, apply"
        files[f"{own}.py"] = HEAD.format(title=operation["title"], apply=imported) + "\n\n".join(functions)
        modules[own] = sorted(names)
    imports = "".join(f"from .{own} import {', '.join(names)}\n" for own, names in sorted(modules.items()))
    every = sorted(name for names in modules.values() for name in names)
    listed = "__all__ = [\n" + "".join(f'    "{name}",\n' for name in every) + "]\n"
    return {"__init__.py": PACKAGE + imports + "\n" + listed, **files}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "python"))
    from terralume import native

    for name, text in generate(native.load().describe()).items():
        (TARGET / name).write_text(text, encoding="utf-8")
