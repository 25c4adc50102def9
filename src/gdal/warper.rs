//! GDAL's warper on one band, for one thread.

use super::dataset::{Band, Dataset};
use super::options::OptionList;
use super::transform::{TargetGrid, Transformer};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use gdal_sys::{GDALDataType, GDALResampleAlg, GDALWarpOperationH, GDALWarpOptions};
use libc::{c_int, c_void};

/// A finer raster is averaged over the cells of the target; not if it is hardly finer.
pub const HARDLY_FINER: f64 = 1.05;

/// Which cells of a raster make one of the target, as users name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resampling {
    /// The nearest one.
    #[default]
    Nearest,
    /// Four around it, or more where the raster is finer.
    Bilinear,
    /// Sixteen around it, or more where the raster is finer.
    Cubic,
    /// The mean of all under it.
    Average,
    /// The most frequent one under it.
    Mode,
}

impl Resampling {
    /// All, by name.
    pub const ALL: [(&'static str, Resampling); 5] = [
        ("nearest", Resampling::Nearest),
        ("bilinear", Resampling::Bilinear),
        ("cubic", Resampling::Cubic),
        ("average", Resampling::Average),
        ("mode", Resampling::Mode),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    fn algorithm(self) -> GDALResampleAlg::Type {
        match self {
            Resampling::Nearest => GDALResampleAlg::GRA_NearestNeighbour,
            Resampling::Bilinear => GDALResampleAlg::GRA_Bilinear,
            Resampling::Cubic => GDALResampleAlg::GRA_Cubic,
            Resampling::Average => GDALResampleAlg::GRA_Average,
            Resampling::Mode => GDALResampleAlg::GRA_Mode,
        }
    }

    /// Whether a filter goes over the cells, for which overviews serve as well as the raster.
    pub fn is_filter(self) -> bool {
        matches!(self, Resampling::Bilinear | Resampling::Cubic)
    }
}

/// How cells are made.
#[derive(Debug, Clone, Copy)]
pub struct Sampling {
    algorithm: GDALResampleAlg::Type,
    /// Cells of the target along one of the raster, at most 1, for GDAL's filter.
    scale: (f64, f64),
}

impl Sampling {
    /// For a raster with so many columns and rows along a cell of the target.
    pub fn new(resampling: Resampling, density: (f64, f64)) -> Self {
        let filter = |density: f64| if density > HARDLY_FINER { 1.0 / density } else { 1.0 };
        Self { algorithm: resampling.algorithm(), scale: (filter(density.0), filter(density.1)) }
    }
}

/// The warper with all it uses.
pub struct Warper {
    operation: GDALWarpOperationH,
    // The operation keeps pointers to both: they go after it.
    _transformer: Transformer,
    dataset: Dataset,
}

// SAFETY: GDAL allows dataset, transformer and operation on any thread as long as only one uses them at a time; `warp`
// takes the warper for itself.
unsafe impl Send for Warper {}

impl Warper {
    /// For a band of `dataset` under `target`. `nodata` replaces what the file says of missing cells.
    pub fn new(
        dataset: Dataset,
        band: usize,
        target: &TargetGrid,
        sampling: Sampling,
        nodata: Option<f64>,
    ) -> Result<Self> {
        let gdal = dataset.gdal();
        let (dataset, band) = match nodata {
            None => with_plain_mask(dataset, band)?,
            Some(_) => (dataset, band),
        };
        let transformer = Transformer::new(&dataset, target)?;
        let (x, y) = sampling.scale;
        let settings = [
            // GDAL takes these from each window otherwise, and the filter would change from block to block.
            ("XSCALE", format!("{x:.6}")),
            ("YSCALE", format!("{y:.6}")),
            // Nothing of the raster under a block is no error; GDAL allows that only together with INIT_DEST.
            ("ERROR_OUT_IF_EMPTY_SOURCE_WINDOW", "FALSE".to_string()),
            ("INIT_DEST", "NO_DATA".to_string()),
            // Workers are threads enough.
            ("NUM_THREADS", "1".to_string()),
        ];
        let settings = OptionList::new(&settings.map(|(key, value)| (key.to_string(), value)))?;
        let nodata = match nodata {
            None => nodata_of(dataset.band(band)?),
            given => given,
        };
        let (mut from, mut to) = (band as c_int, 1 as c_int);
        let (mut mark, mut missing, mut zero) = (nodata.unwrap_or(0.0), f64::NAN, 0.0);
        let (operation, said) = gdal.call(|gdal| {
            // SAFETY: GDAL makes the options, whose fields keep their places in all its versions. Creating the operation
            // copies lists and numbers, which live until then; they are taken out before the options are destroyed.
            // Dataset and transformer live as long as the operation.
            unsafe {
                let options: *mut GDALWarpOptions = (gdal.GDALCreateWarpOptions)();
                let fields = &mut *options;
                fields.papszWarpOptions = settings.as_ptr().cast_mut().cast();
                fields.eResampleAlg = sampling.algorithm;
                fields.eWorkingDataType = GDALDataType::GDT_Float64;
                fields.hSrcDS = dataset.raw();
                fields.nBandCount = 1;
                fields.panSrcBands = &mut from;
                fields.panDstBands = &mut to;
                fields.padfDstNoDataReal = &mut missing;
                fields.padfDstNoDataImag = &mut zero;
                fields.pfnTransformer = Some(gdal.GDALGenImgProjTransform);
                fields.pTransformerArg = transformer.raw();
                if nodata.is_some() {
                    fields.padfSrcNoDataReal = &mut mark;
                    fields.padfSrcNoDataImag = &mut zero;
                }
                let operation = (gdal.GDALCreateWarpOperation)(options);
                fields.papszWarpOptions = std::ptr::null_mut();
                fields.panSrcBands = std::ptr::null_mut();
                fields.panDstBands = std::ptr::null_mut();
                fields.padfSrcNoDataReal = std::ptr::null_mut();
                fields.padfSrcNoDataImag = std::ptr::null_mut();
                fields.padfDstNoDataReal = std::ptr::null_mut();
                fields.padfDstNoDataImag = std::ptr::null_mut();
                (gdal.GDALDestroyWarpOptions)(options);
                operation
            }
        });
        if operation.is_null() {
            return Err(Error::Input(format!("cannot warp '{}': {}", dataset.name(), said.cause())));
        }
        Ok(Self { operation, _transformer: transformer, dataset })
    }

    /// Fills a block of the target, all of whose cells are NaN; the error is what GDAL said.
    pub fn warp(&mut self, place: Window, cells: &mut [f64]) -> std::result::Result<(), String> {
        assert!(cells.len() >= place.cells(), "room for the block");
        self.dataset.gdal().check(|gdal| {
            // SAFETY: the operation lives and is used by this thread alone; `cells` has room for the block (checked
            // above), row after row. No source window means that GDAL finds it.
            unsafe {
                (gdal.GDALWarpRegionToBuffer)(
                    self.operation,
                    place.col as c_int,
                    place.row as c_int,
                    place.cols as c_int,
                    place.rows as c_int,
                    cells.as_mut_ptr().cast::<c_void>(),
                    GDALDataType::GDT_Float64,
                    0,
                    0,
                    0,
                    0,
                )
            }
        })
    }
}

impl Drop for Warper {
    fn drop(&mut self) {
        let operation = self.operation;
        // SAFETY: made by GDAL, and not used again; what it points to still lives.
        self.dataset.gdal().call(|gdal| unsafe { (gdal.GDALDestroyWarpOperation)(operation) });
    }
}

/// What marks missing cells beside a mask; among floating-point numbers those that are none.
fn nodata_of(band: Band) -> Option<f64> {
    if band.mask().is_some() {
        return None;
    }
    let floating = matches!(band.data_type(), GDALDataType::GDT_Float32 | GDALDataType::GDT_Float64);
    band.nodata().or(floating.then_some(f64::NAN))
}

/// The dataset and the number of its band, so that the warper understands the mask: it takes opacity for a weight, and
/// knows no mask of a single band.
fn with_plain_mask(dataset: Dataset, band: usize) -> Result<(Dataset, usize)> {
    if dataset.band(band)?.mask().is_none() {
        return Ok((dataset, band));
    }
    let mask = format!("mask,{band}");
    let words = ["-of", "VRT", "-b", &band.to_string(), "-mask", &mask];
    Ok((dataset.translated(&words)?, 1))
}
