//! Lane code of the sky search: coarser grids, up-sampling, highest tangents.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use super::horizon_scan::Step;
use super::sky_search::GROUP;
use multiversion::multiversion;

/// Cells computed together; their highest tangents stay in registers.
pub(super) const BLOCK: usize = 32;

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
    pub(super) before: usize,
    /// And after it.
    pub(super) after: usize,
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
pub(super) fn lanes<const N: usize>(values: &[f32], at: usize) -> &[f32; N] {
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
pub(super) fn seen<const N: usize>(
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
