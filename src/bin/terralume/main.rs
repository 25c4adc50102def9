//! The command line of Terralume: arguments and help come from the library's own tables.

mod arguments;
mod describe;
mod export;
mod folder;
mod gdal;
mod gdalrc;
mod list;
mod output;
mod pages;
mod plugin;
mod progress;
mod recipes;
mod run;
mod signals;
mod stack;
mod stack_arguments;
mod statistics;
mod vrt;

use clap::error::ErrorKind;
use std::process::ExitCode;
use terralume::{Error, Result};

/// Exit codes, documented in `--help`.
const FAILED: u8 = 1;
const BAD_ARGUMENTS: u8 = 2;
const CANCELLED: u8 = 3;

fn main() -> ExitCode {
    let matches = match arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return answer_usage(&error),
    };
    match dispatch(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error.to_string());
            ExitCode::from(exit_code(&error))
        }
    }
}

fn dispatch(matches: &clap::ArgMatches) -> Result<()> {
    match matches.subcommand() {
        Some(("list", matches)) => list::list(matches),
        Some(("describe", matches)) => describe::describe(matches),
        Some(("visualize", matches)) => run::visualize(matches),
        Some(("render", matches)) => run::render(matches),
        Some(("vrt", matches)) => vrt::vrt(matches),
        Some((name @ ("calc" | "rescale" | "mask" | "reduce"), matches)) => stack::run(name, matches),
        Some(("statistics", matches)) => statistics::statistics(matches),
        Some(("plan", matches)) => stack::plan(matches),
        Some(("export", matches)) => export::export(matches),
        Some(("install-gdal-plugin", matches)) => plugin::install(matches),
        Some(("completions", matches)) => pages::completions(matches),
        Some(("man", matches)) => pages::man(matches),
        _ => Err(Error::Internal("a command without code".into())),
    }
}

fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Argument(_) | Error::UnknownName(_) | Error::Recipe(_) => BAD_ARGUMENTS,
        Error::Cancelled => CANCELLED,
        _ => FAILED,
    }
}

/// Help and version as clap prints them; what is wrong in one line, as all our errors.
fn answer_usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that has gone, such as `head`, wants no more.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(BAD_ARGUMENTS)
        }
        _ => {
            output::error(&one_line(&error.to_string()));
            ExitCode::from(BAD_ARGUMENTS)
        }
    }
}

/// clap's message without its usage block and its hint at the help, which would make it several lines.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let lines = message.lines().map(str::trim);
    let said = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let said = said.collect::<Vec<_>>().join(" ");
    format!("{}; see --help", said.trim().replace("  ", "; "))
}
