//! Sums without rounding.
//!
//! A sum is kept as one long whole number of 2^-1074, the smallest step of 64-bit floats, so it does not depend on the
//! order in which values come. Values of a row mostly share a scale at which all are whole numbers of 51 bits; those are
//! added and squared as integers, and only the totals go into the long numbers.

use multiversion::multiversion;
use num_bigint::{BigInt, BigUint, Sign};

/// Bits of a digit.
const DIGIT: usize = 32;

/// Digits of sums of values: from 2^-1074 to 2^1024, and 64 bits for their number.
const VALUE_DIGITS: usize = (1074 + 1024 + 64) / DIGIT + 4;

/// Digits of sums of squares.
const SQUARE_DIGITS: usize = 2 * VALUE_DIGITS;

/// Power of two that the lowest bit of a sum stands for.
pub const LOWEST: i32 = -1074;

/// Most cells of a piece that is added as integers.
pub const PIECE: usize = 1024;

/// A long number; digits are signed and may run over for a while.
#[derive(Debug, Clone)]
struct Long {
    digits: Vec<i64>,
    /// Numbers added since the digits were put in order.
    added: u32,
}

impl Long {
    fn new(digits: usize) -> Self {
        Self { digits: vec![0; digits], added: 0 }
    }

    /// Adds `number` times 2^`shift`.
    fn add(&mut self, number: i128, shift: usize) {
        let (first, bits) = (shift / DIGIT, shift % DIGIT);
        let (size, sign) = (number.unsigned_abs(), if number < 0 { -1 } else { 1 });
        let mut carried = 0;
        let parts = (0..4).map(|part| (size >> (part * DIGIT)) as u64 & 0xffff_ffff);
        for (digit, part) in parts.chain([0]).enumerate() {
            let moved = part << bits | carried;
            carried = moved >> DIGIT;
            self.digits[first + digit] += sign * (moved & 0xffff_ffff) as i64;
        }
        self.added += 1;
        if self.added >= 1 << 30 {
            self.put_in_order();
        }
    }

    /// Carries what runs over a digit to the next one.
    fn put_in_order(&mut self) {
        let mut carried = 0;
        for digit in &mut self.digits {
            let whole = *digit + carried;
            carried = whole >> DIGIT;
            *digit = whole & 0xffff_ffff;
        }
        // The sign stays in the highest digit.
        if let Some(highest) = self.digits.last_mut() {
            *highest += carried << DIGIT;
        }
        self.added = 1;
    }

    fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.put_in_order();
        self.put_in_order();
        for (digit, more) in self.digits.iter_mut().zip(other.digits) {
            *digit += more;
        }
        self.added += 1;
    }

    fn whole(&self) -> BigInt {
        let mut ordered = self.clone();
        ordered.put_in_order();
        let digits = ordered.digits.iter().rev();
        digits.fold(BigInt::ZERO, |so_far, digit| (so_far << DIGIT) + *digit)
    }
}

/// Sums of values and of their squares.
#[derive(Debug, Clone)]
pub struct Sums {
    values: Long,
    /// None: nobody wants them.
    squares: Option<Long>,
}

impl Sums {
    /// Nothing yet; `squares`: sums of squares are wanted too.
    pub fn new(squares: bool) -> Self {
        Self { values: Long::new(VALUE_DIGITS), squares: squares.then(|| Long::new(SQUARE_DIGITS)) }
    }

    /// Adds the values of a row that are finite. The row is no longer than [`PIECE`], `largest` the largest size in it.
    pub fn piece(&mut self, row: &[f64], largest: f64) {
        if largest == 0.0 {
            return;
        }
        // Such that the largest value has 51 bits before the point; beyond that, factors are no floats any more.
        let shift = 50 - exponent_of(largest);
        if (-1000..=1000).contains(&shift) {
            let factor = power(shift);
            let (sum, broken) = whole_sum(row, factor);
            if !broken {
                self.values.add(i128::from(sum), (-shift - LOWEST) as usize);
                if let Some(squares) = &mut self.squares {
                    squares.add(whole_squares(row, factor), 2 * (-shift - LOWEST) as usize);
                }
                return;
            }
            if self.cut_piece(row, factor, shift) {
                return;
            }
        }
        for value in row.iter().filter(|value| value.is_finite() && **value != 0.0) {
            let (whole, exponent) = split(*value);
            self.add(i128::from(whole), i128::from(whole) * i128::from(whole), exponent);
        }
    }

    /// Adds values of which some bits stand after the point: these are whole numbers of a step 2^51 times smaller. False
    /// when such steps do not hold every value.
    fn cut_piece(&mut self, row: &[f64], factor: f64, shift: i32) -> bool {
        let (mut upper, mut lower) = ([0_i64; PIECE], [0_i64; PIECE]);
        let (upper, lower) = (&mut upper[..row.len()], &mut lower[..row.len()]);
        if !cut_whole(row, factor, upper, lower) {
            return false;
        }
        self.add(sum(upper), products(upper, upper), -shift);
        self.add(sum(lower), products(lower, lower), -shift - 51);
        if let Some(squares) = &mut self.squares {
            let steps = 2 * (-shift - LOWEST) - 51;
            squares.add(2 * products(upper, lower), steps as usize);
        }
        true
    }

    /// Adds `sum` times 2^`exponent`, which is not below [`LOWEST`], and `squares` at its square.
    fn add(&mut self, sum: i128, squares: i128, exponent: i32) {
        let steps = (exponent - LOWEST) as usize;
        self.values.add(sum, steps);
        if let Some(kept) = &mut self.squares {
            kept.add(squares, 2 * steps);
        }
    }

    /// Adds what others have summed.
    pub fn merge(&mut self, other: &Self) {
        self.values.merge(&other.values);
        if let (Some(squares), Some(other)) = (&mut self.squares, &other.squares) {
            squares.merge(other);
        }
    }

    /// The sum, in steps of 2^[`LOWEST`].
    pub fn sum(&self) -> BigInt {
        self.values.whole()
    }

    /// The sum of squares, in steps of 2^(2 [`LOWEST`]); None when nobody wanted it.
    pub fn squares(&self) -> Option<BigInt> {
        self.squares.as_ref().map(Long::whole)
    }
}

/// The nearest float to a whole number times 2^`exponent` by `divisor`.
pub fn nearest(number: &BigInt, exponent: i32, divisor: &BigUint) -> f64 {
    let size = number.magnitude();
    // As many bits of the quotient as round rightly; what is left over is one more bit.
    let raise = 66 + divisor.bits() as i64 - size.bits() as i64;
    let (scaled, cut) = match u64::try_from(raise) {
        Ok(raise) => (size << raise, false),
        Err(_) => {
            let lower = raise.unsigned_abs();
            (size >> lower, size.trailing_zeros().is_some_and(|zeros| zeros < lower))
        }
    };
    let quotient = &scaled / divisor;
    let cut = cut || &quotient * divisor != scaled;
    let bits = u128::try_from(quotient).unwrap_or(u128::MAX) | u128::from(cut);
    let value = scaled_by(bits as f64, i64::from(exponent) - raise);
    if number.sign() == Sign::Minus {
        -value
    } else {
        value
    }
}

/// A float times a power of two, in steps that stay in range; results below the normal floats may round twice.
fn scaled_by(number: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-3000, 3000) as i32;
    let mut number = number;
    while left != 0 {
        let step = left.clamp(-900, 900);
        number *= power(step);
        left -= step;
    }
    number
}

/// 2^`exponent` of a normal float.
fn power(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// Of the highest bit.
fn exponent_of(value: f64) -> i32 {
    let bits = (value.to_bits() >> 52 & 0x7ff) as i32;
    bits.max(1) - 1023
}

/// A value as a whole number times a power of two.
fn split(value: f64) -> (i64, i32) {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, (bits & 0x000f_ffff_ffff_ffff) as i64);
    let size = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    (if value < 0.0 { -size } else { size }, exponent.max(1) - 1075)
}

fn sum(whole: &[i64]) -> i128 {
    i128::from(whole.iter().sum::<i64>())
}

fn products(a: &[i64], b: &[i64]) -> i128 {
    a.iter().zip(b).map(|(a, b)| i128::from(*a) * i128::from(*b)).sum()
}

/// 1.5 * 2^52: a sum with it holds a whole number in its low bits.
const LOW_BITS: f64 = 6_755_399_441_055_744.0;

/// A scaled value as an integer, 0 when it is not finite.
#[inline(always)]
fn whole(value: f64, factor: f64) -> i64 {
    let scaled = if value.is_finite() { value * factor } else { 0.0 };
    (scaled + LOW_BITS).to_bits() as i64 - LOW_BITS.to_bits() as i64
}

/// Sum of scaled values, and whether some are no whole numbers: then it is worth nothing. What scaling makes 0 was a number
/// too small to be one.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn whole_sum(row: &[f64], factor: f64) -> (i64, bool) {
    let (mut sum, mut broken) = (0_i64, 0_u64);
    for value in row {
        let scaled = *value * factor;
        let lost = (scaled.trunc() != scaled) | ((scaled == 0.0) & (*value != 0.0));
        broken |= u64::from(value.is_finite() & lost);
        // At most 1024 numbers of 51 bits where it counts.
        sum = sum.wrapping_add(whole(*value, factor));
    }
    (sum, broken != 0)
}

/// Sum of the squares of scaled values, which are whole numbers.
fn whole_squares(row: &[f64], factor: f64) -> i128 {
    row.iter().map(|value| i128::from(whole(*value, factor)).pow(2)).sum()
}

/// Scaled values as two integers, the second of which counts steps of 2^-51; false when those do not hold every value.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn cut_whole(row: &[f64], factor: f64, upper: &mut [i64], lower: &mut [i64]) -> bool {
    const STEPS: f64 = 2_251_799_813_685_248.0;
    let mut broken = 0_u64;
    for ((upper, lower), value) in upper.iter_mut().zip(lower).zip(row) {
        let scaled = if value.is_finite() { *value * factor } else { 0.0 };
        let whole = scaled.trunc();
        let rest = (scaled - whole) * STEPS;
        // Scaled values that are so small have lost bits.
        let lost = (rest.trunc() != rest) | ((scaled.abs() < 1e-200) & (*value != 0.0) & value.is_finite());
        broken |= u64::from(lost);
        *upper = (whole + LOW_BITS).to_bits() as i64 - LOW_BITS.to_bits() as i64;
        *lower = (rest + LOW_BITS).to_bits() as i64 - LOW_BITS.to_bits() as i64;
    }
    broken == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same sums with long numbers from the start.
    fn plainly(values: &[f64]) -> (BigInt, BigInt) {
        let (mut sum, mut squares) = (BigInt::ZERO, BigInt::ZERO);
        for value in values.iter().filter(|value| value.is_finite()) {
            let (whole, exponent) = split(*value);
            let long = BigInt::from(whole) << (exponent - LOWEST) as usize;
            squares += &long * &long;
            sum += long;
        }
        (sum, squares)
    }

    fn add_row(sums: &mut Sums, row: &[f64]) {
        for piece in row.chunks(PIECE) {
            let sizes = piece.iter().map(|value| value.abs()).filter(|size| size.is_finite());
            sums.piece(piece, sizes.fold(0.0, f64::max));
        }
    }

    fn check(values: &[f64]) {
        let (sum, squares) = plainly(values);
        for cut in [values.len().max(1), 7, 1024, 1500] {
            let (mut all, mut alone) = (Sums::new(true), Sums::new(false));
            // Backwards, to see that order does not matter.
            for piece in values.chunks(cut).rev() {
                let mut part = Sums::new(true);
                add_row(&mut part, piece);
                all.merge(&part);
                add_row(&mut alone, piece);
            }
            assert_eq!((all.sum(), all.squares()), (sum.clone(), Some(squares.clone())), "{cut}");
            assert_eq!((alone.sum(), alone.squares()), (sum.clone(), None), "{cut}");
        }
    }

    #[test]
    fn no_bit_is_lost() {
        let mut seed = 5_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            seed >> 11
        };
        let mut row = |make: &dyn Fn(u64) -> f64| (0..3000).map(|_| make(random())).collect::<Vec<f64>>();
        check(&row(&|r| (r % 65_536) as f64 - 1000.0));
        check(&row(&|r| f64::from(((r % 1_000_000) as f32 - 5e5) * 1e-6)));
        check(&row(&|r| (r as f64 - 2_f64.powi(52)) * 1e-9));
        // Every exponent, with signs.
        check(&row(&|r| f64::from_bits(r << 11 ^ r)));
        check(&[f64::MAX; 100]);
        check(&[
            f64::MAX,
            f64::MIN,
            f64::from_bits(1),
            -f64::from_bits(3),
            f64::NAN,
            f64::INFINITY,
            0.0,
            -0.0,
        ]);
        check(&[1e300, 1.0, -1e300, 1e-300]);
        // Too small to be seen beside the largest one, once they are scaled alike.
        check(&[2_f64.powi(1000), 2_f64.powi(-1000), -2_f64.powi(-1010)]);
        check(&[2_f64.powi(1020), 3.0 * 2_f64.powi(920), 2_f64.powi(-1074)]);
        check(&row(&|r| (r as f64).powi(7) * 1e-100 + 1e-9));
        check(&row(&|r| (r % 1000) as f64 * 0.1));
        check(&[]);
    }

    #[test]
    fn quotients_are_rounded_once() {
        let divided = |number: i64, exponent, divisor: u32| {
            nearest(&BigInt::from(number), exponent, &BigUint::from(divisor))
        };
        for (number, divisor) in [(1, 3), (-2, 7), (1 << 53, 3), ((1 << 53) + 1, 1), (i64::MAX, 10), (0, 5)] {
            assert_eq!(divided(number, 0, divisor), number as f64 / f64::from(divisor), "{number} {divisor}");
        }
        assert_eq!(divided(3, -1074, 1), f64::from_bits(3));
        assert_eq!(divided(1, 1023, 1), 2_f64.powi(1023));
        // Half way, and a little more, far below.
        let half = (BigInt::from((1_i64 << 53) + 1) << 300) + 1;
        assert_eq!(nearest(&half, -300, &BigUint::from(1_u32)), ((1_i64 << 53) + 2) as f64);
        assert_eq!(nearest(&(BigInt::from(1) << 2000), 0, &BigUint::from(1_u32)), f64::INFINITY);
    }
}
