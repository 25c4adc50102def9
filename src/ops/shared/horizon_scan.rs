//! Horizon scan: sky-view factor and openness of one row of cells.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::arctangent::{four_arctangents, raw_sine, ROOT_FACTOR};
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

// Bits of the measures a scan computes.
const SKY_VIEW: u8 = 1;
const ANISOTROPIC: u8 = 2;
const POSITIVE: u8 = 4;
const NEGATIVE: u8 = 8;

/// Position of a sample relative to the cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Rows down.
    pub row: i32,
    /// Columns to the right.
    pub column: i32,
    /// Length of the step, in cells.
    pub distance: f64,
}

/// The samples of one direction, nearest first.
#[derive(Clone, Debug)]
pub struct Ray {
    /// Radians from north, counter-clockwise.
    pub angle: f64,
    /// Its samples.
    pub steps: Vec<Step>,
}

/// Rays from north counter-clockwise, sampled every third of a cell between `minimum` and `radius`.
pub fn rays(directions: usize, radius: f64, minimum: f64) -> Vec<Ray> {
    (0..directions).map(|index| ray(TAU / directions as f64 * index as f64, radius, minimum)).collect()
}

/// One ray, `angle` radians counter-clockwise from north.
pub fn ray(angle: f64, radius: f64, minimum: f64) -> Ray {
    let count = ((radius - minimum) * 3.0 + 1.0).ceil().max(0.0) as usize;
    let (cosine, sine) = (angle.cos(), angle.sin());
    let mut steps: Vec<Step> = Vec::with_capacity(count);
    for sample in 0..count {
        let reach = sample as f64 / 3.0 + minimum;
        let row = -(reach * cosine).round_ties_even() as i32;
        let column = -(reach * sine).round_ties_even() as i32;
        // Both coordinates move one way only, so that equal cells follow each other.
        if steps.last().is_none_or(|step| (step.row, step.column) != (row, column)) {
            steps.push(Step { row, column, distance: f64::from(row).hypot(f64::from(column)) });
        }
    }
    Ray { angle, steps }
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
    /// Share of the sky, 0..1.
    pub sky_view: Option<&'a mut [f32]>,
    /// The same with the plan's weights.
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
    if a > b {
        a
    } else {
        b
    }
}

#[inline(always)]
fn cut(tangent: f32) -> f32 {
    if tangent < STEEPEST {
        tangent
    } else {
        STEEPEST
    }
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
            let missing = centre[lane].abs() * 0.0;
            self.values[0][lane] = 1.0 - self.values[0][lane] * sine_factor + missing;
            self.values[1][lane] = 1.0 - self.values[1][lane] * ROOT_FACTOR + missing;
            self.values[2][lane] = 90.0 - self.values[2][lane] * degrees + missing;
            self.values[3][lane] = 90.0 - self.values[3][lane] * degrees + missing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIDE: usize = 333;
    const ROWS: usize = 41;
    const MARGIN: usize = 20;

    /// Rough ground with a hole, a missing cell in the row of interest and a spike.
    fn surface() -> Vec<f32> {
        let mut state = 7u32;
        let mut heights: Vec<f32> = (0..STRIDE * ROWS)
            .map(|index| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (x, y) = ((index % STRIDE) as f32, (index / STRIDE) as f32);
                300.0
                    + 8.0 * (x * 0.11).sin() * (y * 0.2).cos()
                    + (state >> 8) as f32 / (1 << 24) as f32 * 3.0
            })
            .collect();
        for row in 0..ROWS {
            heights[row * STRIDE + 100..row * STRIDE + 112].fill(f32::NAN);
        }
        heights[MARGIN * STRIDE + 150] = f32::NAN;
        heights[MARGIN * STRIDE + 105] = 301.0;
        heights[(MARGIN + 3) * STRIDE + 200] = 3e38;
        heights[MARGIN * STRIDE + 250] = -3e38;
        heights
    }

    fn weights(rays: &[Ray]) -> Vec<f64> {
        rays.iter().map(|ray| 0.6 * ((ray.angle - 5.5) / 2.0).cos().powi(4) + 0.4).collect()
    }

    /// All four measures with one of the versions of the scan.
    fn scan(version: usize, plan: &Plan, heights: &[f32], first: usize, columns: usize) -> [Vec<f32>; 4] {
        let mut planes = [0, 1, 2, 3].map(|_| vec![0.0; columns]);
        let [a, b, c, d] = &mut planes;
        let mut measures =
            Measures { sky_view: Some(a), anisotropic: Some(b), positive: Some(c), negative: Some(d) };
        match version {
            0 => scan_cells::<15>(plan, heights, first, columns, &mut measures),
            1 => scan_avx2(plan, heights, first, columns, &mut measures),
            _ => scan_row(plan, heights, first, columns, &mut measures),
        }
        planes
    }

    #[multiversion(targets("x86_64+avx2"))]
    fn scan_avx2(plan: &Plan, heights: &[f32], first: usize, columns: usize, measures: &mut Measures) {
        scan_cells::<15>(plan, heights, first, columns, measures);
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
    }

    #[test]
    fn all_targets_and_positions_agree() {
        let heights = surface();
        for directions in [16, 7] {
            let rays = rays(directions, 10.0, 1.0);
            let plan = Plan::new(&rays, STRIDE, -2.0, Some(&weights(&rays)));
            let first = MARGIN * STRIDE + MARGIN;
            let expected = scan(2, &plan, &heights, first, 293);
            for (version, skip, columns) in [
                (0, 0, 293),
                (1, 0, 293),
                (0, 1, 292),
                (1, 17, 111),
                (2, 5, 32),
                (2, 9, 31),
                (2, 60, 100),
                (0, 3, 1),
            ] {
                let planes = scan(version, &plan, &heights, first + skip, columns);
                for (plane, expected) in planes.iter().zip(&expected) {
                    assert_eq!(
                        bits(plane),
                        bits(&expected[skip..skip + columns]),
                        "{version} {skip} {columns}"
                    );
                }
            }
        }
    }

    /// Straightforward f64 formulas of one cell.
    fn exact(heights: &[f32], at: usize, rays: &[Ray], weights: &[f64]) -> [f64; 4] {
        let centre = heights[at] as f64;
        let (mut sums, total) = ([0.0; 4], weights.iter().sum::<f64>());
        for (ray, weight) in rays.iter().zip(weights) {
            let angle = |sign: f64| {
                let tangent = |step: &Step| {
                    let offset = step.row as isize * STRIDE as isize + step.column as isize;
                    sign * (heights[at.wrapping_add_signed(offset)] as f64 - centre) / step.distance
                };
                ray.steps.iter().map(tangent).fold(-1000.0, f64::max).atan()
            };
            let open = 1.0 - angle(1.0).max(0.0).sin();
            sums[0] += open / rays.len() as f64;
            sums[1] += open * weight / total;
            sums[2] += angle(1.0).to_degrees() / rays.len() as f64;
            sums[3] += angle(-1.0).to_degrees() / rays.len() as f64;
        }
        let missing = centre * 0.0;
        [sums[0] + missing, sums[1] + missing, 90.0 - sums[2] + missing, 90.0 - sums[3] + missing]
    }

    #[test]
    fn measures_match_double_precision() {
        let heights = surface();
        for (directions, radius, minimum) in [(16, 10.0, 1.0), (16, 20.0, 8.0), (9, 5.0, 1.0), (32, 7.0, 1.0)]
        {
            let rays = rays(directions, radius, minimum);
            let weights = weights(&rays);
            let plan = Plan::new(&rays, STRIDE, 1.0, Some(&weights));
            let first = MARGIN * STRIDE + MARGIN;
            let planes = scan(2, &plan, &heights, first, 293);
            let mut worst = [0.0f64; 4];
            for column in 0..293 {
                let exact = exact(&heights, first + column, &rays, &weights);
                for (index, plane) in planes.iter().enumerate() {
                    assert_eq!(plane[column].is_nan(), exact[index].is_nan(), "{index} {column}");
                    worst[index] = worst[index].max((plane[column] as f64 - exact[index]).abs());
                }
            }
            println!("svf, asvf, positive, negative: worst absolute errors {worst:?}");
            assert!(worst[0] < 1e-6 && worst[1] < 1e-6 && worst[2] < 1e-4 && worst[3] < 1e-4);
        }
    }

    #[test]
    fn subsets_agree_and_a_plane_is_open() {
        let mut heights = surface();
        let rays = rays(16, 10.0, 1.0);
        let first = MARGIN * STRIDE + MARGIN;
        let plan = Plan::new(&rays, STRIDE, 1.0, Some(&weights(&rays)));
        let all = scan(2, &plan, &heights, first, 200);
        let (mut sky, mut below) = (vec![0.0; 200], vec![0.0; 200]);
        scan_row(
            &plan,
            &heights,
            first,
            200,
            &mut Measures { sky_view: Some(&mut sky), ..Default::default() },
        );
        scan_row(
            &plan,
            &heights,
            first,
            200,
            &mut Measures { negative: Some(&mut below), ..Default::default() },
        );
        assert_eq!((bits(&sky), bits(&below)), (bits(&all[0]), bits(&all[3])));
        heights.fill(123.4);
        let flat = scan(2, &plan, &heights, first, 200);
        for (plane, value) in flat.iter().zip([1.0, 1.0, 90.0, 90.0]) {
            assert!(plane.iter().all(|open| *open == value));
        }
    }

    /// Parses `[[[row,column],..],..]` after `"key":`.
    fn golden(text: &str, key: &str) -> Vec<Vec<(i32, i32)>> {
        let text = text.split_once(&format!("\"{key}\":[[[")).expect("key").1;
        let text = text.split_once("]]]").expect("end").0;
        let pair =
            |pair: &str| pair.split_once(',').map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap())).unwrap();
        text.split("]],[[").map(|ray| ray.split("],[").map(pair).collect()).collect()
    }

    #[test]
    fn offsets_match_the_golden_table() {
        let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/goldens/tables/horizon_offsets.json");
        let text = std::fs::read_to_string(table).expect("the table is part of the repository");
        let text: String = text.split_whitespace().collect();
        for (n, radius, minimum) in [
            (16, 10, 1),
            (8, 10, 1),
            (32, 10, 1),
            (16, 20, 8),
            (12, 10, 1),
            (24, 10, 1),
            (36, 10, 1),
            (8, 25, 5),
            (32, 7, 1),
            (24, 30, 12),
            (32, 20, 10),
            (4, 5, 1),
            (64, 10, 1),
        ] {
            let ours = rays(n, radius as f64, minimum as f64).into_iter().map(|ray| {
                let mut steps: Vec<_> = ray.steps.iter().map(|step| (step.row, step.column)).collect();
                steps.sort();
                steps
            });
            let key = format!("{n}_{radius}_{minimum}");
            assert_eq!(ours.collect::<Vec<_>>(), golden(&text, &key), "{key}");
        }
    }
}
