//! Where the cells of the elevations lie in another raster.

use super::dataset::{Dataset, GeoTransform};
use super::options::OptionList;
use super::raster::{RasterFacts, RasterGrid};
use super::Gdal;
use crate::core::error::{Error, Result};
use libc::{c_int, c_void};

/// Points along each side of the elevations at which another raster is looked at.
const SAMPLES: usize = 21;

/// Least share of a cell that counts as a difference: what is nearer lies on the same grid.
const SAME_PLACE: f64 = 1e-3;

/// Overlap is looked for so much wider than what the samples cover under another reference system: the line between two
/// of them may be bent.
const BEND: f64 = 0.02;

/// No cell is so many times longer than another one of the same elevations, unless it spans the meridian at which
/// longitudes jump.
const JUMP: f64 = 4.0;

/// The grid to which a raster is brought.
#[derive(Debug, Clone)]
pub struct TargetGrid {
    /// Rows and columns.
    pub size: (usize, usize),
    /// Position.
    pub transform: GeoTransform,
    /// Reference system; None when it is that of the raster.
    pub reference: Option<String>,
}

impl TargetGrid {
    /// The same grid; one without position counts rows and columns.
    pub fn of(grid: &RasterGrid) -> Self {
        let transform = grid.transform.unwrap_or([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        Self { size: grid.size, transform, reference: grid.reference.clone() }
    }

    /// Between which coordinates it lies, for messages.
    pub fn extent(&self) -> String {
        let (transform, reference) = (Some(self.transform), self.reference.clone());
        RasterGrid { size: self.size, transform, reference }.extent()
    }
}

/// Whether no part of a raster lies under `target`.
pub fn lies_beside(gdal: &'static Gdal, facts: &RasterFacts, target: &TargetGrid) -> Result<bool> {
    gdal.without_folder_listing();
    let dataset = Dataset::open_level(gdal, &facts.name, facts.level)?;
    let transformer = Transformer::new(&dataset, target)?;
    Ok(!Placement::of(&dataset, target, &transformer).overlaps)
}

/// From columns and rows of a target to those of a raster.
pub struct Transformer {
    gdal: &'static Gdal,
    handle: *mut c_void,
}

impl Transformer {
    /// The exact way, point by point, from `target` to `dataset`, which must have a geotransform.
    pub fn new(dataset: &Dataset, target: &TargetGrid) -> Result<Self> {
        let gdal = dataset.gdal();
        let mut options = vec![("SRC_METHOD".to_string(), "GEOTRANSFORM".to_string())];
        options.extend(target.reference.iter().map(|text| ("DST_SRS".to_string(), text.clone())));
        let options = OptionList::new(&options)?;
        let (handle, said) = gdal.call(|gdal| {
            // SAFETY: the dataset is open; no target dataset means coordinates; the list ends with NULL.
            unsafe {
                (gdal.GDALCreateGenImgProjTransformer2)(dataset.raw(), std::ptr::null_mut(), options.as_ptr())
            }
        });
        if handle.is_null() {
            let (name, reason) = (dataset.name(), said.cause());
            return Err(Error::Unsupported(format!(
                "'{name}' cannot be brought to the grid of the elevations: {reason}; \
                 allowed: a reference system that GDAL can transform"
            )));
        }
        // SAFETY: a transformer that GDAL has just made; the array has six places.
        unsafe {
            (gdal.GDALSetGenImgProjTransformerDstGeoTransform)(handle, target.transform.as_ptr());
        }
        Ok(Self { gdal, handle })
    }

    /// Longitude of the middle of a raster, if it has a position on the earth.
    pub fn longitude(dataset: &Dataset) -> Option<f64> {
        let (size, transform) = (dataset.size(), [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        dataset.geotransform()?;
        dataset.reference_text()?;
        let reference = Some("EPSG:4326".to_string());
        let transformer = Self::new(dataset, &TargetGrid { size, transform, reference }).ok()?;
        let (mut col, mut row, mut height) = (size.1 as f64 / 2.0, size.0 as f64 / 2.0, 0.0);
        let mut success: c_int = 0;
        transformer.gdal.call(|gdal| {
            // SAFETY: the transformer lives; all four places hold one point.
            unsafe {
                (gdal.GDALGenImgProjTransform)(
                    transformer.handle,
                    0,
                    1,
                    &mut col,
                    &mut row,
                    &mut height,
                    &mut success,
                )
            }
        });
        (success != 0 && col.is_finite()).then_some(col)
    }

    /// For GDAL's warper; valid as long as the transformer.
    pub(super) fn raw(&self) -> *mut c_void {
        self.handle
    }

    /// Columns and rows of the target as those of the raster; None where the transformation fails.
    fn apply(&self, points: &[(f64, f64)]) -> Vec<Option<(f64, f64)>> {
        let (mut cols, mut rows): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let (mut heights, mut success) = (vec![0.0; points.len()], vec![0 as c_int; points.len()]);
        self.gdal.call(|gdal| {
            // SAFETY: the transformer lives; all four arrays have as many places as there are points.
            unsafe {
                (gdal.GDALGenImgProjTransform)(
                    self.handle,
                    1,
                    points.len() as c_int,
                    cols.as_mut_ptr(),
                    rows.as_mut_ptr(),
                    heights.as_mut_ptr(),
                    success.as_mut_ptr(),
                )
            }
        });
        let places = cols.into_iter().zip(rows).zip(success);
        let valid = |((col, row), success): ((f64, f64), c_int)| {
            (success != 0 && col.is_finite() && row.is_finite()).then_some((col, row))
        };
        places.map(valid).collect()
    }
}

impl Drop for Transformer {
    fn drop(&mut self) {
        // SAFETY: made by GDAL, and not used again.
        self.gdal.call(|gdal| unsafe { (gdal.GDALDestroyGenImgProjTransformer)(self.handle) });
    }
}

/// How a raster lies under a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Some cells of the target may lie in the raster.
    pub overlaps: bool,
    /// Cells of both lie on one another.
    pub same_grid: bool,
    /// Columns and rows of the raster along a cell of the target, on the average.
    pub density: (f64, f64),
    /// Most columns and rows of the raster that a cell of the target touches.
    pub spread: (f64, f64),
}

impl Placement {
    /// Looks at a pattern of points of `target`.
    pub fn of(dataset: &Dataset, target: &TargetGrid, transformer: &Transformer) -> Self {
        let (rows, cols) = target.size;
        let share = |index: usize, side: usize| index as f64 * side as f64 / (SAMPLES - 1) as f64;
        let points: Vec<(f64, f64)> = (0..SAMPLES * SAMPLES)
            .map(|index| (share(index % SAMPLES, cols), share(index / SAMPLES, rows)))
            .collect();
        let moved = |right: f64, down: f64| {
            let moved = points.iter().map(|(col, row)| (col + right, row + down));
            transformer.apply(&moved.collect::<Vec<_>>())
        };
        let (here, right, below) = (moved(0.0, 0.0), moved(1.0, 0.0), moved(0.0, 1.0));
        let same = points.iter().zip(&here).all(|(from, to)| {
            to.is_some_and(|to| (from.0 - to.0).abs().max((from.1 - to.1).abs()) < SAME_PLACE)
        });
        let mut steps: Vec<Step> = here
            .iter()
            .zip(right.iter().zip(&below))
            .filter_map(|(here, (right, below))| Step::of((*here)?, (*right)?, (*below)?))
            .collect();
        let shortest = steps.iter().map(Step::length).fold(f64::INFINITY, f64::min);
        steps.retain(|step| step.length() <= JUMP * shortest);
        let size = dataset.size();
        // What lies beside the raster says little of how cells meet in it.
        let inside: Vec<Step> = steps.iter().copied().filter(|step| step.starts_in(size)).collect();
        let steps = if inside.is_empty() { steps } else { inside };
        Self {
            overlaps: overlaps(&here, size, if target.reference.is_some() { BEND } else { 0.0 }),
            same_grid: same && size == target.size,
            density: Step::mean(&steps),
            spread: Step::most(&steps),
        }
    }
}

/// Where a cell of the target lies in the raster, as changes of column and row.
#[derive(Debug, Clone, Copy)]
struct Step {
    from: (f64, f64),
    right: (f64, f64),
    below: (f64, f64),
}

impl Step {
    fn of(from: (f64, f64), right: (f64, f64), below: (f64, f64)) -> Option<Self> {
        let change = |to: (f64, f64)| (to.0 - from.0, to.1 - from.1);
        let step = Self { from, right: change(right), below: change(below) };
        (step.length() > 0.0).then_some(step)
    }

    fn length(&self) -> f64 {
        self.right.0.hypot(self.right.1) + self.below.0.hypot(self.below.1)
    }

    fn starts_in(&self, (rows, cols): (usize, usize)) -> bool {
        (0.0..=cols as f64).contains(&self.from.0) && (0.0..=rows as f64).contains(&self.from.1)
    }

    /// Lengths along columns and rows of the raster, whatever way the cell is turned.
    fn mean(steps: &[Self]) -> (f64, f64) {
        let count = steps.len().max(1) as f64;
        let sum = |length: fn(&Self) -> f64| steps.iter().map(length).sum::<f64>() / count;
        (sum(|step| step.right.0.hypot(step.below.0)), sum(|step| step.right.1.hypot(step.below.1)))
    }

    fn most(steps: &[Self]) -> (f64, f64) {
        let most = |length: fn(&Self) -> f64| steps.iter().map(length).fold(0.0, f64::max);
        (
            most(|step| step.right.0.abs() + step.below.0.abs()),
            most(|step| step.right.1.abs() + step.below.1.abs()),
        )
    }
}

/// Whether the box around the points, wider by a share of itself, reaches into a raster of this size.
fn overlaps(points: &[Option<(f64, f64)>], (rows, cols): (usize, usize), bend: f64) -> bool {
    let meets = |part: fn(&(f64, f64)) -> f64, side: usize| {
        let parts = points.iter().flatten().map(part);
        let (low, high) = parts
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), part| (low.min(part), high.max(part)));
        let bend = (high - low) * bend;
        low - bend < side as f64 && high + bend > 0.0
    };
    meets(|point| point.0, cols) && meets(|point| point.1, rows)
}
