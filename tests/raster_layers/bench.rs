//! A folder with elevations and rasters of 0 to 1, and what the program makes of them.

use crate::support::Folder;
use std::ops::Deref;

/// The real elevation model that everything is cut from.
pub const GROUND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/TM1_564_146.tif");

/// Elevations of 1 m cells, `dem.tif`, and around them a raster of 0 to 1, `wide.tif`.
pub struct Bench(Folder);

impl Deref for Bench {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.0
    }
}

/// Cells at the left and above `dem.tif` that `wide.tif` has more.
pub const MARGIN: usize = 40;

/// Side of `dem.tif`: neither a multiple of the blocks that are warped together, nor less than two of them.
pub const SIDE: usize = 301;

impl Bench {
    pub fn new() -> Self {
        let bench = Self(Folder::new());
        let cut = |origin: usize, side: usize| {
            let numbers = [400 - origin, 300 - origin, side, side].map(|number| number.to_string());
            ["-q".into(), "-srcwin".into()].into_iter().chain(numbers).collect::<Vec<String>>()
        };
        bench.translate(&words(&cut(0, SIDE)), GROUND, "dem.tif");
        let scaled = ["-ot", "Float32", "-scale", "200", "400", "0", "1"];
        let wide = cut(MARGIN, SIDE + 2 * MARGIN);
        bench.translate(&[&words(&wide)[..], &scaled].concat(), GROUND, "wide.tif");
        bench
    }

    pub fn translate(&self, arguments: &[&str], from: &str, to: &str) {
        self.gdal("gdal_translate", &[&["-q"], arguments, &[from, to]].concat());
    }

    pub fn warp(&self, arguments: &[&str], from: &str, to: &str) {
        self.gdal("gdalwarp", &[&["-q", "-overwrite"], arguments, &[from, to]].concat());
    }

    /// The cells of `dem.tif` of a raster of 0 to 1, as the file has them.
    pub fn on_grid(&self, from: &str, to: &str, arguments: &[&str]) {
        let window = [MARGIN, MARGIN, SIDE, SIDE].map(|number| number.to_string());
        self.translate(&[&["-srcwin"], &words(&window)[..], arguments].concat(), from, to);
    }

    /// The same raster without a reference system.
    pub fn without_reference(&self, from: &str, to: &str) {
        self.translate(&["-of", "VRT"], from, "named.vrt");
        let text = String::from_utf8(self.read("named.vrt")).unwrap();
        let (before, rest) = text.split_once("<SRS").unwrap();
        let (_, after) = rest.split_once("</SRS>").unwrap();
        self.write("nameless.vrt", format!("{before}{after}").as_bytes());
        self.translate(&[], "nameless.vrt", to);
    }

    /// Writes a recipe of these layers.
    pub fn recipe(&self, name: &str, layers: &str) {
        let text = format!(r#"{{"terralume_recipe": 1, "layers": [{layers}]}}"#);
        self.write(name, text.as_bytes());
    }

    /// What the program gives for these layers over `dem`, as values of 0 to 1, band after band.
    pub fn render(&self, layers: &str, dem: &str, arguments: &[&str]) -> Vec<f32> {
        self.recipe("recipe.json", layers);
        self.run(&[&["render", "recipe.json", dem, "out.tif", "--overwrite"], arguments].concat());
        self.floats("out.tif")
    }

    /// A band of a raster of 0 to 1 as a layer shows it.
    pub fn shown(&self, raster: &str) -> Vec<f32> {
        self.render(&layer(raster), "dem.tif", &[])
    }

    /// The grid of `dem.tif` in the words of gdalwarp.
    pub fn grid(&self) -> Vec<String> {
        let side = SIDE.to_string();
        let extent = corners(self, "dem.tif");
        let words = [&["-te"], &words(&extent)[..], &["-ts", &side, &side, "-t_srs", "EPSG:3794"]].concat();
        words.into_iter().map(String::from).collect()
    }

    /// What gdalwarp makes of a raster on the grid of `dem.tif`, as 64-bit numbers.
    pub fn warped(&self, raster: &str, arguments: &[&str]) -> Vec<f64> {
        let exact = ["-et", "0", "-ot", "Float64", "-dstnodata", "nan"];
        self.warp(&[&words(&self.grid())[..], &exact, arguments].concat(), raster, "warped.tif");
        let cells = self.cells("warped.tif");
        cells.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    }
}

/// A layer that shows the first band of a raster of 0 to 1 as it is.
pub fn layer(raster: &str) -> String {
    format!(r#"{{"raster": "{raster}", "min": 0, "max": 1}}"#)
}

/// Left, lower, right and upper end of a raster.
pub fn corners(folder: &Folder, raster: &str) -> [String; 4] {
    let info = folder.info(raster);
    let corner = |name: &str, axis: usize| info["cornerCoordinates"][name][axis].to_string();
    [corner("lowerLeft", 0), corner("lowerLeft", 1), corner("upperRight", 0), corner("upperRight", 1)]
}

pub fn words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Every bit is the same; all NaN are one.
pub fn assert_same(ours: &[f32], expected: &[f32], what: &str) {
    assert_eq!(ours.len(), expected.len(), "{what}");
    for (index, (ours, expected)) in ours.iter().zip(expected).enumerate() {
        let same = ours.to_bits() == expected.to_bits() || (ours.is_nan() && expected.is_nan());
        assert!(same, "{what}: {ours} instead of {expected} at cell {index}");
    }
}

/// As 32-bit numbers both are the same or neighbours, missing at the same places; `valid` of them are not missing.
pub fn assert_near(ours: &[f32], expected: &[f64], valid: usize, what: &str) {
    assert_eq!(ours.len(), expected.len(), "{what}");
    for (index, (ours, expected)) in ours.iter().zip(expected).enumerate() {
        let (expected, step) = (*expected as f32, f32::EPSILON * ours.abs());
        let near = (ours - expected).abs() <= step || (ours.is_nan() && expected.is_nan());
        assert!(near, "{what}: {ours} instead of {expected} at cell {index}");
    }
    let found = ours.iter().filter(|cell| !cell.is_nan()).count();
    assert_eq!(found, valid, "{what}: cells that are not missing");
}
