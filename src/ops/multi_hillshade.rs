//! Hillshades from several directions: no relief stays hidden along the light.
//!
//! Form `bands`: band `i` is lit from azimuth `360 / directions * i`. Form `rgb`: red, green and blue are lit from
//! 315, 22.5 and 90 degrees. Form `mean`: the mean of the bands. Formula, edges and nodata as in `hillshade.rs`;
//! the gradient is computed once for all directions.

use super::shared::gradient::GradientKernel;
use super::shared::gradient_row::{Light, Measure};
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;
use ndarray::{s, ArrayViewMut2, Axis};
use std::any::Any;
use std::ops::Range;

choices! {
    /// What becomes of the single hillshades.
    pub enum Form {
        /// A band for every direction.
        Bands = "bands",
        /// Three directions as red, green and blue.
        Rgb = "rgb",
        /// One band: the mean over all directions.
        Mean = "mean",
    }
}

params! {
    /// Parameters of the multi-directional hillshade.
    pub struct Params {
        ..relief: ReliefParams;
        directions: i64 = 16, in 1..=360, "", "Number of directions of the light; form rgb has its own three.";
        elevation: f64 = 35.0, in 0.0..=90.0, "degree", "Height of the light above the horizon.";
        form: Form = Form::Bands, "A band per direction, three directions as a colour picture, or the mean.";
    }
}

/// Azimuths of red, green and blue.
const RGB_AZIMUTHS: [(f64, &str, Role); 3] =
    [(315.0, "red", Role::Red), (22.5, "green", Role::Green), (90.0, "blue", Role::Blue)];

fn azimuths(params: Params) -> Vec<f64> {
    match params.form {
        Form::Rgb => RGB_AZIMUTHS.map(|(azimuth, ..)| azimuth).to_vec(),
        Form::Bands | Form::Mean => {
            (0..params.directions).map(|i| 360.0 / params.directions as f64 * i as f64).collect()
        }
    }
}

fn bands(params: Params) -> Vec<Band> {
    let range = (0.0, 1.0);
    match params.form {
        Form::Bands => azimuths(params)
            .into_iter()
            .map(|azimuth| Band::new(format!("Hillshade, azimuth {azimuth}"), "", range))
            .collect(),
        Form::Rgb => RGB_AZIMUTHS
            .map(|(azimuth, colour, role)| Band {
                role,
                ..Band::new(format!("Hillshade, azimuth {azimuth} ({colour})"), "", range)
            })
            .to_vec(),
        Form::Mean => vec![Band::new("Mean hillshade", "", range)],
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "multi_hillshade",
    aliases: &[],
    title: "Multi-directional hillshade",
    summary: "Hillshades from several directions, as bands, as a colour picture or as their mean: linear relief \
              shows whatever way it runs.",
    formula: "hillshade from azimuth 360 / directions * i; form rgb: from 315 (red), 22.5 (green) and 90 \
              (blue); form mean: the mean over all directions",
    reference: "Devereux, Amable & Crow 2008, doi:10.1017/S0003598X00096952",
    file_name: "MULTI-HS_D{directions}_H{elevation}[_{form}]",
    parameters: Params::specs,
    bands: |values| bands(Params::from_values(values)),
    stretch: |_, _| Stretch::values(0.0, 1.0),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let light = |azimuth: f64| Measure::Hillshade(Light::new(azimuth, params.elevation));
        let lights = azimuths(params).into_iter().map(light).collect();
        let all = GradientKernel::new(params.relief.vertical_exaggeration, grid, lights);
        Ok(match params.form {
            Form::Bands | Form::Rgb => Box::new(all),
            Form::Mean => Box::new(MeanKernel(all)),
        })
    },
};

/// The mean of a kernel's bands.
struct MeanKernel(GradientKernel);

/// Columns averaged at a time: their bands fit the first-level cache.
const BLOCK: usize = 64;

impl Kernel for MeanKernel {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        self.0.radius()
    }

    fn edge(&self) -> Edge {
        self.0.edge()
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let room = ndarray::Array2::zeros((self.0.bands(), BLOCK));
        Box::new(MeanOnTile { all: self.0.on(tile), room })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct MeanOnTile<'a> {
    all: Box<dyn TileKernel + 'a>,
    room: ndarray::Array2<f32>,
}

impl TileKernel for MeanOnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let share = 1.0 / self.room.nrows() as f32;
        for start in columns.clone().step_by(BLOCK) {
            let part = start..(start + BLOCK).min(columns.end);
            let mut room = self.room.slice_mut(s![.., ..part.len()]);
            self.all.row(row, part.clone(), room.view_mut());
            let mut mean = out.slice_mut(s![0, part.start - columns.start..part.end - columns.start]);
            mean.fill(0.0);
            for band in room.axis_iter(Axis(0)) {
                mean += &band;
            }
            mean *= share;
        }
    }
}
