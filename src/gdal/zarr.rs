//! What GDAL does not do for a Zarr: it writes no names of bands (3.6).

use super::header::Header;
use serde_json::{json, Value};
use std::io::Result;
use std::path::Path;

/// Arrays of coordinates, which stand beside those of bands.
pub(super) const DIMENSIONS: [&str; 2] = ["X", "Y"];

/// Gives the arrays of the bands their names as `long_name`. GDAL calls the only array as the folder, those of several
/// bands `…_band1` and so on.
pub(super) fn name_bands(folder: &Path, header: &Header) -> Result<()> {
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
        let Some(band) = header.bands.get(index).filter(|band| !band.name.is_empty()) else { continue };
        let path = folder.join(array).join(".zattrs");
        let mut attributes = if path.exists() { read(&path)? } else { json!({}) };
        attributes["long_name"] = json!(band.name);
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
