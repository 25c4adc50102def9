"""Packs the QGIS plugin into a zip: its files, links as what they lead to, the same bytes every time.

    python3 scripts/package_qgis_plugin.py FOLDER
"""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "qgis_plugin" / "terralume"

#: The first day that a zip can say: no time of packing in it.
DATE = (1980, 1, 1, 0, 0, 0)


def version() -> str:
    """The plugin's version."""
    lines = (PLUGIN / "metadata.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("version="))


def missing() -> list[str]:
    """Fields that QGIS's plugin repository asks for and only a publisher can fill."""
    text = (PLUGIN / "metadata.txt").read_text(encoding="utf-8")
    return [field for field in ("email", "repository", "tracker", "homepage") if f"\n{field}=" not in text]


def files() -> list[Path]:
    """What belongs to the plugin: what git knows, or in a tree without git everything but what Python leaves."""
    said = subprocess.run(["git", "ls-files", "-z", "."], cwd=PLUGIN, check=False, capture_output=True, text=True)
    if said.returncode == 0:
        return sorted(Path(name) for name in said.stdout.split("\0") if name)
    found = (path.relative_to(PLUGIN) for path in PLUGIN.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


def package(folder: Path) -> Path:
    """Writes the zip."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"terralume-qgis-{version()}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in files():
            entry = zipfile.ZipInfo(f"terralume/{name.as_posix()}", DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, (PLUGIN / name).read_bytes())
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(package(Path(sys.argv[1])))
    if missing():
        print(f"before publishing, add to metadata.txt: {', '.join(missing())}", file=sys.stderr)
