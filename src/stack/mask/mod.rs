//! Masks: which cells are out, from bits, fields, classes, ranges, presets or any expression.
//!
//! A mask is bytes, 1 where a cell is out; several masks are merged by setting more ones. A cell whose quality band has
//! no data is out as well, unless it is to be kept.

mod cell_test;
mod dilate;
mod fit;
mod presets;
mod text;

pub use dilate::{dilate, DilateScratch};
pub use presets::{Flag, Place, Preset, PRESETS};

use crate::core::error::Result;
use crate::stack::expression::{Program, Scratch};
use crate::stack::ROW;
pub use cell_test::Whole;
use cell_test::{merge, merge_bits, merge_marked_bits, Test};
use multiversion::multiversion;

/// What becomes of a cell whose quality band has no data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outside {
    /// It is out.
    #[default]
    Mask,
    /// It stays.
    Keep,
}

/// What makes a cell be out.
#[derive(Debug, Clone)]
pub struct Mask {
    inputs: Vec<usize>,
    rule: Rule,
    invert: bool,
}

#[derive(Debug, Clone)]
enum Rule {
    /// Any of these is true of the one input.
    Tests(Vec<Test>),
    /// The result is not 0.
    Expression(Program),
}

/// A mask of nothing but bits, which can be looked for in the cells of a file as they are.
#[derive(Debug, Clone, Copy)]
pub struct AnyBit {
    bits: u64,
    invert: bool,
}

impl AnyBit {
    /// Sets 1 where cells are out, as [`Mask::row`] does with their numbers.
    pub fn row<T: Whole>(&self, cells: &[T], nodata: Option<f64>, outside: Outside, masked: &mut [u8]) {
        let (bits, invert) = (T::low_bits(self.bits), u8::from(self.invert));
        match nodata.and_then(T::exactly) {
            Some(code) => {
                let missing = u8::from(outside == Outside::Mask);
                merge_marked_bits(cells, (bits, code), (invert, missing), masked);
            }
            None => merge_bits(cells, bits, invert, masked),
        }
    }
}

/// Rows in between; one for each thread.
#[derive(Debug, Clone)]
pub struct MaskScratch {
    hits: Vec<u8>,
    result: Vec<f64>,
    inputs: Vec<f64>,
    program: Option<Scratch>,
}

impl Mask {
    /// Reads a mask of inputs with these names:
    ///
    /// `NAME: bits 0|3|4` (any is set), `NAME: bits 5-6 >= 2`, `NAME: values 8,9`, `NAME: range 1..20`,
    /// `NAME: PRESET:FLAG,FLAG`, each with `invert` behind it if need be, or an expression such as `scl in (8, 9)`.
    /// `NAME:` may be left out when there is one input, or one that has a preset's usual name.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self> {
        Self::parse_among(text, known, (known.len() == 1).then_some(0))
    }

    /// The same where several names may be those of one input: `only` is one of them.
    pub fn parse_among(text: &str, known: &[&str], only: Option<usize>) -> Result<Self> {
        text::parse(text, known, only)
    }

    fn of_tests(input: usize, tests: Vec<Test>, invert: bool) -> Self {
        Self { inputs: vec![input], rule: Rule::Tests(tests), invert }
    }

    fn of_program(program: Program) -> Self {
        Self { inputs: program.inputs().to_vec(), rule: Rule::Expression(program), invert: false }
    }

    /// Which of the known names have to be given, in this order.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// The bits of a mask that asks for nothing else.
    pub fn any_bit(&self) -> Option<AnyBit> {
        let Rule::Tests(tests) = &self.rule else { return None };
        let bits = tests.iter().try_fold(0, |all, test| match test {
            Test::AnyBit(bits) => Some(all | bits),
            _ => None,
        })?;
        Some(AnyBit { bits, invert: self.invert })
    }

    /// Rows in between.
    pub fn scratch(&self) -> MaskScratch {
        let program = match &self.rule {
            Rule::Tests(_) => None,
            Rule::Expression(program) => Some(program),
        };
        let row = if program.is_some() { ROW } else { 0 };
        MaskScratch {
            hits: vec![0; ROW],
            result: vec![0.0; row],
            inputs: vec![0.0; row * self.inputs.len()],
            program: program.map(Program::scratch),
        }
    }

    /// Sets 1 where cells are out and leaves the others as they are. `inputs` holds a row of every input, one after the
    /// other.
    pub fn row(
        &self,
        width: usize,
        inputs: &[f64],
        scratch: &mut MaskScratch,
        outside: Outside,
        masked: &mut [u8],
    ) {
        let missing = u8::from(outside == Outside::Mask);
        let invert = u8::from(self.invert);
        for first in (0..width).step_by(ROW) {
            let cells = ROW.min(width - first);
            let masked = &mut masked[first..first + cells];
            let hits = &mut scratch.hits[..cells];
            hits.fill(0);
            match (&self.rule, &mut scratch.program) {
                (Rule::Expression(program), Some(rows)) => {
                    for input in 0..self.inputs.len() {
                        let from = &inputs[input * width + first..][..cells];
                        scratch.inputs[input * cells..][..cells].copy_from_slice(from);
                    }
                    let result = &mut scratch.result[..cells];
                    program.run(cells, &scratch.inputs[..cells * self.inputs.len()], rows, result);
                    not_zero(result, hits);
                    merge(result, hits, invert, missing, masked);
                }
                (Rule::Tests(tests), _) => {
                    let row = &inputs[first..first + cells];
                    tests.iter().for_each(|test| test.row(row, hits));
                    merge(row, hits, invert, missing, masked);
                }
                (Rule::Expression(_), None) => {}
            }
        }
    }
}

/// Cells that are out.
pub fn count(masked: &[u8]) -> u64 {
    // As many as fit into a byte: sums of bytes are one instruction.
    masked.chunks(255).map(|cells| u64::from(count_few(cells))).sum()
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count_few(masked: &[u8]) -> u8 {
    masked.iter().map(|cell| u8::from(*cell != 0)).sum()
}

/// Cells that are out become `value`, those without data too.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn apply_value(masked: &[u8], value: f64, row: &mut [f64]) {
    for (cell, masked) in row.iter_mut().zip(masked) {
        *cell = if *masked != 0 { value } else { *cell };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn not_zero(row: &[f64], hits: &mut [u8]) {
    for (hit, cell) in hits.iter_mut().zip(row) {
        *hit = u8::from(*cell != 0.0);
    }
}

#[cfg(test)]
mod tests;
