//! Results of a stack as rasters that the layers of a picture show, computed tile by tile where they are wanted.

use super::io::StackSource;
use super::plan::StackPlan;
use super::program::StackProgram;
use super::run::{Report, StackWork, StackWorker};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{Aligned, Layout, Reader, Source};
use crate::pipeline::plan::LayerNeeds;
use crate::pipeline::run::Work;
use crate::stack::cells::{CellType, NodataValue};
use aligned_vec::AVec;
use ndarray::ArrayViewMut2;
use std::sync::{Arc, Mutex, PoisonError};

/// A stack and what is computed of it.
pub struct StackLayers<S> {
    program: StackProgram,
    source: S,
    /// In which pieces.
    plan: StackPlan,
    /// Results that layers show, among those of the program.
    bands: Vec<usize>,
    report: Mutex<Report>,
}

/// One result of a stack as a raster.
pub struct StackLayer<S> {
    stack: Arc<StackLayers<S>>,
    /// Its place among the results that layers show.
    number: usize,
}

impl<S: StackSource> StackLayers<S> {
    /// `bands` are results of the program. Each worker takes at most about `memory` for a piece.
    pub fn new(
        program: StackProgram,
        source: S,
        bands: Vec<usize>,
        (threads, memory): (usize, usize),
    ) -> Result<Self> {
        if program.cell_type != CellType::Float32 || program.nodata != NodataValue::Usual {
            return Err(Error::Internal("a layer of a stack in another type than pictures have".into()));
        }
        let plan = StackPlan::of_layer(&program, source.planes(), (threads, memory))?;
        Ok(Self { program, source, plan, bands, report: Mutex::default() })
    }

    /// The rasters that layers show.
    pub fn layers(self) -> Vec<StackLayer<S>> {
        let stack = Arc::new(self);
        (0..stack.bands.len()).map(|number| StackLayer { stack: Arc::clone(&stack), number }).collect()
    }

    fn work(&self) -> Result<StackWork<'_>> {
        StackWork::new(&self.program, &self.plan, &self.source, None)
    }

    fn layout(&self) -> Layout {
        let StackPlan { size: (rows, cols), tile_rows, tile_cols, .. } = self.plan;
        Layout { rows, cols, block_rows: tile_rows, block_cols: tile_cols }
    }
}

impl<S: StackSource> StackLayer<S> {
    /// Whether it is computed together with another one.
    pub fn is_first(&self) -> bool {
        self.number == 0
    }

    /// The bands of the rasters beneath.
    pub fn source(&self) -> &S {
        &self.stack.source
    }

    /// What was done to cells since the last call.
    pub fn take_report(&self) -> Report {
        std::mem::take(&mut self.stack.report.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the stack asks of a plan, once for all its layers. `reader` and `shared` are what its source holds for each
    /// worker, and for all.
    pub fn add_needs(&self, needs: &mut LayerNeeds, (reader, shared): (usize, usize)) {
        needs.pieces = needs.pieces.saturating_add(self.stack.plan.memory);
        needs.readers = needs.readers.saturating_add(reader);
        needs.shared = needs.shared.saturating_add(shared);
        needs.cell_bytes += size_of::<f32>() * self.stack.bands.len();
        let planes = self.stack.source.planes();
        needs.striped |= planes.iter().any(|plane| plane.layout.is_striped());
    }
}

impl<S: StackSource + Send> Source for StackLayer<S> {
    fn layout(&self) -> Layout {
        self.stack.layout()
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        let work = self.stack.work()?;
        let worker = work.worker()?;
        let (product, cells) = (AVec::new(64), Vec::new());
        let report = &self.stack.report;
        Ok(Box::new(LayerReader {
            work,
            worker,
            product,
            cells,
            window: None,
            bands: &self.stack.bands,
            report,
        }))
    }

    fn shared(&self) -> Option<(usize, usize)> {
        Some((Arc::as_ptr(&self.stack) as usize, self.number))
    }
}

/// One worker's results: those of all layers for the window that was read last.
struct LayerReader<'a> {
    work: StackWork<'a>,
    worker: StackWorker<'a>,
    /// A piece, all results of the program.
    product: Aligned<u8>,
    /// The window, results that layers show one after the other.
    cells: Vec<f32>,
    window: Option<Window>,
    bands: &'a [usize],
    report: &'a Mutex<Report>,
}

impl Drop for LayerReader<'_> {
    fn drop(&mut self) {
        let report = std::mem::take(&mut *self.work.report.lock().unwrap_or_else(PoisonError::into_inner));
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) += report;
    }
}

impl Reader for LayerReader<'_> {
    fn read(&mut self, window: Window, out: ArrayViewMut2<'_, f32>) -> Result<()> {
        self.read_one(0, window, out, &|| true)
    }

    fn read_one(
        &mut self,
        number: usize,
        window: Window,
        mut out: ArrayViewMut2<'_, f32>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        if self.window != Some(window) {
            self.window = None;
            self.compute(window, proceed)?;
            self.window = Some(window);
        }
        let cells = &self.cells[number * window.cells()..][..window.cells()];
        for (mut to, from) in out.outer_iter_mut().zip(cells.chunks_exact(window.cols)) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

impl LayerReader<'_> {
    /// Fills a window piece by piece: pieces are parts of the rasters' blocks, wherever the window stands.
    fn compute(&mut self, window: Window, proceed: &dyn Fn() -> bool) -> Result<()> {
        self.cells.resize(self.bands.len() * window.cells(), 0.0);
        let StackPlan { tile_rows, tile_cols, .. } = *self.work.plan;
        for rows in pieces(window.row, window.rows, tile_rows) {
            for cols in pieces(window.col, window.cols, tile_cols) {
                let piece = Window { row: rows.0, col: cols.0, rows: rows.1, cols: cols.1 };
                self.work.compute((0, piece), &mut self.worker, &mut self.product, proceed)?;
                let product: &[f32] = bytemuck::cast_slice(&self.product);
                for (number, band) in self.bands.iter().enumerate() {
                    let from = product[band * piece.cells()..].chunks_exact(piece.cols).take(piece.rows);
                    for (row, from) in from.enumerate() {
                        let first = (piece.row - window.row + row) * window.cols + piece.col - window.col;
                        self.cells[number * window.cells() + first..][..piece.cols].copy_from_slice(from);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Starts and lengths of the pieces of `length` cells from `first` on, cut at multiples of `side`.
fn pieces(first: usize, length: usize, side: usize) -> impl Iterator<Item = (usize, usize)> {
    let end = first + length;
    let cut = move |index: usize| ((index * side).max(first), ((index + 1) * side).min(end));
    (first / side..end.div_ceil(side)).map(cut).map(|(start, end)| (start, end - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_where_blocks_end() {
        let of = |first, length, side| pieces(first, length, side).collect::<Vec<_>>();
        assert_eq!(of(0, 10, 4), [(0, 4), (4, 4), (8, 2)]);
        assert_eq!(of(3, 6, 4), [(3, 1), (4, 4), (8, 1)]);
        assert_eq!(of(5, 2, 4), [(5, 2)]);
        assert_eq!(of(4, 4, 4), [(4, 4)]);
    }
}
