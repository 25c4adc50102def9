//! Tiles of one plane, with the cells around them, handed to a function.

use super::io::{PlaneInfo, RawPlane, StackReader, StackSource};
use super::keeping::{Keeping, Unit};
use super::kept::{Kept, KeptReader};
use super::order::Order;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::Layout;
use crate::pipeline::run::{drive, Monitor, Tiling, Work};
use std::sync::Arc;

/// A tile.
#[derive(Debug, Clone, Copy)]
pub struct MapTile<'a> {
    /// Its number, row by row.
    pub index: usize,
    /// Where it lies.
    pub window: Window,
    /// Its cells and those around it; NaN where there is no data and beyond the raster.
    pub cells: &'a [f64],
}

/// Bytes that so many workers hold: the cells of a tile of `plane` and those around it, as they are read and as numbers.
pub fn bytes(plane: &PlaneInfo, (tile, halo): ((usize, usize), usize), threads: usize) -> usize {
    let Layout { rows, cols, .. } = plane.layout;
    let wide = |side: usize| side.saturating_add(halo.saturating_mul(2));
    let read =
        wide(tile.0).min(rows).saturating_mul(wide(tile.1).min(cols)).saturating_mul(plane.cell_bytes());
    let numbers = wide(tile.0).saturating_mul(wide(tile.1)).saturating_mul(size_of::<f64>());
    let tiles = rows.div_ceil(tile.0).saturating_mul(cols.div_ceil(tile.1));
    read.saturating_add(numbers).saturating_mul(threads.clamp(1, tiles.max(1)))
}

/// Hands tiles of a size, and so many cells around them, to `function`; one that answers false stops the run. Blocks that
/// tiles share are kept in `room` bytes.
pub fn map(
    source: &dyn StackSource,
    plane: usize,
    (tile, halo): ((usize, usize), usize),
    (threads, room): (usize, usize),
    function: &(dyn Fn(&MapTile<'_>) -> bool + Sync),
    monitor: &mut Monitor<'_>,
) -> Result<()> {
    let layout = source.planes()[plane].layout;
    let size = (layout.rows, layout.cols);
    // As many tiles as a block has cells for stand together.
    let near = |tile: usize, block: usize| (block / tile).max(1).saturating_mul(tile);
    let rectangle = (near(tile.0, layout.block_rows), near(tile.1, layout.block_cols));
    let order = Order::new(size, tile, rectangle);
    let threads = threads.max(1);
    let passes = [vec![Unit { planes: vec![plane], halo, is_spread: halo > 0 }]];
    let keeping = Keeping::new(&passes, source.planes(), (order, rectangle), threads, room);
    let kept = Kept::new(keeping, source.planes(), (order, size, (0, 0)), threads);
    let window = |index: usize| order.window(index);
    let tiling = Tiling { tiles: order.count(), threads, window: &window };
    let work = Mapping { source, kept, plane, size, tile, halo, function };
    drive(&tiling, &work, vec![(); threads + 1], &mut |_, ()| Ok(()), monitor)?;
    Ok(())
}

struct Mapping<'a> {
    source: &'a dyn StackSource,
    kept: Option<Arc<Kept>>,
    plane: usize,
    size: (usize, usize),
    tile: (usize, usize),
    halo: usize,
    function: &'a (dyn Fn(&MapTile<'_>) -> bool + Sync),
}

/// One worker's reader and buffers.
struct MapWorker<'a> {
    reader: KeptReader<'a>,
    raw: [RawPlane; 1],
    cells: Vec<f64>,
}

impl Work for Mapping<'_> {
    type Worker<'a>
        = MapWorker<'a>
    where
        Self: 'a;
    type Product = ();

    fn start(&self) -> Result<MapWorker<'_>> {
        let reader = KeptReader::new(self.source.open()?, self.kept.clone());
        Ok(MapWorker { reader, raw: [RawPlane::default()], cells: Vec::new() })
    }

    fn compute(
        &self,
        (_, window): (usize, Window),
        worker: &mut MapWorker<'_>,
        (): &mut (),
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        if !proceed() {
            return Err(Error::Cancelled);
        }
        let wide = window.grown(self.halo, self.size.0, self.size.1);
        worker.reader.begin(window);
        worker.reader.read(&[self.plane], wide, &mut worker.raw)?;
        let cols = window.cols + 2 * self.halo;
        worker.cells.clear();
        worker.cells.resize((window.rows + 2 * self.halo) * cols, f64::NAN);
        let (down, across) = (wide.row + self.halo - window.row, wide.col + self.halo - window.col);
        for row in 0..wide.rows {
            let to = &mut worker.cells[(down + row) * cols + across..][..wide.cols];
            worker.raw[0].numbers(row * wide.cols..(row + 1) * wide.cols, None, to);
        }
        let across = self.size.1.div_ceil(self.tile.1);
        let index = window.row / self.tile.0 * across + window.col / self.tile.1;
        match (self.function)(&MapTile { index, window, cells: &worker.cells }) {
            true => Ok(()),
            false => Err(Error::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::cells::CellType;

    #[test]
    fn bytes_are_those_of_the_tiles_that_are_under_way() {
        let layout = Layout { rows: 1000, cols: 500, block_rows: 100, block_cols: 100 };
        let plane = PlaneInfo { file: 0, cell_type: CellType::UInt16, nodata: None, layout, masked: false };
        assert_eq!(bytes(&plane, ((100, 100), 0), 1), 100 * 100 * (8 + 2));
        assert_eq!(bytes(&plane, ((100, 100), 300), 3), 3 * (700 * 700 * 8 + 700 * 500 * 2));
        // No more workers than tiles.
        assert_eq!(bytes(&plane, ((500, 500), 0), 8), 2 * 500 * 500 * (8 + 2));
        assert_eq!(bytes(&plane, ((100, 100), 1 << 63), 8), usize::MAX);
    }
}
