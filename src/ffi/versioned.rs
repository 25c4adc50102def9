//! Structs that can grow: the first field says how much of one the caller knows.

use super::argument::check;
use super::status::{Failure, Result};

/// Larger sizes are garbage: a struct whose `_init` was forgotten.
const LARGEST: usize = 4096;

/// Fields are appended in steps of this size, so that no field is cut.
const STEP: usize = size_of::<usize>();

/// A struct of the C interface.
///
/// # Safety
/// `repr(C)`, starts with `struct_size: usize`, has no padding, and any bytes are valid values of its fields.
pub(super) unsafe trait Versioned: Copy {
    /// Name in C.
    const NAME: &'static str;
    /// Values of the fields that a caller does not know.
    const DEFAULT: Self;
}

/// Fills a caller's struct with the defaults; fields the caller knows and this library does not become 0.
///
/// # Safety
/// `pointer` is NULL or has `size` writable bytes.
pub(super) unsafe fn init<T: Versioned>(pointer: *mut T, size: usize) -> Result<()> {
    check(pointer, T::NAME)?;
    check_size::<T>(size)?;
    let (bytes, default) = (pointer.cast::<u8>(), T::DEFAULT);
    // SAFETY: `size` bytes are writable by contract, at least one `usize` of them (checked); the copy stays inside
    // both structs.
    unsafe {
        bytes.write_bytes(0, size);
        std::ptr::copy_nonoverlapping((&raw const default).cast(), bytes, size.min(size_of::<T>()));
        pointer.cast::<usize>().write(size);
    }
    Ok(())
}

/// Copies a caller's struct; fields it does not know get their defaults.
///
/// # Safety
/// `pointer` is NULL or has as many readable bytes as its first field says.
pub(super) unsafe fn read<T: Versioned>(pointer: *const T) -> Result<T> {
    check(pointer, T::NAME)?;
    // SAFETY: not NULL and aligned; every such struct starts with its size.
    let size = unsafe { pointer.cast::<usize>().read() };
    check_size::<T>(size)?;
    let known = size_of::<T>();
    let mut value = T::DEFAULT;
    // SAFETY: the struct has `size` readable bytes by contract; `value` has `known`, and any bytes suit its fields.
    unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut value).cast(), size.min(known)) };
    for index in known..size {
        // SAFETY: within the `size` bytes of the struct.
        if unsafe { pointer.cast::<u8>().add(index).read() } != 0 {
            return Err(Failure::argument(format!(
                "{} has {size} bytes and uses fields that this library ({known} bytes) does not know; \
                 allowed: 0 there, or a newer library",
                T::NAME
            )));
        }
    }
    Ok(value)
}

/// Writes a result into a caller's struct, as far as the caller knows its fields.
///
/// # Safety
/// `pointer` has `size` writable bytes, as `read` has checked.
pub(super) unsafe fn write<T: Versioned>(pointer: *mut T, size: usize, value: &T) {
    let bytes = size.min(size_of::<T>());
    // SAFETY: both structs have so many bytes, by contract; the size at the beginning stays the caller's.
    unsafe {
        std::ptr::copy_nonoverlapping(std::ptr::from_ref(value).cast::<u8>(), pointer.cast(), bytes);
        pointer.cast::<usize>().write(size);
    }
}

fn check_size<T: Versioned>(size: usize) -> Result<()> {
    if (size_of::<usize>()..=LARGEST).contains(&size) && size.is_multiple_of(STEP) {
        return Ok(());
    }
    let (name, known) = (T::NAME, size_of::<T>());
    Err(Failure::argument(format!(
        "struct_size of {name} is {size}; allowed: sizeof({name}), here {known}, as {name}_init sets it"
    )))
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;
    use crate::ffi::chain::terralume_array;
    use crate::ffi::grid::terralume_grid;
    use crate::ffi::job::terralume_run_options;
    use crate::ffi::memory::terralume_band;
    use crate::ffi::recipe::terralume_chain_options;

    /// Programs in the field carry these numbers. They change only when a field is appended.
    #[test]
    fn published_structs_keep_their_size() {
        assert_eq!(size_of::<terralume_grid>(), 32);
        assert_eq!(size_of::<terralume_chain_options>(), 56);
        assert_eq!(size_of::<terralume_array>(), 80);
        assert_eq!(size_of::<terralume_run_options>(), 24);
        assert_eq!(size_of::<terralume_band>(), 56);
    }

    #[test]
    fn a_struct_of_any_older_size_is_read() {
        for size in (STEP..=size_of::<terralume_array>()).step_by(STEP) {
            let mut array = terralume_array::DEFAULT;
            array.rows = 5;
            array.struct_size = size;
            // SAFETY: a live struct, larger than it says.
            let read = unsafe { read(&array) }.unwrap();
            let knows_rows = size >= std::mem::offset_of!(terralume_array, rows) + size_of::<usize>();
            assert_eq!(read.rows, if knows_rows { 5 } else { 0 });
            assert!(read.nodata.is_nan());
        }
    }
}
