"""Runs every algorithm with its defaults, as values and as bytes, in the QGIS of the environment; prints what came out.

    python3 every_algorithm.py FOLDER_OF_PLUGIN ELEVATIONS FOLDER_OF_RESULTS
"""

import json
import sys

from qgis.core import QgsApplication, QgsProcessingFeedback

QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
sys.path[:0] = ["/usr/share/qgis/python/plugins", sys.argv[1]]

import processing  # noqa: E402
from processing.core.Processing import Processing  # noqa: E402
from terralume import classFactory  # noqa: E402

#: What no default can know: rasters, a formula, what is left out.
GIVEN = {
    "normdiff": {"INPUT_A": sys.argv[2], "INPUT_B": sys.argv[2]},
    "calc": {"INPUT": [sys.argv[2]], "EXPR": "2 * dem_20180101"},
    "mask": {"MASK": "X > 250"},
    "reduce": {"INPUT": [sys.argv[2]]},
    "statistics": {"INPUT": [sys.argv[2]], "OUTPUT": f"{sys.argv[3]}/statistics.csv"},
    "livelayer": {"OUTPUT": None},
}


def run(algorithm):
    """All forms of an algorithm: its results."""
    names = {item.name() for item in algorithm.parameterDefinitions()}
    given = {} if algorithm.name() == "normdiff" else {"INPUT": sys.argv[2]}
    forms = [{}, {"SAVE_AS_8BIT": True}] if "SAVE_AS_8BIT" in names else [{}]
    results = []
    for number, form in enumerate(forms):
        output = f"{sys.argv[3]}/{algorithm.name()}{number}"
        outputs = {name: f"{output}.tif" for name in names & {"OUTPUT", "SVF"}}
        outputs.update({name: output for name in names & {"FOLDER"}})
        given.update({**outputs, **form, **GIVEN.get(algorithm.name(), {})})
        results.append(processing.run(algorithm.id(), given, feedback=QgsProcessingFeedback()))
    return results


Processing.initialize()
plugin = classFactory(None)
plugin.initProcessing()
provider = QgsApplication.processingRegistry().providerById("terralume")
found = {algorithm.name(): run(algorithm) for algorithm in provider.algorithms()}
print(json.dumps(found, default=lambda layer: layer.source()))
sys.stdout.flush()
