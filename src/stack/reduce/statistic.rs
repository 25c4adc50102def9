//! The statistics there are, and what they say of themselves.

use crate::core::error::{unknown_name, Error, Result};
use serde_json::json;

/// What a statistic says of itself.
#[derive(Debug)]
pub struct Entry {
    /// The name at every face.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// What may stand in brackets after the name; the first one holds when nothing does.
    pub options: &'static [&'static str],
}

/// Every statistic, in the order faces show them.
pub static STATISTICS: &[Entry] = &[
    entry("count", "Number of values; 0 where there are none.", &[]),
    entry("mean", "Sum of the values by their number.", &[]),
    entry("sum", "Sum of the values, in the order of time.", &[]),
    entry("min", "Smallest value.", &[]),
    entry("max", "Largest value.", &[]),
    entry("range", "Largest value less the smallest one.", &[]),
    entry("std", "Standard deviation; ddof is taken off the number of values.", &["ddof=0", "ddof=1"]),
    entry("var", "Variance; ddof is taken off the number of values.", &["ddof=0", "ddof=1"]),
    entry("median", "Middle value, or the mean of the two in the middle.", &[]),
    entry(
        "p",
        "Percentile, as p90 or p2.5: between two values along a line, or the nearest one.",
        &["linear", "nearest"],
    ),
    entry("first", "First value in the order of time.", &[]),
    entry("last", "Last value in the order of time.", &[]),
    entry("which_min", "When the smallest value came first.", WHEN),
    entry("which_max", "When the largest value came first.", WHEN),
    entry("wmean", "Mean with the weights of the layers.", &[]),
    entry("prod", "Product of the values, in the order of time.", &[]),
    entry("any", "1 where some value is not 0, else 0.", &[]),
    entry("all", "1 where no value is 0, else 0.", &[]),
    entry("mode", "Most frequent value; the smallest one of equals.", &[]),
];

/// Seconds since 1970, number of the layer from 0, day of the year from 1.
const WHEN: &[&str] = &["seconds", "index", "day"];

const fn entry(name: &'static str, help: &'static str, options: &'static [&'static str]) -> Entry {
    Entry { name, help, options }
}

impl Entry {
    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        json!({"name": self.name, "help": self.help, "options": self.options})
    }
}

/// Which end of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extreme {
    /// The smallest value.
    Lowest,
    /// The largest value.
    Highest,
}

/// How the time of an extreme is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Seconds since the beginning of 1970, UTC.
    Seconds,
    /// Number of the layer among all layers, from 0.
    Index,
    /// Day of the year, from 1.
    Day,
}

/// What a percentile is when it falls between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ranking {
    /// A number on the line between them (Hyndman and Fan 1996, definition 7).
    Linear,
    /// The nearer one; the even place of two that are equally near.
    Nearest,
}

/// One number made from the values of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// Number of values.
    Count,
    /// Arithmetic mean.
    Mean,
    /// Sum.
    Sum,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Largest less smallest.
    Range,
    /// Standard deviation with this number of degrees of freedom taken off.
    Deviation(u8),
    /// Variance with this number of degrees of freedom taken off.
    Variance(u8),
    /// Middle value.
    Median,
    /// Percentile from 0 to 100.
    Percentile(f64, Ranking),
    /// First value in time.
    First,
    /// Last value in time.
    Last,
    /// When an extreme came first.
    Which(Extreme, When),
    /// Mean with weights.
    WeightedMean,
    /// Product.
    Product,
    /// Whether some value is not 0.
    Any,
    /// Whether no value is 0.
    All,
    /// Most frequent value.
    Mode,
}

impl Statistic {
    /// Reads `mean`, `std(ddof=1)`, `p90`, `p2.5(nearest)`, `which_max(day)`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, option) = match text.strip_suffix(')').and_then(|inner| inner.split_once('(')) {
            Some((name, option)) => (name.trim(), Some(option.trim())),
            None => (text, None),
        };
        if let Some(rank) = name.strip_prefix('p').and_then(|digits| digits.parse::<f64>().ok()) {
            let entry = find("p")?;
            if !(0.0..=100.0).contains(&rank) {
                let allowed = "allowed: p0 to p100";
                return Err(Error::Argument(format!("percentile '{name}' is not allowed; {allowed}")));
            }
            let ranking = [Ranking::Linear, Ranking::Nearest][choice(entry, option)?];
            return Ok(Self::Percentile(rank, ranking));
        }
        let entry = find(name)?;
        let chosen = choice(entry, option)?;
        let when = [When::Seconds, When::Index, When::Day][chosen];
        Ok(match entry.name {
            "count" => Self::Count,
            "mean" => Self::Mean,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "range" => Self::Range,
            "std" => Self::Deviation(chosen as u8),
            "var" => Self::Variance(chosen as u8),
            "median" => Self::Median,
            "first" => Self::First,
            "last" => Self::Last,
            "which_min" => Self::Which(Extreme::Lowest, when),
            "which_max" => Self::Which(Extreme::Highest, when),
            "wmean" => Self::WeightedMean,
            "prod" => Self::Product,
            "any" => Self::Any,
            "all" => Self::All,
            "mode" => Self::Mode,
            _ => return Err(unknown(name)),
        })
    }

    /// Reads several, with commas between; no two may be the same.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let list: Vec<Self> = text.split(',').map(Self::parse).collect::<Result<_>>()?;
        for (index, statistic) in list.iter().enumerate() {
            if list[..index].contains(statistic) {
                let name = statistic.name();
                return Err(Error::Argument(format!("statistic '{name}' is given twice; allowed: once")));
            }
        }
        Ok(list)
    }

    /// Name of its band: what stood in brackets is part of it, when it is not the usual.
    pub fn name(self) -> String {
        match self {
            Self::Count => "count".into(),
            Self::Mean => "mean".into(),
            Self::Sum => "sum".into(),
            Self::Min => "min".into(),
            Self::Max => "max".into(),
            Self::Range => "range".into(),
            Self::Deviation(ddof) => degrees("std", ddof),
            Self::Variance(ddof) => degrees("var", ddof),
            Self::Median => "median".into(),
            Self::Percentile(rank, Ranking::Linear) => format!("p{rank}"),
            Self::Percentile(rank, Ranking::Nearest) => format!("p{rank}_nearest"),
            Self::First => "first".into(),
            Self::Last => "last".into(),
            Self::Which(extreme, when) => {
                let name = if extreme == Extreme::Lowest { "which_min" } else { "which_max" };
                let when = ["", "_index", "_day"][when as usize];
                format!("{name}{when}")
            }
            Self::WeightedMean => "wmean".into(),
            Self::Product => "prod".into(),
            Self::Any => "any".into(),
            Self::All => "all".into(),
            Self::Mode => "mode".into(),
        }
    }

    /// Whether it is in seconds since the beginning of 1970, which are no 32-bit floats.
    pub fn is_in_seconds(self) -> bool {
        matches!(self, Self::Which(_, When::Seconds))
    }

    /// Whether results have the unit of the values.
    pub fn has_unit(self) -> bool {
        let is_number = matches!(self, Self::Count | Self::Which(..) | Self::Any | Self::All);
        !is_number && !matches!(self, Self::Variance(_) | Self::Product)
    }

    /// Whether all values of a cell have to be kept for it.
    pub fn keeps_values(self) -> bool {
        matches!(self, Self::Median | Self::Percentile(..) | Self::Mode)
    }

    /// Whether every result is a whole number when the values are.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Count | Self::Which(..) | Self::Any | Self::All)
    }
}

fn degrees(name: &str, ddof: u8) -> String {
    if ddof == 0 {
        name.into()
    } else {
        format!("{name}_ddof{ddof}")
    }
}

fn find(name: &str) -> Result<&'static Entry> {
    STATISTICS.iter().find(|entry| entry.name == name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    let shown = |entry: &Entry| if entry.name == "p" { "p0 to p100" } else { entry.name };
    unknown_name("statistic", name, STATISTICS.iter().map(shown))
}

/// The place of an option among those of a statistic; the first one when none is given.
fn choice(entry: &Entry, option: Option<&str>) -> Result<usize> {
    let Some(option) = option else { return Ok(0) };
    let found = entry.options.iter().position(|known| *known == option.replace(' ', ""));
    found.ok_or_else(|| {
        let allowed = if entry.options.is_empty() { "nothing".into() } else { entry.options.join(", ") };
        Error::Argument(format!("statistic {}({option}) is not allowed; allowed: {allowed}", entry.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_with_every_option() {
        for entry in STATISTICS {
            let name = if entry.name == "p" { "p90" } else { entry.name };
            let plain = Statistic::parse(name).unwrap();
            assert_eq!(plain.name(), name);
            let read: Vec<_> = entry
                .options
                .iter()
                .map(|option| Statistic::parse(&format!("{name}({option})")).unwrap())
                .collect();
            assert!(read.first().is_none_or(|first| *first == plain), "{name}");
            let names: std::collections::HashSet<_> = read.iter().map(|statistic| statistic.name()).collect();
            assert_eq!(names.len(), entry.options.len(), "{name}");
        }
    }

    #[test]
    fn texts_and_refusals() {
        let list = Statistic::parse_list("mean, std( ddof = 1 ),p2.5(nearest)").unwrap();
        assert_eq!(
            list,
            [Statistic::Mean, Statistic::Deviation(1), Statistic::Percentile(2.5, Ranking::Nearest)]
        );
        assert_eq!(list[2].name(), "p2.5_nearest");
        let said = |text: &str| Statistic::parse_list(text).unwrap_err().to_string();
        assert!(said("average").starts_with("unknown statistic 'average'; allowed: count, mean"));
        assert_eq!(said("p101"), "percentile 'p101' is not allowed; allowed: p0 to p100");
        assert_eq!(said("pNaN"), "percentile 'pNaN' is not allowed; allowed: p0 to p100");
        assert_eq!(said("mean(ddof=1)"), "statistic mean(ddof=1) is not allowed; allowed: nothing");
        assert_eq!(said("std(2)"), "statistic std(2) is not allowed; allowed: ddof=0, ddof=1");
        assert_eq!(said("mean,mean"), "statistic 'mean' is given twice; allowed: once");
        assert!(said("").starts_with("unknown statistic ''"));
        assert!(said("p").starts_with("unknown statistic 'p'; allowed: count"));
    }
}
