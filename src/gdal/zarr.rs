//! What GDAL does not do for a Zarr that it makes cell by cell: it writes neither names of bands nor metadata (3.6).

use super::header::Header;
use serde_json::{json, Value};
use std::io::Result;
use std::path::Path;

/// Arrays of coordinates, which stand beside those of bands.
pub(super) const DIMENSIONS: [&str; 2] = ["X", "Y"];

/// Gives the arrays of the bands their names as `long_name`, and the metadata of the whole, as GDAL does when it copies. It
/// calls the only array as the folder, those of several bands `…_band1` and so on.
pub(super) fn describe_bands(folder: &Path, header: &Header) -> Result<()> {
    let consolidated = folder.join(".zmetadata");
    let mut all = consolidated.exists().then(|| read(&consolidated)).transpose()?;
    let mut arrays: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // Dimensions are arrays as well.
        if entry.path().join(".zarray").exists() && !DIMENSIONS.contains(&name.as_str()) {
            arrays.push(name);
        }
    }
    for array in &arrays {
        let number = array.rsplit_once("_band").and_then(|(_, number)| number.parse::<usize>().ok());
        let index = if arrays.len() == 1 { 0 } else { number.unwrap_or(1) - 1 };
        let name = header.bands.get(index).map(|band| band.name.as_str()).filter(|name| !name.is_empty());
        let path = folder.join(array).join(".zattrs");
        let mut attributes = if path.exists() { read(&path)? } else { json!({}) };
        for (key, value) in header.metadata.iter().filter(|(key, _)| key != "AREA_OR_POINT") {
            attributes[key] = json!(value);
        }
        if let Some(name) = name {
            attributes["long_name"] = json!(name);
        }
        write(&path, &attributes)?;
        if let Some(all) = &mut all {
            all["metadata"][format!("{array}/.zattrs")] = attributes;
        }
    }
    all.map_or(Ok(()), |all| write(&consolidated, &all))
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

fn write(path: &Path, value: &Value) -> Result<()> {
    std::fs::write(path, format!("{value:#}\n"))
}
