//! A folder with rasters and VRT files, and GDAL's programs with the plugin.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DEM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/TM1_564_146.tif");

/// A source of a derived band.
#[derive(Clone)]
pub struct Source {
    file: String,
    band: usize,
    /// Columns and rows by which it is moved.
    shift: (isize, isize),
}

impl Source {
    pub fn of(file: &str) -> Self {
        Self { file: file.into(), band: 1, shift: (0, 0) }
    }

    pub fn band(self, band: usize) -> Self {
        Self { band, ..self }
    }

    /// `SIDE` stands for the raster's size.
    fn xml(&self) -> String {
        let rectangle = |sign: isize, name: &str| {
            let [x, y] = [self.shift.0, self.shift.1].map(|shift| (sign * shift).max(0));
            let [width, height] =
                [self.shift.0, self.shift.1].map(|shift| if shift == 0 { "SIDE" } else { "SIDE-1" });
            format!(r#"<{name} xOff="{x}" yOff="{y}" xSize="{width}" ySize="{height}"/>"#)
        };
        format!(
            r#"<SimpleSource><SourceFilename relativeToVRT="1">{}</SourceFilename>
            <SourceBand>{}</SourceBand>{}{}</SimpleSource>"#,
            self.file,
            self.band,
            rectangle(-1, "SrcRect"),
            rectangle(1, "DstRect")
        )
    }
}

/// One raster as two sources: GDAL before 3.12 goes past functions of a single one.
pub fn twice(file: &str) -> Vec<Source> {
    vec![Source::of(file), Source::of(file)]
}

/// `dem.tif` and its neighbours: centre, west, east, north, south.
pub fn shifted() -> Vec<Source> {
    let shifts = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)];
    shifts.map(|shift| Source { shift, ..Source::of("dem.tif") }).to_vec()
}

/// A derived band; `SIDE` in it is replaced by the size of the raster.
pub fn band(function: &str, arguments: &str, sources: &[Source]) -> String {
    let nodata =
        if arguments.contains(r#"nodata="-9999""#) { "<NoDataValue>-9999</NoDataValue>" } else { "" };
    let sources: Vec<String> = sources.iter().map(Source::xml).collect();
    format!(
        r#"<VRTRasterBand dataType="Float32" subClass="VRTDerivedRasterBand">{nodata}
        <PixelFunctionType>{function}</PixelFunctionType>
        <PixelFunctionArguments {arguments}/>
        <SourceTransferType>Float32</SourceTransferType>
        {}</VRTRasterBand>"#,
        sources.concat()
    )
}

pub fn bits(value: f32) -> u32 {
    if value.is_nan() {
        f32::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

pub fn same_bits(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let differs = |(found, expected): (&f32, &f32)| bits(*found) != bits(*expected);
    let first = found.iter().zip(expected).position(differs);
    let count = found.iter().zip(expected).filter(|pair| differs(*pair)).count();
    assert!(
        first.is_none(),
        "{count} cells differ, first {first:?}: {:?} {:?}",
        found[first.unwrap()],
        expected[first.unwrap()]
    );
}

/// A folder that goes when the test ends.
pub struct Place {
    folder: tempfile::TempDir,
    plugins: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), plugins: tempfile::tempdir().unwrap() };
        // The shared library that cargo built beside this test.
        let library = std::env::current_exe().unwrap().parent().unwrap().join("libterralume.so");
        std::os::unix::fs::symlink(library, place.plugins.path().join("gdal_terralume.so")).unwrap();
        place
    }

    /// With `dem.tif`, a square cut from a real elevation model, with a hole in it.
    pub fn with_dem(side: usize) -> Self {
        let place = Self::new();
        let size = side.to_string();
        let window = ["-srcwin", "400", "300", &size, &size, "-a_nodata", "-9999", DEM, "raw"];
        place.plain("gdal_translate", &[&["-q", "-of", "ENVI"], &window[..]].concat());
        let mut cells = std::fs::read(place.path("raw")).unwrap();
        for (row, column) in (30..35).flat_map(|row| (20..25).map(move |column| (row, column))) {
            let start = 4 * (row * side + column);
            cells[start..start + 4].copy_from_slice(&(-9999.0_f32).to_le_bytes());
        }
        std::fs::write(place.path("raw"), cells).unwrap();
        place.plain("gdal_translate", &["-q", "raw", "dem.tif"]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn vrt(&self, name: &str, side: usize, bands: &[String]) {
        let bands = bands
            .concat()
            .replace("\"SIDE-1\"", &format!("\"{}\"", side - 1))
            .replace("\"SIDE\"", &format!("\"{side}\""));
        self.write(
            name,
            &format!(
                r#"<VRTDataset rasterXSize="{side}" rasterYSize="{side}">
            <GeoTransform>0, 1, 0, 0, 0, -1</GeoTransform>{bands}</VRTDataset>"#
            ),
        );
    }

    /// The repository's test data under `tests`, as the documentation names it.
    pub fn link_tests(&self) {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        std::os::unix::fs::symlink(tests, self.path("tests")).unwrap();
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("GDAL_DRIVER_PATH", self.plugins.path());
        command
    }

    fn succeeds(&self, mut command: Command) -> Output {
        let output = command.output().expect("GDAL's tools are installed (gdal-bin)");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !error.contains("ERROR"), "{command:?}: {error}");
        output
    }

    /// Runs a program of GDAL's that must succeed, and gives what it printed.
    pub fn plain(&self, program: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.succeeds(self.command(program, arguments)).stdout).unwrap()
    }

    pub fn terralume(&self, arguments: &[&str]) {
        let program = env!("CARGO_BIN_EXE_terralume");
        self.succeeds(self.command(program, &[arguments, &["--quiet"]].concat()));
    }

    pub fn shell(&self, line: &str) {
        let programs = Path::new(env!("CARGO_BIN_EXE_terralume")).parent().unwrap();
        let mut command = self.command("sh", &["-c", line]);
        command.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
        self.succeeds(command);
    }

    /// Exit code and messages of a program that must not succeed.
    pub fn fails(&self, program: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(program, arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    pub fn gdal_has(&self, name: &str) -> bool {
        let info = self.plain("gdalinfo", &["--version"]);
        let version: Vec<u32> = info.split([' ', '.', ',']).filter_map(|part| part.parse().ok()).collect();
        name == "Int8" && (version[0], version[1]) >= (3, 7)
    }

    /// The cells of all bands, read as this type.
    pub fn cells_as(&self, name: &str, source: &str) -> Vec<u8> {
        self.plain("gdal_translate", &["-q", "-ot", name, source, "typed.tif"]);
        self.cells("typed.tif", &["-ot", "Float64"])
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.floats_with(name, &[])
    }

    /// The cells of all bands, read with these options of `gdal_translate`.
    pub fn floats_with(&self, name: &str, options: &[&str]) -> Vec<f32> {
        let cells = self.cells(name, &[options, &["-ot", "Float32"]].concat());
        cells.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    fn cells(&self, name: &str, options: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells");
        self.plain(
            "gdal_translate",
            &[&["-q", "-of", "ENVI", "-co", "INTERLEAVE=BSQ"], options, &[name, path.to_str().unwrap()]]
                .concat(),
        );
        std::fs::read(path).unwrap()
    }
}
