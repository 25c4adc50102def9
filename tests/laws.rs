//! Laws that hold for every operation and preset because of what they are, whatever their formula.
//!
//! Recipes come from the registry (`common/variants.rs`): a new operation is tested by being listed.

mod common;

use common::files::{data, read_elevations, real_ground_with_holes};
use common::variants::{all, changed, defaults, Variant};
use common::{
    chain, compute, compute_with, recipe, rough, run_chain, rvt, uint8, with_holes, Division, WHOLE,
};
use ndarray::{s, Array2, Array3, Axis};
use terralume::core::grid::Grid;
use terralume::core::stretch::Stretch;
use terralume::recipe::array::{self, ArrayShape, Margins};
use terralume::recipe::chain::{CellType, CellsMut, Chain, ChainOptions};
use terralume::recipe::Layer;
use terralume::{registry, Error, Recipe};

const SQUARE: Grid = Grid { cell_width: 1.0, cell_height: 1.0, south_up: false };

/// Sides of tiles; None is the whole raster.
const TILES: [Option<usize>; 4] = [Some(64), Some(100), Some(512), None];
const THREADS: [usize; 3] = [1, 2, 5];

/// Filling gives heights, also to missing cells; everything else is about their differences and keeps gaps.
fn fills(variant: &Variant) -> bool {
    variant.recipe.layers[0].name == "fill_nodata"
}

/// The same bits for every division of a raster.
fn check_seams(variant: &Variant, cells: &Array2<f32>, options: ChainOptions, divisions: &[Division]) {
    let made = chain(&variant.recipe, &SQUARE, options).expect("a variant is a valid recipe");
    let computed = |division| run_chain(&made, cells, division).expect("arrays do not fail").bits();
    let whole = computed(WHOLE);
    for division in divisions.iter().filter(|division| worthwhile(division, made.radius())) {
        let (label, size) = (&variant.label, cells.dim());
        // Not assert_eq: a million cells would be printed.
        assert!(
            computed(*division) == whole,
            "{label}, {size:?}, {options:?}: {division:?} gives other bits"
        );
    }
}

/// Tiles that are nearly all margin take hundreds of times as long and show nothing that larger ones do not.
fn worthwhile(division: &Division, radius: usize) -> bool {
    division.tile.is_none_or(|side| (side + 2 * radius).pow(2) < 250 * side.pow(2))
}

fn every_division() -> Vec<Division> {
    let pairs = TILES.iter().flat_map(|tile| THREADS.iter().map(move |threads| (*tile, *threads)));
    pairs.map(|(tile, threads)| Division { tile, threads }).collect()
}

#[test]
fn tiles_and_threads_change_no_bit() {
    let cells = with_holes(read_elevations(&data("TM1_564_146.tif"), None).slice_move(s![..530, ..620]));
    for variant in defaults() {
        check_seams(&variant, &cells, ChainOptions::default(), &every_division());
        let rvt = rvt(CellType::Float32);
        check_seams(&variant, &cells, rvt, &[Division { tile: Some(100), threads: 2 }]);
        check_seams(&variant, &cells, uint8(), &every_division()[..6]);
    }
}

#[test]
fn tiles_and_threads_change_no_bit_whatever_the_parameters() {
    let cells = real_ground_with_holes();
    let divisions = [(Some(64), 2), (Some(100), 5), (Some(17), 1)];
    let divisions = divisions.map(|(tile, threads)| Division { tile, threads });
    for variant in changed() {
        check_seams(&variant, &cells, ChainOptions::default(), &divisions);
    }
}

/// Long rows are cut into blocks inside a tile: their seams count as well.
#[test]
fn long_rows_have_no_seams() {
    let cells = with_holes(rough(41, 2100));
    for variant in defaults() {
        for options in [ChainOptions::default(), uint8()] {
            check_seams(&variant, &cells, options, &[Division { tile: Some(100), threads: 2 }]);
        }
    }
}

/// The middle cell of a recipe's result, all bands; `cells` is a square.
fn middle(made: &Chain, cells: &Array2<f32>) -> Vec<u32> {
    let half = cells.nrows() / 2;
    let margins = Margins { top: half, bottom: half, left: half, right: half };
    let shape = ArrayShape { rows: 1, cols: 1, margins, row_stride: 0 };
    let mut result = Array3::zeros((made.bands().len(), 1, 1));
    let out = CellsMut::Float32(result.view_mut());
    array::run(made, cells.as_slice().expect("no gaps"), &shape, None, out).expect("arrays do not fail");
    bits(&result)
}

/// Row and column of a cell that lies beyond `radius` from the corner. Coarser grids are counted from the corner, and
/// what they read depends on the place: grids of 8 cells reach farthest from cells before a multiple of 8.
fn place_beyond(radius: usize) -> usize {
    (radius + 6).next_multiple_of(8) + 7
}

/// Only a missing cell looks around when gaps are filled.
fn with_middle(variant: &Variant, mut cells: Array2<f32>) -> Array2<f32> {
    let half = cells.nrows() / 2;
    if fills(variant) {
        cells[[half, half]] = f32::NAN;
    }
    cells
}

/// Pictures that depend on all cells read all of them; their kernels are tried by themselves.
#[test]
fn nothing_beyond_the_declared_radius_is_read() {
    for variant in all() {
        let made = chain(&variant.recipe, &SQUARE, ChainOptions::default()).expect("a valid recipe");
        if !made.is_settled() {
            continue;
        }
        let radius = made.radius();
        for half in (0..8).map(|shift| place_beyond(radius) - shift) {
            let cells = with_middle(&variant, rough(2 * half + 1, 2 * half + 1));
            let expected = middle(&made, &cells);
            for strange in [-4000.0, 4000.0, f32::NAN] {
                let mut spiked = cells.clone();
                for ((row, col), cell) in spiked.indexed_iter_mut() {
                    if row.abs_diff(half).max(col.abs_diff(half)) > radius {
                        *cell = strange;
                    }
                }
                let label = &variant.label;
                assert_eq!(middle(&made, &spiked), expected, "{label} reads beyond {radius} cells");
            }
        }
    }
}

/// A radius that is larger than what is read would cost time and memory on every tile.
#[test]
fn the_declared_radius_is_needed() {
    for variant in all() {
        let made = chain(&variant.recipe, &SQUARE, ChainOptions::default()).expect("a valid recipe");
        if !made.is_settled() {
            continue;
        }
        let radius = made.radius();
        let half = place_beyond(radius);
        // Not level: across the slope, a single cell beside level ground bends nothing. A gap looks past its neighbours
        // only where they are missing as well.
        let side = 2 * half + 1;
        let tilted = |(row, col): (usize, usize)| (row as f32 + 2.0 * col as f32) / 64.0;
        let ground = |place| if fills(&variant) { f32::NAN } else { tilted(place) };
        let mut cells = Array2::from_shape_fn((side, side), ground);
        let expected = middle(&made, &cells);
        let (first, last) = (half - radius, half + radius);
        let ring = (first..=last).flat_map(|i| [(first, i), (last, i), (i, first), (i, last)]);
        let mut matters = |place: (usize, usize), height: f32| {
            let before = std::mem::replace(&mut cells[place], height);
            let differs = middle(&made, &cells) != expected;
            cells[place] = before;
            differs
        };
        // High enough for a shadow at any distance.
        let found =
            radius == 0 || ring.into_iter().any(|place| matters(place, 50000.0) || matters(place, -50000.0));
        assert!(found, "{}: no cell at distance {radius} matters", variant.label);
    }
}

#[test]
fn missing_cells_are_missing_and_no_others() {
    for cells in [with_holes(rough(64, 71)), real_ground_with_holes()] {
        for variant in all() {
            let result = compute(&variant.recipe, &SQUARE, &cells);
            for ((band, row, col), value) in result.indexed_iter() {
                let missing = cells[[row, col]].is_nan();
                let label = &variant.label;
                assert!(
                    value.is_nan() == missing || (missing && fills(&variant)),
                    "{label}: band {band}, row {row}, column {col} is {value}"
                );
                assert!(!value.is_infinite(), "{label}: band {band}, row {row}, column {col}");
            }
        }
    }
}

#[test]
fn eight_bit_keeps_nodata_apart_and_rvt_writes_it_white() {
    let cells = with_holes(rough(64, 71));
    for variant in all().into_iter().filter(|variant| !fills(variant)) {
        let bytes = compute_with(&variant.recipe, &SQUARE, &cells, uint8()).bytes();
        let label = &variant.label;
        for ((_, row, col), byte) in bytes.indexed_iter() {
            assert_eq!(*byte == 0, cells[[row, col]].is_nan(), "{label}: row {row}, column {col} is {byte}");
        }
        let white = compute_with(&variant.recipe, &SQUARE, &cells, rvt(CellType::Uint8)).bytes();
        for ((_, row, col), white) in white.indexed_iter() {
            let missing = cells[[row, col]].is_nan();
            assert!(!missing || *white == 255, "{label}: row {row}, column {col} is {white} under rvt");
        }
    }
}

#[test]
fn a_raster_without_data_stays_without() {
    let cells = Array2::from_elem((45, 40), f32::NAN);
    for variant in all() {
        let result = compute(&variant.recipe, &SQUARE, &cells);
        assert!(result.iter().all(|value| value.is_nan()), "{}", variant.label);
    }
}

/// Heights in steps of 1/256 m below 64 m: with 1000 m added they are still exact.
#[test]
fn only_differences_of_height_count() {
    let cells = with_holes(rough(60, 66));
    let raised = cells.mapv(|cell| cell + 1000.0);
    assert!(cells.iter().zip(&raised).all(|(low, high)| low.is_nan() || high - 1000.0 == *low));
    for variant in all().into_iter().filter(|variant| !fills(variant)) {
        let (low, high) =
            (compute(&variant.recipe, &SQUARE, &cells), compute(&variant.recipe, &SQUARE, &raised));
        assert!(bits(&low) == bits(&high), "{} depends on the height above sea level", variant.label);
    }
}

fn bits(cells: &Array3<f32>) -> Vec<u32> {
    cells.iter().map(|cell| cell.to_bits()).collect()
}

#[test]
fn a_south_up_raster_gives_the_same_picture_upside_down() {
    let cells = with_holes(rough(60, 66));
    let mut flipped = cells.clone();
    flipped.invert_axis(Axis(0));
    let flipped = flipped.as_standard_layout().to_owned();
    let south_up = Grid { south_up: true, ..SQUARE };
    for variant in all() {
        let expected = compute(&variant.recipe, &SQUARE, &cells);
        let mut result = compute(&variant.recipe, &south_up, &flipped);
        result.invert_axis(Axis(1));
        assert!(bits(&result) == bits(&expected), "{}", variant.label);
    }
}

/// Either an operation is right on cells that are not square, or it says that it is not.
#[test]
fn oblong_cells_are_refused_by_name_or_respected() {
    let oblong = Grid { cell_width: 2.0, cell_height: 0.5, south_up: false };
    let cells = with_holes(rough(50, 50));
    for operation in registry::operations() {
        let recipe = Recipe::of_operation(operation);
        match chain(&recipe, &oblong, ChainOptions::default()) {
            Err(Error::Unsupported(text)) => assert!(text.contains(operation.id), "{text}"),
            Err(other) => panic!("{}: {other}", operation.id),
            Ok(made) => {
                let ours = run_chain(&made, &cells, WHOLE).expect("arrays do not fail").floats();
                let square = compute(&recipe, &Grid::square(2.0), &cells);
                assert!(bits(&ours) != bits(&square), "{} ignores the height of cells", operation.id);
            }
        }
    }
    for name in
        ["sky_view_factor", "anisotropic_sky_view_factor", "openness_positive", "openness_negative", "vat"]
    {
        assert!(chain(&recipe(name, &[]), &oblong, ChainOptions::default()).is_err(), "{name}");
    }
}

#[test]
fn a_radius_in_metres_is_the_same_as_in_cells() {
    let grid = Grid::square(0.5);
    // Rough ground, and a tower that is seen, and throws its shadow, as far as anything is looked for.
    let mut tower = rough(160, 160);
    tower[[8, 8]] = 50000.0;
    let grounds = [with_holes(rough(50, 50)), with_holes(tower)];
    let mut lengths = 0;
    for operation in registry::operations() {
        for spec in (operation.parameters)() {
            if spec.kind != terralume::core::params::Kind::Length {
                continue;
            }
            // The default suits the operation's other lengths, whatever they are.
            let default = spec.to_json(spec.default).as_f64().expect("lengths are cells by default");
            let cells_text = format!("{default}");
            let metres_text = format!("{}m", default / 2.0);
            let with = |value: &str| {
                let changed = recipe(operation.id, &[(spec.name, value)]);
                grounds.each_ref().map(|cells| bits(&compute(&changed, &grid, cells)))
            };
            let expected = with(&cells_text);
            assert!(with(&metres_text) == expected, "{} {}", operation.id, spec.name);
            // Twice as far: a cell more may lie between two steps.
            assert!(with(&format!("{default}m")) != expected, "{} {}", operation.id, spec.name);
            lengths += 1;
        }
    }
    assert!(lengths > 0);
}

/// Layers that can stand in a blend, stretched the same way: every operation of one band, all parameters tried.
fn blendable() -> Vec<(String, Layer)> {
    let stretch = Some(Stretch::values(0.0, 90.0));
    let layers = |variant: &Variant| variant.recipe.raw_operation().is_some() && !fills(variant);
    let operations = all().into_iter().filter(layers);
    let single = operations.filter(|variant| {
        let made = chain(&variant.recipe, &SQUARE, ChainOptions::default()).expect("a valid recipe");
        made.bands().len() == 1
    });
    single.map(|variant| (variant.label, Layer { stretch, ..variant.recipe.layers[0].clone() })).collect()
}

/// An opaque layer hides what lies below, which shares its passes all the same.
#[test]
fn sharing_a_pass_changes_no_bit() {
    let cells = with_holes(rough(60, 66));
    let layers = blendable();
    let picture = |layers: Vec<Layer>| Recipe { layers, ..recipe("vat", &[]) };
    let passes = |recipe: &Recipe| chain(recipe, &SQUARE, ChainOptions::default()).expect("valid").passes();
    for (label, layer) in &layers {
        let alone = picture(vec![layer.clone()]);
        let below = layers.iter().map(|(_, layer)| layer.clone());
        let together = picture([layer.clone()].into_iter().chain(below).collect());
        let (expected, shared) = (compute(&alone, &SQUARE, &cells), compute(&together, &SQUARE, &cells));
        assert!(bits(&expected) == bits(&shared), "{label} differs when others share its pass");
        assert_eq!(passes(&alone), 1, "{label}");
        assert!(passes(&together) < layers.len(), "nothing was shared");
    }
}

#[test]
fn vat_combined_needs_three_passes() {
    // One gradient for both slopes and hillshades, one search of 10 cells, one of 20.
    let made = chain(&recipe("vat-combined", &[]), &SQUARE, ChainOptions::default()).expect("a preset");
    assert_eq!(made.passes(), 3);
    assert_eq!(made.radius(), 20);
}
