//! Everything this library can do, as one JSON text: what dialogs, scripts and other languages are built from.

use super::options;
use crate::core::error::Result;
use crate::core::grid::Grid;
use crate::core::operation::Band;
use crate::recipe::chain::{Chain, ChainOptions};
use crate::recipe::{presets, terrain, Recipe};
use crate::registry;
use crate::render::blend::Mode;
use serde_json::json;

/// Operations, presets, blend modes and options of a run; `"schema"` changes only by adding keys.
pub fn describe() -> Result<serde_json::Value> {
    let mut description = registry::describe();
    description["presets"] = presets()?.iter().map(preset).collect::<Result<_>>()?;
    description["terrains"] = terrain::terrains()?.iter().map(terrain::Terrain::describe).collect();
    description["blend_modes"] = Mode::ALL.iter().map(|(name, _)| json!(name)).collect();
    description["options"] = options::describe();
    Ok(description)
}

/// One preset, with its radius in cells under default parameters.
fn preset(recipe: &Recipe) -> Result<serde_json::Value> {
    let chain = Chain::new(recipe, &Grid::square(1.0), ChainOptions::default())?;
    let json = recipe.to_json();
    Ok(json!({
        "name": recipe.name, "title": recipe.title, "summary": recipe.summary, "reference": recipe.reference,
        "radius": chain.radius(), "bands": chain.bands().iter().map(Band::describe).collect::<Vec<_>>(),
        "combine": recipe.combine, "layers": json["layers"],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_all_there_is() {
        let description = describe().unwrap();
        let count = |key: &str| description[key].as_array().unwrap().len();
        assert_eq!(count("operations"), registry::operations().len());
        assert_eq!(count("presets"), presets().unwrap().len());
        assert_eq!(count("options"), options::OPTIONS.len());
        assert_eq!(description["presets"][0]["name"], "vat");
        assert_eq!(description["presets"][0]["radius"], 10);
    }
}
