//! The only safe wrapper over GDAL: binding at run time, datasets, the source and the sink of the pipeline.

pub mod binding;
mod blocks;
mod cells;
mod creation;
mod dataset;
mod error;
mod finish;
pub mod header;
pub mod layer;
mod options;
pub mod output;
pub mod raster;
pub mod sink;
pub mod sinks;
pub mod source;
pub mod stack;
pub mod transform;
mod trial;
pub mod virtual_tiff;
mod warp;
pub mod warper;

pub use binding::Gdal;
pub use dataset::DatasetHandle;
