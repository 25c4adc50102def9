//! Passes over the whole raster before the one that writes: percentiles, RVT's overcast sky.
//!
//! The same tiles, threads and readers as a run; nothing is written. What was found is kept in the chain, so that a
//! chain is surveyed once, however often it runs afterwards.

use super::io::Source;
use super::plan::Plan;
use super::run::{drive, Inputs, Monitor, Work};
use crate::core::error::Result;
use crate::core::tile::Window;
use crate::recipe::chain::{Chain, ChainTiles, Observer, Registers, Round};

/// Finds what `chain` must know of the raster. Does nothing when it is settled.
pub fn settle(
    chain: &mut Chain,
    plan: &Plan,
    sources: &[&dyn Source],
    monitor: &mut Monitor<'_>,
) -> Result<()> {
    let (rounds, mut done) = (chain.rounds().max(1) as f64, 0.0);
    while let Some(round) = chain.round(plan.size) {
        // No more observers than workers: the calling thread does nothing with them.
        let observers = (0..plan.threads).map(|_| chain.new_observer(&round)).collect();
        let looking = Looking { chain, size: plan.size, round: &round };
        let mut report = |share: f64| (monitor.report)(((done + share) / rounds).min(1.0));
        let mut part = Monitor { report: &mut report, cancel: monitor.cancel };
        let inputs = Inputs { chain, plan, sources };
        let observers = drive(&inputs, &looking, observers, &mut |_, _| Ok(()), &mut part)?;
        chain.end_round(round, &observers);
        done += 1.0;
    }
    Ok(())
}

/// Work that only looks.
struct Looking<'a> {
    chain: &'a Chain,
    size: (usize, usize),
    round: &'a Round,
}

impl Work for Looking<'_> {
    type Product = Observer;

    fn compute(
        &self,
        window: Window,
        tiles: &ChainTiles,
        registers: &mut Registers,
        observer: &mut Observer,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        let place = (window, self.size);
        self.chain.observe(self.round, place, |edge| tiles.tile(edge), (registers, observer), proceed)
    }
}
