//! The pipeline itself: memory it plans, errors it passes on, how it talks to its caller.

mod common;

use common::{chain, recipe, rough, ArraySink, ArraySource, MEMORY};
use ndarray::{Array2, ArrayViewMut2};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use terralume::core::grid::Grid;
use terralume::core::tile::Window;
use terralume::pipeline::io::{CellsRef, Layout, Reader, Sink, Source};
use terralume::pipeline::plan::{Plan, PlanOptions, SinkNeeds};
use terralume::pipeline::run::{in_parallel_watched, run, Monitor};
use terralume::recipe::chain::{Chain, ChainOptions};
use terralume::{Error, Result};

fn made(name: &str) -> Chain {
    chain(&recipe(name, &[]), &Grid::square(1.0), ChainOptions::default()).expect("valid")
}

fn options(threads: usize, memory: usize, tile_size: Option<usize>) -> PlanOptions {
    PlanOptions { threads, memory, tile_size, reader: 0, sink: SinkNeeds::default() }
}

/// Rasters of many shapes, in strips, tiles and one block.
fn layouts() -> Vec<Layout> {
    let sizes = [(21, 21), (100, 3000), (1000, 1000), (20_000, 25_000), (70_000, 300), (400, 90_000)];
    let blocks = [(1, usize::MAX), (256, 256), (16, usize::MAX), (272, 272), (512, 512)];
    let pairs = sizes.iter().flat_map(|size| blocks.iter().map(move |block| (*size, *block)));
    let layout = |((rows, cols), (block_rows, block_cols)): ((usize, usize), (usize, usize))| Layout {
        rows,
        cols,
        block_rows: block_rows.min(rows),
        block_cols: block_cols.min(cols),
    };
    pairs.map(layout).collect()
}

fn sink_layout(source: Layout) -> Layout {
    Layout { block_rows: 512.min(source.rows), block_cols: 512.min(source.cols), ..source }
}

/// The bytes a run with this plan is bound to hold at once, counted here from what the plan says.
fn bound_to_hold(chain: &Chain, plan: &Plan) -> usize {
    let margin = 2 * chain.radius();
    let tile = (plan.tile_rows + margin) * (plan.tile_cols + margin) * 4 * chain.edges().len();
    let output = plan.tile_rows * plan.tile_cols * chain.bands().len() * chain.cell_type().bytes();
    plan.threads * tile + plan.buffers * output + plan.cache
}

#[test]
fn plans_stay_within_the_budget() {
    for name in ["slope", "multi_hillshade", "sky_view_factor", "vat-combined"] {
        let chain = made(name);
        for source in layouts() {
            for (threads, memory) in [(1, 128 << 20), (2, 200 << 20), (8, 1 << 30), (64, 3 << 30)] {
                let plan = Plan::new(&chain, source, sink_layout(source), options(threads, memory, None));
                let plan = match plan {
                    Ok(plan) => plan,
                    Err(Error::Memory(_)) => continue,
                    Err(other) => panic!("{name}, {source:?}: {other}"),
                };
                let held = bound_to_hold(&chain, &plan);
                assert!(held <= plan.memory, "{name}, {source:?}: {plan:?} holds {held}");
                assert!(plan.memory <= memory, "{name}, {source:?}: {plan:?} exceeds {memory}");
                check_tiles(&plan);
            }
        }
    }
}

/// The largest raster GDAL can describe, in one tile: no product may wrap round and look small.
#[test]
fn sizes_beyond_any_memory_are_refused() {
    let side = i32::MAX as usize;
    let source = Layout { rows: side, cols: side, block_rows: 256, block_cols: 256 };
    for (tile_size, reader) in [(Some(side), 0), (None, usize::MAX / 2)] {
        let options =
            PlanOptions { threads: 4, memory: 1 << 30, tile_size, reader, sink: SinkNeeds::default() };
        let plan = Plan::new(&made("vat-combined"), source, source, options);
        assert!(matches!(plan, Err(Error::Memory(_))), "{plan:?}");
    }
    let options =
        PlanOptions { threads: 4, memory: 1 << 30, tile_size: None, reader: 0, sink: SinkNeeds::default() };
    let plan = Plan::new(&made("vat-combined"), source, source, options).expect("ordinary tiles");
    assert!(plan.memory < 1 << 30, "{plan:?}");
}

/// Tiles cover every cell once.
fn check_tiles(plan: &Plan) {
    let cells: usize = (0..plan.tiles()).map(|index| plan.tile(index).cells()).sum();
    assert_eq!(cells, plan.size.0 * plan.size.1, "{plan:?}");
    let last = plan.tile(plan.tiles() - 1);
    assert_eq!((last.row + last.rows, last.col + last.cols), plan.size, "{plan:?}");
}

/// The number of MiB that an error names as the least.
fn least_mib(error: &Error) -> usize {
    let text = error.to_string();
    let number = text.rsplit("at least ").next().and_then(|rest| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number in: {text}"))
}

#[test]
fn a_budget_that_is_too_small_names_one_that_works() {
    for name in ["slope", "multi_hillshade", "vat-combined"] {
        let chain = made(name);
        for source in layouts() {
            for threads in [1, 2, 32] {
                let plan =
                    |memory| Plan::new(&chain, source, sink_layout(source), options(threads, memory, None));
                let error = plan(1 << 20).expect_err("1 MiB is never enough");
                assert!(matches!(error, Error::Memory(_)), "{error}");
                let least = least_mib(&error);
                let worked = plan(least << 20);
                assert!(worked.is_ok(), "{name}, {source:?}, {threads}: {error}, but {worked:?}");
                assert!(
                    plan((least << 20) / 2).is_err(),
                    "{name}, {source:?}: half of {least} MiB works as well"
                );
            }
        }
    }
}

/// A source that waits, or fails at a row.
struct Troubled<'a> {
    cells: &'a Array2<f32>,
    wait: Duration,
    fails_from: usize,
    open_fails: bool,
    /// Nothing is read before this is set.
    gate: Option<&'a AtomicBool>,
    reads: AtomicUsize,
}

impl<'a> Troubled<'a> {
    fn new(cells: &'a Array2<f32>) -> Self {
        let wait = Duration::ZERO;
        Self {
            cells,
            wait,
            fails_from: usize::MAX,
            open_fails: false,
            gate: None,
            reads: AtomicUsize::new(0),
        }
    }
}

impl Source for Troubled<'_> {
    fn layout(&self) -> Layout {
        let (rows, cols) = self.cells.dim();
        Layout { rows, cols, block_rows: 16, block_cols: 16 }
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        if self.open_fails {
            return Err(Error::Input("cannot open".into()));
        }
        Ok(Box::new(TroubledReader(self)))
    }
}

impl Troubled<'_> {
    /// Waits for the gate, though not for ever: a test that hangs says nothing.
    fn pass_gate(&self) {
        let start = Instant::now();
        let shut = || self.gate.is_some_and(|gate| !gate.load(Ordering::Relaxed));
        while shut() && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct TroubledReader<'a>(&'a Troubled<'a>);

impl Reader for TroubledReader<'_> {
    fn read(&mut self, window: Window, out: ArrayViewMut2<'_, f32>) -> Result<()> {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        self.0.pass_gate();
        std::thread::sleep(self.0.wait);
        if window.row + window.rows > self.0.fails_from {
            return Err(Error::Input(format!("cannot read row {}", self.0.fails_from)));
        }
        let inner = ArraySource { cells: self.0.cells, block: (16, 16) };
        let mut reader = inner.open()?;
        reader.read(window, out)
    }
}

/// A sink that fails at its third tile.
struct FullDisk(Layout, usize);

impl Sink for FullDisk {
    fn layout(&self) -> Layout {
        self.0
    }

    fn write(&mut self, _: Window, _: CellsRef<'_>) -> Result<()> {
        self.1 += 1;
        if self.1 < 3 {
            Ok(())
        } else {
            Err(Error::Output("disk full".into()))
        }
    }
}

fn plan_for(chain: &Chain, source: &dyn Source, threads: usize, tile: usize) -> Plan {
    let layout = source.layout();
    Plan::new(chain, layout, layout, options(threads, MEMORY, Some(tile))).expect("enough memory")
}

/// Runs over `source` with tiles of 32 cells.
fn run_over(source: &dyn Source, threads: usize, report: &mut dyn FnMut(f64) -> bool) -> Result<()> {
    run_until(source, threads, report, &AtomicBool::new(false))
}

fn run_until(
    source: &dyn Source,
    threads: usize,
    report: &mut dyn FnMut(f64) -> bool,
    cancel: &AtomicBool,
) -> Result<()> {
    let chain = made("sky_view_factor");
    let plan = plan_for(&chain, source, threads, 32);
    let layout = source.layout();
    let mut sink = ArraySink::new(&chain, (layout.rows, layout.cols));
    run(&chain, &plan, &[source], &mut sink, &mut Monitor { report, cancel }, None).map(drop)
}

#[test]
fn errors_of_the_source_end_the_run() {
    let cells = rough(300, 300);
    for threads in [1, 2, 5] {
        let source = Troubled { fails_from: 150, ..Troubled::new(&cells) };
        let result = run_over(&source, threads, &mut |_| true);
        assert_eq!(result, Err(Error::Input("cannot read row 150".into())));
        assert!(source.reads.load(Ordering::Relaxed) < 100, "the first error ends the run");
        let source = Troubled { open_fails: true, ..Troubled::new(&cells) };
        assert_eq!(run_over(&source, threads, &mut |_| true), Err(Error::Input("cannot open".into())));
    }
}

/// A source with a defect at its fifth tile.
struct Defective<'a>(Troubled<'a>, AtomicUsize);

impl Source for Defective<'_> {
    fn layout(&self) -> Layout {
        self.0.layout()
    }

    fn open(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(DefectiveReader(self)))
    }
}

struct DefectiveReader<'a>(&'a Defective<'a>);

impl Reader for DefectiveReader<'_> {
    fn read(&mut self, window: Window, out: ArrayViewMut2<'_, f32>) -> Result<()> {
        assert!(self.0 .1.fetch_add(1, Ordering::Relaxed) != 4, "a defect");
        TroubledReader(&self.0 .0).read(window, out)
    }
}

/// Others must not go on until every buffer waits for the tile that was lost.
#[test]
fn a_panic_of_a_worker_ends_the_run() {
    let cells = rough(600, 600);
    for threads in [5, 2, 1] {
        let begun = Instant::now();
        // A run that hangs is stopped, and fails below.
        let mut report = |_: f64| begun.elapsed() < Duration::from_secs(10);
        let source = Defective(Troubled::new(&cells), AtomicUsize::new(0));
        let result = run_over(&source, threads, &mut report);
        assert_eq!(result, Err(Error::Internal("a defect".into())));
    }
}

#[test]
fn errors_of_the_sink_end_the_run() {
    let cells = rough(400, 400);
    for threads in [1, 2, 5] {
        let (chain, source) = (made("slope"), Troubled::new(&cells));
        let plan = plan_for(&chain, &source, threads, 16);
        let mut sink = FullDisk(source.layout(), 0);
        let cancel = AtomicBool::new(false);
        let mut monitor = Monitor { report: &mut |_| true, cancel: &cancel };
        let result = run(&chain, &plan, &[&source], &mut sink, &mut monitor, None);
        assert_eq!(result, Err(Error::Output("disk full".into())));
        assert_eq!(sink.1, 3, "nothing is written after an error");
        let reads = source.reads.load(Ordering::Relaxed);
        assert!(reads <= 3 + plan.buffers + threads, "{reads} of {} tiles were read", plan.tiles());
    }
}

#[test]
fn the_caller_can_stop_by_flag_and_by_answer() {
    let cells = rough(300, 300);
    for threads in [1, 2, 5] {
        let set = AtomicBool::new(true);
        assert_eq!(run_until(&Troubled::new(&cells), threads, &mut |_| true, &set), Err(Error::Cancelled));
        let later = AtomicBool::new(false);
        let mut raise = |share: f64| {
            later.store(share > 0.3, Ordering::Relaxed);
            true
        };
        assert_eq!(run_until(&Troubled::new(&cells), threads, &mut raise, &later), Err(Error::Cancelled));
        assert_eq!(
            run_over(&Troubled::new(&cells), threads, &mut |share| share < 0.3),
            Err(Error::Cancelled)
        );
        assert_eq!(
            run_over(&Troubled::new(&cells), threads, &mut |share| share < 1.0),
            Err(Error::Cancelled)
        );
    }
}

#[test]
fn reports_come_from_the_callers_thread_and_never_fall() {
    let cells = rough(300, 300);
    for threads in [1, 2, 5] {
        let own = std::thread::current().id();
        let mut shares = Vec::new();
        let mut report = |share: f64| {
            assert_eq!(std::thread::current().id(), own);
            shares.push(share);
            true
        };
        run_over(&Troubled::new(&cells), threads, &mut report).expect("nothing fails");
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
        assert_eq!((shares.first(), shares.last()), (Some(&0.0), Some(&1.0)));
        assert!(shares.len() > 10, "{shares:?}");
    }
}

#[test]
fn items_are_made_in_their_order_and_a_stop_leaves_the_rest() {
    let items: Vec<usize> = (0..100_000).collect();
    for threads in [1, 2, 5] {
        let (made, never) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut monitor = Monitor { report: &mut |_| true, cancel: &never };
        let doubled =
            in_parallel_watched(threads, &items, |item| item * 2, &mut monitor).expect("nobody stops it");
        assert!(doubled.iter().zip(&items).all(|(double, item)| *double == item * 2));
        let slow = |_: &usize| {
            made.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(1));
        };
        let mut until_some = |_| made.load(Ordering::Relaxed) == 0;
        let mut monitor = Monitor { report: &mut until_some, cancel: &never };
        assert_eq!(in_parallel_watched(threads, &items, slow, &mut monitor), Err(Error::Cancelled));
        assert!(made.load(Ordering::Relaxed) < items.len());
        let set = AtomicBool::new(true);
        let mut monitor = Monitor { report: &mut |_| true, cancel: &set };
        assert_eq!(in_parallel_watched(threads, &items, slow, &mut monitor), Err(Error::Cancelled));
    }
}

/// 600 ms without a finished tile: at 200 ms or less between reports there are at least three of them.
#[test]
fn a_slow_source_does_not_silence_the_reports() {
    let cells = rough(30, 30);
    let source = Troubled { wait: Duration::from_millis(1500), ..Troubled::new(&cells) };
    let mut waiting = 0;
    let mut report = |share: f64| {
        waiting += usize::from(share == 0.0);
        true
    };
    run_over(&source, 2, &mut report).expect("nothing fails");
    assert!(waiting >= 7, "{waiting} reports in 1.5 s");
}

/// The answer counts while every worker is still busy with its first tile: none ends before it is given.
#[test]
fn cancelling_does_not_wait_for_tiles_to_be_written() {
    let cells = rough(64, 64);
    let gate = AtomicBool::new(false);
    let wait = Duration::from_millis(300);
    let source = Troubled { wait, gate: Some(&gate), ..Troubled::new(&cells) };
    let mut calls = 0;
    let mut report = |_: f64| {
        calls += 1;
        gate.store(calls == 2, Ordering::Relaxed);
        calls < 2
    };
    assert_eq!(run_over(&source, 2, &mut report), Err(Error::Cancelled));
    assert!(source.reads.load(Ordering::Relaxed) <= 2, "no second tile was begun");
}

#[test]
fn a_raster_smaller_than_its_radius_is_refused() {
    let chain = made("sky_view_factor");
    assert!(chain.check_raster(11, 11).is_ok());
    let error = chain.check_raster(10, 500).expect_err("10 rows are not enough for a radius of 10");
    assert!(matches!(&error, Error::Unsupported(text) if text.contains("at least 11 x 11")), "{error}");
}

/// Symmetric edges go on for ever: the topographic position of 500 cells around is known on any raster.
#[test]
fn a_raster_smaller_than_a_symmetric_radius_is_taken() {
    let chain = made("multi_scale_topographic_position");
    assert_eq!(chain.radius(), 500);
    assert!(chain.check_raster(1, 1).is_ok());
}

/// What a kernel holds counts: tables of a wide radius are most of the memory.
#[test]
fn kernels_memory_is_planned_and_wide_radii_get_wide_tiles() {
    let chain = made("multi_scale_topographic_position");
    let source = Layout { rows: 10_000, cols: 10_000, block_rows: 256, block_cols: 256 };
    let plan =
        |memory| Plan::new(&chain, source, sink_layout(source), options(2, memory, None)).expect("enough");
    let (tight, ample) = (plan(512 << 20), plan(2 << 30));
    let held = |plan: &Plan| 2 * chain.tile_memory(plan.tile_rows, plan.tile_cols);
    assert!(held(&tight) > tight.memory / 3, "{tight:?}");
    assert!(tight.overlap() < 4.0 && ample.overlap() < 2.3, "{} {}", tight.overlap(), ample.overlap());
}
