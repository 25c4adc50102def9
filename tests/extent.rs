//! A part of a raster: its cells, and its place, are those of the whole picture.

mod common;

use common::files::{data, path_text, read_raster, tool};
use ndarray::s;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Columns 130 to 331 and rows 205 to 337 of the bundled elevations, whose cells are one metre.
const PART: (std::ops::Range<usize>, std::ops::Range<usize>) = (205..337, 130..331);

fn elevations() -> PathBuf {
    data("TM1_564_146.tif")
}

fn corner() -> (f64, f64) {
    let said = tool("gdalinfo", &[path_text(&elevations())]);
    let line = said.lines().find(|line| line.starts_with("Origin")).expect("an origin");
    let numbers = line.trim_start_matches("Origin = (").trim_end_matches(')').split(',');
    let numbers: Vec<f64> = numbers.map(|number| number.parse().expect("a number")).collect();
    (numbers[0], numbers[1])
}

fn extent() -> String {
    let ((rows, cols), (left, top)) = (PART, corner());
    let at = |start: f64, cells: usize| start + cells as f64;
    let (south, north) = (top - rows.end as f64, top - rows.start as f64);
    format!("{},{south},{},{north}", at(left, cols.start), at(left, cols.end))
}

fn terralume(arguments: &[&str], output: &Path) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terralume"));
    let arguments = [arguments, &["--quiet", "--overwrite"]].concat();
    let (kind, rest) = arguments.split_at(2);
    command.args(kind).arg(elevations()).arg(output).args(rest).output().expect("the program")
}

fn same_cells(arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (whole, part) = (folder.path().join("whole.tif"), folder.path().join("part.tif"));
    let extent = extent();
    for (path, more) in [(&whole, vec![]), (&part, vec!["--extent", &extent])] {
        let said = terralume(&[arguments, &more].concat(), path);
        assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    }
    let (whole, part) = (read_raster(&whole), read_raster(&part));
    let expected = whole.slice(s![.., PART.0, PART.1]);
    assert_eq!(part.dim(), expected.dim());
    let same = part.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits());
    assert!(same, "{arguments:?}");
}

#[test]
fn cells_are_those_of_the_whole() {
    same_cells(&["visualize", "slope"]);
    same_cells(&["visualize", "mstp"]);
    same_cells(&["visualize", "svf", "--tile-size", "50", "--type", "uint8"]);
    same_cells(&["visualize", "sky_illumination", "-p", "radius=30"]);
    same_cells(&["render", "vat-combined", "--format", "COG"]);
}

#[test]
fn what_the_whole_raster_tells_stays() {
    same_cells(&["visualize", "slope", "--type", "uint8", "--stretch", "percent:2,2"]);
    same_cells(&["visualize", "local_relief", "--type", "uint8", "--stretch", "deviations:2"]);
}

#[test]
fn it_lies_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    let (part, crop) = (folder.path().join("part.tif"), folder.path().join("crop.tif"));
    assert!(terralume(&["visualize", "slope", "--extent", &extent()], &part).status.success());
    let numbers = [PART.1.start, PART.0.start, PART.1.len(), PART.0.len()].map(|number| number.to_string());
    let window: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let names = [path_text(&elevations()).to_string(), path_text(&crop).to_string()];
    tool("gdal_translate", &[&["-q", "-srcwin"], &window[..], &[&names[0], &names[1]]].concat());
    let place = |path: &Path| {
        let said = tool("gdalinfo", &[path_text(path)]);
        let lines = said.lines().filter(|line| line.starts_with(['O', 'U', 'L']) && line.contains('('));
        lines.map(String::from).collect::<Vec<_>>()
    };
    assert!(place(&part).len() >= 4, "{:?}", place(&part));
    assert_eq!(place(&part), place(&crop));
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.tif");
    for (extent, said) in
        [("0,0,9,9", "does not touch"), ("9,9,0,0", "the smaller ones first"), ("1,2", "extent = '1,2'")]
    {
        let result = terralume(&["visualize", "slope", "--extent", extent], &output);
        let text = String::from_utf8_lossy(&result.stderr).into_owned();
        assert!(!result.status.success() && text.contains(said) && text.contains("; allowed: "), "{text}");
        assert!(!output.exists());
    }
}
