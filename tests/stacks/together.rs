//! Several files of one run come into their places together, or none of them.

use crate::raster;
use crate::support::{Answer, Folder, PROGRAM};
use std::process::Stdio;
use std::time::Duration;

/// Names in a folder.
fn names(folder: &Folder, name: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path(name)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs the program and does something as soon as it has begun to write into `out`.
fn disturbed(folder: &Folder, arguments: &[&str], disturb: impl FnOnce()) -> Answer {
    let mut command = folder.command(PROGRAM, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = || names(folder, "out").iter().any(|name| name.starts_with(".terralume-"));
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.try_wait().unwrap().is_none(), "the run ended too soon");
    disturb();
    child.wait_with_output().unwrap().into()
}

/// What a run cannot know before it begins: somebody makes a file, or a folder, where one of its files shall stand.
#[test]
fn a_file_that_cannot_be_put_into_its_place_takes_the_others_back() {
    let folder = Folder::with_dem(500);
    folder.gdal(
        "gdal_translate",
        &["-q", "-outsize", "3000", "3000", "-co", "TILED=YES", "dem.tif", "large.tif"],
    );
    std::fs::create_dir(folder.path("out")).unwrap();
    let formula = "a = sqrt(X) + sin(X); b = cos(X); c = X";
    let calc = ["calc", formula, "-i", "large.tif", "out", "--by", "band", "--threads", "1", "--quiet"];
    for (format, ending) in [("GTiff", "tif"), ("Zarr", "zarr"), ("VRT", "vrt")] {
        let calc = [&calc[..], &["--format", format]].concat();
        let own = format!("b.{ending}");
        let answer = disturbed(&folder, &calc, || folder.write(&format!("out/{own}"), b"mine"));
        assert_eq!(answer.code, Some(1), "{format}: {}", answer.err);
        assert!(answer.err.contains("exists; allowed"), "{format}: {}", answer.err);
        assert_eq!(names(&folder, "out"), [own.as_str()], "{format}");
        std::fs::remove_file(folder.path("out").join(own)).unwrap();
    }
    // What the first file has replaced comes back.
    for name in ["a.tif", "a.tif.aux.xml", "b.tif"] {
        folder.write(&format!("out/{name}"), name.as_bytes());
    }
    let answer = disturbed(&folder, &[&calc[..], &["--overwrite"]].concat(), || {
        std::fs::remove_file(folder.path("out/b.tif")).unwrap();
        std::fs::create_dir(folder.path("out/b.tif")).unwrap();
        folder.write("out/b.tif/letter.txt", b"dear");
    });
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert_eq!(names(&folder, "out"), ["a.tif", "a.tif.aux.xml", "b.tif"]);
    for name in ["a.tif", "a.tif.aux.xml"] {
        assert_eq!(folder.read(&format!("out/{name}")), name.as_bytes());
    }
    assert_eq!(folder.read("out/b.tif/letter.txt"), b"dear");
}

/// Dates are written one after another.
#[test]
fn a_date_that_fails_takes_the_others_back() {
    let folder = Folder::new();
    let row: Vec<f64> = (0..400).map(f64::from).collect();
    let rows: Vec<&[f64]> = vec![&row; 300];
    for day in 1..=3 {
        let words = ["-ot", "Float32", "-co", "COMPRESS=DEFLATE", "-co", "TILED=YES"];
        raster(&folder, &format!("x_2018010{day}.tif"), &rows, &words);
    }
    let mut bytes = folder.read("x_20180103.tif");
    let last = bytes.len() - 200;
    bytes.truncate(last);
    folder.write("x_20180103.tif", &bytes);
    for (format, ending) in [("GTiff", "tif"), ("COG", "tif"), ("Zarr", "zarr"), ("VRT", "vrt")] {
        let out = format!("out_{ending}");
        std::fs::create_dir_all(folder.path(&out)).unwrap();
        let calc =
            ["calc", "X * 2", "-i", "x_*.tif", &out, "--by", "time", "--format", format, "--overwrite"];
        folder.refused(&calc, 1, &["cannot read 'x_20180103.tif'"]);
        assert!(names(&folder, &out).is_empty(), "{format}: {:?}", names(&folder, &out));
        let good = ["calc", "X * 2", "-i", "x_*[12].tif", &out, "--by", "time", "--format", format];
        folder.run(&good);
        let first = format!("{out}/x_20180101.{ending}");
        let cells = folder.cells(&first);
        folder.refused(&calc, 1, &["cannot read 'x_20180103.tif'"]);
        assert!(folder.cells(&first) == cells, "{format}");
        std::fs::remove_dir_all(folder.path(&out)).unwrap();
    }
}
