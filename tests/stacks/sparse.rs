//! Blocks that hold nothing but nodata are left out of files, and read as nodata.

use crate::environment::python;
use crate::raster;
use crate::support::Folder;

/// What `blocks.py` says of the bands of a file: blocks that are there, and sums of the cells.
fn blocks(folder: &Folder, name: &str) -> Vec<(String, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gdals/blocks.py");
    let said = folder.gdal("/usr/bin/python3", &[script, name]);
    let halves = |line: &str| line.split_once(' ').map(|(there, sums)| (there.into(), sums.into()));
    said.lines().filter_map(halves).collect()
}

fn there(folder: &Folder, name: &str) -> Vec<String> {
    blocks(folder, name).into_iter().map(|(there, _)| there).collect()
}

/// `half.tif` has data in the first of its two blocks, and -1 is its nodata; `full.tif` in both; `zeros.tif` has zeros in
/// the second one, and no nodata. The raster reaches into a part of the second one.
fn with_halves() -> Folder {
    let folder = Folder::new();
    let rows = |right: f64| -> Vec<Vec<f64>> {
        let cell =
            |row: usize, col: usize| if col < 512 { (1 + (row * 7 + col * 3) % 99) as f64 } else { right };
        (0..300).map(|row| (0..700).map(|col| cell(row, col)).collect()).collect()
    };
    for (name, right, nodata) in
        [("half.tif", -1.0, "-1"), ("full.tif", 5.0, "-1"), ("zeros.tif", 0.0, "none")]
    {
        let rows = rows(right);
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        raster(&folder, name, &rows, &["-ot", "Int16", "-a_nodata", nodata]);
    }
    folder
}

#[test]
fn a_block_without_data_is_left_out_and_reads_the_same() {
    let folder = with_halves();
    let run = |out: &str, more: &[&str]| {
        folder.run(&[&["calc", "a = X; b = X * 2", "-i", "half.tif", "--overwrite", out], more].concat());
    };
    for (cell_type, nodata) in [
        ("float32", "nan"),
        ("float32", "-9999"),
        ("float32", "0.1"),
        ("int16", "-32768"),
        ("uint8", "255"),
        ("uint8", "0"),
    ] {
        let own = ["--type", cell_type, "--dst-nodata", nodata];
        let ways = [
            &[][..],
            &["--overviews"],
            &["--co", "INTERLEAVE=PIXEL"],
            &["--tile-size", "100"],
            &["--co", "COMPRESS=NONE"],
            &["--format", "COG", "--co", "COMPRESS=DEFLATE"],
        ];
        // What a type has of its own shows in any way.
        for more in if nodata == "nan" { &ways[..] } else { &ways[..1] } {
            let more = [&own[..], more].concat();
            run("full.out.tif", &[&more[..], &["--co", "SPARSE_OK=FALSE"]].concat());
            run("out.tif", &more);
            let (sparse, full) = (blocks(&folder, "out.tif"), blocks(&folder, "full.out.tif"));
            for (band, other) in sparse.iter().zip(&full) {
                assert_eq!((band.0.as_str(), other.0.as_str()), ("#.", "##"), "{more:?}");
                assert_eq!(band.1, other.1, "{more:?}");
            }
            assert!(folder.cells("out.tif") == folder.cells("full.out.tif"), "{more:?}");
        }
        // Bands one after another, as they come from formats that have no other order.
        let apart = [&own[..], &["--co", "INTERLEAVE=BAND"]].concat();
        run("full.out.tif", &[&apart[..], &["--co", "SPARSE_OK=FALSE"]].concat());
        run("out.vrt", &[&apart[..], &["--format", "VRT"]].concat());
        assert_eq!(there(&folder, "out.tiles/row0_col0.tif"), ["#.", "#."]);
        assert!(folder.cells("out.vrt") == folder.cells("full.out.tif"), "{own:?}");
        // GDAL fills up a chunk that reaches past the raster, and then it holds something.
        run("out.zarr", &[&own[..], &["--format", "Zarr", "--co", "BLOCKSIZE=100,100"]].concat());
        let chunk = |name: &str| folder.path(&format!("out.zarr/out_band1/{name}")).exists();
        assert_eq!((chunk("0.0"), chunk("0.6")), (true, false), "{own:?}");
        let second = format!("ZARR:\"{}\":/out_band2", folder.path("out.zarr").display());
        let cells = folder.cells("full.out.tif");
        assert!(folder.cells(&second) == cells[cells.len() / 2..], "{own:?}");
    }
}

/// Cells of bands that stand together stand in one block.
#[test]
fn a_block_of_several_bands_is_left_out_when_all_are_empty() {
    let folder = with_halves();
    let calc = ["calc", "a = x; b = y", "-i", "x=half.tif", "-i", "y=full.tif", "out.tif", "--overwrite"];
    for (interleave, blocks) in [("INTERLEAVE=BAND", ["#.", "##"]), ("INTERLEAVE=PIXEL", ["##", "##"])] {
        let run = |more: &[&str]| {
            folder.run(&[&calc[..], &["--co", interleave], more].concat());
            folder.cells("out.tif")
        };
        let full = run(&["--co", "SPARSE_OK=FALSE"]);
        assert!(run(&[]) == full, "{interleave}");
        assert_eq!(there(&folder, "out.tif"), blocks, "{interleave}");
    }
}

/// Where there is no nodata, a block that is not there holds zeros.
#[test]
fn zeros_without_nodata_and_whole_numbers_of_64_bits_read_the_same() {
    let folder = with_halves();
    let mask = ["mask", "zeros.tif", "out.tif", "--mask", "X > 90", "--where-masked", "0", "--overwrite"];
    folder.run(&mask);
    let cells = folder.cells("out.tif");
    assert_eq!(there(&folder, "out.tif"), ["#."]);
    assert!(folder.info("out.tif")["bands"][0]["noDataValue"].is_null());
    folder.run(&[&mask[..], &["--co", "SPARSE_OK=FALSE"]].concat());
    assert_eq!(there(&folder, "out.tif"), ["##"]);
    assert!(folder.cells("out.tif") == cells);
    // Zeros that are values beside a nodata value of another kind stay what they are.
    for (input, name) in [("half.tif", "int64"), ("zeros.tif", "int64"), ("zeros.tif", "uint64")] {
        let run = |more: &[&str]| {
            folder
                .run(&[&["calc", "X", "-i", input, "out.tif", "--type", name, "--overwrite"], more].concat());
            const CELLS: &str =
                "import sys; from osgeo import gdal; print(gdal.Open(sys.argv[1]).ReadRaster().hex())";
            folder.gdal("/usr/bin/python3", &["-c", CELLS, "out.tif"])
        };
        assert!(run(&[]) == run(&["--co", "SPARSE_OK=FALSE"]), "{input} {name}");
    }
}

#[test]
fn relief_and_validators_know_files_with_holes() {
    let folder = with_halves();
    let slope = |out: &str, more: &[&str]| {
        folder.run(&[&["visualize", "slope", "half.tif", out], more].concat());
        folder.cells(out)
    };
    let cells = slope("full.out.tif", &["--co", "SPARSE_OK=FALSE"]);
    assert!(slope("slope.tif", &[]) == cells);
    assert_eq!(there(&folder, "slope.tif"), ["#."]);
    assert!(slope("cog.tif", &["--format", "COG"]) == cells);
    assert_eq!(there(&folder, "cog.tif"), ["#."]);
    let validator = ["-m", "osgeo_utils.samples.validate_cloud_optimized_geotiff", "cog.tif"];
    let said = folder.gdal("/usr/bin/python3", &validator);
    assert!(said.contains("is a valid cloud optimized GeoTIFF"), "{said}");
    let code = "import sys; from rio_cogeo.cogeo import cog_validate; print(cog_validate(sys.argv[1], strict=True, quiet=True))";
    assert_eq!(folder.gdal(python(), &["-W", "ignore", "-c", code, "cog.tif"]).trim(), "(True, [], [])");
}
