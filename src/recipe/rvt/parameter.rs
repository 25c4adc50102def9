//! RVT's parameters and which parameters of which operations they are here.
//!
//! RVT keeps one set of parameters for all that is computed: `svf_r_max` is the radius of both sky-view factors and both
//! opennesses, `hs_sun_el` the sun of the hillshade and of the shadow.

use super::object::{short, Object};
use super::Visualization;
use crate::core::error::{Error, Result};
use crate::core::stretch::Cut;
use crate::recipe::terrain::Operations;
use crate::recipe::OperationCall;
use crate::registry;

/// How RVT writes a value.
#[derive(Debug)]
enum Form {
    /// As here.
    Plain,
    /// As a number for each of our words, counted from the first one's.
    Level(usize, &'static [&'static str]),
    /// As 0 or 1.
    Switch,
    /// As an object of smallest, largest and step; ours end in `_min`, `_max`, `_step`.
    Scale,
}

/// One of RVT's parameters.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in RVT's files.
    pub key: &'static str,
    form: Form,
    /// Name here.
    name: &'static str,
    /// Operations that have it; the first is the one RVT lists it under.
    operations: &'static [&'static str],
}

const fn plain(key: &'static str, operations: &'static [&'static str], name: &'static str) -> Parameter {
    Parameter { key, form: Form::Plain, name, operations }
}

/// Operations with one search of the horizon.
const HORIZON: &[&str] =
    &["sky_view_factor", "anisotropic_sky_view_factor", "openness_positive", "openness_negative"];
const SUN: &[&str] = &["hillshade", "shadow"];
const MULTI: &[&str] = &["multi_hillshade"];
const ANISOTROPIC: &[&str] = &["anisotropic_sky_view_factor"];
const SKY: &[&str] = &["sky_illumination"];
const DOMINANCE: &[&str] = &["local_dominance"];
const RELIEF: &[&str] = &["multi_scale_relief"];
const POSITION: &[&str] = &["multi_scale_topographic_position"];

const PARAMETERS: [Parameter; 29] = [
    plain("slp_output_units", &["slope"], "unit"),
    plain("hs_sun_azi", SUN, "azimuth"),
    plain("hs_sun_el", SUN, "elevation"),
    plain("mhs_nr_dir", MULTI, "directions"),
    plain("mhs_sun_el", MULTI, "elevation"),
    plain("slrm_rad_cell", &["local_relief"], "radius"),
    plain("svf_n_dir", HORIZON, "directions"),
    plain("svf_r_max", HORIZON, "radius"),
    Parameter {
        form: Form::Level(0, &["none", "low", "medium", "high"]),
        ..plain("svf_noise", HORIZON, "noise")
    },
    plain("asvf_dir", ANISOTROPIC, "azimuth"),
    Parameter { form: Form::Level(1, &["low", "high"]), ..plain("asvf_level", ANISOTROPIC, "anisotropy") },
    plain("sim_sky_mod", SKY, "model"),
    Parameter { form: Form::Switch, ..plain("sim_compute_shadow", SKY, "shadow") },
    plain("sim_nr_dir", SKY, "directions"),
    plain("sim_shadow_dist", SKY, "radius"),
    plain("sim_shadow_az", SKY, "shadow_azimuth"),
    plain("sim_shadow_el", SKY, "shadow_elevation"),
    plain("ld_min_rad", DOMINANCE, "radius_min"),
    plain("ld_max_rad", DOMINANCE, "radius_max"),
    plain("ld_rad_inc", DOMINANCE, "radius_step"),
    plain("ld_anglr_res", DOMINANCE, "angular_step"),
    plain("ld_observer_h", DOMINANCE, "observer_height"),
    plain("msrm_feature_min", RELIEF, "feature_min"),
    plain("msrm_feature_max", RELIEF, "feature_max"),
    plain("msrm_scaling_factor", RELIEF, "scaling_factor"),
    Parameter { form: Form::Scale, ..plain("mstp_local_scale", POSITION, "local") },
    Parameter { form: Form::Scale, ..plain("mstp_meso_scale", POSITION, "meso") },
    Parameter { form: Form::Scale, ..plain("mstp_broad_scale", POSITION, "broad") },
    plain("mstp_lightness", POSITION, "lightness"),
];

impl Parameter {
    /// The one of this name.
    pub fn find(key: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.key == key)
    }

    /// Those that change a visualization.
    pub fn of(visualization: &Visualization) -> impl Iterator<Item = &'static Self> {
        let operation = visualization.operation;
        PARAMETERS.iter().filter(move |parameter| parameter.operations.contains(&operation))
    }

    /// Takes in what stands under the parameter's name in `group`.
    pub fn read(&self, group: &Object, operations: &mut Operations) -> Result<()> {
        let entry = group.object(self.key)?;
        if !matches!(self.form, Form::Scale) {
            return self.set(&entry_value(&entry)?, group.place(), operations);
        }
        entry.only(["min", "max", "step", "description"])?;
        for end in ["min", "max", "step"] {
            let name = format!("{}_{end}", self.name);
            entry.at(self.insert(&name, &entry.scalar(end)?, operations))?;
        }
        Ok(())
    }

    /// Takes in a value as text; `place` is named in errors.
    pub fn set(&self, text: &str, place: &str, operations: &mut Operations) -> Result<()> {
        let place = |error| Error::Recipe(format!("{place}, {}: {error}", self.key));
        let text = self.translate(text).map_err(place)?;
        self.insert(self.name, text, operations).map_err(place)
    }

    /// A value in our words.
    fn translate<'a>(&self, text: &'a str) -> Result<&'a str> {
        match (&self.form, text) {
            (Form::Plain | Form::Scale, _) => Ok(text),
            (Form::Switch, _) => Ok(if flag(text)? { "true" } else { "false" }),
            (Form::Level(first, words), _) => {
                if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                    return Ok(word);
                }
                let index = text.parse().ok().and_then(|number: usize| number.checked_sub(*first));
                index.and_then(|index| words.get(index).copied()).ok_or_else(|| {
                    let numbers =
                        words.iter().enumerate().map(|(index, word)| format!("{} ({word})", index + first));
                    let numbers = numbers.collect::<Vec<_>>().join(", ");
                    Error::Argument(format!("'{}' is not allowed; allowed: {numbers}", short(text)))
                })
            }
        }
    }

    fn insert(&self, name: &str, text: &str, operations: &mut Operations) -> Result<()> {
        for id in self.operations {
            let value = checked(id, name, text)?;
            let setting = operations.entry(id.to_string()).or_default();
            let known = setting.parameters.insert(name.into(), value.clone());
            if let Some(known) = known.filter(|known| *known != value) {
                return Err(Error::Recipe(format!(
                    "given twice, as {known} and {value}; allowed: one value"
                )));
            }
        }
        Ok(())
    }
}

/// A parameter's value as descriptions write it.
pub fn checked(operation: &str, name: &str, text: &str) -> Result<serde_json::Value> {
    let mut call = OperationCall::new(registry::find(operation)?);
    call.values.set(name, text)?;
    call.values.to_json().remove(name).ok_or_else(|| Error::Internal(format!("no {name} in {operation}")))
}

/// The value of `{"value": v, "description": s}`.
pub fn entry_value(entry: &Object) -> Result<String> {
    entry.only(["value", "description"])?;
    entry.scalar("value")
}

/// A switch.
pub fn flag(text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Error::Argument(format!("'{}' is not allowed; allowed: 0, 1", short(text)))),
    }
}

/// Takes in the stretch of a visualization.
pub fn set_stretch(visualization: &Visualization, cut: Cut, operations: &mut Operations) {
    operations.entry(visualization.operation.into()).or_default().stretch = Some(cut.to_string());
}

/// RVT's stretches of slope are in the unit that the same file asks for, or degrees. Called when all is read.
pub fn name_unit(operations: &mut Operations) {
    if let Some(slope) = operations.get_mut("slope").filter(|slope| slope.stretch.is_some()) {
        let unit = slope.parameters.get("unit").and_then(serde_json::Value::as_str);
        slope.unit = Some(unit.unwrap_or("degree").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The only parameter that is known without an operation having it would be a mistake in the table.
    #[test]
    fn every_parameter_is_one_of_an_operation() {
        for parameter in &PARAMETERS {
            let names = match parameter.form {
                Form::Scale => {
                    ["_min", "_max", "_step"].map(|end| format!("{}{end}", parameter.name)).to_vec()
                }
                _ => vec![parameter.name.to_string()],
            };
            for (operation, name) in
                parameter.operations.iter().flat_map(|id| names.iter().map(move |n| (id, n)))
            {
                let specs = (registry::find(operation).unwrap().parameters)();
                assert!(specs.iter().any(|spec| spec.name == name), "{operation} has no {name}");
            }
        }
    }

    fn set(key: &str, text: &str) -> Result<Operations> {
        let mut operations = Operations::new();
        Parameter::find(key).unwrap().set(text, "here", &mut operations).map(|()| operations)
    }

    #[test]
    fn numbers_become_words() {
        for (key, number, operation, name, word) in [
            ("svf_noise", "3", "openness_negative", "noise", json!("high")),
            ("svf_noise", "low", "sky_view_factor", "noise", json!("low")),
            ("asvf_level", "2", "anisotropic_sky_view_factor", "anisotropy", json!("high")),
            ("sim_compute_shadow", "1", "sky_illumination", "shadow", json!(true)),
            ("hs_sun_el", "15", "shadow", "elevation", json!(15)),
            ("ld_observer_h", "1.7", "local_dominance", "observer_height", json!(1.7)),
        ] {
            assert_eq!(set(key, number).unwrap()[operation].parameters[name], word, "{key}");
        }
    }

    #[test]
    fn bad_values_are_refused() {
        let text = |key, value| set(key, value).unwrap_err().to_string();
        assert_eq!(
            text("svf_noise", "4"),
            "here, svf_noise: '4' is not allowed; allowed: 0 (none), 1 (low), 2 (medium), 3 (high)"
        );
        assert!(text("asvf_level", "0").contains("allowed: 1 (low), 2 (high)"));
        assert!(text("sim_compute_shadow", "yes").contains("'yes' is not allowed; allowed: 0, 1"));
        assert!(
            text("hs_sun_el", "95").contains("elevation = '95' is not allowed; allowed: a number from 0 to")
        );
        assert!(text("svf_r_max", "10.5").contains("radius = '10.5' is not allowed"));
        assert!(text("slp_output_units", "mile").contains("unit = 'mile' is not allowed; allowed: degree"));
    }

    #[test]
    fn two_values_for_one_parameter_contradict() {
        let mut operations = set("svf_r_max", "10").unwrap();
        let radius = Parameter::find("svf_r_max").unwrap();
        radius.set("10", "there", &mut operations).unwrap();
        let text = radius.set("20", "there", &mut operations).unwrap_err().to_string();
        assert_eq!(text, "there, svf_r_max: given twice, as 10 and 20; allowed: one value");
    }
}
