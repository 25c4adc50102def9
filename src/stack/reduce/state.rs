//! What is kept of the layers that were fed.

use super::accumulate::{self as take, Count};
use super::plan::{Inner, Keeps};
use super::ranks::{Block, Kept, LANES};
use super::statistic::{Extreme, Statistic};
use std::sync::Arc;

/// What is kept of a rectangle's cells.
#[derive(Debug, Clone)]
pub struct State {
    plan: Arc<Inner>,
    cells: usize,
    // Each holds a number for every cell of every group, or nothing when it is not needed.
    counts: Counts,
    sums: Vec<f64>,
    means: Vec<f64>,
    squares: Vec<f64>,
    lows: Vec<f64>,
    highs: Vec<f64>,
    low_layers: Vec<u32>,
    high_layers: Vec<u32>,
    firsts: Vec<f64>,
    lasts: Vec<f64>,
    weighted: Vec<f64>,
    weights: Vec<f64>,
    products: Vec<f64>,
    any: Vec<u8>,
    zero: Vec<u8>,
    values: Values,
}

/// How many values each cell has, in as few bytes as will do.
#[derive(Debug, Clone)]
enum Counts {
    Narrow(Vec<u8>),
    Wide(Vec<u32>),
}

/// The values of every layer, one layer after the other.
#[derive(Debug, Clone)]
enum Values {
    None,
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// What a thread needs to finish rows.
#[derive(Debug, Clone)]
pub struct Scratch {
    single: Block<f32>,
    double: Block<f64>,
}

impl Scratch {
    pub(super) fn new(plan: &Inner) -> Self {
        let most = plan.network.most();
        Self { single: Block::new(most), double: Block::new(most) }
    }
}

impl State {
    pub(super) fn new(plan: Arc<Inner>, cells: usize, exact_in_float32: bool) -> Self {
        let all = cells * plan.layers_of.len();
        let keeps = plan.keeps;
        let size = |kept: bool| if kept { all } else { 0 };
        let floats = |kept: bool| vec![0.0; size(kept)];
        let values = match (keeps.values, exact_in_float32) {
            (false, _) => Values::None,
            (true, true) => Values::Single(vec![0.0; cells * plan.group_of.len()]),
            (true, false) => Values::Double(vec![0.0; cells * plan.group_of.len()]),
        };
        let mut state = Self {
            cells,
            counts: match plan.counts_in_bytes() {
                true => Counts::Narrow(vec![0; all]),
                false => Counts::Wide(vec![0; all]),
            },
            sums: floats(keeps.sum),
            means: floats(keeps.deviations),
            squares: floats(keeps.deviations),
            lows: floats(keeps.low),
            highs: floats(keeps.high),
            low_layers: vec![0; size(keeps.low_layer)],
            high_layers: vec![0; size(keeps.high_layer)],
            firsts: floats(keeps.first),
            lasts: floats(keeps.last),
            weighted: floats(keeps.weighted),
            weights: floats(keeps.weighted),
            products: floats(keeps.product),
            any: vec![0; size(keeps.any)],
            zero: vec![0; size(keeps.zero)],
            values,
            plan,
        };
        state.reset();
        state
    }

    /// Forgets what was fed.
    pub fn reset(&mut self) {
        for zeros in
            [&mut self.sums, &mut self.means, &mut self.squares, &mut self.weighted, &mut self.weights]
        {
            zeros.fill(0.0);
        }
        for missing in [&mut self.firsts, &mut self.lasts] {
            missing.fill(f64::NAN);
        }
        match &mut self.counts {
            Counts::Narrow(counts) => counts.fill(0),
            Counts::Wide(counts) => counts.fill(0),
        }
        self.lows.fill(f64::INFINITY);
        self.highs.fill(f64::NEG_INFINITY);
        self.low_layers.fill(0);
        self.high_layers.fill(0);
        self.products.fill(1.0);
        self.any.fill(0);
        self.zero.fill(0);
        match &mut self.values {
            Values::None => {}
            Values::Single(values) => values.fill(f32::LAST),
            Values::Double(values) => values.fill(f64::LAST),
        }
    }

    /// Takes in some cells of a layer. Layers of a cell come in ascending order, each once; one that is left out has no
    /// data there.
    pub fn feed(&mut self, layer: usize, first_cell: usize, row: &[f64]) {
        for (index, row) in row.chunks(crate::stack::ROW).enumerate() {
            self.feed_piece(layer, first_cell + index * crate::stack::ROW, row);
        }
    }

    fn feed_piece(&mut self, layer: usize, first_cell: usize, row: &[f64]) {
        let plan = &self.plan;
        let keeps = plan.keeps;
        let start = plan.group_of[layer] * self.cells + first_cell;
        let place = start..start + row.len();
        // What is not kept has no cells.
        let moments = [&mut self.sums, &mut self.means, &mut self.squares]
            .map(|kept| kept.get_mut(place.clone()).unwrap_or_default());
        match &mut self.counts {
            Counts::Narrow(counts) => count(row, keeps, &mut counts[place.clone()], moments),
            Counts::Wide(counts) => count(row, keeps, &mut counts[place.clone()], moments),
        }
        if keeps.low {
            let lows = &mut self.lows[place.clone()];
            if keeps.low_layer {
                take::keep_low_layer(row, layer as u32, lows, &mut self.low_layers[place.clone()]);
            }
            take::keep_low(row, lows);
        }
        if keeps.high {
            let highs = &mut self.highs[place.clone()];
            if keeps.high_layer {
                take::keep_high_layer(row, layer as u32, highs, &mut self.high_layers[place.clone()]);
            }
            take::keep_high(row, highs);
        }
        if keeps.first {
            take::keep_first(row, &mut self.firsts[place.clone()]);
        }
        if keeps.last {
            take::keep_last(row, &mut self.lasts[place.clone()]);
        }
        if keeps.weighted {
            let (sums, weights) = (&mut self.weighted[place.clone()], &mut self.weights[place.clone()]);
            take::add_weighted(row, plan.weights[layer], sums, weights);
        }
        if keeps.product {
            take::multiply(row, &mut self.products[place.clone()]);
        }
        if keeps.any {
            take::keep_any(row, &mut self.any[place.clone()]);
        }
        if keeps.zero {
            take::keep_zero(row, &mut self.zero[place]);
        }
        let start = layer * self.cells + first_cell;
        match &mut self.values {
            Values::None => {}
            Values::Single(values) => keep(row, &mut values[start..start + row.len()]),
            Values::Double(values) => keep(row, &mut values[start..start + row.len()]),
        }
    }

    /// Results of a group, NaN where there are too few values: a row of `width` cells for each statistic, one row after
    /// the other.
    pub fn finish(
        &self,
        group: usize,
        first_cell: usize,
        width: usize,
        rows: &mut [f64],
        scratch: &mut Scratch,
    ) {
        let start = group * self.cells + first_cell;
        for (statistic, row) in self.plan.statistics.iter().zip(rows.chunks_exact_mut(width)) {
            match &self.counts {
                _ if statistic.keeps_values() => {}
                Counts::Narrow(counts) => {
                    self.finish_row(*statistic, start, &counts[start..start + width], row)
                }
                Counts::Wide(counts) => {
                    self.finish_row(*statistic, start, &counts[start..start + width], row)
                }
            }
        }
        match &self.values {
            Values::None => {}
            Values::Single(values) => {
                self.finish_ranks(values, (group, first_cell, width), rows, &mut scratch.single);
            }
            Values::Double(values) => {
                self.finish_ranks(values, (group, first_cell, width), rows, &mut scratch.double);
            }
        }
    }

    fn finish_ranks<T: Kept>(
        &self,
        values: &[T],
        (group, first_cell, width): (usize, usize, usize),
        rows: &mut [f64],
        block: &mut Block<T>,
    ) {
        let layers = &self.plan.layers_of[group];
        for column in (0..width).step_by(LANES) {
            let last = (column + LANES).min(width);
            block.fill(values, self.cells, layers, first_cell + column, &self.plan.network);
            for (statistic, row) in self.plan.statistics.iter().zip(rows.chunks_exact_mut(width)) {
                if statistic.keeps_values() {
                    block.finish(*statistic, self.plan.at_least, &mut row[column..last]);
                }
            }
        }
    }

    fn finish_row<C: Count>(&self, statistic: Statistic, start: usize, counts: &[C], row: &mut [f64]) {
        let place = start..start + row.len();
        let least = self.plan.at_least;
        let mut each = |number: &dyn Fn(usize) -> f64| {
            for (index, (to, count)) in row.iter_mut().zip(counts).enumerate() {
                *to = if (*count).into() >= least { number(start + index) } else { f64::NAN };
            }
        };
        let spread = |index: usize, ddof: u8| {
            let count = f64::from(counts[index - start].into()) - f64::from(ddof);
            if count > 0.0 {
                self.squares[index] / count
            } else {
                f64::NAN
            }
        };
        let when =
            |layers: &[u32], index: usize, when| self.plan.answers[when as usize][layers[index] as usize];
        match statistic {
            Statistic::Count => {
                row.iter_mut().zip(counts).for_each(|(to, count)| *to = f64::from((*count).into()));
            }
            Statistic::Mean => take::divide(&self.sums[place], counts, least, row),
            Statistic::Sum => each(&|index| self.sums[index]),
            Statistic::Min => each(&|index| self.lows[index]),
            Statistic::Max => each(&|index| self.highs[index]),
            Statistic::Range => each(&|index| self.highs[index] - self.lows[index]),
            Statistic::Deviation(ddof) => each(&|index| spread(index, ddof).sqrt()),
            Statistic::Variance(ddof) => each(&|index| spread(index, ddof)),
            Statistic::First => each(&|index| self.firsts[index]),
            Statistic::Last => each(&|index| self.lasts[index]),
            Statistic::Which(Extreme::Lowest, how) => each(&|index| when(&self.low_layers, index, how)),
            Statistic::Which(Extreme::Highest, how) => each(&|index| when(&self.high_layers, index, how)),
            Statistic::WeightedMean => each(&|index| self.weighted[index] / self.weights[index]),
            Statistic::Product => each(&|index| self.products[index]),
            Statistic::Any => each(&|index| f64::from(self.any[index])),
            Statistic::All => each(&|index| f64::from(1 - self.zero[index])),
            Statistic::Median | Statistic::Percentile(..) | Statistic::Mode => {}
        }
        // A sum or product can leave the range of numbers.
        row.iter_mut().filter(|number| !number.is_finite()).for_each(|number| *number = f64::NAN);
    }
}

/// Counts values and takes them into sums, and into means and squared deviations.
fn count<C: Count>(row: &[f64], keeps: Keeps, counts: &mut [C], [sums, means, squares]: [&mut [f64]; 3]) {
    if keeps.sum {
        take::add_to_count_and_sum(row, counts, sums);
    } else {
        take::add_to_count(row, counts);
    }
    if keeps.deviations {
        take::add_to_deviations(row, counts, means, squares);
    }
}

fn keep<T: Kept>(row: &[f64], kept: &mut [T]) {
    for (kept, value) in kept.iter_mut().zip(row) {
        *kept = if value.is_finite() { T::of(*value) } else { T::LAST };
    }
}
