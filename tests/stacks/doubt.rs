//! Where a guess would give wrong numbers without a word: what is meant is done, or the run is refused.

use crate::support::Folder;
use crate::{band_names, doubles, raster};

const BYTE: &[&str] = &["-ot", "Byte"];

fn values(folder: &Folder, arguments: &[&str]) -> Vec<f64> {
    folder.run(&[arguments, &["out.tif", "--overwrite"]].concat());
    folder.gdal("gdal_translate", &["-q", "-ot", "Float64", "out.tif", "doubles.tif"]);
    doubles(folder, "doubles.tif")
}

/// An overview of bits is a mean of bits, which means nothing.
#[test]
fn masks_are_never_read_from_overviews() {
    let folder = Folder::new();
    let (bits, ones): (Vec<f64>, Vec<f64>) = (0..64).map(|cell| (f64::from(cell % 2 * 8), 1.0)).unzip();
    let (bits, ones) = (vec![bits.as_slice(); 64], vec![ones.as_slice(); 64]);
    for (name, rows) in [("q.tif", bits), ("d.tif", ones)] {
        raster(&folder, name, &rows, &["-ot", "UInt16"]);
        folder.gdal("gdaladdo", &["-q", "-r", "average", name, "2"]);
    }
    let inputs = ["mask", "-i", "d=d.tif", "-i", "q=q.tif", "--resolution", "20"];
    let wrong = values(&folder, &[&inputs[..], &["--mask", "q: bits 2"]].concat());
    assert!(wrong.iter().all(|cell| *cell == 1.0), "no cell has bit 2");
    let right = values(&folder, &[&inputs[..], &["--mask", "q: bits 3"]].concat());
    assert!(right.iter().all(|cell| *cell == 65535.0) || right.iter().all(|cell| *cell == 1.0));
}

#[test]
fn bits_and_classes_in_formulas_are_never_averaged() {
    let folder = Folder::new();
    raster(&folder, "q.tif", &[&[8.0, 0.0, 8.0, 8.0], &[8.0, 0.0, 0.0, 8.0]], BYTE);
    for formula in ["bit(q, 3)", "q in (0, 8)", "isin(q, 0, 8)"] {
        let arguments = ["calc", formula, "-i", "q=q.tif", "--resolution", "20"];
        let cells = values(&folder, &arguments);
        assert!(cells.iter().all(|cell| [0.0, 1.0].contains(cell)), "{formula}: {cells:?}");
        let arguments = [&arguments[..], &["--resample", "average", "out.tif", "--overwrite"]].concat();
        folder.refused(&arguments, 2, &["'q.tif', band 1", "bits or classes", "allowed: --resample nearest"]);
    }
}

/// What a mask takes does not change how the formula gets it.
#[test]
fn a_band_of_formula_and_mask_is_read_in_both_ways() {
    let folder = Folder::new();
    raster(&folder, "q.tif", &[&[8.0, 0.0, 8.0, 8.0], &[8.0, 0.0, 0.0, 8.0]], BYTE);
    let arguments = ["calc", "q + 0", "-i", "q=q.tif", "--resolution", "20", "--mask", "q > 100"];
    assert_eq!(values(&folder, &arguments), [4.0, 6.0]);
}

#[test]
fn recoded_nodata_is_not_averaged() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[1.0, 0.0, 3.0, 4.0], &[5.0, 6.0, 0.0, 0.0]], &["-ot", "Float32"]);
    let arguments = ["rescale", "x.tif", "--src-nodata", "0", "--resolution", "20"];
    assert_eq!(values(&folder, &arguments), [4.0, 3.5]);
    let more = [&arguments[..3], &["0,9", "--resolution", "20", "out.tif", "--overwrite"]].concat();
    folder.refused(&more, 2, &["'x.tif', band 1", "several values for nodata", "allowed: one"]);
}

/// -9999.9 is no 32-bit float; the file has the nearest one.
#[test]
fn nodata_values_are_those_of_the_file_s_type() {
    let folder = Folder::new();
    raster(&folder, "x.tif", &[&[-9999.9, 1.0], &[-3.4e38, 0.1]], &["-ot", "Float32"]);
    let arguments = ["rescale", "x.tif", "--src-nodata", "-9999.9,-3.4e38,0.1", "--type", "uint8"];
    assert_eq!(values(&folder, &arguments), [255.0, 1.0, 255.0, 255.0]);
    raster(&folder, "y.tif", &[&[1.0, 2.0]], &["-ot", "Byte", "-a_nodata", "-9999"]);
    assert_eq!(values(&folder, &["rescale", "y.tif"]), [1.0, 2.0]);
}

#[test]
fn the_value_of_masked_cells_is_the_one_asked_for() {
    let folder = Folder::new();
    raster(&folder, "z.tif", &[&[0.0, 5.0, 6.0, 7.0]], &["-ot", "Byte", "-a_nodata", "0"]);
    raster(&folder, "m.tif", &[&[0.0, 1.0, 1.0, 0.0]], BYTE);
    let mask = ["mask", "-i", "z=z.tif", "-i", "m=m.tif", "--mask", "m: values 1", "--where-masked"];
    assert_eq!(values(&folder, &[&mask[..], &["0"]].concat()), [0.0, 0.0, 0.0, 7.0]);
    assert_eq!(values(&folder, &[&mask[..], &["9"]].concat()), [0.0, 9.0, 9.0, 7.0]);
    for value in ["300", "-1", "1.5"] {
        let words =
            [&format!("where-masked {value} is not a number of type uint8")[..], "allowed: whole numbers"];
        folder.refused(&[&mask[..], &[value, "out.tif", "--overwrite"]].concat(), 2, &words);
    }
    // A result that uses no band is masked as well.
    let arguments = ["calc", "a = z; one = 1", "-i", "z=z.tif", "-i", "m=m.tif", "--mask", "m: values 1"];
    let cells = values(&folder, &arguments);
    assert!(cells[5].is_nan() && cells[6].is_nan() && cells[7] == 1.0, "{cells:?}");
}

#[test]
fn bands_are_those_of_their_names_in_every_file() {
    let folder = Folder::new();
    let bands = |name: &str, bands: [(&str, f64); 2]| {
        for (band, value) in bands {
            raster(&folder, &format!("{band}.tif"), &[&[value]], &["-ot", "Float32"]);
        }
        folder.gdal(
            "gdalbuildvrt",
            &["-q", "-separate", "two.vrt", &format!("{}.tif", bands[0].0), &format!("{}.tif", bands[1].0)],
        );
        let text = String::from_utf8(folder.read("two.vrt")).unwrap();
        let text = text
            .replace("band=\"1\">", &format!("band=\"1\"><Description>{}</Description>", bands[0].0))
            .replace("band=\"2\">", &format!("band=\"2\"><Description>{}</Description>", bands[1].0));
        folder.write("two.vrt", text.as_bytes());
        folder.gdal("gdal_translate", &["-q", "two.vrt", name]);
    };
    bands("x_20180101.tif", [("red", 1.0), ("nir", 2.0)]);
    bands("x_20180102.tif", [("nir", 2.0), ("red", 1.0)]);
    assert_eq!(band_names(&folder, "x_20180102.tif"), ["nir", "red"]);
    let arguments = ["reduce", "x_2018*.tif", "--expr", "nd(nir, red)", "--stat", "min", "out.tif"];
    folder.refused(
        &arguments,
        1,
        &["'x_20180102.tif' has the bands nir, red", "red, nir", "allowed: one order"],
    );
    // The file's own names come before those of a sensor; a name of two bands is none.
    bands("own.tif", [("blue", 1.0), ("green", 2.0)]);
    let arguments = ["calc", "green * 1", "-i", "own.tif"];
    assert_eq!(values(&folder, &arguments), [2.0]);
    let arguments = ["calc", "blue * 1", "-i", "A=own.tif", "-i", "B=own.tif", "x.tif"];
    folder.refused(&arguments, 2, &["unknown input 'blue'", "A[1]"]);
}

#[test]
fn outputs_do_not_replace_one_another_or_what_is_read() {
    let folder = Folder::new();
    for place in ["s1", "s2"] {
        std::fs::create_dir(folder.path(place)).unwrap();
        raster(&folder, &format!("{place}/B4.tif"), &[&[1.0]], BYTE);
    }
    std::fs::create_dir(folder.path("out")).unwrap();
    folder.write("dates.csv", b"file,datetime\ns1/B4.tif,2018-01-31\ns2/B4.tif,2018-07-31\n");
    let dated = ["calc", "x = X", "-i", "s?/B4.tif", "--dates", "dates.csv"];
    let by_time = [&dated[..], &["--by", "time", "out", "--overwrite"]].concat();
    folder.refused(&by_time, 2, &["'out/B4.tif' would be written twice"]);
    let reduce = ["reduce", "s?/B4.tif", "--dates", "dates.csv", "--overwrite"];
    folder.refused(&[&reduce[..], &["dates.csv"]].concat(), 1, &["'dates.csv' is the input"]);
    folder.refused(
        &[&reduce[..], &["o.tif", "--profile", "./o.tif"]].concat(),
        1,
        &["profile = './o.tif' is the output"],
    );
    raster(&folder, "ref.tif", &[&[1.0]], BYTE);
    let arguments = [&reduce[..], &["--grid-of", "ref.tif", "ref.tif"]].concat();
    folder.refused(&arguments, 1, &["'ref.tif' is the input"]);
    // What stands in the way is seen before the first date is computed.
    std::fs::rename(folder.path("s2/B4.tif"), folder.path("s2/B5.tif")).unwrap();
    folder.write("dates.csv", b"file,datetime\nB4.tif,2018-01-31\nB5.tif,2018-07-31\n");
    folder.write("out/B5.tif", b"precious");
    let arguments = ["calc", "x = X", "-i", "s?/B?.tif", "--dates", "dates.csv", "--by", "time", "out"];
    folder.refused(&arguments, 1, &["output 'out/B5.tif' exists"]);
    assert!(!folder.path("out/B4.tif").exists());
}

/// A date is in the file, whatever its name.
#[test]
fn tags_scale_and_date_stay() {
    let folder = Folder::new();
    let tags = ["-ot", "Int16", "-mo", "SENSOR=OLI", "-a_scale", "0.01", "-a_offset", "-1"];
    raster(&folder, "x.tif", &[&[1.0, 2.0]], &tags);
    folder.write("dates.csv", b"file,datetime\nx.tif,2018-01-31T15:40:00Z\n");
    let said = |arguments: &[&str]| {
        values(&folder, &[arguments, &["--dates", "dates.csv"]].concat());
        let info = folder.info("out.tif");
        let tags = &info["metadata"][""];
        (tags["SENSOR"].clone(), tags["TIFFTAG_DATETIME"].clone(), info["bands"][0]["scale"].clone())
    };
    let (date, none) = (serde_json::json!("2018:01:31 15:40:00"), serde_json::Value::Null);
    let all = (serde_json::json!("OLI"), date.clone(), serde_json::json!(0.01));
    assert_eq!(said(&["mask", "x.tif", "--mask", "X == 1"]), all);
    assert_eq!(said(&["rescale", "x.tif", "--src-nodata", "1"]), all);
    assert_eq!(said(&["rescale", "x.tif", "--scale", "2"]), (all.0, date.clone(), none.clone()));
    assert_eq!(said(&["calc", "X * 2", "-i", "x.tif"]), (none.clone(), date, none));
}

/// Merged images have one weight and one group.
#[test]
fn images_of_a_day_agree_on_what_the_table_says() {
    let folder = Folder::new();
    for (name, value) in [("a", 10.0), ("b", 20.0), ("c", 40.0)] {
        raster(&folder, &format!("{name}.tif"), &[&[value]], &["-ot", "Float32"]);
    }
    folder.write(
        "dates.csv",
        b"file,datetime,weight\na.tif,2018-01-31T10:00:00Z,0\nb.tif,2018-01-31T11:00:00Z,5\nc.tif,2018-02-01,1\n",
    );
    let arguments = [
        "reduce",
        "a.tif",
        "b.tif",
        "c.tif",
        "out.tif",
        "--dates",
        "dates.csv",
        "--merge-same",
        "day",
        "--stat",
        "wmean",
    ];
    folder.refused(&arguments, 2, &["'weight' is '0' and '5' for images of one day", "allowed: one"]);
    let grouped = [&arguments[..9], &["--group", "weight"]].concat();
    folder.refused(&grouped, 2, &["'weight' is '0' and '5' for images of one day", "allowed: one"]);
}

/// A sign is part of a formula, not an option.
#[test]
fn formulas_begin_with_a_sign() {
    let folder = Folder::new();
    raster(&folder, "a.tif", &[&[3.0]], BYTE);
    for formula in ["-a", "-a^2 + 6"] {
        assert_eq!(values(&folder, &["calc", formula, "-i", "a=a.tif"]), [-3.0], "{formula}");
    }
    // Patterns of the shell.
    raster(&folder, "b.tif", &[&[5.0]], BYTE);
    assert_eq!(values(&folder, &["calc", "a + b", "-i", "a=[a].tif", "-i", "b=[b].tif"]), [8.0]);
}
