//! Elevation deviation over windows of several radii: what DEV, maximum elevation deviation and MSTP share.
//!
//! `DEV_r = (z - mean_r) / (sd_r + 1e-6)` over the square of `2 r + 1` cells around the cell, valid cells only; a scale
//! is the DEV of largest amount over its radii, the smaller radius where two are equal. Beyond the raster's edge the
//! raster is mirrored, edge included, over and over. NaN in, NaN out; heights of 2^20 m and more count as missing.
//! Sums are exact (`window_sums.rs`). Under RVT compatibility squares are rounded to 32 bits before they are summed.
//! Cost: eight look-ups per cell and radius, whatever the radius.

use super::deviation_row::{drop_missing, keep_largest, lighten, Factors};
use super::window_sums::{quantise, window_cells, Needs, WindowSums};
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Columns computed together: the table rows of all radii stay in a core's second-level cache.
const BLOCK: usize = 512;

/// Radii in cells: the first, the last that is reached, the step between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    min: usize,
    max: usize,
    step: usize,
}

impl Scale {
    /// One radius.
    pub fn single(radius: usize) -> Self {
        Self { min: radius, max: radius, step: 1 }
    }

    /// Radii from `min` to `max`, in steps; `prefix` is what the parameters' names begin with.
    pub fn new(prefix: &str, [min, max, step]: [Length; 3], grid: &Grid) -> Result<Self> {
        let [min, max, step] = [min, max, step].map(|length| length.cells(grid));
        if min > max || (min < max && step > max - min) {
            return Err(Error::Argument(format!(
                "{prefix}_min = {min}, {prefix}_max = {max}, {prefix}_step = {step} (cells) are not allowed together; \
                 allowed: {prefix}_min at most {prefix}_max, and a step that stays between them"
            )));
        }
        Ok(Self { min, max: max - (max - min) % step, step })
    }
}

/// What becomes of the deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown {
    /// They stay, with their sign.
    Signed,
    /// `1 - exp(-lightness * |DEV|)`.
    Light(f32),
}

/// One band per scale.
pub struct Deviation {
    scales: Vec<Scale>,
    shown: Shown,
    exaggeration: f64,
    compatibility: Compatibility,
    /// Memory of tiles that are done.
    spare: Mutex<Vec<Work>>,
}

/// What a tile needs.
#[derive(Default)]
struct Work {
    sums: WindowSums,
    heights: Vec<i64>,
    valid: Vec<i32>,
    /// Deviations: scale by scale, row by row.
    found: Vec<f32>,
}

impl Deviation {
    /// A kernel for these scales.
    pub fn new(scales: Vec<Scale>, shown: Shown, exaggeration: f64, compatibility: Compatibility) -> Self {
        Self { scales, shown, exaggeration, compatibility, spare: Mutex::default() }
    }

    /// The factor on heights before their squares are rounded, where they are.
    fn rounded(&self) -> Option<f32> {
        (self.compatibility == Compatibility::Rvt).then_some(self.exaggeration as f32)
    }

    /// Fills `work.found` for all scales.
    fn search_all(&self, tile: Tile<'_>, work: &mut Work) {
        // The widest first: the others find its tables large enough, and sometimes as fine as theirs would be.
        let mut order: Vec<usize> = (0..self.scales.len()).collect();
        order.sort_by_key(|number| std::cmp::Reverse(self.scales[*number].max));
        let mut loaded = None;
        for number in order {
            let scale = self.scales[number];
            let needs = match loaded {
                Some(needs) if work.sums.serves(scale.max, self.rounded().is_some()) => needs,
                _ => work.sums.load(tile, scale.max, self.rounded()),
            };
            self.search(tile, (scale, needs), number, work);
            loaded = Some(needs);
        }
    }

    /// Fills `work.found` for one scale.
    fn search(&self, tile: Tile<'_>, (scale, needs): (Scale, Needs), number: usize, work: &mut Work) {
        let (rows, cols) = (tile.rows(), tile.cols());
        let first = number * rows * cols;
        for start in (0..cols).step_by(BLOCK) {
            let columns = start..(start + BLOCK).min(cols);
            // Rows a step apart look up the same table rows, one radius further on: they follow one another.
            for residue in 0..scale.step.min(rows) {
                for row in (residue..rows).step_by(scale.step) {
                    let place = first + row * cols;
                    self.search_row(tile, (row, &columns), (scale, needs), place, work);
                }
            }
        }
    }

    fn search_row(
        &self,
        tile: Tile<'_>,
        (row, columns): (usize, &Range<usize>),
        (scale, needs): (Scale, Needs),
        place: usize,
        work: &mut Work,
    ) {
        let cells = tile.row(row, 0, columns.clone(), 0);
        let heights = &mut work.heights[..columns.len()];
        quantise(cells, work.sums.quanta().heights, heights, &mut work.valid[..columns.len()]);
        let best = &mut work.found[place + columns.start..place + columns.end];
        best.fill(0.0);
        for radius in (scale.min..=scale.max).step_by(scale.step) {
            let factors = Factors {
                cells: window_cells(radius),
                quanta: work.sums.quanta(),
                exaggeration: self.exaggeration,
            };
            keep_largest(&work.sums.corners(row, columns, radius, needs), heights, factors, best);
        }
        drop_missing(cells, best);
    }
}

impl Kernel for Deviation {
    fn bands(&self) -> usize {
        self.scales.len()
    }

    fn radius(&self) -> usize {
        self.scales.iter().map(|scale| scale.max).max().unwrap_or(0)
    }

    fn edge(&self) -> Edge {
        Edge::Symmetric
    }

    fn tile_memory(&self, rows: usize, cols: usize) -> usize {
        // The scales take turns in the same tables.
        WindowSums::bytes(rows, cols, self.radius(), self.rounded().is_some())
            + rows * cols * self.scales.len() * 4
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut work = spare.unwrap_or_default();
        let size = self.scales.len() * tile.rows() * tile.cols();
        if work.found.len() < size {
            work.found = vec![0.0; size];
        }
        work.heights.resize(BLOCK, 0);
        work.valid.resize(BLOCK, 0);
        self.search_all(tile, &mut work);
        Box::new(OnTile { kernel: self, tile, work })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A tile whose deviations are found: rows are copied.
struct OnTile<'a> {
    kernel: &'a Deviation,
    tile: Tile<'a>,
    work: Work,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let (rows, cols) = (self.tile.rows(), self.tile.cols());
        for (number, mut out) in out.outer_iter_mut().enumerate() {
            let place = (number * rows + row) * cols;
            let found = &self.work.found[place + columns.start..place + columns.end];
            let out = out.as_slice_mut().expect("rows of output are contiguous");
            match self.kernel.shown {
                Shown::Signed => out.copy_from_slice(found),
                Shown::Light(lightness) => lighten(found, lightness, out),
            }
        }
    }
}

impl Drop for OnTile<'_> {
    fn drop(&mut self) {
        let work = std::mem::take(&mut self.work);
        self.kernel.spare.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }
}

#[cfg(test)]
#[path = "deviation_tests.rs"]
mod tests;
