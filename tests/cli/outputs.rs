//! Outputs that must not or cannot be written: nothing is destroyed, nothing is left.

use super::support::{Folder, PROGRAM};

fn refused(folder: &Folder, output: &str, more: &[&str], words: &[&str]) {
    folder.refused(&[&["visualize", "slope", "dem.tif", output], more].concat(), 1, words);
}

#[test]
fn the_input_itself() {
    let folder = Folder::with_dem(40);
    std::os::unix::fs::symlink("dem.tif", folder.path("symbolic.tif")).unwrap();
    std::fs::hard_link(folder.path("dem.tif"), folder.path("hard.tif")).unwrap();
    let whole = folder.path("dem.tif");
    for output in ["dem.tif", "./dem.tif", "symbolic.tif", "hard.tif", whole.to_str().unwrap()] {
        let words = [format!("output '{output}' is the input")];
        refused(&folder, output, &["--overwrite"], &[&words[0]]);
        refused(&folder, output, &[], &[&words[0]]);
    }
}

#[test]
fn a_part_of_the_input() {
    let folder = Folder::with_dem(40);
    folder.gdal("gdal_translate", &["-q", "-of", "VRT", "dem.tif", "parts.vrt"]);
    for input in ["parts.vrt", "GTIFF_DIR:1:dem.tif"] {
        let arguments = ["visualize", "slope", input, "dem.tif", "--overwrite"];
        folder.refused(&arguments, 1, &["output 'dem.tif' is the input"]);
    }
}

#[test]
fn an_output_that_exists() {
    let folder = Folder::with_dem(40);
    folder.write("out.tif", b"precious");
    refused(&folder, "out.tif", &[], &["output 'out.tif' exists", "overwrite"]);
}

/// What threads did is written down, the passes before the run as well.
#[test]
fn a_profile() {
    let folder = Folder::with_dem(100);
    let profile = ["--profile", "trace.json", "--tile-size", "16", "--threads", "2"];
    let surveyed = ["--type", "uint8", "--stretch", "percent:2,2"];
    let answer =
        folder.terralume(&[&["visualize", "slope", "dem.tif", "out.tif"], &surveyed[..], &profile].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains("compute ") && answer.err.contains("thread-seconds"), "{}", answer.err);
    let trace: serde_json::Value = serde_json::from_slice(&folder.read("trace.json")).unwrap();
    let tiles = trace["otherData"]["tiles"].as_u64().unwrap();
    let count = |kind: &str| {
        trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["name"] == kind).count() as u64
    };
    assert!(tiles > 1 && count("survey") >= 1, "{tiles}");
    assert_eq!([count("compute"), count("write"), count("finish")], [tiles, tiles, 1]);
    assert_eq!(count("read"), tiles + count("survey"));
    folder.run(&[
        "visualize",
        "slope",
        "dem.tif",
        "plain.tif",
        "--type",
        "uint8",
        "--stretch",
        "percent:2,2",
    ]);
    assert_eq!(folder.cells("out.tif"), folder.cells("plain.tif"));
    refused(&folder, "new.tif", &profile, &["output 'trace.json' exists", "overwrite"]);
    refused(&folder, "new.tif", &["--profile", "dem.tif"], &["output 'dem.tif' is the input"]);
    refused(&folder, "new.tif", &["--profile", "new.tif"], &["profile = 'new.tif' is the output"]);
}

/// In a folder, files have names that say what is in them.
#[test]
fn a_folder() {
    let folder = Folder::with_dem(60);
    folder.run(&["visualize", "slope,svf", "dem.tif", "pictures", "-p", "svf.radius=5", "--type", "uint8"]);
    folder.run(&["visualize", "slope", "dem.tif", "pictures/"]);
    folder.run(&["render", "vat", "dem.tif", "pictures"]);
    for name in ["dem_SLOPE_8bit", "dem_SVF_R5_D16_8bit", "dem_SLOPE", "dem_vat"] {
        assert!(folder.path(&format!("pictures/{name}.tif")).exists(), "{name}");
    }
    // From one reading or from several: the same bits.
    folder.run(&["visualize", "slope", "dem.tif", "alone.tif"]);
    assert_eq!(folder.cells("alone.tif"), folder.cells("pictures/dem_SLOPE.tif"));
    folder.refused(
        &["visualize", "aspect,slope", "dem.tif", "pictures"],
        1,
        &["dem_SLOPE.tif' exists", "overwrite"],
    );
    assert!(!folder.path("pictures/dem_ASPECT.tif").exists(), "either all appear or none");
    folder.write("plain", b"a file");
    folder.refused(
        &["visualize", "slope,aspect", "dem.tif", "plain"],
        1,
        &["output 'plain' is a file", "a folder"],
    );
    folder.refused(
        &["visualize", "slope,slope", "dem.tif", "pictures", "--overwrite"],
        2,
        &["written twice"],
    );
    // A folder made for a run that fails goes again.
    folder.refused(&["visualize", "slope,aspect", "missing.tif", "new"], 1, &["missing.tif"]);
    assert!(!folder.path("new").exists());
}

#[test]
fn places_that_cannot_be_written() {
    let folder = Folder::with_dem(40);
    refused(&folder, "missing/out.tif", &[], &["output directory 'missing' does not exist"]);
    refused(&folder, "dem.tif/out.tif", &[], &["output directory 'dem.tif' does not exist"]);
    refused(&folder, "/dev/null", &["--overwrite"], &["output '/dev/null' is a device"]);
    // Nobody can create files there, not even root.
    refused(&folder, "/proc/out.tif", &[], &["cannot write in '/proc'"]);
    refused(&folder, "/vsimem/out.tif", &[], &["cannot write '/vsimem/out.tif'"]);
    refused(&folder, "", &[], &["cannot write ''"]);
}

#[test]
fn creation_options() {
    let folder = Folder::with_dem(40);
    let bad = |more: &[&str], words: &[&str]| {
        let arguments = [&["visualize", "slope", "dem.tif", "out.tif"], more].concat();
        folder.refused(&arguments, 2, words);
    };
    bad(
        &["--co", "COLOUR=RED"],
        &["creation option refused", "COLOUR", "allowed: see gdalinfo --format GTiff"],
    );
    bad(&["--co", "COMPRESS=BEST"], &["creation option refused", "BEST"]);
    bad(&["--co", "BLOCKXSIZE=wide"], &["creation option refused", "wide"]);
    bad(&["--format", "COG", "--co", "TILED=YES"], &["creation option refused", "TILED", "COG"]);
    bad(&["--co", "BLOCKXSIZE=100"], &["creation options refused"]);
    bad(
        &["--co", "PREDICTOR=3", "--type", "uint8"],
        &["creation options refused: cannot create a GeoTIFF: PREDICTOR=3"],
    );
    // Written again for every tile, such a block would take minutes and swell the file.
    bad(&["--co", "BLOCKXSIZE=4096", "--co", "BLOCKYSIZE=2048"], &["blocks of 4096 x 2048 cells; allowed: "]);
}

/// Once these gave an empty file and exit code 0: GDAL compresses on threads whose errors do not come back.
#[test]
fn a_compression_that_cannot_hold_the_cells() {
    let folder = Folder::with_dem(600);
    for format in ["GTiff", "COG"] {
        for (method, word) in [("JPEG", "not allowed for JPEG"), ("WEBP", "WEBP")] {
            let compression = format!("COMPRESS={method}");
            let arguments =
                ["visualize", "slope", "dem.tif", "out.tif", "--format", format, "--co", &compression];
            folder.refused(&arguments, 2, &["creation options refused", word, "allowed: "]);
        }
        let name = format!("{format}.tif");
        let picture = ["visualize", "slope", "dem.tif", &name, "--type", "uint8", "--format", format];
        folder.run(&[&picture[..], &["--co", "COMPRESS=JPEG"]].concat());
        assert!(folder.info(&name)["bands"][0]["computedMax"].as_f64() > Some(200.0));
    }
}

/// What the format cannot hold, GDAL puts into a file beside it.
#[test]
fn the_file_beside_the_output() {
    let folder = Folder::with_dem(40);
    let basic = ["visualize", "slope", "dem.tif", "out.tif", "--co", "PROFILE=BASELINE"];
    folder.run(&basic);
    assert_eq!(folder.snapshot().keys().collect::<Vec<_>>(), ["dem.tif", "out.tif", "out.tif.aux.xml"]);
    assert_eq!(folder.info("out.tif")["geoTransform"], folder.info("dem.tif")["geoTransform"]);
    folder.gdal("gdaladdo", &["-q", "-ro", "out.tif", "2"]);
    folder.run(&["visualize", "aspect", "dem.tif", "out.tif", "--overwrite"]);
    assert_eq!(folder.snapshot().keys().collect::<Vec<_>>(), ["dem.tif", "out.tif"]);
}

#[test]
fn a_picture_larger_than_the_disk_is_refused_before_the_run() {
    let folder = Folder::new();
    // A raster that takes no room itself.
    let vrt = br#"<VRTDataset rasterXSize="2000000" rasterYSize="2000000"><GeoTransform>0,1,0,0,0,-1</GeoTransform><VRTRasterBand dataType="Float32" band="1"/></VRTDataset>"#;
    folder.write("huge.vrt", vrt);
    let arguments = ["visualize", "slope", "huge.vrt", "out.tif", "--co", "COMPRESS=NONE"];
    let said = ["'out.tif' needs 15258789 MiB", "its disk has", "allowed: a smaller result"];
    folder.refused(&arguments, 1, &said);
}

/// A disk that is full after `kilobytes`: a limit on the size of a file does the same for any user.
fn full_after(folder: &Folder, kilobytes: usize, more: &str) {
    let before = folder.snapshot();
    let script = format!(
        "trap '' XFSZ; ulimit -f {kilobytes}; exec '{PROGRAM}' visualize slope dem.tif out.tif --tile-size 512 {more}"
    );
    let answer = folder.command("bash", &["-c", &script]).output().unwrap().into();
    folder.check_refusal(&answer, &script, 1, &["cannot write"]);
    assert!(folder.snapshot() == before, "{script} left {:?}", folder.snapshot().keys());
}

#[test]
fn a_full_disk() {
    let folder = Folder::with_dem(1000);
    folder.run(&["visualize", "slope", "dem.tif", "whole.tif", "--tile-size", "512"]);
    let whole = folder.read("whole.tif").len() / 1024;
    std::fs::remove_file(folder.path("whole.tif")).unwrap();
    for kilobytes in [8, 500, whole / 2, whole - 8] {
        full_after(&folder, kilobytes, "");
    }
    for more in ["--co COMPRESS=NONE", "--type uint8 --co COMPRESS=NONE", "--overviews", "--format COG"] {
        full_after(&folder, 500, more);
    }
    full_after(&folder, whole, "--overviews");
    full_after(&folder, 4100, "--format COG --co COMPRESS=NONE");
}
