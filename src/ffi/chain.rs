//! Chains: recipes on arrays in memory. Needs no GDAL.

use super::argument::{borrow, check, Place};
use super::grid::terralume_grid;
use super::job::{reporter, run_options, terralume_run_options};
use super::recipe::{prepare, terralume_chain_options};
use super::status::{guard, terralume_status, Failure, Result};
use super::versioned::{self, Versioned};
use crate::job::options::MOST_THREADS;
use crate::pipeline::memory::ArraySource;
use crate::pipeline::run::Monitor;
use crate::pipeline::survey;
use crate::recipe::array::{self, ArrayShape, Margins};
use crate::recipe::chain::{CellType, CellsMut, Chain};
use libc::{c_char, c_void};
use ndarray::{ArrayViewMut3, ShapeBuilder};
use std::cell::Cell;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// A recipe made ready for a grid. Never changes: any number of threads may run one chain at the same time.
pub struct terralume_chain {
    chain: Chain,
}

/// Elevations of one tile with its real neighbours. Fill with terralume_array_init() first.
///
/// ```text
/// cells -> +--------------------------------+
///          |           margin_top           |   row_stride cells
///          |             +------+           |   from row to row
///          | margin_left | rows | margin_   |
///          |             |  x   |  right    |
///          |             | cols |           |
///          |             +------+           |
///          |          margin_bottom         |
///          +--------------------------------+
/// ```
///
/// A margin smaller than the radius of the chain says that the raster ends there, and the edge rule of the operation
/// fills the rest. All margins 0: the array is the whole raster. All margins at least the radius: a tile from its
/// middle, which is used where it stands, without a copy, if there are no gaps between rows. The output of a tile is
/// bit for bit that of the whole raster at these cells. NaN and numbers beyond 1e30 are missing.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_array {
    /// Bytes of this struct, as terralume_array_init() sets it.
    pub struct_size: usize,
    /// The first cell, margins included. Aligned to 4 bytes.
    pub cells: *const f32,
    /// Rows of the tile, margins left out.
    pub rows: usize,
    /// Columns of the tile, margins left out.
    pub cols: usize,
    /// Cells (not bytes) from the start of one row to the start of the next. 0: no gaps between rows.
    pub row_stride: usize,
    /// Rows of real cells above the tile.
    pub margin_top: usize,
    /// Rows of real cells below the tile.
    pub margin_bottom: usize,
    /// Columns of real cells before the tile.
    pub margin_left: usize,
    /// Columns of real cells after the tile.
    pub margin_right: usize,
    /// Cells of this value are missing. Default: NaN, none but NaN.
    pub nodata: f64,
}

// SAFETY: repr(C); ten fields of 8 bytes; any bytes are numbers or a pointer.
unsafe impl Versioned for terralume_array {
    const NAME: &'static str = "terralume_array";
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>(),
        cells: std::ptr::null(),
        rows: 0,
        cols: 0,
        row_stride: 0,
        margin_top: 0,
        margin_bottom: 0,
        margin_left: 0,
        margin_right: 0,
        nodata: f64::NAN,
    };
}

/// Fills an array with its defaults: no cells, no margins.
///
/// @param array       The struct to fill.
/// @param struct_size sizeof(terralume_array)
#[no_mangle]
pub unsafe extern "C" fn terralume_array_init(
    array: *mut terralume_array,
    struct_size: usize,
) -> terralume_status {
    // SAFETY: the caller's struct has `struct_size` bytes.
    guard(|| unsafe { versioned::init(array, struct_size) })
}

/// Makes a recipe ready for arrays on a grid.
///
/// @param recipe  JSON, the name of a preset such as "vat-combined", or the id of an operation such as "slope".
/// @param grid    Size of the cells.
/// @param options NULL: the defaults.
/// @param chain   Receives the chain. Free it with terralume_chain_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_new(
    recipe: *const c_char,
    grid: *const terralume_grid,
    options: *const terralume_chain_options,
    chain: *mut *mut terralume_chain,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, prepared) = unsafe { (Place::new(chain, "chain")?, prepare(recipe, grid, options)?) };
        place.fill(Box::into_raw(Box::new(terralume_chain { chain: prepared.1 })));
        Ok(())
    })
}

/// Frees a chain. NULL is fine. No call may use it any more.
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_free(chain: *mut terralume_chain) {
    if !chain.is_null() {
        guard(|| {
            // SAFETY: the chain came from `Box::into_raw` and is freed once, by contract.
            drop(unsafe { Box::from_raw(chain) });
            Ok(())
        });
    }
}

/// Says how many cells the chain reads around a cell in each direction: the margin an inner tile needs.
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_radius(
    chain: *const terralume_chain,
    radius: *mut usize,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (chain, place) = unsafe { (borrow(chain, "chain")?, Place::new(radius, "radius")?) };
        place.fill(chain.chain.radius());
        Ok(())
    })
}

/// Says how many output bands the chain gives.
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_bands(
    chain: *const terralume_chain,
    bands: *mut usize,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (chain, place) = unsafe { (borrow(chain, "chain")?, Place::new(bands, "bands")?) };
        place.fill(chain.chain.bands().len());
        Ok(())
    })
}

/// Says how many bytes the output of a tile takes: bands x rows x cols x bytes of a cell.
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_output_bytes(
    chain: *const terralume_chain,
    rows: usize,
    cols: usize,
    bytes: *mut usize,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (chain, place) = unsafe { (borrow(chain, "chain")?, Place::new(bytes, "bytes")?) };
        place.fill(output_bytes(&chain.chain, rows, cols)?);
        Ok(())
    })
}

/// Computes a tile on the calling thread.
///
/// @param chain           Any number of threads may use it at the same time.
/// @param source          The elevations. They stay the caller's and are only read.
/// @param output_capacity Bytes at output, at least what terralume_chain_output_bytes() says.
/// @param output          Receives bands x rows x cols cells of the chain's cell type, row after row, band after band,
///                        without gaps. Aligned to a cell, apart from the elevations. Untouched when an argument is
///                        refused.
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_run(
    chain: *const terralume_chain,
    source: *const terralume_array,
    output_capacity: usize,
    output: *mut c_void,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (chain, source) = unsafe { (borrow(chain, "chain")?, versioned::read(source)?) };
        // Also refuses sizes whose product does not fit.
        output_bytes(&chain.chain, source.rows, source.cols)?;
        let strides = (source.rows * source.cols, source.cols);
        // SAFETY: as above.
        unsafe { run(&chain.chain, &source, (strides, &|| true), output_capacity, output) }
    })
}

/// Computes a tile on the calling thread into a part of a larger array, as terralume_chain_run() does.
///
/// @param strides         Cells from the start of one band of the output to the next, and from the start of one row to the
///                        next; rows must not overlap.
/// @param options         NULL: the defaults. Its progress hears a share of 0 ten times a second; when it returns 0, the call
///                        fails with TERRALUME_STATUS_CANCELLED, and some cells may have been written.
/// @param output_capacity Bytes from output to the end of the larger array.
/// @param output          The first cell of the part. Cells between its rows and bands are left alone, so several threads may
///                        fill parts of one array at the same time.
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_run_part(
    chain: *const terralume_chain,
    source: *const terralume_array,
    strides: *const usize,
    options: *const terralume_run_options,
    output_capacity: usize,
    output: *mut c_void,
) -> terralume_status {
    guard(|| {
        check(strides, "strides")?;
        // SAFETY: pointers are NULL or as the documentation asks.
        let (chain, source) = unsafe { (borrow(chain, "chain")?, versioned::read(source)?) };
        // SAFETY: two numbers, by contract.
        let [band, row] = unsafe { strides.cast::<[usize; 2]>().read() };
        // SAFETY: as above.
        unsafe {
            let options = run_options(options)?;
            let report = Patient::new(&options);
            run(&chain.chain, &source, ((band, row), &|| report.proceed()), output_capacity, output)
        }
    })
}

/// Finds what a chain must know of the whole raster: percentiles, deviations, RVT's overcast sky. A chain that says 0
/// "surveys" has nothing to find.
///
/// @param source  The whole raster: all margins 0.
/// @param threads At most 1024. 0: one for each processor.
/// @param options NULL: the defaults. Fails with TERRALUME_STATUS_CANCELLED when progress returns 0.
/// @param settled Receives a chain that computes parts of this raster, each with its real neighbours around it. Free it with
///                terralume_chain_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_survey(
    chain: *const terralume_chain,
    source: *const terralume_array,
    threads: usize,
    options: *const terralume_run_options,
    settled: *mut *mut terralume_chain,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (chain, source) = unsafe { (borrow(chain, "chain")?, versioned::read(source)?) };
        // SAFETY: as above.
        let (place, options) = unsafe { (Place::new(settled, "settled")?, run_options(options)?) };
        let shape = shape_of(&source);
        let length = shape.length()?;
        check(source.cells, "terralume_array.cells")?;
        // SAFETY: not NULL, aligned, `length` cells by contract, within the address space (checked).
        let cells = unsafe { std::slice::from_raw_parts(source.cells, length) };
        let source = ArraySource::new(cells, shape, nodata_of(&source))?;
        let threads = match threads {
            0 => crate::job::processors(),
            1..=MOST_THREADS => threads,
            _ => return Err(Failure::argument(format!("{threads} threads; allowed: 0 to {MOST_THREADS}"))),
        };
        let mut report = reporter(&options);
        let mut surveying = |share: f64| report(share, "surveying");
        let mut monitor = Monitor { report: &mut surveying, cancel: &AtomicBool::new(false) };
        let chain = survey::settled(&chain.chain, &source, threads, &mut monitor)?;
        place.fill(Box::into_raw(Box::new(terralume_chain { chain })));
        Ok(())
    })
}

/// Asks the caller ten times a second whether to go on, however often it is asked itself.
struct Patient<'a> {
    options: &'a terralume_run_options,
    asked: Cell<Instant>,
    stopped: Cell<bool>,
}

impl<'a> Patient<'a> {
    const EVERY: Duration = Duration::from_millis(100);

    fn new(options: &'a terralume_run_options) -> Self {
        Self { options, asked: Cell::new(Instant::now()), stopped: Cell::new(false) }
    }

    fn proceed(&self) -> bool {
        if self.options.progress.is_some() && self.asked.get().elapsed() >= Self::EVERY {
            self.stopped.set(self.stopped.get() || !reporter(self.options)(0.0, "computing"));
            self.asked.set(Instant::now());
        }
        !self.stopped.get()
    }
}

fn nodata_of(source: &terralume_array) -> Option<f32> {
    (!source.nodata.is_nan()).then_some(source.nodata as f32)
}

/// # Safety
/// `source.cells` has the cells its shape tells of; `output` has `capacity` bytes.
unsafe fn run(
    chain: &Chain,
    source: &terralume_array,
    (strides, proceed): ((usize, usize), &dyn Fn() -> bool),
    capacity: usize,
    output: *mut c_void,
) -> Result<()> {
    let shape = shape_of(source);
    let length = shape.length()?;
    let size = (chain.bands().len(), shape.rows, shape.cols);
    let bytes = span(size, strides, chain.cell_type().bytes())?;
    if capacity < bytes {
        return Err(Failure::argument(format!("output has {capacity} bytes; allowed: at least {bytes}")));
    }
    check(source.cells, "terralume_array.cells")?;
    match chain.cell_type() {
        CellType::Float32 => check(output.cast::<f32>(), "output")?,
        CellType::Uint8 => check(output.cast::<u8>(), "output")?,
    }
    check_apart((source.cells as usize, length * 4), (output as usize, bytes))?;
    // SAFETY: not NULL, aligned, `length` cells by contract, within the address space (checked), and apart from
    // the output, so nobody writes to them meanwhile.
    let cells = unsafe { std::slice::from_raw_parts(source.cells, length) };
    // SAFETY: not NULL, aligned, and from the first to the last cell `bytes` bytes of the caller's (checked); rows do not
    // overlap (checked). Whatever the caller's memory holds are values of these types.
    let out = unsafe {
        match chain.cell_type() {
            CellType::Float32 => CellsMut::Float32(view(size, strides, output)),
            CellType::Uint8 => CellsMut::Uint8(view(size, strides, output)),
        }
    };
    Ok(array::run_while(chain, (cells, &shape), nodata_of(source), out, proceed)?)
}

/// # Safety
/// The output has the cells of this size with these strides, all of them apart from each other.
unsafe fn view<'a, T>(
    size: (usize, usize, usize),
    (band, row): (usize, usize),
    output: *mut c_void,
) -> ArrayViewMut3<'a, T> {
    // SAFETY: by contract.
    unsafe { ArrayViewMut3::from_shape_ptr(size.strides((band, row, 1)), output.cast()) }
}

/// Bytes from the first to the last cell of an output.
fn span(
    (bands, rows, cols): (usize, usize, usize),
    (band, row): (usize, usize),
    cell: usize,
) -> Result<usize> {
    let large =
        || Failure::argument(format!("output of {cols} x {rows} cells does not fit into the address space"));
    let last_row = (rows - 1).checked_mul(row).and_then(|cells| cells.checked_add(cols)).ok_or_else(large)?;
    if row < cols || (bands > 1 && band < last_row) {
        return Err(Failure::argument(format!(
            "strides of {band} and {row} cells let rows overlap; allowed: at least {last_row} and {cols}"
        )));
    }
    let last_band = (bands - 1).checked_mul(band).and_then(|cells| cells.checked_add(last_row));
    let bytes = last_band.and_then(|cells| cells.checked_mul(cell));
    bytes.filter(|bytes| *bytes <= isize::MAX as usize).ok_or_else(large)
}

fn shape_of(source: &terralume_array) -> ArrayShape {
    let margins = Margins {
        top: source.margin_top,
        bottom: source.margin_bottom,
        left: source.margin_left,
        right: source.margin_right,
    };
    ArrayShape { rows: source.rows, cols: source.cols, margins, row_stride: source.row_stride }
}

fn output_bytes(chain: &Chain, rows: usize, cols: usize) -> Result<usize> {
    let factors = [rows, cols, chain.bands().len(), chain.cell_type().bytes()];
    let bytes = factors.iter().try_fold(1_usize, |product, factor| product.checked_mul(*factor));
    bytes.filter(|bytes| *bytes <= isize::MAX as usize).ok_or_else(|| {
        Failure::argument(format!("output of {cols} x {rows} cells does not fit into the address space"))
    })
}

/// Input and output as (address, bytes).
fn check_apart(input: (usize, usize), output: (usize, usize)) -> Result<()> {
    let ends = input.0.checked_add(input.1).zip(output.0.checked_add(output.1));
    let (input_end, output_end) = ends.ok_or_else(|| {
        Failure::argument("an array ends beyond the address space; allowed: its true size".into())
    })?;
    if input.0 < output_end && output.0 < input_end {
        return Err(Failure::argument("output overlaps the elevations; allowed: memory of its own".into()));
    }
    Ok(())
}

/// Chains are used by several threads at once.
const _: fn() = || {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<terralume_chain>();
};
