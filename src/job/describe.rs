//! What this library can do, as one JSON document: operations, presets and options of a run.

use super::options;
use crate::recipe::{presets, Recipe};
use crate::registry;
use serde_json::Value;

/// Description of everything for other programs; `"schema"` changes only by adding keys.
pub fn describe() -> Value {
    let mut description = registry::describe();
    // That every preset can be read is a test of `recipe/presets.rs`.
    description["presets"] = presets().unwrap_or_default().iter().map(Recipe::to_json).collect();
    description["options"] = options::describe();
    description
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::preset_names;

    #[test]
    fn everything_is_described() {
        let description = describe();
        let count = |key: &str| description[key].as_array().map(Vec::len);
        assert_eq!(description["schema"], 1);
        assert_eq!(count("operations"), Some(registry::operations().len()));
        assert_eq!(count("presets"), Some(preset_names().count()));
        assert_eq!(count("options"), Some(options::OPTIONS.len()));
    }
}
