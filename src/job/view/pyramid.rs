//! The tiles of a picture at every scale: computed when they are asked for, and kept for a while.

use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::tile::Window;
use crate::gdal::layer::RasterLayer;
use crate::gdal::source::GdalSource;
use crate::gdal::statistics::BandStatistics;
use crate::job::Job;
use crate::pipeline::halved::Halved;
use crate::pipeline::io::{Cells, CellsRef, Source};
use crate::pipeline::nesting::Nesting;
use crate::pipeline::plan::{Plan, PlanOptions, SinkNeeds};
use crate::pipeline::run::Monitor;
use crate::pipeline::survey;
use crate::recipe::chain::{Chain, ChainOptions, ChainTiles, Registers};
use crate::recipe::Recipe;
use lru::LruCache;
use ndarray::ArrayViewMut2;
use once_cell::sync::OnceCell;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Sides of tiles: of few bands, and of so many that a large tile would not stay in the caches.
const SIDES: (usize, usize) = (512, 256);

/// Bytes of a cell above which tiles are small.
const LARGE_CELL: usize = 16;

/// Overviews end when one tile shows the whole raster.
const SMALLEST_OVERVIEW: usize = 256;

/// Bytes a worker may need for a tile: more is no view but a job.
const MOST_TILE_MEMORY: usize = 256 << 20;

/// How many seconds a reader waits for a tile, or for what must be known of the whole raster before: longer is no view but
/// a job. Changed by GDAL's option of this name.
const PATIENCE: (&str, f64) = ("TERRALUME_MOST_SECONDS", 30.0);

/// Bytes of computed tiles that are kept.
const TILE_CACHE: usize = 64 << 20;

/// Bytes a survey of the whole raster may take.
const SURVEY_MEMORY: usize = 512 << 20;

/// Statistics are those of the first overview that is no longer than this.
const STATISTICS_SIDE: usize = 512;

/// Most cells that are averaged for the statistics when a file is opened.
const CHEAP_CELLS: usize = 1 << 22;

/// Number of a level and of a tile in it.
pub type TileIndex = (usize, usize);

/// A part of a tile, and where it goes.
pub struct Piece<'a> {
    /// The tile.
    pub tile: TileIndex,
    /// First byte of the part.
    pub start: usize,
    /// As many bytes as are wanted.
    pub to: &'a mut [u8],
}

/// A picture at every scale. Any number of threads may look at it.
pub struct Pyramid {
    levels: Vec<Level>,
    options: ChainOptions,
    bands: usize,
    side: usize,
    threads: usize,
    patience: Duration,
    kept: Mutex<Kept>,
    /// A tile is there, or will not come.
    computed: Condvar,
}

/// Tiles that were computed, and buffers of those that have gone.
#[derive(Default)]
struct Kept {
    process: u32,
    tiles: Option<LruCache<TileIndex, Arc<Vec<u8>>>>,
    spare: Vec<Vec<u8>>,
    /// Tiles that a thread is busy with.
    computing: Vec<TileIndex>,
}

impl Kept {
    fn tiles(&mut self) -> &mut LruCache<TileIndex, Arc<Vec<u8>>> {
        self.tiles.get_or_insert_with(LruCache::unbounded)
    }
}

/// The raster at one scale.
struct Level {
    size: (usize, usize),
    sources: Vec<Arc<dyn Source + Send>>,
    recipe: Recipe,
    grid: Grid,
    /// Cells of the raster, or of its own overview, that this scale averages; 0 when it is one of these.
    averaged: usize,
    /// Made, and surveyed if it must be, when the first tile is asked for.
    chain: OnceCell<Chain>,
    spare: Mutex<Vec<Desk>>,
}

/// What a worker needs for a tile.
struct Desk {
    tiles: ChainTiles,
    registers: Registers,
    cells: Cells,
}

impl Pyramid {
    /// All scales of a job's only picture, until one tile shows the whole or the recipe makes no sense any more.
    pub fn new(job: &Job, chain: &Chain, source: &Arc<GdalSource>, layers: Vec<RasterLayer>) -> Result<Self> {
        let cell = chain.bands().len() * chain.cell_type().bytes();
        let side = if cell > LARGE_CELL { SIDES.1 } else { SIDES.0 };
        check_memory(chain, side)?;
        let seconds = source.gdal().option(PATIENCE.0).trim().parse().ok();
        let seconds = seconds.filter(|seconds| (0.0..=1e6).contains(seconds)).unwrap_or(PATIENCE.1);
        Ok(Self {
            patience: Duration::from_secs_f64(seconds),
            levels: levels(job, source, layers)?,
            options: job.chain_options(),
            bands: chain.bands().len(),
            side,
            threads: job.options.threads.unwrap_or_else(crate::job::processors),
            kept: Mutex::default(),
            computed: Condvar::new(),
        })
    }

    /// Rows and columns of the raster and of its overviews.
    pub fn sizes(&self) -> Vec<(usize, usize)> {
        self.levels.iter().map(|level| level.size).collect()
    }

    /// Rows, and columns, of a tile.
    pub fn side(&self) -> usize {
        self.side
    }

    /// Threads that may compute.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Bytes of a tile: bands of a cell together, cells row by row, `side` of them in a row.
    pub fn tile_bytes(&self) -> usize {
        self.side * self.side * self.cell_bytes()
    }

    /// Fills pieces, in parallel, from tiles that are kept or computed now.
    pub fn fill(&self, mut pieces: Vec<Piece<'_>>) -> Result<()> {
        // Surveys come first: they use threads of their own.
        let mut levels: Vec<usize> = pieces.iter().map(|piece| piece.tile.0).collect();
        levels.dedup();
        levels.into_iter().try_for_each(|level| self.chain(level).map(drop))?;
        // A tile is for one thread.
        pieces.sort_by_key(|piece| piece.tile);
        let mut tiles: Vec<&mut [Piece<'_>]> =
            pieces.chunk_by_mut(|one, next| one.tile == next.tile).collect();
        let others = self.threads.min(tiles.len()).saturating_sub(1);
        let tiles = Mutex::new(tiles.drain(..));
        let next = || tiles.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || -> Result<()> {
            while let Some(pieces) = next() {
                let tile = self.tile(pieces[0].tile)?;
                for Piece { start, to, .. } in pieces {
                    to.copy_from_slice(&tile[*start..*start + to.len()]);
                }
            }
            Ok(())
        };
        let nesting = Nesting::here();
        let help = || nesting.within(work);
        std::thread::scope(|scope| {
            let spawned: Vec<_> = (0..others).map(|_| scope.spawn(help)).collect();
            let mine = work();
            let died = |_| Err(Error::Internal("a worker thread died".into()));
            let theirs = spawned.into_iter().map(|thread| thread.join().unwrap_or_else(died));
            theirs.fold(mine, Result::and)
        })
    }

    /// Bytes of a cell: all its bands.
    pub fn cell_bytes(&self) -> usize {
        self.bands * self.options.cell_type.bytes()
    }

    /// A window of a level, cells row by row.
    pub fn read(&self, level: usize, window: Window, to: &mut [u8]) -> Result<()> {
        let (side, cell, across) =
            (self.side, self.cell_bytes(), self.levels[level].size.1.div_ceil(self.side));
        let mut pieces = Vec::new();
        for (number, mut to) in to.chunks_exact_mut(window.cols * cell).enumerate() {
            let (row, mut col) = (window.row + number, window.col);
            while !to.is_empty() {
                let count = (side - col % side).min(window.col + window.cols - col);
                let (here, rest) = to.split_at_mut(count * cell);
                let start = (row % side * side + col % side) * cell;
                pieces.push(Piece { tile: (level, row / side * across + col / side), start, to: here });
                to = rest;
                col += count;
            }
        }
        self.fill(pieces)
    }

    /// What its cells are like, as a small overview tells; None when that would take a long look at the elevations.
    pub fn cheap_statistics(&self) -> Result<Option<Vec<BandStatistics>>> {
        let Some(number) = self.statistics_level() else { return Ok(None) };
        let cheap = self.levels[number].averaged <= CHEAP_CELLS && self.levels[0].is_settled(self.options)?;
        if cheap {
            self.statistics()
        } else {
            Ok(None)
        }
    }

    /// What its cells are like, as a small overview tells; None when there is none.
    pub fn statistics(&self) -> Result<Option<Vec<BandStatistics>>> {
        let Some(number) = self.statistics_level() else { return Ok(None) };
        let (rows, cols) = self.levels[number].size;
        let mut bands = vec![BandStatistics::default(); self.bands];
        let nodata = self.chain(number)?.nodata();
        let across = cols.div_ceil(self.side);
        for index in 0..self.tiles(number) {
            let tile = self.tile((number, index))?;
            let (row, col) = (index / across * self.side, index % across * self.side);
            let window =
                Window { row, col, rows: self.side.min(rows - row), cols: self.side.min(cols - col) };
            self.each_cell(&tile, window, |band, value| bands[band].add(value, nodata));
        }
        bands.iter_mut().for_each(|band| band.is_approximate = number > 0);
        Ok(Some(bands))
    }

    /// The first scale that is small enough to be looked at as a whole.
    fn statistics_level(&self) -> Option<usize> {
        self.levels.iter().position(|level| level.size.0.max(level.size.1) <= STATISTICS_SIDE)
    }

    fn each_cell(&self, tile: &[u8], window: Window, mut visit: impl FnMut(usize, f64)) {
        let bytes = self.options.cell_type.bytes();
        for row in tile.chunks_exact(self.side * self.bands * bytes).take(window.rows) {
            for (place, value) in row.chunks_exact(bytes).take(window.cols * self.bands).enumerate() {
                let value = match value {
                    [byte] => f64::from(*byte),
                    bytes => f64::from(f32::from_le_bytes(bytes.try_into().unwrap_or_default())),
                };
                visit(place % self.bands, value);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if kept.process != process {
            // Nobody goes on in a forked child with what its parent's threads were busy with.
            kept.process = process;
            kept.computing.clear();
        }
        kept
    }

    /// Tiles that are kept, at most.
    pub fn most_tiles(&self) -> usize {
        (TILE_CACHE / self.tile_bytes()).max(1)
    }

    /// Number of tiles of a level.
    pub fn tiles(&self, level: usize) -> usize {
        let (rows, cols) = self.levels[level].size;
        rows.div_ceil(self.side) * cols.div_ceil(self.side)
    }

    /// A tile that is kept, or computed now.
    fn tile(&self, index: TileIndex) -> Result<Arc<Vec<u8>>> {
        let start = Instant::now();
        self.make(index, &|| start.elapsed() < self.patience).map_err(|error| self.too_slow(error, "a tile"))
    }

    /// A tile that is kept, or computed now, unless `proceed` says no. Two threads never compute the same one.
    pub fn make(&self, index: TileIndex, proceed: &dyn Fn() -> bool) -> Result<Arc<Vec<u8>>> {
        let mut kept = self.kept();
        loop {
            if let Some(tile) = kept.tiles().get(&index) {
                return Ok(Arc::clone(tile));
            }
            if !kept.computing.contains(&index) {
                break;
            }
            let waited =
                self.computed.wait_timeout(kept, self.patience).unwrap_or_else(PoisonError::into_inner);
            kept = waited.0;
            if waited.1.timed_out() {
                // Pictures that wait for each other: computing finds that out.
                break;
            }
        }
        kept.computing.push(index);
        let mut bytes = kept.spare.pop().unwrap_or_default();
        drop(kept);
        let _busy = Busy { pyramid: self, index };
        bytes.resize(self.tile_bytes(), 0);
        self.compute(index, &mut bytes, proceed)?;
        let tile = Arc::new(bytes);
        let most = self.most_tiles();
        let mut kept = self.kept();
        while kept.tiles().len() >= most {
            // Memory that was used before need not be cleared by the system again.
            let gone = kept.tiles().pop_lru().and_then(|(_, tile)| Arc::try_unwrap(tile).ok());
            kept.spare.extend(gone);
        }
        kept.spare.truncate(self.threads);
        kept.tiles().put(index, Arc::clone(&tile));
        Ok(tile)
    }

    /// What stopped because it took too long.
    fn too_slow(&self, error: Error, what: &str) -> Error {
        match error {
            Error::Cancelled => Error::Unsupported(format!(
                "{what} takes too long; allowed on the fly: {} s, {} changes that; or write a file instead",
                self.patience.as_secs_f64(),
                PATIENCE.0
            )),
            other => other,
        }
    }

    /// The chain of a level, ready to run.
    fn chain(&self, number: usize) -> Result<&Chain> {
        let level = &self.levels[number];
        level.chain.get_or_try_init(|| {
            let mut chain = Chain::new(&level.recipe, &level.grid, self.options)?;
            if number > 0 && !chain.is_settled() {
                chain.take_over(self.chain(0)?);
            }
            let start = Instant::now();
            let in_time = &|| start.elapsed() < self.patience;
            let look = "the look at the whole raster before the first tile";
            level.survey(&mut chain, self.threads, in_time).map_err(|error| self.too_slow(error, look))?;
            Ok(chain)
        })
    }

    /// Computes a tile; what lies beyond the raster's edge is 0.
    fn compute(
        &self,
        (number, index): TileIndex,
        bytes: &mut [u8],
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        let (level, chain) = (&self.levels[number], self.chain(number)?);
        let across = level.size.1.div_ceil(self.side);
        let (row, col) = (index / across * self.side, index % across * self.side);
        let (rows, cols) = (self.side.min(level.size.0 - row), self.side.min(level.size.1 - col));
        let window = Window { row, col, rows, cols };
        let mut desk = level.desk(chain);
        let mut readers = level.sources.iter().map(|source| source.open()).collect::<Result<Vec<_>>>()?;
        let read =
            |number: usize, part, out: ArrayViewMut2<'_, f32>| readers[number].read_while(part, out, proceed);
        desk.tiles.load(chain, window, level.size, proceed, read)?;
        let mut out = desk.cells.view_mut(self.bands, window);
        chain.run(|edge| desk.tiles.tile(edge), &mut desk.registers, &mut out, proceed)?;
        if (rows, cols) != (self.side, self.side) {
            bytes.fill(0);
        }
        interleave(desk.cells.view(), self.bands, window, self.side, bytes);
        level.spare.lock().unwrap_or_else(PoisonError::into_inner).push(desk);
        Ok(())
    }
}

/// A tile that a thread is busy with, until it is done or has failed.
struct Busy<'a> {
    pyramid: &'a Pyramid,
    index: TileIndex,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.pyramid.kept().computing.retain(|index| *index != self.index);
        self.pyramid.computed.notify_all();
    }
}

impl Level {
    /// Looks at the whole raster for what is still open.
    fn survey(&self, chain: &mut Chain, threads: usize, proceed: &dyn Fn() -> bool) -> Result<()> {
        if chain.is_settled() {
            return Ok(());
        }
        let layout = self.sources[0].layout();
        let options = PlanOptions {
            threads,
            memory: SURVEY_MEMORY,
            tile_size: None,
            reader: 0,
            sink: SinkNeeds::default(),
        };
        let plan = Plan::new(chain, layout, layout, options)?;
        let sources: Vec<&dyn Source> = self.sources.iter().map(|source| &**source as &dyn Source).collect();
        let mut report = |_| proceed();
        let mut monitor = Monitor { report: &mut report, cancel: &AtomicBool::new(false) };
        survey::settle(chain, &plan, &sources, &mut monitor, None)
    }

    /// Nothing depends on the whole raster.
    fn is_settled(&self, options: ChainOptions) -> Result<bool> {
        match self.chain.get() {
            Some(chain) => Ok(chain.is_settled()),
            None => Ok(Chain::new(&self.recipe, &self.grid, options)?.is_settled()),
        }
    }

    fn desk(&self, chain: &Chain) -> Desk {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Desk {
            tiles: chain.new_tile_buffers(),
            registers: chain.new_registers(),
            cells: Cells::new(chain.cell_type()),
        })
    }
}

/// The raster and its overviews, until one tile shows the whole or the recipe makes no sense any more: a ring of three
/// cells has no room in cells as large as itself.
fn levels(job: &Job, source: &Arc<GdalSource>, layers: Vec<RasterLayer>) -> Result<Vec<Level>> {
    let recipe = &job.pictures[0].recipe;
    let mut sources: Vec<Arc<dyn Source + Send>> = vec![Arc::clone(source) as _];
    sources.extend(layers.into_iter().map(|layer| Arc::new(layer) as _));
    let mut levels = Vec::new();
    let mut averaged = 0;
    for factor in (0..).map(|power| 1_usize << power) {
        let layout = sources[0].layout();
        let grid = Grid {
            cell_width: source.grid().cell_width * factor as f64,
            cell_height: source.grid().cell_height * factor as f64,
            ..*source.grid()
        };
        let recipe = recipe.coarsened(factor, source.grid());
        let possible = Chain::new(&recipe, &grid, job.chain_options())
            .and_then(|chain| chain.check_raster(layout.rows, layout.cols));
        if factor > 1 && possible.is_err() {
            break;
        }
        let size = (layout.rows, layout.cols);
        let (chain, spare) = (OnceCell::new(), Mutex::default());
        levels.push(Level { size, sources: sources.clone(), recipe, grid, averaged, chain, spare });
        if size.0.max(size.1) <= SMALLEST_OVERVIEW {
            break;
        }
        let own = source.overview(2 * factor);
        averaged = match (&own, averaged) {
            (Some(_), _) => 0,
            (None, 0) => size.0 * size.1,
            (None, before) => before,
        };
        let mut own = own;
        let coarser = |(number, finer): (usize, &Arc<dyn Source + Send>)| -> Arc<dyn Source + Send> {
            let own = if number == 0 { own.take() } else { None };
            own.map_or_else(|| Arc::new(Halved::new(Arc::clone(finer))) as _, |own| Arc::new(own) as _)
        };
        sources = sources.iter().enumerate().map(coarser).collect();
    }
    Ok(levels)
}

/// A tile that needs as much memory as a job is refused.
fn check_memory(chain: &Chain, side: usize) -> Result<()> {
    let read = (side + 2 * chain.radius()).pow(2).saturating_mul(4 * chain.edges().len().max(1));
    let needed = read.saturating_add(chain.tile_memory(side, side));
    if needed <= MOST_TILE_MEMORY {
        return Ok(());
    }
    let (radius, mib) = (chain.radius(), needed >> 20);
    Err(Error::Memory(format!(
        "a tile with a radius of {radius} cells takes {mib} MiB; allowed on the fly: {} MiB; write a file instead",
        MOST_TILE_MEMORY >> 20
    )))
}

/// Puts the bands of a cell together; what lies beyond the raster's edge in a tile stays 0.
fn interleave(cells: CellsRef<'_>, bands: usize, window: Window, side: usize, to: &mut [u8]) {
    match cells {
        CellsRef::Uint8(cells) => spread(cells, bands, window, side, to, |byte| [byte]),
        CellsRef::Float32(cells) => spread(cells, bands, window, side, to, f32::to_le_bytes),
        // Chains give the other two only.
        CellsRef::Raw(..) => {}
    }
}

fn spread<T: Copy, const BYTES: usize>(
    cells: &[T],
    bands: usize,
    window: Window,
    side: usize,
    to: &mut [u8],
    bytes: impl Fn(T) -> [u8; BYTES],
) {
    for (band, plane) in cells.chunks_exact(window.cells()).enumerate() {
        for (row, cells) in plane.chunks_exact(window.cols).enumerate() {
            let start = row * side * bands * BYTES;
            let to = to[start..start + side * bands * BYTES].chunks_exact_mut(bands * BYTES);
            for (to, cell) in to.zip(cells) {
                to[band * BYTES..(band + 1) * BYTES].copy_from_slice(&bytes(*cell));
            }
        }
    }
}
