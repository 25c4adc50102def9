//! What an operation says of itself, and what its kernel must do.

use super::error::Result;
use super::grid::Grid;
use super::params::{ParamSpec, Values};
use super::stretch::Stretch;
use super::survey::{Answer, Question};
use super::tile::{Edge, Tile};
use ndarray::{ArrayViewMut2, ArrayViewMut3};
use serde_json::json;
use std::any::Any;
use std::borrow::Cow;
use std::ops::Range;

/// Whose numbers are wanted where RVT (Relief Visualization Toolbox) is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compatibility {
    /// The right ones.
    #[default]
    None,
    /// Those RVT gives.
    Rvt,
}

/// What a band is in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// A value of its own.
    #[default]
    Value,
    /// The red part of a colour.
    Red,
    /// The green part.
    Green,
    /// The blue part.
    Blue,
    /// Whether the cell has a value: 255, or 0.
    Alpha,
}

/// One output band.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Description of the band.
    pub name: String,
    /// Unit of its values, or empty.
    pub unit: Cow<'static, str>,
    /// Smallest and largest value that can come out.
    pub range: (f64, f64),
    /// What it is in a picture.
    pub role: Role,
}

impl Band {
    /// A band that stands for itself.
    pub fn new(name: impl Into<String>, unit: impl Into<Cow<'static, str>>, range: (f64, f64)) -> Self {
        Self { name: name.into(), unit: unit.into(), range, role: Role::Value }
    }

    /// Description for other programs.
    pub fn describe(&self) -> serde_json::Value {
        json!({"name": self.name, "unit": self.unit, "min": self.range.0, "max": self.range.1})
    }
}

/// An operation's entry in the registry.
pub struct Operation {
    /// Name at every face; for ever.
    pub id: &'static str,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// Name for people.
    pub title: &'static str,
    /// What one sees in the result, in a sentence or two.
    pub summary: &'static str,
    /// What is computed, for one cell of height z.
    pub formula: &'static str,
    /// Where the method was published.
    pub reference: &'static str,
    /// What a file of its values is called beside others: `{name}` stands for a parameter's value, and a part in
    /// brackets is left out while its parameter has the default value.
    pub file_name: &'static str,
    /// Parameters, in the order help shows them.
    pub parameters: fn() -> Vec<ParamSpec>,
    /// Output bands.
    pub bands: fn(&Values) -> Vec<Band>,
    /// Values shown as black and white when the result is written as 8 bit.
    pub stretch: fn(&Values, Compatibility) -> Stretch,
    /// Makes the kernel for a grid.
    pub build: fn(&Values, &Grid, Compatibility) -> Result<Box<dyn Kernel>>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl Operation {
    /// Whether `name` is this operation's id or one of its aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.aliases.contains(&name)
    }

    /// The part of a file's name that tells its values from those of other operations and parameters.
    pub fn file_stem(&self, values: &Values) -> String {
        let mut stem = String::new();
        let template = format!("{}[_VE{{vertical_exaggeration}}]", self.file_name);
        for part in template.split_inclusive(['[', ']']) {
            let optional = part.ends_with(']');
            let part = part.trim_end_matches(['[', ']']);
            let mut pieces = part.split(['{', '}']);
            let mut text = pieces.next().unwrap_or_default().to_string();
            let mut changed = false;
            while let (Some(name), Some(rest)) = (pieces.next(), pieces.next()) {
                changed |= !values.is_default(name);
                text.push_str(&values.text(name));
                text.push_str(rest);
            }
            if changed || !optional {
                stem.push_str(&text);
            }
        }
        // A length in metres says its unit itself.
        stem.replace("mpx", "m")
    }

    /// Description for other programs, with bands and stretch under default parameters.
    pub fn describe(&self) -> serde_json::Value {
        let specs = (self.parameters)();
        let parameters: Vec<_> = specs.iter().map(ParamSpec::describe).collect();
        let defaults = Values::defaults(specs);
        let bands: Vec<_> = (self.bands)(&defaults).iter().map(Band::describe).collect();
        let stretch = (self.stretch)(&defaults, Compatibility::None);
        let radius = (self.build)(&defaults, &Grid::square(1.0), Compatibility::None).map(|k| k.radius());
        json!({
            "id": self.id, "aliases": self.aliases, "title": self.title, "summary": self.summary,
            "formula": self.formula, "reference": self.reference, "parameters": parameters, "bands": bands,
            "radius": radius.unwrap_or(0),
            "stretch": describe_stretch(stretch),
        })
    }
}

/// A stretch as other programs read it: `cut` is the text that options take; `min` and `max` are there when the ends
/// are values.
pub fn describe_stretch(stretch: Stretch) -> serde_json::Value {
    let mut description = json!({"cut": stretch.cut.to_string(), "invert": stretch.invert});
    if let Some((min, max)) = stretch.limits() {
        description["min"] = json!(min);
        description["max"] = json!(max);
    }
    description
}

/// The arithmetic of one operation, or of several that share a pass over the cells.
pub trait Kernel: Send + Sync {
    /// How many bands it gives.
    fn bands(&self) -> usize;

    /// Cells it reads in every direction around a cell.
    fn radius(&self) -> usize;

    /// What it expects beyond the raster's edge.
    fn edge(&self) -> Edge;

    /// Bytes it holds for a tile of this size beside the tile itself, at most: the planner counts them.
    fn tile_memory(&self, _rows: usize, _cols: usize) -> usize {
        0
    }

    /// Its values are heights above the raster's own zero, not differences of heights.
    fn gives_heights(&self) -> bool {
        false
    }

    /// Makes ready for one tile. Once per tile, so it may allocate.
    fn on<'a>(&'a self, tile: Tile<'a>) -> Box<dyn TileKernel + 'a>;

    /// Takes another kernel's bands into this one's pass when both can share the work. Gives the place among
    /// this kernel's bands where each band of the other now stands.
    fn absorb(&mut self, _other: &dyn Kernel) -> Option<Vec<usize>> {
        None
    }

    /// What it must know of the whole raster before it can compute, if anything. Asked again after every answer.
    fn question(&self) -> Option<Question> {
        None
    }

    /// Takes the answer to its question.
    fn answer(&mut self, _answer: Answer) {}

    /// Itself, so that `absorb` can see what the other kernel is.
    fn as_any(&self) -> &dyn Any;
}

/// Takes in the measures that are not there yet; gives the place of each of `others`. What `Kernel::absorb` does once
/// it knows that the passes agree.
pub fn merge_measures<T: Clone + PartialEq>(measures: &mut Vec<T>, others: &[T]) -> Vec<usize> {
    let place = |other: &T| {
        measures.iter().position(|known| known == other).unwrap_or_else(|| {
            measures.push(other.clone());
            measures.len() - 1
        })
    };
    others.iter().map(place).collect()
}

/// A kernel on one tile.
pub trait TileKernel {
    /// Fills `out` (bands x columns) for `columns` of `row`. Missing cells are NaN, in and out.
    ///
    /// # Allocations: none.
    fn row(&mut self, row: usize, columns: Range<usize>, out: ArrayViewMut2<'_, f32>);

    /// Fills `out` (bands x rows x columns) with the whole tile and says so, where that spares what `row` would only
    /// copy; else does nothing. Rows of `out` are contiguous.
    fn whole(&mut self, _out: &mut ArrayViewMut3<'_, f32>) -> bool {
        false
    }
}
