//! The reference page of band maths, made from the tables.

use super::describe::MASKS;
use super::expression::{CONSTANTS, FUNCTIONS, INDICES, MOST_BYTES, MOST_LEVELS, OPERATORS};
use super::mask::{Place, PRESETS};
use super::reduce::{GROUPINGS, MERGES, STATISTICS};
use super::rescale;
use super::statistics::MOMENTS;
use std::fmt::Write;

/// A table of two columns or more; bars are escaped.
fn table<const COLUMNS: usize>(
    page: &mut String,
    head: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) {
    let mut line = |cells: [String; COLUMNS]| {
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        // Writing to a text cannot fail.
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    };
    line(head.map(String::from));
    line(head.map(|_| "---".into()));
    rows.for_each(line);
    page.push('\n');
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn pairs<'a>(list: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = [String; 2]> + 'a {
    list.iter().map(|(name, help)| [code(name), help.to_string()])
}

/// The page.
pub fn reference() -> String {
    let mut page = String::from(
        "<!-- Made from the library's tables by make docs. -->\n# Band maths: reference\n\n\
         Cells without data are a state, not a number: no sum, factor or limit touches them. Everything is computed \
         with\n64-bit floats. Written to whole types, values are rounded, halves away from zero, and limited to the \
         type; a value that\nwould be taken for the nodata value moves by one. Both are counted.\n\n",
    );
    expressions(&mut page);
    masks(&mut page);
    page.push_str("## Rescaling\n\nIn this order; cells without data stay so.\n\n");
    let parameters = rescale::PARAMETERS.iter().map(|(name, default, help)| {
        [code(name), if default.is_empty() { String::new() } else { code(default) }, help.to_string()]
    });
    table(&mut page, ["parameter", "default", ""], parameters);
    reductions(&mut page);
    page.push_str(
        "## Statistics of files, bands and blocks\n\nSums are exact, so no division changes a bit.\n\n",
    );
    table(&mut page, ["name", ""], pairs(MOMENTS));
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn expressions(page: &mut String) {
    let _ = write!(
        page,
        "## Expressions\n\n\
         `(nir - red) / (nir + red)`, or several: `ndvi = ndvi(); dense = ndvi > 0.6`. The language is muParser's, \
         which GDAL uses\ntoo, and more. Names are of inputs or of earlier results; `\"any name\"` is in quotes, \
         `A[2]` is band 2 of input `A`, `X` is\nthe only input. Numbers are written as `12`, `.5`, `1e-4`. A text has \
         at most {MOST_BYTES} bytes and {MOST_LEVELS} levels of brackets.\n\n\
         With the rule `strict` a result has no data where any input that its expression names has none; with `lazy` \
         such inputs\ncome as NaN, which `isnan`, `coalesce` and `? :` can do without. Under both, a result that is not \
         finite has no data; such\ncells are counted. A later formula that names it takes what was computed, infinity as well. To logic, a missing value is one that is not 0.\n\nOperators, from loosest to tightest:\n\n"
    );
    table(page, ["operator", ""], pairs(OPERATORS));
    let functions = FUNCTIONS
        .iter()
        .map(|function| [format!("`{}({})`", function.name, function.arguments), function.help.to_string()]);
    table(page, ["function", ""], functions);
    table(page, ["constant", ""], CONSTANTS.iter().map(|(name, _, help)| [code(name), help.to_string()]));
    page.push_str(
        "Indices take bands in the order of wavelengths, or, with empty brackets, the inputs of these names. Those \
         marked *\nneed reflectances from 0 to 1.\n\n",
    );
    let indices = INDICES.iter().map(|index| {
        let mark = if index.reflectance { " *" } else { "" };
        let call = format!("`{}({})`{mark}", index.name, index.bands.join(", "));
        [call, index.title.to_string(), code(index.formula), index.reference.to_string()]
    });
    table(page, ["index", "", "formula", "described by"], indices);
}

fn masks(page: &mut String) {
    page.push_str(
        "## Masks\n\n\
         Cells are out where a mask holds, and where its band has no data, unless those are to be kept. `invert` \
         behind a rule\nturns it round. `NAME:` may be left out when there is one input, or one with a preset's usual \
         name.\n\n",
    );
    table(page, ["mask", "is out"], pairs(MASKS));
    let presets = PRESETS.iter().map(|preset| {
        let flags = preset.flags.iter().map(|flag| match flag.place {
            Place::Bit(bit) => format!("`{}` {bit}", flag.name),
            Place::Level(from, words) => {
                format!("`{}` {from}-{} ({})", flag.name, from + 1, words.join(", "))
            }
            Place::Class(class) => format!("`{}` {class}", flag.name),
        });
        let flags: Vec<String> = flags.collect();
        [code(preset.name), preset.title.to_string(), preset.bands.join(", "), flags.join(", ")]
    });
    table(
        page,
        ["preset", "", "usual names", "flags: bits, pairs of bits with their levels, or classes"],
        presets,
    );
    page.push_str("Levels are compared: `landsat_c2:cloud_confidence>=medium`.\n\n");
}

fn reductions(page: &mut String) {
    page.push_str("## Reductions over time\n\nOf the values that are left after masks. `p` stands for `p90`, `p2.5` …\n\n");
    let statistics = STATISTICS.iter().map(|entry| {
        let options: Vec<String> = entry.options.iter().map(|option| code(option)).collect();
        [code(entry.name), entry.help.to_string(), options.join(", ")]
    });
    table(page, ["statistic", "", "in brackets; the first is the default"], statistics);
    table(page, ["group", ""], GROUPINGS.iter().map(|entry| [code(entry.form), entry.help.to_string()]));
    table(page, ["images of one day", ""], pairs(MERGES));
}
