//! Which tiles of a stack, and how much memory they take.
//!
//! A tile is a rectangle of whole blocks for all dates: each date is read once, used and forgotten, so that what a run
//! holds does not grow with their number. Statistics that need all values at once get smaller tiles instead.

use super::io::PlaneInfo;
use super::keeping::{passes, Keeping};
use super::order::Order;
use super::program::StackProgram;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::Layout;
use crate::pipeline::plan::{parts_of_blocks, SinkNeeds, RESERVE, TILES_PER_THREAD};

/// Side of the largest tiles: what a reduction keeps of one goes through the caches for every date.
const LARGEST_SIDE: usize = 512;

/// Longest side on which blocks of different files may meet; beyond it they meet inside tiles.
const LONGEST_BLOCK: usize = 4096;

/// Side of blocks that describe images up to which tiles are made of whole ones.
const LARGEST_BLOCK: usize = 2 * LARGEST_SIDE;

/// Bytes of a cell where masks grow, of the tile and the cells around it: whether it is masked, and whether one of its row is.
const GROWN: usize = 2;

/// What the caller decides, and what sources hold.
#[derive(Debug, Clone, Copy)]
pub struct StackPlanOptions {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Bytes the whole run may take.
    pub memory: usize,
    /// Side of a tile in cells; None lets the planner choose.
    pub tile_size: Option<usize>,
    /// Bytes that each worker's reader holds beside its tile.
    pub reader: usize,
    /// Bytes that all workers share.
    pub shared: usize,
    /// What the sink takes.
    pub sink: SinkNeeds,
    /// The source has to decode whole blocks, however few of their cells are read.
    pub decodes: bool,
}

/// A division of a stack into tiles. A plain value: tests and `plan` print it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StackPlan {
    /// Rows and columns of the grid.
    pub raster: (usize, usize),
    /// Rows and columns that are computed.
    pub size: (usize, usize),
    /// Row and column where they begin.
    pub origin: (usize, usize),
    /// Rows of a tile.
    pub tile_rows: usize,
    /// Columns of a tile.
    pub tile_cols: usize,
    /// Rows and columns of the rectangles of whole blocks whose tiles come one after another.
    pub rectangle: (usize, usize),
    /// Bytes for decoded images of such rectangles, which their tiles share.
    pub kept: usize,
    /// Cells around a tile at which masks are read.
    pub halo: usize,
    /// Worker threads.
    pub threads: usize,
    /// Output buffers in flight.
    pub buffers: usize,
    /// Bytes of tiles, rows and handles together.
    pub memory: usize,
    /// How often a block is decoded, on the average.
    pub decoded: f64,
}

impl StackPlan {
    /// Chooses tiles for `program` over `planes`; `block` is the one of the output.
    pub fn new(
        program: &StackProgram,
        planes: &[PlaneInfo],
        block: (usize, usize),
        options: StackPlanOptions,
    ) -> Result<Self> {
        let need = Need::of(program, planes);
        let layout = first_layout(planes)?;
        let size = (layout.rows, layout.cols);
        let blocks = Layout { block_rows: block.0.min(size.0), block_cols: block.1.min(size.1), ..layout };
        let base = meeting_block(planes.iter().map(|plane| plane.layout).chain([blocks]));
        let parts = |plan: &Self| if options.sink.keeps_parts { plan.parts(blocks, need.output) } else { 0 };
        let sizes = Self::sizes(base, size, options);
        Self::choose(program, (&need, planes), sizes, options, &parts)
    }

    /// The same for a run that gives numbers of blocks of this side in place of a raster. `kept` tells how many bytes it
    /// keeps beside the tiles of a plan.
    pub fn of_numbers(
        program: &StackProgram,
        planes: &[PlaneInfo],
        block: Option<usize>,
        options: StackPlanOptions,
        kept: &dyn Fn(&Self) -> usize,
    ) -> Result<Self> {
        let need = Need { output: 0, ..Need::of(program, planes) };
        let layout = first_layout(planes)?;
        let size = (layout.rows, layout.cols);
        let base = meeting_block(planes.iter().map(|plane| plane.layout));
        // Of a block that lies in one tile nothing is kept for the next.
        let whole = |(rows, cols): (usize, usize)| {
            let side = block.filter(|side| *side <= LARGEST_BLOCK)?;
            let tile = (rows.next_multiple_of(side).min(size.0), cols.next_multiple_of(side).min(size.1));
            let is_part = tile.0 < base.0 || tile.1 < base.1;
            Some((tile, if is_part { whole_blocks(tile, base, size) } else { tile }))
        };
        let sizes = Self::sizes(base, size, options);
        let both = |divided: Divided| whole(divided.0).into_iter().chain([divided]);
        let sizes = match options.tile_size {
            Some(_) => sizes,
            None => sizes.into_iter().flat_map(both).collect(),
        };
        Self::choose(program, (&need, planes), sizes, options, kept)
    }

    /// Tiles to try, and the rectangles of whole blocks that they are parts of.
    fn sizes(base: (usize, usize), size: (usize, usize), options: StackPlanOptions) -> Vec<Divided> {
        let whole = |tile| whole_blocks(tile, base, size);
        match options.tile_size {
            // Where not all of the images can be kept, whole blocks take less memory than they would.
            Some(side) => {
                let asked = (side.min(size.0), side.min(size.1));
                vec![(asked, whole(asked)), (whole(asked), whole(asked))]
            }
            None => {
                let sizes = candidates(base, size, options.threads);
                sizes.into_iter().map(|tile| (tile, whole(tile))).collect()
            }
        }
    }

    /// The first of `sizes` that fits into the memory and lets no block be decoded more often than must be; else the one
    /// that comes nearest to that.
    fn choose(
        program: &StackProgram,
        (need, planes): (&Need, &[PlaneInfo]),
        sizes: Vec<Divided>,
        options: StackPlanOptions,
        kept: &dyn Fn(&Self) -> usize,
    ) -> Result<Self> {
        let size = first_layout(planes).map(|layout| (layout.rows, layout.cols))?;
        let passes = passes(program, planes);
        let threads = options.threads.max(1);
        let fixed =
            RESERVE.saturating_add(options.shared).saturating_add(threads.saturating_mul(options.reader));
        let (mut least, mut best) = (usize::MAX, None::<Self>);
        for (tile, rectangle) in sizes {
            let mut plan = Self::of_tiles(size, (tile, rectangle), threads);
            (plan.buffers, plan.halo) = (threads + 2, need.halo);
            plan.memory = need.bytes(tile.0, tile.1, threads, plan.buffers).saturating_add(fixed);
            plan.memory = plan.memory.saturating_add(kept(&plan)).saturating_add(options.sink.writing);
            let whole = plan.memory.max(options.sink.finishing);
            least = least.min(whole);
            if whole > options.memory {
                continue;
            }
            let room = if options.decodes { options.memory - plan.memory } else { 0 };
            let keeping = Keeping::new(&passes, planes, (plan.order(), rectangle), threads, room);
            (plan.kept, plan.decoded) = (keeping.bytes, keeping.decoded);
            // What is kept has gone when the file is finished.
            plan.memory = (plan.memory + plan.kept).max(options.sink.finishing);
            if keeping.is_complete || !options.decodes {
                return Ok(plan);
            }
            if best.is_none_or(|best| plan.cost() < best.cost()) {
                best = Some(plan);
            }
        }
        let (mib, came) = ((least >> 20) + 1, options.memory >> 20);
        best.ok_or_else(|| {
            Error::Memory(format!("memory budget of {came} MiB is too small; allowed: at least {mib} MiB"))
        })
    }

    /// A division of a grid that keeps nothing.
    fn of_tiles(size: (usize, usize), (tile, rectangle): Divided, threads: usize) -> Self {
        let ((tile_rows, tile_cols), origin) = (tile, (0, 0));
        let (halo, kept, buffers, memory, decoded) = (0, 0, 1, 0, 1.0);
        let raster = size;
        Self {
            raster,
            size,
            origin,
            tile_rows,
            tile_cols,
            rectangle,
            kept,
            halo,
            threads,
            buffers,
            memory,
            decoded,
        }
    }

    /// What a cell costs, in cells that are decoded: to read a piece of an image takes about as long as to decode some
    /// hundred of its cells.
    fn cost(&self) -> f64 {
        self.decoded + 100.0 / (self.tile_rows * self.tile_cols) as f64
    }

    /// Pieces of a picture's tiles in which `program` computes a layer: the largest that take each worker at most
    /// `memory`, or the smallest. What a piece takes is the plan's memory.
    pub fn of_layer(
        program: &StackProgram,
        planes: &[PlaneInfo],
        (threads, memory): (usize, usize),
    ) -> Result<Self> {
        let need = Need::of(program, planes);
        let layout = first_layout(planes)?;
        let size = (layout.rows, layout.cols);
        let base = meeting_block(planes.iter().map(|plane| plane.layout));
        let sizes = candidates(base, size, threads);
        let bytes = |(rows, cols): (usize, usize)| need.bytes(rows, cols, 1, 1);
        let fits = sizes.iter().copied().find(|tile| bytes(*tile) <= memory);
        let tile = fits.or_else(|| sizes.last().copied()).unwrap_or(base);
        let mut plan = Self::of_tiles(size, (tile, tile), threads);
        plan.decoded =
            Keeping::new(&passes(program, planes), planes, (plan.order(), tile), threads, 0).decoded;
        Ok(Self { halo: need.halo, memory: bytes(tile), ..plan })
    }

    /// Number of tiles.
    pub fn tiles(&self) -> usize {
        self.order().count()
    }

    /// Tile number `index`: rectangle by rectangle, row by row from the top left, and so within each.
    pub fn tile(&self, index: usize) -> Window {
        let tile = self.order().window(index);
        Window { row: tile.row + self.origin.0, col: tile.col + self.origin.1, ..tile }
    }

    /// A part that costs as much as others of its size, in the middle: a tile, or several that share what is decoded; and
    /// how many tiles it has.
    pub fn sample(&self) -> (Window, usize) {
        let middle = self.tiles() / 2;
        if self.kept == 0 {
            return (self.tile(middle), 1);
        }
        let rectangles = self.order().rectangles();
        let window = rectangles.window(rectangles.tiles_of(self.order().window(middle)).0);
        let tiles = self.order().tiles_of(window).2;
        (Window { row: window.row + self.origin.0, col: window.col + self.origin.1, ..window }, tiles)
    }

    pub(super) fn order(&self) -> Order {
        Order::new(self.size, (self.tile_rows, self.tile_cols), self.rectangle)
    }

    /// What is kept of the images of a program in `room` bytes.
    pub(super) fn keeping(&self, program: &StackProgram, planes: &[PlaneInfo], room: usize) -> Keeping {
        let (order, mut passes) = ((self.order(), self.rectangle), passes(program, planes));
        if self.raster != self.size {
            // What lies around a part is in none of its rectangles.
            passes.iter_mut().flatten().for_each(|unit| unit.is_spread = false);
        }
        Keeping::new(&passes, planes, order, self.threads, room)
    }

    /// Bytes of the output's blocks of which some cells are there and others are still to come, at most.
    fn parts(&self, blocks: Layout, cell_bytes: usize) -> usize {
        let tile = (self.tile_rows, self.tile_cols);
        if self.rectangle == tile {
            return parts_of_blocks(blocks, tile, cell_bytes);
        }
        // Those that a rectangle shares with later ones, and those within it.
        let within = |side: usize, block: usize| side.next_multiple_of(block).saturating_add(block);
        let rows = within(self.rectangle.0, blocks.block_rows);
        let cols =
            within(self.rectangle.1, blocks.block_cols).min(blocks.cols.next_multiple_of(blocks.block_cols));
        let shared = parts_of_blocks(blocks, self.rectangle, cell_bytes);
        shared.saturating_add(rows.saturating_mul(cols).saturating_mul(cell_bytes))
    }

    /// The same for a part of a raster of this size: what lies around it is there, but is not computed.
    pub fn within(self, raster: (usize, usize), origin: (usize, usize)) -> Self {
        Self { raster, origin, ..self }
    }
}

/// Rows and columns of a tile, and of the rectangle of whole blocks that it is a part of.
type Divided = ((usize, usize), (usize, usize));

/// Size of the grid.
fn first_layout(planes: &[PlaneInfo]) -> Result<Layout> {
    let first = planes.first().map(|plane| plane.layout);
    first.ok_or_else(|| Error::Internal("a stack without planes".into()))
}

/// Bytes of a cell.
struct Need {
    /// Values of the images that are in memory together.
    values: usize,
    /// Their masks as they are read.
    masks: usize,
    /// Which cells are masked, image by image, and what the reduction keeps.
    kept: usize,
    /// Output.
    output: usize,
    halo: usize,
}

impl Need {
    fn of(program: &StackProgram, planes: &[PlaneInfo]) -> Self {
        let bytes = |plane: &usize| planes[*plane].cell_bytes();
        let most = |of: &dyn Fn(usize) -> usize| {
            program.steps().into_iter().map(|step| step.map(of).sum::<usize>()).max().unwrap_or(0)
        };
        let values = most(&|layer| program.layers[layer].planes.iter().map(bytes).sum());
        let masks = most(&|layer| program.layers[layer].masks.iter().flatten().map(bytes).sum());
        let images = program.steps().iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let masked = if program.masks.is_empty() { 0 } else { images + 2 };
        Self {
            values,
            masks: masks + if program.dilate > 0 { GROWN } else { 0 },
            kept: masked + program.state_bytes(),
            output: program.bands() * program.cell_type.size(),
            halo: if program.masks.is_empty() { 0 } else { program.dilate },
        }
    }

    fn bytes(&self, rows: usize, cols: usize, threads: usize, buffers: usize) -> usize {
        let cells = rows.saturating_mul(cols);
        let wide = (rows + 2 * self.halo).saturating_mul(cols + 2 * self.halo);
        let tile =
            cells.saturating_mul(self.values + self.kept).saturating_add(wide.saturating_mul(self.masks));
        let output = cells.saturating_mul(self.output);
        threads.saturating_mul(tile).saturating_add(buffers.saturating_mul(output))
    }
}

/// The least rectangle of whole blocks that has a tile in it.
fn whole_blocks(tile: (usize, usize), block: (usize, usize), size: (usize, usize)) -> (usize, usize) {
    let whole =
        |tile: usize, block: usize, length: usize| tile.next_multiple_of(block.min(length)).min(length);
    (whole(tile.0, block.0, size.0), whole(tile.1, block.1, size.1))
}

/// The smallest rectangle of whole blocks of all layouts; where they meet too seldom, the largest block.
fn meeting_block(layouts: impl Iterator<Item = Layout>) -> (usize, usize) {
    let mut sides = ((1, 1), (1, 1));
    for layout in layouts {
        let join = |(common, largest): (usize, usize), block: usize| {
            (least_common_multiple(common, block), largest.max(block))
        };
        let rows = join((sides.0 .0, sides.1 .0), layout.block_rows.min(layout.rows));
        let cols = join((sides.0 .1, sides.1 .1), layout.block_cols.min(layout.cols));
        // A block as wide as the raster meets every other one at its end.
        let cols = if layout.block_cols >= layout.cols { (layout.cols, layout.cols) } else { cols };
        sides = ((rows.0, cols.0), (rows.1, cols.1));
    }
    let choose =
        |common: usize, largest: usize| if common <= LONGEST_BLOCK.max(largest) { common } else { largest };
    (choose(sides.0 .0, sides.1 .0), choose(sides.0 .1, sides.1 .1))
}

fn least_common_multiple(first: usize, second: usize) -> usize {
    let (mut a, mut b) = (first, second);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    first / a * second
}

/// Tile sizes to try, the best first: several blocks, one block, then parts of a block, which is decoded again for each.
fn candidates(base: (usize, usize), size: (usize, usize), threads: usize) -> Vec<(usize, usize)> {
    let base = (base.0.min(size.0), base.1.min(size.1));
    let count = |side: usize| (side / base.0).max(1).min(size.0.div_ceil(base.0));
    let across = |side: usize| (side / base.1).max(1).min(size.1.div_ceil(base.1));
    let mut sizes = Vec::new();
    let mut side = LARGEST_SIDE;
    while side >= base.0.min(base.1).min(LARGEST_SIDE) && side > 0 {
        let rows = (count(side) * base.0).min(size.0);
        sizes.push((rows, (across(side) * base.1).min(size.1)));
        side /= 2;
    }
    sizes.push(base);
    sizes.dedup();
    let enough = |tile: &(usize, usize)| {
        size.0.div_ceil(tile.0) * size.1.div_ceil(tile.1) >= TILES_PER_THREAD * threads
    };
    let first = sizes.iter().position(enough).unwrap_or(sizes.len() - 1);
    let mut sizes = sizes.split_off(first);
    let (mut rows, mut cols) = base;
    while rows > 1 || cols > 64 {
        // Bands of rows are cheapest to cut out of a block.
        if rows > 1 {
            rows = rows.div_ceil(2);
        } else {
            cols = cols.div_ceil(2);
        }
        sizes.push((rows, cols));
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(rows: usize, cols: usize, block_rows: usize, block_cols: usize) -> Layout {
        Layout { rows, cols, block_rows, block_cols }
    }

    #[test]
    fn blocks_of_different_files_meet() {
        let meet = |layouts: &[Layout]| meeting_block(layouts.iter().copied());
        assert_eq!(meet(&[layout(4000, 4000, 512, 512), layout(4000, 4000, 256, 256)]), (512, 512));
        assert_eq!(meet(&[layout(4000, 4000, 384, 512)]), (384, 512));
        assert_eq!(meet(&[layout(4000, 4000, 1000, 1000), layout(4000, 4000, 512, 512)]), (1000, 1000));
        assert_eq!(meet(&[layout(4000, 3000, 4, 3000), layout(4000, 3000, 512, 512)]), (512, 3000));
    }

    #[test]
    fn tiles_are_whole_blocks_until_memory_is_short() {
        let sizes = candidates((512, 512), (5490, 5490), 2);
        assert_eq!(&sizes[..3], [(512, 512), (256, 512), (128, 512)]);
        assert_eq!(sizes.last(), Some(&(1, 64)));
        // A small raster is divided so that threads finish together.
        assert_eq!(candidates((128, 128), (2745, 2745), 2)[0], (512, 512));
        assert_eq!(candidates((128, 128), (700, 700), 2)[0], (256, 256));
        assert_eq!(candidates((512, 3000), (4000, 3000), 2)[0], (512, 3000));
        assert_eq!(candidates((16, 77), (77, 77), 2)[0], (16, 77));
    }
}
