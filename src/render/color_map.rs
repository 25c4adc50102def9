//! Colour maps by name: 256 colours for values 0..1, the same numbers as matplotlib's.
//!
//! A value is looked up at `trunc(256 v)`, 1 in the last place. A missing value has no colour: it stays missing.
//!
//! ColorBrewer's maps: this product includes color specifications and designs developed by Cynthia Brewer
//! (<https://colorbrewer.org>), Apache-2.0. Their tables are interpolated linearly between the published colours.
//! The others and their origin: `color_maps.txt`.

use super::stretch::LinearStretch;
use crate::core::error::{unknown_name, Error, Result};
use multiversion::multiversion;

/// Colours of a map.
const ENTRIES: usize = 256;

/// Places that a cut looks up before it interpolates: matplotlib's recipe for it, as RVT uses it.
const CUT_SAMPLES: usize = 100;

/// The entry after the last: of missing cells.
const MISSING: u16 = ENTRIES as u16;

/// Cells whose entries are found together, before bands are looked up.
const BLOCK: usize = 256;

/// A table of one band, and one entry more.
type Table = [f32; ENTRIES + 1];

/// Red, green, blue of every entry.
type Colors = Vec<[f64; 3]>;

/// Further names.
const ALIASES: &[(&str, &str)] = &[("grey", "gray"), ("Grays", "Greys")];

/// Every map as it was published; the file says how to read it.
const MAPS: &str = include_str!("color_maps.txt");

/// A colour map, ready to use.
#[derive(Debug, Clone)]
pub struct ColorMap {
    bands: Box<[Table; 3]>,
}

impl ColorMap {
    /// Every map. Each also exists turned round, with `_r` after its name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MAPS.lines().filter_map(name)
    }

    /// The map of a name, in any case. `cut` spreads a part of it over all values: from and to, in 0..1. It looks
    /// the part up at 100 places and interpolates, so that also a cut from 0 to 1 changes colours a little.
    pub fn named(name: &str, cut: Option<(f64, f64)>) -> Result<Self> {
        let plain = name.trim();
        let stem = plain.strip_suffix("_r").or_else(|| plain.strip_suffix("_R"));
        let Some(mut colors) = published(stem.unwrap_or(plain)) else {
            return Err(unknown_name("colour map (with _r: turned round)", name, Self::names()));
        };
        if stem.is_some() {
            colors.reverse();
        }
        if let Some((from, to)) = cut {
            if !(0.0 <= from && from < to && to <= 1.0) {
                return Err(Error::Argument(format!(
                    "colour map '{name}' cut from {from} to {to}; allowed: 0 to 1, the first below the second"
                )));
            }
            colors = spread(&colors, from, to);
        }
        let band = |band: usize| {
            std::array::from_fn(|entry| colors.get(entry).map_or(f32::NAN, |color| color[band] as f32))
        };
        Ok(Self { bands: Box::new([band(0), band(1), band(2)]) })
    }

    /// Red, green and blue of an entry.
    pub fn entry(&self, entry: u8) -> [f32; 3] {
        [0, 1, 2].map(|band| self.bands[band][usize::from(entry)])
    }

    /// Colours a row of values, stretched to 0..1.
    pub fn row(&self, values: &[f32], stretch: LinearStretch, to: [&mut [f32]; 3]) {
        let [red, green, blue] = to;
        let mut room = [0; BLOCK];
        for (block, values) in values.chunks(BLOCK).enumerate() {
            let columns = block * BLOCK..block * BLOCK + values.len();
            let entries = &mut room[..values.len()];
            find(values, stretch, entries);
            let rows = [&mut red[columns.clone()], &mut green[columns.clone()], &mut blue[columns]];
            for (table, row) in self.bands.iter().zip(rows) {
                for (to, entry) in row.iter_mut().zip(&*entries) {
                    *to = table[usize::from(*entry)];
                }
            }
        }
    }
}

/// Entries of values.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn find(values: &[f32], stretch: LinearStretch, entries: &mut [u16]) {
    for (entry, value) in entries.iter_mut().zip(values) {
        let value = stretch.apply(*value);
        // The cast truncates and limits to 0..255.
        let found = u16::from((ENTRIES as f32 * value) as u8);
        *entry = if value.is_nan() { MISSING } else { found };
    }
}

/// The name at the start of a line, if one is there.
fn name(line: &str) -> Option<&str> {
    let word = line.split(' ').next()?;
    word.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(word)
}

/// The whole map as published.
fn published(wanted: &str) -> Option<Colors> {
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(wanted));
    let wanted = alias.map_or(wanted, |(_, name)| *name);
    let mut lines = MAPS.lines();
    let line = lines.find(|line| name(line).is_some_and(|name| name.eq_ignore_ascii_case(wanted)))?;
    let anchors: Colors = line.split(' ').skip(1).map(hexadecimal).collect();
    if anchors.is_empty() {
        Some(lines.take(ENTRIES).map(decimal).collect())
    } else {
        Some(spaced(&anchors))
    }
}

fn hexadecimal(color: &str) -> [f64; 3] {
    let color = u32::from_str_radix(color, 16).expect("the file holds hexadecimal colours");
    [16, 8, 0].map(|shift| f64::from(color >> shift & 255) / 255.0)
}

fn decimal(line: &str) -> [f64; 3] {
    let mut bands = line.split(' ').map(|band| band.parse().expect("the file holds numbers"));
    std::array::from_fn(|_| bands.next().expect("the file holds three numbers a line"))
}

/// A table that runs through `colors`, which lie at equal distances.
fn spaced(colors: &[[f64; 3]]) -> Colors {
    let last = colors.len() - 1;
    let at = |entry: usize| {
        let place = (entry * last) as f64 / (ENTRIES - 1) as f64;
        let below = (place as usize).min(last - 1);
        let [from, to] = [colors[below], colors[below + 1]];
        std::array::from_fn(|band| from[band] + (to[band] - from[band]) * (place - below as f64))
    };
    (0..ENTRIES).map(at).collect()
}

/// A part of a table, spread over all of it.
fn spread(colors: &Colors, from: f64, to: f64) -> Colors {
    let step = (to - from) / (CUT_SAMPLES - 1) as f64;
    let sample = |sample: usize| {
        let place = if sample == CUT_SAMPLES - 1 { to } else { from + step * sample as f64 };
        colors[((ENTRIES as f64 * place) as usize).min(ENTRIES - 1)]
    };
    let samples: Colors = (0..CUT_SAMPLES).map(sample).collect();
    spaced(&samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn color(map: &ColorMap, value: f32) -> [f32; 3] {
        let mut out = [[9.0]; 3];
        let [red, green, blue] = &mut out;
        map.row(&[value], LinearStretch::UNIT, [red, green, blue]);
        out.map(|band| band[0])
    }

    #[test]
    fn values_find_their_entry() {
        let map = ColorMap::named("gray", None).unwrap();
        for (value, entry) in
            [(0.0, 0), (0.0039, 0), (0.003_906_25, 1), (0.5, 128), (0.9961, 255), (1.0, 255)]
        {
            assert_eq!(color(&map, value), [entry as f32 / 255.0; 3], "{value}");
        }
        assert!(color(&map, f32::NAN).iter().all(|band| band.is_nan()));
    }

    #[test]
    fn names_in_any_case_and_turned_round() {
        for name in ColorMap::names() {
            let map = ColorMap::named(name, None).unwrap();
            let turned = ColorMap::named(&format!("{}_R", name.to_lowercase()), None).unwrap();
            assert!((0..=255).all(|entry| map.entry(entry) == turned.entry(255 - entry)), "{name}");
        }
        for (alias, name) in [("Grays", "greys"), ("grey_r", "binary")] {
            let [alias, map] = [alias, name].map(|name| ColorMap::named(name, None).unwrap());
            assert!((0..=255).all(|entry| alias.entry(entry) == map.entry(entry)), "{name}");
        }
    }

    #[test]
    fn errors_say_what_is_allowed() {
        for name in ["jet", "viridis_r_r", "# turbo", "0 0 0", ""] {
            let error = ColorMap::named(name, None).unwrap_err().to_string();
            assert!(error.contains(&format!("'{name}'")) && error.contains("OrRd"), "{error}");
        }
        for cut in [(0.5, 0.5), (0.8, 0.2), (-0.1, 1.0), (0.0, 1.1), (f64::NAN, 1.0)] {
            let error = ColorMap::named("OrRd", Some(cut)).unwrap_err().to_string();
            assert!(error.starts_with("colour map 'OrRd' cut from") && error.contains("allowed"), "{error}");
        }
    }
}
