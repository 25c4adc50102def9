//! Row buffers of a chain and what steps do with them.

use super::{Bands, Registers, Step};
use crate::render::blend::{stretch_row, Background, Top};
use crate::render::gamma::gamma_row;
use crate::render::mask::mask_row;

impl Registers {
    /// The first `width` cells of a register.
    pub(super) fn row(&self, register: usize, width: usize) -> &[f32] {
        match register.checked_sub(self.kernels.nrows()) {
            Some(picture) => &self.pictures[picture][..width],
            None => &self.kernels.row(register).to_slice().expect("registers are contiguous")[..width],
        }
    }

    /// Takes one step on the first `width` cells.
    pub(super) fn take(&mut self, step: &Step, width: usize) {
        match step {
            Step::Stretch { from, stretch, gamma, to } => self.change(to, |registers, rows| {
                for (from, to) in from.iter().zip(rows) {
                    stretch_row(registers.row(*from, width), *stretch, &mut to[..width]);
                    gamma_row(*gamma, &mut to[..width]);
                }
            }),
            Step::Color { from, stretch, map, to, .. } => self.change(to, |registers, rows| {
                let from = registers.row(*from, width);
                match rows {
                    [red, green, blue, alpha] => {
                        let to = [red, green, blue, alpha].map(|row| &mut row[..width]);
                        map.row(from, *stretch, to);
                    }
                    rows => map.row(from, *stretch, three(rows).each_mut().map(|row| &mut row[..width])),
                }
            }),
            Step::Blend { top, stretch, blend, background, widens } => {
                self.change(background, |registers, rows| {
                    let top = registers.top(top, width);
                    let below = match rows {
                        [grey] => Background::Grey(&mut grey[..width]),
                        rows => {
                            let rows = three(rows).each_mut().map(|row| &mut row[..width]);
                            if *widens {
                                Background::Widened(rows)
                            } else {
                                Background::Rgb(rows)
                            }
                        }
                    };
                    blend.row(top, *stretch, below);
                });
            }
            Step::Keep { from, to } => self.change(to, |registers, rows| {
                // A grey picture that becomes coloured is grey in every band before.
                for (index, to) in rows.iter_mut().enumerate() {
                    to[..width].copy_from_slice(registers.row(from[index.min(from.len() - 1)], width));
                }
            }),
            Step::Mask { kept, mask, picture } => self.change(picture, |registers, rows| {
                for (kept, picture) in kept.iter().zip(rows) {
                    let (kept, mask) = (registers.row(*kept, width), registers.row(*mask, width));
                    mask_row(kept, mask, &mut picture[..width]);
                }
            }),
        }
    }

    fn top(&self, bands: &Bands, width: usize) -> Top<'_> {
        match bands.as_slice() {
            [red, green, blue] => Top::Rgb([red, green, blue].map(|register| self.row(*register, width))),
            bands => Top::Grey(self.row(bands[0], width)),
        }
    }

    /// Lends out up to four registers of pictures to be changed while the others are read.
    fn change(&mut self, bands: &Bands, change: impl FnOnce(&Self, &mut [Vec<f32>])) {
        let first = self.kernels.nrows();
        let mut rows = [const { Vec::new() }; 4];
        for (row, register) in rows.iter_mut().zip(bands) {
            *row = std::mem::take(&mut self.pictures[register - first]);
        }
        change(self, &mut rows[..bands.len()]);
        for (row, register) in rows.into_iter().zip(bands) {
            self.pictures[register - first] = row;
        }
    }
}

fn three(rows: &mut [Vec<f32>]) -> &mut [Vec<f32>; 3] {
    rows.first_chunk_mut().expect("a coloured row has three bands")
}
