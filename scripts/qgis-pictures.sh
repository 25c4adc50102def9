#!/usr/bin/env bash
# Makes the small pictures of the QGIS plugin from those of the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."

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
