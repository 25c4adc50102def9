//! Generated pages are what the library says today.

use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// `TERRALUME_BLESS=1` writes the page instead; `make docs` and `make gallery` do, and make the pictures.
fn check_page(name: &str, page: &str) {
    let path = docs().join(name);
    if std::env::var_os("TERRALUME_BLESS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/{name} is not current: run make docs");
    let pictures = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let missing: Vec<&str> = pictures.filter(|picture| !docs().join(picture).exists()).collect();
    assert!(missing.is_empty(), "{name}: {missing:?}");
}

#[test]
fn the_reference_page_is_current_and_has_its_pictures() {
    check_page("operations.md", &terralume::job::reference().unwrap());
}

#[test]
fn the_reference_page_of_band_maths_is_current() {
    check_page("band_maths.md", &terralume::stack::reference());
}

#[test]
fn the_gallery_is_current_and_has_its_pictures() {
    check_page("gallery.md", &terralume::job::gallery().unwrap());
}
