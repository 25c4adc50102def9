//! Linear stretch: `clip((x - min) / (max - min), 0, 1)`, optionally turned round.

use crate::core::operation::Stretch;

/// A stretch with its division done once.
#[derive(Debug, Clone, Copy)]
pub struct LinearStretch {
    min: f32,
    factor: f32,
    base: f32,
    sign: f32,
}

impl From<Stretch> for LinearStretch {
    fn from(stretch: Stretch) -> Self {
        let (base, sign) = if stretch.invert { (1.0, -1.0) } else { (0.0, 1.0) };
        let factor = (1.0 / (stretch.max - stretch.min)) as f32;
        Self { min: stretch.min as f32, factor, base, sign }
    }
}

impl LinearStretch {
    /// Leaves 0..1 as it is.
    pub const UNIT: LinearStretch = LinearStretch { min: 0.0, factor: 1.0, base: 0.0, sign: 1.0 };

    /// The stretched value; NaN stays NaN.
    #[inline(always)]
    pub fn apply(self, value: f32) -> f32 {
        self.base + self.sign * clip((value - self.min) * self.factor)
    }
}

/// Limits to 0..1. Written with comparisons because `max` and `clamp` would not keep NaN on every path.
#[inline(always)]
pub fn clip(value: f32) -> f32 {
    let value = if value < 0.0 { 0.0 } else { value };
    if value > 1.0 {
        1.0
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_clips_and_inverts() {
        let plain = LinearStretch::from(Stretch { min: 10.0, max: 20.0, invert: false });
        let turned = LinearStretch::from(Stretch { min: 10.0, max: 20.0, invert: true });
        for (value, expected) in [(5.0, 0.0), (10.0, 0.0), (15.0, 0.5), (20.0, 1.0), (99.0, 1.0)] {
            assert!((plain.apply(value) - expected).abs() < 1e-6);
            assert!((turned.apply(value) - (1.0 - expected)).abs() < 1e-6);
        }
        for value in [0.0, 0.3, 1.0] {
            assert_eq!(LinearStretch::UNIT.apply(value), value);
        }
        assert!(plain.apply(f32::NAN).is_nan() && turned.apply(f32::NAN).is_nan());
    }
}
