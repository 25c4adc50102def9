//! Eight-bit encoding: `trunc(255.9999 v)` for `v` in 0..1.

use super::stretch::LinearStretch;
use crate::core::operation::Compatibility;
use multiversion::multiversion;

/// The byte that means nodata: 0, with data in 1..255. RVT writes 255 for both white and nodata.
pub fn nodata_byte(compatibility: Compatibility) -> Option<u8> {
    match compatibility {
        Compatibility::None => Some(0),
        Compatibility::Rvt => None,
    }
}

/// Stretches and encodes a row.
pub fn bytes_row(values: &[f32], stretch: LinearStretch, compatibility: Compatibility, bytes: &mut [u8]) {
    match compatibility {
        Compatibility::None => encode(values, stretch, 0, 1, bytes),
        Compatibility::Rvt => encode(values, stretch, 255, 0, bytes),
    }
}

/// Stretches and encodes a row beside an alpha band: all bytes are data, missing cells are 0.
pub fn opaque_row(values: &[f32], stretch: LinearStretch, bytes: &mut [u8]) {
    encode(values, stretch, 0, 0, bytes);
}

/// Says which cells have a value: 255, or 0.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn alpha_row(values: &[f32], bytes: &mut [u8]) {
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = if value.is_nan() { 0 } else { 255 };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn encode(values: &[f32], stretch: LinearStretch, missing: u8, smallest: u8, bytes: &mut [u8]) {
    for (byte, value) in bytes.iter_mut().zip(values) {
        let value = stretch.apply(*value);
        // The cast truncates and limits to 0..255.
        let data = ((255.9999 * value) as u8).max(smallest);
        *byte = if value.is_nan() { missing } else { data };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_keeps_clear_of_the_nodata_byte() {
        let values = [0.0, 0.001, 0.5, 1.0, f32::NAN];
        let unit = LinearStretch::new((0.0, 1.0), false);
        let mut bytes = [9; 5];
        bytes_row(&values, unit, Compatibility::None, &mut bytes);
        assert_eq!(bytes, [1, 1, 127, 255, 0]);
        bytes_row(&values, unit, Compatibility::Rvt, &mut bytes);
        assert_eq!(bytes, [0, 0, 127, 255, 255]);
        opaque_row(&values, unit, &mut bytes);
        assert_eq!(bytes, [0, 0, 127, 255, 0]);
        alpha_row(&values, &mut bytes);
        assert_eq!(bytes, [255, 255, 255, 255, 0]);
    }
}
