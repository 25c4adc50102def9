//! Means over square windows, the same bits wherever a tile begins.
//!
//! Heights are rounded to multiples of 2^-20 (a micrometre, for metres) and summed as whole numbers: sums of whole
//! numbers do not depend on their order. A row of column sums slides down the tile, a window slides along it: a handful
//! of additions per cell whatever the radius. Missing cells are left out; cells beyond 2^29 count as missing: columns of
//! up to 16383 cells fit 64 bits. A window of many cells far from height 0 may not, and is then summed in 128.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use crate::core::prelude::*;
use multiversion::multiversion;
use std::ops::Range;

/// Quanta of a height unit.
const QUANTA: f64 = (1 << 20) as f64;

/// Largest height that is taken in.
const LARGEST: f32 = (1 << 29) as f32;

/// Adding this to a number below 2^51 leaves its nearest whole number in the low bits.
const ROUNDER: f64 = (3_u64 << 51) as f64;

/// Sliding sums of one tile.
pub struct BoxMean<'a> {
    tile: Tile<'a>,
    radius: usize,
    /// Sum and number of the valid cells of each column within the window's rows.
    sums: Vec<i64>,
    counts: Vec<i32>,
    /// The same of the whole window of each cell.
    window_sums: Vec<i64>,
    window_counts: Vec<i32>,
    /// Where the sums stand.
    at: Option<(usize, Range<usize>)>,
}

impl<'a> BoxMean<'a> {
    /// Windows of `2 radius + 1` cells square.
    pub fn new(tile: Tile<'a>, radius: usize) -> Self {
        let empty = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (sums, counts, window_sums, window_counts) = empty;
        Self { tile, radius, sums, counts, window_sums, window_counts, at: None }
    }

    /// Means around the cells `columns` of `row`; NaN where the window has no valid cell. Rows in order are fast.
    pub fn row(&mut self, row: usize, columns: Range<usize>, means: &mut [f64]) {
        let reach = self.radius as isize;
        match &self.at {
            Some((before, same)) if *before + 1 == row && *same == columns => {
                let entering = self.tile.row(row, reach, columns.clone(), self.radius);
                let leaving = self.tile.row(row - 1, -reach, columns.clone(), self.radius);
                slide(entering, leaving, &mut self.sums, &mut self.counts);
            }
            _ => self.start(row, &columns),
        }
        let width = columns.len();
        slide_along(&self.counts, &mut self.window_counts[..width], |count: i32| count);
        if fit(&self.sums, self.radius) {
            slide_along(&self.sums, &mut self.window_sums[..width], |sum: i64| sum);
            divide(&self.window_sums, &self.window_counts, means);
        } else {
            slide_along(&self.sums, means, |sum: i128| sum as f64);
            divide_wide(&self.window_counts, means);
        }
        self.at = Some((row, columns));
    }

    /// How many valid cells the windows of the last row had.
    pub fn window_counts(&self) -> &[i32] {
        &self.window_counts
    }

    fn start(&mut self, row: usize, columns: &Range<usize>) {
        let width = columns.len() + 2 * self.radius;
        self.sums.clear();
        self.sums.resize(width, 0);
        self.counts.clear();
        self.counts.resize(width, 0);
        self.window_sums.resize(columns.len(), 0);
        self.window_counts.resize(columns.len(), 0);
        let reach = self.radius as isize;
        for down in -reach..=reach {
            add(self.tile.row(row, down, columns.clone(), self.radius), &mut self.sums, &mut self.counts);
        }
    }
}

/// A height in quanta and whether it is there.
#[inline(always)]
fn quantised(height: f32) -> (i64, i32) {
    let valid = height.abs() < LARGEST;
    let number = if valid { f64::from(height) * QUANTA } else { 0.0 };
    let bits = (number + ROUNDER).to_bits() as i64 - ROUNDER.to_bits() as i64;
    (bits, i32::from(valid))
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add(heights: &[f32], sums: &mut [i64], counts: &mut [i32]) {
    for ((height, sum), count) in heights.iter().zip(sums).zip(counts) {
        let (number, valid) = quantised(*height);
        *sum += number;
        *count += valid;
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn slide(entering: &[f32], leaving: &[f32], sums: &mut [i64], counts: &mut [i32]) {
    let length = sums.len();
    let (entering, leaving, counts) = (&entering[..length], &leaving[..length], &mut counts[..length]);
    for column in 0..length {
        let (new, new_valid) = quantised(entering[column]);
        let (old, old_valid) = quantised(leaving[column]);
        sums[column] += new - old;
        counts[column] += new_valid - old_valid;
    }
}

/// Whether windows of these column sums certainly fit 64 bits.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn fit(sums: &[i64], radius: usize) -> bool {
    // A number's bits without its sign; those of the largest reach as high as those of all together.
    let bits = sums.iter().fold(0, |bits, sum| bits | (sum ^ (sum >> 63)));
    let columns = (2 * radius + 1) as i64;
    bits.leading_zeros() + columns.leading_zeros() > 64
}

/// Sums of as many neighbours as `columns` is longer than `windows`, and one, as `store` has them.
fn slide_along<Column, Sum, Window>(columns: &[Column], windows: &mut [Window], store: impl Fn(Sum) -> Window)
where
    Column: Copy + Into<Sum>,
    Sum: Copy + Default + std::ops::AddAssign + std::ops::SubAssign,
{
    let reach = columns.len() - windows.len();
    let mut sum = Sum::default();
    columns[..reach].iter().for_each(|column| sum += (*column).into());
    for ((window, entering), leaving) in windows.iter_mut().zip(&columns[reach..]).zip(columns) {
        sum += (*entering).into();
        *window = store(sum);
        sum -= (*leaving).into();
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn divide(sums: &[i64], counts: &[i32], means: &mut [f64]) {
    for ((mean, sum), count) in means.iter_mut().zip(sums).zip(counts) {
        // 0 / 0 is NaN: no valid cell, no mean.
        *mean = *sum as f64 / (f64::from(*count) * QUANTA);
    }
}

/// The same for sums that stand in `means`.
fn divide_wide(counts: &[i32], means: &mut [f64]) {
    for (mean, count) in means.iter_mut().zip(counts) {
        *mean /= f64::from(*count) * QUANTA;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tile::Window;
    use ndarray::Array2;

    #[test]
    fn sliding_gives_what_adding_up_gives() {
        let mut heights = Array2::from_shape_fn((30, 50), |(row, col)| {
            4000.0 + ((row * 37 + col * 91) % 101) as f32 * 0.013 + row as f32
        });
        heights.slice_mut(ndarray::s![10..20, 20..30]).fill(f32::NAN);
        heights[[3, 3]] = f32::MAX;
        let radius = 3;
        let window = Window { row: radius, col: radius, rows: 24, cols: 44 };
        let mut means = BoxMean::new(Tile::new(heights.view(), window).unwrap(), radius);
        let mut out = vec![0.0; 44];
        for row in 0..24 {
            means.row(row, 0..44, &mut out);
            for (col, mean) in out.iter().enumerate() {
                let around = heights.slice(ndarray::s![row..row + 7, col..col + 7]);
                let valid: Vec<f64> = around.iter().filter(|z| **z < 1e9).map(|z| f64::from(*z)).collect();
                let expected = valid.iter().sum::<f64>() / valid.len() as f64;
                assert!((mean - expected).abs() < 1e-6 || (mean.is_nan() && valid.is_empty()), "{row} {col}");
            }
        }
    }

    /// The widest radius of any operation but one, around heights a step below and above the highest that count.
    #[test]
    fn wide_windows_of_high_ground_are_exact() {
        let (radius, rows, cols) = (2500, 2, 3);
        let height = |row: usize, col: usize| match (row * 31 + col * 17) % 97 {
            0 => LARGEST,
            step => LARGEST - (32 * step) as f32,
        };
        let heights =
            Array2::from_shape_fn((rows + 2 * radius, cols + 2 * radius), |(row, col)| height(row, col));
        let (mut sum, mut count) = ([0_i128; 6], [0_i128; 6]);
        for ((row, col), height) in heights.indexed_iter().filter(|(_, height)| **height < LARGEST) {
            for cell in 0..6 {
                let (top, left) = (cell / cols, cell % cols);
                let inside =
                    (top..=top + 2 * radius).contains(&row) && (left..=left + 2 * radius).contains(&col);
                sum[cell] += if inside { *height as i128 } else { 0 };
                count[cell] += i128::from(inside);
            }
        }
        let window = Window { row: radius, col: radius, rows, cols };
        let mut means = BoxMean::new(Tile::new(heights.view(), window).unwrap(), radius);
        let mut out = vec![0.0; cols];
        for row in 0..rows {
            means.row(row, 0..cols, &mut out);
            for col in 0..cols {
                let cell = row * cols + col;
                assert!(sum[cell] * (1 << 20) > i128::from(u64::MAX), "this would fit 64 bits");
                assert_eq!(out[col], sum[cell] as f64 / count[cell] as f64, "row {row}, column {col}");
            }
        }
    }

    /// Both ways of summing give the same bits, so that it does not matter which tile needs the wide one.
    #[test]
    fn windows_that_do_not_surely_fit_are_not_taken_to() {
        assert!(fit(&[i64::MAX >> 2, 1], 0));
        assert!(fit(&[0, (1 << 57) - 1, -(1 << 57)], 20));
        assert!(!fit(&[0, 1 << 57], 20));
        assert!(!fit(&[0, -(1 << 57) - 1], 20));
        let columns: Vec<i64> = (0..50).map(|column| (column - 25) * 0x1234_5678_9abc).collect();
        let (mut narrow, mut wide) = ([0.0; 9], [0.0; 9]);
        slide_along(&columns, &mut narrow, |sum: i64| sum as f64);
        slide_along(&columns, &mut wide, |sum: i128| sum as f64);
        assert_eq!(narrow, wide);
    }
}
