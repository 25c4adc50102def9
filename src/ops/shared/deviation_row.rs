//! Deviations of a row of cells from the mean of windows of one radius, and the largest of them.
//!
//! Sums come as corners of tables (`window_sums.rs`). All arithmetic up to the variance is on exact whole numbers or
//! on what they give when rounded once, so that a cell's value depends on its window alone.
//! What bounds them is the look-ups, eight of 64 bits each: root and division nearly hide behind them.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::window_row::{Quanta, LARGEST, ROUNDER};
use super::window_sums::{Corners, RowSums};
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

/// Puts the deviation of `heights` (in quanta) into `best` where it is larger than what stands there.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_largest(sums: &RowSums<'_>, heights: &[i64], factors: Factors, best: &mut [f32]) {
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
    best: &mut [f32],
) {
    let length = best.len();
    let heights = &heights[..length];
    let (height_sums, square_sums) = (cut(&sums.heights, length), cut(&sums.squares, length));
    let [count_a, count_b, count_c, count_d] = cut(&sums.counts, if HOLES { length } else { 0 });
    let [tall_a, tall_b, tall_c, tall_d] = cut(&sums.tall, if TALL { length } else { 0 });
    let rounding = cut(&sums.rounding, if ROUNDED { length } else { 0 });
    let (quantum, error) = (1.0 / factors.quanta.heights, 1.0 / factors.quanta.rounding);
    let rise = quantum * factors.exaggeration;
    let (area, stretch) = (rise * rise, factors.exaggeration * factors.exaggeration);
    for index in 0..length {
        let cells = if HOLES {
            let below = count_d[index].wrapping_sub(count_c[index]);
            i64::from(below.wrapping_sub(count_b[index]).wrapping_add(count_a[index]))
        } else {
            factors.cells
        };
        let share = 1.0 / cells as f64;
        let height = heights[index];
        let height_sum = sum(&height_sums, index);
        let lacking = height_sum.wrapping_sub(cells.wrapping_mul(height));
        // Squares about the cell itself: the variance and the square of what the cell stands out by. That is less than
        // `n` times the variance, for the cell is in the window: what cancels below costs no more digits than `n` has.
        let twice = height_sum.wrapping_add(lacking);
        let squares = sum(&square_sums, index).wrapping_sub(height.wrapping_mul(twice));
        // A sum of squares is not negative.
        let mut squares = squares as u64 as f64;
        if TALL {
            let rounded = tall_d[index] - tall_c[index] - tall_b[index] + tall_a[index];
            let about = rounded - height as f64 * twice as f64;
            // Half a turn of 2^64 is more than the rounded sums are off: by 2^57 in a tile of 20,000 cells square,
            // were all its heights at 30 km.
            squares += ((about - squares) / WRAP + ROUNDER - ROUNDER) * WRAP;
        }
        let below = lacking as f64 * (share * rise);
        let mut variance = squares * (share * area) - below * below;
        if ROUNDED {
            variance += sum(&rounding, index) as f64 * (share * error * stretch);
        }
        // Only RVT's rounding makes a variance negative; level ground has exactly none.
        let variance = if ROUNDED { (variance as f32).abs() } else { variance as f32 };
        let deviation = -below as f32 / (variance.sqrt() + LEAST);
        best[index] = if deviation.abs() > best[index].abs() { deviation } else { best[index] };
    }
}

/// NaN where a height is missing or too large to count.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn drop_missing(cells: &[f32], values: &mut [f32]) {
    for (cell, value) in cells.iter().zip(values) {
        *value = if cell.abs() < LARGEST { *value } else { f32::NAN };
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
