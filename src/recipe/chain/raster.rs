//! The kernel of a layer that shows another raster: cells as they are.

use crate::core::operation::{Kernel, TileKernel};
use crate::core::tile::{Edge, Tile};
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

/// Copies its tile.
pub(super) struct RasterKernel;

impl Kernel for RasterKernel {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        0
    }

    fn edge(&self) -> Edge {
        Edge::Open
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        Box::new(OnTile(tile))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a>(Tile<'a>);

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let cells = self.0.row(row, 0, columns, 0);
        out.row_mut(0).iter_mut().zip(cells).for_each(|(out, cell)| *out = *cell);
    }
}
