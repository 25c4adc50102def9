//! Compiles the C entry of the GDAL plugin and names the shared library.

fn main() {
    println!("cargo:rerun-if-changed=src/gdal_plugin/entry.c");
    cc::Build::new()
        .file("src/gdal_plugin/entry.c")
        .warnings_into_errors(true)
        .compile("terralume_plugin_entry");
}
