//! The kernel of what follows from the horizon in one direction: shadow and horizon angle.

use super::arctangent::arctangent;
use super::sky_pyramid::{self, Pyramid};
use super::sky_search::SkySearch;
use crate::core::prelude::*;
use multiversion::multiversion;
use ndarray::{ArrayViewMut2, Axis};
use std::any::Any;
use std::ops::Range;

/// One band of the kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SunMeasure {
    /// 1 where the horizon's tangent is below this, 0 where it is not.
    Lit(f32),
    /// Height of the horizon in degrees.
    Angle,
}

/// Any measures from one search in one direction.
pub struct SunHorizon {
    search: SkySearch,
    measures: Vec<SunMeasure>,
}

impl SunHorizon {
    /// One band; `search` has one direction.
    pub fn new(search: SkySearch, measure: SunMeasure) -> Self {
        Self { search, measures: vec![measure] }
    }
}

impl Kernel for SunHorizon {
    fn bands(&self) -> usize {
        self.measures.len()
    }

    fn radius(&self) -> usize {
        self.search.radius()
    }

    fn edge(&self) -> Edge {
        Edge::Open
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        Box::new(OnTile { pyramid: Pyramid::new(&self.search, tile), measures: &self.measures })
    }

    fn tile_memory(&self, rows: usize, cols: usize) -> usize {
        sky_pyramid::memory(&self.search, rows, cols)
    }

    fn absorb(&mut self, other: &dyn Kernel) -> Option<Vec<usize>> {
        let other: &SunHorizon = other.as_any().downcast_ref()?;
        if other.search != self.search {
            return None;
        }
        let place = |measure: &SunMeasure| {
            self.measures.iter().position(|known| known == measure).unwrap_or_else(|| {
                self.measures.push(*measure);
                self.measures.len() - 1
            })
        };
        Some(other.measures.iter().map(place).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    pyramid: Pyramid<'a>,
    measures: &'a [SunMeasure],
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let tangents = &self.pyramid.horizon(row, &columns)[..columns.len()];
        for (measure, band) in self.measures.iter().zip(out.axis_iter_mut(Axis(0))) {
            let band = band.into_slice().expect("outputs have contiguous rows");
            measure_row(*measure, tangents, band);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn measure_row(measure: SunMeasure, tangents: &[f32], out: &mut [f32]) {
    const DEGREES: f32 = (180.0 / std::f64::consts::PI) as f32;
    for (out, tangent) in out.iter_mut().zip(tangents) {
        *out = match measure {
            // NaN for a missing cell, whose tangent is NaN.
            SunMeasure::Lit(sun) => (if *tangent < sun { 1.0 } else { 0.0 }) + tangent * 0.0,
            SunMeasure::Angle => arctangent(*tangent) * DEGREES,
        };
    }
}
