//! Tiles of a band handed to a function, in parallel, with the cells around them.

use super::inputs::{self, InputSpec};
use super::open::{Kind, Wanted};
use super::options::StackOptions;
use crate::core::error::{Error, Result};
use crate::gdal::Gdal;
use crate::job::{default_memory, processors};
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::map::map;
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
    let gdal = Gdal::get()?;
    let threads = options.threads.unwrap_or_else(processors);
    let spec = InputSpec { source: path.into(), band: Some(options.band), ..InputSpec::default() };
    let stack = StackOptions { inputs: vec![spec], ..StackOptions::default() };
    let mut monitor = Monitor { report: &mut |_| true, cancel };
    let (inputs, _) = inputs::open(gdal, &stack, threads, &mut monitor)?;
    let (grid, name) = inputs::grid(gdal, &inputs, &stack)?;
    let mut wanted = Wanted::new(gdal, &stack, (&grid, &name));
    let plane = wanted.plane(&inputs[0], &inputs[0].scenes[0], options.band, Kind::Values)?;
    let source = wanted.open(threads, default_memory(gdal), &mut monitor)?;
    let side = (options.tile.min(grid.size.0), options.tile.min(grid.size.1));
    map(&source, plane, (side, options.halo), threads, function, &mut monitor)
}
