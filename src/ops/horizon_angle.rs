//! Horizon angle: how high the horizon stands in one direction, in degrees; 0 where nothing rises above the cell.
//!
//! One ray runs towards the azimuth. Missing cells, and what lies beyond the raster, never obstruct. NaN in, NaN out.

use super::shared::relief::ReliefParams;
use super::shared::sky_search::{Heights, SkySearch};
use super::shared::sun_horizon::{SunHorizon, SunMeasure};
use super::sky_illumination::sun_angle;
use crate::core::prelude::*;

params! {
    /// Parameters of the horizon angle.
    pub struct Params {
        ..relief: ReliefParams;
        azimuth: f64 = 315.0, in 0.0..=360.0, "degree", "Direction looked at, clockwise from north.";
        radius: Length = Length::Cells(100.0), in 1..=1000, "cells", "How far the horizon is searched.";
        directions: i64 = 32, in 1..=360, "",
            "Under RVT compatibility: the azimuth is the nearest of so many directions.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "horizon_angle",
    aliases: &[],
    title: "Horizon angle",
    summary: "Height of the horizon in one direction: how high the sun must stand there to reach the ground.",
    formula: "atan(max(0, max (z_sample - z) / distance)) along one azimuth; beyond 20 cells on grids \
              coarser by 2 that keep the highest cell",
    reference: "Zakšek, Oštir & Kokalj 2011, Sky-view factor as a relief visualization technique",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Horizon angle", "degree", (0.0, 90.0))],
    stretch: |_| Stretch { min: 0.0, max: 60.0, invert: false },
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        let exaggeration = params.relief.vertical_exaggeration;
        let heights = Heights::new(OPERATION.id, exaggeration, grid, compatibility)?;
        let angle = sun_angle(params.azimuth, params.directions as usize, compatibility);
        let search = SkySearch::new(&[Some(angle)], params.radius.cells(grid), heights);
        Ok(Box::new(SunHorizon::new(search, SunMeasure::Angle)))
    },
};
