//! What a job leaves behind: a whole file, or nothing.

mod common;

use common::files::{path_text, read_raster, translate, write_raw};
use common::{recipe, rough};
use ndarray::Array2;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use terralume::{Error, Format, Input, Job, JobOptions};

/// An input of 300 x 300 cells and an empty folder for outputs.
struct Place {
    _folder: TempDir,
    input: PathBuf,
    outputs: PathBuf,
}

fn place(cells: &Array2<f64>) -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let raw = write_raw(folder.path(), "raw", cells, 1.0);
    let input = translate(&raw, "in.tif", &["-ot", "Float32", "-a_nodata", "-9999"]);
    let outputs = folder.path().join("outputs");
    std::fs::create_dir(&outputs).expect("a folder");
    Place { _folder: folder, input, outputs }
}

impl Place {
    fn job(&self, options: JobOptions) -> Job {
        let options = JobOptions { threads: Some(2), tile_size: Some(64), ..options };
        let output = path_text(&self.outputs.join("out.tif")).to_string();
        let input = Input::Path(path_text(&self.input).into());
        Job::new(recipe("sky_view_factor", &[]), input, output, options)
    }

    fn names(&self) -> Vec<String> {
        let files = self.outputs.read_dir().expect("the folder");
        let mut names: Vec<_> =
            files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn heights() -> Array2<f64> {
    rough(300, 300).mapv(f64::from)
}

fn quiet() -> AtomicBool {
    AtomicBool::new(false)
}

fn formats() -> [JobOptions; 2] {
    [Format::GTiff, Format::Cog].map(|format| JobOptions { format: Some(format), ..JobOptions::default() })
}

/// Stops a job at the first report from `share` on, by answer and by flag.
fn stop_at(job: &Job, share: f64) {
    let result = job.run(&mut |done, _| done < share, &quiet());
    assert_eq!(result, Err(Error::Cancelled), "by answer at {share}");
    let flag = quiet();
    let mut report = |done: f64, _: &str| {
        flag.store(done >= share, Ordering::Relaxed);
        true
    };
    assert_eq!(job.run(&mut report, &flag), Err(Error::Cancelled), "by flag at {share}");
}

/// A budget that is enough for one thread is enough for whoever asks for no number of threads.
#[test]
fn threads_nobody_asked_for_go_when_memory_is_short() {
    let place = place(&heights());
    let plan = |threads: Option<usize>, memory: usize| {
        let mut job = place.job(JobOptions::default());
        job.options = JobOptions { threads, memory: Some(memory), ..JobOptions::default() };
        job.plan()
    };
    let fits = |threads: Option<usize>, mib: usize| plan(threads, mib << 20).is_ok();
    let least = (48..400).find(|mib| fits(Some(1), *mib)).expect("enough for one thread");
    assert!(!fits(Some(64), least), "the test proves nothing");
    assert!(fits(None, least));
}

#[test]
fn a_cancelled_job_leaves_nothing() {
    let place = place(&heights());
    for options in formats() {
        for share in [0.0, 0.5, 0.9] {
            stop_at(&place.job(options.clone()), share);
            assert!(place.names().is_empty(), "{:?} after {share}", place.names());
        }
    }
}

#[test]
fn a_cancelled_job_keeps_the_file_it_was_to_replace() {
    let place = place(&heights());
    let existing = place.outputs.join("out.tif");
    std::fs::write(&existing, "precious").expect("room for a test file");
    let job = place.job(JobOptions { overwrite: true, ..JobOptions::default() });
    stop_at(&job, 0.5);
    assert_eq!(std::fs::read_to_string(&existing).expect("still there"), "precious");
    assert_eq!(place.names(), ["out.tif"]);
    let refused = place.job(JobOptions::default()).run(&mut |_, _| true, &quiet());
    assert!(matches!(refused, Err(Error::Output(_))));
    assert_eq!(std::fs::read_to_string(&existing).expect("still there"), "precious");
}

#[test]
fn a_finished_job_leaves_its_file_alone() {
    let place = place(&heights());
    let mut results = Vec::new();
    for options in formats() {
        let job = place.job(JobOptions { overwrite: true, ..options });
        job.run(&mut |_, _| true, &quiet()).expect("nothing fails");
        assert_eq!(place.names(), ["out.tif"]);
        results.push(read_raster(Path::new(&job.pictures[0].output)));
    }
    assert!(results[0] == results[1], "formats hold the same values");
}

#[test]
fn a_raster_of_nodata_is_an_error_and_leaves_nothing() {
    let place = place(&Array2::from_elem((300, 300), -9999.0));
    let error = place.job(JobOptions::default()).run(&mut |_, _| true, &quiet()).expect_err("no data");
    assert!(matches!(&error, Error::Input(text) if text.contains("every cell is nodata")), "{error}");
    assert!(place.names().is_empty());
}

#[test]
fn reports_of_a_job_rise_to_one_on_the_callers_thread() {
    let place = place(&heights());
    for options in formats() {
        let (own, mut shares) = (std::thread::current().id(), Vec::new());
        let mut report = |share: f64, stage: &str| {
            assert_eq!(std::thread::current().id(), own);
            assert!(!stage.is_empty());
            shares.push(share);
            true
        };
        let job = place.job(JobOptions { overwrite: true, ..options });
        job.run(&mut report, &quiet()).expect("nothing fails");
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
        assert_eq!((shares.first(), shares.last()), (Some(&0.0), Some(&1.0)));
    }
}
