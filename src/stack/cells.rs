//! Cells of every real type, read as rows of 64-bit floats and written from them.
//!
//! In a row NaN says that a cell has no data; that is a state, which no arithmetic turns into a number. Whole numbers up
//! to 2^53 stay exact. Written to whole types, values are rounded, halves away from zero, and limited to what the type
//! holds; a value that would be taken for the nodata value moves by one. Both are counted: nothing is changed silently.

use crate::core::error::{unknown_name, Error, Result};
use multiversion::multiversion;
use std::ops::AddAssign;

/// A type of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// 0 to 255.
    UInt8,
    /// -128 to 127.
    Int8,
    /// 0 to 65,535.
    UInt16,
    /// -32,768 to 32,767.
    Int16,
    /// 0 to 4,294,967,295.
    UInt32,
    /// -2,147,483,648 to 2,147,483,647.
    Int32,
    /// Whole numbers from 0; exact up to 2^53.
    UInt64,
    /// Whole numbers; exact up to 2^53 either way.
    Int64,
    /// 32-bit floats.
    Float32,
    /// 64-bit floats.
    Float64,
}

impl CellType {
    /// Every type with its name.
    pub const ALL: [(&'static str, CellType); 10] = [
        ("uint8", CellType::UInt8),
        ("int8", CellType::Int8),
        ("uint16", CellType::UInt16),
        ("int16", CellType::Int16),
        ("uint32", CellType::UInt32),
        ("int32", CellType::Int32),
        ("uint64", CellType::UInt64),
        ("int64", CellType::Int64),
        ("float32", CellType::Float32),
        ("float64", CellType::Float64),
    ];

    /// Reads a name; capitals do not matter, and `byte` is what GDAL calls `uint8`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim().to_ascii_lowercase();
        let name = if text == "byte" { "uint8" } else { &text };
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, cell_type)| *cell_type);
        found.ok_or_else(|| unknown_name("cell type", &text, Self::ALL.iter().map(|(known, _)| *known)))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Bytes of a cell.
    pub fn size(self) -> usize {
        match self {
            Self::UInt8 | Self::Int8 => 1,
            Self::UInt16 | Self::Int16 => 2,
            Self::UInt32 | Self::Int32 | Self::Float32 => 4,
            Self::UInt64 | Self::Int64 | Self::Float64 => 8,
        }
    }

    /// Whether cells can be fractions.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    /// Whether every cell is the same number as a 32-bit float.
    pub fn fits_float32(self) -> bool {
        self == Self::Float32 || (self.size() <= 2)
    }

    /// A number of floats as cells hold it; types of whole numbers hold theirs as they are.
    pub fn stored(self, number: f64) -> f64 {
        if self == Self::Float32 {
            f64::from(number as f32)
        } else {
            number
        }
    }

    /// Refuses a number that the type does not have.
    pub fn check(self, what: &str, number: f64) -> Result<()> {
        let (low, high) = self.range();
        let whole = self.is_float() || number.fract() == 0.0;
        // As the type has it: people write the ends of 32-bit floats with fewer digits.
        if whole && (low..=high).contains(&self.stored(number)) {
            return Ok(());
        }
        let kind = if self.is_float() { "numbers" } else { "whole numbers" };
        Err(Error::Argument(format!(
            "{what} {number} is not a number of type {}; allowed: {kind} from {low} to {high}",
            self.name()
        )))
    }

    /// Whether cells beside this number become it as 64-bit floats.
    pub fn is_inexact(self, number: f64) -> bool {
        matches!(self, Self::Int64 | Self::UInt64) && number.abs() >= 9_007_199_254_740_992.0
    }

    /// Smallest and largest number.
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::UInt8 => (0.0, f64::from(u8::MAX)),
            Self::Int8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
            Self::UInt16 => (0.0, f64::from(u16::MAX)),
            Self::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
            Self::UInt32 => (0.0, f64::from(u32::MAX)),
            Self::Int32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
            Self::UInt64 => (0.0, u64::MAX as f64),
            Self::Int64 => (i64::MIN as f64, i64::MAX as f64),
            Self::Float32 => (f64::from(f32::MIN), f64::from(f32::MAX)),
            Self::Float64 => (f64::MIN, f64::MAX),
        }
    }
}

/// A number as it stands in a raster.
pub trait Cell: Copy + PartialEq + Send + Sync + 'static {
    /// Its type.
    const TYPE: CellType;

    /// As a number of a row; NaN stays NaN.
    fn to_number(self) -> f64;

    /// The nodata value when none is given: NaN, the largest number of types without a sign, the smallest of others.
    fn usual_nodata() -> Self;

    /// A nodata value in this type, if the type has it.
    fn exactly(number: f64) -> Option<Self>;

    /// The nearest cell, and whether the number was outside the type. Not for NaN.
    fn limited(number: f64) -> (Self, bool);

    /// A cell beside this one, the one that is nearer to what the type can hold.
    fn beside(self) -> Self;
}

macro_rules! whole_cell {
    ($($type:ty: $name:ident),*) => {$(
        impl Cell for $type {
            const TYPE: CellType = CellType::$name;
            #[inline(always)]
            fn to_number(self) -> f64 {
                self as f64
            }
            fn usual_nodata() -> Self {
                if <$type>::MIN == 0 { <$type>::MAX } else { <$type>::MIN }
            }
            fn exactly(number: f64) -> Option<Self> {
                let cell = number as $type;
                (cell as f64 == number).then_some(cell)
            }
            #[inline(always)]
            fn limited(number: f64) -> (Self, bool) {
                let rounded = number.round();
                // The largest numbers of 64-bit types are no floats; the ones beyond them are.
                let outside = rounded < <$type>::MIN as f64 || rounded >= <$type>::MAX as f64 + 1.0;
                (rounded as $type, outside)
            }
            #[inline(always)]
            fn beside(self) -> Self {
                if self == <$type>::MAX { self - 1 } else { self + 1 }
            }
        }
    )*};
}
whole_cell!(u8: UInt8, i8: Int8, u16: UInt16, i16: Int16, u32: UInt32, i32: Int32, u64: UInt64, i64: Int64);

macro_rules! float_cell {
    ($($type:ty: $name:ident),*) => {$(
        impl Cell for $type {
            const TYPE: CellType = CellType::$name;
            #[inline(always)]
            fn to_number(self) -> f64 {
                self as f64
            }
            fn usual_nodata() -> Self {
                <$type>::NAN
            }
            fn exactly(number: f64) -> Option<Self> {
                Some(number as $type)
            }
            #[inline(always)]
            fn limited(number: f64) -> (Self, bool) {
                let cell = number as $type;
                let limited = cell.clamp(<$type>::MIN, <$type>::MAX);
                (limited, limited != cell)
            }
            #[inline(always)]
            fn beside(self) -> Self {
                if self > 0.0 { self.next_down() } else { self.next_up() }
            }
        }
    )*};
}
float_cell!(f32: Float32, f64: Float64);

/// Reads cells; the nodata value and NaN become NaN. A nodata value that the type does not have marks nothing.
pub fn read_row<T: Cell>(cells: &[T], nodata: Option<f64>, row: &mut [f64]) {
    match nodata.and_then(T::exactly) {
        Some(code) => read_marked(cells, code, row),
        None => read_all(cells, row),
    }
}

/// Reads cells as [`read_row`] does; those that a mask covers become NaN as well.
pub fn read_unmasked<T: Cell>(cells: &[T], nodata: Option<f64>, masked: &[u8], row: &mut [f64]) {
    match nodata.and_then(T::exactly) {
        Some(code) => read_marked_unmasked(cells, code, masked, row),
        None => read_all_unmasked(cells, masked, row),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn read_all<T: Cell>(cells: &[T], row: &mut [f64]) {
    for (number, cell) in row.iter_mut().zip(cells) {
        *number = cell.to_number();
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn read_marked<T: Cell>(cells: &[T], code: T, row: &mut [f64]) {
    for (number, cell) in row.iter_mut().zip(cells) {
        *number = if *cell == code { f64::NAN } else { cell.to_number() };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn read_all_unmasked<T: Cell>(cells: &[T], masked: &[u8], row: &mut [f64]) {
    for ((number, cell), masked) in row.iter_mut().zip(cells).zip(masked) {
        *number = if *masked != 0 { f64::NAN } else { cell.to_number() };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn read_marked_unmasked<T: Cell>(cells: &[T], code: T, masked: &[u8], row: &mut [f64]) {
    for ((number, cell), masked) in row.iter_mut().zip(cells).zip(masked) {
        *number = if (*masked != 0) | (*cell == code) { f64::NAN } else { cell.to_number() };
    }
}

/// Infinite numbers of a row.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn count_infinite(row: &[f64]) -> u64 {
    row.iter().map(|number| u64::from(number.is_infinite())).sum()
}

/// What happened to cells that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Cells without data.
    pub missing: u64,
    /// Values outside the type, which became its smallest or largest one.
    pub saturated: u64,
    /// Values that the nodata value would have hidden, which moved by one.
    pub moved: u64,
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.missing += other.missing;
        self.saturated += other.saturated;
        self.moved += other.moved;
    }
}

/// Which value means nodata.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodataValue {
    /// NaN, the largest number of types without a sign, the smallest of others.
    Usual,
    /// This one.
    Number(f64),
    /// None does: every cell has data.
    Absent,
    /// None does: cells without data are 0, and another band says which they are.
    Unmarked,
}

/// How rows become cells of one type.
#[derive(Debug, Clone, Copy)]
pub struct Encoding<T> {
    nodata: T,
    /// Whether `nodata` means nodata.
    has_nodata: bool,
}

impl<T: Cell> Encoding<T> {
    /// With this nodata value.
    pub fn new(nodata: NodataValue) -> Result<Self> {
        let number = match nodata {
            NodataValue::Number(number) => number,
            NodataValue::Usual => return Ok(Self { nodata: T::usual_nodata(), has_nodata: true }),
            NodataValue::Absent => return Ok(Self { nodata: T::usual_nodata(), has_nodata: false }),
            NodataValue::Unmarked => return Ok(Self { nodata: T::limited(0.0).0, has_nodata: false }),
        };
        if !(number.is_nan() || number.is_infinite()) || !T::TYPE.is_float() {
            T::TYPE.check("nodata value", number)?;
        }
        let lost = || Error::Internal(format!("nodata value {number} of type {}", T::TYPE.name()));
        T::exactly(number).map(|nodata| Self { nodata, has_nodata: true }).ok_or_else(lost)
    }

    /// The nodata value, for the header; None when no value means nodata.
    pub fn nodata(&self) -> Option<T> {
        self.has_nodata.then_some(self.nodata)
    }

    /// Writes a row. NaN and infinite values become the nodata value.
    pub fn write_row(&self, row: &[f64], cells: &mut [T]) -> Written {
        let mut written = Written::default();
        // Counts of a short piece fit in 32 bits, which keeps the loop wide.
        for (row, cells) in row.chunks(super::ROW).zip(cells.chunks_mut(super::ROW)) {
            let [missing, saturated, moved] = write(row, (self.nodata, self.has_nodata), cells);
            written += Written {
                missing: u64::from(missing),
                saturated: u64::from(saturated),
                moved: u64::from(moved),
            };
        }
        written
    }

    /// The same for a row whose numbers came from these cells: those that are still what they were stay so to the last bit,
    /// which numbers beyond 2^53 would not as 64-bit floats.
    pub fn keep_row(&self, row: &[f64], own: &[T], cells: &mut [T]) -> Written {
        let mut written = Written::default();
        for ((number, own), cell) in row.iter().zip(own).zip(cells) {
            if own.to_number() != *number {
                written += self.write_row(&[*number], std::slice::from_mut(cell));
                continue;
            }
            let hidden = self.has_nodata && *own == self.nodata;
            written.moved += u64::from(hidden);
            *cell = if hidden { own.beside() } else { *own };
        }
        written
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn write<T: Cell>(row: &[f64], (nodata, has_nodata): (T, bool), cells: &mut [T]) -> [u32; 3] {
    let beside = nodata.beside();
    let (mut missing, mut saturated, mut moved) = (0, 0, 0);
    for (cell, number) in cells.iter_mut().zip(row) {
        let there = number.is_finite();
        let (value, outside) = T::limited(*number);
        let hidden = has_nodata & (value == nodata);
        missing += u32::from(!there);
        saturated += u32::from(there & outside);
        moved += u32::from(there & hidden);
        let value = if hidden { beside } else { value };
        *cell = if there { value } else { nodata };
    }
    [missing, saturated, moved]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Cell>(row: &[f64], nodata: Option<f64>) -> (Vec<f64>, Written) {
        written_with::<T>(row, nodata.map_or(NodataValue::Usual, NodataValue::Number))
    }

    fn written_with<T: Cell>(row: &[f64], nodata: NodataValue) -> (Vec<f64>, Written) {
        let encoding = Encoding::<T>::new(nodata).unwrap();
        let mut cells = vec![T::usual_nodata(); row.len()];
        let counts = encoding.write_row(row, &mut cells);
        (cells.into_iter().map(T::to_number).collect(), counts)
    }

    #[test]
    fn halves_go_away_from_zero_and_limits_are_counted() {
        let row = [0.5, 1.5, 2.5, -0.4, 254.49, 254.5, 300.0, -3.0, f64::NAN, f64::INFINITY];
        let (cells, counts) = written::<u8>(&row, None);
        assert_eq!(cells, [1.0, 2.0, 3.0, 0.0, 254.0, 254.0, 254.0, 0.0, 255.0, 255.0]);
        // 254.5 rounds to the nodata value and moves; 300 is limited first.
        assert_eq!(counts, Written { missing: 2, saturated: 2, moved: 2 });
        let (cells, counts) = written::<i16>(&[-2.5, 2.5, -1e9, 1e9, f64::NAN], None);
        assert_eq!(cells, [-3.0, 3.0, -32767.0, 32767.0, -32768.0]);
        assert_eq!(counts, Written { missing: 1, saturated: 2, moved: 1 });
    }

    #[test]
    fn a_value_never_becomes_the_nodata_value() {
        assert_eq!(
            written::<u8>(&[0.2, 7.0], Some(0.0)),
            (vec![1.0, 7.0], Written { moved: 1, ..Default::default() })
        );
        assert_eq!(written::<u16>(&[65535.0], None).0, [65534.0]);
        assert_eq!(written::<f32>(&[-9999.0], Some(-9999.0)).0, [f64::from((-9999_f32).next_up())]);
        let (cells, counts) = written::<f32>(&[1e300, -1e300], Some(f64::from(f32::MIN)));
        assert_eq!(cells, [f64::from(f32::MAX), f64::from(f32::MIN.next_up())]);
        assert_eq!(counts, Written { missing: 0, saturated: 2, moved: 1 });
    }

    #[test]
    fn without_a_nodata_value_every_number_stays() {
        let (cells, counts) = written_with::<u8>(&[255.0, 0.0, 300.0], NodataValue::Absent);
        assert_eq!((cells, counts.moved, counts.saturated), (vec![255.0, 0.0, 255.0], 0, 1));
        assert_eq!(Encoding::<u8>::new(NodataValue::Absent).unwrap().nodata(), None);
    }

    #[test]
    fn limits_of_64_bit_types() {
        let two = |power: i32| 2_f64.powi(power);
        assert_eq!(Encoding::<u64>::new(NodataValue::Usual).unwrap().nodata(), Some(u64::MAX));
        let (cells, counts) = written::<u64>(&[two(53), two(64), -1.0], Some(5.0));
        assert_eq!((cells[0], counts.saturated), (two(53), 2));
        assert_eq!(written::<i64>(&[two(63), -two(63)], Some(5.0)).1.saturated, 1);
    }

    #[test]
    fn reading_knows_nodata_as_a_state() {
        let mut row = [0.0; 4];
        read_row(&[0_u16, 1, 65535, 0], Some(0.0), &mut row);
        assert!(row[0].is_nan() && row[3].is_nan() && row[1..3] == [1.0, 65535.0]);
        read_row(&[0_u8, 1, 255, 0], Some(-9999.0), &mut row);
        assert_eq!(row, [0.0, 1.0, 255.0, 0.0]);
        read_row(&[f32::NAN, -9999.0, 1.5, f32::INFINITY], Some(-9999.0), &mut row);
        assert!(row[0].is_nan() && row[1].is_nan() && row[2..] == [1.5, f64::INFINITY]);
    }

    #[test]
    fn names_and_refusals() {
        for (name, cell_type) in CellType::ALL {
            assert_eq!((cell_type.name(), CellType::parse(name)), (name, Ok(cell_type)));
        }
        assert_eq!(CellType::parse("Byte"), Ok(CellType::UInt8));
        let said = CellType::parse("uint9").unwrap_err().to_string();
        assert!(said.starts_with("unknown cell type 'uint9'; allowed: uint8, int8"), "{said}");
        let said = Encoding::<u8>::new(NodataValue::Number(256.0)).unwrap_err().to_string();
        assert_eq!(
            said,
            "nodata value 256 is not a number of type uint8; allowed: whole numbers from 0 to 255"
        );
        assert!(
            Encoding::<u8>::new(NodataValue::Number(f64::NAN)).is_err()
                && Encoding::<i16>::new(NodataValue::Number(0.5)).is_err()
        );
    }
}
