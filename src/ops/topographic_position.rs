//! Topographic position index: height above the mean of the other cells around.
//!
//! `z - mean` over the square of `2 radius + 1` cells without the cell itself, valid cells only; 0 where there is no other.
//! Edges, nodata and exactness as in `local_relief.rs`, which takes the cell itself into the mean. Cost: independent of
//! the radius.

use super::shared::box_mean::BoxMean;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

params! {
    /// Parameters of the topographic position index.
    pub struct Params {
        ..relief: ReliefParams;
        radius: Length = Length::Cells(1.0), in 1..=1000, "cells", "Half the side of the square around the cell.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "topographic_position",
    aliases: &["tpi"],
    title: "Topographic position index",
    summary: "Height above the mean of the cells around: positive on crests, negative in hollows.",
    formula: "z - mean(z) over the square of 2 radius + 1 cells without the cell itself, valid cells only",
    reference: "Weiss 2001, Topographic position and landforms analysis; radius 1 is the same as gdaldem TPI",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Topographic position index", "m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_| Stretch { min: -1.0, max: 1.0, invert: false },
    build: |values, grid, _| {
        let params = Params::from_values(values);
        grid.square_cell(OPERATION.id)?;
        let radius = params.radius.cells(grid);
        Ok(Box::new(TopographicPosition { radius, exaggeration: params.relief.vertical_exaggeration }))
    },
};

struct TopographicPosition {
    radius: usize,
    exaggeration: f64,
}

impl Kernel for TopographicPosition {
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
        let around = means.iter().zip(self.mean.window_counts());
        for ((out, height), (mean, count)) in out.row_mut(0).iter_mut().zip(heights).zip(around) {
            // Taking the cell out of a mean of n stretches its distance from it by n / (n - 1).
            let others = f64::from((*count - 1).max(1));
            let above = (f64::from(*height) - mean) * (f64::from(*count) / others);
            *out = (above * self.exaggeration) as f32;
        }
    }
}
