//! The light of the sky on a row of cells, from their slope and the horizon around them.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::arctangent::{raw_inverse_root, ROOT_FACTOR};
use super::sky_scan::{lanes, seen, Plan, BLOCK};
use super::sky_search::GROUP;
use multiversion::multiversion;
use std::f32::consts::PI;

/// Tangents above this are cut, so that their squares stay finite.
const STEEPEST: f32 = 1e6;

/// How directions are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// What physics says.
    Physical,
    /// RVT drops directions from which a slope turns away, and limits the gain.
    RvtUniform,
    /// RVT's `0.33 U + 0.67 O`, with U of the uniform sky in units of 1 / pi.
    RvtOvercast,
}

/// Formulas as constants that choose the code of a loop.
const PHYSICAL: u8 = Formula::Physical as u8;
const RVT_OVERCAST: u8 = Formula::RvtOvercast as u8;

/// Coefficients of the light of the sky, from the sine `s` and cosine `c` of the horizon.
///
/// A level cell loses `s^2 (loss[0] + loss[1] s)` in a direction. Per unit of slope towards it, a tilted one gains `c^3`
/// times a polynomial in `s`: the integral of `c^2` above the horizon is `c^3` times a smooth function.
#[derive(Clone, Debug, PartialEq)]
pub struct Light {
    /// What a level cell loses.
    pub loss: [f32; 2],
    /// What a tilted cell gains, from the constant on.
    pub gain: [f32; 8],
    /// Parts of every direction towards north and east.
    pub towards: Vec<[(f32, f32); GROUP]>,
    /// Exaggeration divided by twice the cell size.
    pub slope_scale: f32,
    /// From a cell to its northern neighbour is a row up (-1) or down (1).
    pub north: isize,
    /// Which formula.
    pub formula: Formula,
    /// RVT's overcast sky: factors of what level ground and a slope get from a sky bright above.
    pub rising: [f32; 2],
    /// Factor of the sky before the sun is added.
    pub scale: f32,
    /// Tangent of the sun's elevation; the last group's first direction is the sun's.
    pub sun: Option<f32>,
    /// Factors of the sky and of the sun.
    pub shares: (f32, f32),
}

/// Minimax coefficients of `(pi/4 - h/2 - sin(2h)/4) / cos(h)^3` as a function of `sin h`; error 8e-7 after
/// multiplication by `cos(h)^3`.
pub const TILTED: [f64; 8] =
    [0.785397371, -0.999868367, 1.1745008, -1.29542396, 1.27021329, -0.972873361, 0.480306588, -0.108958658];

/// Heights around the cells of a row and what coarser levels saw from them.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The array that is searched.
    pub heights: &'a [f32],
    /// The array that slopes are taken from: the same, unless missing cells were given heights.
    pub slopes: &'a [f32],
    /// Their row stride.
    pub stride: usize,
    /// The first cell of the row.
    pub first: usize,
    /// Tangents of coarser levels, a row for every slot.
    pub tangents: &'a [f32],
}

/// Light of the sky on the cells of a row.
pub fn light_row(plan: &Plan, light: &Light, sight: Sight<'_>, out: &mut [f32]) {
    match light.formula {
        Formula::Physical => light_dispatched::<PHYSICAL>(plan, light, sight, out),
        Formula::RvtUniform => light_dispatched::<{ Formula::RvtUniform as u8 }>(plan, light, sight, out),
        Formula::RvtOvercast => light_dispatched::<RVT_OVERCAST>(plan, light, sight, out),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512cd", "x86_64+avx2"))]
fn light_dispatched<const FORMULA: u8>(plan: &Plan, light: &Light, sight: Sight<'_>, out: &mut [f32]) {
    light_cells::<FORMULA>(plan, light, sight, out);
}

#[inline(always)]
fn light_cells<const FORMULA: u8>(plan: &Plan, light: &Light, sight: Sight<'_>, out: &mut [f32]) {
    let width = out.len();
    if width < BLOCK {
        for column in 0..width {
            out[column] = light_block::<1, FORMULA>(plan, light, sight, (column, width))[0];
        }
        return;
    }
    for start in (0..width).step_by(BLOCK) {
        // The last block overlaps the one before and repeats some cells with the same result.
        let column = start.min(width - BLOCK);
        let block = light_block::<BLOCK, FORMULA>(plan, light, sight, (column, width));
        out[column..column + BLOCK].copy_from_slice(&block);
    }
}

/// Fall towards north and east.
struct Gradient<const N: usize> {
    north: [f32; N],
    east: [f32; N],
}

impl<const N: usize> Gradient<N> {
    /// A missing neighbour has the height of the cell itself.
    #[inline(always)]
    fn new(light: &Light, sight: Sight<'_>, at: usize, centre: &[f32; N]) -> Self {
        let up = light.north * sight.stride as isize;
        let neighbour = |offset: isize| *lanes::<N>(sight.slopes, at.wrapping_add_signed(offset));
        let (north, south) = (neighbour(up), neighbour(-up));
        let (west, east) = (neighbour(-1), neighbour(1));
        let mut gradient = Gradient { north: [0.0; N], east: [0.0; N] };
        for lane in 0..N {
            let or_centre = |height: f32| if height.is_nan() { centre[lane] } else { height };
            gradient.north[lane] = (or_centre(south[lane]) - or_centre(north[lane])) * light.slope_scale;
            gradient.east[lane] = (or_centre(west[lane]) - or_centre(east[lane])) * light.slope_scale;
        }
        gradient
    }
}

/// Sums over directions.
struct Sums<const N: usize> {
    /// What level ground loses.
    loss: [f32; N],
    /// What a slope gains; towards north only, unless the formula is RVT's.
    gain: [f32; N],
    gain_east: [f32; N],
    /// RVT's overcast sky: cubes of cosines, and what a slope gains from them.
    rising: [[f32; N]; 2],
}

#[inline(always)]
fn light_block<const N: usize, const FORMULA: u8>(
    plan: &Plan,
    light: &Light,
    sight: Sight<'_>,
    (column, width): (usize, usize),
) -> [f32; N] {
    let at = sight.first + column;
    let window = &sight.heights[at - plan.before..at + plan.after + N];
    let centre = *lanes::<N>(window, plan.before);
    let gradient = Gradient::new(light, sight, at, &centre);
    let place = (column, width);
    let none = [0.0; N];
    let mut sums = Sums { loss: none, gain: none, gain_east: none, rising: [none; 2] };
    for (index, towards) in light.towards.iter().enumerate() {
        let tangents = seen(plan, index, (window, &centre), sight.tangents, place);
        for member in 0..GROUP {
            sums.add::<FORMULA>(light, &gradient, &tangents[member], towards[member]);
        }
    }
    let mut values = sums.finish::<FORMULA>(light, &gradient);
    if let Some(sun) = light.sun {
        let sun_group = light.towards.len();
        let tangents = seen(plan, sun_group, (window, &centre), sight.tangents, place)[0];
        for lane in 0..N {
            let lit = if tangents[lane] < sun { 1.0 } else { 0.0 };
            values[lane] = values[lane] * (light.scale * light.shares.0) + lit * light.shares.1;
        }
    }
    if light.sun.is_none() && light.scale != 1.0 {
        values.iter_mut().for_each(|value| *value *= light.scale);
    }
    for lane in 0..N {
        values[lane] += centre[lane].abs() * 0.0;
    }
    values
}

impl<const N: usize> Sums<N> {
    /// Adds a direction; the order of the additions is the same for every cell.
    #[inline(always)]
    fn add<const FORMULA: u8>(
        &mut self,
        light: &Light,
        gradient: &Gradient<N>,
        tangents: &[f32; N],
        (north, east): (f32, f32),
    ) {
        for lane in 0..N {
            let tangent = if tangents[lane] < STEEPEST { tangents[lane] } else { STEEPEST };
            let cosine = raw_inverse_root(tangent * tangent + 1.0) * ROOT_FACTOR;
            let sine = tangent * cosine;
            self.loss[lane] += sine * sine * (light.loss[0] + light.loss[1] * sine);
            let mut gain = light.gain[7];
            for power in (0..7).rev() {
                gain = gain * sine + light.gain[power];
            }
            let cube = cosine * cosine * cosine;
            gain *= cube;
            if FORMULA == PHYSICAL {
                self.gain[lane] += gain * north;
                self.gain_east[lane] += gain * east;
                continue;
            }
            let towards = gradient.north[lane] * north + gradient.east[lane] * east;
            let towards = if towards > 0.0 { towards } else { 0.0 };
            self.gain[lane] += gain * towards;
            if FORMULA == RVT_OVERCAST {
                self.rising[0][lane] += cube;
                self.rising[1][lane] += (2.0 / 3.0 - cosine + cube / 3.0) * towards;
            }
        }
    }

    #[inline(always)]
    fn finish<const FORMULA: u8>(&self, light: &Light, gradient: &Gradient<N>) -> [f32; N] {
        let mut values = [0.0; N];
        for lane in 0..N {
            let (north, east) = (gradient.north[lane], gradient.east[lane]);
            let square = north * north + east * east;
            let cosine = raw_inverse_root(square + 1.0) * ROOT_FACTOR;
            let gain = if FORMULA != PHYSICAL {
                // At most pi times the sine of the slope, in units of pi.
                let most = square * raw_inverse_root(square) * ROOT_FACTOR;
                let gain = self.gain[lane];
                if gain < most {
                    gain
                } else {
                    most
                }
            } else {
                self.gain[lane] * north + self.gain_east[lane] * east
            };
            let mut value = ((1.0 - self.loss[lane]) + gain) * cosine;
            if FORMULA == RVT_OVERCAST {
                let rising = self.rising[0][lane] * light.rising[0] + self.rising[1][lane] * light.rising[1];
                value = 0.33 * PI * value + 0.67 * rising * cosine;
            }
            // A horizon lower than the plane through the cell's neighbours would give light from below it.
            values[lane] = if value < 0.0 { 0.0 } else { value };
        }
        values
    }
}
