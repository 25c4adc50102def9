//! Ctrl-C and requests to end.

use super::support::{Folder, PROGRAM};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A long run, stopped by `signal` once it has begun. That it ends as cancelled and not as done shows that it stopped
/// before its end; how soon is a question for a clock, which a busy machine answers wrongly.
fn stopped_by(signal: &str, more: &[&str]) {
    let folder = Folder::with_dem(400);
    let large = ["-q", "-of", "VRT", "-outsize", "20000", "20000", "dem.tif", "large.vrt"];
    folder.gdal("gdal_translate", &large);
    let before = folder.snapshot();
    let arguments = [&["visualize", "svf", "large.vrt", "out.tif", "-p", "radius=100"], more].concat();
    let mut command = folder.command(PROGRAM, &arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while folder.snapshot().len() == before.len() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the run does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    folder.gdal("kill", &[&format!("-{signal}"), &child.id().to_string()]);
    let answer = child.wait_with_output().unwrap().into();
    folder.check_refusal(&answer, signal, 3, &["cancelled"]);
    assert!(folder.snapshot() == before, "{signal} left {:?}", folder.snapshot().keys());
}

#[test]
fn control_c_leaves_nothing() {
    stopped_by("INT", &[]);
}

/// The rest of the file, 1.5 GB, is not filled up.
#[test]
fn control_c_without_compression() {
    stopped_by("INT", &["--co", "COMPRESS=NONE"]);
}

#[test]
fn a_request_to_end_leaves_nothing() {
    stopped_by("TERM", &["--format", "COG", "--quiet"]);
}

/// `nohup terralume …` goes on when the terminal is closed.
#[test]
fn a_run_under_nohup_goes_on() {
    let folder = Folder::with_dem(400);
    folder
        .gdal("gdal_translate", &["-q", "-of", "VRT", "-outsize", "20000", "20000", "dem.tif", "large.vrt"]);
    let script = format!("trap '' HUP; exec '{PROGRAM}' visualize svf large.vrt out.tif -p radius=100");
    let mut child = folder.command("bash", &["-c", &script]).spawn().unwrap();
    let begun = Instant::now();
    while folder.snapshot().len() == 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the run does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    folder.gdal("kill", &["-HUP", &child.id().to_string()]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none(), "the run has ended");
    child.kill().unwrap();
    child.wait().unwrap();
}
