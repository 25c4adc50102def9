//! What operators and functions do with one cell.

/// An operation on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    Negate,
    Not,
    Sin,
    Cos,
    Tan,
    ArcSin,
    ArcCos,
    ArcTan,
    HyperbolicSin,
    HyperbolicCos,
    HyperbolicTan,
    AreaSin,
    AreaCos,
    AreaTan,
    SquareRoot,
    Exponential,
    Logarithm,
    Logarithm2,
    Logarithm10,
    Round,
    Floor,
    Ceiling,
    Sign,
    Absolute,
    IsMissing,
}

/// An operation on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
    And,
    Or,
    Lower,
    Higher,
    ArcTan2,
    Coalesce,
    /// (x - y) / (x + y), the same three operations in one loop: what most indices are.
    NormalizedDifference,
}

/// 1 or 0.
#[inline(always)]
pub fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// Runs the body with the operation as `$f`, so that every operation gets loops of its own.
macro_rules! with_unary {
    ($operation:expr, |$f:ident| $body:expr) => {{
        use $crate::stack::expression::operators::{flag, Unary};
        match $operation {
            Unary::Negate => {
                let $f = |x: f64| -x;
                $body
            }
            Unary::Not => {
                let $f = |x: f64| flag(x == 0.0);
                $body
            }
            Unary::Sin => {
                let $f = f64::sin;
                $body
            }
            Unary::Cos => {
                let $f = f64::cos;
                $body
            }
            Unary::Tan => {
                let $f = f64::tan;
                $body
            }
            Unary::ArcSin => {
                let $f = f64::asin;
                $body
            }
            Unary::ArcCos => {
                let $f = f64::acos;
                $body
            }
            Unary::ArcTan => {
                let $f = f64::atan;
                $body
            }
            Unary::HyperbolicSin => {
                let $f = f64::sinh;
                $body
            }
            Unary::HyperbolicCos => {
                let $f = f64::cosh;
                $body
            }
            Unary::HyperbolicTan => {
                let $f = f64::tanh;
                $body
            }
            Unary::AreaSin => {
                let $f = f64::asinh;
                $body
            }
            Unary::AreaCos => {
                let $f = f64::acosh;
                $body
            }
            Unary::AreaTan => {
                let $f = f64::atanh;
                $body
            }
            Unary::SquareRoot => {
                let $f = f64::sqrt;
                $body
            }
            Unary::Exponential => {
                let $f = f64::exp;
                $body
            }
            Unary::Logarithm => {
                let $f = f64::ln;
                $body
            }
            Unary::Logarithm2 => {
                let $f = f64::log2;
                $body
            }
            Unary::Logarithm10 => {
                let $f = f64::log10;
                $body
            }
            // As muParser does it: halves go up.
            Unary::Round => {
                let $f = |x: f64| (x + 0.5).floor();
                $body
            }
            Unary::Floor => {
                let $f = f64::floor;
                $body
            }
            Unary::Ceiling => {
                let $f = f64::ceil;
                $body
            }
            // NaN stays NaN.
            Unary::Sign => {
                let $f = |x: f64| if x == 0.0 || x.is_nan() { x } else { 1_f64.copysign(x) };
                $body
            }
            Unary::Absolute => {
                let $f = f64::abs;
                $body
            }
            Unary::IsMissing => {
                let $f = |x: f64| flag(x.is_nan());
                $body
            }
        }
    }};
}
pub(super) use with_unary;

/// As `with_unary!`, for two values.
macro_rules! with_binary {
    ($operation:expr, |$f:ident| $body:expr) => {{
        use $crate::stack::expression::operators::{flag, Binary};
        match $operation {
            Binary::Add => {
                let $f = |x: f64, y: f64| x + y;
                $body
            }
            Binary::Subtract => {
                let $f = |x: f64, y: f64| x - y;
                $body
            }
            Binary::Multiply => {
                let $f = |x: f64, y: f64| x * y;
                $body
            }
            Binary::Divide => {
                let $f = |x: f64, y: f64| x / y;
                $body
            }
            Binary::NormalizedDifference => {
                let $f = |x: f64, y: f64| (x - y) / (x + y);
                $body
            }
            Binary::Power => {
                let $f = |x: f64, y: f64| x.powf(y);
                $body
            }
            Binary::Below => {
                let $f = |x: f64, y: f64| flag(x < y);
                $body
            }
            Binary::AtMost => {
                let $f = |x: f64, y: f64| flag(x <= y);
                $body
            }
            Binary::Above => {
                let $f = |x: f64, y: f64| flag(x > y);
                $body
            }
            Binary::AtLeast => {
                let $f = |x: f64, y: f64| flag(x >= y);
                $body
            }
            Binary::Equal => {
                let $f = |x: f64, y: f64| flag(x == y);
                $body
            }
            Binary::Unequal => {
                let $f = |x: f64, y: f64| flag(x != y);
                $body
            }
            Binary::And => {
                let $f = |x: f64, y: f64| flag((x != 0.0) & (y != 0.0));
                $body
            }
            Binary::Or => {
                let $f = |x: f64, y: f64| flag((x != 0.0) | (y != 0.0));
                $body
            }
            // A missing value stays missing, on either side.
            Binary::Lower => {
                let $f = |x: f64, y: f64| if (x < y) | x.is_nan() { x } else { y };
                $body
            }
            Binary::Higher => {
                let $f = |x: f64, y: f64| if (x > y) | x.is_nan() { x } else { y };
                $body
            }
            Binary::ArcTan2 => {
                let $f = f64::atan2;
                $body
            }
            Binary::Coalesce => {
                let $f = |x: f64, y: f64| if x.is_nan() { y } else { x };
                $body
            }
        }
    }};
}
pub(super) use with_binary;

impl Unary {
    /// For one cell.
    pub fn of(self, x: f64) -> f64 {
        with_unary!(self, |f| f(x))
    }

    /// Whether NaN always gives NaN.
    pub fn keeps_missing(self) -> bool {
        !matches!(self, Self::Not | Self::IsMissing)
    }
}

impl Binary {
    /// For one cell.
    pub fn of(self, x: f64, y: f64) -> f64 {
        with_binary!(self, |f| f(x, y))
    }

    /// Whether NaN on either side always gives NaN.
    pub fn keeps_missing(self) -> bool {
        use Binary::{Add, ArcTan2, Divide, Higher, Lower, Multiply, NormalizedDifference, Subtract};
        matches!(self, Add | Subtract | Multiply | Divide | NormalizedDifference | Lower | Higher | ArcTan2)
    }
}

/// Highest bit that can be asked for; numbers beyond 2^51 have none.
pub const HIGHEST_BIT: u32 = 50;

/// `width` bits of a whole number from `shift` on; fractions are cut off, negative numbers are two's complement.
#[inline(always)]
pub fn field(x: f64, shift: u32, width: u32) -> f64 {
    // 1.5 * 2^52: the sum holds the whole number in its low bits, and 2^52 below turns bits into a number again.
    const LOW_BITS: f64 = 6_755_399_441_055_744.0;
    const BITS: u64 = 0x4330_0000_0000_0000;
    let bits = (x.trunc() + LOW_BITS).to_bits();
    let found = f64::from_bits(bits >> shift & ((1 << width) - 1) | BITS) - f64::from_bits(BITS);
    if x.abs() < 2_251_799_813_685_248.0 {
        found
    } else {
        f64::NAN
    }
}
