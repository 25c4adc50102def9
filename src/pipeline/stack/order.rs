//! The order of tiles: those that share blocks come one after another.
//!
//! A grid is divided into rectangles of whole blocks, row by row, and each of these into tiles, row by row. A tile ends
//! where its rectangle ends, so that no block has cells in tiles of two of them.

use crate::core::tile::Window;

/// Tiles along a side at which it is counted how often blocks are decoded.
const MOST_COUNTED: usize = 4096;

/// Rows or columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    length: usize,
    /// Cells of a tile.
    tile: usize,
    /// Cells of a rectangle, at least those of a tile.
    rectangle: usize,
}

impl Axis {
    /// Tiles of a whole rectangle.
    fn whole(self) -> usize {
        self.rectangle.div_ceil(self.tile)
    }

    /// Tiles of a rectangle, which may be cut off by the end of the grid.
    fn within(self, rectangle: usize) -> usize {
        self.rectangle.min(self.length - rectangle * self.rectangle).div_ceil(self.tile)
    }

    pub(super) fn count(self) -> usize {
        self.length / self.rectangle * self.whole() + (self.length % self.rectangle).div_ceil(self.tile)
    }

    /// First cell of a tile, and how many it has.
    pub(super) fn place(self, number: usize) -> (usize, usize) {
        let end = (number / self.whole() + 1).saturating_mul(self.rectangle).min(self.length);
        let start = number / self.whole() * self.rectangle + number % self.whole() * self.tile;
        (start, self.tile.min(end - start))
    }

    /// Number of the tile that has a cell.
    pub(super) fn tile_of(self, cell: usize) -> usize {
        cell / self.rectangle * self.whole() + cell % self.rectangle / self.tile
    }

    /// How often a block of so many cells is touched by tiles with `halo` cells around them, on the average. Of very many
    /// tiles the first ones tell.
    pub(super) fn touched(self, block: usize, halo: usize) -> f64 {
        let of_tile = |number: usize| {
            let (start, cells) = self.place(number);
            let end = (start + cells).saturating_add(halo).min(self.length);
            (end.div_ceil(block) - start.saturating_sub(halo) / block) as f64
        };
        let counted = self.count().min(MOST_COUNTED);
        let blocks = match self.place(counted.saturating_sub(1)) {
            (start, cells) if start + cells < self.length => (start + cells) as f64 / block as f64,
            _ => self.length.div_ceil(block) as f64,
        };
        (0..counted).map(of_tile).sum::<f64>() / blocks
    }
}

/// Tiles of a grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) rows: Axis,
    pub(super) cols: Axis,
}

impl Order {
    /// Of a grid of this size, in tiles and rectangles of these rows and columns.
    pub(super) fn new(size: (usize, usize), tile: (usize, usize), rectangle: (usize, usize)) -> Self {
        let axis = |length, tile, rectangle| Axis { length, tile, rectangle };
        Self { rows: axis(size.0, tile.0, rectangle.0), cols: axis(size.1, tile.1, rectangle.1) }
    }

    /// Number of tiles.
    pub(super) fn count(self) -> usize {
        self.rows.count() * self.cols.count()
    }

    /// Number of the tile at this place among the rows and columns of tiles.
    pub(super) fn index(self, (row, col): (usize, usize)) -> usize {
        let (down, across) = (row / self.rows.whole(), col / self.cols.whole());
        let before = down * self.rows.whole() * self.cols.count()
            + across * self.cols.whole() * self.rows.within(down);
        before + row % self.rows.whole() * self.cols.within(across) + col % self.cols.whole()
    }

    /// Where a tile lies.
    pub(super) fn window(self, index: usize) -> Window {
        let band = self.rows.whole() * self.cols.count();
        let (down, index) = (index / band, index % band);
        let rows = self.rows.within(down);
        let (across, index) = (index / (rows * self.cols.whole()), index % (rows * self.cols.whole()));
        let cols = self.cols.within(across);
        let (row, rows) = self.rows.place(down * self.rows.whole() + index / cols);
        let (col, cols) = self.cols.place(across * self.cols.whole() + index % cols);
        Window { row, col, rows, cols }
    }

    /// Numbers of the first and the last tile that have cells of a window, and how many have.
    pub(super) fn tiles_of(self, window: Window) -> (usize, usize, usize) {
        let rows = (self.rows.tile_of(window.row), self.rows.tile_of(window.row + window.rows - 1));
        let cols = (self.cols.tile_of(window.col), self.cols.tile_of(window.col + window.cols - 1));
        let count = (rows.1 - rows.0 + 1) * (cols.1 - cols.0 + 1);
        (self.index((rows.0, cols.0)), self.index((rows.1, cols.1)), count)
    }

    /// Tiles of a rectangle at an edge, where there are fewest but for the corner.
    pub(super) fn fewest(self) -> usize {
        let last = |axis: Axis| axis.within(axis.length.div_ceil(axis.rectangle) - 1);
        let (rows, cols) = (self.rows.whole(), self.cols.whole());
        (rows * last(self.cols)).min(last(self.rows) * cols).max(1)
    }

    /// Whether a window, counted from the first cell of the grid, lies within it.
    pub(super) fn has(self, window: Window) -> bool {
        window.row + window.rows <= self.rows.length && window.col + window.cols <= self.cols.length
    }

    /// Numbers of all tiles that have cells of a window.
    pub(super) fn touched(self, window: Window) -> impl Iterator<Item = usize> {
        let span =
            |axis: Axis, first: usize, cells: usize| axis.tile_of(first)..=axis.tile_of(first + cells - 1);
        let cols = span(self.cols, window.col, window.cols);
        let rows = span(self.rows, window.row, window.rows);
        rows.flat_map(move |row| cols.clone().map(move |col| self.index((row, col))))
    }

    /// The same grid in rectangles as tiles.
    pub(super) fn rectangles(self) -> Self {
        let whole = |axis: Axis| Axis { tile: axis.rectangle, ..axis };
        Self { rows: whole(self.rows), cols: whole(self.cols) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cell is in one tile, tiles of a rectangle follow one another, and numbers and places agree.
    #[test]
    fn tiles_of_a_rectangle_come_one_after_another() {
        for (size, tile, rectangle) in [
            ((23, 31), (4, 5), (8, 10)),
            ((23, 31), (3, 31), (8, 31)),
            ((23, 31), (7, 4), (10, 12)),
            ((23, 31), (8, 8), (8, 8)),
            ((5, 40), (5, 3), (5, 16)),
        ] {
            let order = Order::new(size, tile, rectangle);
            let (mut seen, mut before) = (vec![0; size.0 * size.1], 0);
            for index in 0..order.count() {
                let window = order.window(index);
                assert_eq!(order.tiles_of(window), (index, index, 1));
                let (number, last, count) = order.rectangles().tiles_of(window);
                assert!(
                    number == last && count == 1 && (before..=before + 1).contains(&number),
                    "{window:?}"
                );
                before = number;
                for row in window.row..window.row + window.rows {
                    let cells = row * size.1 + window.col..row * size.1 + window.col + window.cols;
                    seen[cells].iter_mut().for_each(|times| *times += 1);
                }
            }
            assert!(seen.iter().all(|times| *times == 1), "{size:?} {tile:?} {rectangle:?}");
            let all = Window { row: 0, col: 0, rows: size.0, cols: size.1 };
            assert_eq!(order.tiles_of(all), (0, order.count() - 1, order.count()));
        }
    }

    #[test]
    fn blocks_under_several_tiles_are_counted() {
        let times =
            |length, tile, rectangle, block, halo| Axis { length, tile, rectangle }.touched(block, halo);
        assert_eq!(times(1024, 64, 64, 512, 0), 8.0);
        assert_eq!(times(1024, 512, 512, 512, 0), 1.0);
        assert_eq!(times(1024, 512, 512, 512, 1), 2.0);
        // Counted of the first ones.
        assert_eq!(times(i32::MAX as usize, 1, 256, 256, 0), 256.0);
        // Tiles that are cut where blocks end touch none twice but for their own sake.
        assert_eq!(times(1024, 300, 300, 512, 0), 2.5);
        assert_eq!(times(1024, 300, 512, 512, 0), 2.0);
    }
}
