//! The ground as RVT's coarse grids of the sky see it: missing cells are the raster's lowest, and the first row and
//! column of a coarse grid look at the last ones of the grid before (Q10).

use super::sky_search::SkySearch;
use crate::core::prelude::*;
use std::sync::Arc;

/// What RVT's search knows of the whole raster.
pub struct RvtGround {
    levels: usize,
    south_up: bool,
    /// The relief is turned upside down: its lowest cell is the highest one.
    upside_down: bool,
    found: Option<Arc<Ground>>,
}

impl RvtGround {
    /// Knows nothing yet.
    pub fn new(search: &SkySearch) -> Self {
        let heights = search.heights();
        let levels = search.reaches().len() - 1;
        Self { levels, south_up: heights.south_up, upside_down: heights.scale < 0.0, found: None }
    }

    /// What it must know, unless it does.
    pub fn question(&self) -> Option<Question> {
        self.found.is_none().then_some(Question::Ground { depth: 1 << self.levels })
    }

    /// Takes the answer.
    pub fn set(&mut self, found: &Arc<Ground>) {
        self.found = Some(Arc::clone(found));
    }

    /// The tile's cells with the lowest cell in place of missing ones, and the same with what stands before the first
    /// row and column in coarse grids. Other cells beyond the raster are missing.
    pub fn heights(&self, tile: &Tile<'_>) -> (Vec<f32>, Vec<f32>) {
        let mut filled = tile.flat().to_vec();
        let Some(ground) = &self.found else { return (filled.clone(), filled) };
        let lowest = if self.upside_down { ground.highest } else { ground.lowest };
        let place = Place::new(tile, ground, self.south_up);
        let stride = tile.stride();
        for (index, row) in filled.chunks_mut(stride).enumerate() {
            let inside = place.row(index).is_some_and(|row| row >= 0);
            for (col, cell) in row.iter_mut().enumerate() {
                let missing = cell.is_nan() && inside && place.col(col).is_some_and(|col| col >= 0);
                *cell = if missing { lowest } else { *cell };
            }
        }
        let mut wrapped = filled.clone();
        self.wrap(ground, &place, lowest, &mut wrapped, stride);
        (filled, wrapped)
    }

    /// Fills the cells before the first row and column.
    fn wrap(&self, ground: &Ground, place: &Place, lowest: f32, cells: &mut [f32], stride: usize) {
        let (rows, cols) = (ground.last_cols.nrows(), ground.last_rows.ncols());
        let (far_rows, far_cols) = (far_cells(self.levels, rows), far_cells(self.levels, cols));
        for (index, line) in cells.chunks_mut(stride).enumerate() {
            let Some(row) = place.row(index) else { continue };
            let from_row =
                if row < 0 { far_rows.get((-row - 1) as usize).copied() } else { Some(row as usize) };
            let Some(from_row) = from_row else { continue };
            for (index, cell) in line.iter_mut().enumerate() {
                let Some(col) = place.col(index) else { continue };
                if row >= 0 && col >= 0 {
                    break;
                }
                let from_col = if col < 0 { far_cells_at(&far_cols, col) } else { Some(col as usize) };
                let Some(from_col) = from_col else { continue };
                let height = self.far_height(ground, (from_row, row < 0), (from_col, col < 0));
                *cell = if height.is_nan() { lowest } else { height };
            }
        }
    }

    /// A cell of the last rows or columns; `true` says which of them it is looked up in.
    fn far_height(&self, ground: &Ground, (row, far_row): (usize, bool), (col, _): (usize, bool)) -> f32 {
        let (rows, cols) = (ground.last_cols.nrows(), ground.last_rows.ncols());
        let depth = ground.last_rows.nrows();
        match far_row {
            true if self.south_up => ground.first_rows[[rows - 1 - row, col]],
            true => ground.last_rows[[row + depth - rows, col]],
            false => {
                let file_row = if self.south_up { rows - 1 - row } else { row };
                ground.last_cols[[file_row, col + depth - cols]]
            }
        }
    }
}

fn far_cells_at(far: &[usize], index: isize) -> Option<usize> {
    far.get((-index - 1) as usize).copied()
}

/// Missing cells of a row stay missing.
pub fn mask_row(cells: &[f32], out: &mut [f32]) {
    for (out, cell) in out.iter_mut().zip(cells) {
        *out = if cell.is_nan() { f32::NAN } else { *out };
    }
}

/// Where the cells of a tile's array stand in the raster, rows counted from the north.
struct Place {
    row: isize,
    col: isize,
    rows: isize,
    cols: isize,
    south_up: bool,
}

impl Place {
    fn new(tile: &Tile<'_>, ground: &Ground, south_up: bool) -> Self {
        let first = tile.row_start(0);
        let (above, before) = (first / tile.stride(), first % tile.stride());
        let (row, col) = tile.origin();
        Self {
            row: row as isize - above as isize,
            col: col as isize - before as isize,
            rows: ground.last_cols.nrows() as isize,
            cols: ground.last_rows.ncols() as isize,
            south_up,
        }
    }

    /// The row of the raster, or how far it lies before the first one; None beyond the last one.
    fn row(&self, index: usize) -> Option<isize> {
        let row = self.row + index as isize;
        let row = if self.south_up { self.rows - 1 - row } else { row };
        (row < self.rows).then_some(row)
    }

    fn col(&self, index: usize) -> Option<isize> {
        let col = self.col + index as isize;
        (col < self.cols).then_some(col)
    }
}

/// The cells that stand for those before the first one of `length`, the nearest first, in so many coarser levels: a
/// level's cell -1 is its last one, which is made of the last ones of the level before.
fn far_cells(levels: usize, length: usize) -> Vec<usize> {
    let mut lengths = vec![length];
    for level in 1..levels.max(1) {
        lengths.push(lengths[level - 1] / 2 + 1);
    }
    let mut far = Vec::new();
    for level in 0..levels {
        let mut cells = cells_of(&lengths, level, lengths[level] - 1);
        cells.reverse();
        far.extend(cells);
    }
    far
}

/// Cells of the finest level that make up a cell, in order. A level of even length repeats its last cell.
fn cells_of(lengths: &[usize], level: usize, cell: usize) -> Vec<usize> {
    let last = lengths[level] - 1;
    let cell = cell.min(last);
    if level == 0 {
        return vec![cell];
    }
    let before = (2 * cell).checked_sub(1).unwrap_or(lengths[level - 1] - 1);
    let mut cells = cells_of(lengths, level - 1, before);
    cells.extend(cells_of(lengths, level - 1, 2 * cell));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_cells_are_those_of_the_last_coarse_cells() {
        // Length 9, grids of 9, 5, 3: cell -1 is the last; the last of 5 is made of 7 and 8; that of 3 of cells 3 and 4
        // of 5, which are 5, 6 and 7, 8.
        assert_eq!(far_cells(3, 9), [8, 8, 7, 8, 7, 6, 5]);
        // Length 8: the last cell is repeated; grids of 8, 5.
        assert_eq!(far_cells(2, 8), [7, 7, 7]);
        assert!(far_cells(0, 5).is_empty());
        assert_eq!(far_cells(2, 1), [0, 0, 0]);
    }
}
