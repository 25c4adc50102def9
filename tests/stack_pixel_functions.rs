//! Pixel functions of band maths, called by GDAL's own programs on VRT files of real scenes.

#[path = "pixel_functions/support.rs"]
#[allow(dead_code, reason = "a test binary uses its own part")]
mod support;

use support::{band, same_bits, twice, Place, Source};
use terralume::stack::cells::read_row;
use terralume::stack::expression::{parse, NoDataRule};
use terralume::stack::mask::{self, Mask, Outside};
use terralume::stack::reduce::{Grouping, Layers, ReducePlan, Statistic};

/// Rows, and columns of the square that is used.
const SIDE: usize = 14;

const COLUMNS: usize = 20;

const SCENES: usize = 19;

/// Layers of a band of the Landsat series, cut to squares.
fn layers(name: &str) -> Vec<Vec<u16>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/stack/arithmetic");
    let bytes = std::fs::read(format!("{folder}/l8_{name}.bin")).unwrap();
    let cells: Vec<u16> = bytes.chunks_exact(2).map(|cell| u16::from_le_bytes([cell[0], cell[1]])).collect();
    let square = |layer: &[u16]| layer.chunks(COLUMNS).flat_map(|row| row[..SIDE].to_vec()).collect();
    cells.chunks(COLUMNS * SIDE).map(square).collect()
}

/// A folder with `b4_0.raw`, `b5_0.raw`, `bqa_0.raw` and so on: rasters of 16 bits.
fn place() -> Place {
    let place = Place::new();
    for name in ["b4", "b5", "bqa"] {
        for (scene, layer) in layers(name).iter().enumerate() {
            let cells: Vec<u8> = layer.iter().flat_map(|cell| cell.to_le_bytes()).collect();
            std::fs::write(place.path(&format!("{name}_{scene}.raw")), cells).unwrap();
            let header = format!(
                "ENVI\nsamples = {SIDE}\nlines = {SIDE}\nbands = 1\nheader offset = 0\nfile type = ENVI Standard\n\
                 data type = 12\ninterleave = bsq\nbyte order = 0\n"
            );
            place.write(&format!("{name}_{scene}.hdr"), &header);
        }
    }
    place
}

/// A derived band that computes and is kept in 64 bits, with this nodata value.
fn wide(function: &str, arguments: &str, nodata: Option<&str>, sources: &[Source]) -> String {
    let arguments = match nodata {
        Some(nodata) => format!(r#"{arguments} nodata="{nodata}""#),
        None => arguments.into(),
    };
    let band = band(function, &arguments, sources)
        .replace(r#"dataType="Float32""#, r#"dataType="Float64""#)
        .replace("<SourceTransferType>Float32", "<SourceTransferType>Float64");
    let set = nodata.map_or(String::new(), |nodata| format!("<NoDataValue>{nodata}</NoDataValue>"));
    band.replace("<PixelFunctionType>", &format!("{set}<PixelFunctionType>"))
}

fn sources(name: &str) -> Vec<Source> {
    (0..SCENES).map(|scene| Source::of(&format!("{name}_{scene}.raw"))).collect()
}

fn row(cells: &[u16], nodata: Option<f64>) -> Vec<f64> {
    let mut row = vec![0.0; cells.len()];
    read_row(cells, nodata, &mut row);
    row
}

/// As a 32-bit raster holds them, with missing cells as 0.
fn narrow(row: &[f64]) -> Vec<f32> {
    row.iter().map(|value| if value.is_nan() { 0.0 } else { *value as f32 }).collect()
}

#[test]
fn expressions_and_differences_are_those_of_the_library() {
    let place = place();
    let (red, nir) = (&layers("b4")[3], &layers("b5")[3]);
    let bands = [Source::of("b4_3.raw"), Source::of("b5_3.raw")];
    for text in [
        "(b2 - b1) / (b2 + b1)",
        "sqrt(B1) &lt; 90 ? b2^2 : -b1",
        "nodata",
        "evi(b1 / 1e5, b1 / 1e4, b2 / 1e4)",
    ] {
        let plain = text.replace("&lt;", "<").replace('B', "b");
        let program = parse(&plain).unwrap().compile(&["b1", "b2"], NoDataRule::Strict).unwrap();
        let rows = [row(red, Some(0.0)), row(nir, Some(0.0))];
        let inputs: Vec<f64> = program.inputs().iter().flat_map(|input| rows[*input].clone()).collect();
        let mut expected = vec![0.0; SIDE * SIDE];
        program.run(SIDE * SIDE, &inputs, &mut program.scratch(), &mut expected);
        let arguments = format!(r#"expression="{text}""#);
        place.vrt("calc.vrt", SIDE, &[wide("terralume_expr", &arguments, Some("0"), &bands)]);
        same_bits(&place.floats("calc.vrt"), &narrow(&expected));
    }
    let difference = wide("terralume_norm_diff", "", Some("0"), &bands);
    place.vrt("difference.vrt", SIDE, &[difference]);
    let ndvi = wide("terralume_expr", r#"expression="ndvi()" names="red,nir""#, Some("0"), &bands);
    place.vrt("ndvi.vrt", SIDE, &[ndvi]);
    let cells = place.floats("difference.vrt");
    assert!(cells.iter().any(|cell| *cell != 0.0));
    same_bits(&cells, &place.floats("ndvi.vrt"));
}

#[test]
fn gdal_has_the_same_numbers_where_it_has_the_function() {
    let place = place();
    let two = [Source::of("b4_3.raw"), Source::of("b5_3.raw")];
    let many = sources("b5");
    let check = |ours: &str, theirs: &str| {
        let theirs = place.floats(theirs);
        assert!(theirs.iter().any(|cell| *cell != 0.0));
        same_bits(&place.floats(ours), &theirs);
    };
    // No nodata: GDAL's functions compute with whatever comes.
    for (gdal, ours, arguments) in [
        ("sum", "terralume_expr", r#"expression="b1 + b2""#),
        ("sum", "terralume_stat", r#"stat="sum""#),
        ("diff", "terralume_expr", r#"expression="b1 - b2""#),
        ("mul", "terralume_expr", r#"expression="b1 * b2""#),
        ("mul", "terralume_stat", r#"stat="prod""#),
    ] {
        place.vrt("gdal.vrt", SIDE, &[wide(gdal, "", None, &two)]);
        place.vrt("ours.vrt", SIDE, &[wide(ours, arguments, None, &two)]);
        check("ours.vrt", "gdal.vrt");
    }
    place.vrt("gdal.vrt", SIDE, &[wide("sum", "", None, &many)]);
    place.vrt("ours.vrt", SIDE, &[wide("terralume_stat", r#"stat="sum""#, None, &many)]);
    check("ours.vrt", "gdal.vrt");
    // Functions of one value: GDAL's take a single source, and these rasters have no overviews.
    for (gdal, arguments, expression) in [
        ("sqrt", "", "sqrt(b1)"),
        ("pow", r#"power="2""#, "b1^2"),
        ("log10", "", "log10(b1 + 0)"),
        ("inv", "", "1 / b1"),
    ] {
        // NIR without a cell that is 0.
        let source = [Source::of("filled.vrt")];
        place.vrt(
            "filled.vrt",
            SIDE,
            &[wide("terralume_expr", r#"expression="max(b1, 1)""#, None, &two[1..])],
        );
        place.vrt("gdal.vrt", SIDE, &[wide(gdal, arguments, None, &source)]);
        let ours =
            wide("terralume_expr", &format!(r#"expression="{expression}""#), None, &twice("filled.vrt"));
        place.vrt("ours.vrt", SIDE, &[ours]);
        check("ours.vrt", "gdal.vrt");
    }
    // A normalised difference from three of GDAL's own.
    place.vrt("top.vrt", SIDE, &[wide("diff", "", None, &[two[1].clone(), two[0].clone()])]);
    place.vrt("below.vrt", SIDE, &[wide("sum", "", None, &two)]);
    let quotient = [Source::of("top.vrt"), Source::of("below.vrt")];
    place.vrt("gdal.vrt", SIDE, &[wide("div", "", None, &quotient)]);
    place.vrt("ours.vrt", SIDE, &[wide("terralume_norm_diff", "", None, &two)]);
    let (ours, theirs) = (place.floats("ours.vrt"), place.floats("gdal.vrt"));
    let there = |cell: usize| layers("b4")[3][cell] != 0 || layers("b5")[3][cell] != 0;
    for cell in (0..SIDE * SIDE).filter(|cell| there(*cell)) {
        assert_eq!(ours[cell].to_bits(), theirs[cell].to_bits(), "{cell}");
    }
}

#[test]
fn statistics_are_those_of_the_library() {
    let place = place();
    let dates: Vec<i64> = (0..SCENES as i64).collect();
    let groups = Grouping::All.of(&dates, None).unwrap();
    let scenes: Vec<Vec<f64>> = layers("b5").iter().map(|layer| row(layer, Some(0.0))).collect();
    for text in ["count", "mean", "median", "p90", "std(ddof=1)", "min", "which_max(index)", "mode"] {
        let statistics = Statistic::parse_list(text).unwrap();
        let layers = Layers { dates: &dates, groups: &groups, weights: None };
        let plan = ReducePlan::new(&statistics, layers, 2).unwrap();
        let mut state = plan.state(SIDE * SIDE, false);
        scenes.iter().enumerate().for_each(|(layer, row)| state.feed(layer, 0, row));
        let mut expected = vec![0.0; SIDE * SIDE];
        state.finish(0, 0, SIDE * SIDE, &mut expected, &mut plan.scratch());
        let arguments = format!(r#"stat="{text}" min_count="2""#);
        place.vrt("stat.vrt", SIDE, &[wide("terralume_stat", &arguments, Some("0"), &sources("b5"))]);
        let found = place.floats("stat.vrt");
        assert!(found.iter().any(|cell| *cell > 0.0), "{text}");
        same_bits(&found, &narrow(&expected));
    }
}

#[test]
fn masked_scenes_keep_their_whole_numbers() {
    let place = place();
    let (nir, quality) = (&layers("b5")[3], &layers("bqa")[3]);
    let text = "landsat_c1:fill,cloud,cloud_confidence>=medium";
    let mask = Mask::parse(text, &["b2"]).unwrap();
    let mut masked = vec![0; SIDE * SIDE];
    mask.row(SIDE * SIDE, &row(quality, None), &mut mask.scratch(), Outside::Mask, &mut masked);
    assert!((1..SIDE as u64 * SIDE as u64).contains(&mask::count(&masked)));
    let bands = [Source::of("b5_3.raw"), Source::of("bqa_3.raw")];
    let arguments = format!(r#"mask="{}" value="65535""#, text.replace('>', "&gt;"));
    let band = band("terralume_qamask", &arguments, &bands)
        .replace(r#"dataType="Float32""#, r#"dataType="UInt16""#)
        .replace("<SourceTransferType>Float32", "<SourceTransferType>UInt16");
    place.vrt("masked.vrt", SIDE, &[band]);
    let expected =
        nir.iter().zip(masked).map(|(cell, masked)| if masked == 1 { 65535.0 } else { f32::from(*cell) });
    same_bits(&place.floats("masked.vrt"), &expected.collect::<Vec<_>>());
    // In a chain: the masked scene is a source of an index.
    let red = Source::of("b4_3.raw");
    let ndvi = wide("terralume_norm_diff", "", Some("65535"), &[red, Source::of("masked.vrt")]);
    place.vrt("ndvi.vrt", SIDE, &[ndvi]);
    place.plain("gdal_translate", &["-q", "ndvi.vrt", "ndvi.tif"]);
    let missing = place.floats("ndvi.tif").iter().filter(|cell| **cell == 65535.0).count();
    assert!(
        missing as u64
            >= mask::count(
                &place.floats("masked.vrt").iter().map(|c| u8::from(*c == 65535.0)).collect::<Vec<_>>()
            )
    );
}

#[test]
fn a_wrong_argument_is_one_error_and_no_file() {
    let place = place();
    let two = [Source::of("b4_3.raw"), Source::of("b5_3.raw")];
    for (function, arguments, said) in [
        ("expr", r#"expression="(b2 - b1""#, "expression, column 9: the end is not expected; allowed: "),
        ("expr", r#"expression="b1 + nir""#, "column 6: unknown input 'nir'; allowed: b1, b2, B1, B2"),
        ("expr", "", "argument expression is missing"),
        ("norm_diff", r#"scale="2""#, "unknown argument 'scale'; allowed: nodata"),
        ("stat", r#"stat="middle""#, "unknown statistic 'middle'; allowed: count, mean"),
        ("qamask", r#"mask="landsat_c9:cloud""#, "unknown preset 'landsat_c9'; allowed: landsat_c2"),
    ] {
        let function = format!("terralume_{function}");
        place.vrt("bad.vrt", SIDE, &[band(&function, arguments, &two)]);
        let (code, error) = place.fails("gdal_translate", &["-q", "bad.vrt", "bad.tif"]);
        assert_eq!((code, error.lines().count()), (Some(1), 1), "{arguments}: {error}");
        assert!(
            error.starts_with(&format!("ERROR 1: {function}: ")) && error.contains(said),
            "{arguments}: {error}"
        );
        assert!(!place.path("bad.tif").exists(), "{arguments} leaves a file");
    }
}
