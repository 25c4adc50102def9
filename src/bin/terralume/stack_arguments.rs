//! The parser of commands over stacks, made from the tables of options.

use crate::arguments::{positional, switch};
use clap::{Arg, ArgAction, Command, ValueHint};
use terralume::job::options::OPTIONS;
use terralume::job::stack::describe::{summary, FORMULA, READING_OPTIONS, RUN_OPTIONS};
use terralume::job::stack::options::{StackOption, STACK_OPTIONS};

const FILES: &str =
    "Rasters, patterns, @list.txt, tables (CSV), STAC ItemCollections; then the file to write";

/// `calc`, `rescale`, `mask`, `reduce`, `statistics`, `plan`.
pub fn commands() -> Vec<Command> {
    let commands = vec![calc(), rescale(), mask(), reduce(), statistics()];
    let plan = Command::new("plan")
        .about("Print how one of these commands would run: tiles, memory, sizes; nothing is computed")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands(commands.clone());
    commands.into_iter().chain([plan]).collect()
}

fn calc() -> Command {
    let command = Command::new("calc")
        .about(summary("calc"))
        .arg(positional("FORMULA", FORMULA, ValueHint::Other).allow_hyphen_values(true))
        .arg(
            positional("OUT", "Raster to write, or a folder with --by", ValueHint::FilePath).required(false),
        );
    with_options(command, "calc")
}

fn rescale() -> Command {
    let command = Command::new("rescale").about(summary("rescale")).arg(files());
    with_options(command, "rescale")
}

fn mask() -> Command {
    let command = Command::new("mask").about(summary("mask")).arg(files());
    with_options(command, "mask")
}

fn reduce() -> Command {
    let command = Command::new("reduce").about(summary("reduce")).arg(files());
    with_options(command, "reduce")
}

fn statistics() -> Command {
    let files = Arg::new("FILES")
        .help("Rasters, patterns, @list.txt, tables (CSV), STAC ItemCollections")
        .num_args(1..)
        .value_hint(ValueHint::FilePath);
    let output = Arg::new("output").long("output").short('o').value_name("FILE");
    let output = output.help("File to write [default: standard output]");
    let command = Command::new("statistics").about(summary("statistics")).arg(files).arg(output);
    with_options(command, "statistics")
}

fn files() -> Arg {
    Arg::new("FILES").help(FILES).num_args(1..).value_hint(ValueHint::FilePath)
}

fn with_options(command: Command, name: &str) -> Command {
    let own = STACK_OPTIONS.iter().filter(|option| option.belongs_to(name)).map(option);
    let writes = name != "statistics";
    let wanted: &[&str] = if writes { &RUN_OPTIONS } else { &READING_OPTIONS };
    let shared = OPTIONS.iter().filter(|option| wanted.contains(&option.name)).map(crate::arguments::option);
    let command = command.args(own).args(shared);
    let command = command
        .arg(switch("quiet", "No progress and no closing lines").short('q'))
        .arg(switch("plan", "Print how the run would be divided, and stop"));
    match writes {
        true => command.arg(switch("list", "Print the images with their dates and groups, and stop")),
        false => command,
    }
}

/// One entry of the table of options. Values may begin with a minus: `--nodata -9999`.
fn option(spec: &StackOption) -> Arg {
    let arg = switch(spec.name, spec.help);
    let arg = if spec.name == "input" { arg.short('i') } else { arg };
    match (spec.value, spec.repeated) {
        ("", _) => arg,
        (value, repeated) => arg.value_name(value).allow_hyphen_values(true).action(if repeated {
            ArgAction::Append
        } else {
            ArgAction::Set
        }),
    }
}
