//! Tests of `deviation.rs` with numbers by hand and against sums in plain loops.

use super::super::window_row::quantum_bits;
use super::*;
use crate::core::tile::{TileBuffers, Window};
use ndarray::{array, s, Array2, Array3};

/// A kernel's result over a raster, cut into tiles of `side`, row by row.
fn run(kernel: &Deviation, cells: &Array2<f32>, side: usize) -> Array3<f32> {
    let by_rows = |on_tile: &mut dyn TileKernel, mut out: ArrayViewMut3<'_, f32>| {
        let (_, rows, cols) = out.dim();
        for row in 0..rows {
            on_tile.row(row, 0..cols, out.slice_mut(s![.., row, ..]));
        }
    };
    run_with(kernel, cells, side, by_rows)
}

/// The same, with what is done on every tile.
fn run_with(
    kernel: &Deviation,
    cells: &Array2<f32>,
    side: usize,
    fill: impl Fn(&mut dyn TileKernel, ArrayViewMut3<'_, f32>),
) -> Array3<f32> {
    let (rows, cols) = cells.dim();
    let mut result = Array3::zeros((kernel.bands(), rows, cols));
    let mut buffers = TileBuffers::new(&[kernel.edge()], kernel.radius());
    for row in (0..rows).step_by(side) {
        for col in (0..cols).step_by(side) {
            let window = Window { row, col, rows: side.min(rows - row), cols: side.min(cols - col) };
            let read = |real: Window, mut out: ArrayViewMut2<'_, f32>| -> Result<()> {
                let Window { row, col, rows, cols } = real;
                out.assign(&cells.slice(s![row..row + rows, col..col + cols]));
                Ok(())
            };
            buffers.load(window, (rows, cols), read).unwrap();
            let mut on_tile = kernel.on(buffers.tile(0));
            fill(&mut *on_tile, result.slice_mut(s![.., row..row + window.rows, col..col + window.cols]));
        }
    }
    result
}

/// Deviation of one cell over one radius, two passes in 64 bits.
fn slow(cells: &Array2<f32>, (row, col): (usize, usize), radius: usize, exaggeration: f64) -> f64 {
    let reach = radius as isize;
    let mut heights = Vec::new();
    for down in -reach..=reach {
        for across in -reach..=reach {
            let from_row = Edge::Symmetric.source(row as isize + down, cells.nrows());
            let from_col = Edge::Symmetric.source(col as isize + across, cells.ncols());
            heights.push(f64::from(cells[[from_row, from_col]]));
        }
    }
    heights.retain(|height| !height.is_nan());
    let count = heights.len() as f64;
    let mean = heights.iter().sum::<f64>() / count;
    let variance = heights.iter().map(|height| (height - mean).powi(2)).sum::<f64>() / count;
    (f64::from(cells[[row, col]]) - mean) * exaggeration / (variance.sqrt() * exaggeration.abs() + 1e-6)
}

fn kernel(scale: Scale) -> Deviation {
    Deviation::new(vec![scale], Shown::Signed, 1.0, Compatibility::None)
}

/// Largest amount over a scale's radii.
fn slow_scale(cells: &Array2<f32>, place: (usize, usize), scale: Scale, exaggeration: f64) -> f64 {
    let radii = (scale.min..=scale.max).step_by(scale.step);
    let found = radii.map(|radius| slow(cells, place, radius, exaggeration));
    found.fold(0.0, |best, found| if found.abs() > best.abs() { found } else { best })
}

/// Compares every cell with plain sums, and tiles with the whole, bit by bit.
fn check(cells: &Array2<f32>, scale: Scale, exaggeration: f64, allowed: f64) {
    let made = Deviation::new(vec![scale], Shown::Signed, exaggeration, Compatibility::None);
    let whole = run(&made, cells, usize::MAX >> 1);
    for ((_, row, col), ours) in whole.indexed_iter() {
        let expected = slow_scale(cells, (row, col), scale, exaggeration);
        let close = (f64::from(*ours) - expected).abs() <= allowed * expected.abs().max(1.0);
        assert!(
            close || (ours.is_nan() && cells[[row, col]].is_nan()),
            "{scale:?}, row {row}, column {col}: {ours} instead of {expected}"
        );
    }
    for side in [1, 7, 16] {
        let tiled = run(&made, cells, side);
        let same = whole.iter().zip(&tiled).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "tiles of {side} give other bits, {scale:?}");
    }
}

/// Uneven numbers in 0..1 from a cell's place.
fn noise(row: usize, col: usize) -> f64 {
    ((row * 7919 + col * 104_729 + row * col * 31) % 1009) as f64 / 1009.0
}

fn with_holes(mut cells: Array2<f32>) -> Array2<f32> {
    cells.slice_mut(s![4..9, 10..17]).fill(f32::NAN);
    for place in [[0, 0], [1, 7], [12, 3], [6, 13]] {
        cells[place] = if place == [6, 13] { 3.0 } else { f32::NAN };
    }
    cells
}

#[test]
fn one_peak_by_hand() {
    // Nine cells, one of height 9: mean 1, variance 81/9 - 1 = 8, deviation 8/sqrt(8).
    let mut cells = Array2::zeros((3, 3));
    cells[[1, 1]] = 9.0;
    let found = run(&kernel(Scale::single(1)), &cells, 3);
    assert!((f64::from(found[[0, 1, 1]]) - 8.0_f64.sqrt()).abs() < 2e-6, "{found}");
    // From a corner the edges are seen twice: 0, 0, 0, 0, 0, 0, 0, 0 and the peak once. Deviation -1/sqrt(8).
    assert!((f64::from(found[[0, 0, 0]]) + 1.0 / 8.0_f64.sqrt()).abs() < 1e-6, "{found}");
    let light = Deviation::new(vec![Scale::single(1)], Shown::Light(0.9), 1.0, Compatibility::None);
    let expected = 1.0 - (-0.9 * 8.0_f64.sqrt()).exp();
    assert!((f64::from(run(&light, &cells, 3)[[0, 1, 1]]) - expected).abs() < 1e-6);
}

#[test]
fn level_ground_has_no_deviation_and_a_lone_cell_none_either() {
    let mut cells = Array2::from_elem((9, 9), 123.456_f32);
    assert!(run(&kernel(Scale::single(3)), &cells, 4).iter().all(|value| *value == 0.0));
    cells.fill(f32::NAN);
    cells[[4, 4]] = 7.0;
    let found = run(&kernel(Scale::single(2)), &cells, 4);
    assert_eq!(found[[0, 4, 4]], 0.0);
    assert_eq!(found.iter().filter(|value| value.is_nan()).count(), 80);
}

#[test]
fn holes_and_edges_agree_with_plain_sums() {
    let cells =
        Array2::from_shape_fn((19, 23), |(row, col)| (40.0 + 9.0 * noise(row, col) + row as f64) as f32);
    for scale in [Scale::single(1), Scale::single(40), Scale { min: 1, max: 9, step: 2 }] {
        check(&cells, scale, 1.0, 2e-5);
        check(&with_holes(cells.clone()), scale, 1.0, 2e-5);
        check(&with_holes(cells.clone()), scale, -2.5, 2e-5);
    }
}

/// 1 cm of relief at 3,000 m, where squares in 32 bits are multiples of a metre.
#[test]
fn centimetres_at_three_thousand_metres_stay() {
    let cells = Array2::from_shape_fn((19, 23), |(row, col)| (3000.0 + 0.01 * noise(row, col)) as f32);
    check(&cells, Scale { min: 1, max: 5, step: 1 }, 1.0, 2e-5);
    check(&with_holes(cells), Scale { min: 5, max: 50, step: 45 }, 1.0, 2e-3);
}

/// Relief so high that squares in quanta do not fit 64 bits: an ocean trench beside a summit, and far more.
#[test]
fn sums_that_wrap_are_put_right() {
    for span in [600.0, 20_000.0, 1_000_000.0] {
        let step =
            |(row, col): (usize, usize)| if col > 11 { span * 0.5 } else { -span * 0.5 } + noise(row, col);
        let cells = Array2::from_shape_fn((19, 23), |place| step(place) as f32);
        for scale in [Scale::single(2), Scale { min: 5, max: 150, step: 145 }] {
            check(&cells, scale, 1.0, 5e-5);
            check(&with_holes(cells.clone()), scale, 1.0, 5e-5);
        }
    }
}

/// One tile needs the third table, its neighbour does not: windows they share must not differ.
#[test]
fn a_distant_cliff_changes_no_bit() {
    let low = Array2::from_shape_fn((40, 200), |(row, col)| (200.0 * noise(row, col)) as f32);
    let mut high = low.clone();
    high.slice_mut(s![.., 150..]).fill(9000.0);
    let scale = Scale { min: 10, max: 60, step: 25 };
    let (low, high) = (run(&kernel(scale), &low, 512), run(&kernel(scale), &high, 512));
    let kept = s![.., .., ..90];
    assert!(low.slice(kept).iter().zip(high.slice(kept)).all(|(a, b)| a.to_bits() == b.to_bits()));
}

/// Scales that read the same tables give what each gives alone.
#[test]
fn scales_do_not_disturb_each_other() {
    let cells = Array2::from_shape_fn((19, 23), |(row, col)| (40.0 + 9.0 * noise(row, col)) as f32);
    let scales =
        [Scale::single(60), Scale::single(3), Scale { min: 5, max: 30, step: 5 }, Scale::single(400)];
    for compatibility in [Compatibility::None, Compatibility::Rvt] {
        let made = |scales: Vec<Scale>| Deviation::new(scales, Shown::Signed, 1.0, compatibility);
        let together = run(&made(scales.to_vec()), &with_holes(cells.clone()), 16);
        for (band, scale) in scales.into_iter().enumerate() {
            let alone = run(&made(vec![scale]), &with_holes(cells.clone()), 16);
            let pairs = alone.iter().zip(together.index_axis(ndarray::Axis(0), band));
            assert!({ pairs }.all(|(a, b)| a.to_bits() == b.to_bits()), "{scale:?}, {compatibility:?}");
        }
    }
}

#[test]
fn heights_too_large_to_count_are_missing() {
    let mut cells = Array2::from_shape_fn((9, 9), |(row, col)| noise(row, col) as f32);
    let mut holes = cells.clone();
    (cells[[4, 4]], holes[[4, 4]]) = (f32::MAX, f32::NAN);
    let (ours, expected) =
        (run(&kernel(Scale::single(2)), &cells, 9), run(&kernel(Scale::single(2)), &holes, 9));
    assert!(ours.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()));
}

/// More rows than the tables hold: they slide down. More columns than are computed together.
#[test]
fn tall_and_wide_tiles_have_no_seams() {
    let ground = |(row, col): (usize, usize)| (40.0 + 9.0 * noise(row, col) + 0.1 * row as f64) as f32;
    let tall = with_holes(Array2::from_shape_fn((230, 19), ground));
    check(&tall, Scale { min: 1, max: 5, step: 2 }, 1.0, 2e-5);
    check(&tall, Scale { min: 10, max: 40, step: 30 }, 1.0, 2e-5);
    let wide = Array2::from_shape_fn((3, BLOCK + 50), ground);
    check(&with_holes(Array2::from_shape_fn((13, BLOCK + 50), ground)), Scale::single(2), 1.0, 2e-5);
    check(&wide, Scale { min: 1, max: 4, step: 1 }, 1.0, 2e-5);
}

/// A tile written at once is the same as its rows, into memory of its own or between other cells.
#[test]
fn a_whole_tile_equals_its_rows() {
    let cells = with_holes(Array2::from_shape_fn((19, 23), |(row, col)| noise(row, col) as f32));
    let scales = vec![Scale { min: 2, max: 8, step: 3 }, Scale::single(1)];
    for shown in [Shown::Signed, Shown::Light(0.9)] {
        let made = Deviation::new(scales.clone(), shown, 2.0, Compatibility::None);
        let whole = |on_tile: &mut dyn TileKernel, mut out: ArrayViewMut3<'_, f32>| {
            assert!(on_tile.whole(&mut out));
        };
        for side in [7, 32] {
            let (at_once, by_rows) = (run_with(&made, &cells, side, whole), run(&made, &cells, side));
            assert!(at_once.iter().zip(&by_rows).all(|(a, b)| a.to_bits() == b.to_bits()), "{shown:?}");
        }
    }
}

/// Just below the relief that needs a third table, squares fill 64 bits without a sign.
#[test]
fn a_sum_of_squares_may_fill_64_bits() {
    let mut cells = Array2::from_elem((19, 23), 265.0_f32);
    cells[[9, 11]] = 0.0;
    let mut buffers = TileBuffers::new(&[Edge::Symmetric], 60);
    let read = |_: Window, mut out: ArrayViewMut2<'_, f32>| -> Result<()> {
        out.assign(&cells);
        Ok(())
    };
    buffers.load(Window { row: 0, col: 0, rows: 19, cols: 23 }, (19, 23), read).unwrap();
    let ground = Ground::around(buffers.tile(0), 60);
    assert!(!ground.is_tall(60), "one table of squares is enough");
    let quanta = 265.0 * f64::from(1_u32 << quantum_bits(60));
    assert!(quanta * quanta * window_cells(60) as f64 > 1.5 * 2_f64.powi(63), "and nearly full");
    check(&cells, Scale::single(60), 1.0, 2e-5);
}

/// A cell that stands out by far from a wide window: the square of its height all but cancels.
#[test]
fn a_spike_keeps_its_digits() {
    for height in [3.0, 10_000.0, 1_000_000.0] {
        let mut cells = Array2::from_shape_fn((61, 61), |(row, col)| (0.01 * noise(row, col)) as f32);
        cells[[30, 30]] = height;
        let found = f64::from(run(&kernel(Scale::single(30)), &cells, 61)[[0, 30, 30]]);
        let expected = slow(&cells, (30, 30), 30, 1.0);
        // One among 3721: the square root of 3720.
        assert!((expected - 3720_f64.sqrt()).abs() < 0.2, "{expected}");
        assert!((found / expected - 1.0).abs() < 1e-6, "{height}: {found} instead of {expected}");
    }
}

/// Mean -1 and variance 8 over radius 1, mean 1 and variance 8 over radius 2: the cell is as far above as below.
#[test]
fn the_smaller_radius_wins_a_tie() {
    let cells = array![
        [4.0_f32, 4.0, 4.0, 4.0, 3.0],
        [3.0, -9.0, 0.0, 0.0, 3.0],
        [3.0, 0.0, 0.0, 0.0, 3.0],
        [3.0, 0.0, 0.0, 0.0, 3.0],
        [-3.0, 2.0, -2.0, 0.0, 0.0]
    ];
    let found = |scale| run(&kernel(scale), &cells, 5)[[0, 2, 2]];
    let (near, far) = (found(Scale::single(1)), found(Scale::single(2)));
    assert_eq!((near, far), (-far, -near));
    assert!((f64::from(near) - 1.0 / 8.0_f64.sqrt()).abs() < 1e-6, "{near}");
    assert_eq!(found(Scale { min: 1, max: 2, step: 1 }), near);
}

/// RVT's squares by hand: 4097^2 is 16785409, in 32 bits 16785408.
#[test]
fn under_rvt_squares_are_rounded() {
    let cells = array![[4097.0_f32, 4096.0, 4096.0], [4096.0, 4096.0, 4096.0], [4096.0, 4096.0, 4096.0]];
    let rvt = Deviation::new(vec![Scale::single(1)], Shown::Signed, 1.0, Compatibility::Rvt);
    // About 4096: mean 1/9; variance 1/9 - 1/81, less a ninth that the rounding takes: |-1/81|, deviation -1.
    let found = f64::from(run(&rvt, &cells, 3)[[0, 1, 1]]);
    assert!((found + 1.0).abs() < 2e-5, "{found}");
    let exact = f64::from(run(&kernel(Scale::single(1)), &cells, 3)[[0, 1, 1]]);
    assert!((exact + 1.0 / 8.0_f64.sqrt()).abs() < 2e-6, "{exact}");
}

#[test]
fn scales_that_contradict_themselves_are_refused() {
    let grid = Grid::square(1.0);
    let scale = |radii: [f64; 3]| Scale::new("meso", radii.map(Length::Cells), &grid);
    assert_eq!(scale([5.0, 50.0, 7.0]).unwrap(), Scale { min: 5, max: 47, step: 7 });
    assert_eq!(scale([5.0, 5.0, 7.0]).unwrap(), Scale { min: 5, max: 5, step: 7 });
    for radii in [[6.0, 5.0, 1.0], [5.0, 8.0, 4.0]] {
        let text = scale(radii).expect_err("a contradiction").to_string();
        assert!(text.contains("meso_min") && text.contains("allowed"), "{text}");
    }
}
