//! Negative openness: how wide the view below the surface would be.
//!
//! Positive openness of the surface turned upside down: large in hollows, small on crests. Nodata is masked before
//! the surface is turned. Search, edges, nodata and cost as in `shared/horizon.rs`.

use super::shared::horizon::{HorizonKernel, HorizonMeasure, HorizonParams};
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "openness_negative",
    aliases: &[],
    title: "Negative openness",
    summary: "Mean nadir angle under the surface: the lowest parts of hollows, ditches and channels stand \
              out.",
    formula: "openness_positive of -z",
    reference: "Yokoyama, Shirasawa & Pike 2002, Photogrammetric Engineering & Remote Sensing 68(3)",
    file_name: "OPEN-NEG_R{radius}_D{directions}[_NR{noise}]",
    parameters: HorizonParams::specs,
    bands: |_| vec![Band::new("Negative openness", "degree", (0.0, 180.0))],
    stretch: |_, _| Stretch::values(60.0, 95.0).inverted(),
    build: |values, grid, _| {
        let params = HorizonParams::from_values(values);
        HorizonKernel::build(OPERATION.id, params, grid, |_| HorizonMeasure::Negative)
    },
};
