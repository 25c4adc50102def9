//! Multi-scale relief model: relief of all sizes between two, averaged.
//!
//! With cells of side `c` and scaling factor `s`: `i = floor(((min - c) / 2c)^(1/s))`, `n = ceil(((max - c) / 2c)^(1/s))`,
//! `L_k` the mean over a square of radius `k^s` (`L_0` the surface itself); the mean over k of `L_k - L_(k+1)` telescopes
//! to `(L_i - L_n) / (n - i)`: two box means. Edges, nodata and exactness as in `local_relief.rs`.

use super::shared::box_mean::BoxMean;
use super::shared::relief::ReliefParams;
use crate::core::prelude::*;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

params! {
    /// Parameters of the multi-scale relief model.
    pub struct Params {
        ..relief: ReliefParams;
        feature_min: f64 = 0.0, in 0.0..=10000.0, "m", "Size of the smallest relief shown.";
        feature_max: f64 = 20.0, in 0.0..=10000.0, "m", "Size of the largest relief shown.";
        scaling_factor: i64 = 2, in 1..=20, "", "How fast the windows grow from one scale to the next.";
    }
}

/// Widest window whose sums are kept: more would not fit any memory.
const LARGEST_RADIUS: f64 = 5000.0;

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "multi_scale_relief",
    aliases: &["msrm"],
    title: "Multi-scale relief model",
    summary: "Relief of all sizes between two, averaged: small and large earthworks in one picture, without the \
              hills.",
    formula: "mean over k = i … n - 1 of L_k - L_(k+1), L_k the mean over a square of radius k^s, i = \
              floor(((min - c) / 2c)^(1/s)), n = ceil(((max - c) / 2c)^(1/s)), cells of side c",
    reference: "Orengo & Petrie 2018, doi:10.1002/esp.4317",
    file_name: "MSRM_F_M{feature_min}-{feature_max}_S{scaling_factor}",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Multi-scale relief", "m", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_, _| Stretch::values(-2.5, 2.5),
    build: |values, grid, _| {
        let params = Params::from_values(values);
        let (first, last) = scales(&params, grid.square_cell(OPERATION.id)?)?;
        let exponent = params.scaling_factor as i32;
        let radius = |scale: f64| scale.powi(exponent);
        if radius(last) > LARGEST_RADIUS {
            return Err(Error::Argument(format!(
                "feature_max = {} needs a window of {} cells; allowed: a window of at most {} cells",
                params.feature_max,
                2.0 * radius(last) + 1.0,
                2.0 * LARGEST_RADIUS + 1.0
            )));
        }
        Ok(Box::new(MultiScaleRelief {
            inner: radius(first) as usize,
            outer: radius(last) as usize,
            factor: params.relief.vertical_exaggeration / (last - first),
        }))
    },
};

/// First and last scale.
fn scales(params: &Params, cell: f64) -> Result<(f64, f64)> {
    let Params { feature_min, feature_max, .. } = *params;
    if feature_max <= feature_min.max(cell) {
        return Err(Error::Argument(format!(
            "feature_max = {feature_max} is not allowed; allowed: more than feature_min ({feature_min}) and more than \
             a cell ({cell})"
        )));
    }
    let power = 1.0 / params.scaling_factor as f64;
    let scale = |feature: f64| ((feature - cell) / (2.0 * cell)).powf(power);
    let (first, last) = (scale(feature_min.max(cell)).floor(), scale(feature_max).ceil());
    if first < last {
        return Ok((first, last));
    }
    Err(Error::Argument(format!(
        "feature_min = {feature_min} and feature_max = {feature_max} fall on one scale with cells of {cell}; \
         allowed: sizes further apart, or a smaller scaling_factor"
    )))
}

struct MultiScaleRelief {
    inner: usize,
    outer: usize,
    /// Exaggeration divided by the number of scales.
    factor: f64,
}

impl Kernel for MultiScaleRelief {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        self.outer
    }

    fn edge(&self) -> Edge {
        Edge::Clamp
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        Box::new(OnTile {
            tile,
            // A window of one cell is the surface itself.
            inner: (self.inner > 0).then(|| BoxMean::new(tile, self.inner)),
            outer: BoxMean::new(tile, self.outer),
            means: [vec![0.0; tile.cols()], vec![0.0; tile.cols()]],
            factor: self.factor,
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    tile: Tile<'a>,
    inner: Option<BoxMean<'a>>,
    outer: BoxMean<'a>,
    means: [Vec<f64>; 2],
    factor: f64,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let [small, large] = &mut self.means;
        let (small, large) = (&mut small[..columns.len()], &mut large[..columns.len()]);
        self.outer.row(row, columns.clone(), large);
        let heights = self.tile.row(row, 0, columns.clone(), 0);
        match &mut self.inner {
            Some(inner) => inner.row(row, columns, small),
            None => small.iter_mut().zip(heights).for_each(|(mean, height)| *mean = f64::from(*height)),
        }
        let means = small.iter().zip(large.iter());
        for ((out, height), (small, large)) in out.row_mut(0).iter_mut().zip(heights).zip(means) {
            // Zero, or NaN for a missing cell.
            let missing = height.abs() * 0.0;
            *out = ((small - large) * self.factor) as f32 + missing;
        }
    }
}
