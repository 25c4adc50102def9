#!/usr/bin/env bash
# Measures stacks against a program that only reads every block, against gdal_translate, and against dask, and writes
# docs/benchmarks_stacks.md. Usage: scripts/bench_stacks.sh [DATES] [SIDE] [SCENES] [SCENE_SIDE] [ROUNDS]
# Ratios count, not times: pairs run in turn, the median of the rounds is taken. Peers come by pip into target/bench.
set -euo pipefail
cd "$(dirname "$0")/.."
dates=${1:-100} side=${2:-2745} scenes=${3:-48} scene_side=${4:-4096} rounds=${5:-3}
cargo build --release --quiet
terralume=$PWD/target/release/terralume
venv=$PWD/target/bench/venv
work=$PWD/target/bench/stack
mkdir -p "$work"
if [[ ! -x $venv/bin/python ]]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet xarray 'dask[array]' rioxarray
fi
c++ -O2 -o "$work/floor" benches/floor.cpp $(gdal-config --cflags) $(gdal-config --libs) -lpthread

median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
seconds() { local start=$EPOCHREALTIME; "$@" >/dev/null 2>&1; awk "BEGIN {print $EPOCHREALTIME - $start}"; }
mebibytes() { /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -1 | awk '{printf "%.0f", $1 / 1024}'; }
rows=()
row() { rows+=("| $1 | $2 | $3 | $4 | $5 |"); echo "${rows[-1]}"; }
# Title, what to reach, reference command, our command.
pair() {
    local a=() b=() ratios=() x y
    for ((round = 0; round < rounds; round++)); do
        # Replacing a file makes ext4 write the new one to the disk at once.
        rm -f "$work"/{out,copy}.tif
        x=$(seconds bash -c "$3") y=$(seconds bash -c "$4")
        a+=("$x") b+=("$y") ratios+=("$(awk "BEGIN {print $y / $x}")")
    done
    row "$1" "$(printf '%s\n' "${a[@]}" | median)" "$(printf '%s\n' "${b[@]}" | median)" \
        "$(printf '%s\n' "${ratios[@]}" | median)" "$2"
}

# The scenes take minutes to make and 14 GB: they stay for the next time.
shape="$dates $side $scenes $scene_side"
if [[ $(cat "$work/shape" 2>/dev/null) != "$shape" ]]; then
    rm -rf "$work/deflate" "$work/plain"
    "$venv/bin/python" benches/make_stack.py "$work" $shape
    echo "$shape" >"$work/shape"
fi
quick="--threads 2 --overwrite --quiet"
deflate=$work/deflate plain=$work/plain
mean="$terralume reduce $deflate/x_*.tif $work/out.tif $quick"
for stat in mean median; do
    pair "temporal $stat of $dates float32 COGs $side², DEFLATE (reference: the floor)" \
        "$([[ $stat == mean ]] && echo '≤ 1.25' || echo '-')" "$work/floor 2 $deflate/x_*.tif" "$mean --stat $stat"
done
pair "temporal mean in tiles of 64 cells (reference: in tiles of terralume's choice)" "≤ 1.3" "$mean" "$mean --tile-size 64"
pair "spatial mean of the same (reference: the floor)" "≤ 1.25" "$work/floor 2 $deflate/x_*.tif" \
    "$terralume statistics $deflate/x_*.tif --stat mean --threads 2"
row "peak of the temporal mean, MiB: 10 files, $dates files" "$(mebibytes $terralume reduce $deflate/x_*0_*.tif $work/out.tif $quick)" \
    "$(mebibytes $mean)" "-" "≤ 256, the same"
row "peak of the median, MiB, --memory 512M" "512" "$(mebibytes $mean --stat median --memory 512M)" "-" "≤ 576"
pair "temporal mean, uncompressed (reference: xarray and dask threads)" "≤ 0.25" \
    "$venv/bin/python benches/dask_mean.py time $plain" "$terralume reduce $plain/x_*.tif $work/out.tif $quick"
pair "spatial mean, uncompressed (reference: xarray and dask threads)" "≤ 0.25" \
    "$venv/bin/python benches/dask_mean.py space $plain" "$terralume statistics $plain/x_*.tif --stat mean --threads 2"
season="--group season --mask 'qa: bits 3|4' --expr '(nir-red)/(nir+red)' $quick"
inputs() { echo "-i 'red=$1/red_*.tif' -i 'nir=$1/nir_*.tif' -i 'qa=$1/qa_*.tif'"; }
pair "masked NDVI seasonal mean of $scenes dates $scene_side², DEFLATE, output not compressed (reference: the floor)" "≤ 1.3" "$work/floor 2 $deflate/{red,nir,qa}_*.tif" \
    "$terralume reduce $(inputs "$deflate") $work/out.tif $season --co COMPRESS=NONE"
pair "the same, output in ZSTD (reference: the floor)" "-" "$work/floor 2 $deflate/{red,nir,qa}_*.tif" \
    "$terralume reduce $(inputs "$deflate") $work/out.tif $season"
pair "masked NDVI seasonal mean, uncompressed (reference: xarray and dask threads)" "≤ 0.25" \
    "$venv/bin/python benches/dask_mean.py season $plain" "$terralume reduce $(inputs "$plain") $work/out.tif $season"
row "peak of the seasonal mean, MiB" "512" "$(bash -c "/usr/bin/time -f %M $terralume reduce $(inputs "$deflate") $work/out.tif $season 2>&1 | tail -1" | awk '{printf "%.0f", $1 / 1024}')" "-" "≤ 512"
codec="-co TILED=YES -co BLOCKXSIZE=512 -co BLOCKYSIZE=512 -co COMPRESS=ZSTD -co ZSTD_LEVEL=1 -co NUM_THREADS=2"
pair "NDVI, 10000² UInt16 three bands, float32 out (reference: gdal_translate of the result)" "≤ 1.2" \
    "gdal_translate -q $codec -co PREDICTOR=3 $work/ndvi.tif $work/copy.tif" \
    "$terralume calc 'nd(X[1],X[3])' $work/out.tif -i $work/bgr.tif $quick"
pair "mask by classes to COG, 5490² RGB (reference: gdal_translate -of COG)" "≤ 1.2" \
    "gdal_translate -q -of COG -co COMPRESS=ZSTD -co LEVEL=1 -co PREDICTOR=YES -co NUM_THREADS=2 $work/rgb.tif $work/copy.tif" \
    "$terralume mask $work/rgb.tif -i scl=$work/scl.tif $work/out.tif --mask 'scl in (8, 9)' --where-masked 0 --format COG $quick"
{
    echo "# Benchmarks of stacks"
    echo
    echo "Written by \`scripts/bench_stacks.sh $shape $rounds\`: pairs run in turn, median of $rounds rounds, page cache"
    echo "warm. Ratios are ours / reference. The floor (\`benches/floor.cpp\`) only reads every block with two threads."
    echo
    echo "Machine: $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), GDAL $(gdal-config --version)."
    echo
    echo "| work | reference | terralume | ratio | to reach |"
    echo "| --- | --- | --- | --- | --- |"
    printf '%s\n' "${rows[@]}"
} >docs/benchmarks_stacks.md
echo "written: docs/benchmarks_stacks.md"
