"""Ten thousand opens, as a server makes them in a day, grow neither memory nor the number of open files.

    many_opens.py
"""

import os
from statistics import median

from osgeo import gdal

gdal.UseExceptions()

# More pictures than are kept open, so that some are closed and opened all the time.
OFTEN = ["/vsiterralume/slope/dem.tif", "/vsiterralume/svf,radius=5/dem.tif", "grey.vrt"]
SELDOM = [f"/vsiterralume/hillshade,azimuth={number}/dem.tif" for number in range(0, 360, 15)]


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10


def look(count):
    for number in range(count):
        name = SELDOM[number // 20 % len(SELDOM)] if number % 20 == 19 else OFTEN[number % 3]
        gdal.Open(name).ReadRaster(number % 590, 5 + number % 500, 3, 3)


def main():
    look(2000)
    files = len(os.listdir("/proc/self/fd"))
    sizes = []
    for _ in range(20):
        look(500)
        sizes.append(resident())
    # What is kept at one moment or another differs by some tiles.
    growth, more = median(sizes[-5:]) - median(sizes[:5]), len(os.listdir("/proc/self/fd")) - files
    print(f"{growth} KiB, {more} files")
    # Pictures that are kept keep a few. One for every picture opened anew would be 500.
    assert more < 50, f"{more} files stay open"
    # A KiB for every opening would be 7,500.
    assert growth < 5000, f"{growth} KiB: {sizes}"


main()
