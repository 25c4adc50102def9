//! From C pointers to Rust references, with the checks C leaves out.

use super::status::{terralume_status, Failure, Result};
use libc::c_char;
use std::ffi::CStr;

/// Checks that a pointer is neither NULL nor misaligned.
pub(super) fn check<T>(pointer: *const T, name: &str) -> Result<()> {
    if pointer.is_null() {
        let message = format!("{name} is NULL; allowed: a valid pointer");
        return Err(Failure { status: terralume_status::Null, message });
    }
    if !pointer.is_aligned() {
        return Err(Failure::argument(format!(
            "{name} is at address {pointer:p}; allowed: a multiple of {}",
            align_of::<T>()
        )));
    }
    Ok(())
}

/// A handle, shared.
///
/// # Safety
/// `pointer` is NULL or a live `T` that is not freed before the result is gone.
pub(super) unsafe fn borrow<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    check(pointer, name)?;
    // SAFETY: not NULL, aligned, and live by contract; handles are never borrowed exclusively.
    Ok(unsafe { &*pointer })
}

/// A text.
///
/// # Safety
/// `pointer` is NULL or a C string that lives as long as the result.
pub(super) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    check(pointer, name)?;
    // SAFETY: not NULL, and a C string by contract.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    bytes.to_str().map_err(|error| Failure::argument(format!("{name} is not UTF-8: {error}; allowed: UTF-8")))
}

/// The texts of a list that ends with NULL; NULL is the empty list.
///
/// # Safety
/// `list` is NULL or an array of C strings that ends with NULL; all live as long as the result.
pub(super) unsafe fn texts<'a>(list: *const *const c_char, name: &str) -> Result<Vec<&'a str>> {
    let mut texts = Vec::new();
    if list.is_null() {
        return Ok(texts);
    }
    check(list, name)?;
    for index in 0.. {
        // SAFETY: the list ends with NULL by contract, and no place beyond it is looked at.
        let item = unsafe { *list.add(index) };
        if item.is_null() {
            break;
        }
        // SAFETY: an entry of the list is a C string by contract.
        texts.push(unsafe { text(item, name) }?);
    }
    Ok(texts)
}

/// A place for a result. Checked before the work, filled after it.
#[derive(Clone, Copy)]
pub(super) struct Place<T>(*mut T);

impl<T> Place<T> {
    /// # Safety
    /// `pointer` is NULL or writable, and stays so until `fill`.
    pub unsafe fn new(pointer: *mut T, name: &str) -> Result<Self> {
        check(pointer, name)?;
        Ok(Self(pointer))
    }

    /// Writes the result.
    pub fn fill(self, value: T) {
        // SAFETY: `new` checked the address, and its caller promised that it is writable.
        unsafe { self.0.write(value) };
    }
}
