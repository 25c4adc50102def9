//! What the commands over stacks say of themselves, and of one run: what dialogs and other languages are built from.

use super::options::{StackOption, STACK_OPTIONS};
use super::sensors::SENSORS;
use super::statistics::{GridPlan, StatisticsTable};
use super::{ListedImage, PreparedStack, StackOutcome};
use crate::pipeline::stack::plan::StackPlan;
use crate::pipeline::stack::run::Report;
use crate::stack::cells::CellType;
use serde_json::{json, Value};

/// Options of all runs that count for stacks as well: how a run goes, then those about the files it writes.
pub const RUN_OPTIONS: [&str; 9] = [
    "threads",
    "memory",
    "tile-size",
    "format",
    "co",
    "overviews",
    "overview-resampling",
    "overwrite",
    "profile",
];

/// How many of these say how a run goes, whether or not it writes files.
const GOING: usize = 3;

/// Those about the files that a run writes.
pub fn file_options() -> &'static [&'static str] {
    &RUN_OPTIONS[GOING..]
}

/// Of these the ones that a command without rasters as output has.
pub const READING_OPTIONS: [&str; 3] = ["threads", "memory", "overwrite"];

/// Commands over stacks: name, title, and what they do.
pub static COMMANDS: [(&str, &str, &str); 5] = [
    ("calc", "Band maths", "Compute formulas over named bands"),
    ("rescale", "Set nodata and scale", "Declare nodata, scale, limit and store in another type"),
    ("mask", "Mask", "Leave cells out by bits, classes, ranges or formulas"),
    ("reduce", "Reduce over time", "Statistics over time, in groups if wanted"),
    (
        "statistics",
        "Statistics of rasters",
        "Count, sum, mean, spread, extremes and percentiles of every file, band or block",
    ),
];

/// What the formula of a calculation is.
pub const FORMULA: &str =
    "Formulas, such as 'ndvi = (nir - red) / (nir + red)'; several, divided by ;, give several bands";

/// What a command does.
pub fn summary(command: &str) -> &'static str {
    COMMANDS.iter().find(|(name, ..)| *name == command).map_or("", |(_, _, summary)| *summary)
}

/// Commands and their options.
pub fn describe(mut stack: Value) -> Value {
    let options = |command: &str| {
        let own = STACK_OPTIONS.iter().filter(|option| option.belongs_to(command)).map(|option| option.name);
        let shared: &[&str] = if command == "statistics" { &READING_OPTIONS } else { &RUN_OPTIONS };
        own.chain(shared.iter().copied()).collect::<Vec<_>>()
    };
    let command = |(name, title, summary): &(&str, &str, &str)| json!({"name": name, "title": title, "summary": summary, "options": options(name)});
    stack["commands"] = COMMANDS.iter().map(command).collect();
    stack["calc"]["formula"] = json!(FORMULA);
    stack["sensors"] = SENSORS.iter().map(|(name, bands)| json!({"name": name, "bands": bands})).collect();
    stack["options"] = STACK_OPTIONS.iter().map(StackOption::describe).collect();
    stack
}

impl StackOption {
    /// Its entry among the options; "choices" only where its value is one of a few words.
    fn describe(&self) -> Value {
        let mut entry = json!({
            "name": self.name, "value": self.value, "repeated": self.repeated, "allowed": self.allowed, "help": self.help,
        });
        let choices = self.choices();
        if !choices.is_empty() {
            entry["choices"] = json!(choices);
        }
        entry
    }

    /// All values, where there are only a few.
    fn choices(&self) -> Vec<&'static str> {
        match self.name {
            "type" => CellType::ALL.iter().map(|(name, _)| *name).collect(),
            "sensor" => SENSORS.iter().map(|(name, _)| *name).collect(),
            "resample" | "mask-outside" | "mask-missing" | "nodata-rule" | "merge-same" | "merge" | "by"
            | "as" => self.allowed.split(", ").collect(),
            _ => Vec::new(),
        }
    }
}

impl PreparedStack<'_> {
    /// What the run reads and writes and how it is divided, for other programs.
    pub fn describe(&self) -> Value {
        let (input_bytes, output_bytes) = self.bytes();
        describe_plan(&self.plan, &self.bands(), (input_bytes, output_bytes), &self.listed)
    }
}

fn describe_plan(
    plan: &StackPlan,
    bands: &[impl serde::Serialize],
    bytes: (u64, u64),
    images: &[ListedImage],
) -> Value {
    let ((rows, cols), (input_bytes, output_bytes)) = (plan.size, bytes);
    json!({
        "rows": rows, "cols": cols, "bands": bands, "input_bytes": input_bytes, "output_bytes": output_bytes,
        "images": images.iter().map(ListedImage::describe).collect::<Vec<_>>(),
        "tiles": plan.tiles(), "tile_rows": plan.tile_rows, "tile_cols": plan.tile_cols,
        "halo": plan.halo, "decoded": plan.decoded, "threads": plan.threads,
        "memory": plan.memory,
    })
}

impl GridPlan {
    fn describe(&self) -> Value {
        let mut plan = describe_plan(&self.plan, &self.bands, (self.input_bytes, 0), &self.images);
        plan["passes"] = json!(self.passes);
        plan["lines"] = json!(self.lines);
        plan
    }
}

/// How a table of statistics would be made, for other programs.
pub fn describe_plans(plans: &[GridPlan]) -> Value {
    let plans: Vec<Value> = plans.iter().map(GridPlan::describe).collect();
    json!({"plan": plans.first(), "plans": plans})
}

impl ListedImage {
    fn describe(&self) -> Value {
        let (time, source) = self.time.clone().unzip();
        json!({"files": self.files, "datetime": time, "date_from": source, "group": self.group})
    }
}

impl StackOutcome {
    /// What was done to cells, in a line for each kind that occurred, and what could not be read.
    pub fn notes(&self) -> Vec<String> {
        let beside = self.beside.iter().map(|file| format!("left out, beside the grid: {file}"));
        notes(&self.report, &self.bad).into_iter().chain(beside).collect()
    }

    /// What was done, for other programs.
    pub fn describe(&self, plan: Value) -> Value {
        let report = &self.report;
        let bad: Vec<&String> = self.bad.iter().chain(&self.beside).collect();
        json!({
            "outputs": self.outputs, "bad": bad, "masked": report.masked, "not_finite": report.not_finite,
            "clipped": report.clipped, "saturated": report.written.saturated, "moved": report.written.moved,
            "missing": report.written.missing, "notes": self.notes(),
            "plan": plan,
        })
    }
}

impl StatisticsTable {
    /// What could not be read.
    pub fn notes(&self) -> Vec<String> {
        unread(&self.bad).collect()
    }

    /// What was done, for other programs.
    pub fn describe(&self, output: &str) -> Value {
        let mut described = describe_plans(&self.plans);
        described["outputs"] = json!([output]);
        described["bad"] = json!(self.bad);
        described["rows"] = json!(self.rows.len());
        described["notes"] = json!(self.notes());
        described
    }
}

/// What was done to cells, in a line for each kind that occurred, and what could not be read.
pub fn notes(report: &Report, bad: &[String]) -> Vec<String> {
    let counted = [
        (report.masked, "masked"),
        (report.not_finite, "divided by zero or otherwise not finite: now nodata"),
        (report.clipped, "limited by min or max"),
        (report.written.saturated, "beyond the type: now its smallest or largest number"),
        (report.written.moved, "hit the nodata value: moved by one"),
    ];
    let cells = |number: u64| if number == 1 { "cell" } else { "cells" };
    let lines = counted.iter().filter(|(number, _)| *number > 0);
    let lines = lines.map(|(number, what)| format!("{number} {} {what}", cells(*number)));
    lines.chain(unread(bad)).collect()
}

fn unread(files: &[String]) -> impl Iterator<Item = String> + '_ {
    files.iter().map(|file| format!("could not be read in part or at all: {file}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::options::OPTIONS;
    use crate::job::stack::options::StackOptions;

    #[test]
    fn every_choice_is_taken() {
        for option in STACK_OPTIONS {
            for choice in option.choices() {
                StackOptions::default().set(option.name, choice).unwrap();
            }
        }
    }

    #[test]
    fn commands_and_options_belong_together() {
        for option in STACK_OPTIONS {
            let known = |command: &str| COMMANDS.iter().any(|(name, ..)| *name == command);
            assert!(option.commands.split(' ').all(known), "{}", option.name);
        }
        for name in RUN_OPTIONS {
            assert!(OPTIONS.iter().any(|option| option.name == name), "{name}");
        }
        let description = describe(json!({}));
        let statistics = &description["commands"][4];
        assert_eq!(statistics["name"], "statistics");
        let options = statistics["options"].as_array().unwrap();
        assert!(options.contains(&json!("block")) && !options.contains(&json!("co")));
    }
}
