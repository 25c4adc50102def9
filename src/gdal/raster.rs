//! What a raster says of itself: grid, bands, date. Cells are read in `stack.rs`.

use super::dataset::{Band, Dataset, GeoTransform};
use super::options::c_string;
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::stack::cells::CellType;
use gdal_sys::GDALDataType;

/// Share of a cell by which grids may differ and still be the same one.
const SAME_GRID: f64 = 1e-6;

/// Most rows or columns of a raster: GDAL counts them in 32 bits.
const MOST_CELLS: f64 = i32::MAX as f64;

/// `GDT_Int8`, which GDAL has since 3.7; bindings for older versions do not carry it.
const GDT_INT8: GDALDataType::Type = 14;

/// Size and place of a raster.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterGrid {
    /// Rows and columns.
    pub size: (usize, usize),
    /// Position; None where the file has none.
    pub transform: Option<GeoTransform>,
    /// Reference system as text.
    pub reference: Option<String>,
}

impl RasterGrid {
    /// Of an open raster.
    pub fn of(dataset: &Dataset) -> Self {
        Self { size: dataset.size(), transform: dataset.geotransform(), reference: dataset.reference_text() }
    }

    /// Whether cells of both lie on one another, in one reference system.
    pub fn is_same(&self, other: &Self) -> bool {
        self.reference == other.reference && self.has_same_cells(other)
    }

    /// The same of the numbers alone, whatever the reference systems are.
    pub fn has_same_cells(&self, other: &Self) -> bool {
        let places = match (&self.transform, &other.transform) {
            (Some(first), Some(second)) => same_corners(first, second, self.size),
            (first, second) => first.is_none() && second.is_none(),
        };
        self.size == other.size && places
    }

    /// Width and height of a cell.
    pub fn resolution(&self) -> (f64, f64) {
        self.transform.map_or((1.0, 1.0), |t| (t[1].hypot(t[4]), t[2].hypot(t[5])))
    }

    /// In words, for messages.
    pub fn describe(&self) -> String {
        let (rows, cols) = self.size;
        let Some(t) = &self.transform else { return format!("{cols} x {rows} cells without position") };
        let (width, height) = self.resolution();
        let reference = self.reference.as_deref().map_or("without reference system", short_name);
        format!("{cols} x {rows} cells of {width} x {height} from ({}, {}) {reference}", t[0], t[3])
            .trim_end()
            .into()
    }

    /// Between which coordinates it lies, for messages.
    pub fn extent(&self) -> String {
        let Some(t) = &self.transform else { return "without position".into() };
        let (rows, cols) = (self.size.0 as f64, self.size.1 as f64);
        let corners = [(0.0, 0.0), (cols, 0.0), (0.0, rows), (cols, rows)];
        let ends = |at: &dyn Fn((f64, f64)) -> f64| {
            let places = corners.map(at);
            let low = places.iter().copied().fold(f64::INFINITY, f64::min);
            (low, places.into_iter().fold(f64::NEG_INFINITY, f64::max))
        };
        let (left, right) = ends(&|(col, row)| t[0] + col * t[1] + row * t[2]);
        let (low, high) = ends(&|(col, row)| t[3] + col * t[4] + row * t[5]);
        let reference = self.reference.as_deref().map_or("", short_name);
        format!("x {left} to {right}, y {low} to {high} {reference}").trim_end().into()
    }

    /// The grid of the same extent whose cells have this width and height. Refuses one with more rows or columns than GDAL
    /// counts.
    pub fn with_resolution(&self, side: f64) -> Result<Self> {
        let Some(t) = self.transform else {
            return Err(Error::Unsupported(
                "a raster without position has no resolution; allowed: no --resolution".into(),
            ));
        };
        let (width, height) = self.resolution();
        let (across, down) = (side / width, side / height);
        let count = |cells: usize, share: f64| (cells as f64 / share - SAME_GRID).ceil().max(1.0);
        let (rows, cols) = (count(self.size.0, down), count(self.size.1, across));
        if rows.max(cols) > MOST_CELLS {
            let (high, wide) = (self.size.0 as f64 * height, self.size.1 as f64 * width);
            let least = high.max(wide) / MOST_CELLS;
            return Err(Error::Argument(format!(
                "resolution = {side:e} makes {rows:.0} rows of {cols:.0} cells; allowed: at least {least:e}, which makes \
                 {MOST_CELLS}"
            )));
        }
        let size = (rows as usize, cols as usize);
        let transform = [t[0], t[1] * across, t[2] * down, t[3], t[4] * across, t[5] * down];
        Ok(Self { size, transform: Some(transform), reference: self.reference.clone() })
    }
}

/// The name of a reference system, which is the first text in its definition.
fn short_name(definition: &str) -> &str {
    definition.split('"').nth(1).unwrap_or("")
}

/// Whether all corners of two rasters of one size lie in the same places.
fn same_corners(first: &GeoTransform, second: &GeoTransform, (rows, cols): (usize, usize)) -> bool {
    let (rows, cols) = (rows as f64, cols as f64);
    let allowed = SAME_GRID * second[1].hypot(second[4]).min(second[2].hypot(second[5]));
    [(0.0, 0.0), (0.0, cols), (rows, 0.0), (rows, cols)].iter().all(|(row, col)| {
        let corner = |t: &GeoTransform| (t[0] + col * t[1] + row * t[2], t[3] + col * t[4] + row * t[5]);
        let (first, second) = (corner(first), corner(second));
        (first.0 - second.0).abs().max((first.1 - second.1).abs()) <= allowed
    })
}

/// What a band says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct BandFacts {
    /// Its description, or empty.
    pub name: String,
    /// Type of its cells.
    pub cell_type: CellType,
    /// Value that means nodata.
    pub nodata: Option<f64>,
    /// What cells are multiplied by, and what is added then.
    pub scale: (f64, f64),
    /// Unit of its values, or empty.
    pub unit: String,
    /// Rows and columns of a block.
    pub block: (usize, usize),
    /// Another band says which cells are valid.
    pub masked: bool,
    /// That band is alpha.
    pub masked_by_alpha: bool,
    /// It says how opaque cells are.
    pub is_alpha: bool,
}

/// What a raster says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct RasterFacts {
    /// File name.
    pub name: String,
    /// Overview that was opened in place of the raster.
    pub level: Option<usize>,
    /// Where it lies.
    pub grid: RasterGrid,
    /// Its bands.
    pub bands: Vec<BandFacts>,
    /// Rows and columns of the overviews of its first band.
    pub overviews: Vec<(usize, usize)>,
    /// When it was taken, as its metadata says it.
    pub date: Option<String>,
    /// Files it consists of.
    pub files: Vec<String>,
    /// Cells come from other rasters.
    pub is_virtual: bool,
    /// Cells of all bands stand together in the file.
    pub interleaved: bool,
}

impl RasterFacts {
    /// Opens a raster, or one of its overviews, looks and closes it.
    pub fn read(gdal: &'static Gdal, name: &str, level: Option<usize>) -> Result<Self> {
        gdal.without_folder_listing();
        let dataset = Dataset::open(gdal, name)?;
        let overviews = dataset.band(1).map_or(Vec::new(), |band| {
            (0..band.overviews()).map(|index| band.overview(index).size()).collect()
        });
        let Some(wanted) = level else { return Self::of(&dataset, overviews, None) };
        if wanted >= overviews.len() {
            let count = overviews.len();
            let allowed =
                if count == 0 { "none, it has no overviews".into() } else { format!("0 to {}", count - 1) };
            return Err(Error::Argument(format!("'{name}' has no overview {wanted}; allowed: {allowed}")));
        }
        Self::of(&Dataset::open_level(gdal, name, level)?, overviews, level)
    }

    fn of(dataset: &Dataset, overviews: Vec<(usize, usize)>, level: Option<usize>) -> Result<Self> {
        let name = dataset.name().to_string();
        // Says what can be done about a file that holds subdatasets only.
        dataset.band(1)?;
        let bands = (1..=dataset.bands()).map(|index| band_facts(dataset.real_band(index)?, &name));
        let mut bands = bands.collect::<Result<Vec<_>>>()?;
        if let ([band], "Zarr") = (&mut bands[..], dataset.driver().as_str()) {
            // What GDAL reads as metadata of the whole.
            let name = dataset.metadata("long_name", "").filter(|_| band.name.is_empty());
            band.name = name.unwrap_or_else(|| std::mem::take(&mut band.name));
        }
        if bands.len() > 1 {
            // It is nodata of the other bands: what is transparent is not missing.
            bands.iter_mut().filter(|band| band.is_alpha).for_each(|band| band.nodata = None);
        }
        let imagery = dataset.metadata("ACQUISITIONDATETIME", "IMAGERY");
        Ok(Self {
            level,
            grid: RasterGrid::of(dataset),
            bands,
            overviews,
            date: imagery.or_else(|| dataset.metadata("TIFFTAG_DATETIME", "")),
            files: dataset.files(),
            is_virtual: dataset.driver() == "VRT",
            interleaved: dataset.metadata("INTERLEAVE", "IMAGE_STRUCTURE").as_deref() == Some("PIXEL"),
            name,
        })
    }
}

fn band_facts(band: Band, name: &str) -> Result<BandFacts> {
    let cell_type = cell_type(band.data_type()).ok_or_else(|| {
        Error::Unsupported(format!("'{name}': cells of an unknown type; allowed: real numbers"))
    })?;
    let cell_type = if has_signed_bytes(band) { CellType::Int8 } else { cell_type };
    Ok(BandFacts {
        name: band.description(),
        cell_type,
        nodata: band.nodata(),
        scale: band.scale_and_offset(),
        unit: band.unit(),
        block: band.block_size(),
        masked: band.mask().is_some(),
        masked_by_alpha: band.is_masked_by_alpha(),
        is_alpha: band.is_alpha(),
    })
}

/// Whether a band whose type says bytes without a sign has some with one: before 3.7, GDAL told it in metadata alone.
pub(super) fn has_signed_bytes(band: Band) -> bool {
    band.data_type() == GDALDataType::GDT_Byte
        && band.metadata("PIXELTYPE", "IMAGE_STRUCTURE").as_deref() == Some("SIGNEDBYTE")
}

/// GDAL's types and ours.
const TYPES: [(GDALDataType::Type, CellType); 10] = [
    (GDALDataType::GDT_Byte, CellType::UInt8),
    (GDT_INT8, CellType::Int8),
    (GDALDataType::GDT_UInt16, CellType::UInt16),
    (GDALDataType::GDT_Int16, CellType::Int16),
    (GDALDataType::GDT_UInt32, CellType::UInt32),
    (GDALDataType::GDT_Int32, CellType::Int32),
    (GDALDataType::GDT_UInt64, CellType::UInt64),
    (GDALDataType::GDT_Int64, CellType::Int64),
    (GDALDataType::GDT_Float32, CellType::Float32),
    (GDALDataType::GDT_Float64, CellType::Float64),
];

fn cell_type(data_type: GDALDataType::Type) -> Option<CellType> {
    TYPES.iter().find(|(theirs, _)| *theirs == data_type).map(|(_, ours)| *ours)
}

/// GDAL's name of a type of numbers.
pub fn gdal_cell_type(cell_type: CellType) -> GDALDataType::Type {
    TYPES.iter().find(|(_, ours)| *ours == cell_type).map_or(GDALDataType::GDT_Unknown, |(theirs, _)| *theirs)
}

impl Gdal {
    /// Opens a raster for reading.
    pub fn open_raster(&'static self, name: &str) -> Result<Dataset> {
        Dataset::open(self, name)
    }

    /// Whether two texts define one reference system.
    pub fn is_same_reference(&self, first: &str, second: &str) -> bool {
        let (Ok(first), Ok(second)) = (c_string(first), c_string(second)) else { return false };
        let (same, _) = self.call(|gdal| {
            // SAFETY: the texts end with NUL; what GDAL makes of them is NULL or lives until it is destroyed here.
            unsafe {
                let first = (gdal.OSRNewSpatialReference)(first.as_ptr());
                let second = (gdal.OSRNewSpatialReference)(second.as_ptr());
                let same = !first.is_null() && !second.is_null() && (gdal.OSRIsSame)(first, second) != 0;
                (gdal.OSRDestroySpatialReference)(first);
                (gdal.OSRDestroySpatialReference)(second);
                same
            }
        });
        same
    }

    /// Files beside a raster (masks, overviews, statistics) are asked for by name on this thread, instead of listing the
    /// folder for each raster: a stack may have a thousand in one.
    pub fn without_folder_listing(&self) {
        // SAFETY: both strings end with NUL; GDAL copies them.
        unsafe {
            (self.CPLSetThreadLocalConfigOption)(c"GDAL_DISABLE_READDIR_ON_OPEN".as_ptr(), c"TRUE".as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(left: f64, width: f64) -> RasterGrid {
        let transform = Some([left, width, 0.0, 4500.0, 0.0, -width]);
        RasterGrid { size: (100, 80), transform, reference: Some("PROJCRS[\"Zone 18\",…]".into()) }
    }

    #[test]
    fn a_millionth_of_a_cell_decides() {
        let first = grid(300.0, 30.0);
        assert!(first.is_same(&grid(300.0 + 2e-5, 30.0)));
        assert!(!first.is_same(&grid(300.0 + 4e-5, 30.0)));
        assert!(!first.is_same(&grid(300.0, 30.0 + 1e-6)), "a hundred cells away it is more than that");
        assert!(!first.is_same(&RasterGrid { reference: Some("other".into()), ..first.clone() }));
        let plain = RasterGrid { reference: None, ..first.clone() };
        assert!(!first.is_same(&plain) && first.has_same_cells(&plain) && plain.is_same(&plain));
        assert_eq!(plain.describe(), "80 x 100 cells of 30 x 30 from (300, 4500) without reference system");
        assert!(!first.is_same(&RasterGrid { transform: None, ..first.clone() }));
        assert_eq!(first.describe(), "80 x 100 cells of 30 x 30 from (300, 4500) Zone 18");
    }

    #[test]
    fn a_coarser_grid_covers_the_same_ground() {
        let coarse = grid(300.0, 30.0).with_resolution(60.0).unwrap();
        assert_eq!((coarse.size, coarse.transform.unwrap()[1]), ((50, 40), 60.0));
        let odd = grid(300.0, 30.0).with_resolution(90.0).unwrap();
        assert_eq!(odd.size, (34, 27));
    }

    #[test]
    fn grids_that_gdal_cannot_count_are_refused() {
        let fine = |side: f64| grid(300.0, 30.0).with_resolution(side);
        let said = fine(1e-12).unwrap_err().to_string();
        assert!(
            said.starts_with("resolution = 1e-12 makes 3000000000000000 rows of 2400000000000000"),
            "{said}"
        );
        let least = said.split("at least ").nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(fine(least.parse().unwrap()).unwrap().size.0, i32::MAX as usize);
    }
}
