//! Shell completions and manual pages, made from the parser for whoever packages the program.

use crate::arguments::command;
use crate::output::print;
use clap::ArgMatches;
use clap_complete::Shell;
use terralume::core::error::unknown_name;
use terralume::{Error, Result};

/// Prints the completions of a shell.
pub fn completions(matches: &ArgMatches) -> Result<()> {
    let mut text = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>("SHELL") {
        clap_complete::generate(*shell, &mut command(), "terralume", &mut text);
    }
    print(&text)
}

/// Prints the manual page of the program, or of one of its commands.
pub fn man(matches: &ArgMatches) -> Result<()> {
    let mut whole = command();
    whole.build();
    let page = match matches.get_one::<String>("COMMAND") {
        None => whole,
        Some(name) => {
            let visible: Vec<_> = whole.get_subcommands().filter(|command| !command.is_hide_set()).collect();
            let found = visible.iter().find(|command| command.get_name() == name);
            let names = visible.iter().map(|command| command.get_name());
            (*found.ok_or_else(|| unknown_name("command", name, names))?).clone()
        }
    };
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(page).render(&mut text);
    rendered.map_err(|error| Error::Output(format!("cannot make the manual page: {error}")))?;
    print(&text)
}
