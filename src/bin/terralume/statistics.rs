//! `terralume statistics`: numbers of files, bands and blocks as a table.

use crate::arguments::text;
use crate::output::{note, print};
use crate::progress::Progress;
use crate::{signals, stack};
use clap::ArgMatches;
use terralume::gdal::output::Target;
use terralume::job::stack::statistics::{Bins, StatisticsJob};
use terralume::{Error, Result};

/// Prints or writes the table.
pub fn statistics(matches: &ArgMatches) -> Result<()> {
    let (mut options, run) = stack::options(matches)?;
    let files: Vec<&String> = matches.get_many("FILES").into_iter().flatten().collect();
    stack::add_files(&mut options, &files)?;
    let block = match text(matches, "block") {
        "" => None,
        side => {
            let wrong =
                || Error::Argument(format!("block = '{side}'; allowed: a whole number of at least 1"));
            Some(side.parse().ok().filter(|side: &usize| *side >= 1).ok_or_else(wrong)?)
        }
    };
    let histogram = match text(matches, "histogram") {
        "" => None,
        bins => Some(Bins::parse(bins)?),
    };
    let quiet = matches.get_flag("quiet");
    let target = match text(matches, "output") {
        "" => None,
        path => Some(Target::new(path, run.overwrite, &[])?),
    };
    let cancel = signals::watch()?;
    stack::prepare_gdal()?;
    let progress = Progress::new(quiet);
    let mut report = |share: f64, stage: &str| {
        progress.show(share, stage);
        true
    };
    let table = StatisticsJob { stack: options, run, block, histogram }.run(&mut report, cancel)?;
    drop(progress);
    let content =
        if text(matches, "as") == "json" { format!("{:#}\n", table.json()) } else { table.csv()? };
    match target {
        None => print(content.as_bytes())?,
        Some(target) => {
            let pending = target.pending()?;
            std::fs::write(pending.name()?, content).map_err(|error| {
                Error::Output(format!("cannot write '{}': {error}", target.path().display()))
            })?;
            target.accept(pending)?;
        }
    }
    if !quiet {
        table.bad.iter().for_each(|file| note(&format!("could not be read in part or at all: {file}")));
    }
    Ok(())
}
