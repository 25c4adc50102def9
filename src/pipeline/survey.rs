//! Passes over the whole raster before the one that writes: percentiles, RVT's overcast sky.
//!
//! The same tiles, threads and readers as a run; nothing is written. What was found is kept in the chain, so that a
//! chain is surveyed once, however often it runs afterwards.

use super::io::Source;
use super::memory::ArraySource;
use super::plan::{for_threads, Plan, PlanOptions, SinkNeeds};
use super::profile::Profile;
use super::run::{ChainWorker, Inputs, Monitor, Work};
use crate::core::error::Result;
use crate::core::tile::Window;
use crate::recipe::chain::{Chain, Observer, Round};

/// Finds what `chain` must know of the raster. Does nothing when it is settled.
pub fn settle(
    chain: &mut Chain,
    plan: &Plan,
    sources: &[&dyn Source],
    monitor: &mut Monitor<'_>,
    profile: Option<&Profile>,
) -> Result<()> {
    let (rounds, mut done) = (chain.rounds().max(1) as f64, 0.0);
    while let Some(round) = chain.round(plan.size) {
        // No more observers than workers: the calling thread does nothing with them.
        let observers = (0..plan.threads).map(|_| chain.new_observer(&round)).collect();
        let inputs = Inputs { chain, plan, sources, profile };
        let looking = Looking { inputs: &inputs, round: &round };
        let mut report = |share: f64| (monitor.report)(((done + share) / rounds).min(1.0));
        let mut part = Monitor { report: &mut report, cancel: monitor.cancel };
        let observers = inputs.drive(&looking, observers, &mut |_, _| Ok(()), &mut part)?;
        chain.end_round(round, &observers);
        done += 1.0;
    }
    Ok(())
}

/// Memory that tiles of an array may take beside it.
const MEMORY: usize = 1 << 30;

/// A chain like `chain` with everything found that depends on the whole raster, which is an array in memory.
pub fn settled(
    chain: &Chain,
    source: &ArraySource<'_>,
    threads: usize,
    monitor: &mut Monitor<'_>,
) -> Result<Chain> {
    let layout = source.layout();
    chain.check_raster(layout.rows, layout.cols)?;
    let mut own = chain.again()?;
    let plan = for_threads(threads.max(1), false, |threads| {
        let options =
            PlanOptions { threads, memory: MEMORY, tile_size: None, reader: 0, sink: SinkNeeds::default() };
        Plan::new(&own, layout, layout, options)
    })?;
    settle(&mut own, &plan, &[source], monitor, None)?;
    Ok(own)
}

/// Work that only looks.
struct Looking<'a> {
    inputs: &'a Inputs<'a>,
    round: &'a Round,
}

impl Work for Looking<'_> {
    type Worker<'a>
        = ChainWorker<'a>
    where
        Self: 'a;
    type Product = Observer;

    fn start(&self) -> Result<ChainWorker<'_>> {
        self.inputs.start()
    }

    fn compute(
        &self,
        tile: (usize, Window),
        worker: &mut ChainWorker<'_>,
        observer: &mut Observer,
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        self.inputs.load(tile, worker, proceed)?;
        let ChainWorker { tiles, registers, clock, .. } = worker;
        let place = (tile.1, self.inputs.plan.size);
        let chain = self.inputs.chain;
        chain.observe(self.round, place, |edge| tiles.tile(edge), (registers, observer), proceed)?;
        clock.mark("survey");
        Ok(())
    }
}
