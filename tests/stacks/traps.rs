//! What goes wrong in other people's recipes, and what is right.

use crate::support::Folder;
use crate::{copy_bands, doubles, raster, scene};

/// Clipping after nodata has been replaced turns every cell without data into the largest value.
#[test]
fn nodata_is_not_clipped() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    let rescale = [
        "--src-nodata",
        "0",
        "--dst-nodata",
        "65535",
        "--scale",
        "1e-4",
        "--min",
        "0",
        "--max",
        "1",
        "--type",
        "float64",
    ];
    folder.run(&[&["rescale", &bgr, "scaled.tif"], &rescale[..]].concat());
    let info = folder.info("scaled.tif");
    assert_eq!(info["bands"][0]["noDataValue"], 65535.0);
    copy_bands(&folder, "bgr.tif", "bgr.tif");
    let raw = folder.cells("bgr.tif");
    let raw: Vec<u16> = raw.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect();
    let scaled = doubles(&folder, "scaled.tif");
    let missing = raw.iter().filter(|cell| **cell == 0).count();
    assert!(missing > 1000 && missing < raw.len() / 2, "{missing}");
    for (raw, scaled) in raw.iter().zip(&scaled) {
        let expected = if *raw == 0 { 65535.0 } else { f64::from(*raw) * 1e-4 };
        assert_eq!(*scaled, expected);
    }
    // As whole numbers: limited to 0..10000, nodata stays outside.
    let whole =
        ["--src-nodata", "0", "--dst-nodata", "65535", "--min", "0", "--max", "8000", "--type", "uint16"];
    folder.run(&[&["rescale", &bgr, "whole.tif"], &whole[..]].concat());
    let whole = folder.cells("whole.tif");
    let whole = whole.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    assert!(raw
        .iter()
        .zip(whole)
        .all(|(raw, whole)| whole == if *raw == 0 { 65535 } else { (*raw).min(8000) }));
}

/// 0 means "no difference" as well as "no data", and only one of the two bands is looked at.
#[test]
fn an_index_of_a_band_without_data_has_none() {
    let folder = Folder::new();
    raster(&folder, "green.tif", &[&[0.0, 3.0, 2.0, 0.0]], &["-ot", "UInt16"]);
    raster(&folder, "red.tif", &[&[3.0, 0.0, 2.0, 0.0]], &["-ot", "UInt16"]);
    let arguments = ["calc", "nd(green, red)", "out.tif", "-i", "green=green.tif", "-i", "red=red.tif"];
    folder.run(&[&arguments[..], &["--nodata", "0"]].concat());
    let cells = folder.floats("out.tif");
    assert!(cells[0].is_nan() && cells[1].is_nan() && cells[3].is_nan(), "{cells:?}");
    assert_eq!(cells[2], 0.0, "a true 0 is a value");
    // Without that nodata value the numbers count, and 0 / 0 is counted.
    let answer = folder.terralume(&[&arguments[..], &["--overwrite"]].concat());
    assert!(answer.err.contains("1 cell divided by zero"), "{}", answer.err);
    assert_eq!(folder.floats("out.tif")[0], 1.0);
}

/// Elsewhere a mean over time holds all dates of a chunk at once, in every process: the deeper the stack, the more.
#[test]
fn memory_does_not_grow_with_the_number_of_dates() {
    let folder = Folder::with_dem(500);
    let tiles =
        ["-q", "-ot", "Float32", "-co", "TILED=YES", "-outsize", "1500", "1500", "dem.tif", "one.tif"];
    folder.gdal("gdal_translate", &tiles);
    let peak = |dates: usize| {
        let mut list = String::from("file,datetime\n");
        for number in 0..dates {
            let name = format!("f{number:02}.tif");
            let _ = std::os::unix::fs::symlink(folder.path("one.tif"), folder.path(&name));
            list += &format!("{name},2018-01-01T00:00:{number:02}Z\n");
        }
        folder.write("list.csv", list.as_bytes());
        let arguments = ["reduce", "list.csv", "out.tif", "--overwrite", "--threads", "2", "--quiet"];
        let answer = folder.terralume(&[&arguments[..], &["--profile", "trace.json"]].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        std::fs::remove_file(folder.path("out.tif")).unwrap();
        let trace: serde_json::Value = serde_json::from_slice(&folder.read("trace.json")).unwrap();
        std::fs::remove_file(folder.path("trace.json")).unwrap();
        trace["otherData"]["peak_bytes"].as_f64().unwrap()
    };
    let (few, many) = (peak(4), peak(40));
    // All dates of the two tiles under way would be 72 MB more.
    assert!(many < few * 1.1 + 8e6, "{few} for 4 dates, {many} for 40");
}

/// The mean of two bit patterns is a third one that nobody recorded.
#[test]
fn bits_are_never_averaged() {
    let folder = Folder::new();
    let values: Vec<Vec<f64>> =
        (0..4).map(|row| (0..4).map(|col| f64::from(row * 4 + col)).collect()).collect();
    let rows: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
    raster(&folder, "value.tif", &rows, &["-ot", "Float32"]);
    // Twice as wide cells: bit 4 (16) in the left half, bit 3 (8) in the right one; a mean would be 12, bits 2 and 3.
    folder.gdal(
        "gdal_translate",
        &[
            "-q",
            "-outsize",
            "2",
            "2",
            "-ot",
            "UInt16",
            "-scale",
            "0",
            "15",
            "16",
            "16",
            "value.tif",
            "qa.tif",
        ],
    );
    let arguments = ["mask", "-i", "value=value.tif", "-i", "qa=qa.tif", "--mask", "qa: bits 4", "out.tif"];
    folder.refused(
        &arguments,
        2,
        &["'qa.tif' lies on another grid than 'value.tif'", "2 x 2 cells", "4 x 4 cells"],
    );
    folder.run(&[&arguments[..], &["--resample", "average"]].concat());
    assert!(folder.floats("out.tif").iter().all(|cell| cell.is_nan()), "every cell has bit 4");
}

/// Elsewhere sums and counts of cells without values depend on how the raster is divided, and a greatest value of
/// negative ones is a tiny positive number.
#[test]
fn empty_cells_and_negative_values_are_the_same_in_every_tile() {
    let folder = Folder::new();
    for (day, value) in [(1, -0.5), (2, -0.25)] {
        let mut row = vec![-9999.0; 40];
        row[39] = value;
        let rows = vec![row.as_slice(); 40];
        raster(&folder, &format!("x_2018010{day}.tif"), &rows, &["-ot", "Float32", "-a_nodata", "-9999"]);
    }
    for tile in ["16", "17", "1000"] {
        let arguments = ["reduce", "x_*.tif", "out.tif", "--stat", "sum,count,max,min", "--type", "float64"];
        folder.run(&[&arguments[..], &["--overwrite", "--tile-size", tile]].concat());
        let cells = doubles(&folder, "out.tif");
        for (index, band) in cells.chunks_exact(1600).enumerate() {
            for (cell, value) in band.iter().enumerate() {
                let there = cell % 40 == 39;
                let expected = [-0.75, 2.0, -0.25, -0.5][index];
                let right = match (there, index) {
                    (true, _) => *value == expected,
                    // Nothing was counted: that is a number. A sum of nothing is none.
                    (false, 1) => *value == 0.0,
                    (false, _) => value.is_nan(),
                };
                assert!(right, "tile {tile}, band {index}, cell {cell}: {value}");
            }
        }
    }
}

/// A file that a formula reads in integers keeps them, without a way through floats.
#[test]
fn masked_integers_stay_integers() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    let names = ["--names", "blue,green,red"];
    let arguments = ["mask", &bgr, "out.tif", "--mask", "blue > 8000", "--where-masked", "0"];
    folder.run(&[&arguments[..], &names[..]].concat());
    let info = folder.info("out.tif");
    assert_eq!(info["bands"][0]["type"], "UInt16");
    // No value means nodata, in the file as before: a white cell stays white.
    assert!(info["bands"][0]["noDataValue"].is_null());
    copy_bands(&folder, "bgr.tif", "bgr.tif");
    let read = |name: &str| -> Vec<u16> {
        folder.cells(name).chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).collect()
    };
    let (before, after) = (read("bgr.tif"), read("out.tif"));
    let cells = before.len() / 3;
    for index in 0..before.len() {
        let expected = if before[index % cells] > 8000 { 0 } else { before[index] };
        assert_eq!(after[index], expected);
    }
}

/// Without a nodata value the largest number is a number like any other; with one it moves by one, which is counted.
#[test]
fn white_cells_stay_white_where_masks_give_a_value() {
    let folder = Folder::new();
    let white = "-q -outsize 40 30 -ot Byte -bands 1 -burn 255 -a_srs EPSG:32633 -a_ullr 0 30 40 0 white.tif";
    folder.gdal("gdal_create", &white.split_whitespace().collect::<Vec<_>>());
    let mask = ["mask", "white.tif", "out.tif", "--mask", "X < 9", "--names", "X", "--overwrite"];
    folder.run(&[&mask[..], &["--where-masked", "0"]].concat());
    assert!(folder.cells("out.tif").iter().all(|cell| *cell == 255));
    assert!(folder.info("out.tif")["bands"][0]["noDataValue"].is_null());
    folder.run(&mask);
    assert!(folder.cells("out.tif").iter().all(|cell| *cell == 254));
    assert_eq!(folder.info("out.tif")["bands"][0]["noDataValue"], 255.0);
}
