//! A slow second opinion on sky illumination, shadow and horizon angle, in double precision and written from the
//! published formulas and not from `src/`; and ground whose light is known.

mod common;

use common::files::real_ground_with_holes;
use common::{compute, compute_with, recipe, rough, rvt, with_holes};
use ndarray::{s, Array2, Axis};
use std::f64::consts::{PI, TAU};
use terralume::core::grid::Grid;
use terralume::recipe::chain::CellType;

/// Tolerance of light, whose open level ground is 1.
const LIGHT: f64 = 2e-5;
const DEGREES: f64 = 1e-3;

fn values(name: &str, overrides: &[(&str, &str)], grid: &Grid, cells: &Array2<f32>) -> Array2<f32> {
    compute(&recipe(name, overrides), grid, cells).index_axis_move(Axis(0), 0)
}

fn assert_agree(ours: &Array2<f32>, theirs: &Array2<f64>, tolerance: f64, what: &str) {
    for (((row, col), ours), theirs) in ours.indexed_iter().zip(theirs) {
        let agree = (f64::from(*ours) - theirs).abs() <= tolerance || (ours.is_nan() && theirs.is_nan());
        assert!(agree, "{what}: {ours} instead of {theirs} at row {row}, column {col}");
    }
}

/// A cell, or nothing where it lies outside or is missing.
fn at(cells: &Array2<f64>, row: isize, col: isize) -> Option<f64> {
    let place = (usize::try_from(row).ok()?, usize::try_from(col).ok()?);
    cells.get(place).copied().filter(|cell| !cell.is_nan())
}

/// Cell k is half the highest of cells 2k - 1 and 2k.
fn coarser(fine: &Array2<f64>) -> Array2<f64> {
    let (rows, cols) = fine.dim();
    Array2::from_shape_fn((rows / 2 + 1, cols / 2 + 1), |(row, col)| {
        let (row, col) = (2 * row as isize, 2 * col as isize);
        let four = [(row - 1, col - 1), (row - 1, col), (row, col - 1), (row, col)];
        let highest = four.into_iter().filter_map(|(row, col)| at(fine, row, col)).reduce(f64::max);
        highest.map_or(f64::NAN, |height| height / 2.0)
    })
}

/// The mean of those that are there.
fn mean(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| (a + b) / 2.0).or(a).or(b)
}

/// Cells sampled from `least` to `most` in a direction counter-clockwise from north.
fn samples(angle: f64, least: f64, most: f64) -> Vec<(isize, isize)> {
    let thirds = (0..).map(|third: u32| f64::from(third) / 3.0 + least);
    let reaches = thirds.take_while(|reach| *reach <= most + 1e-9);
    let place = |reach: f64| {
        let round = |part: f64| -(part.round_ties_even() as isize);
        (round(reach * angle.cos()), round(reach * angle.sin()))
    };
    reaches.map(place).collect()
}

/// Tangent of the horizon in one direction for every cell, never below 0.
fn horizon(heights: &Array2<f64>, angle: f64, radius: f64, level: usize) -> Array2<f64> {
    let last = radius <= 20.0;
    let least = if level == 0 { 1.0 } else { 10.0 };
    let most = if last { radius.round_ties_even() } else { 20.0 };
    let seen = (!last).then(|| horizon(&coarser(heights), angle, radius / 2.0, level + 1));
    let samples = samples(angle, least, most);
    let mut result = heights.clone();
    for ((row, col), tangent) in result.indexed_iter_mut() {
        if tangent.is_nan() {
            continue;
        }
        let (down, right) = (row as isize, col as isize);
        let between = seen.as_ref().and_then(|seen| {
            let column = |col: isize| mean(at(seen, down / 2, col), at(seen, (down + 1) / 2, col));
            mean(column(right / 2), column((right + 1) / 2))
        });
        *tangent = samples.iter().fold(between.unwrap_or(0.0), |highest, (rows, cols)| {
            let distance = ((rows * rows + cols * cols) as f64).sqrt();
            let height = at(heights, down + rows, right + cols);
            height.map_or(highest, |height| highest.max((height - heights[[row, col]]) / distance))
        });
    }
    result
}

/// Slope, and aspect clockwise from north.
fn slope_and_aspect(heights: &Array2<f64>, row: usize, col: usize) -> (f64, f64) {
    let (down, right) = (row as isize, col as isize);
    let near = |rows, cols| at(heights, down + rows, right + cols).unwrap_or(heights[[row, col]]);
    let (east, north) = ((near(0, -1) - near(0, 1)) / 2.0, (near(1, 0) - near(-1, 0)) / 2.0);
    (east.hypot(north).atan(), east.atan2(north))
}

/// Uniform and overcast light.
fn light(heights: &Array2<f64>, directions: usize, radius: f64) -> [Array2<f64>; 2] {
    let step = PI / directions as f64;
    let mut sums = [0; 2].map(|_| Array2::<f64>::zeros(heights.dim()));
    for direction in 0..directions {
        let angle = TAU * direction as f64 / directions as f64;
        for ((row, col), tangent) in horizon(heights, angle, radius, 0).indexed_iter() {
            let (slope, aspect) = slope_and_aspect(heights, row, col);
            let h = tangent.atan();
            let towards = 2.0 * step.sin() * (-angle - aspect).cos() * slope.sin();
            let uniform =
                slope.cos() * step * h.cos().powi(2) + towards * (PI / 4.0 - h / 2.0 - (2.0 * h).sin() / 4.0);
            let rising =
                slope.cos() * 2.0 * step * (1.0 - h.sin().powi(3)) / 3.0 + towards * h.cos().powi(3) / 3.0;
            sums[0][[row, col]] += uniform / PI;
            sums[1][[row, col]] += (uniform + 2.0 * rising) / 3.0 / (7.0 * PI / 9.0);
        }
    }
    // No light comes from below the ground.
    sums.map(|sum| sum.mapv(|light| if light < 0.0 { 0.0 } else { light }))
}

/// Real and rough ground with holes, of even and odd size, larger than the smaller radii.
fn grounds() -> Vec<(&'static str, Array2<f32>)> {
    let real = real_ground_with_holes();
    vec![
        ("rough", with_holes(rough(75, 120))),
        ("real", real.slice(s![..130, ..101]).to_owned()),
        ("small", with_holes(rough(30, 37))),
    ]
}

fn scaled(cells: &Array2<f32>, exaggeration: f64, cell: f64) -> Array2<f64> {
    cells.mapv(|height| f64::from(height) * exaggeration / cell)
}

#[test]
fn light_agrees() {
    let settings = [(32, 100, 1.0, 1.0), (7, 41, 0.5, 2.0), (16, 20, 1.0, -1.5), (1, 3, 2.0, 1.0)];
    for (name, cells) in grounds() {
        for (directions, radius, cell, exaggeration) in settings {
            let theirs = light(&scaled(&cells, exaggeration, cell), directions, f64::from(radius));
            for (model, theirs) in ["uniform", "overcast"].into_iter().zip(&theirs) {
                let (directions, radius) = (directions.to_string(), radius.to_string());
                let exaggeration = exaggeration.to_string();
                let overrides = [
                    ("model", model),
                    ("directions", directions.as_str()),
                    ("radius", radius.as_str()),
                    ("vertical_exaggeration", exaggeration.as_str()),
                ];
                let ours = values("sky_illumination", &overrides, &Grid::square(cell), &cells);
                assert_agree(&ours, theirs, LIGHT, &format!("{name}, {cell}: {overrides:?}"));
            }
        }
    }
}

#[test]
fn horizon_angles_and_shadows_agree() {
    for (name, cells) in grounds() {
        for (azimuth, radius, cell, exaggeration) in
            [(315.0, 100, 1.0, 1.0), (0.0, 50, 0.5, 1.0), (201.3, 100, 1.0, -2.0), (97.0, 12, 3.0, 4.0)]
        {
            let heights = scaled(&cells, exaggeration, cell);
            let angle = TAU - f64::to_radians(azimuth);
            let theirs = horizon(&heights, angle, f64::from(radius), 0).mapv(|t| t.atan().to_degrees());
            let (azimuth, radius) = (azimuth.to_string(), radius.to_string());
            let exaggeration = exaggeration.to_string();
            let overrides = [
                ("azimuth", azimuth.as_str()),
                ("radius", radius.as_str()),
                ("vertical_exaggeration", exaggeration.as_str()),
            ];
            let grid = Grid::square(cell);
            let ours = values("horizon_angle", &overrides, &grid, &cells);
            let what = format!("{name}, {cell}: {overrides:?}");
            assert_agree(&ours, &theirs, DEGREES, &what);
            let lit = values("shadow", &[&overrides[..], &[("elevation", "20")]].concat(), &grid, &cells);
            for ((lit, angle), theirs) in lit.iter().zip(&ours).zip(&theirs) {
                let near = (theirs - 20.0).abs() < DEGREES;
                assert!(
                    near || lit.is_nan() == angle.is_nan() && (*lit == 1.0) == (*theirs < 20.0),
                    "{what}"
                );
            }
        }
    }
}

/// RVT's coarser grid: heights below 0 count as 0, and before the first row and column stand the last ones.
fn rvt_coarser(fine: &Array2<f64>) -> Array2<f64> {
    let (rows, cols) = fine.dim();
    // A grid of even length repeats its last cells.
    let (odd_rows, odd_cols) = (rows | 1, cols | 1);
    let cell = |row: usize, col: usize| fine[[row.min(rows - 1), col.min(cols - 1)]];
    Array2::from_shape_fn((odd_rows.div_ceil(2), odd_cols.div_ceil(2)), |(row, col)| {
        let (above, before) = ((2 * row + odd_rows - 1) % odd_rows, (2 * col + odd_cols - 1) % odd_cols);
        let four = [(above, before), (above, 2 * col), (2 * row, before), (2 * row, 2 * col)];
        four.into_iter().map(|(row, col)| cell(row, col)).fold(0.0, f64::max) / 2.0
    })
}

/// RVT's horizon; nothing is missing in `heights`.
fn rvt_horizon(heights: &Array2<f64>, angle: f64, radius: f64, level: usize) -> Array2<f64> {
    let last = radius <= 20.0;
    let least = if level == 0 { 1.0 } else { 10.0 };
    let most = if last { radius.round_ties_even() } else { 20.0 };
    let seen = (!last).then(|| rvt_horizon(&rvt_coarser(heights), angle, radius / 2.0, level + 1));
    let samples = samples(angle, least, most);
    Array2::from_shape_fn(heights.dim(), |(row, col)| {
        let between = seen.as_ref().map_or(0.0, |seen| {
            let column = |col: usize| (seen[[row / 2, col]] + seen[[row.div_ceil(2), col]]) / 2.0;
            (column(col / 2) + column(col.div_ceil(2))) / 2.0
        });
        samples.iter().fold(between, |highest, (down, right)| {
            let height = at(heights, row as isize + down, col as isize + right);
            let tangent = |height: f64| (height - heights[[row, col]]) / (*down as f64).hypot(*right as f64);
            height.map_or(highest, |height| highest.max(tangent(height)))
        })
    })
}

/// Missing cells are the lowest for RVT's search.
fn rvt_ground(heights: &Array2<f64>) -> Array2<f64> {
    let lowest = heights.iter().copied().fold(f64::INFINITY, f64::min);
    heights.mapv(|height| if height.is_nan() { lowest } else { height })
}

/// Counter-clockwise from north. Ties of rounding follow the last bit (Q21), and so the order of the operations.
fn rvt_angle(direction: usize, directions: usize) -> f64 {
    TAU / directions as f64 * direction as f64
}

/// RVT's directions in degrees, rounded to a tenth.
fn rvt_degrees(direction: usize, directions: usize) -> f64 {
    (rvt_angle(direction, directions).to_degrees() * 10.0).round_ties_even() / 10.0
}

fn rvt_direction(azimuth: f64, directions: usize) -> usize {
    let gap = |direction: &usize| (rvt_degrees(*direction, directions) - (360.0 - azimuth)).abs();
    (0..directions).min_by(|a, b| gap(a).total_cmp(&gap(b))).expect("a direction")
}

/// RVT's uniform and overcast light, without and with the sun in the northwest at 35 degrees.
fn rvt_light(heights: &Array2<f64>, cell: f64, directions: usize, radius: f64) -> [Array2<f64>; 4] {
    let (ground, step) = (rvt_ground(heights), PI / directions as f64);
    let horizon =
        |direction: usize| rvt_horizon(&ground, rvt_angle(direction, directions), radius, 0).mapv(f64::atan);
    let horizons: Vec<_> = (0..directions).map(horizon).collect();
    let slopes = heights.mapv(|height| height / cell);
    let lit = |(row, col): (usize, usize)| {
        let (slope, aspect) = slope_and_aspect(&slopes, row, col);
        let mut sums = [0.0; 4];
        for (direction, horizon) in horizons.iter().enumerate() {
            let h = horizon[[row, col]];
            let towards =
                -2.0 * step.sin() * (rvt_degrees(direction, directions).to_radians() - aspect).cos();
            sums[0] += h.cos().powi(2);
            sums[1] += (towards * (PI / 4.0 - h / 2.0 - (2.0 * h).sin() / 4.0)).max(0.0);
            sums[2] += h.cos().powi(3);
            sums[3] += (towards * (2.0 / 3.0 - h.cos() + h.cos().powi(3) / 3.0)).max(0.0);
        }
        let uniform = step * slope.cos() * sums[0] + slope.sin() * sums[1].min(PI);
        let rising = 2.0 * step / 3.0 * slope.cos() * sums[2] + slope.sin() * sums[3];
        let missing = heights[[row, col]] * 0.0;
        (uniform + missing, 0.33 * uniform + 0.67 * rising + missing)
    };
    let uniform = Array2::from_shape_fn(heights.dim(), |place| lit(place).0);
    let overcast = Array2::from_shape_fn(heights.dim(), |place| lit(place).1);
    let brightest = overcast.iter().copied().fold(0.0, f64::max);
    let overcast = overcast / brightest;
    let sun =
        horizons[rvt_direction(315.0, directions)].mapv(|h| if h < 35_f64.to_radians() { 0.2 } else { 0.0 });
    [&uniform / PI, overcast.clone(), 0.8 * uniform + &sun, 0.8 * overcast + sun]
}

/// Sizes that no coarse grid divides evenly, odd and even, also smaller than a coarse cell.
fn rvt_grounds() -> Vec<Array2<f32>> {
    let real = real_ground_with_holes();
    let mut grounds: Vec<_> =
        [(61, 83), (64, 50), (9, 8), (7, 5), (2, 3)].map(|(rows, cols)| rough(rows, cols)).into();
    grounds.push(with_holes(rough(75, 66)));
    grounds.push(real.slice(s![100..163, 90..171]).to_owned());
    grounds
}

fn rvt_values(name: &str, overrides: &[(&str, &str)], grid: &Grid, cells: &Array2<f32>) -> Array2<f32> {
    let made = compute_with(&recipe(name, overrides), grid, cells, rvt(CellType::Float32));
    made.floats().index_axis_move(Axis(0), 0)
}

#[test]
fn rvts_light_agrees() {
    for cells in rvt_grounds() {
        for (directions, radius, cell, exaggeration) in
            [(32, 100, 1.0, 1.0), (8, 41, 0.5, 2.0), (16, 20, 1.0, -1.5), (12, 75, 2.0, 0.5)]
        {
            let heights = cells.mapv(|height| f64::from(height) * exaggeration);
            let theirs = rvt_light(&heights, cell, directions, f64::from(radius));
            let (directions, radius) = (directions.to_string(), radius.to_string());
            let exaggeration = exaggeration.to_string();
            for (number, theirs) in theirs.iter().enumerate() {
                let overrides = [
                    ("model", ["uniform", "overcast"][number % 2]),
                    ("shadow", ["false", "true"][number / 2]),
                    ("directions", directions.as_str()),
                    ("radius", radius.as_str()),
                    ("vertical_exaggeration", exaggeration.as_str()),
                ];
                let ours = rvt_values("sky_illumination", &overrides, &Grid::square(cell), &cells);
                let what = format!("{:?}, {cell}: {overrides:?}", cells.dim());
                assert_agree(&ours, theirs, LIGHT, &what);
            }
        }
    }
}

#[test]
fn rvts_horizons_agree() {
    for cells in rvt_grounds() {
        for (azimuth, radius, directions) in [(315.0, 100, 32), (0.0, 50, 32), (201.3, 300, 9)] {
            let heights = rvt_ground(&cells.mapv(f64::from));
            let angle = rvt_angle(rvt_direction(azimuth, directions), directions);
            let theirs = rvt_horizon(&heights, angle, f64::from(radius), 0).mapv(|t| t.atan().to_degrees());
            let theirs = theirs + cells.mapv(|height| f64::from(height) * 0.0);
            let (azimuth, radius, directions) =
                (azimuth.to_string(), radius.to_string(), directions.to_string());
            let overrides = [
                ("azimuth", azimuth.as_str()),
                ("radius", radius.as_str()),
                ("directions", directions.as_str()),
            ];
            let ours = rvt_values("horizon_angle", &overrides, &Grid::square(2.0), &cells);
            assert_agree(&ours, &theirs, DEGREES, &format!("{:?}: {overrides:?}", cells.dim()));
        }
    }
}

#[test]
fn level_ground_is_lit_and_a_plane_by_half_of_one_plus_its_cosine() {
    let grid = Grid::square(0.5);
    let level = Array2::from_elem((60, 50), 321.0_f32);
    let open = |name: &str, model: &str, cells: &Array2<f32>| {
        values(name, &[("model", model)], &grid, cells)[[cells.nrows() / 2, cells.ncols() / 2]]
    };
    for model in ["uniform", "overcast"] {
        assert!((open("sky_illumination", model, &level) - 1.0).abs() < 1e-6, "{model}");
    }
    // Beyond the raster nothing obstructs: it is as large as the search.
    for (east, north) in [(0.6, 0.0), (0.0, -0.3), (0.4, 0.4), (-1.0, 0.2)] {
        let plane = Array2::from_shape_fn((260, 260), |(row, col)| {
            ((row as f64 * north - col as f64 * east) * 0.5) as f32
        });
        let slope = f64::hypot(east, north).atan();
        let light = f64::from(open("sky_illumination", "uniform", &plane));
        // The nearest samples lie up to 20 degrees beside their ray, some of them more uphill: a plane is up to a
        // hundredth darker than its closed form.
        let expected = (1.0 + slope.cos()) / 2.0;
        assert!((expected - 1e-2..expected + 1e-3).contains(&light), "{east} {north}: {light}");
    }
}

#[test]
fn a_wall_throws_a_shadow_as_long_as_it_is_high() {
    let grid = Grid::square(2.0);
    let mut cells = Array2::from_elem((61, 61), 0.0_f32);
    cells.slice_mut(s![30, ..]).fill(16.0);
    // Nothing is known north of the wall; the sun stands in the north.
    cells.slice_mut(s![..30, ..]).fill(f32::NAN);
    let sun = [("azimuth", "0"), ("elevation", "45")];
    let lit = values("shadow", &sun, &grid, &cells);
    let angle = values("horizon_angle", &sun[..1], &grid, &cells);
    for row in 31..61 {
        let distance = (row - 30) as f64 * 2.0;
        let exact = (16.0 / distance).atan().to_degrees();
        if row <= 50 {
            assert!((f64::from(angle[[row, 30]]) - exact).abs() < 1e-3, "row {row}: {}", angle[[row, 30]]);
        }
        if row != 38 {
            assert_eq!(lit[[row, 30]], if distance > 16.0 { 1.0 } else { 0.0 }, "row {row}");
        }
    }
    assert!(lit[[29, 30]].is_nan() && lit[[30, 30]] == 1.0);
}
