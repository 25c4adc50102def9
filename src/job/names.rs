//! Names of output files in a folder: they tell operations and parameters apart, as RVT's names do.

use crate::core::operation::Compatibility;
use crate::recipe::chain::CellType;
use crate::recipe::Recipe;
use std::path::Path;

/// `DEM_SLOPE.tif`, `DEM_SVF_R10_D16_8bit.tif`: the input's name without its ending, what is shown, and the type.
pub fn file_name(recipe: &Recipe, input: &str, cell_type: CellType) -> String {
    let stem = Path::new(input).file_stem().map_or("dem".into(), |stem| stem.to_string_lossy());
    // Names such as `NETCDF:"file.nc":height` are no file names.
    let plain = |character: char| if r#":"<>|?*\"#.contains(character) { '_' } else { character };
    let stem: String = stem.chars().map(plain).collect();
    let shown = match recipe.raw_operation() {
        Some(call) => call.operation.file_stem(call.values(Compatibility::None)),
        None => recipe.name.replace('-', "_"),
    };
    let bytes = if cell_type == CellType::Uint8 { "_8bit" } else { "" };
    format!("{stem}_{shown}{bytes}.tif")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_in_the_file() {
        let name = |recipe: &str, changes: &[(&str, &str)], cell_type| {
            let mut recipe = Recipe::parse(recipe).unwrap();
            changes.iter().for_each(|(key, value)| recipe.set(key, value).unwrap());
            file_name(&recipe, "/data/site.1m.tif", cell_type)
        };
        let (float, byte) = (CellType::Float32, CellType::Uint8);
        assert_eq!(name("slope", &[], float), "site.1m_SLOPE.tif");
        assert_eq!(
            name("hillshade", &[("vertical_exaggeration", "2.5")], byte),
            "site.1m_HS_A315_H35_VE2.5_8bit.tif"
        );
        assert_eq!(
            name("svf", &[("noise", "low"), ("radius", "20")], float),
            "site.1m_SVF_R20_D16_NRlow.tif"
        );
        assert_eq!(name("mstp", &[], float), "site.1m_MSTP_5_50_500_L0.9.tif");
        assert_eq!(name("mstp", &[("meso_step", "9")], float), "site.1m_MSTP_5_50_500_L0.9_MS9.tif");
        assert_eq!(name("sky_illumination", &[("radius", "50m")], float), "site.1m_SIM_overcast_D32_50m.tif");
        assert_eq!(name("vat-combined", &[], byte), "site.1m_vat_combined_8bit.tif");
        assert_eq!(
            file_name(&Recipe::parse("slope").unwrap(), "NETCDF:\"a.nc\":z", float),
            "NETCDF__a_SLOPE.tif"
        );
    }
}
