"""Cuts small pieces out of two series of scenes and computes what NumPy and xarray make of them.

    python make.py FOLDER_OF_THE_SERIES

The folder has `s2_series` (Sentinel-2 NDVI and cloud masks) and `l8ny18_grid` (Landsat 8 bands), each with `dates.csv`.
Run once, with Python 3.11, numpy 2.4.6, xarray 2026.9.0 and rasterio 1.4.4; the arrays stay as they are.
"""

import csv
import math
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import rasterio
import xarray as xr
from rasterio.windows import Window

SOURCE = Path(sys.argv[1])
HERE = Path(__file__).parent


def rows(folder):
    with open(SOURCE / folder / "dates.csv") as file:
        return sorted(csv.DictReader(file), key=lambda row: (row["datetime"], row["file"]))


def cut(folder, names, window):
    layers = []
    for name in names:
        with rasterio.open(SOURCE / folder / name) as file:
            layers.append(file.read(1, window=window))
    return np.stack(layers)


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def save(name, array):
    # Plain bytes in this order and type: no header to read.
    np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tofile(HERE / f"{name}.bin")


def results(name, data, dates):
    """The values a reduction should give, in 64 bits."""
    times = np.array([date.replace(tzinfo=None) for date in dates], dtype="datetime64[s]")
    array = xr.DataArray(data, dims=("time", "y", "x"), coords={"time": times.astype("datetime64[ns]")})
    save(f"{name}_seconds", times.astype("int64"))
    whole = {
        "count": array.count("time").astype("float64"),
        "mean": array.mean("time"),
        "sum": array.sum("time", min_count=1),
        "min": array.min("time"),
        "max": array.max("time"),
        "std": array.std("time"),
        "var_ddof1": array.var("time", ddof=1),
        "median": array.median("time"),
        "p10": array.quantile(0.1, "time"),
        "p97.5": array.quantile(0.975, "time"),
        "p33_nearest": array.quantile(0.33, "time", method="nearest"),
        "prod": array.prod("time", min_count=1),
    }
    with np.errstate(all="ignore"):
        there = array.notnull().any("time")
        for end, which in (("min", array.fillna(np.inf).argmin("time")), ("max", array.fillna(-np.inf).argmax("time"))):
            whole[f"which_{end}_index"] = which.astype("float64").where(there)
    save(f"{name}_expected", np.stack([value.transpose("y", "x").values for value in whole.values()]))
    (HERE / f"{name}_expected.txt").write_text("\n".join(whole) + "\n")

    seasons = array.groupby("time.season").mean("time")
    order = [season for season in ("DJF", "MAM", "JJA", "SON") if season in seasons.season.values]
    save(f"{name}_season_mean", seasons.sel(season=order).values)
    months = array.groupby("time.month")
    save(f"{name}_month_median", months.median("time").values)
    years = array.groupby("time.year")
    save(f"{name}_year_max", years.max("time").values)


def sentinel():
    listed = rows("s2_series")
    window = Window(30, 40, 16, 12)
    ndvi = [row for row in listed if row["kind"] == "NDVI"]
    clouds = [row for row in listed if row["kind"] == "CLM"]
    assert [row["datetime"] for row in ndvi] == [row["datetime"] for row in clouds]
    values = cut("s2_series", [row["file"] for row in ndvi], window).astype("float32")
    mask = cut("s2_series", [row["file"] for row in clouds], window).astype("uint8")
    save("s2_ndvi", values)
    save("s2_clouds", mask)
    data = np.where(mask == 1, np.nan, values.astype("float64"))
    data[~np.isfinite(data)] = np.nan
    results("s2", data, [instant(row["datetime"]) for row in ndvi])

    # Numbers of a file each: sums by math.fsum, which rounds once.
    table = []
    for layer in values.astype("float64"):
        there = layer[np.isfinite(layer)]
        table.append([there.size, math.fsum(there), math.fsum(there) / there.size, there.min(), there.max(),
                      np.std(there), np.var(there, ddof=1)])
    save("s2_files", np.array(table))
    everything = values.astype("float64")
    everything = everything[np.isfinite(everything)]
    save("s2_histogram", np.histogram(everything, bins=50, range=(-0.5, 1.0))[0].astype("int64"))


def landsat():
    listed = [row for row in rows("l8ny18_grid") if row["band"] == "B4"]
    window = Window(94, 58, 20, 14)
    names = [row["file"] for row in listed]
    bands = {band: cut("l8ny18_grid", [name.replace("_B4", f"_{band}") for name in names], window)
             for band in ("B4", "B5", "BQA")}
    for band, values in bands.items():
        save(f"l8_{band.lower()}", values.astype("uint16"))
    red, nir, quality = (bands[band].astype("int64") for band in ("B4", "B5", "BQA"))
    out = (quality >> 0 & 1 | quality >> 4 & 1 | (quality >> 7 & 3) // 2).astype(bool) | (red == 0) | (nir == 0)
    with np.errstate(all="ignore"):
        ndvi = np.where(out, np.nan, (nir - red) / (nir + red))
    dates = [instant(row["datetime"]) for row in listed]
    results("l8", ndvi, dates)

    # Scenes of one day: the first that has data.
    days = {}
    for date, layer in zip(dates, ndvi):
        merged = days.setdefault(date.date(), np.full(layer.shape, np.nan))
        gaps = np.isnan(merged)
        merged[gaps] = layer[gaps]
    save("l8_days_mean", np.nanmean(np.stack(list(days.values())), axis=0))
    assert len(days) == 17


sentinel()
landsat()
