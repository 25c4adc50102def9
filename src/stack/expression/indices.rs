//! Indices of vegetation, water, snow, soil and fire, each a formula in the language itself.

use serde_json::json;

/// An index.
#[derive(Debug)]
pub struct Index {
    /// Its name as a function.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Bands, in the order of its arguments and of wavelengths.
    pub bands: &'static [&'static str],
    /// Its formula.
    pub formula: &'static str,
    /// Where it was first described.
    pub reference: &'static str,
    /// Whether bands have to be reflectances from 0 to 1; else any factor common to all bands cancels.
    pub reflectance: bool,
}

const fn ratio(
    name: &'static str,
    title: &'static str,
    bands: &'static [&'static str],
    formula: &'static str,
    reference: &'static str,
) -> Index {
    Index { name, title, bands, formula, reference, reflectance: false }
}

const fn scaled(
    name: &'static str,
    title: &'static str,
    bands: &'static [&'static str],
    formula: &'static str,
    reference: &'static str,
) -> Index {
    Index { name, title, bands, formula, reference, reflectance: true }
}

/// Every index.
pub static INDICES: &[Index] = &[
    ratio(
        "ndvi",
        "Normalised difference vegetation index",
        &["red", "nir"],
        "nd(red, nir)",
        "Rouse et al. 1974",
    ),
    ratio("gndvi", "Green NDVI", &["green", "nir"], "nd(green, nir)", "Gitelson et al. 1996"),
    ratio("ndre", "NDVI of the red edge", &["rededge", "nir"], "nd(rededge, nir)", "Barnes et al. 2000"),
    scaled(
        "evi",
        "Enhanced vegetation index",
        &["blue", "red", "nir"],
        "2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)",
        "Huete et al. 2002",
    ),
    scaled(
        "evi2",
        "Enhanced vegetation index of two bands",
        &["red", "nir"],
        "2.5 * (nir - red) / (nir + 2.4 * red + 1)",
        "Jiang et al. 2008",
    ),
    scaled(
        "savi",
        "Soil-adjusted vegetation index",
        &["red", "nir"],
        "1.5 * (nir - red) / (nir + red + 0.5)",
        "Huete 1988",
    ),
    scaled(
        "osavi",
        "Optimised soil-adjusted vegetation index",
        &["red", "nir"],
        "(nir - red) / (nir + red + 0.16)",
        "Rondeaux et al. 1996",
    ),
    scaled(
        "msavi",
        "Modified soil-adjusted vegetation index",
        &["red", "nir"],
        "(2 * nir + 1 - sqrt((2 * nir + 1)^2 - 8 * (nir - red))) / 2",
        "Qi et al. 1994",
    ),
    ratio("kndvi", "Kernel NDVI", &["red", "nir"], "tanh(nd(red, nir)^2)", "Camps-Valls et al. 2021"),
    scaled(
        "nirv",
        "Near-infrared reflectance of vegetation",
        &["red", "nir"],
        "nd(red, nir) * nir",
        "Badgley et al. 2017",
    ),
    ratio("gci", "Green chlorophyll index", &["green", "nir"], "nir / green - 1", "Gitelson et al. 2003"),
    ratio("sr", "Simple ratio", &["red", "nir"], "nir / red", "Jordan 1969"),
    ratio(
        "arvi",
        "Atmospherically resistant vegetation index",
        &["blue", "red", "nir"],
        "(nir - (2 * red - blue)) / (nir + (2 * red - blue))",
        "Kaufman and Tanre 1992",
    ),
    ratio("ndwi", "Normalised difference water index", &["green", "nir"], "nd(nir, green)", "McFeeters 1996"),
    ratio("mndwi", "Modified NDWI", &["green", "swir1"], "nd(swir1, green)", "Xu 2006"),
    ratio("ndmi", "Normalised difference moisture index", &["nir", "swir1"], "nd(swir1, nir)", "Gao 1996"),
    ratio(
        "ndsi",
        "Normalised difference snow index",
        &["green", "swir1"],
        "nd(swir1, green)",
        "Hall et al. 1995",
    ),
    ratio(
        "ndbi",
        "Normalised difference built-up index",
        &["nir", "swir1"],
        "nd(nir, swir1)",
        "Zha et al. 2003",
    ),
    ratio("nbr", "Normalised burn ratio", &["nir", "swir2"], "nd(swir2, nir)", "Key and Benson 2006"),
    ratio("nbr2", "Normalised burn ratio 2", &["swir1", "swir2"], "nd(swir2, swir1)", "Key and Benson 2006"),
    ratio(
        "bsi",
        "Bare soil index",
        &["blue", "red", "nir", "swir1"],
        "((swir1 + red) - (nir + blue)) / ((swir1 + red) + (nir + blue))",
        "Rikimaru et al. 2002",
    ),
];

impl Index {
    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        json!({
            "name": self.name, "title": self.title, "bands": self.bands, "formula": self.formula,
            "reference": self.reference, "reflectance": self.reflectance,
        })
    }
}
