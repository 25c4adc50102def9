//! What a chain must know of the whole raster before it can write: found in passes over all tiles, round by round.
//!
//! A round answers whatever can be answered without what other rounds will find: first the kernels' questions, then
//! the ends of stretches, inner recipes before those they are layers of.

use super::{Chain, OpenStretch, Place, Registers};
use crate::core::error::{Error, Result};
use crate::core::survey::{Answer, Ground, Question};
use crate::core::tile::{Tile, Window};
use crate::render::limits::{LimitSearch, PASSES};
use crate::render::stretch::LinearStretch;
use ndarray::{s, Array2, ArrayViewMut2};
use std::sync::{Arc, Mutex, PoisonError};

/// One pass over the raster: what is watched.
pub struct Round {
    /// Kernels that ask for the ground, and what is known of it.
    ground: Option<(Vec<usize>, Mutex<Ground>)>,
    /// Kernels that ask for their largest value.
    largest: Vec<usize>,
    /// Stretches whose ends are looked for.
    stretches: Vec<usize>,
    /// Steps that are taken before a row is looked at.
    steps: usize,
}

/// What was seen of some tiles. Any number may watch; their findings are added up.
pub struct Observer {
    largest: Vec<f32>,
    searches: Vec<LimitSearch>,
}

/// The ends of one stretch, found in the whole raster.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The layer, or the recipe itself.
    pub layer: String,
    /// Which of its stretches: a number that is the same for the same recipes.
    pub place: i64,
    /// Values shown as 0 and as 1.
    pub limits: (f64, f64),
}

impl Place {
    /// Steps from 0, bands below it.
    fn number(&self) -> i64 {
        match self {
            Place::Step(step) => *step as i64,
            Place::Display(bands) => -1 - bands.start as i64,
        }
    }
}

impl Chain {
    /// Nothing is open: the chain can write.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty() && self.passes.iter().all(|pass| pass.kernel.question().is_none())
    }

    /// Passes over the raster before the one that writes, at most.
    pub fn rounds(&self) -> usize {
        // Overcast skies ask twice: for the ground, and for their largest value.
        let kernels = self.passes.iter().any(|pass| pass.kernel.question().is_some());
        let mut levels: Vec<usize> = self.open.iter().map(|open| open.after).collect();
        levels.sort_unstable();
        levels.dedup();
        2 * usize::from(kernels) + PASSES * levels.len()
    }

    /// Bytes of what one observer counts.
    pub fn observer_bytes(&self) -> usize {
        self.open.iter().map(|open| open.search.bytes()).sum()
    }

    /// Ends of stretches that were found: layer, values shown as 0 and as 1.
    pub fn found(&self) -> &[(String, f64, f64)] {
        &self.found
    }

    /// The next pass over a raster of this size, unless the chain is settled.
    pub fn round(&self, (rows, cols): (usize, usize)) -> Option<Round> {
        let mut round = Round { ground: None, largest: Vec::new(), stretches: Vec::new(), steps: 0 };
        for (index, pass) in self.passes.iter().enumerate() {
            match pass.kernel.question() {
                Some(Question::Ground { depth }) => round.ask_ground(index, depth, (rows, cols)),
                Some(Question::Largest) => round.largest.push(index),
                None => {}
            }
        }
        if round.ground.is_some() || !round.largest.is_empty() {
            return Some(round);
        }
        let step = |open: &OpenStretch| match open.place {
            Place::Step(step) => step,
            Place::Display(_) => self.steps.len(),
        };
        let first_open = self.open.iter().map(step).min()?;
        let ready = self.open.iter().enumerate().filter(|(_, open)| open.after <= first_open);
        round.stretches = ready.map(|(index, _)| index).collect();
        round.steps = round.stretches.iter().map(|index| self.open[*index].after).max().unwrap_or(0);
        Some(round)
    }

    /// An observer that has seen nothing yet.
    pub fn new_observer(&self, round: &Round) -> Observer {
        let searches = round.stretches.iter().map(|index| self.open[*index].search.watcher());
        Observer { largest: vec![f32::NAN; round.largest.len()], searches: searches.collect() }
    }

    /// Looks at a tile, which stands at `window` of a raster of `size`. Otherwise as [`Chain::run`].
    pub fn observe<'t>(
        &'t self,
        round: &Round,
        (window, size): (Window, (usize, usize)),
        tile: impl Fn(usize) -> Tile<'t>,
        (registers, observer): (&mut Registers, &mut Observer),
        proceed: &dyn Fn() -> bool,
    ) -> Result<()> {
        if let Some((_, ground)) = &round.ground {
            let mut ground = ground.lock().unwrap_or_else(PoisonError::into_inner);
            look_at_ground(&mut ground, tile(0), window, size);
        }
        if round.largest.is_empty() && round.stretches.is_empty() {
            return Ok(());
        }
        let mut kernels = self.kernels_on(tile)?;
        let block = registers.kernels.ncols();
        for first in (0..window.cols).step_by(block) {
            let columns = first..(first + block).min(window.cols);
            for row in 0..window.rows {
                if !proceed() {
                    return Err(Error::Cancelled);
                }
                self.kernel_rows(&mut kernels, row, &columns, registers);
                self.take_steps(round.steps, registers, columns.len());
                self.watch_row(round, registers, columns.len(), observer);
            }
        }
        Ok(())
    }

    fn watch_row(&self, round: &Round, registers: &Registers, width: usize, observer: &mut Observer) {
        for (pass, largest) in round.largest.iter().zip(&mut observer.largest) {
            let row = registers.row(self.passes[*pass].register, width);
            *largest = row.iter().fold(*largest, |most, value| most.max(*value));
        }
        for (open, search) in round.stretches.iter().zip(&mut observer.searches) {
            for register in &self.open[*open].registers {
                search.watch(registers.row(*register, width));
            }
        }
    }

    /// Takes in what all observers of a round have seen.
    pub fn end_round(&mut self, round: Round, observers: &[Observer]) {
        if let Some((passes, ground)) = round.ground {
            let ground = Arc::new(ground.into_inner().unwrap_or_else(PoisonError::into_inner));
            for pass in passes {
                self.passes[pass].kernel.answer(Answer::Ground(Arc::clone(&ground)));
            }
        }
        for (number, pass) in round.largest.iter().enumerate() {
            let largest = observers.iter().map(|observer| observer.largest[number]);
            self.passes[*pass].kernel.answer(Answer::Largest(largest.fold(f32::NAN, f32::max)));
        }
        let mut done = Vec::new();
        for (number, index) in round.stretches.iter().enumerate() {
            let open = &mut self.open[*index];
            let mut all = open.search.watcher();
            observers.iter().for_each(|observer| all.add(&observer.searches[number]));
            open.search = all;
            if let Some(limits) = open.search.finish_pass() {
                done.push((*index, limits));
            }
        }
        for (index, limits) in done.into_iter().rev() {
            let open = self.open.remove(index);
            self.close(open, limits);
        }
    }

    /// Takes over the ends of stretches that the same recipes found at full resolution: an overview is stretched as
    /// the raster is.
    pub fn take_over(&mut self, settled: &Chain) {
        for open in std::mem::take(&mut self.open) {
            let known = settled.found_places.iter().position(|place| *place == open.place);
            match known {
                Some(index) => {
                    let (_, min, max) = settled.found[index];
                    self.close(open, (min, max));
                }
                None => self.open.push(open),
            }
        }
    }

    /// Whether a kernel asks for more of the raster than a few numbers.
    pub fn asks_for_ground(&self) -> bool {
        self.passes.iter().any(|pass| pass.kernel.question().is_some())
    }

    /// Ends of stretches that were found, so that a chain of the same recipes can take them over elsewhere.
    pub fn findings(&self) -> Vec<Finding> {
        let finding = |((layer, min, max), place): (&(String, f64, f64), &Place)| Finding {
            layer: layer.clone(),
            place: place.number(),
            limits: (*min, *max),
        };
        self.found.iter().zip(&self.found_places).map(finding).collect()
    }

    /// Takes over what a chain of the same recipes found in the whole raster.
    pub fn take_findings(&mut self, findings: &[Finding]) -> Result<()> {
        for open in std::mem::take(&mut self.open) {
            let own = (open.name.as_str(), open.place.number());
            let known = findings.iter().find(|finding| (finding.layer.as_str(), finding.place) == own);
            let finding = known.ok_or_else(|| {
                Error::Argument(format!(
                    "the survey knows nothing of '{}'; allowed: a survey of the same recipe",
                    open.name
                ))
            })?;
            self.close(open, finding.limits);
        }
        Ok(())
    }

    fn close(&mut self, open: OpenStretch, limits: (f64, f64)) {
        let stretch = LinearStretch::new(limits, open.invert);
        match open.place.clone() {
            Place::Step(step) => self.steps[step].stretch().into_iter().for_each(|place| *place = stretch),
            Place::Display(bands) => {
                self.outputs[bands].iter_mut().for_each(|output| output.display = stretch);
            }
        }
        self.found.push((open.name, limits.0, limits.1));
        self.found_places.push(open.place);
    }
}

impl Round {
    fn ask_ground(&mut self, pass: usize, depth: usize, (rows, cols): (usize, usize)) {
        let (passes, ground) = self.ground.get_or_insert_with(|| (Vec::new(), Mutex::new(no_ground())));
        passes.push(pass);
        let ground = ground.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Kernels with other radii may ask for more.
        if depth > ground.last_rows.nrows() || ground.last_cols.is_empty() {
            ground.last_rows = Array2::from_elem((depth, cols), f32::NAN);
            ground.first_rows = Array2::from_elem((depth, cols), f32::NAN);
            ground.last_cols = Array2::from_elem((rows, depth), f32::NAN);
        }
    }
}

fn no_ground() -> Ground {
    let empty = || Array2::zeros((0, 0));
    Ground {
        lowest: f32::INFINITY,
        highest: f32::NEG_INFINITY,
        last_rows: empty(),
        first_rows: empty(),
        last_cols: empty(),
    }
}

fn look_at_ground(ground: &mut Ground, tile: Tile<'_>, window: Window, (rows, cols): (usize, usize)) {
    let depth = ground.last_rows.nrows();
    for row in 0..window.rows {
        let cells = tile.row(row, 0, 0..window.cols, 0);
        ground.lowest = cells.iter().fold(ground.lowest, |least, cell| least.min(*cell));
        ground.highest = cells.iter().fold(ground.highest, |most, cell| most.max(*cell));
        let at = window.row + row;
        if at < depth {
            put(ground.first_rows.slice_mut(s![at..=at, window.col..window.col + window.cols]), cells);
        }
        if let Some(place) = (at + depth).checked_sub(rows) {
            put(ground.last_rows.slice_mut(s![place..=place, window.col..window.col + window.cols]), cells);
        }
        // Columns of the tile among the last ones.
        let first = (cols.saturating_sub(depth)).max(window.col);
        let end = window.col + window.cols;
        if first < end {
            let place = first + depth - cols;
            let to = ground.last_cols.slice_mut(s![at..=at, place..place + end - first]);
            put(to, &cells[first - window.col..]);
        }
    }
}

fn put(mut to: ArrayViewMut2<'_, f32>, cells: &[f32]) {
    to.iter_mut().zip(cells).for_each(|(to, cell)| *to = *cell);
}
