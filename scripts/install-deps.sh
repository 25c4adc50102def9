#!/usr/bin/env bash
# Installs what building and testing need on Debian or Ubuntu, and nothing that is there already.
# Rust itself must be there: https://rustup.rs
set -euo pipefail

packages=(
    gcc g++ make pkg-config cmake    # the C and C++ programs of the tests, and the installed package
    gdal-bin libgdal-dev             # GDAL's library, headers and programs
    python3-gdal                     # GDAL in Python: reads pictures as a program of its own
    libmuparser-dev                  # the parser whose language expressions share
    libxml2-utils                    # xmllint holds VRT files to GDAL's schema
    mapserver-bin                    # map2img draws pictures as a map server does
    strace                           # shows which files a hostile VRT makes GDAL open
    python3-venv                     # programs with other GDALs beside it: scripts/python-env.sh
)

# What one target needs beside that comes as arguments.
packages+=("$@")

missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [[ $status == ii* ]] || missing+=("$package")
done
if ((${#missing[@]})); then
    echo "installing: ${missing[*]}"
    sudo=()
    ((EUID == 0)) || sudo=(sudo)
    "${sudo[@]}" apt-get update --quiet --quiet
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --quiet --quiet --yes --no-install-recommends "${missing[@]}" >/dev/null
fi

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust 1.88 or newer from https://rustup.rs" >&2
    exit 1
fi
