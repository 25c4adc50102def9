//! What cargo cannot know by itself: the name under which programs look for the library.

fn main() {
    soname();
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
