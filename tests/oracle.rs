//! A slow second opinion in double precision, written from the published formulas and not from `src/`.
//!
//! RVT's goldens hold a few settings on three rasters; this holds many settings on rough ground with holes.

mod common;

use common::files::{real_ground_with_holes, real_holes};
use common::{compute, noise, recipe, rough, with_holes};
use ndarray::{s, Array2};
use std::f64::consts::TAU;
use terralume::core::grid::Grid;

const NOISES: [(&str, f64); 4] = [("none", 0.0), ("low", 10.0), ("medium", 20.0), ("high", 40.0)];
const DIRECTIONS: [usize; 6] = [1, 4, 7, 8, 16, 32];
const RADII: [usize; 5] = [1, 2, 5, 10, 20];
const EXAGGERATIONS: [f64; 4] = [0.5, 3.0, -1.0, 0.0];

/// RVT's suggested tolerances.
const SKY: f64 = 2e-5;
const DEGREES: f64 = 1e-3;

/// Heights with the rule for what lies outside.
struct Ground {
    heights: Array2<f64>,
    cell: (f64, f64),
}

impl Ground {
    fn new(cells: &Array2<f32>, exaggeration: f64, cell: (f64, f64)) -> Self {
        Self { heights: cells.mapv(|height| f64::from(height) * exaggeration), cell }
    }

    /// The edge cell goes on for ever.
    fn clamped(&self, row: isize, col: isize) -> f64 {
        let (rows, cols) = self.heights.dim();
        let inside = |index: isize, length: usize| index.max(0).min(length as isize - 1) as usize;
        self.heights[[inside(row, rows), inside(col, cols)]]
    }

    /// A mirror stands in the middle of the edge cells, and another one on the other side.
    fn mirrored(&self, row: isize, col: isize) -> f64 {
        let fold = |mut index: isize, length: usize| {
            let last = length as isize - 1;
            while index < 0 || index > last {
                index = if index < 0 { -index } else { 2 * last - index };
            }
            index as usize
        };
        let (rows, cols) = self.heights.dim();
        self.heights[[fold(row, rows), fold(col, cols)]]
    }

    /// Fall towards east and north; a missing neighbour counts as the cell itself.
    fn gradient(&self, row: usize, col: usize) -> (f64, f64) {
        let (row, col) = (row as isize, col as isize);
        let centre = self.clamped(row, col);
        let at = |down: isize, right: isize| match self.clamped(row + down, col + right) {
            height if height.is_nan() => centre,
            height => height,
        };
        ((at(0, -1) - at(0, 1)) / 2.0 / self.cell.0, (at(1, 0) - at(-1, 0)) / 2.0 / self.cell.1)
    }
}

/// One direction: its angle counter-clockwise from north, and the cells it samples.
struct Direction {
    angle: f64,
    samples: Vec<(isize, isize)>,
}

/// Half to even, as the specification rounds.
fn round(number: f64) -> f64 {
    let below = number.floor();
    match number - below {
        part if part < 0.5 => below,
        part if part > 0.5 => below + 1.0,
        _ if below % 2.0 == 0.0 => below,
        _ => below + 1.0,
    }
}

fn directions(count: usize, radius: usize, left_out: f64) -> Vec<Direction> {
    let least = round(radius as f64 * left_out / 100.0).max(1.0);
    let direction = |index: usize| {
        let angle = TAU / count as f64 * index as f64;
        let mut samples = Vec::new();
        let reaches = (0..).map(|third: u32| f64::from(third) / 3.0 + least);
        for reach in reaches.take_while(|reach| *reach <= radius as f64 + 1e-9) {
            let sample = (-round(reach * angle.cos()) as isize, -round(reach * angle.sin()) as isize);
            if !samples.contains(&sample) {
                samples.push(sample);
            }
        }
        Direction { angle, samples }
    };
    (0..count).map(direction).collect()
}

/// Horizon angle of one direction.
fn horizon(ground: &Ground, row: usize, col: usize, direction: &Direction, sign: f64) -> f64 {
    let centre = ground.heights[[row, col]];
    let mut steepest = -1000.0;
    for (down, right) in &direction.samples {
        let height = ground.mirrored(row as isize + down, col as isize + right);
        let distance = ((down * down + right * right) as f64).sqrt();
        let tangent = sign * (height - centre) / ground.cell.0 / distance;
        if tangent > steepest {
            steepest = tangent;
        }
    }
    f64::atan(steepest)
}

/// Sky-view factor, both anisotropic ones towards `azimuth`, both opennesses and half of their difference.
fn sky(ground: &Ground, row: usize, col: usize, directions: &[Direction], azimuth: f64) -> [f64; 6] {
    if ground.heights[[row, col]].is_nan() {
        return [f64::NAN; 6];
    }
    let (mut sums, mut weights) = ([0.0; 5], [0.0; 2]);
    for direction in directions {
        let up = horizon(ground, row, col, direction, 1.0);
        let open = 1.0 - up.max(0.0).sin();
        sums[0] += open;
        // Azimuths run clockwise, directions counter-clockwise.
        let turn = (direction.angle + azimuth.to_radians()) / 2.0;
        for (level, (power, least)) in [(4, 0.4), (8, 0.1)].into_iter().enumerate() {
            let weight = (1.0 - least) * turn.cos().powi(power) + least;
            sums[1 + level] += weight * open;
            weights[level] += weight;
        }
        sums[3] += up.to_degrees();
        sums[4] += horizon(ground, row, col, direction, -1.0).to_degrees();
    }
    let count = directions.len() as f64;
    let [open, low, high, up, down] = sums;
    let (above, below) = (90.0 - up / count, 90.0 - down / count);
    [open / count, low / weights[0], high / weights[1], above, below, (above - below) / 2.0]
}

fn assert_agree(ours: &Array2<f32>, expected: impl Fn(usize, usize) -> f64, tolerance: f64, what: &str) {
    for ((row, col), ours) in ours.indexed_iter() {
        let expected = expected(row, col);
        let agree = (f64::from(*ours) - expected).abs() <= tolerance || (ours.is_nan() && expected.is_nan());
        assert!(agree, "{what}: {ours} instead of {expected} at row {row}, column {col}");
    }
}

fn values(name: &str, overrides: &[(&str, &str)], grid: &Grid, cells: &Array2<f32>) -> Array2<f32> {
    compute(&recipe(name, overrides), grid, cells).index_axis_move(ndarray::Axis(0), 0)
}

/// Ground to try: rough with holes, and a real piece with a disc, lines and an island of nodata.
fn grounds() -> Vec<(&'static str, Array2<f32>)> {
    let real = real_ground_with_holes();
    let corner = real.slice(s![..44, ..44]).to_owned();
    vec![("rough", with_holes(rough(37, 45))), ("corner", corner), ("holes", real_holes())]
}

/// One setting of the horizon family against the second opinion.
fn check_sky(name: &str, cells: &Array2<f32>, setting: (usize, usize, (&str, f64), f64)) {
    let (count, radius, (word, left_out), exaggeration) = setting;
    let (grid, azimuth) = (Grid::square(0.75), 200.0);
    let ground = Ground::new(cells, exaggeration, (0.75, 0.75));
    let directions = directions(count, radius, left_out);
    let expected =
        Array2::from_shape_fn(cells.dim(), |(row, col)| sky(&ground, row, col, &directions, azimuth));
    let (count, radius) = (count.to_string(), radius.to_string());
    let (exaggeration, azimuth) = (exaggeration.to_string(), azimuth.to_string());
    let shared = [
        ("directions", count.as_str()),
        ("radius", radius.as_str()),
        ("noise", word),
        ("vertical_exaggeration", exaggeration.as_str()),
    ];
    let asvf = |level| [&shared[..], &[("azimuth", azimuth.as_str()), ("anisotropy", level)]].concat();
    let measures = [
        ("sky_view_factor", shared.to_vec(), SKY),
        ("anisotropic_sky_view_factor", asvf("low"), SKY),
        ("anisotropic_sky_view_factor", asvf("high"), SKY),
        ("openness_positive", shared.to_vec(), DEGREES),
        ("openness_negative", shared.to_vec(), DEGREES),
        ("differential_openness", shared.to_vec(), DEGREES),
    ];
    for (index, (operation, overrides, tolerance)) in measures.into_iter().enumerate() {
        let ours = values(operation, &overrides, &grid, cells);
        let what = format!("{name}: {operation} {overrides:?}");
        assert_agree(&ours, |row, col| expected[[row, col]][index], tolerance, &what);
    }
}

#[test]
fn sky_view_and_openness_agree_for_every_search() {
    for (name, cells) in grounds() {
        for count in DIRECTIONS {
            for radius in RADII {
                for level in NOISES {
                    check_sky(name, &cells, (count, radius, level, 1.0));
                }
            }
        }
    }
}

#[test]
fn sky_view_and_openness_agree_for_every_exaggeration() {
    for (name, cells) in grounds() {
        for exaggeration in EXAGGERATIONS {
            for (count, radius, level) in [(16, 10, NOISES[0]), (7, 5, NOISES[2]), (8, 20, NOISES[3])] {
                check_sky(name, &cells, (count, radius, level, exaggeration));
            }
        }
    }
}

/// Slope in degrees, aspect in degrees, and shade.
fn gradient_measures(fall: (f64, f64), azimuth: f64, elevation: f64) -> [f64; 3] {
    let (east, north) = fall;
    let slope = f64::hypot(east, north).atan();
    let aspect = f64::atan2(east, if north == 0.0 { 1e-8 } else { north });
    let zenith = (90.0 - elevation).to_radians();
    let shade =
        zenith.cos() * slope.cos() + zenith.sin() * slope.sin() * (aspect - azimuth.to_radians()).cos();
    [slope.to_degrees(), aspect.to_degrees(), shade.max(0.0)]
}

fn check_gradient(name: &str, cells: &Array2<f32>, grid: Grid, exaggeration: f64, light: (f64, f64)) {
    let ground = Ground::new(cells, exaggeration, (grid.cell_width, grid.cell_height));
    let expected = |row: usize, col: usize, index: usize| match cells[[row, col]].is_nan() {
        true => f64::NAN,
        false => gradient_measures(ground.gradient(row, col), light.0, light.1)[index],
    };
    let (factor, azimuth, elevation) = (exaggeration.to_string(), light.0.to_string(), light.1.to_string());
    let factor = ("vertical_exaggeration", factor.as_str());
    let what = format!("{name}, {grid:?}, exaggeration {exaggeration}, light {light:?}");
    let slope = values("slope", &[factor], &grid, cells);
    assert_agree(&slope, |row, col| expected(row, col, 0), DEGREES, &what);
    let lit = [factor, ("azimuth", azimuth.as_str()), ("elevation", elevation.as_str())];
    let shade = values("hillshade", &lit, &grid, cells);
    assert_agree(&shade, |row, col| expected(row, col, 2), SKY, &what);
    let aspect = values("aspect", &[factor], &grid, cells);
    for ((row, col), ours) in aspect.indexed_iter() {
        let theirs = expected(row, col, 1);
        let difference = (f64::from(*ours) - theirs).abs();
        let agree = difference.min(360.0 - difference) <= DEGREES || (ours.is_nan() && theirs.is_nan());
        assert!(agree, "aspect, {what}: {ours} instead of {theirs} at row {row}, column {col}");
    }
}

#[test]
fn slope_aspect_and_hillshade_agree() {
    let grids = [Grid::square(1.0), Grid { cell_width: 2.0, cell_height: 0.5, south_up: false }];
    for (name, cells) in grounds() {
        for grid in grids {
            for exaggeration in EXAGGERATIONS.into_iter().chain([1.0]) {
                for light in [(315.0, 35.0), (0.0, 0.0), (77.5, 5.0), (180.0, 90.0), (360.0, 45.0)] {
                    check_gradient(name, &cells, grid, exaggeration, light);
                }
            }
        }
    }
}

/// Height above the mean of the valid cells around, the cell itself among them or not.
fn above_mean(ground: &Ground, (row, col): (usize, usize), radius: isize, with_cell: bool) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for down in -radius..=radius {
        for right in -radius..=radius {
            let height = ground.clamped(row as isize + down, col as isize + right);
            if !height.is_nan() && (with_cell || (down, right) != (0, 0)) {
                sum += height;
                count += 1.0;
            }
        }
    }
    let height = ground.clamped(row as isize, col as isize);
    height - if count > 0.0 { sum / count } else { height }
}

/// From the nearest cells to nearly the whole raster and its edges.
#[test]
fn heights_above_the_mean_agree_at_every_radius() {
    for (name, cells) in grounds() {
        for (radius, exaggeration) in [(1, 1.0), (2, -1.0), (7, 3.0), (20, 0.5), (35, 1.0)] {
            let ground = Ground::new(&cells, exaggeration, (1.0, 1.0));
            let (text, factor) = (radius.to_string(), exaggeration.to_string());
            let overrides = [("radius", text.as_str()), ("vertical_exaggeration", factor.as_str())];
            for (operation, with_cell) in [("difference_from_mean_elevation", true), ("tpi", false)] {
                let ours = values(operation, &overrides, &Grid::square(1.0), &cells);
                let expected = |row, col| above_mean(&ground, (row, col), radius, with_cell);
                assert_agree(&ours, expected, 1e-5, &format!("{operation}, {name}, radius {radius}"));
            }
        }
    }
}

/// The second opinion needs one as well: cells whose result is known without it.
#[test]
fn the_oracle_knows_a_pit_and_a_tower() {
    let mut cells = Array2::from_elem((21, 21), 0.0_f32);
    cells[[10, 10]] = -1.0;
    let ground = Ground::new(&cells, 1.0, (1.0, 1.0));
    let [open, _, _, above, below, _] = sky(&ground, 10, 10, &directions(4, 5, 0.0), 0.0);
    // Walls of 45 degrees all around; below the ground lies nothing within 5 cells but the same walls.
    assert!((open - (1.0 - 0.5_f64.sqrt())).abs() < 1e-12 && (above - 45.0).abs() < 1e-9);
    assert!((below - (90.0 + (1.0_f64 / 5.0).atan().to_degrees())).abs() < 1e-9, "{below}");
    assert_eq!((round(0.5), round(1.5), round(-0.5), round(-1.5), round(2.4)), (0.0, 2.0, 0.0, -2.0, 2.0));
    assert_ne!(noise(1, 2), noise(2, 1));
}
