//! What depends on the whole raster: percentiles, deviations, RVT's overcast sky. The same for every division, and the
//! numbers of a plain computation over all cells.

mod common;

use common::files::{path_text, real_ground_with_holes, translate, write_raw};
use common::{
    chain, compute, compute_with, divisions, recipe, rough, run_and_find, run_chain, rvt, with_holes, Found,
    WHOLE,
};
use ndarray::{s, Array2, Array3};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use terralume::core::grid::Grid;
use terralume::core::stretch::{Cut, Stretch};
use terralume::recipe::array::{self, ArrayShape, Margins};
use terralume::recipe::chain::{CellType, CellsMut, Chain, ChainOptions};
use terralume::recipe::{Content, Layer};
use terralume::render::blend::Mode;
use terralume::{Error, Input, Job, JobOptions, Recipe};

const SQUARE: Grid = Grid { cell_width: 1.0, cell_height: 1.0, south_up: false };

const PERCENTS: [&str; 5] =
    ["percent:2,2", "percent:0,0", "percent:0.25,0", "percent:13.7,40", "percent:0,99"];
const DEVIATIONS: [&str; 3] = ["deviations:2", "deviations:0.3", "deviations:10"];

fn cut(text: &str) -> Cut {
    text.parse().expect("a stretch")
}

fn picture(cut: Cut) -> ChainOptions {
    ChainOptions { cell_type: CellType::Uint8, stretch: Some(cut), ..ChainOptions::default() }
}

/// Valid values in order.
fn sorted(values: &Array3<f32>) -> Vec<f64> {
    let valid = values.iter().filter(|value| !value.is_nan());
    let mut valid: Vec<f64> = valid.map(|value| f64::from(*value)).collect();
    valid.sort_by(f64::total_cmp);
    valid
}

/// Between two cells, as their rank lies.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() - 1) as f64 * share / 100.0;
    let below = sorted[rank as usize];
    let above = sorted[(rank as usize + 1).min(sorted.len() - 1)];
    below + (above - below) * rank.fract()
}

/// Ends of a stretch over all values, by the definitions.
fn ends(values: &Array3<f32>, cut: Cut) -> (f64, f64) {
    let sorted = sorted(values);
    let (min, max) = match cut {
        Cut::Values { min, max } => (min, max),
        Cut::Percent { low, high } => match (percentile(&sorted, low), percentile(&sorted, 100.0 - high)) {
            (min, max) if min < max => (min, max),
            _ => (sorted[0], sorted[sorted.len() - 1]),
        },
        Cut::Deviations(number) => {
            let count = sorted.len() as f64;
            let mean = sorted.iter().sum::<f64>() / count;
            let variance = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            (mean - number * variance.sqrt(), mean + number * variance.sqrt())
        }
    };
    // One value only is black.
    (min, if min < max { max } else { min + 1.0 })
}

/// Percentiles exactly. Deviations are taken from a 32-bit number near the mean, in 32 bits: a few digits fewer.
fn assert_ends(found: (f64, f64), expected: (f64, f64), cut: Cut, what: &str) {
    let tolerance = match cut {
        Cut::Deviations(_) => 1e-6 * (expected.1 - expected.0),
        _ => 0.0,
    };
    let near = |a: f64, b: f64| (a - b).abs() <= tolerance;
    assert!(near(found.0, expected.0) && near(found.1, expected.1), "{what}: {found:?} for {expected:?}");
}

/// Bytes that values should become, 1..255 and 0 for nodata.
fn byte(value: f32, (min, max): (f64, f64), invert: bool) -> u8 {
    if value.is_nan() {
        return 0;
    }
    let share = ((f64::from(value) - min) / (max - min)).clamp(0.0, 1.0);
    ((255.9999 * if invert { 1.0 - share } else { share }) as u8).max(1)
}

/// Rough ground that falls to the east, so that colours of lights from several sides differ; and real ground.
fn grounds() -> [Array2<f32>; 2] {
    let mut slope = with_holes(rough(97, 121));
    slope.indexed_iter_mut().for_each(|((_, col), cell)| *cell -= 2.0 * col as f32);
    [slope, real_ground_with_holes().slice_move(s![..150, ..200])]
}

#[test]
fn pictures_between_percentiles_and_deviations_are_those_of_all_cells() {
    for cells in grounds() {
        for (name, overrides, invert) in [
            ("slope", vec![], true),
            ("local_relief", vec![], false),
            ("aspect", vec![("unit", "radian")], false),
            ("multi_hillshade", vec![("form", "rgb")], false),
            ("multi_hillshade", vec![("directions", "5")], false),
            ("fill_nodata", vec![("radius", "1")], false),
        ] {
            let recipe = recipe(name, &overrides);
            let values = compute(&recipe, &SQUARE, &cells);
            for text in PERCENTS.iter().chain(&DEVIATIONS) {
                let what = format!("{name} {overrides:?} {text}");
                let expected = ends(&values, cut(text));
                let made = chain(&recipe, &SQUARE, picture(cut(text))).expect("valid");
                let (output, found) = run_and_find(&made, &cells, WHOLE).expect("arrays do not fail");
                // All bands together: a colour picture keeps its colours.
                let [(layer, min, max)] = found.as_slice() else { panic!("{what}: {found:?}") };
                assert_eq!(layer, name);
                assert_ends((*min, *max), expected, cut(text), &what);
                for (ours, value) in output.bytes().iter().zip(&values) {
                    let theirs = byte(*value, expected, invert);
                    let near = ours.abs_diff(theirs) <= 1 && (*ours == 0) == (theirs == 0);
                    assert!(near, "{what}: {value} became {ours}, not {theirs}");
                }
            }
        }
    }
}

/// Each band by itself would have other ends: the test above tells the two apart.
#[test]
fn bands_of_a_colour_picture_differ_in_their_own_percentiles() {
    let values = compute(&recipe("multi_hillshade", &[("form", "rgb")]), &SQUARE, &grounds()[0]);
    let all = ends(&values, cut("percent:13.7,40"));
    for band in values.outer_iter() {
        let own = ends(&band.insert_axis(ndarray::Axis(0)).to_owned(), cut("percent:13.7,40"));
        assert!((own.0 - all.0).abs().max((own.1 - all.1).abs()) > 0.01, "{own:?} {all:?}");
    }
}

/// One value everywhere, or no value at all, is no division by zero.
#[test]
fn rasters_without_contrast_are_black_and_empty_ones_stay_empty() {
    let level = Array2::from_elem((40, 50), 250.0_f32);
    let nothing = Array2::from_elem((40, 50), f32::NAN);
    for text in ["percent:2,2", "deviations:2"] {
        for (cells, byte, ends) in [(&level, 1, (250.0, 251.0)), (&nothing, 0, (0.0, 1.0))] {
            let made = chain(&recipe("fill_nodata", &[]), &SQUARE, picture(cut(text))).expect("valid");
            let (output, found) = run_and_find(&made, cells, WHOLE).expect("arrays do not fail");
            assert!(output.bytes().iter().all(|cell| *cell == byte), "{text}");
            assert_eq!((found[0].1, found[0].2), ends, "{text}");
        }
    }
    // Most cells have one value: percentiles that coincide make way for the extremes.
    let mut spike = level;
    spike[[3, 4]] = 260.0;
    let made = chain(&recipe("fill_nodata", &[]), &SQUARE, picture(cut("percent:5,5"))).expect("valid");
    let (output, _) = run_and_find(&made, &spike, WHOLE).expect("arrays do not fail");
    assert_eq!((output.clone().bytes()[[0, 3, 4]], output.bytes()[[0, 0, 0]]), (255, 1));
}

/// Values are written as they are: nothing must be known of them first.
#[test]
fn values_need_no_survey() {
    let options = ChainOptions { stretch: Some(cut("percent:2,2")), ..ChainOptions::default() };
    let made = chain(&recipe("slope", &[]), &SQUARE, options).expect("valid");
    assert!(made.is_settled() && made.rounds() == 0);
    let cells = &grounds()[0];
    let plain = compute(&recipe("slope", &[]), &SQUARE, cells);
    let ours = run_chain(&made, cells, WHOLE).expect("arrays do not fail").floats();
    assert!(ours.iter().zip(&plain).all(|(a, b)| a.to_bits() == b.to_bits()));
}

/// Pictures of pictures, three deep, with open ends at every level.
const NESTED: &str = r#"{"terralume_recipe": 1, "layers": [
    {"name": "middle", "stretch": "percent:1,3", "mode": "overlay", "opacity": 80,
     "recipe": {"terralume_recipe": 1, "layers": [
        {"name": "shade", "operation": "hillshade", "stretch": "percent:5,1", "mode": "multiply", "opacity": 60},
        {"name": "inner", "stretch": "percent:0.5,12", "mode": "screen", "opacity": 70,
         "recipe": {"terralume_recipe": 1, "layers": [
            {"name": "steep", "operation": "slope", "stretch": "percent:2,4", "invert": true, "mode": "luminosity",
             "opacity": 50},
            {"name": "level", "operation": "local_relief", "min": -3, "max": 3}]}},
        {"name": "open", "operation": "openness_positive", "stretch": "percent:2,2"}]}},
    {"name": "sky", "operation": "sky_view_factor", "stretch": "percent:20,1", "mode": "soft_light", "opacity": 40},
    {"name": "ground", "operation": "topographic_position", "stretch": "percent:3,3"}]}"#;

fn with_deviations(text: &str) -> String {
    text.replace("percent:1,3", "deviations:1").replace("percent:2,4", "deviations:1.5")
}

/// The recipe with numbers in place of open ends, and what they are: every layer computed by itself and looked at
/// as a whole.
fn resolved(recipe: &Recipe, cells: &Array2<f32>, found: &mut Vec<Found>) -> Recipe {
    let mut result = recipe.clone();
    for layer in &mut result.layers {
        let values = match &mut layer.content {
            Content::Operation(_) => {
                let alone = Layer { stretch: None, ..layer.clone() };
                compute(&Recipe { layers: vec![alone], ..recipe.clone() }, &SQUARE, cells)
            }
            Content::Recipe(inner) => {
                **inner = resolved(inner, cells, found);
                compute(inner, &SQUARE, cells)
            }
            Content::Raster(_) | Content::Stack(_) => panic!("{layer:?} is no part of this test"),
        };
        let Some(stretch) = layer.stretch.filter(|stretch| stretch.limits().is_none()) else { continue };
        let (min, max) = ends(&values, stretch.cut);
        found.push((layer.name.clone(), min, max));
        layer.stretch = Some(Stretch { cut: Cut::Values { min, max }, ..stretch });
    }
    result
}

#[test]
fn layers_of_layers_have_the_ends_of_their_own_values() {
    for cells in grounds() {
        for text in [NESTED.to_string(), with_deviations(NESTED)] {
            let recipe = Recipe::parse(&text).expect("a recipe");
            let made = chain(&recipe, &SQUARE, ChainOptions::default()).expect("valid");
            let (ours, mut found) = run_and_find(&made, &cells, WHOLE).expect("arrays do not fail");
            let mut expected = Vec::new();
            let theirs = compute(&resolved(&recipe, &cells, &mut expected), &SQUARE, &cells);
            found.sort_by(|a, b| a.0.cmp(&b.0));
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(found.len(), 7);
            for (ours, theirs) in found.iter().zip(&expected) {
                assert_eq!(ours.0, theirs.0);
                // Ends of inner pictures move with those of deviations within.
                let (off, width) =
                    ((ours.1 - theirs.1).abs().max((ours.2 - theirs.2).abs()), theirs.2 - theirs.1);
                assert!(off <= 1e-5 * width, "{ours:?} {theirs:?}");
            }
            for ((place, ours), theirs) in ours.floats().indexed_iter().zip(&theirs) {
                let near = (ours - theirs).abs() <= 1e-5 || (ours.is_nan() && theirs.is_nan());
                assert!(near, "{ours} instead of {theirs} at {place:?}");
            }
        }
    }
}

/// Every division gives the bits, and finds the numbers, of the whole raster.
fn check_divisions(made: &Chain, cells: &Array2<f32>, what: &str) {
    assert!(!made.is_settled(), "{what}: the test proves nothing");
    let (whole, found) = run_and_find(made, cells, WHOLE).expect("arrays do not fail");
    let whole = whole.bits();
    for division in divisions() {
        let (part, found_in_parts) = run_and_find(made, cells, division).expect("arrays do not fail");
        assert!(part.bits() == whole, "{what}: {division:?} gives other bits");
        assert_eq!(found_in_parts, found, "{what}: {division:?}");
    }
}

#[test]
fn surveys_have_no_seams() {
    let cells = with_holes(rough(135, 170));
    for text in [NESTED.to_string(), with_deviations(NESTED)] {
        let recipe = Recipe::parse(&text).expect("a recipe");
        let options =
            [ChainOptions::default(), ChainOptions { cell_type: CellType::Uint8, ..Default::default() }];
        for options in options {
            check_divisions(&chain(&recipe, &SQUARE, options).expect("valid"), &cells, &text);
        }
    }
    for text in ["percent:2,2", "deviations:2"] {
        for (name, overrides) in [
            ("slope", vec![]),
            ("multi_hillshade", vec![("form", "rgb")]),
            ("openness_negative", vec![("fill", "idw"), ("fill.radius", "3")]),
        ] {
            let made = chain(&recipe(name, &overrides), &SQUARE, picture(cut(text))).expect("valid");
            check_divisions(&made, &cells, &format!("{name} {text}"));
        }
    }
}

/// RVT's search of the sky at sizes that no coarse grid divides evenly, and on rasters smaller than a coarse cell.
#[test]
fn rvts_skies_have_no_seams() {
    let sizes =
        [(61, 83), (64, 72), (63, 65), (130, 41), (33, 32), (9, 8), (8, 9), (7, 5), (2, 3), (1, 1), (1, 30)];
    for (rows, cols) in sizes {
        // Some heights are below 0, which RVT's coarse grids do not see.
        let cells = if rows.min(cols) > 30 { with_holes(rough(rows, cols)) } else { rough(rows, cols) };
        for (name, overrides) in [
            ("sky_illumination", vec![]),
            ("sky_illumination", vec![("shadow", "true"), ("radius", "45")]),
            ("sky_illumination", vec![("model", "uniform"), ("vertical_exaggeration", "-2")]),
            ("horizon_angle", vec![]),
            ("shadow", vec![("radius", "300"), ("azimuth", "100")]),
        ] {
            for south_up in [false, true] {
                let grid = Grid { south_up, ..SQUARE };
                let what = format!("{name} {overrides:?}, {rows} x {cols}, south up: {south_up}");
                let made = chain(&recipe(name, &overrides), &grid, rvt(CellType::Float32)).expect("valid");
                check_divisions(&made, &cells, &what);
                if name == "sky_illumination" && overrides.is_empty() {
                    let bright =
                        compute_with(&recipe(name, &[]), &grid, &cells, rvt(CellType::Float32)).floats();
                    let most = bright.iter().fold(0.0_f32, |most, light| most.max(*light));
                    assert!((most - 1.0).abs() < 1e-6, "{what}: the brightest cell is {most}");
                }
            }
        }
    }
}

#[test]
fn rvts_skies_over_nothing_are_nothing() {
    let cells = Array2::from_elem((45, 40), f32::NAN);
    for name in ["sky_illumination", "horizon_angle", "shadow"] {
        let values = compute_with(&recipe(name, &[]), &SQUARE, &cells, rvt(CellType::Float32)).floats();
        assert!(values.iter().all(|value| value.is_nan()), "{name}");
        let bytes = compute_with(&recipe(name, &[]), &SQUARE, &cells, rvt(CellType::Uint8)).bytes();
        assert!(bytes.iter().all(|byte| *byte == 255), "{name}");
    }
}

/// Chains that look at the whole raster, with what they are called.
fn open_chains() -> Vec<(&'static str, Chain)> {
    let nested = Recipe::parse(NESTED).expect("a recipe");
    let sky = recipe("sky_illumination", &[]);
    vec![
        ("nested", chain(&nested, &SQUARE, ChainOptions::default()).expect("valid")),
        ("percent", chain(&recipe("slope", &[]), &SQUARE, picture(cut("percent:2,2"))).expect("valid")),
        ("deviations", chain(&recipe("aspect", &[]), &SQUARE, picture(cut("deviations:2"))).expect("valid")),
        ("overcast", chain(&sky, &SQUARE, rvt(CellType::Float32)).expect("valid")),
        ("overcast picture", chain(&sky, &SQUARE, rvt(CellType::Uint8)).expect("valid")),
    ]
}

/// Runs a chain on an array; `margins` are cells of it that belong to its surroundings.
fn run_array(made: &Chain, cells: &Array2<f32>, margins: Margins) -> Result<Vec<u32>, Error> {
    let (rows, cols) = cells.dim();
    let (rows, cols) = (rows - margins.top - margins.bottom, cols - margins.left - margins.right);
    let shape = ArrayShape { rows, cols, margins, row_stride: 0 };
    let cells = cells.as_slice().expect("no gaps");
    let mut output = common::Output::new(made.cell_type(), (made.bands().len(), rows, cols));
    let out = match &mut output {
        common::Output::Float32(cells) => CellsMut::Float32(cells.view_mut()),
        common::Output::Uint8(cells) => CellsMut::Uint8(cells.view_mut()),
    };
    array::run(made, cells, &shape, None, out)?;
    Ok(output.bits())
}

#[test]
fn an_array_of_the_whole_raster_gives_its_bits() {
    let cells = with_holes(rough(131, 140));
    for (name, made) in open_chains() {
        let whole = run_chain(&made, &cells, WHOLE).expect("arrays do not fail").bits();
        assert!(run_array(&made, &cells, Margins::default()).expect("the whole raster") == whole, "{name}");
        // The chain itself stays open: it serves other rasters as well.
        assert!(!made.is_settled(), "{name}");
        let other = rough(131, 140);
        let whole = run_chain(&made, &other, WHOLE).expect("arrays do not fail").bits();
        assert!(run_array(&made, &other, Margins::default()).expect("the whole raster") == whole, "{name}");
    }
}

/// A tile knows nothing of the rest of its raster.
#[test]
fn a_tile_of_a_raster_is_refused() {
    let cells = rough(300, 300);
    for (name, made) in open_chains() {
        let radius = made.radius();
        for margins in [
            Margins { top: radius, ..Margins::default() },
            Margins { bottom: radius, ..Margins::default() },
            Margins { left: radius + 1, ..Margins::default() },
            Margins { right: radius, ..Margins::default() },
            Margins { top: radius, bottom: radius, left: radius, right: radius },
        ] {
            let error = run_array(&made, &cells, margins).expect_err(name);
            let expected =
                "percentiles, deviations and RVT's overcast sky depend on the whole raster, this is a tile \
                            of it; allowed: an array of the whole raster, or a run from file to file";
            assert_eq!(error, Error::Unsupported(expected.into()), "{name} {margins:?}");
        }
    }
}

/// Margins smaller than the radius say that the raster ends there: the array is all of it.
#[test]
fn a_raster_that_ends_in_its_margins_is_whole() {
    let cells = with_holes(rough(131, 140));
    let margins = Margins { top: 3, bottom: 7, left: 5, right: 1 };
    for (name, made) in open_chains().into_iter().filter(|(_, made)| made.radius() > 7) {
        let whole = run_chain(&made, &cells, WHOLE).expect("arrays do not fail");
        let inner: Vec<u32> = match whole {
            common::Output::Float32(cells) => {
                cells.slice(s![.., 3..124, 5..139]).iter().map(|cell| cell.to_bits()).collect()
            }
            common::Output::Uint8(cells) => {
                cells.slice(s![.., 3..124, 5..139]).iter().map(|cell| u32::from(*cell)).collect()
            }
        };
        assert!(run_array(&made, &cells, margins).expect("the whole raster") == inner, "{name}");
    }
}

/// An input of 300 x 300 cells and an empty folder for the output.
struct Place {
    _folder: TempDir,
    input: PathBuf,
    outputs: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let raw = write_raw(folder.path(), "raw", &rough(300, 300).mapv(f64::from), 1.0);
    let input = translate(&raw, "in.tif", &["-ot", "Float32"]);
    let outputs = folder.path().join("outputs");
    std::fs::create_dir(&outputs).expect("a folder");
    Place { _folder: folder, input, outputs }
}

impl Place {
    /// Jobs that survey, in many small tiles.
    fn jobs(&self) -> Vec<Job> {
        let options = JobOptions {
            threads: Some(2),
            tile_size: Some(64),
            cell_type: CellType::Uint8,
            ..Default::default()
        };
        let rvt = JobOptions { compatibility: terralume::Compatibility::Rvt, ..options.clone() };
        let percent = JobOptions { stretch: Some(cut("percent:2,2")), ..options.clone() };
        let jobs = [
            (recipe("openness_positive", &[]), percent),
            (recipe("fill_nodata", &[]), options.clone()),
            (Recipe::parse(NESTED).expect("a recipe"), options),
            (recipe("sky_illumination", &[]), rvt),
        ];
        let output = path_text(&self.outputs.join("out.tif")).to_string();
        let job = |(recipe, options): (Recipe, JobOptions)| {
            let input = Input::Path(path_text(&self.input).into());
            Job::new(recipe, input, output.clone(), options)
        };
        jobs.map(job).into()
    }

    fn files(&self) -> usize {
        self.outputs.read_dir().expect("the folder").count()
    }
}

/// Stopped by its answer or by the flag once the survey has come to `share`; nothing later is begun.
fn stop_survey(job: &Job, share: f64) {
    for by_flag in [false, true] {
        let (flag, mut later) = (AtomicBool::new(false), Vec::new());
        let mut report = |done: f64, stage: &str| {
            if stage != "surveying" {
                later.push(stage.to_string());
            }
            flag.store(by_flag && done >= share, Ordering::Relaxed);
            by_flag || done < share
        };
        assert_eq!(job.run(&mut report, &flag), Err(Error::Cancelled), "at {share}, by flag: {by_flag}");
        assert!(later.is_empty(), "{later:?} after a survey that was cancelled at {share}");
    }
}

#[test]
fn a_survey_that_is_cancelled_leaves_nothing() {
    let place = place();
    for job in place.jobs() {
        for share in [0.0, 0.1, 0.4] {
            stop_survey(&job, share);
            assert_eq!(place.files(), 0, "{} at {share}", job.pictures[0].recipe.name);
        }
    }
}

#[test]
fn a_survey_that_is_cancelled_keeps_the_file_it_was_to_replace() {
    let place = place();
    let existing = place.outputs.join("out.tif");
    std::fs::write(&existing, "precious").expect("room for a test file");
    for mut job in place.jobs() {
        job.options.overwrite = true;
        stop_survey(&job, 0.2);
        assert_eq!(std::fs::read_to_string(&existing).expect("still there"), "precious");
        assert_eq!(place.files(), 1);
    }
}

#[test]
fn reports_rise_through_surveys_to_one() {
    let place = place();
    for mut job in place.jobs() {
        job.options.overwrite = true;
        let (mut shares, mut stages) = (Vec::new(), Vec::new());
        let mut report = |share: f64, stage: &str| {
            shares.push(share);
            if stages.last().is_none_or(|last| last != stage) {
                stages.push(stage.to_string());
            }
            true
        };
        job.run(&mut report, &AtomicBool::new(false)).expect("nothing fails");
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
        assert_eq!(
            (shares.first(), shares.last()),
            (Some(&0.0), Some(&1.0)),
            "{}",
            job.pictures[0].recipe.name
        );
        assert_eq!(
            stages,
            ["surveying", "computing", "finishing", "done"],
            "{}",
            job.pictures[0].recipe.name
        );
        let surveying = shares.iter().filter(|share| **share > 0.0 && **share < 0.6).count();
        assert!(surveying > 5, "{}: {shares:?}", job.pictures[0].recipe.name);
    }
}

/// Blends whose layers are open need as many passes as the deepest layer stands deep.
#[test]
fn rounds_are_known_before() {
    let rounds =
        |text: &str| chain(&Recipe::parse(text).expect("a recipe"), &SQUARE, ChainOptions::default());
    assert_eq!(rounds(NESTED).expect("valid").rounds(), 6);
    let flat = recipe("vat", &[("slope.stretch", "percent:1,1"), ("hillshade.stretch", "deviations:2")]);
    assert_eq!(chain(&flat, &SQUARE, ChainOptions::default()).expect("valid").rounds(), 2);
    assert_eq!(rounds("vat").expect("valid").rounds(), 0);
    assert_eq!(flat.layers[2].mode, Mode::Luminosity, "the stretch changes nothing else");
    let sky = recipe("sky_illumination", &[]);
    assert_eq!(chain(&sky, &SQUARE, rvt(CellType::Uint8)).expect("valid").rounds(), 4);
}
