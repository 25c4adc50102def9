//! The file being written: beside its place under another name, renamed when it is whole, gone otherwise.

use super::parts::folder_beside;
use super::places::Placing;
use super::sink::Format;
use super::tiles::FOLDER as TILES_FOLDER;
use crate::core::error::{Error, Result};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Ending of the file in which GDAL keeps what the format itself cannot hold.
const NOTES: &str = ".aux.xml";

/// Where an output goes, checked before any work begins.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    overwrite: bool,
    kind: Kind,
}

/// What stands at the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    /// A folder, of Zarr.
    Folder,
    /// A VRT, with a folder of tiles beside it.
    Tiles,
}

/// Files that say that a folder is one of Zarr, which may be replaced.
const ZARR_MARKS: [&str; 3] = [".zgroup", ".zarray", "zarr.json"];

impl Target {
    /// Refuses what would fail at the end, or destroy something. `inputs` are all files that are read.
    pub fn new(path: &str, overwrite: bool, inputs: &[String]) -> Result<Self> {
        let is_vrt = Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("vrt"));
        Self::of_file(path, overwrite, inputs, if is_vrt { Kind::Tiles } else { Kind::File })
    }

    /// The same of a VRT over tiles, whatever its name ends in.
    pub fn of_tiles(path: &str, overwrite: bool, inputs: &[String]) -> Result<Self> {
        Self::of_file(path, overwrite, inputs, Kind::Tiles)
    }

    fn of_file(path: &str, overwrite: bool, inputs: &[String], kind: Kind) -> Result<Self> {
        if path.is_empty() || path.starts_with("/vsi") {
            return Err(Error::Output(format!("cannot write '{path}'; allowed: a file of this machine")));
        }
        Self::check(Self { path: path.into(), overwrite, kind }, inputs)
    }

    /// The same of a folder of Zarr.
    pub fn of_zarr(path: &str, overwrite: bool, inputs: &[String]) -> Result<Self> {
        let path = path.trim_end_matches('/').into();
        Self::check(Self { path, overwrite, kind: Kind::Folder }, inputs)
    }

    fn check(target: Self, inputs: &[String]) -> Result<Self> {
        let path = target.path.display();
        // Thousands of inputs are looked at only where there is a file that could be one.
        if target.path.exists() && inputs.iter().any(|input| same_file(Path::new(input), &target.path)) {
            return Err(Error::Output(format!("output '{path}' is the input; allowed: another file")));
        }
        if let Some(input) = inputs.iter().find(|input| target.replaces(input)) {
            return Err(Error::Output(format!(
                "output '{path}' would replace the input '{input}'; allowed: another name"
            )));
        }
        let is_zarr = || ZARR_MARKS.iter().any(|mark| target.path.join(mark).exists());
        if target.kind == Kind::Folder && target.path.exists() && !is_zarr() {
            return Err(Error::Output(format!(
                "output '{path}' is no Zarr; allowed: a new name, or a Zarr to replace"
            )));
        }
        if target.path.is_dir() && target.kind != Kind::Folder {
            return Err(Error::Output(format!("output '{path}' is a directory; allowed: a file name")));
        }
        if target.path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(Error::Output(format!("output '{path}' is a directory name; allowed: a file name")));
        }
        if target.path.file_name().is_none() {
            return Err(Error::Output(format!("cannot write '{path}'; allowed: a file of this machine")));
        }
        if target.path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            // Putting a file into its place would destroy a device such as /dev/null.
            return Err(Error::Output(format!("output '{path}' is a device or pipe; allowed: a file name")));
        }
        let folder = target.folder();
        if !folder.is_dir() {
            return Err(Error::Output(format!("output directory '{}' does not exist", folder.display())));
        }
        target.check_free()?;
        Ok(target)
    }

    /// Whether an input stands in a folder that goes when the output comes: the Zarr itself, or the tiles of a VRT.
    fn replaces(&self, input: &str) -> bool {
        let folder = match self.kind {
            Kind::File => return false,
            Kind::Folder => self.path.clone(),
            Kind::Tiles => folder_beside(&self.path, TILES_FOLDER),
        };
        // GDAL's name of an array in a Zarr: ZARR:"folder":/array.
        let input = input.split('"').nth(1).unwrap_or(input);
        match (folder.canonicalize(), Path::new(input).canonicalize()) {
            (Ok(folder), Ok(input)) => input.starts_with(folder),
            _ => false,
        }
    }

    /// A name beside the target for GDAL to make a file of, which disappears unless it is kept.
    pub fn pending(&self) -> Result<PendingFile> {
        let file = tempfile::Builder::new()
            .prefix(".terralume-")
            .suffix(".part.tif")
            .make_in(self.folder(), claim)
            .map_err(|error| {
                Error::Output(format!("cannot write in '{}': {error}", self.folder().display()))
            })?;
        let file = file.into_temp_path();
        let _notes = NotesFile(beside(&file, NOTES));
        Ok(PendingFile { file, _notes })
    }

    /// Puts the finished file into its place.
    pub fn accept(&self, pending: PendingFile) -> Result<()> {
        let mut placing = Placing::default();
        self.place(pending, &mut placing)?;
        placing.keep();
        Ok(())
    }

    /// The same as one of several.
    pub fn place(&self, pending: PendingFile, placing: &mut Placing) -> Result<()> {
        self.check_free()?;
        let fail =
            |error: std::io::Error| Error::Output(format!("cannot write '{}': {error}", self.path.display()));
        let notes = beside(&pending.file, NOTES);
        let kept = match self.overwrite {
            true => {
                placing.set_aside_in_place(&self.path).map_err(fail)?;
                pending.file.persist(&self.path)
            }
            // Someone may have made the file since it was looked for.
            false => pending.file.persist_noclobber(&self.path),
        };
        kept.map_err(|error| fail(error.error))?;
        placing.placed(&self.path);
        // What stands beside a file that was replaced describes the old one: its statistics, its overviews.
        for ending in [NOTES, ".ovr", ".msk"] {
            placing.set_aside(&beside(&self.path, ending)).map_err(fail)?;
        }
        match std::fs::rename(notes, beside(&self.path, NOTES)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            moved => {
                moved.map_err(fail)?;
                placing.placed(&beside(&self.path, NOTES));
            }
        }
        Ok(())
    }

    /// A folder beside the target that disappears unless it is kept.
    pub fn pending_folder(&self) -> Result<PendingFolder> {
        let making =
            tempfile::Builder::new().prefix(".terralume-").tempdir_in(self.folder()).map_err(|error| {
                Error::Output(format!("cannot write in '{}': {error}", self.folder().display()))
            })?;
        let name = self.path.file_name().map(PathBuf::from).unwrap_or_default();
        Ok(PendingFolder { path: making.path().join(name), _making: making })
    }

    /// Puts the finished folder into its place, as one of several.
    pub fn place_folder(&self, pending: PendingFolder, placing: &mut Placing) -> Result<()> {
        self.check_free()?;
        let fail =
            |error: std::io::Error| Error::Output(format!("cannot write '{}': {error}", self.path.display()));
        placing.set_folder_aside(&self.path).map_err(fail)?;
        std::fs::rename(&pending.path, &self.path).map_err(fail)?;
        placing.placed(&self.path);
        Ok(())
    }

    /// Whether what is there may be replaced.
    pub(super) fn overwrites(&self) -> bool {
        self.overwrite
    }

    /// The name the user gave.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    fn check_free(&self) -> Result<()> {
        if self.overwrite || !self.path.exists() {
            return Ok(());
        }
        let path = self.path.display();
        Err(Error::Output(format!("output '{path}' exists; allowed: a new name, or the option overwrite")))
    }
}

/// Refuses a result that cannot fit on the disk, before any work begins. `bytes` are those of all its cells; less is needed
/// where they are compressed.
pub fn check_room(output: &str, bytes: u64, format: Format, creation: &[(String, String)]) -> Result<()> {
    let is_plain = |(key, value): &(String, String)| {
        key.eq_ignore_ascii_case("COMPRESS") && value.eq_ignore_ascii_case("NONE")
    };
    // Nobody knows how far cells can be compressed; to a tenth is much. A COG is made from a file that is not.
    let plain = creation.iter().any(is_plain) || format == Format::Cog;
    let bytes = if plain { bytes } else { bytes / 10 };
    let path = Path::new(output);
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(free) = free_bytes(folder) else { return Ok(()) };
    if bytes <= free {
        return Ok(());
    }
    let (needed, free) = (bytes >> 20, free >> 20);
    Err(Error::Output(format!(
        "'{output}' needs {needed} MiB, its disk has {free} MiB left; allowed: a smaller result or another disk"
    )))
}

/// Bytes that a user may still write there.
fn free_bytes(folder: &Path) -> Option<u64> {
    let name = CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: the name ends with NUL; `found` has room for the answer, which is there when the call succeeds.
    let found = unsafe {
        if libc::statvfs(name.as_ptr(), found.as_mut_ptr()) != 0 {
            return None;
        }
        found.assume_init()
    };
    // Systems of files that are no disk say nothing.
    (found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

/// Looks whether a file of this name can be made. GDAL makes it anew: ext4 writes a file that was there before and was
/// emptied out to the disk as soon as it is closed, and the run would wait for that.
fn claim(path: &Path) -> std::io::Result<()> {
    std::fs::File::create_new(path)?;
    std::fs::remove_file(path)
}

/// A file under a name of its own.
#[derive(Debug)]
pub struct PendingFile {
    file: TempPath,
    _notes: NotesFile,
}

/// A folder under a name of its own.
#[derive(Debug)]
pub struct PendingFolder {
    /// Goes when dropped, with what is still in it.
    _making: tempfile::TempDir,
    path: PathBuf,
}

impl PendingFolder {
    /// Its name, for GDAL: the one it will have, in a folder of another.
    pub fn name(&self) -> Result<&str> {
        let name = self.path.to_str();
        name.ok_or_else(|| Error::Output(format!("'{}' is not UTF-8", self.path.display())))
    }

    /// Where it stands until then.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What GDAL may put beside the file; goes when dropped, if it is still there.
#[derive(Debug)]
struct NotesFile(PathBuf);

impl Drop for NotesFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl PendingFile {
    /// Its name, for GDAL.
    pub fn name(&self) -> Result<&str> {
        let name = self.file.to_str();
        name.ok_or_else(|| Error::Output(format!("'{}' is not UTF-8", self.file.display())))
    }
}

/// The name of a file with something at its end.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether both names lead to one file, through links as well.
fn same_file(first: &Path, second: &Path) -> bool {
    match (first.metadata(), second.metadata()) {
        (Ok(first), Ok(second)) => (first.dev(), first.ino()) == (second.dev(), second.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_unless_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.tif");
        let target = Target::new(path.to_str().unwrap(), false, &[]).unwrap();
        drop(target.pending().unwrap());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let pending = target.pending().unwrap();
        std::fs::write(&pending.file, "cells").unwrap();
        target.accept(pending).unwrap();
        assert!(path.exists());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
        let again = Target::new(path.to_str().unwrap(), false, &[]);
        assert!(again.unwrap_err().to_string().contains("exists; allowed"));
    }

    #[test]
    fn what_stands_beside_a_file_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.tif");
        for ending in ["", ".aux.xml", ".ovr", ".msk"] {
            std::fs::write(beside(&path, ending), "old").unwrap();
        }
        let target = Target::new(path.to_str().unwrap(), true, &[]).unwrap();
        let pending = target.pending().unwrap();
        std::fs::write(beside(&pending.file, NOTES), "new").unwrap();
        drop(pending);
        assert_eq!(folder.path().read_dir().unwrap().count(), 4);
        let pending = target.pending().unwrap();
        std::fs::write(&pending.file, "cells").unwrap();
        std::fs::write(beside(&pending.file, NOTES), "new").unwrap();
        target.accept(pending).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 2);
        assert_eq!(std::fs::read(beside(&path, NOTES)).unwrap(), b"new");
    }

    #[test]
    fn a_link_to_the_input_is_the_input() {
        let folder = tempfile::tempdir().unwrap();
        let (input, link) = (folder.path().join("in.tif"), folder.path().join("link.tif"));
        std::fs::write(&input, "x").unwrap();
        std::os::unix::fs::symlink(&input, &link).unwrap();
        let result = Target::new(link.to_str().unwrap(), true, &[input.to_str().unwrap().to_string()]);
        assert!(result.unwrap_err().to_string().contains("is the input"));
    }
}
