//! Ground whose result is known: slopes, domes and hollows, walls, the surface upside down. Planes: `planes.rs`; level,
//! turned and mirrored ground: `symmetry.rs`.

mod common;

use common::{compute, inner, recipe, rough, with_holes};
use ndarray::{s, Array2, Array3};
use terralume::core::grid::Grid;
use terralume::recipe::preset_names;

const HORIZON_FAMILY: [(&str, f32); 4] = [
    ("sky_view_factor", 1.0),
    ("anisotropic_sky_view_factor", 1.0),
    ("openness_positive", 90.0),
    ("openness_negative", 90.0),
];

fn values(name: &str, overrides: &[(&str, &str)], grid: &Grid, cells: &Array2<f32>) -> Array2<f32> {
    let result: Array3<f32> = compute(&recipe(name, overrides), grid, cells);
    assert_eq!(result.dim().0, 1, "{name} gives one band");
    result.index_axis_move(ndarray::Axis(0), 0)
}

fn assert_near(ours: &Array2<f32>, expected: impl Fn(usize, usize) -> f64, tolerance: f64, what: &str) {
    for ((row, col), value) in ours.indexed_iter() {
        let expected = expected(row, col);
        let near = (f64::from(*value) - expected).abs() <= tolerance || (value.is_nan() && expected.is_nan());
        assert!(near, "{what}: {value} instead of {expected} at row {row}, column {col}");
    }
}

/// Exactly, whatever the number of directions.
#[test]
fn level_ground_is_open() {
    let grid = Grid::square(2.5);
    let cells = Array2::from_elem((43, 41), 432.1_f32);
    for directions in (1..=20).chain([32, 36, 64, 360]) {
        for (name, open) in HORIZON_FAMILY {
            let result = values(name, &[("directions", &directions.to_string())], &grid, &cells);
            assert!(result.iter().all(|value| *value == open), "{name}, {directions}: {}", result[[20, 20]]);
        }
    }
}

/// A plane that falls by `east` per metre to the east and `north` to the north.
fn plane(grid: &Grid, east: f64, north: f64) -> Array2<f32> {
    Array2::from_shape_fn((30, 30), |(row, col)| {
        (500.0 - east * col as f64 * grid.cell_width + north * row as f64 * grid.cell_height) as f32
    })
}

/// Shade of a plane by the scalar product of its normal with the light.
fn plane_shade(east: f64, north: f64, azimuth: f64, elevation: f64) -> f64 {
    let (azimuth, elevation) = (azimuth.to_radians(), elevation.to_radians());
    let light = [azimuth.sin() * elevation.cos(), azimuth.cos() * elevation.cos(), elevation.sin()];
    let shade = (east * light[0] + north * light[1] + light[2]) / (1.0 + east * east + north * north).sqrt();
    shade.max(0.0)
}

#[test]
fn tilted_planes_have_the_slope_and_shade_of_geometry() {
    for grid in [Grid::square(1.0), Grid { cell_width: 2.0, cell_height: 0.5, south_up: false }] {
        for (east, north) in [(0.25, -0.5), (1.0, 0.0), (0.0, 2.0), (-3.0, -0.125), (0.5, 0.5)] {
            let cells = plane(&grid, east, north);
            let what = format!("falls {east}, {north}, {grid:?}");
            let tangent = f64::hypot(east, north);
            let slope = |unit| inner(&values("slope", &[("unit", unit)], &grid, &cells));
            assert_near(&slope("degree"), |_, _| tangent.atan().to_degrees(), 1e-4, &what);
            assert_near(&slope("radian"), |_, _| tangent.atan(), 2e-6, &what);
            assert_near(&slope("percent"), |_, _| 100.0 * tangent, 1e-3, &what);
            let aspect = inner(&values("aspect", &[], &grid, &cells));
            assert_near(&aspect, |_, _| east.atan2(north).to_degrees(), 1e-4, &what);
            for (azimuth, elevation) in [("315", "35"), ("90", "10"), ("200.5", "60"), ("0", "0")] {
                let lit =
                    values("hillshade", &[("azimuth", azimuth), ("elevation", elevation)], &grid, &cells);
                let number = |text: &str| text.parse().expect("a number");
                let shade = plane_shade(east, north, number(azimuth), number(elevation));
                assert_near(&inner(&lit), |_, _| shade, 2e-6, &what);
            }
        }
    }
}

/// Ground `(a x^2 + b y^2) / 2 + c x y + d x + e y`, in steps that 32 bits hold, with x to the east and y to the north.
struct Quadratic {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
}

impl Quadratic {
    const SIDE: usize = 33;

    /// Coordinates of a cell: 0 in the middle.
    fn place(grid: &Grid, row: usize, col: usize) -> (f64, f64) {
        let from_middle = |index: usize| index as f64 - (Self::SIDE / 2) as f64;
        (from_middle(col) * grid.cell_width, -from_middle(row) * grid.cell_height)
    }

    fn cells(&self, grid: &Grid) -> Array2<f32> {
        Array2::from_shape_fn((Self::SIDE, Self::SIDE), |(row, col)| {
            let (x, y) = Self::place(grid, row, col);
            ((self.a * x * x + self.b * y * y) / 2.0 + self.c * x * y + self.d * x + self.e * y) as f32
        })
    }

    /// Second derivatives along and across the slope, with the other sign.
    fn curvatures(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (p, q) = (self.a * x + self.c * y + self.d, self.c * x + self.b * y + self.e);
        let length = f64::hypot(p, q);
        if length == 0.0 {
            return (0.0, 0.0);
        }
        let bend = |(p, q): (f64, f64)| -(self.a * p * p + 2.0 * self.c * p * q + self.b * q * q);
        let direction = (p / length, q / length);
        (bend(direction), bend((-direction.1, direction.0)))
    }
}

#[test]
fn quadratic_ground_has_the_curvatures_of_calculus() {
    let plane = Quadratic { a: 0.0, b: 0.0, c: 0.0, d: 0.25, e: -0.5 };
    let dome = Quadratic { a: -0.125, b: -0.125, ..plane };
    let bowl = Quadratic { a: 0.125, b: 0.0625, ..plane };
    let saddle = Quadratic { c: 0.125, ..plane };
    let oblique = Quadratic { a: 0.25, b: -0.0625, c: 0.125, d: 1.0, e: 0.5 };
    for grid in
        [Grid::square(1.0), Grid::square(0.5), Grid { cell_width: 2.0, cell_height: 0.5, south_up: false }]
    {
        for ground in [&plane, &dome, &bowl, &saddle, &oblique] {
            let cells = ground.cells(&grid);
            let expected =
                |row: usize, col: usize| ground.curvatures(Quadratic::place(&grid, row + 1, col + 1));
            let profile = inner(&values("profile_curvature", &[], &grid, &cells));
            assert_near(&profile, |row, col| expected(row, col).0, 1e-6, &format!("profile, {grid:?}"));
            let plan = inner(&values("plan_curvature", &[], &grid, &cells));
            assert_near(&plan, |row, col| expected(row, col).1, 1e-6, &format!("plan, {grid:?}"));
        }
    }
}

/// Convex ground is positive: a dome both ways, a crest across its axis only.
#[test]
fn crests_are_positive_and_hollows_negative() {
    let grid = Grid::square(2.0);
    let level = Quadratic { a: 0.0, b: 0.0, c: 0.0, d: 0.0, e: 0.0 };
    let both = |ground: Quadratic| {
        let cells = ground.cells(&grid);
        let at = |name| values(name, &[], &grid, &cells);
        (at("profile_curvature"), at("plan_curvature"))
    };
    let middle = Quadratic::SIDE / 2;
    let dome = both(Quadratic { a: -0.25, b: -0.25, ..level });
    let bowl = both(Quadratic { a: 0.25, b: 0.25, ..level });
    for (row, col) in [(5, 7), (20, 3), (middle, 2), (30, 31)] {
        assert_eq!((dome.0[[row, col]], dome.1[[row, col]]), (0.25, 0.25));
        assert_eq!((bowl.0[[row, col]], bowl.1[[row, col]]), (-0.25, -0.25));
    }
    assert_eq!((dome.0[[middle, middle]], dome.1[[middle, middle]]), (0.0, 0.0), "the top is level");
    // A cylinder that lies level bends along the slope only, an inclined one on its crest across the slope only.
    let lying = both(Quadratic { a: -0.25, ..level });
    assert!((lying.0[[9, 3]], lying.1[[9, 3]]) == (0.25, 0.0));
    let inclined = both(Quadratic { a: -0.25, e: 1.0, ..level });
    assert_eq!((inclined.0[[9, middle]], inclined.1[[9, middle]]), (0.0, 0.25));
    // z = x y / 4: straight along its axes, hollow along one diagonal, convex across it.
    let saddle = both(Quadratic { c: 0.25, ..level });
    assert_eq!((saddle.0[[middle, 5]], saddle.1[[middle, 5]]), (0.0, 0.0));
    assert_eq!((saddle.0[[middle - 4, middle + 4]], saddle.1[[middle - 4, middle + 4]]), (-0.25, 0.25));
}

/// No bank at the raster's edge and around holes: unlike slopes, lines go on straight.
#[test]
fn planes_have_no_curvature_even_at_edges_and_holes() {
    for grid in [Grid::square(1.0), Grid { cell_width: 2.0, cell_height: 0.5, south_up: true }] {
        let cells = with_holes(plane(&grid, 0.75, -0.375));
        for name in ["profile_curvature", "plan_curvature"] {
            let result = values(name, &[], &grid, &cells);
            assert_near(&result, |row, col| f64::from(cells[[row, col]] * 0.0), 0.0, name);
        }
    }
}

/// Half of the sky-view factor of a plane's foot is known: a wall to the north of a level plain.
#[test]
fn a_wall_hides_the_directions_it_stands_in() {
    let mut cells = Array2::from_elem((41, 41), 0.0_f32);
    cells.slice_mut(s![..20, ..]).fill(1e6);
    // One cell south of an endless, very high wall: of four directions the northern one sees nothing.
    let svf = values("sky_view_factor", &[("directions", "4")], &Grid::square(1.0), &cells);
    assert!((svf[[20, 20]] - 0.75).abs() < 1e-5, "{}", svf[[20, 20]]);
    let bright = |azimuth| {
        let overrides = [("azimuth", azimuth), ("anisotropy", "high")];
        values("anisotropic_sky_view_factor", &overrides, &Grid::square(1.0), &cells)[[20, 20]]
    };
    // Clockwise from north: a sky bright in the north is hidden by the wall, one bright in the south is not.
    assert!(bright("0") < 0.2 && bright("180") > 0.8, "{} {}", bright("0"), bright("180"));
    cells.fill(0.0);
    cells.slice_mut(s![.., 21..]).fill(1e6);
    let east =
        values("anisotropic_sky_view_factor", &[("azimuth", "90")], &Grid::square(1.0), &cells)[[20, 20]];
    let west =
        values("anisotropic_sky_view_factor", &[("azimuth", "270")], &Grid::square(1.0), &cells)[[20, 20]];
    assert!(east < west, "{east} {west}");
}

#[test]
fn the_surface_upside_down_swaps_the_opennesses() {
    let grid = Grid::square(0.5);
    let cells = with_holes(rough(50, 50));
    for (name, other) in
        [("openness_positive", "openness_negative"), ("openness_negative", "openness_positive")]
    {
        let expected = values(other, &[], &grid, &cells);
        let result = values(name, &[("vertical_exaggeration", "-1")], &grid, &cells);
        assert_near(&result, |row, col| expected[[row, col]].into(), 1e-5, name);
    }
}

/// Exaggeration is a factor on the heights and nothing else.
#[test]
fn exaggeration_multiplies_heights() {
    let grid = Grid::square(1.0);
    let cells = with_holes(rough(50, 50));
    let double = cells.mapv(|cell| cell * 2.0);
    for operation in terralume::registry::operations() {
        let recipe_of = |factor| recipe(operation.id, &[("vertical_exaggeration", factor)]);
        let (factor, doubled) =
            (compute(&recipe_of("2"), &grid, &cells), compute(&recipe_of("1"), &grid, &double));
        for (one, other) in factor.iter().zip(&doubled) {
            assert!((one - other).abs() < 1e-5 || (one.is_nan() && other.is_nan()), "{}", operation.id);
        }
    }
}

/// The ranges that descriptions promise, on rough ground with holes.
#[test]
fn values_stay_in_their_promised_range() {
    let cells = with_holes(rough(60, 50)).mapv(|cell| cell * 8.0);
    let grid = Grid::square(1.0);
    let operations = terralume::registry::operations().iter().map(|operation| operation.id);
    for name in operations.chain(preset_names()) {
        let made = common::chain(&recipe(name, &[]), &grid, Default::default()).expect("valid");
        let result = compute(&recipe(name, &[]), &grid, &cells);
        for (band, cells) in made.bands().iter().zip(result.outer_iter()) {
            let (least, most) = (band.range.0 as f32 - 1e-6, band.range.1 as f32 * (1.0 + 1e-6));
            assert!(cells.iter().all(|value| value.is_nan() || (least..=most).contains(value)), "{name}");
        }
    }
}
