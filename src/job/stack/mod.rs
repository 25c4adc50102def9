//! Stacks: many rasters on one grid, by band and by time. One run from files to a file: open, plan, run, close.

pub mod array;
mod beside;
mod bins;
mod carried;
mod coding;
mod date_table;
pub mod dates;
pub mod describe;
mod inputs;
pub mod layer;
mod layers;
pub mod list;
pub mod map;
mod open;
pub mod options;
mod program;
mod reduction;
pub mod sensors;
pub mod statistics;

use crate::core::error::{Error, Result};
use crate::core::operation::Band;
use crate::gdal::file_size::FileShape;
use crate::gdal::header::Header;
use crate::gdal::output::{check_room, Target};
use crate::gdal::raster::RasterGrid;
use crate::gdal::sink::{Format, FILE_BLOCK};
use crate::gdal::sinks::{AnySink, FinishedSet, SinkSet};
use crate::gdal::stack::GdalStack;
use crate::gdal::warper::Resampling;
use crate::gdal::Gdal;
use crate::job::options::JobOptions;
use crate::job::trace::{self, Trace};
use crate::job::{processors, COMPUTING, OPENING};
use crate::pipeline::io::Sink;
use crate::pipeline::plan::{for_threads, SinkNeeds};
use crate::pipeline::profile::{Clock, Profile};
use crate::pipeline::run::{apart, Monitor};
use crate::pipeline::stack::encode::Encoder;
use crate::pipeline::stack::io::StackSource;
use crate::pipeline::stack::plan::{StackPlan, StackPlanOptions};
use crate::pipeline::stack::program::{Layer, StackProgram};
use crate::pipeline::stack::run::{input_bytes, run, Report};
use crate::VERSION;
use carried::Carried;
use coding::Coding;
use layers::Image;
use options::{Scatter, StackOptions};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

pub use bins::{Bins, Counts};
pub use inputs::InputSpec;

/// What is done with a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackCommand {
    /// A formula over named bands.
    Calc,
    /// Values scaled, limited, and stored in another type.
    Rescale,
    /// Cells left out.
    Mask,
    /// Statistics over time.
    Reduce,
}

impl StackCommand {
    /// All, by name.
    pub const ALL: [(&'static str, StackCommand); 4] = [
        ("calc", StackCommand::Calc),
        ("rescale", StackCommand::Rescale),
        ("mask", StackCommand::Mask),
        ("reduce", StackCommand::Reduce),
    ];
}

/// One run over a stack.
#[derive(Debug, Clone)]
pub struct StackJob {
    /// What to do.
    pub command: StackCommand,
    /// With what, and how.
    pub stack: StackOptions,
    /// Threads, memory, format and so on; type and nodata stand in `stack`.
    pub run: JobOptions,
    /// File to write, or a folder for several.
    pub output: String,
}

/// A line of the list of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// Its files.
    pub files: Vec<String>,
    /// When it was taken, and how that is known.
    pub time: Option<(String, &'static str)>,
    /// Its group in a reduction.
    pub group: Option<String>,
}

/// Everything opened and decided, ready to run.
pub struct PreparedStack<'a> {
    job: &'a StackJob,
    gdal: &'static Gdal,
    grid: RasterGrid,
    grid_name: String,
    files: Vec<String>,
    source: GdalStack,
    program: StackProgram,
    bands: Vec<Band>,
    plan: StackPlan,
    images: Vec<Image>,
    listed: Vec<ListedImage>,
    /// Of each output.
    codings: Vec<Coding>,
    /// Files that could not be opened.
    bad: Vec<String>,
    /// Files that were left out because they lie beside the grid.
    beside: Vec<String>,
}

/// What a finished run knows.
#[derive(Debug, Clone, PartialEq)]
pub struct StackOutcome {
    /// What was done to cells.
    pub report: Report,
    /// Files that could not be read, wholly or in part.
    pub bad: Vec<String>,
    /// Files that were left out because they lie beside the grid.
    pub beside: Vec<String>,
    /// Files that were written.
    pub outputs: Vec<String>,
    /// What it took, if a profile was asked for.
    pub timing: Option<trace::Timing>,
}

impl StackJob {
    /// Runs to the end, as [`crate::Job::run`] does.
    pub fn run(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<StackOutcome> {
        self.prepare_watched(report, cancel)?.run(report, cancel)
    }

    /// Opens all inputs, checks everything but the output and decides how the run is divided.
    pub fn prepare(&self) -> Result<PreparedStack<'_>> {
        self.prepare_watched(&mut |_, _| true, &AtomicBool::new(false))
    }

    /// The same, which may take a while where inputs are many: reports, and can be stopped.
    pub fn prepare_watched(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<PreparedStack<'_>> {
        let mut report = |_| report(0.0, OPENING);
        program::prepare(self, &mut Monitor { report: &mut report, cancel })
    }

    /// Images with their dates and groups, whether or not they lie on one grid.
    pub fn list_watched(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Vec<ListedImage>> {
        let mut report = |_| report(0.0, OPENING);
        program::list_images(self, &mut Monitor { report: &mut report, cancel })
    }

    /// Format of the files that are written.
    fn format(&self) -> Format {
        match self.stack.scatter {
            None => self.run.format_of(&self.output),
            // The output is a folder, whatever it is called.
            Some(_) => self.run.format.unwrap_or_default(),
        }
    }

    fn threads(&self) -> usize {
        self.run.threads.unwrap_or_else(processors)
    }
}

impl PreparedStack<'_> {
    /// How the run is divided.
    pub fn plan(&self) -> &StackPlan {
        &self.plan
    }

    /// Images in the order in which they are read.
    pub fn list(&self) -> &[ListedImage] {
        &self.listed
    }

    /// Bytes of the cells that are read, and of the blocks and overviews that are written, uncompressed.
    pub fn bytes(&self) -> (u64, u64) {
        let input = input_bytes(&self.program, self.source.planes());
        let JobOptions { creation, overviews, .. } = &self.job.run;
        let shape = FileShape { format: self.job.format(), creation, overviews: *overviews };
        let written = shape.bytes(self.plan.size, self.bands.len() * self.program.cell_type.size());
        (input, written.saturating_mul(self.runs() as u64))
    }

    /// Names of the bands that are written.
    pub fn bands(&self) -> Vec<&str> {
        self.bands.iter().map(|band| band.name.as_str()).collect()
    }

    /// One file for each date means as many runs.
    fn runs(&self) -> usize {
        if self.program.reduce.is_some() {
            1
        } else {
            self.images.len()
        }
    }

    /// Bytes of the cells of one run.
    fn output_bytes(&self) -> u64 {
        let cells = self.plan.size.0 as u64 * self.plan.size.1 as u64;
        cells.saturating_mul((self.bands.len() * self.program.cell_type.size()) as u64)
    }

    /// Runs to the end.
    pub fn run(
        mut self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<StackOutcome> {
        // Runs take the layers out.
        let read = self.bytes().0;
        let layers = std::mem::take(&mut self.program.layers);
        let runs: Vec<Vec<Layer>> = if self.program.reduce.is_some() {
            vec![layers]
        } else {
            layers.into_iter().map(|layer| vec![layer]).collect()
        };
        let outputs = self.outputs(runs.len())?;
        let targets = self.targets(&outputs)?;
        let trace = Trace::begin(&self.job.run, &self.files, outputs.iter().flatten())?;
        let bytes = self.output_bytes().saturating_mul(self.runs() as u64);
        check_room(&self.job.output, bytes, self.job.format(), &self.job.run.creation)?;
        let (mut total, mut written, mut finished) = (Report::default(), Vec::new(), FinishedSet::default());
        let count = runs.len() as f64;
        for (index, (layers, targets)) in runs.into_iter().zip(targets).enumerate() {
            self.program.layers = layers;
            if let Some(coding) = self.codings.get(index) {
                coding.apply(&mut self.program);
            }
            let mut part = |share: f64, stage: &str| report((index as f64 + share) / count, stage);
            let profile = trace.as_ref().map(|trace| &trace.profile);
            if let Some((found, files)) = self.run_once((targets, index), &mut part, cancel, profile)? {
                total += found;
                written.extend(outputs[index].iter().cloned());
                finished.add(files);
            }
        }
        if written.is_empty() {
            return Err(self.nothing_read());
        }
        finished.accept()?;
        // Too late to cancel: all files are in their places.
        report(1.0, "done");
        let mut bad = self.bad.clone();
        bad.extend(self.source.bad_files());
        let plan = &self.plan;
        let cells = plan.size.0 * plan.size.1;
        let extent = trace::Extent { cells, tiles: plan.tiles(), read, decoded: plan.decoded };
        let timing = trace.map(|trace| trace.finish(extent)).transpose()?;
        Ok(StackOutcome { report: total, bad, beside: self.beside, outputs: written, timing })
    }

    /// Names of the files of each run: one, or one for each band.
    fn outputs(&self, runs: usize) -> Result<Vec<Vec<String>>> {
        let output = &self.job.output;
        match self.job.stack.scatter {
            None if runs > 1 => Err(Error::Argument(format!(
                "{runs} dates would be written to '{output}'; allowed: --by time and a folder, or terralume reduce"
            ))),
            None => Ok(vec![vec![output.clone()]]),
            Some(Scatter::Time) if self.program.reduce.is_some() => {
                Err(Error::Argument("--by time of a reduction over time; allowed: --by band".into()))
            }
            Some(scatter) => {
                if !std::path::Path::new(output).is_dir() {
                    let allowed = "allowed: a folder that is there";
                    return Err(Error::Argument(format!("'{output}' is no folder, which --by needs; {allowed}")));
                }
                let ending = self.job.format().ending();
                let file = |name: &str| format!("{}/{}.{ending}", output.trim_end_matches('/'), plain(name));
                let images = self.listed.iter().take(runs).map(|image| {
                    let first = image.files.first().map_or("result", String::as_str);
                    let stem = std::path::Path::new(first).file_stem().map_or("result".into(), |stem| stem.to_string_lossy());
                    match scatter {
                        Scatter::Time => vec![file(&stem)],
                        Scatter::Band if runs == 1 => self.bands.iter().map(|band| file(&band.name)).collect(),
                        Scatter::Band => self.bands.iter().map(|band| file(&format!("{stem}_{}", band.name))).collect(),
                    }
                });
                Ok(images.collect())
            }
        }
    }

    /// Each file is written once, and none that must stay is in the way: before any work begins.
    fn targets<'a>(&self, outputs: &'a [Vec<String>]) -> Result<Vec<Vec<Target>>> {
        let (mut names, run) = (HashSet::new(), &self.job.run);
        let mut target = |output: &'a String| {
            if names.insert(output) {
                return self.job.format().target(output, run.overwrite, &self.files);
            }
            Err(Error::Argument(format!(
                "'{output}' would be written twice; allowed: inputs and results whose names give files of their own"
            )))
        };
        outputs.iter().map(|outputs| outputs.iter().map(&mut target).collect()).collect()
    }

    /// Runs for one output; None, and nothing is written, where no block of its files can be read.
    fn run_once(
        &self,
        (targets, image): (Vec<Target>, usize),
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
        profile: Option<&Profile>,
    ) -> Result<Option<(Report, FinishedSet)>> {
        let carried = self.carried(image)?;
        let mut options = self.job.run.sink_options(self.gdal, self.job.format(), self.plan.threads);
        if carried.has_classes() && self.job.run.overview_resampling.is_none() {
            options.resampling = Resampling::Mode;
        }
        let place = apart(|| self.gdal.open_raster(&self.grid_name))?;
        let mut sinks = SinkSet::default();
        let parts = if targets.len() == 1 { self.bands.len() } else { 1 };
        for (index, target) in targets.into_iter().enumerate() {
            let part = index * parts..(index + 1) * parts;
            let header = self.header(part.clone(), &carried)?;
            sinks.add(AnySink::create(self.gdal, target, header, options.clone(), &place)?, part)?;
        }
        // Creation options may have given the file other blocks than those assumed.
        let layout = sinks.layout();
        let plan = self.job.divide(
            &self.program,
            &self.source,
            (layout.block_rows, layout.block_cols),
            self.gdal,
        )?;
        let mut computing = |done: f64| report(done * COMPUTING, "computing");
        let mut monitor = Monitor { report: &mut computing, cancel };
        let found = run(&self.program, &plan, &self.source, &mut sinks, &mut monitor, profile)?;
        if self.job.stack.skip_bad && !self.has_read() {
            return Ok(None);
        }
        let mut clock = Clock::new(profile, plan.threads);
        let finished = sinks.finish(&mut |share| {
            !cancel.load(Ordering::Relaxed) && report(COMPUTING + share * (1.0 - COMPUTING), "finishing")
        })?;
        clock.mark("finish");
        Ok(Some((found, finished)))
    }

    /// Whether something was read of what the output is made from.
    fn has_read(&self) -> bool {
        let mut planes = self.program.layers.iter().flat_map(|layer| &layer.planes).peekable();
        planes.peek().is_none() || planes.any(|plane| self.source.has_read(*plane))
    }

    fn nothing_read(&self) -> Error {
        let bad = self.source.bad_files().join("', '");
        Error::Input(format!("nothing of '{bad}' can be read; allowed: at least one file that can"))
    }

    fn header(&self, part: Range<usize>, carried: &Carried) -> Result<Header> {
        let metadata = [
            ("TIFFTAG_SOFTWARE", format!("terralume {VERSION}")),
            ("TERRALUME_VERSION", VERSION.to_string()),
            ("TERRALUME_EXPRESSION", self.job.stack.expression.clone().unwrap_or_default()),
            ("TERRALUME_MASKS", self.job.stack.masks.join("; ")),
        ];
        let metadata = metadata.into_iter().filter(|(_, value)| !value.is_empty());
        let mut bands = self.bands[part.clone()].to_vec();
        for (band, role) in bands.iter_mut().zip(carried.roles.iter().skip(part.start)) {
            band.role = *role;
        }
        Ok(Header {
            size: self.grid.size,
            bands,
            cell_type: self.program.cell_type,
            nodata: Encoder::of(&self.program)?.nodata(),
            metadata: metadata
                .map(|(key, value)| (key.to_string(), value))
                .chain(carried.metadata.iter().cloned())
                .collect(),
            transform: self.grid.transform,
            origin: (0, 0),
            scales: carried.scales.get(part.clone()).map(<[_]>::to_vec).unwrap_or_default(),
            statistics: Vec::new(),
            notes: carried.notes.get(part).map(<[_]>::to_vec).unwrap_or_default(),
        })
    }
}

impl StackJob {
    /// A plan; threads the user has not asked for go when the memory is too small for them.
    fn divide(
        &self,
        program: &StackProgram,
        source: &GdalStack,
        block: (usize, usize),
        gdal: &Gdal,
    ) -> Result<StackPlan> {
        let options = self.plan_options(source, gdal);
        let size = source.planes().first().map_or((0, 0), |plane| (plane.layout.rows, plane.layout.cols));
        // A file takes all bands, or one.
        let bands = if self.stack.scatter == Some(Scatter::Band) { 1 } else { program.bands() };
        for_threads(options.threads, self.run.threads.is_some(), |threads| {
            let files = self.run.sink_options(gdal, self.format(), threads);
            let sink = files.needs(gdal, size, bands, program.cell_type.size());
            StackPlan::new(program, source.planes(), block, StackPlanOptions { threads, sink, ..options })
        })
    }

    fn plan_options(&self, source: &GdalStack, gdal: &Gdal) -> StackPlanOptions {
        StackPlanOptions {
            threads: self.threads(),
            memory: self.run.memory(gdal),
            tile_size: self.run.tile_size,
            reader: source.reader_bytes(),
            shared: source.handle_bytes(),
            sink: SinkNeeds::default(),
            decodes: true,
        }
    }

    /// Blocks that a file will have unless creation options say otherwise.
    fn usual_block() -> (usize, usize) {
        (FILE_BLOCK, FILE_BLOCK)
    }
}

/// A name without what file names should not have.
fn plain(name: &str) -> String {
    name.chars().map(|character| if r#"/\:"<>|?*"#.contains(character) { '_' } else { character }).collect()
}
