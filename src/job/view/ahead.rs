//! Tiles computed ahead of a reader that goes through a raster in order: while it does something with a row of tiles,
//! the next row is made.

use super::pyramid::{Pyramid, TileIndex};
use crate::pipeline::nesting::Nesting;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait for the thread to stop. It stops after a row of cells; but whoever closes a file may hold a lock that the
/// thread needs to read on.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Threads of all pictures that compute ahead.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

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
    /// Level and tiles that were read last.
    last: Option<(usize, Range<usize>)>,
    /// Level and tiles that are still to be computed.
    next: (usize, Range<usize>),
    is_running: bool,
}

impl Ahead {
    /// Tiles were read. Those that follow are computed if they went on where the ones before ended.
    pub fn after(self: &Arc<Self>, pyramid: &Arc<Pyramid>, level: usize, tiles: Range<usize>) {
        let mut state = self.state();
        let before = state.last.replace((level, tiles.clone()));
        let goes_on = before.is_some_and(|(known, before)| known == level && before.end == tiles.start);
        // Who looks at single tiles stops soon.
        if !goes_on || tiles.len() < 2 || pyramid.threads() < 2 || ENDING.load(Ordering::Relaxed) {
            return;
        }
        let count = tiles.len().min(pyramid.most_tiles() / 3);
        state.next = (level, tiles.end..(tiles.end + count).min(pyramid.tiles(level)));
        if state.is_running || state.next.1.is_empty() {
            return;
        }
        stop_at_exit();
        self.cancel.store(false, Ordering::Relaxed);
        let (ahead, pyramid) = (Arc::clone(self), Arc::clone(pyramid));
        let running = Running { ahead };
        THREADS.fetch_add(1, Ordering::Relaxed);
        state.is_running = true;
        drop(state);
        let nesting = Nesting::here();
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
        state.next.1 = 0..0;
        let end = Instant::now() + LONGEST_WAIT;
        while state.is_running {
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
        let level = state.next.0;
        state.next.1.next().map(|tile| (level, tile))
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

/// The thread, until it ends in whatever way.
struct Running {
    ahead: Arc<Ahead>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ahead.state().is_running = false;
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
