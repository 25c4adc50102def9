"""One dataset for all threads, which GDAL has since 3.10: eight threads read windows of it at once.

    thread_safe.py NAME EXPECTED DOOR

EXPECTED holds the cells as they stand in a file, bands one after the other.
"""

import concurrent.futures
import sys
from pathlib import Path

from doors import door

OF_RASTER, OF_VERBOSE_ERROR, OF_THREAD_SAFE = 0x02, 0x40, 0x800


def main():
    name, expected, through = sys.argv[1:]
    whole = memoryview(Path(expected).read_bytes()).cast("I", (600, 600))
    # ctypes lets other threads run while GDAL works.
    there = door(through)
    bare = there if hasattr(there, "library") else bare_beside(through)
    assert int(bare.version().split(".")[1]) >= 10, bare.version()
    data = bare.open(name, OF_RASTER | OF_VERBOSE_ERROR | OF_THREAD_SAFE)

    def part(number):
        col, row = 37 * number % 500, 91 * number % 500
        cells = memoryview(bare.read_from(data, (col, row, 90, 80))).cast("I", (80, 90))
        return all(cells[y, x] == whole[row + y, col + x] for y in range(0, 80, 7) for x in range(90))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(part, range(200)))
    bare.library.GDALClose(data)
    print(bare.version())


def bare_beside(name):
    from doors import Bare, library_beside

    return Bare(library_beside(name), name)


main()
