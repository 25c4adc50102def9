//! Band maths and stacks: expressions, masks, reductions over time, statistics, all on rows of cells.
//!
//! A row holds 64-bit floats; NaN says that a cell has no data. Several rows go in and out as one slice, one row after
//! the other. Nothing here knows files, GDAL or threads, and nothing allocates for a row: what a thread needs is made
//! once, beforehand.

pub mod cells;
mod describe;
pub mod expression;
pub mod mask;
pub mod reduce;
mod reference;
pub mod rescale;
pub mod statistics;

pub use describe::describe;
pub use reference::reference;

/// Cells of a row that is worked on at once: a few such rows fit in the first cache.
pub const ROW: usize = 1024;
