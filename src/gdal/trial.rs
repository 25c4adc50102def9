//! A small file in memory, written with the user's creation options before the work begins.
//!
//! A codec that cannot store these cells (JPEG and 32-bit floats) fails only when it compresses, and GDAL
//! compresses on threads of its own whose failures do not come back: the file would be empty without an error.

use super::binding::Gdal;
use super::creation::{cog_options, geotiff_options, spool_options};
use super::finish::{copy_to_cog, Progress};
use super::header::{create_geotiff, Header};
use super::raster::gdal_cell_type;
use super::sink::{Format, SinkOptions};
use crate::core::error::{Error, Result};
use gdal_sys::GDALRWFlag;
use libc::{c_int, c_void};
use std::ffi::CString;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Side of the trial.
const SIDE: usize = 64;

/// Writes the trial; the error is what GDAL said. Defaults need none.
pub fn try_creation(gdal: &'static Gdal, header: &Header, options: &SinkOptions) -> Result<()> {
    if options.creation.is_empty() {
        return Ok(());
    }
    let (rows, cols) = header.size;
    let header = Header { size: (rows.min(SIDE), cols.min(SIDE)), ..header.clone() };
    let written = match options.format {
        // What cannot be stored is said when the chunks are written, by the thread that writes them.
        Format::Zarr => return Ok(()),
        Format::GTiff | Format::Vrt => {
            let creation = on_this_thread(geotiff_options(gdal, &header, options)?);
            write(gdal, &MemoryFile::new(gdal), &header, &creation)
        }
        Format::Cog => try_cog(gdal, &header, &on_this_thread(cog_options(gdal, &header, options)?)),
    };
    written.map_err(|error| {
        let format = if options.format == Format::Cog { "COG" } else { "GTiff" };
        Error::Argument(format!("creation options refused: {error}; allowed: see gdalinfo --format {format}"))
    })
}

fn try_cog(gdal: &'static Gdal, header: &Header, creation: &[(String, String)]) -> Result<()> {
    let (spool, cog) = (MemoryFile::new(gdal), MemoryFile::new(gdal));
    write(gdal, &spool, header, &spool_options(header))?;
    copy_to_cog(gdal, &spool.name, &cog.name, creation, &mut Progress::new(&mut |_| true))
}

/// Compression on the calling thread, whose messages are caught.
fn on_this_thread(mut creation: Vec<(String, String)>) -> Vec<(String, String)> {
    creation.retain(|(key, _)| !key.eq_ignore_ascii_case("NUM_THREADS"));
    creation
}

fn write(
    gdal: &'static Gdal,
    file: &MemoryFile,
    header: &Header,
    creation: &[(String, String)],
) -> Result<()> {
    let dataset = create_geotiff(gdal, &file.name, header, creation)?;
    let (rows, cols) = header.size;
    // Not nodata: options may let blocks of nodata out.
    let cells = vec![1_u8; rows * cols * header.cell_type.size()];
    for band in 1..=header.bands.len() {
        let band = dataset.band(band)?.raw();
        let (cols, rows, data_type) = (cols as c_int, rows as c_int, gdal_cell_type(header.cell_type));
        let cells = cells.as_ptr().cast_mut().cast::<c_void>();
        let result = gdal.check_write(|gdal| {
            // SAFETY: the dataset is open and used by this thread alone; `cells` holds the whole raster in the
            // type given; GDAL does not change it when it writes.
            unsafe {
                (gdal.GDALRasterIO)(
                    band,
                    GDALRWFlag::GF_Write,
                    0,
                    0,
                    cols,
                    rows,
                    cells,
                    cols,
                    rows,
                    data_type,
                    0,
                    0,
                )
            }
        });
        result.map_err(Error::Output)?;
    }
    dataset.close().map_err(Error::Output)
}

/// A file in GDAL's memory that goes when dropped.
struct MemoryFile {
    gdal: &'static Gdal,
    name: String,
}

impl MemoryFile {
    fn new(gdal: &'static Gdal) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Another copy of this library may use the same GDAL: the counter's place tells the two apart.
        let copy = std::ptr::from_ref(&COUNT) as usize;
        Self { gdal, name: format!("/vsimem/terralume-trial-{copy:x}-{number}.tif") }
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        for name in [self.name.clone(), format!("{}.aux.xml", self.name)] {
            if let Ok(path) = CString::new(name) {
                // SAFETY: the path ends with NUL; a file that is not there is no harm.
                self.gdal.call(|gdal| unsafe { (gdal.VSIUnlink)(path.as_ptr()) });
            }
        }
    }
}
