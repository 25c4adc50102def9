//! The library itself: version, what it can do, and its strings.

use super::status::{guard, Failure};
use crate::job;
use libc::c_char;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

/// Version of the binary interface this header describes. Compare with terralume_abi_version() before anything
/// else when the library is loaded at run time. Raised when a program built for an older one could not go on.
pub const TERRALUME_ABI_VERSION: u32 = 1;

/// Version of the library, such as "0.1.0".
///
/// @return Static text.
#[no_mangle]
pub extern "C" fn terralume_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}

/// Version of the binary interface of the library. Must equal TERRALUME_ABI_VERSION.
#[no_mangle]
pub extern "C" fn terralume_abi_version() -> u32 {
    TERRALUME_ABI_VERSION
}

/// Everything the library can do, as JSON: operations with their parameters, ranges, units, help, bands and radius;
/// presets with their layers; blend modes; options of a job.
///
/// The key "schema" is raised only when a key changes its meaning; keys may be added at any time.
///
/// @return Static text, UTF-8. NULL only after a defect of the library; see terralume_last_error_message().
#[no_mangle]
pub extern "C" fn terralume_describe() -> *const c_char {
    static DESCRIPTION: OnceLock<CString> = OnceLock::new();
    let mut description = std::ptr::null();
    guard(|| {
        let made = match DESCRIPTION.get() {
            Some(known) => known,
            None => {
                let text = c_text(job::describe()?.to_string())?;
                DESCRIPTION.get_or_init(|| text)
            }
        };
        description = made.as_ptr();
        Ok(())
    });
    description
}

/// Frees a text that a function of this library handed over. NULL is fine.
#[no_mangle]
pub unsafe extern "C" fn terralume_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: the text came from `CString::into_raw` and is freed once, by contract.
        drop(unsafe { CString::from_raw(string) });
    }
}

/// A text for C. JSON escapes NUL, so there is none.
pub(super) fn c_text(text: String) -> Result<CString, Failure> {
    CString::new(text).map_err(|_| Failure::argument("the text contains a NUL character".into()))
}
