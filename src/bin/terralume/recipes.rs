//! Recipes and settings as users name them: presets, files, and one of several in a file.

use crate::arguments::text;
use crate::output::note;
use clap::ArgMatches;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use terralume::recipe::terrain::{self, Terrain};
use terralume::recipe::{preset_names, Settings};
use terralume::{Error, Recipe, Result};

/// Largest file read as a recipe or settings: far above any use, and no raster fits by mistake.
const LARGEST_FILE: u64 = 1 << 20;

/// A file that exists, and which of its parts is meant.
struct Place<'a> {
    path: &'a str,
    part: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// `FILE`, or `FILE#NAME`; None when there is no such file. A file whose name has a `#` is one.
    fn find(name: &'a str) -> Option<Self> {
        if Path::new(name).exists() {
            return Some(Self { path: name, part: None });
        }
        let mut splits = name.match_indices('#').map(|(start, _)| (&name[..start], &name[start + 1..]));
        let found = splits.rfind(|(path, _)| !path.is_empty() && Path::new(path).exists());
        found.map(|(path, part)| Self { path, part: Some(part) })
    }

    fn refuse(&self, kind: &str, reason: impl std::fmt::Display) -> Error {
        Error::Recipe(format!("{kind} '{}': {reason}", self.path))
    }

    /// The file's text; `kind` is what it should be.
    fn read(&self, kind: &str) -> Result<String> {
        let mut content = String::new();
        let file = File::open(self.path).map_err(|error| self.refuse(kind, error))?;
        let read = file.take(LARGEST_FILE).read_to_string(&mut content);
        read.map_err(|error| self.refuse(kind, format!("{error}; allowed: JSON text")))?;
        // Editors on Windows put a mark in front of UTF-8.
        Ok(content.trim_start_matches('\u{feff}').trim().into())
    }

    fn recipe(&self) -> Result<Recipe> {
        let content = self.read("recipe")?;
        if !content.starts_with('{') {
            let reason = "no JSON object; allowed: {\"terralume_recipe\": 1, \"layers\": [...]}";
            return Err(self.refuse("recipe", reason));
        }
        let mut recipe =
            Recipe::parse_named(&content, self.part).map_err(|error| self.refuse("recipe", error))?;
        // Files stand beside the recipe, and the output says in full where.
        let full = std::path::absolute(self.path).map_err(|error| self.refuse("recipe", error))?;
        recipe.resolve(full.parent().unwrap_or(&full));
        Ok(recipe)
    }

    fn terrain(&self) -> Result<Terrain> {
        let content = self.read("terrain")?;
        Terrain::parse_named(&content, self.part).map_err(|error| self.refuse("terrain", error))
    }
}

/// A preset or operation by its name, or the recipe in a file. Names go first: `./vat` is always a file.
pub fn named(name: &str) -> Result<Recipe> {
    // Recipes as text are for programs; here they would only be mistaken for names.
    Recipe::parse(name.trim_start_matches('{')).or_else(|error| match Place::find(name) {
        Some(place) => place.recipe(),
        None => Err(error),
    })
}

/// As [`named`], for commands that want a recipe.
pub fn find(name: &str) -> Result<Recipe> {
    named(name).map_err(|error| match error {
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
    let place = Place { path, part: None };
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
    terrain::find(name.trim()).or_else(|error| match Place::find(name) {
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
    Place::find(text(matches, "RECIPE")).map(|place| place.path)
}
