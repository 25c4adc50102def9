//! Gap filling against plain loops in double precision, and as the first step of any recipe.

mod common;

use common::files::real_holes;
use common::variants::{defaults, Variant};
use common::{
    chain, compute, compute_with, divisions, noise, recipe, rough, run_chain, rvt, uint8, with_holes,
    Division,
};
use ndarray::{Array2, Axis};
use terralume::core::grid::Grid;
use terralume::core::tile::Edge;
use terralume::recipe::chain::{CellType, ChainOptions};
use terralume::Recipe;

const SQUARE: Grid = Grid { cell_width: 1.0, cell_height: 1.0, south_up: false };

/// Cells four times as wide as high, and the other way round: distances are exact in binary all the same.
const GRIDS: [Grid; 3] = [
    SQUARE,
    Grid { cell_width: 2.0, cell_height: 0.5, south_up: false },
    Grid { cell_width: 0.5, cell_height: 2.0, south_up: false },
];

const METHODS: [&str; 3] = ["idw", "nearest", "linear_row"];

fn filled(cells: &Array2<f32>, grid: &Grid, parameters: &[(&str, &str)]) -> Array2<f32> {
    compute(&recipe("fill_nodata", parameters), grid, cells).index_axis_move(Axis(0), 0)
}

/// Valid cells within `radius` rows and columns: how far down and to the right they stand, and their height.
fn around(cells: &Array2<f32>, (row, col): (usize, usize), radius: usize) -> Vec<(f64, f64, f64)> {
    let mut found = Vec::new();
    for ((other_row, other_col), height) in cells.indexed_iter() {
        let near = other_row.abs_diff(row) <= radius && other_col.abs_diff(col) <= radius;
        if near && !height.is_nan() {
            found.push((other_row as f64 - row as f64, other_col as f64 - col as f64, f64::from(*height)));
        }
    }
    found
}

/// Mean weighted by inverse distance, which is measured in widths of a cell.
fn inverse_distance(around: &[(f64, f64, f64)], ratio: f64, power: f64) -> f64 {
    let (mut heights, mut weights) = (0.0, 0.0);
    for (down, right, height) in around {
        let weight = 1.0 / ((down * ratio).powi(2) + right.powi(2)).sqrt().powf(power);
        heights += weight * height;
        weights += weight;
    }
    heights / weights
}

/// Height of the nearest cell; of equal ones the one in the nearest column, then the western, then the northern one.
fn nearest(around: &[(f64, f64, f64)], ratio: f64, radius: f64) -> f64 {
    let order = |(down, right, _): &(f64, f64, f64)| {
        [(down * ratio).powi(2) + right.powi(2), right.abs(), *right, *down]
    };
    let within = around.iter().filter(|cell| order(cell)[0] <= radius * radius);
    let found = within.min_by(|a, b| order(a).partial_cmp(&order(b)).expect("no NaN"));
    found.map_or(f64::NAN, |(_, _, height)| *height)
}

/// The line between the nearest cells of the row, or the height of the only one.
fn along_the_row(around: &[(f64, f64, f64)]) -> f64 {
    let row = || around.iter().filter(|(down, _, _)| *down == 0.0);
    let before = row().filter(|(_, right, _)| *right < 0.0).max_by(|a, b| a.1.total_cmp(&b.1));
    let after = row().filter(|(_, right, _)| *right > 0.0).min_by(|a, b| a.1.total_cmp(&b.1));
    match (before, after) {
        (Some((_, left, from)), Some((_, right, to))) => (from * right - to * left) / (right - left),
        (Some(only), None) | (None, Some(only)) => only.2,
        (None, None) => f64::NAN,
    }
}

/// What a method makes of a missing cell.
fn expected(around: &[(f64, f64, f64)], method: &str, ratio: f64, radius: usize, power: f64) -> f64 {
    match method {
        _ if around.is_empty() => f64::NAN,
        "idw" => inverse_distance(around, ratio, power),
        "nearest" => nearest(around, ratio, radius as f64),
        _ => along_the_row(around),
    }
}

/// Results agree to the last digit of 32 bits, where sums of 64-bit numbers in another order may round otherwise.
fn check(name: &str, cells: &Array2<f32>, grid: &Grid, method: &str, radius: usize, power: f64) -> usize {
    let (radius_text, power_text) = (radius.to_string(), power.to_string());
    let parameters = [("method", method), ("radius", radius_text.as_str()), ("power", power_text.as_str())];
    let result = filled(cells, grid, &parameters);
    let ratio = grid.cell_height / grid.cell_width;
    let mut made = 0;
    for ((place, cell), ours) in cells.indexed_iter().zip(&result) {
        let what = format!("{name}, {grid:?}, {parameters:?}: {ours} at row, column {place:?}");
        if !cell.is_nan() {
            assert_eq!(ours.to_bits(), cell.to_bits(), "{what} instead of the valid {cell}");
            continue;
        }
        let theirs = expected(&around(cells, place, radius), method, ratio, radius, power);
        let near = (f64::from(*ours) - theirs).abs() <= theirs.abs() * f64::from(f32::EPSILON);
        assert!(near || (ours.is_nan() && theirs.is_nan()), "{what} instead of {theirs}");
        made += usize::from(!ours.is_nan());
    }
    made
}

/// Most cells missing, at random.
fn sparse(rows: usize, cols: usize) -> Array2<f32> {
    let mut cells = rough(rows, cols).mapv(|height| height + 300.0);
    for ((row, col), cell) in cells.indexed_iter_mut() {
        if noise(col, row) % 100 < 93 {
            *cell = f32::NAN;
        }
    }
    cells
}

/// Wide, high and square rasters: with the holes that occur, and with little else than holes.
fn grounds() -> Vec<(&'static str, Array2<f32>)> {
    vec![
        ("rough and wide", with_holes(rough(31, 47))),
        ("rough and high", with_holes(rough(52, 29))),
        ("real", real_holes()),
        ("sparse", sparse(40, 23)),
    ]
}

#[test]
fn filled_heights_are_those_of_plain_loops() {
    for (name, cells) in grounds() {
        assert!(cells.iter().any(|cell| cell.is_nan()) && !cells.iter().all(|cell| cell.is_nan()), "{name}");
        for grid in GRIDS {
            for radius in [1, 2, 5, 16, 20] {
                let made = METHODS.map(|method| check(name, &cells, &grid, method, radius, 2.0));
                assert!(made.iter().all(|made| *made > 0), "{name}, {radius}: the test proves nothing");
            }
        }
    }
}

#[test]
fn every_power_weighs_as_it_says() {
    let cells = with_holes(rough(31, 47));
    for power in [0.0, 0.25, 1.0, 3.5, 10.0] {
        for grid in GRIDS {
            check("rough", &cells, &grid, "idw", 7, power);
        }
    }
}

#[test]
fn a_radius_beyond_the_raster_looks_at_all_of_it() {
    for (rows, cols) in [(7, 12), (12, 7), (1, 1), (2, 2)] {
        let mut cells = sparse(rows, cols);
        cells[[rows - 1, cols / 2]] = 17.25;
        cells[[0, 0]] = f32::NAN;
        for method in METHODS {
            check("small", &cells, &SQUARE, method, 60, 2.0);
        }
        if rows > 1 {
            assert!(filled(&cells, &SQUARE, &[("radius", "60")]).iter().all(|cell| !cell.is_nan()));
        }
    }
}

#[test]
fn single_rows_and_columns_are_filled() {
    for size in [(1, 90), (90, 1)] {
        let cells = sparse(size.0, size.1);
        for method in METHODS {
            for radius in [3, 20, 200] {
                check("a line", &cells, &SQUARE, method, radius, 1.5);
            }
        }
        let all = filled(&cells, &SQUARE, &[("radius", "200")]);
        assert!(all.iter().all(|cell| !cell.is_nan()), "{size:?}");
    }
}

#[test]
fn nothing_is_made_of_nothing() {
    let cells = Array2::from_elem((33, 21), f32::NAN);
    for method in METHODS {
        for radius in ["1", "20", "1000"] {
            let result = filled(&cells, &SQUARE, &[("method", method), ("radius", radius)]);
            assert!(result.iter().all(|cell| cell.is_nan()), "{method} {radius}");
        }
    }
}

/// Numbers that arithmetic would change: signed zeros, the smallest and the largest.
#[test]
fn valid_cells_keep_their_bits() {
    let strange = [0.0, -0.0, 1e-45, -1e-40, f32::MIN_POSITIVE, 9.9e29, -9.9e29, 8848.861, f32::NAN];
    let cells = Array2::from_shape_fn((18, 27), |(row, col)| strange[(row * 5 + col) % strange.len()]);
    for method in METHODS {
        let result = filled(&cells, &SQUARE, &[("method", method), ("radius", "2")]);
        for ((place, cell), ours) in cells.indexed_iter().zip(&result) {
            assert!(
                cell.is_nan() || ours.to_bits() == cell.to_bits(),
                "{method}: {ours} for {cell} at {place:?}"
            );
        }
    }
}

#[test]
fn filling_has_no_seams() {
    let ground = with_holes(rough(135, 170));
    let sparse = sparse(135, 170);
    for method in METHODS {
        for (radius, cells) in [("4", &ground), ("20", &ground), ("37", &sparse)] {
            let recipe = recipe("fill_nodata", &[("method", method), ("radius", radius)]);
            let made = chain(&recipe, &SQUARE, ChainOptions::default()).expect("valid");
            let whole = run_chain(&made, cells, common::WHOLE).expect("arrays do not fail").bits();
            for division in divisions() {
                let part = run_chain(&made, cells, division).expect("arrays do not fail").bits();
                assert!(part == whole, "{method}, {radius}: {division:?} gives other bits");
            }
        }
    }
}

/// Every operation and preset but filling itself.
fn pictures() -> Vec<Variant> {
    let mut variants = defaults();
    variants.retain(|variant| variant.recipe.layers[0].name != "fill_nodata");
    variants
}

/// `recipe` on filled ground.
fn after_filling(recipe: &Recipe, settings: &[(&str, &str)]) -> Recipe {
    let mut filled = recipe.clone();
    for (key, value) in settings {
        filled.set(key, value).unwrap_or_else(|error| panic!("{key} = {value}: {error}"));
    }
    filled
}

/// As if a file had been filled before: the same bits under every edge rule, whatever the tiles. A small radius leaves
/// the middle of lakes missing.
#[test]
fn filling_first_is_the_same_as_filling_before() {
    let cells = with_holes(rough(97, 121));
    let before: Vec<_> = [("idw", "20"), ("nearest", "3"), ("linear_row", "2")]
        .map(|(method, radius)| {
            let filled = filled(&cells, &SQUARE, &[("method", method), ("radius", radius)]);
            assert_eq!(filled.iter().any(|cell| cell.is_nan()), method != "idw", "{method}");
            ([("fill", method), ("fill.radius", radius)], filled)
        })
        .into();
    for Variant { label, recipe } in pictures() {
        for (settings, filled) in &before {
            let first = after_filling(&recipe, settings);
            for options in [ChainOptions::default(), uint8(), rvt(CellType::Float32)] {
                let expected = compute_with(&recipe, &SQUARE, filled, options).bits();
                let made = chain(&first, &SQUARE, options).expect("valid");
                for tile in [None, Some(64)] {
                    let division = Division { tile, threads: 2 };
                    let ours = run_chain(&made, &cells, division).expect("arrays do not fail").bits();
                    assert!(ours == expected, "{label} after {settings:?}, {options:?}, {division:?}");
                }
            }
        }
    }
}

/// The test above tries each rule for what lies beyond the edge.
#[test]
fn pictures_use_every_edge_rule() {
    let mut found = Vec::new();
    for Variant { recipe, .. } in pictures() {
        found.extend_from_slice(chain(&recipe, &SQUARE, ChainOptions::default()).expect("valid").edges());
    }
    for edge in [Edge::Clamp, Edge::Reflect, Edge::Symmetric, Edge::Open] {
        assert!(found.contains(&edge), "{edge:?}");
    }
}

/// Filling first looks farther: its radius comes on top, but makes no raster too small.
#[test]
fn filling_first_needs_its_radius_and_takes_any_raster() {
    let slope = chain(&recipe("slope", &[]), &SQUARE, ChainOptions::default()).expect("valid");
    let first = recipe("slope", &[("fill", "nearest"), ("fill.radius", "30")]);
    let made = chain(&first, &SQUARE, ChainOptions::default()).expect("valid");
    assert_eq!(made.radius(), slope.radius() + 30);
    assert!(made.check_raster(2, 2).is_ok());
}

#[test]
fn a_south_up_raster_is_filled_first_as_its_mirror_image() {
    let cells = with_holes(rough(60, 66));
    let mut flipped = cells.clone();
    flipped.invert_axis(Axis(0));
    let flipped = flipped.as_standard_layout().to_owned();
    let south_up = Grid { south_up: true, ..SQUARE };
    for method in METHODS {
        for name in ["slope", "hillshade", "sky_illumination", "vat"] {
            let first = recipe(name, &[("fill", method), ("fill.radius", "5")]);
            let expected = compute(&first, &SQUARE, &cells);
            let mut result = compute(&first, &south_up, &flipped);
            result.invert_axis(Axis(1));
            let same = result.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{name} after {method}");
        }
    }
}

/// The settings say the same as the JSON key, and `none` takes filling back.
#[test]
fn filling_is_asked_for_in_several_ways() {
    let cells = with_holes(rough(50, 50));
    let computed = |recipe: &Recipe| compute_with(recipe, &SQUARE, &cells, ChainOptions::default()).bits();
    let json = |fill: &str| {
        let text =
            format!(r#"{{"terralume_recipe": 1, "fill": {fill}, "layers": [{{"operation": "slope"}}]}}"#);
        computed(&Recipe::parse(&text).expect("a recipe"))
    };
    let plain = computed(&recipe("slope", &[]));
    let idw = computed(&recipe("slope", &[("fill", "idw"), ("fill.radius", "3"), ("fill.power", "1")]));
    assert!(idw != plain);
    assert!(json(r#"{"method": "idw", "radius": 3, "power": 1}"#) == idw);
    // A parameter of filling asks for it with the method it has by default, in both forms.
    assert!(json(r#"{"radius": 3, "power": 1}"#) == idw);
    assert!(computed(&recipe("slope", &[("fill.radius", "3"), ("fill.power", "1")])) == idw);
    assert!(computed(&recipe("slope", &[("fill", "idw"), ("fill", "none")])) == plain);
    let written = recipe("vat", &[("fill", "nearest"), ("fill.radius", "7m")]).to_json();
    assert_eq!(Recipe::parse(&written.to_string()).expect("its own text").to_json(), written);
    assert_eq!(written["fill"]["radius"], "7m");
}
