//! What is done with a tile of a stack: masks, expressions, rescaling, merging and reducing, in this order.

use crate::stack::cells::{CellType, NodataValue};
use crate::stack::expression::Program;
use crate::stack::mask::{Mask, Outside};
use crate::stack::reduce::{Merge, ReducePlan};
use crate::stack::rescale::Rescale;
use std::ops::Range;

/// One image: numbers of its planes among those of the source.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// Planes that are read together, those of one file side by side, each once.
    pub planes: Vec<usize>,
    /// For each input of the formula its place in `planes`.
    pub values: Vec<usize>,
    /// For each input of the masks its plane; None where this image has no mask.
    pub masks: Vec<Option<usize>>,
    /// For each input of the formula what its cells are multiplied by and what is added then; empty: as they are.
    pub unscale: Vec<(f64, f64)>,
}

impl Layer {
    /// Of planes for the values and for the masks. `file` tells which planes stand together.
    pub fn new(values: &[usize], masks: &[Option<usize>], file: impl Fn(usize) -> usize) -> Self {
        let mut planes: Vec<usize> = values.to_vec();
        planes.sort_by_key(|plane| (file(*plane), *plane));
        planes.dedup();
        let place = |plane: &usize| planes.iter().position(|known| known == plane).unwrap_or(0);
        Self {
            values: values.iter().map(place).collect(),
            masks: masks.to_vec(),
            planes,
            unscale: Vec::new(),
        }
    }

    /// The same with some of the values.
    pub fn part(&self, values: Range<usize>) -> Self {
        let chosen = &self.values[values.clone()];
        let used: Vec<usize> = (0..self.planes.len()).filter(|place| chosen.contains(place)).collect();
        let place = |place: &usize| used.iter().position(|known| known == place).unwrap_or(0);
        Self {
            values: chosen.iter().map(place).collect(),
            masks: self.masks.clone(),
            planes: used.iter().map(|place| self.planes[*place]).collect(),
            unscale: self.unscale.get(values).unwrap_or_default().to_vec(),
        }
    }
}

/// A mask and which inputs of the masks it takes.
pub struct MaskUse {
    /// The mask.
    pub mask: Mask,
    /// Places among the `masks` of a layer.
    pub inputs: Vec<usize>,
}

/// How images of one day become one.
#[derive(Debug, Clone)]
pub struct Merging {
    /// Which value counts.
    pub merge: Merge,
    /// Layers of each day, one after another.
    pub days: Vec<Range<usize>>,
}

/// Everything that is done with the cells of a stack.
pub struct StackProgram {
    /// Images, in order of time.
    pub layers: Vec<Layer>,
    /// Masks; a cell that one of them covers is out.
    pub masks: Vec<MaskUse>,
    /// What a cell without mask data is.
    pub outside: Outside,
    /// Cells by which masks grow.
    pub dilate: usize,
    /// Value that masked cells of the result get, instead of having no data.
    pub where_masked: Option<f64>,
    /// The formula; None: the inputs are the results.
    pub formula: Option<Program>,
    /// Applied to the results.
    pub rescale: Option<Rescale>,
    /// Images of one day merged before they are reduced.
    pub merging: Option<Merging>,
    /// Reduction over time. None: there is one image, and its results are written.
    pub reduce: Option<ReducePlan>,
    /// All values that reductions see are exact in 32 bits.
    pub exact_in_float32: bool,
    /// Type of the output.
    pub cell_type: CellType,
    /// Its value for nodata.
    pub nodata: NodataValue,
    /// Results that say how opaque cells are; these have data everywhere, 0 where the others have none.
    pub alphas: Vec<usize>,
}

impl StackProgram {
    /// How many bands the formula gives.
    pub fn results(&self) -> usize {
        match &self.formula {
            Some(program) => program.results().len(),
            None => self.layers.first().map_or(0, |layer| layer.values.len()),
        }
    }

    /// How many bands are written.
    pub fn bands(&self) -> usize {
        self.results() * self.reduce.as_ref().map_or(1, |plan| plan.results().len())
    }

    /// Layers that become one, step by step.
    pub fn steps(&self) -> Vec<Range<usize>> {
        match &self.merging {
            Some(merging) => merging.days.clone(),
            None => (0..self.layers.len()).map(|layer| layer..layer + 1).collect(),
        }
    }

    /// Bytes of a cell that the reduction keeps.
    pub fn state_bytes(&self) -> usize {
        let state = |plan: &ReducePlan| plan.bytes_per_cell(self.exact_in_float32) * self.results();
        self.reduce.as_ref().map_or(0, state)
    }
}
