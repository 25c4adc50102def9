//! Plan curvature: how the surface bends across the slope.
//!
//! `-(r q^2 - 2 s p q + t p^2) / (p^2 + q^2)` with the derivatives, edges, nodata and level cells of
//! `shared/curvature.rs`: the second derivative at a right angle to the slope, positive where the ground is convex.
//! With the letters of `profile_curvature.rs` its size is the paper's `2 (D H^2 + E G^2 - F G H) / (G^2 + H^2)`; about
//! signs programs differ. It is not divided by the slope, which would make it the curvature of contour lines: that one
//! has no bound where the ground is nearly level. Cost: 9 reads per cell.

use super::shared::curvature::{CurvatureKernel, Direction};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "plan_curvature",
    aliases: &[],
    title: "Plan curvature",
    summary: "How the surface bends across the slope: spurs and ridges that run downhill are bright (convex, \
              positive), gullies and hollow ways dark (concave, negative). Nearly level ground shows the noise of its \
              heights. Edges, unit and level cells as for profile_curvature.",
    formula: "-(r q² - 2 s p q + t p²) / (p² + q²), with p, q, r, s and t as for profile_curvature",
    reference: "Zevenbergen & Thorne 1987, doi:10.1002/esp.3290120107; checked against SAGA 8.5.0, cross-sectional \
                curvature",
    file_name: "CURV-PLAN",
    parameters: ReliefParams::specs,
    bands: |_| vec![Band::new("Plan curvature", "1/m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_, _| Stretch::values(-0.5, 0.5),
    build: |values, grid, _| {
        let exaggeration = ReliefParams::from_values(values).vertical_exaggeration;
        Ok(Box::new(CurvatureKernel::new(Direction::Across, exaggeration, grid)))
    },
};
