#!/usr/bin/env bash
# Runs the tests of the Python package with the library that cargo has built. Arguments go to pytest: test_dask.py, -k WORD.
# The packages come from PyPI, once (350 MB), into target/.
#
#   scripts/test-python.sh --python      prints the interpreter and stops
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
environment=$root/target/python-package-$version
list=tests/python/requirements.txt
mkdir -p target
exec 9>"$environment.lock"
flock 9
if ! cmp --silent "$list" "$environment/requirements.txt"; then
    /usr/bin/python3 -m venv --clear "$environment" >&2
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$list" >&2
    cp "$list" "$environment/requirements.txt"
fi
flock -u 9
if [[ ${1:-} == --python ]]; then
    echo "$environment/bin/python"
    exit
fi

# Nothing is left beside the tests.
work=$root/target/python-tests
mkdir -p "$work"
cd "$work"
arguments=()
chosen=
for argument in "$@"; do
    if [[ $argument == test_*.py* ]]; then
        argument=$root/tests/python/$argument
        chosen=yes
    fi
    arguments+=("$argument")
done
[[ -n $chosen ]] || arguments+=("$root/tests/python")
export TERRALUME_BUILT=${TERRALUME_BUILT:-$root/target/debug}
export TERRALUME_LIBRARY=$TERRALUME_BUILT/libterralume.so
# Workers of clusters are processes of their own.
export PYTHONPATH=$root/python PYTHONDONTWRITEBYTECODE=1 DASK_DISTRIBUTED__WORKER__DAEMON=false
export MPLBACKEND=Agg NUMBA_CACHE_DIR=$work/numba
exec "$environment/bin/python" -m pytest --quiet -p no:cacheprovider -W ignore::PendingDeprecationWarning -W ignore::DeprecationWarning --rootdir "$work" "${arguments[@]}"
