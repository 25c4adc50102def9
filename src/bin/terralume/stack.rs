//! `terralume calc`, `rescale`, `mask`, `reduce` and their plans: from arguments to a job over a stack.

use crate::arguments::text;
use crate::gdal::prepare_gdal;
use crate::output::{count, note, note_timing, print, table};
use crate::progress::Progress;
use crate::{signals, statistics};
use clap::ArgMatches;
use indicatif::BinaryBytes;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use terralume::job::options::{JobOptions, OPTIONS};
use terralume::job::stack::describe::RUN_OPTIONS;
use terralume::job::stack::options::{StackOptions, STACK_OPTIONS};
use terralume::job::stack::{InputSpec, ListedImage, PreparedStack, StackCommand, StackJob};
use terralume::pipeline::stack::plan::StackPlan;
use terralume::{Error, Result};

/// A line of a plan: what, and how much.
pub type PlanLine = (&'static str, String);

/// Plans one of the commands.
pub fn plan(matches: &ArgMatches) -> Result<()> {
    let (name, matches) = matches.subcommand().unwrap_or(("", matches));
    if name == "statistics" {
        return statistics::plan(matches);
    }
    let job = job(command(name)?, matches, false)?;
    prepare_gdal()?;
    print(plan_text(&job.prepare()?, &AtomicBool::new(false))?.as_bytes())
}

/// Runs a command by its name.
pub fn run(name: &str, matches: &ArgMatches) -> Result<()> {
    let dry = matches.get_flag("plan") || matches.get_flag("list");
    let job = job(command(name)?, matches, !dry)?;
    let quiet = matches.get_flag("quiet");
    let cancel = signals::watch()?;
    prepare_gdal()?;
    let start = Instant::now();
    let progress = Progress::new(quiet);
    let mut opening = |share: f64, stage: &str| {
        signals::end_if_asked(|| progress.clear());
        progress.show(share, stage);
        true
    };
    if matches.get_flag("list") {
        let images = job.list_watched(&mut opening, &AtomicBool::new(false))?;
        drop(progress);
        return print(list_text(&images).as_bytes());
    }
    let prepared = job.prepare_watched(&mut opening, &AtomicBool::new(false))?;
    if dry {
        drop(progress);
        return print(plan_text(&prepared, cancel)?.as_bytes());
    }
    let bands = prepared.bands().len();
    let (rows, cols) = prepared.plan().size;
    let mut report = |share: f64, stage: &str| {
        progress.show(share, stage);
        true
    };
    let outcome = prepared.run(&mut report, cancel)?;
    drop(progress);
    let seconds = start.elapsed().as_secs_f64();
    if quiet {
        return Ok(());
    }
    let written = outcome.outputs.join(", ");
    note(&format!("wrote {written} ({cols} x {rows} cells, {}, {seconds:.1} s)", count(bands, "band")));
    outcome.notes().iter().for_each(|line| note(line));
    outcome.timing.iter().for_each(note_timing);
    Ok(())
}

fn command(name: &str) -> Result<StackCommand> {
    let found = StackCommand::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, command)| *command).ok_or_else(|| Error::Internal("a command without code".into()))
}

/// Inputs, output and options of a command.
fn job(command: StackCommand, matches: &ArgMatches, writes: bool) -> Result<StackJob> {
    let (mut stack, run) = options(matches)?;
    let mut output = String::new();
    if command == StackCommand::Calc {
        stack.expression = Some(text(matches, "FORMULA").into());
        output = text(matches, "OUT").into();
    } else {
        let mut files: Vec<&String> = matches.get_many("FILES").into_iter().flatten().collect();
        // A plan or a list may leave the output out.
        let is_folder = |name: &str| stack.scatter.is_some() && std::path::Path::new(name).is_dir();
        let is_input = |last: &&String| !run.overwrite && !is_folder(last) && stands_for_inputs(last);
        let last_is_input = || files.last().is_some_and(is_input);
        if writes || (files.len() > 1 || !stack.inputs.is_empty()) && !last_is_input() {
            output = files.pop().cloned().unwrap_or_default();
        }
        add_files(&mut stack, &files)?;
    }
    if writes && output.is_empty() {
        return Err(Error::Argument("no output; allowed: the file to write as the last argument".into()));
    }
    Ok(StackJob { command, stack, run, output })
}

/// Whether a name is none of a file that is still to be written.
fn stands_for_inputs(name: &str) -> bool {
    let source = InputSpec::parse(name).map_or_else(|_| name.to_string(), |spec| spec.source);
    let list = source.rsplit_once('#').map_or(source.as_str(), |(list, _)| list);
    let special = source.starts_with('@') || source.starts_with("/vsi") || source.contains(['*', '?', '[']);
    special || std::path::Path::new(&source).exists() || std::path::Path::new(list).exists()
}

/// Files without a name come before those with one. Several are one list.
pub fn add_files(stack: &mut StackOptions, files: &[&String]) -> Result<()> {
    let mut inputs = files.iter().map(|file| InputSpec::parse(file)).collect::<Result<Vec<_>>>()?;
    if inputs.len() > 1 {
        let same =
            inputs.iter().all(|input| (input.band, input.overview) == (inputs[0].band, inputs[0].overview));
        if !same || inputs.iter().any(|input| input.name.is_some()) {
            let allowed = "allowed: plain files, or -i NAME=PATH for each";
            return Err(Error::Argument(format!("files with bands or names of their own; {allowed}")));
        }
        let more = inputs.split_off(1).into_iter().map(|input| input.source);
        inputs[0].more = more.collect();
    }
    stack.inputs.splice(0..0, inputs);
    Ok(())
}

/// All options of both tables that were given.
pub fn options(matches: &ArgMatches) -> Result<(StackOptions, JobOptions)> {
    let (mut stack, mut run) = (StackOptions::default(), JobOptions::default());
    let given = |name: &str, is_switch: bool| -> Vec<String> {
        match is_switch {
            true => match matches.try_get_one::<bool>(name) {
                Ok(Some(true)) => vec!["true".into()],
                _ => Vec::new(),
            },
            false => match matches.try_get_many::<String>(name) {
                Ok(Some(values)) => values.cloned().collect(),
                _ => Vec::new(),
            },
        }
    };
    for spec in STACK_OPTIONS {
        for value in given(spec.name, spec.value.is_empty()) {
            stack.set(spec.name, &value)?;
        }
    }
    for spec in OPTIONS.iter().filter(|spec| RUN_OPTIONS.contains(&spec.name)) {
        for value in given(spec.name, spec.value.is_empty()) {
            run.set(spec.name, &value)?;
        }
    }
    Ok((stack, run))
}

fn plan_text(prepared: &PreparedStack<'_>, cancel: &AtomicBool) -> Result<String> {
    let (read, written) = prepared.bytes();
    let bands: Vec<String> = prepared.bands().into_iter().map(String::from).collect();
    let of = raster_lines(prepared.plan(), "written", (&bands, prepared.list().len(), read));
    let output = ("output", format!("{} uncompressed ({written} bytes)", BinaryBytes(written)));
    let time = match prepared.estimate(cancel) {
        Ok(seconds) => format!("about {seconds:.1} s and what writing takes, as one tile took"),
        Err(error) => unknown(error)?,
    };
    let lines = of.into_iter().chain([output]).chain(division_lines(prepared.plan())).chain([("time", time)]);
    Ok(labelled(lines))
}

/// What is read: `bands`, images, bytes.
pub fn raster_lines(plan: &StackPlan, use_of_bands: &str, read: (&[String], usize, u64)) -> Vec<PlanLine> {
    let ((rows, cols), (bands, images, bytes)) = (plan.size, read);
    let bands_used = count(bands.len(), "band");
    vec![
        ("raster", format!("{rows} x {cols} cells (rows x columns), {bands_used} {use_of_bands}")),
        ("bands", bands.join(", ")),
        ("images", images.to_string()),
        ("input", format!("{} uncompressed", BinaryBytes(bytes))),
    ]
}

/// How it is divided.
pub fn division_lines(plan: &StackPlan) -> Vec<PlanLine> {
    vec![
        ("tiles", format!("{} of {} x {} cells", plan.tiles(), plan.tile_rows, plan.tile_cols)),
        ("halo", count(plan.halo, "cell")),
        ("re-read", format!("{:.2} times each block is decoded", plan.decoded)),
        ("threads", plan.threads.to_string()),
        (
            "memory",
            format!("{} at most, and about 64 MiB for the program and GDAL", BinaryBytes(plan.memory as u64)),
        ),
    ]
}

/// A time that could not be found out; what cannot be read shall not hide the rest of the plan.
pub fn unknown(error: Error) -> Result<String> {
    match error {
        Error::Cancelled => Err(error),
        error => Ok(format!("unknown: {error}")),
    }
}

/// Lines of a plan as text.
pub fn labelled(lines: impl Iterator<Item = PlanLine>) -> String {
    table(&lines.map(|(name, value)| vec![name.to_string(), value]).collect::<Vec<_>>())
}

fn list_text(images: &[ListedImage]) -> String {
    let line = |image: &ListedImage| {
        let (time, source) = image.time.clone().unwrap_or(("-".into(), "-"));
        let group = image.group.clone().unwrap_or_else(|| "-".into());
        vec![time, source.to_string(), group, image.files.join(" ")]
    };
    table(&images.iter().map(line).collect::<Vec<_>>())
}
