//! Horizon angle: how high the horizon stands in one direction, in degrees; 0 where nothing rises above the cell.
//!
//! One ray runs towards the azimuth. Missing cells, and what lies beyond the raster, never obstruct. NaN in, NaN out.

use super::shared::sun_horizon::{SunHorizon, SunMeasure, SunParams};
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "horizon_angle",
    aliases: &[],
    title: "Horizon angle",
    summary: "Height of the horizon in one direction: how high the sun must stand there to reach the ground.",
    formula: "atan(max(0, max (z_sample - z) / distance)) along one azimuth; beyond 20 cells on grids \
              coarser by 2 that keep the highest cell",
    reference: "Zakšek, Oštir & Kokalj 2011, Sky-view factor as a relief visualization technique",
    file_name: "HORIZON_A{azimuth}[_R{radius}][_D{directions}]",
    parameters: SunParams::specs,
    bands: |_| vec![Band::new("Horizon angle", "degree", (0.0, 90.0))],
    stretch: |_, _| Stretch::values(0.0, 60.0),
    build: |values, grid, compatibility| {
        let params = SunParams::from_values(values);
        SunHorizon::build(OPERATION.id, params, SunMeasure::Angle, grid, compatibility)
    },
};
