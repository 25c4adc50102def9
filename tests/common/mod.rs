//! What the integration tests share: rasters in memory, runs through the pipeline, files through GDAL's own tools.
#![allow(dead_code, reason = "every test binary uses its own part")]

pub mod files;
pub mod goldens;
pub mod variants;

use ndarray::{s, Array2, Array3, ArrayView3, ArrayViewMut2};
use std::sync::atomic::AtomicBool;
use std::sync::Mutex;
use terralume::core::grid::Grid;
use terralume::core::tile::Window;
use terralume::pipeline::io::{CellsRef, Layout, Reader, Sink, Source};
use terralume::pipeline::plan::{Plan, PlanOptions, SinkNeeds};
use terralume::pipeline::run::{run, Monitor};
use terralume::pipeline::survey;
use terralume::recipe::chain::{CellType, Chain, ChainOptions};
use terralume::{Compatibility, Recipe, Result};

/// Enough for every test.
pub const MEMORY: usize = 1 << 30;

/// A raster in memory that readers copy from.
pub struct ArraySource<'a> {
    pub cells: &'a Array2<f32>,
    pub block: (usize, usize),
}

impl Source for ArraySource<'_> {
    fn layout(&self) -> Layout {
        layout(self.cells.dim(), self.block)
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(ArrayReader(self.cells)))
    }
}

struct ArrayReader<'a>(&'a Array2<f32>);

impl Reader for ArrayReader<'_> {
    fn read(&mut self, window: Window, mut out: ArrayViewMut2<'_, f32>) -> Result<()> {
        let Window { row, col, rows, cols } = window;
        out.assign(&self.0.slice(s![row..row + rows, col..col + cols]));
        Ok(())
    }
}

/// Output of a run: bands x rows x columns.
#[derive(Debug, Clone)]
pub enum Output {
    Float32(Array3<f32>),
    Uint8(Array3<u8>),
}

impl Output {
    pub fn new(cell_type: CellType, size: (usize, usize, usize)) -> Self {
        match cell_type {
            CellType::Float32 => Output::Float32(Array3::from_elem(size, -12345.0)),
            CellType::Uint8 => Output::Uint8(Array3::from_elem(size, 77)),
        }
    }

    /// Every bit of every cell: NaN counts as well.
    pub fn bits(&self) -> Vec<u32> {
        match self {
            Output::Float32(cells) => cells.iter().map(|cell| cell.to_bits()).collect(),
            Output::Uint8(cells) => cells.iter().map(|cell| u32::from(*cell)).collect(),
        }
    }

    pub fn floats(self) -> Array3<f32> {
        match self {
            Output::Float32(cells) => cells,
            Output::Uint8(_) => panic!("this run gives bytes"),
        }
    }

    pub fn bytes(self) -> Array3<u8> {
        match self {
            Output::Uint8(cells) => cells,
            Output::Float32(_) => panic!("this run gives floats"),
        }
    }
}

/// Collects tiles; checks that they come in file order and once.
pub struct ArraySink {
    pub output: Output,
    size: (usize, usize),
    last: Mutex<Option<(usize, usize)>>,
}

impl ArraySink {
    pub fn new(chain: &Chain, size: (usize, usize)) -> Self {
        let cells = (chain.bands().len(), size.0, size.1);
        Self { output: Output::new(chain.cell_type(), cells), size, last: Mutex::new(None) }
    }
}

impl Sink for ArraySink {
    fn layout(&self) -> Layout {
        layout(self.size, (16, 16))
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        let place = (window.row, window.col);
        let last = self.last.get_mut().expect("never poisoned").replace(place);
        assert!(last < Some(place), "tile {place:?} was written after {last:?}");
        let rows = window.row..window.row + window.rows;
        let cols = window.col..window.col + window.cols;
        match (&mut self.output, cells) {
            (Output::Float32(to), CellsRef::Float32(from)) => {
                let size = (to.dim().0, window.rows, window.cols);
                let from = ArrayView3::from_shape(size, from).expect("a tile of this size");
                to.slice_mut(s![.., rows, cols]).assign(&from);
            }
            (Output::Uint8(to), CellsRef::Uint8(from)) => {
                let size = (to.dim().0, window.rows, window.cols);
                let from = ArrayView3::from_shape(size, from).expect("a tile of this size");
                to.slice_mut(s![.., rows, cols]).assign(&from);
            }
            _ => panic!("cells are of another type than the chain's"),
        }
        Ok(())
    }
}

fn layout((rows, cols): (usize, usize), (block_rows, block_cols): (usize, usize)) -> Layout {
    Layout { rows, cols, block_rows: block_rows.min(rows), block_cols: block_cols.min(cols) }
}

/// How a raster is divided.
#[derive(Debug, Clone, Copy)]
pub struct Division {
    /// Side of a tile; None: the whole raster.
    pub tile: Option<usize>,
    pub threads: usize,
}

/// One tile, one thread.
pub const WHOLE: Division = Division { tile: None, threads: 1 };

pub fn chain(recipe: &Recipe, grid: &Grid, options: ChainOptions) -> Result<Chain> {
    Chain::new(recipe, grid, options)
}

/// Tiles of several sizes and the whole raster, by several threads.
pub fn divisions() -> impl Iterator<Item = Division> {
    let tiles = [Some(17), Some(64), Some(100), None];
    tiles.into_iter().flat_map(|tile| [1, 2, 5].map(|threads| Division { tile, threads }))
}

/// Runs a chain over a raster in memory through the pipeline.
pub fn run_chain(chain: &Chain, cells: &Array2<f32>, division: Division) -> Result<Output> {
    run_and_find(chain, cells, division).map(|(output, _)| output)
}

/// Ends of a stretch that were found: layer, values shown as black and white.
pub type Found = (String, f64, f64);

/// The same, and what was found in the whole raster.
pub fn run_and_find(chain: &Chain, cells: &Array2<f32>, division: Division) -> Result<(Output, Vec<Found>)> {
    let (rows, cols) = cells.dim();
    chain.check_raster(rows, cols)?;
    let source = ArraySource { cells, block: (32, 48) };
    let mut sink = ArraySink::new(chain, cells.dim());
    let tile_size = Some(division.tile.unwrap_or(rows.max(cols)));
    let options = PlanOptions {
        threads: division.threads,
        memory: MEMORY,
        tile_size,
        reader: 0,
        sink: SinkNeeds::default(),
    };
    let plan = Plan::new(chain, source.layout(), sink.layout(), options)?;
    let mut monitor = Monitor { report: &mut |_| true, cancel: &AtomicBool::new(false) };
    let mut own = chain.again()?;
    survey::settle(&mut own, &plan, &[&source], &mut monitor, None)?;
    run(&own, &plan, &[&source], &mut sink, &mut monitor, None)?;
    Ok((sink.output, own.found().to_vec()))
}

/// Values of a recipe over a whole raster under default options.
pub fn compute(recipe: &Recipe, grid: &Grid, cells: &Array2<f32>) -> Array3<f32> {
    compute_with(recipe, grid, cells, ChainOptions::default()).floats()
}

pub fn compute_with(recipe: &Recipe, grid: &Grid, cells: &Array2<f32>, options: ChainOptions) -> Output {
    let made = chain(recipe, grid, options).and_then(|chain| run_chain(&chain, cells, WHOLE));
    made.unwrap_or_else(|error| panic!("{}: {error}", recipe.name))
}

pub fn rvt(cell_type: CellType) -> ChainOptions {
    ChainOptions { cell_type, compatibility: Compatibility::Rvt, stretch: None, alpha: false }
}

pub fn uint8() -> ChainOptions {
    ChainOptions { cell_type: CellType::Uint8, ..ChainOptions::default() }
}

/// A recipe with overrides.
pub fn recipe(name: &str, overrides: &[(&str, &str)]) -> Recipe {
    let mut recipe = Recipe::parse(name).unwrap_or_else(|error| panic!("{error}"));
    for (key, value) in overrides {
        recipe.set(key, value).unwrap_or_else(|error| panic!("{name}, {key} = {value}: {error}"));
    }
    recipe
}

/// A whole number from a cell's place, evenly spread: noise without a generator's state.
pub fn noise(row: usize, col: usize) -> u64 {
    let mut x = (row as u64) << 32 ^ col as u64 ^ 0x9E37_79B9_7F4A_7C15;
    for factor in [0xBF58_476D_1CE4_E5B9_u64, 0x94D0_49BB_1331_11EB] {
        x = (x ^ (x >> 30)).wrapping_mul(factor);
    }
    x ^ (x >> 31)
}

/// Rough ground: waves, noise and a wall, in steps of 1/256 m between about -40 and 40 m.
pub fn rough(rows: usize, cols: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, cols), |(row, col)| {
        let (y, x) = (row as f64, col as f64);
        let waves = 9.0 * (x / 7.0).sin() + 6.0 * (y / 11.0 + x / 23.0).cos();
        let wall = if (20..24).contains(&(col % 50)) { 12.0 } else { 0.0 };
        let bumps = (noise(row, col) % 1024) as f64 / 256.0;
        ((waves + wall + bumps) * 256.0).round() as f32 / 256.0
    })
}

/// Makes holes: corners, a piece of every edge, single cells, a lake with an island, a diagonal.
pub fn with_holes(mut cells: Array2<f32>) -> Array2<f32> {
    let (rows, cols) = cells.dim();
    for (row, col) in [(0, 0), (0, cols - 1), (rows - 1, 0), (rows - 1, cols - 1), (rows / 3, cols / 4)] {
        cells[[row, col]] = f32::NAN;
    }
    let (middle_row, middle_col) = (rows / 2, cols / 2);
    cells.slice_mut(s![0..2, middle_col..middle_col + 5]).fill(f32::NAN);
    cells.slice_mut(s![middle_row..middle_row + 6, cols - 1..]).fill(f32::NAN);
    cells.slice_mut(s![rows - 3.., 3..9]).fill(f32::NAN);
    cells.slice_mut(s![rows / 4..rows / 4 + 4, 0]).fill(f32::NAN);
    let island = cells[[middle_row + 3, middle_col + 3]];
    cells.slice_mut(s![middle_row - 3..middle_row + 9, middle_col - 3..middle_col + 9]).fill(f32::NAN);
    cells[[middle_row + 3, middle_col + 3]] = island;
    for step in 0..rows.min(cols) / 6 {
        cells[[rows - 8 - step, cols / 5 + step]] = f32::NAN;
    }
    cells
}

/// Cells of a result whose neighbours all exist.
pub fn inner<T: Clone>(cells: &Array2<T>) -> Array2<T> {
    let (last_row, last_col) = (cells.nrows() - 1, cells.ncols() - 1);
    cells.slice(s![1..last_row, 1..last_col]).to_owned()
}
