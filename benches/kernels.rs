//! Kernels on one thread, array to array: 4000 x 4000 cells, no files.
//!
//! Most names are the modes of `near_limit.cpp` beside this file, hand-vectorised C++ without nodata, tiles or dispatch:
//! what the machine can do. `scripts/bench.sh` runs both in turn and prints the ratios. `mstp` has no counterpart.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use ndarray::{Array2, ArrayViewMut2};
use std::convert::Infallible;
use std::hint::black_box;
use terralume::core::grid::Grid;
use terralume::core::tile::{TileBuffers, Window};
use terralume::pipeline::io::Cells;
use terralume::recipe::chain::{CellType, Chain, ChainOptions};
use terralume::Recipe;

const SIDE: usize = 4000;

const WHOLE: Window = Window { row: 0, col: 0, rows: SIDE, cols: SIDE };

/// Two layers that share one horizon search; the blend on top is cheap.
const SKY_AND_OPENNESS: &str = r#"{"terralume_recipe": 1, "layers": [
    {"operation": "sky_view_factor", "min": 0, "max": 1, "opacity": 50},
    {"operation": "openness_positive", "min": 0, "max": 180}]}"#;

/// Names and recipes.
const MODES: &[(&str, &str, CellType)] = &[
    ("svf", "sky_view_factor", CellType::Float32),
    ("opns", "openness_positive", CellType::Float32),
    ("svfopns", SKY_AND_OPENNESS, CellType::Float32),
    ("slope", "slope", CellType::Float32),
    ("hs", "hillshade", CellType::Float32),
    ("mhs16", "multi_hillshade", CellType::Float32),
    ("vat", "vat-combined", CellType::Uint8),
    ("mstp", "mstp", CellType::Float32),
];

fn surface() -> Array2<f32> {
    Array2::from_shape_fn((SIDE, SIDE), |(row, col)| {
        let (x, y) = (col as f32, row as f32);
        300.0 + 10.0 * (x * 0.02).sin() * (y * 0.03).cos() + (x * 0.7 + y * 0.3).sin()
    })
}

fn load(chain: &Chain, heights: &Array2<f32>) -> TileBuffers {
    let mut buffers = chain.new_tile_buffers();
    let read = |_: Window, mut out: ArrayViewMut2<'_, f32>| -> Result<(), Infallible> {
        out.assign(heights);
        Ok(())
    };
    let Ok(()) = buffers.load(WHOLE, (SIDE, SIDE), read);
    buffers
}

fn kernels(criterion: &mut Criterion) {
    let heights = surface();
    let mut group = criterion.benchmark_group("kernels");
    group.throughput(Throughput::Elements((SIDE * SIDE) as u64)).sample_size(10);
    for (mode, recipe, cell_type) in MODES {
        let recipe = Recipe::parse(recipe).expect("a valid recipe");
        let options = ChainOptions { cell_type: *cell_type, ..Default::default() };
        let chain = Chain::new(&recipe, &Grid::square(1.0), options).expect("square cells");
        let buffers = load(&chain, &heights);
        let mut registers = chain.new_registers();
        let mut cells = Cells::new(*cell_type);
        group.bench_function(BenchmarkId::from_parameter(mode), |bencher| {
            bencher.iter(|| {
                let mut out = cells.view_mut(chain.bands().len(), WHOLE);
                let tile = |edge| buffers.tile(edge);
                chain.run(tile, &mut registers, &mut out, &|| true).expect("nothing cancels");
            });
            black_box(&cells);
        });
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
