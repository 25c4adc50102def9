#!/usr/bin/env bash
# Cuts the scenes of this folder out of the sample data and makes the expected values, which are kept.
# Usage: make.sh FOLDER, the folder that holds l8ny18, l8ny18_grid, l8_224078 and s2_series.
set -euo pipefail
from=$1
cd "$(dirname "$0")"
mkdir -p l8ny18 s2 originals
for file in "$from"/l8ny18_grid/*_B4.tif "$from"/l8ny18_grid/*_B5.tif "$from"/l8ny18_grid/*_BQA.tif; do
    gdal_translate -q -co COMPRESS=DEFLATE -srcwin 40 50 40 40 "$file" "l8ny18/$(basename "$file")"
done
grep -E '^file|_B4|_B5|_BQA' "$from/l8ny18_grid/dates.csv" >l8ny18/dates.csv
for file in "$from"/s2_series/*_NDVI.tif; do
    gdal_translate -q -co COMPRESS=DEFLATE -srcwin 40 40 16 16 "$file" "s2/$(basename "$file")"
done
for scene in LC08_L1TP_013032_20180131_20180207_01_T1 LC08_L1TP_014031_20180106_20180119_01_T1; do
    cp "$from/l8ny18/$scene"/*_B4.TIF originals/
done
for scene in 013032_20180131 014031_20180106; do
    cp "$from/l8ny18_grid/L8_${scene}_B4.tif" "originals/grid_${scene#*_}_B4.tif"
done
gdal_translate -q -co COMPRESS=DEFLATE -co PREDICTOR=2 -co INTERLEAVE=PIXEL -srcwin 0 200 128 128 \
    "$from/l8_224078/LC08_224078_20200518_bgr.tif" bgr.tif
python3 expected.py
