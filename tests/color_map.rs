//! Colour maps against matplotlib's tables, and what a perceptual map must do.

mod common;

use common::files::data;
use serde_json::Value;
use std::collections::BTreeSet;
use terralume::render::color_map::ColorMap;
use terralume::render::stretch::LinearStretch;

fn table(name: &str) -> Value {
    let text = std::fs::read_to_string(data("goldens/tables").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The tables were written with at least seven digits.
fn assert_entry(map: &ColorMap, entry: u8, expected: &Value, what: &str) {
    for (ours, theirs) in map.entry(entry).into_iter().zip(numbers(expected)) {
        assert!((f64::from(ours) - theirs).abs() < 2e-7, "{what}, entry {entry}: {ours} instead of {theirs}");
    }
}

/// Whole tables, cut and uncut: names as `Reds_r_cut_0.5_1`, `OrRd_uncut`.
#[test]
fn tables_of_presets_are_those_rvt_uses() {
    let tables = table("colour_tables.json");
    let tables = tables["lut"].as_object().unwrap();
    assert_eq!(tables.len(), 7);
    for (name, colors) in tables {
        let map = match name.split_once("_cut_") {
            None => ColorMap::named(name.strip_suffix("_uncut").unwrap(), None),
            Some((name, cut)) => {
                let (from, to) = cut.split_once('_').unwrap();
                ColorMap::named(name, Some((from.parse().unwrap(), to.parse().unwrap())))
            }
        };
        let map = map.unwrap();
        for (entry, expected) in colors.as_array().unwrap().iter().enumerate() {
            assert_entry(&map, entry as u8, expected, name);
        }
    }
}

#[test]
fn every_map_has_the_colours_of_matplotlib() {
    let golden = table("matplotlib_maps.json");
    let maps = golden["maps"].as_object().unwrap();
    let names: BTreeSet<&str> = ColorMap::names().collect();
    assert_eq!(names, maps.keys().map(String::as_str).collect());
    for (name, colors) in maps {
        let map = ColorMap::named(name, None).unwrap();
        for (entry, expected) in numbers(&golden["entries"]).into_iter().zip(colors.as_array().unwrap()) {
            assert_entry(&map, entry as u8, expected, name);
        }
    }
}

/// Lightness L* of CIE 1976 of an sRGB colour.
fn lightness(color: [f32; 3]) -> f64 {
    let linear = color.map(|band| match f64::from(band) {
        band if band <= 0.04045 => band / 12.92,
        band => ((band + 0.055) / 1.055).powf(2.4),
    });
    let luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    match luminance {
        dark if dark <= 0.008856 => 903.3 * dark,
        light => 116.0 * light.cbrt() - 16.0,
    }
}

/// Made so that lightness grows evenly: a wrong line in a table would show.
#[test]
fn perceptual_maps_grow_lighter_evenly() {
    for name in ["viridis", "magma", "inferno", "plasma", "cividis"] {
        let map = ColorMap::named(name, None).unwrap();
        let lightness: Vec<f64> = (0..=255).map(|entry| lightness(map.entry(entry))).collect();
        let mean = (lightness[255] - lightness[0]) / 255.0;
        for (entry, pair) in lightness.windows(2).enumerate() {
            let step = pair[1] - pair[0];
            assert!(
                (0.0..3.0 * mean).contains(&step),
                "{name}: step {step} after entry {entry}, mean {mean}"
            );
        }
    }
}

#[test]
fn neighbouring_colours_are_alike() {
    for name in ColorMap::names() {
        let map = ColorMap::named(name, None).unwrap();
        for entry in 0..255 {
            let pairs = map.entry(entry).into_iter().zip(map.entry(entry + 1));
            let step = pairs.fold(0.0, |step: f32, (a, b)| step.max((a - b).abs()));
            assert!(step < 0.035, "{name}: {step} after entry {entry}");
        }
    }
}

#[test]
fn rows_are_coloured_cell_by_cell_and_missing_cells_stay_missing() {
    let values: Vec<f32> = (0..1003).map(|cell| (cell as f32 - 10.0) / 970.0).collect();
    let mut values = values;
    values.iter_mut().step_by(7).for_each(|cell| *cell = f32::NAN);
    let map = ColorMap::named("Spectral", Some((0.2, 0.9))).unwrap();
    let color = |values: &[f32]| -> [Vec<f32>; 3] {
        let mut rows = [0; 3].map(|_| vec![9.0; values.len()]);
        let [red, green, blue] = &mut rows;
        map.row(values, LinearStretch::UNIT, [red, green, blue]);
        rows
    };
    let whole = color(&values);
    for (cell, value) in values.iter().enumerate() {
        let one = color(&[*value]);
        for (whole, one) in whole.iter().zip(one) {
            assert_eq!(whole[cell].to_bits(), one[0].to_bits());
            assert_eq!(whole[cell].is_nan(), value.is_nan());
        }
    }
    assert_eq!([whole[0][1], whole[1][1], whole[2][1]], map.entry(0));
    assert_eq!([whole[0][1002], whole[1][1002], whole[2][1002]], map.entry(255));
}
