//! Which cells of an image are masked, some at a time, or those of a tile at once where masks grow.

use super::io::{RawPlane, StackReader};
use super::program::{Layer, MaskUse, StackProgram};
use super::run::Image;
use crate::core::error::Result;
use crate::core::tile::Window;
use crate::stack::mask::{self, DilateScratch, MaskScratch};
use crate::stack::ROW;
use std::ops::Range;

/// Where a mask finds an input of an image.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Among the planes that are read for the formula.
    Values(usize),
    /// Among those that are read for masks alone.
    Own(usize),
}

/// What masks look at in one image.
struct Inputs {
    /// Planes that are read for masks alone.
    own: Vec<usize>,
    /// For each mask the places of its inputs; None where the image has no mask and is kept as it is.
    places: Vec<Option<Vec<Place>>>,
}

impl Inputs {
    /// `shared`: planes of the formula serve masks as well.
    fn of(layer: &Layer, masks: &[MaskUse], shared: bool) -> Self {
        let mut own = Vec::new();
        let mut place = |plane: usize| {
            let known = layer.planes.iter().position(|read| *read == plane).filter(|_| shared);
            known.map_or_else(|| Place::Own(position(&mut own, plane)), Place::Values)
        };
        let places = masks.iter().map(|used| {
            let wanted: Option<Vec<usize>> = used.inputs.iter().map(|input| layer.masks[*input]).collect();
            wanted.map(|planes| planes.into_iter().map(&mut place).collect())
        });
        let places = places.collect();
        Self { own, places }
    }
}

/// Place of a plane in a list, which takes it in if it must.
fn position(list: &mut Vec<usize>, plane: usize) -> usize {
    list.iter().position(|known| *known == plane).unwrap_or_else(|| {
        list.push(plane);
        list.len() - 1
    })
}

/// What one thread needs for masks.
pub(super) struct MaskWorker {
    images: Vec<Inputs>,
    inputs: Vec<f64>,
    scratches: Vec<MaskScratch>,
    masked: Vec<u8>,
    /// Planes of a tile and of the cells around it.
    planes: Vec<RawPlane>,
    wide: Vec<u8>,
    dilate: DilateScratch,
}

impl MaskWorker {
    pub fn new(program: &StackProgram) -> Self {
        let masks = &program.masks;
        let images = match masks.is_empty() {
            true => Vec::new(),
            false => {
                program.layers.iter().map(|layer| Inputs::of(layer, masks, program.dilate == 0)).collect()
            }
        };
        let most = masks.iter().map(|used| used.inputs.len()).max().unwrap_or(0);
        Self {
            images,
            inputs: vec![0.0; most * ROW],
            scratches: masks.iter().map(|used| used.mask.scratch()).collect(),
            masked: vec![0; if masks.is_empty() { 0 } else { ROW }],
            planes: Vec::new(),
            wide: Vec::new(),
            dilate: DilateScratch::default(),
        }
    }

    /// Reads what the masks of an image need beside its values.
    pub fn load(
        &mut self,
        program: &StackProgram,
        number: usize,
        (window, size): (Window, (usize, usize)),
        image: &mut Image,
        reader: &mut dyn StackReader,
    ) -> Result<()> {
        let Some(own) = self.images.get(number).map(|inputs| &inputs.own) else { return Ok(()) };
        if program.dilate == 0 {
            image.mask_planes.resize_with(own.len(), RawPlane::default);
            return reader.read(own, window, &mut image.mask_planes);
        }
        let wide = window.grown(program.dilate, size.0, size.1);
        self.planes.resize_with(own.len(), RawPlane::default);
        reader.read(own, wide, &mut self.planes)?;
        self.grow(program, number, (window, wide), image);
        Ok(())
    }

    /// Finds the masked cells of a tile and of those around it, and lets them grow.
    fn grow(
        &mut self,
        program: &StackProgram,
        number: usize,
        (window, wide): (Window, Window),
        image: &mut Image,
    ) {
        let halo = program.dilate;
        let (rows, cols) = (window.rows + 2 * halo, window.cols + 2 * halo);
        // Beyond the raster nothing is masked.
        let mut grown = std::mem::take(&mut self.wide);
        grown.clear();
        grown.resize(rows * cols, 0);
        let planes = std::mem::take(&mut self.planes);
        for row in 0..wide.rows {
            for first in (0..wide.cols).step_by(ROW) {
                let width = ROW.min(wide.cols - first);
                let (down, across) =
                    (wide.row + row + halo - window.row, wide.col + first + halo - window.col);
                let to = &mut grown[down * cols + across..][..width];
                self.find(program, number, row * wide.cols + first, (&[], &planes), to);
            }
        }
        image.masked.resize(window.cells(), 0);
        mask::dilate(&grown, (window.cols, window.rows), halo, &mut self.dilate, &mut image.masked);
        (self.wide, self.planes) = (grown, planes);
    }

    /// 1 where a mask covers one of some cells of an image; None without masks.
    pub fn cells<'a>(
        &'a mut self,
        program: &StackProgram,
        number: usize,
        cells: Range<usize>,
        image: &'a Image,
    ) -> Option<&'a [u8]> {
        let width = cells.len();
        if self.images.is_empty() {
            return None;
        }
        if program.dilate > 0 {
            return image.masked.get(cells);
        }
        let mut masked = std::mem::take(&mut self.masked);
        masked[..width].fill(0);
        let planes = (&image.planes[..], &image.mask_planes[..]);
        self.find(program, number, cells.start, planes, &mut masked[..width]);
        self.masked = masked;
        self.masked.get(..width)
    }

    /// Sets 1 where a mask covers one of the cells from `first` on.
    fn find(
        &mut self,
        program: &StackProgram,
        number: usize,
        first: usize,
        (values, own): (&[RawPlane], &[RawPlane]),
        to: &mut [u8],
    ) {
        let width = to.len();
        let masks = program.masks.iter().zip(&self.images[number].places).zip(&mut self.scratches);
        for ((used, places), scratch) in masks {
            let Some(places) = places else { continue };
            let plane = |place: &Place| match place {
                Place::Values(index) => &values[*index],
                Place::Own(index) => &own[*index],
            };
            let cells = first..first + width;
            if let (Some(bits), [place]) = (used.mask.any_bit(), &places[..]) {
                if plane(place).any_bit(cells.clone(), bits, program.outside, to) {
                    continue;
                }
            }
            for (place, numbers) in places.iter().zip(self.inputs.chunks_exact_mut(width)) {
                plane(place).numbers(cells.clone(), None, numbers);
            }
            used.mask.row(width, &self.inputs[..places.len() * width], scratch, program.outside, to);
        }
    }
}
