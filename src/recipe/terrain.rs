//! Terrain settings: parameters and stretches that suit a kind of ground, by name.
//!
//! They are data, one JSON file each, with the numbers of RVT's terrain settings. Applied to a recipe they change the
//! layers whose operation they know and nothing else. RVT's own files of them are read too (`rvt/terrain.rs`).

use super::{Content, OperationCall, Recipe};
use crate::core::error::{unknown_name, Error, Result};
use crate::core::stretch::Cut;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Version of the format.
const VERSION: u32 = 1;

const TERRAINS: &[&str] = &[
    include_str!("terrains/general.json"),
    include_str!("terrains/flat.json"),
    include_str!("terrains/steep.json"),
];

/// Settings for one kind of ground.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terrain {
    terralume_terrain: u32,
    /// Name at every face.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What ground they suit.
    pub summary: String,
    operations: Operations,
}

/// What changes, by the id of the operation.
pub(super) type Operations = BTreeMap<String, Setting>;

/// What changes in one operation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) stretch: Option<String>,
    /// The stretch is in this unit: values in another one keep theirs.
    pub(super) unit: Option<String>,
    #[serde(default)]
    pub(super) parameters: serde_json::Map<String, serde_json::Value>,
}

/// Which stretches are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All.
    Layers,
    /// Those with which an operation's own values become 8 bit.
    Display,
}

/// All terrain settings.
pub fn terrains() -> Result<Vec<Terrain>> {
    TERRAINS.iter().map(|text| parse(text)).collect()
}

/// The settings called `name`.
pub fn find(name: &str) -> Result<Terrain> {
    let all = terrains()?;
    let found = all.iter().find(|terrain| terrain.name == name).cloned();
    found.ok_or_else(|| unknown_name("terrain", name, all.iter().map(|terrain| terrain.name.as_str())))
}

pub(super) fn parse(text: &str) -> Result<Terrain> {
    let terrain: Terrain =
        serde_json::from_str(text).map_err(|error| Error::Recipe(format!("terrain: {error}")))?;
    if terrain.terralume_terrain != VERSION {
        let came = terrain.terralume_terrain;
        return Err(Error::Recipe(format!("terrain format {came} is not known; allowed: {VERSION}")));
    }
    Ok(terrain)
}

impl Terrain {
    /// Settings that are called the same at every face.
    pub(super) fn new(name: &str, operations: Operations) -> Self {
        let (title, summary) = (name.into(), String::new());
        Self { terralume_terrain: VERSION, name: name.into(), title, summary, operations }
    }

    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        let settings = self.operations.iter().map(|(id, setting)| {
            let changes = json!({"stretch": setting.stretch, "parameters": setting.parameters});
            (id.clone(), changes)
        });
        json!({
            "name": self.name, "title": self.title, "summary": self.summary,
            "operations": settings.collect::<serde_json::Map<_, _>>(),
        })
    }

    /// Changes parameters and stretches of the layers of `recipe`, those of inner recipes included.
    pub fn apply(&self, recipe: &mut Recipe) -> Result<()> {
        apply(&self.operations, recipe, Reach::Layers)
    }
}

/// Changes what `operations` says of the layers of `recipe`, those of inner recipes included.
pub(super) fn apply(operations: &Operations, recipe: &mut Recipe, reach: Reach) -> Result<()> {
    for layer in &mut recipe.layers {
        let call = match &mut layer.content {
            Content::Recipe(inner) => {
                apply(operations, inner, reach)?;
                continue;
            }
            Content::Operation(call) => call,
            Content::Raster(_) | Content::Stack(_) => continue,
        };
        let Some(setting) = operations.get(call.operation.id) else { continue };
        for (key, value) in &setting.parameters {
            call.set_json(key, value)?;
        }
        let Some(cut) = setting.cut(call)? else { continue };
        match &mut layer.stretch {
            Some(_) if reach == Reach::Display => {}
            Some(stretch) => stretch.cut = cut,
            None => call.display = Some(cut),
        }
    }
    Ok(())
}

impl Setting {
    fn cut(&self, call: &OperationCall) -> Result<Option<Cut>> {
        let bands = (call.operation.bands)(&call.values);
        let same_unit = |unit: &String| bands.first().is_some_and(|band| band.unit == *unit);
        match &self.stretch {
            Some(text) if self.unit.as_ref().is_none_or(same_unit) => text.parse().map(Some),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_fits_an_operation() {
        for terrain in terrains().unwrap() {
            for (id, setting) in &terrain.operations {
                let mut recipe =
                    Recipe::parse(id).unwrap_or_else(|error| panic!("{}: {error}", terrain.name));
                terrain.apply(&mut recipe).unwrap_or_else(|error| panic!("{} {id}: {error}", terrain.name));
                let Content::Operation(call) = &recipe.layers[0].content else { panic!("{id}") };
                assert_eq!(call.display.map(|cut| cut.to_string()), setting.stretch, "{} {id}", terrain.name);
            }
        }
    }

    /// The presets of the three kinds of ground are the plain one with their settings.
    #[test]
    fn terrains_make_vat_general_flat_and_steep() {
        for name in ["general", "flat", "steep"] {
            let mut recipe = Recipe::parse("vat").unwrap();
            recipe.set("terrain", name).unwrap();
            let preset = Recipe::parse(&format!("vat-{name}")).unwrap();
            assert_eq!(recipe.to_json()["layers"], preset.to_json()["layers"], "{name}");
        }
    }

    #[test]
    fn a_stretch_in_degrees_is_not_for_percent() {
        let mut recipe = Recipe::parse("slope").unwrap();
        recipe.set("unit", "percent").unwrap();
        recipe.set("terrain", "flat").unwrap();
        let Content::Operation(call) = &recipe.layers[0].content else { panic!("an operation") };
        assert!(call.display.is_none());
        assert!(recipe
            .set("terrain", "hilly")
            .unwrap_err()
            .to_string()
            .contains("allowed: general, flat, steep"));
    }
}
