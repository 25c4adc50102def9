//! What programs do with a raster beside reading all of it, done to pictures and to the files they must equal.

#[path = "pixel_functions/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod files;
#[path = "gdals/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod support;

use files::Place;
use serde_json::Value;
use support::{pictures, run, SIDE};

const PLAIN: [&str; 2] = ["--co", "COMPRESS=NONE"];

/// The name of a picture, and the command that writes it as a file.
const WRITTEN: [(&str, &[&str]); 3] = [
    ("slope", &["visualize", "slope"]),
    ("crim,type=uint8,alpha=true", &["render", "crim", "--type", "uint8", "--alpha"]),
    ("svf,radius=20,type=uint8", &["visualize", "svf", "-p", "radius=20", "--type", "uint8"]),
];

fn write(place: &Place, command: &[&str], dem: &str, file: &str) {
    place.terralume(&[&command[..2], &[dem, file, "--overwrite"], &command[2..], &PLAIN].concat());
}

fn virtual_name(recipe: &str) -> String {
    format!("/vsiterralume/{recipe}/dem.tif")
}

fn information(place: &Place, name: &str) -> Vec<Value> {
    let options = ["--config", "GDAL_PAM_ENABLED", "NO", "-json", "-stats", "-checksum"];
    let text = place.plain("gdalinfo", &[&options[..], &[name]].concat());
    let text = text.replace(": NaN", ": \"NaN\"").replace(":NaN", ":\"NaN\"");
    let all: Value = serde_json::from_str(&text).unwrap();
    all["bands"].as_array().unwrap().clone()
}

#[test]
fn statistics_and_checksums_are_those_of_a_file() {
    let place = pictures();
    for (recipe, command) in WRITTEN {
        write(&place, command, "dem.tif", "file.tif");
        let (file, shown) = (information(&place, "file.tif"), information(&place, &virtual_name(recipe)));
        assert_eq!(file.len(), shown.len(), "{recipe}");
        for (file, shown) in file.iter().zip(&shown) {
            assert!(file["checksum"].as_u64().is_some());
            assert_eq!(file["checksum"], shown["checksum"], "{recipe}");
            for key in ["minimum", "maximum"] {
                assert!(file[key].as_f64().is_some());
                assert_eq!(file[key], shown[key], "{recipe}: {key}");
            }
            // Sums are taken block by block, and a file has other blocks.
            for key in ["mean", "stdDev"] {
                let [file, shown] = [file, shown].map(|band| band[key].as_f64().unwrap());
                assert!((file - shown).abs() <= 1e-9 * file.abs(), "{recipe}: {key} {file} {shown}");
            }
            let percent = |band: &Value| band["metadata"][""]["STATISTICS_VALID_PERCENT"].clone();
            assert_eq!(percent(file), percent(shown), "{recipe}");
        }
    }
}

/// Pictures have overviews, and nothing can be written beside them: GDAL says so, as of any file with overviews that it may
/// not write.
#[test]
fn overviews_cannot_be_added_to_a_picture_but_to_a_vrt_of_it() {
    let place = pictures();
    place.plain("gdal_translate", &["-q", "-srcwin", "0", "0", "90", "90", "dem.tif", "small.tif"]);
    for (arguments, said) in [
        (["-ro", "/vsiterralume/slope/dem.tif", "2"], "already internal overviews"),
        (["-q", "/vsiterralume/slope/dem.tif", "2"], "overviews"),
        // So small that it has none: a file beside it would be needed.
        (["-ro", "/vsiterralume/slope/small.tif", "2"], "/vsiterralume/slope/small.tif.ovr"),
    ] {
        let before = information(&place, arguments[1]);
        let (code, error) = place.fails("gdaladdo", &arguments);
        assert!(code != Some(0) && error.contains(said), "{arguments:?}: {error}");
        assert_eq!(error.matches("ERROR").count(), 1, "{arguments:?}: {error}");
        assert_eq!(before, information(&place, arguments[1]), "{arguments:?}");
    }
    assert!(["dem.tif.ovr", "small.tif.ovr"].iter().all(|name| !place.path(name).exists()));
    place.plain("gdal_translate", &["-q", "-of", "VRT", "/vsiterralume/slope/dem.tif", "slope.vrt"]);
    place.plain("gdaladdo", &["-q", "-ro", "-r", "average", "slope.vrt", "2", "4"]);
    let whole = information(&place, "slope.vrt");
    assert_eq!(whole[0]["checksum"], information(&place, "/vsiterralume/slope/dem.tif")[0]["checksum"]);
    assert_eq!(whole[0]["overviews"].as_array().unwrap().len(), 2);
}

#[test]
fn a_warp_by_threads_reads_what_a_file_has() {
    let place = pictures();
    let options = ["-q", "-overwrite", "-multi", "-wo", "NUM_THREADS=4", "--config", "GDAL_NUM_THREADS", "3"];
    for (recipe, command) in WRITTEN {
        write(&place, command, "dem.tif", "file.tif");
        // Finer than the raster, so that both take full resolution; little memory, so that it is done in pieces.
        for (method, memory) in [("near", "500"), ("bilinear", "1"), ("cubic", "1")] {
            let more = ["-t_srs", "EPSG:3857", "-tr", "0.7", "0.7", "-r", method, "-wm", memory];
            for (from, to) in [("file.tif", "a.tif"), (&virtual_name(recipe), "b.tif")] {
                place.plain("gdalwarp", &[&options[..], &more, &[from, to]].concat());
            }
            let [file, shown] = ["a.tif", "b.tif"].map(|name| place.cells_as("Float32", name));
            assert!(file.len() > 8 * SIDE * SIDE && file == shown, "{recipe}, {method}");
        }
    }
}

#[test]
fn requests_of_every_shape_read_what_a_file_has() {
    let place = pictures();
    for (recipe, command) in [
        WRITTEN[1],
        (
            "multi_hillshade,form=rgb,type=uint8",
            &["visualize", "multi_hillshade", "-p", "form=rgb", "--type", "uint8"],
        ),
    ] {
        write(&place, command, "dem.tif", "file.tif");
        run(&place, "interleaved.py", &[&virtual_name(recipe), "file.tif"]);
    }
}

/// The elevations bring their own overviews; what GDAL reads from those is the raster at that scale.
#[test]
fn zoomed_out_reads_are_pictures_of_the_raster_at_that_scale() {
    let place = pictures();
    place.plain("gdaladdo", &["-q", "-r", "average", "dem.tif", "2", "4"]);
    for (level, name) in [("0", "half_dem.tif"), ("1", "quarter_dem.tif")] {
        let option = format!("OVERVIEW_LEVEL={level}");
        place.plain("gdal_translate", &["-q", "-oo", &option, "dem.tif", name]);
    }
    let svf = |radius| ["visualize", "svf", "-p", radius];
    let color = ["visualize", "multi_hillshade", "-p", "form=rgb", "--type", "uint8"];
    for (recipe, half, quarter) in [
        ("slope", &["visualize", "slope"][..], &["visualize", "slope"][..]),
        ("svf,radius=12", &svf("radius=6"), &svf("radius=3")),
        ("multi_hillshade,form=rgb,type=uint8", &color, &color),
    ] {
        write(&place, half, "half_dem.tif", "half.tif");
        write(&place, quarter, "quarter_dem.tif", "quarter.tif");
        let name = virtual_name(recipe);
        run(&place, "resampled.py", &[&name, "half.tif", "quarter.tif"]);
        for (size, file) in [("50%", "half.tif"), ("25%", "quarter.tif")] {
            let shown = place.floats_with(&name, &["-outsize", size, size]);
            files::same_bits(&shown, &place.floats(file));
        }
        let shown = place.floats_with(&name, &["-outsize", "10%", "10%"]);
        files::same_bits(&shown, &place.floats_with("quarter.tif", &["-outsize", "60", "60"]));
    }
}

#[test]
fn one_dataset_serves_many_threads_where_gdal_can() {
    let place = pictures();
    place.plain("gdal_translate", &["-q", "-of", "ENVI", "svf.tif", "svf.expected"]);
    for door in ["rasterio", "pyogrio"] {
        run(&place, "thread_safe.py", &["/vsiterralume/svf,radius=20/dem.tif", "svf.expected", door]);
    }
}

#[test]
fn ten_thousand_opens_take_no_memory_and_no_files() {
    run(&pictures(), "many_opens.py", &[]);
}

/// MapServer draws pictures, and VRT files with pixel functions, as it draws the files they equal.
#[test]
fn mapserver_draws_pictures() {
    let place = pictures();
    place.plain("gdaladdo", &["-q", "-r", "average", "dem.tif", "2"]);
    place.plain("gdal_translate", &["-q", "-oo", "OVERVIEW_LEVEL=0", "dem.tif", "half_dem.tif"]);
    let shade = ["visualize", "hillshade", "--type", "uint8"];
    write(&place, &shade, "dem.tif", "file.tif");
    write(&place, &shade, "half_dem.tif", "half.tif");
    place.plain("gdal_translate", &["-q", "blend.vrt", "blend.tif"]);
    // From the middle of a cell to that of another, as MapServer has it.
    let extent = |name: &str, cell: f64| {
        let text = place.plain("gdalinfo", &["-json", name]).replace("NaN", "\"NaN\"");
        let information: Value = serde_json::from_str(&text).unwrap();
        let corner = |corner: &str, inwards: f64| {
            let place = &information["cornerCoordinates"][corner];
            [0, 1].map(|axis| (place[axis].as_f64().unwrap() + inwards).to_string()).join(" ")
        };
        [corner("lowerLeft", cell / 2.0), corner("upperRight", -cell / 2.0)].join(" ")
    };
    let draw = |data: &str, cell: usize, more: &str| {
        let cells = SIDE / cell;
        place.write(
            "map.map",
            &format!(
                "MAP\nSIZE {cells} {cells}\nEXTENT {}\nOUTPUTFORMAT\nNAME tiff\nDRIVER \"GDAL/GTiff\"\n\
                 IMAGEMODE RGB\nEXTENSION tif\nEND\nIMAGETYPE tiff\nLAYER\nNAME picture\nTYPE RASTER\n\
                 STATUS DEFAULT\nDATA \"{data}\"\n{more}\nEND\nEND\n",
                extent(data, cell as f64)
            ),
        );
        let said = place.plain("map2img", &["-m", "map.map", "-o", "map.tif"]);
        assert!(said.is_empty(), "{said}");
        ["1", "2", "3"].map(|band| place.floats_with("map.tif", &["-b", band])).concat()
    };
    let picture = "/vsiterralume/hillshade,type=uint8/dem.tif";
    let whole = draw(picture, 1, "");
    files::same_bits(&whole, &draw("file.tif", 1, ""));
    // Cell by cell, with the white of an empty map where cells are missing.
    let white = |cell: f32| if cell == 0.0 { 255.0 } else { cell };
    let file: Vec<f32> = place.floats("file.tif").into_iter().map(white).collect();
    files::same_bits(&whole[..SIDE * SIDE], &file);
    let half = draw(picture, 2, "");
    files::same_bits(&half, &draw("half.tif", 2, ""));
    let scale = "PROCESSING \"SCALE=0,1\"";
    let blend = draw("blend.vrt", 1, scale);
    files::same_bits(&blend, &draw("blend.tif", 1, scale));
    let values: std::collections::BTreeSet<u32> = blend.iter().map(|cell| cell.to_bits()).collect();
    assert!(values.len() > 100, "a picture, not a blank: {} values", values.len());
}
