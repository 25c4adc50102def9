//! A table that says when files were taken, and more of them.

use super::list::{table, Entry};
use crate::core::error::{Error, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Rows by the names of their files.
pub(super) struct DateTable {
    path: String,
    rows: HashMap<String, Vec<Row>>,
    used: bool,
}

struct Row {
    entry: Entry,
    /// As the table has it, where that is relative.
    written: PathBuf,
    /// Where the file is, if it is there.
    place: Option<PathBuf>,
}

/// How well a row fits a file; the best ones count.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Only the name without its folders is the same.
    Name,
    /// The path ends as the table has it.
    Ending(usize),
    /// It is the same file.
    Same,
}

impl DateTable {
    /// Reads a table.
    pub fn read(path: &str) -> Result<Self> {
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let mut rows: HashMap<String, Vec<Row>> = HashMap::new();
        for entry in table(path)? {
            let full = Path::new(&entry.path);
            let written = full.strip_prefix(folder).unwrap_or(full).to_path_buf();
            let place = full.canonicalize().ok();
            rows.entry(entry.file_name().to_string()).or_default().push(Row { entry, written, place });
        }
        Ok(Self { path: path.into(), rows, used: false })
    }

    /// Adds what the table says of a file: by its place, else by the end of its path, else by its name alone.
    pub fn add_to(&mut self, entry: &mut Entry) -> Result<()> {
        let Some(rows) = self.rows.get(entry.file_name()) else { return Ok(()) };
        let place = Path::new(&entry.path).canonicalize().ok();
        let fit = |row: &Row| {
            if row.entry.path == entry.path || place.is_some() && row.place == place {
                Fit::Same
            } else if Path::new(&entry.path).ends_with(&row.written) {
                Fit::Ending(row.written.components().count())
            } else {
                Fit::Name
            }
        };
        let best = rows.iter().map(fit).max();
        let fitting: Vec<&Row> = rows.iter().filter(|row| Some(fit(row)) == best).collect();
        let Some(first) = fitting.first() else { return Ok(()) };
        if fitting
            .iter()
            .any(|row| (row.entry.date, &row.entry.columns) != (first.entry.date, &first.entry.columns))
        {
            return Err(Error::Input(format!(
                "table '{}': {} rows fit '{}' and differ; allowed: one row for each file, with as much of its path as tells \
                 it from others",
                self.path,
                fitting.len(),
                entry.path
            )));
        }
        entry.date = first.entry.date.or(entry.date);
        entry.columns.extend(first.entry.columns.iter().cloned());
        self.used = true;
        Ok(())
    }

    /// Refuses a table that says nothing of any file.
    pub fn check_used(&self) -> Result<()> {
        if self.used {
            return Ok(());
        }
        Err(Error::Input(format!(
            "table '{}' has no row for any of the files; allowed: one for some",
            self.path
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(text: &str, files: &[&str]) -> std::result::Result<Vec<Option<String>>, String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        for file in ["a/B.tif", "b/B.tif"] {
            std::fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let table = folder.path().join("dates.csv");
        std::fs::write(&table, format!("file,datetime\n{}\n", text.replace("ROOT", root))).unwrap();
        let mut table = DateTable::read(table.to_str().unwrap()).map_err(|error| error.to_string())?;
        let date = |file: &&str| {
            let mut entry = Entry::of_path(file.replace("ROOT", root));
            table.add_to(&mut entry).map_err(|error| error.to_string())?;
            Ok(entry.date.map(|(time, _)| time.to_string()[..10].to_string()))
        };
        let found = files.iter().map(date).collect::<std::result::Result<Vec<_>, String>>()?;
        table.check_used().map_err(|error| error.to_string())?;
        Ok(found)
    }

    #[test]
    fn files_are_told_apart_by_their_paths() {
        let two = ["ROOT/a/B.tif", "ROOT/a/../b/B.tif"];
        let both = vec![Some("2018-01-01".to_string()), Some("2018-01-02".to_string())];
        let expected = Ok(both.clone());
        for rows in
            ["a/B.tif,2018-01-01\nb/B.tif,2018-01-02", "ROOT/a/B.tif,2018-01-01\nROOT/b/B.tif,2018-01-02"]
        {
            assert_eq!(dates(rows, &two), expected, "{rows}");
        }
        // From the folder the program was started in, or on another machine.
        let elsewhere = ["x/a/B.tif", "x/b/B.tif"];
        assert_eq!(dates("a/B.tif,2018-01-01\nb/B.tif,2018-01-02", &elsewhere), expected);
        assert_eq!(dates("/elsewhere/B.tif,2018-01-01", &two[..1]), Ok(both[..1].to_vec()));
    }

    #[test]
    fn doubt_is_an_error() {
        let said = dates("B.tif,2018-01-01\nB.tif,2018-01-02", &["ROOT/a/B.tif"]).unwrap_err();
        assert!(said.contains("2 rows fit '") && said.contains("; allowed: one row"), "{said}");
        let said = dates("x/B.tif,2018-01-01\ny/B.tif,2018-01-02", &["ROOT/a/B.tif"]).unwrap_err();
        assert!(said.contains("2 rows fit"), "{said}");
        let said = dates("C.tif,2018-01-01", &["ROOT/a/B.tif"]).unwrap_err();
        assert!(said.contains("has no row for any of the files"), "{said}");
    }
}
