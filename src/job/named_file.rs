//! Recipes and settings as users name them: a preset, a file, one of several in a file.

use crate::core::error::{Error, Result};
use crate::recipe::terrain::Terrain;
use crate::recipe::Recipe;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file read as a recipe or settings: far above any use, and no raster fits by mistake.
const LARGEST_FILE: u64 = 1 << 20;

/// A file that exists, and which of its parts is meant.
#[derive(Debug, Clone, Copy)]
pub struct NamedFile<'a> {
    /// Its path.
    pub path: &'a str,
    /// One of several in the file.
    pub part: Option<&'a str>,
}

impl<'a> NamedFile<'a> {
    /// `FILE`, or `FILE#NAME`; None when there is no such file. A file whose name has a `#` is one.
    pub fn find(name: &'a str) -> Option<Self> {
        if Path::new(name).exists() {
            return Some(Self { path: name, part: None });
        }
        let mut splits = name.match_indices('#').map(|(start, _)| (&name[..start], &name[start + 1..]));
        let found = splits.rfind(|(path, _)| !path.is_empty() && Path::new(path).exists());
        found.map(|(path, part)| Self { path, part: Some(part) })
    }

    /// The error of a file that cannot be used; `kind` is what it should be.
    pub fn refuse(&self, kind: &str, reason: impl std::fmt::Display) -> Error {
        Error::Recipe(format!("{kind} '{}': {reason}", self.path))
    }

    /// The file's text; `kind` is what it should be.
    pub fn read(&self, kind: &str) -> Result<String> {
        let mut content = String::new();
        let file = File::open(self.path).map_err(|error| self.refuse(kind, error))?;
        let read = file.take(LARGEST_FILE).read_to_string(&mut content);
        read.map_err(|error| self.refuse(kind, format!("{error}; allowed: JSON text")))?;
        // Editors on Windows put a mark in front of UTF-8.
        Ok(content.trim_start_matches('\u{feff}').trim().into())
    }

    /// The recipe in it.
    pub fn recipe(&self) -> Result<Recipe> {
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

    /// The terrain settings in it.
    pub fn terrain(&self) -> Result<Terrain> {
        let content = self.read("terrain")?;
        Terrain::parse_named(&content, self.part).map_err(|error| self.refuse("terrain", error))
    }
}

/// A preset or operation by its name, or the recipe in a file. Names go first: `./vat` is always a file.
pub fn named_recipe(name: &str) -> Result<Recipe> {
    // Recipes as text are for programs; here they would only be mistaken for names.
    Recipe::parse(name.trim_start_matches('{')).or_else(|error| match NamedFile::find(name) {
        Some(file) => file.recipe(),
        None => Err(error),
    })
}
