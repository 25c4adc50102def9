//! Simple local relief model: height above the mean of the surroundings.
//!
//! `z - mean` over the square of `2 radius + 1` cells around the cell, valid cells only: the difference from mean
//! elevation (DME), at any radius. Beyond the raster's edge the edge cells are repeated. NaN in, NaN out. Sums are exact
//! (`shared/box_mean.rs`). Cost: independent of the radius.

use super::shared::above_mean::AboveMean;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

params! {
    /// Parameters of the local relief model.
    pub struct Params {
        ..relief: ReliefParams;
        radius: Length = Length::Cells(20.0), in 1..=2500, "cells", "Half the side of the square that is averaged.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "local_relief",
    aliases: &["slrm", "difference_from_mean_elevation", "dme"],
    title: "Simple local relief model",
    summary: "Height above the mean of the surroundings: banks, ditches and mounds in metres, freed from the slope \
              they lie on.",
    formula: "z - mean(z) over the square of 2 radius + 1 cells, valid cells only",
    reference: "Hesse 2010, doi:10.1002/arp.374",
    file_name: "SLRM_R{radius}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Local relief", "m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_, _| Stretch::values(-2.0, 2.0),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let exaggeration = params.relief.vertical_exaggeration;
        AboveMean::build(OPERATION.id, params.radius, exaggeration, true, grid)
    },
};
