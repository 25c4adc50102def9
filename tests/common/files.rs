//! Files for tests: made and read back by GDAL's own programs, so that no test trusts the code it checks.

use ndarray::{s, Array2, Array3};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository's test data.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Runs a program of GDAL; its words are the message when it fails.
pub fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} (package gdal-bin): {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn path_text(path: &Path) -> &str {
    path.to_str().expect("names of test files are UTF-8")
}

/// All bands of a raster as they stand in the file: nodata values are not touched.
pub fn read_raster(path: &Path) -> Array3<f64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let raw = folder.path().join("raw.bin");
    let arguments = ["-q", "-of", "ENVI", "-ot", "Float64", "-co", "INTERLEAVE=BSQ"];
    tool("gdal_translate", &[&arguments[..], &[path_text(path), path_text(&raw)]].concat());
    let header = std::fs::read_to_string(raw.with_extension("hdr")).expect("ENVI writes a header");
    let number = |key: &str| -> usize {
        let line = header.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("no {key}"));
        line.split('=').nth(1).expect("key = value").trim().parse().expect("a number")
    };
    let size = (number("bands"), number("lines"), number("samples"));
    let bytes = std::fs::read(&raw).expect("ENVI writes raw cells");
    let cells = bytes.chunks_exact(8).map(|cell| f64::from_le_bytes(cell.try_into().expect("8 bytes")));
    Array3::from_shape_vec(size, cells.collect()).expect("bands x rows x columns of 8 bytes")
}

/// The first band as elevations; `nodata` becomes NaN.
pub fn read_elevations(path: &Path, nodata: Option<f64>) -> Array2<f32> {
    let cells = read_raster(path);
    let missing = |cell: f64| if Some(cell) == nodata { f32::NAN } else { cell as f32 };
    cells.index_axis(ndarray::Axis(0), 0).mapv(missing)
}

/// The lidar crop of the goldens, without and with holes.
pub fn real_ground() -> Array2<f32> {
    read_elevations(&data("goldens/dem_tm1_256.tif"), None)
}

pub fn real_ground_with_holes() -> Array2<f32> {
    read_elevations(&data("goldens/dem_tm1_256_nd.tif"), Some(-9999.0))
}

/// Of the crop with holes the window of 40 x 48 cells with the most missing cells among a few that still hold data.
pub fn real_holes() -> Array2<f32> {
    let real = real_ground_with_holes();
    let windows = (0..5).flat_map(|row| (0..5).map(move |col| (row * 50, col * 50)));
    let cut = |(row, col): (usize, usize)| real.slice(s![row..row + 40, col..col + 48]).to_owned();
    let missing = |cells: &Array2<f32>| cells.iter().filter(|cell| cell.is_nan()).count();
    let found = windows.map(cut).max_by_key(missing).expect("some windows");
    assert!((100..1800).contains(&missing(&found)), "{} missing cells", missing(&found));
    found
}

/// Writes cells as a raw raster of 64-bit numbers, north-up with cells of `cell` metres, and returns its name.
pub fn write_raw(folder: &Path, name: &str, cells: &Array2<f64>, cell: f64) -> PathBuf {
    let (rows, cols) = cells.dim();
    let path = folder.join(format!("{name}.bin"));
    let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_le_bytes()).collect();
    std::fs::write(&path, bytes).expect("room for a test file");
    let header = format!(
        "ENVI\nsamples = {cols}\nlines = {rows}\nbands = 1\nheader offset = 0\nfile type = ENVI Standard\n\
         data type = 5\ninterleave = bsq\nbyte order = 0\n\
         map info = {{Arbitrary, 1, 1, 500000, 5100000, {cell}, {cell}}}\n"
    );
    std::fs::write(path.with_extension("hdr"), header).expect("room for a test file");
    path
}

/// Makes `name` from `source` with gdal_translate.
pub fn translate(source: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let target = source.with_file_name(name);
    tool("gdal_translate", &[&["-q"], arguments, &[path_text(source), path_text(&target)]].concat());
    target
}
