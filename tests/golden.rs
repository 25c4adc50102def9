//! Results of RVT, file by file: those that hold by default, and those that hold under RVT compatibility.

mod common;

use common::files::{data, read_elevations};
use common::goldens::{disagreement, entries, golden, manifest, numbers, rasters, text, BEHAVIOURS};
use common::{compute_with, recipe, Output};
use ndarray::{s, Array2, Array3, Axis};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use terralume::core::grid::Grid;
use terralume::recipe::chain::{CellType, ChainOptions};
use terralume::Compatibility;

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
    ("blend_prismatic_rvtpy", "prismatic-openness-json", &[]),
    ("blend_prismatic_qgis_rvt", "prismatic-openness", &[]),
    ("blend_prismatic_qgis_fixed", "prismatic-openness", &[]),
    ("blend_city", "city", &[("shadow.elevation", "8")]),
    ("blend_crim_rvt", "crim", &[]),
    ("blend_crim_fixed", "crim", &[]),
    ("blend_rrim", "rrim", &[]),
    ("blend_e2mstp_rvt", "e2mstp", &[]),
    ("blend_e3mstp_rvt", "e3mstp", &[]),
    ("blend_e3mstp_fixed", "e3mstp", &[]),
    ("blend_e4mstp_rvt", "e4mstp", &[]),
    ("blend_e4mstp_fixed", "e4mstp", &[]),
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
    file: String,
    cells: Array2<f32>,
    grid: Grid,
}

fn models(manifest: &Value) -> HashMap<String, Model> {
    let elevations =
        entries(manifest, "inputs").iter().filter(|input| text(input, "file").starts_with("dem_"));
    let models = elevations.map(|input| {
        let file = text(input, "file").to_string();
        let cells = read_elevations(&data("goldens").join(&file), input["nodata"].as_f64());
        let cell = input["pixel"][0].as_f64().expect("a cell size");
        (text(input, "id").to_string(), Model { file, cells, grid: Grid::square(cell) })
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

/// Both behaviours agree with RVT, and a golden that nobody compares with would be a lie. The blend modes are
/// compared in `blend.rs`.
#[test]
fn every_golden_holds_and_every_file_is_compared() {
    let mut used: BTreeSet<String> = models(&manifest()).into_values().map(|model| model.file).collect();
    for (compatibility, modes) in BEHAVIOURS {
        used.extend(check_rasters(compatibility, &modes));
    }
    let present: BTreeSet<String> = rasters("").difference(&rasters("mode")).cloned().collect();
    assert_eq!(present, used);
}
