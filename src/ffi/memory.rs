//! Runs into memory: parts of rasters and stacks as arrays, and stacks of arrays. The latter need no GDAL.

use super::argument::{borrow, check, text, Place};
use super::job::{terralume_job, terralume_run_options, work_on};
use super::library::c_text;
use super::stack::{found_report, terralume_stack, terralume_stack_report, Part};
use super::status::{guard, terralume_status, Failure, Result};
use super::versioned::{self, Versioned};
use crate::core::tile::Window;
use crate::stack::cells::CellType;
use libc::{c_char, c_void};

/// One band of one date in memory. Fill with terralume_band_init() first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_band {
    /// Bytes of this struct, as terralume_band_init() sets it.
    pub struct_size: usize,
    /// The first cell; rows follow each other without gaps. Aligned to a cell. Stays the caller's, and where it is, as
    /// long as the stack is used.
    pub cells: *const c_void,
    /// Type of the cells, such as "uint16" or "float32". Read during the call only.
    pub cell_type: *const c_char,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Cells of this value are missing, and NaN. Default: NaN, no other.
    pub nodata: f64,
    /// When it was taken, in seconds since 1970-01-01 UTC. Default: NaN, nobody knows.
    pub time: f64,
}

// SAFETY: repr(C); seven fields of 8 bytes; any bytes are numbers or pointers.
unsafe impl Versioned for terralume_band {
    const NAME: &'static str = "terralume_band";
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>(),
        cells: std::ptr::null(),
        cell_type: std::ptr::null(),
        rows: 0,
        cols: 0,
        nodata: f64::NAN,
        time: f64::NAN,
    };
}

/// Fills a band with its defaults: no cells.
///
/// @param band        The struct to fill.
/// @param struct_size sizeof(terralume_band)
#[no_mangle]
pub unsafe extern "C" fn terralume_band_init(
    band: *mut terralume_band,
    struct_size: usize,
) -> terralume_status {
    // SAFETY: the caller's struct has `struct_size` bytes.
    guard(|| unsafe { versioned::init(band, struct_size) })
}

/// Runs a job of one picture into memory instead of into a file. The option "extent" chooses a part of the raster, whose
/// cells are those of the whole picture.
///
/// @param options         NULL: the defaults.
/// @param output_capacity Bytes at output, exactly "output_bytes" of terralume_job_plan().
/// @param output          Receives bands x rows x cols cells of the option "type", row after row, band after band, without
///                        gaps. Aligned to a cell. After a failure some cells may have been written.
#[no_mangle]
pub unsafe extern "C" fn terralume_job_run_array(
    job: *mut terralume_job,
    options: *const terralume_run_options,
    output_capacity: usize,
    output: *mut c_void,
) -> terralume_status {
    guard(|| {
        check(job, "job")?;
        // SAFETY: as the documentation asks.
        unsafe {
            let cells = bytes_mut(output, output_capacity)?;
            work_on(job, options, false, |job, report, cancel| job.run_array(cells, report, cancel))
        }
    })
}

/// Adds an array as one band of one date to a stack, in place of the option "input". Arrays of one name are its dates. Such
/// a stack is for terralume_stack_describe() and terralume_stack_run_array() alone.
///
/// @param name What formulas and masks call the band, UTF-8.
/// @param band The array.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_add_band(
    stack: *mut terralume_stack,
    name: *const c_char,
    band: *const terralume_band,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, name, band) =
            unsafe { (borrow(stack, "stack")?, text(name, "name")?, versioned::read(band)?) };
        // SAFETY: as above.
        let type_name = unsafe { text(band.cell_type, "terralume_band.cell_type") }?;
        let cell_type = CellType::parse(type_name)?;
        check(band.cells.cast::<u8>(), "terralume_band.cells")?;
        if !(band.cells as usize).is_multiple_of(cell_type.size()) {
            let size = cell_type.size();
            return Err(Failure::argument(format!(
                "terralume_band.cells is not aligned; allowed: a multiple of {size}"
            )));
        }
        let bytes = band.rows.checked_mul(band.cols).and_then(|cells| cells.checked_mul(cell_type.size()));
        let bytes = bytes.filter(|bytes| *bytes <= isize::MAX as usize).ok_or_else(|| {
            Failure::argument(format!(
                "band of {} x {} cells does not fit into the address space",
                band.cols, band.rows
            ))
        })?;
        // SAFETY: not NULL, aligned, and so many bytes that nobody changes as long as the stack is used, by contract.
        let cells = unsafe { std::slice::from_raw_parts(band.cells.cast::<u8>(), bytes) };
        let time = (!band.time.is_nan()).then_some(band.time as i64);
        let nodata = (!band.nodata.is_nan()).then_some(band.nodata);
        stack.add(crate::job::stack::array::ArrayBand {
            name: name.into(),
            time,
            cell_type,
            nodata,
            size: (band.rows, band.cols),
            cells,
        })
    })
}

/// Says what terralume_stack_run_array() gives, as JSON: "rows" and "cols" of the whole stack, "bands", their names,
/// "type" of the cells, "nodata", a number or "nan", and "halo", cells by which masks grow; for files also "images", in
/// order of time, each with "files", "time" and "group", which may be null.
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_describe(
    stack: *mut terralume_stack,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (stack, place) = unsafe { (borrow(stack, "stack")?, Place::new(json, "json")?) };
        place.fill(c_text(stack.describe()?.to_string())?.into_raw());
        Ok(())
    })
}

/// Runs a stack of arrays, or of files, into memory. With arrays, options about files, such as "input", "format" or "co",
/// are refused.
///
/// @param window          Row, column, rows and columns of the part to compute; NULL: all of it.
/// @param options         NULL: the defaults.
/// @param report          Receives what was done to cells; NULL: nobody asks.
/// @param output_capacity Bytes at output, exactly bands x rows x cols x bytes of a cell.
/// @param output          Receives the cells, row after row, band after band, without gaps, apart from the arrays. Aligned
///                        to a cell. After a failure some cells may have been written.
#[no_mangle]
pub unsafe extern "C" fn terralume_stack_run_array(
    stack: *mut terralume_stack,
    window: *const usize,
    options: *const terralume_run_options,
    report: *mut terralume_stack_report,
    output_capacity: usize,
    output: *mut c_void,
) -> terralume_status {
    guard(|| {
        check(stack, "stack")?;
        let part = if window.is_null() {
            None
        } else {
            check(window, "window")?;
            // SAFETY: four numbers, by contract.
            let numbers = unsafe { window.cast::<[usize; 4]>().read() };
            let [row, col, rows, cols] = numbers;
            Some(Window { row, col, rows, cols })
        };
        // SAFETY: live, by contract.
        unsafe { borrow(stack, "stack") }?.check_apart(output.addr(), output_capacity)?;
        // SAFETY: as the documentation asks.
        unsafe {
            let known = if report.is_null() { None } else { Some(versioned::read(report)?) };
            let found = Part { part, cells: bytes_mut(output, output_capacity)? }.run(stack, options)?;
            if let Some(known) = known {
                versioned::write(report, known.struct_size, &found_report(&found));
            }
        }
        Ok(())
    })
}

/// The caller's memory for results.
///
/// # Safety
/// `output` is NULL or has `capacity` writable bytes that nobody else uses during the call.
unsafe fn bytes_mut<'a>(output: *mut c_void, capacity: usize) -> Result<&'a mut [u8]> {
    check(output.cast::<u8>(), "output")?;
    if capacity > isize::MAX as usize {
        return Err(Failure::argument(format!("output has {capacity} bytes; allowed: its true size")));
    }
    // SAFETY: not NULL; by contract.
    Ok(unsafe { std::slice::from_raw_parts_mut(output.cast::<u8>(), capacity) })
}
