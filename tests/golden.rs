//! Results of RVT, file by file: those that hold by default, and those that hold under RVT compatibility.

mod common;

use common::files::{data, read_elevations, read_raster};
use common::{compute_with, recipe, Output};
use ndarray::{s, Array2, Array3, Axis};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use terralume::core::grid::Grid;
use terralume::recipe::chain::{CellType, ChainOptions};
use terralume::render::blend::{Blend, Mode};
use terralume::render::stretch::LinearStretch;
use terralume::Compatibility;

/// Behaviours and the goldens that hold in each.
const BEHAVIOURS: [(Compatibility, [&str; 2]); 2] =
    [(Compatibility::None, ["both", "fixed"]), (Compatibility::Rvt, ["both", "rvt"])];

/// What makes a golden: end of its id, recipe, overrides.
type Source = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Values.
const FLOATS: &[Source] = &[
    ("slope_degree", "slope", &[]),
    ("aspect_radian", "aspect", &[("unit", "radian")]),
    ("hillshade", "hillshade", &[]),
    ("multi_hillshade_16", "multi_hillshade", &[]),
    ("mhs_rgb", "multi_hillshade", &[("form", "rgb")]),
    ("svf", "sky_view_factor", &[]),
    ("asvf", "anisotropic_sky_view_factor", &[]),
    ("asvf_fixed", "anisotropic_sky_view_factor", &[]),
    ("openness_pos", "openness_positive", &[]),
    ("openness_neg", "openness_negative", &[]),
    ("slrm", "local_relief", &[]),
    ("msrm", "multi_scale_relief", &[]),
    ("local_dominance", "local_dominance", &[]),
    ("mstp", "mstp", &[]),
    ("mstp_fixed", "mstp", &[]),
    ("horizon_315", "horizon_angle", &[]),
    ("shadow_315", "shadow", &[]),
    ("sky_illumination_uniform", "sky_illumination", &[("model", "uniform")]),
    ("sky_illumination_uniform_fixed", "sky_illumination", &[("model", "uniform")]),
    ("sky_illumination_overcast", "sky_illumination", &[]),
    ("sky_illumination_overcast_fixed", "sky_illumination", &[]),
    ("blend_vat_general_fixed", "vat-general", &[]),
    ("blend_vat_general_rvt", "vat-general", &[]),
    ("blend_vat_flat_fixed", "vat-flat", &[]),
    ("blend_vat_flat_rvt", "vat-flat", &[]),
    ("blend_vat_steep_fixed", "vat-steep", &[]),
    ("blend_vat_combined_fixed", "vat-combined", &[]),
    ("blend_vat_combined_rvt", "vat-combined", &[]),
];

/// Bytes.
const BYTES: &[Source] = &[
    ("8bit_slope", "slope", &[]),
    ("8bit_hillshade", "hillshade", &[]),
    ("8bit_multi_hillshade", "multi_hillshade", &[("form", "rgb")]),
    ("8bit_svf", "sky_view_factor", &[]),
    ("8bit_asvf", "anisotropic_sky_view_factor", &[]),
    ("8bit_openness_pos", "openness_positive", &[]),
    ("8bit_openness_neg", "openness_negative", &[]),
    ("8bit_slrm", "local_relief", &[]),
    ("8bit_msrm", "multi_scale_relief", &[]),
    ("8bit_local_dominance", "local_dominance", &[]),
    ("8bit_mstp", "mstp", &[]),
    ("8bit_sky_illumination", "sky_illumination", &[]),
];

/// A model to compute from.
struct Model {
    cells: Array2<f32>,
    grid: Grid,
}

fn manifest() -> Value {
    let text = std::fs::read_to_string(data("goldens/manifest.json")).expect("the manifest");
    serde_json::from_str(&text).expect("the manifest is JSON")
}

fn entries<'a>(manifest: &'a Value, key: &str) -> &'a [Value] {
    manifest[key].as_array().expect("a list")
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_else(|| panic!("{entry}: no {key}"))
}

fn numbers(entry: &Value, key: &str) -> Vec<usize> {
    let list = entry[key].as_array();
    list.map_or(Vec::new(), |list| list.iter().map(|n| n.as_u64().expect("a number") as usize).collect())
}

fn golden(entry: &Value) -> Array3<f64> {
    read_raster(&data("goldens").join(text(entry, "file")))
}

fn models(manifest: &Value) -> HashMap<String, Model> {
    let models = entries(manifest, "inputs").iter().map(|input| {
        let cells = read_elevations(&data("goldens").join(text(input, "file")), input["nodata"].as_f64());
        let cell = input["pixel"][0].as_f64().expect("a cell size");
        (text(input, "id").to_string(), Model { cells, grid: Grid::square(cell) })
    });
    models.collect()
}

/// The result that should equal a golden, at the golden's size.
fn candidate(entry: &Value, model: &Model, compatibility: Compatibility) -> Array3<f64> {
    let suffix = text(entry, "id").rsplit("__").next().expect("an id");
    let find = |table: &[Source]| table.iter().find(|source| source.0 == suffix).copied();
    let (cell_type, source) = match (find(FLOATS), find(BYTES)) {
        (Some(source), _) => (CellType::Float32, source),
        (None, Some(source)) => (CellType::Uint8, source),
        (None, None) => panic!("no recipe for golden {suffix}"),
    };
    let options = ChainOptions { cell_type, compatibility, stretch: None, alpha: false };
    let cells = match compute_with(&recipe(source.1, source.2), &model.grid, &model.cells, options) {
        Output::Float32(cells) => cells.mapv(f64::from),
        Output::Uint8(cells) => cells.mapv(f64::from),
    };
    let (size, offset) = (numbers(entry, "size"), numbers(entry, "offset_in_dem"));
    let cells = match numbers(entry, "band_subset") {
        bands if bands.is_empty() => cells,
        bands => cells.select(Axis(0), &bands.iter().map(|band| band - 1).collect::<Vec<_>>()),
    };
    cells.slice(s![.., offset[1]..offset[1] + size[1], offset[0]..offset[0] + size[0]]).to_owned()
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
fn disagreement(entry: &Value, ours: &Array3<f64>, theirs: &Array3<f64>) -> Option<String> {
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

/// RVT cuts a cell off every side, a defect that is not imitated: the inner part holds in both behaviours.
fn holds(entry: &Value, modes: &[&str]) -> bool {
    modes.contains(&text(entry, "mode")) || text(entry, "id").contains("__multi_hillshade_16")
}

fn check_rasters(compatibility: Compatibility, modes: &[&str]) -> BTreeSet<String> {
    let manifest = manifest();
    let models = models(&manifest);
    let mut used = BTreeSet::new();
    let mut failures = Vec::new();
    for entry in entries(&manifest, "goldens").iter().filter(|entry| holds(entry, modes)) {
        if entry["parameters"]["mode"].is_string() {
            continue;
        }
        let model = &models[text(entry, "dem")];
        let ours = candidate(entry, model, compatibility);
        failures.extend(disagreement(entry, &ours, &golden(entry)));
        used.insert(text(entry, "file").to_string());
    }
    assert!(failures.is_empty(), "{compatibility:?}:\n{}", failures.join("\n"));
    used
}

/// Grey over grey through the blend itself.
fn check_modes(compatibility: Compatibility, modes: &[&str]) -> BTreeSet<String> {
    let manifest = manifest();
    let models = models(&manifest);
    let mut used = BTreeSet::new();
    for entry in entries(&manifest, "goldens").iter().filter(|entry| holds(entry, modes)) {
        let Some(name) = entry["parameters"]["mode"].as_str() else { continue };
        let mode = Mode::ALL.iter().find(|known| known.0 == name).expect("a known mode").1;
        let parameters = &entry["parameters"];
        let top = &models[text(parameters, "active")].cells;
        let mut ours = models[text(parameters, "background")].cells.clone();
        let opacity = parameters["opacity"].as_f64().expect("an opacity") / 100.0;
        let unit = LinearStretch::new((0.0, 1.0), false);
        for (mut below, above) in ours.outer_iter_mut().zip(top.outer_iter()) {
            let (below, above) = (below.as_slice_mut().expect("a row"), above.to_slice().expect("a row"));
            Blend::new(mode, opacity, compatibility).row(above, unit, below);
        }
        let mut theirs = golden(entry);
        if mode == Mode::SoftLight {
            // RVT's soft light alone shows the background where the upper layer is missing; here a missing cell
            // is missing in every mode.
            for (theirs, above) in theirs.iter_mut().zip(top) {
                assert!(!above.is_nan() || !theirs.is_nan(), "the exception is no longer needed");
                *theirs = if above.is_nan() { f64::NAN } else { *theirs };
            }
        }
        let ours = ours.mapv(f64::from).insert_axis(Axis(0));
        assert_eq!(disagreement(entry, &ours, &theirs), None, "{compatibility:?}");
        used.insert(text(entry, "file").to_string());
    }
    used
}

/// Both behaviours agree with RVT, and a golden that nobody compares with would be a lie.
#[test]
fn every_golden_holds_and_every_file_is_compared() {
    let manifest = manifest();
    let inputs = entries(&manifest, "inputs").iter();
    let mut used: BTreeSet<String> = inputs.map(|input| text(input, "file").to_string()).collect();
    for (compatibility, modes) in BEHAVIOURS {
        used.extend(check_rasters(compatibility, &modes));
        let blends = check_modes(compatibility, &modes);
        assert_eq!(blends.len(), Mode::ALL.len(), "{compatibility:?}");
        used.extend(blends);
    }
    let folder = std::fs::read_dir(data("goldens")).expect("the goldens");
    let names = folder.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let present: BTreeSet<String> = names.filter(|name| name.ends_with(".tif")).collect();
    assert_eq!(present, used);
}
