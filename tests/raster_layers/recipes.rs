//! What recipes do with rasters: three as a coloured picture, masks, names of files, memory.

use crate::bench::{assert_same, layer, Bench, GROUND, SIDE};
use crate::support::Folder;
use serde_json::Value;

const CELLS: usize = SIDE * SIDE;

/// `photo.tif`: red, green and blue at twice the resolution; `a.tif`, `b.tif` and `c.tif` are its bands.
fn photo(bench: &Bench) {
    let scaled = |range: [&'static str; 2]| {
        [&["-ot", "Byte", "-scale"], &range[..], &["0", "255", "-outsize", "200%", "200%"]].concat()
    };
    for (name, range) in [("a.tif", ["0.2", "0.6"]), ("b.tif", ["0.1", "0.9"]), ("c.tif", ["0.6", "0.2"])] {
        bench.translate(&scaled(range), "wide.tif", name);
    }
    bench.gdal("gdalbuildvrt", &["-q", "-separate", "photo.vrt", "a.tif", "b.tif", "c.tif"]);
    bench.translate(&["-co", "INTERLEAVE=PIXEL"], "photo.vrt", "photo.tif");
}

#[test]
fn three_bands_are_a_coloured_picture() {
    let bench = Bench::new();
    photo(&bench);
    let band = |number: usize| format!(r#"{{"raster": "photo.tif", "band": {number}, "stretch": "0,255"}}"#);
    let layers = [band(1), band(2), band(3)].join(",");
    let text = format!(r#"{{"terralume_recipe": 1, "combine": "rgb", "layers": [{layers}]}}"#);
    bench.write("rgb.json", text.as_bytes());
    bench.run(&["render", "rgb.json", "dem.tif", "rgb.tif"]);
    let expected: Vec<f32> = ["a.tif", "b.tif", "c.tif"]
        .iter()
        .flat_map(|name| {
            bench.render(&format!(r#"{{"raster": "{name}", "stretch": "0,255"}}"#), "dem.tif", &[])
        })
        .collect();
    assert_same(&bench.floats("rgb.tif"), &expected, "three bands");
    let bands = bench.info("rgb.tif")["bands"].clone();
    let colors: Vec<&Value> =
        bands.as_array().unwrap().iter().map(|band| &band["colorInterpretation"]).collect();
    assert_eq!(colors, ["Red", "Green", "Blue"]);
    assert!(expected[..CELLS] != expected[CELLS..2 * CELLS]);
}

#[test]
fn a_mask_says_where_a_layer_is_shown() {
    let bench = Bench::new();
    bench.on_grid("wide.tif", "top.tif", &[]);
    bench.on_grid("wide.tif", "below.tif", &["-scale", "0", "1", "1", "0"]);
    let masked = |mask: &str| {
        let mask = format!(r#"{{"raster": "{mask}", "min": 0, "max": 1}}"#);
        let top = format!(r#"{{"raster": "top.tif", "min": 0, "max": 1, "mask": {mask}}}"#);
        bench.render(&format!("{top}, {}", layer("below.tif")), "dem.tif", &[])
    };
    let (top, below) = (bench.floats("top.tif"), bench.floats("below.tif"));
    let write = |name: &str, value: &dyn Fn(usize) -> f32| {
        bench.translate(&["-of", "ENVI"], "top.tif", name);
        bench.write(name, &(0..CELLS).flat_map(|index| value(index).to_le_bytes()).collect::<Vec<_>>());
    };
    let shares = [0.0, 1.0, 0.5, f32::NAN, 0.25];
    let share = |index: usize| shares[index / 7 % shares.len()];
    write("share.bin", &share);
    let expected: Vec<f32> = (0..CELLS)
        .map(|index| match share(index) {
            share if share > 0.0 => below[index] + (top[index] - below[index]) * share,
            _ => below[index],
        })
        .collect();
    assert_same(&masked("share.bin"), &expected, "mask");
    // Between the cells of a coarse mask of 0 and 1 the layer fades.
    let half = |index: usize| f32::from(index % SIDE > SIDE / 2);
    write("half.bin", &half);
    bench.warp(&["-tr", "10", "10", "-r", "average"], "half.bin", "coarse.tif");
    let shown = masked("coarse.tif");
    let row = &shown[150 * SIDE..151 * SIDE];
    let between = |index: usize| {
        let (low, high) = (top[150 * SIDE + index], below[150 * SIDE + index]);
        row[index] > low.min(high) && row[index] < low.max(high)
    };
    assert!((0..SIDE).any(between) && (0..100).chain(200..SIDE).all(|index| !between(index)));
}

/// Files that a recipe names stand beside it, and the output says where in full.
#[test]
fn names_are_relative_to_the_recipe() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("recipes/data")).unwrap();
    bench.translate(&[], "wide.tif", "recipes/data/wide.tif");
    let expected = bench.shown("wide.tif");
    bench.recipe("recipes/own.json", &layer("data/wide.tif"));
    bench.run(&["render", "recipes/own.json", "dem.tif", "beside.tif"]);
    assert_same(&bench.floats("beside.tif"), &expected, "beside the recipe");
    let text = bench.info("beside.tif")["metadata"][""]["TERRALUME_RECIPE"].as_str().unwrap().to_string();
    let written: Value = serde_json::from_str(&text).unwrap();
    let path = bench.path("recipes/data/wide.tif");
    assert_eq!(written["layers"][0]["raster"], path.to_str().unwrap());
    let elsewhere = Folder::new();
    elsewhere.write("again.json", text.as_bytes());
    elsewhere.run(&["render", "again.json", bench.path("dem.tif").to_str().unwrap(), "again.tif"]);
    assert_same(&elsewhere.floats("again.tif"), &expected, "the recipe in an output");
}

/// The budget that an error names is enough, more rasters need more, and what is planned is kept to.
#[test]
fn rasters_count_as_memory() {
    let bench = Bench::new();
    bench.translate(&["-outsize", "150%", "150%"], "wide.tif", "fine.tif");
    let least = |layers: &str, threads: &str| -> usize {
        bench.recipe("recipe.json", layers);
        let refused = |memory: &str| {
            let division = ["--plan", "--threads", threads, "--memory", memory];
            bench.terralume(&[&["render", "recipe.json", "dem.tif", "out.tif"], &division[..]].concat())
        };
        let said = refused("1M").err;
        let number = said.split("at least ").nth(1).unwrap_or_else(|| panic!("{said}"));
        let number: usize = number.trim().trim_end_matches(" MiB").parse().unwrap();
        assert_eq!(refused(&format!("{}M", number - 1)).code, Some(1));
        let enough = refused(&format!("{number}M"));
        assert_eq!((enough.code, enough.err.as_str()), (Some(0), ""));
        number
    };
    let slope = r#"{"operation": "slope"}"#;
    let plain = least(slope, "2");
    let one = least(&format!("{}, {slope}", layer("fine.tif")), "2");
    let two = least(&format!("{}, {}, {slope}", layer("fine.tif"), layer("wide.tif")), "2");
    assert!(plain < one && one < two, "{plain}, {one}, {two} MiB");
    assert!(least(&format!("{}, {slope}", layer("fine.tif")), "4") > one);
    let memory = format!("{one}M");
    let tight = ["--threads", "2", "--memory", &memory];
    let layers = format!("{}, {slope}", layer("fine.tif"));
    let (tight, ample) = (bench.render(&layers, "dem.tif", &tight), bench.render(&layers, "dem.tif", &[]));
    assert_same(&tight, &ample, "the least memory");
}

/// Over a raster a hundred times finer the warper would hold a hundred million cells for an ordinary block.
#[test]
fn a_far_finer_raster_needs_no_far_larger_budget() {
    let bench = Bench::new();
    bench.warp(&["-tr", "20", "20", "-r", "average"], GROUND, "coarse-dem.tif");
    let scaled = ["-ot", "Byte", "-scale", "200", "400", "0", "255", "-outsize", "8000", "8000"];
    bench.translate(&[&scaled[..], &["-co", "TILED=YES"]].concat(), GROUND, "fine.tif");
    let division = ["--memory", "150M", "--threads", "2"];
    let cells = bench.render(r#"{"raster": "fine.tif", "stretch": "0,255"}"#, "coarse-dem.tif", &division);
    assert!(cells.len() == 2500 && cells.iter().all(|cell| *cell > 0.1 && *cell < 0.9), "{cells:?}");
}
