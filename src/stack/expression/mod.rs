//! Expressions over named bands: muParser's language, extended, compiled to code that runs on rows.
//!
//! `ndvi = (nir - red) / (nir + red); dense = ndvi > 0.6` names two results. A text is read by a grammar into a graph in
//! which every value stands once, then written out as instructions on a few rows of cells. A cell's result depends on
//! that cell alone, so it is the same however rows are cut.

mod execute;
mod functions;
mod graph;
mod indices;
mod limits;
mod operators;
mod parse;
mod program;
#[cfg(test)]
mod tests;

pub(crate) use operators::{field, HIGHEST_BIT};

pub use functions::{Function, CONSTANTS, FUNCTIONS, OPERATORS};
pub use indices::{Index, INDICES};
pub use limits::{MOST_BYTES, MOST_LEVELS};
pub use program::{parse, NoDataRule, Parsed, Program, Scratch, Tally};
