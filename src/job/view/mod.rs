//! A picture that is computed where somebody looks: tiles of a raster and of its overviews, each when it is asked for.
//!
//! At full resolution tiles hold the bits a run would write. An overview is the picture of the elevations at that scale
//! (the raster's own overviews where it has them, means of two by two cells otherwise), with distances in as many cells
//! fewer: what a small-scale map should show, not a thinned-out picture of the full resolution.

mod ahead;
mod pyramid;

use super::{Job, JobOptions};
use crate::core::error::Result;
use crate::core::tile::Window;
use crate::gdal::header::Header;
use crate::gdal::layer::RasterLayer;
use crate::gdal::source::{GdalSource, Input};
use crate::gdal::statistics::BandStatistics;
use crate::gdal::virtual_tiff::VirtualTiff;
use crate::gdal::GeoTransform;
use crate::pipeline::io::Source;
use crate::recipe::chain::Chain;
use crate::recipe::Recipe;
use ahead::Ahead;
use pyramid::Pyramid;
use std::ops::Range;
use std::sync::Arc;

pub use pyramid::{Piece, TileIndex};

/// Bytes of decoded blocks that are kept, of the elevations and of all rasters of layers.
const BLOCK_CACHE: usize = 64 << 20;

/// An opened picture. Any number of threads may look at it.
pub struct View {
    pyramid: Arc<Pyramid>,
    ahead: Arc<Ahead>,
    tiff: VirtualTiff,
    header: Header,
    geotransform: GeoTransform,
    files: Vec<String>,
}

impl View {
    /// Opens the elevations and decides everything but what only a pass over the raster can tell.
    /// With `statistics` the file says those of a small overview, unless that takes a long look.
    pub fn open(recipe: &Recipe, input: &Input, options: &JobOptions, statistics: bool) -> Result<Self> {
        let job = Job::new(recipe.clone(), input.clone(), String::new(), options.clone());
        let mut source = GdalSource::open(input, options.band.unwrap_or(1), options.nodata)?;
        source.set_cache(BLOCK_CACHE);
        let chain = Chain::new(recipe, source.grid(), job.chain_options())?;
        if chain.needs_heights() {
            source.keep_heights();
        }
        let layout = source.layout();
        chain.check_raster(layout.rows, layout.cols)?;
        let layers = job.open_rasters(&chain, &source)?;
        layers.iter().for_each(|layer| layer.set_cache(BLOCK_CACHE / layers.len()));
        let mut files = source.dataset().files();
        files.extend(layers.iter().flat_map(RasterLayer::files).cloned());
        let source = Arc::new(source);
        let pyramid = Arc::new(Pyramid::new(&job, &chain, &source, layers)?);
        let whole = Window { row: 0, col: 0, rows: layout.rows, cols: layout.cols };
        let mut header = job.header(recipe, 0..chain.bands().len(), &chain, whole);
        if statistics {
            header.statistics = pyramid.cheap_statistics()?.unwrap_or_default();
        }
        let (sizes, side) = (pyramid.sizes(), pyramid.side());
        let tiff = VirtualTiff::new(source.gdal(), &header, &source.dataset(), &sizes, side)?;
        // What GDAL takes for granted where a raster has none.
        let geotransform = source.dataset().geotransform().unwrap_or([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        Ok(Self { pyramid, ahead: Arc::default(), tiff, header, geotransform, files })
    }

    /// Files it is computed from.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The picture as a file.
    pub fn tiff(&self) -> &VirtualTiff {
        &self.tiff
    }

    /// Fills parts of tiles, computed in parallel unless they are kept from before. For who goes on in order the next
    /// ones are computed already.
    pub fn fill(&self, pieces: Vec<Piece<'_>>) -> Result<()> {
        let run = run_of(&pieces);
        self.pyramid.fill(pieces)?;
        if let Some((level, tiles)) = run {
            self.ahead.after(&self.pyramid, level, tiles);
        }
        Ok(())
    }

    /// Nobody reads any more, for now.
    pub fn rest(&self) {
        self.ahead.stop();
    }

    /// Bands of the picture, their type, and the value of missing cells.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Rows and columns of the raster and of its overviews.
    pub fn sizes(&self) -> Vec<(usize, usize)> {
        self.pyramid.sizes()
    }

    /// Bytes of a cell: all its bands.
    pub fn cell_bytes(&self) -> usize {
        self.pyramid.cell_bytes()
    }

    /// Where the raster lies.
    pub fn geotransform(&self) -> GeoTransform {
        self.geotransform
    }

    /// A window of a level: bands of a cell together, cells row by row.
    pub fn read(&self, level: usize, window: Window, to: &mut [u8]) -> Result<()> {
        self.pyramid.read(level, window, to)
    }

    /// What the cells of each band are like, as a small overview tells; None when there is none.
    pub fn statistics(&self) -> Result<Option<Vec<BandStatistics>>> {
        self.pyramid.statistics()
    }
}

/// Level and tiles of pieces that follow one another.
fn run_of(pieces: &[Piece<'_>]) -> Option<(usize, Range<usize>)> {
    let (first, last) = (pieces.first()?.tile, pieces.last()?.tile);
    let follow = |pair: &[Piece<'_>]| pair[1].tile == (pair[0].tile.0, pair[0].tile.1 + 1);
    pieces.windows(2).all(follow).then(|| (first.0, first.1..last.1 + 1))
}
