//! Images of a stack: files of different inputs that were taken together.
//!
//! Files belong together by their dates. Where an input has several of one date, the parts of their names that tell them
//! apart, such as a tile, say which ones do: their order says nothing as soon as one is missing.

use super::dates::DateSource;
use super::inputs::Input;
use super::options::MissingMask;
use crate::core::error::{Error, Result};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// One image: a scene of each input.
#[derive(Debug, Clone)]
pub struct Image {
    /// When it was taken; of one that stands alone there may be no date.
    pub time: Option<(Timestamp, DateSource)>,
    /// For each input the number of its scene; None where it is a mask that is missing.
    pub scenes: Vec<Option<usize>>,
}

/// Puts scenes together. `masks` says which inputs are masks only; `by_time` that dates are needed even for one image.
pub fn images(inputs: &[Input], masks: &[bool], missing: MissingMask, by_time: bool) -> Result<Vec<Image>> {
    if inputs.iter().all(|input| input.scenes.len() == 1) && !by_time {
        let time = inputs.iter().find_map(|input| input.scenes[0].time);
        return Ok(vec![Image { time, scenes: vec![Some(0); inputs.len()] }]);
    }
    let leading = (0..inputs.len()).filter(|index| !masks[*index]).max_by_key(|index| {
        // The first of those with most scenes.
        (inputs[*index].scenes.len(), usize::MAX - *index)
    });
    let Some(leading) = leading else {
        return Err(Error::Argument("every input is a mask; allowed: at least one with values".into()));
    };
    let leader = &inputs[leading];
    let count = leader.scenes.len();
    let mut partners = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        partners.push(if count > 1 && input.single {
            // One file beside many is for all dates, and needs none.
            Partners { of: vec![Some(0); count], alone: Vec::new() }
        } else if index == leading {
            instants(leader)?;
            Partners { of: (0..count).map(Some).collect(), alone: Vec::new() }
        } else {
            Partners::find(leader, input)?
        });
    }
    for (input, partners) in inputs.iter().zip(&partners) {
        let Some(scene) = partners.alone.iter().min() else { continue };
        if partners.alone.len() > leader.skipped {
            return Err(alone(input, *scene, leader)?);
        }
    }
    // Files that were left out because they cannot be read take their images with them.
    let excused: Vec<bool> = inputs
        .iter()
        .zip(&partners)
        .map(|(input, partners)| match partners.of.iter().filter(|scene| scene.is_none()).count() {
            0 => true,
            lacking => lacking <= input.skipped,
        })
        .collect();
    let mut images = Vec::new();
    'scenes: for scene in 0..count {
        let scenes: Vec<Option<usize>> = partners.iter().map(|partners| partners.of[scene]).collect();
        for index in (0..inputs.len()).filter(|index| scenes[*index].is_none()) {
            match (masks[index], missing) {
                (true, MissingMask::Keep) => {}
                (true, MissingMask::Drop) => continue 'scenes,
                _ if excused[index] => continue 'scenes,
                _ => return Err(lacks(&inputs[index], leader, scene)),
            }
        }
        images.push(Image { time: leader.scenes[scene].time, scenes });
    }
    images.sort_by_key(|image| image.time.map(|(time, _)| time));
    match images.is_empty() {
        true => Err(Error::Argument("no date is left; allowed: at least one".into())),
        false => Ok(images),
    }
}

/// Which scenes of an input belong to those of the leading one.
struct Partners {
    /// For each scene of the leading input.
    of: Vec<Option<usize>>,
    /// Scenes that belong to none.
    alone: Vec<usize>,
}

/// Scenes of each time.
type Instants = BTreeMap<Timestamp, Vec<usize>>;

fn instants(input: &Input) -> Result<Instants> {
    let mut instants = Instants::new();
    for (index, scene) in input.scenes.iter().enumerate() {
        instants.entry(scene.time()?).or_default().push(index);
    }
    Ok(instants)
}

impl Partners {
    fn find(leader: &Input, input: &Input) -> Result<Self> {
        let sides = [(leader, instants(leader)?), (input, instants(input)?)];
        let telling = telling_parts(&sides);
        let mut found = Self { of: vec![None; leader.scenes.len()], alone: Vec::new() };
        let times: BTreeSet<&Timestamp> = sides.iter().flat_map(|(_, instants)| instants.keys()).collect();
        for time in times {
            let mut alike: BTreeMap<Vec<&str>, [Vec<usize>; 2]> = BTreeMap::new();
            for (side, (input, instants)) in sides.iter().enumerate() {
                for scene in instants.get(time).into_iter().flatten() {
                    let parts = parts(&input.scenes[*scene].entry.path);
                    let mut parts: Vec<&str> = parts.filter(|part| telling.contains(part)).collect();
                    parts.sort_unstable();
                    alike.entry(parts).or_default()[side].push(*scene);
                }
            }
            for [own, others] in alike.into_values() {
                check_unique([(leader, &own), (input, &others)])?;
                own.iter().zip(&others).for_each(|(scene, other)| found.of[*scene] = Some(*other));
                found.alone.extend(others.into_iter().skip(own.len()));
            }
        }
        Ok(found)
    }
}

/// Parts of names that tell files of one time apart, in one of two inputs, and that names of both have.
fn telling_parts<'a>(sides: &[(&'a Input, Instants); 2]) -> HashSet<&'a str> {
    let mut telling = HashSet::new();
    for (input, instants) in sides {
        for scenes in instants.values().filter(|scenes| scenes.len() > 1) {
            let mut counts: HashMap<&str, usize> = HashMap::new();
            for scene in scenes {
                let own: HashSet<&str> = parts(&input.scenes[*scene].entry.path).collect();
                own.into_iter().for_each(|part| *counts.entry(part).or_default() += 1);
            }
            telling
                .extend(counts.into_iter().filter(|(_, count)| *count < scenes.len()).map(|(part, _)| part));
        }
    }
    for (input, _) in sides {
        let known: HashSet<&str> = input.scenes.iter().flat_map(|scene| parts(&scene.entry.path)).collect();
        telling.retain(|part| known.contains(part));
    }
    telling
}

/// What a path is made of, with its folders: those of catalogues often say more than the name.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(|character: char| !character.is_alphanumeric()).filter(|part| !part.is_empty())
}

/// Refuses scenes of one time whose names do not say which belong together.
fn check_unique([(leader, own), (input, others)]: [(&Input, &[usize]); 2]) -> Result<()> {
    let path = |input: &Input, scene: usize| input.scenes[scene].entry.path.clone();
    // Arrays of one name stand in the order of the caller.
    let is_same = |input: &Input, scenes: &[usize]| {
        scenes.iter().all(|scene| path(input, *scene) == path(input, scenes[0]))
    };
    let alike = is_same(leader, own) && is_same(input, others);
    if own.is_empty() || others.is_empty() || (own.len() == others.len() && (own.len() == 1 || alike)) {
        return Ok(());
    }
    let (several, scenes, one) = match own.len() > 1 {
        true => (leader, own, path(input, others[0])),
        false => (input, others, path(leader, own[0])),
    };
    let (first, second) = (path(several, scenes[0]), path(several, scenes[1]));
    Err(Error::Argument(format!(
        "'{first}' and '{second}' ({}) may both belong to '{one}'; allowed: names with a part, such as a tile, that tells \
         them apart in both inputs, or a table of dates (--dates) that does",
        several.scenes[scenes[0]].time()?
    )))
}

fn alone(input: &Input, scene: usize, leader: &Input) -> Result<Error> {
    let scene = &input.scenes[scene];
    let (path, time, source) = (&scene.entry.path, scene.time()?, &leader.spec.source);
    Ok(Error::Argument(format!(
        "'{path}' ({time}) has no partner in '{source}'; allowed: inputs with the same dates"
    )))
}

fn lacks(input: &Input, leader: &Input, scene: usize) -> Error {
    let scene = &leader.scenes[scene];
    let time = scene.time.map_or(String::new(), |(time, _)| time.to_string());
    let (source, path) = (&input.spec.source, &scene.entry.path);
    Error::Input(format!(
        "'{source}' has no file for '{path}' ({time}); allowed: inputs with the same dates (for masks also --mask-missing \
         keep or drop)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gdal::raster::{RasterFacts, RasterGrid};
    use crate::job::stack::dates::NameRules;
    use crate::job::stack::inputs::{InputSpec, Scene};
    use crate::job::stack::list::Entry;
    use std::sync::Arc;

    /// An input of files of one day each, or of no date; `skipped` could not be read.
    fn input(files: &[&str], skipped: usize) -> Input {
        let scene = |path: &&str| {
            let facts = RasterFacts {
                name: (*path).into(),
                level: None,
                grid: RasterGrid { size: (1, 1), transform: None, reference: None },
                bands: Vec::new(),
                overviews: Vec::new(),
                date: None,
                files: Vec::new(),
                is_virtual: false,
                interleaved: false,
            };
            let time = NameRules::default().find(path).map(|time| (time, DateSource::Name));
            Scene { entry: Entry::of_path(*path), facts: Arc::new(facts), time }
        };
        let spec = InputSpec { source: files[0].into(), ..InputSpec::default() };
        let scenes = files.iter().map(scene).collect();
        Input { spec, scenes, skipped, single: false, band_names: Vec::new() }
    }

    /// Files that were put together, and what was said where they were not.
    fn pairs(
        inputs: &[Input],
        masks: &[bool],
        missing: MissingMask,
    ) -> std::result::Result<Vec<String>, String> {
        let found = images(inputs, masks, missing, true).map_err(|error| error.to_string())?;
        let name = |(scene, input): (&Option<usize>, &Input)| {
            scene.map_or("-".into(), |scene| input.scenes[scene].entry.path.clone())
        };
        let text = |image: &Image| image.scenes.iter().zip(inputs).map(name).collect::<Vec<_>>().join(" ");
        Ok(found.iter().map(text).collect())
    }

    const RED: [&str; 3] = ["L8_031_20180101_B4.tif", "L8_032_20180101_B4.tif", "L8_031_20180117_B4.tif"];

    #[test]
    fn files_of_one_date_are_told_apart_by_their_names() {
        let red = input(&RED, 0);
        let qa = input(&["L8_031_20180117_QA.tif", "L8_032_20180101_QA.tif"], 0);
        let of = |missing| pairs(&[red.clone(), qa.clone()], &[false, true], missing);
        let kept = [
            "L8_031_20180101_B4.tif -",
            "L8_032_20180101_B4.tif L8_032_20180101_QA.tif",
            "L8_031_20180117_B4.tif L8_031_20180117_QA.tif",
        ];
        assert_eq!(of(MissingMask::Keep).unwrap(), kept);
        assert_eq!(of(MissingMask::Drop).unwrap(), kept[1..]);
        assert!(of(MissingMask::Error).unwrap_err().contains("has no file for 'L8_031_20180101_B4.tif'"));
        // As many files of the date, but not the same ones.
        let nir = input(&["L8_033_20180101_B5.tif", "L8_032_20180101_B5.tif", "L8_031_20180117_B5.tif"], 0);
        let said = pairs(&[red.clone(), nir], &[false, false], MissingMask::Error).unwrap_err();
        assert!(said.contains("'L8_033_20180101_B5.tif' (2018-01-01T00:00:00Z) has no partner"), "{said}");
        // One of each at a date, of different places.
        let nir = input(&["L8_031_20180101_B5.tif", "L8_032_20180101_B5.tif", "L8_032_20180117_B5.tif"], 0);
        let said = pairs(&[red, nir], &[false, false], MissingMask::Error).unwrap_err();
        assert!(said.contains("'L8_032_20180117_B5.tif'"), "{said}");
    }

    #[test]
    fn folders_are_parts_of_names_and_order_is_none() {
        let red = input(&["b/20180101/B4.tif", "a/20180101/B4.tif"], 0);
        let mut nir = input(&["a/20180101/B5.tif", "b/20180101/B5.tif"], 0);
        let day = NameRules::default().find("20180101").map(|time| (time, DateSource::Table));
        let dated = |mut input: Input| {
            input.scenes.iter_mut().for_each(|scene| scene.time = day);
            input
        };
        let red = dated(red);
        nir = dated(nir);
        let of = |nir: &Input| pairs(&[red.clone(), nir.clone()], &[false, false], MissingMask::Error);
        assert_eq!(
            of(&nir).unwrap(),
            ["b/20180101/B4.tif b/20180101/B5.tif", "a/20180101/B4.tif a/20180101/B5.tif"]
        );
        let said = of(&dated(input(&["x/B5.tif", "y/B5.tif"], 0))).unwrap_err();
        let expected =
            "'b/20180101/B4.tif' and 'a/20180101/B4.tif' (2018-01-01T00:00:00Z) may both belong to \
                        'x/B5.tif'; allowed: names with a part";
        assert!(said.starts_with(expected), "{said}");
        // Arrays have one name for all.
        let (first, second) = (dated(input(&["red", "red"], 0)), dated(input(&["nir", "nir"], 0)));
        let found = pairs(&[first, second], &[false, false], MissingMask::Error).unwrap();
        assert_eq!(found, ["red nir", "red nir"]);
    }

    #[test]
    fn images_of_files_that_cannot_be_read_are_left_out() {
        let red = input(&["20180101_B4.tif", "20180102_B4.tif", "20180103_B4.tif"], 0);
        let both = |nir: Input| pairs(&[red.clone(), nir], &[false, false], MissingMask::Error);
        let left = ["20180101_B4.tif 20180101_B5.tif", "20180103_B4.tif 20180103_B5.tif"];
        assert_eq!(both(input(&["20180101_B5.tif", "20180103_B5.tif"], 1)).unwrap(), left);
        // One is not there at all.
        let said = both(input(&["20180101_B5.tif"], 1)).unwrap_err();
        assert!(said.contains("has no file for '20180102_B4.tif'"), "{said}");
        // A mask whose image is left out.
        let red = input(&["20180101_B4.tif"], 1);
        let qa = input(&["20180101_QA.tif", "20180102_QA.tif"], 0);
        let found = pairs(&[red, qa], &[false, true], MissingMask::Error).unwrap();
        assert_eq!(found, ["20180101_B4.tif 20180101_QA.tif"]);
    }
}
