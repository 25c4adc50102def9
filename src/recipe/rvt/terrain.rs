//! Terrain settings: `{"terrains_settings": [{"terrain_settings": {...}}, ...]}`.
//!
//! RVT itself puts the stretches of sky illumination and local dominance on the negative openness; here each goes to its
//! own layer.

use super::object::{is_none, pick, read, Object};
use super::parameter::{name_unit, set_stretch, Parameter};
use super::Visualization;
use crate::core::error::Result;
use crate::core::stretch::Cut;
use crate::recipe::terrain::{Operations, Terrain};

/// Key of a file that holds terrain settings.
const KEY: &str = "terrains_settings";

/// Reads a file: the settings called `name`, or its only ones. The others are not looked into.
pub fn parse(text: &str, name: Option<&str>) -> Result<Terrain> {
    let value = read("terrain settings", text)?;
    let file = Object::new("terrain settings", &value)?;
    file.only([KEY])?;
    let list = file.list(KEY)?.iter().enumerate();
    let entries = list.map(|(index, entry)| {
        let entry = Object::new(format!("{KEY}, entry {}", index + 1), entry)?;
        entry.only(["terrain_settings"])?;
        entry.object("terrain_settings")
    });
    let entries = entries.collect::<Result<Vec<_>>>()?;
    terrain(&pick("terrain", entries, name)?)
}

fn terrain(settings: &Object) -> Result<Terrain> {
    let mut operations = Operations::new();
    for (name, value) in settings.entries().filter(|(name, _)| *name != "name") {
        let visualization = settings.at(Visualization::find(name))?;
        let group = Object::new(format!("{}, {}", settings.place(), visualization.name), value)?;
        let parameters: Vec<_> = Parameter::of(visualization).collect();
        group.only(std::iter::once("stretch").chain(parameters.iter().map(|parameter| parameter.key)))?;
        for parameter in parameters.iter().filter(|parameter| group.find(parameter.key).is_some()) {
            parameter.read(&group, &mut operations)?;
        }
        if group.find("stretch").is_some() {
            if let Some(cut) = cut(visualization, &group.object("stretch")?)? {
                set_stretch(visualization, cut, &mut operations);
            }
        }
    }
    name_unit(&mut operations);
    Ok(Terrain::new(settings.text("name")?, operations))
}

/// None when RVT leaves the ends open.
fn cut(visualization: &Visualization, stretch: &Object) -> Result<Option<Cut>> {
    stretch.only(["min", "max"])?;
    if stretch.entries().all(|(_, end)| is_none(end)) {
        return Ok(None);
    }
    let (first, second) = (stretch.number("min")?, stretch.number("max")?);
    // The one stretch of RVT that is by shares of the cells.
    let cut = match visualization.operation == "sky_illumination" {
        true => Cut::Percent { low: first, high: second },
        false => Cut::Values { min: first, max: second },
    };
    stretch.at(cut.check()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, Value};

    fn parse_groups(groups: Value) -> Result<Terrain> {
        let mut settings = groups;
        settings["name"] = json!("own");
        parse(&json!({"terrains_settings": [{"terrain_settings": settings}]}).to_string(), None)
    }

    #[test]
    fn every_parameter_and_stretch_has_its_place() {
        let terrain = parse_groups(json!({
            "Slope gradient": {"stretch": {"min": 0, "max": "60"}, "slp_output_units": {"value": "percent"}},
            "hillshade": {"hs_sun_azi": {"value": "300"}, "stretch": {"min": "None", "max": null}},
            "Sky illumination": {"stretch": {"min": 0.25, "max": 0.3}, "sim_sky_mod": {"value": "uniform"}},
            "Multi-scale topographic position": {"mstp_local_scale": {"min": 1, "max": 9, "step": 2}},
            "Openness - Negative": {},
            "Local dominance": {"stretch": {"min": 0.5, "max": 3}, "ld_min_rad": null}
        }));
        let own = terrain.unwrap().describe()["operations"].clone();
        assert_eq!(own["slope"], json!({"stretch": "0,60", "parameters": {"unit": "percent"}}));
        assert_eq!(own["hillshade"], json!({"stretch": null, "parameters": {"azimuth": 300}}));
        assert_eq!(own["shadow"], json!({"stretch": null, "parameters": {"azimuth": 300}}));
        let sky = json!({"stretch": "percent:0.25,0.3", "parameters": {"model": "uniform"}});
        assert_eq!(own["sky_illumination"], sky);
        let scale = json!({"local_min": 1, "local_max": 9, "local_step": 2});
        assert_eq!(own["multi_scale_topographic_position"]["parameters"], scale);
        assert_eq!(own["local_dominance"], json!({"stretch": "0.5,3", "parameters": {}}));
        assert!(own["openness_negative"].is_null());
    }

    #[test]
    fn errors_say_where() {
        let text = |groups: Value| parse_groups(groups).unwrap_err().to_string();
        assert!(
            text(json!({"Slope": {}})).starts_with("terrain 'own': unknown visualization 'Slope'; allowed: ")
        );
        assert_eq!(
            text(json!({"Hillshade": {"sun": {"value": 3}}})),
            "terrain 'own', Hillshade: unknown key 'sun'; allowed: stretch, hs_sun_azi, hs_sun_el"
        );
        assert!(
            text(json!({"Hillshade": {"hs_sun_el": 15}})).contains("hs_sun_el: 15 came; allowed: an object")
        );
        assert!(text(json!({"Hillshade": {"hs_sun_el": {"value": 95}}}))
            .starts_with("terrain 'own', Hillshade, hs_sun_el: elevation = '95' is not allowed"));
        assert!(
            text(json!({"Hillshade": {"hs_sun_el": {"value": 5, "unit": "degree"}}})).contains("key 'unit'")
        );
        assert!(text(json!({"Hillshade": {"stretch": {"min": 1}}})).contains("stretch: 'max' is missing"));
        assert!(text(json!({"Hillshade": {"stretch": {"min": 1, "max": 0}}})).contains("from 1 to 0"));
        assert!(text(json!({"Hillshade": []})).contains("Hillshade: a list came; allowed: an object"));
        let radii = json!({"Sky-View Factor": {"svf_r_max": {"value": 10}},
            "Openness - Positive": {"svf_r_max": {"value": 20}}});
        assert!(text(radii).contains("Openness - Positive, svf_r_max: given twice"));
    }
}
