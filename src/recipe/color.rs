//! Colour maps of layers: by name, with cuts.

use crate::core::error::{Error, Result};
use crate::render::stretch::LinearStretch;

/// A colour map as a recipe names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorReference {
    /// Name of a colour map, or a colour text file.
    pub name: String,
    /// The part of the map that is used, 0 to 1.
    pub cut: Option<(f64, f64)>,
}

impl ColorReference {
    /// From the keys of a layer.
    pub fn read(name: Option<String>, cut: Option<(f64, f64)>) -> Result<Option<Self>> {
        match (name, cut) {
            (None, Some(_)) => Err(Error::Recipe("'color_cut' goes with 'color_map'".into())),
            (None, None) => Ok(None),
            (Some(name), cut) => Ok(Some(Self { name, cut })),
        }
    }

    pub(super) fn load(&self) -> Result<LayerColors> {
        Err(Error::Recipe(format!("color_map '{}' is not known", self.name)))
    }
}

/// A colour map made ready for a layer.
pub struct LayerColors;

impl LayerColors {
    /// Colours of a row.
    pub fn row(&self, _values: &[f32], _stretch: LinearStretch, _gamma: f32, _to: [&mut [f32]; 3]) {}
}
