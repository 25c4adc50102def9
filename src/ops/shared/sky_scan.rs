//! Lane code of the sky search: coarser grids, up-sampling, highest tangents, and the light of the sky.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::arctangent::{raw_inverse_root, ROOT_FACTOR};
use super::horizon_scan::Step;
use super::sky_search::GROUP;
use multiversion::multiversion;

/// Cells computed together; their highest tangents stay in registers.
const BLOCK: usize = 32;

/// Tangents above this are cut, so that their squares stay finite.
const STEEPEST: f32 = 1e6;

/// A sample: where it is, and what turns its height difference into a tangent.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Flat offset from the cell plus [`Plan::before`].
    offset: u32,
    inverse: f32,
}

/// Rays prepared for an array of a certain row stride.
#[derive(Clone, Debug)]
pub struct Plan {
    groups: Vec<Vec<[Sample; GROUP]>>,
    /// Cells of the flat array that are needed before the cell.
    before: usize,
    /// And after it.
    after: usize,
}

impl Plan {
    /// `scale` turns a height difference at distance 1 into a tangent. There are whole groups of rays.
    pub fn new(rays: &[Vec<Step>], stride: usize, scale: f64) -> Plan {
        let flat = |step: &Step| step.row as isize * stride as isize + step.column as isize;
        let offsets = || rays.iter().flatten().map(flat);
        let before = -offsets().min().unwrap_or(0).min(0);
        let after = offsets().max().unwrap_or(0).max(0) as usize;
        // A ray without samples looks at the cell itself, which never rises above it.
        let itself = Sample { offset: before as u32, inverse: 0.0 };
        let sample = |step: &Step| Sample {
            offset: u32::try_from(flat(step) + before).expect("rows shorter than 2^32 / radius"),
            inverse: (scale / step.distance) as f32,
        };
        let group = |rays: &[Vec<Step>]| {
            let longest = rays.iter().map(Vec::len).max().unwrap_or(0);
            let member = |ray: usize, step: usize| {
                let steps = &rays[ray];
                steps.get(step).or(steps.first()).map_or(itself, sample)
            };
            (0..longest).map(|step| [0, 1, 2, 3].map(|ray| member(ray, step))).collect()
        };
        Plan { groups: rays.chunks(GROUP).map(group).collect(), before: before as usize, after }
    }
}

#[inline(always)]
fn lanes<const N: usize>(values: &[f32], at: usize) -> &[f32; N] {
    values[at..at + N].first_chunk().expect("N values")
}

/// The larger number, or `b` where `a` is NaN: exactly the maximum instruction of x86.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b {
        a
    } else {
        b
    }
}

/// The larger number, the other one where one is NaN.
#[inline(always)]
fn higher(a: f32, b: f32) -> f32 {
    if b.is_nan() {
        a
    } else {
        larger(a, b)
    }
}

/// The mean, or the other number where one is NaN.
#[inline(always)]
fn mean(a: f32, b: f32) -> f32 {
    let a_or_b = if a.is_nan() { b } else { a };
    let b_or_a = if b.is_nan() { a } else { b };
    (a_or_b + b_or_a) * 0.5
}

/// Halves the highest of four cells: `above` and `below` are two rows, `out` has half their length. `sign` turns the
/// relief upside down when it is -1; lower heights than `floor` are raised to it.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn coarser_row(above: &[f32], below: &[f32], sign: f32, floor: f32, out: &mut [f32]) {
    for (column, out) in out.iter_mut().enumerate() {
        let four = [above[2 * column], above[2 * column + 1], below[2 * column], below[2 * column + 1]];
        let [a, b, c, d] = four.map(|height| height * sign);
        let highest = higher(higher(a, b), higher(c, d));
        *out = if highest < floor { floor } else { highest } * 0.5;
    }
}

/// Tangents of a coarser level between cells: a fine cell lies at half its row and half its column, which is a coarse
/// cell or in the middle between two. `above` and `below` hold `stride` coarse cells for every slot, of which those
/// from `first` on are used; `out` holds `width` fine cells for every slot.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn finer_row(
    (above, below): (&[f32], &[f32]),
    (stride, first): (usize, usize),
    starts_between: bool,
    between: &mut [f32],
    (out, width): (&mut [f32], usize),
) {
    let count = (width + usize::from(starts_between)) / 2 + 1;
    let between = &mut between[..count];
    for (slot, out) in out.chunks_exact_mut(width).enumerate() {
        let start = slot * stride + first;
        let rows = above[start..start + count].iter().zip(&below[start..start + count]);
        for (between, (above, below)) in between.iter_mut().zip(rows) {
            *between = mean(*above, *below);
        }
        if starts_between {
            out[0] = mean(between[0], between[1]);
            interleave(&between[1..], &mut out[1..]);
        } else {
            interleave(between, out);
        }
    }
}

/// Every number, and after it the mean with the next one.
#[inline(always)]
fn interleave(numbers: &[f32], out: &mut [f32]) {
    const HALF: usize = BLOCK / 2;
    let blocks = out.len() / BLOCK;
    for block in 0..blocks {
        let these = *lanes::<HALF>(numbers, HALF * block);
        let next = *lanes::<HALF>(numbers, HALF * block + 1);
        let mut means = [0.0; HALF];
        for lane in 0..HALF {
            means[lane] = mean(these[lane], next[lane]);
        }
        let mut pairs = [0_u64; HALF];
        for lane in 0..HALF {
            // Pairs of numbers as one: this form becomes vector code, two stores side by side do not.
            pairs[lane] = u64::from(these[lane].to_bits()) | u64::from(means[lane].to_bits()) << 32;
        }
        for (out, pair) in out[BLOCK * block..][..BLOCK].chunks_exact_mut(2).zip(&pairs) {
            out.copy_from_slice(&[f32::from_bits(*pair as u32), f32::from_bits((*pair >> 32) as u32)]);
        }
    }
    for column in BLOCK * blocks..out.len() {
        let number = numbers[column / 2];
        out[column] = if column % 2 == 0 { number } else { mean(number, numbers[column / 2 + 1]) };
    }
}

/// Highest tangents of a group of directions, not below `start`. Missing samples never obstruct.
#[inline(always)]
fn highest<const N: usize>(
    steps: &[[Sample; GROUP]],
    window: &[f32],
    centre: &[f32; N],
    start: [[f32; N]; GROUP],
) -> [[f32; N]; GROUP] {
    // One variable for each direction: arrays indexed in the loop would not stay in registers.
    let [mut a, mut b, mut c, mut d] = start;
    for samples in steps {
        look(&mut a, &samples[0], window, centre);
        look(&mut b, &samples[1], window, centre);
        look(&mut c, &samples[2], window, centre);
        look(&mut d, &samples[3], window, centre);
    }
    [a, b, c, d]
}

/// Highest tangents of group number `index`, those of coarser levels included.
#[inline(always)]
fn seen<const N: usize>(
    plan: &Plan,
    index: usize,
    (window, centre): (&[f32], &[f32; N]),
    tangents: &[f32],
    (column, width): (usize, usize),
) -> [[f32; N]; GROUP] {
    // Written out: map would copy the arrays through memory.
    let place = GROUP * index * width + column;
    let start = [
        *lanes::<N>(tangents, place),
        *lanes::<N>(tangents, place + width),
        *lanes::<N>(tangents, place + 2 * width),
        *lanes::<N>(tangents, place + 3 * width),
    ];
    highest(&plan.groups[index], window, centre, start)
}

#[inline(always)]
fn look<const N: usize>(tangents: &mut [f32; N], sample: &Sample, window: &[f32], centre: &[f32; N]) {
    let heights = lanes::<N>(window, sample.offset as usize);
    for lane in 0..N {
        tangents[lane] = larger((heights[lane] - centre[lane]) * sample.inverse, tangents[lane]);
    }
}

/// Raises `tangents` (one row of `width` cells for every slot) to the highest ones seen from the cells from flat
/// index `first` on. NaN for missing cells.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512cd", "x86_64+avx2"))]
pub fn raise_tangents(plan: &Plan, heights: &[f32], first: usize, width: usize, tangents: &mut [f32]) {
    if width < BLOCK {
        for column in 0..width {
            raise_block::<1>(plan, heights, first, (column, width), tangents);
        }
        return;
    }
    for start in (0..width).step_by(BLOCK) {
        // The last block overlaps the one before: raising twice changes nothing.
        let column = start.min(width - BLOCK);
        raise_block::<BLOCK>(plan, heights, first, (column, width), tangents);
    }
}

#[inline(always)]
fn raise_block<const N: usize>(
    plan: &Plan,
    heights: &[f32],
    first: usize,
    (column, width): (usize, usize),
    tangents: &mut [f32],
) {
    let at = first + column;
    let window = &heights[at - plan.before..at + plan.after + N];
    let centre = *lanes::<N>(window, plan.before);
    for index in 0..plan.groups.len() {
        let raised = seen(plan, index, (window, &centre), tangents, (column, width));
        for (member, raised) in raised.iter().enumerate() {
            let place = (GROUP * index + member) * width + column;
            let out: &mut [f32; N] = tangents[place..].first_chunk_mut().expect("N tangents");
            for lane in 0..N {
                // Zero is added, or NaN for a missing cell.
                out[lane] = raised[lane] + centre[lane].abs() * 0.0;
            }
        }
    }
}

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
    /// RVT drops directions from which a slope turns away, and limits the gain.
    pub rvt: bool,
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
    /// The array.
    pub heights: &'a [f32],
    /// Its row stride.
    pub stride: usize,
    /// The first cell of the row.
    pub first: usize,
    /// Tangents of coarser levels, a row for every slot.
    pub tangents: &'a [f32],
}

/// Light of the sky on the cells of a row.
pub fn light_row(plan: &Plan, light: &Light, sight: Sight<'_>, out: &mut [f32]) {
    if light.rvt {
        light_dispatched::<true>(plan, light, sight, out);
    } else {
        light_dispatched::<false>(plan, light, sight, out);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512cd", "x86_64+avx2"))]
fn light_dispatched<const RVT: bool>(plan: &Plan, light: &Light, sight: Sight<'_>, out: &mut [f32]) {
    light_cells::<RVT>(plan, light, sight, out);
}

#[inline(always)]
fn light_cells<const RVT: bool>(plan: &Plan, light: &Light, sight: Sight<'_>, out: &mut [f32]) {
    let width = out.len();
    if width < BLOCK {
        for column in 0..width {
            out[column] = light_block::<1, RVT>(plan, light, sight, (column, width))[0];
        }
        return;
    }
    for start in (0..width).step_by(BLOCK) {
        // The last block overlaps the one before and repeats some cells with the same result.
        let column = start.min(width - BLOCK);
        let block = light_block::<BLOCK, RVT>(plan, light, sight, (column, width));
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
        let neighbour = |offset: isize| *lanes::<N>(sight.heights, at.wrapping_add_signed(offset));
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
}

#[inline(always)]
fn light_block<const N: usize, const RVT: bool>(
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
    let mut sums = Sums { loss: [0.0; N], gain: [0.0; N], gain_east: [0.0; N] };
    for (index, towards) in light.towards.iter().enumerate() {
        let tangents = seen(plan, index, (window, &centre), sight.tangents, place);
        for member in 0..GROUP {
            sums.add::<RVT>(light, &gradient, &tangents[member], towards[member]);
        }
    }
    let mut values = sums.finish::<RVT>(&gradient);
    if let Some(sun) = light.sun {
        let sun_group = light.towards.len();
        let tangents = seen(plan, sun_group, (window, &centre), sight.tangents, place)[0];
        for lane in 0..N {
            let lit = if tangents[lane] < sun { 1.0 } else { 0.0 };
            values[lane] = values[lane] * light.shares.0 + lit * light.shares.1;
        }
    }
    for lane in 0..N {
        values[lane] += centre[lane].abs() * 0.0;
    }
    values
}

impl<const N: usize> Sums<N> {
    /// Adds a direction; the order of the additions is the same for every cell.
    #[inline(always)]
    fn add<const RVT: bool>(
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
            gain *= cosine * cosine * cosine;
            if RVT {
                let towards = gradient.north[lane] * north + gradient.east[lane] * east;
                self.gain[lane] += gain * if towards > 0.0 { towards } else { 0.0 };
            } else {
                self.gain[lane] += gain * north;
                self.gain_east[lane] += gain * east;
            }
        }
    }

    #[inline(always)]
    fn finish<const RVT: bool>(&self, gradient: &Gradient<N>) -> [f32; N] {
        let mut values = [0.0; N];
        for lane in 0..N {
            let (north, east) = (gradient.north[lane], gradient.east[lane]);
            let square = north * north + east * east;
            let cosine = raw_inverse_root(square + 1.0) * ROOT_FACTOR;
            let gain = if RVT {
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
            let value = ((1.0 - self.loss[lane]) + gain) * cosine;
            // A horizon lower than the plane through the cell's neighbours would give light from below it.
            values[lane] = if value < 0.0 { 0.0 } else { value };
        }
        values
    }
}
