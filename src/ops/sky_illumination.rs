//! Sky illumination: how much light a cell gets from the whole sky, by its slope and its horizon.
//!
//! With horizon `h_i` in direction `i` (clockwise azimuth `phi_i`), slope `s`, aspect `a`, `d = pi / directions`,
//! `W_i = 2 sin d cos(phi_i - a)`:
//! `U = cos s sum d cos^2 h + sin s sum W (pi/4 - h/2 - sin(2h)/4)`, `C = cos s sum 2d (1 - sin^3 h) / 3 + sin s sum W
//! cos^3 h / 3`; a uniform sky gives `U / pi`, an overcast one `(U + 2C) / 3` divided by its value on open level ground.
//! So open level ground has 1 and nothing depends on the extent. Missing cells, and what lies beyond the raster, never
//! obstruct. NaN in, NaN out. Cost: three operations for each of about 24 samples, and 40 more, per direction.

use super::shared::relief::ReliefParams;
use super::shared::sky_ground::{mask_row, RvtGround};
use super::shared::sky_light::{light_row, Formula, Light, TILTED};
use super::shared::sky_pyramid::{self, Pyramid};
use super::shared::sky_search::{directions, rounded_degrees, Heights, SkySearch, GROUP};
use super::shared::sun_horizon::sun_angle;
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::f64::consts::PI;
use std::ops::Range;

choices! {
    /// How bright the sky is.
    pub enum Model {
        /// Three times as bright above as at the horizon.
        Overcast = "overcast",
        /// The same everywhere.
        Uniform = "uniform",
    }
}

params! {
    /// Parameters of sky illumination.
    pub struct Params {
        ..relief: ReliefParams;
        model: Model = Model::Overcast, "Brightness of the sky.";
        directions: i64 = 32, in 1..=360, "", "Number of directions searched.";
        radius: Length = Length::Cells(100.0), in 1..=1000, "cells", "How far the horizon is searched.";
        shadow: bool = false, "Adds sunlight: a fifth of the brightness.";
        shadow_azimuth: f64 = 315.0, in 0.0..=360.0, "degree", "Direction of the sun, clockwise from north.";
        shadow_elevation: f64 = 35.0, in 0.0..=90.0, "degree", "Height of the sun above the horizon.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "sky_illumination",
    aliases: &[],
    title: "Sky illumination",
    summary: "Light from the whole sky, without a sun: soft shading that hides no slope; hollows and steep slopes are \
              dark.",
    formula: "uniform: U / pi; overcast: (U + 2C) / 3 over its value on open level ground; U = cos s sum d \
              cos² h + sin s sum W (pi/4 - h/2 - sin(2h)/4), C = cos s sum 2d (1 - sin³ h) / 3 + sin s sum \
              W cos³ h / 3, with horizon h per direction of azimuth phi, slope s, aspect a, d = pi / \
              directions, W = 2 sin d cos(phi - a)",
    reference: "Kennelly & Stewart 2014, General sky models for illuminating terrains, IJGIS 28",
    file_name: "SIM_{model}_D{directions}_{radius}px[_SHADOW-{shadow}][_A{shadow_azimuth}]\
                [_H{shadow_elevation}]",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Sky illumination", "", (0.0, 1.0))],
    // RVT's is relative to the raster; a fixed one keeps neighbouring files alike.
    stretch: |_, compatibility| match compatibility {
        Compatibility::None => Stretch::values(0.4, 1.0),
        Compatibility::Rvt => Stretch::percent(0.25, 0.0),
    },
    build: |values, grid, compatibility| {
        let params = Params::from_values(values);
        Ok(Box::new(SkyIllumination::new(&params, grid, compatibility)?))
    },
};

/// Search and formula.
struct SkyIllumination {
    search: SkySearch,
    light: Light,
    /// RVT's coarse grids look at the whole raster.
    ground: Option<RvtGround>,
    /// RVT divides its overcast sky by the raster's largest value, which is not known yet. The sun waits for it.
    open: Option<Option<f32>>,
}

impl SkyIllumination {
    fn new(params: &Params, grid: &Grid, compatibility: Compatibility) -> Result<Self> {
        let exaggeration = params.relief.vertical_exaggeration;
        let heights = Heights::new(OPERATION.id, exaggeration, grid, compatibility)?;
        let count = params.directions as usize;
        let angles = directions(count);
        let rvt = compatibility == Compatibility::Rvt;
        let mut light = light(params.model, count, rvt);
        light.slope_scale = (exaggeration / (2.0 * grid.cell_width)) as f32;
        light.north = if grid.south_up { 1 } else { -1 };
        light.towards = angles.chunks(GROUP).map(|angles| towards(angles, rvt)).collect();
        let mut slots: Vec<_> = angles.into_iter().map(Some).collect();
        if params.shadow {
            slots.resize(slots.len().next_multiple_of(GROUP), None);
            slots.push(Some(sun_angle(params.shadow_azimuth, count, compatibility)));
            light.sun = Some(params.shadow_elevation.to_radians().tan() as f32);
        }
        let search = SkySearch::new(&slots, params.radius.cells(grid), heights);
        let ground = rvt.then(|| RvtGround::new(&search));
        let open = (light.formula == Formula::RvtOvercast).then(|| light.sun.take());
        Ok(Self { search, light, ground, open })
    }
}

/// The formula above with everything constant put together.
fn light(model: Model, directions: usize, rvt: bool) -> Light {
    let step = PI / directions as f64;
    let formula = match model {
        _ if !rvt => Formula::Physical,
        Model::Uniform => Formula::RvtUniform,
        Model::Overcast => Formula::RvtOvercast,
    };
    // Parts of the uniform light and of that which grows with the sine of the height.
    let (uniform, rising) = match formula {
        Formula::RvtUniform | Formula::RvtOvercast => (1.0 / PI, 0.0),
        Formula::Physical if matches!(model, Model::Uniform) => (1.0 / PI, 0.0),
        Formula::Physical => (3.0 / (7.0 * PI), 6.0 / (7.0 * PI)),
    };
    let width = 2.0 * step.sin();
    let mut gain = TILTED.map(|coefficient| width * uniform * coefficient);
    gain[0] += width * rising / 3.0;
    Light {
        loss: [(step * uniform) as f32, (2.0 * step * rising / 3.0) as f32],
        gain: gain.map(|coefficient| coefficient as f32),
        towards: Vec::new(),
        slope_scale: 0.0,
        north: -1,
        formula,
        rising: [(2.0 * step / 3.0) as f32, width as f32],
        scale: 1.0,
        sun: None,
        // RVT forgets to divide its uniform sky by pi when there is a sun.
        shares: (if formula == Formula::RvtUniform { 0.8 * PI } else { 0.8 } as f32, 0.2),
    }
}

/// Unit vectors of directions, towards north and east. RVT's formula has the opposite north (Q13).
fn towards(angles: &[f64], rvt: bool) -> [(f32, f32); GROUP] {
    let mut vectors = [(0.0, 0.0); GROUP];
    for (vector, angle) in vectors.iter_mut().zip(angles) {
        let (sine, cosine) = angle.sin_cos();
        *vector = (cosine as f32, -sine as f32);
        if rvt {
            let (sine, cosine) = rounded_degrees(*angle).to_radians().sin_cos();
            *vector = (-cosine as f32, -sine as f32);
        }
    }
    vectors
}

impl Kernel for SkyIllumination {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        self.search.radius()
    }

    fn edge(&self) -> Edge {
        Edge::Open
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let pyramid = Pyramid::new(&self.search, tile, self.ground.as_ref());
        Box::new(OnTile { tile, pyramid, light: &self.light, masked: self.ground.is_some() })
    }

    fn question(&self) -> Option<Question> {
        let ground = self.ground.as_ref().and_then(RvtGround::question);
        ground.or(self.open.map(|_| Question::Largest))
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Ground(found) => self.ground.iter_mut().for_each(|ground| ground.set(&found)),
            Answer::Largest(largest) => {
                self.light.sun = self.open.take().flatten();
                // A raster without light anywhere stays dark.
                self.light.scale = if largest > 0.0 { 1.0 / largest } else { 1.0 };
            }
        }
    }

    fn tile_memory(&self, rows: usize, cols: usize) -> usize {
        sky_pyramid::memory(&self.search, rows, cols, self.ground.is_some())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    tile: Tile<'a>,
    pyramid: Pyramid<'a>,
    light: &'a Light,
    /// The pyramid sees heights in missing cells.
    masked: bool,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let (plan, sight) = self.pyramid.sight(row, &columns);
        let mut out = out.row_mut(0);
        let out = out.as_slice_mut().expect("outputs have contiguous rows");
        light_row(plan, self.light, sight, out);
        if self.masked {
            mask_row(self.tile.row(row, 0, columns, 0), out);
        }
    }
}
