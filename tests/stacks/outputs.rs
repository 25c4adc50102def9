//! Files that are written: types and counts, names, several files, COGs, plans, profiles, and what a kill leaves.

use crate::support::{Folder, PROGRAM};
use crate::{raster, scene, SCENES};
use std::process::Stdio;
use std::time::Duration;

#[test]
fn rounding_saturation_and_codes_are_counted() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[0.5, 1.5, -0.5, 300.0, -7.0, 255.0, 254.4]], &["-ot", "Float32"]);
    let answer = folder.terralume(&["calc", "X", "out.tif", "-i", "x.tif", "--type", "uint8"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    // Halves go away from zero; -0.5 becomes -1, which is limited, as are 300 and -7; 255 is the nodata code.
    assert_eq!(folder.cells("out.tif")[..6], [1, 2, 0, 254, 0, 254]);
    assert!(answer.err.contains("3 cells beyond the type"), "{}", answer.err);
    assert!(answer.err.contains("hit the nodata value: moved by one"), "{}", answer.err);
    assert_eq!(folder.info("out.tif")["bands"][0]["noDataValue"], 255.0);
    folder.refused(
        &["calc", "X", "y.tif", "-i", "x.tif", "--type", "uint8", "--dst-nodata", "-1"],
        2,
        &["-1"],
    );
}

#[test]
fn several_results_are_bands_or_files() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    let formula = "ndgr = nd(green, red); sum = blue + green + red";
    let arguments = ["calc", formula, "-i", &bgr, "--sensor", "bgr"];
    folder.run(&[&arguments[..], &["out.tif"]].concat());
    assert_eq!(crate::band_names(&folder, "out.tif"), ["ndgr", "sum"]);
    std::fs::create_dir(folder.path("bands")).unwrap();
    folder.run(&[&arguments[..], &["bands", "--by", "band"]].concat());
    let separate = [folder.cells("bands/ndgr.tif"), folder.cells("bands/sum.tif")].concat();
    assert!(separate == folder.cells("out.tif"));
    folder.refused(
        &[&arguments[..], &["out.tif", "--by", "band", "--overwrite"]].concat(),
        2,
        &["'out.tif' is no folder"],
    );
}

#[test]
fn a_file_for_each_date_is_that_date() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("dates")).unwrap();
    let files = format!("{SCENES}/l8ny18/*_B4.tif");
    folder.run(&["rescale", &files, "dates", "--by", "time", "--scale", "1e-4"]);
    let names: Vec<_> = std::fs::read_dir(folder.path("dates")).unwrap().collect();
    assert_eq!(names.len(), 19);
    let one = scene("l8ny18/L8_013032_20180405_B4.tif");
    folder.run(&["rescale", &one, "one.tif", "--scale", "1e-4"]);
    assert!(folder.cells("one.tif") == folder.cells("dates/L8_013032_20180405_B4.tif"));
}

#[test]
fn a_cog_is_valid_and_has_the_same_cells() {
    let folder = Folder::with_dem(700);
    let arguments = ["calc", "X * 2", "-i", "dem.tif", "--type", "int16", "--dst-nodata", "-32768"];
    folder.run(&[&arguments[..], &["plain.tif"]].concat());
    for compress in ["DEFLATE", "LZW", "ZSTD"] {
        let option = format!("COMPRESS={compress}");
        folder
            .run(&[&arguments[..], &["cog.tif", "--format", "COG", "--overwrite", "--co", &option]].concat());
        assert!(folder.cells("cog.tif") == folder.cells("plain.tif"), "{compress}");
        let validator = ["-m", "osgeo_utils.samples.validate_cloud_optimized_geotiff", "cog.tif"];
        let said = folder.gdal("/usr/bin/python3", &validator);
        assert!(said.contains("is a valid cloud optimized GeoTIFF"), "{said}");
    }
}

/// A plan may leave the output out, and then no input is taken for it.
#[test]
fn files_of_a_plan_and_of_a_list_are_inputs() {
    let folder = Folder::new();
    let names = ["x_20180101.tif", "x_20180102.tif", "x_20180103.tif"];
    for name in names {
        raster(&folder, name, &[&[1.0, 2.0]], &[]);
    }
    let images = |more: &[&str]| {
        let plan = folder.terralume(&[&["plan", "reduce"], &names[..], more].concat()).out;
        let listed = folder.terralume(&[&["reduce"], &names[..], more, &["--list"]].concat()).out;
        (plan.contains("images   3"), listed.lines().count())
    };
    for more in [&[][..], &["out.tif"]] {
        assert_eq!(images(more), (true, 3), "{more:?}");
    }
    folder.write("old.tif", b"");
    assert_eq!(images(&["old.tif", "--overwrite"]), (true, 3));
}

/// Where there is one band, masks need not name it.
#[test]
fn the_only_band_is_the_one_that_masks_mean() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[1.0, 2.0, 4.0, 8.0]], &["-ot", "UInt16"]);
    let masked = |arguments: &[&str]| {
        let answer = folder.terralume(&[&["mask", "out.tif", "--overwrite"], arguments].concat());
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        answer.err.lines().nth(1).unwrap_or_default().to_string()
    };
    for (text, said) in
        [("bits 1|2", "2 cells masked"), ("values 8", "1 cell masked"), ("range 2..8", "3 cells masked")]
    {
        for input in ["x.tif", "q=x.tif"] {
            assert_eq!(masked(&["-i", input, "--mask", text]), said, "{input} {text}");
        }
    }
    assert_eq!(masked(&["-i", "x.tif", "--mask", "landsat_c2:cloud"]), "1 cell masked");
    folder.gdal("gdal_translate", &["-q", "-b", "1", "-b", "1", "x.tif", "two.tif"]);
    let words = ["which input is meant is not said"];
    folder.refused(&["mask", "two.tif", "none.tif", "--mask", "values 8"], 2, &words);
}

#[test]
fn a_plan_says_what_a_run_does() {
    let folder = Folder::new();
    let files = format!("{SCENES}/s2/*_NDVI.tif");
    let text = folder.terralume(&["plan", "reduce", &files, "--group", "season", "--stat", "mean,count"]).out;
    for words in ["68", "16 x 16 cells", "8 bands", "1.00 times each block is decoded", "(8388608 bytes)"] {
        assert!(text.contains(words), "'{words}' is missing in\n{text}");
    }
    folder.run(&[
        "reduce",
        &files,
        "out.tif",
        "--group",
        "season",
        "--stat",
        "mean,count",
        "--co",
        "COMPRESS=NONE",
    ]);
    assert_eq!(folder.cells("out.tif").len(), 8192);
    // Whole blocks of 512 x 512 cells, 8 of them, and a header.
    let size = std::fs::metadata(folder.path("out.tif")).unwrap().len();
    assert!((8_388_608..8_388_608 * 101 / 100).contains(&size), "{size}");
    folder.refused(
        &["reduce", &files, "x.tif", "--memory", "20M"],
        1,
        &["memory budget of 20 MiB is too small; allowed: at least"],
    );
}

#[test]
fn a_profile_covers_the_time_of_the_threads() {
    let folder = Folder::new();
    let files = format!("{SCENES}/l8ny18/*_B4.tif");
    let more = ["--profile", "trace.json", "--threads", "2", "--tile-size", "16"];
    let answer = folder.terralume(&[&["reduce", &files, "out.tif"], &more[..]].concat());
    assert!(answer.err.contains("thread-seconds"), "{}", answer.err);
    let trace: serde_json::Value = serde_json::from_slice(&folder.read("trace.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    for kind in ["read", "compute", "encode", "write"] {
        assert!(events.iter().any(|event| event["name"] == kind), "{kind}");
    }
    // What chrome://tracing and Perfetto ask of complete events.
    assert_eq!(trace["displayTimeUnit"], "ms");
    let number = |event: &serde_json::Value, key: &str| {
        event[key].as_u64().unwrap_or_else(|| panic!("{key} of {event}"))
    };
    for event in events {
        assert!(event["ph"] == "X" && event["name"].is_string() && event["cat"].is_string(), "{event}");
        assert_eq!(number(event, "pid"), 1);
        assert!(number(event, "tid") < 3, "two workers and the writer: {event}");
    }
    // Spans of a thread follow one another without overlapping, within the run.
    let wall = (trace["otherData"]["wall_seconds"].as_f64().unwrap() * 1e6) as u64;
    for thread in 0..3 {
        let own = events.iter().filter(|event| event["tid"] == thread);
        let (mut last, mut sum) = (0, 0);
        for event in own {
            let start = number(event, "ts");
            // Microseconds are rounded down, of starts and of lengths.
            assert!(start + 1 >= last, "{event}");
            last = start + number(event, "dur");
            sum += number(event, "dur");
        }
        assert!(last <= wall + 1 && sum <= wall, "thread {thread}: {sum} until {last} of {wall}");
    }
    // Every tile is read for each date, computed, encoded and written.
    let tiles = number(&trace["otherData"], "tiles");
    assert!(tiles > 1);
    for tile in 0..tiles {
        let count = |kind: &str| {
            let own = |event: &&serde_json::Value| event["args"]["tile"] == tile && event["name"] == kind;
            events.iter().filter(own).count()
        };
        assert!(count("read") >= 1 && count("compute") >= 1, "tile {tile}");
        assert_eq!((count("encode"), count("write")), (1, 1), "tile {tile}");
    }
}

#[test]
fn a_kill_in_the_middle_leaves_no_output() {
    let folder = Folder::with_dem(500);
    folder.gdal(
        "gdal_translate",
        &["-q", "-outsize", "6000", "6000", "-co", "TILED=YES", "dem.tif", "large.tif"],
    );
    let arguments = ["calc", "sqrt(X) + sin(X)", "out.tif", "-i", "large.tif", "--threads", "1"];
    let mut child = folder.command(PROGRAM, &arguments).stderr(Stdio::null()).spawn().unwrap();
    // Killed as soon as it has begun to write.
    let begun = || folder.snapshot().keys().any(|name| name.starts_with(".terralume-"));
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "the run ended before it was killed");
    assert!(!folder.path("out.tif").exists());
}
