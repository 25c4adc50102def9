//! Images of one day as one layer.

use super::accumulate::{add_to_count_and_sum, divide, keep_first};
use crate::core::error::{unknown_name, Result};

/// Where a day begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Day {
    /// At midnight UTC.
    Utc,
    /// At midnight of the sun's time, 15 degrees of longitude an hour.
    Solar {
        /// Degrees east.
        longitude: f64,
    },
}

/// The day of each date (seconds since 1970, UTC; ascending), counted from 0 over the days that have one.
pub fn same_day(dates: &[i64], day: Day) -> Vec<usize> {
    let shift = match day {
        Day::Utc => 0.0,
        Day::Solar { longitude } => longitude * 240.0,
    };
    let day_of = |seconds: i64| (seconds + shift.round() as i64).div_euclid(86_400);
    let mut days = Vec::with_capacity(dates.len());
    for (index, seconds) in dates.iter().enumerate() {
        let number = match index.checked_sub(1) {
            None => 0,
            Some(before) => days[before] + usize::from(day_of(*seconds) != day_of(dates[before])),
        };
        days.push(number);
    }
    days
}

/// Name and help of each way.
pub static MERGES: &[(&str, &str)] = &[
    ("first", "The first image that has data at a cell."),
    ("mean", "The mean of all images that have data at a cell."),
];

/// How images of one day become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// The first image that has data at a cell.
    First,
    /// The mean of all images that have data at a cell.
    Mean,
}

impl Merge {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim() {
            "first" => Ok(Self::First),
            "mean" => Ok(Self::Mean),
            other => Err(unknown_name("merge", other, MERGES.iter().map(|(name, _)| *name))),
        }
    }

    /// Room for rows of this width.
    pub fn scratch(self, width: usize) -> MergeScratch {
        let counts = if self == Self::Mean { width } else { 0 };
        MergeScratch { merge: self, sums: vec![f64::NAN; width], counts: vec![0; counts], width: 0 }
    }
}

/// A row that images are merged in.
#[derive(Debug, Clone)]
pub struct MergeScratch {
    merge: Merge,
    sums: Vec<f64>,
    counts: Vec<u32>,
    width: usize,
}

impl MergeScratch {
    /// Takes in an image's row, in the order of the images. All rows of a day have the same width.
    pub fn add(&mut self, row: &[f64]) {
        let width = row.len();
        if self.width == 0 {
            self.sums[..width].fill(if self.merge == Merge::First { f64::NAN } else { 0.0 });
            self.counts.iter_mut().for_each(|count| *count = 0);
        }
        self.width = width;
        match self.merge {
            Merge::First => keep_first(row, &mut self.sums[..width]),
            Merge::Mean => {
                add_to_count_and_sum(row, &mut self.counts[..width], &mut self.sums[..width]);
            }
        }
    }

    /// The merged row; NaN where no image has data. Ready for the next row after that.
    pub fn finish(&mut self, row: &mut [f64]) {
        let width = std::mem::take(&mut self.width);
        match self.merge {
            _ if width == 0 => row.fill(f64::NAN),
            Merge::First => row.copy_from_slice(&self.sums[..width]),
            Merge::Mean => divide(&self.sums[..width], &self.counts[..width], 1, row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    fn merged(merge: Merge, rows: &[[f64; 4]]) -> Vec<f64> {
        let mut scratch = merge.scratch(8);
        let mut row = [0.0; 4];
        // What stood there before must not matter.
        for _ in 0..2 {
            rows.iter().for_each(|row| scratch.add(row));
            scratch.finish(&mut row);
        }
        row.to_vec()
    }

    #[test]
    fn first_and_mean() {
        let rows = [[1.0, GAP, GAP, f64::INFINITY], [4.0, 5.0, GAP, 2.0], [7.0, 9.0, GAP, GAP]];
        let first = merged(Merge::First, &rows);
        assert!(first[..2] == [1.0, 5.0] && first[2].is_nan() && first[3] == 2.0, "{first:?}");
        let mean = merged(Merge::Mean, &rows);
        assert!(mean[..2] == [4.0, 7.0] && mean[2].is_nan() && mean[3] == 2.0, "{mean:?}");
        assert!(merged(Merge::Mean, &[]).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn days_by_clock_and_by_sun() {
        let hour = 3600;
        let dates = [0, 10 * hour, 23 * hour, 25 * hour, 100 * hour];
        assert_eq!(same_day(&dates, Day::Utc), [0, 0, 0, 1, 2]);
        // At 150 degrees east the sun is ten hours ahead.
        assert_eq!(same_day(&dates, Day::Solar { longitude: 150.0 }), [0, 0, 1, 1, 2]);
        assert_eq!(same_day(&dates, Day::Solar { longitude: -45.0 }), [0, 1, 1, 1, 2]);
        assert!(same_day(&[], Day::Utc).is_empty());
    }

    #[test]
    fn names() {
        assert_eq!((Merge::parse("first"), Merge::parse("mean")), (Ok(Merge::First), Ok(Merge::Mean)));
        assert_eq!(
            Merge::parse("best").unwrap_err().to_string(),
            "unknown merge 'best'; allowed: first, mean"
        );
    }
}
