//! list, describe, help, pages: what users and scripts read.

use super::support::{listed, names, Folder, PROGRAM};
use serde_json::Value;

#[test]
fn lists_everything() {
    let answer = Folder::new().terralume(&["list"]);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""));
    let listed = listed();
    let operations = names(&listed, "operations", "id");
    let presets = names(&listed, "presets", "name");
    assert!(operations.len() >= 8 && presets.len() >= 5);
    for name in operations.iter().chain(&presets) {
        assert!(answer.out.contains(&format!("\n  {name} ")), "{name}");
    }
    let only = Folder::new().terralume(&["list", "--presets"]).out;
    assert!(only.contains("\n  vat ") && !only.contains("\n  slope "));
}

#[test]
fn lists_for_scripts() {
    let listed = listed();
    assert_eq!(listed["schema"], 1);
    assert_eq!(listed["version"], terralume::VERSION);
    for list in ["operations", "presets", "options"] {
        assert!(listed[list].as_array().is_some_and(|list| !list.is_empty()), "{list}");
    }
    let presets = Folder::new().terralume(&["list", "--presets", "--json"]).out;
    let presets: Value = serde_json::from_str(&presets).unwrap();
    assert!(presets["operations"].is_null());
    assert_eq!(presets["presets"], listed["presets"]);
}

#[test]
fn describes_every_operation() {
    let folder = Folder::new();
    for operation in listed()["operations"].as_array().unwrap() {
        let id = operation["id"].as_str().unwrap();
        let json = folder.terralume(&["describe", id, "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap(), *operation);
        let text = folder.terralume(&["describe", id]);
        assert_eq!((text.code, text.err.as_str()), (Some(0), ""));
        for parameter in operation["parameters"].as_array().unwrap() {
            for key in ["name", "kind", "help", "unit"] {
                assert!(text.out.contains(parameter[key].as_str().unwrap()), "{id}: {parameter}");
            }
            let default = parameter["default"].to_string();
            assert!(
                text.out.contains(&format!("[default: {}]", default.trim_matches('"'))),
                "{id}: {parameter}"
            );
        }
        for key in ["title", "summary", "reference"] {
            assert!(text.out.contains(operation[key].as_str().unwrap()), "{id}: {key}");
        }
        for band in operation["bands"].as_array().unwrap() {
            assert!(text.out.contains(band["name"].as_str().unwrap()), "{id}: {band}");
        }
        for alias in operation["aliases"].as_array().unwrap() {
            assert_eq!(folder.terralume(&["describe", alias.as_str().unwrap()]).out, text.out);
        }
    }
}

#[test]
fn describes_every_preset() {
    let folder = Folder::new();
    for preset in listed()["presets"].as_array().unwrap() {
        let name = preset["name"].as_str().unwrap();
        let json = folder.terralume(&["describe", name, "--json"]);
        let json: Value = serde_json::from_str(&json.out).unwrap();
        for key in ["name", "title", "summary", "reference", "layers"] {
            assert_eq!(json[key], preset[key], "{name}: {key}");
        }
        let text = folder.terralume(&["describe", name]).out;
        for layer in preset["layers"].as_array().unwrap() {
            assert!(text.contains(&format!("\n  {} ", layer["name"].as_str().unwrap())), "{name}: {text}");
        }
        assert!(text.contains(preset["reference"].as_str().unwrap()), "{name}");
    }
}

#[test]
fn help_comes_from_the_tables() {
    let folder = Folder::new();
    let listed = listed();
    let visualize = folder.terralume(&["visualize", "--help"]);
    assert_eq!((visualize.code, visualize.err.as_str()), (Some(0), ""));
    assert!(visualize.out.contains("terralume describe NAME"));
    for id in names(&listed, "operations", "id") {
        assert!(visualize.out.contains(&format!("\n  {id} ")), "{id}");
    }
    let render = folder.terralume(&["render", "--help"]).out;
    for name in names(&listed, "presets", "name") {
        assert!(render.contains(&format!("\n  {name} ")), "{name}");
    }
    for option in names(&listed, "options", "name") {
        assert!(visualize.out.contains(&format!("--{option}")) && render.contains(&format!("--{option}")));
    }
    let help = folder.terralume(&["--help"]).out;
    assert!(help.contains("0 done, 1 failed, 2 bad arguments, 3 cancelled"));
    assert!(!help.contains("completions"));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    for arguments in ["list", "list --json", "describe multi_hillshade", "--help", "man", "completions bash"]
    {
        let script = format!("set -o pipefail; '{PROGRAM}' {arguments} | head -c 1 >first");
        let answer = Folder::new().command("bash", &["-c", &script]).output().unwrap();
        assert!(answer.status.success() && answer.stderr.is_empty(), "{arguments}: {answer:?}");
    }
}

#[test]
fn a_full_disk_for_standard_output_is_an_error() {
    let script = format!("'{PROGRAM}' list >/dev/full");
    let folder = Folder::new();
    let answer = folder.command("sh", &["-c", &script]).output().unwrap().into();
    folder.check_refusal(&answer, "list >/dev/full", 1, &["standard output", "No space left"]);
}

#[test]
fn pages_for_packagers() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = folder.terralume(&["completions", shell]);
        assert!(answer.code == Some(0) && answer.out.contains("overviews"), "{shell}");
    }
    assert!(folder.terralume(&["man"]).out.contains("cancelled"));
    assert!(folder.terralume(&["man", "visualize"]).out.contains("overviews"));
    let version = folder.terralume(&["--version"]);
    assert_eq!(version.out, format!("terralume {}\n", terralume::VERSION));
}

#[test]
fn nothing_at_all_shows_help() {
    let answer = Folder::new().terralume(&[]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("visualize"));
}
