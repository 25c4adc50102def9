//! Relief visualisation for rasters of any size.
//!
//! Elevation models become pictures in which a 20 cm bank can be seen: exact, tile by tile, in parallel, in bounded
//! memory. A [`recipe::Recipe`] says what to compute; a [`job::Job`] runs it from file to file; a
//! [`recipe::chain::Chain`] runs it on arrays. The map of the code is `docs/architecture.md`.

#![warn(clippy::unwrap_used)]

// What pest makes of the grammar of expressions names it.
extern crate alloc;

pub mod core;
pub mod ffi;
pub mod gdal;
mod gdal_plugin;
pub mod job;
pub mod ops;
pub mod pipeline;
pub mod recipe;
pub mod registry;
pub mod render;
pub mod stack;

pub use crate::core::error::{Error, Result};
pub use crate::core::operation::Compatibility;
pub use crate::gdal::sink::Format;
pub use crate::gdal::source::Input;
pub use crate::job::{Job, JobOptions};
pub use crate::recipe::chain::CellType;
pub use crate::recipe::Recipe;

/// Version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
