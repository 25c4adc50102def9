//! Rows of numbers as cells of the output's type.

use super::program::StackProgram;
use crate::core::error::Result;
use crate::stack::cells::{Cell, CellType, Encoding, NodataValue, Written};
use bytemuck::Pod;

/// Writes a row as cells; what the numbers came from may be given.
type Write = dyn Fn(&[f64], Option<&[u8]>, &mut [u8]) -> Written + Send + Sync;

/// An encoding of any type.
pub struct Encoder {
    nodata: Option<f64>,
    write: Box<Write>,
}

impl Encoder {
    /// For the output of a program.
    pub fn of(program: &StackProgram) -> Result<Self> {
        Self::new(program.cell_type, program.nodata)
    }

    /// For cells of this type.
    pub fn new(cell_type: CellType, nodata: NodataValue) -> Result<Self> {
        match cell_type {
            CellType::UInt8 => of::<u8>(nodata),
            CellType::Int8 => of::<i8>(nodata),
            CellType::UInt16 => of::<u16>(nodata),
            CellType::Int16 => of::<i16>(nodata),
            CellType::UInt32 => of::<u32>(nodata),
            CellType::Int32 => of::<i32>(nodata),
            CellType::UInt64 => of::<u64>(nodata),
            CellType::Int64 => of::<i64>(nodata),
            CellType::Float32 => of::<f32>(nodata),
            CellType::Float64 => of::<f64>(nodata),
        }
    }

    /// What stands in cells without data; None when there are none.
    pub fn nodata(&self) -> Option<f64> {
        self.nodata
    }

    /// Writes a row into bytes that start at a cell.
    ///
    /// # Allocations: none.
    pub fn write(&self, row: &[f64], cells: &mut [u8]) -> Written {
        (self.write)(row, None, cells)
    }

    /// The same for a row whose numbers came from `own`, cells of this type, which stay what they are where numbers do.
    ///
    /// # Allocations: none.
    pub fn keep(&self, row: &[f64], own: &[u8], cells: &mut [u8]) -> Written {
        (self.write)(row, Some(own), cells)
    }
}

fn of<T: Cell + Pod>(nodata: NodataValue) -> Result<Encoder> {
    let encoding = Encoding::<T>::new(nodata)?;
    Ok(Encoder {
        nodata: encoding.nodata().map(T::to_number),
        write: Box::new(move |row, own, cells| match own {
            Some(own) => encoding.keep_row(row, bytemuck::cast_slice(own), bytemuck::cast_slice_mut(cells)),
            None => encoding.write_row(row, bytemuck::cast_slice_mut(cells)),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_in_any_type() {
        for (name, cell_type) in CellType::ALL {
            let encoder = Encoder::new(cell_type, NodataValue::Number(7.0)).unwrap();
            let mut cells = aligned_vec::AVec::<u8>::new(64);
            cells.resize(3 * cell_type.size(), 0);
            let written = encoder.write(&[1.4, f64::NAN, 2.0], &mut cells);
            assert_eq!((encoder.nodata(), written.missing), (Some(7.0), 1), "{name}");
        }
        assert!(Encoder::new(CellType::UInt8, NodataValue::Number(-1.0)).is_err());
    }
}
