//! What the README tells people to type works.

use std::path::Path;
use std::process::Command;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// Lines of all code blocks of one language.
fn code(language: &str) -> Vec<String> {
    let text = readme();
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(language));
    blocks.flat_map(str::lines).map(String::from).filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn commands_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::os::unix::fs::symlink(root.join("tests"), folder.path().join("tests")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_terralume")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let commands: Vec<String> =
        code("sh").into_iter().filter(|line| line.starts_with("terralume ")).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let mut shell = Command::new("sh");
        let said =
            shell.args(["-c", &command]).env("PATH", &path).current_dir(folder.path()).output().unwrap();
        assert!(said.status.success(), "{command}: {}", String::from_utf8_lossy(&said.stderr));
    }
    for output in ["svf.tif", "vat.tif"] {
        assert!(folder.path().join(output).exists(), "{output}");
    }
}

/// `make test` itself runs `make demo`; here only that the targets exist.
#[test]
fn targets_exist() {
    let makefile = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Makefile")).unwrap();
    for line in code("sh").iter().filter(|line| line.starts_with("make ")) {
        let target = line.split_whitespace().nth(1).unwrap();
        assert!(makefile.contains(&format!("\n{target}:")), "{line}");
    }
}

#[test]
fn functions_of_the_c_example_are_in_the_header() {
    let header = include_str!("../include/terralume.h");
    let code = code("c\n").join("\n");
    let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
    let names: Vec<&str> = words.filter(|word| word.starts_with("terralume_")).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        assert!(header.contains(name), "{name}");
    }
}

#[test]
fn every_operation_and_preset_is_shown() {
    let text = readme();
    let operations = terralume::registry::operations().iter().map(|operation| operation.id);
    for name in operations.chain(terralume::recipe::preset_names()) {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn links_lead_somewhere() {
    let text = readme();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for target in targets.filter(|target| !target.starts_with("http")) {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(target).exists(), "{target}");
    }
}
