//! `terralume visualize` and `terralume render`: from arguments to a job.

use crate::output::{count, note, print, table};
use crate::progress::Progress;
use crate::signals;
use clap::ArgMatches;
use indicatif::BinaryBytes;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;
use terralume::core::error::unknown_name;
use terralume::gdal::Gdal;
use terralume::job::options::OPTIONS;
use terralume::pipeline::plan::Plan;
use terralume::recipe::preset_names;
use terralume::{registry, Error, Input, Job, JobOptions, Recipe, Result};

/// GDAL's own cache of blocks. Reading and writing go past it, so that a small one serves; by default it would
/// take a twentieth of the machine beside the budget.
const BLOCK_CACHE: usize = 32 << 20;

/// Largest file read as a recipe: far above any use, and no raster fits by mistake.
const LARGEST_RECIPE: u64 = 1 << 20;

/// Runs one operation.
pub fn visualize(matches: &ArgMatches) -> Result<()> {
    let name = text(matches, "NAME");
    if name.contains(',') {
        return Err(Error::Argument(format!(
            "'{name}': several operations in one run are not possible yet; allowed: one name"
        )));
    }
    let operation =
        registry::find(name).map_err(|error| match Recipe::parse(name.trim_start_matches('{')) {
            Ok(_) => Error::UnknownName(format!("'{name}' is a preset; allowed: terralume render {name}")),
            Err(_) => error,
        })?;
    let mut recipe = Recipe::of_operation(operation);
    apply_settings(&mut recipe, matches)?;
    let specs = (operation.parameters)();
    for (key, value) in parameters(matches)? {
        // A recipe would also take `opacity` or `min`, which mean nothing for an operation's own values.
        if !Recipe::is_setting(key) && !specs.iter().any(|spec| spec.name == key) {
            return Err(unknown_name("parameter", key, specs.iter().map(|spec| spec.name)));
        }
        recipe.set(key, value)?;
    }
    run(recipe, matches)
}

/// Blends a recipe or preset.
pub fn render(matches: &ArgMatches) -> Result<()> {
    let mut recipe = find_recipe(text(matches, "RECIPE"))?;
    apply_settings(&mut recipe, matches)?;
    for (key, value) in parameters(matches)? {
        recipe.set(key, value)?;
    }
    run(recipe, matches)
}

/// What is set for the whole recipe, before single parameters.
fn apply_settings(recipe: &mut Recipe, matches: &ArgMatches) -> Result<()> {
    for key in ["terrain", "fill"] {
        if let Some(value) = matches.get_one::<String>(key) {
            recipe.set(key, value)?;
        }
    }
    Ok(())
}

/// A preset by its name, or the recipe in a file. Presets go first: `./vat` is always a file.
fn find_recipe(name: &str) -> Result<Recipe> {
    if registry::find(name).is_ok() {
        return Err(Error::UnknownName(format!(
            "'{name}' is an operation; allowed: terralume visualize {name}"
        )));
    }
    match Recipe::parse(name.trim_start_matches('{')) {
        Ok(preset) => Ok(preset),
        Err(_) if Path::new(name).exists() => read_recipe(name),
        Err(_) => {
            let presets: Vec<_> = preset_names().collect();
            Err(Error::UnknownName(format!(
                "'{name}' is neither a file nor a preset; allowed: a JSON file, {}",
                presets.join(", ")
            )))
        }
    }
}

fn read_recipe(path: &str) -> Result<Recipe> {
    let refuse = |reason: String| Error::Recipe(format!("recipe '{path}': {reason}"));
    let mut content = String::new();
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let read = file.take(LARGEST_RECIPE).read_to_string(&mut content);
    read.map_err(|error| refuse(format!("{error}; allowed: JSON text")))?;
    // Editors on Windows put a mark in front of UTF-8.
    let content = content.trim_start_matches('\u{feff}').trim();
    if !content.starts_with('{') {
        return Err(refuse("no JSON object; allowed: {\"terralume_recipe\": 1, \"layers\": [...]}".into()));
    }
    let mut recipe = Recipe::parse(content).map_err(|error| refuse(error.to_string()))?;
    // Files stand beside the recipe, and the output says in full where.
    let full = std::path::absolute(path).map_err(|error| refuse(error.to_string()))?;
    recipe.resolve(full.parent().unwrap_or(&full));
    Ok(recipe)
}

fn run(recipe: Recipe, matches: &ArgMatches) -> Result<()> {
    let quiet = matches.get_flag("quiet");
    let job = Job {
        recipe,
        input: Input::Path(text(matches, "DEM").into()),
        output: text(matches, "OUT").into(),
        options: options(matches)?,
    };
    let cancel = signals::watch()?;
    let gdal = Gdal::get()?;
    gdal.limit_block_cache(BLOCK_CACHE);
    gdal.catch_all_messages();
    let start = Instant::now();
    let prepared = job.prepare()?;
    let plan = *prepared.plan();
    if matches.get_flag("plan") {
        return print(plan_text(&plan).as_bytes());
    }
    let progress = Progress::new(quiet);
    let mut report = |share: f64, stage: &str| {
        progress.show(share, stage);
        true
    };
    prepared.run(&mut report, cancel)?;
    drop(progress);
    if !quiet {
        let ((rows, cols), bands) = (plan.size, count(plan.bands, "band"));
        let seconds = start.elapsed().as_secs_f64();
        note(&format!("wrote {} ({rows} x {cols} cells, {bands}, {seconds:.1} s)", job.output));
    }
    Ok(())
}

/// All options of the table that were given.
fn options(matches: &ArgMatches) -> Result<JobOptions> {
    let mut options = JobOptions::default();
    for spec in OPTIONS {
        if spec.value.is_empty() {
            if matches.get_flag(spec.name) {
                options.set(spec.name, "true")?;
            }
            continue;
        }
        for value in matches.get_many::<String>(spec.name).into_iter().flatten() {
            options.set(spec.name, value)?;
        }
    }
    Ok(options)
}

fn parameters(matches: &ArgMatches) -> Result<Vec<(&str, &str)>> {
    let given = matches.get_many::<String>("parameter").into_iter().flatten();
    let pairs = given.map(|pair| {
        let split = pair.split_once('=').map(|(key, value)| (key.trim(), value));
        split.ok_or_else(|| Error::Argument(format!("-p '{pair}' is not allowed; allowed: key=value")))
    });
    pairs.collect()
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

fn plan_text(plan: &Plan) -> String {
    let Plan { size: (rows, cols), tile_rows, tile_cols, .. } = plan;
    let lines = [
        ("raster", format!("{rows} x {cols} cells (rows x columns), {} written", count(plan.bands, "band"))),
        ("tiles", format!("{} of {tile_rows} x {tile_cols} cells", plan.tiles())),
        ("radius", format!("{} read around a tile", count(plan.radius, "cell"))),
        ("overlap", format!("{:.2} cells read for each one written", plan.overlap())),
        ("passes", plan.passes.to_string()),
        ("passes over the raster before writing", plan.rounds.to_string()),
        ("threads", plan.threads.to_string()),
        ("memory", format!("{} for tiles and decoded blocks", BinaryBytes(plan.memory as u64))),
    ];
    table(&lines.map(|(name, value)| vec![name.to_string(), value]))
}
