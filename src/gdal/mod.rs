//! The only safe wrapper over GDAL: binding at run time, datasets, the source and the sink of the pipeline.

pub mod binding;
mod blocks;
mod cells;
mod collected;
mod creation;
mod dataset;
mod error;
pub mod extent;
mod finish;
pub mod header;
pub mod layer;
mod options;
pub mod output;
pub mod parts;
pub mod raster;
pub mod sink;
pub mod sinks;
pub mod source;
pub mod stack;
pub mod statistics;
mod tiles;
pub mod transform;
mod trial;
pub mod virtual_tiff;
pub mod vrt;
mod warp;
pub mod warper;
mod zarr;

pub use binding::Gdal;
pub use dataset::{DatasetHandle, GeoTransform};

/// Has `function` called when the process ends, before GDAL, which was loaded earlier, takes itself apart.
pub fn at_exit(function: extern "C" fn()) {
    // SAFETY: a function of ours that stays loaded; when there is no room for it nothing is lost but the wait.
    unsafe { libc::atexit(function) };
}
