//! Stacks through the program as users type it. GDAL's own tools make the inputs and read the outputs.

#[path = "stacks/bad_input.rs"]
mod bad_input;
#[path = "stacks/careful.rs"]
mod careful;
#[path = "stacks/carried.rs"]
mod carried;
#[path = "stacks/chain.rs"]
mod chain;
#[path = "stacks/doubt.rs"]
mod doubt;
#[path = "gdals/environment.rs"]
mod environment;
#[path = "stacks/inputs.rs"]
mod inputs;
#[path = "stacks/laws.rs"]
mod laws;
#[path = "stacks/outputs.rs"]
mod outputs;
#[path = "stacks/results.rs"]
mod results;
#[path = "stacks/sparse.rs"]
mod sparse;
#[path = "stacks/statistics.rs"]
mod statistics;
#[path = "cli/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line")]
mod support;
#[path = "stacks/together.rs"]
mod together;
#[path = "stacks/traps.rs"]
mod traps;
#[path = "stacks/writers.rs"]
mod writers;

use support::Folder;

/// Scenes of the test data.
pub const SCENES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/stack/scenes");

/// A path of the test data.
pub fn scene(name: &str) -> String {
    format!("{SCENES}/{name}")
}

/// Inputs of the masked NDVI over a year.
pub fn ndvi_inputs() -> Vec<String> {
    let input = |name: &str, pattern: &str| ["-i".to_string(), format!("{name}={SCENES}/l8ny18/{pattern}")];
    [input("red", "*_B4.tif"), input("nir", "*_B5.tif"), input("qa", "*_BQA.tif")].concat()
}

/// `reduce` of the masked NDVI into `out.tif` as 64-bit floats.
pub fn reduce_ndvi(folder: &Folder, more: &[&str]) {
    let inputs = ndvi_inputs();
    let mut arguments = vec!["reduce"];
    arguments.extend(inputs.iter().map(String::as_str));
    arguments.extend(["--nodata", "0", "--mask", "qa: bits 0|4", "--expr", "(nir - red) / (nir + red)"]);
    arguments.extend(["--type", "float64", "--overwrite", "out.tif"]);
    arguments.extend(more);
    folder.run(&arguments);
}

/// Cells of all bands as 64-bit floats.
pub fn doubles(folder: &Folder, name: &str) -> Vec<f64> {
    let cells = folder.cells(name);
    cells.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// Copies a raster of the test data, so that its bands stand one after another.
pub fn copy_bands(folder: &Folder, from: &str, to: &str) {
    folder.gdal("gdal_translate", &["-q", "-co", "INTERLEAVE=BAND", &scene(from), to]);
}

/// Names of the bands of a raster.
pub fn band_names(folder: &Folder, name: &str) -> Vec<String> {
    let info = folder.info(name);
    let bands = info["bands"].as_array().unwrap();
    bands.iter().map(|band| band["description"].as_str().unwrap_or("").to_string()).collect()
}

/// A GeoTIFF of one band from text, on cells of 10 m from a place; `words` go to gdal_translate.
pub fn raster(folder: &Folder, name: &str, rows: &[&[f64]], words: &[&str]) {
    let mut text = format!(
        "ncols {}\nnrows {}\nxllcorner 500000\nyllcorner 5000000\ncellsize 10\n",
        rows[0].len(),
        rows.len()
    );
    for row in rows {
        text += &(row.iter().map(f64::to_string).collect::<Vec<_>>().join(" ") + "\n");
    }
    folder.write("raster.asc", text.as_bytes());
    let mut arguments = vec!["-q", "-a_srs", "EPSG:32633"];
    arguments.extend(words);
    arguments.extend(["raster.asc", name]);
    folder.gdal("gdal_translate", &arguments);
    std::fs::remove_file(folder.path("raster.asc")).unwrap();
}
