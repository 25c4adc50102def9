//! Coarser grids of a tile and the horizon seen in them.
//!
//! A coarse cell `k` is half the highest of rows (and columns) `2k - 1` and `2k`, counted from the raster's northwestern
//! corner: the same cells for every tile. Halved heights in cells of twice the size keep their slopes. Missing cells, and
//! all beyond the raster, are left out. Going down, tangents are interpolated between coarse cells.

use super::sky_ground::RvtGround;
use super::sky_light::Sight;
use super::sky_scan::{coarser_row, finer_row, raise_tangents, Plan};
use super::sky_search::{Reach, SkySearch};
use crate::core::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// A rectangle of cells of one level; rows are counted from the north.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    row: isize,
    col: isize,
    rows: usize,
    cols: usize,
}

impl Area {
    /// Coarser cells between which the cells of this area lie.
    fn coarser(self) -> Area {
        let halve = |first: isize, count: usize| {
            let half = first.div_euclid(2);
            (half, ((first + count as isize).div_euclid(2) - half + 1) as usize)
        };
        let ((row, rows), (col, cols)) = (halve(self.row, self.rows), halve(self.col, self.cols));
        Area { row, col, rows, cols }
    }

    /// Finer cells that make up the cells of this area.
    fn finer(self) -> Area {
        Area { row: 2 * self.row - 1, col: 2 * self.col - 1, rows: 2 * self.rows, cols: 2 * self.cols }
    }

    fn grown(self, by: Reach) -> Area {
        Area {
            row: self.row - by.up as isize,
            col: self.col - by.left as isize,
            rows: self.rows + by.up + by.down,
            cols: self.cols + by.left + by.right,
        }
    }

    /// The smallest area that holds both.
    fn with(self, other: Area) -> Area {
        let span = |a: isize, a_count: usize, b: isize, b_count: usize| {
            let first = a.min(b);
            (first, ((a + a_count as isize).max(b + b_count as isize) - first) as usize)
        };
        let (row, rows) = span(self.row, self.rows, other.row, other.rows);
        let (col, cols) = span(self.col, self.cols, other.col, other.cols);
        Area { row, col, rows, cols }
    }

    fn cells(self) -> usize {
        self.rows * self.cols
    }

    /// Rows from this area's first to `other`'s, and columns.
    fn offset(self, other: Area) -> (usize, usize) {
        ((other.row - self.row) as usize, (other.col - self.col) as usize)
    }
}

/// What is needed of every level but the finest, for a tile.
struct Extents {
    /// Where horizons are needed.
    horizons: Vec<Area>,
    /// Where heights are needed.
    heights: Vec<Area>,
}

impl Extents {
    fn new(search: &SkySearch, tile: Area) -> Extents {
        let mut finer = tile;
        let mut horizons = Vec::new();
        for _ in 1..search.reaches().len() {
            finer = finer.coarser();
            horizons.push(finer);
        }
        let searched = horizons.iter().zip(&search.reaches()[1..]);
        let mut heights: Vec<Area> = searched.map(|(area, reach)| area.grown(*reach)).collect();
        for level in (1..heights.len()).rev() {
            heights[level - 1] = heights[level - 1].with(heights[level].finer());
        }
        Extents { horizons, heights }
    }
}

/// Cells of one level, row by row.
struct Level {
    area: Area,
    heights: Vec<f32>,
}

impl Level {
    fn drop_before_first(&mut self) {
        let before = |first: isize, count: usize| (-first).clamp(0, count as isize) as usize;
        let rows = before(self.area.row, self.area.rows);
        let cols = before(self.area.col, self.area.cols);
        for (index, row) in self.heights.chunks_exact_mut(self.area.cols).enumerate() {
            row[..if index < rows { self.area.cols } else { cols }].fill(f32::NAN);
        }
    }
}

/// Highest tangents in one level: for every row all slots, for every slot the cells of the row.
struct Horizons {
    area: Area,
    tangents: Vec<f32>,
}

impl Horizons {
    /// All slots of a row, which is counted from the north.
    fn row(&self, row: isize, slots: usize) -> &[f32] {
        let length = slots * self.area.cols;
        let start = (row - self.area.row) as usize * length;
        &self.tangents[start..start + length]
    }

    /// Tangents between the cells of this level, for `width` finer cells from `col` of `row` on.
    fn finer(&self, (row, col): (isize, isize), slots: usize, between: &mut [f32], to: (&mut [f32], usize)) {
        let above = row.div_euclid(2);
        let rows = (self.row(above, slots), self.row(above + row.rem_euclid(2), slots));
        let first = (col.div_euclid(2) - self.area.col) as usize;
        finer_row(rows, (self.area.cols, first), col.rem_euclid(2) == 1, between, to);
    }
}

/// A tile with what coarser levels see from it.
pub struct Pyramid<'a> {
    search: &'a SkySearch,
    tile: Tile<'a>,
    /// Heights of the finest level, where the tile's array stands or as RVT sees them.
    heights: Cow<'a, [f32]>,
    /// The tile among the raster's cells, rows counted from the north.
    area: Area,
    plan: Plan,
    coarser: Option<Horizons>,
    tangents: Vec<f32>,
    between: Vec<f32>,
}

impl<'a> Pyramid<'a> {
    /// Searches all levels but the finest. `rvt` tells how RVT sees the ground, when its numbers are wanted.
    pub fn new(search: &'a SkySearch, tile: Tile<'a>, rvt: Option<&RvtGround>) -> Self {
        let area = tile_area(&tile, search.heights().south_up);
        let (heights, coarser) = match rvt {
            None => (Cow::Borrowed(tile.flat()), coarser_horizons(search, (&tile, tile.flat()), area)),
            Some(ground) => {
                let (heights, wrapped) = ground.heights(&tile);
                (Cow::Owned(heights), coarser_horizons(search, (&tile, &wrapped), area))
            }
        };
        let plan = Plan::new(&search.rays(0), tile.stride(), search.heights().scale);
        let (tangents, between) = (vec![0.0; search.slots() * area.cols], vec![0.0; area.cols / 2 + 2]);
        Self { search, tile, heights, area, plan, coarser, tangents, between }
    }

    /// Tangents that coarser levels see from `columns` of a row of the tile.
    fn see(&mut self, row: usize, columns: &Range<usize>) {
        let tangents = &mut self.tangents[..self.search.slots() * columns.len()];
        let Some(coarser) = &self.coarser else { return tangents.fill(0.0) };
        let down = if self.search.heights().south_up { self.area.rows - 1 - row } else { row };
        let place = (self.area.row + down as isize, self.area.col + columns.start as isize);
        coarser.finer(place, self.search.slots(), &mut self.between, (tangents, columns.len()));
    }

    /// What the finest level needs for `columns` of a row of the tile.
    pub fn sight(&mut self, row: usize, columns: &Range<usize>) -> (&Plan, Sight<'_>) {
        self.see(row, columns);
        let tangents = &self.tangents[..self.search.slots() * columns.len()];
        let first = self.tile.row_start(row) + columns.start;
        let (heights, slopes) = (&*self.heights, self.tile.flat());
        let sight = Sight { heights, slopes, stride: self.tile.stride(), first, tangents };
        (&self.plan, sight)
    }

    /// The highest tangents from `columns` of a row of the tile, a row for every slot.
    pub fn horizon(&mut self, row: usize, columns: &Range<usize>) -> &[f32] {
        self.see(row, columns);
        let tangents = &mut self.tangents[..self.search.slots() * columns.len()];
        let first = self.tile.row_start(row) + columns.start;
        raise_tangents(&self.plan, &self.heights, first, columns.len(), tangents);
        tangents
    }
}

/// Bytes of a pyramid for a tile of this size, at the least favourable place; RVT's ground takes two copies of the tile.
pub fn memory(search: &SkySearch, rows: usize, cols: usize, rvt: bool) -> usize {
    let margins = 2 * search.radius();
    let copies = if rvt { 2 * (rows + margins) * (cols + margins) } else { 0 };
    let extents = Extents::new(search, Area { row: 1, col: 1, rows: rows + 1, cols: cols + 1 });
    let heights: usize = extents.heights.iter().map(|area| area.cells()).sum();
    // While a level is searched, the one before is still there.
    let horizons: usize = extents.horizons.iter().take(2).map(|area| area.cells()).sum();
    4 * (copies + heights + search.slots() * (horizons + cols))
}

fn tile_area(tile: &Tile<'_>, south_up: bool) -> Area {
    let (row, col) = tile.origin();
    let row = if south_up { tile.raster_rows() - row - tile.rows() } else { row };
    Area { row: row as isize, col: col as isize, rows: tile.rows(), cols: tile.cols() }
}

/// Horizons of the level above the finest, if there is one.
fn coarser_horizons(search: &SkySearch, tile: (&Tile<'_>, &[f32]), area: Area) -> Option<Horizons> {
    let extents = Extents::new(search, area);
    let mut levels: Vec<Level> = Vec::new();
    for heights in &extents.heights {
        levels.push(match levels.last() {
            None => above_tile(search, tile, area, *heights),
            Some(finer) => above_level(finer, *heights),
        });
    }
    // What stands before the first row and column serves coarser grids only; nobody looks at it.
    levels.iter_mut().for_each(Level::drop_before_first);
    let mut seen = None;
    while let Some(level) = levels.pop() {
        let number = levels.len() + 1;
        seen = Some(horizons(search, number, &level, extents.horizons[number - 1], seen.as_ref()));
    }
    seen
}

/// The first level above the raster's cells.
fn above_tile(search: &SkySearch, (tile, cells): (&Tile<'_>, &[f32]), at: Area, area: Area) -> Level {
    let (needed, stride) = (area.finer(), tile.stride() as isize);
    let heights = search.heights();
    let flat = |row: isize| {
        let down = row - at.row;
        let down = if heights.south_up { at.rows as isize - 1 - down } else { down };
        let start = tile.row_start(0) as isize + down * stride + (needed.col - at.col);
        &cells[start as usize..start as usize + needed.cols]
    };
    let sign = if heights.scale < 0.0 { -1.0 } else { 1.0 };
    let floor = if heights.clipped { 0.0 } else { f32::NEG_INFINITY };
    let mut heights_above = vec![0.0; area.cells()];
    for (index, out) in heights_above.chunks_exact_mut(area.cols).enumerate() {
        let row = needed.row + 2 * index as isize;
        coarser_row(flat(row), flat(row + 1), sign, floor, out);
    }
    Level { area, heights: heights_above }
}

/// The next level above `finer`.
fn above_level(finer: &Level, area: Area) -> Level {
    let needed = area.finer();
    let (first_row, first_col) = finer.area.offset(needed);
    let flat = |row: usize| {
        let start = (first_row + row) * finer.area.cols + first_col;
        &finer.heights[start..start + needed.cols]
    };
    let mut cells = vec![0.0; area.cells()];
    for (index, out) in cells.chunks_exact_mut(area.cols).enumerate() {
        coarser_row(flat(2 * index), flat(2 * index + 1), 1.0, f32::NEG_INFINITY, out);
    }
    Level { area, heights: cells }
}

/// Searches a level in `area`, above what the next coarser one saw.
fn horizons(
    search: &SkySearch,
    number: usize,
    level: &Level,
    area: Area,
    coarser: Option<&Horizons>,
) -> Horizons {
    let slots = search.slots();
    let plan = Plan::new(&search.rays(number), level.area.cols, search.heights().scale.abs());
    let mut tangents = vec![0.0; slots * area.cells()];
    let mut between = vec![0.0; area.cols / 2 + 2];
    let (first_row, first_col) = level.area.offset(area);
    for (index, row) in tangents.chunks_exact_mut(slots * area.cols).enumerate() {
        if let Some(coarser) = coarser {
            let place = (area.row + index as isize, area.col);
            coarser.finer(place, slots, &mut between, (row, area.cols));
        }
        let first = (first_row + index) * level.area.cols + first_col;
        raise_tangents(&plan, &level.heights, first, area.cols, row);
    }
    Horizons { area, tangents }
}
