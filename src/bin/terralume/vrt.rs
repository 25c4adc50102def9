//! `terralume vrt`: a picture as a VRT file.

use crate::arguments::text;
use crate::output::note;
use crate::progress::Progress;
use crate::recipes;
use crate::run::options;
use crate::signals;
use clap::ArgMatches;
use terralume::gdal::source::Input;
use terralume::gdal::Gdal;
use terralume::job::named_file::named_recipe;
use terralume::job::vrt::Form;
use terralume::{Error, Job, Result};

/// Writes a VRT.
pub fn vrt(matches: &ArgMatches) -> Result<()> {
    let quiet = matches.get_flag("quiet");
    let recipe = recipes::changed(named_recipe(text(matches, "NAME"))?, matches)?;
    let form = matches.get_one::<String>("form").map(|name| Form::parse(name)).transpose()?;
    let (input, output) = (text(matches, "DEM"), text(matches, "OUT"));
    let job = Job::new(recipe, Input::Path(input.into()), output.into(), options(matches)?);
    let cancel = signals::watch()?;
    Gdal::get()?.catch_all_messages();
    let progress = Progress::new(quiet);
    let mut report = |share: f64, stage: &str| {
        progress.show(share, stage);
        true
    };
    let written = match form {
        Some(form) => job.write_vrt(form, &mut report, cancel).map(|()| form),
        // Masks and other rasters are no steps of a VRT.
        None => match job.write_vrt(Form::Layers, &mut report, cancel) {
            Err(Error::Unsupported(_)) => {
                job.write_vrt(Form::Picture, &mut report, cancel).map(|()| Form::Picture)
            }
            other => other.map(|()| Form::Layers),
        },
    };
    drop(progress);
    let form = written?.name();
    if !quiet {
        note(&format!("wrote {output} (form {form})"));
    }
    Ok(())
}
