//! Where the time goes: what each thread did when, as a Chrome trace and in a few lines.

use super::run::thread_number;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One piece of work of one thread.
#[derive(Debug, Clone, Copy)]
struct Span {
    what: &'static str,
    thread: usize,
    tile: usize,
    start: Duration,
    length: Duration,
}

/// A record of a run.
pub struct Profile {
    start: Instant,
    spans: Mutex<Vec<Span>>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { start: Instant::now(), spans: Mutex::default() }
    }
}

/// One thread's clock: what has gone by since the last mark belongs to what the next one names.
pub struct Clock<'a> {
    profile: Option<&'a Profile>,
    thread: usize,
    tile: usize,
    last: Instant,
}

impl<'a> Clock<'a> {
    /// That of the worker that asks, as below.
    pub fn of_worker(profile: Option<&'a Profile>) -> Self {
        Self::new(profile, thread_number())
    }

    /// Starts now; without a profile marks cost nothing.
    pub fn new(profile: Option<&'a Profile>, thread: usize) -> Self {
        Self { profile, thread, tile: 0, last: Instant::now() }
    }

    /// Goes on with another tile.
    pub fn on_tile(&mut self, tile: usize) {
        self.tile = tile;
    }

    /// What was done since the last mark.
    pub fn mark(&mut self, what: &'static str) {
        let Some(profile) = self.profile else { return };
        let now = Instant::now();
        let (start, length) = (self.last - profile.start, now - self.last);
        let span = Span { what, thread: self.thread, tile: self.tile, start, length };
        profile.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
        self.last = now;
    }
}

impl Profile {
    /// Writes a Chrome trace, for Perfetto and chrome://tracing, event by event: there may be millions.
    pub fn write_trace(&self, run: &serde_json::Value, to: &mut dyn Write) -> std::io::Result<()> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        write!(to, "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
        for (index, span) in spans.iter().enumerate() {
            let event = json!({
                "name": span.what, "cat": "tile", "ph": "X", "pid": 1, "tid": span.thread,
                "ts": span.start.as_micros() as u64, "dur": span.length.as_micros() as u64,
                "args": {"tile": span.tile},
            });
            write!(to, "{}\n{event}", if index > 0 { "," } else { "" })?;
        }
        writeln!(to, "],\"otherData\":{run}}}")
    }

    /// Seconds of all threads by kind of work, and since the start.
    pub fn seconds(&self) -> (Vec<(&'static str, f64)>, f64) {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = BTreeMap::new();
        for span in spans.iter() {
            *sums.entry(span.what).or_insert(0.0) += span.length.as_secs_f64();
        }
        (sums.into_iter().collect(), self.start.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_one_another_without_a_gap() {
        let profile = Profile::default();
        let mut clock = Clock::new(Some(&profile), 3);
        clock.on_tile(7);
        for what in ["read", "compute", "read"] {
            clock.mark(what);
        }
        let mut text = Vec::new();
        profile.write_trace(&json!({}), &mut text).unwrap();
        let trace: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        assert_eq!(events.len(), 3);
        assert_eq!(
            (&events[1]["name"], &events[1]["tid"], &events[1]["args"]["tile"]),
            (&json!("compute"), &json!(3), &json!(7))
        );
        let names: Vec<_> = profile.seconds().0.iter().map(|(what, _)| *what).collect();
        assert_eq!(names, ["compute", "read"]);
        Clock::new(None, 0).mark("read");
    }
}
