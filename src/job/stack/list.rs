//! Lists of files: patterns, `@list.txt`, tables (CSV) and catalogues (STAC ItemCollection).

use super::dates::{self, DateSource};
use crate::core::error::{unknown_name, Error, Result};
use jiff::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A file of a list with what the list says of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// For GDAL.
    pub path: String,
    /// When it was taken, if the list says so.
    pub date: Option<(Timestamp, DateSource)>,
    /// Other columns of a table.
    pub columns: Vec<(String, String)>,
}

impl Entry {
    /// A file of which nothing is known.
    pub fn of_path(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The name without its folder.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// What a column of the table holds.
    pub fn column(&self, name: &str) -> Option<&str> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, value)| value.as_str())
    }
}

/// The files that `text` stands for: a file, a pattern such as `*_B4.tif`, `@list.txt`, `table.csv`, `items.json`. A
/// table or catalogue may be followed by `#VALUE`: rows that hold it, or assets of that name, which every item of the
/// catalogue must have.
pub fn expand(text: &str) -> Result<Vec<Entry>> {
    expand_some(text, false)
}

/// The same; with `lacking` some items of a catalogue may be without the asset, and give no file.
pub fn expand_some(text: &str, lacking: bool) -> Result<Vec<Entry>> {
    if let Some(list) = text.strip_prefix('@') {
        return text_list(list);
    }
    let (path, part) = match text.rsplit_once('#') {
        Some((path, part)) if !Path::new(text).exists() => (path, Some(part)),
        _ => (text, None),
    };
    match ending(path).as_str() {
        "csv" => table_list(path, part),
        "json" | "geojson" => catalogue(path, part, lacking),
        _ if is_pattern(text) && !Path::new(text).exists() => pattern(text),
        _ => Ok(vec![Entry::of_path(remote(text))]),
    }
}

/// Addresses and whole VRTs in place of a name have such characters of their own, and cannot be listed.
fn is_pattern(text: &str) -> bool {
    let is_name = !text.starts_with("/vsi") && !text.starts_with('<');
    text.contains(['*', '?', '[']) && is_name && !text.contains("://") && !text.contains(":\"")
}

/// Whether a name is that of a catalogue, without an asset.
pub fn is_catalogue(text: &str) -> bool {
    matches!(ending(text).as_str(), "json" | "geojson")
}

fn ending(path: &str) -> String {
    Path::new(path)
        .extension()
        .map(|ending| ending.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default()
}

/// Files that match a pattern, by name: the shell's order may be another one.
fn pattern(text: &str) -> Result<Vec<Entry>> {
    let refused = |reason: String| Error::Input(format!("pattern '{text}': {reason}"));
    let wrong = |error: glob::PatternError| refused(format!("{error}; allowed: *, ?, [abc], **"));
    let found = glob::glob(text).map_err(wrong)?;
    let mut paths = Vec::new();
    for path in found {
        let closed = |error: glob::GlobError| refused(format!("{error}; allowed: folders that can be read"));
        let path = path.map_err(closed)?;
        let odd = || refused(format!("'{}' is not UTF-8; allowed: names in UTF-8", path.display()));
        let name = path.to_str().ok_or_else(odd)?;
        paths.push(Entry::of_path(name));
    }
    paths.sort_by(|first, second| first.path.cmp(&second.path));
    match paths.is_empty() {
        true => Err(refused("no file matches; allowed: a pattern of files that are there".into())),
        false => Ok(paths),
    }
}

/// One name in each line; lines that begin with # are remarks.
fn text_list(list: &str) -> Result<Vec<Entry>> {
    let text = read(list)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entries: Vec<_> = lines.map(|line| Entry::of_path(beside(list, line))).collect();
    not_empty(list, entries)
}

/// A table with a column `file` and, if it has them, `datetime`, `group`, `weight` and others.
pub fn table(path: &str) -> Result<Vec<Entry>> {
    let refused = |reason: String| Error::Input(format!("table '{path}': {reason}"));
    let text = read(path)?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken =
        |error: csv::Error| refused(format!("{error}; allowed: rows of one length, divided by commas"));
    let headers = reader.headers().map_err(broken)?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let file = column("file").ok_or_else(|| {
        let found: Vec<_> = headers.iter().collect();
        refused(format!("no column 'file' among {}; allowed: file,datetime and others", found.join(", ")))
    })?;
    let mut entries = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(broken)?;
        let date = match column("datetime").and_then(|place| row.get(place)).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let wrong = || {
                    let (line, allowed) = (index + 2, "allowed: ISO 8601, such as 2018-01-31T15:40:00Z");
                    refused(format!("line {line}: datetime '{text}' is not understood; {allowed}"))
                };
                Some((dates::parse(text).ok_or_else(wrong)?, DateSource::Table))
            }
        };
        let columns = headers.iter().zip(row.iter()).enumerate();
        let columns = columns.filter(|(place, _)| *place != file);
        entries.push(Entry {
            path: beside(path, &row[file]),
            date,
            columns: columns.map(|(_, (name, value))| (name.to_string(), value.to_string())).collect(),
        });
    }
    not_empty(path, entries)
}

fn table_list(path: &str, part: Option<&str>) -> Result<Vec<Entry>> {
    let mut entries = table(path)?;
    if let Some(part) = part {
        entries.retain(|entry| entry.columns.iter().any(|(_, value)| value == part));
    }
    not_empty(path, entries)
}

/// Assets of a STAC ItemCollection; `asset` is its key, needed where an item has several, which with `lacking` not all items
/// must have.
fn catalogue(path: &str, asset: Option<&str>, lacking: bool) -> Result<Vec<Entry>> {
    let refused = |reason: String| Error::Input(format!("catalogue '{path}': {reason}"));
    let text = read(path)?;
    let broken = |error| refused(format!("{error}; allowed: JSON"));
    let document: Value = serde_json::from_str(&text).map_err(broken)?;
    let items: Vec<&Value> = match (document["type"].as_str(), document["features"].as_array()) {
        (Some("FeatureCollection"), Some(items)) => items.iter().collect(),
        (Some("Feature"), _) => vec![&document],
        _ => return Err(refused("no STAC items in it; allowed: an ItemCollection or an Item".into())),
    };
    let mut entries = Vec::new();
    for item in &items {
        let id = item["id"].as_str().unwrap_or("without id");
        let refused = |reason: String| refused(format!("item '{id}': {reason}"));
        let assets = item["assets"]
            .as_object()
            .ok_or_else(|| refused("has no assets; allowed: items with assets".into()))?;
        let names = || assets.keys().map(String::as_str);
        let key = match asset {
            Some(key) => key,
            None if assets.len() == 1 => names().next().unwrap_or_default(),
            None => {
                let names: Vec<_> = names().collect();
                let names = names.join(", ");
                return Err(refused(format!(
                    "has several assets; allowed: {path}#ASSET with one of {names}"
                )));
            }
        };
        if lacking && !assets.contains_key(key) && items.iter().any(|item| item["assets"][key].is_object()) {
            continue;
        }
        let found =
            assets.get(key).ok_or_else(|| unknown_name("asset", key, names()).at(&format!("item '{id}'")))?;
        let homeless = || refused(format!("asset '{key}' has no href; allowed: assets with one"));
        let href = found["href"].as_str().ok_or_else(homeless)?;
        let properties = &item["properties"];
        let text = properties["datetime"].as_str().or_else(|| properties["start_datetime"].as_str());
        let date = match text {
            None => None,
            Some(text) => {
                let wrong = || refused(format!("datetime '{text}' is not understood; allowed: ISO 8601"));
                Some((dates::parse(text).ok_or_else(wrong)?, DateSource::Catalogue))
            }
        };
        entries.push(Entry { path: beside(path, href), date, columns: Vec::new() });
    }
    not_empty(path, entries)
}

fn not_empty(list: &str, entries: Vec<Entry>) -> Result<Vec<Entry>> {
    match entries.is_empty() {
        true => Err(Error::Input(format!("'{list}' names no file; allowed: a list of at least one"))),
        false => Ok(entries),
    }
}

fn read(path: &str) -> Result<String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::Input(format!("cannot read '{path}': {error}; allowed: a text file in UTF-8"))
    })?;
    // Windows programs put a mark before the text.
    Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}

/// A name from a list: relative ones start from the folder of the list.
fn beside(list: &str, name: &str) -> String {
    let name = remote(name.strip_prefix("file://").unwrap_or(name));
    let special = name.starts_with('/') || name.contains(":\"") || name.contains(":/");
    match Path::new(list).parent() {
        Some(folder) if !special && !folder.as_os_str().is_empty() => {
            let joined: PathBuf = folder.join(name.strip_prefix("./").unwrap_or(&name));
            joined.to_string_lossy().into_owned()
        }
        _ => name,
    }
}

/// Addresses as GDAL takes them.
pub fn remote(name: &str) -> String {
    let known = [
        ("http://", "/vsicurl/http://"),
        ("https://", "/vsicurl/https://"),
        ("s3://", "/vsis3/"),
        ("gs://", "/vsigs/"),
    ];
    let found = known
        .iter()
        .find_map(|(scheme, prefix)| name.strip_prefix(scheme).map(|rest| format!("{prefix}{rest}")));
    found.unwrap_or_else(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn names(text: &str, folder: &tempfile::TempDir) -> Vec<String> {
        let text = text.replace("DIR", folder.path().to_str().unwrap());
        let entries = expand(&text).unwrap_or_else(|error| panic!("{error}"));
        entries.iter().map(|entry| entry.file_name().to_string()).collect()
    }

    #[test]
    fn every_kind_of_list_gives_files() {
        let folder = folder(&[
            ("b.tif", ""),
            ("a.tif", ""),
            ("list.txt", "# two\nb.tif\n\n a.tif \n"),
            ("table.csv", "file,kind,datetime\nb.tif,x,2018-01-31\na.tif,y,2017-01-31T10:00:00Z\n"),
            (
                "items.json",
                r#"{"type": "FeatureCollection", "features": [
                {"id": "one", "properties": {"datetime": null, "start_datetime": "2018-01-31T00:00:00Z"},
                 "assets": {"B04": {"href": "./b.tif"}, "SCL": {"href": "https://x.org/scl.tif"}}}]}"#,
            ),
        ]);
        assert_eq!(names("DIR/*.tif", &folder), ["a.tif", "b.tif"]);
        assert_eq!(names("@DIR/list.txt", &folder), ["b.tif", "a.tif"]);
        assert_eq!(names("DIR/table.csv", &folder), ["b.tif", "a.tif"]);
        assert_eq!(names("DIR/table.csv#y", &folder), ["a.tif"]);
        assert_eq!(names("DIR/items.json#B04", &folder), ["b.tif"]);
        let item = expand(&format!("{}/items.json#SCL", folder.path().display())).unwrap().remove(0);
        assert_eq!(item.path, "/vsicurl/https://x.org/scl.tif");
        let (time, source) = item.date.unwrap();
        assert_eq!((time.to_string().as_str(), source), ("2018-01-31T00:00:00Z", DateSource::Catalogue));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = folder(&[
            ("no_file.csv", "path,datetime\na.tif,2018-01-31\n"),
            ("bad_date.csv", "file,datetime\na.tif,2018-01-31\nb.tif,31.1.2018\n"),
            (
                "items.json",
                r#"{"type": "Feature", "id": "one", "assets": {"B04": {"href": "b"}, "B08": {"href": "c"}}}"#,
            ),
            ("other.json", "{}"),
            ("empty.txt", "# nothing\n"),
        ]);
        for (text, words) in [
            ("DIR/*.tif", "no file matches"),
            ("@DIR/empty.txt", "names no file"),
            ("@DIR/none.txt", "cannot read"),
            ("DIR/no_file.csv", "no column 'file' among path, datetime"),
            ("DIR/bad_date.csv", "line 3: datetime '31.1.2018'"),
            ("DIR/items.json", "item 'one': has several assets"),
            ("DIR/items.json#SCL", "unknown asset 'SCL'; allowed: B04, B08"),
            ("DIR/other.json", "no STAC items"),
        ] {
            let text = text.replace("DIR", folder.path().to_str().unwrap());
            let error = expand(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
