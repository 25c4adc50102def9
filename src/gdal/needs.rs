//! How much memory GDAL takes to write: what is measured of GDAL 3.6, rounded up.

use super::file_size::FileShape;
use super::options::get;
use super::sink::{Format, SinkOptions, FILE_BLOCK};
use super::Gdal;
use crate::pipeline::plan::SinkNeeds;

/// Overviews, and copies of a COG: for each thread, and for each band beside the blocks of it that are under way.
const COG_THREAD: usize = 40 << 20;
const COG_BAND: usize = 4 << 20;

/// Blocks of each band under way when a COG is made.
const COG_BLOCKS: usize = 16;

/// Copies of the cells of a small raster, as wide numbers, in the cache and under way.
const COG_COPIES: usize = 8;

/// Largest part of GDAL's block cache that counts: inside QGIS or Python the cache is the host's own.
const BLOCK_CACHE: usize = 32 << 20;

impl SinkOptions {
    /// What a file of these rows, columns and bands takes beside tiles, each cell of a band with so many bytes.
    pub fn needs(&self, gdal: &Gdal, size: (usize, usize), bands: usize, cell_bytes: usize) -> SinkNeeds {
        let finishing = |threads| self.finishing_bytes(gdal, size, (bands, cell_bytes), threads);
        let finishing = match self.format {
            Format::Cog => finishing(self.cog_threads(gdal, size, bands, cell_bytes)),
            _ if self.overviews => finishing(1),
            _ => 0,
        };
        let writing = self.writing_bytes(bands, cell_bytes);
        SinkNeeds { keeps_parts: self.format.keeps_parts(), writing, finishing }
    }

    /// As many of the threads as make a COG within the memory, at least one.
    pub(super) fn cog_threads(
        &self,
        gdal: &Gdal,
        size: (usize, usize),
        bands: usize,
        cell_bytes: usize,
    ) -> usize {
        let fits =
            |threads: &usize| self.finishing_bytes(gdal, size, (bands, cell_bytes), *threads) <= self.memory;
        (1..=self.threads).rev().find(fits).unwrap_or(1)
    }

    /// Bytes of a block of one band.
    fn block_bytes(&self, cell_bytes: usize) -> usize {
        let shape = FileShape { format: self.format, creation: &self.creation, overviews: self.overviews };
        let (rows, cols) = shape.block((FILE_BLOCK, FILE_BLOCK));
        rows.saturating_mul(cols).saturating_mul(cell_bytes)
    }

    /// A COG and overviews are read and written through GDAL's cache, a fourth of it at once. A small one takes no more than
    /// some copies of its cells.
    fn finishing_bytes(
        &self,
        gdal: &Gdal,
        (rows, cols): (usize, usize),
        (bands, cell_bytes): (usize, usize),
        threads: usize,
    ) -> usize {
        let cells = rows.saturating_mul(cols).saturating_mul(bands).saturating_mul(cell_bytes);
        let cache = gdal.block_cache().min(BLOCK_CACHE);
        let band = self.block_bytes(cell_bytes).saturating_mul(COG_BLOCKS).saturating_add(COG_BAND);
        (cache + cache / 4)
            .saturating_add(threads.saturating_mul(COG_THREAD))
            .saturating_add(bands.saturating_mul(band))
            .min(cells.saturating_mul(COG_COPIES))
    }

    /// Blocks in which bands stand together, and copies of them that wait for threads to compress them; those of one band
    /// are small.
    fn writing_bytes(&self, bands: usize, cell_bytes: usize) -> usize {
        let together = get(&self.creation, "INTERLEAVE").is_some_and(|how| how.eq_ignore_ascii_case("PIXEL"));
        if !together || matches!(self.format, Format::Cog | Format::Zarr) {
            return 0;
        }
        let blocks = if self.threads > 1 { 4 * self.threads } else { 2 };
        self.block_bytes(cell_bytes).saturating_mul(bands).saturating_mul(blocks)
    }
}
