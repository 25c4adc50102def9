//! Loops that take a row into what is kept of earlier rows. Cells that are not finite have no data and change nothing.

use multiversion::multiversion;

/// How many values there are.
pub trait Count: Copy + Into<u32> {
    /// Counts one that is there.
    fn add(&mut self, there: bool);
}

impl Count for u8 {
    #[inline(always)]
    fn add(&mut self, there: bool) {
        *self += u8::from(there);
    }
}

impl Count for u32 {
    #[inline(always)]
    fn add(&mut self, there: bool) {
        *self += u32::from(there);
    }
}

/// As a number to divide by. Counts are layers, which fit in 31 bits; signed numbers convert faster.
#[inline(always)]
fn number<C: Count>(count: C) -> f64 {
    f64::from(Into::<u32>::into(count) as i32)
}

/// Counts values.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn add_to_count<C: Count>(row: &[f64], counts: &mut [C]) {
    for (count, value) in counts.iter_mut().zip(row) {
        count.add(value.is_finite());
    }
}

/// Counts values and adds them.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn add_to_count_and_sum<C: Count>(row: &[f64], counts: &mut [C], sums: &mut [f64]) {
    for ((sum, count), value) in sums.iter_mut().zip(counts).zip(row) {
        let there = value.is_finite();
        count.add(there);
        *sum = if there { *sum + *value } else { *sum };
    }
}

/// Adds weighted values, and the weights of those that are there.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn add_weighted(row: &[f64], weight: f64, sums: &mut [f64], weights: &mut [f64]) {
    for ((sum, total), value) in sums.iter_mut().zip(weights).zip(row) {
        let there = value.is_finite();
        *sum = if there { *sum + weight * *value } else { *sum };
        *total = if there { *total + weight } else { *total };
    }
}

/// Multiplies values.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn multiply(row: &[f64], products: &mut [f64]) {
    for (product, value) in products.iter_mut().zip(row) {
        *product = if value.is_finite() { *product * *value } else { *product };
    }
}

/// Mean and squared deviations from it so far (Welford 1962); the counts have this row in them already.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn add_to_deviations<C: Count>(row: &[f64], counts: &[C], means: &mut [f64], squares: &mut [f64]) {
    for (((mean, square), count), value) in means.iter_mut().zip(squares).zip(counts).zip(row) {
        let there = value.is_finite();
        let deviation = *value - *mean;
        let moved = *mean + deviation / number(*count);
        let grown = *square + deviation * (*value - moved);
        *mean = if there { moved } else { *mean };
        *square = if there { grown } else { *square };
    }
}

/// Keeps the smallest value.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_low(row: &[f64], lows: &mut [f64]) {
    for (low, value) in lows.iter_mut().zip(row) {
        *low = if value.is_finite() & (*value < *low) { *value } else { *low };
    }
}

/// Keeps the largest value.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_high(row: &[f64], highs: &mut [f64]) {
    for (high, value) in highs.iter_mut().zip(row) {
        *high = if value.is_finite() & (*value > *high) { *value } else { *high };
    }
}

/// Keeps the layer in which the smallest value came first; before `keep_low`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_low_layer(row: &[f64], layer: u32, lows: &[f64], layers: &mut [u32]) {
    for ((kept, low), value) in layers.iter_mut().zip(lows).zip(row) {
        *kept = if value.is_finite() & (*value < *low) { layer } else { *kept };
    }
}

/// Keeps the layer in which the largest value came first; before `keep_high`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_high_layer(row: &[f64], layer: u32, highs: &[f64], layers: &mut [u32]) {
    for ((kept, high), value) in layers.iter_mut().zip(highs).zip(row) {
        *kept = if value.is_finite() & (*value > *high) { layer } else { *kept };
    }
}

/// Keeps the first value: places without one are NaN.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_first(row: &[f64], firsts: &mut [f64]) {
    for (first, value) in firsts.iter_mut().zip(row) {
        *first = if first.is_nan() & value.is_finite() { *value } else { *first };
    }
}

/// Keeps the last value.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_last(row: &[f64], lasts: &mut [f64]) {
    for (last, value) in lasts.iter_mut().zip(row) {
        *last = if value.is_finite() { *value } else { *last };
    }
}

/// Keeps whether some value was not 0.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_any(row: &[f64], any: &mut [u8]) {
    for (any, value) in any.iter_mut().zip(row) {
        *any |= u8::from(value.is_finite() & (*value != 0.0));
    }
}

/// Keeps whether some value was 0.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn keep_zero(row: &[f64], zero: &mut [u8]) {
    for (zero, value) in zero.iter_mut().zip(row) {
        *zero |= u8::from(*value == 0.0);
    }
}

/// Sums by counts; NaN where there are too few.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn divide<C: Count>(sums: &[f64], counts: &[C], at_least: u32, to: &mut [f64]) {
    for ((to, sum), count) in to.iter_mut().zip(sums).zip(counts) {
        let enough = Into::<u32>::into(*count) >= at_least;
        *to = if enough { *sum / number(*count) } else { f64::NAN };
    }
}
