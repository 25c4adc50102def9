//! The kernel of everything that follows from the horizon around a cell: sky-view factors and openness.
//!
//! Along each direction the largest tangent `(z_sample - z_cell) / distance` within the search radius is the
//! horizon `g = atan(t)`. Samples are the cells nearest to points every third of a cell along the ray. Missing
//! samples never obstruct; beyond the raster's edge the terrain is mirrored (as RVT does). Directions start in the
//! north and run counter-clockwise. Cost: one subtraction, product and maximum per sample.

use super::horizon_scan::{rays, scan_row, Measures, Plan, Ray};
use super::relief::ReliefParams;
use crate::core::prelude::*;
use ndarray::{ArrayViewMut2, Axis};
use std::any::Any;
use std::ops::Range;

choices! {
    /// How much of the search radius around the cell is left out, so that noise does not hide the relief.
    pub enum Noise {
        /// Nothing.
        None = "none",
        /// 10 %.
        Low = "low",
        /// 20 %.
        Medium = "medium",
        /// 40 %.
        High = "high",
    }
}

params! {
    /// Parameters of the search.
    pub struct HorizonParams {
        ..relief: ReliefParams;
        directions: i64 = 16, in 1..=360, "", "Number of directions searched.";
        radius: Length = Length::Cells(10.0), in 1..=1000, "cells", "How far the horizon is searched.";
        noise: Noise = Noise::None, "Leaves out the nearest 0, 10, 20 or 40 % of the radius.";
    }
}

/// One band of a horizon kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum HorizonMeasure {
    /// Share of the sky that is seen.
    SkyView,
    /// The same with a weight for each direction.
    Anisotropic(Vec<f64>),
    /// Mean zenith angle of the horizon, in degrees.
    Positive,
    /// The same of the surface turned upside down.
    Negative,
    /// Half of what the first is larger than the second.
    Difference,
}

/// What is searched. Kernels with equal searches share one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Search {
    directions: usize,
    radius: usize,
    minimum: f64,
    /// Exaggeration divided by cell size.
    scale: f64,
    south_up: bool,
}

/// Any of the measures from one search.
#[derive(Debug, Clone)]
pub struct HorizonKernel {
    search: Search,
    rays: Vec<Ray>,
    measures: Vec<HorizonMeasure>,
}

impl HorizonKernel {
    /// One band. `operation` is named when cells are not square.
    pub fn build(
        operation: &str,
        params: HorizonParams,
        grid: &Grid,
        measure: impl FnOnce(&[Ray]) -> HorizonMeasure,
    ) -> Result<Box<dyn Kernel>> {
        let cell = grid.square_cell(operation)?;
        let radius = params.radius.cells(grid);
        let left_out = [0.0, 10.0, 20.0, 40.0][params.noise as usize];
        let search = Search {
            directions: params.directions as usize,
            radius,
            minimum: (radius as f64 * left_out * 0.01).round_ties_even().max(1.0),
            scale: params.relief.vertical_exaggeration / cell,
            south_up: grid.south_up,
        };
        let mut rays = rays(search.directions, radius as f64, search.minimum);
        if search.south_up {
            rays.iter_mut().flat_map(|ray| &mut ray.steps).for_each(|step| step.row = -step.row);
        }
        let measures = vec![measure(&rays)];
        Ok(Box::new(Self { search, rays, measures }))
    }
}

impl Kernel for HorizonKernel {
    fn bands(&self) -> usize {
        self.measures.len()
    }

    fn radius(&self) -> usize {
        self.search.radius
    }

    fn edge(&self) -> Edge {
        Edge::Reflect
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let weights = self.measures.iter().find_map(|measure| match measure {
            HorizonMeasure::Anisotropic(weights) => Some(weights.as_slice()),
            _ => None,
        });
        let plan = Plan::new(&self.rays, tile.stride(), self.search.scale, weights);
        let subtracts = self.measures.contains(&HorizonMeasure::Difference);
        let openness = [(); 2].map(|()| vec![0.0; if subtracts { tile.cols() } else { 0 }]);
        Box::new(HorizonOnTile { kernel: self, tile, plan, openness, subtracts })
    }

    fn absorb(&mut self, other: &dyn Kernel) -> Option<Vec<usize>> {
        let other: &HorizonKernel = other.as_any().downcast_ref()?;
        let is_anisotropic = |measure: &&HorizonMeasure| matches!(measure, HorizonMeasure::Anisotropic(_));
        let mine = self.measures.iter().find(is_anisotropic);
        let others = other.measures.iter().find(is_anisotropic);
        // A scan carries one set of weights.
        if self.search != other.search || (mine.is_some() && others.is_some() && mine != others) {
            return None;
        }
        Some(merge_measures(&mut self.measures, &other.measures))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct HorizonOnTile<'a> {
    kernel: &'a HorizonKernel,
    tile: Tile<'a>,
    plan: Plan,
    /// Positive and negative openness of a row, when their difference is wanted.
    openness: [Vec<f32>; 2],
    subtracts: bool,
}

impl TileKernel for HorizonOnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let mut measures = Measures::default();
        let [positive, negative] = self.openness.each_mut().map(|row| &mut row[..]);
        if self.subtracts {
            measures.positive = Some(&mut positive[..columns.len()]);
            measures.negative = Some(&mut negative[..columns.len()]);
        }
        for (measure, band) in self.kernel.measures.iter().zip(out.axis_iter_mut(Axis(0))) {
            let band = band.into_slice();
            match measure {
                HorizonMeasure::SkyView => measures.sky_view = band,
                HorizonMeasure::Anisotropic(_) => measures.anisotropic = band,
                HorizonMeasure::Positive if !self.subtracts => measures.positive = band,
                HorizonMeasure::Negative if !self.subtracts => measures.negative = band,
                _ => {}
            }
        }
        let first = self.tile.row_start(row) + columns.start;
        scan_row(&self.plan, self.tile.flat(), first, columns.len(), &mut measures);
        if self.subtracts {
            self.subtract(out);
        }
    }
}

impl HorizonOnTile<'_> {
    /// Fills the bands that come from both opennesses.
    fn subtract(&self, mut out: ArrayViewMut2<'_, f32>) {
        let [positive, negative] = &self.openness;
        for (measure, band) in self.kernel.measures.iter().zip(out.axis_iter_mut(Axis(0))) {
            let band = band.into_slice().expect("outputs have contiguous rows");
            let width = band.len();
            match measure {
                HorizonMeasure::Positive => band.copy_from_slice(&positive[..width]),
                HorizonMeasure::Negative => band.copy_from_slice(&negative[..width]),
                HorizonMeasure::Difference => {
                    for ((out, above), below) in band.iter_mut().zip(positive).zip(negative) {
                        *out = (above - below) * 0.5;
                    }
                }
                HorizonMeasure::SkyView | HorizonMeasure::Anisotropic(_) => {}
            }
        }
    }
}
