//! A centimetre of relief at 3,000 m: plain loops in double precision say what must be left of it.

mod common;

use common::files::{path_text, read_raster, translate, write_raw};
use common::{compute, recipe, rough, with_holes};
use ndarray::{Array2, Array3, Axis};
use std::f64::consts::TAU;
use std::sync::atomic::AtomicBool;
use terralume::core::grid::Grid;
use terralume::{Input, Job, JobOptions, Recipe};

/// No power of two: heights divided by it first would be rounded.
const CELL: f64 = 0.7;

const RADIUS: isize = 12;

/// Means take heights in whole 2^-20 m, about a micrometre.
const METRES: f64 = 1e-6;

/// Deviations take heights in whole 2^-17 m, eight micrometres: half of that against a standard deviation of about two
/// millimetres (less where it is level) in windows of 25 cells.
const DEVIATIONS: f64 = 6e-3;

/// And of about a fifth of a millimetre in windows of 3 cells.
const COLOURS: f64 = 2e-2;

/// The tolerance against RVT's own numbers.
const DEGREES: f64 = 1e-3;

/// Heights from 3,000 m, a centimetre from the lowest to the highest, with holes.
fn ground() -> Array2<f64> {
    let cells = with_holes(rough(70, 83));
    let valid = || cells.iter().filter(|cell| !cell.is_nan());
    let lowest = valid().copied().fold(f32::INFINITY, f32::min);
    let highest = valid().copied().fold(f32::NEG_INFINITY, f32::max);
    cells.mapv(|cell| 3000.0 + 1.0 / 3.0 + 0.01 * f64::from(cell - lowest) / f64::from(highest - lowest))
}

/// Where a rule for what lies outside finds the cell of an index.
type Edge = fn(isize, isize) -> isize;

fn repeated(index: isize, length: isize) -> isize {
    index.clamp(0, length - 1)
}

/// A mirror at the outer side of the edge cells.
fn mirrored_outside(index: isize, length: isize) -> isize {
    let folded = index.rem_euclid(2 * length);
    folded.min(2 * length - 1 - folded)
}

/// A mirror in the middle of the edge cells.
fn mirrored_inside(index: isize, length: isize) -> isize {
    let folded = index.rem_euclid(2 * (length - 1));
    folded.min(2 * (length - 1) - folded)
}

fn at(cells: &Array2<f64>, row: isize, col: isize, edge: Edge) -> f64 {
    let (rows, cols) = cells.dim();
    cells[[edge(row, rows as isize) as usize, edge(col, cols as isize) as usize]]
}

/// Mean and standard deviation of the valid cells in a square around a cell.
fn window(cells: &Array2<f64>, (row, col): (usize, usize), radius: isize, edge: Edge) -> (f64, f64) {
    let places = (-radius..=radius).flat_map(|down| (-radius..=radius).map(move |right| (down, right)));
    let heights = places.map(|(down, right)| at(cells, row as isize + down, col as isize + right, edge));
    let valid: Vec<f64> = heights.filter(|height| !height.is_nan()).collect();
    let count = valid.len() as f64;
    let mean = valid.iter().sum::<f64>() / count;
    let variance = valid.iter().map(|height| (height - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

fn local_relief(cells: &Array2<f64>, place: (usize, usize)) -> f64 {
    cells[place] - window(cells, place, RADIUS, repeated).0
}

fn deviation(cells: &Array2<f64>, place: (usize, usize), radius: isize) -> f64 {
    let (mean, deviation) = window(cells, place, radius, mirrored_outside);
    (cells[place] - mean) / (deviation + 1e-6)
}

/// The colour of a scale: what stands out at the radius where it does so most.
fn scale(cells: &Array2<f64>, place: (usize, usize), radii: &[isize]) -> f64 {
    let largest = radii.iter().map(|radius| deviation(cells, place, *radius).abs()).fold(0.0, f64::max);
    1.0 - (-0.9 * largest).exp()
}

/// Mean zenith angle of the horizon in 16 directions, as far as 10 cells.
fn openness(cells: &Array2<f64>, (row, col): (usize, usize)) -> f64 {
    let horizon = |direction: usize| {
        let angle = TAU / 16.0 * direction as f64;
        let mut steepest = f64::NEG_INFINITY;
        for third in 3..=30 {
            let reach = f64::from(third) / 3.0;
            let down = -(reach * angle.cos()).round_ties_even();
            let right = -(reach * angle.sin()).round_ties_even();
            let height =
                at(cells, row as isize + down as isize, col as isize + right as isize, mirrored_inside);
            steepest = steepest.max((height - cells[[row, col]]) / CELL / down.hypot(right));
        }
        // Nothing in sight is as good as open.
        if steepest.is_finite() { steepest } else { -1000.0 }.atan().to_degrees()
    };
    90.0 - (0..16).map(horizon).sum::<f64>() / 16.0
}

/// A recipe, what its bands must be, and how exactly.
struct Case {
    recipe: Recipe,
    bands: Vec<Array2<f64>>,
    tolerance: f64,
}

fn cases(cells: &Array2<f64>) -> Vec<Case> {
    let band = |value: &dyn Fn((usize, usize)) -> f64| {
        Array2::from_shape_fn(
            cells.dim(),
            |place| if cells[place].is_nan() { f64::NAN } else { value(place) },
        )
    };
    let radius = RADIUS.to_string();
    let scales = [
        ("local_max", "3"),
        ("meso_min", "4"),
        ("meso_max", "10"),
        ("meso_step", "3"),
        ("broad_min", "12"),
        ("broad_max", "20"),
        ("broad_step", "8"),
    ];
    let colours = [&[12, 20][..], &[4, 7, 10], &[1, 2, 3]];
    vec![
        Case {
            recipe: recipe("local_relief", &[("radius", &radius)]),
            bands: vec![band(&|place| local_relief(cells, place))],
            tolerance: METRES,
        },
        Case {
            recipe: recipe("elevation_deviation", &[("radius", &radius)]),
            bands: vec![band(&|place| deviation(cells, place, RADIUS))],
            tolerance: DEVIATIONS,
        },
        Case {
            recipe: recipe("multi_scale_topographic_position", &scales),
            bands: colours.iter().map(|radii| band(&|place| scale(cells, place, radii))).collect(),
            tolerance: COLOURS,
        },
        Case {
            recipe: recipe("openness_positive", &[]),
            bands: vec![band(&|place| openness(cells, place))],
            tolerance: DEGREES,
        },
    ]
}

/// How far a result is off at most.
fn worst(ours: &Array3<f64>, theirs: &[Array2<f64>], what: &str) -> f64 {
    assert_eq!(ours.dim().0, theirs.len(), "{what}");
    let mut worst = 0.0_f64;
    for (ours, theirs) in ours.axis_iter(Axis(0)).zip(theirs) {
        for ((place, ours), theirs) in ours.indexed_iter().zip(theirs) {
            assert_eq!(ours.is_nan(), theirs.is_nan(), "{what}, {place:?}: {ours} {theirs}");
            worst = worst.max((ours - theirs).abs());
        }
    }
    worst
}

/// Relief that is flattened to nothing would agree with a tolerance wider than it is.
fn check_contrast(case: &Case) {
    for band in &case.bands {
        let valid = || band.iter().copied().filter(|value| !value.is_nan());
        let span = valid().fold(f64::NEG_INFINITY, f64::max) - valid().fold(f64::INFINITY, f64::min);
        assert!(span > 20.0 * case.tolerance, "{}: only {span} of contrast", case.recipe.name);
    }
}

/// A job on a file of 64-bit numbers, in tiles.
fn run_file(recipe: &Recipe, cells: &Array2<f64>) -> Array3<f64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stored = cells.mapv(|cell| if cell.is_nan() { -9999.0 } else { cell });
    let raw = write_raw(folder.path(), "raw", &stored, CELL);
    let input = translate(&raw, "in.tif", &["-ot", "Float64", "-a_nodata", "-9999"]);
    let output = folder.path().join("out.tif");
    let options = JobOptions { tile_size: Some(50), threads: Some(2), ..JobOptions::default() };
    let input = Input::Path(path_text(&input).into());
    let job = Job::new(recipe.clone(), input, path_text(&output).into(), options);
    job.run(&mut |_, _| true, &AtomicBool::new(false)).expect("well formed");
    read_raster(&output)
}

fn run_array(recipe: &Recipe, cells: &Array2<f32>) -> Array3<f64> {
    compute(recipe, &Grid::square(CELL), cells).mapv(f64::from)
}

#[test]
fn a_file_of_64_bit_numbers_keeps_its_relief() {
    let cells = ground();
    for case in cases(&cells) {
        check_contrast(&case);
        let name = &case.recipe.name;
        let off = worst(&run_file(&case.recipe, &cells), &case.bands, name);
        assert!(off <= case.tolerance, "{name} is {off} off");
        // Heights narrowed to 32 bits as they stand have lost it.
        let narrow = worst(&run_array(&case.recipe, &cells.mapv(|cell| cell as f32)), &case.bands, name);
        assert!(
            narrow > 2.0 * case.tolerance,
            "{name}, narrowed, is only {narrow} off: the test proves nothing"
        );
    }
}

/// What 32-bit numbers hold of it, a quarter of a millimetre, no more is lost.
#[test]
fn an_array_of_32_bit_numbers_loses_no_more() {
    let cells = ground().mapv(|cell| cell as f32);
    for case in cases(&cells.mapv(f64::from)) {
        check_contrast(&case);
        let off = worst(&run_array(&case.recipe, &cells), &case.bands, &case.recipe.name);
        assert!(off <= case.tolerance, "{} is {off} off", case.recipe.name);
    }
}
