//! What cargo cannot know by itself: the C entry of the GDAL plugin, and the name under which programs look for the
//! library.

fn main() {
    plugin_entry();
    soname();
}

/// Rust cannot ask for a function's return address; C can.
fn plugin_entry() {
    println!("cargo:rerun-if-changed=src/gdal_plugin/entry.c");
    let mut entry = cc::Build::new();
    entry.file("src/gdal_plugin/entry.c").warnings_into_errors(true).compile("terralume_plugin_entry");
}

/// Linux programs remember the soname of what they were linked to, and Rust sets none.
fn soname() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("CARGO_CFG_TARGET_OS") == "linux" {
        let major = variable("CARGO_PKG_VERSION_MAJOR");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libterralume.so.{major}");
    }
}
