//! Order statistics: values of neighbouring cells are sorted together.
//!
//! A sorting network compares the same places whatever the values are, so that one comparison serves a whole block of
//! cells at once. Above [`MOST_IN_NETWORK`] values a cell is sorted by itself, which is faster then.

use super::statistic::{Ranking, Statistic};
use multiversion::multiversion;

/// Cells that are sorted together.
pub const LANES: usize = 64;

/// More values than this are sorted cell by cell.
const MOST_IN_NETWORK: usize = 256;

/// A value as it is kept.
pub trait Kept: Copy + PartialOrd + Default + Send + Sync {
    /// Stands where a cell has no value, after all values.
    const LAST: Self;
    /// As a number.
    fn number(self) -> f64;
    /// From a number that is exact in this type.
    fn of(number: f64) -> Self;
    /// Order of any two.
    fn order(&self, other: &Self) -> std::cmp::Ordering;
}

macro_rules! kept {
    ($type:ty) => {
        impl Kept for $type {
            const LAST: Self = <$type>::INFINITY;
            #[inline(always)]
            fn number(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn of(number: f64) -> Self {
                number as $type
            }
            fn order(&self, other: &Self) -> std::cmp::Ordering {
                self.total_cmp(other)
            }
        }
    };
}
kept!(f32);
kept!(f64);

/// Sorting networks for the numbers of layers that groups have.
#[derive(Debug, Default)]
pub struct Networks {
    /// Number of layers, and the pairs of places to compare; none where cells are sorted one by one.
    networks: Vec<(usize, Vec<(u16, u16)>)>,
    most: usize,
}

impl Networks {
    /// For these groups.
    pub fn new(layers_of: &[Vec<u32>]) -> Self {
        let mut networks: Vec<(usize, Vec<(u16, u16)>)> = Vec::new();
        for count in layers_of.iter().map(Vec::len) {
            if count <= MOST_IN_NETWORK && !networks.iter().any(|(known, _)| *known == count) {
                networks.push((count, exchanges(count)));
            }
        }
        Self { networks, most: layers_of.iter().map(Vec::len).max().unwrap_or(0) }
    }

    /// The largest number of values that are sorted.
    pub fn most(&self) -> usize {
        self.most
    }

    fn of(&self, count: usize) -> Option<&[(u16, u16)]> {
        self.networks.iter().find(|(known, _)| *known == count).map(|(_, pairs)| pairs.as_slice())
    }
}

/// Merge exchange (Batcher; Knuth, The Art of Computer Programming 5.2.2, algorithm M) for any number of places.
fn exchanges(count: usize) -> Vec<(u16, u16)> {
    let mut pairs = Vec::new();
    if count < 2 {
        return pairs;
    }
    let top = count.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            let places = (0..count - d).filter(|place| place & p == r);
            pairs.extend(places.map(|place| (place as u16, (place + d) as u16)));
            if q == p {
                break;
            }
            (d, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
    pairs
}

/// Room for the values of a block of cells: layer by layer, [`LANES`] cells each, or cell by cell.
#[derive(Debug, Default, Clone)]
pub struct Block<T> {
    values: Vec<T>,
    /// Room for turning the values of the cells around; made when it is needed first.
    turned: Vec<T>,
    counts: Vec<u32>,
    layers: usize,
    /// Values of a cell stand together.
    by_cell: bool,
}

impl<T: Kept> Block<T> {
    /// For at most so many layers.
    pub fn new(layers: usize) -> Self {
        let values = vec![T::default(); layers * LANES];
        Self { values, turned: Vec::new(), counts: vec![0; LANES], layers: 0, by_cell: false }
    }

    /// Takes in and sorts the values that `layers` have from a cell on; a layer's cells stand `cells` apart.
    pub fn fill(&mut self, kept: &[T], cells: usize, layers: &[u32], first: usize, networks: &Networks) {
        let width = (cells - first).min(LANES);
        self.layers = layers.len();
        self.counts.fill(0);
        for (lanes, layer) in self.values.chunks_exact_mut(LANES).zip(layers) {
            let start = *layer as usize * cells + first;
            lanes[..width].copy_from_slice(&kept[start..start + width]);
            lanes[width..].fill(T::LAST);
            count_values(lanes, &mut self.counts);
        }
        let values = &mut self.values[..layers.len() * LANES];
        match networks.of(layers.len()) {
            Some(pairs) => {
                self.by_cell = false;
                sort_together(values, pairs);
            }
            None => {
                self.by_cell = true;
                self.turned.resize(values.len(), T::default());
                for (lane, cell) in self.turned.chunks_exact_mut(layers.len()).enumerate() {
                    for (turned, value) in cell.iter_mut().zip(values[lane..].iter().step_by(LANES)) {
                        *turned = *value;
                    }
                    cell.sort_unstable_by(T::order);
                }
                values.copy_from_slice(&self.turned);
            }
        }
    }

    /// The statistic of the first cells of the block; NaN where there are too few values.
    pub fn finish(&self, statistic: Statistic, at_least: u32, to: &mut [f64]) {
        for (lane, to) in to.iter_mut().enumerate() {
            let count = self.counts[lane];
            *to = if count < at_least { f64::NAN } else { self.number(statistic, lane, count as usize) };
        }
    }

    fn number(&self, statistic: Statistic, lane: usize, count: usize) -> f64 {
        match statistic {
            Statistic::Median => {
                let (low, high) = (self.at(lane, (count - 1) / 2), self.at(lane, count / 2));
                if count % 2 == 1 {
                    low
                } else {
                    (low + high) / 2.0
                }
            }
            Statistic::Percentile(rank, ranking) => {
                let place = (count - 1) as f64 * (rank / 100.0);
                if ranking == Ranking::Nearest {
                    return self.at(lane, place.round_ties_even() as usize);
                }
                let low = place.floor() as usize;
                let high = (low + 1).min(count - 1);
                between(self.at(lane, low), self.at(lane, high), place - place.floor())
            }
            Statistic::Mode => self.mode(lane, count),
            _ => f64::NAN,
        }
    }

    fn at(&self, lane: usize, place: usize) -> f64 {
        let index = if self.by_cell { lane * self.layers + place } else { place * LANES + lane };
        self.values[index].number()
    }

    fn mode(&self, lane: usize, count: usize) -> f64 {
        let (mut best, mut most, mut run) = (f64::NAN, 0, 0);
        let mut before = f64::NAN;
        for place in 0..count {
            let value = self.at(lane, place);
            run = if value == before { run + 1 } else { 1 };
            before = value;
            if run > most {
                (best, most) = (value, run);
            }
        }
        best
    }
}

/// From the nearer end, so that equal ends give themselves.
fn between(low: f64, high: f64, share: f64) -> f64 {
    let step = high - low;
    if share < 0.5 {
        low + step * share
    } else {
        high - step * (1.0 - share)
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count_values<T: Kept>(lanes: &[T], counts: &mut [u32]) {
    for (count, value) in counts.iter_mut().zip(lanes) {
        *count += u32::from(*value < T::LAST);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn sort_together<T: Kept>(values: &mut [T], pairs: &[(u16, u16)]) {
    for (low, high) in pairs {
        let (before, from_high) = values.split_at_mut(*high as usize * LANES);
        let lows = &mut before[*low as usize * LANES..][..LANES];
        let highs = &mut from_high[..LANES];
        for (low, high) in lows.iter_mut().zip(highs) {
            let (a, b) = (*low, *high);
            *low = if b < a { b } else { a };
            *high = if b < a { a } else { b };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_sort_whatever_comes() {
        // A network that sorts all rows of zeros and ones sorts everything (Knuth, 5.3.4).
        for count in 0..=14_usize {
            let pairs = exchanges(count);
            for bits in 0..1_u32 << count {
                let mut row: Vec<u32> = (0..count).map(|place| bits >> place & 1).collect();
                for (low, high) in &pairs {
                    let (low, high) = (*low as usize, *high as usize);
                    assert!(low < high);
                    if row[high] < row[low] {
                        row.swap(low, high);
                    }
                }
                assert!(row.is_sorted(), "{count} {bits:b}");
            }
        }
    }

    #[test]
    fn both_ways_of_sorting_agree() {
        let mut seed = 1_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 40) as f64
        };
        let (cells, layers) = (LANES + 5, 100);
        let kept: Vec<f64> = (0..cells * layers)
            .map(|_| if random() > 4e6 { f64::INFINITY } else { random() % 50.0 })
            .collect();
        let all: Vec<u32> = (0..layers as u32).collect();
        let networks = Networks::new(std::slice::from_ref(&all));
        let statistics = ["median", "p10", "p99.5(nearest)", "mode"];
        for first in [0, LANES] {
            let (mut together, mut alone) = (Block::new(layers), Block::new(layers));
            together.fill(&kept, cells, &all, first, &networks);
            alone.fill(&kept, cells, &all, first, &Networks::default());
            assert!(alone.by_cell && !together.by_cell);
            for statistic in statistics.map(|text| Statistic::parse(text).unwrap()) {
                let mut rows = [[0.0; LANES]; 2];
                together.finish(statistic, 1, &mut rows[0]);
                alone.finish(statistic, 1, &mut rows[1]);
                assert_eq!(rows[0].map(f64::to_bits), rows[1].map(f64::to_bits), "{statistic:?}");
            }
        }
    }
}
