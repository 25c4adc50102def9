//! Recipes from files.

use super::support::Folder;

#[test]
fn a_described_preset_is_a_recipe() {
    let folder = Folder::with_dem(60);
    let text = folder.terralume(&["describe", "vat-combined", "--json"]).out;
    folder.write("own.json", text.as_bytes());
    folder.write("windows.json", format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes());
    folder.run(&["render", "vat-combined", "dem.tif", "preset.tif"]);
    for recipe in ["own.json", "./own.json", "windows.json"] {
        folder.run(&["render", recipe, "dem.tif", "own.tif", "--overwrite"]);
        assert!(folder.cells("own.tif") == folder.cells("preset.tif"), "{recipe}");
    }
}

#[test]
fn the_recipe_in_an_output_makes_it_again() {
    let folder = Folder::with_dem(60);
    folder.run(&["visualize", "svf", "dem.tif", "first.tif", "-p", "radius=7", "-p", "noise=low"]);
    let info = folder.info("first.tif");
    folder.write("again.json", info["metadata"][""]["TERRALUME_RECIPE"].as_str().unwrap().as_bytes());
    folder.run(&["render", "again.json", "dem.tif", "again.tif"]);
    assert!(folder.cells("first.tif") == folder.cells("again.tif"));
}

#[test]
fn a_preset_goes_before_a_file_of_its_name() {
    let folder = Folder::with_dem(40);
    folder.write("vat", b"no recipe");
    folder.run(&["render", "vat", "dem.tif", "out.tif"]);
    folder.refused(&["render", "./vat", "dem.tif", "out2.tif"], 2, &["recipe './vat'", "terralume_recipe"]);
}

#[test]
fn bad_recipes() {
    let folder = Folder::with_dem(40);
    let refused = |content: &[u8], words: &[&str]| {
        folder.write("bad.json", content);
        let words = [&["recipe 'bad.json': "], words].concat();
        folder.refused(&["render", "bad.json", "dem.tif", "out.tif"], 2, &words);
    };
    let layers = |layers: &str| format!(r#"{{"terralume_recipe": 1, "layers": [{layers}]}}"#).into_bytes();
    refused(b"", &["no JSON object"]);
    refused(b"[]", &["no JSON object", "terralume_recipe"]);
    refused(b"slope", &["no JSON object"]);
    refused(&[0xff, 0xfe, 0, 1], &["UTF-8", "allowed: JSON text"]);
    refused(b"{", &["EOF", "line 1"]);
    refused(b"{\n\"layers\": [],\n}", &["line 3"]);
    refused(b"{}", &["none of the known keys", "terralume_recipe"]);
    refused(br#"{"terralume_recipe": 7, "layers": []}"#, &["7", "allowed: 1"]);
    refused(&layers(""), &["no layers", "at least one"]);
    refused(&layers("{}"), &["layer 1", "either 'operation', 'recipe', 'raster' or 'stack'"]);
    refused(&layers(r#"{"operation": "slop"}"#), &["layer 1", "unknown operation 'slop'; allowed: slope"]);
    refused(&layers(r#"{"recipe": "vta"}"#), &["layer 1", "unknown preset 'vta'; allowed: vat"]);
    refused(&layers(r#"{"operation": "slope", "colour": 1}"#), &["colour", "expected one of"]);
    refused(&layers(r#"{"operation": "slope", "mode": "shiny"}"#), &["shiny", "normal"]);
    refused(&layers(r#"{"operation": "slope", "opacity": 120}"#), &["opacity 120", "0 to 100"]);
    refused(
        &layers(r#"{"operation": "slope", "min": 2, "max": 1}"#),
        &["from 2 to 1", "min smaller than max"],
    );
    let unit = r#"{"operation": "slope", "parameters": {"unit": "mile"}}"#;
    refused(&layers(unit), &["slope: unit = 'mile'", "degree, percent, radian"]);
    let stretch = |text: &str| layers(&format!(r#"{{"operation": "slope", {text}}}"#));
    refused(&stretch(r#""stretch": "percent:60,50""#), &["layer 1", "percent:60,50", "together below 100"]);
    refused(&stretch(r#""stretch": "deviations:0""#), &["layer 1", "deviations:0", "greater than 0"]);
    refused(
        &stretch(r#""stretch": "0,5", "min": 1, "max": 2"#),
        &["layer 1", "'min' and 'max' together or 'stretch'"],
    );
    refused(&stretch(r#""display": "5,0""#), &["layer 1", "from 5 to 0", "min smaller than max"]);
    let whole = |text: &str| {
        format!(r#"{{"terralume_recipe": 1, {text}, "layers": [{{"operation": "slope"}}]}}"#).into_bytes()
    };
    refused(&whole(r#""terrain": "hilly""#), &["unknown terrain 'hilly'; allowed: general, flat, steep"]);
    refused(
        &whole(r#""fill": {"method": "kriging"}"#),
        &["fill", "method = 'kriging'", "allowed: idw, nearest, linear_row"],
    );
    refused(&whole(r#""fill": {"radius": 0}"#), &["fill", "radius = '0'", "from 1 to 1000"]);
    refused(
        &whole(r#""fill": {"depth": 3}"#),
        &["fill", "unknown parameter 'depth'", "method, radius, power"],
    );
    refused(&whole(r#""fill": "idw""#), &["invalid type: string", "line 1"]);
    let inner = r#"{"recipe": {"terralume_recipe": 1, "fill": {}, "layers": [{"operation": "slope"}]}}"#;
    refused(&layers(inner), &["layer 1", "'fill' belongs to the outermost recipe"]);
    let several = r#"{"operation": "multi_hillshade"}, {"operation": "slope"}"#;
    folder.write("bad.json", &layers(several));
    let words = ["multi_hillshade", "16 bands", "allowed in a blend: one or three"];
    folder.refused(&["render", "bad.json", "dem.tif", "out.tif"], 2, &words);
}

#[test]
fn files_that_are_no_recipes() {
    let folder = Folder::with_dem(40);
    folder.refused(&["render", "dem.tif", "dem.tif", "out.tif"], 2, &["recipe 'dem.tif'", "JSON"]);
    folder.refused(&["render", ".", "dem.tif", "out.tif"], 2, &["recipe '.'", "directory"]);
    folder.refused(&["render", "none.json", "dem.tif", "out.tif"], 2, &["'none.json'", "a JSON file, vat"]);
    let deep = format!("{{\"terralume_recipe\": 1, \"layers\": {}", "[".repeat(100_000));
    folder.write("deep.json", deep.as_bytes());
    folder.refused(&["render", "deep.json", "dem.tif", "out.tif"], 2, &["recipe 'deep.json'"]);
    folder.write("large.json", &b"{ ".repeat(1 << 20));
    folder.refused(&["render", "large.json", "dem.tif", "out.tif"], 2, &["recipe 'large.json'"]);
}
