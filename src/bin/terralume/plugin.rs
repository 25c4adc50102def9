//! `terralume install-gdal-plugin`: lets every GDAL program of a user find the plugin.
//!
//! GDAL looks for plugins in one built-in folder, or instead of it in those of `GDAL_DRIVER_PATH`. The option goes into
//! the user's `gdalrc`, and the built-in folder with it, so that nothing else is lost.

use crate::arguments::text;
use crate::gdalrc::Settings;
use crate::output::{note, print};
use clap::ArgMatches;
use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use terralume::gdal::Gdal;
use terralume::{Error, Result};

/// Name of the plugin's file: GDAL calls `GDALRegister_terralume` in it.
const PLUGIN: &str = "gdal_terralume.so";

/// Where `make install` puts it, below the folder of libraries.
const FOLDER: &str = "terralume/gdalplugins";

/// Writes the option into the user's file, or takes it back.
pub fn install(matches: &ArgMatches) -> Result<()> {
    let file = gdalrc()?;
    let old = read(&file)?;
    let settings = Settings::read(&old);
    let known = settings.driver_path();
    if matches.get_flag("remove") {
        let given = text(matches, "path");
        let ours = if given.is_empty() { None } else { Some(absolute(given)?) };
        return remove(&file, &old, &settings, ours.as_deref());
    }
    let gdal = Gdal::get()?;
    let built_in = built_in_folder(gdal)?;
    let folder = match text(matches, "path") {
        "" if known.is_none() && Path::new(&built_in).join(PLUGIN).exists() => {
            return print(format!("GDAL finds the plugin in {built_in} already; nothing to do\n").as_bytes());
        }
        "" => installed_folder()?,
        given => absolute(given)?,
    };
    check_folder(&folder, gdal)?;
    if known.is_some_and(|known| known.eq_ignore_ascii_case("disable")) {
        let file = file.display();
        return Err(Error::Argument(format!(
            "GDAL_DRIVER_PATH=disable in '{file}' switches plugins off; allowed: folders, or no such line"
        )));
    }
    let before = known.filter(|known| !known.is_empty()).unwrap_or(&built_in);
    let others = before.split(':').filter(|entry| !is_ours(entry, Some(&folder)));
    let value = others.chain([folder.as_str()]).collect::<Vec<_>>().join(":");
    let file_name = file.display();
    let done = if known == Some(&value) {
        format!("GDAL_DRIVER_PATH={value} stands in {file_name} already; nothing to do\n")
    } else {
        write(&file, &settings.with_driver_path(Some(&value)))?;
        format!("wrote GDAL_DRIVER_PATH={value} into {file_name}\n")
    };
    warn();
    print(done.as_bytes())
}

fn remove(file: &Path, old: &str, settings: &Settings<'_>, ours: Option<&str>) -> Result<()> {
    let name = file.display();
    let entries: Vec<&str> = settings.driver_path().unwrap_or_default().split(':').collect();
    let rest: Vec<&str> = entries.iter().copied().filter(|entry| !is_ours(entry, ours)).collect();
    if rest.len() == entries.len() {
        return print(format!("{name} does not name the plugin; nothing to do\n").as_bytes());
    }
    // The built-in folder alone says what GDAL does by itself. Without a GDAL nobody knows which it is.
    let built_in = Gdal::get().and_then(built_in_folder).unwrap_or_default();
    let rest = Some(rest.join(":")).filter(|rest| !rest.is_empty() && *rest != built_in);
    let new = settings.with_driver_path(rest.as_deref());
    if Settings::is_empty(&new) && !Settings::is_empty(old) {
        std::fs::remove_file(file).map_err(|error| fail(file, &error))?;
        return print(format!("removed {name}, which held nothing else\n").as_bytes());
    }
    write(file, &new)?;
    print(format!("took the plugin's folder out of {name}\n").as_bytes())
}

/// What is in the environment wins, and programs that were started elsewhere may not see it.
fn warn() {
    if std::env::var_os("GDAL_DRIVER_PATH").is_some() {
        note("terralume: the environment variable GDAL_DRIVER_PATH is set, and wins over the file");
    }
    if std::env::var_os("GDAL_CONFIG_FILE").is_some() {
        note("terralume: the environment variable GDAL_CONFIG_FILE is set: GDAL reads that file instead");
    }
}

fn gdalrc() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| Error::Output("HOME is not set; allowed: the user's folder".into()))?;
    let file = Path::new(&home).join(".gdal/gdalrc");
    // A link, as those who keep their settings elsewhere have it, stays one.
    Ok(file.canonicalize().unwrap_or(file))
}

fn read(file: &Path) -> Result<String> {
    match std::fs::read(file) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|_| Error::Input(format!("'{}' is not UTF-8; allowed: UTF-8", file.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::Input(format!("cannot read '{}': {error}", file.display()))),
    }
}

fn fail(file: &Path, error: &std::io::Error) -> Error {
    Error::Output(format!("cannot write '{}': {error}", file.display()))
}

/// Beside its place, then renamed: a file half written would change what GDAL does everywhere.
fn write(file: &Path, content: &str) -> Result<()> {
    let fail = |error: std::io::Error| fail(file, &error);
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).map_err(fail)?;
    let permissions = file.metadata().map(|old| old.permissions());
    let permissions = permissions.unwrap_or_else(|_| Permissions::from_mode(0o666));
    let mut builder = tempfile::Builder::new();
    let mut new = builder.prefix(".gdalrc-").permissions(permissions).tempfile_in(folder).map_err(fail)?;
    new.write_all(content.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(fail)?;
    new.persist(file).map_err(|error| fail(error.error)).map(drop)
}

/// Whether an entry is the folder of this or another installation of ours.
fn is_ours(entry: &str, folder: Option<&str>) -> bool {
    let entry = entry.trim_end_matches('/');
    entry.ends_with(&format!("/{FOLDER}")) || folder == Some(entry)
}

fn absolute(folder: &str) -> Result<String> {
    let refuse = |reason: &str| {
        Error::Argument(format!("--path '{folder}' {reason}; allowed: a folder with {PLUGIN}"))
    };
    let full = Path::new(folder).canonicalize();
    let full = full.or_else(|_| std::path::absolute(folder)).map_err(|error| refuse(&error.to_string()))?;
    let full = full.to_str().ok_or_else(|| refuse("is not UTF-8"))?.to_string();
    if full.contains([':', '\n']) {
        return Err(refuse("contains a colon, which separates folders there"));
    }
    Ok(full)
}

/// The folder beside the library that was installed with this program: `bin/terralume`, and `lib`, `lib64` or a folder
/// of Debian's such as `lib/x86_64-linux-gnu`.
fn installed_folder() -> Result<String> {
    let program = std::env::current_exe().and_then(|program| program.canonicalize());
    let program = program.map_err(|error| Error::Input(format!("cannot find this program: {error}")))?;
    let prefix = program.parent().and_then(Path::parent).unwrap_or(&program);
    let mut libraries = vec![prefix.join("lib"), prefix.join("lib64")];
    for entry in std::fs::read_dir(prefix.join("lib")).into_iter().flatten().flatten() {
        libraries.push(entry.path());
    }
    let folders = libraries.into_iter().map(|library| library.join(FOLDER));
    let found = folders.into_iter().find(|folder| folder.join(PLUGIN).exists());
    match found {
        Some(folder) => absolute(&folder.to_string_lossy()),
        None => Err(Error::Input(format!(
            "no {FOLDER}/{PLUGIN} in '{}'; allowed: what make install leaves, or --path FOLDER with {PLUGIN}",
            prefix.join("lib").display()
        ))),
    }
}

fn check_folder(folder: &str, gdal: &Gdal) -> Result<()> {
    if !Path::new(folder).join(PLUGIN).exists() {
        return Err(Error::Argument(format!("'{folder}' has no {PLUGIN}; allowed: a folder with {PLUGIN}")));
    }
    let version = gdal.version();
    let own = format!("{}.{}", version / 1_000_000, version / 10_000 % 100);
    let inner = Path::new(folder).join(&own);
    if inner.is_dir() && !inner.join(PLUGIN).exists() {
        return Err(Error::Argument(format!(
            "'{folder}' has a folder {own}, which GDAL {own} reads instead; allowed: {PLUGIN} in there as well"
        )));
    }
    Ok(())
}

/// GDAL's own folder of plugins. It stands in the library as a text, and nowhere else; by default it is beside the
/// library.
fn built_in_folder(gdal: &Gdal) -> Result<String> {
    let unknown = || Error::NoGdal("cannot find GDAL's library and its plugins".into());
    let library = gdal.library().and_then(|library| library.canonicalize().ok()).ok_or_else(unknown)?;
    let bytes = std::fs::read(&library).unwrap_or_default();
    const NAME: &[u8] = b"/gdalplugins\0";
    let mut places = bytes.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME);
    let named = places.find_map(|(place, _)| {
        let start = bytes[..place].iter().rposition(|byte| *byte == 0)? + 1;
        let text = std::str::from_utf8(&bytes[start..place + NAME.len() - 1]).ok()?;
        (text.starts_with('/') && !text.contains(':')).then(|| text.to_string())
    });
    let beside = || library.parent().map(|folder| folder.join("gdalplugins").to_string_lossy().into_owned());
    named.or_else(beside).ok_or_else(unknown)
}
