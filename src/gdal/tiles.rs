//! A raster written as files side by side, and a VRT that shows them as one.
//!
//! A tile's file is ended as soon as its last cell is there; all stand in a temporary folder until the whole raster is
//! written. The VRT comes last.

use super::dataset::Dataset;
use super::header::Header;
use super::output::Target;
use super::parts::{Ours, PartsFolder};
use super::places::Placing;
use super::sink::{Format, GdalSink, SinkOptions};
use super::vrt::{frame_of, mosaic_vrt, Tile};
use super::Gdal;
use crate::core::error::{Error, Result};
use crate::core::tile::Window;
use crate::pipeline::io::{CellsRef, Layout, Sink};

/// Least side of a tile, as far as the raster reaches.
const TILE_SIDE: usize = 4096;

/// What the folder of tiles is called beside the VRT.
pub(super) const FOLDER: &str = "tiles";

/// Only tiles are ever replaced: a folder of this name may be somebody's own.
const TILES: Ours = Ours { has: is_tile, what: "tiles such as row0_col0.tif" };

/// A set of tiles being written.
pub struct TileSet {
    gdal: &'static Gdal,
    target: Target,
    folder: PartsFolder,
    header: Header,
    options: SinkOptions,
    /// Position and reference system.
    frame: Dataset,
    layout: Layout,
    /// Rows and columns of a tile.
    side: (usize, usize),
    tiles: Vec<OpenTile>,
    part: Vec<u8>,
}

/// A tile and how much of it is still to come.
struct OpenTile {
    place: Window,
    sink: Option<GdalSink>,
    missing: usize,
}

/// Tiles and VRT, not yet in their places.
pub(super) struct FinishedTiles {
    target: Target,
    folder: PartsFolder,
    xml: String,
}

impl TileSet {
    pub(super) fn create(
        gdal: &'static Gdal,
        target: Target,
        header: Header,
        options: SinkOptions,
        source: &Dataset,
    ) -> Result<Self> {
        if options.overviews {
            return Err(Error::Argument("overviews of a VRT; allowed: of GTiff".into()));
        }
        let folder = PartsFolder::new((target.path(), FOLDER), TILES, target.overwrites())?;
        let frame = frame_of(gdal, &header, source)?;
        let options = SinkOptions { format: Format::GTiff, ..options };
        let (rows, cols) = header.size;
        let layout = Layout { rows, cols, block_rows: rows, block_cols: cols };
        let mut set = Self {
            gdal,
            target,
            folder,
            header,
            options,
            frame,
            layout,
            side: (rows, cols),
            tiles: Vec::new(),
            part: Vec::new(),
        };
        // Blocks are known when a first tile is there.
        let first = Window { row: 0, col: 0, rows: rows.min(TILE_SIDE), cols: cols.min(TILE_SIDE) };
        let block = set.open(first)?.layout();
        let whole = |block: usize| (TILE_SIDE / block).max(1) * block;
        set.layout = Layout { rows, cols, ..block };
        set.side = (whole(block.block_rows).min(rows), whole(block.block_cols).min(cols));
        set.tiles = tiles_of((rows, cols), set.side);
        Ok(set)
    }

    fn open(&self, place: Window) -> Result<GdalSink> {
        let path = self.folder.making().join(file_name(place));
        let path =
            path.to_str().ok_or_else(|| Error::Output(format!("'{}' is not UTF-8", path.display())))?;
        let header = Header {
            size: (place.rows, place.cols),
            origin: (place.row, place.col),
            transform: None,
            ..self.header.clone()
        };
        GdalSink::create(self.gdal, Target::new(path, false, &[])?, header, self.options.clone(), &self.frame)
    }

    /// Ends the VRT. All tiles have been ended when their last cells came.
    pub(super) fn finish(self, progress: &mut dyn FnMut(f64) -> bool) -> Result<FinishedTiles> {
        if self.tiles.iter().any(|tile| tile.missing > 0) {
            return Err(Error::Internal("a tile that was not written".into()));
        }
        let folder = self.folder.name();
        let tiles = self
            .tiles
            .iter()
            .map(|tile| Tile { file: format!("{folder}/{}", file_name(tile.place)), place: tile.place });
        let block = (self.layout.block_rows, self.layout.block_cols);
        let xml = mosaic_vrt(&self.frame, &tiles.collect::<Vec<_>>(), block)?;
        match progress(1.0) {
            true => Ok(FinishedTiles { target: self.target, folder: self.folder, xml }),
            false => Err(Error::Cancelled),
        }
    }
}

impl FinishedTiles {
    pub(super) fn place(self, placing: &mut Placing) -> Result<()> {
        let pending = self.target.pending()?;
        let fail = |error: std::io::Error| {
            Error::Output(format!("cannot write '{}': {error}", self.target.path().display()))
        };
        std::fs::write(pending.name()?, self.xml).map_err(fail)?;
        if self.target.overwrites() {
            // An old VRT must not show new tiles.
            placing.set_aside(self.target.path()).map_err(fail)?;
        }
        self.folder.place(placing)?;
        self.target.place(pending, placing)
    }
}

impl Sink for TileSet {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn write(&mut self, window: Window, cells: CellsRef<'_>) -> Result<()> {
        let bytes = self.header.cell_type.size();
        for index in 0..self.tiles.len() {
            let Some(shared) = window.overlap(self.tiles[index].place) else { continue };
            if self.tiles[index].sink.is_none() {
                self.tiles[index].sink = Some(self.open(self.tiles[index].place)?);
            }
            cut(cells.bytes(), (window, shared), (self.header.bands.len(), bytes), &mut self.part);
            let tile = &mut self.tiles[index];
            let inside =
                Window { row: shared.row - tile.place.row, col: shared.col - tile.place.col, ..shared };
            if let Some(sink) = &mut tile.sink {
                sink.write(inside, CellsRef::Raw(&self.part, bytes))?;
            }
            tile.missing -= shared.cells();
            if tile.missing == 0 {
                if let Some(sink) = tile.sink.take() {
                    // Their folder is temporary: there is nothing to go back to.
                    let mut placing = Placing::default();
                    sink.finish(&mut |_| true)?.place(&mut placing)?;
                    placing.keep();
                }
            }
        }
        Ok(())
    }
}

fn tiles_of((rows, cols): (usize, usize), side: (usize, usize)) -> Vec<OpenTile> {
    let mut tiles = Vec::new();
    for row in (0..rows).step_by(side.0) {
        for col in (0..cols).step_by(side.1) {
            let place = Window { row, col, rows: side.0.min(rows - row), cols: side.1.min(cols - col) };
            tiles.push(OpenTile { place, sink: None, missing: place.cells() });
        }
    }
    tiles
}

/// Whether a file has the name of a tile, or of what GDAL notes beside one.
fn is_tile(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = name.strip_suffix(".aux.xml").unwrap_or(name);
    let places = name.strip_prefix("row").and_then(|name| name.strip_suffix(".tif")?.split_once("_col"));
    places.is_some_and(|(row, col)| number(row) && number(col))
}

fn file_name(place: Window) -> String {
    format!("row{}_col{}.tif", place.row, place.col)
}

/// Copies a part of a window, band after band.
fn cut(cells: &[u8], (window, part): (Window, Window), (bands, bytes): (usize, usize), to: &mut Vec<u8>) {
    to.clear();
    for band in 0..bands {
        for row in 0..part.rows {
            let first =
                band * window.cells() + (part.row - window.row + row) * window.cols + part.col - window.col;
            to.extend_from_slice(&cells[first * bytes..(first + part.cols) * bytes]);
        }
    }
}
