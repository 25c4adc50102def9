//! Tiles: a window of cells inside a larger array, with a margin of real or mirrored neighbours around it.

use super::error::{Error, Result};
use ndarray::{s, ArrayView2, ArrayViewMut2};
use std::ops::Range;

/// Numbers this large are no heights in any unit: infinities, and the -3.4e38 of files that do not declare it as
/// nodata. They count as missing.
const NO_HEIGHT: f32 = 1e30;

/// Whether a number can be a height; NaN cannot.
#[inline(always)]
pub fn is_height(number: f32) -> bool {
    number.abs() < NO_HEIGHT
}

/// A rectangle of cells of a raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// First row.
    pub row: usize,
    /// First column.
    pub col: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

impl Window {
    /// The cells that two windows share; None when there are none.
    pub fn overlap(self, other: Self) -> Option<Self> {
        let (row, col) = (self.row.max(other.row), self.col.max(other.col));
        let last_row = (self.row + self.rows).min(other.row + other.rows);
        let last_col = (self.col + self.cols).min(other.col + other.cols);
        (row < last_row && col < last_col).then(|| Self {
            row,
            col,
            rows: last_row - row,
            cols: last_col - col,
        })
    }

    /// The window grown by `margin` cells on every side, cut at the edges of a `rows` x `cols` raster.
    pub fn grown(&self, margin: usize, rows: usize, cols: usize) -> Window {
        let (row, col) = (self.row.saturating_sub(margin), self.col.saturating_sub(margin));
        let last_row = (self.row + self.rows + margin).min(rows);
        let last_col = (self.col + self.cols + margin).min(cols);
        Window { row, col, rows: last_row - row, cols: last_col - col }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.rows * self.cols
    }
}

/// What stands beyond the raster's edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The edge cell, repeated: index -1, -2 is cell 0, 0.
    Clamp,
    /// The raster mirrored at the centre of its edge cells: index -1, -2 is cell 1, 2.
    Reflect,
    /// The raster mirrored at its outer edge: index -1, -2 is cell 0, 1. Goes on periodically, so that it serves
    /// rasters smaller than the margin.
    Symmetric,
    /// Nothing: cells there are missing.
    Open,
}

impl Edge {
    /// The cell inside `0..length` that stands for `index`. None stands beyond an open edge; the nearest is given.
    pub fn source(self, index: isize, length: usize) -> usize {
        let last = length as isize - 1;
        match self {
            Edge::Clamp | Edge::Open => index.clamp(0, last) as usize,
            Edge::Symmetric => {
                let folded = index.rem_euclid(2 * (last + 1));
                folded.min(2 * last + 1 - folded) as usize
            }
            Edge::Reflect if last == 0 => 0,
            Edge::Reflect => {
                let folded = index.rem_euclid(2 * last);
                folded.min(2 * last - folded) as usize
            }
        }
    }

    /// Fills the cells of `cells` outside `inside` from those inside.
    pub fn fill(self, mut cells: ArrayViewMut2<'_, f32>, inside: Window) {
        let (rows, cols) = cells.dim();
        if self == Edge::Open {
            cells.slice_mut(s![..inside.row, ..]).fill(f32::NAN);
            cells.slice_mut(s![inside.row + inside.rows.., ..]).fill(f32::NAN);
            cells.slice_mut(s![.., ..inside.col]).fill(f32::NAN);
            cells.slice_mut(s![.., inside.col + inside.cols..]).fill(f32::NAN);
            return;
        }
        let source_col =
            |col: usize| inside.col + self.source(col as isize - inside.col as isize, inside.cols);
        for row in inside.row..inside.row + inside.rows {
            for col in (0..inside.col).chain(inside.col + inside.cols..cols) {
                cells[[row, col]] = cells[[row, source_col(col)]];
            }
        }
        for row in (0..inside.row).chain(inside.row + inside.rows..rows) {
            let from = inside.row + self.source(row as isize - inside.row as isize, inside.rows);
            let (mut to, from) = cells.multi_slice_mut((s![row, ..], s![from, ..]));
            to.assign(&from);
        }
    }
}

/// A window of cells of a contiguous array. Around it stand at least as many cells as the radius of the
/// operation that reads it.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    cells: ArrayView2<'a, f32>,
    window: Window,
    origin: (usize, usize),
    raster_rows: usize,
}

impl<'a> Tile<'a> {
    /// `window` of `cells`, which must be in row-major order without gaps and count as the raster. None when they
    /// have gaps, or when the window does not lie inside.
    pub fn new(cells: ArrayView2<'a, f32>, window: Window) -> Option<Self> {
        let (rows, cols) = cells.dim();
        let inside = window.row + window.rows <= rows && window.col + window.cols <= cols;
        let origin = (window.row, window.col);
        let tile = Self { cells, window, origin, raster_rows: rows };
        (cells.is_standard_layout() && inside).then_some(tile)
    }

    /// Row and column of the tile's first cell in the raster.
    pub fn origin(&self) -> (usize, usize) {
        self.origin
    }

    /// Rows of the raster.
    pub fn raster_rows(&self) -> usize {
        self.raster_rows
    }

    /// Rows of the tile, without margin.
    pub fn rows(&self) -> usize {
        self.window.rows
    }

    /// Columns of the tile, without margin.
    pub fn cols(&self) -> usize {
        self.window.cols
    }

    /// All cells of the array behind the tile, row by row.
    pub fn flat(&self) -> &'a [f32] {
        // `new` admits row-major arrays only, so the slice always exists.
        self.cells.to_slice().unwrap_or(&[])
    }

    /// Cells from one row of `flat` to the next.
    pub fn stride(&self) -> usize {
        self.cells.ncols()
    }

    /// Where the first cell of `row` stands in `flat`.
    pub fn row_start(&self, row: usize) -> usize {
        (self.window.row + row) * self.stride() + self.window.col
    }

    /// Cells of `row + down`, from `margin` cells before `columns` to `margin` cells after them.
    pub fn row(&self, row: usize, down: isize, columns: Range<usize>, margin: usize) -> &'a [f32] {
        let row = self.row_start(row) as isize + down * self.stride() as isize;
        let start = (row as usize + columns.start) - margin;
        &self.flat()[start..start + columns.len() + 2 * margin]
    }
}

/// The cells of one tile with its margin, once for every edge rule in use.
///
/// Away from the raster's edge all rules agree and only the first buffer is filled.
#[derive(Debug)]
pub struct TileBuffers {
    buffers: Vec<Vec<f32>>,
    edges: Vec<Edge>,
    radius: usize,
    size: (usize, usize),
    origin: (usize, usize),
    raster_rows: usize,
    at_edge: bool,
}

impl TileBuffers {
    /// Empty buffers for tiles with a margin of `radius` cells under each of `edges`.
    pub fn new(edges: &[Edge], radius: usize) -> Self {
        let edges = if edges.is_empty() { vec![Edge::Clamp] } else { edges.to_vec() };
        let buffers = vec![Vec::new(); edges.len()];
        Self { buffers, edges, radius, size: (0, 0), origin: (0, 0), raster_rows: 0, at_edge: false }
    }

    /// Cells around a tile.
    pub fn radius(&self) -> usize {
        self.radius
    }

    /// Makes room for a tile of this size under every edge rule, or says how much memory is missing. `load` makes
    /// room by itself, but ends the process when there is none: for sizes that come from outside.
    pub fn reserve(&mut self, rows: usize, cols: usize) -> Result<()> {
        let margins = self.radius.saturating_mul(2);
        let cells = rows.saturating_add(margins).saturating_mul(cols.saturating_add(margins));
        for buffer in &mut self.buffers {
            let missing = cells.saturating_sub(buffer.len());
            buffer.try_reserve_exact(missing).map_err(|_| {
                Error::Memory(format!(
                    "no memory for a copy of {cols} x {rows} cells; allowed: smaller tiles"
                ))
            })?;
        }
        Ok(())
    }

    /// Takes in the cells of `tile`, a window of a `rows` x `cols` raster. `read` gets the part of the
    /// margined tile that lies inside the raster and fills it.
    pub fn load<E>(
        &mut self,
        tile: Window,
        (rows, cols): (usize, usize),
        read: impl FnOnce(Window, ArrayViewMut2<'_, f32>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let real = tile.grown(self.radius, rows, cols);
        let inside = Window {
            row: self.radius - (tile.row - real.row),
            col: self.radius - (tile.col - real.col),
            ..real
        };
        self.size = (tile.rows + 2 * self.radius, tile.cols + 2 * self.radius);
        self.origin = (tile.row, tile.col);
        self.raster_rows = rows;
        self.at_edge = (real.rows, real.cols) != self.size;
        let size = self.size;
        for buffer in &mut self.buffers[..if self.at_edge { self.edges.len() } else { 1 }] {
            buffer.resize(size.0 * size.1, 0.0);
        }
        let (first, others) = self.buffers.split_first_mut().expect("new() makes at least one buffer");
        let end = (inside.row + inside.rows, inside.col + inside.cols);
        read(real, view_mut(first, size).slice_mut(s![inside.row..end.0, inside.col..end.1]))?;
        if self.at_edge {
            for (other, edge) in others.iter_mut().zip(&self.edges[1..]) {
                other.copy_from_slice(first);
                edge.fill(view_mut(other, size), inside);
            }
            self.edges[0].fill(view_mut(first, size), inside);
        }
        Ok(())
    }

    /// The tile under the edge rule number `edge` of those given to `new`.
    pub fn tile(&self, edge: usize) -> Tile<'_> {
        let buffer = &self.buffers[if self.at_edge { edge } else { 0 }];
        let cells = ArrayView2::from_shape(self.size, buffer).expect("load() gives buffers this size");
        let (rows, cols) = (self.size.0 - 2 * self.radius, self.size.1 - 2 * self.radius);
        let window = Window { row: self.radius, col: self.radius, rows, cols };
        Tile { cells, window, origin: self.origin, raster_rows: self.raster_rows }
    }
}

fn view_mut(buffer: &mut [f32], size: (usize, usize)) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape(size, buffer).expect("load() gives buffers this size")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn reflect_does_not_repeat_the_edge_and_goes_on_periodically() {
        let source: Vec<usize> = (-5..8).map(|i| Edge::Reflect.source(i, 3)).collect();
        assert_eq!(source, [1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]);
    }

    #[test]
    fn symmetric_repeats_the_edge_and_goes_on_periodically() {
        let source: Vec<usize> = (-7..10).map(|i| Edge::Symmetric.source(i, 3)).collect();
        assert_eq!(source, [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2]);
        assert_eq!((-2..3).map(|i| Edge::Symmetric.source(i, 1)).sum::<usize>(), 0);
    }

    /// Every tile of a raster that is smaller than the margin sees the same plane of mirror images.
    #[test]
    fn a_margin_wider_than_the_raster_is_filled_from_all_of_it() {
        let raster = Array2::from_shape_fn((5, 7), |(row, col)| (10 * row + col) as f32);
        let radius = 17;
        let mut buffers = TileBuffers::new(&[Edge::Symmetric], radius);
        for (row, col) in [(0, 0), (2, 3), (4, 6)] {
            let window = Window { row, col, rows: 1, cols: 1 };
            let read = |real: Window, mut out: ArrayViewMut2<'_, f32>| -> std::result::Result<(), ()> {
                out.assign(&raster.slice(s![real.row..real.row + real.rows, real.col..real.col + real.cols]));
                Ok(())
            };
            buffers.load(window, (5, 7), read).unwrap();
            for (index, cell) in buffers.tile(0).flat().iter().enumerate() {
                let (down, across) = (index / (2 * radius + 1), index % (2 * radius + 1));
                let place = |at: usize, start: usize, length| {
                    Edge::Symmetric.source((start + at) as isize - radius as isize, length)
                };
                assert_eq!(
                    *cell,
                    raster[[place(down, row, 5), place(across, col, 7)]],
                    "{row} {col} {index}"
                );
            }
        }
    }

    #[test]
    fn clamp_repeats_the_edge() {
        let source: Vec<usize> = (-2..5).map(|i| Edge::Clamp.source(i, 3)).collect();
        assert_eq!(source, [0, 0, 0, 1, 2, 2, 2]);
    }

    #[test]
    fn a_tile_at_the_edge_differs_by_rule_and_one_inside_does_not() {
        let raster = Array2::from_shape_fn((9, 9), |(r, c)| (10 * r + c) as f32);
        let mut buffers = TileBuffers::new(&[Edge::Reflect, Edge::Clamp], 2);
        let mut load = |window: Window| {
            let read = |real: Window, mut out: ArrayViewMut2<'_, f32>| -> std::result::Result<(), ()> {
                out.assign(&raster.slice(s![real.row..real.row + real.rows, real.col..real.col + real.cols]));
                Ok(())
            };
            buffers.load(window, (9, 9), read).unwrap();
            (buffers.tile(0).row(0, -1, 0..3, 2).to_vec(), buffers.tile(1).row(0, -1, 0..3, 2).to_vec())
        };
        let corner = load(Window { row: 0, col: 0, rows: 3, cols: 3 });
        assert_eq!(corner.0, [12.0, 11.0, 10.0, 11.0, 12.0, 13.0, 14.0]);
        assert_eq!(corner.1, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        let middle = load(Window { row: 3, col: 3, rows: 3, cols: 3 });
        assert_eq!(middle.0, [21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0]);
        assert_eq!(middle.0, middle.1);
    }

    #[test]
    fn beyond_an_open_edge_cells_are_missing_and_a_tile_knows_its_place() {
        let mut buffers = TileBuffers::new(&[Edge::Open], 2);
        let read = |_: Window, mut out: ArrayViewMut2<'_, f32>| -> std::result::Result<(), ()> {
            out.fill(1.0);
            Ok(())
        };
        buffers.load(Window { row: 7, col: 1, rows: 2, cols: 3 }, (9, 4), read).unwrap();
        let tile = buffers.tile(0);
        let missing = |row: usize, down: isize| -> Vec<bool> {
            tile.row(row, down, 0..3, 2).iter().map(|cell| cell.is_nan()).collect()
        };
        assert_eq!(missing(0, -2), [true, false, false, false, false, true, true]);
        assert_eq!(missing(1, 0), missing(0, -2));
        assert_eq!(missing(1, 1), [true; 7]);
        assert_eq!((tile.origin(), tile.raster_rows()), ((7, 1), 9));
    }
}
