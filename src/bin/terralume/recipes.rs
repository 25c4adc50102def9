//! Recipes and settings as users name them: presets, files, and one of several in a file.

use crate::arguments::text;
use crate::output::note;
use clap::ArgMatches;
use terralume::job::named_file::{named_recipe, NamedFile};
use terralume::recipe::terrain::{self, Terrain};
use terralume::recipe::{preset_names, Settings};
use terralume::{Error, Recipe, Result};

/// As [`named_recipe`], for commands that want a recipe.
pub fn find(name: &str) -> Result<Recipe> {
    named_recipe(name).map_err(|error| match error {
        Error::UnknownName(_) => {
            let presets: Vec<_> = preset_names().collect();
            let presets = presets.join(", ");
            Error::UnknownName(format!(
                "'{name}' is neither a file nor a preset; allowed: a JSON file, {presets}"
            ))
        }
        other => other,
    })
}

/// With what the arguments change: settings, terrain, filling, single parameters.
pub fn changed(mut recipe: Recipe, matches: &ArgMatches) -> Result<Recipe> {
    apply_to_all(std::slice::from_mut(&mut recipe), matches)?;
    for (key, value) in parameters(matches)? {
        recipe.set(key, value)?;
    }
    Ok(recipe)
}

/// What is set for whole recipes, before single parameters: settings, terrain, filling.
pub fn apply_to_all(recipes: &mut [Recipe], matches: &ArgMatches) -> Result<()> {
    if let Some(path) = matches.get_one::<String>("settings") {
        apply_settings(recipes, path)?;
    }
    if let Some(name) = matches.get_one::<String>("terrain") {
        let terrain = find_terrain(name)?;
        recipes.iter_mut().try_for_each(|recipe| terrain.apply(recipe))?;
    }
    if let Some(method) = matches.get_one::<String>("fill") {
        recipes.iter_mut().try_for_each(|recipe| recipe.set("fill", method))?;
    }
    Ok(())
}

fn apply_settings(recipes: &mut [Recipe], path: &str) -> Result<()> {
    let place = NamedFile { path, part: None };
    let content = place.read("settings")?;
    let settings = Settings::parse(&content).map_err(|error| place.refuse("settings", error))?;
    let applied = recipes.iter_mut().try_for_each(|recipe| settings.apply(recipe));
    applied.map_err(|error| place.refuse("settings", error))?;
    if !settings.not_applied().is_empty() {
        let keys = settings.not_applied().join(", ");
        note(&format!("terralume: warning: settings '{path}': not applied: {keys}"));
    }
    Ok(())
}

/// Terrain settings by their name, or those in a file.
fn find_terrain(name: &str) -> Result<Terrain> {
    terrain::find(name.trim()).or_else(|error| match NamedFile::find(name) {
        Some(place) => place.terrain(),
        None => Err(error),
    })
}

/// Keys and values given with `-p`.
pub fn parameters(matches: &ArgMatches) -> Result<Vec<(&str, &str)>> {
    let given = matches.get_many::<String>("parameter").into_iter().flatten();
    let pairs = given.map(|pair| {
        let split = pair.split_once('=').map(|(key, value)| (key.trim(), value));
        split.ok_or_else(|| Error::Argument(format!("-p '{pair}' is not allowed; allowed: key=value")))
    });
    pairs.collect()
}

/// The file that the argument `RECIPE` names, unless it is a preset.
pub fn file_of(matches: &ArgMatches) -> Option<&str> {
    NamedFile::find(text(matches, "RECIPE")).map(|place| place.path)
}
