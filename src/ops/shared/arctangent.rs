//! Trigonometry of slopes without division, square root or fused operations.
//!
//! Every function uses only IEEE `+ - *`, comparisons and integer operations, so that all dispatch paths give the
//! same bits, and has no branches, so that a loop over the lanes becomes vector code.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

/// Minimax coefficients of arctangent on [-1, 1], odd powers 1 to 13; absolute error 2.5e-7.
const SERIES: [f32; 7] =
    [0.999_996_1, -0.333_173_7, 0.198_078_16, -0.132_333_42, 0.079_623_67, -0.033_604_22, 0.006_811_793_3];

/// Factor that turns [`raw_inverse_root`] into 1/sqrt(x).
///
/// It is left out of the lane code because callers can multiply a sum by it once.
pub const ROOT_FACTOR: f32 = 0.174_421_39;

/// Approximates `1 / sqrt(x) / ROOT_FACTOR` for positive normal `x`, relative error 4e-7.
///
/// Two Newton steps of the form `y (c - x y y)`: the usual factors are collected in `ROOT_FACTOR`.
/// Zero gives a large finite number and NaN gives NaN.
#[inline(always)]
pub fn raw_inverse_root(x: f32) -> f32 {
    let y = f32::from_bits(0x5f1f_fff9_u32.wrapping_sub(x.to_bits() >> 1));
    let y = y * (2.389_244_6 - x * y * y);
    y * (6.053_894_5 - x * y * y)
}

/// Approximates 1/x for normal `x` of either sign below 1e37, relative error 2e-7.
#[inline(always)]
pub fn reciprocal(x: f32) -> f32 {
    let y = f32::from_bits(0x7ef3_11c7_u32.wrapping_sub(x.to_bits()));
    let y = y * (2.0 - x * y);
    let h = x * y;
    y * (h * (h - 3.0) + 3.0)
}

/// Arctangent of `u` in [-1, 1].
#[inline(always)]
fn small_arctangent(u: f32) -> f32 {
    let square = u * u;
    let mut sum = SERIES[6];
    sum = sum * square + SERIES[5];
    sum = sum * square + SERIES[4];
    sum = sum * square + SERIES[3];
    sum = sum * square + SERIES[2];
    sum = sum * square + SERIES[1];
    sum = sum * square + SERIES[0];
    sum * u
}

/// The polar angle of (x, y) in [-pi, pi] without the quadrant: `(remainder, quadrant angle)`.
#[inline(always)]
fn split_angle(y: f32, x: f32) -> (f32, f32) {
    let steep = y.abs() > x.abs();
    let numerator = if steep { -x } else { y };
    let denominator = if steep { y } else { x };
    let behind = if x < 0.0 { PI } else { 0.0 };
    let quadrant = if steep { FRAC_PI_2 } else { behind };
    (small_arctangent(numerator * reciprocal(denominator)), quadrant.copysign(y))
}

/// Polar angle of (x, y); the larger magnitude must be between 1e-37 and 1e37.
#[inline(always)]
pub fn polar_angle(y: f32, x: f32) -> f32 {
    let (remainder, quadrant) = split_angle(y, x);
    remainder + quadrant
}

/// Arctangent, absolute error below 5e-7.
#[inline(always)]
pub fn arctangent(t: f32) -> f32 {
    polar_angle(t, 1.0)
}

/// `sin(atan t) / ROOT_FACTOR`, that is t / sqrt(1 + t^2) up to the constant factor.
#[inline(always)]
pub fn raw_sine(t: f32) -> f32 {
    t * raw_inverse_root(t * t + 1.0)
}

/// Sum of four arctangents for the price of one.
///
/// The angles of complex numbers add when the numbers are multiplied, so that the sum is the angle of
/// (1 + ia)(1 + ib)(1 + ic)(1 + id). Each pair stays within half a turn; where the sum of the two pairs leaves
/// (-pi, pi), which shows in the signs, one turn is added. Magnitudes up to 1e6 are safe.
#[inline(always)]
pub fn four_arctangents(t: [f32; 4]) -> f32 {
    let (x1, y1) = (1.0 - t[0] * t[1], t[0] + t[1]);
    let (x2, y2) = (1.0 - t[2] * t[3], t[2] + t[3]);
    let (x, y) = (x1 * x2 - y1 * y2, x1 * y2 + y1 * x2);
    let (remainder, quadrant) = split_angle(y, x);
    let same = !(y1.to_bits() ^ y2.to_bits());
    let crossed = (same & (y.to_bits() ^ y1.to_bits())) as i32 >> 31;
    let turn = f32::from_bits((TAU.to_bits() & crossed as u32) | (y1.to_bits() & 0x8000_0000));
    remainder + (quadrant + turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of both signs, dense around 1 and reaching 1000.
    fn values() -> impl Iterator<Item = f32> {
        let small = (-400_000..=400_000).map(|i| i as f32 * 1e-5);
        small.chain((-200_000..=200_000).map(|i| i as f32 * 5e-3))
    }

    #[test]
    fn arctangent_is_accurate() {
        let worst = values().map(|t| (arctangent(t) as f64 - (t as f64).atan()).abs()).fold(0.0, f64::max);
        println!("arctangent: worst absolute error {worst:e}");
        assert!(worst < 5e-7);
        assert_eq!(arctangent(0.0), 0.0);
        assert!(arctangent(f32::NAN).is_nan());
    }

    #[test]
    fn sine_is_accurate() {
        let exact = |t: f64| t / (1.0 + t * t).sqrt();
        let worst = values()
            .filter(|t| *t != 0.0)
            .map(|t| ((raw_sine(t) * ROOT_FACTOR) as f64 / exact(t as f64) - 1.0).abs())
            .fold(0.0, f64::max);
        println!("sine of arctangent: worst relative error {worst:e}");
        assert!(worst < 6e-7);
        assert_eq!(raw_sine(0.0), 0.0);
    }

    #[test]
    fn reciprocals_are_accurate() {
        let mut worst = [0.0f64; 2];
        for t in values().filter(|t| *t != 0.0) {
            worst[0] = worst[0].max((reciprocal(t) as f64 * t as f64 - 1.0).abs());
            let root = (raw_inverse_root(t.abs()) * ROOT_FACTOR) as f64 * (t.abs() as f64).sqrt();
            worst[1] = worst[1].max((root - 1.0).abs());
        }
        println!("reciprocal {:e}, inverse root {:e}", worst[0], worst[1]);
        assert!(worst[0] < 3e-7 && worst[1] < 6e-7);
    }

    #[test]
    fn four_angles_add() {
        let mut worst = 0.0f64;
        let mut state = 1u32;
        for _ in 0..2_000_000 {
            let t = [0; 4].map(|_: i32| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let steep = 10f32.powf((state >> 8) as f32 / (1 << 24) as f32 * 12.0 - 6.0);
                if state & 0x80 == 0 {
                    steep
                } else {
                    -steep.min(1000.0)
                }
            });
            let exact: f64 = t.iter().map(|t| (*t as f64).atan()).sum();
            worst = worst.max((four_arctangents(t) as f64 - exact).abs());
        }
        println!("four arctangents: worst absolute error {worst:e}");
        assert!(worst < 2e-6);
        assert_eq!(four_arctangents([0.0; 4]), 0.0);
        assert!((four_arctangents([-1000.0; 4]) as f64 + 4.0 * 1000f64.atan()).abs() < 2e-6);
        assert!((four_arctangents([1e6; 4]) as f64 - 4.0 * 1e6f64.atan()).abs() < 2e-6);
    }
}
