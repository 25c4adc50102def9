//! What the pipeline asks of the raster it reads and of the raster it writes.

use crate::core::error::Result;
use crate::core::tile::Window;
use crate::recipe::chain::{CellType, CellsMut};
use aligned_vec::{AVec, ConstAlign};
use ndarray::{ArrayViewMut2, ArrayViewMut3};
use std::ops::Range;

/// Size of a raster and of the blocks it is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Rows of the raster.
    pub rows: usize,
    /// Columns of the raster.
    pub cols: usize,
    /// Rows of a block.
    pub block_rows: usize,
    /// Columns of a block.
    pub block_cols: usize,
}

impl Layout {
    /// Blocks that span the whole width.
    pub fn is_striped(&self) -> bool {
        self.block_cols >= self.cols
    }
}

/// A raster to read. Shared by all workers; each opens its own reader.
pub trait Source: Sync {
    /// Size and blocks.
    fn layout(&self) -> Layout;

    /// A reader for one worker.
    fn open(&self) -> Result<Box<dyn Reader + '_>>;

    /// Of rasters that are computed together: what they share, told apart by its address, and the number of this one
    /// there. A worker opens one reader for all of them.
    fn shared(&self) -> Option<(usize, usize)> {
        None
    }
}

/// One worker's access to the source.
pub trait Reader {
    /// Fills `out` with the cells of `window`; missing cells become NaN.
    fn read(&mut self, window: Window, out: ArrayViewMut2<'_, f32>) -> Result<()>;

    /// As `read`. A reader that reads much more than it gives asks `proceed` now and then whether to go on: no is
    /// [`Error::Cancelled`](crate::core::error::Error::Cancelled).
    fn read_while(
        &mut self,
        window: Window,
        out: ArrayViewMut2<'_, f32>,
        _proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.read(window, out)
    }

    /// The same of one of several rasters that are computed together.
    fn read_one(
        &mut self,
        _number: usize,
        window: Window,
        out: ArrayViewMut2<'_, f32>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.read_while(window, out, proceed)
    }
}

/// A raster to write. Used by the calling thread only.
pub trait Sink {
    /// Size and blocks.
    fn layout(&self) -> Layout;

    /// Writes one tile.
    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()>;
}

/// A buffer that starts at a cache line.
pub type Aligned<T> = AVec<T, ConstAlign<64>>;

/// Output cells of one tile, bands x rows x columns, in a buffer that is used again.
#[derive(Debug)]
pub enum Cells {
    /// Values.
    Float32(Aligned<f32>),
    /// Bytes.
    Uint8(Aligned<u8>),
}

impl Cells {
    /// An empty buffer.
    pub fn new(cell_type: CellType) -> Self {
        match cell_type {
            CellType::Float32 => Cells::Float32(AVec::new(64)),
            CellType::Uint8 => Cells::Uint8(AVec::new(64)),
        }
    }

    /// What was computed.
    pub fn view(&self) -> CellsRef<'_> {
        match self {
            Cells::Float32(cells) => CellsRef::Float32(cells),
            Cells::Uint8(cells) => CellsRef::Uint8(cells),
        }
    }

    /// The buffer as an array of this size.
    pub fn view_mut(&mut self, bands: usize, window: Window) -> CellsMut<'_> {
        let size = (bands, window.rows, window.cols);
        let length = bands * window.cells();
        match self {
            Cells::Float32(cells) => CellsMut::Float32(sized(cells, length, size)),
            Cells::Uint8(cells) => CellsMut::Uint8(sized(cells, length, size)),
        }
    }
}

/// Computed cells of one tile, band after band, row after row.
#[derive(Debug, Clone, Copy)]
pub enum CellsRef<'a> {
    /// Values.
    Float32(&'a [f32]),
    /// Bytes.
    Uint8(&'a [u8]),
    /// Cells of the output's own type as they stand in memory, each of so many bytes.
    Raw(&'a [u8], usize),
}

impl<'a> CellsRef<'a> {
    /// The cells as they stand in memory.
    pub fn bytes(self) -> &'a [u8] {
        match self {
            CellsRef::Uint8(cells) | CellsRef::Raw(cells, _) => cells,
            CellsRef::Float32(cells) => bytemuck::cast_slice(cells),
        }
    }

    /// Some of the bands, each of so many cells.
    pub fn bands(self, bands: &Range<usize>, cells: usize) -> CellsRef<'a> {
        let part = bands.start * cells..bands.end * cells;
        match self {
            CellsRef::Float32(all) => CellsRef::Float32(&all[part]),
            CellsRef::Uint8(all) => CellsRef::Uint8(&all[part]),
            CellsRef::Raw(all, bytes) => CellsRef::Raw(&all[part.start * bytes..part.end * bytes], bytes),
        }
    }
}

fn sized<T: Copy + Default>(
    cells: &mut Aligned<T>,
    length: usize,
    size: (usize, usize, usize),
) -> ArrayViewMut3<'_, T> {
    cells.resize(length, T::default());
    ArrayViewMut3::from_shape(size, cells).expect("the buffer has just been given this length")
}
