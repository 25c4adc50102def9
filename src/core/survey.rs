//! What a kernel may ask of the whole raster before it computes a tile.
//!
//! Questions are answered by a pass over all tiles before the one that writes, never tile by tile: results do not
//! depend on how the raster is divided.

use ndarray::Array2;
use std::sync::Arc;

/// A question about the whole raster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The lowest and the highest cell, and copies of the last rows and columns, so many of each.
    Ground {
        /// Rows and columns wanted.
        depth: usize,
    },
    /// The largest value that the kernel gives in its first band, as it stands now.
    Largest,
}

/// What was found.
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Question::Ground`].
    Ground(Arc<Ground>),
    /// To [`Question::Largest`]; NaN when no cell has a value.
    Largest(f32),
}

/// What was asked of the raster's own cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// Lowest valid cell; infinite when there is none.
    pub lowest: f32,
    /// Highest valid cell; minus infinity when there is none.
    pub highest: f32,
    /// The last rows of the raster in file order: depth x columns. Missing cells are NaN.
    pub last_rows: Array2<f32>,
    /// The first rows, for rasters whose first row is the southernmost one: depth x columns.
    pub first_rows: Array2<f32>,
    /// The last columns: rows x depth.
    pub last_cols: Array2<f32>,
}
