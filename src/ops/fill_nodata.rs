//! Gap filling: heights for missing cells from the valid cells around them; valid cells keep theirs.
//!
//! With distance `d` in cells of the columns' size: inverse distance weighting takes the mean of the valid cells in the
//! square of `2 radius + 1` cells, weighted by `1 / d^power` (Shepard 1968); nearest neighbour the valid cell of the
//! square with the least `d <= radius`, of several the one in the nearest column, then the western, then the northern
//! one; linear along the row the line between the nearest valid cells of the row within the radius, or the only one of
//! them. Only cells that were valid before count, so that nothing depends on the order of filling. A cell with no valid
//! one in reach stays missing. Beyond the raster's edge there is nothing. Cost: a copy for valid cells; for a missing one (2 radius + 1)²
//! products, radius look-ups, or a step along the row.

use super::shared::relief::ReliefParams;
use crate::core::prelude::*;
use multiversion::multiversion;
use ndarray::ArrayViewMut2;
use std::any::Any;
use std::ops::Range;

choices! {
    /// How missing cells get a height.
    pub enum Method {
        /// Mean of the valid cells around, weighted by the inverse of their distance.
        Idw = "idw",
        /// Height of the nearest valid cell.
        Nearest = "nearest",
        /// Line between the valid cells before and after in the row.
        LinearRow = "linear_row",
    }
}

params! {
    /// Parameters of gap filling.
    pub struct Params {
        ..relief: ReliefParams;
        method: Method = Method::Idw, "How missing cells get a height.";
        radius: Length = Length::Cells(20.0), in 1..=1000, "cells", "How far valid cells are looked for.";
        power: f64 = 2.0, in 0.0..=10.0, "", "Inverse distance weighting: the higher, the more near cells count.";
    }
}

/// The registry entry.
pub static OPERATION: Operation = Operation {
    id: "fill_nodata",
    aliases: &[],
    title: "Fill nodata",
    summary: "Heights for missing cells from the valid ones around them: lakes, gaps between flight strips, buildings \
              taken out. Can also go before any picture (-p fill=idw).",
    formula: "idw: sum(z / d^power) / sum(1 / d^power) over the valid cells of the square of 2 radius + 1 \
              cells; nearest: z of the nearest valid cell within radius; linear_row: the line between the \
              nearest valid cells of the row",
    reference: "Shepard 1968, doi:10.1145/800186.810616",
    file_name: "NODATA_{method}_R{radius}[_P{power}]",
    parameters: Params::specs,
    bands: |_| vec![Band::new("Height", "", (f64::NEG_INFINITY, f64::INFINITY))],
    stretch: |_, _| Stretch::percent(0.0, 0.0),
    build: |values, grid, _| Ok(Box::new(Fill::new(&Params::from_values(values), grid))),
};

/// A method made ready for a grid.
struct Fill {
    method: Method,
    radius: usize,
    factor: f32,
    south_up: bool,
    /// Height of a cell in widths of a cell.
    ratio: f64,
    /// For inverse distance weighting: a row of weights for every row of the square.
    weights: Vec<f64>,
}

impl Fill {
    fn new(params: &Params, grid: &Grid) -> Self {
        let radius = params.radius.cells(grid);
        let ratio = grid.cell_height / grid.cell_width;
        let weights = match params.method {
            Method::Idw => weights(radius, ratio, params.power),
            Method::Nearest | Method::LinearRow => Vec::new(),
        };
        let factor = params.relief.vertical_exaggeration as f32;
        Self { method: params.method, radius, factor, south_up: grid.south_up, ratio, weights }
    }

    /// Rows of the square from north to south: sums are the same on a raster with south up.
    fn rows_southwards(&self) -> impl Iterator<Item = isize> {
        let (reach, sign) = (self.radius as isize, if self.south_up { -1 } else { 1 });
        (-reach..=reach).map(move |row| row * sign)
    }
}

fn weights(radius: usize, ratio: f64, power: f64) -> Vec<f64> {
    let reach = radius as isize;
    let places = (-reach..=reach).flat_map(|row| (-reach..=reach).map(move |col| (row, col)));
    let weight = |(row, col): (isize, isize)| match (row as f64 * ratio).hypot(col as f64) {
        // The missing cell itself.
        0.0 => 0.0,
        distance => distance.powf(-power),
    };
    places.map(weight).collect()
}

impl Kernel for Fill {
    fn bands(&self) -> usize {
        1
    }

    fn radius(&self) -> usize {
        self.radius
    }

    fn edge(&self) -> Edge {
        Edge::Open
    }

    fn tile_memory(&self, rows: usize, cols: usize) -> usize {
        match self.method {
            Method::Idw => 4 * (rows + 2 * self.radius + 1) * (cols + 2 * self.radius + 1),
            Method::Nearest => 4 * rows * (cols + 2 * self.radius),
            Method::LinearRow => 0,
        }
    }

    fn gives_heights(&self) -> bool {
        true
    }

    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a> {
        let has_gaps = (0..tile.rows()).any(|row| tile.row(row, 0, 0..tile.cols(), 0).iter().any(|z| z.is_nan()));
        let search = match self.method {
            _ if !has_gaps => Search::None,
            Method::Idw => Search::Weighted { valid: ValidCells::new(tile, self.radius) },
            Method::Nearest => Search::Nearest { above: distances(tile, self, -1), below: distances(tile, self, 1) },
            Method::LinearRow => Search::Row,
        };
        Box::new(OnTile { kernel: self, tile, search })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What is known of a tile before its rows are filled.
enum Search {
    /// Nothing is missing.
    None,
    Weighted { valid: ValidCells },
    /// Rows from every cell to the nearest valid one in its column, north and south.
    Nearest { above: Vec<u16>, below: Vec<u16> },
    Row,
}

struct OnTile<'a> {
    kernel: &'a Fill,
    tile: Tile<'a>,
    search: Search,
}

impl TileKernel for OnTile<'_> {
    fn row(&mut self, row: usize, columns: Range<usize>, mut out: ArrayViewMut2<'_, f32>) {
        let cells = self.tile.row(row, 0, columns.clone(), 0);
        let Fill { factor, .. } = *self.kernel;
        for ((out, cell), col) in out.row_mut(0).iter_mut().zip(cells).zip(columns) {
            let height = if cell.is_nan() { self.filled(row, col) } else { *cell };
            *out = height * factor;
        }
    }
}

impl OnTile<'_> {
    fn filled(&self, row: usize, col: usize) -> f32 {
        match &self.search {
            Search::None => f32::NAN,
            Search::Weighted { valid } if valid.is_empty(row, col) => f32::NAN,
            Search::Weighted { .. } => self.weighted(row, col),
            Search::Nearest { above, below } => self.nearest(row, col, (above, below)),
            Search::Row => self.between(row, col),
        }
    }

    fn weighted(&self, row: usize, col: usize) -> f32 {
        let side = 2 * self.kernel.radius + 1;
        let mut sums = Sums::default();
        for (down, weights) in self.kernel.rows_southwards().zip(self.kernel.weights.chunks_exact(side)) {
            add_weighted(self.tile.row(row, down, col..col + 1, self.kernel.radius), weights, &mut sums);
        }
        (sums.heights.iter().sum::<f64>() / sums.weights.iter().sum::<f64>()) as f32
    }

    fn nearest(&self, row: usize, col: usize, (above, below): (&[u16], &[u16])) -> f32 {
        let Fill { radius, ratio, south_up, .. } = *self.kernel;
        let width = self.tile.cols() + 2 * radius;
        let (mut best, mut place) = ((radius * radius) as f64, None);
        for step in 0..=radius {
            let across = (step * step) as f64;
            if across > best || (across == best && place.is_some()) {
                break;
            }
            for side in [radius - step, radius + step] {
                let at = row * width + col + side;
                for (rows, southwards) in [(above[at], false), (below[at], true)] {
                    let down = f64::from(rows) * ratio;
                    let distance = across + down * down;
                    if usize::from(rows) <= radius && (distance < best || (distance == best && place.is_none())) {
                        let rows = rows as isize;
                        let down = if southwards == south_up { -rows } else { rows };
                        (best, place) = (distance, Some((down, side)));
                    }
                }
            }
        }
        place.map_or(f32::NAN, |(down, side)| self.tile.row(row, down, col..col + 1, radius)[side])
    }

    fn between(&self, row: usize, col: usize) -> f32 {
        let radius = self.kernel.radius;
        let cells = self.tile.row(row, 0, col..col + 1, radius);
        let before = (1..=radius).find(|step| !cells[radius - step].is_nan());
        let after = (1..=radius).find(|step| !cells[radius + step].is_nan());
        let heights = |before: usize, after: usize| {
            (f64::from(cells[radius - before]), f64::from(cells[radius + after]))
        };
        match (before, after) {
            (Some(before), Some(after)) => {
                let (left, right) = heights(before, after);
                (left + (right - left) * (before as f64 / (before + after) as f64)) as f32
            }
            (Some(before), None) => cells[radius - before],
            (None, Some(after)) => cells[radius + after],
            (None, None) => f32::NAN,
        }
    }
}

/// Lanes of the weighted sums: added up in the same order for every cell.
const LANES: usize = 16;

#[derive(Default)]
struct Sums {
    heights: [f64; LANES],
    weights: [f64; LANES],
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn add_weighted(cells: &[f32], weights: &[f64], sums: &mut Sums) {
    let mut add = |lane: usize, cell: f32, weight: f64| {
        let weight = if cell.is_nan() { 0.0 } else { weight };
        let height = if cell.is_nan() { 0.0 } else { f64::from(cell) };
        sums.heights[lane] += height * weight;
        sums.weights[lane] += weight;
    };
    let (blocks, rest) = cells.as_chunks::<LANES>();
    let (weight_blocks, weight_rest) = weights.as_chunks::<LANES>();
    for (cells, weights) in blocks.iter().zip(weight_blocks) {
        for lane in 0..LANES {
            add(lane, cells[lane], weights[lane]);
        }
    }
    for (lane, (cell, weight)) in rest.iter().zip(weight_rest).enumerate() {
        add(lane, *cell, *weight);
    }
}

/// Numbers of valid cells above and to the left, for a tile with its margin.
struct ValidCells {
    counts: Vec<u32>,
    stride: usize,
    side: usize,
}

impl ValidCells {
    fn new(tile: Tile<'_>, radius: usize) -> Self {
        let (rows, cols) = (tile.rows() + 2 * radius, tile.cols() + 2 * radius);
        let stride = cols + 1;
        let mut counts = vec![0; (rows + 1) * stride];
        for row in 0..rows {
            let cells = tile.row(0, row as isize - radius as isize, 0..tile.cols(), radius);
            let (above, below) = counts[row * stride..][..2 * stride].split_at_mut(stride);
            let mut valid = 0;
            for ((cell, above), below) in cells.iter().zip(&above[1..]).zip(&mut below[1..]) {
                valid += u32::from(!cell.is_nan());
                *below = above + valid;
            }
        }
        Self { counts, stride, side: 2 * radius + 1 }
    }

    /// No valid cell stands in the square around a cell of the tile.
    fn is_empty(&self, row: usize, col: usize) -> bool {
        let (top, bottom) = (row * self.stride + col, (row + self.side) * self.stride + col);
        let corner = |place: usize| self.counts[place];
        corner(bottom + self.side) + corner(top) == corner(bottom) + corner(top + self.side)
    }
}

/// Rows from every cell of the tile, side margins included, to the nearest valid cell of its column towards the north
/// (-1) or the south (1); more than the radius where there is none.
fn distances(tile: Tile<'_>, kernel: &Fill, towards: isize) -> Vec<u16> {
    let (rows, radius) = (tile.rows() as isize, kernel.radius as isize);
    let width = tile.cols() + 2 * kernel.radius;
    let none = kernel.radius as u16 + 1;
    let mut result = vec![none; tile.rows() * width];
    let mut away = vec![none; width];
    // From beyond the margin towards the tile and through it.
    let from_first_row = (towards < 0) != kernel.south_up;
    for step in 0..rows + radius {
        let row = if from_first_row { step - radius } else { rows - 1 + radius - step };
        let cells = tile.row(0, row, 0..tile.cols(), kernel.radius);
        for (away, cell) in away.iter_mut().zip(cells) {
            *away = if cell.is_nan() { (*away + 1).min(none) } else { 0 };
        }
        if (0..rows).contains(&row) {
            result[row as usize * width..][..width].copy_from_slice(&away);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tile::Window;
    use ndarray::{Array2, ArrayView2};

    fn filled(cells: ArrayView2<'_, f32>, changes: &[(&str, &str)], grid: &Grid) -> Array2<f32> {
        let mut values = Values::defaults(Params::specs());
        changes.iter().for_each(|(name, value)| values.set(name, value).unwrap());
        let kernel = (OPERATION.build)(&values, grid, Compatibility::None).unwrap();
        let (rows, cols) = cells.dim();
        let radius = kernel.radius();
        let mut padded = Array2::from_elem((rows + 2 * radius, cols + 2 * radius), f32::NAN);
        padded.slice_mut(ndarray::s![radius..radius + rows, radius..radius + cols]).assign(&cells);
        let window = Window { row: radius, col: radius, rows, cols };
        let mut on = kernel.on(Tile::new(padded.view(), window).unwrap());
        let mut out = Array2::zeros((rows, cols));
        for row in 0..rows {
            on.row(row, 0..cols, out.slice_mut(ndarray::s![row..=row, ..]));
        }
        out
    }

    const SQUARE: Grid = Grid { cell_width: 1.0, cell_height: 1.0, south_up: false };
    const GAP: f32 = f32::NAN;

    #[test]
    fn inverse_distances_by_hand() {
        let cells = ndarray::arr2(&[[1.0, 2.0, GAP], [4.0, GAP, GAP], [GAP, GAP, 10.0]]);
        let power_one = filled(cells.view(), &[("radius", "1"), ("power", "1")], &SQUARE);
        let diagonal = 1.0 / 2_f32.sqrt();
        let expected = (1.0 * diagonal + 2.0 + 4.0 + 10.0 * diagonal) / (2.0 * diagonal + 2.0);
        assert!((power_one[[1, 1]] - expected).abs() < 1e-6);
        assert_eq!((power_one[[0, 0]], power_one[[0, 2]], power_one[[2, 0]]), (1.0, 2.0, 4.0));
        let plain_mean = filled(cells.view(), &[("radius", "2"), ("power", "0")], &SQUARE);
        assert_eq!(plain_mean[[1, 1]], 4.25);
    }

    #[test]
    fn the_nearest_cell_by_hand() {
        let cells = ndarray::arr2(&[
            [1.0, GAP, GAP, GAP, 2.0],
            [GAP, GAP, GAP, GAP, GAP],
            [GAP, GAP, GAP, GAP, GAP],
            [3.0, GAP, GAP, GAP, GAP],
        ]);
        let result = filled(cells.view(), &[("method", "nearest"), ("radius", "2")], &SQUARE);
        assert_eq!(result.row(0).to_vec()[..4], [1.0, 1.0, 1.0, 2.0]);
        assert_eq!((result[[1, 0]], result[[2, 0]], result[[2, 4]]), (1.0, 3.0, 2.0));
        assert!(result[[3, 3]].is_nan() && result[[1, 2]].is_nan());
        // Rows that lie three cells' widths apart are farther than columns.
        let tall = Grid { cell_height: 3.0, ..SQUARE };
        let result = filled(cells.view(), &[("method", "nearest"), ("radius", "4")], &tall);
        assert_eq!(result[[3, 3]], 3.0);
    }

    #[test]
    fn lines_along_the_row_by_hand() {
        let cells = ndarray::arr2(&[[GAP, 1.0, GAP, GAP, 4.0, GAP, GAP, GAP]]);
        let result = filled(cells.view(), &[("method", "linear_row"), ("radius", "2")], &SQUARE);
        assert_eq!(result.row(0).to_vec()[..7], [1.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0]);
        assert!(result[[0, 7]].is_nan());
    }

    #[test]
    fn rasters_with_south_up_are_filled_alike() {
        let hills = |row: usize, col: usize| if (row * 7 + col * 5).is_multiple_of(4) { (row * 31 + col * 17) as f32 } else { GAP };
        let cells = Array2::from_shape_fn((12, 11), |(row, col)| hills(row, col));
        let turned = Array2::from_shape_fn((12, 11), |(row, col)| hills(11 - row, col));
        let south_up = Grid { south_up: true, ..SQUARE };
        for method in ["idw", "nearest", "linear_row"] {
            let changes = [("method", method), ("radius", "3")];
            let expected = filled(cells.view(), &changes, &SQUARE);
            let result = filled(turned.view(), &changes, &south_up);
            for ((row, col), value) in expected.indexed_iter() {
                assert_eq!(value.to_bits(), result[[11 - row, col]].to_bits(), "{method} {row} {col}");
            }
        }
    }
}
