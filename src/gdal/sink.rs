//! The raster to write: a tiled GeoTIFF, or from it a Cloud Optimized GeoTIFF.

use super::dataset::{check_creation_options, driver_handle, Dataset};
use super::options::{get, set_default, OptionList};
use super::output::{PendingFile, Target};
use super::trial::try_creation;
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::operation::{Band as BandInfo, Role};
use crate::core::tile::Window;
use crate::pipeline::io::{Cells, Layout, Sink};
use crate::recipe::chain::CellType;
use gdal_sys::{GDALColorInterp, GDALDataType, GDALRWFlag};
use libc::{c_char, c_int, c_void};
use std::ffi::{CStr, CString};

/// Side of the tiles inside a file.
pub const FILE_BLOCK: usize = 512;

/// Bands up to this number are stored cell by cell, as pictures are; more, band by band.
const MOST_INTERLEAVED_BANDS: usize = 4;

/// File formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Tiled GeoTIFF.
    #[default]
    GTiff,
    /// Cloud Optimized GeoTIFF, with overviews.
    Cog,
}

impl Format {
    /// Both, by the names of GDAL's drivers.
    pub const ALL: [(&'static str, Format); 2] = [("GTiff", Format::GTiff), ("COG", Format::Cog)];

    fn driver(self) -> &'static str {
        match self {
            Format::GTiff => "GTiff",
            Format::Cog => "COG",
        }
    }
}

/// What to write, apart from the cells.
#[derive(Debug, Clone)]
pub struct Header {
    /// Rows and columns.
    pub size: (usize, usize),
    /// Bands.
    pub bands: Vec<BandInfo>,
    /// Type of the cells.
    pub cell_type: CellType,
    /// Value that means nodata.
    pub nodata: Option<f64>,
    /// Metadata items of the file.
    pub metadata: Vec<(String, String)>,
}

/// How to write it.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    /// File format.
    pub format: Format,
    /// Creation options of the format's driver, as the user gave them.
    pub creation: Vec<(String, String)>,
    /// Add overviews to a GeoTIFF; a COG always has them.
    pub overviews: bool,
    /// Threads that compress.
    pub threads: usize,
}

/// A file being written.
pub struct GdalSink {
    gdal: &'static Gdal,
    dataset: Dataset,
    pending: PendingFile,
    target: Target,
    header: Header,
    options: SinkOptions,
    layout: Layout,
    /// Bands of a cell stand together in the file.
    interleaved: bool,
    /// Room for one block.
    block: Vec<u8>,
}

impl GdalSink {
    /// Creates the file beside its place, with everything but the cells. The reference system and position
    /// are those of `source`.
    pub fn create(
        gdal: &'static Gdal,
        target: Target,
        header: Header,
        options: SinkOptions,
        source: &Dataset,
    ) -> Result<Self> {
        check_creation_options(gdal, options.format.driver(), &OptionList::new(&options.creation)?)?;
        try_creation(gdal, &header, &options)?;
        let pending = target.pending()?;
        let creation = match options.format {
            Format::GTiff => geotiff_options(gdal, &header, &options)?,
            Format::Cog => spool_options(&header),
        };
        let dataset = create_geotiff(gdal, pending.name()?, &header, &creation)?;
        set_header(gdal, &dataset, &header, source).map_err(|reason| {
            Error::Output(format!("cannot write '{}': {reason}", target.path().display()))
        })?;
        let (block_rows, block_cols) = dataset.band(1)?.block_size();
        let (rows, cols) = header.size;
        let layout = Layout { rows, cols, block_rows, block_cols };
        let interleaved = header.bands.len() > 1
            && dataset.metadata("INTERLEAVE", "IMAGE_STRUCTURE").as_deref() == Some("PIXEL");
        let block = vec![0; block_rows * block_cols * header.cell_type.bytes()];
        Ok(Self { gdal, dataset, pending, target, header, options, layout, interleaved, block })
    }

    /// Writes overviews and what GDAL still holds, converts to a COG if asked, and puts the file into its place.
    /// `progress` gets the share of this last part; false stops it and nothing is left.
    pub fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<()> {
        let path = self.target.path().display().to_string();
        let fail = |reason: String| Error::Output(format!("cannot write '{path}': {reason}"));
        let mut progress = Progress::new(progress);
        if self.options.overviews && self.options.format == Format::GTiff {
            // Else the threads that read for the overviews would meet what could not be written.
            self.dataset.flush().map_err(fail)?;
            build_overviews(self.gdal, &self.dataset, self.header.size, &mut progress)
                .map_err(|reason| progress.error(fail(reason)))?;
        }
        self.dataset.close().map_err(fail)?;
        let finished = match self.options.format {
            Format::GTiff => self.pending,
            Format::Cog => {
                let cog = self.target.pending()?;
                let creation = cog_options(self.gdal, &self.header, &self.options)?;
                copy_to_cog(self.gdal, self.pending.name()?, cog.name()?, &creation, &mut progress)
                    .map_err(|error| progress.error(fail(error.to_string())))?;
                cog
            }
        };
        // A plain GeoTIFF has not asked since its last tile.
        if !(progress.report)(1.0) {
            return Err(Error::Cancelled);
        }
        self.target.accept(finished)
    }

    fn write_error(&self, reason: &str) -> Error {
        Error::Output(format!("cannot write '{}': {reason}", self.target.path().display()))
    }

    /// Whether `window` consists of whole blocks of the file.
    fn is_aligned(&self, window: Window) -> bool {
        let whole = |first: usize, count: usize, block: usize, length: usize| {
            first.is_multiple_of(block) && (count.is_multiple_of(block) || first + count == length)
        };
        whole(window.row, window.rows, self.layout.block_rows, self.layout.rows)
            && whole(window.col, window.cols, self.layout.block_cols, self.layout.cols)
    }

    /// Writes whole blocks past GDAL's cache.
    fn write_blocks(&mut self, window: Window, cells: &[u8], bytes: usize) -> Result<()> {
        let (block_rows, block_cols) = (self.layout.block_rows, self.layout.block_cols);
        for (index, plane) in cells.chunks(window.cells() * bytes).enumerate() {
            let band = self.dataset.band(index + 1)?;
            for row in (0..window.rows).step_by(block_rows) {
                for col in (0..window.cols).step_by(block_cols) {
                    let part = Window { row, col, rows: window.rows - row, cols: window.cols - col };
                    fill_block(&mut self.block, (block_rows, block_cols), plane, window.cols, part, bytes);
                    let block = self.block.as_mut_ptr().cast::<c_void>();
                    let place = ((window.col + col) / block_cols, (window.row + row) / block_rows);
                    self.gdal
                        .check(|gdal| {
                            // SAFETY: the dataset is open and used by this thread alone; the block exists and
                            // `block` holds a whole one of the band's type.
                            unsafe {
                                (gdal.GDALWriteBlock)(band.raw(), place.0 as c_int, place.1 as c_int, block)
                            }
                        })
                        .map_err(|reason| self.write_error(&reason))?;
                }
            }
        }
        Ok(())
    }

    /// Writes any window through GDAL's cache.
    fn write_window(&mut self, window: Window, cells: &[u8], bytes: usize) -> Result<()> {
        let data_type = gdal_type(self.header.cell_type);
        for (index, plane) in cells.chunks(window.cells() * bytes).enumerate() {
            let band = self.dataset.band(index + 1)?;
            self.gdal
                .check(|gdal| {
                    // SAFETY: the dataset is open and used by this thread alone; the window lies inside the
                    // raster and `plane` holds its cells; GDAL does not change them when it writes.
                    unsafe {
                        (gdal.GDALRasterIO)(
                            band.raw(),
                            GDALRWFlag::GF_Write,
                            window.col as c_int,
                            window.row as c_int,
                            window.cols as c_int,
                            window.rows as c_int,
                            plane.as_ptr().cast_mut().cast::<c_void>(),
                            window.cols as c_int,
                            window.rows as c_int,
                            data_type,
                            0,
                            0,
                        )
                    }
                })
                .map_err(|reason| self.write_error(&reason))?;
        }
        if self.is_aligned(window) {
            self.flush_bands()?;
        }
        Ok(())
    }

    /// Writes out the blocks GDAL holds of this file, so that its cache does not grow with the raster.
    fn flush_bands(&self) -> Result<()> {
        for index in 1..=self.header.bands.len() {
            let band = self.dataset.band(index)?;
            self.gdal
                .check(|gdal| {
                    // SAFETY: the dataset is open and used by this thread alone.
                    unsafe { (gdal.GDALFlushRasterCache)(band.raw()) }
                })
                .map_err(|reason| self.write_error(&reason))?;
        }
        Ok(())
    }
}

impl Sink for GdalSink {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn write(&mut self, window: Window, cells: &Cells) -> Result<()> {
        let bytes = self.header.cell_type.bytes();
        let raw: &[u8] = match cells {
            Cells::Uint8(cells) => cells,
            Cells::Float32(cells) => {
                // SAFETY: any four bytes of a float are bytes; the length is that of the slice.
                unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), cells.len() * 4) }
            }
        };
        if self.is_aligned(window) && !self.interleaved {
            self.write_blocks(window, raw, bytes)
        } else {
            self.write_window(window, raw, bytes)
        }
    }
}

/// Copies one block's cells out of a tile; a block that reaches past the raster keeps its old rest, which no
/// reader sees.
fn fill_block(
    block: &mut [u8],
    (block_rows, block_cols): (usize, usize),
    plane: &[u8],
    plane_cols: usize,
    part: Window,
    bytes: usize,
) {
    let width = part.cols.min(block_cols) * bytes;
    for row in 0..part.rows.min(block_rows) {
        let from = ((part.row + row) * plane_cols + part.col) * bytes;
        let to = row * block_cols * bytes;
        block[to..to + width].copy_from_slice(&plane[from..from + width]);
    }
}

pub(super) fn gdal_type(cell_type: CellType) -> GDALDataType::Type {
    match cell_type {
        CellType::Float32 => GDALDataType::GDT_Float32,
        CellType::Uint8 => GDALDataType::GDT_Byte,
    }
}

/// Options of the file that is written tile by tile: the user's, and defaults where the user gave none.
pub(super) fn geotiff_options(
    gdal: &Gdal,
    header: &Header,
    options: &SinkOptions,
) -> Result<Vec<(String, String)>> {
    let mut pairs = options.creation.clone();
    set_default(&mut pairs, "TILED", "YES");
    if get(&pairs, "TILED").is_some_and(|tiled| !tiled.eq_ignore_ascii_case("NO")) {
        set_default(&mut pairs, "BLOCKXSIZE", FILE_BLOCK.to_string());
        set_default(&mut pairs, "BLOCKYSIZE", FILE_BLOCK.to_string());
    }
    set_default(&mut pairs, "BIGTIFF", "IF_SAFER");
    let interleaved = header.cell_type == CellType::Uint8 && header.bands.len() <= MOST_INTERLEAVED_BANDS;
    set_default(&mut pairs, "INTERLEAVE", if interleaved { "PIXEL" } else { "BAND" });
    if is_picture(header) {
        set_default(&mut pairs, "PHOTOMETRIC", "RGB");
    }
    set_compression(&mut pairs, gdal, header, options.threads)?;
    Ok(pairs)
}

/// Lossless compression by default: ZSTD where this GDAL has it, else DEFLATE, with the predictor of the type.
fn set_compression(
    pairs: &mut Vec<(String, String)>,
    gdal: &Gdal,
    header: &Header,
    threads: usize,
) -> Result<()> {
    if get(pairs, "COMPRESS").is_none() {
        let zstd = OptionList::new(&[("COMPRESS".into(), "ZSTD".into())])?;
        let has_zstd = check_creation_options(gdal, "GTiff", &zstd).is_ok();
        let (name, level) = if has_zstd { ("ZSTD", "ZSTD_LEVEL") } else { ("DEFLATE", "ZLEVEL") };
        set_default(pairs, "COMPRESS", name);
        set_default(pairs, level, "1");
    }
    let method = get(pairs, "COMPRESS").unwrap_or_default().to_ascii_uppercase();
    if ["ZSTD", "DEFLATE", "LZW"].contains(&method.as_str()) {
        set_default(pairs, "PREDICTOR", if header.cell_type == CellType::Float32 { "3" } else { "2" });
    }
    if method != "NONE" {
        set_default(pairs, "NUM_THREADS", threads.max(1).to_string());
    }
    Ok(())
}

/// Options of the plain file that a COG is made from.
pub(super) fn spool_options(header: &Header) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    set_default(&mut pairs, "TILED", "YES");
    set_default(&mut pairs, "BLOCKXSIZE", FILE_BLOCK.to_string());
    set_default(&mut pairs, "BLOCKYSIZE", FILE_BLOCK.to_string());
    set_default(&mut pairs, "BIGTIFF", "IF_SAFER");
    set_default(&mut pairs, "INTERLEAVE", "BAND");
    // A run that stops need not fill the rest of the file.
    set_default(&mut pairs, "SPARSE_OK", "TRUE");
    if is_picture(header) {
        set_default(&mut pairs, "PHOTOMETRIC", "RGB");
    }
    pairs
}

pub(super) fn cog_options(
    gdal: &Gdal,
    header: &Header,
    options: &SinkOptions,
) -> Result<Vec<(String, String)>> {
    let mut pairs = options.creation.clone();
    if get(&pairs, "COMPRESS").is_none() {
        let zstd = OptionList::new(&[("COMPRESS".into(), "ZSTD".into())])?;
        let has_zstd = check_creation_options(gdal, "COG", &zstd).is_ok();
        set_default(&mut pairs, "COMPRESS", if has_zstd { "ZSTD" } else { "DEFLATE" });
        set_default(&mut pairs, "LEVEL", "1");
        set_default(&mut pairs, "PREDICTOR", "YES");
    }
    set_default(&mut pairs, "BIGTIFF", "IF_SAFER");
    set_default(&mut pairs, "NUM_THREADS", options.threads.max(1).to_string());
    if header.cell_type == CellType::Float32 {
        set_default(&mut pairs, "OVERVIEW_RESAMPLING", "AVERAGE");
    }
    Ok(pairs)
}

fn is_picture(header: &Header) -> bool {
    let roles: Vec<Role> = header.bands.iter().map(|band| band.role).collect();
    roles == [Role::Red, Role::Green, Role::Blue]
}

pub(super) fn create_geotiff(
    gdal: &'static Gdal,
    name: &str,
    header: &Header,
    options: &[(String, String)],
) -> Result<Dataset> {
    let driver = driver_handle(gdal, "GTiff")?;
    let list = OptionList::new(options)?;
    let path = c_string(name)?;
    let (rows, cols) = header.size;
    let (handle, said) = gdal.call(|gdal| {
        // SAFETY: a driver of this GDAL; name and options end with NUL and NULL and live through the call.
        unsafe {
            (gdal.GDALCreate)(
                driver,
                path.as_ptr(),
                cols as c_int,
                rows as c_int,
                header.bands.len() as c_int,
                gdal_type(header.cell_type),
                list.as_ptr(),
            )
        }
    });
    if handle.is_null() {
        return Err(Error::Output(format!("cannot create a GeoTIFF: {}", without_name(&said.cause(), name))));
    }
    Ok(Dataset::adopt(gdal, handle, name))
}

/// Position, reference system, metadata, and what each band is.
fn set_header(
    gdal: &Gdal,
    dataset: &Dataset,
    header: &Header,
    source: &Dataset,
) -> std::result::Result<(), String> {
    let raw = dataset.raw();
    if let Some(mut transform) = source.geotransform() {
        // SAFETY: the dataset is open; the array has six places.
        gdal.check(|gdal| unsafe { (gdal.GDALSetGeoTransform)(raw, transform.as_mut_ptr()) })?;
    }
    let reference = source.spatial_reference();
    if !reference.is_null() {
        // SAFETY: both datasets are open; GDAL copies the reference system.
        gdal.check(|gdal| unsafe { (gdal.GDALSetSpatialRef)(raw, reference) })?;
    }
    let carried = source.metadata("AREA_OR_POINT", "").map(|value| ("AREA_OR_POINT".to_string(), value));
    for (key, value) in header.metadata.iter().chain(&carried) {
        let (key, value) = (plain_c_string(key), plain_c_string(value));
        // SAFETY: the dataset is open; the strings end with NUL and are copied.
        gdal.check(|gdal| unsafe {
            (gdal.GDALSetMetadataItem)(raw, key.as_ptr(), value.as_ptr(), std::ptr::null())
        })?;
    }
    for (index, info) in header.bands.iter().enumerate() {
        let band = dataset.band(index + 1).map_err(|error| error.to_string())?.raw();
        let (name, unit) = (plain_c_string(&info.name), plain_c_string(info.unit));
        // SAFETY: the dataset is open; the strings end with NUL and are copied.
        unsafe { (gdal.GDALSetDescription)(band, name.as_ptr()) };
        if !info.unit.is_empty() {
            // SAFETY: as above.
            gdal.check(|gdal| unsafe { (gdal.GDALSetRasterUnitType)(band, unit.as_ptr()) })?;
        }
        if let Some(nodata) = header.nodata {
            // SAFETY: as above.
            gdal.check(|gdal| unsafe { (gdal.GDALSetRasterNoDataValue)(band, nodata) })?;
        }
        if let Some(colour) = colour_of(info.role) {
            // SAFETY: as above.
            gdal.check(|gdal| unsafe { (gdal.GDALSetRasterColorInterpretation)(band, colour) })?;
        }
    }
    Ok(())
}

fn colour_of(role: Role) -> Option<GDALColorInterp::Type> {
    match role {
        Role::Value => None,
        Role::Red => Some(GDALColorInterp::GCI_RedBand),
        Role::Green => Some(GDALColorInterp::GCI_GreenBand),
        Role::Blue => Some(GDALColorInterp::GCI_BlueBand),
    }
}

/// Overviews by 2, 4, 8 … until one tile shows the whole raster.
fn build_overviews(
    gdal: &Gdal,
    dataset: &Dataset,
    (rows, cols): (usize, usize),
    progress: &mut Progress<'_>,
) -> std::result::Result<(), String> {
    let levels: Vec<c_int> = (1..30)
        .map(|power| 1 << power)
        .take_while(|factor| rows.max(cols) * 2 / *factor as usize > FILE_BLOCK)
        .collect();
    if levels.is_empty() {
        return Ok(());
    }
    let (raw, data) = (dataset.raw(), std::ptr::from_mut(progress).cast::<c_void>());
    gdal.check(|gdal| {
        // SAFETY: the dataset is open; `levels` has as many numbers as said; no band list means all bands;
        // `data` is the `Progress` that `gdal_progress` expects and lives through the call.
        unsafe {
            (gdal.GDALBuildOverviews)(
                raw,
                c"AVERAGE".as_ptr(),
                levels.len() as c_int,
                levels.as_ptr(),
                0,
                std::ptr::null(),
                Some(gdal_progress),
                data,
            )
        }
    })
}

pub(super) fn copy_to_cog(
    gdal: &'static Gdal,
    spool: &str,
    cog: &str,
    options: &[(String, String)],
    progress: &mut Progress<'_>,
) -> Result<()> {
    let source = Dataset::open(gdal, spool)?;
    let driver = driver_handle(gdal, "COG")?;
    let (path, list) = (c_string(cog)?, OptionList::new(options)?);
    let data = std::ptr::from_mut(progress).cast::<c_void>();
    let (handle, said) = gdal.call(|gdal| {
        // SAFETY: driver and source are of this GDAL and open; strings and list live through the call; `data` is
        // the `Progress` that `gdal_progress` expects.
        unsafe {
            (gdal.GDALCreateCopy)(
                driver,
                path.as_ptr(),
                source.raw(),
                0,
                list.as_ptr(),
                Some(gdal_progress),
                data,
            )
        }
    });
    if handle.is_null() {
        return Err(Error::Output(format!("cannot make a COG: {}", without_name(&said.cause(), cog))));
    }
    let copy = Dataset::adopt(gdal, handle, cog);
    copy.close().map_err(|reason| Error::Output(format!("cannot write a COG: {reason}")))
}

/// A cause without the temporary name of the file, which means nothing to the user.
fn without_name(cause: &str, name: &str) -> String {
    cause.replace(&format!("{name}: "), "").replace(&format!("{name}:"), "")
}

/// A Rust callback behind GDAL's progress function.
pub(super) struct Progress<'a> {
    report: &'a mut dyn FnMut(f64) -> bool,
    stopped: bool,
}

impl<'a> Progress<'a> {
    pub(super) fn new(report: &'a mut dyn FnMut(f64) -> bool) -> Self {
        Self { report, stopped: false }
    }

    /// GDAL reports a stop by the user as a failure.
    fn error(&self, error: Error) -> Error {
        if self.stopped {
            Error::Cancelled
        } else {
            error
        }
    }
}

unsafe extern "C" fn gdal_progress(share: f64, _: *const c_char, data: *mut c_void) -> c_int {
    // SAFETY: `data` is the `Progress` that the caller of GDAL passed; it lives through that call.
    let progress = unsafe { &mut *data.cast::<Progress<'_>>() };
    let report = std::panic::AssertUnwindSafe(|| (progress.report)(share));
    let go_on = std::panic::catch_unwind(report).unwrap_or(false);
    progress.stopped |= !go_on;
    c_int::from(go_on)
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::Argument(format!("'{}' contains NUL", text.escape_debug())))
}

/// For texts of our own, which contain no NUL.
fn plain_c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CStr::to_owned(c""))
}
