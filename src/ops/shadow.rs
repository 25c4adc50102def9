//! Shadow: 1 where the sun shines, 0 where higher ground stands before it.
//!
//! One ray runs towards the sun's azimuth; the cell is lit where the horizon there is lower than the sun. Missing cells,
//! and what lies beyond the raster, never obstruct. NaN in, NaN out.

use super::shared::relief::ReliefParams;
use super::shared::sky_search::{Heights, SkySearch};
use super::shared::sun_horizon::{SunHorizon, SunMeasure};
use super::sky_illumination::sun_angle;
use crate::core::prelude::*;

params! {
    /// Parameters of shadow.
    pub struct Params {
        ..relief: ReliefParams;
        azimuth: f64 = 315.0, in 0.0..=360.0, "degree", "Direction of the sun, clockwise from north.";
        elevation: f64 = 35.0, in 0.0..=90.0, "degree", "Height of the sun above the horizon.";
        radius: Length = Length::Cells(100.0), in 1..=1000, "cells", "How far higher ground is looked for.";
        directions: i64 = 32, in 1..=360, "",
            "Under RVT compatibility: the azimuth is the nearest of so many directions.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "shadow",
    aliases: &[],
    title: "Shadow",
    summary: "Cast shadow: 1 where the sun shines, 0 where higher ground stands before it.",
    formula: "1 where horizon_angle < elevation of the sun, else 0",
    reference: "Zakšek, Oštir & Kokalj 2011, Sky-view factor as a relief visualization technique",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Shadow", "", (0.0, 1.0))],
    stretch: |_| Stretch { min: 0.0, max: 1.0, invert: false },
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        let exaggeration = params.relief.vertical_exaggeration;
        let heights = Heights::new(OPERATION.id, exaggeration, grid, compatibility)?;
        let angle = sun_angle(params.azimuth, params.directions as usize, compatibility);
        let search = SkySearch::new(&[Some(angle)], params.radius.cells(grid), heights);
        let sun = params.elevation.to_radians().tan() as f32;
        Ok(Box::new(SunHorizon::new(search, SunMeasure::Lit(sun))))
    },
};
