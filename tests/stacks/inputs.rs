//! Files, lists, tables, catalogues; bands and their names; grids.

use crate::support::Folder;
use crate::{raster, scene};

/// Three files of one cell row: band values 1, 2, 3 times the number of the file.
fn three(folder: &Folder) {
    for day in 1..=3 {
        let value = f64::from(day);
        raster(folder, &format!("t_2018010{day}.tif"), &[&[value, 10.0 * value]], &["-ot", "Float32"]);
    }
}

fn mean(folder: &Folder, input: &[&str]) -> Vec<f32> {
    folder.run(&[&["reduce"], input, &["out.tif", "--overwrite"]].concat());
    folder.floats("out.tif")
}

#[test]
fn every_kind_of_list_is_read() {
    let folder = Folder::new();
    three(&folder);
    folder.write("list.txt", b"# two of them\nt_20180101.tif\nt_20180103.tif\n");
    folder.write(
        "table.csv",
        b"file,datetime,kind\nt_20180102.tif,2019-05-06,a\nt_20180103.tif,2019-05-07,b\n",
    );
    let item = |day: u32| {
        format!(
            r#"{{"type": "Feature", "id": "item{day}", "properties": {{"datetime": "2018-01-0{day}T10:00:00Z"}},
            "assets": {{"B04": {{"href": "./t_2018010{day}.tif"}}, "SCL": {{"href": "none.tif"}}}}}}"#
        )
    };
    let items = format!(r#"{{"type": "FeatureCollection", "features": [{}, {}]}}"#, item(2), item(1));
    folder.write("items.json", items.as_bytes());
    assert_eq!(mean(&folder, &["t_*.tif"]), [2.0, 20.0]);
    assert_eq!(mean(&folder, &["t_20180103.tif", "t_20180101.tif", "t_20180102.tif"]), [2.0, 20.0]);
    assert_eq!(mean(&folder, &["@list.txt"]), [2.0, 20.0]);
    assert_eq!(mean(&folder, &["table.csv"]), [2.5, 25.0]);
    assert_eq!(mean(&folder, &["table.csv#a"]), [2.0, 20.0]);
    assert_eq!(mean(&folder, &["items.json#B04"]), [1.5, 15.0]);
    let listed = folder.terralume(&["reduce", "items.json#B04", "x.tif", "--list"]).out;
    assert!(listed.starts_with("  2018-01-01T10:00:00Z  catalogue"), "{listed}");
}

#[test]
fn assets_of_a_catalogue_are_inputs_by_their_keys() {
    let folder = Folder::new();
    three(&folder);
    for day in 1..=2 {
        raster(&folder, &format!("q_2018010{day}.tif"), &[&[f64::from(day), 0.0]], &["-ot", "Byte"]);
    }
    let item = |day: u32| {
        format!(
            r#"{{"type": "Feature", "id": "item{day}", "properties": {{"datetime": "2018-01-0{day}T10:00:00Z"}},
            "assets": {{"B04": {{"href": "./t_2018010{day}.tif"}}, "SCL": {{"href": "q_2018010{day}.tif"}}}}}}"#
        )
    };
    let items = format!(r#"{{"type": "FeatureCollection", "features": [{}, {}]}}"#, item(2), item(1));
    folder.write("items.json", items.as_bytes());
    let masked =
        ["items.json", "--asset", "B04", "--mask-asset", "SCL", "--mask", "SCL == 2", "--stat", "sum"];
    assert_eq!(mean(&folder, &masked), [1.0, 30.0]);
    let named = ["items.json", "--asset", "red=B04", "--mask-asset", "qa=SCL", "--mask", "qa: values 1"];
    assert_eq!(mean(&folder, &[&named[..], &["--expr", "red * 10"]].concat()), [20.0, 150.0]);
    // An item may lack what only masks take, if that is said.
    let without = items.replacen(r#", "SCL": {"href": "q_20180102.tif"}"#, "", 1);
    assert!(without != items);
    folder.write("lacks.json", without.as_bytes());
    let masked = [&["lacks.json"], &masked[1..]].concat();
    folder.refused(
        &[&["reduce"], &masked[..], &["x.tif"]].concat(),
        1,
        &["'lacks.json#SCL' has no file for", "t_20180102.tif", "--mask-missing keep or drop"],
    );
    assert_eq!(mean(&folder, &[&masked[..], &["--mask-missing", "keep"]].concat()), [3.0, 30.0]);
    assert_eq!(mean(&folder, &[&masked[..], &["--mask-missing", "drop"]].concat()), [1.0, 10.0]);
    // Presets know bands by their usual names.
    let preset = ["lacks.json", "--asset", "B04", "--mask-asset", "SCL", "--mask", "s2_scl:saturated"];
    assert_eq!(mean(&folder, &[&preset[..], &["--mask-missing", "keep"]].concat()), [2.0, 15.0]);
    let both = ["reduce", "lacks.json", "--asset", "SCL", "--mask", "SCL == 2", "x.tif"];
    folder.refused(&both, 2, &["unknown asset 'SCL'"]);
    let named = [
        "reduce",
        "-i",
        "q=lacks.json#SCL",
        "-i",
        "r=lacks.json#B04",
        "--expr",
        "r",
        "--mask",
        "q == 2",
        "x.tif",
    ];
    folder.refused(&named, 1, &["'lacks.json#SCL' has no file for", "--mask-missing keep or drop"]);
    let values = ["reduce", "-i", "q=lacks.json#SCL", "-i", "r=lacks.json#B04", "--expr", "r + q", "x.tif"];
    folder.refused(&values, 2, &["item 'item2'", "unknown asset 'SCL'"]);
    folder.refused(&["reduce", "lacks.json#SCL", "x.tif"], 2, &["item 'item2'", "unknown asset 'SCL'"]);
    let refuse = |more: &[&str], words: &[&str]| {
        folder.refused(&[&["reduce"], more, &["x.tif"]].concat(), 2, words);
    };
    refuse(&["items.json", "--asset", "B99"], &["unknown asset 'B99'; allowed: B04, SCL"]);
    refuse(
        &["t_*.tif", "--asset", "B04"],
        &["asset without a catalogue; allowed: beside a STAC ItemCollection"],
    );
    refuse(&["items.json", "--asset", "B04", "--mask-asset", "SCL"], &["mask-asset without a mask"]);
    refuse(&["items.json", "--asset", "="], &["asset = '=' is not allowed; allowed: KEY, or NAME=KEY"]);
}

#[test]
fn first_and_last_follow_the_dates_not_the_order_of_the_files() {
    let folder = Folder::new();
    three(&folder);
    let files = ["t_20180103.tif", "t_20180101.tif", "t_20180102.tif"];
    folder.run(&[&["reduce"], &files[..], &["out.tif", "--stat", "first,last,which_max"]].concat());
    let cells = crate::doubles(&folder, "out.tif");
    assert_eq!(cells[..4], [1.0, 10.0, 3.0, 30.0]);
    // 2018-01-03.
    assert_eq!(cells[4..], [1514937600.0, 1514937600.0]);
}

#[test]
fn weights_and_groups_come_from_the_table() {
    let folder = Folder::new();
    three(&folder);
    folder.write(
        "dates.csv",
        b"file,datetime,weight,orbit\nt_20180101.tif,2018-01-01,1,up\nt_20180102.tif,2018-01-02,3,up\n\
          t_20180103.tif,2018-01-03,5,down\n",
    );
    let arguments =
        ["reduce", "t_*.tif", "out.tif", "--dates", "dates.csv", "--stat", "wmean", "--group", "orbit"];
    folder.run(&arguments);
    assert_eq!(folder.floats("out.tif"), [1.75, 17.5, 3.0, 30.0]);
    assert_eq!(crate::band_names(&folder, "out.tif"), ["up_wmean", "down_wmean"]);
}

#[test]
fn bands_have_names_by_sensor_description_and_option() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    let calc = |formula: &str, more: &[&str]| {
        folder.run(&[&["calc", formula, "out.tif", "--overwrite", "--nodata", "0"], more].concat());
        folder.cells("out.tif")
    };
    let by_sensor = calc("nd(green, red)", &["-i", &bgr, "--sensor", "bgr"]);
    assert!(calc("nd(g, r)", &["-i", &bgr, "--names", "b,g,r"]) == by_sensor);
    assert!(calc("nd(X[2], X[3])", &["-i", &bgr]) == by_sensor);
    assert!(calc("nd(A[2], A[3])", &["-i", &format!("A={bgr}")]) == by_sensor);
    let separate = ["-i", &format!("green={bgr}:2"), "-i", &format!("red={bgr}:3")];
    assert!(calc("nd(green, red)", &separate) == by_sensor);
    assert!(calc("(red - green) / (red + green)", &separate) == by_sensor);
    let names = ["-i", &format!("near infrared={bgr}:2"), "-i", &format!("red={bgr}:3")];
    assert!(calc("nd(\"near infrared\", red)", &names) == by_sensor);
    folder.refused(
        &["calc", "nir / red", "x.tif", "-i", &bgr, "--sensor", "bgr"],
        2,
        &["nir", "allowed:", "blue", "green", "red"],
    );
}

#[test]
fn overviews_and_coarser_grids_are_read() {
    let folder = Folder::with_dem(256);
    folder.gdal("gdaladdo", &["-q", "-r", "average", "dem.tif", "2"]);
    folder.run(&["calc", "X", "overview.tif", "-i", "dem.tif:ovr=0"]);
    folder.gdal("gdal_translate", &["-q", "-oo", "OVERVIEW_LEVEL=0", "dem.tif", "expected.tif"]);
    assert!(folder.cells("overview.tif") == folder.cells("expected.tif"));
    let info = folder.info("dem.tif");
    let side = 2.0 * info["geoTransform"][1].as_f64().unwrap();
    folder.run(&["calc", "X", "found.tif", "-i", "dem.tif", "--resolution", &side.to_string()]);
    assert!(folder.cells("found.tif") == folder.cells("expected.tif"));
    folder.refused(
        &["calc", "X", "x.tif", "-i", "dem.tif:ovr=3"],
        2,
        &["has no overview 3; allowed: 0 to 0"],
    );
    // Without a fitting overview each cell is the mean of those under it.
    folder.gdal(
        "gdal_translate",
        &["-q", "-co", "COPY_SRC_OVERVIEWS=NO", "-srcwin", "0", "0", "256", "256", "dem.tif", "plain.tif"],
    );
    folder.run(&["calc", "X", "mean.tif", "-i", "plain.tif", "--resolution", &side.to_string()]);
    let (fine, coarse) = (folder.floats("plain.tif"), folder.floats("mean.tif"));
    for (index, cell) in coarse.iter().enumerate() {
        let (row, col) = (index / 128 * 2, index % 128 * 2);
        let four =
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(down, right)| fine[(row + down) * 256 + col + right]);
        assert!((cell - four.iter().sum::<f32>() / 4.0).abs() < 1e-3, "{index}: {cell} {four:?}");
    }
}

#[test]
fn one_file_beside_many_is_for_all_dates() {
    let folder = Folder::new();
    three(&folder);
    raster(&folder, "ground.tif", &[&[100.0, 1000.0]], &["-ot", "Float32"]);
    let arguments =
        ["reduce", "-i", "x=t_*.tif", "-i", "ground=ground.tif", "out.tif", "--expr", "x + ground"];
    folder.run(&arguments);
    assert_eq!(folder.floats("out.tif"), [102.0, 1020.0]);
}

#[test]
fn files_of_one_day_are_told_apart_by_their_names() {
    let folder = Folder::new();
    for (path, cells) in [("p031", [1.0, 10.0]), ("p032", [2.0, 20.0])] {
        raster(&folder, &format!("lc_{path}_20180101_B4.tif"), &[&cells], &["-ot", "Float32"]);
    }
    // The mask of the first one is not there.
    raster(&folder, "lc_p032_20180101_QA.tif", &[&[1.0, 0.0]], &["-ot", "Byte"]);
    let inputs = ["reduce", "-i", "red=*_B4.tif", "-i", "qa=*_QA.tif", "--mask", "qa: values 1", "out.tif"];
    let of = |missing: &str| {
        let more = ["--stat", "sum,count", "--overwrite", "--mask-missing", missing];
        folder.run(&[&inputs[..], &more].concat());
        folder.floats("out.tif")
    };
    assert_eq!(of("keep"), [1.0, 30.0, 1.0, 2.0]);
    let dropped = of("drop");
    assert!(dropped[0].is_nan(), "{dropped:?}");
    assert_eq!(dropped[1..], [20.0, 0.0, 1.0]);
    folder.refused(
        &[&inputs[..], &["--overwrite"]].concat(),
        1,
        &["'*_QA.tif' has no file for 'lc_p031_20180101_B4.tif'"],
    );
    // Names that say nothing.
    for name in ["first_20180101_B5.tif", "second_20180101_B5.tif"] {
        raster(&folder, name, &[&[1.0, 1.0]], &["-ot", "Float32"]);
    }
    folder.refused(
        &["reduce", "-i", "red=*_B4.tif", "-i", "nir=*_B5.tif", "x.tif", "--expr", "red + nir"],
        2,
        &[
            "'lc_p031_20180101_B4.tif' and 'lc_p032_20180101_B4.tif'",
            "'first_20180101_B5.tif'; allowed: names",
        ],
    );
}

#[test]
fn images_of_a_file_that_cannot_be_opened_are_left_out() {
    let folder = Folder::new();
    three(&folder);
    raster(&folder, "u_20180101.tif", &[&[100.0, 100.0]], &["-ot", "Float32"]);
    raster(&folder, "u_20180103.tif", &[&[300.0, 300.0]], &["-ot", "Float32"]);
    folder.write("u_20180102.tif", b"this is no raster");
    let arguments = ["reduce", "-i", "x=t_*.tif", "-i", "u=u_*.tif", "out.tif", "--expr", "x + u"];
    folder.refused(&arguments, 1, &["cannot open 'u_20180102.tif'"]);
    let answer = folder.terralume(&[&arguments[..], &["--skip-bad"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains("could not be read in part or at all: u_20180102.tif"), "{}", answer.err);
    assert_eq!(folder.floats("out.tif"), [202.0, 220.0]);
}
