//! The kernel of the curvatures along and across the slope.
//!
//! A surface of Zevenbergen and Thorne through the 3 x 3 heights of cells `w` wide and `h` high has at the cell the
//! first derivatives `p = (z_e - z_w) / 2w` and `q = (z_n - z_s) / 2h` and the second derivatives
//! `r = (z_e + z_w - 2z) / w^2`, `t = (z_n + z_s - 2z) / h^2` and `s = (z_ne + z_sw - z_nw - z_se) / 4wh`. Along the
//! slope it bends by `(r p^2 + 2 s p q + t q^2) / (p^2 + q^2)`, across it by `(r q^2 - 2 s p q + t p^2) / (p^2 + q^2)`.
//! Both get the other sign here: convex ground, a crest or an edge, is positive. Level cells, which have no slope to
//! follow, are 0.
//!
//! A missing neighbour, or one beyond the raster's edge, is what continues the line from the opposite neighbour
//! through the cell: planes stay without curvature there. Where the opposite one is missing as well, it is the cell
//! itself. (The cell itself in every case, as for slopes, would show each edge and hole as a bank.) NaN in, NaN out.

#![allow(clippy::needless_range_loop)] // An index over several arrays is the form that vectorises.

use crate::core::prelude::*;
use multiversion::multiversion;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

/// Which way the bend is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Up and down the slope: profile curvature.
    Along,
    /// Level, at a right angle to it: plan curvature.
    Across,
}

/// Factors that turn sums of height differences into second derivatives of the other sign, and the sides of a cell.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// Of the neighbours to the west and east.
    x: f32,
    /// Of the neighbours to the north and south.
    y: f32,
    /// Of the corners; twice the mixed derivative.
    xy: f32,
    /// Width of a cell divided by its height.
    shape: f32,
}

/// One band: a bend of the surface, in one divided by the unit of the coordinates.
pub struct CurvatureKernel {
    direction: Direction,
    scale: Scale,
    south_up: bool,
}

impl CurvatureKernel {
    /// For cells of any shape.
    pub fn new(direction: Direction, exaggeration: f64, grid: &Grid) -> Self {
        let (width, height) = (grid.cell_width, grid.cell_height);
        let scale = Scale {
            x: (-exaggeration / (width * width)) as f32,
            y: (-exaggeration / (height * height)) as f32,
            xy: (-exaggeration / (2.0 * width * height)) as f32,
            shape: (width / height) as f32,
        };
        Self { direction, scale, south_up: grid.south_up }
    }
}

impl Kernel for CurvatureKernel {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        1
    }

    fn edge(&self) -> Edge {
        Edge::Open
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        Box::new(OnTile { kernel: self, tile })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct OnTile<'a> {
    kernel: &'a CurvatureKernel,
    tile: Tile<'a>,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        // From north to south.
        let order = if self.kernel.south_up { [1, 0, -1] } else { [-1, 0, 1] };
        let rows = order.map(|down| self.tile.row(row, down, columns.clone(), 1));
        let mut out = out.row_mut(0);
        let out = out.as_slice_mut().expect("outputs have contiguous rows");
        match self.kernel.direction {
            Direction::Along => curvature_row::<false>(rows, self.kernel.scale, out),
            Direction::Across => curvature_row::<true>(rows, self.kernel.scale, out),
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn curvature_row<const ACROSS: bool>(rows: [&[f32]; 3], scale: Scale, out: &mut [f32]) {
    curvature_cells::<ACROSS>(rows, scale, out);
}

#[inline(always)]
fn curvature_cells<const ACROSS: bool>(rows: [&[f32]; 3], scale: Scale, out: &mut [f32]) {
    let columns = out.len();
    let rows = rows.map(|row| &row[..columns + 2]);
    for column in 0..columns {
        let cell = rows[1][column + 1];
        let above = |row: usize, step: usize| rows[row][column + step] - cell;
        let (west, east) = opposites(above(1, 0), above(1, 2));
        let (north, south) = opposites(above(0, 1), above(2, 1));
        let (north_west, south_east) = opposites(above(0, 0), above(2, 2));
        let (north_east, south_west) = opposites(above(0, 2), above(2, 0));
        let x = (west + east) * scale.x;
        let y = (north + south) * scale.y;
        let xy = ((north_east + south_west) - (north_west + south_east)) * scale.xy;
        let rise = (east - west, (north - south) * scale.shape);
        let rise = if ACROSS { (-rise.1, rise.0) } else { rise };
        // Zero, or NaN for a missing cell.
        let missing = cell.abs() * 0.0;
        out[column] = bend(x, y, xy, rise) + missing;
    }
}

/// Differences of height to two opposite neighbours; a missing one, NaN, continues the line from the other.
#[inline(always)]
fn opposites(one: f32, other: f32) -> (f32, f32) {
    let or = |value: f32, instead: f32| if value.is_nan() { instead } else { value };
    (or(one, or(-other, 0.0)), or(other, or(-one, 0.0)))
}

/// The second derivative in a direction given by a vector of any length; 0 without one. `xy` is twice the mixed one.
#[inline(always)]
fn bend(x: f32, y: f32, xy: f32, (east, north): (f32, f32)) -> f32 {
    let (east_size, north_size) = (east.abs(), north.abs());
    let longer = if east_size > north_size { east_size } else { north_size };
    // Squares of numbers up to 1 neither overflow nor vanish, however steep or level the ground is.
    let (east, north) = (east / longer, north / longer);
    let bend =
        (x * (east * east) + y * (north * north) + xy * (east * north)) / (east * east + north * north);
    if longer > 0.0 {
        bend
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLE: f32 = f32::NAN;

    /// Curvatures along and across of the middle of 3 x 3 cells, north first.
    fn both(cells: [[f32; 3]; 3], exaggeration: f64, grid: &Grid) -> (f32, f32) {
        let rows = cells.each_ref().map(|row| &row[..]);
        let mut out = [[0.0]; 2];
        let scale = |direction| CurvatureKernel::new(direction, exaggeration, grid).scale;
        curvature_row::<false>(rows, scale(Direction::Along), &mut out[0]);
        curvature_row::<true>(rows, scale(Direction::Across), &mut out[1]);
        (out[0][0], out[1][0])
    }

    #[test]
    fn numbers_by_hand() {
        let grid = Grid::square(1.0);
        // An edge: level in the west, falling by 2 to the east.
        let edge = [[5.0, 5.0, 3.0]; 3];
        assert_eq!(both(edge, 1.0, &grid), (2.0, 0.0));
        assert_eq!(both(edge, 0.5, &grid), (1.0, 0.0));
        assert_eq!(both(edge, -1.0, &grid), (-2.0, 0.0));
        assert_eq!(both(edge, 1.0, &Grid::square(2.0)), (0.5, 0.0));
        // A ridge that rises to the east, p = 1: across it t = -2, along it nothing.
        let ridge = [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [0.0, 1.0, 2.0]];
        assert_eq!(both(ridge, 1.0, &grid), (0.0, 2.0));
        // p = 1, q = 2, r = 2, t = 4, s = 0.5: along (2 + 2 + 16) / 5, across (8 - 2 + 4) / 5.
        let bowl = [[0.0, 4.0, 2.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]];
        let (along, across) = both(bowl, 1.0, &grid);
        assert!((along + 4.0).abs() < 1e-6 && (across + 2.0).abs() < 1e-6, "{along} {across}");
        // The same ground in cells 4 wide and 0.5 high: p = 0.25, q = 4, r = 0.125, t = 16, s = 0.25.
        let (along, across) = both(bowl, 1.0, &Grid { cell_width: 4.0, cell_height: 0.5, south_up: false });
        let square = 0.25 * 0.25 + 4.0 * 4.0;
        let expected = |sum: f64| (-sum / square) as f32;
        assert!((along - expected(0.125 * 0.0625 + 2.0 * 0.25 + 16.0 * 16.0)).abs() < 1e-5, "{along}");
        assert!((across - expected(0.125 * 16.0 - 2.0 * 0.25 + 16.0 * 0.0625)).abs() < 1e-6, "{across}");
    }

    #[test]
    fn level_and_missing_cells() {
        let grid = Grid::square(1.0);
        // A peak and a bowl have no slope to follow.
        assert_eq!(both([[1.0, 1.0, 1.0], [1.0, 4.0, 1.0], [1.0, 1.0, 1.0]], 1.0, &grid), (0.0, 0.0));
        let (along, across) = both([[1.0, 1.0, 1.0], [1.0, HOLE, 1.0], [1.0, 1.0, 2.0]], 1.0, &grid);
        assert!(along.is_nan() && across.is_nan());
        // A plane with holes is a plane; a cell alone is level.
        let plane = [[5.0, 4.5, 4.0], [3.0, 2.5, 2.0], [1.0, 0.5, 0.0]];
        for hidden in 0..256_u32 {
            let mut cells = plane;
            for bit in (0..8).filter(|bit| hidden >> bit & 1 == 1) {
                let place = if bit < 4 { bit } else { bit + 1 };
                cells[place / 3][place % 3] = HOLE;
            }
            assert_eq!(both(cells, 1.0, &grid), (0.0, 0.0), "{cells:?}");
        }
        // Without its east the line from the west goes on: no bend that way, and the whole slope.
        let open = [[0.0, 4.0, HOLE], [1.0, 2.0, HOLE], [0.0, 4.0, HOLE]];
        assert_eq!(both(open, 1.0, &grid), (0.0, -4.0));
    }

    /// Extremes of the numbers that count as heights.
    #[test]
    fn huge_and_tiny_heights_have_a_curvature() {
        for height in [1e-40_f32, 1e-30, 1e20, 9e29] {
            let edge = [[0.0, 0.0, -height]; 3];
            let (along, across) = both(edge, 1.0, &Grid::square(1.0));
            assert_eq!((along, across), (height, 0.0));
        }
    }

    #[multiversion(targets("x86_64+avx2"))]
    fn curvature_avx2<const ACROSS: bool>(rows: [&[f32]; 3], scale: Scale, out: &mut [f32]) {
        curvature_cells::<ACROSS>(rows, scale, out);
    }

    fn targets_agree<const ACROSS: bool>() {
        let height = |row: f32, x: f32| 30.0 * (x * 0.37 + row).sin() + 9.0 * (x * 0.011).cos() * row;
        let mut rows = [0.0, 1.0, 2.0].map(|row| (0..702).map(|x| height(row, x as f32)).collect::<Vec<_>>());
        (rows[1][40], rows[0][77]) = (HOLE, HOLE);
        let grid = Grid { cell_width: 0.3, cell_height: 1.7, south_up: false };
        let scale = CurvatureKernel::new(Direction::Along, 1.0, &grid).scale;
        let computed = |skip: usize, run: fn([&[f32]; 3], Scale, &mut [f32])| {
            let mut out = vec![0.0; 700 - skip];
            run(rows.each_ref().map(|row| &row[skip..]), scale, &mut out);
            out.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        let expected = computed(0, curvature_row::<ACROSS>);
        for skip in [0, 1, 13, 300] {
            assert_eq!(computed(skip, curvature_row::<ACROSS>), expected[skip..]);
            assert_eq!(computed(skip, curvature_avx2::<ACROSS>), expected[skip..]);
            assert_eq!(computed(skip, curvature_cells::<ACROSS>), expected[skip..]);
        }
    }

    #[test]
    fn all_targets_and_positions_agree() {
        targets_agree::<false>();
        targets_agree::<true>();
    }
}
