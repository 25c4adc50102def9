//! What a run over many rasters asks of them, and cells as they come from files.

use crate::core::error::Result;
use crate::core::tile::Window;
use crate::pipeline::io::{Aligned, Layout};
use crate::stack::cells::{read_row, read_unmasked, Cell, CellType};
use crate::stack::mask::{AnyBit, Outside};
use aligned_vec::AVec;
use bytemuck::Pod;
use std::ops::Range;

/// One band of one raster of a stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaneInfo {
    /// Number of its file: planes of one file that are read together share its blocks.
    pub file: usize,
    /// Type of its cells as they are read.
    pub cell_type: CellType,
    /// Value that means nodata.
    pub nodata: Option<f64>,
    /// Size of the grid that all planes share, and the blocks of this one.
    pub layout: Layout,
    /// Whether a mask comes with its cells.
    pub masked: bool,
}

impl PlaneInfo {
    /// Bytes of one cell with its mask.
    pub fn cell_bytes(&self) -> usize {
        self.cell_type.size() + usize::from(self.masked)
    }
}

/// Bands of many rasters on one grid. Shared by all workers; each opens its own reader.
pub trait StackSource: Sync {
    /// All bands.
    fn planes(&self) -> &[PlaneInfo];

    /// A reader for one worker.
    fn open(&self) -> Result<Box<dyn StackReader + '_>>;
}

/// One worker's access to a stack.
pub trait StackReader {
    /// Fills a buffer for each of `planes` with the cells of `window`.
    fn read(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()>;
}

/// Cells of a window as the file has them, in a buffer that is used again.
#[derive(Debug)]
pub struct RawPlane {
    cell_type: CellType,
    nodata: Option<f64>,
    bytes: Aligned<u8>,
    /// A byte for each cell, 0 where it is missing; empty when nothing but its value says so.
    mask: Vec<u8>,
}

impl Default for RawPlane {
    fn default() -> Self {
        Self { cell_type: CellType::UInt8, nodata: None, bytes: AVec::new(64), mask: Vec::new() }
    }
}

impl RawPlane {
    /// Makes room for a window of this plane.
    pub fn prepare(&mut self, info: &PlaneInfo, window: Window) {
        (self.cell_type, self.nodata) = (info.cell_type, info.nodata);
        let bytes = window.cells() * info.cell_type.size();
        // No more than that: the plan counts on it.
        self.bytes.reserve_exact(bytes.saturating_sub(self.bytes.len()));
        self.bytes.resize(bytes, 0);
        self.mask.clear();
    }

    /// Some cells, counted row after row.
    pub fn cells(&self, part: Range<usize>) -> &[u8] {
        let size = self.cell_type.size();
        &self.bytes[part.start * size..part.end * size]
    }

    /// The cells, row after row.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// A mask in which every cell is valid until it is changed.
    pub fn mask_mut(&mut self) -> &mut [u8] {
        let cells = self.bytes.len() / self.cell_type.size();
        self.mask.resize(cells, 1);
        &mut self.mask
    }

    /// Makes room in another buffer for a window of the same plane.
    pub fn begin(&self, window: Window, to: &mut Self) {
        (to.cell_type, to.nodata) = (self.cell_type, self.nodata);
        to.bytes.resize(window.cells() * self.cell_type.size(), 0);
        to.mask.clear();
    }

    /// Copies the cells of `window`, which another buffer has, that are among those of `place`, which this has.
    pub fn copy(&self, place: Window, window: Window, to: &mut Self) {
        let Some(part) = place.overlap(window) else { return };
        let size = self.cell_type.size();
        if !self.mask.is_empty() {
            to.mask_mut();
        }
        for row in part.row..part.row + part.rows {
            let cells = |of: Window| {
                let first = (row - of.row) * of.cols + part.col - of.col;
                first..first + part.cols
            };
            let (from, into) = (cells(place), cells(window));
            if !self.mask.is_empty() {
                to.mask[into.clone()].copy_from_slice(&self.mask[from.clone()]);
            }
            let bytes = |cells: Range<usize>| cells.start * size..cells.end * size;
            to.bytes[bytes(into)].copy_from_slice(&self.bytes[bytes(from)]);
        }
    }

    /// Cells, counted row after row, as 64-bit numbers; missing ones, and those that a mask covers, become NaN.
    ///
    /// # Allocations: none.
    pub fn numbers(&self, part: Range<usize>, masked: Option<&[u8]>, values: &mut [f64]) {
        match self.cell_type {
            CellType::UInt8 => self.typed::<u8>(part.clone(), masked, values),
            CellType::Int8 => self.typed::<i8>(part.clone(), masked, values),
            CellType::UInt16 => self.typed::<u16>(part.clone(), masked, values),
            CellType::Int16 => self.typed::<i16>(part.clone(), masked, values),
            CellType::UInt32 => self.typed::<u32>(part.clone(), masked, values),
            CellType::Int32 => self.typed::<i32>(part.clone(), masked, values),
            CellType::UInt64 => self.typed::<u64>(part.clone(), masked, values),
            CellType::Int64 => self.typed::<i64>(part.clone(), masked, values),
            CellType::Float32 => self.typed::<f32>(part.clone(), masked, values),
            CellType::Float64 => self.typed::<f64>(part.clone(), masked, values),
        }
        if let Some(mask) = self.mask.get(part) {
            for (value, mask) in values.iter_mut().zip(mask) {
                *value = if *mask != 0 { *value } else { f64::NAN };
            }
        }
    }

    fn typed<T: Cell + Pod>(&self, part: Range<usize>, masked: Option<&[u8]>, values: &mut [f64]) {
        let cells = &bytemuck::cast_slice::<u8, T>(&self.bytes)[part];
        match masked {
            Some(masked) => read_unmasked(cells, self.nodata, masked, values),
            None => read_row(cells, self.nodata, values),
        }
    }

    /// Sets 1 where a mask of bits covers cells, which are looked at as they are; false, and nothing is done, where they
    /// have to become numbers first.
    ///
    /// # Allocations: none.
    pub fn any_bit(&self, part: Range<usize>, bits: AnyBit, outside: Outside, masked: &mut [u8]) -> bool {
        if !self.mask.is_empty() {
            return false;
        }
        let (bytes, nodata) = (&self.bytes[..], self.nodata);
        match self.cell_type {
            CellType::UInt8 => bits.row(&bytes[part], nodata, outside, masked),
            CellType::UInt16 => {
                bits.row(&bytemuck::cast_slice::<u8, u16>(bytes)[part], nodata, outside, masked)
            }
            CellType::UInt32 => {
                bits.row(&bytemuck::cast_slice::<u8, u32>(bytes)[part], nodata, outside, masked)
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cell_type: CellType, nodata: Option<f64>, bytes: &[u8], mask: Option<&[u8]>) -> Vec<f64> {
        let cols = bytes.len() / cell_type.size();
        let layout = Layout { rows: 1, cols, block_rows: 1, block_cols: cols };
        let info = PlaneInfo { file: 0, cell_type, nodata, layout, masked: mask.is_some() };
        let mut plane = RawPlane::default();
        plane.prepare(&info, Window { row: 0, col: 0, rows: 1, cols });
        plane.bytes_mut().copy_from_slice(bytes);
        if let Some(mask) = mask {
            plane.mask_mut().copy_from_slice(mask);
        }
        let mut values = vec![7.0; cols];
        plane.numbers(0..cols, None, &mut values);
        values
    }

    #[test]
    fn masked_cells_become_missing_whatever_says_so() {
        for (_, cell_type) in CellType::ALL {
            let layout = Layout { rows: 1, cols: 4, block_rows: 1, block_cols: 4 };
            let info = PlaneInfo { file: 0, cell_type, nodata: Some(0.0), layout, masked: true };
            let mut plane = RawPlane::default();
            plane.prepare(&info, Window { row: 0, col: 0, rows: 1, cols: 4 });
            plane.bytes_mut().fill(1);
            plane.bytes_mut()[..cell_type.size()].fill(0);
            plane.mask_mut().copy_from_slice(&[1, 0, 1, 1]);
            let mut values = [7.0; 4];
            plane.numbers(0..4, Some(&[0, 0, 1, 0]), &mut values);
            assert_eq!(values.map(f64::is_nan), [true, true, true, false], "{cell_type:?}");
        }
    }

    #[test]
    fn cells_of_every_type_become_numbers_and_missing_ones_are_known() {
        let bytes = |cells: &[i16]| cells.iter().flat_map(|cell| cell.to_ne_bytes()).collect::<Vec<u8>>();
        let there = |values: &[f64]| values.iter().map(|value| !value.is_nan()).collect::<Vec<_>>();
        let values = row(CellType::Int16, Some(-9999.0), &bytes(&[-3, -9999, 0]), Some(&[255, 255, 0]));
        assert_eq!((values[0], there(&values)), (-3.0, vec![true, false, false]));
        let floats =
            [0.5_f32, f32::NAN, -9999.9].iter().flat_map(|cell| cell.to_ne_bytes()).collect::<Vec<u8>>();
        assert_eq!(there(&row(CellType::Float32, Some(-9999.9), &floats, None)), [true, false, false]);
        for (name, cell_type) in CellType::ALL {
            let zeros = vec![0; 3 * cell_type.size()];
            assert_eq!(row(cell_type, None, &zeros, None), vec![0.0; 3], "{name}");
            assert_eq!(there(&row(cell_type, Some(0.0), &zeros, None)), vec![false; 3], "{name}");
        }
        assert_eq!(row(CellType::Int8, None, &[255], None), [-1.0]);
    }
}
