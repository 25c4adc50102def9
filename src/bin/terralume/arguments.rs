//! The parser, made from the tables of options, operations and presets.

use crate::export::FORMATS;
use crate::stack_arguments;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use terralume::job::options::{OptionSpec, OPTIONS};
use terralume::job::virtual_name;
use terralume::job::vrt::Form;
use terralume::{recipe, registry, VERSION};

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 bad arguments, 3 cancelled.\n\
                          A run that fails or is cancelled leaves no output file.";

/// The whole command line.
pub fn command() -> Command {
    Command::new("terralume")
        .version(VERSION)
        .about("Relief visualisation for rasters of any size: exact, tiled, parallel, in bounded memory")
        .after_help(EXIT_CODES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommands([list(), describe(), visualize(), render(), vrt()])
        .subcommands(stack_arguments::commands())
        .subcommands([export(), plugin(), completions(), man()])
}

fn list() -> Command {
    Command::new("list")
        .about("List operations and presets")
        .arg(switch("presets", "Only the presets"))
        .arg(json())
}

fn describe() -> Command {
    Command::new("describe")
        .about("Describe an operation with its parameters, or a preset with its layers")
        .arg(positional("NAME", "Operation, preset, or JSON file of a recipe", ValueHint::Other))
        .arg(json())
}

fn visualize() -> Command {
    let operations: Vec<_> = registry::operations().iter().map(|o| (o.id, o.title)).collect();
    let help = format!(
        "{}\nSee an operation's parameters: terralume describe NAME\n\n{EXIT_CODES}",
        names("Operations", &operations)
    );
    let command = Command::new("visualize")
        .about("Compute one operation of an elevation raster, or several from one reading")
        .arg(positional("NAME", "Operation, or several: slope,svf", ValueHint::Other))
        .arg(parameter(
            "KEY=VALUE",
            "Parameter of the operation, such as radius=20, or of one of several: svf.radius=20",
        ));
    with_run_arguments(command, true).after_help(help)
}

fn render() -> Command {
    let presets = recipe::presets().unwrap_or_default();
    let presets: Vec<_> =
        presets.iter().map(|preset| (preset.name.as_str(), preset.title.as_str())).collect();
    let help = format!(
        "{}\nSee a preset's layers: terralume describe PRESET\n\n{EXIT_CODES}",
        names("Presets", &presets)
    );
    let command = Command::new("render")
        .about("Blend the layers of a recipe or preset into one picture")
        .arg(recipe_argument())
        .arg(layer_parameter())
        .arg(stack_input());
    with_run_arguments(command, false).after_help(help)
}

fn vrt() -> Command {
    let forms: Vec<_> = Form::ALL.iter().map(|(name, _, help)| (*name, *help)).collect();
    let form =
        Arg::new("form").long("form").value_name("FORM").value_parser(Form::ALL.map(|(name, ..)| name)).help(
            "How the VRT gets its cells [default: layers, or picture where a recipe has masks or rasters]",
        );
    let command = Command::new("vrt")
        .about("Write a VRT that GDAL computes when it is read: QGIS, gdal_translate and others, with the plugin")
        .arg(positional("NAME", "Operation, preset, or JSON file of a recipe", ValueHint::FilePath))
        .arg(positional("DEM", "Raster of elevations, anything GDAL can open", ValueHint::FilePath))
        .arg(positional("OUT", "VRT file to write; it may get a folder of small files beside it", ValueHint::FilePath))
        .arg(form)
        .arg(layer_parameter())
        .args(OPTIONS.iter().filter(|spec| spec.name == "overwrite" || virtual_name::OPTIONS.contains(&spec.name)).map(option))
        .arg(switch("quiet", "No progress and no closing line").short('q'));
    with_settings(command).after_help(format!("{}\n{EXIT_CODES}", names("Forms", &forms)))
}

fn export() -> Command {
    let format = Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(FORMATS)
        .default_value(FORMATS[0])
        .help("terralume: a recipe with every parameter spelled out; rvt: a blender combination of RVT");
    let out = positional("OUT", "JSON file to write [default: standard output]", ValueHint::FilePath);
    let command = Command::new("export")
        .about("Write a recipe as a file, for Terralume or for RVT (Relief Visualization Toolbox)")
        .arg(recipe_argument())
        .arg(out.required(false))
        .arg(format)
        .arg(switch("overwrite", "Replace the file if it exists"))
        .arg(layer_parameter());
    with_settings(command)
}

fn plugin() -> Command {
    let path =
        setting("path", "FOLDER", "Folder with gdal_terralume.so [default: where make install puts it]");
    Command::new("install-gdal-plugin")
        .about("Let GDAL's programs find /vsiterralume/ files and pixel functions: GDAL_DRIVER_PATH in ~/.gdal/gdalrc")
        .arg(path.value_hint(ValueHint::DirPath))
        .arg(switch("remove", "Take the folder out again"))
}

fn recipe_argument() -> Arg {
    let help = "Name of a preset, or JSON file of a recipe or of RVT's blender combinations: FILE, or FILE#NAME for \
                one of several";
    positional("RECIPE", help, ValueHint::FilePath)
}

fn layer_parameter() -> Arg {
    parameter("LAYER.KEY=VALUE", "Parameter, mode, opacity, min or max of a layer, such as slope.opacity=30")
}

fn stack_input() -> Arg {
    let help =
        "Files of an input of the recipe's stacks: NAME=PATH, a pattern, list, table or STAC ItemCollection";
    parameter("NAME=PATH", help).id("input").short('i').long("input")
}

/// Input, output and what all runs share. A recipe of stacks needs no elevations.
fn with_run_arguments(command: Command, needs_elevations: bool) -> Command {
    let output = positional(
        "OUT",
        "Raster to write, or a folder, in which files get names of their own",
        ValueHint::FilePath,
    )
    .required(false);
    let dem = positional("DEM", "Raster of elevations, anything GDAL can open", ValueHint::FilePath);
    let (dem, output) = match needs_elevations {
        true => (dem, output.required_unless_present("plan")),
        false => (dem.required(false), output),
    };
    with_settings(command.arg(dem).arg(output))
        .args(OPTIONS.iter().map(option))
        .arg(switch("plan", "Print how the run would be divided, and stop"))
        .arg(switch("quiet", "No progress and no closing line").short('q'))
}

/// What is set for the whole recipe, in the order in which it is applied.
fn with_settings(command: Command) -> Command {
    command
        .arg(setting("settings", "FILE", "Parameters from a settings file of RVT, JSON or text"))
        .arg(setting(
            "terrain",
            "NAME",
            "Parameters and stretches for a kind of ground: general, flat, steep, see list; or a JSON file of them, \
             ours or RVT's: FILE, or FILE#NAME for one of several",
        ))
        .arg(setting(
            "fill",
            "NAME",
            "Fill nodata first: idw, nearest, linear_row; with -p fill.radius=20, see describe fill_nodata",
        ))
}

/// One entry of the table of options. Values may begin with a minus: `--stretch -2,2`.
pub fn option(spec: &OptionSpec) -> Arg {
    let arg = switch(spec.name, spec.help);
    match (spec.value, spec.repeated) {
        ("", _) => arg,
        (value, repeated) => arg.value_name(value).allow_hyphen_values(true).action(if repeated {
            ArgAction::Append
        } else {
            ArgAction::Set
        }),
    }
}

fn setting(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// A positional argument that was given; empty when it was not.
pub fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

fn parameter(value: &'static str, help: &'static str) -> Arg {
    Arg::new("parameter").short('p').long("parameter").value_name(value).action(ArgAction::Append).help(help)
}

pub fn positional(name: &'static str, help: &'static str, hint: ValueHint) -> Arg {
    Arg::new(name).help(help).required(true).value_hint(hint)
}

pub fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn json() -> Arg {
    switch("json", "One JSON document, for scripts")
}

fn completions() -> Command {
    let shell = Arg::new("SHELL").required(true).value_parser(clap::value_parser!(clap_complete::Shell));
    Command::new("completions").about("Print completions for a shell").hide(true).arg(shell)
}

fn man() -> Command {
    let name = Arg::new("COMMAND").help("Page of one command instead of the whole program");
    Command::new("man").about("Print the manual page").hide(true).arg(name)
}

/// Names and titles below a heading.
fn names(heading: &str, entries: &[(&str, &str)]) -> String {
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = entries.iter().map(|(name, title)| format!("  {name:width$}  {title}\n"));
    format!("{heading}:\n{}", lines.collect::<String>())
}
