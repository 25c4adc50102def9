//! A folder of small files beside a VRT.

use crate::core::error::{Error, Result};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Small files beside a VRT. They stand in a folder of another name until all of them are there.
pub struct PartsFolder {
    path: PathBuf,
    /// Endings of files that an earlier run may have left in it.
    endings: &'static [&'static str],
    overwrite: bool,
    making: TempDir,
}

impl PartsFolder {
    /// The folder of the VRT at a place, named with an ending of its own, for files with these endings.
    pub fn new(
        (target, ending): (&Path, &str),
        endings: &'static [&'static str],
        overwrite: bool,
    ) -> Result<Self> {
        let path = target.with_extension(ending);
        let full = std::path::absolute(&path).map_err(|error| cannot_write(&path, error))?;
        let parts = Self {
            making: tempfile::Builder::new()
                .prefix(".terralume-")
                .tempdir_in(full.parent().unwrap_or(&full))
                .map_err(|error| cannot_write(&path, error))?,
            path: full,
            endings,
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
        let strange = entries.flatten().find(|entry| {
            let file = entry.path();
            !file.is_file()
                || !file.extension().is_some_and(|ending| self.endings.iter().any(|known| ending == *known))
        });
        match strange {
            None => Ok(()),
            Some(entry) => {
                let endings =
                    self.endings.iter().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(" and ");
                Err(Error::Output(format!(
                    "'{path}' holds '{}', which is not ours; allowed: a folder of {endings} files",
                    entry.file_name().display()
                )))
            }
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

    /// Puts the folder into its place, if anything was written.
    pub fn accept(self) -> Result<()> {
        self.check_free()?;
        let fail = |error| cannot_write(&self.path, error);
        if self.path.exists() {
            std::fs::remove_dir_all(&self.path).map_err(fail)?;
        }
        let is_empty = std::fs::read_dir(self.making.path()).map_err(fail)?.next().is_none();
        if is_empty {
            return Ok(());
        }
        // What any program makes; a temporary folder is for its owner only.
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.making.path(), mode).map_err(fail)?;
        std::fs::rename(self.making.path(), &self.path).map_err(fail)
    }
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::Output(format!("cannot write '{}': {error}", path.display()))
}
