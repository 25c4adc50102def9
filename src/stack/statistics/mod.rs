//! Statistics over the cells of a block, a band or a file, which add up to those of larger ones.
//!
//! Sums are exact, so the numbers do not depend on how cells were divided or in which order the parts came.

mod exact;
mod histogram;

pub use histogram::{Edges, Histogram, MOST_BINS};

use exact::{nearest, Sums, LOWEST, PIECE};
use multiversion::multiversion;
use num_bigint::{BigInt, BigUint};
use serde_json::json;

/// Name and help of each number.
pub static MOMENTS: &[(&str, &str)] = &[
    ("count", "Number of cells with data."),
    ("missing", "Number of cells without data."),
    ("sum", "Sum, rounded once."),
    ("mean", "Mean, rounded once."),
    ("min", "Smallest value."),
    ("max", "Largest value."),
    ("std", "Standard deviation."),
    ("var", "Variance."),
];

/// Description for other programs.
pub fn describe() -> serde_json::Value {
    MOMENTS.iter().map(|(name, help)| json!({"name": name, "help": help})).collect()
}

/// Counts, sums and ends of values.
#[derive(Debug, Clone)]
pub struct Moments {
    count: u64,
    missing: u64,
    low: f64,
    high: f64,
    sums: Sums,
}

impl Default for Moments {
    fn default() -> Self {
        Self::new()
    }
}

impl Moments {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::wanted(true)
    }

    /// Nothing yet, for who wants no variance: it takes longer than all the rest.
    pub fn without_variance() -> Self {
        Self::wanted(false)
    }

    fn wanted(squares: bool) -> Self {
        let sums = Sums::new(squares);
        Self { count: 0, missing: 0, low: f64::INFINITY, high: f64::NEG_INFINITY, sums }
    }

    /// Takes in a row; what is not finite has no data.
    pub fn row(&mut self, row: &[f64]) {
        for piece in row.chunks(PIECE) {
            let (count, low, high) = ends(piece);
            self.count += count;
            self.missing += piece.len() as u64 - count;
            self.low = self.low.min(low);
            self.high = self.high.max(high);
            if count > 0 {
                self.sums.piece(piece, low.abs().max(high.abs()));
            }
        }
    }

    /// Takes in what others have seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.missing += other.missing;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        self.sums.merge(&other.sums);
    }

    /// Cells with data.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Cells without data.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Smallest value.
    pub fn min(&self) -> Option<f64> {
        // Of the two zeros none is the smaller one: it must not depend on the order.
        (self.count > 0).then_some(self.low + 0.0)
    }

    /// Largest value.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.high + 0.0)
    }

    /// Sum; infinite when no float is as large.
    pub fn sum(&self) -> Option<f64> {
        (self.count > 0).then(|| nearest(&self.sums.sum(), LOWEST, &BigUint::from(1_u32)))
    }

    /// Mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| nearest(&self.sums.sum(), LOWEST, &BigUint::from(self.count)))
    }

    /// Variance with `ddof` taken off the number of values; None when nothing is left, or when nobody wanted it.
    pub fn variance(&self, ddof: u8) -> Option<f64> {
        let freedom = self.count.checked_sub(u64::from(ddof)).filter(|freedom| *freedom > 0)?;
        // (n Q - S^2) / (n (n - ddof)), without rounding until the end.
        let sum = self.sums.sum();
        let spread = self.sums.squares()? * BigInt::from(self.count) - &sum * &sum;
        Some(nearest(&spread, 2 * LOWEST, &(BigUint::from(self.count) * freedom)))
    }

    /// Square root of the variance.
    pub fn standard_deviation(&self, ddof: u8) -> Option<f64> {
        self.variance(ddof).map(f64::sqrt)
    }
}

/// Finite values: how many, the smallest, the largest.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn ends(row: &[f64]) -> (u64, f64, f64) {
    const LANES: usize = 16;
    let (mut counts, mut lows, mut highs) =
        ([0_u64; LANES], [f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut take = |lane: usize, value: f64| {
        let there = value.is_finite();
        counts[lane] += u64::from(there);
        lows[lane] = if there & (value < lows[lane]) { value } else { lows[lane] };
        highs[lane] = if there & (value > highs[lane]) { value } else { highs[lane] };
    };
    // Several at once: a minimum of all in a row is one long chain.
    let (blocks, rest) = row.as_chunks::<LANES>();
    for block in blocks {
        for (lane, value) in block.iter().enumerate() {
            take(lane, *value);
        }
    }
    for (lane, value) in rest.iter().enumerate() {
        take(lane, *value);
    }
    (
        counts.iter().sum(),
        lows.into_iter().fold(f64::INFINITY, f64::min),
        highs.into_iter().fold(f64::NEG_INFINITY, f64::max),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        moments.row(values);
        moments
    }

    #[test]
    fn numbers_by_hand() {
        let moments = of(&[2.0, 4.0, 4.0, f64::NAN, 4.0, 5.0, 5.0, 7.0, 9.0, f64::INFINITY]);
        assert_eq!((moments.count(), moments.missing()), (8, 2));
        assert_eq!((moments.sum(), moments.mean()), (Some(40.0), Some(5.0)));
        assert_eq!((moments.min(), moments.max()), (Some(2.0), Some(9.0)));
        assert_eq!((moments.variance(0), moments.standard_deviation(0)), (Some(4.0), Some(2.0)));
        assert_eq!(moments.variance(1), Some(32.0 / 7.0));
        let mut plain = Moments::without_variance();
        plain.row(&[2.0, 4.0, f64::NAN]);
        assert_eq!((plain.mean(), plain.max(), plain.variance(0)), (Some(3.0), Some(4.0), None));
        let single = of(&[3.5]);
        assert_eq!((single.variance(0), single.variance(1)), (Some(0.0), None));
        for zeros in [[0.0, -0.0], [-0.0, 0.0]] {
            let ends = of(&zeros);
            assert_eq!([ends.min(), ends.max()].map(|end| end.unwrap().to_bits()), [0, 0]);
        }
        let none = of(&[f64::NAN]);
        assert_eq!(
            (none.mean(), none.sum(), none.min(), none.max(), none.variance(0)),
            (None, None, None, None, None)
        );
    }

    #[test]
    fn nothing_cancels() {
        // Large numbers with a small spread, of which squares lose everything in 64 bits.
        let moments = of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
        assert_eq!(moments.variance(1), Some(30.0));
        let moments = of(&[1e300, 1.0, -1e300]);
        assert_eq!(moments.sum(), Some(1.0));
        assert_eq!(of(&[f64::MAX, f64::MAX]).mean(), Some(f64::MAX));
        assert_eq!(of(&[0.1; 10]).mean(), Some(0.1));
        assert_eq!(of(&[0.1; 10]).variance(0), Some(0.0));
    }

    #[test]
    fn any_division_and_order_gives_the_same_bits() {
        let values: Vec<f64> = (0..5000)
            .map(
                |n| if n % 11 == 0 { f64::NAN } else { (f64::from(n) * 0.7).sin() * 1e-3 + f64::from(n % 7) },
            )
            .collect();
        let whole = of(&values);
        for size in [1, 64, 999] {
            let mut merged = Moments::new();
            for part in values.chunks(size).rev() {
                merged.merge(&of(part));
            }
            let bits = |moments: &Moments| {
                [
                    moments.sum(),
                    moments.mean(),
                    moments.variance(0),
                    moments.variance(1),
                    moments.min(),
                    moments.max(),
                ]
                .map(|number| number.unwrap().to_bits())
            };
            assert_eq!(bits(&merged), bits(&whole));
            assert_eq!((merged.count(), merged.missing()), (whole.count(), whole.missing()));
        }
    }
}
