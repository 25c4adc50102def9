//! What stands beside the cells of a band and says what they mean: colours and names of classes, metadata.

use super::binding::{text, Gdal};
use super::dataset::{Band, Dataset};
use super::options::OptionList;
use crate::core::error::Result;
use crate::core::operation::Role;
use gdal_sys::{GDALColorEntry, GDALColorInterp, GDALPaletteInterp};
use libc::c_int;

/// Metadata that hold for the cells of one file only.
const STATISTICS: &str = "STATISTICS_";

/// What a file says of a band, to be said of another with the same cells.
#[derive(Debug, Clone, Default)]
pub struct BandNotes {
    /// Red, green, blue and alpha of each number, from 0.
    colours: Vec<GDALColorEntry>,
    /// Names of classes, from 0.
    categories: Vec<String>,
    /// Keys and values of the usual domain.
    metadata: Vec<(String, String)>,
}

impl BandNotes {
    /// Those of band number `index`, from 1.
    pub fn of(dataset: &Dataset, index: usize) -> Result<Self> {
        let band = dataset.band(index)?;
        let mut metadata = band.all_metadata();
        metadata.retain(|(key, _)| !key.starts_with(STATISTICS));
        Ok(Self {
            colours: colours(dataset.gdal(), band),
            categories: categories(dataset.gdal(), band),
            metadata,
        })
    }

    /// Whether cells are numbers of classes.
    pub fn has_classes(&self) -> bool {
        self.has_colours() || !self.categories.is_empty()
    }

    pub(super) fn has_colours(&self) -> bool {
        !self.colours.is_empty()
    }

    /// Keys and values of the usual domain.
    pub(super) fn metadata(&self) -> &[(String, String)] {
        &self.metadata
    }

    /// Says it of a band being written. Not every format has a place for colours and names: those that have none, such as a
    /// GeoTIFF of several bands for colours, go without.
    pub(super) fn set_classes(&self, gdal: &Gdal, band: Band) {
        if !self.colours.is_empty() {
            gdal.call(|gdal| {
                // SAFETY: the band's dataset is open and copies the table, which is made and destroyed here; the entries
                // are live.
                unsafe {
                    let table = (gdal.GDALCreateColorTable)(GDALPaletteInterp::GPI_RGB);
                    for (number, colour) in self.colours.iter().enumerate() {
                        (gdal.GDALSetColorEntry)(table, number as c_int, colour);
                    }
                    (gdal.GDALSetRasterColorTable)(band.raw(), table);
                    (gdal.GDALDestroyColorTable)(table);
                }
            });
        }
        let names: Vec<&str> = self.categories.iter().map(String::as_str).collect();
        if let (false, Ok(names)) = (names.is_empty(), OptionList::of_words(&names)) {
            // SAFETY: the band's dataset is open and copies the list, which ends with NULL.
            gdal.call(|gdal| unsafe { (gdal.GDALSetRasterCategoryNames)(band.raw(), names.as_ptr()) });
        }
    }
}

fn colours(gdal: &Gdal, band: Band) -> Vec<GDALColorEntry> {
    // SAFETY: the band's dataset is open and keeps the table, which is not NULL where it is asked; entries that are there
    // are copied at once.
    unsafe {
        let table = (gdal.GDALGetRasterColorTable)(band.raw());
        if table.is_null() || (gdal.GDALGetPaletteInterpretation)(table) != GDALPaletteInterp::GPI_RGB {
            return Vec::new();
        }
        let entries =
            (0..(gdal.GDALGetColorEntryCount)(table)).map(|number| (gdal.GDALGetColorEntry)(table, number));
        entries.take_while(|entry| !entry.is_null()).map(|entry| *entry).collect()
    }
}

fn categories(gdal: &Gdal, band: Band) -> Vec<String> {
    let mut names = Vec::new();
    // SAFETY: the band's dataset is open and keeps the list, which is NULL or C strings that end with NULL.
    unsafe {
        let mut place = (gdal.GDALGetRasterCategoryNames)(band.raw());
        while !place.is_null() && !(*place).is_null() {
            names.push(text(*place));
            place = place.add(1);
        }
    }
    names
}

/// What band number `index`, from 1, is in a picture.
pub fn role_of(dataset: &Dataset, index: usize) -> Result<Role> {
    let band = dataset.band(index)?.raw();
    // SAFETY: the dataset is open.
    let colour = unsafe { (dataset.gdal().GDALGetRasterColorInterpretation)(band) };
    Ok(match colour {
        GDALColorInterp::GCI_RedBand => Role::Red,
        GDALColorInterp::GCI_GreenBand => Role::Green,
        GDALColorInterp::GCI_BlueBand => Role::Blue,
        GDALColorInterp::GCI_AlphaBand => Role::Alpha,
        _ => Role::Value,
    })
}
