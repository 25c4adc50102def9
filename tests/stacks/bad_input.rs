//! What is refused, with a message that says where and what is allowed; no file is left or changed.

use crate::raster;
use crate::support::{Answer, Folder, PROGRAM};

/// Two dates of four cells.
fn two_dates() -> Folder {
    let folder = Folder::new();
    for day in 1..=2 {
        raster(&folder, &format!("x_2018010{day}.tif"), &[&[1.0, 2.0], &[3.0, 0.0]], &["-ot", "Float32"]);
    }
    folder
}

#[test]
fn grids_that_differ_are_named_with_both() {
    let folder = two_dates();
    // A tenth of a millimetre is more than a millionth of a cell.
    folder.gdal(
        "gdal_translate",
        &[
            "-q",
            "-a_ullr",
            "500000.0001",
            "5000020",
            "500020.0001",
            "5000000",
            "x_20180101.tif",
            "x_20180103.tif",
        ],
    );
    let words = [
        "'x_20180103.tif' lies on another grid than 'x_20180101.tif'",
        "500000.0001",
        "(500000,",
        "allowed: one grid",
    ];
    folder.refused(&["reduce", "x_*.tif", "out.tif"], 2, &words);
    folder.gdal("gdal_translate", &["-q", "-a_srs", "EPSG:32634", "x_20180101.tif", "x_20180103.tif"]);
    folder.refused(&["reduce", "x_*.tif", "out.tif"], 2, &["UTM zone 34N", "UTM zone 33N"]);
    folder.run(&["reduce", "x_*2.tif", "x_*1.tif", "out.tif"]);
}

#[test]
fn a_file_without_a_date_is_named() {
    let folder = two_dates();
    std::fs::copy(folder.path("x_20180101.tif"), folder.path("x_undated.tif")).unwrap();
    folder.refused(&["reduce", "x_*.tif", "out.tif"], 1, &["'x_undated.tif' has no date", "--date-regex"]);
}

#[test]
fn formulas_and_names_are_checked_with_their_column() {
    let folder = two_dates();
    let input = ["-i", "a=x_20180101.tif"];
    for (formula, words) in [
        ("a +* 2", &["column 4"][..]),
        ("(a", &["column"]),
        ("a + b", &["b", "column 5", "allowed: a"]),
        ("a = 3; a = 4", &["a"]),
        ("frob(a)", &["frob"]),
    ] {
        folder.refused(&[&["calc", formula, "out.tif"], &input[..]].concat(), 2, words);
    }
    folder.refused(&["calc", "a", "out.tif", "-i", "a=x_20180101.tif:2"], 2, &["no band 2"]);
    folder.refused(&["calc", "a", "out.tif", "-i", "a=none.tif"], 1, &["cannot open 'none.tif'"]);
    folder.refused(
        &["calc", "a", "out.tif", "-i", "a=x_20180101.tif", "-i", "b=x_20180102.tif"],
        2,
        &["input 'x_20180102.tif' is not used"],
    );
    folder.refused(&["calc", "a", "out.tif"], 2, &["no input"]);
    folder.refused(&["reduce", "x_*.tif", "out.tif", "--stat", "average"], 2, &["average", "allowed: "]);
    folder.refused(&["reduce", "x_*.tif", "out.tif", "--group", "week"], 2, &["week", "allowed: "]);
    folder.refused(&["reduce", "y_*.tif", "out.tif"], 1, &["pattern 'y_*.tif': no file matches"]);
    folder.refused(&["mask", "x_20180101.tif", "out.tif"], 2, &["no mask"]);
    folder.refused(&["calc", "X", "out.tif", "-i", "x_*.tif"], 2, &["2 dates would be written", "--by time"]);
}

#[test]
fn a_missing_mask_is_an_error_unless_the_user_says_otherwise() {
    let folder = two_dates();
    raster(&folder, "qa_20180101.tif", &[&[0.0, 1.0], &[1.0, 0.0]], &["-ot", "Byte"]);
    let arguments = [
        "reduce",
        "-i",
        "x=x_*.tif",
        "-i",
        "qa=qa_20180101.tif",
        "--mask",
        "qa == 1",
        "--stat",
        "count",
        "out.tif",
    ];
    // One mask is for all dates; as a list it is for its own.
    folder.run(&arguments);
    assert_eq!(folder.floats("out.tif"), [2.0, 0.0, 0.0, 2.0]);
    folder.write("masks.txt", b"qa_20180101.tif\n");
    let listed: Vec<&str> = arguments
        .iter()
        .map(|word| if *word == "qa=qa_20180101.tif" { "qa=@masks.txt" } else { word })
        .collect();
    let more = |what: &'static str| [&listed[..], &["--overwrite", "--mask-missing", what]].concat();
    folder.refused(&more("error"), 1, &["'@masks.txt' has no file for 'x_20180102.tif'", "--mask-missing"]);
    folder.run(&more("keep"));
    assert_eq!(folder.floats("out.tif"), [2.0, 1.0, 1.0, 2.0]);
    folder.run(&more("drop"));
    assert_eq!(folder.floats("out.tif"), [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn a_corrupt_block_names_its_file_and_can_be_skipped() {
    let folder = Folder::with_dem(256);
    for day in 1..=9 {
        let name = format!("x_2018010{day}.tif");
        folder.gdal(
            "gdal_translate",
            &[
                "-q",
                "-co",
                "TILED=YES",
                "-co",
                "BLOCKXSIZE=128",
                "-co",
                "BLOCKYSIZE=128",
                "-co",
                "COMPRESS=DEFLATE",
                "dem.tif",
                &name,
            ],
        );
    }
    let mut bytes = folder.read("x_20180105.tif");
    let middle = bytes.len() / 2;
    // Over the beginning of a block: GDAL does not notice every change inside one.
    bytes[middle..middle + 30000].fill(0xA5);
    folder.write("x_20180105.tif", &bytes);
    let arguments = ["reduce", "x_*.tif", "out.tif", "--stat", "count"];
    folder.refused(&arguments, 1, &["cannot read 'x_20180105.tif', band 1, at row "]);
    let answer = folder.terralume(&[&arguments[..], &["--skip-bad"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains("could not be read in part or at all: x_20180105.tif"), "{}", answer.err);
    let first = folder.cells("out.tif");
    let counts = folder.floats("out.tif");
    assert!(counts.contains(&8.0) && counts.contains(&9.0) && counts.iter().all(|count| *count >= 8.0));
    for tile in ["16", "100"] {
        folder.run(&[&arguments[..], &["--skip-bad", "--overwrite", "--tile-size", tile]].concat());
        assert!(folder.cells("out.tif") == first, "tile {tile}");
    }
    folder.write("x_20180106.tif", b"this is no raster");
    folder.refused(&[&arguments[..], &["--overwrite"]].concat(), 1, &["cannot open 'x_20180106.tif'"]);
    folder.run(&[&arguments[..], &["--skip-bad", "--overwrite"]].concat());
    assert!(folder.floats("out.tif").contains(&7.0));
}

#[test]
fn of_a_hundred_files_the_corrupt_one_is_named() {
    let folder = Folder::with_dem(64);
    folder
        .gdal("gdal_translate", &["-q", "-co", "COMPRESS=DEFLATE", "-co", "TILED=YES", "dem.tif", "one.tif"]);
    let mut list = String::from("file,datetime\n");
    for number in 1..=100 {
        let name = format!("f{number:03}.tif");
        std::fs::copy(folder.path("one.tif"), folder.path(&name)).unwrap();
        list += &format!("{name},2018-01-01T00:{:02}:{:02}Z\n", number / 60, number % 60);
    }
    folder.write("list.csv", list.as_bytes());
    let mut bytes = folder.read("f057.tif");
    let middle = bytes.len() / 2;
    bytes[middle - 2000..middle + 2000].fill(0xA5);
    folder.write("f057.tif", &bytes);
    let arguments = ["reduce", "list.csv", "out.tif", "--stat", "count,median"];
    folder.refused(&arguments, 1, &["cannot read 'f057.tif', band 1, at row 0, column 0"]);
    let answer = folder.terralume(&[&arguments[..], &["--skip-bad"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let named: Vec<&str> = answer.err.lines().filter(|line| line.contains("could not be read")).collect();
    assert_eq!(named, ["could not be read in part or at all: f057.tif"]);
    assert!(folder.floats("out.tif")[..64 * 64].iter().all(|count| *count == 99.0));
}

#[test]
fn a_result_larger_than_the_disk_is_refused_before_the_run() {
    let folder = Folder::new();
    // A raster that takes no room itself.
    folder.write("huge.vrt", br#"<VRTDataset rasterXSize="2000000" rasterYSize="2000000"><VRTRasterBand dataType="Float32" band="1"/></VRTDataset>"#);
    let arguments = ["calc", "X + 1", "out.tif", "-i", "huge.vrt", "--co", "COMPRESS=NONE"];
    folder.refused(
        &arguments,
        1,
        &["'out.tif' needs 15258789 MiB", "its disk has", "allowed: a smaller result"],
    );
}

#[test]
fn more_files_than_handles_are_read_in_turn() {
    let folder = Folder::new();
    raster(&folder, "one.tif", &[&[1.0, 2.0], &[3.0, 4.0]], &["-ot", "Float32"]);
    let mut list = String::from("file,datetime\n");
    for number in 0..60 {
        let name = format!("f{number:02}.tif");
        std::fs::copy(folder.path("one.tif"), folder.path(&name)).unwrap();
        list += &format!("{name},2018-01-01T00:00:{number:02}Z\n");
    }
    folder.write("list.csv", list.as_bytes());
    // A shell allows the program 40 handles of all kinds.
    let command =
        format!("ulimit -n 40; exec {PROGRAM} reduce list.csv out.tif --stat sum,count --max-open 8 --quiet");
    let answer = Answer::from(folder.command("sh", &["-c", &command]).output().unwrap());
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
    assert_eq!(folder.floats("out.tif"), [60.0, 120.0, 180.0, 240.0, 60.0, 60.0, 60.0, 60.0]);
}

/// A block as large as the file is decoded by one worker at a time, whose handle counts as any other.
#[test]
fn files_of_one_huge_block_are_open_in_turn() {
    let folder = Folder::new();
    // GDAL reads a strip of more rows line by line.
    let size = ["-outsize", "2200", "2000", "-a_srs", "EPSG:32633", "-a_ullr", "0", "2000", "2200", "0"];
    let stored = ["-co", "COMPRESS=DEFLATE", "-co", "BLOCKYSIZE=2000", "-burn", "3", "one.tif"];
    folder.gdal("gdal_create", &[&["-q", "-ot", "Byte"][..], &size, &stored].concat());
    let mut list = String::from("file,datetime\n");
    for number in 0..45 {
        let name = format!("f{number:02}.tif");
        std::fs::copy(folder.path("one.tif"), folder.path(&name)).unwrap();
        list += &format!("{name},2018-01-01T00:00:{number:02}Z\n");
    }
    folder.write("list.csv", list.as_bytes());
    let reduce = "reduce list.csv out.tif --stat sum --max-open 8 --tile-size 2200 --threads 2 --quiet";
    let command = format!("ulimit -n 40; exec {PROGRAM} {reduce}");
    let answer = Answer::from(folder.command("sh", &["-c", &command]).output().unwrap());
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
    assert!(folder.floats("out.tif").iter().all(|sum| *sum == 135.0));
}

/// Each band that is brought to another grid has the file open once more.
#[test]
fn bands_on_another_grid_are_open_in_turn() {
    let folder = Folder::new();
    let fine = ["-outsize", "90", "90", "-a_srs", "EPSG:32633", "-a_ullr", "0", "900", "900", "0"];
    let coarse = ["-outsize", "45", "45", "-a_srs", "EPSG:32633", "-a_ullr", "0", "900", "900", "0"];
    folder.gdal("gdal_create", &[&["-q", "-bands", "45", "-burn", "2"][..], &fine, &["bands.tif"]].concat());
    folder.gdal("gdal_create", &[&["-q"][..], &coarse, &["grid.tif"]].concat());
    let sum: Vec<String> = (1..=45).map(|band| format!("X[{band}]")).collect();
    let calc = format!("calc '{}' out.tif -i bands.tif --grid-of grid.tif --type float32", sum.join("+"));
    let command =
        format!("ulimit -n 40; exec {PROGRAM} {calc} --max-open 8 --tile-size 16 --threads 2 --quiet");
    let answer = Answer::from(folder.command("sh", &["-c", &command]).output().unwrap());
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
    assert!(folder.floats("out.tif").iter().all(|sum| *sum == 90.0));
}

/// Windows of a VRT are as large as tiles: what is missing must not be.
#[test]
fn what_cannot_be_read_of_a_vrt_is_the_same_for_all_tiles() {
    let folder = Folder::with_dem(900);
    let blocks = ["-q", "-co", "TILED=YES", "-co", "BLOCKXSIZE=128", "-co", "BLOCKYSIZE=128"];
    folder
        .gdal("gdal_translate", &[&blocks[..], &["-co", "COMPRESS=DEFLATE", "dem.tif", "bad.tif"]].concat());
    let mut bytes = folder.read("bad.tif");
    let middle = bytes.len() / 2;
    bytes[middle - 2000..middle + 2000].fill(0xA5);
    folder.write("bad.tif", &bytes);
    folder.gdal("gdal_translate", &["-q", "-of", "VRT", "bad.tif", "bad.vrt"]);
    let cells = |more: &[&str]| {
        let arguments = ["calc", "a = X", "-i", "bad.vrt", "out.tif", "--skip-bad", "--overwrite"];
        folder.run(&[&arguments[..], more].concat());
        folder.floats("out.tif").iter().map(|cell| cell.to_bits()).collect::<Vec<_>>()
    };
    let expected = cells(&[]);
    let missing = expected.iter().filter(|cell| f32::from_bits(**cell).is_nan()).count();
    // Pieces of 256 x 256 cells, one or more.
    assert!(missing > 0 && missing < 900 * 900 / 2, "{missing}");
    for tile in ["50", "130", "256", "600", "900"] {
        assert!(cells(&["--tile-size", tile, "--threads", "3"]) == expected, "{tile}");
    }
}
