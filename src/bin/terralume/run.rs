//! `terralume visualize` and `terralume render`: from arguments to a job.

use crate::arguments::text;
use crate::folder::Folder;
use crate::gdal::prepare_gdal;
use crate::output::{count, note, note_timing, print, table};
use crate::progress::Progress;
use crate::{recipes, signals};
use clap::ArgMatches;
use indicatif::BinaryBytes;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use terralume::core::error::unknown_name;
use terralume::core::operation::Operation;
use terralume::job::options::{OptionSpec, OPTIONS};
use terralume::job::stack::describe::notes;
use terralume::job::stack::layer as stack_layer;
use terralume::job::{file_name, Picture};
use terralume::pipeline::plan::Plan;
use terralume::{registry, Error, Input, Job, JobOptions, Recipe, Result};

/// Runs one operation, or several from one reading of the elevations.
pub fn visualize(matches: &ArgMatches) -> Result<()> {
    let names = text(matches, "NAME").split(',').map(str::trim);
    let operations = names.map(find_operation).collect::<Result<Vec<_>>>()?;
    let of = |named: &Named<'_>| Recipe::of_operation(named.operation);
    let mut recipes: Vec<_> = operations.iter().map(of).collect();
    recipes::apply_to_all(&mut recipes, matches)?;
    for (key, value) in recipes::parameters(matches)? {
        set_parameter(&operations, &mut recipes, key, value)?;
    }
    run(recipes, matches)
}

/// An operation as it was named on the command line.
struct Named<'a> {
    name: &'a str,
    operation: &'static Operation,
}

fn find_operation(name: &str) -> Result<Named<'_>> {
    let operation =
        registry::find(name).map_err(|error| match Recipe::parse(name.trim_start_matches('{')) {
            Ok(_) => Error::UnknownName(format!("'{name}' is a preset; allowed: terralume render {name}")),
            Err(_) => error,
        })?;
    Ok(Named { name, operation })
}

/// `parameter` is for every operation that has it, `operation.parameter` for one.
fn set_parameter(operations: &[Named<'_>], recipes: &mut [Recipe], key: &str, value: &str) -> Result<()> {
    if Recipe::is_setting(key) {
        return recipes.iter_mut().try_for_each(|recipe| recipe.set(key, value));
    }
    let split = key.split_once('.');
    let mut allowed: Vec<&str> = Vec::new();
    let mut found = false;
    for (Named { name, operation }, recipe) in operations.iter().zip(recipes) {
        let parameter = match split {
            Some((named, parameter)) if *name == named || operation.is_called(named) => parameter,
            Some(_) => continue,
            None => key,
        };
        let specs = (operation.parameters)();
        // A recipe would also take `opacity` or `min`, which mean nothing for an operation's own values.
        if let Some(spec) = specs.iter().find(|spec| spec.name == parameter) {
            recipe.set(spec.name, value)?;
            found = true;
        }
        for spec in &specs {
            if !allowed.contains(&spec.name) {
                allowed.push(spec.name);
            }
        }
    }
    match (found, split) {
        (true, _) => Ok(()),
        (false, Some((named, _))) if allowed.is_empty() => {
            Err(unknown_name("operation of a parameter", named, operations.iter().map(|named| named.name)))
        }
        (false, _) => {
            let place: Vec<_> = operations.iter().map(|named| named.operation.id).collect();
            let parameter = split.map_or(key, |(_, parameter)| parameter);
            Err(unknown_name("parameter", parameter, allowed).within(&place.join(", ")))
        }
    }
}

/// Blends a recipe or preset.
pub fn render(matches: &ArgMatches) -> Result<()> {
    let name = text(matches, "RECIPE");
    if registry::find(name).is_ok() {
        return Err(Error::UnknownName(format!(
            "'{name}' is an operation; allowed: terralume visualize {name}"
        )));
    }
    let mut recipe = recipes::changed(recipes::find(name)?, matches)?;
    for given in matches.get_many::<String>("input").into_iter().flatten() {
        let (name, source) =
            given.split_once('=').filter(|(_, source)| !source.is_empty()).ok_or_else(|| {
                Error::Argument(format!("--input '{given}' is not allowed; allowed: NAME=PATH"))
            })?;
        recipe.set_stack_input(name.trim(), source)?;
    }
    run(vec![recipe], matches)
}

/// The elevations, or the raster whose grid counts where layers show stacks alone, and the output.
fn places<'a>(recipes: &[Recipe], matches: &'a ArgMatches) -> Result<(Input, &'a str)> {
    let given = |name| matches.get_one::<String>(name).map(String::as_str);
    let (first, second) = (given("DEM"), given("OUT"));
    let is_planned = matches.get_flag("plan");
    let alone = recipes.iter().find(|recipe| recipe.is_of_stacks() && second.is_none());
    let (dem, output) = if alone.is_some() { (None, first) } else { (first, second) };
    if dem.is_none() && alone.is_none() || output.is_none() && !is_planned {
        let allowed = "allowed: DEM OUT; for a recipe of stacks alone also OUT";
        return Err(Error::Argument(format!("input or output is missing; {allowed}")));
    }
    let ground = alone.map(|recipe| stack_layer::ground_of(recipe).map(Input::Grid));
    let elevations = || Ok(Input::Path(dem.unwrap_or_default().into()));
    Ok((ground.unwrap_or_else(elevations)?, output.unwrap_or_default()))
}

fn run(recipes: Vec<Recipe>, matches: &ArgMatches) -> Result<()> {
    let quiet = matches.get_flag("quiet");
    let ((input, output), options) = (places(&recipes, matches)?, options(matches)?);
    let mut folder = Folder::find(output, recipes.len(), matches.get_flag("plan"))?;
    let stem = match &input {
        Input::Path(path) | Input::Grid(path) => path.clone(),
        _ => String::new(),
    };
    let picture = |recipe: Recipe| {
        let output = match &folder {
            Some(folder) => {
                let name = file_name(&recipe, &stem, options.cell_type);
                folder
                    .file(&name.replace(".tif", &format!(".{}", options.format.unwrap_or_default().ending())))
            }
            None => output.to_string(),
        };
        Picture { recipe, output }
    };
    let pictures = recipes.into_iter().map(picture).collect();
    let job = Job { pictures, input, options };
    let cancel = signals::watch()?;
    prepare_gdal()?;
    let start = Instant::now();
    let progress = Progress::new(quiet);
    let mut opening = |share: f64, stage: &str| {
        signals::end_if_asked(|| {
            progress.clear();
            drop(folder.take());
        });
        progress.show(share, stage);
        true
    };
    let prepared = job.prepare_watched(&mut opening, &AtomicBool::new(false))?;
    let plan = *prepared.plan();
    if matches.get_flag("plan") {
        drop(progress);
        return print((plan_text(&plan) + &prepared.steps()).as_bytes());
    }
    let mut report = |share: f64, stage: &str| {
        progress.show(share, stage);
        true
    };
    let found = prepared.run(&mut report, cancel)?;
    drop(progress);
    folder.into_iter().for_each(Folder::keep);
    if !quiet {
        let ((rows, cols), bands) = (plan.size, count(plan.bands, "band"));
        let seconds = start.elapsed().as_secs_f64();
        let outputs: Vec<_> = job.pictures.iter().map(|picture| picture.output.as_str()).collect();
        note(&format!("wrote {} ({cols} x {rows} cells, {bands}, {seconds:.1} s)", outputs.join(", ")));
        notes(&found.cells, &found.bad).iter().for_each(|line| note(line));
        found.timing.iter().for_each(note_timing);
    }
    Ok(())
}

/// All options of the table that were given; a command has all of them or some.
pub fn options(matches: &ArgMatches) -> Result<JobOptions> {
    let mut options = JobOptions::default();
    let known = |spec: &&OptionSpec| matches.ids().any(|id| id.as_str() == spec.name);
    for spec in OPTIONS.iter().filter(known) {
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

fn plan_text(plan: &Plan) -> String {
    let Plan { size: (rows, cols), tile_rows, tile_cols, .. } = plan;
    let mut lines = vec![
        ("raster", format!("{rows} x {cols} cells (rows x columns), {} written", count(plan.bands, "band"))),
        ("tiles", format!("{} of {tile_rows} x {tile_cols} cells", plan.tiles())),
        ("radius", format!("{} read around a tile", count(plan.radius, "cell"))),
        ("overlap", format!("{:.2} cells read for each one written", plan.overlap())),
        ("passes", plan.passes.to_string()),
        ("threads", plan.threads.to_string()),
        ("memory", format!("{} for tiles and decoded blocks", BinaryBytes(plan.memory as u64))),
    ];
    if plan.rounds > 0 {
        lines.push(("surveys", format!("{} of the whole raster before anything is written", plan.rounds)));
    }
    let row = |(name, value): (&str, String)| vec![name.to_string(), value];
    table(&lines.into_iter().map(row).collect::<Vec<_>>())
}
