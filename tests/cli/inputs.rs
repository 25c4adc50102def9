//! Rasters that cannot be treated rightly: one line that says why, and no output.

use super::support::{hill, Folder};

const SLOPE: [&str; 2] = ["visualize", "slope"];

fn refused(folder: &Folder, input: &str, words: &[&str]) {
    folder.refused(&[&SLOPE[..], &[input, "out.tif"]].concat(), 1, words);
}

#[test]
fn no_raster() {
    let folder = Folder::with_dem(40);
    folder.write("text.tif", b"This is no raster.\nIt has two lines.\n");
    folder.write("empty.tif", b"");
    folder.write("no-cells.vrt", b"<VRTDataset rasterXSize=\"0\" rasterYSize=\"10\"></VRTDataset>");
    folder.write("no-bands.vrt", b"<VRTDataset rasterXSize=\"10\" rasterYSize=\"10\"></VRTDataset>");
    folder.write("broken.vrt", b"<VRTDataset rasterXSize=");
    refused(&folder, "missing.tif", &["cannot open 'missing.tif'", "No such file"]);
    refused(&folder, "text.tif", &["cannot open 'text.tif'", "not recognized"]);
    refused(&folder, "empty.tif", &["cannot open 'empty.tif'"]);
    refused(&folder, "no-cells.vrt", &["cannot open 'no-cells.vrt'"]);
    refused(&folder, "broken.vrt", &["cannot open 'broken.vrt'"]);
    refused(&folder, ".", &["cannot open '.'"]);
    refused(&folder, "", &["cannot open ''"]);
    refused(&folder, "no-bands.vrt", &["cannot open 'no-bands.vrt'", "bands"]);
}

#[test]
fn a_raster_whose_parts_are_missing() {
    let folder = Folder::with_dem(40);
    folder.gdal("gdal_translate", &["-q", "-of", "VRT", "dem.tif", "parts.vrt"]);
    std::fs::rename(folder.path("dem.tif"), folder.path("elsewhere.tif")).unwrap();
    refused(&folder, "parts.vrt", &["cannot read 'parts.vrt'", "dem.tif"]);
}

#[test]
fn nothing_but_nodata() {
    let folder = Folder::with_grid(&vec![vec![-9999.0; 30]; 30]);
    refused(&folder, "grid.asc", &["'grid.asc', band 1: every cell is nodata", "at least one valid cell"]);
    folder.refused(
        &["render", "vat", "grid.asc", "out.tif", "--format", "COG"],
        1,
        &["every cell is nodata"],
    );
    folder.gdal("gdalwarp", &["-q", "-dstnodata", "nan", "grid.asc", "missing.tif"]);
    folder.gdal("gdal_translate", &["-q", "-a_nodata", "none", "missing.tif", "nan.tif"]);
    refused(&folder, "nan.tif", &["every cell is nodata"]);
}

#[test]
fn too_small_for_the_radius() {
    for (rows, cols) in [(1, 1), (1, 9), (9, 1)] {
        let folder = Folder::with_grid(&hill(rows, cols));
        refused(&folder, "grid.asc", &["'grid.asc'", &format!("{cols} x {rows}"), "at least 2 x 2"]);
    }
    let folder = Folder::with_dem(40);
    let wide = ["visualize", "svf", "dem.tif", "out.tif", "-p", "radius=50"];
    folder.refused(&wide, 1, &["40 x 40", "radius of 50", "at least 51 x 51"]);
    let metres = ["visualize", "svf", "dem.tif", "out.tif", "-p", "radius=5000m"];
    folder.refused(&metres, 2, &["radius = ", "5000 cells", "1 to 1000"]);
}

#[test]
fn the_smallest_rasters_that_work() {
    for (rows, cols) in [(2, 2), (2, 50), (50, 2)] {
        let folder = Folder::with_grid(&hill(rows, cols));
        folder.run(&["visualize", "slope", "grid.asc", "out.tif"]);
        assert!(folder.floats("out.tif").iter().all(|cell| cell.is_finite()), "{rows} x {cols}");
    }
}

#[test]
fn degrees_instead_of_metres() {
    let folder = Folder::with_dem(40);
    let place =
        ["-q", "-a_srs", "EPSG:4326", "-a_ullr", "15.0", "46.1", "15.1", "46.0", "dem.tif", "degrees.tif"];
    folder.gdal("gdal_translate", &place);
    refused(&folder, "degrees.tif", &["WGS 84", "gdalwarp", "-t_srs EPSG:32633", "'degrees.tif'"]);
}

#[test]
fn rotated_rows() {
    let folder = Folder::with_dem(40);
    folder.gdal("gdal_translate", &["-q", "-of", "VRT", "dem.tif", "rotated.vrt"]);
    let text = String::from_utf8(folder.read("rotated.vrt")).unwrap();
    let (start, end) = (text.find("<GeoTransform>").unwrap(), text.find("</GeoTransform>").unwrap());
    let rotated = format!("{}<GeoTransform>0, 0.9, 0.4, 0, 0.4, -0.9{}", &text[..start], &text[end..]);
    folder.write("rotated.vrt", rotated.as_bytes());
    refused(&folder, "rotated.vrt", &["'rotated.vrt'", "rotated", "gdalwarp"]);
}

#[test]
fn complex_cells() {
    let folder = Folder::with_dem(40);
    folder.gdal("gdal_translate", &["-q", "-ot", "CFloat32", "dem.tif", "complex.tif"]);
    refused(&folder, "complex.tif", &["'complex.tif', band 1", "CFloat32", "any real number type"]);
}

#[test]
fn a_band_that_is_not_there() {
    let folder = Folder::with_dem(40);
    let words = ["'dem.tif' has no band 2; allowed: 1 to 1"];
    folder.refused(&["visualize", "slope", "dem.tif", "out.tif", "--band", "2"], 2, &words);
    folder.refused(
        &["visualize", "slope", "dem.tif", "out.tif", "--band", "99999999999"],
        2,
        &["has no band"],
    );
}

#[test]
fn too_little_memory() {
    let folder = Folder::with_dem(300);
    let arguments = ["visualize", "svf", "dem.tif", "out.tif", "--memory"];
    let given = [&arguments[..], &["1M"]].concat();
    folder.refused(&given, 1, &["memory budget of 1 MiB is too small", "at least "]);
    let message = folder.terralume(&given).err;
    let least = message.split("at least ").nth(1).unwrap().split(' ').next().unwrap();
    folder.run(&[&arguments[..], &[&format!("{least}M")]].concat());
}

/// A raster of compressed tiles, spoiled by `spoil`.
fn spoiled(compression: &str, spoil: impl Fn(&mut Vec<u8>)) -> Folder {
    let folder = Folder::with_dem(400);
    let compression = format!("COMPRESS={compression}");
    folder.gdal("gdal_translate", &["-q", "-co", "TILED=YES", "-co", &compression, "dem.tif", "spoiled.tif"]);
    let mut content = folder.read("spoiled.tif");
    spoil(&mut content);
    folder.write("spoiled.tif", &content);
    folder
}

#[test]
fn half_a_file() {
    for compression in ["NONE", "LZW", "DEFLATE", "ZSTD"] {
        let folder = spoiled(compression, |content| content.truncate(content.len() / 2));
        refused(&folder, "spoiled.tif", &["'spoiled.tif'"]);
        folder.refused(
            &["render", "vat", "spoiled.tif", "out.tif", "--format", "COG"],
            1,
            &["'spoiled.tif'"],
        );
    }
}

#[test]
fn spoiled_blocks() {
    for compression in ["LZW", "DEFLATE", "ZSTD"] {
        let folder = spoiled(compression, |content| {
            let middle = content.len() / 2;
            // No compressed data of any kind looks like this.
            content[middle..middle + 20_000].fill(0xaa);
        });
        let words = ["cannot read 'spoiled.tif', band 1, at row ", ", column "];
        refused(&folder, "spoiled.tif", &words);
        refused(&folder, "spoiled.tif", &words);
    }
}
