//! A run into memory instead of into a file.

use super::trace::Trace;
use super::{set_caches, Job, Prepared, COMPUTING};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::Source;
use crate::pipeline::memory::ArraySink;
use crate::pipeline::run::{run, Monitor};
use crate::recipe::chain::Finding;
use std::sync::atomic::AtomicBool;

impl Job {
    /// Computes the part of the raster that the options name into `cells`, bands x rows x columns of the cell type.
    /// A part without any data is no error: it may be one of many.
    pub fn run_array(
        &self,
        cells: &mut [u8],
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<()> {
        if self.pictures.len() != 1 {
            let came = self.pictures.len();
            return Err(Error::Argument(format!("{came} pictures for one array; allowed: one")));
        }
        self.prepare_watched(report, cancel)?.run_array(cells, report, cancel)
    }
}

impl Job {
    /// Finds what depends on the whole raster, so that runs over its parts need not: see [`JobOptions::findings`].
    ///
    /// [`JobOptions::findings`]: super::JobOptions::findings
    pub fn survey(
        &self,
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<Vec<Finding>> {
        let mut prepared = self.prepare()?;
        if prepared.chain.asks_for_ground() {
            return Err(Error::Unsupported(
                "RVT's overcast sky depends on the whole raster, and on more of it than a few numbers; allowed: a run over \
                 all of it"
                    .into(),
            ));
        }
        prepared.settle(&mut |done| report(done, "surveying"), cancel, None)?;
        Ok(prepared.chain.findings())
    }
}

impl Prepared<'_> {
    fn run_array(
        mut self,
        cells: &mut [u8],
        report: &mut dyn FnMut(f64, &str) -> bool,
        cancel: &AtomicBool,
    ) -> Result<()> {
        Trace::refuse(&self.job.options)?;
        let (rows, cols) = self.plan.size;
        let cell = (self.chain.bands().len(), self.chain.cell_type().bytes());
        let mut sink = ArraySink::new(cells, cell, (rows, cols), Window { row: 0, col: 0, rows, cols })?;
        let share = COMPUTING / (self.chain.rounds() + 1) as f64;
        let surveying = share * self.chain.rounds() as f64;
        self.settle(&mut |done| report(surveying * done, "surveying"), cancel, None)?;
        let Self { source, layers, chain, plan, .. } = self;
        let mut sources: Vec<&dyn Source> = vec![&source];
        sources.extend(layers.iter().map(|layer| layer as &dyn Source));
        set_caches(&plan, &source, &layers);
        let mut computing = |done: f64| report(surveying + done * share, "computing");
        run(&chain, &plan, &sources, &mut sink, &mut Monitor { report: &mut computing, cancel }, None)?;
        report(1.0, "done");
        Ok(())
    }
}
