//! Parameters of operations: one description serves checks, help, JSON and the typed values a kernel gets.

use super::error::{unknown_name, Error, Result};
use super::grid::Grid;
use serde_json::json;

/// What a parameter can hold. Every front end maps these kinds, not single operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A finite number.
    Float,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// One of a fixed list of words.
    Choice(&'static [&'static str]),
    /// A distance: `10` (cells) or `10m` (metres, or whatever the raster's unit is).
    Length,
}

impl Kind {
    /// The kind's name in descriptions.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Float => "float",
            Kind::Int => "int",
            Kind::Bool => "bool",
            Kind::Choice(_) => "choice",
            Kind::Length => "length",
        }
    }
}

/// A distance in cells or in the raster's own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Number of cells.
    Cells(f64),
    /// Metres, or the unit of the raster's coordinates.
    Metres(f64),
}

impl Length {
    /// Whole cells on `grid`, at least 1.
    pub fn cells(self, grid: &Grid) -> usize {
        self.on(grid).round_ties_even().max(1.0) as usize
    }

    /// Cells on `grid`, parts of one included.
    fn on(self, grid: &Grid) -> f64 {
        match self {
            Length::Cells(cells) => cells,
            Length::Metres(metres) => metres / grid.cell_width,
        }
    }

    fn number(self) -> f64 {
        match self {
            Length::Cells(number) | Length::Metres(number) => number,
        }
    }
}

/// A checked value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Value of a `Kind::Float`.
    Float(f64),
    /// Value of a `Kind::Int`.
    Int(i64),
    /// Value of a `Kind::Bool`.
    Bool(bool),
    /// Value of a `Kind::Choice`: an index into its words.
    Choice(usize),
    /// Value of a `Kind::Length`.
    Length(Length),
}

/// A type that a field of `params!` can have.
pub trait Parameter: Sized {
    /// Its kind.
    const KIND: Kind;
    /// The value as the description holds it.
    fn to_value(self) -> Value;
    /// Back again; None when the value is of another kind.
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! parameter {
    ($type:ty, $variant:ident) => {
        impl Parameter for $type {
            const KIND: Kind = Kind::$variant;
            fn to_value(self) -> Value {
                Value::$variant(self)
            }
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(inner) => Some(inner),
                    _ => None,
                }
            }
        }
    };
}
parameter!(f64, Float);
parameter!(i64, Int);
parameter!(bool, Bool);
parameter!(Length, Length);

/// Description of one parameter.
#[derive(Debug, Clone)]
pub struct ParamSpec {
    /// Name at every face.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Value when none is given.
    pub default: Value,
    /// Smallest and largest allowed number, both included.
    pub range: Option<(f64, f64)>,
    /// Unit of the number, or empty.
    pub unit: &'static str,
    /// One sentence.
    pub help: &'static str,
}

impl ParamSpec {
    /// Reads a value as a user types it; the error says what came and what is allowed.
    pub fn parse(&self, text: &str) -> Result<Value> {
        let text = text.trim();
        let value = match self.kind {
            Kind::Float => text.parse().ok().map(Value::Float),
            Kind::Int => text.parse().ok().map(Value::Int),
            Kind::Bool => text.parse().ok().map(Value::Bool),
            Kind::Choice(words) => {
                words.iter().position(|word| word.eq_ignore_ascii_case(text)).map(Value::Choice)
            }
            Kind::Length => parse_length(text).map(Value::Length),
        };
        value.filter(|value| self.admits(*value)).ok_or_else(|| {
            Error::Argument(format!("{} = '{text}' is not allowed; allowed: {}", self.name, self.allowed()))
        })
    }

    /// Reads a value from JSON.
    pub fn parse_json(&self, value: &serde_json::Value) -> Result<Value> {
        match value {
            serde_json::Value::String(text) => self.parse(text),
            other => self.parse(&other.to_string()),
        }
    }

    /// The value as JSON, such that `parse_json` gives it back.
    pub fn to_json(&self, value: Value) -> serde_json::Value {
        match (value, self.kind) {
            (Value::Choice(index), Kind::Choice(words)) => json!(words[index]),
            (Value::Int(number), _) => json!(number),
            (Value::Bool(flag), _) => json!(flag),
            (Value::Length(Length::Metres(metres)), _) => json!(format!("{metres}m")),
            (Value::Float(number) | Value::Length(Length::Cells(number)), _) => number_json(number),
            (Value::Choice(index), _) => json!(index),
        }
    }

    /// The allowed values in words.
    pub fn allowed(&self) -> String {
        let range = match self.range {
            Some((low, high)) => format!(" from {low} to {high}"),
            None => String::new(),
        };
        match self.kind {
            Kind::Float => format!("a number{range}"),
            Kind::Int => format!("a whole number{range}"),
            Kind::Bool => "true, false".into(),
            Kind::Choice(words) => words.join(", "),
            Kind::Length => format!("a whole number of cells{range}, or a distance such as 10m"),
        }
    }

    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        let mut description = json!({
            "name": self.name, "kind": self.kind.name(), "default": self.to_json(self.default),
        });
        if let Some((low, high)) = self.range {
            description["min"] = number_json(low);
            description["max"] = number_json(high);
        }
        if let Kind::Choice(words) = self.kind {
            description["choices"] = json!(words);
        }
        description["unit"] = json!(self.unit);
        description["help"] = json!(self.help);
        description
    }

    fn admits(&self, value: Value) -> bool {
        let number = match value {
            Value::Float(number) => number,
            Value::Int(number) => number as f64,
            Value::Length(length) => length.number(),
            Value::Bool(_) | Value::Choice(_) => return true,
        };
        if matches!(value, Value::Length(Length::Cells(cells)) if cells.fract() != 0.0) {
            return false;
        }
        // A length in metres is checked against the range once the cell size is known.
        let metres = matches!(value, Value::Length(Length::Metres(_)));
        match self.range {
            _ if metres => number.is_finite() && number > 0.0,
            Some((low, high)) => low <= number && number <= high,
            None => number.is_finite(),
        }
    }
}

fn parse_length(text: &str) -> Option<Length> {
    match text.strip_suffix('m') {
        Some(metres) => metres.trim().parse().ok().map(Length::Metres),
        None => text.parse().ok().map(Length::Cells),
    }
}

/// Whole numbers without a decimal point, as people write them.
pub fn number_json(number: f64) -> serde_json::Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        json!(number as i64)
    } else {
        json!(number)
    }
}

/// The checked parameters of one operation.
#[derive(Debug, Clone)]
pub struct Values {
    specs: Vec<ParamSpec>,
    values: Vec<Value>,
}

impl Values {
    /// All defaults.
    pub fn defaults(specs: Vec<ParamSpec>) -> Self {
        let values = specs.iter().map(|spec| spec.default).collect();
        Self { specs, values }
    }

    /// Sets one from text.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let index = self.index(name)?;
        self.values[index] = self.specs[index].parse(text)?;
        Ok(())
    }

    /// Sets one from JSON.
    pub fn set_json(&mut self, name: &str, value: &serde_json::Value) -> Result<()> {
        let index = self.index(name)?;
        self.values[index] = self.specs[index].parse_json(value)?;
        Ok(())
    }

    /// The value of a field that `params!` declared, in the field's own type.
    pub fn get<T: Parameter>(&self, name: &str) -> T {
        let position = self.specs.iter().position(|spec| spec.name == name);
        let value = position.and_then(|index| T::from_value(self.values[index]));
        value.expect("params! reads only what it declared")
    }

    /// A value as people write it; empty when there is no such parameter.
    pub fn text(&self, name: &str) -> String {
        let index = self.specs.iter().position(|spec| spec.name == name);
        let json = index.map(|index| self.specs[index].to_json(self.values[index]));
        json.map_or(String::new(), |json| json.as_str().map_or(json.to_string(), str::to_string))
    }

    /// Whether a parameter has its default value.
    pub fn is_default(&self, name: &str) -> bool {
        let index = self.specs.iter().position(|spec| spec.name == name);
        index.is_none_or(|index| self.values[index] == self.specs[index].default)
    }

    /// All values as a JSON object.
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let pairs = self.specs.iter().zip(&self.values);
        pairs.map(|(spec, value)| (spec.name.to_string(), spec.to_json(*value))).collect()
    }

    /// Checks lengths given in metres against their range in cells, now that the grid is known.
    pub fn check_lengths(&self, grid: &Grid) -> Result<()> {
        for (spec, value) in self.specs.iter().zip(&self.values) {
            if let (Value::Length(length @ Length::Metres(_)), Some((low, high))) = (value, spec.range) {
                let cells = length.on(grid);
                if !(low..=high).contains(&cells) {
                    let (name, text) = (spec.name, spec.to_json(*value));
                    return Err(Error::Argument(format!(
                        "{name} = {text} is {cells} cells of {} m; allowed: {low} to {high} cells",
                        grid.cell_width
                    )));
                }
            }
        }
        Ok(())
    }

    /// The same distances on a grid whose cells are `factor` times as large as those of `grid`: whole numbers of its
    /// cells, not below what the parameter allows.
    pub fn coarsened(&self, factor: usize, grid: &Grid) -> Self {
        let coarsen = |(spec, value): (&ParamSpec, &Value)| match value {
            Value::Length(length) => {
                let cells = (length.on(grid) / factor as f64).round_ties_even();
                let (low, high) = spec.range.unwrap_or((1.0, f64::MAX));
                Value::Length(Length::Cells(cells.clamp(low, high)))
            }
            other => *other,
        };
        let values = self.specs.iter().zip(&self.values).map(coarsen).collect();
        Self { specs: self.specs.clone(), values }
    }

    fn index(&self, name: &str) -> Result<usize> {
        let names = self.specs.iter().map(|spec| spec.name);
        self.specs
            .iter()
            .position(|spec| spec.name == name)
            .ok_or_else(|| unknown_name("parameter", name, names))
    }
}

/// Declares the words of a choice as an enum that a field of `params!` can have.
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $($(#[$variant_meta])* $variant),* }

        impl $crate::core::params::Parameter for $name {
            const KIND: $crate::core::params::Kind = $crate::core::params::Kind::Choice(&[$($word),*]);
            fn to_value(self) -> $crate::core::params::Value {
                $crate::core::params::Value::Choice(self as usize)
            }
            fn from_value(value: $crate::core::params::Value) -> Option<Self> {
                match value {
                    $crate::core::params::Value::Choice(index) => [$($name::$variant),*].get(index).copied(),
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use choices;

/// Declares the parameters of an operation once: the typed struct a kernel is built from, and the
/// description every face reads.
///
/// `..group: Type;` takes in the parameters of another such struct, so that what several operations
/// share is written once.
macro_rules! params {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(.. $group:ident : $group_type:ty;)*
            $($field:ident : $type:ty = $default:expr, $(in $range:expr, $unit:literal,)? $help:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name {
            $(
                #[doc = "Shared parameters."]
                pub $group: $group_type,
            )*
            $(
                #[doc = $help]
                pub $field: $type,
            )*
        }

        impl $name {
            /// Description of every parameter.
            pub fn specs() -> Vec<$crate::core::params::ParamSpec> {
                #[allow(unused_mut)]
                let mut specs = Vec::new();
                $(specs.extend(<$group_type>::specs());)*
                $(
                    #[allow(unused_mut, unused_assignments)]
                    let (mut range, mut unit) = (None, "");
                    $(
                        let bounds = $range;
                        range = Some((*bounds.start() as f64, *bounds.end() as f64));
                        unit = $unit;
                    )?
                    specs.push($crate::core::params::ParamSpec {
                        name: stringify!($field),
                        kind: <$type as $crate::core::params::Parameter>::KIND,
                        default: $crate::core::params::Parameter::to_value($default),
                        range,
                        unit,
                        help: $help,
                    });
                )*
                specs
            }

            /// The typed form of checked values.
            pub fn from_values(values: &$crate::core::params::Values) -> Self {
                Self {
                    $($group: <$group_type>::from_values(values),)*
                    $($field: values.get(stringify!($field)),)*
                }
            }
        }
    };
}
pub(crate) use params;

#[cfg(test)]
mod tests {
    use super::*;

    choices! { enum Colour { Red = "red", Green = "green" } }
    params! { struct Group { factor: f64 = 1.5, in -2.0..=2.0, "", "A factor."; } }
    params! {
        struct Sample {
            ..group: Group;
            count: i64 = 3, in 1..=9, "cells", "A count.";
            reach: Length = Length::Cells(10.0), in 1..=50, "cells", "A reach.";
            colour: Colour = Colour::Red, "A colour.";
        }
    }

    #[test]
    fn values_come_back_typed() {
        let mut values = Values::defaults(Sample::specs());
        values.set("count", "7").unwrap();
        values.set("reach", "25m").unwrap();
        values.set("colour", "GREEN").unwrap();
        let sample = Sample::from_values(&values);
        assert_eq!((sample.group.factor, sample.count, sample.colour), (1.5, 7, Colour::Green));
        assert_eq!(sample.reach.cells(&Grid::square(0.5)), 50);
    }

    #[test]
    fn errors_say_what_came_and_what_is_allowed() {
        let mut values = Values::defaults(Sample::specs());
        let text = |result: Result<()>| result.unwrap_err().to_string();
        assert_eq!(
            text(values.set("count", "10")),
            "count = '10' is not allowed; allowed: a whole number from 1 to 9"
        );
        assert_eq!(text(values.set("colour", "blue")), "colour = 'blue' is not allowed; allowed: red, green");
        assert!(text(values.set("cuont", "1")).contains("unknown parameter 'cuont'; allowed: factor, count"));
        for bad in ["nan", "inf", "-inf", "", "1e999"] {
            assert!(values.set("factor", bad).is_err(), "{bad}");
        }
        for bad in ["10.5", "0", "51", "-3m", "0m", "nan", "nanm", "m"] {
            assert!(values.set("reach", bad).is_err(), "{bad}");
        }
        values.set("reach", "100m").unwrap();
        assert!(values.check_lengths(&Grid::square(1.0)).is_err());
        assert!(values.check_lengths(&Grid::square(2.0)).is_ok());
    }

    #[test]
    fn lengths_shrink_with_coarser_cells() {
        let mut values = Values::defaults(Sample::specs());
        let reach = |values: &Values, factor| {
            Sample::from_values(&values.coarsened(factor, &Grid::square(0.5))).reach
        };
        assert_eq!(reach(&values, 2), Length::Cells(5.0));
        assert_eq!(reach(&values, 64), Length::Cells(1.0));
        values.set("reach", "20m").unwrap();
        assert_eq!(reach(&values, 4), Length::Cells(10.0));
    }

    #[test]
    fn json_goes_there_and_back() {
        let mut values = Values::defaults(Sample::specs());
        values.set("reach", "12.5m").unwrap();
        let mut again = Values::defaults(Sample::specs());
        for (name, value) in values.to_json() {
            again.set_json(&name, &value).unwrap();
        }
        assert_eq!(again.values, values.values);
    }
}
