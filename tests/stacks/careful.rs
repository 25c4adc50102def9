//! What was taken silently, or for something else: each with what it is now.

use crate::support::Folder;
use crate::{band_names, doubles, raster};

const BYTE: &[&str] = &["-ot", "Byte"];
const FLOAT: &[&str] = &["-ot", "Float32"];

fn values(folder: &Folder, arguments: &[&str]) -> Vec<f64> {
    folder.run(&[arguments, &["out.tif", "--overwrite"]].concat());
    cells(folder, "out.tif")
}

fn cells(folder: &Folder, name: &str) -> Vec<f64> {
    folder.gdal("gdal_translate", &["-q", "-ot", "Float64", "-co", "INTERLEAVE=BAND", name, "doubles.tif"]);
    doubles(folder, "doubles.tif")
}

/// What the program says of a run that goes well.
fn said(folder: &Folder, arguments: &[&str]) -> String {
    let answer = folder.terralume(arguments);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {}", answer.err);
    answer.err
}

#[test]
fn a_resolution_that_no_raster_has_is_refused() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[1.0, 2.0, 3.0]], FLOAT);
    for command in [&["calc", "X", "out.tif", "-i"][..], &["plan", "calc", "X", "-i"]] {
        let arguments = [command, &["x.tif", "--resolution", "1e-12"]].concat();
        let words = ["resolution = 1e-12 makes 10000000000000 rows", "allowed: at least 1.39"];
        folder.refused(&arguments, 2, &words);
    }
    // A plan of the largest raster there can be comes at once.
    let plan = folder.terralume(&["plan", "calc", "X", "-i", "x.tif", "--resolution", "1.4e-8"]);
    assert!(plan.out.contains("2142857143"), "{}{}", plan.out, plan.err);
}

#[test]
fn each_file_keeps_its_own_nodata_value() {
    let folder = Folder::new();
    let row = [0.0, 1.0, 255.0, 7.0];
    for (day, nodata) in [(1, "0"), (2, "255")] {
        let words = ["-ot", "Byte", "-a_nodata", nodata];
        raster(&folder, &format!("x_2018010{day}.tif"), &[&row], &words);
    }
    std::fs::create_dir(folder.path("out")).unwrap();
    for command in [&["mask", "--mask", "X == 7"][..], &["rescale", "--src-nodata", "7"]] {
        let arguments = [command, &["x_2018*.tif", "out", "--by", "time", "--overwrite"]].concat();
        folder.run(&arguments);
        for (name, nodata) in [("out/x_20180101.tif", 0.0), ("out/x_20180102.tif", 255.0)] {
            assert_eq!(folder.info(name)["bands"][0]["noDataValue"], nodata);
            assert_eq!(cells(&folder, name), [0.0, 1.0, 255.0, nodata], "{command:?} {name}");
        }
    }
    // One file has one value for all bands: of the other band, valid cells that have it move, and are counted.
    let both = ["rescale", "-i", "a=x_20180101.tif", "-i", "b=x_20180102.tif", "out.tif"];
    let notes = said(&folder, &both);
    assert!(notes.contains("1 cell hit the nodata value: moved by one"), "{notes}");
    assert_eq!(cells(&folder, "out.tif"), [0.0, 1.0, 255.0, 7.0, 1.0, 1.0, 0.0, 7.0]);
    // The first band that has a value gives it.
    raster(&folder, "plain.tif", &[&row], BYTE);
    let plain = ["rescale", "-i", "p=plain.tif", "-i", "b=x_20180101.tif"];
    assert_eq!(values(&folder, &plain), [1.0, 1.0, 255.0, 7.0, 0.0, 1.0, 255.0, 7.0]);
}

#[test]
fn files_beside_the_grid_are_named_with_both_extents_or_left_out() {
    let folder = Folder::new();
    let place = |name: &str, left: &str, right: &str, value: f64| {
        let words = ["-ot", "Float32", "-a_ullr", left, "5000010", right, "5000000"];
        raster(&folder, name, &[&[value, value]], &words);
    };
    place("grid.tif", "500000", "500020", 0.0);
    place("x_20180101.tif", "500010", "500030", 1.0);
    place("x_20180102.tif", "600000", "600020", 2.0);
    place("x_20180103.tif", "499990", "500010", 3.0);
    let arguments = ["reduce", "x_*.tif", "out.tif", "--grid-of", "grid.tif", "--stat", "sum"];
    folder.refused(
        &arguments,
        1,
        &["'x_20180102.tif' lies beside", "x 600000 to 600020", "x 500000 to 500020", "allowed: "],
    );
    let notes = said(&folder, &[&arguments[..], &["--skip-bad"]].concat());
    assert!(notes.contains("left out, beside the grid: x_20180102.tif"), "{notes}");
    assert_eq!(cells(&folder, "out.tif"), [3.0, 1.0]);
    let months = ["--group", "month", "--skip-bad", "--overwrite"];
    folder.gdal("gdal_edit.py", &["-mo", "TIFFTAG_DATETIME=2018:02:02 00:00:00", "x_20180102.tif"]);
    folder.terralume(&[&arguments[..], &months].concat());
    assert_eq!(band_names(&folder, "out.tif"), ["month_01_sum"]);
    let alone = ["reduce", "x_20180102.tif", "y.tif", "--grid-of", "grid.tif", "--skip-bad"];
    folder.refused(&alone, 1, &["all files of 'x_20180102.tif' lie beside the grid"]);
    let numbers = folder.terralume(&[
        "statistics",
        "x_*.tif",
        "--grid-of",
        "grid.tif",
        "--skip-bad",
        "--stat",
        "count",
    ]);
    assert_eq!(numbers.out.lines().count(), 3, "{}{}", numbers.out, numbers.err);
}

#[test]
fn bytes_with_a_sign_have_one() {
    let folder = Folder::new();
    let words = ["-ot", "Byte", "-co", "PIXELTYPE=SIGNEDBYTE"];
    raster(&folder, "x.tif", &[&[251.0, 5.0]], &words);
    let image = folder.info("x.tif")["bands"][0]["metadata"]["IMAGE_STRUCTURE"].clone();
    if image["PIXELTYPE"] != "SIGNEDBYTE" {
        // GDAL 3.7 has a type for them.
        return;
    }
    assert_eq!(values(&folder, &["calc", "X", "-i", "x.tif"]), [-5.0, 5.0]);
    folder.gdal("gdal_translate", &["-q", "-of", "VRT", "x.tif", "x.vrt"]);
    assert_eq!(values(&folder, &["calc", "X", "-i", "x.vrt"]), [-5.0, 5.0]);
    let warped = ["calc", "X", "out.tif", "-i", "x.tif", "--resolution", "5", "--overwrite"];
    folder.refused(&warped, 1, &["'x.tif', band 1", "int8", "allowed: "]);
}

#[test]
fn infinite_cells_of_files_are_counted() {
    let folder = Folder::new();
    raster(&folder, "f.tif", &[&[0.0, 1.0, 12345.678]], FLOAT);
    let mut bytes = folder.read("f.tif");
    let at = bytes.windows(4).position(|cell| cell == 12345.678_f32.to_le_bytes()).unwrap();
    bytes[at..at + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    folder.write("f.tif", &bytes);
    for arguments in [
        &["rescale", "f.tif", "out.tif", "--scale", "2"][..],
        &["mask", "f.tif", "out.tif", "--mask", "X == 1"],
        &["reduce", "f.tif", "out.tif", "--dates", "dates.csv"],
    ] {
        folder.write("dates.csv", b"file,datetime\nf.tif,2018-01-01\n");
        let notes = said(&folder, &[arguments, &["--overwrite"]].concat());
        assert!(notes.contains("1 cell divided by zero or otherwise not finite"), "{arguments:?}: {notes}");
    }
}

#[test]
fn dates_stand_where_the_user_says() {
    let folder = Folder::new();
    let words = ["-ot", "Float32", "-mo", "TIFFTAG_DATETIME=2001:02:03 00:00:00"];
    raster(&folder, "x_d05062019.tif", &[&[1.0]], &words);
    raster(&folder, "HLS.L30.T18TWL.2018033T101112.v2.0.B04.tif", &[&[1.0]], FLOAT);
    let listed = |arguments: &[&str]| {
        folder.terralume(&[&["reduce"], arguments, &["y.tif", "--list"]].concat()).out.trim().to_string()
    };
    assert!(listed(&["x_d05062019.tif"]).starts_with("2001-02-03T00:00:00Z  metadata"));
    let rules = ["x_d05062019.tif", "--date-regex", "_d([0-9]+)", "--date-format", "%d%m%Y"];
    assert!(listed(&rules).starts_with("2019-06-05T00:00:00Z  name"), "{}", listed(&rules));
    // A rule that finds nothing leaves it to the metadata.
    assert!(listed(&["x_d05062019.tif", "--date-regex", "_e([0-9]+)"]).contains("metadata"));
    assert!(listed(&["HLS*.tif"]).starts_with("2018-02-02T10:11:12Z  name"), "{}", listed(&["HLS*.tif"]));
}

#[test]
fn masks_see_numbers_as_the_band_has_them() {
    let folder = Folder::new();
    raster(&folder, "f.tif", &[&[0.1, 0.2, 0.3]], FLOAT);
    let mask = |text: &str| values(&folder, &["mask", "f.tif", "--mask", text]).map_nan();
    assert_eq!(mask("X: values 0.1"), [true, false, false]);
    assert_eq!(mask("X: range 0.15..0.2"), [false, true, false]);
    raster(&folder, "b.tif", &[&[1.0, 2.0, 3.0]], BYTE);
    raster(&folder, "w.tif", &[&[1.0, 2.0, 3.0]], &["-ot", "UInt16"]);
    for (file, text, words) in [
        ("w.tif", "X: bits 16", ["of type uint16 has no bit 16", "allowed: 0 to 15"]),
        (
            "b.tif",
            "X: values 300",
            ["value 300 is not a number of type uint8", "allowed: whole numbers from 0 to 255"],
        ),
        ("b.tif", "X: bits 5-6 >= 4", ["bits 5-6 compared with 4 are never true", "from 0 to 3"]),
        ("b.tif", "X: range 256..300", ["of type uint8 has nothing from 256 to 300", "allowed: 0 to 255"]),
    ] {
        folder.refused(&["mask", file, "y.tif", "--mask", text], 2, &[words[0], words[1], text]);
    }
}

trait Missing {
    fn map_nan(self) -> Vec<bool>;
}

impl Missing for Vec<f64> {
    fn map_nan(self) -> Vec<bool> {
        self.into_iter().map(f64::is_nan).collect()
    }
}

#[test]
fn results_are_not_called_as_numbers_are() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[1.0]], FLOAT);
    for name in ["nan", "NaN", "nodata", "_pi", "_e"] {
        let formula = format!("a = X; {name} = X * 2");
        let words =
            [format!("expression, column 8: '{name}' is a number"), "allowed: names other than".into()];
        folder.refused(&["calc", &formula, "y.tif", "-i", "x.tif"], 2, &[&words[0], &words[1]]);
    }
    // Functions have brackets.
    folder.run(&["calc", "sum = X + 1", "y.tif", "-i", "x.tif"]);
}

#[test]
fn a_raster_without_reference_system_is_not_taken_for_one_with_it() {
    let folder = Folder::new();
    raster(&folder, "a.tif", &[&[1.0, 2.0]], FLOAT);
    folder.write("b.asc", b"ncols 2\nnrows 1\nxllcorner 500000\nyllcorner 5000000\ncellsize 10\n3 4\n");
    let both = ["calc", "a + b", "-i", "a=a.tif", "-i", "b=b.asc"];
    folder.refused(
        &[&both[..], &["out.tif"]].concat(),
        2,
        &[
            "'b.asc' lies on another grid than 'a.tif'",
            "without reference system",
            "UTM zone 33N",
            "allowed: ",
        ],
    );
    assert_eq!(values(&folder, &[&both[..], &["--grid-of", "a.tif"]].concat()), [4.0, 6.0]);
    // Where none has one there is nothing to tell apart.
    let none = ["calc", "a + b", "-i", "a=b.asc", "-i", "b=b.asc"];
    assert_eq!(values(&folder, &none), [6.0, 8.0]);
}

#[test]
fn a_list_is_printed_whatever_the_grids_are() {
    let folder = Folder::new();
    raster(&folder, "x_20180101.tif", &[&[1.0, 2.0]], FLOAT);
    raster(&folder, "x_20180102.tif", &[&[1.0, 2.0, 3.0]], FLOAT);
    let arguments = ["reduce", "x_*.tif", "out.tif", "--group", "month"];
    folder.refused(&arguments, 2, &["another grid"]);
    let answer = folder.terralume(&[&arguments[..], &["--list"]].concat());
    assert_eq!((answer.code, answer.out.lines().count()), (Some(0), 2), "{}", answer.err);
    assert!(answer.out.contains("2018-01-02T00:00:00Z  name  month_01  x_20180102.tif"), "{}", answer.out);
}

#[test]
fn nothing_is_written_where_nothing_can_be_read() {
    let folder = Folder::with_dem(256);
    let options = ["-q", "-co", "COMPRESS=DEFLATE", "-co", "TILED=YES", "dem.tif"];
    for day in 1..=2 {
        let name = format!("x_2018010{day}.tif");
        folder.gdal("gdal_translate", &[&options[..], &[&name]].concat());
        let mut bytes = folder.read(&name);
        // All blocks, but for the directory in front of or behind them.
        let half = bytes.len() / 2;
        bytes[2000..half].fill(0xA5);
        bytes[half..].iter_mut().skip(1).take(half - 4000).for_each(|byte| *byte = 0xA5);
        folder.write(&name, &bytes);
    }
    let arguments = ["reduce", "x_*.tif", "out.tif", "--skip-bad", "--tile-size", "256"];
    let answer = folder.terralume(&arguments);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(
        answer.err.contains("nothing of 'x_20180101.tif', 'x_20180102.tif' can be read"),
        "{}",
        answer.err
    );
    assert!(answer.err.contains("allowed: at least one"), "{}", answer.err);
    assert!(!folder.path("out.tif").exists());
    std::fs::copy(folder.path("dem.tif"), folder.path("x_20180103.tif")).unwrap();
    std::fs::create_dir(folder.path("all")).unwrap();
    let notes = said(&folder, &["rescale", "x_*.tif", "all", "--by", "time", "--skip-bad"]);
    assert!(notes.contains("could not be read in part or at all: x_20180101.tif"), "{notes}");
    let written: Vec<_> =
        std::fs::read_dir(folder.path("all")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(written.len(), 1, "{written:?}");
}

#[test]
fn endings_of_outputs_say_the_format() {
    let folder = Folder::with_dem(64);
    folder.run(&["calc", "X * 2", "a.zarr", "-i", "dem.tif"]);
    assert!(folder.path("a.zarr/.zgroup").exists());
    folder.run(&["calc", "X * 2", "a.vrt", "-i", "dem.tif"]);
    assert!(folder.path("a.tiles").is_dir());
    folder.run(&["calc", "X * 2", "a.tif", "-i", "dem.tif"]);
    assert!(folder.cells("a.vrt") == folder.cells("a.tif"));
    folder.run(&["calc", "X * 2", "b.vrt", "-i", "dem.tif", "--format", "GTiff"]);
    assert_eq!(folder.info("b.vrt")["driverShortName"], "GTiff");
    folder.run(&["visualize", "slope", "dem.tif", "slope.zarr"]);
    assert!(folder.path("slope.zarr/.zgroup").exists());
    // The folder of several files may be called as it likes.
    std::fs::create_dir(folder.path("bands.zarr")).unwrap();
    folder.run(&["calc", "a = X; b = X", "bands.zarr", "-i", "dem.tif", "--by", "band"]);
    assert!(folder.path("bands.zarr/a.tif").is_file());
}

#[test]
fn options_that_would_do_nothing_or_harm_are_refused() {
    let folder = Folder::new();
    raster(&folder, "x_20180101.tif", &[&[1.0]], FLOAT);
    let reduce = ["reduce", "x_20180101.tif", "out.tif"];
    let refuse = |more: &[&str], words: &[&str]| folder.refused(&[&reduce[..], more].concat(), 2, words);
    refuse(&["--merge", "mean"], &["merge without merge-same; allowed: with merge-same = day or solar"]);
    let seconds =
        ["which_max is in seconds since 1970, which type float32 does not hold", "allowed: float64, int32"];
    refuse(&["--stat", "mean,which_max", "--type", "float32"], &seconds);
    folder.run(&[&reduce[..], &["--stat", "which_max(day)", "--type", "uint16"]].concat());
    folder.run(&[&reduce[..], &["--stat", "which_max", "--type", "uint32", "--overwrite"]].concat());
}
