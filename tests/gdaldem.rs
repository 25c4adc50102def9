//! Operations that GDAL's own program has as well: the same values away from the raster's edge.

mod common;

use common::files::read_raster;
use ndarray::s;
use std::path::Path;
use std::process::Command;

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
