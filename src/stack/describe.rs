//! Everything this part says of itself, as data: what help texts, pages and dialogs are made from.

use super::cells::CellType;
use super::expression::{
    Function, Index, NoDataRule, CONSTANTS, FUNCTIONS, INDICES, MOST_BYTES, MOST_LEVELS, OPERATORS,
};
use super::mask::{Preset, PRESETS};
use super::reduce::{GROUPINGS, MERGES, STATISTICS};
use super::{rescale, statistics};
use serde_json::{json, Value};

/// Ways to write a mask, and what they mean.
pub static MASKS: &[(&str, &str)] = &[
    ("NAME: bits 0|3|4", "Cells with one of these bits set."),
    ("NAME: bits 5-6 >= 2", "Cells whose bits, as a number, compare so."),
    ("NAME: values 8,9", "Cells with one of these values."),
    ("NAME: range 1..20", "Cells from one value to another, both included."),
    ("NAME: PRESET:FLAG,FLAG", "Cells that the quality band of a product says one of these things of."),
    ("EXPRESSION", "Cells where an expression is not 0, such as scl in (8, 9)."),
];

fn named((name, help): &(&str, &str)) -> Value {
    json!({"name": name, "help": help})
}

/// The description; keys are only ever added.
pub fn describe() -> Value {
    let constants = CONSTANTS.iter().map(|(name, _, help)| named(&(*name, *help)));
    json!({
        "cell_types": CellType::ALL.map(|(name, _)| name),
        "calc": {
            "operators": OPERATORS.iter().map(named).collect::<Value>(),
            "functions": FUNCTIONS.iter().map(Function::describe).collect::<Value>(),
            "constants": constants.collect::<Value>(),
            "indices": INDICES.iter().map(Index::describe).collect::<Value>(),
            "nodata_rules": NoDataRule::ALL.map(|(name, _)| name),
            "most_bytes": MOST_BYTES,
            "most_levels": MOST_LEVELS,
        },
        "rescale": {"parameters": rescale::describe()},
        "mask": {
            "forms": MASKS.iter().map(named).collect::<Value>(),
            "presets": PRESETS.iter().map(Preset::describe).collect::<Value>(),
        },
        "reduce": {
            "statistics": STATISTICS.iter().map(|entry| entry.describe()).collect::<Value>(),
            "groupings": GROUPINGS.iter().map(|entry| entry.describe()).collect::<Value>(),
            "merges": MERGES.iter().map(named).collect::<Value>(),
        },
        "statistics": statistics::describe(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_there_once_and_every_help_is_a_sentence() {
        let description = describe();
        for list in [
            "/calc/operators",
            "/calc/functions",
            "/calc/constants",
            "/rescale/parameters",
            "/mask/forms",
            "/reduce/statistics",
            "/reduce/merges",
            "/statistics",
        ] {
            let entries = description.pointer(list).and_then(Value::as_array).unwrap();
            let names: HashSet<_> = entries.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
            assert_eq!(names.len(), entries.len(), "{list}");
            for entry in entries {
                let help = entry["help"].as_str().unwrap();
                assert!(help.ends_with('.') && help.len() > 5, "{list} {entry}");
            }
        }
        let presets = description.pointer("/mask/presets").and_then(Value::as_array).unwrap();
        for preset in presets {
            let flags = preset["flags"].as_array().unwrap();
            let names: HashSet<_> = flags.iter().map(|flag| flag["name"].as_str().unwrap()).collect();
            assert_eq!(names.len(), flags.len(), "{preset}");
        }
        let names: HashSet<_> =
            FUNCTIONS.iter().map(|f| f.name).chain(INDICES.iter().map(|i| i.name)).collect();
        assert_eq!(names.len(), FUNCTIONS.len() + INDICES.len());
    }

    #[test]
    fn names_of_bands_are_those_that_sensors_give() {
        let known = ["coastal", "blue", "green", "red", "rededge", "nir", "swir1", "swir2"];
        for index in INDICES {
            assert!(index.bands.iter().all(|band| known.contains(band)), "{}", index.name);
            // Arguments stand in the order of wavelengths.
            assert!(
                index.bands.is_sorted_by_key(|band| known.iter().position(|name| name == band)),
                "{}",
                index.name
            );
        }
    }
}
