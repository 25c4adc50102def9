"""Reads what nobody should have written: VRT files, names of pictures, recipes, made by a generator of fixed seed.

    hostile.py vrt|names|recipes COUNT SECRET [SEED]

Each is read or refused with a message. Memory is limited, so that a program that takes too much dies. `SECRET` is the path
of a raster that stands where no file is named. `last.txt` holds the case under way.
"""

import json
import random
import resource
import sys
from pathlib import Path

from osgeo import gdal

kind, count, secret = sys.argv[1], int(sys.argv[2]), sys.argv[3]
chance = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 20240607)

FUNCTIONS = ["normalize", "blend", "colormap", "slope", "hillshade"]
# A 60 x 60 raster bounds what a radius may cost.
VALUES = [
    "", " ", "0", "1", "-1", "0.5", "2", "100", "-100", "1e308", "-1e308", "1e999", "nan", "inf", "-inf", "0x10", "1,5", "true",
    "none", "rvt", "normal", "multiply", "luminosity", "viridis", "viridis_r", "grey", "rgb", "degree", "percent", "3.7", "315",
    "99999999999999999999", "-2147483648", "4294967296", "\u00e4\u00f6\U0001f5fb", "x" * 5000, "1;2", "%s%n", "../../..", secret,
    "1" + "0" * 400, "multiply,screen", "50,50", "1m", "-1m", "1e300m", "general", "flat", "low", "idw", "nearest", "float32", "uint8",
]
ARGUMENTS = [
    "min", "max", "invert", "gamma", "mode", "opacity", "modes", "opacities", "compat", "band", "top", "map", "cut_min", "cut_max",
    "cell_width", "cell_height", "unit", "vertical_exaggeration", "azimuth", "elevation", "nodata", "nonsense", "",
]
TYPES = ["Byte", "UInt16", "Int16", "UInt32", "Int32", "Float32", "Float64", "CInt16", "CFloat32", "CFloat64", "Int64", "Odd", ""]
SIZES = ["60"] * 60 + ["1", "0", "-5", "61", "100000", "2147483647", "99999999999"]
# `SELF` is the file itself, of which GDAL alone makes an endless read when it stands there as it is.
SOURCES = ["../dem.tif"] * 24 + [
    "../bytes.tif", "../complex.tif", "missing.tif", "", ".", "/vsiterralume/slope/SELF", "/vsiterralume/svf,radius=3/dem.tif",
    "/vsiterralume/slope,type=uint8,stretch=percent:2,2/SELF", "/vsiterralume/nonsense/dem.tif", "/vsiterralume/" * 30 + "dem.tif",
    "/vsiterralume/slope/" * 12 + "dem.tif",
]
KEYS = [
    "radius", "directions", "noise", "unit", "azimuth", "elevation", "terrain", "fill", "fill.radius", "type", "compat", "stretch",
    "alpha", "nodata", "band", "threads", "slope.opacity", "svf.radius", "overwrite", "output", "memory", "", "form", "min",
]
RECIPES = [
    "slope", "hillshade", "svf", "openness_positive", "dme", "local_dominance", "mstp", "sky_illumination", "vat", "crim", "rrim",
    "vat-combined", "multi_hillshade", "fill_nodata", "shadow",
]


# Keys that most recipes have, with what they may be.
ALLOWED = [
    "type=uint8", "type=float32", "compat=rvt", "alpha=true", "terrain=flat", "fill=idw", "nodata=200", "threads=3", "band=1",
    "stretch=percent:2,2", "stretch=0,50",
]


def escaped(text):
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text


def rectangle(name):
    if chance.random() < 0.9:
        return ""
    numbers = [chance.choice(["0", "1", "-1", "30", "60", "1e9", "-1e30", "nan", "0.0001", "59.9"]) for _ in range(4)]
    return f'<{name} xOff="{numbers[0]}" yOff="{numbers[1]}" xSize="{numbers[2]}" ySize="{numbers[3]}"/>'


def source(name):
    file = chance.choice(SOURCES).replace("SELF", name)
    tag = chance.choice(["SimpleSource"] * 20 + ["ComplexSource", "AveragedSource", "KernelFilteredSource", "Odd"])
    band = chance.choice(["1"] * 30 + ["0", "2", "-1", "mask,1", "99999999999"])
    # GDAL itself dies of a filter without a kernel.
    kernel = "<Kernel><Size>3</Size><Coefs>1 1 1 1 1 1 1 1 1</Coefs></Kernel>" if tag == "KernelFilteredSource" else ""
    return (
        f'<{tag}><SourceFilename relativeToVRT="1">{escaped(file)}</SourceFilename><SourceBand>{band}</SourceBand>'
        f'{rectangle("SrcRect")}{rectangle("DstRect")}{kernel}</{tag}>'
    )


# What each function needs, so that some cases get as far as computing.
GOOD = {
    "normalize": ({"min": "0", "max": "400"}, 2),
    "blend": ({"mode": "multiply", "opacity": "60"}, 2),
    "colormap": ({"map": "viridis", "band": "0", "min": "200", "max": "400"}, 2),
    "slope": ({"cell_width": "1", "cell_height": "1"}, 5),
    "hillshade": ({"cell_width": "1", "cell_height": "1"}, 5),
}


def derived_band(name):
    function = chance.choice(FUNCTIONS)
    arguments, sources = GOOD[function]
    arguments = dict(arguments)
    for _ in range(chance.choice([0, 0, 0, 1, 1, 5])):
        arguments[chance.choice(ARGUMENTS)] = chance.choice(VALUES)
    if chance.random() < 0.15 and arguments:
        arguments.pop(chance.choice(list(arguments)))
    if chance.random() < 0.2:
        sources = chance.choice([0, 1, 2, 3, 4, 5, 6, 7, 40])
    if chance.random() < 0.05:
        function = chance.choice(["", "nonsense", secret, "slope" * 100])
    listed = " ".join(f'{key}="{escaped(value)}"' for key, value in arguments.items() if key)
    nodata = chance.choice([""] * 3 + [f"<NoDataValue>{text}</NoDataValue>" for text in ("nan", "-9999", "1e400", "inf", "odd", "")])
    transfer = chance.choice(["Float32"] * 24 + TYPES)
    plain = ["<SimpleSource><SourceFilename relativeToVRT=\"1\">../dem.tif</SourceFilename></SimpleSource>"]
    listed_sources = [source(name) for _ in range(sources)] if chance.random() < 0.6 else plain * sources
    return (
        f'<VRTRasterBand dataType="{chance.choice(["Float32"] * 24 + TYPES)}" subClass="VRTDerivedRasterBand">{nodata}'
        f"<PixelFunctionType>terralume_{escaped(function)}</PixelFunctionType><PixelFunctionArguments {listed}/>"
        f"<SourceTransferType>{transfer}</SourceTransferType>{''.join(listed_sources)}</VRTRasterBand>"
    )


def damaged(text):
    """Sometimes with a piece cut out, doubled or changed."""
    if chance.random() < 0.8:
        return text
    start = chance.randrange(len(text))
    end = min(len(text), start + chance.randrange(40))
    return text[:start] + chance.choice(["", text[start:end] * 2, "\u0001", "<", "]]>", "&#0;"]) + text[end:]


def vrt(number):
    name = f"cases/{number}.vrt"
    bands = "".join(derived_band(f"{number}.vrt") for _ in range(chance.choice([1, 1, 1, 3])))
    text = (
        f'<VRTDataset rasterXSize="{chance.choice(SIZES)}" rasterYSize="{chance.choice(SIZES)}">'
        f"<GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform>{bands}</VRTDataset>"
    )
    Path(name).write_text(damaged(text), "utf-8")
    return name if chance.random() < 0.7 else f"/vsiterralume/{chance.choice(RECIPES)}/{name}"


def names(_):
    parts = [chance.choice(RECIPES)]
    for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 6])):
        odd = f"{chance.choice(KEYS)}={chance.choice(VALUES)}" if chance.random() < 0.9 else chance.choice(VALUES)
        parts.append(odd if chance.random() < 0.5 else chance.choice(ALLOWED))
    recipe = ",".join(parts)
    if chance.random() < 0.3:
        recipe = "{" + recipe + "}"
    dem = chance.choice(["dem.tif"] * 12 + ["bytes.tif", "complex.tif", "missing.tif", "", "cases/", "a/" * 500 + "dem.tif"])
    return damaged(f"/vsiterralume/{recipe}/{dem}").replace("\0", "")


def value(depth):
    """Any JSON."""
    pick = chance.random()
    if depth > 3 or pick < 0.6:
        return chance.choice([None, True, -1, 0, 1, 2, 1e308, -1e308, 10**30, 0.5, [], {}, chance.choice(VALUES)])
    if pick < 0.8:
        return [value(depth + 1) for _ in range(chance.choice([1, 2, 3, 300]))]
    return {chance.choice(KEYS + ["operation", "layers", "mode"]): value(depth + 1) for _ in range(3)}


def layer(depth):
    made = {"operation": chance.choice(RECIPES[:8]), "min": 0, "max": 1, "mode": chance.choice(["normal", "multiply", "screen"])}
    if chance.random() < 0.15 and depth < 6:
        made.pop("operation")
        made["recipe"] = {"terralume_recipe": 1, "layers": [layer(depth + 1) for _ in range(2)]}
    if chance.random() < 0.1:
        made.pop("operation", None)
        made["raster"] = chance.choice(["dem.tif", "bytes.tif", "missing.tif", "", "/vsiterralume/{cases/SELF}/dem.tif"])
    if chance.random() < 0.3:
        made["parameters"] = {chance.choice(KEYS): value(2)}
    if chance.random() < 0.3:
        made[chance.choice(["name", "min", "max", "stretch", "invert", "gamma", "mode", "opacity", "mask", "title", "odd"])] = value(2)
    if chance.random() < 0.1:
        made["operation"] = chance.choice([secret, value(1)])
    return made


def deep(depth):
    """Recipes inside one another."""
    inner = '{"terralume_recipe": 1, "layers": [{"operation": "slope"}]}'
    return '{"terralume_recipe": 1, "layers": [{"recipe": ' * depth + inner + "}]}" * depth


def recipes(number):
    name = f"cases/{number}.json"
    made = {"terralume_recipe": 1, "layers": [layer(0) for _ in range(chance.choice([1, 1, 2, 3, 5]))]}
    if chance.random() < 0.1:
        made[chance.choice(["layers", "terralume_recipe", "fill", "name", "odd"])] = value(0)
    text = damaged(json.dumps(made).replace("SELF", f"{number}.json"))
    if number % 20 == 0:
        text = deep(chance.choice([1, 10, 60, 120, 200, 5000, 50000]))
    Path(name).write_text(text, "utf-8")
    return f"/vsiterralume/{{{name}}}/dem.tif"


def read(name):
    """Refusals are exceptions."""
    data = gdal.Open(name)
    width, height = data.RasterXSize, data.RasterYSize
    data.ReadRaster(0, 0, 1, 1)
    data.ReadRaster(width // 2, height // 2, 1, 1, buf_type=gdal.GDT_Float64)
    if width * height < 1000000:
        data.ReadRaster()
        data.ReadRaster(0, 0, width, height, buf_xsize=7, buf_ysize=3, buf_type=gdal.GDT_Byte)


def main():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    # Seconds of the processor: what does not end is killed.
    resource.setrlimit(resource.RLIMIT_CPU, (900, 900))
    Path("cases").mkdir(exist_ok=True)
    gdal.UseExceptions()
    # What any picture needs is loaded now.
    read("/vsiterralume/vat,type=uint8/dem.tif")
    make = {"vrt": vrt, "names": names, "recipes": recipes}[kind]
    done, refused = 0, 0
    for number in range(count):
        name = make(number)
        Path("last.txt").write_text(name, "utf-8")
        try:
            read(name)
            done += 1
        except RuntimeError as error:
            assert str(error).strip(), name
            assert "internal error" not in str(error), (name, str(error))
            refused += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{kind}: {done} read, {refused} refused, {peak} MiB")
    # A corpus that is only good or only bad tries nothing.
    assert done * 20 >= count and refused * 20 >= count, (done, refused)
    assert peak < 700, f"{peak} MiB"


main()
