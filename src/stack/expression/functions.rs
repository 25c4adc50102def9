//! Functions and constants of the language, as faces show them.

use super::operators::{Binary, Unary};
use serde_json::json;

/// A function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its arguments as help shows them.
    pub arguments: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// What it does.
    pub(super) meaning: Meaning,
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// An operation on one value.
    One(Unary),
    /// An operation on two values.
    Two(Binary),
    /// An operation that goes on through any number of values.
    Many(Binary),
    /// Sum of all, by their number.
    Average,
    /// A value between two others.
    Clamp,
    /// Whether the first is one of the others.
    Among,
    /// One bit of a whole number.
    Bit,
    /// Several bits as a number.
    Bits,
    /// Normalised difference.
    Difference,
}

impl Meaning {
    /// Fewest and most arguments.
    pub fn arguments(self) -> (usize, usize) {
        match self {
            Self::One(_) => (1, 1),
            Self::Two(_) | Self::Bit | Self::Difference => (2, 2),
            Self::Clamp | Self::Bits => (3, 3),
            Self::Many(_) | Self::Average => (1, usize::MAX),
            Self::Among => (2, usize::MAX),
        }
    }
}

const fn one(name: &'static str, operation: Unary, help: &'static str) -> Function {
    Function { name, arguments: "x", help, meaning: Meaning::One(operation) }
}

const fn many(name: &'static str, operation: Binary, help: &'static str) -> Function {
    Function { name, arguments: "a, b, ...", help, meaning: Meaning::Many(operation) }
}

const fn function(
    name: &'static str,
    arguments: &'static str,
    meaning: Meaning,
    help: &'static str,
) -> Function {
    Function { name, arguments, help, meaning }
}

/// Every function, indices apart.
pub static FUNCTIONS: &[Function] = &[
    many("min", Binary::Lower, "Smallest of the values."),
    many("max", Binary::Higher, "Largest of the values."),
    many("sum", Binary::Add, "Sum of the values."),
    function("avg", "a, b, ...", Meaning::Average, "Mean of the values."),
    one("abs", Unary::Absolute, "Size without the sign."),
    one("sign", Unary::Sign, "-1, 0 or 1."),
    one("sqrt", Unary::SquareRoot, "Square root."),
    function("pow", "a, b", Meaning::Two(Binary::Power), "a to the power of b, as a^b."),
    one("exp", Unary::Exponential, "e to the power of x."),
    one("ln", Unary::Logarithm, "Natural logarithm."),
    one("log", Unary::Logarithm, "Natural logarithm, as ln."),
    one("log2", Unary::Logarithm2, "Logarithm to base 2."),
    one("log10", Unary::Logarithm10, "Logarithm to base 10."),
    one("rint", Unary::Round, "Nearest whole number; halves go up."),
    one("floor", Unary::Floor, "Largest whole number that is not above x."),
    one("ceil", Unary::Ceiling, "Smallest whole number that is not below x."),
    function("clamp", "x, low, high", Meaning::Clamp, "x, but not below low and not above high."),
    one("sin", Unary::Sin, "Sine of an angle in radians."),
    one("cos", Unary::Cos, "Cosine of an angle in radians."),
    one("tan", Unary::Tan, "Tangent of an angle in radians."),
    one("asin", Unary::ArcSin, "Angle in radians whose sine is x."),
    one("acos", Unary::ArcCos, "Angle in radians whose cosine is x."),
    one("atan", Unary::ArcTan, "Angle in radians whose tangent is x."),
    function("atan2", "y, x", Meaning::Two(Binary::ArcTan2), "Angle in radians of the direction x, y."),
    one("sinh", Unary::HyperbolicSin, "Hyperbolic sine."),
    one("cosh", Unary::HyperbolicCos, "Hyperbolic cosine."),
    one("tanh", Unary::HyperbolicTan, "Hyperbolic tangent."),
    one("asinh", Unary::AreaSin, "Inverse of sinh."),
    one("acosh", Unary::AreaCos, "Inverse of cosh."),
    one("atanh", Unary::AreaTan, "Inverse of tanh."),
    one("isnan", Unary::IsMissing, "1 where x has no data, else 0; of use under the lazy rule."),
    many("coalesce", Binary::Coalesce, "First of the values that has data; of use under the lazy rule."),
    function(
        "isin",
        "x, v1, ...",
        Meaning::Among,
        "1 where x is one of the values, else 0; as x in (v1, ...).",
    ),
    function("bit", "x, i", Meaning::Bit, "Bit i of a whole number, counted from 0."),
    function("bits", "x, from, to", Meaning::Bits, "Bits from to to of a whole number, as a number."),
    function("nd", "a, b", Meaning::Difference, "Normalised difference (b - a) / (b + a)."),
    function("norm_diff", "a, b", Meaning::Difference, "Normalised difference, as nd."),
];

/// Names for numbers.
pub static CONSTANTS: &[(&str, f64, &str)] = &[
    ("_pi", std::f64::consts::PI, "Ratio of a circle's circumference to its diameter."),
    ("_e", std::f64::consts::E, "Base of natural logarithms."),
    ("NaN", f64::NAN, "No data."),
    ("nan", f64::NAN, "No data."),
    ("nodata", f64::NAN, "No data."),
    ("NODATA", f64::NAN, "No data."),
];

/// Operators from loosest to tightest, with what they do.
pub static OPERATORS: &[(&str, &str)] = &[
    ("c ? a : b", "a where c is not 0, else b."),
    ("||", "1 where one of both is not 0, else 0."),
    ("&&", "1 where both are not 0, else 0."),
    ("== != < <= > >=", "1 where it holds, else 0."),
    ("+ -", "Sum, difference."),
    ("* /", "Product, quotient."),
    ("- + !", "Signs; ! is 1 where a value is 0, else 0."),
    ("^", "Power, from right to left; -2^2 is -4."),
    (
        "x in (v1, ...)",
        "1 where x is one of the values, else 0. Before signs and sums: c + 1 in (2) is c + (1 in (2)).",
    ),
];

impl Function {
    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        json!({"name": self.name, "arguments": self.arguments, "help": self.help})
    }
}
