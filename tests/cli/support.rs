//! A folder to work in, the program, and GDAL's tools.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_terralume");

const DEM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/TM1_564_146.tif");

/// What a command left behind.
pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A folder that goes when the test ends. Commands run in it, so that names in messages are short.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With `dem.tif`, a square cut from a real elevation model.
    pub fn with_dem(side: usize) -> Self {
        let folder = Self::new();
        let side = side.to_string();
        folder.gdal("gdal_translate", &["-q", "-srcwin", "400", "300", &side, &side, DEM, "dem.tif"]);
        folder
    }

    /// With `grid.asc`, a text raster of these rows; -9999 is nodata, cells are 1 m wide.
    pub fn with_grid(rows: &[Vec<f64>]) -> Self {
        let folder = Self::new();
        let mut text = format!(
            "ncols {}\nnrows {}\nxllcorner 0\nyllcorner 0\ncellsize 1\nNODATA_value -9999\n",
            rows[0].len(),
            rows.len()
        );
        for row in rows {
            let cells: Vec<_> = row.iter().map(|cell| format!("{cell:.3}")).collect();
            text += &(cells.join(" ") + "\n");
        }
        folder.write("grid.asc", text.as_bytes());
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Every file with its content; what is no plain file has none.
    pub fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.root()).unwrap().map(|entry| entry.unwrap());
        let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap_or_default())).collect()
    }

    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.root()).stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn terralume(&self, arguments: &[&str]) -> Answer {
        self.command(PROGRAM, arguments).output().unwrap().into()
    }

    /// Runs the program, which must succeed and say nothing: `--quiet` is added.
    pub fn run(&self, arguments: &[&str]) {
        let answer = self.terralume(&[arguments, &["--quiet"]].concat());
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(answer.out, "", "{arguments:?}");
    }

    /// Runs the program, which must refuse: with this exit code, one line that contains all `words`, and every
    /// file as before.
    pub fn refused(&self, arguments: &[&str], code: i32, words: &[&str]) {
        let before = self.snapshot();
        let answer = self.terralume(arguments);
        self.check_refusal(&answer, &format!("{arguments:?}"), code, words);
        assert!(self.snapshot() == before, "{arguments:?} changed files: {:?}", self.snapshot().keys());
    }

    pub fn check_refusal(&self, answer: &Answer, what: &str, code: i32, words: &[&str]) {
        let err = &answer.err;
        assert_eq!(answer.code, Some(code), "{what}: {err}");
        assert_eq!(err.lines().count(), 1, "{what} says not one line:\n{err}");
        assert!(err.starts_with("terralume: error: ") && err.ends_with('\n'), "{what}: {err}");
        for word in words {
            assert!(err.contains(word), "{what}: '{word}' is missing in: {err}");
        }
        assert_eq!(answer.out, "", "{what}");
    }

    /// Runs one of GDAL's tools.
    pub fn gdal(&self, tool: &str, arguments: &[&str]) -> String {
        let output = self.command(tool, arguments).output().expect("GDAL's tools are installed (gdal-bin)");
        let answer = Answer::from(output);
        assert_eq!(answer.code, Some(0), "{tool} {arguments:?}: {}", answer.err);
        answer.out
    }

    /// What GDAL says of a raster.
    pub fn info(&self, name: &str) -> Value {
        // NaN, as GDAL writes it, is no JSON.
        let text = self.gdal("gdalinfo", &["-json", "-mm", name]).replace(":NaN", ":\"NaN\"");
        serde_json::from_str(&text).unwrap()
    }

    /// The cells of all bands as bytes, without anything else.
    pub fn cells(&self, name: &str) -> Vec<u8> {
        let raw = tempfile::tempdir().unwrap();
        let path = raw.path().join("cells");
        let path = path.to_str().unwrap();
        self.gdal("gdal_translate", &["-q", "-of", "ENVI", name, path]);
        std::fs::read(path).unwrap()
    }

    /// The cells of a raster of 32-bit floats.
    pub fn floats(&self, name: &str) -> Vec<f32> {
        let cells = self.cells(name);
        cells.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }
}

/// A small hill, row by row.
pub fn hill(rows: usize, cols: usize) -> Vec<Vec<f64>> {
    let height = |row: usize, col: usize| 100.0 + (row as f64 * 0.7).sin() + (col as f64 * 0.9).cos();
    (0..rows).map(|row| (0..cols).map(|col| height(row, col)).collect()).collect()
}

/// What the program says it has, as JSON.
pub fn listed() -> Value {
    serde_json::from_str(&Folder::new().terralume(&["list", "--json"]).out).unwrap()
}

/// `list[key]` of the description.
pub fn names(listed: &Value, list: &str, key: &str) -> Vec<String> {
    let entries = listed[list].as_array().unwrap();
    entries.iter().map(|entry| entry[key].as_str().unwrap().to_string()).collect()
}
