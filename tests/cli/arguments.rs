//! What is refused before any file is opened.

use super::support::{listed, names, Folder};

fn refused(arguments: &[&str], words: &[&str]) {
    Folder::with_dem(40).refused(arguments, 2, words);
}

#[test]
fn unknown_names() {
    refused(
        &["visualize", "slop", "dem.tif", "out.tif"],
        &["unknown operation 'slop'; allowed: slope, aspect"],
    );
    refused(
        &["render", "vta", "dem.tif", "out.tif"],
        &["'vta' is neither a file nor a preset", "vat-combined"],
    );
    refused(&["describe", "vta"], &["unknown operation or preset 'vta'", "slope", "vat"]);
    refused(&["man", "vta"], &["unknown command 'vta'; allowed: list, describe"]);
    refused(&["visualize", "", "dem.tif", "out.tif"], &["unknown operation ''"]);
    refused(&["visualize", "a\nb", "dem.tif", "out.tif"], &["unknown operation 'a b'"]);
    refused(&["visualise", "slope", "dem.tif", "out.tif"], &["visualise", "visualize"]);
}

#[test]
fn names_at_the_wrong_command() {
    refused(&["visualize", "vat", "dem.tif", "out.tif"], &["'vat' is a preset", "terralume render vat"]);
    refused(
        &["render", "slope", "dem.tif", "out.tif"],
        &["'slope' is an operation", "terralume visualize slope"],
    );
    refused(&["visualize", "slope,vat", "dem.tif", "out"], &["'vat' is a preset", "terralume render vat"]);
}

#[test]
fn parameters() {
    let hillshade = |text: &str, words: &[&str]| {
        refused(&["visualize", "hillshade", "dem.tif", "out.tif", "-p", text], words);
    };
    hillshade(
        "azimut=300",
        &["unknown parameter 'azimut'; allowed: vertical_exaggeration, azimuth, elevation"],
    );
    hillshade("azimuth=400", &["azimuth = '400' is not allowed; allowed: a number from 0 to 360"]);
    hillshade("azimuth=west", &["azimuth = 'west'", "a number from 0 to 360"]);
    hillshade("azimuth=nan", &["azimuth = 'nan'"]);
    hillshade("azimuth=", &["azimuth = ''"]);
    hillshade("azimuth", &["-p 'azimuth'", "allowed: key=value"]);
    hillshade("hillshade.azimut=3", &["unknown parameter 'azimut'; allowed: vertical_exaggeration, azimuth"]);
    hillshade("slope.unit=degree", &["unknown operation of a parameter 'slope'; allowed: hillshade"]);
    hillshade("opacity=3", &["unknown parameter 'opacity'"]);
    let vat =
        |text: &str, words: &[&str]| refused(&["render", "vat", "dem.tif", "out.tif", "-p", text], words);
    vat("unit=degree", &["unknown layer of a parameter 'unit'; allowed: sky_view_factor"]);
    vat("slop.unit=degree", &["unknown layer 'slop'; allowed: sky_view_factor"]);
    vat("slope.colour=red", &["unknown parameter 'colour'; allowed: vertical_exaggeration, unit"]);
    vat("slope.opacity=101", &["opacity 101", "0 to 100"]);
    vat("slope.mode=shiny", &["slope: unknown blend mode 'shiny'; allowed: normal"]);
    vat("slope.stretch=percent:60,50", &["slope: stretch percent:60,50", "together below 100"]);
    vat("slope.stretch=deviations:0", &["slope: stretch deviations:0", "greater than 0"]);
    vat("slope.min=90", &["layer 'slope': stretch from 90 to 50", "min smaller than max"]);
    let combined = ["render", "cvat", "dem.tif", "out.tif", "-p", "vat-flat.hillshade.elevation=100"];
    refused(&combined, &["vat-flat: hillshade: elevation = '100'", "from 0 to 90"]);
}

#[test]
fn every_number_has_its_range() {
    let folder = Folder::with_dem(20);
    for operation in listed()["operations"].as_array().unwrap() {
        let id = operation["id"].as_str().unwrap();
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            for value in ["1e9", "-1e9", "much"] {
                let pair = format!("{name}={value}");
                let words = [&format!("{name} = '{value}'"), "allowed: "];
                folder.refused(&["visualize", id, "dem.tif", "out.tif", "-p", &pair], 2, &words);
            }
        }
    }
}

#[test]
fn options() {
    let slope = |more: &[&str], words: &[&str]| {
        refused(&[&["visualize", "slope", "dem.tif", "out.tif"], more].concat(), words);
    };
    slope(&["--threads", "0"], &["threads = '0'", "from 1 to 1024"]);
    slope(&["--memory", "lots"], &["memory = 'lots'", "512M"]);
    slope(&["--tile-size", "8"], &["tile-size = '8'", "at least 16"]);
    slope(&["--type", "int16"], &["type = 'int16'", "float32, uint8"]);
    slope(&["--stretch", "2,-2"], &["stretch = '2,-2'", "the smaller one first"]);
    slope(&["--stretch", "1"], &["stretch = '1'"]);
    for bad in
        ["5,0", "5,5", "nan,1", "percent:60,50", "percent:100,0", "percent:-1,2", "percent:2", "sigma:2"]
    {
        slope(&["--stretch", bad], &[&format!("stretch = '{bad}'"), "together below 100", "above 0"]);
    }
    for bad in ["deviations:0", "deviations:-1", "deviations:inf", "deviations:", ""] {
        slope(&["--type", "uint8", "--stretch", bad], &[&format!("stretch = '{bad}'"), "deviations:N"]);
    }
    slope(&["--format", "PNG"], &["format = 'PNG'", "GTiff, COG, Zarr, VRT"]);
    slope(&["--band", "0"], &["band = '0'", "at least 1"]);
    slope(&["--nodata", "none"], &["nodata = 'none'", "a number"]);
    slope(&["--compat", "qgis"], &["compat = 'qgis'", "none, rvt"]);
    slope(&["--co", "COMPRESS"], &["co = 'COMPRESS'", "KEY=VALUE"]);
    slope(&["--memory"], &["--memory", "value is required"]);
    slope(&["--memory", "--quiet"], &["memory = '--quiet'"]);
    slope(&["--colour"], &["--colour"]);
    slope(&["--band", "1", "--band", "1"], &["--band"]);
    slope(&["again.tif"], &["again.tif"]);
    refused(&["visualize", "slope", "dem.tif"], &["OUT"]);
    refused(&["visualize", "slope"], &["DEM", "OUT"]);
    refused(&["list", "slope"], &["slope"]);
    let vat = ["render", "vat", "dem.tif", "out.tif", "--type", "uint8", "--stretch", "0,1"];
    refused(&vat, &["stretch", "single operation", "layer.min"]);
}

#[test]
fn every_valued_option_wants_a_value() {
    for option in listed()["options"].as_array().unwrap().iter().filter(|option| option["value"] != "") {
        let flag = format!("--{}", option["name"].as_str().unwrap());
        refused(&["visualize", "slope", "dem.tif", "out.tif", &flag], &[&flag]);
    }
    assert!(names(&listed(), "options", "name").contains(&"stretch".to_string()));
}
