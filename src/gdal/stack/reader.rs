//! One worker's way to the cells: whole blocks past GDAL's cache, windows through it, or the warper.

use super::{Access, File, GdalStack, Plane};
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::gdal::blocks::copy_cells;
use crate::gdal::dataset::{Band, Dataset};
use crate::gdal::Gdal;
use crate::pipeline::io::Layout;
use crate::pipeline::stack::io::{PlaneInfo, RawPlane, StackReader};
use gdal_sys::GDALDataType;
use libc::{c_int, c_void};
use std::sync::atomic::Ordering;
use std::sync::PoisonError;

/// One worker's buffers.
pub(super) struct GdalStackReader<'a> {
    stack: &'a GdalStack,
    block: Vec<u8>,
    wide: Vec<f64>,
}

impl StackReader for GdalStackReader<'_> {
    fn read(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
        for (plane, out) in planes.iter().zip(out.iter_mut()) {
            out.prepare(&self.stack.infos[*plane], window);
        }
        let file = |plane: &usize| self.stack.infos[*plane].file;
        let mut first = 0;
        while first < planes.len() {
            let count =
                planes[first..].iter().take_while(|plane| file(plane) == file(&planes[first])).count();
            self.read_file(&planes[first..first + count], window, &mut out[first..first + count])?;
            first += count;
        }
        Ok(())
    }
}

impl<'a> GdalStackReader<'a> {
    /// Without any yet.
    pub(super) fn new(stack: &'a GdalStack) -> Self {
        Self { stack, block: Vec::new(), wide: Vec::new() }
    }

    /// Reads planes of one file.
    fn read_file(&mut self, planes: &[usize], window: Window, out: &mut [RawPlane]) -> Result<()> {
        let stack = self.stack;
        let file = &stack.files[stack.infos[planes[0]].file];
        match &file.access {
            Access::Warped => {
                for (plane, out) in planes.iter().zip(out) {
                    self.read_warped(*plane, window, out)?;
                }
                Ok(())
            }
            Access::Shared(turn) => {
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                self.with_handle(file, |reader, dataset| reader.read_windows(dataset, planes, window, out))
            }
            Access::Windows => {
                self.with_handle(file, |reader, dataset| reader.read_windows(dataset, planes, window, out))
            }
            Access::Blocks => {
                self.with_handle(file, |reader, dataset| reader.read_blocks(dataset, planes, window, out))
            }
        }
    }

    fn with_handle(
        &mut self,
        file: &File,
        read: impl FnOnce(&mut Self, &Dataset) -> Result<()>,
    ) -> Result<()> {
        let dataset = file.handles.take(|| file.open(self.stack.gdal))?;
        let result = read(self, &dataset);
        file.handles.give_back(dataset);
        result
    }

    fn read_windows(
        &mut self,
        dataset: &Dataset,
        planes: &[usize],
        window: Window,
        out: &mut [RawPlane],
    ) -> Result<()> {
        for (plane, out) in planes.iter().zip(out) {
            let info = &self.stack.infos[*plane];
            let band = dataset.band(self.stack.planes[*plane].band.band)?;
            // GDAL before 3.7 has no name for all types that files may have.
            let data_type = band.data_type();
            let mut read = band.read_window(dataset.gdal(), window, data_type, out.bytes_mut());
            if let Some(mask) = wanted_mask(info, &read, band) {
                read = mask.read_window(dataset.gdal(), window, GDALDataType::GDT_Byte, out.mask_mut());
            }
            if read.is_err() && self.stack.skip_bad {
                self.read_pieces(*plane, band, window, out)?;
            } else {
                self.settle(read, *plane, window, out, window)?;
            }
        }
        Ok(())
    }

    /// Reads a window in which something is unreadable: pieces of a fixed grid, so that the same cells are missing whatever
    /// the tiles.
    fn read_pieces(&mut self, plane: usize, band: Band, window: Window, out: &mut RawPlane) -> Result<()> {
        let info = self.stack.infos[plane];
        let size = info.cell_type.size();
        for (row, col) in blocks_under(window, info.layout) {
            let Layout { rows, cols, block_rows, block_cols } = info.layout;
            let (row, col) = (row * block_rows, col * block_cols);
            let place =
                Window { row, col, rows: block_rows.min(rows - row), cols: block_cols.min(cols - col) };
            self.block.resize(place.cells() * size, 0);
            let read = band.read_window(self.stack.gdal, place, band.data_type(), &mut self.block);
            if read.is_ok() {
                copy_cells(&self.block, place, window, size, out.bytes_mut());
            }
            let read = self.read_mask(&info, read, band, (place, window), out);
            self.settle(read, plane, place, out, window)?;
        }
        Ok(())
    }

    /// The mask of a part of the raster whose cells were read, if the band has one.
    fn read_mask(
        &mut self,
        info: &PlaneInfo,
        read: std::result::Result<(), String>,
        band: Band,
        (place, window): (Window, Window),
        out: &mut RawPlane,
    ) -> std::result::Result<(), String> {
        let Some(mask) = wanted_mask(info, &read, band) else { return read };
        self.block.resize(place.cells(), 0);
        mask.read_window(self.stack.gdal, place, GDALDataType::GDT_Byte, &mut self.block)?;
        copy_cells(&self.block, place, window, 1, out.mask_mut());
        Ok(())
    }

    /// Goes on after a failure, where the user wants it, with the cells of `part` missing.
    fn settle(
        &self,
        read: std::result::Result<(), String>,
        plane: usize,
        part: Window,
        out: &mut RawPlane,
        window: Window,
    ) -> Result<()> {
        let Err(reason) = read else {
            self.stack.files[self.stack.planes[plane].band.file].read.store(true, Ordering::Relaxed);
            return Ok(());
        };
        if !self.stack.skips(plane) {
            return Err(self.stack.read_error(plane, part, &reason));
        }
        let mask = out.mask_mut();
        for row in part.row.max(window.row)..(part.row + part.rows).min(window.row + window.rows) {
            let first = part.col.max(window.col) - window.col;
            let last = (part.col + part.cols).min(window.col + window.cols) - window.col;
            mask[(row - window.row) * window.cols..][first..last].fill(0);
        }
        Ok(())
    }

    /// Reads whole blocks. Bands that stand together in the file are read block by block, so that each block is decoded
    /// once for all of them.
    fn read_blocks(
        &mut self,
        dataset: &Dataset,
        planes: &[usize],
        window: Window,
        out: &mut [RawPlane],
    ) -> Result<()> {
        let stack = self.stack;
        let bands = planes.iter().map(|plane| dataset.band(stack.planes[*plane].band.band));
        let bands = bands.collect::<Result<Vec<_>>>()?;
        let layout = stack.infos[planes[0]].layout;
        if planes.iter().any(|plane| stack.infos[*plane].layout != layout) {
            for (index, plane) in planes.iter().enumerate() {
                let layout = stack.infos[*plane].layout;
                for block in blocks_under(window, layout) {
                    self.read_block(*plane, bands[index], block, window, &mut out[index])?;
                }
            }
            return Ok(());
        }
        for block in blocks_under(window, layout) {
            for (index, plane) in planes.iter().enumerate() {
                self.read_block(*plane, bands[index], block, window, &mut out[index])?;
            }
        }
        Ok(())
    }

    fn read_block(
        &mut self,
        plane: usize,
        band: Band,
        (block_row, block_col): (usize, usize),
        window: Window,
        out: &mut RawPlane,
    ) -> Result<()> {
        let info = self.stack.infos[plane];
        // The size in the file, which may be larger than the raster.
        let (rows, cols) = band.block_size();
        let place = Window { row: block_row * rows, col: block_col * cols, rows, cols };
        let size = info.cell_type.size();
        let read;
        if place == window {
            read = decode(self.stack.gdal, band, (block_row, block_col), out.bytes_mut());
        } else {
            self.block.resize(place.cells() * size, 0);
            read = decode(self.stack.gdal, band, (block_row, block_col), &mut self.block);
            if read.is_ok() {
                copy_cells(&self.block, place, window, size, out.bytes_mut());
            }
        }
        let (last_row, last_col) =
            (info.layout.rows.min(place.row + rows), info.layout.cols.min(place.col + cols));
        let inside = Window { rows: last_row - place.row, cols: last_col - place.col, ..place };
        let read = self.read_mask(&info, read, band, (inside, window), out);
        self.settle(read, plane, place, out, window)
    }

    fn read_warped(&mut self, plane: usize, window: Window, out: &mut RawPlane) -> Result<()> {
        let stack = self.stack;
        let Plane { warp, band } = &stack.planes[plane];
        let file = &stack.files[band.file];
        let Some((warp, warpers)) = warp else {
            return Err(Error::Internal("a plane without its warper".into()));
        };
        let mut warper = warpers.take(|| warp.open(&file.facts.name, stack.gdal))?;
        let layout = stack.infos[plane].layout;
        let mut result = Ok(());
        for (block_row, block_col) in blocks_under(window, layout) {
            let (rows, cols) = (layout.block_rows, layout.block_cols);
            let place = Window { row: block_row * rows, col: block_col * cols, rows, cols };
            self.wide.clear();
            self.wide.resize(place.cells(), f64::NAN);
            let read = warper.warp(place, &mut self.wide);
            if read.is_ok() {
                self.block.clear();
                self.block.extend(self.wide.iter().flat_map(|cell| cell.to_ne_bytes()));
                copy_cells(&self.block, place, window, 8, out.bytes_mut());
            }
            result = self.settle(read, plane, place, out, window);
            if result.is_err() {
                break;
            }
        }
        warpers.give_back(warper);
        result
    }
}

/// Row and column of every block that a window touches, in the file's order.
fn blocks_under(window: Window, layout: Layout) -> impl Iterator<Item = (usize, usize)> {
    let (rows, cols) = (layout.block_rows, layout.block_cols);
    let down = window.row / rows..=(window.row + window.rows - 1) / rows;
    let across = window.col / cols..=(window.col + window.cols - 1) / cols;
    down.flat_map(move |row| across.clone().map(move |col| (row, col)))
}

/// The mask of cells that were read. To ask for one makes GDAL look for files beside the raster, each time it is opened.
fn wanted_mask(info: &PlaneInfo, read: &std::result::Result<(), String>, band: Band) -> Option<Band> {
    if info.masked && read.is_ok() {
        band.mask()
    } else {
        None
    }
}

/// Decodes a block into a buffer that has room for all of it.
fn decode(
    gdal: &Gdal,
    band: Band,
    (row, col): (usize, usize),
    cells: &mut [u8],
) -> std::result::Result<(), String> {
    let (rows, cols) = band.block_size();
    assert!(cells.len() >= rows * cols * band.cell_bytes(), "room for a block");
    gdal.check(|gdal| {
        // SAFETY: the band's dataset is open and used by this thread alone; the block exists, and the buffer has room for
        // a whole block of the band's own type (checked above).
        unsafe {
            (gdal.GDALReadBlock)(band.raw(), col as c_int, row as c_int, cells.as_mut_ptr().cast::<c_void>())
        }
    })
}
