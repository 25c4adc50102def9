//! Stacks as layers of pictures: masks, formulas and reductions run in the same pass as relief, stretches and blends.

use crate::support::{Folder, PROGRAM};
use crate::{doubles, ndvi_inputs, raster, scene, SCENES};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The masked NDVI of the four seasons.
fn seasons() -> Value {
    let input = |band: &str| format!("{SCENES}/l8ny18/*_{band}.tif");
    json!({
        "inputs": {"red": input("B4"), "nir": input("B5"), "qa": input("BQA")}, "nodata": 0,
        "mask": "qa: bits 0|4", "expr": "(nir - red) / (nir + red)", "stat": ["mean"], "group": "season",
    })
}

/// A folder with `dem.tif` on the grid of the scenes: one of their bands taken for elevations.
fn with_dem() -> Folder {
    let folder = Folder::new();
    let band = scene("l8ny18/L8_013032_20180405_B5.tif");
    folder.gdal("gdal_translate", &["-q", "-ot", "Float32", &band, "dem.tif"]);
    folder
}

fn write(folder: &Folder, name: &str, stacks: Value, layers: Value) {
    let recipe = json!({"terralume_recipe": 1, "name": "green", "stacks": stacks, "layers": layers});
    folder.write(name, recipe.to_string().as_bytes());
}

/// Layers that show relief above three seasons as colours; `season` says where the bands come from.
fn layers(season: &dyn Fn(usize, &str) -> Value) -> Value {
    let with = |mut layer: Value, more: Value| {
        layer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        layer
    };
    json!([
        {"operation": "hillshade", "mode": "multiply", "opacity": 60},
        with(season(4, "SON_mean"), json!({
            "stretch": "percent:5,5", "color_map": "viridis", "mode": "overlay", "opacity": 40,
            "mask": with(season(2, "MAM_mean"), json!({"name": "spring", "min": 0.1, "max": 0.4})),
        })),
        {"recipe": {"terralume_recipe": 1, "combine": "rgb", "layers": [
            with(season(1, "DJF_mean"), json!({"name": "r", "min": 0, "max": 0.8})),
            with(season(2, "MAM_mean"), json!({"name": "g", "stretch": "percent:2,2"})),
            with(season(3, "JJA_mean"), json!({"name": "b", "min": 0, "max": 0.8, "gamma": 1.4})),
        ]}},
    ])
}

#[test]
fn one_pass_gives_what_files_in_between_give() {
    let folder = with_dem();
    let inputs = ndvi_inputs();
    let mut reduce = vec!["reduce", "seasons.tif", "--group", "season", "--nodata", "0"];
    reduce.extend(inputs.iter().map(String::as_str));
    reduce.extend(["--mask", "qa: bits 0|4", "--expr", "(nir - red) / (nir + red)"]);
    folder.run(&reduce);
    write(
        &folder,
        "files.json",
        json!({}),
        layers(&|band, _| json!({"raster": "seasons.tif", "band": band})),
    );
    let chain = layers(&|_, name| json!({"stack": "ndvi", "band": name}));
    write(&folder, "chain.json", json!({"ndvi": seasons()}), chain);
    for cells in [&["--type", "float32"][..], &["--type", "uint8", "--alpha"]] {
        folder.run(&[&["render", "files.json", "dem.tif", "files.tif", "--overwrite"], cells].concat());
        let expected = folder.cells("files.tif");
        assert!(expected.iter().any(|byte| *byte != expected[0]));
        for division in [
            &["--threads", "1"][..],
            &["--tile-size", "16", "--threads", "2"],
            &["--tile-size", "33", "--threads", "3"],
            &["--memory", "80M", "--threads", "2"],
        ] {
            let arguments = ["render", "chain.json", "dem.tif", "chain.tif", "--overwrite"];
            folder.run(&[&arguments[..], cells, division].concat());
            assert!(folder.cells("chain.tif") == expected, "{cells:?}, {division:?}");
        }
    }
}

/// Scenes and elevations as the example in docs/recipes.md names them.
#[test]
fn the_example_of_the_page_runs() {
    let folder = with_dem();
    let page = include_str!("../../docs/recipes.md");
    let text = page.split("```json\n").find(|part| part.contains("\"greenness\"")).unwrap();
    folder.write("greenness.json", text.split("```").next().unwrap().as_bytes());
    std::os::unix::fs::symlink(scene("l8ny18"), folder.path("scenes")).unwrap();
    folder.run(&["render", "greenness.json", "dem.tif", "out.tif", "--type", "uint8"]);
    assert_eq!(folder.info("out.tif")["bands"].as_array().unwrap().len(), 3);
}

#[test]
fn a_cog_of_a_chain_is_valid_and_has_the_same_cells() {
    let folder = with_dem();
    write(
        &folder,
        "chain.json",
        json!({"ndvi": seasons()}),
        layers(&|_, name| json!({"stack": "ndvi", "band": name})),
    );
    let before = folder.snapshot().len();
    let render = ["render", "chain.json", "dem.tif", "--type", "uint8"];
    folder.run(&[&render[..], &["cog.tif", "--format", "COG"]].concat());
    assert_eq!(folder.snapshot().len(), before + 1, "one file, and none in between");
    folder.run(&[&render[..], &["plain.tif"]].concat());
    assert!(folder.cells("cog.tif") == folder.cells("plain.tif"));
    let validator = ["-m", "osgeo_utils.samples.validate_cloud_optimized_geotiff", "cog.tif"];
    let said = folder.gdal("/usr/bin/python3", &validator);
    assert!(said.contains("is a valid cloud optimized GeoTIFF"), "{said}");
}

#[test]
fn stacks_alone_need_no_elevations() {
    let folder = with_dem();
    let layers =
        json!([{"stack": "ndvi", "band": "MAM_mean", "stretch": "percent:2,2", "color_map": "viridis"}]);
    write(&folder, "chain.json", json!({"ndvi": seasons()}), layers);
    let cells = ["--type", "uint8"];
    folder.run(&[&["render", "chain.json", "dem.tif", "with.tif"], &cells[..]].concat());
    folder.run(&[&["render", "chain.json", "alone.tif"], &cells[..]].concat());
    assert!(folder.cells("alone.tif") == folder.cells("with.tif"));
    let place = |name: &str| folder.info(name)["geoTransform"].clone();
    assert_eq!(place("alone.tif"), place("dem.tif"));
    let plan = folder.terralume(&["render", "chain.json", "--plan"]).out;
    assert!(plan.contains("compute stack ndvi, MAM_mean"), "{plan}");
    // Another grid may be wanted.
    let mut stack = seasons();
    stack["grid_of"] = json!("coarse.tif");
    folder.gdal("gdal_translate", &["-q", "-outsize", "20", "20", "dem.tif", "coarse.tif"]);
    write(&folder, "coarse.json", json!({"ndvi": stack}), json!([{"stack": "ndvi", "band": "MAM_mean"}]));
    folder.run(&["render", "coarse.json", "coarse_out.tif"]);
    assert_eq!(folder.info("coarse_out.tif")["size"], json!([20, 20]));
    // Degrees have no slope, but they have colours.
    folder.gdal("gdalwarp", &["-q", "-overwrite", "-t_srs", "EPSG:4326", "dem.tif", "coarse.tif"]);
    folder.run(&["render", "coarse.json", "degrees.tif"]);
    assert!(folder.floats("degrees.tif").iter().any(|cell| !cell.is_nan()));
    folder.refused(
        &["render", "coarse.json", "dem.tif", "x.tif"],
        2,
        &["stack 'ndvi': grid_of beside elevations"],
    );
}

#[test]
fn a_stack_on_another_grid_comes_to_that_of_the_elevations() {
    let folder = with_dem();
    folder.gdal(
        "gdalwarp",
        &["-q", "-t_srs", "EPSG:32617", "-ts", "50", "40", "-r", "bilinear", "dem.tif", "geo.tif"],
    );
    let inputs = ndvi_inputs();
    let mut reduce = vec!["reduce", "ndvi.tif", "--grid-of", "geo.tif", "--nodata", "0", "--type", "float64"];
    reduce.extend(inputs.iter().map(String::as_str));
    reduce.extend(["--mask", "qa: bits 0|4", "--expr", "(nir - red) / (nir + red)", "--group", "season"]);
    folder.run(&reduce);
    write(
        &folder,
        "chain.json",
        json!({"ndvi": seasons()}),
        json!([{"stack": "ndvi", "band": 3, "min": -1, "max": 1}]),
    );
    folder.run(&["render", "chain.json", "geo.tif", "out.tif"]);
    let expected = doubles(&folder, "ndvi.tif");
    let cells = 50 * 40;
    let mut there = 0;
    for (got, expected) in folder.floats("out.tif").iter().zip(&expected[2 * cells..3 * cells]) {
        let expected = (*expected as f32 + 1.0) / 2.0;
        assert!((got - expected).abs() < 1e-6 || got.is_nan() && expected.is_nan(), "{got}, {expected}");
        there += usize::from(!got.is_nan());
    }
    assert!(there > 500, "{there}");
}

#[test]
fn inputs_are_named_in_the_recipe_or_on_the_command_line() {
    let folder = Folder::new();
    raster(&folder, "a.tif", &[&[1.0, 2.0], &[3.0, 0.0]], &["-ot", "Float32"]);
    raster(&folder, "b.tif", &[&[10.0, 20.0], &[30.0, 40.0]], &["-ot", "Float32"]);
    let stack = json!({"inputs": {"a": "a.tif", "b": null}, "expr": "sum = b / a"});
    let layers = json!([{"stack": "s", "min": 0, "max": 20}]);
    write(&folder, "r.json", json!({"s": stack}), layers.clone());
    folder.refused(
        &["render", "r.json", "out.tif"],
        2,
        &["stack 's': input 'b' has no file", "--input b=PATH"],
    );
    folder.run(&["render", "r.json", "out.tif", "-i", "b=b.tif"]);
    let cells = folder.floats("out.tif");
    assert_eq!(cells[..3], [0.5, 0.5, 0.5]);
    assert!(cells[3].is_nan());
    let answer = folder.terralume(&["render", "r.json", "again.tif", "-i", "b=b.tif"]);
    assert!(answer.err.contains("1 cell divided by zero"), "{}", answer.err);
    folder.run(&[
        "render",
        "r.json",
        "p.tif",
        "-p",
        "stacks.s.inputs.b=b.tif",
        "-p",
        "stacks.s.expr=(b + a) / 40",
    ]);
    assert_eq!(folder.floats("p.tif")[3], 0.05);
    folder.refused(
        &["render", "r.json", "x.tif", "-i", "c=b.tif"],
        2,
        &["unknown input of a stack 'c'; allowed: a, b"],
    );
    folder.refused(
        &["render", "r.json", "x.tif", "-i", "b.tif"],
        2,
        &["--input 'b.tif'", "allowed: NAME=PATH"],
    );
    folder.refused(&["render", "r.json"], 2, &["input or output is missing"]);
    folder.refused(&["render", "r.json", "a.tif", "--overwrite", "-i", "b=b.tif"], 1, &["'a.tif'"]);
}

#[test]
fn what_is_wrong_with_a_stack_is_said() {
    let folder = with_dem();
    folder.gdal("gdal_translate", &["-q", "-mo", "TIFFTAG_DATETIME=", "dem.tif", "undated.tif"]);
    let check = |changes: Value, layer: Value, code: i32, words: &[&str]| {
        let mut stack = seasons();
        stack.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        write(&folder, "r.json", json!({"ndvi": stack}), json!([layer]));
        let words: Vec<&str> = std::iter::once("stack 'ndvi': ").chain(words.iter().copied()).collect();
        folder.refused(&["render", "r.json", "dem.tif", "x.tif"], code, &words);
    };
    let layer = || json!({"stack": "ndvi", "band": "JJA_mean"});
    check(json!({"stats": "mean"}), layer(), 2, &["unknown key 'stats'; allowed: ", "stat", "mask_outside"]);
    check(json!({"type": "uint8"}), layer(), 2, &["unknown key 'type'"]);
    check(json!({"group": ["season", "month"]}), layer(), 2, &["'group' is a list; allowed: a grouping"]);
    check(json!({"expr": "(nir - red"}), layer(), 2, &["column"]);
    check(json!({"expr": "nir - blue"}), layer(), 2, &["blue", "column 7", "allowed: red, nir, qa"]);
    check(json!({"dilate": "x"}), layer(), 2, &["dilate = 'x' is not allowed"]);
    check(json!({}), json!({"stack": "ndvi"}), 2, &["4 results", "allowed for 'band': DJF_mean, MAM_mean"]);
    check(
        json!({}),
        json!({"stack": "ndvi", "band": "JJA"}),
        2,
        &["unknown result 'JJA'; allowed: DJF_mean"],
    );
    check(json!({}), json!({"stack": "ndvi", "band": 5}), 2, &["unknown result '5'"]);
    check(json!({"inputs": {"x": "none_*.tif"}}), layer(), 1, &["pattern", "no file matches"]);
    check(
        json!({"inputs": {"x": "undated.tif"}, "mask": [], "expr": "x"}),
        layer(),
        1,
        &["'", "has no date"],
    );
    write(&folder, "r.json", json!({"ndvi": seasons()}), json!([{"stack": "ndwi"}]));
    folder.refused(&["render", "r.json", "dem.tif", "x.tif"], 2, &["unknown stack 'ndwi'; allowed: ndvi"]);
    let two = format!("{SCENES}/l8ny18/*_B4.tif");
    write(&folder, "r.json", json!({"s": {"inputs": {"x": two}, "expr": "x"}}), json!([{"stack": "s"}]));
    folder.refused(
        &["render", "r.json", "dem.tif", "x.tif"],
        2,
        &["stack 's': 19 dates in one layer; allowed: one, or 'stat'"],
    );
    write(&folder, "r.json", json!({"ndvi": seasons()}), json!([layer()]));
    folder.refused(
        &["vrt", "r.json", "dem.tif", "x.vrt"],
        1,
        &["stack ndvi, JJA_mean", "allowed: a run that writes a file"],
    );
}

#[test]
fn a_plan_counts_what_stacks_take() {
    let folder = with_dem();
    let memory = |name: &str, more: &[&str]| {
        let plan =
            folder.terralume(&[&["render", name, "dem.tif", "--plan", "--threads", "2"], more].concat()).out;
        let line = plan.lines().find(|line| line.starts_with("  memory")).unwrap().to_string();
        let words: Vec<&str> = line.split_whitespace().collect();
        let unit = if words[2] == "MiB" { 1024.0 } else { 1.0 };
        words[1].parse::<f64>().unwrap() * unit
    };
    write(&folder, "plain.json", json!({}), json!([{"operation": "hillshade"}]));
    let relief = memory("plain.json", &[]);
    let mut stack = seasons();
    write(
        &folder,
        "mean.json",
        json!({"ndvi": stack.clone()}),
        json!([{"stack": "ndvi", "band": 1}, {"operation": "hillshade"}]),
    );
    let mean = memory("mean.json", &[]);
    // Medians keep the values of all dates.
    stack["stat"] = json!("median");
    write(
        &folder,
        "median.json",
        json!({"ndvi": stack}),
        json!([{"stack": "ndvi", "band": 1}, {"operation": "hillshade"}]),
    );
    let median = memory("median.json", &[]);
    assert!(relief < mean && mean < median, "{relief} {mean} {median}");
    folder.refused(
        &["render", "median.json", "dem.tif", "x.tif", "--memory", "20M"],
        1,
        &["memory budget of 20 MiB is too small; allowed: at least"],
    );
}

#[test]
fn an_unreadable_block_beneath_a_layer_is_named_or_skipped() {
    let folder = Folder::with_dem(256);
    let tiles = [
        "-q",
        "-co",
        "TILED=YES",
        "-co",
        "BLOCKXSIZE=128",
        "-co",
        "BLOCKYSIZE=128",
        "-co",
        "COMPRESS=DEFLATE",
    ];
    for day in 1..=3 {
        folder.gdal("gdal_translate", &[&tiles[..], &["dem.tif", &format!("x_2018010{day}.tif")]].concat());
    }
    let mut bytes = folder.read("x_20180102.tif");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 30000].fill(0xA5);
    folder.write("x_20180102.tif", &bytes);
    let mut stack = json!({"inputs": {"x": "x_*.tif"}, "stat": "count"});
    let layers = json!([{"operation": "slope", "mode": "multiply"}, {"stack": "s", "min": 0, "max": 3}]);
    write(&folder, "r.json", json!({"s": stack.clone()}), layers.clone());
    folder.refused(&["render", "r.json", "dem.tif", "out.tif"], 1, &["x_20180102.tif', band 1, at row "]);
    stack["skip_bad"] = json!(true);
    write(&folder, "r.json", json!({"s": stack}), layers);
    let answer = folder.terralume(&["render", "r.json", "dem.tif", "out.tif"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(
        answer.err.contains("could not be read in part or at all: ") && answer.err.contains("x_20180102.tif"),
        "{}",
        answer.err
    );
}

/// A stack of floats with a nodata value of their own, masked and shown as it is.
#[test]
fn a_masked_raster_of_floats_is_a_layer() {
    let folder = Folder::new();
    raster(&folder, "z.tif", &[&[1.0, -9999.0], &[3.0, 4.0]], &["-ot", "Float32", "-a_nodata", "-9999"]);
    raster(&folder, "qa.tif", &[&[0.0, 0.0], &[1.0, 0.0]], &["-ot", "Byte"]);
    let stack = json!({"s": {"inputs": {"z": "z.tif", "qa": "qa.tif"}, "mask": "qa: bits 0"}});
    write(&folder, "r.json", stack, json!([{"stack": "s", "min": 0.0, "max": 4.0}]));
    folder.run(&["render", "r.json", "out.tif"]);
    let bytes = folder.cells("out.tif");
    let cells: Vec<f32> =
        bytes.chunks_exact(4).map(|cell| f32::from_le_bytes(cell.try_into().unwrap())).collect();
    let there: Vec<bool> = cells.iter().map(|cell| cell.is_finite()).collect();
    assert_eq!((there, cells[0], cells[3]), (vec![true, false, false, true], 0.25, 1.0));
    let stack = json!({"s": {"inputs": {"z": "z.tif:ovr=0"}, "expr": "z"}});
    write(&folder, "ovr.json", stack, json!([{"stack": "s"}]));
    folder.refused(
        &["render", "ovr.json", "out2.tif"],
        2,
        &["z.tif' as the grid of the picture", "allowed: grid_of"],
    );
}

/// Sends a file to whoever asks, a while after the question, and writes a line for each.
const SLOW: &str = "
import http.server, sys, time
cells = open('dem.tif', 'rb').read()
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open('asked.txt', 'a') as asked:
            asked.write(self.path + chr(10))
        time.sleep(0.2)
        if not self.path.endswith('.tif'):
            return self.send_error(404)
        asked = self.headers.get('Range')
        first, last = 0, len(cells) - 1
        if asked:
            first, last = (int(end) for end in asked.split('=')[1].split('-'))
        part = cells[first:last + 1]
        self.send_response(206 if asked else 200)
        self.send_header('Content-Length', str(len(part)))
        if asked:
            self.send_header('Content-Range', f'bytes {first}-{first + len(part) - 1}/{len(cells)}')
        self.end_headers()
        if self.command == 'GET':
            self.wfile.write(part)
    do_HEAD = do_GET
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Slow)
print(server.server_port, flush=True)
server.serve_forever()
";

/// The files of a stack may be many and far away.
#[test]
fn control_c_while_the_files_of_a_layer_are_opened() {
    let folder = Folder::with_dem(60);
    let mut server =
        folder.command("/usr/bin/python3", &["-c", SLOW]).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let url = |number: usize| format!("http://127.0.0.1:{}/{number}_20200101.tif", port.trim());
    let list: Vec<String> = (0..400).map(url).collect();
    folder.write("list.txt", list.join("\n").as_bytes());
    write(
        &folder,
        "recipe.json",
        json!({"far": {"inputs": {"x": "@list.txt"}, "stat": "mean"}}),
        json!([{"stack": "far"}, {"operation": "hillshade"}]),
    );
    let asked = || std::fs::read_to_string(folder.path("asked.txt")).unwrap_or_default().lines().count();
    let arguments = ["render", "recipe.json", "dem.tif", "out.tif", "--threads", "2"];
    let mut command = folder.command(PROGRAM, &arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while asked() < 8 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no file is opened");
        std::thread::sleep(Duration::from_millis(20));
    }
    folder.gdal("kill", &["-INT", &child.id().to_string()]);
    let answer = child.wait_with_output().unwrap().into();
    server.kill().unwrap();
    server.wait().unwrap();
    folder.check_refusal(&answer, "Ctrl-C", 3, &["cancelled"]);
    // All of them would be many hundred questions.
    assert!(asked() < 200, "{}", asked());
}
