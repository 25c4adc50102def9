//! What the layers of a picture show beside the elevations: rasters, and results of stacks.

use super::stack::layer::{self as stack_layer, Ground, OpenedLayer};
use super::trace::Timing;
use super::{processors, Job};
use crate::core::error::{Error, Result};
use crate::gdal::layer::RasterLayer;
use crate::gdal::raster::RasterGrid;
use crate::gdal::source::{GdalSource, Input};
use crate::pipeline::io::{Layout, Reader, Source};
use crate::pipeline::plan::LayerNeeds;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::run::Report;
use crate::recipe::chain::Chain;
use crate::recipe::{LayerRaster, RasterReference, Stack};

/// Share of the memory that pieces of stacks may take, of all workers together.
const STACK_SHARE: usize = 4;

/// A raster on the grid of the elevations that a layer shows.
pub enum JobLayer {
    /// One from a file.
    Raster(RasterLayer),
    /// A result of a stack.
    Stack(Box<OpenedLayer>),
}

/// What a run did with stacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LayerReport {
    /// What was done to cells.
    pub cells: Report,
    /// Files that could not be read, wholly or in part.
    pub bad: Vec<String>,
    /// What the run took, if a profile was asked for.
    pub timing: Option<Timing>,
}

impl Job {
    /// The rasters of the chain's layers, in its order.
    pub(super) fn open_layers(
        &self,
        chain: &Chain,
        elevations: &GdalSource,
        monitor: &mut Monitor<'_>,
    ) -> Result<Vec<JobLayer>> {
        let mut opened: Vec<Option<JobLayer>> = chain.rasters().iter().map(|_| None).collect();
        let stacks = distinct(chain.rasters());
        let gdal = elevations.gdal();
        let budget = self.options.memory(gdal);
        let threads = self.options.threads.unwrap_or_else(processors);
        let piece = budget / STACK_SHARE / threads.max(1) / stacks.len().max(1);
        for (place, raster) in chain.rasters().iter().enumerate() {
            if let LayerRaster::File(file) = raster {
                monitor.go_on(0.0)?;
                opened[place] = Some(JobLayer::Raster(self.open_raster(raster, file, elevations)?));
            }
        }
        if !stacks.is_empty() {
            let (grid, name) = (RasterGrid::of(&elevations.dataset()), elevations.name().to_string());
            let is_elevations = !matches!(self.input, Input::Grid(_));
            let ground = Ground { gdal, grid, name, is_elevations };
            for stack in stacks {
                let bands = chain.rasters().iter().enumerate().filter_map(|(place, raster)| match raster {
                    LayerRaster::Stack(shown, band) if shown == stack => Some((place, band)),
                    _ => None,
                });
                let (places, bands): (Vec<usize>, Vec<&Option<String>>) = bands.unzip();
                let layers = stack_layer::open(stack, &bands, &ground, &self.options, piece, monitor)?;
                for (place, layer) in places.into_iter().zip(layers) {
                    opened[place] = Some(JobLayer::Stack(Box::new(layer)));
                }
            }
        }
        let lost = || Error::Internal("a layer that was not opened".into());
        opened.into_iter().map(|layer| layer.ok_or_else(lost)).collect()
    }

    /// The same where only rasters can be shown.
    pub(super) fn open_rasters(&self, chain: &Chain, elevations: &GdalSource) -> Result<Vec<RasterLayer>> {
        let rasters = chain.rasters().iter().map(|raster| match raster {
            LayerRaster::File(file) => self.open_raster(raster, file, elevations),
            LayerRaster::Stack(..) => Err(Error::Unsupported(format!(
                "a layer shows {raster}, which takes too long on the fly; allowed: a run that writes a file"
            ))),
        });
        rasters.collect()
    }

    fn open_raster(
        &self,
        raster: &LayerRaster,
        file: &RasterReference,
        elevations: &GdalSource,
    ) -> Result<RasterLayer> {
        let named = self.pictures.iter().find_map(|picture| picture.recipe.layer_of(raster));
        RasterLayer::open(named.unwrap_or(&file.path), file, elevations)
    }
}

/// Stacks among rasters, each once.
fn distinct(rasters: &[LayerRaster]) -> Vec<&Stack> {
    let mut stacks: Vec<&Stack> = Vec::new();
    for raster in rasters {
        if let LayerRaster::Stack(stack, _) = raster {
            if !stacks.contains(&stack) {
                stacks.push(stack);
            }
        }
    }
    stacks
}

impl JobLayer {
    /// Files it consists of.
    pub fn files(&self) -> &[String] {
        match self {
            JobLayer::Raster(layer) => layer.files(),
            JobLayer::Stack(opened) => &opened.files,
        }
    }

    /// Bytes that decoded blocks may take.
    pub fn set_cache(&self, bytes: usize) {
        if let JobLayer::Raster(layer) = self {
            layer.set_cache(bytes);
        }
    }

    /// What all of them ask of a plan.
    pub fn needs(layers: &[Self]) -> LayerNeeds {
        let rasters = layers.iter().filter_map(|layer| match layer {
            JobLayer::Raster(layer) => Some(layer),
            JobLayer::Stack(_) => None,
        });
        let mut needs = RasterLayer::needs(rasters);
        for layer in layers {
            if let JobLayer::Stack(opened) = layer {
                let source = opened.layer.source();
                if opened.layer.is_first() {
                    opened.layer.add_needs(&mut needs, (source.reader_bytes(), source.handle_bytes()));
                }
            }
        }
        needs
    }

    /// What was done to cells of stacks since the last call.
    pub fn take_report(layers: &[Self]) -> LayerReport {
        let mut report = LayerReport::default();
        for layer in layers {
            if let JobLayer::Stack(opened) = layer {
                if opened.layer.is_first() {
                    report.cells += opened.layer.take_report();
                    report.bad.extend(opened.bad.iter().cloned());
                    report.bad.extend(opened.layer.source().bad_files());
                }
            }
        }
        report
    }

    fn source(&self) -> &dyn Source {
        match self {
            JobLayer::Raster(layer) => layer,
            JobLayer::Stack(opened) => &opened.layer,
        }
    }
}

impl Source for JobLayer {
    fn layout(&self) -> Layout {
        self.source().layout()
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        self.source().open()
    }

    fn shared(&self) -> Option<(usize, usize)> {
        self.source().shared()
    }
}
