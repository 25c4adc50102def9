//! The only safe wrapper over GDAL: binding at run time, datasets, the source and the sink of the pipeline.

pub mod binding;
mod blocks;
mod cells;
mod dataset;
mod error;
mod options;
pub mod output;
pub mod sink;
pub mod source;
mod trial;

pub use binding::Gdal;
pub use dataset::DatasetHandle;
