//! Deviations of a row of cells from the mean of windows of one radius, and the largest of them.
//!
//! Sums come as corners of tables (`window_sums.rs`). All arithmetic up to the variance is on exact whole numbers or
//! on what they give when rounded once, so that a cell's value depends on its window alone.
//!
//! A deviation is kept as a fraction: `n (z - mean)` over `n (sd + 1e-6)` for a window of `n` cells. So no radius needs
//! a division, with holes or without, and two of them are compared crosswise. One division per cell ends the search.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::window_sums::{Corners, Quanta, RowSums, LARGEST, ROUNDER};
use multiversion::multiversion;

/// Added to the standard deviation, so that level ground has none.
const LEAST: f32 = 1e-6;

/// Two to the power of 64: what a wrapped sum lacks.
const WRAP: f64 = 18_446_744_073_709_551_616.0;

/// What is the same for all cells of a row.
#[derive(Clone, Copy)]
pub struct Factors {
    /// Cells of a window without holes.
    pub cells: i64,
    /// How fine heights and rounding errors are.
    pub quanta: Quanta,
    /// Vertical exaggeration.
    pub exaggeration: f64,
}

/// The largest deviations so far of a row of cells, as fractions.
#[derive(Default)]
pub struct Largest {
    above: Vec<f32>,
    below: Vec<f32>,
}

impl Largest {
    /// Room for `width` cells, none of which deviates.
    pub fn clear(&mut self, width: usize) {
        self.above.clear();
        self.above.resize(width, 0.0);
        self.below.clear();
        self.below.resize(width, 1.0);
    }

    /// Takes in the deviations of `heights` (in quanta) where they are larger than what is there.
    pub fn keep(&mut self, sums: &RowSums<'_>, heights: &[i64], factors: Factors) {
        keep_largest(sums, heights, factors, (&mut self.above, &mut self.below));
    }

    /// The deviations; NaN where a height is missing or too large to count.
    pub fn divide(&self, cells: &[f32], out: &mut [f32]) {
        divide(cells, (&self.above, &self.below), out);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn keep_largest(sums: &RowSums<'_>, heights: &[i64], factors: Factors, best: (&mut [f32], &mut [f32])) {
    match (sums.needs.counts, sums.needs.tall, sums.needs.rounding) {
        (false, false, false) => keep::<false, false, false>(sums, heights, factors, best),
        (false, false, true) => keep::<false, false, true>(sums, heights, factors, best),
        (false, true, false) => keep::<false, true, false>(sums, heights, factors, best),
        (false, true, true) => keep::<false, true, true>(sums, heights, factors, best),
        (true, false, false) => keep::<true, false, false>(sums, heights, factors, best),
        (true, false, true) => keep::<true, false, true>(sums, heights, factors, best),
        (true, true, false) => keep::<true, true, false>(sums, heights, factors, best),
        (true, true, true) => keep::<true, true, true>(sums, heights, factors, best),
    }
}

/// Corners of exactly `length` windows.
#[inline(always)]
fn cut<'a, T>(corners: &Corners<'a, T>, length: usize) -> Corners<'a, T> {
    let [a, b, c, d] = *corners;
    [&a[..length], &b[..length], &c[..length], &d[..length]]
}

/// The sum over window `index`.
#[inline(always)]
fn sum(corners: &Corners<'_, i64>, index: usize) -> i64 {
    let [a, b, c, d] = *corners;
    d[index].wrapping_sub(c[index]).wrapping_sub(b[index]).wrapping_add(a[index])
}

#[inline(always)]
fn keep<const HOLES: bool, const TALL: bool, const ROUNDED: bool>(
    sums: &RowSums<'_>,
    heights: &[i64],
    factors: Factors,
    (best_above, best_below): (&mut [f32], &mut [f32]),
) {
    let length = best_above.len();
    let (heights, best_below) = (&heights[..length], &mut best_below[..length]);
    let (height_sums, square_sums) = (cut(&sums.heights, length), cut(&sums.squares, length));
    let [count_a, count_b, count_c, count_d] = cut(&sums.counts, if HOLES { length } else { 0 });
    let [tall_a, tall_b, tall_c, tall_d] = cut(&sums.tall, if TALL { length } else { 0 });
    let rounding = cut(&sums.rounding, if ROUNDED { length } else { 0 });
    let quantum = 1.0 / factors.quanta.heights;
    let (area, error) = (quantum * quantum, 1.0 / factors.quanta.rounding);
    let (rise, stretch) = (quantum * factors.exaggeration, factors.exaggeration * factors.exaggeration);
    for index in 0..length {
        let cells = if HOLES {
            i64::from(count_d[index] - count_c[index] - count_b[index] + count_a[index])
        } else {
            factors.cells
        };
        let (height, count) = (heights[index], cells as f64);
        let height_sum = sum(&height_sums, index);
        // Squares are taken about the cell itself: the variance plus the square of what the cell stands out by. As
        // the cell is in the window, that square is less than `n` times the variance, and little of it cancels.
        let lacking = height_sum.wrapping_sub(cells.wrapping_mul(height));
        let twice = height_sum.wrapping_add(lacking);
        // A sum of squares is not negative.
        let mut squares = sum(&square_sums, index).wrapping_sub(height.wrapping_mul(twice)) as u64 as f64;
        if TALL {
            let rounded = tall_d[index] - tall_c[index] - tall_b[index] + tall_a[index];
            let about = rounded - height as f64 * twice as f64;
            // Half a turn of 2^64 is more than the rounded sums are off: by 2^57 in a tile of 20,000 cells square,
            // were all its heights at 30 km.
            squares += ((about - squares) / WRAP + ROUNDER - ROUNDER) * WRAP;
        }
        let lacking = lacking as f64;
        // The variance, `n` times `n` of it.
        let mut variance = (count * squares - lacking * lacking) * area;
        if ROUNDED {
            variance += sum(&rounding, index) as f64 * (count * error);
        }
        let above = (lacking * -rise) as f32;
        let below = ((variance * stretch) as f32).abs().sqrt() + LEAST * count as f32;
        let larger = above.abs() * best_below[index] > best_above[index].abs() * below;
        best_above[index] = if larger { above } else { best_above[index] };
        best_below[index] = if larger { below } else { best_below[index] };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn divide(cells: &[f32], (above, below): (&[f32], &[f32]), out: &mut [f32]) {
    for (((cell, above), below), out) in cells.iter().zip(above).zip(below).zip(out) {
        *out = if cell.abs() < LARGEST { above / below } else { f32::NAN };
    }
}

/// `1 - exp(-lightness * |deviation|)`, in their place.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn lighten(deviations: &mut [f32], lightness: f32) {
    let factor = -lightness * std::f32::consts::LOG2_E;
    for deviation in deviations {
        *deviation = 1.0 - power_of_two(factor * deviation.abs());
    }
}

/// Powers of ln 2 over factorials: the series of 2^x.
const SERIES: [f32; 7] =
    [1.0, std::f32::consts::LN_2, 0.240_226_5, 0.055_504_11, 0.009_618_13, 0.001_333_36, 0.000_154_035];

/// Approximates 2^x for x up to 0 with an absolute error of 2e-7; NaN stays NaN.
#[inline(always)]
fn power_of_two(x: f32) -> f32 {
    // Adding this leaves the nearest whole number in the low bits.
    const ROUNDER: f32 = (3_u32 << 22) as f32;
    let x = if x < -126.0 { -126.0 } else { x };
    let rounded = x + ROUNDER;
    let rest = x - (rounded - ROUNDER);
    let mut sum = SERIES[6];
    for power in (0..6).rev() {
        sum = sum * rest + SERIES[power];
    }
    let exponent = rounded.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(127) << 23;
    sum * f32::from_bits(exponent)
}
