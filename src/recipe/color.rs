//! Colour maps of layers: by name, with cuts, or from a colour text file.

use crate::core::error::{Error, Result};
use crate::render::color_map::ColorMap;
use crate::render::color_ramp::{ColorRamp, RampFile};
use crate::render::stretch::LinearStretch;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file read as colours: far above any use.
const LARGEST_FILE: u64 = 1 << 20;

/// A colour map as a recipe names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorReference {
    /// Name of a colour map, with `_r` turned round; or a colour text file of GDAL or QGIS, whose colours are for the
    /// layer's values before they are stretched.
    pub name: String,
    /// The part of a named map that is used, 0 to 1.
    pub cut: Option<(f64, f64)>,
}

impl ColorReference {
    /// From the keys of a layer. Names are checked; files are read when a chain is made.
    pub fn read(name: Option<String>, cut: Option<(f64, f64)>) -> Result<Option<Self>> {
        let reference = match (name, cut) {
            (None, Some(_)) => return Err(Error::Recipe("'color_cut' goes with 'color_map'".into())),
            (None, None) => return Ok(None),
            (Some(name), cut) => Self { name, cut },
        };
        if !reference.looks_like_a_file() {
            ColorMap::named(&reference.name, reference.cut)?;
        } else if reference.cut.is_some() {
            return Err(Error::Recipe(
                "'color_cut' goes with a named map, not with a colour text file".into(),
            ));
        }
        Ok(Some(reference))
    }

    /// Colour maps have no dots and slashes in their names.
    pub fn looks_like_a_file(&self) -> bool {
        self.name.contains(['.', '/', '\\'])
    }

    /// Makes it ready. `range` is what 0 % and 100 % are in a file.
    pub(super) fn load(&self, range: Option<(f64, f64)>) -> Result<LayerColors> {
        if !self.looks_like_a_file() {
            return ColorMap::named(&self.name, self.cut).map(LayerColors::Map);
        }
        let fail = |reason: String| Error::Recipe(format!("colours '{}': {reason}", self.name));
        let mut text = String::new();
        let file = File::open(Path::new(&self.name)).map_err(|error| fail(error.to_string()))?;
        file.take(LARGEST_FILE).read_to_string(&mut text).map_err(|error| fail(error.to_string()))?;
        let file = RampFile::parse(&text).map_err(|error| fail(error.to_string()))?;
        if file.needs_range() && range.is_none() {
            return Err(fail(
                "per cent of an unknown range; allowed with 'min' and 'max' of the layer".into(),
            ));
        }
        file.ramp(range).map(LayerColors::Ramp).map_err(|error| fail(error.to_string()))
    }
}

/// A colour map made ready for a layer.
pub enum LayerColors {
    /// For values stretched to 0..1.
    Map(ColorMap),
    /// For the values themselves.
    Ramp(ColorRamp),
}

impl LayerColors {
    /// Rows it fills: red, green, blue, and how opaque they are where not everything is.
    pub fn bands(&self) -> usize {
        match self {
            LayerColors::Ramp(ramp) if ramp.has_transparency() => 4,
            _ => 3,
        }
    }

    /// Colours of a row of values. Missing cells have none.
    pub fn row<const BANDS: usize>(&self, values: &[f32], stretch: LinearStretch, to: [&mut [f32]; BANDS]) {
        match self {
            LayerColors::Ramp(ramp) => ramp.row(values, to),
            LayerColors::Map(map) => {
                let mut to = to.into_iter();
                if let (Some(red), Some(green), Some(blue)) = (to.next(), to.next(), to.next()) {
                    map.row(values, stretch, [red, green, blue]);
                }
            }
        }
    }
}
