//! Sky-view factor: the share of the sky that a cell sees.
//!
//! `mean over directions of 1 - sin(max(g, 0))` for the horizon `g`. 1 on a plain, small in a pit. Search, edges,
//! nodata and cost as in `shared/horizon.rs`.

use super::shared::horizon::{HorizonKernel, HorizonMeasure, HorizonParams};
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "sky_view_factor",
    aliases: &["svf"],
    title: "Sky-view factor",
    summary: "Share of the sky that is seen from the surface: ditches, pits and the feet of walls are dark, \
              whatever way they run.",
    formula: "mean over directions of 1 - sin(max(g, 0)), with the horizon g = atan(max (z_sample - z) / \
              distance) over the cells nearest to the ray",
    reference: "Zakšek, Oštir & Kokalj 2011, doi:10.3390/rs3020398",
    file_name: "SVF_R{radius}_D{directions}[_NR{noise}]",
    parameters: HorizonParams::specs,
    bands: |_| vec![Band::new("Sky-view factor", "", (0.0, 1.0))],
    stretch: |_, _| Stretch::values(0.6375, 1.0),
    build: |values, grid, _| {
        let params = HorizonParams::from_values(values);
        HorizonKernel::build(OPERATION.id, params, grid, |_| HorizonMeasure::SkyView)
    },
};
