//! Blend modes: RVT's results for six of them, laws for all.

mod common;

use common::files::{data, read_raster};
use common::goldens::{disagreement, entries, golden, manifest, rasters, text, BEHAVIOURS};
use common::noise;
use ndarray::Array3;
use serde_json::Value;
use std::collections::BTreeSet;
use terralume::render::blend::{Background, Blend, Mode, Top};
use terralume::render::stretch::LinearStretch;
use terralume::Compatibility;

/// Bands, one or three, of cells in one row.
type Picture = Vec<Vec<f32>>;

const BOTH: [Compatibility; 2] = [Compatibility::None, Compatibility::Rvt];

/// Not a multiple of any block.
const COLUMNS: usize = 1003;

/// The picture with `top` on it. The rows are cut at multiples of `step`.
fn lay_in_steps(blend: Blend, top: &Picture, below: &Picture, step: usize) -> Picture {
    let (grey, columns) = (below.len() == 1, below[0].len());
    let mut picture = below.clone();
    if blend.bands(top.len(), below.len()) > below.len() {
        picture.resize(3, vec![f32::NAN; columns]);
    }
    for first in (0..columns).step_by(step) {
        let block = first..(first + step).min(columns);
        let top = match top.as_slice() {
            [row] => Top::Grey(&row[block.clone()]),
            [red, green, blue] => {
                Top::Rgb([&red[block.clone()], &green[block.clone()], &blue[block.clone()]])
            }
            other => panic!("{} bands", other.len()),
        };
        let background = match (picture.as_mut_slice(), grey) {
            ([row], _) => Background::Grey(&mut row[block]),
            ([red, green, blue], grey) => {
                let rows = [&mut red[block.clone()], &mut green[block.clone()], &mut blue[block]];
                if grey {
                    Background::Widened(rows)
                } else {
                    Background::Rgb(rows)
                }
            }
            (other, _) => panic!("{} bands", other.len()),
        };
        blend.row(top, LinearStretch::UNIT, background);
    }
    picture
}

fn lay(blend: Blend, top: &Picture, below: &Picture) -> Picture {
    lay_in_steps(blend, top, below, COLUMNS.max(top[0].len()))
}

fn plain(mode: Mode, opacity: f64) -> Blend {
    Blend::new(mode, opacity, Compatibility::None)
}

/// Noise in 0..1, with both ends, halves and repeated values among it.
fn random(bands: usize, seed: usize) -> Picture {
    let cell = |band: usize, column: usize| match noise(seed + band, column) {
        drawn if drawn % 16 == 0 => 0.0,
        drawn if drawn % 16 == 1 => 1.0,
        drawn if drawn % 16 == 2 => 0.5,
        drawn => (drawn >> 40) as f32 / (1 << 24) as f32,
    };
    (0..bands).map(|band| (0..COLUMNS).map(|column| cell(band, column)).collect()).collect()
}

fn constant(value: f32, bands: usize) -> Picture {
    vec![vec![value; COLUMNS]; bands]
}

fn as_color(grey: &Picture) -> Picture {
    vec![grey[0].clone(); 3]
}

fn bits(picture: &Picture) -> Vec<u32> {
    picture.iter().flatten().map(|cell| cell.to_bits()).collect()
}

/// Every mode but those that mix bands.
fn separable() -> impl Iterator<Item = Mode> {
    let all = Mode::ALL.into_iter().map(|(_, mode)| mode);
    all.filter(|mode| !matches!(mode, Mode::Luminosity | Mode::HsvValue))
}

fn assert_close(ours: &Picture, expected: &Picture, tolerance: f32, what: &str) {
    assert_eq!(ours.len(), expected.len(), "{what}");
    for (ours, expected) in ours.iter().flatten().zip(expected.iter().flatten()) {
        assert!((ours - expected).abs() <= tolerance, "{what}: {ours} instead of {expected}");
    }
}

fn picture(cells: &Array3<f64>) -> Picture {
    cells.outer_iter().map(|band| band.iter().map(|cell| *cell as f32).collect()).collect()
}

/// RVT shows something where the upper layer is missing: its soft light the background, and in this luminosity one
/// value that rounding took below 0 makes it put the smallest value into every missing cell of the raster. Here a
/// missing cell is missing in every mode.
fn shows_missing(id: &str) -> bool {
    id.contains("soft_light") || id == "mode_luminosity_grey_over_rgb_rvt"
}

/// Names of the files that were compared.
fn check_golden(entry: &Value, compatibility: Compatibility) -> [String; 3] {
    let (id, parameters) = (text(entry, "id"), &entry["parameters"]);
    let inputs = ["active", "background"].map(|role| format!("{}.tif", text(parameters, role)));
    let [top, below] = inputs.each_ref().map(|file| read_raster(&data("goldens").join(file)));
    let mode = Mode::parse(text(parameters, "mode")).unwrap();
    let opacity = parameters["opacity"].as_f64().unwrap() / 100.0;
    let ours = lay(Blend::new(mode, opacity, compatibility), &picture(&top), &picture(&below));
    let mut theirs = golden(entry);
    if shows_missing(id) {
        for ((band, row, col), cell) in theirs.indexed_iter_mut() {
            let above = top[[band.min(top.dim().0 - 1), row, col]];
            assert!(!above.is_nan() || !cell.is_nan(), "{id}: the exception is no longer needed");
            *cell = if above.is_nan() { f64::NAN } else { *cell };
        }
    }
    let size = (ours.len(), theirs.dim().1, theirs.dim().2);
    let ours = Array3::from_shape_vec(size, ours.concat()).unwrap().mapv(f64::from);
    assert_eq!(disagreement(entry, &ours, &theirs), None, "{compatibility:?}");
    let [top, below] = inputs;
    [top, below, text(entry, "file").to_string()]
}

#[test]
fn every_golden_holds_and_every_file_is_compared() {
    let manifest = manifest();
    let mut used = BTreeSet::new();
    for (compatibility, modes) in BEHAVIOURS {
        let entries = entries(&manifest, "goldens").iter();
        let entries: Vec<&Value> = entries.filter(|entry| entry["parameters"]["mode"].is_string()).collect();
        let entries = entries.into_iter().filter(|entry| modes.contains(&text(entry, "mode")));
        let mut count = 0;
        for entry in entries {
            used.extend(check_golden(entry, compatibility));
            count += 1;
        }
        assert_eq!(count, 24, "six modes, grey or colour over grey or colour");
    }
    assert_eq!(used, rasters("mode"));
}

#[test]
fn an_opacity_of_0_shows_the_background_and_normal_of_1_the_layer() {
    for (name, mode) in Mode::ALL {
        for (top, below) in [(1, 1), (1, 3), (3, 3)] {
            let (top, below) = (random(top, 1), random(below, 7));
            assert_eq!(bits(&lay(plain(mode, 0.0), &top, &below)), bits(&below), "{name}");
        }
    }
    let (top, below) = (random(3, 1), random(3, 7));
    assert_eq!(lay(plain(Mode::Normal, 1.0), &top, &below), top);
}

#[test]
fn layers_that_change_nothing() {
    let neutral = [
        (Mode::Multiply, 1.0),
        (Mode::Screen, 0.0),
        (Mode::SoftLight, 0.5),
        (Mode::Darken, 1.0),
        (Mode::Lighten, 0.0),
        (Mode::ColorDodge, 0.0),
        (Mode::ColorBurn, 1.0),
        (Mode::Difference, 0.0),
        (Mode::Add, 0.0),
    ];
    for (mode, value) in neutral {
        let below = random(3, 3);
        // 1 - (1 - b) rounds once.
        assert_close(&lay(plain(mode, 1.0), &constant(value, 1), &below), &below, 6e-8, &format!("{mode:?}"));
    }
    for mode in [Mode::Darken, Mode::Lighten, Mode::Normal, Mode::Luminosity, Mode::HsvValue] {
        let own = random(3, 3);
        assert_close(&lay(plain(mode, 1.0), &own, &own), &own, 3e-7, &format!("{mode:?} of itself"));
    }
}

#[test]
fn modes_say_of_each_other_what_they_should() {
    let (a, b) = (random(3, 1), random(3, 7));
    let full = |mode, a: &Picture, b: &Picture| lay(plain(mode, 1.0), a, b);
    assert_eq!(bits(&full(Mode::Overlay, &a, &b)), bits(&full(Mode::HardLight, &b, &a)));
    for mode in [Mode::Multiply, Mode::Darken, Mode::Lighten, Mode::Difference, Mode::Add] {
        assert_eq!(full(mode, &a, &b), full(mode, &b, &a), "{mode:?} does not care which layer is above");
    }
    assert_eq!(full(Mode::Difference, &a, &a), constant(0.0, 3));
    let inverted = |picture: &Picture| -> Picture {
        picture.iter().map(|band| band.iter().map(|cell| 1.0 - cell).collect()).collect()
    };
    let burned = inverted(&full(Mode::ColorBurn, &inverted(&a), &inverted(&b)));
    assert_close(&full(Mode::ColorDodge, &a, &b), &burned, 1e-4, "burning is dodging the negative");
    let screened = inverted(&full(Mode::Multiply, &inverted(&a), &inverted(&b)));
    assert_close(&full(Mode::Screen, &a, &b), &screened, 2e-7, "screening is multiplying the negative");
    // From dark to light: each mode of the row gives at most what the next one does.
    let row = [Mode::Multiply, Mode::Darken, Mode::Normal, Mode::Lighten, Mode::Screen, Mode::Add];
    for pair in row.windows(2) {
        let (dark, light) = (full(pair[0], &a, &b), full(pair[1], &a, &b));
        let mut cells = dark.iter().flatten().zip(light.iter().flatten());
        assert!(cells.all(|(dark, light)| *dark <= light + 6e-8), "{pair:?}");
    }
}

#[test]
fn a_grey_layer_counts_for_every_band() {
    let (a, b) = (random(1, 1), random(1, 7));
    let colors = [random(3, 20), random(3, 30)];
    for opacity in [0.4, 1.0] {
        for mode in separable() {
            let blend = plain(mode, opacity);
            let grey = as_color(&lay(blend, &a, &b));
            assert_eq!(bits(&lay(blend, &as_color(&a), &as_color(&b))), bits(&grey), "{mode:?}");
            assert_eq!(bits(&lay(blend, &as_color(&a), &b)), bits(&grey), "{mode:?}: colour over grey");
            let [top, below] = &colors;
            assert_eq!(lay(blend, &a, below), lay(blend, &as_color(&a), below), "{mode:?}");
            assert_eq!(lay(blend, top, &b), lay(blend, top, &as_color(&b)), "{mode:?}");
        }
        for mode in [Mode::Luminosity, Mode::HsvValue] {
            let blend = plain(mode, opacity);
            let normal = lay(plain(Mode::Normal, opacity), &a, &b);
            assert_eq!(bits(&lay(blend, &a, &b)), bits(&normal), "{mode:?} of grey by grey");
            assert_close(&lay(blend, &as_color(&a), &b), &normal, 2e-7, "a grey colour over grey");
            assert_close(&lay(blend, &a, &as_color(&b)), &as_color(&normal), 3e-7, "grey over a grey colour");
        }
    }
}

#[test]
fn luminosity_sets_the_luminance_and_hsv_value_the_greatest_band() {
    let luminance = |color: [f32; 3]| 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2];
    let value = |color: [f32; 3]| color[0].max(color[1]).max(color[2]);
    let at = |picture: &Picture, column: usize| [picture[0][column], picture[1][column], picture[2][column]];
    let below = random(3, 7);
    for top in [random(1, 1), random(3, 1)] {
        let above = |column: usize, measure: &dyn Fn([f32; 3]) -> f32| match top.len() {
            1 => top[0][column],
            _ => measure(at(&top, column)),
        };
        let light = lay(plain(Mode::Luminosity, 1.0), &top, &below);
        let valued = lay(plain(Mode::HsvValue, 1.0), &top, &below);
        for column in 0..COLUMNS {
            let (light, wanted) = (luminance(at(&light, column)), above(column, &luminance));
            assert!((light - wanted).abs() < 1e-6, "luminance {light} instead of {wanted}");
            let (before, after) = (at(&below, column), at(&valued, column));
            let wanted = above(column, &value);
            assert!((value(after) - wanted).abs() < 1e-6, "value {after:?} instead of {wanted}");
            // Hue and saturation stay: the bands keep their proportions.
            for band in 0..3 {
                let (ours, kept) = (after[band] * value(before), before[band] * wanted);
                assert!(value(before) == 0.0 || (ours - kept).abs() < 1e-6, "{before:?} became {after:?}");
            }
        }
    }
}

/// RVT's way with a coloured layer over grey in overlay and soft light, written out.
#[test]
fn bands_cascade_under_rvt() {
    let top = vec![vec![0.25], vec![0.5], vec![0.75]];
    let below = vec![vec![0.5]];
    let blend = Blend::new(Mode::Overlay, 0.5, Compatibility::Rvt);
    // 2ab = 0.25, then 2 * 0.5 * 0.25 = 0.25, then 2 * 0.75 * 0.25 = 0.375, each mixed with the last.
    assert_eq!(lay(blend, &top, &below), [[0.3125], [0.3125], [0.375]]);
}

#[test]
fn results_stay_between_0_and_1() {
    for (name, mode) in Mode::ALL {
        for opacity in [1.0, 0.7, 1.0 / 3.0] {
            for ((top, below), compatibility) in
                combinations().into_iter().flat_map(|pair| BOTH.map(|c| (pair, c)))
            {
                for seed in 0..20 {
                    let (top, below) = (random(top, 100 + seed), random(below, 200 + seed));
                    let picture = lay(Blend::new(mode, opacity, compatibility), &top, &below);
                    let outside = picture.iter().flatten().find(|cell| !(0.0..=1.0).contains(*cell));
                    assert_eq!(outside, None, "{name} {opacity} {compatibility:?}");
                }
            }
        }
    }
}

fn combinations() -> [(usize, usize); 4] {
    [(1, 1), (1, 3), (3, 1), (3, 3)]
}

/// A cell is missing afterwards where it was missing in either layer, and nowhere else.
#[test]
fn missing_stays_missing() {
    for (name, mode) in Mode::ALL {
        for opacity in [1.0, 0.5, 0.0] {
            for compatibility in BOTH {
                for (top, below) in combinations() {
                    let (mut top, mut below) = (random(top, 1), random(below, 7));
                    top.iter_mut()
                        .for_each(|band| band.iter_mut().step_by(5).for_each(|cell| *cell = f32::NAN));
                    below
                        .iter_mut()
                        .for_each(|band| band.iter_mut().step_by(7).for_each(|cell| *cell = f32::NAN));
                    let picture = lay(Blend::new(mode, opacity, compatibility), &top, &below);
                    for (column, cell) in picture.iter().flat_map(|band| band.iter().enumerate()) {
                        let missing = column % 5 == 0 || column % 7 == 0;
                        assert_eq!(cell.is_nan(), missing, "{name} {opacity} {compatibility:?} at {column}");
                    }
                }
            }
        }
    }
}

#[test]
fn cutting_a_row_changes_no_bit() {
    for (name, mode) in Mode::ALL {
        for compatibility in BOTH {
            for (top, below) in combinations() {
                let (top, below) = (random(top, 1), random(below, 7));
                let blend = Blend::new(mode, 0.6, compatibility);
                let whole = bits(&lay(blend, &top, &below));
                for step in [1, 3, 16, 100, 128, 500] {
                    assert_eq!(bits(&lay_in_steps(blend, &top, &below, step)), whole, "{name} by {step}");
                }
            }
        }
    }
}
