//! Differential openness: ridges bright, valleys dark, slopes between, without a sun.
//!
//! Half of positive minus negative openness, the lightness of a red relief image map. Search, edges, nodata and cost as
//! in `shared/horizon.rs`, both opennesses from one search.

use super::shared::horizon::{HorizonKernel, HorizonMeasure, HorizonParams};
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "differential_openness",
    aliases: &[],
    title: "Differential openness",
    summary: "Half of positive minus negative openness: crests and edges are bright, hollows and the feet of slopes \
              dark, plane ground of any slope the same grey.",
    formula: "(openness_positive - openness_negative) / 2",
    reference: "Chiba, Kaneta & Suzuki 2008, Red relief image map: new visualization method for three dimensional data, \
                ISPRS Archives 37 (B2)",
    file_name: "OPEN-DIFF_R{radius}_D{directions}[_NR{noise}]",
    parameters: HorizonParams::specs,
    bands: |_| vec![Band::new("Differential openness", "degree", (-90.0, 90.0))],
    stretch: |_, _| Stretch::values(-14.0, 14.0),
    build: |values, grid, _| {
        let params = HorizonParams::from_values(values);
        HorizonKernel::build(OPERATION.id, params, grid, |_| HorizonMeasure::Difference)
    },
};
