//! Every operation with values that cannot be, on rasters of every shape, with any memory. Operations come from the
//! program's own list: a new one is tested by being there.

use super::support::{hill, listed, names, Folder};
use serde_json::Value;

/// An operation as the program describes it.
struct Operation(Value);

fn operations() -> Vec<Operation> {
    let operations: Vec<_> =
        listed()["operations"].as_array().unwrap().iter().cloned().map(Operation).collect();
    assert!(operations.len() > 20, "only {} operations", operations.len());
    operations
}

impl Operation {
    fn id(&self) -> &str {
        self.0["id"].as_str().unwrap()
    }

    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let parameters = self.0["parameters"].as_array().unwrap().iter();
        parameters.map(|parameter| (parameter["name"].as_str().unwrap(), parameter["kind"].as_str().unwrap()))
    }

    fn default(&self, name: &str) -> Option<f64> {
        let parameters = self.0["parameters"].as_array().unwrap();
        parameters.iter().find(|parameter| parameter["name"] == name)?["default"].as_f64()
    }

    /// What is typed to compute it with these parameters.
    fn arguments(&self, input: &str, settings: &[String]) -> Vec<String> {
        let words = ["visualize", self.id(), input, "out.tif"].map(String::from).into_iter();
        words.chain(settings.iter().flat_map(|setting| ["-p".to_string(), setting.clone()])).collect()
    }

    /// Refused as bad arguments, in one line that names the operation.
    fn refuses(&self, folder: &Folder, settings: &[String], words: &[&str]) {
        let arguments = self.arguments("dem.tif", settings);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let place = format!("{}: ", self.id());
        let words: Vec<_> = words.iter().copied().chain([place.as_str(), "; allowed: "]).collect();
        folder.refused(&arguments, 2, &words);
    }
}

/// Whatever a parameter holds: the operation, the parameter, what came and what is allowed.
#[test]
fn refusals_name_the_operation_the_parameter_and_the_value() {
    let folder = Folder::with_dem(20);
    let mut tried = 0;
    for operation in operations() {
        operation.refuses(
            &folder,
            &["depth=3".into()],
            &["unknown parameter 'depth'", "vertical_exaggeration"],
        );
        for (name, kind) in operation.parameters() {
            let bad: &[&str] = match kind {
                // Zero, negative, broken and no lengths.
                "length" => &["0", "-1", "2.5", "0m", "-3m", "nan", "nanm", "m", "ten", ""],
                "int" => &["0", "-1", "2.5", "nan", "many", ""],
                "float" => &["nan", "inf", "much", ""],
                "choice" => &["nonsense", "1", ""],
                "bool" => &["maybe", "2", ""],
                other => panic!("{name} is of an unknown kind {other}"),
            };
            for value in bad {
                operation.refuses(&folder, &[format!("{name}={value}")], &[&format!("{name} = '{value}'")]);
                tried += 1;
            }
            if kind == "length" {
                // Cells are 1 m wide: a hundredth of one, and too many.
                for (value, cells) in [("0.01m", "0.01"), ("50000m", "50000")] {
                    let words =
                        [&format!("{name} = "), value, &format!("is {cells} cells of 1 m"), "allowed: 1 to "];
                    operation.refuses(&folder, &[format!("{name}={value}")], &words);
                }
            }
        }
    }
    assert!(tried > 300, "only {tried} bad values");
}

/// Every scale of several radii: from the smallest to the largest in steps that stay between them.
#[test]
fn scales_that_cannot_be() {
    let folder = Folder::with_dem(20);
    let mut scales = 0;
    for operation in operations() {
        for stem in operation.parameters().filter_map(|(name, _)| name.strip_suffix("_min")) {
            let set = |end: &str, value: f64| format!("{stem}_{end}={value}");
            let said = |end: &str, value: f64| format!("{stem}_{end} = {value}");
            let default = |end: &str| operation.default(&format!("{stem}_{end}"));
            let (min, max) = (default("min").unwrap(), default("max").unwrap());
            let largest = said("max", max);
            operation.refuses(&folder, &[set("min", max + 1.0)], &[&largest, &(max + 1.0).to_string()]);
            scales += 1;
            if default("step").is_none() {
                continue;
            }
            let words = [&largest, "and a step that stays between them"];
            for (changes, step) in [(vec![], max - min + 1.0), (vec![set("min", max - 1.0)], 2.0)] {
                let settings = [&changes[..], &[set("step", step)]].concat();
                operation.refuses(&folder, &settings, &[&words[..], &[&said("step", step)]].concat());
            }
        }
    }
    assert!(scales >= 6, "only {scales} scales");
}

#[test]
fn sizes_of_features_that_cannot_be() {
    let folder = Folder::with_dem(20);
    let all = operations();
    let relief = all.iter().find(|operation| operation.id() == "multi_scale_relief").unwrap();
    let refuses = |settings: &str, words: &[&str]| {
        let settings: Vec<_> = settings.split(' ').map(String::from).collect();
        relief.refuses(&folder, &settings, words);
    };
    // Cells are 1 m wide.
    refuses("feature_max=0.5", &["feature_max = 0.5 ", "more than a cell (1)"]);
    refuses("feature_max=1", &["feature_max = 1 ", "more than a cell (1)"]);
    refuses("feature_min=30", &["feature_max = 20 ", "more than feature_min (30)"]);
    refuses("feature_min=20", &["feature_max = 20 ", "more than feature_min (20)"]);
    refuses(
        "feature_max=10000 scaling_factor=3",
        &["feature_max = 10000 ", "a window of at most 10001 cells"],
    );
}

/// What the program says of a raster that is too small, as the side that would do.
fn least_side(message: &str) -> usize {
    let least = message.split("; allowed: at least ").nth(1).unwrap_or_else(|| panic!("{message}"));
    let sides: Vec<&str> = least.trim_end().trim_end_matches(" cells").split(" x ").collect();
    assert!(sides.len() == 2 && sides[0] == sides[1], "{message}");
    sides[0].parse().unwrap_or_else(|_| panic!("{message}"))
}

/// A result of the raster's size, or a refusal that names its size and the least one; then the least one works.
fn result_or_refusal(
    operation: &Operation,
    (rows, cols): (usize, usize),
    settings: &[String],
    more: &[&str],
) {
    let compute = |rows: usize, cols: usize| {
        let folder = Folder::with_grid(&hill(rows, cols));
        let arguments = operation.arguments("grid.asc", settings);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let what = format!("{rows} x {cols}, {arguments:?}");
        let answer = folder.terralume(&arguments);
        if answer.code == Some(0) {
            let start = format!("wrote out.tif ({cols} x {rows} cells, ");
            assert!(
                answer.err.starts_with(&start) && folder.path("out.tif").exists(),
                "{what}: {}",
                answer.err
            );
            return None;
        }
        let size = format!("'grid.asc': raster of {cols} x {rows} cells is too small for a radius of ");
        folder.check_refusal(&answer, &what, 1, &[&size]);
        assert!(!folder.path("out.tif").exists(), "{what}");
        Some(least_side(&answer.err))
    };
    if let Some(least) = compute(rows, cols) {
        assert!(least > rows.min(cols), "{}: {least} for {rows} x {cols}", operation.id());
        assert_eq!(compute(least, least), None, "{} refuses the size it asks for", operation.id());
    }
}

#[test]
fn single_cells_rows_and_columns() {
    for operation in operations() {
        for size in [(1, 1), (1, 9), (9, 1)] {
            result_or_refusal(&operation, size, &[], &[]);
        }
        result_or_refusal(&operation, (2, 7), &[], &["--type", "uint8", "--compat", "rvt"]);
        result_or_refusal(&operation, (1, 7), &[], &["--fill", "idw", "--type", "uint8"]);
    }
}

#[test]
fn radii_larger_than_the_raster() {
    let mut tried = 0;
    for operation in operations() {
        // The largest radius there is, and steps that go with it.
        let largest = |(name, kind): (&str, &str)| {
            let radius = kind == "length" && !name.ends_with("_min") && !name.ends_with("_step");
            radius.then(|| format!("{name}=60"))
        };
        for setting in operation.parameters().filter_map(largest) {
            // Its step is 50; at 500 it is larger than the raster as it is.
            if setting.starts_with("broad_") {
                continue;
            }
            for size in [(20, 31), (1, 40)] {
                result_or_refusal(&operation, size, std::slice::from_ref(&setting), &[]);
            }
            tried += 1;
        }
    }
    assert!(tried > 10, "only {tried} radii");
}

/// A budget that is too small is refused with the least that does; one less is refused as well, and the least works.
fn least_budget(folder: &Folder, arguments: &[&str]) {
    let refused = |budget: &str, least: &str| {
        let words = ["is too small; allowed: at least ", least];
        folder.refused(&[arguments, &["--memory", budget]].concat(), 1, &words);
    };
    refused("1M", " MiB");
    let message = folder.terralume(&[arguments, &["--memory", "1M"]].concat()).err;
    let least = message.split("at least ").nth(1).unwrap().trim_end().trim_end_matches(" MiB");
    refused(&format!("{}M", least.parse::<usize>().unwrap() - 1), &format!("{least} MiB"));
    folder.run(&[arguments, &["--memory", &format!("{least}M")]].concat());
    std::fs::remove_file(folder.path("out.tif")).unwrap();
}

#[test]
fn the_least_memory_for_every_operation_is_named_and_works() {
    let folder = Folder::with_dem(300);
    for operation in operations() {
        let arguments = operation.arguments("dem.tif", &[]);
        least_budget(&folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Radii beyond any cache, gaps filled first, and looks at the whole raster.
#[test]
fn the_least_memory_for_wide_searches_is_named_and_works() {
    let folder = Folder::with_dem(300);
    for settings in [
        "svf -p radius=290",
        "mstp -p broad_max=1000",
        "local_relief -p radius=299",
        "sky_illumination -p radius=1000",
        "sky_illumination -p radius=1000 --compat rvt --type uint8",
        "fill_nodata -p radius=1000",
        "fill_nodata -p radius=1000 -p method=nearest",
        "slope -p fill=idw -p fill.radius=1000",
        "slope --type uint8 --stretch percent:2,2",
    ] {
        let mut words = settings.split(' ');
        let start = ["visualize", words.next().unwrap(), "dem.tif", "out.tif"];
        least_budget(&folder, &start.into_iter().chain(words).collect::<Vec<_>>());
    }
}

/// RVT's numbers can be asked for everywhere, as values and as pictures.
#[test]
fn every_operation_and_preset_gives_rvts_numbers() {
    let folder = Folder::with_dem(90);
    let presets = names(&listed(), "presets", "name").into_iter().map(|name| ("render", name));
    let all = operations().into_iter().map(|operation| ("visualize", operation.id().to_string()));
    for (command, name) in all.chain(presets) {
        for cell_type in ["float32", "uint8"] {
            let arguments =
                [command, &name, "dem.tif", "out.tif", "--overwrite", "--compat", "rvt", "--type"];
            folder.run(&[&arguments[..], &[cell_type]].concat());
            let info = folder.info("out.tif");
            assert_eq!(info["metadata"][""]["TERRALUME_COMPATIBILITY"], "rvt", "{name}");
            // White and nodata are one in RVT's pictures, so that no value is nodata.
            let nodata = if cell_type == "uint8" { Value::Null } else { "NaN".into() };
            assert_eq!(info["bands"][0]["noDataValue"], nodata, "{name} {cell_type}");
        }
    }
}
