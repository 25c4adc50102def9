//! Turned, mirrored and level ground, for every operation, every preset and every parameter: the recipes come from the
//! registry (`common/variants.rs`), so that a new operation is tested by being listed.
//!
//! What has no symmetry is named in `lopsided`, with the reason; a name there that is not needed fails as well.

mod common;

use common::variants::{all, Variant};
use common::{compute, recipe, rough, with_holes};
use ndarray::{Array2, Array3, Axis};
use serde_json::{json, Map, Value};
use terralume::core::grid::Grid;
use terralume::recipe::{Content, OperationCall};
use terralume::Recipe;

/// A way to move ground and sun together.
struct Motion {
    name: &'static str,
    cells: fn(&Array2<f32>) -> Array2<f32>,
    azimuth: fn(f64) -> f64,
}

const MOTIONS: [Motion; 2] = [
    // Clockwise: the north edge becomes the east edge.
    Motion { name: "a quarter turn", cells: turned, azimuth: |azimuth| (azimuth + 90.0) % 360.0 },
    Motion { name: "a mirror", cells: mirrored, azimuth: |azimuth| (360.0 - azimuth) % 360.0 },
];

fn turned(cells: &Array2<f32>) -> Array2<f32> {
    let (rows, cols) = cells.dim();
    Array2::from_shape_fn((cols, rows), |(row, col)| cells[[rows - 1 - col, row]])
}

/// West and east change places.
fn mirrored(cells: &Array2<f32>) -> Array2<f32> {
    let (rows, cols) = cells.dim();
    Array2::from_shape_fn((rows, cols), |(row, col)| cells[[row, cols - 1 - col]])
}

impl Motion {
    fn is_turn(&self) -> bool {
        self.name == "a quarter turn"
    }

    /// The recipe with every azimuth moved.
    fn recipe(&self, recipe: &Recipe) -> Recipe {
        let mut moved = recipe.clone();
        each_call(&mut moved, &mut |call| {
            for (name, value) in call.values.to_json() {
                if name.ends_with("azimuth") {
                    let azimuth = (self.azimuth)(value.as_f64().expect("azimuths are numbers"));
                    call.values.set(&name, &azimuth.to_string()).expect("an azimuth");
                }
            }
        });
        moved
    }

    /// What becomes of the values of a recipe when the ground moves.
    fn result(&self, recipe: &Recipe, values: &Array3<f32>) -> Array3<f32> {
        let bands = values.dim().0;
        // Lights from all around: band i becomes the one whose azimuth is the moved one.
        let lights = operation(recipe).is_some_and(|(id, _)| id == "multi_hillshade");
        let source = |band: usize| match lights {
            true if self.is_turn() => (band + bands - bands / 4) % bands,
            true => (bands - band) % bands,
            false => band,
        };
        let moved = (0..bands).map(|band| (self.cells)(&values.index_axis(Axis(0), source(band)).to_owned()));
        let moved: Vec<_> = moved.collect();
        let views: Vec<_> = moved.iter().map(|band| band.view()).collect();
        let moved = ndarray::stack(Axis(0), &views).expect("bands of one size");
        match full_circle(recipe) {
            Some(circle) if self.is_turn() => moved.mapv(|azimuth| azimuth + circle / 4.0),
            Some(_) => moved.mapv(|azimuth| -azimuth),
            None => moved,
        }
    }
}

/// Calls of all operations, those of inner recipes included.
fn each_call(recipe: &mut Recipe, change: &mut dyn FnMut(&mut OperationCall)) {
    for layer in &mut recipe.layers {
        match &mut layer.content {
            Content::Operation(call) => change(call),
            Content::Recipe(inner) => each_call(inner, change),
            Content::Raster(_) | Content::Stack(_) => {}
        }
    }
}

/// Id and parameters of a recipe that gives an operation's own values.
fn operation(recipe: &Recipe) -> Option<(&'static str, Map<String, Value>)> {
    recipe.raw_operation().map(|call| (call.operation.id, call.values.to_json()))
}

/// Values that are azimuths go round: 360 degrees, or what that is in another unit.
fn full_circle(recipe: &Recipe) -> Option<f32> {
    let (id, values) = operation(recipe)?;
    let circle = if values.get("unit") == Some(&json!("radian")) { std::f32::consts::TAU } else { 360.0 };
    (id == "aspect").then_some(circle)
}

/// Parameters under which an operation whose default has no symmetry shows the one it has.
fn made_even(recipe: &Recipe) -> Recipe {
    let mut even = recipe.clone();
    each_call(&mut even, &mut |call| {
        let values = call.values.to_json();
        match call.operation.id {
            // Farther out they look at coarse grids, which begin at the northwestern corner.
            "sky_illumination" | "shadow" | "horizon_angle" if values["radius"].as_f64() > Some(20.0) => {
                call.values.set("radius", "20").expect("a radius");
            }
            // At multiples of 30 degrees samples lie in the middle between two cells, and the last bit of the sine
            // says which one is taken (Q21).
            "local_dominance" if values["angular_step"] == json!(15) => {
                call.values.set("angular_step", "22.5").expect("an angle");
            }
            _ => {}
        }
    });
    even
}

/// Why a recipe has no symmetry under a motion: one of its layers has none.
fn lopsided(recipe: &Recipe, motion: &Motion) -> Option<&'static str> {
    let mut reason = None;
    each_call(&mut recipe.clone(), &mut |call| {
        reason = reason.or_else(|| lopsided_call(call.operation.id, &call.values.to_json(), motion));
    });
    reason
}

fn lopsided_call(id: &str, values: &Map<String, Value>, motion: &Motion) -> Option<&'static str> {
    let word = |name: &str| values.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| values.get(name).and_then(Value::as_f64);
    // The sun's operations look along one azimuth; their number of directions is for RVT's numbers.
    let directions = number("directions").filter(|_| !["shadow", "horizon_angle"].contains(&id));
    match id {
        "fill_nodata" if word("method") == "nearest" => {
            Some("of cells that are equally near the western one counts")
        }
        "fill_nodata" if word("method") == "linear_row" && motion.is_turn() => Some("rows become columns"),
        "multi_hillshade" if word("form") == "rgb" => {
            Some("the lights of the three colours stay where they are")
        }
        _ if motion.is_turn() && directions.is_some_and(|count| count % 4.0 != 0.0) => {
            Some("so many directions do not fall on themselves after a quarter turn")
        }
        _ if id != "multi_hillshade" && directions.is_some_and(|count| count % 3.0 == 0.0) => {
            Some("at multiples of 30 degrees the last bit of the sine chooses between two cells (Q21)")
        }
        "local_dominance" if number("angular_step") == Some(40.0) => {
            Some("directions 40 degrees apart do not fall on themselves")
        }
        _ => None,
    }
}

/// Sums run in another order, angles through another octant of a polynomial.
fn tolerance(recipe: &Recipe) -> f32 {
    match recipe.raw_operation() {
        Some(call) if (call.operation.bands)(&call.values)[0].unit == "degree" => 2e-4,
        Some(_) => 2e-5,
        // Stretches of layers magnify what their values differ by.
        None => 5e-5,
    }
}

/// The place and the values of the first cell that breaks the symmetry.
fn broken(recipe: &Recipe, motion: &Motion, cells: &Array2<f32>) -> Option<String> {
    let grid = Grid::square(1.0);
    let expected = motion.result(recipe, &compute(recipe, &grid, cells));
    let moved = (motion.cells)(cells);
    let result = compute(&motion.recipe(recipe), &grid, &moved);
    let level = full_circle(recipe).map(|_| compute(&common::recipe("slope", &[]), &grid, &moved));
    for ((place, ours), theirs) in result.indexed_iter().zip(&expected) {
        let mut off = (ours - theirs).abs();
        if let (Some(circle), Some(level)) = (full_circle(recipe), &level) {
            off = (off % circle).min(circle - off % circle);
            // Level ground faces nowhere and has 0 whichever way it lies.
            if level[[0, place.1, place.2]] == 0.0 && *ours == 0.0 {
                continue;
            }
        }
        let near = off <= tolerance(recipe) * theirs.abs().max(1.0) || (ours.is_nan() && theirs.is_nan());
        if !near {
            return Some(format!("{ours} instead of {theirs} at band, row, column {place:?}"));
        }
    }
    None
}

fn ground() -> Array2<f32> {
    with_holes(rough(60, 50))
}

#[test]
fn moved_ground_gives_the_moved_picture() {
    let cells = ground();
    let mut tried = 0;
    for Variant { label, recipe } in all() {
        let even = made_even(&recipe);
        for motion in &MOTIONS {
            let (found, reason) = (broken(&even, motion, &cells), lopsided(&even, motion));
            match (found, reason) {
                (Some(found), None) => panic!("{label} after {}: {found}", motion.name),
                (None, Some(reason)) => {
                    panic!("{label} keeps its symmetry after {}: '{reason}' is wrong", motion.name)
                }
                _ => tried += usize::from(reason.is_none()),
            }
        }
    }
    assert!(tried > 100, "only {tried} pictures have a symmetry: the test has gone blind");
}

/// Otherwise `made_even` hides a symmetry that is there.
#[test]
fn coarse_grids_and_ties_do_break_the_symmetry() {
    let mut cells = rough(150, 140);
    cells[[75, 70]] = 300.0;
    for id in ["sky_illumination", "shadow", "horizon_angle", "local_dominance"] {
        let plain = recipe(id, &[]);
        let moved = MOTIONS.iter().any(|motion| broken(&plain, motion, &cells).is_some());
        assert!(moved, "{id} is even by itself");
    }
}

/// Values on level ground of this height, where they are known.
fn on_level_ground(recipe: &Recipe, height: f64) -> Option<f64> {
    let (id, values) = operation(recipe)?;
    let number = |name: &str| values[name].as_f64().expect("a number");
    match id {
        "slope" | "aspect" | "local_relief" | "multi_scale_relief" | "elevation_deviation" => Some(0.0),
        "max_elevation_deviation" | "multi_scale_topographic_position" | "topographic_position" => Some(0.0),
        "terrain_ruggedness" | "roughness" | "horizon_angle" | "differential_openness" => Some(0.0),
        "profile_curvature" | "plan_curvature" => Some(0.0),
        "hillshade" | "multi_hillshade" => Some(number("elevation").to_radians().sin()),
        "sky_view_factor" | "anisotropic_sky_view_factor" | "local_dominance" => Some(1.0),
        "sky_illumination" | "shadow" => Some(1.0),
        "openness_positive" | "openness_negative" => Some(90.0),
        "fill_nodata" => Some(height * number("vertical_exaggeration")),
        _ => None,
    }
}

/// The same everywhere, also at edges and corners, and whatever the height and the size of the cells.
#[test]
fn level_ground_looks_level_to_the_edge() {
    for Variant { label, recipe } in all() {
        let mut first: Option<Vec<f32>> = None;
        for (height, cell) in [(432.1_f32, 1.0), (-17.25, 1.0), (0.0, 2.5), (2999.7, 0.5)] {
            let ground = Array2::from_elem((57, 55), height);
            let result = compute(&recipe, &Grid::square(cell), &ground);
            let corner: Vec<f32> = result.outer_iter().map(|band| band[[0, 0]]).collect();
            for ((band, row, col), value) in result.indexed_iter() {
                let same = value.to_bits() == corner[band].to_bits();
                assert!(
                    same,
                    "{label}, {height}: {value} at row {row}, column {col}, {} in the corner",
                    corner[band]
                );
            }
            if let Some(expected) = on_level_ground(&recipe, f64::from(height)) {
                for value in &corner {
                    // Hundreds of 32-bit numbers are added up.
                    let near = (f64::from(*value) - expected).abs() <= 5e-6 * expected.abs().max(1.0);
                    assert!(near, "{label}, {height}: {value} instead of {expected}");
                }
            }
            if recipe.layers[0].name != "fill_nodata" {
                let first = first.get_or_insert_with(|| corner.clone());
                assert_eq!(*first, corner, "{label}: {height} m, cells of {cell} m");
            }
        }
    }
}
