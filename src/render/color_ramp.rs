//! Colours from a text file: GDAL's (`gdaldem color-relief`) and QGIS's colour maps.
//!
//! A line is `value red green blue [alpha [label]]`, or `value name [alpha]` with a colour's name as GDAL has them;
//! spaces, commas, tabs and colons separate. A value is a number, a share of the range as `50%`, or `nv` for missing
//! cells. `#` begins a comment. A line `INTERPOLATION:INTERPOLATED`, `:DISCRETE` or `:EXACT`, as QGIS writes it, says
//! what is between the values.
//!
//! Values are compared as 32-bit numbers, like the cells. Missing cells stay missing unless an `nv` line gives them a
//! colour that is not fully transparent.

use crate::core::error::{Error, Result};

/// Red, green, blue, alpha: 0..1.
type Color = [f32; 4];

/// What is wrong with a line, without its number.
type Read<T> = std::result::Result<T, String>;

const NOTHING: Color = [f32::NAN; 4];

/// Names of colours, as GDAL knows them.
const NAMED: &[(&str, [u8; 3])] = &[
    ("white", [255, 255, 255]),
    ("black", [0, 0, 0]),
    ("red", [255, 0, 0]),
    ("green", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("yellow", [255, 255, 0]),
    ("magenta", [255, 0, 255]),
    ("cyan", [0, 255, 255]),
    ("aqua", [0, 191, 191]),
    ("grey", [191, 191, 191]),
    ("gray", [191, 191, 191]),
    ("orange", [255, 127, 0]),
    ("brown", [191, 127, 63]),
    ("purple", [127, 0, 255]),
    ("violet", [127, 0, 255]),
    ("indigo", [0, 127, 255]),
];

/// What lies between the values of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// Colours run evenly from one value to the next; the first and the last go on beyond the ends. At a value that
    /// stands twice the colour jumps, and is halfway at the value itself.
    #[default]
    Interpolated,
    /// A colour holds for values up to its own, from the one before on; beyond the last there is none.
    Discrete,
    /// A colour holds for its own value only.
    Exact,
}

impl Interpolation {
    /// Each with the word QGIS has for it.
    const ALL: [(&'static str, Interpolation); 3] = [
        ("INTERPOLATED", Interpolation::Interpolated),
        ("DISCRETE", Interpolation::Discrete),
        ("EXACT", Interpolation::Exact),
    ];
}

/// Where a line's colour belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Value(f64),
    /// Share of the range, 0..1 inside it.
    Share(f64),
    Missing,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// Counted from 1.
    line: usize,
    place: Place,
    color: Color,
}

/// A file as it was read. Its percentages wait for a range.
#[derive(Debug, Clone, PartialEq)]
pub struct RampFile {
    entries: Vec<Entry>,
    interpolation: Interpolation,
}

impl RampFile {
    /// Reads a file's text. Errors name the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut file = Self { entries: Vec::new(), interpolation: Interpolation::default() };
        for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let said = |error: String| at(line, &error);
            let separators = [' ', ',', '\t', ':', '\r'];
            let words = text.split(separators).filter(|word| !word.is_empty());
            let words: Vec<&str> = words.take_while(|word| !word.starts_with('#')).collect();
            match words.as_slice() {
                [] => {}
                [key, rest @ ..] if key.eq_ignore_ascii_case("interpolation") => {
                    file.interpolation = interpolation(rest).map_err(said)?;
                }
                [value, color @ ..] => {
                    let (place, color) = (place(value).map_err(said)?, color_of(color).map_err(said)?);
                    file.entries.push(Entry { line, place, color });
                }
            }
        }
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<()> {
        if self.entries.iter().all(|entry| entry.place == Place::Missing) {
            return Err(Error::Input(
                "colours: no value has a colour; allowed: at least one line 'value red green blue'".into(),
            ));
        }
        let is_finite =
            |entry: &Entry| !matches!(entry.place, Place::Value(value) if (value as f32).is_infinite());
        let infinite = self.entries.iter().find(|entry| !is_finite(entry));
        match infinite.filter(|_| self.interpolation != Interpolation::Discrete) {
            None => Ok(()),
            Some(entry) => Err(at(
                entry.line,
                "the value is infinite; allowed: 32-bit numbers, and inf where the file says INTERPOLATION:DISCRETE",
            )),
        }
    }

    /// Whether a value is given as a share of the range, so that [`RampFile::ramp`] needs one.
    pub fn needs_range(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.place, Place::Share(_)))
    }

    /// Makes it ready. `range` is what 0 % and 100 % are.
    pub fn ramp(&self, range: Option<(f64, f64)>) -> Result<ColorRamp> {
        let range = range.filter(|(min, max)| min.is_finite() && max.is_finite());
        let mut entries: Vec<(f32, Color)> = Vec::new();
        let mut missing = NOTHING;
        for Entry { line, place, color } in &self.entries {
            match (*place, range) {
                (Place::Value(value), _) => entries.push((value as f32, *color)),
                (Place::Share(share), Some((min, max))) => {
                    entries.push(((min + share * (max - min)) as f32, *color))
                }
                (Place::Share(_), None) => {
                    return Err(at(
                        *line,
                        "the value is a share of a range that is not known; allowed: numbers",
                    ))
                }
                (Place::Missing, _) => missing = if color[3] > 0.0 { *color } else { NOTHING },
            }
        }
        // Stable: of lines with the same value, the first is the lower side of the jump.
        entries.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (values, colors) = entries.into_iter().unzip();
        Ok(ColorRamp { values, colors, missing, interpolation: self.interpolation })
    }
}

fn at(line: usize, what: &str) -> Error {
    Error::Input(format!("colours, line {line}: {what}"))
}

fn interpolation(words: &[&str]) -> Read<Interpolation> {
    let given = words.join(" ");
    let known = Interpolation::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(&given));
    known.map(|(_, interpolation)| *interpolation).ok_or_else(|| {
        format!("interpolation '{given}' is not allowed; allowed: INTERPOLATED, DISCRETE, EXACT")
    })
}

fn place(word: &str) -> Read<Place> {
    if word.eq_ignore_ascii_case("nv") {
        return Ok(Place::Missing);
    }
    let (number, share) = match word.strip_suffix('%') {
        Some(number) => (number, true),
        None => (word, false),
    };
    match number.parse::<f64>() {
        Ok(value) if share && value.is_finite() => Ok(Place::Share(value / 100.0)),
        Ok(value) if !share && !value.is_nan() => Ok(Place::Value(value)),
        _ => Err(format!("value '{word}' is not allowed; allowed: a number, a percentage as 50%, nv")),
    }
}

fn color_of(words: &[&str]) -> Read<Color> {
    let named = words.first().filter(|word| word.starts_with(|first: char| first.is_alphabetic()));
    let (bytes, rest) = match (named, words) {
        (Some(name), _) => (named_color(name)?, &words[1..]),
        (None, [red, green, blue, rest @ ..]) => {
            ([byte("red", red)?, byte("green", green)?, byte("blue", blue)?], rest)
        }
        (None, _) => {
            let count = words.len();
            return Err(format!(
                "{count} numbers after the value; allowed: red green blue [alpha], or a name"
            ));
        }
    };
    let alpha = rest.first().map_or(Ok(255), |word| byte("alpha", word))?;
    Ok([bytes[0], bytes[1], bytes[2], alpha].map(|byte| f32::from(byte) / 255.0))
}

fn named_color(name: &str) -> Read<[u8; 3]> {
    let known = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, color)| *color).ok_or_else(|| {
        let allowed: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
        format!("colour '{name}' is not known; allowed: {}, or red green blue as numbers", allowed.join(", "))
    })
}

fn byte(band: &str, word: &str) -> Read<u8> {
    word.parse().map_err(|_| format!("{band} '{word}' is not allowed; allowed: whole numbers 0 to 255"))
}

/// Colours for values, ready to use.
#[derive(Debug, Clone)]
pub struct ColorRamp {
    /// In rising order, as many as colours.
    values: Vec<f32>,
    colors: Vec<Color>,
    /// Of missing cells.
    missing: Color,
    interpolation: Interpolation,
}

impl ColorRamp {
    /// Whether an `nv` line gives missing cells a colour: then they are not missing afterwards.
    pub fn colors_missing(&self) -> bool {
        !self.missing[0].is_nan()
    }

    /// Whether some colour lets the background through, so that an alpha band says something.
    pub fn has_transparency(&self) -> bool {
        self.colors.iter().any(|color| color[3] < 1.0)
    }

    /// Colours a row of values: red, green and blue, and alpha where there are four rows, in 0..1. Cells without a
    /// colour are missing in every row.
    pub fn row<const BANDS: usize>(&self, values: &[f32], mut to: [&mut [f32]; BANDS]) {
        const { assert!(BANDS == 3 || BANDS == 4, "red, green, blue, and alpha or not") };
        // Neighbours mostly lie between the same two values.
        let mut below = 0;
        for (cell, value) in values.iter().enumerate() {
            let color = if value.is_nan() {
                self.missing
            } else {
                below = self.values_up_to(*value, below);
                self.color(*value, below)
            };
            for (to, band) in to.iter_mut().zip(color) {
                to[cell] = band;
            }
        }
    }

    /// How many values are at most `value`. `guess` is tried first.
    fn values_up_to(&self, value: f32, guess: usize) -> usize {
        let holds = guess > 0 && self.values[guess - 1] <= value;
        match self.values.get(guess) {
            Some(next) if holds && value < *next => guess,
            _ => self.values.partition_point(|known| *known <= value),
        }
    }

    /// The colour of a value that `up_to` values do not exceed.
    fn color(&self, value: f32, up_to: usize) -> Color {
        let equal = self.values[..up_to].iter().rev().take_while(|known| **known == value).count();
        let first = up_to - equal;
        match self.interpolation {
            Interpolation::Exact if equal == 0 => NOTHING,
            Interpolation::Exact => self.colors[first],
            Interpolation::Discrete => self.colors.get(first).copied().unwrap_or(NOTHING),
            Interpolation::Interpolated if equal > 0 => {
                between(self.colors[first], self.colors[up_to - 1], 0.5)
            }
            Interpolation::Interpolated if up_to == 0 => self.colors[0],
            Interpolation::Interpolated if up_to == self.colors.len() => self.colors[up_to - 1],
            Interpolation::Interpolated => {
                // 64 bits, because the distance of two 32-bit numbers may be none.
                let [from, to] = [self.values[up_to - 1], self.values[up_to]].map(f64::from);
                let share = (f64::from(value) - from) / (to - from);
                between(self.colors[up_to - 1], self.colors[up_to], share as f32)
            }
        }
    }
}

fn between(from: Color, to: Color, share: f32) -> Color {
    std::array::from_fn(|band| from[band] + (to[band] - from[band]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(text: &str) -> ColorRamp {
        RampFile::parse(text).unwrap().ramp(Some((100.0, 200.0))).unwrap()
    }

    /// Bytes of a value's colour; None where it is missing.
    fn bytes(ramp: &ColorRamp, value: f32) -> Option<[f32; 4]> {
        let mut out = [[9.0]; 4];
        let [red, green, blue, alpha] = &mut out;
        ramp.row(&[value], [red, green, blue, alpha]);
        let missing = out.map(|band| band[0].is_nan());
        assert!(missing.iter().all(|band| *band == missing[0]));
        (!missing[0]).then(|| out.map(|band| (band[0] * 255.0 * 64.0).round() / 64.0))
    }

    #[test]
    fn values_between_lines_are_interpolated_and_the_ends_go_on() {
        let ramp = ramp("10 100 0 0\n20 200 50 0 0\n# nothing\n\n30 white\n");
        let expected = [
            (-5.0, [100.0, 0.0, 0.0, 255.0]),
            (10.0, [100.0, 0.0, 0.0, 255.0]),
            (15.0, [150.0, 25.0, 0.0, 127.5]),
            (20.0, [200.0, 50.0, 0.0, 0.0]),
            (30.0, [255.0; 4]),
            (f32::INFINITY, [255.0; 4]),
        ];
        for (value, color) in expected {
            assert_eq!(bytes(&ramp, value), Some(color), "{value}");
        }
        assert_eq!(bytes(&ramp, f32::NAN), None);
        assert!(ramp.has_transparency() && !ramp.colors_missing());
    }

    #[test]
    fn lines_in_any_order_and_jumps() {
        let ramp = ramp("10 9 9 9\n5 1 1 1\n5 3 3 3\n0 1 1 1\n");
        let red = [0.0, 4.9, 5.0, 7.5, 10.0].map(|value| bytes(&ramp, value).unwrap()[0]);
        assert_eq!(red, [1.0, 1.0, 2.0, 6.0, 9.0]);
    }

    #[test]
    fn separators_percentages_missing_and_comments() {
        let ramp = ramp("\u{feff}0%:1:1:1\r\n50%,3 , 3\t3 # half\n100% Red 51\nNV\t7 8 9\n");
        assert_eq!(bytes(&ramp, 125.0), Some([2.0, 2.0, 2.0, 255.0]));
        assert_eq!(bytes(&ramp, 200.0), Some([255.0, 0.0, 0.0, 51.0]));
        assert_eq!(bytes(&ramp, f32::NAN), Some([7.0, 8.0, 9.0, 255.0]));
        assert!(ramp.colors_missing());
        let transparent = RampFile::parse("0 1 1 1\nnv 7 8 9 0\n").unwrap().ramp(None).unwrap();
        assert!(!transparent.colors_missing() && bytes(&transparent, f32::NAN).is_none());
    }

    const QGIS: &str = "# QGIS Generated Color Map Export File\nINTERPOLATION:INTERPOLATED\n\
        1.5,10,20,30,255,low, or so: # 1\n2.5,20,40,60,255,\n";

    #[test]
    fn colour_maps_of_qgis() {
        assert_eq!(bytes(&ramp(QGIS), 2.0), Some([15.0, 30.0, 45.0, 255.0]));
        let discrete = ramp("INTERPOLATION:DISCRETE\n0,1,1,1,255,<= 0\n5,2,2,2,255,<= 5\n");
        let found = [-9.0, 0.0, 0.1, 5.0].map(|value| bytes(&discrete, value).unwrap()[0]);
        assert_eq!(found, [1.0, 1.0, 2.0, 2.0]);
        assert_eq!(bytes(&discrete, 5.1), None);
        let open = ramp("INTERPOLATION:DISCRETE\n0,1,1,1,255,<= 0\ninf,2,2,2,255,> 0\n");
        assert_eq!(bytes(&open, 1e30).unwrap()[0], 2.0);
        let exact = ramp("INTERPOLATION:EXACT\n0.1,1,1,1,255,\n5,2,2,2,255,\n");
        assert_eq!((bytes(&exact, 0.1).unwrap()[0], bytes(&exact, 5.0).unwrap()[0]), (1.0, 2.0));
        assert_eq!((bytes(&exact, 0.2), bytes(&exact, 6.0)), (None, None));
    }

    #[test]
    fn errors_name_line_and_reason() {
        let cases = [
            ("0 1 1 1\n1 300 0 0", "line 2: red '300'", "whole numbers 0 to 255"),
            ("0 1 -1 1", "line 1: green '-1'", "whole numbers 0 to 255"),
            ("0 1 1 1.5", "line 1: blue '1.5'", "whole numbers 0 to 255"),
            ("# a\n\n0 1 1 1 x", "line 3: alpha 'x'", "whole numbers 0 to 255"),
            ("low 1 1 1", "line 1: value 'low'", "50%"),
            ("nan 1 1 1", "line 1: value 'nan'", "nv"),
            ("inf% 1 1 1", "line 1: value 'inf%'", "50%"),
            ("0 1 1", "line 1: 2 numbers after the value", "red green blue [alpha]"),
            ("0", "line 1: 0 numbers after the value", "or a name"),
            ("0 pink", "line 1: colour 'pink'", "white, black"),
            (
                "INTERPOLATION:LINEAR\n0 1 1 1",
                "line 1: interpolation 'LINEAR'",
                "INTERPOLATED, DISCRETE, EXACT",
            ),
            ("0 1 1 1\ninf 1 1 1", "line 2: the value is infinite", "DISCRETE"),
            ("0 1 1 1\n1e39 1 1 1", "line 2: the value is infinite", "DISCRETE"),
            ("# only a comment", "no value has a colour", "at least one line"),
            ("nv 1 1 1", "no value has a colour", "at least one line"),
        ];
        for (text, what, allowed) in cases {
            let error = RampFile::parse(text).unwrap_err().to_string();
            assert!(
                error.contains(what) && error.contains("allowed: ") && error.contains(allowed),
                "{error}"
            );
        }
    }

    #[test]
    fn percentages_wait_for_a_range() {
        let file = RampFile::parse("0 black\n50% white").unwrap();
        assert!(file.needs_range() && !RampFile::parse(QGIS).unwrap().needs_range());
        for range in [None, Some((0.0, f64::NAN)), Some((f64::NEG_INFINITY, 0.0))] {
            let error = file.ramp(range).unwrap_err().to_string();
            assert!(error.starts_with("colours, line 2: the value is a share of a range"), "{error}");
        }
        assert_eq!(bytes(&file.ramp(Some((0.0, 20.0))).unwrap(), 5.0), Some([127.5, 127.5, 127.5, 255.0]));
    }

    /// The guess of where a neighbour lies changes nothing.
    #[test]
    fn rows_are_coloured_cell_by_cell() {
        let ramp = ramp("0 0 0 0\n10 9 9 9\n10 99 9 9\n30 white\n31 7 7 7\n60 black 3\n");
        let values: Vec<f32> = (0..500).map(|cell| (cell * 37 % 500) as f32 / 7.0 - 3.0).collect();
        let mut rows = [0; 3].map(|_| vec![9.0; values.len()]);
        let [red, green, blue] = &mut rows;
        ramp.row(&values, [red, green, blue]);
        for (cell, value) in values.iter().enumerate() {
            let mut one = [[9.0]; 3];
            let [red, green, blue] = &mut one;
            ramp.row(&[*value], [red, green, blue]);
            assert_eq!([rows[0][cell], rows[1][cell], rows[2][cell]], one.map(|band| band[0]), "{value}");
        }
    }
}
