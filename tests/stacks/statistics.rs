//! Numbers of files, bands and blocks.

use crate::support::{Folder, PROGRAM};
use crate::{raster, scene};

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

#[test]
fn a_plan_says_how_the_table_would_be_made() {
    let folder = Folder::new();
    let bgr = scene("bgr.tif");
    let asked = [
        &bgr,
        "--sensor",
        "bgr",
        "--nodata",
        "0",
        "--block",
        "50",
        "--stat",
        "median",
        "--expr",
        "blue / red",
    ];
    let plan = folder.terralume(&[&["plan", "statistics"], &asked[..]].concat());
    for line in
        ["1 band looked at", "output   9 lines", "passes   2", "re-read  1.00 times", "time     about"]
    {
        assert!(plan.out.contains(line), "{}{}", plan.out, plan.err);
    }
    let switch = folder.terralume(&[&["statistics"], &asked[..], &["--plan"]].concat());
    let lines = |text: &str| {
        text.lines().filter(|line| !line.contains("time ")).map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(lines(&switch.out), lines(&plan.out));
    // A plan for each grid, and nothing that the run would refuse.
    let originals = folder.terralume(&["plan", "statistics", &scene("originals/*.TIF"), "--nodata", "0"]);
    assert_eq!(originals.out.matches("  raster ").count(), 2, "{}{}", originals.out, originals.err);
    for (wrong, message) in [
        (["--stat", "first"], "statistic 'first' of places"),
        (["--memory", "1M"], "memory budget of 1 MiB is too small"),
    ] {
        let answer = folder.terralume(&[&["plan", "statistics", &bgr], &wrong[..]].concat());
        assert!(answer.code != Some(0) && answer.out.is_empty(), "{}", answer.out);
        assert!(answer.err.contains(message), "{}", answer.err);
    }
}

#[test]
fn files_with_other_numbers_of_bands_are_named_together() {
    let folder = Folder::new();
    raster(&folder, "b.tif", &[&[1.0, 2.0]], &[]);
    folder.gdal("gdal_translate", &["-q", "-b", "1", "-b", "1", "-b", "1", "b.tif", "a.tif"]);
    let words = ["'b.tif' has only 1 of the 3 bands of 'a.tif'; allowed: files of as many, or one band"];
    folder.refused(&["statistics", "a.tif", "b.tif"], 2, &words);
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

/// Runs a command and prints the most memory it held, in KiB.
const PEAK: &str = "
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
";

/// Most bytes that a run of the program holds.
pub fn peak(folder: &Folder, arguments: &[&str]) -> usize {
    let command = [&["-c", PEAK, PROGRAM], arguments].concat();
    folder.gdal("/usr/bin/python3", &command).trim().parse::<usize>().unwrap() << 10
}

#[test]
fn bins_of_many_bands_and_blocks_stay_within_the_memory() {
    let folder = Folder::new();
    // A band of its own for each of 1,000 numbers; and 33 x 33 blocks of 4,096 cells.
    let mut cells = Vec::new();
    for band in 0..1000_u16 {
        cells.extend((0..32 * 32_u16).flat_map(|cell| (band * 60 + cell % 7).to_le_bytes()));
    }
    folder.write("many.raw", &cells);
    let bands: String = (0..1000)
        .map(|band| {
            format!(
                "<VRTRasterBand dataType=\"UInt16\" band=\"{}\" subClass=\"VRTRawRasterBand\"><SourceFilename relativetoVRT=\"1\">\
                 many.raw</SourceFilename><ImageOffset>{}</ImageOffset><PixelOffset>2</PixelOffset><LineOffset>64</LineOffset>\
                 <ByteOrder>LSB</ByteOrder></VRTRasterBand>",
                band + 1,
                band * 2048
            )
        })
        .collect();
    let vrt = format!("<VRTDataset rasterXSize=\"32\" rasterYSize=\"32\">{bands}</VRTDataset>");
    folder.write("many.vrt", vrt.as_bytes());
    folder.gdal("gdal_translate", &["-q", "-co", "INTERLEAVE=BAND", "many.vrt", "bands.tif"]);
    let large: Vec<u8> = (0..2112 * 2112_u32).flat_map(|cell| ((cell * 7) as u16).to_le_bytes()).collect();
    folder.write("large.raw", &large);
    let band = "<VRTRasterBand dataType=\"UInt16\" band=\"1\" subClass=\"VRTRawRasterBand\"><SourceFilename relativetoVRT=\"1\">\
                large.raw</SourceFilename><PixelOffset>2</PixelOffset><LineOffset>4224</LineOffset><ByteOrder>LSB</ByteOrder>\
                </VRTRasterBand>";
    let vrt = format!("<VRTDataset rasterXSize=\"2112\" rasterYSize=\"2112\">{band}</VRTDataset>");
    folder.write("large.vrt", vrt.as_bytes());
    folder.gdal("gdal_translate", &["-q", "-co", "TILED=YES", "large.vrt", "large.tif"]);
    let run = |arguments: &[&str], memory: &str| {
        let arguments = [&["statistics"], arguments, &["--threads", "2", "--memory", memory]].concat();
        let budget = memory.trim_end_matches('M').parse::<usize>().unwrap() << 20;
        let held = peak(&folder, &arguments);
        assert!(held <= budget + (64 << 20), "{arguments:?}: {} MiB", held >> 20);
        folder.terralume(&arguments).out
    };
    for (arguments, lines) in [
        (&["bands.tif", "--stat", "count,median,p99"][..], 1000),
        (&["large.tif", "--stat", "median", "--block", "64"], 33 * 33),
        // Several tiles have parts of each.
        (&["large.tif", "--stat", "median", "--block", "1050"], 9),
        (&["bands.tif", "--stat", "mean", "--histogram", "20"], 1000),
    ] {
        let little = run(arguments, "80M");
        assert_eq!(little.lines().count(), lines + 1, "{arguments:?}");
        assert!(little == run(arguments, "1500M"), "{arguments:?}");
    }
    // Bins that are asked for are part of the result.
    let arguments = ["statistics", "bands.tif", "--histogram", "65536", "--memory", "100M"];
    folder.refused(&arguments, 1, &["memory budget of 100 MiB is too small; allowed: at least"]);
}

#[test]
fn percentiles_are_those_of_reductions_and_never_leave_the_values() {
    let folder = Folder::new();
    let rows: [&[f64]; 2] = [&[1.0, 2.0], &[4.0, 8.0]];
    crate::raster(&folder, "whole_20180101.tif", &rows, &["-ot", "Byte"]);
    crate::raster(&folder, "same_20180101.tif", &[&[3.5; 4]], &["-ot", "Float32"]);
    let values = |file: &str, statistics: &str| {
        let table = folder.terralume(&["statistics", file, "--stat", statistics]).out;
        let line = table.lines().nth(1).unwrap().to_string();
        line.split(',').skip(3).map(String::from).collect::<Vec<String>>()
    };
    let asked = "p25(nearest),p40(nearest),p50(nearest),p100(nearest),p25";
    assert_eq!(values("whole_20180101.tif", asked), ["2", "2", "4", "8", "1.75"]);
    assert_eq!(values("same_20180101.tif", "p0,median,p99,p75(nearest),p100"), ["3.5"; 5]);
    let dem = Folder::with_dem(64);
    let table = dem.terralume(&["statistics", "dem.tif", "--stat", "min,p0,p0(nearest),max,p100"]).out;
    let line = fields(table.lines().nth(1).unwrap());
    assert_eq!((line[3], line[3], line[6]), (line[4], line[5], line[7]));
}

#[test]
fn a_table_replaces_nothing_that_is_read_and_names_files_with_values() {
    let folder = Folder::new();
    for (name, cells) in [("b4", [1.0, 2.0]), ("b5", [3.0, 4.0]), ("qa", [0.0, 1.0])] {
        crate::raster(&folder, &format!("{name}_20180101.tif"), &[&cells], &["-ot", "Byte"]);
    }
    folder.write("dates.csv", b"file,datetime\nb4_20180101.tif,2018-01-01\n");
    folder.write("b5.txt", b"b5_20180101.tif\n");
    let inputs = ["-i", "qa=qa_*.tif", "-i", "red=b4_*.tif", "-i", "nir=@b5.txt", "--mask", "qa: values 1"];
    let arguments = [&["statistics"], &inputs[..], &["--dates", "dates.csv", "--stat", "mean"]].concat();
    for file in ["b4_20180101.tif", "b5_20180101.tif", "qa_20180101.tif", "dates.csv", "b5.txt"] {
        let before = folder.read(file);
        folder.refused(&[&arguments[..], &["-o", file, "--overwrite"]].concat(), 1, &[file, "is the input"]);
        assert!(folder.read(file) == before, "{file}");
    }
    let table = folder.terralume(&arguments).out;
    let lines: Vec<&str> = table.lines().skip(1).collect();
    let expected = ["red,1", "nir,3"].map(|end| format!("b4_20180101.tif,2018-01-01T00:00:00Z,{end}"));
    assert_eq!(lines, expected);
    folder.run(&[&arguments[..], &["-o", "table.csv"]].concat());
    assert_eq!(String::from_utf8(folder.read("table.csv")).unwrap(), table);
}

#[test]
fn tables_longer_than_anybody_reads_are_refused_at_once() {
    let folder = Folder::new();
    folder.write(
        "large.vrt",
        br#"<VRTDataset rasterXSize="20000" rasterYSize="20000"><VRTRasterBand dataType="Byte" band="1"/></VRTDataset>"#,
    );
    let arguments = ["statistics", "large.vrt", "--block"];
    folder.refused(
        &[&arguments[..], &["1"]].concat(),
        2,
        &["the table would have 400000000 lines; allowed: at most 100000000, with larger blocks"],
    );
    folder.refused(&[&arguments[..], &["2", "--memory", "1G"]].concat(), 1, &["memory budget of 1024 MiB"]);
}
