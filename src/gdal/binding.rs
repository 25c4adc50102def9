//! GDAL's functions, looked up at run time.
//!
//! The library is not linked to GDAL: one binary serves every GDAL from 3.5 on, and the GDAL it uses is the one
//! already in the process (QGIS, Python, `gdal_translate`) whenever there is one. Types and constants come from
//! `gdal-sys`. Two GDALs can live in one process (a wheel beside the system's), so there is a table per
//! libgdal, never a single static one.

#![allow(non_snake_case)]

use super::error::report_through;
use crate::core::error::{Error, Result};
use gdal_sys::{
    vsi_l_offset, CPLErr, CPLErrorHandler, GByte, GDALColorEntry, GDALColorInterp, GDALColorTableH,
    GDALDataType, GDALDatasetH, GDALDerivedPixelFuncWithArgs, GDALDriverH, GDALMajorObjectH,
    GDALPaletteInterp, GDALProgressFunc, GDALRWFlag, GDALRasterBandH, GDALTranslateOptions,
    GDALWarpOperationH, GDALWarpOptions, GIntBig, OGRErr, OGRSpatialReferenceH,
    VSIFilesystemPluginCallbacksStruct,
};
use libc::{c_char, c_int, c_uint, c_void};
use once_cell::sync::OnceCell;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Oldest GDAL that is accepted, as `GDALVersionInfo("VERSION_NUM")` writes it.
const OLDEST_VERSION: u32 = 3_050_000;

/// Environment variable with the path of the libgdal to load when the process has none.
const LIBRARY_VARIABLE: &str = "TERRALUME_GDAL";

/// Names under which GDAL 3.5 to 3.13 are installed.
#[cfg(target_os = "macos")]
const LIBRARY_NAMES: &[&str] = &["libgdal.dylib"];
#[cfg(not(target_os = "macos"))]
const LIBRARY_NAMES: &[&str] = &[
    "libgdal.so",
    "libgdal.so.39",
    "libgdal.so.38",
    "libgdal.so.37",
    "libgdal.so.36",
    "libgdal.so.35",
    "libgdal.so.34",
    "libgdal.so.33",
    "libgdal.so.32",
    "libgdal.so.31",
];

/// A list of `KEY=VALUE` that ends with NULL.
pub type Options = *const *const c_char;

/// Makes ready: name, our data, arguments, bands and type of the input and its nodata; then what is for us to set: bands,
/// type and nodata of the output; the folder of the VRT, and what `process` shall get.
pub type ProcessedInit = unsafe extern "C" fn(
    *const c_char,
    *mut c_void,
    Options,
    c_int,
    GDALDataType::Type,
    *mut f64,
    *mut c_int,
    *mut GDALDataType::Type,
    *mut *mut f64,
    *const c_char,
    *mut *mut c_void,
) -> CPLErr::Type;

/// Frees what `init` made.
pub type ProcessedFree = unsafe extern "C" fn(*const c_char, *mut c_void, *mut c_void);

/// Computes a window: name, our data, what `init` made, arguments; columns and rows; buffer, bytes, type, bands and nodata
/// of the input, the same of the output; the window in cells of the level that is read, that level's geotransform, the
/// folder of the VRT, and more options.
pub type ProcessedProcess = unsafe extern "C" fn(
    *const c_char,
    *mut c_void,
    *mut c_void,
    Options,
    c_int,
    c_int,
    *const c_void,
    usize,
    GDALDataType::Type,
    c_int,
    *const f64,
    *mut c_void,
    usize,
    GDALDataType::Type,
    c_int,
    *const f64,
    f64,
    f64,
    f64,
    f64,
    *const f64,
    *const c_char,
    Options,
) -> CPLErr::Type;

/// `GDALVRTRegisterProcessedDatasetFunc`.
pub type RegisterProcessedDatasetFunc = unsafe extern "C" fn(
    *const c_char,
    *mut c_void,
    *const c_char,
    GDALDataType::Type,
    *const GDALDataType::Type,
    usize,
    *const c_int,
    usize,
    Option<ProcessedInit>,
    Option<ProcessedFree>,
    Option<ProcessedProcess>,
    Options,
) -> CPLErr::Type;

macro_rules! gdal_functions {
    ($(fn $name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of one libgdal.
        pub struct Gdal {
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// From GDAL 3.9 on.
            pub(crate) GDALVRTRegisterProcessedDatasetFunc: Option<RegisterProcessedDatasetFunc>,
            version: u32,
        }

        impl Gdal {
            /// Looks every function up behind `handle`; the error is the name of the first one missing.
            fn load(handle: *mut c_void) -> std::result::Result<Self, &'static str> {
                $(
                    let name = concat!(stringify!($name), "\0");
                    // SAFETY: the name ends with NUL; dlsym takes any handle that dlopen gave, or RTLD_DEFAULT.
                    let address = unsafe { libc::dlsym(handle, name.as_ptr().cast()) };
                    if address.is_null() {
                        return Err(stringify!($name));
                    }
                    type $name = unsafe extern "C" fn($($argument),*) $(-> $result)?;
                    // SAFETY: GDAL's C API keeps these signatures throughout version 3; `load` is private to
                    // this module, which hands over handles of libgdal only.
                    let $name = unsafe { std::mem::transmute::<*mut c_void, $name>(address) };
                )*
                let name = c"GDALVRTRegisterProcessedDatasetFunc";
                // SAFETY: as above; the signature is the same from 3.9 to 3.13, and NULL is None.
                let GDALVRTRegisterProcessedDatasetFunc = unsafe {
                    std::mem::transmute::<*mut c_void, Option<RegisterProcessedDatasetFunc>>(libc::dlsym(
                        handle,
                        name.as_ptr(),
                    ))
                };
                let mut gdal = Self { $($name,)* GDALVRTRegisterProcessedDatasetFunc, version: 0 };
                gdal.version = gdal.version_text(c"VERSION_NUM").parse().unwrap_or(0);
                Ok(gdal)
            }
        }
    };
}

gdal_functions! {
    fn GDALVersionInfo(*const c_char) -> *const c_char;
    fn GDALAllRegister();
    fn GDALGetDriverCount() -> c_int;
    fn GDALGetDriverByName(*const c_char) -> GDALDriverH;
    fn GDALOpenEx(*const c_char, c_uint, Options, Options, Options) -> GDALDatasetH;
    fn GDALCreate(GDALDriverH, *const c_char, c_int, c_int, c_int, GDALDataType::Type, Options) -> GDALDatasetH;
    fn GDALCreateCopy(GDALDriverH, *const c_char, GDALDatasetH, c_int, Options, GDALProgressFunc, *mut c_void) -> GDALDatasetH;
    fn GDALValidateCreationOptions(GDALDriverH, Options) -> c_int;
    fn GDALFlushCache(GDALDatasetH);
    fn GDALClose(GDALDatasetH);
    fn GDALBuildOverviews(GDALDatasetH, *const c_char, c_int, *const c_int, c_int, *const c_int, GDALProgressFunc, *mut c_void) -> CPLErr::Type;
    fn GDALGetAccess(GDALDatasetH) -> c_int;
    fn GDALGetRasterXSize(GDALDatasetH) -> c_int;
    fn GDALGetRasterYSize(GDALDatasetH) -> c_int;
    fn GDALGetRasterCount(GDALDatasetH) -> c_int;
    fn GDALGetRasterBand(GDALDatasetH, c_int) -> GDALRasterBandH;
    fn GDALGetDatasetDriver(GDALDatasetH) -> GDALDriverH;
    fn GDALGetDriverShortName(GDALDriverH) -> *const c_char;
    fn GDALGetDescription(GDALMajorObjectH) -> *const c_char;
    fn GDALSetDescription(GDALMajorObjectH, *const c_char);
    fn GDALGetMetadataItem(GDALMajorObjectH, *const c_char, *const c_char) -> *const c_char;
    fn GDALGetMetadata(GDALMajorObjectH, *const c_char) -> *mut *mut c_char;
    fn GDALSetMetadataItem(GDALMajorObjectH, *const c_char, *const c_char, *const c_char) -> CPLErr::Type;
    fn GDALGetGeoTransform(GDALDatasetH, *mut f64) -> CPLErr::Type;
    fn GDALSetGeoTransform(GDALDatasetH, *mut f64) -> CPLErr::Type;
    fn GDALGetSpatialRef(GDALDatasetH) -> OGRSpatialReferenceH;
    fn GDALSetSpatialRef(GDALDatasetH, OGRSpatialReferenceH) -> CPLErr::Type;
    fn OSRIsGeographic(OGRSpatialReferenceH) -> c_int;
    fn OSRIsSame(OGRSpatialReferenceH, OGRSpatialReferenceH) -> c_int;
    fn OSRExportToWktEx(OGRSpatialReferenceH, *mut *mut c_char, Options) -> OGRErr::Type;
    fn OSRNewSpatialReference(*const c_char) -> OGRSpatialReferenceH;
    fn OSRDestroySpatialReference(OGRSpatialReferenceH);
    fn OSRGetName(OGRSpatialReferenceH) -> *const c_char;
    fn GDALGetRasterDataType(GDALRasterBandH) -> GDALDataType::Type;
    fn GDALGetDataTypeSizeBytes(GDALDataType::Type) -> c_int;
    fn GDALGetDataTypeName(GDALDataType::Type) -> *const c_char;
    fn GDALDataTypeIsComplex(GDALDataType::Type) -> c_int;
    fn GDALCopyWords(*const c_void, GDALDataType::Type, c_int, *mut c_void, GDALDataType::Type, c_int, c_int);
    fn GDALGetBlockSize(GDALRasterBandH, *mut c_int, *mut c_int);
    fn GDALReadBlock(GDALRasterBandH, c_int, c_int, *mut c_void) -> CPLErr::Type;
    fn GDALWriteBlock(GDALRasterBandH, c_int, c_int, *mut c_void) -> CPLErr::Type;
    fn GDALRasterIO(GDALRasterBandH, GDALRWFlag::Type, c_int, c_int, c_int, c_int, *mut c_void, c_int, c_int, GDALDataType::Type, c_int, c_int) -> CPLErr::Type;
    fn GDALGetOverviewCount(GDALRasterBandH) -> c_int;
    fn GDALGetOverview(GDALRasterBandH, c_int) -> GDALRasterBandH;
    fn GDALGetRasterBandXSize(GDALRasterBandH) -> c_int;
    fn GDALGetRasterBandYSize(GDALRasterBandH) -> c_int;
    fn GDALGetRasterNoDataValue(GDALRasterBandH, *mut c_int) -> f64;
    fn GDALSetRasterNoDataValue(GDALRasterBandH, f64) -> CPLErr::Type;
    fn GDALSetRasterNoDataValueAsInt64(GDALRasterBandH, i64) -> CPLErr::Type;
    fn GDALSetRasterNoDataValueAsUInt64(GDALRasterBandH, u64) -> CPLErr::Type;
    fn GDALGetMaskBand(GDALRasterBandH) -> GDALRasterBandH;
    fn GDALGetMaskFlags(GDALRasterBandH) -> c_int;
    fn GDALGetRasterScale(GDALRasterBandH, *mut c_int) -> f64;
    fn GDALGetRasterOffset(GDALRasterBandH, *mut c_int) -> f64;
    fn GDALGetRasterColorTable(GDALRasterBandH) -> GDALColorTableH;
    fn GDALSetRasterColorTable(GDALRasterBandH, GDALColorTableH) -> CPLErr::Type;
    fn GDALCreateColorTable(GDALPaletteInterp::Type) -> GDALColorTableH;
    fn GDALDestroyColorTable(GDALColorTableH);
    fn GDALGetPaletteInterpretation(GDALColorTableH) -> GDALPaletteInterp::Type;
    fn GDALGetColorEntryCount(GDALColorTableH) -> c_int;
    fn GDALGetColorEntry(GDALColorTableH, c_int) -> *const GDALColorEntry;
    fn GDALSetColorEntry(GDALColorTableH, c_int, *const GDALColorEntry);
    fn GDALGetRasterCategoryNames(GDALRasterBandH) -> *mut *mut c_char;
    fn GDALSetRasterCategoryNames(GDALRasterBandH, Options) -> CPLErr::Type;
    fn GDALGetRasterUnitType(GDALRasterBandH) -> *const c_char;
    fn GDALSetRasterScale(GDALRasterBandH, f64) -> CPLErr::Type;
    fn GDALSetRasterOffset(GDALRasterBandH, f64) -> CPLErr::Type;
    fn GDALSetRasterUnitType(GDALRasterBandH, *const c_char) -> CPLErr::Type;
    fn GDALGetRasterColorInterpretation(GDALRasterBandH) -> GDALColorInterp::Type;
    fn GDALSetRasterColorInterpretation(GDALRasterBandH, GDALColorInterp::Type) -> CPLErr::Type;
    fn GDALGetFileList(GDALDatasetH) -> *mut *mut c_char;
    fn GDALTranslateOptionsNew(Options, *mut c_void) -> *mut GDALTranslateOptions;
    fn GDALTranslate(*const c_char, GDALDatasetH, *const GDALTranslateOptions, *mut c_int) -> GDALDatasetH;
    fn GDALTranslateOptionsFree(*mut GDALTranslateOptions);
    fn GDALCreateGenImgProjTransformer2(GDALDatasetH, GDALDatasetH, Options) -> *mut c_void;
    fn GDALSetGenImgProjTransformerDstGeoTransform(*mut c_void, *const f64);
    fn GDALGenImgProjTransform(*mut c_void, c_int, c_int, *mut f64, *mut f64, *mut f64, *mut c_int) -> c_int;
    fn GDALDestroyGenImgProjTransformer(*mut c_void);
    fn GDALCreateWarpOptions() -> *mut GDALWarpOptions;
    fn GDALDestroyWarpOptions(*mut GDALWarpOptions);
    fn GDALCreateWarpOperation(*const GDALWarpOptions) -> GDALWarpOperationH;
    fn GDALDestroyWarpOperation(GDALWarpOperationH);
    fn GDALWarpRegionToBuffer(GDALWarpOperationH, c_int, c_int, c_int, c_int, *mut c_void, GDALDataType::Type, c_int, c_int, c_int, c_int) -> CPLErr::Type;
    fn CSLDestroy(*mut *mut c_char);
    fn CSLAddString(*mut *mut c_char, *const c_char) -> *mut *mut c_char;
    fn VSIMalloc(usize) -> *mut c_void;
    fn VSIFree(*mut c_void);
    fn VSIUnlink(*const c_char) -> c_int;
    fn VSIGetMemFileBuffer(*const c_char, *mut vsi_l_offset, c_int) -> *mut GByte;
    fn VSIAllocFilesystemPluginCallbacksStruct() -> *mut VSIFilesystemPluginCallbacksStruct;
    fn VSIFreeFilesystemPluginCallbacksStruct(*mut VSIFilesystemPluginCallbacksStruct);
    fn VSIInstallPluginHandler(*const c_char, *const VSIFilesystemPluginCallbacksStruct) -> c_int;
    fn GDALAddDerivedBandPixelFuncWithArgs(*const c_char, GDALDerivedPixelFuncWithArgs, *const c_char) -> CPLErr::Type;
    fn CPLError(CPLErr::Type, c_int, *const c_char);
    fn CPLGetLastErrorType() -> CPLErr::Type;
    fn CPLGetLastErrorNo() -> c_int;
    fn CPLGetLastErrorMsg() -> *const c_char;
    fn CPLErrorSetState(CPLErr::Type, c_int, *const c_char);
    fn CPLSetErrorHandler(CPLErrorHandler) -> CPLErrorHandler;
    fn CPLPushErrorHandler(CPLErrorHandler);
    fn CPLPopErrorHandler();
    fn CPLGetConfigOption(*const c_char, *const c_char) -> *const c_char;
    fn CPLSetThreadLocalConfigOption(*const c_char, *const c_char);
    fn CPLSetConfigOption(*const c_char, *const c_char);
    fn CPLGetUsablePhysicalRAM() -> GIntBig;
    fn GDALGetCacheMax64() -> GIntBig;
}

impl std::fmt::Debug for Gdal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GDAL {}", self.version)
    }
}

/// What `Gdal::get` gives; found once, and looked for again after a failure.
static DEFAULT: OnceCell<&'static Gdal> = OnceCell::new();

impl Gdal {
    /// The GDAL for calls that name files: the one in the process, else `TERRALUME_GDAL`, else the system's.
    pub fn get() -> Result<&'static Gdal> {
        let ready = || find().inspect(|gdal| gdal.register_drivers());
        DEFAULT.get_or_try_init(ready).copied()
    }

    /// The GDAL in whose code `address` lies, which becomes the one `get` gives unless another is in use already. One that
    /// cannot be used is told so, in its own words.
    pub fn adopt(address: usize) -> Option<&'static Gdal> {
        let handle = library_of(address).filter(|handle| has_gdal(*handle))?;
        match table(handle) {
            Ok(gdal) => {
                // The first one stays: handles of two libraries must not meet.
                let _ = DEFAULT.set(gdal);
                Some(gdal)
            }
            Err(error) => {
                complain(handle, &error);
                None
            }
        }
    }

    /// Registers GDAL's drivers, unless the host has done so: it may have removed some on purpose.
    fn register_drivers(&self) {
        // SAFETY: no arguments; both may be called at any time but from a plugin's entry point, which does not
        // come here.
        unsafe {
            if (self.GDALGetDriverCount)() == 0 {
                (self.GDALAllRegister)();
            }
        }
    }

    /// The GDAL that owns `dataset`, found by where the code of its class stands.
    ///
    /// # Safety
    /// `dataset` must be an open `GDALDatasetH`.
    pub unsafe fn of_dataset(dataset: GDALDatasetH) -> Result<&'static Gdal> {
        // SAFETY: a GDALDatasetH points to a C++ object with virtual functions: its first word is the address of
        // the class's function table, which lies in the library that defines the class.
        let class = unsafe { *dataset.cast::<usize>() };
        Self::of_module(class).map_or_else(Self::get, Ok)
    }

    /// The GDAL behind the library in which `address` lies: libgdal itself or something linked to it.
    pub fn of_module(address: usize) -> Option<&'static Gdal> {
        library_of(address).and_then(|handle| table(handle).ok())
    }

    /// The file of the library.
    pub fn library(&self) -> Option<PathBuf> {
        module(self.GDALOpenEx as usize).map(|name| OsStr::from_bytes(name.to_bytes()).into())
    }

    /// `GDALVersionInfo("VERSION_NUM")`.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The release in words, such as `3.6.2`.
    pub fn release(&self) -> String {
        self.version_text(c"RELEASE_NAME")
    }

    /// Bytes of memory this process may hope for.
    pub fn usable_memory(&self) -> usize {
        // SAFETY: no arguments.
        usize::try_from(unsafe { (self.CPLGetUsablePhysicalRAM)() }).unwrap_or(0)
    }

    /// Bytes that GDAL's block cache may take.
    pub fn block_cache(&self) -> usize {
        // SAFETY: no arguments.
        usize::try_from(unsafe { (self.GDALGetCacheMax64)() }).unwrap_or(0)
    }

    /// Limits GDAL's block cache, unless the user has set a limit. For programs of our own only: inside QGIS or
    /// Python the cache belongs to the host.
    pub fn limit_block_cache(&self, bytes: usize) {
        // SAFETY: both names end with NUL; the result is only compared.
        let set =
            unsafe { !(self.CPLGetConfigOption)(c"GDAL_CACHEMAX".as_ptr(), std::ptr::null()).is_null() };
        if let (false, Ok(text)) = (set, CString::new(bytes.to_string())) {
            // SAFETY: both strings end with NUL; GDAL copies them.
            unsafe { (self.CPLSetConfigOption)(c"GDAL_CACHEMAX".as_ptr(), text.as_ptr()) };
        }
    }

    /// A configuration option; empty when it is not set.
    pub fn option(&self, name: &str) -> String {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: the name ends with NUL; the answer is NULL or a C string that lives until the option is set anew, and it
        // is copied at once.
        unsafe { text((self.CPLGetConfigOption)(name.as_ptr(), std::ptr::null())) }
    }

    fn version_text(&self, request: &CStr) -> String {
        // SAFETY: the request ends with NUL; the answer is a static or thread-local C string.
        unsafe { text((self.GDALVersionInfo)(request.as_ptr())) }
    }
}

/// Copies a C string; empty for NULL.
///
/// # Safety
/// `pointer` is NULL or a C string.
pub(crate) unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: not NULL, and a C string by contract.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// The file name of the library or program in which `address` lies.
fn module(address: usize) -> Option<&'static CStr> {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    // SAFETY: dladdr takes any address and fills `info` when it answers other than 0.
    let known =
        unsafe { libc::dladdr(address as *const c_void, &mut info) } != 0 && !info.dli_fname.is_null();
    // SAFETY: the name dladdr gave ends with NUL and lives as long as the library is loaded, and GDAL is never
    // unloaded.
    known.then(|| unsafe { CStr::from_ptr(info.dli_fname) })
}

/// A handle of the library or program in which `address` lies.
fn library_of(address: usize) -> Option<*mut c_void> {
    // SAFETY: NOLOAD only looks up what is there, by the name that dladdr gave.
    let open = |name: &CStr| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    module(address).map(open).filter(|handle| !handle.is_null())
}

/// The table of the libgdal behind `handle`, made once per libgdal.
fn table(handle: *mut c_void) -> Result<&'static Gdal> {
    static TABLES: Mutex<Vec<&'static Gdal>> = Mutex::new(Vec::new());
    check_age(handle)?;
    let gdal = Gdal::load(handle)
        .map_err(|missing| Error::NoGdal(format!("the GDAL found lacks the function {missing}")))?;
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |known: &&&Gdal| known.GDALOpenEx as usize == gdal.GDALOpenEx as usize;
    if let Some(known) = tables.iter().find(same) {
        return Ok(known);
    }
    tables.push(Box::leak(Box::new(gdal)));
    Ok(tables[tables.len() - 1])
}

/// Before anything else is looked up: an old GDAL also lacks functions, which is not what is wrong with it.
fn check_age(handle: *mut c_void) -> Result<()> {
    type VersionInfo = unsafe extern "C" fn(*const c_char) -> *const c_char;
    // SAFETY: the name ends with NUL; dlsym takes any handle that dlopen gave, or RTLD_DEFAULT.
    let address = unsafe { libc::dlsym(handle, c"GDALVersionInfo".as_ptr()) };
    if address.is_null() {
        return Err(Error::NoGdal("the library found is no GDAL".into()));
    }
    // SAFETY: GDAL keeps this signature since version 1; the request ends with NUL, the answer is a C string.
    let info = |request: &CStr| unsafe {
        let function = std::mem::transmute::<*mut c_void, VersionInfo>(address);
        text(function(request.as_ptr()))
    };
    if info(c"VERSION_NUM").parse().unwrap_or(0) < OLDEST_VERSION {
        let release = info(c"RELEASE_NAME");
        return Err(Error::NoGdal(format!("GDAL {release} is too old; allowed: 3.5 or newer")));
    }
    Ok(())
}

/// Tells a GDAL that has no table what is wrong.
fn complain(handle: *mut c_void, error: &Error) {
    // SAFETY: the name ends with NUL; the handle came from dlopen.
    let report = unsafe { libc::dlsym(handle, c"CPLError".as_ptr()) };
    if let (false, Ok(text)) = (report.is_null(), CString::new(format!("terralume: {error}"))) {
        report_through(report, &text);
    }
}

fn find() -> Result<&'static Gdal> {
    if has_gdal(libc::RTLD_DEFAULT) {
        return table(libc::RTLD_DEFAULT);
    }
    if let Some(handle) = loaded_library() {
        return table(handle);
    }
    if let Some(path) = std::env::var_os(LIBRARY_VARIABLE) {
        let path = path.to_string_lossy().into_owned();
        return match open(&path) {
            Some(handle) => table(handle),
            None => Err(Error::NoGdal(format!("{LIBRARY_VARIABLE} = '{path}' is not a GDAL library"))),
        };
    }
    match LIBRARY_NAMES.iter().find_map(|name| open(name)) {
        Some(handle) => table(handle),
        None => Err(Error::NoGdal(format!(
            "no GDAL library found; install GDAL 3.5 or newer, or set {LIBRARY_VARIABLE} to the path of libgdal"
        ))),
    }
}

fn has_gdal(handle: *mut c_void) -> bool {
    // SAFETY: the name ends with NUL; the handle is RTLD_DEFAULT or came from dlopen.
    !unsafe { libc::dlsym(handle, c"GDALVersionInfo".as_ptr()) }.is_null()
}

fn open(name: &str) -> Option<*mut c_void> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends with NUL. Loading runs the library's initialisers, as linking to it would.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    (!handle.is_null() && has_gdal(handle)).then_some(handle)
}

/// A libgdal that is loaded without showing its symbols to everyone, as Python does with the wheels' copies.
#[cfg(target_os = "linux")]
fn loaded_library() -> Option<*mut c_void> {
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, names: *mut c_void) -> c_int {
        // SAFETY: dl_iterate_phdr hands over a valid record, and `names` is the list that `loaded_library` passed.
        let (name, names) = unsafe { ((*info).dlpi_name, &mut *names.cast::<Vec<CString>>()) };
        // SAFETY: NULL, or a C string.
        if unsafe { text(name) }.contains("libgdal") {
            // SAFETY: not NULL, since it has a name.
            names.push(unsafe { CStr::from_ptr(name) }.to_owned());
        }
        0
    }
    let mut names: Vec<CString> = Vec::new();
    // SAFETY: `visit` has the signature asked for, and `names` lives until the call returns.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut names).cast()) };
    // Opened here, not during the visit: that holds a lock which another thread's dlopen takes second.
    let handles = names.iter().map(|name| {
        // SAFETY: the name ends with NUL; NOLOAD only looks up what is there.
        unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) }
    });
    handles.into_iter().find(|handle| !handle.is_null() && has_gdal(*handle))
}

#[cfg(not(target_os = "linux"))]
fn loaded_library() -> Option<*mut c_void> {
    None
}

// Macros of gdal.h, which bindings do not carry; the values are part of GDAL's ABI.

/// `GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR | GDAL_OF_INTERNAL`: read a raster, say why not, and keep it off the host's list
/// of open datasets, which programs print when they think that they forgot one.
pub(crate) const OPEN_RASTER: c_uint = 0x02 | 0x40 | 0x80;
/// `GDAL_OF_UPDATE`: with the above, write to it as well.
pub(crate) const OPEN_UPDATE: c_uint = 0x01;
/// `GMF_ALL_VALID`: no cell is missing.
pub(crate) const MASK_ALL_VALID: c_int = 0x01;
/// `GMF_PER_DATASET`: one mask for all bands.
pub(crate) const MASK_PER_DATASET: c_int = 0x02;
/// `GMF_ALPHA`.
pub(crate) const MASK_ALPHA: c_int = 0x04;
/// `GMF_NODATA`: the mask follows from a nodata value.
pub(crate) const MASK_NODATA: c_int = 0x08;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_one_table_per_library() {
        let gdal = Gdal::get().unwrap();
        assert!(gdal.version() >= OLDEST_VERSION, "{}", gdal.release());
        let again = Gdal::of_module(gdal.GDALOpenEx as usize).unwrap();
        assert!(std::ptr::eq(gdal, again));
        assert!(gdal.library().unwrap().exists());
    }

    #[test]
    fn an_address_outside_gdal_has_no_table() {
        let here = finds_one_table_per_library as *const c_void as usize;
        assert!(Gdal::of_module(here).is_none() || has_gdal(libc::RTLD_DEFAULT));
        assert!(Gdal::of_module(0).is_none());
    }
}
