//! RVT's results as the manifest lists them, and what counts as equal.

use super::files::{data, read_raster};
use ndarray::Array3;
use serde_json::Value;
use std::collections::BTreeSet;
use terralume::Compatibility;

/// Behaviours and the goldens that hold in each.
pub const BEHAVIOURS: [(Compatibility, [&str; 2]); 2] =
    [(Compatibility::None, ["both", "fixed"]), (Compatibility::Rvt, ["both", "rvt"])];

pub fn manifest() -> Value {
    let text = std::fs::read_to_string(data("goldens/manifest.json")).expect("the manifest");
    serde_json::from_str(&text).expect("the manifest is JSON")
}

pub fn entries<'a>(manifest: &'a Value, key: &str) -> &'a [Value] {
    manifest[key].as_array().expect("a list")
}

pub fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| panic!("{entry}: no {key}"))
}

pub fn numbers(entry: &Value, key: &str) -> Vec<usize> {
    let list = entry[key].as_array();
    list.map_or(Vec::new(), |list| list.iter().map(|n| n.as_u64().expect("a number") as usize).collect())
}

pub fn golden(entry: &Value) -> Array3<f64> {
    read_raster(&data("goldens").join(text(entry, "file")))
}

/// How two values differ; an aspect is the same after a full turn.
fn difference(id: &str, ours: f64, theirs: f64) -> f64 {
    let difference = (ours - theirs).abs();
    if id.contains("aspect") {
        difference.min((std::f64::consts::TAU - difference).abs())
    } else {
        difference
    }
}

/// None when they agree by the manifest's rules, otherwise where and how far they do not.
pub fn disagreement(entry: &Value, ours: &Array3<f64>, theirs: &Array3<f64>) -> Option<String> {
    let id = text(entry, "id");
    if ours.dim() != theirs.dim() {
        return Some(format!("{id}: size {:?} instead of {:?}", ours.dim(), theirs.dim()));
    }
    let allowed = entry["atol"].as_f64().expect("a tolerance");
    let (mut above, mut worst) = (0, (0.0, (0, 0, 0)));
    for ((place, ours), theirs) in ours.indexed_iter().zip(theirs) {
        if ours.is_nan() != theirs.is_nan() {
            return Some(format!("{id}: {ours} instead of {theirs} at band, row, column {place:?}"));
        }
        let difference = difference(id, *ours, *theirs);
        above += usize::from(difference > allowed);
        if difference > worst.0 {
            worst = (difference, place);
        }
    }
    let share = above as f64 / theirs.len() as f64;
    let allowed_share = entry["allowed_fraction_above_atol"].as_f64().expect("a share");
    (share > allowed_share).then(|| {
        let (difference, place) = worst;
        format!(
            "{id}: {difference} off at band, row, column {place:?} ({} instead of {}); \
             share above {allowed}: {share}, allowed {allowed_share}",
            ours[place], theirs[place]
        )
    })
}

/// Files in the folder of goldens whose name begins with `prefix`.
pub fn rasters(prefix: &str) -> BTreeSet<String> {
    let folder = std::fs::read_dir(data("goldens")).expect("the goldens");
    let names = folder.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(prefix) && name.ends_with(".tif")).collect()
}
