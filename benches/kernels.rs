//! Kernels on one thread, array to array: 4000 x 4000 cells, no files; and blending alone, on rows in the cache.
//!
//! Most names are the modes of `near_limit.cpp` beside this file, hand-vectorised C++ without nodata, tiles or dispatch:
//! what the machine can do. `scripts/bench.sh` runs both in turn and prints the ratios. `mstp` has no counterpart.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use ndarray::{Array2, ArrayViewMut2};
use std::hint::black_box;
use terralume::core::grid::Grid;
use terralume::core::operation::Compatibility;
use terralume::core::tile::Window;
use terralume::pipeline::io::Cells;
use terralume::recipe::chain::{CellType, Chain, ChainOptions, ChainTiles};
use terralume::render::blend::{stretch_row, Background, Blend, Mode, Top};
use terralume::render::color_map::ColorMap;
use terralume::render::color_ramp::RampFile;
use terralume::render::stretch::LinearStretch;
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

fn load(chain: &Chain, heights: &Array2<f32>) -> ChainTiles {
    let mut tiles = chain.new_tile_buffers();
    let read = |_: usize, _: Window, mut out: ArrayViewMut2<'_, f32>| {
        out.assign(heights);
        Ok(())
    };
    tiles.load(chain, WHOLE, (SIDE, SIDE), &|| true, read).expect("arrays do not fail");
    tiles
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

/// Columns of a row that stays in the cache.
const COLUMNS: usize = 1000;

fn values(shift: usize) -> Vec<f32> {
    (0..COLUMNS).map(|col| ((col * 7 + shift) % 256) as f32).collect()
}

/// Pictures of four layers with the modes of the preset `vat`: cells per second are those of the picture.
fn blends(criterion: &mut Criterion) {
    let layers = [0, 50, 100, 150].map(values);
    let stretch = LinearStretch::new((10.0, 240.0), false);
    let modes = [(Mode::Luminosity, 0.5), (Mode::Overlay, 0.5), (Mode::Multiply, 0.25)];
    let blends = modes.map(|(mode, opacity)| Blend::new(mode, opacity, Compatibility::None));
    let mut group = criterion.benchmark_group("blend");
    group.throughput(Throughput::Elements(COLUMNS as u64));
    let mut picture = [0, 1, 2].map(values);
    group.bench_function("blend4", |bencher| {
        let picture = &mut picture[0];
        bencher.iter(|| {
            stretch_row(black_box(&layers[0]), stretch, picture);
            for (blend, top) in blends.iter().zip(&layers[1..]) {
                blend.row(Top::Grey(black_box(top)), stretch, Background::Grey(picture));
            }
            black_box(&mut *picture);
        });
    });
    group.bench_function("blend4 in colour", |bencher| {
        let [red, green, blue] = &mut picture;
        bencher.iter(|| {
            for row in [&mut *red, &mut *green, &mut *blue] {
                stretch_row(black_box(&layers[0]), stretch, row);
            }
            for (blend, top) in blends.iter().zip(&layers[1..]) {
                blend.row(Top::Rgb([black_box(top); 3]), stretch, Background::Rgb([red, green, blue]));
            }
            black_box([&mut *red, &mut *green, &mut *blue]);
        });
    });
    for (name, mode) in Mode::ALL {
        let blend = Blend::new(mode, 0.5, Compatibility::None);
        let [red, green, blue] = &mut picture;
        group.bench_function(BenchmarkId::new("a grey layer over colour", name), |bencher| {
            bencher.iter(|| {
                // A fresh background each time: laid on itself again and again, it would end in denormal numbers.
                for (row, layer) in [&mut *red, &mut *green, &mut *blue].into_iter().zip(&layers[1..]) {
                    stretch_row(black_box(layer), stretch, row);
                }
                blend.row(Top::Grey(black_box(&layers[0])), stretch, Background::Rgb([red, green, blue]));
                black_box([&mut *red, &mut *green, &mut *blue]);
            });
        });
    }
    let map = ColorMap::named("OrRd", Some((0.0, 1.0))).expect("a map");
    let file =
        RampFile::parse("0 black\n50 brown\n100 orange\n150 yellow\n255 white").expect("a colour file");
    let ramp = file.ramp(None).expect("no percentages");
    let [red, green, blue] = &mut picture;
    group.bench_function("colour map", |bencher| {
        bencher.iter(|| {
            map.row(black_box(&layers[0]), stretch, [red, green, blue]);
            black_box([&mut *red, &mut *green, &mut *blue]);
        });
    });
    group.bench_function("colours of a file", |bencher| {
        bencher.iter(|| {
            ramp.row(black_box(&layers[0]), [red, green, blue]);
            black_box([&mut *red, &mut *green, &mut *blue]);
        });
    });
    group.finish();
}

criterion_group!(benches, kernels, blends);
criterion_main!(benches);
