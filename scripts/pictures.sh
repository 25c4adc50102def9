#!/usr/bin/env bash
# Makes the pictures of the documentation from the bundled DEM.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
terralume=target/release/terralume
dem=tests/data/TM1_564_146.tif
side=600

"$terralume" visualize hillshade "$dem" "$work/left.tif" --type uint8 --quiet
"$terralume" render vat-combined "$dem" "$work/right.tif" --type uint8 --quiet
# Two pictures side by side, with a gap: a virtual raster of two sources.
source_at() {
    echo "<SimpleSource><SourceFilename>$work/$1.tif</SourceFilename><SourceBand>1</SourceBand>
          <SrcRect xOff='250' yOff='100' xSize='$side' ySize='$side'/>
          <DstRect xOff='$2' yOff='0' xSize='$side' ySize='$side'/></SimpleSource>"
}
{
    echo "<VRTDataset rasterXSize='$((2 * side + 10))' rasterYSize='$side'><VRTRasterBand dataType='Byte' band='1'>"
    echo "<NoDataValue>255</NoDataValue>"
    source_at left 0
    source_at right $((side + 10))
    echo "</VRTRasterBand></VRTDataset>"
} >"$work/pair.vrt"
gdal_translate -q -of PNG -a_nodata none --config GDAL_PAM_ENABLED NO "$work/pair.vrt" docs/pictures/before_after.png

# One picture per operation and preset, for docs/operations.md and docs/gallery.md.
picture() {
    gdal_translate -q -of PNG --config GDAL_PAM_ENABLED NO -srcwin 380 180 300 300 "$work/one.tif" "docs/pictures/$1.png"
    rm "$work/one.tif"
}
ids() { "$terralume" list --json | sed -n "/^  \"$1\": \[/,/^  \]/s/^      \"$2\": \"\(.*\)\",*/\1/p"; }
mapfile -t presets < <(ids presets name)
mapfile -t operations < <(ids operations id)
for name in "${operations[@]}"; do
    more=()
    # Sixteen bands make no picture; its colour form does.
    [[ $name == multi_hillshade ]] && more=(-p form=rgb)
    "$terralume" visualize "$name" "$dem" "$work/one.tif" --type uint8 --quiet "${more[@]}"
    picture "$name"
done
for name in "${presets[@]}"; do
    "$terralume" render "$name" "$dem" "$work/one.tif" --type uint8 --quiet
    picture "$name"
done
