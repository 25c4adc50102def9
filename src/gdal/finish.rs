//! The last part of a file: overviews, and the COG made from it.

use super::dataset::{driver_handle, Dataset};
use super::options::{c_string, OptionList};
use super::sink::FILE_BLOCK;
use super::warper::Resampling;
use super::Gdal;
use crate::core::error::{Error, Result};
use libc::{c_char, c_int, c_void};

/// Overviews by 2, 4, 8 … until one tile shows the whole raster.
pub(super) fn build_overviews(
    gdal: &Gdal,
    dataset: &Dataset,
    ((rows, cols), resampling): ((usize, usize), Resampling),
    progress: &mut Progress<'_>,
) -> std::result::Result<(), String> {
    let levels: Vec<c_int> = (1..30)
        .map(|power| 1 << power)
        .take_while(|factor| rows.max(cols) * 2 / *factor as usize > FILE_BLOCK)
        .collect();
    if levels.is_empty() {
        return Ok(());
    }
    let name = c_string(resampling.name()).map_err(|error| error.to_string())?;
    let (raw, data) = (dataset.raw(), std::ptr::from_mut(progress).cast::<c_void>());
    gdal.check_write(|gdal| {
        // SAFETY: the dataset is open; `levels` has as many numbers as said; no band list means all bands;
        // `data` is the `Progress` that `gdal_progress` expects and lives through the call.
        unsafe {
            (gdal.GDALBuildOverviews)(
                raw,
                name.as_ptr(),
                levels.len() as c_int,
                levels.as_ptr(),
                0,
                std::ptr::null(),
                Some(gdal_progress),
                data,
            )
        }
    })
}

/// The same of a file that is closed already, read by one thread.
pub(super) fn add_overviews(
    gdal: &'static Gdal,
    name: &str,
    shape: ((usize, usize), Resampling),
    progress: &mut Progress<'_>,
) -> std::result::Result<(), String> {
    let one = [("NUM_THREADS".to_string(), "1".to_string())];
    let dataset = Dataset::open_for_update(gdal, name, &one).map_err(|error| error.to_string())?;
    build_overviews(gdal, &dataset, shape, progress)?;
    dataset.close()
}

pub(super) fn copy_to_cog(
    gdal: &'static Gdal,
    spool: &str,
    cog: &str,
    options: &[(String, String)],
    progress: &mut Progress<'_>,
) -> Result<()> {
    let source = Dataset::open(gdal, spool)?;
    let driver = driver_handle(gdal, "COG")?;
    let (path, list) = (c_string(cog)?, OptionList::new(options)?);
    let data = std::ptr::from_mut(progress).cast::<c_void>();
    let (handle, said) = gdal.call(|gdal| {
        // SAFETY: driver and source are of this GDAL and open; strings and list live through the call; `data` is
        // the `Progress` that `gdal_progress` expects.
        unsafe {
            (gdal.GDALCreateCopy)(
                driver,
                path.as_ptr(),
                source.raw(),
                0,
                list.as_ptr(),
                Some(gdal_progress),
                data,
            )
        }
    });
    if handle.is_null() {
        return Err(Error::Output(format!("cannot make a COG: {}", without_name(&said.cause(), cog))));
    }
    let copy = Dataset::adopt(gdal, handle, cog);
    copy.close().map_err(|reason| Error::Output(format!("cannot write a COG: {reason}")))
}

/// A cause without the temporary name of the file, which means nothing to the user.
pub(super) fn without_name(cause: &str, name: &str) -> String {
    cause.replace(&format!("{name}: "), "").replace(&format!("{name}:"), "")
}

/// A Rust callback behind GDAL's progress function.
pub(super) struct Progress<'a> {
    report: &'a mut dyn FnMut(f64) -> bool,
    stopped: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(report: &'a mut dyn FnMut(f64) -> bool) -> Self {
        Self { report, stopped: false }
    }

    /// Tells the caller; false means stop.
    pub(super) fn report(&mut self, share: f64) -> bool {
        let go_on = (self.report)(share);
        self.stopped |= !go_on;
        go_on
    }

    /// GDAL reports a stop by the user as a failure.
    pub(super) fn error(&self, error: Error) -> Error {
        if self.stopped {
            Error::Cancelled
        } else {
            error
        }
    }
}

unsafe extern "C" fn gdal_progress(share: f64, _: *const c_char, data: *mut c_void) -> c_int {
    // SAFETY: `data` is the `Progress` that the caller of GDAL passed; it lives through that call.
    let progress = unsafe { &mut *data.cast::<Progress<'_>>() };
    let report = std::panic::AssertUnwindSafe(|| progress.report(share));
    c_int::from(std::panic::catch_unwind(report).unwrap_or(false))
}
