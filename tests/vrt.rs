//! VRT files that `terralume vrt` writes, read by GDAL's own programs, and by Python with newer GDALs.

#[path = "pixel_functions/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod files;
#[path = "gdals/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod support;

use files::{bits, Place};
use support::{python, script, SIDE};
use terralume::{recipe, registry};

/// Recipes for people and for files, by name.
fn names() -> Vec<String> {
    let operations = registry::operations().iter().map(|operation| operation.id.to_string());
    operations.chain(recipe::preset_names().map(String::from)).collect()
}

fn write_file(place: &Place, name: &str, more: &[&str]) {
    let command = if registry::find(name).is_ok() { "visualize" } else { "render" };
    place.terralume(&[&[command, name, "dem.tif", "file.tif", "--overwrite"], more].concat());
}

fn write_vrt(place: &Place, name: &str, more: &[&str]) {
    place.terralume(&[&["vrt", name, "dem.tif", "shown.vrt", "--overwrite"], more].concat());
}

/// Differing cells of two rasters.
fn differing(place: &Place, first: &str, second: &str, options: &[&str]) -> usize {
    let (first, second) = (place.floats_with(first, options), place.floats_with(second, options));
    assert_eq!(first.len(), second.len());
    first.iter().zip(&second).filter(|(first, second)| bits(**first) != bits(**second)).count()
}

/// Checks the VRT and the files beside it against the schema that GDAL ships.
fn validate(place: &Place) {
    let beside = place.path("shown.layers");
    let parts = beside.is_dir().then(|| std::fs::read_dir(beside).unwrap());
    let parts = parts.into_iter().flatten().map(|entry| entry.unwrap().path());
    for path in parts.chain([place.path("shown.vrt")]).filter(|path| path.extension().unwrap() == "vrt") {
        let path = path.to_str().unwrap();
        place.shell(&format!(
            "xmllint --noout --schema \"$(gdal-config --datadir)/gdalvrt.xsd\" '{path}' 2>xml.txt"
        ));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("OverviewList"), "{path}");
        for band in text.split("<VRTRasterBand").skip(1).filter(|band| band.contains("VRTDerivedRasterBand"))
        {
            assert!(band.matches("<SourceFilename").count() >= 2, "{path}: {band}");
            assert!(band.contains("<SourceTransferType>Float32</SourceTransferType>"), "{path}");
        }
    }
}

#[test]
fn layers_have_the_bits_of_a_file_for_every_recipe() {
    let place = Place::with_dem(150);
    for name in names() {
        for more in [&[][..], &["--type", "uint8"]] {
            write_file(&place, &name, more);
            write_vrt(&place, &name, &[more, &["--form", "layers"]].concat());
            assert_eq!(differing(&place, "file.tif", "shown.vrt", &[]), 0, "{name} {more:?}");
            validate(&place);
        }
    }
}

#[test]
fn other_forms_and_options_have_the_bits_of_a_file() {
    let place = Place::with_dem(150);
    for (name, more, form) in [
        ("vat-combined", &["--type", "uint8", "--alpha"][..], "layers"),
        ("crim", &["--type", "uint8", "--compat", "rvt"], "layers"),
        ("e3mstp", &["--compat", "rvt"], "layers"),
        ("vat", &["-p", "slope.opacity=20", "--fill", "idw", "--terrain", "flat"], "layers"),
        ("vat", &["-p", "slope.stretch=percent:3,5"], "layers"),
        ("slope", &["--type", "uint8", "--stretch", "percent:2,2"], "layers"),
        ("slope", &["--type", "uint8", "--stretch", "percent:2,2"], "picture"),
        ("vat", &["-p", "slope.opacity=20", "--type", "uint8"], "picture"),
        ("rrim", &["--type", "uint8", "--alpha"], "picture"),
        ("svf", &["-p", "radius=23"], "picture"),
        ("slope", &["-p", "unit=percent"], "shifted"),
        ("hillshade", &["-p", "azimuth=100", "--type", "uint8"], "shifted"),
    ] {
        write_file(&place, name, more);
        write_vrt(&place, name, &[more, &["--form", form]].concat());
        assert_eq!(differing(&place, "file.tif", "shown.vrt", &[]), 0, "{name} {more:?} {form}");
        validate(&place);
    }
}

/// A recipe of layers that cannot be steps, a mask and a raster: the whole picture instead, and an error on demand.
#[test]
fn masks_and_rasters_are_shown_as_one_picture() {
    let place = Place::with_dem(150);
    place.terralume(&["visualize", "slope", "dem.tif", "slope.tif"]);
    place.write(
        "own.json",
        r#"{"terralume_recipe": 1, "layers": [
            {"raster": "slope.tif", "stretch": "0,40", "mode": "multiply", "opacity": 60,
             "mask": {"operation": "slope", "min": 5, "max": 9}},
            {"operation": "hillshade"}]}"#,
    );
    write_file(&place, "own.json", &[]);
    write_vrt(&place, "own.json", &[]);
    assert_eq!(differing(&place, "file.tif", "shown.vrt", &[]), 0);
    let arguments = ["vrt", "own.json", "dem.tif", "other.vrt", "--form", "layers"];
    let (code, said) = place.fails(env!("CARGO_BIN_EXE_terralume"), &arguments);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("mask") && !place.path("other.vrt").exists() && !place.path("other.layers").exists()
    );
}

/// What is shown zoomed out is the picture of the elevations at that scale, whatever the form.
#[test]
fn zoomed_out_the_forms_show_the_same() {
    let place = Place::with_dem(SIDE);
    for name in ["vat", "e3mstp", "prismatic-openness"] {
        write_vrt(&place, name, &["--form", "layers"]);
        let picture = format!("/vsiterralume/{name}/dem.tif");
        for scale in ["50%", "25%"] {
            let options = ["-outsize", scale, scale, "-r", "nearest"];
            assert_eq!(differing(&place, "shown.vrt", &picture, &options), 0, "{name} at {scale}");
        }
        let options = ["-outsize", "10%", "10%"];
        let cells = place.floats_with("shown.vrt", &options);
        assert!(cells.iter().filter(|cell| cell.is_finite()).count() * 10 > cells.len() * 9, "{name}");
    }
}

#[test]
fn odd_windows_are_parts_of_the_whole() {
    let place = Place::with_dem(SIDE);
    write_vrt(&place, "prismatic-openness", &["--type", "uint8"]);
    write_file(&place, "prismatic-openness", &["--type", "uint8"]);
    for window in
        [["0", "0", "1", "1"], ["509", "3", "7", "590"], ["13", "511", "585", "2"], ["599", "599", "1", "1"]]
    {
        let options = [&["-srcwin"], &window[..]].concat();
        assert_eq!(differing(&place, "file.tif", "shown.vrt", &options), 0, "{window:?}");
    }
}

#[test]
fn a_vrt_says_what_a_file_says() {
    let place = Place::with_dem(150);
    write_file(&place, "vat-combined", &["--type", "uint8"]);
    write_vrt(&place, "vat-combined", &["--type", "uint8"]);
    let info = |name: &str| -> serde_json::Value {
        serde_json::from_str(&place.plain("gdalinfo", &["-json", name])).unwrap()
    };
    let (file, shown) = (info("file.tif"), info("shown.vrt"));
    for key in ["size", "geoTransform", "cornerCoordinates"] {
        assert_eq!(file[key], shown[key], "{key}");
    }
    // VRT files hold older WKT in GDAL 3.6; the system is the same.
    let system = |info: &serde_json::Value| {
        info["coordinateSystem"]["wkt"].as_str().unwrap().lines().last().map(String::from)
    };
    assert_eq!(system(&file), system(&shown));
    for key in ["type", "noDataValue", "colorInterpretation", "description"] {
        assert_eq!(file["bands"][0][key], shown["bands"][0][key], "{key}");
    }
    assert_eq!(file["metadata"][""]["TERRALUME_RECIPE"], shown["metadata"][""]["TERRALUME_RECIPE"]);
    let stated = &shown["bands"][0]["metadata"][""];
    // A raster this small is looked at as a whole.
    assert!(stated["STATISTICS_APPROXIMATE"].is_null());
    let counted = place.plain("gdalinfo", &["-json", "-stats", "file.tif"]);
    let counted: serde_json::Value = serde_json::from_str(&counted).unwrap();
    for key in ["STATISTICS_MINIMUM", "STATISTICS_MAXIMUM", "STATISTICS_MEAN", "STATISTICS_STDDEV"] {
        let number = |value: &serde_json::Value| value[key].as_str().unwrap().parse::<f64>().unwrap();
        let (stated, counted) = (number(stated), number(&counted["bands"][0]["metadata"][""]));
        assert!((stated - counted).abs() < 1e-9 * counted.abs().max(1.0), "{key}: {stated} {counted}");
    }
}

/// The parts are named from the VRT; in the form shifted nothing else is.
#[test]
fn files_can_move_together() {
    let place = Place::with_dem(150);
    std::fs::create_dir(place.path("before")).unwrap();
    std::fs::rename(place.path("dem.tif"), place.path("before/dem.tif")).unwrap();
    place.terralume(&[
        "vrt",
        "hillshade",
        "before/dem.tif",
        "before/a.vrt",
        "--form",
        "shifted",
        "--type",
        "uint8",
    ]);
    let expected = place.floats("before/a.vrt");
    std::fs::rename(place.path("before"), place.path("after")).unwrap();
    assert!(place.floats("after/a.vrt") == expected);
}

/// Runs a script of `tests/gdals` in the folder.
fn run_script(place: &Place, name: &str, arguments: &[&str]) {
    place.plain(python(), &[&["-W", "ignore", &script(name)], arguments].concat());
}

/// GDAL 3.10 and 3.12 of Python's wheels: at full resolution and zoomed out.
#[test]
fn newer_gdals_read_every_form() {
    let place = Place::with_dem(SIDE);
    for (name, more) in
        [("vat", &[][..]), ("prismatic-openness", &["--type", "uint8"]), ("slope", &["-p", "unit=percent"])]
    {
        let forms =
            ["layers", "picture", "processed"].into_iter().chain((name == "slope").then_some("shifted"));
        write_file(&place, name, &[more, &["--co", "COMPRESS=NONE"]].concat());
        place
            .plain("gdal_translate", &["-q", "-of", "ENVI", "-co", "INTERLEAVE=BSQ", "file.tif", "file.bin"]);
        for form in forms {
            write_vrt(&place, name, &[more, &["--form", form]].concat());
            for door in ["rasterio", "pyogrio"] {
                run_script(&place, "same_as_file.py", &[door, "shown.vrt", "file.bin", form]);
                if form == "layers" && more.first() != Some(&"-p") {
                    let more = if more.is_empty() { "" } else { ",type=uint8" };
                    let picture = format!("/vsiterralume/{name}{more}/dem.tif");
                    run_script(&place, "same_zoomed_out.py", &[door, "shown.vrt", &picture, name]);
                }
            }
        }
    }
}

/// A processed dataset whose elevations have overviews: one with the same ones as pictures, and a coarser one.
#[test]
fn processed_datasets_are_right_at_every_zoom() {
    let place = Place::with_dem(SIDE);
    place.plain("gdaladdo", &["-q", "-r", "average", "dem.tif", "2", "4", "8"]);
    write_vrt(&place, "svf", &["--form", "processed"]);
    place.plain(
        "gdal_translate",
        &["-q", "-of", "ENVI", "-ovr", "0", "/vsiterralume/svf/dem.tif", "half.bin"],
    );
    run_script(&place, "zoomed.py", &["shown.vrt", "half.bin"]);
}

#[test]
fn what_is_wrong_is_one_error_and_no_file() {
    let place = Place::with_dem(150);
    place.write("there.vrt", "mine");
    std::fs::create_dir(place.path("folder.layers")).unwrap();
    place.write("folder.layers/notes.txt", "mine");
    let program = env!("CARGO_BIN_EXE_terralume");
    for (arguments, code, text) in [
        (&["vrt", "slope", "dem.tif", "there.vrt"][..], 1, "'there.vrt' exists; allowed: a new name"),
        (&["vrt", "slope", "dem.tif", "dem.tif", "--overwrite"], 1, "is the input; allowed: another file"),
        (&["vrt", "slope", "gone.tif", "out.vrt"], 1, "gone.tif"),
        (&["vrt", "slop", "dem.tif", "out.vrt"], 2, "'slop'; allowed: "),
        (&["vrt", "svf", "dem.tif", "out.vrt", "-p", "radius=0"], 2, "radius = '0' is not allowed"),
        (
            &["vrt", "svf", "dem.tif", "out.vrt", "--form", "shifted"],
            1,
            "allowed in the form shifted: slope, hillshade",
        ),
        (&["vrt", "svf", "dem.tif", "out.vrt", "--form", "round"], 2, "invalid value 'round'"),
        (&["vrt", "svf", "dem.tif", "nowhere/out.vrt"], 1, "'nowhere' does not exist"),
        (&["vrt", "vat", "dem.tif", "folder.vrt", "--overwrite"], 1, "holds 'notes.txt', which is not ours"),
    ] {
        let (found, said) = place.fails(program, &[arguments, &["--quiet"]].concat());
        assert!(
            found == Some(code) && said.contains(text) && said.lines().count() == 1,
            "{arguments:?}: {found:?} {said}"
        );
    }
    assert_eq!(std::fs::read_to_string(place.path("there.vrt")).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(place.path("folder.layers/notes.txt")).unwrap(), "mine");
    let left = std::fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with(".terralume")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!place.path("out.vrt").exists());
}
