//! Elevation deviation over windows of several radii: what DEV, maximum elevation deviation and MSTP share.
//!
//! `DEV_r = (z - mean_r) / (sd_r + 1e-6)` over the square of `2 r + 1` cells around the cell, valid cells only; a scale
//! is the DEV of largest amount over its radii, the smaller radius where two are equal. Beyond the raster's edge the
//! raster is mirrored, edge included, over and over. NaN in, NaN out; heights of 2^20 m and more count as missing.
//! Sums are exact (`window_sums.rs`). Under RVT compatibility squares are rounded to 32 bits before they are summed.
//! Cost: eight look-ups per cell and radius, whatever the radius. Tables are filled for the tile and its margin, once for
//! all scales whose numbers are equally fine.

use super::deviation_row::{drop_missing, keep_largest, lighten, Factors};
use super::window_row::{quantise, window_cells, Ground};
use super::window_sums::{batch, serves, WindowSums};
use crate::core::prelude::*;
use ndarray::{s, ArrayViewMut2, ArrayViewMut3};
use std::any::Any;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Columns computed together: the table rows of all radii stay in a core's second-level cache, and not much more of them
/// is read than stands above and below these columns.
const BLOCK: usize = 1024;

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
    /// Results: scale by scale, row by row.
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

    /// Fills `out` for all scales.
    fn search_all(&self, tile: Tile<'_>, work: &mut Work, out: &mut ArrayViewMut3<'_, f32>) {
        // The widest first: it is served by its own tables only, and serves those that are equally fine.
        let mut order: Vec<usize> = (0..self.scales.len()).collect();
        order.sort_by_key(|number| std::cmp::Reverse(self.scales[*number].max));
        let (rounded, ground) = (self.rounded(), Ground::around(tile, self.radius()));
        while let Some(widest) = order.first().map(|number| self.scales[*number].max) {
            let (together, others): (Vec<_>, _) = order
                .into_iter()
                .partition(|number| serves(widest, self.scales[*number].max, rounded.is_some()));
            order = others;
            work.sums.start(tile, widest, rounded, ground);
            let rows = batch(widest, tile.rows());
            for start in (0..tile.rows()).step_by(rows) {
                let end = (start + rows).min(tile.rows());
                work.sums.slide(tile, end);
                for number in &together {
                    self.search(tile, start..end, *number, work, out);
                }
            }
        }
    }

    /// Fills the band of scale `number` of `out` in `rows`.
    fn search(
        &self,
        tile: Tile<'_>,
        rows: Range<usize>,
        number: usize,
        work: &mut Work,
        out: &mut ArrayViewMut3<'_, f32>,
    ) {
        let scale = self.scales[number];
        for start in (0..tile.cols()).step_by(BLOCK) {
            let columns = start..(start + BLOCK).min(tile.cols());
            // Rows a step apart look up the same table rows, one radius further on: they follow one another.
            for residue in 0..scale.step.min(rows.len()) {
                for row in (rows.start + residue..rows.end).step_by(scale.step) {
                    let out = out.slice_mut(s![number, row, columns.clone()]);
                    let out = out.into_slice().expect("rows of output are contiguous");
                    self.search_row(tile, (row, &columns), scale, work, out);
                }
            }
        }
    }

    fn search_row(
        &self,
        tile: Tile<'_>,
        (row, columns): (usize, &Range<usize>),
        scale: Scale,
        work: &mut Work,
        out: &mut [f32],
    ) {
        let cells = tile.row(row, 0, columns.clone(), 0);
        let heights = &mut work.heights[..columns.len()];
        quantise(cells, work.sums.quanta().heights, heights);
        out.fill(0.0);
        for radius in (scale.min..=scale.max).step_by(scale.step) {
            let factors = Factors {
                cells: window_cells(radius),
                quanta: work.sums.quanta(),
                exaggeration: self.exaggeration,
            };
            keep_largest(&work.sums.corners(row, columns, radius), heights, factors, out);
        }
        drop_missing(cells, out);
        if let Shown::Light(lightness) = self.shown {
            lighten(out, lightness);
        }
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
        work.heights.resize(BLOCK, 0);
        Box::new(OnTile { kernel: self, tile, work, found: false })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// One tile. Its rows share too much to be computed one by one: the first that is asked for finds them all.
struct OnTile<'a> {
    kernel: &'a Deviation,
    tile: Tile<'a>,
    work: Work,
    /// `work.found` is filled.
    found: bool,
}

impl OnTile<'_> {
    fn find(&mut self) {
        let shape = (self.kernel.scales.len(), self.tile.rows(), self.tile.cols());
        let size = shape.0 * shape.1 * shape.2;
        let mut found = std::mem::take(&mut self.work.found);
        if found.len() < size {
            found = vec![0.0; size];
        }
        let mut out = ArrayViewMut3::from_shape(shape, &mut found[..size]).expect("room for the tile");
        self.whole(&mut out);
        self.work.found = found;
        self.found = true;
    }
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        if !self.found {
            self.find();
        }
        let (rows, cols) = (self.tile.rows(), self.tile.cols());
        for (number, mut out) in out.outer_iter_mut().enumerate() {
            let place = (number * rows + row) * cols;
            let found = &self.work.found[place + columns.start..place + columns.end];
            out.as_slice_mut().expect("rows of output are contiguous").copy_from_slice(found);
        }
    }

    fn whole(&mut self, out: &mut ArrayViewMut3<'_, f32>) -> bool {
        self.kernel.search_all(self.tile, &mut self.work, out);
        true
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
