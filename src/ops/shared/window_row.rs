//! Heights as whole numbers, and rows of them on their way into the tables of `window_sums.rs`.
//!
//! How fine the numbers are depends on the window's size alone, so that the same heights become the same numbers in
//! every tile. Missing cells are 0 and counted apart.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use crate::core::prelude::*;
use multiversion::multiversion;

/// Heights from here on, either way, count as missing: their sums would not fit.
pub const LARGEST: f32 = (1 << 20) as f32;

/// Finest quantum: 2^-17 of a height unit, eight micrometres. Heights above 64 m are no finer in 32 bits.
const FINEST: u32 = 17;

/// Sums of squares up to here fit 64 bits, with some room for what rounding the limit itself does.
const MOST_SQUARES: f64 = ((1_u128 << 64) - (1 << 20)) as f64;

/// Adding this to a number below 2^51 leaves its nearest whole number in the low bits.
pub const ROUNDER: f64 = (3_u64 << 51) as f64;

/// The nearest whole number of a number below 2^51.
#[inline(always)]
pub fn nearest(number: f64) -> i64 {
    (number + ROUNDER).to_bits() as i64 - ROUNDER.to_bits() as i64
}

/// Cells of a square window.
pub fn window_cells(radius: usize) -> i64 {
    ((2 * radius + 1) * (2 * radius + 1)) as i64
}

/// Bits behind the point for windows up to `radius`. Depends on nothing else: the same heights must become the same
/// numbers in every tile. Squares of 180 m of relief fit 64 bits, and more in most windows.
pub fn quantum_bits(radius: usize) -> u32 {
    let bits = 64 - (window_cells(radius) as u64).leading_zeros();
    ((65 - bits) / 2 - 8).min(FINEST)
}

/// Bits behind the point of RVT's rounding errors, by the window's size alone. Squares of heights below 2^20 lose less
/// than 2^16: the errors of a whole window fit, and each can be rounded by `nearest`.
pub fn rounding_bits(radius: usize) -> u32 {
    let bits = 64 - (window_cells(radius) as u64).leading_zeros();
    (46 - bits).min(34)
}

/// Whole numbers per unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quanta {
    /// Of height.
    pub heights: f64,
    /// Of the rounding errors of squares.
    pub rounding: f64,
}

impl Quanta {
    /// As many as the windows up to `radius` allow.
    pub fn of(radius: usize) -> Self {
        let quanta = |bits: u32| (1_u64 << bits) as f64;
        Self { heights: quanta(quantum_bits(radius)), rounding: quanta(rounding_bits(radius)) }
    }
}

/// One row of cells on its way into the tables.
#[derive(Default)]
pub struct Row {
    /// Heights in quanta; a missing one is 0.
    pub heights: Vec<i64>,
    /// 1 where there is a height, 0 where it is missing; only where some are.
    pub valid: Vec<i32>,
    /// RVT's rounding errors; only where they are wanted.
    pub rounding: Vec<i64>,
}

impl Row {
    /// Takes in a row of cells; `missing` says that there may be missing ones, `exaggeration` is given when RVT's
    /// rounding is wanted.
    ///
    /// # Allocations: when the row is longer than any before.
    pub fn take(&mut self, cells: &[f32], quanta: Quanta, missing: bool, exaggeration: Option<f32>) {
        self.heights.resize(cells.len(), 0);
        quantise(cells, quanta.heights, &mut self.heights);
        if missing {
            self.valid.resize(cells.len(), 0);
            count(cells, &mut self.valid);
        }
        if let Some(exaggeration) = exaggeration {
            self.rounding.resize(cells.len(), 0);
            rounding_errors(cells, exaggeration, quanta.rounding, &mut self.rounding);
        }
    }
}

/// A row of cells with its margin, counted from the topmost row of the margin.
pub fn margined_row(tile: Tile<'_>, row: usize, margin: usize) -> &[f32] {
    tile.row(0, row as isize - margin as isize, 0..tile.cols(), margin)
}

/// What the ground of a tile is like, its margin included.
#[derive(Debug, Clone, Copy)]
pub struct Ground {
    /// Cells around the tile that were looked at.
    pub margin: usize,
    least: f32,
    most: f32,
    missing: bool,
}

impl Ground {
    /// Looks at all cells up to `margin` cells around the tile.
    pub fn around(tile: Tile<'_>, margin: usize) -> Self {
        let mut ground = Self { margin, least: f32::INFINITY, most: f32::NEG_INFINITY, missing: false };
        for row in 0..tile.rows() + 2 * margin {
            let (low, high, holes) = extremes(margined_row(tile, row, margin));
            ground.least = ground.least.min(low);
            ground.most = ground.most.max(high);
            ground.missing |= holes;
        }
        ground
    }

    /// Whether there are missing cells.
    pub fn has_holes(&self) -> bool {
        self.missing
    }

    /// Whether squares summed over a window of this radius may not fit 64 bits.
    pub fn is_tall(&self, radius: usize) -> bool {
        let quanta = (1_u64 << quantum_bits(radius)) as f64;
        // No cell differs from another by more than the span; half a quantum more for the rounding of either end.
        let span = (f64::from(self.most) - f64::from(self.least)).max(0.0) * quanta + 1.0;
        window_cells(radius) as f64 * span * span >= MOST_SQUARES
    }
}

/// Least and largest valid height, and whether any cell is missing.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn extremes(cells: &[f32]) -> (f32, f32, bool) {
    let (mut least, mut most, mut missing) = ([f32::INFINITY; 16], [f32::NEG_INFINITY; 16], [0_u32; 16]);
    let mut take = |lane: usize, cell: f32| {
        let valid = cell.abs() < LARGEST;
        least[lane] = if valid && cell < least[lane] { cell } else { least[lane] };
        most[lane] = if valid && cell > most[lane] { cell } else { most[lane] };
        missing[lane] |= u32::from(!valid);
    };
    let (blocks, rest) = cells.as_chunks::<16>();
    for block in blocks {
        for lane in 0..16 {
            take(lane, block[lane]);
        }
    }
    rest.iter().for_each(|cell| take(0, *cell));
    let least = least.into_iter().fold(f32::INFINITY, f32::min);
    let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
    (least, most, missing.into_iter().any(|lane| lane != 0))
}

/// Heights as whole numbers of quanta; a missing one is 0.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn quantise(cells: &[f32], quanta: f64, heights: &mut [i64]) {
    for (cell, height) in cells.iter().zip(heights) {
        *height = nearest(if cell.abs() < LARGEST { f64::from(*cell) * quanta } else { 0.0 });
    }
}

/// 1 where there is a height, 0 where it is missing.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count(cells: &[f32], valid: &mut [i32]) {
    for (cell, valid) in cells.iter().zip(valid) {
        *valid = i32::from(cell.abs() < LARGEST);
    }
}

/// What is lost when a height's square is rounded to 32 bits, in units of the heights without exaggeration.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn rounding_errors(cells: &[f32], exaggeration: f32, quanta: f64, errors: &mut [i64]) {
    let factor = quanta / (f64::from(exaggeration) * f64::from(exaggeration));
    for (cell, error) in cells.iter().zip(errors) {
        let there = cell.abs() < LARGEST && exaggeration != 0.0;
        let height = cell * exaggeration;
        let lost = f64::from(height * height) - f64::from(height) * f64::from(height);
        *error = nearest(if there { lost * factor } else { 0.0 });
    }
}
