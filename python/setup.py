"""Builds the library with cargo and puts it into the package; what Python itself needs stands in pyproject.toml.

TERRALUME_PREBUILT names a library that is there already, and is then taken in place of a new one."""

import os
import re
import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools_rust import Binding, RustExtension, Strip
from setuptools_rust.build import build_rust

CARGO = Path(__file__).resolve().parent.parent / "Cargo.toml"
LIBRARY = {"darwin": "libterralume.dylib", "win32": "terralume.dll"}.get(sys.platform, "libterralume.so")


class BuildLibrary(build_rust):
    """The library under its plain name: it belongs to no version of Python."""

    def run(self):
        """Builds, or copies what is built."""
        built = os.environ.get("TERRALUME_PREBUILT")
        if not built:
            super().run()
            return
        target = Path(self.get_dylib_ext_path(self.extensions[0], "terralume.libterralume"))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(built, target)

    def get_dylib_ext_path(self, ext, target_fname):
        """Beside the modules of the package."""
        named = Path(super().get_dylib_ext_path(ext, target_fname))
        return str(named.with_name(LIBRARY))


class PlatformWheel(bdist_wheel):
    """For every Python 3 of this platform."""

    def get_tag(self):
        """py3-none-PLATFORM"""
        return ("py3", "none", super().get_tag()[2])


setup(
    version=re.search(r'^version = "(.+)"', CARGO.read_text(encoding="utf-8"), re.MULTILINE).group(1),
    rust_extensions=[
        RustExtension(
            "terralume.libterralume", path=str(CARGO), binding=Binding.NoBinding, debug=False, strip=Strip.All)
    ],
    cmdclass={"build_rust": BuildLibrary, "bdist_wheel": PlatformWheel},
)
