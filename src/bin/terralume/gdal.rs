//! GDAL in a program of our own.

use terralume::gdal::Gdal;
use terralume::Result;

/// GDAL's own cache of blocks. Reading and writing go past it, so that a small one serves; by default it would
/// take a twentieth of the machine beside the budget.
const BLOCK_CACHE: usize = 32 << 20;

/// Limits the cache, and keeps messages for errors.
pub fn prepare_gdal() -> Result<()> {
    let gdal = Gdal::get()?;
    gdal.limit_block_cache(BLOCK_CACHE);
    gdal.catch_all_messages();
    Ok(())
}
