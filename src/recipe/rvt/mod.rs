//! Files of RVT (Relief Visualization Toolbox): blender combinations, terrain settings, default settings.
//!
//! They are read into recipes, terrain settings and [`Settings`]; recipes of which RVT has every part are written back.
//! What a file says and Terralume does not know is an error or is named, never left out in silence.

mod combination;
mod export;
mod legacy;
mod object;
mod parameter;
mod settings;
mod terrain;

use super::OperationCall;
use crate::core::error::{unknown_name, Result};
use crate::registry;

pub use settings::Settings;
pub(super) use {combination::parse as combination, terrain::parse as terrain};

/// What RVT computes, by its own name.
#[derive(Debug)]
struct Visualization {
    /// Name in RVT's files; case does not matter.
    name: &'static str,
    /// The operation it is here.
    operation: &'static str,
    /// What its keys in the default settings begin with; Shadow has none.
    code: Option<&'static str>,
    /// Whether the default settings say in which forms it is saved.
    saved: bool,
    /// RVT shows the smallest values brightest.
    inverted: bool,
}

const fn visualization(name: &'static str, operation: &'static str, code: &'static str) -> Visualization {
    Visualization { name, operation, code: Some(code), saved: true, inverted: false }
}

const fn unsaved(name: &'static str, operation: &'static str, code: &'static str) -> Visualization {
    Visualization { saved: false, ..visualization(name, operation, code) }
}

const VISUALIZATIONS: [Visualization; 13] = [
    Visualization { inverted: true, ..visualization("Slope gradient", "slope", "slp") },
    visualization("Hillshade", "hillshade", "hs"),
    Visualization { code: None, ..unsaved("Shadow", "shadow", "") },
    visualization("Multiple directions hillshade", "multi_hillshade", "mhs"),
    visualization("Simple local relief model", "local_relief", "slrm"),
    visualization("Sky-View Factor", "sky_view_factor", "svf"),
    unsaved("Anisotropic Sky-View Factor", "anisotropic_sky_view_factor", "asvf"),
    unsaved("Openness - Positive", "openness_positive", "pos_opns"),
    Visualization { inverted: true, ..visualization("Openness - Negative", "openness_negative", "neg_opns") },
    visualization("Sky illumination", "sky_illumination", "sim"),
    visualization("Local dominance", "local_dominance", "ld"),
    visualization("Multi-scale relief model", "multi_scale_relief", "msrm"),
    visualization("Multi-scale topographic position", "multi_scale_topographic_position", "mstp"),
];

/// Names of all visualizations, for messages.
fn names() -> impl Iterator<Item = &'static str> + Clone {
    VISUALIZATIONS.iter().map(|visualization| visualization.name)
}

impl Visualization {
    fn find(name: &str) -> Result<&'static Self> {
        let found = VISUALIZATIONS.iter().find(|known| known.name.eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| unknown_name("visualization", &object::short(name), names()))
    }

    /// The operation as RVT's blender calls it: the multi-directional hillshade as a colour picture.
    fn layer(&self) -> Result<OperationCall> {
        let mut call = OperationCall::new(registry::find(self.operation)?);
        if self.operation == "multi_hillshade" {
            call.values.set("form", "rgb")?;
        }
        Ok(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::operation::Compatibility;

    #[test]
    fn every_visualization_is_an_operation() {
        for visualization in &VISUALIZATIONS {
            let call = visualization.layer().unwrap();
            let own = (call.operation.stretch)(&call.values, Compatibility::Rvt);
            assert_eq!(own.invert, visualization.inverted, "{}", visualization.name);
        }
        assert_eq!(Visualization::find(" sky-view FACTOR").unwrap().operation, "sky_view_factor");
        let text = Visualization::find("Slope").unwrap_err().to_string();
        assert!(text.contains("unknown visualization 'Slope'; allowed: Slope gradient, Hillshade"), "{text}");
    }
}
