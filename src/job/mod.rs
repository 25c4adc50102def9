//! One run from file to file: open, plan, run, close. What every front end calls.

use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::gdal::header::Header;
use crate::gdal::output::{check_room, Target};
use crate::gdal::sink::{Format, SinkOptions, FILE_BLOCK};
use crate::gdal::sinks::{AnySink, SinkSet};
use crate::gdal::source::{GdalSource, Input};
use crate::gdal::Gdal;
use crate::pipeline::io::{Layout, Sink, Source};
use crate::pipeline::plan::{for_threads, Plan, PlanOptions, SinkNeeds};
use crate::pipeline::profile::{Clock, Profile};
use crate::pipeline::run::{run, Monitor};
use crate::pipeline::survey;
use crate::recipe::chain::{Chain, ChainOptions};
use crate::recipe::Recipe;
use crate::VERSION;
use layer::JobLayer;
use serde_json::json;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use trace::Trace;

mod array;
mod describe;
mod layer;
pub mod named_file;
mod names;
pub mod options;
mod reference;
pub mod stack;
mod trace;
pub mod view;
pub mod virtual_name;
pub mod vrt;

pub use describe::describe;
pub use layer::LayerReport;
pub use names::file_name;
pub use options::JobOptions;
pub use reference::{gallery, reference};
pub use trace::Timing;
pub use view::View;

/// Share of the progress that computing takes; the rest is for closing, overviews and COGs.
pub(crate) const COMPUTING: f64 = 0.95;

/// What a run says of itself while it opens its inputs, as if no time went by.
const OPENING: &str = "opening";

/// Most memory taken without being told.
const MOST_MEMORY: usize = 1 << 30;

/// Least memory assumed when the machine does not say what it has.
const LEAST_MEMORY: usize = 256 << 20;

/// One run.
#[derive(Debug, Clone)]
pub struct Job {
    /// What to compute: at least one. The elevations are read once for all.
    pub pictures: Vec<Picture>,
    /// Elevations.
    pub input: Input,
    /// The rest.
    pub options: JobOptions,
}

/// One output of a run.
#[derive(Debug, Clone)]
pub struct Picture {
    /// What to compute.
    pub recipe: Recipe,
    /// File to write.
    pub output: String,
}

/// An opened input with everything decided, ready to run.
pub struct Prepared<'a> {
    job: &'a Job,
    source: GdalSource,
    /// Rasters that layers show.
    layers: Vec<JobLayer>,
    chain: Chain,
    plan: Plan,
    plan_options: PlanOptions,
}

impl Job {
    /// A run with one output.
    pub fn new(recipe: Recipe, input: Input, output: String, options: JobOptions) -> Self {
        Self { pictures: vec![Picture { recipe, output }], input, options }
    }

    /// Runs to the end. `report` is called on this thread, with a share that never falls and a stage; false
    /// cancels. So does `cancel`, from anywhere.
    pub fn run(&self, report: &mut dyn FnMut(f64, &str) -> bool, cancel: &AtomicBool) -> Result<()> {
        self.prepare_watched(report, cancel)?.run(report, cancel).map(drop)
    }

    /// How the run would be divided, without running it.
    pub fn plan(&self) -> Result<Plan> {
        Ok(self.prepare()?.plan)
    }

    /// Opens the input, checks everything but the output and decides how the run is divided.
    pub fn prepare(&self) -> Result<Prepared<'_>> {
        self.prepare_watched(&mut |_, _| true, &AtomicBool::new(false))
    }

    /// The same, which may take a while where layers show stacks of many files: reports, and can be stopped.
    pub fn prepare_watched(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Prepared<'_>> {
        let mut opening = |_| report(0.0, OPENING);
        let mut monitor = Monitor { report: &mut opening, cancel };
        let options = &self.options;
        let mut source = GdalSource::open(&self.input, options.band.unwrap_or(1), options.nodata)?;
        let recipes: Vec<_> = self.pictures.iter().map(|picture| picture.recipe.clone()).collect();
        let mut chain = Chain::several(&recipes, source.grid(), self.chain_options())?;
        if !options.findings.is_empty() {
            chain.take_findings(&options.findings)?;
        }
        if chain.needs_heights() {
            source.keep_heights();
        }
        if matches!(self.input, Input::Grid(_)) && chain.needs_elevations() {
            return Err(Error::Argument("layers show relief; allowed: a raster of elevations".into()));
        }
        let layout = source.layout();
        chain
            .check_raster(layout.rows, layout.cols)
            .map_err(|error| Error::Unsupported(format!("'{}': {error}", source.name())))?;
        let layers = self.open_layers(&chain, &source, &mut monitor)?;
        let part = self.part(&source)?;
        let plan_options = PlanOptions {
            threads: options.threads.unwrap_or_else(processors),
            memory: options.memory(source.gdal()),
            tile_size: options.tile_size,
            reader: source.raw_block_bytes(),
            sink: SinkNeeds::default(),
        };
        let blocks = blocks_of(part.rows, part.cols);
        let sink = |threads| self.sink_needs(source.gdal(), &chain, blocks, threads);
        let plan = self.divide(&chain, (&source, &layers), blocks, plan_options, &sink)?;
        let plan = plan.at((part.row, part.col));
        Ok(Prepared { job: self, source, layers, chain, plan, plan_options })
    }

    /// The cells of the raster that are written.
    fn part(&self, source: &GdalSource) -> Result<Window> {
        let Layout { rows, cols, .. } = source.layout();
        let Some(extent) = self.options.extent else { return Ok(Window { row: 0, col: 0, rows, cols }) };
        // A raster without a position has its columns to the right and its rows downwards, as QGIS shows it.
        let transform = source.dataset().geotransform().unwrap_or([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]);
        extent.window(&transform, (rows, cols)).ok_or_else(|| {
            let [left, width, _, top, _, height] = transform;
            let (right, bottom) = (left + cols as f64 * width, top + rows as f64 * height);
            let (low, high) = (top.min(bottom), top.max(bottom));
            Error::Argument(format!(
                "extent does not touch '{}'; allowed: within {left},{low},{right},{high}",
                source.name()
            ))
        })
    }

    /// Where the outputs go: each file once, and none that is read.
    fn targets(&self, inputs: &[String]) -> Result<Vec<Target>> {
        for (index, picture) in self.pictures.iter().enumerate() {
            let output = &picture.output;
            if self.pictures[..index].iter().any(|other| other.output == *output) {
                return Err(Error::Argument(format!("'{output}' would be written twice; allowed: once")));
            }
        }
        let target = |Picture { output, .. }: &Picture| {
            self.options.format_of(output).target(output, self.options.overwrite, inputs)
        };
        self.pictures.iter().map(target).collect()
    }

    /// A plan; threads the user has not asked for go when the memory is too small for them.
    fn divide(
        &self,
        chain: &Chain,
        (source, layers): (&GdalSource, &[JobLayer]),
        blocks: Layout,
        options: PlanOptions,
        sink: &dyn Fn(usize) -> SinkNeeds,
    ) -> Result<Plan> {
        let layers = JobLayer::needs(layers);
        for_threads(options.threads, self.options.threads.is_some(), |threads| {
            let options = PlanOptions { threads, sink: sink(threads), ..options };
            Plan::with_layers(chain, source.layout(), &layers, blocks, options)
        })
    }

    /// What the files of all pictures take that so many threads write.
    fn sink_needs(&self, gdal: &Gdal, chain: &Chain, blocks: Layout, threads: usize) -> SinkNeeds {
        let needs = self.pictures.iter().zip(chain.parts()).map(|(picture, bands)| {
            let files = self.options.sink_options(gdal, self.options.format_of(&picture.output), threads);
            files.needs(gdal, (blocks.rows, blocks.cols), bands.len(), chain.cell_type().bytes())
        });
        needs.fold(SinkNeeds::default(), SinkNeeds::and)
    }

    fn chain_options(&self) -> ChainOptions {
        ChainOptions {
            cell_type: self.options.cell_type,
            compatibility: self.options.compatibility,
            stretch: self.options.stretch,
            alpha: self.options.alpha,
        }
    }

    /// What the file of a picture says, whose bands are `bands` of the chain's and whose cells are `part` of the raster.
    fn header(&self, recipe: &Recipe, bands: Range<usize>, chain: &Chain, part: Window) -> Header {
        let mut metadata = vec![
            ("TIFFTAG_SOFTWARE", format!("terralume {VERSION}")),
            ("TERRALUME_VERSION", VERSION.to_string()),
            ("TERRALUME_RECIPE", recipe.to_json().to_string()),
            ("TERRALUME_COMPATIBILITY", options::compatibility_name(self.options.compatibility).to_string()),
        ];
        if !chain.found().is_empty() {
            let found =
                chain.found().iter().map(|(layer, min, max)| json!({"layer": layer, "min": min, "max": max}));
            metadata.push(("TERRALUME_STRETCHES", found.collect::<serde_json::Value>().to_string()));
        }
        Header {
            size: (part.rows, part.cols),
            origin: (part.row, part.col),
            bands: chain.bands()[bands].to_vec(),
            cell_type: chain.cell_type().into(),
            transform: None,
            nodata: chain.nodata(),
            metadata: metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect(),
            scales: Vec::new(),
            statistics: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Prepared<'_> {
    /// How the run is divided.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What is done with a tile, a line for every step.
    pub fn steps(&self) -> String {
        self.chain.describe_steps()
    }

    /// All files that are read.
    fn inputs(&self) -> Vec<String> {
        let mut inputs = self.source.dataset().files();
        inputs.extend(self.layers.iter().flat_map(JobLayer::files).cloned());
        inputs
    }

    /// Looks for what depends on the whole raster.
    fn settle(
        &mut self,
        report: &mut dyn FnMut(f64) -> bool,
        cancel: &AtomicBool,
        profile: Option<&Profile>,
    ) -> Result<()> {
        if self.chain.is_settled() {
            return Ok(());
        }
        // It is the same for each part of the raster.
        let Layout { rows, cols, .. } = self.source.layout();
        let inputs = (&self.source, &self.layers[..]);
        // Nothing is written.
        let sink = |_| SinkNeeds::default();
        let whole = self.job.divide(&self.chain, inputs, blocks_of(rows, cols), self.plan_options, &sink)?;
        set_caches(&whole, &self.source, &self.layers);
        let mut sources: Vec<&dyn Source> = vec![&self.source];
        sources.extend(self.layers.iter().map(|layer| layer as &dyn Source));
        survey::settle(&mut self.chain, &whole, &sources, &mut Monitor { report, cancel }, profile)
    }

    /// All pictures together must have room where the first one goes.
    fn check_room(&self) -> Result<()> {
        let Plan { size: (rows, cols), bands, .. } = self.plan;
        let bytes = (rows as u64).saturating_mul((cols * bands * self.chain.cell_type().bytes()) as u64);
        let (options, first) = (&self.job.options, self.job.pictures.first());
        let room = |Picture { output, .. }: &Picture| {
            check_room(output, bytes, options.format_of(output), &options.creation)
        };
        first.map_or(Ok(()), room)
    }

    /// Runs to the end, as [`Job::run`] does.
    pub fn run(
        mut self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<LayerReport> {
        let inputs = self.inputs();
        let targets = self.job.targets(&inputs)?;
        let trace = Trace::begin(
            &self.job.options,
            &inputs,
            self.job.pictures.iter().map(|picture| &picture.output),
        )?;
        let profile = trace.as_ref().map(|trace| &trace.profile);
        self.check_room()?;
        // Every pass over the raster takes about as long.
        let share = COMPUTING / (self.chain.rounds() + 1) as f64;
        let surveying = share * self.chain.rounds() as f64;
        self.settle(&mut |done| report(surveying * done, "surveying"), cancel, profile)?;
        // What surveys did to cells is done once more.
        JobLayer::take_report(&self.layers);
        let mut sinks = self.create(targets)?;
        let mut computing = |done: f64| report(surveying + done * share, "computing");
        let mut monitor = Monitor { report: &mut computing, cancel };
        let extent = self.compute(&mut sinks, &mut monitor, profile)?;
        let mut clock = Clock::new(profile, self.plan.threads);
        let done = JobLayer::take_report(&self.layers);
        // Decoded blocks go: the last part of a COG takes as much again.
        drop(self);
        let finished = sinks.finish(&mut |share| {
            !cancel.load(Ordering::Relaxed) && report(COMPUTING + share * (1.0 - COMPUTING), "finishing")
        })?;
        finished.accept()?;
        clock.mark("finish");
        // Too late to cancel: the file is in its place.
        report(1.0, "done");
        let timing = trace.map(|trace| trace.finish(extent)).transpose()?;
        Ok(LayerReport { timing, ..done })
    }

    /// Files for all pictures, and the plan for them: creation options may have given them other blocks than those assumed.
    fn create(&mut self, targets: Vec<Target>) -> Result<SinkSet> {
        let Self { job, source, layers, chain, plan, plan_options } = self;
        let ((row, col), (rows, cols)) = (plan.origin, plan.size);
        let written = Window { row, col, rows, cols };
        let mut sinks = SinkSet::default();
        for ((picture, target), part) in job.pictures.iter().zip(targets).zip(chain.parts()) {
            let header = job.header(&picture.recipe, part.clone(), chain, written);
            let format = job.options.format_of(&picture.output);
            let options = job.options.sink_options(source.gdal(), format, plan.threads);
            let sink = AnySink::create(source.gdal(), target, header, options, &source.dataset())?;
            sinks.add(sink, part.clone())?;
        }
        let blocks = sinks.layout();
        let sink = |threads| job.sink_needs(source.gdal(), chain, blocks, threads);
        *plan = job.divide(chain, (source, layers), blocks, *plan_options, &sink)?.at((row, col));
        Ok(sinks)
    }

    /// Computes and writes all tiles.
    fn compute(
        &self,
        sinks: &mut SinkSet,
        monitor: &mut Monitor<'_>,
        profile: Option<&Profile>,
    ) -> Result<trace::Extent> {
        let Self { job, source, layers, chain, plan, .. } = self;
        let mut sources: Vec<&dyn Source> = vec![source];
        sources.extend(layers.iter().map(|layer| layer as &dyn Source));
        set_caches(plan, source, layers);
        let outcome = run(chain, plan, &sources, sinks, monitor, profile)?;
        if !outcome.any_data {
            let (name, band) = (source.name(), job.options.band.unwrap_or(1));
            return Err(Error::Input(format!(
                "'{name}', band {band}: every cell is nodata; allowed: a raster with at least one valid cell"
            )));
        }
        Ok(trace::Extent {
            cells: plan.size.0 * plan.size.1,
            tiles: plan.tiles(),
            read: sources.iter().map(|source| bytes_of(source.layout())).sum(),
            decoded: plan.overlap(),
        })
    }
}

/// Blocks that an output of this size will have.
fn blocks_of(rows: usize, cols: usize) -> Layout {
    Layout { rows, cols, block_rows: FILE_BLOCK.min(rows), block_cols: FILE_BLOCK.min(cols) }
}

/// Bytes of a raster as kernels see it.
fn bytes_of(layout: Layout) -> u64 {
    (layout.rows as u64).saturating_mul((layout.cols * size_of::<f32>()) as u64)
}

/// Gives decoded blocks the memory that the plan has for them.
fn set_caches(plan: &Plan, source: &GdalSource, layers: &[JobLayer]) {
    source.set_cache(plan.cache);
    layers.iter().for_each(|layer| layer.set_cache(plan.layer_cache(layer.layout())));
}

/// Processors this process may use.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

impl JobOptions {
    /// Bytes the run may take.
    fn memory(&self, gdal: &Gdal) -> usize {
        self.memory.unwrap_or_else(|| default_memory(gdal))
    }

    /// How files are written, when so many threads compress.
    fn sink_options(&self, gdal: &Gdal, format: Format, threads: usize) -> SinkOptions {
        SinkOptions {
            format,
            creation: self.creation.clone(),
            overviews: self.overviews,
            resampling: self.overview_resampling(),
            threads,
            memory: self.memory(gdal),
        }
    }
}

pub(crate) fn default_memory(gdal: &Gdal) -> usize {
    (gdal.usable_memory() / 4).clamp(LEAST_MEMORY, MOST_MEMORY)
}
