//! What comes out when all is well.

use super::support::{hill, listed, Folder};
use serde_json::{json, Value};

/// Everything about the output but its cells must be right, and the cells must show something.
fn check_output(folder: &Folder, name: &str, cell_type: &str, bands: &Value) {
    let (source, output) = (folder.info("dem.tif"), folder.info(name));
    for key in ["size", "geoTransform", "coordinateSystem"] {
        assert_eq!(output[key], source[key], "{name}: {key}");
    }
    let metadata = &output["metadata"][""];
    assert_eq!(metadata["AREA_OR_POINT"], "Area");
    assert_eq!(metadata["TERRALUME_VERSION"], terralume::VERSION);
    let recipe: Value = serde_json::from_str(metadata["TERRALUME_RECIPE"].as_str().unwrap()).unwrap();
    assert_eq!(recipe["terralume_recipe"], 1);
    let written = output["bands"].as_array().unwrap();
    for (index, band) in written.iter().enumerate() {
        assert_eq!(band["type"], if cell_type == "uint8" { "Byte" } else { "Float32" }, "{name}");
        assert_eq!(
            band["noDataValue"],
            if cell_type == "uint8" { json!(0.0) } else { json!("NaN") },
            "{name}"
        );
        assert!(band["computedMin"].as_f64() < band["computedMax"].as_f64(), "{name}: {band}");
        assert_eq!(band["description"], bands[index]["name"], "{name}");
        assert_eq!(band["unit"].as_str().unwrap_or(""), bands[index]["unit"], "{name}");
    }
    assert_eq!(written.len(), bands.as_array().unwrap().len(), "{name}");
}

#[test]
fn every_operation_as_values_and_as_picture() {
    let folder = Folder::with_dem(90);
    for operation in listed()["operations"].as_array().unwrap() {
        let id = operation["id"].as_str().unwrap();
        for cell_type in ["float32", "uint8"] {
            let name = format!("{id}-{cell_type}.tif");
            folder.run(&["visualize", id, "dem.tif", &name, "--type", cell_type]);
            check_output(&folder, &name, cell_type, &operation["bands"]);
        }
    }
}

#[test]
fn every_preset_as_values_and_as_picture() {
    let folder = Folder::with_dem(90);
    for preset in listed()["presets"].as_array().unwrap() {
        let name = preset["name"].as_str().unwrap();
        for cell_type in ["float32", "uint8"] {
            let output = format!("{name}-{cell_type}.tif");
            folder.run(&["render", name, "dem.tif", &output, "--type", cell_type]);
            check_output(&folder, &output, cell_type, &preset["bands"]);
        }
    }
}

#[test]
fn says_what_it_wrote() {
    let folder = Folder::with_dem(40);
    let answer = folder.terralume(&["visualize", "multi_hillshade", "dem.tif", "out.tif"]);
    assert_eq!((answer.code, answer.out.as_str()), (Some(0), ""));
    assert!(answer.err.starts_with("wrote out.tif (40 x 40 cells, 16 bands, "), "{}", answer.err);
    assert_eq!(answer.err.lines().count(), 1);
}

#[test]
fn formats_and_creation_options() {
    let folder = Folder::with_dem(600);
    let structure = |name: &str| folder.info(name)["metadata"]["IMAGE_STRUCTURE"].clone();
    let slope = |output: &str, more: &[&str]| {
        folder.run(&[&["visualize", "slope", "dem.tif", output], more].concat());
        folder.cells(output)
    };
    let plain = slope("plain.tif", &["--co", "COMPRESS=NONE"]);
    assert!(structure("plain.tif")["COMPRESSION"].is_null());
    assert!(slope("lzw.tif", &["--co", "COMPRESS=LZW"]) == plain);
    assert_eq!(structure("lzw.tif")["COMPRESSION"], "LZW");
    assert!(slope("several.tif", &["--co", "compress=deflate", "--co", "TILED=NO"]) == plain);
    assert_eq!(structure("several.tif")["COMPRESSION"], "DEFLATE");
    assert!(slope("cog.tif", &["--format", "cog"]) == plain);
    assert_eq!(structure("cog.tif")["LAYOUT"], "COG");
    assert_eq!(folder.info("cog.tif")["bands"][0]["overviews"][0]["size"], json!([300, 300]));
    assert!(slope("overviews.tif", &["--overviews"]) == plain);
    assert_eq!(folder.info("overviews.tif")["bands"][0]["overviews"][0]["size"], json!([300, 300]));
    assert!(folder.info("plain.tif")["bands"][0]["overviews"].is_null());
}

#[test]
fn a_cog_carries_everything_as_well() {
    let folder = Folder::with_dem(90);
    for cell_type in ["float32", "uint8"] {
        let name = format!("{cell_type}.tif");
        folder.run(&["visualize", "slope", "dem.tif", &name, "--format", "COG", "--type", cell_type]);
        check_output(&folder, &name, cell_type, &json!([{"name": "Slope", "unit": "degree"}]));
    }
}

#[test]
fn the_same_bits_whatever_tiles_and_threads() {
    let folder = Folder::with_dem(300);
    for (command, name) in [("visualize", "svf"), ("visualize", "multi_hillshade"), ("render", "vat")] {
        let run = |output: &str, more: &[&str]| {
            folder.run(&[&[command, name, "dem.tif", output, "--overwrite"], more].concat());
            folder.cells(output)
        };
        let first = run("first.tif", &["--threads", "1"]);
        for (size, threads) in [("64", "3"), ("100", "2"), ("1000", "5")] {
            let again = run("again.tif", &["--tile-size", size, "--threads", threads]);
            assert!(again == first, "{name} in tiles of {size} by {threads} threads");
        }
    }
}

#[test]
fn parameters_change_the_result() {
    let folder = Folder::with_dem(60);
    let run = |command: &str, name: &str, more: &[&str]| {
        folder.run(&[&[command, name, "dem.tif", "out.tif", "--overwrite"], more].concat());
        folder.cells("out.tif")
    };
    let plain = run("visualize", "hillshade", &[]);
    assert!(run("visualize", "hillshade", &["-p", "azimuth=315", "-p", "elevation=35"]) == plain);
    assert!(run("visualize", "hillshade", &["-p", "azimuth=300"]) != plain);
    assert!(run("visualize", "hillshade", &["-p", "vertical_exaggeration=-2"]) != plain);
    let plain = run("render", "vat", &[]);
    assert!(run("render", "vat", &["-p", "slope.opacity=50"]) == plain);
    assert!(run("render", "vat", &["-p", "slope.opacity=10"]) != plain);
    assert!(run("render", "vat", &["-p", "sky_view_factor.radius=5m"]) != plain);
    let combined = run("render", "cvat", &[]);
    assert!(run("render", "vat-combined", &["-p", "vat-flat.hillshade.elevation=40"]) != combined);
}

#[test]
fn other_names_of_an_operation() {
    let folder = Folder::with_dem(60);
    folder.run(&["visualize", "svf", "dem.tif", "short.tif"]);
    folder.run(&["visualize", "sky_view_factor", "dem.tif", "long.tif"]);
    assert!(folder.cells("short.tif") == folder.cells("long.tif"));
}

#[test]
fn values_may_begin_with_a_minus() {
    let folder = Folder::with_dem(60);
    let picture = ["visualize", "slope", "dem.tif", "--type", "uint8"];
    folder.run(&[&picture[..], &["joined.tif", "--stretch=-20,20"]].concat());
    folder.run(&[&picture[..], &["apart.tif", "--stretch", "-20,20"]].concat());
    folder.run(&[&picture[..], &["own.tif"]].concat());
    assert!(folder.cells("joined.tif") == folder.cells("apart.tif"));
    assert!(folder.cells("joined.tif") != folder.cells("own.tif"));
}

#[test]
fn nodata_of_the_file_and_of_the_user() {
    let mut rows = hill(20, 20);
    rows[10][10] = -9999.0;
    rows[4][4] = -1.0;
    let folder = Folder::with_grid(&rows);
    let missing = |more: &[&str]| {
        folder.run(&[&["visualize", "slope", "grid.asc", "out.tif", "--overwrite"], more].concat());
        let cells = folder.floats("out.tif");
        (cells[10 * 20 + 10].is_nan(), cells[4 * 20 + 4].is_nan())
    };
    assert_eq!(missing(&[]), (true, false));
    assert_eq!(missing(&["--nodata", "-1"]), (false, true));
    assert_eq!(missing(&["--nodata=-1"]), (false, true));
}

#[test]
fn another_band() {
    let folder = Folder::with_dem(40);
    folder.gdal(
        "gdal_translate",
        &["-q", "dem.tif", "-b", "1", "-b", "1", "-scale_2", "0", "1000", "0", "10", "two.tif"],
    );
    folder.run(&["visualize", "slope", "two.tif", "first.tif"]);
    folder.run(&["visualize", "slope", "two.tif", "second.tif", "--band", "2"]);
    folder.run(&["visualize", "slope", "dem.tif", "dem-slope.tif"]);
    assert!(folder.cells("first.tif") == folder.cells("dem-slope.tif"));
    assert!(folder.cells("second.tif") != folder.cells("first.tif"));
}

#[test]
fn cells_that_are_not_square() {
    let folder = Folder::with_dem(40);
    folder.gdal("gdal_translate", &["-q", "-a_ullr", "0", "40", "80", "0", "dem.tif", "wide.tif"]);
    for name in ["slope", "hillshade"] {
        folder.run(&["visualize", name, "wide.tif", &format!("{name}.tif")]);
    }
    let words = ["sky_view_factor", "square", "2 x 1", "gdalwarp -tr 1 1"];
    folder.refused(&["visualize", "svf", "wide.tif", "out.tif"], 1, &words);
}

#[test]
fn an_output_is_replaced_when_asked() {
    let folder = Folder::with_dem(40);
    folder.write("out.tif", b"something else");
    folder.run(&["visualize", "slope", "dem.tif", "out.tif", "--overwrite"]);
    assert_eq!(folder.info("out.tif")["size"], json!([40, 40]));
    assert_eq!(folder.snapshot().len(), 2);
}

#[test]
fn the_plan_is_printed_and_nothing_run() {
    let folder = Folder::with_dem(300);
    let plan = |arguments: &[&str]| {
        let before = folder.snapshot();
        let answer = folder.terralume(arguments);
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
        assert!(folder.snapshot() == before);
        answer.out
    };
    let arguments =
        ["visualize", "svf", "dem.tif", "out.tif", "--plan", "--tile-size", "100", "--threads", "3"];
    let text = plan(&arguments);
    for line in
        ["raster   300 x 300", "tiles    9 of 100 x 100", "radius   10 cells", "threads  3", "passes   1"]
    {
        assert!(text.contains(line), "'{line}' is missing in:\n{text}");
    }
    assert!(text.contains("overlap  1.44") && text.contains("memory  "), "{text}");
    assert!(plan(&["render", "vat", "dem.tif", "--plan"]).contains("passes   2"));
    let percent = ["--plan", "--type", "uint8", "--stretch", "percent:2,2"];
    assert!(plan(&[&["visualize", "slope", "dem.tif"], &percent[..]].concat()).contains("surveys  2 of"));
}
