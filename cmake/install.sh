#!/bin/sh
# Installs what `make build` has built: libraries, header, pkg-config file, CMake package, program, GDAL plugin.
# install.sh PROFILE PREFIX LIBDIR DESTDIR GDALPLUGINS, with LIBDIR relative to PREFIX. Run by the Makefile.
set -eu

profile=$1 prefix=$2 libdir=$3 destdir=$4 gdalplugins=${5:-0}
cd "$(dirname "$0")/.."

# The dev profile is the one whose directory has another name.
case $profile in
    dev) built=${CARGO_TARGET_DIR:-target}/debug ;;
    *) built=${CARGO_TARGET_DIR:-target}/$profile ;;
esac
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
major=${version%%.*}

# What a static library written in Rust needs. The crates bring no native library of their own, so an empty one
# tells the same; the test that links statically would notice if that changed.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
native=$(rustc --crate-type staticlib --crate-name empty --print native-static-libs -o "$scratch/empty.a" - \
    2>&1 </dev/null | sed -n 's/.*native-static-libs: *//p')

# From the directories of the two package files back to the prefix: an installed tree can be moved.
up=$(printf '%s' "$libdir" | sed 's|[^/]\{1,\}|..|g')
fill() {
    sed -e "s|@VERSION@|$version|g" -e "s|@MAJOR@|$major|g" -e "s|@LIBDIR@|$libdir|g" \
        -e "s|@UP@|$up|g" -e "s|@NATIVE@|$native|g" \
        -e "s|@NATIVE_LIST@|$(printf '%s' "$native" | sed 's/-l//g; s/  */;/g')|g" "$1" >"$2"
    chmod 644 "$2"
}

root=$destdir$prefix
lib=$root/$libdir
mkdir -p "$root/bin" "$root/include" "$lib/pkgconfig" "$lib/cmake/Terralume"
install -m 755 "$built/terralume" "$root/bin/terralume"
install -m 644 include/terralume.h "$root/include/terralume.h"
install -m 644 "$built/libterralume.so" "$lib/libterralume.so.$version"
install -m 644 "$built/libterralume.a" "$lib/libterralume.a"
ln -sf "libterralume.so.$version" "$lib/libterralume.so.$major"
ln -sf "libterralume.so.$major" "$lib/libterralume.so"

# The library is GDAL's plugin as well, under the name that GDAL looks for: in a folder of our own, which
# `terralume install-gdal-plugin` tells GDAL of, and in GDAL's, where every program finds it.
mkdir -p "$lib/terralume/gdalplugins"
ln -sf "../../libterralume.so.$major" "$lib/terralume/gdalplugins/gdal_terralume.so"
if [ "$gdalplugins" = 1 ]; then
    # GDAL's folder is beside its library, which the linker knows; pkg-config does not where Debian splits lib.
    found=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | sed -n 's|.*libgdal\.so.* => \(.*\)/[^/]*$|\1|p' | head -n 1)
    found=$(readlink -f "${found:-$prefix/$libdir}" || echo "$prefix/$libdir")
    system=$destdir$found/gdalplugins
    mkdir -p "$system"
    ln -sf "$prefix/$libdir/libterralume.so.$major" "$system/gdal_terralume.so"
fi
fill cmake/terralume.pc.in "$lib/pkgconfig/terralume.pc"
fill cmake/TerralumeConfig.cmake.in "$lib/cmake/Terralume/TerralumeConfig.cmake"
fill cmake/TerralumeConfigVersion.cmake.in "$lib/cmake/Terralume/TerralumeConfigVersion.cmake"
echo "terralume $version is in $root"
