//! Open files of a stack: few, and the same ones each time.

use super::{Access, StackSettings};
use crate::core::error::Result;
use crate::gdal::raster::{BandFacts, RasterFacts};
use std::sync::{Mutex, PoisonError};

/// Handles of one file, or warpers of one of its bands, that no worker uses now.
pub(super) struct Handles<T> {
    pub(super) share: Share,
    spare: Mutex<Vec<T>>,
}

/// How many handles stay open.
pub(super) struct Share {
    /// Bytes that GDAL holds for an open one.
    pub(super) held: usize,
    /// How many may stay open while no worker uses them.
    pub(super) most: usize,
    /// Workers take turns: each of their own would have GDAL decode the whole of a huge block.
    pub(super) takes_turns: bool,
}

impl<T> Handles<T> {
    /// None yet; an open one holds so many bytes.
    pub(super) fn new(held: usize, takes_turns: bool) -> Self {
        Self { share: Share { held, most: 0, takes_turns }, spare: Mutex::default() }
    }

    /// A handle that no other worker uses.
    pub(super) fn take(&self, open: impl FnOnce() -> Result<T>) -> Result<T> {
        let found = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        found.map_or_else(open, Ok)
    }

    /// Keeps a handle for the next worker, or closes it.
    pub(super) fn give_back(&self, handle: T) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < self.share.most {
            spare.push(handle);
        }
    }
}

/// Decides which handles stay open: files are read in turn, again and again, so that those that are kept must be the
/// same ones each time, and small ones are the most for the memory.
pub(super) fn share_handles(mut shares: Vec<&mut Share>, settings: &StackSettings) {
    let mut handles = settings.most_open.saturating_sub(settings.threads);
    let mut memory = settings.handle_memory;
    shares.sort_by_key(|share| share.held);
    // Workers seldom meet at one file: a handle of each comes before second ones.
    for most in [1, settings.threads] {
        for share in &mut shares {
            let (most, held) = if share.takes_turns { (1, 0) } else { (most, share.held) };
            let room = memory.checked_div(held).unwrap_or(handles);
            let more = most.saturating_sub(share.most).min(handles).min(room);
            share.most += more;
            handles -= more;
            memory -= more * held;
        }
    }
}

/// Bytes that handles hold for all workers, at most: those in waiting, and huge blocks in use. A huge block that nobody
/// uses is one of those that the limit of GDAL's own cache is for.
pub(super) fn shared_bytes<'a>(shares: impl Iterator<Item = &'a Share>, threads: usize) -> usize {
    let (huge, usual): (Vec<&Share>, Vec<&Share>) = shares.partition(|share| share.takes_turns);
    let mut in_use: Vec<usize> = huge.into_iter().map(|share| share.held).collect();
    in_use.sort_unstable_by(|first, second| second.cmp(first));
    let waiting = usual.into_iter().map(|share| share.most * share.held);
    waiting.chain(in_use.into_iter().take(threads)).fold(0, usize::saturating_add)
}

/// Bytes that GDAL holds for an open file: a block as it is stored, and decoded where bands stand together. A huge block is
/// decoded into GDAL's own cache, which makes room for what is in use whatever its limit.
pub(super) fn held_bytes(facts: &RasterFacts, access: &Access) -> usize {
    let bytes = |band: &BandFacts| band.block.0.saturating_mul(band.block.1 * band.cell_type.size());
    let block = facts.bands.iter().map(bytes).max().unwrap_or(0);
    match access {
        Access::Windows => 0,
        Access::Shared(_) if facts.interleaved => block.saturating_mul(facts.bands.len()),
        Access::Shared(_) => block,
        _ if facts.interleaved => 2 * block * facts.bands.len(),
        _ => block.min(stored_bytes(facts)),
    }
}

/// Bytes of a block as it is stored. Compressed blocks differ in size: twice the average one is enough for most.
fn stored_bytes(facts: &RasterFacts) -> usize {
    let (rows, cols) = facts.grid.size;
    let blocks = |band: &BandFacts| rows.div_ceil(band.block.0) * cols.div_ceil(band.block.1);
    let blocks: usize = facts.bands.iter().map(blocks).sum();
    let stored = std::fs::metadata(&facts.name).map_or(u64::MAX, |file| file.len());
    usize::try_from(stored / blocks.max(1) as u64).unwrap_or(usize::MAX).saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gdal::transform::TargetGrid;

    fn shares(held: &[(usize, bool)], most_open: usize) -> Vec<Share> {
        let target = TargetGrid { size: (1, 1), transform: [0.0; 6], reference: None };
        let settings = StackSettings { target, most_open, handle_memory: 100, skip_bad: false, threads: 2 };
        let of = |&(held, takes_turns): &(usize, bool)| Share { held, most: 0, takes_turns };
        let mut shares: Vec<Share> = held.iter().map(of).collect();
        share_handles(shares.iter_mut().collect(), &settings);
        shares
    }

    #[test]
    fn handles_stay_within_their_number_and_memory() {
        let most = |held: &[(usize, bool)], most_open: usize| {
            shares(held, most_open).iter().map(|share| share.most).collect::<Vec<_>>()
        };
        assert_eq!(most(&[(10, false), (20, false)], 256), [2, 2]);
        assert_eq!(most(&[(10, false), (20, false)], 4), [1, 1]);
        assert_eq!(most(&[(60, false), (50, false)], 256), [0, 2]);
        // Files of huge blocks have one handle, which counts as any other.
        assert_eq!(most(&[(400, true), (300, true), (10, false)], 256), [1, 1, 2]);
        assert_eq!(most(&[(400, true), (300, true), (10, false)], 4), [0, 1, 1]);
    }

    #[test]
    fn huge_blocks_in_use_are_counted_and_handles_in_waiting() {
        let shares = shares(&[(400, true), (600, true), (500, true), (10, false), (20, false)], 256);
        assert_eq!(shared_bytes(shares.iter(), 2), 600 + 500 + 2 * 10 + 2 * 20);
        assert_eq!(shared_bytes(shares.iter(), 8), 600 + 500 + 400 + 2 * 10 + 2 * 20);
    }
}
