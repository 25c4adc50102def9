//! The reference page of operations and presets, made from the registry.

use crate::core::error::Result;
use crate::core::operation::{Compatibility, Operation};
use crate::core::params::{ParamSpec, Values};
use crate::recipe::{presets, Recipe};
use crate::registry;
use std::fmt::Write;

/// The page as Markdown. Pictures are expected in `pictures/` beside it, named after the ids.
pub fn reference() -> Result<String> {
    let mut page = String::from(
        "# Operations and presets\n\n\
         Made by `make docs` from what the library says of itself; edit `src/ops` and `src/recipe/presets` instead.\n\
         Pictures: the bundled DEM, 300 m of it, as written with `--type uint8`.\n\n\
         Every parameter is set with `-p NAME=VALUE`. A length is a number of cells, or a distance such as `10m`.\n\n",
    );
    for operation in registry::operations() {
        // Writing to a String does not fail.
        let _ = write!(page, "## {}\n\n{}", operation.id, describe(operation));
    }
    page.push_str("# Presets\n\n");
    for preset in presets()? {
        let _ = write!(page, "## {}\n\n{}", preset.name, describe_preset(&preset));
    }
    Ok(page)
}

fn describe(operation: &Operation) -> String {
    let specs = (operation.parameters)();
    let parameters: String = specs.iter().map(parameter).collect();
    let defaults = Values::defaults(specs);
    let bands = (operation.bands)(&defaults);
    let (names, unit) = match bands.as_slice() {
        [band] => (band.name.clone(), band.unit),
        several => (format!("{} bands", several.len()), several.first().map_or("", |band| band.unit)),
    };
    let stretch = (operation.stretch)(&defaults, Compatibility::None);
    let ends = match stretch.limits() {
        Some((min, max)) => format!("{min} to {max}"),
        None => stretch.cut.to_string(),
    };
    let turned = if stretch.invert { ", dark where large" } else { "" };
    let aliases = match operation.aliases {
        [] => String::new(),
        names => format!("Also called {}.\n\n", names.join(", ")),
    };
    format!(
        "**{}.** {}\n\n![{}](pictures/{}.png)\n\n{aliases}`{}`\n\n\
         | parameter | default | allowed | |\n| --- | --- | --- | --- |\n{parameters}\n\
         Result: {names}{}. As 8 bit: {ends}{turned}. Paper: {}.\n\n",
        operation.title,
        operation.summary,
        operation.title,
        operation.id,
        operation.formula,
        if unit.is_empty() { String::new() } else { format!(", in {unit}") },
        operation.reference
    )
}

fn parameter(spec: &ParamSpec) -> String {
    let default = spec.to_json(spec.default).to_string();
    format!("| `{}` | {} | {} | {} |\n", spec.name, default.trim_matches('"'), spec.allowed(), spec.help)
}

fn describe_preset(preset: &Recipe) -> String {
    let layers: String = preset.layers.iter().map(|layer| format!("{}; ", layer.name)).collect();
    format!(
        "**{}.** {}\n\n![{}](pictures/{}.png)\n\nLayers, the top one first: {}.\n\nPaper: {}.\n\n",
        preset.title,
        preset.summary,
        preset.title,
        preset.name,
        layers.trim_end_matches("; "),
        preset.reference
    )
}
