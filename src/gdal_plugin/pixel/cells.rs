//! Cells of every real type that GDAL has, read as 32-bit or 64-bit floats and written from them.
//!
//! Written as GDAL itself converts: whole numbers are rounded, halves away from zero, and limited to what the type
//! holds; NaN is 0 there. Missing cells are NaN in between, and get the nodata value when there is one.

use libc::c_void;

/// A real type of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealType {
    Uint8,
    Int8,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Uint64,
    Int64,
    Float16,
    Float32,
    Float64,
}

impl RealType {
    /// Of the parts of a complex `GDALDataType`.
    pub fn of_parts(number: u32) -> Option<Self> {
        Some(match number {
            8 => Self::Int16,
            9 => Self::Int32,
            10 => Self::Float32,
            11 => Self::Float64,
            16 => Self::Float16,
            _ => return None,
        })
    }

    /// Bytes of a cell.
    pub fn size(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 => 1,
            Self::Uint16 | Self::Int16 | Self::Float16 => 2,
            Self::Uint32 | Self::Int32 | Self::Float32 => 4,
            Self::Uint64 | Self::Int64 | Self::Float64 => 8,
        }
    }

    /// Of a `GDALDataType`, whose newer numbers the bindings of an older GDAL lack; None for complex ones.
    pub fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Uint8,
            2 => Self::Uint16,
            3 => Self::Int16,
            4 => Self::Uint32,
            5 => Self::Int32,
            6 => Self::Float32,
            7 => Self::Float64,
            12 => Self::Uint64,
            13 => Self::Int64,
            14 => Self::Int8,
            15 => Self::Float16,
            _ => return None,
        })
    }

    /// Copies cells that stand one after the other, from `first` on; `nodata` and NaN become NaN.
    ///
    /// # Safety
    /// `cells` points to at least `first + to.len()` cells of this type, aligned or not.
    pub unsafe fn read<N: Number>(
        self,
        cells: *const c_void,
        first: usize,
        nodata: Option<f64>,
        to: &mut [N],
    ) {
        // SAFETY: by contract, the same for every type.
        unsafe {
            match self {
                Self::Uint8 => read::<u8, N>(cells, first, nodata, to),
                Self::Int8 => read::<i8, N>(cells, first, nodata, to),
                Self::Uint16 => read::<u16, N>(cells, first, nodata, to),
                Self::Int16 => read::<i16, N>(cells, first, nodata, to),
                Self::Uint32 => read::<u32, N>(cells, first, nodata, to),
                Self::Int32 => read::<i32, N>(cells, first, nodata, to),
                Self::Uint64 => read::<u64, N>(cells, first, nodata, to),
                Self::Int64 => read::<i64, N>(cells, first, nodata, to),
                Self::Float16 => read::<Half, N>(cells, first, nodata, to),
                Self::Float32 => read::<f32, N>(cells, first, nodata, to),
                Self::Float64 => read::<f64, N>(cells, first, nodata, to),
            }
        }
    }

    /// Writes cells `spacing` bytes apart; NaN as `nodata`, if there is one.
    ///
    /// # Safety
    /// Every place is inside the caller's buffer and has room for a cell of this type, aligned or not.
    pub unsafe fn write<N: Number>(self, values: &[N], nodata: Option<f64>, to: *mut u8, spacing: isize) {
        // SAFETY: by contract, the same for every type.
        unsafe {
            match self {
                Self::Uint8 => write::<u8, N>(values, nodata, to, spacing),
                Self::Int8 => write::<i8, N>(values, nodata, to, spacing),
                Self::Uint16 => write::<u16, N>(values, nodata, to, spacing),
                Self::Int16 => write::<i16, N>(values, nodata, to, spacing),
                Self::Uint32 => write::<u32, N>(values, nodata, to, spacing),
                Self::Int32 => write::<i32, N>(values, nodata, to, spacing),
                Self::Uint64 => write::<u64, N>(values, nodata, to, spacing),
                Self::Int64 => write::<i64, N>(values, nodata, to, spacing),
                Self::Float16 => write::<Half, N>(values, nodata, to, spacing),
                Self::Float32 => write::<f32, N>(values, nodata, to, spacing),
                Self::Float64 => write::<f64, N>(values, nodata, to, spacing),
            }
        }
    }
}

/// A number that functions compute with; NaN is missing.
pub trait Number: Copy {
    /// Stands for a missing cell.
    const MISSING: Self;

    /// A cell as it comes.
    fn of<T: Real>(cell: T) -> Self;

    /// The same number.
    fn wide(self) -> f64;
}

impl Number for f32 {
    const MISSING: Self = f32::NAN;
    fn of<T: Real>(cell: T) -> Self {
        cell.to_float()
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    const MISSING: Self = f64::NAN;
    fn of<T: Real>(cell: T) -> Self {
        cell.to_number()
    }
    fn wide(self) -> f64 {
        self
    }
}

/// A number as it stands in memory.
pub trait Real: Copy + PartialEq {
    fn from_number(number: f64) -> Self;
    fn to_number(self) -> f64;
    fn to_float(self) -> f32;

    /// The nodata value in this type, if the type has it.
    fn mark(nodata: f64) -> Option<Self>;

    /// What it may have become in a narrower type that the cells came from.
    fn rounded_mark(_nodata: f64) -> Option<Self> {
        None
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Real for $type {
            fn from_number(number: f64) -> Self {
                // The cast limits, and makes NaN 0.
                number.round() as $type
            }
            fn to_number(self) -> f64 {
                self as f64
            }
            fn to_float(self) -> f32 {
                self as f32
            }
            fn mark(nodata: f64) -> Option<Self> {
                let mark = nodata as $type;
                (mark as f64 == nodata).then_some(mark)
            }
        }
    )*};
}
whole!(u8, i8, u16, i16, u32, i32, u64, i64);

impl Real for f32 {
    fn from_number(number: f64) -> Self {
        number as f32
    }
    fn to_number(self) -> f64 {
        f64::from(self)
    }
    fn to_float(self) -> f32 {
        self
    }
    fn mark(nodata: f64) -> Option<Self> {
        Some(nodata as f32)
    }
}

impl Real for f64 {
    fn from_number(number: f64) -> Self {
        number
    }
    fn to_number(self) -> f64 {
        self
    }
    fn to_float(self) -> f32 {
        self as f32
    }
    fn mark(nodata: f64) -> Option<Self> {
        Some(nodata)
    }
    fn rounded_mark(nodata: f64) -> Option<Self> {
        Some(f64::from(nodata as f32)).filter(|rounded| rounded.is_finite())
    }
}

/// A float of 16 bits, which GDAL has from 3.11 on.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Half(u16);

impl PartialEq for Half {
    fn eq(&self, other: &Self) -> bool {
        self.to_float() == other.to_float()
    }
}

impl Real for Half {
    fn from_number(number: f64) -> Self {
        let sign = if number.is_sign_negative() { 0x8000 } else { 0 };
        let size = number.abs();
        if size.is_nan() {
            return Half(sign | 0x7e00);
        }
        // The distance between neighbours at this size, a power of two: 2^-24 for the smallest ones.
        let exponent = ((size.to_bits() >> 52) as i32 - 1023).clamp(-14, 16);
        let steps = (size * 2_f64.powi(10 - exponent)).round_ties_even();
        // What rounds up to the next exponent carries into it by itself.
        let bits = (exponent + 14) as f64 * 1024.0 + steps;
        Half(sign | bits.min(f64::from(0x7c00)) as u16)
    }
    fn to_number(self) -> f64 {
        let (exponent, fraction) = (i32::from(self.0 >> 10 & 31), f64::from(self.0 & 0x3ff));
        let size = match exponent {
            0 => fraction * 2_f64.powi(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
        };
        if self.0 >> 15 == 1 {
            -size
        } else {
            size
        }
    }
    fn to_float(self) -> f32 {
        self.to_number() as f32
    }
    fn mark(nodata: f64) -> Option<Self> {
        Some(Self::from_number(nodata))
    }
}

/// # Safety
/// As `RealType::read`.
unsafe fn read<T: Real, N: Number>(cells: *const c_void, first: usize, nodata: Option<f64>, to: &mut [N]) {
    // SAFETY: inside the caller's cells.
    let cells = unsafe { cells.cast::<T>().add(first) };
    let (mark, rounded) = (nodata.and_then(T::mark), nodata.and_then(T::rounded_mark));
    for (column, to) in to.iter_mut().enumerate() {
        // SAFETY: there are as many cells as `to` has places.
        let cell = unsafe { cells.add(column).read_unaligned() };
        *to = if mark == Some(cell) || rounded == Some(cell) { N::MISSING } else { N::of(cell) };
    }
}

/// # Safety
/// As `RealType::write`.
unsafe fn write<T: Real, N: Number>(values: &[N], nodata: Option<f64>, to: *mut u8, spacing: isize) {
    let missing = T::from_number(nodata.unwrap_or(f64::NAN));
    for (column, value) in values.iter().enumerate() {
        let value = value.wide();
        let cell = if value.is_nan() { missing } else { T::from_number(value) };
        // SAFETY: a place of the caller's buffer.
        unsafe { to.offset(column as isize * spacing).cast::<T>().write_unaligned(cell) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<T: Real>(real: RealType, values: &[f32], nodata: Option<f64>) -> Vec<f64> {
        let size = size_of::<T>();
        // One byte more: nothing is aligned. Backwards: spacing may be negative.
        let mut bytes = vec![0_u8; values.len() * size + 1];
        let last = 1 + (values.len() - 1) * size;
        // SAFETY: every place from the last one backwards lies inside `bytes`.
        unsafe { real.write(values, nodata, bytes.as_mut_ptr().add(last), -(size as isize)) };
        let cells = bytes[1..].chunks_exact(size).rev();
        // SAFETY: each chunk has the size of the type.
        cells.map(|cell| unsafe { cell.as_ptr().cast::<T>().read_unaligned() }.to_number()).collect()
    }

    #[test]
    fn whole_numbers_are_rounded_and_limited() {
        let values = [0.49, 0.5, -0.5, -2.5, 300.0, -1e30, f32::INFINITY, f32::NAN];
        assert_eq!(
            written::<u8>(RealType::Uint8, &values, None),
            [0.0, 1.0, 0.0, 0.0, 255.0, 0.0, 255.0, 0.0]
        );
        let expected = [0.0, 1.0, -1.0, -3.0, 127.0, -128.0, 127.0, 7.0];
        assert_eq!(written::<i8>(RealType::Int8, &values, Some(7.0)), expected);
        let wide = written::<i64>(RealType::Int64, &values, Some(-9999.0));
        assert_eq!(wide[5..], [i64::MIN as f64, i64::MAX as f64, -9999.0]);
        let exact = written::<f64>(RealType::Float64, &[f32::NAN, 0.1], Some(0.1));
        assert_eq!(exact, [0.1, f64::from(0.1_f32)]);
    }

    #[test]
    fn nodata_is_compared_in_the_type_of_the_cells() {
        fn read<T: Real>(real: RealType, cells: &[T], nodata: f64) -> Vec<bool> {
            let mut to = vec![0.0_f32; cells.len() - 1];
            // SAFETY: from the second cell on there are as many as `to` has.
            unsafe { real.read(cells.as_ptr().cast(), 1, Some(nodata), &mut to) };
            to.iter().map(|cell| cell.is_nan()).collect()
        }
        // Both are 2147483648 as 32-bit floats.
        let cells = [0, i32::MAX, i32::MAX - 1];
        assert_eq!(read(RealType::Int32, &cells, f64::from(i32::MAX)), [true, false]);
        assert_eq!(read(RealType::Float32, &[0.0, 0.1_f32, 0.2], 0.1), [true, false]);
        assert_eq!(read(RealType::Float64, &[0.0, 0.1, f64::NAN], 0.1), [true, true]);
        // GDAL has read 32-bit floats into it.
        assert_eq!(
            read(RealType::Float64, &[0.0, f64::from(0.1_f32), 0.1_f64.next_up()], 0.1),
            [true, false]
        );
        assert_eq!(read(RealType::Uint8, &[0_u8, 255, 0], -1.0), [false, false]);
        assert_eq!(read(RealType::Uint8, &[0_u8, 255, 0], f64::NAN), [false, false]);
    }

    #[test]
    fn halves_are_those_of_the_standard() {
        for (number, bits) in [
            (0.0, 0),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            (0.333_251_953_125, 0x3555),
            (65504.0, 0x7bff),
            (65520.0, 0x7c00),
            (1e9, 0x7c00),
            (f64::NEG_INFINITY, 0xfc00),
            (6e-8, 1),
            (6.1e-5, 0x3ff),
            (1e-9, 0),
            (2049.0, 0x6800),
            (2051.0, 0x6802),
        ] {
            assert_eq!(Half::from_number(number).0, bits, "{number}");
        }
        assert!(Half::from_number(f64::NAN).to_number().is_nan());
        for bits in (0..=u16::MAX).filter(|bits| !Half(*bits).to_number().is_nan()) {
            assert_eq!(Half::from_number(Half(bits).to_number()).0, bits);
        }
    }

    #[test]
    fn complex_types_and_unknown_ones_are_none() {
        for number in [0, 8, 9, 10, 11, 16, 17, u32::MAX] {
            assert_eq!(RealType::of(number), None);
            assert_eq!(RealType::of_parts(number).is_some(), (8..17).contains(&number));
        }
    }
}
