//! Kernels of the eight neighbours of a cell.
//!
//! A missing neighbour, or one beyond the raster's edge, is replaced by the cell itself. NaN in, NaN out.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use crate::core::prelude::*;
use multiversion::multiversion;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

/// What becomes of the height differences `neighbour - cell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Root of the sum of their squares.
    RootOfSquares,
    /// Mean of their sizes.
    MeanSize,
    /// Largest minus smallest height, the cell's own among them.
    Span,
}

/// One band: a measure times a factor.
pub struct NeighbourKernel {
    measure: Measure,
    factor: f32,
    south_up: bool,
}

impl NeighbourKernel {
    /// For square cells; `operation` is named when they are not. Sizes do not mind the exaggeration's sign.
    pub fn build(
        operation: &str,
        measure: Measure,
        exaggeration: f64,
        grid: &Grid,
    ) -> Result<Box<dyn Kernel>> {
        grid.square_cell(operation)?;
        Ok(Box::new(Self { measure, factor: exaggeration.abs() as f32, south_up: grid.south_up }))
    }
}

impl Kernel for NeighbourKernel {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        1
    }

    fn edge(&self) -> Edge {
        Edge::Clamp
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        Box::new(OnTile { kernel: self, tile })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    kernel: &'a NeighbourKernel,
    tile: Tile<'a>,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        // From north to south: sums of rounded numbers have an order.
        let order = if self.kernel.south_up { [1, 0, -1] } else { [-1, 0, 1] };
        let rows = order.map(|down| self.tile.row(row, down, columns.clone(), 1));
        let mut out = out.row_mut(0);
        let out = out.as_slice_mut().expect("outputs have contiguous rows");
        let factor = self.kernel.factor;
        match self.kernel.measure {
            Measure::RootOfSquares => measure_row::<0>(rows, factor, out),
            Measure::MeanSize => measure_row::<1>(rows, factor, out),
            Measure::Span => measure_row::<2>(rows, factor, out),
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn measure_row<const MEASURE: u8>(rows: [&[f32]; 3], factor: f32, out: &mut [f32]) {
    let columns = out.len();
    let rows = rows.map(|row| &row[..columns + 2]);
    for column in 0..columns {
        let cell = rows[1][column + 1];
        let difference = |row: usize, step: usize| {
            let difference = rows[row][column + step] - cell;
            if difference.is_nan() {
                0.0
            } else {
                difference
            }
        };
        let around = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)];
        let differences = around.map(|(row, step)| difference(row, step));
        // Zero, or NaN for a missing cell.
        let missing = cell.abs() * 0.0;
        out[column] = measure::<MEASURE>(differences) * factor + missing;
    }
}

#[inline(always)]
fn measure<const MEASURE: u8>(differences: [f32; 8]) -> f32 {
    match MEASURE {
        0 => differences.iter().fold(0.0, |sum, difference| sum + difference * difference).sqrt(),
        1 => differences.iter().fold(0.0, |sum, difference| sum + difference.abs()) / 8.0,
        _ => {
            let highest = differences.iter().fold(0.0_f32, |most, d| if *d > most { *d } else { most });
            let lowest = differences.iter().fold(0.0_f32, |least, d| if *d < least { *d } else { least });
            highest - lowest
        }
    }
}
