"""Through a door, a raster has the bits of a file.

    same_as_file.py DOOR RASTER FILE WHAT
"""

import sys
from pathlib import Path

from doors import door

name, raster, expected, what = sys.argv[1:]
there = door(name)
there.forget_errors()
found = there.read(raster)
assert found == Path(expected).read_bytes(), (name, what)
assert not there.last_error(), (name, what, there.last_error())
