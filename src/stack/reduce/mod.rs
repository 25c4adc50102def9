//! Reductions over time: many layers of a place become a few numbers.
//!
//! Layers are fed one after the other, in the order of time, and only what a statistic needs is kept: a mean holds a sum
//! and a count, whatever the number of layers. Medians, percentiles and modes keep the values. A cell's result depends
//! on its own values and their order alone, so that no division into tiles, pieces or threads changes a bit.

mod accumulate;
mod groups;
mod plan;
mod ranks;
mod same_day;
mod state;
mod statistic;

pub use groups::{Grouping, Groups, GROUPINGS};
pub use plan::{Layers, ReducePlan, ResultBand};
pub use same_day::{same_day, Day, Merge, MergeScratch, MERGES};
pub use state::{Scratch, State};
pub use statistic::{Extreme, Ranking, Statistic, When, STATISTICS};
