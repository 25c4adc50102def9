//! The table of numbers that describe files, their bands and blocks of them.

use super::look::{GridPlan, LINE};
use crate::core::error::{Error, Result};
use crate::gdal::output::Target;
use crate::job::stack::bins::Counts;
use crate::job::stack::options::TableForm;
use serde::ser::Serializer;
use serde_json::json;
use std::io::{BufWriter, Write};

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct StatisticsRow {
    /// The file, or the first one of an image that has values.
    pub file: String,
    /// When it was taken, if that is known.
    pub time: Option<String>,
    /// Name of the band.
    pub band: String,
    /// Number of the block, row and column of its first cell, its rows and columns.
    pub block: Option<[usize; 5]>,
    /// The numbers; None where there are no values.
    pub values: Vec<Option<f64>>,
    /// The histogram; None where there are no values, or none was asked for.
    pub histogram: Option<Counts>,
}

/// The whole table.
#[derive(Debug, Clone, PartialEq)]
pub struct StatisticsTable {
    /// Names of the numbers.
    pub statistics: Vec<String>,
    /// Lines, image by image, block by block, band by band.
    pub rows: Vec<StatisticsRow>,
    /// Lines have histograms.
    pub histograms: bool,
    /// Files that could not be read, wholly or in part.
    pub bad: Vec<String>,
    /// All files that were read.
    pub files: Vec<String>,
    /// How images were looked at, grid by grid.
    pub plans: Vec<GridPlan>,
}

impl StatisticsTable {
    /// Bytes that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let bins = |row: &StatisticsRow| {
            row.histogram.as_ref().map_or(0, |counts| counts.counts.len() * size_of::<u64>())
        };
        self.rows.iter().map(|row| LINE + bins(row)).sum()
    }

    /// Hands it on as text, line after line: with histograms it is long.
    pub fn print(&self, form: TableForm, to: &mut dyn Write) -> std::io::Result<()> {
        match form {
            TableForm::Csv => self.csv(to),
            TableForm::Json => {
                serde_json::Serializer::pretty(&mut *to)
                    .collect_seq(self.rows.iter().map(|row| self.object(row)))?;
                writeln!(to)
            }
        }
    }

    /// Writes it to a file, which appears when it is whole.
    pub fn write(&self, path: &str, overwrite: bool, form: TableForm) -> Result<()> {
        let target = Target::new(path, overwrite, &self.files)?;
        let pending = target.pending()?;
        let write = |path: &str| {
            let mut file = BufWriter::new(std::fs::File::create(path)?);
            self.print(form, &mut file)?;
            file.flush()
        };
        write(pending.name()?)
            .map_err(|error| Error::Output(format!("cannot write '{}': {error}", target.path().display())))?;
        target.accept(pending)
    }

    /// As comma-separated values; a number that is not there is an empty field.
    fn csv(&self, to: &mut dyn Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        let blocks = self.rows.iter().any(|row| row.block.is_some());
        let places: &[&str] = if blocks { &["block", "row", "col", "rows", "cols"] } else { &[] };
        let names = ["file", "datetime", "band"].iter().chain(places).map(|name| (*name).to_string());
        let bins: &[&str] =
            if self.histograms { &["histogram_low", "histogram_high", "histogram"] } else { &[] };
        let bins = bins.iter().map(|name| (*name).to_string());
        writer.write_record(names.chain(self.statistics.iter().cloned()).chain(bins))?;
        for row in &self.rows {
            let texts = [row.file.clone(), row.time.clone().unwrap_or_default(), row.band.clone()];
            let block = row.block.iter().flatten().map(usize::to_string);
            let values =
                row.values.iter().map(|value| value.map_or(String::new(), |value| value.to_string()));
            let bins = match &row.histogram {
                Some(Counts { range: (low, high), counts, .. }) => {
                    let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
                    vec![low.to_string(), high.to_string(), counts.join(" ")]
                }
                None => vec![String::new(); if self.histograms { 3 } else { 0 }],
            };
            writer.write_record(texts.into_iter().chain(block).chain(values).chain(bins))?;
        }
        writer.flush()
    }

    /// A line as an object.
    fn object(&self, row: &StatisticsRow) -> serde_json::Value {
        let mut object = json!({"file": row.file, "datetime": row.time, "band": row.band});
        if let Some([block, first_row, first_col, rows, cols]) = row.block {
            let place =
                json!({"block": block, "row": first_row, "col": first_col, "rows": rows, "cols": cols});
            for (key, value) in place.as_object().into_iter().flatten() {
                object[key] = value.clone();
            }
        }
        for (name, value) in self.statistics.iter().zip(&row.values) {
            object[name] = json!(value);
        }
        if let Some(Counts { range: (low, high), counts, outside: (below, above) }) = &row.histogram {
            object["histogram"] =
                json!({"low": low, "high": high, "counts": counts, "below": below, "above": above});
        }
        object
    }
}
