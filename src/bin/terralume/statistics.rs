//! `terralume statistics`: numbers of files, bands and blocks as a table.

use crate::arguments::text;
use crate::gdal::prepare_gdal;
use crate::output::{note, print_with};
use crate::progress::Progress;
use crate::{signals, stack};
use clap::ArgMatches;
use terralume::gdal::output::Target;
use terralume::job::stack::statistics::StatisticsJob;
use terralume::Result;

/// Prints or writes the table.
pub fn statistics(matches: &ArgMatches) -> Result<()> {
    let (mut options, run) = stack::options(matches)?;
    let files: Vec<&String> = matches.get_many("FILES").into_iter().flatten().collect();
    stack::add_files(&mut options, &files)?;
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
