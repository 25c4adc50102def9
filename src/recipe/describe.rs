//! What a recipe will give on a grid, as JSON.

use super::chain::{CellType, Chain};
use super::Recipe;
use crate::core::operation::Band;
use serde_json::json;

/// Radius, bands, cell type, nodata and passes over the whole raster of `chain`, whether these look for more than numbers, and `recipe`, from which it was made, with every parameter
/// spelled out.
pub fn describe(recipe: &Recipe, chain: &Chain) -> serde_json::Value {
    let bands: Vec<_> = chain.bands().iter().map(Band::describe).collect();
    let cell_type = CellType::ALL.iter().find(|(_, known)| *known == chain.cell_type());
    // JSON has no NaN.
    let nodata = match chain.nodata() {
        Some(value) if value.is_nan() => json!("nan"),
        other => json!(other),
    };
    json!({
        "radius": chain.radius(), "bands": bands, "cell_type": cell_type.map(|(name, _)| name),
        "nodata": nodata, "surveys": chain.rounds(), "ground": chain.asks_for_ground(),
        "recipe": recipe.to_json(),
    })
}
