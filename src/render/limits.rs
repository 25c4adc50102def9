//! Ends of a stretch that depend on all values of a raster: percentiles, mean and standard deviation.
//!
//! Values are watched in passes over the raster, in any order and by any number of watchers whose findings are added
//! up. Everything that is added up is a whole number, so the result is exact and does not depend on order or division:
//! percentiles come from counting the upper and then the lower half of each number's 16 + 16 bits, sums are kept apart
//! by exponent.

use crate::core::stretch::Cut;

/// Passes that every search needs: a first look and a refinement.
pub const PASSES: usize = 2;

/// Numbers that half of a 32-bit key can have.
const HALF: usize = 1 << 16;

/// Exponents of 32-bit numbers.
const EXPONENTS: usize = 256;

/// A search for the ends of a stretch.
#[derive(Debug, Clone)]
pub enum LimitSearch {
    /// Percentiles.
    Ranks(RankSearch),
    /// Mean and standard deviation.
    Moments(Box<MomentSearch>),
}

impl LimitSearch {
    /// None when the ends are known already.
    pub fn new(cut: Cut) -> Option<Self> {
        match cut {
            Cut::Values { .. } => None,
            Cut::Percent { low, high } => Some(Self::Ranks(RankSearch::new(low, 100.0 - high))),
            Cut::Deviations(count) => Some(Self::Moments(Box::new(MomentSearch::new(count)))),
        }
    }

    /// A watcher of this pass that has seen nothing yet.
    pub fn watcher(&self) -> Self {
        let mut watcher = self.clone();
        match &mut watcher {
            Self::Ranks(search) => search.counts.fill(0),
            Self::Moments(search) => search.sums = Sums::default(),
        }
        watcher
    }

    /// Bytes of a watcher, at most.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Ranks(_) => 2 * RANKS * HALF * size_of::<u64>(),
            Self::Moments(_) => EXPONENTS * 32,
        }
    }

    /// Watches a row; NaN is left out.
    pub fn watch(&mut self, values: &[f32]) {
        match self {
            Self::Ranks(search) => search.watch(values),
            Self::Moments(search) => search.watch(values),
        }
    }

    /// Adds what another watcher of the same pass has seen.
    pub fn add(&mut self, other: &Self) {
        match (self, other) {
            (Self::Ranks(search), Self::Ranks(other)) => {
                search.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
            }
            (Self::Moments(search), Self::Moments(other)) => search.sums.add(&other.sums),
            _ => {}
        }
    }

    /// Ends the pass: the values that become 0 and 1, or None when another pass is needed.
    ///
    /// A raster of one value gives ends that make it 0; a raster without values 0 and 1.
    pub fn finish_pass(&mut self) -> Option<(f64, f64)> {
        let limits = match self {
            Self::Ranks(search) => search.finish_pass(),
            Self::Moments(search) => search.finish_pass(),
        }?;
        Some(match limits {
            (min, max) if min < max => limits,
            (min, _) => (min, min + 1.0),
        })
    }
}

/// Shares looked for: the least value, the two ends, the largest value.
const RANKS: usize = 4;

/// A search for percentiles.
#[derive(Debug, Clone)]
pub struct RankSearch {
    shares: [f64; RANKS],
    /// Upper halves of the keys that are looked for, in the second pass.
    prefixes: Vec<usize>,
    /// For every share: the ranks of the two cells around it among those with their prefix, and the weight of the
    /// second one.
    places: Vec<[(usize, u64); 2]>,
    weights: [f64; RANKS],
    counts: Vec<u64>,
}

/// A whole number that sorts as the float does.
fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    bits ^ (((bits as i32) >> 31) as u32 | 0x8000_0000)
}

fn value(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key ^ 0x8000_0000 } else { !key })
}

impl RankSearch {
    fn new(low: f64, high: f64) -> Self {
        Self {
            shares: [0.0, low, high, 100.0],
            prefixes: Vec::new(),
            places: Vec::new(),
            weights: [0.0; RANKS],
            counts: vec![0; HALF],
        }
    }

    fn watch(&mut self, values: &[f32]) {
        for key in values.iter().filter(|value| !value.is_nan()).map(|value| key(*value) as usize) {
            let (upper, lower) = (key / HALF, key % HALF);
            if self.prefixes.is_empty() {
                self.counts[upper] += 1;
            } else if let Some(place) = self.prefixes.iter().position(|prefix| *prefix == upper) {
                self.counts[place * HALF + lower] += 1;
            }
        }
    }

    fn finish_pass(&mut self) -> Option<(f64, f64)> {
        if self.prefixes.is_empty() {
            return self.choose_prefixes();
        }
        let found = self.places.iter().zip(self.weights).map(|(places, weight)| {
            let [below, above] = places.map(|(prefix, rank)| {
                let counts = &self.counts[prefix * HALF..][..HALF];
                let lower = place_of(counts, rank).0;
                f64::from(value((self.prefixes[prefix] * HALF + lower) as u32))
            });
            below + (above - below) * weight
        });
        let found: Vec<f64> = found.collect();
        // Ends that coincide would show two values only.
        Some(if found[1] < found[2] { (found[1], found[2]) } else { (found[0], found[3]) })
    }

    fn choose_prefixes(&mut self) -> Option<(f64, f64)> {
        let total: u64 = self.counts.iter().sum();
        if total == 0 {
            return Some((0.0, 1.0));
        }
        for (share, weight) in self.shares.iter().zip(&mut self.weights) {
            let rank = (total - 1) as f64 * share / 100.0;
            let below = (rank.floor() as u64).min(total - 1);
            *weight = rank - below as f64;
            let places = [below, (below + 1).min(total - 1)].map(|rank| {
                let (prefix, rest) = place_of(&self.counts, rank);
                let known = self.prefixes.iter().position(|known| *known == prefix);
                let place = known.unwrap_or(self.prefixes.len());
                if known.is_none() {
                    self.prefixes.push(prefix);
                }
                (place, rest)
            });
            self.places.push(places);
        }
        self.counts = vec![0; self.prefixes.len() * HALF];
        None
    }
}

/// The bin that holds the cell of this rank, and the cell's rank within it.
fn place_of(counts: &[u64], mut rank: u64) -> (usize, u64) {
    for (bin, count) in counts.iter().enumerate() {
        if rank < *count {
            return (bin, rank);
        }
        rank -= count;
    }
    (counts.len() - 1, 0)
}

/// A search for the mean and the standard deviation.
#[derive(Debug, Clone)]
pub struct MomentSearch {
    deviations: f64,
    /// Near the mean: found in the first pass, subtracted in the second, so that nothing cancels.
    centre: Option<f32>,
    sums: Sums,
}

/// Exact sums of 32-bit numbers and of their squares, by exponent.
#[derive(Debug, Clone)]
struct Sums {
    count: u64,
    mantissas: [i64; EXPONENTS],
    squares: [i128; EXPONENTS],
}

impl Default for Sums {
    fn default() -> Self {
        Self { count: 0, mantissas: [0; EXPONENTS], squares: [0; EXPONENTS] }
    }
}

impl Sums {
    fn take(&mut self, value: f32) {
        let bits = value.to_bits();
        let exponent = (bits >> 23 & 0xff) as usize;
        // Numbers below 2^-126 have no leading one, and the exponent of the next ones.
        let (leading, place) = if exponent == 0 { (0, 1) } else { (1 << 23, exponent) };
        let mantissa = i64::from(bits & 0x7f_ffff | leading);
        self.count += 1;
        self.mantissas[place] += if bits >> 31 == 1 { -mantissa } else { mantissa };
        self.squares[place] += i128::from(mantissa * mantissa);
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.mantissas.iter_mut().zip(&other.mantissas).for_each(|(sum, more)| *sum += more);
        self.squares.iter_mut().zip(&other.squares).for_each(|(sum, more)| *sum += more);
    }

    /// Means of the values and of their squares.
    fn means(&self) -> (f64, f64) {
        let exponents = || (0..EXPONENTS as i32).map(|place| place - 150);
        let values = self.mantissas.iter().zip(exponents());
        let squares = self.squares.iter().zip(exponents());
        let sum: f64 = values.map(|(sum, exponent)| *sum as f64 * 2_f64.powi(exponent)).sum();
        let square_sum: f64 = squares.map(|(sum, exponent)| *sum as f64 * 2_f64.powi(2 * exponent)).sum();
        (sum / self.count as f64, square_sum / self.count as f64)
    }
}

impl MomentSearch {
    fn new(deviations: f64) -> Self {
        Self { deviations, centre: None, sums: Sums::default() }
    }

    fn watch(&mut self, values: &[f32]) {
        let centre = self.centre.unwrap_or(0.0);
        for value in values.iter().filter(|value| value.is_finite()) {
            self.sums.take(value - centre);
        }
    }

    fn finish_pass(&mut self) -> Option<(f64, f64)> {
        if self.sums.count == 0 {
            return Some((0.0, 1.0));
        }
        let (mean, square) = self.sums.means();
        let Some(centre) = self.centre else {
            self.centre = Some(mean as f32);
            self.sums = Sums::default();
            return None;
        };
        let width = self.deviations * (square - mean * mean).max(0.0).sqrt();
        let middle = f64::from(centre) + mean;
        Some((middle - width, middle + width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from -3 to 7 in no order, with holes.
    fn values() -> Vec<f32> {
        let scattered = (0..1000_u32).map(|index| (index * 7919 % 1000) as f32 * 0.01 - 3.0);
        scattered.flat_map(|value| [value, f32::NAN]).collect()
    }

    /// Watches in parts, as tiles and threads do.
    fn limits(cut: &str, values: &[f32], part: usize) -> (f64, f64) {
        let mut search = LimitSearch::new(cut.parse().unwrap()).unwrap();
        for _ in 0..PASSES {
            let mut watchers = [search.watcher(), search.watcher(), search.watcher()];
            for (index, part) in values.chunks(part).enumerate() {
                watchers[index % 3].watch(part);
            }
            let mut all = search.watcher();
            watchers.iter().for_each(|watcher| all.add(watcher));
            search = all;
            if let Some(limits) = search.finish_pass() {
                return limits;
            }
        }
        panic!("the search has not ended");
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let values = values();
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f32::total_cmp);
        let percentile = |share: f64| {
            let rank = 999.0 * share / 100.0;
            let (below, above) = (sorted[rank as usize], sorted[(rank as usize + 1).min(999)]);
            f64::from(below) + rank.fract() * (f64::from(above) - f64::from(below))
        };
        for (low, high) in [(0.0, 0.0), (2.0, 0.25), (0.013, 49.0), (99.0, 0.5)] {
            for part in [1, 7, 4000] {
                let found = limits(&format!("percent:{low},{high}"), &values, part);
                let expected = (percentile(low), percentile(100.0 - high));
                assert!((found.0 - expected.0).abs() < 1e-12, "{found:?} {expected:?}");
                assert!((found.1 - expected.1).abs() < 1e-12, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn deviations_are_exact_far_from_zero_and_the_same_for_every_division() {
        let near: Vec<f32> = values().iter().map(|value| value + 3000.0).collect();
        let valid: Vec<f64> =
            near.iter().filter(|value| !value.is_nan()).map(|value| f64::from(*value)).collect();
        let mean = valid.iter().sum::<f64>() / 1000.0;
        let deviation = (valid.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 1000.0).sqrt();
        let found = limits("deviations:2", &near, 13);
        assert!(
            (found.0 - (mean - 2.0 * deviation)).abs() < 1e-9
                && (found.1 - (mean + 2.0 * deviation)).abs() < 1e-9
        );
        assert_eq!(limits("deviations:2", &near, 1), found);
        let turned: Vec<f32> = near.iter().rev().copied().collect();
        assert_eq!(limits("deviations:2", &turned, 5), found);
    }

    #[test]
    fn flat_and_empty_rasters_have_ends_all_the_same() {
        for cut in ["percent:2,2", "deviations:2"] {
            assert_eq!(limits(cut, &[5.0; 9], 2), (5.0, 6.0));
            assert_eq!(limits(cut, &[f32::NAN; 9], 2), (0.0, 1.0));
        }
        // One outlier among equal values: the percentiles coincide, the extremes do not.
        let mut values = [1.0; 100];
        values[17] = 4.0;
        assert_eq!(limits("percent:5,5", &values, 9), (1.0, 4.0));
    }

    #[test]
    fn keys_sort_as_values_do() {
        let sorted = [f32::NEG_INFINITY, -7.5, -1e-40, -0.0, 0.0, 1e-40, 2.0, f32::INFINITY];
        assert!(sorted.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(sorted.iter().all(|number| value(key(*number)).to_bits() == number.to_bits()));
    }
}
