//! What is asked of a quality band's cells, a row at a time.

use crate::stack::cells::Cell;
use crate::stack::expression::field;
use multiversion::multiversion;

/// A question; cells that it is true of are masked.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Some of these bits are set.
    AnyBit(u64),
    /// Bits as a number: the first, how many, how it compares with a number.
    Field(u32, u32, Comparison, f64),
    /// One of these numbers.
    Values(Vec<f64>),
    /// Not below and not above.
    Range(f64, f64),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    AtLeast,
    AtMost,
    Above,
    Below,
}

impl Comparison {
    /// Longer ones first, so that they are found first.
    pub const ALL: [(&'static str, Comparison); 6] = [
        ("==", Self::Equal),
        ("!=", Self::Unequal),
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        (">", Self::Above),
        ("<", Self::Below),
    ];
}

impl Test {
    /// Sets 1 where it is true.
    pub fn row(&self, row: &[f64], hits: &mut [u8]) {
        match self {
            Self::AnyBit(bits) => any_bit(row, *bits, hits),
            Self::Values(values) => values.iter().for_each(|value| in_range(row, *value, *value, hits)),
            Self::Range(low, high) => in_range(row, *low, *high, hits),
            Self::Field(shift, width, comparison, with) => {
                let (shift, width, with) = (*shift, *width, *with);
                let number = move |cell: f64| field(cell, shift, width);
                match comparison {
                    Comparison::Equal => hit(row, hits, move |cell| number(cell) == with),
                    Comparison::Unequal => hit(row, hits, move |cell| number(cell) != with),
                    Comparison::AtLeast => hit(row, hits, move |cell| number(cell) >= with),
                    Comparison::AtMost => hit(row, hits, move |cell| number(cell) <= with),
                    Comparison::Above => hit(row, hits, move |cell| number(cell) > with),
                    Comparison::Below => hit(row, hits, move |cell| number(cell) < with),
                }
            }
        }
    }
}

fn any_bit(row: &[f64], bits: u64, hits: &mut [u8]) {
    // All bits up to the highest that is asked for, of which the others are cut off.
    hit(row, hits, move |cell| whole_bits(cell) & bits != 0);
}

/// The low 51 bits of a whole number; none of what is no such number.
#[inline(always)]
fn whole_bits(cell: f64) -> u64 {
    let number = field(cell, 0, 51);
    // Not below 2^52, so the sum holds the number in its low bits; NaN has to go first.
    let number = if number.is_nan() { 0.0 } else { number };
    (number + 4_503_599_627_370_496.0).to_bits() & 0x000f_ffff_ffff_ffff
}

fn in_range(row: &[f64], low: f64, high: f64, hits: &mut [u8]) {
    hit(row, hits, move |cell| (cell >= low) & (cell <= high));
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn hit<F: Fn(f64) -> bool>(row: &[f64], hits: &mut [u8], test: F) {
    for (hit, cell) in hits.iter_mut().zip(row) {
        *hit |= u8::from(test(*cell));
    }
}

/// Adds what was found to the mask; cells without data of their own are masked when `missing` is 1.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn merge(row: &[f64], hits: &[u8], invert: u8, missing: u8, masked: &mut [u8]) {
    for ((masked, hit), cell) in masked.iter_mut().zip(hits).zip(row) {
        *masked |= if cell.is_nan() { missing } else { *hit ^ invert };
    }
}

/// Whole numbers from 0 whose bits can be looked at without a detour: no sign stands for more of them, and none is lost
/// in a 64-bit float.
pub trait Whole: Cell {
    /// As many of these bits as it has.
    fn low_bits(bits: u64) -> Self;

    /// Whether some of these are set.
    fn has_any(self, bits: Self) -> bool;
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Whole for $type {
            fn low_bits(bits: u64) -> Self {
                bits as Self
            }
            #[inline(always)]
            fn has_any(self, bits: Self) -> bool {
                self & bits != 0
            }
        }
    )*};
}
whole!(u8, u16, u32);

/// Adds cells in which bits are set, or none of them, to the mask.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn merge_bits<T: Whole>(cells: &[T], bits: T, invert: u8, masked: &mut [u8]) {
    for (masked, cell) in masked.iter_mut().zip(cells) {
        *masked |= u8::from(cell.has_any(bits)) ^ invert;
    }
}

/// The same of cells one of whose numbers is no data: these are masked when `missing` is 1.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn merge_marked_bits<T: Whole>(
    cells: &[T],
    (bits, code): (T, T),
    (invert, missing): (u8, u8),
    masked: &mut [u8],
) {
    for (masked, cell) in masked.iter_mut().zip(cells) {
        *masked |= if *cell == code { missing } else { u8::from(cell.has_any(bits)) ^ invert };
    }
}
