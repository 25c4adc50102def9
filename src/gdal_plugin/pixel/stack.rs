//! Pixel functions of band maths: expressions, normalised differences, statistics over sources, quality masks.
//!
//! They compute with 64 bits, as GDAL's own functions, and know missing cells as a state.

use super::arguments::{missing, number, refused, Arguments, FINITE};
use super::{Compute, BLOCK};
use crate::core::error::{unknown_name, Error, Result};
use crate::stack::expression::{self, NoDataRule, Program};
use crate::stack::mask::{self, Mask, MaskScratch, Outside};
use crate::stack::reduce::{self, Groups, Layers, ReducePlan, Statistic, When};

/// Most sources of a function: texts name them by number.
const MOST_SOURCES: usize = 65_536;

fn check_sources(sources: usize, fewest: usize) -> Result<()> {
    if (fewest..=MOST_SOURCES).contains(&sources) {
        return Ok(());
    }
    Err(Error::Argument(format!("{sources} sources; allowed: {fewest} to {MOST_SOURCES}")))
}

/// A program whose inputs are sources.
struct Calculation {
    program: Program,
    scratch: expression::Scratch,
    /// Source of each input.
    sources: Vec<usize>,
    inputs: Vec<f64>,
    results: Vec<f64>,
    result: usize,
}

impl Calculation {
    fn new(program: Program, source_count: usize, result: usize) -> Box<Self> {
        // Sources have two names each, in small and in capital letters.
        let sources: Vec<usize> = program.inputs().iter().map(|name| name % source_count).collect();
        Box::new(Self {
            scratch: program.scratch(),
            inputs: vec![0.0; sources.len() * BLOCK],
            results: vec![0.0; program.results().len() * BLOCK],
            program,
            sources,
            result,
        })
    }
}

impl Compute<f64> for Calculation {
    fn sources(&self) -> usize {
        self.sources.iter().max().map_or(0, |last| last + 1)
    }

    fn cells(&mut self, sources: &mut [[f64; BLOCK]], out: &mut [f64]) {
        let width = out.len();
        for (input, source) in self.inputs.chunks_exact_mut(width).zip(&self.sources) {
            input.copy_from_slice(&sources[*source][..width]);
        }
        let (inputs, results) = (self.sources.len() * width, self.program.results().len() * width);
        let results = &mut self.results[..results];
        self.program.run(width, &self.inputs[..inputs], &mut self.scratch, results);
        out.copy_from_slice(&results[self.result * width..][..width]);
    }
}

/// Sources are `b1`, `b2` and so on, or have the names that are given.
pub fn expression(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute<f64>>> {
    check_sources(sources, 1)?;
    let text = arguments.text("expression");
    let text = text.ok_or_else(|| missing("expression", "one such as (b2 - b1) / (b2 + b1)"))?;
    let names: Vec<String> = match arguments.text("names") {
        None => (1..=sources).map(|number| format!("b{number}")).collect(),
        Some(names) => {
            let list: Vec<String> = names.split(',').map(|name| name.trim().to_string()).collect();
            let twice = (1..list.len()).any(|index| list[..index].contains(&list[index]));
            if list.len() > sources || twice || list.iter().any(String::is_empty) {
                let allowed = format!("names of the first sources, of which there are {sources}, each once");
                return Err(refused("names", names, &allowed));
            }
            list
        }
    };
    let capitals: Vec<String> = match arguments.text("names") {
        None => names.iter().map(|name| name.to_uppercase()).collect(),
        Some(_) => Vec::new(),
    };
    let known: Vec<&str> = names.iter().chain(&capitals).map(String::as_str).collect();
    let rule = arguments.text("rule").map(NoDataRule::parse).transpose()?.unwrap_or_default();
    let parsed = expression::parse(text)?;
    let program = parsed.compile(&known, rule)?;
    let results = program.results();
    let result = match arguments.text("result") {
        Some(name) => results.iter().position(|known| known == name).ok_or_else(|| {
            unknown_name("result", name, results.iter().map(String::as_str)).at("argument result")
        })?,
        None if results.len() == 1 => 0,
        None => return Err(missing("result", &results.join(", "))),
    };
    Ok(Calculation::new(program, names.len(), result))
}

/// `(second - first) / (second + first)`; further sources are not read.
pub fn normalised_difference(_: &Arguments, sources: usize) -> Result<Box<dyn Compute<f64>>> {
    check_sources(sources, 2)?;
    let program = expression::parse("nd(b1, b2)")?.compile(&["b1", "b2"], NoDataRule::Strict)?;
    Ok(Calculation::new(program, 2, 0))
}

/// A reduction whose layers are the sources.
struct Reduction {
    state: reduce::State,
    scratch: reduce::Scratch,
    sources: usize,
}

/// One statistic of all sources.
pub fn statistic(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute<f64>>> {
    check_sources(sources, 1)?;
    let text = arguments.text("stat").ok_or_else(|| missing("stat", "mean, median, p90 and others"))?;
    let statistic = Statistic::parse(text)?;
    if matches!(statistic, Statistic::Which(_, When::Seconds | When::Day)) {
        let name = text.split('(').next().unwrap_or(text).trim();
        return Err(refused("stat", text, &format!("{name}(index), because sources have no dates")));
    }
    let weights = arguments.text("weights").map(|list| {
        list.split(',').map(|weight| number("weights", weight, FINITE)).collect::<Result<Vec<f64>>>()
    });
    let weights = weights.transpose()?;
    if let (Some(list), Some(text)) = (&weights, arguments.text("weights")) {
        if statistic != Statistic::WeightedMean || list.len() != sources {
            return Err(refused(
                "weights",
                text,
                &format!("{sources} numbers, one of each source, for wmean"),
            ));
        }
    }
    let at_least = arguments.number("min_count", 1.0..=f64::from(u32::MAX))?.unwrap_or(1.0);
    if at_least.fract() != 0.0 {
        return Err(refused("min_count", &at_least.to_string(), "a whole number from 1"));
    }
    let groups = Groups { names: vec![String::new()], of: vec![0; sources] };
    let dates: Vec<i64> = (0..sources as i64).collect();
    let layers = Layers { dates: &dates, groups: &groups, weights: weights.as_deref() };
    let plan = ReducePlan::new(&[statistic], layers, at_least as u32)?;
    Ok(Box::new(Reduction { state: plan.state(BLOCK, false), scratch: plan.scratch(), sources }))
}

impl Compute<f64> for Reduction {
    fn sources(&self) -> usize {
        self.sources
    }

    fn cells(&mut self, sources: &mut [[f64; BLOCK]], out: &mut [f64]) {
        self.state.reset();
        for (layer, source) in sources.iter().enumerate() {
            self.state.feed(layer, 0, &source[..out.len()]);
        }
        self.state.finish(0, 0, out.len(), out, &mut self.scratch);
    }
}

/// The first source where the others do not mask it.
struct Masked {
    mask: Mask,
    scratch: MaskScratch,
    outside: Outside,
    /// What masked cells become, if not missing.
    value: f64,
    mask_nodata: Option<f64>,
    inputs: Vec<f64>,
    masked: [u8; BLOCK],
}

/// Sources after the first are `b2`, `b3` and so on in the text of the mask.
pub fn quality_mask(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute<f64>>> {
    check_sources(sources, 2)?;
    let text =
        arguments.text("mask").ok_or_else(|| missing("mask", "one such as landsat_c2:cloud,cloud_shadow"))?;
    let names: Vec<String> = (2..=sources).map(|number| format!("b{number}")).collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let mask = Mask::parse(text, &known)?;
    let outside = match arguments.choice("outside", &["mask", "keep"])? {
        Some(1) => Outside::Keep,
        _ => Outside::Mask,
    };
    let value = arguments.number("value", FINITE)?.unwrap_or(f64::NAN);
    let mask_nodata = arguments.number("mask_nodata", FINITE)?;
    let inputs = vec![0.0; mask.inputs().len() * BLOCK];
    let scratch = mask.scratch();
    Ok(Box::new(Masked { mask, scratch, outside, value, mask_nodata, inputs, masked: [0; BLOCK] }))
}

impl Compute<f64> for Masked {
    fn sources(&self) -> usize {
        self.mask.inputs().iter().max().map_or(1, |last| last + 2)
    }

    /// 0 is nodata in many bands, and clear in their quality.
    fn has_nodata(&self, source: usize) -> bool {
        source == 0
    }

    fn cells(&mut self, sources: &mut [[f64; BLOCK]], out: &mut [f64]) {
        let width = out.len();
        for (input, name) in self.inputs.chunks_exact_mut(width).zip(self.mask.inputs()) {
            for (input, cell) in input.iter_mut().zip(&sources[name + 1]) {
                *input = if self.mask_nodata == Some(*cell) { f64::NAN } else { *cell };
            }
        }
        let masked = &mut self.masked[..width];
        masked.fill(0);
        let inputs = &self.inputs[..self.mask.inputs().len() * width];
        self.mask.row(width, inputs, &mut self.scratch, self.outside, masked);
        out.copy_from_slice(&sources[0][..width]);
        mask::apply_value(masked, self.value, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, said};

    const GAP: f32 = f32::NAN;

    fn same(found: Vec<f32>, expected: &[f32]) {
        let bits = |row: &[f32]| {
            row.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect::<Vec<_>>()
        };
        assert_eq!(bits(&found), bits(expected), "{found:?} {expected:?}");
    }

    #[test]
    fn expressions_of_sources() {
        let sources: [&[f32]; 2] = [&[1.0, 0.0, 2.0, GAP], &[3.0, 0.0, 0.0, 1.0]];
        let ndvi = "expression=(b2 - b1) / (b2 + b1)";
        same(call("terralume_expr", &sources, &[ndvi]).unwrap(), &[0.5, GAP, -1.0, GAP]);
        same(call("terralume_expr", &sources, &[ndvi, "nodata=0"]).unwrap(), &[0.5, 0.0, 0.0, GAP_AS_ZERO]);
        same(call("terralume_norm_diff", &sources, &["nodata=-1"]).unwrap(), &[0.5, -1.0, -1.0, -1.0]);
        let apart = call("terralume_norm_diff", &sources, &["nodata=0", "result_nodata=-9"]).unwrap();
        same(apart, &[0.5, -9.0, -9.0, -9.0]);
        let named = ["expression=ndvi(red,nir)+1", "names=red, nir"];
        same(call("terralume_expr", &sources, &named).unwrap(), &[1.5, GAP, 0.0, GAP]);
        let several = ["expression=one = b1 + 1; two = B2 * 2", "result=two"];
        same(call("terralume_expr", &sources, &several).unwrap(), &[6.0, 0.0, 0.0, 2.0]);
        let lazy = ["expression=coalesce(b1, b2)", "rule=lazy"];
        same(call("terralume_expr", &sources, &lazy).unwrap(), &[1.0, 0.0, 2.0, 1.0]);
        same(call("terralume_expr", &sources[..1], &["expression=7"]).unwrap(), &[7.0; 4]);
    }

    /// Missing results are written as the nodata value.
    const GAP_AS_ZERO: f32 = 0.0;

    #[test]
    fn more_cells_than_a_block() {
        let (a, b): (Vec<f32>, Vec<f32>) = (0..700).map(|cell| (cell as f32, cell as f32 * 3.0)).unzip();
        let found = call("terralume_expr", &[&a, &b], &["expression=b2 - b1"]).unwrap();
        same(found, &(0..700).map(|cell| cell as f32 * 2.0).collect::<Vec<_>>());
        let found = call("terralume_stat", &[&a, &b, &a], &["stat=median"]).unwrap();
        same(found, &a);
    }

    #[test]
    fn statistics_of_sources() {
        let sources: [&[f32]; 3] = [&[1.0, GAP, GAP], &[5.0, 4.0, GAP], &[3.0, -2.0, GAP]];
        let of = |arguments: &[&str]| call("terralume_stat", &sources, arguments).unwrap();
        same(of(&["stat=mean"]), &[3.0, 1.0, GAP]);
        same(of(&["stat=count"]), &[3.0, 2.0, 0.0]);
        same(of(&["stat=median", "min_count=3", "nodata=-9"]), &[3.0, -9.0, -9.0]);
        same(of(&["stat=which_max(index)"]), &[1.0, 1.0, GAP]);
        same(of(&["stat=wmean", "weights=1,0,1"]), &[2.0, -2.0, GAP]);
        same(of(&["stat=max", "nodata=5"]), &[3.0, 4.0, 5.0]);
    }

    #[test]
    fn masks_of_the_first_source() {
        let (data, quality): (&[f32], &[f32]) = (&[1.0, 2.0, 3.0, 0.0], &[0.0, 8.0, GAP, 0.0]);
        let of = |arguments: &[&str]| call("terralume_qamask", &[data, quality], arguments).unwrap();
        same(of(&["mask=landsat_c2:cloud"]), &[1.0, GAP, GAP, 0.0]);
        // 0 is nodata of the data, not of the quality.
        same(of(&["mask=landsat_c2:cloud", "nodata=0"]), &[1.0, 0.0, 0.0, 0.0]);
        same(of(&["mask=b2 == 8", "outside=keep", "value=9"]), &[1.0, 9.0, 3.0, 0.0]);
        same(of(&["mask=b2: values 0", "mask_nodata=8", "outside=keep"]), &[GAP, 2.0, 3.0, GAP]);
    }

    #[test]
    fn refusals_say_what_is_allowed() {
        let cases: [(&str, usize, &[&str], &str); 19] = [
            ("expr", 2, &[], "argument expression is missing; allowed: one such as"),
            ("expr", 2, &["expression=b1 +"], "expression, column 5: the end is not expected; allowed"),
            ("expr", 2, &["expression=b3"], "unknown input 'b3'; allowed: b1, b2, B1, B2"),
            (
                "expr",
                2,
                &["expression=x", "names=x,y,z"],
                "names = 'x,y,z' is not allowed; allowed: names of",
            ),
            ("expr", 2, &["expression=x", "names=x,x"], "allowed: names of the first sources"),
            (
                "expr",
                2,
                &["expression=1", "rule=loose"],
                "unknown nodata rule 'loose'; allowed: strict, lazy",
            ),
            ("expr", 2, &["expression=a=1;b=2"], "argument result is missing; allowed: a, b"),
            ("expr", 2, &["expression=a=1;b=2", "result=c"], "unknown result 'c'; allowed: a, b"),
            ("expr", 0, &["expression=1"], "0 sources; allowed: 1 to"),
            ("norm_diff", 1, &[], "1 sources; allowed: 2 to"),
            ("norm_diff", 2, &["scale=1"], "unknown argument 'scale'; allowed: nodata, result_nodata"),
            ("stat", 2, &[], "argument stat is missing"),
            ("stat", 2, &["stat=average"], "unknown statistic 'average'; allowed: count"),
            ("stat", 2, &["stat=which_min"], "allowed: which_min(index), because sources have no dates"),
            ("stat", 2, &["stat=mean", "weights=1,2"], "allowed: 2 numbers, one of each source, for wmean"),
            ("stat", 2, &["stat=mean", "min_count=1.5"], "allowed: a whole number from 1"),
            ("stat", 2, &["stat=wmean"], "needs weights; allowed"),
            ("qamask", 1, &["mask=bits 1"], "1 sources; allowed: 2 to"),
            ("qamask", 3, &["mask=bits 1"], "which input is meant is not said; allowed: NAME: in front"),
        ];
        for (function, sources, arguments, expected) in cases {
            let said = said(&format!("terralume_{function}"), sources, arguments);
            assert!(said.contains(expected), "{function} {arguments:?}: {said}");
        }
    }
}
