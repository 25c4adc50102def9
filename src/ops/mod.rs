//! Operations: one file each, with its registry entry and its kernel.

pub mod shared;

/// Declares the modules of all operations and the list the registry reads.
macro_rules! operations {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// Every operation, in the order faces show them.
        pub static OPERATIONS: &[&crate::core::operation::Operation] = &[$(&$name::OPERATION),*];
    };
}

operations! {
    slope,
    aspect,
    hillshade,
    multi_hillshade,
    sky_view_factor,
    anisotropic_sky_view_factor,
    openness_positive,
    openness_negative,
    differential_openness,
    local_relief,
    multi_scale_relief,
    elevation_deviation,
    max_elevation_deviation,
    multi_scale_topographic_position,
    local_dominance,
    sky_illumination,
    shadow,
    horizon_angle,
    topographic_position,
    terrain_ruggedness,
    roughness,
    profile_curvature,
    plan_curvature,
    fill_nodata,
}
