//! How large the files of an output are when nothing is compressed: whole blocks, and overviews.

use super::options::get;
use super::sink::{Format, FILE_BLOCK};

/// What decides on the blocks of a file.
#[derive(Debug, Clone, Copy)]
pub struct FileShape<'a> {
    /// File format.
    pub format: Format,
    /// Creation options of the user.
    pub creation: &'a [(String, String)],
    /// A GeoTIFF gets overviews.
    pub overviews: bool,
}

impl FileShape<'_> {
    /// Bytes of the blocks of a raster of so many rows and columns; `cell` is the bytes of all its bands. Blocks at the
    /// edges count whole, as files have them.
    pub fn bytes(&self, (rows, cols): (usize, usize), cell: usize) -> u64 {
        let block = self.block((rows, cols));
        let overviews = self.overviews((rows, cols), block).map(|level| padded(level, block));
        let cells = overviews.fold(padded((rows, cols), block), u64::saturating_add);
        cells.saturating_mul(cell as u64)
    }

    /// Rows and columns of the overviews, each of half the side, down to those that a block holds.
    fn overviews(
        &self,
        (rows, cols): (usize, usize),
        block: (usize, usize),
    ) -> impl Iterator<Item = (usize, usize)> {
        let refused = get(self.creation, "OVERVIEWS").is_some_and(|text| text.eq_ignore_ascii_case("NONE"));
        let (has, least, is_cog) = match self.format {
            Format::Cog => (!refused, block.0, true),
            Format::GTiff => (self.overviews, FILE_BLOCK, false),
            Format::Zarr | Format::Vrt => (false, FILE_BLOCK, false),
        };
        // GDAL rounds up the sides of overviews that it adds to a file, and down those of COGs.
        let side = move |length: usize, power: u32| match is_cog {
            true => (length >> power).max(1),
            false => length.div_ceil(1 << power),
        };
        let powers = (1..usize::BITS).take_while(move |power| has && rows.max(cols) >> (power - 1) > least);
        powers.map(move |power| (side(rows, power), side(cols, power)))
    }

    /// Rows and columns of a block; of one cell where blocks are cut off at the edges.
    pub(super) fn block(&self, (rows, cols): (usize, usize)) -> (usize, usize) {
        let number = |key: &str| get(self.creation, key).and_then(|text| text.parse::<usize>().ok());
        let side = |key: &str| number(key).filter(|side| *side > 0).unwrap_or(FILE_BLOCK);
        match self.format {
            Format::Cog => (side("BLOCKSIZE"), side("BLOCKSIZE")),
            Format::Zarr => {
                let given = get(self.creation, "BLOCKSIZE").and_then(|text| {
                    let (down, across) = text.rsplit_once(',')?;
                    // Chunks of several bands count them first.
                    let down = down.rsplit(',').next()?;
                    Some((down.trim().parse().ok()?, across.trim().parse().ok()?))
                });
                given
                    .filter(|(down, across)| *down > 0 && *across > 0)
                    .unwrap_or((FILE_BLOCK.min(rows), FILE_BLOCK.min(cols)))
            }
            Format::GTiff | Format::Vrt => {
                // The last strip has no more rows than there are.
                let strips =
                    get(self.creation, "TILED").is_some_and(|tiled| tiled.eq_ignore_ascii_case("NO"));
                if strips {
                    (1, 1)
                } else {
                    (side("BLOCKYSIZE"), side("BLOCKXSIZE"))
                }
            }
        }
    }
}

/// Cells of all blocks.
fn padded((rows, cols): (usize, usize), (down, across): (usize, usize)) -> u64 {
    let whole = |length: usize, block: usize| (length as u64).next_multiple_of(block as u64);
    whole(rows, down).saturating_mul(whole(cols, across))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_count_whole() {
        let bytes = |format, options: &[(&str, &str)], overviews, size| {
            let creation: Vec<_> =
                options.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            FileShape { format, creation: &creation, overviews }.bytes(size, 4)
        };
        let tile = 512 * 512 * 4;
        assert_eq!(bytes(Format::GTiff, &[], false, (16, 16)), tile);
        assert_eq!(bytes(Format::GTiff, &[("tiled", "no")], false, (16, 17)), 16 * 17 * 4);
        let small = [("BLOCKXSIZE", "256"), ("BLOCKYSIZE", "16")];
        assert_eq!(bytes(Format::Vrt, &small, false, (17, 257)), 32 * 512 * 4);
        assert_eq!(bytes(Format::GTiff, &[], true, (513, 1024)), 4 * tile + tile);
        assert_eq!(bytes(Format::Cog, &[("BLOCKSIZE", "256")], false, (100, 1025)), 8 * tile / 4);
        assert_eq!(bytes(Format::Cog, &[], false, (1025, 100)), 4 * tile);
        assert_eq!(bytes(Format::Cog, &[("OVERVIEWS", "NONE")], false, (1025, 100)), 3 * tile);
        assert_eq!(bytes(Format::Zarr, &[], false, (100, 600)), 100 * 1024 * 4);
        assert_eq!(bytes(Format::Zarr, &[("BLOCKSIZE", "50, 60")], false, (100, 61)), 100 * 120 * 4);
        let most = i32::MAX as usize;
        assert_eq!(bytes(Format::GTiff, &[], false, (most, most)), u64::MAX);
    }
}
