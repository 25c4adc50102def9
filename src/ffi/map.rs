//! Tiles of a band handed to a function of the caller.

use super::argument::text;
use super::status::{guard, terralume_status, Failure};
use crate::job::stack::map::{map_tiles, MapOptions, MapTile};
use libc::{c_char, c_int, c_void};
use std::sync::atomic::AtomicBool;

/// A tile handed to a function of the caller.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct terralume_tile {
    /// Number of the tile, row by row from the top left.
    pub index: usize,
    /// Row of its first cell in the raster.
    pub row: usize,
    /// Column of its first cell in the raster.
    pub column: usize,
    /// Its rows, without the halo.
    pub rows: usize,
    /// Its columns, without the halo.
    pub columns: usize,
    /// Cells around it on every side.
    pub halo: usize,
    /// (rows + 2 halo) x (columns + 2 halo) cells, row after row; NaN where there is no data and beyond the raster.
    /// Valid during the call.
    pub cells: *const f64,
}

/// Gets a tile. Called by several threads at once, each tile once, in no order. Must return: no exceptions, no longjmp().
///
/// @param data data of terralume_map_tiles().
/// @return 0 stops the run, anything else goes on.
pub type terralume_tile_function =
    Option<unsafe extern "C" fn(tile: *const terralume_tile, data: *mut c_void) -> c_int>;

/// The caller's pointer. Whoever passes it promises that the function may use it from several threads.
#[derive(Clone, Copy)]
struct Data(*mut c_void);

// SAFETY: it is only handed to the caller's function, which is documented to be called by several threads.
unsafe impl Sync for Data {}

/// Hands every tile of a band to a function, in parallel. Nothing is written.
///
/// @param path     A raster, anything GDAL can open, UTF-8.
/// @param band     From 1.
/// @param tile     Side of a tile in cells; tiles at the right and at the bottom are smaller.
/// @param halo     Cells around a tile on every side, at most as many as the raster has along its longer side. Tiles and what is
///                 around them must fit into the memory that runs take, at most 1 GiB.
/// @param threads  At most 1024. 0: one for each processor.
/// @param function Gets the tiles.
/// @param data     Handed to function.
#[no_mangle]
pub unsafe extern "C" fn terralume_map_tiles(
    path: *const c_char,
    band: usize,
    tile: usize,
    halo: usize,
    threads: usize,
    function: terralume_tile_function,
    data: *mut c_void,
) -> terralume_status {
    guard(|| {
        // SAFETY: NULL or as the documentation asks.
        let path = unsafe { text(path, "path")? };
        let Some(function) = function else {
            return Err(Failure {
                status: terralume_status::Null,
                message: "function is NULL; allowed: a function".into(),
            });
        };
        let data = Data(data);
        let call = |found: &MapTile<'_>| {
            // The whole struct: a pointer alone would be captured, which is not for several threads.
            let Data(data) = { data };
            let tile = terralume_tile {
                index: found.index,
                row: found.window.row,
                column: found.window.col,
                rows: found.window.rows,
                columns: found.window.cols,
                halo,
                cells: found.cells.as_ptr(),
            };
            // SAFETY: the caller's function takes these, by contract from any thread.
            unsafe { function(&tile, data) != 0 }
        };
        let options = MapOptions { band, tile, halo, threads: (threads > 0).then_some(threads) };
        Ok(map_tiles(path, options, &call, &AtomicBool::new(false))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const DEM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/TM1_564_146.tif");

    /// Cells with data, and cells beyond the raster.
    #[derive(Default)]
    struct Counts {
        inside: AtomicUsize,
        outside: AtomicUsize,
        tiles: AtomicUsize,
    }

    unsafe extern "C" fn count(tile: *const terralume_tile, data: *mut c_void) -> c_int {
        // SAFETY: the library passes a tile, and the pointer that the test gave it.
        let (tile, counts) = unsafe { (&*tile, &*data.cast::<Counts>()) };
        let cells = (tile.rows + 2 * tile.halo) * (tile.columns + 2 * tile.halo);
        // SAFETY: the tile has so many cells.
        let cells = unsafe { std::slice::from_raw_parts(tile.cells, cells) };
        let missing = cells.iter().filter(|cell| cell.is_nan()).count();
        counts.inside.fetch_add(cells.len() - missing, Ordering::Relaxed);
        counts.outside.fetch_add(missing, Ordering::Relaxed);
        c_int::from(counts.tiles.fetch_add(1, Ordering::Relaxed) < 20)
    }

    #[test]
    fn every_tile_comes_once_with_what_is_around_it() {
        let path = CString::new(DEM).unwrap();
        let map = |tile: usize, halo: usize| {
            let counts = Counts::default();
            let data = std::ptr::from_ref(&counts).cast_mut().cast();
            // SAFETY: the function takes the counts from any thread; they outlive the call.
            let status = unsafe { terralume_map_tiles(path.as_ptr(), 1, tile, halo, 3, Some(count), data) };
            (status, counts.tiles.into_inner(), counts.inside.into_inner(), counts.outside.into_inner())
        };
        assert_eq!(map(300, 0), (terralume_status::Ok, 16, 1_000_000, 0));
        // Each of the four rows of tiles has 2 x 5 rows more; ten of all lie beyond the raster.
        assert_eq!(map(300, 5), (terralume_status::Ok, 16, 1030 * 1030, 1040 * 1040 - 1030 * 1030));
        assert_eq!(map(100, 0).0, terralume_status::Cancelled);
        // SAFETY: NULL is allowed to be refused.
        let status = unsafe { terralume_map_tiles(path.as_ptr(), 1, 100, 0, 1, None, std::ptr::null_mut()) };
        assert_eq!(status, terralume_status::Null);
    }
}
