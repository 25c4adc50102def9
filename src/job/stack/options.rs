//! Options of stacks: one table from which command line, C and descriptions get names, values and help.

use super::bins::Bins;
use super::inputs::InputSpec;
use super::sensors;
use crate::core::error::{unknown_name, Error, Result};
use crate::gdal::warper::Resampling;
use crate::stack::cells::CellType;
use crate::stack::expression::NoDataRule;
use crate::stack::mask::Outside;
use crate::stack::reduce::Merge;

/// What is done where an image has no mask file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingMask {
    /// It is an error.
    #[default]
    Error,
    /// The image is used without.
    Keep,
    /// The image is left out.
    Drop,
}

/// Which images are merged into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameDay {
    /// Those of a UTC day.
    Day,
    /// Those of a day by the sun.
    Solar,
}

/// How results are divided into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scatter {
    /// One for each date, or file.
    Time,
    /// One for each band.
    Band,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableForm {
    /// Comma-separated values.
    #[default]
    Csv,
    /// A list of objects.
    Json,
}

/// What is read, how it is treated, and how the result is stored. `Default` is what a user gets who says nothing.
#[derive(Debug, Clone, Default)]
pub struct StackOptions {
    /// Rasters.
    pub inputs: Vec<InputSpec>,
    /// Assets of STAC ItemCollections that stand without one: name and key.
    pub assets: Vec<(String, String)>,
    /// Those of masks.
    pub mask_assets: Vec<(String, String)>,
    /// Formula; None: the bands themselves.
    pub expression: Option<String>,
    /// Names of bands.
    pub names: Vec<String>,
    /// Names of bands by their sensor.
    pub sensor: Option<&'static [&'static str]>,
    /// Table of dates.
    pub dates: Option<String>,
    /// Regular expression for the part of a name that holds the date.
    pub date_regex: Option<String>,
    /// How the date is written there.
    pub date_format: Option<String>,
    /// Raster whose grid counts.
    pub grid_of: Option<String>,
    /// How rasters are brought to the grid.
    pub resample: Option<Resampling>,
    /// Side of the cells.
    pub resolution: Option<f64>,
    /// Value that means nodata in all inputs.
    pub source_nodata: Option<f64>,
    /// Applies scale and offset that files declare.
    pub unscale: bool,
    /// Files open at once.
    pub max_open: Option<usize>,
    /// Goes on without what cannot be read.
    pub skip_bad: bool,
    /// Masks.
    pub masks: Vec<String>,
    /// Input that masks take when they name none.
    pub outside: Option<Outside>,
    /// Where an image has no mask file.
    pub missing_mask: MissingMask,
    /// Cells by which masks grow.
    pub dilate: usize,
    /// Value of masked cells.
    pub where_masked: Option<f64>,
    /// When a result has data.
    pub rule: Option<NoDataRule>,
    /// More values that mean nodata before rescaling.
    pub rescale_nodata: Vec<f64>,
    /// Factor.
    pub scale: Option<f64>,
    /// Summand.
    pub offset: Option<f64>,
    /// Least value.
    pub min: Option<f64>,
    /// Greatest value.
    pub max: Option<f64>,
    /// Statistics over time.
    pub statistics: Option<String>,
    /// Groups of dates.
    pub group: Option<String>,
    /// Images merged before they are reduced.
    pub merge_same: Option<SameDay>,
    /// How they are merged.
    pub merge: Option<Merge>,
    /// Fewer values are no data.
    pub min_count: Option<u32>,
    /// Type of the result.
    pub cell_type: Option<CellType>,
    /// Value for nodata of the result.
    pub nodata: Option<f64>,
    /// Several files.
    pub scatter: Option<Scatter>,
    /// How a table is written.
    pub form: TableForm,
    /// Side of the blocks that are described; None: whole files.
    pub block: Option<usize>,
    /// Bins in which values are counted.
    pub histogram: Option<Bins>,
}

/// One option as users see it.
pub struct StackOption {
    /// Name at every face.
    pub name: &'static str,
    /// Placeholder of the value; empty for a switch, whose value is `true` or `false`.
    pub value: &'static str,
    /// May be given several times.
    pub repeated: bool,
    /// Commands that have it, in one word each.
    pub commands: &'static str,
    /// What it does and what is the default.
    pub help: &'static str,
    /// Allowed values in words.
    pub allowed: &'static str,
    set: fn(&mut StackOptions, &str) -> Result<Option<()>>,
}

const ALL: &str = "calc rescale mask reduce statistics";
const WRITING: &str = "calc rescale mask reduce";

/// All options.
pub static STACK_OPTIONS: &[StackOption] = &[
    StackOption {
        name: "input",
        value: "NAME=PATH",
        repeated: true,
        commands: ALL,
        help: "A named input: NAME=PATH, PATH:BAND for one band, PATH:ovr=N for overview N. PATH may be a pattern \
               such as '*_B4.tif', @list.txt, a table (CSV) or a STAC ItemCollection: items.json#ASSET",
        allowed: "NAME=PATH",
        set: |options, text| {
            options.inputs.push(InputSpec::parse(text)?);
            Ok(Some(()))
        },
    },
    StackOption {
        name: "asset",
        value: "KEY",
        repeated: true,
        commands: ALL,
        help: "An asset of the STAC ItemCollection among the inputs, called by its key in formulas, or NAME=KEY",
        allowed: "KEY, or NAME=KEY",
        set: |options, text| Ok(asset(text).map(|found| options.assets.push(found))),
    },
    StackOption {
        name: "mask-asset",
        value: "KEY",
        repeated: true,
        commands: ALL,
        help: "The same for an asset that masks take",
        allowed: "KEY, or NAME=KEY",
        set: |options, text| Ok(asset(text).map(|found| options.mask_assets.push(found))),
    },
    StackOption {
        name: "names",
        value: "A,B,…",
        repeated: false,
        commands: ALL,
        help: "Names of the bands [default: their descriptions in the file]",
        allowed: "names, divided by commas",
        set: |options, text| {
            options.names = text.split(',').map(|name| name.trim().to_string()).collect();
            Ok(options.names.iter().all(|name| !name.is_empty()).then_some(()))
        },
    },
    StackOption {
        name: "sensor",
        value: "NAME",
        repeated: false,
        commands: ALL,
        help: "Names of the bands by their sensor: bgr rgb rgbn bgrn l5 l7 l7th l8 l8th l9 l8l7 s2 s2f s2l7 ps",
        allowed: "a sensor",
        set: |options, text| {
            options.sensor = Some(sensors::find(text)?);
            Ok(Some(()))
        },
    },
    StackOption {
        name: "expr",
        value: "FORMULA",
        repeated: false,
        commands: "reduce statistics",
        help: "Formula that is applied to each date first, such as 'ndvi = (nir - red) / (nir + red)'",
        allowed: "a formula",
        set: |options, text| {
            options.expression = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "dates",
        value: "FILE",
        repeated: false,
        commands: ALL,
        help: "Table (CSV) with file,datetime and, if wanted, group,weight [default: dates of the catalogue, the file's \
               metadata, its name]",
        allowed: "a file",
        set: |options, text| {
            options.dates = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "date-regex",
        value: "REGEX",
        repeated: false,
        commands: ALL,
        help: "Where the date stands in a file's name: the first group of this regular expression; comes before the file's \
               metadata",
        allowed: "a regular expression",
        set: |options, text| {
            options.date_regex = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "date-format",
        value: "FORMAT",
        repeated: false,
        commands: ALL,
        help: "How the date is written in a file's name, such as %Y_%j; comes before the file's metadata",
        allowed: "letters of strftime",
        set: |options, text| {
            options.date_format = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "grid-of",
        value: "FILE",
        repeated: false,
        commands: ALL,
        help: "Bring all inputs to the grid of this raster [default: they must have one grid]",
        allowed: "a raster",
        set: |options, text| {
            options.grid_of = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "resample",
        value: "METHOD",
        repeated: false,
        commands: ALL,
        help: "How rasters on other grids are brought to the first one's, or that of --grid-of: nearest, bilinear, \
               cubic, average, mode; masks always take the nearest cell [default: nearest]",
        allowed: "nearest, bilinear, cubic, average, mode",
        set: |options, text| {
            // GDAL's programs say near.
            let text = if text.eq_ignore_ascii_case("near") { "nearest" } else { text };
            Ok(pick(&Resampling::ALL, text).map(|found| options.resample = Some(found)))
        },
    },
    StackOption {
        name: "resolution",
        value: "SIDE",
        repeated: false,
        commands: ALL,
        help: "Side of the cells: an overview where one fits, else the mean of the cells",
        allowed: "a number above 0",
        set: |options, text| {
            let side = number(text).filter(|side| *side > 0.0 && side.is_finite());
            Ok(side.map(|side| options.resolution = Some(side)))
        },
    },
    StackOption {
        name: "nodata",
        value: "VALUE",
        repeated: false,
        commands: ALL,
        help: "Value that means nodata in the inputs, masks aside [default: as the files say]",
        allowed: "a number, or nan",
        set: |options, text| Ok(number(text).map(|value| options.source_nodata = Some(value))),
    },
    StackOption {
        name: "unscale",
        value: "",
        repeated: false,
        commands: ALL,
        help: "Apply the scale and offset that files declare",
        allowed: "true, false",
        set: |options, text| Ok(text.parse().ok().map(|flag| options.unscale = flag)),
    },
    StackOption {
        name: "max-open",
        value: "N",
        repeated: false,
        commands: ALL,
        help: "Files open at once, at most [default: 256]",
        allowed: "a whole number of at least 1",
        set: |options, text| Ok(text.parse().ok().filter(|n| *n >= 1).map(|n| options.max_open = Some(n))),
    },
    StackOption {
        name: "skip-bad",
        value: "",
        repeated: false,
        commands: ALL,
        help: "Go on without files and blocks that cannot be read, and files beside the grid, and list them at the end",
        allowed: "true, false",
        set: |options, text| Ok(text.parse().ok().map(|flag| options.skip_bad = flag)),
    },
    StackOption {
        name: "mask",
        value: "SPEC",
        repeated: true,
        commands: ALL,
        help: "Cells to leave out: 'qa: bits 0|3|4', 'qa: bits 5-6 >= 2', 'scl in (8,9)', 's2_scl:cloud_high', or any \
               formula",
        allowed: "a mask",
        set: |options, text| {
            options.masks.push(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "mask-outside",
        value: "WHAT",
        repeated: false,
        commands: ALL,
        help: "mask: cells without mask data are out; keep: they stay [default: mask]",
        allowed: "mask, keep",
        set: |options, text| {
            let all = [("mask", Outside::Mask), ("keep", Outside::Keep)];
            Ok(pick(&all, text).map(|found| options.outside = Some(found)))
        },
    },
    StackOption {
        name: "mask-missing",
        value: "WHAT",
        repeated: false,
        commands: ALL,
        help: "A date without a mask file: error, keep (use it unmasked), drop (leave it out) [default: error]",
        allowed: "error, keep, drop",
        set: |options, text| {
            let all =
                [("error", MissingMask::Error), ("keep", MissingMask::Keep), ("drop", MissingMask::Drop)];
            Ok(pick(&all, text).map(|found| options.missing_mask = found))
        },
    },
    StackOption {
        name: "dilate",
        value: "N",
        repeated: false,
        commands: ALL,
        help: "Cells by which masks grow in every direction [default: 0]",
        allowed: "a whole number up to 1000",
        set: |options, text| Ok(text.parse().ok().filter(|n| *n <= 1000).map(|n| options.dilate = n)),
    },
    StackOption {
        name: "where-masked",
        value: "VALUE",
        repeated: false,
        commands: "calc mask",
        help: "Value of masked cells [default: they are nodata]",
        allowed: "a number",
        set: |options, text| Ok(number(text).map(|value| options.where_masked = Some(value))),
    },
    StackOption {
        name: "nodata-rule",
        value: "RULE",
        repeated: false,
        commands: "calc reduce statistics",
        help: "strict: a result needs all its inputs; lazy: coalesce(), isnan() and ?: may do without [default: strict]",
        allowed: "strict, lazy",
        set: |options, text| {
            options.rule = Some(NoDataRule::parse(text)?);
            Ok(Some(()))
        },
    },
    StackOption {
        name: "src-nodata",
        value: "VALUE,…",
        repeated: false,
        commands: "rescale",
        help: "Values that mean nodata before rescaling, beside those that files declare",
        allowed: "numbers, divided by commas",
        set: |options, text| {
            let values: Option<Vec<f64>> = text.split(',').map(number).collect();
            Ok(values.map(|values| options.rescale_nodata = values))
        },
    },
    StackOption {
        name: "scale",
        value: "FACTOR",
        repeated: false,
        commands: "rescale",
        help: "What values are multiplied by [default: 1]",
        allowed: "a number",
        set: |options, text| Ok(number(text).map(|value| options.scale = Some(value))),
    },
    StackOption {
        name: "offset",
        value: "NUMBER",
        repeated: false,
        commands: "rescale",
        help: "What is added to them then [default: 0]",
        allowed: "a number",
        set: |options, text| Ok(number(text).map(|value| options.offset = Some(value))),
    },
    StackOption {
        name: "min",
        value: "VALUE",
        repeated: false,
        commands: "rescale",
        help: "Lower values become this one; nodata stays nodata",
        allowed: "a number",
        set: |options, text| Ok(number(text).map(|value| options.min = Some(value))),
    },
    StackOption {
        name: "max",
        value: "VALUE",
        repeated: false,
        commands: "rescale",
        help: "Higher values become this one; nodata stays nodata",
        allowed: "a number",
        set: |options, text| Ok(number(text).map(|value| options.max = Some(value))),
    },
    StackOption {
        name: "stat",
        value: "LIST",
        repeated: false,
        commands: "reduce statistics",
        help: "Statistics, such as mean,std(ddof=1),median,p90,count [default: mean; for statistics count,mean,std,min,max]",
        allowed: "statistics, divided by commas",
        set: |options, text| {
            options.statistics = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "group",
        value: "GROUPING",
        repeated: false,
        commands: "reduce",
        help: "season, year-season, month, year, year-month, day-of-year/N, 'period 16D from DATE', or a column of the \
               table of dates [default: all dates together]",
        allowed: "a grouping",
        set: |options, text| {
            options.group = Some(text.into());
            Ok(Some(()))
        },
    },
    StackOption {
        name: "merge-same",
        value: "DAY",
        repeated: false,
        commands: "reduce",
        help: "Merge images of one day before they are reduced: day (UTC), solar (by the sun)",
        allowed: "day, solar",
        set: |options, text| {
            let all = [("day", SameDay::Day), ("solar", SameDay::Solar)];
            Ok(pick(&all, text).map(|found| options.merge_same = Some(found)))
        },
    },
    StackOption {
        name: "merge",
        value: "HOW",
        repeated: false,
        commands: "reduce",
        help: "first: the first image with data counts; mean [default: first]",
        allowed: "first, mean",
        set: |options, text| {
            options.merge = Some(Merge::parse(text)?);
            Ok(Some(()))
        },
    },
    StackOption {
        name: "min-count",
        value: "K",
        repeated: false,
        commands: "reduce",
        help: "Cells with fewer values are nodata [default: 1]",
        allowed: "a whole number of at least 1",
        set: |options, text| Ok(text.parse().ok().filter(|k| *k >= 1).map(|k| options.min_count = Some(k))),
    },
    StackOption {
        name: "type",
        value: "TYPE",
        repeated: false,
        commands: WRITING,
        help: "uint8, int8, uint16, int16, uint32, int32, float32, float64; whole numbers are rounded, halves away from \
               zero [default: float32; that of the input for mask, and for rescale that does not scale]",
        allowed: "a type of cells",
        set: |options, text| {
            options.cell_type = Some(CellType::parse(text)?);
            Ok(Some(()))
        },
    },
    StackOption {
        name: "dst-nodata",
        value: "VALUE",
        repeated: false,
        commands: WRITING,
        help: "Value that means nodata in the output [default: the input's for mask and rescale that keep the type, none \
               beside an alpha band of whole numbers; else nan, the largest number of unsigned and the smallest of \
               signed types]",
        allowed: "a number, or nan",
        set: |options, text| Ok(number(text).map(|value| options.nodata = Some(value))),
    },
    StackOption {
        name: "by",
        value: "WHAT",
        repeated: false,
        commands: WRITING,
        help: "Write several files into the folder OUT: time (one for each date; not of statistics over time), band",
        allowed: "time, band",
        set: |options, text| {
            let all = [("time", Scatter::Time), ("file", Scatter::Time), ("band", Scatter::Band)];
            Ok(pick(&all, text).map(|found| options.scatter = Some(found)))
        },
    },
    StackOption {
        name: "as",
        value: "FORM",
        repeated: false,
        commands: "statistics",
        help: "How the table is written: csv, json [default: csv]",
        allowed: "csv, json",
        set: |options, text| {
            let all = [("csv", TableForm::Csv), ("json", TableForm::Json)];
            Ok(pick(&all, text).map(|found| options.form = found))
        },
    },
    StackOption {
        name: "block",
        value: "N",
        repeated: false,
        commands: "statistics",
        help: "Side of blocks in cells, which are described row by row [default: whole files]",
        allowed: "a whole number of at least 1",
        set: |options, text| Ok(text.parse().ok().filter(|n| *n >= 1).map(|n| options.block = Some(n))),
    },
    StackOption {
        name: "histogram",
        value: "BINS",
        repeated: false,
        commands: "statistics",
        help: "Also count values in so many bins between the smallest and largest one, or BINS,LOW,HIGH",
        allowed: "a number of bins from 1 to 1048576, or BINS,LOW,HIGH",
        set: |options, text| Ok(Bins::parse(text).map(|bins| options.histogram = Some(bins))),
    },
];

fn asset(text: &str) -> Option<(String, String)> {
    let (name, key) = text.split_once('=').unwrap_or((text, text));
    let found = (name.trim().to_string(), key.trim().to_string());
    (!found.0.is_empty() && !found.1.is_empty()).then_some(found)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

fn pick<T: Copy>(all: &[(&str, T)], text: &str) -> Option<T> {
    all.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, found)| *found)
}

impl StackOption {
    /// Whether a command has it.
    pub fn belongs_to(&self, command: &str) -> bool {
        self.commands.split(' ').any(|known| known == command)
    }
}

impl StackOptions {
    /// Whether files on other grids are brought to that of the stack.
    pub(super) fn warps(&self) -> bool {
        self.grid_of.is_some() || self.resample.is_some() || self.resolution.is_some()
    }

    /// Files that say which rasters are read, and how, but are none of them.
    pub(super) fn side_files(&self) -> Vec<String> {
        let sources = self.inputs.iter().flat_map(|input| std::iter::once(&input.source).chain(&input.more));
        let plain = |source: &String| {
            let source = source.strip_prefix('@').unwrap_or(source);
            source.rsplit_once('#').map_or(source, |(path, _)| path).to_string()
        };
        let others = self.dates.iter().chain(&self.grid_of).cloned();
        sources.map(plain).chain(others).collect()
    }

    /// Sets one option from text; the error says what came and what is allowed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let found = STACK_OPTIONS.iter().find(|option| option.name == name);
        let names = STACK_OPTIONS.iter().map(|option| option.name);
        let option = found.ok_or_else(|| unknown_name("option", name, names))?;
        let set = (option.set)(self, value.trim()).map_err(|error| error.within(name))?;
        set.ok_or_else(|| {
            Error::Argument(format!("{name} = '{value}' is not allowed; allowed: {}", option.allowed))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        let mut options = StackOptions::default();
        for (name, value) in [
            ("input", "red=a.tif:2"),
            ("sensor", "bgr"),
            ("nodata", "nan"),
            ("src-nodata", "0, 65535"),
            ("mask-outside", "keep"),
            ("type", "uint16"),
        ] {
            options.set(name, value).unwrap();
        }
        assert_eq!(options.rescale_nodata, [0.0, 65535.0]);
        assert_eq!(options.inputs[0].band, Some(2));
        for (name, value) in [
            ("sensor", "spot"),
            ("resample", "lanczos"),
            ("resolution", "0"),
            ("resolution", "inf"),
            ("max-open", "0"),
            ("dilate", "-1"),
            ("type", "float16"),
            ("by", "page"),
            ("min-count", "0"),
            ("as", "xml"),
            ("block", "0"),
            ("histogram", "5,2,1"),
            ("src-nodata", "0,x"),
            ("names", "a,,b"),
        ] {
            let error = options.set(name, value).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("; allowed: "), "{error}");
        }
        assert!(options.set("colour", "red").unwrap_err().to_string().contains("allowed: input, asset"));
    }
}
