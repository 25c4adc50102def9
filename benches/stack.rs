//! Arithmetic of stacks on one thread, on rows in the cache: cells or values a second.
//!
//! Seen once, on a shared machine with AVX-512, in millions a second; ratios count. NDVI in a plain loop of 64-bit floats
//! 1640, as an expression 1230, as an expression from 16-bit cells to 32-bit ones 820. Values of 48 layers: mean 4050,
//! deviation 1880, minimum 3830, median 590 (390 with values of 64 bits), mode 440.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use std::hint::black_box;
use terralume::stack::cells::{read_row, Encoding, NodataValue};
use terralume::stack::expression::{parse, NoDataRule};
use terralume::stack::mask::{Mask, Outside};
use terralume::stack::reduce::{Grouping, Layers, ReducePlan, Statistic};
use terralume::stack::statistics::Moments;
use terralume::stack::ROW;

/// Rows of whole numbers from 1 to 10000.
fn bands(count: usize, cells: usize) -> Vec<Vec<u16>> {
    let mut seed = 12345_u32;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        (seed % 10_000) as u16 + 1
    };
    (0..count).map(|_| (0..cells).map(|_| next()).collect()).collect()
}

fn floats(band: &[u16]) -> Vec<f64> {
    band.iter().map(|cell| f64::from(*cell)).collect()
}

fn plain_ndvi(red: &[f64], nir: &[f64], out: &mut [f64]) {
    for ((out, red), nir) in out.iter_mut().zip(red).zip(nir) {
        *out = (nir - red) / (nir + red);
    }
}

fn expressions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("expression");
    group.throughput(Throughput::Elements(ROW as u64));
    let names = ["blue", "red", "nir"];
    let cells = bands(3, ROW);
    let rows: Vec<Vec<f64>> = cells.iter().map(|band| floats(band)).collect();
    let mut out = vec![0.0; ROW];
    group.bench_function("ndvi as a plain loop", |bencher| {
        bencher.iter(|| plain_ndvi(black_box(&rows[1]), black_box(&rows[2]), black_box(&mut out)));
    });
    for (name, text) in [
        ("ndvi", "ndvi()"),
        ("evi", "evi()"),
        ("clip", "clamp(ndvi(), 0, 1) * 0.5"),
        ("choice", "red in (8, 9) || blue > 5000 ? nodata : nir"),
        ("power", "red ^ 1.5"),
    ] {
        let parsed = parse(text).expect("an expression");
        let program = parsed.compile(&names, NoDataRule::Strict).expect("known names");
        let inputs: Vec<f64> = program.inputs().iter().flat_map(|input| rows[*input].clone()).collect();
        let mut scratch = program.scratch();
        group.bench_function(name, |bencher| {
            bencher.iter(|| program.run(ROW, black_box(&inputs), &mut scratch, black_box(&mut out)));
        });
    }
    let program = parse("ndvi()").and_then(|parsed| parsed.compile(&names, NoDataRule::Strict));
    let program = program.expect("known names");
    let (mut scratch, mut inputs) = (program.scratch(), vec![0.0; 2 * ROW]);
    let encoding = Encoding::<f32>::new(NodataValue::Usual).expect("NaN");
    let mut written = vec![0.0_f32; ROW];
    group.bench_function("ndvi from 16-bit cells to 32-bit floats", |bencher| {
        bencher.iter(|| {
            for (row, input) in inputs.chunks_exact_mut(ROW).zip(program.inputs()) {
                read_row(black_box(&cells[*input]), Some(0.0), row);
            }
            program.run(ROW, &inputs, &mut scratch, &mut out);
            encoding.write_row(&out, black_box(&mut written))
        });
    });
    let mask = Mask::parse("red: bits 0|3|4", &names).expect("a mask");
    let (mut scratch, mut masked) = (mask.scratch(), vec![0; ROW]);
    group.bench_function("mask of bits", |bencher| {
        bencher
            .iter(|| mask.row(ROW, black_box(&rows[1]), &mut scratch, Outside::Mask, black_box(&mut masked)));
    });
    group.bench_function("exact moments", |bencher| {
        let mut moments = Moments::new();
        let fractions: Vec<f64> = rows[0].iter().map(|cell| f64::from((cell * 1e-4) as f32)).collect();
        bencher.iter(|| moments.row(black_box(&fractions)));
    });
    group.finish();
}

fn reductions(criterion: &mut Criterion) {
    const LAYERS: usize = 48;
    const CELLS: usize = 16 * ROW;
    let mut group = criterion.benchmark_group("reduction");
    group.throughput(Throughput::Elements((LAYERS * CELLS) as u64));
    // A seventh of all cells has no data.
    let gap = |cell: &u16| if cell.is_multiple_of(7) { f64::NAN } else { f64::from(f32::from(*cell) * 1e-4) };
    let layers: Vec<Vec<f64>> =
        bands(LAYERS, CELLS).iter().map(|band| band.iter().map(gap).collect()).collect();
    let dates: Vec<i64> = (0..LAYERS as i64).map(|day| day * 86_400).collect();
    let groups = Grouping::All.of(&dates, None).expect("one group");
    for name in ["mean", "std", "min", "which_max", "mean,std,min,max", "median", "median,p10,p90", "mode"] {
        let statistics = Statistic::parse_list(name).expect("statistics");
        let plan = ReducePlan::new(&statistics, Layers { dates: &dates, groups: &groups, weights: None }, 1);
        let plan = plan.expect("a plan");
        for single in [true, false] {
            let (mut state, mut scratch) = (plan.state(CELLS, single), plan.scratch());
            let mut rows = vec![0.0; plan.statistics() * ROW];
            let values = if single { "values of 32 bits" } else { "values of 64 bits" };
            group.bench_function(BenchmarkId::new(name, values), |bencher| {
                bencher.iter(|| {
                    state.reset();
                    for (layer, row) in layers.iter().enumerate() {
                        state.feed(layer, 0, black_box(row));
                    }
                    for first in (0..CELLS).step_by(ROW) {
                        state.finish(0, first, ROW, black_box(&mut rows), &mut scratch);
                    }
                });
            });
            if !statistics.iter().any(|statistic| statistic.keeps_values()) {
                break;
            }
        }
    }
    group.finish();
}

criterion_group!(benches, expressions, reductions);
criterion_main!(benches);
