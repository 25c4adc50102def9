//! Order of the bands of well-known sensors, so that people can write `green` instead of band 2.

use crate::core::error::{unknown_name, Result};

const BLUE_GREEN_RED_NIR: &[&str] = &["blue", "green", "red", "nir"];
const LANDSAT_7: &[&str] = &["blue", "green", "red", "nir", "swir1", "swir2"];
const LANDSAT_8: &[&str] = &["coastal", "blue", "green", "red", "nir", "swir1", "swir2", "cirrus"];

/// Sensors and their bands, in the order of files.
pub const SENSORS: &[(&str, &[&str])] = &[
    ("bgr", &["blue", "green", "red"]),
    ("rgb", &["red", "green", "blue"]),
    ("rgbn", &["red", "green", "blue", "nir"]),
    ("bgrn", BLUE_GREEN_RED_NIR),
    ("l5", LANDSAT_7),
    ("l7", LANDSAT_7),
    ("l7th", &["blue", "green", "red", "nir", "swir1", "thermal", "swir2"]),
    ("l8", LANDSAT_8),
    ("l9", LANDSAT_8),
    ("l8th", &["coastal", "blue", "green", "red", "nir", "swir1", "swir2", "cirrus", "tirs1", "tirs2"]),
    ("l8l7", LANDSAT_7),
    ("s2", &["blue", "green", "red", "nir1", "nir2", "nir3", "nir", "rededge", "swir1", "swir2"]),
    (
        "s2f",
        &[
            "coastal", "blue", "green", "red", "nir1", "nir2", "nir3", "nir", "rededge", "water", "cirrus",
            "swir1", "swir2",
        ],
    ),
    ("s2l7", LANDSAT_7),
    ("ps", BLUE_GREEN_RED_NIR),
];

/// Bands of a sensor.
pub fn find(name: &str) -> Result<&'static [&'static str]> {
    let found = SENSORS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    let names = SENSORS.iter().map(|(known, _)| *known);
    found.map(|(_, bands)| *bands).ok_or_else(|| unknown_name("sensor", name, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_of_a_sensor_are_different_and_unknown_ones_are_refused() {
        for (name, bands) in SENSORS {
            let mut sorted = bands.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), bands.len(), "{name}");
        }
        assert_eq!(find("L8").unwrap()[3], "red");
        assert!(find("spot").unwrap_err().to_string().contains("allowed: bgr, rgb"));
    }
}
