//! What cargo cannot know by itself: the C entry of the GDAL plugin, and the name under which programs look for the
//! library.

fn main() {
    c_parts();
    soname();
}

/// Rust cannot ask for a function's return address, nor call a variadic function through a pointer; C can.
fn c_parts() {
    let mut build = cc::Build::new();
    for file in ["src/gdal_plugin/entry.c", "src/gdal/error.c"] {
        println!("cargo:rerun-if-changed={file}");
        build.file(file);
    }
    build.warnings_into_errors(true).compile("terralume_in_c");
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
