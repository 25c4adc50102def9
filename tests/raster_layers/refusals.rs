//! Rasters that cannot be shown: one line that names the layer and what is allowed, and no output.

use crate::bench::{layer, Bench};

fn refused(bench: &Bench, layers: &str, code: i32, words: &[&str]) {
    bench.recipe("recipe.json", layers);
    for more in [&[][..], &["--plan"]] {
        bench.refused(&[&["render", "recipe.json", "dem.tif", "out.tif"], more].concat(), code, words);
    }
}

#[test]
fn files_that_are_no_rasters() {
    let bench = Bench::new();
    bench.write("text.tif", b"This is no raster.\nIt has two lines.\n");
    refused(&bench, &layer("absent.tif"), 1, &["layer 'absent': cannot open", "absent.tif'", "No such file"]);
    refused(&bench, &layer("text.tif"), 1, &["layer 'text': cannot open", "not recognized"]);
    refused(&bench, &layer("."), 1, &["layer 'raster': cannot open"]);
    let named =
        r#"{"operation": "slope", "mask": {"name": "area", "raster": "absent.tif"}}, {"operation": "slope"}"#;
    refused(&bench, named, 1, &["layer 'area': cannot open"]);
    let inner = format!(r#"{{"recipe": {{"terralume_recipe": 1, "layers": [{}]}}}}"#, layer("absent.tif"));
    refused(&bench, &inner, 1, &["layer 'absent': cannot open"]);
}

#[test]
fn bands_that_are_not_there_or_complex() {
    let bench = Bench::new();
    let band = |number: &str| format!(r#"{{"raster": "wide.tif", "band": {number}}}"#);
    refused(&bench, &band("2"), 2, &["layer 'wide': ", "wide.tif' has no band 2; allowed: 1 to 1"]);
    refused(&bench, &band("0"), 2, &["'band' a number from 1"]);
    bench.translate(&["-ot", "CFloat32"], "wide.tif", "complex.tif");
    refused(
        &bench,
        &layer("complex.tif"),
        1,
        &["layer 'complex': ", "CFloat32; allowed: any real number type"],
    );
}

#[test]
fn rasters_elsewhere() {
    let bench = Bench::new();
    let words =
        ["layer 'far': ", "far.tif' lies beside 'dem.tif'; allowed: a raster that covers at least a part"];
    bench.translate(&["-a_ullr", "0", "100", "100", "0"], "wide.tif", "far.tif");
    refused(&bench, &layer("far.tif"), 1, &words);
    // The next cells to the east.
    let place = crate::bench::corners(&bench, "dem.tif");
    let [_, lower, right, upper] = &place;
    let east = (right.parse::<f64>().unwrap() + 100.0).to_string();
    bench.translate(&["-a_ullr", right, upper, &east, lower], "wide.tif", "far.tif");
    refused(&bench, &layer("far.tif"), 1, &words);
    bench.translate(&["-a_srs", "EPSG:4326", "-a_ullr", "-70", "-20", "-69", "-21"], "wide.tif", "far.tif");
    refused(&bench, &layer("far.tif"), 1, &words);
    let planet = ["-a_srs", "+proj=longlat +R=3396190 +no_defs", "-a_ullr", "15", "47", "16", "46"];
    bench.translate(&planet, "wide.tif", "far.tif");
    let words = ["layer 'far': ", "allowed: a reference system that GDAL can transform"];
    refused(&bench, &layer("far.tif"), 1, &words);
}

#[test]
fn rasters_and_elevations_without_a_place() {
    let bench = Bench::new();
    bench.without_reference("wide.tif", "nameless.tif");
    let words = [
        "layer 'nameless': ",
        "nameless.tif' has no reference system, 'dem.tif' has one; allowed: both, or the very same grid",
    ];
    refused(&bench, &layer("nameless.tif"), 1, &words);
    bench.translate(
        &["-of", "PNG", "-ot", "Byte", "-scale", "0", "1", "0", "255", "--config", "GDAL_PAM_ENABLED", "NO"],
        "wide.tif",
        "bare.png",
    );
    refused(
        &bench,
        &layer("bare.png"),
        1,
        &["layer 'bare': ", "bare.png' has no position (geotransform) by which 'dem.tif' could meet it"],
    );

    std::fs::rename(bench.path("dem.tif"), bench.path("placed.tif")).unwrap();
    bench.without_reference("placed.tif", "dem.tif");
    refused(&bench, &layer("wide.tif"), 1, &["'dem.tif' has no reference system, '", "wide.tif' has one"]);
    // Coordinates of both are taken for the same plane.
    bench.recipe("recipe.json", &layer("nameless.tif"));
    bench.run(&["render", "recipe.json", "dem.tif", "out.tif"]);
    bench.on_grid("wide.tif", "expected.tif", &[]);
    crate::bench::assert_same(&bench.floats("out.tif"), &bench.floats("expected.tif"), "both nameless");
}

#[test]
fn an_output_that_is_a_raster_of_a_layer() {
    let bench = Bench::new();
    bench.translate(&["-of", "VRT"], "wide.tif", "parts.vrt");
    for raster in ["wide.tif", "parts.vrt"] {
        bench.recipe("recipe.json", &layer(raster));
        let arguments = ["render", "recipe.json", "dem.tif", "wide.tif", "--overwrite"];
        bench.refused(&arguments, 1, &["output 'wide.tif' is the input"]);
    }
}

#[test]
fn rasters_that_break_off() {
    let bench = Bench::new();
    for (name, size) in [("same.tif", None), ("coarse.tif", Some("50%"))] {
        match size {
            None => bench.on_grid("wide.tif", name, &["-co", "COMPRESS=DEFLATE"]),
            Some(size) => {
                bench.translate(&["-co", "COMPRESS=DEFLATE", "-outsize", size, size], "wide.tif", name)
            }
        }
        let mut bytes = bench.read(name);
        let middle = bytes.len() / 2;
        bytes[middle..middle + 2000].fill(0xff);
        bench.write(name, &bytes);
        bench.recipe("recipe.json", &layer(name));
        let words = [format!("layer '{}': cannot read", name.trim_end_matches(".tif")), name.to_string()];
        bench.refused(&["render", "recipe.json", "dem.tif", "out.tif"], 1, &[&words[0], &words[1]]);
    }
}
