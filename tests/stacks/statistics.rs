//! Numbers of files, bands and blocks.

use crate::scene;
use crate::support::Folder;

/// Fields of a line of the table.
fn fields(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

#[test]
fn files_are_described_as_gdal_describes_them() {
    let folder = Folder::new();
    let files = scene("s2/S2_2015*_NDVI.tif");
    let answer = folder.terralume(&["statistics", &files, "--stat", "count,mean,std,min,max"]);
    let lines: Vec<&str> = answer.out.lines().collect();
    assert_eq!(lines[0], "file,datetime,band,count,mean,std,min,max");
    assert!(lines.len() > 10, "{}", answer.out);
    for line in &lines[1..] {
        let fields = fields(line);
        let name = fields[0].rsplit('/').next().unwrap();
        std::fs::copy(fields[0], folder.path(name)).unwrap();
        let info: serde_json::Value =
            serde_json::from_str(&folder.gdal("gdalinfo", &["-json", "-stats", name])).unwrap();
        for (field, key) in fields[4..].iter().zip(["MEAN", "STDDEV", "MINIMUM", "MAXIMUM"]) {
            let gdal = info["bands"][0]["metadata"][""][format!("STATISTICS_{key}")].as_str().unwrap();
            let (ours, gdal) = (field.parse::<f64>().unwrap(), gdal.parse::<f64>().unwrap());
            assert!((ours - gdal).abs() < 1e-12, "{name} {key}: {ours} {gdal}");
        }
        assert_eq!(fields[3], "256");
    }
}

#[test]
fn blocks_add_up_to_the_file_however_it_is_divided() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    let run = |more: &[&str]| {
        let arguments =
            ["statistics", &bgr, "--sensor", "bgr", "--nodata", "0", "--stat", "count,sum,median"];
        folder.terralume(&[&arguments[..], more].concat()).out
    };
    let whole = run(&[]);
    let blocks = run(&["--block", "50"]);
    let lines: Vec<Vec<&str>> = blocks.lines().skip(1).map(fields).collect();
    assert_eq!(lines.len(), 9 * 3);
    let places: Vec<[&str; 5]> =
        lines.iter().step_by(3).map(|line| [line[3], line[4], line[5], line[6], line[7]]).collect();
    assert_eq!(places[5], ["5", "50", "100", "50", "28"]);
    for (band, line) in whole.lines().skip(1).map(fields).enumerate() {
        let of_band = lines.iter().skip(band).step_by(3);
        let sum =
            |place: usize| -> f64 { of_band.clone().map(|line| line[place].parse().unwrap_or(0.0)).sum() };
        assert_eq!(sum(8).to_string(), line[3], "count of {}", line[2]);
        assert_eq!(sum(9).to_string(), line[4], "sum of {}", line[2]);
    }
    for more in [["--threads", "1"], ["--threads", "5"], ["--memory", "52M"]] {
        assert_eq!(run(&more), whole, "{more:?}");
        assert_eq!(run(&[&more[..], &["--block", "50"]].concat()), blocks, "{more:?}");
    }
}

#[test]
fn files_need_no_common_grid() {
    let folder = Folder::new();
    let answer =
        folder.terralume(&["statistics", &scene("originals/*.TIF"), "--nodata", "0", "--as", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{}", answer.err);
    assert!(rows[0]["mean"].as_f64().unwrap() > 5000.0);
}

/// `numpy.histogram` of every band, as GDAL reads it, in the form of our JSON.
const NUMPY: &str = "
import json, sys
import numpy
from osgeo import gdal
bins, ends = int(sys.argv[2]), [float(end) for end in sys.argv[3:]] or None
raster = gdal.Open(sys.argv[1])
for band in range(1, 4):
    cells = raster.GetRasterBand(band).ReadAsArray().astype(float)
    cells = cells[cells != 0]
    counts, edges = numpy.histogram(cells, bins=bins, range=ends)
    print(json.dumps({'low': edges[0], 'high': edges[-1], 'counts': counts.tolist()}))
";

#[test]
fn histograms_are_those_of_numpy() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    // Whole numbers are exact anyway; quotients lie anywhere between edges.
    let divide = "a = blue / 7; b = green / 11; c = red / 13";
    folder.run(&[
        "calc",
        divide,
        "-i",
        &bgr,
        "--sensor",
        "bgr",
        "--nodata",
        "0",
        "x.tif",
        "--dst-nodata",
        "0",
    ]);
    for (file, bins, ends) in [
        (bgr.as_str(), "50", &[][..]),
        (&bgr, "7", &["6000.5", "8000"]),
        ("x.tif", "100", &[]),
        ("x.tif", "33", &["500", "700"]),
    ] {
        let said =
            folder.gdal("/usr/bin/python3", &[&["-W", "ignore", "-c", NUMPY, file, bins], ends].concat());
        let wanted = std::iter::once(bins).chain(ends.iter().copied()).collect::<Vec<_>>().join(",");
        let run = |more: &[&str]| {
            let arguments =
                ["statistics", file, "--nodata", "0", "--stat", "count,min,p50", "--histogram", &wanted];
            let answer = folder.terralume(&[&arguments[..], more].concat());
            assert_eq!(answer.code, Some(0), "{}", answer.err);
            answer.out
        };
        let json = run(&["--as", "json"]);
        let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
        for (row, line) in rows.as_array().unwrap().iter().zip(said.lines()) {
            let numpy: serde_json::Value = serde_json::from_str(line).unwrap();
            let own = &row["histogram"];
            assert_eq!(own["counts"], numpy["counts"], "{file} {wanted}");
            for end in ["low", "high"] {
                assert_eq!(own[end].as_f64(), numpy[end].as_f64(), "{file} {wanted}");
            }
            let inside: u64 =
                own["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
            let outside = own["below"].as_u64().unwrap() + own["above"].as_u64().unwrap();
            assert_eq!((inside + outside) as f64, row["count"].as_f64().unwrap());
        }
        // The table has the same numbers, and no division of the work changes them.
        let table = run(&[]);
        let first = rows[0]["histogram"]["counts"].as_array().unwrap();
        let first: Vec<String> = first.iter().map(ToString::to_string).collect();
        assert!(table.lines().nth(1).unwrap().ends_with(&first.join(" ")), "{table}");
        assert_eq!(run(&["--threads", "5", "--memory", "60M", "--as", "json"]), json);
    }
    for wrong in ["0", "x", "5,1", "5,2,2", "5,nan,3"] {
        let arguments = ["statistics", &bgr, "--histogram", wrong];
        folder.refused(&arguments, 2, &["histogram", wrong, "allowed: a number of bins"]);
    }
}
