//! Shadow: 1 where the sun shines, 0 where higher ground stands before it.
//!
//! One ray runs towards the sun's azimuth; the cell is lit where the horizon there is lower than the sun. Missing cells,
//! and what lies beyond the raster, never obstruct. NaN in, NaN out.

use super::shared::sun_horizon::{SunHorizon, SunMeasure, SunParams};
use crate::core::prelude::*;

params! {
    /// Parameters of shadow.
    pub struct Params {
        ..sun: SunParams;
        elevation: f64 = 35.0, in 0.0..=90.0, "degree", "Height of the sun above the horizon.";
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
    file_name: "shadow_A{azimuth}_H{elevation}[_R{radius}][_D{directions}]",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Shadow", "", (0.0, 1.0))],
    stretch: |_, _| Stretch::values(0.0, 1.0),
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        let sun = params.elevation.to_radians().tan() as f32;
        SunHorizon::build(OPERATION.id, params.sun, SunMeasure::Lit(sun), grid, compatibility)
    },
};
