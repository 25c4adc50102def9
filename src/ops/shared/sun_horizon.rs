//! The kernel of what follows from the horizon in one direction: shadow and horizon angle.

use super::arctangent::arctangent;
use super::relief::ReliefParams;
use super::sky_ground::{mask_row, RvtGround};
use super::sky_pyramid::{self, Pyramid};
use super::sky_search::{nearest_direction, Heights, SkySearch};
use crate::core::prelude::*;
use multiversion::multiversion;
use ndarray::{ArrayViewMut2, Axis};
use std::any::Any;
use std::f64::consts::TAU;
use std::ops::Range;

params! {
    /// Parameters of a search towards one azimuth.
    pub struct SunParams {
        ..relief: ReliefParams;
        azimuth: f64 = 315.0, in 0.0..=360.0, "degree", "Direction looked at, clockwise from north.";
        radius: Length = Length::Cells(100.0), in 1..=1000, "cells", "How far the horizon is searched.";
        directions: i64 = 32, in 1..=360, "",
            "Under RVT compatibility: the azimuth is the nearest of so many directions.";
    }
}

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
    /// RVT's coarse grids look at the whole raster.
    ground: Option<RvtGround>,
}

impl SunHorizon {
    /// One band. `operation` is named when cells are not square.
    pub fn build(
        operation: &str,
        params: SunParams,
        measure: SunMeasure,
        grid: &Grid,
        compatibility: Compatibility,
    ) -> Result<Box<dyn Kernel>> {
        let heights = Heights::new(operation, params.relief.vertical_exaggeration, grid, compatibility)?;
        let angle = sun_angle(params.azimuth, params.directions as usize, compatibility);
        let search = SkySearch::new(&[Some(angle)], params.radius.cells(grid), heights);
        let ground = (compatibility == Compatibility::Rvt).then(|| RvtGround::new(&search));
        Ok(Box::new(Self { search, measures: vec![measure], ground }))
    }
}

/// Where the sun's ray runs, in radians counter-clockwise: exactly, or as RVT does.
pub fn sun_angle(azimuth: f64, directions: usize, compatibility: Compatibility) -> f64 {
    match compatibility {
        Compatibility::None => TAU - azimuth.to_radians(),
        Compatibility::Rvt => nearest_direction(directions, azimuth),
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
        let pyramid = Pyramid::new(&self.search, tile, self.ground.as_ref());
        Box::new(OnTile { tile, pyramid, measures: &self.measures, masked: self.ground.is_some() })
    }

    fn question(&self) -> Option<Question> {
        self.ground.as_ref().and_then(RvtGround::question)
    }

    fn answer(&mut self, answer: Answer) {
        if let (Answer::Ground(found), Some(ground)) = (answer, &mut self.ground) {
            ground.set(&found);
        }
    }

    fn tile_memory(&self, rows: usize, cols: usize) -> usize {
        sky_pyramid::memory(&self.search, rows, cols, self.ground.is_some())
    }

    fn absorb(&mut self, other: &dyn Kernel) -> Option<Vec<usize>> {
        let other: &SunHorizon = other.as_any().downcast_ref()?;
        if other.search != self.search {
            return None;
        }
        Some(merge_measures(&mut self.measures, &other.measures))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    tile: Tile<'a>,
    pyramid: Pyramid<'a>,
    measures: &'a [SunMeasure],
    /// The pyramid sees heights in missing cells.
    masked: bool,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let tangents = &self.pyramid.horizon(row, &columns)[..columns.len()];
        for (measure, band) in self.measures.iter().zip(out.axis_iter_mut(Axis(0))) {
            let band = band.into_slice().expect("outputs have contiguous rows");
            measure_row(*measure, tangents, band);
            if self.masked {
                mask_row(self.tile.row(row, 0, columns.clone(), 0), band);
            }
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
