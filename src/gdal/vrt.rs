//! VRT files: XML that says how GDAL gets a raster's cells from other rasters.
//!
//! GDAL itself writes what a file says of its position, reference system, metadata and bands; sources and functions are
//! put in between. Rules that hold for GDAL 3.5 to 3.13: a function has at least two sources (before 3.12.4 reads of an
//! overview go past the function of a single one), the type of its sources is always said, no overviews are listed (3.8
//! to 3.11 report an error for them), and no argument is left for GDAL to fill in.

use super::band_notes::BandNotes;
use super::binding::{text, Gdal};
use super::dataset::{driver_handle, Dataset};
use super::header::{set_header, Header};
use super::raster::gdal_cell_type;
use crate::core::error::{Error, Result};
use crate::core::operation::{Band, Role};
use crate::core::tile::Window;
use crate::stack::cells::CellType;
use gdal_sys::GDALColorInterp;
use libc::c_int;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};

/// A band of another raster, of the same size.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Anything GDAL can open.
    pub file: String,
    /// The name starts from the folder of the VRT.
    pub is_relative: bool,
    /// Band, from 1.
    pub band: usize,
    /// Cells to the right and down from a cell to the one that is read for it; where there is none, nodata.
    pub shift: (isize, isize),
    /// Cells of this value are not read.
    pub nodata: Option<f64>,
}

impl Source {
    /// A band as it stands.
    pub fn new(file: impl Into<String>, is_relative: bool, band: usize) -> Self {
        Self { file: file.into(), is_relative, band, shift: (0, 0), nodata: None }
    }
}

/// Where the cells of a band come from.
#[derive(Debug, Clone, PartialEq)]
pub enum BandContent {
    /// A band of another raster as it stands.
    Copy(Source),
    /// A pixel function of sources, with its arguments.
    Derived {
        /// Its name.
        function: &'static str,
        /// Names and values.
        arguments: Vec<(&'static str, String)>,
        /// At least two.
        sources: Vec<Source>,
    },
}

/// A step of a processed dataset, which GDAL knows from 3.9 on: a function of a whole raster.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessedContent {
    /// The raster.
    pub source: Source,
    /// The function's name.
    pub function: &'static str,
    /// Names and values of its arguments.
    pub arguments: Vec<(String, String)>,
}

/// A VRT whose bands are those of `header`, at the place of `dataset`, with these contents.
pub fn derived_vrt(
    gdal: &'static Gdal,
    (header, dataset): (&Header, &Dataset),
    contents: &[BandContent],
) -> Result<String> {
    let mut contents = contents.iter();
    let frame = frame(gdal, header, dataset)?;
    edit(&frame, |writer, event| match event {
        Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "VRTRasterBand" => {
            let content = contents.next();
            let mut tag = tag.to_owned();
            if let Some(BandContent::Derived { .. }) = content {
                tag.push_attribute(("subClass", "VRTDerivedRasterBand"));
            }
            writer.write_event(Event::Start(tag))?;
            content.map_or(Ok(()), |content| write_content(writer, content, header.size))
        }
        other => writer.write_event(other),
    })
}

/// A VRT whose cells a function computes from a whole raster.
pub fn processed_vrt(
    gdal: &'static Gdal,
    (header, dataset): (&Header, &Dataset),
    content: &ProcessedContent,
) -> Result<String> {
    let frame = frame(gdal, header, dataset)?;
    edit(&frame, |writer, event| match event {
        Event::Start(tag) if tag.name().as_ref() == "VRTDataset" => {
            let mut tag = tag.to_owned();
            tag.push_attribute(("subClass", "VRTProcessedDataset"));
            writer.write_event(Event::Start(tag))?;
            write_steps(writer, content)
        }
        Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "VRTRasterBand" => {
            let mut tag = tag.to_owned();
            tag.push_attribute(("subClass", "VRTProcessedRasterBand"));
            writer.write_event(Event::Start(tag))
        }
        other => writer.write_event(other),
    })
}

/// A part of a raster that stands in a file of its own.
pub(super) struct Tile {
    /// Its name, from the folder of the VRT.
    pub(super) file: String,
    /// Where it lies.
    pub(super) place: Window,
}

/// A VRT that shows tiles as one raster; its bands are theirs, all of one type and block.
pub(super) fn mosaic_vrt(frame: &Dataset, tiles: &[Tile], block: (usize, usize)) -> Result<String> {
    let xml = frame_xml(frame)?;
    let mut band = 0;
    edit(&xml, |writer, event| match event {
        Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == "VRTRasterBand" => {
            band += 1;
            let attributes =
                tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == "dataType");
            let data_type = attributes.map_or(String::new(), |attribute| attribute.value.to_string());
            writer.write_event(Event::Start(tag.to_owned()))?;
            tiles.iter().try_for_each(|tile| write_tile(writer, tile, band, (&data_type, block)))
        }
        other => writer.write_event(other),
    })
}

fn write_tile(
    writer: &mut Xml,
    tile: &Tile,
    band: usize,
    (data_type, block): (&str, (usize, usize)),
) -> std::io::Result<()> {
    let Window { row, col, rows, cols } = tile.place;
    let text = |number: usize| number.to_string();
    writer.create_element("SimpleSource").write_inner_content(|writer| {
        let source = Source::new(tile.file.clone(), true, band);
        write_file(writer, &source)?;
        element(writer, "SourceBand", &text(band))?;
        let properties = writer.create_element("SourceProperties").with_attributes([
            ("RasterXSize", text(cols).as_str()),
            ("RasterYSize", text(rows).as_str()),
            ("DataType", data_type),
            ("BlockXSize", text(block.1.min(cols)).as_str()),
            ("BlockYSize", text(block.0.min(rows)).as_str()),
        ]);
        properties.write_empty()?;
        for (name, (x, y)) in [("SrcRect", (0, 0)), ("DstRect", (col, row))] {
            let rectangle = writer.create_element(name).with_attributes([
                ("xOff", text(x).as_str()),
                ("yOff", text(y).as_str()),
                ("xSize", text(cols).as_str()),
                ("ySize", text(rows).as_str()),
            ]);
            rectangle.write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A VRT without sources, as GDAL writes it.
fn frame(gdal: &'static Gdal, header: &Header, dataset: &Dataset) -> Result<String> {
    frame_xml(&frame_of(gdal, header, dataset)?)
}

/// A raster in memory that has everything but cells.
pub(super) fn frame_of(gdal: &'static Gdal, header: &Header, dataset: &Dataset) -> Result<Dataset> {
    let fail = |reason: String| Error::Output(format!("cannot describe the raster: {reason}"));
    let driver = driver_handle(gdal, "VRT")?;
    let ((rows, cols), bands) = (header.size, header.bands.len());
    let (handle, said) = gdal.call(|gdal| {
        // SAFETY: a driver of this GDAL; an empty name, as it is in memory; no options.
        unsafe {
            (gdal.GDALCreate)(
                driver,
                c"".as_ptr(),
                cols as c_int,
                rows as c_int,
                bands as c_int,
                gdal_cell_type(header.cell_type),
                std::ptr::null(),
            )
        }
    });
    if handle.is_null() {
        return Err(fail(said.cause()));
    }
    let vrt = Dataset::adopt(gdal, handle, "");
    set_header(gdal, &vrt, header, dataset).map_err(fail)?;
    let has_colours = header.notes.first().is_some_and(BandNotes::has_colours);
    if !has_colours && header.bands.first().is_some_and(|band| band.role == Role::Value) {
        let first = vrt.band(1)?.raw();
        // As a TIFF says of its first band by itself.
        // SAFETY: the dataset is open.
        gdal.check(|gdal| unsafe {
            (gdal.GDALSetRasterColorInterpretation)(first, GDALColorInterp::GCI_GrayIndex)
        })
        .map_err(fail)?;
    }
    Ok(vrt)
}

fn frame_xml(vrt: &Dataset) -> Result<String> {
    let gdal = vrt.gdal();
    // SAFETY: the dataset is open; the answer is NULL or a list that stays the dataset's, and text ends with NUL.
    let xml = unsafe {
        let list = (gdal.GDALGetMetadata)(vrt.raw(), c"xml:VRT".as_ptr());
        if list.is_null() {
            String::new()
        } else {
            text(*list)
        }
    };
    if xml.is_empty() {
        return Err(Error::Output("cannot describe the raster: GDAL gives no XML".into()));
    }
    Ok(xml)
}

type Xml = Writer<Vec<u8>>;

/// Copies XML, event by event, with changes. Elements of bands come as start and end, also where they were empty.
fn edit(xml: &str, mut change: impl FnMut(&mut Xml, Event<'_>) -> std::io::Result<()>) -> Result<String> {
    let broken = |reason: String| Error::Internal(format!("XML of a VRT: {reason}"));
    let mut reader = Reader::from_str(xml);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    loop {
        let event = reader.read_event().map_err(|error| broken(error.to_string()))?;
        let written = match event {
            Event::Eof => break,
            // Lines and indents are made anew.
            Event::Text(text) if text.trim().is_empty() && text.contains('\n') => continue,
            Event::Empty(tag) if tag.name().as_ref() == "VRTRasterBand" => {
                change(&mut writer, Event::Empty(tag))
                    .and_then(|()| writer.write_event(Event::End(BytesEnd::new("VRTRasterBand"))))
            }
            event => change(&mut writer, event),
        };
        written.map_err(|error| broken(error.to_string()))?;
    }
    let mut xml = String::from_utf8(writer.into_inner()).map_err(|error| broken(error.to_string()))?;
    xml.push('\n');
    Ok(xml)
}

fn element(writer: &mut Xml, name: &str, value: &str) -> std::io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(value)).map(drop)
}

fn write_content(writer: &mut Xml, content: &BandContent, size: (usize, usize)) -> std::io::Result<()> {
    match content {
        BandContent::Copy(source) => write_source(writer, source, size),
        BandContent::Derived { function, arguments, sources } => {
            element(writer, "PixelFunctionType", function)?;
            let mut tag = BytesStart::new("PixelFunctionArguments");
            arguments.iter().for_each(|(name, value)| tag.push_attribute((*name, value.as_str())));
            if !arguments.is_empty() {
                writer.write_event(Event::Empty(tag))?;
            }
            element(writer, "SourceTransferType", "Float32")?;
            let again = if sources.len() == 1 { sources } else { &sources[..0] };
            sources.iter().chain(again).try_for_each(|source| write_source(writer, source, size))
        }
    }
}

fn write_source(writer: &mut Xml, source: &Source, size: (usize, usize)) -> std::io::Result<()> {
    let kind = if source.nodata.is_some() { "ComplexSource" } else { "SimpleSource" };
    writer.create_element(kind).write_inner_content(|writer| {
        write_file(writer, source)?;
        element(writer, "SourceBand", &source.band.to_string())?;
        let (right, down) = source.shift;
        let from = (right.max(0), down.max(0));
        let to = ((-right).max(0), (-down).max(0));
        let extent = (size.1 - right.unsigned_abs(), size.0 - down.unsigned_abs());
        for (name, (x, y)) in [("SrcRect", from), ("DstRect", to)] {
            let rectangle = writer.create_element(name).with_attributes([
                ("xOff", x.to_string().as_str()),
                ("yOff", y.to_string().as_str()),
                ("xSize", extent.0.to_string().as_str()),
                ("ySize", extent.1.to_string().as_str()),
            ]);
            rectangle.write_empty()?;
        }
        match source.nodata {
            Some(nodata) => element(writer, "NODATA", &nodata.to_string()),
            None => Ok(()),
        }
    })?;
    Ok(())
}

fn write_file(writer: &mut Xml, source: &Source) -> std::io::Result<()> {
    let relative = if source.is_relative { "1" } else { "0" };
    let file = writer.create_element("SourceFilename").with_attribute(("relativeToVRT", relative));
    file.write_text_content(BytesText::new(&source.file)).map(drop)
}

fn write_steps(writer: &mut Xml, content: &ProcessedContent) -> std::io::Result<()> {
    writer.create_element("Input").write_inner_content(|writer| write_file(writer, &content.source))?;
    writer.create_element("ProcessingSteps").write_inner_content(|writer| {
        let step = writer.create_element("Step").with_attribute(("name", content.function));
        step.write_inner_content(|writer| {
            element(writer, "Algorithm", content.function)?;
            content.arguments.iter().try_for_each(|(name, value)| {
                let argument = writer.create_element("Argument").with_attribute(("name", name.as_str()));
                argument.write_text_content(BytesText::new(value)).map(drop)
            })
        })
        .map(drop)
    })?;
    Ok(())
}

/// A header of plain bands of floats: a step on the way to a picture.
pub fn step_header(size: (usize, usize), bands: usize) -> Header {
    Header {
        size,
        origin: (0, 0),
        transform: None,
        bands: (0..bands).map(|_| Band::new("", "", (0.0, 1.0))).collect(),
        cell_type: CellType::Float32,
        nodata: Some(f64::NAN),
        metadata: Vec::new(),
        scales: Vec::new(),
        statistics: Vec::new(),
        notes: Vec::new(),
    }
}
