#!/usr/bin/env bash
# Makes the rasters of this folder again with SAGA (Debian 12: apt-get install saga) and GDAL.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# NAME [WINDOW]: of an elevation model of the goldens, or of a window of it.
curvatures() {
    gdal_translate -q "${@:2}" "../goldens/dem_$1.tif" "$work/dem.tif"
    saga_cmd --flags=s ta_morphometry 0 -ELEVATION "$work/dem.tif" -METHOD 6 \
        -C_LONG "$work/longitudinal.sgrd" -C_CROS "$work/cross_sectional.sgrd" >/dev/null
    for curvature in longitudinal cross_sectional; do
        gdal_translate -q --config GDAL_PAM_ENABLED NO -co COMPRESS=DEFLATE -co PREDICTOR=3 -co ZLEVEL=9 \
            "$work/$curvature.sdat" "saga_$1_$curvature.tif"
    done
}

saga_cmd --version
curvatures tm1_256 -srcwin 64 64 128 128
curvatures tm1_256_nd -srcwin 64 64 128 128
curvatures synth_200x140
