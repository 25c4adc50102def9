//! Aspect: which way the surface faces.
//!
//! `atan2(e, n)` with the gradients of `shared/gradient.rs`: the azimuth of the descent, clockwise from north, in
//! (-180, 180] degrees; 0 on level ground. Edges, nodata and cost as there.

use super::shared::gradient::GradientKernel;
use super::shared::gradient_row::Measure;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

choices! {
    /// Unit of the aspect.
    pub enum Unit {
        /// Degrees.
        Degree = "degree",
        /// Radians.
        Radian = "radian",
    }
}

params! {
    /// Parameters of aspect.
    pub struct Params {
        ..relief: ReliefParams;
        unit: Unit = Unit::Degree, "Unit of the azimuth.";
    }
}

fn half_turn(unit: Unit) -> f64 {
    match unit {
        Unit::Degree => 180.0,
        Unit::Radian => std::f64::consts::PI,
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "aspect",
    aliases: &[],
    title: "Aspect",
    summary: "Azimuth of the descent, clockwise from north: 0 north, 90 east, 180 south, -90 west; 0 on level \
              ground.",
    formula: "atan2(e, n), with e and n as for slope",
    reference: "Horn 1981, doi:10.1109/PROC.1981.11918 (with the four direct neighbours)",
    file_name: "ASPECT[_{unit}]",
    parameters: Params::specs,
    bands: |values| {
        let unit = Params::from_values(values).unit;
        let name = if unit == Unit::Degree { "degree" } else { "radian" };
        vec![Band::new("Aspect", name, (-half_turn(unit), half_turn(unit)))]
    },
    stretch: |values, _| {
        let half = half_turn(Params::from_values(values).unit);
        Stretch::values(-half, half)
    },
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let measure = match params.unit {
            Unit::Degree => Measure::AspectDegrees,
            Unit::Radian => Measure::AspectRadians,
        };
        Ok(Box::new(GradientKernel::new(params.relief.vertical_exaggeration, grid, vec![measure])))
    },
};
