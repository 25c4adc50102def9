//! The Python of `scripts/python-env.sh`.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// What the script prints.
pub fn environment(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/python-env.sh");
    let output = Command::new(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A Python with osgeo, rasterio and pyogrio.
pub fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| environment(&[]).trim().into())
}
