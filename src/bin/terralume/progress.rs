//! The progress bar.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{stderr, IsTerminal};

/// Steps of the bar: finer than any terminal can show.
const STEPS: f64 = 1000.0;

/// A bar on standard error while it lives; nothing when nobody watches.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar, unless the user wants quiet or standard error is no terminal.
    pub fn new(quiet: bool) -> Self {
        if quiet || !stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(STEPS as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{msg:9} [{wide_bar}] {percent:>3} % {elapsed} (left {eta})")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Shows the share done, 0 to 1, and what is being done.
    pub fn show(&self, share: f64, stage: &str) {
        self.0.set_position((share * STEPS) as u64);
        if self.0.message() != stage {
            self.0.set_message(stage.to_string());
        }
    }
}

impl Progress {
    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
