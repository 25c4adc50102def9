//! Slope: how steep the surface is.
//!
//! `atan(sqrt(e^2 + n^2))` with the gradients of `shared/gradient.rs`, or `100 sqrt(e^2 + n^2)` in per cent.
//! Edges, nodata and cost as there. The angle is a polynomial within 1e-6 rad.

use super::shared::gradient::GradientKernel;
use super::shared::gradient_row::Measure;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

choices! {
    /// Unit of the slope.
    pub enum Unit {
        /// Angle in degrees.
        Degree = "degree",
        /// Rise over run, times 100.
        Percent = "percent",
        /// Angle in radians.
        Radian = "radian",
    }
}

params! {
    /// Parameters of slope.
    pub struct Params {
        ..relief: ReliefParams;
        unit: Unit = Unit::Degree, "Unit of the slope.";
    }
}

/// Steepest slope, in degrees, that still has its own grey in the 8-bit picture.
const DISPLAY_LIMIT: f64 = 51.0;

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Degree => "degree",
            Unit::Percent => "percent",
            Unit::Radian => "radian",
        }
    }

    fn of_degrees(self, degrees: f64) -> f64 {
        match self {
            Unit::Degree => degrees,
            Unit::Percent => 100.0 * degrees.to_radians().tan(),
            Unit::Radian => degrees.to_radians(),
        }
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "slope",
    aliases: &[],
    title: "Slope",
    summary: "Steepness of the surface. Shows banks, terraces and ditches whatever way they face.",
    formula: "atan(sqrt(e² + n²)), with the fall e = (z_west - z_east) / 2w and n = (z_south - z_north) / \
              2h between the direct neighbours, cells w wide and h high",
    reference: "Horn 1981, doi:10.1109/PROC.1981.11918 (with the four direct neighbours)",
    file_name: "SLOPE[_{unit}]",
    parameters: Params::specs,
    bands: |values| {
        let unit = Params::from_values(values).unit;
        let steepest = if unit == Unit::Percent { f64::INFINITY } else { unit.of_degrees(90.0) };
        vec![Band::new("Slope", unit.name(), (0.0, steepest))]
    },
    stretch: |values, _| {
        let unit = Params::from_values(values).unit;
        Stretch::values(0.0, unit.of_degrees(DISPLAY_LIMIT)).inverted()
    },
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let measure = match params.unit {
            Unit::Degree => Measure::SlopeDegrees,
            Unit::Percent => Measure::SlopePercent,
            Unit::Radian => Measure::SlopeRadians,
        };
        Ok(Box::new(GradientKernel::new(params.relief.vertical_exaggeration, grid, vec![measure])))
    },
};
