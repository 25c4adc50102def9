//! Gamma: brightens or darkens the middle of a picture and leaves black and white.
//!
//! `v^(1 / gamma)` as `2^(log2(v) / gamma)`, from additions and products only, so that every processor gives the same
//! bits; error below 1e-6.

use multiversion::multiversion;

/// Coefficients of `log2(m)` for `m` from sqrt(1/2) to sqrt(2): the series of `2 atanh(s) / ln 2` with `s = (m-1)/(m+1)`.
const LOGARITHM: [f64; 7] = [
    std::f64::consts::LOG2_E * 2.0,
    std::f64::consts::LOG2_E * 2.0 / 3.0,
    std::f64::consts::LOG2_E * 2.0 / 5.0,
    std::f64::consts::LOG2_E * 2.0 / 7.0,
    std::f64::consts::LOG2_E * 2.0 / 9.0,
    std::f64::consts::LOG2_E * 2.0 / 11.0,
    std::f64::consts::LOG2_E * 2.0 / 13.0,
];

/// Terms of the series of `exp`: enough for an argument of up to ln 2 / 2.
const TERMS: usize = 11;

/// Raises a row of values from 0 to 1 to `1 / gamma`; 1 leaves them. NaN stays NaN.
pub fn gamma_row(gamma: f32, row: &mut [f32]) {
    if gamma != 1.0 {
        raise(1.0 / f64::from(gamma), row);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn raise(exponent: f64, row: &mut [f32]) {
    for value in row {
        let raised = power_of_two(logarithm(f64::from(*value)) * exponent) as f32;
        *value = if *value > 0.0 { raised } else { *value };
    }
}

/// Binary logarithm of a positive number.
#[inline(always)]
fn logarithm(value: f64) -> f64 {
    // The mantissa is put between sqrt(1/2) and sqrt(2), where the series is short.
    const HALF_ROOT: u64 = 0x3fe6_a09e_667f_3bcd;
    let bits = value.to_bits();
    let above = bits.wrapping_sub(HALF_ROOT) & 0xfff0_0000_0000_0000;
    let exponent = (above as i64 >> 52) as f64;
    let mantissa = f64::from_bits(bits.wrapping_sub(above));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut sum = LOGARITHM[6];
    for coefficient in LOGARITHM[..6].iter().rev() {
        sum = sum * square + coefficient;
    }
    sum * s + exponent
}

/// `2^x` for `x` of at most 0.
#[inline(always)]
fn power_of_two(x: f64) -> f64 {
    let x = if x > -1000.0 { x } else { -1000.0 };
    // Adding this leaves the nearest whole number in the low bits.
    const ROUNDER: f64 = (3_u64 << 51) as f64;
    let rounded = x + ROUNDER;
    let whole = rounded - ROUNDER;
    let part = (x - whole) * std::f64::consts::LN_2;
    let mut sum = 1.0;
    for term in (1..=TERMS).rev() {
        sum = 1.0 + part * sum / term as f64;
    }
    let exponent = (rounded.to_bits() as i64).wrapping_sub(ROUNDER.to_bits() as i64);
    sum * f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raises_to_the_inverse_of_gamma() {
        for gamma in [0.1, 0.45, 1.0, 2.2, 10.0] {
            let values: Vec<f32> = (0..=1000).map(|step| step as f32 / 1000.0).chain([1e-30, 1e-7]).collect();
            let mut row = values.clone();
            gamma_row(gamma, &mut row);
            for (raised, value) in row.iter().zip(values) {
                let expected = f64::from(value).powf(1.0 / f64::from(gamma));
                assert!((f64::from(*raised) - expected).abs() < 1e-6, "{value}^(1/{gamma}) = {raised}");
            }
            assert_eq!((row[0], row[1000]), (0.0, 1.0));
        }
        let mut row = [f32::NAN];
        gamma_row(2.0, &mut row);
        assert!(row[0].is_nan());
    }
}
