//! Which kind of file a JSON text is.

use super::terrain::{self, Terrain};
use super::{rvt, text, Recipe};
use crate::core::error::{Error, Result};
use serde::de::IgnoredAny;
use serde::Deserialize;

/// The keys that tell files apart.
#[derive(Deserialize)]
struct Marks {
    terralume_recipe: Option<IgnoredAny>,
    combination: Option<IgnoredAny>,
    combinations: Option<IgnoredAny>,
    terralume_terrain: Option<IgnoredAny>,
    terrains_settings: Option<IgnoredAny>,
}

impl Marks {
    fn read(kind: &str, text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Recipe(format!("{kind}: {error}")))
    }
}

impl Recipe {
    /// Reads a recipe's JSON text, or that of RVT's blender combinations. `name` chooses one of several; one that stands
    /// alone must be called so.
    pub fn parse_named(text: &str, name: Option<&str>) -> Result<Self> {
        let marks = Marks::read("recipe", text)?;
        if marks.terralume_recipe.is_some() {
            let recipe = text::parse(text)?;
            check_name("recipe", &recipe.name, name)?;
            return Ok(recipe);
        }
        if marks.combination.is_some() || marks.combinations.is_some() {
            return rvt::combination(text, name);
        }
        Err(Error::Recipe(
            "recipe: none of the known keys; allowed: terralume_recipe, or RVT's combination, combinations"
                .into(),
        ))
    }
}

impl Terrain {
    /// Reads terrain settings from their JSON text, or RVT's. `name` chooses one of several; one that stands alone must
    /// be called so.
    pub fn parse_named(text: &str, name: Option<&str>) -> Result<Self> {
        let marks = Marks::read("terrain", text)?;
        if marks.terralume_terrain.is_some() {
            let terrain = terrain::parse(text)?;
            check_name("terrain", &terrain.name, name)?;
            return Ok(terrain);
        }
        if marks.terrains_settings.is_some() {
            return rvt::terrain(text, name);
        }
        Err(Error::Recipe(
            "terrain: none of the known keys; allowed: terralume_terrain, or RVT's terrains_settings".into(),
        ))
    }
}

fn check_name(kind: &str, own: &str, wanted: Option<&str>) -> Result<()> {
    match wanted.filter(|wanted| *wanted != own) {
        Some(wanted) => Err(crate::core::error::unknown_name(kind, wanted, [own])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_their_keys() {
        let text = |text: &str| Recipe::parse(text).unwrap_err().to_string();
        for (file, said) in [
            ("{}", "none of the known keys; allowed: terralume_recipe, or RVT's combination, combinations"),
            (r#"{"default_settings": {}}"#, "none of the known keys"),
            (r#"{"combination": null}"#, "none of the known keys"),
            (r#"{"combination": {}}"#, "'name' is missing"),
            (r#"{"combinations": {}}"#, "combinations = an object is not allowed; allowed: a list"),
            (
                r#"{"combination": {"name": "a", "layers": []}, "combinations": []}"#,
                "unknown key 'combination'; a",
            ),
            (r#"{"terralume_recipe": 1, "combination": {}}"#, "unknown field `combination`"),
            ("{", "EOF"),
        ] {
            assert!(text(file).contains(said), "{file}: {}", text(file));
        }
        let terrain = |text: &str| Terrain::parse_named(text, None).unwrap_err().to_string();
        assert!(terrain("{}").contains("allowed: terralume_terrain, or RVT's terrains_settings"));
        assert!(terrain(r#"{"terralume_terrain": 3}"#).contains("missing field"));
        assert!(terrain(r#"{"terrains_settings": []}"#).contains("no terrain; allowed: at least one"));
    }

    #[test]
    fn a_name_must_fit() {
        let recipe = r#"{"terralume_recipe": 1, "name": "own", "layers": [{"operation": "slope"}]}"#;
        assert!(Recipe::parse_named(recipe, Some("own")).is_ok());
        let text = Recipe::parse_named(recipe, Some("vat")).unwrap_err().to_string();
        assert_eq!(text, "unknown recipe 'vat'; allowed: own");
        let terrain = include_str!("terrains/flat.json");
        assert_eq!(Terrain::parse_named(terrain, Some("flat")).unwrap().name, "flat");
        assert!(Terrain::parse_named(terrain, Some("steep")).is_err());
    }
}
