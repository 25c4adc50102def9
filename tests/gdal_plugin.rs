//! The library as a GDAL plugin: found through `GDAL_DRIVER_PATH`, silent, and it knows which GDAL called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The shared library that cargo built beside this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join("libterralume.so")
}

fn plugin_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(library(), folder.path().join("gdal_terralume.so")).unwrap();
    folder
}

#[test]
fn gdal_loads_the_library_without_a_word() {
    let folder = plugin_folder();
    let run = |path: &Path| {
        let mut command = Command::new("gdalinfo");
        command.arg("--formats").env("GDAL_DRIVER_PATH", path).env("CPL_DEBUG", "ON").output().unwrap()
    };
    let loaded = run(folder.path());
    let messages = String::from_utf8_lossy(&loaded.stderr);
    assert!(loaded.status.success());
    assert!(messages.contains("GDALRegister_terralume") || messages.contains("Auto register"), "{messages}");
    assert!(!messages.contains("ERROR"), "{messages}");
    let quiet = Command::new("gdalinfo")
        .arg("tests/data/TM1_564_146.tif")
        .env("GDAL_DRIVER_PATH", folder.path())
        .output()
        .unwrap();
    assert!(quiet.status.success() && quiet.stderr.is_empty());
}

#[test]
fn the_library_is_not_linked_to_gdal() {
    let needed = Command::new("readelf").arg("-d").arg(library()).output().unwrap();
    let needed = String::from_utf8_lossy(&needed.stdout).into_owned();
    assert!(needed.contains("NEEDED") && !needed.contains("libgdal"), "{needed}");
}
