//! What stands beside the cells of a file stands beside those of a result that has the same cells.

use crate::raster;
use crate::support::Folder;

/// `classes.vrt`: numbers of classes with colours, names, a unit and metadata.
fn with_classes() -> Folder {
    let folder = Folder::new();
    let row = |row: usize| (0..1100).map(|col| ((row / 2 + col / 3) % 4) as f64).collect::<Vec<_>>();
    let rows: Vec<Vec<f64>> = (0..600).map(row).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    raster(&folder, "cells.tif", &rows, &["-ot", "Byte"]);
    let band = "<VRTRasterBand dataType=\"Byte\" band=\"1\"><Description>cover</Description>\
        <Metadata><MDI key=\"sensor\">MSI</MDI><MDI key=\"STATISTICS_MAXIMUM\">77</MDI></Metadata>\
        <UnitType>class</UnitType><ColorInterp>Palette</ColorInterp>\
        <CategoryNames><Category>none</Category><Category>water</Category><Category>oak &amp; ash</Category></CategoryNames>\
        <ColorTable><Entry c1=\"0\" c2=\"0\" c3=\"0\" c4=\"255\"/><Entry c1=\"10\" c2=\"20\" c3=\"230\" c4=\"255\"/>\
        <Entry c1=\"30\" c2=\"200\" c3=\"40\" c4=\"255\"/></ColorTable>\
        <SimpleSource><SourceFilename relativeToVRT=\"1\">cells.tif</SourceFilename><SourceBand>1</SourceBand>\
        </SimpleSource></VRTRasterBand>";
    folder.gdal("gdal_translate", &["-q", "-of", "VRT", "cells.tif", "classes.vrt"]);
    let vrt = String::from_utf8(folder.read("classes.vrt")).unwrap();
    let (head, rest) = vrt.split_once("<VRTRasterBand").unwrap();
    let tail = rest.split_once("</VRTRasterBand>").unwrap().1;
    folder.write("classes.vrt", format!("{head}{band}{tail}").as_bytes());
    folder
}

const NAMES: [&str; 2] = ["Categories:", "      2: oak & ash"];
const COLOURS: [&str; 3] = ["ColorInterp=Palette", "    1: 10,20,230,255", "    2: 30,200,40,255"];
const OTHERS: [&str; 3] = ["Description = cover", "    sensor=MSI", "Unit Type: class"];

/// Fails unless all these words are there, or none of them.
fn check(said: &str, words: &[&str], there: bool) {
    for word in words {
        assert_eq!(said.contains(word), there, "'{word}' in\n{said}");
    }
}

#[test]
fn classes_stay_classes() {
    let folder = with_classes();
    let said = |name: &str| folder.gdal("gdalinfo", &["-norat", name]);
    check(&said("classes.vrt"), &[&NAMES[..], &COLOURS, &OTHERS].concat(), true);
    let mask = ["mask", "classes.vrt", "--mask", "X == 3", "--where-masked", "0", "--overwrite"];
    let rescale = ["rescale", "classes.vrt", "--dst-nodata", "9", "--overwrite"];
    for command in [&mask[..], &rescale] {
        for (out, format) in [("out.tif", "GTiff"), ("out.tif", "COG"), ("out.vrt", "VRT")] {
            folder.run(&[command, &[out, "--format", format]].concat());
            let said = said(out);
            check(&said, &[&NAMES[..], &COLOURS, &OTHERS].concat(), true);
            // Those of other cells.
            check(&said, &["STATISTICS_"], false);
        }
        folder.run(&[command, &["out.zarr", "--format", "Zarr"]].concat());
        check(&said("out.zarr"), &["Unit Type: class"], true);
    }
    // A palette is one of whole numbers.
    folder.run(&[&mask[..], &["out.tif", "--type", "float32"]].concat());
    check(&said("out.tif"), &[&NAMES[..], &OTHERS].concat(), true);
    check(&said("out.tif"), &COLOURS, false);
    // Other numbers are no classes.
    for more in [["--scale", "2"], ["--min", "1"]] {
        folder.run(&[&rescale[..], &["out.tif", "--type", "uint8"], &more].concat());
        check(&said("out.tif"), &[&NAMES[..], &COLOURS, &["sensor="]].concat(), false);
    }
}

#[test]
fn overviews_of_classes_are_classes() {
    let folder = with_classes();
    let overview = |more: &[&str]| {
        folder.run(&[&["mask", "classes.vrt", "out.tif", "--mask", "X == 3", "--overwrite"], more].concat());
        folder.gdal("gdal_translate", &["-q", "-of", "ENVI", "-oo", "OVERVIEW_LEVEL=0", "out.tif", "level"]);
        folder.read("level")
    };
    for format in [&["--overviews"][..], &["--format", "COG"]] {
        let with = |more: &[&str]| overview(&[format, more].concat());
        assert!(with(&[]) == with(&["--overview-resampling", "mode"]), "{format:?}");
        assert!(with(&[]) != with(&["--overview-resampling", "nearest"]), "{format:?}");
    }
}

/// Bands of a picture may come in any order, and from several files.
#[test]
fn bands_stay_what_they_are_in_a_picture() {
    let folder = Folder::new();
    let cells: &[&[f64]] = &[&[1.0, 2.0], &[3.0, 40.0]];
    let roles = |name: &str| {
        let bands = folder.info(name)["bands"].clone();
        let role = |band: &serde_json::Value| band["colorInterpretation"].as_str().unwrap().to_string();
        bands.as_array().unwrap().iter().map(role).collect::<Vec<_>>()
    };
    raster(&folder, "one.tif", cells, &["-ot", "UInt16"]);
    let four = ["-b", "1", "-b", "1", "-b", "1", "-b", "1"];
    for (name, wanted) in [("rgb", "red,green,blue,undefined"), ("bgr", "blue,green,red,alpha")] {
        let out = format!("{name}.tif");
        let arguments = ["-q", "-colorinterp", wanted, "one.tif", &out];
        folder.gdal("gdal_translate", &[&four[..], &arguments].concat());
        let was = roles(&out);
        for command in [
            &["mask", "--mask", "X[1] > 30", "--where-masked", "0"][..],
            &["rescale", "--scale", "2", "--type", "uint8"],
        ] {
            for format in ["GTiff", "COG", "VRT"] {
                let (name, options) = command.split_first().unwrap();
                let files = [name, out.as_str(), "out", "--format", format, "--overwrite"];
                folder.run(&[&files[..], options].concat());
                assert_eq!(roles("out"), was, "{command:?} {format}");
            }
        }
    }
    assert_eq!(roles("bgr.tif"), ["Blue", "Green", "Red", "Alpha"]);
    for (band, name) in ["red", "green", "blue"].iter().zip(["r.tif", "g.tif", "b.tif"]) {
        folder.gdal("gdal_translate", &["-q", "-colorinterp", band, "one.tif", name]);
    }
    folder.run(&[
        "mask",
        "-i",
        "r=r.tif",
        "-i",
        "g=g.tif",
        "-i",
        "b=b.tif",
        "-i",
        "m=one.tif",
        "out.tif",
        "--mask",
        "m > 30",
    ]);
    assert_eq!(roles("out.tif"), ["Red", "Green", "Blue"]);
}

/// Cells of all bands, as Python prints them, and the nodata values.
fn cells_and_nodata(folder: &Folder, name: &str) -> String {
    const PRINT: &str = "import sys; from osgeo import gdal; raster = gdal.Open(sys.argv[1]); \
        bands = [raster.GetRasterBand(band + 1) for band in range(raster.RasterCount)]; \
        print([band.ReadAsArray().ravel().tolist() for band in bands], [band.GetNoDataValue() for band in bands])";
    folder.gdal("/usr/bin/python3", &["-W", "ignore", "-c", PRINT, name]).trim().to_string()
}

/// Transparent cells are transparent, and opaque ones stay what they are: no code takes 255 away from alpha or from white.
#[test]
fn alpha_says_which_cells_of_a_picture_are_there() {
    let folder = Folder::new();
    for (name, row) in [
        ("r.tif", [10.0, 20.0, 255.0, 0.0, 7.0]),
        ("g.tif", [10.0, 20.0, 255.0, 0.0, 0.0]),
        ("b.tif", [10.0, 20.0, 255.0, 0.0, 0.0]),
        ("a.tif", [255.0, 255.0, 255.0, 255.0, 0.0]),
    ] {
        raster(&folder, name, &[&row], &["-ot", "Byte"]);
    }
    folder.gdal("gdalbuildvrt", &["-q", "-separate", "four.vrt", "r.tif", "g.tif", "b.tif", "a.tif"]);
    let roles = "red,green,blue,alpha";
    folder.gdal("gdal_translate", &["-q", "-colorinterp", roles, "four.vrt", "four.tif"]);
    let run = |arguments: &[&str]| {
        let answer = folder.terralume(&[arguments, &["four.tif", "out.tif", "--overwrite"]].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        assert!(!answer.err.contains("moved"), "{}", answer.err);
        cells_and_nodata(&folder, "out.tif")
    };
    let none = "[None, None, None, None]";
    let masked = "[10, 0, 255, 0, 0], [10, 0, 255, 0, 0], [10, 0, 255, 0, 0], [255, 0, 255, 255, 0]";
    assert_eq!(run(&["mask", "--mask", "X[1] == 20"]), format!("[{masked}] {none}"));
    for format in ["COG", "VRT"] {
        assert_eq!(run(&["mask", "--mask", "X[1] == 20", "--format", format]), format!("[{masked}] {none}"));
    }
    let whole = "[10, 20, 255, 0, 0], [10, 20, 255, 0, 0], [10, 20, 255, 0, 0], [255, 255, 255, 255, 0]";
    assert_eq!(run(&["rescale"]), format!("[{whole}] {none}"));
    let burnt = "[10, 9, 255, 0, 9], [10, 9, 255, 0, 9], [10, 9, 255, 0, 9], [255, 255, 255, 255, 0]";
    assert_eq!(run(&["mask", "--mask", "X[1] == 20", "--where-masked", "9"]), format!("[{burnt}] {none}"));
    let half = "[5, 10, 128, 0, 0], [5, 10, 128, 0, 0], [5, 10, 128, 0, 0], [255, 255, 255, 255, 0]";
    assert_eq!(run(&["rescale", "--scale", "0.5", "--type", "uint8"]), format!("[{half}] {none}"));
    let floats = run(&["rescale", "--scale", "0.5"]);
    assert!(floats.starts_with("[[5.0, 10.0, 127.5, 0.0, nan],"), "{floats}");
    assert!(floats.contains("[255.0, 255.0, 255.0, 255.0, 0.0]] [nan, nan, nan, nan]"), "{floats}");
}

/// Where more than alpha says what is missing, alpha cannot tell it; it stays what it is all the same.
#[test]
fn alpha_and_nodata_values_do_not_mix() {
    let folder = Folder::new();
    for (name, cells) in
        [("v.tif", [20.0, 255.0, 7.0]), ("a.tif", [255.0, 255.0, 0.0]), ("n.tif", [1.0, 20.0, 3.0])]
    {
        raster(&folder, name, &[&cells], &["-ot", "Byte"]);
    }
    let picture = |name: &str, bands: &[&str], roles: &str, more: &[&str]| {
        folder.gdal("gdalbuildvrt", &[&["-q", "-overwrite", "-separate", "p.vrt"], bands].concat());
        folder.gdal("gdal_translate", &[&["-q", "-colorinterp", roles], more, &["p.vrt", name]].concat());
    };
    let rgba = ["v.tif", "v.tif", "v.tif", "a.tif"];
    picture("x_20200101.tif", &rgba, "red,green,blue,alpha", &[]);
    picture("marked.tif", &rgba, "red,green,blue,alpha", &["-a_nodata", "255"]);
    picture("x_20200102.tif", &["v.tif", "v.tif", "v.tif", "n.tif"], "red,green,blue,undefined", &[]);
    let run = |arguments: &[&str]| {
        folder.run(&[arguments, &["--overwrite"]].concat());
        cells_and_nodata(&folder, "out.tif")
    };
    // A value that means nodata is one of each band.
    let coded = run(&["rescale", "x_20200101.tif", "out.tif", "--src-nodata", "20"]);
    assert_eq!(
        coded,
        "[[255, 254, 255], [255, 254, 255], [255, 254, 255], [255, 255, 0]] [255.0, 255.0, 255.0, 255.0]"
    );
    let marked = run(&["rescale", "marked.tif", "out.tif"]);
    assert_eq!(
        marked,
        "[[20, 255, 7], [20, 255, 7], [20, 255, 7], [255, 255, 0]] [255.0, 255.0, 255.0, 255.0]"
    );
    // Each file has its own alpha, or none.
    std::fs::create_dir(folder.path("each")).unwrap();
    let mask = ["mask", "x_*.tif", "each", "--by", "time", "--mask", "X[1] == 20"];
    folder.run(&mask);
    let each = |name: &str| cells_and_nodata(&folder, &format!("each/{name}"));
    assert_eq!(
        each("x_20200101.tif"),
        "[[0, 255, 0], [0, 255, 0], [0, 255, 0], [0, 255, 0]] [None, None, None, None]"
    );
    let other = each("x_20200102.tif");
    assert!(other.starts_with("[[255, 254, 7],") && other.contains("[255, 20, 3]] [255.0,"), "{other}");
    let listed = folder.terralume(&[&mask[..], &["--list"]].concat());
    assert_eq!((listed.code, listed.out.lines().count()), (Some(0), 2), "{}", listed.err);
}

/// What 64-bit floats do not hold stays what it is.
#[test]
fn whole_numbers_of_64_bits_stay_what_they_are() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[5.0, 6.0, 7.0, 8.0, 9.0]], &["-ot", "Int16"]);
    const MAKE: &str = "import struct, sys; from osgeo import gdal; like = gdal.Open('x.tif'); \
        made = gdal.GetDriverByName('GTiff').Create('wide.tif', 5, 1, 1, 13 if sys.argv[1] == 'int64' else 12); \
        made.SetGeoTransform(like.GetGeoTransform()); made.SetProjection(like.GetProjection()); \
        numbers = [5, 2**53 + 1, 2**62 + 3, 2**63 - 1, 2**53]; \
        made.WriteRaster(0, 0, 5, 1, struct.pack('<5q', *numbers))";
    for name in ["int64", "uint64"] {
        folder.gdal("/usr/bin/python3", &["-W", "ignore", "-c", MAKE, name]);
        let cells = |command: &[&str]| {
            let answer = folder.terralume(&[command, &["wide.tif", "out.tif", "--overwrite"]].concat());
            assert_eq!(answer.code, Some(0), "{}", answer.err);
            assert!(!answer.err.contains("beyond the type"), "{}", answer.err);
            cells_and_nodata(&folder, "out.tif")
        };
        let kept = "9007199254740993, 4611686018427387907, 9223372036854775807, 9007199254740992]]";
        let masked = cells(&["mask", "--mask", "X == 5", "--dst-nodata", "7"]);
        assert_eq!(masked, format!("[[7, {kept} [7]"), "{name}");
        let all = cells(&["rescale", "--dst-nodata", "7"]);
        assert_eq!(all, format!("[[5, {kept} [7]"), "{name}");
        let limited = cells(&["rescale", "--dst-nodata", "7", "--max", "1000"]);
        assert!(limited.starts_with("[[5, 1000, 1000, 1000, 1000]]"), "{limited}");
    }
    folder.refused(
        &["mask", "wide.tif", "none.tif", "--mask", "X: values 9007199254740993"],
        2,
        &["is one of several cells; allowed: whole numbers between -2^53 and 2^53"],
    );
}

/// GDAL 3.6 loses both when it makes a Zarr; ours can be stacked again.
#[test]
fn a_zarr_has_the_metadata_and_the_name_of_its_band() {
    let folder = Folder::new();
    raster(
        &folder,
        "plain.tif",
        &[&[1.0, 2.0]],
        &["-mo", "FOO=bar", "-mo", "TIFFTAG_DATETIME=2020:01:02 03:04:05"],
    );
    folder.run(&["calc", "nir = X + 0", "-i", "plain.tif", "named.tif"]);
    folder.run(&["mask", "plain.tif", "out.zarr", "--mask", "X > 1"]);
    let info = folder.info("out.zarr");
    assert_eq!(info["metadata"][""]["FOO"], "bar", "{info}");
    folder.run(&["rescale", "named.tif", "named.zarr"]);
    let listed = folder.terralume(&["reduce", "named.zarr", "x.tif", "--list"]).out;
    assert!(listed.starts_with("  2020-01-02T03:04:05Z  metadata"), "{listed}");
    folder.run(&["calc", "twice = 2 * nir", "-i", "named.zarr", "twice.tif"]);
    assert!(cells_and_nodata(&folder, "twice.tif").starts_with("[[2.0, 4.0]]"));
}
