//! Roughness: the span of heights among a cell and its eight neighbours.
//!
//! `max - min` over 3 x 3 cells. Edges and nodata as in `shared/neighbours.rs`. Cost: 9 reads per cell.

use super::shared::neighbours::{Measure, NeighbourKernel};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "roughness",
    aliases: &[],
    title: "Roughness",
    summary: "Largest difference of height among a cell and its eight neighbours: rubble, walls and edges.",
    formula: "max(z) - min(z) over 3 x 3 cells",
    reference: "Wilson et al. 2007, doi:10.1080/01490410701295962; checked against gdaldem roughness",
    file_name: "ROUGHNESS",
    parameters: ReliefParams::specs,
    bands: |_| vec![Band::new("Roughness", "m", (0.0, f64::INFINITY))],
    stretch: |_, _| Stretch::values(0.0, 2.0),
    build: |values, grid, _| {
        let exaggeration = ReliefParams::from_values(values).vertical_exaggeration;
        NeighbourKernel::build(OPERATION.id, Measure::Span, exaggeration, grid)
    },
};
