//! Tiles computed ahead of a reader that goes through a raster in order: while it does something with some, the next ones
//! are made.

use super::pyramid::{Pyramid, TileIndex};
use crate::pipeline::nesting::Nesting;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait for threads to stop. They stop after a row of cells; but whoever closes a file may hold a lock that they
/// need to read on.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Threads of all pictures that compute ahead.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Tiles read in order after which the reader is taken to go on: fewer are those of a map.
const FEWEST_IN_ORDER: usize = 8;

/// What one picture's readers will want next.
#[derive(Default)]
pub struct Ahead {
    state: Mutex<State>,
    stopped: Condvar,
    cancel: AtomicBool,
}

#[derive(Default)]
struct State {
    process: u32,
    /// Level and tiles that were read in order up to now.
    read: (usize, Range<usize>),
    /// Tiles after them that are still to be computed.
    next: Range<usize>,
    /// Threads that compute them.
    running: usize,
}

impl Ahead {
    /// Tiles were read. Those that follow are computed when many came in order.
    pub fn after(self: &Arc<Self>, pyramid: &Arc<Pyramid>, level: usize, tiles: Range<usize>) {
        let mut state = self.state();
        let (known, read) = &mut state.read;
        if *known == level && tiles.contains(&read.end) {
            read.end = tiles.end;
        } else if *known == level && tiles.end == read.end && tiles.start >= read.start {
            // Another part of the same tile.
        } else {
            state.read = (level, tiles.clone());
            state.next = 0..0;
        }
        let count = state.read.1.len();
        if count < FEWEST_IN_ORDER || pyramid.threads() < 2 || ENDING.load(Ordering::Relaxed) {
            return;
        }
        // No more than there is room for beside the tiles that are read meanwhile.
        let end = tiles.end + count.min(pyramid.most_tiles() / 3);
        state.next = state.next.start.max(tiles.end)..end.min(pyramid.tiles(level));
        // One more than there are processors: a reader that waits for a tile leaves its own to them.
        let missing = pyramid.threads().min(state.next.len()).saturating_sub(state.running);
        state.running += missing;
        // A thread that cannot start says that it stopped.
        drop(state);
        (0..missing).for_each(|_| self.start(pyramid));
    }

    /// Starts a thread that was counted as running.
    fn start(self: &Arc<Self>, pyramid: &Arc<Pyramid>) {
        stop_at_exit();
        self.cancel.store(false, Ordering::Relaxed);
        THREADS.fetch_add(1, Ordering::Relaxed);
        let running = Running { ahead: Arc::clone(self) };
        let (nesting, pyramid) = (Nesting::here(), Arc::clone(pyramid));
        let work = move || {
            nesting.within(|| {
                // Whoever reads a tile that fails will be told.
                while running
                    .ahead
                    .next()
                    .is_some_and(|tile| pyramid.make(tile, &|| !running.ahead.is_cancelled()).is_ok())
                {
                }
            });
        };
        // Without a thread the reader computes everything itself; what was moved into it is dropped, and says so.
        let _ = std::thread::Builder::new().name("terralume-ahead".into()).spawn(work);
    }

    /// Nobody reads any more.
    pub fn stop(&self) {
        self.cancel.store(true, Ordering::Relaxed);
        let mut state = self.state();
        state.next = 0..0;
        let end = Instant::now() + LONGEST_WAIT;
        while state.running > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.stopped.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || ENDING.load(Ordering::Relaxed)
    }

    fn next(&self) -> Option<TileIndex> {
        if self.is_cancelled() {
            return None;
        }
        let mut state = self.state();
        let level = state.read.0;
        state.next.next().map(|tile| (level, tile))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if state.process != process {
            // A forked child has none of its parent's threads.
            *state = State { process, ..State::default() };
        }
        state
    }
}

/// A thread, until it ends in whatever way.
struct Running {
    ahead: Arc<Ahead>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ahead.state().running -= 1;
        self.ahead.stopped.notify_all();
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// GDAL takes itself apart when the process ends: nobody may read by then.
fn stop_at_exit() {
    extern "C" fn stop() {
        ENDING.store(true, Ordering::Relaxed);
        let end = Instant::now() + LONGEST_WAIT;
        while THREADS.load(Ordering::Relaxed) > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| crate::gdal::at_exit(stop));
}
