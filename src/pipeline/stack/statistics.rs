//! Numbers that describe whole images, or blocks of them: nothing is written but the numbers.
//!
//! Sums are exact, so that what tiles and threads add up is the same however the images are divided. What is found goes
//! as soon as its block is whole: bins of many bands and blocks are far larger than the numbers that come from them.

use super::io::{PlaneInfo, StackSource};
use super::order::Axis;
use super::plan::{StackPlan, StackPlanOptions};
use super::program::StackProgram;
use super::run::{Report, Rows, StackWork, StackWorker};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::run::{drive, Monitor, Tiling, Work};
use crate::stack::statistics::{Edges, Histogram, Moments};
use crate::stack::ROW;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Bytes of the counts and sums of a band.
const MOMENTS: usize = 2 << 10;

/// What is described by one line: a block of an image, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Number of the image.
    pub layer: usize,
    /// Number of the block, row by row.
    pub block: usize,
    /// Where it lies.
    pub window: Window,
}

/// What was found in one band.
#[derive(Debug, Clone)]
pub struct Found {
    /// Counts, sums, extremes.
    pub moments: Moments,
    /// Where the values lie, if that was asked for.
    pub histogram: Option<Histogram>,
}

/// How images are described.
pub struct Describing<'a, T> {
    /// Side of the blocks; None: whole images.
    pub block: Option<usize>,
    /// Whether variances are wanted.
    pub variance: bool,
    /// The bins for a band of an image, if values are to be counted in bins.
    pub edges: &'a (dyn Fn(usize, usize) -> Option<Edges> + Sync),
    /// What is kept of a band when its block is whole.
    pub finish: &'a (dyn Fn(&Found) -> T + Sync),
    /// Memory of bins that are counted no more.
    pub spare: &'a Mutex<Vec<Vec<u64>>>,
}

/// What is kept of the bands of some blocks.
pub type Numbers<T> = Vec<(Part, Vec<T>)>;

/// Divides a run. `bins` are the bytes that bins of all bands take for one block.
pub fn plan(
    program: &StackProgram,
    planes: &[PlaneInfo],
    block: Option<usize>,
    bins: usize,
    options: StackPlanOptions,
) -> Result<StackPlan> {
    let set = bins + program.results() * MOMENTS;
    let kept = |plan: &StackPlan| {
        let open = most_open(plan, Blocks { side: block, size: plan.size }, program.layers.len());
        open.saturating_add(plan.threads).saturating_mul(set)
    };
    StackPlan::of_numbers(program, planes, block, options, &kept)
}

/// Looks at every image; gives what is kept of each, image after image, block after block.
pub fn describe<T: Send>(
    program: &StackProgram,
    plan: &StackPlan,
    source: &dyn StackSource,
    describing: &Describing<'_, T>,
    monitor: &mut Monitor<'_>,
) -> Result<(Numbers<T>, Report)> {
    let inner = StackWork::new(program, plan, source, None)?;
    let blocks = Blocks { side: describing.block, size: plan.size };
    let work = DescribingWork { inner, describing, blocks, open: Mutex::default() };
    let tiles = plan.tiles();
    let window = |index: usize| plan.tile(index % tiles);
    let tiling = Tiling { tiles: tiles * program.layers.len(), threads: plan.threads, window: &window };
    let mut numbers = Numbers::new();
    let mut collect = |_: usize, product: &mut Numbers<T>| {
        numbers.append(product);
        Ok(())
    };
    let products = (0..plan.buffers).map(|_| Numbers::new()).collect();
    drive(&tiling, &work, products, &mut collect, monitor)?;
    // A block is whole with whichever of its tiles is ready last.
    numbers.sort_unstable_by_key(|(part, _)| (part.layer, part.block));
    Ok((numbers, work.inner.into_report()))
}

impl Found {
    fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        if let (Some(own), Some(other)) = (&mut self.histogram, &other.histogram) {
            own.merge(other);
        }
    }
}

/// Blocks of images of one size.
#[derive(Clone, Copy)]
struct Blocks {
    /// None: an image is one block.
    side: Option<usize>,
    size: (usize, usize),
}

impl Blocks {
    /// Rows and columns of blocks.
    fn count(self) -> (usize, usize) {
        let of = |length: usize| self.side.map_or(1, |side| length.div_ceil(side));
        (of(self.size.0), of(self.size.1))
    }

    fn window(self, block: usize) -> Window {
        let ((rows, cols), across) = (self.size, self.count().1);
        let Some(side) = self.side else { return Window { row: 0, col: 0, rows, cols } };
        let (row, col) = (block / across * side, block % across * side);
        Window { row, col, rows: side.min(rows - row), cols: side.min(cols - col) }
    }

    /// Blocks of which a tile has cells.
    fn of_tile(self, tile: Window) -> impl Iterator<Item = usize> {
        let side = self.side.unwrap_or(usize::MAX);
        let across = self.count().1;
        let rows = tile.row / side..=(tile.row + tile.rows - 1) / side;
        let cols = tile.col / side..=(tile.col + tile.cols - 1) / side;
        rows.flat_map(move |row| cols.clone().map(move |col| row * across + col))
    }
}

/// How many blocks of several tiles are begun and not yet whole, at most. Tiles begin in their order, and no more of them
/// are under way than there are buffers.
fn most_open(plan: &StackPlan, blocks: Blocks, images: usize) -> usize {
    let (tiles, order) = (plan.tiles(), plan.order());
    let images = images.min(2 + plan.buffers.div_ceil(tiles));
    let rows = spans(blocks.side, plan.size.0, order.rows);
    let cols = spans(blocks.side, plan.size.1, order.cols);
    let mut changes = Vec::new();
    for ((top, bottom), down) in &rows {
        for ((left, right), beside) in &cols {
            let (first, last) = (order.index((*top, *left)), order.index((*bottom, *right)));
            let alike = (down * beside).cast_signed();
            for image in (0..images).filter(|_| first != last) {
                changes.push(((image * tiles + first + 1).saturating_sub(plan.buffers), alike));
                changes.push((image * tiles + last + 1, -alike));
            }
        }
    }
    // Of one tile, blocks that end stand before those that begin.
    changes.sort_unstable();
    let open = changes.iter().scan(0, |open, (_, change)| {
        *open += change;
        Some(*open)
    });
    open.max().unwrap_or(0).unsigned_abs()
}

/// Along one axis: the first and the last tile of a block, and how many blocks beside one another have them. There are
/// not many more of these than tiles, however small blocks are.
fn spans(side: Option<usize>, length: usize, tiles: Axis) -> Vec<((usize, usize), usize)> {
    let side = side.unwrap_or(length).clamp(1, length.max(1));
    let mut spans: Vec<((usize, usize), usize)> = Vec::new();
    for start in (0..length).step_by(side) {
        let span = (tiles.tile_of(start), tiles.tile_of((start + side).min(length) - 1));
        match spans.last_mut() {
            Some((last, count)) if *last == span => *count += 1,
            _ => spans.push((span, 1)),
        }
    }
    spans
}

/// A block that is not yet whole.
struct Open {
    /// Tiles that are still to come.
    tiles: usize,
    /// What was found, unless a worker has it.
    found: Option<Vec<Found>>,
}

struct DescribingWork<'a, T> {
    inner: StackWork<'a>,
    describing: &'a Describing<'a, T>,
    blocks: Blocks,
    /// By image and block.
    open: Mutex<HashMap<(usize, usize), Open>>,
}

impl<T> DescribingWork<'_, T> {
    /// What was found in a block so far, or nothing yet.
    fn take(&self, layer: usize, block: usize) -> Vec<Found> {
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.entry((layer, block)).or_insert_with(|| Open {
            tiles: self.inner.plan.order().tiles_of(self.blocks.window(block)).2,
            found: None,
        });
        if let Some(found) = open.found.take() {
            return found;
        }
        drop(all);
        let fresh = |band| Found {
            moments: match self.describing.variance {
                true => Moments::new(),
                false => Moments::without_variance(),
            },
            histogram: (self.describing.edges)(layer, band).map(|edges| {
                let spare = self.describing.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
                Histogram::in_place_of(edges, spare.unwrap_or_default())
            }),
        };
        (0..self.inner.program.results()).map(fresh).collect()
    }

    /// Keeps what was found with another tile; gives it back when the block is whole.
    fn keep(&self, layer: usize, block: usize, mut found: Vec<Found>) -> Option<Vec<Found>> {
        loop {
            let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let open = all.get_mut(&(layer, block))?;
            // What another worker has left there meanwhile; others do not wait until it is added.
            if let Some(other) = open.found.take() {
                drop(all);
                found.iter_mut().zip(&other).for_each(|(whole, part)| whole.merge(part));
                self.give_back(other);
                continue;
            }
            open.tiles -= 1;
            if open.tiles > 0 {
                open.found = Some(found);
                return None;
            }
            all.remove(&(layer, block));
            return Some(found);
        }
    }

    /// Bins go round.
    fn give_back(&self, found: Vec<Found>) {
        let counts = found.into_iter().filter_map(|found| found.histogram).map(Histogram::into_counts);
        self.describing.spare.lock().unwrap_or_else(PoisonError::into_inner).extend(counts);
    }

    /// Looks at the cells of a tile that lie in a block.
    fn look(
        &self,
        (layer, tile): (usize, Window),
        block: Window,
        worker: &mut StackWorker<'_>,
        found: &mut [Found],
    ) {
        let Some(part) = tile.overlap(block) else { return };
        for row in part.row - tile.row..part.row - tile.row + part.rows {
            for first in (0..part.cols).step_by(ROW) {
                let width = ROW.min(part.cols - first);
                let cell = row * tile.cols + part.col - tile.col + first;
                let cells = cell..cell + width;
                self.inner.evaluate(layer, &worker.images[0], cells, &mut worker.rows, &mut worker.report);
                let Rows { results, .. } = &worker.rows;
                for (found, row) in found.iter_mut().zip(results.chunks_exact(width)) {
                    found.moments.row(row);
                    if let Some(histogram) = &mut found.histogram {
                        histogram.row(row);
                    }
                }
            }
        }
    }
}

impl<T: Send> Work for DescribingWork<'_, T> {
    type Worker<'a>
        = StackWorker<'a>
    where
        Self: 'a;
    type Product = Numbers<T>;

    fn start(&self) -> Result<StackWorker<'_>> {
        self.inner.start()
    }

    fn compute(
        &self,
        (index, tile): (usize, Window),
        worker: &mut StackWorker<'_>,
        product: &mut Numbers<T>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        if !proceed() {
            return Err(Error::Cancelled);
        }
        let layer = index / self.inner.plan.tiles();
        self.inner.load(layer..layer + 1, tile, worker)?;
        for block in self.blocks.of_tile(tile) {
            let window = self.blocks.window(block);
            let mut found = self.take(layer, block);
            self.look((layer, tile), window, worker, &mut found);
            if let Some(whole) = self.keep(layer, block, found) {
                let kept = whole.iter().map(self.describing.finish).collect();
                product.push((Part { layer, block, window }, kept));
                self.give_back(whole);
            }
        }
        self.inner.add_report(worker);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::stack::order::Order;

    fn open(size: (usize, usize), tile: (usize, usize), side: Option<usize>, images: usize) -> usize {
        let plan = StackPlan {
            raster: size,
            size,
            origin: (0, 0),
            tile_rows: tile.0,
            tile_cols: tile.1,
            rectangle: tile,
            kept: 0,
            halo: 0,
            threads: 2,
            buffers: 4,
            memory: 0,
            decoded: 1.0,
        };
        most_open(&plan, Blocks { side, size }, images)
    }

    #[test]
    fn blocks_that_are_open_together_are_counted() {
        // One tile has all of them.
        assert_eq!(open((100, 100), (100, 100), None, 50), 0);
        assert_eq!(open((1000, 1000), (100, 200), Some(50), 50), 0);
        // The next image begins before the last one is whole; with few tiles more than one.
        assert_eq!(open((1000, 1000), (100, 100), None, 50), 2);
        assert_eq!(open((1000, 1000), (100, 100), None, 1), 1);
        assert_eq!(open((100, 100), (50, 100), None, 50), 3);
        // A row of blocks, and the next one.
        assert_eq!(open((1000, 1000), (100, 1000), Some(500), 1), 4);
        assert_eq!(open((1000, 1000), (100, 100), Some(200), 1), 5);
        // Parts of two, and blocks as small as cells.
        assert_eq!(open((1000, 1000), (1000, 500), Some(300), 1), 4);
        assert_eq!(open((2_000_000, 2_000_000), (512, 512), Some(1), 50), 0);
    }

    #[test]
    fn blocks_of_the_same_tiles_are_counted_together() {
        let of = |side, length: usize, tile: usize| {
            spans(side, length, Order::new((length, 1), (tile, 1), (tile, 1)).rows)
        };
        assert_eq!(of(Some(3), 10, 5), [((0, 0), 1), ((0, 1), 1), ((1, 1), 2)]);
        assert_eq!(of(None, 10, 4), [((0, 2), 1)]);
        assert_eq!(of(Some(usize::MAX), 10, 10), [((0, 0), 1)]);
        assert_eq!(of(Some(1), 1_000_000, 500_000), [((0, 0), 500_000), ((1, 1), 500_000)]);
    }
}
