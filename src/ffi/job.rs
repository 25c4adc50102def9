//! Jobs: recipes from raster to raster, through GDAL.

use super::argument::{borrow, check, text, Place};
use super::library::c_text;
use super::status::{guard, terralume_status, Failure, Result};
use super::versioned::{self, Versioned};
use crate::gdal::source::Input;
use crate::gdal::DatasetHandle;
use crate::job::stack::layer::ground_of;
use crate::job::vrt::Form;
use crate::job::{Job, JobOptions, Picture};
use crate::recipe::chain::Finding;
use crate::recipe::Recipe;
use libc::{c_char, c_int, c_void};
use serde_json::json;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// One run from raster to raster. One thread at a time may use it: a second one gets TERRALUME_STATUS_BUSY.
/// terralume_job_cancel() is the exception.
pub struct terralume_job {
    /// Outside the lock, which a run holds to its end.
    cancel: AtomicBool,
    state: Mutex<State>,
}

struct State {
    /// All but the last one; the settings are about that.
    finished: Vec<Named>,
    last: Named,
    input: Option<Input>,
    options: JobOptions,
}

/// A picture and the file it goes into.
struct Named {
    recipe: Recipe,
    output: Option<String>,
}

/// Hears how far a run is, and may stop it. The same as GDAL's GDALProgressFunc, so GDALTermProgress fits.
///
/// @param complete Share done, 0 to 1, never smaller than before.
/// @param message  What is being done, UTF-8; valid during the call.
/// @param data     progress_data of the run.
/// @return 0 stops the run, anything else goes on. Must return: no exceptions, no longjmp().
pub type terralume_progress =
    Option<unsafe extern "C" fn(complete: f64, message: *const c_char, data: *mut c_void) -> c_int>;

/// How to run a job. Fill with terralume_run_options_init() first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_run_options {
    /// Bytes of this struct, as terralume_run_options_init() sets it.
    pub struct_size: usize,
    /// Called about ten times a second, on the thread that called terralume_job_run() only. Default: NULL, none.
    pub progress: terralume_progress,
    /// Handed to progress. Default: NULL.
    pub progress_data: *mut c_void,
}

// SAFETY: repr(C); three fields of pointer size; any bytes are a number, a function pointer or NULL, a pointer.
unsafe impl Versioned for terralume_run_options {
    const NAME: &'static str = "terralume_run_options";
    const DEFAULT: Self =
        Self { struct_size: size_of::<Self>(), progress: None, progress_data: std::ptr::null_mut() };
}

/// Fills options with their defaults.
///
/// @param options     The struct to fill.
/// @param struct_size sizeof(terralume_run_options)
#[no_mangle]
pub unsafe extern "C" fn terralume_run_options_init(
    options: *mut terralume_run_options,
    struct_size: usize,
) -> terralume_status {
    // SAFETY: the caller's struct has `struct_size` bytes.
    guard(|| unsafe { versioned::init(options, struct_size) })
}

/// Makes a job. It needs an input and an output before it can run; a recipe whose layers show stacks alone needs no input.
///
/// @param recipe JSON, the name of a preset such as "vat-combined", or the id of an operation such as "slope".
/// @param job    Receives the job. Free it with terralume_job_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_job_new(
    recipe: *const c_char,
    job: *mut *mut terralume_job,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, recipe) = unsafe { (Place::new(job, "job")?, text(recipe, "recipe")?) };
        let last = Named { recipe: Recipe::parse(recipe)?, output: None };
        let state = State { finished: Vec::new(), last, input: None, options: JobOptions::default() };
        let job = terralume_job { cancel: AtomicBool::new(false), state: Mutex::new(state) };
        place.fill(Arc::into_raw(Arc::new(job)).cast_mut());
        Ok(())
    })
}

/// Frees a job. NULL is fine. A job that is running is stopped, and its memory goes when the run has ended.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_free(job: *mut terralume_job) {
    if !job.is_null() {
        guard(|| {
            // SAFETY: the job came from `Arc::into_raw` and is freed once, by contract.
            let job = unsafe { Arc::from_raw(job) };
            job.cancel.store(true, Ordering::Relaxed);
            drop(job);
            Ok(())
        });
    }
}

/// Adds another picture of the same elevations, which are read once for all; what pictures have in common is computed
/// once. terralume_job_set_parameter() and terralume_job_set_output() are about the picture that was added last. The files
/// appear together, or none does.
///
/// @param recipe As terralume_job_new() takes it.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_add_picture(
    job: *mut terralume_job,
    recipe: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, recipe) = unsafe { (borrow(job, "job")?, text(recipe, "recipe")?) };
        let next = Named { recipe: Recipe::parse(recipe)?, output: None };
        let mut state = job.lock()?;
        let finished = std::mem::replace(&mut state.last, next);
        state.finished.push(finished);
        Ok(())
    })
}

/// Sets one parameter of the recipe from text, as on the command line.
///
/// @param name  A parameter, as terralume_describe() lists them, such as "azimuth"; "layer.parameter" in a recipe of
///              several layers. "opacity", "mode", "min" and "max" of a layer can be set as well, and "terrain" and "fill" of
///              the whole recipe.
/// @param value UTF-8. On failure the job keeps its old value.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_set_parameter(
    job: *mut terralume_job,
    name: *const c_char,
    value: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, name, value) = unsafe { (borrow(job, "job")?, text(name, "name")?, text(value, "value")?) };
        Ok(job.lock()?.last.recipe.set(name, value)?)
    })
}

/// Sets one option of the run from text, as on the command line.
///
/// @param name  An option, as terralume_describe() lists them, such as "threads", "memory", "type", "overwrite".
/// @param value UTF-8; "true" or "false" for a switch. On failure the job keeps its old value.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_set_option(
    job: *mut terralume_job,
    name: *const c_char,
    value: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, name, value) = unsafe { (borrow(job, "job")?, text(name, "name")?, text(value, "value")?) };
        Ok(job.lock()?.options.set(name, value)?)
    })
}

/// Sets the raster of elevations. It is opened by terralume_job_run().
///
/// @param path A file, or anything else GDAL can open, UTF-8.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_set_input(
    job: *mut terralume_job,
    path: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, path) = unsafe { (borrow(job, "job")?, text(path, "path")?) };
        job.lock()?.input = Some(Input::Path(path.into()));
        Ok(())
    })
}

/// Sets the raster of elevations to a dataset that is open already. A path is faster: then every thread opens its own.
///
/// @param dataset A GDALDatasetH. It stays the caller's, who keeps it open until the last run of the job has ended
///                and does not use it during a run.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_set_input_dataset(
    job: *mut terralume_job,
    dataset: *mut c_void,
) -> terralume_status {
    guard(|| {
        // A GDALDatasetH points to an object that starts with a pointer, so it is aligned like one.
        check(dataset.cast::<*const c_void>(), "dataset")?;
        // SAFETY: pointers are NULL or as the documentation asks.
        let job = unsafe { borrow(job, "job")? };
        job.lock()?.input = Some(Input::Handle(DatasetHandle(dataset)));
        Ok(())
    })
}

/// Sets the file to write. It appears under its name only when it is whole.
///
/// @param path A file of this machine, UTF-8. It must not exist, unless the option "overwrite" is "true".
#[no_mangle]
pub unsafe extern "C" fn terralume_job_set_output(
    job: *mut terralume_job,
    path: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, path) = unsafe { (borrow(job, "job")?, text(path, "path")?) };
        job.lock()?.last.output = Some(path.into());
        Ok(())
    })
}

/// Says how a job would be run, as JSON, without running it: the input is opened, everything but the output is checked,
/// and the run is divided. "rows", "cols", "bands", "output_bytes" before compression; "pictures", each with "title",
/// "file_name" in a folder of several, "bands", "color", the "stretch" it is shown with, and "recipe"; "tiles",
/// "tile_rows", "tile_cols", "radius" in cells, "overlap" in cells read for each one written, "passes", "surveys" of the whole raster, "threads",
/// "memory" in bytes, and "steps", what is done with a tile.
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_job_plan(
    job: *mut terralume_job,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, place) = unsafe { (borrow(job, "job")?, Place::new(json, "json")?) };
        let job = job.lock()?.job()?;
        let plan = job.prepare()?.describe();
        place.fill(c_text(plan.to_string())?.into_raw());
        Ok(())
    })
}

/// Finds what a job's picture must know of the whole raster, so that runs over parts of it (the option "extent") need not
/// look for it again, here or in other processes: see terralume_job_set_survey(). Fails with TERRALUME_STATUS_UNSUPPORTED
/// where that is more than a few numbers, as under RVT's overcast sky.
///
/// @param options NULL: the defaults.
/// @param json    Receives the text, UTF-8: "stretches", each with "layer", "place", "min" and "max". Free it with
///                terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_job_survey(
    job: *mut terralume_job,
    options: *const terralume_run_options,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        check(job, "job")?;
        // SAFETY: pointers are NULL or as the documentation asks.
        let place = unsafe { Place::new(json, "json")? };
        let mut found = Vec::new();
        // SAFETY: as the documentation asks.
        unsafe {
            work_on(job, options, false, |job, report, cancel| {
                found = job.survey(report, cancel)?;
                Ok(())
            })?;
        }
        place.fill(c_text(survey_text(&found))?.into_raw());
        Ok(())
    })
}

/// Hands a job what terralume_job_survey() has said of the same recipe, options and raster. It is not looked for again.
///
/// @param json UTF-8. On failure the job keeps its old value.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_set_survey(
    job: *mut terralume_job,
    json: *const c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (job, json) = unsafe { (borrow(job, "job")?, text(json, "json")?) };
        let found = read_survey(json).ok_or_else(|| {
            Failure::argument("json is no survey; allowed: what terralume_job_survey said".into())
        })?;
        job.lock()?.options.findings = found;
        Ok(())
    })
}

/// Numbers as texts: JSON's are not always read to the last bit.
fn survey_text(found: &[Finding]) -> String {
    let stretch = |found: &Finding| {
        let (min, max) = found.limits;
        json!({"layer": found.layer, "place": found.place, "min": min.to_string(), "max": max.to_string()})
    };
    json!({"stretches": found.iter().map(stretch).collect::<Vec<_>>()}).to_string()
}

fn read_survey(text: &str) -> Option<Vec<Finding>> {
    let survey: serde_json::Value = serde_json::from_str(text).ok()?;
    let finding = |entry: &serde_json::Value| {
        let number = |key: &str| entry[key].as_str()?.parse().ok();
        let (layer, place) = (entry["layer"].as_str()?.to_string(), entry["place"].as_i64()?);
        Some(Finding { layer, place, limits: (number("min")?, number("max")?) })
    };
    survey["stretches"].as_array()?.iter().map(finding).collect()
}

/// Runs a job to its end, on threads of its own. It can be run again, with other settings as well.
///
/// Fails with TERRALUME_STATUS_CANCELLED, and leaves no output, when progress returns 0 or terralume_job_cancel() is
/// called.
///
/// @param options NULL: the defaults.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_run(
    job: *mut terralume_job,
    options: *const terralume_run_options,
) -> terralume_status {
    guard(|| {
        check(job, "job")?;
        // SAFETY: as the documentation asks.
        unsafe { work_on(job, options, true, |job, report, cancel| job.run(report, cancel)) }
    })
}

/// Writes the job's picture as a VRT, a file of text that GDAL computes when it is read, instead of as cells. The output
/// of the job is the VRT; small files that it needs stand in a folder beside it, NAME.layers.
///
/// GDAL needs the plugin to read it, or terralume_gdal_register() in the same process.
///
/// @param form    NULL: "layers". Else "layers": operations as virtual files, and stretches, colours and blends as pixel
///                functions, which can be edited; refused for masks and raster layers. "picture": the whole picture as
///                a virtual file. "shifted": slope and hillshade as pixel functions of the elevations. "processed": a
///                processed dataset, for GDAL 3.9 or newer.
/// @param options NULL: the defaults.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_write_vrt(
    job: *mut terralume_job,
    form: *const c_char,
    options: *const terralume_run_options,
) -> terralume_status {
    guard(|| {
        check(job, "job")?;
        let form = if form.is_null() {
            Form::Layers
        } else {
            // SAFETY: a C string, as the documentation asks.
            Form::parse(unsafe { text(form, "form") }?)?
        };
        // SAFETY: as the documentation asks.
        unsafe { work_on(job, options, true, |job, report, cancel| job.write_vrt(form, report, cancel)) }
    })
}

/// Stops a job that is running, within one tile. Any thread may call this at any time, a signal handler as well. NULL
/// is fine. If the job is not running, its next run stops at once.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_cancel(job: *mut terralume_job) {
    // SAFETY: NULL or a live job, by contract. No guard: nothing here can fail, and a signal handler must not allocate.
    if let Some(job) = unsafe { job.as_ref() } {
        job.cancel.store(true, Ordering::Relaxed);
    }
}

/// Hears a share and a stage; false cancels.
pub(super) type Report<'a> = dyn FnMut(f64, &str) -> bool + 'a;

/// The caller's options; NULL: the defaults.
///
/// # Safety
/// `options` is NULL or live options.
pub(super) unsafe fn run_options(options: *const terralume_run_options) -> Result<terralume_run_options> {
    if options.is_null() {
        return Ok(terralume_run_options::DEFAULT);
    }
    // SAFETY: by contract.
    unsafe { versioned::read(options) }
}

/// Does something with a job that takes long; `to_file` that needs outputs.
///
/// # Safety
/// `job` is a live job, `options` NULL or live options.
pub(super) unsafe fn work_on(
    job: *mut terralume_job,
    options: *const terralume_run_options,
    to_file: bool,
    work: impl FnOnce(&Job, &mut Report<'_>, &AtomicBool) -> crate::Result<()>,
) -> Result<()> {
    // SAFETY: the job came from `Arc::into_raw` and is live by contract. The run holds a share of its own, so
    // that a progress function may free the job.
    let job = unsafe {
        Arc::increment_strong_count(job);
        Arc::from_raw(job)
    };
    // SAFETY: by contract.
    let options = unsafe { run_options(options) }?;
    let state = job.lock()?;
    let result = state.work((&options, to_file), &job.cancel, work);
    // Before the lock is released: a request that comes later is for the next run.
    job.cancel.store(false, Ordering::Relaxed);
    result
}

impl terralume_job {
    /// Never waits: a job is for one thread at a time.
    fn lock(&self) -> Result<MutexGuard<'_, State>> {
        self.state.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Failure {
                status: terralume_status::Busy,
                message: "the job is in use by another call; allowed: one at a time, and cancel".into(),
            },
            TryLockError::Poisoned(_) => Failure {
                status: terralume_status::Panic,
                message: "the job took part in an internal error; allowed: free".into(),
            },
        })
    }
}

fn missing(what: &str) -> Failure {
    Failure::argument(format!("the job has no {what}; allowed: set one with terralume_job_set_{what}"))
}

impl State {
    fn named(&self) -> impl Iterator<Item = &Named> {
        self.finished.iter().chain(std::iter::once(&self.last))
    }

    fn job(&self) -> Result<Job> {
        let input = match (&self.input, &self.finished[..]) {
            (Some(input), _) => input.clone(),
            (None, []) if self.last.recipe.is_of_stacks() => Input::Grid(ground_of(&self.last.recipe)?),
            _ => return Err(missing("input")),
        };
        let picture = |named: &Named| {
            let output = named.output.clone().unwrap_or_default();
            Picture { recipe: named.recipe.clone(), output }
        };
        Ok(Job { pictures: self.named().map(picture).collect(), input, options: self.options.clone() })
    }

    fn work(
        &self,
        (options, to_file): (&terralume_run_options, bool),
        cancel: &AtomicBool,
        work: impl FnOnce(&Job, &mut Report<'_>, &AtomicBool) -> crate::Result<()>,
    ) -> Result<()> {
        let job = self.job()?;
        if to_file && self.named().any(|picture| picture.output.is_none()) {
            return Err(missing("output"));
        }
        if cancel.load(Ordering::Relaxed) {
            return Err(crate::Error::Cancelled.into());
        }
        Ok(work(&job, &mut reporter(options), cancel)?)
    }
}

/// Tells the caller's function how far a run is.
pub(super) fn reporter(options: &terralume_run_options) -> impl FnMut(f64, &str) -> bool + '_ {
    |share: f64, stage: &str| match options.progress {
        None => true,
        Some(progress) => {
            let stage = CString::new(stage).unwrap_or_default();
            // SAFETY: the caller's function takes these, on the caller's thread.
            unsafe { progress(share, stage.as_ptr(), options.progress_data) != 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_met_a_panic_can_only_be_freed() {
        let mut job = std::ptr::null_mut();
        // SAFETY: live pointers and C strings throughout; the job is freed once.
        unsafe {
            assert_eq!(terralume_job_new(c"slope".as_ptr(), &mut job), terralume_status::Ok);
            let status = guard(|| {
                let _state = borrow(job, "job")?.lock()?;
                panic!("inside");
            });
            assert_eq!(status, terralume_status::Panic);
            assert_eq!(terralume_job_set_output(job, c"x.tif".as_ptr()), terralume_status::Panic);
            assert_eq!(terralume_job_run(job, std::ptr::null()), terralume_status::Panic);
            terralume_job_cancel(job);
            terralume_job_free(job);
        }
    }
}
