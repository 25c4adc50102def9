//! `install-gdal-plugin`: GDAL's programs find the plugin with nothing but a home folder.

use super::support::{hill, Answer, Folder};
use std::path::Path;

/// With a raster, a VRT that uses a pixel function, the plugin in `plugins`, and a home folder `home`.
fn folder() -> Folder {
    let folder = Folder::with_grid(&hill(8, 8));
    for name in ["home", "plugins"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    let library = std::env::current_exe().unwrap().parent().unwrap().join("libterralume.so");
    std::os::unix::fs::symlink(library, folder.path("plugins/gdal_terralume.so")).unwrap();
    let source =
        r#"<SimpleSource><SourceFilename relativeToVRT="1">grid.asc</SourceFilename></SimpleSource>"#;
    let text = format!(
        r#"<VRTDataset rasterXSize="8" rasterYSize="8">
        <VRTRasterBand dataType="Float32" band="1" subClass="VRTDerivedRasterBand">
        <PixelFunctionType>terralume_normalize</PixelFunctionType>
        <PixelFunctionArguments min="99" max="101"/>
        <SourceTransferType>Float32</SourceTransferType>{source}{source}</VRTRasterBand></VRTDataset>"#
    );
    folder.write("grey.vrt", text.as_bytes());
    folder
}

fn install(folder: &Folder, arguments: &[&str]) -> Answer {
    let mut command =
        folder.command(super::support::PROGRAM, &[&["install-gdal-plugin"], arguments].concat());
    command.env("HOME", folder.path("home")).env_remove("GDAL_DRIVER_PATH").output().unwrap().into()
}

/// What plain `gdalinfo` says of the VRT.
fn gdalinfo(folder: &Folder) -> Answer {
    let mut command = folder.command("gdalinfo", &["-mm", "grey.vrt"]);
    command.env("HOME", folder.path("home")).env_remove("GDAL_DRIVER_PATH").output().unwrap().into()
}

fn gdalrc(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path("home/.gdal/gdalrc")).unwrap()
}

#[test]
fn a_home_folder_is_all_that_gdal_needs() {
    let folder = folder();
    assert!(gdalinfo(&folder).err.contains("not registered"));
    let answer = install(&folder, &["--path", "plugins"]);
    assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{}", answer.out);
    let plugins = folder.path("plugins").canonicalize().unwrap();
    let written = gdalrc(&folder);
    let line = written.lines().nth(1).unwrap();
    assert!(written.starts_with("[configoptions]\nGDAL_DRIVER_PATH=/") && written.lines().count() == 2);
    let built_in =
        line["GDAL_DRIVER_PATH=".len()..].strip_suffix(&format!(":{}", plugins.display())).unwrap();
    assert!(built_in.ends_with("/gdalplugins"), "{written}");
    assert!(answer.out.contains(line), "{}", answer.out);
    let said = gdalinfo(&folder);
    assert!(said.err.is_empty() && said.out.contains("Computed Min/Max=0."), "{} {}", said.out, said.err);
    // Once more changes nothing; removing leaves nothing.
    let again = install(&folder, &["--path", "plugins/"]);
    assert!(again.out.contains("nothing to do") && gdalrc(&folder) == written, "{}", again.out);
    let removed = install(&folder, &["--remove", "--path", "plugins"]);
    assert!(removed.code == Some(0) && removed.out.contains("removed"), "{}", removed.err);
    assert!(!folder.path("home/.gdal/gdalrc").exists() && gdalinfo(&folder).err.contains("not registered"));
    assert!(install(&folder, &["--remove", "--path", "plugins"]).out.contains("nothing to do"));
}

#[test]
fn folders_and_lines_that_are_there_stay() {
    let folder = folder();
    std::fs::create_dir_all(folder.path("kept")).unwrap();
    std::fs::create_dir(folder.path("home/.gdal")).unwrap();
    let before = "# mine\n[configoptions]\nGDAL_CACHEMAX=64\nGDAL_DRIVER_PATH=/own/plugins:/gone/lib/terralume/gdalplugins\n\
                  [credentials]\n";
    folder.write("kept/gdalrc", before.as_bytes());
    std::os::unix::fs::symlink(folder.path("kept/gdalrc"), folder.path("home/.gdal/gdalrc")).unwrap();
    assert_eq!(install(&folder, &["--path", "plugins"]).code, Some(0));
    let plugins = folder.path("plugins").canonicalize().unwrap();
    let ours = format!("/own/plugins:{}", plugins.display());
    assert_eq!(gdalrc(&folder), before.replace("/own/plugins:/gone/lib/terralume/gdalplugins", &ours));
    assert!(gdalinfo(&folder).err.is_empty());
    assert_eq!(install(&folder, &["--remove", "--path", "plugins"]).code, Some(0));
    assert_eq!(
        gdalrc(&folder),
        before.replace("/own/plugins:/gone/lib/terralume/gdalplugins", "/own/plugins")
    );
    assert!(folder.path("home/.gdal/gdalrc").is_symlink());
    let files = std::fs::read_dir(folder.path("kept")).unwrap().count();
    assert_eq!(files, 1, "a file half written is left");
}

#[test]
fn what_would_not_work_is_refused() {
    let folder = folder();
    let check = |arguments: &[&str], code: i32, words: &[&str]| {
        let answer = install(&folder, arguments);
        folder.check_refusal(&answer, &format!("{arguments:?}"), code, words);
        assert!(!folder.path("home/.gdal").exists());
    };
    check(&["--path", "home"], 2, &["home' has no gdal_terralume.so", "allowed"]);
    check(&["--path", "a:b"], 2, &["colon"]);
    check(&[], 1, &["make install", "--path FOLDER"]);
    std::fs::create_dir(folder.path("home/.gdal")).unwrap();
    folder.write("home/.gdal/gdalrc", b"[configoptions]\nGDAL_DRIVER_PATH=disable\n");
    let answer = install(&folder, &["--path", "plugins"]);
    folder.check_refusal(&answer, "disabled", 2, &["switches plugins off"]);
    let mut command = folder.command(super::support::PROGRAM, &["install-gdal-plugin", "--path", "plugins"]);
    let answer = command.env_remove("HOME").output().unwrap().into();
    folder.check_refusal(&answer, "no HOME", 1, &["HOME is not set"]);
}

#[test]
fn the_environment_wins_and_the_program_says_so() {
    let folder = folder();
    let mut command = folder.command(super::support::PROGRAM, &["install-gdal-plugin", "--path", "plugins"]);
    command.env("HOME", folder.path("home")).env("GDAL_DRIVER_PATH", Path::new("/other"));
    let answer: Answer = command.output().unwrap().into();
    assert!(answer.code == Some(0) && answer.err.contains("GDAL_DRIVER_PATH is set"), "{}", answer.err);
}
