//! Local dominance: how much an observer here overlooks the surroundings.
//!
//! From distances `d = min, min + step, ... <= max` in directions `angular_step` apart, with observer height `h`:
//! `sum max(z + h - z_sample, 0) / d * (2d + step)`, divided by the same sum over a plain, where it is 1. Missing samples
//! add nothing. Beyond the raster's edge the edge cells are repeated. Distances are cells, heights metres (as in RVT).
//! NaN in, NaN out. Cost: five operations per sample, 264 samples by default.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::shared::relief::ReliefParams;
use crate::core::prelude::*;
use multiversion::multiversion;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

params! {
    /// Parameters of local dominance.
    pub struct Params {
        ..relief: ReliefParams;
        radius_min: Length = Length::Cells(10.0), in 1..=1000, "cells", "Nearest distance looked at.";
        radius_max: Length = Length::Cells(20.0), in 1..=1000, "cells", "Farthest distance looked at.";
        radius_step: Length = Length::Cells(1.0), in 1..=1000, "cells", "From one distance to the next.";
        angular_step: f64 = 15.0, in 1.0..=180.0, "degree", "From one direction to the next.";
        observer_height: f64 = 1.7, in 0.01..=1000.0, "m", "Height of the eyes above the ground.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "local_dominance",
    aliases: &[],
    title: "Local dominance",
    summary: "How much an observer overlooks the surroundings: mounds and banks are bright, hollows dark; good for \
              very faint relief.",
    formula: "sum max(z + h - z_sample, 0) / d * (2d + step) over distances d and directions, divided by \
              the same sum on a plain; observer height h",
    reference: "Hesse 2016, Visualisierung hochauflösender digitaler Geländemodelle mit LiVT",
    file_name: "LD_R_M{radius_min}-{radius_max}_DI{radius_step}_A{angular_step}_OH{observer_height}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Local dominance", "", (0.0, f64::INFINITY))],
    stretch: |_, _| Stretch::values(0.5, 1.8),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let cells = |length: Length| length.cells(grid);
        let (min, max, step) = (cells(params.radius_min), cells(params.radius_max), cells(params.radius_step));
        if min > max || (min < max && step > max - min) {
            return Err(Error::Argument(format!(
                "radius_min = {min}, radius_max = {max}, radius_step = {step} (cells) are not allowed together; allowed: \
                 radius_min at most radius_max, and a step that stays between them"
            )));
        }
        grid.square_cell(OPERATION.id)?;
        Ok(Box::new(LocalDominance::new(&params, [min, max, step], grid.south_up)))
    },
};

/// A sample: where it is, and what its height difference counts.
struct Sample {
    row: isize,
    col: isize,
    /// Exaggeration times weight.
    factor: f32,
    /// Observer height times weight.
    observer: f32,
}

struct LocalDominance {
    samples: Vec<Sample>,
    radius: usize,
}

impl LocalDominance {
    /// Nearest and farthest distance and the step between, in cells.
    fn new(params: &Params, [min, max, step]: [usize; 3], south_up: bool) -> Self {
        let distances = (min..=max).step_by(step).map(|distance| distance as f64);
        let directions = (359.0 / params.angular_step + 1.0) as usize;
        let weight = |distance: f64| (2.0 * distance + step as f64) / distance;
        let plain: f64 = distances.clone().map(|distance| params.observer_height * weight(distance)).sum();
        let total = plain * directions as f64;
        let sample = |direction: usize, distance: f64| {
            let angle = (direction as f64 * params.angular_step).to_radians();
            let share = weight(distance) / total;
            let row = -(distance * angle.sin()).round_ties_even() as isize;
            Sample {
                row: if south_up { -row } else { row },
                col: -(distance * angle.cos()).round_ties_even() as isize,
                factor: (params.relief.vertical_exaggeration * share) as f32,
                observer: (params.observer_height * share) as f32,
            }
        };
        let samples =
            (0..directions).flat_map(|direction| distances.clone().map(move |d| (direction, d)));
        // The step may not end on the largest distance.
        let radius = max - (max - min) % step;
        Self { samples: samples.map(|(direction, d)| sample(direction, d)).collect(), radius }
    }
}

impl Kernel for LocalDominance {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        self.radius
    }

    fn edge(&self) -> Edge {
        Edge::Clamp
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let stride = tile.stride() as isize;
        let flat = |sample: &Sample| (sample.row * stride + sample.col, sample.factor, sample.observer);
        Box::new(OnTile { tile, samples: self.samples.iter().map(flat).collect() })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    tile: Tile<'a>,
    /// Offset in the flat array, factor, observer.
    samples: Vec<(isize, f32, f32)>,
}

/// Cells computed together; their sums stay in registers.
const BLOCK: usize = 32;

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let first = self.tile.row_start(row) + columns.start;
        let mut out = out.row_mut(0);
        let out = out.as_slice_mut().expect("outputs have contiguous rows");
        dominance_row(self.tile.flat(), first, &self.samples, out);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn dominance_row(heights: &[f32], first: usize, samples: &[(isize, f32, f32)], out: &mut [f32]) {
    let columns = out.len();
    if columns < BLOCK {
        for column in 0..columns {
            out[column] = dominance::<1>(heights, first + column, samples)[0];
        }
        return;
    }
    for start in (0..columns).step_by(BLOCK) {
        // The last block overlaps the one before and repeats some cells with the same result.
        let column = start.min(columns - BLOCK);
        let block = dominance::<BLOCK>(heights, first + column, samples);
        out[column..column + BLOCK].copy_from_slice(&block);
    }
}

#[inline(always)]
fn dominance<const N: usize>(heights: &[f32], at: usize, samples: &[(isize, f32, f32)]) -> [f32; N] {
    let lanes = |at: usize| -> &[f32; N] { heights[at..at + N].first_chunk().expect("N heights") };
    let centre = *lanes(at);
    let mut sums = [0.0; N];
    for (offset, factor, observer) in samples {
        let sample = lanes(at.wrapping_add_signed(*offset));
        for lane in 0..N {
            let above = (centre[lane] - sample[lane]) * factor + observer;
            sums[lane] += if above > 0.0 { above } else { 0.0 };
        }
    }
    for lane in 0..N {
        // Zero, or NaN for a missing cell.
        sums[lane] += centre[lane].abs() * 0.0;
    }
    sums
}
