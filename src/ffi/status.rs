//! Status codes, messages, and the barrier that neither errors nor panics pass.

use crate::core::error::Error;
use libc::c_char;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::CString;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// How a call ended. 0 is success. Later versions may add values.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum terralume_status {
    /// Success.
    Ok = 0,
    /// A value is out of range, of the wrong kind, misaligned, or contradicts another one.
    Argument = 1,
    /// There is no operation, preset, parameter or option of this name.
    UnknownName = 2,
    /// The recipe cannot be read or does not fit together.
    Recipe = 3,
    /// The input cannot be opened or read.
    Input = 4,
    /// The output cannot be created or written.
    Output = 5,
    /// The input is well formed, but the operation cannot treat it rightly.
    Unsupported = 6,
    /// The memory budget, or the memory, is too small for the work.
    Memory = 7,
    /// No usable GDAL was found. Calls on arrays need none.
    NoGdal = 8,
    /// The caller stopped the run. No output is left behind.
    Cancelled = 9,
    /// A defect of this library.
    Internal = 10,
    /// A defect of this library that was stopped at its border. Free the handles that took part.
    Panic = 11,
    /// A pointer that must not be NULL is NULL.
    Null = 12,
    /// The handle is in use by another call.
    Busy = 13,
}

/// Why a call failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub status: terralume_status,
    pub message: String,
}

/// Result of what stands inside `guard`.
pub(super) type Result<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Argument(_) => terralume_status::Argument,
            Error::UnknownName(_) => terralume_status::UnknownName,
            Error::Recipe(_) => terralume_status::Recipe,
            Error::Input(_) => terralume_status::Input,
            Error::Output(_) => terralume_status::Output,
            Error::Unsupported(_) => terralume_status::Unsupported,
            Error::Memory(_) => terralume_status::Memory,
            Error::NoGdal(_) => terralume_status::NoGdal,
            Error::Cancelled => terralume_status::Cancelled,
            Error::Internal(_) => terralume_status::Internal,
        };
        Self { status, message: error.to_string() }
    }
}

impl Failure {
    /// A value that is not allowed.
    pub fn argument(message: String) -> Self {
        Self { status: terralume_status::Argument, message }
    }
}

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

/// Every exported function that can fail runs inside this: no error and no panic passes it unseen.
pub(super) fn guard(body: impl FnOnce() -> Result<()>) -> terralume_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return terralume_status::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let message = format!("internal error: {}", panic_text(&*panic));
            // What a panic carries may itself panic when it is dropped.
            std::mem::forget(panic);
            Failure { status: terralume_status::Panic, message }
        }
    };
    let message = CString::new(failure.message.replace('\0', " ")).unwrap_or_default();
    // A thread that is ending has no place for messages any more.
    let _ = MESSAGE.try_with(|place| place.replace(message));
    failure.status
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("panic without a message")
}

/// Says why the last call on this thread that failed did so: what came, and what is allowed.
///
/// @return UTF-8, never NULL; empty if none failed. Owned by the library, valid until the next call of this library
/// that fails on this thread.
#[no_mangle]
pub extern "C" fn terralume_last_error_message() -> *const c_char {
    MESSAGE.try_with(|message| message.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn message() -> String {
        // SAFETY: the function gives a C string that lives until the next failure on this thread.
        unsafe { CStr::from_ptr(terralume_last_error_message()) }.to_str().unwrap().to_string()
    }

    #[test]
    fn no_panic_passes_the_barrier() {
        assert_eq!(guard(|| panic!("static text")), terralume_status::Panic);
        assert_eq!(message(), "internal error: static text");
        assert_eq!(guard(|| panic!("number {}", 7)), terralume_status::Panic);
        assert_eq!(message(), "internal error: number 7");
        assert_eq!(guard(|| std::panic::panic_any(7)), terralume_status::Panic);
        assert_eq!(message(), "internal error: panic without a message");
    }

    #[test]
    fn a_panic_payload_that_panics_when_dropped_is_stopped_as_well() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        assert_eq!(guard(|| std::panic::panic_any(Bomb)), terralume_status::Panic);
    }

    #[test]
    fn messages_belong_to_their_thread_and_stay_until_the_next_failure() {
        let status = guard(|| Err(Failure::argument("a\0b".into())));
        assert_eq!((status, message().as_str()), (terralume_status::Argument, "a b"));
        assert_eq!(guard(|| Ok(())), terralume_status::Ok);
        assert_eq!(message(), "a b");
        assert_eq!(std::thread::spawn(message).join().unwrap(), "");
    }
}
