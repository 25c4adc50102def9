"""Models and batches: algorithms feed one another, and a table of inputs runs with defaults."""

from conftest import bands, command
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProject,
)

Source = QgsProcessingModelChildParameterSource


def child(identity, name, output, **sources):
    """A step of a model."""
    made = QgsProcessingModelChildAlgorithm(identity)
    made.setChildId(name)
    for parameter, source in sources.items():
        made.addParameterSources(parameter, [source])
    if output:
        made.setModelOutputs({"out": output})
    return made


def run_model(model, elevations, output, feedback):
    """The results of a model."""
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    results, fine = model.run({"DEM": elevations, "last:out": output}, context, feedback)
    assert fine, feedback.said
    return results


def model_of(first, second):
    """Two steps, the second of which takes what the first one gives."""
    model = QgsProcessingModelAlgorithm("model", "tests")
    model.addModelParameter(QgsProcessingParameterRasterLayer("DEM"), QgsProcessingModelParameter("DEM"))
    result = QgsProcessingModelOutput("out", "out")
    result.setChildId("last")
    result.setChildOutputName("OUTPUT")
    second.setModelOutputs({"out": result})
    model.addChildAlgorithm(first)
    model.addChildAlgorithm(second)
    return model


def test_filled_then_shown(provider, small, tmp_path, feedback, qgis_new_project):
    first = child("terralume:fillnodata", "first", None, INPUT=Source.fromModelParameter("DEM"))
    second = child("terralume:slope", "last", None, INPUT=Source.fromChildOutput("first", "OUTPUT"),
                   UNIT=Source.fromStaticValue(2))
    run_model(model_of(first, second), small, str(tmp_path / "out.tif"), feedback)
    command("visualize", "slope", small, tmp_path / "expected.tif", "-p", "unit=percent")
    assert bands(tmp_path / "out.tif") == bands(tmp_path / "expected.tif")


def test_on_the_fly_then_written(provider, small, tmp_path, feedback, qgis_new_project):
    first = child("terralume:livelayer", "first", None, INPUT=Source.fromModelParameter("DEM"))
    second = child("terralume:materialize", "last", None, INPUT=Source.fromChildOutput("first", "LAYER"))
    run_model(model_of(first, second), small, str(tmp_path / "out.tif"), feedback)
    command("visualize", "svf", small, tmp_path / "expected.tif")
    assert bands(tmp_path / "out.tif") == bands(tmp_path / "expected.tif")


def test_batch(provider, small, tmp_path):
    """What the batch dialog does: the algorithm's own defaults, row by row."""
    import processing
    algorithm = provider.algorithm("skyviewfactor")
    defaults = {item.name(): item.defaultValue() for item in algorithm.parameterDefinitions()}
    for number in range(2):
        rows = {**defaults, "INPUT": small, "OUTPUT": str(tmp_path / f"{number}.tif")}
        processing.run("terralume:skyviewfactor", rows)
    assert bands(tmp_path / "0.tif") == bands(tmp_path / "1.tif")
