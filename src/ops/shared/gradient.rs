//! The kernel of everything that follows from the gradient of a cell: slope, aspect, hillshades.
//!
//! `e = (z_west - z_east) / 2 / cell_width`, `n = (z_south - z_north) / 2 / cell_height`: the fall towards east
//! and north, from the four direct neighbours. A missing neighbour, or one beyond the raster's edge, is replaced
//! by the cell itself, which halves the slope there (as RVT does). NaN in, NaN out.

use super::gradient_row::{gradient_row, Measure, Rows, Scale};
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

/// Any number of measures from one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientKernel {
    scale: Scale,
    south_up: bool,
    measures: Vec<Measure>,
}

impl GradientKernel {
    /// One band per measure.
    pub fn new(exaggeration: f64, grid: &Grid, measures: Vec<Measure>) -> Self {
        let scale = Scale::new(exaggeration, grid.cell_width, grid.cell_height);
        Self { scale, south_up: grid.south_up, measures }
    }

    /// Computes cells from their neighbours: one row of `out` per measure.
    ///
    /// # Allocations: none.
    pub fn cells(&self, rows: Rows<'_>, out: ArrayViewMut2<'_, f32>) {
        gradient_row(rows, self.scale, &self.measures, out);
    }
}

impl Kernel for GradientKernel {
    fn bands(&self) -> usize {
        self.measures.len()
    }

    fn radius(&self) -> usize {
        1
    }

    fn edge(&self) -> Edge {
        Edge::Clamp
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        Box::new(GradientOnTile { kernel: self, tile })
    }

    fn absorb(&mut self, other: &dyn Kernel) -> Option<Vec<usize>> {
        let other: &GradientKernel = other.as_any().downcast_ref()?;
        if (other.scale, other.south_up) != (self.scale, self.south_up) {
            return None;
        }
        Some(merge_measures(&mut self.measures, &other.measures))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct GradientOnTile<'a> {
    kernel: &'a GradientKernel,
    tile: Tile<'a>,
}

impl TileKernel for GradientOnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, out: ArrayViewMut2<'_, f32>) {
        let line = |down: isize| self.tile.row(row, down, columns.clone(), 1);
        let (above, below) = (line(-1), line(1));
        let (north, south) = if self.kernel.south_up { (below, above) } else { (above, below) };
        let rows = Rows { north, centre: line(0), south };
        self.kernel.cells(rows, out);
    }
}
