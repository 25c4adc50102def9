//! The parameter of every operation that reads heights.

use crate::core::prelude::*;

params! {
    /// How heights are read.
    pub struct ReliefParams {
        vertical_exaggeration: f64 = 1.0, in -10000.0..=10000.0, "",
            "Factor on the heights; a negative one turns hills into hollows.";
    }
}
