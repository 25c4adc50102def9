//! Names of virtual files: `RECIPE/DEM`, where `RECIPE` is `NAME[,KEY=VALUE…]`, in braces when it contains a slash.
//!
//! `svf,radius=20/dem.tif`, `vat-combined,type=uint8//data/dem.tif`, `{/data/own.json,terrain=flat}//data/dem.tif`. A
//! second slash makes the path of the elevations an absolute one. Keys are parameters of the recipe, `terrain`, `fill`,
//! and the options of a run that decide what a cell holds. A part without `=` goes on with the value before it:
//! `stretch=0,50`.

use super::options::{cell_type_name, compatibility_name};
use super::JobOptions;
use crate::core::error::{unknown_name, Error, Result};
use crate::recipe::{OperationCall, Recipe};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Options of a run that a name may carry: those that decide what a cell holds, and how many threads compute it.
pub const OPTIONS: [&str; 7] = ["type", "compat", "stretch", "alpha", "nodata", "band", "threads"];

/// Whether the file says its statistics: `false` where a program has limits of its own and wants nothing computed.
const STATISTICS: &str = "statistics";

/// Largest file read as a recipe.
const LARGEST_RECIPE: u64 = 1 << 20;

/// What names of virtual files begin with.
pub const PREFIX: &str = "/vsiterralume/";

/// What a virtual file shows.
#[derive(Debug)]
pub struct Request {
    /// The picture.
    pub recipe: Recipe,
    /// How it is computed.
    pub options: JobOptions,
    /// The elevations, for GDAL to open.
    pub elevations: String,
    /// The recipe's file, if it has one.
    pub recipe_file: Option<String>,
    /// The file says its statistics, where a look at a small overview tells them.
    pub statistics: bool,
}

/// The name of the picture of `recipe`, as [`words`] or a file's name give it, of `elevations`.
pub fn name(recipe: &str, options: &JobOptions, elevations: &str) -> String {
    let defaults = JobOptions::default();
    let mut all = recipe.to_string();
    let mut add = |key: &str, value: String| all.extend([",", key, "=", &value]);
    if options.cell_type != defaults.cell_type {
        add("type", cell_type_name(options.cell_type).into());
    }
    if options.compatibility != defaults.compatibility {
        add("compat", compatibility_name(options.compatibility).into());
    }
    options.stretch.iter().for_each(|cut| add("stretch", cut.to_string()));
    if options.alpha {
        add("alpha", "true".into());
    }
    options.nodata.iter().for_each(|nodata| add("nodata", nodata.to_string()));
    options.band.iter().for_each(|band| add("band", band.to_string()));
    options.threads.iter().for_each(|threads| add("threads", threads.to_string()));
    match all.contains('/') {
        true => format!("{PREFIX}{{{all}}}/{elevations}"),
        false => format!("{PREFIX}{all}/{elevations}"),
    }
}

/// A recipe as a name says it: an operation with its parameters, or a preset. None when only a file can.
pub fn words(recipe: &Recipe) -> Option<String> {
    let mut words = recipe.name.clone();
    if let Some(call) = recipe.raw_operation() {
        words = call.operation.id.into();
        words.extend(changed_parameters(call).map(|(name, value)| format!(",{name}={value}")));
    }
    if let Some(fill) = &recipe.fill {
        words.push_str(&format!(",fill={}", fill.values.text("method")));
        words.extend(changed_parameters(fill).map(|(name, value)| format!(",fill.{name}={value}")));
    }
    let read = Request::parse(&format!("{words}/elevations")).ok()?;
    (read.recipe_file.is_none() && read.recipe.to_json() == recipe.to_json()).then_some(words)
}

fn changed_parameters(call: &OperationCall) -> impl Iterator<Item = (String, String)> + '_ {
    let names = call.values.to_json().into_iter().map(|(name, _)| name);
    let changed = names.filter(|name| !call.values.is_default(name));
    changed.map(|name| {
        let value = call.values.text(&name);
        (name, value)
    })
}

/// The recipe's part of a name and the path of the elevations.
pub fn split(name: &str) -> Option<(&str, &str)> {
    match name.strip_prefix('{') {
        Some(rest) => rest.split_once("}/"),
        None => name.split_once('/'),
    }
    .filter(|(recipe, elevations)| !recipe.is_empty() && !elevations.is_empty())
}

impl Request {
    /// Reads a name without its prefix.
    pub fn parse(name: &str) -> Result<Self> {
        let (recipe, elevations) = split(name).ok_or_else(|| {
            Error::Argument(format!(
                "'{name}' names no picture; allowed: RECIPE/DEM, such as svf,radius=20/dem.tif, with the recipe in \
                 braces when it contains a slash"
            ))
        })?;
        Self::new(recipe, elevations)
    }

    /// From the recipe's part of a name.
    pub fn new(recipe: &str, elevations: &str) -> Result<Self> {
        let mut parts = recipe.split(',');
        let (mut recipe, recipe_file) = find_recipe(parts.next().unwrap_or_default())?;
        let mut options = JobOptions::default();
        let mut statistics = true;
        for (key, value) in pairs(parts)? {
            if key == STATISTICS {
                statistics = value.trim().parse().map_err(|_| {
                    Error::Argument(format!("statistics = '{value}' is not allowed; allowed: true, false"))
                })?;
                continue;
            }
            match OPTIONS.contains(&key.as_str()) {
                true => options.set(&key, &value)?,
                false => set(&mut recipe, &key, &value)?,
            }
        }
        Ok(Self { recipe, options, elevations: elevations.into(), recipe_file, statistics })
    }
}

/// Keys and values; what has no `=` goes on with the value before it.
fn pairs<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in parts {
        match (part.split_once('='), pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.trim().into(), value.into())),
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(part);
            }
            (None, None) => {
                return Err(Error::Argument(format!("'{part}' is not allowed; allowed: KEY=VALUE")));
            }
        }
    }
    Ok(pairs)
}

/// Errors of a single operation's parameters name the options as well.
fn set(recipe: &mut Recipe, key: &str, value: &str) -> Result<()> {
    let parameters = recipe.raw_operation().map(|call| (call.operation.parameters)());
    if let Some(specs) = parameters.filter(|_| !Recipe::is_setting(key)) {
        if !specs.iter().any(|spec| spec.name == key) {
            let names = specs
                .iter()
                .map(|spec| spec.name)
                .chain(["terrain", "fill"])
                .chain(OPTIONS)
                .chain([STATISTICS]);
            return Err(unknown_name("key", key, names));
        }
    }
    recipe.set(key, value)
}

/// An operation or preset by its name, or the recipe in a file.
fn find_recipe(name: &str) -> Result<(Recipe, Option<String>)> {
    let named = Recipe::parse(name.trim_start_matches('{'));
    if named.is_ok() || !Path::new(name).is_file() {
        return named.map(|recipe| (recipe, None));
    }
    let refuse = |reason: String| Error::Recipe(format!("recipe '{name}': {reason}"));
    let mut text = String::new();
    let file = File::open(name).map_err(|error| refuse(error.to_string()))?;
    file.take(LARGEST_RECIPE).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
    let mut recipe =
        Recipe::parse(text.trim_start_matches('\u{feff}')).map_err(|error| refuse(error.to_string()))?;
    let full = std::path::absolute(name).map_err(|error| refuse(error.to_string()))?;
    recipe.resolve(full.parent().unwrap_or(&full));
    Ok((recipe, Some(name.into())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::stretch::Cut;
    use crate::recipe::chain::CellType;

    #[test]
    fn names_say_recipe_options_and_elevations() {
        let request = Request::parse("svf,radius=20,type=uint8,stretch=0.5,1//data/dem.tif").unwrap();
        assert_eq!(request.elevations, "/data/dem.tif");
        assert_eq!(request.options.cell_type, CellType::Uint8);
        assert_eq!(request.options.stretch, Some(Cut::Values { min: 0.5, max: 1.0 }));
        assert_eq!(request.recipe.to_json()["layers"][0]["parameters"]["radius"], 20);
        let request = Request::parse("vat,slope.opacity=30,terrain=flat/folder/dem.tif").unwrap();
        assert_eq!(request.elevations, "folder/dem.tif");
        assert_eq!(request.recipe.to_json()["layers"][2]["opacity"], 30.0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.json");
        std::fs::write(
            &path,
            r#"{"terralume_recipe": 1, "layers": [{"operation": "slope", "min": 0, "max": 9}]}"#,
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let request = Request::parse(&format!("{{{path},fill=idw}}/dem.tif")).unwrap();
        assert_eq!(request.recipe_file.as_deref(), Some(path));
        assert!(request.recipe.fill.is_some());
    }

    #[test]
    fn a_name_reads_back_what_it_says() {
        for text in [
            "svf,radius=20,noise=low,fill=idw,fill.radius=5,type=uint8,stretch=0.5,1,nodata=-9999,band=2",
            "slope,unit=percent,compat=rvt",
            "vat-combined,type=uint8,alpha=true,threads=3",
        ] {
            let request = Request::parse(&format!("{text}//data/dem.tif")).unwrap();
            let written = name(&words(&request.recipe).unwrap(), &request.options, "/data/dem.tif");
            let again = Request::parse(written.strip_prefix(PREFIX).unwrap()).unwrap();
            assert_eq!(again.recipe.to_json(), request.recipe.to_json());
            assert_eq!(format!("{:?}", again.options), format!("{:?}", request.options));
            assert_eq!(again.elevations, "/data/dem.tif");
        }
        let mut own = Recipe::parse("vat").unwrap();
        own.set("slope.opacity", "20").unwrap();
        assert_eq!(words(&own), None);
        assert_eq!(
            name("/data/own.json", &JobOptions::default(), "dem.tif"),
            "/vsiterralume/{/data/own.json}/dem.tif"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |name: &str| Request::parse(name).unwrap_err().to_string();
        for name in ["", "slope", "slope/", "/dem.tif", "{slope/dem.tif", "{}/dem.tif"] {
            assert!(error(name).contains("allowed: RECIPE/DEM"), "{name}: {}", error(name));
        }
        assert!(error("slop/dem.tif").contains("'slop'; allowed: slope"));
        assert!(error("slope,unit/dem.tif").contains("KEY=VALUE"));
        assert!(error("slope,unit=mile/dem.tif").contains("unit = 'mile'"));
        assert!(error("slope,overwrite=true/dem.tif")
            .contains("unknown key 'overwrite'; allowed: vertical_exaggeration"));
        assert!(error("svf,radius=0/dem.tif").contains("radius = '0' is not allowed"));
        assert!(error("svf,type=int8/dem.tif").contains("allowed: float32, uint8"));
    }
}
