//! Slope and hillshade from five sources: a cell and its four direct neighbours, one raster shifted by a cell.
//!
//! The registry's own operation computes them, with its parameters and its bits: cells are set out as rows in which
//! every third cell has its real neighbours, and every third result is taken.

use super::arguments::Arguments;
use super::{Cells, Compute, BLOCK};
use crate::core::error::{Error, Result};
use crate::core::grid::Grid;
use crate::core::operation::{Compatibility, Kernel};
use crate::core::params::Values;
use crate::core::tile::is_height;
use crate::ops::shared::gradient::GradientKernel;
use crate::ops::shared::gradient_row::Rows;
use crate::registry;
use ndarray::ArrayViewMut2;

/// Places of a cell: its western neighbour, itself, its eastern neighbour.
const PLACES: usize = 3;

/// Sources, in this order: centre, west, east, north, south.
const SOURCES: usize = 5;

struct Neighbours {
    kernel: Box<dyn Kernel>,
    /// Rows to the north, in the middle, to the south, and the result.
    rows: [[f32; PLACES * BLOCK]; 4],
}

/// Reads the arguments of an operation and those of the grid.
pub fn prepare(operation: &str, arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute>> {
    if sources != SOURCES {
        return Err(Error::Argument(format!(
            "{sources} sources; allowed: 5, a raster and itself shifted: centre, west, east, north, south"
        )));
    }
    let positive = f64::MIN_POSITIVE..=f64::MAX;
    let grid = Grid {
        cell_width: arguments.required_number("cell_width", positive.clone())?,
        cell_height: arguments.required_number("cell_height", positive)?,
        south_up: false,
    };
    let operation = registry::find(operation)?;
    let specs = (operation.parameters)();
    let mut values = Values::defaults(specs.clone());
    for spec in &specs {
        if let Some(text) = arguments.text(spec.name) {
            values.set(spec.name, text).map_err(|error| error.at("argument"))?;
        }
    }
    let kernel = (operation.build)(&values, &grid, Compatibility::None)?;
    if !kernel.as_any().is::<GradientKernel>() {
        return Err(Error::Internal(format!("{} looks at more than direct neighbours", operation.id)));
    }
    Ok(Box::new(Neighbours { kernel, rows: [[0.0; PLACES * BLOCK]; 4] }))
}

impl Compute for Neighbours {
    fn sources(&self) -> usize {
        SOURCES
    }

    fn cells(&mut self, sources: &mut [Cells], out: &mut [f32]) {
        let Some(kernel) = self.kernel.as_any().downcast_ref::<GradientKernel>() else { return };
        let [to_north, to_centre, to_south, results] = &mut self.rows;
        let [centre, west, east, north, south] = [0, 1, 2, 3, 4].map(|source| &sources[source]);
        for column in 0..out.len() {
            let place = PLACES * column;
            to_centre[place] = height(west[column]);
            to_centre[place + 1] = height(centre[column]);
            to_centre[place + 2] = height(east[column]);
            to_north[place + 1] = height(north[column]);
            to_south[place + 1] = height(south[column]);
        }
        let length = PLACES * out.len();
        let rows =
            Rows { north: &to_north[..length], centre: &to_centre[..length], south: &to_south[..length] };
        // The first and the last place are neighbours only.
        let results = &mut results[..length - 2];
        if let Ok(results) = ArrayViewMut2::from_shape((1, length - 2), &mut *results) {
            kernel.cells(rows, results);
        }
        for (column, out) in out.iter_mut().enumerate() {
            *out = results[PLACES * column];
        }
    }
}

/// What can be no height is missing, as in rasters that the library reads itself.
fn height(cell: f32) -> f32 {
    if is_height(cell) {
        cell
    } else {
        f32::NAN
    }
}
