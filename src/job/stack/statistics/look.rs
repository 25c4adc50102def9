//! Looks at the images of one grid: all bands at once, or some at a time where their bins do not fit into the memory.

use super::Rounds;
use crate::core::error::{Error, Result};
use crate::gdal::stack::GdalStack;
use crate::gdal::Gdal;
use crate::job::stack::array::seconds_of;
use crate::job::stack::statistics::StatisticsRow;
use crate::job::stack::{ListedImage, StackJob};
use crate::pipeline::plan::for_threads;
use crate::pipeline::run::Monitor;
use crate::pipeline::stack::io::StackSource;
use crate::pipeline::stack::plan::{StackPlan, StackPlanOptions};
use crate::pipeline::stack::program::{Layer, StackProgram};
use crate::pipeline::stack::run::input_bytes;
use crate::pipeline::stack::statistics::{describe, plan, Describing, Found, Numbers};
use crate::stack::cells::CellType;
use crate::stack::statistics::Edges;
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::Mutex;

/// Bytes of a line of the table beside its bins: names, and the buffers of its numbers.
pub(super) const LINE: usize = size_of::<StatisticsRow>() + 256;

/// Lines of the table for the images of one grid, at most: more of them are a raster.
const MOST_LINES: usize = 100_000_000;

/// How the images of one grid are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct GridPlan {
    /// How a run is divided: the one that takes most memory.
    pub plan: StackPlan,
    /// Names of the bands.
    pub bands: Vec<String>,
    /// Images.
    pub images: Vec<ListedImage>,
    /// Bytes of the cells that are read, uncompressed.
    pub input_bytes: u64,
    /// Lines of the table.
    pub lines: usize,
    /// Runs over the images, of all bands or of some.
    pub passes: usize,
}

/// Images of one grid and how they are looked at.
pub(super) struct Looking<'a> {
    job: &'a StackJob,
    gdal: &'static Gdal,
    source: GdalStack,
    program: StackProgram,
    /// Those of the program with all bands.
    layers: Vec<Layer>,
    bands: usize,
    /// Bytes of the table, and of a band's bins there.
    table: usize,
    bins: usize,
    largest: Option<StackPlan>,
    rounds: usize,
    passes: usize,
}

/// A plan and how many bands one run of it looks at.
type Division = (StackPlan, usize);

impl<'a> Looking<'a> {
    /// `table` are the bytes that the table has already.
    pub fn new(
        (job, gdal): (&'a StackJob, &'static Gdal),
        program: StackProgram,
        source: GdalStack,
        table: usize,
    ) -> Self {
        let (layers, bands) = (program.layers.clone(), program.results());
        Self {
            job,
            gdal,
            source,
            program,
            layers,
            bands,
            table,
            bins: 0,
            largest: None,
            rounds: 0,
            passes: 0,
        }
    }

    /// Types of the bands of images that stand as files have them.
    pub fn types(&self) -> impl Fn(usize, usize) -> Option<CellType> + Sync + use<> {
        let of = |layer: &Layer| {
            let planes = layer.values.iter().map(|place| layer.planes[*place]);
            planes.map(|plane| self.source.planes()[plane].cell_type).collect()
        };
        let types: Vec<Vec<CellType>> =
            if self.is_plain() { self.layers.iter().map(of).collect() } else { Vec::new() };
        move |layer, band| types.get(layer)?.get(band).copied()
    }

    /// Most bins that a band of small whole numbers has.
    pub fn most_own_bins(&self) -> Option<usize> {
        self.planes().filter_map(own_bins).max()
    }

    /// Whether all bands have bins of their own.
    pub fn all_have_bins(&self) -> bool {
        self.is_plain() && self.planes().all(|cell_type| own_bins(cell_type).is_some())
    }

    /// Values stand as files have them.
    fn is_plain(&self) -> bool {
        self.program.formula.is_none() && !self.job.stack.unscale
    }

    fn planes(&self) -> impl Iterator<Item = CellType> + '_ {
        self.layers.iter().flat_map(|layer| &layer.planes).map(|plane| self.source.planes()[*plane].cell_type)
    }

    /// Files with blocks that could not be read.
    pub fn bad_files(&self) -> Vec<String> {
        self.source.bad_files()
    }

    /// What was divided, if anything.
    pub fn plan(&self, bands: Vec<String>, images: Vec<ListedImage>) -> Option<GridPlan> {
        let input_bytes = input_bytes(&self.program, self.source.planes());
        let (lines, passes) = (self.lines(), self.passes);
        Some(GridPlan { plan: self.largest?, bands, images, input_bytes, lines, passes })
    }

    /// Says that each line of the table gets so many bins.
    pub fn keep(&mut self, bins: usize) {
        self.bins = bins * size_of::<u64>();
    }

    /// Looks at every image; `bins` gives those of a band of an image, at most so many.
    pub fn look<T: Send>(
        &mut self,
        variance: bool,
        (most, bins): (usize, &(dyn Fn(usize, usize) -> Option<Edges> + Sync)),
        finish: &(dyn Fn(&Found) -> T + Sync),
        monitor: &mut Monitor<'_>,
    ) -> Result<Numbers<T>> {
        let (plan, count) = self.divide(most)?;
        let mut rounds = Rounds { done: 0, of: self.bands.div_ceil(count) };
        let mut all = Numbers::new();
        // The passes use the same memory: what allocators keep of freed bins would come on top.
        let spare = Mutex::default();
        for first in (0..self.bands).step_by(count) {
            self.choose(first..(first + count).min(self.bands));
            let edges = |layer: usize, band: usize| bins(layer, first + band);
            let block = self.job.stack.block;
            let describing = Describing { block, variance, edges: &edges, finish, spare: &spare };
            let (found, _) = rounds.next(monitor, &mut |monitor| {
                describe(&self.program, &plan, &self.source, &describing, monitor)
            })?;
            match all.is_empty() {
                true => all = found,
                false => all.iter_mut().zip(found).for_each(|((_, bands), (_, more))| bands.extend(more)),
            }
        }
        self.choose(0..self.bands);
        Ok(all)
    }

    /// Divides a look at every image, with at most so many bins for a band: as many threads and bands at a time as fit.
    pub fn divide(&mut self, bins: usize) -> Result<Division> {
        let lines = self.lines();
        if lines > MOST_LINES {
            return Err(Error::Argument(format!(
                "the table would have {lines} lines; allowed: at most {MOST_LINES}, with larger blocks (--block)"
            )));
        }
        let options = self.job.plan_options(&self.source, self.gdal);
        let (plan, count) = for_threads(options.threads, self.job.run.threads.is_some(), |threads| {
            self.divide_for(bins * size_of::<u64>(), StackPlanOptions { threads, ..options })
        })?;
        self.rounds += 1;
        self.passes += self.bands.div_ceil(count);
        if self.largest.is_none_or(|largest| largest.memory < plan.memory) {
            self.largest = Some(plan);
        }
        self.choose(0..self.bands);
        Ok((plan, count))
    }

    /// About how many seconds the looks that were divided take: a part in the middle of an image is read for it.
    pub fn estimate(&mut self, cancel: &AtomicBool) -> Result<f64> {
        let plan = self.largest.ok_or_else(|| Error::Internal("nothing was divided".into()))?;
        let options = self.job.plan_options(&self.source, self.gdal);
        let one = self.layers.get(self.layers.len() / 2).cloned().into_iter().collect();
        let all = std::mem::replace(&mut self.program.layers, one);
        let seconds = seconds_of(&self.program, &self.source, (&plan, self.layers.len()), options, cancel);
        self.program.layers = all;
        Ok(seconds? * self.rounds as f64)
    }

    fn divide_for(&mut self, bins: usize, options: StackPlanOptions) -> Result<Division> {
        let block = self.job.stack.block;
        let mut count = self.bands;
        loop {
            self.choose(0..count);
            let shared = options.shared.saturating_add(self.table_bytes());
            let options = StackPlanOptions { shared, ..options };
            let planned = plan(&self.program, self.source.planes(), block, count * bins, options);
            match planned {
                Err(Error::Memory(_)) if count > 1 && self.program.formula.is_none() => {
                    count = count.div_ceil(2);
                }
                result => return Ok((result?, count)),
            }
        }
    }

    /// Lines of these images in the table.
    fn lines(&self) -> usize {
        let size =
            self.source.planes().first().map_or((0, 0), |plane| (plane.layout.rows, plane.layout.cols));
        let blocks = self
            .job
            .stack
            .block
            .map_or(1, |side| size.0.div_ceil(side).saturating_mul(size.1.div_ceil(side)));
        blocks.saturating_mul(self.layers.len()).saturating_mul(self.bands)
    }

    /// What the table takes with the lines of these images.
    pub fn table_bytes(&self) -> usize {
        self.table.saturating_add(self.lines().saturating_mul(LINE + self.bins))
    }

    /// Lets the program look at some of the bands.
    fn choose(&mut self, bands: Range<usize>) {
        if self.program.formula.is_some() {
            return;
        }
        self.program.layers = self.layers.iter().map(|layer| layer.part(bands.clone())).collect();
    }
}

/// Bins of a type whose numbers have one each.
fn own_bins(cell_type: CellType) -> Option<usize> {
    (cell_type.size() <= 2 && !cell_type.is_float()).then(|| 1 << (8 * cell_type.size()))
}
