//! From values to a picture: stretch to 0..1, colour, blend layers, encode as 8 bit.
//!
//! Functions work on one row, in place where they can; NaN stays NaN.

pub mod blend;
pub mod color_map;
pub mod color_ramp;
pub mod encode;
pub mod gamma;
pub mod limits;
pub mod mask;
mod mix;
pub mod stretch;
