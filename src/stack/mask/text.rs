//! Masks as people write them.

use super::cell_test::{Comparison, Test};
use super::presets::{Flag, Place, Preset, PRESETS};
use super::Mask;
use crate::core::error::{unknown_name, Error, Result};
use crate::stack::expression::{self, NoDataRule, HIGHEST_BIT};

/// Words that begin a rule.
const RULES: [&str; 3] = ["bits", "values", "range"];

/// Reads a mask. `only` is the input that is meant where none is named.
pub fn parse(text: &str, known: &[&str], only: Option<usize>) -> Result<Mask> {
    let text = text.trim();
    let Some((name, rule)) = split(text, known) else { return expression(text, known) };
    let (rule, invert) = match rule.strip_suffix("invert") {
        Some(rest) => (rest.trim_end(), true),
        None => (rule, false),
    };
    let within = |error: Error| error.within(&format!("mask '{text}'"));
    let (preset, tests) = read_rule(rule).map_err(within)?;
    let input = find(name, preset, (known, only)).map_err(within)?;
    Ok(Mask::of_tests(input, tests, invert))
}

/// The input's name, if it is given, and the rule; None for expressions.
fn split<'a>(text: &'a str, known: &[&str]) -> Option<(Option<&'a str>, &'a str)> {
    if begins_rule(text) {
        return Some((None, text));
    }
    if let Some((name, rest)) = text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        return Some((Some(name), rest.trim_start().strip_prefix(':')?.trim()));
    }
    let (name, rule) = text.split_once(':')?;
    let name = name.trim();
    let plain = name.chars().all(|character| character.is_alphanumeric() || "_[]".contains(character));
    // `a ? b : c` is an expression.
    if !plain {
        return None;
    }
    let rule = rule.trim();
    let named = known.contains(&name) || begins_rule(rule) || rule.contains(':');
    // Else it is a preset that there is not.
    Some(if named { (Some(name), rule) } else { (None, text) })
}

fn begins_rule(text: &str) -> bool {
    let word = |word: &str| text.strip_prefix(word).is_some_and(|rest| rest.starts_with(' '));
    let preset = |preset: &Preset| {
        text.strip_prefix(preset.name).is_some_and(|rest| rest.trim_start().starts_with(':'))
    };
    RULES.iter().any(|rule| word(rule)) || PRESETS.iter().any(preset)
}

fn expression(text: &str, known: &[&str]) -> Result<Mask> {
    let program = expression::parse(text)?.compile(known, NoDataRule::Strict)?;
    match program.results().len() {
        1 => Ok(Mask::of_program(program)),
        several => {
            Err(Error::Argument(format!("mask '{text}' has {several} results; allowed: one expression")))
        }
    }
}

fn find(
    name: Option<&str>,
    preset: Option<&Preset>,
    (known, only): (&[&str], Option<usize>),
) -> Result<usize> {
    if let Some(name) = name {
        let found = known.iter().position(|known| *known == name);
        let only = only.filter(|_| name == "X");
        return found.or(only).ok_or_else(|| unknown_name("input", name, known.iter().copied()));
    }
    let usual = preset.map_or(&[][..], |preset| preset.bands);
    let called =
        usual.iter().find_map(|usual| known.iter().position(|known| known.eq_ignore_ascii_case(usual)));
    called.or(only).ok_or_else(|| {
        let text = format!(
            "which input is meant is not said; allowed: NAME: in front, NAME being {}",
            known.join(", ")
        );
        Error::Argument(text)
    })
}

fn refused(came: &str, allowed: &str) -> Error {
    Error::Argument(format!("'{came}' is not allowed; allowed: {allowed}"))
}

/// The tests of a rule, and the preset it is from.
fn read_rule(rule: &str) -> Result<(Option<&'static Preset>, Vec<Test>)> {
    if let Some((word, rest)) = rule.split_once(' ').filter(|(word, _)| RULES.contains(word)) {
        let test = match word {
            "bits" => bits(rest.trim())?,
            "values" => values(rest.trim())?,
            _ => range(rest.trim())?,
        };
        return Ok((None, vec![test]));
    }
    let Some((name, flags)) = rule.split_once(':') else {
        return Err(refused(rule, "bits 0|3, bits 5-6 >= 2, values 8,9, range 1..20, PRESET:FLAG,FLAG"));
    };
    let name = name.trim();
    let preset = PRESETS.iter().find(|preset| preset.name == name);
    let preset =
        preset.ok_or_else(|| unknown_name("preset", name, PRESETS.iter().map(|preset| preset.name)))?;
    let tests = flags.split(',').map(|text| flag(preset, text.trim())).collect::<Result<_>>()?;
    Ok((Some(preset), tests))
}

fn flag(preset: &Preset, text: &str) -> Result<Test> {
    let (name, comparison) = match comparison(text) {
        Some((name, comparison, level)) => (name, Some((comparison, level))),
        None => (text, None),
    };
    let found = preset.flags.iter().find(|flag| flag.name == name);
    let kind = format!("flag of {}", preset.name);
    let found = found.ok_or_else(|| unknown_name(&kind, name, preset.flags.iter().map(|flag| flag.name)))?;
    match (found.place, comparison) {
        (Place::Bit(bit), None) => Ok(Test::AnyBit(1 << bit)),
        (Place::Class(class), None) => Ok(Test::Values(vec![f64::from(class)])),
        (Place::Level(from, words), Some((comparison, level))) => {
            let word = words.iter().position(|word| *word == level);
            let number = word.or_else(|| level.parse().ok().filter(|number| *number <= 3));
            let number = number.ok_or_else(|| refused(level, &format!("0 to 3, or {}", words.join(", "))))?;
            Ok(Test::Field(from, 2, comparison, number as f64))
        }
        (Place::Level(_, words), None) => Err(compares(found, words)),
        (_, Some(_)) => Err(refused(text, &format!("{name} alone, which is there or not"))),
    }
}

fn compares(flag: &Flag, words: &[&str; 4]) -> Error {
    refused(flag.name, &format!("{} with a comparison such as {0} >= {}", flag.name, words[2]))
}

/// What stands before and after a comparison.
fn comparison(text: &str) -> Option<(&str, Comparison, &str)> {
    let found = Comparison::ALL.iter().find_map(|(sign, comparison)| {
        text.split_once(sign).map(|(before, after)| (before.trim(), *comparison, after.trim()))
    });
    found
}

/// `0|3|4`, or `5-6 >= 2`.
fn bits(text: &str) -> Result<Test> {
    let bit = |text: &str| {
        let number = text.trim().parse().ok().filter(|bit| *bit <= HIGHEST_BIT);
        number.ok_or_else(|| refused(text, &format!("whole numbers of bits from 0 to {HIGHEST_BIT}")))
    };
    let Some((place, comparison, with)) = comparison(text) else {
        let bits = text.split('|').map(bit).collect::<Result<Vec<u32>>>()?;
        return Ok(Test::AnyBit(bits.into_iter().fold(0, |all, bit| all | 1 << bit)));
    };
    let (from, to) = place.split_once('-').unwrap_or((place, place));
    let (from, to) = (bit(from)?, bit(to)?);
    if to < from {
        return Err(refused(place, "the lower bit first"));
    }
    Ok(Test::Field(from, to - from + 1, comparison, number(with)?))
}

fn values(text: &str) -> Result<Test> {
    text.split(',').map(number).collect::<Result<_>>().map(Test::Values)
}

fn range(text: &str) -> Result<Test> {
    let (low, high) = text.split_once("..").ok_or_else(|| refused(text, "two numbers as 1..20"))?;
    let (low, high) = (number(low)?, number(high)?);
    if low > high {
        return Err(refused(text, "the lower number first"));
    }
    Ok(Test::Range(low, high))
}

fn number(text: &str) -> Result<f64> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| refused(text.trim(), "a number"))
}
