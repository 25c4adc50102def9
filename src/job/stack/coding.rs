//! Which value means nodata in an output, and what masked cells get there.

use super::options::Scatter;
use super::{StackCommand, StackJob};
use crate::core::error::Result;
use crate::gdal::raster::BandFacts;
use crate::pipeline::stack::encode::Encoder;
use crate::pipeline::stack::io::PlaneInfo;
use crate::pipeline::stack::program::StackProgram;
use crate::stack::cells::{CellType, NodataValue};

/// How missing and masked cells of one output are written. Each file of several has its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Coding {
    nodata: NodataValue,
    where_masked: Option<f64>,
    alphas: Vec<usize>,
}

/// What an output of one image is made from.
pub struct Origin<'a> {
    /// Bands whose values are taken.
    pub facts: Vec<&'a BandFacts>,
    /// All that is read for it.
    pub planes: Vec<&'a PlaneInfo>,
    /// A formula makes something else of them.
    pub has_formula: bool,
}

impl Coding {
    /// Of one output. Refuses a value of masked cells that the type does not have.
    pub fn of(job: &StackJob, cell_type: CellType, origin: &Origin<'_>) -> Result<Self> {
        let options = &job.stack;
        let alphas = alphas(job, origin);
        let number = options.nodata.or_else(|| own_nodata(job, cell_type, &origin.facts));
        let nodata = match number {
            _ if !origin.has_formula && is_complete(job, &origin.planes) => NodataValue::Absent,
            Some(number) => NodataValue::Number(number),
            None if !cell_type.is_float() && alpha_tells(job, origin, alphas.len()) => NodataValue::Unmarked,
            None => NodataValue::Usual,
        };
        let mut where_masked = options.where_masked;
        if let Some(value) = where_masked.filter(|value| !value.is_nan()) {
            cell_type.check("where-masked", value)?;
            // Who burns the nodata value burns nodata.
            if Encoder::new(cell_type, nodata)?.nodata() == Some(cell_type.stored(value)) {
                where_masked = Some(f64::NAN);
            }
        }
        Ok(Self { nodata, where_masked, alphas })
    }

    /// Sets it for the next output of a program.
    pub fn apply(&self, program: &mut StackProgram) {
        (program.nodata, program.where_masked) = (self.nodata, self.where_masked);
        program.alphas.clone_from(&self.alphas);
    }
}

/// Results that say how opaque cells of the others in their file are.
fn alphas(job: &StackJob, origin: &Origin<'_>) -> Vec<usize> {
    let keeps = matches!(job.command, StackCommand::Mask | StackCommand::Rescale);
    if !keeps || origin.has_formula || job.stack.scatter == Some(Scatter::Band) {
        return Vec::new();
    }
    let bands = origin.facts.iter().enumerate();
    let alphas: Vec<usize> = bands.filter(|(_, band)| band.is_alpha).map(|(place, _)| place).collect();
    // An alpha band by itself is a band like others.
    if alphas.len() == origin.facts.len() {
        Vec::new()
    } else {
        alphas
    }
}

/// Whether nothing but alpha and masks says which cells of a file are missing: then alpha does in the output as well.
fn alpha_tells(job: &StackJob, origin: &Origin<'_>, alphas: usize) -> bool {
    let options = &job.stack;
    let others = options.source_nodata.is_some() || !options.rescale_nodata.is_empty() || options.skip_bad;
    let first = origin.planes.first().map(|plane| plane.file);
    let has_all = |plane: &&PlaneInfo| {
        !plane.cell_type.is_float() && plane.nodata.is_none() && Some(plane.file) == first
    };
    let by_alpha = |band: &&BandFacts| !band.masked || band.masked_by_alpha;
    alphas > 0 && !others && origin.planes.iter().all(has_all) && origin.facts.iter().all(by_alpha)
}

/// The nodata value of the first band that has one, where the type is kept.
fn own_nodata(job: &StackJob, cell_type: CellType, facts: &[&BandFacts]) -> Option<f64> {
    let keeps = matches!(job.command, StackCommand::Mask | StackCommand::Rescale);
    if !keeps || facts.first().is_none_or(|facts| facts.cell_type != cell_type) {
        return None;
    }
    // What the type does not have marks nothing.
    let fits = |value: &f64| value.is_nan() || cell_type.check("nodata value", *value).is_ok();
    let own = || facts.iter().find_map(|facts| facts.nodata.filter(fits));
    job.stack.source_nodata.or_else(own)
}

/// Whether masked cells of whole numbers get a value, and all others have one.
fn is_complete(job: &StackJob, planes: &[&PlaneInfo]) -> bool {
    let options = &job.stack;
    let has_all = |info: &&PlaneInfo| !info.cell_type.is_float() && info.nodata.is_none() && !info.masked;
    job.command == StackCommand::Mask
        && options.where_masked.is_some_and(f64::is_finite)
        && options.nodata.is_none()
        && !options.skip_bad
        && planes.iter().all(has_all)
}
