//! Which layers belong together: arithmetic on dates, and nothing else.

use crate::core::error::{unknown_name, Error, Result};
use jiff::civil;
use jiff::tz::Offset;
use jiff::Timestamp;
use serde_json::json;

/// A way of grouping, as faces show it.
#[derive(Debug)]
pub struct Entry {
    /// How it is written.
    pub form: &'static str,
    /// One sentence.
    pub help: &'static str,
}

/// Every way of grouping.
pub static GROUPINGS: &[Entry] = &[
    Entry { form: "all", help: "All layers are one group." },
    Entry { form: "season", help: "DJF, MAM, JJA, SON; years together." },
    Entry {
        form: "year-season",
        help: "Seasons of each year; December counts to the winter of the next year.",
    },
    Entry { form: "month", help: "The twelve months; years together." },
    Entry { form: "year", help: "Calendar years." },
    Entry { form: "year-month", help: "Months of each year." },
    Entry { form: "day-of-year/N", help: "Every N days of the year from 1 January; years together." },
    Entry { form: "period ND from YYYY-MM-DD", help: "Every N days from a date on, or from the first one." },
    Entry { form: "labels", help: "By the label each layer has, such as a column of a table." },
];

impl Entry {
    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        json!({"form": self.form, "help": self.help})
    }
}

/// How layers are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// One group.
    All,
    /// DJF, MAM, JJA, SON.
    Season,
    /// Seasons of each year.
    YearSeason,
    /// January to December.
    Month,
    /// Calendar years.
    Year,
    /// Months of each year.
    YearMonth,
    /// Every so many days of the year.
    DayOfYear(i64),
    /// Every so many days from a day on; from the first layer's when there is none. Days since 1970.
    Period {
        /// Length in days.
        days: i64,
        /// First day of a period.
        from: Option<i64>,
    },
    /// By the layer's label.
    Labels,
}

/// Groups of layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Name of each group; empty for the one of all layers.
    pub names: Vec<String>,
    /// Group of each layer.
    pub of: Vec<usize>,
}

const SEASONS: [&str; 4] = ["DJF", "MAM", "JJA", "SON"];
const SECONDS_PER_DAY: i64 = 86_400;

impl Grouping {
    /// Reads one of the forms of [`GROUPINGS`].
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let unknown = || unknown_name("grouping", text, GROUPINGS.iter().map(|entry| entry.form));
        Ok(match text {
            "all" => Self::All,
            "season" => Self::Season,
            "year-season" => Self::YearSeason,
            "month" => Self::Month,
            "year" => Self::Year,
            "year-month" => Self::YearMonth,
            "labels" => Self::Labels,
            _ => {
                if let Some(days) = text.strip_prefix("day-of-year/") {
                    Self::DayOfYear(number_of_days(text, days, 366)?)
                } else if let Some(rest) = text.strip_prefix("period ") {
                    period(text, rest)?
                } else {
                    return Err(unknown());
                }
            }
        })
    }

    /// The groups of layers with these dates (seconds since 1970, UTC); only groups with a layer are there. `labels` has
    /// one for each layer, in the order of the dates.
    pub fn of(&self, dates: &[i64], labels: Option<&[String]>) -> Result<Groups> {
        if let (Self::Labels, labels) = (self, labels.unwrap_or(&[])) {
            if labels.len() != dates.len() {
                return Err(Error::Argument(format!(
                    "{} labels for {} layers; allowed: one label for each layer",
                    labels.len(),
                    dates.len()
                )));
            }
            // Groups stand in the order of time, as their first layers do.
            let mut names: Vec<String> = Vec::new();
            let of = labels.iter().map(|label| {
                let known = names.iter().position(|name| name == label);
                known.unwrap_or_else(|| {
                    names.push(label.clone());
                    names.len() - 1
                })
            });
            let of = of.collect();
            return Ok(Groups { names, of });
        }
        let first = dates.first().map_or(0, |seconds| seconds.div_euclid(SECONDS_PER_DAY));
        let keys: Vec<Key> = dates.iter().map(|seconds| self.key(*seconds, first)).collect::<Result<_>>()?;
        let mut order: Vec<&Key> = keys.iter().collect();
        order.sort();
        order.dedup();
        let of = keys.iter().map(|key| order.partition_point(|known| *known < key)).collect();
        let names = order.iter().map(|key| key.name.clone()).collect();
        Ok(Groups { names, of })
    }

    fn key(&self, seconds: i64, first_day: i64) -> Result<Key> {
        let date = date_of(seconds)?;
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        let season = month % 12 / 3;
        let season_name = SEASONS[season as usize];
        Ok(match self {
            Self::All | Self::Labels => Key { order: 0, name: String::new() },
            Self::Season => Key { order: season, name: season_name.into() },
            Self::YearSeason => {
                let year = if month == 12 { year + 1 } else { year };
                Key { order: year * 4 + season, name: format!("{year}-{season_name}") }
            }
            Self::Month => Key { order: month, name: format!("month_{month:02}") },
            Self::Year => Key { order: year, name: format!("{year}") },
            Self::YearMonth => Key { order: year * 12 + month, name: format!("{year}-{month:02}") },
            Self::DayOfYear(days) => {
                let order = (i64::from(date.day_of_year()) - 1) / days;
                Key { order, name: format!("day_{:03}", order * days + 1) }
            }
            Self::Period { days, from } => {
                let from = from.unwrap_or(first_day);
                let order = (seconds.div_euclid(SECONDS_PER_DAY) - from).div_euclid(*days);
                let start = date_of((from + order * days) * SECONDS_PER_DAY)?;
                Key { order, name: start.to_string() }
            }
        })
    }
}

/// A group's place among others, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    order: i64,
    name: String,
}

/// `16D`, or `16D from 2018-01-01`.
fn period(text: &str, rest: &str) -> Result<Grouping> {
    let (length, from) = match rest.split_once(" from ") {
        Some((length, from)) => (length, Some(from.trim())),
        None => (rest, None),
    };
    let length = length.trim();
    let days = number_of_days(text, length.strip_suffix(['D', 'd']).unwrap_or(length), 36_600)?;
    let day = |from: &str| {
        let date: civil::Date = from.parse().map_err(|_| refused(text, "a date as 2018-01-31"))?;
        let seconds = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| refused(text, "a date"))?;
        Ok(seconds.as_second().div_euclid(SECONDS_PER_DAY))
    };
    Ok(Grouping::Period { days, from: from.map(day).transpose()? })
}

fn number_of_days(text: &str, days: &str, most: i64) -> Result<i64> {
    let number = days.trim().parse().ok().filter(|days| (1..=most).contains(days));
    number.ok_or_else(|| refused(text, &format!("a whole number of days from 1 to {most}")))
}

fn refused(text: &str, allowed: &str) -> Error {
    Error::Argument(format!("grouping '{text}' is not allowed; allowed: {allowed}"))
}

/// The day in UTC.
fn date_of(seconds: i64) -> Result<civil::Date> {
    let timestamp = Timestamp::from_second(seconds).map_err(|_| {
        Error::Argument(format!("date {seconds} is not allowed; allowed: seconds of the years -9999 to 9999"))
    })?;
    Ok(Offset::UTC.to_datetime(timestamp).date())
}

/// Day of the year, from 1.
pub(super) fn day_of_year(seconds: i64) -> Result<i64> {
    Ok(i64::from(date_of(seconds)?.day_of_year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of a day.
    fn noon(text: &str) -> i64 {
        let date: civil::Date = text.parse().unwrap();
        Offset::UTC.to_timestamp(date.at(12, 0, 0, 0)).unwrap().as_second()
    }

    fn grouped(grouping: &str, dates: &[&str]) -> Groups {
        let dates: Vec<i64> = dates.iter().map(|date| noon(date)).collect();
        Grouping::parse(grouping).unwrap().of(&dates, None).unwrap()
    }

    fn check(grouping: &str, dates: &[&str], names: &[&str], of: &[usize]) {
        let groups = grouped(grouping, dates);
        assert_eq!((groups.names, groups.of), (names.iter().map(|n| n.to_string()).collect(), of.to_vec()));
    }

    #[test]
    fn calendar() {
        let dates = ["2017-11-30", "2017-12-01", "2018-01-15", "2018-02-28", "2018-03-01", "2018-12-31"];
        check("all", &dates, &[""], &[0; 6]);
        check("season", &dates, &["DJF", "MAM", "SON"], &[2, 0, 0, 0, 1, 0]);
        check("year-season", &dates, &["2017-SON", "2018-DJF", "2018-MAM", "2019-DJF"], &[0, 1, 1, 1, 2, 3]);
        check(
            "month",
            &dates,
            &["month_01", "month_02", "month_03", "month_11", "month_12"],
            &[3, 4, 0, 1, 2, 4],
        );
        check("year", &dates, &["2017", "2018"], &[0, 0, 1, 1, 1, 1]);
        check(
            "year-month",
            &dates,
            &["2017-11", "2017-12", "2018-01", "2018-02", "2018-03", "2018-12"],
            &[0, 1, 2, 3, 4, 5],
        );
    }

    #[test]
    fn spans_of_days() {
        let dates = ["2018-01-01", "2018-01-16", "2018-01-17", "2018-12-31", "2020-12-31"];
        check("day-of-year/16", &dates, &["day_001", "day_017", "day_353"], &[0, 0, 1, 2, 2]);
        check(
            "period 16D",
            &dates,
            &["2018-01-01", "2018-01-17", "2018-12-19", "2020-12-24"],
            &[0, 0, 1, 2, 3],
        );
        check("period 10D from 2018-01-12", &dates[..3], &["2017-12-23", "2018-01-12"], &[0, 1, 1]);
    }

    #[test]
    fn labels_stand_in_the_order_of_time() {
        let labels = ["wet", "dry", "wet"].map(String::from);
        let groups = Grouping::Labels.of(&[0, 1, 2], Some(&labels)).unwrap();
        assert_eq!((groups.names, groups.of), (vec!["wet".into(), "dry".into()], vec![0, 1, 0]));
        let said = Grouping::Labels.of(&[0, 1], None).unwrap_err().to_string();
        assert_eq!(said, "0 labels for 2 layers; allowed: one label for each layer");
    }

    #[test]
    fn seconds_before_1970_and_ends_of_days() {
        let groups = Grouping::Year.of(&[-1, 0], None).unwrap();
        assert_eq!(groups.names, ["1969", "1970"]);
        let groups = Grouping::parse("period 1D").unwrap().of(&[-1, 0, 86_399, 86_400], None).unwrap();
        assert_eq!(groups.of, [0, 1, 1, 2]);
        assert_eq!(day_of_year(noon("2020-12-31")), Ok(366));
    }

    #[test]
    fn refusals() {
        let said = |text: &str| Grouping::parse(text).unwrap_err().to_string();
        assert!(said("week").starts_with("unknown grouping 'week'; allowed: all, season"));
        assert!(said("day-of-year/0").ends_with("allowed: a whole number of days from 1 to 366"));
        assert!(said("period 0D").contains("from 1 to 36600"));
        assert!(said("period 16D from tomorrow").ends_with("allowed: a date as 2018-01-31"));
        assert!(Grouping::All.of(&[i64::MAX], None).unwrap_err().to_string().contains("allowed: seconds"));
    }
}
