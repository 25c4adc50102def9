//! Images of rectangles that several tiles share, read once by whichever worker comes first.

use super::io::{PlaneInfo, RawPlane, StackReader};
use super::keeping::{Keeping, Unit};
use super::order::Order;
use super::plan::StackPlan;
use super::program::StackProgram;
use crate::core::error::Result;
use crate::core::tile::Window;
use lru::LruCache;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A unit and the number of a rectangle.
type Key = (usize, usize);

/// What all workers share.
pub(super) struct Kept {
    units: Vec<Unit>,
    /// Bytes of a whole rectangle of each unit. Those at the edge of the raster are smaller, but count as whole ones, so that
    /// buffers go round: memory of many sizes comes back in pieces.
    bytes: Vec<usize>,
    /// How many rectangles before that of the tile in hand are still needed, of each unit, by whichever worker.
    reach: Vec<usize>,
    /// For each unit those that are read for the same tile.
    passes: Vec<Range<usize>>,
    /// Units of each plane, and its place there.
    places: HashMap<usize, Vec<Key>>,
    rectangles: Order,
    /// Rows and columns of the raster, and the place in it where tiles begin.
    raster: (usize, usize),
    origin: (usize, usize),
    /// How far workers read ahead of one another.
    ahead: usize,
    /// Bytes of all entries.
    most: usize,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    entries: LruCache<Key, Entry>,
    bytes: usize,
}

/// A rectangle of a unit.
struct Entry {
    /// None: a worker reads it.
    planes: Option<Arc<Vec<RawPlane>>>,
    bytes: usize,
}

impl Kept {
    /// What a plan has room for; None where it keeps nothing.
    pub(super) fn of(program: &StackProgram, planes: &[PlaneInfo], plan: &StackPlan) -> Option<Arc<Self>> {
        if plan.kept == 0 {
            return None;
        }
        let keeping = plan.keeping(program, planes, plan.kept);
        Self::new(keeping, planes, (plan.order(), plan.raster, plan.origin), plan.threads)
    }

    /// For tiles of a raster, in their order, that begin at a place in it.
    pub(super) fn new(
        keeping: Keeping,
        planes: &[PlaneInfo],
        (order, raster, origin): (Order, (usize, usize), (usize, usize)),
        threads: usize,
    ) -> Option<Arc<Self>> {
        let Keeping { kept, bytes, spare, .. } = keeping;
        let (mut units, mut passes, mut places) = (Vec::new(), Vec::new(), HashMap::<_, Vec<Key>>::new());
        for pass in kept {
            let range = units.len()..units.len() + pass.len();
            passes.extend(std::iter::repeat_n(range, pass.len()));
            units.extend(pass);
        }
        for (number, unit) in units.iter().enumerate() {
            for (place, plane) in unit.planes.iter().enumerate() {
                places.entry(*plane).or_default().push((number, place));
            }
        }
        let rectangles = order.rectangles();
        let Window { rows, cols, .. } = rectangles.window(0);
        let reach = |unit: &Unit| unit.rectangles((rows, cols), rectangles.cols.count()) / 2 + threads - 1;
        let reach = units.iter().map(reach).collect();
        let sizes = units.iter().map(|unit| unit.bytes(planes, (rows, cols))).collect();
        let state = Mutex::new(State { entries: LruCache::unbounded(), bytes: 0 });
        let (most, changed) = (bytes.saturating_sub(spare), Condvar::new());
        let ahead = threads;
        let is_any = !units.is_empty();
        let kept = Self {
            units,
            bytes: sizes,
            reach,
            passes,
            places,
            rectangles,
            raster,
            origin,
            ahead,
            most,
            state,
            changed,
        };
        is_any.then(|| Arc::new(kept))
    }

    /// Number of the rectangle that a tile is a part of.
    fn rectangle_of(&self, tile: Window) -> usize {
        let (row, col) = (tile.row - self.origin.0, tile.col - self.origin.1);
        self.rectangles.tiles_of(Window { row, col, ..tile }).0
    }

    /// Where the cells of an entry lie.
    fn window(&self, (unit, rectangle): Key) -> Window {
        let window = self.rectangles.window(rectangle);
        let (row, col) = (window.row + self.origin.0, window.col + self.origin.1);
        let halo = if self.units[unit].is_spread { 0 } else { self.units[unit].halo };
        Window { row, col, ..window }.grown(halo, self.raster.0, self.raster.1)
    }

    /// Rectangles that have the cells of a window; None where some of them lie in none.
    fn rectangles_of(&self, window: Window) -> Option<impl Iterator<Item = usize>> {
        let (row, col) = (window.row.checked_sub(self.origin.0)?, window.col.checked_sub(self.origin.1)?);
        let window = Window { row, col, ..window };
        self.rectangles.has(window).then(|| self.rectangles.touched(window))
    }

    /// The unit that has a window of a plane around a tile of a rectangle, and the plane's place there.
    fn find(&self, plane: usize, rectangle: usize, window: Window) -> Option<Key> {
        let has = |(unit, _): &&Key| match self.units[*unit].is_spread {
            true => self.rectangles_of(window).is_some(),
            false => self.window((*unit, rectangle)).overlap(window) == Some(window),
        };
        self.places.get(&plane)?.iter().find(has).copied()
    }

    /// The planes of a unit, for a tile of the rectangle `in_hand`. A worker that would have to wait for another reads ahead
    /// instead: what is wanted next.
    fn get(&self, key: Key, in_hand: usize, reader: &mut dyn StackReader) -> Result<Arc<Vec<RawPlane>>> {
        let mut state = self.lock();
        loop {
            match state.entries.get(&key).map(|entry| entry.planes.clone()) {
                Some(Some(planes)) => return Ok(planes),
                None => return self.read(state, (key, in_hand), reader),
                Some(None) => {}
            }
            state = match self.next(&state, key) {
                Some(next) => {
                    // Whoever wants it will find the error again.
                    let _ = self.read(state, (next, in_hand), reader);
                    self.lock()
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// What will be wanted soon after an entry and is not there.
    fn next(&self, state: &State, (unit, rectangle): Key) -> Option<Key> {
        let pass = &self.passes[unit];
        let after = |step: usize| {
            let place = unit - pass.start + step;
            (pass.start + place % pass.len(), rectangle + place / pass.len())
        };
        let mut keys = (1..=self.ahead).map(after).take_while(|key| key.1 < self.rectangles.count());
        keys.find(|key| !state.entries.contains(key))
    }

    /// Reads an entry, which others wait for meanwhile.
    fn read(
        &self,
        mut state: MutexGuard<'_, State>,
        (key, in_hand): (Key, usize),
        reader: &mut dyn StackReader,
    ) -> Result<Arc<Vec<RawPlane>>> {
        let (window, unit) = (self.window(key), &self.units[key.0]);
        let is_behind = |other: &Key| other.1 + self.reach[other.0] < in_hand;
        let used = state.begin(key, (self.bytes[key.0], self.most), &is_behind);
        drop(state);
        let mut reading = Reading { kept: self, key, planes: None };
        let mut planes = used.unwrap_or_default();
        planes.resize_with(unit.planes.len(), RawPlane::default);
        reader.read(&unit.planes, window, &mut planes)?;
        let planes = Arc::new(planes);
        reading.planes = Some(Arc::clone(&planes));
        Ok(planes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes room for an entry that is read now, in place of those that lie behind, else those that have not been used for
    /// longest. Gives the buffers of one of the same size.
    fn begin(
        &mut self,
        key: Key,
        (bytes, most): (usize, usize),
        is_behind: &dyn Fn(&Key) -> bool,
    ) -> Option<Vec<RawPlane>> {
        self.bytes += bytes;
        self.entries.put(key, Entry { planes: None, bytes });
        let mut used = None;
        while self.bytes > most {
            let oldest_first = || self.entries.iter().rev().filter(|(_, entry)| entry.planes.is_some());
            let behind = oldest_first().find(|(key, _)| is_behind(key));
            let oldest = behind.or_else(|| oldest_first().next()).map(|(key, _)| *key);
            let Some(entry) = oldest.and_then(|key| self.entries.pop(&key)) else { break };
            self.bytes -= entry.bytes;
            if entry.bytes == bytes {
                used = entry.planes.and_then(Arc::into_inner);
            }
        }
        used
    }
}

/// An entry that is being read. When that ends, however it does, those that wait go on.
struct Reading<'a> {
    kept: &'a Kept,
    key: Key,
    planes: Option<Arc<Vec<RawPlane>>>,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut state = self.kept.lock();
        match (self.planes.take(), state.entries.get_mut(&self.key)) {
            (Some(planes), Some(entry)) => entry.planes = Some(planes),
            (None, Some(entry)) => {
                let bytes = entry.bytes;
                state.entries.pop(&self.key);
                state.bytes -= bytes;
            }
            (_, None) => {}
        }
        self.kept.changed.notify_all();
    }
}

/// A worker's reader, which looks among what is kept first.
pub(super) struct KeptReader<'a> {
    reader: Box<dyn StackReader + 'a>,
    kept: Option<Arc<Kept>>,
    /// Number of the rectangle of the tile in hand.
    rectangle: usize,
}

impl<'a> KeptReader<'a> {
    pub(super) fn new(reader: Box<dyn StackReader + 'a>, kept: Option<Arc<Kept>>) -> Self {
        Self { reader, kept, rectangle: 0 }
    }

    /// Says for which tile windows are read next.
    pub(super) fn begin(&mut self, tile: Window) {
        if let Some(kept) = &self.kept {
            self.rectangle = kept.rectangle_of(tile);
        }
    }
}

impl StackReader for KeptReader<'_> {
    fn read(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
        let Some(kept) = &self.kept else { return self.reader.read(planes, window, out) };
        let rectangle = self.rectangle;
        let unit = |plane: &usize| kept.find(*plane, rectangle, window).map(|(unit, _)| unit);
        let mut first = 0;
        while first < planes.len() {
            let found = unit(&planes[first]);
            let count = planes[first..].iter().take_while(|plane| unit(plane) == found).count();
            let some = first..first + count;
            first += count;
            let Some(unit) = found else {
                self.reader.read(&planes[some.clone()], window, &mut out[some])?;
                continue;
            };
            let spread = if kept.units[unit].is_spread { kept.rectangles_of(window) } else { None };
            let alone = spread.is_none().then_some(rectangle);
            for (index, rectangle) in spread.into_iter().flatten().chain(alone).enumerate() {
                let whole = kept.get((unit, rectangle), self.rectangle, self.reader.as_mut())?;
                let place = kept.window((unit, rectangle));
                for (plane, out) in planes[some.clone()].iter().zip(&mut out[some.clone()]) {
                    let Some((_, number)) = kept.find(*plane, rectangle, window) else { continue };
                    if index == 0 {
                        whole[number].begin(window, out);
                    }
                    whole[number].copy(place, window, out);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::error::Error;
    use crate::pipeline::io::Layout;
    use crate::pipeline::memory::ArraySink;
    use crate::pipeline::plan::SinkNeeds;
    use crate::pipeline::run::Monitor;
    use crate::pipeline::stack::io::StackSource;
    use crate::pipeline::stack::plan::StackPlanOptions;
    use crate::pipeline::stack::program::Layer;
    use crate::pipeline::stack::program::MaskUse;
    use crate::pipeline::stack::run::run;
    use crate::stack::cells::{CellType, NodataValue};
    use crate::stack::mask::{Mask, Outside};
    use crate::stack::reduce::{Groups, Layers, ReducePlan, Statistic};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    const SIDE: usize = 200;
    const BLOCK: usize = 64;
    const IMAGES: usize = 24;

    /// Images in blocks, which counts how many of them it decodes.
    struct Counting {
        side: usize,
        planes: Vec<PlaneInfo>,
        decoded: AtomicUsize,
        /// A plane that cannot be read.
        bad: Option<usize>,
    }

    impl Counting {
        fn new(bad: Option<usize>) -> Self {
            Self::of_side(SIDE, bad)
        }

        fn of_side(side: usize, bad: Option<usize>) -> Self {
            let layout = Layout { rows: side, cols: side, block_rows: BLOCK, block_cols: BLOCK };
            let cell_type = CellType::UInt16;
            let plane = |file| PlaneInfo { file, cell_type, nodata: None, layout, masked: false };
            Self { side, planes: (0..IMAGES).map(plane).collect(), decoded: AtomicUsize::new(0), bad }
        }
    }

    impl StackSource for Counting {
        fn planes(&self) -> &[PlaneInfo] {
            &self.planes
        }

        fn open(&self) -> Result<Box<dyn StackReader + '_>> {
            Ok(Box::new(CountingReader(self)))
        }
    }

    struct CountingReader<'a>(&'a Counting);

    impl StackReader for CountingReader<'_> {
        fn read(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
            let along = |first: usize, cells: usize| (first + cells).div_ceil(BLOCK) - first / BLOCK;
            let blocks = along(window.row, window.rows) * along(window.col, window.cols);
            for (plane, out) in planes.iter().zip(out) {
                if self.0.bad == Some(*plane) {
                    return Err(Error::Input("a bad block".into()));
                }
                self.0.decoded.fetch_add(blocks, Ordering::Relaxed);
                out.prepare(&self.0.planes[*plane], window);
                for (index, cell) in out.bytes_mut().chunks_exact_mut(2).enumerate() {
                    let (row, col) = (window.row + index / window.cols, window.col + index % window.cols);
                    cell.copy_from_slice(&((plane * 7919 + row * 523 + col * 31) as u16).to_ne_bytes());
                }
            }
            Ok(())
        }
    }

    fn program(statistic: Statistic) -> StackProgram {
        let dates: Vec<i64> = (0..IMAGES as i64).collect();
        let groups = Groups { names: vec![String::new()], of: vec![0; IMAGES] };
        let layers = Layers { dates: &dates, groups: &groups, weights: None };
        StackProgram {
            layers: (0..IMAGES).map(|plane| Layer::new(&[plane], &[], |plane| plane)).collect(),
            masks: Vec::new(),
            outside: Outside::default(),
            dilate: 0,
            where_masked: None,
            formula: None,
            rescale: None,
            merging: None,
            reduce: Some(ReducePlan::new(&[statistic], layers, 1).unwrap()),
            exact_in_float32: true,
            cell_type: CellType::Float64,
            nodata: NodataValue::Usual,
            alphas: Vec::new(),
        }
    }

    /// Cells, blocks decoded, and the plan.
    fn compute(
        source: &Counting,
        statistic: Statistic,
        division: (Option<usize>, usize, usize),
    ) -> Result<(Vec<u8>, usize, StackPlan)> {
        compute_program(source, &program(statistic), division)
    }

    fn compute_program(
        source: &Counting,
        program: &StackProgram,
        (tile_size, threads, room): (Option<usize>, usize, usize),
    ) -> Result<(Vec<u8>, usize, StackPlan)> {
        let side = source.side;
        let fixed = crate::pipeline::plan::RESERVE;
        let options = StackPlanOptions {
            threads,
            memory: fixed + room,
            tile_size,
            reader: 0,
            shared: 0,
            sink: SinkNeeds::default(),
            decodes: true,
        };
        let plan = StackPlan::new(program, source.planes(), (BLOCK, BLOCK), options)?;
        let mut cells = vec![0; side * side * 8];
        let part = Window { row: 0, col: 0, rows: side, cols: side };
        let mut sink = ArraySink::new(&mut cells, (1, 8), (side, side), part)?;
        let mut monitor = Monitor { report: &mut |_| true, cancel: &AtomicBool::new(false) };
        source.decoded.store(0, Ordering::Relaxed);
        run(program, &plan, source, &mut sink, &mut monitor, None)?;
        Ok((cells, source.decoded.load(Ordering::Relaxed), plan))
    }

    #[test]
    fn blocks_are_decoded_as_often_as_the_plan_says() {
        let source = Counting::new(None);
        let blocks = (IMAGES * SIDE.div_ceil(BLOCK) * SIDE.div_ceil(BLOCK)) as f64;
        for statistic in [Statistic::Mean, Statistic::Median] {
            let (expected, ..) = compute(&source, statistic, (None, 1, 1 << 24)).unwrap();
            for (tile, room, least, most) in [
                (Some(16), 1 << 24, 1.0, 1.0),
                (Some(23), 1 << 24, 1.0, 1.0),
                (Some(100), 1 << 24, 1.0, 1.0),
                (Some(BLOCK), 1 << 24, 1.0, 1.0),
                // Not all images.
                (Some(16), 60_000, 1.0, 16.0),
                (Some(16), 40_000, 1.0, 16.0),
                (None, 60_000, 1.0, 16.0),
            ] {
                let (cells, decoded, plan) = compute(&source, statistic, (tile, 1, room)).unwrap();
                assert!(cells == expected, "{statistic:?}, {tile:?}, {room}");
                let times = decoded as f64 / blocks;
                assert!((times - plan.decoded).abs() < 1e-9, "{statistic:?}, {tile:?}, {times}, {plan:?}");
                assert!((least..=most).contains(&times), "{statistic:?}, {tile:?}, {times}, {plan:?}");
                assert!(plan.memory <= crate::pipeline::plan::RESERVE + room);
            }
        }
    }

    /// The first plane where the second one does not mask it, by masks that grow by so many cells.
    fn growing(dilate: usize) -> StackProgram {
        let mask = MaskUse { mask: Mask::parse("q < 2000", &["q"]).unwrap(), inputs: vec![0] };
        StackProgram {
            layers: vec![Layer::new(&[0], &[Some(1)], |plane| plane)],
            masks: vec![mask],
            dilate,
            reduce: None,
            ..program(Statistic::Mean)
        }
    }

    /// Blocks around a tile are kept for the tiles that they belong to, and for the next row.
    #[test]
    fn what_lies_around_tiles_is_decoded_once() {
        // Eight blocks beside one another, and a part of one.
        const WIDE: usize = 8 * BLOCK + 10;
        let source = Counting::of_side(WIDE, None);
        let blocks = (2 * WIDE.div_ceil(BLOCK) * WIDE.div_ceil(BLOCK)) as f64;
        for dilate in [1, 5, BLOCK + 3] {
            let program = growing(dilate);
            let (expected, ..) = compute_program(&source, &program, (Some(WIDE), 1, 1 << 25)).unwrap();
            for (tile, room, most) in [
                (None, 1 << 24, 1.0),
                (Some(BLOCK), 1 << 24, 1.0),
                (Some(16), 1 << 24, 1.0),
                (Some(BLOCK), 450_000, 13.0),
            ] {
                let (cells, decoded, plan) = compute_program(&source, &program, (tile, 1, room)).unwrap();
                assert!(cells == expected, "{dilate}, {tile:?}, {room}");
                let times = decoded as f64 / blocks;
                let said = format!("{dilate}, {tile:?}, {room}: {times}, {plan:?}");
                assert!((times - plan.decoded).abs() < 1e-9 && times <= most, "{said}");
                let (cells, ..) = compute_program(&source, &program, (tile, 3, 1 << 24)).unwrap();
                assert!(cells == expected, "{dilate}, {tile:?} on several threads");
            }
        }
    }

    /// Workers that read ahead of one another decode nothing twice, and take what others have read.
    #[test]
    fn workers_share_what_they_read() {
        let source = Counting::new(None);
        let blocks = IMAGES * SIDE.div_ceil(BLOCK) * SIDE.div_ceil(BLOCK);
        let (expected, ..) = compute(&source, Statistic::Median, (None, 1, 1 << 24)).unwrap();
        for threads in [2, 3, 8] {
            let (cells, decoded, plan) =
                compute(&source, Statistic::Median, (Some(16), threads, 1 << 24)).unwrap();
            assert!(cells == expected && plan.tile_rows == 16, "{threads}");
            assert!(decoded <= blocks + blocks / 10, "{threads}: {decoded} of {blocks}");
        }
    }

    #[test]
    fn an_error_ends_the_run_whoever_finds_it() {
        for threads in [1, 4] {
            let source = Counting::new(Some(IMAGES - 1));
            let error = compute(&source, Statistic::Mean, (Some(16), threads, 1 << 24)).unwrap_err();
            assert_eq!(error.to_string(), "a bad block");
        }
    }

    /// Where images cannot all be kept, whole blocks take less than they would.
    #[test]
    fn small_tiles_become_whole_blocks_where_memory_is_short() {
        let source = Counting::new(None);
        // A mean of a block: the cells, a sum, a count, and output. Kept images would take as much again and more.
        let room = BLOCK * BLOCK * (2 + 8 + 1 + 3 * 8) + 100;
        let (_, _, plan) = compute(&source, Statistic::Mean, (Some(16), 1, room)).unwrap();
        assert_eq!((plan.tile_rows, plan.tile_cols, plan.decoded, plan.kept), (BLOCK, BLOCK, 1.0, 0));
        let (_, _, plan) = compute(&source, Statistic::Mean, (Some(16), 1, 1 << 24)).unwrap();
        assert_eq!((plan.tile_rows, plan.tile_cols, plan.decoded), (16, 16, 1.0));
    }
}
