#!/usr/bin/env bash
# Renders VAT combined of the bundled lidar DEM to a GeoTIFF and a PNG, and says where they are.
set -euo pipefail
cd "$(dirname "$0")/.."

dem=tests/data/TM1_564_146.tif
mkdir -p demo
target/release/terralume render vat-combined "$dem" demo/vat_combined.tif --type uint8 --overwrite
gdal_translate -q -of PNG --config GDAL_PAM_ENABLED NO demo/vat_combined.tif demo/vat_combined.png
echo "GeoTIFF: $PWD/demo/vat_combined.tif"
echo "picture: $PWD/demo/vat_combined.png"
