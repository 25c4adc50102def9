//! Everything this library can do, as one JSON text: what dialogs, scripts and other languages are built from.

use super::{file_name, options, stack, Picture, Prepared};
use crate::core::error::Result;
use crate::core::grid::Grid;
use crate::core::operation::{describe_stretch, Band, Role};
use crate::core::stretch::Stretch;
use crate::pipeline::plan::Plan;
use crate::recipe::chain::{Chain, ChainOptions};
use crate::recipe::{presets, terrain, Recipe};
use crate::registry;
use crate::render::blend::Mode;
use serde_json::json;

/// Operations, presets, blend modes, options of a run, commands over stacks; `"schema"` changes only by adding keys.
pub fn describe() -> Result<serde_json::Value> {
    let mut description = registry::describe();
    description["presets"] = presets()?.iter().map(preset).collect::<Result<_>>()?;
    description["terrains"] = terrain::terrains()?.iter().map(terrain::Terrain::describe).collect();
    description["blend_modes"] = Mode::ALL.iter().map(|(name, _)| json!(name)).collect();
    description["options"] = options::describe();
    description["stack"] = stack::describe::describe(description["stack"].take());
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

impl Prepared<'_> {
    /// What the run writes and how it is divided, for other programs.
    pub fn describe(&self) -> serde_json::Value {
        let Plan { size: (rows, cols), tile_rows, tile_cols, radius, passes, rounds, .. } = self.plan;
        let Plan { bands, threads, memory, .. } = self.plan;
        let cell_type = self.chain.cell_type();
        let parts = self.job.pictures.iter().zip(self.chain.parts());
        let pictures =
            parts.map(|(picture, part)| self.describe_picture(picture, &self.chain.bands()[part.clone()]));
        json!({
            "rows": rows, "cols": cols, "bands": bands, "output_bytes": rows * cols * bands * cell_type.bytes(),
            "pictures": pictures.collect::<Vec<_>>(),
            "tiles": self.plan.tiles(), "tile_rows": tile_rows, "tile_cols": tile_cols,
            "radius": radius, "overlap": self.plan.overlap(), "passes": passes, "surveys": rounds,
            "threads": threads, "memory": memory,
            "steps": self.steps().lines().map(str::trim).collect::<Vec<_>>(),
        })
    }

    /// How a picture is called and shown. The stretch is that of the values; a picture of layers is 0 to 1.
    fn describe_picture(&self, picture: &Picture, bands: &[Band]) -> serde_json::Value {
        let options = &self.job.options;
        let own = match (picture.recipe.raw_operation(), picture.recipe.layers.as_slice()) {
            (Some(_), [layer]) => layer.display_stretch(options.compatibility),
            _ => Stretch::values(0.0, 1.0),
        };
        let stretch = Stretch { cut: options.stretch.unwrap_or(own.cut), ..own };
        json!({
            "title": picture.recipe.title,
            "file_name": file_name(&picture.recipe, self.source.name(), options.cell_type),
            "bands": bands.iter().map(Band::describe).collect::<Vec<_>>(),
            "color": bands.iter().any(|band| band.role == Role::Red),
            "stretch": describe_stretch(stretch),
            "recipe": picture.recipe.to_json(),
        })
    }
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
        assert_eq!(description["stack"]["commands"][0]["name"], "calc");
        assert_eq!(description["stack"]["calc"]["constants"][0]["name"], "_pi");
        assert_eq!(description["presets"][0]["name"], "vat");
        assert_eq!(description["presets"][0]["radius"], 10);
    }
}
