//! What GDAL does not do for a Zarr: it writes no names of bands, and cannot add to a chunk that is compressed already
//! (3.6).

use super::header::Header;
use crate::core::tile::Window;
use crate::pipeline::io::Layout;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::Result;
use std::path::Path;

/// Chunks of which some cells are there: tiles come row by row, so that they are those of one row of chunks at most.
#[derive(Default)]
pub(super) struct Chunks(BTreeMap<ChunkIndex, Chunk>);

/// Band from 0, row and column of a chunk.
pub(super) type ChunkIndex = (usize, usize, usize);

struct Chunk {
    cells: Vec<u8>,
    missing: usize,
}

impl Chunks {
    /// Takes in a tile of a band; gives the chunks that are whole now to `write`.
    pub(super) fn add<E>(
        &mut self,
        (band, plane, bytes): (usize, &[u8], usize),
        window: Window,
        layout: Layout,
        mut write: impl FnMut(ChunkIndex, &mut [u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let Layout { rows, cols, block_rows, block_cols } = layout;
        for row in window.row / block_rows..=(window.row + window.rows - 1) / block_rows {
            for col in window.col / block_cols..=(window.col + window.cols - 1) / block_cols {
                let (first_row, first_col) = (row * block_rows, col * block_cols);
                let (end_row, end_col) =
                    ((first_row + block_rows).min(rows), (first_col + block_cols).min(cols));
                let chunk = self.0.entry((band, row, col)).or_insert_with(|| Chunk {
                    cells: vec![0; block_rows * block_cols * bytes],
                    missing: (end_row - first_row) * (end_col - first_col),
                });
                let (from, to) = (window.col.max(first_col), (window.col + window.cols).min(end_col));
                for line in window.row.max(first_row)..(window.row + window.rows).min(end_row) {
                    let source = ((line - window.row) * window.cols + from - window.col) * bytes;
                    let target = ((line - first_row) * block_cols + from - first_col) * bytes;
                    let length = (to - from) * bytes;
                    chunk.cells[target..target + length].copy_from_slice(&plane[source..source + length]);
                    chunk.missing -= to - from;
                }
                if chunk.missing == 0 {
                    if let Some(mut chunk) = self.0.remove(&(band, row, col)) {
                        write((band, row, col), &mut chunk.cells)?;
                    }
                }
            }
        }
        Ok(())
    }
}

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
        if entry.path().join(".zarray").exists() && !["X", "Y"].contains(&name.as_str()) {
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
