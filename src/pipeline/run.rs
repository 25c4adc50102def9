//! Runs a plan: workers read and compute, the calling thread writes and reports.

use super::io::{Cells, Reader, Sink, Source};
use super::nesting::Nesting;
use super::plan::Plan;
use super::profile::{Clock, Profile};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::recipe::chain::{Chain, ChainTiles, Registers};
use ndarray::ArrayViewMut2;
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

impl Monitor<'_> {
    /// Says how much is done, and asks whether to go on.
    pub fn go_on(&mut self, share: f64) -> Result<()> {
        if self.cancel.load(Ordering::Relaxed) || !(self.report)(share) {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
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
    /// What one worker has for itself: readers and buffers.
    type Worker<'a>
    where
        Self: 'a;

    /// What a tile gives, or is added to. Products go round: those the calling thread is done with are used again.
    type Product: Send;

    /// Makes a worker ready, on its own thread.
    fn start(&self) -> Result<Self::Worker<'_>>;

    /// Computes the tile of this number and place.
    fn compute(
        &self,
        tile: (usize, Window),
        worker: &mut Self::Worker<'_>,
        product: &mut Self::Product,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()>;
}

/// Tiles in file order, and how many workers compute them.
pub(super) struct Tiling<'a> {
    pub(super) tiles: usize,
    pub(super) threads: usize,
    pub(super) window: &'a (dyn Fn(usize) -> Window + Sync),
}

/// What is computed, how it is divided, and from what: elevations, then the rasters of layers. What each thread does is
/// noted where there is a profile.
pub(super) struct Inputs<'a> {
    pub(super) chain: &'a Chain,
    pub(super) plan: &'a Plan,
    pub(super) sources: &'a [&'a dyn Source],
    pub(super) profile: Option<&'a Profile>,
}

/// What a worker needs for a chain.
pub(super) struct ChainWorker<'a> {
    readers: Vec<Box<dyn Reader + 'a>>,
    /// For each source its reader, and its number among those that share one.
    places: Vec<(usize, usize)>,
    pub(super) tiles: ChainTiles,
    pub(super) registers: Registers,
    pub(super) clock: Clock<'a>,
}

impl Inputs<'_> {
    pub(super) fn start(&self) -> Result<ChainWorker<'_>> {
        let (mut readers, mut places, mut shared) = (Vec::new(), Vec::new(), Vec::new());
        for source in self.sources {
            let (key, number) = source.shared().map_or((None, 0), |(key, number)| (Some(key), number));
            let known = key.and_then(|key| shared.iter().position(|other| *other == Some(key)));
            places.push((known.unwrap_or(readers.len()), number));
            if known.is_none() {
                readers.push(source.open()?);
                shared.push(key);
            }
        }
        Ok(ChainWorker {
            readers,
            places,
            tiles: self.chain.new_tile_buffers(),
            registers: self.chain.new_registers(),
            clock: Clock::of_worker(self.profile),
        })
    }

    /// Reads what the chain needs for a tile.
    pub(super) fn load(
        &self,
        (number, window): (usize, Window),
        worker: &mut ChainWorker<'_>,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        worker.clock.mark("wait");
        worker.clock.on_tile(number);
        let (readers, places, plan) = (&mut worker.readers, &worker.places, self.plan);
        let read = |raster: usize, part, out: ArrayViewMut2<'_, f32>| {
            let (reader, number) = places[raster];
            readers[reader].read_one(number, part, out, proceed)
        };
        worker.tiles.load(self.chain, plan.on_raster(window), plan.raster, proceed, read)?;
        worker.clock.mark("read");
        Ok(())
    }

    /// The tiles of the plan.
    pub(super) fn drive<W: Work>(
        &self,
        work: &W,
        products: Vec<W::Product>,
        take: &mut dyn FnMut(usize, &mut W::Product) -> Result<()>,
        monitor: &mut Monitor<'_>,
    ) -> Result<Vec<W::Product>> {
        let window = |index| self.plan.tile(index);
        let tiling = Tiling { tiles: self.plan.tiles(), threads: self.plan.threads, window: &window };
        drive(&tiling, work, products, take, monitor)
    }
}

/// What workers share.
struct Crew<'a, W: Work> {
    tiling: &'a Tiling<'a>,
    work: &'a W,
    stop: &'a AtomicBool,
    next: AtomicUsize,
    spare: Mutex<Receiver<W::Product>>,
}

/// Computes every tile of `plan` and hands it to `sink` in file order. The first error stops the run. The chain must
/// be settled: see `survey.rs`. `sources` are the elevations, then the rasters of the chain's layers. `profile` gets what each
/// thread did.
pub fn run(
    chain: &Chain,
    plan: &Plan,
    sources: &[&dyn Source],
    sink: &mut dyn Sink,
    monitor: &mut Monitor<'_>,
    profile: Option<&Profile>,
) -> Result<Outcome> {
    if !chain.is_settled() {
        return Err(Error::Internal("a chain that depends on the whole raster ran without a survey".into()));
    }
    let inputs = Inputs { chain, plan, sources, profile };
    let writing = Writing { inputs: &inputs, any_data: AtomicBool::new(false) };
    let products = (0..plan.buffers).map(|_| Cells::new(chain.cell_type())).collect();
    let mut clock = Clock::new(profile, plan.threads);
    let mut write = |index: usize, cells: &mut Cells| {
        clock.mark("wait");
        clock.on_tile(index);
        let result = sink.write(plan.tile(index), cells.view());
        clock.mark("write");
        result
    };
    inputs.drive(&writing, products, &mut write, monitor)?;
    Ok(Outcome { any_data: writing.any_data.load(Ordering::Relaxed) })
}

/// Work that ends in a raster.
struct Writing<'a> {
    inputs: &'a Inputs<'a>,
    any_data: AtomicBool,
}

impl Work for Writing<'_> {
    type Worker<'a>
        = ChainWorker<'a>
    where
        Self: 'a;
    type Product = Cells;

    fn start(&self) -> Result<ChainWorker<'_>> {
        self.inputs.start()
    }

    fn compute(
        &self,
        tile: (usize, Window),
        worker: &mut ChainWorker<'_>,
        cells: &mut Cells,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.inputs.load(tile, worker, proceed)?;
        let ChainWorker { tiles, registers, clock, .. } = worker;
        // Neighbours count: gaps are filled from them.
        if tiles.tile(0).flat().iter().any(|cell| !cell.is_nan()) {
            self.any_data.store(true, Ordering::Relaxed);
        }
        let chain = self.inputs.chain;
        let mut out = cells.view_mut(chain.bands().len(), tile.1);
        chain.run(|edge| tiles.tile(edge), registers, &mut out, proceed)?;
        clock.mark("compute");
        Ok(())
    }
}

/// Lets workers compute every tile into `products`; `take` gets them in file order on the calling thread.
/// Gives the products back.
///
/// Threads belong to this call alone: a pool that outlived it would hang a forked child.
pub(super) fn drive<W: Work>(
    tiling: &Tiling<'_>,
    work: &W,
    products: Vec<W::Product>,
    take: &mut dyn FnMut(usize, &mut W::Product) -> Result<()>,
    monitor: &mut Monitor<'_>,
) -> Result<Vec<W::Product>> {
    let pool = pool(tiling.threads)?;
    let capacity = products.len();
    let (give_back, spare) = sync_channel(capacity);
    for product in products {
        // The channel holds exactly this many.
        let _ = give_back.send(product);
    }
    let stop = AtomicBool::new(false);
    let (next, spare) = (AtomicUsize::new(0), Mutex::new(spare));
    let crew = Crew { tiling, work, stop: &stop, next, spare };
    pool.in_place_scope(|scope| {
        let (send, finished) = sync_channel(capacity);
        for _ in 0..tiling.threads {
            let (send, crew, nesting) = (send.clone(), &crew, Nesting::here());
            scope.spawn(move |_| nesting.within(|| crew.work(&send)));
        }
        drop(send);
        let result = take_all(tiling.tiles, &finished, &give_back, take, monitor);
        // Workers that wait for a product or for a place in the queue must wake up before the scope can end.
        stop.store(true, Ordering::Relaxed);
        drop((finished, give_back));
        result
    })?;
    Ok(crew.spare.into_inner().unwrap_or_else(PoisonError::into_inner).try_iter().collect())
}

/// Threads of one run, which end with it.
pub(super) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = builder.thread_name(|index| format!("terralume-{index}")).build();
    pool.map_err(|error| Error::Internal(format!("cannot start {threads} threads: {error}")))
}

/// Number of the worker that asks.
pub(super) fn thread_number() -> usize {
    rayon::current_thread_index().unwrap_or(0)
}

/// `make` on a thread that ends with it: what it sets for its thread, such as options of GDAL, is not the caller's.
pub fn apart<R: Send>(make: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    pool(1)?.install(make)
}

/// `make` of every item, by several threads, in the order of the items.
pub fn in_parallel<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    make: impl Fn(&T) -> R + Sync + Send,
) -> Result<Vec<R>> {
    use rayon::prelude::*;
    Ok(pool(threads)?.install(|| items.par_iter().map(make).collect()))
}

/// The same, while the calling thread reports and listens; after a stop only the items in hand are made.
pub fn in_parallel_watched<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    make: impl Fn(&T) -> R + Sync + Send,
    monitor: &mut Monitor<'_>,
) -> Result<Vec<R>> {
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let make = |item: &T| {
        let made = (!stop.load(Ordering::Relaxed)).then(|| make(item));
        done.fetch_add(1, Ordering::Relaxed);
        made
    };
    std::thread::scope(|scope| {
        let (made, finished) = sync_channel(1);
        scope.spawn(move || made.send(in_parallel(threads, items, make)));
        loop {
            let share = done.load(Ordering::Relaxed) as f64 / items.len().max(1) as f64;
            if monitor.cancel.load(Ordering::Relaxed) || !(monitor.report)(share) {
                stop.store(true, Ordering::Relaxed);
                return Err(Error::Cancelled);
            }
            match finished.recv_timeout(REPORT_EVERY) {
                Ok(made) => return made?.into_iter().map(|made| made.ok_or(Error::Cancelled)).collect(),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Internal("a worker thread died".into()));
                }
            }
        }
    })
}

/// Takes tiles in file order as they come, and reports.
fn take_all<P>(
    total: usize,
    finished: &Receiver<Result<Finished<P>>>,
    give_back: &SyncSender<P>,
    take: &mut dyn FnMut(usize, &mut P) -> Result<()>,
    monitor: &mut Monitor<'_>,
) -> Result<()> {
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
        let mut worker = self.work.start()?;
        let proceed = || !self.stop.load(Ordering::Relaxed);
        while let Some((index, mut product)) = self.take() {
            let window = (self.tiling.window)(index);
            self.work.compute((index, window), &mut worker, &mut product, &proceed)?;
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
        if self.stop.load(Ordering::Relaxed) || self.next.load(Ordering::Relaxed) >= self.tiling.tiles {
            return None;
        }
        let product = spare.recv().ok()?;
        Some((self.next.fetch_add(1, Ordering::Relaxed), product))
    }
}
