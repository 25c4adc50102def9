"""Stacks of rasters: band maths, rescaling, masks, statistics over time, tables of statistics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBand,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMatrix,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from . import catalog, styles
from .base import tr
from .fields import helped, rows_of
from .files import FileAlgorithm, Reporter, accepted, errors_for_processing, gdal_source
from .native import TerralumeError
from .stack_options import LEFT_OUT, UNFOLDED, OptionField

GROUP = ("rasterstack", "Raster stack")
HEADERS = ["Name", "Raster", "Band"]


def one_line(source: str) -> str:
    """A layer may be a text of XML; an input of the library stands in one line."""
    return " ".join(source.splitlines())


def plain(name: str) -> str:
    """The name of a layer as formulas may write it."""
    made = re.sub(r"[^\w. -]", "_", name).strip()
    return made if re.match(r"[^\W\d]", made) else f"_{made}"


class StackAlgorithm(FileAlgorithm):
    """A command of the library over a stack of rasters."""

    GROUP = GROUP
    COMMAND = ""
    #: Ends of the display, where they are known.
    STRETCH: dict[str, Any] = {}

    def __init__(self) -> None:
        super().__init__()
        description = catalog.STACK_COMMANDS[self.COMMAND]
        self.NAME, self.TITLE = self.NAME or self.COMMAND, self.TITLE or description["title"]
        self.SUMMARY = self.SUMMARY or f"{description['summary']}."
        wanted = UNFOLDED[self.COMMAND]
        known = [option for option in description["options"] if option not in LEFT_OUT]
        self._fields = [OptionField(self.COMMAND, option)
                        for option in wanted + [option for option in known if option not in wanted]]

    def tags(self) -> list[str]:
        return ["raster", "stack", "bands", "satellite", "time", "series", self.COMMAND, *self.TAGS.split()]

    def initAlgorithm(self, configuration: Any = None) -> None:
        self.add_inputs()
        self.add_named_inputs()
        for field in self._fields:
            if field.option in UNFOLDED[self.COMMAND]:
                self.addParameter(field.definition())
            else:
                definition = field.definition()
                self.add_advanced(definition, definition.help())
        self.add_outputs()

    def add_inputs(self) -> None:
        """Adds the rasters."""
        made = QgsProcessingParameterMultipleLayers(
            "INPUT", tr("Rasters"), QgsProcessing.SourceType.TypeRaster, None, True)
        self.addParameter(helped(made, tr("Images of one series, in any order; INPUTS can stand for them.")))

    def add_named_inputs(self) -> None:
        """Adds a table of inputs with names."""
        made = QgsProcessingParameterMatrix("INPUTS", tr("Named inputs"), 1, False, HEADERS, None, True)
        self.addParameter(helped(made, tr(
            "A row is an input. Name: what formulas and masks call it. Raster: a layer of the project, a file, or {}. "
            "Band: of these rasters, from 1; empty: all.").format(
                catalog.STACK_OPTIONS["input"]["help"].partition("PATH may be ")[2])))

    def add_outputs(self) -> None:
        """Adds the destination of the result, and how it is written."""
        self.add_file_parameters()
        self.addParameter(QgsProcessingParameterRasterDestination("OUTPUT", tr(self.TITLE)))

    # ---- reading parameters

    def inputs(self, parameters: dict[str, Any], context: Any) -> list[str]:
        """The rasters as inputs of the library."""
        sources = [one_line(gdal_source(layer, "INPUT")) for layer in self.layers(parameters, context)]
        return ["\n".join(sources)] if sources else []

    def layers(self, parameters: dict[str, Any], context: Any) -> list[Any]:
        """The layers that were chosen."""
        return self.parameterAsLayerList(parameters, "INPUT", context)

    def named_inputs(self, parameters: dict[str, Any], context: Any) -> list[str]:
        """The rows of the table as inputs of the library."""
        # QGIS makes a cell of a table that is not there.
        given = self.parameterAsMatrix(parameters, "INPUTS", context) if parameters.get("INPUTS") else []
        return [named_input(row, context) for row in rows_of(given, HEADERS) if any(row.values())]

    def options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """Everything the library must know but the output."""
        inputs = self.inputs(parameters, context) + self.named_inputs(parameters, context)
        if not inputs:
            raise TerralumeError(tr("no raster is given; choose INPUT, or fill in INPUTS"))
        given = [("input", text) for text in inputs]
        for field in self._fields:
            given += [(field.option, value) for value in field.values(self, parameters, context)]
        return given + self.run_options(parameters, context)

    def run_options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        """How the file is written and what the run may take."""
        return self.file_options(parameters, context)

    @contextmanager
    def stack(self, options: Iterable[tuple[str, str]]) -> Iterator[Any]:
        """A run with everything set but the output."""
        # A table of statistics is no command of its own: any stack can write it.
        with self.library().stack(self.COMMAND if self.COMMAND != "statistics" else "reduce") as stack:
            for name, value in options:
                stack.set_option(name, value)
            yield stack

    # ---- checking and running

    def checkParameterValues(self, parameters: dict[str, Any], context: Any) -> tuple[bool, str]:
        fine, text = super().checkParameterValues(parameters, context)
        # A dialog calls this in its own thread: a thousand rasters are opened by the run.
        return accepted(lambda: self.check_options(parameters, context)) if fine else (fine, text)

    def check_options(self, parameters: dict[str, Any], context: Any) -> None:
        """Checks each option alone."""
        with self.stack(self.options(parameters, context)):
            pass

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        self.warn_of_unknown(parameters, feedback)
        with errors_for_processing():
            options = self.options(parameters, context)
            for _, text in (pair for pair in options if pair[0] == "input"):
                feedback.pushInfo(tr("Input: {}").format(text.replace("\n", ", ")))
            output = self.output(parameters, context)
            with self.stack(options) as stack:
                bands = self.compute(stack, output, feedback)
                for note in stack.outcome()["notes"]:
                    feedback.pushInfo(note)
        self.show(context, output, bands, options)
        return {"OUTPUT": output}

    def compute(self, stack: Any, output: str, feedback: Any) -> list[str]:
        """Computes and writes; gives the names of the bands."""
        stack.run(output, Reporter(feedback))
        plan = stack.outcome()["plan"]
        say(plan, feedback)
        return plan["bands"]

    def output(self, parameters: dict[str, Any], context: Any) -> str:
        """The file to write."""
        return self.parameterAsOutputLayer(parameters, "OUTPUT", context)

    def show(self, context: Any, output: str, bands: list[str], options: list[tuple[str, str]]) -> None:
        """A result that is loaded gets a name, perhaps a style, and where it comes from."""
        what = ", ".join(bands) if len(bands) <= 3 else tr("{} bands").format(len(bands))
        picture = {"bands": bands, "color": False, "stretch": self.STRETCH, "recipe": dict_of(options)}
        look = styles.Look(picture, False, self.NAME, self.id())
        styles.on_completion(context, output, look, f"{tr(self.TITLE)} ({what})")


def dict_of(options: list[tuple[str, str]]) -> dict[str, Any]:
    """Options for the history of a layer; those that may be repeated are lists."""
    made: dict[str, Any] = {}
    for name, value in options:
        made.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in made.items()}


def named_input(row: dict[str, str], context: Any) -> str:
    """A row of the table of inputs as the library reads it."""
    name, raster, band = (row[header] for header in HEADERS)
    if not raster:
        raise TerralumeError(tr("INPUTS: '{}' has no raster; fill it in").format(name))
    layer = QgsProcessingUtils.mapLayerFromString(raster, context, False)
    source = raster if layer is None else one_line(gdal_source(layer, "INPUTS"))
    return (f"{name}=" if name else "") + source + (f":{band}" if band else "")


def say(plan: dict[str, Any], feedback: Any) -> None:
    """Writes into the log what was read, what was written and how the run was divided."""
    for image in plan["images"]:
        parts = (image["datetime"], image["group"], *image["files"])
        feedback.pushDebugInfo("  ".join(part for part in parts if part))
    feedback.pushInfo(tr("{images} images, {cols} x {rows} cells; bands: {bands}").format(
        images=len(plan["images"]), rows=plan["rows"], cols=plan["cols"], bands=", ".join(plan["bands"])))
    feedback.pushInfo(tr("{tiles} tiles, {threads} threads, {mib} MiB").format(
        tiles=plan["tiles"], threads=plan["threads"], mib=plan["memory"] >> 20))


def table_of(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A list of words and what they mean, for a help text."""
    lines = "".join(f"<li><code>{name}</code>: {text}</li>" for name, text in rows)
    return f"<p><b>{title}</b></p><ul>{lines}</ul>"


def entries(items: list[dict[str, Any]], name: str = "name") -> list[tuple[str, str]]:
    """Words and what they mean, of a list of the library."""
    return [(item[name], item["help"]) for item in items]


class Calc(StackAlgorithm):
    """Formulas over bands."""

    COMMAND = "calc"
    TAGS = "calculator algebra formula expression index ndvi evi"

    def add_inputs(self) -> None:
        made = QgsProcessingParameterMultipleLayers(
            "INPUT", tr("Rasters"), QgsProcessing.SourceType.TypeRaster, None, True)
        self.addParameter(helped(made, tr(
            "Rasters, which the formula calls as their layers are called: a name with blanks in double quotes, NAME[2] "
            "for band 2. INPUTS can stand for them.")))
        names = QgsProcessingParameterString("INPUT_NAMES", tr("Names of the rasters"), None, False, True)
        self.addParameter(helped(names, tr("Other names for them, such as red, nir: as many, in their order.")))

    def inputs(self, parameters: dict[str, Any], context: Any) -> list[str]:
        layers = self.layers(parameters, context)
        given = self.text(parameters, "INPUT_NAMES", context)
        names = [name.strip() for name in given.split(",")] if given else [plain(layer.name()) for layer in layers]
        if len(names) != len(layers):
            raise TerralumeError(tr("INPUT_NAMES has {} names for {} rasters; fill in as many, with commas").format(
                len(names), len(layers)))
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise TerralumeError(tr("two rasters are called '{}'; fill in INPUT_NAMES").format(twice[0]))
        return [f"{name}={one_line(gdal_source(layer, 'INPUT'))}" for name, layer in zip(names, layers)]

    def details(self) -> str:
        words = catalog.STACK["calc"]
        functions = [(f"{item['name']}({item['arguments']})", item["help"]) for item in words["functions"]]
        indices = [(f"{item['name']}({', '.join(item['bands'])})", f"{item['title']}: {item['formula']}")
                   for item in words["indices"]]
        return (table_of(tr("Operators"), entries(words["operators"])) + table_of(tr("Functions"), functions)
                + table_of(tr("Constants"), entries(words["constants"])) + table_of(tr("Indices"), indices))


class NormalisedDifference(StackAlgorithm):
    """The normalised difference of two bands."""

    COMMAND, NAME, TITLE = "calc", "normdiff", "Normalised difference"
    FUNCTION = next(item for item in catalog.STACK["calc"]["functions"] if item["name"] == "nd")
    SUMMARY = FUNCTION["help"] + " NDVI with red as the first band and near infrared as the second one."
    TAGS = "ndvi ndwi nbr ndsi index vegetation water"
    STRETCH = {"min": -1, "max": 1, "invert": False}

    def __init__(self) -> None:
        super().__init__()
        self._fields = [field for field in self._fields if field.option not in ("expr", "names", "sensor")]

    def add_inputs(self) -> None:
        for letter in self.FUNCTION["arguments"].split(", "):
            raster, band = f"INPUT_{letter.upper()}", f"BAND_{letter.upper()}"
            made = QgsProcessingParameterRasterLayer(raster, tr("Raster {}").format(letter))
            self.addParameter(helped(made, tr("Raster with band {}.").format(letter)))
            chosen = QgsProcessingParameterBand(band, tr("Band {}").format(letter), 1, raster, True)
            self.addParameter(helped(chosen, tr("Band that is {} in the formula.").format(letter)))

    def add_named_inputs(self) -> None:
        """Two bands are all."""

    def inputs(self, parameters: dict[str, Any], context: Any) -> list[str]:
        made = []
        for letter in self.FUNCTION["arguments"].split(", "):
            name = f"INPUT_{letter.upper()}"
            source = one_line(gdal_source(self.parameterAsRasterLayer(parameters, name, context), name))
            band = self.parameterAsInt(parameters, f"BAND_{letter.upper()}", context)
            made.append(f"{letter}={source}:{band}")
        return made

    def named_inputs(self, parameters: dict[str, Any], context: Any) -> list[str]:
        return []

    def options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        formula = f"{self.FUNCTION['name']}({self.FUNCTION['arguments']})"
        return [*super().options(parameters, context), ("expr", formula)]


class OneRaster(StackAlgorithm):
    """A command whose output is its input, changed."""

    def add_inputs(self) -> None:
        made = QgsProcessingParameterRasterLayer("INPUT", tr("Raster"))
        self.addParameter(helped(made, tr("Raster that is changed, with all its bands.")))

    def layers(self, parameters: dict[str, Any], context: Any) -> list[Any]:
        return [self.parameterAsRasterLayer(parameters, "INPUT", context)]


class Rescale(OneRaster):
    """No data, factor, summand, limits, type."""

    COMMAND = "rescale"
    TAGS = "nodata scale offset clip convert type reflectance"


class Mask(OneRaster):
    """Cells left out."""

    COMMAND = "mask"
    TAGS = "cloud shadow quality bits classes fmask scl qa"

    def details(self) -> str:
        words = catalog.STACK["mask"]
        presets = [(f"{item['name']}:FLAG,FLAG", f"{item['title']}: " + ", ".join(
            flag["name"] for flag in item["flags"])) for item in words["presets"]]
        return table_of(tr("Masks"), entries(words["forms"])) + table_of(tr("Products"), presets)


class Reduce(StackAlgorithm):
    """Statistics over time."""

    COMMAND = "reduce"
    TAGS = "temporal composite mean median percentile season month year cloud-free"

    def details(self) -> str:
        words = catalog.STACK["reduce"]
        return (table_of(tr("Statistics"), entries(words["statistics"]))
                + table_of(tr("Groups"), entries(words["groupings"], "form")))


class Statistics(StackAlgorithm):
    """A table of numbers about rasters."""

    COMMAND = "statistics"
    TAGS = "table csv json mean count histogram percentile zonal blocks"

    def add_outputs(self) -> None:
        self.add_machine_parameters()
        forms = ";;".join(f"{word.upper()} (*.{word})" for word in catalog.STACK_OPTIONS["as"]["choices"])
        self.addParameter(QgsProcessingParameterFileDestination("OUTPUT", tr("Table"), forms))

    def run_options(self, parameters: dict[str, Any], context: Any) -> list[tuple[str, str]]:
        given = self.machine_options(parameters, context)
        ending = self.output(parameters, context).rpartition(".")[2].lower()
        by_name = parameters.get("AS") is None and ending in catalog.STACK_OPTIONS["as"]["choices"]
        return given + ([("as", ending)] if by_name else [])

    def compute(self, stack: Any, output: str, feedback: Any) -> list[str]:
        stack.write_statistics(output, Reporter(feedback))
        return []

    def output(self, parameters: dict[str, Any], context: Any) -> str:
        return self.parameterAsFileOutput(parameters, "OUTPUT", context)
