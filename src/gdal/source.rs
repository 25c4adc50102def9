//! The raster to read: any GDAL raster, any numeric type, any block layout, nodata value or mask.

use super::blocks::{copy_overlap, Block, BlockCache};
use super::cells::CellReader;
use super::dataset::{Band, Dataset, DatasetHandle, GeoTransform};
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::tile::Window;
use crate::pipeline::io::{Layout, Reader, Source};
use gdal_sys::GDALDataType;
use libc::{c_int, c_void};
use ndarray::{ArrayViewMut2, Axis};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Larger blocks are read in windows through GDAL instead: a file of one block would fill the memory.
const LARGEST_BLOCK: usize = 1 << 22;

/// Side of the blocks that plans assume where windows are read: those of the file say nothing then.
const WINDOW_BLOCK: usize = 256;

/// Rows looked at first to find an elevation to count from.
const BASE_SAMPLES: usize = 8;

/// Cells that are looked at together.
const SEARCHED: usize = 1 << 16;

/// Cells looked at before a picture is refused: nobody waits for hours to see an empty raster.
const MOST_SEARCHED: u64 = 1 << 30;

/// Elevations are smaller, in any unit; a larger number is a mark of missing cells that the file does not declare.
const LARGEST_BASE: f64 = 1e6;

/// Where the dataset comes from.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file name, or anything else GDAL can open. Every worker opens its own handle.
    Path(String),
    /// A dataset the caller has open; workers take turns. What was written to it and not flushed yet is seen.
    Handle(DatasetHandle),
    /// A file name, opened by this GDAL: the one that asks.
    Within(&'static Gdal, String),
    /// A file name whose grid counts alone: no cell is read, for pictures that need no elevations.
    Grid(String),
}

/// A GDAL raster as the pipeline's source.
pub struct GdalSource {
    main: Mutex<Dataset>,
    /// Workers use the main handle one after the other.
    shared: bool,
    name: String,
    band: usize,
    layout: Layout,
    grid: Grid,
    cells: CellReader,
    /// Read in windows through GDAL, not block by block.
    windowed: bool,
    masked: bool,
    blocks: BlockCache,
    /// Handles of readers that are done.
    spare: Mutex<Vec<Dataset>>,
    /// Only its grid counts; every cell is 0.
    blank: bool,
}

impl GdalSource {
    /// Opens `input` and checks that it can be treated rightly. `nodata` replaces the file's own value.
    pub fn open(input: &Input, band: usize, nodata: Option<f64>) -> Result<Self> {
        let (dataset, shared) = match input {
            Input::Path(name) | Input::Grid(name) => (Dataset::open(Gdal::get()?, name)?, false),
            Input::Within(gdal, name) => (Dataset::open(gdal, name)?, false),
            // SAFETY: whoever made the handle promised that it is open and stays so (`ffi/job.rs`).
            Input::Handle(handle) => unsafe { (Dataset::borrow(Gdal::of_dataset(handle.0)?, *handle), true) },
        };
        dataset.real_band(band)?;
        let grid = match input {
            // Nothing is computed from distances then: degrees, say, are as good as metres.
            Input::Grid(_) => grid_of(&dataset).unwrap_or(Grid::square(1.0)),
            _ => grid_of(&dataset)?,
        };
        let mut source = Self::new(dataset, shared, band, nodata, grid)?;
        source.blank = matches!(input, Input::Grid(_));
        // Differences of elevations are all that matters; what else a raster holds stays as it is.
        if !source.cells.is_direct() && !source.blank {
            let on_the_fly = matches!(input, Input::Within(..));
            source.cells.base = source.find_base(if on_the_fly { MOST_SEARCHED } else { u64::MAX })?;
        }
        Ok(source)
    }

    /// The values of a band as they are, on a grid that is known already.
    pub(super) fn of_values(dataset: Dataset, band: usize, grid: Grid) -> Result<Self> {
        Self::new(dataset, false, band, None, grid)
    }

    fn new(dataset: Dataset, shared: bool, band: usize, nodata: Option<f64>, grid: Grid) -> Result<Self> {
        let raster = dataset.real_band(band)?;
        let (rows, cols) = dataset.size();
        let (block_rows, block_cols) = raster.block_size();
        let huge = block_rows.saturating_mul(block_cols) > LARGEST_BLOCK;
        let windowed = dataset.driver() == "VRT" || huge || dataset.is_writable();
        // The memory of a window's 64-bit numbers is about that of blocks this large under it.
        let (block_rows, block_cols) = if windowed {
            (WINDOW_BLOCK.min(rows), WINDOW_BLOCK.min(cols))
        } else {
            (block_rows, block_cols)
        };
        Ok(Self {
            // Handles of its own would have every worker decode the whole of a huge block.
            shared: shared || huge,
            name: dataset.name().to_string(),
            band,
            layout: Layout { rows, cols, block_rows, block_cols },
            grid,
            cells: CellReader::new(raster, nodata),
            windowed,
            masked: raster.mask().is_some(),
            main: Mutex::new(dataset),
            blocks: BlockCache::new(),
            spare: Mutex::default(),
            blank: false,
        })
    }

    /// Gives elevations as they are, where differences would be read more finely without a base height.
    pub fn keep_heights(&mut self) {
        self.cells.base = 0.0;
    }

    /// Cell size and orientation.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Whether cells are elevations as they stand, but for a nodata value.
    pub fn is_plain(&self) -> bool {
        self.cells.is_unscaled() && !self.masked
    }

    /// Value that means nodata.
    pub fn nodata(&self) -> Option<f64> {
        self.cells.nodata
    }

    /// File name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The GDAL that reads it; an output carries over its reference system, so the same one writes.
    pub fn gdal(&self) -> &'static Gdal {
        self.dataset().gdal()
    }

    /// Bytes that decoded blocks may take.
    pub fn set_cache(&self, bytes: usize) {
        self.blocks.resize(bytes / (self.layout.block_rows * self.layout.block_cols * 4));
    }

    /// Bytes of a block as the file has it, which every worker holds while it converts one.
    pub fn raw_block_bytes(&self) -> usize {
        if self.windowed || self.cells.is_direct() {
            return 0;
        }
        let cell = self.dataset().band(self.band).map_or(0, Band::cell_bytes);
        self.layout.block_rows * self.layout.block_cols * cell
    }

    /// The dataset, for what an output carries over.
    pub fn dataset(&self) -> MutexGuard<'_, Dataset> {
        self.main.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A whole elevation near those of the dataset: the first valid cell of a fixed pattern of rows, or else of
    /// all rows.
    fn find_base(&self, most: u64) -> Result<f64> {
        let dataset = self.dataset();
        let band = dataset.band(self.band)?;
        let mask = band.mask();
        let length = SEARCHED.min(self.layout.cols);
        let (mut cells, mut valid) = (vec![0.0_f64; length], vec![1_u8; length]);
        let mut searched = 0;
        let pattern =
            (0..BASE_SAMPLES).map(|sample| (2 * sample + 1) * self.layout.rows / (2 * BASE_SAMPLES));
        // An island between the rows of the pattern needs its elevation as much as any other land.
        let rows = pattern.chain(0..self.layout.rows);
        for (row, col) in
            rows.flat_map(|row| (0..self.layout.cols).step_by(length).map(move |col| (row, col)))
        {
            if searched > most {
                return Err(Error::Unsupported(format!(
                    "'{}': no elevation in the first {most} cells; allowed on the fly: rasters that are not empty; \
                     write a file instead",
                    self.name
                )));
            }
            let window = Window { row, col, rows: 1, cols: length.min(self.layout.cols - col) };
            let (cells, valid) = (&mut cells[..window.cols], &mut valid[..window.cols]);
            self.read_window(dataset.gdal(), band, window, GDALDataType::GDT_Float64, cells)?;
            if let Some(mask) = mask {
                self.read_window(dataset.gdal(), mask, window, GDALDataType::GDT_Byte, valid)?;
            }
            // What stands in masked cells says nothing of the ground.
            let there = cells.iter().zip(valid).filter(|(_, valid)| **valid != 0);
            let mut elevations = there.map(|(raw, _)| self.cells.elevation(*raw));
            if let Some(first) = elevations.find(|elevation| elevation.abs() < LARGEST_BASE) {
                return Ok(first.floor());
            }
            searched += window.cols as u64;
        }
        Ok(0.0)
    }

    /// Reads a window through GDAL; `data_type` is the type `T`.
    fn read_window<T>(
        &self,
        gdal: &Gdal,
        band: Band,
        window: Window,
        data_type: GDALDataType::Type,
        cells: &mut [T],
    ) -> Result<()> {
        band.read_window(gdal, window, data_type, cells).map_err(|reason| self.read_error(window, &reason))
    }

    fn read_error(&self, window: Window, reason: &str) -> Error {
        let (name, band, Window { row, col, .. }) = (&self.name, self.band, window);
        Error::Input(format!("cannot read '{name}', band {band}, at row {row}, column {col}: {reason}"))
    }
}

impl Source for GdalSource {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        match self.blank {
            true => Ok(Box::new(BlankReader)),
            false => Ok(Box::new(self.reader(None)?)),
        }
    }
}

/// Stands for elevations that nothing looks at.
struct BlankReader;

impl Reader for BlankReader {
    fn read(&mut self, _window: Window, mut out: ArrayViewMut2<'_, f32>) -> Result<()> {
        out.fill(0.0);
        Ok(())
    }
}

impl GdalSource {
    /// A reader of the raster, or of the overview of this number.
    fn reader(&self, overview: Option<usize>) -> Result<GdalReader<'_>> {
        // The guards go before the file is opened: workers open theirs at the same time.
        let gdal = self.gdal();
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let own = match (self.shared, spare) {
            (true, _) => None,
            (false, None) => Some(Dataset::open(gdal, &self.name)?),
            (false, spare) => spare,
        };
        Ok(GdalReader { source: self, overview, own, raw: Vec::new(), wide: Vec::new(), mask: Vec::new() })
    }

    /// The raster's own overview whose cells are `factor` times as large, if it has one.
    pub fn overview(self: &Arc<Self>, factor: usize) -> Option<Overview> {
        let Layout { rows, cols, .. } = self.layout;
        let size = (rows.div_ceil(factor), cols.div_ceil(factor));
        let dataset = self.dataset();
        let band = dataset.band(self.band).ok()?;
        let index = (0..band.overviews()).find(|index| band.overview(*index).size() == size)?;
        let block = (WINDOW_BLOCK.min(size.0), WINDOW_BLOCK.min(size.1));
        let layout = Layout { rows: size.0, cols: size.1, block_rows: block.0, block_cols: block.1 };
        Some(Overview { source: Arc::clone(self), index, layout })
    }
}

/// An overview that a raster has in its file.
pub struct Overview {
    source: Arc<GdalSource>,
    index: usize,
    layout: Layout,
}

impl Source for Overview {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(self.source.reader(Some(self.index))?))
    }
}

/// One worker's handle and buffers.
struct GdalReader<'a> {
    source: &'a GdalSource,
    /// Number of the overview that is read; None: the raster itself.
    overview: Option<usize>,
    own: Option<Dataset>,
    raw: Vec<u8>,
    wide: Vec<f64>,
    mask: Vec<u8>,
}

impl Drop for GdalReader<'_> {
    fn drop(&mut self) {
        let own = self.own.take();
        self.source.spare.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
    }
}

impl Reader for GdalReader<'_> {
    fn read(&mut self, window: Window, mut out: ArrayViewMut2<'_, f32>) -> Result<()> {
        let source = self.source;
        let mut buffers = Buffers { raw: &mut self.raw, wide: &mut self.wide, mask: &mut self.mask };
        // The lock is held for the whole window: a shared dataset serves one worker at a time.
        let shared = self.own.is_none().then(|| source.dataset());
        let dataset = match (&self.own, &shared) {
            (Some(own), _) => own,
            (None, Some(shared)) => shared,
            (None, None) => return Err(Error::Internal("a reader without dataset".into())),
        };
        let band = dataset.band(source.band)?;
        let band = self.overview.map_or(band, |index| band.overview(index));
        if source.windowed || self.overview.is_some() {
            source.read_windowed(dataset.gdal(), band, window, &mut out, &mut buffers)?;
        } else {
            source.read_blocks(dataset.gdal(), band, window, &mut out, &mut buffers)?;
        }
        if source.masked {
            source.apply_mask(dataset.gdal(), band, window, &mut out, buffers.mask)?;
        }
        Ok(())
    }
}

/// A worker's recycled memory.
struct Buffers<'a> {
    raw: &'a mut Vec<u8>,
    wide: &'a mut Vec<f64>,
    mask: &'a mut Vec<u8>,
}

impl GdalSource {
    fn read_windowed(
        &self,
        gdal: &Gdal,
        band: Band,
        window: Window,
        out: &mut ArrayViewMut2<'_, f32>,
        buffers: &mut Buffers<'_>,
    ) -> Result<()> {
        buffers.wide.resize(window.cells(), 0.0);
        self.read_window(gdal, band, window, GDALDataType::GDT_Float64, buffers.wide)?;
        for (mut to, from) in out.outer_iter_mut().zip(buffers.wide.chunks(window.cols)) {
            for (cell, raw) in to.iter_mut().zip(from) {
                *cell = self.cells.cell(*raw);
            }
        }
        Ok(())
    }

    fn read_blocks(
        &self,
        gdal: &Gdal,
        band: Band,
        window: Window,
        out: &mut ArrayViewMut2<'_, f32>,
        buffers: &mut Buffers<'_>,
    ) -> Result<()> {
        let (rows, cols) = (self.layout.block_rows, self.layout.block_cols);
        for block_row in window.row / rows..=(window.row + window.rows - 1) / rows {
            for block_col in window.col / cols..=(window.col + window.cols - 1) / cols {
                let index = (block_col, block_row);
                let block = self.block(gdal, band, index, buffers)?;
                let place = Window { row: block_row * rows, col: block_col * cols, rows, cols };
                copy_overlap(block.cells(), place, window, out);
            }
        }
        Ok(())
    }

    fn block(
        &self,
        gdal: &Gdal,
        band: Band,
        index: (usize, usize),
        buffers: &mut Buffers<'_>,
    ) -> Result<Arc<Block>> {
        let count = self.layout.block_rows * self.layout.block_cols;
        self.blocks.get(index, |cells| {
            cells.resize(count, 0.0);
            let direct = self.cells.is_direct();
            buffers.raw.resize(if direct { 0 } else { count * band.cell_bytes() }, 0);
            let target: *mut c_void =
                if direct { cells.as_mut_ptr().cast() } else { buffers.raw.as_mut_ptr().cast() };
            gdal.check(|gdal| {
                // SAFETY: the band's dataset is open and used by this thread alone; the block exists, and the
                // buffer has room for a whole block of the band's own type.
                unsafe { (gdal.GDALReadBlock)(band.raw(), index.0 as c_int, index.1 as c_int, target) }
            })
            .map_err(|reason| {
                let (col, row) = (index.0 * self.layout.block_cols, index.1 * self.layout.block_rows);
                self.read_error(Window { row, col, rows: 1, cols: 1 }, &reason)
            })?;
            if direct {
                self.cells.mark_missing(cells);
            } else {
                self.cells.convert(gdal, buffers.raw, buffers.wide, cells);
            }
            Ok(())
        })
    }

    fn apply_mask(
        &self,
        gdal: &Gdal,
        band: Band,
        window: Window,
        out: &mut ArrayViewMut2<'_, f32>,
        mask: &mut Vec<u8>,
    ) -> Result<()> {
        let Some(mask_band) = band.mask() else { return Ok(()) };
        mask.resize(window.cells(), 0);
        self.read_window(gdal, mask_band, window, GDALDataType::GDT_Byte, mask)?;
        for (mut row, valid) in out.axis_iter_mut(Axis(0)).zip(mask.chunks(window.cols)) {
            for (cell, valid) in row.iter_mut().zip(valid) {
                *cell = if *valid == 0 { f32::NAN } else { *cell };
            }
        }
        Ok(())
    }
}

/// Cell size and orientation, or why the raster cannot be treated rightly.
fn grid_of(dataset: &Dataset) -> Result<Grid> {
    let name = dataset.name();
    // Without a geotransform a cell counts as one unit, as everywhere else in GDAL.
    let transform = dataset.geotransform().unwrap_or([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]);
    if let Some(reference) = dataset.geographic_name() {
        return Err(Error::Unsupported(format!(
            "'{name}': coordinates are degrees ({reference}), in which a slope has no meaning; \
             reproject first, for example: gdalwarp -r bilinear -t_srs {} '{name}' projected.tif",
            utm_zone(&transform, dataset.size())
        )));
    }
    let [_, width, row_rotation, _, col_rotation, height] = transform;
    if row_rotation != 0.0 || col_rotation != 0.0 || width <= 0.0 {
        return Err(Error::Unsupported(format!(
            "'{name}': rows do not run from west to east (rotated or mirrored geotransform); \
             straighten first, for example: gdalwarp -r bilinear '{name}' straight.tif"
        )));
    }
    let grid = Grid { cell_width: width, cell_height: height.abs(), south_up: height > 0.0 };
    grid.check().map_err(|error| Error::Unsupported(format!("'{name}': {error}")))?;
    Ok(grid)
}

/// The UTM zone around the middle of a raster in degrees.
fn utm_zone(transform: &GeoTransform, (rows, cols): (usize, usize)) -> String {
    let (col, row) = (cols as f64 / 2.0, rows as f64 / 2.0);
    let longitude = transform[0] + col * transform[1] + row * transform[2];
    let latitude = transform[3] + col * transform[4] + row * transform[5];
    let zone = ((longitude + 180.0) / 6.0).floor().clamp(0.0, 59.0) as u32 + 1;
    format!("EPSG:{}", if latitude < 0.0 { 32700 } else { 32600 } + zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_zone_of_the_middle() {
        assert_eq!(utm_zone(&[14.0, 0.001, 0.0, 46.0, 0.0, -0.001], (1000, 1000)), "EPSG:32633");
        assert_eq!(utm_zone(&[-70.0, 0.001, 0.0, -20.0, 0.0, -0.001], (10, 10)), "EPSG:32719");
    }
}
