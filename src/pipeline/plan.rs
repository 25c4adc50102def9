//! Which tiles, how many at once, and how much memory that takes.

use super::io::Layout;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::recipe::chain::Chain;

/// Largest side of a tile that the planner chooses by itself for small radii: beyond it only the memory grows.
const LARGEST_SIDE: usize = 1024;

/// Least side of the largest tile, in radii.
const WIDTHS_OF_RADIUS: usize = 4;
/// Most that kernels should allocate for a tile: more leaves the caches, and the system hands it out page by page.
const KERNEL_MEMORY: usize = 16 << 20;

/// Tiles per thread wanted on small rasters, so that threads finish together.
pub(super) const TILES_PER_THREAD: usize = 4;

/// Part of the budget kept for the program and GDAL themselves.
pub(super) const RESERVE: usize = 48 << 20;

/// What the caller decides.
#[derive(Debug, Clone, Copy)]
pub struct PlanOptions {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Bytes the whole run may take.
    pub memory: usize,
    /// Side of a tile in cells; None lets the planner choose.
    pub tile_size: Option<usize>,
    /// Bytes that each worker's reader holds beside its tile.
    pub reader: usize,
    /// What the sink takes.
    pub sink: SinkNeeds,
}

/// Bytes that an output takes beside tiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SinkNeeds {
    /// Parts of its blocks are kept until they are whole.
    pub keeps_parts: bool,
    /// Beside the tiles, as blocks that stand together until they are compressed.
    pub writing: usize,
    /// At the end, when tiles and readers are gone, as to make a COG; all in all.
    pub finishing: usize,
}

impl SinkNeeds {
    /// Of two outputs that are written together, and ended one after the other.
    pub fn and(self, other: Self) -> Self {
        Self {
            keeps_parts: self.keeps_parts || other.keeps_parts,
            writing: self.writing.saturating_add(other.writing),
            finishing: self.finishing.max(other.finishing),
        }
    }
}

/// What the rasters of layers ask for.
#[derive(Debug, Clone, Default)]
pub struct LayerNeeds {
    /// Size and blocks of each.
    pub layouts: Vec<Layout>,
    /// Bytes that each worker's readers hold beside the tiles, all together.
    pub readers: usize,
    /// Bytes that all workers share beside decoded blocks.
    pub shared: usize,
    /// Bytes of the pieces of stacks that each worker computes.
    pub pieces: usize,
    /// Bytes of each cell of a tile that each worker holds for results of stacks.
    pub cell_bytes: usize,
    /// A stack is stored in blocks that span the whole width.
    pub striped: bool,
}

/// A division of the output into tiles. A plain value: tests and `--plan` print it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Rows and columns written.
    pub size: (usize, usize),
    /// Row and column of the raster at which they begin.
    pub origin: (usize, usize),
    /// Rows and columns of the raster.
    pub raster: (usize, usize),
    /// Rows of a tile.
    pub tile_rows: usize,
    /// Columns of a tile.
    pub tile_cols: usize,
    /// Cells read around a tile.
    pub radius: usize,
    /// Kernel passes over a tile, after sharing.
    pub passes: usize,
    /// Passes over the whole raster before the one that writes, at most.
    pub rounds: usize,
    /// Bands written.
    pub bands: usize,
    /// Worker threads.
    pub threads: usize,
    /// Output buffers in flight.
    pub buffers: usize,
    /// Bytes for decoded blocks of the elevations; for those of layers see [`Plan::layer_cache`].
    pub cache: usize,
    /// Bytes of tiles, rows and cache together.
    pub memory: usize,
}

impl Plan {
    /// Chooses tiles for `chain` between a source and a sink.
    pub fn new(chain: &Chain, source: Layout, sink: Layout, options: PlanOptions) -> Result<Self> {
        Self::with_layers(chain, source, &LayerNeeds::default(), sink, options)
    }

    /// The same for a chain whose layers show rasters.
    pub fn with_layers(
        chain: &Chain,
        source: Layout,
        layers: &LayerNeeds,
        sink: Layout,
        options: PlanOptions,
    ) -> Result<Self> {
        let readers = options.reader.saturating_add(layers.readers);
        let reserve = RESERVE
            .saturating_add(options.threads.max(1).saturating_mul(readers))
            .saturating_add(layers.shared);
        let budget = options.memory.saturating_sub(reserve);
        let sizes = match options.tile_size {
            Some(side) => vec![(side.min(sink.rows), side.min(sink.cols))],
            None => {
                let striped = source.is_striped() || sink.is_striped() || layers.striped;
                let sizes = candidates(sink, striped, options.threads, chain.radius());
                let handy = |size: &(usize, usize)| chain.tile_memory(size.0, size.1) <= KERNEL_MEMORY;
                let first = sizes.iter().position(handy).unwrap_or(0);
                sizes[first..].to_vec()
            }
        };
        let stacks = |plan: &Self| {
            let results = plan.tile_rows.saturating_mul(plan.tile_cols).saturating_mul(layers.cell_bytes);
            plan.threads.saturating_mul(results.saturating_add(layers.pieces))
        };
        let plans = sizes.into_iter().map(|size| {
            let plan = Self::with_tile(chain, source, sink, options, size);
            let layers =
                layers.layouts.iter().map(|layer| plan.layer_cache(*layer)).fold(0, usize::saturating_add);
            let parts = match options.sink.keeps_parts {
                true => parts_of_blocks(sink, size, plan.bands * chain.cell_type().bytes()),
                false => 0,
            };
            let more = layers.saturating_add(stacks(&plan)).saturating_add(parts);
            let memory = plan.memory.saturating_add(more).saturating_add(options.sink.writing);
            Self { memory: memory.max(options.sink.finishing.saturating_sub(reserve)), ..plan }
        });
        let mut least = usize::MAX;
        for mut plan in plans {
            if plan.memory <= budget {
                // Rows of blocks that the next row of tiles reads again are kept when there is room.
                let wanted = block_row_bytes(&plan, source);
                let more = wanted.saturating_sub(plan.cache).min(budget - plan.memory);
                plan.cache += more;
                plan.memory += more;
                return Ok(plan);
            }
            least = least.min(plan.memory);
        }
        let (mib, came) = ((least.saturating_add(reserve) >> 20) + 1, options.memory >> 20);
        Err(Error::Memory(format!("memory budget of {came} MiB is too small; allowed: at least {mib} MiB")))
    }

    fn with_tile(
        chain: &Chain,
        source: Layout,
        sink: Layout,
        options: PlanOptions,
        (tile_rows, tile_cols): (usize, usize),
    ) -> Self {
        let size = (sink.rows, sink.cols);
        let threads = options.threads.max(1);
        let mut plan = Self {
            size,
            origin: (0, 0),
            raster: (source.rows, source.cols),
            tile_rows,
            tile_cols,
            radius: chain.radius(),
            passes: chain.passes(),
            rounds: chain.rounds(),
            bands: chain.bands().len(),
            threads,
            buffers: 2 * threads + 1,
            cache: 0,
            memory: 0,
        };
        plan.cache = threads.saturating_mul(tile_block_bytes(&plan, source, plan.radius));
        plan.memory = tile_bytes(chain, &plan).saturating_add(plan.cache);
        plan
    }

    /// Bytes for decoded blocks of a layer's raster: what the tiles under way and their neighbours share.
    pub fn layer_cache(&self, layer: Layout) -> usize {
        self.threads.saturating_mul(tile_block_bytes(self, layer, 0))
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.size.0.div_ceil(self.tile_rows) * self.size.1.div_ceil(self.tile_cols)
    }

    /// Tile number `index`, row by row from the top left.
    pub fn tile(&self, index: usize) -> Window {
        tile_window(self.size, (self.tile_rows, self.tile_cols), index)
    }

    /// The same of a part of the raster that begins at `origin`.
    pub fn at(self, origin: (usize, usize)) -> Self {
        Self { origin, ..self }
    }

    /// Where a tile lies in the raster.
    pub fn on_raster(&self, tile: Window) -> Window {
        Window { row: tile.row + self.origin.0, col: tile.col + self.origin.1, ..tile }
    }

    /// Cells read for every cell written.
    pub fn overlap(&self) -> f64 {
        let share = |side: usize| 1.0 + 2.0 * self.radius as f64 / side as f64;
        share(self.tile_rows) * share(self.tile_cols)
    }
}

/// The plan for as many of `threads` as the memory is large enough for; where the user gave their number, for all of them.
pub fn for_threads<P>(threads: usize, asked: bool, mut plan: impl FnMut(usize) -> Result<P>) -> Result<P> {
    let mut threads = threads;
    loop {
        match plan(threads) {
            Err(Error::Memory(_)) if !asked && threads > 1 => threads /= 2,
            result => return result,
        }
    }
}

/// Tile number `index` of a raster divided into tiles of these rows and columns, row by row from the top left.
pub(super) fn tile_window(
    size: (usize, usize),
    (tile_rows, tile_cols): (usize, usize),
    index: usize,
) -> Window {
    let across = size.1.div_ceil(tile_cols);
    let (row, col) = (index / across * tile_rows, index % across * tile_cols);
    Window { row, col, rows: tile_rows.min(size.0 - row), cols: tile_cols.min(size.1 - col) }
}

/// Tile sizes to try, the best first: whole blocks of the sink, near square, or full width for files in strips,
/// which would otherwise be decoded or filled up anew for every tile across.
fn candidates(sink: Layout, striped: bool, threads: usize, radius: usize) -> Vec<(usize, usize)> {
    let whole_blocks = |side: usize, block: usize, length: usize| {
        if side >= length {
            length
        } else {
            (side / block).max(1) * block.min(length)
        }
    };
    let mut sizes = Vec::new();
    // A block of a tiled file larger than that is filled at once all the same. A margin as wide as the tile is read and
    // prepared three times over: wide radii get larger tiles.
    let block = if sink.is_striped() { 0 } else { sink.block_rows.max(sink.block_cols) };
    let mut side = LARGEST_SIDE.max(block).max((WIDTHS_OF_RADIUS * radius).next_power_of_two());
    while side >= 64 {
        let (rows, cols) = (
            whole_blocks(side, sink.block_rows.min(side), sink.rows),
            whole_blocks(side, sink.block_cols.min(side), sink.cols),
        );
        if striped {
            sizes.push((rows, sink.cols));
        }
        sizes.push((rows, cols));
        side /= 2;
    }
    // Small rasters: the first size that gives every thread something to do.
    let enough = |size: &(usize, usize)| {
        sink.rows.div_ceil(size.0) * sink.cols.div_ceil(size.1) >= TILES_PER_THREAD * threads
    };
    let first = sizes.iter().position(|size| enough(size) && size.0 >= 128).unwrap_or(0);
    sizes.split_off(first)
}

/// Bytes of the blocks of which some cells are there and others are still to come, at most, when tiles come row by row.
pub(crate) fn parts_of_blocks(
    sink: Layout,
    (tile_rows, tile_cols): (usize, usize),
    cell_bytes: usize,
) -> usize {
    let Layout { rows, cols, .. } = sink;
    let (block_rows, block_cols) = (sink.block_rows.min(rows), sink.block_cols.min(cols));
    let (tall, wide) =
        (tile_rows % block_rows == 0 || tile_rows >= rows, tile_cols % block_cols == 0 || tile_cols >= cols);
    // Blocks that the next row of tiles ends; two rows of them, where a row of tiles ends one and begins another.
    let lines = match (tall, block_rows % tile_rows) {
        (true, _) => 0,
        (false, 0) => 1,
        (false, _) => 2.min(rows.div_ceil(block_rows)),
    };
    let below = (lines * block_rows).saturating_mul(cols.next_multiple_of(block_cols));
    // Blocks that the next tile ends.
    let beside = if wide { 0 } else { (tile_rows + block_rows).saturating_mul(block_cols) };
    below.saturating_add(beside).saturating_mul(cell_bytes)
}

/// Bytes of input tiles, rows, what kernels keep, and output buffers.
fn tile_bytes(chain: &Chain, plan: &Plan) -> usize {
    // Products of a user's numbers: what does not fit into a word fits into no budget either.
    let product =
        |factors: &[usize]| factors.iter().fold(1_usize, |bytes, factor| bytes.saturating_mul(*factor));
    let (rows, cols) = (plan.tile_rows + 2 * plan.radius, plan.tile_cols + 2 * plan.radius);
    let input = product(&[rows, cols, 4, chain.edges().len().max(1)]).saturating_add(chain.register_bytes());
    let layers = product(&[plan.tile_rows, plan.tile_cols, 4, chain.rasters().len()]);
    let input = input.saturating_add(layers);
    let output = product(&[plan.tile_rows, plan.tile_cols, chain.bands().len(), chain.cell_type().bytes()]);
    let kernels = chain.tile_memory(plan.tile_rows, plan.tile_cols);
    let kernels = kernels.saturating_add(chain.observer_bytes());
    product(&[plan.threads, input.saturating_add(kernels)]).saturating_add(product(&[plan.buffers, output]))
}

/// Bytes of the source blocks that one tile touches with `radius` cells around it, as 32-bit values.
fn tile_block_bytes(plan: &Plan, source: Layout, radius: usize) -> usize {
    let touched = |side: usize, block: usize, length: usize| {
        ((side + 2 * radius).div_ceil(block) + 1) * block.min(length)
    };
    let rows = touched(plan.tile_rows, source.block_rows, source.rows).min(source.rows + source.block_rows);
    let cols = touched(plan.tile_cols, source.block_cols, source.cols).min(source.cols + source.block_cols);
    // Only what neighbouring tiles share needs to stay: the blocks under the margins.
    let inner_rows = plan.tile_rows.saturating_sub(2 * source.block_rows);
    let inner_cols = plan.tile_cols.saturating_sub(2 * source.block_cols);
    rows.saturating_mul(cols).saturating_sub(inner_rows.saturating_mul(inner_cols)).saturating_mul(4)
}

/// Bytes of the source blocks that a row of tiles shares with the next one.
fn block_row_bytes(plan: &Plan, source: Layout) -> usize {
    let rows = plan.tile_rows + 2 * plan.radius + 2 * source.block_rows;
    rows.min(source.rows).saturating_mul(source.cols).saturating_mul(4)
}
