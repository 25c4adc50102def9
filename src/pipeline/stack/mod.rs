//! Runs over many rasters on one grid: tiles planned, dates read one after another, results written in order.

pub mod encode;
pub mod io;
mod keeping;
mod kept;
pub mod layer;
pub mod map;
mod masks;
mod order;
pub mod plan;
pub mod program;
pub mod run;
pub mod statistics;
