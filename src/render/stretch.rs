//! Linear stretch: `clip((x - min) / (max - min), 0, 1)`, optionally turned round.

/// A stretch with its division done once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearStretch {
    min: f32,
    factor: f32,
    base: f32,
    sign: f32,
    limits: (f64, f64),
}

impl LinearStretch {
    /// Leaves 0..1 as it is.
    pub const UNIT: LinearStretch =
        LinearStretch { min: 0.0, factor: 1.0, base: 0.0, sign: 1.0, limits: (0.0, 1.0) };

    /// From the value that becomes 0 to the one that becomes 1, or the other way round.
    pub fn new((min, max): (f64, f64), invert: bool) -> Self {
        let (base, sign) = if invert { (1.0, -1.0) } else { (0.0, 1.0) };
        Self { min: min as f32, factor: (1.0 / (max - min)) as f32, base, sign, limits: (min, max) }
    }

    /// The values at both ends, as they were given.
    pub fn limits(self) -> (f64, f64) {
        self.limits
    }

    /// Whether it is turned round.
    pub fn is_inverted(self) -> bool {
        self.sign < 0.0
    }

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
        let plain = LinearStretch::new((10.0, 20.0), false);
        let turned = LinearStretch::new((10.0, 20.0), true);
        for (value, expected) in [(5.0, 0.0), (10.0, 0.0), (15.0, 0.5), (20.0, 1.0), (99.0, 1.0)] {
            assert!((plain.apply(value) - expected).abs() < 1e-6);
            assert!((turned.apply(value) - (1.0 - expected)).abs() < 1e-6);
        }
        assert!(plain.apply(f32::NAN).is_nan() && turned.apply(f32::NAN).is_nan());
    }
}
