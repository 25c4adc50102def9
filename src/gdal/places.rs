//! Finished files go into their places together: what they replace stands aside until all of them are there.

use std::io::Result;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Files on their way into their places. Unless it is [kept](Placing::keep), everything goes back when it is dropped.
#[derive(Debug, Default)]
pub struct Placing {
    steps: Vec<Step>,
    /// Folders for what stands aside, each beside the files of one folder.
    aside: Vec<(PathBuf, TempDir)>,
}

#[derive(Debug)]
enum Step {
    /// Something new is at its place.
    Placed(PathBuf),
    /// What was at the first place is at the second one.
    Aside(PathBuf, PathBuf),
}

impl Placing {
    /// Notes that something new has come to a place.
    pub(super) fn placed(&mut self, path: &Path) {
        self.steps.push(Step::Placed(path.into()));
    }

    /// Moves the folder at a place out of the way, if there is one.
    pub(super) fn set_folder_aside(&mut self, path: &Path) -> Result<()> {
        self.keep_old(path, true, |from, to| std::fs::rename(from, to))
    }

    /// Moves the file at a place out of the way, if there is one. A folder of that name is somebody's own and stays.
    pub(super) fn set_aside(&mut self, path: &Path) -> Result<()> {
        self.keep_old(path, false, |from, to| std::fs::rename(from, to))
    }

    /// The same of a file that another one is about to replace. It stays at its place as well where files may have two
    /// names, so that there is always one.
    pub(super) fn set_aside_in_place(&mut self, path: &Path) -> Result<()> {
        let link = |from: &Path, to: &Path| std::fs::hard_link(from, to);
        self.keep_old(path, false, |from, to| link(from, to).or_else(|_| std::fs::rename(from, to)))
    }

    fn keep_old(
        &mut self,
        path: &Path,
        is_folder: bool,
        take: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<()> {
        if path.symlink_metadata().is_err() || path.is_dir() != is_folder {
            return Ok(());
        }
        let number = self.steps.len().to_string();
        let to = self.folder_beside(path)?.join(number);
        take(path, &to)?;
        self.steps.push(Step::Aside(path.into(), to));
        Ok(())
    }

    fn folder_beside(&mut self, path: &Path) -> Result<&Path> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let known = self.aside.iter().position(|(own, _)| own == parent);
        let index = known.unwrap_or(self.aside.len());
        if known.is_none() {
            let folder = tempfile::Builder::new().prefix(".terralume-").tempdir_in(parent)?;
            self.aside.push((parent.into(), folder));
        }
        Ok(self.aside[index].1.path())
    }

    /// All are there: what they replaced goes.
    pub fn keep(mut self) {
        self.steps.clear();
    }
}

impl Drop for Placing {
    fn drop(&mut self) {
        let mut lost = false;
        for step in self.steps.drain(..).rev() {
            match step {
                Step::Placed(path) => {
                    let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
                }
                Step::Aside(path, aside) => lost |= std::fs::rename(aside, path).is_err(),
            }
        }
        if lost {
            // Better under another name than gone.
            self.aside.drain(..).for_each(|(_, folder)| drop(folder.keep()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let content = |name: &str| std::fs::read_to_string(at(name)).unwrap_or_default();
        let place = |placing: &mut Placing| {
            placing.set_aside_in_place(&at("file")).unwrap();
            assert_eq!(content("file"), "old");
            std::fs::write(at("made"), "new").unwrap();
            std::fs::rename(at("made"), at("file")).unwrap();
            placing.placed(&at("file"));
            placing.set_folder_aside(&at("folder")).unwrap();
            assert!(!at("folder").exists());
            std::fs::create_dir(at("folder")).unwrap();
            placing.placed(&at("folder"));
            placing.set_aside(&at("nothing")).unwrap();
            placing.set_aside(&at("folder")).unwrap();
            assert!(at("folder").exists());
        };
        std::fs::write(at("file"), "old").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::write(at("folder/inside"), "old").unwrap();
        let mut placing = Placing::default();
        place(&mut placing);
        drop(placing);
        assert_eq!((content("file"), content("folder/inside")), ("old".into(), "old".into()));
        let mut placing = Placing::default();
        place(&mut placing);
        placing.keep();
        assert_eq!((content("file"), content("folder/inside")), ("new".into(), String::new()));
        assert_eq!(folder.path().read_dir().unwrap().count(), 2);
    }
}
