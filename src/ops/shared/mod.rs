//! What two or more operations use. No registry entries here.

pub mod above_mean;
pub mod arctangent;
pub mod box_mean;
pub mod deviation;
pub mod deviation_row;
pub mod gradient;
pub mod gradient_row;
pub mod horizon;
pub mod horizon_scan;
pub mod neighbours;
pub mod relief;
pub mod window_sums;
