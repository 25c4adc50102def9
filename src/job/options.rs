//! Options of a run: one table from which command line, C and descriptions get names, values and help.

use crate::core::error::{unknown_name, Error, Result};
use crate::core::operation::Compatibility;
use crate::core::stretch::{Cut, CUT_FORMS};
use crate::gdal::extent::Extent;
use crate::gdal::sink::{Format, OVERVIEW_RESAMPLING};
use crate::gdal::warper::Resampling;
use crate::recipe::chain::{CellType, Finding};
use serde_json::json;
use std::path::Path;

/// Most worker threads of a run.
pub const MOST_THREADS: usize = 1024;

/// Everything about a run but its recipe, input and output. `Default` is what a user gets who says nothing.
#[derive(Debug, Clone, Default)]
pub struct JobOptions {
    /// Worker threads; None: one per processor.
    pub threads: Option<usize>,
    /// Bytes the run may take; None: a quarter of the usable memory, at most 1 GiB.
    pub memory: Option<usize>,
    /// Side of a tile in cells; None: chosen from the memory.
    pub tile_size: Option<usize>,
    /// Type of the output cells.
    pub cell_type: CellType,
    /// Whose numbers.
    pub compatibility: Compatibility,
    /// Cut-offs of the 8-bit form of a single operation.
    pub stretch: Option<Cut>,
    /// An alpha band instead of a nodata value.
    pub alpha: bool,
    /// File format; None: by the ending of the output.
    pub format: Option<Format>,
    /// Creation options of the format's driver.
    pub creation: Vec<(String, String)>,
    /// Replace an existing output.
    pub overwrite: bool,
    /// Add overviews to a GeoTIFF.
    pub overviews: bool,
    /// How overviews are made, also those of a COG; None: averages, or the most frequent cell where classes are kept.
    pub overview_resampling: Option<Resampling>,
    /// File that gets a trace of the run.
    pub profile: Option<String>,
    /// Part of the raster to compute; None: all of it.
    pub extent: Option<Extent>,
    /// Value that means nodata in the input; None: as the file says.
    pub nodata: Option<f64>,
    /// Band of the input, from 1; None: the first.
    pub band: Option<usize>,
    /// What was found in the whole raster already, by [`super::Job::survey`].
    pub findings: Vec<Finding>,
}

/// One option as users see it.
pub struct OptionSpec {
    /// Name at every face.
    pub name: &'static str,
    /// Placeholder of the value; empty for a switch, whose value is `true` or `false`.
    pub value: &'static str,
    /// May be given several times.
    pub repeated: bool,
    /// What it does and what is the default.
    pub help: &'static str,
    set: fn(&mut JobOptions, &str) -> Option<()>,
    /// Allowed values in words.
    pub allowed: &'static str,
}

/// All options.
pub static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "threads",
        value: "N",
        repeated: false,
        help: "Worker threads [default: one per processor]",
        set: |options, text| {
            options.threads = Some(text.parse().ok().filter(|n| (1..=MOST_THREADS).contains(n))?);
            Some(())
        },
        allowed: "a whole number from 1 to 1024",
    },
    OptionSpec {
        name: "memory",
        value: "SIZE",
        repeated: false,
        help: "Memory the run may take, such as 512M [default: a quarter of the machine's, at most 1G]",
        set: |options, text| {
            // People who write 512M mean MiB here.
            let size = parse_size::Config::new().with_binary().parse_size(text).ok()?;
            options.memory = Some(usize::try_from(size).ok()?);
            Some(())
        },
        allowed: "a number of bytes, or with a unit: 512M, 2G",
    },
    OptionSpec {
        name: "tile-size",
        value: "N",
        repeated: false,
        help: "Side of a tile in cells; the result does not depend on it [default: chosen from the memory]",
        set: |options, text| {
            options.tile_size = Some(text.parse().ok().filter(|n| *n >= 16)?);
            Some(())
        },
        allowed: "a whole number of at least 16",
    },
    OptionSpec {
        name: "type",
        value: "TYPE",
        repeated: false,
        help: "float32: the values; uint8: stretched to 1..255, 0 is nodata [default: float32]",
        set: |options, text| pick(&CellType::ALL, text).map(|found| options.cell_type = found),
        allowed: "float32, uint8",
    },
    OptionSpec {
        name: "stretch",
        value: "MIN,MAX",
        repeated: false,
        help: "Values shown as black and white with --type uint8; percent:LOW,HIGH cuts off shares of the cells, \
               deviations:N goes so far from the mean [default: the operation's own]",
        set: |options, text| text.parse().ok().map(|cut| options.stretch = Some(cut)),
        allowed: CUT_FORMS,
    },
    OptionSpec {
        name: "alpha",
        value: "",
        repeated: false,
        help: "With --type uint8: an alpha band instead of a nodata value",
        set: |options, text| text.parse().ok().map(|flag| options.alpha = flag),
        allowed: "true, false",
    },
    OptionSpec {
        name: "format",
        value: "FORMAT",
        repeated: false,
        help: "GTiff: tiled GeoTIFF; COG: Cloud Optimized GeoTIFF with overviews; Zarr: a folder of Zarr, version 2; VRT: GeoTIFFs \
               side by side in a folder, under a VRT [default: Zarr and VRT for outputs that end in .zarr and .vrt, else GTiff]",
        set: |options, text| pick(&Format::ALL, text).map(|found| options.format = Some(found)),
        allowed: "GTiff, COG, Zarr, VRT",
    },
    OptionSpec {
        name: "co",
        value: "KEY=VALUE",
        repeated: true,
        help: "Creation option of GDAL's driver, such as COMPRESS=LZW [default: COMPRESS=ZSTD, tiles of 512]",
        set: |options, text| {
            let (key, value) = text.split_once('=').filter(|(key, _)| !key.is_empty())?;
            options.creation.retain(|(known, _)| !known.eq_ignore_ascii_case(key));
            options.creation.push((key.into(), value.into()));
            Some(())
        },
        allowed: "KEY=VALUE",
    },
    OptionSpec {
        name: "overviews",
        value: "",
        repeated: false,
        help: "Add overviews to a GeoTIFF",
        set: |options, text| text.parse().ok().map(|flag| options.overviews = flag),
        allowed: "true, false",
    },
    OptionSpec {
        name: "overview-resampling",
        value: "NAME",
        repeated: false,
        help: "How overviews are made: average, of values; nearest: one of the cells; mode: the most frequent one, of \
               classes [default: average; mode where mask and rescale keep colours or names of classes]",
        set: |options, text| {
            let found = pick(&Resampling::ALL, text).filter(|found| OVERVIEW_RESAMPLING.contains(found));
            found.map(|found| options.overview_resampling = Some(found))
        },
        allowed: "average, nearest, mode",
    },
    OptionSpec {
        name: "overwrite",
        value: "",
        repeated: false,
        help: "Replace the output if it exists",
        set: |options, text| text.parse().ok().map(|flag| options.overwrite = flag),
        allowed: "true, false",
    },
    OptionSpec {
        name: "profile",
        value: "FILE",
        repeated: false,
        help: "Write what each thread did when, as a Chrome trace (JSON), and print a summary",
        set: |options, text| {
            options.profile = Some(text.into()).filter(|text: &String| !text.is_empty());
            options.profile.as_ref().map(drop)
        },
        allowed: "a file",
    },
    OptionSpec {
        name: "extent",
        value: "XMIN,YMIN,XMAX,YMAX",
        repeated: false,
        help: "Part of the raster to write, in its coordinates; the cells are those of the whole picture \
               [default: all of it]",
        set: |options, text| Extent::parse(text).map(|extent| options.extent = Some(extent)),
        allowed: "XMIN,YMIN,XMAX,YMAX, the smaller ones first",
    },
    OptionSpec {
        name: "band",
        value: "N",
        repeated: false,
        help: "Band of the input, from 1 [default: 1]",
        set: |options, text| {
            options.band = Some(text.parse().ok().filter(|n| *n >= 1)?);
            Some(())
        },
        allowed: "a whole number of at least 1",
    },
    OptionSpec {
        name: "nodata",
        value: "VALUE",
        repeated: false,
        help: "Value that means nodata in the input [default: as the file says]",
        set: |options, text| {
            options.nodata = Some(text.parse().ok()?);
            Some(())
        },
        allowed: "a number, or nan",
    },
    OptionSpec {
        name: "compat",
        value: "NAME",
        repeated: false,
        help: "rvt: the numbers of RVT (Relief Visualization Toolbox) also where they are known to be wrong \
               [default: none]",
        set: |options, text| pick(&COMPATIBILITIES, text).map(|found| options.compatibility = found),
        allowed: "none, rvt",
    },
];

/// Compatibilities by name.
pub const COMPATIBILITIES: [(&str, Compatibility); 2] =
    [("none", Compatibility::None), ("rvt", Compatibility::Rvt)];

/// How a compatibility is written.
pub fn compatibility_name(compatibility: Compatibility) -> &'static str {
    name_of(&COMPATIBILITIES, compatibility)
}

/// How a type of cells is written.
pub fn cell_type_name(cell_type: CellType) -> &'static str {
    name_of(&CellType::ALL, cell_type)
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

fn pick<T: Copy>(all: &[(&str, T)], text: &str) -> Option<T> {
    all.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, found)| *found)
}

impl JobOptions {
    /// How overviews of values are made.
    pub fn overview_resampling(&self) -> Resampling {
        self.overview_resampling.unwrap_or(Resampling::Average)
    }

    /// Format of an output: the one asked for, else that of its name's ending.
    pub fn format_of(&self, output: &str) -> Format {
        let ending = Path::new(output.trim_end_matches('/')).extension();
        let is_of =
            |format: &Format| ending.is_some_and(|ending| ending.eq_ignore_ascii_case(format.ending()));
        let by_name = || [Format::Zarr, Format::Vrt].into_iter().find(is_of);
        self.format.or_else(by_name).unwrap_or_default()
    }

    /// Sets one option from text; the error says what came and what is allowed.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let found = OPTIONS.iter().find(|option| option.name == name);
        let option = found.ok_or_else(|| unknown_name("option", name, OPTIONS.iter().map(|o| o.name)))?;
        (option.set)(self, value.trim()).ok_or_else(|| {
            Error::Argument(format!("{name} = '{value}' is not allowed; allowed: {}", option.allowed))
        })
    }
}

/// Description of all options for other programs.
pub fn describe() -> serde_json::Value {
    let option = |option: &OptionSpec| {
        json!({
            "name": option.name, "value": option.value, "repeated": option.repeated,
            "allowed": option.allowed, "help": option.help,
        })
    };
    OPTIONS.iter().map(option).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        let mut options = JobOptions::default();
        for (name, value) in
            [("memory", "256M"), ("co", "compress=lzw"), ("co", "COMPRESS=NONE"), ("stretch", "0, 5")]
        {
            options.set(name, value).unwrap();
        }
        assert_eq!(options.memory, Some(256 << 20));
        assert_eq!(options.creation, [("COMPRESS".to_string(), "NONE".to_string())]);
        assert_eq!(options.stretch, Some(Cut::Values { min: 0.0, max: 5.0 }));
        for (name, value) in [
            ("threads", "0"),
            ("memory", "lots"),
            ("tile-size", "3"),
            ("type", "int16"),
            ("stretch", "5,0"),
            ("stretch", "0,nan"),
            ("stretch", "percent:60,40"),
            ("format", "PNG"),
            ("overview-resampling", "cubic"),
            ("co", "COMPRESS"),
            ("band", "0"),
            ("nodata", "none"),
            ("extent", "1,2,3"),
            ("compat", "qgis"),
        ] {
            let error = options.set(name, value).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains("; allowed: "), "{error}");
        }
        assert_eq!(
            options.stretch,
            Some(Cut::Values { min: 0.0, max: 5.0 }),
            "what is refused changes nothing"
        );
        let formats = |options: &JobOptions| {
            ["a.tif", "a.ZARR", "a.zarr/", "a.vrt", "zarr"].map(|output| options.format_of(output))
        };
        let (plain, zarr) = (Format::GTiff, Format::Zarr);
        assert_eq!(formats(&options), [plain, zarr, zarr, Format::Vrt, plain]);
        options.set("format", "COG").unwrap();
        assert_eq!(formats(&options), [Format::Cog; 5]);
        assert!(options.set("colour", "red").unwrap_err().to_string().contains("allowed: threads, memory"));
    }
}
