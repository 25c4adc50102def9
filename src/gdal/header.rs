//! What an output file says beside its cells: size, position, reference system, bands, metadata.

use super::band_notes::BandNotes;
use super::binding::Gdal;
use super::dataset::{driver_handle, Band, Dataset, GeoTransform};
use super::finish::without_name;
use super::options::{c_string, OptionList};
use super::raster::gdal_cell_type;
use super::statistics::BandStatistics;
use crate::core::error::{Error, Result};
use crate::core::operation::{Band as BandInfo, Role};
use crate::stack::cells::CellType;
use gdal_sys::{GDALColorInterp, GDALMajorObjectH};
use libc::c_int;
use std::ffi::{CStr, CString};

/// What to write, apart from the cells.
#[derive(Debug, Clone)]
pub struct Header {
    /// Rows and columns.
    pub size: (usize, usize),
    /// Row and column of the input at which it begins.
    pub origin: (usize, usize),
    /// Bands.
    pub bands: Vec<BandInfo>,
    /// Type of the cells.
    pub cell_type: CellType,
    /// Value that means nodata.
    pub nodata: Option<f64>,
    /// Metadata items of the file.
    pub metadata: Vec<(String, String)>,
    /// Position in place of the source's.
    pub transform: Option<GeoTransform>,
    /// What readers multiply the cells of each band by, and what they add then; empty when cells are values.
    pub scales: Vec<(f64, f64)>,
    /// What the cells of each band are like; empty when nobody has looked.
    pub statistics: Vec<BandStatistics>,
    /// What else is said of each band; empty when there is nothing.
    pub notes: Vec<BandNotes>,
}

pub(super) fn create_geotiff(
    gdal: &'static Gdal,
    name: &str,
    header: &Header,
    options: &[(String, String)],
) -> Result<Dataset> {
    create(gdal, ("GTiff", name), header, options)
}

/// An empty raster of any driver.
pub(super) fn create(
    gdal: &'static Gdal,
    (format, name): (&str, &str),
    header: &Header,
    options: &[(String, String)],
) -> Result<Dataset> {
    let driver = driver_handle(gdal, format)?;
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
                gdal_cell_type(header.cell_type),
                list.as_ptr(),
            )
        }
    });
    if handle.is_null() {
        let what = if format == "GTiff" { "GeoTIFF" } else { format };
        return Err(Error::Output(format!("cannot create a {what}: {}", without_name(&said.cause(), name))));
    }
    Ok(Dataset::adopt(gdal, handle, name))
}

/// Position, reference system, metadata, and what each band is.
pub(super) fn set_header(
    gdal: &Gdal,
    dataset: &Dataset,
    header: &Header,
    source: &Dataset,
) -> std::result::Result<(), String> {
    let raw = dataset.raw();
    if let Some(mut transform) = header.transform.or_else(|| source.geotransform()) {
        let (row, col) = (header.origin.0 as f64, header.origin.1 as f64);
        transform[0] += col * transform[1] + row * transform[2];
        transform[3] += col * transform[4] + row * transform[5];
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
        set_item(gdal, raw, key, value)?;
    }
    (0..header.bands.len()).try_for_each(|index| {
        let band = dataset.band(index + 1).map_err(|error| error.to_string())?;
        set_band(gdal, band, header, index)
    })
}

/// What the band at `index`, from 0, of a header is.
fn set_band(gdal: &Gdal, open: Band, header: &Header, index: usize) -> std::result::Result<(), String> {
    let (band, info, notes) = (open.raw(), &header.bands[index], header.notes.get(index));
    let (name, unit) = (plain_c_string(&info.name), plain_c_string(&info.unit));
    // SAFETY: the dataset is open; the strings end with NUL and are copied.
    unsafe { (gdal.GDALSetDescription)(band, name.as_ptr()) };
    if !info.unit.is_empty() {
        // SAFETY: as above.
        gdal.check(|gdal| unsafe { (gdal.GDALSetRasterUnitType)(band, unit.as_ptr()) })?;
    }
    if let Some((scale, offset)) = header.scales.get(index).filter(|known| **known != (1.0, 0.0)) {
        // SAFETY: as above.
        gdal.check(|gdal| unsafe { (gdal.GDALSetRasterScale)(band, *scale) })?;
        // SAFETY: as above.
        gdal.check(|gdal| unsafe { (gdal.GDALSetRasterOffset)(band, *offset) })?;
    }
    for (key, value) in header.statistics.get(index).iter().flat_map(|statistics| statistics.items()) {
        set_item(gdal, band, key, &value)?;
    }
    for (key, value) in notes.iter().flat_map(|notes| notes.metadata()) {
        set_item(gdal, band, key, value)?;
    }
    if let Some(nodata) = header.nodata {
        // SAFETY: as above. A number beyond the type, as 2^64 for its largest, becomes the nearest one.
        gdal.check(|gdal| unsafe {
            match header.cell_type {
                CellType::Int64 => (gdal.GDALSetRasterNoDataValueAsInt64)(band, nodata as i64),
                CellType::UInt64 => (gdal.GDALSetRasterNoDataValueAsUInt64)(band, nodata as u64),
                _ => (gdal.GDALSetRasterNoDataValue)(band, nodata),
            }
        })?;
    }
    if let Some(notes) = notes {
        notes.set_classes(gdal, open);
    }
    if let Some(colour) = colour_of(info.role) {
        // SAFETY: as above.
        gdal.check(|gdal| unsafe { (gdal.GDALSetRasterColorInterpretation)(band, colour) })?;
    }
    Ok(())
}

/// Sets a metadata item of a dataset or band, which is open.
fn set_item(
    gdal: &Gdal,
    object: GDALMajorObjectH,
    key: &str,
    value: &str,
) -> std::result::Result<(), String> {
    let (key, value) = (plain_c_string(key), plain_c_string(value));
    // SAFETY: the callers' objects are open; the strings end with NUL and are copied.
    gdal.check(|gdal| unsafe {
        (gdal.GDALSetMetadataItem)(object, key.as_ptr(), value.as_ptr(), std::ptr::null())
    })
}

fn colour_of(role: Role) -> Option<GDALColorInterp::Type> {
    match role {
        Role::Value => None,
        Role::Red => Some(GDALColorInterp::GCI_RedBand),
        Role::Green => Some(GDALColorInterp::GCI_GreenBand),
        Role::Blue => Some(GDALColorInterp::GCI_BlueBand),
        Role::Alpha => Some(GDALColorInterp::GCI_AlphaBand),
    }
}

/// For texts of our own, which contain no NUL.
fn plain_c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CStr::to_owned(c""))
}
