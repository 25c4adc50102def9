//! Texts that nobody meant: no recipe, terrain or settings file, however broken, panics or takes much memory.
//!
//! The texts are made from good ones by a generator of fixed seed, so that a failure comes again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use terralume::recipe::terrain::Terrain;
use terralume::recipe::{preset_names, Settings};
use terralume::Recipe;

/// The system's allocator, which counts.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// One test at a time: the counters are for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(taken, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What reading a text may take, beside a multiple of its length: a layer holds descriptions of its parameters, so that
/// 256 short ones are much larger than their text.
const BASE: usize = 4 << 20;
const PER_BYTE: usize = 300;

/// Everything that reads texts, and everything that can be done with what was read.
fn read_as_anything(text: &str, name: &str) -> usize {
    let mut understood = 0;
    for name in [None, Some(name)] {
        if let Ok(recipe) = Recipe::parse_named(text, name) {
            let json = recipe.to_json();
            let again = Recipe::parse(&json.to_string()).map(|again| again.to_json());
            assert_eq!(again, Ok(json), "what is read is written so that it can be read");
            if let Ok(combination) = recipe.to_rvt_combination() {
                let layers =
                    |recipe: &Recipe| recipe.layers.iter().map(|l| (l.mode, l.opacity)).collect::<Vec<_>>();
                let again =
                    Recipe::parse(&combination.to_string()).expect("written combinations can be read");
                assert_eq!(layers(&again), layers(&recipe));
            }
            understood += 1;
        }
        if let Ok(terrain) = Terrain::parse_named(text, name) {
            for preset in preset_names().chain(["sky_illumination", "multi_scale_topographic_position"]) {
                // A parameter that its operation does not have is found only here.
                let _ = terrain.apply(&mut Recipe::parse(preset).expect("a preset"));
            }
            understood += 1;
        }
    }
    if let Ok(settings) = Settings::parse(text) {
        settings.apply(&mut Recipe::parse("vat-combined").expect("a preset")).expect("checked when read");
        understood += 1;
    }
    understood
}

fn check(text: &str, name: &str) -> usize {
    let before = TAKEN.load(Relaxed);
    MOST.store(before, Relaxed);
    let understood = catch_unwind(|| read_as_anything(text, name));
    let most = MOST.load(Relaxed).saturating_sub(before);
    let shown: String = text.chars().take(2000).collect();
    assert!(most < BASE + PER_BYTE * text.len(), "{most} bytes for {} of text: {shown}", text.len());
    understood.unwrap_or_else(|_| panic!("a panic for: {shown}"))
}

/// Marsaglia's xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// What is put in the place of something.
const PIECES: [&str; 40] = [
    "null",
    "true",
    "-1",
    "0",
    "1",
    "2",
    "1e308",
    "-1e308",
    "1e999",
    "99999999999999999999",
    "0.5",
    "1e-320",
    "\"\"",
    "\"None\"",
    "\"null\"",
    "\"nan\"",
    "\"inf\"",
    "\"1\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "{\"value\": 1}",
    "{\"min\": 1, \"max\": 2}",
    "\"Shadow\"",
    "\"slope\"",
    "\"vat-combined\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"ä\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "#",
    "=",
    "\n",
    " ",
];

const NUMBERS: [&str; 10] = ["0", "1", "2", "-1", "0.5", "1e308", "100", "\"7\"", "3", "1e-9"];

/// A piece of a JSON text that can be put elsewhere: a string, a number, a sign.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut tokens = Vec::new();
    let mut start = None;
    let mut quoted = false;
    for (index, letter) in text.char_indices() {
        let part = quoted || letter == '"' || letter.is_alphanumeric() || "._-+".contains(letter);
        match (part, start) {
            (true, None) => start = Some(index),
            (false, Some(begin)) => {
                tokens.push((begin, index));
                start = None;
            }
            _ => {}
        }
        if !part && !letter.is_whitespace() {
            tokens.push((index, index + letter.len_utf8()));
        }
        quoted ^= letter == '"';
    }
    tokens
}

fn any_token<'a>(text: &'a str, chance: &mut Chance) -> &'a str {
    let tokens = tokens(text);
    tokens.get(chance.below(tokens.len())).map_or("", |(start, end)| &text[*start..*end])
}

fn mutated(text: &str, others: &[String], chance: &mut Chance) -> String {
    let mut text = text.to_string();
    for _ in 0..1 + chance.below(4) {
        let tokens = tokens(&text);
        if tokens.is_empty() {
            return text;
        }
        let (start, end) = tokens[chance.below(tokens.len())];
        let old = &text[start..end];
        let piece = match chance.below(8) {
            0 => String::new(),
            1 => old.repeat(2),
            2 => any_token(&others[chance.below(others.len())], chance).into(),
            3 => any_token(&text, chance).into(),
            // The grammar stays whole, so that what comes after it is reached.
            4 | 5 if old.starts_with('"') => {
                let other = any_token(&others[chance.below(others.len())], chance);
                if other.starts_with('"') { other } else { "\"None\"" }.into()
            }
            4 | 5 if old.parse::<f64>().is_ok() => chance.of(&NUMBERS).into(),
            _ => chance.of(&PIECES).into(),
        };
        text.replace_range(start..end, &piece);
        if chance.below(12) == 0 {
            let (_, cut) = tokens[chance.below(tokens.len())];
            // The text has changed since: only a place between letters will do.
            let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(cut);
        }
    }
    text
}

fn seeds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for files in ["tests/data/rvt", "src/recipe/presets", "src/recipe/terrains"] {
        let mut paths: Vec<_> = std::fs::read_dir(folder.join(files))
            .expect("a folder")
            .map(|entry| entry.expect("a file").path())
            .collect();
        paths.sort();
        seeds.extend(paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()));
    }
    seeds.push(FULL.into());
    assert!(seeds.len() >= 12, "{}", seeds.len());
    seeds
}

/// Every key of a recipe.
const FULL: &str = r#"{"terralume_recipe": 1, "name": "a", "title": "b", "summary": "c", "reference": "d", "terrain": "flat",
    "fill": {"method": "idw", "radius": "10m"}, "combine": "blend", "layers": [
    {"name": "x", "operation": "slope", "parameters": {"unit": "degree"}, "min": 0, "max": 50, "invert": true, "gamma": 2,
     "color_map": "Reds", "color_cut": [0, 0.5], "mode": "screen", "opacity": 50,
     "mask": {"raster": "mask.tif", "band": 1}},
    {"recipe": {"terralume_recipe": 1, "layers": [{"recipe": "vat"}, {"operation": "svf", "display": "0,1"}]}},
    {"operation": "hillshade", "stretch": "percent:2,2"}]}"#;

#[test]
fn broken_texts_neither_panic_nor_take_much_memory() {
    let _alone = alone();
    let seeds = seeds();
    // Every seed is understood as it is, by its own reader.
    for seed in &seeds {
        assert!(check(seed, "City") >= 1 || check(seed, "flat") >= 1, "{seed}");
    }
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut understood = 0;
    for round in 0..20_000 {
        let text = mutated(&seeds[round % seeds.len()], &seeds, &mut chance);
        understood += check(&text, ["City", "flat", "vat", ""][round % 4]).min(1);
    }
    assert!(understood > 500, "only {understood} texts got beyond the grammar: the test has gone blind");
    assert!(understood < 19_000, "{understood} texts were good: nothing was broken");
}

#[test]
fn deep_long_and_huge_texts() {
    let _alone = alone();
    let deep = |open: &str, times: usize| open.repeat(times);
    let recipe = |inner: String| format!(r#"{{"terralume_recipe": 1, "layers": {inner}}}"#);
    let mut nested = r#"[{"operation": "slope"}]"#.to_string();
    for _ in 0..200 {
        nested = format!(r#"[{{"recipe": {}}}]"#, recipe(nested));
    }
    let mut masks = r#"{"operation": "slope"}"#.to_string();
    for _ in 0..200 {
        masks = format!(r#"{{"operation": "slope", "mask": {masks}}}"#);
    }
    let many = vec![r#"{"operation": "multi_scale_topographic_position"}"#; 20_000].join(",");
    let layer = r#"{"visualization_method": "Shadow", "norm": "value", "min": 0, "max": 1, "blend_mode": "normal", "opacity": 9}"#;
    let wide = vec![layer; 20_000].join(",");
    let presets = vec![r#"{"recipe": "vat-combined"}"#; 250].join(",");
    let texts = [
        deep("[", 200_000),
        deep("{\"a\":", 200_000),
        recipe(deep("[", 200_000)),
        format!(r#"{{"combination": {}"#, deep("{\"a\":", 100_000)),
        format!(r#"{{"terrains_settings": {}"#, deep("[", 100_000)),
        format!(r#"{{"default_settings": {}"#, deep("{\"Hillshade\":", 100_000)),
        recipe(nested),
        recipe(format!("[{masks}]")),
        recipe(format!("[{many}]")),
        recipe(format!("[{presets}]")),
        format!(r#"{{"combination": {{"name": "a", "layers": [{wide}]}}}}"#),
        format!(r#"{{"combination": {{"name": "{}", "layers": []}}}}"#, "x".repeat(1_000_000)),
        format!("{} = 1", "x".repeat(1_000_000)),
        "overwrite = 0\n".repeat(50_000),
        format!("ve_factor = {}", "9".repeat(100_000)),
    ];
    for text in &texts {
        assert_eq!(check(text, "a"), 0, "{}", text.chars().take(200).collect::<String>());
    }
}
