//! Statistics of a band as GDAL keeps them: metadata items that programs read to choose contrasts.

/// Smallest and largest value, mean and deviation of the cells that have one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BandStatistics {
    /// Cells with a value.
    valid: u64,
    /// All cells.
    cells: u64,
    min: f64,
    max: f64,
    mean: f64,
    /// Sum of squared differences from the mean.
    squares: f64,
    /// Of an overview only.
    pub is_approximate: bool,
}

impl BandStatistics {
    /// Takes in a cell, after Welford (1962), so that large values do not drown small differences.
    pub fn add(&mut self, value: f64, nodata: Option<f64>) {
        self.cells += 1;
        if value.is_nan() || nodata == Some(value) {
            return;
        }
        self.valid += 1;
        if self.valid == 1 {
            (self.min, self.max) = (value, value);
        }
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
        let step = value - self.mean;
        self.mean += step / self.valid as f64;
        self.squares += step * (value - self.mean);
    }

    /// Metadata items by GDAL's names; none when no cell has a value.
    pub fn items(&self) -> Vec<(&'static str, String)> {
        if self.valid == 0 {
            return Vec::new();
        }
        let percent = 100.0 * self.valid as f64 / self.cells as f64;
        let deviation = (self.squares / self.valid as f64).sqrt();
        let mut items = vec![
            ("STATISTICS_MINIMUM", self.min.to_string()),
            ("STATISTICS_MAXIMUM", self.max.to_string()),
            ("STATISTICS_MEAN", self.mean.to_string()),
            ("STATISTICS_STDDEV", deviation.to_string()),
            ("STATISTICS_VALID_PERCENT", format!("{percent:.4}")),
        ];
        if self.is_approximate {
            items.insert(0, ("STATISTICS_APPROXIMATE", "YES".into()));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_cells_count_only_as_missing() {
        let mut statistics = BandStatistics::default();
        assert!(statistics.items().is_empty());
        for value in [1002.0, 1004.0, f64::NAN, 0.0] {
            statistics.add(value, Some(0.0));
        }
        let items: Vec<_> = statistics.items().into_iter().map(|(_, value)| value).collect();
        assert_eq!(items, ["1002", "1004", "1003", "1", "50.0000"]);
    }
}
