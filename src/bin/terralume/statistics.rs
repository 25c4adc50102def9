//! `terralume statistics`: numbers of files, bands and blocks as a table.

use crate::arguments::text;
use crate::gdal::prepare_gdal;
use crate::output::{count, note, print, print_with};
use crate::progress::Progress;
use crate::stack::{division_lines, labelled, raster_lines, unknown};
use crate::{signals, stack};
use clap::ArgMatches;
use terralume::gdal::output::Target;
use terralume::job::options::JobOptions;
use terralume::job::stack::options::StackOptions;
use terralume::job::stack::statistics::{GridPlan, StatisticsJob};
use terralume::Result;

/// Prints how the table would be made, grid by grid.
pub fn plan(matches: &ArgMatches) -> Result<()> {
    let (stack, run) = options(matches)?;
    let cancel = signals::watch()?;
    prepare_gdal()?;
    let progress = Progress::new(matches.get_flag("quiet"));
    let mut report = |share: f64, stage: &str| {
        signals::end_if_asked(|| progress.clear());
        progress.show(share, stage);
        true
    };
    let plans = StatisticsJob { stack, run, output: None }.plan(&mut report, cancel)?;
    drop(progress);
    let texts =
        plans.into_iter().map(|(plan, seconds)| plan_text(&plan, seconds)).collect::<Result<Vec<_>>>()?;
    print(texts.join("\n").as_bytes())
}

fn plan_text(grid: &GridPlan, seconds: Result<f64>) -> Result<String> {
    let read = (grid.bands.as_slice(), grid.images.len(), grid.input_bytes);
    let raster = raster_lines(&grid.plan, "looked at", read);
    let output = ("output", count(grid.lines, "line"));
    let passes = ("passes", grid.passes.to_string());
    let time = match seconds {
        Ok(seconds) => format!("about {seconds:.1} s, as one tile took"),
        Err(error) => unknown(error)?,
    };
    let lines = raster.into_iter().chain([output]).chain(division_lines(&grid.plan));
    Ok(labelled(lines.chain([passes, ("time", time)])))
}

/// Inputs and options.
fn options(matches: &ArgMatches) -> Result<(StackOptions, JobOptions)> {
    let (mut options, run) = stack::options(matches)?;
    let files: Vec<&String> = matches.get_many("FILES").into_iter().flatten().collect();
    stack::add_files(&mut options, &files)?;
    Ok((options, run))
}

/// Prints or writes the table.
pub fn statistics(matches: &ArgMatches) -> Result<()> {
    if matches.get_flag("plan") {
        return plan(matches);
    }
    let (options, run) = options(matches)?;
    let quiet = matches.get_flag("quiet");
    let (output, overwrite) = (text(matches, "output"), run.overwrite);
    if !output.is_empty() {
        // Before anything is opened.
        Target::new(output, overwrite, &[])?;
    }
    let cancel = signals::watch()?;
    prepare_gdal()?;
    let progress = Progress::new(quiet);
    let mut report = |share: f64, stage: &str| {
        // Nothing is written before the end.
        signals::end_if_asked(|| progress.clear());
        progress.show(share, stage);
        true
    };
    let form = options.form;
    let target = (!output.is_empty()).then(|| output.to_string());
    let table = StatisticsJob { stack: options, run, output: target }.run(&mut report, cancel)?;
    drop(progress);
    match output {
        "" => print_with(|out| table.print(form, out))?,
        path => table.write(path, overwrite, form)?,
    }
    if !quiet {
        table.notes().iter().for_each(|line| note(line));
    }
    Ok(())
}
