//! The file system `/vsiterralume/`: TIFF files whose tiles are computed when they are read.
//!
//! Everything crosses through GDAL's C interface for file systems, which every version from 3.0 on has; user data is the
//! table of the GDAL that asks, so that several in one process keep apart.

use super::views;
use crate::core::error::{Error, Result};
use crate::gdal::virtual_tiff::Content;
use crate::gdal::Gdal;
use crate::job::view::Piece;
use crate::job::virtual_name::{self, Request};
use crate::job::View;
use crate::pipeline::nesting;
use gdal_sys::{vsi_l_offset, VSIStatBufL};
use libc::{c_char, c_int, c_void};
use std::ffi::{CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

/// What names of our files begin with.
const PREFIX: &CStr = c"/vsiterralume/";

/// Endings of files that GDAL looks for beside a raster; ours have none.
const SIDECARS: [&str; 16] = [
    ".aux.xml", ".ovr", ".msk", ".aux", ".tfw", ".tifw", ".wld", ".xml", ".imd", ".rpb", ".txt", ".prj",
    ".idm", ".pvl", ".rrd", ".lgo",
];

/// Installs the file system in a GDAL, once.
pub fn install(gdal: &'static Gdal) {
    static INSTALLED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    let address = std::ptr::from_ref(gdal) as usize;
    if installed.contains(&address) {
        return;
    }
    // SAFETY: GDAL allocates and frees the struct, whose members only ever grow at the end; the callbacks stay loaded as
    // long as the process; the user data lives for ever.
    unsafe {
        let callbacks = (gdal.VSIAllocFilesystemPluginCallbacksStruct)();
        if callbacks.is_null() {
            return;
        }
        (*callbacks).pUserData = std::ptr::from_ref(gdal).cast_mut().cast();
        (*callbacks).open = Some(open);
        (*callbacks).stat = Some(stat);
        (*callbacks).tell = Some(tell);
        (*callbacks).seek = Some(seek);
        (*callbacks).read = Some(read);
        (*callbacks).read_multi_range = Some(read_multi_range);
        (*callbacks).eof = Some(eof);
        (*callbacks).close = Some(close);
        (*callbacks).sibling_files = Some(sibling_files);
        (gdal.VSIInstallPluginHandler)(PREFIX.as_ptr(), callbacks);
        (gdal.VSIFreeFilesystemPluginCallbacksStruct)(callbacks);
    }
    installed.push(address);
}

/// An open file.
struct Handle {
    gdal: &'static Gdal,
    view: Arc<View>,
    position: u64,
    at_end: bool,
}

/// The picture called `name`; what is wrong with it is told to GDAL when `aloud`.
///
/// # Safety
/// `user` is the table that `install` gave, `name` a C string.
unsafe fn find(user: *mut c_void, name: *const c_char, aloud: bool) -> Option<(&'static Gdal, Arc<View>)> {
    // SAFETY: by contract.
    let (gdal, name) = unsafe { (&*user.cast::<Gdal>(), CStr::from_ptr(name)) };
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let name = name.to_str().map_err(|_| Error::Argument("the name of a file is not UTF-8".into()))?;
        if is_sidecar(name) {
            return Ok(None);
        }
        views::open(gdal, name, Request::parse).map(Some)
    }));
    match opened.unwrap_or_else(|_| Err(Error::Internal("opening a picture failed".into()))) {
        Ok(view) => view.map(|view| (gdal, view)),
        Err(error) => {
            if aloud {
                say(gdal, &error);
            }
            None
        }
    }
}

/// GDAL looks for files beside a raster; it may do so without hearing that there are none.
fn is_sidecar(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let elevations = virtual_name::split(name).map_or("", |(_, elevations)| elevations);
    // A recipe's own file may end like this, and elevations in XML are a VRT.
    SIDECARS.iter().any(|ending| lower.ends_with(ending)) && !std::path::Path::new(elevations).exists()
}

fn say(gdal: &Gdal, error: &Error) {
    let text = CString::new(format!("terralume: {error}").replace('\0', " ")).unwrap_or_default();
    gdal.report_failure(&text);
}

unsafe extern "C" fn open(user: *mut c_void, name: *const c_char, access: *const c_char) -> *mut c_void {
    // SAFETY: GDAL passes a C string.
    let access = unsafe { CStr::from_ptr(access) }.to_bytes();
    if access.iter().any(|letter| b"wa+".contains(letter)) {
        return std::ptr::null_mut();
    }
    // SAFETY: as `install` and GDAL say.
    match unsafe { find(user, name, true) } {
        Some((gdal, view)) => {
            Box::into_raw(Box::new(Handle { gdal, view, position: 0, at_end: false })).cast()
        }
        None => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn stat(
    user: *mut c_void,
    name: *const c_char,
    status: *mut VSIStatBufL,
    _flags: c_int,
) -> c_int {
    // GDAL asks for a status after it failed to open, and was told why then: that must remain its last error.
    // SAFETY: the table that `install` gave.
    let gdal = unsafe { &*user.cast::<Gdal>() };
    // SAFETY: as `install` and GDAL say.
    let found = gdal.keeping_last_error(|| unsafe { find(user, name, false) });
    let Some((_, view)) = found else { return -1 };
    // What GDAL calls VSIStatBufL is the system's own struct.
    let status = status.cast::<libc::stat64>();
    // SAFETY: GDAL passes a live struct, which any bytes suit.
    unsafe {
        status.write_bytes(0, 1);
        (*status).st_size = view.tiff().size() as _;
        (*status).st_mode = libc::S_IFREG;
    }
    0
}

/// # Safety
/// `file` came from `open` and is used by one thread at a time, as GDAL's files are.
unsafe fn handle<'a>(file: *mut c_void) -> &'a mut Handle {
    // SAFETY: by contract.
    unsafe { &mut *file.cast::<Handle>() }
}

unsafe extern "C" fn tell(file: *mut c_void) -> vsi_l_offset {
    // SAFETY: a file of ours.
    unsafe { handle(file) }.position
}

unsafe extern "C" fn seek(file: *mut c_void, offset: vsi_l_offset, whence: c_int) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    let start = match whence {
        libc::SEEK_CUR => handle.position,
        libc::SEEK_END => handle.view.tiff().size(),
        _ => 0,
    };
    handle.position = start.wrapping_add(offset);
    handle.at_end = false;
    0
}

unsafe extern "C" fn eof(file: *mut c_void) -> c_int {
    // SAFETY: a file of ours.
    c_int::from(unsafe { handle(file) }.at_end)
}

unsafe extern "C" fn close(file: *mut c_void) -> c_int {
    // SAFETY: made by `open`, and GDAL closes a file once.
    let handle = unsafe { Box::from_raw(file.cast::<Handle>()) };
    let _ = catch_unwind(AssertUnwindSafe(|| handle.view.rest()));
    0
}

unsafe extern "C" fn read(file: *mut c_void, buffer: *mut c_void, size: usize, count: usize) -> usize {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    let wanted = size.saturating_mul(count);
    let left = handle.view.tiff().size().saturating_sub(handle.position);
    let length = wanted.min(usize::try_from(left).unwrap_or(usize::MAX));
    handle.at_end = length < wanted;
    if length == 0 {
        return 0;
    }
    // SAFETY: GDAL's buffer has room for what it asks for.
    let to = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    let position = handle.position;
    if !fill(handle, vec![(position, to)]) {
        return 0;
    }
    handle.position += length as u64;
    length / size
}

unsafe extern "C" fn read_multi_range(
    file: *mut c_void,
    count: c_int,
    buffers: *mut *mut c_void,
    offsets: *const vsi_l_offset,
    sizes: *const usize,
) -> c_int {
    // SAFETY: a file of ours.
    let handle = unsafe { handle(file) };
    let count = count.max(0) as usize;
    let mut parts = Vec::new();
    for index in 0..count {
        // SAFETY: GDAL passes `count` of each, and every buffer has the room its size says, apart from the others.
        let (offset, to) = unsafe {
            let to = std::slice::from_raw_parts_mut((*buffers.add(index)).cast::<u8>(), *sizes.add(index));
            (*offsets.add(index), to)
        };
        if offset.saturating_add(to.len() as u64) > handle.view.tiff().size() {
            return -1;
        }
        parts.push((offset, to));
    }
    if fill(handle, parts) {
        0
    } else {
        -1
    }
}

/// Fills parts of the file; false, and an error for GDAL, when a tile cannot be computed.
fn fill(handle: &Handle, parts: Vec<(u64, &mut [u8])>) -> bool {
    let picture = Arc::as_ptr(&handle.view) as u64;
    let work = || nesting::enter(picture, || try_fill(&handle.view, parts));
    let filled = catch_unwind(AssertUnwindSafe(work));
    match filled.unwrap_or_else(|_| Err(Error::Internal("computing a tile failed".into()))) {
        Ok(()) => true,
        Err(error) => {
            say(handle.gdal, &error);
            false
        }
    }
}

fn try_fill(view: &View, parts: Vec<(u64, &mut [u8])>) -> Result<()> {
    let mut pieces = Vec::new();
    for (mut offset, mut to) in parts {
        while !to.is_empty() {
            let beyond = || Error::Internal("a read beyond the end of a virtual file".into());
            let segment = view.tiff().segment(offset).ok_or_else(beyond)?;
            let count = match (segment.copy(offset, to), &segment.content) {
                (Some(count), _) => count,
                (None, Content::Tiles(level)) => {
                    let (bytes, place) = (view.tiff().tile_bytes(), offset - segment.range.start);
                    let start = (place % bytes) as usize;
                    let count = to.len().min(bytes as usize - start);
                    let (here, rest) = std::mem::take(&mut to).split_at_mut(count);
                    pieces.push(Piece { tile: (*level, (place / bytes) as usize), start, to: here });
                    to = rest;
                    offset += count as u64;
                    continue;
                }
                (None, _) => return Err(beyond()),
            };
            to = &mut std::mem::take(&mut to)[count..];
            offset += count as u64;
        }
    }
    view.fill(pieces)
}

/// Nothing stands beside a virtual file: GDAL need not look.
unsafe extern "C" fn sibling_files(user: *mut c_void, name: *const c_char) -> *mut *mut c_char {
    // SAFETY: the table that `install` gave, and a C string.
    let (gdal, name) = unsafe { (&*user.cast::<Gdal>(), CStr::from_ptr(name)) };
    let start = name.to_bytes().iter().rposition(|letter| *letter == b'/').map_or(0, |slash| slash + 1);
    // SAFETY: the rest of a C string is one; GDAL copies it into a list that the caller frees.
    unsafe { (gdal.CSLAddString)(std::ptr::null_mut(), name.as_ptr().add(start)) }
}
