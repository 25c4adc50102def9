//! Elevation deviation (DEV): height above the surroundings in their own standard deviations.
//!
//! Formula, edges, nodata, exactness and cost: `shared/deviation.rs`, with one radius.

use super::shared::deviation::{Deviation, Scale, Shown};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

params! {
    /// Parameters of the elevation deviation.
    pub struct Params {
        ..relief: ReliefParams;
        radius: Length = Length::Cells(20.0), in 1..=2500, "cells", "Half the side of the square compared with.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "elevation_deviation",
    aliases: &[],
    title: "Elevation deviation",
    summary: "Height above the mean of the surroundings, divided by their roughness: faint banks on level ground \
              show as clearly as hills among hills.",
    formula: "(z - mean) / (sd + 1e-6), mean and standard deviation over the square of 2 radius + 1 cells, \
              valid cells only",
    reference: "De Reu et al. 2013, doi:10.1016/j.geomorph.2012.12.015",
    file_name: "DEV_R{radius}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Elevation deviation", "", (f64::NEG_INFINITY, f64::INFINITY))],
    // Nearly all cells of a normal distribution are within three standard deviations.
    stretch: |_, _| Stretch::values(-3.0, 3.0),
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        grid.square_cell(OPERATION.id)?;
        let scales = vec![Scale::single(params.radius.cells(grid))];
        let exaggeration = params.relief.vertical_exaggeration;
        Ok(Box::new(Deviation::new(scales, Shown::Signed, exaggeration, compatibility)))
    },
};
