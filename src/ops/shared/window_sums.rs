//! Sums of heights and of their squares over any square of a tile, from four look-ups each.
//!
//! Heights become whole numbers of quanta and the tables hold, for every cell, the sum of all cells above and to the
//! left of it, modulo 2^64: a difference of table entries is exact as long as the sum it stands for fits, however
//! often the table itself has wrapped. So the sums are the same for every tile. Squares of heights are taken about a
//! whole number next to the window's mean, which leaves `n` times the variance: it fits unless a window of steep and
//! high ground is wide. Where a tile's heights span so much that it might not, a third table of rounded sums tells how
//! many times 2^64 are missing. Missing cells add nothing; they are counted only in tiles that have some.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use crate::core::prelude::*;
use multiversion::multiversion;
use std::ops::Range;

/// Heights from here on, either way, count as missing: their sums would not fit.
pub const LARGEST: f32 = (1 << 20) as f32;

/// Finest quantum: 2^-17 of a height unit, eight micrometres. Heights above 64 m are no finer in 32 bits.
const FINEST: u32 = 17;

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
/// numbers in every tile. 256 m of relief and more need no third table.
pub fn quantum_bits(radius: usize) -> u32 {
    let bits = 64 - (window_cells(radius) as u64).leading_zeros();
    ((65 - bits) / 2 - 8).min(FINEST)
}

/// Bits behind the point of RVT's rounding errors, by the window's size alone. Squares of heights below 2^20 lose less than 2^16:
/// the errors of a whole window fit, and each can be rounded by `nearest`.
fn rounding_bits(radius: usize) -> u32 {
    let bits = 64 - (window_cells(radius) as u64).leading_zeros();
    (46 - bits).min(34)
}

/// Which tables a tile needs beside heights and squares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Numbers of valid cells: some are missing.
    pub counts: bool,
    /// Rounded squares: the exact ones may have wrapped.
    pub tall: bool,
    /// RVT's rounding errors.
    pub rounding: bool,
}

/// Whole numbers per unit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quanta {
    /// Of height.
    pub heights: f64,
    /// Of the rounding errors of squares.
    pub rounding: f64,
}

/// Tables of one tile and scale. Kept from tile to tile: fresh pages of this size cost as much as filling them.
#[derive(Default)]
pub struct WindowSums {
    radius: usize,
    quanta: Quanta,
    stride: usize,
    heights: Vec<i64>,
    squares: Vec<i64>,
    counts: Vec<i32>,
    tall: Vec<f64>,
    rounding: Vec<i64>,
    row: Row,
}

/// One row of cells on its way into the tables.
#[derive(Default)]
struct Row {
    heights: Vec<i64>,
    valid: Vec<i32>,
    rounding: Vec<i64>,
}

impl Row {
    /// Takes in a row of cells; the rounding errors only when an exaggeration is given.
    fn take(&mut self, cells: &[f32], quanta: Quanta, exaggeration: Option<f32>) {
        quantise(cells, quanta.heights, &mut self.heights, &mut self.valid);
        if let Some(exaggeration) = exaggeration {
            rounding_errors(cells, exaggeration, quanta.rounding, &mut self.rounding);
        }
    }
}

/// The four corners of a row of windows in one table.
pub type Corners<'a, T> = [&'a [T]; 4];

impl WindowSums {
    /// Bytes of the tables for a tile, at most.
    pub fn bytes(rows: usize, cols: usize, radius: usize, rounding: bool) -> usize {
        let cells = (rows + 2 * radius + 1) * (cols + 2 * radius + 1);
        // Heights, squares, rounded squares, counts.
        cells * (8 + 8 + 8 + 4 + if rounding { 8 } else { 0 })
    }

    /// Fills the tables for windows up to `radius`. `exaggeration` is given when RVT's rounding is wanted.
    pub fn load(&mut self, tile: Tile<'_>, radius: usize, exaggeration: Option<f32>) -> Needs {
        let (rows, cols) = (tile.rows() + 2 * radius, tile.cols() + 2 * radius);
        (self.radius, self.stride) = (radius, cols + 1);
        let quanta = |bits: u32| (1_u64 << bits) as f64;
        self.quanta =
            Quanta { heights: quanta(quantum_bits(radius)), rounding: quanta(rounding_bits(radius)) };
        let cells = |row: usize| tile.row(0, row as isize - radius as isize, 0..tile.cols(), radius);
        let needs = needs((0..rows).map(cells), radius, exaggeration.is_some());
        let size = (rows + 1) * self.stride;
        make_room(&mut self.heights, size);
        make_room(&mut self.squares, size);
        make_room(&mut self.counts, if needs.counts { size } else { 0 });
        make_room(&mut self.tall, if needs.tall { size } else { 0 });
        make_room(&mut self.rounding, if needs.rounding { size } else { 0 });
        make_room(&mut self.row.heights, cols);
        make_room(&mut self.row.valid, cols);
        make_room(&mut self.row.rounding, cols);
        for row in 0..rows {
            self.row.take(cells(row), self.quanta, exaggeration);
            self.add_row(row, cols, needs);
        }
        needs
    }

    fn add_row(&mut self, row: usize, cols: usize, needs: Needs) {
        let heights = &self.row.heights[..cols];
        let place = (row, self.stride);
        add_heights(heights, place, &mut self.heights, &mut self.squares);
        if needs.counts {
            let valid = &self.row.valid[..cols];
            accumulate(valid, place, &mut self.counts, i32::wrapping_add, |valid| valid);
        }
        if needs.tall {
            accumulate(
                heights,
                place,
                &mut self.tall,
                |a, b| a + b,
                |height| (height as f64) * (height as f64),
            );
        }
        if needs.rounding {
            let errors = &self.row.rounding[..cols];
            accumulate(errors, place, &mut self.rounding, i64::wrapping_add, |error| error);
        }
    }

    /// Whether windows up to `radius` may be read from the tables as loaded: they are in them and equally fine.
    pub fn serves(&self, radius: usize, rounding: bool) -> bool {
        let fine = |radius| (quantum_bits(radius), if rounding { rounding_bits(radius) } else { 0 });
        radius <= self.radius && fine(radius) == fine(self.radius)
    }

    /// How fine the numbers are.
    pub fn quanta(&self) -> Quanta {
        self.quanta
    }

    /// Where the corners of the windows of `radius` around `columns` of `row` stand.
    fn places(&self, row: usize, columns: &Range<usize>, radius: usize) -> [usize; 4] {
        let (top, left) = (row + self.radius - radius, columns.start + self.radius - radius);
        let (bottom, right) = (top + 2 * radius + 1, left + 2 * radius + 1);
        [(top, left), (top, right), (bottom, left), (bottom, right)].map(|(row, col)| row * self.stride + col)
    }

    /// Corners of a row of windows: in heights, squares, and what `needs` says, else empty.
    pub fn corners(&self, row: usize, columns: &Range<usize>, radius: usize, needs: Needs) -> RowSums<'_> {
        let places = self.places(row, columns, radius);
        let width = columns.len();
        RowSums {
            heights: cut(&self.heights, places, width),
            squares: cut(&self.squares, places, width),
            counts: cut(&self.counts, places, if needs.counts { width } else { 0 }),
            tall: cut(&self.tall, places, if needs.tall { width } else { 0 }),
            rounding: cut(&self.rounding, places, if needs.rounding { width } else { 0 }),
            needs,
        }
    }
}

/// Corners of a row of windows in every table.
pub struct RowSums<'a> {
    /// Sums of heights.
    pub heights: Corners<'a, i64>,
    /// Sums of their squares.
    pub squares: Corners<'a, i64>,
    /// Numbers of valid cells, or empty.
    pub counts: Corners<'a, i32>,
    /// Rounded sums of squares, or empty.
    pub tall: Corners<'a, f64>,
    /// RVT's rounding errors, or empty.
    pub rounding: Corners<'a, i64>,
    /// Which of them are there.
    pub needs: Needs,
}

fn cut<T>(table: &[T], places: [usize; 4], width: usize) -> Corners<'_, T> {
    if width == 0 {
        return [&[]; 4];
    }
    places.map(|place| &table[place..place + width])
}

/// Room for `length` numbers. What was there goes first: both together would not be in the plan.
fn make_room<T: Copy + Default>(numbers: &mut Vec<T>, length: usize) {
    if numbers.len() < length {
        *numbers = Vec::new();
        *numbers = vec![T::default(); length];
    }
}

/// Which tables these cells need.
fn needs<'a>(rows: impl Iterator<Item = &'a [f32]>, radius: usize, rounding: bool) -> Needs {
    let (mut least, mut most, mut missing) = (f32::INFINITY, f32::NEG_INFINITY, false);
    for row in rows {
        let (low, high, holes) = extremes(row);
        (least, most, missing) = (least.min(low), most.max(high), missing | holes);
    }
    // No variance is above a quarter of the square of the span; a quantum more for the rounding of either end.
    let span = (f64::from(most) - f64::from(least)).max(0.0) * (1_u64 << quantum_bits(radius)) as f64 + 2.0;
    let largest = window_cells(radius) as f64 * (span * span / 4.0 + 1.0);
    Needs { counts: missing, tall: largest >= (1_u64 << 62) as f64, rounding }
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
pub fn quantise(cells: &[f32], quanta: f64, heights: &mut [i64], valid: &mut [i32]) {
    for ((cell, height), valid) in cells.iter().zip(heights).zip(valid) {
        let there = cell.abs() < LARGEST;
        *height = nearest(if there { f64::from(*cell) * quanta } else { 0.0 });
        *valid = i32::from(there);
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

/// Adds a row of heights to the tables of heights and of squares.
fn add_heights(cells: &[i64], (row, stride): (usize, usize), heights: &mut [i64], squares: &mut [i64]) {
    let (above, below) = heights[row * stride..][..2 * stride].split_at_mut(stride);
    let (above_squares, below_squares) = squares[row * stride..][..2 * stride].split_at_mut(stride);
    if row == 0 {
        above.fill(0);
        above_squares.fill(0);
    }
    (below[0], below_squares[0]) = (0, 0);
    let (above, below) = (&above[1..=cells.len()], &mut below[1..=cells.len()]);
    let (above_squares, below_squares) =
        (&above_squares[1..=cells.len()], &mut below_squares[1..=cells.len()]);
    let (mut sum, mut square_sum) = (0_i64, 0_i64);
    for col in 0..cells.len() {
        sum = sum.wrapping_add(cells[col]);
        square_sum = square_sum.wrapping_add(cells[col].wrapping_mul(cells[col]));
        below[col] = above[col].wrapping_add(sum);
        below_squares[col] = above_squares[col].wrapping_add(square_sum);
    }
}

/// Adds a row to one table.
fn accumulate<From: Copy, To: Copy + Default>(
    cells: &[From],
    (row, stride): (usize, usize),
    table: &mut [To],
    add: impl Fn(To, To) -> To,
    value: impl Fn(From) -> To,
) {
    let (above, below) = table[row * stride..][..2 * stride].split_at_mut(stride);
    if row == 0 {
        above.fill(To::default());
    }
    below[0] = To::default();
    let mut sum = To::default();
    for ((cell, above), below) in cells.iter().zip(&above[1..]).zip(&mut below[1..]) {
        sum = add(sum, value(*cell));
        *below = add(*above, sum);
    }
}
