//! Tilted planes, for whatever has a closed form on them. What follows from slope and aspect is in `terrain.rs`, the light
//! of the whole sky in `sky_oracle.rs`.

mod common;

use common::{compute, recipe};
use ndarray::{s, Array2, Axis};
use terralume::core::grid::Grid;

fn values(name: &str, overrides: &[(&str, &str)], grid: &Grid, cells: &Array2<f32>) -> Array2<f32> {
    let result = compute(&recipe(name, overrides), grid, cells);
    assert_eq!(result.dim().0, 1, "{name} gives one band");
    result.index_axis_move(Axis(0), 0)
}

fn assert_near(ours: &Array2<f32>, expected: impl Fn(usize, usize) -> f64, tolerance: f64, what: &str) {
    for ((row, col), value) in ours.indexed_iter() {
        let expected = expected(row, col);
        let near = (f64::from(*value) - expected).abs() <= tolerance;
        assert!(near, "{what}: {value} instead of {expected} at row {row}, column {col}");
    }
}

/// A plane that falls by `east` per metre to the east and `north` to the north.
fn plane(grid: &Grid, side: usize, east: f64, north: f64) -> Array2<f32> {
    Array2::from_shape_fn((side, side), |(row, col)| {
        (500.0 - east * col as f64 * grid.cell_width + north * row as f64 * grid.cell_height) as f32
    })
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

/// An operation, its parameters, and what it gives.
type Case = (&'static str, Vec<(&'static str, &'static str)>, OnPlane);

/// Results on a plane whose mathematics are known, away from its edge.
fn on_planes() -> Vec<Case> {
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
        ("differential_openness", vec![("directions", "8")], |_| 0.0),
        ("profile_curvature", vec![], |_| 0.0),
        ("plan_curvature", vec![], |_| 0.0),
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
