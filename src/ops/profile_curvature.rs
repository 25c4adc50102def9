//! Profile curvature: how the surface bends up and down the slope.
//!
//! `-(r p^2 + 2 s p q + t q^2) / (p^2 + q^2)` with the derivatives, edges, nodata and level cells of
//! `shared/curvature.rs`: the second derivative in the direction of the slope, positive where the ground is convex.
//! With the paper's `D = r / 2, E = t / 2, F = s, G = p, H = q` its size is `2 (D G^2 + E H^2 + F G H) / (G^2 + H^2)`;
//! about signs programs differ. It is not divided by `(1 + p^2 + q^2)^1.5`, which would make it one over the radius of
//! the profile's bend. Cost: 9 reads per cell.

use super::shared::curvature::{CurvatureKernel, Direction};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "profile_curvature",
    aliases: &[],
    title: "Profile curvature",
    summary: "How the surface bends up and down the slope: upper edges of banks and terraces are bright (convex, \
              positive), their feet dark (concave, negative). 0 on level cells; beyond the edge and in holes the \
              ground goes on straight. In one divided by the unit of the coordinates.",
    formula: "-(r p² + 2 s p q + t q²) / (p² + q²), with p = (z_e - z_w) / 2w, q = (z_n - z_s) / 2h, r = (z_e + z_w - \
              2 z) / w², t = (z_n + z_s - 2 z) / h², s = (z_ne + z_sw - z_nw - z_se) / 4wh, cells w wide and h high",
    reference: "Zevenbergen & Thorne 1987, doi:10.1002/esp.3290120107; checked against SAGA 8.5.0, longitudinal \
                curvature",
    file_name: "CURV-PROFILE",
    parameters: ReliefParams::specs,
    bands: |_| vec![Band::new("Profile curvature", "1/m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_, _| Stretch::values(-0.5, 0.5),
    build: |values, grid, _| {
        let exaggeration = ReliefParams::from_values(values).vertical_exaggeration;
        Ok(Box::new(CurvatureKernel::new(Direction::Along, exaggeration, grid)))
    },
};
