//! Inputs of a stack: which files, which of their bands, what the bands are called, when each file was taken.

use super::date_table::DateTable;
use super::dates::{self, DateSource, NameRules};
use super::list::{expand_some, is_catalogue, remote, Entry};
use super::options::StackOptions;
use crate::core::error::{Error, Result};
use crate::gdal::raster::{RasterFacts, RasterGrid};
use crate::gdal::Gdal;
use crate::pipeline::run::{apart, in_parallel_watched, Monitor};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// An input as the user writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputSpec {
    /// What formulas call it.
    pub name: Option<String>,
    /// A file, pattern, list, table or catalogue.
    pub source: String,
    /// More of them, in one list with the first.
    pub more: Vec<String>,
    /// The band that is meant, from 1.
    pub band: Option<usize>,
    /// The overview that is read in place of the rasters.
    pub overview: Option<usize>,
}

impl InputSpec {
    /// `NAME=PATH`, or only a path; `:BAND` and `:ovr=N` may follow. More paths of the same list stand in lines of their own.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let text = lines.next().unwrap_or_default();
        let is_name = |name: &str| {
            let mut characters = name.chars();
            characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
                && characters.all(|character| character.is_alphanumeric() || "_-. ".contains(character))
        };
        let (name, mut source) = match text.split_once('=') {
            Some((name, rest)) if is_name(name.trim()) && !std::path::Path::new(text).exists() => {
                (Some(name.trim().to_string()), rest.trim())
            }
            _ => (None, text.trim()),
        };
        let (mut band, mut overview) = (None, None);
        // A file may have such a name.
        while !std::path::Path::new(source).exists() {
            let Some((rest, ending)) = source.rsplit_once(':') else { break };
            if let Some(level) = ending.strip_prefix("ovr=") {
                let wrong = || Error::Argument(format!("'{ending}' of '{text}'; allowed: ovr=0, ovr=1, …"));
                overview = Some(level.parse().map_err(|_| wrong())?);
            } else if let Ok(number) = ending.parse::<usize>() {
                if number == 0 {
                    return Err(Error::Argument(format!("band 0 of '{text}'; allowed: bands from 1")));
                }
                band = Some(number);
            } else {
                break;
            }
            source = rest;
        }
        if source.is_empty() {
            return Err(Error::Argument(format!("input '{text}' names no file; allowed: NAME=PATH[:BAND]")));
        }
        Ok(Self { name, source: source.into(), more: lines.map(String::from).collect(), band, overview })
    }
}

/// One file of an input.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What the list says of it.
    pub entry: Entry,
    /// What the file says of itself.
    pub facts: Arc<RasterFacts>,
    /// When it was taken.
    pub time: Option<(Timestamp, DateSource)>,
}

impl Scene {
    /// The time, or an error that names the file.
    pub fn time(&self) -> Result<Timestamp> {
        self.time.map(|(time, _)| time).ok_or_else(|| {
            Error::Input(format!(
                "'{}' has no date, neither in a table nor in its metadata or name; allowed: a table (--dates), or a way \
                 to find it in the name (--date-regex, --date-format)",
                self.entry.path
            ))
        })
    }
}

/// An input with its files open once.
#[derive(Debug, Clone)]
pub struct Input {
    /// As it was asked for.
    pub spec: InputSpec,
    /// Its files; of a list in order of time, then of their names.
    pub scenes: Vec<Scene>,
    /// Files that were left out because they cannot be read.
    pub skipped: usize,
    /// One file was named, not a list.
    pub single: bool,
    /// Names of the bands of its files; empty texts where they have none.
    pub band_names: Vec<String>,
}

impl Input {
    /// How many bands its files have.
    pub fn bands(&self) -> usize {
        self.scenes.first().map_or(0, |scene| scene.facts.bands.len())
    }
}

/// A name that formulas know, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBand {
    /// As formulas write it.
    pub name: String,
    /// Number of the input.
    pub input: usize,
    /// Band of its files, from 1.
    pub band: usize,
}

/// Opens everything once, in parallel. Gives the inputs and the files that had to be left out.
pub fn open(
    gdal: &'static Gdal,
    options: &StackOptions,
    threads: usize,
    monitor: &mut Monitor<'_>,
) -> Result<(Vec<Input>, Vec<String>)> {
    if options.inputs.is_empty() {
        return Err(Error::Argument("no input; allowed: at least one, as NAME=PATH".into()));
    }
    let specs = with_assets(options)?;
    for (index, spec) in specs.iter().enumerate() {
        if let Some(name) =
            spec.name.as_ref().filter(|_| specs[..index].iter().any(|other| other.name == spec.name))
        {
            return Err(Error::Argument(format!(
                "input '{name}' is there twice; allowed: once, its files one after the other or as a pattern"
            )));
        }
    }
    let lists = specs
        .iter()
        .map(|spec| files(spec, is_for_masks(spec, &specs, options)))
        .collect::<Result<Vec<_>>>()?;
    let mut wanted: Vec<(String, Option<usize>)> = Vec::new();
    for (spec, entries) in specs.iter().zip(&lists) {
        wanted.extend(entries.iter().map(|entry| (entry.path.clone(), spec.overview)));
    }
    wanted.sort();
    wanted.dedup();
    let read = |(path, level): &(String, Option<usize>)| RasterFacts::read(gdal, path, *level);
    let found = in_parallel_watched(threads, &wanted, read, monitor)?;
    let mut facts = HashMap::new();
    let mut bad = Vec::new();
    for (key, found) in wanted.into_iter().zip(found) {
        match found {
            Ok(found) => {
                facts.insert(key, Arc::new(found));
            }
            Err(Error::Input(_)) if options.skip_bad => bad.push(key.0),
            Err(error) => return Err(error),
        }
    }
    let rules = NameRules::new(options.date_regex.as_deref(), options.date_format.as_deref())?;
    let mut dates = options.dates.as_deref().map(DateTable::read).transpose()?;
    let mut inputs = Vec::new();
    for (spec, entries) in specs.iter().zip(lists) {
        let single = spec.more.is_empty()
            && matches!(entries.as_slice(), [entry] if entry.path == remote(&spec.source));
        let (mut scenes, listed) = (Vec::new(), entries.len());
        for mut entry in entries {
            let Some(facts) = facts.get(&(entry.path.clone(), spec.overview)) else { continue };
            if let Some(dates) = &mut dates {
                dates.add_to(&mut entry)?;
            }
            let time = time_of(&entry, facts, &rules);
            scenes.push(Scene { entry, facts: Arc::clone(facts), time });
        }
        if scenes.is_empty() {
            let source = &spec.source;
            return Err(Error::Input(format!(
                "none of the files of '{source}' can be read; allowed: at least one that GDAL opens"
            )));
        }
        let skipped = listed - scenes.len();
        scenes.sort_by(|first, second| {
            let key = |scene: &Scene| scene.time.map(|(time, _)| time);
            key(first).cmp(&key(second)).then_with(|| first.entry.file_name().cmp(second.entry.file_name()))
        });
        let band_names = band_names(spec, &scenes, options)?;
        inputs.push(Input { spec: spec.clone(), scenes, skipped, single, band_names });
    }
    if let Some(dates) = dates {
        dates.check_used()?;
    }
    Ok((inputs, bad))
}

/// Inputs, a catalogue without an asset once for each asset that is asked for.
fn with_assets(options: &StackOptions) -> Result<Vec<InputSpec>> {
    if options.assets.is_empty() && options.mask_assets.is_empty() {
        return Ok(options.inputs.clone());
    }
    if !options.mask_assets.is_empty() && options.masks.is_empty() {
        return Err(Error::Argument("mask-asset without a mask; allowed: with at least one mask".into()));
    }
    let is_catalogue =
        |spec: &&InputSpec| spec.name.is_none() && spec.more.is_empty() && is_catalogue(&spec.source);
    if !options.inputs.iter().any(|spec| is_catalogue(&spec)) {
        let allowed = "allowed: beside a STAC ItemCollection without #ASSET and without a name";
        return Err(Error::Argument(format!("asset without a catalogue; {allowed}")));
    }
    let specs = options.inputs.iter().flat_map(|spec| match is_catalogue(&spec) {
        true => {
            let assets = options.assets.iter().chain(&options.mask_assets);
            let of = |(name, key): &(String, String)| InputSpec {
                name: Some(name.clone()),
                source: format!("{}#{key}", spec.source),
                ..spec.clone()
            };
            assets.map(of).collect()
        }
        false => vec![spec.clone()],
    });
    Ok(specs.collect())
}

/// Whether an input is there for masks alone, as far as names tell: an asset that the user calls so, or what masks name, the
/// formula does not, and others do without.
fn is_for_masks(spec: &InputSpec, specs: &[InputSpec], options: &StackOptions) -> bool {
    let is_asset = |(name, key): &(String, String)| {
        spec.name.as_ref() == Some(name) && spec.source.ends_with(&format!("#{key}"))
    };
    let in_masks = |spec: &InputSpec| options.masks.iter().any(|text| names(text, spec));
    let in_formula = options.expression.iter().any(|text| names(text, spec));
    let others = specs.iter().any(|other| !in_masks(other));
    options.mask_assets.iter().any(is_asset) || in_masks(spec) && !in_formula && others
}

/// Whether the name of an input is a word of a text.
fn names(text: &str, spec: &InputSpec) -> bool {
    let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
    spec.name.as_ref().is_some_and(|name| words.any(|word| word == name))
}

/// The files of an input; one of masks may lack dates, as `--mask-missing` says.
fn files(spec: &InputSpec, lacking: bool) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for source in std::iter::once(&spec.source).chain(&spec.more) {
        entries.extend(expand_some(source, lacking)?);
    }
    Ok(entries)
}

fn time_of(entry: &Entry, facts: &RasterFacts, rules: &NameRules) -> Option<(Timestamp, DateSource)> {
    let metadata = || facts.date.as_deref().and_then(dates::parse).map(|time| (time, DateSource::Metadata));
    let name = || rules.find(entry.file_name()).map(|time| (time, DateSource::Name));
    match rules.are_given() {
        // Who says how dates stand in names means them.
        true => entry.date.or_else(name).or_else(metadata),
        false => entry.date.or_else(metadata).or_else(name),
    }
}

/// Given names, else those of the file, else those of the sensor.
fn band_names(spec: &InputSpec, scenes: &[Scene], options: &StackOptions) -> Result<Vec<String>> {
    let bands = &scenes[0].facts.bands;
    let count_error = |what: &str, count: usize| {
        let (name, has) = (&scenes[0].entry.path, bands.len());
        Err(Error::Argument(format!("{what} has {count} bands, '{name}' has {has}; allowed: as many")))
    };
    // A band that was chosen has its own name.
    if spec.band.is_none() && !options.names.is_empty() && (bands.len() > 1 || spec.name.is_none()) {
        if options.names.len() != bands.len() {
            return count_error("the list of names", options.names.len());
        }
        return Ok(options.names.clone());
    }
    let described: Vec<String> = bands.iter().map(|band| band.name.clone()).collect();
    if described.iter().all(|name| !name.is_empty()) {
        if spec.band.is_none() && bands.len() > 1 {
            check_order(scenes, &described)?;
        }
        return Ok(described);
    }
    match options.sensor {
        Some(sensor) if bands.len() > 1 && spec.band.is_none() => {
            if sensor.len() != bands.len() {
                return count_error("the sensor", sensor.len());
            }
            Ok(sensor.iter().map(|name| (*name).to_string()).collect())
        }
        _ => Ok(described),
    }
}

/// Refuses files in which the same bands stand in another order.
fn check_order(scenes: &[Scene], names: &[String]) -> Result<()> {
    let differs = |scene: &&Scene| {
        let own = scene.facts.bands.iter().map(|band| &band.name);
        let mut shared = own.zip(names).filter(|(own, name)| own != name && names.contains(own));
        shared.next().is_some()
    };
    let Some(other) = scenes.iter().find(differs) else { return Ok(()) };
    let own: Vec<&str> = other.facts.bands.iter().map(|band| band.name.as_str()).collect();
    Err(Error::Input(format!(
        "'{}' has the bands {}, '{}' {}; allowed: one order, or --names",
        other.entry.path,
        own.join(", "),
        scenes[0].entry.path,
        names.join(", ")
    )))
}

/// All names that formulas may use, the most direct ones first. Names that several bands have mean none of them.
pub fn known_bands(inputs: &[Input]) -> Vec<KnownBand> {
    let mut known: Vec<KnownBand> = Vec::new();
    let mut own: HashMap<&str, usize> = HashMap::new();
    for input in inputs {
        let chosen = |band: usize| input.spec.band.is_none_or(|chosen| chosen == band);
        for (_, name) in input.band_names.iter().enumerate().filter(|(band, _)| chosen(band + 1)) {
            *own.entry(name).or_default() += 1;
        }
    }
    let mut add = |name: &str, input: usize, band: usize| {
        if !name.is_empty() && known.iter().all(|other| other.name != name) {
            known.push(KnownBand { name: name.into(), input, band });
        }
    };
    for (index, input) in inputs.iter().enumerate() {
        match (&input.spec.name, input.spec.band) {
            (Some(name), Some(band)) => add(name, index, band),
            (Some(name), None) if input.bands() == 1 => add(name, index, 1),
            _ => {}
        }
    }
    for (index, input) in inputs.iter().enumerate() {
        let chosen = |band: usize| input.spec.band.is_none_or(|chosen| chosen == band);
        for band in (1..=input.bands()).filter(|band| chosen(*band)) {
            let name = input.band_names[band - 1].as_str();
            if own[name] == 1 {
                add(name, index, band);
            }
        }
    }
    for (index, input) in inputs.iter().enumerate() {
        let name = match &input.spec.name {
            Some(name) => name.as_str(),
            None if inputs.len() == 1 => "X",
            None => continue,
        };
        if input.spec.name.is_none() && input.bands() == 1 {
            add(name, index, 1);
        }
        if input.spec.name.is_none() && input.spec.band.is_some() {
            add(name, index, input.spec.band.unwrap_or(1));
        }
        for band in 1..=input.bands() {
            add(&format!("{name}[{band}]"), index, band);
        }
    }
    known
}

/// The grid of all bands: that of a raster, or of the first input, perhaps with cells of another size.
pub fn grid(gdal: &'static Gdal, inputs: &[Input], options: &StackOptions) -> Result<(RasterGrid, String)> {
    let (grid, name) = match &options.grid_of {
        Some(name) => (apart(|| RasterFacts::read(gdal, name, None))?.grid, name.clone()),
        None => {
            let facts = &inputs[0].scenes[0].facts;
            (facts.grid.clone(), facts.name.clone())
        }
    };
    match options.resolution {
        Some(side) => Ok((grid.with_resolution(side)?, name)),
        None => Ok((grid, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_written_in_one_line() {
        let spec = |name: Option<&str>, source: &str, band, overview| InputSpec {
            name: name.map(String::from),
            source: source.into(),
            more: Vec::new(),
            band,
            overview,
        };
        for (text, expected) in [
            ("red=B4.tif", spec(Some("red"), "B4.tif", None, None)),
            ("red=scene.tif:3", spec(Some("red"), "scene.tif", Some(3), None)),
            ("vis=TCI.tif:ovr=0", spec(Some("vis"), "TCI.tif", None, Some(0))),
            ("vis=TCI.tif:2:ovr=1", spec(Some("vis"), "TCI.tif", Some(2), Some(1))),
            ("*_B4.tif", spec(None, "*_B4.tif", None, None)),
            ("h=NETCDF:\"f.nc\":height", spec(Some("h"), "NETCDF:\"f.nc\":height", None, None)),
            ("/vsicurl/http://x.org/a?b=c", spec(None, "/vsicurl/http://x.org/a?b=c", None, None)),
        ] {
            assert_eq!(InputSpec::parse(text).unwrap(), expected, "{text}");
        }
        let list = InputSpec::parse("red=a.tif:2\nb.tif\n").unwrap();
        assert_eq!(
            (list.source.as_str(), list.band, list.more),
            ("a.tif", Some(2), vec!["b.tif".to_string()])
        );
        for text in ["red=", "red=a.tif:0", "red=a.tif:ovr=x", ""] {
            let error = InputSpec::parse(text).unwrap_err().to_string();
            assert!(error.contains("; allowed: "), "{text}: {error}");
        }
    }
}
