//! The floor plan: which module may use which. A new arrow is an edit of the table here.

use std::path::{Path, PathBuf};

/// Modules by floor. A module may import what stands below it and itself; nothing beside it, nothing above.
const FLOORS: &[(&str, u8)] = &[
    ("core", 0),
    ("ops", 1),
    ("render", 1),
    ("stack", 1),
    ("registry", 2),
    ("recipe", 3),
    ("pipeline", 4),
    ("gdal", 5),
    ("job", 6),
    ("gdal_plugin", 7),
    // Hosts that have the library already let it register itself with their GDAL.
    ("ffi", 8),
    ("bin", 8),
];

/// Words that only some modules may use.
const RESERVED: &[(&str, &[&str])] = &[
    ("gdal_sys", &["gdal", "gdal_plugin"]),
    ("rayon", &["pipeline"]),
    ("unsafe", &["ffi", "gdal", "gdal_plugin"]),
];

/// The wall; STYLE wants half of it.
const MOST_LINES: usize = 800;

struct Source {
    /// Relative to the repository.
    path: PathBuf,
    /// First part under `src/`: a folder, or the name of a file.
    module: String,
    text: String,
}

impl Source {
    /// Lines with their number, without comments and string contents.
    fn code(&self) -> impl Iterator<Item = (usize, String)> + '_ {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, bare(line)))
    }

    fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path.display())
    }
}

/// A line without its comment and without what stands between quotes.
fn bare(line: &str) -> String {
    let (mut code, mut quoted, mut escaped) = (String::new(), false, false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if !quoted && characters.peek() == Some(&'/') => break,
            _ if !quoted => code.push(character),
            _ => {}
        }
    }
    code
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files_below(&repository().join("src"), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources = paths.into_iter().map(|path| {
        let relative = path.strip_prefix(repository()).expect("below the repository").to_path_buf();
        let part = relative.iter().nth(1).expect("below src").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
        Source { path: relative, module: part.trim_end_matches(".rs").to_string(), text }
    });
    sources.collect()
}

/// Fails with one line per place.
fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn word_at(code: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Modules of this crate that a file names after `crate::`, with the line, also in `crate::{a, b::c}`.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let root = if source.module == "bin" { "terralume::" } else { "crate::" };
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for (line, code) in source.code() {
        if let Some(list) = &mut open {
            list.push_str(&code);
        }
        for (start, _) in code.match_indices(root) {
            let rest = code[start + root.len()..].trim_start_matches('$').to_string();
            if rest.starts_with('{') {
                open = Some(rest);
            } else {
                found.push((line, first_word(&rest)));
            }
        }
        if open.as_ref().is_some_and(|list| list.contains(';')) {
            let list = open.take().unwrap_or_default();
            found.extend(top_level(&list).map(|module| (line, module)));
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// First words of a brace list, those of inner lists left out.
fn top_level(list: &str) -> impl Iterator<Item = String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => parts.push(String::new()),
            _ if depth == 1 => parts.last_mut().expect("never empty").push(character),
            _ => {}
        }
    }
    parts.into_iter().map(|part| first_word(part.trim())).filter(|word| !word.is_empty())
}

#[test]
fn imports_run_downward() {
    let mut faults = Vec::new();
    let mut arrows = 0;
    for source in sources().iter().filter(|source| source.module != "lib") {
        let Some(own) = floor(&source.module) else {
            faults.push(source.at(1, "stands on no floor; give its module a place in FLOORS"));
            continue;
        };
        for (line, module) in imports(source) {
            let Some(other) = floor(&module).filter(|_| module != source.module) else { continue };
            arrows += 1;
            if other >= own {
                faults.push(
                    source.at(line, &format!("{} (floor {own}) imports {module} ({other})", source.module)),
                );
            }
        }
    }
    assert!(arrows > 50, "only {arrows} imports found: the test has gone blind");
    report(faults);
}

#[test]
fn reserved_words_stay_in_their_modules() {
    let mut faults = Vec::new();
    for source in sources() {
        for (word, homes) in RESERVED.iter().filter(|(_, homes)| !homes.contains(&source.module.as_str())) {
            let lines = source.code().filter(|(_, code)| word_at(code, word));
            let what = format!("{word} belongs to {}", homes.join(", "));
            faults.extend(lines.map(|(line, _)| source.at(line, &what)));
        }
    }
    report(faults);
}

/// Whether the comment above the statement that `above` leads to has a SAFETY line.
fn gives_reason(above: &[&str]) -> bool {
    let mut lines = above.iter().rev().map(|line| line.trim());
    // The rest of the statement, which ends where another one or a blank line stands.
    let own = |line: &&str| !line.starts_with("//") && !line.is_empty() && !line.ends_with([';', '}']);
    let first = lines.find(|line| !own(line)).unwrap_or("");
    let comment = std::iter::once(first).chain(lines).take_while(|line| line.starts_with("//"));
    comment.into_iter().any(|line| line.contains("SAFETY:"))
}

#[test]
fn unsafe_blocks_say_why_they_are_safe() {
    let mut faults = Vec::new();
    let mut blocks = 0;
    for source in sources() {
        let lines: Vec<&str> = source.text.lines().collect();
        for (line, code) in source.code() {
            let opens = code.contains("unsafe {") || code.contains("unsafe impl");
            if !opens {
                continue;
            }
            blocks += 1;
            if !gives_reason(&lines[..line - 1]) {
                faults.push(source.at(line, "an unsafe block without a SAFETY line above it"));
            }
        }
    }
    assert!(blocks > 10, "only {blocks} unsafe blocks found: the test has gone blind");
    report(faults);
}

#[test]
fn every_operation_file_is_listed() {
    let files = std::fs::read_dir(repository().join("src/ops")).expect("operations");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let names =
        names.filter_map(|name| name.strip_suffix(".rs").map(String::from)).filter(|name| name != "mod");
    let list = std::fs::read_to_string(repository().join("src/ops/mod.rs")).expect("the list");
    let list = list.split_once("operations! {").expect("the list").1;
    let missing: Vec<String> = names.filter(|name| !word_at(list, name)).collect();
    assert!(missing.is_empty(), "not in the list of src/ops/mod.rs: {missing:?}");
}

#[test]
fn no_file_is_longer_than_the_wall() {
    let long = sources().into_iter().filter(|source| source.text.lines().count() > MOST_LINES);
    report(long.map(|source| source.at(MOST_LINES + 1, "longer than a file may be")).collect());
}

/// A path of one machine works on no other.
#[test]
fn no_source_names_a_place_of_one_machine() {
    // Spelled in two parts, because this file is read as well.
    let places = [["/wo", "rk/"], ["/tm", "p/"], ["/ho", "me/"], ["/ro", "ot/"]].map(|parts| parts.concat());
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "docs", "fuzz", "cmake", "python", "qgis_plugin"] {
        files_below(&repository().join(folder), &mut paths);
    }
    let mut faults = Vec::new();
    for path in paths {
        // Rasters and pictures are no text.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (index, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                faults.push(format!("{}:{}: {}", path.display(), index + 1, line.trim()));
            }
        }
    }
    report(faults);
}
