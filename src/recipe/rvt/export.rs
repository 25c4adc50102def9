//! Writing a recipe as a blender combination, when RVT has all that it says.

use super::combination::{is_map_name, MODES};
use super::{names, Visualization, VISUALIZATIONS};
use crate::core::error::{Error, Result};
use crate::core::operation::Compatibility;
use crate::core::params::number_json;
use crate::core::stretch::{Cut, Stretch};
use crate::recipe::{Combine, Content, Layer, OperationCall, Recipe};
use serde_json::{json, Value};

impl Recipe {
    /// The recipe as RVT's blender combination. RVT keeps parameters elsewhere, so they must be its defaults; whatever
    /// else RVT's combinations cannot say is an error that names the layer.
    pub fn to_rvt_combination(&self) -> Result<Value> {
        let refuse = |what: &str, allowed: &str| {
            Err(Error::Recipe(format!("RVT has no {what} in a combination; allowed: {allowed}")))
        };
        if self.raw_operation().is_some() {
            return refuse("values of an operation", "layers with a stretch");
        }
        if self.fill.is_some() {
            return refuse("filling of nodata", "a recipe without 'fill'");
        }
        if self.combine != Combine::Blend {
            return refuse("layers as red, green and blue", "layers that are blended");
        }
        let layers = self.layers.iter().enumerate().map(|(index, layer)| {
            let refused =
                |error| Error::Recipe(format!("layer '{}' cannot be one of RVT: {error}", layer.name));
            write(layer, index + 1).map_err(refused)
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        Ok(json!({"combination": {"name": self.title, "layers": layers}}))
    }
}

fn refuse<T>(came: String, allowed: &str) -> Result<T> {
    Err(Error::Recipe(format!("{came}; allowed: {allowed}")))
}

fn write(layer: &Layer, number: usize) -> Result<Value> {
    let visualization = visualization(layer)?;
    if layer.gamma != 1.0 {
        return refuse(format!("gamma {}", layer.gamma), "1");
    }
    if layer.mask.is_some() {
        return refuse("a mask".into(), "none");
    }
    let (norm, min, max) = norm(layer.display_stretch(Compatibility::None), visualization)?;
    let mut json = json!({
        "layer": number.to_string(),
        "visualization_method": visualization.name,
        "norm": norm, "min": number_json(min), "max": number_json(max),
        "blend_mode": mode(layer)?,
        "opacity": number_json(opacity(layer.opacity)?),
    });
    if let Some(color) = &layer.color {
        if !is_map_name(&color.name) {
            return refuse(format!("colour map '{}'", color.name), "one by name, no file");
        }
        json["colormap"] = json!(color.name);
        if let Some((low, high)) = color.cut {
            json["min_colormap_cut"] = number_json(low);
            json["max_colormap_cut"] = number_json(high);
        }
    }
    Ok(json)
}

/// What RVT calls the layer's operation, if its parameters are those RVT takes.
fn visualization(layer: &Layer) -> Result<&'static Visualization> {
    let operations = || names().collect::<Vec<_>>().join(", ");
    let call = match &layer.content {
        Content::Operation(call) => call,
        Content::Recipe(inner) => return refuse(format!("it is the recipe '{}'", inner.name), &operations()),
        Content::Raster(raster) => {
            return refuse(format!("it is the raster '{}'", raster.path), &operations())
        }
        Content::Stack(shown) => return refuse(format!("it is the stack '{}'", shown.stack), &operations()),
    };
    let found = VISUALIZATIONS.iter().find(|known| known.operation == call.operation.id);
    let Some(visualization) = found else {
        return refuse(format!("RVT has no {}", call.operation.id), &operations());
    };
    check_parameters(call, &visualization.layer()?)?;
    Ok(visualization)
}

fn check_parameters(call: &OperationCall, expected: &OperationCall) -> Result<()> {
    let expected = expected.values.to_json();
    let other = call.values.to_json().into_iter().find(|(name, value)| expected.get(name) != Some(value));
    match other {
        None => Ok(()),
        Some((name, value)) => {
            let allowed = expected.get(&name).map(Value::to_string).unwrap_or_default();
            refuse(
                format!("{name} = {value}, and RVT keeps parameters in its settings"),
                allowed.trim_matches('"'),
            )
        }
    }
}

/// Name of the stretch's kind, and its ends.
fn norm(stretch: Stretch, visualization: &Visualization) -> Result<(&'static str, f64, f64)> {
    if stretch.invert != visualization.inverted {
        let invert = |inverted| if inverted { "with 'invert'" } else { "without 'invert'" };
        return refuse(
            format!("RVT shows {} {}", visualization.name, invert(visualization.inverted)),
            &format!("a stretch {}", invert(visualization.inverted)),
        );
    }
    match stretch.cut {
        Cut::Values { min, max } => Ok(("Value", min, max)),
        Cut::Percent { low, high } => Ok(("Perc", low, high)),
        Cut::Deviations(_) => {
            refuse(format!("stretch {}", stretch.cut), "ends as values, or percent:LOW,HIGH")
        }
    }
}

fn mode(layer: &Layer) -> Result<&'static str> {
    if let Some((name, _)) = MODES.iter().find(|(_, mode)| *mode == layer.mode) {
        return Ok(name);
    }
    let modes: Vec<_> = MODES.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    refuse(format!("mode {}", json!(layer.mode)), &modes.join(", "))
}

/// RVT takes whole numbers, and 1 for 100 per cent.
fn opacity(opacity: f64) -> Result<f64> {
    if opacity.fract() == 0.0 && opacity != 1.0 {
        return Ok(opacity);
    }
    refuse(format!("opacity {opacity}"), "0, or whole per cent from 2 to 100")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vat_as_rvt_writes_it() {
        let written = Recipe::parse("vat").unwrap().to_rvt_combination().unwrap();
        assert_eq!(
            written["combination"]["layers"][0].to_string(),
            r#"{"layer":"1","visualization_method":"Sky-View Factor","norm":"Value","min":0.7,"max":1,"#
                .to_string()
                + r#""blend_mode":"Multiply","opacity":25}"#
        );
        assert_eq!(written["combination"]["layers"][3]["visualization_method"], "Hillshade");
        let again = Recipe::parse(&written.to_string()).unwrap();
        assert_eq!(again.to_rvt_combination().unwrap(), written);
        assert_eq!(again.to_json()["layers"], Recipe::parse("vat").unwrap().to_json()["layers"]);
    }

    fn refused(keys: &str) -> String {
        let text = format!(
            r#"{{"terralume_recipe": 1, "layers": [{{"operation": "hillshade", "min": 0, "max": 1}}, {{{keys}}}]}}"#
        );
        Recipe::parse(&text).unwrap().to_rvt_combination().unwrap_err().to_string()
    }

    #[test]
    fn what_rvt_cannot_say_is_refused_by_layer() {
        let slope = |keys: &str| refused(&format!(r#""operation": "slope", "min": 0, "max": 9, {keys}"#));
        assert!(slope(r#""invert": true, "gamma": 2"#)
            .starts_with("layer 'slope' cannot be one of RVT: gamma 2; a"));
        assert!(slope(r#""invert": false"#)
            .contains("shows Slope gradient with 'invert'; allowed: a stretch with"));
        assert!(slope(r#""invert": true, "mode": "darken""#)
            .contains(r#"mode "darken"; allowed: normal, multiply"#));
        assert!(slope(r#""invert": true, "parameters": {"unit": "percent"}"#)
            .contains(r#"unit = "percent", and RVT keeps parameters in its settings; allowed: degree"#));
        for opacity in ["1", "33.5", "0.5"] {
            let text = slope(&format!(r#""invert": true, "opacity": {opacity}"#));
            assert!(
                text.contains(&format!("opacity {opacity}; allowed: 0, or whole per cent from 2")),
                "{text}"
            );
        }
        assert!(slope(r#""invert": true, "mask": {"operation": "slope"}"#).contains("a mask; allowed: none"));
        assert!(slope(r#""invert": true, "color_map": "own.txt""#).contains("colour map 'own.txt'"));
        assert!(refused(r#""operation": "hillshade", "stretch": "deviations:2""#)
            .contains("stretch deviations:2"));
        assert!(refused(r#""operation": "aspect", "min": 0, "max": 1"#)
            .contains("no aspect; allowed: Slope grad"));
        assert!(
            refused(r#""operation": "multi_hillshade", "min": 0, "max": 1"#).contains(r#"form = "bands""#)
        );
        assert!(refused(r#""recipe": "vat", "name": "inner""#)
            .starts_with("layer 'inner' cannot be one of RVT: it"));
        assert!(refused(r#""raster": "a.tif""#).contains("it is the raster 'a.tif'"));
    }

    #[test]
    fn recipes_that_are_no_blend_are_refused() {
        let text = |recipe: &Recipe| recipe.to_rvt_combination().unwrap_err().to_string();
        let mut recipe = Recipe::parse("vat").unwrap();
        recipe.set("fill", "idw").unwrap();
        assert!(text(&recipe).contains("no filling of nodata in a combination"));
        assert!(text(&Recipe::parse("slope").unwrap()).contains("no values of an operation"));
        recipe.fill = None;
        recipe.layers.truncate(3);
        recipe.combine = Combine::Rgb;
        assert!(text(&recipe).contains("no layers as red, green and blue"));
    }

    #[test]
    fn shares_and_colour_maps_are_read_back() {
        let text = r#"{"terralume_recipe": 1, "title": "Own", "layers": [
            {"operation": "sky_illumination", "stretch": "percent:1,0.5", "mode": "soft_light", "opacity": 0},
            {"operation": "slope", "min": 0, "max": 45.5, "invert": true, "color_map": "Reds_r", "color_cut": [0, 0.8]}]}"#;
        let recipe = Recipe::parse(text).unwrap();
        let written = recipe.to_rvt_combination().unwrap();
        assert_eq!(written["combination"]["name"], "Own");
        let again = Recipe::parse(&written.to_string()).unwrap();
        assert_eq!(again.to_json()["layers"], recipe.to_json()["layers"]);
    }
}
