//! Pictures as files in GDAL: plain programs read `/vsiterralume/RECIPE/DEM` with nothing set but `GDAL_DRIVER_PATH`.

mod common;

use common::files::{data, path_text};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;
use terralume::{recipe, registry};

/// A folder with the plugin and an elevation model that is large enough for overviews.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = std::env::current_exe().unwrap().parent().unwrap().join("libterralume.so");
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        std::os::unix::fs::symlink(library, folder.path().join("plugins/gdal_terralume.so")).unwrap();
        let place = Self { folder };
        place.gdal(
            "gdal_translate",
            &["-q", "-srcwin", "100", "90", "701", "635", path_text(&data("TM1_564_146.tif")), "dem.tif"],
        );
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("GDAL_DRIVER_PATH", self.path("plugins"));
        command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// Runs a program that must succeed without a word of complaint.
    fn gdal(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program, arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{program} {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn terralume(&self, arguments: &[&str]) {
        self.gdal(env!("CARGO_BIN_EXE_terralume"), &[arguments, &["--quiet", "--overwrite"]].concat());
    }

    fn info(&self, name: &str, more: &[&str]) -> Value {
        let text = self.gdal("gdalinfo", &[&["-json"], more, &[name]].concat());
        serde_json::from_str(&text.replace(":NaN", ":\"NaN\"").replace(": NaN", ": \"NaN\"")).unwrap()
    }

    /// All cells, by a program that sees nothing but a file.
    fn cells(&self, name: &str, arguments: &[&str]) -> Vec<u8> {
        let fixed = ["-q", "-of", "ENVI", "-co", "INTERLEAVE=BSQ"];
        self.gdal("gdal_translate", &[&fixed[..], arguments, &[name, "cells.bin"]].concat());
        std::fs::read(self.path("cells.bin")).unwrap()
    }
}

fn virtual_name(recipe: &str) -> String {
    format!("/vsiterralume/{recipe}/dem.tif")
}

#[test]
fn every_operation_and_preset_has_the_bits_of_a_file() {
    let place = Place::new();
    let operations = registry::operations().iter().map(|operation| ("visualize", operation.id.to_string()));
    let presets = recipe::preset_names().map(|name| ("render", name.to_string()));
    for (command, name) in operations.chain(presets) {
        for (more, key) in [(&[][..], ""), (&["--type", "uint8"][..], ",type=uint8")] {
            place.terralume(&[&[command, &name, "dem.tif", "file.tif"], more].concat());
            let (file, shown) =
                (place.cells("file.tif", &[]), place.cells(&virtual_name(&format!("{name}{key}")), &[]));
            assert!(file == shown, "{name} {key}");
        }
    }
}

#[test]
fn parameters_options_and_files_are_read_from_the_name() {
    let place = Place::new();
    std::fs::write(
        place.path("own.json"),
        r#"{"terralume_recipe": 1, "layers": [{"operation": "svf", "min": 0.6, "max": 1, "mode": "multiply"},
            {"operation": "slope", "stretch": "percent:2,5", "color_map": "OrRd"}]}"#,
    )
    .unwrap();
    let full = format!("{}/dem.tif", place.folder.path().display());
    let recipe = format!("{}/own.json", place.folder.path().display());
    for (arguments, name) in [
        (
            vec!["visualize", "svf", "-p", "radius=17", "-p", "noise=low"],
            "svf,radius=17,noise=low/dem.tif".to_string(),
        ),
        (
            vec!["visualize", "slope", "--type", "uint8", "--stretch", "3,40"],
            format!("slope,type=uint8,stretch=3,40/{full}"),
        ),
        (
            vec!["visualize", "slope", "--type", "uint8", "--stretch", "percent:3,4"],
            "slope,type=uint8,stretch=percent:3,4/dem.tif".into(),
        ),
        (
            vec!["render", "vat", "--terrain", "flat", "-p", "slope.opacity=20"],
            "vat,terrain=flat,slope.opacity=20/dem.tif".into(),
        ),
        (
            vec!["render", "crim", "--type", "uint8", "--alpha", "--compat", "rvt"],
            "crim,type=uint8,alpha=true,compat=rvt/dem.tif".into(),
        ),
        (
            vec!["visualize", "sky_illumination", "--compat", "rvt"],
            "sky_illumination,compat=rvt/dem.tif".into(),
        ),
        (vec!["render", &recipe], format!("{{{recipe}}}/dem.tif")),
    ] {
        place.terralume(&[&arguments[..2], &["dem.tif", "file.tif"], &arguments[2..]].concat());
        let shown = place.cells(&format!("/vsiterralume/{name}"), &[]);
        assert!(place.cells("file.tif", &[]) == shown, "{name}");
    }
}

/// Rasters of layers: one on the grid of the elevations, one that is brought there.
#[test]
fn other_rasters_are_shown_as_in_a_file() {
    let place = Place::new();
    place.gdal(
        "gdal_translate",
        &["-q", "-ot", "Byte", "-scale", "200", "400", "0", "255", "dem.tif", "same.tif"],
    );
    let turned = ["-q", "-t_srs", "EPSG:32632", "-tr", "1.3", "1.3", "same.tif", "turned.tif"];
    place.gdal("gdalwarp", &turned);
    let text = r#"{"terralume_recipe": 1, "layers": [
        {"raster": "turned.tif", "stretch": "0,255", "mode": "multiply", "opacity": 60},
        {"operation": "slope", "mask": {"raster": "same.tif", "stretch": "percent:5,5"}},
        {"operation": "hillshade"}]}"#;
    std::fs::write(place.path("own.json"), text).unwrap();
    let recipe = path_text(&place.path("own.json")).to_string();
    place.terralume(&["render", &recipe, "dem.tif", "file.tif"]);
    let name = virtual_name(&format!("{{{recipe}}}"));
    assert!(place.cells("file.tif", &[]) == place.cells(&name, &[]));
    assert!(place.cells(&name, &["-ovr", "0"]).len() > 350 * 310 * 4);
}

#[test]
fn windows_threads_and_warps_give_the_same_cells() {
    let place = Place::new();
    let name = virtual_name("svf,radius=20");
    place.terralume(&["visualize", "svf", "dem.tif", "file.tif", "-p", "radius=20"]);
    for window in [
        ["0", "0", "1", "1"],
        ["700", "634", "1", "1"],
        ["511", "511", "3", "2"],
        ["0", "300", "701", "1"],
        ["13", "7", "640", "600"],
    ] {
        let window = [&["-srcwin"], &window[..]].concat();
        assert!(place.cells("file.tif", &window) == place.cells(&name, &window), "{window:?}");
    }
    for threads in ["1", "4", "ALL_CPUS"] {
        let shown = place.cells(&name, &["--config", "GDAL_NUM_THREADS", threads]);
        assert!(place.cells("file.tif", &[]) == shown, "{threads}");
    }
    let warp = [
        "-q",
        "-overwrite",
        "-multi",
        "-wo",
        "NUM_THREADS=4",
        "-r",
        "near",
        "-te",
        "564200",
        "146300",
        "564500",
        "146600",
        "-tr",
        "1",
        "1",
    ];
    place.gdal("gdalwarp", &[&warp[..], &["-ot", "Float32", &name, "a.tif"]].concat());
    place.gdal("gdalwarp", &[&warp[..], &["-ot", "Float32", "file.tif", "b.tif"]].concat());
    assert!(place.cells("a.tif", &[]) == place.cells("b.tif", &[]));
    // Identify: one cell.
    let value = |name: &str| place.gdal("gdallocationinfo", &["-valonly", name, "333", "222"]);
    assert_eq!(value(&name), value("file.tif"));
}

#[test]
fn the_file_says_what_a_file_says() {
    let place = Place::new();
    for (command, name, more, key) in [
        ("visualize", "slope", &[][..], ""),
        ("visualize", "slope", &["--type", "uint8"], ",type=uint8"),
        ("render", "crim", &["--type", "uint8", "--alpha"], ",type=uint8,alpha=true"),
        ("visualize", "multi_hillshade", &[], ""),
    ] {
        place.terralume(&[&[command, name, "dem.tif", "file.tif"], more].concat());
        let (file, shown) =
            (place.info("file.tif", &[]), place.info(&virtual_name(&format!("{name}{key}")), &[]));
        for part in ["size", "geoTransform", "coordinateSystem", "cornerCoordinates"] {
            assert_eq!(file[part], shown[part], "{name}: {part}");
        }
        assert_eq!(file["metadata"][""], shown["metadata"][""], "{name}");
        let bands = |info: &Value| {
            let band = |band: &Value| {
                ["type", "description", "unit", "noDataValue", "colorInterpretation"]
                    .map(|key| band[key].clone())
            };
            info["bands"].as_array().unwrap().iter().map(band).collect::<Vec<_>>()
        };
        assert_eq!(bands(&file), bands(&shown), "{name}");
        let overviews = shown["bands"][0]["overviews"].as_array().unwrap().len();
        assert_eq!(overviews, 2, "{name}: 701 cells, halves of 351 and 176");
    }
    let stats = place.info(&virtual_name("slope"), &["-stats", "--config", "GDAL_PAM_ENABLED", "NO"]);
    assert!(stats["bands"][0]["mean"].as_f64().unwrap() > 1.0, "{stats}");
    assert!(!place.path("dem.tif.aux.xml").exists(), "statistics of a picture are none of the elevations");
}

/// As the overview says that they are of; nothing when they are not wanted.
#[test]
fn the_file_says_its_statistics() {
    let place = Place::new();
    let stated = |name: &str| place.info(name, &[])["bands"][0]["metadata"][""].clone();
    let stated_svf = stated(&virtual_name("svf"));
    assert_eq!(stated_svf["STATISTICS_APPROXIMATE"], "YES");
    // The overview as a raster of its own, which GDAL counts.
    place.gdal("gdal_translate", &["-q", "-ovr", "0", &virtual_name("svf"), "half.tif"]);
    let counted = place.info("half.tif", &["-stats"])["bands"][0]["metadata"][""].clone();
    for key in ["MINIMUM", "MAXIMUM", "MEAN", "STDDEV", "VALID_PERCENT"] {
        let key = format!("STATISTICS_{key}");
        let number = |value: &Value| value[&key].as_str().unwrap().parse::<f64>().unwrap();
        let (stated, counted) = (number(&stated_svf), number(&counted));
        assert!((stated - counted).abs() < 1e-6, "{key}: {stated} {counted}");
    }
    assert!(stated(&virtual_name("svf,statistics=false"))["STATISTICS_MEAN"].is_null());
    assert!(
        stated(&virtual_name("vat,type=uint8"))["STATISTICS_MAXIMUM"]
            .as_str()
            .unwrap()
            .parse::<f64>()
            .unwrap()
            > 200.0
    );
}

/// Halves of a raster by plain loops: means of what is there.
fn halved(cells: &[f32], rows: usize, cols: usize) -> (Vec<f32>, usize, usize) {
    let (down, across) = (rows.div_ceil(2), cols.div_ceil(2));
    let cell = |row: usize, col: usize| {
        let at = |row: usize, col: usize| match row < rows && col < cols {
            true => cells[row * cols + col],
            false => f32::NAN,
        };
        let four = [
            at(2 * row, 2 * col),
            at(2 * row, 2 * col + 1),
            at(2 * row + 1, 2 * col),
            at(2 * row + 1, 2 * col + 1),
        ];
        let [a, b, c, d] = four.map(|cell| if cell.is_nan() { 0.0 } else { cell });
        ((a + b) + (c + d)) / four.iter().filter(|cell| !cell.is_nan()).count() as f32
    };
    ((0..down * across).map(|place| cell(place / across, place % across)).collect(), down, across)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// An overview is the picture of the elevations at its scale, with radii in as many cells fewer.
#[test]
fn overviews_are_pictures_of_coarser_elevations() {
    let place = Place::new();
    let elevations = floats(&place.cells("dem.tif", &["-ot", "Float32"]));
    let (half, rows, cols) = halved(&elevations, 635, 701);
    std::fs::write(
        place.path("half.bin"),
        half.iter().flat_map(|cell| cell.to_le_bytes()).collect::<Vec<u8>>(),
    )
    .unwrap();
    std::fs::write(
        place.path("half.hdr"),
        format!("ENVI\nsamples = {cols}\nlines = {rows}\nbands = 1\nheader offset = 0\nfile type = ENVI Standard\ndata type = 4\n\
                 interleave = bsq\nbyte order = 0\nmap info = {{Arbitrary, 1, 1, 0, 1000, 2, 2}}\n"),
    )
    .unwrap();
    for (name, key, changes) in
        [("slope", "", ""), ("svf", ",radius=10", "radius=5"), ("svf", ",radius=12m", "radius=6")]
    {
        let level = place.cells(&virtual_name(&format!("{name}{key}")), &["-oo", "OVERVIEW_LEVEL=0"]);
        let changed: Vec<&str> = if changes.is_empty() { vec![] } else { vec!["-p", changes] };
        place.terralume(&[&["visualize", name, "half.bin", "coarse.tif"], &changed[..]].concat());
        assert!(
            floats(&level).len() == rows * cols && level == place.cells("coarse.tif", &[]),
            "{name}{key}"
        );
    }
    // Zoomed out, GDAL takes the overview.
    let small = place.cells(&virtual_name("slope"), &["-outsize", &cols.to_string(), &rows.to_string()]);
    let level = place.cells(&virtual_name("slope"), &["-oo", "OVERVIEW_LEVEL=0"]);
    assert!(small == level);
    // Overviews that the elevations have are used: here they are of nonsense.
    place.gdal("gdal_translate", &["-q", "dem.tif", "own.tif"]);
    place.gdal("gdaladdo", &["-q", "-r", "nearest", "own.tif", "2"]);
    let own = place.cells("/vsiterralume/slope/own.tif", &["-oo", "OVERVIEW_LEVEL=0"]);
    assert!(own != level && own.len() == level.len());
}

#[test]
fn a_changed_raster_is_noticed() {
    let place = Place::new();
    let script = r#"
import os, shutil, sys
from osgeo import gdal
gdal.UseExceptions()
name = "/vsiterralume/slope/dem.tif"
before = gdal.Open(name).ReadAsArray(100, 100, 50, 50)
shutil.copyfile("dem.tif", "copy.tif")
data = gdal.Open("copy.tif", gdal.GA_Update)
band = data.GetRasterBand(1)
band.WriteArray(band.ReadAsArray() * 2)
data = band = None
os.replace("copy.tif", "dem.tif")
after = gdal.Open(name).ReadAsArray(100, 100, 50, 50)
assert (before != after).any(), "the old picture"
"#;
    python(&place, script, &[]);
}

fn python(place: &Place, script: &str, arguments: &[&str]) -> String {
    place.gdal("/usr/bin/python3", &[&["-c", script], arguments].concat())
}

#[test]
fn osgeo_reads_from_threads() {
    let place = Place::new();
    place.terralume(&["visualize", "svf", "dem.tif", "file.tif"]);
    let script = r#"
import concurrent.futures as futures
import numpy
from osgeo import gdal
gdal.UseExceptions()
name, whole = "/vsiterralume/svf/dem.tif", gdal.Open("file.tif").ReadAsArray()
def part(number):
    col, row = 37 * number % 600, 91 * number % 500
    cells = gdal.Open(name).ReadAsArray(col, row, 90, 80)
    return numpy.array_equal(cells, whole[row:row + 80, col:col + 90], equal_nan=True)
with futures.ThreadPoolExecutor(8) as pool:
    assert all(pool.map(part, range(64)))
band = gdal.Open("/vsiterralume/multi_hillshade,form=rgb/dem.tif")
red = band.GetRasterBand(1).ReadAsArray()
assert numpy.array_equal(band.ReadAsArray()[0], red, equal_nan=True)
"#;
    python(&place, script, &[]);
}

/// No threads of Python's here: a fork while one of them ends takes over a lock of PROJ's that nobody opens any more.
#[test]
fn a_forked_child_reads_for_itself() {
    let place = Place::new();
    place.terralume(&["visualize", "svf", "dem.tif", "file.tif"]);
    let script = r#"
import os
import numpy
from osgeo import gdal
gdal.UseExceptions()
name, whole = "/vsiterralume/svf/dem.tif", gdal.Open("file.tif").ReadAsArray()
kept = gdal.Open(name)
def part(number):
    col, row = 37 * number % 600, 91 * number % 500
    cells = gdal.Open(name).ReadAsArray(col, row, 90, 80)
    return numpy.array_equal(cells, whole[row:row + 80, col:col + 90], equal_nan=True)
assert part(7)
child = os.fork()
if child == 0:
    os._exit(0 if part(3) and part(11) else 1)
assert os.waitpid(child, 0)[1] == 0, "the child read something else"
assert part(5)
"#;
    python(&place, script, &[]);
}

/// Servers open the same pictures for days.
#[test]
fn opening_again_and_again_takes_no_memory() {
    let place = Place::new();
    let script = r#"
from osgeo import gdal
gdal.UseExceptions()
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4
def look(count):
    for number in range(count):
        gdal.Open("/vsiterralume/slope/dem.tif").ReadAsArray(number % 600, 5, 3, 3)
# Every tile once.
look(700)
sizes = []
for _ in range(4):
    look(3500)
    sizes.append(resident())
# What is kept differs by some tiles, and an allocator takes a step now and then; what is lost is lost every time: a KiB
# for every opening would be 3,500 between any two.
growth = [after - before for before, after in zip(sizes, sizes[1:])]
assert min(growth) < 1500, sizes
"#;
    python(&place, script, &[]);
}

#[test]
fn what_is_wrong_is_one_error_and_no_picture() {
    let place = Place::new();
    let refused = |name: &str, words: &[&str]| {
        let output = place.command("gdal_translate", &["-q", name, "out.tif"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{name}: {said}");
        assert_eq!(said.matches("terralume: ").count(), 1, "{name}: {said}");
        assert_eq!(said.matches("ERROR").count(), 1, "{name}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{name}: {words:?} in {said}");
        assert!(!place.path("out.tif").exists(), "{name}");
    };
    refused("/vsiterralume/slop/dem.tif", &["'slop'; allowed: slope"]);
    refused("/vsiterralume/slope/missing.tif", &["cannot open 'missing.tif'"]);
    refused("/vsiterralume/svf,radius=0/dem.tif", &["radius = '0' is not allowed"]);
    refused("/vsiterralume/svf,directions=many/dem.tif", &["directions = 'many'", "1 to 360"]);
    refused("/vsiterralume/slope,band=2/dem.tif", &["has no band 2"]);
    refused("/vsiterralume/svf,radius=1000/dem.tif", &["too small for a radius of 1000"]);
    refused("/vsiterralume/slope,overwrite=true/dem.tif", &["unknown key 'overwrite'"]);
    refused("/vsiterralume/slope", &["allowed: RECIPE/DEM"]);
    refused("/vsiterralume/{/no/such.json}/dem.tif", &["'/no/such.json'"]);
    // Nothing can be written there.
    let output = place.command("gdal_translate", &["-q", "dem.tif", "/vsiterralume/slope/new.tif"]);
    assert!(!output.status.success() && !place.path("new.tif").exists());
    // A tile that needs as much memory as a job.
    place.gdal(
        "gdal_translate",
        &[
            "-q",
            "-outsize",
            "9000",
            "9000",
            "-a_ullr",
            "0",
            "9000",
            "9000",
            "0",
            "dem.tif",
            "large.vrt",
            "-of",
            "VRT",
        ],
    );
    refused(
        "/vsiterralume/dme,radius=2500,fill=idw,fill.radius=1000/large.vrt",
        &["allowed on the fly", "write a file"],
    );
}

/// A hostile name must neither crash nor reach files that it does not name.
/// Kernels, the filling of gaps, and surveys of the whole raster; each would take seconds or more.
#[test]
fn what_takes_long_is_refused() {
    let place = Place::new();
    let hole = "import sys\nfrom osgeo import gdal\nd = gdal.Open('dem.tif', 1)\nb = d.GetRasterBand(1)\n\
                b.SetNoDataValue(-1)\nb.WriteRaster(100, 100, 500, 400, b'\\0\\0\\x80\\xbf' * 200000)";
    place.gdal("gdal_translate", &["-q", "dem.tif", "holes.tif"]);
    python(&place, &hole.replace("dem.tif", "holes.tif"), &[]);
    let huge = "-q -outsize 60000 60000 -ot Float32 -bands 1 -co TILED=YES -co SPARSE_OK=TRUE \
                -a_srs EPSG:32633 -a_ullr 0 60000 60000 0 huge.tif";
    place.gdal("gdal_create", &huge.split_whitespace().collect::<Vec<_>>());
    for name in [
        // Every cell of the raster counts for its small overviews.
        "/vsiterralume/slope/huge.tif",
        "/vsiterralume/svf,radius=500,directions=360/dem.tif",
        "/vsiterralume/slope,fill=idw,fill.radius=600/holes.tif",
        "/vsiterralume/svf,radius=300,directions=360,type=uint8,stretch=percent:2,2/dem.tif",
    ] {
        let size: &[&str] = if name.ends_with("huge.tif") { &["-outsize", "10", "10"] } else { &[] };
        let arguments = ["-q", "--config", "TERRALUME_MOST_SECONDS", "0.2", name, "out.tif"];
        let output = place.command("gdal_translate", &[&arguments[..], size].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        let expected = "takes too long; allowed on the fly: 0.2 s, TERRALUME_MOST_SECONDS changes that";
        assert!(!output.status.success() && said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn broken_names_are_refused() {
    let place = Place::new();
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let seeds = [
        "slope,unit=percent/dem.tif",
        "{vat,slope.opacity=3}/dem.tif",
        "crim,type=uint8,stretch=1,2//dem.tif",
    ];
    let mut names = Vec::new();
    for _ in 0..400 {
        let mut name = seeds[next() % seeds.len()].as_bytes().to_vec();
        for _ in 0..1 + next() % 4 {
            let place = next() % name.len();
            match next() % 3 {
                0 => name[place] = b" {},=/.%x9"[next() % 10],
                1 => drop(name.remove(place)),
                _ => name.insert(place, b"{},=/-"[next() % 6]),
            }
        }
        names.push(String::from_utf8(name).unwrap());
    }
    std::fs::write(place.path("names.txt"), names.join("\n")).unwrap();
    let script = r#"
from osgeo import gdal
gdal.DontUseExceptions()
gdal.PushErrorHandler("CPLQuietErrorHandler")
for name in open("names.txt").read().split("\n"):
    data = gdal.Open("/vsiterralume/" + name)
    if data is not None:
        data.ReadAsArray(0, 0, 4, 4)
"#;
    python(&place, script, &[]);
}
