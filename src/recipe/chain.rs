//! A recipe made ready for a grid: kernels that share their passes, then stretches and blends, row by row.
//!
//! Every row goes through all steps while it is in the cache. Layers with the same search or gradients share
//! one kernel, and what stands twice among their bands is computed once.

use super::{Content, Layer, OperationCall, Recipe};
use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::operation::{Band, Compatibility, Kernel, Stretch};
use crate::core::tile::{Edge, Tile, TileBuffers};
use crate::render::blend::{stretch_row, Blend};
use crate::render::encode;
use crate::render::stretch::LinearStretch;
use ndarray::{s, Array2, ArrayViewMut3};
use std::ops::Range;

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

/// How a recipe is turned into cells.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChainOptions {
    /// Type of the output cells.
    pub cell_type: CellType,
    /// Whose numbers.
    pub compatibility: Compatibility,
    /// Replaces the display stretch of a recipe that gives an operation's own values, when written as 8 bit.
    pub stretch: Option<(f64, f64)>,
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

/// A kernel, the edge rule it reads under, and the first register it fills.
struct Pass {
    kernel: Box<dyn Kernel>,
    edge: usize,
    register: usize,
}

/// One step after the kernels; numbers are registers.
enum Step {
    Stretch { from: usize, stretch: LinearStretch, to: usize },
    Blend { top: usize, stretch: LinearStretch, blend: Blend, background: usize },
}

/// A recipe ready to run. Immutable: one chain serves any number of threads, each with its own [`Registers`].
pub struct Chain {
    passes: Vec<Pass>,
    steps: Vec<Step>,
    outputs: Vec<usize>,
    registers: usize,
    edges: Vec<Edge>,
    radius: usize,
    /// Columns that go through all steps together.
    block: usize,
    bands: Vec<Band>,
    /// Applied before 8-bit encoding.
    display: LinearStretch,
    options: ChainOptions,
}

/// Row buffers a thread needs to run a chain.
pub struct Registers(Array2<f32>);

impl Chain {
    /// Checks `recipe` against `grid` and plans its passes.
    pub fn new(recipe: &Recipe, grid: &Grid, options: ChainOptions) -> Result<Self> {
        grid.check()?;
        let mut builder = Builder { grid, options, kernels: Vec::new(), calls: Vec::new() };
        builder.collect(recipe)?;
        let mut registers: usize = 0;
        let mut edges = Vec::new();
        let mut passes = Vec::new();
        for kernel in builder.kernels {
            let edge = edges.iter().position(|edge| *edge == kernel.edge()).unwrap_or(edges.len());
            if edge == edges.len() {
                edges.push(kernel.edge());
            }
            let register = registers;
            registers += kernel.bands();
            passes.push(Pass { kernel, edge, register });
        }
        let call_registers = builder.calls.iter().map(|(kernel, bands)| {
            bands.iter().map(|band| passes[*kernel].register + band).collect::<Vec<_>>()
        });
        let mut planner = StepPlanner {
            calls: call_registers.collect(),
            next_call: 0,
            registers,
            steps: Vec::new(),
            compatibility: options.compatibility,
        };
        let (outputs, bands, display) = planner.outputs(recipe, options.stretch)?;
        let radius = passes.iter().map(|pass| pass.kernel.radius()).max().unwrap_or(0);
        let mut chain = Self {
            radius,
            block: (ROWS_IN_CACHE / (4 * (2 * radius + 1))).max(REGISTER_COLUMNS / 2),
            steps: planner.steps,
            registers: planner.registers,
            display: display.into(),
            passes,
            outputs,
            edges,
            bands,
            options,
        };
        if !chain.is_direct() {
            chain.block = chain.block.min(REGISTER_COLUMNS);
        }
        Ok(chain)
    }

    /// Cells needed around a tile.
    pub fn radius(&self) -> usize {
        self.radius
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

    /// The byte or value that stands for nodata in the output.
    pub fn nodata(&self) -> Option<f64> {
        match self.options.cell_type {
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
        self.passes.iter().map(|pass| pass.kernel.tile_memory(rows, cols)).sum()
    }

    /// Row buffers for one thread.
    pub fn new_registers(&self) -> Registers {
        let columns = if self.is_direct() { 0 } else { self.block };
        Registers(Array2::zeros((self.registers, columns)))
    }

    /// Bytes of one thread's row buffers.
    pub fn register_bytes(&self) -> usize {
        self.registers * REGISTER_COLUMNS * 4
    }

    /// Buffers for the tiles this chain reads.
    pub fn new_tile_buffers(&self) -> TileBuffers {
        TileBuffers::new(&self.edges, self.radius)
    }

    /// Computes a tile. `tile` gives it under each of `edges()`; `out` has bands x rows x columns. Before every
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
        let stride = tile(0).stride();
        if stride.saturating_mul(2 * self.radius + 1) > MOST_REACHED {
            let radius = self.radius;
            return Err(Error::Unsupported(format!(
                "rows of {stride} cells are too long for a radius of {radius}; allowed: tiles of fewer columns"
            )));
        }
        let mut kernels: Vec<_> = self.passes.iter().map(|pass| pass.kernel.on(tile(pass.edge))).collect();
        let direct = self.is_direct();
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
                for (kernel, pass) in kernels.iter_mut().zip(&self.passes) {
                    let last = pass.register + pass.kernel.bands();
                    let to = registers.0.slice_mut(s![pass.register..last, ..columns.len()]);
                    kernel.row(row, columns.clone(), to);
                }
                self.finish_row(registers, out, row, columns.clone());
            }
        }
        Ok(())
    }

    /// The bands of the only pass are the output as they stand: it writes there directly.
    fn is_direct(&self) -> bool {
        self.passes.len() == 1
            && self.steps.is_empty()
            && self.options.cell_type == CellType::Float32
            && self.outputs.iter().copied().eq(0..self.registers)
    }

    fn finish_row(
        &self,
        registers: &mut Registers,
        out: &mut CellsMut<'_>,
        row: usize,
        columns: Range<usize>,
    ) {
        let width = columns.len();
        for step in &self.steps {
            match *step {
                Step::Stretch { from, stretch, to } => {
                    let (from, to) = registers.pair(from, to, width);
                    stretch_row(from, stretch, to);
                }
                Step::Blend { top, stretch, blend, background } => {
                    let (top, background) = registers.pair(top, background, width);
                    blend.row(top, stretch, background);
                }
            }
        }
        for (band, register) in self.outputs.iter().enumerate() {
            match out {
                CellsMut::Float32(out) => {
                    let from = registers.row(*register, width);
                    row_mut(out, band, row, columns.clone()).copy_from_slice(from);
                }
                CellsMut::Uint8(out) => {
                    let from = registers.row(*register, width);
                    let bytes = row_mut(out, band, row, columns.clone());
                    encode::bytes_row(from, self.display, self.options.compatibility, bytes);
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

impl Registers {
    fn row(&self, register: usize, width: usize) -> &[f32] {
        &self.0.row(register).to_slice().expect("registers are contiguous")[..width]
    }

    /// One register to read, another to change.
    fn pair(&mut self, from: usize, to: usize, width: usize) -> (&[f32], &mut [f32]) {
        let (from, to) = self.0.multi_slice_mut((s![from, ..width], s![to, ..width]));
        let from: &[f32] = from.into_slice().expect("registers are contiguous");
        (from, to.into_slice().expect("registers are contiguous"))
    }
}

/// Collects the kernels of all layers, merging those that share their work.
struct Builder<'a> {
    grid: &'a Grid,
    options: ChainOptions,
    kernels: Vec<Box<dyn Kernel>>,
    /// For every operation layer, in the order of the walk: its kernel and its bands therein.
    calls: Vec<(usize, Vec<usize>)>,
}

impl Builder<'_> {
    fn collect(&mut self, recipe: &Recipe) -> Result<()> {
        for layer in &recipe.layers {
            match &layer.content {
                Content::Operation(call) => self.add(call)?,
                Content::Recipe(inner) => self.collect(inner)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, call: &OperationCall) -> Result<()> {
        call.values.check_lengths(self.grid)?;
        let kernel = (call.operation.build)(&call.values, self.grid, self.options.compatibility)?;
        for (index, existing) in self.kernels.iter_mut().enumerate() {
            if let Some(bands) = existing.absorb(&*kernel) {
                self.calls.push((index, bands));
                return Ok(());
            }
        }
        self.calls.push((self.kernels.len(), (0..kernel.bands()).collect()));
        self.kernels.push(kernel);
        Ok(())
    }
}

/// Turns layers into steps, walking them in the order `Builder` did.
struct StepPlanner {
    /// Registers of every operation layer.
    calls: Vec<Vec<usize>>,
    next_call: usize,
    registers: usize,
    steps: Vec<Step>,
    compatibility: Compatibility,
}

impl StepPlanner {
    /// Registers to write, the bands they are, and the stretch for 8 bit.
    fn outputs(
        &mut self,
        recipe: &Recipe,
        stretch: Option<(f64, f64)>,
    ) -> Result<(Vec<usize>, Vec<Band>, Stretch)> {
        if let Some(call) = recipe.raw_operation() {
            let mut display = (call.operation.stretch)(&call.values);
            if let Some((min, max)) = stretch {
                display = super::check_stretch(Stretch { min, max, ..display })?;
            }
            return Ok((self.calls.swap_remove(0), (call.operation.bands)(&call.values), display));
        }
        if stretch.is_some() {
            let name = &recipe.name;
            return Err(Error::Argument(format!(
                "a stretch belongs to a single operation; the layers of '{name}' have their own: \
                 set layer.min and layer.max"
            )));
        }
        let band = Band::new(recipe.title.clone(), "", (0.0, 1.0));
        Ok((vec![self.picture(recipe)?], vec![band], Stretch { min: 0.0, max: 1.0, invert: false }))
    }

    /// The register that holds a blended recipe.
    fn picture(&mut self, recipe: &Recipe) -> Result<usize> {
        let mut layers = Vec::new();
        for layer in &recipe.layers {
            layers.push((self.layer(layer)?, layer));
        }
        let background = self.registers;
        self.registers += 1;
        for (height, (register, layer)) in layers.into_iter().rev().enumerate() {
            let stretch = super::check_stretch(layer.display_stretch())
                .map_err(|error| Error::Argument(format!("layer '{}': {error}", layer.name)))?
                .into();
            self.steps.push(if height == 0 {
                Step::Stretch { from: register, stretch, to: background }
            } else {
                let blend = Blend::new(layer.mode, layer.opacity / 100.0, self.compatibility);
                Step::Blend { top: register, stretch, blend, background }
            });
        }
        Ok(background)
    }

    fn layer(&mut self, layer: &Layer) -> Result<usize> {
        match &layer.content {
            Content::Recipe(inner) => self.picture(inner),
            Content::Operation(call) => {
                let registers = &self.calls[self.next_call];
                self.next_call += 1;
                match registers.as_slice() {
                    [register] => Ok(*register),
                    several => Err(Error::Recipe(format!(
                        "layer '{}': {} gives {} bands; allowed in a blend: one band",
                        layer.name,
                        call.operation.id,
                        several.len()
                    ))),
                }
            }
        }
    }
}
