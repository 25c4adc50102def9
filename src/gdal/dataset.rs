//! Datasets: opening, what they say of themselves, closing.

use super::binding::{
    text, Gdal, MASK_ALL_VALID, MASK_ALPHA, MASK_NODATA, MASK_PER_DATASET, OPEN_RASTER, OPEN_UPDATE,
};
use super::options::OptionList;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use gdal_sys::{
    CPLErr, GDALColorInterp, GDALDataType, GDALDatasetH, GDALMajorObjectH, GDALRWFlag, GDALRasterBandH,
    OGRSpatialReferenceH,
};
use libc::{c_int, c_uint, c_void};
use std::ffi::CString;

/// A dataset that someone else opened and keeps open.
#[derive(Debug, Clone, Copy)]
pub struct DatasetHandle(pub(crate) GDALDatasetH);

// SAFETY: GDAL allows a dataset on any thread as long as only one uses it at a time; `Dataset` is not Sync, and a
// shared handle is used under a lock (`source.rs`).
unsafe impl Send for DatasetHandle {}

impl DatasetHandle {
    /// The `GDALDatasetH` of a caller.
    ///
    /// # Safety
    /// `dataset` is an open dataset of the GDAL in this process. It stays open, and nobody else uses it, while a job
    /// with this handle runs.
    pub unsafe fn from_raw(dataset: GDALDatasetH) -> Self {
        Self(dataset)
    }
}

/// An open dataset.
pub struct Dataset {
    gdal: &'static Gdal,
    handle: DatasetHandle,
    owned: bool,
    /// Made by us, and not yet closed as finished.
    unfinished: bool,
    name: String,
    /// What it shows parts of; closed after it.
    _beneath: Option<Box<Dataset>>,
}

/// Affine map from columns and rows to coordinates, in GDAL's order.
pub type GeoTransform = [f64; 6];

impl Dataset {
    /// Opens a raster for reading.
    pub fn open(gdal: &'static Gdal, name: &str) -> Result<Self> {
        Self::open_with(gdal, name, OPEN_RASTER, &[])
    }

    /// Opens a raster of ours once more, to add to it.
    pub(super) fn open_for_update(
        gdal: &'static Gdal,
        name: &str,
        options: &[(String, String)],
    ) -> Result<Self> {
        Self::open_with(gdal, name, OPEN_RASTER | OPEN_UPDATE, options)
    }

    /// Opens overview number `level` of a raster, from 0, as a raster of its own; None: the raster itself.
    pub fn open_level(gdal: &'static Gdal, name: &str, level: Option<usize>) -> Result<Self> {
        let option = level.map(|level| ("OVERVIEW_LEVEL".to_string(), level.to_string()));
        Self::open_with(gdal, name, OPEN_RASTER, option.as_slice())
    }

    fn open_with(gdal: &'static Gdal, name: &str, how: c_uint, options: &[(String, String)]) -> Result<Self> {
        let options = OptionList::new(options)?;
        let path = CString::new(name)
            .map_err(|_| Error::Input(format!("{}: name contains a NUL character", name.escape_debug())))?;
        let none = std::ptr::null();
        let (handle, said) = gdal.call(|gdal| {
            // SAFETY: the path ends with NUL, the list of options with NULL; other lists being NULL mean none.
            unsafe { (gdal.GDALOpenEx)(path.as_ptr(), how, none, options.as_ptr(), none) }
        });
        if handle.is_null() {
            return Err(Error::Input(format!("cannot open '{name}' as a raster: {}", said.cause())));
        }
        Ok(Self {
            gdal,
            handle: DatasetHandle(handle),
            owned: true,
            unfinished: false,
            name: name.into(),
            _beneath: None,
        })
    }

    /// Uses a dataset that the caller keeps open.
    ///
    /// # Safety
    /// `handle` is an open dataset of `gdal` and outlives the result; no other thread uses it meanwhile.
    pub unsafe fn borrow(gdal: &'static Gdal, handle: DatasetHandle) -> Self {
        // SAFETY: an open dataset by contract; a description is a C string.
        let name = unsafe { text((gdal.GDALGetDescription)(handle.0)) };
        Self { gdal, handle, owned: false, unfinished: false, name, _beneath: None }
    }

    /// Takes over a dataset that GDAL has just made.
    pub(super) fn adopt(gdal: &'static Gdal, handle: GDALDatasetH, name: &str) -> Self {
        Self {
            gdal,
            handle: DatasetHandle(handle),
            owned: true,
            unfinished: true,
            name: name.into(),
            _beneath: None,
        }
    }

    /// A view of it in memory, such as gdal_translate makes with these words.
    pub(super) fn translated(self, words: &[&str]) -> Result<Self> {
        let (gdal, none) = (self.gdal, std::ptr::null_mut());
        let words = OptionList::of_words(words)?;
        let (handle, said) = gdal.call(|gdal| {
            // SAFETY: the list ends with NULL and is copied; the dataset is open and outlives the view; no place for
            // usage errors is allowed; options may be freed after the call.
            unsafe {
                let options = (gdal.GDALTranslateOptionsNew)(words.as_ptr(), none);
                let handle = (gdal.GDALTranslate)(c"".as_ptr(), self.raw(), options, none.cast());
                (gdal.GDALTranslateOptionsFree)(options);
                handle
            }
        });
        let name = self.name.clone();
        if handle.is_null() {
            return Err(Error::Input(format!("cannot read '{name}': {}", said.cause())));
        }
        let handle = DatasetHandle(handle);
        Ok(Self { gdal, handle, owned: true, unfinished: false, name, _beneath: Some(Box::new(self)) })
    }

    /// Closes a dataset that was written; the error is what GDAL said while it wrote out the rest.
    pub fn close(mut self) -> std::result::Result<(), String> {
        self.owned = false;
        let handle = self.raw();
        let ((), said) = self.gdal.call(|gdal| {
            // SAFETY: open until here, and used no more: `self` is consumed and no longer owns it.
            unsafe {
                (gdal.GDALFlushCache)(handle);
                (gdal.GDALClose)(handle);
            }
        });
        if said.failures.is_empty() {
            Ok(())
        } else {
            Err(said.cause())
        }
    }

    /// Writes out what GDAL holds; the error is what GDAL said.
    pub fn flush(&self) -> std::result::Result<(), String> {
        // SAFETY: the dataset is open.
        let ((), said) = self.gdal.call(|gdal| unsafe { (gdal.GDALFlushCache)(self.raw()) });
        if said.failures.is_empty() {
            Ok(())
        } else {
            Err(said.cause())
        }
    }

    /// Its metadata of the usual domain, keys and values.
    pub fn all_metadata(&self) -> Vec<(String, String)> {
        metadata_of(self.gdal, self.raw())
    }

    /// Names of the files it consists of, sources of a VRT included.
    pub fn files(&self) -> Vec<String> {
        let (list, _) = self.gdal.call(|gdal| {
            // SAFETY: the dataset is open.
            unsafe { (gdal.GDALGetFileList)(self.raw()) }
        });
        let mut files = vec![self.name.clone()];
        if list.is_null() {
            return files;
        }
        let mut place = list;
        // SAFETY: GDAL gives a list of C strings that ends with NULL and is ours to free.
        unsafe {
            while !(*place).is_null() {
                files.push(text(*place));
                place = place.add(1);
            }
            (self.gdal.CSLDestroy)(list);
        }
        files
    }

    /// Lets GDAL close a file that nobody will read without filling it up: cells not yet written are only
    /// skipped over when they are 0, so 0 becomes nodata.
    fn abandon(&self) {
        for index in 1..=self.bands() {
            if let Ok(band) = self.band(index) {
                // SAFETY: the dataset is open and made by us. Failure costs time only.
                self.gdal.call(|gdal| unsafe { (gdal.GDALSetRasterNoDataValue)(band.raw(), 0.0) });
            }
        }
    }

    /// File name, or what the driver calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn raw(&self) -> GDALDatasetH {
        self.handle.0
    }

    pub(super) fn gdal(&self) -> &'static Gdal {
        self.gdal
    }

    /// Whether cells can be written, so that GDAL may hold some that no block of the file has yet.
    pub fn is_writable(&self) -> bool {
        // SAFETY: the dataset is open.
        unsafe { (self.gdal.GDALGetAccess)(self.raw()) != 0 }
    }

    /// Rows and columns.
    pub fn size(&self) -> (usize, usize) {
        // SAFETY: the dataset is open.
        let (rows, cols) = unsafe {
            ((self.gdal.GDALGetRasterYSize)(self.raw()), (self.gdal.GDALGetRasterXSize)(self.raw()))
        };
        (rows.max(0) as usize, cols.max(0) as usize)
    }

    /// Number of bands.
    pub fn bands(&self) -> usize {
        // SAFETY: the dataset is open.
        unsafe { (self.gdal.GDALGetRasterCount)(self.raw()) }.max(0) as usize
    }

    /// Band number `index`, from 1.
    pub fn band(&self, index: usize) -> Result<Band> {
        let bands = self.bands();
        if index == 0 || index > bands {
            let name = &self.name;
            return Err(Error::Argument(match bands {
                0 => format!("'{name}' has no raster bands; name one of its subdatasets (see gdalinfo)"),
                _ => format!("'{name}' has no band {index}; allowed: 1 to {bands}"),
            }));
        }
        // SAFETY: the dataset is open and has such a band.
        let handle = unsafe { (self.gdal.GDALGetRasterBand)(self.raw(), index as c_int) };
        Ok(Band { gdal: self.gdal, handle })
    }

    /// Band number `index`, from 1, whose cells are real numbers.
    pub fn real_band(&self, index: usize) -> Result<Band> {
        let band = self.band(index)?;
        match band.complex_type() {
            None => Ok(band),
            Some(complex) => Err(Error::Unsupported(format!(
                "'{}', band {index}: cells of type {complex}; allowed: any real number type",
                self.name
            ))),
        }
    }

    /// Short name of the driver.
    pub fn driver(&self) -> String {
        // SAFETY: the dataset is open; a driver's name is a C string.
        unsafe { text((self.gdal.GDALGetDriverShortName)((self.gdal.GDALGetDatasetDriver)(self.raw()))) }
    }

    /// The geotransform, if it has one.
    pub fn geotransform(&self) -> Option<GeoTransform> {
        let mut transform = [0.0; 6];
        // SAFETY: the dataset is open; the array has the six places GDAL fills.
        let result = unsafe { (self.gdal.GDALGetGeoTransform)(self.raw(), transform.as_mut_ptr()) };
        (result == CPLErr::CE_None).then_some(transform)
    }

    /// The reference system; NULL when there is none. Lives as long as the dataset.
    pub(super) fn spatial_reference(&self) -> OGRSpatialReferenceH {
        // SAFETY: the dataset is open.
        unsafe { (self.gdal.GDALGetSpatialRef)(self.raw()) }
    }

    /// Name of the reference system when its coordinates are degrees.
    pub fn geographic_name(&self) -> Option<String> {
        let reference = self.spatial_reference();
        // SAFETY: the reference is NULL or lives as long as the dataset; a name is a C string.
        unsafe {
            (!reference.is_null() && (self.gdal.OSRIsGeographic)(reference) != 0)
                .then(|| text((self.gdal.OSRGetName)(reference)))
        }
    }

    /// The reference system as text.
    pub(super) fn reference_text(&self) -> Option<String> {
        let reference = self.spatial_reference();
        if reference.is_null() {
            return None;
        }
        let mut written = std::ptr::null_mut();
        let options = OptionList::new(&[("FORMAT".into(), "WKT2_2019".into())]).ok()?;
        self.gdal.call(|gdal| {
            // SAFETY: the reference lives as long as the dataset; the list ends with NULL; `written` is live.
            unsafe { (gdal.OSRExportToWktEx)(reference, &mut written, options.as_ptr()) }
        });
        // SAFETY: NULL, or a C string that is ours to free.
        let found = unsafe { text(written) };
        // SAFETY: as above; NULL is fine.
        unsafe { (self.gdal.VSIFree)(written.cast()) };
        (!found.is_empty()).then_some(found)
    }

    /// Whether both have a reference system, and the same.
    pub(super) fn shares_reference(&self, other: &Dataset) -> bool {
        let (own, others) = (self.spatial_reference(), other.spatial_reference());
        if own.is_null() || others.is_null() {
            return false;
        }
        // SAFETY: both references live as long as their datasets.
        let (same, _) = self.gdal.call(|gdal| unsafe { (gdal.OSRIsSame)(own, others) });
        same != 0
    }

    /// One item of the metadata domain `domain` ("" is the default one).
    pub fn metadata(&self, key: &str, domain: &str) -> Option<String> {
        let (key, domain) = (CString::new(key).ok()?, CString::new(domain).ok()?);
        // SAFETY: the dataset is open, both strings end with NUL; the answer is NULL or a C string.
        let value = unsafe { (self.gdal.GDALGetMetadataItem)(self.raw(), key.as_ptr(), domain.as_ptr()) };
        // SAFETY: as above.
        (!value.is_null()).then(|| unsafe { text(value) })
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        if self.owned && self.unfinished {
            self.abandon();
        }
        if self.owned {
            let handle = self.raw();
            // SAFETY: open, owned, and not used again. What GDAL says is of no use to anyone any more.
            self.gdal.call(|gdal| unsafe { (gdal.GDALClose)(handle) });
        }
    }
}

/// A band; valid while its dataset is open.
#[derive(Clone, Copy)]
pub struct Band {
    gdal: &'static Gdal,
    handle: GDALRasterBandH,
}

impl Band {
    pub(super) fn raw(self) -> GDALRasterBandH {
        self.handle
    }

    /// Reads a window through GDAL, row after row, as cells of `data_type`.
    pub(super) fn read_window<T>(
        self,
        gdal: &Gdal,
        window: Window,
        data_type: GDALDataType::Type,
        cells: &mut [T],
    ) -> std::result::Result<(), String> {
        // SAFETY: takes any value.
        let size = unsafe { (gdal.GDALGetDataTypeSizeBytes)(data_type) }.max(1) as usize;
        assert!(size_of_val(cells) >= window.cells() * size, "room for the window");
        gdal.check(|gdal| {
            // SAFETY: the band's dataset is open and used by this thread alone; the window lies inside the raster, or
            // GDAL refuses it; `cells` has room for it (checked above), in the type given.
            unsafe {
                (gdal.GDALRasterIO)(
                    self.handle,
                    GDALRWFlag::GF_Read,
                    window.col as c_int,
                    window.row as c_int,
                    window.cols as c_int,
                    window.rows as c_int,
                    cells.as_mut_ptr().cast::<c_void>(),
                    window.cols as c_int,
                    window.rows as c_int,
                    data_type,
                    0,
                    0,
                )
            }
        })
    }

    /// One item of the metadata domain `domain` ("" is the default one).
    pub fn metadata(self, key: &str, domain: &str) -> Option<String> {
        let (key, domain) = (CString::new(key).ok()?, CString::new(domain).ok()?);
        // SAFETY: the band's dataset is open, both strings end with NUL; the answer is NULL or a C string.
        let value = unsafe { (self.gdal.GDALGetMetadataItem)(self.handle, key.as_ptr(), domain.as_ptr()) };
        // SAFETY: as above.
        (!value.is_null()).then(|| unsafe { text(value) })
    }

    /// Type of the cells.
    pub fn data_type(self) -> GDALDataType::Type {
        // SAFETY: the band's dataset is open.
        unsafe { (self.gdal.GDALGetRasterDataType)(self.handle) }
    }

    /// Bytes of one cell.
    pub fn cell_bytes(self) -> usize {
        // SAFETY: takes any value.
        unsafe { (self.gdal.GDALGetDataTypeSizeBytes)(self.data_type()) }.max(1) as usize
    }

    /// Name of the type when its cells are complex numbers.
    pub fn complex_type(self) -> Option<String> {
        let data_type = self.data_type();
        // SAFETY: take any value; the name is a C string.
        unsafe {
            ((self.gdal.GDALDataTypeIsComplex)(data_type) != 0)
                .then(|| text((self.gdal.GDALGetDataTypeName)(data_type)))
        }
    }

    /// Rows and columns of a block.
    pub fn block_size(self) -> (usize, usize) {
        let (mut cols, mut rows) = (0, 0);
        // SAFETY: the band's dataset is open; both places are live.
        unsafe { (self.gdal.GDALGetBlockSize)(self.handle, &mut cols, &mut rows) };
        (rows.max(1) as usize, cols.max(1) as usize)
    }

    /// How many overviews the file has of it.
    pub fn overviews(self) -> usize {
        // SAFETY: the band's dataset is open.
        unsafe { (self.gdal.GDALGetOverviewCount)(self.handle) }.max(0) as usize
    }

    /// An overview, numbered from 0; the last one for larger numbers.
    pub fn overview(self, index: usize) -> Band {
        let last = self.overviews().saturating_sub(1);
        // SAFETY: the band's dataset is open; the overview lives as long.
        let handle = unsafe { (self.gdal.GDALGetOverview)(self.handle, index.min(last) as c_int) };
        Band { gdal: self.gdal, handle: if handle.is_null() { self.handle } else { handle } }
    }

    /// Rows and columns.
    pub fn size(self) -> (usize, usize) {
        // SAFETY: the band's dataset is open.
        let (rows, cols) = unsafe {
            ((self.gdal.GDALGetRasterBandYSize)(self.handle), (self.gdal.GDALGetRasterBandXSize)(self.handle))
        };
        (rows.max(0) as usize, cols.max(0) as usize)
    }

    /// The value that means nodata.
    pub fn nodata(self) -> Option<f64> {
        let mut has = 0;
        // GDAL warns of 64-bit values that have no exact double.
        let (value, _) = self.gdal.call(|gdal| {
            // SAFETY: the band's dataset is open; `has` is live.
            unsafe { (gdal.GDALGetRasterNoDataValue)(self.handle, &mut has) }
        });
        (has != 0).then_some(value)
    }

    /// What raw cells are multiplied by, and what is added then.
    pub fn scale_and_offset(self) -> (f64, f64) {
        let (mut has_scale, mut has_offset) = (0, 0);
        // SAFETY: the band's dataset is open; both flags are live.
        let (scale, offset) = unsafe {
            (
                (self.gdal.GDALGetRasterScale)(self.handle, &mut has_scale),
                (self.gdal.GDALGetRasterOffset)(self.handle, &mut has_offset),
            )
        };
        (if has_scale != 0 { scale } else { 1.0 }, if has_offset != 0 { offset } else { 0.0 })
    }

    /// What the file calls it; empty when it has no name.
    pub fn description(self) -> String {
        // SAFETY: the band's dataset is open; a description is a C string.
        unsafe { text((self.gdal.GDALGetDescription)(self.handle)) }
    }

    /// Its metadata of the usual domain, keys and values.
    pub fn all_metadata(self) -> Vec<(String, String)> {
        metadata_of(self.gdal, self.handle)
    }

    /// Unit of its values, or empty.
    pub fn unit(self) -> String {
        // SAFETY: the band's dataset is open; the unit is a C string.
        unsafe { text((self.gdal.GDALGetRasterUnitType)(self.handle)) }
    }

    /// Whether cells are numbers of classes: a table gives each its colour.
    pub fn has_color_table(self) -> bool {
        // SAFETY: the band's dataset is open.
        !unsafe { (self.gdal.GDALGetRasterColorTable)(self.handle) }.is_null()
    }

    /// Whether it says how opaque cells are.
    pub fn is_alpha(self) -> bool {
        // SAFETY: the band's dataset is open.
        let colour = unsafe { (self.gdal.GDALGetRasterColorInterpretation)(self.handle) };
        colour == GDALColorInterp::GCI_AlphaBand
    }

    /// Whether alpha says which cells are valid.
    pub fn is_masked_by_alpha(self) -> bool {
        // SAFETY: the band's dataset is open.
        unsafe { (self.gdal.GDALGetMaskFlags)(self.handle) & MASK_ALPHA != 0 }
    }

    /// The band that says which cells are valid, unless a nodata value says it or all are.
    pub fn mask(self) -> Option<Band> {
        // SAFETY: the band's dataset is open.
        let flags = unsafe { (self.gdal.GDALGetMaskFlags)(self.handle) };
        let by_value = flags & MASK_NODATA != 0 && flags & MASK_PER_DATASET == 0;
        if by_value || flags & MASK_ALL_VALID != 0 {
            return None;
        }
        // SAFETY: the band's dataset is open; the mask lives as long as it.
        let handle = unsafe { (self.gdal.GDALGetMaskBand)(self.handle) };
        Some(Band { gdal: self.gdal, handle })
    }
}

/// Metadata of the usual domain of a dataset or band, which is open.
fn metadata_of(gdal: &Gdal, object: GDALMajorObjectH) -> Vec<(String, String)> {
    let mut items = Vec::new();
    // SAFETY: the callers' objects are open; GDAL keeps the list, which is NULL or C strings that end with NULL.
    unsafe {
        let mut place = (gdal.GDALGetMetadata)(object, std::ptr::null());
        while !place.is_null() && !(*place).is_null() {
            let item = text(*place);
            items.extend(item.split_once('=').map(|(key, value)| (key.to_string(), value.to_string())));
            place = place.add(1);
        }
    }
    items
}

/// Asks a driver whether it knows these creation options; the error is the driver's own words.
pub(super) fn check_creation_options(gdal: &Gdal, driver: &str, options: &OptionList) -> Result<()> {
    let handle = driver_handle(gdal, driver)?;
    let (valid, said) = gdal.call(|gdal| {
        // SAFETY: a driver of this GDAL; the list is NULL-ended and lives through the call.
        unsafe { (gdal.GDALValidateCreationOptions)(handle, options.as_ptr()) }
    });
    if valid != 0 {
        return Ok(());
    }
    let formats = "allowed: see gdalinfo --format ";
    Err(Error::Argument(format!("creation option refused: {}; {formats}{driver}", said.cause())))
}

/// The driver called `name`.
pub(super) fn driver_handle(gdal: &Gdal, name: &str) -> Result<gdal_sys::GDALDriverH> {
    let text = CString::new(name).map_err(|_| Error::Argument("format contains a NUL character".into()))?;
    // SAFETY: the name ends with NUL.
    let handle = unsafe { (gdal.GDALGetDriverByName)(text.as_ptr()) };
    if handle.is_null() {
        let release = gdal.release();
        return Err(Error::Output(format!("GDAL {release} has no driver '{name}'")));
    }
    Ok(handle)
}
