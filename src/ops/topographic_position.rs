//! Topographic position index: height above the mean of the other cells around.
//!
//! `z - mean` over the square of `2 radius + 1` cells without the cell itself, valid cells only; 0 where there is no other.
//! Edges, nodata and exactness as in `local_relief.rs`, which takes the cell itself into the mean. Cost: independent of
//! the radius.

use super::shared::above_mean::AboveMean;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

params! {
    /// Parameters of the topographic position index.
    pub struct Params {
        ..relief: ReliefParams;
        radius: Length = Length::Cells(1.0), in 1..=1000, "cells", "Half the side of the square around the cell.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "topographic_position",
    aliases: &["tpi"],
    title: "Topographic position index",
    summary: "Height above the mean of the cells around: positive on crests, negative in hollows.",
    formula: "z - mean(z) over the square of 2 radius + 1 cells without the cell itself, valid cells only",
    reference: "Weiss 2001, Topographic position and landforms analysis; radius 1 checked against gdaldem TPI",
    file_name: "TPI_R{radius}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Topographic position index", "m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_, _| Stretch::values(-1.0, 1.0),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let exaggeration = params.relief.vertical_exaggeration;
        AboveMean::build(OPERATION.id, params.radius, exaggeration, false, grid)
    },
};
