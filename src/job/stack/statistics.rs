//! Numbers that describe files, their bands and blocks of them, as a table.

use super::bins::Counts;
use super::inputs::{self, Input};
use super::layers::{images, Image};
use super::open::Wanted;
use super::options::{StackOptions, TableForm};
use super::program::{layer, uses, Uses};
use super::{StackCommand, StackJob, OPENING};
use crate::core::error::{Error, Result};
use crate::gdal::output::Target;
use crate::gdal::raster::RasterGrid;
use crate::gdal::Gdal;
use crate::job::options::JobOptions;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::io::StackSource;
use crate::pipeline::stack::program::{Layer, StackProgram};
use crate::pipeline::stack::statistics::{describe, Describing, Found, Part};
use crate::stack::cells::CellType;
use crate::stack::mask::Outside;
use crate::stack::reduce::Statistic;
use crate::stack::statistics::Histogram;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

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
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct StatisticsRow {
    /// The file, or the first one of an image.
    pub file: String,
    /// When it was taken, if that is known.
    pub time: Option<String>,
    /// Name of the band.
    pub band: String,
    /// Number of the block, row and column of its first cell, its rows and columns.
    pub block: Option<[usize; 5]>,
    /// The numbers; None where there are no values.
    pub values: Vec<Option<f64>>,
    /// The histogram; None where there are no values, or none was asked for.
    pub histogram: Option<Counts>,
}

/// The whole table.
#[derive(Debug, Clone, PartialEq)]
pub struct StatisticsTable {
    /// Names of the numbers.
    pub statistics: Vec<String>,
    /// Lines, image by image, block by block, band by band.
    pub rows: Vec<StatisticsRow>,
    /// Lines have histograms.
    pub histograms: bool,
    /// Files that could not be read, wholly or in part.
    pub bad: Vec<String>,
}

/// Images of one grid, which go through one run.
struct Group {
    grid: RasterGrid,
    name: String,
    images: Vec<usize>,
}

/// What all groups have in common.
struct Opened<'a> {
    gdal: &'static Gdal,
    job: &'a StackJob,
    inputs: &'a [Input],
    images: &'a [Image],
    statistics: &'a [Statistic],
}

/// Numbers of the bands of one part.
type Numbers = (Part, Vec<(Vec<Option<f64>>, Option<Counts>)>);

impl Opened<'_> {
    /// Lines of a group whose images have bands of these names.
    fn rows(&self, group: &Group, names: &[String], found: Vec<Numbers>, blocks: bool) -> Vec<StatisticsRow> {
        let rows = found.into_iter().flat_map(|(part, bands)| {
            let image = &self.images[group.images[part.layer]];
            let scene = first_scene(image, self.inputs);
            let window = part.window;
            let block = blocks.then_some([part.block, window.row, window.col, window.rows, window.cols]);
            let row =
                |(band, (values, histogram)): (&String, (Vec<Option<f64>>, Option<Counts>))| StatisticsRow {
                    file: scene.map_or(String::new(), |scene| scene.entry.path.clone()),
                    time: image.time.map(|(time, _)| time.to_string()),
                    band: band.clone(),
                    block,
                    values,
                    histogram,
                };
            names.iter().zip(bands).map(row).collect::<Vec<_>>()
        });
        rows.collect()
    }
}

/// The scene that an image is named after.
fn first_scene<'a>(image: &Image, inputs: &'a [Input]) -> Option<&'a inputs::Scene> {
    image.scenes.iter().zip(inputs).find_map(|(scene, input)| scene.map(|scene| &input.scenes[scene]))
}

/// Smallest and largest value of each band of each image.
fn ends(found: &[(Part, Vec<Found>)]) -> HashMap<(usize, usize), (f64, f64)> {
    let mut ends: HashMap<(usize, usize), (f64, f64)> = HashMap::new();
    for (part, bands) in found {
        for (index, band) in bands.iter().enumerate() {
            let (Some(low), Some(high)) = (band.moments.min(), band.moments.max()) else { continue };
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
        let (inputs, mut bad) = inputs::open(gdal, &job.stack, job.threads(), &mut monitor)?;
        let images = self.images(&job, &inputs)?;
        let groups = self.groups(gdal, &inputs, &images)?;
        let mut rows = Vec::new();
        let mut done = 0;
        for group in &groups {
            let of = images.len() as f64;
            let mut part =
                |share: f64| report((done as f64 + share * group.images.len() as f64) / of, "reading");
            let mut monitor = Monitor { report: &mut part, cancel };
            let all = Opened { gdal, job: &job, inputs: &inputs, images: &images, statistics: &statistics };
            let (found, unreadable) = self.describe(&all, group, &mut monitor)?;
            rows.extend(found);
            bad.extend(unreadable);
            done += group.images.len();
        }
        report(1.0, "done");
        Ok(StatisticsTable {
            statistics: statistics.iter().map(|statistic| statistic.name()).collect(),
            rows,
            histograms: self.stack.histogram.is_some(),
            bad,
        })
    }

    /// Files of one input stand alone; those of several belong together by their dates.
    fn images(&self, job: &StackJob, inputs: &[Input]) -> Result<Vec<Image>> {
        if let [input] = inputs {
            let image = |(index, scene): (usize, &inputs::Scene)| Image {
                time: scene.time,
                scenes: vec![Some(index)],
            };
            return Ok(input.scenes.iter().enumerate().map(image).collect());
        }
        let uses = uses(job.command, &job.stack, inputs)?;
        let masks: Vec<bool> =
            (0..inputs.len()).map(|index| uses.values.iter().all(|band| band.input != index)).collect();
        images(inputs, &masks, job.stack.missing_mask, false)
    }

    /// Images beside one another that lie on one grid.
    fn groups(&self, gdal: &'static Gdal, inputs: &[Input], images: &[Image]) -> Result<Vec<Group>> {
        if self.stack.grid_of.is_some() || self.stack.resolution.is_some() {
            let (grid, name) = inputs::grid(gdal, inputs, &self.stack)?;
            return Ok(vec![Group { grid, name, images: (0..images.len()).collect() }]);
        }
        let mut groups: Vec<Group> = Vec::new();
        for (index, image) in images.iter().enumerate() {
            let first = image
                .scenes
                .iter()
                .zip(inputs)
                .find_map(|(scene, input)| scene.map(|scene| &input.scenes[scene]));
            let Some(scene) = first else { continue };
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

    fn describe(
        &self,
        all: &Opened<'_>,
        group: &Group,
        monitor: &mut Monitor<'_>,
    ) -> Result<(Vec<StatisticsRow>, Vec<String>)> {
        let Opened { gdal, job, inputs, images, statistics } = *all;
        let options = &job.stack;
        let uses = uses(job.command, options, inputs)?;
        let mut wanted = Wanted::new(gdal, options, (&group.grid, &group.name));
        let layers =
            group.images.iter().map(|index| layer(&mut wanted, inputs, &images[*index], &uses, options));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let source = wanted.open(job.threads(), job.memory(gdal))?;
        let names: Vec<String> = match &uses.formula {
            Some(formula) => formula.results().to_vec(),
            None => uses.values.iter().map(|band| band.name.clone()).collect(),
        };
        let plain = uses.formula.is_none() && !options.unscale;
        let program = program_of(uses, layers, options);
        let plan = job.divide(&program, &source, (1, 1), gdal)?;
        let ranks = statistics.iter().any(|statistic| statistic.keeps_values());
        let spread =
            |statistic: &Statistic| matches!(statistic, Statistic::Deviation(_) | Statistic::Variance(_));
        let variance = statistics.iter().any(spread);
        // Small whole numbers have bins of their own; other values are looked at twice.
        let own_bins = |layer: usize, band: usize| {
            let plane =
                program.layers[layer].values.get(band).map(|place| program.layers[layer].planes[*place]);
            let cell_type = plane.filter(|_| plain).map(|plane| source.planes()[plane].cell_type);
            cell_type.filter(|_| ranks).and_then(Histogram::of_type)
        };
        let mut found: Vec<(Part, Vec<Found>)> = Vec::new();
        let mut rows = Vec::new();
        let mut take = |part: Part, bands: &[Found]| {
            rows.push((part, bands.iter().map(|band| (numbers(band, statistics), None)).collect::<Vec<_>>()));
            let waits = ranks && bands.iter().any(|band| band.histogram.is_none());
            if waits || self.stack.histogram.is_some() {
                found.push((part, bands.to_vec()));
            }
            Ok(())
        };
        let describing = Describing { block: self.stack.block, variance, histogram: &own_bins };
        describe(&program, &plan, &source, &describing, &mut take, monitor)?;
        let ends = ends(&found);
        let waits = |(_, bands): &(Part, Vec<Found>)| bands.iter().any(|band| band.histogram.is_none());
        if ranks && found.iter().any(waits) {
            let bins = |layer: usize, band: usize| {
                own_bins(layer, band).or_else(|| {
                    let (low, high) = *ends.get(&(layer, band))?;
                    // Values that are all the same need a bin with some width.
                    let high = if high > low { high } else { low + low.abs().max(1.0) };
                    Histogram::new(low, high, BINS).ok()
                })
            };
            rows.clear();
            let mut take = |part: Part, bands: &[Found]| {
                rows.push((
                    part,
                    bands.iter().map(|band| (numbers(band, statistics), None)).collect::<Vec<_>>(),
                ));
                Ok(())
            };
            let describing = Describing { block: self.stack.block, variance, histogram: &bins };
            describe(&program, &plan, &source, &describing, &mut take, monitor)?;
        }
        if let Some(bins) = self.stack.histogram {
            let histograms = |layer: usize, band: usize| bins.of(ends.get(&(layer, band)).copied());
            let describing = Describing { block: self.stack.block, variance, histogram: &histograms };
            let mut lines = rows.iter_mut();
            let mut take = |_: Part, bands: &[Found]| {
                for (line, band) in lines.next().into_iter().flat_map(|(_, line)| line).zip(bands) {
                    line.1 = band.histogram.as_ref().map(counts);
                }
                Ok(())
            };
            describe(&program, &plan, &source, &describing, &mut take, monitor)?;
        }
        Ok((all.rows(group, &names, rows, self.stack.block.is_some()), source.bad_files()))
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
        nodata: None,
        complete: false,
    }
}

fn counts(histogram: &Histogram) -> Counts {
    let counts = histogram.counts().to_vec();
    let range = (histogram.edge(0), histogram.edge(counts.len()));
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
    let percentile = |rank: f64| found.histogram.as_ref().and_then(|histogram| histogram.percentile(rank));
    let number = |statistic: &Statistic| match statistic {
        Statistic::Count => Some(moments.count() as f64),
        Statistic::Mean => moments.mean(),
        Statistic::Sum => moments.sum(),
        Statistic::Min => moments.min(),
        Statistic::Max => moments.max(),
        Statistic::Range => Some(moments.max()? - moments.min()?),
        Statistic::Deviation(ddof) => moments.standard_deviation(*ddof),
        Statistic::Variance(ddof) => moments.variance(*ddof),
        Statistic::Median => percentile(50.0),
        Statistic::Percentile(rank, _) => percentile(*rank),
        _ => None,
    };
    statistics.iter().map(number).collect()
}

impl StatisticsTable {
    /// As text, in the form that was asked for.
    pub fn text(&self, form: TableForm) -> Result<String> {
        match form {
            TableForm::Csv => self.csv(),
            TableForm::Json => Ok(format!("{:#}\n", self.json())),
        }
    }

    /// Writes it to a file, which appears when it is whole.
    pub fn write(&self, path: &str, overwrite: bool, form: TableForm) -> Result<()> {
        let inputs: Vec<String> = self.rows.iter().map(|row| row.file.clone()).collect();
        let target = Target::new(path, overwrite, &inputs)?;
        let pending = target.pending()?;
        std::fs::write(pending.name()?, self.text(form)?)
            .map_err(|error| Error::Output(format!("cannot write '{}': {error}", target.path().display())))?;
        target.accept(pending)
    }

    /// As comma-separated values; a number that is not there is an empty field.
    pub fn csv(&self) -> Result<String> {
        let fail = |error: &dyn std::fmt::Display| Error::Internal(format!("cannot write a table: {error}"));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let blocks = self.rows.iter().any(|row| row.block.is_some());
        let places: &[&str] = if blocks { &["block", "row", "col", "rows", "cols"] } else { &[] };
        let names = ["file", "datetime", "band"].iter().chain(places).map(|name| (*name).to_string());
        let bins: &[&str] =
            if self.histograms { &["histogram_low", "histogram_high", "histogram"] } else { &[] };
        let bins = bins.iter().map(|name| (*name).to_string());
        writer
            .write_record(names.chain(self.statistics.iter().cloned()).chain(bins))
            .map_err(|error| fail(&error))?;
        for row in &self.rows {
            let texts = [row.file.clone(), row.time.clone().unwrap_or_default(), row.band.clone()];
            let block = row.block.iter().flatten().map(usize::to_string);
            let values =
                row.values.iter().map(|value| value.map_or(String::new(), |value| value.to_string()));
            let bins = match &row.histogram {
                Some(Counts { range: (low, high), counts, .. }) => {
                    let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
                    vec![low.to_string(), high.to_string(), counts.join(" ")]
                }
                None => vec![String::new(); if self.histograms { 3 } else { 0 }],
            };
            writer
                .write_record(texts.into_iter().chain(block).chain(values).chain(bins))
                .map_err(|error| fail(&error))?;
        }
        let bytes = writer.into_inner().map_err(|error| fail(&error))?;
        String::from_utf8(bytes).map_err(|error| fail(&error))
    }

    /// As a list of objects.
    pub fn json(&self) -> serde_json::Value {
        let row = |row: &StatisticsRow| {
            let mut object = json!({"file": row.file, "datetime": row.time, "band": row.band});
            if let Some([block, first_row, first_col, rows, cols]) = row.block {
                let place =
                    json!({"block": block, "row": first_row, "col": first_col, "rows": rows, "cols": cols});
                for (key, value) in place.as_object().into_iter().flatten() {
                    object[key] = value.clone();
                }
            }
            for (name, value) in self.statistics.iter().zip(&row.values) {
                object[name] = json!(value);
            }
            if let Some(Counts { range: (low, high), counts, outside: (below, above) }) = &row.histogram {
                object["histogram"] =
                    json!({"low": low, "high": high, "counts": counts, "below": below, "above": above});
            }
            object
        };
        self.rows.iter().map(row).collect()
    }
}
