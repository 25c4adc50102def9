//! Counts of values, and percentiles from them.

use crate::core::error::{Error, Result};
use crate::stack::cells::CellType;
use crate::stack::reduce::Ranking;

/// Bins of a histogram, at most.
pub const MOST_BINS: usize = 1 << 20;

/// Equal bins between two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    low: f64,
    high: f64,
    bins: usize,
    /// Every bin is one whole number.
    exact: bool,
}

impl Edges {
    /// Equal bins from `low` to `high`; the last one has `high` in it.
    pub fn new(low: f64, high: f64, bins: usize) -> Result<Self> {
        if !(low.is_finite() && high.is_finite() && low < high && (high - low).is_finite()) {
            let text = format!("histogram from {low} to {high}; allowed: two numbers, the lower one first");
            return Err(Error::Argument(text));
        }
        if !(1..=MOST_BINS).contains(&bins) {
            return Err(Error::Argument(format!("histogram of {bins} bins; allowed: 1 to {MOST_BINS}")));
        }
        Ok(Self { low, high, bins, exact: false })
    }

    /// A bin for every number of a type of 8 or 16 bits, whose percentiles are exact; None for other types.
    pub fn of_type(cell_type: CellType) -> Option<Self> {
        if cell_type.size() > 2 || cell_type.is_float() {
            return None;
        }
        let (low, high) = cell_type.range();
        Some(Self { low, high, bins: (high - low) as usize + 1, exact: true })
    }

    /// How many bins there are.
    pub fn bins(self) -> usize {
        self.bins
    }

    /// Lower edge of a bin.
    pub fn edge(self, bin: usize) -> f64 {
        if self.exact {
            self.low + bin as f64
        } else if bin == self.bins {
            self.high
        } else {
            bin as f64 * ((self.high - self.low) / self.bins as f64) + self.low
        }
    }
}

/// How many values fall in each of many equal bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    edges: Edges,
    counts: Vec<u64>,
    /// Values outside.
    below: u64,
    above: u64,
}

impl Histogram {
    /// Nothing yet.
    pub fn new(edges: Edges) -> Self {
        Self::in_place_of(edges, Vec::new())
    }

    /// The same with the memory of counts that nobody needs any more.
    pub fn in_place_of(edges: Edges, mut counts: Vec<u64>) -> Self {
        counts.clear();
        counts.resize(edges.bins, 0);
        Self { edges, counts, below: 0, above: 0 }
    }

    /// The memory of the counts.
    pub fn into_counts(self) -> Vec<u64> {
        self.counts
    }

    /// The bins.
    pub fn edges(&self) -> Edges {
        self.edges
    }

    /// Counts the values of a row that are finite.
    pub fn row(&mut self, row: &[f64]) {
        let Edges { low, high, bins, exact } = self.edges;
        let last = bins - 1;
        let per_value = if exact { 1.0 } else { bins as f64 / (high - low) };
        for value in row.iter().filter(|value| value.is_finite()) {
            if *value < low {
                self.below += 1;
            } else if *value > high {
                self.above += 1;
            } else {
                let mut bin = (((*value - low) * per_value) as usize).min(last);
                // The product may round across an edge.
                if !exact && *value < self.edges.edge(bin) {
                    bin -= 1;
                } else if !exact && bin < last && *value >= self.edges.edge(bin + 1) {
                    bin += 1;
                }
                self.counts[bin] += 1;
            }
        }
    }

    /// Takes in what others have counted in the same bins.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.edges, other.edges);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.below += other.below;
        self.above += other.above;
    }

    /// Values in each bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Values below the first and above the last bin.
    pub fn outside(&self) -> (u64, u64) {
        (self.below, self.above)
    }

    /// Percentile from 0 to 100 of all values, of which `ends` are the smallest and the largest; as in reductions between
    /// two of them along a line (Hyndman and Fan 1996, definition 7), or the nearer one. Exact where every bin is one
    /// number, else right to the width of a bin and within the ends; values outside of the bins count as their edges.
    pub fn percentile(&self, rank: f64, ranking: Ranking, ends: (f64, f64)) -> Option<f64> {
        let count = self.below + self.above + self.counts.iter().sum::<u64>();
        let last = count.checked_sub(1)?;
        let value = |place: u64| match place {
            0 => ends.0,
            place if place >= last => ends.1,
            place => self.value(place).max(ends.0).min(ends.1),
        };
        let place = last as f64 * (rank.clamp(0.0, 100.0) / 100.0);
        if ranking == Ranking::Nearest {
            return Some(value(place.round_ties_even() as u64));
        }
        let (low, share) = (place.floor() as u64, place - place.floor());
        let (a, b) = (value(low), value(low + 1));
        let step = b - a;
        Some(if share < 0.5 { a + step * share } else { b - step * (1.0 - share) })
    }

    /// The value at a place in their order; within a bin they are thought to lie evenly.
    fn value(&self, place: u64) -> f64 {
        let Some(mut place) = place.checked_sub(self.below) else { return self.edges.low };
        for (bin, count) in self.counts.iter().enumerate() {
            if place < *count {
                let share = (place as f64 + 0.5) / *count as f64;
                let (low, high) = (self.edges.edge(bin), self.edges.edge(bin + 1));
                return if self.edges.exact { low } else { low + (high - low) * share };
            }
            place -= count;
        }
        self.edges.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_belong_to_the_upper_bin_and_the_end_to_the_last() {
        let mut histogram = Histogram::new(Edges::new(0.0, 1.0, 10).unwrap());
        histogram.row(&[0.0, 0.1, 0.3, 0.7, 1.0, 0.99, -0.1, 1.1, f64::NAN]);
        // The floats 0.3 and 0.7 are below 3 and 7 tenths as floats give them: numpy.histogram says the same.
        assert_eq!(histogram.counts(), [1, 1, 1, 0, 0, 0, 1, 0, 0, 2]);
        assert_eq!(histogram.outside(), (1, 1));
        for bin in 0..10 {
            let mut one = Histogram::new(Edges::new(0.0, 1.0, 10).unwrap());
            one.row(&[histogram.edges().edge(bin)]);
            assert_eq!(one.counts()[bin], 1, "{bin}");
        }
    }

    #[test]
    fn percentiles_of_whole_numbers_are_exact() {
        let mut histogram = Histogram::new(Edges::of_type(CellType::Int16).unwrap());
        histogram.row(&[-5.0, 10.0, 10.0, 20.0]);
        let mut other = Histogram::new(Edges::of_type(CellType::Int16).unwrap());
        other.row(&[32767.0]);
        histogram.merge(&other);
        let ends = (-5.0, 32767.0);
        let percentile = |rank| histogram.percentile(rank, Ranking::Linear, ends).unwrap();
        assert_eq!([0.0, 50.0, 75.0, 100.0].map(percentile), [-5.0, 10.0, 20.0, 32767.0]);
        assert_eq!(percentile(62.5), 15.0);
        let nearest = |rank| histogram.percentile(rank, Ranking::Nearest, ends).unwrap();
        // Half way between the places 2 and 3 the even one is taken.
        assert_eq!(
            [0.0, 10.0, 62.5, 65.0, 88.0, 100.0].map(nearest),
            [-5.0, -5.0, 10.0, 20.0, 32767.0, 32767.0]
        );
        assert!(Edges::of_type(CellType::Float32).is_none() && Edges::of_type(CellType::Int32).is_none());
        let none = Histogram::new(Edges::of_type(CellType::UInt8).unwrap());
        assert_eq!(none.percentile(50.0, Ranking::Linear, (0.0, 0.0)), None);
    }

    #[test]
    fn percentiles_of_bins_are_right_to_their_width() {
        let values: Vec<f64> = (0..10_001).map(|n| (f64::from(n) / 1e4).powi(2)).collect();
        let mut histogram = Histogram::new(Edges::new(0.0, 1.0, 1000).unwrap());
        histogram.row(&values);
        for rank in [0.0, 2.0, 50.0, 98.0, 100.0] {
            let exact = (rank / 100.0_f64).powi(2);
            for ranking in [Ranking::Linear, Ranking::Nearest] {
                let found = histogram.percentile(rank, ranking, (0.0, 1.0)).unwrap();
                assert!((found - exact).abs() <= 1e-3, "{rank}");
            }
        }
        let mut outside = Histogram::new(Edges::new(0.0, 1.0, 2).unwrap());
        outside.row(&[-3.0, -2.0, -1.0, 5.0, 6.0]);
        let percentile = |rank| outside.percentile(rank, Ranking::Linear, (-3.0, 6.0)).unwrap();
        assert_eq!([0.0, 25.0, 75.0, 100.0].map(percentile), [-3.0, 0.0, 1.0, 6.0]);
    }

    #[test]
    fn percentiles_stay_between_the_smallest_and_the_largest_value() {
        let mut constant = Histogram::new(Edges::new(3.5, 7.0, 1 << 16).unwrap());
        constant.row(&[3.5; 9]);
        for rank in [0.0, 25.0, 50.0, 99.9, 100.0] {
            assert_eq!(constant.percentile(rank, Ranking::Linear, (3.5, 3.5)), Some(3.5), "{rank}");
        }
        // The bins are those of a larger part.
        let mut part = Histogram::new(Edges::new(0.0, 100.0, 4).unwrap());
        part.row(&[10.0, 11.0, 12.0, 13.0]);
        let percentile = |rank| part.percentile(rank, Ranking::Linear, (10.0, 13.0)).unwrap();
        assert_eq!([0.0, 100.0].map(percentile), [10.0, 13.0]);
        assert!((0..100).all(|rank| (10.0..=13.0).contains(&percentile(f64::from(rank)))));
    }

    #[test]
    fn refusals() {
        let said = |low, high, bins| Edges::new(low, high, bins).unwrap_err().to_string();
        assert_eq!(said(1.0, 1.0, 5), "histogram from 1 to 1; allowed: two numbers, the lower one first");
        assert_eq!(said(0.0, 1.0, 0), "histogram of 0 bins; allowed: 1 to 1048576");
        assert!(said(f64::MIN, f64::MAX, 5).contains("allowed"));
    }
}
