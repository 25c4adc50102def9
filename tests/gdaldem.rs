//! Operations that GDAL's own program has as well: the same values away from the raster's edge.

mod common;

use common::files::{data, path_text, read_raster, real_ground_with_holes, tool};
use ndarray::s;
use std::path::Path;
use std::process::Command;
use terralume::render::color_ramp::RampFile;

const DEM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/TM1_564_146.tif");

fn run(command: &mut Command) {
    let said = command.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// Largest difference away from the edge between gdaldem's result and ours.
fn difference(gdaldem: &[&str], operation: &[&str]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    run(Command::new("gdaldem").arg(gdaldem[0]).arg(DEM).arg(path("gdal.tif")).args(&gdaldem[1..]).arg("-q"));
    let mut ours = Command::new(env!("CARGO_BIN_EXE_terralume"));
    run(ours.args(["visualize", operation[0], DEM]).arg(path("ours.tif")).args(&operation[1..]));
    let read = |path: &Path| read_raster(path).index_axis_move(ndarray::Axis(0), 0);
    let (theirs, ours) = (read(&path("gdal.tif")), read(&path("ours.tif")));
    let (rows, cols) = ours.dim();
    let inner = s![1..rows - 1, 1..cols - 1];
    let pairs = ours.slice_move(inner).into_iter().zip(theirs.slice_move(inner));
    pairs.fold(0.0, |largest: f64, (a, b)| {
        assert!(!a.is_nan() && b > -9999.0);
        largest.max((a - b).abs())
    })
}

#[test]
fn neighbourhoods_agree() {
    assert!(difference(&["roughness"], &["roughness"]) < 1e-4);
    assert!(difference(&["TRI", "-alg", "Riley"], &["tri"]) < 1e-4);
    assert!(difference(&["TRI", "-alg", "Wilson"], &["tri", "-p", "method=wilson"]) < 1e-4);
    assert!(difference(&["TPI"], &["tpi"]) < 1e-4);
}

/// gdaldem has eight weighted neighbours where we have four: Zevenbergen and Thorne's four are ours.
#[test]
fn gradients_agree() {
    assert!(difference(&["slope", "-alg", "ZevenbergenThorne"], &["slope"]) < 1e-3);
}

/// Percentages, names, a jump, unequal distances, transparency, missing cells; not in order.
const COLORS: &str = "\
    # elevation red green blue alpha
    100% white
    0%:30:60:90
    262,200,10,0,255
    264.5049 brown 128
    264.5049 0 0 0
    75%\t10\t250\t20\t0
    270 orange
    nv 9 8 7 250
";

/// gdaldem truncates to bytes after adding 0.45. No cell stands at the jump: what gdaldem gives there depends on how
/// many other lines the file has.
#[test]
fn colours_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // A copy, because gdaldem writes statistics beside it.
    std::fs::copy(data("goldens/dem_tm1_256_nd.tif"), path("dem.tif")).unwrap();
    std::fs::write(path("colors.txt"), COLORS).unwrap();
    let [dem, colors, out] = ["dem.tif", "colors.txt", "out.tif"].map(path);
    let arguments = [path_text(&dem), path_text(&colors), path_text(&out)];
    tool("gdaldem", &[&["color-relief", "-q", "-alpha"], &arguments[..]].concat());
    let theirs = read_raster(&out);

    let cells = real_ground_with_holes();
    let valid = cells.iter().filter(|cell| !cell.is_nan());
    let range = valid
        .fold((f64::MAX, f64::MIN), |range, cell| (range.0.min((*cell).into()), range.1.max((*cell).into())));
    let ramp = RampFile::parse(COLORS).unwrap().ramp(Some(range)).unwrap();
    let mut bands = [0; 4].map(|_| vec![f32::NAN; cells.len()]);
    let [red, green, blue, alpha] = &mut bands;
    ramp.row(cells.as_slice().unwrap(), [red, green, blue, alpha]);
    for (theirs, ours) in theirs.outer_iter().zip(&bands) {
        let values: std::collections::BTreeSet<u64> = theirs.iter().map(|byte| *byte as u64).collect();
        assert!(values.len() > 50, "a band of {} values shows little", values.len());
        for (theirs, ours) in theirs.iter().zip(ours) {
            assert!((255.0 * f64::from(*ours) - theirs).abs() < 0.56, "{ours} instead of {theirs}");
        }
    }
}
