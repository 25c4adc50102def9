//! The raster to write: a tiled GeoTIFF, or from it a Cloud Optimized GeoTIFF.

use super::creation::{cog_options, geotiff_options, spool_options};
use super::dataset::{check_creation_options, Dataset};
use super::finish::{build_overviews, copy_to_cog, Progress};
use super::header::{create_geotiff, set_header, Header};
use super::options::OptionList;
use super::output::{PendingFile, Target};
use super::raster::gdal_cell_type;
use super::trial::try_creation;
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{CellsRef, Layout, Sink};
use gdal_sys::GDALRWFlag;
use libc::{c_int, c_void};

/// Side of the tiles inside a file.
pub const FILE_BLOCK: usize = 512;

/// Most cells of a block of the file: a tile of the planner's largest size, and room for what users try.
const LARGEST_BLOCK: usize = 1 << 22;

/// File formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Tiled GeoTIFF.
    #[default]
    GTiff,
    /// Cloud Optimized GeoTIFF, with overviews.
    Cog,
}

impl Format {
    /// Both, by the names of GDAL's drivers.
    pub const ALL: [(&'static str, Format); 2] = [("GTiff", Format::GTiff), ("COG", Format::Cog)];

    fn driver(self) -> &'static str {
        match self {
            Format::GTiff => "GTiff",
            Format::Cog => "COG",
        }
    }
}

/// How to write it.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    /// File format.
    pub format: Format,
    /// Creation options of the format's driver, as the user gave them.
    pub creation: Vec<(String, String)>,
    /// Add overviews to a GeoTIFF; a COG always has them.
    pub overviews: bool,
    /// Threads that compress.
    pub threads: usize,
}

/// A file being written.
pub struct GdalSink {
    gdal: &'static Gdal,
    dataset: Dataset,
    pending: PendingFile,
    target: Target,
    header: Header,
    options: SinkOptions,
    layout: Layout,
    /// Bands of a cell stand together in the file.
    interleaved: bool,
    /// Room for one block.
    block: Vec<u8>,
}

/// A whole file that is not yet in its place.
pub struct FinishedFile {
    target: Target,
    file: PendingFile,
}

impl FinishedFile {
    /// Puts it there.
    pub fn accept(self) -> Result<()> {
        self.target.accept(self.file)
    }
}

impl GdalSink {
    /// Creates the file beside its place, with everything but the cells. The reference system and position
    /// are those of `source`.
    pub fn create(
        gdal: &'static Gdal,
        target: Target,
        header: Header,
        options: SinkOptions,
        source: &Dataset,
    ) -> Result<Self> {
        check_creation_options(gdal, options.format.driver(), &OptionList::new(&options.creation)?)?;
        try_creation(gdal, &header, &options)?;
        let pending = target.pending()?;
        let creation = match options.format {
            Format::GTiff => geotiff_options(gdal, &header, &options)?,
            Format::Cog => spool_options(&header),
        };
        let dataset = create_geotiff(gdal, pending.name()?, &header, &creation)?;
        set_header(gdal, &dataset, &header, source).map_err(|reason| {
            Error::Output(format!("cannot write '{}': {reason}", target.path().display()))
        })?;
        let (block_rows, block_cols) = dataset.band(1)?.block_size();
        let (rows, cols) = header.size;
        let layout = Layout { rows, cols, block_rows, block_cols };
        let interleaved = header.bands.len() > 1
            && dataset.metadata("INTERLEAVE", "IMAGE_STRUCTURE").as_deref() == Some("PIXEL");
        check_block(&layout)?;
        let block = vec![0; block_rows * block_cols * header.cell_type.size()];
        Ok(Self { gdal, dataset, pending, target, header, options, layout, interleaved, block })
    }

    /// Writes overviews and what GDAL still holds, and converts to a COG if asked. `progress` gets the share of this
    /// last part; false stops it and nothing is left.
    pub fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<FinishedFile> {
        let path = self.target.path().display().to_string();
        let fail = |reason: String| Error::Output(format!("cannot write '{path}': {reason}"));
        let mut progress = Progress::new(progress);
        if self.options.overviews && self.options.format == Format::GTiff {
            // Else the threads that read for the overviews would meet what could not be written.
            self.dataset.flush().map_err(fail)?;
            build_overviews(self.gdal, &self.dataset, self.header.size, &mut progress)
                .map_err(|reason| progress.error(fail(reason)))?;
        }
        self.dataset.close().map_err(fail)?;
        if let Some(reason) = self.gdal.failure_elsewhere() {
            return Err(fail(reason));
        }
        let finished = match self.options.format {
            Format::GTiff => self.pending,
            Format::Cog => {
                let cog = self.target.pending()?;
                let creation = cog_options(self.gdal, &self.header, &self.options)?;
                copy_to_cog(self.gdal, self.pending.name()?, cog.name()?, &creation, &mut progress)
                    .map_err(|error| progress.error(fail(error.to_string())))?;
                cog
            }
        };
        // A plain GeoTIFF has not asked since its last tile.
        if !progress.report(1.0) {
            return Err(Error::Cancelled);
        }
        Ok(FinishedFile { target: self.target, file: finished })
    }

    fn write_error(&self, reason: &str) -> Error {
        Error::Output(format!("cannot write '{}': {reason}", self.target.path().display()))
    }

    /// Whether `window` consists of whole blocks of the file.
    fn is_aligned(&self, window: Window) -> bool {
        let whole = |first: usize, count: usize, block: usize, length: usize| {
            first.is_multiple_of(block) && (count.is_multiple_of(block) || first + count == length)
        };
        whole(window.row, window.rows, self.layout.block_rows, self.layout.rows)
            && whole(window.col, window.cols, self.layout.block_cols, self.layout.cols)
    }

    /// Writes whole blocks past GDAL's cache.
    fn write_blocks(&mut self, window: Window, cells: &[u8], bytes: usize) -> Result<()> {
        let (block_rows, block_cols) = (self.layout.block_rows, self.layout.block_cols);
        for (index, plane) in cells.chunks(window.cells() * bytes).enumerate() {
            let band = self.dataset.band(index + 1)?;
            for row in (0..window.rows).step_by(block_rows) {
                for col in (0..window.cols).step_by(block_cols) {
                    let part = Window { row, col, rows: window.rows - row, cols: window.cols - col };
                    fill_block(&mut self.block, (block_rows, block_cols), plane, window.cols, part, bytes);
                    let block = self.block.as_mut_ptr().cast::<c_void>();
                    let place = ((window.col + col) / block_cols, (window.row + row) / block_rows);
                    self.gdal
                        .check_write(|gdal| {
                            // SAFETY: the dataset is open and used by this thread alone; the block exists and
                            // `block` holds a whole one of the band's type.
                            unsafe {
                                (gdal.GDALWriteBlock)(band.raw(), place.0 as c_int, place.1 as c_int, block)
                            }
                        })
                        .map_err(|reason| self.write_error(&reason))?;
                }
            }
        }
        Ok(())
    }

    /// Writes any window through GDAL's cache.
    fn write_window(&mut self, window: Window, cells: &[u8], bytes: usize) -> Result<()> {
        let data_type = gdal_cell_type(self.header.cell_type);
        for (index, plane) in cells.chunks(window.cells() * bytes).enumerate() {
            let band = self.dataset.band(index + 1)?;
            self.gdal
                .check_write(|gdal| {
                    // SAFETY: the dataset is open and used by this thread alone; the window lies inside the
                    // raster and `plane` holds its cells; GDAL does not change them when it writes.
                    unsafe {
                        (gdal.GDALRasterIO)(
                            band.raw(),
                            GDALRWFlag::GF_Write,
                            window.col as c_int,
                            window.row as c_int,
                            window.cols as c_int,
                            window.rows as c_int,
                            plane.as_ptr().cast_mut().cast::<c_void>(),
                            window.cols as c_int,
                            window.rows as c_int,
                            data_type,
                            0,
                            0,
                        )
                    }
                })
                .map_err(|reason| self.write_error(&reason))?;
        }
        if self.is_aligned(window) {
            self.flush_bands()?;
        }
        Ok(())
    }

    /// Writes out the blocks GDAL holds of this file, so that its cache does not grow with the raster.
    fn flush_bands(&self) -> Result<()> {
        for index in 1..=self.header.bands.len() {
            let band = self.dataset.band(index)?;
            self.gdal
                .check_write(|gdal| {
                    // SAFETY: the dataset is open and used by this thread alone.
                    unsafe { (gdal.GDALFlushRasterCache)(band.raw()) }
                })
                .map_err(|reason| self.write_error(&reason))?;
        }
        Ok(())
    }
}

impl Sink for GdalSink {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        let bytes = self.header.cell_type.size();
        let raw: &[u8] = match cells {
            CellsRef::Uint8(cells) | CellsRef::Raw(cells, _) => cells,
            CellsRef::Float32(cells) => {
                // SAFETY: any four bytes of a float are bytes; the length is that of the slice.
                unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), cells.len() * 4) }
            }
        };
        if self.is_aligned(window) && !self.interleaved {
            self.write_blocks(window, raw, bytes)
        } else {
            self.write_window(window, raw, bytes)
        }
    }
}

/// Blocks larger than any tile would be compressed and written again for every tile that touches them.
fn check_block(layout: &Layout) -> Result<()> {
    let (rows, cols) = (layout.block_rows, layout.block_cols);
    if rows == 1 || rows.saturating_mul(cols) <= LARGEST_BLOCK {
        return Ok(());
    }
    Err(Error::Argument(format!(
        "creation options give blocks of {cols} x {rows} cells; allowed: blocks of at most {LARGEST_BLOCK} cells \
         (BLOCKXSIZE, BLOCKYSIZE)"
    )))
}

/// Copies one block's cells out of a tile; a block that reaches past the raster keeps its old rest, which no
/// reader sees.
fn fill_block(
    block: &mut [u8],
    (block_rows, block_cols): (usize, usize),
    plane: &[u8],
    plane_cols: usize,
    part: Window,
    bytes: usize,
) {
    let width = part.cols.min(block_cols) * bytes;
    for row in 0..part.rows.min(block_rows) {
        let from = ((part.row + row) * plane_cols + part.col) * bytes;
        let to = row * block_cols * bytes;
        block[to..to + width].copy_from_slice(&plane[from..from + width]);
    }
}
