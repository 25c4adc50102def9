//! Several files written at once from the bands of one run.

use super::dataset::Dataset;
use super::header::Header;
use super::output::Target;
use super::places::Placing;
use super::sink::{FinishedFile, Format, GdalSink, SinkOptions};
use super::tiles::{FinishedTiles, TileSet};
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{CellsRef, Layout, Sink};
use std::ops::Range;

/// An output in any format.
pub enum AnySink {
    /// One file, or folder of Zarr.
    File(Box<GdalSink>),
    /// Tiles under a VRT.
    Tiles(Box<TileSet>),
}

/// A whole output that is not yet in its place.
enum Finished {
    File(FinishedFile),
    Tiles(FinishedTiles),
}

impl AnySink {
    /// As [`GdalSink::create`].
    pub fn create(
        gdal: &'static Gdal,
        target: Target,
        header: Header,
        options: SinkOptions,
        source: &Dataset,
    ) -> Result<Self> {
        Ok(match options.format {
            Format::Vrt => AnySink::Tiles(Box::new(TileSet::create(gdal, target, header, options, source)?)),
            _ => AnySink::File(Box::new(GdalSink::create(gdal, target, header, options, source)?)),
        })
    }

    fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<Finished> {
        Ok(match self {
            AnySink::File(sink) => Finished::File(sink.finish(progress)?),
            AnySink::Tiles(sink) => Finished::Tiles(sink.finish(progress)?),
        })
    }
}

impl Finished {
    fn place(self, placing: &mut Placing) -> Result<()> {
        match self {
            Finished::File(file) => file.place(placing),
            Finished::Tiles(tiles) => tiles.place(placing),
        }
    }
}

/// Whole outputs that are not yet in their places, of one run or of several.
#[derive(Default)]
pub struct FinishedSet(Vec<Finished>);

impl FinishedSet {
    /// Takes in those of another run.
    pub fn add(&mut self, others: FinishedSet) {
        self.0.extend(others.0);
    }

    /// Puts them all into their places: either all appear or none, and then what they would have replaced is still there.
    pub fn accept(self) -> Result<()> {
        let mut placing = Placing::default();
        self.0.into_iter().try_for_each(|output| output.place(&mut placing))?;
        placing.keep();
        Ok(())
    }
}

impl Sink for AnySink {
    fn layout(&self) -> Layout {
        match self {
            AnySink::File(sink) => sink.layout(),
            AnySink::Tiles(sink) => sink.layout(),
        }
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        match self {
            AnySink::File(sink) => sink.write(window, cells),
            AnySink::Tiles(sink) => sink.write(window, cells),
        }
    }
}

/// Files of one size and block layout, each with its bands.
#[derive(Default)]
pub struct SinkSet {
    sinks: Vec<(AnySink, Range<usize>)>,
}

impl SinkSet {
    /// Adds a file for these bands of the run.
    pub fn add(&mut self, sink: AnySink, bands: Range<usize>) -> Result<()> {
        if self.sinks.iter().any(|(other, _)| other.layout() != sink.layout()) {
            return Err(Error::Internal("files of one run differ in their blocks".into()));
        }
        self.sinks.push((sink, bands));
        Ok(())
    }

    /// Ends every file.
    pub fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<FinishedSet> {
        let count = self.sinks.len().max(1) as f64;
        let mut finished = Vec::new();
        for (index, (sink, _)) in self.sinks.into_iter().enumerate() {
            finished.push(sink.finish(&mut |share| progress((index as f64 + share) / count))?);
        }
        Ok(FinishedSet(finished))
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
