//! Pixel functions: what a derived band of a VRT file computes from its sources, cell by cell.
//!
//! GDAL hands over buffers of any type and spacing and no data of our own. The functions keep no state and do not call
//! GDAL, but to report an error. Every GDAL of a process registers functions of its own, so that an error is reported
//! to the GDAL that called.

pub(super) mod arguments;
mod cells;
mod functions;
mod neighbours;
mod stack;

use crate::core::error::{Error, Result};
use crate::gdal::Gdal;
use arguments::Arguments;
use cells::{Number, RealType};
use functions::{Function, Prepare, FUNCTIONS};
use gdal_sys::{CPLErr, CSLConstList, GDALDataType, GDALDerivedPixelFuncWithArgs};
use libc::{c_int, c_void};
use std::ffi::CString;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::OnceLock;

/// Cells computed together: rows of all sources stay in the first-level cache.
const BLOCK: usize = 256;

/// A part of a row of one source. Missing cells are NaN.
type Cells = [f32; BLOCK];

/// A function with its arguments read, and the numbers it computes with.
trait Compute<N = f32> {
    /// Sources that are read, of those that came: the first ones.
    fn sources(&self) -> usize;

    /// Whether the nodata value marks missing cells of this source.
    fn has_nodata(&self, _source: usize) -> bool {
        true
    }

    /// Rows it needs after those of the sources.
    fn spare_rows(&self) -> usize {
        0
    }

    /// Computes as many cells as `out` has, at least one, from as many of each source, which it may overwrite.
    ///
    /// # Allocations: none.
    fn cells(&mut self, sources: &mut [[N; BLOCK]], out: &mut [N]);
}

/// What GDAL passes.
struct Call {
    sources: *mut *mut c_void,
    source_count: c_int,
    data: *mut c_void,
    columns: c_int,
    rows: c_int,
    source_type: GDALDataType::Type,
    data_type: GDALDataType::Type,
    pixel_space: c_int,
    line_space: c_int,
    arguments: CSLConstList,
}

/// GDALs in one process that get functions of their own; any more report errors to the last of these.
const SLOTS: usize = 4;

/// The GDAL whose functions have this number.
static GDALS: [OnceLock<&'static Gdal>; SLOTS] = [const { OnceLock::new() }; SLOTS];

/// Registers the functions in a GDAL, once.
pub fn register(gdal: &'static Gdal) {
    for (slot, place) in GDALS.iter().enumerate() {
        let mut is_new = false;
        let owner = place.get_or_init(|| {
            is_new = true;
            gdal
        });
        if std::ptr::eq(*owner, gdal) && !is_new {
            return;
        }
        if is_new || slot == SLOTS - 1 {
            for (function, entry) in FUNCTIONS.iter().zip(entries(slot)) {
                // SAFETY: GDAL copies the name; the function stays loaded as long as the process; NULL: GDAL knows
                // nothing of the arguments and passes on what a VRT says.
                unsafe {
                    (gdal.GDALAddDerivedBandPixelFuncWithArgs)(
                        function.name.as_ptr(),
                        entry,
                        std::ptr::null(),
                    )
                };
            }
            return;
        }
    }
}

/// The functions for the GDAL with this number.
fn entries(slot: usize) -> [GDALDerivedPixelFuncWithArgs; FUNCTIONS.len()] {
    fn of<const SLOT: usize>() -> [GDALDerivedPixelFuncWithArgs; FUNCTIONS.len()] {
        [
            Some(entry::<SLOT, 0>),
            Some(entry::<SLOT, 1>),
            Some(entry::<SLOT, 2>),
            Some(entry::<SLOT, 3>),
            Some(entry::<SLOT, 4>),
            Some(entry::<SLOT, 5>),
            Some(entry::<SLOT, 6>),
            Some(entry::<SLOT, 7>),
            Some(entry::<SLOT, 8>),
            Some(entry::<SLOT, 9>),
        ]
    }
    match slot {
        0 => of::<0>(),
        1 => of::<1>(),
        2 => of::<2>(),
        _ => of::<3>(),
    }
}

/// # Safety
/// Called by GDAL as `GDALDerivedPixelFuncWithArgs` says.
#[allow(clippy::too_many_arguments)] // GDAL's, not ours.
unsafe extern "C" fn entry<const SLOT: usize, const FUNCTION: usize>(
    sources: *mut *mut c_void,
    source_count: c_int,
    data: *mut c_void,
    columns: c_int,
    rows: c_int,
    source_type: GDALDataType::Type,
    data_type: GDALDataType::Type,
    pixel_space: c_int,
    line_space: c_int,
    arguments: CSLConstList,
) -> CPLErr::Type {
    let call = Call {
        sources,
        source_count,
        data,
        columns,
        rows,
        source_type,
        data_type,
        pixel_space,
        line_space,
        arguments,
    };
    let function = &FUNCTIONS[FUNCTION];
    // SAFETY: what GDAL passes.
    let done = catch_unwind(AssertUnwindSafe(|| unsafe { run(function, &call) }));
    match done.unwrap_or_else(|_| Err(Error::Internal("computing cells failed".into()))) {
        Ok(()) => CPLErr::CE_None,
        Err(error) => {
            if let Some(gdal) = GDALS[SLOT].get() {
                let text = format!("{}: {error}", function.name.to_string_lossy()).replace(['\0', '\n'], " ");
                gdal.report_failure(&CString::new(text).unwrap_or_default());
            }
            CPLErr::CE_Failure
        }
    }
}

/// # Safety
/// As GDAL promises: sources of `columns` x `rows` cells each, room for as many cells at the given spacing, a list
/// that ends with NULL.
unsafe fn run(function: &Function, call: &Call) -> Result<()> {
    // SAFETY: NULL, or a list that ends with NULL.
    let arguments = unsafe { Arguments::read(call.arguments) };
    arguments.check(function.arguments)?;
    let source_count = usize::try_from(call.source_count).unwrap_or(0);
    let nodata = arguments.nodata()?;
    let nodata = (nodata, arguments.result_nodata()?.or(nodata));
    // SAFETY: by contract.
    unsafe {
        match function.prepare {
            Prepare::Single(prepare) => compute(prepare(&arguments, source_count)?, call, nodata),
            Prepare::Double(prepare) => compute(prepare(&arguments, source_count)?, call, nodata),
        }
    }
}

/// # Safety
/// As `run`; there are as many sources as `compute` uses.
unsafe fn compute<N: Number>(
    mut compute: Box<dyn Compute<N>>,
    call: &Call,
    (nodata, result_nodata): (Option<f64>, Option<f64>),
) -> Result<()> {
    let source_type = source_type(call.source_type)?;
    let data_type = data_type(call.data_type)?;
    let (columns, rows) = (call.columns.max(0) as usize, call.rows.max(0) as usize);
    if columns == 0 || rows == 0 {
        return Ok(());
    }
    let used = compute.sources();
    // SAFETY: GDAL passes `source_count` pointers, and every function has checked that there are as many as it uses.
    let sources = (0..used).map(|source| unsafe { *call.sources.add(source) }.cast_const());
    let sources: Vec<*const c_void> = sources.collect();
    if call.data.is_null() || sources.iter().any(|source| source.is_null()) {
        return Err(Error::Internal("GDAL passes no cells".into()));
    }
    let marks: Vec<Option<f64>> =
        (0..used).map(|source| nodata.filter(|_| compute.has_nodata(source))).collect();
    let mut buffers: Vec<[N; BLOCK]> = vec![[N::MISSING; BLOCK]; used + compute.spare_rows()];
    let mut out = [N::MISSING; BLOCK];
    for row in 0..rows {
        for first in (0..columns).step_by(BLOCK) {
            let count = BLOCK.min(columns - first);
            for ((source, mark), buffer) in sources.iter().zip(&marks).zip(&mut buffers) {
                // SAFETY: these cells lie inside the source's `columns` x `rows`.
                unsafe { source_type.read(*source, row * columns + first, *mark, &mut buffer[..count]) };
            }
            compute.cells(&mut buffers, &mut out[..count]);
            let (line, pixel) = (call.line_space as isize, call.pixel_space as isize);
            // SAFETY: these cells lie inside the caller's buffer, by the spacing it gave; those of a complex type have
            // room for two parts.
            unsafe {
                let to = call.data.cast::<u8>().offset(row as isize * line + first as isize * pixel);
                data_type.real.write(&out[..count], result_nodata, to, pixel);
                if data_type.is_complex {
                    data_type.real.write(
                        &[0.0_f32; BLOCK][..count],
                        None,
                        to.add(data_type.real.size()),
                        pixel,
                    );
                }
            }
        }
    }
    Ok(())
}

fn source_type(number: GDALDataType::Type) -> Result<RealType> {
    RealType::of(number).ok_or_else(|| {
        Error::Unsupported(format!(
            "sources have cells of GDAL's type {number}; allowed: real numbers, such as \
             <SourceTransferType>Float32</SourceTransferType>"
        ))
    })
}

/// Type of the cells that are written.
struct DataType {
    real: RealType,
    /// Every cell has a second part, which is 0: `gdallocationinfo` reads any raster so.
    is_complex: bool,
}

fn data_type(number: GDALDataType::Type) -> Result<DataType> {
    let real = RealType::of(number).map(|real| DataType { real, is_complex: false });
    let complex = || RealType::of_parts(number).map(|real| DataType { real, is_complex: true });
    real.or_else(complex).ok_or_else(|| {
        Error::Unsupported(format!("the result is wanted in GDAL's type {number}; allowed: any of GDAL 3.13"))
    })
}

#[cfg(test)]
mod tests;
