//! What of the images is kept decoded while tiles smaller than their blocks are computed, as far as the memory reaches.
//!
//! The tiles of a rectangle of whole blocks come one after another: an image of that rectangle is decoded for the first of
//! them. What does not fit is decoded again for every tile. Images are read in turn, again and again, so that those that are
//! kept must be the same ones for all tiles, and small ones are the most for the memory.

use super::io::PlaneInfo;
use super::order::Order;
use super::program::StackProgram;
use std::collections::{HashMap, HashSet};

/// Planes of an image that stand together in a file: their blocks are decoded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) planes: Vec<usize>,
    /// Cells around a tile that are read.
    pub(super) halo: usize,
    /// What lies around a rectangle is kept with the rectangles there, if they fit, and not with this one.
    pub(super) is_spread: bool,
}

impl Unit {
    /// Bytes of a rectangle.
    pub(super) fn bytes(&self, planes: &[PlaneInfo], (rows, cols): (usize, usize)) -> usize {
        let layout = planes[self.planes[0]].layout;
        let halo = if self.is_spread { 0 } else { self.halo };
        let wide = |side: usize, most: usize| side.saturating_add(2 * halo).min(most);
        let cell: usize = self.planes.iter().map(|plane| planes[*plane].cell_bytes()).sum();
        wide(rows, layout.rows).saturating_mul(wide(cols, layout.cols)).saturating_mul(cell)
    }

    /// Rectangles that tiles of one need: those around it as well, and what of them the next row needs again.
    pub(super) fn rectangles(&self, (rows, cols): (usize, usize), across: usize) -> usize {
        if !self.is_spread {
            return 1;
        }
        let (down, beside) = (self.halo.div_ceil(rows), self.halo.div_ceil(cols));
        (2 * down).saturating_mul(across).saturating_add(2 * beside + 1)
    }
}

/// What a program reads, in its order: all images for a tile, where they are reduced; else one image after another. Rows of
/// rectangles of many images would be more memory the more there are.
pub(super) fn passes(program: &StackProgram, planes: &[PlaneInfo]) -> Vec<Vec<Unit>> {
    let halo = if program.masks.is_empty() { 0 } else { program.dilate };
    let mut known = HashSet::new();
    let mut passes: Vec<Vec<Unit>> = Vec::new();
    for layer in &program.layers {
        let mut units: Vec<Unit> = Vec::new();
        let values = layer.planes.iter().map(|plane| (*plane, 0));
        let masks = layer.masks.iter().flatten().map(|plane| (*plane, halo));
        for (plane, halo) in values.chain(masks).filter(|read| known.insert(*read)) {
            let together =
                |unit: &&mut Unit| unit.halo == halo && planes[unit.planes[0]].file == planes[plane].file;
            match units.iter_mut().find(together) {
                Some(unit) => unit.planes.push(plane),
                None => units.push(Unit {
                    planes: vec![plane],
                    halo,
                    is_spread: halo > 0 && program.reduce.is_none(),
                }),
            }
        }
        passes.push(units);
    }
    match program.reduce {
        Some(_) => vec![passes.concat()],
        None => passes,
    }
}

/// What is kept of the images.
pub(super) struct Keeping {
    /// Units that are kept, pass by pass.
    pub(super) kept: Vec<Vec<Unit>>,
    /// Bytes that they may take together.
    pub(super) bytes: usize,
    /// Bytes of these that stand beside what is kept: rectangles that have gone while a worker still copies from them.
    pub(super) spare: usize,
    /// How often a block is decoded, on the average.
    pub(super) decoded: f64,
    /// Nothing is left that would be decoded less often if it were kept.
    pub(super) is_complete: bool,
}

impl Keeping {
    /// Chooses what `room` has place for.
    pub(super) fn new(
        passes: &[Vec<Unit>],
        planes: &[PlaneInfo],
        (order, rectangle): (Order, (usize, usize)),
        threads: usize,
        room: usize,
    ) -> Self {
        let of = |passes: &[Vec<Unit>]| Self::of(passes, planes, (order, rectangle), threads, room);
        let keeping = of(passes);
        if keeping.is_complete || !passes.iter().flatten().any(|unit| unit.is_spread) {
            return keeping;
        }
        let together = |unit: &Unit| Unit { is_spread: false, ..unit.clone() };
        let passes: Vec<Vec<Unit>> =
            passes.iter().map(|units| units.iter().map(together).collect()).collect();
        let other = of(&passes);
        if other.decoded < keeping.decoded {
            other
        } else {
            keeping
        }
    }

    fn of(
        passes: &[Vec<Unit>],
        planes: &[PlaneInfo],
        (order, rectangle): (Order, (usize, usize)),
        threads: usize,
        room: usize,
    ) -> Self {
        let order_of_rectangles = order.rectangles();
        let across = order_of_rectangles.cols.count();
        // Rectangles beyond the first one at which workers are at once: those at the edge have few tiles.
        let further = threads.saturating_sub(1).div_ceil(order.fewest()).max(1);
        let mut times = Times::new(planes, order);
        let mut keeping = Self { kept: Vec::new(), bytes: 0, spare: 0, decoded: 0.0, is_complete: true };
        let mut largest = 0;
        for units in passes {
            let gains: Vec<usize> = (0..units.len()).filter(|unit| times.gains(&units[*unit])).collect();
            let size = |unit: &usize| units[*unit].bytes(planes, rectangle);
            let mut order: Vec<usize> = gains.clone();
            order.sort_by_key(size);
            let (mut sum, mut ahead, mut chosen) = (0_usize, 0_usize, HashSet::new());
            for unit in order {
                // Workers read ahead of one another, and copy from what has gone.
                let count = units[unit].rectangles(rectangle, across).min(order_of_rectangles.count());
                let more = (2 * threads).saturating_add(count).saturating_mul(size(&unit));
                if sum.saturating_add(more) > room {
                    break;
                }
                sum += count * size(&unit);
                ahead += if units[unit].is_spread { 0 } else { size(&unit) };
                largest = largest.max(size(&unit));
                chosen.insert(unit);
            }
            keeping.is_complete &= chosen.len() == gains.len();
            let wanted = sum
                .saturating_add(further.saturating_mul(ahead))
                .saturating_add((2 * threads).saturating_mul(largest));
            keeping.bytes = keeping.bytes.max(wanted.min(room));
            keeping.decoded += units
                .iter()
                .enumerate()
                .map(|(number, unit)| times.of(unit, chosen.contains(&number)))
                .sum::<f64>();
            let kept = (0..units.len()).filter(|unit| chosen.contains(unit));
            keeping.kept.push(kept.map(|unit| units[unit].clone()).collect());
        }
        let count: usize = passes.iter().flatten().map(|unit| unit.planes.len()).sum();
        keeping.decoded /= count.max(1) as f64;
        keeping.spare = threads.saturating_mul(largest);
        keeping
    }
}

/// How often blocks are decoded; few layouts stand for many planes.
struct Times<'a> {
    planes: &'a [PlaneInfo],
    order: Order,
    known: HashMap<(usize, usize, usize), (f64, f64)>,
}

impl<'a> Times<'a> {
    fn new(planes: &'a [PlaneInfo], order: Order) -> Self {
        Self { planes, order, known: HashMap::new() }
    }

    /// For every tile, and for every rectangle.
    fn of_plane(&mut self, plane: usize, halo: usize) -> (f64, f64) {
        let layout = self.planes[plane].layout;
        let (rows, cols) = (layout.block_rows, layout.block_cols);
        let times = |order: Order| order.rows.touched(rows, halo) * order.cols.touched(cols, halo);
        let order = self.order;
        *self.known.entry((rows, cols, halo)).or_insert_with(|| (times(order), times(order.rectangles())))
    }

    /// All planes of a unit together.
    fn of(&mut self, unit: &Unit, is_kept: bool) -> f64 {
        let halo = if unit.is_spread && is_kept { 0 } else { unit.halo };
        let times = unit.planes.iter().map(|plane| self.of_plane(*plane, halo));
        times.map(|(tiles, rectangles)| if is_kept { rectangles } else { tiles }).sum()
    }

    /// Whether blocks are decoded less often when they are kept.
    fn gains(&mut self, unit: &Unit) -> bool {
        self.of(unit, true) < self.of(unit, false)
    }
}
