//! The only safe wrapper over GDAL: binding at run time, datasets, the source and the sink of the pipeline.

pub mod band_notes;
pub mod binding;
mod blocks;
mod cells;
mod collected;
mod creation;
mod dataset;
mod error;
pub mod extent;
pub mod file_size;
mod finish;
pub mod header;
pub mod layer;
mod needs;
mod options;
pub mod output;
pub mod parts;
pub mod places;
pub mod raster;
pub mod sink;
pub mod sinks;
pub mod source;
pub mod stack;
pub mod statistics;
mod tiles;
pub mod transform;
mod trial;
pub mod virtual_tiff;
pub mod vrt;
mod warp;
pub mod warper;
mod zarr;

pub use binding::Gdal;
pub use dataset::{DatasetHandle, GeoTransform};

/// Has `function` called when the process ends, before GDAL, which was loaded earlier, takes itself apart.
pub fn at_exit(function: extern "C" fn()) {
    // SAFETY: a function of ours that stays loaded; when there is no room for it nothing is lost but the wait.
    unsafe { libc::atexit(function) };
}

/// Gives memory that was freed back to the system before a part of a run that takes much of its own: threads that have ended
/// keep what they had.
fn trim_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no pointers; memory in use stays as it is.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Files of this process besides those of a stack: libraries, outputs, databases of GDAL.
const OTHER_FILES: usize = 40;

/// Files that a stack may have open at once without running into the limit of the process.
pub fn most_files() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct has room for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return usize::MAX;
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES).max(8)
}
