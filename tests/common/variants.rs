//! Recipes to try: made from the registry, so that a new operation or preset is tested because it exists.

use terralume::core::grid::Grid;
use terralume::core::params::{Kind, ParamSpec};
use terralume::recipe::chain::{Chain, ChainOptions};
use terralume::registry;
use terralume::{Error, Recipe};

/// A recipe and what was changed in it.
pub struct Variant {
    pub label: String,
    pub recipe: Recipe,
}

/// Every operation and every preset with their defaults.
pub fn defaults() -> Vec<Variant> {
    let operations = registry::operations().iter().map(|operation| Recipe::of_operation(operation));
    let presets = terralume::recipe::presets().expect("presets are valid");
    let all = operations.chain(presets);
    all.map(|recipe| Variant { label: recipe.name.clone(), recipe }).collect()
}

/// Every operation with one parameter changed: every word of a choice, some numbers of the others.
pub fn changed() -> Vec<Variant> {
    let mut variants = Vec::new();
    for operation in registry::operations() {
        for spec in (operation.parameters)() {
            for value in other_values(&spec) {
                let mut recipe = Recipe::of_operation(operation);
                recipe.set(spec.name, &value).unwrap_or_else(|error| panic!("{}: {error}", operation.id));
                if goes_together(&recipe) {
                    variants
                        .push(Variant { label: format!("{} {}={value}", operation.id, spec.name), recipe });
                }
            }
        }
    }
    variants
}

/// Values that are allowed one by one may contradict each other: a least radius above the largest.
fn goes_together(recipe: &Recipe) -> bool {
    !matches!(Chain::new(recipe, &Grid::square(1.0), ChainOptions::default()), Err(Error::Argument(_)))
}

/// Both lists.
pub fn all() -> Vec<Variant> {
    let mut variants = defaults();
    variants.extend(changed());
    variants
}

/// Values other than the default.
fn other_values(spec: &ParamSpec) -> Vec<String> {
    let default = spec.to_json(spec.default).to_string();
    let candidates: Vec<String> = match spec.kind {
        Kind::Choice(words) => words.iter().map(|word| word.to_string()).collect(),
        Kind::Bool => vec!["true".into(), "false".into()],
        Kind::Length => ["1", "3", "17"].map(String::from).to_vec(),
        Kind::Int => ["1", "2", "5", "21"].map(String::from).to_vec(),
        Kind::Float => ["-2.5", "0.5", "40"].map(String::from).to_vec(),
    };
    let allowed = |value: &String| spec.parse(value).is_ok() && *value != default.trim_matches('"');
    candidates.into_iter().filter(allowed).collect()
}
