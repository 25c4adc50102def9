//! Layers that show another raster: it is brought to the grid of the elevations as GDAL's own programs bring it there.

#[path = "raster_layers/bench.rs"]
mod bench;
#[path = "raster_layers/grids.rs"]
mod grids;
#[path = "raster_layers/missing.rs"]
mod missing;
#[path = "raster_layers/recipes.rs"]
mod recipes;
#[path = "raster_layers/refusals.rs"]
mod refusals;
#[path = "cli/support.rs"]
#[allow(dead_code, reason = "the tests of the program use the rest")]
mod support;
