//! Histograms that users ask for.

use crate::stack::statistics::{Edges, MOST_BINS};

/// Bins of one width, as users ask for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bins {
    /// How many.
    pub count: usize,
    /// First and last edge; None: smallest and largest value of each band of each file.
    pub range: Option<(f64, f64)>,
}

impl Bins {
    /// `BINS`, or `BINS,LOW,HIGH`; None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',').map(str::trim);
        let count = parts.next().and_then(|count| count.parse().ok());
        let count = count.filter(|count| (1..=MOST_BINS).contains(count))?;
        let ends: Vec<Option<f64>> = parts.map(|end| end.parse().ok()).collect();
        match ends[..] {
            [] => Some(Self { count, range: None }),
            [Some(low), Some(high)] if low.is_finite() && high.is_finite() && low < high => {
                Some(Self { count, range: Some((low, high)) })
            }
            _ => None,
        }
    }

    /// For values between these ends.
    pub(super) fn of(self, ends: Option<(f64, f64)>) -> Option<Edges> {
        let (low, high) = self.range.or(ends)?;
        // As numpy does where all values are the same.
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        Edges::new(low, high, self.count).ok()
    }
}

/// How many values lie in which bin.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// First and last edge.
    pub range: (f64, f64),
    /// Values in each bin; that of the last edge is in the last bin.
    pub counts: Vec<u64>,
    /// Values below the first and above the last edge.
    pub outside: (u64, u64),
}
