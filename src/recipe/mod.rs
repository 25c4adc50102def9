//! Recipes: which layers a picture has, how each is stretched, and how they blend.
//!
//! A recipe is JSON text. `visualize slope` is a recipe of one layer without stretch; a preset is a recipe
//! that ships inside the library; a layer can itself be a recipe.

pub mod array;
pub mod chain;
mod color;
mod describe;
mod file;
mod presets;
mod rasters;
mod rvt;
mod stack;
pub mod terrain;
mod text;

use crate::core::error::{unknown_name, Error, Result};
use crate::core::grid::Grid;
use crate::core::operation::{Compatibility, Operation};
use crate::core::params::Values;
use crate::core::stretch::{Cut, Stretch};
use crate::registry;
use crate::render::blend::Mode;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use color::ColorReference;
pub use describe::describe;
pub use presets::{preset_names, presets};
pub use rasters::LayerRaster;
pub use rvt::Settings;
pub use stack::{Stack, StackBand, StackInput};

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
    /// Fills missing cells before anything else is computed: a call of `fill_nodata`.
    pub fill: Option<OperationCall>,
    /// Stacks of rasters that layers show, those of inner recipes too.
    pub stacks: Vec<Stack>,
    /// What becomes of the layers.
    pub combine: Combine,
    /// Layers, the top one first; of a composite red, green, blue.
    pub layers: Vec<Layer>,
}

/// What becomes of a recipe's layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// They lie on one another.
    #[default]
    Blend,
    /// Three grey ones are the red, green and blue of one picture.
    Rgb,
}

/// The operation that can go before a recipe.
const FILL: &str = "fill_nodata";

/// One layer of a recipe.
#[derive(Debug, Clone)]
pub struct Layer {
    /// How overrides address it: `name.parameter`.
    pub name: String,
    /// What it shows.
    pub content: Content,
    /// Cut-offs; without them an operation's own display stretch, or 0..1 for a recipe.
    pub stretch: Option<Stretch>,
    /// Brightness of the middle: above 1 it is raised, below 1 lowered. Applied after the stretch.
    pub gamma: f64,
    /// Turns a grey layer into a coloured one.
    pub color: Option<ColorReference>,
    /// Where the layer is shown: 1 everywhere it is 1, not at all where it is 0 or missing. Its own mode, opacity and
    /// mask are ignored.
    pub mask: Option<Box<Layer>>,
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
    /// Another raster, brought to the grid of the elevations.
    Raster(RasterReference),
    /// A result of a stack of rasters, on the grid of the elevations.
    Stack(StackBand),
}

/// A band of a raster beside the elevations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RasterReference {
    /// A file, or anything else GDAL can open.
    pub path: String,
    /// Number of the band, from 1.
    pub band: usize,
}

/// An operation with its parameters.
#[derive(Clone)]
pub struct OperationCall {
    /// The registry entry.
    pub operation: &'static Operation,
    /// Checked values of all its parameters.
    pub values: Values,
    /// Those under RVT compatibility, where they differ.
    pub rvt_values: Option<Values>,
    /// Replaces the ends of the operation's own display stretch.
    pub display: Option<Cut>,
}

impl OperationCall {
    /// With all defaults.
    pub fn new(operation: &'static Operation) -> Self {
        let values = Values::defaults((operation.parameters)());
        Self { operation, values, rvt_values: None, display: None }
    }

    /// The parameters in force.
    pub fn values(&self, compatibility: Compatibility) -> &Values {
        match (compatibility, &self.rvt_values) {
            (Compatibility::Rvt, Some(values)) => values,
            _ => &self.values,
        }
    }

    /// Sets a parameter, whatever the compatibility.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        self.rvt_values.iter_mut().try_for_each(|values| values.set(name, text))?;
        self.values.set(name, text)
    }

    /// The same from JSON.
    pub fn set_json(&mut self, name: &str, value: &serde_json::Value) -> Result<()> {
        self.rvt_values.iter_mut().try_for_each(|values| values.set_json(name, value))?;
        self.values.set_json(name, value)
    }

    fn coarsen(&mut self, factor: usize, grid: &Grid) {
        self.values = self.values.coarsened(factor, grid);
        self.rvt_values = self.rvt_values.as_ref().map(|values| values.coarsened(factor, grid));
    }

    /// Parameters that RVT compatibility changes, with their values.
    fn rvt_changes(&self) -> serde_json::Map<String, serde_json::Value> {
        let plain = self.values.to_json();
        let rvt = self.rvt_values.iter().flat_map(Values::to_json);
        rvt.filter(|(name, value)| plain.get(name) != Some(value)).collect()
    }
}

impl std::fmt::Debug for OperationCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:?})", self.operation.id, self.values.to_json())
    }
}

impl Recipe {
    /// Reads a recipe: its JSON text or that of RVT's blender combination, the name of a preset, or the id of an
    /// operation.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with('{') {
            return Self::parse_named(text, None);
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
        let layer = Layer::new(operation.id, Content::Operation(OperationCall::new(operation)));
        Self {
            name: operation.id.into(),
            title: operation.title.into(),
            summary: operation.summary.into(),
            reference: operation.reference.into(),
            fill: None,
            stacks: Vec::new(),
            combine: Combine::Blend,
            layers: vec![layer],
        }
    }

    /// The only layer when the recipe stands for an operation's own values rather than a picture of 0..1.
    pub fn raw_operation(&self) -> Option<&OperationCall> {
        match self.layers.as_slice() {
            [Layer { content: Content::Operation(call), stretch: None, color: None, .. }]
                if self.combine == Combine::Blend =>
            {
                Some(call)
            }
            _ => None,
        }
    }

    /// Changes one value: `parameter` of a recipe with one layer, `layer.parameter` or
    /// `recipe.layer.parameter` otherwise. `mode`, `opacity`, `stretch`, `min` and `max` of a layer can be set as
    /// well; of the whole recipe `terrain`, by name, and `fill`, a method of `fill_nodata`, with its parameters as
    /// `fill.radius`; and options of stacks, `stacks.NAME.OPTION`.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if Self::is_setting(key) && !self.has_layer(key) {
            return self.set_whole(key, value);
        }
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

    /// The recipe for an overview of a raster on `grid`, whose cells are `factor` times as large: distances stay, in as
    /// many cells fewer.
    pub fn coarsened(&self, factor: usize, grid: &Grid) -> Self {
        let mut recipe = self.clone();
        recipe.fill.iter_mut().for_each(|call| call.coarsen(factor, grid));
        recipe.layers.iter_mut().for_each(|layer| layer.coarsen(factor, grid));
        recipe
    }

    /// Whether a key is about the whole recipe, not about a layer: `terrain`, `fill`, and what begins with `fill.` or
    /// `stacks.`.
    pub fn is_setting(key: &str) -> bool {
        key == "terrain" || key == "fill" || key.starts_with("fill.") || key.starts_with("stacks.")
    }

    fn has_layer(&self, key: &str) -> bool {
        let name = key.split_once('.').map_or(key, |(name, _)| name);
        self.layers.iter().any(|layer| layer.name == name)
    }

    fn set_whole(&mut self, key: &str, value: &str) -> Result<()> {
        if key == "terrain" {
            return terrain::find(value.trim())?.apply(self);
        }
        if let Some(key) = key.strip_prefix("stacks.") {
            return self.set_stack(key, value);
        }
        if key == "fill" && value.trim() == "none" {
            self.fill = None;
            return Ok(());
        }
        let mut call = self.fill.clone().map_or_else(|| registry::find(FILL).map(OperationCall::new), Ok)?;
        let parameter = key.strip_prefix("fill.").unwrap_or("method");
        call.set(parameter, value).map_err(|error| error.within("fill"))?;
        self.fill = Some(call);
        Ok(())
    }

    /// The recipe as JSON with every parameter spelled out; `parse` reads it back.
    pub fn to_json(&self) -> serde_json::Value {
        let layers: Vec<_> = self.layers.iter().map(Layer::to_json).collect();
        let mut json = json!({
            "terralume_recipe": text::VERSION, "name": self.name, "title": self.title,
            "summary": self.summary, "reference": self.reference,
        });
        if let Some(fill) = &self.fill {
            json["fill"] = json!(fill.values.to_json());
        }
        if !self.stacks.is_empty() {
            let stacks = self.stacks.iter().map(|stack| (stack.name.clone(), stack.to_json()));
            json["stacks"] = serde_json::Value::Object(stacks.collect());
        }
        if self.combine != Combine::Blend {
            json["combine"] = json!(self.combine);
        }
        json["layers"] = json!(layers);
        json
    }
}

impl Layer {
    /// A layer that covers those below, with its content's own stretch.
    pub fn new(name: impl Into<String>, content: Content) -> Self {
        Self {
            name: name.into(),
            content,
            stretch: None,
            gamma: 1.0,
            color: None,
            mask: None,
            mode: Mode::Normal,
            opacity: 100.0,
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.try_set(key, value).map_err(|error| error.within(&self.name))
    }

    fn try_set(&mut self, key: &str, value: &str) -> Result<()> {
        match (&mut self.content, key) {
            (_, "opacity") => self.opacity = check_opacity(parse_number(key, value)?)?,
            (_, "mode") => self.mode = Mode::parse(value)?,
            (_, "stretch") => self.set_cut(value.parse()?),
            (_, "gamma") => self.gamma = check_gamma(parse_number(key, value)?)?,
            (_, "min") | (_, "max") => {
                let number = parse_number(key, value)?;
                let (min, max) = self.display_stretch(Compatibility::None).limits().unwrap_or((0.0, 1.0));
                let (min, max) = if key == "min" { (number, max) } else { (min, number) };
                self.set_cut(Cut::Values { min, max });
            }
            (Content::Operation(call), _) => call.set(key, value)?,
            (Content::Recipe(recipe), _) => recipe.set(key, value)?,
            (Content::Raster(_) | Content::Stack(_), _) => {
                let allowed = ["opacity", "mode", "stretch", "gamma", "min", "max"];
                return Err(unknown_name("key of such a layer", key, allowed));
            }
        }
        Ok(())
    }

    fn coarsen(&mut self, factor: usize, grid: &Grid) {
        match &mut self.content {
            Content::Operation(call) => call.coarsen(factor, grid),
            Content::Recipe(inner) => **inner = inner.coarsened(factor, grid),
            Content::Raster(_) | Content::Stack(_) => {}
        }
        self.mask.iter_mut().for_each(|mask| mask.coarsen(factor, grid));
    }

    fn set_cut(&mut self, cut: Cut) {
        self.stretch = Some(Stretch { cut, ..self.display_stretch(Compatibility::None) });
    }

    /// The stretch in force.
    pub fn display_stretch(&self, compatibility: Compatibility) -> Stretch {
        self.stretch.unwrap_or_else(|| match &self.content {
            Content::Operation(call) => {
                let own = (call.operation.stretch)(call.values(compatibility), compatibility);
                Stretch { cut: call.display.unwrap_or(own.cut), ..own }
            }
            Content::Recipe(_) | Content::Raster(_) | Content::Stack(_) => Stretch::values(0.0, 1.0),
        })
    }

    fn to_json(&self) -> serde_json::Value {
        let mut json = json!({"name": self.name});
        match &self.content {
            Content::Operation(call) => {
                json["operation"] = json!(call.operation.id);
                json["parameters"] = json!(call.values.to_json());
                let changes = call.rvt_changes();
                if !changes.is_empty() {
                    json["rvt_parameters"] = json!(changes);
                }
                if let Some(cut) = call.display {
                    json["display"] = json!(cut.to_string());
                }
            }
            Content::Recipe(recipe) => json["recipe"] = recipe.to_json(),
            Content::Raster(raster) => {
                json["raster"] = json!(raster.path);
                json["band"] = json!(raster.band);
            }
            Content::Stack(shown) => {
                json["stack"] = json!(shown.stack);
                if let Some(band) = &shown.band {
                    json["band"] = json!(band);
                }
            }
        }
        if let Some(stretch) = self.stretch {
            match stretch.limits() {
                Some((min, max)) => {
                    json["min"] = json!(min);
                    json["max"] = json!(max);
                }
                None => json["stretch"] = json!(stretch.cut.to_string()),
            }
            json["invert"] = json!(stretch.invert);
        }
        if self.gamma != 1.0 {
            json["gamma"] = json!(self.gamma);
        }
        if let Some(color) = &self.color {
            json["color_map"] = json!(color.name);
            if let Some((low, high)) = color.cut {
                json["color_cut"] = json!([low, high]);
            }
        }
        if let Some(mask) = &self.mask {
            json["mask"] = mask.to_json();
        }
        json["mode"] = json!(self.mode);
        json["opacity"] = json!(self.opacity);
        json
    }
}

fn check_gamma(gamma: f64) -> Result<f64> {
    if (0.1..=10.0).contains(&gamma) {
        return Ok(gamma);
    }
    Err(Error::Argument(format!("gamma {gamma} is not allowed; allowed: 0.1 to 10")))
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
