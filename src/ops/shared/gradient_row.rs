//! Slope, aspect and hillshade of one row of cells.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::arctangent::{polar_angle, raw_inverse_root, ROOT_FACTOR};
use multiversion::multiversion;
use ndarray::{s, ArrayViewMut1, ArrayViewMut2, Axis};
use std::f64::consts::PI;

/// Columns whose gradients are kept in the first-level cache for all measures.
const BLOCK: usize = 256;

/// Columns of which several hillshades are computed at once.
const PIECE: usize = 32;

/// A direction in which the sun shines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// cos(zenith angle).
    upward: f32,
    /// sin(zenith angle) sin(azimuth).
    eastward: f32,
    /// sin(zenith angle) cos(azimuth).
    northward: f32,
}

impl Light {
    /// Azimuth clockwise from north and elevation above the horizon, both in degrees.
    pub fn new(azimuth: f64, elevation: f64) -> Light {
        let (azimuth, zenith) = (azimuth.to_radians(), (90.0 - elevation).to_radians());
        Light {
            upward: zenith.cos() as f32,
            eastward: (zenith.sin() * azimuth.sin()) as f32,
            northward: (zenith.sin() * azimuth.cos()) as f32,
        }
    }
}

/// What can be derived from the gradient of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Slope in degrees.
    SlopeDegrees,
    /// Slope in radians.
    SlopeRadians,
    /// Rise over run, times 100.
    SlopePercent,
    /// Downslope azimuth clockwise from north in (-180, 180].
    AspectDegrees,
    /// The same in (-pi, pi].
    AspectRadians,
    /// Brightness under a light, 0..1.
    Hillshade(Light),
}

impl Measure {
    #[inline(always)]
    fn light(&self) -> Option<&Light> {
        if let Measure::Hillshade(light) = self {
            Some(light)
        } else {
            None
        }
    }
}

/// A row of heights with its neighbours; every slice has one more cell at both ends.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The row to the north.
    pub north: &'a [f32],
    /// The row itself.
    pub centre: &'a [f32],
    /// The row to the south.
    pub south: &'a [f32],
}

/// Vertical exaggeration divided by twice the cell size, for both axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Along a row.
    pub x: f32,
    /// Along a column.
    pub y: f32,
}

impl Scale {
    /// Cell sizes in the unit of the heights.
    pub fn new(exaggeration: f64, cell_width: f64, cell_height: f64) -> Scale {
        Scale {
            x: (exaggeration / (2.0 * cell_width)) as f32,
            y: (exaggeration / (2.0 * cell_height)) as f32,
        }
    }
}

/// Hillshades that are computed together.
const LIGHTS: usize = 16;

/// Gradients of a block of cells: downward to the east and to the north.
struct Gradients {
    east: [f32; BLOCK],
    north: [f32; BLOCK],
    /// 1 / sqrt(1 + east^2 + north^2).
    inverse: [f32; BLOCK],
}

/// Computes measures of a row; `out` has one row for every measure.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512cd", "x86_64+avx2"))]
pub fn gradient_row(rows: Rows, scale: Scale, measures: &[Measure], out: ArrayViewMut2<'_, f32>) {
    gradient_cells(rows, scale, measures, out);
}

#[inline(always)]
fn gradient_cells(rows: Rows, scale: Scale, measures: &[Measure], mut out: ArrayViewMut2<'_, f32>) {
    let columns = rows.centre.len() - 2;
    let mut gradients = Gradients { east: [0.0; BLOCK], north: [0.0; BLOCK], inverse: [0.0; BLOCK] };
    for start in (0..columns).step_by(BLOCK) {
        let cells = start..(start + BLOCK).min(columns);
        gradients.fill(rows, scale, start, cells.len());
        let mut first = 0;
        for run in measures.chunk_by(|a, b| a.light().is_some() && b.light().is_some()) {
            let mut bands = out.slice_mut(s![first..first + run.len(), cells.clone()]);
            first += run.len();
            match run {
                [measure] => gradients.write(measure, contiguous(bands.row_mut(0))),
                run => {
                    for (lights, bands) in run.chunks(LIGHTS).zip(bands.axis_chunks_iter_mut(Axis(0), LIGHTS))
                    {
                        gradients.write_hillshades(lights, bands);
                    }
                }
            }
        }
    }
}

fn contiguous(row: ArrayViewMut1<'_, f32>) -> &mut [f32] {
    row.into_slice().expect("outputs have contiguous rows")
}

/// A missing neighbour has the height of the cell itself.
#[inline(always)]
fn or_centre(neighbour: f32, centre: f32) -> f32 {
    if neighbour.is_nan() {
        centre
    } else {
        neighbour
    }
}

#[inline(always)]
fn lanes(values: &[f32; BLOCK], start: usize) -> [f32; PIECE] {
    *values[start..].first_chunk().expect("pieces divide the block")
}

impl Gradients {
    #[inline(always)]
    fn fill(&mut self, rows: Rows, scale: Scale, start: usize, columns: usize) {
        let (west, centre) = (&rows.centre[start..][..columns], &rows.centre[start + 1..][..columns]);
        let (east, north) = (&rows.centre[start + 2..][..columns], &rows.north[start + 1..][..columns]);
        let south = &rows.south[start + 1..][..columns];
        let (to_east, to_north) = (&mut self.east[..columns], &mut self.north[..columns]);
        let inverse = &mut self.inverse[..columns];
        for column in 0..columns {
            let height = centre[column];
            // Zero, or NaN for a missing cell, whose neighbours may all be valid.
            let missing = height.abs() * 0.0;
            let x = (or_centre(west[column], height) - or_centre(east[column], height)) * scale.x + missing;
            let y = (or_centre(south[column], height) - or_centre(north[column], height)) * scale.y + missing;
            to_east[column] = x;
            to_north[column] = y;
            inverse[column] = raw_inverse_root(1.0 + (x * x + y * y)) * ROOT_FACTOR;
        }
    }

    #[inline(always)]
    fn write(&self, measure: &Measure, output: &mut [f32]) {
        match measure {
            Measure::SlopeDegrees => self.each(output, |x, y, _| slope(x, y) * (180.0 / PI) as f32),
            Measure::SlopeRadians => self.each(output, |x, y, _| slope(x, y)),
            Measure::SlopePercent => self.each(output, |x, y, _| tangent(x, y) * 100.0),
            Measure::AspectDegrees => self.each(output, |x, y, _| aspect(x, y) * (180.0 / PI) as f32),
            Measure::AspectRadians => self.each(output, |x, y, _| aspect(x, y)),
            Measure::Hillshade(light) => self.each(output, |x, y, inverse| hillshade(light, x, y, inverse)),
        }
    }

    /// Many hillshades at once: each piece of the gradients is loaded once and all planes grow evenly, which the
    /// memory system likes better than a long stretch of one plane after the other.
    #[inline(always)]
    fn write_hillshades(&self, measures: &[Measure], mut bands: ArrayViewMut2<'_, f32>) {
        let columns = bands.ncols();
        let whole = columns / PIECE * PIECE;
        let mut rows = bands.axis_iter_mut(Axis(0)).map(contiguous);
        // Plain slices: views made anew for every piece would cost as much as the arithmetic.
        let mut rows: [&mut [f32]; LIGHTS] = std::array::from_fn(|_| rows.next().unwrap_or_default());
        let lights = || measures.iter().filter_map(Measure::light);
        for piece in (0..whole).step_by(PIECE) {
            let (x, y) = (lanes(&self.east, piece), lanes(&self.north, piece));
            let inverse = lanes(&self.inverse, piece);
            for (light, row) in lights().zip(&mut rows) {
                let cells = row[piece..].first_chunk_mut().expect("a whole piece");
                *cells = hillshades(light, &x, &y, &inverse);
            }
        }
        for (light, row) in lights().zip(&mut rows) {
            for column in whole..columns {
                let (x, y) = (self.east[column], self.north[column]);
                row[column] = hillshade(light, x, y, self.inverse[column]);
            }
        }
    }

    #[inline(always)]
    fn each(&self, output: &mut [f32], value: impl Fn(f32, f32, f32) -> f32) {
        let columns = output.len();
        let (east, north) = (&self.east[..columns], &self.north[..columns]);
        let inverse = &self.inverse[..columns];
        for column in 0..columns {
            output[column] = value(east[column], north[column], inverse[column]);
        }
    }
}

/// Length of the gradient. The root of zero is zero because the inverse root of zero is finite.
#[inline(always)]
fn tangent(x: f32, y: f32) -> f32 {
    let square = x * x + y * y;
    square * (raw_inverse_root(square) * ROOT_FACTOR)
}

#[inline(always)]
fn slope(x: f32, y: f32) -> f32 {
    polar_angle(tangent(x, y), 1.0)
}

/// Azimuth of the descent; 1e-8 in place of zero makes it 0 on flat ground.
#[inline(always)]
fn aspect(x: f32, y: f32) -> f32 {
    let y = if y == 0.0 { 1e-8 } else { y };
    polar_angle(x, y)
}

/// Cosine of the angle between the light and the normal; NaN stays NaN.
#[inline(always)]
fn hillshade(light: &Light, x: f32, y: f32, inverse: f32) -> f32 {
    let value = (light.upward + (y * light.northward + x * light.eastward)) * inverse;
    if value < 0.0 {
        0.0
    } else {
        value
    }
}

#[inline(always)]
fn hillshades(light: &Light, x: &[f32; PIECE], y: &[f32; PIECE], inverse: &[f32; PIECE]) -> [f32; PIECE] {
    let mut values = [0.0; PIECE];
    for lane in 0..PIECE {
        values[lane] = hillshade(light, x[lane], y[lane], inverse[lane]);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn surface(columns: usize) -> [Vec<f32>; 3] {
        let height = |row: f32, x: f32| 30.0 * (x * 0.37 + row).sin() + 900.0 * (x * 0.011).cos() * row;
        [0.0, 1.0, 2.0].map(|row| (0..columns + 2).map(|x| height(row, x as f32)).collect())
    }

    fn run(rows: &[Vec<f32>; 3], scale: Scale, measures: &[Measure]) -> Vec<Vec<f32>> {
        let mut planes = Array2::zeros((measures.len(), rows[0].len() - 2));
        let [north, centre, south] = rows;
        gradient_row(Rows { north, centre, south }, scale, measures, planes.view_mut());
        planes.outer_iter().map(|row| row.to_vec()).collect()
    }

    /// Straightforward f64 formulas: slope, aspect, hillshade at azimuth 315, elevation 35.
    fn exact(rows: &[Vec<f32>; 3], column: usize, width: f64, height: f64) -> [f64; 3] {
        let centre = rows[1][column + 1] as f64;
        let cell = |row: usize, column: usize| {
            Some(rows[row][column] as f64).filter(|z| !z.is_nan()).unwrap_or(centre)
        };
        let x = (cell(1, column) - cell(1, column + 2)) / 2.0 / width;
        let y = (cell(2, column + 1) - cell(0, column + 1)) / 2.0 / height;
        let slope = x.hypot(y).atan();
        let aspect = x.atan2(if y == 0.0 { 1e-8 } else { y });
        let (zenith, azimuth) = (55f64.to_radians(), 315f64.to_radians());
        let light = zenith.cos() * slope.cos() + zenith.sin() * slope.sin() * (aspect - azimuth).cos();
        [slope, aspect, light.max(0.0) + centre * 0.0]
    }

    #[test]
    fn measures_match_double_precision() {
        let mut rows = surface(1000);
        rows[1][40] = f32::NAN;
        rows[0][77] = f32::NAN;
        let measures =
            [Measure::SlopeRadians, Measure::AspectRadians, Measure::Hillshade(Light::new(315.0, 35.0))];
        let planes = run(&rows, Scale::new(1.0, 0.5, 2.0), &measures);
        let mut worst = [0.0f64; 3];
        for column in 0..1000 {
            let exact = exact(&rows, column, 0.5, 2.0);
            for index in 0..3 {
                let value = planes[index][column];
                if column == 39 {
                    assert!(value.is_nan());
                } else {
                    worst[index] = worst[index].max((value as f64 - exact[index]).abs());
                }
            }
        }
        println!("slope, aspect, hillshade: worst absolute errors {worst:?}");
        assert!(worst[0] < 1e-6 && worst[1] < 1e-6 && worst[2] < 1e-6);
    }

    #[test]
    fn special_values() {
        let flat = [vec![5.0; 7], vec![5.0; 7], vec![5.0; 7]];
        let light = Light::new(315.0, 30.0);
        let all =
            [Measure::SlopeDegrees, Measure::SlopePercent, Measure::AspectDegrees, Measure::Hillshade(light)];
        let planes = run(&flat, Scale::new(1.0, 1.0, 1.0), &all);
        assert_eq!((planes[0][0], planes[1][0], planes[2][0]), (0.0, 0.0, 0.0));
        assert!((planes[3][0] - 0.5).abs() < 1e-6);
        let south = [vec![2.0; 3], vec![1.0; 3], vec![0.0; 3]];
        let planes = run(&south, Scale::new(1.0, 1.0, 1.0), &all);
        assert!((planes[0][0] - 45.0).abs() < 1e-4 && (planes[1][0] - 100.0).abs() < 1e-4);
        assert_eq!(planes[2][0], 180.0);
    }

    #[multiversion(targets("x86_64+avx2"))]
    fn gradient_avx2(rows: Rows, scale: Scale, measures: &[Measure], out: ArrayViewMut2<'_, f32>) {
        gradient_cells(rows, scale, measures, out);
    }

    #[test]
    fn all_targets_and_positions_agree() {
        let mut rows = surface(700);
        rows[1][40] = f32::NAN;
        let light = |azimuth| Measure::Hillshade(Light::new(azimuth, 35.0));
        let measures =
            [Measure::SlopeDegrees, Measure::AspectDegrees, light(315.0), light(10.0), Measure::SlopePercent];
        let scale = Scale::new(1.0, 0.5, 2.0);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let expected = run(&rows, scale, &measures);
        for (version, skip) in [(0, 0), (1, 0), (0, 13), (1, 300), (2, 1)] {
            let mut planes = Array2::zeros((measures.len(), 700 - skip));
            let [north, centre, south] = [0, 1, 2].map(|row| &rows[row][skip..]);
            let scanned = Rows { north, centre, south };
            match version {
                0 => gradient_cells(scanned, scale, &measures, planes.view_mut()),
                1 => gradient_avx2(scanned, scale, &measures, planes.view_mut()),
                _ => gradient_row(scanned, scale, &measures, planes.view_mut()),
            }
            for (plane, expected) in planes.outer_iter().zip(&expected) {
                assert_eq!(
                    bits(&plane.to_vec()),
                    bits(&expected[skip..]),
                    "version {version}, first column {skip}"
                );
            }
        }
    }
}
