//! The library as a GDAL plugin: found through `GDAL_DRIVER_PATH`, silent, and it knows which GDAL called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The shared library that cargo built beside this test.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join("libterralume.so")
}

fn plugin_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(library(), folder.path().join("gdal_terralume.so")).unwrap();
    folder
}

#[test]
fn gdal_loads_the_library_without_a_word() {
    let folder = plugin_folder();
    let run = |path: &Path| {
        let mut command = Command::new("gdalinfo");
        command.arg("--formats").env("GDAL_DRIVER_PATH", path).env("CPL_DEBUG", "ON").output().unwrap()
    };
    let loaded = run(folder.path());
    let messages = String::from_utf8_lossy(&loaded.stderr);
    assert!(loaded.status.success());
    assert!(messages.contains("GDALRegister_terralume") || messages.contains("Auto register"), "{messages}");
    assert!(!messages.contains("ERROR"), "{messages}");
    let quiet = Command::new("gdalinfo")
        .arg("tests/data/TM1_564_146.tif")
        .env("GDAL_DRIVER_PATH", folder.path())
        .output()
        .unwrap();
    assert!(quiet.status.success() && quiet.stderr.is_empty());
}

#[test]
fn the_library_is_not_linked_to_gdal() {
    let needed = Command::new("readelf").arg("-d").arg(library()).output().unwrap();
    let needed = String::from_utf8_lossy(&needed.stdout).into_owned();
    assert!(needed.contains("NEEDED") && !needed.contains("libgdal"), "{needed}");
}

/// Makes a shared library of C code and gives its path.
fn compile(folder: &Path, name: &str, code: &str, arguments: &[&str]) -> PathBuf {
    let (source, made) = (folder.join("code.c"), folder.join(name));
    std::fs::write(&source, code).unwrap();
    let mut command = Command::new("cc");
    let status = command.args(["-Wall", "-Werror", "-o"]).arg(&made).arg(&source).args(arguments).status();
    assert!(status.unwrap().success(), "{name}");
    made
}

/// The one line that the program says, and gives up.
fn refusal(variable: &str, path: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terralume"));
    command.args(["visualize", "slope", "tests/data/TM1_564_146.tif", "/no/folder.tif"]);
    let output = command.env_remove("TERRALUME_GDAL").env(variable, path).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.lines().count() == 1, "{said}");
    said
}

const OLD_GDAL: &str = r#"
#include <string.h>
const char *GDALVersionInfo(const char *request) {
    return strcmp(request, "VERSION_NUM") ? "3.4.3" : "3040300";
}
"#;

#[test]
fn a_gdal_before_3_5_is_refused_by_its_release() {
    let folder = tempfile::tempdir().unwrap();
    let old = compile(folder.path(), "libgdal-old.so", OLD_GDAL, &["-shared", "-fPIC"]);
    let said = refusal("TERRALUME_GDAL", &old);
    assert!(said.contains("GDAL 3.4.3 is too old; allowed: 3.5 or newer"), "{said}");
    let said = refusal("TERRALUME_GDAL", &folder.path().join("code.c"));
    assert!(said.contains("code.c' is not a GDAL library"), "{said}");
}

/// As a plugin in a GDAL that is too old: that GDAL hears of it, once, and goes on.
#[test]
fn an_old_gdal_hears_why_its_plugin_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let register = r#"
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
void CPLError(int class, int number, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("class %d, number %d: ", class, number);
    vprintf(format, arguments);
    va_end(arguments);
}
void GDALAllRegister(const char *path) {
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void (*entry)(void) = (void (*)(void))dlsym(plugin, "GDALRegister_terralume");
    entry();
    puts("; started");
}
"#;
    let old =
        compile(folder.path(), "libgdal.so.30", &format!("{OLD_GDAL}{register}"), &["-shared", "-fPIC"]);
    let program = r#"
void GDALAllRegister(const char *path);
int main(int count, char **arguments) {
    GDALAllRegister(arguments[count - 1]);
    return 0;
}
"#;
    let program = compile(folder.path(), "program", program, &[old.to_str().unwrap()]);
    let output = Command::new(program).arg(library()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.starts_with("class 3, number 1: terralume: ") && said.ends_with("; started\n"), "{said}");
    assert_eq!(said.matches("GDAL 3.4.3 is too old; allowed: 3.5 or newer").count(), 1, "{said}");
}

/// Every name under which a system may have GDAL leads to something else here.
#[test]
fn no_gdal_at_all_is_one_error() {
    let folder = tempfile::tempdir().unwrap();
    let other = compile(folder.path(), "libgdal.so", "int other;", &["-shared", "-fPIC"]);
    for number in 31..=45 {
        std::fs::copy(&other, folder.path().join(format!("libgdal.so.{number}"))).unwrap();
    }
    let said = refusal("LD_LIBRARY_PATH", folder.path());
    assert!(
        said.contains("no GDAL library found; install GDAL 3.5 or newer, or set TERRALUME_GDAL"),
        "{said}"
    );
}
