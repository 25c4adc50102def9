//! A chain on an array in memory: the whole raster, or one tile of it with real neighbours around it.

use super::chain::{CellsMut, Chain, ChainTiles};
use crate::core::error::{Error, Result};
use crate::core::tile::{is_height, Tile, Window};
use ndarray::{ArrayView2, ArrayViewMut2};

/// Real neighbours that stand around a tile in its array, in cells. A margin smaller than the radius says that the
/// raster ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Margins {
    /// Rows above the tile.
    pub top: usize,
    /// Rows below the tile.
    pub bottom: usize,
    /// Columns before the tile.
    pub left: usize,
    /// Columns after the tile.
    pub right: usize,
}

/// Where the cells of a tile stand in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayShape {
    /// Rows of the tile, without margins.
    pub rows: usize,
    /// Columns of the tile, without margins.
    pub cols: usize,
    /// What stands around it.
    pub margins: Margins,
    /// Cells from the start of one row to the start of the next; 0: rows follow each other without gaps.
    pub row_stride: usize,
}

impl ArrayShape {
    /// Rows and columns with margins.
    fn outer(&self) -> Result<(usize, usize)> {
        let Margins { top, bottom, left, right } = self.margins;
        let rows = self.rows.checked_add(top).and_then(|rows| rows.checked_add(bottom));
        let cols = self.cols.checked_add(left).and_then(|cols| cols.checked_add(right));
        rows.zip(cols).ok_or_else(|| self.too_large())
    }

    /// Cells from the first to the last one, gaps between rows included. Checks that the shape makes sense.
    pub fn length(&self) -> Result<usize> {
        let (rows, cols) = self.outer()?;
        if self.rows == 0 || self.cols == 0 {
            return Err(Error::Argument(format!(
                "array of {} x {} cells is empty; allowed: at least one row and one column",
                self.cols, self.rows
            )));
        }
        let stride = self.stride(cols);
        if stride < cols {
            return Err(Error::Argument(format!(
                "row stride of {stride} cells is shorter than a row with its margins; allowed: 0, or at least {cols}"
            )));
        }
        let cells = (rows - 1).checked_mul(stride).and_then(|cells| cells.checked_add(cols));
        cells.filter(|cells| *cells <= isize::MAX as usize / 4).ok_or_else(|| self.too_large())
    }

    fn stride(&self, cols: usize) -> usize {
        if self.row_stride == 0 {
            cols
        } else {
            self.row_stride
        }
    }

    fn too_large(&self) -> Error {
        Error::Argument(format!(
            "array of {} x {} cells with its margins does not fit into the address space",
            self.cols, self.rows
        ))
    }
}

/// Computes `shape`'s tile from `cells`. `out` has bands x rows x columns. NaN, `nodata` and what can be no
/// height (beyond 1e30) are missing. The result is bit for bit what the whole raster gives at these cells.
///
/// Sky illumination, shadow and horizon angle count the cells of coarser grids from the array's first cell: they give
/// the raster's bits when that lies whole coarse cells (8 cells for a radius of 100) from the raster's northwestern
/// corner, and otherwise the same picture with other rounding of far horizons.
///
/// What depends on the whole raster (percentiles, RVT's overcast sky) is found first; the array must be all of it then.
///
/// # Allocations: row buffers; a copy of the tile with its margin when the cells cannot be used where they stand:
/// at the raster's edge, with gaps between rows, and with missing cells other than NaN.
pub fn run(
    chain: &Chain,
    cells: &[f32],
    shape: &ArrayShape,
    nodata: Option<f32>,
    out: CellsMut<'_>,
) -> Result<()> {
    run_while(chain, (cells, shape), nodata, out, &|| true)
}

/// The same. `proceed` is asked before every row; false stops the work with [`Error::Cancelled`].
pub fn run_while(
    chain: &Chain,
    (cells, shape): (&[f32], &ArrayShape),
    nodata: Option<f32>,
    mut out: CellsMut<'_>,
    proceed: &dyn Fn() -> bool,
) -> Result<()> {
    if shape.length()? != cells.len() || out.dim() != (chain.bands().len(), shape.rows, shape.cols) {
        return Err(Error::Argument("array and shape differ in size; allowed: the same".into()));
    }
    let (rows, cols) = shape.outer()?;
    chain.check_raster(rows, cols)?;
    if let Some(raster) = chain.rasters().first() {
        return Err(Error::Unsupported(format!(
            "a layer shows {raster}; arrays have none; allowed: a run from file to file"
        )));
    }
    if !chain.is_settled() {
        let settled = settled(chain, (cells, shape), nodata, proceed)?;
        return run_while(&settled, (cells, shape), nodata, out, proceed);
    }
    let margins = shape.margins;
    let window = Window { row: margins.top, col: margins.left, rows: shape.rows, cols: shape.cols };
    let mut registers = chain.new_registers();
    if let Some(tile) = in_place(chain, cells, shape, nodata, window) {
        return chain.run(|_| tile, &mut registers, &mut out, proceed);
    }
    let mut tiles = chain.new_tile_buffers();
    tiles.reserve(shape.rows, shape.cols)?;
    load(chain, &mut tiles, cells, (shape, nodata), window)?;
    chain.run(|edge| tiles.tile(edge), &mut registers, &mut out, proceed)
}

/// Loads `window` of the array, missing cells as NaN.
fn load(
    chain: &Chain,
    tiles: &mut ChainTiles,
    cells: &[f32],
    (shape, nodata): (&ArrayShape, Option<f32>),
    window: Window,
) -> Result<()> {
    let size = shape.outer()?;
    let stride = shape.stride(size.1);
    tiles.load(chain, window, size, &|| true, |_, real: Window, mut to: ArrayViewMut2<'_, f32>| {
        for (index, mut row) in to.rows_mut().into_iter().enumerate() {
            let start = (real.row + index) * stride + real.col;
            for (to, from) in row.iter_mut().zip(&cells[start..start + real.cols]) {
                *to = if is_mark(*from, nodata) { f32::NAN } else { *from };
            }
        }
        Ok(())
    })
}

/// The chain with everything found that depends on the whole raster, which must be in the array.
fn settled(
    chain: &Chain,
    (cells, shape): (&[f32], &ArrayShape),
    nodata: Option<f32>,
    proceed: &dyn Fn() -> bool,
) -> Result<Chain> {
    let Margins { top, bottom, left, right } = shape.margins;
    if [top, bottom, left, right].iter().any(|margin| *margin > 0 && *margin >= chain.radius()) {
        return Err(is_a_tile());
    }
    let (rows, cols) = shape.outer()?;
    let window = Window { row: 0, col: 0, rows, cols };
    let mut own = chain.again()?;
    let mut tiles = own.new_tile_buffers();
    let mut registers = own.new_registers();
    tiles.reserve(rows, cols)?;
    load(&own, &mut tiles, cells, (shape, nodata), window)?;
    while let Some(round) = own.round((rows, cols)) {
        let mut observer = own.new_observer(&round);
        let place = (window, (rows, cols));
        own.observe(&round, place, |edge| tiles.tile(edge), (&mut registers, &mut observer), proceed)?;
        own.end_round(round, &[observer]);
    }
    Ok(own)
}

/// Why a tile does not tell what depends on the whole raster.
pub(crate) fn is_a_tile() -> Error {
    Error::Unsupported(
        "percentiles, deviations and RVT's overcast sky depend on the whole raster, this is a tile of it; allowed: an \
         array of the whole raster, or a run from file to file"
            .into(),
    )
}

/// The tile where it stands, if it has all neighbours, no gaps, and no missing cells but NaN.
fn in_place<'a>(
    chain: &Chain,
    cells: &'a [f32],
    shape: &ArrayShape,
    nodata: Option<f32>,
    window: Window,
) -> Option<Tile<'a>> {
    let (rows, cols) = shape.outer().ok()?;
    let Margins { top, bottom, left, right } = shape.margins;
    let complete = [top, bottom, left, right].iter().all(|margin| *margin >= chain.radius());
    if chain.fills() || !complete || shape.stride(cols) != cols || has_mark(cells, nodata) {
        return None;
    }
    Tile::new(ArrayView2::from_shape((rows, cols), cells).ok()?, window)
}

/// Whether a cell is missing and does not say so by NaN.
pub(crate) fn is_mark(cell: f32, nodata: Option<f32>) -> bool {
    (!is_height(cell) && !cell.is_nan()) || nodata.is_some_and(|nodata| cell == nodata)
}

/// A pass over the cells without a branch inside a block: far cheaper than a copy.
fn has_mark(cells: &[f32], nodata: Option<f32>) -> bool {
    // NaN equals nothing, so it stands for "none".
    let nodata = nodata.unwrap_or(f32::NAN);
    let is_mark = |cell: &f32| (!is_height(*cell) & !cell.is_nan()) | (*cell == nodata);
    cells.chunks(4096).any(|block| block.iter().fold(false, |found, cell| found | is_mark(cell)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::grid::Grid;
    use crate::recipe::chain::ChainOptions;
    use crate::recipe::Recipe;
    use ndarray::{s, Array2, Array3};

    fn raster(rows: usize, cols: usize) -> Array2<f32> {
        let hills =
            |row: f32, col: f32| (row * 0.13).sin() * 9.0 + (col * 0.07).cos() * 14.0 + row * col * 0.001;
        Array2::from_shape_fn((rows, cols), |(row, col)| hills(row as f32, col as f32))
    }

    fn compute(chain: &Chain, cells: &[f32], shape: ArrayShape, nodata: Option<f32>) -> Array3<f32> {
        let mut out = Array3::zeros((chain.bands().len(), shape.rows, shape.cols));
        run(chain, cells, &shape, nodata, CellsMut::Float32(out.view_mut())).unwrap();
        out
    }

    fn bits(cells: &Array3<f32>) -> Vec<u32> {
        cells.iter().map(|cell| cell.to_bits()).collect()
    }

    #[test]
    fn tiles_with_margins_give_the_bits_of_the_whole() {
        let raster = raster(83, 131);
        let margins = Margins::default();
        let whole_shape = ArrayShape { rows: 83, cols: 131, margins, row_stride: 0 };
        for name in ["hillshade", "sky_view_factor", "openness_positive", "vat-combined"] {
            let recipe = Recipe::parse(name).unwrap();
            let chain = Chain::new(&recipe, &Grid::square(0.5), ChainOptions::default()).unwrap();
            let whole = compute(&chain, raster.as_slice().unwrap(), whole_shape, None);
            for (row, col, rows, cols) in
                [(0, 0, 20, 30), (30, 40, 21, 33), (70, 100, 13, 31), (3, 5, 77, 120)]
            {
                let outer = Window { row, col, rows, cols }.grown(chain.radius(), 83, 131);
                let (last_row, last_col) = (outer.row + outer.rows, outer.col + outer.cols);
                let part = raster.slice(s![outer.row..last_row, outer.col..last_col]).to_owned();
                let margins = Margins {
                    top: row - outer.row,
                    left: col - outer.col,
                    bottom: last_row - row - rows,
                    right: last_col - col - cols,
                };
                let shape = ArrayShape { rows, cols, margins, row_stride: 0 };
                let got = compute(&chain, part.as_slice().unwrap(), shape, None);
                let expected = whole.slice(s![.., row..row + rows, col..col + cols]).to_owned();
                assert_eq!(bits(&got), bits(&expected), "{name} at {row}, {col}");
                // The same through the strides of the whole raster.
                let shape = ArrayShape { row_stride: 131, ..shape };
                let start = outer.row * 131 + outer.col;
                let cells = &raster.as_slice().unwrap()[start..start + shape.length().unwrap()];
                assert_eq!(bits(&compute(&chain, cells, shape, None)), bits(&expected), "{name} with stride");
            }
        }
    }

    #[test]
    fn marks_of_missing_cells_count_as_nan() {
        let recipe = Recipe::parse("slope").unwrap();
        let chain = Chain::new(&recipe, &Grid::square(1.0), ChainOptions::default()).unwrap();
        let margins = Margins { top: 1, bottom: 1, left: 1, right: 1 };
        let shape = ArrayShape { rows: 8, cols: 8, margins, row_stride: 0 };
        let with = |mark: f32, nodata: Option<f32>| {
            let mut cells = raster(10, 10);
            cells[[4, 4]] = mark;
            bits(&compute(&chain, cells.as_slice().unwrap(), shape, nodata))
        };
        let expected = with(f32::NAN, None);
        assert_eq!(with(f32::INFINITY, None), expected);
        assert_eq!(with(-3.4e38, None), expected);
        assert_eq!(with(-9999.0, Some(-9999.0)), expected);
        assert_ne!(with(-9999.0, None), expected);
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let shape = ArrayShape { rows: 4, cols: 5, margins: Margins::default(), row_stride: 0 };
        assert_eq!(shape.length().unwrap(), 20);
        assert_eq!(ArrayShape { row_stride: 7, ..shape }.length().unwrap(), 26);
        let margins = Margins { right: usize::MAX, ..Margins::default() };
        for bad in [
            ArrayShape { rows: 0, ..shape },
            ArrayShape { cols: 0, ..shape },
            ArrayShape { row_stride: 4, ..shape },
            ArrayShape { rows: usize::MAX, ..shape },
            ArrayShape { rows: 1 << 40, row_stride: 1 << 40, ..shape },
            ArrayShape { margins, ..shape },
        ] {
            assert!(matches!(bad.length(), Err(Error::Argument(_))), "{bad:?}");
        }
    }
}
