//! Numbers that describe files, their bands and blocks of them, as a table.

mod look;
mod table;

use super::beside;
use super::bins::Counts;
use super::inputs::{self, Input, Scene};
use super::layers::{images, Image};
use super::open::Wanted;
use super::options::StackOptions;
use super::program::{layer, list, uses, Uses};
use super::{ListedImage, StackCommand, StackJob};
use crate::core::error::{Error, Result};
use crate::gdal::output::Target;
use crate::gdal::raster::RasterGrid;
use crate::gdal::Gdal;
use crate::job::options::JobOptions;
use crate::job::OPENING;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::program::{Layer, StackProgram};
use crate::pipeline::stack::statistics::{Found, Part};
use crate::stack::cells::{CellType, NodataValue};
use crate::stack::mask::Outside;
use crate::stack::reduce::{Ranking, Statistic};
use crate::stack::statistics::{Edges, Histogram};
use look::Looking;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;

pub use look::GridPlan;
pub use table::{StatisticsRow, StatisticsTable};

/// What is printed when nothing is asked for.
const USUAL: &str = "count,mean,std,min,max";

/// Bins of percentiles where values have no bins of their own.
const BINS: usize = 1 << 16;

/// A run that describes rasters.
#[derive(Debug, Clone)]
pub struct StatisticsJob {
    /// Rasters and what is done to them first.
    pub stack: StackOptions,
    /// Threads and memory.
    pub run: JobOptions,
    /// File that the table will be written to, which must be none of those that are read.
    pub output: Option<String>,
}

/// Images of one grid, which go through one run.
struct Group {
    grid: RasterGrid,
    name: String,
    images: Vec<usize>,
}

/// All inputs, opened.
struct Opened {
    gdal: &'static Gdal,
    job: StackJob,
    statistics: Vec<Statistic>,
    inputs: Vec<Input>,
    /// Files that could not be opened, or lie beside the grid.
    bad: Vec<String>,
    images: Vec<Image>,
    /// Which inputs are masks only.
    masks: Vec<bool>,
    groups: Vec<Group>,
}

/// What is kept of one band of a part.
struct Line {
    values: Vec<Option<f64>>,
    histogram: Option<Counts>,
    /// Smallest and largest value.
    ends: Option<(f64, f64)>,
}

/// What is kept of the bands of each part.
type Lines = Vec<(Part, Vec<Line>)>;

impl Opened {
    /// How the images of a group are looked at, and the names of their bands. The table has `table` bytes already.
    fn group(
        &self,
        group: &Group,
        table: usize,
        monitor: &mut Monitor<'_>,
    ) -> Result<(Looking<'_>, Vec<String>)> {
        let Self { gdal, job, inputs, images, .. } = self;
        let options = &job.stack;
        let uses = uses(job.command, options, inputs)?;
        let mut wanted = Wanted::new(gdal, options, (&group.grid, &group.name));
        let layers = group.images.iter().map(|index| {
            monitor.go_on(0.0)?;
            layer(&mut wanted, inputs, &images[*index], &uses, options)
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let source = {
            // Only the run itself counts as progress.
            let mut opening = |_| (monitor.report)(0.0);
            let mut opening = Monitor { report: &mut opening, cancel: monitor.cancel };
            wanted.open(job.threads(), job.run.memory(gdal), &mut opening)?
        };
        let names = match &uses.formula {
            Some(formula) => formula.results().to_vec(),
            None => uses.values.iter().map(|band| band.name.clone()).collect(),
        };
        let program = program_of(uses, layers, options);
        Ok((Looking::new((job, gdal), program, source, table), names))
    }

    /// Images of a group with their files and dates.
    fn listed(&self, group: &Group) -> Vec<ListedImage> {
        let images: Vec<Image> = group.images.iter().map(|index| self.images[*index].clone()).collect();
        list(&self.inputs, &images, None)
    }

    /// Lines of a group whose images have bands of these names.
    fn rows(&self, group: &Group, names: &[String], found: Lines, blocks: bool) -> Vec<StatisticsRow> {
        let rows = found.into_iter().flat_map(|(part, bands)| {
            let image = &self.images[group.images[part.layer]];
            let scene = first_scene(image, &self.inputs, &self.masks);
            let window = part.window;
            let block = blocks.then_some([part.block, window.row, window.col, window.rows, window.cols]);
            let row = |(band, line): (&String, Line)| StatisticsRow {
                file: scene.map_or(String::new(), |scene| scene.entry.path.clone()),
                time: image.time.map(|(time, _)| time.to_string()),
                band: band.clone(),
                block,
                values: line.values,
                histogram: line.histogram,
            };
            names.iter().zip(bands).map(row).collect::<Vec<_>>()
        });
        rows.collect()
    }
}

/// The scene that an image is named after, and whose grid it has: the first one with values.
fn first_scene<'a>(image: &Image, inputs: &'a [Input], masks: &[bool]) -> Option<&'a Scene> {
    let scenes = image.scenes.iter().zip(inputs).zip(masks).filter(|(_, is_mask)| !**is_mask);
    scenes.into_iter().find_map(|((scene, input), _)| scene.map(|scene| &input.scenes[scene]))
}

/// All files that are read: rasters, what they consist of, and the lists and tables that name them.
fn read_files(options: &StackOptions, inputs: &[Input], bad: &[String]) -> Vec<String> {
    let lists = options.inputs.iter().flat_map(|spec| std::iter::once(&spec.source).chain(&spec.more));
    let lists = lists.flat_map(|source| {
        let list = source.strip_prefix('@').unwrap_or(source);
        [list, list.rsplit_once('#').map_or(list, |(list, _)| list)]
    });
    let scenes = inputs.iter().flat_map(|input| &input.scenes);
    let rasters = scenes
        .flat_map(|scene| std::iter::once(&scene.entry.path).chain(&scene.facts.files))
        .map(String::as_str);
    let others = options.dates.iter().chain(&options.grid_of).chain(bad).map(String::as_str);
    let files: BTreeSet<&str> = lists.chain(rasters).chain(others).collect();
    files.into_iter().map(String::from).collect()
}

/// Smallest and largest value of each band of each image.
fn ends(found: &Lines) -> HashMap<(usize, usize), (f64, f64)> {
    let mut ends: HashMap<(usize, usize), (f64, f64)> = HashMap::new();
    for (part, bands) in found {
        for (index, band) in bands.iter().enumerate() {
            let Some((low, high)) = band.ends else { continue };
            let known = ends.entry((part.layer, index)).or_insert((low, high));
            *known = (known.0.min(low), known.1.max(high));
        }
    }
    ends
}

impl StatisticsJob {
    /// Runs to the end, as [`crate::Job::run`] does.
    pub fn run(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<StatisticsTable> {
        let opened = self.open(report, cancel)?;
        let files = read_files(&opened.job.stack, &opened.inputs, &opened.bad);
        if let Some(output) = &self.output {
            // Before the work, not after it.
            Target::new(output, self.run.overwrite, &files)?;
        }
        let mut table = StatisticsTable {
            statistics: opened.statistics.iter().map(|statistic| statistic.name()).collect(),
            rows: Vec::new(),
            histograms: self.stack.histogram.is_some(),
            bad: opened.bad.clone(),
            files,
            plans: Vec::new(),
        };
        let mut done = 0;
        for group in &opened.groups {
            let of = opened.images.len() as f64;
            let mut part =
                |share: f64| report((done as f64 + share * group.images.len() as f64) / of, "reading");
            self.describe(&opened, group, &mut table, &mut Monitor { report: &mut part, cancel })?;
            done += group.images.len();
        }
        report(1.0, "done");
        Ok(table)
    }

    /// How a run would look at the images, grid by grid, and about how many seconds that would take: a part in the middle
    /// is read for it.
    pub fn plan(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Vec<(GridPlan, Result<f64>)>> {
        let opened = self.open(report, cancel)?;
        let mut opening = |_| report(0.0, OPENING);
        let mut monitor = Monitor { report: &mut opening, cancel };
        let (mut table, mut plans) = (0, Vec::new());
        for group in &opened.groups {
            let (mut looking, names) = opened.group(group, table, &mut monitor)?;
            let needs = Needs::of(&looking, &opened.statistics);
            looking.divide(needs.own_bins)?;
            if needs.twice {
                looking.divide(BINS)?;
            }
            if let Some(asked) = self.stack.histogram {
                looking.keep(asked.count);
                looking.divide(asked.count)?;
            }
            table = looking.table_bytes();
            let seconds = looking.estimate(cancel);
            plans.extend(looking.plan(names, opened.listed(group)).map(|plan| (plan, seconds)));
        }
        Ok(plans)
    }

    fn open(&self, report: &mut dyn FnMut(f64, &str) -> bool, cancel: &AtomicBool) -> Result<Opened> {
        let gdal = Gdal::get()?;
        let statistics = Statistic::parse_list(self.stack.statistics.as_deref().unwrap_or(USUAL))?;
        if let Some(other) = statistics.iter().find(|statistic| !is_allowed(**statistic)) {
            let allowed =
                "allowed: count, mean, sum, min, max, range, std, var, median, percentiles such as p90";
            return Err(Error::Argument(format!("statistic '{}' of places; {allowed}", other.name())));
        }
        let job = StackJob {
            command: StackCommand::Reduce,
            stack: self.stack.clone(),
            run: self.run.clone(),
            output: String::new(),
        };
        let mut opening = |_| report(0.0, OPENING);
        let mut monitor = Monitor { report: &mut opening, cancel };
        let (mut inputs, mut bad) = inputs::open(gdal, &job.stack, job.threads(), &mut monitor)?;
        if job.stack.skip_bad && self.has_one_grid() {
            let (grid, _) = inputs::grid(gdal, &inputs, &job.stack)?;
            bad.extend(beside::leave_out(gdal, &mut inputs, &grid, job.threads(), &mut monitor)?);
        }
        let masks = self.masks(&job, &inputs)?;
        let images = self.images(&inputs, &masks)?;
        let groups = self.groups(gdal, (&inputs, &masks), &images)?;
        Ok(Opened { gdal, job, statistics, inputs, bad, images, masks, groups })
    }

    /// Which inputs are masks only.
    fn masks(&self, job: &StackJob, inputs: &[Input]) -> Result<Vec<bool>> {
        if inputs.len() == 1 {
            return Ok(vec![false]);
        }
        let uses = uses(job.command, &job.stack, inputs)?;
        Ok((0..inputs.len()).map(|index| uses.values.iter().all(|band| band.input != index)).collect())
    }

    /// Files of one input stand alone; those of several belong together by their dates.
    fn images(&self, inputs: &[Input], masks: &[bool]) -> Result<Vec<Image>> {
        if let [input] = inputs {
            let image =
                |(index, scene): (usize, &Scene)| Image { time: scene.time, scenes: vec![Some(index)] };
            return Ok(input.scenes.iter().enumerate().map(image).collect());
        }
        images(inputs, masks, self.stack.missing_mask, false)
    }

    /// Whether everything is brought to one grid.
    fn has_one_grid(&self) -> bool {
        self.stack.grid_of.is_some() || self.stack.resolution.is_some()
    }

    /// Images beside one another that lie on one grid.
    fn groups(
        &self,
        gdal: &'static Gdal,
        (inputs, masks): (&[Input], &[bool]),
        images: &[Image],
    ) -> Result<Vec<Group>> {
        if self.has_one_grid() {
            let (grid, name) = inputs::grid(gdal, inputs, &self.stack)?;
            return Ok(vec![Group { grid, name, images: (0..images.len()).collect() }]);
        }
        let mut groups: Vec<Group> = Vec::new();
        for (index, image) in images.iter().enumerate() {
            let Some(scene) = first_scene(image, inputs, masks) else { continue };
            match groups.last_mut() {
                Some(group) if group.grid.is_same(&scene.facts.grid) => group.images.push(index),
                _ => groups.push(Group {
                    grid: scene.facts.grid.clone(),
                    name: scene.facts.name.clone(),
                    images: vec![index],
                }),
            }
        }
        Ok(groups)
    }

    /// Adds the lines of a group to the table.
    fn describe(
        &self,
        opened: &Opened,
        group: &Group,
        table: &mut StatisticsTable,
        monitor: &mut Monitor<'_>,
    ) -> Result<()> {
        let (mut looking, names) = opened.group(group, table.bytes(), monitor)?;
        let lines = self.look(&mut looking, &opened.statistics, monitor)?;
        table.rows.extend(opened.rows(group, &names, lines, self.stack.block.is_some()));
        table.bad.extend(looking.bad_files());
        table.plans.extend(looking.plan(names, opened.listed(group)));
        Ok(())
    }

    /// Looks at all images, as often as it must.
    fn look(
        &self,
        looking: &mut Looking<'_>,
        statistics: &[Statistic],
        monitor: &mut Monitor<'_>,
    ) -> Result<Lines> {
        let Needs { ranks, own_bins, twice } = Needs::of(looking, statistics);
        let types = looking.types();
        let own = |layer: usize, band: usize| types(layer, band).filter(|_| ranks).and_then(Edges::of_type);
        let mut rounds =
            Rounds { done: 0, of: 1 + usize::from(twice) + usize::from(self.stack.histogram.is_some()) };
        let line = |found: &Found| Line {
            values: numbers(found, statistics),
            histogram: None,
            ends: found.moments.min().zip(found.moments.max()),
        };
        let variance = statistics
            .iter()
            .any(|statistic| matches!(statistic, Statistic::Deviation(_) | Statistic::Variance(_)));
        let mut lines =
            rounds.next(monitor, &mut |monitor| looking.look(variance, (own_bins, &own), &line, monitor))?;
        let ends = ends(&lines);
        if twice {
            let bins = |layer: usize, band: usize| {
                own(layer, band).or_else(|| {
                    let (low, high) = *ends.get(&(layer, band))?;
                    // Values that are all the same need a bin with some width.
                    let high = if high > low { high } else { low + low.abs().max(1.0) };
                    Edges::new(low, high, BINS).ok()
                })
            };
            lines.clear();
            lines =
                rounds.next(monitor, &mut |monitor| looking.look(variance, (BINS, &bins), &line, monitor))?;
        }
        if let Some(asked) = self.stack.histogram {
            let bins = |layer: usize, band: usize| asked.of(ends.get(&(layer, band)).copied());
            looking.keep(asked.count);
            let count = |found: &Found| found.histogram.as_ref().map(counts);
            let counted = rounds
                .next(monitor, &mut |monitor| looking.look(false, (asked.count, &bins), &count, monitor))?;
            for ((_, lines), (_, counted)) in lines.iter_mut().zip(counted) {
                lines.iter_mut().zip(counted).for_each(|(line, counts)| line.histogram = counts);
            }
        }
        Ok(lines)
    }
}

/// What statistics ask of the runs over the images.
struct Needs {
    /// Values are counted in bins, for percentiles.
    ranks: bool,
    /// Most bins that a band has in the first run: small whole numbers have one each.
    own_bins: usize,
    /// Other values are looked at twice: their ends come first.
    twice: bool,
}

impl Needs {
    fn of(looking: &Looking<'_>, statistics: &[Statistic]) -> Self {
        let ranks = statistics.iter().any(|statistic| statistic.keeps_values());
        let own_bins = looking.most_own_bins().filter(|_| ranks).unwrap_or(0);
        Self { ranks, own_bins, twice: ranks && !looking.all_have_bins() }
    }
}

/// Runs one after another that report as one.
struct Rounds {
    done: usize,
    of: usize,
}

impl Rounds {
    fn next<T>(
        &mut self,
        monitor: &mut Monitor<'_>,
        run: &mut dyn FnMut(&mut Monitor<'_>) -> Result<T>,
    ) -> Result<T> {
        let (done, of) = (self.done as f64, self.of as f64);
        self.done += 1;
        let mut report = |share: f64| (monitor.report)((done + share) / of);
        run(&mut Monitor { report: &mut report, cancel: monitor.cancel })
    }
}

/// Values as masks and the formula leave them; nothing is written.
fn program_of(uses: Uses, layers: Vec<Layer>, options: &StackOptions) -> StackProgram {
    StackProgram {
        layers,
        masks: uses.masks,
        outside: options.outside.unwrap_or(Outside::Mask),
        dilate: options.dilate,
        where_masked: None,
        formula: uses.formula,
        rescale: None,
        merging: None,
        reduce: None,
        exact_in_float32: false,
        cell_type: CellType::Float64,
        nodata: NodataValue::Usual,
        alphas: Vec::new(),
    }
}

fn counts(histogram: &Histogram) -> Counts {
    let counts = histogram.counts().to_vec();
    let range = (histogram.edges().edge(0), histogram.edges().edge(counts.len()));
    Counts { range, counts, outside: histogram.outside() }
}

fn is_allowed(statistic: Statistic) -> bool {
    use Statistic::{Count, Deviation, Max, Mean, Median, Min, Percentile, Range, Sum, Variance};
    matches!(
        statistic,
        Count | Mean | Sum | Min | Max | Range | Deviation(_) | Variance(_) | Median | Percentile(..)
    )
}

fn numbers(found: &Found, statistics: &[Statistic]) -> Vec<Option<f64>> {
    let moments = &found.moments;
    let percentile = |rank: f64, ranking| {
        found.histogram.as_ref()?.percentile(rank, ranking, (moments.min()?, moments.max()?))
    };
    let number = |statistic: &Statistic| match statistic {
        Statistic::Count => Some(moments.count() as f64),
        Statistic::Mean => moments.mean(),
        Statistic::Sum => moments.sum(),
        Statistic::Min => moments.min(),
        Statistic::Max => moments.max(),
        Statistic::Range => Some(moments.max()? - moments.min()?),
        Statistic::Deviation(ddof) => moments.standard_deviation(*ddof),
        Statistic::Variance(ddof) => moments.variance(*ddof),
        Statistic::Median => percentile(50.0, Ranking::Linear),
        Statistic::Percentile(rank, ranking) => percentile(*rank, *ranking),
        _ => None,
    };
    statistics.iter().map(number).collect()
}
