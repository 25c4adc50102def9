//! Simple local relief model: height above the mean of the surroundings.
//!
//! `z - mean` over the square of `2 radius + 1` cells around the cell, valid cells only. Beyond the raster's edge the
//! edge cells are repeated. NaN in, NaN out. Sums are exact (`shared/box_mean.rs`). Cost: independent of the radius.

use super::shared::box_mean::BoxMean;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

params! {
    /// Parameters of the local relief model.
    pub struct Params {
        ..relief: ReliefParams;
        radius: Length = Length::Cells(20.0), in 1..=1000, "cells", "Half the side of the square that is averaged.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "local_relief",
    aliases: &["slrm"],
    title: "Simple local relief model",
    summary: "Height above the mean of the surroundings: banks, ditches and mounds in metres, freed from the slope \
              they lie on.",
    formula: "z - mean(z) over the square of 2 radius + 1 cells, valid cells only",
    reference: "Hesse 2010, doi:10.1002/arp.374",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Local relief", "m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_| Stretch { min: -2.0, max: 2.0, invert: false },
    build: |values, grid, _| {
        let params = Params::from_values(values);
        grid.square_cell(OPERATION.id)?;
        let radius = params.radius.cells(grid);
        Ok(Box::new(LocalRelief { radius, exaggeration: params.relief.vertical_exaggeration }))
    },
};

struct LocalRelief {
    radius: usize,
    exaggeration: f64,
}

impl Kernel for LocalRelief {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        self.radius
    }

    fn edge(&self) -> Edge {
        Edge::Clamp
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let mean = BoxMean::new(tile, self.radius);
        Box::new(OnTile { tile, mean, means: vec![0.0; tile.cols()], exaggeration: self.exaggeration })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    tile: Tile<'a>,
    mean: BoxMean<'a>,
    means: Vec<f64>,
    exaggeration: f64,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let means = &mut self.means[..columns.len()];
        self.mean.row(row, columns.clone(), means);
        let heights = self.tile.row(row, 0, columns, 0);
        for ((out, height), mean) in out.row_mut(0).iter_mut().zip(heights).zip(means) {
            *out = ((f64::from(*height) - *mean) * self.exaggeration) as f32;
        }
    }
}
