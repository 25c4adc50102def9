//! Runs a plan: workers read and compute, the calling thread writes and reports.

use super::io::{Cells, Sink, Source};
use super::plan::Plan;
use crate::core::error::{Error, Result};
use crate::core::tile::{TileBuffers, Window};
use crate::recipe::chain::{Chain, Registers};
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

/// A tile on its way from a worker to the writer.
struct Finished {
    index: usize,
    cells: Cells,
}

/// What workers share.
struct Crew<'a> {
    chain: &'a Chain,
    plan: &'a Plan,
    source: &'a dyn Source,
    stop: &'a AtomicBool,
    any_data: AtomicBool,
    next: AtomicUsize,
    spare: Mutex<Receiver<Cells>>,
}

/// Computes every tile of `plan` and hands it to `sink` in file order. The first error stops the run.
///
/// Threads belong to this run alone: a pool that outlived it would hang a forked child.
pub fn run(
    chain: &Chain,
    plan: &Plan,
    source: &dyn Source,
    sink: &mut dyn Sink,
    monitor: &mut Monitor<'_>,
) -> Result<Outcome> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.threads)
        .thread_name(|index| format!("terralume-{index}"))
        .build()
        .map_err(|error| Error::Internal(format!("cannot start {} threads: {error}", plan.threads)))?;
    let (give_back, spare) = sync_channel(plan.buffers);
    for _ in 0..plan.buffers {
        // The channel holds exactly this many.
        let _ = give_back.send(Cells::new(chain.cell_type()));
    }
    let stop = AtomicBool::new(false);
    let crew = Crew {
        chain,
        plan,
        source,
        stop: &stop,
        any_data: AtomicBool::new(false),
        next: AtomicUsize::new(0),
        spare: Mutex::new(spare),
    };
    pool.in_place_scope(|scope| {
        let (send, finished) = sync_channel(plan.buffers);
        for _ in 0..plan.threads {
            let (send, crew) = (send.clone(), &crew);
            scope.spawn(move |_| crew.work(&send));
        }
        drop(send);
        let result = write_all(plan, &finished, &give_back, sink, monitor);
        // Workers that wait for a buffer or for a place in the queue must wake up before the scope can end.
        stop.store(true, Ordering::Relaxed);
        drop((finished, give_back));
        result
    })?;
    Ok(Outcome { any_data: crew.any_data.load(Ordering::Relaxed) })
}

/// Writes tiles in file order as they come, and reports.
fn write_all(
    plan: &Plan,
    finished: &Receiver<Result<Finished>>,
    give_back: &SyncSender<Cells>,
    sink: &mut dyn Sink,
    monitor: &mut Monitor<'_>,
) -> Result<()> {
    let total = plan.tiles();
    let mut early = BTreeMap::new();
    let mut written = 0;
    while written < total {
        if monitor.cancel.load(Ordering::Relaxed) || !(monitor.report)(written as f64 / total as f64) {
            return Err(Error::Cancelled);
        }
        match finished.recv_timeout(REPORT_EVERY) {
            Ok(tile) => {
                let tile = tile?;
                early.insert(tile.index, tile.cells);
            }
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Internal("a worker thread died".into()));
            }
        }
        while let Some(cells) = early.remove(&written) {
            sink.write(plan.tile(written), &cells)?;
            // Workers may be gone after the last tile.
            let _ = give_back.send(cells);
            written += 1;
        }
    }
    if (monitor.report)(1.0) {
        Ok(())
    } else {
        Err(Error::Cancelled)
    }
}

impl Crew<'_> {
    /// Takes tiles until none are left; the first error ends this worker, and the writer ends the others. A panic
    /// ends the run as well: the writer would wait for ever for the tile that is lost with it.
    fn work(&self, send: &SyncSender<Result<Finished>>) {
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

    fn try_work(&self, send: &SyncSender<Result<Finished>>) -> Result<()> {
        let mut reader = self.source.open()?;
        let mut buffers = self.chain.new_tile_buffers();
        let mut registers = self.chain.new_registers();
        while let Some((index, mut cells)) = self.take() {
            let window = self.plan.tile(index);
            buffers.load(window, self.plan.size, |part, out| reader.read(part, out))?;
            self.compute(window, &buffers, &mut registers, &mut cells)?;
            if send.send(Ok(Finished { index, cells })).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next tile and a buffer for it. Both under one lock: the lowest tile under way always has its
    /// buffer, so the writer, which waits for it, never waits for ever.
    fn take(&self) -> Option<(usize, Cells)> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stop.load(Ordering::Relaxed) || self.next.load(Ordering::Relaxed) >= self.plan.tiles() {
            return None;
        }
        let cells = spare.recv().ok()?;
        Some((self.next.fetch_add(1, Ordering::Relaxed), cells))
    }

    fn compute(
        &self,
        window: Window,
        buffers: &TileBuffers,
        registers: &mut Registers,
        cells: &mut Cells,
    ) -> Result<()> {
        let tile = buffers.tile(0);
        if (0..tile.rows()).any(|row| tile.row(row, 0, 0..tile.cols(), 0).iter().any(|cell| !cell.is_nan())) {
            self.any_data.store(true, Ordering::Relaxed);
        }
        let mut out = cells.view_mut(self.chain.bands().len(), window);
        let proceed = || !self.stop.load(Ordering::Relaxed);
        self.chain.run(|edge| buffers.tile(edge), registers, &mut out, &proceed)
    }
}
