//! Blend modes: how an upper layer changes the picture below it.
//!
//! `a` is the upper layer, `b` the background, both 0..1. Formulas as in Kokalj & Somrak 2019
//! (doi:10.3390/rs11070747), section 2.3; the opacity step is `top * opacity + b * (1 - opacity)`.

use super::stretch::LinearStretch;
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
    /// Multiplies dark backgrounds, screens light ones.
    Overlay,
    /// A gentler overlay that follows the upper layer.
    SoftLight,
    /// Brightness of the upper layer, colour of the background; of grey layers the same as `normal`.
    Luminosity,
}

impl Mode {
    /// Every mode with its name.
    pub const ALL: [(&'static str, Mode); 6] = [
        ("normal", Mode::Normal),
        ("multiply", Mode::Multiply),
        ("screen", Mode::Screen),
        ("overlay", Mode::Overlay),
        ("soft_light", Mode::SoftLight),
        ("luminosity", Mode::Luminosity),
    ];

    #[inline(always)]
    fn mix(self, a: f32, b: f32) -> f32 {
        match self {
            Mode::Normal | Mode::Luminosity => a,
            Mode::Multiply => a * b,
            Mode::Screen => 1.0 - (1.0 - a) * (1.0 - b),
            Mode::Overlay => {
                if b > 0.5 {
                    1.0 - (1.0 - 2.0 * (b - 0.5)) * (1.0 - a)
                } else {
                    2.0 * a * b
                }
            }
            Mode::SoftLight => {
                if a < 0.5 {
                    2.0 * a * b + b * b * (1.0 - 2.0 * a)
                } else {
                    2.0 * b * (1.0 - a) + b.sqrt() * (2.0 * a - 1.0)
                }
            }
        }
    }
}

/// One layer over a background.
#[derive(Debug, Clone, Copy)]
pub struct Blend {
    mode: Mode,
    opacity: f32,
}

impl Blend {
    /// `opacity` is a share of 1. RVT overwrites the background in overlay and soft light before it mixes, so
    /// that their opacity has no effect.
    pub fn new(mode: Mode, opacity: f64, compatibility: Compatibility) -> Self {
        let ignored = compatibility == Compatibility::Rvt && matches!(mode, Mode::Overlay | Mode::SoftLight);
        Self { mode, opacity: if ignored { 1.0 } else { opacity as f32 } }
    }

    /// Lays the row `top`, stretched, over `background`. A missing cell in either is missing afterwards.
    pub fn row(self, top: &[f32], stretch: LinearStretch, background: &mut [f32]) {
        // One loop per mode, so that each vectorises.
        match self.mode {
            Mode::Normal | Mode::Luminosity => lay::<NORMAL>(top, stretch, background, self.opacity),
            Mode::Multiply => lay::<MULTIPLY>(top, stretch, background, self.opacity),
            Mode::Screen => lay::<SCREEN>(top, stretch, background, self.opacity),
            Mode::Overlay => lay::<OVERLAY>(top, stretch, background, self.opacity),
            Mode::SoftLight => lay::<SOFT_LIGHT>(top, stretch, background, self.opacity),
        }
    }
}

const NORMAL: usize = 0;
const MULTIPLY: usize = 1;
const SCREEN: usize = 2;
const OVERLAY: usize = 3;
const SOFT_LIGHT: usize = 4;

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn lay<const MODE: usize>(top: &[f32], stretch: LinearStretch, background: &mut [f32], opacity: f32) {
    let mode = Mode::ALL[MODE].1;
    for (below, above) in background.iter_mut().zip(top) {
        let mixed = mode.mix(stretch.apply(*above), *below);
        *below = mixed * opacity + *below * (1.0 - opacity);
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
        Blend::new(mode, opacity, compatibility).row(&[a], LinearStretch::new((0.0, 1.0), false), &mut row);
        row[0]
    }

    #[test]
    fn numbers_by_hand() {
        let at = |mode, a, b| lay(mode, 1.0, Compatibility::None, a, b);
        assert_eq!(at(Mode::Normal, 0.25, 0.5), 0.25);
        assert_eq!(at(Mode::Luminosity, 0.25, 0.5), 0.25);
        assert_eq!(at(Mode::Multiply, 0.25, 0.5), 0.125);
        assert_eq!(at(Mode::Screen, 0.25, 0.5), 0.625);
        assert_eq!(at(Mode::Overlay, 0.25, 0.5), 0.25);
        assert_eq!(at(Mode::Overlay, 0.25, 0.75), 0.625);
        assert_eq!(at(Mode::SoftLight, 0.25, 0.5), 0.375);
        assert_eq!(at(Mode::SoftLight, 0.75, 0.25), 0.375);
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
    fn missing_stays_missing_in_every_mode() {
        for (_, mode) in Mode::ALL {
            assert!(lay(mode, 0.5, Compatibility::None, f32::NAN, 0.3).is_nan());
            assert!(lay(mode, 0.5, Compatibility::None, 0.3, f32::NAN).is_nan());
        }
    }
}
