//! Anisotropic sky-view factor: the sky is brighter in one direction.
//!
//! `sum w_i (1 - sin(max(g_i, 0))) / sum w_i` with `w_i = (1 - m) cos((theta_i - d) / 2)^p + m`; low anisotropy has
//! p = 4, m = 0.4, high p = 8, m = 0.1. The direction `d` runs clockwise from north; RVT takes it counter-clockwise,
//! and so does this operation under RVT compatibility. Search, edges and nodata as in `shared/horizon.rs`.

use super::shared::horizon::{HorizonKernel, HorizonMeasure, HorizonParams};
use super::shared::horizon_scan::Ray;
use crate::core::prelude::*;

choices! {
    /// How much brighter the sky is in the chosen direction.
    pub enum Anisotropy {
        /// Somewhat.
        Low = "low",
        /// Strongly.
        High = "high",
    }
}

params! {
    /// Parameters of the anisotropic sky-view factor.
    pub struct Params {
        ..horizon: HorizonParams;
        azimuth: f64 = 315.0, in 0.0..=360.0, "degree", "Brightest direction of the sky, clockwise from north.";
        anisotropy: Anisotropy = Anisotropy::Low, "How uneven the sky is.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "anisotropic_sky_view_factor",
    aliases: &["asvf"],
    title: "Anisotropic sky-view factor",
    summary: "Sky-view factor under a sky that is brighter on one side: looks more like a hillshade, yet hides \
              less.",
    formula: "sum w (1 - sin(max(g, 0))) / sum w, with w = (1 - m) cos((theta - azimuth) / 2)^p + m; low: \
              p = 4, m = 0.4; high: p = 8, m = 0.1",
    reference: "Zakšek, Oštir & Kokalj 2011, doi:10.3390/rs3020398",
    file_name: "SVF-A_R{radius}_D{directions}_A{azimuth}_AL{anisotropy}[_NR{noise}]",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Anisotropic sky-view factor", "", (0.0, 1.0))],
    stretch: |_, _| Stretch::values(0.7, 0.9),
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        let direction = match compatibility {
            Compatibility::None => 360.0 - params.azimuth,
            Compatibility::Rvt => params.azimuth,
        };
        let weights = |rays: &[Ray]| weights(rays, direction.to_radians(), params.anisotropy);
        HorizonKernel::build(OPERATION.id, params.horizon, grid, |rays| {
            HorizonMeasure::Anisotropic(weights(rays))
        })
    },
};

/// One weight per ray; `direction` is counter-clockwise from north, as rays are.
fn weights(rays: &[Ray], direction: f64, anisotropy: Anisotropy) -> Vec<f64> {
    let (power, least) = match anisotropy {
        Anisotropy::Low => (4, 0.4),
        Anisotropy::High => (8, 0.1),
    };
    let weight = |ray: &Ray| (1.0 - least) * ((ray.angle - direction) / 2.0).cos().powi(power) + least;
    rays.iter().map(weight).collect()
}
