//! The cells of a tile as the kernels of a chain read them.

use super::Chain;
use crate::core::error::{Error, Result};
use crate::core::tile::{Tile, TileBuffers, Window};
use ndarray::{s, ArrayViewMut2};

/// A tile of the elevations, gaps filled when the recipe says so, and of the rasters that layers show.
pub struct ChainTiles {
    pub(super) tiles: TileBuffers,
    pub(super) edges: usize,
    /// The tile before missing cells were filled.
    pub(super) fill: Option<TileBuffers>,
    pub(super) rasters: Vec<TileBuffers>,
}

impl ChainTiles {
    /// Makes room for a tile of this size, or says how much memory is missing.
    pub fn reserve(&mut self, rows: usize, cols: usize) -> Result<()> {
        if let Some(before) = &mut self.fill {
            let margins = self.tiles.radius().saturating_mul(2);
            before.reserve(rows.saturating_add(margins), cols.saturating_add(margins))?;
        }
        self.tiles.reserve(rows, cols)
    }

    /// Takes in the cells of `window`, a part of a raster of `size`; see [`TileBuffers::load`]. `read` gets the number
    /// of the raster: 0 for the elevations, then those of layers. Before every row that is filled `proceed` is asked; false
    /// stops the work with [`Error::Cancelled`].
    pub fn load(
        &mut self,
        chain: &Chain,
        window: Window,
        size: (usize, usize),
        proceed: &dyn Fn() -> bool,
        mut read: impl FnMut(usize, Window, ArrayViewMut2<'_, f32>) -> Result<()>,
    ) -> Result<()> {
        for (number, raster) in self.rasters.iter_mut().enumerate() {
            raster.load(window, size, |part, out| read(number + 1, part, out))?;
        }
        let (Some(before), Some(fill)) = (&mut self.fill, &chain.fill) else {
            return self.tiles.load(window, size, |part, out| read(0, part, out));
        };
        self.tiles.load(window, size, |part, mut out| {
            before.load(part, size, |part, out| read(0, part, out))?;
            let mut filler = fill.on(before.tile(0));
            for row in 0..part.rows {
                if !proceed() {
                    return Err(Error::Cancelled);
                }
                filler.row(row, 0..part.cols, out.slice_mut(s![row..=row, ..]));
            }
            Ok(())
        })
    }

    /// The tile under the edge rule number `index` of the chain; after these the rasters of layers.
    pub fn tile(&self, index: usize) -> Tile<'_> {
        match index.checked_sub(self.edges) {
            Some(number) => self.rasters[number].tile(0),
            None => self.tiles.tile(index),
        }
    }
}
