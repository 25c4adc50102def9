//! Decoded blocks of the source, shared by all workers.
//!
//! A block is decoded once while it stays here: tiles share the blocks under their margins. Reading whole
//! blocks past GDAL's own cache costs a tenth of `GDALRasterIO` on uncompressed files, and leaves the host's
//! cache alone.

use crate::core::error::Result;
use crate::core::tile::Window;
use lru::LruCache;
use ndarray::ArrayViewMut2;
use once_cell::sync::OnceCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Column and row of a block.
pub type BlockIndex = (usize, usize);

/// A block that is decoded by whoever comes first; others wait for it instead of decoding it again.
#[derive(Default)]
pub struct Block(OnceCell<Vec<f32>>);

/// The least recently used blocks go first; their memory is used again.
pub struct BlockCache {
    state: Mutex<State>,
}

struct State {
    blocks: LruCache<BlockIndex, Arc<Block>>,
    spare: Vec<Vec<f32>>,
    most: usize,
}

impl BlockCache {
    /// Room for one block; `resize` gives more.
    pub fn new() -> Self {
        Self { state: Mutex::new(State { blocks: LruCache::unbounded(), spare: Vec::new(), most: 1 }) }
    }

    /// Keeps at most `most` blocks.
    pub fn resize(&self, most: usize) {
        self.lock().most = most.max(1);
    }

    /// The cells of a block; `decode` fills the buffer it is given when they are not here.
    pub fn get(
        &self,
        index: BlockIndex,
        decode: impl FnOnce(&mut Vec<f32>) -> Result<()>,
    ) -> Result<Arc<Block>> {
        let (block, mut buffer) = self.reserve(index);
        block.0.get_or_try_init(|| {
            let mut cells = buffer.take().unwrap_or_default();
            decode(&mut cells).map(|()| cells)
        })?;
        if let Some(unused) = buffer {
            self.lock().spare.push(unused);
        }
        Ok(block)
    }

    /// The place of a block, and a used buffer in case it has to be decoded.
    fn reserve(&self, index: BlockIndex) -> (Arc<Block>, Option<Vec<f32>>) {
        let mut state = self.lock();
        if let Some(block) = state.blocks.get(&index) {
            return (Arc::clone(block), None);
        }
        while state.blocks.len() >= state.most {
            let Some((_, oldest)) = state.blocks.pop_lru() else { break };
            let cells = Arc::into_inner(oldest).and_then(|block| block.0.into_inner());
            state.spare.extend(cells);
        }
        let block = Arc::new(Block::default());
        state.blocks.put(index, Arc::clone(&block));
        (block, state.spare.pop())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Block {
    /// The cells, row by row.
    pub fn cells(&self) -> &[f32] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
}

/// Copies the part of a block at `place` that lies in `window` into `out`, which covers `window`.
pub fn copy_overlap(cells: &[f32], place: Window, window: Window, out: &mut ArrayViewMut2<'_, f32>) {
    let first_row = place.row.max(window.row);
    let last_row = (place.row + place.rows).min(window.row + window.rows);
    let first_col = place.col.max(window.col);
    let last_col = (place.col + place.cols).min(window.col + window.cols);
    for row in first_row..last_row {
        let from = (row - place.row) * place.cols;
        let from = &cells[from + first_col - place.col..from + last_col - place.col];
        let mut to = out.row_mut(row - window.row);
        let to = to.as_slice_mut().expect("tiles have contiguous rows");
        to[first_col - window.col..last_col - window.col].copy_from_slice(from);
    }
}

/// The same for cells of `size` bytes; `out` covers `window`, row after row.
pub fn copy_cells(cells: &[u8], place: Window, window: Window, size: usize, out: &mut [u8]) {
    let first_row = place.row.max(window.row);
    let last_row = (place.row + place.rows).min(window.row + window.rows);
    let first_col = place.col.max(window.col);
    let count = (place.col + place.cols).min(window.col + window.cols) - first_col;
    for row in first_row..last_row {
        let from = ((row - place.row) * place.cols + first_col - place.col) * size;
        let to = ((row - window.row) * window.cols + first_col - window.col) * size;
        out[to..to + count * size].copy_from_slice(&cells[from..from + count * size]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::error::Error;

    #[test]
    fn decodes_once_and_forgets_the_oldest() {
        let cache = BlockCache::new();
        cache.resize(2);
        let mut decoded = Vec::new();
        for col in [0, 1, 0, 2, 0, 1] {
            let block = cache.get((col, 0), |cells| {
                decoded.push(col);
                cells.clear();
                cells.push(col as f32);
                Ok(())
            });
            assert_eq!(block.unwrap().cells(), [col as f32]);
        }
        assert_eq!(decoded, [0, 1, 2, 1]);
    }

    #[test]
    fn a_failed_block_is_tried_again() {
        let cache = BlockCache::new();
        assert!(cache.get((0, 0), |_| Err(Error::Cancelled)).is_err());
        assert!(cache
            .get((0, 0), |cells| {
                cells.push(1.0);
                Ok(())
            })
            .is_ok());
    }
}
