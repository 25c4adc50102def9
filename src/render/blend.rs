//! Blend modes: how an upper layer changes the picture below it.
//!
//! `a` is the upper layer, `b` the background, both 0..1. The opacity step is `mixed * opacity + b * (1 - opacity)`.
//! Formulas: Kokalj & Somrak 2019 (doi:10.3390/rs11070747), section 2.3, for the first six modes; the W3C's
//! Compositing and Blending Level 1, section 10, for those that other programs have as well.
//!
//! Either layer may be grey (one band) or coloured (red, green, blue). Modes that look at one band at a time use a
//! grey layer for each band of a coloured one. A missing cell in either layer is missing afterwards.

use super::mix;
use super::stretch::LinearStretch;
use crate::core::error::{unknown_name, Result};
use crate::core::operation::Compatibility;
use multiversion::multiversion;
use serde::{Deserialize, Serialize};

/// A blend mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The upper layer covers the background: `a`.
    #[default]
    Normal,
    /// `a b`: darkens.
    Multiply,
    /// `1 - (1-a)(1-b)`: lightens.
    Screen,
    /// Multiplies dark backgrounds, screens light ones: `2ab`, above `b = 0.5` `1 - 2(1-a)(1-b)`.
    Overlay,
    /// A gentler overlay that follows the upper layer: `2ab + b²(1-2a)`, from `a = 0.5` on `2b(1-a) + √b (2a-1)`.
    SoftLight,
    /// Overlay with the layers changed round: follows the upper layer.
    HardLight,
    /// The darker of both.
    Darken,
    /// The lighter of both.
    Lighten,
    /// `b / (1-a)`, at most 1; where `b = 0` it is 0, else where `a = 1` it is 1: lights up what is not black.
    #[serde(alias = "colour_dodge")]
    ColorDodge,
    /// `1 - (1-b) / a`, at least 0; where `b = 1` it is 1, else where `a = 0` it is 0: dims what is not white.
    #[serde(alias = "colour_burn")]
    ColorBurn,
    /// `|a - b|`.
    Difference,
    /// `a + b`, at most 1.
    Add,
    /// Brightness of the upper layer, colour of the background: each band becomes `b + lum(a) - lum(b)` with
    /// `lum = 0.3 red + 0.59 green + 0.11 blue`, then the colour is drawn towards its grey until it lies in 0..1.
    /// Over a grey background: `lum(a)`, grey.
    Luminosity,
    /// The V of the background's HSV is replaced by the upper layer's (a grey layer is its own V); hue and saturation
    /// stay. Over a grey background: the V of the upper layer, grey.
    HsvValue,
}

/// Further names: what other programs call a mode.
const ALIASES: [(&str, Mode); 1] = [("src_over", Mode::Normal)];

impl Mode {
    /// Every mode with its name.
    pub const ALL: [(&'static str, Mode); 14] = [
        ("normal", Mode::Normal),
        ("multiply", Mode::Multiply),
        ("screen", Mode::Screen),
        ("overlay", Mode::Overlay),
        ("soft_light", Mode::SoftLight),
        ("hard_light", Mode::HardLight),
        ("darken", Mode::Darken),
        ("lighten", Mode::Lighten),
        ("color_dodge", Mode::ColorDodge),
        ("color_burn", Mode::ColorBurn),
        ("difference", Mode::Difference),
        ("add", Mode::Add),
        ("luminosity", Mode::Luminosity),
        ("hsv_value", Mode::HsvValue),
    ];

    /// The mode of a name. Case does not matter, nor whether words are joined by `_`, `-` or a space, nor the `u` in
    /// "colour".
    pub fn parse(name: &str) -> Result<Mode> {
        let plain = name.trim().to_ascii_lowercase().replace(['-', ' '], "_").replace("colour", "color");
        let known = Mode::ALL.iter().chain(&ALIASES).find(|(known, _)| *known == plain);
        known
            .map(|(_, mode)| *mode)
            .ok_or_else(|| unknown_name("blend mode", name, Mode::ALL.iter().map(|(name, _)| *name)))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Mode::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }

    /// Whether the bands of a colour are mixed each on its own.
    fn is_separable(self) -> bool {
        !matches!(self, Mode::Luminosity | Mode::HsvValue)
    }
}

/// A row of the upper layer.
#[derive(Debug, Clone, Copy)]
pub enum Top<'a> {
    /// One band.
    Grey(&'a [f32]),
    /// Red, green, blue.
    Rgb([&'a [f32]; 3]),
}

/// A row of the picture so far, which becomes the picture with the upper layer on it.
#[derive(Debug)]
pub enum Background<'a> {
    /// One band, and the result is grey as well: [`Blend::bands`] says when.
    Grey(&'a mut [f32]),
    /// A grey picture that becomes coloured: it stands in the first row; what is in the others does not matter.
    Widened([&'a mut [f32]; 3]),
    /// Red, green, blue.
    Rgb([&'a mut [f32]; 3]),
}

/// One layer over a background.
#[derive(Debug, Clone, Copy)]
pub struct Blend {
    mode: Mode,
    opacity: f32,
    /// RVT writes into the background before it mixes, in two modes.
    overwrites: bool,
}

/// Cells whose brightness is computed together when a mode mixes bands.
const BLOCK: usize = 128;

impl Blend {
    /// `opacity` is a share of 1. RVT overwrites the background in overlay and soft light before it mixes, so that
    /// their opacity has no effect; of a coloured layer over a grey background each band then gets the result of the
    /// one before as its background, and the opacity mixes with the result of the last one.
    pub fn new(mode: Mode, opacity: f64, compatibility: Compatibility) -> Self {
        let overwrites =
            compatibility == Compatibility::Rvt && matches!(mode, Mode::Overlay | Mode::SoftLight);
        Self { mode, opacity: opacity as f32, overwrites }
    }

    /// How it mixes.
    pub fn mode(self) -> Mode {
        self.mode
    }

    /// Opacity in per cent, in few digits: a share of it is the very number that is used.
    pub fn percent(self) -> f64 {
        let percent = 100.0 * f64::from(self.opacity);
        let short = (1e6 * percent).round() / 1e6;
        if (short / 100.0) as f32 == self.opacity {
            short
        } else {
            percent
        }
    }

    /// Bands of the result when a layer of `top` bands lies over a picture of `background` bands.
    pub fn bands(self, top: usize, background: usize) -> usize {
        if self.mode.is_separable() {
            top.max(background)
        } else {
            background
        }
    }

    /// Lays a row, stretched, over the background. All rows have the same length.
    pub fn row(self, top: Top<'_>, stretch: LinearStretch, background: Background<'_>) {
        match background {
            Background::Grey(below) => self.over_grey(top, stretch, below),
            Background::Widened(rows) if self.overwrites => self.cascade(top, stretch, rows),
            Background::Widened([red, green, blue]) => {
                green.copy_from_slice(red);
                blue.copy_from_slice(red);
                self.over_color(top, stretch, [red, green, blue]);
            }
            Background::Rgb(rows) => self.over_color(top, stretch, rows),
        }
    }

    /// A coloured layer comes here only in modes that take one brightness from it.
    fn over_grey(self, top: Top<'_>, stretch: LinearStretch, below: &mut [f32]) {
        match top {
            Top::Grey(above) => self.band(above, stretch, self.mixing_opacity(), below),
            Top::Rgb(_) => {
                debug_assert!(!self.mode.is_separable(), "{:?} needs a background of three rows", self.mode);
                let opacity = self.opacity;
                self.brightnesses(top, stretch, below.len(), |first, brightness| {
                    let below = &mut below[first..first + brightness.len()];
                    lay(brightness, LinearStretch::UNIT, below, opacity, mix::normal);
                });
            }
        }
    }

    fn over_color(self, top: Top<'_>, stretch: LinearStretch, rows: [&mut [f32]; 3]) {
        if self.mode.is_separable() {
            for (above, below) in bands_of(top).into_iter().zip(rows) {
                self.band(above, stretch, self.mixing_opacity(), below);
            }
            return;
        }
        let [red, green, blue] = rows;
        let opacity = self.opacity;
        self.brightnesses(top, stretch, red.len(), |first, brightness| {
            let block = first..first + brightness.len();
            let (red, green) = (&mut red[block.clone()], &mut green[block.clone()]);
            let blue = &mut blue[block];
            match self.mode {
                Mode::HsvValue => recolor(brightness, red, green, blue, opacity, mix::with_hsv_value),
                _ => recolor(brightness, red, green, blue, opacity, mix::with_luminance),
            }
        });
    }

    /// The background of each band is the result of the one before.
    fn cascade(self, top: Top<'_>, stretch: LinearStretch, [red, green, blue]: [&mut [f32]; 3]) {
        let above = bands_of(top);
        self.band(above[0], stretch, 1.0, red);
        green.copy_from_slice(red);
        self.band(above[1], stretch, 1.0, green);
        blue.copy_from_slice(green);
        self.band(above[2], stretch, 1.0, blue);
        for row in [red, green] {
            fade(row, blue, self.opacity);
        }
    }

    /// In RVT a background that was overwritten is mixed with itself.
    fn mixing_opacity(self) -> f32 {
        if self.overwrites {
            1.0
        } else {
            self.opacity
        }
    }

    /// One band over one band. One loop per mode, so that each vectorises.
    fn band(self, above: &[f32], stretch: LinearStretch, opacity: f32, below: &mut [f32]) {
        match self.mode {
            // The luminosity of a grey layer, and its V, is the layer.
            Mode::Normal | Mode::Luminosity | Mode::HsvValue => {
                lay(above, stretch, below, opacity, mix::normal)
            }
            Mode::Multiply => lay(above, stretch, below, opacity, mix::multiply),
            Mode::Screen => lay(above, stretch, below, opacity, mix::screen),
            Mode::Overlay => lay(above, stretch, below, opacity, mix::overlay),
            Mode::SoftLight => lay(above, stretch, below, opacity, mix::soft_light),
            Mode::HardLight => lay(above, stretch, below, opacity, mix::hard_light),
            Mode::Darken => lay(above, stretch, below, opacity, mix::darken),
            Mode::Lighten => lay(above, stretch, below, opacity, mix::lighten),
            Mode::ColorDodge => lay(above, stretch, below, opacity, mix::color_dodge),
            Mode::ColorBurn => lay(above, stretch, below, opacity, mix::color_burn),
            Mode::Difference => lay(above, stretch, below, opacity, mix::difference),
            Mode::Add => lay(above, stretch, below, opacity, mix::add),
        }
    }

    /// Hands the brightness of the upper layer to `then`, block by block, with the block's first column.
    fn brightnesses(
        self,
        top: Top<'_>,
        stretch: LinearStretch,
        width: usize,
        mut then: impl FnMut(usize, &[f32]),
    ) {
        let mut room = [0.0; BLOCK];
        for first in (0..width).step_by(BLOCK) {
            let last = (first + BLOCK).min(width);
            let brightness = &mut room[..last - first];
            match (top, self.mode) {
                (Top::Grey(above), _) => stretch_row(&above[first..last], stretch, brightness),
                (Top::Rgb(above), mode) => {
                    let [red, green, blue] = above.map(|row| &row[first..last]);
                    match mode {
                        Mode::HsvValue => measure([red, green, blue], stretch, brightness, mix::hsv_value),
                        _ => measure([red, green, blue], stretch, brightness, mix::luminance),
                    }
                }
            }
            then(first, brightness);
        }
    }
}

fn bands_of(top: Top<'_>) -> [&[f32]; 3] {
    match top {
        Top::Grey(row) => [row; 3],
        Top::Rgb(rows) => rows,
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn lay<F: Fn(f32, f32) -> f32>(
    top: &[f32],
    stretch: LinearStretch,
    background: &mut [f32],
    opacity: f32,
    mix: F,
) {
    for (below, above) in background.iter_mut().zip(top) {
        let mixed = mix(stretch.apply(*above), *below);
        *below = mixed * opacity + *below * (1.0 - opacity);
    }
}

/// Gives a coloured row another brightness.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn recolor<F: Fn(f32, mix::Rgb) -> mix::Rgb>(
    brightness: &[f32],
    red: &mut [f32],
    green: &mut [f32],
    blue: &mut [f32],
    opacity: f32,
    mix: F,
) {
    let rows = red.iter_mut().zip(green).zip(blue).zip(brightness);
    for (((red, green), blue), brightness) in rows {
        let below = [*red, *green, *blue];
        let mixed = mix(*brightness, below);
        *red = mixed[0] * opacity + below[0] * (1.0 - opacity);
        *green = mixed[1] * opacity + below[1] * (1.0 - opacity);
        *blue = mixed[2] * opacity + below[2] * (1.0 - opacity);
    }
}

/// One number from each colour of a row.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn measure<F: Fn(mix::Rgb) -> f32>(rows: [&[f32]; 3], stretch: LinearStretch, to: &mut [f32], brightness: F) {
    let [red, green, blue] = rows;
    for (to, ((red, green), blue)) in to.iter_mut().zip(red.iter().zip(green).zip(blue)) {
        *to = brightness([stretch.apply(*red), stretch.apply(*green), stretch.apply(*blue)]);
    }
}

/// The opacity step alone: `row` over what is behind it.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn fade(row: &mut [f32], behind: &[f32], opacity: f32) {
    for (row, behind) in row.iter_mut().zip(behind) {
        *row = *row * opacity + *behind * (1.0 - opacity);
    }
}

/// Stretches a row: the bottom layer of a blend.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn stretch_row(from: &[f32], stretch: LinearStretch, to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = stretch.apply(*from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay(mode: Mode, opacity: f64, compatibility: Compatibility, a: f32, b: f32) -> f32 {
        let mut row = [b];
        let blend = Blend::new(mode, opacity, compatibility);
        blend.row(Top::Grey(&[a]), LinearStretch::UNIT, Background::Grey(&mut row));
        row[0]
    }

    #[test]
    fn opacity_mixes_and_rvt_ignores_it_in_two_modes() {
        assert_eq!(lay(Mode::Multiply, 0.5, Compatibility::None, 0.0, 1.0), 0.5);
        assert_eq!(lay(Mode::Overlay, 0.5, Compatibility::None, 0.0, 1.0), 1.0);
        assert_eq!(lay(Mode::Overlay, 0.5, Compatibility::None, 0.0, 0.5), 0.25);
        assert_eq!(lay(Mode::Overlay, 0.5, Compatibility::Rvt, 0.0, 0.5), 0.0);
        assert_eq!(lay(Mode::Multiply, 0.5, Compatibility::Rvt, 0.0, 1.0), 0.5);
    }

    #[test]
    fn a_grey_picture_becomes_coloured_under_a_coloured_layer() {
        let (mut red, mut green, mut blue) = ([0.5], [9.0], [9.0]);
        let top = Top::Rgb([&[0.25], &[0.5], &[1.0]]);
        let blend = Blend::new(Mode::Multiply, 0.5, Compatibility::None);
        blend.row(top, LinearStretch::UNIT, Background::Widened([&mut red, &mut green, &mut blue]));
        assert_eq!([red, green, blue], [[0.3125], [0.375], [0.5]]);
    }

    #[test]
    fn one_brightness_of_a_coloured_layer_over_grey() {
        let mut row = [0.5];
        let top = Top::Rgb([&[0.25], &[1.0], &[0.5]]);
        let blend = Blend::new(Mode::HsvValue, 0.5, Compatibility::None);
        blend.row(top, LinearStretch::UNIT, Background::Grey(&mut row));
        assert_eq!(row, [0.75]);
    }

    #[test]
    fn bands_of_the_result() {
        for (name, mode) in Mode::ALL {
            let blend = Blend::new(mode, 1.0, Compatibility::None);
            let over_grey = if ["luminosity", "hsv_value"].contains(&name) { 1 } else { 3 };
            let bands = [(1, 1), (1, 3), (3, 1), (3, 3)].map(|(top, below)| blend.bands(top, below));
            assert_eq!(bands, [1, 3, over_grey, 3], "{name}");
        }
    }

    #[test]
    fn names_and_aliases() {
        for (name, mode) in Mode::ALL {
            assert_eq!(Mode::parse(name), Ok(mode));
            assert_eq!(Mode::parse(&name.to_uppercase().replace('_', "-")), Ok(mode));
            assert_eq!(serde_json::to_value(mode).unwrap(), name);
            assert_eq!(serde_json::from_value::<Mode>(name.into()).unwrap(), mode);
        }
        for (name, mode) in [("colour_dodge", Mode::ColorDodge), ("colour_burn", Mode::ColorBurn)] {
            assert_eq!(Mode::parse(name), Ok(mode));
            assert_eq!(serde_json::from_value::<Mode>(name.into()).unwrap(), mode);
        }
        assert_eq!(Mode::parse("src-over"), Ok(Mode::Normal));
        let error = Mode::parse("shiny").unwrap_err().to_string();
        assert!(
            error.starts_with("unknown blend mode 'shiny'; allowed: normal, multiply, screen"),
            "{error}"
        );
    }
}
