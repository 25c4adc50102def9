//! Arguments of a pixel function: the attributes of `<PixelFunctionArguments>`.

use crate::core::error::{unknown_name, Error, Result};
use crate::gdal::binding::text;
use gdal_sys::CSLConstList;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Any finite number.
pub const FINITE: RangeInclusive<f64> = f64::MIN..=f64::MAX;

/// What a VRT gave, by name.
#[derive(Debug, Default)]
pub struct Arguments(Vec<(String, String)>);

impl Arguments {
    /// Copies GDAL's list.
    ///
    /// # Safety
    /// `list` is NULL, or C strings and then NULL.
    pub unsafe fn read(list: CSLConstList) -> Self {
        let mut pairs = Vec::new();
        let mut next = list;
        // SAFETY: by contract; the list has not ended before its NULL.
        while !list.is_null() && unsafe { !(*next).is_null() } {
            // SAFETY: a C string, by contract.
            let entry = unsafe { text(*next) };
            let (name, value) = entry.split_once('=').unwrap_or((&entry, ""));
            pairs.push((name.trim().to_ascii_lowercase(), value.trim().to_string()));
            // SAFETY: there is at least the NULL after an entry.
            next = unsafe { next.add(1) };
        }
        Self(pairs)
    }

    /// Refuses names that are not allowed, and a name that came twice.
    pub fn check(&self, allowed: &[&str]) -> Result<()> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if !allowed.contains(&name.as_str()) {
                return Err(unknown_name("argument", name, allowed.iter().copied()));
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::Argument(format!("argument {name} is given twice; allowed: once")));
            }
        }
        Ok(())
    }

    /// The value, if the argument is there.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number in this range, if the argument is there.
    pub fn number(&self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        number(name, text, range).map(Some)
    }

    /// A number in this range, which must be there.
    pub fn required_number(&self, name: &str, range: RangeInclusive<f64>) -> Result<f64> {
        let allowed = in_words(&range);
        self.number(name, range)?.ok_or_else(|| missing(name, &allowed))
    }

    /// The value that marks missing cells, any number or `nan`; a single one is all GDAL knows.
    pub fn nodata(&self) -> Result<Option<f64>> {
        self.any_number("nodata")
    }

    /// What missing results are written as, if not as the value that marks missing cells.
    pub fn result_nodata(&self) -> Result<Option<f64>> {
        self.any_number("result_nodata")
    }

    fn any_number(&self, name: &str) -> Result<Option<f64>> {
        let parse = |text: &str| f64::from_str(text).map_err(|_| refused(name, text, "a number"));
        self.text(name).map(parse).transpose()
    }

    /// `true` or `false`, if the argument is there.
    pub fn switch(&self, name: &str) -> Result<Option<bool>> {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(refused(name, text, "true, false")),
        };
        self.text(name).map(parse).transpose()
    }

    /// The place of the value among `words`, if the argument is there.
    pub fn choice(&self, name: &str, words: &[&str]) -> Result<Option<usize>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = words.iter().position(|word| word.eq_ignore_ascii_case(text));
        found.map(Some).ok_or_else(|| refused(name, text, &words.join(", ")))
    }
}

/// Reads one number.
pub fn number(name: &str, text: &str, range: RangeInclusive<f64>) -> Result<f64> {
    let number = f64::from_str(text.trim()).ok().filter(|number| range.contains(number));
    number.ok_or_else(|| refused(name, text, &in_words(&range)))
}

/// A value that is not allowed.
pub fn refused(name: &str, text: &str, allowed: &str) -> Error {
    Error::Argument(format!("argument {name} = '{text}' is not allowed; allowed: {allowed}"))
}

/// An argument that is not there.
pub fn missing(name: &str, allowed: &str) -> Error {
    Error::Argument(format!("argument {name} is missing; allowed: {allowed}"))
}

fn in_words(range: &RangeInclusive<f64>) -> String {
    match (*range.start(), *range.end()) {
        (f64::MIN, f64::MAX) => "a number".into(),
        (f64::MIN_POSITIVE, f64::MAX) => "a number greater than 0".into(),
        (low, high) => format!("a number from {low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(pairs: &[(&str, &str)]) -> Arguments {
        Arguments(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn a_list_is_read_as_gdal_writes_it() {
        let list = [c"min=1".as_ptr(), c"Map= a=b ".as_ptr(), c"alone".as_ptr(), std::ptr::null()];
        // SAFETY: C strings and NULL.
        let read = unsafe { Arguments::read(list.as_ptr().cast_mut().cast()) };
        assert_eq!(
            (read.text("min"), read.text("map"), read.text("alone")),
            (Some("1"), Some("a=b"), Some(""))
        );
        // SAFETY: NULL is an empty list.
        assert!(unsafe { Arguments::read(std::ptr::null_mut()) }.0.is_empty());
    }

    #[test]
    fn errors_say_name_value_and_what_is_allowed() {
        let given =
            arguments(&[("min", "a"), ("max", "inf"), ("nodata", "x"), ("invert", "1"), ("top", "red")]);
        let said = |result: Result<()>| result.unwrap_err().to_string();
        assert_eq!(
            said(given.number("min", FINITE).map(drop)),
            "argument min = 'a' is not allowed; allowed: a number"
        );
        assert!(said(given.number("max", f64::MIN_POSITIVE..=f64::MAX).map(drop)).contains("greater than 0"));
        assert!(said(given.nodata().map(drop)).contains("nodata = 'x'"));
        assert!(said(given.switch("invert").map(drop)).contains("true, false"));
        assert!(said(given.choice("top", &["grey", "rgb"]).map(drop))
            .contains("'red' is not allowed; allowed: grey, rgb"));
        assert!(said(given.required_number("gamma", 0.1..=10.0).map(drop))
            .contains("missing; allowed: a number from 0.1 to 10"));
        assert!(said(given.check(&["min"])).contains("unknown argument 'max'; allowed: min"));
        assert!(said(arguments(&[("min", "1"), ("min", "2")]).check(&["min"])).contains("twice"));
        assert!(arguments(&[("nodata", "nan")]).nodata().unwrap().unwrap().is_nan());
    }
}
