//! Stacks of rasters: formulas, masks, rescaling, statistics over time.

use super::argument::{borrow, check, text, Place};
use super::job::{reporter, run_options, terralume_run_options};
use super::library::c_text;
use super::status::{guard, terralume_status, Failure, Result};
use super::versioned::{self, Versioned};
use crate::core::error::unknown_name;
use crate::core::tile::Window;
use crate::gdal::output::Target;
use crate::job::options::JobOptions;
use crate::job::stack::array::{ArrayBand, ArrayStack};
use crate::job::stack::describe::{describe_plans, file_options, RUN_OPTIONS};
use crate::job::stack::options::{StackOptions, STACK_OPTIONS};
use crate::job::stack::statistics::StatisticsJob;
use crate::job::stack::{StackCommand, StackJob};
use crate::pipeline::stack::run::Report;
use libc::c_char;
use serde_json::json;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// A run over a stack of rasters. One thread at a time may use it: a second one gets TERRALUME_STATUS_BUSY.
/// terralume_stack_cancel() is the exception.
pub struct terralume_stack {
    /// Outside the lock, which a run holds to its end.
    cancel: AtomicBool,
    state: Mutex<State>,
}

struct State {
    command: StackCommand,
    stack: StackOptions,
    run: JobOptions,
    output: Option<String>,
    /// What the last run did.
    outcome: RefCell<Option<serde_json::Value>>,
    /// Arrays in place of files. The caller keeps them.
    arrays: Vec<ArrayBand<'static>>,
    /// Options that were set and are about files alone.
    about_files: Vec<&'static str>,
}

/// Options that mean nothing where arrays take the place of files, beside those about files that are written.
const ABOUT_INPUTS: [&str; 18] = [
    "input",
    "asset",
    "mask-asset",
    "names",
    "sensor",
    "dates",
    "date-regex",
    "date-format",
    "grid-of",
    "resample",
    "resolution",
    "unscale",
    "max-open",
    "skip-bad",
    "by",
    "as",
    "block",
    "histogram",
];

fn about_files() -> impl Iterator<Item = &'static str> {
    ABOUT_INPUTS.into_iter().chain(file_options().iter().copied())
}

/// What a run over a stack did to cells. Fill with terralume_stack_report_init() first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_stack_report {
    /// Bytes of this struct, as terralume_stack_report_init() sets it.
    pub struct_size: usize,
    /// Cells, image by image, that masks cover.
    pub masked: u64,
    /// Results that were infinite or no numbers, as after a division by zero; they have no data.
    pub not_finite: u64,
    /// Values limited by a rescaling.
    pub clipped: u64,
    /// Values beyond the type of the output; they became its smallest or largest number.
    pub saturated: u64,
    /// Values that hit the nodata value and moved by one.
    pub moved: u64,
    /// Cells of the output without data.
    pub missing: u64,
}

// SAFETY: repr(C); fields of 8 bytes each; any bytes are numbers.
unsafe impl Versioned for terralume_stack_report {
    const NAME: &'static str = "terralume_stack_report";
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>(),
        masked: 0,
        not_finite: 0,
        clipped: 0,
        saturated: 0,
        moved: 0,
        missing: 0,
    };
}

/// Fills a report with zeros.
///
/// @param report      The struct to fill.
/// @param struct_size sizeof(terralume_stack_report)
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_report_init(
    report: *mut terralume_stack_report,
    struct_size: usize,
) -> terralume_status {
    // SAFETY: the caller's struct has `struct_size` bytes.
    guard(|| unsafe { versioned::init(report, struct_size) })
}

/// Makes a run over a stack. It needs inputs and an output before it can run.
///
/// @param command "calc", "rescale", "mask" or "reduce".
/// @param stack   Receives it. Free it with terralume_stack_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_new(
    command: *const c_char,
    stack: *mut *mut terralume_stack,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, name) = unsafe { (Place::new(stack, "stack")?, text(command, "command")?) };
        let found = StackCommand::ALL.iter().find(|(known, _)| *known == name);
        let names = StackCommand::ALL.iter().map(|(known, _)| *known);
        let (_, command) = found.ok_or_else(|| unknown_name("command", name, names))?;
        let (stack, run) = (StackOptions::default(), JobOptions::default());
        let (command, output, outcome) = (*command, None, RefCell::default());
        let (arrays, about_files) = (Vec::new(), Vec::new());
        let state = State { command, stack, run, output, outcome, arrays, about_files };
        let stack = terralume_stack { cancel: AtomicBool::new(false), state: Mutex::new(state) };
        place.fill(Arc::into_raw(Arc::new(stack)).cast_mut());
        Ok(())
    })
}

/// Frees it. NULL is fine. A run is stopped, and its memory goes when it has ended.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_free(stack: *mut terralume_stack) {
    if !stack.is_null() {
        guard(|| {
            // SAFETY: it came from `Arc::into_raw` and is freed once, by contract.
            let stack = unsafe { Arc::from_raw(stack) };
            stack.cancel.store(true, Ordering::Relaxed);
            drop(stack);
            Ok(())
        });
    }
}

/// Sets one option from text, as on the command line. "input" and "mask" may be set several times, each adds one.
///
/// @param name  An option, such as "input", "expr", "mask", "stat", "group", "type", "threads", "memory", "overwrite".
/// @param value UTF-8; "true" or "false" for a switch; for "input" NAME=PATH or NAME=PATH:BAND, and more files of the same
///              list in lines of their own. On failure the old value stays.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_set_option(
    stack: *mut terralume_stack,
    name: *const c_char,
    value: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, name, value) =
            unsafe { (borrow(stack, "stack")?, text(name, "name")?, text(value, "value")?) };
        let mut state = stack.lock()?;
        // Both tables have a type and nodata: those of stacks count.
        if RUN_OPTIONS.contains(&name) {
            state.run.set(name, value)?;
        } else if STACK_OPTIONS.iter().any(|option| option.name == name) {
            state.stack.set(name, value)?;
        } else {
            let names = STACK_OPTIONS.iter().map(|option| option.name).chain(RUN_OPTIONS);
            return Err(unknown_name("option", name, names).into());
        }
        state.about_files.extend(about_files().filter(|known| *known == name));
        Ok(())
    })
}

/// Sets the file to write. It appears under its name only when it is whole.
///
/// @param path A file of this machine, UTF-8; a folder with the option "by".
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_set_output(
    stack: *mut terralume_stack,
    path: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, path) = unsafe { (borrow(stack, "stack")?, text(path, "path")?) };
        stack.lock()?.output = Some(path.into());
        Ok(())
    })
}

/// Runs to the end, on threads of its own. Fails with TERRALUME_STATUS_CANCELLED, and leaves no output, when progress
/// returns 0 or terralume_stack_cancel() is called.
///
/// @param options NULL: the defaults.
/// @param report  Receives what was done to cells; NULL: nobody asks.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_run(
    stack: *mut terralume_stack,
    options: *const terralume_run_options,
    report: *mut terralume_stack_report,
) -> terralume_status {
    guard(|| {
        check(stack, "stack")?;
        // SAFETY: NULL or as the documentation asks.
        let known = if report.is_null() { None } else { Some(unsafe { versioned::read(report) }?) };
        // SAFETY: as the documentation asks.
        let result = unsafe { work_on(stack, options, State::run) };
        let found = result?;
        if let Some(known) = known {
            // SAFETY: the struct is the caller's, and is written only as far as it says.
            unsafe { versioned::write(report, known.struct_size, &found_report(&found)) };
        }
        Ok(())
    })
}

/// Says how a run would go, as JSON, without running it: inputs are opened, everything but the output is checked, and the
/// run is divided. "rows", "cols", the names of the "bands" that are written, "input_bytes" and "output_bytes" before
/// compression; "images", each with "files", "datetime", "date_from" and "group"; "tiles", "tile_rows", "tile_cols", "halo"
/// in cells, "decoded", how often each block is, "threads", and "memory" in bytes, beside some 64 MiB for the program and
/// GDAL.
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_plan(
    stack: *mut terralume_stack,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, place) = unsafe { (borrow(stack, "stack")?, Place::new(json, "json")?) };
        let state = stack.lock()?;
        state.check_files("terralume_stack_describe")?;
        let plan = state.job(String::new()).prepare()?.describe();
        place.fill(c_text(plan.to_string())?.into_raw());
        Ok(())
    })
}

/// Says how terralume_stack_write_statistics() would go, as JSON, without running it: "plans", one for each grid, of which
/// "plan" is the first, as terralume_stack_plan() says it, each with "lines" of the table and "passes", how often its images
/// would be looked at; and about how many "seconds" each would take, null where a part in the middle cannot be read.
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_plan_statistics(
    stack: *mut terralume_stack,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, place) = unsafe { (borrow(stack, "stack")?, Place::new(json, "json")?) };
        let state = stack.lock()?;
        state.check_files("terralume_stack_describe")?;
        let job = state.statistics_job(None);
        let (plans, seconds): (Vec<_>, Vec<_>) =
            job.plan(&mut |_, _| true, &AtomicBool::new(false))?.into_iter().unzip();
        let mut plans = describe_plans(&plans);
        plans["seconds"] = seconds.into_iter().map(|seconds| json!(seconds.ok())).collect();
        place.fill(c_text(plans.to_string())?.into_raw());
        Ok(())
    })
}

/// Says what the last run did, as JSON: "outputs", the files it wrote, "bad", files that could not be read, in part or at
/// all, the numbers of terralume_stack_report (of statistics the number of "rows" instead), "notes", the same in words, and
/// the "plan" as terralume_stack_plan() says it. Statistics have "plans", one for each grid, of which "plan" is the first,
/// each with "lines" and "passes", how often its images were looked at. Fails when no run has ended well.
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_outcome(
    stack: *mut terralume_stack,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, place) = unsafe { (borrow(stack, "stack")?, Place::new(json, "json")?) };
        let state = stack.lock()?;
        let missing = || Failure::argument("nothing was done yet; allowed: terralume_stack_run first".into());
        let outcome = state.outcome.borrow().as_ref().map(ToString::to_string).ok_or_else(missing)?;
        place.fill(c_text(outcome)?.into_raw());
        Ok(())
    })
}

/// Writes numbers that describe the inputs, or their blocks, as a table in place of a raster: options "stat", "expr", "block",
/// "as" and those about inputs and masks count. Cancelled as terralume_stack_run() is.
///
/// @param options NULL: the defaults.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_write_statistics(
    stack: *mut terralume_stack,
    options: *const terralume_run_options,
) -> terralume_status {
    guard(|| {
        check(stack, "stack")?;
        // SAFETY: as the documentation asks.
        unsafe { work_on(stack, options, State::write_statistics) }.map(|_| ())
    })
}

/// Stops a run, within one date of a tile. Any thread may call this at any time. NULL is fine. If nothing runs, the next
/// run stops at once.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_cancel(stack: *mut terralume_stack) {
    // SAFETY: NULL or live, by contract. No guard: nothing here can fail.
    if let Some(stack) = unsafe { stack.as_ref() } {
        stack.cancel.store(true, Ordering::Relaxed);
    }
}

/// The report for the caller.
pub(super) fn found_report(report: &Report) -> terralume_stack_report {
    terralume_stack_report {
        masked: report.masked,
        not_finite: report.not_finite,
        clipped: report.clipped,
        saturated: report.written.saturated,
        moved: report.written.moved,
        missing: report.written.missing,
        ..terralume_stack_report::DEFAULT
    }
}

/// A run into memory.
pub(super) struct Part<'a> {
    /// The part that is computed; None: everything.
    pub part: Option<Window>,
    /// Its place.
    pub cells: &'a mut [u8],
}

impl Part<'_> {
    /// # Safety
    /// `stack` is live, `options` NULL or live options.
    pub unsafe fn run(
        self,
        stack: *mut terralume_stack,
        options: *const terralume_run_options,
    ) -> Result<Report> {
        let Self { part, cells } = self;
        let work = |state: &State, options: &terralume_run_options, cancel: &AtomicBool| {
            state.outcome.replace(None);
            let (job, report) = (state.job(String::new()), &mut reporter(options));
            if state.arrays.is_empty() {
                return Ok(job.prepare_watched(report, cancel)?.run_array(part, cells, report, cancel)?);
            }
            Ok(state.array_stack(&job)?.run(part, cells, report, cancel)?)
        };
        // SAFETY: by contract.
        unsafe { work_on(stack, options, work) }
    }
}

/// Runs a stack that nobody else uses meanwhile.
///
/// # Safety
/// `stack` is live, `options` NULL or live options.
unsafe fn work_on(
    stack: *mut terralume_stack,
    options: *const terralume_run_options,
    work: impl FnOnce(&State, &terralume_run_options, &AtomicBool) -> Result<Report>,
) -> Result<Report> {
    // SAFETY: it came from `Arc::into_raw` and is live by contract. The run holds a share of its own, so that a
    // progress function may free it.
    let stack = unsafe {
        Arc::increment_strong_count(stack);
        Arc::from_raw(stack)
    };
    // SAFETY: by contract.
    let options = unsafe { run_options(options) }?;
    let state = stack.lock()?;
    let cancelled = stack.cancel.load(Ordering::Relaxed);
    let result =
        if cancelled { Err(crate::Error::Cancelled.into()) } else { work(&state, &options, &stack.cancel) };
    // Before the lock is released: a request that comes later is for the next run.
    stack.cancel.store(false, Ordering::Relaxed);
    result
}

impl terralume_stack {
    /// Adds an array, which the caller keeps as long as the stack is used.
    pub(super) fn add(&self, array: ArrayBand<'static>) -> Result<()> {
        self.lock()?.arrays.push(array);
        Ok(())
    }

    /// Refuses an output, an address and its bytes, that has parts of arrays.
    pub(super) fn check_apart(&self, output: usize, bytes: usize) -> Result<()> {
        let state = self.lock()?;
        let overlaps = |array: &&ArrayBand<'_>| {
            let (start, end) = (array.cells.as_ptr().addr(), array.cells.as_ptr_range().end.addr());
            start < output.saturating_add(bytes) && output < end
        };
        match state.arrays.iter().find(overlaps) {
            Some(array) => Err(Failure::argument(format!(
                "output overlaps the array '{}'; allowed: memory of its own",
                array.name
            ))),
            None => Ok(()),
        }
    }

    /// What a run into memory gives.
    pub(super) fn describe(&self) -> Result<serde_json::Value> {
        let state = self.lock()?;
        let job = state.job(String::new());
        if state.arrays.is_empty() {
            return Ok(job.prepare()?.describe_array()?);
        }
        Ok(state.array_stack(&job)?.describe()?)
    }

    /// Never waits: it is for one thread at a time.
    fn lock(&self) -> Result<MutexGuard<'_, State>> {
        self.state.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Failure {
                status: terralume_status::Busy,
                message: "the stack is in use by another call; allowed: one at a time, and cancel".into(),
            },
            TryLockError::Poisoned(_) => Failure {
                status: terralume_status::Panic,
                message: "the stack took part in an internal error; allowed: free".into(),
            },
        })
    }
}

impl State {
    fn job(&self, output: String) -> StackJob {
        StackJob { command: self.command, stack: self.stack.clone(), run: self.run.clone(), output }
    }

    /// The arrays, ready to run.
    fn array_stack(&self, job: &StackJob) -> Result<ArrayStack<'static>> {
        if let Some(name) = self.about_files.first() {
            let options = STACK_OPTIONS.iter().map(|option| option.name).chain(RUN_OPTIONS);
            let allowed: Vec<&str> =
                options.filter(|name| about_files().all(|known| known != *name)).collect();
            return Err(Failure::argument(format!(
                "option '{name}' is about files, of which a stack of arrays has none; allowed: {}",
                allowed.join(", ")
            )));
        }
        Ok(ArrayStack::new(job, &self.arrays)?)
    }

    /// Arrays have functions of their own.
    fn check_files(&self, instead: &str) -> Result<()> {
        match self.arrays.is_empty() {
            true => Ok(()),
            false => {
                Err(Failure::argument(format!("the stack has arrays in place of files; allowed: {instead}")))
            }
        }
    }

    fn output(&self) -> Result<String> {
        let missing =
            || Failure::argument("the stack has no output; allowed: terralume_stack_set_output first".into());
        self.output.clone().ok_or_else(missing)
    }

    fn run(&self, options: &terralume_run_options, cancel: &AtomicBool) -> Result<Report> {
        self.check_files("terralume_stack_run_array")?;
        self.outcome.replace(None);
        let (job, report) = (self.job(self.output()?), &mut reporter(options));
        let prepared = job.prepare_watched(report, cancel)?;
        let plan = prepared.describe();
        let outcome = prepared.run(report, cancel)?;
        self.outcome.replace(Some(outcome.describe(plan)));
        Ok(outcome.report)
    }

    fn statistics_job(&self, output: Option<String>) -> StatisticsJob {
        StatisticsJob { stack: self.stack.clone(), run: self.run.clone(), output }
    }

    /// A table in place of a raster.
    fn write_statistics(&self, options: &terralume_run_options, cancel: &AtomicBool) -> Result<Report> {
        self.check_files("terralume_stack_run_array")?;
        self.outcome.replace(None);
        let output = self.output()?;
        // Before anything is opened.
        Target::new(&output, self.run.overwrite, &[])?;
        let job = self.statistics_job(Some(output.clone()));
        let table = job.run(&mut reporter(options), cancel)?;
        table.write(&output, self.run.overwrite, self.stack.form)?;
        self.outcome.replace(Some(table.describe(&output)));
        Ok(Report::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::ffi::CString;

    const DEM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/TM1_564_146.tif");

    fn c(text: &str) -> CString {
        CString::new(text).unwrap()
    }

    #[test]
    fn a_formula_runs_and_tells_what_it_did() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.tif");
        let mut stack = std::ptr::null_mut();
        let mut report = terralume_stack_report::DEFAULT;
        // SAFETY: live pointers and C strings throughout; the stack is freed once.
        unsafe {
            assert_eq!(terralume_stack_new(c"frob".as_ptr(), &mut stack), terralume_status::UnknownName);
            assert_eq!(terralume_stack_new(c"calc".as_ptr(), &mut stack), terralume_status::Ok);
            let set = |name: &str, value: &str| {
                terralume_stack_set_option(stack, c(name).as_ptr(), c(value).as_ptr())
            };
            assert_eq!(set("colour", "red"), terralume_status::UnknownName);
            assert_eq!(set("input", &format!("z={DEM}")), terralume_status::Ok);
            assert_eq!(set("expr", "1 / (z - z)"), terralume_status::Ok);
            assert_eq!(set("threads", "2"), terralume_status::Ok);
            assert_eq!(terralume_stack_run(stack, std::ptr::null(), &mut report), terralume_status::Argument);
            let path = c(output.to_str().unwrap());
            assert_eq!(terralume_stack_set_output(stack, path.as_ptr()), terralume_status::Ok);
            let asked = |function: unsafe extern "C" fn(*mut terralume_stack, *mut *mut c_char) -> _| {
                let mut json = std::ptr::null_mut();
                let status: terralume_status = function(stack, &mut json);
                if json.is_null() {
                    return (status, serde_json::Value::Null);
                }
                let found = serde_json::from_slice(std::ffi::CStr::from_ptr(json).to_bytes()).unwrap();
                crate::ffi::library::terralume_string_free(json);
                (status, found)
            };
            assert_eq!(asked(terralume_stack_outcome).0, terralume_status::Argument);
            let (status, plan) = asked(terralume_stack_plan);
            assert_eq!(
                (status, &plan["rows"], plan["images"].as_array().unwrap().len()),
                (terralume_status::Ok, &json!(1000), 1)
            );
            assert_eq!(terralume_stack_run(stack, std::ptr::null(), &mut report), terralume_status::Ok);
            let (_, outcome) = asked(terralume_stack_outcome);
            assert_eq!((&outcome["not_finite"], &outcome["outputs"]), (&json!(1_000_000), &json!([output])));
            terralume_stack_free(stack);
        }
        assert_eq!((report.not_finite, report.missing), (1_000_000, 1_000_000));
        assert!(output.exists());
    }

    #[test]
    fn every_option_about_files_is_one() {
        for name in about_files() {
            let known =
                STACK_OPTIONS.iter().map(|option| option.name).chain(RUN_OPTIONS).any(|known| known == name);
            assert!(known, "{name}");
        }
    }

    #[test]
    fn a_table_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out.json");
        let mut stack = std::ptr::null_mut();
        // SAFETY: live pointers and C strings throughout; the stack is freed once.
        unsafe {
            assert_eq!(terralume_stack_new(c"reduce".as_ptr(), &mut stack), terralume_status::Ok);
            let options = [("input", DEM), ("as", "json"), ("stat", "count,median"), ("block", "400")];
            for (name, value) in options {
                assert_eq!(
                    terralume_stack_set_option(stack, c(name).as_ptr(), c(value).as_ptr()),
                    terralume_status::Ok
                );
            }
            let asked = |function: unsafe extern "C" fn(*mut terralume_stack, *mut *mut c_char) -> _| {
                let mut json = std::ptr::null_mut();
                assert_eq!(function(stack, &mut json), terralume_status::Ok);
                let text = std::ffi::CStr::from_ptr(json).to_bytes();
                let found: serde_json::Value = serde_json::from_slice(text).unwrap();
                crate::ffi::library::terralume_string_free(json);
                found
            };
            let foreseen = asked(terralume_stack_plan_statistics);
            assert!(foreseen["seconds"][0].as_f64().unwrap() > 0.0);
            let path = c(output.to_str().unwrap());
            assert_eq!(terralume_stack_set_output(stack, path.as_ptr()), terralume_status::Ok);
            assert_eq!(terralume_stack_write_statistics(stack, std::ptr::null()), terralume_status::Ok);
            let outcome = asked(terralume_stack_outcome);
            assert_eq!(
                (&outcome["plans"], &outcome["rows"]),
                (&foreseen["plans"], &outcome["plan"]["lines"])
            );
            // Cells are 32-bit floats, whose percentiles take a second look.
            assert_eq!((&outcome["rows"], &outcome["plan"]["passes"]), (&json!(9), &json!(2)));
            assert_eq!((&outcome["plan"]["rows"], &outcome["plans"][0]), (&json!(1000), &outcome["plan"]));
            assert_eq!(outcome["plan"]["images"][0]["files"], json!([DEM]));
            assert_eq!(terralume_stack_write_statistics(stack, std::ptr::null()), terralume_status::Output);
            terralume_stack_free(stack);
        }
        let table: serde_json::Value = serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap();
        assert_eq!(table.as_array().unwrap().len(), 9);
        assert_eq!((&table[8]["count"], &table[8]["row"]), (&json!(40_000.0), &json!(800)));
    }
}
