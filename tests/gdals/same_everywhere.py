"""Opens doors in the order of the arguments; through each the folder's pictures and pixel functions have the bits of files.

    same_everywhere.py DOOR...

`NAME.expected` holds what `NAME` must give. Prints a line with the door's GDAL for each.
"""

import sys
from pathlib import Path

from doors import Refused, door

PICTURES = {
    "/vsiterralume/svf,radius=20/dem.tif": "svf.expected",
    "/vsiterralume/{vat,type=uint8}/dem.tif": "vat.expected",
    "grey.vrt": "grey.expected",
    "blend.vrt": "blend.expected",
}

REFUSED = {
    "/vsiterralume/slop/dem.tif": "'slop'; allowed: slope",
    "/vsiterralume/svf,radius=0/dem.tif": "radius = '0' is not allowed",
    # Found out only when the elevations have been opened.
    "/vsiterralume/svf,radius=700/dem.tif": "too small for a radius of 700",
    "/vsiterralume/slope,band=3/dem.tif": "has no band 3",
    "bad.vrt": "terralume_blend: argument mode: unknown blend mode 'glow'",
}


def check_pictures(there):
    for name, expected in PICTURES.items():
        assert there.read(name) == Path(expected).read_bytes(), (there.name, name)
    # A window over a seam of tiles, and one cell.
    whole = memoryview(Path("svf.expected").read_bytes()).cast("f", (600, 600)).tolist()
    for col, row, cols, rows in [(500, 490, 40, 41), (599, 599, 1, 1), (0, 511, 600, 2)]:
        found = memoryview(there.read("/vsiterralume/svf,radius=20/dem.tif", (col, row, cols, rows))).cast("f")
        expected = [cell for line in whole[row : row + rows] for cell in line[col : col + cols]]
        assert str(found.tolist()) == str(expected), (there.name, col, row)


def check_errors(there, others):
    for name, words in REFUSED.items():
        for other in others:
            other.forget_errors()
        try:
            there.read(name)
        except Refused as error:
            assert words in str(error), (there.name, name, str(error))
        else:
            raise AssertionError(f"{there.name} reads {name}")
        for other in others:
            assert not other.last_error(), f"{other.name} heard of an error of {there.name}"


def main():
    doors = [door(name) for name in sys.argv[1:]]
    # Each twice: the second time with whatever the others left behind.
    for there in doors + doors:
        check_pictures(there)
        check_errors(there, [other for other in doors if other is not there])
    maps = Path("/proc/self/maps").read_text()
    libraries = {line.split()[-1] for line in maps.splitlines() if "libgdal" in line}
    assert len(libraries) == len(doors), ("a GDAL for each", libraries)
    for there in doors:
        print(there.name, there.version())


main()
