//! Code on rows: each instruction is one loop over a row's cells.

use super::operators::{field, with_binary, with_unary, Binary, Unary};
use multiversion::multiversion;

/// Where an instruction finds a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operand {
    Register(u32),
    Input(u32),
    Constant(f64),
}

/// What is done; the register that takes the result stands beside it and may be one of the operands.
#[derive(Debug, Clone, Copy)]
pub enum Instruction {
    Unary(Unary, Operand),
    Binary(Binary, Operand, Operand),
    Select(Operand, Operand, Operand),
    Field(Operand, u32, u32),
}

/// How a result is made.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// It is there after the instructions.
    Operand(Operand),
    /// An operation on the only two inputs its text names, done while the result is looked through: most indices are one.
    Pair(Binary, u32, u32),
}

/// A result, and what decides whether it has data.
#[derive(Debug, Clone)]
pub struct Output {
    pub origin: Origin,
    /// Rows of inputs that its text names.
    pub uses: Vec<u32>,
    /// Missing inputs are looked for, because the arithmetic does not keep them.
    pub masks: bool,
    pub names_nodata: bool,
}

impl Default for Output {
    fn default() -> Self {
        let origin = Origin::Operand(Operand::Constant(f64::NAN));
        Self { origin, uses: Vec::new(), masks: false, names_nodata: false }
    }
}

/// Instructions in order, and the results.
#[derive(Debug, Clone, Default)]
pub struct Code {
    pub instructions: Vec<(Instruction, u32)>,
    pub results: Vec<Output>,
    pub registers: usize,
}

/// The cells that are worked on: some of each input's row.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    pub inputs: &'a [f64],
    pub width: usize,
    pub first: usize,
    pub cells: usize,
}

impl<'a> Work<'a> {
    fn input(&self, row: u32) -> &'a [f64] {
        &self.inputs[row as usize * self.width + self.first..][..self.cells]
    }
}

/// A value for a loop.
#[derive(Clone, Copy)]
enum Value<'a> {
    Row(&'a [f64]),
    Number(f64),
    /// The row that takes the result.
    Own,
}

fn value<'a>(operand: Operand, own: u32, work: Work<'a>, registers: &'a [Vec<f64>]) -> Value<'a> {
    match operand {
        Operand::Register(register) if register == own => Value::Own,
        Operand::Register(register) => Value::Row(&registers[register as usize][..work.cells]),
        Operand::Input(row) => Value::Row(work.input(row)),
        Operand::Constant(number) => Value::Number(number),
    }
}

/// Runs all instructions.
pub fn instructions(code: &Code, work: Work<'_>, registers: &mut [Vec<f64>]) {
    for (instruction, own) in &code.instructions {
        // Moves the row out, so that it can be written while others are read; nothing is copied.
        let mut row = std::mem::take(&mut registers[*own as usize]);
        let to = &mut row[..work.cells];
        let find = |operand| value(operand, *own, work, registers);
        match *instruction {
            Instruction::Unary(operation, x) => with_unary!(operation, |f| one(find(x), to, f)),
            Instruction::Binary(operation, x, y) => {
                with_binary!(operation, |f| two(find(x), find(y), to, f));
            }
            Instruction::Select(condition, x, y) => select(find(condition), find(x), find(y), to),
            Instruction::Field(x, shift, width) => one(find(x), to, |x| field(x, shift, width)),
        }
        registers[*own as usize] = row;
    }
}

#[inline(always)]
fn one<F: Fn(f64) -> f64>(x: Value<'_>, to: &mut [f64], f: F) {
    match x {
        Value::Row(x) => map(x, to, f),
        Value::Own => change(to, f),
        Value::Number(x) => to.fill(f(x)),
    }
}

#[inline(always)]
fn two<F: Fn(f64, f64) -> f64>(x: Value<'_>, y: Value<'_>, to: &mut [f64], f: F) {
    match (x, y) {
        (Value::Row(x), Value::Row(y)) => join(x, y, to, f),
        (Value::Row(x), Value::Number(y)) => map(x, to, |x| f(x, y)),
        (Value::Number(x), Value::Row(y)) => map(y, to, |y| f(x, y)),
        (Value::Own, Value::Number(y)) => change(to, |x| f(x, y)),
        (Value::Number(x), Value::Own) => change(to, |y| f(x, y)),
        (Value::Own, Value::Row(y)) => change_by(y, to, f),
        (Value::Row(x), Value::Own) => change_by(x, to, |y, x| f(x, y)),
        (Value::Own, Value::Own) => change(to, |x| f(x, x)),
        (Value::Number(x), Value::Number(y)) => to.fill(f(x, y)),
    }
}

fn select(condition: Value<'_>, x: Value<'_>, y: Value<'_>, to: &mut [f64]) {
    let pick = |condition: f64, x: f64, y: f64| if condition != 0.0 { x } else { y };
    match (condition, x, y) {
        (Value::Number(condition), x, y) => {
            let chosen = if condition != 0.0 { x } else { y };
            one(chosen, to, |value| value);
        }
        (Value::Row(condition), Value::Number(x), y) => {
            two(Value::Row(condition), y, to, |c, y| pick(c, x, y))
        }
        (Value::Own, Value::Number(x), y) => two(Value::Own, y, to, |c, y| pick(c, x, y)),
        (Value::Row(condition), x, Value::Number(y)) => {
            two(Value::Row(condition), x, to, |c, x| pick(c, x, y))
        }
        (Value::Own, x, Value::Number(y)) => two(Value::Own, x, to, |c, x| pick(c, x, y)),
        (Value::Row(condition), Value::Row(x), Value::Row(y)) => join_three(condition, x, y, to),
        (Value::Own, Value::Row(x), Value::Row(y)) => change_by_two(x, y, to, pick),
        (Value::Row(condition), Value::Own, Value::Row(y)) => {
            change_by_two(condition, y, to, |x, condition, y| pick(condition, x, y));
        }
        (Value::Row(condition), Value::Row(x), Value::Own) => {
            change_by_two(condition, x, to, |y, condition, x| pick(condition, x, y));
        }
        (Value::Row(_), Value::Own, Value::Own) => {}
        (Value::Own, Value::Own, Value::Row(y)) => change_by(y, to, |x, y| pick(x, x, y)),
        (Value::Own, Value::Row(x), Value::Own) => change_by(x, to, |y, x| pick(y, x, y)),
        (Value::Own, Value::Own, Value::Own) => {}
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn map<F: Fn(f64) -> f64>(x: &[f64], to: &mut [f64], f: F) {
    for (to, x) in to.iter_mut().zip(x) {
        *to = f(*x);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn change<F: Fn(f64) -> f64>(to: &mut [f64], f: F) {
    for to in to {
        *to = f(*to);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn join<F: Fn(f64, f64) -> f64>(x: &[f64], y: &[f64], to: &mut [f64], f: F) {
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        *to = f(*x, *y);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn change_by<F: Fn(f64, f64) -> f64>(x: &[f64], to: &mut [f64], f: F) {
    for (to, x) in to.iter_mut().zip(x) {
        *to = f(*to, *x);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn join_three(condition: &[f64], x: &[f64], y: &[f64], to: &mut [f64]) {
    for (((to, condition), x), y) in to.iter_mut().zip(condition).zip(x).zip(y) {
        *to = if *condition != 0.0 { *x } else { *y };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn change_by_two<F: Fn(f64, f64, f64) -> f64>(x: &[f64], y: &[f64], to: &mut [f64], f: F) {
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        *to = f(*to, *x, *y);
    }
}

/// Writes a result, NaN where it has no data, and says how many cells lost theirs in the arithmetic.
pub fn result(output: &Output, work: Work<'_>, registers: &[Vec<f64>], to: &mut [f64]) -> u64 {
    let lost = match output.origin {
        Origin::Pair(operation, x, y) => {
            with_binary!(operation, |f| join_finite(work.input(x), work.input(y), to, f))
        }
        Origin::Operand(Operand::Register(register)) => {
            settle(output, work, &registers[register as usize][..work.cells], to)
        }
        Origin::Operand(Operand::Input(row)) => settle(output, work, work.input(row), to),
        Origin::Operand(Operand::Constant(number)) => {
            to.fill(if number.is_finite() { number } else { f64::NAN });
            let count = |there: bool| if there { work.cells as u32 } else { 0 };
            gone(output, work, [count(number.is_nan()), count(number.is_infinite())], to)
        }
    };
    if output.masks {
        output.uses.iter().for_each(|row| mask(work.input(*row), to));
    }
    lost
}

/// Takes over values that are finite, and counts the others unless an input was missing.
fn settle(output: &Output, work: Work<'_>, values: &[f64], to: &mut [f64]) -> u64 {
    match (output.names_nodata, output.uses.as_slice()) {
        (false, [x]) => finite_of_two(values, work.input(*x), work.input(*x), to),
        (false, [x, y]) => finite_of_two(values, work.input(*x), work.input(*y), to),
        _ => {
            let found = finite(values, to);
            gone(output, work, found, to)
        }
    }
}

/// Cells that lost their data, of which some are missing and some were infinite.
fn gone(output: &Output, work: Work<'_>, [missing, infinite]: [u32; 2], to: &[f64]) -> u64 {
    if missing + infinite == 0 {
        0
    } else if output.names_nodata {
        u64::from(infinite)
    } else {
        lost(output, work, to)
    }
}

/// Counts missing cells all of whose inputs are there.
fn lost(output: &Output, work: Work<'_>, to: &[f64]) -> u64 {
    let there = |cell: usize| output.uses.iter().all(|row| !work.input(*row)[cell].is_nan());
    to.iter().enumerate().filter(|(cell, value)| value.is_nan() && there(*cell)).count() as u64
}

/// Joins two rows and takes over values that are finite; counts the others unless an input was missing.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn join_finite<F: Fn(f64, f64) -> f64>(x: &[f64], y: &[f64], to: &mut [f64], f: F) -> u64 {
    let mut lost = 0;
    for ((to, x), y) in to.iter_mut().zip(x).zip(y) {
        let value = f(*x, *y);
        let there = value.is_finite();
        lost += u64::from(!there & !x.is_nan() & !y.is_nan());
        *to = if there { value } else { f64::NAN };
    }
    lost
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn finite_of_two(from: &[f64], x: &[f64], y: &[f64], to: &mut [f64]) -> u64 {
    let mut lost = 0;
    for (((to, value), x), y) in to.iter_mut().zip(from).zip(x).zip(y) {
        let there = value.is_finite();
        lost += u64::from(!there & !x.is_nan() & !y.is_nan());
        *to = if there { *value } else { f64::NAN };
    }
    lost
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn finite(from: &[f64], to: &mut [f64]) -> [u32; 2] {
    let (mut missing, mut infinite) = (0_u64, 0_u64);
    for (to, value) in to.iter_mut().zip(from) {
        missing += u64::from(value.is_nan());
        infinite += u64::from(value.is_infinite());
        *to = if value.is_finite() { *value } else { f64::NAN };
    }
    [missing as u32, infinite as u32]
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn mask(input: &[f64], to: &mut [f64]) {
    for (to, input) in to.iter_mut().zip(input) {
        *to = if input.is_nan() { f64::NAN } else { *to };
    }
}
