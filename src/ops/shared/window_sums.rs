//! Sums of heights and of their squares over any square of a tile, from four look-ups each.
//!
//! Heights become whole numbers of quanta and the tables hold, for every cell, the sum of all cells above and to the
//! left of it, modulo 2^64: a difference of table entries is exact as long as the sum it stands for fits, however
//! often the table itself has wrapped. So the sums are the same for every tile. Squares of heights are taken about a
//! cell's own height, which leaves little more than `n` times the variance: it fits unless a window of steep and high
//! ground is wide. Where a tile's heights span so much that it might not, a third table of rounded sums tells how many
//! times 2^64 are missing. Missing cells add nothing; they are counted only in tiles that have some.
//!
//! The tables slide down the tile: they hold the rows that a batch of rows of windows looks up, and a new row takes the
//! place of the oldest.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::window_row::{margined_row, quantum_bits, rounding_bits, Ground, Quanta, Row};
use crate::core::prelude::*;
use std::ops::Range;

/// Fewest rows worth a slide of the tables.
const LEAST_BATCH: usize = 64;

/// Rows of windows that are looked up before the tables slide on: as many as a window is high. Fewer would leave less
/// for windows of different rows to share in the caches, more would only take memory.
pub fn batch(radius: usize, rows: usize) -> usize {
    (2 * radius).max(LEAST_BATCH).min(rows)
}

/// Which tables a tile needs beside heights and squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Numbers of valid cells: some are missing.
    pub counts: bool,
    /// Rounded squares: the exact ones may have wrapped.
    pub tall: bool,
    /// RVT's rounding errors.
    pub rounding: bool,
}

/// Tables of one tile and scale. Kept from tile to tile: fresh pages of this size cost as much as filling them.
#[derive(Default)]
pub struct WindowSums {
    radius: usize,
    quanta: Quanta,
    exaggeration: Option<f32>,
    needs: Needs,
    stride: usize,
    /// Rows that the tables hold.
    held: usize,
    /// Rows filled since the start of the tile: row `n` stands in place `n % held`. Row 0 is the empty sum.
    filled: usize,
    heights: Vec<i64>,
    squares: Vec<i64>,
    counts: Vec<i32>,
    tall: Vec<f64>,
    rounding: Vec<i64>,
    row: Row,
}

/// The four corners of a row of windows in one table.
pub type Corners<'a, T> = [&'a [T]; 4];

impl WindowSums {
    /// Bytes of the tables for a tile, at most.
    pub fn bytes(rows: usize, cols: usize, radius: usize, rounding: bool) -> usize {
        let cells = held(radius, rows) * (cols + 2 * radius + 1);
        // Heights, squares, rounded squares, counts.
        cells * (8 + 8 + 8 + 4 + if rounding { 8 } else { 0 })
    }

    /// Makes ready for the windows of `tile` up to `radius`; `around` is about them or more. `exaggeration` is given
    /// when RVT's rounding is wanted.
    pub fn start(&mut self, tile: Tile<'_>, radius: usize, exaggeration: Option<f32>, around: Ground) {
        let cols = tile.cols() + 2 * radius;
        let plain = !around.has_holes() && !around.is_tall(radius);
        let ground = if plain || around.margin == radius { around } else { Ground::around(tile, radius) };
        let (counts, tall, rounding) = (ground.has_holes(), ground.is_tall(radius), exaggeration.is_some());
        let needs = Needs { counts, tall, rounding };
        (self.radius, self.quanta, self.exaggeration) = (radius, Quanta::of(radius), exaggeration);
        (self.needs, self.stride) = (needs, cols + 1);
        (self.held, self.filled) = (held(radius, tile.rows()), 1);
        let size = self.held * self.stride;
        make_room(&mut self.heights, size);
        make_room(&mut self.squares, size);
        make_room(&mut self.counts, if needs.counts { size } else { 0 });
        make_room(&mut self.tall, if needs.tall { size } else { 0 });
        make_room(&mut self.rounding, if needs.rounding { size } else { 0 });
        clear(&mut self.heights, self.stride);
        clear(&mut self.squares, self.stride);
        clear(&mut self.counts, self.stride);
        clear(&mut self.tall, self.stride);
        clear(&mut self.rounding, self.stride);
    }

    /// Slides the tables down until they serve the rows of windows before `end`. `batch` rows before it are served.
    pub fn slide(&mut self, tile: Tile<'_>, end: usize) {
        while self.filled <= end + 2 * self.radius {
            let cells = margined_row(tile, self.filled - 1, self.radius);
            self.row.take(cells, self.quanta, self.needs.counts, self.exaggeration);
            self.add_row(cells.len());
            self.filled += 1;
        }
    }

    fn add_row(&mut self, cols: usize) {
        let heights = &self.row.heights[..cols];
        let place = ((self.filled - 1) % self.held, self.filled % self.held, self.stride);
        add_heights(heights, place, &mut self.heights, &mut self.squares);
        if self.needs.counts {
            let valid = &self.row.valid[..cols];
            accumulate(valid, place, &mut self.counts, i32::wrapping_add, |valid| valid);
        }
        if self.needs.tall {
            accumulate(
                heights,
                place,
                &mut self.tall,
                |a, b| a + b,
                |height| (height as f64) * (height as f64),
            );
        }
        if self.needs.rounding {
            let errors = &self.row.rounding[..cols];
            accumulate(errors, place, &mut self.rounding, i64::wrapping_add, |error| error);
        }
    }

    /// How fine the numbers are.
    pub fn quanta(&self) -> Quanta {
        self.quanta
    }

    /// Where the corners of the windows of `radius` around `columns` of `row` stand.
    fn places(&self, row: usize, columns: &Range<usize>, radius: usize) -> [usize; 4] {
        let (top, left) = (row + self.radius - radius, columns.start + self.radius - radius);
        let (bottom, right) = (top + 2 * radius + 1, left + 2 * radius + 1);
        [(top, left), (top, right), (bottom, left), (bottom, right)]
            .map(|(row, col)| row % self.held * self.stride + col)
    }

    /// Corners of a row of windows in every table that the tile needs, else empty.
    pub fn corners(&self, row: usize, columns: &Range<usize>, radius: usize) -> RowSums<'_> {
        let (places, needs) = (self.places(row, columns, radius), self.needs);
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

/// Whether windows up to `radius` may be read from tables for windows up to `larger`: their numbers are equally fine.
pub fn serves(larger: usize, radius: usize, rounding: bool) -> bool {
    let fine = |radius| (quantum_bits(radius), if rounding { rounding_bits(radius) } else { 0 });
    radius <= larger && fine(radius) == fine(larger)
}

/// Rows of tables that a batch of rows of windows looks up.
fn held(radius: usize, rows: usize) -> usize {
    batch(radius, rows) + 2 * radius + 1
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

/// The first `length` numbers, or all there are, become 0.
fn clear<T: Copy + Default>(numbers: &mut [T], length: usize) {
    let length = length.min(numbers.len());
    numbers[..length].fill(T::default());
}

/// Adds a row of heights to the tables of heights and of squares.
fn add_heights(cells: &[i64], place: Place, heights: &mut [i64], squares: &mut [i64]) {
    let (above, below) = two_rows(heights, place);
    let (above_squares, below_squares) = two_rows(squares, place);
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
    place: Place,
    table: &mut [To],
    add: impl Fn(To, To) -> To,
    value: impl Fn(From) -> To,
) {
    let (above, below) = two_rows(table, place);
    below[0] = To::default();
    let mut sum = To::default();
    for ((cell, above), below) in cells.iter().zip(&above[1..]).zip(&mut below[1..]) {
        sum = add(sum, value(*cell));
        *below = add(*above, sum);
    }
}

/// A row to read and the one to fill, and their length.
type Place = (usize, usize, usize);

fn two_rows<T>(table: &mut [T], (above, below, stride): Place) -> (&[T], &mut [T]) {
    let span = |row: usize| row * stride..(row + 1) * stride;
    let [above, below] = table.get_disjoint_mut([span(above), span(below)]).expect("tables hold two rows");
    (above, below)
}
