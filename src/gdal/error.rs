//! GDAL's errors as values: messages are caught on the thread that caused them and never printed.

use super::binding::{text, Gdal};
use gdal_sys::CPLErr;
use libc::{c_char, c_int};
use std::cell::RefCell;
use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

thread_local! {
    static MESSAGES: RefCell<Vec<Message>> = const { RefCell::new(Vec::new()) };
}

/// Messages of GDAL's own threads, once [`Gdal::catch_all_messages`] has been called.
static ELSEWHERE: Mutex<Vec<Message>> = Mutex::new(Vec::new());

/// Messages kept per call: enough for any cause, little enough for a corrupt file that reports every cell.
const MOST_MESSAGES: usize = 16;

struct Message {
    failure: bool,
    text: String,
}

unsafe extern "C" fn collect(class: CPLErr::Type, _: c_int, message: *const c_char) {
    // SAFETY: GDAL passes a C string.
    MESSAGES.with_borrow_mut(|messages| unsafe { keep(messages, class, message) });
}

unsafe extern "C" fn collect_elsewhere(class: CPLErr::Type, _: c_int, message: *const c_char) {
    let mut messages = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: GDAL passes a C string.
    unsafe { keep(&mut messages, class, message) };
}

/// # Safety
/// `message` is NULL or a C string.
unsafe fn keep(messages: &mut Vec<Message>, class: CPLErr::Type, message: *const c_char) {
    if class != CPLErr::CE_Failure && class != CPLErr::CE_Fatal && class != CPLErr::CE_Warning {
        return;
    }
    if messages.len() < MOST_MESSAGES {
        // SAFETY: NULL or a C string by contract.
        let text = unsafe { text(message) }.trim().replace('\n', " ");
        messages.push(Message { failure: class != CPLErr::CE_Warning, text });
    }
}

/// What GDAL said during a call.
#[derive(Debug, Default)]
pub struct Said {
    /// Errors.
    pub failures: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
}

impl Said {
    /// The first error, which names the cause; later ones are its consequences.
    pub fn cause(&self) -> String {
        let first = self.failures.first().or_else(|| self.warnings.first()).cloned();
        first.or_else(said_elsewhere).unwrap_or_else(|| "GDAL gives no reason".into())
    }
}

/// The first failure of GDAL's own threads.
fn said_elsewhere() -> Option<String> {
    let messages = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    messages.iter().find(|message| message.failure).map(|message| message.text.clone())
}

/// The handler in force, until dropped: the host's comes back even when a call panics.
struct Handler<'a>(&'a Gdal);

impl<'a> Handler<'a> {
    fn push(gdal: &'a Gdal) -> Self {
        // SAFETY: `collect` has the signature of an error handler and stays loaded.
        unsafe { (gdal.CPLPushErrorHandler)(Some(collect)) };
        Self(gdal)
    }
}

impl Drop for Handler<'_> {
    fn drop(&mut self) {
        // SAFETY: takes back the push of `push`, on the same thread: the type never leaves `Gdal::call`.
        unsafe { (self.0.CPLPopErrorHandler)() };
    }
}

extern "C" {
    /// In `error.c`.
    fn terralume_gdal_error(report: *const libc::c_void, text: *const c_char);
}

/// Reports a failure through a GDAL's `CPLError`.
pub(super) fn report_through(report: *const libc::c_void, text: &std::ffi::CStr) {
    // SAFETY: the function is GDAL's variadic one, which C calls; the text ends with NUL.
    unsafe { terralume_gdal_error(report, text.as_ptr()) };
}

impl Gdal {
    /// Reports a failure of ours the way GDAL reports its own: callers of GDAL see it as one.
    pub fn report_failure(&self, text: &std::ffi::CStr) {
        report_through(self.CPLError as *const libc::c_void, text);
    }

    /// Does work that leaves the last error of this thread as it was: opening a raster clears it.
    pub fn keeping_last_error<R>(&self, work: impl FnOnce() -> R) -> R {
        // SAFETY: no arguments; the text is copied before GDAL is called again.
        let (class, number, message) = unsafe {
            let message = text((self.CPLGetLastErrorMsg)());
            ((self.CPLGetLastErrorType)(), (self.CPLGetLastErrorNo)(), message)
        };
        let result = work();
        let message = CString::new(message).unwrap_or_default();
        // SAFETY: the text ends with NUL; GDAL copies it.
        unsafe { (self.CPLErrorSetState)(class, number, message.as_ptr()) };
        result
    }

    /// Catches also what GDAL's own threads say, which would go to standard error. For programs of our own only:
    /// elsewhere these messages belong to the host.
    pub fn catch_all_messages(&self) {
        // SAFETY: `collect_elsewhere` has the signature of an error handler and stays loaded in a program.
        unsafe { (self.CPLSetErrorHandler)(Some(collect_elsewhere)) };
    }

    /// The first failure of GDAL's own threads, if they are listened to: compression that failed leaves a hole in
    /// the file and no error on the thread that wrote.
    pub(crate) fn failure_elsewhere(&self) -> Option<String> {
        said_elsewhere()
    }

    /// Calls GDAL with this thread's messages caught.
    pub(crate) fn call<R>(&self, body: impl FnOnce(&Self) -> R) -> (R, Said) {
        // GDAL may come back here during a call, for a picture of a picture.
        let outer = MESSAGES.take();
        let handler = Handler::push(self);
        let result = body(self);
        drop(handler);
        let mut said = Said::default();
        for message in MESSAGES.replace(outer) {
            if message.failure { &mut said.failures } else { &mut said.warnings }.push(message.text);
        }
        (result, said)
    }

    /// As [`Gdal::check`], for calls that write: a disk that is full may show in a message alone.
    pub(crate) fn check_write(
        &self,
        body: impl FnOnce(&Self) -> CPLErr::Type,
    ) -> std::result::Result<(), String> {
        let (class, said) = self.call(body);
        if class == CPLErr::CE_Failure || class == CPLErr::CE_Fatal || !said.failures.is_empty() {
            return Err(said.cause());
        }
        Ok(())
    }

    /// Calls a function that answers with GDAL's error class; the error is what GDAL said.
    pub(crate) fn check(&self, body: impl FnOnce(&Self) -> CPLErr::Type) -> std::result::Result<(), String> {
        match self.call(body) {
            (CPLErr::CE_None | CPLErr::CE_Debug | CPLErr::CE_Warning, _) => Ok(()),
            (_, said) => Err(said.cause()),
        }
    }
}
