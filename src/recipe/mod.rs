//! Recipes: which layers a picture has, how each is stretched, and how they blend.
//!
//! A recipe is JSON text. `visualize slope` is a recipe of one layer without stretch; a preset is a recipe
//! that ships inside the library; a layer can itself be a recipe.

pub mod array;
pub mod chain;
mod describe;
mod presets;
mod text;

use crate::core::error::{unknown_name, Error, Result};
use crate::core::operation::{Operation, Stretch};
use crate::core::params::Values;
use crate::registry;
use crate::render::blend::Mode;
use serde_json::json;

pub use describe::describe;
pub use presets::{preset_names, presets};

/// A checked recipe.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Short name: a preset's id, or an operation's.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What it shows.
    pub summary: String,
    /// Where it was published.
    pub reference: String,
    /// Layers, the top one first.
    pub layers: Vec<Layer>,
}

/// One layer of a recipe.
#[derive(Debug, Clone)]
pub struct Layer {
    /// How overrides address it: `name.parameter`.
    pub name: String,
    /// What it shows.
    pub content: Content,
    /// Cut-offs; without them an operation's own display stretch, or 0..1 for a recipe.
    pub stretch: Option<Stretch>,
    /// How it changes the layers below; the lowest layer's is ignored.
    pub mode: Mode,
    /// In per cent, 0..100; the lowest layer's is ignored.
    pub opacity: f64,
}

/// What a layer shows.
#[derive(Debug, Clone)]
pub enum Content {
    /// One operation of the elevations.
    Operation(OperationCall),
    /// The picture of another recipe.
    Recipe(Box<Recipe>),
}

/// An operation with its parameters.
#[derive(Clone)]
pub struct OperationCall {
    /// The registry entry.
    pub operation: &'static Operation,
    /// Checked values of all its parameters.
    pub values: Values,
}

impl std::fmt::Debug for OperationCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:?})", self.operation.id, self.values.to_json())
    }
}

impl Recipe {
    /// Reads a recipe: its JSON text, the name of a preset, or the id of an operation.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            return text::parse(text);
        }
        if let Some(preset) = presets::find(text) {
            return preset;
        }
        let operation = registry::find(text).map_err(|_| {
            let operations = registry::operations().iter().map(|operation| operation.id);
            unknown_name("operation or preset", text, operations.chain(preset_names()))
        })?;
        Ok(Self::of_operation(operation))
    }

    /// The recipe that gives an operation's own values.
    pub fn of_operation(operation: &'static Operation) -> Self {
        let values = Values::defaults((operation.parameters)());
        let layer = Layer {
            name: operation.id.into(),
            content: Content::Operation(OperationCall { operation, values }),
            stretch: None,
            mode: Mode::Normal,
            opacity: 100.0,
        };
        Self {
            name: operation.id.into(),
            title: operation.title.into(),
            summary: operation.summary.into(),
            reference: operation.reference.into(),
            layers: vec![layer],
        }
    }

    /// The only layer when the recipe stands for an operation's own values rather than a picture of 0..1.
    pub fn raw_operation(&self) -> Option<&OperationCall> {
        match self.layers.as_slice() {
            [Layer { content: Content::Operation(call), stretch: None, .. }] => Some(call),
            _ => None,
        }
    }

    /// Changes one value: `parameter` of a recipe with one layer, `layer.parameter` or
    /// `recipe.layer.parameter` otherwise. `mode`, `opacity`, `min` and `max` of a layer can be set as well.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match (key.split_once('.'), self.layers.as_mut_slice()) {
            (None, [only]) => only.set(key, value),
            (None, layers) => {
                let names = layers.iter().map(|layer| layer.name.as_str());
                Err(unknown_name("layer of a parameter", key, names))
            }
            (Some((name, rest)), layers) => {
                let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
                match layers.iter_mut().find(|layer| layer.name == name) {
                    Some(layer) => layer.set(rest, value),
                    None => Err(unknown_name("layer", name, names.iter().map(String::as_str))),
                }
            }
        }
    }

    /// The recipe as JSON with every parameter spelled out; `parse` reads it back.
    pub fn to_json(&self) -> serde_json::Value {
        let layers: Vec<_> = self.layers.iter().map(Layer::to_json).collect();
        json!({
            "terralume_recipe": text::VERSION, "name": self.name, "title": self.title,
            "summary": self.summary, "reference": self.reference, "layers": layers,
        })
    }
}

impl Layer {
    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match (&mut self.content, key) {
            (_, "opacity") => self.opacity = check_opacity(parse_number(key, value)?)?,
            (_, "mode") => self.mode = parse_mode(value)?,
            (_, "min") | (_, "max") => {
                let mut stretch = self.display_stretch();
                *(if key == "min" { &mut stretch.min } else { &mut stretch.max }) = parse_number(key, value)?;
                self.stretch = Some(stretch);
            }
            (Content::Operation(call), _) => call.values.set(key, value)?,
            (Content::Recipe(recipe), _) => recipe.set(key, value)?,
        }
        Ok(())
    }

    /// The cut-offs in force.
    pub fn display_stretch(&self) -> Stretch {
        self.stretch.unwrap_or_else(|| match &self.content {
            Content::Operation(call) => (call.operation.stretch)(&call.values),
            Content::Recipe(_) => Stretch { min: 0.0, max: 1.0, invert: false },
        })
    }

    fn to_json(&self) -> serde_json::Value {
        let mut json = json!({"name": self.name});
        match &self.content {
            Content::Operation(call) => {
                json["operation"] = json!(call.operation.id);
                json["parameters"] = json!(call.values.to_json());
            }
            Content::Recipe(recipe) => json["recipe"] = recipe.to_json(),
        }
        if let Some(stretch) = self.stretch {
            json["min"] = json!(stretch.min);
            json["max"] = json!(stretch.max);
            json["invert"] = json!(stretch.invert);
        }
        json["mode"] = json!(self.mode);
        json["opacity"] = json!(self.opacity);
        json
    }
}

/// Cut-offs must be finite and in order.
pub fn check_stretch(stretch: Stretch) -> Result<Stretch> {
    if stretch.min.is_finite() && stretch.max.is_finite() && stretch.min < stretch.max {
        return Ok(stretch);
    }
    let (min, max) = (stretch.min, stretch.max);
    Err(Error::Argument(format!("stretch from {min} to {max} is not allowed; allowed: min smaller than max")))
}

fn check_opacity(opacity: f64) -> Result<f64> {
    if (0.0..=100.0).contains(&opacity) {
        return Ok(opacity);
    }
    Err(Error::Argument(format!("opacity {opacity} is not allowed; allowed: 0 to 100 (per cent)")))
}

fn parse_number(key: &str, value: &str) -> Result<f64> {
    let number = value.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Error::Argument(format!("{key} = '{value}' is not allowed; allowed: a number")))
}

fn parse_mode(value: &str) -> Result<Mode> {
    let known = Mode::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
    known
        .map(|(_, mode)| *mode)
        .ok_or_else(|| unknown_name("blend mode", value, Mode::ALL.iter().map(|(name, _)| *name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_reach_layers_of_layers() {
        let mut recipe = Recipe::parse("vat-combined").unwrap();
        recipe.set("vat-flat.hillshade.elevation", "20").unwrap();
        recipe.set("vat-general.opacity", "30").unwrap();
        let json = recipe.to_json();
        assert_eq!(json["layers"][1]["recipe"]["layers"][3]["parameters"]["elevation"], json!(20));
        assert_eq!(json["layers"][0]["opacity"], json!(30.0));
    }

    #[test]
    fn a_recipe_reads_back_what_it_writes() {
        for name in preset_names().chain(registry::operations().iter().map(|operation| operation.id)) {
            let json = Recipe::parse(name).unwrap().to_json();
            assert_eq!(Recipe::parse(&json.to_string()).unwrap().to_json(), json, "{name}");
        }
    }

    #[test]
    fn errors_name_the_layer_and_what_is_allowed() {
        let mut recipe = Recipe::parse("vat").unwrap();
        let mut text = |key, value| recipe.set(key, value).unwrap_err().to_string();
        assert!(text("slop.unit", "degree").contains("unknown layer 'slop'; allowed: sky_view_factor, "));
        assert!(text("unit", "degree").contains("unknown layer of a parameter 'unit'"));
        assert!(text("slope.opacity", "101").contains("allowed: 0 to 100"));
        assert!(text("slope.mode", "shiny").contains("allowed: normal, multiply"));
    }

    #[test]
    fn cut_offs_set_one_by_one_are_checked_together() {
        use crate::core::grid::Grid;
        let mut recipe = Recipe::parse("vat").unwrap();
        recipe.set("slope.min", "80").unwrap();
        let chain = |recipe: &Recipe| chain::Chain::new(recipe, &Grid::square(1.0), Default::default());
        let text = chain(&recipe).err().unwrap().to_string();
        assert!(text.contains("layer 'slope': stretch from 80 to 50 is not allowed"), "{text}");
        recipe.set("slope.max", "90").unwrap();
        assert!(chain(&recipe).is_ok());
    }
}
