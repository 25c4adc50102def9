//! What is set for a whole recipe: kinds of ground, gaps filled first, stretches that depend on all cells.

use super::support::{hill, listed, names, Folder};
use serde_json::{json, Value};

/// Cells of an output made with these arguments beside input and output.
fn cells(folder: &Folder, command: &str, name: &str, more: &[&str]) -> Vec<u8> {
    folder.run(&[&[command, name, "dem.tif", "out.tif", "--overwrite"], more].concat());
    folder.cells("out.tif")
}

const PICTURE: [&str; 2] = ["--type", "uint8"];

#[test]
fn bad_settings() {
    let folder = Folder::with_dem(40);
    let refused = |more: &[&str], words: &[&str]| {
        for start in [["visualize", "slope"], ["render", "vat"]] {
            folder.refused(&[&start[..], &["dem.tif", "out.tif"], more].concat(), 2, words);
        }
    };
    let terrains = ["unknown terrain 'hilly'; allowed: general, flat, steep"];
    refused(&["--terrain", "hilly"], &terrains);
    refused(&["-p", "terrain=hilly"], &terrains);
    refused(&["--terrain"], &["--terrain"]);
    for (more, words) in [
        (["--fill", "kriging"], ["fill: method = 'kriging'", "allowed: idw, nearest, linear_row"]),
        (["-p", "fill=kriging"], ["fill: method = 'kriging'", "allowed: idw, nearest, linear_row"]),
        (["-p", "fill="], ["fill: method = ''", "allowed: idw, nearest, linear_row"]),
        (["-p", "fill.method=kriging"], ["fill: method = 'kriging'", "allowed: idw, nearest, linear_row"]),
        (["-p", "fill.radius=0"], ["fill: radius = '0'", "from 1 to 1000"]),
        (["-p", "fill.radius=1001"], ["fill: radius = '1001'", "from 1 to 1000"]),
        (["-p", "fill.radius=2000m"], ["fill_nodata: radius = ", "2000 cells of 1 m; allowed: 1 to 1000"]),
        (["-p", "fill.power=11"], ["fill: power = '11'", "from 0 to 10"]),
        (["-p", "fill.depth=3"], ["fill: unknown parameter 'depth'", "method, radius, power"]),
        (["-p", "fill.=3"], ["fill: unknown parameter ''", "method, radius, power"]),
    ] {
        refused(&more, &words);
    }
}

/// A kind of ground is the same as what it stands for, in every form in which it is asked for.
#[test]
fn flat_terrain_changes_the_picture_of_slope() {
    let folder = Folder::with_dem(60);
    let slope = |more: &[&str]| cells(&folder, "visualize", "slope", &[&PICTURE, more].concat());
    let flat = slope(&["--terrain", "flat"]);
    assert!(flat != slope(&[]));
    assert!(flat == slope(&["-p", "terrain=flat"]));
    assert!(flat == slope(&["--stretch", "0,15"]));
    assert!(slope(&["--terrain", "steep"]) == slope(&["--stretch", "0,60"]));
    // What is said more closely goes before it.
    assert!(slope(&["--terrain", "flat", "--stretch", "0,30"]) == slope(&["--stretch", "0,30"]));
    // A picture only: the values of slopes are what they are.
    let values = |more: &[&str]| cells(&folder, "visualize", "slope", more);
    assert!(values(&["--terrain", "flat"]) == values(&[]));
    folder.write(
        "flat.json",
        br#"{"terralume_recipe": 1, "terrain": "flat", "layers": [{"operation": "slope"}]}"#,
    );
    assert!(cells(&folder, "render", "flat.json", &PICTURE) == flat);
}

#[test]
fn terrains_set_parameters_as_well() {
    let folder = Folder::with_dem(60);
    let view = |more: &[&str]| cells(&folder, "visualize", "svf", &[&PICTURE, more].concat());
    let flat = view(&["--terrain", "flat"]);
    assert!(flat == view(&["-p", "radius=20", "-p", "noise=high", "--stretch", "0.9,1"]));
    let narrow = ["-p", "radius=5", "-p", "noise=high", "--stretch", "0.9,1"];
    assert!(view(&["--terrain", "flat", "-p", "radius=5"]) == view(&narrow));
    assert!(
        cells(&folder, "render", "vat", &["--terrain", "flat"]) == cells(&folder, "render", "vat-flat", &[])
    );
}

/// Kinds of ground know some operations and leave the others alone, and none is refused.
#[test]
fn every_terrain_goes_with_everything() {
    let folder = Folder::with_dem(60);
    let listed = listed();
    let operations = names(&listed, "operations", "id").into_iter().map(|name| ("visualize", name));
    let all: Vec<_> = operations
        .chain(names(&listed, "presets", "name").into_iter().map(|name| ("render", name)))
        .collect();
    for terrain in ["general", "flat", "steep"] {
        for (command, name) in &all {
            let arguments = ["--terrain", terrain, "--type", "uint8"];
            cells(&folder, command, name, &arguments);
        }
    }
}

/// The recipe that an output carries makes it again, with all that was set.
#[test]
fn outputs_remember_settings() {
    let folder = Folder::with_dem(60);
    for more in [
        &["--terrain", "flat"][..],
        &["--fill", "nearest", "-p", "fill.radius=4"],
        &["--terrain", "steep", "--fill", "idw"],
    ] {
        for (command, name) in [("visualize", "slope"), ("visualize", "sky_illumination"), ("render", "vat")]
        {
            let first = cells(&folder, command, name, &[&PICTURE, more].concat());
            let info = folder.info("out.tif");
            folder.write("again.json", info["metadata"][""]["TERRALUME_RECIPE"].as_str().unwrap().as_bytes());
            assert!(cells(&folder, "render", "again.json", &PICTURE) == first, "{name} {more:?}");
        }
    }
}

/// Ends that were found are written down, and give the same picture when they are said.
#[test]
fn stretches_of_all_cells_are_written_down() {
    let folder = Folder::with_dem(120);
    for stretch in ["percent:2,2", "deviations:1.5"] {
        let arguments = [&PICTURE[..], &["--stretch", stretch]].concat();
        let found = cells(&folder, "visualize", "local_relief", &arguments);
        let info = folder.info("out.tif");
        let text = info["metadata"][""]["TERRALUME_STRETCHES"].as_str().unwrap();
        let ends: Value = serde_json::from_str(text).unwrap();
        assert_eq!(ends.as_array().map(Vec::len), Some(1), "{ends}");
        assert_eq!(ends[0]["layer"], "local_relief");
        let said = format!("--stretch={},{}", ends[0]["min"], ends[0]["max"]);
        assert!(
            cells(&folder, "visualize", "local_relief", &[&PICTURE[..], &[&said]].concat()) == found,
            "{said}"
        );
        assert!(folder.info("out.tif")["metadata"][""]["TERRALUME_STRETCHES"].is_null());
    }
}

/// `grid.asc`: a plane of whole metres at 300 m, with a gap in two columns of each row.
fn gapped_plane() -> (Folder, Vec<f32>) {
    let height = |row: usize, col: usize| 300.0 + (2 * row + 3 * col) as f64;
    let gap = |row: usize, col: usize| row % 2 == 1 && (4..6).contains(&col);
    let rows: Vec<Vec<f64>> = (0..20)
        .map(|row| (0..12).map(|col| if gap(row, col) { -9999.0 } else { height(row, col) }).collect())
        .collect();
    let whole = (0..20).flat_map(|row| (0..12).map(move |col| height(row, col) as f32));
    (Folder::with_grid(&rows), whole.collect())
}

fn check_filled(folder: &Folder, input: &str, whole: &[f32], what: &str) {
    let arguments = ["visualize", "fill_nodata", input, "out.tif", "-p", "method=linear_row", "--overwrite"];
    folder.run(&arguments);
    assert_eq!(folder.floats("out.tif"), whole, "{what}");
}

/// Heights come out as they went in, whatever type of cells holds them.
#[test]
fn gaps_are_filled_in_cells_of_every_type() {
    let (folder, whole) = gapped_plane();
    for cell_type in ["UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64"] {
        let unsigned = cell_type.starts_with('U');
        let nodata = if unsigned { "9" } else { "-9999" };
        folder.gdal(
            "gdalwarp",
            &["-q", "-overwrite", "-dstnodata", nodata, "-ot", "Float64", "grid.asc", "wide.tif"],
        );
        let name = format!("{cell_type}.tif");
        folder.gdal("gdal_translate", &["-q", "-ot", cell_type, "-a_nodata", nodata, "wide.tif", &name]);
        check_filled(&folder, &name, &whole, cell_type);
    }
}

/// Bytes whose gaps are marked by a mask, inside the file and beside it.
#[test]
fn gaps_behind_a_mask_are_filled() {
    let (folder, whole) = gapped_plane();
    folder.gdal(
        "gdal_translate",
        &["-q", "-ot", "Float64", "-scale", "200", "455", "0", "255", "grid.asc", "low.tif"],
    );
    let low: Vec<f32> = whole.iter().map(|height| height - 200.0).collect();
    for internal in ["YES", "NO"] {
        let config = ["-q", "--config", "GDAL_TIFF_INTERNAL_MASK", internal];
        let name = format!("mask-{internal}.tif");
        let masked = ["-ot", "Byte", "-a_nodata", "none", "-b", "1", "-mask", "mask", "low.tif", &name];
        folder.gdal("gdal_translate", &[&config[..], &masked].concat());
        assert!(folder.info(&name)["bands"][0]["mask"]["flags"] == json!(["PER_DATASET"]), "{name}");
        check_filled(&folder, &name, &low, &name);
    }
}

/// The first row of such a file is its southernmost one.
#[test]
fn gaps_are_filled_with_south_up() {
    let mut rows = hill(30, 22);
    for row in &mut rows[7..16] {
        row[5..14].fill(-9999.0);
    }
    let folder = Folder::with_grid(&rows);
    rows.reverse();
    let turned = Folder::with_grid(&rows);
    turned.gdal("gdal_translate", &["-q", "-a_ullr", "0", "0", "22", "30", "grid.asc", "south-up.tif"]);
    for method in ["idw", "nearest", "linear_row"] {
        for name in ["fill_nodata", "slope", "sky_view_factor"] {
            let settings = ["--overwrite", "-p", "fill.radius=12", "--fill", method];
            folder.run(&[&["visualize", name, "grid.asc", "out.tif"], &settings[..]].concat());
            turned.run(&[&["visualize", name, "south-up.tif", "out.tif"], &settings[..]].concat());
            let upside_down = turned.floats("out.tif");
            let back: Vec<u32> = upside_down.chunks(22).rev().flatten().map(|cell| cell.to_bits()).collect();
            let expected: Vec<u32> = folder.floats("out.tif").iter().map(|cell| cell.to_bits()).collect();
            assert!(back == expected, "{name} after {method}");
        }
    }
}

/// Filling first is the same as a file that was filled before.
#[test]
fn gaps_are_filled_before_a_picture() {
    let (folder, _) = gapped_plane();
    folder.run(&["visualize", "fill_nodata", "grid.asc", "filled.tif", "-p", "radius=3"]);
    for (command, name) in [("visualize", "slope"), ("visualize", "openness_negative"), ("render", "vat")] {
        let computed = |input: &str, more: &[&str]| {
            folder.run(&[&[command, name, input, "out.tif", "--overwrite"], more].concat());
            folder.floats("out.tif")
        };
        // The vat looks 10 cells far, and so do its openness and sky-view factor.
        let expected = computed("filled.tif", &[]);
        assert!(expected.iter().all(|cell| !cell.is_nan()), "{name}");
        assert_eq!(computed("grid.asc", &["--fill", "idw", "-p", "fill.radius=3"]), expected, "{name}");
        assert_eq!(computed("grid.asc", &["-p", "fill=idw", "-p", "fill.radius=3"]), expected, "{name}");
        // A parameter of filling asks for it, by the method it has by default.
        assert_eq!(computed("grid.asc", &["-p", "fill.radius=3"]), expected, "{name}");
        assert!(computed("grid.asc", &["--fill", "none"]).iter().any(|cell| cell.is_nan()), "{name}");
    }
}
