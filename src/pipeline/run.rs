//! Runs a plan: workers read and compute, the calling thread writes and reports.

use super::io::{Cells, Sink, Source};
use super::nesting::Nesting;
use super::plan::Plan;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::recipe::chain::{Chain, ChainTiles, Registers};
use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The caller is asked at least this often.
const REPORT_EVERY: Duration = Duration::from_millis(100);

/// How a run talks to its caller. All calls come from the calling thread.
pub struct Monitor<'a> {
    /// Gets the share done, 0..1, never smaller than before; false stops the run.
    pub report: &'a mut dyn FnMut(f64) -> bool,
    /// Set by anyone, at any time, to stop the run.
    pub cancel: &'a AtomicBool,
}

/// What a finished run knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// At least one cell of the source was not nodata.
    pub any_data: bool,
}

/// A tile on its way from a worker to the calling thread.
struct Finished<P> {
    index: usize,
    product: P,
}

/// What workers do with a tile: cells for the writer, or findings of a survey.
pub(super) trait Work: Sync {
    /// What a tile gives, or is added to. Products go round: those the calling thread is done with are used again.
    type Product: Send;

    /// Computes the tile at `window`.
    fn compute(
        &self,
        window: Window,
        tiles: &ChainTiles,
        registers: &mut Registers,
        product: &mut Self::Product,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()>;
}

/// What is computed, how it is divided, and from what: elevations, then the rasters of layers.
pub(super) struct Inputs<'a> {
    pub(super) chain: &'a Chain,
    pub(super) plan: &'a Plan,
    pub(super) sources: &'a [&'a dyn Source],
}

/// What workers share.
struct Crew<'a, W: Work> {
    inputs: &'a Inputs<'a>,
    work: &'a W,
    stop: &'a AtomicBool,
    next: AtomicUsize,
    spare: Mutex<Receiver<W::Product>>,
}

/// Computes every tile of `plan` and hands it to `sink` in file order. The first error stops the run. The chain must
/// be settled: see `survey.rs`. `sources` are the elevations, then the rasters of the chain's layers.
pub fn run(
    chain: &Chain,
    plan: &Plan,
    sources: &[&dyn Source],
    sink: &mut dyn Sink,
    monitor: &mut Monitor<'_>,
) -> Result<Outcome> {
    if !chain.is_settled() {
        return Err(Error::Internal("a chain that depends on the whole raster ran without a survey".into()));
    }
    let writing = Writing { chain, any_data: AtomicBool::new(false) };
    let products = (0..plan.buffers).map(|_| Cells::new(chain.cell_type())).collect();
    let mut write = |index: usize, cells: &mut Cells| sink.write(plan.tile(index), cells.view());
    drive(&Inputs { chain, plan, sources }, &writing, products, &mut write, monitor)?;
    Ok(Outcome { any_data: writing.any_data.load(Ordering::Relaxed) })
}

/// Work that ends in a raster.
struct Writing<'a> {
    chain: &'a Chain,
    any_data: AtomicBool,
}

impl Work for Writing<'_> {
    type Product = Cells;

    fn compute(
        &self,
        window: Window,
        tiles: &ChainTiles,
        registers: &mut Registers,
        cells: &mut Cells,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        let tile = tiles.tile(0);
        if (0..tile.rows()).any(|row| tile.row(row, 0, 0..tile.cols(), 0).iter().any(|cell| !cell.is_nan())) {
            self.any_data.store(true, Ordering::Relaxed);
        }
        let mut out = cells.view_mut(self.chain.bands().len(), window);
        self.chain.run(|edge| tiles.tile(edge), registers, &mut out, proceed)
    }
}

/// Lets workers compute every tile of `plan` into `products`; `take` gets them in file order on the calling thread.
/// Gives the products back.
///
/// Threads belong to this call alone: a pool that outlived it would hang a forked child.
pub(super) fn drive<W: Work>(
    inputs: &Inputs<'_>,
    work: &W,
    products: Vec<W::Product>,
    take: &mut dyn FnMut(usize, &mut W::Product) -> Result<()>,
    monitor: &mut Monitor<'_>,
) -> Result<Vec<W::Product>> {
    let plan = inputs.plan;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .thread_name(|index| format!("terralume-{index}"))
        .build()
        .map_err(|error| Error::Internal(format!("cannot start {} threads: {error}", plan.threads)))?;
    let capacity = products.len();
    let (give_back, spare) = sync_channel(capacity);
    for product in products {
        // The channel holds exactly this many.
        let _ = give_back.send(product);
    }
    let stop = AtomicBool::new(false);
    let (next, spare) = (AtomicUsize::new(0), Mutex::new(spare));
    let crew = Crew { inputs, work, stop: &stop, next, spare };
    pool.in_place_scope(|scope| {
        let (send, finished) = sync_channel(capacity);
        for _ in 0..plan.threads {
            let (send, crew, nesting) = (send.clone(), &crew, Nesting::here());
            scope.spawn(move |_| nesting.within(|| crew.work(&send)));
        }
        drop(send);
        let result = take_all(plan, &finished, &give_back, take, monitor);
        // Workers that wait for a product or for a place in the queue must wake up before the scope can end.
        stop.store(true, Ordering::Relaxed);
        drop((finished, give_back));
        result
    })?;
    Ok(crew.spare.into_inner().unwrap_or_else(PoisonError::into_inner).try_iter().collect())
}

/// Takes tiles in file order as they come, and reports.
fn take_all<P>(
    plan: &Plan,
    finished: &Receiver<Result<Finished<P>>>,
    give_back: &SyncSender<P>,
    take: &mut dyn FnMut(usize, &mut P) -> Result<()>,
    monitor: &mut Monitor<'_>,
) -> Result<()> {
    let total = plan.tiles();
    let mut early = BTreeMap::new();
    let mut taken = 0;
    while taken < total {
        if monitor.cancel.load(Ordering::Relaxed) || !(monitor.report)(taken as f64 / total as f64) {
            return Err(Error::Cancelled);
        }
        match finished.recv_timeout(REPORT_EVERY) {
            Ok(tile) => {
                let tile = tile?;
                early.insert(tile.index, tile.product);
            }
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Internal("a worker thread died".into()));
            }
        }
        while let Some(mut product) = early.remove(&taken) {
            take(taken, &mut product)?;
            // Workers may be gone after the last tile.
            let _ = give_back.send(product);
            taken += 1;
        }
    }
    if (monitor.report)(1.0) {
        Ok(())
    } else {
        Err(Error::Cancelled)
    }
}

impl<W: Work> Crew<'_, W> {
    /// Takes tiles until none are left; the first error ends this worker, and the writer ends the others. A panic
    /// ends the run as well: the writer would wait for ever for the tile that is lost with it.
    fn work(&self, send: &SyncSender<Result<Finished<W::Product>>>) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.try_work(send)));
        let result = ended.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            Err(Error::Internal(text.unwrap_or("a worker thread died").into()))
        });
        if let Err(error) = result {
            let _ = send.send(Err(error));
        }
    }

    fn try_work(&self, send: &SyncSender<Result<Finished<W::Product>>>) -> Result<()> {
        let readers = self.inputs.sources.iter().map(|source| source.open());
        let mut readers = readers.collect::<Result<Vec<_>>>()?;
        let mut tiles = self.inputs.chain.new_tile_buffers();
        let mut registers = self.inputs.chain.new_registers();
        let proceed = || !self.stop.load(Ordering::Relaxed);
        while let Some((index, mut product)) = self.take() {
            let window = self.inputs.plan.tile(index);
            let plan = self.inputs.plan;
            tiles.load(
                self.inputs.chain,
                plan.on_raster(window),
                plan.raster,
                &proceed,
                |number, part, out| readers[number].read(part, out),
            )?;
            self.work.compute(window, &tiles, &mut registers, &mut product, &proceed)?;
            if send.send(Ok(Finished { index, product })).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next tile and a product for it. Both under one lock: the lowest tile under way always has its
    /// product, so the calling thread, which waits for it, never waits for ever.
    fn take(&self) -> Option<(usize, W::Product)> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.load(Ordering::Relaxed) || self.next.load(Ordering::Relaxed) >= self.inputs.plan.tiles()
        {
            return None;
        }
        let product = spare.recv().ok()?;
        Some((self.next.fetch_add(1, Ordering::Relaxed), product))
    }
}
