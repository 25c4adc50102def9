//! The JSON form of a recipe, version 1.

use super::{
    check_gamma, check_opacity, presets, terrain, ColorReference, Combine, Content, Layer, OperationCall,
    RasterReference, Recipe, Stack, StackBand, FILL,
};
use crate::core::error::{unknown_name, Error, Result};
use crate::core::stretch::{Cut, Stretch};
use crate::registry;
use crate::render::blend::Mode;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Version of the format.
pub const VERSION: u32 = 1;

/// Layers a recipe may have, those of inner recipes included: far above any use, low enough that a hostile
/// file cannot exhaust memory.
const MOST_LAYERS: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeText {
    terralume_recipe: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    reference: String,
    terrain: Option<String>,
    fill: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    stacks: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    combine: Combine,
    layers: Vec<LayerText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerText {
    name: Option<String>,
    operation: Option<String>,
    recipe: Option<RecipeReference>,
    raster: Option<String>,
    stack: Option<String>,
    band: Option<serde_json::Value>,
    #[serde(default)]
    parameters: serde_json::Map<String, serde_json::Value>,
    /// Parameters that are others under RVT compatibility.
    #[serde(default)]
    rvt_parameters: serde_json::Map<String, serde_json::Value>,
    /// Ends of the display stretch of an operation's own values.
    display: Option<String>,
    stretch: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    invert: Option<bool>,
    gamma: Option<f64>,
    color_map: Option<String>,
    color_cut: Option<(f64, f64)>,
    mask: Option<Box<LayerText>>,
    mode: Option<String>,
    #[serde(default = "opaque")]
    opacity: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RecipeReference {
    Preset(String),
    Inline(Box<RecipeText>),
}

fn opaque() -> f64 {
    100.0
}

/// Reads and checks a recipe.
pub fn parse(text: &str) -> Result<Recipe> {
    let text: RecipeText =
        serde_json::from_str(text).map_err(|error| Error::Recipe(format!("recipe: {error}")))?;
    let recipe = text.check()?;
    check_count(count_layers(&recipe))?;
    recipe.check_stacks(&[])?;
    Ok(recipe)
}

pub(super) fn check_count(layers: usize) -> Result<()> {
    if layers <= MOST_LAYERS {
        return Ok(());
    }
    Err(Error::Recipe(format!("recipe has {layers} layers; allowed: at most {MOST_LAYERS}")))
}

fn count_layers(recipe: &Recipe) -> usize {
    let inner = recipe.layers.iter().map(|layer| match &layer.content {
        Content::Operation(_) | Content::Raster(_) | Content::Stack(_) => 1,
        Content::Recipe(recipe) => 1 + count_layers(recipe),
    });
    inner.sum()
}

impl RecipeText {
    fn check(self) -> Result<Recipe> {
        if self.terralume_recipe != VERSION {
            let came = self.terralume_recipe;
            return Err(Error::Recipe(format!("recipe format {came} is not known; allowed: {VERSION}")));
        }
        if self.layers.is_empty() {
            return Err(Error::Recipe("recipe has no layers; allowed: at least one".into()));
        }
        check_count(self.layers.len())?;
        let layers = self.layers.into_iter().enumerate().map(|(index, layer)| {
            layer.check().map_err(|error| Error::Recipe(format!("recipe, layer {}: {error}", index + 1)))
        });
        let mut layers = layers.collect::<Result<Vec<_>>>()?;
        if self.combine == Combine::Rgb && layers.len() != 3 {
            let count = layers.len();
            return Err(Error::Recipe(format!("recipe combines {count} layers as rgb; allowed: three")));
        }
        name_apart(&mut layers);
        let name = if self.name.is_empty() { "recipe".into() } else { self.name };
        let title = if self.title.is_empty() { name.clone() } else { self.title };
        let fill = self.fill.map(|parameters| call(FILL, &parameters)).transpose();
        let fill = fill.map_err(|error| Error::Recipe(format!("recipe, fill: {error}")))?;
        let stacks = self.stacks.into_iter().map(|(name, text)| Stack::read(&name, text));
        let mut recipe = Recipe {
            stacks: stacks.collect::<Result<Vec<_>>>()?,
            name,
            title,
            summary: self.summary,
            reference: self.reference,
            fill,
            combine: self.combine,
            layers,
        };
        if let Some(name) = self.terrain {
            terrain::find(&name)?.apply(&mut recipe)?;
        }
        Ok(recipe)
    }
}

/// Layers of one name get numbers from the second on, so that overrides reach each: `slope`, `slope-2`.
pub(super) fn name_apart(layers: &mut [Layer]) {
    for index in 1..layers.len() {
        let (before, rest) = layers.split_at_mut(index);
        let taken = |name: &str| before.iter().any(|layer| layer.name == name);
        let plain = rest[0].name.clone();
        let mut numbers = 2..;
        while taken(&rest[0].name) {
            rest[0].name = format!("{plain}-{}", numbers.next().unwrap_or(0));
        }
    }
}

impl LayerText {
    fn check(self) -> Result<Layer> {
        let stretch = self.stretch()?;
        let gamma = check_gamma(self.gamma.unwrap_or(1.0))?;
        let opacity = check_opacity(self.opacity)?;
        let mode = self.mode.map_or(Ok(Mode::Normal), |name| Mode::parse(&name))?;
        let color = ColorReference::read(self.color_map, self.color_cut)?;
        let display = self.display.map(|text| text.parse()).transpose()?;
        if self.band.is_some() && self.raster.is_none() && self.stack.is_none() {
            return Err(Error::Recipe("'band' belongs to a raster or a stack".into()));
        }
        if !(self.parameters.is_empty() && self.rvt_parameters.is_empty()) && self.operation.is_none() {
            return Err(Error::Recipe("'parameters' belong to an operation".into()));
        }
        if display.is_some() && self.operation.is_none() {
            return Err(Error::Recipe("'display' belongs to an operation".into()));
        }
        let content = match (self.operation, self.recipe, self.raster, self.stack) {
            (Some(name), None, None, None) => {
                let mut call = OperationCall { display, ..call(&name, &self.parameters)? };
                for (key, value) in &self.rvt_parameters {
                    let values = call.rvt_values.get_or_insert_with(|| call.values.clone());
                    values
                        .set_json(key, value)
                        .map_err(|error| Error::Argument(format!("{name}: {error}")))?;
                }
                Content::Operation(call)
            }
            (None, Some(reference), None, None) => Content::Recipe(Box::new(reference.check()?)),
            (None, None, Some(path), None) => {
                let wrong = || Error::Recipe("'raster' is a file name, 'band' a number from 1".into());
                let band = self.band.map_or(Some(1), |band| band.as_u64()).filter(|band| *band > 0);
                let band = band.and_then(|band| usize::try_from(band).ok()).filter(|_| !path.is_empty());
                Content::Raster(RasterReference { path, band: band.ok_or_else(wrong)? })
            }
            (None, None, None, Some(stack)) => {
                Content::Stack(StackBand { stack, band: self.band.map(stack_band).transpose()? })
            }
            _ => {
                let allowed = "a layer has either 'operation', 'recipe', 'raster' or 'stack'";
                return Err(Error::Recipe(allowed.into()));
            }
        };
        let name = self.name.unwrap_or_else(|| content.name());
        let mask = self.mask.map(|mask| mask.check().map(Box::new)).transpose();
        let mask = mask.map_err(|error| Error::Recipe(format!("mask: {error}")))?;
        Ok(Layer { name, content, stretch, gamma, color, mask, mode, opacity })
    }

    fn stretch(&self) -> Result<Option<Stretch>> {
        let invert = self.invert.unwrap_or(false);
        let cut = match (&self.stretch, self.min, self.max) {
            (Some(text), None, None) => text.parse()?,
            (None, Some(min), Some(max)) => Cut::Values { min, max }.check()?,
            (None, None, None) if self.invert.is_none() => return Ok(None),
            _ => {
                return Err(Error::Recipe(
                    "either 'min' and 'max' together or 'stretch'; 'invert' needs one of them".into(),
                ))
            }
        };
        Ok(Some(Stretch { cut, invert }))
    }
}

/// A result of a stack: its name, or its number.
fn stack_band(band: serde_json::Value) -> Result<String> {
    match band {
        serde_json::Value::String(name) if !name.is_empty() => Ok(name),
        serde_json::Value::Number(number) if number.as_u64().is_some_and(|number| number > 0) => {
            Ok(number.to_string())
        }
        _ => Err(Error::Recipe("'band' of a stack is a name, or a number from 1".into())),
    }
}

impl RecipeReference {
    fn check(self) -> Result<Recipe> {
        let recipe = match self {
            RecipeReference::Inline(text) => text.check()?,
            RecipeReference::Preset(name) => {
                let preset = presets::find(&name);
                preset.ok_or_else(|| unknown_name("preset", &name, presets::preset_names()))??
            }
        };
        if recipe.fill.is_some() {
            return Err(Error::Recipe("'fill' belongs to the outermost recipe".into()));
        }
        Ok(recipe)
    }
}

impl Content {
    /// What a layer is called that has no name of its own.
    fn name(&self) -> String {
        match self {
            Content::Operation(call) => call.operation.id.into(),
            Content::Recipe(recipe) => recipe.name.clone(),
            Content::Raster(raster) => {
                let stem = std::path::Path::new(&raster.path).file_stem();
                // A dot would look like the start of a parameter.
                stem.map_or("raster".into(), |stem| stem.to_string_lossy().replace('.', "_"))
            }
            Content::Stack(shown) => shown.stack.clone(),
        }
    }
}

fn call(name: &str, parameters: &serde_json::Map<String, serde_json::Value>) -> Result<OperationCall> {
    let operation = registry::find(name)?;
    let mut call = OperationCall::new(operation);
    for (key, value) in parameters {
        call.values.set_json(key, value).map_err(|error| Error::Argument(format!("{name}: {error}")))?;
    }
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn says_what_is_wrong_with_a_recipe() {
        let layers = |layers: &str| format!(r#"{{"terralume_recipe": 1, "layers": [{layers}]}}"#);
        assert!(error("{").contains("EOF"));
        assert!(
            error(r#"{"terralume_recipe": 2, "layers": []}"#).contains("format 2 is not known; allowed: 1")
        );
        assert!(error(&layers("")).contains("no layers"));
        assert!(error(&layers(r#"{"operation": "slope", "colour": 1}"#)).contains("unknown field `colour`"));
        assert!(error(&layers(r#"{"operation": "slop"}"#)).contains("layer 1: unknown operation 'slop'"));
        assert!(error(&layers(r#"{"operation": "slope", "parameters": {"unit": "mile"}}"#))
            .contains("layer 1: slope: unit = 'mile' is not allowed; allowed: degree"));
        assert!(error(&layers(r#"{"operation": "slope", "mode": "shiny"}"#))
            .contains("unknown blend mode 'shiny'; allowed: normal"));
        assert!(error(&layers(r#"{"operation": "slope", "opacity": 200}"#)).contains("allowed: 0 to 100"));
        assert!(error(&layers(r#"{"operation": "slope", "min": 1}"#)).contains("together or 'stretch'"));
        assert!(error(&layers(r#"{"operation": "slope", "min": 1, "max": 1}"#)).contains("min smaller"));
        assert!(error(&layers(r#"{"recipe": "vta"}"#)).contains("unknown preset 'vta'; allowed: vat"));
        assert!(error(&layers("{}")).contains("either 'operation', 'recipe', 'raster' or 'stack'"));
        assert!(
            error(&layers(r#"{"recipe": "vat", "display": "0,1"}"#)).contains("'display' belongs to an op")
        );
    }

    #[test]
    fn layers_of_one_name_are_told_apart() {
        let text = r#"{"terralume_recipe": 1, "layers": [
            {"operation": "slope"}, {"operation": "slope"}, {"operation": "slope"}]}"#;
        let mut recipe = parse(text).unwrap();
        recipe.set("slope-3.unit", "percent").unwrap();
        let json = recipe.to_json();
        assert_eq!(json["layers"][2]["parameters"]["unit"], "percent");
        assert_eq!(json["layers"][0]["parameters"]["unit"], "degree");
        assert_eq!(parse(&json.to_string()).unwrap().to_json(), json);
    }

    #[test]
    fn deep_or_wide_recipes_are_refused() {
        let mut text = r#"{"operation": "slope"}"#.to_string();
        for _ in 0..300 {
            text = format!(r#"{{"recipe": {{"terralume_recipe": 1, "layers": [{text}]}}}}"#);
        }
        assert!(parse(&format!(r#"{{"terralume_recipe": 1, "layers": [{text}]}}"#)).is_err());
        let wide = vec![r#"{"operation": "slope"}"#; 300].join(",");
        let wide = format!(r#"{{"terralume_recipe": 1, "layers": [{wide}]}}"#);
        assert!(error(&wide).contains("300 layers; allowed: at most 256"));
    }
}
