//! From checked recipes to a chain: which kernels share a pass, which registers they fill, which steps follow.

use super::raster::RasterKernel;
use super::{Bands, Chain, ChainOptions, Output, Pass, Place, Values, REGISTER_COLUMNS, ROWS_IN_CACHE};
use crate::core::error::{unknown_name, Error, Result};
use crate::core::grid::Grid;
use crate::core::operation::{Band, Kernel, Role};
use crate::core::tile::Edge;
use crate::recipe::{Content, Layer, LayerRaster, OperationCall, Recipe, Stack, StackBand};
use crate::render::stretch::LinearStretch;

use super::steps::{StepPlanner, OPEN};

/// Checks `recipes` against `grid` and plans their passes.
pub(super) fn build(recipes: &[Recipe], grid: &Grid, options: ChainOptions) -> Result<Chain> {
    grid.check()?;
    if options.alpha && options.cell_type == super::CellType::Float32 {
        return Err(Error::Argument(
            "an alpha band goes with bytes; allowed: type uint8, or no alpha".into(),
        ));
    }
    let mut builder = Builder::new(grid, options);
    for recipe in recipes {
        builder.collect(recipe)?;
    }
    let fill = builder.fill(recipes)?;
    let placed = place(builder.kernels);
    let call_registers = builder.calls.iter().map(|(kernel, bands)| {
        bands.iter().map(|band| placed.passes[*kernel].register + band).collect::<Vec<_>>()
    });
    let call_registers: Vec<_> = call_registers.collect();
    let values = builder.shown.into_iter().zip(call_registers.iter().cloned()).collect();
    let planner = StepPlanner::new(call_registers, placed.registers, options);
    let mut outputs = Outputs { planner, outputs: Vec::new(), bands: Vec::new(), options };
    let parts = recipes.iter().map(|recipe| outputs.add(recipe)).collect::<Result<Vec<_>>>()?;
    let Outputs { planner, outputs, bands, .. } = outputs;
    let radius = placed.passes.iter().map(|pass| pass.kernel.radius()).max().unwrap_or(0);
    let mut chain = Chain {
        radius,
        block: (ROWS_IN_CACHE / (4 * (2 * radius + 1))).max(REGISTER_COLUMNS / 2),
        kernel_registers: placed.registers,
        picture_registers: planner.pictures(),
        steps: planner.steps,
        labels: planner.labels,
        passes: placed.passes,
        outputs,
        parts,
        edges: placed.edges,
        rasters: builder.rasters,
        bands,
        options,
        fill,
        open: planner.open,
        found: Vec::new(),
        found_places: Vec::new(),
        recipes: recipes.to_vec(),
        values,
        grid: *grid,
    };
    if !chain.is_direct() {
        chain.block = chain.block.min(REGISTER_COLUMNS);
    }
    Ok(chain)
}

/// Kernels with their registers.
struct Placed {
    passes: Vec<Pass>,
    edges: Vec<Edge>,
    registers: usize,
}

/// Gives every kernel its registers and the number of the tile it reads: edge rules first, then rasters.
fn place(kernels: Vec<Planned>) -> Placed {
    let mut placed = Placed { passes: Vec::new(), edges: Vec::new(), registers: 0 };
    for planned in kernels.iter().filter(|planned| planned.raster.is_none()) {
        let edge = planned.kernel.edge();
        if !placed.edges.contains(&edge) {
            placed.edges.push(edge);
        }
    }
    for Planned { kernel, raster, names } in kernels {
        let edge = placed.edges.iter().position(|edge| *edge == kernel.edge());
        // Without an operation the elevations are read all the same, under one rule.
        let tile = raster.map_or(edge.unwrap_or(0), |number| placed.edges.len().max(1) + number);
        let register = placed.registers;
        placed.registers += kernel.bands();
        placed.passes.push(Pass { kernel, tile, register, names });
    }
    placed
}

/// A kernel and the raster it reads, unless it reads the elevations.
struct Planned {
    kernel: Box<dyn Kernel>,
    raster: Option<usize>,
    /// Operations it serves, or the raster.
    names: Vec<String>,
}

/// Collects the kernels of all layers, merging those that share their work.
struct Builder<'a> {
    grid: &'a Grid,
    options: ChainOptions,
    kernels: Vec<Planned>,
    rasters: Vec<LayerRaster>,
    /// Stacks of the recipes around the layer that is collected.
    stacks: Vec<Stack>,
    /// For every layer that is no recipe, in the order of the walk: its kernel and its bands therein.
    calls: Vec<(usize, Vec<usize>)>,
    /// What these show.
    shown: Vec<Values>,
}

impl<'a> Builder<'a> {
    fn new(grid: &'a Grid, options: ChainOptions) -> Self {
        let (kernels, rasters, stacks) = (Vec::new(), Vec::new(), Vec::new());
        Self { grid, options, kernels, rasters, stacks, calls: Vec::new(), shown: Vec::new() }
    }

    fn collect(&mut self, recipe: &Recipe) -> Result<()> {
        let around = self.stacks.len();
        self.stacks.extend(recipe.stacks.iter().cloned());
        recipe.layers.iter().try_for_each(|layer| self.collect_layer(layer))?;
        self.stacks.truncate(around);
        Ok(())
    }

    fn collect_layer(&mut self, layer: &Layer) -> Result<()> {
        match &layer.content {
            Content::Operation(call) => {
                self.add(call)?;
                self.shown.push(Values::Operation(call.clone()));
            }
            Content::Recipe(inner) => self.collect(inner)?,
            Content::Raster(raster) => self.add_raster(LayerRaster::File(raster.clone())),
            Content::Stack(StackBand { stack, band }) => {
                let names = self.stacks.iter().map(|stack| stack.name.as_str());
                let found = self.stacks.iter().rev().find(|known| known.name == *stack);
                let found = found.ok_or_else(|| unknown_name("stack", stack, names))?;
                self.add_raster(LayerRaster::Stack(found.clone(), band.clone()));
            }
        }
        layer.mask.iter().try_for_each(|mask| self.collect_layer(mask))
    }

    fn kernel(&self, call: &OperationCall) -> Result<Box<dyn Kernel>> {
        let values = call.values(self.options.compatibility);
        let checked = values.check_lengths(self.grid);
        let built =
            checked.and_then(|()| (call.operation.build)(values, self.grid, self.options.compatibility));
        built.map_err(|error| error.within(call.operation.id))
    }

    fn add(&mut self, call: &OperationCall) -> Result<()> {
        let kernel = self.kernel(call)?;
        for (index, existing) in self.kernels.iter_mut().enumerate() {
            if let Some(bands) = existing.kernel.absorb(&*kernel) {
                self.calls.push((index, bands));
                if !existing.names.iter().any(|name| name == call.operation.id) {
                    existing.names.push(call.operation.id.into());
                }
                return Ok(());
            }
        }
        self.calls.push((self.kernels.len(), (0..kernel.bands()).collect()));
        self.kernels.push(Planned { kernel, raster: None, names: vec![call.operation.id.into()] });
        Ok(())
    }

    fn add_raster(&mut self, raster: LayerRaster) {
        self.shown.push(Values::Raster(raster.clone()));
        let known = self.rasters.iter().position(|known| *known == raster);
        let number = known.unwrap_or_else(|| {
            let names = vec![raster.to_string()];
            self.rasters.push(raster);
            let number = Some(self.rasters.len() - 1);
            self.kernels.push(Planned { kernel: Box::new(RasterKernel), raster: number, names });
            self.rasters.len() - 1
        });
        let kernel = self.kernels.iter().position(|planned| planned.raster == Some(number));
        self.calls.push((kernel.unwrap_or(0), vec![0]));
    }

    /// The kernel that fills gaps: one for all recipes, which read the same cells.
    fn fill(&self, recipes: &[Recipe]) -> Result<Option<Box<dyn Kernel>>> {
        let text = |recipe: &Recipe| recipe.fill.as_ref().map(|call| call.values.to_json());
        let (first, rest) = recipes.split_first().ok_or_else(|| Error::Internal("no recipe".into()))?;
        if rest.iter().any(|recipe| text(recipe) != text(first)) {
            return Err(Error::Recipe(
                "recipes of one run fill gaps in different ways; allowed: the same way, or separate runs"
                    .into(),
            ));
        }
        first.fill.as_ref().map(|call| self.kernel(call)).transpose()
    }
}

/// Collects the bands of the output.
struct Outputs {
    planner: StepPlanner,
    outputs: Vec<Output>,
    bands: Vec<Band>,
    options: ChainOptions,
}

impl Outputs {
    /// Adds a recipe's bands; gives their place.
    fn add(&mut self, recipe: &Recipe) -> Result<std::ops::Range<usize>> {
        let first = self.outputs.len();
        let (registers, bands, display) = match recipe.raw_operation() {
            Some(call) => {
                let registers = self.planner.next_call();
                let display = self.display(recipe, &registers, first)?;
                (registers, (call.operation.bands)(call.values(self.options.compatibility)), display)
            }
            None => self.picture(recipe)?,
        };
        let output = |register: &usize| Output { register: *register, display, alpha: false };
        self.outputs.extend(registers.iter().map(output));
        self.bands.extend(bands);
        if self.options.alpha {
            self.outputs.push(Output { register: registers[0], display, alpha: true });
            self.bands.push(Band { role: Role::Alpha, ..Band::new("Valid cells", "", (0.0, 255.0)) });
        }
        Ok(first..self.outputs.len())
    }

    fn picture(&mut self, recipe: &Recipe) -> Result<(Bands, Vec<Band>, LinearStretch)> {
        if self.options.stretch.is_some() {
            let name = &recipe.name;
            return Err(Error::Argument(format!(
                "a stretch belongs to a single operation; the layers of '{name}' have their own: \
                 set layer.stretch, or layer.min and layer.max"
            )));
        }
        let registers = self.planner.picture(recipe)?;
        let title = &recipe.title;
        let colored = |(color, role): (&str, Role)| Band {
            role,
            ..Band::new(format!("{title}, {color}"), "", (0.0, 1.0))
        };
        let bands = match registers.len() {
            1 => vec![Band::new(title.clone(), "", (0.0, 1.0))],
            _ => [("red", Role::Red), ("green", Role::Green), ("blue", Role::Blue)].map(colored).to_vec(),
        };
        Ok((registers, bands, LinearStretch::UNIT))
    }

    /// The stretch of an operation's own values, for bytes.
    fn display(&mut self, recipe: &Recipe, registers: &Bands, first: usize) -> Result<LinearStretch> {
        let mut stretch = recipe.layers[0].display_stretch(self.options.compatibility);
        if let Some(cut) = self.options.stretch {
            stretch.cut = cut.check()?;
        }
        match stretch.limits() {
            Some(limits) => Ok(LinearStretch::new(limits, stretch.invert)),
            // Values are written as they are.
            None if self.options.cell_type == super::CellType::Float32 => Ok(LinearStretch::new(OPEN, false)),
            None => {
                let place = Place::Display(first..first + registers.len());
                self.planner.stretch(&recipe.name, stretch, (registers, 0), place)
            }
        }
    }
}
