//! The shared library shows what the header declares and nothing else, and needs no GDAL to be loaded.

mod installed;

use installed::{prefix, root, run};
use std::collections::BTreeSet;
use std::process::Command;

/// Entry point for GDAL's plugin loader; not for C programs, so not in the header.
const PLUGIN_ENTRY: &str = "GDALRegister_terralume";

/// Functions the header declares.
fn declared() -> BTreeSet<String> {
    let header = std::fs::read_to_string(root().join("include/terralume.h")).unwrap();
    let code =
        header.lines().filter(|line| !line.starts_with([' ', '/', '#']) && !line.starts_with("typedef"));
    let before_parenthesis = code.filter_map(|line| line.split_once('(')).map(|(before, _)| before);
    let names = before_parenthesis.filter_map(|before| before.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("terralume_")).map(String::from).collect()
}

#[test]
fn exported_functions_are_those_of_the_header() {
    let library = prefix().join("lib/libterralume.so");
    let said = run(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library));
    let exported: BTreeSet<String> = said
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != PLUGIN_ENTRY)
        .map(String::from)
        .collect();
    let declared = declared();
    assert!(declared.len() > 20, "{declared:?}");
    assert_eq!(exported, declared);
}

#[test]
fn gdal_is_not_needed_to_load_and_the_soname_is_set() {
    let said = run(Command::new("readelf").arg("-d").arg(prefix().join("lib/libterralume.so")));
    let needed = said.lines().filter(|line| line.contains("NEEDED"));
    assert!(needed.clone().count() > 0 && !needed.clone().any(|line| line.contains("gdal")), "{said}");
    let soname = format!("libterralume.so.{}", env!("CARGO_PKG_VERSION_MAJOR"));
    assert!(said.lines().any(|line| line.contains("SONAME") && line.contains(&soname)), "{said}");
}
