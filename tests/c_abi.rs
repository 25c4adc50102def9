//! The C interface as C and C++ programs see it: installed, found, compiled, linked, run.

mod installed;

use installed::{prefix, profile, root, run, target};
use std::path::{Path, PathBuf};
use std::process::Command;

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-Wpedantic"];
const C99: [&str; 2] = ["-xc", "-std=c99"];
const CPP17: [&str; 2] = ["-xc++", "-std=c++17"];
const SANITIZED: [&str; 3] = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_abi").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    // pkg-config escapes blanks for the shell.
    let said = run(command.args(arguments)).trim().replace("\\ ", "\u{1}");
    said.split_whitespace().map(|word| word.replace('\u{1}', " ")).collect()
}

fn elevations() -> PathBuf {
    root().join("tests/data/TM1_564_146.tif")
}

/// Compiles a source file with what pkg-config says, and runs it.
fn compile_and_run(name: &str, source: &str, options: &[&[&str]], libraries: &[String], arguments: &[&Path]) {
    let folder = folder(name);
    let program = folder.join("program");
    let mut command = Command::new("cc");
    command.args(options.concat()).args(STRICT).arg(root().join(source)).args(["-xnone", "-o"]).arg(&program);
    // One compiler for both languages, so C++ must name its library.
    command.args(libraries).args(["-lstdc++", "-lm", "-pthread"]);
    run(command.arg(format!("-Wl,-rpath,{}", prefix().join("lib").display())));
    run(Command::new(&program).args(arguments).arg(&folder).current_dir(&folder));
}

fn shared() -> Vec<String> {
    pkg_config(&["--cflags", "--libs", "terralume"])
}

/// GDAL's headers do not compile as pedantically as ours.
fn shared_and_gdal() -> Vec<String> {
    let gdal = pkg_config(&["--cflags", "--libs", "gdal"]);
    let gdal = gdal.into_iter().map(|word| word.replacen("-I", "-isystem", 1));
    shared().into_iter().chain(gdal).collect()
}

#[test]
fn arrays_from_c() {
    compile_and_run("arrays_c", "tests/c_abi/arrays.c", &[&C99], &shared(), &[]);
}

#[test]
fn arrays_from_cpp() {
    compile_and_run("arrays_cpp", "tests/c_abi/arrays.c", &[&CPP17], &shared(), &[]);
}

#[test]
fn arrays_sanitized() {
    compile_and_run("arrays_asan", "tests/c_abi/arrays.c", &[&C99, &SANITIZED], &shared(), &[]);
}

#[test]
fn runs_into_memory() {
    let dem = elevations();
    compile_and_run("memory_c", "tests/c_abi/memory.c", &[&C99], &shared(), &[&dem]);
    compile_and_run("memory_asan", "tests/c_abi/memory.c", &[&CPP17, &SANITIZED], &shared(), &[&dem]);
}

#[test]
fn arrays_linked_statically() {
    let mut libraries = pkg_config(&["--static", "--cflags", "--libs", "terralume"]);
    for word in &mut libraries {
        if word == "-lterralume" {
            *word = "-l:libterralume.a".into();
        }
    }
    compile_and_run("arrays_static", "tests/c_abi/arrays.c", &[&C99], &libraries, &[]);
}

#[test]
fn jobs_from_c() {
    compile_and_run("jobs_c", "tests/c_abi/jobs.c", &[&C99], &shared(), &[&elevations()]);
}

#[test]
fn jobs_from_cpp() {
    compile_and_run("jobs_cpp", "tests/c_abi/jobs.c", &[&CPP17], &shared(), &[&elevations()]);
}

#[test]
fn jobs_sanitized() {
    compile_and_run("jobs_asan", "tests/c_abi/jobs.c", &[&C99, &SANITIZED], &shared(), &[&elevations()]);
}

#[test]
fn stacks_from_c() {
    compile_and_run("stacks_c", "tests/c_abi/stacks.c", &[&C99], &shared(), &[&elevations()]);
}

#[test]
fn stacks_from_cpp() {
    compile_and_run("stacks_cpp", "tests/c_abi/stacks.c", &[&CPP17], &shared(), &[&elevations()]);
}

#[test]
fn stacks_sanitized() {
    compile_and_run("stacks_asan", "tests/c_abi/stacks.c", &[&C99, &SANITIZED], &shared(), &[&elevations()]);
}

#[test]
fn arrays_and_datasets_give_the_same_bits() {
    let libraries = shared_and_gdal();
    compile_and_run("levels_c", "tests/c_abi/levels.c", &[&C99], &libraries, &[&elevations()]);
}

#[test]
fn arrays_and_datasets_sanitized() {
    let libraries = shared_and_gdal();
    compile_and_run(
        "levels_asan",
        "tests/c_abi/levels.c",
        &[&CPP17, &SANITIZED],
        &libraries,
        &[&elevations()],
    );
}

/// Configures and builds a CMake project against the installed package.
fn cmake(source: &Path, build: &Path) {
    run(Command::new("cmake")
        .args(["-S".as_ref(), source.as_os_str(), "-B".as_ref(), build.as_os_str()])
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()))
        .args(["-DCMAKE_C_FLAGS=-Wall -Wextra -Werror", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"]));
    run(Command::new("cmake").arg("--build").arg(build));
}

#[test]
fn the_c_example_runs() {
    let build = folder("example_c");
    cmake(&root().join("examples/c"), &build);
    let output = build.join("vat.tif");
    let said = run(Command::new(build.join("vat")).arg(elevations()).arg(&output));
    assert!(said.contains("100 %") && output.exists(), "{said}");
    let failed = Command::new(build.join("vat")).args(["none.tif", "out.tif"]).output().unwrap();
    assert!(!failed.status.success() && String::from_utf8_lossy(&failed.stderr).contains("none.tif"));
}

#[test]
fn the_cpp_example_runs() {
    let build = folder("example_cpp");
    cmake(&root().join("examples/cpp"), &build);
    let said = run(&mut Command::new(build.join("slope_array")));
    assert!(said.contains("agree"), "{said}");
}

#[test]
fn cmake_links_both_libraries_and_checks_the_version() {
    let folder = folder("cmake");
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(both LANGUAGES C)\n\
         find_package(Terralume 99.0 QUIET)\n\
         if(Terralume_FOUND)\nmessage(FATAL_ERROR \"99.0 accepted\")\nendif()\n\
         find_package(Terralume {version} EXACT REQUIRED)\n\
         foreach(kind terralume terralume-static)\n\
         add_executable(with-${{kind}} {source})\n\
         target_link_libraries(with-${{kind}} PRIVATE Terralume::${{kind}} m pthread)\n\
         endforeach()\n",
        version = env!("CARGO_PKG_VERSION"),
        source = root().join("tests/c_abi/arrays.c").display(),
    );
    std::fs::write(folder.join("CMakeLists.txt"), text).unwrap();
    let build = folder.join("build");
    cmake(&folder, &build);
    run(&mut Command::new(build.join("with-terralume")));
    run(&mut Command::new(build.join("with-terralume-static")));
}

#[test]
fn the_installed_tree_can_be_moved_and_staged() {
    let folder = folder("staged");
    prefix(); // Builds: here only the second half of `make install` is run.
    run(Command::new("sh")
        .arg(root().join("cmake/install.sh"))
        .args([&profile(), "/usr", "lib/some-arch"])
        .arg(&folder)
        .env("CARGO_TARGET_DIR", target()));
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", folder.join("usr/lib/some-arch/pkgconfig"));
    let header = run(command.args(["--variable=includedir", "terralume"]));
    assert!(Path::new(header.trim()).join("terralume.h").exists(), "{header}");
    for link in
        ["libterralume.so", "libterralume.so.0", "libterralume.a", "terralume/gdalplugins/gdal_terralume.so"]
    {
        assert!(folder.join("usr/lib/some-arch").join(link).exists(), "{link}");
    }
    let said =
        std::fs::read_to_string(folder.join("usr/lib/some-arch/cmake/Terralume/TerralumeConfig.cmake"));
    assert!(said.unwrap().contains("/../../../..\" ABSOLUTE"));
}
