//! The grid of a raster.

use super::status::{guard, terralume_status, Failure, Result};
use super::versioned::{self, Versioned};
use crate::core::grid::Grid;
use libc::c_int;

/// Size and orientation of cells. Fill with terralume_grid_init() first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_grid {
    /// Bytes of this struct, as terralume_grid_init() sets it.
    pub struct_size: usize,
    /// Distance between neighbouring columns, in the unit of the heights; greater than 0. Default: 1.
    pub cell_width: f64,
    /// Distance between neighbouring rows, in the unit of the heights; greater than 0. Default: 1.
    pub cell_height: f64,
    /// 0: the first row is the northernmost one (default); 1: the southernmost one.
    pub south_up: c_int,
    /// Must be 0.
    pub reserved: c_int,
}

// SAFETY: repr(C); 8 + 8 + 8 + 4 + 4 bytes without gaps; any bytes are numbers.
unsafe impl Versioned for terralume_grid {
    const NAME: &'static str = "terralume_grid";
    const DEFAULT: Self =
        Self { struct_size: size_of::<Self>(), cell_width: 1.0, cell_height: 1.0, south_up: 0, reserved: 0 };
}

/// Fills a grid with its defaults.
///
/// @param grid        The struct to fill.
/// @param struct_size sizeof(terralume_grid)
#[no_mangle]
pub unsafe extern "C" fn terralume_grid_init(
    grid: *mut terralume_grid,
    struct_size: usize,
) -> terralume_status {
    // SAFETY: the caller's struct has `struct_size` bytes.
    guard(|| unsafe { versioned::init(grid, struct_size) })
}

/// Reads and checks a caller's grid.
///
/// # Safety
/// As `versioned::read`.
pub(super) unsafe fn read(grid: *const terralume_grid) -> Result<Grid> {
    // SAFETY: by contract.
    let given = unsafe { versioned::read(grid) }?;
    let south_up = match given.south_up {
        0 => false,
        1 => true,
        other => {
            return Err(Failure::argument(format!("terralume_grid.south_up is {other}; allowed: 0, 1")));
        }
    };
    if given.reserved != 0 {
        let came = given.reserved;
        return Err(Failure::argument(format!("terralume_grid.reserved is {came}; allowed: 0")));
    }
    let grid = Grid { cell_width: given.cell_width, cell_height: given.cell_height, south_up };
    grid.check()?;
    Ok(grid)
}
