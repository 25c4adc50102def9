//! Pictures as VRT files, for GDAL to compute when they are read.

mod compose;

use super::options::cell_type_name;
use super::options::compatibility_name;
use super::virtual_name::{name, words};
use super::{Job, Prepared, View};
use crate::core::error::{unknown_name, Error, Result};
use crate::core::tile::Window;
use crate::gdal::header::Header;
use crate::gdal::output::Target;
use crate::gdal::parts::{Ours, PartsFolder};
use crate::gdal::places::Placing;
use crate::gdal::source::Input;
use crate::gdal::vrt::{derived_vrt, processed_vrt, BandContent, ProcessedContent, Source};
use crate::pipeline::io::Source as _;
use compose::{Composer, Leaves};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// How a VRT gets its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Operations from `/vsiterralume/`; stretches, blends and colours as pixel functions, each a small VRT that can be
    /// edited. Needs the plugin.
    Layers,
    /// The whole picture from `/vsiterralume/`. Needs the plugin.
    Picture,
    /// As layers, but slope and hillshade are pixel functions of the elevations, shifted by a cell. Needs the plugin, and
    /// no file but the elevations.
    Shifted,
    /// One step of a processed dataset. Needs the plugin, and GDAL 3.9 or newer.
    Processed,
}

impl Form {
    /// All of them, by name, with what they are.
    pub const ALL: [(&'static str, Form, &'static str); 4] = [
        ("layers", Form::Layers, "operations from /vsiterralume/, then pixel functions that can be edited"),
        ("picture", Form::Picture, "the whole picture from /vsiterralume/"),
        ("shifted", Form::Shifted, "slope and hillshade as pixel functions of the elevations themselves"),
        ("processed", Form::Processed, "a processed dataset, for GDAL 3.9 or newer"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, form, _)| *form == self).map_or("", |(name, ..)| name)
    }

    /// By its name.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, ..)| *known == name);
        found
            .map(|(_, form, _)| *form)
            .ok_or_else(|| unknown_name("form of a VRT", name, Self::ALL.iter().map(|(known, ..)| *known)))
    }
}

/// What the folder of steps is called beside the VRT.
const PARTS: &str = "layers";

/// What may be replaced in it.
const OURS: Ours =
    Ours { has: |name| name.ends_with(".vrt") || name.ends_with(".json"), what: ".vrt and .json files" };

/// The raster that a VRT shows.
struct Subject<'a> {
    job: &'a Job,
    prepared: Prepared<'a>,
    /// The elevations as VRT files name them.
    elevations: String,
    header: Header,
}

impl Job {
    /// Writes a VRT of the job's only picture, with small files in a folder beside it where it needs them:
    /// `NAME.layers` beside `NAME.vrt`. Percentiles are looked for now, so that the VRT need not.
    ///
    /// # Errors
    /// As [`Job::run`]; also when the recipe cannot be shown in this form, or takes too much for a view.
    pub fn write_vrt(
        &self,
        form: Form,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<()> {
        let [picture] = &self.pictures[..] else {
            return Err(Error::Argument(format!("{} pictures in one VRT; allowed: 1", self.pictures.len())));
        };
        let Input::Path(path) = &self.input else {
            return Err(Error::Argument("a VRT of an open dataset; allowed: of a file".into()));
        };
        if self.options.extent.is_some() {
            return Err(Error::Argument(
                "a VRT of a part of the raster; allowed: of the whole, without extent".into(),
            ));
        }
        let view = View::open(&picture.recipe, &self.input, &self.options, false)?;
        let mut prepared = self.prepare()?;
        let target = Target::new(&picture.output, self.options.overwrite, &prepared.inputs())?;
        let folder = PartsFolder::new((target.path(), PARTS), OURS, self.options.overwrite)?;
        if matches!(form, Form::Layers | Form::Shifted) {
            prepared.settle(&mut |share| report(0.8 * share, "surveying"), cancel, None)?;
        }
        if !report(0.8, "describing") {
            return Err(Error::Cancelled);
        }
        let (recipe, bands) = (&picture.recipe, 0..prepared.chain.bands().len());
        let (rows, cols) = prepared.plan.raster;
        let mut header = self.header(recipe, bands, &prepared.chain, Window { row: 0, col: 0, rows, cols });
        header.statistics = view.statistics()?.unwrap_or_default();
        let subject = Subject { job: self, prepared, elevations: full_name(path)?, header };
        let xml = match form {
            Form::Layers => subject.layers(&folder, Leaves::Virtual)?,
            Form::Shifted => subject.layers(&folder, Leaves::Shifted)?,
            Form::Picture => subject.picture(&folder)?,
            Form::Processed => subject.processed(target.path())?,
        };
        let pending = target.pending()?;
        std::fs::write(pending.name()?, xml)
            .map_err(|error| Error::Output(format!("cannot write '{}': {error}", target.path().display())))?;
        let mut placing = Placing::default();
        folder.place(&mut placing)?;
        target.place(pending, &mut placing)?;
        placing.keep();
        report(1.0, "done");
        Ok(())
    }
}

impl Subject<'_> {
    /// The recipe's steps as pixel functions.
    fn layers(&self, folder: &PartsFolder, leaves: Leaves) -> Result<String> {
        let outputs = self.prepared.chain.expressions()?;
        let mut composer = Composer::new(self, folder, leaves)?;
        let contents = composer.outputs(&outputs)?;
        self.derived(&contents)
    }

    /// The whole picture as one file.
    fn picture(&self, folder: &PartsFolder) -> Result<String> {
        let recipe = &self.job.pictures[0].recipe;
        let recipe = match words(recipe) {
            Some(words) => words,
            None => folder.write("recipe.json", &format!("{:#}\n", recipe.to_json()))?,
        };
        let file = name(&recipe, &self.job.options, &self.elevations);
        let copy = |band| BandContent::Copy(Source::new(file.clone(), false, band + 1));
        self.derived(&(0..self.header.bands.len()).map(copy).collect::<Vec<_>>())
    }

    fn derived(&self, contents: &[BandContent]) -> Result<String> {
        let source = &self.prepared.source;
        derived_vrt(source.gdal(), (&self.header, &source.dataset()), contents)
    }

    /// A processed dataset, whose elevations are named from its folder.
    fn processed(&self, target: &Path) -> Result<String> {
        let options = &self.job.options;
        let (file, is_relative) = match Path::new(&self.elevations).exists() {
            true => (relative(&self.elevations, target)?, true),
            false => (self.elevations.clone(), false),
        };
        let recipe = &self.job.pictures[0].recipe;
        let mut arguments = vec![
            ("recipe".to_string(), words(recipe).unwrap_or_else(|| recipe.to_json().to_string())),
            ("elevations".to_string(), file.clone()),
            ("type".to_string(), cell_type_name(options.cell_type).to_string()),
            ("compat".to_string(), compatibility_name(options.compatibility).to_string()),
        ];
        let mut more = |name: &str, value: Option<String>| {
            arguments.extend(value.map(|value| (name.to_string(), value)));
        };
        more("stretch", options.stretch.map(|cut| cut.to_string()));
        more("alpha", options.alpha.then(|| "true".to_string()));
        more("nodata", options.nodata.map(|nodata| nodata.to_string()));
        more("band", options.band.map(|band| band.to_string()));
        let source = Source::new(file, is_relative, 1);
        let content = ProcessedContent { source, function: "terralume", arguments };
        let source = &self.prepared.source;
        processed_vrt(source.gdal(), (&self.header, &source.dataset()), &content)
    }

    fn size(&self) -> (usize, usize) {
        let layout = self.prepared.source.layout();
        (layout.rows, layout.cols)
    }
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::Output(format!("cannot write '{}': {error}", path.display()))
}

/// A file's name from the root; other things GDAL opens as they are.
fn full_name(path: &str) -> Result<String> {
    if !Path::new(path).exists() {
        return Ok(path.into());
    }
    let full = std::path::absolute(path).map_err(|error| Error::Input(format!("'{path}': {error}")))?;
    full.to_str().map(str::to_string).ok_or_else(|| Error::Input(format!("'{path}' is not UTF-8")))
}

/// The way from the folder of `target` to a file.
fn relative(file: &str, target: &Path) -> Result<String> {
    let full = std::path::absolute(target).map_err(|error| cannot_write(target, error))?;
    let folder = full.parent().unwrap_or(&full);
    let way = pathdiff::diff_paths(file, folder).unwrap_or_else(|| file.into());
    Ok(way.display().to_string())
}
