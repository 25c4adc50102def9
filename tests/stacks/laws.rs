//! The same bits for every tile, number of threads and memory.

use crate::support::Folder;
use crate::{ndvi_inputs, reduce_ndvi};

/// Every statistic there is.
const STATISTICS: &str =
    "count,mean,sum,min,max,range,std,var(ddof=1),median,p10,p90,first,last,which_min,which_max,prod,\
                          any,all,mode";

const DIVISIONS: [&[&str]; 6] = [
    &["--tile-size", "16", "--threads", "1"],
    &["--tile-size", "17", "--threads", "2"],
    &["--tile-size", "23", "--threads", "5"],
    &["--tile-size", "1000", "--threads", "1"],
    &["--threads", "3"],
    &["--memory", "60M", "--max-open", "3"],
];

#[test]
fn reductions_do_not_depend_on_how_the_work_is_divided() {
    let folder = Folder::new();
    for more in
        [&[][..], &["--group", "season"], &["--merge-same", "day", "--merge", "mean"], &["--dilate", "2"]]
    {
        let mut first = None;
        for division in DIVISIONS {
            reduce_ndvi(&folder, &[&["--stat", STATISTICS], more, division].concat());
            let cells = folder.cells("out.tif");
            let first = first.get_or_insert_with(|| cells.clone());
            assert!(cells == *first, "{more:?}, {division:?}");
        }
    }
}

#[test]
fn formulas_do_not_depend_on_how_the_work_is_divided() {
    let folder = Folder::new();
    let mut inputs = ndvi_inputs();
    // One date.
    inputs.iter_mut().for_each(|input| *input = input.replace('*', "L8_013032_20180405"));
    let mut first = None;
    for division in DIVISIONS {
        let mut arguments = vec![
            "calc",
            "index = nd(red, nir); sum = red + nir",
            "out.tif",
            "--overwrite",
            "--type",
            "float32",
        ];
        arguments.extend(inputs.iter().map(String::as_str));
        arguments.extend(["--mask", "qa: bits 0|4", "--dilate", "3"]);
        arguments.extend(division);
        folder.run(&arguments);
        let cells = folder.cells("out.tif");
        let first = first.get_or_insert_with(|| cells.clone());
        assert!(cells == *first, "{division:?}");
    }
}

/// Images in blocks of 128 cells, each band with a mask beside its cells: some bands stand together, some lie on another grid.
#[test]
fn tiles_that_share_blocks_give_the_same_cells() {
    let folder = Folder::with_dem(300);
    let tiled = ["-q", "-co", "TILED=YES", "-co", "BLOCKXSIZE=128", "-co", "BLOCKYSIZE=128"];
    let translate = |more: &[&str]| folder.gdal("gdal_translate", &[&tiled[..], more].concat());
    for day in 1..=9 {
        let name = format!("x_2018010{day}.tif");
        let scale = ["-scale", "0", "1000", "0", &(1000 * day).to_string()];
        let more = match day {
            1..=3 => &["-ot", "UInt16", "-co", "COMPRESS=DEFLATE"][..],
            4..=6 => &["-b", "1", "-b", "1", "-mask", "1", "-ot", "Float32"],
            _ => &["-outsize", "150", "150"],
        };
        translate(&[&scale, more, &["dem.tif", &name]].concat());
    }
    for more in [
        &["--stat", "median,mean"][..],
        &["--stat", "p20", "--mask", "q: range 900..1500", "--dilate", "9"],
        &["--stat", "first,std", "--mask", "q: range 900..1500", "--group", "period 4D from 2018-01-01"],
    ] {
        let mut first = None;
        for division in [
            &["--tile-size", "300", "--threads", "1"][..],
            &["--tile-size", "32", "--threads", "1"],
            &["--tile-size", "50", "--threads", "3"],
            &["--tile-size", "32", "--threads", "2", "--memory", "68M"],
            &["--threads", "2", "--memory", "68M"],
        ] {
            let reduce =
                ["reduce", "-i", "X=x_*.tif:1", "-i", "q=x_*.tif:1", "--grid-of", "dem.tif", "out.tif"];
            folder.run(&[&reduce[..], &["--expr", "X + q / 2", "--overwrite"], more, division].concat());
            let cells = folder.cells("out.tif");
            assert!(cells == *first.get_or_insert_with(|| cells.clone()), "{more:?}, {division:?}");
        }
    }
}

/// What a tile needs of a block is decoded once for all tiles of the block, as long as the memory has room.
#[test]
fn a_plan_of_small_tiles_decodes_blocks_once() {
    let folder = Folder::with_dem(700);
    let tiled = ["-q", "-co", "TILED=YES", "-co", "BLOCKXSIZE=256", "-co", "BLOCKYSIZE=256"];
    for day in 1..=9 {
        let name = format!("x_2018010{day}.tif");
        folder.gdal("gdal_translate", &[&tiled[..], &["dem.tif", &name]].concat());
    }
    let plan = ["plan", "reduce", "x_*.tif", "--stat", "median", "--tile-size"];
    for side in ["16", "64", "100", "256", "4096"] {
        let text = folder.terralume(&[&plan[..], &[side]].concat()).out;
        assert!(text.contains("1.00 times each block is decoded"), "{side}: {text}");
    }
}

#[test]
fn masks_grow_by_cells() {
    let folder = Folder::new();
    let mut rows = vec![vec![0.0; 30]; 20];
    rows[0][0] = 1.0;
    rows[9][15] = 1.0;
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    crate::raster(&folder, "cloud.tif", &rows, &["-ot", "Byte"]);
    for tile in ["16", "17", "1000"] {
        let arguments = ["mask", "cloud.tif", "out.tif", "--mask", "X == 1", "--dilate", "3", "--overwrite"];
        folder.run(&[&arguments[..], &["--tile-size", tile, "--dst-nodata", "255"]].concat());
        for (index, cell) in folder.cells("out.tif").iter().enumerate() {
            let (row, col) = (index / 30, index % 30);
            let near = |r: usize, c: usize| row.abs_diff(r) <= 3 && col.abs_diff(c) <= 3;
            assert_eq!(*cell == 255, near(0, 0) || near(9, 15), "tile {tile}: {row} {col}");
        }
    }
}
