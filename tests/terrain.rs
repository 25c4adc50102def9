//! Ground whose result is known: planes, walls, the surface upside down. Level, turned and mirrored ground: `symmetry.rs`.

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
fn plane(grid: &Grid, side: usize, east: f64, north: f64) -> Array2<f32> {
    Array2::from_shape_fn((side, side), |(row, col)| {
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
            let cells = plane(&grid, 30, east, north);
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

/// A plane by what it does within a cell and towards an azimuth.
struct Plane {
    east: f64,
    north: f64,
    cell: f64,
}

impl Plane {
    /// Tangent of the rise towards an azimuth.
    fn rise(&self, azimuth: f64) -> f64 {
        let (sine, cosine) = azimuth.to_radians().sin_cos();
        -(self.east * sine + self.north * cosine)
    }

    /// Sine of the horizon in each of eight directions, whose samples lie on the axes and diagonals.
    fn horizons(&self) -> [(f64, f64); 8] {
        [0, 1, 2, 3, 4, 5, 6, 7].map(|index| {
            let azimuth = 45.0 * f64::from(index);
            (azimuth, self.rise(azimuth).max(0.0).atan().sin())
        })
    }

    fn open_sky(&self, weight: impl Fn(f64) -> f64) -> f64 {
        let sums = self.horizons().map(|(azimuth, sine)| (weight(azimuth), weight(azimuth) * (1.0 - sine)));
        sums.iter().map(|sum| sum.1).sum::<f64>() / sums.iter().map(|sum| sum.0).sum::<f64>()
    }

    /// Differences of height from one cell to the next, towards east and north.
    fn steps(&self) -> (f64, f64) {
        (-self.east * self.cell, -self.north * self.cell)
    }
}

/// What a sky that is bright around 200 degrees is worth in a direction.
fn bright_south(azimuth: f64) -> f64 {
    0.6 * ((azimuth - 200.0).to_radians() / 2.0).cos().powi(4) + 0.4
}

type OnPlane = fn(&Plane) -> f64;

/// Results on a plane whose mathematics are known, away from its edge. What follows from slope and aspect has a test
/// of its own above; the light of the whole sky has one in `sky_oracle.rs`.
fn on_planes() -> Vec<(&'static str, Vec<(&'static str, &'static str)>, OnPlane)> {
    vec![
        // A plane is the mean of what lies around, and no relief at any scale.
        ("local_relief", vec![("radius", "12")], |_| 0.0),
        ("topographic_position", vec![], |_| 0.0),
        ("topographic_position", vec![("radius", "9")], |_| 0.0),
        ("multi_scale_relief", vec![("feature_min", "3"), ("feature_max", "18")], |_| 0.0),
        ("elevation_deviation", vec![("radius", "8")], |_| 0.0),
        ("max_elevation_deviation", vec![("radius_min", "2"), ("radius_max", "12")], |_| 0.0),
        // Squares of the differences to eight neighbours: twice each axis, four times both diagonals.
        ("terrain_ruggedness", vec![], |plane| {
            let (x, y) = plane.steps();
            (6.0 * (x * x + y * y)).sqrt()
        }),
        ("terrain_ruggedness", vec![("method", "wilson")], |plane| {
            let (x, y) = plane.steps();
            (x.abs() + y.abs() + (x + y).abs() + (x - y).abs()) / 4.0
        }),
        ("roughness", vec![], |plane| {
            let (x, y) = plane.steps();
            2.0 * (x.abs() + y.abs())
        }),
        // What rises on one side falls on the other.
        ("openness_positive", vec![("directions", "8")], |_| 90.0),
        ("openness_negative", vec![("directions", "8")], |_| 90.0),
        ("sky_view_factor", vec![("directions", "8")], |plane| plane.open_sky(|_| 1.0)),
        ("anisotropic_sky_view_factor", vec![("directions", "8"), ("azimuth", "200")], |plane| {
            plane.open_sky(bright_south)
        }),
        ("horizon_angle", vec![("azimuth", "90"), ("radius", "10")], |plane| {
            plane.rise(90.0).max(0.0).atan().to_degrees()
        }),
        ("horizon_angle", vec![("azimuth", "225"), ("radius", "10")], |plane| {
            plane.rise(225.0).max(0.0).atan().to_degrees()
        }),
        ("shadow", vec![("azimuth", "180"), ("elevation", "20"), ("radius", "10")], |plane| {
            f64::from(u8::from(plane.rise(180.0).atan() < 20_f64.to_radians()))
        }),
        // The eyes are high enough to see over the rise: what is lost uphill is won downhill.
        ("local_dominance", vec![("angular_step", "22.5"), ("observer_height", "300")], |_| 1.0),
    ]
}

/// Heights in steps of 1/64: planes are exact in 32 bits, and so is what vanishes on them.
#[test]
fn tilted_planes_have_the_values_of_their_closed_forms() {
    for cell in [1.0, 0.5] {
        for (east, north) in [(0.25, -0.5), (1.0, 0.0), (0.0, 2.0), (-3.0, -0.125), (0.5, 0.5)] {
            let (grid, known) = (Grid::square(cell), Plane { east, north, cell });
            let cells = plane(&grid, 72, east, north);
            for (name, overrides, expected) in on_planes() {
                let result = values(name, &overrides, &grid, &cells);
                let middle = result.slice(s![30..42, 30..42]).to_owned();
                let (expected, what) =
                    (expected(&known), format!("{name} {overrides:?}: falls {east}, {north}"));
                assert_near(&middle, |_, _| expected, 2e-6 * expected.abs().max(5.0), &what);
            }
        }
    }
}

/// A gap in a plane is filled by the plane where the method is symmetrical about it.
#[test]
fn gaps_in_planes_are_filled_by_the_plane() {
    for grid in [Grid::square(1.0), Grid { cell_width: 2.0, cell_height: 0.5, south_up: false }] {
        // The square around the gap ends with the raster.
        let whole = plane(&grid, 41, 0.25, -0.5);
        let mut cells = whole.clone();
        cells[[20, 20]] = f32::NAN;
        for parameters in [vec![], vec![("power", "0"), ("radius", "3")], vec![("method", "linear_row")]] {
            let result = values("fill_nodata", &parameters, &grid, &cells);
            assert_near(&result, |row, col| whole[[row, col]].into(), 1e-4, &format!("{parameters:?}"));
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
