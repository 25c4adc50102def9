"""Through a door, two rasters of 600 x 600 cells show the same zoomed out.

    same_zoomed_out.py DOOR RASTER PICTURE WHAT
"""

import sys

from doors import door

name, raster, picture, what = sys.argv[1:]
there = door(name)
there.forget_errors()
for side in (300, 150, 60, 41):
    assert there.read_scaled(raster, side, side) == there.read_scaled(picture, side, side), (name, what, side)
assert not there.last_error(), (name, what, there.last_error())
