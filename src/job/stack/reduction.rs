//! From options to a reduction over time: which images are one day, which group each is of, and what it weighs.

use super::inputs::Input;
use super::layers::Image;
use super::options::{SameDay, StackOptions};
use super::program::Uses;
use crate::core::error::{Error, Result};
use crate::pipeline::stack::program::Merging;
use crate::stack::reduce::{same_day, Day, Grouping, Groups, Layers, Merge, ReducePlan, Statistic};
use std::ops::Range;

/// A reduction and how images are merged before it.
pub(super) struct Reduction {
    pub(super) plan: ReducePlan,
    pub(super) groups: Groups,
    pub(super) merging: Option<Merging>,
}

/// The reduction that the options ask for. `longitude` tells where the grid lies, for solar days.
pub(super) fn reduction(
    options: &StackOptions,
    inputs: &[Input],
    images: &[Image],
    uses: &Uses,
    longitude: &dyn Fn() -> Result<f64>,
) -> Result<Reduction> {
    let times = images.iter().map(|image| image.time.map(|(time, _)| time.as_second()));
    let lost = || Error::Internal("an image without a date".into());
    let times = times.collect::<Option<Vec<i64>>>().ok_or_else(lost)?;
    let merging = merging(options, &times, longitude)?;
    let steps: Vec<Range<usize>> = match &merging {
        Some(merging) => merging.days.clone(),
        None => (0..images.len()).map(|index| index..index + 1).collect(),
    };
    let dates: Vec<i64> = steps.iter().map(|step| times[step.start]).collect();
    let of_images = |name: &str| column(inputs, images, uses, name);
    let column = |name: &str| of_steps(&of_images(name)?, &steps, name);
    let (grouping, labels) = match options.group.as_deref().map(str::trim) {
        None => (Grouping::All, None),
        Some(text) => match Grouping::parse(text) {
            Ok(Grouping::Labels) => (Grouping::Labels, Some(column("group")?)),
            Ok(grouping) => (grouping, None),
            Err(error) => {
                let labels = of_images(text).map_err(|_| error)?;
                (Grouping::Labels, Some(of_steps(&labels, &steps, text)?))
            }
        },
    };
    let groups = grouping.of(&dates, labels.as_deref())?;
    let statistics = Statistic::parse_list(options.statistics.as_deref().unwrap_or("mean"))?;
    let weighted = statistics.contains(&Statistic::WeightedMean);
    let weights = if weighted { Some(weights(&column("weight")?)?) } else { None };
    let layers = Layers { dates: &dates, groups: &groups, weights: weights.as_deref() };
    let plan = ReducePlan::new(&statistics, layers, options.min_count.unwrap_or(1))?;
    Ok(Reduction { plan, groups, merging })
}

/// Images of one day that become one, if any do.
fn merging(
    options: &StackOptions,
    times: &[i64],
    longitude: &dyn Fn() -> Result<f64>,
) -> Result<Option<Merging>> {
    let day = match options.merge_same {
        None if options.merge.is_some() => {
            let allowed = "allowed: with merge-same = day or solar";
            return Err(Error::Argument(format!("merge without merge-same; {allowed}")));
        }
        None => return Ok(None),
        Some(SameDay::Day) => Day::Utc,
        Some(SameDay::Solar) => Day::Solar { longitude: longitude()? },
    };
    let mut days: Vec<Range<usize>> = Vec::new();
    let mut last = None;
    for (index, number) in same_day(times, day).into_iter().enumerate() {
        match days.last_mut() {
            Some(day) if last == Some(number) => day.end = index + 1,
            _ => days.push(index..index + 1),
        }
        last = Some(number);
    }
    Ok(Some(Merging { merge: options.merge.unwrap_or(Merge::First), days }))
}

/// A column of the table of dates, for all images.
fn column(inputs: &[Input], images: &[Image], uses: &Uses, name: &str) -> Result<Vec<String>> {
    let value = |image: &Image| {
        let scene = |input: usize| image.scenes[input].map(|scene| &inputs[input].scenes[scene]);
        let mut scenes = uses.values.iter().filter_map(|band| scene(band.input)).peekable();
        let file = scenes.peek().map_or("", |scene| scene.entry.path.as_str());
        let found = scenes.find_map(|scene| scene.entry.column(name)).map(String::from);
        found.ok_or_else(|| {
            Error::Argument(format!(
                "'{file}' has no '{name}' in the table of dates; allowed: a column '{name}'"
            ))
        })
    };
    images.iter().map(value).collect()
}

/// One value for each step, on which the images that are merged must agree.
fn of_steps(all: &[String], steps: &[Range<usize>], name: &str) -> Result<Vec<String>> {
    let value = |step: &Range<usize>| {
        let first = &all[step.start];
        match all[step.clone()].iter().find(|value| *value != first) {
            Some(other) => Err(Error::Argument(format!(
                "'{name}' is '{first}' and '{other}' for images of one day, which are merged; allowed: one for all of them"
            ))),
            None => Ok(first.clone()),
        }
    };
    steps.iter().map(value).collect()
}

fn weights(texts: &[String]) -> Result<Vec<f64>> {
    let weight = |text: &String| {
        let wrong = || Error::Argument(format!("weight '{text}' in the table of dates; allowed: numbers"));
        text.parse::<f64>().ok().filter(|weight| weight.is_finite()).ok_or_else(wrong)
    };
    texts.iter().map(weight).collect()
}
