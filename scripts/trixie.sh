#!/usr/bin/env bash
# Runs the tests that meet GDAL and QGIS on Debian 13 (GDAL 3.10, QGIS 3.40): the binaries that were built here, in a
# folder with that release. Takes about 4 GB; needs root for chroot and mounts, which are undone at the end.
#
#   scripts/trixie.sh [FOLDER] [TEST]...     FOLDER is made when it is not there; tests are those of `cargo test --test`,
#                                            and qgis, those of the QGIS plugin
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-target/trixie}
tests=("${@:2}")
((${#tests[@]})) || tests=(virtual_files vrt pixel_functions gdal_plugin gdals gdal_programs hostile qgis)
packages=(
    gdal-bin python3-gdal python3-numpy python3-pytest python3-venv qgis python3-qgis qgis-server xvfb xauth git mapserver-bin strace libxml2-utils gcc libc6-dev libgdal-dev
)

if ((EUID != 0)); then
    echo "chroot needs root: sudo $0 $*" >&2
    exit 1
fi

make_system() {
    local mirror
    mirror=$(sed -nE 's|^deb ([^ [][^ ]*debian/?) .*|\1|p; s|^URIs: ([^ ]*debian/?)$|\1|p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
    command -v debootstrap >/dev/null || apt-get install --quiet --quiet --yes debootstrap >/dev/null
    debootstrap --variant=minbase --include=ca-certificates trixie "$folder" "${mirror:-http://deb.debian.org/debian}"
    # Nobody minds losing this system in a power cut.
    echo force-unsafe-io >"$folder/etc/dpkg/dpkg.cfg.d/unsafe"
    # How this machine reaches its packages.
    cp --no-clobber /etc/apt/apt.conf.d/* "$folder/etc/apt/apt.conf.d/"
    touch "$folder/made"
}

# What a list that has grown since needs as well.
install_packages() {
    chroot "$folder" dpkg-query --show "${packages[@]}" >/dev/null 2>&1 ||
        chroot "$folder" env DEBIAN_FRONTEND=noninteractive \
            apt-get install --quiet --quiet --yes --no-install-recommends "${packages[@]}"
    # Certificates that this machine trusts: pip meets them.
    cp --recursive /usr/local/share/ca-certificates/. "$folder/usr/local/share/ca-certificates/"
    chroot "$folder" update-ca-certificates >/dev/null
}

unmount() {
    for place in "$folder/proc" "$folder/dev" "$folder$PWD"; do
        if mountpoint --quiet "$place"; then umount --lazy "$place"; fi
    done
}

[[ -e $folder/made ]] || make_system
folder=$(realpath "$folder")
trap unmount EXIT
unmount
mkdir -p "$folder$PWD"
mount -t proc proc "$folder/proc"
mount --bind /dev "$folder/dev"
# At the same path, which is built into the tests.
mount --bind "$PWD" "$folder$PWD"
install_packages

chosen=() commands=() plugin=0
for test in "${tests[@]}"; do
    if [[ $test == qgis ]]; then plugin=1; else chosen+=(--test "$test"); fi
done
if ((${#chosen[@]})); then
    mapfile -t commands < <(cargo test --no-run --message-format=json "${chosen[@]}" 2>/dev/null |
        sed -nE 's/.*"kind":\["test"\].*"executable":"([^"]+)".*/\1/p')
fi
if ((plugin)); then
    cargo build --quiet
    commands+=(scripts/test-qgis.sh)
fi

failed=0
chroot "$folder" gdalinfo --version
for command in "${commands[@]}"; do
    echo "== $(basename "$command")"
    chroot "$folder" env -C "$PWD" HOME=/root LC_ALL=C.UTF-8 "$command" || failed=1
done
exit $failed
