//! Bands of many rasters on one grid as the source of a stack.
//!
//! Handles are few and blocks are read past GDAL's own cache: what a run holds does not grow with the number of files.

mod handles;
mod reader;

use self::handles::{held_bytes, share_handles, shared_bytes, Handles, Share};
use self::reader::GdalStackReader;
use super::dataset::Dataset;
use super::raster::{has_signed_bytes, BandFacts, RasterFacts};
use super::transform::{Placement, TargetGrid, Transformer};
use super::warp::WarpedBlocks;
use super::warper::{Resampling, Warper};
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::Layout;
use crate::pipeline::run::{in_parallel_watched, Monitor};
use crate::pipeline::stack::io::{PlaneInfo, StackReader, StackSource};
use crate::stack::cells::CellType;
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
    Shared(Mutex<()>),
    /// Through GDAL's warper.
    Warped,
}

struct File {
    facts: RasterFacts,
    access: Access,
    handles: Handles<Dataset>,
    /// Some of its cells could be read.
    read: AtomicBool,
}

struct Plane {
    band: StackBand,
    /// How it is warped, and warpers, each of which opens the file once more.
    warp: Option<(WarpedBlocks, Handles<Warper>)>,
}

/// Files and their bands.
pub struct GdalStack {
    gdal: &'static Gdal,
    files: Vec<File>,
    planes: Vec<Plane>,
    infos: Vec<PlaneInfo>,
    threads: usize,
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
            Ok(File::new(facts, on_grid))
        });
        let mut files = files.collect::<Result<Vec<_>>>()?;
        let mut planes = Vec::new();
        let mut infos = Vec::new();
        // Files on other grids are opened once more.
        let make = |band: &StackBand| plane(gdal, &files[band.file], band.clone(), &settings.target);
        for made in in_parallel_watched(settings.threads, &bands, make, monitor)? {
            let (plane, info) = made?;
            planes.push(plane);
            infos.push(info);
        }
        let of_files = files.iter_mut().filter(|file| !matches!(file.access, Access::Warped));
        let of_files = of_files.map(|file| &mut file.handles.share);
        let of_planes = planes.iter_mut().filter_map(|plane: &mut Plane| plane.warp.as_mut());
        let of_planes = of_planes.map(|(_, warpers)| &mut warpers.share);
        share_handles(of_files.chain(of_planes).collect(), settings);
        let StackSettings { threads, skip_bad, .. } = *settings;
        Ok(Self { gdal, files, planes, infos, threads, skip_bad, bad: Mutex::default() })
    }

    /// Bytes that each worker's reader holds beside its cells, at most.
    pub fn reader_bytes(&self) -> usize {
        let warpers = self.planes.iter().filter_map(|plane| plane.warp.as_ref());
        let warper = warpers.map(|(warp, _)| warp.reader_bytes()).max().unwrap_or(0);
        let blocks = self.infos.iter().map(|info| {
            let Layout { block_rows, block_cols, .. } = info.layout;
            block_rows * block_cols * info.cell_type.size()
        });
        let own = self.shares().filter(|share| !share.takes_turns).map(|share| share.held);
        warper + blocks.max().unwrap_or(0) + own.max().unwrap_or(0)
    }

    /// Bytes that handles hold for all workers, at most.
    pub fn handle_bytes(&self) -> usize {
        shared_bytes(self.shares(), self.threads)
    }

    fn shares(&self) -> impl Iterator<Item = &Share> {
        let warpers = self.planes.iter().filter_map(|plane| plane.warp.as_ref());
        self.files.iter().map(|file| &file.handles.share).chain(warpers.map(|(_, warpers)| &warpers.share))
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

impl File {
    fn new(facts: RasterFacts, on_grid: bool) -> Self {
        let huge = facts.bands.iter().any(|band| band.block.0.saturating_mul(band.block.1) > LARGEST_BLOCK);
        let access = match () {
            () if !on_grid => Access::Warped,
            () if huge => Access::Shared(Mutex::default()),
            () if facts.is_virtual => Access::Windows,
            () => Access::Blocks,
        };
        let held = held_bytes(&facts, &access);
        let handles = Handles::new(held, matches!(access, Access::Shared(_)));
        Self { facts, access, handles, read: AtomicBool::new(false) }
    }

    fn open(&self, gdal: &'static Gdal) -> Result<Dataset> {
        Dataset::open_level(gdal, &self.facts.name, self.facts.level)
    }
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
            let warpers = Handles::new(file.handles.share.held, false);
            (warp.block(), Some((warp, warpers)))
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
    Ok((Plane { band, warp }, info))
}

impl StackSource for GdalStack {
    fn planes(&self) -> &[PlaneInfo] {
        &self.infos
    }

    fn open(&self) -> Result<Box<dyn StackReader + '_>> {
        self.gdal.without_folder_listing();
        Ok(Box::new(GdalStackReader::new(self)))
    }
}
