//! Formats of outputs: COG, Zarr, and tiles under a VRT, read by programs of others; nothing is left of what is not whole.

use crate::environment::python;
use crate::statistics::peak;
use crate::support::{Folder, PROGRAM};
use crate::{band_names, raster, scene};
use std::process::Stdio;
use std::time::Duration;

const FORMULA: &str = "total = blue + green + red; ratio = red / green";

/// `big.tif`: three bands larger than a tile of a set.
fn with_big() -> Folder {
    let folder = Folder::new();
    folder.gdal(
        "gdal_translate",
        &["-q", "-outsize", "4500", "4200", "-co", "TILED=YES", &scene("bgr.tif"), "big.tif"],
    );
    folder
}

fn calc(folder: &Folder, out: &str, more: &[&str]) {
    folder.run(
        &[&["calc", FORMULA, "-i", "big.tif", "--sensor", "bgr", out, "--memory", "200M"], more].concat(),
    );
}

#[test]
fn a_cog_passes_the_other_validator_too() {
    let folder = Folder::with_dem(700);
    folder.run(&["calc", "X * 2", "-i", "dem.tif", "plain.tif"]);
    folder.run(&["calc", "X * 2", "-i", "dem.tif", "cog.tif", "--format", "COG"]);
    let validate = |name: &str| {
        let code = "import sys; from rio_cogeo.cogeo import cog_validate; print(cog_validate(sys.argv[1], strict=True, quiet=True))";
        folder.gdal(python(), &["-W", "ignore", "-c", code, name])
    };
    assert_eq!(validate("cog.tif").trim(), "(True, [], [])");
    assert!(validate("plain.tif").starts_with("(False"), "a file that is none is told apart");
    assert!(folder.cells("cog.tif") == folder.cells("plain.tif"));
}

#[test]
fn zarr_has_the_cells_and_names_of_a_file() {
    let folder = Folder::with_dem(700);
    let formula = ["calc", "double = X * 2; half = X / 2", "-i", "dem.tif", "--dst-nodata", "nan"];
    folder.run(&[&formula[..], &["plain.tif"]].concat());
    folder.gdal("gdal_translate", &["-q", "-of", "ENVI", "-co", "INTERLEAVE=BSQ", "plain.tif", "cells"]);
    let cells = folder.read("cells");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gdals/read_zarr.py");
    let mut first = None;
    for more in [&[][..], &["--tile-size", "100", "--threads", "2"], &["--co", "COMPRESS=ZLIB"]] {
        folder.run(&[&formula[..], &["out.zarr", "--format", "Zarr", "--overwrite"], more].concat());
        let said = folder.gdal(python(), &["-W", "ignore", script, "out.zarr"]);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("out_band1 700 700 512 512 <f4 nan double "), "{said}");
        assert!(lines[1].starts_with("out_band2 700 700 512 512 <f4 nan half "), "{said}");
        assert!(*first.get_or_insert_with(|| said.clone()) == said, "{more:?}");
        // GDAL reads the same.
        for band in 1..=2 {
            let name = format!("ZARR:\"{}\":/out_band{band}", folder.path("out.zarr").display());
            let own = &cells[(band - 1) * cells.len() / 2..band * cells.len() / 2];
            assert!(folder.cells(&name) == own, "band {band}");
        }
    }
    folder.run(&["calc", "X * 2", "-i", "dem.tif", "one.zarr", "--format", "Zarr"]);
    assert_eq!(folder.info("one.zarr")["geoTransform"], folder.info("dem.tif")["geoTransform"]);
    assert_eq!(folder.cells("one.zarr"), cells[..cells.len() / 2]);
}

#[test]
fn a_zarr_replaces_a_zarr_and_nothing_else() {
    let folder = Folder::with_dem(100);
    let zarr = |out: &'static str, more: &[&'static str]| {
        [&["calc", "X", "-i", "dem.tif", out, "--format", "Zarr"], more].concat()
    };
    folder.run(&zarr("out.zarr", &[]));
    folder.refused(&zarr("out.zarr", &[]), 1, &["output 'out.zarr' exists; allowed: a new name"]);
    folder.run(&zarr("out.zarr", &["--overwrite"]));
    std::fs::create_dir(folder.path("mine")).unwrap();
    folder.write("mine/letter.txt", b"dear");
    folder.refused(
        &zarr("mine", &["--overwrite"]),
        1,
        &["output 'mine' is no Zarr; allowed: a new name, or a Zarr"],
    );
    folder.refused(&zarr("dem.tif", &["--overwrite"]), 1, &["'dem.tif'"]);
    folder.refused(&zarr("x.zarr", &["--overviews"]), 2, &["overviews of Zarr; allowed: of GTiff"]);
    folder.refused(&zarr("x.zarr", &["--co", "TILED=YES"]), 2, &["TILED", "gdalinfo --format Zarr"]);
    // Relief is written as stacks are.
    folder.run(&["visualize", "slope", "dem.tif", "slope.zarr", "--format", "Zarr"]);
    folder.run(&["visualize", "slope", "dem.tif", "slope.tif"]);
    assert!(folder.cells("slope.zarr") == folder.cells("slope.tif"));
    std::fs::create_dir(folder.path("all")).unwrap();
    folder.run(&["visualize", "slope,aspect", "dem.tif", "all", "--format", "Zarr"]);
    assert!(folder.path("all/dem_SLOPE.zarr/.zgroup").exists());
}

#[test]
fn tiles_under_a_vrt_are_one_raster() {
    let folder = with_big();
    calc(&folder, "plain.tif", &[]);
    calc(&folder, "out.vrt", &["--format", "VRT"]);
    let tiles: Vec<String> = std::fs::read_dir(folder.path("out.tiles"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(tiles.len(), 4, "{tiles:?}");
    assert!(folder.cells("out.vrt") == folder.cells("plain.tif"));
    assert_eq!(band_names(&folder, "out.vrt"), ["total", "ratio"]);
    let info = |name: &str| folder.info(name);
    for key in ["size", "geoTransform"] {
        assert_eq!(info("out.vrt")[key], info("plain.tif")[key], "{key}");
    }
    // A tile lies where it belongs.
    let place = info("out.tiles/row4096_col4096.tif")["geoTransform"].clone();
    let whole = info("plain.tif")["geoTransform"].clone();
    let number = |list: &serde_json::Value, index: usize| list[index].as_f64().unwrap();
    assert!((number(&place, 0) - number(&whole, 0) - 4096.0 * number(&whole, 1)).abs() < 1e-6);
    // Tiles of any size come together.
    calc(&folder, "out.vrt", &["--format", "VRT", "--overwrite", "--tile-size", "700"]);
    assert!(folder.cells("out.vrt") == folder.cells("plain.tif"));
    folder.write("out.tiles/letter.txt", b"dear");
    folder.refused(
        &["calc", "X[1]", "-i", "big.tif", "out.vrt", "--format", "VRT", "--overwrite"],
        1,
        &["holds 'letter.txt', which is not ours; allowed: a folder of tiles such as"],
    );
    folder.refused(
        &["calc", "X[1]", "-i", "big.tif", "x.vrt", "--format", "VRT", "--overviews"],
        2,
        &["overviews of a VRT"],
    );
}

#[test]
fn a_kill_leaves_neither_vrt_nor_zarr() {
    let folder = with_big();
    for (format, out) in [("VRT", "out.vrt"), ("Zarr", "out.zarr")] {
        let formula = "exp(sin(X[1])) + exp(cos(X[2]))";
        let arguments = ["calc", formula, out, "-i", "big.tif", "--threads", "1", "--format", format];
        let mut child = folder.command(PROGRAM, &arguments).stderr(Stdio::null()).spawn().unwrap();
        let begun = || folder.snapshot().keys().any(|name| name.starts_with(".terralume-"));
        while !begun() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "the run ended before it was killed");
        assert!(!folder.path(out).exists() && !folder.path("out.tiles").exists(), "{format}");
        for name in folder.snapshot().keys().filter(|name| name.starts_with(".terralume-")) {
            let path = folder.path(name);
            std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path)).unwrap();
        }
    }
}

/// Folders of that name may be somebody's own, and what is read may stand in them.
#[test]
fn nothing_of_the_users_goes_when_an_output_replaces_a_folder() {
    let folder = Folder::with_dem(60);
    std::fs::create_dir(folder.path("own.tiles")).unwrap();
    std::fs::copy(folder.path("dem.tif"), folder.path("own.tiles/a.tif")).unwrap();
    let slope = |input: &str, output: &str, format: &str, words: &[&str]| {
        folder.refused(&["visualize", "slope", input, output, "--format", format, "--overwrite"], 1, words);
    };
    slope("dem.tif", "own.vrt", "VRT", &["own.tiles' holds 'a.tif', which is not ours", "row0_col0.tif"]);
    slope("own.tiles/a.tif", "own.vrt", "VRT", &["'own.vrt' would replace the input 'own.tiles/a.tif'"]);
    folder.run(&["visualize", "slope", "dem.tif", "tiles.vrt", "--format", "VRT"]);
    slope("tiles.tiles/row0_col0.tif", "tiles.vrt", "VRT", &["would replace the input"]);
    folder.run(&["visualize", "slope", "dem.tif", "tiles.vrt", "--format", "VRT", "--overwrite"]);
    folder.run(&["visualize", "slope", "dem.tif", "old.zarr", "--format", "Zarr"]);
    std::fs::copy(folder.path("dem.tif"), folder.path("old.zarr/dem.tif")).unwrap();
    slope("old.zarr/dem.tif", "old.zarr", "Zarr", &["'old.zarr' would replace the input"]);
    folder.run(&["visualize", "slope", "dem.tif", "old.zarr", "--format", "Zarr", "--overwrite"]);
}

/// Chunks whose cells come with several tiles wait in memory.
#[test]
fn parts_of_chunks_are_part_of_the_memory() {
    let folder = Folder::with_dem(500);
    let wide = ["-q", "-outsize", "16384", "400", "-co", "TILED=YES", "dem.tif", "wide.tif"];
    folder.gdal("gdal_translate", &wide);
    let formula = "a = X; b = X + 1; c = X + 2; d = X + 3; e = X + 4; f = X + 5";
    let stack = ["calc", formula, "-i", "wide.tif", "--tile-size", "100", "--threads", "2"];
    let picture = ["visualize", "multi_hillshade", "wide.tif", "--tile-size", "100", "--threads", "2"];
    let run = |arguments: &[&str], budget: usize| {
        let memory = format!("{budget}M");
        let formats = [
            ("out.zarr", "Zarr", &[][..]),
            ("out.tif", "GTiff", &[]),
            ("over.tif", "GTiff", &["--overviews"]),
            ("out.vrt", "VRT", &[]),
            ("cog.tif", "COG", &[]),
        ];
        for (out, format, more) in formats {
            let kept = [more, &[out, "--format", format, "--overwrite", "--memory"]].concat();
            let small = [arguments, &kept, &[&memory]].concat();
            folder.refused(&small, 1, &["memory budget", "allowed: at least"]);
            let answer = folder.terralume(&small).err;
            let least = answer.trim().rsplit(' ').nth(1).unwrap();
            let enough = format!("{least}M");
            let held = peak(&folder, &[arguments, &kept, &[&enough], &["--quiet"]].concat());
            let least: usize = least.parse().unwrap();
            let said = format!("{arguments:?} {format}: {least} {}", held >> 20);
            assert!(least > budget && held <= (least + 64) << 20, "{said}");
        }
    };
    run(&stack, 66);
    run(&picture, 70);
    // Whole chunks take nothing more.
    let whole = ["calc", formula, "-i", "wide.tif", "--threads", "2", "--memory", "90M"];
    folder.run(&[&whole[..], &["whole.zarr", "--format", "Zarr"]].concat());
}

/// Blocks in which bands stand together are large, and copies of them wait to be compressed.
#[test]
fn blocks_of_many_bands_are_part_of_the_memory() {
    let folder = Folder::with_dem(500);
    folder.gdal(
        "gdal_translate",
        &["-q", "-outsize", "4000", "2000", "-co", "TILED=YES", "dem.tif", "wide.tif"],
    );
    let formula: Vec<String> = (0..30).map(|number| format!("band{number} = X + {number}")).collect();
    let formula = formula.join("; ");
    let stack = ["calc", &formula, "-i", "wide.tif", "out.tif", "--threads", "2", "--overwrite", "--quiet"];
    let least = |more: &[&str]| -> usize {
        let small = folder.terralume(&[&stack[..], more, &["--memory", "50M"]].concat());
        assert!(small.err.contains("memory budget of 50 MiB is too small"), "{}", small.err);
        small.err.trim().rsplit(' ').nth(1).unwrap().parse().unwrap()
    };
    let pixel = ["--co", "INTERLEAVE=PIXEL"];
    let (apart, together) = (least(&[]), least(&pixel));
    assert!(together > apart + 100, "{apart} {together}");
    let enough = format!("{together}M");
    let held = peak(&folder, &[&stack[..], &pixel, &["--memory", &enough]].concat());
    assert!(held <= (together + 64) << 20, "{} of {together}", held >> 20);
}

/// GDAL 3.6 cannot read such a file on several threads, as it does for overviews.
#[test]
fn many_bands_have_overviews() {
    let folder = Folder::new();
    let size = ["-q", "-outsize", "1300", "1100", "-co", "TILED=YES"];
    folder.gdal("gdal_translate", &[&size[..], &[&scene("bgr.tif"), "wide.tif"]].concat());
    let formula = "a = blue; b = green; c = red; d = blue - red";
    let run = |out: &str, more: &[&str]| {
        folder.run(&[&["calc", formula, out, "-i", "wide.tif", "--sensor", "bgr"], more].concat());
    };
    run("plain.tif", &[]);
    for threads in ["1", "4"] {
        run("out.tif", &["--overviews", "--threads", threads, "--overwrite"]);
        assert!(folder.cells("out.tif") == folder.cells("plain.tif"));
        let info = folder.info("out.tif");
        let bands = info["bands"].as_array().unwrap();
        assert_eq!(bands.len(), 4);
        for band in bands {
            let sizes: Vec<_> =
                band["overviews"].as_array().unwrap().iter().map(|level| &level["size"]).collect();
            assert_eq!(sizes, [&serde_json::json!([650, 550]), &serde_json::json!([325, 275])]);
        }
    }
}

/// A block that is compressed for every tile it meets would be written at the end of the file each time.
#[test]
fn small_tiles_swell_no_file() {
    let folder = Folder::new();
    let size = ["-q", "-outsize", "4500", "700", "-r", "bilinear", "-co", "TILED=YES"];
    folder.gdal("gdal_translate", &[&size[..], &[&scene("bgr.tif"), "big.tif"]].concat());
    let bytes = |name: &str| match folder.path(name).is_dir() {
        true => std::fs::read_dir(folder.path(name))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum::<u64>(),
        false => folder.path(name).metadata().unwrap().len(),
    };
    for (out, file, more) in [
        ("out.tif", "out.tif", &[][..]),
        ("out.vrt", "out.tiles", &["--format", "VRT"]),
        ("out.tif", "out.tif", &["--co", "INTERLEAVE=PIXEL"]),
        ("out.tif", "out.tif", &["--co", "TILED=NO"]),
        ("out.tif", "out.tif", &["--co", "TILED=NO", "--co", "BLOCKYSIZE=50"]),
        ("out.tif", "out.tif", &["--co", "BLOCKXSIZE=1024", "--co", "BLOCKYSIZE=256"]),
    ] {
        let mut whole = None;
        for side in ["512", "64", "300", "700"] {
            // A run as large as its users' would fill GDAL's cache.
            let arguments = ["calc", FORMULA, out, "-i", "big.tif", "--sensor", "bgr", "--tile-size", side];
            let arguments = [&arguments[..], &["--overwrite"], more].concat();
            let answer = folder.command(PROGRAM, &arguments).env("GDAL_CACHEMAX", "1").output().unwrap();
            assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
            let (cells, size) = (folder.cells(out), bytes(file));
            let (first_cells, first_size) = whole.get_or_insert_with(|| (cells.clone(), size));
            assert!(cells == *first_cells, "{more:?}: tiles of {side}");
            let share = size as f64 / *first_size as f64;
            assert!((0.95..1.05).contains(&share), "{more:?}: tiles of {side} give {share} of {first_size}");
        }
    }
}

#[test]
fn names_of_outputs_are_told_apart() {
    let folder = Folder::with_dem(60);
    for (formula, name) in
        [("X", "scene.v1"), ("X * 2", "scene.v2"), ("X * 3", "scene.VRT"), ("X * 4", "scene")]
    {
        let plain = format!("{name}.tif");
        folder.run(&["calc", formula, "-i", "dem.tif", &plain]);
        // The last one would share a folder with the one before.
        if name != "scene" {
            folder.run(&["calc", formula, "-i", "dem.tif", name, "--format", "VRT"]);
        }
    }
    for name in ["scene.v1", "scene.v2", "scene.VRT"] {
        assert!(folder.cells(name) == folder.cells(&format!("{name}.tif")), "{name}");
    }
    assert!(folder.path("scene.v1.tiles").is_dir() && folder.path("scene.tiles").is_dir());
    folder.refused(
        &["calc", "X", "-i", "dem.tif", "scene", "--format", "VRT"],
        1,
        &["scene.tiles' exists; allowed: a new name"],
    );
    folder.refused(
        &["calc", "X", "-i", "scene.v1.tiles/row0_col0.tif", "scene.v1", "--format", "VRT", "--overwrite"],
        1,
        &["would replace the input"],
    );
    // Coordinates are arrays called X and Y.
    for (name, formula) in [("X.zarr", "X * 2"), ("Y", "a = X; b = X * 2")] {
        folder.run(&["calc", formula, "-i", "dem.tif", name, "--format", "Zarr"]);
    }
    folder.run(&["calc", "X * 2", "-i", "dem.tif", "twice.tif"]);
    assert!(folder.cells("X.zarr") == folder.cells("twice.tif"));
    let second = format!("ZARR:\"{}\":/data_band2", folder.path("Y").display());
    assert!(folder.cells(&second) == folder.cells("twice.tif"));
    for format in ["GTiff", "COG", "VRT"] {
        folder.refused(
            &["calc", "X", "-i", "dem.tif", "newname/", "--format", format],
            1,
            &["output 'newname/' is a directory name; allowed: a file name"],
        );
    }
}

/// Overviews of classes hold classes.
#[test]
fn overviews_are_made_as_asked_for() {
    let folder = Folder::new();
    // One cell of every four is of the other class, and not always the same one.
    let corner = |at: usize| at.is_multiple_of(4) || at % 4 == 3;
    let cell = |row: usize, col: usize| if corner(row) && corner(col) { 9.0 } else { 1.0 };
    let rows: Vec<Vec<f64>> = (0..600).map(|row| (0..1200).map(|col| cell(row, col)).collect()).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    raster(&folder, "classes.tif", &rows, &["-ot", "Byte", "-co", "TILED=YES"]);
    let overview = |more: &[&str]| {
        let arguments = ["calc", "X", "out.tif", "-i", "classes.tif", "--type", "uint8", "--overwrite"];
        folder.run(&[&arguments[..], more].concat());
        folder.gdal("gdal_translate", &["-q", "-of", "ENVI", "-oo", "OVERVIEW_LEVEL=0", "out.tif", "level"]);
        let mut cells = folder.read("level");
        cells.sort_unstable();
        cells.dedup();
        cells
    };
    for format in [&["--overviews"][..], &["--format", "COG"]] {
        let with = |resampling: &str| overview(&[format, &["--overview-resampling", resampling]].concat());
        assert_eq!(with("mode"), [1], "{format:?}");
        assert_eq!(with("nearest"), [1, 9], "{format:?}");
        assert_eq!(with("average"), [3], "{format:?}");
        assert_eq!(overview(format), [3], "{format:?}");
    }
    // GDAL's own option goes before.
    for option in ["OVERVIEW_RESAMPLING=NEAREST", "RESAMPLING=NEAREST"] {
        assert_eq!(overview(&["--format", "COG", "--co", option]), [1, 9], "{option}");
    }
    folder.refused(
        &["calc", "X", "out.tif", "-i", "classes.tif", "--overviews", "--overview-resampling", "cubic"],
        2,
        &["overview-resampling = 'cubic' is not allowed; allowed: average, nearest, mode"],
    );
}

#[test]
fn nodata_of_whole_numbers_of_64_bits() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[1.0, 2.0, 250.0]], &["-ot", "Int16"]);
    let said = |name: &str| folder.gdal("gdalinfo", &[name]);
    const FIRST_CELL: &str =
        "import sys; from osgeo import gdal; print(gdal.Open(sys.argv[1]).ReadRaster(0, 0, 1, 1).hex())";
    for (name, usual, bytes) in [
        ("int64", i64::MIN.to_string(), "0000000000000080"),
        ("uint64", u64::MAX.to_string(), "ffffffffffffffff"),
    ] {
        let run = |out: &str, more: &[&str]| {
            let calc = ["calc", "1 / (X - 1)", "-i", "x.tif", "--type", name, "--overwrite", out];
            folder.run(&[&calc[..], more].concat());
        };
        for (out, format) in
            [("out.tif", "GTiff"), ("cog.tif", "COG"), ("out.vrt", "VRT"), ("out.zarr", "Zarr")]
        {
            run(out, &["--format", format]);
            let line = format!("NoData Value={usual}\n");
            assert!(said(out).contains(&line), "{name} {format}: {}", said(out));
            // Most formats of plain cells have none of 64 bits.
            let first = folder.gdal("/usr/bin/python3", &["-c", FIRST_CELL, out]);
            assert_eq!(first.trim(), bytes, "{name} {format}");
        }
        run("out.tif", &["--dst-nodata", "7"]);
        assert!(said("out.tif").contains("NoData Value=7\n"), "{}", said("out.tif"));
    }
}

#[test]
fn a_type_that_this_gdal_does_not_have() {
    let folder = Folder::with_dem(40);
    let version = folder.gdal("gdalinfo", &["--version"]);
    let release = version.trim_start_matches("GDAL ").split([',', 'd']).next().unwrap().to_string();
    let minor: usize = release.split('.').nth(1).unwrap().parse().unwrap();
    for format in ["GTiff", "COG", "VRT", "Zarr"] {
        let arguments = ["calc", "X", "-i", "dem.tif", "out", "--type", "int8", "--format", format];
        if minor >= 7 {
            folder.run(&[&arguments[..], &["--overwrite"]].concat());
        } else {
            let words = format!("type int8 needs GDAL 3.7, this is {release}; allowed: uint8, uint16, int16");
            folder.refused(&arguments, 2, &[&words]);
        }
    }
}
