//! Runs a program over a stack: workers read a tile of one date after another and compute, the calling thread writes.

use super::encode::Encoder;
use super::io::{PlaneInfo, RawPlane, StackReader, StackSource};
use super::plan::StackPlan;
use super::profile::{Clock, Profile};
use super::program::{Layer, StackProgram};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{Aligned, CellsRef, Sink};
use crate::pipeline::run::{drive, Monitor, Tiling, Work};
use crate::stack::cells::Written;
use crate::stack::expression::{Scratch, Tally};
use crate::stack::mask::{self, DilateScratch, MaskScratch};
use crate::stack::reduce::{self, MergeScratch, State};
use crate::stack::rescale::Clipped;
use crate::stack::ROW;
use aligned_vec::AVec;
use std::ops::{AddAssign, Range};
use std::sync::{Mutex, PoisonError};

/// What was done to cells on the way: nothing is changed silently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Cells, image by image, that masks cover.
    pub masked: u64,
    /// Results of expressions that were infinite or no numbers, as after a division by zero.
    pub not_finite: u64,
    /// Values limited by a rescaling.
    pub clipped: u64,
    /// What happened when the output was written.
    pub written: Written,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.masked += other.masked;
        self.not_finite += other.not_finite;
        self.clipped += other.clipped;
        self.written += other.written;
    }
}

impl Report {
    fn add_tally(&mut self, tally: Tally) {
        self.not_finite += tally.not_finite;
    }

    fn add_clipped(&mut self, clipped: Clipped) {
        self.clipped += clipped.below + clipped.above;
    }
}

/// Computes every tile of `plan` and hands it to `sink` in file order. The first error stops the run.
pub fn run(
    program: &StackProgram,
    plan: &StackPlan,
    source: &dyn StackSource,
    sink: &mut dyn Sink,
    monitor: &mut Monitor<'_>,
    profile: Option<&Profile>,
) -> Result<Report> {
    let encoder = Encoder::new(program.cell_type, program.nodata)?;
    let steps = program.steps();
    let report = Mutex::default();
    let work = StackWork { program, plan, source, encoder, steps, report, profile };
    let products = (0..plan.buffers).map(|_| AVec::new(64)).collect();
    let mut clock = Clock::new(profile, plan.threads);
    let mut write = |index: usize, cells: &mut Aligned<u8>| {
        clock.mark("wait");
        clock.on_tile(index);
        let result = sink.write(plan.tile(index), CellsRef::Raw(cells, program.cell_type.size()));
        clock.mark("write");
        result
    };
    let window = |index| plan.tile(index);
    let tiling = Tiling { tiles: plan.tiles(), threads: plan.threads, window: &window };
    drive(&tiling, &work, products, &mut write, monitor)?;
    Ok(work.into_report())
}

pub(super) struct StackWork<'a> {
    pub(super) program: &'a StackProgram,
    pub(super) plan: &'a StackPlan,
    pub(super) source: &'a dyn StackSource,
    pub(super) encoder: Encoder,
    /// Layers that are in memory together.
    pub(super) steps: Vec<Range<usize>>,
    pub(super) report: Mutex<Report>,
    pub(super) profile: Option<&'a Profile>,
}

/// One image in memory.
#[derive(Default)]
pub(super) struct Image {
    planes: Vec<RawPlane>,
    /// A byte for each cell of the tile, 1 where a mask covers it; empty without masks.
    masked: Vec<u8>,
}

/// What one thread has for itself.
pub(super) struct StackWorker<'a> {
    reader: Box<dyn StackReader + 'a>,
    pub(super) images: Vec<Image>,
    masks: MaskWorker,
    pub(super) rows: Rows,
    states: Vec<State>,
    /// Cells for which `states` have room.
    state_cells: usize,
    finish: Option<reduce::Scratch>,
    pub(super) report: Report,
    clock: Clock<'a>,
}

/// Pieces of rows on their way through the program.
pub(super) struct Rows {
    inputs: Vec<f64>,
    pub(super) results: Vec<f64>,
    finished: Vec<f64>,
    scratch: Option<Scratch>,
    merges: Vec<MergeScratch>,
}

/// What masks need.
struct MaskWorker {
    planes: Vec<RawPlane>,
    inputs: Vec<f64>,
    scratches: Vec<MaskScratch>,
    wide: Vec<u8>,
    dilate: DilateScratch,
}

impl<'s> StackWork<'s> {
    /// What one thread has for itself; it may outlive this.
    pub(super) fn worker(&self) -> Result<StackWorker<'s>> {
        let program = self.program;
        let images = self.steps.iter().map(ExactSizeIterator::len).max().unwrap_or(1);
        let inputs = program.layers.first().map_or(0, |layer| layer.values.len());
        let merge = program.merging.as_ref().map(|merging| merging.merge);
        let statistics = program.reduce.as_ref().map_or(0, |plan| plan.statistics());
        Ok(StackWorker {
            reader: self.source.open()?,
            images: (0..images).map(|_| Image::default()).collect(),
            masks: MaskWorker {
                planes: Vec::new(),
                inputs: Vec::new(),
                scratches: program.masks.iter().map(|used| used.mask.scratch()).collect(),
                wide: Vec::new(),
                dilate: DilateScratch::default(),
            },
            rows: Rows {
                inputs: vec![0.0; inputs * ROW],
                results: vec![0.0; program.results() * ROW],
                finished: vec![0.0; statistics * ROW],
                scratch: program.formula.as_ref().map(|formula| formula.scratch()),
                merges: merge.map_or(Vec::new(), |merge| vec![merge.scratch(ROW); program.results()]),
            },
            states: Vec::new(),
            state_cells: 0,
            finish: program.reduce.as_ref().map(|plan| plan.scratch()),
            report: Report::default(),
            clock: Clock::new(self.profile, crate::pipeline::run::thread_number()),
        })
    }
}

impl Work for StackWork<'_> {
    type Worker<'a>
        = StackWorker<'a>
    where
        Self: 'a;
    type Product = Aligned<u8>;

    fn start(&self) -> Result<StackWorker<'_>> {
        self.worker()
    }

    fn compute(
        &self,
        (number, window): (usize, Window),
        worker: &mut StackWorker<'_>,
        product: &mut Aligned<u8>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        let program = self.program;
        worker.clock.mark("wait");
        worker.clock.on_tile(number);
        product.resize(program.bands() * window.cells() * program.cell_type.size(), 0);
        self.prepare_states(window.cells(), worker);
        for (index, step) in self.steps.iter().enumerate() {
            if !proceed() {
                return Err(Error::Cancelled);
            }
            self.load(step.clone(), window, worker)?;
            self.compute_step(index, step.clone(), window, worker, product);
            worker.clock.mark("compute");
        }
        if program.reduce.is_some() {
            self.finish(window, worker, product);
            worker.clock.mark("encode");
        }
        self.add_report(worker);
        Ok(())
    }
}

impl StackWork<'_> {
    /// Adds what a worker has counted to the report of the run.
    pub(super) fn add_report(&self, worker: &mut StackWorker<'_>) {
        let report = std::mem::take(&mut worker.report);
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) += report;
    }

    pub(super) fn into_report(self) -> Report {
        self.report.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepare_states(&self, cells: usize, worker: &mut StackWorker<'_>) {
        let Some(plan) = &self.program.reduce else { return };
        if worker.state_cells == cells {
            worker.states.iter_mut().for_each(State::reset);
            return;
        }
        // The old ones go first: two sets at once would exceed the plan.
        worker.states.clear();
        worker.state_cells = cells;
        let exact = self.program.exact_in_float32;
        worker.states.extend((0..self.program.results()).map(|_| plan.state(cells, exact)));
    }

    /// Reads the images of a step, and finds which of their cells are masked.
    pub(super) fn load(
        &self,
        step: Range<usize>,
        window: Window,
        worker: &mut StackWorker<'_>,
    ) -> Result<()> {
        for (layer, image) in self.program.layers[step].iter().zip(&mut worker.images) {
            image.planes.resize_with(layer.planes.len(), RawPlane::default);
            worker.reader.read(&layer.planes, window, &mut image.planes)?;
            worker.clock.mark("read");
            if !self.program.masks.is_empty() {
                self.load_masks(layer, window, image, (&mut worker.reader, &mut worker.masks))?;
                worker.report.masked += mask::count(&image.masked);
                worker.clock.mark("mask");
            }
        }
        Ok(())
    }

    fn load_masks(
        &self,
        layer: &Layer,
        window: Window,
        image: &mut Image,
        (reader, masks): (&mut Box<dyn StackReader + '_>, &mut MaskWorker),
    ) -> Result<()> {
        let program = self.program;
        let halo = program.dilate;
        let wide = window.grown(halo, self.plan.size.0, self.plan.size.1);
        image.masked.clear();
        image.masked.resize(window.cells(), 0);
        let MaskWorker { planes, inputs, scratches, wide: grown, dilate } = masks;
        // Beyond the raster nothing is masked.
        let (rows, cols) = (window.rows + 2 * halo, window.cols + 2 * halo);
        if halo > 0 {
            grown.clear();
            grown.resize(rows * cols, 0);
        }
        for (used, scratch) in program.masks.iter().zip(scratches) {
            let wanted = used.inputs.iter().map(|input| layer.masks[*input]);
            // An image without a mask file is kept as it is.
            let Some(wanted) = wanted.collect::<Option<Vec<usize>>>() else { continue };
            // Mostly the images have been read for the formula already.
            let known =
                |plane: &usize| layer.planes.iter().position(|read| read == plane).filter(|_| halo == 0);
            let places: Vec<Option<usize>> = wanted.iter().map(known).collect();
            let missing: Vec<usize> = wanted
                .iter()
                .zip(&places)
                .filter(|(_, place)| place.is_none())
                .map(|(plane, _)| *plane)
                .collect();
            planes.resize_with(missing.len(), RawPlane::default);
            reader.read(&missing, wide, planes)?;
            let mut own = planes.iter();
            let sources: Vec<&RawPlane> = places
                .iter()
                .filter_map(|place| place.map_or_else(|| own.next(), |place| image.planes.get(place)))
                .collect();
            inputs.resize(sources.len() * ROW, 0.0);
            for row in 0..wide.rows {
                for first in (0..wide.cols).step_by(ROW) {
                    let columns = first..(first + ROW).min(wide.cols);
                    let width = columns.len();
                    for (source, to) in sources.iter().zip(inputs.chunks_exact_mut(width)) {
                        source.row(row, columns.clone(), to);
                    }
                    let to = if halo == 0 {
                        &mut image.masked[row * window.cols + first..][..width]
                    } else {
                        let (down, across) =
                            (wide.row + row + halo - window.row, wide.col + first + halo - window.col);
                        &mut grown[down * cols + across..][..width]
                    };
                    used.mask.row(width, &inputs[..sources.len() * width], scratch, program.outside, to);
                }
            }
        }
        if halo > 0 {
            mask::dilate(grown, (window.cols, window.rows), halo, dilate, &mut image.masked);
        }
        Ok(())
    }

    /// Takes the images of a step through the program, piece by piece.
    fn compute_step(
        &self,
        index: usize,
        step: Range<usize>,
        window: Window,
        worker: &mut StackWorker<'_>,
        product: &mut [u8],
    ) {
        let program = self.program;
        let size = program.cell_type.size();
        for row in 0..window.rows {
            for first in (0..window.cols).step_by(ROW) {
                let columns = first..(first + ROW).min(window.cols);
                let (width, cell) = (columns.len(), row * window.cols + first);
                for (layer, image) in program.layers[step.clone()].iter().zip(&worker.images) {
                    let place = (row, columns.clone(), cell);
                    self.evaluate(layer, image, place, &mut worker.rows, &mut worker.report);
                }
                let Rows { results, merges, .. } = &mut worker.rows;
                for (merge, results) in merges.iter_mut().zip(results.chunks_exact_mut(width)) {
                    merge.finish(results);
                }
                for (band, row) in results.chunks_exact(width).take(program.results()).enumerate() {
                    match worker.states.get_mut(band) {
                        Some(state) => state.feed(index, cell, row),
                        None => {
                            let to = (band * window.cells() + cell) * size;
                            worker.report.written +=
                                self.encoder.write(row, &mut product[to..to + width * size]);
                        }
                    }
                }
            }
        }
    }

    /// The results of one image for a piece of a row.
    pub(super) fn evaluate(
        &self,
        layer: &Layer,
        image: &Image,
        (row, columns, cell): (usize, Range<usize>, usize),
        rows: &mut Rows,
        report: &mut Report,
    ) {
        let program = self.program;
        let width = columns.len();
        let masked = image.masked.get(cell..cell + width);
        let inputs = &mut rows.inputs[..layer.values.len() * width];
        for (index, (place, to)) in layer.values.iter().zip(inputs.chunks_exact_mut(width)).enumerate() {
            image.planes[*place].row(row, columns.clone(), to);
            if let Some((scale, offset)) = layer.unscale.get(index) {
                to.iter_mut().for_each(|value| *value = *value * scale + offset);
            }
            if let (Some(masked), None) = (masked, program.where_masked) {
                mask::apply(masked, to);
            }
        }
        let results = &mut rows.results[..program.results() * width];
        match (&program.formula, &mut rows.scratch) {
            (Some(formula), Some(scratch)) => report.add_tally(formula.run(width, inputs, scratch, results)),
            _ => results.copy_from_slice(inputs),
        }
        for (band, result) in results.chunks_exact_mut(width).enumerate() {
            if let Some(rescale) = &program.rescale {
                report.add_clipped(rescale.row(result));
            }
            if let (Some(masked), Some(value)) = (masked, program.where_masked) {
                mask::apply_value(masked, value, result);
            }
            if let Some(merge) = rows.merges.get_mut(band) {
                merge.add(result);
            }
        }
    }

    /// Writes what the reductions found.
    fn finish(&self, window: Window, worker: &mut StackWorker<'_>, product: &mut [u8]) {
        let StackWorker { states, rows, finish: Some(scratch), report, .. } = worker else { return };
        let Some(plan) = &self.program.reduce else { return };
        let (size, statistics) = (self.program.cell_type.size(), plan.statistics());
        for (index, state) in states.iter().enumerate() {
            for group in 0..plan.groups() {
                let band = (index * plan.groups() + group) * statistics;
                for first in (0..window.cells()).step_by(ROW) {
                    let width = ROW.min(window.cells() - first);
                    let finished = &mut rows.finished[..statistics * width];
                    state.finish(group, first, width, finished, scratch);
                    for (statistic, row) in finished.chunks_exact(width).enumerate() {
                        let to = ((band + statistic) * window.cells() + first) * size;
                        report.written += self.encoder.write(row, &mut product[to..to + width * size]);
                    }
                }
            }
        }
    }
}

/// Bytes of all planes that a program reads, for estimates.
pub fn input_bytes(program: &StackProgram, planes: &[PlaneInfo]) -> u64 {
    let mut used: Vec<usize> = program
        .layers
        .iter()
        .flat_map(|layer| layer.planes.iter().copied().chain(layer.masks.iter().flatten().copied()))
        .collect();
    used.sort_unstable();
    used.dedup();
    let bytes = |plane: &usize| {
        let info = &planes[*plane];
        (info.layout.rows * info.layout.cols * info.cell_type.size()) as u64
    };
    used.iter().map(bytes).sum()
}
