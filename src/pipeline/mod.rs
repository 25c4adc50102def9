//! The tile pipeline: plan tiles within a memory budget, compute them in parallel, write them in file order.
//!
//! Knows chains, sources and sinks; knows no GDAL and no operation by name.

pub mod halved;
pub mod io;
pub mod memory;
pub mod nesting;
pub mod plan;
pub mod profile;
pub mod run;
pub mod stack;
pub mod survey;
