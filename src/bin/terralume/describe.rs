//! `terralume describe`: an operation with its parameters, or a preset or recipe with its layers.

use crate::arguments::text;
use crate::output::{plain, print, print_json, table};
use clap::ArgMatches;
use serde_json::Value;
use terralume::core::operation::{Compatibility, Operation};
use terralume::core::params::ParamSpec;
use terralume::job::named_file::named_recipe;
use terralume::recipe::{Content, Layer};
use terralume::{registry, Recipe, Result};

/// Describes what `NAME` stands for.
pub fn describe(matches: &ArgMatches) -> Result<()> {
    let name = text(matches, "NAME");
    let json = matches.get_flag("json");
    match registry::find(name) {
        Ok(operation) if json => print_json(&operation.describe()),
        Ok(operation) => print(operation_text(operation).as_bytes()),
        Err(_) => {
            let recipe = named_recipe(name)?;
            if json {
                print_json(&recipe.to_json())
            } else {
                print(preset_text(&recipe).as_bytes())
            }
        }
    }
}

fn operation_text(operation: &Operation) -> String {
    let about = operation.describe();
    let mut text = heading(operation.title, operation.id, operation.summary);
    text.push_str("\nParameters (-p KEY=VALUE)\n");
    for spec in (operation.parameters)() {
        text.push_str(&parameter_text(&spec));
    }
    text.push_str("\nBands, with the values that can come out\n");
    let bands = about["bands"].as_array().into_iter().flatten();
    text.push_str(&table(&bands.map(band_row).collect::<Vec<_>>()));
    let stretch = &about["stretch"];
    let inverted = if stretch["invert"] == true { ", the smallest shown brightest" } else { "" };
    text.push_str(&format!("\nShown as 8 bit: {}{inverted}\n", ends(stretch)));
    text.push_str(&format!("Radius by default: {}, in cells\n", about["radius"]));
    if !operation.aliases.is_empty() {
        text.push_str(&format!("Other names: {}\n", operation.aliases.join(", ")));
    }
    text + &format!("Reference: {}\n", operation.reference)
}

fn parameter_text(spec: &ParamSpec) -> String {
    let unit = if spec.unit.is_empty() { String::new() } else { format!(" ({})", spec.unit) };
    let default = plain(&spec.to_json(spec.default));
    let (name, kind, allowed) = (spec.name, spec.kind.name(), spec.allowed());
    format!("  {name}  {kind}{unit} [default: {default}]\n      {}\n      Allowed: {allowed}\n", spec.help)
}

fn band_row(band: &Value) -> Vec<String> {
    // An open end is null in JSON.
    let end = |value: &Value| if value.is_null() { "infinity".into() } else { value.to_string() };
    vec![
        plain(&band["name"]),
        plain(&band["unit"]),
        format!("{} to {}", end(&band["min"]), end(&band["max"])),
    ]
}

fn preset_text(recipe: &Recipe) -> String {
    let head = ["layer", "mode", "opacity", "stretch", "content"].map(String::from).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(recipe.layers.iter().map(layer_row)).collect();
    let mut text = format!(
        "{}\nLayers, the top one first (-p LAYER.KEY=VALUE)\n{}",
        heading(&recipe.title, &recipe.name, &recipe.summary),
        table(&rows)
    );
    if !recipe.reference.is_empty() {
        text.push_str(&format!("\nReference: {}\n", recipe.reference));
    }
    text
}

fn layer_row(layer: &Layer) -> Vec<String> {
    let stretch = layer.display_stretch(Compatibility::None);
    let content = match &layer.content {
        Content::Recipe(recipe) => format!("preset {}", recipe.name),
        Content::Raster(raster) => format!("raster {}, band {}", raster.path, raster.band),
        Content::Stack(shown) => match &shown.band {
            Some(band) => format!("stack {}, {band}", shown.stack),
            None => format!("stack {}", shown.stack),
        },
        Content::Operation(call) => {
            let values = call.values.to_json();
            let values: Vec<_> =
                values.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
            format!("{} {}", call.operation.id, values.join(" "))
        }
    };
    let inverted = if stretch.invert { " (inverted)" } else { "" };
    vec![
        layer.name.clone(),
        plain(&serde_json::json!(layer.mode)),
        layer.opacity.to_string(),
        format!("{}{inverted}", stretch.cut),
        content,
    ]
}

/// Both ends of a stretch, or what they are computed from.
fn ends(stretch: &Value) -> String {
    if stretch["min"].is_null() {
        return plain(&stretch["cut"]);
    }
    format!("{} to {}", stretch["min"], stretch["max"])
}

fn heading(title: &str, name: &str, summary: &str) -> String {
    format!("{title} ({name})\n{summary}\n")
}
