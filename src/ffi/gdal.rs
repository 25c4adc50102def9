//! The GDAL that jobs use, and what it gets from this library.

use super::argument::{text, Place};
use super::library::c_text;
use super::status::{guard, terralume_status};
use crate::gdal::Gdal;
use crate::gdal_plugin;
use libc::c_char;
use serde_json::json;

/// Says which GDAL jobs use, as JSON: "release", such as "3.6.2", and "library", its file. A host that has a GDAL of
/// its own compares: files, layers and settings of one are unknown to another.
///
/// @param json Receives the text, UTF-8. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_gdal_describe(json: *mut *mut c_char) -> terralume_status {
    guard(|| {
        // SAFETY: NULL or writable, as the documentation asks.
        let place = unsafe { Place::new(json, "json")? };
        let gdal = Gdal::get()?;
        let description = json!({"release": gdal.release(), "library": gdal.library()});
        place.fill(c_text(description.to_string())?.into_raw());
        Ok(())
    })
}

/// Reads a configuration option of the GDAL that jobs use. A host that has set one through its own GDAL sees here
/// whether both are the same.
///
/// @param name  Name of the option, UTF-8.
/// @param value Receives the text, UTF-8, empty when it is not set. Free it with terralume_string_free().
#[no_mangle]
pub unsafe extern "C" fn terralume_gdal_option(
    name: *const c_char,
    value: *mut *mut c_char,
) -> terralume_status {
    guard(|| {
        // SAFETY: pointers are NULL or as the documentation asks.
        let (place, name) = unsafe { (Place::new(value, "value")?, text(name, "name")?) };
        place.fill(c_text(Gdal::get()?.option(name))?.into_raw());
        Ok(())
    })
}

/// Makes virtual rasters (/vsiterralume/) and pixel functions known to the GDAL that jobs use, as loading the library as
/// a plugin of GDAL does. A second call changes nothing. They stay until the process ends.
#[no_mangle]
pub extern "C" fn terralume_gdal_register() -> terralume_status {
    guard(|| {
        gdal_plugin::register(Gdal::get()?);
        Ok(())
    })
}
