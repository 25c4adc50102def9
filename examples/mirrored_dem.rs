//! Makes a large raster for benchmarks: the DEM given, mirrored side by side until it fills SIZE x SIZE cells.
//!
//! `cargo run --release --example mirrored_dem -- DEM SIZE OUT.raw` writes 32-bit cells row by row and an ENVI header
//! beside them, which GDAL opens.

use ndarray::Array2;
use std::io::{BufWriter, Write};
use terralume::core::tile::{Edge, Window};
use terralume::gdal::source::{GdalSource, Input};
use terralume::pipeline::io::Source;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dem, size, out] = arguments.as_slice() else {
        return Err("usage: mirrored_dem DEM SIZE OUT.raw".into());
    };
    let size: usize = size.parse()?;
    let source = GdalSource::open(&Input::Path(dem.clone()), 1, None)?;
    let layout = source.layout();
    let mut cells = Array2::zeros((layout.rows, layout.cols));
    let whole = Window { row: 0, col: 0, rows: layout.rows, cols: layout.cols };
    source.open()?.read(whole, cells.view_mut())?;

    let mut file = BufWriter::new(std::fs::File::create(out)?);
    let mut bytes = Vec::with_capacity(size * 4);
    for row in 0..size {
        bytes.clear();
        let from = Edge::Reflect.source(row as isize, layout.rows);
        for col in 0..size {
            let height: f32 = cells[[from, Edge::Reflect.source(col as isize, layout.cols)]];
            bytes.extend_from_slice(&height.to_le_bytes());
        }
        file.write_all(&bytes)?;
    }
    let header = format!(
        "ENVI\nsamples = {size}\nlines = {size}\nbands = 1\nheader offset = 0\nfile type = ENVI Standard\n\
         data type = 4\ninterleave = bsq\nbyte order = 0\n"
    );
    std::fs::write(std::path::Path::new(out).with_extension("hdr"), header)?;
    Ok(())
}
