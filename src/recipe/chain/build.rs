//! From a checked recipe to a chain: which kernels share a pass, which registers they fill, which steps follow.

use super::{Chain, ChainOptions, OpenStretch, Pass, Step, REGISTER_COLUMNS, ROWS_IN_CACHE};
use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::operation::{Band, Kernel};
use crate::core::stretch::Stretch;
use crate::recipe::{Content, Layer, OperationCall, Recipe};
use crate::render::blend::Blend;
use crate::render::limits::LimitSearch;
use crate::render::stretch::LinearStretch;

/// Stands where the ends of a stretch are open; nothing is written before they are found.
const OPEN: (f64, f64) = (0.0, 1.0);

/// Checks `recipe` against `grid` and plans its passes.
pub(super) fn build(recipe: &Recipe, grid: &Grid, options: ChainOptions) -> Result<Chain> {
    grid.check()?;
    let mut builder = Builder { grid, options, kernels: Vec::new(), calls: Vec::new() };
    builder.collect(recipe)?;
    let fill = recipe.fill.as_ref().map(|call| builder.kernel(call)).transpose()?;
    let (passes, edges, registers) = place(builder.kernels);
    let call_registers = builder
        .calls
        .iter()
        .map(|(kernel, bands)| bands.iter().map(|band| passes[*kernel].register + band).collect::<Vec<_>>());
    let mut planner = StepPlanner {
        calls: call_registers.collect(),
        next_call: 0,
        registers,
        steps: Vec::new(),
        open: Vec::new(),
        options,
    };
    let (outputs, bands, display) = planner.outputs(recipe)?;
    let radius = passes.iter().map(|pass| pass.kernel.radius()).max().unwrap_or(0);
    let mut chain = Chain {
        radius,
        block: (ROWS_IN_CACHE / (4 * (2 * radius + 1))).max(REGISTER_COLUMNS / 2),
        steps: planner.steps,
        registers: planner.registers,
        display,
        passes,
        outputs,
        edges,
        bands,
        options,
        fill,
        open: planner.open,
        found: Vec::new(),
        recipe: recipe.clone(),
        grid: *grid,
    };
    if !chain.is_direct() {
        chain.block = chain.block.min(REGISTER_COLUMNS);
    }
    Ok(chain)
}

/// Gives every kernel its registers, and the number of its edge rule among those in use.
fn place(kernels: Vec<Box<dyn Kernel>>) -> (Vec<Pass>, Vec<crate::core::tile::Edge>, usize) {
    let (mut passes, mut edges, mut registers) = (Vec::new(), Vec::new(), 0);
    for kernel in kernels {
        let edge = edges.iter().position(|edge| *edge == kernel.edge()).unwrap_or(edges.len());
        if edge == edges.len() {
            edges.push(kernel.edge());
        }
        let register = registers;
        registers += kernel.bands();
        passes.push(Pass { kernel, edge, register });
    }
    (passes, edges, registers)
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

    fn kernel(&self, call: &OperationCall) -> Result<Box<dyn Kernel>> {
        let checked = call.values.check_lengths(self.grid);
        let built = checked
            .and_then(|()| (call.operation.build)(&call.values, self.grid, self.options.compatibility));
        built.map_err(|error| error.within(call.operation.id))
    }

    fn add(&mut self, call: &OperationCall) -> Result<()> {
        let kernel = self.kernel(call)?;
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
    open: Vec<OpenStretch>,
    options: ChainOptions,
}

impl StepPlanner {
    /// Registers to write, the bands they are, and the stretch for 8 bit.
    fn outputs(&mut self, recipe: &Recipe) -> Result<(Vec<usize>, Vec<Band>, LinearStretch)> {
        if let Some(call) = recipe.raw_operation() {
            let registers = self.calls.swap_remove(0);
            let mut stretch = recipe.layers[0].display_stretch(self.options.compatibility);
            if let Some(cut) = self.options.stretch {
                stretch.cut = cut.check()?;
            }
            let encodes = self.options.cell_type == super::CellType::Uint8;
            let display = match stretch.limits() {
                Some(limits) => LinearStretch::new(limits, stretch.invert),
                // Values are written as they are.
                None if !encodes => LinearStretch::new(OPEN, false),
                None => self.stretch(&recipe.name, stretch, &registers, None, 0)?,
            };
            return Ok((registers, (call.operation.bands)(&call.values), display));
        }
        if self.options.stretch.is_some() {
            let name = &recipe.name;
            return Err(Error::Argument(format!(
                "a stretch belongs to a single operation; the layers of '{name}' have their own: \
                 set layer.min and layer.max"
            )));
        }
        let band = Band::new(recipe.title.clone(), "", (0.0, 1.0));
        Ok((vec![self.picture(recipe)?], vec![band], LinearStretch::new((0.0, 1.0), false)))
    }

    /// The stretch of `registers`, which hold what they should after so many steps; open where its ends are.
    fn stretch(
        &mut self,
        name: &str,
        stretch: Stretch,
        registers: &[usize],
        step: Option<usize>,
        after: usize,
    ) -> Result<LinearStretch> {
        let cut = stretch.cut.check().map_err(|error| Error::Argument(format!("layer '{name}': {error}")))?;
        if let Some(search) = LimitSearch::new(cut) {
            let (name, registers) = (name.to_string(), registers.to_vec());
            self.open.push(OpenStretch { name, step, registers, after, invert: stretch.invert, search });
        }
        Ok(LinearStretch::new(stretch.limits().unwrap_or(OPEN), stretch.invert))
    }

    /// The register that holds a blended recipe.
    fn picture(&mut self, recipe: &Recipe) -> Result<usize> {
        let mut layers = Vec::new();
        for layer in &recipe.layers {
            let register = self.layer(layer)?;
            // What kernels fill is there before the first step.
            let after = if matches!(layer.content, Content::Operation(_)) { 0 } else { self.steps.len() };
            layers.push((register, after, layer));
        }
        let background = self.registers;
        self.registers += 1;
        for (height, (register, after, layer)) in layers.into_iter().rev().enumerate() {
            let step = Some(self.steps.len());
            let stretch = layer.display_stretch(self.options.compatibility);
            let stretch = self.stretch(&layer.name, stretch, &[register], step, after)?;
            self.steps.push(if height == 0 {
                Step::Stretch { from: register, stretch, to: background }
            } else {
                let blend = Blend::new(layer.mode, layer.opacity / 100.0, self.options.compatibility);
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
