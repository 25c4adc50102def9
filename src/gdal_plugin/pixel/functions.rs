//! The pixel functions that look at one cell at a time, and their arguments.

use super::arguments::{missing, number, refused, Arguments, FINITE};
use super::{neighbours, stack};
use super::{Cells, Compute, BLOCK};
use crate::core::error::{Error, Result};
use crate::core::operation::Compatibility;
use crate::core::stretch::Cut;
use crate::render::blend::{stretch_row, Background, Blend, Mode, Top};
use crate::render::color_map::ColorMap;
use crate::render::encode::{alpha_row, bytes_row, opaque_row};
use crate::render::gamma::gamma_row;
use crate::render::stretch::LinearStretch;
use std::ffi::CStr;

/// A pixel function.
pub struct Function {
    /// Its name in a VRT.
    pub name: &'static CStr,
    /// Names of its arguments.
    pub arguments: &'static [&'static str],
    /// Reads them.
    pub prepare: Prepare,
}

/// Reads arguments, for this number of sources.
pub type Preparation<N> = fn(&Arguments, usize) -> Result<Box<dyn Compute<N>>>;

/// What a function computes with.
pub enum Prepare {
    /// Floats of 32 bits, as pictures.
    Single(Preparation<f32>),
    /// Floats of 64 bits, as GDAL's own functions.
    Double(Preparation<f64>),
}

/// All of them. Each place is also a number that the entry points are made with.
pub static FUNCTIONS: [Function; 10] = [
    Function {
        name: c"terralume_normalize",
        arguments: &["min", "max", "invert", "gamma", "nodata"],
        prepare: Prepare::Single(normalize),
    },
    Function {
        name: c"terralume_blend",
        arguments: &["mode", "opacity", "modes", "opacities", "top", "compat", "band", "nodata"],
        prepare: Prepare::Single(blend),
    },
    Function {
        name: c"terralume_colormap",
        arguments: &["map", "cut_min", "cut_max", "band", "min", "max", "invert", "nodata"],
        prepare: Prepare::Single(color_map),
    },
    Function {
        name: c"terralume_encode",
        arguments: &["min", "max", "invert", "form", "compat", "nodata"],
        prepare: Prepare::Single(encode),
    },
    Function {
        name: c"terralume_hillshade",
        arguments: &["cell_width", "cell_height", "azimuth", "elevation", "vertical_exaggeration", "nodata"],
        prepare: Prepare::Single(|arguments, sources| neighbours::prepare("hillshade", arguments, sources)),
    },
    Function {
        name: c"terralume_slope",
        arguments: &["cell_width", "cell_height", "unit", "vertical_exaggeration", "nodata"],
        prepare: Prepare::Single(|arguments, sources| neighbours::prepare("slope", arguments, sources)),
    },
    Function {
        name: c"terralume_expr",
        arguments: &["expression", "names", "result", "rule", "nodata", "result_nodata"],
        prepare: Prepare::Double(stack::expression),
    },
    Function {
        name: c"terralume_norm_diff",
        arguments: &["nodata", "result_nodata"],
        prepare: Prepare::Double(stack::normalised_difference),
    },
    Function {
        name: c"terralume_stat",
        arguments: &["stat", "weights", "min_count", "nodata", "result_nodata"],
        prepare: Prepare::Double(stack::statistic),
    },
    Function {
        name: c"terralume_qamask",
        arguments: &["mask", "outside", "value", "mask_nodata", "nodata", "result_nodata"],
        prepare: Prepare::Double(stack::quality_mask),
    },
];

/// GDAL before 3.12 passes by a function of a single source in overviews, so a VRT gives two; one is read.
fn check_one_or_more(sources: usize) -> Result<()> {
    if sources > 0 {
        return Ok(());
    }
    Err(Error::Argument("0 sources; allowed: 1 that counts, and any number after it".into()))
}

fn check_ends(min: f64, max: f64) -> Result<()> {
    let refuse = |_| refused("max", &max.to_string(), &format!("a number greater than min, which is {min}"));
    Cut::Values { min, max }.check().map(drop).map_err(refuse)
}

struct Normalize {
    stretch: LinearStretch,
    gamma: f32,
}

fn normalize(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute>> {
    check_one_or_more(sources)?;
    let (min, max) = (arguments.required_number("min", FINITE)?, arguments.required_number("max", FINITE)?);
    check_ends(min, max)?;
    let invert = arguments.switch("invert")?.unwrap_or(false);
    let gamma = arguments.number("gamma", 0.1..=10.0)?.unwrap_or(1.0) as f32;
    Ok(Box::new(Normalize { stretch: LinearStretch::new((min, max), invert), gamma }))
}

impl Compute for Normalize {
    fn sources(&self) -> usize {
        1
    }

    fn cells(&mut self, sources: &mut [Cells], out: &mut [f32]) {
        stretch_row(&sources[0][..out.len()], self.stretch, out);
        gamma_row(self.gamma, out);
    }
}

/// The bytes of an 8-bit picture.
struct Encode {
    stretch: LinearStretch,
    compatibility: Compatibility,
    form: BandForm,
    bytes: [u8; BLOCK],
}

/// What a band of bytes holds.
#[derive(Clone, Copy)]
enum BandForm {
    /// Values; a byte stands for missing ones.
    Nodata,
    /// Values beside a band that says which are missing.
    Opaque,
    /// Which cells have a value.
    Alpha,
}

fn encode(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute>> {
    check_one_or_more(sources)?;
    let ends =
        (arguments.number("min", FINITE)?.unwrap_or(0.0), arguments.number("max", FINITE)?.unwrap_or(1.0));
    check_ends(ends.0, ends.1)?;
    let invert = arguments.switch("invert")?.unwrap_or(false);
    let form = match arguments.choice("form", &["nodata", "opaque", "alpha"])? {
        Some(1) => BandForm::Opaque,
        Some(2) => BandForm::Alpha,
        _ => BandForm::Nodata,
    };
    let (stretch, compatibility) = (LinearStretch::new(ends, invert), compatibility(arguments)?);
    Ok(Box::new(Encode { stretch, compatibility, form, bytes: [0; BLOCK] }))
}

impl Compute for Encode {
    fn sources(&self) -> usize {
        1
    }

    fn cells(&mut self, sources: &mut [Cells], out: &mut [f32]) {
        let (values, bytes) = (&sources[0][..out.len()], &mut self.bytes[..out.len()]);
        match self.form {
            BandForm::Nodata => bytes_row(values, self.stretch, self.compatibility, bytes),
            BandForm::Opaque => opaque_row(values, self.stretch, bytes),
            BandForm::Alpha => alpha_row(values, bytes),
        }
        for (to, byte) in out.iter_mut().zip(bytes) {
            *to = f32::from(*byte);
        }
    }
}

struct Color {
    map: ColorMap,
    stretch: LinearStretch,
    band: usize,
}

fn color_map(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute>> {
    check_one_or_more(sources)?;
    let band = band(arguments, 3)?;
    let ends =
        (arguments.number("min", FINITE)?.unwrap_or(0.0), arguments.number("max", FINITE)?.unwrap_or(1.0));
    check_ends(ends.0, ends.1)?;
    let invert = arguments.switch("invert")?.unwrap_or(false);
    let cut = (arguments.number("cut_min", 0.0..=1.0)?, arguments.number("cut_max", 0.0..=1.0)?);
    let cut = match cut {
        (None, None) => None,
        (from, to) => Some((from.unwrap_or(0.0), to.unwrap_or(1.0))),
    };
    let name = arguments.text("map").ok_or_else(|| {
        let names: Vec<&str> = ColorMap::names().collect();
        missing("map", &names.join(", "))
    })?;
    let map = ColorMap::named(name, cut).map_err(|error| error.at("argument map"))?;
    Ok(Box::new(Color { map, stretch: LinearStretch::new(ends, invert), band }))
}

impl Compute for Color {
    fn sources(&self) -> usize {
        1
    }

    fn cells(&mut self, sources: &mut [Cells], out: &mut [f32]) {
        let mut others = [[0.0; BLOCK]; 2];
        let [first, second] = &mut others;
        let (first, second) = (&mut first[..out.len()], &mut second[..out.len()]);
        let values = &sources[0][..out.len()];
        let bands = match self.band {
            0 => [out, first, second],
            1 => [first, out, second],
            _ => [first, second, out],
        };
        self.map.row(values, self.stretch, bands);
    }
}

/// Which of the result's `count` bands the derived band is: need not be said of a single one.
fn band(arguments: &Arguments, count: usize) -> Result<usize> {
    let allowed = &["0", "1", "2"][..count];
    match arguments.choice("band", allowed)? {
        Some(band) => Ok(band),
        None if count == 1 => Ok(0),
        None => Err(missing("band", &format!("{} (red, green, blue)", allowed.join(", ")))),
    }
}

/// How sources lie over each other.
enum Layers {
    /// Any number of grey ones, the top one first, with what each but the last does to those below it.
    Grey(Vec<Blend>),
    GreyOverRgb(Blend),
    RgbOverGrey(Blend, usize),
    RgbOverRgb(Blend),
}

struct BlendSources {
    layers: Layers,
    band: usize,
}

fn blend(arguments: &Arguments, sources: usize) -> Result<Box<dyn Compute>> {
    let compatibility = compatibility(arguments)?;
    let layers = match arguments.text("modes") {
        Some(modes) => list_of_layers(modes, arguments, compatibility, sources)?,
        None => one_layer(arguments, compatibility, sources)?,
    };
    let bands = match layers {
        Layers::Grey(_) => 1,
        Layers::GreyOverRgb(_) | Layers::RgbOverRgb(_) => 3,
        Layers::RgbOverGrey(_, bands) => bands,
    };
    Ok(Box::new(BlendSources { layers, band: band(arguments, bands)? }))
}

fn compatibility(arguments: &Arguments) -> Result<Compatibility> {
    Ok(match arguments.choice("compat", &["none", "rvt"])? {
        Some(1) => Compatibility::Rvt,
        _ => Compatibility::None,
    })
}

fn mode(name: &str, text: &str) -> Result<Mode> {
    Mode::parse(text).map_err(|error| error.at(&format!("argument {name}")))
}

fn forbid(arguments: &Arguments, name: &str, because: &str) -> Result<()> {
    match arguments.text(name) {
        None => Ok(()),
        Some(text) => Err(refused(name, text, because)),
    }
}

fn one_layer(arguments: &Arguments, compatibility: Compatibility, sources: usize) -> Result<Layers> {
    forbid(arguments, "opacities", "with modes; with mode it is opacity")?;
    let named = arguments.text("mode").ok_or_else(|| {
        let names = Mode::ALL.map(|(name, _)| name);
        missing("mode", &format!("{}; or modes, for several layers", names.join(", ")))
    })?;
    let opacity = arguments.number("opacity", 0.0..=100.0)?.unwrap_or(100.0);
    let blend = Blend::new(mode("mode", named)?, opacity / 100.0, compatibility);
    let top = arguments.choice("top", &["grey", "rgb"])?;
    if sources != 4 {
        forbid(arguments, "top", "with 4 sources")?;
    }
    match (sources, top) {
        (2, _) => Ok(Layers::Grey(vec![blend])),
        (6, _) => Ok(Layers::RgbOverRgb(blend)),
        (4, Some(0)) => Ok(Layers::GreyOverRgb(blend)),
        (4, Some(_)) => Ok(Layers::RgbOverGrey(blend, blend.bands(3, 1))),
        (4, None) => Err(missing("top", "grey (then the background is red, green, blue), rgb (then it is grey)")),
        _ => Err(Error::Argument(format!(
            "{sources} sources; allowed: 2 (grey over grey), 4 (one of both is red, green, blue), 6 (both are); or \
             modes, for more than two grey layers"
        ))),
    }
}

fn list_of_layers(
    modes: &str,
    arguments: &Arguments,
    compatibility: Compatibility,
    sources: usize,
) -> Result<Layers> {
    for name in ["mode", "opacity"] {
        forbid(arguments, name, "without modes; with modes it is modes and opacities")?;
    }
    forbid(arguments, "top", "with mode and 4 sources; with modes all sources are grey")?;
    let modes: Vec<&str> = modes.split(',').collect();
    if sources < 2 || modes.len() != sources - 1 {
        let count = modes.len();
        return Err(Error::Argument(format!(
            "{sources} sources with {count} modes; allowed: one source more than modes, which are those of all \
             layers but the lowest"
        )));
    }
    let opacities: Vec<f64> = match arguments.text("opacities") {
        None => vec![100.0; modes.len()],
        Some(text) => {
            let read = |opacity| number("opacities", opacity, 0.0..=100.0);
            text.split(',').map(read).collect::<Result<_>>()?
        }
    };
    if opacities.len() != modes.len() {
        let given = arguments.text("opacities").unwrap_or_default();
        return Err(refused("opacities", given, &format!("{} numbers, as many as modes", modes.len())));
    }
    let layers = modes.into_iter().zip(opacities);
    let blends = layers
        .map(|(name, opacity)| Ok(Blend::new(mode("modes", name)?, opacity / 100.0, compatibility)))
        .collect::<Result<_>>()?;
    Ok(Layers::Grey(blends))
}

/// Red, green and blue, cut to the same length.
fn rows(bands: &[Cells], length: usize) -> [&[f32]; 3] {
    [0, 1, 2].map(|band| &bands[band][..length])
}

fn rows_mut(bands: &mut [Cells], length: usize) -> [&mut [f32]; 3] {
    let mut bands = bands.iter_mut().map(|band| &mut band[..length]);
    std::array::from_fn(|_| bands.next().unwrap_or_default())
}

impl Compute for BlendSources {
    fn sources(&self) -> usize {
        match &self.layers {
            Layers::Grey(blends) => blends.len() + 1,
            Layers::GreyOverRgb(_) | Layers::RgbOverGrey(..) => 4,
            Layers::RgbOverRgb(_) => 6,
        }
    }

    fn spare_rows(&self) -> usize {
        match self.layers {
            // The grey background becomes coloured in place.
            Layers::RgbOverGrey(..) => 2,
            _ => 0,
        }
    }

    fn cells(&mut self, sources: &mut [Cells], out: &mut [f32]) {
        let length = out.len();
        let unit = LinearStretch::UNIT;
        let picture = match &self.layers {
            Layers::Grey(blends) => {
                for (layer, blend) in blends.iter().enumerate().rev() {
                    let (above, below) = sources.split_at_mut(layer + 1);
                    let top = Top::Grey(&above[layer][..length]);
                    blend.row(top, unit, Background::Grey(&mut below[0][..length]));
                    // The picture so far is the background of the next layer.
                    if layer > 0 {
                        above[layer][..length].copy_from_slice(&below[0][..length]);
                    }
                }
                &sources[1..2]
            }
            Layers::GreyOverRgb(blend) => {
                let (above, below) = sources.split_at_mut(1);
                let top = Top::Grey(&above[0][..length]);
                blend.row(top, unit, Background::Rgb(rows_mut(below, length)));
                &sources[1..4]
            }
            Layers::RgbOverGrey(blend, bands) => {
                let (above, below) = sources.split_at_mut(3);
                let top = Top::Rgb(rows(above, length));
                let background = match bands {
                    1 => Background::Grey(&mut below[0][..length]),
                    _ => Background::Widened(rows_mut(below, length)),
                };
                blend.row(top, unit, background);
                &sources[3..]
            }
            Layers::RgbOverRgb(blend) => {
                let (above, below) = sources.split_at_mut(3);
                let top = Top::Rgb(rows(above, length));
                blend.row(top, unit, Background::Rgb(rows_mut(below, length)));
                &sources[3..]
            }
        };
        out.copy_from_slice(&picture[self.band][..length]);
    }
}
