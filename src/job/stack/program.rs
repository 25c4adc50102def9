//! From options to a program over open files.

use super::beside;
use super::coding::{Coding, Origin};
use super::inputs::{self, known_bands, Input, KnownBand};
use super::layers::{images, Image};
use super::open::{Kind, Wanted};
use super::options::StackOptions;
use super::reduction::{reduction, Reduction};
use super::{ListedImage, PreparedStack, StackCommand, StackJob};
use crate::core::error::{Error, Result};
use crate::core::operation::Band;
use crate::gdal::raster::{BandFacts, RasterGrid};
use crate::gdal::stack::GdalStack;
use crate::gdal::transform::Transformer;
use crate::gdal::Gdal;
use crate::pipeline::run::{apart, Monitor};
use crate::pipeline::stack::io::{PlaneInfo, StackSource};
use crate::pipeline::stack::program::{Layer, MaskUse, StackProgram};
use crate::stack::cells::{CellType, NodataValue};
use crate::stack::expression::{self, NoDataRule, Program};
use crate::stack::mask::{Mask, Outside};
use crate::stack::reduce::{Merge, Statistic};
use crate::stack::rescale::Rescale;

/// Bands that the formula and the masks take.
pub(super) struct Uses {
    pub(super) formula: Option<Program>,
    pub(super) values: Vec<KnownBand>,
    pub(super) masks: Vec<MaskUse>,
    pub(super) mask_bands: Vec<KnownBand>,
}

/// A stack with its files open and everything decided but how a run is divided.
pub(super) struct OpenedStack {
    pub(super) grid: RasterGrid,
    pub(super) grid_name: String,
    pub(super) files: Vec<String>,
    pub(super) source: GdalStack,
    pub(super) program: StackProgram,
    pub(super) bands: Vec<Band>,
    pub(super) images: Vec<Image>,
    pub(super) listed: Vec<ListedImage>,
    /// Of each output.
    pub(super) codings: Vec<Coding>,
    /// Files that could not be opened.
    pub(super) bad: Vec<String>,
    /// Files that were left out because they lie beside the grid.
    pub(super) beside: Vec<String>,
}

/// Opens, checks and plans.
pub fn prepare<'a>(job: &'a StackJob, monitor: &mut Monitor<'_>) -> Result<PreparedStack<'a>> {
    check_times(job)?;
    let gdal = Gdal::get()?;
    let opened = open(job, gdal, None, monitor)?;
    let plan = job.divide(&opened.program, &opened.source, StackJob::usual_block(), gdal)?;
    let OpenedStack { grid, grid_name, files, source, program, bands, .. } = opened;
    let (images, listed, codings) = (opened.images, opened.listed, opened.codings);
    let (bad, beside) = (opened.bad, opened.beside);
    Ok(PreparedStack {
        job,
        gdal,
        grid,
        grid_name,
        files,
        source,
        program,
        bands,
        plan,
        images,
        listed,
        codings,
        bad,
        beside,
    })
}

/// Images as they are told to users, wherever they lie.
pub fn list_images(job: &StackJob, monitor: &mut Monitor<'_>) -> Result<Vec<ListedImage>> {
    let gdal = Gdal::get()?;
    let (inputs, _) = inputs::open(gdal, &job.stack, job.threads(), monitor)?;
    let uses = uses(job.command, &job.stack, &inputs)?;
    let images = used_images(job, &inputs, &uses)?;
    let place = || longitude(gdal, &inputs::grid(gdal, &inputs, &job.stack)?.1);
    let reduction = match job.command {
        StackCommand::Reduce => Some(reduction(&job.stack, &inputs, &images, &uses, &place)?),
        _ => None,
    };
    Ok(list(&inputs, &images, reduction.as_ref()))
}

/// Refuses types of cells in which times would be lost.
pub(super) fn check_times(job: &StackJob) -> Result<()> {
    const WIDE: [CellType; 5] =
        [CellType::Float64, CellType::Int32, CellType::UInt32, CellType::Int64, CellType::UInt64];
    let (StackCommand::Reduce, Some(cell_type)) = (job.command, job.stack.cell_type) else { return Ok(()) };
    let statistics = Statistic::parse_list(job.stack.statistics.as_deref().unwrap_or("mean"))?;
    let seconds = statistics.into_iter().find(|statistic| statistic.is_in_seconds());
    let Some(seconds) = seconds.filter(|_| !WIDE.contains(&cell_type)) else { return Ok(()) };
    let (name, given, wide) = (seconds.name(), cell_type.name(), WIDE.map(CellType::name).join(", "));
    Err(Error::Argument(format!(
        "{name} is in seconds since 1970, which type {given} does not hold; allowed: {wide}, or {name}(day), {name}(index)"
    )))
}

/// Opens and checks. `target` is a grid, and the raster that has it, to which everything is brought.
pub(super) fn open(
    job: &StackJob,
    gdal: &'static Gdal,
    target: Option<(RasterGrid, String)>,
    monitor: &mut Monitor<'_>,
) -> Result<OpenedStack> {
    let options = &job.stack;
    let (mut inputs, bad) = inputs::open(gdal, options, job.threads(), monitor)?;
    let uses = uses(job.command, options, &inputs)?;
    let (grid, grid_name) = target.map_or_else(|| inputs::grid(gdal, &inputs, options), Ok)?;
    let beside = match options.skip_bad && options.warps() {
        true => beside::leave_out(gdal, &mut inputs, &grid, job.threads(), monitor)?,
        false => Vec::new(),
    };
    let images = used_images(job, &inputs, &uses)?;
    let mut wanted = Wanted::new(gdal, options, (&grid, &grid_name));
    let layers = images.iter().map(|image| {
        monitor.go_on(0.0)?;
        layer(&mut wanted, &inputs, image, &uses, options)
    });
    let layers = layers.collect::<Result<Vec<_>>>()?;
    let mut files = wanted.file_names();
    files.extend(options.side_files().into_iter().chain(bad.iter().chain(&beside).cloned()));
    let source = wanted.open(job.threads(), job.run.memory(gdal), monitor)?;
    let found = (&inputs[..], &images[..], source.planes());
    let Assembled { program, bands, listed, codings } =
        assemble(job, found, layers, uses, &|| longitude(gdal, &grid_name))?;
    Ok(OpenedStack { grid, grid_name, files, source, program, bands, images, listed, codings, bad, beside })
}

/// The images; inputs that nothing takes are refused.
pub(super) fn used_images(job: &StackJob, inputs: &[Input], uses: &Uses) -> Result<Vec<Image>> {
    let of_values = |index: usize| uses.values.iter().any(|band| band.input == index);
    let of_masks = |index: usize| uses.mask_bands.iter().any(|band| band.input == index);
    if let Some(idle) = (0..inputs.len()).find(|index| !of_values(*index) && !of_masks(*index)) {
        let source = &inputs[idle].spec.source;
        return Err(Error::Argument(format!(
            "input '{source}' is not used; allowed: inputs that a formula names"
        )));
    }
    let masks_only: Vec<bool> = (0..inputs.len()).map(|index| !of_values(index)).collect();
    images(inputs, &masks_only, job.stack.missing_mask, job.command == StackCommand::Reduce)
}

/// A program with what is said of its results.
pub(super) struct Assembled {
    pub(super) program: StackProgram,
    pub(super) bands: Vec<Band>,
    pub(super) listed: Vec<ListedImage>,
    /// Of each output.
    pub(super) codings: Vec<Coding>,
}

/// Puts a program together. `found` are the inputs, their images, and the planes of `layers`.
pub(super) fn assemble(
    job: &StackJob,
    found: (&[Input], &[Image], &[PlaneInfo]),
    layers: Vec<Layer>,
    uses: Uses,
    longitude: &dyn Fn() -> Result<f64>,
) -> Result<Assembled> {
    let ((inputs, images, planes), options) = (found, &job.stack);
    let cell_type = cell_type(job, inputs, &uses)?;
    let reduction = match job.command {
        StackCommand::Reduce => Some(reduction(options, inputs, images, &uses, longitude)?),
        _ => None,
    };
    let exact = uses.formula.is_none()
        && !options.unscale
        && layers.iter().flat_map(|layer| &layer.planes).all(|plane| planes[*plane].cell_type.fits_float32());
    let any_float32 = layers
        .iter()
        .flat_map(|layer| &layer.planes)
        .any(|plane| planes[*plane].cell_type == CellType::Float32);
    let has_formula = uses.formula.is_some();
    let coding = |(image, layer): (&Image, &Layer)| {
        let facts = uses.values.iter().filter_map(|band| facts(inputs, image, band)).collect();
        let planes = layer.planes.iter().map(|plane| &planes[*plane]).collect();
        Coding::of(job, cell_type, &Origin { facts, planes, has_formula })
    };
    // A reduction has one output.
    let outputs = if reduction.is_some() { 1 } else { images.len() };
    let codings = images.iter().zip(&layers).take(outputs).map(coding).collect::<Result<Vec<_>>>()?;
    let bands = output_bands(job, inputs, &uses, reduction.as_ref());
    let listed = list(inputs, images, reduction.as_ref());
    let (merging, plan) = reduction.map_or((None, None), |found| (found.merging, Some(found.plan)));
    let mut program = StackProgram {
        layers,
        masks: uses.masks,
        outside: options.outside.unwrap_or(Outside::Mask),
        dilate: options.dilate,
        where_masked: options.where_masked,
        formula: uses.formula,
        rescale: rescale(job, any_float32)?,
        merging,
        reduce: plan,
        exact_in_float32: exact && options.merge != Some(Merge::Mean),
        cell_type,
        nodata: NodataValue::Usual,
        alphas: Vec::new(),
    };
    if let Some(coding) = codings.first() {
        coding.apply(&mut program);
    }
    Ok(Assembled { program, bands, listed, codings })
}

/// Reads formula and masks, and finds which bands they take.
pub(super) fn uses(command: StackCommand, options: &StackOptions, inputs: &[Input]) -> Result<Uses> {
    let known = known_bands(inputs);
    let names: Vec<&str> = known.iter().map(|band| band.name.as_str()).collect();
    let is_first = |band: &KnownBand| (band.input, band.band) == (known[0].input, known[0].band);
    let only = (!known.is_empty() && known.iter().all(is_first)).then_some(0);
    let mut mask_bands: Vec<KnownBand> = Vec::new();
    let mut masks = Vec::new();
    for text in &options.masks {
        let mut mask = Mask::parse_among(text, &names, only)?;
        if let [band] = mask.inputs() {
            let band = &known[*band];
            let types = types(inputs, band);
            mask.fit(&band.name, &types).map_err(|error| error.within(&format!("mask '{text}'")))?;
        }
        let mut places = Vec::new();
        for input in mask.inputs() {
            let band = &known[*input];
            let place = mask_bands.iter().position(|known| known == band).unwrap_or_else(|| {
                mask_bands.push(band.clone());
                mask_bands.len() - 1
            });
            places.push(place);
        }
        masks.push(MaskUse { mask, inputs: places });
    }
    if command == StackCommand::Mask && masks.is_empty() {
        return Err(Error::Argument("no mask; allowed: at least one --mask".into()));
    }
    if let Some(text) = &options.expression {
        let rule = options.rule.unwrap_or(NoDataRule::Strict);
        let formula = expression::parse(text)?.compile(&names, rule)?;
        let values = formula.inputs().iter().map(|input| known[*input].clone()).collect();
        return Ok(Uses { formula: Some(formula), values, masks, mask_bands });
    }
    if command == StackCommand::Calc {
        return Err(Error::Argument("no formula; allowed: 'name = expression; …'".into()));
    }
    // Without a formula the bands themselves, but for those of inputs that only mask.
    let masks_only = |index: usize| mask_bands.iter().any(|band| band.input == index);
    let all_mask = (0..inputs.len()).all(masks_only);
    let mut values = Vec::new();
    for (index, input) in inputs.iter().enumerate().filter(|(index, _)| all_mask || !masks_only(*index)) {
        let bands = (1..=input.bands()).filter(|band| input.spec.band.is_none_or(|chosen| chosen == *band));
        values.extend(bands.map(|band| KnownBand { name: band_name(input, band), input: index, band }));
    }
    Ok(Uses { formula: None, values, masks, mask_bands })
}

/// Types of a band's cells in all files.
fn types(inputs: &[Input], band: &KnownBand) -> Vec<CellType> {
    let scenes = inputs[band.input].scenes.iter();
    scenes.filter_map(|scene| scene.facts.bands.get(band.band - 1)).map(|facts| facts.cell_type).collect()
}

/// What a band without a formula is called.
fn band_name(input: &Input, band: usize) -> String {
    let own = &input.band_names[band - 1];
    let several = input.bands() > 1 && input.spec.band.is_none();
    match &input.spec.name {
        Some(name) if !several => name.clone(),
        _ if !own.is_empty() => own.clone(),
        Some(name) => format!("{name}_{band}"),
        None => format!("band_{band}"),
    }
}

/// The planes of an image.
pub(super) fn layer(
    wanted: &mut Wanted<'_>,
    inputs: &[Input],
    image: &Image,
    uses: &Uses,
    options: &StackOptions,
) -> Result<Layer> {
    let mut plane = |band: &KnownBand, kind: Kind| {
        let input = &inputs[band.input];
        let scene = image.scenes[band.input].map(|scene| &input.scenes[scene]);
        scene.map(|scene| wanted.plane(input, scene, band.band, kind)).transpose()
    };
    let classes = uses.formula.as_ref().map_or(Vec::new(), Program::classes);
    let values = uses.values.iter().enumerate().map(|(index, band)| {
        let lost = || Error::Internal(format!("a date without '{}'", band.name));
        let kind = if classes.contains(&index) { Kind::Classes } else { Kind::Values };
        plane(band, kind)?.ok_or_else(lost)
    });
    let values = values.collect::<Result<Vec<usize>>>()?;
    let masks = uses.mask_bands.iter().map(|band| plane(band, Kind::Mask)).collect::<Result<Vec<_>>>()?;
    let mut layer = Layer::new(&values, &masks, |plane| wanted.file_of(plane));
    if options.unscale {
        let facts = uses.values.iter().filter_map(|band| facts(inputs, image, band));
        layer.unscale = facts.map(|facts| facts.scale).collect();
    }
    Ok(layer)
}

fn facts<'a>(inputs: &'a [Input], image: &Image, band: &KnownBand) -> Option<&'a BandFacts> {
    let scene = image.scenes[band.input]?;
    inputs[band.input].scenes[scene].facts.bands.get(band.band - 1)
}

/// Values of the first image.
fn first_facts<'a>(inputs: &'a [Input], uses: &Uses) -> Vec<&'a BandFacts> {
    let facts = |band: &KnownBand| inputs[band.input].scenes[0].facts.bands.get(band.band - 1);
    uses.values.iter().filter_map(facts).collect()
}

fn cell_type(job: &StackJob, inputs: &[Input], uses: &Uses) -> Result<CellType> {
    let options = &job.stack;
    if let Some(cell_type) = options.cell_type {
        return Ok(cell_type);
    }
    let scaled = options.scale.is_some() || options.offset.is_some() || options.unscale;
    let keeps = match job.command {
        StackCommand::Mask => uses.formula.is_none() && !options.unscale,
        StackCommand::Rescale => !scaled,
        StackCommand::Calc => false,
        StackCommand::Reduce => {
            let statistics = Statistic::parse_list(options.statistics.as_deref().unwrap_or("mean"))?;
            // Seconds since 1970 are no 32-bit floats.
            let times = statistics.iter().any(|statistic| matches!(statistic, Statistic::Which(..)));
            return Ok(if times { CellType::Float64 } else { CellType::Float32 });
        }
    };
    if !keeps {
        return Ok(CellType::Float32);
    }
    let types: Vec<CellType> = uses.values.iter().flat_map(|band| types(inputs, band)).collect();
    let first = types.first().copied().unwrap_or(CellType::Float32);
    let widest =
        if types.iter().all(|own| own.fits_float32()) { CellType::Float32 } else { CellType::Float64 };
    Ok(if types.iter().all(|own| *own == first) { first } else { widest })
}

fn rescale(job: &StackJob, any_float32: bool) -> Result<Option<Rescale>> {
    if job.command != StackCommand::Rescale {
        return Ok(None);
    }
    let options = &job.stack;
    let mut source_nodata = options.rescale_nodata.clone();
    if any_float32 {
        // What users write as 0.1 or -3.4e38 stands in the file as the nearest 32-bit float.
        source_nodata.extend(options.rescale_nodata.iter().map(|value| CellType::Float32.stored(*value)));
    }
    let rescale = Rescale {
        source_nodata,
        scale: options.scale.unwrap_or(1.0),
        offset: options.offset.unwrap_or(0.0),
        min: options.min,
        max: options.max,
    };
    rescale.check()?;
    Ok(Some(rescale))
}

fn longitude(gdal: &'static Gdal, grid: &str) -> Result<f64> {
    let found = apart(|| Ok(Transformer::longitude(&gdal.open_raster(grid)?)))?;
    found.ok_or_else(|| {
        Error::Unsupported(format!("'{grid}' has no place on the earth, which solar days need; allowed: day"))
    })
}

/// Names and units of what is written.
fn output_bands(job: &StackJob, inputs: &[Input], uses: &Uses, reduction: Option<&Reduction>) -> Vec<Band> {
    let unlimited = (f64::NEG_INFINITY, f64::INFINITY);
    let facts = first_facts(inputs, uses);
    let own: Vec<(String, String)> = match &uses.formula {
        Some(formula) => formula.results().iter().map(|name| (name.clone(), String::new())).collect(),
        None => {
            let scaled = job.stack.scale.is_some() || job.stack.offset.is_some();
            let unit = |index: usize| {
                facts.get(index).filter(|_| !scaled).map_or(String::new(), |band| band.unit.clone())
            };
            uses.values.iter().enumerate().map(|(index, band)| (band.name.clone(), unit(index))).collect()
        }
    };
    let Some(reduction) = reduction else {
        return own.into_iter().map(|(name, unit)| Band::new(name, unit, unlimited)).collect();
    };
    let mut bands = Vec::new();
    for (name, unit) in &own {
        for result in reduction.plan.results() {
            let name = if own.len() > 1 { format!("{name}_{}", result.name) } else { result.name.clone() };
            let unit = if result.statistic.has_unit() { unit.clone() } else { String::new() };
            bands.push(Band::new(name, unit, unlimited));
        }
    }
    bands
}

/// Images as they are told to users.
pub(super) fn list(inputs: &[Input], images: &[Image], reduction: Option<&Reduction>) -> Vec<ListedImage> {
    let group = |index: usize| {
        let reduction = reduction?;
        let step = match &reduction.merging {
            Some(merging) => merging.days.iter().position(|day| day.contains(&index))?,
            None => index,
        };
        Some(reduction.groups.names[reduction.groups.of[step]].clone()).filter(|name| !name.is_empty())
    };
    let listed = images.iter().enumerate().map(|(index, image)| {
        let scenes = inputs.iter().zip(&image.scenes);
        let files =
            scenes.filter_map(|(input, scene)| scene.map(|scene| input.scenes[scene].entry.path.clone()));
        ListedImage {
            files: files.collect(),
            time: image.time.map(|(time, source)| (time.to_string(), source.name())),
            group: group(index),
        }
    });
    listed.collect()
}
