//! Maximum elevation deviation: the elevation deviation of largest amount over windows of several sizes.
//!
//! Formula, edges, nodata, exactness and cost: `shared/deviation.rs`. The radii are those of MSTP's middle scale.

use super::shared::deviation::{Deviation, Scale, Shown};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

params! {
    /// Parameters of the maximum elevation deviation.
    pub struct Params {
        ..relief: ReliefParams;
        radius_min: Length = Length::Cells(5.0), in 1..=2500, "cells", "Half the side of the smallest square.";
        radius_max: Length = Length::Cells(50.0), in 1..=2500, "cells", "Half the side of the largest square.";
        radius_step: Length = Length::Cells(5.0), in 1..=2500, "cells", "From one radius to the next.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "max_elevation_deviation",
    aliases: &[],
    title: "Maximum elevation deviation",
    summary: "How far a place stands out from, or lies below, the surroundings at the scale where it does so most.",
    formula: "the elevation_deviation of largest size, with its sign, over the radii radius_min, \
              radius_min + radius_step, … <= radius_max; the smaller radius wins a tie",
    reference: "Lindsay, Cockburn & Russell 2015, doi:10.1016/j.geomorph.2015.05.025",
    file_name: "MAXDEV_R{radius_min}-{radius_max}_S{radius_step}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Maximum elevation deviation", "", (f64::NEG_INFINITY, f64::INFINITY))],
    // As for a single deviation: three standard deviations to either side.
    stretch: |_, _| Stretch::values(-3.0, 3.0),
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        let radii = [params.radius_min, params.radius_max, params.radius_step];
        let scales = vec![Scale::new("radius", radii, grid)?];
        grid.square_cell(OPERATION.id)?;
        let exaggeration = params.relief.vertical_exaggeration;
        Ok(Box::new(Deviation::new(scales, Shown::Signed, exaggeration, compatibility)))
    },
};
