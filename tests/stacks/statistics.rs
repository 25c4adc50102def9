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
