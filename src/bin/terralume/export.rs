//! `terralume export`: a recipe as a file, for Terralume or for RVT.

use crate::arguments::text;
use crate::output::print;
use crate::recipes;
use clap::ArgMatches;
use terralume::gdal::output::Target;
use terralume::{Error, Result};

/// Forms of the file; the first one by default.
pub const FORMATS: [&str; 2] = ["terralume", "rvt"];

/// Writes a recipe.
pub fn export(matches: &ArgMatches) -> Result<()> {
    let recipe = recipes::changed(recipes::find(text(matches, "RECIPE"))?, matches)?;
    let json = match text(matches, "format") {
        "rvt" => recipe.to_rvt_combination()?,
        _ => recipe.to_json(),
    };
    let content = format!("{json:#}\n");
    match text(matches, "OUT") {
        "" => print(content.as_bytes()),
        path => write(path, &content, matches),
    }
}

fn write(path: &str, content: &str, matches: &ArgMatches) -> Result<()> {
    let inputs: Vec<String> = recipes::file_of(matches).map(String::from).into_iter().collect();
    let target = Target::new(path, matches.get_flag("overwrite"), &inputs)?;
    let pending = target.pending()?;
    std::fs::write(pending.name()?, content)
        .map_err(|error| Error::Output(format!("cannot write '{path}': {error}")))?;
    target.accept(pending)
}
