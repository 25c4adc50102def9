#!/usr/bin/env bash
# A walk through a real QGIS window that nobody sees: scripts/qgis-gui.sh FOLDER [DEM]
# Pictures and found.json go into FOLDER. TERRALUME_LIBRARY says which library; by default what cargo has built.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
shots=$(realpath -m "$1")
dem=$(realpath "${2:-$root/tests/data/TM1_564_146.tif}")

profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
plugins=$profile/config/profiles/default/python/plugins
mkdir -p "$plugins" "$profile/config/profiles/default/QGIS" "$profile/runtime" "$shots"
chmod 700 "$profile/runtime"
ln -s "$root/qgis_plugin/terralume" "$plugins/terralume"
cat >"$profile/config/profiles/default/QGIS/QGIS3.ini" <<'INI'
[PythonPlugins]
terralume=true
[qgis]
checkVersion=false
showTips=false
[Qgis]
showTips322=false
INI

export HOME=$profile XDG_RUNTIME_DIR=$profile/runtime QGIS_CUSTOM_CONFIG_PATH=$profile/config
export TERRALUME_LIBRARY=${TERRALUME_LIBRARY:-$root/target/debug/libterralume.so}
export TERRALUME_SCENES=$root/tests/data/stack/scenes/l8ny18
export TERRALUME_SHOTS=$shots TERRALUME_DEM=$dem PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1
unset QT_QPA_PLATFORM
timeout 180 xvfb-run --auto-servernum --server-args "-screen 0 1400x900x24" \
    qgis.bin --nologo --noversioncheck --code "$root/tests/qgis/gui_shot.py" >"$shots/qgis.log" 2>&1
test -s "$shots/found.json"
cat "$shots/found.json"
