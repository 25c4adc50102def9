//! The folder that outputs go into when several are written.

use std::path::{Path, PathBuf};
use terralume::{Error, Result};

/// A folder; one that was made for a run goes again when the run fails.
pub struct Folder {
    path: PathBuf,
    made: bool,
}

impl Folder {
    /// The folder that `output` names, when it is one or has to be: for several files, or with a slash at its end.
    /// It is made unless `only_planned`.
    pub fn find(output: &str, files: usize, only_planned: bool) -> Result<Option<Self>> {
        let path = Path::new(output);
        // A Zarr is a folder as well.
        let is_zarr = path.join(".zgroup").exists();
        if files < 2 && (!path.is_dir() || is_zarr) && !output.ends_with('/') {
            return Ok(None);
        }
        if path.is_dir() || only_planned {
            return Ok(Some(Self { path: path.into(), made: false }));
        }
        if path.exists() {
            return Err(Error::Output(format!(
                "output '{output}' is a file; allowed for {files} outputs: a folder"
            )));
        }
        std::fs::create_dir(path)
            .map_err(|error| Error::Output(format!("cannot make the folder '{output}': {error}")))?;
        Ok(Some(Self { path: path.into(), made: true }))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> String {
        self.path.join(name).to_string_lossy().into_owned()
    }

    /// The run went well: the folder stays.
    pub fn keep(mut self) {
        self.made = false;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made {
            // Only if nothing is in it.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}
