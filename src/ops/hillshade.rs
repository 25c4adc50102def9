//! Hillshade: how bright the surface is under one distant light.
//!
//! `cos(Z) cos(s) + sin(Z) sin(s) cos(a - A)` for slope `s`, aspect `a`, zenith distance `Z` and azimuth `A` of the
//! light, clipped at 0. Computed without trigonometry per cell: `sin(atan t) = t / sqrt(1 + t^2)`. Edges, nodata
//! and cost as in `shared/gradient.rs`.

use super::shared::gradient::GradientKernel;
use super::shared::gradient_row::{Light, Measure};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

params! {
    /// Parameters of hillshade.
    pub struct Params {
        ..relief: ReliefParams;
        azimuth: f64 = 315.0, in 0.0..=360.0, "degree", "Direction of the light, clockwise from north.";
        elevation: f64 = 35.0, in 0.0..=90.0, "degree", "Height of the light above the horizon.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "hillshade",
    aliases: &[],
    title: "Hillshade",
    summary: "Brightness of the surface under one distant light. Reads like a photograph; relief along the light \
              stays hidden.",
    formula: "max(cos Z cos s + sin Z sin s cos(a - A), 0), for slope s, aspect a, and a light of azimuth \
              A and zenith distance Z = 90 - elevation",
    reference: "Horn 1981, doi:10.1109/PROC.1981.11918 (with the four direct neighbours)",
    file_name: "HS_A{azimuth}_H{elevation}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Hillshade", "", (0.0, 1.0))],
    stretch: |_, _| Stretch::values(0.0, 1.0),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let light = Light::new(params.azimuth, params.elevation);
        let measures = vec![Measure::Hillshade(light)];
        Ok(Box::new(GradientKernel::new(params.relief.vertical_exaggeration, grid, measures)))
    },
};
