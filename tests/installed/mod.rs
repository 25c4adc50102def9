//! The library as `make install` leaves it, for the tests that use it from outside.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where this source tree stands.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command to success and gives what it said.
pub fn run(command: &mut Command) -> String {
    let result = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [result.stdout, result.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(result.status.success(), "{command:?}: {}\n{said}", result.status);
    said
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().into()
}

/// Name of the profile under which the tests were built.
pub fn profile() -> String {
    // target/<profile>/deps/<program>
    let program = std::env::current_exe().unwrap();
    let name = program.ancestors().nth(2).and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
    if name == "debug" {
        "dev".into()
    } else {
        name
    }
}

/// An installed tree of what cargo has built already, under a name with a blank in it.
pub fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        // Each test program has a tree of its own: they may run at the same time.
        let prefix =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(concat!(env!("CARGO_CRATE_NAME"), " installed"));
        let _ = std::fs::remove_dir_all(&prefix);
        run(Command::new("make")
            .current_dir(root())
            .args(["install", &format!("PROFILE={}", profile()), &format!("PREFIX={}", prefix.display())])
            .env("CARGO", env!("CARGO"))
            .env("CARGO_TARGET_DIR", target()));
        prefix
    })
}
