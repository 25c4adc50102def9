//! Layers as steps on registers, walked in the order in which their kernels were collected.

use super::{Bands, ChainOptions, OpenStretch, Place, Step};
use crate::core::error::{Error, Result};
use crate::core::stretch::Stretch;
use crate::recipe::{Combine, Content, Layer, Recipe};
use crate::render::blend::Blend;
use crate::render::limits::LimitSearch;
use crate::render::stretch::LinearStretch;
use std::sync::Arc;

/// Stands where the ends of a stretch are open; nothing is written before they are found.
pub(super) const OPEN: (f64, f64) = (0.0, 1.0);

/// Turns layers into steps.
pub(super) struct StepPlanner {
    /// Registers of every layer that is no recipe.
    calls: std::vec::IntoIter<Bands>,
    kernel_registers: usize,
    registers: usize,
    pub(super) steps: Vec<Step>,
    /// What each step does, for people.
    pub(super) labels: Vec<String>,
    pub(super) open: Vec<OpenStretch>,
    options: ChainOptions,
}

/// What a layer shows before it is stretched.
struct Shown {
    bands: Bands,
    /// Steps that must be done before the registers hold it.
    after: usize,
    /// Where the layer is shown, 0 to 1.
    mask: Option<usize>,
}

impl StepPlanner {
    pub(super) fn new(calls: Vec<Bands>, kernel_registers: usize, options: ChainOptions) -> Self {
        let (steps, labels, open) = (Vec::new(), Vec::new(), Vec::new());
        let calls = calls.into_iter();
        Self { calls, kernel_registers, registers: kernel_registers, steps, labels, open, options }
    }

    /// Registers of pictures.
    pub(super) fn pictures(&self) -> usize {
        self.registers - self.kernel_registers
    }

    /// Registers of the next layer that is no recipe.
    pub(super) fn next_call(&mut self) -> Bands {
        self.calls.next().unwrap_or_default()
    }

    fn push(&mut self, step: Step, label: String) {
        self.steps.push(step);
        self.labels.push(label);
    }

    fn new_registers(&mut self, count: usize) -> Bands {
        self.registers += count;
        (self.registers - count..self.registers).collect()
    }

    /// The stretch of `bands`, which hold what they should after so many steps; open where its ends are.
    pub(super) fn stretch(
        &mut self,
        name: &str,
        stretch: Stretch,
        (bands, after): (&Bands, usize),
        place: Place,
    ) -> Result<LinearStretch> {
        let cut = stretch.cut.check().map_err(|error| Error::Argument(format!("layer '{name}': {error}")))?;
        if let Some(search) = LimitSearch::new(cut) {
            let (name, registers) = (name.to_string(), bands.clone());
            self.open.push(OpenStretch { name, place, registers, after, invert: stretch.invert, search });
        }
        Ok(LinearStretch::new(stretch.limits().unwrap_or(OPEN), stretch.invert))
    }

    /// The stretch of a layer for the step that comes next.
    fn next_stretch(&mut self, layer: &Layer, bands: &Bands, after: usize) -> Result<LinearStretch> {
        let stretch = layer.display_stretch(self.options.compatibility);
        let place = Place::Step(self.steps.len());
        self.stretch(&layer.name, stretch, (bands, after), place)
    }

    /// The registers that hold a recipe's picture.
    pub(super) fn picture(&mut self, recipe: &Recipe) -> Result<Bands> {
        let shown = recipe.layers.iter().map(|layer| self.show(layer)).collect::<Result<Vec<_>>>()?;
        let layers = shown.into_iter().zip(&recipe.layers);
        match recipe.combine {
            Combine::Rgb => self.composite(layers),
            Combine::Blend => self.blended(layers.rev()),
        }
    }

    /// Layers from the bottom to the top.
    fn blended<'a>(&mut self, layers: impl Iterator<Item = (Shown, &'a Layer)>) -> Result<Bands> {
        let mut picture = Bands::new();
        for (shown, layer) in layers {
            if picture.is_empty() {
                if layer.mask.is_some() {
                    let name = &layer.name;
                    return Err(Error::Recipe(format!(
                        "layer '{name}': the lowest layer has a mask; allowed: on the layers above it"
                    )));
                }
                picture = self.stretched(&shown, layer)?;
                // Nothing lies below that could shine through.
                picture.truncate(3);
            } else {
                self.lay(&shown, layer, &mut picture)?;
            }
        }
        Ok(picture)
    }

    /// Three grey layers as red, green and blue.
    fn composite<'a>(&mut self, layers: impl Iterator<Item = (Shown, &'a Layer)>) -> Result<Bands> {
        let mut picture = Bands::new();
        for (shown, layer) in layers {
            if shown.bands.len() != 1 || layer.color.is_some() {
                let name = &layer.name;
                return Err(Error::Recipe(format!(
                    "layer '{name}' is coloured; allowed in rgb: grey layers"
                )));
            }
            picture.extend(self.stretched(&shown, layer)?);
        }
        Ok(picture)
    }

    /// Where a layer's content stands: what kernels fill, or an inner picture.
    fn show(&mut self, layer: &Layer) -> Result<Shown> {
        let (bands, after) = match &layer.content {
            Content::Recipe(inner) => (self.picture(inner)?, self.steps.len()),
            Content::Operation(_) | Content::Raster(_) | Content::Stack(_) => (self.next_call(), 0),
        };
        let mask = layer.mask.as_ref().map(|mask| self.mask(mask)).transpose()?;
        match bands.len() {
            1 => {}
            3 if layer.color.is_none() => {}
            count => {
                let (name, allowed) = (
                    &layer.name,
                    if layer.color.is_some() { "one band under a colour map" } else { "one or three" },
                );
                return Err(Error::Recipe(format!(
                    "layer '{name}' has {count} bands; allowed in a blend: {allowed}"
                )));
            }
        }
        Ok(Shown { bands, after, mask })
    }

    fn mask(&mut self, mask: &Layer) -> Result<usize> {
        let shown = self.show(mask)?;
        let [register] = self.stretched(&shown, mask)?[..] else {
            let name = &mask.name;
            return Err(Error::Recipe(format!("mask '{name}' is coloured; allowed: one band")));
        };
        Ok(register)
    }

    /// A layer alone, 0 to 1, in registers of its own.
    fn stretched(&mut self, shown: &Shown, layer: &Layer) -> Result<Bands> {
        let Some(color) = &layer.color else { return self.grey(shown, layer) };
        let range = layer.stretch.and_then(Stretch::limits);
        let map = color.load(range);
        let map = map.map_err(|error| Error::Recipe(format!("layer '{}': {error}", layer.name)))?;
        let (bands, stretch) = match layer.gamma == 1.0 {
            true => (shown.bands.clone(), self.next_stretch(layer, &shown.bands, shown.after)?),
            false => (self.grey(shown, layer)?, LinearStretch::UNIT),
        };
        let to = self.new_registers(map.bands());
        let label = format!("colour {} with {}", layer.name, color.name);
        let step =
            Step::Color { from: bands[0], stretch, map: Arc::new(map), color: color.clone(), to: to.clone() };
        self.push(step, label);
        Ok(to)
    }

    /// The same without its colour map.
    fn grey(&mut self, shown: &Shown, layer: &Layer) -> Result<Bands> {
        let stretch = self.next_stretch(layer, &shown.bands, shown.after)?;
        let to = self.new_registers(shown.bands.len());
        let (from, gamma) = (shown.bands.clone(), layer.gamma as f32);
        let label = format!("stretch {}", layer.name);
        self.push(Step::Stretch { from, stretch, gamma, to: to.clone() }, label);
        Ok(to)
    }

    /// Lays a layer over a picture, which becomes coloured when the layer is.
    fn lay(&mut self, shown: &Shown, layer: &Layer, picture: &mut Bands) -> Result<()> {
        let blend = Blend::new(layer.mode, layer.opacity / 100.0, self.options.compatibility);
        let is_plain = layer.color.is_none() && layer.gamma == 1.0;
        let mut top = if is_plain { shown.bands.clone() } else { self.stretched(shown, layer)? };
        let alpha = (top.len() == 4).then(|| top.pop()).flatten();
        if let (Some(_), Some(_)) = (alpha, shown.mask) {
            let name = &layer.name;
            return Err(Error::Recipe(format!(
                "layer '{name}' has a mask and colours that are not opaque; allowed: one of them"
            )));
        }
        let mask = shown.mask.or(alpha);
        let count = blend.bands(top.len(), picture.len());
        let kept = mask.map(|_| {
            let to = self.new_registers(count);
            let label = format!("keep the picture below {}", layer.name);
            self.push(Step::Keep { from: picture.clone(), to: to.clone() }, label);
            to
        });
        let widens = count > picture.len();
        let more = self.new_registers(count - picture.len().min(count));
        picture.extend(more);
        let stretch = match is_plain {
            true => self.next_stretch(layer, &shown.bands, shown.after)?,
            false => LinearStretch::UNIT,
        };
        let label = format!("lay {} over it: {}, {} %", layer.name, layer.mode.name(), layer.opacity);
        self.push(Step::Blend { top, stretch, blend, background: picture.clone(), widens }, label);
        if let (Some(kept), Some(mask)) = (kept, mask) {
            let label = format!("show {} where its mask says so", layer.name);
            self.push(Step::Mask { kept, mask, picture: picture.clone() }, label);
        }
        Ok(())
    }
}
