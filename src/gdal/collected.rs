//! Blocks that are written once: tiles smaller than they are, or that begin inside of them, are collected until a block is
//! whole. A block that is compressed already cannot be added to (Zarr), or is written again at the end of the file
//! (GeoTIFF), for every tile.

use crate::core::tile::Window;
use crate::pipeline::io::Layout;
use std::collections::BTreeMap;

/// Blocks of which some cells are there: tiles come row by row, so that they are those of one row of blocks, or of two
/// where a tile reaches into both.
#[derive(Default)]
pub(super) struct Collected(BTreeMap<BlockIndex, Part>);

/// Row and column of a block.
type BlockIndex = (usize, usize);

struct Part {
    /// Of all bands, band after band, as far as the raster reaches.
    cells: Vec<u8>,
    missing: usize,
}

impl Collected {
    /// Takes in a tile of all bands; gives the blocks that are whole now to `write`, as tiles.
    pub(super) fn add<E>(
        &mut self,
        cells: &[u8],
        (window, bands, bytes): (Window, usize, usize),
        layout: Layout,
        mut write: impl FnMut(Window, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Layout { rows, cols, block_rows, block_cols } = layout;
        for row in window.row / block_rows..=(window.row + window.rows - 1) / block_rows {
            for col in window.col / block_cols..=(window.col + window.cols - 1) / block_cols {
                let (first_row, first_col) = (row * block_rows, col * block_cols);
                let place = Window {
                    row: first_row,
                    col: first_col,
                    rows: block_rows.min(rows - first_row),
                    cols: block_cols.min(cols - first_col),
                };
                let Some(shared) = window.overlap(place) else { continue };
                let part = self.0.entry((row, col)).or_insert_with(|| Part {
                    cells: vec![0; bands * place.cells() * bytes],
                    missing: place.cells(),
                });
                for band in 0..bands {
                    for line in shared.row..shared.row + shared.rows {
                        let source = band * window.cells()
                            + (line - window.row) * window.cols
                            + (shared.col - window.col);
                        let target =
                            (band * place.rows + line - first_row) * place.cols + (shared.col - first_col);
                        let (source, target, length) = (source * bytes, target * bytes, shared.cols * bytes);
                        part.cells[target..target + length].copy_from_slice(&cells[source..source + length]);
                    }
                }
                part.missing -= shared.cells();
                if part.missing == 0 {
                    if let Some(part) = self.0.remove(&(row, col)) {
                        write(place, &part.cells)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::plan::parts_of_blocks;
    use std::convert::Infallible;

    /// Tiles of every size give each block once, with its cells, and keep what the plan says at most.
    #[test]
    fn blocks_come_whole_and_once() {
        let layout = Layout { rows: 23, cols: 31, block_rows: 8, block_cols: 6 };
        let (bands, bytes) = (2, 2);
        let cell = |band: usize, row: usize, col: usize| [(band * 100 + row) as u8, col as u8];
        for side in [1, 3, 5, 8, 9, 16, 40] {
            let (mut collected, mut given, mut most) = (Collected::default(), BTreeMap::new(), 0);
            for row in (0..layout.rows).step_by(side) {
                for col in (0..layout.cols).step_by(side) {
                    let (rows, cols) = (side.min(layout.rows - row), side.min(layout.cols - col));
                    let window = Window { row, col, rows, cols };
                    let places = (0..bands * rows * cols).map(|at| (at / (rows * cols), at % (rows * cols)));
                    let cells: Vec<u8> =
                        places.flat_map(|(band, at)| cell(band, row + at / cols, col + at % cols)).collect();
                    let written = collected.add(&cells, (window, bands, bytes), layout, |place, cells| {
                        let twice = given.insert((place.row, place.col), (place, cells.to_vec()));
                        assert!(twice.is_none(), "{place:?} came twice");
                        Ok::<_, Infallible>(())
                    });
                    written.unwrap();
                    most = most.max(collected.0.values().map(|part| part.cells.len()).sum());
                }
            }
            assert!(collected.0.is_empty() && given.len() == 3 * 6, "{side}: {}", given.len());
            let planned = parts_of_blocks(layout, (side, side), bands * bytes);
            assert!(most <= planned, "side {side}: {most} of {planned}");
            for ((row, col), (place, cells)) in given {
                assert!(row % layout.block_rows == 0 && col % layout.block_cols == 0);
                let places = (0..bands * place.cells()).map(|at| (at / place.cells(), at % place.cells()));
                let there: Vec<u8> = places
                    .flat_map(|(band, at)| cell(band, row + at / place.cols, col + at % place.cols))
                    .collect();
                assert_eq!(cells, there);
            }
        }
    }
}
