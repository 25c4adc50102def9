//! Recipes that ship inside the library, one JSON file each.

use super::{text, Recipe};
use crate::core::error::Result;

/// Name, aliases, text.
type Preset = (&'static str, &'static [&'static str], &'static str);

const PRESETS: &[Preset] = &[
    ("vat", &[], include_str!("presets/vat.json")),
    ("vat-general", &[], include_str!("presets/vat-general.json")),
    ("vat-flat", &[], include_str!("presets/vat-flat.json")),
    ("vat-steep", &[], include_str!("presets/vat-steep.json")),
    ("vat-combined", &["cvat"], include_str!("presets/vat-combined.json")),
    ("vat-three-band", &[], include_str!("presets/vat-three-band.json")),
    ("prismatic-openness", &[], include_str!("presets/prismatic-openness.json")),
    ("prismatic-openness-json", &[], include_str!("presets/prismatic-openness-json.json")),
    ("city", &[], include_str!("presets/city.json")),
    ("crim", &[], include_str!("presets/crim.json")),
    ("rrim", &[], include_str!("presets/rrim.json")),
    ("e2mstp", &[], include_str!("presets/e2mstp.json")),
    ("e3mstp", &[], include_str!("presets/e3mstp.json")),
    ("e4mstp", &[], include_str!("presets/e4mstp.json")),
];

/// Names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, ..)| *name)
}

/// All presets.
pub fn presets() -> Result<Vec<Recipe>> {
    PRESETS.iter().map(|(.., text)| text::parse(text)).collect()
}

/// The preset called `name`, if there is one.
pub fn find(name: &str) -> Option<Result<Recipe>> {
    let found = PRESETS.iter().find(|(id, aliases, _)| *id == name || aliases.contains(&name));
    found.map(|(.., text)| text::parse(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_valid_and_carries_its_own_name() {
        for (recipe, name) in presets().unwrap().iter().zip(preset_names()) {
            assert_eq!(recipe.name, name);
            assert!(!recipe.title.is_empty() && !recipe.summary.is_empty() && !recipe.reference.is_empty());
        }
    }
}
