//! Default settings: parameters, exaggeration and 8-bit stretches of everything RVT computes.
//!
//! `{"default_settings": {...}}`, or the older text form. RVT wants every key; here those that are missing change nothing.

use super::legacy;
use super::object::{read, Object};
use super::parameter::{checked, entry_value, flag, name_unit, set_stretch, Parameter};
use super::{combination, Visualization, VISUALIZATIONS};
use crate::core::error::{Error, Result};
use crate::core::operation::Operation;
use crate::recipe::terrain::{self, Operations, Reach};
use crate::recipe::{Content, Recipe};
use crate::registry;
use serde_json::Value;

/// Key of the JSON form.
const KEY: &str = "default_settings";

/// RVT's default settings: parameters, vertical exaggeration, 8-bit stretches, and what is to be computed.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    operations: Operations,
    exaggeration: Option<Value>,
    visualizations: Vec<&'static Operation>,
    not_applied: Vec<String>,
}

impl Settings {
    /// Reads a settings file of RVT, JSON or the older text form.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let mut settings = Self::default();
        match text.starts_with('{') {
            true => settings.read(text)?,
            false => legacy::read(text, &mut settings)?,
        }
        name_unit(&mut settings.operations);
        Ok(settings)
    }

    /// Sets the parameters of every layer, those of inner recipes included, and the stretches with which an operation's
    /// own values become 8 bit. The stretches of a blend's layers belong to the blend and stay.
    pub fn apply(&self, recipe: &mut Recipe) -> Result<()> {
        terrain::apply(&self.operations, recipe, Reach::Display)?;
        self.exaggeration.as_ref().map_or(Ok(()), |factor| exaggerate(recipe, factor))
    }

    /// What the file wants computed.
    pub fn visualizations(&self) -> &[&'static Operation] {
        &self.visualizations
    }

    /// Keys of the file that ask for something a recipe cannot say: files to be saved, overwriting.
    pub fn not_applied(&self) -> &[String] {
        &self.not_applied
    }

    /// Notes a key that changes nothing.
    pub(super) fn leave(&mut self, key: Option<&str>) {
        self.not_applied.extend(key.map(String::from));
    }

    fn read(&mut self, text: &str) -> Result<()> {
        let value = read("settings", text)?;
        let file = Object::new("settings", &value)?;
        file.only([KEY])?;
        let all = file.object(KEY)?.placed("settings");
        for (name, value) in all.entries() {
            if ["overwrite", "ve_factor"].contains(&name) {
                self.set(name, &entry_value(&all.object(name)?)?, all.place())?;
                continue;
            }
            let visualization = Visualization::find(name).ok().filter(|known| known.code.is_some());
            let Some(visualization) = visualization else {
                let known =
                    VISUALIZATIONS.iter().filter(|known| known.code.is_some()).map(|known| known.name);
                return all.only(["overwrite", "ve_factor"].into_iter().chain(known));
            };
            let group = Object::new(format!("settings, {}", visualization.name), value)?;
            self.read_group(visualization, &group)?;
        }
        Ok(())
    }

    fn read_group(&mut self, visualization: &Visualization, group: &Object) -> Result<()> {
        let parameters: Vec<_> = Parameter::of(visualization).map(|parameter| parameter.key).collect();
        let switches = switches(visualization);
        let stretch = visualization.code.map(|code| format!("{code}_bytscl")).unwrap_or_default();
        let keys = switches.iter().map(String::as_str).chain([stretch.as_str()]);
        group.only(keys.chain(parameters.iter().copied()))?;
        for (key, _) in group.entries() {
            match Parameter::find(key) {
                Some(parameter) => parameter.read(group, &mut self.operations)?,
                None if key == stretch => self.read_stretch(visualization, &group.object(key)?)?,
                None => self.set(key, &entry_value(&group.object(key)?)?, group.place())?,
            }
        }
        Ok(())
    }

    fn read_stretch(&mut self, visualization: &Visualization, stretch: &Object) -> Result<()> {
        stretch.only(["mode", "min", "max", "description"])?;
        let (min, max) = (stretch.number("min")?, stretch.number("max")?);
        let cut = stretch.at(combination::cut_of(stretch.text("mode")?, min, max))?;
        set_stretch(visualization, cut, &mut self.operations);
        Ok(())
    }

    /// Takes in a value under RVT's name; `place` is named in errors.
    pub(super) fn set(&mut self, key: &str, text: &str, place: &str) -> Result<()> {
        if let Some(parameter) = Parameter::find(key) {
            return parameter.set(text, place, &mut self.operations);
        }
        let at = |error| Error::Recipe(format!("{place}, {key}: {error}"));
        if key == "ve_factor" {
            self.exaggeration = Some(checked("slope", "vertical_exaggeration", text).map_err(at)?);
            return Ok(());
        }
        let on = flag(text).map_err(at)?;
        let computed = VISUALIZATIONS.iter().find(|known| {
            known.code.is_some_and(|code| key.strip_suffix("_compute").is_some_and(|start| start == code))
        });
        match computed {
            Some(visualization) if on => self.visualizations.push(registry::find(visualization.operation)?),
            Some(_) => {}
            // 32-bit values are saved unless the file says otherwise.
            None => self.leave(Some(key).filter(|key| on != key.ends_with("_save_float"))),
        }
        Ok(())
    }
}

/// Keys of 0 or 1 beside the parameters.
fn switches(visualization: &Visualization) -> Vec<String> {
    let Some(code) = visualization.code else { return Vec::new() };
    let mut keys = vec![format!("{code}_compute")];
    if visualization.saved {
        keys.extend([format!("{code}_save_float"), format!("{code}_save_8bit")]);
    }
    if code == "hs" {
        keys.push("hs_shadow".into());
    }
    keys
}

fn exaggerate(recipe: &mut Recipe, factor: &Value) -> Result<()> {
    for layer in &mut recipe.layers {
        match &mut layer.content {
            Content::Operation(call) => call.values.set_json("vertical_exaggeration", factor)?,
            Content::Recipe(inner) => exaggerate(inner, factor)?,
            Content::Raster(_) | Content::Stack(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(groups: Value) -> Result<Settings> {
        Settings::parse(&json!({"default_settings": groups}).to_string())
    }

    #[test]
    fn everything_has_its_place() {
        let settings = parse(json!({
            "overwrite": {"value": 0, "description": "overwrite files"},
            "ve_factor": {"value": 2.5},
            "Hillshade": {"hs_compute": {"value": 1}, "hs_shadow": {"value": 1}, "hs_sun_el": {"value": 20},
                "hs_bytscl": {"mode": "value", "min": 0.1, "max": 0.9}},
            "slope GRADIENT": {"slp_compute": {"value": "0"}, "slp_output_units": {"value": "percent"},
                "slp_save_float": {"value": 0}, "slp_save_8bit": {"value": 1},
                "slp_bytscl": {"mode": "Value", "min": 0, "max": 80}},
            "Openness - Positive": {"pos_opns_compute": {"value": 1}},
            "Sky illumination": {"sim_bytscl": {"mode": "Perc", "min": 0.25, "max": 0}}
        }));
        let settings = settings.unwrap();
        assert_eq!(settings.not_applied(), ["hs_shadow", "slp_save_float", "slp_save_8bit"]);
        let computed: Vec<_> = settings.visualizations().iter().map(|operation| operation.id).collect();
        assert_eq!(computed, ["hillshade", "openness_positive"]);
        let mut slope = Recipe::parse("slope").unwrap();
        settings.apply(&mut slope).unwrap();
        let layer = &slope.to_json()["layers"][0];
        assert_eq!(layer["parameters"], json!({"vertical_exaggeration": 2.5, "unit": "percent"}));
        assert_eq!(layer["display"], "0,80");
        let mut sky = Recipe::parse("sky_illumination").unwrap();
        settings.apply(&mut sky).unwrap();
        assert_eq!(sky.to_json()["layers"][0]["display"], "percent:0.25,0");
    }

    /// 8-bit stretches are for operations alone, as in RVT: its blends keep theirs.
    #[test]
    fn blends_keep_their_stretches_and_get_parameters() {
        let settings = parse(json!({
            "ve_factor": {"value": 2},
            "Hillshade": {"hs_sun_el": {"value": 20}, "hs_bytscl": {"mode": "value", "min": 0.1, "max": 0.9}}
        }));
        let mut recipe = Recipe::parse("vat-combined").unwrap();
        settings.unwrap().apply(&mut recipe).unwrap();
        let shade = recipe.to_json()["layers"][1]["recipe"]["layers"][3].clone();
        assert_eq!(shade["parameters"]["elevation"], 20);
        assert_eq!(shade["parameters"]["vertical_exaggeration"], 2);
        assert_eq!((shade["min"].as_f64(), shade["max"].as_f64()), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn errors_say_where() {
        let text = |groups: Value| parse(groups).unwrap_err().to_string();
        assert!(text(json!({"tiles": {}}))
            .starts_with("settings: unknown key 'tiles'; allowed: overwrite, ve_factor, Sl"));
        assert!(text(json!({"Shadow": {}})).contains("unknown key 'Shadow'"));
        let keys = "settings, Anisotropic Sky-View Factor: unknown key 'asvf_save_8bit'; allowed: asvf_compute, asvf_byts";
        assert!(
            text(json!({"Anisotropic Sky-View Factor": {"asvf_save_8bit": {"value": 1}}})).starts_with(keys)
        );
        assert!(text(json!({"ve_factor": {"value": 1e6}}))
            .contains("ve_factor: vertical_exaggeration = '1000000'"));
        assert!(text(json!({"ve_factor": 2})).contains("settings, ve_factor: 2 came; allowed: an object"));
        assert!(text(json!({"Hillshade": {"hs_compute": {"value": 2}}}))
            .contains("'2' is not allowed; allowed: 0, 1"));
        let stretch = |stretch: Value| text(json!({"Hillshade": {"hs_bytscl": stretch}}));
        assert!(stretch(json!({"mode": "sigma", "min": 0, "max": 1}))
            .contains("unknown norm 'sigma'; allowed: Value"));
        assert!(stretch(json!({"mode": "value", "min": 1, "max": 1})).contains("min smaller than max"));
        assert!(stretch(json!({"mode": "value", "min": 1})).contains("hs_bytscl: 'max' is missing"));
        assert!(Settings::parse("{}").unwrap_err().to_string().contains("'default_settings' is missing"));
    }
}
