//! Tiles of a band handed to a function, in parallel, with the cells around them.

use super::inputs::{self, InputSpec};
use super::open::{Kind, Wanted};
use super::options::StackOptions;
use crate::core::error::{Error, Result};
use crate::gdal::Gdal;
use crate::job::options::MOST_THREADS;
use crate::job::{default_memory, processors};
use crate::pipeline::plan::for_threads;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::io::StackSource;
use crate::pipeline::stack::map::{bytes, map};
use std::sync::atomic::AtomicBool;

pub use crate::pipeline::stack::map::MapTile;

/// How tiles are made.
#[derive(Debug, Clone, Copy)]
pub struct MapOptions {
    /// Band, from 1.
    pub band: usize,
    /// Side of a tile in cells.
    pub tile: usize,
    /// Cells around a tile.
    pub halo: usize,
    /// Worker threads; None: one for each processor.
    pub threads: Option<usize>,
}

/// Hands every tile to `function`, which stops the run when it answers false.
pub fn map_tiles(
    path: &str,
    options: MapOptions,
    function: &(dyn Fn(&MapTile<'_>) -> bool + Sync),
    cancel: &AtomicBool,
) -> Result<()> {
    if options.tile == 0 || options.band == 0 {
        let (tile, band) = (options.tile, options.band);
        return Err(Error::Argument(format!("tiles of {tile} cells of band {band}; allowed: both from 1")));
    }
    if let Some(threads) = options.threads.filter(|threads| !(1..=MOST_THREADS).contains(threads)) {
        return Err(Error::Argument(format!("{threads} threads; allowed: 1 to {MOST_THREADS}")));
    }
    let gdal = Gdal::get()?;
    let threads = options.threads.unwrap_or_else(processors);
    let spec = InputSpec { source: path.into(), band: Some(options.band), ..InputSpec::default() };
    let stack = StackOptions { inputs: vec![spec], ..StackOptions::default() };
    let mut monitor = Monitor { report: &mut |_| true, cancel };
    let (inputs, _) = inputs::open(gdal, &stack, threads, &mut monitor)?;
    let (grid, name) = inputs::grid(gdal, &inputs, &stack)?;
    let mut wanted = Wanted::new(gdal, &stack, (&grid, &name));
    let plane = wanted.plane(&inputs[0], &inputs[0].scenes[0], options.band, Kind::Values)?;
    let memory = default_memory(gdal);
    let source = wanted.open(threads, memory, &mut monitor)?;
    let side = (options.tile.min(grid.size.0), options.tile.min(grid.size.1));
    // No more than have something to do.
    let threads = threads.min(grid.size.0.div_ceil(side.0).saturating_mul(grid.size.1.div_ceil(side.1)));
    let most = grid.size.0.max(grid.size.1);
    if options.halo > most {
        let halo = options.halo;
        return Err(Error::Argument(format!(
            "halo of {halo} cells; allowed: 0 to {most}, the longer side of '{path}'"
        )));
    }
    let taken = |threads: usize| {
        let readers = threads.saturating_mul(source.reader_bytes()).saturating_add(source.handle_bytes());
        bytes(&source.planes()[plane], (side, options.halo), threads).saturating_add(readers)
    };
    let threads = fitting(&options, memory, threads, &taken)?;
    let room = memory - taken(threads);
    map(&source, plane, (side, options.halo), (threads, room), function, &mut monitor)
}

/// As many threads as the memory has room for; those that were asked for must all fit.
fn fitting(
    options: &MapOptions,
    memory: usize,
    threads: usize,
    bytes: &dyn Fn(usize) -> usize,
) -> Result<usize> {
    for_threads(threads, options.threads.is_some(), |threads| {
        let needed = bytes(threads);
        if needed <= memory {
            return Ok(threads);
        }
        let (tile, halo) = (options.tile, options.halo);
        let (needed, memory) = (needed.div_ceil(1 << 20), memory >> 20);
        Err(Error::Memory(format!(
            "tiles of {tile} cells with a halo of {halo} and {threads} threads take {needed} MiB, the memory budget \
             is {memory} MiB; allowed: smaller tiles, a smaller halo, fewer threads"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_nobody_asked_for_go_first() {
        let options = |threads| MapOptions { band: 1, tile: 256, halo: 8, threads };
        let bytes = |threads: usize| threads << 20;
        assert_eq!(fitting(&options(None), 5 << 20, 16, &bytes).unwrap(), 4);
        assert_eq!(fitting(&options(Some(5)), 5 << 20, 5, &bytes).unwrap(), 5);
        let said = fitting(&options(Some(16)), 5 << 20, 16, &bytes).unwrap_err().to_string();
        let expected =
            "tiles of 256 cells with a halo of 8 and 16 threads take 16 MiB, the memory budget is 5 MiB; \
                        allowed: smaller tiles, a smaller halo, fewer threads";
        assert_eq!(said, expected);
        assert!(matches!(fitting(&options(None), 1000, 4, &bytes), Err(Error::Memory(_))));
    }
}
