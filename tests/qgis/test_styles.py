"""Results are named, styled and know where they come from; a style that the user has chosen wins."""

import pytest
from qgis.core import (
    QgsMultiBandColorRenderer,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
)


def limits(renderer):
    found = renderer.contrastEnhancement()
    return found.minimumValue(), found.maximumValue()


def test_grey(loaded):
    (layer,), _ = loaded("skyviewfactor")
    assert layer.name() == "Sky-view factor - hill"
    assert isinstance(layer.renderer(), QgsSingleBandGrayRenderer)
    assert limits(layer.renderer()) == (0.6375, 1)
    history = layer.metadata().history()
    assert history and "sky_view_factor" in history[0] and "radius" in history[0]


def test_slope_in_each_unit_is_white_on_the_level(loaded):
    for unit, maximum in ((0, 51), (1, 0.8901), (2, 123.4897)):
        (layer,), _ = loaded("slope", UNIT=unit)
        renderer = layer.renderer()
        assert renderer.gradient() == QgsSingleBandGrayRenderer.Gradient.WhiteToBlack
        assert limits(renderer) == pytest.approx((0, maximum), abs=1e-3)


def test_hollows_and_mounds(loaded):
    (layer,), _ = loaded("slrm")
    renderer = layer.renderer()
    assert isinstance(renderer, QgsSingleBandPseudoColorRenderer)
    assert (renderer.classificationMin(), renderer.classificationMax()) == (-2, 2)
    items = renderer.shader().rasterShaderFunction().colorRampItemList()
    assert items[0].color.blue() > items[0].color.red() and items[-1].color.red() > items[-1].color.blue()


def test_colours(loaded):
    (layer,), _ = loaded("multihillshade")
    renderer = layer.renderer()
    assert isinstance(renderer, QgsMultiBandColorRenderer)
    names = [layer.dataProvider().generateBandName(band) for band in renderer.usesBands()]
    assert [name.split("azimuth ")[1] for name in names] == ["315", "22.5", "90"]
    (layer,), _ = loaded("mstp")
    assert layer.renderer().usesBands() == [1, 2, 3]
    assert layer.renderer().redContrastEnhancement().maximumValue() == 1


def test_bytes_are_shown_as_they_are(loaded):
    (layer,), _ = loaded("slope", SAVE_AS_8BIT=True)
    assert limits(layer.renderer()) == (0, 255)
    assert layer.renderer().gradient() == QgsSingleBandGrayRenderer.Gradient.BlackToWhite


def test_several_with_a_terrain(loaded, tmp_path):
    from terralume import catalog
    names = list(catalog.PICTURES)
    chosen = [names.index(name) for name in ("slope", "openness_positive", "vat", "crim")]
    layers, results = loaded("visualizations", VISUALIZATIONS=chosen, TERRAIN=2, FOLDER=str(tmp_path / "folder"))
    assert len(layers) == 4 == len(results["OUTPUTS"])
    by_name = {layer.name(): layer for layer in layers}
    assert limits(by_name["Slope - hill"].renderer()) == (0, 15)
    assert limits(by_name["Positive openness - hill"].renderer()) == (85, 93)
    assert isinstance(by_name["Colour relief image map (CRIM) - hill"].renderer(), QgsMultiBandColorRenderer)


def test_the_users_own_style_wins(loaded, tmp_path, monkeypatch):
    from processing.core.Processing import RenderingStyles
    (layer,), _ = loaded("slope")
    layer.renderer().contrastEnhancement().setMaximumValue(7)
    style = str(tmp_path / "own.qml")
    layer.saveNamedStyle(style)
    monkeypatch.setitem(RenderingStyles.styles, "terralume:slope", {"OUTPUT": style})
    (layer,), _ = loaded("slope")
    assert limits(layer.renderer())[1] == 7 and layer.name() == "Slope - hill"
