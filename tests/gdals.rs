//! One shared library as the plugin of every GDAL: of the system, of Python's wheels, several in one process.

#[path = "pixel_functions/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod files;
#[path = "gdals/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod support;

use files::Place;
use support::{older_gdals, pictures, python, run, script};

/// With what every GDAL must read, as the program and the pipeline write it.
fn place() -> Place {
    let place = pictures();
    // A recipe of the same two layers: no pixel function, no other GDAL.
    place.write(
        "recipe.json",
        r#"{"terralume_recipe": 1, "layers": [
            {"operation": "slope", "min": 0, "max": 51, "invert": true, "mode": "multiply", "opacity": 60},
            {"operation": "svf", "parameters": {"radius": 20}, "min": 0, "max": 1}]}"#,
    );
    place.write(
        "grey.json",
        r#"{"terralume_recipe": 1, "layers": [{"operation": "slope", "min": 0, "max": 51, "invert": true}]}"#,
    );
    place.terralume(&["render", "recipe.json", "dem.tif", "blend.tif"]);
    place.terralume(&["render", "grey.json", "dem.tif", "grey.tif"]);
    for name in ["svf", "vat", "blend", "grey"] {
        let (from, to) = (format!("{name}.tif"), format!("{name}.expected"));
        place.plain("gdal_translate", &["-q", "-of", "ENVI", "-co", "INTERLEAVE=BSQ", &from, &to]);
    }
    place
}

/// The releases, one for each door.
fn releases(said: &str) -> Vec<String> {
    let release = |line: &str| line.rsplit(' ').next().unwrap().to_string();
    said.lines().map(release).collect()
}

#[test]
fn every_program_and_all_of_them_together_read_the_bits_of_files() {
    let place = place();
    for doors in [
        &["osgeo"][..],
        &["rasterio"],
        &["pyogrio"],
        &["osgeo", "rasterio"],
        &["rasterio", "osgeo"],
        &["rasterio", "pyogrio"],
        &["pyogrio", "osgeo"],
        &["pyogrio", "rasterio", "osgeo"],
    ] {
        let found = releases(&run(&place, "same_everywhere.py", doors));
        assert_eq!(found.len(), doors.len(), "{found:?}");
    }
}

#[test]
fn older_gdals_read_the_bits_of_files() {
    let place = place();
    let mut found = Vec::new();
    for folder in older_gdals() {
        // Only the wheel's own Python knows where its libraries are.
        let libraries = format!("LD_LIBRARY_PATH={folder}/rasterio.libs");
        let arguments = [&libraries, python(), &script("same_everywhere.py"), &folder];
        found.extend(releases(&place.plain("env", &arguments)));
    }
    assert_eq!(found, ["3.5.3", "3.8.4", "3.9.2"]);
}
