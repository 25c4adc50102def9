//! Rasters on other grids, and on the same.

use crate::bench::{assert_near, assert_same, corners, layer, words, Bench, MARGIN, SIDE};

const ALL: usize = SIDE * SIDE;

#[test]
fn the_same_grid_is_read_as_it_is() {
    let bench = Bench::new();
    let ways: &[(&str, &[&str])] = &[
        ("strips.tif", &[]),
        ("tiles.tif", &["-co", "TILED=YES", "-co", "BLOCKXSIZE=64", "-co", "BLOCKYSIZE=64"]),
        ("packed.tif", &["-co", "COMPRESS=DEFLATE", "-co", "PREDICTOR=3"]),
        ("wide-numbers.tif", &["-ot", "Float64"]),
        ("virtual.vrt", &["-of", "VRT"]),
        (
            "other-name.tif",
            &["-a_srs", "+proj=tmerc +lon_0=15 +k=0.9999 +x_0=500000 +y_0=-5000000 +ellps=GRS80"],
        ),
    ];
    bench.on_grid("wide.tif", "expected.tif", &[]);
    let expected = bench.floats("expected.tif");
    for (name, arguments) in ways {
        bench.on_grid("wide.tif", name, arguments);
        assert_same(&bench.shown(name), &expected, name);
    }
    bench.without_reference("strips.tif", "nameless.tif");
    assert_same(&bench.shown("nameless.tif"), &expected, "without reference system");
}

#[test]
fn cells_that_lie_on_one_another_keep_their_values() {
    let bench = Bench::new();
    bench.on_grid("wide.tif", "expected.tif", &[]);
    let expected = bench.floats("expected.tif");
    assert_same(&bench.shown("wide.tif"), &expected, "a wider raster");
    bench.translate(&["-srcwin", "0", "0", "140", "160"], "wide.tif", "corner.tif");
    let covered = |index: usize| index % SIDE < 140 - MARGIN && index / SIDE < 160 - MARGIN;
    let part: Vec<f32> =
        expected.iter().enumerate().map(|(i, cell)| if covered(i) { *cell } else { f32::NAN }).collect();
    assert_same(&bench.shown("corner.tif"), &part, "a raster over a part");
}

/// Coarser rasters, moved and turned ones: what gdalwarp gives.
#[test]
fn other_grids_are_warped_as_gdalwarp_does() {
    let bench = Bench::new();
    let grids: &[(&str, &[&str])] = &[
        ("coarse.tif", &["-tr", "2", "2", "-r", "average"]),
        ("very-coarse.tif", &["-tr", "50", "50", "-r", "average"]),
        ("oblong.tif", &["-tr", "3", "1.5", "-r", "average"]),
        ("moved.tif", &["-tap", "-tr", "1", "1", "-r", "bilinear"]),
        ("next-zone.tif", &["-t_srs", "EPSG:32632", "-tr", "1.5", "1.5", "-r", "cubic"]),
        ("web.tif", &["-t_srs", "EPSG:3857", "-tr", "3", "3", "-r", "cubic"]),
        ("degrees.tif", &["-t_srs", "EPSG:4326", "-tr", "3e-5", "2e-5", "-r", "cubic"]),
    ];
    for (name, arguments) in grids {
        bench.warp(&[arguments, &["-dstnodata", "-9999"][..]].concat(), "wide.tif", name);
        assert_near(&bench.shown(name), &bench.warped(name, &["-r", "bilinear"]), ALL, name);
    }
}

/// Finer rasters are averaged with one filter for the whole raster, not with one for every piece that is warped.
#[test]
fn finer_rasters_are_averaged() {
    let bench = Bench::new();
    for (cell, scale) in [("0.5", "0.500000"), ("0.3", "0.300000"), ("0.1", "0.100000")] {
        bench.warp(&["-tr", cell, cell, "-r", "cubic"], "wide.tif", "fine.tif");
        let (x, y) = (format!("XSCALE={scale}"), format!("YSCALE={scale}"));
        let expected = bench.warped("fine.tif", &["-r", "bilinear", "-wo", &x, "-wo", &y]);
        assert_near(&bench.shown("fine.tif"), &expected, ALL, cell);
    }
}

#[test]
fn overviews_stand_for_finer_rasters() {
    let bench = Bench::new();
    bench.warp(&["-ts", "2000", "2000", "-r", "cubic"], "wide.tif", "fine.tif");
    let plain = bench.shown("fine.tif");
    bench.gdal("gdaladdo", &["-q", "-r", "average", "fine.tif", "2", "4", "8"]);
    let scale = ["-wo", "XSCALE=0.762", "-wo", "YSCALE=0.762"];
    let expected = bench.warped("fine.tif", &[&["-r", "bilinear", "-ovr", "1"], &scale[..]].concat());
    let shown = bench.shown("fine.tif");
    assert_near(&shown, &expected, ALL, "the second overview");
    assert!(shown != plain, "overviews make no difference: the test proves nothing");
}

/// The rows of a raster from the bottom to the top, in the same place.
fn south_up(bench: &Bench, from: &str, to: &str, rows: usize) {
    let cells = bench.floats(from);
    let turned: Vec<u8> =
        cells.chunks(cells.len() / rows).rev().flatten().flat_map(|cell| cell.to_le_bytes()).collect();
    bench.translate(&["-of", "ENVI"], from, "turned.bin");
    bench.write("turned.bin", &turned);
    bench.translate(
        &[&["-a_srs", "EPSG:3794", "-a_ullr"], &words(&corners(bench, from))[..]].concat(),
        "turned.bin",
        to,
    );
    let transform = &bench.info(to)["geoTransform"];
    assert!(transform[5].as_f64() > Some(0.0), "{transform}");
}

#[test]
fn rasters_and_elevations_may_be_south_up() {
    let bench = Bench::new();
    bench.warp(&["-tr", "2", "2", "-r", "average"], "wide.tif", "coarse.tif");
    let expected: Vec<f64> = bench.shown("coarse.tif").iter().map(|cell| f64::from(*cell)).collect();
    let rows = bench.info("coarse.tif")["size"][1].as_u64().unwrap() as usize;
    south_up(&bench, "coarse.tif", "turned.tif", rows);
    assert_near(&bench.shown("turned.tif"), &expected, ALL, "raster");
    south_up(&bench, "dem.tif", "turned-dem.tif", SIDE);
    let turned_expected: Vec<f64> = expected.chunks(SIDE).rev().flatten().copied().collect();
    for raster in ["coarse.tif", "turned.tif"] {
        let shown = bench.render(&layer(raster), "turned-dem.tif", &[]);
        assert_near(&shown, &turned_expected, ALL, &format!("{raster} under elevations"));
    }
    bench.on_grid("wide.tif", "same.tif", &[]);
    south_up(&bench, "same.tif", "turned-same.tif", SIDE);
    let shown = bench.render(&layer("turned-same.tif"), "turned-dem.tif", &[]);
    assert_same(&shown, &bench.floats("turned-same.tif"), "both on the same grid");
}

/// Neither tiles nor threads change a bit, whether rasters are warped or read directly, surveyed or not.
#[test]
fn tiles_and_threads_leave_no_trace() {
    let bench = Bench::new();
    bench.warp(&["-t_srs", "EPSG:32632", "-tr", "0.7", "0.7", "-r", "cubic"], "wide.tif", "turned.tif");
    bench.on_grid("wide.tif", "same.tif", &[]);
    let layers = r#"
        {"raster": "turned.tif", "stretch": "percent:2,2", "mode": "overlay", "opacity": 70,
         "mask": {"raster": "same.tif", "stretch": "deviations:2"}},
        {"raster": "wide.tif", "min": 0.2, "max": 0.6, "mode": "multiply"},
        {"operation": "slope"}"#;
    for cell_type in ["float32", "uint8"] {
        let render = |tile: &str, threads: &str| {
            bench.recipe("recipe.json", layers);
            let division = ["--tile-size", tile, "--threads", threads, "--type", cell_type, "--overwrite"];
            bench.run(&[&["render", "recipe.json", "dem.tif", "out.tif"], &division[..]].concat());
            bench.cells("out.tif")
        };
        let whole = render("512", "1");
        for (tile, threads) in [("16", "2"), ("77", "3"), ("128", "2"), ("200", "1")] {
            assert!(render(tile, threads) == whole, "tiles of {tile}, {threads} threads, {cell_type}");
        }
    }
}
