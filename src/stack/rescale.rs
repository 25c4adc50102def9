//! Nodata recoded, values scaled, shifted and limited. A cell without data goes through none of it.

use crate::core::error::{Error, Result};
use multiversion::multiversion;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::AddAssign;

/// What is done to the values of a band. The type and the nodata value of the result are those it is written with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rescale {
    /// Values that have no data, beside the nodata value of the band.
    pub source_nodata: Vec<f64>,
    /// Factor.
    pub scale: f64,
    /// Added after that.
    pub offset: f64,
    /// Smaller values become this one.
    pub min: Option<f64>,
    /// Larger values become this one.
    pub max: Option<f64>,
}

impl Default for Rescale {
    fn default() -> Self {
        Self { source_nodata: Vec::new(), scale: 1.0, offset: 0.0, min: None, max: None }
    }
}

/// Name, default and help of each parameter.
pub static PARAMETERS: &[(&str, &str, &str)] = &[
    ("source_nodata", "", "Values without data, beside the nodata value of the band."),
    ("scale", "1", "Factor of each value."),
    ("offset", "0", "Added to each value after the factor."),
    ("min", "", "Smaller results become this one."),
    ("max", "", "Larger results become this one."),
];

impl Rescale {
    /// Whether numbers within the limits stay what they are.
    pub fn keeps_numbers(&self) -> bool {
        (self.scale, self.offset) == (1.0, 0.0)
    }
}

/// Description for other programs.
pub fn describe() -> serde_json::Value {
    let parameter =
        |(name, default, help): &(&str, &str, &str)| json!({"name": name, "default": default, "help": help});
    PARAMETERS.iter().map(parameter).collect()
}

/// Values that were limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clipped {
    /// To the smallest one.
    pub below: u64,
    /// To the largest one.
    pub above: u64,
}

impl AddAssign for Clipped {
    fn add_assign(&mut self, other: Self) {
        self.below += other.below;
        self.above += other.above;
    }
}

impl Rescale {
    /// Whether the numbers make sense.
    pub fn check(&self) -> Result<()> {
        let refuse = |name: &str, number: f64, allowed: &str| {
            Err(Error::Argument(format!("{name} = {number} is not allowed; allowed: {allowed}")))
        };
        if !self.scale.is_finite() || self.scale == 0.0 {
            return refuse("scale", self.scale, "a number other than 0");
        }
        if !self.offset.is_finite() {
            return refuse("offset", self.offset, "a number");
        }
        for (name, limit) in [("min", self.min), ("max", self.max)] {
            if let Some(limit) = limit.filter(|limit| !limit.is_finite()) {
                return refuse(name, limit, "a number");
            }
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) if min > max => {
                refuse("min", min, &format!("at most max, which is {max}"))
            }
            _ => Ok(()),
        }
    }

    /// Rescales a row in place.
    pub fn row(&self, row: &mut [f64]) -> Clipped {
        for nodata in &self.source_nodata {
            recode(*nodata, row);
        }
        let limits = (self.min.unwrap_or(f64::NEG_INFINITY), self.max.unwrap_or(f64::INFINITY));
        let [below, above] = scale(self.scale, self.offset, limits, row);
        Clipped { below, above }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn recode(nodata: f64, row: &mut [f64]) {
    for value in row {
        *value = if *value == nodata { f64::NAN } else { *value };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn scale(factor: f64, offset: f64, (low, high): (f64, f64), row: &mut [f64]) -> [u64; 2] {
    let (mut below, mut above) = (0, 0);
    for value in row {
        let scaled = *value * factor + offset;
        below += u64::from(scaled < low);
        above += u64::from(scaled > high);
        // Comparisons that NaN loses leave it as it is.
        let raised = if scaled < low { low } else { scaled };
        *value = if raised > high { high } else { raised };
    }
    [below, above]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::cells::{read_row, Encoding, NodataValue};

    /// Geowombat's example limits after it has recoded: cells without data become 1. They stay without data here.
    #[test]
    fn limits_do_not_touch_cells_without_data() {
        let cells = [0_u16, 1, 5000, 10_000, 20_000, 65535];
        let rescale = Rescale {
            source_nodata: vec![0.0],
            scale: 1e-4,
            min: Some(0.0),
            max: Some(1.0),
            ..Rescale::default()
        };
        let mut row = [0.0; 6];
        read_row(&cells, Some(65535.0), &mut row);
        assert_eq!(rescale.row(&mut row), Clipped { below: 0, above: 1 });
        assert!(row[0].is_nan() && row[5].is_nan());
        assert_eq!(row[1..5], [1e-4, 0.5, 1.0, 1.0]);
        // The mean of what is there, not of gaps that became 1.
        let there: Vec<f64> = row.into_iter().filter(|value| !value.is_nan()).collect();
        assert!((there.iter().sum::<f64>() / 4.0 - 0.625025).abs() < 1e-12);
    }

    #[test]
    fn whole_numbers_keep_their_nodata_value() {
        let rescale = Rescale { min: Some(0.0), max: Some(10_000.0), ..Rescale::default() };
        let mut row = [0.0; 4];
        read_row(&[65535_u16, 0, 10_001, 7], Some(65535.0), &mut row);
        assert_eq!(rescale.row(&mut row).above, 1);
        let encoding = Encoding::<u16>::new(NodataValue::Number(65535.0)).unwrap();
        let mut cells = [0; 4];
        let written = encoding.write_row(&row, &mut cells);
        assert_eq!((cells, written.missing), ([65535, 0, 10_000, 7], 1));
    }

    #[test]
    fn json_and_refusals() {
        let rescale: Rescale = serde_json::from_str(r#"{"scale": 0.5, "max": 3}"#).unwrap();
        assert_eq!(rescale, Rescale { scale: 0.5, max: Some(3.0), ..Rescale::default() });
        assert!(serde_json::from_str::<Rescale>(r#"{"factor": 1}"#).is_err());
        let said = |rescale: Rescale| rescale.check().unwrap_err().to_string();
        assert_eq!(
            said(Rescale { scale: 0.0, ..Rescale::default() }),
            "scale = 0 is not allowed; allowed: a number other than 0"
        );
        assert_eq!(
            said(Rescale { min: Some(2.0), max: Some(1.0), ..Rescale::default() }),
            "min = 2 is not allowed; allowed: at most max, which is 1"
        );
        assert!(said(Rescale { offset: f64::NAN, ..Rescale::default() }).starts_with("offset = NaN"));
        assert!(said(Rescale { max: Some(f64::INFINITY), ..Rescale::default() }).starts_with("max = inf"));
        let default = serde_json::to_value(Rescale::default()).unwrap();
        let names: Vec<&String> = default.as_object().unwrap().keys().collect();
        assert_eq!(names, PARAMETERS.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    }
}
