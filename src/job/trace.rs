//! Where the time of a run goes, written to a file beside the outputs.

use crate::core::error::{Error, Result};
use crate::gdal::output::Target;
use crate::job::options::JobOptions;
use crate::pipeline::profile::Profile;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

/// A run that is watched.
pub(super) struct Trace {
    target: Target,
    start: Instant,
    pub profile: Profile,
}

/// What a run took.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Seconds that passed.
    pub wall: f64,
    /// Cells of the result.
    pub cells: usize,
    /// Seconds of all threads by kind of work.
    pub threads: Vec<(&'static str, f64)>,
    /// Bytes that were read, uncompressed.
    pub read: u64,
    /// How often a block was decoded, on the average; for relief: cells read for each one written.
    pub decoded: f64,
    /// Most bytes that the process has held; 0 where the system does not tell.
    pub peak: u64,
}

/// What a run looked like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Cells of the raster.
    pub cells: usize,
    pub tiles: usize,
    /// See [`Timing`].
    pub read: u64,
    pub decoded: f64,
}

impl Trace {
    /// Begins now, if the options ask for it. A file that must not be replaced is an error before anything is computed.
    pub fn begin<'a>(
        options: &JobOptions,
        inputs: &[String],
        mut outputs: impl Iterator<Item = &'a String>,
    ) -> Result<Option<Self>> {
        let Some(path) = &options.profile else { return Ok(None) };
        if outputs.any(|output| place(output) == place(path)) {
            return Err(Error::Output(format!("profile = '{path}' is the output; allowed: another file")));
        }
        let target = Target::new(path, options.overwrite, inputs)?;
        Ok(Some(Self { target, start: Instant::now(), profile: Profile::default() }))
    }

    /// Refuses a trace of a run without a file.
    pub fn refuse(options: &JobOptions) -> Result<()> {
        match &options.profile {
            Some(path) => Err(Error::Argument(format!(
                "profile = '{path}' of a run into memory; allowed: a run that writes a file"
            ))),
            None => Ok(()),
        }
    }

    /// Writes the file, a Chrome trace.
    pub fn finish(self, extent: Extent) -> Result<Timing> {
        let Self { target, start, profile } = self;
        let Extent { cells, tiles, read, decoded } = extent;
        let timing = Timing {
            wall: start.elapsed().as_secs_f64(),
            cells,
            threads: profile.seconds().0,
            read,
            decoded,
            peak: peak_memory(),
        };
        let run = json!({
            "wall_seconds": timing.wall, "input_bytes": read, "cells": cells, "tiles": tiles, "decoded": decoded,
            "peak_bytes": timing.peak,
        });
        let pending = target.pending()?;
        let written = File::create(pending.name()?).and_then(|file| {
            let mut file = BufWriter::new(file);
            profile.write_trace(&run, &mut file)?;
            file.flush()
        });
        written
            .map_err(|error| Error::Output(format!("cannot write '{}': {error}", target.path().display())))?;
        target.accept(pending)?;
        Ok(timing)
    }
}

/// A file that may not be there yet, by its folder.
fn place(path: &str) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Most bytes this process has held.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
