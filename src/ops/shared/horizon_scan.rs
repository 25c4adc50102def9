//! Horizon scan: sky-view factor and openness of one row of cells.

use super::arctangent::{ROOT_FACTOR, four_arctangents, raw_sine};
use multiversion::multiversion;
use std::f64::consts::TAU;

/// Cells computed together; the running extremes of a block stay in registers.
const BLOCK: usize = 32;
/// Directions whose angles are added by one arctangent.
const GROUP: usize = 4;
/// Tangent of a direction without any valid sample.
const NO_HORIZON: f32 = -1000.0;
/// Tangents above this are cut, so that products of four stay finite (an error of 1e-6 rad at most).
const STEEPEST: f32 = 1e6;

/// Bits of the measures a scan computes.
pub const SKY_VIEW: u8 = 1;
pub const ANISOTROPIC: u8 = 2;
pub const POSITIVE: u8 = 4;
pub const NEGATIVE: u8 = 8;

/// Position of a sample relative to the cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub row: i32,
    pub column: i32,
    pub distance: f64,
}

/// The samples of one direction, nearest first.
#[derive(Clone, Debug)]
pub struct Ray {
    /// Radians from north, counter-clockwise.
    pub angle: f64,
    pub steps: Vec<Step>,
}

/// Rays from north counter-clockwise, sampled every third of a cell between `minimum` and `radius`.
pub fn rays(directions: usize, radius: f64, minimum: f64) -> Vec<Ray> {
    let count = ((radius - minimum) * 3.0 + 1.0).ceil().max(0.0) as usize;
    let ray = |index: usize| {
        let angle = TAU / directions as f64 * index as f64;
        let (cosine, sine) = (angle.cos(), angle.sin());
        let mut steps: Vec<Step> = Vec::with_capacity(count);
        for sample in 0..count {
            let reach = sample as f64 / 3.0 + minimum;
            let row = -(reach * cosine).round_ties_even() as i32;
            let column = -(reach * sine).round_ties_even() as i32;
            if !steps.iter().any(|step| step.row == row && step.column == column) {
                steps.push(Step { row, column, distance: f64::from(row).hypot(f64::from(column)) });
            }
        }
        Ray { angle, steps }
    };
    (0..directions).map(ray).collect()
}

/// A sample of a [`Plan`]: where it is and what turns its height difference into a tangent.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Flat offset from the cell plus [`Plan::reach`].
    offset: u32,
    inverse: f32,
}

/// Directions scanned together, as many samples from each: independent extremes keep the processor busy.
#[derive(Clone, Debug)]
struct Group {
    steps: Vec<[Sample; GROUP]>,
    weights: [f32; GROUP],
}

/// Rays prepared for an array of a certain row stride.
#[derive(Clone, Debug)]
pub struct Plan {
    groups: Vec<Group>,
    directions: usize,
    /// Largest distance of a sample in the flat array.
    reach: usize,
}

impl Plan {
    /// `scale` is the vertical exaggeration divided by the cell size; `weights` (one per ray, any sum) are those of
    /// the anisotropic sky-view factor.
    pub fn new(rays: &[Ray], stride: usize, scale: f64, weights: Option<&[f64]>) -> Plan {
        let flat = |step: &Step| step.row as isize * stride as isize + step.column as isize;
        let steps = rays.iter().flat_map(|ray| &ray.steps);
        let reach = steps.map(|step| flat(step).unsigned_abs()).max().unwrap_or(0);
        let sample = |step: &Step| Sample {
            offset: u32::try_from(flat(step) + reach as isize).expect("rows shorter than 2^32 / radius"),
            inverse: (scale / step.distance) as f32,
        };
        let total = weights.map_or(1.0, |weights| weights.iter().sum());
        let weight = |index: usize| weights.map_or(0.0, |weights| weights[index] / total) as f32;
        // Rays of the same length come together, so that little is wasted by filling up the shorter ones.
        let mut order: Vec<usize> = (0..rays.len()).collect();
        order.sort_by_key(|index| rays[*index].steps.len());
        let prepared = |index: &usize| (rays[*index].steps.iter().map(sample).collect(), weight(*index));
        let groups =
            order.chunks(GROUP).map(|members| Group::new(members.iter().map(prepared), reach as u32));
        Plan { groups: groups.collect(), directions: rays.len(), reach }
    }
}

impl Group {
    /// A missing direction looks at the cell itself, which has tangent 0 and adds nothing to any sum.
    fn new(members: impl Iterator<Item = (Vec<Sample>, f32)>, itself: u32) -> Group {
        let mut rays = vec![(vec![Sample { offset: itself, inverse: 0.0 }], 0.0); GROUP];
        for (ray, member) in rays.iter_mut().zip(members) {
            *ray = member;
        }
        let longest = rays.iter().map(|ray| ray.0.len()).max().unwrap_or(0);
        // 0 times infinity is NaN: a ray without any sample stays without horizon.
        let nothing = Sample { offset: itself, inverse: f32::INFINITY };
        let sample = |ray: usize, step: usize| {
            let samples = &rays[ray].0;
            samples.get(step).or(samples.first()).copied().unwrap_or(nothing)
        };
        let steps = (0..longest).map(|step| [0, 1, 2, 3].map(|ray| sample(ray, step))).collect();
        Group { steps, weights: [0, 1, 2, 3].map(|ray| rays[ray].1) }
    }
}

/// Output rows, at least as long as the scanned row.
#[derive(Default)]
pub struct Measures<'a> {
    pub sky_view: Option<&'a mut [f32]>,
    pub anisotropic: Option<&'a mut [f32]>,
    /// Degrees.
    pub positive: Option<&'a mut [f32]>,
    /// Degrees.
    pub negative: Option<&'a mut [f32]>,
}

impl Measures<'_> {
    fn bits(&self) -> u8 {
        let bit = |wanted: bool, bit: u8| if wanted { bit } else { 0 };
        bit(self.sky_view.is_some(), SKY_VIEW)
            | bit(self.anisotropic.is_some(), ANISOTROPIC)
            | bit(self.positive.is_some(), POSITIVE)
            | bit(self.negative.is_some(), NEGATIVE)
    }

    #[inline(always)]
    fn store<const N: usize>(&mut self, column: usize, block: &Block<N>) {
        let rows = [&mut self.sky_view, &mut self.anisotropic, &mut self.positive, &mut self.negative];
        for (row, values) in rows.into_iter().zip(&block.values) {
            if let Some(row) = row {
                row[column..column + N].copy_from_slice(values);
            }
        }
    }
}

/// Sums, then results, of the measures of one block.
struct Block<const N: usize> {
    values: [[f32; N]; 4],
}

/// Tangents of the horizon above and (negated) below in a group of directions.
struct Horizons<const N: usize> {
    above: [[f32; N]; GROUP],
    below: [[f32; N]; GROUP],
}

/// Computes the wanted measures of `columns` cells from flat index `first` on.
///
/// All samples of these cells must lie inside `heights`. NaN samples are ignored; a NaN cell gives NaN.
pub fn scan_row(plan: &Plan, heights: &[f32], first: usize, columns: usize, measures: &mut Measures) {
    macro_rules! select {
        ($($bits:literal)*) => {
            match measures.bits() {
                $($bits => scan_dispatched::<$bits>(plan, heights, first, columns, measures),)*
                _ => {}
            }
        };
    }
    select!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512cd", "x86_64+avx2"))]
fn scan_dispatched<const MEASURES: u8>(
    plan: &Plan,
    heights: &[f32],
    first: usize,
    columns: usize,
    measures: &mut Measures,
) {
    scan_cells::<MEASURES>(plan, heights, first, columns, measures);
}

#[inline(always)]
fn scan_cells<const MEASURES: u8>(
    plan: &Plan,
    heights: &[f32],
    first: usize,
    columns: usize,
    measures: &mut Measures,
) {
    if columns < BLOCK {
        for column in 0..columns {
            let block = scan_block::<1, MEASURES>(plan, heights, first + column);
            measures.store(column, &block);
        }
        return;
    }
    for start in (0..columns).step_by(BLOCK) {
        // The last block overlaps the one before and repeats some cells with the same result.
        let column = start.min(columns - BLOCK);
        let block = scan_block::<BLOCK, MEASURES>(plan, heights, first + column);
        measures.store(column, &block);
    }
}

#[inline(always)]
fn lanes<const N: usize>(heights: &[f32], at: usize) -> &[f32; N] {
    heights[at..at + N].first_chunk().expect("N heights")
}

#[inline(always)]
fn scan_block<const N: usize, const MEASURES: u8>(plan: &Plan, heights: &[f32], at: usize) -> Block<N> {
    // Everything the block can see: offsets into it are not negative.
    let window = &heights[at - plan.reach..at + plan.reach + N];
    let centre = *lanes::<N>(window, plan.reach);
    let mut block = Block { values: [[0.0; N]; 4] };
    for group in &plan.groups {
        let horizons = Horizons::scan::<MEASURES>(&group.steps, window, &centre);
        block.add::<MEASURES>(&horizons, &group.weights);
    }
    block.finish::<MEASURES>(&centre, plan.directions);
    block
}

impl<const N: usize> Horizons<N> {
    #[inline(always)]
    fn scan<const MEASURES: u8>(steps: &[[Sample; GROUP]], window: &[f32], centre: &[f32; N]) -> Horizons<N> {
        // Only openness looks below the horizontal plane.
        let start = if MEASURES & POSITIVE == 0 { 0.0 } else { NO_HORIZON };
        // One variable for each direction: arrays indexed in the loop would not stay in registers.
        let [mut a, mut b, mut c, mut d] = [Extremes { above: [start; N], below: [NO_HORIZON; N] }; GROUP];
        for samples in steps {
            a.look::<MEASURES>(&samples[0], window, centre);
            b.look::<MEASURES>(&samples[1], window, centre);
            c.look::<MEASURES>(&samples[2], window, centre);
            d.look::<MEASURES>(&samples[3], window, centre);
        }
        Horizons { above: [a.above, b.above, c.above, d.above], below: [a.below, b.below, c.below, d.below] }
    }
}

/// Extreme tangents of one direction: the highest and the highest of the inverted surface.
#[derive(Clone, Copy)]
struct Extremes<const N: usize> {
    above: [f32; N],
    below: [f32; N],
}

impl<const N: usize> Extremes<N> {
    #[inline(always)]
    fn look<const MEASURES: u8>(&mut self, sample: &Sample, window: &[f32], centre: &[f32; N]) {
        let heights = lanes::<N>(window, sample.offset as usize);
        for lane in 0..N {
            let tangent = (heights[lane] - centre[lane]) * sample.inverse;
            if MEASURES & (SKY_VIEW | ANISOTROPIC | POSITIVE) != 0 {
                self.above[lane] = larger(tangent, self.above[lane]);
            }
            if MEASURES & NEGATIVE != 0 {
                self.below[lane] = larger(-tangent, self.below[lane]);
            }
        }
    }
}

/// The larger number, or `b` where `a` is NaN: exactly the maximum instruction of x86.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn cut(tangent: f32) -> f32 {
    if tangent < STEEPEST { tangent } else { STEEPEST }
}

impl<const N: usize> Block<N> {
    /// Adds a group of directions; the order of the additions is the same for every cell.
    #[inline(always)]
    fn add<const MEASURES: u8>(&mut self, horizons: &Horizons<N>, weights: &[f32; GROUP]) {
        let [sky_view, anisotropic, positive, negative] = &mut self.values;
        for lane in 0..N {
            let above = [0, 1, 2, 3].map(|index| cut(horizons.above[index][lane]));
            if MEASURES & (SKY_VIEW | ANISOTROPIC) != 0 {
                let sines = above.map(|tangent| raw_sine(if tangent > 0.0 { tangent } else { 0.0 }));
                sky_view[lane] += (sines[0] + sines[1]) + (sines[2] + sines[3]);
                anisotropic[lane] += (sines[0] * weights[0] + sines[1] * weights[1])
                    + (sines[2] * weights[2] + sines[3] * weights[3]);
            }
            if MEASURES & POSITIVE != 0 {
                positive[lane] += four_arctangents(above);
            }
            if MEASURES & NEGATIVE != 0 {
                let below = [0, 1, 2, 3].map(|index| cut(horizons.below[index][lane]));
                negative[lane] += four_arctangents(below);
            }
        }
    }

    /// Turns the sums into measures.
    #[inline(always)]
    fn finish<const MEASURES: u8>(&mut self, centre: &[f32; N], directions: usize) {
        let sine_factor = ROOT_FACTOR / directions as f32;
        let degrees = (180.0 / std::f64::consts::PI / directions as f64) as f32;
        for lane in 0..N {
            // Zero, or NaN for a missing cell.
            let missing = centre[lane] - centre[lane];
            self.values[0][lane] = 1.0 - self.values[0][lane] * sine_factor + missing;
            self.values[1][lane] = 1.0 - self.values[1][lane] * ROOT_FACTOR + missing;
            self.values[2][lane] = 90.0 - self.values[2][lane] * degrees + missing;
            self.values[3][lane] = 90.0 - self.values[3][lane] * degrees + missing;
        }
    }
}
