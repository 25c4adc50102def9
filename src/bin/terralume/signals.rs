//! Ctrl-C and requests to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use terralume::{Error, Result};

/// Signals within this time are one.
const ONE_WISH: Duration = Duration::from_secs(1);

static CANCEL: AtomicBool = AtomicBool::new(false);

/// The flag that signals set: the first asks the run to stop and clean up, the second does not wait for it.
pub fn watch() -> Result<&'static AtomicBool> {
    if hang_up_is_ignored() {
        return Ok(&CANCEL);
    }
    let first = OnceLock::new();
    let handler = move || {
        CANCEL.store(true, Ordering::Relaxed);
        // Programs such as timeout signal a process and its group: one wish, not two.
        if first.get_or_init(Instant::now).elapsed() > ONE_WISH {
            std::process::exit(i32::from(crate::CANCELLED));
        }
    };
    ctrlc::set_handler(handler)
        .map_err(|error| Error::Internal(format!("cannot watch for Ctrl-C: {error}")))?;
    Ok(&CANCEL)
}

/// Ends the program when it was asked to while nothing is there yet that had to be cleaned up: a file far away may keep a
/// thread for long.
pub fn end_if_asked(clean: impl FnOnce()) {
    if CANCEL.load(Ordering::Relaxed) {
        clean();
        crate::output::error(&Error::Cancelled.to_string());
        std::process::exit(i32::from(crate::CANCELLED));
    }
}

/// Under nohup the end of the terminal must not end the run, but ctrlc takes over that signal with the others:
/// then all signals are left as they are.
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A hexadecimal set of signals, the first of which, SIGHUP, is the lowest bit of the last digit.
    ignored.is_some_and(|set| set.trim_end().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']))
}
