//! `KEY=VALUE` lists as GDAL takes them.

use crate::core::error::{Error, Result};
use libc::c_char;
use std::ffi::CString;

/// An owned, NULL-ended list of C strings.
pub struct OptionList {
    /// Keeps what `pointers` point to.
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl OptionList {
    /// `KEY=VALUE` for every pair.
    pub fn new(pairs: &[(String, String)]) -> Result<Self> {
        let strings = pairs.iter().map(|(key, value)| {
            CString::new(format!("{key}={value}"))
                .map_err(|_| Error::Argument(format!("option {key} contains a NUL character")))
        });
        Ok(Self::of(strings.collect::<Result<_>>()?))
    }

    /// The words of a command line.
    pub fn of_words(words: &[&str]) -> Result<Self> {
        Ok(Self::of(words.iter().map(|word| c_string(word)).collect::<Result<_>>()?))
    }

    fn of(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect();
        Self { _strings: strings, pointers }
    }

    /// For GDAL; valid as long as the list.
    pub fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// Sets a default: a pair whose key the user has given stays as it is.
pub fn set_default(pairs: &mut Vec<(String, String)>, key: &str, value: impl Into<String>) {
    if get(pairs, key).is_none() {
        pairs.push((key.into(), value.into()));
    }
}

/// The value of a key; keys differ in case only for people.
pub fn get<'a>(pairs: &'a [(String, String)], key: &str) -> Option<&'a str> {
    pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
}

/// Text for GDAL.
pub fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Argument(format!("'{}' contains NUL", text.escape_debug())))
}
