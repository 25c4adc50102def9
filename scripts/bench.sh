#!/usr/bin/env bash
# Times whole commands against GDAL's own on large copies of the bundled DEM, and kernels against hand-vectorised C++,
# each pair in turn in one run; prints the ratios and writes them to docs/benchmarks.md.
#
# usage: scripts/bench.sh [SIZE…]      default: 4000 10000; files go to $TMPDIR
set -euo pipefail
cd "$(dirname "$0")/.."

sizes=("${@:-4000 10000}")
read -r -a sizes <<<"${sizes[*]}"
rounds=${ROUNDS:-5}
scripts/install-deps.sh time
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet
cargo build --release --quiet --example mirrored_dem
cargo bench --quiet --bench kernels --no-run
g++ -O3 -march=native -ffast-math benches/near_limit.cpp -o "$work/near_limit" -lpthread -lm
terralume=target/release/terralume
mkdir "$work/plugins"
ln -s "$PWD/target/release/libterralume.so" "$work/plugins/gdal_terralume.so"
export GDAL_DRIVER_PATH=$work/plugins

median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
seconds() { rm -f "$work"/out*; /usr/bin/time -f %e -o "$work/time" "$@" >/dev/null 2>"$work/said"; cat "$work/time"; }
mebibytes() { rm -f "$work"/out*; /usr/bin/time -f %M -o "$work/time" "$@" >/dev/null 2>"$work/said"; awk '{print $1 / 1024}' "$work/time"; }

rows=()
# pair WORK TO_REACH "REFERENCE" "OURS": median seconds of both and the median of their ratios, round by round.
pair() {
    local reference=() ours=() ratios=() a b
    seconds $3 >/dev/null
    seconds $4 >/dev/null
    for ((round = 0; round < rounds; round++)); do
        a=$(seconds $3)
        b=$(seconds $4)
        reference+=("$a")
        ours+=("$b")
        ratios+=("$(awk "BEGIN {print $b / $a}")")
    done
    row "$1" "$(printf '%s\n' "${reference[@]}" | median) s" "$(printf '%s\n' "${ours[@]}" | median) s" \
        "$(printf '%s\n' "${ratios[@]}" | median)" "$2"
}
row() {
    rows+=("$(printf '| %s | %s | %s | %.2f | %s |' "$@")")
    echo "${rows[-1]}"
}

for size in "${sizes[@]}"; do
    dem=$work/dem$size.tif
    target/release/examples/mirrored_dem tests/data/TM1_564_146.tif "$size" "$work/dem.raw"
    gdal_translate -q -a_ullr 0 "$size" "$size" 0 -co TILED=YES -co BLOCKXSIZE=512 -co BLOCKYSIZE=512 \
        "$work/dem.raw" "$dem"
    rm "$work"/dem.raw
    plain="--co COMPRESS=NONE --quiet --threads 2"
    copy="gdal_translate -q $dem $work/out.tif"
    vat="$terralume render vat-combined $dem $work/out.tif $plain --type uint8"
    pair "VAT combined, 8 bit, $size² (reference: gdal_translate copy)" "≤ 3.5" "$copy" "$vat"
    pair "hillshade, 8 bit, $size² (reference: gdaldem hillshade)" "≤ 1" \
        "gdaldem hillshade -q $dem $work/out.tif" \
        "$terralume visualize hillshade $dem $work/out.tif $plain --type uint8"
    pair "hillshade, float32, $size² (reference: gdaldem hillshade, which writes bytes)" "" \
        "gdaldem hillshade -q $dem $work/out.tif" "$terralume visualize hillshade $dem $work/out.tif $plain"
    pair "SVF radius 10, float32, $size² (reference: gdal_translate copy)" "≤ 2.5" "$copy" \
        "$terralume visualize svf $dem $work/out.tif $plain"
    visualize() { echo "$terralume visualize $1 $dem $work/out.tif $plain"; }
    for limit in "mstp 5" "sky_illumination 8" "local_dominance 4" "local_relief 1.5" "multi_scale_relief 1.5"; do
        name=${limit% *}
        pair "$name, float32, $size² (reference: gdal_translate copy)" "≤ ${limit#* }" "$copy" "$(visualize "$name")"
    done
    pair "e3MSTP, float32, $size² (reference: gdal_translate copy)" "≤ 9" "$copy" \
        "$terralume render e3mstp $dem $work/out.tif $plain"
    $(visualize multi_hillshade) >/dev/null && mv "$work/out.tif" "$work/bands.tif"
    pair "16 hillshades, float32, $size² (reference: gdal_translate copy of 16 bands)" "≤ 1.5" \
        "gdal_translate -q $work/bands.tif $work/out.tif" "$(visualize multi_hillshade)"
    rm "$work/bands.tif"
    peak=$(mebibytes $(visualize mstp) --memory 512M)
    row "mstp, $size², --memory 512M: peak resident MiB" "512" "$peak" "$(awk "BEGIN {print $peak / 512}")" "≤ 576 MiB"
    pair "hillshade as a virtual file, 8 bit, $size² (reference: gdaldem hillshade)" "≤ 1.2" \
        "gdaldem hillshade -q $dem $work/out.tif" "gdal_translate -q /vsiterralume/hillshade,type=uint8/$dem $work/out.tif"
    pair "SVF as a virtual file, float32, $size² (reference: the program writing the same)" "≤ 1.5" \
        "$(visualize svf)" "gdal_translate -q /vsiterralume/svf/$dem $work/out.tif"
    pair "VAT combined, $size²: 2 threads against 1 (ratio: ours/reference)" "≤ 0.56" \
        "$terralume render vat-combined $dem $work/out.tif --co COMPRESS=NONE --quiet --threads 1 --type uint8" "$vat"
    seconds $vat >/dev/null
    mv "$work/out.tif" "$work/whole.tif"
    peak=$(mebibytes $vat --memory 256M)
    cmp "$work/out.tif" "$work/whole.tif"
    row "VAT combined, $size², --memory 256M: peak resident MiB, same bits" "256" "$peak" \
        "$(awk "BEGIN {print $peak / 256}")" "≤ 300 MiB"
    rm -f "$dem" "$work"/*.tif
done

for mode in svf opns svfopns slope hs mhs16 vat; do
    ratios=() reference=() ours=()
    for ((round = 0; round < rounds; round++)); do
        a=$("$work/near_limit" "$mode" 4000 1 5 | sed 's/.*compute_mpixs": \([0-9.]*\).*/\1/')
        b=$(cargo bench --quiet --bench kernels -- --warm-up-time 0.5 --measurement-time 2 "kernels/$mode\$" 2>/dev/null |
            sed -n 's/.*thrpt: *\[[0-9.]* [A-Za-z/]* \([0-9.]*\) .*/\1/p' | head -1)
        reference+=("$a") ours+=("$b") ratios+=("$(awk "BEGIN {print $b / $a}")")
    done
    row "kernel $mode, 4000², one thread (Mpixel/s)" "$(printf '%s\n' "${reference[@]}" | median)" \
        "$(printf '%s\n' "${ours[@]}" | median)" "$(printf '%s\n' "${ratios[@]}" | median)" "≥ 0.8"
done

{
    echo "# Benchmarks"
    echo
    echo "Written by \`scripts/bench.sh\`: pairs run in turn, median of $rounds rounds, page cache warm, nothing compressed."
    echo "Judge by the ratios (ours / reference): the machine is shared and its speed drifts."
    echo "Kernels: \`benches/near_limit.cpp\`, hand-vectorised C++ without nodata, tiles or dispatch, is the reference;"
    echo "there a larger ratio is better, elsewhere a smaller one."
    echo
    echo "Machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)," \
        "GDAL $(gdal-config --version), $(rustc --version | cut -d' ' -f1,2)."
    echo
    echo "| work | reference | terralume | ratio | to reach |"
    echo "| --- | --- | --- | --- | --- |"
    printf '%s\n' "${rows[@]}"
} >docs/benchmarks.md
echo "written: docs/benchmarks.md"
