//! Images of a stack: files of different inputs that were taken together.

use super::dates::DateSource;
use super::inputs::{Input, Scene};
use super::options::MissingMask;
use crate::core::error::{Error, Result};
use jiff::Timestamp;
use std::collections::HashMap;

/// One image: a scene of each input.
#[derive(Debug, Clone)]
pub struct Image {
    /// When it was taken; of one that stands alone there may be no date.
    pub time: Option<(Timestamp, DateSource)>,
    /// For each input the number of its scene; None where it is a mask that is missing.
    pub scenes: Vec<Option<usize>>,
}

/// When a scene was taken, and which of those that were taken at the same time it is.
type Key = (Timestamp, usize);

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
    let many = inputs[leading].scenes.len() > 1;
    let keyed = inputs.iter().map(|input| {
        // One file beside many is for all dates, and needs none.
        if many && input.single {
            return Ok(None);
        }
        keys(&input.scenes).map(Some)
    });
    let keyed = keyed.collect::<Result<Vec<Option<HashMap<Key, usize>>>>>()?;
    let mut order: Vec<Key> = keyed[leading].iter().flat_map(HashMap::keys).copied().collect();
    order.sort_unstable();
    check_alone(inputs, &keyed, leading)?;
    let mut images = Vec::new();
    for key in order {
        let scenes = keyed.iter().map(|keys| keys.as_ref().map_or(Some(0), |keys| keys.get(&key).copied()));
        let scenes: Vec<Option<usize>> = scenes.collect();
        let lacking = scenes.iter().zip(masks).enumerate().find(|(_, (scene, _))| scene.is_none());
        if let Some((index, (_, is_mask))) = lacking {
            match (is_mask, missing) {
                (true, MissingMask::Keep) => {}
                (true, MissingMask::Drop) => continue,
                _ => return Err(lacks(inputs, index, leading, scenes[leading].unwrap_or(0))),
            }
        }
        let scene = scenes[leading].map(|scene| &inputs[leading].scenes[scene]);
        images.push(Image { time: scene.and_then(|scene| scene.time), scenes });
    }
    match images.is_empty() {
        true => Err(Error::Argument("no date is left; allowed: at least one".into())),
        false => Ok(images),
    }
}

/// Scenes by date; those of one date in the order of their names.
fn keys(scenes: &[Scene]) -> Result<HashMap<Key, usize>> {
    let mut keys = HashMap::new();
    let mut last: Option<Key> = None;
    for (index, scene) in scenes.iter().enumerate() {
        let time = scene.time()?;
        let number = last.filter(|(before, _)| *before == time).map_or(0, |(_, number)| number + 1);
        last = Some((time, number));
        keys.insert((time, number), index);
    }
    Ok(keys)
}

/// Refuses scenes that no image would have.
fn check_alone(inputs: &[Input], keyed: &[Option<HashMap<Key, usize>>], leading: usize) -> Result<()> {
    let Some(leaders) = &keyed[leading] else { return Ok(()) };
    for (input, keys) in inputs.iter().zip(keyed) {
        let alone = keys
            .iter()
            .flatten()
            .filter(|(key, _)| !leaders.contains_key(key))
            .map(|(_, index)| *index)
            .min();
        if let Some(index) = alone {
            let scene = &input.scenes[index];
            return Err(Error::Argument(format!(
                "'{}' ({}) has no partner in '{}'; allowed: inputs with the same dates",
                scene.entry.path,
                scene.time()?,
                inputs[leading].spec.source
            )));
        }
    }
    Ok(())
}

fn lacks(inputs: &[Input], index: usize, leading: usize, scene: usize) -> Error {
    let scene = &inputs[leading].scenes[scene];
    let time = scene.time.map_or(String::new(), |(time, _)| time.to_string());
    let source = &inputs[index].spec.source;
    Error::Input(format!(
        "'{source}' has no file for '{}' ({time}); allowed: inputs with the same dates (for masks also --mask-missing \
         keep or drop)",
        scene.entry.path
    ))
}
