//! Pixel functions, called by GDAL's own programs on VRT files.

#[path = "pixel_functions/support.rs"]
mod support;

use support::{band, bits, same_bits, shifted, twice, Place, Source};

const SIDE: usize = 90;

/// The arguments of both functions that look at neighbours; cells of the raster are 1 m wide.
const GRID: &str = r#"cell_width="1" cell_height="1""#;

/// What the library makes of the raster itself, beside the VRT's sources.
fn place() -> Place {
    let place = Place::with_dem(SIDE);
    place.terralume(&["visualize", "slope", "dem.tif", "slope.tif"]);
    place.terralume(&["visualize", "hillshade", "dem.tif", "hillshade.tif"]);
    place
}

#[test]
fn normalize_and_blend_give_the_bits_of_a_recipe() {
    let place = place();
    place.write(
        "recipe.json",
        r#"{"terralume_recipe": 1, "layers": [
            {"operation": "slope", "min": 2, "max": 41, "invert": true, "gamma": 1.3, "mode": "soft_light", "opacity": 60},
            {"operation": "hillshade", "min": 0.1, "max": 0.9}]}"#,
    );
    place.terralume(&["render", "recipe.json", "dem.tif", "expected.tif"]);
    place.vrt(
        "top.vrt",
        SIDE,
        &[band(
            "terralume_normalize",
            r#"min="2" max="41" invert="true" gamma="1.3" nodata="nan""#,
            &twice("slope.tif"),
        )],
    );
    place.vrt(
        "below.vrt",
        SIDE,
        &[band("terralume_normalize", r#"min="0.1" max="0.9""#, &twice("hillshade.tif"))],
    );
    let sources = [Source::of("top.vrt"), Source::of("below.vrt")];
    let blend = [r#"mode="soft_light" opacity="60""#, r#"modes="soft_light" opacities="60""#];
    for arguments in blend {
        place.vrt("blend.vrt", SIDE, &[band("terralume_blend", arguments, &sources)]);
        same_bits(&place.floats("blend.vrt"), &place.floats("expected.tif"));
    }
    let value = place.plain("gdallocationinfo", &["-valonly", "blend.vrt", "31", "17"]);
    let expected = place.floats("expected.tif")[17 * SIDE + 31];
    assert!((value.trim().parse::<f32>().unwrap() - expected).abs() < 1e-6, "{value} {expected}");
}

#[test]
fn color_maps_and_blends_of_colours_give_the_bits_of_a_recipe() {
    let place = place();
    let colored = r#"{"operation": "slope", "min": 0, "max": 40, "color_map": "viridis", "color_cut": [0.1, 0.9], "mode": "multiply", "opacity": 70}"#;
    let grey = r#"{"operation": "hillshade", "min": 0.1, "max": 0.9, "mode": "luminosity", "opacity": 80}"#;
    let map = |band_number: usize| {
        let arguments =
            format!(r#"map="viridis" cut_min="0.1" cut_max="0.9" min="0" max="40" band="{band_number}""#);
        band("terralume_colormap", &arguments, &twice("slope.tif"))
    };
    place.vrt("colours.vrt", SIDE, &[map(0), map(1), map(2)]);
    place.vrt(
        "grey.vrt",
        SIDE,
        &[band("terralume_normalize", r#"min="0.1" max="0.9""#, &twice("hillshade.tif"))],
    );
    let colours = [1, 2, 3].map(|number| Source::of("colours.vrt").band(number));
    let check = |recipe: &[&str], arguments: &str, sources: &[Source]| {
        place.write(
            "recipe.json",
            &format!(r#"{{"terralume_recipe": 1, "layers": [{}]}}"#, recipe.join(", ")),
        );
        place.terralume(&["render", "recipe.json", "dem.tif", "expected.tif", "--overwrite"]);
        let of = |number| band("terralume_blend", &format!(r#"{arguments} band="{number}""#), sources);
        place.vrt("blend.vrt", SIDE, &[of(0), of(1), of(2)]);
        same_bits(&place.floats("blend.vrt"), &place.floats("expected.tif"));
    };
    let [red, green, blue] = colours.clone();
    let below = Source::of("grey.vrt");
    check(
        &[colored, grey],
        r#"mode="multiply" opacity="70" top="rgb""#,
        &[red.clone(), green.clone(), blue.clone(), below.clone()],
    );
    check(
        &[grey, colored],
        r#"mode="luminosity" opacity="80" top="grey""#,
        &[below, red.clone(), green.clone(), blue.clone()],
    );
    let six = [red.clone(), green.clone(), blue.clone(), red, green, blue];
    check(&[colored, colored], r#"mode="multiply" opacity="70""#, &six);
    place.write("recipe.json", &format!(r#"{{"terralume_recipe": 1, "layers": [{colored}]}}"#));
    place.terralume(&["render", "recipe.json", "dem.tif", "expected.tif", "--overwrite"]);
    same_bits(&place.floats("colours.vrt"), &place.floats("expected.tif"));
}

#[test]
fn slope_and_hillshade_give_the_operations_bits() {
    let place = place();
    let arguments = format!(r#"{GRID} nodata="-9999""#);
    for (function, expected, more) in [
        ("terralume_slope", "slope.tif", ""),
        ("terralume_hillshade", "hillshade.tif", ""),
        ("terralume_slope", "percent.tif", r#"unit="percent" vertical_exaggeration="-2""#),
        ("terralume_hillshade", "low.tif", r#"azimuth="20" elevation="5.5""#),
    ] {
        match expected {
            "percent.tif" => place.terralume(&[
                "visualize",
                "slope",
                "dem.tif",
                expected,
                "-p",
                "unit=percent",
                "-p",
                "vertical_exaggeration=-2",
            ]),
            "low.tif" => place.terralume(&[
                "visualize",
                "hillshade",
                "dem.tif",
                expected,
                "-p",
                "azimuth=20",
                "-p",
                "elevation=5.5",
            ]),
            _ => {}
        }
        place.vrt("near.vrt", SIDE, &[band(function, &format!("{arguments} {more}"), &shifted())]);
        let missing = |cell: f32| if cell == -9999.0 { f32::NAN } else { cell };
        let found: Vec<f32> = place.floats("near.vrt").into_iter().map(missing).collect();
        let expected = place.floats(expected);
        assert!(expected.iter().any(|cell| cell.is_nan()));
        // Beyond the edge a VRT has nodata, which counts as the cell itself, as the operation's own rule has it.
        same_bits(&found, &expected);
    }
}

#[test]
fn every_type_of_source() {
    let place = Place::with_dem(SIDE);
    place.plain("gdal_translate", &["-q", "-scale", "-ot", "Byte", "dem.tif", "byte.tif"]);
    let cells: Vec<f32> = place.floats("byte.tif");
    // A height that is there counts as missing.
    let mark = cells.iter().copied().find(|cell| (10.0..120.0).contains(cell)).unwrap();
    let arguments = format!(r#"min="0" max="200" nodata="{mark}""#);
    let mut types =
        vec!["Byte", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64"];
    if place.gdal_has("Int8") {
        types.push("Int8");
    }
    for name in types {
        let band = band("terralume_normalize", &arguments, &twice("byte.tif"));
        place.vrt(
            "typed.vrt",
            SIDE,
            &[band.replace("<SourceTransferType>Float32", &format!("<SourceTransferType>{name}"))],
        );
        for (found, cell) in place.floats("typed.vrt").iter().zip(&cells) {
            let cell = if name == "Int8" { cell.min(127.0) } else { *cell };
            let expected = if cell == mark { mark } else { (cell / 200.0).min(1.0) };
            assert!((found - expected).abs() < 1e-6, "{name}: {cell} gives {found}");
        }
    }
}

#[test]
fn every_type_of_buffer_holds_what_gdal_makes_of_the_floats() {
    let place = Place::with_dem(SIDE);
    // Per cent, far above 65535 in places; missing cells are -9999.
    let arguments = format!(r#"{GRID} unit="percent" vertical_exaggeration="3000" nodata="-9999""#);
    place.vrt("steep.vrt", SIDE, &[band("terralume_slope", &arguments, &shifted())]);
    place.plain("gdal_translate", &["-q", "steep.vrt", "steep.tif"]);
    let steep = place.floats("steep.tif");
    assert!(steep.contains(&-9999.0) && steep.iter().any(|cell| *cell > 70000.0));
    let mut types =
        vec!["Byte", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64"];
    if place.gdal_has("Int8") {
        types.push("Int8");
    }
    for name in types {
        let converted = |source: &str| place.cells_as(name, source);
        assert!(converted("steep.vrt") == converted("steep.tif"), "{name}");
    }
}

#[test]
fn odd_windows_hold_what_the_whole_does() {
    let place = place();
    place.vrt(
        "slope.vrt",
        SIDE,
        &[band("terralume_slope", &format!(r#"{GRID} nodata="-9999""#), &shifted())],
    );
    place.vrt("grey.vrt", SIDE, &[band("terralume_normalize", r#"min="0" max="40""#, &twice("slope.tif"))]);
    for name in ["slope.vrt", "grey.vrt"] {
        let whole = place.floats(name);
        for (col, row, cols, rows) in
            [(0, 0, 1, 1), (3, 5, 1, 40), (3, 5, 40, 1), (7, 9, 13, 11), (89, 89, 1, 1), (0, 20, 90, 3)]
        {
            let window = [col, row, cols, rows].map(|number: usize| number.to_string());
            let window = [&["-srcwin"], &window.each_ref().map(String::as_str)[..]].concat();
            let found = place.floats_with(name, &window);
            let rows = (row..row + rows).map(|row| &whole[row * SIDE + col..row * SIDE + col + cols]);
            same_bits(&found, &rows.collect::<Vec<_>>().concat());
        }
    }
}

#[test]
fn zoomed_out_reads_go_through_the_function() {
    let place = place();
    place.plain("gdaladdo", &["-q", "-r", "average", "slope.tif", "2"]);
    place.plain("gdal_translate", &["-q", "-outsize", "50%", "50%", "slope.tif", "half.tif"]);
    let normalize = |source: &str| band("terralume_normalize", r#"min="0" max="40""#, &twice(source));
    place.vrt("grey.vrt", SIDE, &[normalize("slope.tif")]);
    place.vrt("half.vrt", SIDE / 2, &[normalize("half.tif")]);
    same_bits(&place.floats_with("grey.vrt", &["-outsize", "50%", "50%"]), &place.floats("half.vrt"));
}

#[test]
fn four_threads_of_gdal_read_the_same() {
    // Large enough for gdalwarp to take it in several pieces.
    let side = 300;
    let place = Place::with_dem(side);
    let arguments = format!(r#"{GRID} nodata="-9999""#);
    place.vrt("slope.vrt", side, &[band("terralume_slope", &arguments, &shifted())]);
    let threads = ["-q", "-multi", "-wo", "NUM_THREADS=4", "-wm", "100000"];
    place.plain("gdalwarp", &[&threads[..], &["slope.vrt", "warped.tif"]].concat());
    same_bits(&place.floats("warped.tif"), &place.floats("slope.vrt"));
}

#[test]
fn a_wrong_argument_is_one_error_and_no_file() {
    let place = place();
    let grey = twice("slope.tif");
    let five = shifted();
    let four = [grey.clone(), grey.clone()].concat();
    for (function, arguments, sources, said) in [
        ("normalize", r#"max="1""#, &grey, "argument min is missing; allowed: a number"),
        ("normalize", r#"min="0" max="one""#, &grey, "max = 'one' is not allowed; allowed: a number"),
        (
            "normalize",
            r#"min="5" max="4""#,
            &grey,
            "max = '4' is not allowed; allowed: a number greater than min",
        ),
        (
            "normalize",
            r#"min="0" max="1" gama="2""#,
            &grey,
            "unknown argument 'gama'; allowed: min, max, invert",
        ),
        ("normalize", r#"min="0" max="1" invert="maybe""#, &grey, "allowed: true, false"),
        ("blend", r#"mode="glow""#, &grey, "unknown blend mode 'glow'; allowed: normal, multiply"),
        ("blend", r#"mode="add" opacity="-1""#, &grey, "allowed: a number from 0 to 100"),
        ("blend", r#"mode="add" compat="qgis""#, &grey, "allowed: none, rvt"),
        ("blend", r#"mode="add""#, &five, "5 sources; allowed: 2"),
        ("blend", r#"mode="add" band="0""#, &four, "argument top is missing; allowed: grey"),
        ("blend", r#"modes="add""#, &five, "5 sources with 1 modes; allowed: one source more"),
        (
            "colormap",
            r#"map="jet" band="0""#,
            &grey,
            "unknown colour map (with _r: turned round) 'jet'; allowed:",
        ),
        ("colormap", r#"map="OrRd""#, &grey, "argument band is missing; allowed: 0, 1, 2"),
        (
            "colormap",
            r#"map="OrRd" band="0" cut_max="2""#,
            &grey,
            "cut_max = '2' is not allowed; allowed: a number from 0 to 1",
        ),
        ("slope", r#"cell_width="1""#, &five, "argument cell_height is missing"),
        ("slope", GRID, &grey, "2 sources; allowed: 5"),
        (
            "hillshade",
            r#"cell_width="1" cell_height="1" azimuth="400""#,
            &five,
            "azimuth = '400' is not allowed; allowed: a number from 0 to 360",
        ),
    ] {
        let function = format!("terralume_{function}");
        place.vrt("bad.vrt", SIDE, &[band(&function, arguments, sources)]);
        let (code, error) = place.fails("gdal_translate", &["-q", "bad.vrt", "bad.tif"]);
        assert_eq!(code, Some(1), "{arguments}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments}: {error}");
        assert!(
            error.starts_with(&format!("ERROR 1: {function}: ")) && error.contains(said),
            "{arguments}: {error}"
        );
        assert!(!place.path("bad.tif").exists(), "{arguments} leaves a file");
    }
    place.vrt(
        "complex.vrt",
        SIDE,
        &[band("terralume_normalize", r#"min="0" max="1""#, &grey)
            .replace("<SourceTransferType>Float32", "<SourceTransferType>CFloat32")],
    );
    let (code, error) = place.fails("gdal_translate", &["-q", "complex.vrt", "bad.tif"]);
    assert!(
        code == Some(1) && error.contains("allowed: real numbers") && !place.path("bad.tif").exists(),
        "{error}"
    );
}

#[test]
fn the_example_of_the_documentation_works() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gdal.md")).unwrap();
    let blocks = |language: &str| {
        let start = format!("```{language}\n");
        let after = text.split(&start).skip(1).filter_map(|rest| rest.split("```").next());
        after.map(String::from).collect::<Vec<_>>()
    };
    let place = Place::new();
    place.link_tests();
    let [relief, grey] = &blocks("xml")[..] else { panic!("two VRT files") };
    place.write("relief.vrt", relief);
    place.write("grey.vrt", grey);
    for command in blocks("sh").concat().lines() {
        place.shell(command);
    }
    let cells = place.floats("relief.tif");
    assert!(
        cells.iter().any(|cell| *cell > 0.2)
            && cells.iter().all(|cell| bits(*cell) == bits(f32::NAN) || (0.0..=1.0).contains(cell))
    );
}
