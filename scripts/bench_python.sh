#!/usr/bin/env bash
# Measures the Python package beside xarray-spatial and writes docs/benchmarks_python.md: all steps in one go, of which the last,
# a raster of 30 GB on a cluster, takes by far the longest. Arguments go to benches/python.py; with some, the table is only
# printed:
#   scripts/bench_python.sh --only sky overhead        some of sky, overhead, lazy, tiles, large
#   scripts/bench_python.sh --large 12000x12000        all, on a smaller raster
set -euo pipefail
cd "$(dirname "$0")/.."

# A library that is named is measured as it is.
if [[ -z ${TERRALUME_LIBRARY:-} ]]; then
    cargo build --release
    TERRALUME_LIBRARY=$PWD/target/release/libterralume.so
fi
python=$(scripts/test-python.sh --python)
export TERRALUME_LIBRARY PYTHONPATH=$PWD/python
export TERRALUME_BENCH=${TERRALUME_BENCH:-$PWD/target}
before=$(cut -d ' ' -f 1 /proc/loadavg)
if (($#)); then
    exec "$python" benches/python.py "$@"
fi
table=$("$python" benches/python.py)
{
    echo "# Benchmarks of the Python package"
    echo
    echo "Written by \`scripts/bench_python.sh\`: one run, medians of interleaved repetitions, $(nproc) processors"
    echo "($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), load of other programs at the start $before."
    echo
    echo "$table"
    echo
    echo "xarray-spatial 0.5.3 has no sky-view factor, so the loop that one would write with numba stands beside ours: the same 16"
    echo "directions and 10 cells, the cells nearest to each ray, no cells without data. Slope: xarray-spatial takes eight neighbours and"
    echo "a graph with overlaps; we take four, and each task reads its window from the file."
} > docs/benchmarks_python.md
cat docs/benchmarks_python.md
