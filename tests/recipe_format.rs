//! The published description of recipes is what the parser does: schema, documentation, examples.

#[path = "common/schema.rs"]
mod schema;
#[path = "cli/support.rs"]
#[allow(dead_code, reason = "the tests of the command line use all of it")]
mod support;

use schema::Schema;
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::path::Path;
use support::Folder;
use terralume::recipe::terrain::Terrain;
use terralume::recipe::{preset_names, Settings};
use terralume::render::blend::Mode;
use terralume::{registry, Recipe};

fn docs(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

fn schema() -> Schema {
    Schema::new(serde_json::from_str(&docs("recipe.schema.json")).unwrap())
}

/// A block of code, and the name that the line before it gives: `name`:
struct Block {
    language: String,
    name: Option<String>,
    content: String,
}

fn blocks() -> Vec<Block> {
    let text = docs("recipes.md");
    let mut parts = text.split("```");
    let mut before = parts.next().unwrap_or_default();
    let mut blocks = Vec::new();
    while let (Some(code), after) = (parts.next(), parts.next()) {
        let (language, content) = code.split_once('\n').unwrap();
        let name = before.trim_end().strip_suffix("`:").and_then(|line| line.rsplit('`').next());
        blocks.push(Block {
            language: language.into(),
            name: name.map(String::from),
            content: content.into(),
        });
        before = after.unwrap_or_default();
    }
    blocks
}

#[test]
fn presets_and_what_is_written_follow_the_schema() {
    let schema = schema();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/recipe/presets");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let preset: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(schema.check(&preset), Ok(()), "{}", path.display());
        files += 1;
    }
    assert_eq!(files, preset_names().count());
    for name in preset_names().chain(registry::operations().iter().map(|operation| operation.id)) {
        assert_eq!(schema.check(&Recipe::parse(name).unwrap().to_json()), Ok(()), "{name}");
    }
}

/// Keys that the parser lists when it meets one it does not know.
fn parser_keys(text: &str) -> BTreeSet<String> {
    let error = Recipe::parse(text).unwrap_err().to_string();
    let (_, list) = error.split_once("expected one of ").unwrap_or_else(|| panic!("{error}"));
    list.split('`').skip(1).step_by(2).map(String::from).collect()
}

#[test]
fn the_schema_has_the_keys_of_the_parser() {
    let schema = schema();
    let recipe = parser_keys(r#"{"terralume_recipe": 1, "unknown": 1}"#);
    let layer = parser_keys(r#"{"terralume_recipe": 1, "layers": [{"unknown": 1}]}"#);
    assert!(recipe.len() >= 9 && layer.len() >= 17, "{recipe:?} {layer:?}");
    assert_eq!(schema.properties("recipe"), recipe);
    assert_eq!(schema.properties("layer"), layer);
    let modes: Vec<_> = Mode::ALL.iter().map(|(name, _)| json!(name)).collect();
    assert_eq!(schema.definition("layer")["properties"]["mode"]["enum"], json!(modes));
}

/// Tables of the page have a row for every key, and no other.
#[test]
fn the_page_explains_every_key() {
    let page = docs("recipes.md");
    for (heading, definition) in [("## Keys of a recipe", "recipe"), ("## Keys of a layer", "layer")] {
        let section = page.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
        let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        let keys: BTreeSet<String> =
            cells.flat_map(|cell| cell.split(", ").map(|key| key.trim_matches('`').to_string())).collect();
        assert_eq!(keys, schema().properties(definition), "{heading}");
    }
}

/// A layer that shows a stack with these keys, in a recipe.
fn stack(keys: &str) -> String {
    format!(r#"{{"terralume_recipe": 1, "stacks": {{"s": {{{keys}}}}}, "layers": [{{"stack": "s"}}]}}"#)
}

/// One layer with these keys, in a recipe.
fn layer(keys: &str) -> String {
    format!(r#"{{"terralume_recipe": 1, "layers": [{{{keys}}}]}}"#)
}

#[test]
fn schema_and_parser_agree() {
    let schema = schema();
    let good = [
        layer(r#""operation": "slope""#),
        layer(r#""operation": "slope", "min": 0, "max": 1, "invert": true, "gamma": 10, "opacity": 0"#),
        layer(r#""operation": "slope", "stretch": "deviations:2", "mode": "hsv_value""#),
        layer(r#""operation": "slope", "display": "0,5", "parameters": {"vertical_exaggeration": 2}"#),
        layer(r#""raster": "a.tif", "band": 2, "mask": {"recipe": "vat"}"#),
        layer(r#""recipe": {"terralume_recipe": 1, "layers": [{"recipe": "vat", "name": "x"}]}"#),
        layer(r#""operation": "slope", "color_map": "Reds", "color_cut": [0, 1]"#),
        r#"{"terralume_recipe": 1, "fill": {"radius": "5m"}, "terrain": "flat", "layers": [{"recipe": "vat"}]}"#.into(),
        stack(r#""inputs": {"red": "*_B4.tif", "nir": ["a.tif", "b.tif"], "qa": null}, "mask": ["qa: bits 0", "qa > 3"]"#),
        stack(r#""inputs": {"x": "a.tif"}, "dilate": 2, "unscale": true, "expr": "x * 2", "stat": "mean,p90""#),
        r#"{"terralume_recipe": 1, "stacks": {"s": {"inputs": {"x": "a.tif"}, "stat": "mean"}}, "layers": [
            {"stack": "s", "band": 1}, {"recipe": "vat", "mask": {"stack": "s", "band": "mean"}}]}"#.into(),
    ];
    for text in &good {
        assert_eq!(schema.check(&serde_json::from_str(text).unwrap()), Ok(()), "{text}");
        assert!(Recipe::parse(text).is_ok(), "{text}: {}", Recipe::parse(text).unwrap_err());
    }
    let bad = [
        "{}".into(),
        r#"{"terralume_recipe": 2, "layers": [{"recipe": "vat"}]}"#.into(),
        r#"{"terralume_recipe": 1, "layers": []}"#.into(),
        r#"{"terralume_recipe": 1, "layers": {}}"#.into(),
        r#"{"terralume_recipe": 1, "combine": "add", "layers": [{"recipe": "vat"}]}"#.into(),
        r#"{"terralume_recipe": 1, "fill": [1], "layers": [{"recipe": "vat"}]}"#.into(),
        r#"{"terralume_recipe": 1, "colour": 1, "layers": [{"recipe": "vat"}]}"#.into(),
        layer(""),
        layer(r#""operation": "slope", "recipe": "vat""#),
        layer(r#""operation": "slope", "band": 1"#),
        layer(r#""operation": "slope", "min": 1"#),
        layer(r#""operation": "slope", "max": 1"#),
        layer(r#""operation": "slope", "min": 0, "max": 1, "stretch": "0,1""#),
        layer(r#""operation": "slope", "invert": true"#),
        layer(r#""operation": "slope", "gamma": 0"#),
        layer(r#""operation": "slope", "opacity": 101"#),
        layer(r#""operation": "slope", "mode": "shiny""#),
        layer(r#""operation": "slope", "color_cut": [0, 1]"#),
        layer(r#""operation": "slope", "color_map": "Reds", "color_cut": [0]"#),
        layer(r#""operation": "slope", "parameters": {"unit": ["degree"]}"#),
        layer(r#""recipe": "vat", "parameters": {"radius": 3}"#),
        layer(r#""recipe": "vat", "display": "0,1""#),
        layer(r#""recipe": 3"#),
        layer(r#""raster": """#),
        layer(r#""raster": "a.tif", "band": 0"#),
        layer(r#""operation": "slope", "mask": {"min": 0, "max": 1}"#),
        layer(r#""raster": "a.tif", "band": "red""#),
        layer(r#""raster": "a.tif", "stack": "s""#),
        stack(r#""expr": "1""#),
        stack(r#""inputs": {}"#),
        stack(r#""inputs": {"x": ""}"#),
        stack(r#""inputs": {"x": [3]}"#),
        stack(r#""inputs": {"x": "a.tif"}, "expr": null"#),
        stack(r#""inputs": {"x": "a.tif"}, "mask": [["x"]]"#),
    ];
    for text in &bad {
        assert!(schema.check(&serde_json::from_str(text).unwrap()).is_err(), "the schema takes {text}");
        assert!(Recipe::parse(text).is_err(), "the parser takes {text}");
    }
}

/// Files of the page are read as what they are, and its commands run.
#[test]
fn examples_of_the_page_work() {
    let folder = Folder::with_dem(60);
    let blocks = blocks();
    let schema = schema();
    let (mut recipes, mut files) = (0, 0);
    for block in blocks.iter().filter(|block| block.language != "sh") {
        let name =
            block.name.as_deref().unwrap_or_else(|| panic!("a file without a name:\n{}", block.content));
        folder.write(name, block.content.as_bytes());
        files += 1;
        match &block.content {
            text if text.contains("\"terralume_recipe\"") => {
                assert_eq!(schema.check(&serde_json::from_str(text).unwrap()), Ok(()), "{name}");
                Recipe::parse(text).unwrap();
                recipes += 1;
            }
            text if text.contains("\"combination") => {
                Recipe::parse_named(text, Some("Openness over hillshade")).unwrap();
            }
            text if text.contains("terrain") => {
                Terrain::parse_named(text, None).unwrap();
            }
            text => {
                Settings::parse(text).unwrap();
            }
        }
    }
    assert!(recipes >= 1 && files >= 5, "{recipes} of {files}");
    let programs = Path::new(support::PROGRAM).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let commands =
        blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.content.lines());
    let commands: Vec<&str> = commands.filter(|line| !line.is_empty()).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let said = folder.command("sh", &["-c", command]).env("PATH", &path).output().unwrap();
        assert!(said.status.success(), "{command}: {}", String::from_utf8_lossy(&said.stderr));
    }
}
