//! The raster's grid as operations see it: how far cells lie apart, and which way is north.

use super::error::{Error, Result};

/// Size of the cells, in the unit of the heights, and orientation of the rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Distance between neighbouring columns, greater than 0.
    pub cell_width: f64,
    /// Distance between neighbouring rows, greater than 0.
    pub cell_height: f64,
    /// The first row is the southernmost one (a positive sixth geotransform coefficient).
    pub south_up: bool,
}

/// Cells count as square when their sides differ by less than this share: it changes no slope visibly and
/// lets pass what reprojection leaves behind in the last digits.
const SQUARE_TOLERANCE: f64 = 1e-4;

impl Grid {
    /// A north-up grid of square cells.
    pub fn square(cell: f64) -> Self {
        Self { cell_width: cell, cell_height: cell, south_up: false }
    }

    /// Checks that both sides are finite and greater than 0.
    pub fn check(&self) -> Result<()> {
        let valid = |side: f64| side.is_finite() && side > 0.0;
        if valid(self.cell_width) && valid(self.cell_height) {
            return Ok(());
        }
        let (width, height) = (self.cell_width, self.cell_height);
        Err(Error::Argument(format!("cell size {width} x {height}; allowed: finite and greater than 0")))
    }

    /// The side of a square cell; an error that names `operation` when cells are not square.
    pub fn square_cell(&self, operation: &str) -> Result<f64> {
        let (width, height) = (self.cell_width, self.cell_height);
        if (width - height).abs() > SQUARE_TOLERANCE * width.max(height) {
            return Err(Error::Unsupported(format!(
                "{operation} needs square cells, these are {width} x {height}; \
                 resample first, for example: gdalwarp -tr {side} {side} -r bilinear",
                side = width.min(height)
            )));
        }
        Ok(width)
    }
}
