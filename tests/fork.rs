//! A child that is forked after a run can run as well: Python's multiprocessing does exactly that.
//!
//! In a file of its own, because a fork takes only the calling thread along: no other test may hold a lock.
#![cfg(unix)]

mod common;

use common::files::{path_text, translate, write_raw};
use common::{recipe, rough};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use terralume::{Input, Job, JobOptions};

/// A child that hangs is ended after this time; one that works needs a hundredth.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(input: &Path, output: &Path) -> terralume::Result<()> {
    let options = JobOptions { threads: Some(2), tile_size: Some(64), ..JobOptions::default() };
    let input = Input::Path(path_text(input).into());
    let job = Job::new(recipe("vat", &[]), input, path_text(output).into(), options);
    job.run(&mut |_, _| true, &AtomicBool::new(false))
}

/// The child's exit status; None when it had to be ended.
fn wait(child: libc::pid_t) -> Option<i32> {
    let start = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: our own child; the place for its status is live.
        if unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == child {
            return Some(status);
        }
        if start.elapsed() > PATIENCE {
            // SAFETY: our own child, not yet waited for.
            unsafe {
                libc::kill(child, libc::SIGKILL);
                libc::waitpid(child, &mut status, 0);
            }
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_forked_child_can_run_after_its_parent_has() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let raw = write_raw(folder.path(), "raw", &rough(300, 300).mapv(f64::from), 1.0);
    let input = translate(&raw, "in.tif", &["-ot", "Float32"]);
    let outputs = ["parent.tif", "child.tif", "again.tif"].map(|name| folder.path().join(name));
    run(&input, &outputs[0]).expect("the parent runs");
    // SAFETY: the child runs one job and leaves without unwinding into the test harness.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = i32::from(run(&input, &outputs[1]).is_err());
        // SAFETY: ends the child at once; nothing of the parent's is cleaned up twice.
        unsafe { libc::_exit(code) };
    }
    assert!(child > 0, "cannot fork");
    assert_eq!(wait(child), Some(0), "None: the child hung");
    run(&input, &outputs[2]).expect("the parent runs again");
    let bytes = outputs.map(|path| std::fs::read(path).expect("an output"));
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
}
