//! Blender combinations: `{"combination": {...}}`, or several as `{"combinations": [...]}`.

use super::object::{is_none, pick, read, scalar, short, Object};
use super::Visualization;
use crate::core::error::{unknown_name, Error, Result};
use crate::core::stretch::{Cut, Stretch};
use crate::recipe::text::{check_count, name_apart};
use crate::recipe::{ColorReference, Combine, Content, Layer, Recipe};
use crate::render::blend::Mode;
use serde_json::Value;

/// Blend modes RVT has, as it writes them; case does not matter when they are read.
pub(super) const MODES: [(&str, Mode); 6] = [
    ("Normal", Mode::Normal),
    ("Multiply", Mode::Multiply),
    ("Overlay", Mode::Overlay),
    ("Luminosity", Mode::Luminosity),
    ("Screen", Mode::Screen),
    ("Soft_light", Mode::SoftLight),
];

const LAYER_KEYS: [&str; 10] = [
    "layer",
    "visualization_method",
    "norm",
    "min",
    "max",
    "blend_mode",
    "opacity",
    "colormap",
    "min_colormap_cut",
    "max_colormap_cut",
];

/// Reads a file: the combination called `name`, or its only one. The others are not looked into.
pub fn parse(text: &str, name: Option<&str>) -> Result<Recipe> {
    let value = read("combination", text)?;
    let file = Object::new("combination", &value)?;
    let entries = match file.find("combinations") {
        Some(_) => {
            file.only(["combinations"])?;
            let list = file.list("combinations")?.iter().enumerate();
            list.map(|(index, entry)| one(&Object::new(format!("combinations, entry {}", index + 1), entry)?))
                .collect::<Result<Vec<_>>>()?
        }
        None => vec![one(&file)?],
    };
    recipe(&pick("combination", entries, name)?)
}

fn one<'a>(holder: &Object<'a>) -> Result<Object<'a>> {
    holder.only(["combination"])?;
    holder.object("combination")
}

fn recipe(combination: &Object) -> Result<Recipe> {
    combination.only(["name", "layers"])?;
    let name = combination.text("name")?;
    let entries = combination.list("layers")?;
    combination.at(check_count(entries.len()))?;
    let mut layers = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("{}, layer {}", combination.place(), index + 1);
        layers.extend(layer(&Object::new(place, entry)?)?);
    }
    if layers.is_empty() {
        return combination.at(Err(Error::Recipe(
            "no layer shows anything; allowed: at least one (VAT combined is the preset vat-combined)".into(),
        )));
    }
    name_apart(&mut layers);
    Ok(Recipe {
        name: name.into(),
        title: name.into(),
        summary: String::new(),
        reference: String::new(),
        fill: None,
        stacks: Vec::new(),
        combine: Combine::Blend,
        layers,
    })
}

/// None for a layer that RVT skips.
fn layer(layer: &Object) -> Result<Option<Layer>> {
    layer.only(LAYER_KEYS)?;
    if is_none(layer.value("visualization_method")?) {
        return Ok(None);
    }
    let visualization = layer.at(Visualization::find(layer.text("visualization_method")?))?;
    if let Some(number) = layer.find("layer").filter(|number| scalar(number).is_none()) {
        return Err(layer.refused("layer", number, "the number of the layer"));
    }
    let call = visualization.layer()?;
    Ok(Some(Layer {
        stretch: Some(Stretch { cut: cut(layer)?, invert: visualization.inverted }),
        color: color(layer)?,
        mode: mode(layer)?,
        opacity: opacity(layer)?,
        ..Layer::new(call.operation.id, Content::Operation(call))
    }))
}

fn cut(layer: &Object) -> Result<Cut> {
    let (min, max) = (layer.number("min")?, layer.number("max")?);
    layer.at(cut_of(layer.text("norm")?, min, max))
}

/// Ends of a stretch under one of RVT's names for what they are.
pub(super) fn cut_of(norm: &str, min: f64, max: f64) -> Result<Cut> {
    match norm.to_ascii_lowercase().as_str() {
        "value" => Cut::Values { min, max }.check(),
        "perc" | "percent" => Cut::Percent { low: min, high: max }.check(),
        _ => Err(unknown_name("norm", &short(norm), ["Value", "Perc"])),
    }
}

fn mode(layer: &Object) -> Result<Mode> {
    let name = layer.text("blend_mode")?;
    let found = MODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let unknown = || unknown_name("blend_mode", &short(name), MODES.iter().map(|(known, _)| *known));
    layer.at(found.map(|(_, mode)| *mode).ok_or_else(unknown))
}

/// In per cent. RVT takes what is not above 1 as a fraction.
fn opacity(layer: &Object) -> Result<f64> {
    let given = layer.number("opacity")?;
    let percent = match given <= 1.0 {
        // Hundredths are not exact: 0.29 is 29 per cent.
        true => (given * 1e8).round() / 1e6,
        false => given,
    };
    layer.at(crate::recipe::check_opacity(percent))
}

fn color(layer: &Object) -> Result<Option<ColorReference>> {
    let cut = (layer.number_if_given("min_colormap_cut")?, layer.number_if_given("max_colormap_cut")?);
    let cut = match cut {
        (None, None) => None,
        (low, high) => Some((low.unwrap_or(0.0), high.unwrap_or(1.0))),
    };
    if layer.find("colormap").is_none() {
        return match cut {
            None => Ok(None),
            Some(_) => layer.at(Err(Error::Recipe("a colour map cut goes with 'colormap'".into()))),
        };
    }
    let name = layer.text("colormap")?;
    if !is_map_name(name) {
        let value = Value::from(name);
        return Err(layer.refused("colormap", &value, "the name of a colour map, such as Reds_r"));
    }
    if let Some((low, high)) = cut.filter(|(low, high)| !(0.0 <= *low && low < high && *high <= 1.0)) {
        return layer.at(Err(Error::Recipe(format!(
            "colour map cut from {low} to {high} is not allowed; allowed: 0 to 1, the smaller one first"
        ))));
    }
    Ok(Some(ColorReference { name: name.into(), cut }))
}

/// Whether a colour map is one by name: RVT has no colour files.
pub(super) fn is_map_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LAYER: &str = r#"{"layer": "1", "visualization_method": "Slope gradient", "norm": "Value",
        "min": 0, "max": 50, "blend_mode": "Normal", "opacity": 100}"#;

    /// A combination of one layer, with some of its keys changed.
    fn with(changes: Value) -> String {
        let mut layer: Value = serde_json::from_str(LAYER).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            layer[key] = value.clone();
        }
        json!({"combination": {"name": "one", "layers": [layer]}}).to_string()
    }

    fn layer_of(changes: Value) -> Layer {
        let text = with(changes);
        parse(&text, None).unwrap_or_else(|error| panic!("{text}: {error}")).layers.remove(0)
    }

    fn error(changes: Value) -> String {
        let text = parse(&with(changes), None).unwrap_err().to_string();
        assert!(text.starts_with("combination 'one', layer 1: "), "{text}");
        text
    }

    #[test]
    fn names_are_read_in_any_case() {
        let layer = layer_of(json!({"visualization_method": "OPENNESS - negative", "norm": "VALUE",
            "blend_mode": "SOFT_LIGHT", "opacity": "70"}));
        let Content::Operation(call) = &layer.content else { panic!("an operation") };
        assert_eq!((call.operation.id, layer.name.as_str()), ("openness_negative", "openness_negative"));
        assert_eq!((layer.mode, layer.opacity), (Mode::SoftLight, 70.0));
        assert_eq!(layer.stretch, Some(Stretch::values(0.0, 50.0).inverted()));
    }

    #[test]
    fn percent_under_all_its_names() {
        for norm in ["Perc", "perc", "percent", "Percent", "PERCENT"] {
            let layer = layer_of(json!({"norm": norm, "min": "1", "max": 0.5}));
            assert_eq!(layer.stretch, Some(Stretch::percent(1.0, 0.5).inverted()), "{norm}");
        }
    }

    #[test]
    fn opacities_up_to_one_are_fractions() {
        for (given, percent) in
            [(100.0, 100.0), (2.0, 2.0), (1.0, 100.0), (0.5, 50.0), (0.29, 29.0), (0.0, 0.0)]
        {
            assert_eq!(layer_of(json!({"opacity": given})).opacity, percent, "{given}");
        }
    }

    #[test]
    fn the_multi_directional_hillshade_is_a_colour_picture() {
        let layer = layer_of(json!({"visualization_method": "Multiple directions hillshade"}));
        let Content::Operation(call) = &layer.content else { panic!("an operation") };
        assert_eq!(call.values.to_json()["form"], "rgb");
    }

    #[test]
    fn colour_maps_and_their_cuts() {
        let color = |low: Value, high: Value| {
            let keys = json!({"colormap": "Reds_r", "min_colormap_cut": low, "max_colormap_cut": high});
            layer_of(keys).color.unwrap().cut
        };
        assert_eq!(color(json!("None"), json!("null")), None);
        assert_eq!(color(json!("0.2"), json!(0.75)), Some((0.2, 0.75)));
        assert_eq!(color(Value::Null, json!("1")), Some((0.0, 1.0)));
        assert_eq!(layer_of(json!({"colormap": "None", "min_colormap_cut": "None"})).color, None);
        assert!(error(json!({"min_colormap_cut": 0.2})).contains("goes with 'colormap'"));
        assert!(error(json!({"colormap": "a/b.txt"})).contains("allowed: the name of a colour map"));
        assert!(error(json!({"colormap": "Reds", "min_colormap_cut": 2})).contains("from 2 to 1 is not"));
    }

    #[test]
    fn empty_layers_are_skipped_and_equal_ones_told_apart() {
        let layers = format!(
            r#"{{"visualization_method": "None"}}, {LAYER}, {{"visualization_method": null}}, {LAYER}"#
        );
        let text = format!(r#"{{"combination": {{"name": "two", "layers": [{layers}]}}}}"#);
        let names: Vec<_> = parse(&text, None).unwrap().layers.into_iter().map(|layer| layer.name).collect();
        assert_eq!(names, ["slope", "slope-2"]);
    }

    #[test]
    fn errors_name_the_combination_and_the_layer() {
        assert!(error(json!({"visualization_method": "Slope"}))
            .contains("unknown visualization 'Slope'; allowed: Slo"));
        assert!(error(json!({"blend_mode": "darken"}))
            .contains("unknown blend_mode 'darken'; allowed: Normal, Mu"));
        assert!(error(json!({"norm": "None"})).contains("unknown norm 'None'; allowed: Value, Perc"));
        assert!(error(json!({"min": 50})).contains("stretch from 50 to 50 is not allowed"));
        assert!(error(json!({"norm": "perc", "min": 50})).contains("together below 100"));
        assert!(error(json!({"max": "wide"})).contains("max = 'wide' is not allowed; allowed: a number"));
        assert!(error(json!({"opacity": 101})).contains("opacity 101 is not allowed; allowed: 0 to 100"));
        assert!(error(json!({"opacity": -1})).contains("opacity -100 is not allowed"));
        assert!(error(json!({"opacity": null})).contains("opacity = null"));
        assert!(
            error(json!({"gamma": 2})).contains("unknown key 'gamma'; allowed: layer, visualization_method")
        );
        assert!(error(json!({"layer": []})).contains("layer = a list is not allowed"));
    }

    #[test]
    fn one_of_several_by_name() {
        let one = |name: &str| json!({"combination": {"name": name, "layers": [serde_json::from_str::<Value>(LAYER).unwrap()]}});
        let empty = json!({"combination": {"name": "empty", "layers": []}});
        let several = json!({"combinations": [one("a"), empty, one("b")]}).to_string();
        assert_eq!(parse(&several, Some("b")).unwrap().title, "b");
        let text = |name| parse(&several, name).unwrap_err().to_string();
        assert!(text(None).contains("3 combinations; allowed: the name of one, as FILE#NAME: a, empty, b"));
        assert!(text(Some("c")).contains("unknown combination 'c'; allowed: a, empty, b"));
        assert!(text(Some("empty")).contains("combination 'empty': no layer shows anything"));
        let wide = vec![json!({}); 300];
        let wide = json!({"combination": {"name": "wide", "layers": wide}}).to_string();
        assert!(parse(&wide, None).unwrap_err().to_string().contains("300 layers; allowed: at most 256"));
    }
}
