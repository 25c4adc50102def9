//! Stacks whose results the layers of a picture show.

use super::inputs::InputSpec;
use super::list::expand;
use super::options::{StackOptions, STACK_OPTIONS};
use super::program::{self, OpenedStack};
use super::{StackCommand, StackJob};
use crate::core::error::{unknown_name, Error, Result};
use crate::core::operation::Band;
use crate::gdal::raster::RasterGrid;
use crate::gdal::stack::GdalStack;
use crate::gdal::Gdal;
use crate::job::options::JobOptions;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::layer::{StackLayer, StackLayers};
use crate::recipe::{Recipe, Stack, StackInput};
use crate::stack::cells::CellType;
use crate::stack::cells::NodataValue;

/// Options that say how a result is stored, which is the picture's business; inputs stand apart.
const OTHERS: [&str; 5] = ["input", "resolution", "type", "dst-nodata", "by"];

/// The grid to which a stack is brought.
pub struct Ground {
    /// Who opens files.
    pub gdal: &'static Gdal,
    /// The grid.
    pub grid: RasterGrid,
    /// The raster that has it.
    pub name: String,
    /// It is one of elevations, not of the stack itself.
    pub is_elevations: bool,
}

/// A result of a stack that a layer shows.
pub struct OpenedLayer {
    /// The rasters beneath and what is computed.
    pub layer: StackLayer<GdalStack>,
    /// Files it consists of.
    pub files: Vec<String>,
    /// Files that could not be opened.
    pub bad: Vec<String>,
}

/// Opens a stack for the layers that show `bands` of it. Each worker may take `memory` for a piece.
pub fn open(
    stack: &Stack,
    bands: &[&Option<String>],
    ground: &Ground,
    run: &JobOptions,
    memory: usize,
    monitor: &mut Monitor<'_>,
) -> Result<Vec<OpenedLayer>> {
    let opened = match open_stack(stack, ground, run, monitor) {
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        opened => opened,
    };
    let opened = opened.map_err(|error| error.at(&format!("stack '{}'", stack.name)))?;
    let OpenedStack { files, source, program, bands: results, mut bad, beside, .. } = opened;
    bad.extend(beside);
    let wanted = bands.iter().map(|band| result(band.as_deref(), &results));
    let wanted = wanted.collect::<Result<Vec<_>>>();
    let wanted = wanted.map_err(|error| error.at(&format!("stack '{}'", stack.name)))?;
    let threads = run.threads.unwrap_or_else(crate::job::processors);
    let layers = StackLayers::new(program, source, wanted, (threads, memory))?.layers();
    Ok(layers
        .into_iter()
        .map(|layer| OpenedLayer { layer, files: files.clone(), bad: bad.clone() })
        .collect())
}

fn open_stack(
    stack: &Stack,
    ground: &Ground,
    run: &JobOptions,
    monitor: &mut Monitor<'_>,
) -> Result<OpenedStack> {
    let mut options = options(stack)?;
    if options.grid_of.is_some() && ground.is_elevations {
        let allowed = "allowed: none, the grid of the elevations counts";
        return Err(Error::Argument(format!("grid_of beside elevations; {allowed}")));
    }
    // Everything is brought there, wherever it lies.
    options.grid_of = Some(ground.name.clone());
    options.cell_type = Some(CellType::Float32);
    let reduces = options.statistics.is_some() || options.group.is_some() || options.merge_same.is_some();
    let command = match () {
        () if reduces => StackCommand::Reduce,
        () if options.expression.is_some() => StackCommand::Calc,
        () => StackCommand::Mask,
    };
    let job = StackJob { command, stack: options, run: run.clone(), output: String::new() };
    let target = (ground.grid.clone(), ground.name.clone());
    let mut opened = program::open(&job, ground.gdal, Some(target), monitor)?;
    // A picture has a nodata value of its own.
    opened.program.nodata = NodataValue::Usual;
    if opened.program.reduce.is_none() && opened.images.len() > 1 {
        let count = opened.images.len();
        return Err(Error::Argument(format!("{count} dates in one layer; allowed: one, or 'stat'")));
    }
    Ok(opened)
}

/// Which result a layer means.
fn result(band: Option<&str>, results: &[Band]) -> Result<usize> {
    let names = || results.iter().map(|band| band.name.as_str());
    let Some(band) = band else {
        return match results.len() {
            1 => Ok(0),
            count => {
                let names: Vec<_> = names().collect();
                let names = names.join(", ");
                Err(Error::Argument(format!(
                    "{count} results, and the layer names none; allowed for 'band': {names}"
                )))
            }
        };
    };
    let number =
        || band.parse().ok().filter(|number| (1..=results.len()).contains(number)).map(|number| number - 1);
    let found = names().position(|name| name == band).or_else(number);
    found.ok_or_else(|| unknown_name("result", band, names()))
}

/// The options of a stack, checked.
pub fn options(stack: &Stack) -> Result<StackOptions> {
    let mut options = StackOptions::default();
    for input in &stack.inputs {
        options.inputs.push(spec(input)?);
    }
    let known = || {
        let given =
            STACK_OPTIONS.iter().filter(|option| option.belongs_to("reduce") || option.belongs_to("calc"));
        given.filter(|option| !OTHERS.contains(&option.name))
    };
    for (key, value) in &stack.options {
        let option = known().find(|option| option.name.replace('-', "_") == *key);
        let Some(option) = option else {
            let names: Vec<String> = known().map(|option| option.name.replace('-', "_")).collect();
            return Err(unknown_name("key", key, names.iter().map(String::as_str)));
        };
        if !option.repeated && stack.option(key).len() > 1 {
            return Err(Error::Argument(format!("'{key}' is a list; allowed: {}", option.allowed)));
        }
        options.set(option.name, value)?;
    }
    Ok(options)
}

fn spec(input: &StackInput) -> Result<InputSpec> {
    let name = &input.name;
    let Some((first, more)) = input.sources.split_first() else {
        return Err(Error::Argument(format!(
            "input '{name}' has no file; allowed: one in the recipe, or --input {name}=PATH"
        )));
    };
    let mut spec = InputSpec::parse(&format!("{name}={first}"))?;
    if spec.name.as_ref() != Some(name) {
        return Err(Error::Argument(format!(
            "input '{name}'; allowed: names of letters, digits and _-. that begin with a letter"
        )));
    }
    let plain = |source: &&String| InputSpec::parse(source).is_ok_and(|spec| spec.source == ***source);
    if let Some(other) = more.iter().find(|source| !plain(source)) {
        return Err(Error::Argument(format!(
            "'{other}' in a list of files of '{name}'; allowed: files without band"
        )));
    }
    spec.more = more.to_vec();
    Ok(spec)
}

/// The raster whose grid a picture has that shows stacks alone.
pub fn ground_of(recipe: &Recipe) -> Result<String> {
    let stacks = recipe.stacks();
    let stack = stacks.first().ok_or_else(|| Error::Internal("a recipe without stacks".into()))?;
    let found = options(stack).and_then(|options| match (&options.grid_of, options.inputs.first()) {
        (Some(raster), _) => Ok(raster.clone()),
        (None, Some(input)) if input.overview.is_some() => Err(Error::Argument(format!(
            "overview of '{}' as the grid of the picture; allowed: grid_of, a raster",
            input.source
        ))),
        (None, Some(input)) => Ok(expand(&input.source)?.swap_remove(0).path),
        (None, None) => Err(Error::Argument("no input; allowed: at least one".into())),
    });
    found.map_err(|error| error.at(&format!("stack '{}'", stack.name)))
}
