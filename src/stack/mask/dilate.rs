//! Masks grown by a number of cells in all eight directions.

/// Rows in between; one for each thread.
#[derive(Debug, Clone, Default)]
pub struct DilateScratch {
    /// Whether a cell's own row has a masked cell near it.
    across: Vec<u8>,
    /// Masked cells of each column that are near.
    near: Vec<u32>,
}

/// Grows a mask by `radius`: a cell is masked when some cell of the square around it is. `from` is `radius` wider on each
/// side than `to`, which has `columns` by `rows` cells.
///
/// Cost: a few additions for each cell, whatever the radius.
pub fn dilate(
    from: &[u8],
    (columns, rows): (usize, usize),
    radius: usize,
    scratch: &mut DilateScratch,
    to: &mut [u8],
) {
    let width = columns + 2 * radius;
    let height = rows + 2 * radius;
    debug_assert_eq!((from.len(), to.len()), (width * height, columns * rows));
    scratch.across.resize(columns * height, 0);
    scratch.near.clear();
    scratch.near.resize(columns, 0);
    if columns == 0 {
        return;
    }
    for (cells, across) in from.chunks_exact(width).zip(scratch.across.chunks_exact_mut(columns)) {
        let mut near: u32 = cells[..2 * radius].iter().map(|cell| u32::from(*cell != 0)).sum();
        for (column, across) in across.iter_mut().enumerate() {
            near += u32::from(cells[column + 2 * radius] != 0);
            *across = u8::from(near > 0);
            near -= u32::from(cells[column] != 0);
        }
    }
    let row_at = |row: usize| row * columns..(row + 1) * columns;
    for row in 0..2 * radius {
        add(&scratch.across[row_at(row)], &mut scratch.near);
    }
    for row in 0..rows {
        add(&scratch.across[row_at(row + 2 * radius)], &mut scratch.near);
        for (to, near) in to[row_at(row)].iter_mut().zip(&scratch.near) {
            *to = u8::from(*near > 0);
        }
        for (near, gone) in scratch.near.iter_mut().zip(&scratch.across[row_at(row)]) {
            *near -= u32::from(*gone);
        }
    }
}

fn add(row: &[u8], near: &mut [u32]) {
    for (near, cell) in near.iter_mut().zip(row) {
        *near += u32::from(*cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition.
    fn plainly(from: &[u8], (columns, rows): (usize, usize), radius: usize) -> Vec<u8> {
        let width = columns + 2 * radius;
        let mut to = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let near = (row..=row + 2 * radius)
                    .any(|row| from[row * width + column..=row * width + column + 2 * radius].contains(&1));
                to.push(u8::from(near));
            }
        }
        to
    }

    #[test]
    fn as_defined_for_every_radius_and_shape() {
        let mut seed = 3_u32;
        let mut scratch = DilateScratch::default();
        for radius in [0, 1, 2, 7] {
            for (columns, rows) in [(1, 1), (13, 5), (4, 20), (0, 3), (3, 0)] {
                let from: Vec<u8> = (0..(columns + 2 * radius) * (rows + 2 * radius))
                    .map(|_| {
                        seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
                        u8::from(seed >> 24 < 9)
                    })
                    .collect();
                let mut to = vec![7; columns * rows];
                dilate(&from, (columns, rows), radius, &mut scratch, &mut to);
                assert_eq!(to, plainly(&from, (columns, rows), radius), "{radius} {columns} {rows}");
            }
        }
    }
}
