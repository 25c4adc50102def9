//! The steps of a recipe as VRT files, each with one pixel function.

use super::{name, Subject};
use crate::core::error::{Error, Result};
use crate::gdal::parts::PartsFolder;
use crate::gdal::vrt::{derived_vrt, step_header, BandContent, Source};
use crate::job::options::compatibility_name;
use crate::job::virtual_name::words;
use crate::job::JobOptions;
use crate::recipe::chain::{CellType, Expression, OutputExpression, Values};
use crate::recipe::{OperationCall, Recipe};
use crate::render::blend::Blend;
use crate::render::stretch::LinearStretch;
use std::sync::Arc;

/// Neighbours that slope and hillshade read, in the order of their sources: right, down.
const NEIGHBOURS: [(isize, isize); 5] = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)];

/// Where the values of operations come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Virtual files.
    Virtual,
    /// Pixel functions of the elevations.
    Shifted,
}

/// Writes the steps of a recipe.
pub(super) struct Composer<'a> {
    subject: &'a Subject<'a>,
    folder: &'a PartsFolder,
    leaves: Leaves,
    /// Steps that have a file already.
    written: Vec<(Arc<Expression>, String)>,
}

impl<'a> Composer<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, folder: &'a PartsFolder, leaves: Leaves) -> Result<Self> {
        Ok(Self { subject, folder, leaves, written: Vec::new() })
    }

    /// Contents of the picture's bands, whose sources are named from the folder of the picture.
    pub(super) fn outputs(&mut self, outputs: &[OutputExpression]) -> Result<Vec<BandContent>> {
        let options = &self.subject.job.options;
        let contents: Vec<BandContent> = match options.cell_type {
            CellType::Uint8 => outputs.iter().map(|output| self.bytes(output)).collect::<Result<_>>()?,
            CellType::Float32 => {
                let bands = outputs.iter().map(|output| output.band.clone()).collect();
                self.contents(&Expression::of_bands(bands))?
            }
        };
        let folder = self.folder.name();
        Ok(contents.into_iter().map(|content| within(content, &folder)).collect())
    }

    /// A band as bytes.
    fn bytes(&mut self, output: &OutputExpression) -> Result<BandContent> {
        let options = &self.subject.job.options;
        let form = match (output.alpha, options.alpha) {
            (true, _) => "alpha",
            (false, true) => "opaque",
            (false, false) => "nodata",
        };
        let mut arguments = vec![("form", form.to_string())];
        arguments.extend(stretch_arguments(output.display));
        arguments.push(("compat", compatibility_name(options.compatibility).into()));
        let source = self.source(&output.band.0, output.band.1)?;
        Ok(BandContent::Derived { function: "terralume_encode", arguments, sources: vec![source] })
    }

    /// A band of a step.
    fn source(&mut self, expression: &Arc<Expression>, band: usize) -> Result<Source> {
        // What is a file already needs no other one around it.
        if let (Expression::Values(Values::Operation(call), _), Leaves::Virtual) =
            (&**expression, self.leaves)
        {
            return Ok(Source::new(self.virtual_file(call)?, false, band + 1));
        }
        Ok(Source::new(self.file(expression)?, true, band + 1))
    }

    fn sources(&mut self, expression: &Arc<Expression>) -> Result<Vec<Source>> {
        (0..expression.bands()).map(|band| self.source(expression, band)).collect()
    }

    /// The file of a step, within the folder.
    fn file(&mut self, expression: &Arc<Expression>) -> Result<String> {
        if let Some((_, file)) = self.written.iter().find(|(known, _)| Arc::ptr_eq(known, expression)) {
            return Ok(file.clone());
        }
        let contents = self.contents(expression)?;
        let header = step_header(self.subject.size(), contents.len());
        let source = &self.subject.prepared.source;
        let xml = derived_vrt(source.gdal(), (&header, &source.dataset()), &contents)?;
        let file = format!("{}-{}.vrt", self.written.len() + 1, kind(expression));
        self.folder.write(&file, &xml)?;
        self.written.push((Arc::clone(expression), file.clone()));
        Ok(file)
    }

    /// What the bands of a step are made of.
    fn contents(&mut self, expression: &Arc<Expression>) -> Result<Vec<BandContent>> {
        match &**expression {
            Expression::Values(Values::Raster(raster), _) => Err(Error::Unsupported(format!(
                "a layer that shows {raster} cannot be a step of a VRT; allowed: the form picture"
            ))),
            Expression::Values(Values::Operation(call), bands) => self.values(call, *bands),
            Expression::Stretch { of, stretch, gamma } => self.stretched(of, *stretch, *gamma),
            Expression::Color { of, stretch, color } => {
                if color.looks_like_a_file() {
                    return Err(Error::Unsupported(format!(
                        "colours '{}' cannot be a step of a VRT; allowed: the form picture, or a named colour map",
                        color.name
                    )));
                }
                let mut arguments = vec![("map", color.name.clone())];
                if let Some((low, high)) = color.cut {
                    arguments.extend([("cut_min", low.to_string()), ("cut_max", high.to_string())]);
                }
                arguments.extend(stretch_arguments(*stretch));
                let sources = vec![self.source(of, 0)?];
                Ok(for_each_band("terralume_colormap", 3, &arguments, &sources))
            }
            Expression::Blend { .. } => self.blended(expression),
            Expression::Bands(bands) => {
                let mut copy =
                    |(of, band): &(Arc<Expression>, usize)| self.source(of, *band).map(BandContent::Copy);
                bands.iter().map(&mut copy).collect()
            }
        }
    }

    /// An operation's own values.
    fn values(&mut self, call: &OperationCall, bands: usize) -> Result<Vec<BandContent>> {
        match self.leaves {
            Leaves::Virtual => {
                let file = self.virtual_file(call)?;
                Ok((1..=bands)
                    .map(|band| BandContent::Copy(Source::new(file.clone(), false, band)))
                    .collect())
            }
            Leaves::Shifted => self.shifted(call),
        }
    }

    fn virtual_file(&self, call: &OperationCall) -> Result<String> {
        let job = self.subject.job;
        let mut recipe = Recipe::of_operation(call.operation);
        recipe.fill.clone_from(&job.pictures[0].recipe.fill);
        for (parameter, _) in call.values.to_json() {
            recipe.set(&parameter, &call.values(job.options.compatibility).text(&parameter))?;
        }
        let options =
            JobOptions { cell_type: CellType::Float32, alpha: false, stretch: None, ..job.options.clone() };
        let words = words(&recipe).ok_or_else(|| Error::Internal("an operation without a name".into()))?;
        Ok(name(&words, &options, &self.subject.elevations))
    }

    /// Slope or hillshade of the elevations and their neighbours.
    fn shifted(&self, call: &OperationCall) -> Result<Vec<BandContent>> {
        let (job, source) = (self.subject.job, &self.subject.prepared.source);
        let function = match call.operation.id {
            "slope" => "terralume_slope",
            "hillshade" => "terralume_hillshade",
            other => {
                return Err(Error::Unsupported(format!(
                    "'{other}' looks further than a cell; allowed in the form shifted: slope, hillshade"
                )));
            }
        };
        if job.pictures[0].recipe.fill.is_some() {
            return Err(Error::Unsupported("the form shifted fills no gaps; allowed: no fill".into()));
        }
        if !source.is_plain() {
            return Err(Error::Unsupported(format!(
                "'{}' has a mask, or a scale and an offset; allowed in the form shifted: plain cells",
                source.name()
            )));
        }
        let grid = source.grid();
        let mut arguments =
            vec![("cell_width", grid.cell_width.to_string()), ("cell_height", grid.cell_height.to_string())];
        let values = call.values(job.options.compatibility);
        for spec in (call.operation.parameters)() {
            arguments.push((spec.name, values.text(spec.name)));
        }
        let (file, is_relative) = self.elevations()?;
        let nodata = source.nodata();
        let band = job.options.band.unwrap_or(1);
        let neighbour = |shift| Source { shift, nodata, ..Source::new(file.clone(), is_relative, band) };
        let sources = NEIGHBOURS.map(neighbour).to_vec();
        Ok(vec![BandContent::Derived { function, arguments, sources }])
    }

    /// The elevations as a file within the folder names them.
    fn elevations(&self) -> Result<(String, bool)> {
        let elevations = &self.subject.elevations;
        match std::path::Path::new(elevations).exists() {
            true => Ok((super::relative(elevations, &self.folder.path().join("step.vrt"))?, true)),
            false => Ok((elevations.clone(), false)),
        }
    }

    fn stretched(
        &mut self,
        of: &Arc<Expression>,
        stretch: LinearStretch,
        gamma: f32,
    ) -> Result<Vec<BandContent>> {
        let mut arguments = stretch_arguments(stretch);
        if gamma != 1.0 {
            arguments.push(("gamma", f64::from(gamma).to_string()));
        }
        let derived = |source| BandContent::Derived {
            function: "terralume_normalize",
            arguments: arguments.clone(),
            sources: vec![source],
        };
        Ok(self.sources(of)?.into_iter().map(derived).collect())
    }

    /// A layer over a picture; several grey ones at once.
    fn blended(&mut self, expression: &Arc<Expression>) -> Result<Vec<BandContent>> {
        let mut layers: Vec<(Arc<Expression>, Blend)> = Vec::new();
        let mut background = Arc::clone(expression);
        while let Expression::Blend { top, stretch, blend, background: below } = &*Arc::clone(&background) {
            let is_grey = background.bands() == 1 && top.bands() == 1;
            if !layers.is_empty() && !is_grey {
                break;
            }
            layers.push((unit(top, *stretch), *blend));
            background = Arc::clone(below);
            if !is_grey {
                break;
            }
        }
        let (tops, below) = (layers.iter().map(|(top, _)| top.bands()).sum::<usize>(), background.bands());
        let mut sources = Vec::new();
        for (layer, _) in &layers {
            sources.extend(self.sources(layer)?);
        }
        sources.extend(self.sources(&background)?);
        let texts = |text: fn(&Blend) -> String| {
            layers.iter().map(|(_, blend)| text(blend)).collect::<Vec<_>>().join(",")
        };
        let (modes, opacities) =
            (texts(|blend| blend.mode().name().into()), texts(|blend| blend.percent().to_string()));
        let keys = if layers.len() > 1 { ("modes", "opacities") } else { ("mode", "opacity") };
        let mut arguments = vec![(keys.0, modes), (keys.1, opacities)];
        if tops + below == 4 && layers.len() == 1 {
            arguments.push(("top", if tops == 1 { "grey" } else { "rgb" }.into()));
        }
        let compatibility = self.subject.job.options.compatibility;
        if compatibility != Default::default() {
            arguments.push(("compat", compatibility_name(compatibility).into()));
        }
        Ok(for_each_band("terralume_blend", expression.bands(), &arguments, &sources))
    }
}

/// One band of a function for each of a picture's.
fn for_each_band(
    function: &'static str,
    bands: usize,
    arguments: &[(&'static str, String)],
    sources: &[Source],
) -> Vec<BandContent> {
    let content = |band: usize| {
        let mut arguments = arguments.to_vec();
        if bands > 1 {
            arguments.push(("band", band.to_string()));
        }
        BandContent::Derived { function, arguments, sources: sources.to_vec() }
    };
    (0..bands).map(content).collect()
}

fn stretch_arguments(stretch: LinearStretch) -> Vec<(&'static str, String)> {
    let (min, max) = stretch.limits();
    let mut arguments = vec![("min", min.to_string()), ("max", max.to_string())];
    if stretch.is_inverted() {
        arguments.push(("invert", "true".into()));
    }
    arguments
}

/// A layer stretched to 0..1.
fn unit(layer: &Arc<Expression>, stretch: LinearStretch) -> Arc<Expression> {
    match stretch == LinearStretch::UNIT {
        true => Arc::clone(layer),
        false => Arc::new(Expression::Stretch { of: Arc::clone(layer), stretch, gamma: 1.0 }),
    }
}

/// What a step is, for the name of its file.
fn kind(expression: &Expression) -> String {
    match expression {
        Expression::Values(Values::Operation(call), _) => call.operation.id.into(),
        Expression::Values(Values::Raster(_), _) => "raster".into(),
        Expression::Stretch { of, .. } => match &**of {
            Expression::Values(..) => kind(of),
            _ => "stretch".into(),
        },
        Expression::Color { color, .. } => color.name.clone(),
        Expression::Blend { blend, .. } => blend.mode().name().into(),
        Expression::Bands(_) => "bands".into(),
    }
}

/// Sources in the folder of steps, named from the folder around it.
fn within(content: BandContent, folder: &str) -> BandContent {
    let step = |source: Source| match (source.is_relative, source.file.strip_prefix("../")) {
        (false, _) => source,
        (true, Some(outside)) => Source { file: outside.into(), ..source },
        (true, None) => Source { file: format!("{folder}/{}", source.file), ..source },
    };
    match content {
        BandContent::Copy(source) => BandContent::Copy(step(source)),
        BandContent::Derived { function, arguments, sources } => {
            BandContent::Derived { function, arguments, sources: sources.into_iter().map(step).collect() }
        }
    }
}
