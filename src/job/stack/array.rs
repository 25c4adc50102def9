//! Stacks in memory: arrays in, an array out; and parts of stacks of files into an array.

use super::inputs::{Input, Scene};
use super::layers::Image;
use super::list::Entry;
use super::program::{assemble, check_times, used_images, uses, Assembled, Uses};
use super::{ListedImage, PreparedStack, StackJob};
use crate::core::error::{Error, Result};
use crate::core::operation::Band;
use crate::core::tile::Window;
use crate::gdal::raster::{BandFacts, RasterFacts, RasterGrid};
use crate::job::stack::dates::DateSource;
use crate::job::stack::InputSpec;
use crate::job::trace::Trace;
use crate::job::MOST_MEMORY;
use crate::pipeline::io::Layout;
use crate::pipeline::memory::{layout, part_of, ArrayBands, ArraySink};
use crate::pipeline::plan::SinkNeeds;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::encode::Encoder;
use crate::pipeline::stack::io::{PlaneInfo, StackSource};
use crate::pipeline::stack::plan::{StackPlan, StackPlanOptions};
use crate::pipeline::stack::program::{Layer, StackProgram};
use crate::pipeline::stack::run::{run, Report};
use crate::stack::cells::CellType;
use jiff::Timestamp;
use serde_json::json;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use std::time::Instant;

/// Bytes of results that are computed to find out how long a run takes.
const MOST_OF_SAMPLE: usize = 32 << 20;

/// One band of one date in memory.
#[derive(Debug, Clone)]
pub struct ArrayBand<'a> {
    /// What formulas call it; arrays of one name are its dates.
    pub name: String,
    /// Seconds since 1970.
    pub time: Option<i64>,
    /// Type of its cells.
    pub cell_type: CellType,
    /// Value that means nodata.
    pub nodata: Option<f64>,
    /// Rows and columns.
    pub size: (usize, usize),
    /// Row after row without gaps.
    pub cells: &'a [u8],
}

/// A stack of arrays, ready to run.
pub struct ArrayStack<'a> {
    program: StackProgram,
    bands: Vec<Band>,
    source: ArrayBands<'a>,
    size: (usize, usize),
    options: StackPlanOptions,
}

impl<'a> ArrayStack<'a> {
    /// Checks arrays and options.
    pub fn new(job: &StackJob, arrays: &[ArrayBand<'a>]) -> Result<Self> {
        let size = arrays.first().map(|array| array.size).unwrap_or_default();
        if let Some(other) = arrays.iter().find(|array| array.size != size) {
            let ((rows, cols), (other_rows, other_cols)) = (size, other.size);
            return Err(Error::Argument(format!(
                "'{}' has {other_cols} x {other_rows} cells, '{}' {cols} x {rows}; allowed: one size",
                other.name, arrays[0].name
            )));
        }
        if size.0 == 0 || size.1 == 0 {
            return Err(Error::Argument("no cells; allowed: arrays with at least one cell".into()));
        }
        let needs_times = job.command == super::StackCommand::Reduce;
        if let Some(array) = arrays.iter().find(|array| needs_times && array.time.is_none()) {
            let name = &array.name;
            return Err(Error::Argument(format!("array '{name}' has no time; allowed: arrays with one")));
        }
        check_times(job)?;
        let (inputs, order) = inputs(arrays)?;
        let uses = uses(job.command, &job.stack, &inputs)?;
        let images = used_images(job, &inputs, &uses)?;
        let ordered: Vec<&ArrayBand<'a>> = order.iter().map(|index| &arrays[*index]).collect();
        let mut planes: Vec<PlaneInfo> = ordered.iter().enumerate().map(plane).collect();
        let layers = images.iter().map(|image| layer(&inputs, image, &uses)).collect::<Result<Vec<_>>>()?;
        if let Some(nodata) = job.stack.source_nodata {
            // As with files: masks have their own.
            layers
                .iter()
                .flat_map(|layer| &layer.planes)
                .for_each(|plane| planes[*plane].nodata = Some(nodata));
        }
        if job.command != super::StackCommand::Reduce && layers.len() > 1 {
            let came = layers.len();
            return Err(Error::Argument(format!("{came} dates; allowed: one, or reduce")));
        }
        let nowhere = || {
            let message = "arrays have no place on the earth, which solar days need; allowed: day";
            Err(Error::Unsupported(message.into()))
        };
        let Assembled { program, bands, .. } =
            assemble(job, (&inputs, &images, &planes), layers, uses, &nowhere)?;
        let source = ArrayBands::new(ordered.iter().map(|array| array.cells).collect(), planes)?;
        let options = StackPlanOptions {
            threads: job.threads(),
            memory: job.run.memory.unwrap_or(MOST_MEMORY),
            tile_size: job.run.tile_size,
            reader: 0,
            shared: 0,
            sink: SinkNeeds::default(),
            decodes: false,
        };
        Ok(Self { program, bands, source, size, options })
    }

    /// What comes out, as [`PreparedStack::describe_array`].
    pub fn describe(&self) -> Result<serde_json::Value> {
        describe(&self.program, &self.bands, self.size)
    }

    /// Computes `part`, or everything, into `cells`.
    pub fn run(
        &self,
        part: Option<Window>,
        cells: &mut [u8],
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Report> {
        let work = PartOfStack { program: &self.program, source: &self.source, size: self.size, part };
        work.run(self.options, cells, report, cancel)
    }
}

impl PreparedStack<'_> {
    /// What a run into memory gives: "rows", "cols", "bands", "type", "nodata" and "halo"; and "images", each with "files",
    /// "time" and "group".
    pub fn describe_array(&self) -> Result<serde_json::Value> {
        let mut described = describe(&self.program, &self.bands, self.grid.size)?;
        let image = |image: &ListedImage| {
            let time = image.time.as_ref().map(|(time, _)| time);
            json!({"files": image.files, "time": time, "group": image.group})
        };
        described["images"] = self.listed.iter().map(image).collect();
        Ok(described)
    }

    /// Computes `part`, or everything, into `cells`: bands x rows x columns of the result's type.
    pub fn run_array(
        &self,
        part: Option<Window>,
        cells: &mut [u8],
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Report> {
        Trace::refuse(&self.job.run)?;
        if self.runs() != 1 {
            let came = self.runs();
            return Err(Error::Argument(format!("{came} dates for one array; allowed: one, or reduce")));
        }
        let options = self.job.plan_options(&self.source, self.gdal);
        let work = PartOfStack { program: &self.program, source: &self.source, size: self.grid.size, part };
        work.run(options, cells, report, cancel)
    }
}

impl PreparedStack<'_> {
    /// About how many seconds the run will take, without writing: a part in the middle is computed for it.
    pub fn estimate(&self, cancel: &AtomicBool) -> Result<f64> {
        let options = self.job.plan_options(&self.source, self.gdal);
        seconds_of(&self.program, &self.source, (&self.plan, 1), options, cancel)
    }
}

/// About how many seconds as many runs over a program take without writing: a part in the middle is computed.
pub(super) fn seconds_of(
    program: &StackProgram,
    source: &dyn StackSource,
    (plan, runs): (&StackPlan, usize),
    options: StackPlanOptions,
    cancel: &AtomicBool,
) -> Result<f64> {
    let bytes = |part: Window| part.cells() * program.bands() * program.cell_type.size();
    let (part, tiles) = match plan.sample() {
        (part, tiles) if bytes(part) <= MOST_OF_SAMPLE => (part, tiles),
        _ => (plan.tile(plan.tiles() / 2), 1),
    };
    let mut cells = vec![0; bytes(part)];
    let work = PartOfStack { program, source, size: plan.size, part: Some(part) };
    let start = Instant::now();
    work.run(StackPlanOptions { threads: 1, ..options }, &mut cells, &mut |_, _| true, cancel)?;
    let times = (plan.tiles() * runs).div_ceil(tiles).div_ceil(plan.threads);
    Ok(start.elapsed().as_secs_f64() * times as f64)
}

struct PartOfStack<'a> {
    program: &'a StackProgram,
    source: &'a dyn StackSource,
    size: (usize, usize),
    part: Option<Window>,
}

impl PartOfStack<'_> {
    fn run(
        &self,
        options: StackPlanOptions,
        cells: &mut [u8],
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Report> {
        let ((rows, cols), program) = (self.size, self.program);
        let part = self.part.unwrap_or(Window { row: 0, col: 0, rows, cols });
        let ends = (part.row.checked_add(part.rows), part.col.checked_add(part.cols));
        let inside = matches!(ends, (Some(row), Some(col)) if row <= rows && col <= cols);
        if !inside || part.rows == 0 || part.cols == 0 {
            let Window { row, col, rows: height, cols: width } = part;
            return Err(Error::Argument(format!(
                "window of {width} x {height} cells at row {row}, column {col}; allowed: within {cols} x {rows}"
            )));
        }
        let planes = part_of(self.source.planes(), (part.rows, part.cols));
        let Layout { block_rows, block_cols, .. } = layout(part.rows, part.cols);
        let plan = StackPlan::new(program, &planes, (block_rows, block_cols), options)?;
        // Masks grow into the part from outside, where nothing is computed or counted.
        let plan = plan.within(self.size, (part.row, part.col));
        let cell = (program.bands(), program.cell_type.size());
        let mut sink = ArraySink::new(cells, cell, self.size, part)?;
        let mut computing = |done: f64| report(done, "computing");
        let mut monitor = Monitor { report: &mut computing, cancel };
        run(program, &plan, self.source, &mut sink, &mut monitor, None)
    }
}

fn describe(program: &StackProgram, bands: &[Band], size: (usize, usize)) -> Result<serde_json::Value> {
    let names: Vec<&str> = bands.iter().map(|band| band.name.as_str()).collect();
    let nodata = Encoder::of(program)?.nodata();
    Ok(json!({
        "rows": size.0, "cols": size.1, "bands": names, "type": program.cell_type.name(),
        "nodata": nodata.map(|value| if value.is_nan() { json!("nan") } else { json!(value) }),
        "halo": if program.masks.is_empty() { 0 } else { program.dilate },
    }))
}

/// Arrays by name as inputs, and the arrays in the order of their planes.
fn inputs(arrays: &[ArrayBand<'_>]) -> Result<(Vec<Input>, Vec<usize>)> {
    let mut names: Vec<&str> = Vec::new();
    for array in arrays {
        if !names.contains(&array.name.as_str()) {
            names.push(&array.name);
        }
    }
    let (mut inputs, mut order) = (Vec::new(), Vec::new());
    for name in names {
        let mut own: Vec<usize> = (0..arrays.len()).filter(|index| arrays[*index].name == name).collect();
        own.sort_by_key(|index| arrays[*index].time);
        let scenes = own.iter().map(|index| scene(&arrays[*index])).collect::<Result<Vec<_>>>()?;
        let spec = InputSpec { name: Some(name.into()), source: name.into(), ..InputSpec::default() };
        let single = scenes.len() == 1;
        inputs.push(Input { spec, scenes, skipped: 0, single, band_names: vec![name.into()] });
        order.extend(own);
    }
    Ok((inputs, order))
}

fn scene(array: &ArrayBand<'_>) -> Result<Scene> {
    let wrong =
        |_| Error::Argument(format!("'{}' has a date that is none; allowed: seconds since 1970", array.name));
    let time = array.time.map(|time| Timestamp::from_second(time).map_err(wrong)).transpose()?;
    let band = BandFacts {
        name: array.name.clone(),
        cell_type: array.cell_type,
        nodata: array.nodata,
        scale: (1.0, 0.0),
        unit: String::new(),
        block: array.size,
        masked: false,
        masked_by_alpha: false,
        is_alpha: false,
    };
    let facts = RasterFacts {
        name: array.name.clone(),
        level: None,
        grid: RasterGrid { size: array.size, transform: None, reference: None },
        bands: vec![band],
        overviews: Vec::new(),
        date: None,
        files: Vec::new(),
        is_virtual: false,
        interleaved: false,
    };
    let time = time.map(|time| (time, DateSource::Table));
    Ok(Scene { entry: Entry::of_path(&array.name), facts: Arc::new(facts), time })
}

fn plane((file, array): (usize, &&ArrayBand<'_>)) -> PlaneInfo {
    let layout = layout(array.size.0, array.size.1);
    PlaneInfo { file, cell_type: array.cell_type, nodata: array.nodata, layout, masked: false }
}

/// The planes of an image: those of an input stand together, in order of time.
fn layer(inputs: &[Input], image: &Image, uses: &Uses) -> Result<Layer> {
    let first = |input: usize| inputs[..input].iter().map(|input| input.scenes.len()).sum::<usize>();
    let plane = |input: usize| image.scenes[input].map(|scene| first(input) + scene);
    let values = uses.values.iter().map(|band| {
        plane(band.input).ok_or_else(|| Error::Internal(format!("a date without '{}'", band.name)))
    });
    let values = values.collect::<Result<Vec<usize>>>()?;
    let masks: Vec<Option<usize>> = uses.mask_bands.iter().map(|band| plane(band.input)).collect();
    Ok(Layer::new(&values, &masks, |plane| plane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::options::JobOptions;
    use crate::job::stack::options::StackOptions;
    use crate::job::stack::StackCommand;

    #[test]
    fn only_cells_of_the_part_are_counted() {
        const SIDE: usize = 50;
        // Masked cells, cells without data, and cells beyond the type, all over the place.
        let values = (0..SIDE * SIDE).map(|cell| match cell % 97 {
            0 => 200_i16,
            1..5 => 0,
            other => other as i16 * 4,
        });
        let values: Vec<i16> = values.collect();
        let mut stack = StackOptions::default();
        for (name, value) in [("mask", "x == 200"), ("dilate", "3"), ("nodata", "0"), ("type", "uint8")] {
            stack.set(name, value).unwrap();
        }
        let run = JobOptions { threads: Some(2), ..JobOptions::default() };
        let job = StackJob { command: StackCommand::Mask, stack, run, output: String::new() };
        let array = ArrayBand {
            name: "x".into(),
            time: None,
            cell_type: CellType::Int16,
            nodata: None,
            size: (SIDE, SIDE),
            cells: bytemuck::cast_slice(&values),
        };
        let arrays = ArrayStack::new(&job, &[array]).unwrap();
        let compute = |part: Window| {
            let mut cells = vec![0; part.cells()];
            let found = arrays.run(Some(part), &mut cells, &mut |_, _| true, &AtomicBool::new(false));
            (cells, found.unwrap())
        };
        let whole = Window { row: 0, col: 0, rows: SIDE, cols: SIDE };
        let (cells, counted) = compute(whole);
        assert!(
            counted.masked > 0 && counted.written.missing >= counted.masked && counted.written.saturated > 0
        );
        let mut sum = Report::default();
        for (row, rows) in [(0, 20), (20, 30)] {
            for (col, cols) in [(0, 7), (7, 43)] {
                let part = Window { row, col, rows, cols };
                let (own, counted) = compute(part);
                for (line, own) in own.chunks(cols).enumerate() {
                    assert_eq!(own, &cells[(row + line) * SIDE + col..][..cols], "{part:?}");
                }
                sum += counted;
            }
        }
        assert_eq!(sum, counted);
    }
}
