//! Numbers that xarray gives for the same scenes.

use crate::support::Folder;
use crate::{copy_bands, doubles, reduce_ndvi, scene, SCENES};

/// Every cell of some bands of `out.tif` is what xarray found.
fn check(folder: &Folder, expected: &str, tolerance: f64) {
    copy_bands(folder, expected, "expected.tif");
    let (got, expected) = (doubles(folder, "out.tif"), doubles(folder, "expected.tif"));
    assert_eq!(got.len(), expected.len());
    let mut there = 0;
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let same = (got - expected).abs() <= tolerance * expected.abs().max(1.0)
            || got.is_nan() && expected.is_nan();
        assert!(same, "cell {index}: {got}, xarray {expected}");
        there += usize::from(!expected.is_nan());
    }
    assert!(there > expected.len() / 4, "only {there} of {} cells have a value", expected.len());
}

#[test]
fn statistics_of_a_masked_index_are_those_of_xarray() {
    let folder = Folder::new();
    reduce_ndvi(&folder, &["--stat", "mean,median,std,var(ddof=1),min,max,sum,count,p25,p90"]);
    check(&folder, "ndvi.tif", 1e-12);
    assert_eq!(crate::band_names(&folder, "out.tif")[0], "mean");
}

#[test]
fn seasons_and_months_are_those_of_xarray() {
    let folder = Folder::new();
    reduce_ndvi(&folder, &["--group", "season"]);
    check(&folder, "ndvi_season.tif", 0.0);
    let names = crate::band_names(&folder, "out.tif");
    assert_eq!(names, ["DJF_mean", "MAM_mean", "JJA_mean", "SON_mean"]);
    reduce_ndvi(&folder, &["--group", "month"]);
    check(&folder, "ndvi_month.tif", 0.0);
}

#[test]
fn scenes_of_one_day_are_merged() {
    let folder = Folder::new();
    reduce_ndvi(&folder, &["--merge-same", "day", "--stat", "mean,count"]);
    check(&folder, "ndvi_daily.tif", 1e-12);
}

#[test]
fn a_series_of_two_years_is_that_of_xarray() {
    let folder = Folder::new();
    let files = format!("{SCENES}/s2/*_NDVI.tif");
    let common = ["--type", "float64", "--overwrite"];
    folder.run(&[&["reduce", &files, "a.tif", "--stat", "mean,median,p10"], &common[..]].concat());
    folder.run(&[&["reduce", &files, "b.tif", "--group", "season"], &common[..]].concat());
    folder.gdal("gdalbuildvrt", &["-q", "-separate", "a.vrt", "a.tif"]);
    let (mut got, seasons) = (doubles(&folder, "a.tif"), doubles(&folder, "b.tif"));
    got.extend(seasons);
    copy_bands(&folder, "s2.tif", "expected.tif");
    let expected = doubles(&folder, "expected.tif");
    assert_eq!(got.len(), expected.len());
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert!((got - expected).abs() <= 1e-12, "cell {index}: {got}, xarray {expected}");
    }
}

#[test]
fn dates_from_name_table_and_metadata_give_one_result() {
    let folder = Folder::new();
    let table = format!("{SCENES}/l8ny18/dates.csv#B4");
    let files = format!("{SCENES}/l8ny18/*_B4.tif");
    let reduce = |input: &str, out: &str, more: &[&str]| {
        folder.run(&[&["reduce", input, out, "--group", "season", "--nodata", "0"], more].concat());
        folder.cells(out)
    };
    let metadata = reduce(&files, "metadata.tif", &[]);
    assert!(reduce(&table, "table.tif", &[]) == metadata);
    assert!(reduce(&files, "name.tif", &["--dates", &scene("l8ny18/dates.csv")]) == metadata);
    // The same scenes without what their files say.
    for path in std::fs::read_dir(scene("l8ny18")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with("_B4.tif") {
            let path = path.to_str().unwrap();
            folder.gdal("gdal_translate", &["-q", "-mo", "TIFFTAG_DATETIME=", path, name]);
        }
    }
    assert!(reduce("L8_*_B4.tif", "stripped.tif", &[]) == metadata);
    let listed = folder.terralume(&["reduce", "L8_*_B4.tif", "x.tif", "--list", "--group", "season"]).out;
    assert_eq!(listed.lines().count(), 19);
    assert!(listed.lines().next().unwrap().contains("2018-01-06T00:00:00Z  name  DJF"), "{listed}");
}

#[test]
fn scenes_on_grids_of_their_own_come_to_one() {
    let folder = Folder::new();
    for (original, grid) in [
        ("LC08_L1TP_013032_20180131_B4.TIF", "grid_20180131_B4.tif"),
        ("LC08_L1TP_014031_20180106_B4.TIF", "grid_20180106_B4.tif"),
    ] {
        let input = scene(&format!("originals/{original}"));
        let grid = scene(&format!("originals/{grid}"));
        let out = ["out.tif", "--overwrite", "--type", "uint16", "--dst-nodata", "0"];
        let arguments = ["calc", "X", "-i", &input, "--grid-of", &grid, "--nodata", "0"];
        folder.run(&[&arguments[..], &out[..]].concat());
        std::fs::copy(&grid, folder.path("expected.tif")).unwrap();
        assert!(folder.cells("out.tif") == folder.cells("expected.tif"), "{original}");
    }
}
