//! The reference pages of operations and of presets, made from the registry.

use crate::core::error::Result;
use crate::core::operation::{Compatibility, Operation};
use crate::core::params::{ParamSpec, Values};
use crate::recipe::{presets, Combine, Layer, Recipe};
use crate::registry;
use std::fmt::Write;

/// The page of operations as Markdown. Pictures are expected in `pictures/` beside it, named after the ids.
pub fn reference() -> Result<String> {
    let mut page = String::from(
        "# Operations\n\n\
         Made by `make docs` from what the library says of itself; edit `src/ops` instead.\n\
         Pictures: the bundled DEM, 300 m of it, as written with `--type uint8`.\n\n\
         Every parameter is set with `-p NAME=VALUE`. A length is a number of cells, or a distance such as `10m`.\n\n",
    );
    for operation in registry::operations() {
        // Writing to a String does not fail.
        let _ = write!(page, "## {}\n\n{}", operation.id, describe(operation));
    }
    Ok(page)
}

/// The page of presets, with pictures as above.
pub fn gallery() -> Result<String> {
    let mut page = String::from(
        "# Gallery of presets\n\n\
         Made by `make gallery` from the recipes in `src/recipe/presets`. Pictures: the bundled DEM, 300 m of it, as \
         written with `terralume render NAME DEM OUT --type uint8`.\n\n\
         Layers stand as they lie, the top one first. A preset is a recipe: `terralume describe NAME --json` prints it, \
         and `-p LAYER.KEY=VALUE` changes it.\n\n",
    );
    for preset in presets()? {
        // Writing to a String does not fail.
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
        [band] => (band.name.clone(), band.unit.clone()),
        several => {
            (format!("{} bands", several.len()), several.first().map_or("".into(), |band| band.unit.clone()))
        }
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
    let (head, layers) = match preset.combine {
        Combine::Blend => {
            ("| layer | stretch | mode | opacity |\n| --- | --- | --- | --- |\n", preset.layers.len())
        }
        Combine::Rgb => ("| red, green, blue | stretch | | |\n| --- | --- | --- | --- |\n", 0),
    };
    let rows: String =
        preset.layers.iter().enumerate().map(|(index, layer)| row(layer, index + 1 < layers)).collect();
    format!(
        "**{}.** {}\n\n![{}](pictures/{}.png)\n\n{head}{rows}\nSource: {}.\n\n",
        preset.title, preset.summary, preset.title, preset.name, preset.reference
    )
}

/// A line of the table; what lies below nothing has neither mode nor opacity.
fn row(layer: &Layer, blends: bool) -> String {
    let stretch = layer.display_stretch(Compatibility::None);
    let ends = match stretch.limits() {
        Some((min, max)) => format!("{min} to {max}"),
        None => stretch.cut.to_string(),
    };
    let turned = if stretch.invert { ", dark where large" } else { "" };
    let color = layer.color.as_ref().map_or(String::new(), |color| format!(", coloured with {}", color.name));
    let (mode, opacity) = match blends {
        true => (layer.mode.name(), format!("{} %", layer.opacity)),
        false => ("", String::new()),
    };
    format!("| {} | {ends}{turned}{color} | {mode} | {opacity} |\n", layer.name)
}
