//! Where sky illumination and shadow look for the horizon: near by in every cell, farther out in coarser grids.
//!
//! A level's cells are twice as large as those of the level before. The finest is searched from 1 to 20 cells, the
//! next ones from 10 to 20 of their own cells, the coarsest one as far as the radius goes.

use super::horizon_scan::{ray, Step};
use crate::core::prelude::*;

/// Directions searched together.
pub const GROUP: usize = 4;

/// Cells searched in every level but the coarsest.
const LEVEL_RADIUS: usize = 20;

/// Nearest cells of the coarser levels: what is nearer was seen in the level before.
const LEVEL_START: f64 = 10.0;

/// How heights become tangents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heights {
    /// Exaggeration divided by cell size; under RVT compatibility the exaggeration alone (Q9).
    pub scale: f64,
    /// The first row is the southernmost one.
    pub south_up: bool,
    /// Heights below 0 count as 0 in the coarser grids (RVT, Q11).
    pub clipped: bool,
}

impl Heights {
    /// Heights on `grid`. `operation` is named when cells are not square.
    pub fn new(
        operation: &str,
        exaggeration: f64,
        grid: &Grid,
        compatibility: Compatibility,
    ) -> Result<Self> {
        let cell = grid.square_cell(operation)?;
        let rvt = compatibility == Compatibility::Rvt;
        let scale = if rvt { exaggeration } else { exaggeration / cell };
        Ok(Self { scale, south_up: grid.south_up, clipped: rvt })
    }
}

/// How far the samples of a level lie from the cell, in the level's cells and on a raster with north up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reach {
    /// To the north.
    pub up: usize,
    /// To the south.
    pub down: usize,
    /// To the west.
    pub left: usize,
    /// To the east.
    pub right: usize,
}

impl Reach {
    fn of(rays: &[Vec<Step>]) -> Self {
        let most =
            |part: fn(&Step) -> i32| rays.iter().flatten().map(part).max().unwrap_or(0).max(0) as usize;
        Self {
            up: most(|step| -step.row),
            down: most(|step| step.row),
            left: most(|step| -step.column),
            right: most(|step| step.column),
        }
    }

    /// Cells of the raster that matter around a cell, at the least favourable place of the coarse grids: up-sampling
    /// looks at the coarse cells before and after, and a coarse cell reaches over finer ones before it.
    fn cells(self, level: usize) -> usize {
        let finer = (1 << level) - 1;
        let before = (self.up.max(self.left) << level) + 2 * finer;
        before.max((self.down.max(self.right) << level) + finer)
    }
}

/// Directions and levels of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SkySearch {
    /// Radians counter-clockwise from north; a multiple of [`GROUP`]. None: nothing is searched.
    slots: Vec<Option<f64>>,
    /// Radius of the search in every level, the finest first.
    radii: Vec<usize>,
    reaches: Vec<Reach>,
    heights: Heights,
}

impl SkySearch {
    /// `radius` is in cells of the raster.
    pub fn new(angles: &[Option<f64>], radius: usize, heights: Heights) -> Self {
        let mut slots = angles.to_vec();
        slots.resize(angles.len().next_multiple_of(GROUP), None);
        let mut radii = Vec::new();
        let mut last = radius as f64;
        while last > LEVEL_RADIUS as f64 {
            radii.push(LEVEL_RADIUS);
            last /= 2.0;
        }
        radii.push(last.round_ties_even() as usize);
        let mut search = Self { slots, radii, reaches: Vec::new(), heights };
        search.reaches =
            (0..search.radii.len()).map(|level| Reach::of(&search.northern_rays(level))).collect();
        search
    }

    /// Directions with their fillers.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How heights become tangents.
    pub fn heights(&self) -> Heights {
        self.heights
    }

    /// How far the samples of every level lie from the cell.
    pub fn reaches(&self) -> &[Reach] {
        &self.reaches
    }

    /// Cells of the raster that matter around a cell.
    pub fn radius(&self) -> usize {
        let levels = self.reaches.iter().enumerate();
        levels.map(|(level, reach)| reach.cells(level)).max().unwrap_or(0)
    }

    /// Samples of all directions in a level. Coarser grids are kept with the northernmost row first.
    pub fn rays(&self, level: usize) -> Vec<Vec<Step>> {
        let mut rays = self.northern_rays(level);
        if level == 0 && self.heights.south_up {
            rays.iter_mut().flatten().for_each(|step| step.row = -step.row);
        }
        rays
    }

    fn northern_rays(&self, level: usize) -> Vec<Vec<Step>> {
        let start = if level == 0 { 1.0 } else { LEVEL_START };
        let radius = self.radii[level] as f64;
        let steps = |angle: &Option<f64>| angle.map_or(Vec::new(), |angle| ray(angle, radius, start).steps);
        self.slots.iter().map(steps).collect()
    }
}

/// Angles of `directions`, those with rays of the same length side by side: little is wasted by filling up.
pub fn directions(directions: usize) -> Vec<f64> {
    let mut rays = super::horizon_scan::rays(directions, LEVEL_RADIUS as f64, 1.0);
    rays.sort_by_key(|ray| ray.steps.len());
    rays.into_iter().map(|ray| ray.angle).collect()
}

/// The direction RVT takes for an azimuth: the nearest one after rounding to 0.1 degree, without going round (Q33).
pub fn nearest_direction(directions: usize, azimuth: f64) -> f64 {
    let angle = |index: usize| std::f64::consts::TAU / directions as f64 * index as f64;
    let gap = |index: &usize| (rounded_degrees(angle(*index)) - (360.0 - azimuth)).abs();
    angle((0..directions).min_by(|a, b| gap(a).total_cmp(&gap(b))).unwrap_or(0))
}

/// Degrees rounded to 0.1.
pub fn rounded_degrees(angle: f64) -> f64 {
    (angle.to_degrees() * 10.0).round_ties_even() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Heights = Heights { scale: 1.0, south_up: false, clipped: false };

    #[test]
    fn levels_and_radii_follow_the_specification() {
        for (radius, radii, needed) in [
            (1, vec![1], 1),
            (20, vec![20], 20),
            (21, vec![20, 10], 22),
            (100, vec![20, 20, 20, 12], 110),
            (41, vec![20, 20, 10], 46),
        ] {
            let search = SkySearch::new(&[Some(0.0)], radius, PLAIN);
            assert_eq!((&search.radii, search.radius()), (&radii, needed), "{radius}");
        }
    }

    #[test]
    fn a_ray_needs_what_it_reaches() {
        let needed = |degrees: f64| SkySearch::new(&[Some(degrees.to_radians())], 100, PLAIN).radius();
        // West, south, and eight coarse cells to the northwest.
        assert_eq!((needed(90.0), needed(180.0), needed(45.0)), (110, 103, 78));
    }

    #[test]
    fn rvt_takes_the_nearest_direction_without_going_round() {
        let degrees = |azimuth| nearest_direction(32, azimuth).to_degrees();
        assert!((degrees(315.0) - 45.0).abs() < 1e-9);
        assert!((degrees(0.0) - 348.75).abs() < 1e-9);
    }
}
