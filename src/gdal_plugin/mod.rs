//! What GDAL gets when it loads this library as a plugin (`gdal_terralume.so`): pictures as files, and
//! functions for the derived bands of VRT files.
//!
//! A process may hold several GDALs; the one that calls is the one to use. Nothing is printed, no thread is
//! started, and a second call changes nothing.

mod pixel;
mod processed;
mod views;
mod virtual_files;

use crate::gdal::Gdal;
use libc::c_void;
use std::panic::catch_unwind;

extern "C" fn loaded_by(address: *const c_void) {
    // A host must start even when something is wrong here.
    let _ = catch_unwind(|| {
        Gdal::adopt(address as usize).into_iter().for_each(register);
    });
}

/// Makes pictures and pixel functions known to a GDAL, once.
pub fn register(gdal: &'static Gdal) {
    virtual_files::install(gdal);
    pixel::register(gdal);
    processed::register(gdal);
}

extern "C" {
    /// In `entry.c`.
    fn terralume_plugin_entry(loaded_by: extern "C" fn(*const c_void));
}

/// Called by GDAL, by this name, when it loads the library as a plugin.
///
/// A cdylib exports no symbol of C, so this is a Rust function that only jumps: the return address on the stack
/// stays that of GDAL.
///
/// # Safety
/// May be called at any time, from any thread.
#[cfg(target_arch = "x86_64")]
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn GDALRegister_terralume() {
    std::arch::naked_asm!(
        "lea rdi, [rip + {loaded_by}]",
        "jmp {entry}",
        loaded_by = sym loaded_by,
        entry = sym terralume_plugin_entry,
    )
}

/// Called by GDAL, by this name, when it loads the library as a plugin.
///
/// # Safety
/// May be called at any time, from any thread.
#[cfg(target_arch = "aarch64")]
#[no_mangle]
#[unsafe(naked)]
pub unsafe extern "C" fn GDALRegister_terralume() {
    std::arch::naked_asm!(
        "adrp x0, {loaded_by}",
        "add x0, x0, :lo12:{loaded_by}",
        "b {entry}",
        loaded_by = sym loaded_by,
        entry = sym terralume_plugin_entry,
    )
}
