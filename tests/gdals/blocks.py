"""Per band: blocks that are in the file (#) or not (.), and the sums of its cells and of its overviews."""

import sys

from osgeo import gdal

gdal.UseExceptions()


def line(band: gdal.Band) -> str:
    cols, rows = band.GetBlockSize()
    across, down = -(-band.XSize // cols), -(-band.YSize // rows)
    offsets = [band.GetMetadataItem(f"BLOCK_OFFSET_{col}_{row}", "TIFF") for row in range(down) for col in range(across)]
    there = "".join("#" if offset not in (None, "0") else "." for offset in offsets)
    overviews = [band.GetOverview(index).Checksum() for index in range(band.GetOverviewCount())]
    return f"{there} {band.Checksum()} {overviews}"


raster = gdal.Open(sys.argv[1])
for number in range(1, raster.RasterCount + 1):
    print(line(raster.GetRasterBand(number)))
