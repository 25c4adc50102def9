//! What rasters say of missing cells, and in which numbers they speak.

use crate::bench::{assert_near, assert_same, words, Bench, MARGIN, SIDE};

/// `name`: whole numbers of 1 to 250 with holes of 0 that count as nodata, at half the resolution of the elevations.
fn with_holes(bench: &Bench, name: &str) {
    let side = ((SIDE + 2 * MARGIN) / 2).to_string();
    let scaled = ["-ot", "Byte", "-scale", "0", "1", "1", "250", "-outsize", &side, &side, "-r", "average"];
    bench.translate(&[&["-of", "ENVI"], &scaled[..]].concat(), "wide.tif", "raw.bin");
    let mut cells = bench.read("raw.bin");
    let cols = side.parse::<usize>().unwrap();
    for (index, cell) in cells.iter_mut().enumerate() {
        let (row, col) = (index / cols, index % cols);
        if (row / 7 + col / 5) % 6 == 0 || row % 23 == 11 {
            *cell = 0;
        }
    }
    bench.write("raw.bin", &cells);
    bench.translate(&["-a_nodata", "0"], "raw.bin", name);
}

/// A layer of bytes of 1 to 250.
fn bytes(raster: &str) -> String {
    format!(r#"{{"raster": "{raster}", "min": 0, "max": 256}}"#)
}

#[test]
fn nodata_mask_and_alpha_say_the_same() {
    let bench = Bench::new();
    with_holes(&bench, "nodata.tif");
    let expected: Vec<f64> =
        bench.warped("nodata.tif", &["-r", "bilinear"]).iter().map(|cell| cell / 256.0).collect();
    let valid = expected.iter().filter(|cell| !cell.is_nan()).count();
    assert!((1000..SIDE * SIDE - 1000).contains(&valid), "{valid} cells are no test");
    assert_near(&bench.render(&bytes("nodata.tif"), "dem.tif", &[]), &expected, valid, "nodata");

    bench.warp(&["-dstalpha"], "nodata.tif", "alpha.tif");
    bench.translate(&["-b", "1", "-mask", "2"], "alpha.tif", "outside.tif");
    assert!(bench.path("outside.tif.msk").exists());
    let inside = ["-b", "1", "-mask", "2", "--config", "GDAL_TIFF_INTERNAL_MASK", "YES"];
    bench.translate(&inside, "alpha.tif", "inside.tif");
    bench.translate(&["-b", "1", "-of", "VRT"], "alpha.tif", "own.vrt");
    let text = String::from_utf8(bench.read("own.vrt")).unwrap();
    let source = "<SimpleSource><SourceFilename relativeToVRT=\"1\">alpha.tif</SourceFilename><SourceBand>2\
                  </SourceBand></SimpleSource>";
    let own = format!(
        "<MaskBand><VRTRasterBand dataType=\"Byte\">{source}</VRTRasterBand></MaskBand></VRTRasterBand>"
    );
    bench.write("own.vrt", text.replace("</VRTRasterBand>", &own).as_bytes());
    for name in ["alpha.tif", "outside.tif", "inside.tif", "own.vrt"] {
        assert_near(&bench.render(&bytes(name), "dem.tif", &[]), &expected, valid, name);
    }
    bench.warp(
        &[&["-r", "near", "-dstnodata", "0"], &words(&bench.grid())[..]].concat(),
        "nodata.tif",
        "direct.tif",
    );
    let direct = bench.render(&bytes("direct.tif"), "dem.tif", &[]);
    bench.warp(&["-dstalpha"], "direct.tif", "direct-alpha.tif");
    assert_same(&bench.render(&bytes("direct-alpha.tif"), "dem.tif", &[]), &direct, "alpha on the same grid");
}

/// Half opaque is not half missing: a layer's opacity is the recipe's business.
#[test]
fn what_is_a_little_opaque_is_there() {
    let bench = Bench::new();
    let scaled = ["-ot", "Byte", "-scale", "0", "1", "1", "250"];
    bench.translate(&[&scaled[..], &["-outsize", "50%", "50%"]].concat(), "wide.tif", "grey.tif");
    bench.translate(&["-b", "1", "-b", "1", "-colorinterp_2", "alpha"], "grey.tif", "faint.tif");
    let opaque = bench.render(&bytes("grey.tif"), "dem.tif", &[]);
    assert_same(&bench.render(&bytes("faint.tif"), "dem.tif", &[]), &opaque, "alpha of 1 to 250");
}

#[test]
fn numbers_that_are_none_are_missing() {
    let bench = Bench::new();
    bench.warp(&["-tr", "2", "2", "-r", "average"], "wide.tif", "coarse.tif");
    let mut cells = bench.floats("coarse.tif");
    cells.iter_mut().step_by(17).for_each(|cell| *cell = f32::NAN);
    bench.translate(&["-of", "ENVI"], "coarse.tif", "holes.bin");
    bench.write("holes.bin", &cells.iter().flat_map(|cell| cell.to_le_bytes()).collect::<Vec<_>>());
    let expected = bench.warped("holes.bin", &["-r", "bilinear", "-srcnodata", "nan"]);
    let valid = expected.iter().filter(|cell| !cell.is_nan()).count();
    assert!(valid > SIDE * SIDE / 2);
    assert_near(&bench.shown("holes.bin"), &expected, valid, "NaN without nodata");
}

#[test]
fn scale_and_offset_are_applied() {
    let bench = Bench::new();
    let stored =
        ["-ot", "Int16", "-scale", "0", "1", "-5000", "5000", "-a_scale", "0.0001", "-a_offset", "0.5"];
    bench.on_grid("wide.tif", "same.tif", &stored);
    bench.translate(&["-ot", "Float64"], "same.tif", "raw.tif");
    let raw = bench.cells("raw.tif");
    let value = |raw: f64| raw * 0.0001 + 0.5;
    let expected: Vec<f64> =
        raw.chunks_exact(8).map(|bytes| value(f64::from_le_bytes(bytes.try_into().unwrap()))).collect();
    assert_near(&bench.shown("same.tif"), &expected, SIDE * SIDE, "same grid");
    bench.translate(
        &[&stored[..], &["-outsize", "50%", "50%", "-r", "average"]].concat(),
        "wide.tif",
        "coarse.tif",
    );
    let expected: Vec<f64> = bench.warped("coarse.tif", &["-r", "bilinear"]).into_iter().map(value).collect();
    assert_near(&bench.shown("coarse.tif"), &expected, SIDE * SIDE, "coarse");
}

#[test]
fn every_type_of_cell_is_warped() {
    let bench = Bench::new();
    for name in ["Byte", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64"] {
        let numbers = ["-ot", name, "-scale", "0", "1", "1", "250", "-outsize", "50%", "50%"];
        bench.translate(&numbers, "wide.tif", "coarse.tif");
        let warped = bench.warped("coarse.tif", &["-r", "bilinear"]);
        let expected: Vec<f64> = warped.iter().map(|cell| cell / 256.0).collect();
        assert_near(&bench.render(&bytes("coarse.tif"), "dem.tif", &[]), &expected, SIDE * SIDE, name);
    }
}

/// Between the classes 3 and 7 there is no class 5.
#[test]
fn classes_are_not_mixed() {
    let bench = Bench::new();
    let scaled = ["-ot", "Byte", "-scale", "0", "1", "0", "255", "-outsize", "30%", "30%"];
    bench.translate(&scaled, "wide.tif", "grey.tif");
    bench.gdal("gdaladdo", &["-q", "-r", "average", "grey.tif", "2"]);
    bench.translate(&["-of", "VRT"], "grey.tif", "classes.vrt");
    let text = String::from_utf8(bench.read("classes.vrt")).unwrap();
    let entries: String =
        (0..256).map(|grey| format!("<Entry c1=\"{grey}\" c2=\"0\" c3=\"0\" c4=\"255\"/>")).collect();
    let table = format!("<ColorInterp>Palette</ColorInterp><ColorTable>{entries}</ColorTable>");
    bench.write("classes.vrt", text.replace("<ColorInterp>Gray</ColorInterp>", &table).as_bytes());
    let expected = bench.warped("classes.vrt", &["-r", "near", "-ovr", "NONE"]);
    let expected: Vec<f64> = expected.iter().map(|cell| cell / 256.0).collect();
    assert_near(&bench.render(&bytes("classes.vrt"), "dem.tif", &[]), &expected, SIDE * SIDE, "classes");
    assert!(
        bench.render(&bytes("grey.tif"), "dem.tif", &[])
            != bench.render(&bytes("classes.vrt"), "dem.tif", &[]),
        "the test proves nothing"
    );
    // A name of GDAL's own for a part of a file.
    let (part, whole) = (bytes("GTIFF_DIR:1:grey.tif"), bytes("grey.tif"));
    assert_same(&bench.render(&part, "dem.tif", &[]), &bench.render(&whole, "dem.tif", &[]), "directory");
}
