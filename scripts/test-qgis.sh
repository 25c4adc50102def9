#!/usr/bin/env bash
# Runs the tests of the QGIS plugin with the library that cargo has built. Arguments go to pytest: test_live.py, -k WORD.
# TERRALUME_BLESS=1 rewrites help.html; scripts/qgis-data.sh does, after what it is made from.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

# Debian's QGIS belongs to Debian's Python, whatever other one comes first on the path.
environment=$root/target/python-qgis-$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! cmp --silent tests/qgis/requirements.txt "$environment/requirements.txt"; then
    /usr/bin/python3 -m venv --system-site-packages "$environment"
    "$environment/bin/pip" install --quiet --requirement tests/qgis/requirements.txt
    cp tests/qgis/requirements.txt "$environment/requirements.txt"
fi

# Nothing is left beside the tests.
work=$root/target/qgis-settings
mkdir -p "$work/runtime"
chmod 700 "$work/runtime"
cd "$work"
arguments=()
for argument in "${@:-.}"; do
    [[ $argument == . || $argument == test_*.py* ]] && argument=$root/tests/qgis/$argument
    arguments+=("$argument")
done
export QT_QPA_PLATFORM=offscreen XDG_RUNTIME_DIR=$work/runtime PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1
export TERRALUME_BUILT=${TERRALUME_BUILT:-$root/target/debug}
export TERRALUME_LIBRARY=$TERRALUME_BUILT/libterralume.so
exec "$environment/bin/python" -m pytest --quiet -p no:cacheprovider --rootdir "$work" \
    "${arguments[@]}"
