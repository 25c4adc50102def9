//! What is printed: results on standard output, everything else on standard error.

use indicatif::BinaryBytes;
use std::io::{stderr, stdout, BufWriter, ErrorKind, Write};
use terralume::job::Timing;
use terralume::{Error, Result};

/// Prints a result. A reader that closes early, such as `head`, is no error.
pub fn print(text: &[u8]) -> Result<()> {
    print_with(|out| out.write_all(text))
}

/// The same for text that is made while it is printed.
pub fn print_with(text: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    match text(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Output(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints JSON for scripts.
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    print(format!("{value:#}\n").as_bytes())
}

/// One line on standard error; `eprintln!` would panic when nobody listens.
pub fn note(text: &str) {
    let _ = writeln!(stderr().lock(), "{}", text.replace(['\n', '\r'], " "));
}

/// One screen on where the time went.
pub fn note_timing(timing: &Timing) {
    let Timing { wall, cells, threads, read, decoded, peak } = timing;
    let (speed, peak) = (|count: f64| count / 1e6 / wall.max(1e-9), BinaryBytes(*peak));
    let (bytes, cells) = (speed(*read as f64), speed(*cells as f64));
    note(&format!(
        "{wall:.2} s, {bytes:.0} MB/s (input, uncompressed), {cells:.1} million cells/s, each cell read {decoded:.2} times, \
         peak {peak}"
    ));
    let all: f64 = threads.iter().map(|(_, seconds)| seconds).sum();
    for (what, seconds) in threads {
        let share = 100.0 * seconds / all.max(1e-9);
        note(&format!("{what:8} {seconds:8.2} thread-seconds, {share:3.0} %"));
    }
}

/// The line that says why nothing was done.
pub fn error(text: &str) {
    note(&format!("terralume: error: {text}"));
}

/// Rows of cells in columns that line up.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
    let widths: Vec<usize> =
        (0..columns).map(|column| rows.iter().map(|row| length(row, column)).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("  {cell:width$}"));
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
    }
    text
}

/// JSON as people write it: text without quotes.
pub fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `1 band`, `2 bands`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
