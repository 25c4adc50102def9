#!/usr/bin/env bash
# Prints a Python that has rasterio and pyogrio with GDALs of their own, beside the osgeo of the system, and judges of what is written. It is made in
# target/python when it is not there (from PyPI, once: 130 MB).
#
#   scripts/python-env.sh               the interpreter
#   scripts/python-env.sh older         folders with older GDALs, one a line (PyPI, once: 65 MB)
set -euo pipefail
cd "$(dirname "$0")/.."

# Not a python3 that somebody put before the system's: osgeo belongs to this one.
python=/usr/bin/python3
# One folder for each Python and list of packages: they change with the system and with the list.
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
list=tests/gdals/requirements.txt
folder=$PWD/target/python/$version-$(sha256sum "$list" "$0" | sha256sum | cut -c 1-8)
# Wheels of rasterio with GDAL 3.5.3, 3.8.4 and 3.9.2; only the libraries in them are used, not their Python.
older=(1.3.4 1.3.10 1.3.11)

fail() {
    echo "scripts/python-env.sh: $*" >&2
    exit 1
}

make_environment() {
    "$python" -m venv --clear --system-site-packages "$folder" ||
        fail "no virtual environment can be made; needed: the package python3-venv"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$list" ||
        fail "the packages of $list cannot be installed; needed: PyPI, or a mirror that pip knows"
    "$folder/bin/python" -c 'import osgeo.gdal, rasterio, pyogrio' ||
        fail "osgeo, rasterio or pyogrio cannot be imported; needed: the package python3-gdal"
}

make_older() {
    local release wheels
    wheels=$(mktemp --directory)
    for release in "${older[@]}"; do
        "$folder/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
            --python-version 3.11 --dest "$wheels" "rasterio==$release" ||
            fail "rasterio $release cannot be fetched; needed: PyPI, or a mirror that pip knows"
        "$python" -m zipfile --extract "$wheels/rasterio-$release"-*.whl "$folder/older-$release.part"
        mv "$folder/older-$release.part" "$folder/older-$release"
    done
    rm -r "$wheels"
}

mkdir -p target/python
# Several tests may ask at once.
exec 9>"$folder.lock"
flock 9
if [[ ! -e $folder/made ]]; then
    make_environment >&2
    touch "$folder/made"
fi
if [[ ${1:-} == older ]]; then
    [[ -e $folder/older-${older[-1]} ]] || make_older >&2
    printf '%s\n' "${older[@]/#/$folder/older-}"
else
    echo "$folder/bin/python"
fi
