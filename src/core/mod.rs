//! Words that every other module shares: errors, parameters, operations, tiles, grids.
//!
//! Nothing here knows GDAL, files, threads or any operation by name.

pub mod error;
pub mod grid;
pub mod operation;
pub mod params;
pub mod stretch;
pub mod survey;
pub mod tile;

/// What nearly every file of `ops/` needs.
pub mod prelude {
    pub use super::error::{Error, Result};
    pub use super::grid::Grid;
    pub use super::operation::{merge_measures, Band, Compatibility, Kernel, Operation, Role, TileKernel};
    pub use super::params::{Length, ParamSpec, Values};
    pub use super::stretch::Stretch;
    pub use super::survey::{Answer, Ground, Question};
    pub use super::tile::{Edge, Tile};
    pub(crate) use crate::core::params::{choices, params};
}
