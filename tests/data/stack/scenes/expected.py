"""Expected values of the tests, made with xarray from the scenes beside this file.

Needs xarray and rasterio. Bands of each file are named; all cells are 64-bit floats.
"""
import csv
import glob
import os

import numpy as np
import pandas as pd
import rasterio
import xarray as xr

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def cells(path):
    with rasterio.open(path) as source:
        return source.read(1)


def write(name, bands):
    first = next(iter(bands.values()))
    rows, cols = first.shape
    profile = dict(driver="GTiff", height=rows, width=cols, count=len(bands), dtype="float64")
    with rasterio.open(name, "w", compress="deflate", predictor=3, **profile) as out:
        for index, (band, values) in enumerate(bands.items(), 1):
            out.set_band_description(index, band)
            out.write(np.asarray(values, dtype="f8"), index)


def stack(files, times, read):
    order = sorted(range(len(files)), key=lambda index: (times[index], files[index]))
    values = np.stack([read(files[index]) for index in order])
    return xr.DataArray(values, dims=("time", "y", "x"), coords={"time": pd.to_datetime([times[i] for i in order])})


with open("l8ny18/dates.csv") as table:
    rows = [row for row in csv.DictReader(table) if row["band"] == "B4"]


def masked_ndvi(name):
    red, nir = (cells("l8ny18/" + name.replace("_B4", band)).astype("f8") for band in ("_B4", "_B5"))
    quality = cells("l8ny18/" + name.replace("_B4", "_BQA"))
    out = (red == 0) | (nir == 0) | (quality & 0b10001 != 0)
    return np.where(out, np.nan, (nir - red) / (nir + red))


times = [row["datetime"].rstrip("Z") for row in rows]
ndvi = stack([row["file"] for row in rows], times, masked_ndvi)
write(
    "ndvi.tif",
    {
        "mean": ndvi.mean("time"),
        "median": ndvi.median("time"),
        "std": ndvi.std("time"),
        "var(ddof=1)": ndvi.var("time", ddof=1),
        "min": ndvi.min("time"),
        "max": ndvi.max("time"),
        "sum": ndvi.sum("time", min_count=1),
        "count": ndvi.count("time"),
        "p25": ndvi.quantile(0.25, "time"),
        "p90": ndvi.quantile(0.9, "time"),
    },
)
seasons = ndvi.groupby("time.season").mean("time")
write("ndvi_season.tif", {name: seasons.sel(season=name) for name in ("DJF", "MAM", "JJA", "SON")})
months = ndvi.groupby("time.month").mean("time")
write("ndvi_month.tif", {str(month): months.sel(month=month) for month in months.month.values})
# Two scenes of a day become one: the first that has a value.
days = ndvi.groupby(ndvi.time.dt.floor("D")).first(skipna=True)
write("ndvi_daily.tif", {"mean": days.mean("floor"), "count": days.count("floor")})

files = glob.glob("s2/*_NDVI.tif")
taken = [os.path.basename(name)[3:18] for name in files]
series = stack(files, pd.to_datetime(taken, format="%Y%m%dT%H%M%S"), lambda name: cells(name).astype("f8"))
quarters = series.groupby("time.season").mean("time")
write(
    "s2.tif",
    {
        "mean": series.mean("time"),
        "median": series.median("time"),
        "p10": series.quantile(0.1, "time"),
        **{name: quarters.sel(season=name) for name in ("DJF", "MAM", "JJA", "SON")},
    },
)
