//! Python programs with GDALs of their own, and the pictures they must all read alike.

use crate::files::{band, twice, Place, Source};

#[path = "environment.rs"]
mod environment;

use environment::environment;
pub use environment::python;

/// Side of `dem.tif`: two tiles and a seam each way, and overviews.
pub const SIDE: usize = 600;

/// Unpacked wheels with older GDALs.
pub fn older_gdals() -> Vec<String> {
    environment(&["older"]).lines().map(String::from).collect()
}

/// The path of a script of this folder.
pub fn script(name: &str) -> String {
    format!("{}/tests/gdals/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs a script in the folder; gives what it printed.
pub fn run(place: &Place, name: &str, arguments: &[&str]) -> String {
    place.plain(python(), &[&["-W", "ignore", &script(name)], arguments].concat())
}

/// A folder with `dem.tif`, and VRT files with pixel functions, which no file is compressed for: wheels differ in what they
/// can read.
pub fn pictures() -> Place {
    let place = Place::with_dem(SIDE);
    let plain = ["--co", "COMPRESS=NONE"];
    place.terralume(&[&["visualize", "slope", "dem.tif", "slope.tif"], &plain[..]].concat());
    place.terralume(&[&["visualize", "svf", "dem.tif", "svf.tif", "-p", "radius=20"], &plain[..]].concat());
    place.terralume(&[&["render", "vat", "dem.tif", "vat.tif", "--type", "uint8"], &plain[..]].concat());
    let grey = band("terralume_normalize", r#"min="0" max="51" invert="true""#, &twice("slope.tif"));
    place.vrt("grey.vrt", SIDE, &[grey]);
    let layers = [Source::of("grey.vrt"), Source::of("svf.tif")];
    place.vrt("blend.vrt", SIDE, &[band("terralume_blend", r#"mode="multiply" opacity="60""#, &layers)]);
    place.vrt("bad.vrt", SIDE, &[band("terralume_blend", r#"mode="glow""#, &layers)]);
    place
}
