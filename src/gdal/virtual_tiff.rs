//! A tiled TIFF that exists only as arithmetic: where its tags and tiles would stand, so that GDAL can read it as a file
//! whose tiles are computed when they are read.
//!
//! BigTIFF, little-endian, uncompressed, the bands of a cell together; one directory for the raster and one for each
//! overview. What the file says of itself comes from a file of one cell that GDAL writes in memory: every version of GDAL
//! finds its own way of writing reference systems, metadata and descriptions.

use super::binding::Gdal;
use super::creation::is_picture;
use super::dataset::Dataset;
use super::header::{create_geotiff, set_header, Header};
use super::options::c_string;
use crate::core::error::{Error, Result};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tags of the file of one cell that are taken over: the rest tells where its cell stands.
const CARRIED: [Range<u16>; 6] = [
    // BitsPerSample; PhotometricInterpretation; SamplesPerPixel and what describes the file.
    258..259,
    262..263,
    277..278,
    284..306,
    // ExtraSamples, SampleFormat.
    338..340,
    // Position, reference system, metadata, nodata.
    33550..42114,
];

/// Tags that overviews have as well.
const OF_OVERVIEWS: [u16; 7] = [258, 262, 277, 284, 338, 339, 42113];

const LONG: u16 = 4;
const LONG8: u16 = 16;

/// Bytes of a value of every type of tag.
const TYPE_BYTES: [u64; 19] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];

/// A tag and its values, as bytes.
#[derive(Clone)]
struct Tag {
    id: u16,
    kind: u16,
    count: u64,
    values: Values,
}

#[derive(Clone)]
enum Values {
    Bytes(Vec<u8>),
    /// Places of a level's tiles.
    Offsets(usize),
    /// Sizes of a level's tiles.
    Counts,
}

/// What stands in a part of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Numbers of 64 bits, each `step` larger than the one before.
    Numbers {
        /// The first one.
        first: u64,
        /// From one to the next.
        step: u64,
    },
    /// Tiles of a level, row by row.
    Tiles(usize),
}

/// A part of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Bytes it covers.
    pub range: Range<u64>,
    /// What stands there.
    pub content: Content,
}

/// The file.
pub struct VirtualTiff {
    segments: Vec<Segment>,
    tile_bytes: u64,
}

impl VirtualTiff {
    /// `levels` are the sizes (rows, columns) of the raster and of its overviews; tiles have sides of `side` cells. The
    /// file says what `header` says, at the place of `source`.
    pub fn new(
        gdal: &'static Gdal,
        header: &Header,
        source: &Dataset,
        levels: &[(usize, usize)],
        side: usize,
    ) -> Result<Self> {
        check_size(levels[0], side)?;
        let carried = carried_tags(&file_of_one_cell(gdal, header, source)?)?;
        let cell = header.bands.len() * header.cell_type.size();
        let tile_bytes = (side * side * cell) as u64;
        Ok(Self { segments: lay_out(&carried, levels, side, tile_bytes), tile_bytes })
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.range.end)
    }

    /// Bytes of a tile.
    pub fn tile_bytes(&self) -> u64 {
        self.tile_bytes
    }

    /// The part in which a byte stands.
    pub fn segment(&self, offset: u64) -> Option<&Segment> {
        let index = self.segments.partition_point(|segment| segment.range.end <= offset);
        self.segments.get(index).filter(|segment| segment.range.contains(&offset))
    }
}

impl Segment {
    /// Copies bytes from `offset` on, as many as fit and stand here; None for tiles.
    pub fn copy(&self, offset: u64, to: &mut [u8]) -> Option<usize> {
        let start = offset - self.range.start;
        let count = to.len().min((self.range.end - offset) as usize);
        match &self.content {
            Content::Bytes(bytes) => {
                let start = start as usize;
                // Between the parts stand zeros.
                let there = bytes.len().saturating_sub(start).min(count);
                to[..there].copy_from_slice(&bytes[start..start + there]);
                to[there..count].fill(0);
            }
            Content::Numbers { first, step } => {
                for (index, byte) in to[..count].iter_mut().enumerate() {
                    let place = start + index as u64;
                    *byte = (first + step * (place / 8)).to_le_bytes()[(place % 8) as usize];
                }
            }
            Content::Tiles(_) => return None,
        }
        Some(count)
    }
}

/// GDAL counts tiles in 31 bits; offsets of so many fit into 64.
fn check_size((rows, cols): (usize, usize), side: usize) -> Result<()> {
    let most = i32::MAX as u64;
    let tiles = (rows.div_ceil(side) as u64).checked_mul(cols.div_ceil(side) as u64);
    if tiles.is_some_and(|tiles| tiles <= most) {
        return Ok(());
    }
    Err(Error::Unsupported(format!(
        "raster of {cols} x {rows} cells is too large for a picture; allowed: {most} tiles of {side} x {side} cells"
    )))
}

/// Tags of all directories, then their arrays, then tiles.
fn lay_out(carried: &[Tag], levels: &[(usize, usize)], side: usize, tile_bytes: u64) -> Vec<Segment> {
    let tiles: Vec<u64> =
        levels.iter().map(|(rows, cols)| (rows.div_ceil(side) * cols.div_ceil(side)) as u64).collect();
    let directories: Vec<Vec<Tag>> =
        (0..levels.len()).map(|level| directory(carried, levels[level], level, side, tiles[level])).collect();
    let directory_bytes = |tags: &Vec<Tag>| 8 + 20 * tags.len() as u64 + 8;
    let mut free = 16 + directories.iter().map(directory_bytes).sum::<u64>();
    // Arrays that do not fit into a tag, each with its place.
    let mut arrays = Vec::new();
    let mut places = Vec::new();
    for tag in directories.iter().flatten() {
        let bytes = tag.count * TYPE_BYTES[tag.kind as usize];
        places.push(free);
        if bytes > 8 {
            arrays.push((free, bytes, tag.values.clone()));
            free += bytes.next_multiple_of(8);
        }
    }
    let mut first_tiles = Vec::new();
    let mut next = free.next_multiple_of(4096);
    for count in &tiles {
        first_tiles.push(next);
        next += count * tile_bytes;
    }
    let head = head(&directories, &places, &first_tiles, tile_bytes);
    let mut segments = vec![Segment { range: 0..head.len() as u64, content: Content::Bytes(head) }];
    for (place, bytes, values) in arrays {
        let content = match values {
            Values::Bytes(bytes) => Content::Bytes(bytes),
            Values::Offsets(level) => Content::Numbers { first: first_tiles[level], step: tile_bytes },
            Values::Counts => Content::Numbers { first: tile_bytes, step: 0 },
        };
        segments.push(Segment { range: place..place + bytes.next_multiple_of(8), content });
    }
    let gap = segments.last().map_or(0, |segment| segment.range.end)..first_tiles[0];
    segments.push(Segment { range: gap, content: Content::Bytes(Vec::new()) });
    for (level, count) in tiles.iter().enumerate() {
        let range = first_tiles[level]..first_tiles[level] + count * tile_bytes;
        segments.push(Segment { range, content: Content::Tiles(level) });
    }
    segments
}

/// Tags of one level, in order.
fn directory(
    carried: &[Tag],
    (rows, cols): (usize, usize),
    level: usize,
    side: usize,
    tiles: u64,
) -> Vec<Tag> {
    let long = |id: u16, number: usize| Tag {
        id,
        kind: LONG,
        count: 1,
        values: Values::Bytes((number as u32).to_le_bytes().to_vec()),
    };
    let mut tags: Vec<Tag> =
        carried.iter().filter(|tag| level == 0 || OF_OVERVIEWS.contains(&tag.id)).cloned().collect();
    tags.extend([
        // A reduced image.
        long(254, usize::from(level > 0)),
        long(256, cols),
        long(257, rows),
        // No compression.
        long(259, 1),
        long(322, side),
        long(323, side),
        Tag { id: 324, kind: LONG8, count: tiles, values: Values::Offsets(level) },
        Tag { id: 325, kind: LONG8, count: tiles, values: Values::Counts },
    ]);
    tags.sort_by_key(|tag| tag.id);
    tags
}

/// Header and directories.
fn head(directories: &[Vec<Tag>], places: &[u64], first_tiles: &[u64], tile_bytes: u64) -> Vec<u8> {
    let mut head = Vec::from(*b"II");
    for number in [43_u16, 8, 0] {
        head.extend(number.to_le_bytes());
    }
    head.extend(16_u64.to_le_bytes());
    let mut places = places.iter();
    for (level, tags) in directories.iter().enumerate() {
        head.extend((tags.len() as u64).to_le_bytes());
        for tag in tags {
            let place = places.next().copied().unwrap_or(0);
            head.extend(tag.id.to_le_bytes());
            head.extend(tag.kind.to_le_bytes());
            head.extend(tag.count.to_le_bytes());
            let mut value = place.to_le_bytes();
            if tag.count * TYPE_BYTES[tag.kind as usize] <= 8 {
                value = match &tag.values {
                    Values::Bytes(bytes) => {
                        let mut value = [0; 8];
                        value[..bytes.len()].copy_from_slice(bytes);
                        value
                    }
                    Values::Offsets(level) => first_tiles[*level].to_le_bytes(),
                    Values::Counts => tile_bytes.to_le_bytes(),
                };
            }
            head.extend(value);
        }
        let next = if level + 1 < directories.len() { head.len() as u64 + 8 } else { 0 };
        head.extend(next.to_le_bytes());
    }
    head
}

/// A GeoTIFF of one cell with this header, as bytes.
fn file_of_one_cell(gdal: &'static Gdal, header: &Header, source: &Dataset) -> Result<Vec<u8>> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("/vsimem/terralume-{}-{number}.tif", std::process::id());
    let mut options =
        vec![("COMPRESS", "NONE"), ("ENDIANNESS", "LITTLE"), ("BIGTIFF", "NO"), ("INTERLEAVE", "PIXEL")];
    if is_picture(header) {
        options.push(("PHOTOMETRIC", "RGB"));
    }
    let options: Vec<_> = options.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let cell = Header { size: (1, 1), ..header.clone() };
    let path = c_string(&name)?;
    let written = create_geotiff(gdal, &name, &cell, &options).and_then(|dataset| {
        let fail = |reason: String| Error::Output(format!("cannot describe the raster: {reason}"));
        set_header(gdal, &dataset, &cell, source).map_err(fail)?;
        dataset.close().map_err(fail)
    });
    let bytes = written.and_then(|()| {
        let mut length = 0;
        // SAFETY: the name ends with NUL; the buffer is GDAL's and stays until the file is removed below.
        let buffer = unsafe { (gdal.VSIGetMemFileBuffer)(path.as_ptr(), &mut length, 0) };
        if buffer.is_null() {
            return Err(Error::Internal("a file in memory is gone".into()));
        }
        // SAFETY: GDAL says that so many bytes stand there; nobody else knows the file.
        Ok(unsafe { std::slice::from_raw_parts(buffer, length as usize) }.to_vec())
    });
    // SAFETY: the name ends with NUL.
    unsafe { (gdal.VSIUnlink)(path.as_ptr()) };
    bytes
}

/// Tags of a plain little-endian TIFF that describe more than where its cells stand.
fn carried_tags(file: &[u8]) -> Result<Vec<Tag>> {
    let broken = || Error::Internal("GDAL wrote a TIFF that cannot be read".into());
    let bytes = |at: u64, count: u64| {
        let end = at.checked_add(count).filter(|end| *end <= file.len() as u64);
        end.map(|end| &file[at as usize..end as usize]).ok_or_else(broken)
    };
    let short = |at: u64| bytes(at, 2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    let long = |at: u64| bytes(at, 4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    if bytes(0, 4)? != b"II\x2a\0" {
        return Err(broken());
    }
    let directory = u64::from(long(4)?);
    let mut tags = Vec::new();
    for index in 0..u64::from(short(directory)?) {
        let entry = directory + 2 + 12 * index;
        let (id, kind, count) = (short(entry)?, short(entry + 2)?, u64::from(long(entry + 4)?));
        if !CARRIED.iter().any(|carried| carried.contains(&id)) {
            continue;
        }
        let length = count * TYPE_BYTES.get(kind as usize).ok_or_else(broken)?;
        let place = if length <= 4 { entry + 8 } else { u64::from(long(entry + 8)?) };
        tags.push(Tag { id, kind, count, values: Values::Bytes(bytes(place, length)?.to_vec()) });
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(id: u16, kind: u16, count: u64, bytes: &[u8]) -> Tag {
        Tag { id, kind, count, values: Values::Bytes(bytes.to_vec()) }
    }

    #[test]
    fn rasters_of_too_many_tiles_are_refused() {
        let largest = i32::MAX as usize;
        assert!(check_size((largest, 512), 512).is_ok() && check_size((1_000_000, 1_000_000), 256).is_ok());
        let error = check_size((largest, largest), 512).unwrap_err().to_string();
        assert!(
            error.contains("2147483647 x 2147483647 cells is too large for a picture; allowed:"),
            "{error}"
        );
    }

    /// The parts follow one another without gaps, and say where the tiles are.
    #[test]
    fn parts_follow_one_another() {
        let carried = [tag(258, 3, 1, &[32, 0]), tag(34737, 2, 12, b"twelve bytes")];
        let segments = lay_out(&carried, &[(1000, 700), (500, 350), (250, 175)], 256, 1 << 18);
        assert_eq!(segments[0].range.start, 0);
        assert!(segments.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
        let tiff = VirtualTiff { segments, tile_bytes: 1 << 18 };
        let levels: Vec<u64> = tiff
            .segments
            .iter()
            .filter(|segment| matches!(segment.content, Content::Tiles(_)))
            .map(|segment| (segment.range.end - segment.range.start) >> 18)
            .collect();
        assert_eq!(levels, [12, 4, 1]);
        let offsets = tiff
            .segments
            .iter()
            .find(|segment| matches!(segment.content, Content::Numbers { step, .. } if step > 0));
        let offsets = offsets.unwrap();
        let mut number = [0; 8];
        assert_eq!(offsets.copy(offsets.range.start + 16, &mut number), Some(8));
        let third = u64::from_le_bytes(number);
        assert_eq!(tiff.segment(third).unwrap().content, Content::Tiles(0));
        assert!(tiff.segment(tiff.size()).is_none());
    }
}
