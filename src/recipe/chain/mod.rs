//! A recipe made ready for a grid: kernels that share their passes, then stretches and blends, row by row.
//!
//! Every row goes through all steps while it is in the cache. Layers with the same search or gradients share
//! one kernel, and what stands twice among their bands is computed once.

mod build;
mod expression;
mod raster;
mod registers;
mod steps;
mod survey;
mod tiles;

use super::color::LayerColors;
use super::{ColorReference, LayerRaster, Recipe};
use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::operation::{Band, Compatibility, Kernel, TileKernel};
use crate::core::stretch::Cut;
use crate::core::tile::{Edge, Tile, TileBuffers};
use crate::render::blend::Blend;
use crate::render::encode;
use crate::render::limits::LimitSearch;
use crate::render::stretch::LinearStretch;
use ndarray::{s, Array2, ArrayViewMut3};
use std::ops::Range;
use std::sync::Arc;

pub use expression::{BandOf, Expression, OutputExpression, Values};
pub use survey::{Finding, Observer, Round};
pub use tiles::ChainTiles;

/// Bytes of input rows that a row of output may need: they stay in a core's second-level cache.
const ROWS_IN_CACHE: usize = 256 << 10;

/// Most columns that go through the steps together: their registers fit beside the input rows.
const REGISTER_COLUMNS: usize = 1024;

/// Most cells of a tile between the first and the last one that a cell reads: kernels keep offsets as 32 bits.
const MOST_REACHED: usize = u32::MAX as usize / 2;

/// Type of the output cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CellType {
    /// The values themselves; nodata is NaN.
    #[default]
    Float32,
    /// Stretched to bytes; nodata is 0, or 255 under RVT compatibility.
    Uint8,
}

impl CellType {
    /// Both, by name.
    pub const ALL: [(&'static str, CellType); 2] =
        [("float32", CellType::Float32), ("uint8", CellType::Uint8)];

    /// Bytes of one cell.
    pub fn bytes(self) -> usize {
        match self {
            CellType::Float32 => 4,
            CellType::Uint8 => 1,
        }
    }
}

impl From<CellType> for crate::stack::cells::CellType {
    fn from(cell_type: CellType) -> Self {
        match cell_type {
            CellType::Float32 => Self::Float32,
            CellType::Uint8 => Self::UInt8,
        }
    }
}

/// How a recipe is turned into cells.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChainOptions {
    /// Type of the output cells.
    pub cell_type: CellType,
    /// Whose numbers.
    pub compatibility: Compatibility,
    /// Replaces the display stretch of a recipe that gives an operation's own values, when written as 8 bit.
    pub stretch: Option<Cut>,
    /// Adds a band that says which cells have a value, 255 or 0, instead of a nodata value; for bytes only.
    pub alpha: bool,
}

/// Output cells: bands x rows x columns.
#[derive(Debug)]
pub enum CellsMut<'a> {
    /// Values.
    Float32(ArrayViewMut3<'a, f32>),
    /// Bytes.
    Uint8(ArrayViewMut3<'a, u8>),
}

impl CellsMut<'_> {
    pub(super) fn dim(&self) -> (usize, usize, usize) {
        match self {
            CellsMut::Float32(cells) => cells.dim(),
            CellsMut::Uint8(cells) => cells.dim(),
        }
    }
}

/// A kernel, the tile it reads, and the first register it fills.
struct Pass {
    kernel: Box<dyn Kernel>,
    /// Number of the edge rule among those in use; after these the rasters of layers.
    tile: usize,
    register: usize,
    /// What it serves.
    names: Vec<String>,
}

/// Registers of a grey (one) or coloured (three) row.
type Bands = Vec<usize>;

/// One step after the kernels.
enum Step {
    /// The bottom layer of a picture.
    Stretch { from: Bands, stretch: LinearStretch, gamma: f32, to: Bands },
    /// A grey layer becomes a coloured one; a fourth register says how opaque it is.
    Color { from: usize, stretch: LinearStretch, map: Arc<LayerColors>, color: ColorReference, to: Bands },
    /// A layer over a picture; a grey picture under a coloured layer stands in the first of three registers.
    Blend { top: Bands, stretch: LinearStretch, blend: Blend, background: Bands, widens: bool },
    /// Keeps a picture as it is before a masked layer.
    Keep { from: Bands, to: Bands },
    /// Takes back a masked layer where its mask says so.
    Mask { kept: Bands, mask: usize, picture: Bands },
}

impl Step {
    /// The stretch whose ends may be open.
    fn stretch(&mut self) -> Option<&mut LinearStretch> {
        match self {
            Step::Stretch { stretch, .. } | Step::Color { stretch, .. } | Step::Blend { stretch, .. } => {
                Some(stretch)
            }
            Step::Keep { .. } | Step::Mask { .. } => None,
        }
    }
}

/// One band of the output.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Output {
    register: usize,
    /// Applied before encoding as 8 bit.
    display: LinearStretch,
    /// Only whether the register has a value.
    alpha: bool,
}

/// Where an open stretch goes once its ends are found.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    /// The step of this number.
    Step(usize),
    /// These bands of the output.
    Display(Range<usize>),
}

/// A stretch whose ends are not known until the whole raster has been seen.
struct OpenStretch {
    /// The layer, or the recipe itself.
    name: String,
    /// What waits for it.
    place: Place,
    /// What is stretched, all bands together.
    registers: Vec<usize>,
    /// Steps that must be done before the registers hold it.
    after: usize,
    invert: bool,
    search: LimitSearch,
}

/// A recipe ready for a grid. While it runs it does not change: one chain serves any number of threads, each with its
/// own [`Registers`].
///
/// What depends on the whole raster (percentiles, RVT's overcast sky) is open at first: see [`Chain::round`].
pub struct Chain {
    passes: Vec<Pass>,
    steps: Vec<Step>,
    /// What each step does, for people.
    labels: Vec<String>,
    outputs: Vec<Output>,
    /// Bands of the output that each recipe gives.
    parts: Vec<Range<usize>>,
    /// Registers that kernels fill; those of pictures come after them.
    kernel_registers: usize,
    picture_registers: usize,
    edges: Vec<Edge>,
    /// Rasters that layers show, beside the elevations.
    rasters: Vec<LayerRaster>,
    radius: usize,
    /// Columns that go through all steps together.
    block: usize,
    bands: Vec<Band>,
    options: ChainOptions,
    /// Fills missing cells before anything else is computed.
    fill: Option<Box<dyn Kernel>>,
    open: Vec<OpenStretch>,
    /// Ends of stretches that were found: layer, values shown as 0 and 1.
    found: Vec<(String, f64, f64)>,
    /// Where these went, in the same order.
    found_places: Vec<Place>,
    recipes: Vec<Recipe>,
    /// What layers that are no recipes show, and the registers that hold it.
    values: Vec<(Values, Bands)>,
    grid: Grid,
}

/// Row buffers a thread needs to run a chain.
pub struct Registers {
    kernels: Array2<f32>,
    pictures: Vec<Vec<f32>>,
}

impl Chain {
    /// Checks `recipe` against `grid` and plans its passes.
    pub fn new(recipe: &Recipe, grid: &Grid, options: ChainOptions) -> Result<Self> {
        Self::several(std::slice::from_ref(recipe), grid, options)
    }

    /// Several recipes from one pass over the raster: their bands follow one another, see [`Chain::parts`].
    pub fn several(recipes: &[Recipe], grid: &Grid, options: ChainOptions) -> Result<Self> {
        build::build(recipes, grid, options)
    }

    /// The same chain with everything open again that depends on the whole raster.
    pub fn again(&self) -> Result<Self> {
        Self::several(&self.recipes, &self.grid, self.options)
    }

    /// Bands that each recipe gives.
    pub fn parts(&self) -> &[Range<usize>] {
        &self.parts
    }

    /// Rasters that layers show, beside the elevations, on the same grid.
    pub fn rasters(&self) -> &[LayerRaster] {
        &self.rasters
    }

    /// Cells needed around a tile.
    pub fn radius(&self) -> usize {
        self.radius + self.fill_radius()
    }

    /// Missing cells are filled first, so that a tile is not used where it stands.
    pub fn fills(&self) -> bool {
        self.fill.is_some()
    }

    /// Whether it reads elevations at all.
    pub fn needs_elevations(&self) -> bool {
        let first_raster = self.edges.len().max(1);
        self.fill.is_some() || self.passes.iter().any(|pass| pass.tile < first_raster)
    }

    /// Whether heights count themselves and not only their differences: where they are the result, and in RVT's
    /// numbers, which round heights and take those below 0 for 0.
    pub fn needs_heights(&self) -> bool {
        let gives_heights = self.passes.iter().any(|pass| pass.kernel.gives_heights());
        gives_heights || self.options.compatibility == Compatibility::Rvt
    }

    fn fill_radius(&self) -> usize {
        self.fill.as_ref().map_or(0, |fill| fill.radius())
    }

    /// Output bands.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// Type of the output cells.
    pub fn cell_type(&self) -> CellType {
        self.options.cell_type
    }

    /// Edge rules in use; a tile at the raster's edge is held once for each.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Kernel passes after sharing.
    pub fn passes(&self) -> usize {
        self.passes.len()
    }

    /// What is done with a tile, in order, a line each.
    pub fn describe_steps(&self) -> String {
        let fill = self.fill.iter().map(|fill| format!("fill gaps, {} cells around each", fill.radius()));
        let passes = self.passes.iter().map(|pass| {
            format!("compute {}, {} cells around each", pass.names.join(" + "), pass.kernel.radius())
        });
        let steps = fill.chain(passes).chain(self.labels.iter().cloned());
        steps.enumerate().map(|(index, step)| format!("  step {}: {step}\n", index + 1)).collect()
    }

    /// The byte or value that stands for nodata in the output.
    pub fn nodata(&self) -> Option<f64> {
        match self.options.cell_type {
            CellType::Uint8 if self.options.alpha => None,
            CellType::Float32 => Some(f64::NAN),
            CellType::Uint8 => encode::nodata_byte(self.options.compatibility).map(f64::from),
        }
    }

    /// Refuses rasters that are too small for the search: an edge that is mirrored once needs the cells it mirrors.
    /// Symmetric edges go on periodically, and beyond an open edge there is nothing: any raster will do.
    pub fn check_raster(&self, rows: usize, cols: usize) -> Result<()> {
        let smallest = rows.min(cols);
        let any_size = |edge: Edge| matches!(edge, Edge::Symmetric | Edge::Open);
        let closed = self.passes.iter().filter(|pass| !any_size(pass.kernel.edge()));
        let radius = closed.map(|pass| pass.kernel.radius()).max().unwrap_or(0);
        if smallest > radius {
            return Ok(());
        }
        Err(Error::Unsupported(format!(
            "raster of {cols} x {rows} cells is too small for a radius of {radius}; \
             allowed: at least {least} x {least} cells",
            least = radius + 1
        )))
    }

    /// Bytes that the kernels of one thread hold for a tile of this size beside the tile itself.
    pub fn tile_memory(&self, rows: usize, cols: usize) -> usize {
        let kernels: usize = self.passes.iter().map(|pass| pass.kernel.tile_memory(rows, cols)).sum();
        let (rows, cols) = (rows + 2 * self.radius, cols + 2 * self.radius);
        let fill = self.fill.as_ref().map_or(0, |fill| {
            let (rows_read, cols_read) = (rows + 2 * fill.radius(), cols + 2 * fill.radius());
            rows_read.saturating_mul(cols_read).saturating_mul(4) + fill.tile_memory(rows, cols)
        });
        kernels.saturating_add(fill)
    }

    /// Row buffers for one thread.
    pub fn new_registers(&self) -> Registers {
        let unused = self.is_direct() && self.is_settled();
        let columns = if unused { 0 } else { self.block.min(REGISTER_COLUMNS) };
        Registers {
            kernels: Array2::zeros((self.kernel_registers, columns)),
            pictures: vec![vec![0.0; columns]; self.picture_registers],
        }
    }

    /// Bytes of one thread's row buffers.
    pub fn register_bytes(&self) -> usize {
        (self.kernel_registers + self.picture_registers) * REGISTER_COLUMNS * 4
    }

    /// Buffers for the tiles this chain reads.
    pub fn new_tile_buffers(&self) -> ChainTiles {
        let fill = self.fill.as_ref().map(|fill| TileBuffers::new(&[fill.edge()], fill.radius()));
        let rasters = self.rasters.iter().map(|_| TileBuffers::new(&[Edge::Open], 0)).collect();
        ChainTiles {
            tiles: TileBuffers::new(&self.edges, self.radius),
            edges: self.edges.len().max(1),
            fill,
            rasters,
        }
    }

    /// Computes a tile. `tile` gives it under each of `edges()`, then the same place of each of `rasters()`; `out` has bands x rows x columns. Before every
    /// row `proceed` is asked; false stops the work with [`Error::Cancelled`].
    ///
    /// # Allocations: what the kernels need to make ready for the tile; none per row.
    pub fn run<'t>(
        &'t self,
        tile: impl Fn(usize) -> Tile<'t>,
        registers: &mut Registers,
        out: &mut CellsMut<'_>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        let (_, rows, cols) = out.dim();
        let direct = self.is_direct();
        let mut kernels = self.kernels_on(tile)?;
        if let (true, CellsMut::Float32(out)) = (direct && proceed(), &mut *out) {
            if kernels[0].whole(out) {
                return Ok(());
            }
        }
        for first in (0..cols).step_by(self.block) {
            let columns = first..(first + self.block).min(cols);
            for row in 0..rows {
                if !proceed() {
                    return Err(Error::Cancelled);
                }
                if let (true, CellsMut::Float32(out)) = (direct, &mut *out) {
                    kernels[0].row(row, columns.clone(), out.slice_mut(s![.., row, columns.clone()]));
                    continue;
                }
                self.kernel_rows(&mut kernels, row, &columns, registers);
                self.take_steps(self.steps.len(), registers, columns.len());
                self.write_row(registers, out, row, columns.clone());
            }
        }
        Ok(())
    }

    /// Kernels made ready for a tile.
    fn kernels_on<'t>(&'t self, tile: impl Fn(usize) -> Tile<'t>) -> Result<Vec<Box<dyn TileKernel + 't>>> {
        let stride = tile(0).stride();
        if stride.saturating_mul(2 * self.radius + 1) > MOST_REACHED {
            let radius = self.radius;
            return Err(Error::Unsupported(format!(
                "rows of {stride} cells are too long for a radius of {radius}; allowed: tiles of fewer columns"
            )));
        }
        Ok(self.passes.iter().map(|pass| pass.kernel.on(tile(pass.tile))).collect())
    }

    /// Fills the registers of all kernels for one row.
    fn kernel_rows(
        &self,
        kernels: &mut [Box<dyn TileKernel + '_>],
        row: usize,
        columns: &Range<usize>,
        registers: &mut Registers,
    ) {
        for (kernel, pass) in kernels.iter_mut().zip(&self.passes) {
            let last = pass.register + pass.kernel.bands();
            let to = registers.kernels.slice_mut(s![pass.register..last, ..columns.len()]);
            kernel.row(row, columns.clone(), to);
        }
    }

    /// The bands of the only pass are the output as they stand: it writes there directly.
    fn is_direct(&self) -> bool {
        self.passes.len() == 1
            && self.steps.is_empty()
            && self.options.cell_type == CellType::Float32
            && self.outputs.iter().map(|output| output.register).eq(0..self.kernel_registers)
    }

    /// The first `count` steps on one row.
    fn take_steps(&self, count: usize, registers: &mut Registers, width: usize) {
        for step in &self.steps[..count] {
            registers.take(step, width);
        }
    }

    fn write_row(&self, registers: &Registers, out: &mut CellsMut<'_>, row: usize, columns: Range<usize>) {
        for (band, output) in self.outputs.iter().enumerate() {
            let from = registers.row(output.register, columns.len());
            match out {
                CellsMut::Float32(out) => row_mut(out, band, row, columns.clone()).copy_from_slice(from),
                CellsMut::Uint8(out) => {
                    let bytes = row_mut(out, band, row, columns.clone());
                    match (output.alpha, self.options.alpha) {
                        (true, _) => encode::alpha_row(from, bytes),
                        (false, true) => encode::opaque_row(from, output.display, bytes),
                        (false, false) => {
                            encode::bytes_row(from, output.display, self.options.compatibility, bytes);
                        }
                    }
                }
            }
        }
    }
}

fn row_mut<'a, T>(
    out: &'a mut ArrayViewMut3<'_, T>,
    band: usize,
    row: usize,
    columns: Range<usize>,
) -> &'a mut [T] {
    let row = out.slice_mut(s![band, row, columns]);
    row.into_slice().expect("CellsMut has contiguous rows")
}
