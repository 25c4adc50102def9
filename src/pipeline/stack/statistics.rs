//! Numbers that describe whole images, or blocks of them: nothing is written but the numbers.
//!
//! Sums are exact, so that what tiles and threads add up is the same however the images are divided.

use super::io::StackSource;
use super::plan::StackPlan;
use super::program::StackProgram;
use super::run::{Report, Rows, StackWork, StackWorker};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::run::{drive, Monitor, Tiling, Work};
use crate::stack::statistics::{Histogram, Moments};
use crate::stack::ROW;
use std::collections::BTreeMap;

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
pub struct Describing<'a> {
    /// Side of the blocks; None: whole images.
    pub block: Option<usize>,
    /// The bins for a band of an image, if values are to be counted in bins.
    pub histogram: &'a (dyn Fn(usize, usize) -> Option<Histogram> + Sync),
}

/// Findings of the bands of some blocks.
type Findings = BTreeMap<usize, Vec<Found>>;

/// Looks at every image; `take` gets each part once, image after image, block after block.
pub fn describe(
    program: &StackProgram,
    plan: &StackPlan,
    source: &dyn StackSource,
    describing: &Describing<'_>,
    take: &mut dyn FnMut(Part, &[Found]) -> Result<()>,
    monitor: &mut Monitor<'_>,
) -> Result<Report> {
    let inner = StackWork::new(program, plan, source, None)?;
    let work = DescribingWork { inner, describing };
    let tiles = plan.tiles();
    let window = |index: usize| plan.tile(index % tiles);
    let tiling = Tiling { tiles: tiles * program.layers.len(), threads: plan.threads, window: &window };
    let mut whole = Findings::new();
    let mut collect = |index: usize, product: &mut Findings| {
        for (block, found) in std::mem::take(product) {
            match whole.entry(block) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(found);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    place.get_mut().iter_mut().zip(&found).for_each(|(whole, part)| whole.merge(part));
                }
            }
        }
        if index % tiles + 1 < tiles {
            return Ok(());
        }
        let layer = index / tiles;
        std::mem::take(&mut whole).into_iter().try_for_each(|(block, found)| {
            take(Part { layer, block, window: describing.window(plan.size, block) }, &found)
        })
    };
    let products = (0..plan.buffers).map(|_| Findings::new()).collect();
    drive(&tiling, &work, products, &mut collect, monitor)?;
    Ok(work.inner.into_report())
}

impl Found {
    fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        if let (Some(own), Some(other)) = (&mut self.histogram, &other.histogram) {
            own.merge(other);
        }
    }
}

impl Describing<'_> {
    /// Blocks side by side.
    fn across(&self, cols: usize) -> usize {
        self.block.map_or(1, |side| cols.div_ceil(side))
    }

    fn window(&self, (rows, cols): (usize, usize), block: usize) -> Window {
        let Some(side) = self.block else { return Window { row: 0, col: 0, rows, cols } };
        let (row, col) = (block / self.across(cols) * side, block % self.across(cols) * side);
        Window { row, col, rows: side.min(rows - row), cols: side.min(cols - col) }
    }
}

struct DescribingWork<'a> {
    inner: StackWork<'a>,
    describing: &'a Describing<'a>,
}

impl Work for DescribingWork<'_> {
    type Worker<'a>
        = StackWorker<'a>
    where
        Self: 'a;
    type Product = Findings;

    fn start(&self) -> Result<StackWorker<'_>> {
        self.inner.start()
    }

    fn compute(
        &self,
        (index, window): (usize, Window),
        worker: &mut StackWorker<'_>,
        product: &mut Findings,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        if !proceed() {
            return Err(Error::Cancelled);
        }
        let number = index / self.inner.plan.tiles();
        self.inner.load(number..number + 1, window, worker)?;
        let bands = self.inner.program.results();
        let (side, across) = (self.describing.block, self.describing.across(self.inner.plan.size.1));
        let fresh = || {
            let found = |band| Found {
                moments: Moments::new(),
                histogram: (self.describing.histogram)(number, band),
            };
            (0..bands).map(found).collect::<Vec<_>>()
        };
        for row in 0..window.rows {
            let mut first = 0;
            while first < window.cols {
                // A piece ends where a block does.
                let left = side.map_or(ROW, |side| side - (window.col + first) % side);
                let columns = first..(first + left.min(ROW)).min(window.cols);
                let block =
                    side.map_or(0, |side| (window.row + row) / side * across + (window.col + first) / side);
                let (width, cell) = (columns.len(), row * window.cols + first);
                first = columns.end;
                let cells = cell..cell + width;
                self.inner.evaluate(number, &worker.images[0], cells, &mut worker.rows, &mut worker.report);
                let Rows { results, .. } = &worker.rows;
                let found = product.entry(block).or_insert_with(fresh);
                for (found, row) in found.iter_mut().zip(results.chunks_exact(width)) {
                    found.moments.row(row);
                    if let Some(histogram) = &mut found.histogram {
                        histogram.row(row);
                    }
                }
            }
        }
        self.inner.add_report(worker);
        Ok(())
    }
}
