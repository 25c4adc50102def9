//! The function `terralume` of processed datasets: VRT files whose cells are computed from a whole raster. GDAL has
//! them from 3.9 on.
//!
//! GDAL hands over the cells of a window and no neighbours, so they are left alone: the elevations are opened here, as
//! virtual files do.

use super::pixel::arguments::Arguments;
use super::views;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::gdal::binding::{text, Options};
use crate::gdal::raster::gdal_cell_type;
use crate::gdal::Gdal;
use crate::job::virtual_name::{Request, OPTIONS};
use crate::job::View;
use crate::pipeline::nesting;
use crate::recipe::Recipe;
use gdal_sys::{CPLErr, GDALDataType};
use libc::{c_char, c_int, c_void};
use std::ffi::{CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Its name in a VRT.
const NAME: &CStr = c"terralume";

/// Arguments that are no options of a run.
const RECIPE: [&str; 2] = ["recipe", "elevations"];

/// Registers the function in a GDAL that has processed datasets, once.
pub fn register(gdal: &'static Gdal) {
    static REGISTERED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let Some(add) = gdal.GDALVRTRegisterProcessedDatasetFunc else { return };
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    let address = std::ptr::from_ref(gdal) as usize;
    if registered.contains(&address) {
        return;
    }
    registered.push(address);
    // SAFETY: GDAL copies the name; the functions stay loaded as long as the process and have the signatures that it
    // asks for; the user data lives for ever; any type and number of bands will do, since nobody looks at them: bytes
    // are the fewest.
    unsafe {
        add(
            NAME.as_ptr(),
            std::ptr::from_ref(gdal).cast_mut().cast(),
            std::ptr::null(),
            GDALDataType::GDT_Byte,
            std::ptr::null(),
            0,
            std::ptr::null(),
            0,
            Some(init),
            Some(free),
            Some(process),
            std::ptr::null(),
        );
    }
}

/// What `init` leaves for `process`.
struct Working {
    view: Arc<View>,
}

/// Runs what may fail, and tells GDAL why it did.
fn guarded(gdal: &Gdal, work: impl FnOnce() -> Result<()>) -> CPLErr::Type {
    let done = catch_unwind(AssertUnwindSafe(work));
    match done.unwrap_or_else(|_| Err(Error::Internal("computing cells failed".into()))) {
        Ok(()) => CPLErr::CE_None,
        Err(error) => {
            let text = format!("terralume: {error}").replace(['\0', '\n'], " ");
            gdal.report_failure(&CString::new(text).unwrap_or_default());
            CPLErr::CE_Failure
        }
    }
}

#[allow(clippy::too_many_arguments)] // GDAL's, not ours.
unsafe extern "C" fn init(
    _name: *const c_char,
    user: *mut c_void,
    arguments: Options,
    _bands: c_int,
    _data_type: GDALDataType::Type,
    _nodata: *mut f64,
    out_bands: *mut c_int,
    out_type: *mut GDALDataType::Type,
    out_nodata: *mut *mut f64,
    folder: *const c_char,
    working: *mut *mut c_void,
) -> CPLErr::Type {
    // SAFETY: the table that `register` gave, a list that ends with NULL, and NULL or a C string.
    let (gdal, arguments, folder) =
        unsafe { (&*user.cast::<Gdal>(), Arguments::read(arguments.cast_mut().cast()), text(folder)) };
    guarded(gdal, || {
        let view = open(gdal, &arguments, &folder)?;
        let header = view.header();
        let bands = header.bands.len();
        // SAFETY: GDAL's own variables; where there is no list of nodata values it takes one over that it can free.
        unsafe {
            *out_bands = bands as c_int;
            *out_type = gdal_cell_type(header.cell_type);
            if (*out_nodata).is_null() {
                let list = (gdal.VSIMalloc)(bands * size_of::<f64>()).cast::<f64>();
                if !list.is_null() {
                    let nodata = header.nodata.unwrap_or(f64::NAN);
                    (0..bands).for_each(|band| list.add(band).write(nodata));
                }
                *out_nodata = list;
            }
            *working = Box::into_raw(Box::new(Working { view })).cast();
        }
        Ok(())
    })
}

/// The picture that the arguments of a step name.
fn open(gdal: &'static Gdal, arguments: &Arguments, folder: &str) -> Result<Arc<View>> {
    let allowed: Vec<&str> = RECIPE.into_iter().chain(OPTIONS).collect();
    arguments.check(&allowed)?;
    let required = |name: &str| {
        let value = arguments.text(name);
        value.ok_or_else(|| Error::Argument(format!("argument {name} is missing; allowed: {}", hint(name))))
    };
    let (recipe, elevations) = (required("recipe")?, required("elevations")?);
    let beside = Path::new(folder).join(elevations);
    let elevations = match beside.exists() {
        true => beside.display().to_string(),
        false => elevations.to_string(),
    };
    let options = OPTIONS.iter().filter_map(|name| Some((*name, arguments.text(name)?)));
    let options: Vec<_> = options.collect();
    let key = format!("{recipe}\n{options:?}\n{elevations}");
    views::open(gdal, &key, |_| {
        let mut request = match recipe.starts_with('{') {
            true => Request {
                recipe: Recipe::parse(recipe)?,
                options: Default::default(),
                elevations: elevations.clone(),
                recipe_file: None,
                statistics: true,
            },
            false => Request::new(recipe, &elevations)?,
        };
        request.statistics = false;
        options.iter().try_for_each(|(name, value)| request.options.set(name, value))?;
        Ok(request)
    })
}

fn hint(name: &str) -> &'static str {
    match name {
        "recipe" => "an operation with its parameters, such as svf,radius=20, a preset, or a recipe as JSON",
        _ => "the raster of elevations, named from the folder of the VRT",
    }
}

unsafe extern "C" fn free(_name: *const c_char, _user: *mut c_void, working: *mut c_void) {
    if !working.is_null() {
        // SAFETY: made by `init`, and freed once. Dropping closes files; a panic there stops here.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(working.cast::<Working>()) })));
    }
}

#[allow(clippy::too_many_arguments)] // GDAL's, not ours.
unsafe extern "C" fn process(
    _name: *const c_char,
    user: *mut c_void,
    working: *mut c_void,
    _arguments: Options,
    columns: c_int,
    rows: c_int,
    _input: *const c_void,
    _input_bytes: usize,
    _input_type: GDALDataType::Type,
    _input_bands: c_int,
    _input_nodata: *const f64,
    output: *mut c_void,
    output_bytes: usize,
    _output_type: GDALDataType::Type,
    _output_bands: c_int,
    _output_nodata: *const f64,
    left: f64,
    top: f64,
    _width: f64,
    _height: f64,
    geotransform: *const f64,
    _folder: *const c_char,
    _extra: Options,
) -> CPLErr::Type {
    // SAFETY: the table that `register` gave, and what `init` made.
    let (gdal, view) = unsafe { (&*user.cast::<Gdal>(), &(*working.cast::<Working>()).view) };
    guarded(gdal, || {
        // SAFETY: six numbers, and a buffer of so many bytes that is ours until we return.
        let (across, output) = unsafe {
            let across = (*geotransform.add(1)).hypot(*geotransform.add(4));
            (across, std::slice::from_raw_parts_mut(output.cast::<u8>(), output_bytes))
        };
        let window = Window {
            row: top.max(0.0) as usize,
            col: left.max(0.0) as usize,
            rows: rows.max(0) as usize,
            cols: columns.max(0) as usize,
        };
        nesting::enter(Arc::as_ptr(view) as u64, || fill(view, window, across, output))
    })
}

/// A window of the raster, or of an overview, whose cells are `across` long.
fn fill(view: &View, window: Window, across: f64, output: &mut [u8]) -> Result<()> {
    let geotransform = view.geotransform();
    let factor = across / geotransform[1].hypot(geotransform[4]);
    let sizes = view.sizes();
    // An overview's cells are as long as its number of columns says: not just 2, 4 or 8 times the raster's.
    let longer = |level: usize| factor * sizes[level].1 as f64 / sizes[0].1 as f64;
    let same = (0..sizes.len()).find(|level| (longer(*level) - 1.0).abs() < 1e-6);
    let bytes = window.cells() * view.cell_bytes();
    if output.len() < bytes {
        return Err(Error::Internal("GDAL has no room for the cells it asks for".into()));
    }
    match same {
        Some(level) => read(view, level, window, &mut output[..bytes]),
        None => {
            // An overview that only the elevations have: the next finer picture is thinned out.
            let finer = (0..sizes.len()).rev().find(|level| longer(*level) > 1.0).unwrap_or(0);
            thin_out(view, finer, (window, longer(finer)), &mut output[..bytes])
        }
    }
}

fn read(view: &View, level: usize, window: Window, output: &mut [u8]) -> Result<()> {
    let (rows, cols) = view.sizes()[level];
    if window.row + window.rows > rows || window.col + window.cols > cols {
        return Err(Error::Internal("GDAL asks for cells beside the raster".into()));
    }
    view.read(level, window, output)
}

/// A window of a raster with cells `step` times as long as those of a level: the cell in the middle of each.
fn thin_out(view: &View, level: usize, (window, step): (Window, f64), output: &mut [u8]) -> Result<()> {
    let (rows, cols) = view.sizes()[level];
    let place = |number: usize, most: usize| (((number as f64 + 0.5) * step) as usize).min(most - 1);
    let (first, last) = (place(window.col, cols), place(window.col + window.cols - 1, cols));
    let cell = view.cell_bytes();
    let mut row_cells = vec![0; (last - first + 1) * cell];
    for (number, to) in output.chunks_exact_mut(window.cols * cell).enumerate() {
        let row = place(window.row + number, rows);
        read(view, level, Window { row, col: first, rows: 1, cols: last - first + 1 }, &mut row_cells)?;
        for (column, to) in to.chunks_exact_mut(cell).enumerate() {
            let from = (place(window.col + column, cols) - first) * cell;
            to.copy_from_slice(&row_cells[from..from + cell]);
        }
    }
    Ok(())
}
