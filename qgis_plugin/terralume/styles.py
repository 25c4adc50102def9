"""How results look: limits come from the library, the user's own style wins."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from qgis.core import (
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsMultiBandColorRenderer,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterShader,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtGui import QColor

#: Operations whose 0 is the surroundings: hollows blue, mounds red.
DIVERGING = {
    "local_relief", "multi_scale_relief", "elevation_deviation", "max_elevation_deviation", "topographic_position",
    "profile_curvature", "plan_curvature",
}

BLUE_TO_RED = (QColor(33, 102, 172), QColor(247, 247, 247), QColor(178, 24, 43))
BROWN_TO_GREEN = (QColor(140, 81, 10), QColor(245, 245, 245), QColor(1, 102, 94))

#: Directions that are red, green and blue in a hillshade from many.
LIGHTS = (315, 22.5, 90)

#: Post-processors live as long as QGIS may call them, which it does not say.
_kept: deque[Any] = deque(maxlen=256)


@dataclass
class Look:
    """What is known of a result before it is loaded."""

    #: The library's words: bands, color, stretch, recipe.
    picture: dict[str, Any]
    eight_bit: bool
    operation: str
    algorithm: str
    result: str = "OUTPUT"


def on_completion(context: Any, output: str, look: Look, name: str) -> None:
    """Names and styles an output when QGIS loads it."""
    if output and context.willLoadLayerOnCompletion(output):
        details = context.layerToLoadOnCompletionDetails(output)
        details.name, details.forceName = name, True
        processor = Styler(look)
        _kept.append(processor)
        details.setPostProcessor(processor)


class Styler(QgsProcessingLayerPostProcessorInterface):
    """Called by QGIS, in its main thread, when a result has become a layer."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def postProcessLayer(self, layer: Any, context: Any, feedback: Any) -> None:
        if not has_own_style(self._look):
            apply(layer, self._look)
        metadata = layer.metadata()
        metadata.addHistoryItem(f"Terralume {self._look.algorithm}: {self._look.picture['recipe']}")
        layer.setMetadata(metadata)


def has_own_style(look: Look) -> bool:
    """Whether the user has chosen a style for this output in the settings of Processing."""
    try:
        from processing.core.Processing import RenderingStyles
    except ImportError:  # QGIS without its Processing plugin
        return False
    return bool(RenderingStyles.getStyle(look.algorithm, look.result))


def apply(layer: Any, look: Look) -> None:
    """Gives a layer its renderer. Without limits, QGIS's own choice stays."""
    renderer = renderer_of(layer.dataProvider(), look)
    if renderer is not None:
        layer.setRenderer(renderer)
        layer.triggerRepaint()


def renderer_of(provider: Any, look: Look) -> Any:
    """The renderer, or None."""
    stretch = look.picture["stretch"]
    limits = (0, 255) if look.eight_bit else (stretch.get("min"), stretch.get("max"))
    if None in limits:
        return None
    if look.operation == "multi_hillshade" and len(look.picture["bands"]) > 3:
        return colour(provider, nearest_lights(look.picture["bands"]), limits)
    if look.picture["color"]:
        return colour(provider, (1, 2, 3), limits)
    if look.operation in DIVERGING and not look.eight_bit:
        return diverging(provider, limits, BLUE_TO_RED)
    if look.operation == "normdiff":
        return diverging(provider, limits, BROWN_TO_GREEN)
    return grey(provider, limits, stretch["invert"] and not look.eight_bit)


def enhancement(provider: Any, band: int, limits: tuple[float, float]) -> QgsContrastEnhancement:
    """Ends of black and white."""
    made = QgsContrastEnhancement(provider.dataType(band))
    made.setMinimumValue(limits[0])
    made.setMaximumValue(limits[1])
    made.setContrastEnhancementAlgorithm(QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum)
    return made


def grey(provider: Any, limits: tuple[float, float], inverted: bool) -> QgsSingleBandGrayRenderer:
    """Black to white, or white to black."""
    made = QgsSingleBandGrayRenderer(provider, 1)
    if inverted:
        made.setGradient(QgsSingleBandGrayRenderer.Gradient.WhiteToBlack)
    made.setContrastEnhancement(enhancement(provider, 1, limits))
    return made


def colour(provider: Any, bands: tuple[int, int, int], limits: tuple[float, float]) -> QgsMultiBandColorRenderer:
    """Three bands as red, green and blue."""
    made = QgsMultiBandColorRenderer(provider, *bands)
    made.setRedContrastEnhancement(enhancement(provider, bands[0], limits))
    made.setGreenContrastEnhancement(enhancement(provider, bands[1], limits))
    made.setBlueContrastEnhancement(enhancement(provider, bands[2], limits))
    return made


def diverging(
    provider: Any, limits: tuple[float, float], colours: tuple[QColor, QColor, QColor]
) -> QgsSingleBandPseudoColorRenderer:
    """One colour over a pale middle to another."""
    low, middle, high = colours
    ramp = QgsGradientColorRamp(low, high, False, [QgsGradientStop(0.5, middle)])
    shader = QgsColorRampShader(limits[0], limits[1], ramp, QgsColorRampShader.Type.Interpolated)
    shader.classifyColorRamp(5, 1)
    function = QgsRasterShader(limits[0], limits[1])
    function.setRasterShaderFunction(shader)
    made = QgsSingleBandPseudoColorRenderer(provider, 1, function)
    made.setClassificationMin(limits[0])
    made.setClassificationMax(limits[1])
    return made


def nearest_lights(bands: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Numbers of the bands whose azimuth is nearest to that of each light."""
    azimuths = [float(re.sub(r"[^0-9.]", "", band["name"])) for band in bands]
    order = range(len(azimuths))
    red, green, blue = (min(order, key=lambda index: abs(azimuths[index] - light)) + 1 for light in LIGHTS)
    return red, green, blue
