//! RVT's files: what they say is what is computed, and combinations are written back as they came.

#[path = "cli/support.rs"]
#[allow(dead_code, reason = "the tests of the command line use all of it")]
mod support;

use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use support::Folder;
use terralume::recipe::terrain::{terrains, Terrain};
use terralume::recipe::{preset_names, Content, Settings};
use terralume::{registry, Compatibility, Recipe};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rvt").join(name)
}

fn data(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A folder with an elevation model and RVT's files.
fn folder() -> Folder {
    let folder = Folder::with_dem(60);
    for entry in std::fs::read_dir(path("")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path(entry.file_name().to_str().unwrap())).unwrap();
    }
    folder
}

#[test]
fn combinations_are_written_as_they_came() {
    let mut written = 0;
    let mut check = |text: &str, name: Option<&str>, expected: &Value| {
        let recipe = Recipe::parse_named(text, name).unwrap();
        let again = recipe.to_rvt_combination().unwrap();
        assert_eq!(again, *expected);
        assert_eq!(Recipe::parse(&again.to_string()).unwrap().to_json(), recipe.to_json());
        written += 1;
    };
    for file in ["vat.json", "prismatic_openness.json"] {
        check(&data(file), None, &parsed(&data(file)));
    }
    let text = data("combinations.json");
    let list = parsed(&text);
    for combination in list["combinations"].as_array().unwrap() {
        let name = combination["combination"]["name"].as_str().unwrap();
        if name != "VAT combined" {
            check(&text, Some(name), combination);
        }
    }
    assert_eq!(written, 5);
}

/// RVT computes it by code, not from the layers of its file.
#[test]
fn vat_combined_leads_to_the_preset() {
    let text = Recipe::parse_named(&data("combinations.json"), Some("VAT combined")).unwrap_err().to_string();
    assert!(
        text.contains("combination 'VAT combined': no layer") && text.contains("preset vat-combined"),
        "{text}"
    );
}

#[test]
fn the_combination_is_the_preset() {
    let layers = |recipe: &Recipe| recipe.to_json()["layers"].clone();
    assert_eq!(layers(&Recipe::parse(&data("vat.json")).unwrap()), layers(&Recipe::parse("vat").unwrap()));
}

#[test]
fn what_is_read_is_kept_by_our_own_format() {
    for file in ["vat.json", "prismatic_openness.json"] {
        let json = Recipe::parse(&data(file)).unwrap().to_json();
        assert_eq!(Recipe::parse(&json.to_string()).unwrap().to_json(), json);
    }
}

/// RVT's shadow follows the sun of the hillshade; ours of the same name leave it alone.
#[test]
fn terrain_settings_are_the_built_in_ones() {
    let text = data("default_terrains_settings.json");
    for own in terrains().unwrap() {
        let theirs = Terrain::parse_named(&text, Some(&own.name)).unwrap();
        let mut operations = theirs.describe()["operations"].clone();
        let shadow = operations.as_object_mut().unwrap().remove("shadow").unwrap();
        assert_eq!(shadow["parameters"], operations["hillshade"]["parameters"], "{}", own.name);
        assert_eq!(operations, own.describe()["operations"], "{}", own.name);
        let names = registry::operations().iter().map(|operation| operation.id).filter(|id| *id != "shadow");
        for name in names.chain(preset_names()) {
            let applied = |terrain: &Terrain| {
                let mut recipe = Recipe::parse(name).unwrap();
                terrain.apply(&mut recipe).unwrap();
                recipe.to_json()
            };
            assert_eq!(applied(&theirs), applied(&own), "{} {name}", own.name);
        }
    }
}

/// Parameters and 8-bit stretches of the only layer.
fn applied(settings: &Settings, operation: &str) -> (Value, Value) {
    let mut recipe = Recipe::parse(operation).unwrap();
    settings.apply(&mut recipe).unwrap();
    let layer = recipe.to_json()["layers"][0].clone();
    (layer["parameters"].clone(), layer["display"].clone())
}

#[test]
fn default_settings_are_our_defaults() {
    let settings = Settings::parse(&data("default_settings.json")).unwrap();
    assert!(settings.not_applied().is_empty(), "{:?}", settings.not_applied());
    let computed: Vec<_> = settings.visualizations().iter().map(|operation| operation.id).collect();
    assert_eq!(computed, ["hillshade"]);
    let mut stretches = 0;
    for operation in registry::operations() {
        let recipe = Recipe::parse(operation.id).unwrap();
        let Content::Operation(call) = &recipe.layers[0].content else { panic!("{}", operation.id) };
        let (parameters, display) = applied(&settings, operation.id);
        assert_eq!(parameters, json!(call.values.to_json()), "{}", operation.id);
        if let Some(display) = display.as_str() {
            let own = (operation.stretch)(&call.values, Compatibility::Rvt);
            assert_eq!(display, own.cut.to_string(), "{}", operation.id);
            stretches += 1;
        }
    }
    assert_eq!(stretches, 12);
}

#[test]
fn settings_in_the_older_form() {
    let settings = Settings::parse(&data("settings.txt")).unwrap();
    assert!(settings.not_applied().is_empty(), "{:?}", settings.not_applied());
    let computed: Vec<_> = settings.visualizations().iter().map(|operation| operation.id).collect();
    assert_eq!(computed, ["hillshade", "local_relief", "sky_view_factor", "openness_positive"]);
    let changed = |operation: &str| {
        let defaults = applied(&Settings::default(), operation).0;
        let mut now = applied(&settings, operation).0;
        now.as_object_mut().unwrap().retain(|name, value| defaults[name] != *value);
        now
    };
    let horizon = json!({"directions": 32, "radius": 12, "noise": "low"});
    let mut anisotropic = horizon.clone();
    anisotropic["anisotropy"] = json!("high");
    for (operation, expected) in [
        ("slope", json!({})),
        ("hillshade", json!({"azimuth": 300, "elevation": 25})),
        ("shadow", json!({"azimuth": 300, "elevation": 25})),
        ("multi_hillshade", json!({"directions": 8})),
        ("local_relief", json!({"radius": 15})),
        ("sky_view_factor", horizon.clone()),
        ("openness_positive", horizon.clone()),
        ("openness_negative", horizon),
        ("anisotropic_sky_view_factor", anisotropic),
        ("sky_illumination", json!({"model": "uniform", "radius": 50})),
        ("local_dominance", json!({"radius_min": 5, "radius_max": 15})),
    ] {
        assert_eq!(changed(operation), expected, "{operation}");
    }
}

#[test]
fn a_combination_file_is_rendered_as_the_preset() {
    let folder = folder();
    folder.run(&["render", "vat", "dem.tif", "preset.tif"]);
    for recipe in ["vat.json", "combinations.json#Archaeological (VAT)", "vat.json#Archaeological (VAT)"] {
        folder.run(&["render", recipe, "dem.tif", "out.tif", "--overwrite"]);
        assert!(folder.cells("out.tif") == folder.cells("preset.tif"), "{recipe}");
    }
}

#[test]
fn one_of_several_combinations_must_be_named() {
    let folder = folder();
    let names = "Archaeological (VAT), VAT combined, Prismatic openness, City";
    let refused = |recipe: &str, words: &[&str]| {
        folder.refused(&["render", recipe, "dem.tif", "out.tif"], 2, words);
    };
    refused("combinations.json", &["recipe 'combinations.json'", "4 combinations", "FILE#NAME", names]);
    refused("combinations.json#", &["unknown combination ''; allowed: ", names]);
    refused("combinations.json#VAT", &["unknown combination 'VAT'; allowed: ", names]);
    refused("none.json#VAT", &["'none.json#VAT' is neither a file nor a preset"]);
    refused("#VAT", &["'#VAT' is neither a file nor a preset"]);
}

#[test]
fn a_file_may_have_the_sign_in_its_name() {
    let folder = folder();
    folder.write("my#vat.json", data("vat.json").as_bytes());
    folder.write("all#of.json", data("combinations.json").as_bytes());
    folder.run(&["render", "my#vat.json", "dem.tif", "out.tif"]);
    folder.run(&["render", "all#of.json#Archaeological (VAT)", "dem.tif", "out2.tif"]);
    assert!(folder.cells("out.tif") == folder.cells("out2.tif"));
}

#[test]
fn files_are_described() {
    let folder = folder();
    let said = folder.terralume(&["describe", "combinations.json#City"]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    for word in ["City", "sky_illumination", "percent:1,0", "shadow"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn terrain_from_a_file() {
    let folder = folder();
    let render = |terrain: &str, out: &str| {
        folder.run(&["render", "vat", "dem.tif", out, "--terrain", terrain]);
        folder.cells(out)
    };
    let built_in = render("flat", "1.tif");
    assert!(render("default_terrains_settings.json#flat", "2.tif") == built_in);
    assert!(render("steep", "3.tif") != built_in);
    let flat = parsed(&data("default_terrains_settings.json"))["terrains_settings"][1].clone();
    folder.write("own.json", json!({"terrains_settings": [flat]}).to_string().as_bytes());
    assert!(render("own.json", "4.tif") == built_in);
    // A name goes before a file.
    folder.write("flat", b"no terrain");
    assert!(render("flat", "5.tif") == built_in);
    let own = r#"{"terralume_terrain": 1, "name": "low sun", "title": "", "summary": "",
        "operations": {"hillshade": {"parameters": {"elevation": 5}}}}"#;
    folder.write("sun.json", own.as_bytes());
    folder.run(&["visualize", "hillshade", "dem.tif", "low.tif", "--terrain", "sun.json"]);
    folder.run(&["visualize", "hillshade", "dem.tif", "five.tif", "-p", "elevation=5"]);
    assert!(folder.cells("low.tif") == folder.cells("five.tif"));
    let refused = |terrain: &str, words: &[&str]| {
        folder.refused(&["render", "vat", "dem.tif", "out.tif", "--terrain", terrain], 2, words);
    };
    refused("default_terrains_settings.json", &["3 terrains", "FILE#NAME: general, flat, steep"]);
    refused(
        "default_terrains_settings.json#hilly",
        &["unknown terrain 'hilly'; allowed: general, flat, steep"],
    );
    refused("vat.json", &["terrain 'vat.json': ", "terralume_terrain, or RVT's terrains_settings"]);
    refused("hilly", &["unknown terrain 'hilly'"]);
}

#[test]
fn settings_from_a_file() {
    let folder = folder();
    let run = |arguments: &[&str], out: &str| {
        folder.run(&[&["visualize", "svf", "dem.tif", out], arguments].concat());
        folder.cells(out)
    };
    let bytes = ["--type", "uint8"];
    let plain = run(&bytes, "1.tif");
    assert!(run(&[&bytes[..], &["--settings", "default_settings.json"]].concat(), "2.tif") == plain);
    let old = ["--settings", "settings.txt"];
    let same = ["-p", "directions=32", "-p", "radius=12", "-p", "noise=low"];
    assert!(run(&old, "3.tif") == run(&same, "4.tif"));
    // Terrain, then single parameters go over the settings.
    let terrain = [&old[..], &["--terrain", "general", "-p", "directions=8"]].concat();
    assert!(run(&terrain, "5.tif") == run(&["-p", "directions=8"], "6.tif"));
    let mut stretched = parsed(&data("default_settings.json"));
    stretched["default_settings"]["Sky-View Factor"]["svf_bytscl"]["min"] = json!(0.5);
    stretched["default_settings"]["ve_factor"]["value"] = json!("2");
    folder.write("own.json", stretched.to_string().as_bytes());
    let own = run(&[&bytes[..], &["--settings", "own.json"]].concat(), "7.tif");
    let same = ["--stretch", "0.5,1", "-p", "vertical_exaggeration=2"];
    assert!(own == run(&[&bytes[..], &same].concat(), "8.tif"));
    folder.run(&["render", "vat", "dem.tif", "9.tif", "--settings", "default_settings.json"]);
    folder.run(&["render", "vat", "dem.tif", "10.tif"]);
    assert!(folder.cells("9.tif") == folder.cells("10.tif"));
}

#[test]
fn what_settings_say_in_vain_is_named() {
    let folder = folder();
    let mut settings = parsed(&data("default_settings.json"));
    settings["default_settings"]["Hillshade"]["hs_shadow"]["value"] = json!(1);
    settings["default_settings"]["Slope gradient"]["slp_save_8bit"]["value"] = json!("1");
    folder.write("own.json", settings.to_string().as_bytes());
    let answer =
        folder.terralume(&["visualize", "slope", "dem.tif", "out.tif", "--settings", "own.json", "--quiet"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(
        answer.err,
        "terralume: warning: settings 'own.json': not applied: hs_shadow, slp_save_8bit\n"
    );
}

#[test]
fn export_and_back() {
    let folder = folder();
    let printed = folder.terralume(&["export", "vat", "--format", "rvt"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    assert_eq!(
        parsed(&printed.out)["combination"]["layers"],
        parsed(&data("vat.json"))["combination"]["layers"]
    );
    let export = |arguments: &[&str]| {
        let answer = folder.terralume(&[&["export"], arguments].concat());
        assert_eq!(
            (answer.code, answer.err.as_str(), answer.out.as_str()),
            (Some(0), "", ""),
            "{arguments:?}"
        );
    };
    export(&["vat", "rvt.json", "--format", "rvt"]);
    assert_eq!(folder.read("rvt.json"), printed.out.as_bytes());
    export(&["rvt.json", "own.json"]);
    export(&["own.json", "again.json", "--format", "rvt"]);
    assert_eq!(folder.read("again.json"), printed.out.as_bytes());
    export(&["combinations.json#City", "again.json", "--format", "rvt", "--overwrite"]);
    assert_eq!(
        parsed(&data("combinations.json"))["combinations"][3],
        parsed(&String::from_utf8(folder.read("again.json")).unwrap())
    );
    // What was changed is written.
    export(&["vat", "flat.json", "--terrain", "flat", "-p", "slope.opacity=30"]);
    let flat = parsed(&String::from_utf8(folder.read("flat.json")).unwrap());
    assert_eq!(flat["layers"][3]["parameters"]["elevation"], 15);
    assert_eq!(flat["layers"][2]["opacity"], 30.0);
    folder.run(&["render", "flat.json", "dem.tif", "1.tif"]);
    folder.run(&["render", "vat-flat", "dem.tif", "2.tif", "-p", "slope.opacity=30"]);
    assert!(folder.cells("1.tif") == folder.cells("2.tif"));
    export(&["hillshade", "shade.json", "-p", "azimuth=300"]);
    assert_eq!(
        parsed(&String::from_utf8(folder.read("shade.json")).unwrap())["layers"][0]["parameters"]["azimuth"],
        300
    );
}

#[test]
fn export_destroys_nothing() {
    let folder = folder();
    folder.write("precious.json", b"precious");
    let refused = |arguments: &[&str], code: i32, words: &[&str]| {
        folder.refused(&[&["export"], arguments].concat(), code, words);
    };
    refused(&["vat", "precious.json"], 1, &["output 'precious.json' exists", "overwrite"]);
    refused(&["vat.json", "vat.json", "--overwrite"], 1, &["output 'vat.json' is the input"]);
    refused(&["combinations.json#City", "./combinations.json", "--overwrite"], 1, &["is the input"]);
    refused(&["vat", "missing/out.json"], 1, &["output directory 'missing' does not exist"]);
    refused(&["vat", ".", "--overwrite"], 1, &["is a directory"]);
    refused(
        &["vat-flat", "out.json", "--format", "rvt"],
        2,
        &["layer 'sky_view_factor'", "radius = 20", "allowed: 10"],
    );
    refused(
        &["vat-combined", "--format", "rvt"],
        2,
        &["layer 'vat-general'", "it is the recipe 'vat-general'"],
    );
    refused(&["vat", "--format", "qgis"], 2, &["qgis", "terralume", "rvt"]);
    refused(&["vta"], 2, &["'vta' is neither a file nor a preset; allowed: a JSON file, vat"]);
    refused(&["vat", "-p", "slop.opacity=3"], 2, &["unknown layer 'slop'"]);
    refused(&["vat", "--settings", "none.json"], 2, &["settings 'none.json': No such file"]);
}

/// Every error is one line that names the file, with exit code 2, and nothing is written.
#[test]
fn bad_files() {
    let folder = Folder::with_dem(20);
    let layer = |key: &str, value: Value| {
        let mut combination = parsed(&data("vat.json"));
        combination["combination"]["layers"][1][key] = value;
        combination
    };
    let place = "combination 'Archaeological (VAT)', layer 2: ";
    let bad: [(&str, Value, &[&str]); 16] = [
        ("recipe", json!({}), &["none of the known keys"]),
        ("recipe", json!({"combination": []}), &["a list came; allowed: an object"]),
        (
            "recipe",
            json!({"combination": {"name": 1, "layers": []}}),
            &["name = 1 is not allowed; allowed: a text"],
        ),
        ("recipe", json!({"combinations": []}), &["no combination; allowed: at least one"]),
        ("recipe", json!({"combinations": [1]}), &["combinations, entry 1: 1 came"]),
        (
            "recipe",
            layer("visualization_method", json!("Slopes\n")),
            &[place, "unknown visualization 'Slopes"],
        ),
        (
            "recipe",
            layer("blend_mode", json!("Shiny")),
            &[place, "unknown blend_mode 'Shiny'; allowed: Normal"],
        ),
        ("recipe", layer("norm", json!("Sigma")), &[place, "unknown norm 'Sigma'; allowed: Value, Perc"]),
        ("recipe", layer("colour", json!(1)), &[place, "unknown key 'colour'; allowed: layer"]),
        ("recipe", layer("opacity", json!("much")), &[place, "opacity = 'much'"]),
        (
            "terrain",
            json!({"terrains_settings": [{"terrain_settings": {"Slope gradient": {}}}]}),
            &["'name' is missing"],
        ),
        ("terrain", json!({"terrains_settings": [{}]}), &["entry 1: 'terrain_settings' is missing"]),
        ("settings", json!({}), &["'default_settings' is missing"]),
        (
            "settings",
            json!({"default_settings": {"Hillshade": {"sun": 1}}}),
            &["Hillshade: unknown key 'sun'"],
        ),
        ("settings", json!("slope = 1"), &["line 1: unknown key '\"slope'; allowed: overwrite"]),
        ("settings", json!(null), &["line 1: 'null' is not allowed; allowed: key = value"]),
    ];
    for (kind, content, words) in bad {
        folder.write("bad.json", content.to_string().as_bytes());
        let named = format!("{kind} 'bad.json': ");
        let words = [&[named.as_str()], words].concat();
        let option = format!("--{kind}");
        let arguments: &[&str] = match kind {
            "recipe" => &["render", "bad.json", "dem.tif", "out.tif"],
            _ => &["render", "vat", "dem.tif", "out.tif", &option, "bad.json"],
        };
        folder.refused(arguments, 2, &words);
    }
    for option in ["--terrain", "--settings"] {
        let arguments = ["visualize", "slope", "dem.tif", "out.tif", option];
        folder.refused(&[&arguments[..], &["dem.tif"]].concat(), 2, &["'dem.tif': ", "UTF-8"]);
        folder.refused(&[&arguments[..], &["none.json"]].concat(), 2, &["none.json"]);
    }
}
