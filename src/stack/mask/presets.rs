//! Quality bands of well-known products: which bit, field or class means what.

use serde_json::json;

/// A product's quality band.
#[derive(Debug)]
pub struct Preset {
    /// Its name in texts.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// What bands of this kind are usually called, in small letters.
    pub bands: &'static [&'static str],
    /// Everything it can say of a cell.
    pub flags: &'static [Flag],
}

/// One thing a quality band can say.
#[derive(Debug)]
pub struct Flag {
    /// Its name in texts.
    pub name: &'static str,
    /// Where it is found.
    pub place: Place,
}

/// Where a flag is found in a cell's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A bit that is set.
    Bit(u32),
    /// Two bits that hold a level, to be compared with a number or a word; the lower bit.
    Level(u32, &'static [&'static str; 4]),
    /// The number itself.
    Class(u32),
}

/// How sure a detection is.
const CONFIDENCE: &[&str; 4] = &["none", "low", "medium", "high"];

/// How many bands are saturated.
const SATURATION: &[&str; 4] = &["none", "few", "some", "many"];

const AEROSOL: &[&str; 4] = &["climatology", "low", "moderate", "high"];

const fn bit(name: &'static str, bit: u32) -> Flag {
    Flag { name, place: Place::Bit(bit) }
}

const fn level(name: &'static str, from: u32, words: &'static [&'static str; 4]) -> Flag {
    Flag { name, place: Place::Level(from, words) }
}

const fn class(name: &'static str, class: u32) -> Flag {
    Flag { name, place: Place::Class(class) }
}

/// Every preset.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "landsat_c2",
        title: "Landsat Collection 2, QA_PIXEL",
        bands: &["qa_pixel", "qa", "pixel_qa"],
        flags: &[
            bit("fill", 0),
            bit("dilated_cloud", 1),
            bit("cirrus", 2),
            bit("cloud", 3),
            bit("cloud_shadow", 4),
            bit("snow", 5),
            bit("clear", 6),
            bit("water", 7),
            level("cloud_confidence", 8, CONFIDENCE),
            level("cloud_shadow_confidence", 10, CONFIDENCE),
            level("snow_confidence", 12, CONFIDENCE),
            level("cirrus_confidence", 14, CONFIDENCE),
        ],
    },
    Preset {
        name: "landsat_c1",
        title: "Landsat 8 Collection 1, BQA",
        bands: &["bqa", "qa"],
        flags: &[
            bit("fill", 0),
            bit("terrain", 1),
            level("saturation", 2, SATURATION),
            bit("cloud", 4),
            level("cloud_confidence", 5, CONFIDENCE),
            level("cloud_shadow_confidence", 7, CONFIDENCE),
            level("snow_confidence", 9, CONFIDENCE),
            level("cirrus_confidence", 11, CONFIDENCE),
        ],
    },
    Preset {
        name: "hls",
        title: "Harmonized Landsat Sentinel-2, Fmask",
        bands: &["fmask", "qa"],
        flags: &[
            bit("cirrus", 0),
            bit("cloud", 1),
            bit("adjacent", 2),
            bit("cloud_shadow", 3),
            bit("snow", 4),
            bit("water", 5),
            level("aerosol", 6, AEROSOL),
        ],
    },
    Preset {
        name: "s2_scl",
        title: "Sentinel-2 scene classification, SCL",
        bands: &["scl"],
        flags: &[
            class("nodata", 0),
            class("saturated", 1),
            class("dark", 2),
            class("cloud_shadow", 3),
            class("vegetation", 4),
            class("bare", 5),
            class("water", 6),
            class("unclassified", 7),
            class("cloud_medium", 8),
            class("cloud_high", 9),
            class("cirrus", 10),
            class("snow", 11),
        ],
    },
    Preset {
        name: "qa60",
        title: "Sentinel-2 cloud mask, QA60",
        bands: &["qa60", "qa"],
        flags: &[bit("cloud", 10), bit("cirrus", 11)],
    },
];

impl Preset {
    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        let flags: Vec<_> = self.flags.iter().map(Flag::describe).collect();
        json!({"name": self.name, "title": self.title, "bands": self.bands, "flags": flags})
    }
}

impl Flag {
    fn describe(&self) -> serde_json::Value {
        match self.place {
            Place::Bit(bit) => json!({"name": self.name, "bit": bit}),
            Place::Level(from, levels) => {
                json!({"name": self.name, "bits": [from, from + 1], "levels": levels})
            }
            Place::Class(class) => json!({"name": self.name, "class": class}),
        }
    }
}
