//! A raster brought to another grid by GDAL's warper, block by block.
//!
//! What the warper gives for a cell depends a little on the window it is asked for. So windows are always the same
//! blocks of the target, whatever the tiles: each is warped once while it stays in the cache.

use super::blocks::{copy_overlap, Block, BlockCache};
use super::cells::CellReader;
use super::dataset::Dataset;
use super::transform::{Placement, TargetGrid, Transformer};
use super::warper::{Resampling, Sampling, Warper, HARDLY_FINER};
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{Layout, Reader, Source};
use ndarray::ArrayViewMut2;
use std::sync::{Arc, Mutex, PoisonError};

/// Side of a block where a cell of the target is about one of the raster.
const BLOCK: usize = 128;

/// Side of the smallest blocks.
const SMALLEST_BLOCK: usize = 4;

/// Most cells of the raster that the warper should hold for a block; blocks are smaller over fine rasters.
const MOST_SOURCE_CELLS: f64 = (1 << 20) as f64;

/// Cells of the target on each side of a block from which the filter takes in the raster.
const FILTER: f64 = 1.5;

/// Cells of the raster that the warper reads beyond that, on each side.
const MARGIN: f64 = 8.0;

/// Bytes that the warper holds for a cell of the raster: its value and what masks say of it.
const SOURCE_CELL_BYTES: f64 = 8.0 + 2.0;

/// Bytes beside these cells and a block of the file: a transformer, and what the allocator keeps from block to block.
const WARPER_BYTES: usize = 4 << 20;

/// The warper reads through GDAL's own cache of blocks. As much of it counts as a program of ours lets it have; a host
/// that gives it more has set it aside already.
const GDAL_CACHE: usize = 32 << 20;

/// How a band of a raster is brought to another grid: in which blocks, from which overview, by which filter.
pub struct WarpedBlocks {
    band: usize,
    /// Overview that is read in place of the raster.
    level: Option<usize>,
    target: TargetGrid,
    /// Side of the blocks.
    side: usize,
    sampling: Sampling,
    /// Value that means nodata, in place of the file's own.
    nodata: Option<f64>,
    /// Bytes that the warper holds for a block.
    memory: usize,
}

impl WarpedBlocks {
    /// For a band of `dataset`, which lies under `target` as `placement` says. `level` is the overview that `dataset` is.
    pub fn new(
        (dataset, level): (&Dataset, Option<usize>),
        band: usize,
        target: TargetGrid,
        placement: Placement,
        (resampling, nodata): (Resampling, Option<f64>),
    ) -> Result<Self> {
        let raster = dataset.real_band(band)?;
        // Without a filter overviews may hold what is between the cells.
        let (level, placement) = match resampling.is_filter() && level.is_none() {
            true => overview(dataset, band, &target, placement)?,
            false => (level, placement),
        };
        let sampling = Sampling::new(resampling, placement.density);
        let (side, source_cells) = block_side(placement.spread);
        let (source_rows, source_cols) = dataset.size();
        let source_cells = source_cells.min(source_rows as f64 * source_cols as f64);
        let (block_rows, block_cols) = raster.block_size();
        let file_block = block_rows.saturating_mul(block_cols).saturating_mul(raster.cell_bytes());
        let memory = WARPER_BYTES
            .saturating_add((source_cells * SOURCE_CELL_BYTES) as usize)
            .saturating_add(file_block);
        Ok(Self { band, level, target, side, sampling, nodata, memory })
    }

    /// Rows and columns of a block.
    pub fn block(&self) -> (usize, usize) {
        (self.side.min(self.target.size.0), self.side.min(self.target.size.1))
    }

    /// Bytes that every worker holds while it warps a block.
    pub fn reader_bytes(&self) -> usize {
        let (rows, cols) = self.block();
        self.memory.saturating_add(rows * cols * 8)
    }

    /// A warper of the raster called `name`.
    pub fn open(&self, name: &str, gdal: &'static Gdal) -> Result<Warper> {
        let dataset = Dataset::open_level(gdal, name, self.level)?;
        Warper::new(dataset, self.band, &self.target, self.sampling, self.nodata)
    }
}

/// A band of a raster on another grid.
pub struct WarpedSource {
    gdal: &'static Gdal,
    name: String,
    warp: WarpedBlocks,
    layout: Layout,
    cells: CellReader,
    blocks: BlockCache,
    /// Warpers of readers that are done.
    spare: Mutex<Vec<Warper>>,
}

impl WarpedSource {
    /// For a band of `dataset`, which lies under `target` as `placement` says.
    pub fn new(dataset: &Dataset, band: usize, target: TargetGrid, placement: Placement) -> Result<Self> {
        let raster = dataset.real_band(band)?;
        let (rows, cols) = target.size;
        // Classes have nothing between them.
        let resampling = if raster.has_color_table() { Resampling::Nearest } else { Resampling::Bilinear };
        let warp = WarpedBlocks::new((dataset, None), band, target, placement, (resampling, None))?;
        let (block_rows, block_cols) = warp.block();
        Ok(Self {
            gdal: dataset.gdal(),
            name: dataset.name().to_string(),
            warp,
            layout: Layout { rows, cols, block_rows, block_cols },
            cells: CellReader::wide(raster),
            blocks: BlockCache::new(),
            spare: Mutex::default(),
        })
    }

    /// Bytes that decoded blocks may take.
    pub fn set_cache(&self, bytes: usize) {
        self.blocks.resize(bytes / (self.layout.block_rows * self.layout.block_cols * 4));
    }

    /// Bytes that every worker holds while it warps a block.
    pub fn reader_bytes(&self) -> usize {
        self.warp.reader_bytes()
    }

    /// Bytes of GDAL's own cache that the warper fills.
    pub fn gdal_cache(&self) -> usize {
        self.gdal.block_cache().min(GDAL_CACHE)
    }

    fn block(&self, warper: &mut Warper, index: (usize, usize), wide: &mut Vec<f64>) -> Result<Arc<Block>> {
        let (rows, cols) = (self.layout.block_rows, self.layout.block_cols);
        let place = Window { row: index.1 * rows, col: index.0 * cols, rows, cols };
        self.blocks.get(index, |cells| {
            // What the warper does not reach stays missing.
            wide.clear();
            wide.resize(rows * cols, f64::NAN);
            warper.warp(place, wide).map_err(|reason| self.read_error(place, &reason))?;
            cells.clear();
            cells.extend(wide.iter().map(|raw| self.cells.cell(*raw)));
            Ok(())
        })
    }

    fn read_error(&self, place: Window, reason: &str) -> Error {
        let (name, band, Window { row, col, .. }) = (&self.name, self.warp.band, place);
        Error::Input(format!(
            "cannot read '{name}', band {band}, under row {row}, column {col} of the elevations: {reason}"
        ))
    }
}

impl Source for WarpedSource {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        // The guard goes before the file is opened: workers open theirs at the same time.
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let warper = match spare {
            Some(warper) => warper,
            None => self.warp.open(&self.name, self.gdal)?,
        };
        Ok(Box::new(WarpedReader { source: self, warper: Some(warper), wide: Vec::new() }))
    }
}

/// One worker's handle and buffer.
struct WarpedReader<'a> {
    source: &'a WarpedSource,
    /// There until the reader is dropped.
    warper: Option<Warper>,
    wide: Vec<f64>,
}

impl Drop for WarpedReader<'_> {
    fn drop(&mut self) {
        self.source.spare.lock().unwrap_or_else(PoisonError::into_inner).extend(self.warper.take());
    }
}

impl Reader for WarpedReader<'_> {
    fn read(&mut self, window: Window, mut out: ArrayViewMut2<'_, f32>) -> Result<()> {
        let Layout { block_rows: rows, block_cols: cols, .. } = self.source.layout;
        let lost = || Error::Internal("a reader without warper".into());
        let warper = self.warper.as_mut().ok_or_else(lost)?;
        for block_row in window.row / rows..=(window.row + window.rows - 1) / rows {
            for block_col in window.col / cols..=(window.col + window.cols - 1) / cols {
                let block = self.source.block(warper, (block_col, block_row), &mut self.wide)?;
                let place = Window { row: block_row * rows, col: block_col * cols, rows, cols };
                copy_overlap(block.cells(), place, window, &mut out);
            }
        }
        Ok(())
    }
}

/// The coarsest overview that is no coarser than the target, and how the target lies over it.
fn overview(
    dataset: &Dataset,
    band: usize,
    target: &TargetGrid,
    placement: Placement,
) -> Result<(Option<usize>, Placement)> {
    let raster = dataset.band(band)?;
    let coarsest = placement.density.0.min(placement.density.1) * HARDLY_FINER;
    let factor = |level: usize| raster.size().1 as f64 / raster.overview(level).size().1 as f64;
    let factors = (0..raster.overviews()).map(|level| (level, factor(level)));
    let fitting = factors.filter(|(_, factor)| *factor > 1.0 && *factor <= coarsest);
    let Some((level, _)) = fitting.max_by(|first, second| first.1.total_cmp(&second.1)) else {
        return Ok((None, placement));
    };
    let reduced = Dataset::open_level(dataset.gdal(), dataset.name(), Some(level))?;
    // Without overviews of its own a mask would be lost.
    if reduced.band(band)?.mask().is_some() != raster.mask().is_some() {
        return Ok((None, placement));
    }
    let transformer = Transformer::new(&reduced, target)?;
    Ok((Some(level), Placement::of(&reduced, target, &transformer)))
}

/// The side of blocks, and how many cells of the raster the warper holds for one.
fn block_side((cols, rows): (f64, f64)) -> (usize, f64) {
    let under = |side: usize| {
        let length = |spread: f64| (side as f64 + 2.0 * FILTER) * spread + 2.0 * MARGIN;
        length(cols) * length(rows)
    };
    let mut side = BLOCK;
    while side > SMALLEST_BLOCK && under(side) > MOST_SOURCE_CELLS {
        side /= 2;
    }
    (side, under(side))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_small_where_the_raster_is_fine() {
        assert_eq!(block_side((1.0, 1.0)).0, BLOCK);
        assert_eq!(block_side((0.01, 0.01)).0, BLOCK);
        assert_eq!(block_side((20.0, 20.0)).0, 32);
        assert_eq!(block_side((1000.0, 1000.0)).0, SMALLEST_BLOCK);
        let (side, cells) = block_side((3.0, 2.0));
        assert!(cells >= (side * 3 * side * 2) as f64 && cells <= MOST_SOURCE_CELLS);
    }
}
