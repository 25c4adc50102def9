"""Tiles as one raster: a VRT over them, and a file gathered from it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from .arrays import Tile
from .errors import WriteFailed, need

#: GDAL's names of NumPy's types.
GDAL_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32",
    "uint64": "UInt64", "int64": "Int64", "float32": "Float32", "float64": "Float64",
}


class Frame(NamedTuple):
    """What tiles have in common."""

    rows: int
    cols: int
    dtype: str
    #: Names of the bands.
    bands: tuple[str, ...]
    nodata: float | None
    #: Of GDAL; None: no place.
    transform: tuple[float, ...] | None
    #: Reference system as WKT; empty: none.
    crs: str

    def part(self, tile: Tile) -> tuple[float, ...] | None:
        """The transformation of a tile."""
        if self.transform is None:
            return None
        left, width, shear, top, tilt, height = self.transform
        return (
            left + tile.col * width + tile.row * shear, width, shear,
            top + tile.col * tilt + tile.row * height, tilt, height)


def write_vrt(path: str, frame: Frame, files: Sequence[tuple[Tile, str]]) -> None:
    """Writes a VRT over files beside or below it. Places without a file have no data."""
    folder = Path(path).parent
    lines = [f'<VRTDataset rasterXSize="{frame.cols}" rasterYSize="{frame.rows}">']
    if frame.crs:
        lines.append(f'  <SRS dataAxisToSRSAxisMapping="1,2">{escape(frame.crs)}</SRS>')
    if frame.transform is not None:
        lines.append(f"  <GeoTransform>{', '.join(repr(float(number)) for number in frame.transform)}</GeoTransform>")
    for number, name in enumerate(frame.bands, 1):
        lines.append(f'  <VRTRasterBand dataType="{GDAL_TYPES[frame.dtype]}" band="{number}">')
        lines.append(f"    <Description>{escape(name)}</Description>")
        if frame.nodata is not None:
            code = "nan" if math.isnan(frame.nodata) else repr(frame.nodata)
            lines.append(f"    <NoDataValue>{code}</NoDataValue>")
        lines += [_source(tile, os.path.relpath(file, folder), number) for tile, file in files]
        lines.append("  </VRTRasterBand>")
    lines.append("</VRTDataset>\n")
    write_whole(path, "\n".join(lines))


def _source(tile: Tile, file: str, band: int) -> str:
    size = f'xSize="{tile.cols}" ySize="{tile.rows}"'
    return (
        f"    <SimpleSource><SourceFilename relativeToVRT=\"1\">{escape(file)}</SourceFilename>"
        f"<SourceBand>{band}</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" {size}/>"
        f"<DstRect xOff={quoteattr(str(tile.col))} yOff={quoteattr(str(tile.row))} {size}/></SimpleSource>")


def write_whole(path: str, text: str) -> None:
    """Writes a small file that is there whole or not at all."""
    part = f"{path}.{os.getpid()}.part"
    try:
        Path(part).write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise WriteFailed(f"'{path}' cannot be written: {error}") from None


def gather(vrt: str, target: str, driver: str, creation: Sequence[str] | None) -> str:
    """Copies what a VRT shows into one file, a piece at a time; it appears under its name when it is whole."""
    rasterio = need("rasterio", "putting tiles together")
    shutil = need("rasterio.shutil", "putting tiles together")
    options = {"COMPRESS": "ZSTD", "BIGTIFF": "IF_SAFER", "NUM_THREADS": "ALL_CPUS"}
    options |= {"BLOCKSIZE": "512"} if driver == "COG" else {"TILED": "YES", "BLOCKXSIZE": "512", "BLOCKYSIZE": "512"}
    for text in [creation] if isinstance(creation, str) else creation or []:
        key, _, value = text.partition("=")
        options[key.upper()] = value
    part = f"{target}.{os.getpid()}.part.tif"
    try:
        shutil.copy(vrt, part, driver=driver, **options)
        os.replace(part, target)
    except (OSError, rasterio.errors.RasterioError) as error:
        raise WriteFailed(f"'{target}' cannot be written: {error}") from None
    finally:
        Path(part).unlink(missing_ok=True)
    return target


def write_tile(path: str, cells: Any, frame: Frame, tile: Tile) -> str:
    """Writes a tile, bands x rows x columns, as a GeoTIFF that is there whole or not at all."""
    rasterio = need("rasterio", "writing tiles")
    affine = need("affine", "writing tiles")
    place = frame.part(tile)
    profile = {
        "driver": "GTiff", "width": tile.cols, "height": tile.rows, "count": len(frame.bands), "dtype": frame.dtype,
        "nodata": frame.nodata, "compress": "DEFLATE", "zlevel": 1, "BIGTIFF": "IF_SAFER"}
    if tile.rows > 16 and tile.cols > 16:
        profile |= {"tiled": True, "blockxsize": 512, "blockysize": 512}
    if place is not None:
        profile["transform"] = affine.Affine.from_gdal(*place)
    if frame.crs:
        profile["crs"] = rasterio.crs.CRS.from_wkt(frame.crs)
    part = f"{path}.{os.getpid()}.part"
    try:
        with rasterio.open(part, "w", **profile) as dataset:
            dataset.write(cells)
            for number, name in enumerate(frame.bands, 1):
                dataset.set_band_description(number, name)
        os.replace(part, path)
    except (OSError, rasterio.errors.RasterioError) as error:
        raise WriteFailed(f"'{path}' cannot be written: {error}") from None
    finally:
        Path(part).unlink(missing_ok=True)
    return path
