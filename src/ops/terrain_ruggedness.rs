//! Terrain ruggedness index: how much a cell differs from its eight neighbours.
//!
//! With `d` the eight differences of height: `sqrt(sum d^2)` (method `riley`), or `mean |d|` (method `wilson`, made for
//! the sea floor). Edges and nodata as in `shared/neighbours.rs`. Cost: 9 reads per cell.

use super::shared::neighbours::{Measure, NeighbourKernel};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

choices! {
    /// Whose index.
    pub enum Method {
        /// Root of the sum of squares.
        Riley = "riley",
        /// Mean of the sizes.
        Wilson = "wilson",
    }
}

params! {
    /// Parameters of the terrain ruggedness index.
    pub struct Params {
        ..relief: ReliefParams;
        method: Method = Method::Riley, "Root of the sum of squared differences, or mean of their sizes.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "terrain_ruggedness",
    aliases: &["tri"],
    title: "Terrain ruggedness index",
    summary: "How much a cell differs in height from its eight neighbours: rough ground is bright.",
    formula: "riley: sqrt(sum (z_i - z)²) over the eight neighbours; wilson: mean |z_i - z|",
    reference: "Riley, DeGloria & Elliot 1999, Intermountain Journal of Sciences 5; Wilson et al. 2007, \
                doi:10.1080/01490410701295962; checked against gdaldem TRI",
    file_name: "TRI[_{method}]",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Terrain ruggedness index", "m", (0.0, f64::INFINITY))],
    stretch: |_, _| Stretch::values(0.0, 2.0),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let measure = match params.method {
            Method::Riley => Measure::RootOfSquares,
            Method::Wilson => Measure::MeanSize,
        };
        NeighbourKernel::build(OPERATION.id, measure, params.relief.vertical_exaggeration, grid)
    },
};
