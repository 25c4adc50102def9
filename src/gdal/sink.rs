//! The raster to write: a tiled GeoTIFF, from it a Cloud Optimized GeoTIFF, or Zarr.

use super::collected::Collected;
use super::creation::{cog_options, geotiff_options, spool_options, zarr_options};
use super::dataset::{check_creation_options, Band, Dataset};
use super::finish::{add_overviews, build_overviews, copy_to_cog, Progress};
use super::header::{create, create_geotiff, set_header, Header};
use super::options::OptionList;
use super::output::{PendingFile, PendingFolder, Target};
use super::places::Placing;
use super::raster::gdal_cell_type;
use super::trial::try_creation;
use super::trim_memory;
use super::warper::Resampling;
use super::zarr::describe_bands;
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::operation::Role;
use crate::core::tile::Window;
use crate::pipeline::io::{CellsRef, Layout, Sink};
use crate::stack::cells::CellType;
use gdal_sys::GDALRWFlag;
use libc::{c_int, c_void};

/// Side of the tiles inside a file.
pub const FILE_BLOCK: usize = 512;

/// Most cells of a block of the file: a tile of the planner's largest size, and room for what users try.
const LARGEST_BLOCK: usize = 1 << 22;

/// Most bands, each stored for itself, of a GeoTIFF that GDAL 3.6 can read on several threads: it takes a block out into
/// a file of one band, which refuses to have more than one that is no colour.
const MOST_BANDS_READ_BY_THREADS: usize = 2;

/// The GDAL that got cells of 8 bits with a sign, as `Gdal::version` writes it.
const FIRST_WITH_INT8: u32 = 3_070_000;

/// File formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Tiled GeoTIFF.
    #[default]
    GTiff,
    /// Cloud Optimized GeoTIFF, with overviews.
    Cog,
    /// A folder of Zarr, version 2.
    Zarr,
    /// GeoTIFFs side by side in a folder, and a VRT that shows them as one raster.
    Vrt,
}

impl Format {
    /// All, by the names of GDAL's drivers.
    pub const ALL: [(&'static str, Format); 4] =
        [("GTiff", Format::GTiff), ("COG", Format::Cog), ("Zarr", Format::Zarr), ("VRT", Format::Vrt)];

    /// The driver that takes creation options.
    pub(super) fn driver(self) -> &'static str {
        match self {
            Format::GTiff | Format::Vrt => "GTiff",
            Format::Cog => "COG",
            Format::Zarr => "Zarr",
        }
    }

    /// Whether blocks are kept until all their cells are there. A COG is made from a file that is not compressed, whose
    /// blocks are written again where they stand.
    pub fn keeps_parts(self) -> bool {
        self != Format::Cog
    }

    /// Usual ending of names.
    pub fn ending(self) -> &'static str {
        match self {
            Format::GTiff | Format::Cog => "tif",
            Format::Zarr => "zarr",
            Format::Vrt => "vrt",
        }
    }

    /// Where an output of this format goes, checked before any work begins.
    pub fn target(self, path: &str, overwrite: bool, inputs: &[String]) -> Result<Target> {
        match self {
            Format::Zarr => Target::of_zarr(path, overwrite, inputs),
            Format::Vrt => Target::of_tiles(path, overwrite, inputs),
            Format::GTiff | Format::Cog => Target::new(path, overwrite, inputs),
        }
    }
}

/// How overviews can be made: the mean, of values; one of the cells; the most frequent one, of classes.
pub const OVERVIEW_RESAMPLING: [Resampling; 3] = [Resampling::Average, Resampling::Nearest, Resampling::Mode];

/// How to write it.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    /// File format.
    pub format: Format,
    /// Creation options of the format's driver, as the user gave them.
    pub creation: Vec<(String, String)>,
    /// Add overviews to a GeoTIFF; a COG always has them.
    pub overviews: bool,
    /// How overviews are made.
    pub resampling: Resampling,
    /// Threads that compress.
    pub threads: usize,
    /// Bytes the run may take.
    pub memory: usize,
}

/// A file being written.
pub struct GdalSink {
    gdal: &'static Gdal,
    dataset: Dataset,
    pending: Pending,
    target: Target,
    header: Header,
    options: SinkOptions,
    layout: Layout,
    /// Bands of a cell stand together in the file.
    interleaved: bool,
    /// Room for one block.
    block: Vec<u8>,
    /// What is there of blocks that are not whole.
    collected: Collected,
}

/// A file, or folder, under a name of its own.
enum Pending {
    File(PendingFile),
    Folder(PendingFolder),
}

impl Pending {
    fn name(&self) -> Result<&str> {
        match self {
            Pending::File(file) => file.name(),
            Pending::Folder(folder) => folder.name(),
        }
    }
}

/// A whole file that is not yet in its place.
pub struct FinishedFile {
    target: Target,
    file: Pending,
}

impl FinishedFile {
    /// Puts it there, as one of several.
    pub fn place(self, placing: &mut Placing) -> Result<()> {
        match self.file {
            Pending::File(file) => self.target.place(file, placing),
            Pending::Folder(folder) => self.target.place_folder(folder, placing),
        }
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
        check_type(gdal, header.cell_type)?;
        check_creation_options(gdal, options.format.driver(), &OptionList::new(&options.creation)?)?;
        if options.overviews && options.format == Format::Zarr {
            return Err(Error::Argument("overviews of Zarr; allowed: of GTiff".into()));
        }
        try_creation(gdal, &header, &options)?;
        let pending = match options.format {
            Format::Zarr => Pending::Folder(target.pending_folder()?),
            _ => Pending::File(target.pending()?),
        };
        let name = pending.name()?;
        let dataset = match options.format {
            Format::GTiff | Format::Vrt => {
                create_geotiff(gdal, name, &header, &geotiff_options(gdal, &header, &options)?)?
            }
            Format::Cog => create_geotiff(gdal, name, &header, &spool_options(&header))?,
            Format::Zarr => {
                let stem = target.path().file_stem().map_or("data".into(), |stem| stem.to_string_lossy());
                create(gdal, ("Zarr", name), &header, &zarr_options(gdal, &stem, &header, &options)?)?
            }
        };
        let described = match options.format {
            Format::Zarr => without_colours(&header),
            _ => header.clone(),
        };
        set_header(gdal, &dataset, &described, source).map_err(|reason| {
            Error::Output(format!("cannot write '{}': {reason}", target.path().display()))
        })?;
        let (block_rows, block_cols) = dataset.band(1)?.block_size();
        let (rows, cols) = header.size;
        let layout = Layout { rows, cols, block_rows, block_cols };
        let interleaved = header.bands.len() > 1
            && dataset.metadata("INTERLEAVE", "IMAGE_STRUCTURE").as_deref() == Some("PIXEL");
        check_block(&layout)?;
        let block = vec![0; block_rows * block_cols * header.cell_type.size()];
        let collected = Collected::default();
        Ok(Self { gdal, dataset, pending, target, header, options, layout, interleaved, block, collected })
    }

    /// Writes overviews and what GDAL still holds, and converts to a COG if asked. `progress` gets the share of this
    /// last part; false stops it and nothing is left.
    pub fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<FinishedFile> {
        let path = self.target.path().display().to_string();
        let fail = |reason: String| Error::Output(format!("cannot write '{path}': {reason}"));
        let mut progress = Progress::new(progress);
        let overviews = self.options.overviews && self.options.format == Format::GTiff;
        let shape = (self.header.size, self.options.resampling);
        let later = overviews && !self.interleaved && self.header.bands.len() > MOST_BANDS_READ_BY_THREADS;
        if overviews && !later {
            // Else the threads that read for the overviews would meet what could not be written.
            self.dataset.flush().map_err(fail)?;
            build_overviews(self.gdal, &self.dataset, shape, &mut progress)
                .map_err(|reason| progress.error(fail(reason)))?;
        }
        self.dataset.close().map_err(fail)?;
        if let Some(reason) = self.gdal.failure_elsewhere() {
            return Err(fail(reason));
        }
        if later {
            add_overviews(self.gdal, self.pending.name()?, shape, &mut progress)
                .map_err(|reason| progress.error(fail(reason)))?;
        }
        if let Pending::Folder(folder) = &self.pending {
            describe_bands(folder.path(), &self.header).map_err(|error| fail(error.to_string()))?;
        }
        let finished = match self.options.format {
            Format::GTiff | Format::Vrt | Format::Zarr => self.pending,
            Format::Cog => {
                let cog = self.target.pending()?;
                trim_memory();
                let creation = cog_options(self.gdal, &self.header, &self.options)?;
                copy_to_cog(self.gdal, self.pending.name()?, cog.name()?, &creation, &mut progress)
                    .map_err(|error| progress.error(fail(error.to_string())))?;
                Pending::File(cog)
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

    /// Writes whole blocks past GDAL's cache. Bands that stand together in the file come one after another: GDAL
    /// compresses their block when the next one comes.
    fn write_blocks(&mut self, window: Window, cells: &[u8], bytes: usize) -> Result<()> {
        let (block_rows, block_cols) = (self.layout.block_rows, self.layout.block_cols);
        for row in (0..window.rows).step_by(block_rows) {
            for col in (0..window.cols).step_by(block_cols) {
                let part = Window { row, col, rows: window.rows - row, cols: window.cols - col };
                let place = ((window.row + row) / block_rows, (window.col + col) / block_cols);
                for (index, plane) in cells.chunks(window.cells() * bytes).enumerate() {
                    let band = self.dataset.band(index + 1)?;
                    fill_block(&mut self.block, (block_rows, block_cols), plane, window.cols, part, bytes);
                    write_block(self.gdal, band, place, &mut self.block)
                        .map_err(|reason| self.write_error(&reason))?;
                }
            }
        }
        Ok(())
    }

    /// Writes blocks as they become whole.
    fn collect(&mut self, window: Window, cells: &[u8], bytes: usize) -> Result<()> {
        let mut collected = std::mem::take(&mut self.collected);
        let tile = (window, self.header.bands.len(), bytes);
        collected.add(cells, tile, self.layout, |block, cells| self.write_blocks(block, cells, bytes))?;
        self.collected = collected;
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
        Ok(())
    }
}

impl Sink for GdalSink {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        let bytes = self.header.cell_type.size();
        let raw = cells.bytes();
        if self.is_aligned(window) {
            self.write_blocks(window, raw, bytes)
        } else if self.options.format.keeps_parts() {
            self.collect(window, raw, bytes)
        } else {
            self.write_window(window, raw, bytes)
        }
    }
}

/// Writes a whole block, at its row and column, past GDAL's cache.
fn write_block(
    gdal: &Gdal,
    band: Band,
    (row, col): (usize, usize),
    cells: &mut [u8],
) -> std::result::Result<(), String> {
    let (rows, cols) = band.block_size();
    assert!(cells.len() >= rows * cols * band.cell_bytes(), "a whole block");
    gdal.check_write(|gdal| {
        // SAFETY: the dataset is open and used by this thread alone; the block exists and `cells` holds a whole one of
        // the band's type (checked above).
        unsafe {
            (gdal.GDALWriteBlock)(band.raw(), col as c_int, row as c_int, cells.as_mut_ptr().cast::<c_void>())
        }
    })
}

/// Types that this GDAL has no name for.
fn check_type(gdal: &Gdal, cell_type: CellType) -> Result<()> {
    if cell_type != CellType::Int8 || gdal.version() >= FIRST_WITH_INT8 {
        return Ok(());
    }
    let others = CellType::ALL.iter().map(|(name, _)| *name).filter(|name| *name != "int8");
    Err(Error::Argument(format!(
        "type int8 needs GDAL 3.7, this is {}; allowed: {}",
        gdal.release(),
        others.collect::<Vec<_>>().join(", ")
    )))
}

/// Zarr has no colours of bands.
fn without_colours(header: &Header) -> Header {
    let mut header = header.clone();
    header.bands.iter_mut().for_each(|band| band.role = Role::Value);
    header
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

/// Copies one block's cells out of a tile. No reader sees the rest of a block that reaches past the raster, but it is
/// compressed: zeros take the least room.
fn fill_block(
    block: &mut [u8],
    (block_rows, block_cols): (usize, usize),
    plane: &[u8],
    plane_cols: usize,
    part: Window,
    bytes: usize,
) {
    let width = part.cols.min(block_cols) * bytes;
    if part.cols < block_cols || part.rows < block_rows {
        block.fill(0);
    }
    for row in 0..part.rows.min(block_rows) {
        let from = ((part.row + row) * plane_cols + part.col) * bytes;
        let to = row * block_cols * bytes;
        block[to..to + width].copy_from_slice(&plane[from..from + width]);
    }
}
