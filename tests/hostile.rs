//! What nobody should have written, read through GDAL: errors, no crash, bounded memory, no file that was not named.

#[path = "pixel_functions/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod files;
#[path = "gdals/support.rs"]
#[allow(dead_code, reason = "every test binary uses its own part")]
mod support;

use files::Place;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use support::script;

/// A small raster bounds what the dearest recipe may cost.
fn place() -> Place {
    let place = Place::with_dem(60);
    place.plain("gdal_translate", &["-q", "-ot", "Byte", "-scale", "dem.tif", "bytes.tif"]);
    place.plain("gdal_translate", &["-q", "-ot", "CFloat32", "dem.tif", "complex.tif"]);
    place
}

/// Reads so many cases of a kind; the one under way is told when the program dies.
fn survives(kind: &str, count: &str) {
    let place = place();
    let arguments = [&script("hostile.py"), kind, count, "/no/secret.tif"];
    let (code, said) = place.fails("/usr/bin/python3", &arguments);
    let last = std::fs::read_to_string(place.path("last.txt")).unwrap_or_default();
    let words: Vec<&str> = said.lines().rev().take(12).collect();
    assert!(code == Some(0), "{kind} at {last}: exit code {code:?}: {words:#?}");
}

#[test]
fn vrt_files_are_read_or_refused() {
    survives("vrt", "800");
}

#[test]
fn names_are_read_or_refused() {
    survives("names", "800");
}

#[test]
fn recipes_are_read_or_refused() {
    survives("recipes", "400");
}

fn mosaic(place: &Place, name: &str, size: (usize, usize), data_type: &str, source: &str) {
    let (cols, rows) = size;
    place.write(
        name,
        &format!(
            r#"<VRTDataset rasterXSize="{cols}" rasterYSize="{rows}"><GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform>
            <VRTRasterBand dataType="{data_type}" band="1"><NoDataValue>0</NoDataValue><SimpleSource>
            <SourceFilename relativeToVRT="0">{source}</SourceFilename><SourceBand>1</SourceBand>
            <SrcRect xOff="0" yOff="0" xSize="60" ySize="60"/><DstRect xOff="0" yOff="0" xSize="60" ySize="60"/>
            </SimpleSource></VRTRasterBand></VRTDataset>"#
        ),
    );
}

fn refused(place: &Place, name: &str, words: &str) {
    let (code, said) = place.fails("gdal_translate", &["-q", "-srcwin", "0", "0", "9", "9", name, "out.tif"]);
    assert!(code == Some(1) && said.contains(words), "{name}: {code:?}: {said}");
}

/// Each of these ran until the stack or the patience was at its end.
#[test]
fn a_picture_of_itself_is_refused() {
    let place = place();
    let settled = "/vsiterralume/slope/own.vrt";
    let surveyed = "/vsiterralume/slope,type=uint8,stretch=percent:2,2/own.vrt";
    for name in [settled, surveyed] {
        mosaic(&place, "own.vrt", (60, 60), "Float32", name);
        refused(&place, name, "a picture is computed from itself");
    }
    mosaic(&place, "a.vrt", (60, 60), "Float32", "/vsiterralume/slope/b.vrt");
    mosaic(&place, "b.vrt", (60, 60), "Float32", "/vsiterralume/svf,radius=3/a.vrt");
    refused(&place, "/vsiterralume/slope/a.vrt", "a picture is computed from itself");
    // As a layer of its own recipe.
    place.write(
        "own.json",
        r#"{"terralume_recipe": 1, "layers": [{"raster": "/vsiterralume/{own.json}/dem.tif", "min": 0, "max": 1}]}"#,
    );
    refused(&place, "/vsiterralume/{own.json}/dem.tif", "terralume: ");
    // A few inside one another are fine, and have the bits of files.
    place.terralume(&["visualize", "slope", "dem.tif", "one.tif"]);
    place.terralume(&["visualize", "svf", "-p", "radius=3", "one.tif", "two.tif"]);
    let twice = "/vsiterralume/svf,radius=3//vsiterralume/slope/dem.tif";
    files::same_bits(&place.floats(twice), &place.floats("two.tif"));
    let many = format!("{}dem.tif", "/vsiterralume/slope/".repeat(10));
    refused(&place, &many, "pictures of pictures of pictures; allowed: 8");
}

#[test]
fn sizes_that_nothing_can_hold_are_refused_or_read_in_little_memory() {
    let place = place();
    let most = i32::MAX as usize;
    let empty = "no elevation in the first 1073741824 cells";
    for (data_type, words) in [("Float32", "too large for a picture; allowed: "), ("Float64", empty)] {
        mosaic(&place, "square.vrt", (most, most), data_type, "dem.tif");
        refused(&place, "/vsiterralume/slope/square.vrt", words);
        mosaic(&place, "million.vrt", (1_000_000, 1_000_000), data_type, "dem.tif");
        let memory = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))";
        let read = format!(
            "{memory}\nfrom osgeo import gdal\ngdal.UseExceptions()\n\
             data = gdal.Open('/vsiterralume/slope/million.vrt')\nassert data.RasterXSize == 1000000\n\
             assert data.ReadRaster(30, 30, 1, 1) == gdal.Open('/vsiterralume/slope/dem.tif').ReadRaster(30, 30, 1, 1)\n\
             data.ReadRaster(999990, 999990, 9, 9)"
        );
        place.plain("/usr/bin/python3", &["-c", &read]);
    }
    // Rows of 17 GB in the 64-bit numbers that elevations are searched in, and nothing to be found there.
    mosaic(&place, "empty.vrt", (most, 100), "Float64", "missing.tif");
    let text = std::fs::read_to_string(place.path("empty.vrt")).unwrap();
    let start = text.find("<SimpleSource>").unwrap();
    let end = text.find("</SimpleSource>").unwrap() + "</SimpleSource>".len();
    place.write("empty.vrt", &format!("{}{}", &text[..start], &text[end..]));
    refused(&place, "/vsiterralume/slope/empty.vrt", empty);
}

/// A file that a program opened.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Opened {
    path: PathBuf,
    written: bool,
}

/// Without `.` and `..`, as the system finds it from `folder`.
fn full_path(folder: &Path, path: &str) -> PathBuf {
    let mut full = PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(full.pop()),
            part => full.push(part),
        }
    }
    full
}

/// Every file that a run of a corpus opens, threads and children included; nothing else may be done to files.
fn opened(place: &Place, kind: &str, count: &str, secret: &str) -> BTreeSet<Opened> {
    let calls =
        "trace=open,openat,creat,connect,execve,unlink,unlinkat,rename,renameat,renameat2,truncate,symlink";
    let script = script("hostile.py");
    let strace =
        ["-f", "-qq", "-s", "9000", "-e", calls, "-o", "trace.txt", "/usr/bin/python3", "-B", &script];
    let (code, said) = place.fails("strace", &[&strace[..], &[kind, count, secret]].concat());
    assert!(code == Some(0), "{code:?}: {said}");
    let folder = place.path("").canonicalize().unwrap();
    let trace = std::fs::read(place.path("trace.txt")).unwrap();
    let mut files = BTreeSet::new();
    for line in String::from_utf8_lossy(&trace).lines() {
        let line = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
        let is_start = line.starts_with("execve(\"/usr/bin/python3\"");
        if is_start || line.contains(" = -1 ") || line.contains("O_DIRECTORY") || line.starts_with("+++") {
            continue;
        }
        assert!(line.starts_with("open") || line.starts_with("<... ") || line.starts_with("---"), "{line}");
        if let Some(path) = line.split('"').nth(1) {
            let written = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| line.contains(flag));
            files.insert(Opened { path: full_path(&folder, path), written });
        }
    }
    files
}

#[test]
fn no_file_is_opened_but_those_that_are_named() {
    let outside = tempfile::tempdir().unwrap();
    let place = place();
    let secret = outside.path().join("secret.tif");
    std::fs::copy(place.path("dem.tif"), &secret).unwrap();
    let secret = secret.to_str().unwrap();
    let folder = place.path("").canonicalize().unwrap();
    let usual = opened(&place, "names", "0", secret);
    assert!(usual.iter().any(|file| file.path.ends_with("dem.tif")), "the trace shows what is opened");
    for (kind, count) in [("vrt", "300"), ("names", "300"), ("recipes", "200")] {
        for file in opened(&place, kind, count, secret).difference(&usual) {
            let path = &file.path;
            let inside = path.strip_prefix(&folder).ok();
            // The corpus itself.
            let own = inside.is_some_and(|path| path.starts_with("cases") || path == Path::new("last.txt"));
            let threads = path.starts_with("/sys/fs/cgroup") || path.starts_with("/proc/self");
            assert!(own || !file.written, "{kind}: writes {}", path.display());
            assert!(inside.is_some() || threads, "{kind}: opens {}", path.display());
        }
    }
    let found =
        Command::new("find").arg(place.path("")).args(["-newer", secret, "-type", "f"]).output().unwrap();
    for path in String::from_utf8(found.stdout).unwrap().lines() {
        let expected = ["cases/", "last.txt", "trace.txt"].iter().any(|part| path.contains(part));
        assert!(expected, "{path} is written");
    }
}
