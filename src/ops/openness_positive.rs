//! Positive openness: how wide the view above the surface is.
//!
//! `90 - mean over directions of g` in degrees for the horizon `g`, which may lie below the horizontal: above 90 on
//! crests, below 90 in hollows, 90 on any plane slope as seen along all directions together. Next to large holes
//! directions without any sample count as fully open. Search, edges, nodata and cost as in `shared/horizon.rs`.

use super::shared::horizon::{HorizonKernel, HorizonMeasure, HorizonParams};
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "openness_positive",
    aliases: &[],
    title: "Positive openness",
    summary: "Mean zenith angle of the horizon: crests and edges are bright, also on slopes, where the \
              sky-view factor is dark.",
    formula: "90 - mean over directions of g in degrees, with the horizon g as for sky_view_factor",
    reference: "Yokoyama, Shirasawa & Pike 2002, Photogrammetric Engineering & Remote Sensing 68(3)",
    file_name: "OPEN-POS_R{radius}_D{directions}[_NR{noise}]",
    parameters: HorizonParams::specs,
    bands: |_| vec![Band::new("Positive openness", "degree", (0.0, 180.0))],
    stretch: |_, _| Stretch::values(60.0, 95.0),
    build: |values, grid, _| {
        let params = HorizonParams::from_values(values);
        HorizonKernel::build(OPERATION.id, params, grid, |_| HorizonMeasure::Positive)
    },
};
