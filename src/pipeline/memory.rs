//! Arrays in memory: as what a run writes, and as bands of a stack.

use super::io::{CellsRef, Layout, Reader, Sink, Source};
use super::stack::io::{PlaneInfo, RawPlane, StackReader, StackSource};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::recipe::array::{is_a_tile, is_mark, ArrayShape, Margins};
use ndarray::ArrayViewMut2;

/// Side of the blocks that plans assume: those of files, so that tiles are the same.
const BLOCK: usize = 512;

/// Size of an array and the blocks that plans assume.
pub fn layout(rows: usize, cols: usize) -> Layout {
    Layout { rows, cols, block_rows: BLOCK.min(rows), block_cols: BLOCK.min(cols) }
}

/// Part of what a run computes, as one array: bands x rows x columns without gaps.
pub struct ArraySink<'a> {
    bytes: &'a mut [u8],
    /// Rows and columns of the run.
    size: (usize, usize),
    /// The part that is kept.
    part: Window,
    cell_bytes: usize,
}

impl<'a> ArraySink<'a> {
    /// For `bands` of cells of so many bytes, to a multiple of which `bytes` must be aligned. `size` is that of the whole run.
    pub fn new(
        bytes: &'a mut [u8],
        (bands, cell_bytes): (usize, usize),
        size: (usize, usize),
        part: Window,
    ) -> Result<Self> {
        let wanted = bands * part.cells() * cell_bytes;
        if bytes.len() != wanted {
            let came = bytes.len();
            return Err(Error::Argument(format!("output has {came} bytes; allowed: {wanted}")));
        }
        if !bytes.as_ptr().addr().is_multiple_of(cell_bytes) {
            let message = format!("output is not aligned; allowed: a multiple of {cell_bytes} bytes");
            return Err(Error::Argument(message));
        }
        Ok(Self { bytes, size, part, cell_bytes })
    }
}

impl Sink for ArraySink<'_> {
    fn layout(&self) -> Layout {
        layout(self.size.0, self.size.1)
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        let from: &[u8] = match cells {
            CellsRef::Float32(cells) => bytemuck::cast_slice(cells),
            CellsRef::Uint8(cells) | CellsRef::Raw(cells, _) => cells,
        };
        let Some(kept) = window.overlap(self.part) else { return Ok(()) };
        let (cell, part) = (self.cell_bytes, self.part);
        let bands = from.len() / (window.cells() * cell).max(1);
        for band in 0..bands {
            for row in kept.row..kept.row + kept.rows {
                let inside = |of: Window| (band * of.rows + row - of.row) * of.cols + kept.col - of.col;
                let (start, end) = (inside(window) * cell, inside(part) * cell);
                let length = kept.cols * cell;
                self.bytes[end..end + length].copy_from_slice(&from[start..start + length]);
            }
        }
        Ok(())
    }
}

/// An array of elevations as a raster to read.
pub struct ArraySource<'a> {
    cells: &'a [f32],
    shape: ArrayShape,
    nodata: Option<f32>,
}

impl<'a> ArraySource<'a> {
    /// Of a whole raster.
    pub fn new(cells: &'a [f32], shape: ArrayShape, nodata: Option<f32>) -> Result<Self> {
        if shape.length()? != cells.len() {
            return Err(Error::Argument("array and shape differ in size; allowed: the same".into()));
        }
        if shape.margins != Margins::default() {
            return Err(is_a_tile());
        }
        Ok(Self { cells, shape, nodata })
    }
}

impl Source for ArraySource<'_> {
    fn layout(&self) -> Layout {
        layout(self.shape.rows, self.shape.cols)
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(ElevationReader { source: self }))
    }
}

struct ElevationReader<'a> {
    source: &'a ArraySource<'a>,
}

impl Reader for ElevationReader<'_> {
    fn read(&mut self, window: Window, mut out: ArrayViewMut2<'_, f32>) -> Result<()> {
        let ArraySource { cells, shape, nodata } = self.source;
        let stride = if shape.row_stride == 0 { shape.cols } else { shape.row_stride };
        for (row, mut to) in out.rows_mut().into_iter().enumerate() {
            let start = (window.row + row) * stride + window.col;
            for (to, from) in to.iter_mut().zip(&cells[start..start + window.cols]) {
                *to = if is_mark(*from, *nodata) { f32::NAN } else { *from };
            }
        }
        Ok(())
    }
}

/// Arrays as bands of a stack.
pub struct ArrayBands<'a> {
    bands: Vec<&'a [u8]>,
    planes: Vec<PlaneInfo>,
}

impl<'a> ArrayBands<'a> {
    /// Of arrays without gaps; each has the cells that its description says.
    pub fn new(bands: Vec<&'a [u8]>, planes: Vec<PlaneInfo>) -> Result<Self> {
        for (cells, plane) in bands.iter().zip(&planes) {
            let wanted = plane.layout.rows * plane.layout.cols * plane.cell_type.size();
            if cells.len() != wanted {
                return Err(Error::Argument(format!(
                    "an array has {} bytes; allowed: {wanted}",
                    cells.len()
                )));
            }
        }
        Ok(Self { bands, planes })
    }
}

impl StackSource for ArrayBands<'_> {
    fn planes(&self) -> &[PlaneInfo] {
        &self.planes
    }

    fn open(&self) -> Result<Box<dyn StackReader + '_>> {
        Ok(Box::new(ArrayReader { source: self }))
    }
}

struct ArrayReader<'a> {
    source: &'a ArrayBands<'a>,
}

impl StackReader for ArrayReader<'_> {
    fn read(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
        for (plane, raw) in planes.iter().zip(out) {
            let (cells, info) = (self.source.bands[*plane], &self.source.planes[*plane]);
            raw.prepare(info, window);
            let (size, length) = (info.cell_type.size(), window.cols * info.cell_type.size());
            let rows = raw.bytes_mut().chunks_exact_mut(length.max(1));
            for (row, to) in rows.enumerate() {
                let start = ((window.row + row) * info.layout.cols + window.col) * size;
                to.copy_from_slice(&cells[start..start + length]);
            }
        }
        Ok(())
    }
}

/// The bands of a part of a stack, as plans must know them.
pub fn part_of(planes: &[PlaneInfo], (rows, cols): (usize, usize)) -> Vec<PlaneInfo> {
    let part = |plane: &PlaneInfo| PlaneInfo { layout: Layout { rows, cols, ..plane.layout }, ..*plane };
    planes.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::cells::CellType;

    #[test]
    fn tiles_are_put_together_and_cut_to_the_part() {
        let part = Window { row: 1, col: 2, rows: 2, cols: 3 };
        let mut bytes = [0_u8; 12];
        let mut sink = ArraySink::new(&mut bytes, (2, 1), (4, 6), part).unwrap();
        // Two bands of a raster of 4 x 6 cells in tiles of 2 x 6: cell = band * 100 + row * 10 + column.
        for top in [0, 2] {
            let window = Window { row: top, col: 0, rows: 2, cols: 6 };
            let cell = |band: usize, index: usize| (band * 100 + (top + index / 6) * 10 + index % 6) as u8;
            let cells: Vec<u8> =
                (0..2).flat_map(|band| (0..12).map(move |index| cell(band, index))).collect();
            sink.write(window, CellsRef::Uint8(&cells)).unwrap();
        }
        assert_eq!(bytes, [12, 13, 14, 22, 23, 24, 112, 113, 114, 122, 123, 124]);
        assert!(ArraySink::new(&mut [0; 11], (2, 1), (4, 6), part).is_err());
    }

    #[test]
    fn arrays_are_read_where_they_stand() {
        let cells: Vec<u8> = (0..24).collect();
        let layout = layout(4, 6);
        let plane = PlaneInfo { file: 0, cell_type: CellType::UInt8, nodata: None, layout, masked: false };
        let bands = ArrayBands::new(vec![&cells], vec![plane]).unwrap();
        let mut out = [RawPlane::default()];
        let window = Window { row: 2, col: 3, rows: 2, cols: 2 };
        bands.open().unwrap().read(&[0], window, &mut out).unwrap();
        let mut row = [0.0; 2];
        out[0].numbers(2..4, None, &mut row);
        assert_eq!(row, [21.0, 22.0]);
        assert!(ArrayBands::new(vec![&cells[1..]], vec![plane]).is_err());
    }
}
