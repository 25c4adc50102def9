//! `include/terralume.h` says what src/ffi says. `TERRALUME_BLESS=1 cargo test --test header` rewrites it.

use std::path::{Path, PathBuf};

/// Files in the order in which a reader of the header wants them; all of src/ffi that exports something.
const FILES: [&str; 11] =
    ["status", "library", "gdal", "grid", "recipe", "chain", "job", "stack", "map", "memory", "expression"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Macros from Cargo.toml, so that no version is typed twice.
fn version_macros() -> String {
    let parts = [
        ("VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR").to_string()),
        ("VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR").to_string()),
        ("VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH").to_string()),
        ("VERSION", format!("\"{}\"", env!("CARGO_PKG_VERSION"))),
    ];
    let lines = parts.map(|(name, value)| format!("#define TERRALUME_{name} {value}\n"));
    format!("\n/* Version of this header; terralume_version() is that of the library. */\n{}", lines.concat())
}

fn generate() -> String {
    let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    config.after_includes = Some(version_macros());
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(root().join("src/ffi").join(file).with_extension("rs"));
    }
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_header_is_up_to_date() {
    let path = root().join("include/terralume.h");
    let expected = generate();
    if std::env::var_os("TERRALUME_BLESS").is_some() {
        std::fs::create_dir_all(root().join("include")).unwrap();
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "run: TERRALUME_BLESS=1 cargo test --test header");
}

#[test]
fn every_file_that_exports_something_is_in_the_header() {
    let exports = |path: &PathBuf| std::fs::read_to_string(path).unwrap().contains("#[no_mangle]");
    let files = std::fs::read_dir(root().join("src/ffi")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        files.filter(exports).map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect();
    found.sort();
    let mut listed = FILES.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

#[test]
fn the_page_on_c_shows_the_example_that_is_built() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let (page, example) = (read("docs/c_api.md"), read("examples/c/vat.c"));
    let code = &example[example.find("#include").unwrap()..];
    assert!(page.contains(code), "docs/c_api.md must hold examples/c/vat.c");
}
