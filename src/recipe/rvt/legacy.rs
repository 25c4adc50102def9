//! The older text form of the default settings: `key = value`, comments after `#`.

use super::object::{short, tidy};
use super::parameter::flag;
use super::settings::Settings;
use crate::core::error::{unknown_name, Error, Result};
use std::collections::BTreeMap;

/// What each key is called in the JSON form.
const KEYS: [(&str, &str); 24] = [
    ("overwrite", "overwrite"),
    ("exaggeration_factor", "ve_factor"),
    ("slope_gradient", "slp_compute"),
    ("hillshading", "hs_compute"),
    ("sun_azimuth", "hs_sun_azi"),
    ("sun_elevation", "hs_sun_el"),
    ("multiple_hillshading", "mhs_compute"),
    ("hillshade_directions", "mhs_nr_dir"),
    ("simple_local_relief", "slrm_compute"),
    ("trend_radius", "slrm_rad_cell"),
    ("sky_view_factor", "svf_compute"),
    ("svf_directions", "svf_n_dir"),
    ("search_radius", "svf_r_max"),
    ("anisotropic_svf", "asvf_compute"),
    ("anisotropy_direction", "asvf_dir"),
    ("anisotropy_level", "asvf_level"),
    ("positive_openness", "pos_opns_compute"),
    ("negative_openness", "neg_opns_compute"),
    ("sky_illumination", "sim_compute"),
    ("sky_model", "sim_sky_mod"),
    ("max_shadow_dist", "sim_shadow_dist"),
    ("local_dominance", "ld_compute"),
    ("min_radius", "ld_min_rad"),
    ("max_radius", "ld_max_rad"),
];

/// Whether noise is removed.
const REMOVE: &str = "remove_noise";

/// How much of it, if at all.
const LEVEL: &str = "noise_removal";

/// A value and the line it stands in.
type Entry<'a> = (usize, &'a str);

/// Takes in all lines.
pub fn read(text: &str, settings: &mut Settings) -> Result<()> {
    let entries = entries(text)?;
    // In the order of the list, which is RVT's, so that what is to be computed comes in it too.
    for (key, name) in KEYS {
        if let Some((line, value)) = entries.get(key) {
            settings.set(name, &tidy(value), &format!("settings, line {line}, {key}"))?;
        }
    }
    noise(&entries, settings)
}

fn entries(text: &str) -> Result<BTreeMap<&str, Entry<'_>>> {
    let mut entries = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let refuse = |reason: String| Err(Error::Recipe(format!("settings, line {number}: {reason}")));
        let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
        if line.is_empty() {
            continue;
        }
        let Some((key, value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            return refuse(format!(
                "'{}' is not allowed; allowed: key = value, or # and a comment",
                short(line)
            ));
        };
        let known = KEYS.iter().map(|(known, _)| *known).chain([REMOVE, LEVEL]);
        if !known.clone().any(|known| known == key) {
            return refuse(unknown_name("key", &short(key), known).to_string());
        }
        if entries.insert(key, (number, value)).is_some() {
            return refuse(format!("'{key}' is given twice; allowed: once"));
        }
    }
    Ok(entries)
}

fn noise(entries: &BTreeMap<&str, Entry>, settings: &mut Settings) -> Result<()> {
    let Some((line, remove)) = entries.get(REMOVE) else {
        // RVT looks at the level only when noise is removed.
        settings.leave(entries.get(LEVEL).map(|_| LEVEL));
        return Ok(());
    };
    let place = format!("settings, line {line}, {REMOVE}");
    let level = match flag(remove).map_err(|error| Error::Recipe(format!("{place}: {error}")))? {
        true => entries.get(LEVEL).map(|(_, level)| *level),
        false => Some("none"),
    };
    let missing = || Error::Recipe(format!("{place}: how much is missing; allowed with it: {LEVEL} = low"));
    settings.set("svf_noise", level.ok_or_else(missing)?, &place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;
    use serde_json::json;

    fn parameters(text: &str, operation: &str) -> serde_json::Value {
        let mut recipe = Recipe::parse(operation).unwrap();
        Settings::parse(text).unwrap().apply(&mut recipe).unwrap();
        recipe.to_json()["layers"][0]["parameters"].clone()
    }

    const TEXT: &str = "# settings of RVT\r\n\
        overwrite = 1\n exaggeration_factor = 1.5 # factor\n\
        slope_gradient = 0\nhillshading=1\nsun_azimuth = 300.0\nsun_elevation = 25\n\n\
        sky_view_factor = 1\nsearch_radius = 15\nremove_noise = 1\nnoise_removal = Medium\n\
        anisotropic_svf = 1\nanisotropy_level = high\nmin_radius = 5\nmax_radius = 30\n";

    #[test]
    fn keys_and_values_are_read() {
        let settings = Settings::parse(TEXT).unwrap();
        let computed: Vec<_> = settings.visualizations().iter().map(|operation| operation.id).collect();
        assert_eq!(computed, ["hillshade", "sky_view_factor", "anisotropic_sky_view_factor"]);
        assert_eq!(settings.not_applied(), ["overwrite"]);
        let shade = json!({"vertical_exaggeration": 1.5, "azimuth": 300, "elevation": 25});
        assert_eq!(parameters(TEXT, "hillshade"), shade);
        let sky = parameters(TEXT, "anisotropic_sky_view_factor");
        assert_eq!(json!([sky["radius"], sky["noise"], sky["anisotropy"]]), json!([15, "medium", "high"]));
        let dominance = parameters(TEXT, "local_dominance");
        assert_eq!(json!([dominance["radius_min"], dominance["radius_max"]]), json!([5, 30]));
    }

    #[test]
    fn noise_is_removed_when_it_is_asked_for() {
        let noise = |text: &str| parameters(text, "openness_positive")["noise"].clone();
        assert_eq!(noise("remove_noise = 1\nnoise_removal = high"), "high");
        assert_eq!(noise("remove_noise = 0\nnoise_removal = high"), "none");
        assert_eq!(noise("noise_removal = high"), "none");
        assert_eq!(Settings::parse("noise_removal = high").unwrap().not_applied(), ["noise_removal"]);
    }

    #[test]
    fn errors_name_the_line() {
        let text = |text: &str| Settings::parse(text).unwrap_err().to_string();
        assert_eq!(
            text("# x\nslope"),
            "settings, line 2: 'slope' is not allowed; allowed: key = value, or # and a comment"
        );
        assert!(
            text("slope = 1").starts_with("settings, line 1: unknown key 'slope'; allowed: overwrite, exagg")
        );
        assert!(text("sun_azimuth = 1\n\nsun_azimuth = 2").contains("line 3: 'sun_azimuth' is given twice"));
        assert!(text("sun_elevation = high")
            .starts_with("settings, line 1, sun_elevation, hs_sun_el: elevation = 'h"));
        assert!(text("hillshading = yes").contains("'yes' is not allowed; allowed: 0, 1"));
        assert!(text("remove_noise = 1").contains("allowed with it: noise_removal = low"));
        assert!(text("remove_noise = 1\nnoise_removal = much")
            .contains("'much' is not allowed; allowed: 0 (none)"));
        assert!(text("hillshading =").contains("'' is not allowed"));
    }
}
