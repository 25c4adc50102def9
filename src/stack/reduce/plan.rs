//! What a reduction makes of its layers, and what it has to keep for it.

use super::groups::{day_of_year, Groups};
use super::ranks;
use super::state::{Scratch, State};
use super::statistic::{Statistic, When};
use crate::core::error::{Error, Result};
use std::sync::Arc;

/// The layers that will be fed, in the order of time.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// Seconds since 1970, UTC, ascending.
    pub dates: &'a [i64],
    /// The group of each layer.
    pub groups: &'a Groups,
    /// Weight of each layer; needed for a weighted mean.
    pub weights: Option<&'a [f64]>,
}

/// One band of the result.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultBand {
    /// `group_statistic`; the statistic alone when one group holds all layers.
    pub name: String,
    /// Number of its group.
    pub group: usize,
    /// What it holds.
    pub statistic: Statistic,
}

/// Statistics of groups of layers. Cheap to copy: what it holds is shared.
#[derive(Debug, Clone)]
pub struct ReducePlan(Arc<Inner>);

/// What a plan holds.
#[derive(Debug)]
pub(super) struct Inner {
    pub statistics: Vec<Statistic>,
    pub results: Vec<ResultBand>,
    pub group_of: Vec<usize>,
    /// Layers of each group, ascending.
    pub layers_of: Vec<Vec<u32>>,
    pub weights: Vec<f64>,
    /// What a layer is called when an extreme came in it, for each way of telling it.
    pub answers: [Vec<f64>; 3],
    /// Results of fewer values are no data.
    pub at_least: u32,
    pub keeps: Keeps,
    /// How many values are sorted, and what with.
    pub network: ranks::Networks,
}

/// What has to be kept for a cell and group, beside the count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Keeps {
    pub sum: bool,
    pub deviations: bool,
    pub low: bool,
    pub high: bool,
    pub low_layer: bool,
    pub high_layer: bool,
    pub first: bool,
    pub last: bool,
    pub weighted: bool,
    pub product: bool,
    pub any: bool,
    pub zero: bool,
    pub values: bool,
}

impl Keeps {
    fn of(statistics: &[Statistic]) -> Self {
        use super::statistic::Extreme::{Highest, Lowest};
        let mut keeps = Self::default();
        for statistic in statistics {
            match statistic {
                Statistic::Count => {}
                Statistic::Mean | Statistic::Sum => keeps.sum = true,
                Statistic::Min => keeps.low = true,
                Statistic::Max => keeps.high = true,
                Statistic::Range => (keeps.low, keeps.high) = (true, true),
                Statistic::Deviation(_) | Statistic::Variance(_) => keeps.deviations = true,
                Statistic::Median | Statistic::Percentile(..) | Statistic::Mode => keeps.values = true,
                Statistic::First => keeps.first = true,
                Statistic::Last => keeps.last = true,
                Statistic::Which(Lowest, _) => (keeps.low, keeps.low_layer) = (true, true),
                Statistic::Which(Highest, _) => (keeps.high, keeps.high_layer) = (true, true),
                Statistic::WeightedMean => keeps.weighted = true,
                Statistic::Product => keeps.product = true,
                Statistic::Any => keeps.any = true,
                Statistic::All => keeps.zero = true,
            }
        }
        keeps
    }

    /// Bytes of a cell and group without the values; `count` is those of its count.
    fn bytes(self, count: usize) -> usize {
        let floats = [
            (self.sum, 1),
            (self.deviations, 2),
            (self.low, 1),
            (self.high, 1),
            (self.first, 1),
            (self.last, 1),
            (self.weighted, 2),
            (self.product, 1),
        ];
        let floats: usize = floats.iter().map(|(kept, count)| usize::from(*kept) * count).sum();
        let layers = usize::from(self.low_layer) + usize::from(self.high_layer);
        let flags = usize::from(self.any) + usize::from(self.zero);
        count + floats * size_of::<f64>() + layers * size_of::<u32>() + flags
    }
}

impl Inner {
    /// Whether a byte can count the layers of every group: counts are read and written for every layer.
    pub fn counts_in_bytes(&self) -> bool {
        self.layers_of.iter().all(|layers| layers.len() <= usize::from(u8::MAX))
    }

    fn count_bytes(&self) -> usize {
        if self.counts_in_bytes() {
            size_of::<u8>()
        } else {
            size_of::<u32>()
        }
    }
}

impl ReducePlan {
    /// Results of cells with fewer than `at_least` values have no data; counts always have.
    pub fn new(statistics: &[Statistic], layers: Layers<'_>, at_least: u32) -> Result<Self> {
        check(statistics, layers)?;
        let Layers { dates, groups, weights } = layers;
        let single = groups.names.len() == 1 && groups.names[0].is_empty();
        let mut results = Vec::new();
        for (group, group_name) in groups.names.iter().enumerate() {
            for statistic in statistics {
                let own = statistic.name();
                let name = if single { own } else { format!("{group_name}_{own}") };
                results.push(ResultBand { name, group, statistic: *statistic });
            }
        }
        let mut layers_of = vec![Vec::new(); groups.names.len()];
        for (layer, group) in groups.of.iter().enumerate() {
            layers_of[*group].push(layer as u32);
        }
        let days = dates.iter().map(|date| Ok(day_of_year(*date)? as f64)).collect::<Result<_>>()?;
        let keeps = Keeps::of(statistics);
        let network =
            if keeps.values { ranks::Networks::new(&layers_of) } else { ranks::Networks::default() };
        Ok(Self(Arc::new(Inner {
            statistics: statistics.to_vec(),
            results,
            group_of: groups.of.clone(),
            layers_of,
            weights: weights.unwrap_or(&[]).to_vec(),
            answers: [
                dates.iter().map(|date| *date as f64).collect(),
                (0..dates.len()).map(|index| index as f64).collect(),
                days,
            ],
            at_least: at_least.max(1),
            keeps,
            network,
        })))
    }

    /// Bands of the result: group by group, the statistics of each in the order they were given.
    pub fn results(&self) -> &[ResultBand] {
        &self.0.results
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.0.layers_of.len()
    }

    /// Number of statistics of a group.
    pub fn statistics(&self) -> usize {
        self.0.statistics.len()
    }

    /// Bytes that a state holds for each of its cells.
    pub fn bytes_per_cell(&self, exact_in_float32: bool) -> usize {
        let value = if exact_in_float32 { size_of::<f32>() } else { size_of::<f64>() };
        let values = if self.0.keeps.values { self.0.group_of.len() * value } else { 0 };
        self.0.keeps.bytes(self.0.count_bytes()) * self.groups() + values
    }

    /// An empty state for so many cells. `exact_in_float32` says that every value that will be fed is the same as a
    /// 32-bit float: then values are kept in half the room.
    pub fn state(&self, cells: usize, exact_in_float32: bool) -> State {
        State::new(Arc::clone(&self.0), cells, exact_in_float32)
    }

    /// What a thread needs to finish rows.
    pub fn scratch(&self) -> Scratch {
        Scratch::new(&self.0)
    }

    /// The day, second or number a layer is told by.
    pub fn answer(&self, layer: usize, when: When) -> f64 {
        self.0.answers[when as usize][layer]
    }
}

fn check(statistics: &[Statistic], layers: Layers<'_>) -> Result<()> {
    let Layers { dates, groups, weights } = layers;
    let refuse = |text: String| Err(Error::Argument(text));
    if statistics.is_empty() || dates.is_empty() {
        let (statistics, layers) = (statistics.len(), dates.len());
        return refuse(format!("{statistics} statistics of {layers} layers; allowed: at least one of one"));
    }
    if let Some(index) = (1..dates.len()).find(|index| dates[*index] < dates[index - 1]) {
        return refuse(format!(
            "layer {index} is older than the one before; allowed: layers in order of time"
        ));
    }
    if groups.of.len() != dates.len() || groups.of.iter().any(|group| *group >= groups.names.len()) {
        let (given, layers) = (groups.of.len(), dates.len());
        return refuse(format!(
            "groups of {given} layers for {layers} layers; allowed: a group of each layer"
        ));
    }
    if !statistics.contains(&Statistic::WeightedMean) {
        return Ok(());
    }
    let Some(weights) = weights.filter(|weights| weights.len() == dates.len()) else {
        return refuse("statistic wmean needs weights; allowed: a weight of each layer".into());
    };
    match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
        Some(weight) => refuse(format!("weight {weight} is not allowed; allowed: numbers from 0")),
        None => Ok(()),
    }
}
