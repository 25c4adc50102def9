"""What people do with xarray and dask's threads. Usage: dask_mean.py time|space|season FOLDER"""
import glob
import os
import sys

import dask
import numpy as np
import pandas as pd
import rioxarray
import xarray as xr

what, folder = sys.argv[1:3]
dask.config.set(scheduler="threads", num_workers=2)


def stack(band):
    files = sorted(glob.glob(f"{folder}/{band}_*.tif"))
    times = pd.to_datetime([os.path.basename(name)[-12:-4] for name in files])
    chunks = {"x": 2048, "y": 2048}
    opened = [rioxarray.open_rasterio(name, chunks=chunks, lock=False).squeeze("band", drop=True) for name in files]
    return xr.concat(opened, pd.Index(times, name="time"))


if what == "time":
    stack("x").mean("time").compute()
elif what == "space":
    stack("x").mean(("x", "y")).compute()
else:
    red, nir, qa = (stack(band) for band in ("red", "nir", "qa"))
    out = (qa & 0b11000) != 0
    red, nir = red.astype("f4").where(~out), nir.astype("f4").where(~out)
    ((nir - red) / (nir + red)).groupby("time.season").mean("time").compute()
