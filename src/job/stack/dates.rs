//! Dates of scenes: from a table, a catalogue, the file's own metadata or its name, in this order of trust. Where the user
//! says how dates stand in names, that comes before the metadata.

use crate::core::error::{Error, Result};
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::Timestamp;
use regex_lite::Regex;

/// Years that a number in a file name may mean.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2069;

/// Where a date came from, the most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateSource {
    /// A table of dates.
    Table,
    /// An item of a STAC catalogue.
    Catalogue,
    /// The file's own metadata.
    Metadata,
    /// The file's name.
    Name,
}

impl DateSource {
    /// In a word, for lists.
    pub fn name(self) -> &'static str {
        match self {
            DateSource::Table => "table",
            DateSource::Catalogue => "catalogue",
            DateSource::Metadata => "metadata",
            DateSource::Name => "name",
        }
    }
}

/// How dates are found in names; without rules the patterns that providers use.
#[derive(Debug, Clone, Default)]
pub struct NameRules {
    /// What to look at in the name: its first group, else all that it matches.
    pattern: Option<Regex>,
    /// How the date is written there, as strftime says it.
    format: Option<String>,
}

impl NameRules {
    /// Rules of the user.
    pub fn new(pattern: Option<&str>, format: Option<&str>) -> Result<Self> {
        let compile = |text: &str| {
            Regex::new(text).map_err(|error| {
                Error::Argument(format!("date-regex = '{text}': {error}; allowed: a regular expression"))
            })
        };
        if let Some(text) = format {
            // Jiff checks a format when it writes with it.
            let sample = Date::constant(2000, 1, 1).at(0, 0, 0, 0);
            jiff::fmt::strtime::format(text, sample).map_err(|error| {
                let allowed = "allowed: letters of strftime, such as %Y%m%d";
                Error::Argument(format!("date-format = '{text}': {error}; {allowed}"))
            })?;
        }
        Ok(Self { pattern: pattern.map(compile).transpose()?, format: format.map(String::from) })
    }

    /// Whether the user has said how.
    pub fn are_given(&self) -> bool {
        self.pattern.is_some() || self.format.is_some()
    }

    /// The date in a file's name, without its folder.
    pub fn find(&self, name: &str) -> Option<Timestamp> {
        let part = match &self.pattern {
            None => name,
            Some(pattern) => {
                let found = pattern.captures(name)?;
                found.get(1).or(found.get(0))?.as_str()
            }
        };
        match &self.format {
            Some(format) => formatted(part, format),
            None => parse(part).or_else(|| usual(part)),
        }
    }
}

/// The first part of `text` that is written as `format` says, and is no part of longer numbers.
fn formatted(text: &str, format: &str) -> Option<Timestamp> {
    let is_digit = |place: usize| text.as_bytes().get(place).is_some_and(u8::is_ascii_digit);
    let cuts = |place: usize| place > 0 && is_digit(place - 1) && is_digit(place);
    text.char_indices().filter(|(start, _)| !cuts(*start)).find_map(|(start, _)| {
        let (mut found, length) = BrokenDownTime::parse_prefix(format, &text[start..]).ok()?;
        if cuts(start + length) {
            return None;
        }
        if !names_days(format) {
            begin(&mut found)?;
        }
        let day = || found.to_date().ok().map(|day| day.to_datetime(Time::midnight()));
        let time = found.to_datetime().ok().or_else(day)?;
        universal(time).filter(|_| YEARS.contains(&time.year()))
    })
}

/// Whether a format has days or weeks, in whichever form.
fn names_days(format: &str) -> bool {
    let mut parts = format.split('%').skip(1);
    parts.any(|part| {
        part.trim_start_matches(|flag: char| flag.is_ascii_digit() || "-_^#:".contains(flag))
            .starts_with(|letter| "acdegjsuvwxADFGQUVW+".contains(letter))
    })
}

/// A month without a day means its first one, a year without a month the first one of these.
fn begin(found: &mut BrokenDownTime) -> Option<()> {
    let month = found.month().unwrap_or(1);
    found.set_month(Some(month)).ok()?;
    found.set_day(Some(1)).ok()
}

/// All dates are UTC.
fn universal(time: DateTime) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

/// A date as tables, catalogues and metadata write it: ISO 8601, or `YYYY:MM:DD HH:MM:SS`.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // A name of a zone would be left out silently.
    if text.contains('[') {
        return None;
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    let time = plain.parse::<DateTime>().or_else(|_| DateTime::strptime("%Y:%m:%d %H:%M:%S", plain));
    time.ok().and_then(universal)
}

/// The first date in a name that follows one of the usual patterns.
fn usual(name: &str) -> Option<Timestamp> {
    let name = name.as_bytes();
    (0..name.len()).find_map(|start| {
        let alone = start == 0 || !name[start - 1].is_ascii_digit();
        let word_starts = start == 0 || !name[start - 1].is_ascii_alphanumeric();
        let (rest, digits) = (&name[start..], digits_at(&name[start..]));
        let time = if alone && digits == 8 {
            compact(rest)
        } else if alone && digits == 7 {
            day_and_time(rest)
        } else if alone && digits == 4 {
            dashed(rest)
        } else if word_starts && rest[0] == b'A' && digits_at(&rest[1..]) == 7 {
            day_of_year(&rest[1..])
        } else if word_starts && rest[0] == b'L' && rest.len() > 16 && digits_at(&rest[3..]) == 13 {
            // Landsat before its collections: sensor, path, row, year, day of the year.
            day_of_year(&rest[9..])
        } else {
            None
        };
        time.and_then(universal)
    })
}

/// How many digits stand at the beginning.
fn digits_at(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn number(text: &[u8]) -> Option<i16> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn day(year: &[u8], month: &[u8], day: &[u8]) -> Option<Date> {
    let year = number(year).filter(|year| YEARS.contains(year))?;
    Date::new(year, number(month)? as i8, number(day)? as i8).ok()
}

/// `YYYYMMDD`, which a time may follow: `YYYYMMDD?HHMMSS`.
fn compact(text: &[u8]) -> Option<DateTime> {
    let day = day(&text[..4], &text[4..6], &text[6..8])?;
    let time = text.get(9..).and_then(time_of_day);
    Some(day.to_datetime(time.unwrap_or(Time::midnight())))
}

/// `HHMMSS`, without a digit behind it.
fn time_of_day(text: &[u8]) -> Option<Time> {
    let part = |first: usize| number(&text[first..first + 2]).map(|part| part as i8);
    match digits_at(text) {
        6 => Time::new(part(0)?, part(2)?, part(4)?, 0).ok(),
        _ => None,
    }
}

/// `YYYYDDDTHHMMSS`, as names of HLS have it; without the time seven digits may be any number.
fn day_and_time(text: &[u8]) -> Option<DateTime> {
    let time = time_of_day(text.get(7..)?.strip_prefix(b"T")?)?;
    Some(day_of_year(text)?.date().to_datetime(time))
}

/// `YYYY-MM-DD`.
fn dashed(text: &[u8]) -> Option<DateTime> {
    let text = text.get(..11).unwrap_or(text);
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' || text.get(10).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some(day(&text[..4], &text[5..7], &text[8..10])?.to_datetime(Time::midnight()))
}

/// `YYYYDDD`.
fn day_of_year(text: &[u8]) -> Option<DateTime> {
    let year = number(text.get(..4)?).filter(|year| YEARS.contains(year))?;
    let day = Date::new(year, 1, 1).ok()?.with().day_of_year(number(text.get(4..7)?)?).build().ok()?;
    Some(day.to_datetime(Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rules: &NameRules, name: &str) -> Option<String> {
        rules.find(name).map(|time| time.to_string())
    }

    #[test]
    fn names_of_providers_have_dates() {
        let rules = NameRules::default();
        for (name, date) in [
            ("LC08_L1TP_013032_20180131_20180207_01_T1.tif", Some("2018-01-31T00:00:00Z")),
            ("S2_20150711T100008_NDVI.tif", Some("2015-07-11T10:00:08Z")),
            ("Gamma0_2019-03-09_VV.tif", Some("2019-03-09T00:00:00Z")),
            ("LC80030172015001LGN00_B3.tif", Some("2015-01-01T00:00:00Z")),
            ("MOD13Q1.A2018033.h18v04.006.2018050114317.hdf", Some("2018-02-02T00:00:00Z")),
            ("HLS.L30.T18TWL.2018033T101112.v2.0.B04.tif", Some("2018-02-02T10:11:12Z")),
            ("HLS.S30.T2018033.tif", None),
            ("x_2018366T101112.tif", None),
            ("x_2018033T1011123.tif", None),
            // Not a month, a digit too many, a year that nobody flew in.
            ("x_20181331.tif", None),
            ("x_120180131.tif", None),
            ("x_19690131.tif", None),
            ("x_2018-02-30.tif", None),
            ("B4.tif", None),
            ("x_20181331_20180207.tif", Some("2018-02-07T00:00:00Z")),
            ("naïve_20180207.tif", Some("2018-02-07T00:00:00Z")),
        ] {
            assert_eq!(found(&rules, name).as_deref(), date, "{name}");
        }
    }

    #[test]
    fn users_say_how_names_are_written() {
        let rules = NameRules::new(Some("_d([0-9]+)_"), Some("%d%m%Y")).unwrap();
        assert_eq!(found(&rules, "a_20180131_d07022019_x.tif").as_deref(), Some("2019-02-07T00:00:00Z"));
        let format = NameRules::new(None, Some("%Y_%j")).unwrap();
        assert_eq!(found(&format, "scene_2019_038.tif").as_deref(), Some("2019-02-07T00:00:00Z"));
        assert_eq!(found(&format, "scene.tif"), None);
        for (format, name, date) in [
            ("%Y_%j", "LC08_013_032_2018_031.tif", Some("2018-01-31T00:00:00Z")),
            ("%Y.%m.%d", "v1.2.3_2018.01.31.tif", Some("2018-01-31T00:00:00Z")),
            ("%y%m%d", "x_180131.tif", Some("2018-01-31T00:00:00Z")),
            ("%Y%m%dT%H%M", "x_20180131T1540_7.tif", Some("2018-01-31T15:40:00Z")),
            ("%Y%m", "ndvi_201803.tif", Some("2018-03-01T00:00:00Z")),
            ("%Y", "tile_0013_2018.tif", Some("2018-01-01T00:00:00Z")),
            ("%b%Y", "x_Mar2018.tif", Some("2018-03-01T00:00:00Z")),
            ("%h%Y", "x_Mar2018.tif", Some("2018-03-01T00:00:00Z")),
            ("%Y%m%2d", "x_20180131.tif", Some("2018-01-31T00:00:00Z")),
            ("%Y_%3j", "x_2018_031.tif", Some("2018-01-31T00:00:00Z")),
            ("%Y_%W_%u", "x_2018_05_3.tif", Some("2018-01-31T00:00:00Z")),
            // Which day of the week nobody says.
            ("%G-W%V", "x_2018-W05.tif", None),
            // No such day, and never a part of a number.
            ("%Y_%j", "m_2018_366.tif", None),
            ("%Y%j", "A2018366.tif", None),
            ("%d%m%Y", "x_31022018.tif", None),
            ("%Y%m", "x_20180131.tif", None),
            ("%Y_%j", "x_1969_031.tif", None),
        ] {
            let rules = NameRules::new(None, Some(format)).unwrap();
            assert_eq!(found(&rules, name).as_deref(), date, "{name} as {format}");
        }
        let part = NameRules::new(Some(r"(\d{4}_\d{3})"), Some("%Y_%j")).unwrap();
        assert_eq!(found(&part, "m_2018_366.tif"), None);
        for (pattern, format) in [(Some("("), None), (None, Some("%Q"))] {
            let error = NameRules::new(pattern, format).unwrap_err().to_string();
            assert!(error.contains("; allowed: "), "{error}");
        }
    }

    #[test]
    fn written_dates_are_read() {
        for (text, date) in [
            ("2018-01-31T15:40:00Z", Some("2018-01-31T15:40:00Z")),
            ("2018-01-31T15:40:00.250+02:00", Some("2018-01-31T13:40:00.25Z")),
            ("2018:01:31 15:40:00", Some("2018-01-31T15:40:00Z")),
            ("2018-01-31", Some("2018-01-31T00:00:00Z")),
            ("31.1.2018", None),
            ("2018-01-31T23:30:00[America/New_York]", None),
        ] {
            assert_eq!(parse(text).map(|time| time.to_string()).as_deref(), date, "{text}");
        }
    }
}
