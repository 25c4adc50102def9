//! Recipes: what to compute, and what will come out.

use super::argument::{text, texts, Place};
use super::grid::{self, terralume_grid};
use super::library::c_text;
use super::status::{guard, terralume_status, Failure, Result};
use super::versioned::{self, Versioned};
use crate::core::operation::Compatibility;
use crate::core::stretch::Cut;
use crate::job::named_file::named_recipe;
use crate::recipe::chain::{CellType, Chain, ChainOptions};
use crate::recipe::{describe, Recipe};
use libc::{c_char, c_int};

/// Type of the output cells.
#[repr(C)]
pub enum terralume_cell_type {
    /// 32-bit floating point: the values themselves, or 0 to 1 for a picture of blended layers. Missing cells are NaN.
    Float32 = 0,
    /// Bytes: stretched to 1 to 255, missing cells are 0. With TERRALUME_COMPATIBILITY_RVT: 0 to 255, missing 255.
    Uint8 = 1,
}

/// Whose numbers are wanted where RVT (Relief Visualization Toolbox) is known to be wrong.
#[repr(C)]
pub enum terralume_compatibility {
    /// The right ones.
    None = 0,
    /// Those RVT gives.
    Rvt = 1,
}

/// How a recipe is turned into cells. Fill with terralume_chain_options_init() first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_chain_options {
    /// Bytes of this struct, as terralume_chain_options_init() sets it.
    pub struct_size: usize,
    /// A terralume_cell_type. Default: TERRALUME_CELL_TYPE_FLOAT32.
    pub cell_type: c_int,
    /// A terralume_compatibility. Default: TERRALUME_COMPATIBILITY_NONE.
    pub compatibility: c_int,
    /// Value shown as black when a single operation is written as bytes. Default: NaN, the operation's own.
    pub stretch_min: f64,
    /// Value shown as white; greater than stretch_min. Both are NaN, or none.
    pub stretch_max: f64,
    /// Changes to the recipe: texts "name=value", the last pointer is NULL. A name is a parameter, such as "azimuth",
    /// or "layer.parameter" in a recipe of several layers. Default: NULL, no changes. Read during the call only.
    pub parameters: *const *const c_char,
    /// Ends of that stretch as text, instead of numbers: "percent:2,2" or "deviations:2". Such ends are found in the whole
    /// array, so the array must be the whole raster. Default: NULL. Read during the call only.
    pub stretch: *const c_char,
    /// Not 0: with bytes, adds a band that is 255 where a cell has a value and 0 where it is missing. Default: 0.
    pub alpha: c_int,
    /// 0.
    pub reserved: c_int,
}

// SAFETY: repr(C); 8 + 4 + 4 + 8 + 8 + 8 + 8 + 4 + 4 bytes without gaps; any bytes are numbers or a pointer.
unsafe impl Versioned for terralume_chain_options {
    const NAME: &'static str = "terralume_chain_options";
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>(),
        cell_type: terralume_cell_type::Float32 as c_int,
        compatibility: terralume_compatibility::None as c_int,
        stretch_min: f64::NAN,
        stretch_max: f64::NAN,
        parameters: std::ptr::null(),
        stretch: std::ptr::null(),
        alpha: 0,
        reserved: 0,
    };
}

/// Fills options with their defaults.
///
/// @param options     The struct to fill.
/// @param struct_size sizeof(terralume_chain_options)
#[no_mangle]
pub unsafe extern "C" fn terralume_chain_options_init(
    options: *mut terralume_chain_options,
    struct_size: usize,
) -> terralume_status {
    // SAFETY: the caller's struct has `struct_size` bytes.
    guard(|| unsafe { versioned::init(options, struct_size) })
}

/// Says what a recipe gives on a grid, as JSON: "radius" in cells, "bands", "cell_type", "nodata", "surveys", passes over
/// the whole raster that it needs first (0: tiles can be computed by themselves), "ground", whether it needs more of the
/// raster than terralume_job_survey() tells, and "recipe" with every parameter spelled
/// out, which can be used as a recipe again.
///
/// @param recipe  JSON, the name of a preset such as "vat-combined", or the id of an operation such as "slope".
/// @param grid    Size of the cells.
/// @param options NULL: the defaults.
/// @param json    Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_recipe_describe(
    recipe: *const c_char,
    grid: *const terralume_grid,
    options: *const terralume_chain_options,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, prepared) = unsafe { (Place::new(json, "json")?, prepare(recipe, grid, options)?) };
        let (recipe, chain) = prepared;
        place.fill(c_text(describe(&recipe, &chain).to_string())?.into_raw());
        Ok(())
    })
}

/// Reads a recipe as users name it, as JSON with every parameter spelled out, which can be used as a recipe again.
///
/// @param name The name of a preset, the id of an operation, or a file: a recipe, or RVT's blender combinations;
///             "FILE#NAME" is one of several in a file. Rasters beside the file get their full path.
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_recipe_read(
    name: *const c_char,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, name) = unsafe { (Place::new(json, "json")?, text(name, "name")?) };
        let recipe = named_recipe(name)?.to_json();
        place.fill(c_text(recipe.to_string())?.into_raw());
        Ok(())
    })
}

/// Writes a recipe for RVT: as a blender combination, JSON. What RVT's combinations cannot say is an error.
///
/// @param recipe As terralume_job_new() takes it.
/// @param json   Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_recipe_to_rvt(
    recipe: *const c_char,
    json: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, recipe) = unsafe { (Place::new(json, "json")?, text(recipe, "recipe")?) };
        let combination = Recipe::parse(recipe)?.to_rvt_combination()?;
        place.fill(c_text(format!("{combination:#}"))?.into_raw());
        Ok(())
    })
}

/// Reads and checks what a chain is made from.
///
/// # Safety
/// `recipe` is NULL or a C string; `grid` and `options` are NULL or structs as large as they say, and what they point
/// to is NULL or C strings.
pub(super) unsafe fn prepare(
    recipe: *const c_char,
    grid: *const terralume_grid,
    options: *const terralume_chain_options,
) -> Result<(Recipe, Chain)> {
    // SAFETY: by contract.
    let mut recipe = Recipe::parse(unsafe { text(recipe, "recipe") }?)?;
    // SAFETY: by contract.
    let grid = unsafe { grid::read(grid) }?;
    let given = if options.is_null() {
        terralume_chain_options::DEFAULT
    } else {
        // SAFETY: by contract.
        unsafe { versioned::read(options) }?
    };
    // SAFETY: the caller's list ends with NULL.
    for parameter in unsafe { texts(given.parameters, "terralume_chain_options.parameters") }? {
        let (name, value) = parameter.split_once('=').ok_or_else(|| {
            Failure::argument(format!("parameter '{parameter}' has no value; allowed: name=value"))
        })?;
        recipe.set(name.trim(), value)?;
    }
    let mut options = chain_options(&given)?;
    if !given.stretch.is_null() {
        if options.stretch.is_some() {
            return Err(Failure::argument(
                "terralume_chain_options has stretch as text and as numbers; allowed: one of them".into(),
            ));
        }
        // SAFETY: not NULL, and a C string by contract.
        options.stretch = Some(unsafe { text(given.stretch, "terralume_chain_options.stretch") }?.parse()?);
    }
    let chain = Chain::new(&recipe, &grid, options)?;
    Ok((recipe, chain))
}

fn chain_options(given: &terralume_chain_options) -> Result<ChainOptions> {
    let not_allowed = |field: &str, came: c_int| {
        Failure::argument(format!("terralume_chain_options.{field} is {came}; allowed: 0, 1"))
    };
    let cell_type = match given.cell_type {
        0 => CellType::Float32,
        1 => CellType::Uint8,
        other => return Err(not_allowed("cell_type", other)),
    };
    let compatibility = match given.compatibility {
        0 => Compatibility::None,
        1 => Compatibility::Rvt,
        other => return Err(not_allowed("compatibility", other)),
    };
    let (min, max) = (given.stretch_min, given.stretch_max);
    // One NaN alone goes on and is refused as a stretch.
    let stretch = (!min.is_nan() || !max.is_nan()).then_some(Cut::Values { min, max });
    Ok(ChainOptions { cell_type, compatibility, stretch, alpha: given.alpha != 0 })
}
