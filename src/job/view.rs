//! A picture that is computed where somebody looks: tiles of a raster and of its overviews, each when it is asked for.
//!
//! At full resolution tiles hold the bits a run would write. An overview is the picture of the elevations at that scale
//! (the raster's own overviews where it has them, means of two by two cells otherwise), with distances in as many cells
//! fewer: what a small-scale map should show, not a thinned-out picture of the full resolution.

use super::{Job, JobOptions};
use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::tile::Window;
use crate::gdal::header::Header;
use crate::gdal::layer::RasterLayer;
use crate::gdal::source::{GdalSource, Input};
use crate::gdal::virtual_tiff::VirtualTiff;
use crate::pipeline::halved::Halved;
use crate::pipeline::io::{Cells, CellsRef, Source};
use crate::pipeline::plan::{Plan, PlanOptions};
use crate::pipeline::run::Monitor;
use crate::pipeline::survey;
use crate::recipe::chain::{Chain, ChainOptions, ChainTiles, Registers};
use crate::recipe::Recipe;
use lru::LruCache;
use once_cell::sync::OnceCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Sides of tiles: of few bands, and of so many that a large tile would not stay in the caches.
const SIDES: (usize, usize) = (512, 256);

/// Bytes of a cell above which tiles are small.
const LARGE_CELL: usize = 16;

/// Overviews end when one tile shows the whole raster.
const SMALLEST_OVERVIEW: usize = 256;

/// Bytes a worker may need for a tile: more is no view but a job.
const MOST_TILE_MEMORY: usize = 256 << 20;

/// Bytes of computed tiles that are kept.
const TILE_CACHE: usize = 64 << 20;

/// Bytes of decoded blocks that are kept, of the elevations and of all rasters of layers.
const BLOCK_CACHE: usize = 64 << 20;

/// Bytes a survey of the whole raster may take.
const SURVEY_MEMORY: usize = 512 << 20;

/// Number of a level and of a tile in it.
pub type TileIndex = (usize, usize);

/// An opened picture. Any number of threads may look at it.
pub struct View {
    levels: Vec<Level>,
    tiff: VirtualTiff,
    header: Header,
    options: ChainOptions,
    files: Vec<String>,
    side: usize,
    threads: usize,
    tiles: Mutex<LruCache<TileIndex, Arc<Vec<u8>>>>,
}

/// The raster at one scale.
struct Level {
    size: (usize, usize),
    sources: Vec<Arc<dyn Source + Send>>,
    recipe: Recipe,
    grid: Grid,
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

impl View {
    /// Opens the elevations and decides everything but what only a pass over the raster can tell.
    pub fn open(recipe: &Recipe, input: &Input, options: &JobOptions) -> Result<Self> {
        let job = Job::new(recipe.clone(), input.clone(), String::new(), options.clone());
        let mut source = GdalSource::open(input, options.band.unwrap_or(1), options.nodata)?;
        source.set_cache(BLOCK_CACHE);
        let chain = Chain::new(recipe, source.grid(), job.chain_options())?;
        if chain.needs_heights() {
            source.keep_heights();
        }
        let layout = source.layout();
        chain.check_raster(layout.rows, layout.cols)?;
        let header = job.header(recipe, 0..chain.bands().len(), &chain, &source);
        let cell = header.bands.len() * header.cell_type.size();
        let side = if cell > LARGE_CELL { SIDES.1 } else { SIDES.0 };
        check_memory(&chain, side)?;
        let layers = job.open_layers(&chain, &source)?;
        layers.iter().for_each(|layer| layer.set_cache(BLOCK_CACHE / layers.len()));
        let mut files = source.dataset().files();
        files.extend(layers.iter().flat_map(RasterLayer::files).cloned());
        let source = Arc::new(source);
        let levels = levels(&job, &source, layers)?;
        let sizes: Vec<_> = levels.iter().map(|level| level.size).collect();
        let tiff = VirtualTiff::new(source.gdal(), &header, &source.dataset(), &sizes, side)?;
        let threads = options.threads.unwrap_or_else(super::processors);
        let options = job.chain_options();
        Ok(Self {
            levels,
            tiff,
            header,
            options,
            files,
            side,
            threads,
            tiles: Mutex::new(LruCache::unbounded()),
        })
    }

    /// Files it is computed from.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The picture as a file.
    pub fn tiff(&self) -> &VirtualTiff {
        &self.tiff
    }

    /// Bytes of a tile: bands of a cell together, cells row by row, `side` of them in a row.
    pub fn tile_bytes(&self) -> usize {
        self.side * self.side * self.header.bands.len() * self.header.cell_type.size()
    }

    /// Tiles, computed in parallel unless they are kept from before.
    pub fn tiles(&self, wanted: &[TileIndex]) -> Result<Vec<Arc<Vec<u8>>>> {
        let mut found: Vec<Option<Arc<Vec<u8>>>> = {
            let mut kept = self.kept();
            wanted.iter().map(|index| kept.get(index).cloned()).collect()
        };
        let missing: Vec<usize> = (0..wanted.len()).filter(|place| found[*place].is_none()).collect();
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<(usize, Arc<Vec<u8>>)>> {
            let mut done = Vec::new();
            while let Some(place) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((*place, Arc::new(self.compute(wanted[*place])?)));
            }
            Ok(done)
        };
        // Surveys come first: they use threads of their own.
        missing.iter().try_for_each(|place| self.chain(wanted[*place].0).map(drop))?;
        let others = self.threads.min(missing.len()).saturating_sub(1);
        let results = std::thread::scope(|scope| {
            let spawned: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
            let mut results = vec![work()];
            let died = |_| Err(Error::Internal("a worker thread died".into()));
            results.extend(spawned.into_iter().map(|thread| thread.join().unwrap_or_else(died)));
            results
        });
        for result in results {
            for (place, tile) in result? {
                self.keep(wanted[place], &tile);
                found[place] = Some(tile);
            }
        }
        let lost = || Error::Internal("a tile was not computed".into());
        found.into_iter().map(|tile| tile.ok_or_else(lost)).collect()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, LruCache<TileIndex, Arc<Vec<u8>>>> {
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, index: TileIndex, tile: &Arc<Vec<u8>>) {
        let most = (TILE_CACHE / self.tile_bytes()).max(1);
        let mut kept = self.kept();
        while kept.len() >= most {
            kept.pop_lru();
        }
        kept.put(index, Arc::clone(tile));
    }

    /// The chain of a level, ready to run.
    fn chain(&self, number: usize) -> Result<&Chain> {
        let level = &self.levels[number];
        level.chain.get_or_try_init(|| {
            let mut chain = Chain::new(&level.recipe, &level.grid, self.options)?;
            if number > 0 && !chain.is_settled() {
                chain.take_over(self.chain(0)?);
            }
            level.survey(&mut chain, self.threads)?;
            Ok(chain)
        })
    }

    fn compute(&self, (number, index): TileIndex) -> Result<Vec<u8>> {
        let (level, chain) = (&self.levels[number], self.chain(number)?);
        let across = level.size.1.div_ceil(self.side);
        let (row, col) = (index / across * self.side, index % across * self.side);
        let (rows, cols) = (self.side.min(level.size.0 - row), self.side.min(level.size.1 - col));
        let window = Window { row, col, rows, cols };
        let mut desk = level.desk(chain);
        let mut readers = level.sources.iter().map(|source| source.open()).collect::<Result<Vec<_>>>()?;
        desk.tiles.load(chain, window, level.size, |number, part, out| readers[number].read(part, out))?;
        let mut out = desk.cells.view_mut(chain.bands().len(), window);
        chain.run(|edge| desk.tiles.tile(edge), &mut desk.registers, &mut out, &|| true)?;
        let mut bytes = vec![0; self.tile_bytes()];
        interleave(desk.cells.view(), chain.bands().len(), window, self.side, &mut bytes);
        level.spare.lock().unwrap_or_else(PoisonError::into_inner).push(desk);
        Ok(bytes)
    }
}

impl Level {
    /// Looks at the whole raster for what is still open.
    fn survey(&self, chain: &mut Chain, threads: usize) -> Result<()> {
        if chain.is_settled() {
            return Ok(());
        }
        let layout = self.sources[0].layout();
        let options = PlanOptions { threads, memory: SURVEY_MEMORY, tile_size: None, reader: 0 };
        let plan = Plan::new(chain, layout, layout, options)?;
        let sources: Vec<&dyn Source> = self.sources.iter().map(|source| &**source as &dyn Source).collect();
        let mut monitor = Monitor { report: &mut |_| true, cancel: &AtomicBool::new(false) };
        survey::settle(chain, &plan, &sources, &mut monitor)
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
        levels.push(Level { size, sources: sources.clone(), recipe, grid, chain, spare });
        if size.0.max(size.1) <= SMALLEST_OVERVIEW {
            break;
        }
        let coarser = |(number, finer): (usize, &Arc<dyn Source + Send>)| -> Arc<dyn Source + Send> {
            let own = (number == 0).then(|| source.overview(2 * factor)).flatten();
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
