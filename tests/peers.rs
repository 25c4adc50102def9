//! Results of programs other than RVT, raster by raster, edges and holes included.

mod common;

use common::files::{data, read_elevations};
use common::{compute, recipe};
use ndarray::{s, Array2, Axis};
use std::collections::BTreeSet;
use terralume::core::grid::Grid;

/// An elevation model of the goldens, where its results begin, and the size of its cells.
struct Model {
    name: &'static str,
    nodata: Option<f64>,
    first_cell: usize,
    cell: f64,
}

const MODELS: [Model; 3] = [
    Model { name: "tm1_256", nodata: None, first_cell: 64, cell: 1.0 },
    Model { name: "tm1_256_nd", nodata: Some(-9999.0), first_cell: 64, cell: 1.0 },
    Model { name: "synth_200x140", nodata: None, first_cell: 0, cell: 0.5 },
];

/// What SAGA calls a curvature, and what the paper and we do.
const CURVATURES: [(&str, &str); 2] =
    [("longitudinal", "profile_curvature"), ("cross_sectional", "plan_curvature")];

/// Largest difference; the same cells must be missing.
fn difference(ours: &Array2<f32>, theirs: &Array2<f32>) -> f32 {
    assert_eq!(ours.dim(), theirs.dim());
    ours.iter().zip(theirs).fold(0.0, |largest: f32, (ours, theirs)| {
        assert_eq!(ours.is_nan(), theirs.is_nan());
        // A NaN loses.
        largest.max((ours - theirs).abs())
    })
}

#[test]
fn every_result_holds_and_every_file_is_compared() {
    let mut used = BTreeSet::new();
    for Model { name, nodata, first_cell, cell } in MODELS {
        let whole = read_elevations(&data(&format!("goldens/dem_{name}.tif")), nodata);
        for (theirs, ours) in CURVATURES {
            let file = format!("saga_{name}_{theirs}.tif");
            let expected = read_elevations(&data("peers").join(&file), Some(-99999.0));
            let (rows, cols) = expected.dim();
            let cells = whole.slice(s![first_cell.., first_cell..]).slice(s![..rows, ..cols]).to_owned();
            let result = compute(&recipe(ours, &[]), &Grid::square(cell), &cells).index_axis_move(Axis(0), 0);
            let largest = difference(&result, &expected);
            println!("{file}: largest difference {largest:e}");
            assert!(largest < 1e-6, "{file}: {largest}");
            used.insert(file);
        }
    }
    let folder = std::fs::read_dir(data("peers")).expect("the results of other programs");
    let names = folder.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    assert_eq!(names.filter(|name| name.ends_with(".tif")).collect::<BTreeSet<_>>(), used);
}
