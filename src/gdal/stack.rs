//! Bands of many rasters on one grid as the source of a stack.
//!
//! Handles are few and blocks are read past GDAL's own cache: what a run holds does not grow with the number of files.

use super::blocks::copy_cells;
use super::dataset::{Band, Dataset};
use super::raster::{has_signed_bytes, BandFacts, RasterFacts};
use super::transform::{Placement, TargetGrid, Transformer};
use super::warp::WarpedBlocks;
use super::warper::{Resampling, Warper};
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::Layout;
use crate::pipeline::run::{in_parallel_watched, Monitor};
use crate::pipeline::stack::io::{PlaneInfo, RawPlane, StackReader, StackSource};
use crate::stack::cells::CellType;
use gdal_sys::GDALDataType;
use libc::{c_int, c_void};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Larger blocks are read in windows through GDAL instead: a file of one block would fill the memory.
const LARGEST_BLOCK: usize = 1 << 22;

/// Side of the blocks that plans assume where windows are read.
const WINDOW_BLOCK: usize = 256;

/// One band of one file.
#[derive(Debug, Clone)]
pub struct StackBand {
    /// Number of the file among those that were added.
    pub file: usize,
    /// Band of the file, from 1.
    pub band: usize,
    /// Value that means nodata, in place of the file's own.
    pub nodata: Option<f64>,
    /// How cells are made where the file lies on another grid.
    pub resampling: Resampling,
}

/// How the cells of a file are read.
enum Access {
    /// Block by block, each worker with a handle of its own.
    Blocks,
    /// In windows, each worker with a handle of its own.
    Windows,
    /// In windows, workers take turns: handles of their own would have each decode the whole of a huge block.
    Shared(Mutex<Dataset>),
    /// Through GDAL's warper.
    Warped,
}

struct File {
    facts: RasterFacts,
    access: Access,
    /// Bytes that GDAL holds for an open handle.
    held: usize,
    /// Handles that may stay open while no worker uses them.
    most_spare: usize,
    /// Handles that no worker uses now.
    spare: Mutex<Vec<Dataset>>,
    /// Some of its cells could be read.
    read: AtomicBool,
}

struct Plane {
    band: StackBand,
    warp: Option<WarpedBlocks>,
    /// Warpers that no worker uses now.
    spare: Mutex<Vec<Warper>>,
}

/// Files and their bands.
pub struct GdalStack {
    gdal: &'static Gdal,
    files: Vec<File>,
    planes: Vec<Plane>,
    infos: Vec<PlaneInfo>,
    /// Unreadable blocks are missing cells; their files are listed.
    skip_bad: bool,
    bad: Mutex<BTreeSet<String>>,
}

/// What is the same for all files of a stack.
#[derive(Debug, Clone)]
pub struct StackSettings {
    /// The grid of all bands.
    pub target: TargetGrid,
    /// Files that may be open at once, by all workers.
    pub most_open: usize,
    /// Bytes that handles in waiting may hold.
    pub handle_memory: usize,
    /// Unreadable blocks are missing cells instead of an error.
    pub skip_bad: bool,
    /// Worker threads.
    pub threads: usize,
}

impl GdalStack {
    /// A stack of bands of `files`; those that do not lie on the grid are warped.
    pub fn new(
        gdal: &'static Gdal,
        files: Vec<(RasterFacts, bool)>,
        bands: Vec<StackBand>,
        settings: &StackSettings,
        monitor: &mut Monitor<'_>,
    ) -> Result<Self> {
        let files = files.into_iter().map(|(facts, on_grid)| {
            monitor.go_on(0.0)?;
            File::new(gdal, facts, on_grid)
        });
        let mut files = files.collect::<Result<Vec<_>>>()?;
        share_handles(&mut files, settings);
        let mut planes = Vec::new();
        let mut infos = Vec::new();
        // Files on other grids are opened once more.
        let make = |band: &StackBand| plane(gdal, &files[band.file], band.clone(), &settings.target);
        for made in in_parallel_watched(settings.threads, &bands, make, monitor)? {
            let (plane, info) = made?;
            planes.push(plane);
            infos.push(info);
        }
        Ok(Self { gdal, files, planes, infos, skip_bad: settings.skip_bad, bad: Mutex::default() })
    }

    /// Bytes that each worker's reader holds beside its cells, at most.
    pub fn reader_bytes(&self) -> usize {
        let warpers = self.planes.iter().filter_map(|plane| plane.warp.as_ref());
        let warper = warpers.map(WarpedBlocks::reader_bytes).max().unwrap_or(0);
        let blocks = self.infos.iter().map(|info| {
            let Layout { block_rows, block_cols, .. } = info.layout;
            block_rows * block_cols * info.cell_type.size()
        });
        warper + blocks.max().unwrap_or(0) + self.files.iter().map(|file| file.held).max().unwrap_or(0)
    }

    /// Bytes that handles in waiting hold, at most.
    pub fn handle_bytes(&self) -> usize {
        self.files.iter().map(|file| file.most_spare * file.held).sum()
    }

    /// Files with blocks that could not be read, after a run that skips them.
    pub fn bad_files(&self) -> Vec<String> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Whether some cells of a plane's file could be read.
    pub fn has_read(&self, plane: usize) -> bool {
        self.files[self.planes[plane].band.file].read.load(Ordering::Relaxed)
    }

    /// The file and the band of a plane.
    pub fn facts(&self, plane: usize) -> (&RasterFacts, &BandFacts) {
        let StackBand { file, band, .. } = self.planes[plane].band;
        let facts = &self.files[file].facts;
        (facts, &facts.bands[band - 1])
    }

    /// The name of the file and the number of the band, from 1, of a plane.
    pub fn place(&self, plane: usize) -> (&str, usize) {
        let StackBand { file, band, .. } = self.planes[plane].band;
        (&self.files[file].facts.name, band)
    }

    fn read_error(&self, plane: usize, window: Window, reason: &str) -> Error {
        let Plane { band, .. } = &self.planes[plane];
        let (name, band, Window { row, col, .. }) = (&self.files[band.file].facts.name, band.band, window);
        Error::Input(format!(
            "cannot read '{name}', band {band}, at row {row}, column {col}: {reason}; allowed: a file that is whole, or \
             --skip-bad"
        ))
    }

    /// Whether a run goes on without what could not be read.
    fn skips(&self, plane: usize) -> bool {
        if self.skip_bad {
            let name = self.files[self.planes[plane].band.file].facts.name.clone();
            self.bad.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
        }
        self.skip_bad
    }
}

/// Decides which handles stay open: files are read in turn, again and again, so that those that are kept must be the
/// same ones each time, and small ones are the most for the memory.
fn share_handles(files: &mut [File], settings: &StackSettings) {
    let mut handles = settings.most_open.saturating_sub(settings.threads);
    let mut memory = settings.handle_memory;
    let mut order: Vec<&mut File> = files.iter_mut().collect();
    order.sort_by_key(|file| file.held);
    // Workers seldom meet at one file: a handle of each comes before second ones.
    for most in [1, settings.threads] {
        for file in &mut order {
            let room = memory.checked_div(file.held).unwrap_or(handles);
            let more = most.saturating_sub(file.most_spare).min(handles).min(room);
            file.most_spare += more;
            handles -= more;
            memory -= more * file.held;
        }
    }
}

/// A handle that no other worker uses.
fn take<T>(spare: &Mutex<Vec<T>>, open: impl FnOnce() -> Result<T>) -> Result<T> {
    let found = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
    found.map_or_else(open, Ok)
}

/// Keeps a handle for the next worker, or closes it.
fn give_back<T>(spare: &Mutex<Vec<T>>, most: usize, handle: T) {
    let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.len() < most {
        spare.push(handle);
    }
}

impl File {
    fn new(gdal: &'static Gdal, facts: RasterFacts, on_grid: bool) -> Result<Self> {
        let huge = facts.bands.iter().any(|band| band.block.0.saturating_mul(band.block.1) > LARGEST_BLOCK);
        let access = match () {
            () if !on_grid => Access::Warped,
            () if huge => Access::Shared(Mutex::new(Dataset::open_level(gdal, &facts.name, facts.level)?)),
            () if facts.is_virtual => Access::Windows,
            () => Access::Blocks,
        };
        let held = handle_bytes(&facts, &access);
        Ok(Self { facts, access, held, most_spare: 0, spare: Mutex::default(), read: AtomicBool::new(false) })
    }

    fn open(&self, gdal: &'static Gdal) -> Result<Dataset> {
        Dataset::open_level(gdal, &self.facts.name, self.facts.level)
    }
}

/// Bytes that GDAL holds for an open file: a block as it is stored, and decoded where bands stand together.
fn handle_bytes(facts: &RasterFacts, access: &Access) -> usize {
    if matches!(access, Access::Shared(_) | Access::Windows) {
        return 0;
    }
    let bytes = |band: &super::raster::BandFacts| band.block.0 * band.block.1 * band.cell_type.size();
    let block = facts.bands.iter().map(bytes).max().unwrap_or(0);
    if facts.interleaved {
        return 2 * block * facts.bands.len();
    }
    // Compressed blocks differ in size: twice the average one is enough for most.
    let (rows, cols) = facts.grid.size;
    let blocks = |band: &super::raster::BandFacts| rows.div_ceil(band.block.0) * cols.div_ceil(band.block.1);
    let blocks: usize = facts.bands.iter().map(blocks).sum();
    let stored = std::fs::metadata(&facts.name).map_or(u64::MAX, |file| file.len());
    block.min(usize::try_from(stored / blocks.max(1) as u64).unwrap_or(block).saturating_mul(2))
}

/// A plane and what a plan must know of it.
fn plane(
    gdal: &'static Gdal,
    file: &File,
    band: StackBand,
    target: &TargetGrid,
) -> Result<(Plane, PlaneInfo)> {
    let facts = &file.facts.bands[band.band - 1];
    let (rows, cols) = target.size;
    let (block, warp) = match &file.access {
        Access::Blocks => (facts.block, None),
        Access::Windows | Access::Shared(_) => ((WINDOW_BLOCK, WINDOW_BLOCK), None),
        Access::Warped => {
            let dataset = file.open(gdal)?;
            if has_signed_bytes(dataset.real_band(band.band)?) {
                let (name, number) = (dataset.name(), band.band);
                return Err(Error::Unsupported(format!(
                    "'{name}', band {number}, lies on another grid and has cells of type int8, which GDAL before 3.7 does \
                     not warp; allowed: the grid of the stack, or a copy in type int16"
                )));
            }
            let transformer = Transformer::new(&dataset, target)?;
            let placement = Placement::of(&dataset, target, &transformer);
            if !placement.overlaps {
                let (name, own, grid) = (dataset.name(), file.facts.grid.extent(), target.extent());
                return Err(Error::Unsupported(format!(
                    "'{name}' lies beside the grid of the stack: {own}; {grid}; allowed: a raster that covers at least a \
                     part of it, or --skip-bad"
                )));
            }
            let (opened, how) = ((&dataset, file.facts.level), (band.resampling, band.nodata));
            let warp = WarpedBlocks::new(opened, band.band, target.clone(), placement, how)?;
            (warp.block(), Some(warp))
        }
    };
    let layout = Layout { rows, cols, block_rows: block.0.min(rows), block_cols: block.1.min(cols) };
    let nodata = band.nodata.or(facts.nodata);
    let info = match warp {
        // The warper gives 64-bit numbers, NaN where there is none.
        Some(_) => {
            PlaneInfo { file: band.file, cell_type: CellType::Float64, nodata: None, layout, masked: false }
        }
        None => {
            // A value that the user gives replaces what the file says, its mask included.
            let masked = facts.masked && band.nodata.is_none();
            PlaneInfo { file: band.file, cell_type: facts.cell_type, nodata, layout, masked }
        }
    };
    Ok((Plane { band, warp, spare: Mutex::default() }, info))
}

impl StackSource for GdalStack {
    fn planes(&self) -> &[PlaneInfo] {
        &self.infos
    }

    fn open(&self) -> Result<Box<dyn StackReader + '_>> {
        self.gdal.without_folder_listing();
        Ok(Box::new(GdalStackReader { stack: self, block: Vec::new(), wide: Vec::new() }))
    }
}

/// One worker's buffers.
struct GdalStackReader<'a> {
    stack: &'a GdalStack,
    block: Vec<u8>,
    wide: Vec<f64>,
}

impl StackReader for GdalStackReader<'_> {
    fn read(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
        for (plane, out) in planes.iter().zip(out.iter_mut()) {
            out.prepare(&self.stack.infos[*plane], window);
        }
        let file = |plane: &usize| self.stack.infos[*plane].file;
        let mut first = 0;
        while first < planes.len() {
            let count =
                planes[first..].iter().take_while(|plane| file(plane) == file(&planes[first])).count();
            self.read_file(&planes[first..first + count], window, &mut out[first..first + count])?;
            first += count;
        }
        Ok(())
    }
}

impl GdalStackReader<'_> {
    /// Reads planes of one file.
    fn read_file(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
        let stack = self.stack;
        let file = &stack.files[stack.infos[planes[0]].file];
        match &file.access {
            Access::Warped => {
                for (plane, out) in planes.iter().zip(out) {
                    self.read_warped(*plane, window, out)?;
                }
                Ok(())
            }
            Access::Shared(dataset) => {
                let dataset = dataset.lock().unwrap_or_else(PoisonError::into_inner);
                self.read_windows(&dataset, planes, window, out)
            }
            Access::Windows => {
                let dataset = take(&file.spare, || file.open(stack.gdal))?;
                let result = self.read_windows(&dataset, planes, window, out);
                give_back(&file.spare, file.most_spare, dataset);
                result
            }
            Access::Blocks => {
                let dataset = take(&file.spare, || file.open(stack.gdal))?;
                let result = self.read_blocks(&dataset, planes, window, out);
                give_back(&file.spare, file.most_spare, dataset);
                result
            }
        }
    }

    fn read_windows(
        &mut self,
        dataset: &Dataset,
        planes: &[usize],
        window: Window,
        out: &mut [RawPlane],
    ) -> Result<()> {
        for (plane, out) in planes.iter().zip(out) {
            let info = &self.stack.infos[*plane];
            let band = dataset.band(self.stack.planes[*plane].band.band)?;
            // GDAL before 3.7 has no name for all types that files may have.
            let data_type = band.data_type();
            let mut read = band.read_window(dataset.gdal(), window, data_type, out.bytes_mut());
            if let Some(mask) = wanted_mask(info, &read, band) {
                read = mask.read_window(dataset.gdal(), window, GDALDataType::GDT_Byte, out.mask_mut());
            }
            self.settle(read, *plane, window, out, window)?;
        }
        Ok(())
    }

    /// Goes on after a failure, where the user wants it, with the cells of `part` missing.
    fn settle(
        &self,
        read: std::result::Result<(), String>,
        plane: usize,
        part: Window,
        out: &mut RawPlane,
        window: Window,
    ) -> Result<()> {
        let Err(reason) = read else {
            self.stack.files[self.stack.planes[plane].band.file].read.store(true, Ordering::Relaxed);
            return Ok(());
        };
        if !self.stack.skips(plane) {
            return Err(self.stack.read_error(plane, part, &reason));
        }
        let mask = out.mask_mut();
        for row in part.row.max(window.row)..(part.row + part.rows).min(window.row + window.rows) {
            let first = part.col.max(window.col) - window.col;
            let last = (part.col + part.cols).min(window.col + window.cols) - window.col;
            mask[(row - window.row) * window.cols..][first..last].fill(0);
        }
        Ok(())
    }

    /// Reads whole blocks. Bands that stand together in the file are read block by block, so that each block is decoded
    /// once for all of them.
    fn read_blocks(
        &mut self,
        dataset: &Dataset,
        planes: &[usize],
        window: Window,
        out: &mut [RawPlane],
    ) -> Result<()> {
        let stack = self.stack;
        let bands = planes.iter().map(|plane| dataset.band(stack.planes[*plane].band.band));
        let bands = bands.collect::<Result<Vec<_>>>()?;
        let layout = stack.infos[planes[0]].layout;
        if planes.iter().any(|plane| stack.infos[*plane].layout != layout) {
            for (index, plane) in planes.iter().enumerate() {
                let layout = stack.infos[*plane].layout;
                for block in blocks_under(window, layout) {
                    self.read_block(*plane, bands[index], block, window, &mut out[index])?;
                }
            }
            return Ok(());
        }
        for block in blocks_under(window, layout) {
            for (index, plane) in planes.iter().enumerate() {
                self.read_block(*plane, bands[index], block, window, &mut out[index])?;
            }
        }
        Ok(())
    }

    fn read_block(
        &mut self,
        plane: usize,
        band: Band,
        (block_row, block_col): (usize, usize),
        window: Window,
        out: &mut RawPlane,
    ) -> Result<()> {
        let info = self.stack.infos[plane];
        // The size in the file, which may be larger than the raster.
        let (rows, cols) = band.block_size();
        let place = Window { row: block_row * rows, col: block_col * cols, rows, cols };
        let size = info.cell_type.size();
        let mut read;
        if place == window {
            read = decode(self.stack.gdal, band, (block_row, block_col), out.bytes_mut());
        } else {
            self.block.resize(place.cells() * size, 0);
            read = decode(self.stack.gdal, band, (block_row, block_col), &mut self.block);
            if read.is_ok() {
                copy_cells(&self.block, place, window, size, out.bytes_mut());
            }
        }
        if let Some(mask) = wanted_mask(&info, &read, band) {
            let (last_row, last_col) =
                (info.layout.rows.min(place.row + rows), info.layout.cols.min(place.col + cols));
            let inside = Window { rows: last_row - place.row, cols: last_col - place.col, ..place };
            self.block.resize(inside.cells(), 0);
            read = mask.read_window(self.stack.gdal, inside, GDALDataType::GDT_Byte, &mut self.block);
            if read.is_ok() {
                copy_cells(&self.block, inside, window, 1, out.mask_mut());
            }
        }
        self.settle(read, plane, place, out, window)
    }

    fn read_warped(&mut self, plane: usize, window: Window, out: &mut RawPlane) -> Result<()> {
        let stack = self.stack;
        let Plane { warp, spare, band } = &stack.planes[plane];
        let file = &stack.files[band.file];
        let Some(warp) = warp else {
            return Err(Error::Internal("a plane without its warper".into()));
        };
        let mut warper = take(spare, || warp.open(&file.facts.name, stack.gdal))?;
        let layout = stack.infos[plane].layout;
        let mut result = Ok(());
        for (block_row, block_col) in blocks_under(window, layout) {
            let (rows, cols) = (layout.block_rows, layout.block_cols);
            let place = Window { row: block_row * rows, col: block_col * cols, rows, cols };
            self.wide.clear();
            self.wide.resize(place.cells(), f64::NAN);
            let read = warper.warp(place, &mut self.wide);
            if read.is_ok() {
                self.block.clear();
                self.block.extend(self.wide.iter().flat_map(|cell| cell.to_ne_bytes()));
                copy_cells(&self.block, place, window, 8, out.bytes_mut());
            }
            result = self.settle(read, plane, place, out, window);
            if result.is_err() {
                break;
            }
        }
        give_back(spare, file.most_spare, warper);
        result
    }
}

/// Row and column of every block that a window touches, in the file's order.
fn blocks_under(window: Window, layout: Layout) -> impl Iterator<Item = (usize, usize)> {
    let (rows, cols) = (layout.block_rows, layout.block_cols);
    let down = window.row / rows..=(window.row + window.rows - 1) / rows;
    let across = window.col / cols..=(window.col + window.cols - 1) / cols;
    down.flat_map(move |row| across.clone().map(move |col| (row, col)))
}

/// The mask of cells that were read. To ask for one makes GDAL look for files beside the raster, each time it is opened.
fn wanted_mask(info: &PlaneInfo, read: &std::result::Result<(), String>, band: Band) -> Option<Band> {
    if info.masked && read.is_ok() {
        band.mask()
    } else {
        None
    }
}

/// Decodes a block into a buffer that has room for all of it.
fn decode(
    gdal: &Gdal,
    band: Band,
    (row, col): (usize, usize),
    cells: &mut [u8],
) -> std::result::Result<(), String> {
    let (rows, cols) = band.block_size();
    assert!(cells.len() >= rows * cols * band.cell_bytes(), "room for a block");
    gdal.check(|gdal| {
        // SAFETY: the band's dataset is open and used by this thread alone; the block exists, and the buffer has room for
        // a whole block of the band's own type (checked above).
        unsafe {
            (gdal.GDALReadBlock)(band.raw(), col as c_int, row as c_int, cells.as_mut_ptr().cast::<c_void>())
        }
    })
}
