//! Files that lie wholly beside the grid of a stack, which a run that goes on without bad ones leaves out.

use super::inputs::{Input, Scene};
use crate::core::error::{Error, Result};
use crate::gdal::raster::RasterGrid;
use crate::gdal::transform::{lies_beside, TargetGrid};
use crate::gdal::Gdal;
use crate::pipeline::run::{in_parallel_watched, Monitor};
use std::collections::BTreeMap;

/// Takes them out of the inputs, and gives their names. Refuses an input of which nothing is left.
pub fn leave_out(
    gdal: &'static Gdal,
    inputs: &mut [Input],
    grid: &RasterGrid,
    threads: usize,
    monitor: &mut Monitor<'_>,
) -> Result<Vec<String>> {
    let target = TargetGrid::of(grid);
    let mut others = BTreeMap::new();
    for scene in inputs.iter().flat_map(|input| &input.scenes) {
        if !scene.facts.grid.is_same(grid) {
            others.insert(key(scene), scene.facts.clone());
        }
    }
    let (keys, facts): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    let found = in_parallel_watched(threads, &facts, |facts| lies_beside(gdal, facts, &target), monitor)?;
    let mut beside = Vec::new();
    for (key, found) in keys.into_iter().zip(found) {
        if found? {
            beside.push(key);
        }
    }
    for input in inputs.iter_mut() {
        let (listed, source) = (input.scenes.len(), &input.spec.source);
        input.scenes.retain(|scene| beside.binary_search(&key(scene)).is_err());
        input.skipped += listed - input.scenes.len();
        if input.scenes.is_empty() {
            let extent = grid.extent();
            return Err(Error::Unsupported(format!(
                "all files of '{source}' lie beside the grid of the stack, {extent}; allowed: one that covers a part of it"
            )));
        }
    }
    let mut names: Vec<String> = beside.into_iter().map(|(name, _)| name).collect();
    names.dedup();
    Ok(names)
}

fn key(scene: &Scene) -> (String, Option<usize>) {
    (scene.facts.name.clone(), scene.facts.level)
}
