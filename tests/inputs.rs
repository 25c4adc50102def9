//! Every kind of raster GDAL can hand us gives the result of its elevations, whatever way they are stored.

mod common;

use common::files::{path_text, read_raster, tool, translate, write_raw};
use common::{compute, compute_with, inner, recipe, rough, with_holes};
use ndarray::{Array2, Array3, Axis};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;
use terralume::core::grid::Grid;
use terralume::gdal::{DatasetHandle, Gdal};
use terralume::recipe::chain::ChainOptions;
use terralume::{registry, Compatibility, Error, Input, Job, JobOptions, Recipe, Result};

const CELL: f64 = 2.0;

/// Reads elevations only through differences: any change of a cell shows in its neighbourhood.
const RECIPE: &str = "openness_positive";

/// A folder with the same elevations as raw 64-bit numbers: what every other file is made from.
struct Bench {
    folder: TempDir,
    raw: PathBuf,
    cells: Array2<f64>,
}

impl Bench {
    /// NaN is stored as `hole`.
    fn new(cells: Array2<f64>, hole: f64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let stored = cells.mapv(|cell| if cell.is_nan() { hole } else { cell });
        let raw = write_raw(folder.path(), "raw", &stored, CELL);
        Self { folder, raw, cells }
    }

    /// What the recipe gives for these elevations, computed without files.
    fn expected(&self) -> Array3<f32> {
        compute(&recipe(RECIPE, &[]), &Grid::square(CELL), &self.cells.mapv(|cell| cell as f32))
    }

    fn file(&self, name: &str, arguments: &[&str]) -> PathBuf {
        translate(&self.raw, name, arguments)
    }

    fn run(&self, input: &Path, options: JobOptions) -> Result<Array3<f64>> {
        self.run_input(Input::Path(path_text(input).into()), options)
    }

    fn run_input(&self, input: Input, options: JobOptions) -> Result<Array3<f64>> {
        self.run_recipe(recipe(RECIPE, &[]), input, options)
    }

    fn run_recipe(&self, recipe: Recipe, input: Input, options: JobOptions) -> Result<Array3<f64>> {
        let folder = tempfile::tempdir_in(self.folder.path()).expect("a temporary folder");
        let output = folder.path().join("out.tif");
        let job = Job::new(recipe, input, path_text(&output).into(), options);
        job.run(&mut |_, _| true, &AtomicBool::new(false))?;
        Ok(read_raster(&output))
    }

    /// The file gives the bits its elevations give.
    fn check(&self, input: &Path, options: JobOptions) {
        let result = self.run(input, options).unwrap_or_else(|error| panic!("{error}"));
        assert_same(&result, &self.expected(), path_text(input));
    }
}

fn assert_same(ours: &Array3<f64>, expected: &Array3<f32>, what: &str) {
    assert_eq!(ours.dim(), expected.dim(), "{what}");
    for ((place, ours), expected) in ours.indexed_iter().zip(expected) {
        let same = (*ours as f32).to_bits() == expected.to_bits() || (ours.is_nan() && expected.is_nan());
        assert!(same, "{what}: {ours} instead of {expected} at band, row, column {place:?}");
    }
}

/// Tiles smaller than the raster, two workers: blocks are shared and cut.
fn options() -> JobOptions {
    JobOptions { tile_size: Some(100), threads: Some(2), ..JobOptions::default() }
}

/// Whole metres from 5 to 205.
fn whole_metres(rows: usize, cols: usize) -> Array2<f64> {
    rough(rows, cols).mapv(|cell| (f64::from(cell) * 2.0).round() + 105.0).mapv(|cell| cell.clamp(5.0, 205.0))
}

fn fractions(rows: usize, cols: usize) -> Array2<f64> {
    rough(rows, cols).mapv(|cell| f64::from(cell) + 300.0)
}

fn holes(cells: Array2<f64>) -> Array2<f64> {
    let marks = with_holes(Array2::zeros(cells.dim()));
    ndarray::Zip::from(&cells).and(&marks).map_collect(|cell, mark| cell + f64::from(*mark))
}

/// Every type of real numbers that any GDAL has; signed bytes have a test of their own.
const TYPES: [&str; 9] =
    ["Byte", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64"];

#[test]
fn every_type_of_cell_is_read() {
    let bench = Bench::new(whole_metres(130, 150), 0.0);
    for name in TYPES {
        bench.check(&bench.file(&format!("{name}.tif"), &["-ot", name]), options());
        let marked = bench.file(&format!("{name}-0.tif"), &["-ot", name, "-a_nodata", "0"]);
        bench.check(&marked, options());
    }
    let below = Bench::new(whole_metres(130, 150).mapv(|cell| cell - 150.0), 0.0);
    for name in ["Int16", "Int32", "Int64", "Float32", "Float64"] {
        below.check(&below.file(&format!("{name}.tif"), &["-ot", name]), options());
    }
}

#[test]
fn holes_are_holes_in_every_type() {
    let bench = Bench::new(holes(whole_metres(130, 150)), 3.0);
    for name in TYPES {
        bench.check(&bench.file(&format!("{name}.tif"), &["-ot", name, "-a_nodata", "3"]), options());
        let silent = bench.file(&format!("{name}-silent.tif"), &["-ot", name]);
        bench.check(&silent, JobOptions { nodata: Some(3.0), ..options() });
    }
}

/// The marks people use: the smallest or largest number of a type.
#[test]
fn the_ends_of_every_type_mark_holes() {
    for (name, mark) in [
        ("Byte", "255"),
        ("UInt16", "65535"),
        ("Int16", "-32768"),
        ("UInt32", "4294967295"),
        ("Int32", "-2147483648"),
        ("Int64", "-9223372036854775808"),
        ("Float32", "3.4028234663852886e+38"),
        ("Float64", "-1.7976931348623157e+308"),
    ] {
        let bench = Bench::new(holes(whole_metres(130, 150)), mark.parse().expect("a number"));
        for layout in ["TILED=NO", "TILED=YES"] {
            let file = format!("{name}{layout}.tif");
            bench.check(&bench.file(&file, &["-ot", name, "-a_nodata", mark, "-co", layout]), options());
        }
        bench.check(&bench.file("any.vrt", &["-ot", name, "-a_nodata", mark, "-of", "VRT"]), options());
    }
}

/// No 64-bit float holds these exactly, so that the file is made of whole numbers.
#[test]
fn the_largest_whole_numbers_mark_holes() {
    let bench = Bench::new(holes(whole_metres(130, 150)), 0.0);
    for (name, mark) in [("UInt64", u64::MAX), ("Int64", i64::MAX as u64)] {
        let words = bench.cells.iter().map(|cell| if cell.is_nan() { mark } else { *cell as u64 });
        let raw = bench.folder.path().join(format!("{name}.bin"));
        std::fs::write(&raw, words.flat_map(u64::to_le_bytes).collect::<Vec<_>>())
            .expect("room for a test file");
        let described = raw.with_extension("vrt");
        let text = format!(
            r#"<VRTDataset rasterXSize="150" rasterYSize="130">
            <VRTRasterBand dataType="{name}" band="1" subClass="VRTRawRasterBand">
            <SourceFilename relativetoVRT="1">{name}.bin</SourceFilename></VRTRasterBand></VRTDataset>"#
        );
        std::fs::write(&described, text).expect("room for a test file");
        let place = ["-a_nodata", &mark.to_string(), "-a_ullr", "0", "260", "300", "0"];
        bench.check(&translate(&described, &format!("{name}.tif"), &place), options());
    }
}

/// Whether the installed GDAL is at least 3.`minor`.
fn gdal_from(minor: u32) -> bool {
    let version = tool("gdalinfo", &["--version"]);
    let number = version.split(['.', ',', ' ']).nth(2).and_then(|text| text.parse::<u32>().ok());
    version.starts_with("GDAL 4") || number.unwrap_or_else(|| panic!("{version}")) >= minor
}

#[test]
fn signed_bytes_are_read_where_gdal_has_them() {
    if !gdal_from(7) {
        return;
    }
    let bench = Bench::new(holes(whole_metres(130, 150).mapv(|cell| (cell / 2.0).round() - 60.0)), -128.0);
    bench.check(&bench.file("Int8.tif", &["-ot", "Int8", "-a_nodata", "-128"]), options());
    let silent = bench.file("Int8-silent.tif", &["-ot", "Int8"]);
    bench.check(&silent, JobOptions { nodata: Some(-128.0), ..options() });
}

/// Heights on both sides of 0: some results are heights, and RVT's numbers depend on heights above 0.
#[test]
fn heights_themselves_are_the_same_whatever_their_type() {
    let bench = Bench::new(holes(whole_metres(130, 150).mapv(|cell| cell - 150.0)), -999.0);
    let files = ["Int16", "Int32", "Float32", "Float64"].map(|name| {
        let file = bench.file(&format!("{name}.tif"), &["-ot", name, "-a_nodata", "-999"]);
        (name, file)
    });
    let cells = bench.cells.mapv(|cell| cell as f32);
    for operation in registry::operations() {
        for compatibility in [Compatibility::None, Compatibility::Rvt] {
            let recipe = Recipe::of_operation(operation);
            let chain_options = ChainOptions { compatibility, ..ChainOptions::default() };
            let expected = compute_with(&recipe, &Grid::square(CELL), &cells, chain_options).floats();
            for (name, file) in &files {
                let options = JobOptions { compatibility, ..options() };
                let input = Input::Path(path_text(file).into());
                let result = bench.run_recipe(recipe.clone(), input, options).expect("well formed");
                assert_same(&result, &expected, &format!("{} {compatibility:?} {name}", operation.id));
            }
        }
    }
}

#[test]
fn every_layout_gives_the_same_bits() {
    let bench = Bench::new(holes(fractions(300, 290)), -9999.0);
    let layouts: &[&[&str]] = &[
        &["BLOCKYSIZE=1"],
        &["BLOCKYSIZE=7"],
        &["BLOCKYSIZE=300"],
        &["TILED=YES", "BLOCKXSIZE=128", "BLOCKYSIZE=128"],
        &["TILED=YES"],
        &["TILED=YES", "BLOCKXSIZE=272", "BLOCKYSIZE=272"],
        &["TILED=YES", "BLOCKXSIZE=16", "BLOCKYSIZE=512"],
        &["COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES"],
        &["COMPRESS=LZW", "BLOCKYSIZE=5"],
        &["ENDIANNESS=BIG", "BIGTIFF=YES"],
        &["SPARSE_OK=TRUE", "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64"],
    ];
    for (index, layout) in layouts.iter().enumerate() {
        for name in ["Float32", "Float64"] {
            let creation = layout.iter().flat_map(|option| ["-co", option]);
            let arguments: Vec<&str> =
                ["-ot", name, "-a_nodata", "-9999"].into_iter().chain(creation).collect();
            bench.check(&bench.file(&format!("layout{index}-{name}.tif"), &arguments), options());
        }
    }
}

#[test]
fn other_formats_give_the_same_bits() {
    let bench = Bench::new(holes(fractions(130, 150)), -9999.0);
    let marked = ["-a_nodata", "-9999"];
    let tiff = bench.file("a.tif", &[&["-ot", "Float32"], &marked[..]].concat());
    bench.check(&bench.file("a.vrt", &[&["-of", "VRT"], &marked[..]].concat()), options());
    let ascii = ["-of", "AAIGrid", "-co", "DECIMAL_PRECISION=10"];
    bench.check(&bench.file("a.asc", &[&ascii[..], &marked[..]].concat()), options());
    bench.check(&bench.file("b.bin", &[&["-of", "ENVI", "-ot", "Float32"], &marked[..]].concat()), options());
    let mosaic = tiff.with_file_name("mosaic.vrt");
    tool("gdalbuildvrt", &["-q", path_text(&mosaic), path_text(&tiff)]);
    bench.check(&mosaic, options());
}

#[test]
fn nodata_values_of_every_kind_are_seen() {
    for (index, value) in ["nan", "-3.4028234663852886e+38", "-32768", "0", "1e+20"].into_iter().enumerate() {
        let bench = Bench::new(holes(fractions(90, 110)), value.parse().expect("a number"));
        for name in ["Float32", "Float64"] {
            let arguments = ["-ot", name, "-a_nodata", value];
            bench.check(&bench.file(&format!("value{index}-{name}.tif"), &arguments), options());
        }
    }
    // A file without nodata value whose holes are NaN, infinite or the lowest 32-bit number, as programs write them by
    // mistake.
    for hole in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from(f32::MIN)] {
        let bench = Bench::new(holes(fractions(90, 110)), hole);
        for name in ["Float32", "Float64"] {
            bench.check(&bench.file(&format!("{name}.tif"), &["-ot", name]), options());
        }
    }
    // The same with numbers that do not fit into 32 bits, the first of which comes before any height.
    let mut cells = holes(fractions(90, 110));
    cells.slice_mut(ndarray::s![.., ..3]).fill(f64::NAN);
    let bench = Bench::new(cells, f64::MIN);
    bench.check(&bench.file("lowest.tif", &["-ot", "Float64"]), options());
}

/// -9999.9 is no 32-bit number: cells hold its neighbour, whichever way they are read.
#[test]
fn nodata_values_between_32_bit_numbers_are_seen() {
    let bench = Bench::new(holes(fractions(90, 110)), -9999.9);
    let nodata = ["-ot", "Float32", "-a_nodata", "-9999.9"];
    let file = bench.file("between.tif", &nodata);
    bench.check(&file, options());
    let mosaic = file.with_file_name("mosaic.vrt");
    tool("gdalbuildvrt", &["-q", path_text(&mosaic), path_text(&file)]);
    bench.check(&mosaic, options());
    bench.check(&bench.file("wide.vrt", &[&nodata[..], &["-of", "VRT"]].concat()), options());
    bench.check(
        &bench.file("shifted.tif", &[&nodata[..], &["-a_scale", "1", "-a_offset", "0"]].concat()),
        options(),
    );
    let unmarked = bench.file("unmarked.vrt", &["-ot", "Float32", "-of", "VRT"]);
    bench.check(&unmarked, JobOptions { nodata: Some(-9999.9), ..options() });
}

#[test]
fn a_nodata_option_replaces_the_value_of_the_file() {
    let bench = Bench::new(holes(fractions(90, 110)), -7.0);
    let file = bench.file("wrong.tif", &["-ot", "Float32", "-a_nodata", "-9999"]);
    bench.check(&file, JobOptions { nodata: Some(-7.0), ..options() });
    let unmarked = bench.run(&file, options()).expect("well formed");
    assert!(unmarked.iter().all(|value| !value.is_nan()), "without the option -7 is a height");
}

#[test]
fn scale_and_offset_are_applied() {
    let raw = holes(whole_metres(90, 110));
    let bench = Bench::new(raw.mapv(|cell| cell * 0.25 + 10.0), 0.0);
    let stored = raw.mapv(|cell| if cell.is_nan() { 3.0 } else { cell });
    let source = write_raw(bench.folder.path(), "stored", &stored, CELL);
    for name in ["Int16", "Float32", "Float64"] {
        let arguments = ["-ot", name, "-a_scale", "0.25", "-a_offset", "10", "-a_nodata", "3"];
        bench.check(&translate(&source, &format!("{name}.tif"), &arguments), options());
    }
}

/// Three bands in one file: other elevations, `cells` as band 2, and a mask of 0 and 255.
fn three_bands(bench: &Bench, mask: &Array2<f64>) -> PathBuf {
    let folder = bench.folder.path();
    let other = bench.cells.mapv(|cell| if cell.is_nan() { 44.0 } else { 200.0 - cell / 2.0 });
    let files = [("other", &other), ("mask", mask)].map(|(name, cells)| write_raw(folder, name, cells, CELL));
    let stack = folder.join("stack.vrt");
    let names = [path_text(&files[0]), path_text(&bench.raw), path_text(&files[1])];
    tool("gdalbuildvrt", &[&["-q", "-separate", path_text(&stack)], &names[..]].concat());
    stack
}

#[test]
fn one_band_of_several_is_read() {
    let bench = Bench::new(fractions(90, 110), 0.0);
    let stack = three_bands(&bench, &Array2::zeros((90, 110)));
    let options = JobOptions { band: Some(2), ..options() };
    for (name, way) in [("pixel", "INTERLEAVE=PIXEL"), ("band", "INTERLEAVE=BAND")] {
        for tiled in ["TILED=YES", "TILED=NO"] {
            let arguments = ["-ot", "Float32", "-co", way, "-co", tiled];
            bench.check(&translate(&stack, &format!("{name}-{tiled}.tif"), &arguments), options.clone());
        }
    }
    bench.check(&stack, options.clone());
    let missing = bench.run(&stack, JobOptions { band: Some(4), ..options });
    assert!(matches!(missing, Err(Error::Argument(text)) if text.contains("allowed: 1 to 3")));
}

#[test]
fn masks_make_holes() {
    let bench = Bench::new(holes(whole_metres(90, 110)), 9.0);
    let mask = bench.cells.mapv(|cell| if cell.is_nan() { 0.0 } else { 255.0 });
    let stack = three_bands(&bench, &mask);
    for (name, internal) in [("internal", "YES"), ("external", "NO")] {
        for cells in TYPES {
            let file = format!("{name}-{cells}.tif");
            let config = ["--config", "GDAL_TIFF_INTERNAL_MASK", internal];
            let bands = ["-ot", cells, "-b", "2", "-mask", "3", "-co", "TILED=YES"];
            let masked = translate(&stack, &file, &[&config[..], &bands].concat());
            assert_eq!(internal == "NO", masked.with_file_name(format!("{file}.msk")).exists());
            bench.check(&masked, options());
        }
    }
    for cells in ["Byte", "UInt16"] {
        let bands = ["-ot", cells, "-b", "2", "-b", "3", "-colorinterp_1", "gray", "-colorinterp_2", "alpha"];
        let alpha = translate(&stack, &format!("alpha-{cells}.tif"), &bands);
        bench.check(&alpha, options());
    }
}

#[test]
fn a_south_up_file_is_read_with_south_up() {
    let bench = Bench::new(holes(fractions(90, 110)), -9999.0);
    let mut flipped = bench.cells.mapv(|cell| if cell.is_nan() { -9999.0 } else { cell });
    flipped.invert_axis(Axis(0));
    let source = write_raw(bench.folder.path(), "flipped", &flipped, CELL);
    let corners = ["-a_ullr", "0", "0", "220", "180"];
    let file = translate(&source, "south-up.tif", &[&corners[..], &["-a_nodata", "-9999"]].concat());
    assert!(tool("gdalinfo", &[path_text(&file)]).contains("Pixel Size = (2.000000000000000,2.000"));
    let mut result = bench.run(&file, options()).expect("well formed");
    result.invert_axis(Axis(1));
    assert_same(&result, &bench.expected(), "south-up");
}

/// Height differences of a whole raster from 64-bit numbers at 4,000 m, by way of `narrow`.
fn slopes_by(cells: &Array2<f64>, narrow: impl Fn(f64) -> f64) -> Array2<f64> {
    let at = |row: usize, col: usize| narrow(cells[[row, col]]);
    let (rows, cols) = cells.dim();
    Array2::from_shape_fn((rows - 2, cols - 2), |(row, col)| {
        let (row, col) = (row + 1, col + 1);
        let east = (at(row, col - 1) - at(row, col + 1)) / 2.0 / CELL;
        let north = (at(row + 1, col) - at(row - 1, col)) / 2.0 / CELL;
        f64::hypot(east, north).atan().to_degrees()
    })
}

/// Ground at 4,000 m with centimetres of relief.
fn high_ground() -> Array2<f64> {
    rough(90, 110).mapv(|cell| 4000.0 + f64::from(cell) * 0.001_234_567 + 1.0 / 3.0)
}

/// Slopes of a file, without the cells at its edge.
fn slopes_of(file: &Path) -> Array2<f64> {
    let output = PathBuf::from(format!("{}.slope.tif", path_text(file)));
    let (input, output_name) = (Input::Path(path_text(file).into()), path_text(&output).to_string());
    let job = Job::new(recipe("slope", &[]), input, output_name, options());
    job.run(&mut |_, _| true, &AtomicBool::new(false)).expect("well formed");
    inner(&read_raster(&output).index_axis_move(Axis(0), 0))
}

/// The largest difference between cells that are not NaN, and how many those are.
fn worst(ours: &Array2<f64>, exact: &Array2<f64>) -> (f64, usize) {
    let differences = ours.iter().zip(exact).map(|(a, b)| (a - b).abs()).filter(|off| !off.is_nan());
    differences.fold((0.0, 0), |(worst, count), off| (f64::max(worst, off), count + 1))
}

const TOLERANCE: f64 = 1e-3;

/// Centimetres at 4,000 m survive in 64-bit files; narrowed to 32 bits they would not.
#[test]
fn centimetres_at_great_height_survive() {
    let cells = high_ground();
    let exact = slopes_by(&cells, |cell| cell);
    let naive = slopes_by(&cells, |cell| f64::from(cell as f32));
    assert!(worst(&naive, &exact).0 > 3.0 * TOLERANCE, "the test proves nothing");
    let bench = Bench::new(cells, 0.0);
    for (name, arguments) in [("high.tif", ["-ot", "Float64"]), ("high.vrt", ["-of", "VRT"])] {
        let (off, count) = worst(&slopes_of(&bench.file(name, &arguments)), &exact);
        assert!(off < TOLERANCE && count == exact.len(), "{name}: {off} degrees off, {count} cells");
    }
}

/// What a mask hides must not become the height that is taken off.
#[test]
fn centimetres_survive_behind_a_mask() {
    let mut cells = high_ground();
    cells.slice_mut(ndarray::s![.., ..5]).fill(f64::NAN);
    let exact = slopes_by(&cells, |cell| cell);
    let mask = cells.mapv(|cell| if cell.is_nan() { 0.0 } else { 255.0 });
    let bench = Bench::new(cells, -900_000.0);
    let stack = three_bands(&bench, &mask);
    let config = ["--config", "GDAL_TIFF_INTERNAL_MASK", "YES"];
    let masked = translate(&stack, "masked.tif", &[&config[..], &["-b", "2", "-mask", "3"]].concat());
    let (off, _) = worst(
        &slopes_of(&masked).slice(ndarray::s![.., 6..]).to_owned(),
        &exact.slice(ndarray::s![.., 6..]).to_owned(),
    );
    assert!(off < TOLERANCE, "{off} degrees off");
}

/// The same when data fill a few rows of a large empty raster only.
#[test]
fn centimetres_survive_on_an_island() {
    for first in [1, 20, 41, 62, 85] {
        let mut cells = high_ground();
        cells.slice_mut(ndarray::s![..first, ..]).fill(f64::NAN);
        cells.slice_mut(ndarray::s![first + 4.., ..]).fill(f64::NAN);
        let exact = slopes_by(&cells, |cell| cell);
        let bench = Bench::new(cells, -9999.0);
        let file = bench.file("island.tif", &["-ot", "Float64", "-a_nodata", "-9999"]);
        let (off, count) = worst(&slopes_of(&file), &exact);
        assert!(off < TOLERANCE && count == 2 * 108, "rows from {first}: {off} degrees off, {count} cells");
    }
}

/// Functions of the libgdal this process has loaded, found by its place in memory.
fn gdal_function(name: &str) -> *mut libc::c_void {
    Gdal::get().expect("GDAL is installed where tests run");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let library = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
    let library = library.into_iter().find(|path| path.contains("libgdal.so")).expect("libgdal is loaded");
    let (library, name) = [library, name].map(|text| std::ffi::CString::new(text).expect("no NUL")).into();
    // SAFETY: both strings end with NUL; the library is loaded already and stays so.
    let address = unsafe { libc::dlsym(libc::dlopen(library.as_ptr(), libc::RTLD_LAZY), name.as_ptr()) };
    assert!(!address.is_null());
    address
}

/// Does something with a dataset that stays open meanwhile.
fn with_dataset<T>(file: &Path, work: impl FnOnce(DatasetHandle) -> T) -> T {
    let path = std::ffi::CString::new(path_text(file)).expect("no NUL");
    // SAFETY: the signatures of GDAL's C API; the dataset stays open until the end of this block.
    unsafe {
        type Open = extern "C" fn(*const libc::c_char, libc::c_int) -> *mut libc::c_void;
        type Close = extern "C" fn(*mut libc::c_void);
        let open: Open = std::mem::transmute(gdal_function("GDALOpen"));
        let close: Close = std::mem::transmute(gdal_function("GDALClose"));
        let dataset = open(path.as_ptr(), 0);
        assert!(!dataset.is_null());
        let result = work(DatasetHandle::from_raw(dataset));
        close(dataset);
        result
    }
}

#[test]
fn a_dataset_the_caller_has_open_is_the_same_as_its_file() {
    let bench = Bench::new(holes(fractions(300, 290)), -9999.0);
    for name in ["Float32", "Float64", "Int16"] {
        let arguments = ["-ot", name, "-a_nodata", "-9999", "-co", "TILED=YES"];
        let file = bench.file(&format!("{name}.tif"), &arguments);
        let result = with_dataset(&file, |handle| bench.run_input(Input::Handle(handle), options()));
        let result = result.expect("well formed");
        let by_path = bench.run(&file, options()).expect("well formed");
        assert_same(&result, &by_path.mapv(|cell| cell as f32), name);
    }
}

/// Rasters of layers are files in any case, and the caller's own GDAL opens them.
#[test]
fn a_layer_lies_over_a_dataset_the_caller_has_open() {
    let bench = Bench::new(fractions(300, 290), 0.0);
    let (file, photo) =
        (bench.file("a.tif", &["-ot", "Float32"]), bench.file("photo.tif", &["-outsize", "50%", "50%"]));
    let layers = format!(r#"{{"raster": "{}", "stretch": "250,350", "opacity": 40}}"#, path_text(&photo));
    let text = format!(r#"{{"terralume_recipe": 1, "layers": [{layers}, {{"operation": "slope"}}]}}"#);
    let output = path_text(&file.with_file_name("out.tif")).to_string();
    let recipe = terralume::Recipe::parse(&text).expect("well formed");
    let options = JobOptions { overwrite: true, ..options() };
    let run = |input: Input| {
        let job = Job::new(recipe.clone(), input, output.clone(), options.clone());
        job.run(&mut |_, _| true, &AtomicBool::new(false)).expect("well formed");
        read_raster(Path::new(&output)).mapv(|cell| cell as f32)
    };
    let by_path = run(Input::Path(path_text(&file).into()));
    let by_handle = with_dataset(&file, |handle| run(Input::Handle(handle)));
    assert_same(&by_handle.mapv(f64::from), &by_path, "a handle");
}

/// Cells that the caller has written are in GDAL's cache until it flushes them, and not in the file's blocks.
#[test]
fn a_dataset_being_written_is_read_with_all_that_was_written() {
    let bench = Bench::new(fractions(300, 290), 0.0);
    let file = bench.file("new.tif", &["-ot", "Float32", "-co", "TILED=YES"]);
    let empty =
        bench.file("empty.tif", &["-ot", "Float32", "-co", "TILED=YES", "-scale", "0", "1", "0", "0"]);
    let path = std::ffi::CString::new(path_text(&empty)).expect("no NUL");
    let mut cells: Vec<f32> = bench.cells.iter().map(|cell| *cell as f32).collect();
    // SAFETY: the signatures of GDAL's C API; the dataset stays open until the end of this block, and `cells` has
    // the cells of the raster.
    let result = unsafe {
        type Pointer = *mut libc::c_void;
        type Open = extern "C" fn(*const libc::c_char, libc::c_int) -> Pointer;
        type Band = extern "C" fn(Pointer, libc::c_int) -> Pointer;
        type Write = extern "C" fn(Pointer, i32, i32, i32, i32, i32, Pointer, i32, i32, i32, i32, i32) -> i32;
        type Close = extern "C" fn(Pointer);
        let open: Open = std::mem::transmute(gdal_function("GDALOpen"));
        let band: Band = std::mem::transmute(gdal_function("GDALGetRasterBand"));
        let write: Write = std::mem::transmute(gdal_function("GDALRasterIO"));
        let close: Close = std::mem::transmute(gdal_function("GDALClose"));
        let dataset = open(path.as_ptr(), 1);
        assert!(!dataset.is_null());
        let cells = cells.as_mut_ptr().cast();
        assert_eq!(write(band(dataset, 1), 1, 0, 0, 290, 300, cells, 290, 300, 6, 0, 0), 0);
        let result = bench.run_input(Input::Handle(DatasetHandle::from_raw(dataset)), options());
        close(dataset);
        result.expect("well formed")
    };
    let by_path = bench.run(&file, options()).expect("well formed");
    assert_same(&result, &by_path.mapv(|cell| cell as f32), "unflushed");
}

/// Files of one huge block are read in windows; the block must not count as memory of the plan.
#[test]
fn one_huge_block_needs_no_huge_budget() {
    let bench = Bench::new(whole_metres(2100, 2050), 0.0);
    let file = bench.file("huge.tif", &["-ot", "Float32", "-co", "BLOCKYSIZE=2100", "-co", "COMPRESS=LZW"]);
    let input = Input::Path(path_text(&file).into());
    let options = JobOptions { threads: Some(4), memory: Some(100 << 20), ..JobOptions::default() };
    let output = path_text(&file.with_file_name("plan.tif")).to_string();
    let plan = Job::new(recipe(RECIPE, &[]), input, output, options.clone()).plan();
    assert!(plan.is_ok(), "{plan:?}");
    bench.check(&file, options);
}

#[test]
fn what_cannot_be_right_is_refused() {
    let bench = Bench::new(fractions(60, 60), 0.0);
    let degrees = bench.file("degrees.tif", &["-a_srs", "EPSG:4326", "-a_ullr", "14", "46", "15", "45"]);
    let complex = bench.file("complex.tif", &["-ot", "CFloat32"]);
    let oblong = bench.file("oblong.tif", &["-a_ullr", "0", "60", "120", "0"]);
    for (file, word) in [(degrees, "gdalwarp"), (complex, "CFloat32"), (oblong, "square cells")] {
        let error = bench.run(&file, options()).expect_err(word);
        assert!(matches!(&error, Error::Unsupported(text) if text.contains(word)), "{error}");
    }
    let error = bench.run(&bench.folder.path().join("absent.tif"), options()).expect_err("absent");
    assert!(matches!(&error, Error::Input(text) if text.contains("absent.tif")), "{error}");
}
