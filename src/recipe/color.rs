//! Colour maps of layers: by name, with cuts.

use crate::core::error::{Error, Result};
use crate::render::color_map::ColorMap;
use crate::render::stretch::LinearStretch;

/// A colour map as a recipe names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorReference {
    /// Name of a colour map; with `_r` turned round.
    pub name: String,
    /// The part of the map that is used, 0 to 1.
    pub cut: Option<(f64, f64)>,
}

impl ColorReference {
    /// From the keys of a layer, checked.
    pub fn read(name: Option<String>, cut: Option<(f64, f64)>) -> Result<Option<Self>> {
        match (name, cut) {
            (None, Some(_)) => Err(Error::Recipe("'color_cut' goes with 'color_map'".into())),
            (None, None) => Ok(None),
            (Some(name), cut) => {
                let reference = Self { name, cut };
                reference.load()?;
                Ok(Some(reference))
            }
        }
    }

    pub(super) fn load(&self) -> Result<LayerColors> {
        ColorMap::named(&self.name, self.cut).map(LayerColors)
    }
}

/// A colour map made ready for a layer.
pub struct LayerColors(ColorMap);

impl LayerColors {
    /// Colours of a row of values, stretched to 0..1. Missing cells have none.
    pub fn row(&self, values: &[f32], stretch: LinearStretch, to: [&mut [f32]; 3]) {
        self.0.row(values, stretch, to);
    }
}
