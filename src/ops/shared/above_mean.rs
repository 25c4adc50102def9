//! The kernel of heights above the mean of the surroundings.

use super::box_mean::BoxMean;
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

/// `z - mean` over a square of `2 radius + 1` cells, valid cells only.
pub struct AboveMean {
    radius: usize,
    exaggeration: f64,
    /// The cell itself counts in the mean.
    with_cell: bool,
}

impl AboveMean {
    /// For square cells; `operation` is named when they are not.
    pub fn build(
        operation: &str,
        radius: Length,
        exaggeration: f64,
        with_cell: bool,
        grid: &Grid,
    ) -> Result<Box<dyn Kernel>> {
        grid.square_cell(operation)?;
        Ok(Box::new(Self { radius: radius.cells(grid), exaggeration, with_cell }))
    }
}

impl Kernel for AboveMean {
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
        Box::new(OnTile { kernel: self, tile, mean, means: vec![0.0; tile.cols()] })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    kernel: &'a AboveMean,
    tile: Tile<'a>,
    mean: BoxMean<'a>,
    means: Vec<f64>,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let means = &mut self.means[..columns.len()];
        self.mean.row(row, columns.clone(), means);
        let heights = self.tile.row(row, 0, columns, 0);
        let AboveMean { exaggeration, with_cell, .. } = *self.kernel;
        let around = means.iter().zip(self.mean.window_counts());
        for ((out, height), (mean, count)) in out.row_mut(0).iter_mut().zip(heights).zip(around) {
            let above = f64::from(*height) - mean;
            // Taking the cell out of a mean of n stretches its distance from it by n / (n - 1).
            let others = f64::from((*count - 1).max(1));
            let stretched = if with_cell { above } else { above * (f64::from(*count) / others) };
            *out = (stretched * exaggeration) as f32;
        }
    }
}
