//! A raster that a layer shows, brought to the grid of the elevations.

use super::dataset::{Dataset, GeoTransform};
use super::source::GdalSource;
use super::transform::{Placement, TargetGrid, Transformer};
use super::warp::WarpedSource;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{Layout, Reader, Source};
use crate::pipeline::plan::LayerNeeds;
use crate::recipe::RasterReference;
use ndarray::ArrayViewMut2;

/// Least share of a cell by which the corners of two rasters differ when they do not lie on the same grid.
const SAME_CORNER: f64 = 1e-3;

/// A band of any raster as a source on the grid of the elevations.
pub struct RasterLayer {
    /// What messages begin with.
    place: String,
    files: Vec<String>,
    way: Way,
}

/// How its cells come.
enum Way {
    /// As they are: the raster has the grid of the elevations.
    Direct(Box<GdalSource>),
    /// Through GDAL's warper.
    Warped(Box<WarpedSource>),
}

impl RasterLayer {
    /// Opens the raster that the layer called `layer` shows, with the GDAL of the elevations.
    pub fn open(layer: &str, raster: &RasterReference, elevations: &GdalSource) -> Result<Self> {
        let place = format!("layer '{layer}'");
        match open(raster, elevations) {
            Ok((files, way)) => Ok(Self { place, files, way }),
            Err(error) => Err(error.at(&place)),
        }
    }

    /// Files it consists of.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Bytes that decoded blocks may take.
    pub fn set_cache(&self, bytes: usize) {
        match &self.way {
            Way::Direct(source) => source.set_cache(bytes),
            Way::Warped(source) => source.set_cache(bytes),
        }
    }

    /// What all of them ask of a plan.
    pub fn needs<'a>(layers: impl Iterator<Item = &'a Self> + Clone) -> LayerNeeds {
        let readers = layers.clone().map(|layer| match &layer.way {
            Way::Direct(source) => source.raw_block_bytes(),
            Way::Warped(source) => source.reader_bytes(),
        });
        let caches = layers.clone().map(|layer| match &layer.way {
            Way::Direct(_) => 0,
            Way::Warped(source) => source.gdal_cache(),
        });
        LayerNeeds {
            layouts: layers.map(Source::layout).collect(),
            readers: readers.fold(0, usize::saturating_add),
            shared: caches.max().unwrap_or(0),
            ..LayerNeeds::default()
        }
    }
}

impl Source for RasterLayer {
    fn layout(&self) -> Layout {
        match &self.way {
            Way::Direct(source) => source.layout(),
            Way::Warped(source) => source.layout(),
        }
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        let opened = match &self.way {
            Way::Direct(source) => source.open(),
            Way::Warped(source) => source.open(),
        };
        let inner = opened.map_err(|error| error.at(&self.place))?;
        Ok(Box::new(LayerReader { place: &self.place, inner }))
    }
}

/// A reader whose errors name the layer.
struct LayerReader<'a> {
    place: &'a str,
    inner: Box<dyn Reader + 'a>,
}

impl Reader for LayerReader<'_> {
    fn read(&mut self, window: Window, out: ArrayViewMut2<'_, f32>) -> Result<()> {
        self.inner.read(window, out).map_err(|error| error.at(self.place))
    }
}

/// The files of a raster, and how its cells come to the elevations.
fn open(raster: &RasterReference, elevations: &GdalSource) -> Result<(Vec<String>, Way)> {
    let gdal = elevations.gdal();
    let dataset = Dataset::open(gdal, &raster.path)?;
    dataset.real_band(raster.band)?;
    let files = dataset.files();
    let target = match relation(&dataset, &elevations.dataset())? {
        Relation::SameGrid => None,
        Relation::Across(target) => Some(target),
    };
    let way = match target {
        None => direct(dataset, raster.band, elevations)?,
        Some(target) => {
            let transformer = Transformer::new(&dataset, &target)?;
            let placement = Placement::of(&dataset, &target, &transformer);
            if !placement.overlaps {
                return Err(Error::Unsupported(format!(
                    "'{}' lies beside '{}'; allowed: a raster that covers at least a part of it",
                    dataset.name(),
                    elevations.name()
                )));
            }
            if placement.same_grid {
                direct(dataset, raster.band, elevations)?
            } else {
                Way::Warped(Box::new(WarpedSource::new(&dataset, raster.band, target, placement)?))
            }
        }
    };
    Ok((files, way))
}

fn direct(dataset: Dataset, band: usize, elevations: &GdalSource) -> Result<Way> {
    Ok(Way::Direct(Box::new(GdalSource::of_values(dataset, band, *elevations.grid())?)))
}

/// How a raster lies to the elevations.
enum Relation {
    SameGrid,
    /// There may be a way from these cells of the elevations to those of the raster.
    Across(TargetGrid),
}

/// What position and reference system of both say; where one lacks them, only the same grid is allowed.
fn relation(raster: &Dataset, elevations: &Dataset) -> Result<Relation> {
    let (name, ground) = (raster.name(), elevations.name());
    let size = elevations.size();
    let transforms = (raster.geotransform(), elevations.geotransform());
    let same_grid = raster.size() == size
        && match transforms {
            (Some(first), Some(second)) => same_corners(&first, &second, size),
            (first, second) => first.is_none() && second.is_none(),
        };
    let (own, reference) = (raster.reference_text(), elevations.reference_text());
    let shared = own.is_none() && reference.is_none() || raster.shares_reference(elevations);
    if same_grid && (shared || own.is_none() || reference.is_none()) {
        return Ok(Relation::SameGrid);
    }
    let only_same = "allowed: both, or the very same grid";
    let lacking = |own: bool| if own { (name, ground) } else { (ground, name) };
    let transform = match transforms {
        (Some(_), Some(transform)) => transform,
        (first, _) => {
            let (without, other) = lacking(first.is_none());
            return Err(Error::Unsupported(format!(
                "'{without}' has no position (geotransform) by which '{other}' could meet it; {only_same}"
            )));
        }
    };
    if own.is_some() != reference.is_some() {
        let (without, other) = lacking(own.is_none());
        return Err(Error::Unsupported(format!(
            "'{without}' has no reference system, '{other}' has one; {only_same}"
        )));
    }
    let reference = reference.filter(|_| !shared);
    Ok(Relation::Across(TargetGrid { size, transform, reference }))
}

/// Whether all corners of two rasters of one size lie in the same places.
fn same_corners(first: &GeoTransform, second: &GeoTransform, (rows, cols): (usize, usize)) -> bool {
    let (rows, cols) = (rows as f64, cols as f64);
    let allowed = SAME_CORNER * second[1].hypot(second[4]).min(second[2].hypot(second[5]));
    [(0.0, 0.0), (0.0, cols), (rows, 0.0), (rows, cols)].iter().all(|(row, col)| {
        let corner = |t: &GeoTransform| (t[0] + col * t[1] + row * t[2], t[3] + col * t[4] + row * t[5]);
        let (first, second) = (corner(first), corner(second));
        (first.0 - second.0).abs().max((first.1 - second.1).abs()) <= allowed
    })
}
