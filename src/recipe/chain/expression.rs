//! What the bands of a settled chain are made of, as expressions: for programs that compute pictures by themselves from
//! the values of operations, such as GDAL with a VRT.

use super::{Bands, Chain, Step};
use crate::core::error::{Error, Result};
use crate::recipe::{ColorReference, LayerRaster, OperationCall};
use crate::render::blend::Blend;
use crate::render::stretch::LinearStretch;
use std::sync::Arc;

/// What a layer that is no recipe shows.
#[derive(Debug, Clone)]
pub enum Values {
    /// One operation of the elevations.
    Operation(OperationCall),
    /// Another raster.
    Raster(LayerRaster),
}

/// One or several bands, and how they come about.
#[derive(Debug)]
pub enum Expression {
    /// All bands of an operation, or a raster's one.
    Values(Values, usize),
    /// Stretched to 0..1.
    Stretch {
        /// What is stretched.
        of: Arc<Expression>,
        /// Between which values.
        stretch: LinearStretch,
        /// Brightness of the middle.
        gamma: f32,
    },
    /// A colour map: red, green, blue.
    Color {
        /// A single band.
        of: Arc<Expression>,
        /// Its values at both ends of the map.
        stretch: LinearStretch,
        /// The map.
        color: ColorReference,
    },
    /// A layer over a background.
    Blend {
        /// One or three bands, not yet stretched.
        top: Arc<Expression>,
        /// The stretch of the layer.
        stretch: LinearStretch,
        /// Mode and opacity.
        blend: Blend,
        /// One or three bands from 0 to 1.
        background: Arc<Expression>,
    },
    /// Bands of several expressions.
    Bands(Vec<BandOf>),
}

/// A band, from 0, of an expression.
pub type BandOf = (Arc<Expression>, usize);

/// A band of the output.
#[derive(Debug)]
pub struct OutputExpression {
    /// Its values.
    pub band: BandOf,
    /// What it becomes as 8 bit.
    pub display: LinearStretch,
    /// Only whether there is a value.
    pub alpha: bool,
}

impl Expression {
    /// Bands as one expression: the one they are all bands of, in order, when there is such a one.
    pub fn of_bands(bands: Vec<BandOf>) -> Arc<Self> {
        let whole = bands.first().map(|(first, _)| Arc::clone(first)).filter(|first| {
            let same = |(place, (of, band)): (usize, &BandOf)| Arc::ptr_eq(of, first) && *band == place;
            first.bands() == bands.len() && bands.iter().enumerate().all(same)
        });
        whole.unwrap_or_else(|| Arc::new(Expression::Bands(bands)))
    }

    /// Number of its bands.
    pub fn bands(&self) -> usize {
        match self {
            Expression::Values(_, bands) => *bands,
            Expression::Stretch { of, .. } => of.bands(),
            Expression::Color { .. } => 3,
            Expression::Blend { top, blend, background, .. } => blend.bands(top.bands(), background.bands()),
            Expression::Bands(bands) => bands.len(),
        }
    }
}

impl Chain {
    /// What every band of the output is made of. Refuses masks and colours that are not opaque, and what still depends
    /// on the whole raster.
    pub fn expressions(&self) -> Result<Vec<OutputExpression>> {
        if !self.is_settled() {
            return Err(Error::Internal("a stretch is open".into()));
        }
        let mut registers = Written::default();
        for (values, bands) in &self.values {
            registers.write(bands, Expression::Values(values.clone(), bands.len()));
        }
        for (step, label) in self.steps.iter().zip(&self.labels) {
            let (expression, to) = registers.take(step).ok_or_else(|| {
                Error::Unsupported(format!("{label}: masks and transparent colours need the whole recipe"))
            })?;
            registers.write(to, expression);
        }
        let outputs = self.outputs.iter().map(|output| {
            let band = registers.band(output.register);
            OutputExpression { band, display: output.display, alpha: output.alpha }
        });
        Ok(outputs.collect())
    }
}

/// What was written into each register last.
#[derive(Default)]
struct Written {
    registers: Vec<Option<BandOf>>,
}

impl Written {
    fn write(&mut self, bands: &Bands, expression: Expression) {
        let expression = Arc::new(expression);
        for (band, register) in bands.iter().enumerate() {
            if self.registers.len() <= *register {
                self.registers.resize(register + 1, None);
            }
            self.registers[*register] = Some((Arc::clone(&expression), band));
        }
    }

    fn band(&self, register: usize) -> BandOf {
        let written = self.registers.get(register).and_then(Clone::clone);
        written.unwrap_or_else(|| (Arc::new(Expression::Bands(Vec::new())), 0))
    }

    /// Registers as one expression: the one that filled them, when it is the same.
    fn gather(&self, bands: &[usize]) -> Arc<Expression> {
        Expression::of_bands(bands.iter().map(|register| self.band(*register)).collect())
    }

    /// What a step makes, and where it stands then; None for what a mask does.
    fn take<'s>(&self, step: &'s Step) -> Option<(Expression, &'s Bands)> {
        match step {
            Step::Stretch { from, stretch, gamma, to } => {
                let of = self.gather(from);
                Some((Expression::Stretch { of, stretch: *stretch, gamma: *gamma }, to))
            }
            Step::Color { from, stretch, color, to, .. } if to.len() == 3 => {
                let of = self.gather(std::slice::from_ref(from));
                Some((Expression::Color { of, stretch: *stretch, color: color.clone() }, to))
            }
            Step::Blend { top, stretch, blend, background, widens } => {
                let top = self.gather(top);
                // A grey picture that becomes coloured stands in the first of three registers.
                let below = if *widens { &background[..1] } else { &background[..] };
                let below = self.gather(below);
                let (stretch, blend) = (*stretch, *blend);
                Some((Expression::Blend { top, stretch, blend, background: below }, background))
            }
            Step::Color { .. } | Step::Keep { .. } | Step::Mask { .. } => None,
        }
    }
}
