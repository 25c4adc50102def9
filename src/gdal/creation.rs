//! Creation options: the user's, and defaults where the user gave none.

use super::dataset::check_creation_options;
use super::header::Header;
use super::options::{get, set_default, OptionList};
use super::sink::{SinkOptions, FILE_BLOCK};
use super::zarr::DIMENSIONS;
use super::Gdal;
use crate::core::error::Result;
use crate::core::operation::Role;
use crate::stack::cells::CellType;
use std::sync::OnceLock;

/// Bands up to this number are stored cell by cell, as pictures are; more, band by band.
const MOST_INTERLEAVED_BANDS: usize = 4;

/// Options of the file that is written tile by tile: the user's, and defaults where the user gave none.
pub(super) fn geotiff_options(
    gdal: &Gdal,
    header: &Header,
    options: &SinkOptions,
) -> Result<Vec<(String, String)>> {
    let mut pairs = options.creation.clone();
    set_default(&mut pairs, "TILED", "YES");
    if get(&pairs, "TILED").is_some_and(|tiled| !tiled.eq_ignore_ascii_case("NO")) {
        set_default(&mut pairs, "BLOCKXSIZE", FILE_BLOCK.to_string());
        set_default(&mut pairs, "BLOCKYSIZE", FILE_BLOCK.to_string());
    }
    set_default(&mut pairs, "BIGTIFF", "IF_SAFER");
    // GDAL lets out blocks that hold nothing but nodata, or zeros where there is none: readers get these cells back.
    set_default(&mut pairs, "SPARSE_OK", "TRUE");
    let interleaved = header.cell_type == CellType::UInt8 && header.bands.len() <= MOST_INTERLEAVED_BANDS;
    set_default(&mut pairs, "INTERLEAVE", if interleaved { "PIXEL" } else { "BAND" });
    if is_picture(header) {
        set_default(&mut pairs, "PHOTOMETRIC", "RGB");
    }
    set_compression(&mut pairs, gdal, header, options.threads)?;
    Ok(pairs)
}

/// Lossless compression by default: ZSTD where this GDAL has it, else DEFLATE, with the predictor of the type.
fn set_compression(
    pairs: &mut Vec<(String, String)>,
    gdal: &Gdal,
    header: &Header,
    threads: usize,
) -> Result<()> {
    if get(pairs, "COMPRESS").is_none() {
        let zstd = OptionList::new(&[("COMPRESS".into(), "ZSTD".into())])?;
        let has_zstd = check_creation_options(gdal, "GTiff", &zstd).is_ok();
        let (name, level) = if has_zstd { ("ZSTD", "ZSTD_LEVEL") } else { ("DEFLATE", "ZLEVEL") };
        set_default(pairs, "COMPRESS", name);
        set_default(pairs, level, "1");
    }
    let method = get(pairs, "COMPRESS").unwrap_or_default().to_ascii_uppercase();
    if ["ZSTD", "DEFLATE", "LZW"].contains(&method.as_str()) {
        set_default(pairs, "PREDICTOR", if header.cell_type.is_float() { "3" } else { "2" });
    }
    if method != "NONE" {
        set_default(pairs, "NUM_THREADS", compressing_threads(threads).to_string());
    }
    Ok(())
}

/// Threads that GDAL may compress with: as many as asked for, but one in a process that was forked from one in which it
/// had more. GDAL keeps its threads for later, a fork does not take them along, and the child would wait for ever.
fn compressing_threads(threads: usize) -> usize {
    static FIRST: OnceLock<u32> = OnceLock::new();
    let own = std::process::id();
    if threads > 1 && *FIRST.get_or_init(|| own) == own {
        threads
    } else {
        1
    }
}

/// Options of the plain file that a COG is made from.
pub(super) fn spool_options(header: &Header) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    set_default(&mut pairs, "TILED", "YES");
    set_default(&mut pairs, "BLOCKXSIZE", FILE_BLOCK.to_string());
    set_default(&mut pairs, "BLOCKYSIZE", FILE_BLOCK.to_string());
    set_default(&mut pairs, "BIGTIFF", "IF_SAFER");
    set_default(&mut pairs, "INTERLEAVE", "BAND");
    // Neither empty blocks nor, when a run stops, the rest of the file are filled.
    set_default(&mut pairs, "SPARSE_OK", "TRUE");
    if is_picture(header) {
        set_default(&mut pairs, "PHOTOMETRIC", "RGB");
    }
    pairs
}

pub(super) fn cog_options(
    gdal: &Gdal,
    header: &Header,
    options: &SinkOptions,
) -> Result<Vec<(String, String)>> {
    let mut pairs = options.creation.clone();
    if get(&pairs, "COMPRESS").is_none() {
        let zstd = OptionList::new(&[("COMPRESS".into(), "ZSTD".into())])?;
        let has_zstd = check_creation_options(gdal, "COG", &zstd).is_ok();
        set_default(&mut pairs, "COMPRESS", if has_zstd { "ZSTD" } else { "DEFLATE" });
        set_default(&mut pairs, "LEVEL", "1");
        set_default(&mut pairs, "PREDICTOR", "YES");
    }
    set_default(&mut pairs, "BIGTIFF", "IF_SAFER");
    let threads = options.cog_threads(gdal, header.size, header.bands.len(), header.cell_type.size());
    set_default(&mut pairs, "NUM_THREADS", compressing_threads(threads).to_string());
    set_default(&mut pairs, "SPARSE_OK", "TRUE");
    // GDAL's own is cubic, which gives values that no cell has.
    if get(&pairs, "RESAMPLING").is_none() {
        set_default(&mut pairs, "OVERVIEW_RESAMPLING", options.resampling.name().to_ascii_uppercase());
    }
    Ok(pairs)
}

/// Chunks as the blocks of a GeoTIFF are, each written once, in version 2 of the format, which every GDAL reads. The array
/// is called `name`.
pub(super) fn zarr_options(
    gdal: &Gdal,
    name: &str,
    header: &Header,
    options: &SinkOptions,
) -> Result<Vec<(String, String)>> {
    let mut pairs = options.creation.clone();
    let (rows, cols) = (FILE_BLOCK.min(header.size.0), FILE_BLOCK.min(header.size.1));
    set_default(&mut pairs, "FORMAT", "ZARR_V2");
    // Else it would be that of the temporary folder, or none. The arrays of the coordinates are called X and Y.
    let is_taken = DIMENSIONS.contains(&name);
    set_default(&mut pairs, "ARRAY_NAME", if is_taken { "data" } else { name });
    set_default(&mut pairs, "BLOCKSIZE", format!("{rows},{cols}"));
    let zstd = OptionList::new(&[("COMPRESS".into(), "ZSTD".into())])?;
    let has_zstd = check_creation_options(gdal, "Zarr", &zstd).is_ok();
    set_default(&mut pairs, "COMPRESS", if has_zstd { "ZSTD" } else { "ZLIB" });
    if has_zstd && get(&pairs, "COMPRESS") == Some("ZSTD") {
        set_default(&mut pairs, "ZSTD_LEVEL", "1");
    }
    Ok(pairs)
}

pub(super) fn is_picture(header: &Header) -> bool {
    let roles: Vec<Role> = header.bands.iter().map(|band| band.role).collect();
    roles.starts_with(&[Role::Red, Role::Green, Role::Blue])
}
