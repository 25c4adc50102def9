//! A folder of small files beside a VRT.

use super::places::Placing;
use crate::core::error::{Error, Result};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Small files beside a VRT. They stand in a folder of another name until all of them are there.
pub struct PartsFolder {
    path: PathBuf,
    /// Files that an earlier run may have left in it.
    ours: Ours,
    overwrite: bool,
    making: TempDir,
}

/// Files of a kind that is written, and may therefore be replaced.
#[derive(Clone, Copy)]
pub struct Ours {
    /// Whether a file of this name is one.
    pub has: fn(&str) -> bool,
    /// What they are.
    pub what: &'static str,
}

impl PartsFolder {
    /// The folder of the VRT at a place, named with an ending of its own.
    pub fn new((target, ending): (&Path, &str), ours: Ours, overwrite: bool) -> Result<Self> {
        let path = folder_beside(target, ending);
        let full = std::path::absolute(&path).map_err(|error| cannot_write(&path, error))?;
        let parts = Self {
            making: tempfile::Builder::new()
                .prefix(".terralume-")
                .tempdir_in(full.parent().unwrap_or(&full))
                .map_err(|error| cannot_write(&path, error))?,
            path: full,
            ours,
            overwrite,
        };
        parts.check_free()?;
        Ok(parts)
    }

    /// Nothing stands in the way but what an earlier run has written.
    fn check_free(&self) -> Result<()> {
        let path = self.path.display();
        if !self.path.exists() {
            return Ok(());
        }
        if !self.overwrite {
            return Err(Error::Output(format!(
                "'{path}' exists; allowed: a new name, or the option overwrite"
            )));
        }
        let entries = std::fs::read_dir(&self.path).map_err(|error| cannot_write(&self.path, error))?;
        let is_ours = |entry: &std::fs::DirEntry| {
            entry.path().is_file() && entry.file_name().to_str().is_some_and(self.ours.has)
        };
        match entries.flatten().find(|entry| !is_ours(entry)) {
            None => Ok(()),
            Some(entry) => Err(Error::Output(format!(
                "'{path}' holds '{}', which is not ours; allowed: a folder of {}",
                entry.file_name().display(),
                self.ours.what
            ))),
        }
    }

    /// Writes a file; gives its name once the folder is in its place.
    pub fn write(&self, name: &str, content: &str) -> Result<String> {
        std::fs::write(self.making.path().join(name), content)
            .map_err(|error| cannot_write(&self.path, error))?;
        Ok(self.path.join(name).display().to_string())
    }

    /// Where the folder will stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where files stand until then.
    pub fn making(&self) -> &Path {
        self.making.path()
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.display().to_string()).unwrap_or_default()
    }

    /// Puts the folder into its place, if anything was written, as one of several.
    pub fn place(self, placing: &mut Placing) -> Result<()> {
        self.check_free()?;
        let fail = |error| cannot_write(&self.path, error);
        placing.set_folder_aside(&self.path).map_err(fail)?;
        let is_empty = std::fs::read_dir(self.making.path()).map_err(fail)?.next().is_none();
        if is_empty {
            return Ok(());
        }
        // What any program makes; a temporary folder is for its owner only.
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.making.path(), mode).map_err(fail)?;
        std::fs::rename(self.making.path(), &self.path).map_err(fail)?;
        placing.placed(&self.path);
        Ok(())
    }
}

/// Where the small files of a VRT stand: `scene.tiles` of `scene.vrt`, `scene.v1.tiles` of `scene.v1`, which shares
/// nothing with `scene.v2`.
pub(super) fn folder_beside(target: &Path, ending: &str) -> PathBuf {
    let is_vrt = target.extension().is_some_and(|own| own.eq_ignore_ascii_case("vrt"));
    let mut name = if is_vrt { target.with_extension("") } else { target.into() }.into_os_string();
    name.push(".");
    name.push(ending);
    name.into()
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::Output(format!("cannot write '{}': {error}", path.display()))
}
