#!/usr/bin/env bash
# Writes what the QGIS plugin has from the library: descriptions, help, and small pictures from those of the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."

target/debug/terralume list --json | /usr/bin/python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin), indent=1, ensure_ascii=False))' >target/algorithms.json
mv target/algorithms.json qgis_plugin/terralume/algorithms.json

to=qgis_plugin/terralume/pictures
mkdir -p "$to"
picture() {
    gdal_translate -q -of JPEG -outsize 160 160 -r average -co QUALITY=82 --config GDAL_PAM_ENABLED NO \
        "docs/pictures/$1.png" "$to/$2.jpg"
}
names=$(/usr/bin/python3 -c '
import sys
sys.path.insert(0, "qgis_plugin/terralume")
import catalog
for operation in catalog.OPERATIONS:
    print(operation, catalog.algorithm_name(operation))')
while read -r operation name; do
    picture "$operation" "$name"
done <<<"$names"
mv "$to/opennesspositive.jpg" "$to/openness.jpg"
rm "$to/opennessnegative.jpg"
picture vat-combined preset
picture crim blend
picture openness_positive skyviewset
picture vat livelayer

TERRALUME_BLESS=1 scripts/test-qgis.sh test_frozen.py
