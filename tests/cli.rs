//! The program as users type it. GDAL's own tools make the inputs and read the outputs.

#[path = "cli/arguments.rs"]
mod arguments;
#[path = "cli/cancelling.rs"]
mod cancelling;
#[path = "cli/information.rs"]
mod information;
#[path = "cli/inputs.rs"]
mod inputs;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/plugin.rs"]
mod plugin;
#[path = "cli/recipes.rs"]
mod recipes;
#[path = "cli/results.rs"]
mod results;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/visualisations.rs"]
mod visualisations;
