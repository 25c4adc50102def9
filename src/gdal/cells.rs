//! From a file's cells to 32-bit elevations with NaN for nodata.

use super::dataset::Band;
use super::Gdal;
use crate::core::tile::is_height;
use gdal_sys::GDALDataType;
use libc::c_void;

/// Cells converted together.
const PIECE: usize = 4096;

/// How one band's cells become elevations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellReader {
    /// Type of the file's cells.
    pub data_type: GDALDataType::Type,
    /// Value that means nodata.
    pub nodata: Option<f64>,
    scale: f64,
    offset: f64,
    /// Taken off every elevation before it is narrowed to 32 bits: at 4,000 m a 32-bit number resolves a
    /// quarter of a millimetre only, and differences are all that matters. Set once per dataset.
    pub base: f64,
}

impl CellReader {
    /// For a band; `nodata` replaces the band's own.
    pub fn new(band: Band, nodata: Option<f64>) -> Self {
        let (scale, offset) = band.scale_and_offset();
        let nodata = nodata.or_else(|| band.nodata());
        Self { data_type: band.data_type(), nodata, scale, offset, base: 0.0 }
    }

    /// For 64-bit numbers that were made from a band's and hold NaN where it has none.
    pub fn wide(band: Band) -> Self {
        let (scale, offset) = band.scale_and_offset();
        Self { data_type: GDALDataType::GDT_Float64, nodata: None, scale, offset, base: 0.0 }
    }

    /// Whether cells can be read straight into the output.
    pub fn is_direct(&self) -> bool {
        self.data_type == GDALDataType::GDT_Float32 && self.is_unscaled()
    }

    /// Whether cells are elevations as they stand.
    pub fn is_unscaled(&self) -> bool {
        self.scale == 1.0 && self.offset == 0.0
    }

    /// Turns nodata and what can be no height of a direct band into NaN.
    pub fn mark_missing(&self, cells: &mut [f32]) {
        let nodata = self.nodata.map_or(f32::NAN, |value| value as f32);
        for cell in cells {
            *cell = if *cell != nodata && is_height(*cell) { *cell } else { f32::NAN };
        }
    }

    /// A file's -9999.9 is another number once it has been narrowed to the type of the cells.
    fn is_nodata(&self, raw: f64) -> bool {
        self.nodata.is_some_and(|nodata| match self.data_type {
            GDALDataType::GDT_Float32 => raw as f32 == nodata as f32,
            _ => raw == nodata,
        })
    }

    /// One elevation from a raw number.
    pub fn elevation(&self, raw: f64) -> f64 {
        let elevation = raw * self.scale + self.offset;
        if self.is_nodata(raw) || !elevation.is_finite() {
            f64::NAN
        } else {
            elevation
        }
    }

    /// One cell of a tile; what can be no height is missing.
    pub fn cell(&self, raw: f64) -> f32 {
        let cell = (self.elevation(raw) - self.base) as f32;
        if is_height(cell) {
            cell
        } else {
            f32::NAN
        }
    }

    /// Converts raw cells; `wide` is room for some of them as 64-bit numbers.
    pub fn convert(&self, gdal: &Gdal, raw: &[u8], wide: &mut Vec<f64>, cells: &mut [f32]) {
        // SAFETY: takes any value.
        let bytes = unsafe { (gdal.GDALGetDataTypeSizeBytes)(self.data_type) }.max(1) as usize;
        // In pieces that stay in the cache: a block of 64-bit numbers would be memory beyond the plan.
        for (cells, raw) in cells.chunks_mut(PIECE).zip(raw.chunks(PIECE * bytes)) {
            self.widen(gdal, raw, wide, cells.len());
            for (cell, raw) in cells.iter_mut().zip(wide.iter()) {
                *cell = self.cell(*raw);
            }
        }
    }

    /// Raw cells of any type as 64-bit numbers.
    fn widen(&self, gdal: &Gdal, raw: &[u8], wide: &mut Vec<f64>, count: usize) {
        wide.resize(count, 0.0);
        // SAFETY: takes any value.
        let bytes = unsafe { (gdal.GDALGetDataTypeSizeBytes)(self.data_type) };
        assert!(raw.len() >= count * bytes as usize, "blocks are read whole");
        // SAFETY: `raw` holds `count` cells of this type (checked above), `wide` has room for as many doubles; the
        // count is that of a piece at most.
        unsafe {
            (gdal.GDALCopyWords)(
                raw.as_ptr().cast::<c_void>(),
                self.data_type,
                bytes,
                wide.as_mut_ptr().cast::<c_void>(),
                GDALDataType::GDT_Float64,
                8,
                count as i32,
            );
        }
    }
}
