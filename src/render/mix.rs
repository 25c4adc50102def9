//! What a blend mode makes of one cell: `a` is the upper layer, `b` the background, both 0..1 and so the result.
//!
//! Every comparison is written so that a missing `a` stays missing; a missing `b` need not, because the opacity step
//! that follows adds it. A missing band of a colour makes the whole cell missing in the modes that mix bands.

use super::stretch::clip;

/// A colour: red, green, blue.
pub(super) type Rgb = [f32; 3];

#[inline(always)]
pub(super) fn normal(a: f32, _: f32) -> f32 {
    a
}

#[inline(always)]
pub(super) fn multiply(a: f32, b: f32) -> f32 {
    a * b
}

#[inline(always)]
pub(super) fn screen(a: f32, b: f32) -> f32 {
    1.0 - (1.0 - a) * (1.0 - b)
}

#[inline(always)]
pub(super) fn overlay(a: f32, b: f32) -> f32 {
    if b > 0.5 {
        1.0 - (1.0 - 2.0 * (b - 0.5)) * (1.0 - a)
    } else {
        2.0 * a * b
    }
}

#[inline(always)]
pub(super) fn hard_light(a: f32, b: f32) -> f32 {
    overlay(b, a)
}

#[inline(always)]
pub(super) fn soft_light(a: f32, b: f32) -> f32 {
    if a < 0.5 {
        2.0 * a * b + b * b * (1.0 - 2.0 * a)
    } else {
        2.0 * b * (1.0 - a) + b.sqrt() * (2.0 * a - 1.0)
    }
}

#[inline(always)]
pub(super) fn darken(a: f32, b: f32) -> f32 {
    if a >= b {
        b
    } else {
        a
    }
}

#[inline(always)]
pub(super) fn lighten(a: f32, b: f32) -> f32 {
    if a <= b {
        b
    } else {
        a
    }
}

/// `b / (1 - a)`, at most 1. Black stays black, also under white, where the quotient is 0 / 0.
#[inline(always)]
pub(super) fn color_dodge(a: f32, b: f32) -> f32 {
    if b == 0.0 {
        0.0 * a
    } else {
        at_most_one(b / (1.0 - a))
    }
}

/// `1 - (1 - b) / a`, at least 0. White stays white, also under black, where the quotient is 0 / 0.
#[inline(always)]
pub(super) fn color_burn(a: f32, b: f32) -> f32 {
    if b >= 1.0 {
        1.0 + 0.0 * a
    } else {
        1.0 - at_most_one((1.0 - b) / a)
    }
}

#[inline(always)]
pub(super) fn difference(a: f32, b: f32) -> f32 {
    (a - b).abs()
}

#[inline(always)]
pub(super) fn add(a: f32, b: f32) -> f32 {
    at_most_one(a + b)
}

#[inline(always)]
fn at_most_one(value: f32) -> f32 {
    if value > 1.0 {
        1.0
    } else {
        value
    }
}

/// Brightness of a colour as the eye sees it: `0.3 red + 0.59 green + 0.11 blue`.
#[inline(always)]
pub(super) fn luminance([red, green, blue]: Rgb) -> f32 {
    0.3 * red + 0.59 * green + 0.11 * blue
}

/// The V of HSV: the greatest band.
#[inline(always)]
pub(super) fn hsv_value([red, green, blue]: Rgb) -> f32 {
    // The sum is finite when no band is missing, and then adds nothing.
    lighten(lighten(red, green), blue) + 0.0 * (red + green + blue)
}

/// `below` with another luminance: each band moves by the difference, and a colour that leaves 0..1 on the way is
/// drawn towards its grey until it fits.
#[inline(always)]
pub(super) fn with_luminance(luminance_wanted: f32, below: Rgb) -> Rgb {
    let shift = luminance_wanted - luminance(below);
    let moved = below.map(|band| band + shift);
    let grey = luminance(moved);
    let least = darken(darken(moved[0], moved[1]), moved[2]);
    let greatest = lighten(lighten(moved[0], moved[1]), moved[2]);
    let up = share(grey, grey - least);
    let down = share(1.0 - grey, greatest - grey);
    moved.map(|band| {
        let band = if least < 0.0 { grey + (band - grey) * up } else { band };
        let band = if greatest > 1.0 { grey + (band - grey) * down } else { band };
        clip(band)
    })
}

/// `part / whole`; 0 of nothing, which rounding can make of the distances in a colour that is itself grey.
#[inline(always)]
fn share(part: f32, whole: f32) -> f32 {
    if whole > 0.0 {
        part / whole
    } else {
        0.0
    }
}

/// `below` with another V of HSV: the bands keep their proportions, and with them hue and saturation. Black has no
/// hue: it becomes grey.
#[inline(always)]
pub(super) fn with_hsv_value(value_wanted: f32, below: Rgb) -> Rgb {
    let value = hsv_value(below);
    // Divided first: a quotient is at most 1, so that the product is at most the value.
    below.map(|band| if value == 0.0 { value_wanted } else { band / value * value_wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_hand() {
        assert_eq!(normal(0.25, 0.5), 0.25);
        assert_eq!(multiply(0.25, 0.5), 0.125);
        assert_eq!(screen(0.25, 0.5), 0.625);
        assert_eq!(overlay(0.25, 0.5), 0.25);
        assert_eq!(overlay(0.25, 0.75), 0.625);
        assert_eq!(hard_light(0.5, 0.25), 0.25);
        assert_eq!(hard_light(0.75, 0.25), 0.625);
        assert_eq!(soft_light(0.25, 0.5), 0.375);
        assert_eq!(soft_light(0.75, 0.25), 0.375);
        assert_eq!((darken(0.25, 0.5), darken(0.5, 0.25)), (0.25, 0.25));
        assert_eq!((lighten(0.25, 0.5), lighten(0.5, 0.25)), (0.5, 0.5));
        assert_eq!((difference(0.25, 0.75), difference(0.75, 0.25)), (0.5, 0.5));
        assert_eq!((add(0.25, 0.5), add(0.75, 0.5)), (0.75, 1.0));
    }

    #[test]
    fn dodge_and_burn_at_the_ends() {
        assert_eq!((color_dodge(0.5, 0.25), color_dodge(0.75, 0.5)), (0.5, 1.0));
        assert_eq!((color_dodge(1.0, 0.25), color_dodge(1.0, 0.0), color_dodge(0.0, 0.0)), (1.0, 0.0, 0.0));
        assert_eq!((color_burn(0.5, 0.75), color_burn(0.25, 0.5)), (0.5, 0.0));
        assert_eq!((color_burn(0.0, 0.75), color_burn(0.0, 1.0), color_burn(1.0, 1.0)), (0.0, 1.0, 1.0));
    }

    fn assert_close(ours: Rgb, expected: Rgb) {
        assert!(ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?} {expected:?}");
    }

    #[test]
    fn luminosity_moves_a_colour_and_draws_it_back_into_range() {
        assert_eq!(luminance([1.0, 0.0, 0.0]), 0.3);
        // Luminance 0.5: no band leaves the range.
        assert_close(with_luminance(0.6, [0.5, 0.5, 0.5]), [0.6; 3]);
        assert_close(with_luminance(0.4, [0.5, 0.4, 0.6]), [0.448, 0.348, 0.548]);
        // Red 1, 0, 0 at 0.5 is 1.2, 0.2, 0.2: drawn towards 0.5 by 0.5 / 0.7.
        assert_close(with_luminance(0.5, [1.0, 0.0, 0.0]), [1.0, 0.285_714_3, 0.285_714_3]);
        // Red at 0.1 is 0.8, -0.2, -0.2: drawn towards 0.1 by 0.1 / 0.3.
        assert_close(with_luminance(0.1, [1.0, 0.0, 0.0]), [0.333_333_3, 0.0, 0.0]);
    }

    #[test]
    fn greys_stay_finite_under_luminosity() {
        for step in 0..=1000 {
            let grey = step as f32 / 1000.0;
            for wanted in [0.0, 1e-9, 0.5, 1.0] {
                assert_close(with_luminance(wanted, [grey; 3]), [wanted; 3]);
            }
        }
    }

    #[test]
    fn hsv_value_scales_a_colour() {
        assert_eq!(hsv_value([0.25, 0.75, 0.5]), 0.75);
        assert_eq!(with_hsv_value(0.5, [0.5, 1.0, 0.25]), [0.25, 0.5, 0.125]);
        assert_eq!(with_hsv_value(0.5, [0.0; 3]), [0.5; 3]);
        assert_eq!(with_hsv_value(0.5, [f32::MIN_POSITIVE, 0.0, 0.0]), [0.5, 0.0, 0.0]);
    }

    #[test]
    fn a_missing_band_is_missing_in_every_band() {
        for band in 0..3 {
            let mut color = [0.25, 0.5, 0.75];
            color[band] = f32::NAN;
            assert!(luminance(color).is_nan() && hsv_value(color).is_nan());
            assert!(with_luminance(0.5, color).iter().all(|band| band.is_nan()));
            assert!(with_hsv_value(0.5, color).iter().all(|band| band.is_nan()));
        }
    }
}
