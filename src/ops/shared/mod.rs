//! What two or more operations use. No registry entries here.

pub mod above_mean;
pub mod arctangent;
pub mod box_mean;
pub mod curvature;
pub mod deviation;
pub mod deviation_row;
pub mod gradient;
pub mod gradient_row;
pub mod horizon;
pub mod horizon_scan;
pub mod neighbours;
pub mod relief;
pub mod sky_ground;
pub mod sky_light;
pub mod sky_pyramid;
pub mod sky_scan;
pub mod sky_search;
pub mod sun_horizon;
pub mod window_row;
pub mod window_sums;
