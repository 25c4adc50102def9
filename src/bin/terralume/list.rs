//! `terralume list`: what there is.

use crate::output::{print, print_json, table};
use clap::ArgMatches;
use serde_json::json;
use terralume::{job, recipe, registry, Result};

/// Operations and presets, one line each.
pub fn list(matches: &ArgMatches) -> Result<()> {
    let only_presets = matches.get_flag("presets");
    if matches.get_flag("json") {
        return print_json(&document(only_presets)?);
    }
    let mut text = String::new();
    if !only_presets {
        let operations = registry::operations().iter().map(|o| line(o.id, o.title, o.summary));
        text.push_str(&format!(
            "Operations (terralume visualize)\n{}\n",
            table(&operations.collect::<Vec<_>>())
        ));
    }
    let presets = recipe::presets()?;
    let presets = presets.iter().map(|preset| line(&preset.name, &preset.title, &preset.summary));
    text.push_str(&format!("Presets (terralume render)\n{}", table(&presets.collect::<Vec<_>>())));
    if !only_presets {
        let terrains = recipe::terrain::terrains()?;
        let terrains = terrains.iter().map(|terrain| line(&terrain.name, &terrain.title, &terrain.summary));
        text.push_str(&format!("\nTerrain settings (--terrain)\n{}", table(&terrains.collect::<Vec<_>>())));
    }
    print(text.as_bytes())
}

fn document(only_presets: bool) -> Result<serde_json::Value> {
    let all = job::describe()?;
    if only_presets {
        return Ok(json!({"schema": all["schema"], "version": all["version"], "presets": all["presets"]}));
    }
    Ok(all)
}

fn line(name: &str, title: &str, summary: &str) -> Vec<String> {
    let sentence = summary.split_once(". ").map_or(summary, |(first, _)| first);
    vec![name.into(), format!("{title}: {}", sentence.trim_end_matches('.'))]
}
