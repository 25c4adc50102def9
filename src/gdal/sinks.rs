//! Several files written at once from the bands of one run.

use super::sink::{FinishedFile, GdalSink};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{CellsRef, Layout, Sink};
use std::ops::Range;

/// Files of one size and block layout, each with its bands.
#[derive(Default)]
pub struct SinkSet {
    sinks: Vec<(GdalSink, Range<usize>)>,
}

impl SinkSet {
    /// Adds a file for these bands of the run.
    pub fn add(&mut self, sink: GdalSink, bands: Range<usize>) -> Result<()> {
        if self.sinks.iter().any(|(other, _)| other.layout() != sink.layout()) {
            return Err(Error::Internal("files of one run differ in their blocks".into()));
        }
        self.sinks.push((sink, bands));
        Ok(())
    }

    /// Ends every file, then puts them all into their places: either all appear or none.
    pub fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<()> {
        let count = self.sinks.len().max(1) as f64;
        let mut finished = Vec::new();
        for (index, (sink, _)) in self.sinks.into_iter().enumerate() {
            finished.push(sink.finish(&mut |share| progress((index as f64 + share) / count))?);
        }
        finished.into_iter().try_for_each(FinishedFile::accept)
    }
}

impl Sink for SinkSet {
    fn layout(&self) -> Layout {
        let empty = Layout { rows: 0, cols: 0, block_rows: 1, block_cols: 1 };
        self.sinks.first().map_or(empty, |(sink, _)| sink.layout())
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        for (sink, bands) in &mut self.sinks {
            sink.write(window, cells.bands(bands, window.cells()))?;
        }
        Ok(())
    }
}
