//! Masks: where a layer is shown.

use multiversion::multiversion;

/// Mixes a picture with what it was before a layer, by a mask of 0 to 1: 1 keeps the layer, 0 or a missing cell takes it back.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn mask_row(before: &[f32], mask: &[f32], picture: &mut [f32]) {
    for ((picture, before), share) in picture.iter_mut().zip(before).zip(mask) {
        let mixed = before + (*picture - before) * share;
        // What is not shown at all cannot hide the picture, even where it is missing.
        *picture = if *share > 0.0 { mixed } else { *before };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_keeps_mixes_and_takes_back() {
        let mut picture = [1.0, 1.0, 1.0, 1.0, f32::NAN, f32::NAN];
        let mask = [1.0, 0.5, 0.0, f32::NAN, 0.0, 1.0];
        mask_row(&[0.5; 6], &mask, &mut picture);
        assert_eq!(picture[..5], [1.0, 0.75, 0.5, 0.5, 0.5]);
        assert!(picture[5].is_nan());
    }
}
