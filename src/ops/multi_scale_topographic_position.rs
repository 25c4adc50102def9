//! Multi-scale topographic position: how much a place stands out at three ranges of scale, as a colour.
//!
//! Red is the broad scale, green the middle, blue the local one: `1 - exp(-lightness * |DEV|)` of the maximum elevation
//! deviation over the scale's radii. Formula of DEV, edges, nodata, exactness and cost: `shared/deviation.rs`.

use super::shared::deviation::{Deviation, Scale, Shown};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;

params! {
    /// Parameters of the multi-scale topographic position.
    pub struct Params {
        ..relief: ReliefParams;
        local_min: Length = Length::Cells(1.0), in 1..=2500, "cells", "Local scale (blue): smallest radius.";
        local_max: Length = Length::Cells(5.0), in 1..=2500, "cells", "Local scale: largest radius.";
        local_step: Length = Length::Cells(1.0), in 1..=2500, "cells", "Local scale: from one radius to the next.";
        meso_min: Length = Length::Cells(5.0), in 1..=2500, "cells", "Middle scale (green): smallest radius.";
        meso_max: Length = Length::Cells(50.0), in 1..=2500, "cells", "Middle scale: largest radius.";
        meso_step: Length = Length::Cells(5.0), in 1..=2500, "cells", "Middle scale: from one radius to the next.";
        broad_min: Length = Length::Cells(50.0), in 1..=2500, "cells", "Broad scale (red): smallest radius.";
        broad_max: Length = Length::Cells(500.0), in 1..=2500, "cells", "Broad scale: largest radius.";
        broad_step: Length = Length::Cells(50.0), in 1..=2500, "cells", "Broad scale: from one radius to the next.";
        lightness: f64 = 0.9, in 0.1..=5.0, "", "How bright the picture is.";
    }
}

/// Bands: colour and scale.
const COLOURS: [(&str, Role); 3] =
    [("broad scale (red)", Role::Red), ("middle scale (green)", Role::Green), ("local scale (blue)", Role::Blue)];

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "multi_scale_topographic_position",
    aliases: &["mstp"],
    title: "Multi-scale topographic position",
    summary: "A colour picture of what stands out at which scale: red for hills and valleys, green for terraces and \
              large earthworks, blue for banks and ditches.",
    formula: "1 - exp(-lightness |max_elevation_deviation|) for each of three scales: red broad, green \
              meso, blue local",
    reference: "Lindsay, Cockburn & Russell 2015, doi:10.1016/j.geomorph.2015.05.025",
    file_name: "MSTP_{local_max}_{meso_max}_{broad_max}_L{lightness}[_LM{local_min}][_LS{local_step}]\
                [_MM{meso_min}][_MS{meso_step}][_BM{broad_min}][_BS{broad_step}]",
    parameters: Params::specs,
    bands: |_| {
        let band = |(scale, role)| Band {
            role,
            ..Band::new(format!("Topographic position, {scale}"), "", (0.0, 1.0))
        };
        COLOURS.map(band).to_vec()
    },
    stretch: |_, _| Stretch::values(0.0, 1.0),
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        let scales = vec![
            Scale::new("broad", [params.broad_min, params.broad_max, params.broad_step], grid)?,
            Scale::new("meso", [params.meso_min, params.meso_max, params.meso_step], grid)?,
            Scale::new("local", [params.local_min, params.local_max, params.local_step], grid)?,
        ];
        grid.square_cell(OPERATION.id)?;
        let shown = Shown::Light(params.lightness as f32);
        let exaggeration = params.relief.vertical_exaggeration;
        Ok(Box::new(Deviation::new(scales, shown, exaggeration, compatibility)))
    },
};
