# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a DEM to a picture, and from a stack to seasons
#
# A notebook as a script: Jupyter opens it with the extension jupytext, and the tests run it as it stands. It uses the data of
# the repository's tests and writes into the current folder.

# %%
import pathlib
import sys

import numpy as np

import terralume

DATA = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] != "-f" else "tests/data")
DEM = str(DATA / "TM1_564_146.tif")
SCENES = DATA / "stack" / "scenes" / "l8ny18"

# %% [markdown]
# ## One machine
#
# The elevation model is opened lazily; nothing is read but its header.

# %%
dem = terralume.open(DEM, chunks=256)
dem

# %% [markdown]
# VAT combined is four layers, stretched and blended, for general and for flat terrain. As bytes it is a picture: 1 to 255, and 0
# where there is no data. The file is written by the library itself, with all threads.

# %%
vat = dem.terralume.render("vat-combined", dtype="uint8")
vat.terralume.to_raster("vat.tif", driver="COG", overwrite=True)
print(terralume.plan("vat-combined", DEM, dtype="uint8"))

# %% [markdown]
# Parameters can be changed, operations can follow each other, and every function has its help.

# %%
print(terralume.svf.__doc__.split("Parameters")[0])
faint = dem.terralume.svf(radius=15, noise="low").terralume.local_relief(radius=20).terralume.compute()
print(float(faint.min()), float(faint.max()))

# %% [markdown]
# ## Seasons of a stack
#
# Dates come from the names of the files. Clouds and cells without data are masked by bits of the quality band, NDVI is computed
# for each date, and the mean of each season is kept: all in one pass.

# %%
stack = terralume.open({"red": f"{SCENES}/*_B4.tif", "nir": f"{SCENES}/*_B5.tif", "qa": f"{SCENES}/*_BQA.tif"})
program = {"group": "season", "expression": "(nir - red) / (nir + red)", "mask": "qa: bits 0|4"}
seasons = stack.terralume.reduce("mean", **program).terralume.compute()
for name in seasons.band.values:
    print(name, float(seasons.sel(band=name).mean()))
seasons.terralume.to_raster("seasons.tif", overwrite=True)

# %% [markdown]
# ## The same on a cluster
#
# Two processes here; a scheduler's address in place of `LocalCluster` makes it many machines.

# %%
from dask.distributed import Client, LocalCluster  # noqa: E402


def on_cluster():
    """The picture by super-tiles, and the seasons by chunks; the cells are the same."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        report = terralume.dask.run(
            "vat-combined", DEM, "vat.vrt", dtype="uint8", client=client, supertile=512, overwrite=True)
        print(report.tiles, "super-tiles,", report.computed, "computed")
        tiled = terralume.open("vat.vrt").values
        assert np.array_equal(tiled, terralume.open("vat.tif").values)
        chunked = stack.chunk({"y": 20, "x": 20}).terralume.reduce("mean", **program).compute()
        assert np.array_equal(chunked, seasons, equal_nan=True)


# Worker processes import a script again, a notebook they do not.
if __name__ == "__main__":
    on_cluster()
