//! Generated pages are what the library says today.

use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// `TERRALUME_BLESS=1` writes the page instead; `make docs` does, and makes the pictures.
#[test]
fn the_reference_page_is_current() {
    let page = terralume::job::reference().unwrap();
    let path = docs().join("operations.md");
    if std::env::var_os("TERRALUME_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/operations.md is not current: run make docs");
}

#[test]
fn every_picture_is_there() {
    let page = std::fs::read_to_string(docs().join("operations.md")).unwrap();
    let pictures = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let missing: Vec<&str> = pictures.filter(|picture| !docs().join(picture).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
