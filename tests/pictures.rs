//! Recipes beyond a grey blend: colours, masks, gamma, composites, alpha, colour files, several pictures of one reading.

mod common;

use common::{chain, compute, compute_with, recipe, rough, run_chain, uint8, with_holes, Division, WHOLE};
use ndarray::{s, Array2, Array3, Axis};
use terralume::core::grid::Grid;
use terralume::core::operation::Role;
use terralume::recipe::chain::{Chain, ChainOptions};
use terralume::{Error, Recipe};

const SQUARE: Grid = Grid { cell_width: 1.0, cell_height: 1.0, south_up: false };

fn parse(layers: &str, more: &str) -> Recipe {
    let text = format!(r#"{{"terralume_recipe": 1, {more} "layers": [{layers}]}}"#);
    Recipe::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(layers: &str, more: &str) -> String {
    let text = format!(r#"{{"terralume_recipe": 1, {more} "layers": [{layers}]}}"#);
    let made = Recipe::parse(&text).and_then(|recipe| Chain::new(&recipe, &SQUARE, ChainOptions::default()));
    made.err().unwrap_or_else(|| panic!("{text} was taken")).to_string()
}

fn ground() -> Array2<f32> {
    with_holes(rough(70, 83))
}

fn picture(recipe: &Recipe) -> Array3<f32> {
    compute(recipe, &SQUARE, &ground())
}

fn same(a: &Array3<f32>, b: &Array3<f32>) -> bool {
    a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

const SLOPE: &str = r#"{"operation": "slope", "min": 0, "max": 60}"#;
const SHADE: &str = r#"{"operation": "hillshade", "min": 0, "max": 1}"#;

#[test]
fn a_composite_is_its_layers_band_by_band() {
    let rgb = picture(&parse(
        r#"{"operation": "slope", "min": 0, "max": 60, "invert": true}, {"operation": "hillshade", "min": 0, "max": 1},
           {"operation": "local_relief", "min": -2, "max": 2}"#,
        r#""combine": "rgb","#,
    ));
    let alone = |layer: &str| picture(&parse(layer, ""));
    for (band, layer) in [
        r#"{"operation": "slope", "min": 0, "max": 60, "invert": true}"#,
        SHADE,
        r#"{"operation": "local_relief", "min": -2, "max": 2}"#,
    ]
    .into_iter()
    .enumerate()
    {
        assert!(same(&rgb.slice(s![band..=band, .., ..]).to_owned(), &alone(layer)), "band {band}");
    }
    let made = chain(&recipe("vat-three-band", &[]), &SQUARE, ChainOptions::default()).unwrap();
    let roles: Vec<Role> = made.bands().iter().map(|band| band.role).collect();
    assert_eq!(roles, [Role::Red, Role::Green, Role::Blue]);
    assert!(refusal(&format!("{SLOPE}, {SHADE}"), r#""combine": "rgb","#)
        .contains("2 layers as rgb; allowed: three"));
    let colored = r#"{"operation": "multi_hillshade", "parameters": {"form": "rgb"}, "min": 0, "max": 1}"#;
    assert!(refusal(&format!("{SLOPE}, {SHADE}, {colored}"), r#""combine": "rgb","#).contains("is coloured"));
}

#[test]
fn a_mask_shows_a_layer_where_it_is_one() {
    // A mask of flat ground: 1 where the slope is below 20 degrees, nothing where it is above 21.
    let mask = r#""mask": {"operation": "slope", "min": 20, "max": 21, "invert": true}"#;
    let masked = picture(&parse(
        &format!(r#"{{"operation": "local_relief", "min": -2, "max": 2, {mask}}}, {SHADE}"#),
        "",
    ));
    let shown = picture(&parse(r#"{"operation": "local_relief", "min": -2, "max": 2}"#, ""));
    let below = picture(&parse(SHADE, ""));
    let slope = compute(&recipe("slope", &[]), &SQUARE, &ground());
    let (mut kept, mut taken) = (0, 0);
    for (place, slope) in slope.indexed_iter() {
        let (value, shown, below) = (masked[place], shown[place], below[place]);
        if *slope < 20.0 {
            kept += 1;
            assert!((value - shown).abs() < 1e-6, "{place:?}");
        } else if *slope > 21.0 {
            taken += 1;
            assert_eq!(value.to_bits(), below.to_bits(), "{place:?}");
        }
    }
    assert!(kept > 100 && taken > 100, "{kept} {taken}");
    assert!(refusal(&format!(r#"{{"operation": "slope", "min": 0, "max": 9, {mask}}}"#), "")
        .contains("lowest layer has a mask"));
    let colored = r#""mask": {"recipe": "rrim"}"#;
    assert!(refusal(&format!(r#"{{"operation": "slope", {colored}}}, {SHADE}"#), "")
        .contains("is coloured; allowed: one band"));
    assert!(refusal(&format!(r#"{{"operation": "slope", "mask": {{}}}}, {SHADE}"#), "")
        .contains("mask: a layer has either"));
}

#[test]
fn gamma_raises_the_middle_and_keeps_the_ends() {
    let with = |gamma: &str| {
        picture(&parse(&format!(r#"{{"operation": "hillshade", "min": 0, "max": 1, "gamma": {gamma}}}"#), ""))
    };
    let (plain, bright) = (with("1"), with("2"));
    for (plain, bright) in plain.iter().zip(&bright) {
        assert!((plain.sqrt() - bright).abs() < 1e-6 || plain.is_nan() && bright.is_nan());
    }
    // In a blend as well: a layer with gamma is the layer that was raised before.
    let blended = picture(&parse(
        &format!(
            r#"{{"operation": "hillshade", "min": 0, "max": 1, "gamma": 2, "mode": "multiply"}}, {SLOPE}"#
        ),
        "",
    ));
    let slope = picture(&parse(SLOPE, ""));
    for ((blended, bright), slope) in blended.iter().zip(&bright).zip(&slope) {
        assert!((blended - bright * slope).abs() < 1e-6 || blended.is_nan());
    }
    assert!(refusal(r#"{"operation": "slope", "gamma": 0}"#, "")
        .contains("gamma 0 is not allowed; allowed: 0.1 to 10"));
}

#[test]
fn colours_come_from_names_and_files() {
    let map = picture(&parse(r#"{"operation": "hillshade", "min": 0, "max": 1, "color_map": "gray"}"#, ""));
    let shade = picture(&parse(SHADE, ""));
    assert_eq!(map.dim().0, 3);
    for ((_, row, col), value) in map.indexed_iter() {
        let grey = shade[[0, row, col]];
        let expected = (256.0 * grey).floor().min(255.0) / 255.0;
        assert!((value - expected).abs() < 1e-6 || (value.is_nan() && grey.is_nan()), "{row} {col}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slopes.txt");
    std::fs::write(&file, "0 0 0 0\n30 255 0 0\n90 255 255 255\n").unwrap();
    let name = file.to_str().unwrap();
    let colored = picture(&parse(&format!(r#"{{"operation": "slope", "color_map": "{name}"}}"#), ""));
    let slope = compute(&recipe("slope", &[]), &SQUARE, &ground());
    for (place, slope) in slope.index_axis(Axis(0), 0).indexed_iter().filter(|(_, slope)| **slope < 30.0) {
        let red = colored[[0, place.0, place.1]];
        assert!((red - slope / 30.0).abs() < 1e-5 && colored[[1, place.0, place.1]] == 0.0, "{place:?}");
    }
    // Half transparent: half of the shade shines through.
    std::fs::write(&file, "0 255 255 255 128\n90 255 255 255 128\n").unwrap();
    let veiled = picture(&parse(&format!(r#"{{"operation": "slope", "color_map": "{name}"}}, {SHADE}"#), ""));
    for ((_, row, col), value) in veiled.indexed_iter() {
        let expected = shade[[0, row, col]] + (1.0 - shade[[0, row, col]]) * 128.0 / 255.0;
        assert!((value - expected).abs() < 1e-5 || value.is_nan(), "{row} {col}: {value} {expected}");
    }
    std::fs::write(&file, "0 0 0\n").unwrap();
    let bad = |key: &str| refusal(&format!(r#"{{"operation": "slope", {key}}}"#), "");
    let text = bad(&format!(r#""color_map": "{name}""#));
    assert!(
        text.contains("layer 'slope'") && text.contains("slopes.txt") && text.contains("line 1"),
        "{text}"
    );
    assert!(bad(r#""color_map": "missing.txt""#).contains("missing.txt"));
    assert!(bad(r#""color_map": "jet""#).contains("'jet'; allowed: "));
    assert!(bad(r#""color_map": "OrRd", "color_cut": [0.5, 0.2]"#).contains("0 to 1"));
    assert!(bad(r#""color_cut": [0, 1]"#).contains("goes with 'color_map'"));
    let colored = r#"{"operation": "multi_hillshade", "parameters": {"form": "rgb"}, "color_map": "OrRd"}"#;
    assert!(refusal(colored, "").contains("3 bands; allowed in a blend: one band under a colour map"));
}

#[test]
fn an_alpha_band_stands_for_nodata() {
    let cells = ground();
    let options = ChainOptions { alpha: true, ..uint8() };
    for name in ["slope", "crim", "vat"] {
        let recipe = recipe(name, &[]);
        let bytes = compute_with(&recipe, &SQUARE, &cells, options).bytes();
        let plain = compute_with(&recipe, &SQUARE, &cells, uint8()).bytes();
        let made = chain(&recipe, &SQUARE, options).unwrap();
        assert_eq!(made.nodata(), None, "{name}");
        assert_eq!(made.bands().last().unwrap().role, Role::Alpha, "{name}");
        let alpha = plain.dim().0;
        for ((band, row, col), byte) in bytes.indexed_iter() {
            let missing = cells[[row, col]].is_nan();
            let expected = match band == alpha {
                true => {
                    if missing {
                        0
                    } else {
                        255
                    }
                }
                // Data may be 0 now.
                false => {
                    if *byte == 0 {
                        0
                    } else {
                        plain[[band, row, col]]
                    }
                }
            };
            assert_eq!(*byte, expected, "{name}: band {band}, row {row}, column {col}");
        }
    }
    let refused = chain(&recipe("slope", &[]), &SQUARE, ChainOptions { alpha: true, ..Default::default() });
    assert!(matches!(refused, Err(Error::Argument(text)) if text.contains("type uint8")));
}

/// Several recipes in one chain give what each gives alone, for every division, and share what they can.
#[test]
fn pictures_of_one_reading_are_those_of_many() {
    let names = ["slope", "crim", "vat", "multi_hillshade", "mstp"];
    let recipes: Vec<Recipe> = names.iter().map(|name| recipe(name, &[])).collect();
    let cells = ground();
    for options in [ChainOptions::default(), uint8()] {
        let together = Chain::several(&recipes, &SQUARE, options).unwrap();
        // One gradient pass, one horizon search, one of deviations; the hillshade's bands are gradients as well.
        assert_eq!(together.passes(), 3, "{}", together.describe_steps());
        for division in [WHOLE, Division { tile: Some(40), threads: 2 }] {
            let all = run_chain(&together, &cells, division).unwrap();
            for (recipe, part) in recipes.iter().zip(together.parts()) {
                let alone = compute_with(recipe, &SQUARE, &cells, options).bits();
                let size = part.len() * cells.len();
                let first = part.start * cells.len();
                assert!(
                    all.bits()[first..first + size] == alone[..],
                    "{} {options:?} {division:?}",
                    recipe.name
                );
            }
        }
    }
    let filled = recipe("slope", &[("fill", "idw")]);
    let differ = Chain::several(&[filled, recipe("slope", &[])], &SQUARE, ChainOptions::default());
    assert!(matches!(differ, Err(Error::Recipe(text)) if text.contains("fill gaps in different ways")));
}

/// Coloured recipes have no seams either.
#[test]
fn colours_and_masks_have_no_seams() {
    let cells = ground();
    let mask = r#"{"operation": "slope", "stretch": "percent:5,5", "mask": {"operation": "hillshade", "stretch": "percent:10,10"},
                   "color_map": "viridis", "gamma": 1.5, "mode": "hsv_value", "opacity": 60}, {"recipe": "e3mstp"}"#;
    let made = chain(&parse(mask, ""), &SQUARE, uint8()).unwrap();
    let whole = run_chain(&made, &cells, WHOLE).unwrap().bits();
    for (tile, threads) in [(17, 1), (40, 2), (64, 5)] {
        let parts = run_chain(&made, &cells, Division { tile: Some(tile), threads }).unwrap().bits();
        assert!(parts == whole, "{tile} {threads}");
    }
}

/// Every way to name a file of file names must fail cleanly, and a recipe cannot contain itself.
#[test]
fn hostile_recipes_are_refused() {
    let own = r#"{"terralume_recipe": 1, "name": "vat", "layers": [{"recipe": "vat"}]}"#;
    // A recipe only ever names presets: its own name is another recipe's.
    assert!(Recipe::parse(own).is_ok());
    assert!(refusal(r#"{"recipe": "own.json"}"#, "").contains("unknown preset 'own.json'"));
    assert!(refusal("", "").contains("no layers"));
    assert!(refusal(r#"{"operation": "slope", "opacity": 101}"#, "")
        .contains("opacity 101 is not allowed; allowed: 0 to 100"));
    assert!(refusal(r#"{"operation": "slope", "opacity": -1}"#, "").contains("opacity -1"));
    assert!(refusal(r#"{"operation": "slope", "mode": "shiny"}"#, "")
        .contains("layer 1: unknown blend mode 'shiny'; allowed: normal"));
    assert!(refusal(r#"{"operation": "slope", "shade": 1}"#, "").contains("unknown field `shade`"));
}
