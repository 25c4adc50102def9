//! Bands of a stack as planes on one grid.

use super::inputs::{Input, Scene};
use super::options::StackOptions;
use crate::core::error::{Error, Result};
use crate::gdal::raster::{RasterFacts, RasterGrid};
use crate::gdal::stack::{GdalStack, StackBand, StackSettings};
use crate::gdal::transform::TargetGrid;
use crate::gdal::warper::Resampling;
use crate::gdal::{most_files, Gdal};
use crate::pipeline::run::{apart, Monitor};
use std::collections::HashMap;

/// Files open at once, at most, when nobody says otherwise.
const MOST_OPEN: usize = 256;

/// Share of the memory that handles in waiting may hold, and the most of it.
const HANDLE_SHARE: usize = 16;
const HANDLE_MEMORY: usize = 8 << 20;

/// What a band is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Values,
    /// Bits or classes in a formula.
    Classes,
    /// Bits, classes or ranges of a mask.
    Mask,
}

/// Files and planes that are wanted.
pub struct Wanted<'a> {
    gdal: &'static Gdal,
    options: &'a StackOptions,
    target: &'a RasterGrid,
    target_name: &'a str,
    files: Vec<(RasterFacts, bool)>,
    places: HashMap<(String, Option<usize>, bool), usize>,
    bands: Vec<StackBand>,
}

impl<'a> Wanted<'a> {
    /// Nothing yet.
    pub fn new(
        gdal: &'static Gdal,
        options: &'a StackOptions,
        (target, target_name): (&'a RasterGrid, &'a str),
    ) -> Self {
        let (files, places, bands) = (Vec::new(), HashMap::new(), Vec::new());
        Self { gdal, options, target, target_name, files, places, bands }
    }

    /// The plane of a band, the same one when it is asked for again in the same way.
    pub fn plane(&mut self, input: &Input, scene: &Scene, band: usize, kind: Kind) -> Result<usize> {
        let has = scene.facts.bands.len();
        if band > has {
            let (name, first) = (&scene.entry.path, &input.scenes[0]);
            let (most, other) = (first.facts.bands.len(), &first.entry.path);
            return Err(Error::Argument(match input.spec.band.is_none() && most > has {
                true => format!(
                    "'{name}' has only {has} of the {most} bands of '{other}'; allowed: files of as many, or one band of them (PATH:BAND)"
                ),
                false => format!("'{name}' has no band {band}; allowed: 1 to {has}"),
            }));
        }
        let file = self.file(input, scene, kind)?;
        let (facts, on_grid) = &self.files[file];
        let resampling = self.resampling(kind);
        // In a picture it is nodata of what alpha is about.
        let is_alpha = has > 1 && scene.facts.bands[band - 1].is_alpha && self.options.expression.is_none();
        let mut nodata = self.options.source_nodata.filter(|_| kind != Kind::Mask && !is_alpha);
        if *on_grid {
            // One plane serves all.
        } else if kind == Kind::Classes && self.options.resample.is_some_and(|asked| asked != resampling) {
            let (name, asked) = (&scene.entry.path, self.options.resample.map_or("", Resampling::name));
            return Err(Error::Argument(format!(
                "'{name}', band {band}: a formula takes its bits or classes, between which there is no {asked}; allowed: \
                 --resample nearest, or the band as a mask"
            )));
        } else if kind == Kind::Values && resampling != Resampling::Nearest {
            nodata = nodata.or(self.recoded(facts, band)?);
        }
        let same = |known: &StackBand| {
            known.file == file && known.band == band && (*on_grid || known.resampling == resampling)
        };
        if let Some(plane) = self.bands.iter().position(same) {
            return Ok(plane);
        }
        self.bands.push(StackBand { file, band, nodata, resampling });
        Ok(self.bands.len() - 1)
    }

    /// Between two classes there is none.
    fn resampling(&self, kind: Kind) -> Resampling {
        let usual = if self.options.resolution.is_some() { Resampling::Average } else { Resampling::Nearest };
        match kind {
            Kind::Values => self.options.resample.unwrap_or(usual),
            Kind::Classes | Kind::Mask => Resampling::Nearest,
        }
    }

    /// The value that is recoded to nodata, which must not be mixed with others on the way to the grid. GDAL's warper knows one.
    fn recoded(&self, facts: &RasterFacts, band: usize) -> Result<Option<f64>> {
        let own = facts.bands[band - 1].nodata;
        let mut values: Vec<f64> = self.options.rescale_nodata.iter().copied().chain(own).collect();
        values.dedup();
        match values.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(*value)),
            _ => Err(Error::Argument(format!(
                "'{}', band {band}, lies on another grid and has several values for nodata: {values:?}; allowed: one, or \
                 --resample nearest",
                facts.name
            ))),
        }
    }

    /// The number of a scene's file.
    fn file(&mut self, input: &Input, scene: &Scene, kind: Kind) -> Result<usize> {
        // Overviews are means, which classes do not have.
        let overviews = kind == Kind::Values && self.options.resolution.is_some();
        let key = (scene.entry.path.clone(), input.spec.overview, overviews);
        if let Some(file) = self.places.get(&key) {
            return Ok(*file);
        }
        let (facts, on_grid) = self.on_grid(&scene.facts, overviews)?;
        self.files.push((facts, on_grid));
        self.places.insert(key, self.files.len() - 1);
        Ok(self.files.len() - 1)
    }

    /// The file, or the overview of it that fits, and whether it lies on the grid.
    fn on_grid(&self, facts: &RasterFacts, overviews: bool) -> Result<(RasterFacts, bool)> {
        if self.is_same(&facts.grid) {
            return Ok((facts.clone(), true));
        }
        let options = self.options;
        if overviews && facts.level.is_none() {
            let size = self.target.size;
            if let Some(level) = facts.overviews.iter().position(|overview| *overview == size) {
                let found = apart(|| RasterFacts::read(self.gdal, &facts.name, Some(level)))?;
                if self.is_same(&found.grid) {
                    return Ok((found, true));
                }
            }
        }
        if !options.warps() {
            return Err(Error::Argument(format!(
                "'{}' lies on another grid than '{}': {}; {}; allowed: one grid, or --resample or --grid-of to bring \
                 them to one",
                facts.name,
                self.target_name,
                facts.grid.describe(),
                self.target.describe()
            )));
        }
        Ok((facts.clone(), false))
    }

    fn is_same(&self, grid: &RasterGrid) -> bool {
        if grid.is_same(self.target) {
            return true;
        }
        grid.has_same_cells(self.target)
            && match (&grid.reference, &self.target.reference) {
                // The same system may be written in two ways.
                (Some(first), Some(second)) => self.gdal.is_same_reference(first, second),
                // Who has files brought to one grid says that those without a system have that of the grid.
                _ => self.options.warps(),
            }
    }

    /// Files of all planes.
    pub fn file_names(&self) -> Vec<String> {
        self.files.iter().flat_map(|(facts, _)| facts.files.iter().cloned()).collect()
    }

    /// Number of the file of a plane.
    pub fn file_of(&self, plane: usize) -> usize {
        self.bands[plane].file
    }

    /// The source of all planes.
    pub fn open(self, threads: usize, memory: usize, monitor: &mut Monitor<'_>) -> Result<GdalStack> {
        let settings = StackSettings {
            target: TargetGrid::of(self.target),
            most_open: self.options.max_open.unwrap_or_else(|| MOST_OPEN.min(most_files())),
            handle_memory: (memory / HANDLE_SHARE).min(HANDLE_MEMORY),
            skip_bad: self.options.skip_bad,
            threads,
        };
        GdalStack::new(self.gdal, self.files, self.bands, &settings, monitor)
    }
}
