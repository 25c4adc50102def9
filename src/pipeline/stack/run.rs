//! Runs a program over a stack: workers read a tile of one date after another and compute, the calling thread writes.

use super::encode::Encoder;
use super::io::{PlaneInfo, RawPlane, StackReader, StackSource};
use super::kept::{Kept, KeptReader};
use super::masks::MaskWorker;
use super::plan::StackPlan;
use super::program::{Layer, StackProgram};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{Aligned, CellsRef, Sink};
use crate::pipeline::profile::{Clock, Profile};
use crate::pipeline::run::{drive, Monitor, Tiling, Work};
use crate::stack::cells::{count_infinite, CellType, NodataValue, Written};
use crate::stack::expression::{Scratch, Tally};
use crate::stack::mask;
use crate::stack::reduce::{self, MergeScratch, State};
use crate::stack::rescale::{Clipped, Rescale};
use crate::stack::ROW;
use aligned_vec::AVec;
use std::ops::{AddAssign, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// What was done to cells on the way: nothing is changed silently.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Cells, image by image, that masks cover.
    pub masked: u64,
    /// Results of expressions that were infinite or no numbers, as after a division by zero, and infinite cells of files.
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
    let work = StackWork::new(program, plan, source, profile)?;
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
    kept: Option<Arc<Kept>>,
    pub(super) encoder: Encoder,
    /// For bands that say how opaque cells are.
    alpha_encoder: Encoder,
    /// Cells of the output are those that were read but for what is done to them, and 64-bit floats do not hold all of them.
    keeps_cells: bool,
    /// Layers that become one.
    pub(super) steps: Vec<Range<usize>>,
    /// Inputs of the formula that decide where results have no data.
    decisive: Vec<usize>,
    /// Results that no input decides.
    constants: Vec<usize>,
    /// Results may be infinite, and nobody has counted them.
    may_be_infinite: bool,
    pub(super) report: Mutex<Report>,
    pub(super) profile: Option<&'a Profile>,
}

/// One image in memory.
#[derive(Default)]
pub(super) struct Image {
    pub(super) planes: Vec<RawPlane>,
    /// Planes that only masks look at.
    pub(super) mask_planes: Vec<RawPlane>,
    /// A byte for each cell of the tile, 1 where a mask covers it; where masks grow, which a row alone cannot tell.
    pub(super) masked: Vec<u8>,
}

/// What one thread has for itself.
pub(super) struct StackWorker<'a> {
    reader: KeptReader<'a>,
    pub(super) images: Vec<Image>,
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
    masks: MaskWorker,
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
            reader: KeptReader::new(self.source.open()?, self.kept.clone()),
            images: (0..images).map(|_| Image::default()).collect(),
            rows: Rows {
                inputs: vec![0.0; inputs * ROW],
                results: vec![0.0; program.results() * ROW],
                finished: vec![0.0; statistics * ROW],
                scratch: program.formula.as_ref().map(|formula| formula.scratch()),
                merges: merge.map_or(Vec::new(), |merge| vec![merge.scratch(ROW); program.results()]),
                masks: MaskWorker::new(program),
            },
            states: Vec::new(),
            state_cells: 0,
            finish: program.reduce.as_ref().map(|plan| plan.scratch()),
            report: Report::default(),
            clock: Clock::of_worker(self.profile),
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

impl<'a> StackWork<'a> {
    pub(super) fn new(
        program: &'a StackProgram,
        plan: &'a StackPlan,
        source: &'a dyn StackSource,
        profile: Option<&'a Profile>,
    ) -> Result<Self> {
        let encoder = Encoder::of(program)?;
        let alpha_encoder = Encoder::new(program.cell_type, NodataValue::Unmarked)?;
        let inputs = program.layers.first().map_or(0, |layer| layer.values.len());
        let decisive =
            program.formula.as_ref().map_or_else(|| (0..inputs).collect(), |formula| formula.decisive());
        let constants = program.formula.as_ref().map_or_else(Vec::new, |formula| formula.constants());
        let may_be_infinite = may_be_infinite(program, source.planes());
        let (steps, report) = (program.steps(), Mutex::default());
        let kept = Kept::of(program, source.planes(), plan);
        Ok(Self {
            program,
            plan,
            source,
            kept,
            encoder,
            alpha_encoder,
            keeps_cells: keeps_cells(program, source.planes()),
            steps,
            decisive,
            constants,
            may_be_infinite,
            report,
            profile,
        })
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

    /// Reads images, and finds which of their cells are masked.
    pub(super) fn load(
        &self,
        layers: Range<usize>,
        window: Window,
        worker: &mut StackWorker<'_>,
    ) -> Result<()> {
        let program = self.program;
        worker.reader.begin(window);
        for (number, image) in layers.zip(&mut worker.images) {
            let planes = &program.layers[number].planes;
            image.planes.resize_with(planes.len(), RawPlane::default);
            worker.reader.read(planes, window, &mut image.planes)?;
            worker.clock.mark("read");
            let tile = (window, self.plan.raster);
            worker.rows.masks.load(program, number, tile, image, &mut worker.reader)?;
            worker.clock.mark("mask");
        }
        Ok(())
    }

    /// Takes the images of a step through the program, some cells at a time.
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
        for first in (0..window.cells()).step_by(ROW) {
            let cells = first..(first + ROW).min(window.cells());
            let width = cells.len();
            for (layer, image) in step.clone().zip(&worker.images) {
                self.evaluate(layer, image, cells.clone(), &mut worker.rows, &mut worker.report);
            }
            let Rows { results, merges, .. } = &mut worker.rows;
            for (merge, results) in merges.iter_mut().zip(results.chunks_exact_mut(width)) {
                merge.finish(results);
            }
            for (band, row) in results.chunks_exact(width).take(program.results()).enumerate() {
                match worker.states.get_mut(band) {
                    Some(state) => state.feed(index, first, row),
                    None => {
                        let to = (band * window.cells() + first) * size;
                        let to = &mut product[to..to + width * size];
                        let encoder =
                            if program.alphas.contains(&band) { &self.alpha_encoder } else { &self.encoder };
                        worker.report.written += match self.keeps_cells {
                            true => {
                                let place = program.layers[step.start].values[band];
                                encoder.keep(row, worker.images[0].planes[place].cells(cells.clone()), to)
                            }
                            false => encoder.write(row, to),
                        };
                    }
                }
            }
        }
    }

    /// The results of one image for some cells, counted row after row.
    pub(super) fn evaluate(
        &self,
        number: usize,
        image: &Image,
        cells: Range<usize>,
        rows: &mut Rows,
        report: &mut Report,
    ) {
        let program = self.program;
        let layer = &program.layers[number];
        let width = cells.len();
        let masked = rows.masks.cells(program, number, cells.clone(), image);
        report.masked += masked.map_or(0, mask::count);
        let results = &mut rows.results[..program.results() * width];
        let inputs = &mut rows.inputs[..layer.values.len() * width];
        // Without a formula what is read is the result.
        let read = if program.formula.is_some() { &mut *inputs } else { &mut *results };
        for (index, (place, to)) in layer.values.iter().zip(read.chunks_exact_mut(width)).enumerate() {
            let stays = program.where_masked.is_some_and(f64::is_finite) && program.alphas.contains(&index);
            let masked = masked.filter(|_| self.decisive.contains(&index) && !stays);
            image.planes[*place].numbers(cells.clone(), masked, to);
            if let Some((scale, offset)) = layer.unscale.get(index) {
                to.iter_mut().for_each(|value| *value = *value * scale + offset);
            }
        }
        if let (Some(formula), Some(scratch)) = (&program.formula, &mut rows.scratch) {
            report.add_tally(formula.run(width, inputs, scratch, results));
        }
        for (band, result) in results.chunks_exact_mut(width).enumerate() {
            if program.alphas.contains(&band) {
                continue;
            }
            if let Some(rescale) = &program.rescale {
                report.add_clipped(rescale.row(result));
            }
            if self.may_be_infinite {
                report.not_finite += count_infinite(result);
            }
            let burnt = program.where_masked.or(self.constants.contains(&band).then_some(f64::NAN));
            if let (Some(masked), Some(value)) = (masked, burnt) {
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

/// Whether results may be infinite that no formula has counted: cells of files, and what becomes of them.
fn may_be_infinite(program: &StackProgram, planes: &[PlaneInfo]) -> bool {
    let is_float = |plane: &usize| planes[*plane].cell_type.is_float();
    let of_layer = |layer: &Layer| !layer.unscale.is_empty() || layer.planes.iter().any(is_float);
    program.rescale.is_some() || program.formula.is_none() && program.layers.iter().any(of_layer)
}

/// Whether what is written has to be what was read, to the last bit.
fn keeps_cells(program: &StackProgram, planes: &[PlaneInfo]) -> bool {
    let same = |plane: &usize| planes[*plane].cell_type == program.cell_type;
    let of_layer = |layer: &Layer| layer.unscale.is_empty() && layer.planes.iter().all(same);
    matches!(program.cell_type, CellType::Int64 | CellType::UInt64)
        && program.formula.is_none()
        && program.reduce.is_none()
        && program.rescale.as_ref().is_none_or(Rescale::keeps_numbers)
        && program.layers.iter().all(of_layer)
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
        let cells = info.layout.rows as u64 * info.layout.cols as u64;
        cells.saturating_mul(info.cell_type.size() as u64)
    };
    used.iter().map(bytes).fold(0, u64::saturating_add)
}
