//! What an output takes over from the file it is made of.

use super::{PreparedStack, StackCommand};
use crate::core::error::Result;
use crate::core::operation::Role;
use crate::gdal::band_notes::{role_of, BandNotes};
use crate::pipeline::run::apart;

/// Where TIFF keeps when an image was taken.
const DATE: &str = "TIFFTAG_DATETIME";

/// What stands beside the cells of a file; lists of bands are empty where nothing is taken over.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) metadata: Vec<(String, String)>,
    pub(super) scales: Vec<(f64, f64)>,
    pub(super) roles: Vec<Role>,
    pub(super) notes: Vec<BandNotes>,
}

impl Carried {
    /// Whether cells are numbers of classes.
    pub(super) fn has_classes(&self) -> bool {
        self.notes.iter().any(BandNotes::has_classes)
    }
}

impl PreparedStack<'_> {
    /// Of the file of an image: the date; where cells are its own, what they are; and where they stay what they are all that
    /// stands beside them.
    pub(super) fn carried(&self, image: usize) -> Result<Carried> {
        let (stack, command, mut carried) = (&self.job.stack, self.job.command, Carried::default());
        if command == StackCommand::Reduce {
            return Ok(carried);
        }
        let layer = &self.program.layers[0];
        let planes: Vec<usize> = layer.values.iter().map(|place| layer.planes[*place]).collect();
        let keeps = command != StackCommand::Calc && self.program.formula.is_none() && !stack.unscale;
        if let (true, false) = (keeps, planes.is_empty()) {
            self.take_over(&planes, &mut carried)?;
        }
        if let Some((time, _)) = self.images[image].time {
            carried.metadata.retain(|(key, _)| key != DATE);
            carried.metadata.push((DATE.into(), time.strftime("%Y:%m:%d %H:%M:%S").to_string()));
        }
        Ok(carried)
    }

    /// Of the files of bands that are written as they are, or rescaled.
    fn take_over(&self, planes: &[usize], carried: &mut Carried) -> Result<()> {
        let stack = &self.job.stack;
        let scales = stack.scale.is_some() || stack.offset.is_some();
        let limits = stack.min.is_some() || stack.max.is_some();
        if !scales {
            carried.scales = planes.iter().map(|plane| self.source.facts(*plane).1.scale).collect();
        }
        let bands: Vec<(&str, usize)> = planes.iter().map(|plane| self.source.place(*plane)).collect();
        let (metadata, notes) = apart(|| {
            let (mut metadata, mut notes) = (Vec::new(), Vec::new());
            for file in bands.chunk_by(|first, second| first.0 == second.0) {
                let raster = self.gdal.open_raster(file[0].0)?;
                if notes.is_empty() {
                    metadata = raster.all_metadata();
                }
                for (_, band) in file {
                    notes.push((role_of(&raster, *band)?, BandNotes::of(&raster, *band)?));
                }
            }
            Ok((metadata, notes))
        })?;
        let own =
            |key: &str| key.starts_with("TERRALUME_") || key == "TIFFTAG_SOFTWARE" || key == "AREA_OR_POINT";
        carried.metadata = metadata.into_iter().filter(|(key, _)| !own(key)).collect();
        (carried.roles, carried.notes) = notes.into_iter().unzip();
        if scales || limits {
            carried.notes.clear();
        }
        Ok(())
    }
}
