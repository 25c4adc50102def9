//! A raster at half its resolution, computed when it is read.

use super::io::{Layout, Reader, Source};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use multiversion::multiversion;
use ndarray::{s, Array2, ArrayViewMut2};
use std::sync::Arc;

/// Rows computed together: a strip of the finer raster that stays in the caches even at wide windows.
const STRIP: usize = 16;

/// Every cell is the mean of four of `finer`; missing ones are left out, and a cell of missing ones is missing. Halved
/// again and again, a raster gives its overviews: always the same cells, whatever windows are read.
pub struct Halved {
    finer: Arc<dyn Source + Send>,
}

impl Halved {
    /// Half of `finer`.
    pub fn new(finer: Arc<dyn Source + Send>) -> Self {
        Self { finer }
    }
}

impl Source for Halved {
    fn layout(&self) -> Layout {
        let Layout { rows, cols, block_rows, block_cols } = self.finer.layout();
        let (rows, cols) = (rows.div_ceil(2), cols.div_ceil(2));
        let (block_rows, block_cols) = (block_rows.div_ceil(2).min(rows), block_cols.div_ceil(2).min(cols));
        Layout { rows, cols, block_rows, block_cols }
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        let layout = self.finer.layout();
        let size = (layout.rows, layout.cols);
        Ok(Box::new(HalvedReader { finer: self.finer.open()?, size, strip: Array2::zeros((0, 0)) }))
    }
}

struct HalvedReader<'a> {
    finer: Box<dyn Reader + 'a>,
    /// Rows and columns of the finer raster.
    size: (usize, usize),
    strip: Array2<f32>,
}

impl Reader for HalvedReader<'_> {
    fn read(&mut self, window: Window, out: ArrayViewMut2<'_, f32>) -> Result<()> {
        self.read_while(window, out, &|| true)
    }

    fn read_while(
        &mut self,
        window: Window,
        mut out: ArrayViewMut2<'_, f32>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        for first in (0..window.rows).step_by(STRIP) {
            if !proceed() {
                return Err(Error::Cancelled);
            }
            let rows = STRIP.min(window.rows - first);
            let (row, col) = (2 * (window.row + first), 2 * window.col);
            let finer = Window {
                row,
                col,
                rows: (2 * rows).min(self.size.0 - row),
                cols: (2 * window.cols).min(self.size.1 - col),
            };
            // Beyond an odd edge stands nothing.
            if self.strip.dim() != (2 * rows, 2 * window.cols) {
                self.strip = Array2::zeros((2 * rows, 2 * window.cols));
            }
            self.strip.slice_mut(s![finer.rows.., ..]).fill(f32::NAN);
            self.strip.slice_mut(s![.., finer.cols..]).fill(f32::NAN);
            self.finer.read_while(finer, self.strip.slice_mut(s![..finer.rows, ..finer.cols]), proceed)?;
            for row in 0..rows {
                let (above, below) = (self.strip.row(2 * row), self.strip.row(2 * row + 1));
                let mut to = out.row_mut(first + row);
                let (Some(above), Some(below), Some(to)) =
                    (above.to_slice(), below.to_slice(), to.as_slice_mut())
                else {
                    continue;
                };
                halve(above, below, to);
            }
        }
        Ok(())
    }
}

/// Means of two by two cells.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn halve(above: &[f32], below: &[f32], to: &mut [f32]) {
    for ((to, above), below) in to.iter_mut().zip(above.as_chunks::<2>().0).zip(below.as_chunks::<2>().0) {
        let four = [above[0], above[1], below[0], below[1]];
        let heights = four.map(|height| if height.is_nan() { 0.0 } else { height });
        let counts = four.map(|height| if height.is_nan() { 0.0 } else { 1.0_f32 });
        let count = (counts[0] + counts[1]) + (counts[2] + counts[3]);
        // 0 / 0 is NaN.
        *to = ((heights[0] + heights[1]) + (heights[2] + heights[3])) / count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A raster in memory.
    struct Raster(Array2<f32>);

    impl Source for Raster {
        fn layout(&self) -> Layout {
            let (rows, cols) = self.0.dim();
            Layout { rows, cols, block_rows: 4.min(rows), block_cols: 4.min(cols) }
        }

        fn open(&self) -> Result<Box<dyn Reader + '_>> {
            Ok(Box::new(RasterReader(&self.0)))
        }
    }

    struct RasterReader<'a>(&'a Array2<f32>);

    impl Reader for RasterReader<'_> {
        fn read(&mut self, window: Window, mut out: ArrayViewMut2<'_, f32>) -> Result<()> {
            let rows = window.row..window.row + window.rows;
            out.assign(&self.0.slice(s![rows, window.col..window.col + window.cols]));
            Ok(())
        }
    }

    #[test]
    fn cells_are_means_of_those_that_are_there_whatever_is_read() {
        let mut cells = Array2::from_shape_fn((37, 41), |(row, col)| (row * 41 + col) as f32);
        cells.slice_mut(s![10..14, 20..24]).fill(f32::NAN);
        cells[[0, 1]] = f32::NAN;
        let half = Halved::new(Arc::new(Raster(cells.clone())));
        let layout = half.layout();
        assert_eq!((layout.rows, layout.cols), (19, 21));
        let read = |source: &dyn Source, window: Window| {
            let mut out = Array2::zeros((window.rows, window.cols));
            source.open().unwrap().read(window, out.view_mut()).unwrap();
            out
        };
        let whole = read(&half, Window { row: 0, col: 0, rows: 19, cols: 21 });
        for ((row, col), mean) in whole.indexed_iter() {
            let last = |start: usize, length: usize| (2 * start + 2).min(length);
            let four = cells.slice(s![2 * row..last(row, 37), 2 * col..last(col, 41)]);
            let valid: Vec<f32> = four.iter().copied().filter(|cell| !cell.is_nan()).collect();
            let expected = valid.iter().sum::<f32>() / valid.len() as f32;
            assert!(
                *mean == expected || (mean.is_nan() && valid.is_empty()),
                "{row} {col}: {mean} {expected}"
            );
        }
        let part = read(&half, Window { row: 3, col: 5, rows: 16, cols: 9 });
        let same = part.iter().zip(whole.slice(s![3..19, 5..14])).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same);
        let quarter = Halved::new(Arc::new(half));
        assert_eq!(read(&quarter, Window { row: 9, col: 10, rows: 1, cols: 1 })[[0, 0]], whole[[18, 20]]);
    }
}
