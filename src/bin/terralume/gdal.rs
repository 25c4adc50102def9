//! GDAL in a program of our own.

use terralume::gdal::Gdal;
use terralume::{JobOptions, Result};

/// GDAL's own cache of blocks. Reading and writing go past it, so that a small one serves; by default it would
/// take a twentieth of the machine beside the budget.
const BLOCK_CACHE: usize = 32 << 20;

/// The least part of a small budget that it takes.
const CACHE_SHARE: usize = 8;

/// Limits the cache, and keeps messages for errors.
pub fn prepare_gdal(options: &JobOptions) -> Result<()> {
    let gdal = Gdal::get()?;
    let share = options.memory.map_or(BLOCK_CACHE, |memory| memory / CACHE_SHARE);
    gdal.limit_block_cache(share.min(BLOCK_CACHE));
    gdal.catch_all_messages();
    Ok(())
}
