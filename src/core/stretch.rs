//! Stretches: which values become black and which white.

use super::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// What the ends of a stretch are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cut {
    /// Values: `min` is black, `max` white.
    Values {
        /// Shown as 0.
        min: f64,
        /// Shown as 1.
        max: f64,
    },
    /// Per cent of all valid cells of the raster that are cut off below and above. Percentiles lie between two cells
    /// of the sorted raster as their rank does (linear interpolation, as in NumPy).
    Percent {
        /// Cut off at the low end.
        low: f64,
        /// Cut off at the high end.
        high: f64,
    },
    /// So many standard deviations to either side of the mean of all valid cells of the raster.
    Deviations(f64),
}

/// The values shown as black and white: a display stretch, or the cut-offs of a layer in a blend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Its ends.
    pub cut: Cut,
    /// Black and white change places.
    pub invert: bool,
}

impl Stretch {
    /// From the value shown as black to the one shown as white.
    pub const fn values(min: f64, max: f64) -> Self {
        Self { cut: Cut::Values { min, max }, invert: false }
    }

    /// Cuts off shares of the valid cells, in per cent.
    pub const fn percent(low: f64, high: f64) -> Self {
        Self { cut: Cut::Percent { low, high }, invert: false }
    }

    /// Black and white change places.
    pub const fn inverted(self) -> Self {
        Self { invert: !self.invert, ..self }
    }

    /// The ends, if they are known without the raster.
    pub fn limits(self) -> Option<(f64, f64)> {
        match self.cut {
            Cut::Values { min, max } => Some((min, max)),
            Cut::Percent { .. } | Cut::Deviations(_) => None,
        }
    }
}

impl Cut {
    /// Ends must be finite and in order, and leave something between them.
    pub fn check(self) -> Result<Self> {
        let (valid, allowed) = match self {
            Cut::Values { min, max } => {
                (min.is_finite() && max.is_finite() && min < max, "min smaller than max")
            }
            Cut::Percent { low, high } => {
                (low >= 0.0 && high >= 0.0 && low + high < 100.0, "shares of at least 0, together below 100")
            }
            Cut::Deviations(count) => {
                (count.is_finite() && count > 0.0, "a number of deviations greater than 0")
            }
        };
        if valid {
            return Ok(self);
        }
        Err(Error::Argument(match self {
            Cut::Values { min, max } => {
                format!("stretch from {min} to {max} is not allowed; allowed: {allowed}")
            }
            _ => format!("stretch {self} is not allowed; allowed: {allowed}"),
        }))
    }
}

/// The forms in which a cut is written, for messages and help.
pub const CUT_FORMS: &str =
    "MIN,MAX, the smaller one first, such as 0,51; percent:LOW,HIGH, together below 100, such as percent:2,2; \
     deviations:N, above 0, such as deviations:2";

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::Values { min, max } => write!(f, "{min},{max}"),
            Cut::Percent { low, high } => write!(f, "percent:{low},{high}"),
            Cut::Deviations(count) => write!(f, "deviations:{count}"),
        }
    }
}

impl FromStr for Cut {
    type Err = Error;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::Argument(format!("stretch '{text}' is not allowed; allowed: {CUT_FORMS}"));
        let number = |text: &str| text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let pair = |text: &str| {
            let (first, second) = text.split_once(',')?;
            number(first).zip(number(second))
        };
        let cut = match text.trim().split_once(':') {
            None => pair(text).map(|(min, max)| Cut::Values { min, max }),
            Some(("percent", ends)) => pair(ends).map(|(low, high)| Cut::Percent { low, high }),
            Some(("deviations", count)) => number(count).map(Cut::Deviations),
            Some(_) => None,
        };
        cut.ok_or_else(refused)?.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_read_as_they_are_written() {
        for text in ["0,51", "-2.5,2.5", "percent:2,0.25", "deviations:2.5"] {
            assert_eq!(text.parse::<Cut>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "5",
            "5,5",
            "6,5",
            "nan,1",
            "percent:50,50",
            "percent:-1,0",
            "percent:1",
            "deviations:0",
            "deviations:inf",
            "sigma:2",
            "percent:",
        ] {
            let error = bad.parse::<Cut>().unwrap_err().to_string();
            assert!(error.contains("; allowed: "), "{error}");
        }
    }
}
